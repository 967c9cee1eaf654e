//! Proofs of verdicts: what the node says of the contracts' storage at the verdict's block, checked before it is given out.
use alloy::primitives::{Address, B256};
use anyhow::Context as _;
use medlock_abi::records::IRecords::Question;
use medlock_api::{Kind, Verdict};
use medlock_consent::{Contract, ContractProof, Missing, Slot, SlotProof, StateProof, Words, facts};

use crate::{
    problem::{Failure, Result},
    state::Gateway,
};

/// Questions in one request that are answered with proofs: each takes two to four requests to the node, and some 10 KiB.
pub const PROVED_MOST: usize = 16;
/// Rounds of questions to the node: a delegate's giver is known when the delegate's entry is.
const ROUNDS_MOST: usize = 5;

impl Gateway {
    /// That the verdict follows from its block's hash. Only a yes is proved: a no would tell a chart without consent from none.
    ///
    /// # Errors
    /// `ProofUnavailable` where the node gives none that holds, as it does for blocks that it has forgotten the state of.
    pub async fn proof(&self, verdict: &Verdict) -> Result<Option<StateProof>> {
        if !verdict.allowed {
            return Ok(None);
        }
        let proof = self.proved(&verdict.question(), verdict).await;
        proof
            .map(Some)
            .map_err(|cause| Failure::caused(Kind::ProofUnavailable, cause))
    }

    async fn proved(&self, question: &Question, verdict: &Verdict) -> anyhow::Result<StateProof> {
        let hash = verdict.block_hash;
        let (records, exceptions) = (self.deployment.records, self.deployment.exceptions);
        let header = self.chain.header(hash).await?;
        let (mut of_records, mut of_exceptions) = (None::<ContractProof>, None::<ContractProof>);
        let mut words = Words::new();
        for _ in 0..ROUNDS_MOST {
            let Err(Missing(missing)) = facts(question, &words) else {
                break;
            };
            for (contract, address, kept) in [
                (Contract::Records, records, &mut of_records),
                (Contract::Exceptions, exceptions, &mut of_exceptions),
            ] {
                let of_it = missing.iter().filter(|slot| slot.contract == contract);
                let slots: Vec<B256> = of_it.map(|slot| slot.slot).collect();
                if slots.is_empty() {
                    continue;
                }
                let more = self.account_proof(address, hash, &slots).await?;
                for SlotProof { slot, value, .. } in &more.slots {
                    words.insert(Slot { contract, slot: *slot }, *value);
                }
                match kept {
                    Some(kept) => kept.slots.extend(more.slots),
                    None => *kept = Some(more),
                }
            }
        }
        let proof = StateProof {
            header,
            records: of_records.context("nothing of `records` bears on the question")?,
            exceptions: of_exceptions,
        };
        // The node may lie, and nobody else should have to find out.
        let proved = proof.verify(hash, records, exceptions)?;
        let reason = proved.decide(question, verdict.at)?;
        anyhow::ensure!(
            reason == verdict.reason_code && proved.block_number == verdict.block_number,
            "storage says {reason} at block {}, the index {} at {}",
            proved.block_number,
            verdict.reason_code,
            verdict.block_number
        );
        Ok(proof)
    }

    async fn account_proof(&self, address: Address, block: B256, slots: &[B256]) -> anyhow::Result<ContractProof> {
        let given = self.chain.proof(address, slots, block).await?;
        let mut proofs = Vec::with_capacity(slots.len());
        for slot in slots {
            let of_slot = given.storage_proof.iter().find(|given| given.key.as_b256() == *slot);
            let of_slot = of_slot.context("the node left a slot out of its proof")?;
            proofs.push(SlotProof {
                slot: *slot,
                value: of_slot.value.into(),
                nodes: of_slot.proof.clone(),
            });
        }
        Ok(ContractProof {
            nonce: given.nonce,
            balance: given.balance,
            code_hash: given.code_hash,
            storage_root: given.storage_hash,
            nodes: given.account_proof,
            slots: proofs,
        })
    }
}
