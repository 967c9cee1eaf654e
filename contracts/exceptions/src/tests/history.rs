//! Random histories of calls, sound and unsound, by many actors on two charts: the events alone give back every storage
//! word, every answer is as the events say, and what has ended never comes back.
use std::collections::{BTreeMap, BTreeSet};

use medlock_dice::Dice;

use super::*;

const CHARTS: [B256; 2] = [CHART, OTHER_CHART];
const RECORD_IDS: [B256; 2] = [RECORD, OTHER_RECORD];
const CONTROLLERS: [Address; 2] = [PATIENT, HEIR];
const PARTIES: [Address; 7] = [PATIENT, HEIR, GUARDIAN, DAUGHTER, NURSE, DOCTOR, CLINIC];
const HISTORIES: u64 = 16;
const CALLS: usize = 160;
const NAMES: [&str; 6] = [
    "setRule",
    "setDelegate",
    "removeDelegate",
    "setEmergencyAccess",
    "breakGlass",
    "closeEmergency",
];

#[test]
fn events_alone_give_back_every_storage_word_and_what_has_ended_stays_ended() {
    let mut outcomes = BTreeMap::new();
    for seed in 0..HISTORIES {
        let mut world = World::new();
        let mut heads = [world.head; 2];
        let mut dice = Dice(seed);
        let mut replay = Replay::default();
        let mut ended = BTreeSet::new();
        let mut now = NOW;
        for _ in 0..CALLS {
            // Mostly seconds; sometimes hours, so that emergencies and their cool-downs end.
            now += match dice.below(24) {
                0 => dice.below(emergency::AGAIN_S),
                1 | 2 => dice.below(emergency::OPEN_S),
                _ => dice.below(4),
            };
            world.at(now);
            let which = dice.below(2) as usize;
            move_on(&mut heads[which], &mut dice);
            world.head = heads[which];
            let (name, outcome) = call(&mut world, CHARTS[which], &mut dice, now);
            *outcomes.entry((name, outcome)).or_insert(0) += 1;
            let events = world.events();
            assert!(outcome || events.is_empty(), "a refused {name} left an event");
            for event in &events {
                replay.apply(event, now);
            }
            assert_eq!(stored(&world.vm), replay.words(), "seed {seed}, {name}");
            same_answers(&mut world, &replay, CHARTS[which], heads[which], &mut dice, now);
            for (chart, head) in CHARTS.into_iter().zip(heads) {
                nothing_comes_back(&replay, chart, head, now, &mut ended);
            }
        }
    }
    // The dice reach both outcomes of every call.
    for name in NAMES {
        for outcome in [false, true] {
            assert!(outcomes.contains_key(&(name, outcome)), "{name} {outcome}");
        }
    }
    assert!(outcomes.contains_key(&("setDelegate while a rotation is due", false)));
}

/// What happens in `records` meanwhile.
fn move_on(head: &mut Head, dice: &mut Dice) {
    match dice.below(60) {
        0 => {
            head.controller = CONTROLLERS[dice.below(2) as usize];
            head.control_epoch += 1;
            next_directory(head);
        }
        1 => {
            head.grant_epoch += 1;
            head.rotation_due = true;
        }
        // A rotation that is due mostly comes soon.
        2 => next_directory(head),
        3..12 if head.rotation_due => next_directory(head),
        _ => {}
    }
}

fn next_directory(head: &mut Head) {
    head.directory_version += 1 + u32::from(head.rotation_due);
    head.rotation_due = false;
}

/// One random call: its name, and whether it was taken.
fn call(world: &mut World, chart: B256, dice: &mut Dice, now: u64) -> (&'static str, bool) {
    let head = world.head;
    let of = |dice: &mut Dice| PARTIES[dice.below(7) as usize];
    let actor = if dice.one_in(2) { head.controller } else { of(dice) };
    let party = of(dice);
    let sender = match dice.below(20) {
        0 => STRANGER,
        1 => RELAY,
        _ => actor,
    };
    let expiry = match dice.below(5) {
        0 => now + dice.below(3),
        1 => now + dice.below(60),
        2 => now + dice.below(emergency::AGAIN_S),
        _ => 0,
    };
    match dice.below(16) {
        0..3 => {
            let effect = dice.below(4) as u8;
            let nothing = effect == effect::NONE && !dice.one_in(8);
            let (purposes, actions, expiry) = if nothing {
                (0, 0, 0)
            } else {
                (dice.below(8) as u32, dice.below(8) as u8, expiry)
            };
            let record_id = RECORD_IDS[dice.below(2) as usize];
            let grantee = if dice.one_in(3) { EVERYBODY } else { party };
            let outcome = world
                .by(sender)
                .set_rule(actor, chart, record_id, grantee, effect, purposes, actions, expiry);
            ("setRule", outcome.is_ok())
        }
        3..9 => {
            let current = world.exceptions.delegate_of(chart, party).1;
            let serial = if dice.one_in(10) { dice.below(4) as u32 } else { current };
            let version = head.directory_version - u32::from(dice.one_in(10));
            // Mostly those that can be given on.
            let powers = dice.below(66) as u8 | if dice.one_in(3) { 0 } else { power::DELEGATE };
            let outcome = world
                .by(sender)
                .set_delegate(actor, chart, version, party, serial, powers, expiry);
            if outcome == refused(IExceptions::RotationDue { chart }) {
                assert!(head.rotation_due);
                return ("setDelegate while a rotation is due", false);
            }
            assert!(!head.rotation_due || outcome.is_err());
            ("setDelegate", outcome.is_ok())
        }
        9 => (
            "removeDelegate",
            world.by(sender).remove_delegate(actor, chart, party).is_ok(),
        ),
        10..12 => {
            let allowed = !dice.one_in(3);
            let serial = world.exceptions.emergency_access_of(chart).1 + u32::from(dice.one_in(6));
            let outcome = world.by(sender).set_emergency_access(actor, chart, serial, allowed);
            ("setEmergencyAccess", outcome.is_ok())
        }
        12..14 => {
            let (compartments, code) = (dice.below(16), dice.below(6) as u16);
            let organisation = if dice.one_in(2) { CLINIC } else { Address::ZERO };
            let outcome = world
                .by(sender)
                .break_glass(actor, chart, organisation, compartments, code);
            ("breakGlass", outcome.is_ok())
        }
        _ => (
            "closeEmergency",
            world.by(sender).close_emergency(actor, chart, party).is_ok(),
        ),
    }
}

/// Every view of the chart, and random questions, against what the events say.
fn same_answers(world: &mut World, replay: &Replay, chart: B256, head: Head, dice: &mut Dice, now: u64) {
    world.head = head;
    for party in PARTIES {
        let powers = replay.powers(chart, party, head.control_epoch, now);
        let shown = if party == head.controller { power::EVERY } else { powers };
        assert_eq!(world.by(STRANGER).powers_of(chart, party), shown);
        let e = replay.delegates.get(&(chart, party)).copied().unwrap_or_default();
        assert_eq!(
            world.exceptions.delegate_of(chart, party),
            (
                e.parent,
                e.serial,
                e.powers,
                e.expiry,
                e.depth,
                e.parent_serial,
                e.control_epoch
            )
        );
        let e = replay.emergencies.get(&(chart, party)).copied().unwrap_or_default();
        assert_eq!(
            world.exceptions.emergency_of(chart, party),
            (e.compartments, e.opened_at, e.until, e.grant_epoch, e.serial)
        );
        let member = if dice.one_in(3) {
            PARTIES[dice.below(7) as usize]
        } else {
            Address::ZERO
        };
        let record_id = [B256::ZERO, RECORD, OTHER_RECORD][dice.below(3) as usize];
        let purpose = [0, 1, 2, 2, 4][dice.below(5) as usize];
        let action = 1 << dice.below(3);
        let compartment = dice.below(6) as u8;

        let rule = |whose: Address, effect: u8| {
            let rule = replay.rules.get(&(chart, record_id, whose))?;
            let matches = rule.effect == effect
                && (rule.expiry == 0 || now < rule.expiry)
                && rule.actions & action != 0
                && (purpose == 0 || rule.purposes & purpose != 0);
            matches.then_some(rule.directory_version)
        };
        let in_person = member == Address::ZERO;
        let powers = if in_person { powers } else { 0 };
        let denied = rule(party, effect::DENY).is_some()
            || (!in_person && rule(member, effect::DENY).is_some())
            || (powers & power::of(action) == 0 && rule(EVERYBODY, effect::DENY).is_some());
        let is_emergency = in_person
            && action == action::READ
            && purpose == purpose::ETREAT
            && replay.is_open(chart, party, head, now)
            && e.compartments & 1 << compartment != 0;
        assert_eq!(
            world.exceptions.facts_of(
                chart,
                head.grant_epoch,
                head.control_epoch,
                party,
                member,
                compartment,
                record_id,
                purpose,
                action
            ),
            (
                denied,
                rule(party, effect::ALLOW).unwrap_or_default(),
                powers,
                is_emergency
            )
        );
    }
    let access = replay.access.get(&chart).copied().unwrap_or_default();
    assert_eq!(
        world.exceptions.emergency_access_of(chart),
        (access.allowed, access.serial, access.control_epoch)
    );
}

/// Each delegation and each emergency is in force from its beginning to one end; and while a delegation is, its giver has
/// every power that it gives, for as long, and is nearer to the controller.
fn nothing_comes_back(
    replay: &Replay,
    chart: B256,
    head: Head,
    now: u64,
    ended: &mut BTreeSet<(&'static str, B256, Address, u64)>,
) {
    for ((_, delegate), entry) in replay.delegates.iter().filter(|((of, _), _)| *of == chart) {
        let key = ("delegate", chart, *delegate, u64::from(entry.serial));
        if replay.powers(chart, *delegate, head.control_epoch, now) == 0 {
            ended.insert(key);
            continue;
        }
        assert!(!ended.contains(&key), "{delegate} is a delegate again");
        assert!(entry.depth <= 3);
        if entry.parent == head.controller {
            assert_eq!(entry.depth, 1);
            continue;
        }
        let parent = replay.delegates[&(chart, entry.parent)];
        let has = replay.powers(chart, entry.parent, head.control_epoch, now);
        assert_eq!(entry.powers & !has, 0);
        assert_ne!(has & power::DELEGATE, 0);
        assert_eq!(entry.depth, parent.depth + 1);
        assert!(parent.expiry == 0 || (entry.expiry != 0 && entry.expiry <= parent.expiry));
    }
    for ((_, party), held) in replay.emergencies.iter().filter(|((of, _), _)| *of == chart) {
        let key = ("emergency", chart, *party, held.opened_at);
        if replay.is_open(chart, *party, head, now) {
            assert!(!ended.contains(&key), "{party} has an emergency again");
            assert!(held.opened_at <= now && now < held.opened_at + emergency::OPEN_S);
        } else {
            ended.insert(key);
        }
    }
}

/// What the events up to a time say, read in order and without a look at the contract.
#[derive(Default)]
struct Replay {
    rules: BTreeMap<(B256, B256, Address), Rule>,
    delegates: BTreeMap<(B256, Address), Delegate>,
    access: BTreeMap<B256, Access>,
    emergencies: BTreeMap<(B256, Address), Emergency>,
    /// The event before was `ByDelegate`.
    announced: bool,
}

impl Replay {
    fn apply(&mut self, event: &Event, now: u64) {
        let announced = std::mem::replace(&mut self.announced, matches!(event, Event::ByDelegate(_)));
        assert!(!announced || !self.announced, "one power for one act");
        match event {
            Event::ByDelegate(_) => {}
            Event::RuleSet(e) => {
                let rule = Rule {
                    effect: e.effect,
                    purposes: e.purposes,
                    actions: e.actions,
                    expiry: e.expiry,
                    directory_version: e.directoryVersion,
                };
                self.rules.insert((e.chart, e.recordId, e.grantee), rule);
            }
            Event::DelegateSet(e) => {
                let entry = Delegate {
                    parent: e.parent,
                    expiry: e.expiry,
                    powers: e.powers,
                    depth: e.depth,
                    serial: e.serial,
                    parent_serial: e.parentSerial,
                    control_epoch: e.controlEpoch,
                };
                let before = self.delegates.insert((e.chart, e.delegate), entry);
                assert_eq!(before.unwrap_or_default().serial + 1, e.serial);
            }
            Event::DelegateRemoved(e) => {
                let entry = self.delegates.get_mut(&(e.chart, e.delegate)).unwrap();
                assert_ne!(entry.powers, 0);
                assert_eq!(entry.serial + 1, e.serial);
                (entry.powers, entry.serial) = (0, e.serial);
            }
            Event::EmergencyAccessSet(e) => {
                let access = Access {
                    allowed: e.allowed,
                    serial: e.serial,
                    control_epoch: e.controlEpoch,
                };
                let before = self.access.insert(e.chart, access);
                assert_eq!(before.unwrap_or_default().serial + 1, e.serial);
            }
            Event::EmergencyOpened(e) => {
                let held = Emergency {
                    compartments: e.compartments,
                    opened_at: now,
                    until: e.until,
                    grant_epoch: e.grantEpoch,
                    serial: e.serial,
                };
                if let Some(before) = self.emergencies.insert((e.chart, e.party), held) {
                    assert!(now >= before.opened_at + emergency::AGAIN_S);
                }
            }
            Event::EmergencyClosed(e) => self.emergencies.get_mut(&(e.chart, e.party)).unwrap().until = now,
        }
    }

    /// By the definition, from the delegate up to the controller.
    fn powers(&self, chart: B256, delegate: Address, control_epoch: u32, now: u64) -> u8 {
        let Some(entry) = self.delegates.get(&(chart, delegate)) else {
            return 0;
        };
        let stands = entry.control_epoch == control_epoch && (entry.expiry == 0 || now < entry.expiry);
        let parent_stands = || {
            entry.depth == 1
                || self.delegates[&(chart, entry.parent)].serial == entry.parent_serial
                    && self.powers(chart, entry.parent, control_epoch, now) != 0
        };
        if stands && parent_stands() { entry.powers } else { 0 }
    }

    /// On some compartment.
    fn is_open(&self, chart: B256, party: Address, head: Head, now: u64) -> bool {
        self.emergencies.get(&(chart, party)).is_some_and(|held| {
            let access = self.access[&chart];
            now < held.until
                && held.grant_epoch == head.grant_epoch
                && access.allowed
                && access.serial == held.serial
                && access.control_epoch == head.control_epoch
        })
    }

    /// Storage, slot by slot, as Solidity would lay out `Exceptions`, without the words that are zero.
    fn words(&self) -> BTreeMap<U256, B256> {
        let at = |key: B256, slot: U256| U256::from_be_bytes(keccak256([key.0, slot.to_be_bytes()].concat()).0);
        let slot = |n: u64| U256::from(n);
        let mut words = BTreeMap::new();
        for ((chart, record_id, grantee), rule) in &self.rules {
            let place = at(grantee.into_word(), at(*record_id, at(*chart, slot(0))));
            words.insert(place, rule.to_word());
        }
        for ((chart, delegate), entry) in &self.delegates {
            let place = at(delegate.into_word(), at(*chart, slot(1)));
            let (first, second) = entry.to_words();
            words.extend([(place, first), (place + slot(1), second)]);
        }
        for (chart, access) in &self.access {
            words.insert(at(*chart, slot(2)), access.to_word());
        }
        for ((chart, party), held) in &self.emergencies {
            words.insert(at(party.into_word(), at(*chart, slot(3))), held.to_word());
        }
        words.retain(|_, word| !word.is_zero());
        words
    }
}

/// All that is not zero.
fn stored(vm: &TestVM) -> BTreeMap<U256, B256> {
    let storage = vm.snapshot().storage;
    storage.into_iter().filter(|(_, word)| !word.is_zero()).collect()
}
