//! A trial as the chain has it: facts from an index or from events, and what in them cannot be so.
//!
//! Whoever verifies a trial may have the facts from a server. The contract refuses much, so facts that break its rules are not the
//! chain's: [`ChainTrial::contradictions`] names them.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256, U256};
use medlock_abi::terms::batch as flag;
use serde::{Deserialize, Serialize};

use crate::data::{self, Link};
use crate::participants;
use crate::trial::{Documents, trial_id};

/// Times are UNIX seconds of blocks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainTrial {
    pub trial: B256,
    pub sponsor: Address,
    pub registration: B256,
    /// Other sponsors, each with a trial of its own under the same registration number.
    pub also_registered_by: Vec<Address>,
    pub registered_at: u64,
    /// From version 1.
    pub versions: Vec<ChainVersion>,
    /// Every account that ever was a site.
    pub sites: Vec<ChainSite>,
    /// In the order of the chain.
    pub batches: Vec<ChainBatch>,
    pub lock: Option<ChainLock>,
    /// From number 0.
    pub results: Vec<ChainResults>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainVersion {
    pub documents: Documents,
    pub at: u64,
    /// `terms::amendment`; 0 of the first.
    pub reason_code: u8,
    pub reconsent: bool,
    /// How many were enrolled when it was appended.
    pub enrolled_then: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainSite {
    pub site: Address,
    pub active: bool,
    /// How many it ever enrolled: its numbers go up to here.
    pub enrolled: u32,
    pub withdrawn: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainBatch {
    pub site: Address,
    pub sequence: u32,
    pub root: B256,
    pub count: u32,
    pub from: u64,
    pub to: u64,
    pub anchored_at: u64,
    /// `terms::batch`.
    pub flags: u8,
    /// The trial's at this time.
    pub version: u8,
    pub participants: Vec<U256>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainLock {
    pub batches: u32,
    pub data: B256,
    pub at: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainResults {
    pub number: u8,
    pub version: u8,
    pub plan: B256,
    pub data: B256,
    pub results: B256,
    pub at: u64,
}

/// Facts that the contract does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Contradiction {
    #[error("the trial's id is not that of its sponsor and registration")]
    TrialId,
    #[error("the trial has no version")]
    NoVersions,
    #[error("version {version} is not later than the one before, or was appended after the data were locked")]
    VersionTime { version: usize },
    #[error("batch {sequence} of {site}: this account never was a site of the trial")]
    NotSite { site: Address, sequence: u32 },
    #[error("batch {sequence} of {site} is there twice")]
    BatchTwice { site: Address, sequence: u32 },
    #[error("batch {sequence} of {site} has number 0, no rows or no root")]
    BatchEmpty { site: Address, sequence: u32 },
    #[error(
        "batch {sequence} of {site} has a period that ends before it begins, was not over, or began before the registration"
    )]
    BatchPeriod { site: Address, sequence: u32 },
    #[error("batch {sequence} of {site} was anchored before the one that stands before it")]
    BatchTime { site: Address, sequence: u32 },
    #[error("batch {sequence} of {site} was anchored after the data were locked")]
    BatchAfterLock { site: Address, sequence: u32 },
    #[error("batch {sequence} of {site} is of a version that there was not at its time")]
    BatchVersion { site: Address, sequence: u32 },
    #[error("batch {sequence} of {site} is not marked late, out of order or as a gap as it must be")]
    BatchFlags { site: Address, sequence: u32 },
    #[error("batch {sequence} of {site} names nobody, or one who was never enrolled")]
    BatchParticipants { site: Address, sequence: u32 },
    #[error("{locked} batches were locked, and {given} are there")]
    LockCount { locked: u32, given: usize },
    #[error("the batches do not have the digest that was locked: one was changed, left out or moved")]
    LockData,
    #[error("results {number} are there without or before a lock of the data")]
    ResultsTime { number: u8 },
    #[error("results {number} do not stand in their place: they are numbered from 0, each once")]
    ResultsNumber { number: u8 },
    #[error("results {number} are not of the last version")]
    ResultsVersion { number: u8 },
    #[error("results {number} name another plan than their version's")]
    ResultsPlan { number: u8 },
    #[error("results {number} name other data than those that were locked")]
    ResultsData { number: u8 },
}

impl ChainBatch {
    pub(crate) fn link(&self) -> Link {
        Link {
            site: self.site,
            sequence: self.sequence,
            root: self.root,
        }
    }
}

impl ChainTrial {
    /// What in these facts cannot be the chain's. Empty: nothing was found.
    #[must_use]
    pub fn contradictions(&self) -> Vec<Contradiction> {
        let mut found = Vec::new();
        if trial_id(self.sponsor, self.registration) != self.trial {
            found.push(Contradiction::TrialId);
        }
        if self.versions.is_empty() {
            found.push(Contradiction::NoVersions);
        }
        self.check_versions(&mut found);
        self.check_batches(&mut found);
        self.check_lock(&mut found);
        self.check_results(&mut found);
        found
    }

    /// The version's facts; `None`: there is no such version.
    #[must_use]
    pub fn version(&self, version: u8) -> Option<&ChainVersion> {
        self.versions.get(usize::from(version).checked_sub(1)?)
    }

    /// The other trials under its registration number, and their sponsors.
    pub fn namesakes(&self) -> impl Iterator<Item = (B256, Address)> {
        let sponsors = self.also_registered_by.iter();
        sponsors.map(|sponsor| (trial_id(*sponsor, self.registration), *sponsor))
    }

    fn check_versions(&self, found: &mut Vec<Contradiction>) {
        let mut before = self.registered_at;
        for (version, number) in self.versions.iter().zip(1..) {
            // Several blocks may have one time, so versions may too.
            let is_first_sound = number > 1 || version.at == self.registered_at;
            let is_after_lock = number > 1 && self.lock.as_ref().is_some_and(|lock| version.at > lock.at);
            if version.at < before || !is_first_sound || is_after_lock {
                found.push(Contradiction::VersionTime { version: number });
            }
            before = version.at;
        }
    }

    fn check_batches(&self, found: &mut Vec<Contradiction>) {
        let enrolled: BTreeMap<Address, u32> = self.sites.iter().map(|site| (site.site, site.enrolled)).collect();
        let mut seen = BTreeSet::new();
        let mut last: BTreeMap<Address, u32> = BTreeMap::new();
        let mut before = self.registered_at;
        for batch in &self.batches {
            let (site, sequence) = (batch.site, batch.sequence);
            let last = last.entry(site).or_default();
            let version = self.version(batch.version);
            let facts = [
                (Contradiction::NotSite { site, sequence }, !enrolled.contains_key(&site)),
                (
                    Contradiction::BatchTwice { site, sequence },
                    !seen.insert((site, sequence)),
                ),
                (
                    Contradiction::BatchEmpty { site, sequence },
                    sequence == 0 || batch.count == 0 || batch.root.is_zero(),
                ),
                (
                    Contradiction::BatchPeriod { site, sequence },
                    batch.from >= batch.to || batch.to > batch.anchored_at || batch.from < self.registered_at,
                ),
                (Contradiction::BatchTime { site, sequence }, batch.anchored_at < before),
                (
                    Contradiction::BatchAfterLock { site, sequence },
                    self.lock.as_ref().is_some_and(|lock| batch.anchored_at > lock.at),
                ),
                (
                    Contradiction::BatchVersion { site, sequence },
                    version.is_none_or(|version| version.at > batch.anchored_at),
                ),
                (
                    Contradiction::BatchFlags { site, sequence },
                    batch.flags != expected_flags(batch, *last),
                ),
                (
                    Contradiction::BatchParticipants { site, sequence },
                    !are_enrolled(&batch.participants, enrolled.get(&site).copied().unwrap_or(0)),
                ),
            ];
            found.extend(facts.into_iter().filter(|(_, is_so)| *is_so).map(|(what, _)| what));
            *last = sequence.max(*last);
            before = before.max(batch.anchored_at);
        }
    }

    fn check_lock(&self, found: &mut Vec<Contradiction>) {
        let Some(lock) = &self.lock else { return };
        if usize::try_from(lock.batches) != Ok(self.batches.len()) {
            found.push(Contradiction::LockCount {
                locked: lock.batches,
                given: self.batches.len(),
            });
        }
        if data::chain_all(self.batches.iter().map(ChainBatch::link)) != lock.data {
            found.push(Contradiction::LockData);
        }
    }

    fn check_results(&self, found: &mut Vec<Contradiction>) {
        for (results, place) in self.results.iter().zip(0_usize..) {
            let number = results.number;
            let lock = self.lock.as_ref();
            if usize::from(number) != place {
                found.push(Contradiction::ResultsNumber { number });
            }
            if lock.is_none_or(|lock| results.at < lock.at) {
                found.push(Contradiction::ResultsTime { number });
            }
            if lock.is_some_and(|lock| results.data != lock.data) {
                found.push(Contradiction::ResultsData { number });
            }
            if usize::from(results.version) != self.versions.len() {
                found.push(Contradiction::ResultsVersion { number });
            }
            let plan = self.version(results.version).map(|version| version.documents.plan);
            if plan.is_some_and(|plan| plan != results.plan) {
                found.push(Contradiction::ResultsPlan { number });
            }
        }
    }
}

/// As `anchorBatch` marks it. `last`: the highest sequence number of the site's before.
fn expected_flags(batch: &ChainBatch, last: u32) -> u8 {
    let facts = [
        (flag::LATE, batch.anchored_at > batch.to.saturating_add(flag::LATE_S)),
        (flag::OUT_OF_ORDER, batch.sequence < last),
        (flag::GAP, batch.sequence > last && batch.sequence - last > 1),
    ];
    facts
        .into_iter()
        .fold(0, |flags, (bit, is_so)| if is_so { flags | bit } else { flags })
}

fn are_enrolled(words: &[U256], enrolled: u32) -> bool {
    participants::numbers(words).is_ok_and(|numbers| numbers.last().is_some_and(|last| *last <= enrolled))
}
