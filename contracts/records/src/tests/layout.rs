//! Proofs of storage (`eth_getProof`) are read by this layout: that of contracts/README.md.
use std::{cell::RefCell, collections::HashMap};

use alloy_primitives::b256;
use proptest::prelude::*;

use super::*;

thread_local! {
    /// By key and slot of the map: keccak takes 50 microseconds here, and histories ask for the same words again and again.
    static ENTRIES: RefCell<HashMap<(B256, U256), U256>> = RefCell::default();
}

fn entry(key: B256, slot: U256) -> U256 {
    let hash = || U256::from_be_bytes(keccak256([key.0, slot.to_be_bytes()].concat()).0);
    ENTRIES.with_borrow_mut(|entries| *entries.entry((key, slot)).or_insert_with(hash))
}

/// The head; the directory is in the next word.
pub(super) fn chart(chart: B256) -> U256 {
    entry(chart, U256::from(0))
}

/// The head; the pointer is in the next word.
pub(super) fn record(chart: B256, id: B256) -> U256 {
    entry(id, entry(chart, U256::from(1)))
}

pub(super) fn grant(chart: B256, grantee: Address) -> U256 {
    entry(grantee.into_word(), entry(chart, U256::from(2)))
}

pub(super) fn offer(chart: B256) -> U256 {
    entry(chart, U256::from(3))
}

pub(super) fn batch(chart: B256, root: B256) -> U256 {
    entry(root, entry(chart, U256::from(4)))
}

#[test]
fn storage_lies_where_solidity_would_put_it() {
    let mut world = World::new();
    world.add(PATIENT, vec![super::record(RECORD, LABS)]).unwrap();
    world.rotate();
    world.grant(CLINIC, terms(1 << LABS));
    world
        .by(PATIENT, |records, actor| records.offer_control(actor, CHART, HEIR))
        .unwrap();
    world
        .by(PATIENT, |records, actor| {
            records.add_batch(actor, CHART, NOBODY, 2, CLAIMS, 9, AMENDED, 5)
        })
        .unwrap();
    world
        .by(EXCEPTIONS, |records, _| records.set_exceptional(CHART))
        .unwrap();
    let one = U256::from(1);
    // All fields, lowest first, from the right: that is how a word is written.
    let expected = [
        // Controller, grant epoch, directory version, flags, control epoch.
        (
            chart(CHART),
            b256!("000000 01 00000002 00000001 0101010101010101010101010101010101010101"),
        ),
        (chart(CHART) + one, ROTATED),
        // Author, created at (1,800,000,000), version, compartment, status, codec.
        (
            record(CHART, RECORD),
            b256!("71 00 03 00000001 006b49d200 0101010101010101010101010101010101010101"),
        ),
        (record(CHART, RECORD) + one, POINTER),
        // Compartments, epoch, purposes, not before, expiry, actions, since, serial.
        (
            grant(CHART, CLINIC),
            b256!("01 00000002 03 0000000000 0000000000 00000001 00000001 0000000000000008"),
        ),
        (offer(CHART), HEIR.into_word()),
        (
            batch(CHART, AMENDED),
            b256!("09 00 3f 00000005 006b49d200 0101010101010101010101010101010101010101"),
        ),
    ];
    assert_eq!(world.storage(), expected.into());
}

/// Of the byte above the directory version, bit 0 is exceptional and bit 1 rotation due; each alone, both and neither. With
/// bit 1 the version is one that no directory has.
#[test]
fn the_flags_of_a_chart_are_two_bits_of_one_byte() {
    let mut world = World::new();
    let head = |world: &World| world.vm.get_storage(chart(CHART));
    assert_eq!(
        head(&world),
        b256!("000000 00 00000001 00000001 0101010101010101010101010101010101010101")
    );
    let mut due = world.fork();
    due.revoke_all();
    assert_eq!(
        head(&due),
        b256!("000000 02 00000002 00000002 0101010101010101010101010101010101010101")
    );
    let make_exceptional = |records: &mut Records, _| records.set_exceptional(CHART);
    world.by(EXCEPTIONS, make_exceptional).unwrap();
    assert_eq!(
        head(&world),
        b256!("000000 01 00000001 00000001 0101010101010101010101010101010101010101")
    );
    // In either order.
    world.revoke_all();
    due.by(EXCEPTIONS, make_exceptional).unwrap();
    for world in [&mut world, &mut due] {
        assert_eq!(
            head(world),
            b256!("000000 03 00000002 00000002 0101010101010101010101010101010101010101")
        );
        world.rotate();
        assert_eq!(
            head(world),
            b256!("000000 01 00000003 00000002 0101010101010101010101010101010101010101")
        );
    }
    for (byte, exceptional, rotation_due) in [(0, false, false), (1, true, false), (2, false, true), (3, true, true)] {
        let mut word = B256::ZERO;
        word[3] = byte;
        let read = ChartHead::from_word(word);
        assert_eq!((read.exceptional, read.rotation_due), (exceptional, rotation_due));
        assert_eq!(read.to_word(), word);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn packed_words_give_back_what_went_in(
        bytes: [u8; 20], a: u32, b: u32, c in 0..=CONTROL_EPOCH_MOST, exceptional: bool, rotation_due: bool,
        d: u8, e: u8, f: u8, g: u64, s in 0..=TIME_MOST, t in 0..=TIME_MOST,
    ) {
        let address = Address::from(bytes);
        let chart = ChartHead {
            controller: address,
            grant_epoch: a,
            directory_version: b,
            exceptional,
            rotation_due,
            control_epoch: c,
        };
        prop_assert_eq!(ChartHead::from_word(chart.to_word()), chart);
        let record = RecordHead {
            author: address,
            created_at: s,
            version: a,
            compartment: d,
            status: e,
            codec: f,
        };
        prop_assert_eq!(RecordHead::from_word(record.to_word()), record);
        let terms = GrantTerms { compartments: g, purposes: b, actions: d, notBefore: s, expiry: t };
        let grant = Grant::new(a, c, e, &terms);
        prop_assert_eq!(Grant::from_word(grant.to_word()), grant);
        prop_assert_eq!(grant.terms(), terms);
    }

    /// No two fields share a bit, and none is left out: every word is the word of what is read from it.
    #[test]
    fn words_read_give_back_the_word(bytes: [u8; 32]) {
        let word = B256::from(bytes);
        prop_assert_eq!(RecordHead::from_word(word).to_word(), word);
        prop_assert_eq!(Grant::from_word(word).to_word(), word);
        let mut chart = word;
        // Flags: two are known.
        chart[3] &= 3;
        prop_assert_eq!(ChartHead::from_word(chart).to_word(), chart);
    }
}

/// At the last of its values a counter takes no neighbour's bits.
#[test]
fn the_last_versions_and_epochs_fit() {
    let mut world = World::exceptional();
    let slot = chart(CHART);
    let head = ChartHead {
        grant_epoch: u32::MAX - 1,
        directory_version: u32::MAX - 2,
        ..ChartHead::from_word(world.vm.get_storage(slot))
    };
    world.vm.set_storage(slot, head.to_word());
    world.grant(CLINIC, terms(1 << LABS));
    assert_eq!(world.records.grant_of(CHART, CLINIC).0, u32::MAX - 1);
    assert_eq!(world.reason(question(CLINIC)), reason::GRANT);
    world
        .by(PATIENT, |records, actor| records.revoke_all(actor, CHART, u32::MAX))
        .unwrap();
    assert_eq!(
        world.records.chart_of(CHART),
        (PATIENT, u32::MAX, u32::MAX - 2, DIRECTORY, 0, true, true)
    );
    assert_eq!(world.reason(question(CLINIC)), reason::REVOKED);
    world.rotate();
    assert_eq!(
        world.records.chart_of(CHART),
        (PATIENT, u32::MAX, u32::MAX, ROTATED, 0, true, false)
    );
    world.grant(CLINIC, terms(1 << LABS));
    let (epoch, since, serial, _) = world.records.grant_of(CHART, CLINIC);
    assert_eq!((epoch, since, serial), (u32::MAX, u32::MAX, 1));
    assert_eq!(world.reason(question(CLINIC)), reason::GRANT);

    world.add(PATIENT, vec![super::record(RECORD, LABS)]).unwrap();
    let slot = record(CHART, RECORD);
    let head = RecordHead {
        version: u32::MAX - 1,
        ..RecordHead::from_word(world.vm.get_storage(slot))
    };
    world.vm.set_storage(slot, head.to_word());
    world.amend(PATIENT, RECORD, POINTER, AMENDED).unwrap();
    assert_eq!(
        world.records.record_of(CHART, RECORD),
        (PATIENT, NOW, u32::MAX, LABS, status::CURRENT, 9, AMENDED)
    );
}
