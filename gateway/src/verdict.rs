//! Signed answers to "may I?", without any data (ADR 17).
use alloy::{
    primitives::{Address, Bytes},
    signers::SignerSync as _,
};
use anyhow::Context as _;
use medlock_abi::{
    records::IRecords,
    terms::{COMPARTMENTS, reason},
};
use medlock_api::{DecisionReply, DecisionRequest, Question, Verdict};
use medlock_indexer::{Asked, Decision};

use crate::{
    access::merged,
    problem::{Failure, Result},
    prove::PROVED_MOST,
    state::Gateway,
};

/// Questions in one request: each takes some 20 microseconds, and the answers some 5 MB.
pub const QUESTIONS_MOST: usize = 10_000;
/// The largest body: that many questions, written with room to spare.
pub const QUESTIONS_BYTES_MOST: usize = 4 * 1024 * 1024;
/// Questions that count as one request of the caller's.
const QUESTIONS_A_REQUEST: usize = 128;
/// A time this close to now counts as now: the asker's clock is not ours.
pub const NOW_SECONDS: u64 = 5;

impl Gateway {
    /// Answers for `grantee`, in the order of the questions, by the index: present ones once it has the chain's latest block,
    /// past ones over the state at that time, ones to come as it stands.
    ///
    /// # Errors
    /// `BadRequest`, `IndexBehind`, `ProofUnavailable`, chain trouble.
    pub async fn verdicts(&self, grantee: Address, request: &DecisionRequest) -> Result<DecisionReply> {
        check(request)?;
        let look = self.look().await?;
        let now = look.latest.time.max(self.now());
        let asked = |question: &Question| {
            let at = question.at.unwrap_or(now);
            Asked {
                question: self::asked(question, grantee),
                at,
                is_present: at.abs_diff(now) <= NOW_SECONDS,
            }
        };
        let asked: Vec<_> = request.questions.iter().map(asked).collect();
        // All that has happened by then. Who asks about a past that is indexed does not wait for the present.
        if !look.is_indexed() && asked.iter().any(|asked| look.indexed.time <= asked.at) {
            self.index_at(&look.latest).await?;
        }
        let decisions = self.index.decide_many(&asked).await?;
        let each = request.questions.iter().zip(asked).zip(decisions);
        let verdicts = each
            .map(|((question, asked), decision)| verdict(question, &asked, &decision))
            .collect();
        let mut reply = DecisionReply {
            verdicts,
            signature: Bytes::new(),
            proofs: Vec::new(),
        };
        if request.prove {
            for verdict in &reply.verdicts {
                reply.proofs.push(self.proof(verdict).await?);
            }
        }
        self.signed(reply).await
    }

    async fn signed(&self, reply: DecisionReply) -> Result<DecisionReply> {
        let (chain_id, records) = (self.deployment.chain_id, self.deployment.records);
        // Some microseconds each: of many, others are not kept waiting.
        let (reply, hash) = if reply.verdicts.len() > QUESTIONS_A_REQUEST {
            let hashed = tokio::task::spawn_blocking(move || {
                let hash = reply.signing_hash(chain_id, records);
                (reply, hash)
            });
            hashed.await.context("hash verdicts")?
        } else {
            let hash = reply.signing_hash(chain_id, records);
            (reply, hash)
        };
        let signature = self.signer.sign_hash_sync(&hash).context("sign verdicts")?;
        Ok(DecisionReply {
            signature: signature.as_bytes().to_vec().into(),
            ..reply
        })
    }
}

fn verdict(question: &Question, asked: &Asked, decision: &Decision) -> Verdict {
    let why = merged(decision.reason);
    Verdict {
        chart: question.chart,
        grantee: asked.question.grantee,
        compartment: question.compartment,
        record_id: question.record_id.unwrap_or_default(),
        purpose: question.purpose,
        action: question.action,
        at: asked.at,
        allowed: reason::is_allowed(why),
        reason: reason::text(why).into(),
        reason_code: why,
        block_number: decision.block.number,
        block_hash: decision.block.hash,
    }
}

/// As how many requests more than one so many questions count.
pub fn requests_more(questions: usize) -> u64 {
    (questions.saturating_sub(1) / QUESTIONS_A_REQUEST) as u64
}

fn check(request: &DecisionRequest) -> Result<()> {
    if !(1..=QUESTIONS_MOST).contains(&request.questions.len()) {
        return Err(Failure::bad_request(
            "questions",
            format!("1 to {QUESTIONS_MOST} questions are taken"),
        ));
    }
    if request.prove && request.questions.len() > PROVED_MOST {
        return Err(Failure::bad_request(
            "prove",
            format!("of at most {PROVED_MOST} questions"),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_questions_count_as_many_requests() {
        let counts = [0, 1, 128, 129, 257, QUESTIONS_MOST].map(requests_more);
        assert_eq!(counts, [0, 0, 0, 1, 2, 78]);
    }
}
