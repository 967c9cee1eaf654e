//! Signed answers to "may I?", without any data.
use std::collections::HashMap;

use alloy::{
    primitives::{Address, B256},
    signers::SignerSync as _,
};
use anyhow::Context as _;
use medlock_abi::{
    records::IRecords,
    terms::{BATCH_MOST, COMPARTMENTS, reason},
};
use medlock_api::{DecisionRequest, Question, Verdict};

use crate::{
    access::{ends_first, merged},
    chain::Block,
    problem::{Failure, Result},
    state::Gateway,
};

/// Questions in one request: one `decideMany`.
pub const QUESTIONS_MOST: usize = BATCH_MOST;
/// A time this close to now counts as now, and is answered by the chain: the asker's clock is not ours.
pub const NOW_SECONDS: u64 = 5;

impl Gateway {
    /// Answers for `grantee`, in the order of the questions. Present ones are asked of the contract, all at one block;
    /// the others of the index, over the state at that time (past) or as it stands (to come).
    ///
    /// # Errors
    /// `BadRequest`, `IndexBehind`, chain trouble.
    pub async fn verdicts(&self, grantee: Address, request: &DecisionRequest) -> Result<Vec<Verdict>> {
        check(request)?;
        let block = self.latest().await?;
        let now = block.time.max(self.now());
        let is_now = |question: &Question| question.at.is_none_or(|at| at.abs_diff(now) <= NOW_SECONDS);
        let present: Vec<_> = request
            .questions
            .iter()
            .filter(|q| is_now(q))
            .map(|q| asked(q, grantee))
            .collect();
        let mut answers = match present.is_empty() {
            true => Vec::new(),
            false => self.chain.decide_many(&block, present).await?,
        }
        .into_iter();
        let mut grant_ends_of = HashMap::new();
        let mut verdicts = Vec::with_capacity(request.questions.len());
        for question in &request.questions {
            let at = question.at.unwrap_or(now);
            let (mut why, consulted) = if is_now(question) {
                // `decide_many` has checked that there are as many answers as questions.
                (answers.next().unwrap_or(reason::MALFORMED), block)
            } else {
                self.decide_then(&block, asked(question, grantee), at).await?
            };
            // As in `decide_now`; asked once for each chart.
            if ends_first(why) && is_now(question) && at > block.time {
                let ends = match grant_ends_of.get(&question.chart) {
                    Some(ends) => *ends,
                    None => {
                        let ends = self.grant_ends(&block, question.chart, grantee).await?;
                        grant_ends_of.insert(question.chart, ends);
                        ends
                    }
                };
                if at >= ends {
                    why = reason::EXPIRED;
                }
            }
            if is_now(question) && at > block.time {
                let asked = asked(question, grantee);
                if at >= self.exception_ends(&block, &asked, why).await? {
                    why = reason::EXPIRED;
                }
            }
            verdicts.push(self.signed(question, grantee, at, merged(why), &consulted)?);
        }
        Ok(verdicts)
    }

    /// The index's answer for another time than now, once it has all that happened by then.
    async fn decide_then(&self, latest: &Block, question: IRecords::Question, at: u64) -> Result<(u8, Block)> {
        if self.index.head().await?.time <= at {
            self.index_at(latest).await?;
        }
        let decision = self.index.decide(&question, at).await?;
        let block = decision.block;
        Ok((
            decision.reason,
            Block {
                number: block.number,
                hash: block.hash,
                time: block.time,
            },
        ))
    }

    fn signed(&self, question: &Question, grantee: Address, at: u64, why: u8, block: &Block) -> Result<Verdict> {
        let mut verdict = Verdict {
            chart: question.chart,
            grantee,
            compartment: question.compartment,
            record_id: question.record_id.unwrap_or_default(),
            purpose: question.purpose,
            action: question.action,
            at,
            allowed: reason::is_allowed(why),
            reason: reason::text(why).into(),
            reason_code: why,
            block_number: block.number,
            block_hash: block.hash,
            signature: Default::default(),
        };
        let hash: B256 = verdict.signing_hash(self.deployment.chain_id, self.deployment.records);
        let signature = self.signer.sign_hash_sync(&hash).context("sign a verdict")?;
        verdict.signature = signature.as_bytes().to_vec().into();
        Ok(verdict)
    }
}

fn check(request: &DecisionRequest) -> Result<()> {
    if !(1..=QUESTIONS_MOST).contains(&request.questions.len()) {
        return Err(Failure::bad_request(
            "questions",
            format!("1 to {QUESTIONS_MOST} questions are taken"),
        ));
    }
    match request
        .questions
        .iter()
        .position(|question| question.compartment >= COMPARTMENTS)
    {
        Some(index) => Err(Failure::bad_request(
            &format!("questions[{index}].compartment"),
            "compartments are 0 to 63",
        )),
        None => Ok(()),
    }
}

fn asked(question: &Question, grantee: Address) -> IRecords::Question {
    IRecords::Question {
        chart: question.chart,
        grantee,
        member: Address::ZERO,
        compartment: question.compartment,
        recordId: question.record_id.unwrap_or_default(),
        purpose: question.purpose.bit(),
        action: question.action.bit(),
    }
}
