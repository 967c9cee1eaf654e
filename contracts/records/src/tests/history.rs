//! Random histories of calls, sound and unsound, by many actors on two charts: the events alone give back every storage
//! word and no other, every answer is as the events say, and what has ended never comes back.
use std::collections::{BTreeMap, BTreeSet};

use medlock_merkle::{leaf_of_two, proof, root};

use medlock_dice::Dice;

use super::*;

const CHARTS: [B256; 2] = [CHART, OTHER_CHART];
const CONTROLLERS: [Address; 2] = [PATIENT, HEIR];
const RECORDS: usize = 24;
const HISTORIES: u64 = 8;
const CALLS: usize = 300;
const NAMES: [&str; 15] = [
    "openChart",
    "offerControl",
    "acceptControl",
    "setDirectory",
    "setExceptional",
    "addRecords",
    "amendRecord",
    "enterInError",
    "shredRecord",
    "addBatch",
    "takeFromBatch",
    "grant",
    "setKeyrings",
    "revoke",
    "revokeAll",
];

#[test]
fn events_alone_give_back_every_storage_word_and_what_has_ended_stays_ended() {
    let trees: Vec<Tree> = (0..3).map(Tree::new).collect();
    let mut outcomes = BTreeMap::new();
    let mut acted = BTreeSet::new();
    let mut waited = BTreeSet::new();
    for seed in 0..HISTORIES {
        let mut world = World::new();
        let mut dice = Dice(seed);
        let mut replay = Replay::default();
        let mut before = Replay::default();
        let mut now = NOW;
        world.told = 0;
        for event in world.events() {
            replay.apply(&event, now);
        }
        assert_eq!(world.storage(), replay.words());
        for _ in 0..CALLS {
            now += dice.below(4);
            world.at(now);
            let (name, outcome) = call(&mut world, &replay, &trees, &mut dice, now);
            *outcomes.entry((name, outcome.is_ok())).or_insert(0) += 1;
            if let Err(Error::RotationDue(_)) = outcome {
                waited.insert(name);
            }
            let events = if outcome.is_ok() { world.events() } else { vec![] };
            // Who acts for another is told first.
            for (place, event) in events.iter().enumerate() {
                if let Event::ByDelegate(_) | Event::ActedFor(_) = event {
                    assert_eq!(place, 0, "{events:?}");
                    acted.insert((name, matches!(event, Event::ByDelegate(_))));
                }
                replay.apply(event, now);
            }
            assert_eq!(world.storage(), replay.words(), "seed {seed}, {name}");
            same_answers(&world, &replay, &mut dice, now);
            nothing_comes_back(&replay, &mut before);
        }
    }
    // The dice reach both outcomes of every call.
    for name in NAMES {
        for outcome in [false, true] {
            assert!(outcomes.contains_key(&(name, outcome)), "{name} {outcome}");
        }
    }
    for name in ["addRecords", "amendRecord", "enterInError", "addBatch"] {
        for by_delegate in [false, true] {
            assert!(acted.contains(&(name, by_delegate)), "{name} {by_delegate}");
        }
    }
    let sealing = ["addBatch", "addRecords", "amendRecord", "grant", "setKeyrings"];
    assert_eq!(waited, sealing.into());
    for name in ["setDirectory", "grant", "setKeyrings", "revoke", "revokeAll"] {
        assert!(acted.contains(&(name, true)), "{name}");
    }
}

/// Some leaves are of records that are added one by one as well.
struct Tree {
    leaves: Vec<(B256, B256)>,
    hashes: Vec<B256>,
    root: B256,
}

fn keccak(bytes: &[u8]) -> B256 {
    keccak256(bytes)
}

impl Tree {
    fn new(n: usize) -> Self {
        let leaves: Vec<_> = (0..3 + n).map(|leaf| (id(7 * n + leaf), id(100 + leaf))).collect();
        let hashes: Vec<_> = leaves
            .iter()
            .map(|(id, pointer)| leaf_of_two(keccak, *id, *pointer))
            .collect();
        let root = root(keccak, &hashes).unwrap();
        Self { leaves, hashes, root }
    }
}

/// One random call, mostly one that might be taken: its name, and how it went.
fn call(
    world: &mut World,
    replay: &Replay,
    trees: &[Tree],
    dice: &mut Dice,
    now: u64,
) -> (&'static str, Result<(), Error>) {
    let chart = dice.pick(&CHARTS);
    let held = replay.chart(chart);
    // Whom the registry says yes of, and who has powers, changes from call to call; where both are asked, they exclude each other.
    world.facts(Facts {
        denied: dice.one_in(2),
        allowed_since: dice.below(3) as u32,
        powers: dice.pick(&[0, power::EVERY, power::EVERY & !power::WRITE, power::WRITE]),
        emergency: dice.one_in(4),
    });
    let version = if dice.one_in(8) {
        dice.below(6) as u32
    } else {
        held.version
    };
    let next = version + 1 + u32::from(held.is_due);
    let epoch = if dice.one_in(8) {
        dice.below(6) as u32
    } else {
        held.epoch + 1
    };
    // Nobody acts as the zero address: no key signs for it.
    let or = |address: Address, other| if address.is_zero() { other } else { address };
    let anyone = dice.pick(&PARTIES);
    let controller = or(held.controller, anyone);
    let actor = if dice.one_in(3) { anyone } else { controller };
    let grantee = if dice.one_in(2) { CLINIC } else { anyone };
    let digest = if dice.one_in(20) {
        B256::ZERO
    } else {
        B256::from(U256::from(dice.number()))
    };
    let keyrings: Vec<Keyring> = replay
        .grants
        .iter()
        .filter(|((of, _), grant)| *of == chart && (grant.epoch == held.epoch || dice.one_in(16)) && dice.one_in(2))
        .map(|((_, grantee), _)| keyring(*grantee))
        .collect();
    let compartment = if dice.one_in(16) {
        64
    } else {
        dice.pick(&[LABS, CLAIMS])
    };
    // Writers: the controller, the clinic, the nurse for it, or anyone.
    let (author, organisation) = match dice.below(8) {
        0 | 1 => (controller, NOBODY),
        2 => (CLINIC, NOBODY),
        3 | 4 => (NURSE, CLINIC),
        5 | 6 => (GUARDIAN, NOBODY),
        _ => (dice.pick(&PARTIES), dice.pick(&[NOBODY, CLINIC, INSURER])),
    };
    let known: Vec<B256> = replay
        .records
        .iter()
        .filter(|((of, _), record)| *of == chart && (record.status == status::CURRENT || dice.one_in(4)))
        .map(|((_, id), _)| *id)
        .collect();
    let record_id = match known[..] {
        [] => RECORD,
        _ if dice.one_in(8) => RECORD,
        _ => dice.pick(&known),
    };
    let previous = match replay.records.get(&(chart, record_id)) {
        Some(record) if !dice.one_in(8) => record.pointer,
        _ => digest,
    };
    let tree = &trees[dice.below(3) as usize];
    // Where a rotation is due, mostly one comes soon.
    let kind = if held.is_due && dice.one_in(2) {
        dice.pick(&[3, 5])
    } else {
        dice.below(35)
    };
    let by = |world: &mut World,
              actor,
              call: &mut dyn FnMut(&mut Records, Address) -> Result<(), Error>,
              dice: &mut Dice| {
        // By themselves, by the relay, or by somebody who is neither.
        let caller = match dice.below(16) {
            0..4 => RELAY,
            4 => STRANGER,
            _ => actor,
        };
        world.through(caller, actor, call)
    };
    match kind {
        0 => {
            let (actor, chart) = (dice.pick(&CONTROLLERS), OTHER_CHART);
            let outcome = by(world, actor, &mut |r, a| r.open_chart(a, chart, digest), dice);
            ("openChart", outcome)
        }
        1 | 2 => {
            let to = dice.pick(&[PATIENT, HEIR, CLINIC, NOBODY]);
            (
                "offerControl",
                by(world, actor, &mut |r, a| r.offer_control(a, chart, to), dice),
            )
        }
        3 | 4 => {
            let actor = if dice.one_in(3) { actor } else { or(held.offered, actor) };
            let keyrings: Vec<_> = keyrings.into_iter().filter(|k| k.grantee != actor).collect();
            let outcome = by(
                world,
                actor,
                &mut |r, a| r.accept_control(a, chart, next, digest, keyrings.clone()),
                dice,
            );
            ("acceptControl", outcome)
        }
        5 | 6 => {
            let outcome = by(world, actor, &mut |r, a| r.set_directory(a, chart, next, digest), dice);
            ("setDirectory", outcome)
        }
        7 => {
            // Late enough that both kinds of chart are seen.
            let caller = if now < NOW + 240 { PATIENT } else { EXCEPTIONS };
            ("setExceptional", world.by(caller, |r, _| r.set_exceptional(chart)))
        }
        8..13 => {
            let batch: Vec<_> = (0..=dice.below(3))
                .map(|n| record(id((dice.below(RECORDS as u64) + n) as usize), compartment))
                .collect();
            let outcome = by(
                world,
                author,
                &mut |r, a| r.add_records(a, chart, organisation, version, batch.clone()),
                dice,
            );
            ("addRecords", outcome)
        }
        13..18 => {
            let codec = dice.number() as u8;
            let outcome = by(
                world,
                author,
                &mut |r, a| r.amend_record(a, chart, organisation, version, record_id, previous, codec, digest),
                dice,
            );
            ("amendRecord", outcome)
        }
        18 | 19 => {
            let outcome = by(
                world,
                author,
                &mut |r, a| r.enter_in_error(a, chart, organisation, record_id, previous),
                dice,
            );
            ("enterInError", outcome)
        }
        20 => (
            "shredRecord",
            by(world, actor, &mut |r, a| r.shred_record(a, chart, record_id), dice),
        ),
        21 | 22 => {
            // The third is of more leaves than it says, which hurts nobody: fewer are proved.
            let root = if dice.one_in(3) { digest } else { tree.root };
            let count = tree.leaves.len() as u32;
            let outcome = by(
                world,
                author,
                &mut |r, a| r.add_batch(a, chart, organisation, version, compartment, 9, root, count),
                dice,
            );
            ("addBatch", outcome)
        }
        23 | 24 => {
            let index = dice.below(tree.leaves.len() as u64);
            let (id, pointer) = tree.leaves[index as usize];
            let path = proof(keccak, &tree.hashes, index as usize).unwrap();
            let outcome = world.by(STRANGER, |r, _| {
                r.take_from_batch(chart, tree.root, index as u32, id, pointer, path)
            });
            ("takeFromBatch", outcome)
        }
        25..29 => {
            let serial = match replay.grants.get(&(chart, grantee)) {
                _ if dice.one_in(8) => dice.below(4) as u8,
                Some(grant) if grant.epoch == held.epoch => grant.serial,
                _ => 0,
            };
            let terms = GrantTerms {
                compartments: dice.pick(&[1 << LABS, u64::MAX, u64::MAX, u64::MAX]),
                purposes: dice.pick(&[purpose::TREAT, purpose::HPAYMT, u32::MAX]),
                actions: dice.pick(&[action::READ, action::READ | action::WRITE, action::WRITE, u8::MAX]),
                notBefore: dice.pick(&[0, 0, 0, now + 5]),
                expiry: dice.pick(&[0, 0, 0, now + 30, now]),
            };
            let outcome = by(
                world,
                actor,
                &mut |r, a| r.grant(a, chart, version, grantee, serial, terms.clone(), digest),
                dice,
            );
            ("grant", outcome)
        }
        29..32 => {
            let actor = if dice.one_in(4) { GUARDIAN } else { actor };
            let outcome = by(
                world,
                actor,
                &mut |r, a| r.set_keyrings(a, chart, version, keyrings.clone()),
                dice,
            );
            ("setKeyrings", outcome)
        }
        32..34 => {
            let grantee = keyrings.first().map_or(grantee, |keyring| keyring.grantee);
            let keyrings: Vec<_> = keyrings.into_iter().filter(|k| k.grantee != grantee).collect();
            let outcome = by(
                world,
                actor,
                &mut |r, a| r.revoke(a, chart, grantee, next, digest, keyrings.clone()),
                dice,
            );
            ("revoke", outcome)
        }
        _ => {
            let outcome = by(world, actor, &mut |r, a| r.revoke_all(a, chart, epoch), dice);
            ("revokeAll", outcome)
        }
    }
}

/// Every view, against what the events say.
fn same_answers(world: &World, replay: &Replay, dice: &mut Dice, now: u64) {
    let records = &world.records;
    assert_eq!(records.neighbours(), (REGISTRY, EXCEPTIONS, RELAY));
    for chart in CHARTS {
        let held = replay.chart(chart);
        assert_eq!(
            records.chart_of(chart),
            (
                held.controller,
                held.epoch,
                held.version,
                held.directory,
                held.control_epoch,
                held.is_exceptional,
                held.is_due
            )
        );
        assert_eq!(records.offered_to(chart), held.offered);
        let record_id = id(dice.below(RECORDS as u64) as usize);
        let record = replay.records.get(&(chart, record_id)).copied().unwrap_or_default();
        assert_eq!(
            records.record_of(chart, record_id),
            (
                record.author,
                record.created_at,
                record.version,
                record.compartment,
                record.status,
                record.codec,
                record.pointer
            )
        );
        let grantee = dice.pick(&PARTIES);
        let grant = replay.grants.get(&(chart, grantee));
        let (epoch, since, serial, terms) = records.grant_of(chart, grantee);
        match grant {
            Some(grant) => assert_eq!(
                (epoch, since, serial, &terms),
                (grant.epoch, grant.since, grant.serial, &grant.terms)
            ),
            None => assert_eq!((epoch, since, serial, terms.compartments), (0, 0, 0, 0)),
        }
        if held.is_exceptional {
            continue;
        }
        let asked = Question {
            compartment: dice.pick(&[LABS, CLAIMS]),
            recordId: dice.pick(&[B256::ZERO, record_id]),
            purpose: dice.pick(&[purpose::TREAT, purpose::HPAYMT, purpose::ETREAT]),
            action: dice.pick(&[action::READ, action::WRITE, action::SHARE]),
            ..super::super::question(chart, grantee)
        };
        let is_granted = grantee == held.controller
            || grant.is_some_and(|grant| {
                let terms = &grant.terms;
                grant.epoch == held.epoch
                    && (terms.notBefore..if terms.expiry == 0 { u64::MAX } else { terms.expiry }).contains(&now)
                    && terms.compartments >> asked.compartment & 1 == 1
                    && terms.purposes & asked.purpose != 0
                    && terms.actions & asked.action != 0
            });
        let is_there = asked.recordId.is_zero()
            || record.version != 0 && record.compartment == asked.compartment && record.status != status::SHREDDED;
        let expected = !held.controller.is_zero() && is_granted && is_there;
        assert_eq!(records.decide(asked.clone()).0, expected, "{asked:?}");
    }
}

/// Of what the events say, which is what is stored: counters rise, and no tombstone is written over.
fn nothing_comes_back(replay: &Replay, before: &mut Replay) {
    for (chart, held) in &replay.charts {
        let then = before.chart(*chart);
        assert!(held.version >= then.version && held.epoch >= then.epoch && held.control_epoch >= then.control_epoch);
        // Whatever ends something moves the directory on, or has nothing sealed before it has moved on.
        let rotated = held.version != then.version.max(1);
        let all_ended = held.epoch != then.epoch.max(1);
        assert!(rotated || held.control_epoch == then.control_epoch);
        assert_eq!(held.is_due, all_ended || then.is_due && !rotated);
        // A version that is used up is nobody's: what was signed for it is void.
        assert_eq!(
            held.used() - then.used().max(1),
            u32::from(rotated || all_ended && !then.is_due)
        );
        assert!(held.is_exceptional || !then.is_exceptional);
    }
    for (key, then) in &before.records {
        let entry = &replay.records[key];
        assert!(entry.version >= then.version && entry.status >= then.status);
        assert_eq!(entry.compartment, then.compartment);
        assert_eq!(entry.pointer.is_zero(), entry.status == status::SHREDDED);
        if then.status != status::CURRENT {
            assert_eq!(
                (entry.version, entry.author, entry.created_at),
                (then.version, then.author, then.created_at)
            );
        }
    }
    for (key, then) in &before.grants {
        // One that is gone, or begun anew, has moved the directory on.
        let held = replay.chart(key.0);
        match replay.grants.get(key) {
            Some(grant) if grant.since == then.since => assert!(grant.serial >= then.serial),
            _ => assert!(held.version > then.since),
        }
    }
    assert!(before.batches.iter().all(|(key, then)| replay.batches[key] == *then));
    before.clone_from(replay);
}

#[derive(Clone, Copy, Default)]
struct Held {
    controller: Address,
    epoch: u32,
    version: u32,
    directory: B256,
    control_epoch: u32,
    is_exceptional: bool,
    is_due: bool,
    offered: Address,
}

impl Held {
    /// The last directory version that no other directory will have.
    fn used(&self) -> u32 {
        self.version + u32::from(self.is_due)
    }
}

#[derive(Clone, Copy, Default, PartialEq)]
struct Entry {
    author: Address,
    created_at: u64,
    /// Of a batch: how many leaves.
    version: u32,
    compartment: u8,
    status: u8,
    codec: u8,
    pointer: B256,
}

#[derive(Clone)]
struct Given {
    epoch: u32,
    since: u32,
    serial: u8,
    terms: GrantTerms,
}

/// What the events say, read in order and without a look at the contract.
#[derive(Clone, Default)]
struct Replay {
    charts: BTreeMap<B256, Held>,
    records: BTreeMap<(B256, B256), Entry>,
    grants: BTreeMap<(B256, Address), Given>,
    batches: BTreeMap<(B256, B256), Entry>,
}

impl Replay {
    fn chart(&self, chart: B256) -> Held {
        self.charts.get(&chart).copied().unwrap_or_default()
    }

    fn apply(&mut self, event: &Event, now: u64) {
        let chart = |charts: &mut BTreeMap<B256, Held>, chart, change: &dyn Fn(&mut Held)| {
            change(charts.get_mut(&chart).unwrap());
        };
        // What is sealed is sealed to a directory of which no grant has ended.
        let sealed_on = match event {
            Event::RecordAdded(e) => Some(e.chart),
            Event::RecordAmended(e) => Some(e.chart),
            Event::BatchAdded(e) => Some(e.chart),
            Event::Granted(e) => Some(e.chart),
            Event::KeyringSet(e) => Some(e.chart),
            _ => None,
        };
        assert!(sealed_on.is_none_or(|chart| !self.charts[&chart].is_due), "{event:?}");
        match event {
            Event::ChartOpened(e) => {
                let opened = Held {
                    controller: e.controller,
                    epoch: 1,
                    version: 1,
                    directory: e.directory,
                    ..Held::default()
                };
                assert!(self.charts.insert(e.chart, opened).is_none());
            }
            Event::ControlOffered(e) => chart(&mut self.charts, e.chart, &|held| held.offered = e.to),
            Event::ControlAccepted(e) => chart(&mut self.charts, e.chart, &|held| {
                assert_eq!((held.offered, held.control_epoch + 1), (e.controller, e.controlEpoch));
                (held.controller, held.control_epoch, held.offered) = (e.controller, e.controlEpoch, NOBODY);
            }),
            Event::MadeExceptional(e) => chart(&mut self.charts, e.chart, &|held| {
                assert!(!held.is_exceptional);
                held.is_exceptional = true;
            }),
            Event::DirectorySet(e) => chart(&mut self.charts, e.chart, &|held| {
                assert_eq!(held.used() + 1, e.version);
                (held.version, held.directory, held.is_due) = (e.version, e.directory, false);
            }),
            Event::AllRevoked(e) => chart(&mut self.charts, e.chart, &|held| {
                assert_eq!(held.epoch + 1, e.epoch);
                (held.epoch, held.is_due) = (e.epoch, true);
            }),
            Event::ByDelegate(e) => assert_ne!(e.delegate, self.charts[&e.chart].controller),
            Event::ActedFor(e) => assert_eq!((e.organisation, e.member), (CLINIC, NURSE)),
            Event::RecordAdded(e) => {
                let entry = Entry {
                    author: e.author,
                    created_at: now,
                    version: 1,
                    compartment: e.compartment,
                    status: status::CURRENT,
                    codec: e.codec,
                    pointer: e.pointer,
                };
                assert!(self.records.insert((e.chart, e.recordId), entry).is_none());
            }
            Event::RecordAmended(e) => {
                let entry = self.records.get_mut(&(e.chart, e.recordId)).unwrap();
                assert_eq!((entry.version + 1, entry.pointer), (e.version, e.previous));
                *entry = Entry {
                    author: e.author,
                    created_at: now,
                    version: e.version,
                    codec: e.codec,
                    pointer: e.pointer,
                    ..*entry
                };
            }
            Event::RecordEnteredInError(e) => {
                let entry = self.records.get_mut(&(e.chart, e.recordId)).unwrap();
                assert_eq!(entry.status, status::CURRENT);
                entry.status = status::ENTERED_IN_ERROR;
            }
            Event::RecordShredded(e) => {
                let entry = self.records.get_mut(&(e.chart, e.recordId)).unwrap();
                assert_ne!(entry.status, status::SHREDDED);
                (entry.status, entry.pointer) = (status::SHREDDED, B256::ZERO);
            }
            Event::BatchAdded(e) => {
                let batch = Entry {
                    author: e.author,
                    created_at: now,
                    version: e.count,
                    compartment: e.compartment,
                    codec: e.codec,
                    ..Entry::default()
                };
                assert!(self.batches.insert((e.chart, e.root), batch).is_none());
            }
            Event::RecordTakenFromBatch(e) => {
                let entry = Entry {
                    author: e.author,
                    created_at: e.createdAt,
                    version: 1,
                    compartment: e.compartment,
                    status: status::CURRENT,
                    codec: e.codec,
                    pointer: e.pointer,
                };
                let batch = self.batches[&(e.chart, e.root)];
                assert_eq!((e.author, e.createdAt), (batch.author, batch.created_at));
                assert_eq!((e.compartment, e.codec), (batch.compartment, batch.codec));
                assert!(self.records.insert((e.chart, e.recordId), entry).is_none());
            }
            Event::Granted(e) => {
                let held = self.chart(e.chart);
                assert_ne!(e.grantee, held.controller);
                let before = self.grants.get(&(e.chart, e.grantee));
                let before = before.filter(|grant| grant.epoch == held.epoch);
                // Both could be known without being told.
                assert_eq!(e.serial, before.map_or(0, |grant| grant.serial) + 1);
                assert_eq!(e.since, before.map_or(held.version, |grant| grant.since));
                assert_eq!(e.epoch, held.epoch);
                let terms = GrantTerms {
                    compartments: e.compartments,
                    purposes: e.purposes,
                    actions: e.actions,
                    notBefore: e.notBefore,
                    expiry: e.expiry,
                };
                let given = Given {
                    epoch: e.epoch,
                    since: e.since,
                    serial: e.serial,
                    terms,
                };
                self.grants.insert((e.chart, e.grantee), given);
            }
            Event::KeyringSet(e) => {
                assert_eq!(self.grants[&(e.chart, e.grantee)].epoch, self.chart(e.chart).epoch);
            }
            Event::Revoked(e) => assert!(self.grants.remove(&(e.chart, e.grantee)).is_some()),
        }
    }

    /// Storage, slot by slot, as contracts/README.md lays it out: the words that are not zero.
    fn words(&self) -> BTreeMap<U256, B256> {
        let one = U256::from(1);
        let mut words: BTreeMap<U256, B256> = BTreeMap::new();
        for (chart, held) in &self.charts {
            let head = ChartHead {
                controller: held.controller,
                grant_epoch: held.epoch,
                directory_version: held.used(),
                exceptional: held.is_exceptional,
                rotation_due: held.is_due,
                control_epoch: held.control_epoch,
            };
            let slot = layout::chart(*chart);
            words.insert(slot, head.to_word());
            words.insert(slot + one, held.directory);
            words.insert(layout::offer(*chart), held.offered.into_word());
        }
        for ((chart, id), entry) in &self.records {
            let slot = layout::record(*chart, *id);
            words.insert(slot, entry.head().to_word());
            words.insert(slot + one, entry.pointer);
        }
        for ((chart, grantee), given) in &self.grants {
            let word = Grant::new(given.epoch, given.since, given.serial, &given.terms).to_word();
            words.insert(layout::grant(*chart, *grantee), word);
        }
        for ((chart, root), batch) in &self.batches {
            words.insert(layout::batch(*chart, *root), batch.head().to_word());
        }
        words.retain(|_, word| !word.is_zero());
        words
    }
}

impl Entry {
    fn head(&self) -> RecordHead {
        RecordHead {
            author: self.author,
            created_at: self.created_at,
            version: self.version,
            compartment: self.compartment,
            status: self.status,
            codec: self.codec,
        }
    }
}
