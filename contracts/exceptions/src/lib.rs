//! `exceptions`: what stands beside a chart's grants: rules for single records, delegates, broken glass.
//!
//! Facts, no decisions: `records` asks [`Exceptions::facts_of`] and decides. It must never ask another contract while it
//! is asked, nor answer about a chart from anything but its own storage and what `records` passes along. Implements
//! [`IExceptions`] of `medlock-abi`, which holds every event and error. Start reading at [`Exceptions`]; how a slot is
//! packed stands in [`medlock_abi::words::exceptions`].
#![cfg_attr(not(any(test, feature = "export-abi")), no_std)]
#![forbid(unsafe_code)]
extern crate alloc;

#[cfg(test)]
mod tests;

use alloc::{vec, vec::Vec};

use alloy_primitives::{Address, B256};
use alloy_sol_types::SolCall;
use medlock_abi::{
    exceptions::IExceptions,
    link::{self, Placeholder, linked},
    records::IRecords::{chartOfCall, recordOfCall, setExceptionalCall},
    registry::IRegistry::{hasRolesCall, mayActForCall},
    terms::{DELEGATE_DEPTH_MOST, TIME_MOST, action, effect, emergency, power, purpose, role},
};
use medlock_calls::{ask, log};
use stylus_sdk::{
    prelude::*,
    storage::{StorageB256, StorageMap},
};

use medlock_abi::words::exceptions::{Access, Delegate, Emergency, Rule};

/// Every error a method can answer with; the fields are documented in [`IExceptions`].
#[derive(SolidityError, Debug, PartialEq, Eq)]
pub enum Error {
    ZeroAddress(IExceptions::ZeroAddress),
    NotActor(IExceptions::NotActor),
    UnknownChart(IExceptions::UnknownChart),
    DirectoryVersion(IExceptions::DirectoryVersion),
    RotationDue(IExceptions::RotationDue),
    UnknownRecord(IExceptions::UnknownRecord),
    NotController(IExceptions::NotController),
    MalformedRule(IExceptions::MalformedRule),
    OwnRule(IExceptions::OwnRule),
    TimeTooLarge(IExceptions::TimeTooLarge),
    ExpiryInPast(IExceptions::ExpiryInPast),
    Powers(IExceptions::Powers),
    OutlivesParent(IExceptions::OutlivesParent),
    DelegateDepth(IExceptions::DelegateDepth),
    DelegateOfSelf(IExceptions::DelegateOfSelf),
    OtherParent(IExceptions::OtherParent),
    DelegateSerial(IExceptions::DelegateSerial),
    NotDelegate(IExceptions::NotDelegate),
    NotParent(IExceptions::NotParent),
    NoEmergencyAccess(IExceptions::NoEmergencyAccess),
    EmergencySerial(IExceptions::EmergencySerial),
    EmptyEmergency(IExceptions::EmptyEmergency),
    UnknownReasonCode(IExceptions::UnknownReasonCode),
    NotCredentialed(IExceptions::NotCredentialed),
    CoolDown(IExceptions::CoolDown),
    NoEmergency(IExceptions::NoEmergency),
}

/// Why a method failed that also calls `records`.
#[derive(Debug, PartialEq, Eq)]
pub enum Failure {
    Refused(Error),
    /// `records` refused: its revert data as it came.
    Passed(Vec<u8>),
}

impl<E: Into<Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Refused(error.into())
    }
}

impl From<Failure> for Vec<u8> {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(error) => error.into(),
            Failure::Passed(data) => data,
        }
    }
}

#[cfg(feature = "export-abi")]
impl stylus_sdk::abi::export::internal::InnerTypes for Failure {
    fn inner_types() -> Vec<stylus_sdk::abi::export::internal::InnerType> {
        Error::inner_types()
    }
}

static RECORDS: Placeholder = link::RECORDS;
static REGISTRY: Placeholder = link::REGISTRY;
static RELAY: Placeholder = link::RELAY;

/// Fields are append-only once deployed.
#[storage]
#[entrypoint]
pub struct Exceptions {
    /// By chart, record id, then grantee (zero: everybody); one word each, see [`Rule`].
    rules: StorageMap<B256, StorageMap<B256, StorageMap<Address, StorageB256>>>,
    /// By chart, then delegate.
    delegates: StorageMap<B256, StorageMap<Address, DelegateWords>>,
    /// By chart; see [`Access`].
    access: StorageMap<B256, StorageB256>,
    /// By chart, then party; see [`Emergency`].
    emergencies: StorageMap<B256, StorageMap<Address, StorageB256>>,
}

/// See [`Delegate`].
#[storage]
pub struct DelegateWords {
    first: StorageB256,
    second: StorageB256,
}

/// (effect, purposes, actions, expiry, directory version).
type RuleFacts = (u8, u32, u8, u64, u32);
/// (parent, serial, powers, expiry, depth, parent's serial, control epoch).
type DelegateFacts = (Address, u32, u8, u64, u8, u32, u32);
/// (compartments, opened at, until, grant epoch, serial).
type EmergencyFacts = (u64, u64, u64, u32, u32);

#[public]
impl Exceptions {
    /// (records, registry, relay).
    pub fn neighbours(&self) -> (Address, Address, Address) {
        (linked(&RECORDS), linked(&REGISTRY), linked(&RELAY))
    }

    /// Sets, replaces or (effect none, all else zero) removes a rule for a record that exists. By the controller, or
    /// a delegate with GRANT, who does not touch a rule about themselves.
    ///
    /// # Errors
    /// `NotActor`, `UnknownChart`, `NotController`, `OwnRule`, `MalformedRule`, `TimeTooLarge`, `ExpiryInPast`,
    /// `UnknownRecord`.
    /// # Events
    /// `ByDelegate` where one acts, `RuleSet`.
    #[allow(clippy::too_many_arguments)]
    pub fn set_rule(
        &mut self,
        actor: Address,
        chart: B256,
        record_id: B256,
        grantee: Address,
        effect: u8,
        purposes: u32,
        actions: u8,
        expiry: u64,
    ) -> Result<(), Failure> {
        let head = self.require_power(actor, chart, power::GRANT)?;
        if actor != head.controller && actor == grantee {
            return Err(IExceptions::OwnRule { actor }.into());
        }
        let is_sound = match effect {
            effect::NONE => purposes == 0 && actions == 0 && expiry == 0,
            effect::ALLOW => purposes != 0 && actions != 0 && !grantee.is_zero(),
            effect::DENY => purposes != 0 && actions != 0,
            _ => false,
        };
        if !is_sound {
            return Err(IExceptions::MalformedRule {}.into());
        }
        require_expiry(expiry, self.now())?;
        let record = recordOfCall {
            chart,
            recordId: record_id,
        };
        if ask(self.vm(), linked(&RECORDS), &record).is_none_or(|record| record.version == 0) {
            return Err(IExceptions::UnknownRecord { recordId: record_id }.into());
        }

        let rule = match effect {
            effect::NONE => Rule::default(),
            _ => Rule {
                effect,
                purposes,
                actions,
                expiry,
                directory_version: head.directory_version,
            },
        };
        let mut of_chart = self.rules.setter(chart);
        of_chart.setter(record_id).setter(grantee).set(rule.to_word());
        self.log_delegate(actor, chart, &head, power::GRANT);
        log(
            self.vm(),
            IExceptions::RuleSet {
                chart,
                recordId: record_id,
                grantee,
                effect,
                purposes,
                actions,
                expiry,
                directoryVersion: rule.directory_version,
            },
        );
        // A rule to remove has made the chart exceptional when it was set; where there was none, nothing need be asked about.
        if effect == effect::NONE {
            return Ok(());
        }
        self.make_exceptional(chart, &head)
    }

    /// (effect, purposes, actions, expiry, directory version), as it stands.
    pub fn rule_of(&self, chart: B256, record_id: B256, grantee: Address) -> RuleFacts {
        let rule = self.rule(chart, record_id, grantee);
        (
            rule.effect,
            rule.purposes,
            rule.actions,
            rule.expiry,
            rule.directory_version,
        )
    }

    /// Gives powers, in the place of those that the delegate has. By the controller, or a delegate with DELEGATE:
    /// powers of their own, for no longer than they have them, at most three deep; nobody gets them from who got
    /// theirs from them. What another has given is replaced by the controller alone, while it is in force.
    ///
    /// # Errors
    /// `NotActor`, `UnknownChart`, `NotController`, `RotationDue`, `DirectoryVersion`, `ZeroAddress`, `DelegateOfSelf`, `TimeTooLarge`,
    /// `ExpiryInPast`, `OutlivesParent`, `Powers`, `DelegateDepth`, `DelegateSerial`, `OtherParent`.
    /// # Events
    /// `ByDelegate` where one acts, `DelegateSet`.
    #[allow(clippy::too_many_arguments)]
    pub fn set_delegate(
        &mut self,
        actor: Address,
        chart: B256,
        directory_version: u32,
        delegate: Address,
        serial: u32,
        powers: u8,
        expiry: u64,
    ) -> Result<(), Failure> {
        let head = self.require_power(actor, chart, power::DELEGATE)?;
        if head.rotation_due {
            return Err(IExceptions::RotationDue { chart }.into());
        }
        if directory_version != head.directory_version {
            return Err(IExceptions::DirectoryVersion {
                given: directory_version,
                expected: head.directory_version,
            }
            .into());
        }
        require_address(delegate)?;
        if delegate == head.controller || delegate == actor {
            return Err(IExceptions::DelegateOfSelf { delegate }.into());
        }
        require_expiry(expiry, self.now())?;
        let (most, depth, parent_serial) = if actor == head.controller {
            // An entry of theirs is of a time when another controlled the chart, and binds them to nobody.
            (power::EVERY, 1, 0)
        } else {
            let giver = self.delegate(chart, actor);
            if self.has_given(chart, delegate, giver) {
                return Err(IExceptions::DelegateOfSelf { delegate }.into());
            }
            if giver.expiry != 0 && (expiry == 0 || expiry > giver.expiry) {
                return Err(IExceptions::OutlivesParent {
                    expiry,
                    most: giver.expiry,
                }
                .into());
            }
            // The giver's entry is in force, so its depth is at most DELEGATE_DEPTH_MOST.
            (giver.powers, giver.depth + 1, giver.serial)
        };
        if powers == 0 || powers & !most != 0 {
            return Err(IExceptions::Powers { given: powers, most }.into());
        }
        if depth > DELEGATE_DEPTH_MOST {
            return Err(IExceptions::DelegateDepth {
                most: DELEGATE_DEPTH_MOST,
            }
            .into());
        }
        let held = self.delegate(chart, delegate);
        if held.serial != serial {
            return Err(IExceptions::DelegateSerial {
                given: serial,
                current: held.serial,
            }
            .into());
        }
        let is_anothers = actor != head.controller && actor != held.parent;
        if is_anothers && self.powers(chart, delegate, head.control_epoch) != 0 {
            return Err(IExceptions::OtherParent {
                delegate,
                parent: held.parent,
            }
            .into());
        }

        let entry = Delegate {
            parent: actor,
            expiry,
            powers,
            depth,
            // One more each transaction, here and in a removal: 2^32 of them cannot be paid for.
            serial: serial + 1,
            parent_serial,
            control_epoch: head.control_epoch,
        };
        self.write_delegate(chart, delegate, entry);
        self.log_delegate(actor, chart, &head, power::DELEGATE);
        log(
            self.vm(),
            IExceptions::DelegateSet {
                chart,
                delegate,
                parent: actor,
                serial: entry.serial,
                powers,
                expiry,
                depth,
                parentSerial: parent_serial,
                controlEpoch: entry.control_epoch,
            },
        );
        self.make_exceptional(chart, &head)
    }

    /// Takes a delegate's powers, and with them those that they have given. By who gave them, the controller, or the
    /// delegate.
    ///
    /// # Errors
    /// `NotActor`, `UnknownChart`, `NotDelegate`, `NotParent`.
    /// # Events
    /// `DelegateRemoved`.
    pub fn remove_delegate(&mut self, actor: Address, chart: B256, delegate: Address) -> Result<(), Error> {
        self.require_actor(actor)?;
        let head = self.require_chart(chart)?;
        let mut entry = self.delegate(chart, delegate);
        if entry.powers == 0 {
            return Err(IExceptions::NotDelegate { delegate }.into());
        }
        // A giver of another control epoch has no say any more: they may be a stranger by now.
        let is_parent = actor == entry.parent && entry.control_epoch == head.control_epoch;
        if actor != delegate && actor != head.controller && !is_parent {
            return Err(IExceptions::NotParent {
                actor,
                parent: entry.parent,
            }
            .into());
        }
        entry.powers = 0;
        // Moves on, so that nothing that was signed and not submitted brings the powers back.
        entry.serial += 1;
        self.write_delegate(chart, delegate, entry);
        log(
            self.vm(),
            IExceptions::DelegateRemoved {
                chart,
                delegate,
                serial: entry.serial,
                by: actor,
            },
        );
        Ok(())
    }

    /// (parent, serial, powers, expiry, depth, parent's serial, control epoch), in force or not.
    pub fn delegate_of(&self, chart: B256, delegate: Address) -> DelegateFacts {
        let entry = self.delegate(chart, delegate);
        (
            entry.parent,
            entry.serial,
            entry.powers,
            entry.expiry,
            entry.depth,
            entry.parent_serial,
            entry.control_epoch,
        )
    }

    /// The powers in force now; of the controller all, of an unknown chart none.
    pub fn powers_of(&self, chart: B256, delegate: Address) -> u8 {
        match self.require_chart(chart) {
            Ok(head) if head.controller == delegate => power::EVERY,
            Ok(head) => self.powers(chart, delegate, head.control_epoch),
            Err(_) => 0,
        }
    }

    /// Allows or forbids that the glass of a chart is broken; forbidding ends what is open, and allowing again does
    /// not bring it back. Nothing happens where it is allowed already; forbidding always counts, so that what was signed to allow
    /// it, and not submitted, allows nothing. It names the serial of what it replaces. By the controller, or a delegate with
    /// GRANT.
    ///
    /// # Errors
    /// `NotActor`, `UnknownChart`, `NotController`, `EmergencySerial`.
    /// # Events
    /// `ByDelegate` where one acts, `EmergencyAccessSet`.
    pub fn set_emergency_access(
        &mut self,
        actor: Address,
        chart: B256,
        serial: u32,
        allowed: bool,
    ) -> Result<(), Failure> {
        let head = self.require_power(actor, chart, power::GRANT)?;
        let held = self.access(chart);
        if serial != held.serial {
            return Err(IExceptions::EmergencySerial {
                given: serial,
                current: held.serial,
            }
            .into());
        }
        // What an earlier controller allowed is not allowed.
        let is_allowed = held.allowed && held.control_epoch == head.control_epoch;
        if is_allowed && allowed {
            return Ok(());
        }
        let access = Access {
            allowed,
            // One more each transaction: 2^32 of them cannot be paid for.
            serial: serial + 1,
            control_epoch: head.control_epoch,
        };
        self.access.setter(chart).set(access.to_word());
        self.log_delegate(actor, chart, &head, power::GRANT);
        log(
            self.vm(),
            IExceptions::EmergencyAccessSet {
                chart,
                allowed,
                serial: access.serial,
                controlEpoch: access.control_epoch,
            },
        );
        match allowed {
            true => self.make_exceptional(chart, &head),
            false => Ok(()),
        }
    }

    /// (allowed, serial, control epoch). Allowed under another control epoch than the chart's: not any more.
    pub fn emergency_access_of(&self, chart: B256) -> (bool, u32, u32) {
        let access = self.access(chart);
        (access.allowed, access.serial, access.control_epoch)
    }

    /// Opens emergency rights for the actor in person, whoever's credential is used: reads for ETREAT on these
    /// compartments, for four hours. By a credentialed provider, or a member of an organisation that is one, where the
    /// chart's controller allows it.
    ///
    /// The cool-down is the party's on this chart: 24 hours from one opening to the next, also where the first was
    /// closed early, or ended by `revokeAll` or by forbidding. Another member of the same organisation has a cool-down
    /// of their own.
    ///
    /// # Errors
    /// `NotActor`, `UnknownChart`, `EmptyEmergency`, `UnknownReasonCode`, `NoEmergencyAccess`, `NotCredentialed`,
    /// `CoolDown`.
    /// # Events
    /// `EmergencyOpened`.
    pub fn break_glass(
        &mut self,
        actor: Address,
        chart: B256,
        organisation: Address,
        compartments: u64,
        reason_code: u16,
    ) -> Result<(), Error> {
        self.require_actor(actor)?;
        let head = self.require_chart(chart)?;
        if compartments == 0 {
            return Err(IExceptions::EmptyEmergency {}.into());
        }
        if !(emergency::UNABLE_TO_CONSENT..=emergency::OTHER).contains(&reason_code) {
            return Err(IExceptions::UnknownReasonCode {
                reasonCode: reason_code,
            }
            .into());
        }
        let access = self.access(chart);
        if !access.allowed || access.control_epoch != head.control_epoch {
            return Err(IExceptions::NoEmergencyAccess { chart }.into());
        }
        if !self.is_provider(actor, organisation) {
            return Err(IExceptions::NotCredentialed { actor, organisation }.into());
        }
        let now = self.now();
        let held = self.emergency(chart, actor);
        // Times are of blocks, and far from where they would overflow.
        if held.opened_at != 0 && now < held.opened_at + emergency::AGAIN_S {
            return Err(IExceptions::CoolDown {
                from: held.opened_at + emergency::AGAIN_S,
            }
            .into());
        }

        let opened = Emergency {
            compartments,
            opened_at: now,
            until: now + emergency::OPEN_S,
            grant_epoch: head.grant_epoch,
            serial: access.serial,
        };
        self.write_emergency(chart, actor, opened);
        log(
            self.vm(),
            IExceptions::EmergencyOpened {
                chart,
                party: actor,
                organisation,
                compartments,
                reasonCode: reason_code,
                until: opened.until,
                grantEpoch: opened.grant_epoch,
                serial: opened.serial,
            },
        );
        Ok(())
    }

    /// Ends emergency rights before their time. By the controller, a delegate with REVOKE, or the party itself.
    ///
    /// # Errors
    /// `NotActor`, `UnknownChart` and `NotController` (but for the party), `NoEmergency` (none, or its time is over).
    /// # Events
    /// `ByDelegate` where one acts and is not the party, `EmergencyClosed`.
    pub fn close_emergency(&mut self, actor: Address, chart: B256, party: Address) -> Result<(), Error> {
        let head = if actor == party {
            self.require_actor(actor)?;
            None
        } else {
            Some(self.require_power(actor, chart, power::REVOKE)?)
        };
        let now = self.now();
        let mut held = self.emergency(chart, party);
        if now >= held.until {
            return Err(IExceptions::NoEmergency { party }.into());
        }
        held.until = now;
        self.write_emergency(chart, party, held);
        if let Some(head) = head {
            self.log_delegate(actor, chart, &head, power::REVOKE);
        }
        log(
            self.vm(),
            IExceptions::EmergencyClosed {
                chart,
                party,
                by: actor,
            },
        );
        Ok(())
    }

    /// (compartments, opened at, until, grant epoch, serial) of the last one, open or not.
    pub fn emergency_of(&self, chart: B256, party: Address) -> EmergencyFacts {
        let held = self.emergency(chart, party);
        (
            held.compartments,
            held.opened_at,
            held.until,
            held.grant_epoch,
            held.serial,
        )
    }

    /// (denied, allowed since, powers, emergency): what `records` decides by, see
    /// [`medlock_abi::terms::reason::Facts`]. Asks nobody: `records` passes the chart's epochs along.
    #[allow(clippy::too_many_arguments)]
    pub fn facts_of(
        &self,
        chart: B256,
        grant_epoch: u32,
        control_epoch: u32,
        grantee: Address,
        member: Address,
        compartment: u8,
        record_id: B256,
        purpose: u32,
        action: u8,
    ) -> (bool, u32, u8, bool) {
        let now = self.now();
        // Delegates and who has broken the glass act in person.
        let in_person = member.is_zero();
        let powers = if in_person {
            self.powers(chart, grantee, control_epoch)
        } else {
            0
        };
        let (mut denied, mut allowed_since) = (false, 0);
        if !record_id.is_zero() {
            let in_force = |rule: &Rule| {
                runs(rule.expiry, now) && rule.actions & action != 0 && (purpose == 0 || rule.purposes & purpose != 0)
            };
            let denies = |whose: Address| {
                let rule = self.rule(chart, record_id, whose);
                rule.effect == effect::DENY && in_force(&rule)
            };
            let own = self.rule(chart, record_id, grantee);
            if own.effect == effect::ALLOW && in_force(&own) {
                allowed_since = own.directory_version;
            }
            // A rule for everybody spares delegates, as it spares the controller.
            denied = own.effect == effect::DENY && in_force(&own)
                || !in_person && denies(member)
                || powers & power::of(action) == 0 && denies(Address::ZERO);
        }
        let is_emergency = in_person
            && action == action::READ
            && purpose == purpose::ETREAT
            && self.is_open(chart, grantee, compartment, grant_epoch, control_epoch, now);
        (denied, allowed_since, powers, is_emergency)
    }
}

/// What `records` says of a chart.
struct ChartHead {
    controller: Address,
    grant_epoch: u32,
    directory_version: u32,
    control_epoch: u32,
    exceptional: bool,
    rotation_due: bool,
}

impl Exceptions {
    fn now(&self) -> u64 {
        self.vm().block_timestamp()
    }

    /// The caller is who acts, or the relay, which has checked their signature.
    fn require_actor(&self, actor: Address) -> Result<(), Error> {
        let caller = self.vm().msg_sender();
        if caller != actor && caller != linked(&RELAY) {
            return Err(IExceptions::NotActor { caller, actor }.into());
        }
        Ok(())
    }

    fn require_chart(&self, chart: B256) -> Result<ChartHead, Error> {
        match ask(self.vm(), linked(&RECORDS), &chartOfCall { chart }) {
            Some(head) if !head.controller.is_zero() => Ok(ChartHead {
                controller: head.controller,
                grant_epoch: head.grantEpoch,
                directory_version: head.directoryVersion,
                control_epoch: head.controlEpoch,
                exceptional: head.exceptional,
                rotation_due: head.rotationDue,
            }),
            _ => Err(IExceptions::UnknownChart { chart }.into()),
        }
    }

    /// The actor is the controller, or a delegate with this power.
    fn require_power(&self, actor: Address, chart: B256, power: u8) -> Result<ChartHead, Error> {
        self.require_actor(actor)?;
        let head = self.require_chart(chart)?;
        if actor == head.controller {
            return Ok(head);
        }
        if self.powers(chart, actor, head.control_epoch) & power == 0 {
            return Err(IExceptions::NotController { actor, power }.into());
        }
        Ok(head)
    }

    /// Announces who acts, where it is not the controller: before the event of the act, once nothing can refuse it here.
    fn log_delegate(&self, actor: Address, chart: B256, head: &ChartHead, power: u8) {
        if actor != head.controller {
            log(
                self.vm(),
                IExceptions::ByDelegate {
                    chart,
                    delegate: actor,
                    power,
                },
            );
        }
    }

    /// From now on `records` asks here. The last step of what makes a chart exceptional: nothing is read afterwards.
    fn make_exceptional(&mut self, chart: B256, head: &ChartHead) -> Result<(), Failure> {
        if head.exceptional {
            return Ok(());
        }
        let context = Call::new_mutating(self);
        let data = setExceptionalCall { chart }.abi_encode();
        match call(self.vm(), context, linked(&RECORDS), &data) {
            Ok(_) => Ok(()),
            Err(refusal) => Err(Failure::Passed(refusal.into())),
        }
    }

    /// Whether the registry says at this moment that the actor, or the organisation that they are a member of, is a
    /// provider.
    fn is_provider(&self, actor: Address, organisation: Address) -> bool {
        let registry = linked(&REGISTRY);
        let answer = if organisation.is_zero() {
            let call = hasRolesCall {
                party: actor,
                roles: role::PROVIDER,
            };
            ask(self.vm(), registry, &call)
        } else {
            let call = mayActForCall {
                organisation,
                member: actor,
                roles: role::PROVIDER,
            };
            ask(self.vm(), registry, &call)
        };
        answer.unwrap_or(false)
    }

    /// The delegated powers in force: every entry up to the controller's own delegate must be, and still be the one
    /// that gave.
    fn powers(&self, chart: B256, delegate: Address, control_epoch: u32) -> u8 {
        let now = self.now();
        let own = self.delegate(chart, delegate);
        let mut entry = own;
        for _ in 0..DELEGATE_DEPTH_MOST {
            if entry.powers == 0 || !runs(entry.expiry, now) || entry.control_epoch != control_epoch {
                return 0;
            }
            if entry.depth == 1 {
                return own.powers;
            }
            let parent = self.delegate(chart, entry.parent);
            if parent.serial != entry.parent_serial {
                return 0;
            }
            entry = parent;
        }
        0
    }

    /// Whether `giver` is among the delegates from whom the powers of this entry, which is in force, come.
    fn has_given(&self, chart: B256, giver: Address, mut entry: Delegate) -> bool {
        for _ in 1..DELEGATE_DEPTH_MOST {
            if entry.depth <= 1 {
                return false;
            }
            if entry.parent == giver {
                return true;
            }
            entry = self.delegate(chart, entry.parent);
        }
        false
    }

    fn is_open(
        &self,
        chart: B256,
        party: Address,
        compartment: u8,
        grant_epoch: u32,
        control_epoch: u32,
        now: u64,
    ) -> bool {
        let held = self.emergency(chart, party);
        if now >= held.until || held.grant_epoch != grant_epoch || compartment >= 64 {
            return false;
        }
        let access = self.access(chart);
        held.compartments >> compartment & 1 == 1
            && access.allowed
            && access.serial == held.serial
            && access.control_epoch == control_epoch
    }

    fn rule(&self, chart: B256, record_id: B256, grantee: Address) -> Rule {
        let of_chart = self.rules.getter(chart);
        Rule::from_word(of_chart.getter(record_id).getter(grantee).get())
    }

    fn delegate(&self, chart: B256, delegate: Address) -> Delegate {
        let of_chart = self.delegates.getter(chart);
        let words = of_chart.getter(delegate);
        let first = words.first.get();
        // Who was never a delegate has none, and most who are asked about never were one.
        let second = if first.is_zero() { first } else { words.second.get() };
        Delegate::from_words(first, second)
    }

    fn write_delegate(&mut self, chart: B256, delegate: Address, entry: Delegate) {
        let (first, second) = entry.to_words();
        let mut of_chart = self.delegates.setter(chart);
        let mut words = of_chart.setter(delegate);
        words.first.set(first);
        words.second.set(second);
    }

    fn access(&self, chart: B256) -> Access {
        Access::from_word(self.access.getter(chart).get())
    }

    fn emergency(&self, chart: B256, party: Address) -> Emergency {
        Emergency::from_word(self.emergencies.getter(chart).getter(party).get())
    }

    fn write_emergency(&mut self, chart: B256, party: Address, held: Emergency) {
        self.emergencies.setter(chart).setter(party).set(held.to_word());
    }
}

/// Whether what expires at `expiry` (0: never) still runs.
fn runs(expiry: u64, now: u64) -> bool {
    expiry == 0 || now < expiry
}

fn require_address(address: Address) -> Result<(), Error> {
    if address.is_zero() {
        return Err(IExceptions::ZeroAddress {}.into());
    }
    Ok(())
}

/// None (0), or after `now` and small enough to be stored.
fn require_expiry(expiry: u64, now: u64) -> Result<(), Error> {
    if expiry > TIME_MOST {
        return Err(IExceptions::TimeTooLarge { time: expiry }.into());
    }
    if expiry != 0 && expiry <= now {
        return Err(IExceptions::ExpiryInPast { expiry, now }.into());
    }
    Ok(())
}
