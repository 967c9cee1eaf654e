//! Signs of fraud among claims: in what the chain tells of them, and in documents that are open to us.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::B256;
use medlock_abi::{claims::IClaims, terms::claim_state};
use medlock_api::{self as api, Purpose};
use medlock_billing::{
    fhir::Claim as FhirClaim,
    signals::{self, ClaimFacts, LinkFacts, ServiceFacts, Signal},
    time::Span,
};
use medlock_fhir::Label;

use super::{ClaimsOf, ELSEWHERE, WHAT};
use crate::{
    Client,
    error::{Error, Result},
    platform::now,
    record::tampered,
};

/// What [`Client::claim_signals`] has found, and among how many claims.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Signals {
    pub claims: usize,
    pub signals: Vec<Signal>,
    /// Claims that do not name who rendered each of their services: no overlap and no long day is seen in those.
    pub nameless: usize,
    /// Claims whose document could not be opened or is not what stands on chain, and why.
    pub unopened: Vec<(B256, String)>,
}

/// From when to when, as exactly as it is known.
type Life = (Option<Span>, Option<Span>);

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct PatientDates {
    resource_type: String,
    birth_date: Option<String>,
    deceased_date_time: Option<String>,
}

impl Client {
    /// Signs of fraud among claims of ours that were submitted at `since` (UNIX seconds) or later: in what the chain tells of them and, of those
    /// that hold their service, in their documents. With a purpose the patients' dates of birth and death are read too, where we may; each such
    /// reading is in the chart's log.
    ///
    /// # Errors
    /// As [`Client::claims`].
    pub async fn claim_signals(&self, of: ClaimsOf, since: u64, life: Option<Purpose>) -> Result<Signals> {
        let told = self.told_facts(of, since).await;
        let told = match self.may_have_been_behind(&told).await? {
            true => self.told_facts(of, since).await?,
            false => told?,
        };
        let now = now();
        let mut claims = Vec::with_capacity(told.len());
        let (mut services, mut unopened) = (Vec::new(), Vec::new());
        let mut lives: BTreeMap<B256, Life> = BTreeMap::new();
        for told in told {
            let claim = &told.claim;
            let facts = facts(&told);
            let is_ours = [claim.provider, claim.insurer].contains(&self.grantee());
            match claim_state::holds(facts.state, facts.deadline, now) {
                true if is_ours => match self.open_claim(claim.claim, None).await {
                    Ok(open) => {
                        if let (Some(purpose), false) = (life, lives.contains_key(&claim.chart)) {
                            lives.insert(claim.chart, self.life(claim.chart, purpose).await?);
                        }
                        let life = lives.get(&claim.chart).copied().unwrap_or_default();
                        services.extend(services_of(&facts, &open.claim, life));
                    }
                    // One that its provider has spoiled must not hide the others.
                    Err(error @ (Error::Tampered { .. } | Error::Unsuitable(_) | Error::Problem { .. })) => {
                        unopened.push((claim.claim, error.to_string()));
                    }
                    Err(error) => return Err(error),
                },
                // A gateway that calls a claim withdrawn must not keep it from being looked into.
                false if is_ours => self.require_state(&facts).await?,
                _ => {}
            }
            claims.push(facts);
        }
        let found = [
            signals::shared_fingerprints(&claims, now),
            signals::shared_services(&services),
            signals::repeated_services(&services),
            signals::overlaps(&services),
            signals::long_days(&services),
            signals::outside_of_life(&services),
            signals::amount_outliers(&services),
            signals::count_outliers(&claims),
            signals::late_records(&claims, &services),
            signals::overdue_payments(&claims, now),
        ];
        let nameless = services.iter().filter(|service| service.performers.is_empty());
        let nameless: BTreeSet<_> = nameless.map(|service| service.claim).collect();
        Ok(Signals {
            claims: claims.len(),
            signals: found.into_iter().flatten().collect(),
            nameless: nameless.len(),
            unopened,
        })
    }

    async fn told_facts(&self, of: ClaimsOf, since: u64) -> Result<Vec<api::claims::ClaimFacts>> {
        let submitted = self.submitted_on_chain(of, since).await?;
        let told = self.gateway().await?.claim_facts(of, since).await?;
        if let Some(submitted) = submitted {
            let listed: Vec<_> = told.iter().map(|told| &told.claim).collect();
            self.require_listed(of, submitted, &listed).await?;
        }
        Ok(told)
    }

    async fn require_state(&self, facts: &ClaimFacts) -> Result<()> {
        let call = IClaims::claimOfCall { claim: facts.id };
        let on_chain = self.claims_call(call).await?;
        match (on_chain.state, on_chain.deadline) == (facts.state, facts.deadline) {
            true => Ok(()),
            false => Err(tampered(WHAT)(ELSEWHERE)),
        }
    }

    /// When a chart's patient was born and died, as far as we may read it.
    async fn life(&self, chart: B256, purpose: Purpose) -> Result<Life> {
        let records = match self.records(chart, Some(Label::Demographics.compartment())).await {
            Err(error) if error.is_refusal() => return Ok(Life::default()),
            records => records?,
        };
        let open = self.chart(chart).await?;
        for record in records {
            let read = match open.read(record.record_id, None, purpose).await {
                Err(error) if error.is_refusal() => continue,
                read => read?,
            };
            if let Ok(patient) = serde_json::from_slice::<PatientDates>(&read.content)
                && patient.resource_type == "Patient"
            {
                let span = |text: Option<String>| text.as_deref().and_then(Span::of);
                return Ok((span(patient.birth_date), span(patient.deceased_date_time)));
            }
        }
        Ok(Life::default())
    }
}

fn services_of(facts: &ClaimFacts, claim: &FhirClaim, (born, died): Life) -> Vec<ServiceFacts> {
    let items = claim.items.iter();
    let services = items.filter_map(|item| ServiceFacts::of(facts, claim, item));
    services.map(|service| ServiceFacts { born, died, ..service }).collect()
}

fn facts(told: &api::claims::ClaimFacts) -> ClaimFacts {
    let claim = &told.claim;
    // A record that was not there before its claim says nothing of when it was written.
    let links = told.links.iter().filter_map(|link| {
        Some(LinkFacts {
            record_id: link.record_id,
            created_at: link.created_at?,
        })
    });
    ClaimFacts {
        id: claim.claim,
        chart: claim.chart,
        provider: claim.provider,
        by: claim.submitted_by,
        insurer: claim.insurer,
        fingerprint: claim.fingerprint,
        submitted_at: claim.submitted_at,
        state: claim.state.number(),
        deadline: claim.deadline.unwrap_or_default(),
        currency: claim.currency,
        shared: claim.shared,
        links: links.collect(),
    }
}
