//! How `trials` packs its storage words: as Solidity would pack the struct, first field lowest.
//!
//! The layout is fixed once deployed. Unused bytes are zero.
use alloy_primitives::{Address, B256};
use medlock_abi::words::number;

/// `struct { address sponsor; uint40 registeredAt; uint8 version; uint8 consentVersion; uint8 state; uint8 results; }`
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct TrialHead {
    /// Zero: no trial.
    pub sponsor: Address,
    pub registered_at: u64,
    /// The current one, from 1.
    pub version: u8,
    /// The least that participants must have consented to.
    pub consent_version: u8,
    /// `terms::trial`.
    pub state: u8,
    /// How many were anchored.
    pub results: u8,
}

impl TrialHead {
    pub fn from_word(word: B256) -> Self {
        Self {
            sponsor: Address::from_slice(&word[12..32]),
            registered_at: number(&word[7..12]),
            version: word[6],
            consent_version: word[5],
            state: word[4],
            results: word[3],
        }
    }

    pub fn to_word(self) -> B256 {
        let mut word = B256::ZERO;
        word[12..32].copy_from_slice(self.sponsor.as_slice());
        word[7..12].copy_from_slice(&self.registered_at.to_be_bytes()[3..]);
        word[6] = self.version;
        word[5] = self.consent_version;
        word[4] = self.state;
        word[3] = self.results;
        word
    }
}

/// `struct { uint32 enrolled; uint32 withdrawn; uint32 batches; uint40 lockedAt; }`
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    pub enrolled: u32,
    /// Of the enrolled.
    pub withdrawn: u32,
    pub batches: u32,
    /// 0: not locked.
    pub locked_at: u64,
}

impl Counts {
    pub fn from_word(word: B256) -> Self {
        Self {
            enrolled: number(&word[28..32]) as u32,
            withdrawn: number(&word[24..28]) as u32,
            batches: number(&word[20..24]) as u32,
            locked_at: number(&word[15..20]),
        }
    }

    pub fn to_word(self) -> B256 {
        let mut word = B256::ZERO;
        word[28..32].copy_from_slice(&self.enrolled.to_be_bytes());
        word[24..28].copy_from_slice(&self.withdrawn.to_be_bytes());
        word[20..24].copy_from_slice(&self.batches.to_be_bytes());
        word[15..20].copy_from_slice(&self.locked_at.to_be_bytes()[3..]);
        word
    }
}

/// `struct { uint40 at; uint8 reasonCode; bool reconsent; }`
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct VersionHead {
    pub at: u64,
    /// `terms::amendment`; 0: of the first.
    pub reason_code: u8,
    pub reconsent: bool,
}

impl VersionHead {
    pub fn from_word(word: B256) -> Self {
        Self {
            at: number(&word[27..32]),
            reason_code: word[26],
            reconsent: word[25] != 0,
        }
    }

    pub fn to_word(self) -> B256 {
        let mut word = B256::ZERO;
        word[27..32].copy_from_slice(&self.at.to_be_bytes()[3..]);
        word[26] = self.reason_code;
        word[25] = u8::from(self.reconsent);
        word
    }
}

/// `struct { uint32 serial; bool active; uint32 enrolled; uint32 withdrawn; uint32 last; }`
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Site {
    /// Counts what was ever set; 0: never a site.
    pub serial: u32,
    pub active: bool,
    /// Its participants are numbered from 1.
    pub enrolled: u32,
    /// Of the enrolled.
    pub withdrawn: u32,
    /// The highest sequence number of its batches.
    pub last: u32,
}

impl Site {
    pub fn from_word(word: B256) -> Self {
        Self {
            serial: number(&word[28..32]) as u32,
            active: word[27] != 0,
            enrolled: number(&word[23..27]) as u32,
            withdrawn: number(&word[19..23]) as u32,
            last: number(&word[15..19]) as u32,
        }
    }

    pub fn to_word(self) -> B256 {
        let mut word = B256::ZERO;
        word[28..32].copy_from_slice(&self.serial.to_be_bytes());
        word[27] = u8::from(self.active);
        word[23..27].copy_from_slice(&self.enrolled.to_be_bytes());
        word[19..23].copy_from_slice(&self.withdrawn.to_be_bytes());
        word[15..19].copy_from_slice(&self.last.to_be_bytes());
        word
    }
}

/// `struct { address site; uint32 number; uint8 version; uint8 status; uint40 at; }`
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Participant {
    pub site: Address,
    /// From 1, of the site; 0: never enrolled.
    pub number: u32,
    /// Consented to last.
    pub version: u8,
    /// `terms::participant`; 0: never consented.
    pub status: u8,
    /// Since when that is their status.
    pub at: u64,
}

impl Participant {
    pub fn from_word(word: B256) -> Self {
        Self {
            site: Address::from_slice(&word[12..32]),
            number: number(&word[8..12]) as u32,
            version: word[7],
            status: word[6],
            at: number(&word[1..6]),
        }
    }

    pub fn to_word(self) -> B256 {
        let mut word = B256::ZERO;
        word[12..32].copy_from_slice(self.site.as_slice());
        word[8..12].copy_from_slice(&self.number.to_be_bytes());
        word[7] = self.version;
        word[6] = self.status;
        word[1..6].copy_from_slice(&self.at.to_be_bytes()[3..]);
        word
    }
}

/// `struct { uint32 count; uint40 from; uint40 to; uint40 anchoredAt; uint8 flags; uint8 version; }`
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct BatchHead {
    /// Leaves; 0: no batch.
    pub count: u32,
    pub from: u64,
    pub to: u64,
    pub anchored_at: u64,
    /// `terms::batch`.
    pub flags: u8,
    /// The trial's when it was anchored.
    pub version: u8,
}

impl BatchHead {
    pub fn from_word(word: B256) -> Self {
        Self {
            count: number(&word[28..32]) as u32,
            from: number(&word[23..28]),
            to: number(&word[18..23]),
            anchored_at: number(&word[13..18]),
            flags: word[12],
            version: word[11],
        }
    }

    pub fn to_word(self) -> B256 {
        let mut word = B256::ZERO;
        word[28..32].copy_from_slice(&self.count.to_be_bytes());
        word[23..28].copy_from_slice(&self.from.to_be_bytes()[3..]);
        word[18..23].copy_from_slice(&self.to.to_be_bytes()[3..]);
        word[13..18].copy_from_slice(&self.anchored_at.to_be_bytes()[3..]);
        word[12] = self.flags;
        word[11] = self.version;
        word
    }
}
