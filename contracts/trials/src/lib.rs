//! `trials`: clinical trials: what was planned before anyone took part, who consented to what, and which data the results come from.
//!
//! A sponsor registers digests of protocol, analysis plan and consent form, and appends versions with a reason. A **participant** is an
//! account that is used for this trial alone: it consents to a version of the form, is enrolled by a **site**, and withdraws when it wants.
//! A site anchors data in batches and names whose data they are, as bits of its participants' numbers; the contract keeps the same
//! bits of who may contribute, so that a batch is checked 256 participants a slot. When the sponsor locks the data, the batches are
//! summed up in one digest, and results are anchored to it and to the plan.
//!
//! Nothing here says which chart, or person, a participant is. It must never let an earlier version be changed, data be anchored of who has
//! withdrawn or not consented to what is wanted now, nor anything be added to locked data. Implements [`ITrials`] of `medlock-abi`,
//! which holds every event and error. Start reading at [`Trials`]; how a slot is packed stands in [`slots`].
#![cfg_attr(not(any(test, feature = "export-abi")), no_std)]
#![forbid(unsafe_code)]
extern crate alloc;

pub mod slots;
#[cfg(test)]
mod tests;

use alloc::{vec, vec::Vec};

use alloy_primitives::{Address, B256, U8, U32, U256};
use medlock_abi::{
    link::{self, Placeholder, linked},
    registry::IRegistry::hasRolesCall,
    terms::{BATCH_MOST, amendment, batch as flag, participant as status, role, trial as terms},
    trials::ITrials,
};
use medlock_calls::{ask, log};
use stylus_sdk::{
    prelude::*,
    storage::{StorageB256, StorageMap, StorageU256},
};

use crate::slots::{BatchHead, Counts, Participant, Site, TrialHead, VersionHead};

/// Numbers of participants in one word.
const WORD_BITS: u32 = 256;

/// Every error a method can answer with; the fields are documented in [`ITrials`].
#[derive(SolidityError, Debug, PartialEq, Eq)]
pub enum Error {
    ZeroAddress(ITrials::ZeroAddress),
    ZeroDigest(ITrials::ZeroDigest),
    NotActor(ITrials::NotActor),
    NotCredentialed(ITrials::NotCredentialed),
    TrialExists(ITrials::TrialExists),
    UnknownTrial(ITrials::UnknownTrial),
    NotSponsor(ITrials::NotSponsor),
    TrialState(ITrials::TrialState),
    TrialVersion(ITrials::TrialVersion),
    TooManyVersions(ITrials::TooManyVersions),
    UnknownReasonCode(ITrials::UnknownReasonCode),
    SiteSerial(ITrials::SiteSerial),
    SiteUnchanged(ITrials::SiteUnchanged),
    NotSite(ITrials::NotSite),
    NotParticipant(ITrials::NotParticipant),
    OtherSite(ITrials::OtherSite),
    ConsentWithdrawn(ITrials::ConsentWithdrawn),
    AlreadyConsented(ITrials::AlreadyConsented),
    ConsentOutdated(ITrials::ConsentOutdated),
    AlreadyEnrolled(ITrials::AlreadyEnrolled),
    ZeroSequence(ITrials::ZeroSequence),
    SequenceTaken(ITrials::SequenceTaken),
    EmptyBatch(ITrials::EmptyBatch),
    MalformedPeriod(ITrials::MalformedPeriod),
    PeriodInFuture(ITrials::PeriodInFuture),
    PeriodBeforeRegistration(ITrials::PeriodBeforeRegistration),
    ListLength(ITrials::ListLength),
    NoParticipants(ITrials::NoParticipants),
    NotParticipating(ITrials::NotParticipating),
    BatchCount(ITrials::BatchCount),
    ResultNumber(ITrials::ResultNumber),
    TooManyResults(ITrials::TooManyResults),
}

static REGISTRY: Placeholder = link::REGISTRY;
static RELAY: Placeholder = link::RELAY;

/// Of one site: by consent version, then word; a bit for each number.
type Contributors = StorageMap<U8, StorageMap<U32, StorageU256>>;

/// Fields are append-only once deployed.
#[storage]
#[entrypoint]
pub struct Trials {
    trials: StorageMap<B256, Trial>,
    /// By trial, then number, from 1.
    versions: StorageMap<B256, StorageMap<U8, Version>>,
    /// By trial, then account; see [`Site`].
    sites: StorageMap<B256, StorageMap<Address, StorageB256>>,
    /// By trial, then account; see [`Participant`].
    participants: StorageMap<B256, StorageMap<Address, StorageB256>>,
    /// By trial, site, then the consent version that was wanted: bit n of word w is set for number 256 w + n while it may contribute.
    /// When another version is wanted, nobody's bit is set.
    contributors: StorageMap<B256, StorageMap<Address, Contributors>>,
    /// By trial, site, then sequence number, from 1.
    batches: StorageMap<B256, StorageMap<Address, StorageMap<U32, Batch>>>,
    /// By trial, then number, from 0.
    results: StorageMap<B256, StorageMap<U8, StorageB256>>,
}

#[storage]
pub struct Trial {
    /// See [`TrialHead`].
    head: StorageB256,
    /// See [`Counts`].
    counts: StorageB256,
    /// All batches in their order, each hashed over those before.
    data: StorageB256,
}

#[storage]
pub struct Version {
    protocol: StorageB256,
    plan: StorageB256,
    form: StorageB256,
    /// See [`VersionHead`].
    head: StorageB256,
}

#[storage]
pub struct Batch {
    root: StorageB256,
    /// See [`BatchHead`].
    head: StorageB256,
}

/// (sponsor, registered at, version, consent version, state).
type TrialFacts = (Address, u64, u8, u8, u8);
/// (enrolled, withdrawn, batches, results, locked at, data).
type CountFacts = (u32, u32, u32, u8, u64, B256);
/// (protocol, plan, form, at, reason code, reconsent).
type VersionFacts = (B256, B256, B256, u64, u8, bool);
/// (serial, active, enrolled, withdrawn, last sequence).
type SiteFacts = (u32, bool, u32, u32, u32);
/// (site, number, version, status, at).
type ParticipantFacts = (Address, u32, u8, u8, u64);
/// (root, count, from, to, anchored at, flags, version).
type BatchFacts = (B256, u32, u64, u64, u64, u8, u8);

#[public]
impl Trials {
    /// (registry, relay).
    pub fn neighbours(&self) -> (Address, Address) {
        (linked(&REGISTRY), linked(&RELAY))
    }

    /// Registers a trial as its version 1, and gives its id. By a current sponsor. Nobody consents to, enrols in or anchors data for what is
    /// not registered, so protocol and plan stand before the first participant.
    ///
    /// # Errors
    /// `NotActor`, `ZeroDigest`, `TrialExists`, `NotCredentialed`.
    /// # Events
    /// `TrialRegistered`.
    pub fn register_trial(
        &mut self,
        actor: Address,
        registration: B256,
        protocol: B256,
        plan: B256,
        form: B256,
        document: B256,
    ) -> Result<B256, Error> {
        self.require_actor(actor)?;
        require_digests(&[registration, protocol, plan, form])?;
        let trial = self.vm().native_keccak256(&[actor.into_word(), registration].concat());
        if !self.head(trial).sponsor.is_zero() {
            return Err(ITrials::TrialExists { trial }.into());
        }
        self.require_role(actor, role::SPONSOR)?;

        let now = self.now();
        let head = TrialHead {
            sponsor: actor,
            registered_at: now,
            version: 1,
            consent_version: 1,
            state: terms::OPEN,
            results: 0,
        };
        self.write_head(trial, head);
        let first = VersionHead {
            at: now,
            reason_code: 0,
            reconsent: false,
        };
        self.write_version(trial, 1, protocol, plan, form, first);
        log(
            self.vm(),
            ITrials::TrialRegistered {
                trial,
                sponsor: actor,
                registration,
                protocol,
                plan,
                form,
                document,
            },
        );
        Ok(trial)
    }

    /// (sponsor, registered at, version, consent version, state).
    pub fn trial_of(&self, trial: B256) -> TrialFacts {
        let head = self.head(trial);
        (
            head.sponsor,
            head.registered_at,
            head.version,
            head.consent_version,
            head.state,
        )
    }

    /// (enrolled, withdrawn, batches, results, locked at, data).
    pub fn counts_of(&self, trial: B256) -> CountFacts {
        let counts = self.counts(trial);
        (
            counts.enrolled,
            counts.withdrawn,
            counts.batches,
            self.head(trial).results,
            counts.locked_at,
            self.data(trial),
        )
    }

    /// Appends a version; those before stay as they are. By the sponsor, while it is current and until the data are locked. Where it wants a
    /// re-consent, nobody contributes until they have consented again.
    ///
    /// # Errors
    /// `NotActor`, `UnknownTrial`, `NotSponsor`, `TrialState`, `TooManyVersions`, `TrialVersion`, `ZeroDigest`, `UnknownReasonCode`,
    /// `NotCredentialed`.
    /// # Events
    /// `TrialAmended`.
    #[allow(clippy::too_many_arguments)]
    pub fn amend_trial(
        &mut self,
        actor: Address,
        trial: B256,
        version: u8,
        protocol: B256,
        plan: B256,
        form: B256,
        reason_code: u8,
        reconsent: bool,
        document: B256,
    ) -> Result<(), Error> {
        let mut head = self.require_sponsor(actor, trial)?;
        require_state(trial, &head, terms::OPEN)?;
        if head.version == terms::VERSIONS_MOST {
            return Err(ITrials::TooManyVersions {
                most: terms::VERSIONS_MOST,
            }
            .into());
        }
        require_version(version, head.version + 1)?;
        require_digests(&[protocol, plan, form])?;
        if !(amendment::SAFETY..=amendment::OTHER).contains(&reason_code) {
            return Err(ITrials::UnknownReasonCode {
                reasonCode: reason_code,
            }
            .into());
        }
        self.require_role(actor, role::SPONSOR)?;

        head.version = version;
        if reconsent {
            head.consent_version = version;
        }
        self.write_head(trial, head);
        let appended = VersionHead {
            at: self.now(),
            reason_code,
            reconsent,
        };
        self.write_version(trial, version, protocol, plan, form, appended);
        log(
            self.vm(),
            ITrials::TrialAmended {
                trial,
                version,
                protocol,
                plan,
                form,
                reasonCode: reason_code,
                reconsent,
                document,
            },
        );
        Ok(())
    }

    /// (protocol, plan, form, at, reason code, reconsent).
    pub fn version_of(&self, trial: B256, version: u8) -> VersionFacts {
        let of_trial = self.versions.getter(trial);
        let words = of_trial.getter(U8::from(version));
        let head = VersionHead::from_word(words.head.get());
        (
            words.protocol.get(),
            words.plan.get(),
            words.form.get(),
            head.at,
            head.reason_code,
            head.reconsent,
        )
    }

    /// Names a site, or dismisses it: it enrols and anchors no more; its participants and batches stay. By the sponsor; naming by a current one, until the data
    /// are locked.
    ///
    /// # Errors
    /// `NotActor`, `UnknownTrial`, `NotSponsor`, `ZeroAddress`, `SiteSerial`, `SiteUnchanged`; of naming `TrialState`, `NotCredentialed`.
    /// # Events
    /// `SiteSet`.
    pub fn set_site(
        &mut self,
        actor: Address,
        trial: B256,
        site: Address,
        serial: u32,
        active: bool,
    ) -> Result<(), Error> {
        let head = self.require_sponsor(actor, trial)?;
        if site.is_zero() {
            return Err(ITrials::ZeroAddress {}.into());
        }
        let mut held = self.site(trial, site);
        if serial != held.serial {
            return Err(ITrials::SiteSerial {
                given: serial,
                current: held.serial,
            }
            .into());
        }
        if active == held.active {
            return Err(ITrials::SiteUnchanged { site, active }.into());
        }
        if active {
            require_state(trial, &head, terms::OPEN)?;
            self.require_role(actor, role::SPONSOR)?;
        }

        held.active = active;
        // One more each transaction: 2^32 of them cannot be paid for.
        held.serial += 1;
        self.write_site(trial, site, held);
        log(
            self.vm(),
            ITrials::SiteSet {
                trial,
                site,
                serial: held.serial,
                active,
            },
        );
        Ok(())
    }

    /// (serial, active, enrolled, withdrawn, last sequence).
    pub fn site_of(&self, trial: B256, site: Address) -> SiteFacts {
        let site = self.site(trial, site);
        (site.serial, site.active, site.enrolled, site.withdrawn, site.last)
    }

    /// Consents to the current version, to take part at one site; or again, to a later version. By the participant, whose account is
    /// for this trial alone. It takes effect when the site enrols them, or at once where it has.
    ///
    /// # Errors
    /// `NotActor`, `UnknownTrial`, `TrialState`, `TrialVersion`, `ConsentWithdrawn`, `OtherSite`, `AlreadyConsented`, `NotSite`.
    /// # Events
    /// `Consented`.
    pub fn consent(
        &mut self,
        actor: Address,
        trial: B256,
        site: Address,
        version: u8,
        document: B256,
    ) -> Result<(), Error> {
        self.require_actor(actor)?;
        let head = self.require_trial(trial)?;
        require_state(trial, &head, terms::OPEN)?;
        require_version(version, head.version)?;
        let mut held = self.participant(trial, actor);
        if held.status != 0 {
            require_standing(actor, &held)?;
            require_same_site(actor, &held, site)?;
            if version <= held.version {
                return Err(ITrials::AlreadyConsented {
                    participant: actor,
                    version: held.version,
                }
                .into());
            }
        }
        self.require_site(trial, site)?;

        held.version = version;
        if held.status == 0 {
            held.site = site;
            held.status = status::CONSENTED;
            held.at = self.now();
        }
        self.write_participant(trial, actor, held);
        if held.status == status::ENROLLED {
            self.set_contributor(trial, &head, &held, true);
        }
        log(
            self.vm(),
            ITrials::Consented {
                trial,
                participant: actor,
                site,
                version,
                document,
            },
        );
        Ok(())
    }

    /// Enrols who has consented to what is wanted. By the site that they named, while it is current. Counts go up; nothing else is told.
    ///
    /// # Errors
    /// `NotActor`, `UnknownTrial`, `TrialState`, `NotSite`, `NotParticipant`, `ConsentWithdrawn`, `OtherSite`, `AlreadyEnrolled`, `ConsentOutdated`,
    /// `NotCredentialed`.
    /// # Events
    /// `Enrolled`.
    pub fn enrol(&mut self, actor: Address, trial: B256, participant: Address) -> Result<(), Error> {
        self.require_actor(actor)?;
        let head = self.require_trial(trial)?;
        require_state(trial, &head, terms::OPEN)?;
        let mut site = self.require_site(trial, actor)?;
        let mut held = self.participant(trial, participant);
        if held.status == 0 {
            return Err(ITrials::NotParticipant { participant }.into());
        }
        require_standing(participant, &held)?;
        require_same_site(participant, &held, actor)?;
        if held.status == status::ENROLLED {
            return Err(ITrials::AlreadyEnrolled {
                participant,
                number: held.number,
            }
            .into());
        }
        if held.version < head.consent_version {
            return Err(ITrials::ConsentOutdated {
                participant,
                version: held.version,
                least: head.consent_version,
            }
            .into());
        }
        self.require_role(actor, role::SITE)?;

        // One more each transaction: 2^32 of them cannot be paid for.
        site.enrolled += 1;
        self.write_site(trial, actor, site);
        let mut counts = self.counts(trial);
        counts.enrolled += 1;
        self.write_counts(trial, counts);
        held.number = site.enrolled;
        held.status = status::ENROLLED;
        held.at = self.now();
        self.write_participant(trial, participant, held);
        self.set_contributor(trial, &head, &held, true);
        log(
            self.vm(),
            ITrials::Enrolled {
                trial,
                participant,
                site: actor,
                number: held.number,
            },
        );
        Ok(())
    }

    /// Ends the participant's consent, for good: a batch that names them is refused from here on, and no later consent of this account is
    /// taken. By the participant, at any time, whatever became of the trial or the site.
    ///
    /// # Errors
    /// `NotActor`, `NotParticipant`, `ConsentWithdrawn`.
    /// # Events
    /// `ParticipantWithdrew`.
    pub fn withdraw_consent(&mut self, actor: Address, trial: B256) -> Result<(), Error> {
        self.require_actor(actor)?;
        let mut held = self.participant(trial, actor);
        if held.status == 0 {
            return Err(ITrials::NotParticipant { participant: actor }.into());
        }
        require_standing(actor, &held)?;

        if held.status == status::ENROLLED {
            let mut site = self.site(trial, held.site);
            site.withdrawn += 1;
            self.write_site(trial, held.site, site);
            let mut counts = self.counts(trial);
            counts.withdrawn += 1;
            self.write_counts(trial, counts);
            let head = self.head(trial);
            self.set_contributor(trial, &head, &held, false);
        }
        held.status = status::WITHDRAWN;
        held.at = self.now();
        self.write_participant(trial, actor, held);
        log(
            self.vm(),
            ITrials::ParticipantWithdrew {
                trial,
                participant: actor,
                site: held.site,
                number: held.number,
            },
        );
        Ok(())
    }

    /// (site, number, version, status, at).
    pub fn participant_of(&self, trial: B256, participant: Address) -> ParticipantFacts {
        let held = self.participant(trial, participant);
        (held.site, held.number, held.version, held.status, held.at)
    }

    /// Whether a batch of the site may name this number.
    pub fn may_contribute(&self, trial: B256, site: Address, number: u32) -> bool {
        let head = self.head(trial);
        self.contributor_word(trial, site, head.consent_version, number / WORD_BITS)
            .bit((number % WORD_BITS) as usize)
    }

    /// Anchors the calling site's data of a period that is over. While it is a current site, until the data are locked. Each sequence number
    /// once. A batch that is late, out of order or leaves a gap is taken, and says so.
    ///
    /// # Errors
    /// `NotActor`, `UnknownTrial`, `TrialState`, `NotSite`, `ZeroSequence`, `SequenceTaken`, `ZeroDigest`, `EmptyBatch`, `MalformedPeriod`,
    /// `PeriodInFuture`, `PeriodBeforeRegistration`, `ListLength`, `NoParticipants`, `NotParticipating`, `NotCredentialed`.
    /// # Events
    /// `BatchAnchored`.
    #[allow(clippy::too_many_arguments)]
    pub fn anchor_batch(
        &mut self,
        actor: Address,
        trial: B256,
        sequence: u32,
        from: u64,
        to: u64,
        root: B256,
        count: u32,
        participants: Vec<U256>,
        document: B256,
    ) -> Result<(), Error> {
        self.require_actor(actor)?;
        let head = self.require_trial(trial)?;
        require_state(trial, &head, terms::OPEN)?;
        let mut site = self.require_site(trial, actor)?;
        if sequence == 0 {
            return Err(ITrials::ZeroSequence {}.into());
        }
        if self.batch(trial, actor, sequence).count != 0 {
            return Err(ITrials::SequenceTaken { site: actor, sequence }.into());
        }
        require_digests(&[root])?;
        if count == 0 {
            return Err(ITrials::EmptyBatch {}.into());
        }
        let now = self.now();
        require_period(from, to, head.registered_at, now)?;
        self.require_contributors(trial, &head, actor, &participants)?;
        self.require_role(actor, role::SITE)?;

        let facts = [
            (flag::LATE, now > to + flag::LATE_S),
            (flag::OUT_OF_ORDER, sequence < site.last),
            // The last number is at most 2^32 - 1.
            (flag::GAP, sequence > site.last && sequence - site.last > 1),
        ];
        let flags = facts
            .into_iter()
            .fold(0, |flags, (bit, is_so)| if is_so { flags | bit } else { flags });
        let batch = BatchHead {
            count,
            from,
            to,
            anchored_at: now,
            flags,
            version: head.version,
        };
        self.write_batch(trial, actor, sequence, root, batch);
        site.last = site.last.max(sequence);
        self.write_site(trial, actor, site);
        let mut counts = self.counts(trial);
        // One more each transaction: 2^32 of them cannot be paid for.
        counts.batches += 1;
        self.write_counts(trial, counts);
        let words = [self.data(trial), actor.into_word(), U256::from(sequence).into(), root];
        let data = self.vm().native_keccak256(&words.concat());
        self.trials.setter(trial).data.set(data);
        log(
            self.vm(),
            ITrials::BatchAnchored {
                trial,
                site: actor,
                sequence,
                from,
                to,
                root,
                count,
                participants,
                flags,
                version: head.version,
                data,
                document,
            },
        );
        Ok(())
    }

    /// (root, count, from, to, anchored at, flags, version).
    pub fn batch_of(&self, trial: B256, site: Address, sequence: u32) -> BatchFacts {
        let batch = self.batch(trial, site, sequence);
        (
            self.root(trial, site, sequence),
            batch.count,
            batch.from,
            batch.to,
            batch.anchored_at,
            batch.flags,
            batch.version,
        )
    }

    /// Whether `leaf` is number `index` (from 0) of this batch. `leaf` is the leaf's data; its hash is keccak256(0x00, leaf) (RFC 9162).
    pub fn verify_batch(
        &self,
        trial: B256,
        site: Address,
        sequence: u32,
        index: u32,
        leaf: B256,
        proof: Vec<B256>,
    ) -> bool {
        let keccak = |bytes: &[u8]| self.vm().native_keccak256(bytes);
        let leaf = medlock_merkle::leaf(keccak, leaf);
        // No batch has no leaves, and so no leaf.
        let count = self.batch(trial, site, sequence).count;
        let root = self.root(trial, site, sequence);
        medlock_merkle::verify(keccak, root, count, index, leaf, &proof)
    }

    /// Locks the data, for good: no batch, enrolment, consent or amendment follows. By the sponsor, whatever became of its credential.
    ///
    /// # Errors
    /// `NotActor`, `UnknownTrial`, `NotSponsor`, `TrialState`, `BatchCount`.
    /// # Events
    /// `DataLocked`.
    pub fn lock_data(&mut self, actor: Address, trial: B256, batches: u32) -> Result<(), Error> {
        let mut head = self.require_sponsor(actor, trial)?;
        require_state(trial, &head, terms::OPEN)?;
        let mut counts = self.counts(trial);
        if batches != counts.batches {
            return Err(ITrials::BatchCount {
                given: batches,
                current: counts.batches,
            }
            .into());
        }

        head.state = terms::LOCKED;
        self.write_head(trial, head);
        counts.locked_at = self.now();
        self.write_counts(trial, counts);
        log(
            self.vm(),
            ITrials::DataLocked {
                trial,
                batches,
                data: self.data(trial),
            },
        );
        Ok(())
    }

    /// Anchors results of the locked data by the plan that stood when they were locked; later ones correct them and replace nothing. By the
    /// sponsor, whatever became of its credential.
    ///
    /// # Errors
    /// `NotActor`, `UnknownTrial`, `NotSponsor`, `TrialState`, `TrialVersion`, `TooManyResults`, `ResultNumber`, `ZeroDigest`.
    /// # Events
    /// `ResultsAnchored`.
    pub fn anchor_results(
        &mut self,
        actor: Address,
        trial: B256,
        version: u8,
        number: u8,
        results: B256,
        document: B256,
    ) -> Result<(), Error> {
        let mut head = self.require_sponsor(actor, trial)?;
        require_state(trial, &head, terms::LOCKED)?;
        require_version(version, head.version)?;
        if head.results == terms::RESULTS_MOST {
            return Err(ITrials::TooManyResults {
                most: terms::RESULTS_MOST,
            }
            .into());
        }
        if number != head.results {
            return Err(ITrials::ResultNumber {
                given: number,
                next: head.results,
            }
            .into());
        }
        require_digests(&[results])?;

        head.results += 1;
        self.write_head(trial, head);
        let mut of_trial = self.results.setter(trial);
        of_trial.setter(U8::from(number)).set(results);
        log(
            self.vm(),
            ITrials::ResultsAnchored {
                trial,
                number,
                version,
                plan: self.version_of(trial, version).1,
                data: self.data(trial),
                results,
                document,
            },
        );
        Ok(())
    }

    /// Zero where there are none.
    pub fn results_of(&self, trial: B256, number: u8) -> B256 {
        self.results.getter(trial).get(U8::from(number))
    }

    /// Ends a trial: no results follow. By the sponsor, once the data are locked, be it that there are none.
    ///
    /// # Errors
    /// `NotActor`, `UnknownTrial`, `NotSponsor`, `TrialState`.
    /// # Events
    /// `TrialClosed`.
    pub fn close_trial(&mut self, actor: Address, trial: B256) -> Result<(), Error> {
        let mut head = self.require_sponsor(actor, trial)?;
        require_state(trial, &head, terms::LOCKED)?;
        head.state = terms::CLOSED;
        self.write_head(trial, head);
        log(self.vm(), ITrials::TrialClosed { trial });
        Ok(())
    }
}

impl Trials {
    fn now(&self) -> u64 {
        self.vm().block_timestamp()
    }

    /// The caller is who acts, or the relay, which has checked their signature.
    fn require_actor(&self, actor: Address) -> Result<(), Error> {
        let caller = self.vm().msg_sender();
        if caller != actor && caller != linked(&RELAY) {
            return Err(ITrials::NotActor { caller, actor }.into());
        }
        Ok(())
    }

    /// The registry says at this moment that the actor has the role.
    fn require_role(&self, actor: Address, roles: u64) -> Result<(), Error> {
        let question = hasRolesCall { party: actor, roles };
        if ask(self.vm(), linked(&REGISTRY), &question) != Some(true) {
            return Err(ITrials::NotCredentialed { actor, roles }.into());
        }
        Ok(())
    }

    fn require_trial(&self, trial: B256) -> Result<TrialHead, Error> {
        let head = self.head(trial);
        if head.sponsor.is_zero() {
            return Err(ITrials::UnknownTrial { trial }.into());
        }
        Ok(head)
    }

    fn require_sponsor(&self, actor: Address, trial: B256) -> Result<TrialHead, Error> {
        self.require_actor(actor)?;
        let head = self.require_trial(trial)?;
        if actor != head.sponsor {
            return Err(ITrials::NotSponsor {
                actor,
                sponsor: head.sponsor,
            }
            .into());
        }
        Ok(head)
    }

    fn require_site(&self, trial: B256, site: Address) -> Result<Site, Error> {
        let held = self.site(trial, site);
        if !held.active {
            return Err(ITrials::NotSite { trial, site }.into());
        }
        Ok(held)
    }

    /// Somebody is named, and nobody who may not contribute.
    fn require_contributors(
        &self,
        trial: B256,
        head: &TrialHead,
        site: Address,
        participants: &[U256],
    ) -> Result<(), Error> {
        if participants.is_empty() || participants.len() > BATCH_MOST {
            return Err(ITrials::ListLength {
                // Calldata of 2^32 entries cannot be paid for.
                given: participants.len() as u32,
                most: BATCH_MOST as u32,
            }
            .into());
        }
        if participants.iter().all(U256::is_zero) {
            return Err(ITrials::NoParticipants {}.into());
        }
        for (index, &named) in (0..).zip(participants) {
            // A word in which nobody is named need not be read.
            if named.is_zero() {
                continue;
            }
            let others = named & !self.contributor_word(trial, site, head.consent_version, index);
            if !others.is_zero() {
                // At most 128 words of 256, so far below 2^32.
                let number = index * WORD_BITS + others.trailing_zeros() as u32;
                return Err(ITrials::NotParticipating { site, number }.into());
            }
        }
        Ok(())
    }

    /// Under the consent version that is wanted now: the bits of earlier ones are never looked at again.
    fn set_contributor(&mut self, trial: B256, head: &TrialHead, held: &Participant, may: bool) {
        let mut of_trial = self.contributors.setter(trial);
        let mut of_site = of_trial.setter(held.site);
        let mut of_version = of_site.setter(U8::from(head.consent_version));
        let mut slot = of_version.setter(U32::from(held.number / WORD_BITS));
        let mut word = slot.get();
        word.set_bit((held.number % WORD_BITS) as usize, may);
        slot.set(word);
    }

    fn contributor_word(&self, trial: B256, site: Address, consent_version: u8, index: u32) -> U256 {
        let of_trial = self.contributors.getter(trial);
        let of_site = of_trial.getter(site);
        let of_version = of_site.getter(U8::from(consent_version));
        of_version.get(U32::from(index))
    }

    fn head(&self, trial: B256) -> TrialHead {
        TrialHead::from_word(self.trials.getter(trial).head.get())
    }

    fn write_head(&mut self, trial: B256, head: TrialHead) {
        self.trials.setter(trial).head.set(head.to_word());
    }

    fn counts(&self, trial: B256) -> Counts {
        Counts::from_word(self.trials.getter(trial).counts.get())
    }

    fn write_counts(&mut self, trial: B256, counts: Counts) {
        self.trials.setter(trial).counts.set(counts.to_word());
    }

    fn data(&self, trial: B256) -> B256 {
        self.trials.getter(trial).data.get()
    }

    fn write_version(&mut self, trial: B256, version: u8, protocol: B256, plan: B256, form: B256, head: VersionHead) {
        let mut of_trial = self.versions.setter(trial);
        let mut words = of_trial.setter(U8::from(version));
        words.protocol.set(protocol);
        words.plan.set(plan);
        words.form.set(form);
        words.head.set(head.to_word());
    }

    fn site(&self, trial: B256, site: Address) -> Site {
        Site::from_word(self.sites.getter(trial).getter(site).get())
    }

    fn write_site(&mut self, trial: B256, site: Address, held: Site) {
        self.sites.setter(trial).setter(site).set(held.to_word());
    }

    fn participant(&self, trial: B256, participant: Address) -> Participant {
        Participant::from_word(self.participants.getter(trial).getter(participant).get())
    }

    fn write_participant(&mut self, trial: B256, participant: Address, held: Participant) {
        let mut of_trial = self.participants.setter(trial);
        of_trial.setter(participant).set(held.to_word());
    }

    fn batch(&self, trial: B256, site: Address, sequence: u32) -> BatchHead {
        let of_trial = self.batches.getter(trial);
        let of_site = of_trial.getter(site);
        BatchHead::from_word(of_site.getter(U32::from(sequence)).head.get())
    }

    fn root(&self, trial: B256, site: Address, sequence: u32) -> B256 {
        let of_trial = self.batches.getter(trial);
        let of_site = of_trial.getter(site);
        of_site.getter(U32::from(sequence)).root.get()
    }

    fn write_batch(&mut self, trial: B256, site: Address, sequence: u32, root: B256, head: BatchHead) {
        let mut of_trial = self.batches.setter(trial);
        let mut of_site = of_trial.setter(site);
        let mut words = of_site.setter(U32::from(sequence));
        words.root.set(root);
        words.head.set(head.to_word());
    }
}

fn require_state(trial: B256, head: &TrialHead, state: u8) -> Result<(), Error> {
    if head.state != state {
        return Err(ITrials::TrialState {
            trial,
            state: head.state,
        }
        .into());
    }
    Ok(())
}

fn require_version(given: u8, expected: u8) -> Result<(), Error> {
    if given != expected {
        return Err(ITrials::TrialVersion { given, expected }.into());
    }
    Ok(())
}

fn require_digests(digests: &[B256]) -> Result<(), Error> {
    if digests.iter().any(|digest| digest.is_zero()) {
        return Err(ITrials::ZeroDigest {}.into());
    }
    Ok(())
}

fn require_standing(participant: Address, held: &Participant) -> Result<(), Error> {
    if held.status == status::WITHDRAWN {
        return Err(ITrials::ConsentWithdrawn {
            participant,
            at: held.at,
        }
        .into());
    }
    Ok(())
}

fn require_same_site(participant: Address, held: &Participant, site: Address) -> Result<(), Error> {
    if held.site != site {
        return Err(ITrials::OtherSite {
            participant,
            site: held.site,
        }
        .into());
    }
    Ok(())
}

/// Of the trial's time, and over: so its ends fit in 40 bits, as a block's time does.
fn require_period(from: u64, to: u64, registered_at: u64, now: u64) -> Result<(), Error> {
    if from >= to {
        return Err(ITrials::MalformedPeriod { from, to }.into());
    }
    if to > now {
        return Err(ITrials::PeriodInFuture { to, now }.into());
    }
    if from < registered_at {
        return Err(ITrials::PeriodBeforeRegistration {
            from,
            registeredAt: registered_at,
        }
        .into());
    }
    Ok(())
}
