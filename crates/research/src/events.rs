//! What a trial's events tell and the contract's views do not: who was ever named a site, whose data a batch has, how many were enrolled before an
//! amendment, when results were anchored.

use std::collections::{BTreeMap, BTreeSet};
use std::iter;

use alloy_primitives::{Address, U256};
use medlock_abi::trials::ITrials::{ITrialsEvents, countsOfReturn};

use crate::chain::{ChainBatch, ChainTrial};

/// Out of one trial's events.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Logged {
    pub sites: BTreeSet<Address>,
    /// How many were.
    pub enrolled: u32,
    /// How many were when versions were appended, from version 2 on.
    pub enrolled_then: Vec<u32>,
    /// By site and sequence number of the batch.
    pub participants: BTreeMap<(Address, u32), Vec<U256>>,
    /// The blocks that results were anchored in, from number 0.
    pub results: Vec<u64>,
}

impl Logged {
    /// `events`: in the order of the chain, each with its block.
    #[must_use]
    pub fn of(events: impl IntoIterator<Item = (u64, ITrialsEvents)>) -> Self {
        let mut logged = Self::default();
        for (block, event) in events {
            logged.take(block, event);
        }
        logged
    }

    fn take(&mut self, block: u64, event: ITrialsEvents) {
        use ITrialsEvents as E;
        match event {
            E::SiteSet(set) => {
                self.sites.insert(set.site);
            }
            E::Enrolled(_) => self.enrolled += 1,
            E::TrialAmended(_) => self.enrolled_then.push(self.enrolled),
            E::BatchAnchored(batch) => {
                self.participants
                    .insert((batch.site, batch.sequence), batch.participants);
            }
            E::ResultsAnchored(_) => self.results.push(block),
            // The views tell all of these.
            E::TrialRegistered(_)
            | E::Consented(_)
            | E::ParticipantWithdrew(_)
            | E::DataLocked(_)
            | E::TrialClosed(_) => {}
        }
    }

    /// Whether it has all that the contract has counted (it may have gone on since): a node may have forgotten a part of its log.
    #[must_use]
    pub fn is_whole(&self, versions: usize, counts: &countsOfReturn) -> bool {
        self.enrolled >= counts.enrolled
            && self.enrolled_then.len() + 1 >= versions
            && self.participants.len() >= counts.batches as usize
            && self.results.len() >= usize::from(counts.results)
    }

    /// What it has otherwise than these facts do. `None`: nothing.
    #[must_use]
    pub fn objection(&self, facts: &ChainTrial) -> Option<&'static str> {
        let enrolled_then = iter::once(&0).chain(&self.enrolled_then);
        let mut versions = facts.versions.iter().zip(enrolled_then);
        let sites: BTreeSet<Address> = facts.sites.iter().map(|site| site.site).collect();
        let is_whose = |batch: &ChainBatch| {
            let anchored = self.participants.get(&(batch.site, batch.sequence));
            anchored == Some(&batch.participants)
        };
        let checks = [
            (
                "other numbers were enrolled before its versions",
                versions.all(|(version, then)| version.enrolled_then == *then),
            ),
            (
                "a site of it is missing, twice there or made up",
                sites == self.sites && sites.len() == facts.sites.len(),
            ),
            ("a batch names other participants", facts.batches.iter().all(is_whose)),
        ];
        let failed = checks.into_iter().find(|(_, is_so)| !is_so);
        failed.map(|(what, _)| what)
    }
}
