//! How the registry packs its storage words: as Solidity would pack the struct, first field lowest.
//!
//! The layout is fixed once deployed. Unused bytes are zero.
use alloy_primitives::{Address, B256};
use medlock_abi::words::number;

/// `struct { uint32 number; uint32 epoch; }`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct IssuerHead {
    /// 0: never an issuer.
    pub number: u32,
    /// From 1. The latest; whether it has ended stands in its [`Epoch`].
    pub epoch: u32,
}

impl IssuerHead {
    pub fn from_word(word: B256) -> Self {
        Self {
            number: number(&word[28..32]) as u32,
            epoch: number(&word[24..28]) as u32,
        }
    }

    pub fn to_word(self) -> B256 {
        let mut word = B256::ZERO;
        word[28..32].copy_from_slice(&self.number.to_be_bytes());
        word[24..28].copy_from_slice(&self.epoch.to_be_bytes());
        word
    }

    /// Names the epoch among those of all issuers.
    pub fn key(self) -> u64 {
        u64::from(self.number) << 32 | u64::from(self.epoch)
    }
}

/// `struct { address issuer; uint40 endedAt; }`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Epoch {
    pub issuer: Address,
    /// 0: not ended.
    pub ended_at: u64,
}

impl Epoch {
    pub fn from_word(word: B256) -> Self {
        Self {
            issuer: Address::from_slice(&word[12..32]),
            ended_at: number(&word[7..12]),
        }
    }

    pub fn to_word(self) -> B256 {
        let mut word = B256::ZERO;
        word[12..32].copy_from_slice(self.issuer.as_slice());
        word[7..12].copy_from_slice(&self.ended_at.to_be_bytes()[3..]);
        word
    }
}

/// `struct { uint32 issuerNumber; uint32 issuerEpoch; uint64 roles; uint40 issuedAt; uint40 expiry; uint40 endedAt; uint8 status; }`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CredentialHead {
    /// Number 0: no credential.
    pub issuer: IssuerHead,
    pub roles: u64,
    /// Issued, or reinstated last.
    pub issued_at: u64,
    /// 0: none.
    pub expiry: u64,
    /// Suspended, revoked or replaced; 0 exactly while the status is ISSUED.
    pub ended_at: u64,
    /// `terms::credential_status`.
    pub status: u8,
}

impl CredentialHead {
    pub fn from_word(word: B256) -> Self {
        Self {
            issuer: IssuerHead {
                number: number(&word[28..32]) as u32,
                epoch: number(&word[24..28]) as u32,
            },
            roles: number(&word[16..24]),
            issued_at: number(&word[11..16]),
            expiry: number(&word[6..11]),
            ended_at: number(&word[1..6]),
            status: word[0],
        }
    }

    pub fn to_word(self) -> B256 {
        let mut word = self.issuer.to_word();
        word[16..24].copy_from_slice(&self.roles.to_be_bytes());
        word[11..16].copy_from_slice(&self.issued_at.to_be_bytes()[3..]);
        word[6..11].copy_from_slice(&self.expiry.to_be_bytes()[3..]);
        word[1..6].copy_from_slice(&self.ended_at.to_be_bytes()[3..]);
        word[0] = self.status;
        word
    }

    /// As far as the credential itself tells: its issuer's epoch is not looked at.
    pub fn stands_at(&self, at: u64) -> bool {
        self.issuer.number != 0 && is_within(at, self.issued_at, self.expiry, self.ended_at)
    }
}

/// `struct { uint40 since; uint40 expiry; uint40 endedAt; uint32 serial; }`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Membership {
    /// 0: never a member. (No block has the time 0.)
    pub since: u64,
    /// 0: none.
    pub expiry: u64,
    /// 0: not removed.
    pub ended_at: u64,
    /// How often it was set or removed, this time included.
    pub serial: u32,
}

impl Membership {
    pub fn from_word(word: B256) -> Self {
        Self {
            since: number(&word[27..32]),
            expiry: number(&word[22..27]),
            ended_at: number(&word[17..22]),
            serial: number(&word[13..17]) as u32,
        }
    }

    pub fn to_word(self) -> B256 {
        let mut word = B256::ZERO;
        word[27..32].copy_from_slice(&self.since.to_be_bytes()[3..]);
        word[22..27].copy_from_slice(&self.expiry.to_be_bytes()[3..]);
        word[17..22].copy_from_slice(&self.ended_at.to_be_bytes()[3..]);
        word[13..17].copy_from_slice(&self.serial.to_be_bytes());
        word
    }

    pub fn stands_at(&self, at: u64) -> bool {
        self.since != 0 && is_within(at, self.since, self.expiry, self.ended_at)
    }
}

/// `struct { uint16 suite; uint40 validFrom; uint40 revokedAt; }`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeyHead {
    /// 0: no key.
    pub suite: u16,
    pub valid_from: u64,
    /// 0: not revoked.
    pub revoked_at: u64,
}

impl KeyHead {
    pub fn from_word(word: B256) -> Self {
        Self {
            suite: number(&word[30..32]) as u16,
            valid_from: number(&word[25..30]),
            revoked_at: number(&word[20..25]),
        }
    }

    pub fn to_word(self) -> B256 {
        let mut word = B256::ZERO;
        word[30..32].copy_from_slice(&self.suite.to_be_bytes());
        word[25..30].copy_from_slice(&self.valid_from.to_be_bytes()[3..]);
        word[20..25].copy_from_slice(&self.revoked_at.to_be_bytes()[3..]);
        word
    }

    pub fn stands_at(&self, at: u64) -> bool {
        self.suite != 0 && is_within(at, self.valid_from, 0, self.revoked_at)
    }
}

/// From inclusive, to exclusive; an end of 0 is none.
fn is_within(at: u64, from: u64, expiry: u64, ended_at: u64) -> bool {
    from <= at && (expiry == 0 || at < expiry) && (ended_at == 0 || at < ended_at)
}
