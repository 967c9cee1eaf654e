//! "May I use this, for this purpose, now or on that day?" An answer without data, signed by the gateway.

use std::collections::BTreeMap;

use alloy::primitives::{Address, B256, Signature};
use medlock_api as api;

use crate::{
    Client,
    error::{Error, Result},
    now,
};

/// How far the gateway's clock may be from ours in an answer about the present.
const FRESH_SECONDS: u64 = 300;

impl Client {
    /// Asks for ourselves. Every verdict is checked: it answers the question that was asked, and the gateway signed it.
    pub async fn ask(&self, questions: Vec<api::Question>) -> Result<Vec<api::Verdict>> {
        let gateway = self.gateway().await?;
        let verdicts = gateway.decisions(questions.clone()).await?;
        let refused = |detail: &str| Error::GatewayAnswer {
            doing: "a consent question".into(),
            detail: detail.into(),
        };
        if verdicts.len() != questions.len() {
            return Err(refused("there are not as many verdicts as questions"));
        }
        let now = now();
        for (question, verdict) in questions.iter().zip(&verdicts) {
            let same = verdict.chart == question.chart
                && verdict.grantee == self.address()
                && verdict.compartment == question.compartment
                && verdict.record_id == question.record_id.unwrap_or_default()
                && verdict.purpose == question.purpose
                && verdict.action == question.action
                && question.at.is_none_or(|at| at == verdict.at);
            // An old yes must not answer today's question.
            let fresh = question.at.is_some() || verdict.at.abs_diff(now) <= FRESH_SECONDS;
            if !(same && fresh) {
                return Err(refused("a verdict answers another question"));
            }
            if self.signer_of(verdict) != Some(gateway.account()) {
                return Err(refused("a verdict is not signed by the gateway"));
            }
        }
        let consulted: BTreeMap<u64, B256> = verdicts
            .iter()
            .map(|verdict| (verdict.block_number, verdict.block_hash))
            .collect();
        for (number, hash) in consulted {
            if self.chain.block_hash(number).await? != Some(hash) {
                return Err(refused("a verdict names a block that the chain does not have"));
            }
        }
        Ok(verdicts)
    }

    fn signer_of(&self, verdict: &api::Verdict) -> Option<Address> {
        let hash = verdict.signing_hash(self.deployment.chain_id, self.deployment.records);
        Signature::from_raw(&verdict.signature)
            .and_then(|signature| signature.recover_address_from_prehash(&hash))
            .ok()
    }
}
