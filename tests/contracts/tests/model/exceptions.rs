//! Rules for single records, delegates, broken glass.
use std::collections::BTreeMap;

use alloy::primitives::{Address, B256};
use medlock_abi::{
    exceptions::IExceptions::*,
    terms::{DELEGATE_DEPTH_MOST, TIME_MOST, action, effect, emergency, power, purpose, role},
};

use super::{Contract, Model, Refusal, acts, end, is_before, require, stated, views};

#[derive(Default)]
pub struct Exceptions {
    pub charts: BTreeMap<B256, Beside>,
}

/// What stands beside the grants of one chart.
#[derive(Default)]
pub struct Beside {
    /// By record and grantee; zero: everybody.
    pub rules: BTreeMap<(B256, Address), Rule>,
    pub delegates: BTreeMap<Address, Delegate>,
    pub access: Access,
    pub emergencies: BTreeMap<Address, Emergency>,
}

#[derive(Clone, Copy)]
pub struct Rule {
    pub denies: bool,
    pub purposes: u32,
    pub actions: u8,
    pub expiry: Option<u64>,
    pub directory_version: u32,
}

#[derive(Clone, Copy)]
pub struct Delegate {
    pub parent: Address,
    /// Of the parent's own entry; `None`: the parent is the controller.
    pub parent_serial: Option<u32>,
    pub serial: u32,
    /// 0: removed.
    pub powers: u8,
    pub expiry: Option<u64>,
    pub depth: u8,
    pub control_epoch: u32,
}

#[derive(Clone, Copy, Default)]
pub struct Access {
    pub allowed: bool,
    pub serial: u32,
    pub control_epoch: u32,
}

#[derive(Clone, Copy)]
pub struct Emergency {
    pub compartments: u64,
    pub opened_at: u64,
    pub until: u64,
    pub grant_epoch: u32,
    pub serial: u32,
}

/// The arguments of `factsOf`.
#[derive(Debug, Clone)]
pub struct FactsAsked {
    pub chart: B256,
    pub grant_epoch: u32,
    pub control_epoch: u32,
    pub grantee: Address,
    /// Zero: the grantee in person.
    pub member: Address,
    pub compartment: u8,
    /// Zero: none.
    pub record_id: B256,
    /// 0: a write's.
    pub purpose: u32,
    pub action: u8,
}

/// What is beside the grants, about one question.
pub struct Facts {
    pub denied: bool,
    /// The directory version at which a rule was set that adds the record.
    pub allowed_since: Option<u32>,
    pub powers: u8,
    pub emergency: bool,
}

acts! { Exceptions;
    setRuleCall => set_rule,
    setDelegateCall => set_delegate,
    removeDelegateCall => remove_delegate,
    setEmergencyAccessCall => set_emergency_access,
    breakGlassCall => break_glass,
    closeEmergencyCall => close_emergency,
}

views! { Exceptions;
    neighboursCall => |_, model| neighboursReturn {
        records: model.addresses.records,
        registry: model.addresses.registry,
        relay: model.addresses.relay,
    },
    ruleOfCall => |call, model| match model.exceptions.rule(call.chart, call.recordId, call.grantee) {
        Some(rule) => ruleOfReturn {
            effect: if rule.denies { effect::DENY } else { effect::ALLOW },
            purposes: rule.purposes,
            actions: rule.actions,
            expiry: stated(rule.expiry),
            directoryVersion: rule.directory_version,
        },
        None => ruleOfReturn { effect: effect::NONE, purposes: 0, actions: 0, expiry: 0, directoryVersion: 0 },
    },
    delegateOfCall => |call, model| match model.exceptions.delegate(call.chart, call.delegate) {
        Some(entry) => delegateOfReturn {
            parent: entry.parent,
            serial: entry.serial,
            powers: entry.powers,
            expiry: stated(entry.expiry),
            depth: entry.depth,
            parentSerial: entry.parent_serial.unwrap_or(0),
            controlEpoch: entry.control_epoch,
        },
        None => delegateOfReturn {
            parent: Address::ZERO,
            serial: 0,
            powers: 0,
            expiry: 0,
            depth: 0,
            parentSerial: 0,
            controlEpoch: 0,
        },
    },
    powersOfCall => |call, model| match model.records.charts.get(&call.chart) {
        Some(chart) if chart.controller == call.delegate => power::EVERY,
        Some(chart) => model.powers(call.chart, call.delegate, chart.control_epoch),
        None => 0,
    },
    emergencyAccessOfCall => |call, model| {
        let access = model.exceptions.charts.get(&call.chart).map(|beside| beside.access).unwrap_or_default();
        emergencyAccessOfReturn { allowed: access.allowed, serial: access.serial, controlEpoch: access.control_epoch }
    },
    emergencyOfCall => |call, model| match model.exceptions.emergency(call.chart, call.party) {
        Some(emergency) => emergencyOfReturn {
            compartments: emergency.compartments,
            openedAt: emergency.opened_at,
            until: emergency.until,
            grantEpoch: emergency.grant_epoch,
            serial: emergency.serial,
        },
        None => emergencyOfReturn { compartments: 0, openedAt: 0, until: 0, grantEpoch: 0, serial: 0 },
    },
    factsOfCall => |call, model| {
        let facts = model.facts(&FactsAsked {
            chart: call.chart,
            grant_epoch: call.grantEpoch,
            control_epoch: call.controlEpoch,
            grantee: call.grantee,
            member: call.member,
            compartment: call.compartment,
            record_id: call.recordId,
            purpose: call.purpose,
            action: call.action,
        });
        factsOfReturn {
            denied: facts.denied,
            allowedSince: facts.allowed_since.unwrap_or(0),
            powers: facts.powers,
            emergency: facts.emergency,
        }
    },
}

impl Exceptions {
    pub fn rule(&self, chart: B256, record_id: B256, grantee: Address) -> Option<&Rule> {
        self.charts.get(&chart)?.rules.get(&(record_id, grantee))
    }

    pub fn delegate(&self, chart: B256, delegate: Address) -> Option<&Delegate> {
        self.charts.get(&chart)?.delegates.get(&delegate)
    }

    pub fn emergency(&self, chart: B256, party: Address) -> Option<&Emergency> {
        self.charts.get(&chart)?.emergencies.get(&party)
    }
}

impl Rule {
    fn fits(&self, purpose: u32, action: u8, now: u64) -> bool {
        is_before(now, self.expiry) && self.actions & action != 0 && (purpose == 0 || self.purposes & purpose != 0)
    }
}

impl Model {
    /// The delegated powers in force: 0 unless every entry up to the controller is, with the serials that were given from.
    pub fn powers(&self, chart: B256, delegate: Address, control_epoch: u32) -> u8 {
        let Some(entry) = self.exceptions.delegate(chart, delegate) else {
            return 0;
        };
        let stands = is_before(self.now, entry.expiry) && entry.control_epoch == control_epoch;
        let is_backed = match entry.parent_serial {
            None => true,
            Some(serial) => {
                let parent = self.exceptions.delegate(chart, entry.parent);
                parent.is_some_and(|parent| parent.serial == serial)
                    && self.powers(chart, entry.parent, control_epoch) != 0
            }
        };
        if stands && is_backed { entry.powers } else { 0 }
    }

    pub fn facts(&self, asked: &FactsAsked) -> Facts {
        let now = self.now;
        let in_person = asked.member.is_zero();
        let powers = if in_person {
            self.powers(asked.chart, asked.grantee, asked.control_epoch)
        } else {
            0
        };
        let rule = |grantee| {
            let rule = self.exceptions.rule(asked.chart, asked.record_id, grantee);
            rule.filter(|rule| !asked.record_id.is_zero() && rule.fits(asked.purpose, asked.action, now))
        };
        let denies = |grantee| rule(grantee).is_some_and(|rule| rule.denies);
        let needed = match asked.action {
            action::READ => power::READ,
            action::WRITE => power::WRITE,
            action::SHARE => power::GRANT,
            _ => 0,
        };
        let is_delegate = powers & needed != 0;
        let of_everybody = !is_delegate && denies(Address::ZERO);
        let of_member = !in_person && denies(asked.member);
        Facts {
            denied: denies(asked.grantee) || of_member || of_everybody,
            allowed_since: rule(asked.grantee)
                .filter(|rule| !rule.denies)
                .map(|rule| rule.directory_version),
            powers,
            emergency: in_person
                && asked.action == action::READ
                && asked.purpose == purpose::ETREAT
                && self.is_open(asked),
        }
    }

    fn is_open(&self, asked: &FactsAsked) -> bool {
        let Some(beside) = self.exceptions.charts.get(&asked.chart) else {
            return false;
        };
        let access = beside.access;
        let opened = beside.emergencies.get(&asked.grantee);
        opened.is_some_and(|opened| {
            self.now < opened.until
                && opened.grant_epoch == asked.grant_epoch
                && asked.compartment < 64
                && opened.compartments & 1 << asked.compartment != 0
                && access.allowed
                && access.serial == opened.serial
                && access.control_epoch == asked.control_epoch
        })
    }

    fn require_actor_here(&self, caller: Address, actor: Address) -> Result<(), Refusal> {
        require!(
            caller == actor || caller == self.addresses.relay,
            NotActor { caller, actor }
        );
        Ok(())
    }

    /// Gives (controller, control epoch, whether the actor is a delegate).
    fn require_power_here(
        &self,
        caller: Address,
        actor: Address,
        chart: B256,
        power: u8,
    ) -> Result<(Address, u32, bool), Refusal> {
        self.require_actor_here(caller, actor)?;
        let of = self.records.charts.get(&chart).ok_or(UnknownChart { chart })?;
        let is_delegate = actor != of.controller;
        require!(
            !is_delegate || self.powers(chart, actor, of.control_epoch) & power != 0,
            NotController { actor, power }
        );
        Ok((of.controller, of.control_epoch, is_delegate))
    }

    fn beside(&mut self, chart: B256) -> &mut Beside {
        self.exceptions.charts.entry(chart).or_default()
    }

    fn tell_delegate_here(&mut self, is_delegate: bool, chart: B256, delegate: Address, power: u8) {
        if is_delegate {
            self.tell(Contract::Exceptions, ByDelegate { chart, delegate, power });
        }
    }
}

fn require_expiry(expiry: u64, now: u64) -> Result<(), Refusal> {
    require!(expiry <= TIME_MOST, TimeTooLarge { time: expiry });
    require!(expiry == 0 || expiry > now, ExpiryInPast { expiry, now });
    Ok(())
}

fn set_rule(call: &setRuleCall, model: &mut Model, caller: Address) -> Result<(), Refusal> {
    let (actor, chart, record_id, grantee) = (call.actor, call.chart, call.recordId, call.grantee);
    let (_, _, is_delegate) = model.require_power_here(caller, actor, chart, power::GRANT)?;
    require!(!is_delegate || grantee != actor, OwnRule { actor });
    let says_nothing = call.purposes == 0 && call.actions == 0 && call.expiry == 0;
    let says_enough = call.purposes != 0 && call.actions != 0;
    let is_sound = match call.effect {
        effect::NONE => says_nothing,
        effect::ALLOW => says_enough && !grantee.is_zero(),
        effect::DENY => says_enough,
        _ => false,
    };
    require!(is_sound, MalformedRule {});
    require_expiry(call.expiry, model.now)?;
    require!(
        model.records.record(chart, record_id).is_some(),
        UnknownRecord { recordId: record_id }
    );

    let rule = Rule {
        denies: call.effect == effect::DENY,
        purposes: call.purposes,
        actions: call.actions,
        expiry: end(call.expiry),
        directory_version: model.records.charts[&chart].directory_version,
    };
    let is_removal = call.effect == effect::NONE;
    let rules = &mut model.beside(chart).rules;
    if is_removal {
        rules.remove(&(record_id, grantee));
    } else {
        rules.insert((record_id, grantee), rule);
    }
    model.tell_delegate_here(is_delegate, chart, actor, power::GRANT);
    let event = RuleSet {
        chart,
        recordId: record_id,
        grantee,
        effect: call.effect,
        purposes: call.purposes,
        actions: call.actions,
        expiry: call.expiry,
        directoryVersion: if is_removal { 0 } else { rule.directory_version },
    };
    model.tell(Contract::Exceptions, event);
    if !is_removal {
        model.make_exceptional(chart);
    }
    Ok(())
}

fn set_delegate(call: &setDelegateCall, model: &mut Model, caller: Address) -> Result<(), Refusal> {
    let (actor, chart, delegate) = (call.actor, call.chart, call.delegate);
    let (controller, control_epoch, is_delegate) = model.require_power_here(caller, actor, chart, power::DELEGATE)?;
    let of = &model.records.charts[&chart];
    require!(!of.rotation_due, RotationDue { chart });
    let (given, expected) = (call.directoryVersion, of.directory_version);
    require!(given == expected, DirectoryVersion { given, expected });
    require!(!delegate.is_zero(), ZeroAddress {});
    require!(delegate != controller && delegate != actor, DelegateOfSelf { delegate });
    require_expiry(call.expiry, model.now)?;
    let mut entry = Delegate {
        parent: actor,
        parent_serial: None,
        serial: call.serial + 1,
        powers: call.powers,
        expiry: end(call.expiry),
        depth: 1,
        control_epoch,
    };
    let mut most = power::EVERY;
    if is_delegate {
        let giver = *model.exceptions.delegate(chart, actor).unwrap();
        // Up from the actor: nobody gets powers from who has them through the other.
        let mut above = giver;
        while above.parent_serial.is_some() {
            require!(above.parent != delegate, DelegateOfSelf { delegate });
            above = *model.exceptions.delegate(chart, above.parent).unwrap();
        }
        if let Some(end) = giver.expiry {
            require!(
                entry.expiry.is_some_and(|expiry| expiry <= end),
                OutlivesParent {
                    expiry: call.expiry,
                    most: end
                }
            );
        }
        most = giver.powers;
        entry.parent_serial = Some(giver.serial);
        entry.depth = giver.depth + 1;
    }
    require!(
        call.powers != 0 && call.powers & most == call.powers,
        Powers {
            given: call.powers,
            most
        }
    );
    require!(
        entry.depth <= DELEGATE_DEPTH_MOST,
        DelegateDepth {
            most: DELEGATE_DEPTH_MOST
        }
    );
    let held = model.exceptions.delegate(chart, delegate).copied();
    let current = held.map_or(0, |held| held.serial);
    let given = call.serial;
    require!(given == current, DelegateSerial { given, current });
    if let Some(held) = held {
        let parent = held.parent;
        let is_free = model.powers(chart, delegate, control_epoch) == 0;
        require!(
            is_free || !is_delegate || parent == actor,
            OtherParent { delegate, parent }
        );
    }

    model.beside(chart).delegates.insert(delegate, entry);
    model.tell_delegate_here(is_delegate, chart, actor, power::DELEGATE);
    let event = DelegateSet {
        chart,
        delegate,
        parent: actor,
        serial: entry.serial,
        powers: entry.powers,
        expiry: call.expiry,
        depth: entry.depth,
        parentSerial: entry.parent_serial.unwrap_or(0),
        controlEpoch: control_epoch,
    };
    model.tell(Contract::Exceptions, event);
    model.make_exceptional(chart);
    Ok(())
}

fn remove_delegate(call: &removeDelegateCall, model: &mut Model, caller: Address) -> Result<(), Refusal> {
    let (actor, chart, delegate) = (call.actor, call.chart, call.delegate);
    model.require_actor_here(caller, actor)?;
    let of = model.records.charts.get(&chart).ok_or(UnknownChart { chart })?;
    let held = model
        .exceptions
        .delegate(chart, delegate)
        .filter(|held| held.powers != 0);
    let held = held.ok_or(NotDelegate { delegate })?;
    let parent = held.parent;
    // Who gave under an earlier controller has no say any more.
    let is_parent = actor == parent && held.control_epoch == of.control_epoch;
    require!(
        actor == delegate || actor == of.controller || is_parent,
        NotParent { actor, parent }
    );
    let held = model.beside(chart).delegates.get_mut(&delegate).unwrap();
    held.powers = 0;
    held.serial += 1;
    let event = DelegateRemoved {
        chart,
        delegate,
        serial: held.serial,
        by: actor,
    };
    model.tell(Contract::Exceptions, event);
    Ok(())
}

fn set_emergency_access(call: &setEmergencyAccessCall, model: &mut Model, caller: Address) -> Result<(), Refusal> {
    let (actor, chart) = (call.actor, call.chart);
    let (_, control_epoch, is_delegate) = model.require_power_here(caller, actor, chart, power::GRANT)?;
    let access = &mut model.beside(chart).access;
    let (given, current) = (call.serial, access.serial);
    require!(given == current, EmergencySerial { given, current });
    // What an earlier controller allowed is not allowed.
    let is_allowed = access.allowed && access.control_epoch == control_epoch;
    if is_allowed && call.allowed {
        return Ok(());
    }
    *access = Access {
        allowed: call.allowed,
        serial: access.serial + 1,
        control_epoch,
    };
    let serial = access.serial;
    model.tell_delegate_here(is_delegate, chart, actor, power::GRANT);
    let event = EmergencyAccessSet {
        chart,
        allowed: call.allowed,
        serial,
        controlEpoch: control_epoch,
    };
    model.tell(Contract::Exceptions, event);
    // A chart whose glass may not be broken is like any other.
    if call.allowed {
        model.make_exceptional(chart);
    }
    Ok(())
}

fn break_glass(call: &breakGlassCall, model: &mut Model, caller: Address) -> Result<(), Refusal> {
    let (actor, chart, organisation, now) = (call.actor, call.chart, call.organisation, model.now);
    model.require_actor_here(caller, actor)?;
    let of = model.records.charts.get(&chart).ok_or(UnknownChart { chart })?;
    let (control_epoch, grant_epoch) = (of.control_epoch, of.grant_epoch);
    require!(call.compartments != 0, EmptyEmergency {});
    require!(
        emergency::ALL.iter().any(|(_, code)| *code == call.reasonCode),
        UnknownReasonCode {
            reasonCode: call.reasonCode
        }
    );
    let access = model.beside(chart).access;
    require!(
        access.allowed && access.control_epoch == control_epoch,
        NoEmergencyAccess { chart }
    );
    let is_provider = if organisation.is_zero() {
        model.registry.has_roles(actor, role::PROVIDER, now)
    } else {
        model.registry.may_act_for(organisation, actor, role::PROVIDER, now)
    };
    require!(is_provider, NotCredentialed { actor, organisation });
    if let Some(last) = model.exceptions.emergency(chart, actor) {
        let from = last.opened_at + emergency::AGAIN_S;
        require!(now >= from, CoolDown { from });
    }
    let opened = Emergency {
        compartments: call.compartments,
        opened_at: now,
        until: now + emergency::OPEN_S,
        grant_epoch,
        serial: access.serial,
    };
    model.beside(chart).emergencies.insert(actor, opened);
    let event = EmergencyOpened {
        chart,
        party: actor,
        organisation,
        compartments: call.compartments,
        reasonCode: call.reasonCode,
        until: opened.until,
        grantEpoch: grant_epoch,
        serial: access.serial,
    };
    model.tell(Contract::Exceptions, event);
    Ok(())
}

fn close_emergency(call: &closeEmergencyCall, model: &mut Model, caller: Address) -> Result<(), Refusal> {
    let (actor, chart, party, now) = (call.actor, call.chart, call.party, model.now);
    let is_delegate = if actor == party {
        model.require_actor_here(caller, actor)?;
        false
    } else {
        model.require_power_here(caller, actor, chart, power::REVOKE)?.2
    };
    let opened = model.exceptions.charts.get_mut(&chart);
    let opened = opened.and_then(|beside| beside.emergencies.get_mut(&party));
    let opened = opened
        .filter(|opened| now < opened.until)
        .ok_or(NoEmergency { party })?;
    opened.until = now;
    model.tell_delegate_here(is_delegate, chart, actor, power::REVOKE);
    model.tell(
        Contract::Exceptions,
        EmergencyClosed {
            chart,
            party,
            by: actor,
        },
    );
    Ok(())
}
