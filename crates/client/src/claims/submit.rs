//! Submission. The contract compares the first items of a provider's claims, by fingerprint; that no other item is billed twice is seen to here.

use std::collections::{BTreeMap, HashMap, btree_map::Entry};

use alloy::primitives::{Address, B256};
use futures::{StreamExt, TryStreamExt};
use medlock_abi::{
    claims::IClaims::{self, Link},
    terms::claim_state,
};
use medlock_billing::{
    ClaimDocument, FingerprintKey, Salt, Service, claim_id,
    fhir::{Claim as FhirClaim, RecordRef},
    fingerprint,
};
use medlock_vault::Recipient;

use super::{CLAIM_MEDIA_TYPE, ClaimsOf};
use crate::{
    Client, OpenChart,
    chain::Mined,
    chart::digest,
    error::{Error, Result},
    identity::rng,
    platform::now,
};

/// Services that the contract is asked about at a time: a hospital's claim has hundreds of items.
const LOOKUPS_AT_ONCE: usize = 16;

/// What is to be claimed.
#[derive(Debug, Clone)]
pub struct NewClaim {
    pub insurer: Address,
    /// A FHIR R4 Claim as JSON. Its first item is the service, its total what is billed.
    pub claim: Vec<u8>,
    /// The records that bear it out, beside those that it names in `supportingInfo`: 1 to 8 of the chart's in all, in their latest versions.
    pub records: Vec<B256>,
}

/// What was submitted.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Submitted {
    /// The claims' ids, in the order in which they were given.
    pub claims: Vec<B256>,
    pub mined: Mined,
}

impl OpenChart {
    /// Submits claims about the chart, all or none (a provider). They rest on the latest versions of their records. The contract is asked whether a
    /// service of theirs is the first item of an earlier claim; [`Self::require_unbilled`] finds it in other items.
    ///
    /// # Errors
    /// [`Error::Contract`] where the contract refuses one: without consent, a credential, an accepted currency, or for a service that is claimed already.
    /// [`Error::Unsuitable`] for what is no claim, and where an item other than the first is claimed already.
    pub async fn submit_claims(&self, claims: Vec<NewClaim>, key: &FingerprintKey) -> Result<Submitted> {
        let client = &self.client;
        let provider = client.grantee();
        let bills = bills(&claims, provider)?;
        let (mut blocks, mut calls) = (Vec::with_capacity(claims.len()), Vec::with_capacity(claims.len()));
        // Looked up once each: a gateway answers an address only so often.
        let mut readers: BTreeMap<Address, [Recipient; 2]> = BTreeMap::new();
        for (claim, bill) in claims.into_iter().zip(&bills) {
            client.require_unheld(bill, provider, key).await?;
            let links = self.links(&claim.records, &bill.records).await?;
            let document = ClaimDocument::new(claim.claim, provider, links, Salt::generate(&mut rng()));
            let document = document.map_err(Error::unsuitable)?;
            let content = document.encode();
            let recipients = match readers.entry(claim.insurer) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(unknown) => unknown.insert(client.readers_of_document(claim.insurer).await?),
            };
            let block = client.seal_document(self.id(), CLAIM_MEDIA_TYPE, &content, recipients)?;
            let submission = document.submission(self.id(), claim.insurer, digest(&block)?, key);
            calls.push(submission.map_err(Error::unsuitable)?);
            blocks.push(block);
        }
        let ids = calls.iter().map(|call| claim_id(provider, call)).collect();
        client.gateway().await?.upload(blocks).await?;
        let call = IClaims::submitClaimsCall {
            actor: client.address(),
            organisation: client.organisation().unwrap_or_default(),
            claims: calls,
        };
        let mined = client.act_on(client.deployment.claims, call).await?;
        Ok(Submitted { claims: ids, mined })
    }

    /// That no item of these claims is a service that we bill on the chart already, in whatever item of a claim that is paid or may be: opens each of
    /// those. Two first items are left to the contract, and so are insurers who do not share a registry of services.
    ///
    /// # Errors
    /// [`Error::Unsuitable`], which names the claim and both items.
    pub async fn require_unbilled(&self, claims: &[NewClaim]) -> Result<()> {
        let client = &self.client;
        let provider = client.grantee();
        let bills = bills(claims, provider)?;
        let submitted = client.submitted_on_chain(ClaimsOf::Chart(self.id()), 0).await?;
        let ours = submitted.unwrap_or_default().into_iter();
        for earlier in ours.filter(|submitted| submitted.provider == provider) {
            let id = earlier.claim;
            let Some(claim) = client.holding(id).await? else {
                continue;
            };
            let held = Bill::new(earlier.insurer, &claim, provider);
            for bill in &bills {
                let Some((number, other)) = bill.meets(&held) else {
                    continue;
                };
                if client.share(bill.insurer, held.insurer, earlier.shared).await? {
                    return Err(Error::Unsuitable(format!(
                        "item {number} is billed already, as item {other} of claim {id}: leave it out, or withdraw that claim first"
                    )));
                }
            }
        }
        Ok(())
    }

    /// The records that a claim rests on: those that are given, and those that it names.
    async fn links(&self, given: &[B256], named: &[RecordRef]) -> Result<Vec<Link>> {
        if named.iter().any(|record| record.chart != self.id()) {
            return Err(Error::Unsuitable("the claim names a record of another chart".into()));
        }
        let mut records = given.to_vec();
        for RecordRef { record_id, .. } in named {
            if !records.contains(record_id) {
                records.push(*record_id);
            }
        }
        let mut links = Vec::with_capacity(records.len());
        for record in records {
            let on_chain = self.on_chain(record).await?;
            if on_chain.version == 0 {
                return Err(Error::UnknownRecord { record });
            }
            links.push(Link {
                recordId: record,
                pointer: on_chain.pointer,
            });
        }
        Ok(links)
    }
}

impl Client {
    /// That no item but the first is the first of another claim that is paid or may be: as the contract asks of first items.
    async fn require_unheld(&self, bill: &Bill, provider: Address, key: &FingerprintKey) -> Result<()> {
        let further = bill.items.iter().filter(|(number, _)| Some(**number) != bill.first);
        let questions = further.flat_map(|(number, service)| {
            let of_service = fingerprint(key, service);
            // The insurer's own registry, and the one that insurers share.
            [bill.insurer, Address::ZERO].map(|namespace| (*number, namespace, of_service))
        });
        let questions: Vec<_> = questions.collect();
        let held = futures::stream::iter(questions)
            .map(move |(number, namespace, fingerprint)| async move {
                let call = IClaims::serviceOfCall {
                    namespace,
                    provider,
                    fingerprint,
                };
                let found = self.claims_call(call).await?;
                Ok::<_, Error>(found.holds.then_some((number, namespace, found.claim)))
            })
            .buffered(LOOKUPS_AT_ONCE)
            .try_filter_map(|held| async move { Ok(held) });
        let held: Vec<_> = held.try_collect().await?;
        for (number, namespace, claim) in held {
            let holder = self.claims_call(IClaims::claimOfCall { claim }).await?.insurer;
            if self.share(bill.insurer, holder, namespace.is_zero()).await? {
                return Err(Error::Unsuitable(format!(
                    "item {number} is billed already, as the first of claim {claim}: leave it out, or withdraw that claim first"
                )));
            }
        }
        Ok(())
    }

    /// Whether an insurer takes no service that a claim at `holder` holds. `shared`: it is held in the registry that insurers share.
    async fn share(&self, insurer: Address, holder: Address, shared: bool) -> Result<bool> {
        Ok(insurer == holder || shared && self.claims_call(IClaims::insurerOfCall { insurer }).await?.shared)
    }

    /// A claim of ours that is paid or may be.
    async fn holding(&self, claim: B256) -> Result<Option<FhirClaim>> {
        let history = self.claim(claim).await?;
        let told = &history.claim;
        if !claim_state::holds(told.state.number(), told.deadline.unwrap_or_default(), now()) {
            return Ok(None);
        }
        match self.open_document(&history, None).await {
            Err(error) if error.is_transient() => Err(error),
            // One that is lost or spoiled must not keep us from billing for ever: `claim_signals` names it.
            opened => Ok(opened.ok().map(|(_, claim)| claim)),
        }
    }
}

/// What a claim bills an insurer for.
struct Bill {
    insurer: Address,
    /// Its first item, whose fingerprint the contract has.
    first: Option<u32>,
    items: BTreeMap<u32, Service>,
    records: Vec<RecordRef>,
}

impl Bill {
    fn new(insurer: Address, claim: &FhirClaim, provider: Address) -> Self {
        Self {
            insurer,
            first: claim.principal().map(|item| item.sequence),
            items: claim.services(provider),
            records: claim.records.clone(),
        }
    }

    /// (our item, the other's) that are one service; two first items are the contract's to compare.
    fn meets(&self, other: &Self) -> Option<(u32, u32)> {
        let others: HashMap<_, _> = other.items.iter().map(|(number, service)| (service, *number)).collect();
        let mut both = self
            .items
            .iter()
            .filter_map(|(number, service)| Some((*number, *others.get(service)?)));
        both.find(|(number, others)| Some(*number) != self.first || Some(*others) != other.first)
    }
}

/// Each claim by its services.
///
/// # Errors
/// [`Error::Unsuitable`] for what is no claim, and where two items are one service.
fn bills(claims: &[NewClaim], provider: Address) -> Result<Vec<Bill>> {
    let mut bills: Vec<Bill> = Vec::with_capacity(claims.len());
    for new in claims {
        let claim = FhirClaim::read(&new.claim).map_err(Error::unsuitable)?;
        if let Some((one, other)) = claim.repeated(provider) {
            return Err(Error::Unsuitable(format!(
                "items {one} and {other} are the same service: make them one, with a quantity"
            )));
        }
        let bill = Bill::new(new.insurer, &claim, provider);
        let mut earlier = bills.iter().filter(|earlier| earlier.insurer == bill.insurer);
        if let Some((number, other)) = earlier.find_map(|earlier| bill.meets(earlier)) {
            return Err(Error::Unsuitable(format!(
                "item {number} of a claim is item {other} of one before it: leave one of them out"
            )));
        }
        bills.push(bill);
    }
    Ok(bills)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PROVIDER: Address = Address::repeat_byte(0x11);
    const INSURER: Address = Address::repeat_byte(0x21);

    /// Items of these codes.
    fn claiming(insurer: Address, codes: &[&str]) -> NewClaim {
        let money = json!({ "value": 10, "currency": "EUR" });
        let items = codes.iter().zip(1..).map(|(code, number)| {
            json!({
                "sequence": number, "servicedDate": "2026-05-03", "net": money,
                "encounter": [{ "reference": "Encounter/7" }],
                "productOrService": { "coding": [{ "system": "urn:tariff", "code": code }] },
            })
        });
        let claim = json!({
            "resourceType": "Claim", "status": "active", "use": "claim", "created": "2026-05-04",
            "type": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/claim-type", "code": "oral" }] },
            "priority": { "coding": [{ "code": "normal" }] },
            "patient": { "reference": "Patient/1" }, "provider": { "reference": "Organization/1" },
            "insurer": { "reference": "Organization/2" },
            "insurance": [{ "sequence": 1, "focal": true, "coverage": { "reference": "Coverage/1" } }],
            "item": items.collect::<Vec<_>>(),
        });
        NewClaim {
            insurer,
            claim: claim.to_string().into_bytes(),
            records: vec![],
        }
    }

    fn refused(claims: &[NewClaim]) -> String {
        match bills(claims, PROVIDER) {
            Err(Error::Unsuitable(why)) => why,
            Err(error) => panic!("{error}"),
            Ok(_) => panic!("it was taken"),
        }
    }

    #[test]
    fn a_service_is_billed_once_in_a_claim_and_among_those_of_one_batch() {
        let of = |codes: &[&str]| claiming(INSURER, codes);
        assert!(bills(&[of(&["a", "b"]), of(&["c", "d"])], PROVIDER).is_ok());
        assert!(refused(&[of(&["a", "b", "a"])]).contains("items 1 and 3"));
        assert!(refused(&[of(&["a", "b"]), of(&["c", "b"])]).contains("item 2 of a claim is item 2"));
        assert!(refused(&[of(&["a", "b"]), of(&["b", "c"])]).contains("item 1 of a claim is item 2"));
        assert!(refused(&[of(&["a", "b"]), of(&["c", "a"])]).contains("item 2 of a claim is item 1"));
    }

    #[test]
    fn first_items_are_the_contracts_to_compare_and_other_insurers_may_be_asked_too() {
        assert!(bills(&[claiming(INSURER, &["a"]), claiming(INSURER, &["a", "b"])], PROVIDER).is_ok());
        let other = Address::repeat_byte(0x22);
        let both = [claiming(INSURER, &["a", "b"]), claiming(other, &["c", "b"])];
        assert!(bills(&both, PROVIDER).is_ok());
    }
}
