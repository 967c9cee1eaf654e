//! How the registry packs its storage words: as Solidity would pack the struct, first field lowest.
//!
//! The layout is fixed once deployed. Unused bytes are zero.
use alloy_primitives::{Address, B256};

/// `struct { address issuer; uint40 issuedAt; uint40 expiry; uint8 revoked; }`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CredentialHead {
    /// Zero: no credential.
    pub issuer: Address,
    pub issued_at: u64,
    /// 0: none.
    pub expiry: u64,
    pub revoked: bool,
}

impl CredentialHead {
    pub fn from_word(word: B256) -> Self {
        Self {
            issuer: Address::from_slice(&word[12..32]),
            issued_at: time(&word[7..12]),
            expiry: time(&word[2..7]),
            revoked: word[1] != 0,
        }
    }

    pub fn to_word(self) -> B256 {
        let mut word = B256::ZERO;
        word[12..32].copy_from_slice(self.issuer.as_slice());
        word[7..12].copy_from_slice(&self.issued_at.to_be_bytes()[3..]);
        word[2..7].copy_from_slice(&self.expiry.to_be_bytes()[3..]);
        word[1] = self.revoked as u8;
        word
    }
}

/// `struct { uint32 version; uint16 suite; uint40 validFrom; }`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyHead {
    /// 0: no key.
    pub version: u32,
    pub suite: u16,
    pub valid_from: u64,
}

impl KeyHead {
    pub fn from_word(word: B256) -> Self {
        Self {
            version: u32::from_be_bytes([word[28], word[29], word[30], word[31]]),
            suite: u16::from_be_bytes([word[26], word[27]]),
            valid_from: time(&word[21..26]),
        }
    }

    pub fn to_word(self) -> B256 {
        let mut word = B256::ZERO;
        word[28..32].copy_from_slice(&self.version.to_be_bytes());
        word[26..28].copy_from_slice(&self.suite.to_be_bytes());
        word[21..26].copy_from_slice(&self.valid_from.to_be_bytes()[3..]);
        word
    }
}

/// Big-endian, 40 bits: UNIX seconds.
fn time(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |time, byte| time << 8 | u64::from(*byte))
}
