//! Revocations, and the keyrings of those who stay.
use super::*;

fn revoke(world: &mut World, grantee: Address, version: u32, keyrings: Vec<Keyring>) -> Result<(), Error> {
    world.by(PATIENT, |records, actor| {
        records.revoke(actor, CHART, grantee, version, ROTATED, keyrings)
    })
}

fn set_keyrings(world: &mut World, version: u32, keyrings: Vec<Keyring>) -> Result<(), Error> {
    world.by(PATIENT, |records, actor| {
        records.set_keyrings(actor, CHART, version, keyrings)
    })
}

fn zero(grantee: Address) -> Keyring {
    Keyring {
        keyring: B256::ZERO,
        ..keyring(grantee)
    }
}

#[test]
fn revoking_clears_the_grant_and_rotates_the_directory_at_once() {
    let mut world = World::new();
    world.grant(CLINIC, terms(1 << LABS));
    world.grant(INSURER, terms(1 << LABS));
    for grantee in [STRANGER, PATIENT, NOBODY] {
        assert_eq!(revoke(&mut world, grantee, 2, vec![]), Err(no_grant(grantee)));
    }
    for given in [0, 1, 3] {
        assert_eq!(revoke(&mut world, CLINIC, given, vec![]), Err(stale(given, 2)));
    }
    assert_eq!(
        world.by(PATIENT, |records, actor| {
            records.revoke(actor, CHART, CLINIC, 2, B256::ZERO, vec![])
        }),
        Err(zero_digest())
    );
    for (keyrings, refused) in [
        (vec![keyring(STRANGER)], no_grant(STRANGER)),
        (vec![keyring(INSURER), keyring(CLINIC)], no_grant(CLINIC)),
        (vec![keyring(INSURER), zero(INSURER)], zero_digest()),
        (vec![keyring(INSURER); BATCH_MOST + 1], batch_size(129, 128)),
    ] {
        assert_eq!(revoke(&mut world, CLINIC, 2, keyrings), Err(refused));
    }
    assert_eq!(world.reason(question(CLINIC)), reason::GRANT);
    revoke(&mut world, CLINIC, 2, vec![keyring(INSURER); 2]).unwrap();
    assert_eq!(
        world.events(),
        [
            revoked(CLINIC),
            directory_set(2),
            keyring_set(INSURER),
            keyring_set(INSURER)
        ]
    );
    assert_eq!(world.records.chart_of(CHART), (PATIENT, 1, 2, ROTATED, 0, false, false));
    let (epoch, since, serial, left) = world.records.grant_of(CHART, CLINIC);
    assert_eq!((epoch, since, serial, left.compartments), (0, 0, 0, 0));
    assert_eq!(world.reason(question(CLINIC)), reason::NO_GRANT);
    assert_eq!(world.reason(question(INSURER)), reason::GRANT);
    assert_eq!(revoke(&mut world, CLINIC, 3, vec![]), Err(no_grant(CLINIC)));
    // Nobody need stay.
    revoke(&mut world, INSURER, 3, vec![]).unwrap();
    assert_eq!(world.events(), [revoked(INSURER), directory_set(3)]);
}

/// One that is not in force yet, or not any more, has a keyring too.
#[test]
fn a_grant_is_revoked_whatever_the_time() {
    let mut world = World::new();
    for (not_before, expiry) in [(NOW + 10, 0), (0, NOW + 1)] {
        let grant = GrantTerms {
            notBefore: not_before,
            expiry,
            ..terms(1)
        };
        world.grant(CLINIC, grant);
        let version = world.records.chart_of(CHART).2 + 1;
        world.at(NOW + 1);
        set_keyrings(&mut world, version - 1, vec![keyring(CLINIC)]).unwrap();
        revoke(&mut world, CLINIC, version, vec![]).unwrap();
        assert_eq!(world.reason(question(CLINIC)), reason::NO_GRANT);
        world.at(NOW);
    }
}

#[test]
fn revoking_all_ends_every_grant_and_a_new_one_starts_anew() {
    let mut world = World::new();
    world.grant(CLINIC, terms(u64::MAX));
    world.grant(INSURER, terms(u64::MAX));
    world.revoke_all();
    assert_eq!(world.events(), [all_revoked(2)]);
    assert_eq!(
        world.records.chart_of(CHART),
        (PATIENT, 2, 1, DIRECTORY, 0, false, true)
    );
    for grantee in [CLINIC, INSURER] {
        assert_eq!(world.reason(question(grantee)), reason::REVOKED);
        assert_eq!(revoke(&mut world, grantee, 2, vec![]), Err(no_grant(grantee)));
        // The word stands, of an epoch that is over.
        assert_eq!(world.records.grant_of(CHART, grantee), (1, 1, 1, terms(u64::MAX)));
    }
    world.rotate();
    for grantee in [CLINIC, INSURER] {
        assert_eq!(world.reason(question(grantee)), reason::REVOKED);
        assert_eq!(revoke(&mut world, grantee, 4, vec![]), Err(no_grant(grantee)));
        assert_eq!(
            set_keyrings(&mut world, 3, vec![keyring(grantee)]),
            Err(no_grant(grantee))
        );
    }
    world.grant(CLINIC, terms(1 << LABS));
    assert_eq!(world.records.grant_of(CHART, CLINIC), (2, 3, 1, terms(1 << LABS)));
    assert_eq!(world.reason(question(CLINIC)), reason::GRANT);
    assert_eq!(world.reason(question(INSURER)), reason::REVOKED);
    // Also where nobody holds any.
    for epoch in [3, 4] {
        world.revoke_all();
        assert_eq!(world.records.chart_of(CHART).1, epoch);
        assert_eq!(world.reason(question(CLINIC)), reason::REVOKED);
    }
}

/// The epoch is what was seen when it was signed, plus one: what is late, early or given twice ends nothing.
#[test]
fn revoking_all_names_the_next_grant_epoch() {
    let mut world = World::new();
    world
        .by(PATIENT, |records, actor| {
            records.open_chart(actor, OTHER_CHART, DIRECTORY)
        })
        .unwrap();
    let grant_epoch = |given, expected| Err(IRecords::GrantEpoch { given, expected }.into());
    // While a rotation is due, and where none is.
    for expected in [2, 3, 4] {
        world.grant_unless_due(CLINIC);
        let mut revoke_all = |caller, given| {
            world.through(caller, PATIENT, |records, actor| {
                records.revoke_all(actor, CHART, given)
            })
        };
        for given in [0, 1, expected - 1, expected + 1, u32::MAX] {
            for caller in [PATIENT, RELAY] {
                assert_eq!(revoke_all(caller, given), grant_epoch(given, expected));
            }
        }
        revoke_all(RELAY, expected).unwrap();
        assert_eq!(world.events(), [all_revoked(expected)]);
        assert_eq!(world.records.chart_of(CHART).1, expected);
        if expected == 3 {
            world.rotate();
        }
    }
    // Epochs are of a chart.
    assert_eq!(
        world.records.chart_of(OTHER_CHART),
        (PATIENT, 1, 1, DIRECTORY, 0, false, false)
    );
    let other = |records: &mut Records, actor| records.revoke_all(actor, OTHER_CHART, 5);
    assert_eq!(world.by(PATIENT, other), grant_epoch(5, 2));
}

/// A constant cost, and nothing at hand but the right to: one word of all is written.
#[test]
fn revoking_all_writes_the_charts_first_word_alone() {
    let mut world = World::exceptional();
    world.add(PATIENT, vec![record(RECORD, LABS)]).unwrap();
    for grantee in [CLINIC, INSURER, NURSE] {
        world.grant(grantee, terms(u64::MAX));
    }
    world
        .by(PATIENT, |records, actor| records.offer_control(actor, CHART, HEIR))
        .unwrap();
    let before = world.storage();
    world.revoke_all();
    let after = world.storage();
    let head = layout::chart(CHART);
    assert_ne!(before[&head], after[&head]);
    let others = |mut words: std::collections::BTreeMap<U256, B256>| {
        words.remove(&head);
        words
    };
    assert_eq!(others(before), others(after));
}

#[test]
fn a_delegate_who_revokes_all_is_told_of_first() {
    let mut world = World::exceptional();
    let by_guardian = |records: &mut Records, actor| records.revoke_all(actor, CHART, 2);
    world.facts(Facts {
        powers: !power::REVOKE,
        ..NOTHING
    });
    assert_eq!(
        world.by(GUARDIAN, by_guardian),
        Err(not_controller(GUARDIAN, power::REVOKE))
    );
    world.facts(Facts {
        powers: power::REVOKE,
        ..NOTHING
    });
    world.by(GUARDIAN, by_guardian).unwrap();
    assert_eq!(world.events(), [by_delegate(GUARDIAN, power::REVOKE), all_revoked(2)]);
    assert_eq!(world.records.chart_of(CHART), (PATIENT, 2, 1, DIRECTORY, 0, true, true));
}

impl World {
    fn grant_unless_due(&mut self, grantee: Address) {
        if !self.records.chart_of(CHART).6 {
            self.grant(grantee, terms(1 << LABS));
        }
    }
}

#[test]
fn keyrings_go_to_grantees_only_for_the_current_directory_and_carry_digests() {
    let mut world = World::new();
    world.grant(CLINIC, terms(1));
    world.grant(INSURER, terms(1));
    for (keyrings, refused) in [
        (vec![keyring(CLINIC), keyring(STRANGER)], no_grant(STRANGER)),
        (vec![keyring(PATIENT)], no_grant(PATIENT)),
        (vec![keyring(CLINIC), zero(CLINIC)], zero_digest()),
        (vec![], batch_size(0, 128)),
    ] {
        assert_eq!(set_keyrings(&mut world, 1, keyrings), Err(refused));
    }
    let before = world.storage();
    set_keyrings(&mut world, 1, vec![keyring(INSURER), keyring(CLINIC)]).unwrap();
    assert_eq!(world.events(), [keyring_set(INSURER), keyring_set(CLINIC)]);
    assert_eq!(world.storage(), before);
    world.rotate();
    for given in [0, 1, 3] {
        assert_eq!(
            set_keyrings(&mut world, given, vec![keyring(CLINIC)]),
            Err(stale(given, 2))
        );
    }
    set_keyrings(&mut world, 2, vec![keyring(CLINIC)]).unwrap();
}
