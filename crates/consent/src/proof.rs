//! From a block's hash to words of storage.
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_rlp::Header;
use alloy_trie::{Nibbles, TrieAccount, proof::verify_proof};
use medlock_abi::records::IRecords::Question;
use serde::{Deserialize, Serialize};

use crate::{Contract, Missing, Slot, Words, decide, facts};

/// Words of the contracts' storage at one block, with what leads from that block's hash to each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StateProof {
    /// The block's header, RLP: its keccak256 is the block's hash.
    pub header: Bytes,
    pub records: ContractProof,
    /// `None`: nothing of it is needed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub exceptions: Option<ContractProof>,
}

/// A contract's account, as `eth_getProof` (EIP-1186) gives it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContractProof {
    pub nonce: u64,
    pub balance: U256,
    pub code_hash: B256,
    pub storage_root: B256,
    /// Trie nodes, RLP, from the state root on.
    pub nodes: Vec<Bytes>,
    pub slots: Vec<SlotProof>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlotProof {
    pub slot: B256,
    /// Zero: nothing stands there, which is proved as well.
    pub value: B256,
    /// Trie nodes, RLP, from the storage root on.
    pub nodes: Vec<Bytes>,
}

/// Why a proof proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    #[error("the header is not the block's: its hash is {0}")]
    Header(B256),
    #[error("the header cannot be read")]
    Malformed,
    #[error("the account {0} is not proved")]
    Account(Address),
    #[error("slot {slot} of {address} is not proved")]
    Slot { address: Address, slot: B256 },
    #[error(transparent)]
    Missing(#[from] Missing),
}

/// What a proof has proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proved {
    pub words: Words,
    pub block_number: u64,
    /// UNIX seconds, of the block.
    pub block_time: u64,
}

impl StateProof {
    /// The words that stand in `records` and `exceptions` at the end of the block of this hash.
    ///
    /// # Errors
    /// The first thing that does not follow from the hash.
    pub fn verify(&self, block_hash: B256, records: Address, exceptions: Address) -> Result<Proved, ProofError> {
        let hash = keccak256(&self.header);
        if hash != block_hash {
            return Err(ProofError::Header(hash));
        }
        let (state_root, block_number, block_time) = read_header(&self.header).ok_or(ProofError::Malformed)?;
        let mut words = Words::new();
        let contracts = [
            (Contract::Records, records, Some(&self.records)),
            (Contract::Exceptions, exceptions, self.exceptions.as_ref()),
        ];
        for (contract, address, proof) in contracts {
            if let Some(proof) = proof {
                proof.verify(state_root, contract, address, &mut words)?;
            }
        }
        Ok(Proved {
            words,
            block_number,
            block_time,
        })
    }
}

impl ContractProof {
    fn verify(
        &self,
        state_root: B256,
        contract: Contract,
        address: Address,
        words: &mut Words,
    ) -> Result<(), ProofError> {
        let account = TrieAccount {
            nonce: self.nonce,
            balance: self.balance,
            storage_root: self.storage_root,
            code_hash: self.code_hash,
        };
        let key = Nibbles::unpack(keccak256(address));
        verify_proof(state_root, key, Some(alloy_rlp::encode(account)), &self.nodes)
            .map_err(|_| ProofError::Account(address))?;
        for SlotProof { slot, value, nodes } in &self.slots {
            let key = Nibbles::unpack(keccak256(slot));
            let stored = (!value.is_zero()).then(|| alloy_rlp::encode(U256::from_be_bytes(value.0)));
            let fault = |_| ProofError::Slot { address, slot: *slot };
            verify_proof(self.storage_root, key, stored, nodes).map_err(fault)?;
            words.insert(Slot { contract, slot: *slot }, *value);
        }
        Ok(())
    }
}

impl Proved {
    /// The reason for the answer to `question` at `at` (UNIX seconds), over the state that is proved.
    ///
    /// # Errors
    /// Where it depends on more than is proved.
    pub fn decide(&self, question: &Question, at: u64) -> Result<u8, ProofError> {
        Ok(decide(question, &facts(question, &self.words)?, at))
    }
}

/// State root, number and time: fields 3, 8 and 11 of every Ethereum header, whatever follows them.
fn read_header(rlp: &[u8]) -> Option<(B256, u64, u64)> {
    let mut rest = rlp;
    let list = Header::decode(&mut rest).ok()?;
    if !list.list || list.payload_length != rest.len() {
        return None;
    }
    let mut fields = Vec::new();
    while !rest.is_empty() && fields.len() < 12 {
        let mut after = rest;
        let field = Header::decode(&mut after).ok()?;
        let payload = after.get(..field.payload_length)?;
        rest = &after[field.payload_length..];
        fields.push(payload);
    }
    let number = |field: &[u8]| {
        let fits = field.len() <= size_of::<u64>();
        fits.then(|| field.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    };
    let [.., time] = &fields[..] else { return None };
    if fields.len() != 12 {
        return None;
    }
    Some((B256::try_from(fields[3]).ok()?, number(fields[8])?, number(time)?))
}

#[cfg(test)]
mod tests;
