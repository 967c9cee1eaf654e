//! `records`: charts, record pointers and the access-control list, in one contract so that a check is one call.
//!
//! Implements [`IRecords`] of `medlock-abi`, which holds every event, error and struct. It must never
//! hold personal data, anything a dictionary can guess, or a wrapped key: nothing here can be taken back.
//! Start reading at [`Records`], then `Records::reason`, where access is decided; how a slot is packed
//! stands in [`slots`].
#![cfg_attr(not(any(test, feature = "export-abi")), no_std)]
#![forbid(unsafe_code)]
extern crate alloc;

pub mod slots;
#[cfg(test)]
mod tests;

use alloc::{vec, vec::Vec};

use alloy_primitives::{Address, B256, U256};
use alloy_sol_types::SolCall;
use medlock_abi::{
    records::IRecords::{self, GrantTerms, Keyring, NewRecord, Question},
    registry::IRegistry::hasRolesCall,
    terms::{BATCH_MOST, COMPARTMENTS, TIME_MOST, action, reason, role},
};
use stylus_sdk::{
    prelude::*,
    storage::{StorageAddress, StorageB256, StorageMap},
};

use crate::slots::{ChartHead, Grant, RecordHead};

/// Every error a method can answer with; the fields are documented in [`IRecords`].
#[derive(SolidityError, Debug, PartialEq, Eq)]
pub enum Error {
    AlreadyInitialized(IRecords::AlreadyInitialized),
    ZeroAddress(IRecords::ZeroAddress),
    ZeroDigest(IRecords::ZeroDigest),
    ZeroId(IRecords::ZeroId),
    ChartExists(IRecords::ChartExists),
    UnknownChart(IRecords::UnknownChart),
    NotController(IRecords::NotController),
    DirectoryVersion(IRecords::DirectoryVersion),
    CompartmentRange(IRecords::CompartmentRange),
    RecordExists(IRecords::RecordExists),
    UnknownRecord(IRecords::UnknownRecord),
    StalePointer(IRecords::StalePointer),
    NotWriter(IRecords::NotWriter),
    NotCredentialed(IRecords::NotCredentialed),
    BatchSize(IRecords::BatchSize),
    EmptyGrant(IRecords::EmptyGrant),
    GrantWindow(IRecords::GrantWindow),
    TimeTooLarge(IRecords::TimeTooLarge),
    GrantToController(IRecords::GrantToController),
    NoGrant(IRecords::NoGrant),
}

/// Fields are append-only once deployed.
#[storage]
#[entrypoint]
pub struct Records {
    /// Zero until initialised, never zero afterwards.
    registry: StorageAddress,
    charts: StorageMap<B256, Chart>,
    /// By chart, then record id.
    records: StorageMap<B256, StorageMap<B256, Record>>,
    /// By chart, then grantee; one word each, see [`Grant`].
    grants: StorageMap<B256, StorageMap<Address, StorageB256>>,
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
    pointer: StorageB256,
}

#[public]
impl Records {
    /// Names the registry that credentials are looked up in. By anyone, once: the deployer does it at
    /// once and reads it back.
    ///
    /// # Errors
    /// `AlreadyInitialized`, `ZeroAddress`.
    /// # Events
    /// `Initialized`.
    pub fn initialize(&mut self, registry: Address) -> Result<(), Error> {
        if !self.registry.get().is_zero() {
            return Err(IRecords::AlreadyInitialized {}.into());
        }
        require_address(registry)?;
        self.registry.set(registry);
        self.vm().log(IRecords::Initialized { registry });
        Ok(())
    }

    pub fn registry(&self) -> Address {
        self.registry.get()
    }

    /// Opens a chart, with directory version 1; the caller becomes its controller. By anyone.
    ///
    /// # Errors
    /// `ZeroId`, `ZeroDigest`, `ChartExists`.
    /// # Events
    /// `ChartOpened`.
    pub fn open_chart(&mut self, chart: B256, directory: B256) -> Result<(), Error> {
        require_id(chart)?;
        require_digest(directory)?;
        if !self.chart_head(chart).controller.is_zero() {
            return Err(IRecords::ChartExists { chart }.into());
        }
        let controller = self.vm().msg_sender();
        let head = ChartHead {
            controller,
            grant_epoch: 1,
            directory_version: 1,
            flags: 0,
        };
        let mut slot = self.charts.setter(chart);
        slot.head.set(head.to_word());
        slot.directory.set(directory);
        self.vm().log(IRecords::ChartOpened {
            chart,
            controller,
            directory,
        });
        Ok(())
    }

    /// Installs the next directory. By the controller.
    ///
    /// # Errors
    /// `UnknownChart`, `NotController`, `ZeroDigest`, `DirectoryVersion`.
    /// # Events
    /// `DirectorySet`.
    pub fn set_directory(&mut self, chart: B256, version: u32, directory: B256) -> Result<(), Error> {
        let head = self.require_controller(chart)?;
        require_next_directory(&head, version, directory)?;
        self.install_directory(chart, head, version, directory);
        Ok(())
    }

    /// (controller, grant epoch, directory version, directory digest).
    pub fn chart_of(&self, chart: B256) -> (Address, u32, u32, B256) {
        let head = self.chart_head(chart);
        (
            head.controller,
            head.grant_epoch,
            head.directory_version,
            self.charts.getter(chart).directory.get(),
        )
    }

    /// Adds new records. By the controller, or by a credentialed provider with a write grant in force
    /// on each record's compartment.
    ///
    /// # Errors
    /// `UnknownChart`, `DirectoryVersion`, `BatchSize`, `ZeroId`, `ZeroDigest`, `CompartmentRange`,
    /// `NotWriter`, `NotCredentialed`, `RecordExists`.
    /// # Events
    /// `RecordAdded` for each, in the order given.
    pub fn add_records(&mut self, chart: B256, directory_version: u32, records: Vec<NewRecord>) -> Result<(), Error> {
        let head = self.require_chart(chart)?;
        require_directory(&head, directory_version)?;
        require_batch(records.len())?;
        let author = self.vm().msg_sender();
        for record in &records {
            require_id(record.recordId)?;
            require_digest(record.pointer)?;
            if record.compartment >= COMPARTMENTS {
                return Err(IRecords::CompartmentRange {
                    compartment: record.compartment,
                }
                .into());
            }
            self.require_grant_to_write(chart, author, record.compartment)?;
        }
        self.require_credential_to_write(&head, author)?;

        let created_at = self.vm().block_timestamp();
        for record in records {
            let record_id = record.recordId;
            // Looked up only now, so that a record which stands twice in the batch is found;
            // the revert takes back what was written before it.
            if self.record_head(chart, record_id).version != 0 {
                return Err(IRecords::RecordExists { recordId: record_id }.into());
            }
            let head = RecordHead {
                author,
                created_at,
                version: 1,
                compartment: record.compartment,
                status: 0,
                codec: record.codec,
            };
            self.write_record(chart, record_id, head, record.pointer);
            self.vm().log(IRecords::RecordAdded {
                chart,
                recordId: record_id,
                author,
                compartment: record.compartment,
                codec: record.codec,
                pointer: record.pointer,
            });
        }
        Ok(())
    }

    /// Puts a new version in the place of the one that `previous` points to, in the same compartment. By whom `addRecords` may be called.
    ///
    /// # Errors
    /// `UnknownChart`, `DirectoryVersion`, `UnknownRecord`, `StalePointer`, `ZeroDigest`, `NotWriter`,
    /// `NotCredentialed`.
    /// # Events
    /// `RecordAmended`.
    pub fn amend_record(
        &mut self,
        chart: B256,
        directory_version: u32,
        record_id: B256,
        previous: B256,
        codec: u8,
        pointer: B256,
    ) -> Result<(), Error> {
        let chart_head = self.require_chart(chart)?;
        require_directory(&chart_head, directory_version)?;
        let mut head = self.record_head(chart, record_id);
        if head.version == 0 {
            return Err(IRecords::UnknownRecord { recordId: record_id }.into());
        }
        let current = self.records.getter(chart).getter(record_id).pointer.get();
        if current != previous {
            return Err(IRecords::StalePointer {
                given: previous,
                current,
            }
            .into());
        }
        require_digest(pointer)?;
        let author = self.vm().msg_sender();
        self.require_grant_to_write(chart, author, head.compartment)?;
        self.require_credential_to_write(&chart_head, author)?;

        head.author = author;
        head.created_at = self.vm().block_timestamp();
        // One more each transaction: 2^32 of them cannot be paid for.
        head.version += 1;
        head.codec = codec;
        self.write_record(chart, record_id, head, pointer);
        self.vm().log(IRecords::RecordAmended {
            chart,
            recordId: record_id,
            author,
            version: head.version,
            codec,
            pointer,
            previous,
        });
        Ok(())
    }

    /// (author, created at, version, compartment, codec, pointer), of the current version.
    pub fn record_of(&self, chart: B256, record_id: B256) -> (Address, u64, u32, u8, u8, B256) {
        let head = self.record_head(chart, record_id);
        (
            head.author,
            head.created_at,
            head.version,
            head.compartment,
            head.codec,
            self.records.getter(chart).getter(record_id).pointer.get(),
        )
    }

    /// Sets or replaces the grant of `grantee`. By the controller.
    ///
    /// # Errors
    /// `UnknownChart`, `NotController`, `ZeroAddress`, `GrantToController`, `ZeroDigest`, `EmptyGrant`,
    /// `TimeTooLarge`, `GrantWindow`.
    /// # Events
    /// `Granted`.
    pub fn grant(&mut self, chart: B256, grantee: Address, terms: GrantTerms, keyring: B256) -> Result<(), Error> {
        let head = self.require_controller(chart)?;
        require_address(grantee)?;
        if grantee == head.controller {
            return Err(IRecords::GrantToController {}.into());
        }
        require_digest(keyring)?;
        require_terms(&terms, self.vm().block_timestamp())?;

        let grant = Grant::new(head.grant_epoch, &terms);
        self.grants.setter(chart).setter(grantee).set(grant.to_word());
        self.vm().log(IRecords::Granted {
            chart,
            grantee,
            epoch: grant.epoch,
            compartments: terms.compartments,
            purposes: terms.purposes,
            actions: terms.actions,
            notBefore: terms.notBefore,
            expiry: terms.expiry,
            keyring,
        });
        Ok(())
    }

    /// Announces re-sealed keys for grantees that keep their grants. By the controller.
    ///
    /// # Errors
    /// `UnknownChart`, `NotController`, `BatchSize`, `ZeroDigest`, `NoGrant`.
    /// # Events
    /// `KeyringSet` for each, in the order given.
    pub fn set_keyrings(&mut self, chart: B256, keyrings: Vec<Keyring>) -> Result<(), Error> {
        let head = self.require_controller(chart)?;
        require_batch(keyrings.len())?;
        self.require_keyrings(chart, &head, &keyrings)?;
        self.announce_keyrings(chart, keyrings);
        Ok(())
    }

    /// Ends a grant, installs the directory with rotated keys, and hands those keys to the grantees who stay, in one
    /// step: nobody can seal to a key that the revoked reader holds, and nobody who stays is left without one.
    /// By the controller.
    ///
    /// # Errors
    /// `UnknownChart`, `NotController`, `NoGrant` (also where `keyrings` names the revoked grantee), `ZeroDigest`,
    /// `DirectoryVersion`, `BatchSize`.
    /// # Events
    /// `Revoked`, `DirectorySet`, then `KeyringSet` for each keyring, in the order given.
    pub fn revoke(
        &mut self,
        chart: B256,
        grantee: Address,
        version: u32,
        directory: B256,
        keyrings: Vec<Keyring>,
    ) -> Result<(), Error> {
        let head = self.require_controller(chart)?;
        self.require_grant(chart, &head, grantee)?;
        require_next_directory(&head, version, directory)?;
        if !keyrings.is_empty() {
            require_batch(keyrings.len())?;
        }
        self.require_keyrings(chart, &head, &keyrings)?;
        if keyrings.iter().any(|keyring| keyring.grantee == grantee) {
            return Err(IRecords::NoGrant { grantee }.into());
        }
        self.grants.setter(chart).setter(grantee).set(B256::ZERO);
        self.vm().log(IRecords::Revoked { chart, grantee });
        self.install_directory(chart, head, version, directory);
        self.announce_keyrings(chart, keyrings);
        Ok(())
    }

    /// Ends every grant of the chart at a constant cost. By the controller.
    ///
    /// # Errors
    /// `UnknownChart`, `NotController`, `ZeroDigest`, `DirectoryVersion`.
    /// # Events
    /// `AllRevoked`, `DirectorySet`.
    pub fn revoke_all(&mut self, chart: B256, version: u32, directory: B256) -> Result<(), Error> {
        let mut head = self.require_controller(chart)?;
        require_next_directory(&head, version, directory)?;
        // One more each transaction: 2^32 of them cannot be paid for.
        head.grant_epoch += 1;
        self.vm().log(IRecords::AllRevoked {
            chart,
            epoch: head.grant_epoch,
        });
        self.install_directory(chart, head, version, directory);
        Ok(())
    }

    /// (epoch, terms). `epoch` below the chart's grant epoch: ended by `revokeAll`.
    pub fn grant_of(&self, chart: B256, grantee: Address) -> (u32, GrantTerms) {
        let grant = self.grant_head(chart, grantee);
        (grant.epoch, grant.terms())
    }

    /// Answers one question; see [`reason`] for the order in which reasons are found.
    pub fn decide(&self, question: Question) -> (bool, u8) {
        let reason = self.answer(&question);
        (reason::is_allowed(reason), reason)
    }

    /// The reason for each question, in the order given.
    ///
    /// # Errors
    /// `BatchSize`.
    pub fn decide_many(&self, questions: Vec<Question>) -> Result<Vec<u8>, Error> {
        require_batch(questions.len())?;
        Ok(questions.iter().map(|question| self.answer(question)).collect())
    }
}

/// A question whose form is sound.
struct Ask {
    chart: B256,
    grantee: Address,
    compartment: u8,
    /// Zero: about the compartment only.
    record_id: B256,
    /// `None`: a write, which states no purpose.
    purpose: Option<u32>,
    action: u8,
}

impl Records {
    fn answer(&self, question: &Question) -> u8 {
        if question.compartment >= COMPARTMENTS
            || !question.purpose.is_power_of_two()
            || !question.action.is_power_of_two()
        {
            return reason::MALFORMED;
        }
        self.reason(&Ask {
            chart: question.chart,
            grantee: question.grantee,
            compartment: question.compartment,
            record_id: question.recordId,
            purpose: Some(question.purpose),
            action: question.action,
        })
    }

    /// The one place where access is decided. The order of the checks is part of the ABI:
    /// see [`medlock_abi::terms::reason`].
    fn reason(&self, ask: &Ask) -> u8 {
        let chart = self.chart_head(ask.chart);
        if chart.controller.is_zero() {
            return reason::UNKNOWN_CHART;
        }
        let granted = if ask.grantee == chart.controller {
            reason::CONTROLLER
        } else {
            self.reason_by_grant(&chart, ask)
        };
        if !reason::is_allowed(granted) || ask.record_id.is_zero() {
            return granted;
        }
        let record = self.record_head(ask.chart, ask.record_id);
        if record.version == 0 {
            reason::UNKNOWN_RECORD
        } else if record.compartment != ask.compartment {
            reason::RECORD_COMPARTMENT
        } else {
            granted
        }
    }

    fn reason_by_grant(&self, chart: &ChartHead, ask: &Ask) -> u8 {
        let grant = self.grant_head(ask.chart, ask.grantee);
        let now = self.vm().block_timestamp();
        if grant.epoch == 0 {
            reason::NO_GRANT
        } else if grant.epoch < chart.grant_epoch {
            reason::REVOKED
        } else if now < grant.not_before {
            reason::NOT_YET_VALID
        } else if grant.expiry != 0 && now >= grant.expiry {
            reason::EXPIRED
        } else if grant.compartments >> ask.compartment & 1 == 0 {
            reason::COMPARTMENT
        } else if ask.purpose.is_some_and(|purpose| grant.purposes & purpose == 0) {
            reason::PURPOSE
        } else if grant.actions & ask.action == 0 {
            reason::ACTION
        } else {
            reason::GRANT
        }
    }

    fn require_chart(&self, chart: B256) -> Result<ChartHead, Error> {
        let head = self.chart_head(chart);
        if head.controller.is_zero() {
            return Err(IRecords::UnknownChart { chart }.into());
        }
        Ok(head)
    }

    fn require_controller(&self, chart: B256) -> Result<ChartHead, Error> {
        let head = self.require_chart(chart)?;
        let caller = self.vm().msg_sender();
        if caller != head.controller {
            return Err(IRecords::NotController { caller }.into());
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

    /// Each keyring has a digest, and its grantee a grant of the current epoch.
    fn require_keyrings(&self, chart: B256, head: &ChartHead, keyrings: &[Keyring]) -> Result<(), Error> {
        for keyring in keyrings {
            require_digest(keyring.keyring)?;
            self.require_grant(chart, head, keyring.grantee)?;
        }
        Ok(())
    }

    fn announce_keyrings(&self, chart: B256, keyrings: Vec<Keyring>) {
        for Keyring { grantee, keyring } in keyrings {
            self.vm().log(IRecords::KeyringSet {
                chart,
                grantee,
                keyring,
            });
        }
    }

    fn require_grant_to_write(&self, chart: B256, caller: Address, compartment: u8) -> Result<(), Error> {
        let reason = self.reason(&Ask {
            chart,
            grantee: caller,
            compartment,
            record_id: B256::ZERO,
            purpose: None,
            action: action::WRITE,
        });
        if !reason::is_allowed(reason) {
            return Err(IRecords::NotWriter {
                caller,
                compartment,
                reason,
            }
            .into());
        }
        Ok(())
    }

    /// Asks the registry whether `caller` is a provider at this moment; a registry that fails to answer
    /// means no. The controller needs no credential.
    fn require_credential_to_write(&self, chart: &ChartHead, caller: Address) -> Result<(), Error> {
        if caller == chart.controller {
            return Ok(());
        }
        let question = hasRolesCall {
            party: caller,
            roles: role::PROVIDER,
        };
        let answer = static_call(self.vm(), Call::new(), self.registry.get(), &question.abi_encode());
        match answer.map(|data| hasRolesCall::abi_decode_returns_validate(&data)) {
            Ok(Ok(true)) => Ok(()),
            _ => Err(IRecords::NotCredentialed { caller }.into()),
        }
    }

    fn chart_head(&self, chart: B256) -> ChartHead {
        ChartHead::from_word(self.charts.getter(chart).head.get())
    }

    fn record_head(&self, chart: B256, record_id: B256) -> RecordHead {
        RecordHead::from_word(self.records.getter(chart).getter(record_id).head.get())
    }

    fn grant_head(&self, chart: B256, grantee: Address) -> Grant {
        Grant::from_word(self.grants.getter(chart).getter(grantee).get())
    }

    fn write_record(&mut self, chart: B256, record_id: B256, head: RecordHead, pointer: B256) {
        let mut records = self.records.setter(chart);
        let mut slot = records.setter(record_id);
        slot.head.set(head.to_word());
        slot.pointer.set(pointer);
    }

    /// Writes `head` with the new directory version, and announces it.
    fn install_directory(&mut self, chart: B256, mut head: ChartHead, version: u32, directory: B256) {
        head.directory_version = version;
        let mut slot = self.charts.setter(chart);
        slot.head.set(head.to_word());
        slot.directory.set(directory);
        self.vm().log(IRecords::DirectorySet {
            chart,
            version,
            directory,
        });
    }
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
        return Err(IRecords::BatchSize {
            given: U256::from(given),
            most: U256::from(BATCH_MOST),
        }
        .into());
    }
    Ok(())
}

/// Refuses envelopes that are sealed to another directory than the current one.
fn require_directory(head: &ChartHead, given: u32) -> Result<(), Error> {
    if given != head.directory_version {
        return Err(IRecords::DirectoryVersion {
            given,
            expected: head.directory_version,
        }
        .into());
    }
    Ok(())
}

fn require_next_directory(head: &ChartHead, given: u32, directory: B256) -> Result<(), Error> {
    require_digest(directory)?;
    // One more each transaction: 2^32 of them cannot be paid for.
    let expected = head.directory_version + 1;
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
