//! How `audit` packs its storage words: as Solidity would pack the struct, first field lowest.
//!
//! The layout is fixed once deployed. Unused bytes are zero.
use alloy_primitives::B256;
use medlock_abi::words::number;

/// `struct { uint64 anchors; uint64 receipts; uint32 equivocations; }`
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct GatewayHead {
    /// How many anchors there are: the index of the next one.
    pub anchors: u64,
    /// How many receipts stand under them.
    pub receipts: u64,
    /// Proofs that the gateway has said two things.
    pub equivocations: u32,
}

impl GatewayHead {
    pub fn from_word(word: B256) -> Self {
        Self {
            anchors: number(&word[24..32]),
            receipts: number(&word[16..24]),
            equivocations: number(&word[12..16]) as u32,
        }
    }

    pub fn to_word(self) -> B256 {
        let mut word = B256::ZERO;
        word[24..32].copy_from_slice(&self.anchors.to_be_bytes());
        word[16..24].copy_from_slice(&self.receipts.to_be_bytes());
        word[12..16].copy_from_slice(&self.equivocations.to_be_bytes());
        word
    }
}
