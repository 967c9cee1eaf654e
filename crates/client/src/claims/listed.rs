//! Which claims there are, by the contract's own events: a gateway that leaves one out of a list, or tells another in its place, is found.

use std::collections::{BTreeMap, BTreeSet};

use alloy::{primitives::B256, rpc::types::Filter, sol_types::SolEvent as _};
use medlock_abi::claims::IClaims::{ClaimSubmitted, IClaimsEvents};
use medlock_api::claims::Claim;

use super::ClaimsOf;
use crate::{Client, error::Result, record::tampered};

const LIST: &str = "the list of claims";

impl Client {
    /// What was submitted at `since` (UNIX seconds) or later, in the order of the chain. `None`: by provider the contract's events cannot be selected.
    pub(super) async fn submitted_on_chain(&self, of: ClaimsOf, since: u64) -> Result<Option<Vec<ClaimSubmitted>>> {
        let filter = Filter::new()
            .address(self.deployment.claims)
            .event_signature(ClaimSubmitted::SIGNATURE_HASH);
        let filter = match of {
            ClaimsOf::Chart(chart) => filter.topic2(chart),
            ClaimsOf::Insurer => filter.topic3(self.grantee().into_word()),
            ClaimsOf::Provider => return Ok(None),
        };
        let Some(block) = self.first_block(since).await? else {
            return Ok(Some(Vec::new()));
        };
        let events: Vec<(u64, IClaimsEvents)> = self.chain.events(&filter, block).await?;
        let submitted = events.into_iter().filter_map(|(_, event)| match event {
            IClaimsEvents::ClaimSubmitted(submitted) => Some(submitted),
            _ => None,
        });
        Ok(Some(submitted.collect()))
    }

    /// The first block of a time (UNIX seconds) or later. `None`: there is none yet.
    async fn first_block(&self, since: u64) -> Result<Option<u64>> {
        if since == 0 {
            return Ok(Some(self.deployment.block));
        }
        let last = self.chain.block_number().await?;
        // No block is older than the one before it.
        let (mut from, mut to) = (self.deployment.block, last.saturating_add(1));
        while from < to {
            let middle = from + (to - from) / 2;
            if self.chain.time_of(middle).await? < since {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        Ok(Some(from).filter(|block| *block <= last))
    }

    /// Compares a list with what was `submitted` by the chain before the gateway was asked. Where a claim stands today is still the gateway's word.
    ///
    /// # Errors
    /// [`crate::Error::Tampered`] where a claim is left out, told twice or otherwise, or is none.
    pub(super) async fn require_listed(
        &self,
        of: ClaimsOf,
        submitted: Vec<ClaimSubmitted>,
        listed: &[&Claim],
    ) -> Result<()> {
        let mut submitted = by_claim(submitted);
        let told: BTreeSet<_> = listed.iter().map(|claim| claim.claim).collect();
        if let Some(id) = submitted.keys().find(|id| !told.contains(*id)) {
            let why = format!("claim {id} is left out; if it was just submitted, ask again");
            return Err(tampered(LIST)(why));
        }
        // Some may have been submitted since.
        if listed.len() > submitted.len() {
            submitted = by_claim(self.submitted_on_chain(of, 0).await?.unwrap_or_default());
        }
        for claim in listed {
            let id = claim.claim;
            let found = submitted.remove(&id);
            let found = found.ok_or_else(|| tampered(LIST)(format!("claim {id} is none of them, or told twice")))?;
            if !is_told(claim, &found) {
                return Err(tampered(LIST)(format!("claim {id} was submitted otherwise")));
            }
        }
        Ok(())
    }
}

fn by_claim(submitted: Vec<ClaimSubmitted>) -> BTreeMap<B256, ClaimSubmitted> {
    submitted
        .into_iter()
        .map(|submitted| (submitted.claim, submitted))
        .collect()
}

fn is_told(claim: &Claim, submitted: &ClaimSubmitted) -> bool {
    let parties = (claim.chart, claim.provider, claim.insurer, claim.submitted_by);
    let service = (claim.fingerprint, claim.shared, claim.previous.unwrap_or_default());
    let bill = (claim.document, claim.billed, claim.currency, claim.currency_version);
    parties == (submitted.chart, submitted.provider, submitted.insurer, submitted.by)
        && service == (submitted.fingerprint, submitted.shared, submitted.previous)
        && bill
            == (
                submitted.document,
                submitted.billed,
                submitted.currency,
                submitted.currencyVersion,
            )
}
