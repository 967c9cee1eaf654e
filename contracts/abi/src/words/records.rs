//! How `records` packs its storage words: as Solidity would pack the struct, first field lowest.
//! Unused bytes are zero.
use alloy_primitives::{Address, B256};

use super::{declared, entry, number};
use crate::records::IRecords::GrantTerms;

/// The last control epoch: 24 bits are there for it.
pub const CONTROL_EPOCH_MOST: u32 = (1 << 24) - 1;

const EXCEPTIONAL: u8 = 1;
const ROTATION_DUE: u8 = 1 << 1;

/// `struct { address controller; uint32 grantEpoch; uint32 directoryVersion; uint8 flags; uint24 controlEpoch; }`
///
/// Flags: bit 0 exceptional, bit 1 rotation due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChartHead {
    /// Zero: no chart.
    pub controller: Address,
    /// From 1; a grant of a lower epoch is revoked.
    pub grant_epoch: u32,
    /// From 1; the last one used up.
    pub directory_version: u32,
    /// It has had a delegate, a rule or emergency access.
    pub exceptional: bool,
    /// All grants were ended, and no directory was installed since.
    pub rotation_due: bool,
    /// How often control has passed on; at most [`CONTROL_EPOCH_MOST`].
    pub control_epoch: u32,
}

impl ChartHead {
    /// The version of the directory that stands: while a rotation is due, one version is used up that no directory has.
    pub fn standing_version(&self) -> u32 {
        self.directory_version - u32::from(self.rotation_due)
    }

    pub fn from_word(word: B256) -> Self {
        Self {
            controller: Address::from_slice(&word[12..32]),
            grant_epoch: number(&word[8..12]) as u32,
            directory_version: number(&word[4..8]) as u32,
            exceptional: word[3] & EXCEPTIONAL != 0,
            rotation_due: word[3] & ROTATION_DUE != 0,
            control_epoch: number(&word[0..3]) as u32,
        }
    }

    pub fn to_word(self) -> B256 {
        let mut word = B256::ZERO;
        word[12..32].copy_from_slice(self.controller.as_slice());
        word[8..12].copy_from_slice(&self.grant_epoch.to_be_bytes());
        word[4..8].copy_from_slice(&self.directory_version.to_be_bytes());
        word[3] = (u8::from(self.exceptional) * EXCEPTIONAL) | (u8::from(self.rotation_due) * ROTATION_DUE);
        word[0..3].copy_from_slice(&self.control_epoch.to_be_bytes()[1..]);
        word
    }
}

/// `struct { address author; uint40 createdAt; uint32 version; uint8 compartment; uint8 status; uint8 codec; }`
///
/// Author, time and codec are those of the current version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordHead {
    pub author: Address,
    pub created_at: u64,
    /// 0: no record.
    pub version: u32,
    pub compartment: u8,
    /// See `terms::record_status`.
    pub status: u8,
    pub codec: u8,
}

impl RecordHead {
    pub fn from_word(word: B256) -> Self {
        Self {
            author: Address::from_slice(&word[12..32]),
            created_at: number(&word[7..12]),
            version: number(&word[3..7]) as u32,
            compartment: word[2],
            status: word[1],
            codec: word[0],
        }
    }

    pub fn to_word(self) -> B256 {
        let mut word = B256::ZERO;
        word[12..32].copy_from_slice(self.author.as_slice());
        word[7..12].copy_from_slice(&self.created_at.to_be_bytes()[3..]);
        word[3..7].copy_from_slice(&self.version.to_be_bytes());
        word[2] = self.compartment;
        word[1] = self.status;
        word[0] = self.codec;
        word
    }
}

/// `struct { uint64 compartments; uint32 epoch; uint32 purposes; uint40 notBefore; uint40 expiry; uint8 actions; uint32 since; uint8 serial; }`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// The chart's grant epoch when it was given. 0: no grant.
    pub epoch: u32,
    pub compartments: u64,
    pub purposes: u32,
    pub actions: u8,
    pub not_before: u64,
    /// 0: none.
    pub expiry: u64,
    /// The directory version at which the pair had its first grant since it had none.
    pub since: u32,
    /// How many grants the pair has had since, from 1.
    pub serial: u8,
}

impl Grant {
    pub fn new(epoch: u32, since: u32, serial: u8, terms: &GrantTerms) -> Self {
        Self {
            epoch,
            since,
            serial,
            compartments: terms.compartments,
            purposes: terms.purposes,
            actions: terms.actions,
            not_before: terms.notBefore,
            expiry: terms.expiry,
        }
    }

    pub fn terms(&self) -> GrantTerms {
        GrantTerms {
            compartments: self.compartments,
            purposes: self.purposes,
            actions: self.actions,
            notBefore: self.not_before,
            expiry: self.expiry,
        }
    }

    pub fn from_word(word: B256) -> Self {
        Self {
            compartments: number(&word[24..32]),
            epoch: number(&word[20..24]) as u32,
            purposes: number(&word[16..20]) as u32,
            not_before: number(&word[11..16]),
            expiry: number(&word[6..11]),
            actions: word[5],
            since: number(&word[1..5]) as u32,
            serial: word[0],
        }
    }

    pub fn to_word(self) -> B256 {
        let mut word = B256::ZERO;
        word[24..32].copy_from_slice(&self.compartments.to_be_bytes());
        word[20..24].copy_from_slice(&self.epoch.to_be_bytes());
        word[16..20].copy_from_slice(&self.purposes.to_be_bytes());
        word[11..16].copy_from_slice(&self.not_before.to_be_bytes()[3..]);
        word[6..11].copy_from_slice(&self.expiry.to_be_bytes()[3..]);
        word[5] = self.actions;
        word[1..5].copy_from_slice(&self.since.to_be_bytes());
        word[0] = self.serial;
        word
    }
}

/// The slot of a chart's [`ChartHead`].
pub fn chart_slot(chart: B256) -> B256 {
    entry(chart, declared(0))
}

/// The slot of a record's [`RecordHead`].
pub fn record_slot(chart: B256, record_id: B256) -> B256 {
    entry(record_id, entry(chart, declared(1)))
}

/// The slot of a [`Grant`].
pub fn grant_slot(chart: B256, grantee: Address) -> B256 {
    entry(grantee.into_word(), entry(chart, declared(2)))
}
