//! "May I use this, for this purpose, now or on that day?" An answer without data, signed by the gateway.

use std::collections::BTreeSet;

use alloy::primitives::{Address, B256};
use medlock_abi::{records::IRecords, terms};
use medlock_api as api;

use crate::{
    Client,
    error::{Error, Result},
    now, signer_of, verdict,
};

/// How far the gateway's clock may be from ours in an answer about the present.
const FRESH_SECONDS: u64 = 300;

impl Client {
    /// Asks for ourselves. Every verdict is checked: it answers the question that was asked, and the gateway signed it.
    pub async fn ask(&self, questions: Vec<api::Question>) -> Result<Vec<api::Verdict>> {
        Ok(self.answered(questions, false).await?.verdicts)
    }

    /// The same, each verdict with what others can check it by; `prove`: also without believing the gateway, where it is a yes.
    pub async fn ask_signed(&self, questions: Vec<api::Question>, prove: bool) -> Result<Vec<api::SignedVerdict>> {
        let reply = self.answered(questions, prove).await?;
        let signed = reply.signed(self.deployment.chain_id, self.deployment.records);
        for one in signed.iter().filter(|one| prove && one.verdict.allowed) {
            // Its block was found on our chain.
            let checked = verdict::check(one, &self.deployment, one.verdict.block_hash)?;
            if !checked.proved {
                return Err(Error::GatewayAnswer {
                    doing: "a consent question".into(),
                    detail: "a yes comes without its proof".into(),
                });
            }
        }
        Ok(signed)
    }

    async fn answered(&self, questions: Vec<api::Question>, prove: bool) -> Result<api::DecisionReply> {
        let gateway = self.gateway().await?;
        let reply = gateway.decisions(questions.clone(), prove).await?;
        let verdicts = &reply.verdicts;
        let refused = |detail: &str| Error::GatewayAnswer {
            doing: "a consent question".into(),
            detail: detail.into(),
        };
        if verdicts.len() != questions.len() {
            return Err(refused("there are not as many verdicts as questions"));
        }
        let now = now();
        for (question, verdict) in questions.iter().zip(verdicts) {
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
            if !verdict.is_consistent() {
                return Err(refused("a verdict contradicts its own reason"));
            }
        }
        let hash = reply.signing_hash(self.deployment.chain_id, self.deployment.records);
        if signer_of(&hash, &reply.signature) != Some(gateway.account()) {
            return Err(refused("the verdicts are not signed by the gateway"));
        }
        let consulted: BTreeSet<(u64, B256)> = verdicts
            .iter()
            .map(|verdict| (verdict.block_number, verdict.block_hash))
            .collect();
        for (number, hash) in consulted {
            if self.chain.block_hash(number).await? != Some(hash) {
                return Err(refused("a verdict names a block that the chain does not have"));
            }
        }
        self.confirm(&questions, verdicts).await?;
        Ok(reply)
    }

    /// About the present the contract itself can be asked: a gateway that signs a state from before a revocation, or
    /// simply lies, is found out. Its signature is for those who cannot ask.
    async fn confirm(&self, questions: &[api::Question], verdicts: &[api::Verdict]) -> Result<()> {
        let present: Vec<_> = questions
            .iter()
            .zip(verdicts)
            .filter(|(question, _)| question.at.is_none())
            .collect();
        for batch in present.chunks(terms::BATCH_MOST) {
            let questions = batch.iter().map(|(question, _)| IRecords::Question {
                chart: question.chart,
                grantee: self.address(),
                member: Address::ZERO,
                compartment: question.compartment,
                recordId: question.record_id.unwrap_or_default(),
                purpose: question.purpose.bit(),
                action: question.action.bit(),
            });
            let call = IRecords::decideManyCall {
                questions: questions.collect(),
            };
            let reasons = self.chain.call(self.deployment.records, call).await?;
            // Refusals are not compared: the gateway also goes by its clock, and merges reasons for privacy.
            let lies = batch
                .iter()
                .zip(&reasons)
                .any(|((_, verdict), reason)| verdict.allowed && !terms::reason::is_allowed(*reason));
            if lies || reasons.len() != batch.len() {
                return Err(Error::GatewayAnswer {
                    doing: "a consent question".into(),
                    detail: "a verdict says yes where the contract says no".into(),
                });
            }
        }
        Ok(())
    }
}
