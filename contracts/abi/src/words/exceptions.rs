//! How `exceptions` packs its storage words: as Solidity would pack the struct, first field lowest.
//! Unused bytes are zero.
use alloy_primitives::{Address, B256};

use super::{declared, entry, next, number};

/// `struct { uint8 effect; uint32 purposes; uint8 actions; uint40 expiry; uint32 directoryVersion; }`
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// See `terms::effect`; 0: no rule.
    pub effect: u8,
    pub purposes: u32,
    pub actions: u8,
    /// 0: none.
    pub expiry: u64,
    /// The chart's when the rule was set.
    pub directory_version: u32,
}

impl Rule {
    pub fn from_word(word: B256) -> Self {
        Self {
            effect: word[31],
            purposes: number(&word[27..31]) as u32,
            actions: word[26],
            expiry: number(&word[21..26]),
            directory_version: number(&word[17..21]) as u32,
        }
    }

    pub fn to_word(self) -> B256 {
        let mut word = B256::ZERO;
        word[31] = self.effect;
        word[27..31].copy_from_slice(&self.purposes.to_be_bytes());
        word[26] = self.actions;
        word[21..26].copy_from_slice(&self.expiry.to_be_bytes()[3..]);
        word[17..21].copy_from_slice(&self.directory_version.to_be_bytes());
        word
    }
}

/// `struct { address parent; uint40 expiry; uint8 powers; uint8 depth; uint32 serial; }`, then
/// `struct { uint32 parentSerial; uint32 controlEpoch; }`
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Delegate {
    /// Who gave the powers: the controller, or a delegate of a lower depth.
    pub parent: Address,
    /// 0: none.
    pub expiry: u64,
    /// 0: removed, or never one.
    pub powers: u8,
    /// 1: by the controller.
    pub depth: u8,
    /// Counts what was ever set for this delegate, or removed; 0: nothing.
    pub serial: u32,
    /// The parent's own serial when it gave; 0 for the controller.
    pub parent_serial: u32,
    /// The chart's at that time.
    pub control_epoch: u32,
}

impl Delegate {
    pub fn from_words(first: B256, second: B256) -> Self {
        Self {
            parent: Address::from_slice(&first[12..32]),
            expiry: number(&first[7..12]),
            powers: first[6],
            depth: first[5],
            serial: number(&first[1..5]) as u32,
            parent_serial: number(&second[28..32]) as u32,
            control_epoch: number(&second[24..28]) as u32,
        }
    }

    pub fn to_words(self) -> (B256, B256) {
        let (mut first, mut second) = (B256::ZERO, B256::ZERO);
        first[12..32].copy_from_slice(self.parent.as_slice());
        first[7..12].copy_from_slice(&self.expiry.to_be_bytes()[3..]);
        first[6] = self.powers;
        first[5] = self.depth;
        first[1..5].copy_from_slice(&self.serial.to_be_bytes());
        second[28..32].copy_from_slice(&self.parent_serial.to_be_bytes());
        second[24..28].copy_from_slice(&self.control_epoch.to_be_bytes());
        (first, second)
    }
}

/// `struct { bool allowed; uint32 serial; uint32 controlEpoch; }`
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    pub allowed: bool,
    /// Counts the changes.
    pub serial: u32,
    /// The chart's at the last change.
    pub control_epoch: u32,
}

impl Access {
    pub fn from_word(word: B256) -> Self {
        Self {
            allowed: word[31] != 0,
            serial: number(&word[27..31]) as u32,
            control_epoch: number(&word[23..27]) as u32,
        }
    }

    pub fn to_word(self) -> B256 {
        let mut word = B256::ZERO;
        word[31] = u8::from(self.allowed);
        word[27..31].copy_from_slice(&self.serial.to_be_bytes());
        word[23..27].copy_from_slice(&self.control_epoch.to_be_bytes());
        word
    }
}

/// `struct { uint64 compartments; uint40 openedAt; uint40 until; uint32 grantEpoch; uint32 serial; }`
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Emergency {
    pub compartments: u64,
    /// 0: there was none.
    pub opened_at: u64,
    pub until: u64,
    /// The chart's when it was opened.
    pub grant_epoch: u32,
    /// That of the emergency access under which it was opened.
    pub serial: u32,
}

impl Emergency {
    pub fn from_word(word: B256) -> Self {
        Self {
            compartments: number(&word[24..32]),
            opened_at: number(&word[19..24]),
            until: number(&word[14..19]),
            grant_epoch: number(&word[10..14]) as u32,
            serial: number(&word[6..10]) as u32,
        }
    }

    pub fn to_word(self) -> B256 {
        let mut word = B256::ZERO;
        word[24..32].copy_from_slice(&self.compartments.to_be_bytes());
        word[19..24].copy_from_slice(&self.opened_at.to_be_bytes()[3..]);
        word[14..19].copy_from_slice(&self.until.to_be_bytes()[3..]);
        word[10..14].copy_from_slice(&self.grant_epoch.to_be_bytes());
        word[6..10].copy_from_slice(&self.serial.to_be_bytes());
        word
    }
}

/// The slot of a [`Rule`]; `grantee` zero: the one for everybody.
pub fn rule_slot(chart: B256, record_id: B256, grantee: Address) -> B256 {
    let of_record = entry(record_id, entry(chart, declared(0)));
    entry(grantee.into_word(), of_record)
}

/// The two slots of a [`Delegate`].
pub fn delegate_slots(chart: B256, delegate: Address) -> [B256; 2] {
    let first = entry(delegate.into_word(), entry(chart, declared(1)));
    [first, next(first)]
}

/// The slot of a chart's [`Access`].
pub fn access_slot(chart: B256) -> B256 {
    entry(chart, declared(2))
}

/// The slot of an [`Emergency`].
pub fn emergency_slot(chart: B256, party: Address) -> B256 {
    entry(party.into_word(), entry(chart, declared(3)))
}
