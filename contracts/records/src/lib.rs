//! `records`: charts, record pointers and the access-control list, in one contract so that a check is one call.
//!
//! Implements [`IRecords`] of `medlock-abi`, which holds every event, error and struct. It must never
//! hold personal data, anything a dictionary can guess, or a wrapped key: nothing here can be taken back.
//! Start reading at [`Records`], then `Records::reason`, where access is decided; how a slot is packed
//! stands in [`medlock_abi::words::records`].
#![cfg_attr(not(any(test, feature = "export-abi")), no_std)]
#![forbid(unsafe_code)]
extern crate alloc;

#[cfg(test)]
mod tests;

use alloc::{vec, vec::Vec};

use alloy_primitives::{Address, B256};
use medlock_abi::{
    exceptions::IExceptions::factsOfCall,
    link::{self, Placeholder, linked},
    records::IRecords::{self, GrantTerms, Keyring, NewRecord, Question},
    registry::IRegistry::{hasRolesCall, mayActForCall},
    terms::{
        BATCH_MOST, COMPARTMENTS, SERIAL_MOST, TIME_MOST, action, power,
        reason::{self, Facts},
        record_status as status, role,
    },
};
use medlock_calls::{ask, log};
use stylus_sdk::{
    prelude::*,
    storage::{StorageAddress, StorageB256, StorageMap},
};

use medlock_abi::words::records::{CONTROL_EPOCH_MOST, ChartHead, Grant, RecordHead};

/// Every error a method can answer with; the fields are documented in [`IRecords`].
#[derive(SolidityError, Debug, PartialEq, Eq)]
pub enum Error {
    ZeroAddress(IRecords::ZeroAddress),
    ZeroDigest(IRecords::ZeroDigest),
    ZeroId(IRecords::ZeroId),
    NotActor(IRecords::NotActor),
    ChartExists(IRecords::ChartExists),
    UnknownChart(IRecords::UnknownChart),
    NotController(IRecords::NotController),
    NotOffered(IRecords::NotOffered),
    LastControlEpoch(IRecords::LastControlEpoch),
    NotExceptions(IRecords::NotExceptions),
    DirectoryVersion(IRecords::DirectoryVersion),
    RotationDue(IRecords::RotationDue),
    GrantEpoch(IRecords::GrantEpoch),
    CompartmentRange(IRecords::CompartmentRange),
    RecordExists(IRecords::RecordExists),
    UnknownRecord(IRecords::UnknownRecord),
    RecordStatus(IRecords::RecordStatus),
    StalePointer(IRecords::StalePointer),
    BatchExists(IRecords::BatchExists),
    NotInBatch(IRecords::NotInBatch),
    NotWriter(IRecords::NotWriter),
    NotCredentialed(IRecords::NotCredentialed),
    BatchSize(IRecords::BatchSize),
    EmptyGrant(IRecords::EmptyGrant),
    GrantWindow(IRecords::GrantWindow),
    TimeTooLarge(IRecords::TimeTooLarge),
    GrantToController(IRecords::GrantToController),
    GrantSerial(IRecords::GrantSerial),
    LastSerial(IRecords::LastSerial),
    NoGrant(IRecords::NoGrant),
}

static REGISTRY: Placeholder = link::REGISTRY;
static EXCEPTIONS: Placeholder = link::EXCEPTIONS;
static RELAY: Placeholder = link::RELAY;

/// Fields are append-only once deployed.
#[storage]
#[entrypoint]
pub struct Records {
    charts: StorageMap<B256, Chart>,
    /// By chart, then record id.
    records: StorageMap<B256, StorageMap<B256, Record>>,
    /// By chart, then grantee; one word each, see [`Grant`].
    grants: StorageMap<B256, StorageMap<Address, StorageB256>>,
    /// By chart: whom control is offered to. Zero: nobody.
    offers: StorageMap<B256, StorageAddress>,
    /// By chart, then root; one word each, a [`RecordHead`] whose version is the number of leaves.
    batches: StorageMap<B256, StorageMap<B256, StorageB256>>,
}

#[storage]
pub struct Chart {
    /// See [`ChartHead`].
    head: StorageB256,
    directory: StorageB256,
}

#[storage]
pub struct Record {
    /// See [`RecordHead`].
    head: StorageB256,
    /// Zero once the record is shredded.
    pointer: StorageB256,
}

/// (controller, grant epoch, directory version, directory digest, control epoch, exceptional, rotation due).
type ChartFacts = (Address, u32, u32, B256, u32, bool, bool);
/// (author, created at, version, compartment, status, codec, pointer).
type RecordFacts = (Address, u64, u32, u8, u8, u8, B256);

#[public]
impl Records {
    /// (registry, exceptions, relay).
    pub fn neighbours(&self) -> (Address, Address, Address) {
        (linked(&REGISTRY), linked(&EXCEPTIONS), linked(&RELAY))
    }

    /// Opens a chart, with directory version 1; the actor becomes its controller. By anyone.
    ///
    /// # Errors
    /// `NotActor`, `ZeroId`, `ZeroDigest`, `ChartExists`.
    /// # Events
    /// `ChartOpened`.
    pub fn open_chart(&mut self, actor: Address, chart: B256, directory: B256) -> Result<(), Error> {
        self.require_actor(actor)?;
        require_id(chart)?;
        require_digest(directory)?;
        if !self.chart_head(chart).controller.is_zero() {
            return Err(IRecords::ChartExists { chart }.into());
        }
        let head = ChartHead {
            controller: actor,
            grant_epoch: 1,
            directory_version: 1,
            exceptional: false,
            rotation_due: false,
            control_epoch: 0,
        };
        let mut slot = self.charts.setter(chart);
        slot.head.set(head.to_word());
        slot.directory.set(directory);
        log(
            self.vm(),
            IRecords::ChartOpened {
                chart,
                controller: actor,
                directory,
            },
        );
        Ok(())
    }

    /// Offers the control of a chart, in the place of an earlier offer; zero withdraws it. By the controller alone.
    ///
    /// # Errors
    /// `NotActor`, `UnknownChart`, `NotController`.
    /// # Events
    /// `ControlOffered`.
    pub fn offer_control(&mut self, actor: Address, chart: B256, to: Address) -> Result<(), Error> {
        self.require_power(actor, chart, 0)?;
        self.offers.setter(chart).set(to);
        log(self.vm(), IRecords::ControlOffered { chart, to });
        Ok(())
    }

    /// Takes the control that was offered, and installs the directory that the new controller has signed. Grants
    /// stay, but for the new controller's own; delegates and the emergency opt-in were the old controller's, and end;
    /// so does every signature of theirs that nobody has submitted. By whom it is offered to.
    ///
    /// # Errors
    /// `NotActor`, `UnknownChart`, `NotOffered`, `LastControlEpoch`, `ZeroDigest`, `DirectoryVersion`, `BatchSize`,
    /// `NoGrant` (also where `keyrings` names the new controller).
    /// # Events
    /// `ControlAccepted`, `Revoked` where the new controller held a grant, `DirectorySet`, then `KeyringSet` for each
    /// keyring, in the order given.
    pub fn accept_control(
        &mut self,
        actor: Address,
        chart: B256,
        version: u32,
        directory: B256,
        keyrings: Vec<Keyring>,
    ) -> Result<(), Error> {
        self.require_actor(actor)?;
        let mut head = self.require_chart(chart)?;
        let offered = self.offers.getter(chart).get();
        if actor != offered {
            return Err(IRecords::NotOffered { actor, offered }.into());
        }
        if head.control_epoch == CONTROL_EPOCH_MOST {
            return Err(IRecords::LastControlEpoch {}.into());
        }
        self.require_rotation(chart, &head, version, directory, actor, &keyrings)?;
        head.controller = actor;
        head.control_epoch += 1;
        self.offers.setter(chart).set(Address::ZERO);
        log(
            self.vm(),
            IRecords::ControlAccepted {
                chart,
                controller: actor,
                controlEpoch: head.control_epoch,
            },
        );
        if self.grant_head(chart, actor).epoch != 0 {
            self.end_grant(chart, actor);
        }
        self.rotate(chart, head, directory, keyrings);
        Ok(())
    }

    /// Whom control is offered to; zero: nobody.
    pub fn offered_to(&self, chart: B256) -> Address {
        self.offers.getter(chart).get()
    }

    /// Installs the next directory. By the controller, or a delegate with DIRECTORY.
    ///
    /// # Errors
    /// `NotActor`, `UnknownChart`, `NotController`, `ZeroDigest`, `DirectoryVersion`.
    /// # Events
    /// `ByDelegate` where one acts, `DirectorySet`.
    pub fn set_directory(&mut self, actor: Address, chart: B256, version: u32, directory: B256) -> Result<(), Error> {
        let head = self.require_power(actor, chart, power::DIRECTORY)?;
        self.require_rotation(chart, &head, version, directory, Address::ZERO, &[])?;
        self.rotate(chart, head, directory, Vec::new());
        Ok(())
    }

    /// (controller, grant epoch, directory version, directory digest, control epoch, exceptional, rotation due).
    pub fn chart_of(&self, chart: B256) -> ChartFacts {
        let head = self.chart_head(chart);
        (
            head.controller,
            head.grant_epoch,
            head.standing_version(),
            self.charts.getter(chart).directory.get(),
            head.control_epoch,
            head.exceptional,
            head.rotation_due,
        )
    }

    /// Has `decide` ask `exceptions` about this chart from now on. By `exceptions`; nothing happens where it is so.
    ///
    /// # Errors
    /// `NotExceptions`, `UnknownChart`.
    /// # Events
    /// `MadeExceptional`.
    pub fn set_exceptional(&mut self, chart: B256) -> Result<(), Error> {
        let caller = self.vm().msg_sender();
        if caller != linked(&EXCEPTIONS) {
            return Err(IRecords::NotExceptions { caller }.into());
        }
        let mut head = self.require_chart(chart)?;
        if !head.exceptional {
            head.exceptional = true;
            self.charts.setter(chart).head.set(head.to_word());
            log(self.vm(), IRecords::MadeExceptional { chart });
        }
        Ok(())
    }

    /// Adds new records. By the controller, a delegate with WRITE, or a credentialed provider with a write grant in
    /// force on each record's compartment; `organisation`: on the grant and the credential of the organisation that
    /// the actor is a member of.
    ///
    /// # Errors
    /// `NotActor`, `UnknownChart`, `RotationDue`, `DirectoryVersion`, `BatchSize`, `ZeroId`, `ZeroDigest`, `CompartmentRange`,
    /// `NotWriter`, `NotCredentialed`, `RecordExists`.
    /// # Events
    /// `ByDelegate` or `ActedFor` where it is so, then `RecordAdded` for each, in the order given.
    pub fn add_records(
        &mut self,
        actor: Address,
        chart: B256,
        organisation: Address,
        directory_version: u32,
        records: Vec<NewRecord>,
    ) -> Result<(), Error> {
        require_batch(records.len())?;
        let mut compartments = 0;
        for record in &records {
            require_id(record.recordId)?;
            require_digest(record.pointer)?;
            compartments |= bit(record.compartment)?;
        }
        let head = self.require_directory(actor, chart, directory_version)?;
        self.require_writer(actor, chart, &head, organisation, B256::ZERO, compartments)?;

        let created_at = self.vm().block_timestamp();
        let mut of_chart = self.records.setter(chart);
        for record in records {
            let head = RecordHead {
                author: actor,
                created_at,
                version: 1,
                compartment: record.compartment,
                status: status::CURRENT,
                codec: record.codec,
            };
            let mut slot = of_chart.setter(record.recordId);
            // A record that stands twice in the batch is found here; the revert takes back what was written before it.
            slot.write_new(record.recordId, head, record.pointer)?;
            log(
                of_chart.vm(),
                IRecords::RecordAdded {
                    chart,
                    recordId: record.recordId,
                    author: actor,
                    compartment: record.compartment,
                    codec: record.codec,
                    pointer: record.pointer,
                },
            );
        }
        Ok(())
    }

    /// Puts a new version in the place of the one that `previous` points to, in the same compartment. By whom
    /// `addRecords` may be called, unless a rule denies them this record.
    ///
    /// # Errors
    /// `NotActor`, `UnknownChart`, `RotationDue`, `DirectoryVersion`, `UnknownRecord`, `RecordStatus`, `StalePointer`, `ZeroDigest`,
    /// `NotWriter`, `NotCredentialed`.
    /// # Events
    /// `ByDelegate` or `ActedFor` where it is so, `RecordAmended`.
    #[allow(clippy::too_many_arguments)]
    pub fn amend_record(
        &mut self,
        actor: Address,
        chart: B256,
        organisation: Address,
        directory_version: u32,
        record_id: B256,
        previous: B256,
        codec: u8,
        pointer: B256,
    ) -> Result<(), Error> {
        require_digest(pointer)?;
        let chart_head = self.require_directory(actor, chart, directory_version)?;
        let mut head = self.require_amendable(actor, chart, &chart_head, organisation, record_id, previous)?;
        head.author = actor;
        head.created_at = self.vm().block_timestamp();
        // One more each transaction: 2^32 of them cannot be paid for.
        head.version += 1;
        head.codec = codec;
        self.write_record(chart, record_id, head, pointer);
        log(
            self.vm(),
            IRecords::RecordAmended {
                chart,
                recordId: record_id,
                author: actor,
                version: head.version,
                codec,
                pointer,
                previous,
            },
        );
        Ok(())
    }

    /// Marks a record as entered in error: it stays readable, and nobody amends it any more. By whom it may be amended.
    ///
    /// # Errors
    /// `NotActor`, `UnknownChart`, `UnknownRecord`, `RecordStatus`, `StalePointer`, `NotWriter`, `NotCredentialed`.
    /// # Events
    /// `ByDelegate` or `ActedFor` where it is so, `RecordEnteredInError`.
    pub fn enter_in_error(
        &mut self,
        actor: Address,
        chart: B256,
        organisation: Address,
        record_id: B256,
        previous: B256,
    ) -> Result<(), Error> {
        self.require_actor(actor)?;
        let chart_head = self.require_chart(chart)?;
        let mut head = self.require_amendable(actor, chart, &chart_head, organisation, record_id, previous)?;
        head.status = status::ENTERED_IN_ERROR;
        self.write_record(chart, record_id, head, previous);
        log(
            self.vm(),
            IRecords::RecordEnteredInError {
                chart,
                recordId: record_id,
                by: actor,
            },
        );
        Ok(())
    }

    /// Clears the pointer of a record, for good; a tombstone remains, and its id is never free again. By the controller alone.
    ///
    /// # Errors
    /// `NotActor`, `UnknownChart`, `NotController`, `UnknownRecord`, `RecordStatus` (shredded before).
    /// # Events
    /// `RecordShredded`.
    pub fn shred_record(&mut self, actor: Address, chart: B256, record_id: B256) -> Result<(), Error> {
        self.require_power(actor, chart, 0)?;
        let mut head = self.require_record(chart, record_id)?;
        if head.status == status::SHREDDED {
            return Err(record_status(record_id, &head));
        }
        head.status = status::SHREDDED;
        self.write_record(chart, record_id, head, B256::ZERO);
        log(
            self.vm(),
            IRecords::RecordShredded {
                chart,
                recordId: record_id,
            },
        );
        Ok(())
    }

    /// (author, created at, version, compartment, status, codec, pointer), of the current version.
    pub fn record_of(&self, chart: B256, record_id: B256) -> RecordFacts {
        let head = self.record_head(chart, record_id);
        (
            head.author,
            head.created_at,
            head.version,
            head.compartment,
            head.status,
            head.codec,
            self.pointer(chart, record_id),
        )
    }

    /// Adds `count` records of one compartment by the root of their Merkle tree, in one word. By whom they might be
    /// added one by one.
    ///
    /// # Errors
    /// `NotActor`, `UnknownChart`, `RotationDue`, `DirectoryVersion`, `ZeroDigest`, `BatchSize` (no leaves), `CompartmentRange`,
    /// `NotWriter`, `NotCredentialed`, `BatchExists`.
    /// # Events
    /// `ByDelegate` or `ActedFor` where it is so, `BatchAdded`.
    #[allow(clippy::too_many_arguments)]
    pub fn add_batch(
        &mut self,
        actor: Address,
        chart: B256,
        organisation: Address,
        directory_version: u32,
        compartment: u8,
        codec: u8,
        root: B256,
        count: u32,
    ) -> Result<(), Error> {
        require_digest(root)?;
        if count == 0 {
            return Err(batch_size(0, u32::MAX));
        }
        let compartments = bit(compartment)?;
        let chart_head = self.require_directory(actor, chart, directory_version)?;
        if self.batch_head(chart, root).version != 0 {
            return Err(IRecords::BatchExists { root }.into());
        }
        self.require_writer(actor, chart, &chart_head, organisation, B256::ZERO, compartments)?;
        let head = RecordHead {
            author: actor,
            created_at: self.vm().block_timestamp(),
            version: count,
            compartment,
            status: status::CURRENT,
            codec,
        };
        self.batches.setter(chart).setter(root).set(head.to_word());
        log(
            self.vm(),
            IRecords::BatchAdded {
                chart,
                root,
                author: actor,
                compartment,
                codec,
                count,
            },
        );
        Ok(())
    }

    /// (author, created at, number of leaves, compartment, codec).
    pub fn batch_of(&self, chart: B256, root: B256) -> (Address, u64, u32, u8, u8) {
        let head = self.batch_head(chart, root);
        (head.author, head.created_at, head.version, head.compartment, head.codec)
    }

    /// Whether this record is leaf `index` of the batch.
    pub fn verify_batch(
        &self,
        chart: B256,
        root: B256,
        index: u32,
        record_id: B256,
        pointer: B256,
        proof: Vec<B256>,
    ) -> bool {
        let keccak = |bytes: &[u8]| self.vm().native_keccak256(bytes);
        let leaf = medlock_merkle::leaf_of_two(keccak, record_id, pointer);
        // No batch has no leaves, and so no leaf.
        let count = self.batch_head(chart, root).version;
        medlock_merkle::verify(keccak, root, count, index, leaf, &proof)
    }

    /// Makes a record of a leaf, with the batch's author and time: from now on it is a record like others. By anyone,
    /// as it only states what stands already.
    ///
    /// # Errors
    /// `ZeroId`, `ZeroDigest`, `NotInBatch`, `RecordExists`.
    /// # Events
    /// `RecordTakenFromBatch`.
    pub fn take_from_batch(
        &mut self,
        chart: B256,
        root: B256,
        index: u32,
        record_id: B256,
        pointer: B256,
        proof: Vec<B256>,
    ) -> Result<(), Error> {
        require_id(record_id)?;
        require_digest(pointer)?;
        if !self.verify_batch(chart, root, index, record_id, pointer, proof) {
            return Err(IRecords::NotInBatch {
                root,
                recordId: record_id,
            }
            .into());
        }
        let head = RecordHead {
            version: 1,
            ..self.batch_head(chart, root)
        };
        let mut of_chart = self.records.setter(chart);
        of_chart.setter(record_id).write_new(record_id, head, pointer)?;
        log(
            self.vm(),
            IRecords::RecordTakenFromBatch {
                chart,
                recordId: record_id,
                root,
                author: head.author,
                createdAt: head.created_at,
                compartment: head.compartment,
                codec: head.codec,
                pointer,
            },
        );
        Ok(())
    }

    /// Sets or replaces the grant of `grantee`. By the controller, or a delegate with GRANT.
    ///
    /// # Errors
    /// `NotActor`, `UnknownChart`, `NotController`, `RotationDue`, `DirectoryVersion`, `ZeroAddress`, `GrantToController`,
    /// `ZeroDigest`, `EmptyGrant`, `TimeTooLarge`, `GrantWindow`, `GrantSerial`, `LastSerial`.
    /// # Events
    /// `ByDelegate` where one acts, `Granted`.
    #[allow(clippy::too_many_arguments)]
    pub fn grant(
        &mut self,
        actor: Address,
        chart: B256,
        directory_version: u32,
        grantee: Address,
        serial: u8,
        terms: GrantTerms,
        keyring: B256,
    ) -> Result<(), Error> {
        let head = self.require_power(actor, chart, power::GRANT)?;
        require_sealed(chart, &head, directory_version)?;
        require_address(grantee)?;
        if grantee == head.controller {
            return Err(IRecords::GrantToController {}.into());
        }
        require_digest(keyring)?;
        require_terms(&terms, self.vm().block_timestamp())?;
        let held = self.grant_head(chart, grantee);
        let (current, since) = if held.epoch == head.grant_epoch {
            (held.serial, held.since)
        } else {
            (0, head.directory_version)
        };
        if serial != current {
            return Err(IRecords::GrantSerial { given: serial, current }.into());
        }
        if current == SERIAL_MOST {
            return Err(IRecords::LastSerial { grantee }.into());
        }

        let grant = Grant::new(head.grant_epoch, since, current + 1, &terms);
        self.grants.setter(chart).setter(grantee).set(grant.to_word());
        log(
            self.vm(),
            IRecords::Granted {
                chart,
                grantee,
                serial: grant.serial,
                since,
                epoch: grant.epoch,
                compartments: terms.compartments,
                purposes: terms.purposes,
                actions: terms.actions,
                notBefore: terms.notBefore,
                expiry: terms.expiry,
                keyring,
            },
        );
        Ok(())
    }

    /// Announces re-sealed keys for grantees that keep their grants. By the controller, or a delegate with DIRECTORY.
    ///
    /// # Errors
    /// `NotActor`, `UnknownChart`, `NotController`, `RotationDue`, `DirectoryVersion`, `BatchSize`, `ZeroDigest`, `NoGrant`.
    /// # Events
    /// `ByDelegate` where one acts, `KeyringSet` for each, in the order given.
    pub fn set_keyrings(
        &mut self,
        actor: Address,
        chart: B256,
        directory_version: u32,
        keyrings: Vec<Keyring>,
    ) -> Result<(), Error> {
        let head = self.require_power(actor, chart, power::DIRECTORY)?;
        require_sealed(chart, &head, directory_version)?;
        require_batch(keyrings.len())?;
        self.require_keyrings(chart, &head, Address::ZERO, &keyrings)?;
        self.announce_keyrings(chart, keyrings);
        Ok(())
    }

    /// Ends a grant, installs the directory with rotated keys, and hands those keys to the grantees who stay, in one
    /// step: nobody can seal to a key that the revoked reader holds, nobody who stays is left without one, and no
    /// grant that was signed but not submitted can take effect, as it names the directory version before.
    /// By the controller, or a delegate with REVOKE.
    ///
    /// # Errors
    /// `NotActor`, `UnknownChart`, `NotController`, `NoGrant` (also where `keyrings` names the revoked grantee),
    /// `ZeroDigest`, `DirectoryVersion`, `BatchSize`.
    /// # Events
    /// `ByDelegate` where one acts, `Revoked`, `DirectorySet`, then `KeyringSet` for each keyring, in the order given.
    pub fn revoke(
        &mut self,
        actor: Address,
        chart: B256,
        grantee: Address,
        version: u32,
        directory: B256,
        keyrings: Vec<Keyring>,
    ) -> Result<(), Error> {
        let head = self.require_power(actor, chart, power::REVOKE)?;
        self.require_grant(chart, &head, grantee)?;
        self.require_rotation(chart, &head, version, directory, grantee, &keyrings)?;
        self.end_grant(chart, grantee);
        self.rotate(chart, head, directory, keyrings);
        Ok(())
    }

    /// Ends every grant of the chart at a constant cost: one word and one event, with nothing at hand but the right to.
    /// Rotated keys follow by `setDirectory`, with the version after the next; until then nothing is sealed, granted or delegated.
    /// By the controller, or a delegate with REVOKE.
    ///
    /// # Errors
    /// `NotActor`, `UnknownChart`, `NotController`, `GrantEpoch`.
    /// # Events
    /// `ByDelegate` where one acts, `AllRevoked`.
    pub fn revoke_all(&mut self, actor: Address, chart: B256, epoch: u32) -> Result<(), Error> {
        let mut head = self.require_power(actor, chart, power::REVOKE)?;
        // One more each transaction: 2^32 of them cannot be paid for.
        head.grant_epoch += 1;
        if epoch != head.grant_epoch {
            return Err(IRecords::GrantEpoch {
                given: epoch,
                expected: head.grant_epoch,
            }
            .into());
        }
        if !head.rotation_due {
            head.rotation_due = true;
            // Used up: a directory that was signed for the next version before this cannot be installed after it.
            head.directory_version += 1;
        }
        self.charts.setter(chart).head.set(head.to_word());
        log(self.vm(), IRecords::AllRevoked { chart, epoch });
        Ok(())
    }

    /// (epoch, since, serial, terms). `epoch` below the chart's grant epoch: ended by `revokeAll`.
    pub fn grant_of(&self, chart: B256, grantee: Address) -> (u32, u32, u8, GrantTerms) {
        let grant = self.grant_head(chart, grantee);
        (grant.epoch, grant.since, grant.serial, grant.terms())
    }

    /// Answers one question; see [`reason`] for the order in which reasons are found.
    pub fn decide(&self, question: Question) -> (bool, u8) {
        let reason = self.answer(question);
        (reason::is_allowed(reason), reason)
    }

    /// The reason for each question, in the order given.
    ///
    /// # Errors
    /// `BatchSize`.
    pub fn decide_many(&self, questions: Vec<Question>) -> Result<Vec<u8>, Error> {
        require_batch(questions.len())?;
        Ok(questions.into_iter().map(|question| self.answer(question)).collect())
    }
}

impl Records {
    fn answer(&self, question: Question) -> u8 {
        if question.compartment >= COMPARTMENTS
            || !question.purpose.is_power_of_two()
            || !question.action.is_power_of_two()
        {
            return reason::MALFORMED;
        }
        let head = self.chart_head(question.chart);
        if head.controller.is_zero() {
            return reason::UNKNOWN_CHART;
        }
        if !question.member.is_zero() && !self.may_act_for(question.grantee, question.member, 0) {
            return reason::NOT_MEMBER;
        }
        self.reason(&head, &question)
    }

    /// The one place where access is decided, for readers and writers. The order of the checks is part of the ABI:
    /// see [`medlock_abi::terms::reason`]. The question's form is sound, the chart is known, and the member, if there is
    /// one, is one; a purpose of 0 is a write's, which states none.
    fn reason(&self, head: &ChartHead, question: &Question) -> u8 {
        let granted = if question.grantee == head.controller {
            reason::CONTROLLER
        } else {
            let grant = self.grant_head(question.chart, question.grantee);
            let by_grant = by_grant(head, &grant, question, self.vm().block_timestamp());
            if head.exceptional {
                reason::combine(by_grant, grant.since, question.action, self.facts(head, question))
            } else {
                by_grant
            }
        };
        if !reason::is_allowed(granted) || question.recordId.is_zero() {
            return granted;
        }
        let record = self.record_head(question.chart, question.recordId);
        if record.version == 0 {
            reason::UNKNOWN_RECORD
        } else if record.compartment != question.compartment {
            reason::RECORD_COMPARTMENT
        } else if record.status == status::SHREDDED {
            reason::SHREDDED
        } else {
            granted
        }
    }

    /// What stands beside the grants of an exceptional chart.
    fn facts(&self, head: &ChartHead, question: &Question) -> Facts {
        let call = factsOfCall {
            chart: question.chart,
            grantEpoch: head.grant_epoch,
            controlEpoch: head.control_epoch,
            grantee: question.grantee,
            member: question.member,
            compartment: question.compartment,
            recordId: question.recordId,
            purpose: question.purpose,
            action: question.action,
        };
        match ask(self.vm(), linked(&EXCEPTIONS), &call) {
            Some(facts) => Facts {
                denied: facts.denied,
                allowed_since: facts.allowedSince,
                powers: facts.powers,
                emergency: facts.emergency,
            },
            None => reason::NO_FACTS,
        }
    }

    /// The caller is who acts, or the relay, which has checked their signature.
    fn require_actor(&self, actor: Address) -> Result<(), Error> {
        let caller = self.vm().msg_sender();
        if caller != actor && caller != linked(&RELAY) {
            return Err(IRecords::NotActor { caller, actor }.into());
        }
        Ok(())
    }

    fn require_chart(&self, chart: B256) -> Result<ChartHead, Error> {
        let head = self.chart_head(chart);
        if head.controller.is_zero() {
            return Err(IRecords::UnknownChart { chart }.into());
        }
        Ok(head)
    }

    /// The actor is the controller, or a delegate with this power; of power 0 no delegate has any.
    fn require_power(&self, actor: Address, chart: B256, power: u8) -> Result<ChartHead, Error> {
        self.require_actor(actor)?;
        let head = self.require_chart(chart)?;
        if actor == head.controller {
            return Ok(head);
        }
        if !head.exceptional || self.facts(&head, &question(chart, actor)).powers & power == 0 {
            return Err(IRecords::NotController { actor, power }.into());
        }
        self.log_delegate(chart, actor, power);
        Ok(head)
    }

    /// Envelopes are sealed to the current directory.
    fn require_directory(&self, actor: Address, chart: B256, given: u32) -> Result<ChartHead, Error> {
        self.require_actor(actor)?;
        let head = self.require_chart(chart)?;
        require_sealed(chart, &head, given)?;
        Ok(head)
    }

    /// The actor may write to each of these compartments (and, unless zero, this record), for the organisation where
    /// one is named, and holds the credential that it takes. The controller and their delegates need none.
    fn require_writer(
        &self,
        actor: Address,
        chart: B256,
        head: &ChartHead,
        organisation: Address,
        record_id: B256,
        compartments: u64,
    ) -> Result<(), Error> {
        let mut ask = question(chart, actor);
        if !organisation.is_zero() {
            ask.grantee = organisation;
            ask.member = actor;
        }
        ask.recordId = record_id;
        ask.action = action::WRITE;
        let (mut by_delegate, mut on_credential) = (false, !organisation.is_zero());
        let mut left = compartments;
        while left != 0 {
            // Below 64, as `left` has a bit.
            ask.compartment = left.trailing_zeros() as u8;
            left &= left - 1;
            match self.reason(head, &ask) {
                reason::CONTROLLER => {}
                reason::DELEGATE => by_delegate = true,
                allowed if reason::is_allowed(allowed) => on_credential = true,
                reason => {
                    return Err(IRecords::NotWriter {
                        actor,
                        compartment: ask.compartment,
                        reason,
                    }
                    .into());
                }
            }
        }
        if on_credential && !self.is_provider(actor, organisation) {
            return Err(IRecords::NotCredentialed { actor, organisation }.into());
        }
        if by_delegate {
            self.log_delegate(chart, actor, power::WRITE);
        }
        if !organisation.is_zero() {
            log(
                self.vm(),
                IRecords::ActedFor {
                    chart,
                    organisation,
                    member: actor,
                },
            );
        }
        Ok(())
    }

    /// The record is current, `previous` its pointer, and the actor may amend it.
    fn require_amendable(
        &self,
        actor: Address,
        chart: B256,
        chart_head: &ChartHead,
        organisation: Address,
        record_id: B256,
        previous: B256,
    ) -> Result<RecordHead, Error> {
        let head = self.require_record(chart, record_id)?;
        if head.status != status::CURRENT {
            return Err(record_status(record_id, &head));
        }
        let current = self.pointer(chart, record_id);
        if current != previous {
            return Err(IRecords::StalePointer {
                given: previous,
                current,
            }
            .into());
        }
        self.require_writer(
            actor,
            chart,
            chart_head,
            organisation,
            record_id,
            bit(head.compartment)?,
        )?;
        Ok(head)
    }

    fn require_record(&self, chart: B256, record_id: B256) -> Result<RecordHead, Error> {
        let head = self.record_head(chart, record_id);
        if head.version == 0 {
            return Err(IRecords::UnknownRecord { recordId: record_id }.into());
        }
        Ok(head)
    }

    /// A grant of the current epoch, in force or not.
    fn require_grant(&self, chart: B256, head: &ChartHead, grantee: Address) -> Result<(), Error> {
        // Epochs start at 1 and a cleared grant's is 0.
        if self.grant_head(chart, grantee).epoch != head.grant_epoch {
            return Err(IRecords::NoGrant { grantee }.into());
        }
        Ok(())
    }

    /// Whether the registry says at this moment that the actor, or the organisation that they are a member of, is a
    /// provider.
    fn is_provider(&self, actor: Address, organisation: Address) -> bool {
        if !organisation.is_zero() {
            return self.may_act_for(organisation, actor, role::PROVIDER);
        }
        let call = hasRolesCall {
            party: actor,
            roles: role::PROVIDER,
        };
        ask(self.vm(), linked(&REGISTRY), &call).unwrap_or(false)
    }

    fn may_act_for(&self, organisation: Address, member: Address, roles: u64) -> bool {
        let call = mayActForCall {
            organisation,
            member,
            roles,
        };
        ask(self.vm(), linked(&REGISTRY), &call).unwrap_or(false)
    }

    fn chart_head(&self, chart: B256) -> ChartHead {
        ChartHead::from_word(self.charts.getter(chart).head.get())
    }

    fn record_head(&self, chart: B256, record_id: B256) -> RecordHead {
        RecordHead::from_word(self.records.getter(chart).getter(record_id).head.get())
    }

    fn pointer(&self, chart: B256, record_id: B256) -> B256 {
        self.records.getter(chart).getter(record_id).pointer.get()
    }

    fn batch_head(&self, chart: B256, root: B256) -> RecordHead {
        RecordHead::from_word(self.batches.getter(chart).getter(root).get())
    }

    fn grant_head(&self, chart: B256, grantee: Address) -> Grant {
        Grant::from_word(self.grants.getter(chart).getter(grantee).get())
    }

    fn write_record(&mut self, chart: B256, record_id: B256, head: RecordHead, pointer: B256) {
        let mut of_chart = self.records.setter(chart);
        of_chart.setter(record_id).write(head, pointer);
    }

    fn end_grant(&mut self, chart: B256, grantee: Address) {
        self.grants.setter(chart).setter(grantee).set(B256::ZERO);
        log(self.vm(), IRecords::Revoked { chart, grantee });
    }

    /// The directory is the next one, and its keyrings go to who keeps a grant; `ended` does not.
    fn require_rotation(
        &self,
        chart: B256,
        head: &ChartHead,
        version: u32,
        directory: B256,
        ended: Address,
        keyrings: &[Keyring],
    ) -> Result<(), Error> {
        require_digest(directory)?;
        // One more each transaction: 2^32 of them cannot be paid for.
        require_version(version, head.directory_version + 1)?;
        if !keyrings.is_empty() {
            require_batch(keyrings.len())?;
        }
        self.require_keyrings(chart, head, ended, keyrings)
    }

    /// Each keyring has a digest, and its grantee, who is not `ended`, a grant of the current epoch.
    fn require_keyrings(
        &self,
        chart: B256,
        head: &ChartHead,
        ended: Address,
        keyrings: &[Keyring],
    ) -> Result<(), Error> {
        for keyring in keyrings {
            require_digest(keyring.keyring)?;
            let grantee = keyring.grantee;
            if grantee == ended {
                return Err(IRecords::NoGrant { grantee }.into());
            }
            self.require_grant(chart, head, grantee)?;
        }
        Ok(())
    }

    /// Writes `head` with the next directory, announces it, and hands its keys to those who keep their grants.
    fn rotate(&mut self, chart: B256, mut head: ChartHead, directory: B256, keyrings: Vec<Keyring>) {
        head.directory_version += 1;
        head.rotation_due = false;
        let mut slot = self.charts.setter(chart);
        slot.head.set(head.to_word());
        slot.directory.set(directory);
        log(
            self.vm(),
            IRecords::DirectorySet {
                chart,
                version: head.directory_version,
                directory,
            },
        );
        self.announce_keyrings(chart, keyrings);
    }

    fn announce_keyrings(&self, chart: B256, keyrings: Vec<Keyring>) {
        for Keyring { grantee, keyring } in keyrings {
            log(
                self.vm(),
                IRecords::KeyringSet {
                    chart,
                    grantee,
                    keyring,
                },
            );
        }
    }

    fn log_delegate(&self, chart: B256, delegate: Address, power: u8) {
        log(self.vm(), IRecords::ByDelegate { chart, delegate, power });
    }
}

impl Record {
    fn write_new(&mut self, record_id: B256, head: RecordHead, pointer: B256) -> Result<(), Error> {
        // A record's first word is never zero.
        if !self.head.get().is_zero() {
            return Err(IRecords::RecordExists { recordId: record_id }.into());
        }
        self.write(head, pointer);
        Ok(())
    }

    fn write(&mut self, head: RecordHead, pointer: B256) {
        self.head.set(head.to_word());
        self.pointer.set(pointer);
    }
}

/// A question that asks nothing yet.
fn question(chart: B256, grantee: Address) -> Question {
    Question {
        chart,
        grantee,
        member: Address::ZERO,
        compartment: 0,
        recordId: B256::ZERO,
        purpose: 0,
        action: 0,
    }
}

fn by_grant(chart: &ChartHead, grant: &Grant, question: &Question, now: u64) -> u8 {
    if grant.epoch == 0 {
        reason::NO_GRANT
    } else if grant.epoch < chart.grant_epoch {
        reason::REVOKED
    } else if now < grant.not_before {
        reason::NOT_YET_VALID
    } else if grant.expiry != 0 && now >= grant.expiry {
        reason::EXPIRED
    } else if grant.compartments >> question.compartment & 1 == 0 {
        reason::COMPARTMENT
    } else if question.purpose != 0 && grant.purposes & question.purpose == 0 {
        reason::PURPOSE
    } else if grant.actions & question.action == 0 {
        reason::ACTION
    } else {
        reason::GRANT
    }
}

fn bit(compartment: u8) -> Result<u64, Error> {
    if compartment >= COMPARTMENTS {
        return Err(IRecords::CompartmentRange { compartment }.into());
    }
    Ok(1 << compartment)
}

fn record_status(record_id: B256, head: &RecordHead) -> Error {
    IRecords::RecordStatus {
        recordId: record_id,
        status: head.status,
    }
    .into()
}

fn require_address(address: Address) -> Result<(), Error> {
    if address.is_zero() {
        return Err(IRecords::ZeroAddress {}.into());
    }
    Ok(())
}

fn require_id(id: B256) -> Result<(), Error> {
    if id.is_zero() {
        return Err(IRecords::ZeroId {}.into());
    }
    Ok(())
}

fn require_digest(digest: B256) -> Result<(), Error> {
    if digest.is_zero() {
        return Err(IRecords::ZeroDigest {}.into());
    }
    Ok(())
}

fn require_batch(given: usize) -> Result<(), Error> {
    if given == 0 || given > BATCH_MOST {
        // Calldata of 2^32 entries cannot be paid for.
        return Err(batch_size(given as u32, BATCH_MOST as u32));
    }
    Ok(())
}

fn batch_size(given: u32, most: u32) -> Error {
    IRecords::BatchSize { given, most }.into()
}

/// What is sealed is sealed to the keys of the current directory, and those are nobody's who lost their grant.
fn require_sealed(chart: B256, head: &ChartHead, given: u32) -> Result<(), Error> {
    if head.rotation_due {
        return Err(IRecords::RotationDue { chart }.into());
    }
    require_version(given, head.directory_version)
}

fn require_version(given: u32, expected: u32) -> Result<(), Error> {
    if given != expected {
        return Err(IRecords::DirectoryVersion { given, expected }.into());
    }
    Ok(())
}

fn require_terms(terms: &GrantTerms, now: u64) -> Result<(), Error> {
    if terms.compartments == 0 || terms.purposes == 0 || terms.actions == 0 {
        return Err(IRecords::EmptyGrant {}.into());
    }
    let latest = terms.notBefore.max(terms.expiry);
    if latest > TIME_MOST {
        return Err(IRecords::TimeTooLarge { time: latest }.into());
    }
    if terms.expiry != 0 && terms.expiry <= terms.notBefore.max(now) {
        return Err(IRecords::GrantWindow {
            notBefore: terms.notBefore,
            expiry: terms.expiry,
        }
        .into());
    }
    Ok(())
}
