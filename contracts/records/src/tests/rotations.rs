//! From `revokeAll` to the next directory: nobody seals to keys that the revoked hold, and nothing is granted.
use super::*;

/// What seals or hands out keys, for the directory of this version.
type Sealed = fn(&mut Records, Address, u32) -> Result<(), Error>;

/// In an order in which all are taken.
const SEALED: [(&str, u8, Sealed); 5] = [
    ("addRecords", power::WRITE, |records, actor, version| {
        records.add_records(actor, CHART, NOBODY, version, vec![record(id(1), LABS)])
    }),
    ("amendRecord", power::WRITE, |records, actor, version| {
        records.amend_record(actor, CHART, NOBODY, version, RECORD, POINTER, 9, AMENDED)
    }),
    ("addBatch", power::WRITE, |records, actor, version| {
        records.add_batch(actor, CHART, NOBODY, version, LABS, CODEC_DAG_CBOR, POINTER, 5)
    }),
    ("grant", power::GRANT, |records, actor, version| {
        records.grant(actor, CHART, version, INSURER, 0, terms(1 << LABS), KEYRING)
    }),
    ("setKeyrings", power::DIRECTORY, |records, actor, version| {
        records.set_keyrings(actor, CHART, version, vec![keyring(INSURER)])
    }),
];

/// A record stands and the clinic, which might write, had a grant; all grants have ended.
fn due(mut world: World) -> World {
    world.add(PATIENT, vec![record(RECORD, LABS)]).unwrap();
    world.grant(CLINIC, terms(1 << LABS));
    world.revoke_all();
    world
}

fn is_due(world: &World) -> bool {
    world.records.chart_of(CHART).6
}

#[test]
fn nothing_is_sealed_or_granted_while_a_rotation_is_due_and_all_of_it_is_afterwards() {
    let mut world = due(World::new());
    // Found before the version, whichever is named, and whoever speaks.
    for (name, _, sealed) in SEALED {
        for version in [0, 1, 2, 3, u32::MAX] {
            for caller in [PATIENT, RELAY] {
                let outcome = world.through(caller, PATIENT, |records, actor| sealed(records, actor, version));
                assert_eq!(outcome, Err(rotation_due()), "{name} {version}");
            }
        }
    }
    world.rotate();
    for (name, _, sealed) in SEALED {
        for version in [0, 1, 2, 4] {
            let outcome = world.by(PATIENT, |records, actor| sealed(records, actor, version));
            assert_eq!(outcome, Err(stale(version, 3)), "{name}");
        }
        world
            .by(PATIENT, |records, actor| sealed(records, actor, 3))
            .unwrap_or_else(|error| panic!("{name}: {error:?}"));
    }
    assert_eq!(world.reason(question(INSURER)), reason::GRANT);
    // All had been taken where no grant had ended, so it is for this alone that they were refused.
    let mut other = World::new();
    other.add(PATIENT, vec![record(RECORD, LABS)]).unwrap();
    for (_, _, sealed) in SEALED {
        other.by(PATIENT, |records, actor| sealed(records, actor, 1)).unwrap();
    }
}

#[test]
fn delegates_and_writers_wait_as_the_controller_does() {
    let mut world = due(World::exceptional());
    for (name, power, sealed) in SEALED {
        world.facts(Facts {
            powers: power,
            ..NOTHING
        });
        let delegate =
            |world: &mut World, version| world.by(GUARDIAN, |records, actor| sealed(records, actor, version));
        assert_eq!(delegate(&mut world, 1), Err(rotation_due()), "{name}");
        // Whoever has no right to it is told that first, where a power is asked for.
        world.facts(NOTHING);
        let refusal = match power {
            power::WRITE => rotation_due(),
            _ => not_controller(GUARDIAN, power),
        };
        assert_eq!(delegate(&mut world, 1), Err(refusal), "{name}");
    }
    for (_, _, sealed) in &SEALED[..3] {
        let outcome = world.by(CLINIC, |records, actor| sealed(records, actor, 1));
        assert_eq!(outcome, Err(rotation_due()));
    }
    // For an organisation, too.
    let for_clinic =
        |records: &mut Records, actor| records.add_records(actor, CHART, CLINIC, 1, vec![record(id(1), LABS)]);
    assert_eq!(world.by(NURSE, for_clinic), Err(rotation_due()));
    world.rotate();
    for (name, power, sealed) in SEALED {
        world.facts(Facts {
            powers: power,
            ..NOTHING
        });
        world
            .by(GUARDIAN, |records, actor| sealed(records, actor, 3))
            .unwrap_or_else(|error| panic!("{name}: {error:?}"));
    }
}

#[test]
fn the_next_directory_is_set_by_the_controller_or_a_delegate_with_the_power() {
    let set =
        |records: &mut Records, actor, version, directory| records.set_directory(actor, CHART, version, directory);
    let mut world = due(World::exceptional());
    // The next version is used up.
    for given in [0, 1, 2, 4, u32::MAX] {
        let outcome = world.by(PATIENT, |records, actor| set(records, actor, given, ROTATED));
        assert_eq!(outcome, Err(stale(given, 3)));
    }
    let zero = world.by(PATIENT, |records, actor| set(records, actor, 3, B256::ZERO));
    assert_eq!(zero, Err(zero_digest()));
    world.facts(Facts {
        powers: !power::DIRECTORY,
        ..NOTHING
    });
    for actor in [GUARDIAN, CLINIC] {
        let outcome = world.by(actor, |records, actor| set(records, actor, 3, ROTATED));
        assert_eq!(outcome, Err(not_controller(actor, power::DIRECTORY)));
    }
    assert!(is_due(&world));

    let mut by_delegate_alone = world.fork();
    by_delegate_alone.facts(Facts {
        powers: power::DIRECTORY,
        ..NOTHING
    });
    by_delegate_alone
        .by(GUARDIAN, |records, actor| set(records, actor, 3, ROTATED))
        .unwrap();
    assert_eq!(
        by_delegate_alone.events(),
        [by_delegate(GUARDIAN, power::DIRECTORY), directory_set(3)]
    );
    world
        .by(PATIENT, |records, actor| set(records, actor, 3, ROTATED))
        .unwrap();
    assert_eq!(world.events(), [directory_set(3)]);
    for world in [world, by_delegate_alone] {
        assert_eq!(world.records.chart_of(CHART), (PATIENT, 2, 3, ROTATED, 0, true, false));
    }
}

/// What seals nothing goes on, and leaves the rotation due.
#[test]
fn only_a_directory_ends_the_wait() {
    let tree = [(id(5), id(6))];
    let root = medlock_merkle::leaf_of_two(|bytes| keccak256(bytes), tree[0].0, tree[0].1);
    let mut world = World::new();
    world.add(PATIENT, vec![record(id(1), LABS)]).unwrap();
    world
        .by(PATIENT, |records, actor| {
            records.add_batch(actor, CHART, NOBODY, 1, LABS, CODEC_DAG_CBOR, root, 1)
        })
        .unwrap();
    let mut world = due(world);
    world
        .by(STRANGER, |records, _| {
            records.take_from_batch(CHART, root, 0, tree[0].0, tree[0].1, vec![])
        })
        .unwrap();
    assert!(is_due(&world));
    world.enter_in_error(PATIENT, RECORD, POINTER).unwrap();
    assert!(is_due(&world));
    world.shred(PATIENT, id(1)).unwrap();
    assert!(is_due(&world));
    world
        .by(PATIENT, |records, actor| records.offer_control(actor, CHART, HEIR))
        .unwrap();
    assert!(is_due(&world));
    world
        .by(EXCEPTIONS, |records, _| records.set_exceptional(CHART))
        .unwrap();
    assert_eq!(world.records.chart_of(CHART), (PATIENT, 2, 1, DIRECTORY, 0, true, true));
    world.facts(NOTHING);
    // There is nothing left to revoke one by one.
    let outcome = world.by(PATIENT, |records, actor| {
        records.revoke(actor, CHART, CLINIC, 2, ROTATED, vec![])
    });
    assert_eq!(outcome, Err(no_grant(CLINIC)));
    assert!(is_due(&world));
    // Another chart waits for nothing, and its directory is not this one's.
    world
        .by(PATIENT, |records, actor| {
            records.open_chart(actor, OTHER_CHART, DIRECTORY)
        })
        .unwrap();
    world
        .by(PATIENT, |records, actor| {
            records.set_directory(actor, OTHER_CHART, 2, ROTATED)
        })
        .unwrap();
    world
        .by(PATIENT, |records, actor| {
            records.add_records(actor, OTHER_CHART, NOBODY, 2, vec![record(RECORD, LABS)])
        })
        .unwrap();
    assert!(is_due(&world));
    world.rotate();
    assert!(!is_due(&world));
}

/// One directory is enough, however often, and one version is used up.
#[test]
fn all_is_revoked_again_while_a_rotation_is_due() {
    let mut world = due(World::new());
    for epoch in [3, 4] {
        world.revoke_all();
        assert_eq!(world.events(), [all_revoked(epoch)]);
        assert_eq!(
            world.records.chart_of(CHART),
            (PATIENT, epoch, 1, DIRECTORY, 0, false, true)
        );
    }
    world.rotate();
    assert_eq!(world.events(), [directory_set(3)]);
    assert_eq!(world.records.chart_of(CHART), (PATIENT, 4, 3, ROTATED, 0, false, false));
    world.grant(CLINIC, terms(1 << LABS));
    assert_eq!(world.records.grant_of(CHART, CLINIC).0, 4);
    // Nor is anything owed by a rotation that no revocation asked for.
    world
        .by(PATIENT, |records, actor| {
            records.set_directory(actor, CHART, 4, ROTATED)
        })
        .unwrap();
    assert!(!is_due(&world));
    assert_eq!(world.reason(question(CLINIC)), reason::GRANT);
}

#[test]
fn while_a_rotation_is_due_the_controller_reads_and_delegates_and_emergencies_as_before() {
    let mut world = World::exceptional();
    world.add(PATIENT, vec![record(RECORD, LABS)]).unwrap();
    world.grant(CLINIC, terms(u64::MAX));
    let expect = |world: &World, grantee, facts, expected| {
        world.facts(facts);
        let asked = Question {
            recordId: RECORD,
            ..question(grantee)
        };
        assert_eq!(world.reason(asked), expected, "{facts:?}");
    };
    let ruled = Facts {
        allowed_since: u32::MAX,
        ..NOTHING
    };
    let delegated = Facts {
        powers: power::READ,
        ..NOTHING
    };
    let broken = Facts {
        emergency: true,
        ..NOTHING
    };
    world.revoke_all();
    for _ in 0..2 {
        expect(&world, PATIENT, NOTHING, reason::CONTROLLER);
        // No rule stands in for a grant that has ended.
        for facts in [NOTHING, ruled] {
            expect(&world, CLINIC, facts, reason::REVOKED);
        }
        for grantee in [CLINIC, GUARDIAN] {
            expect(&world, grantee, delegated, reason::DELEGATE);
            expect(&world, grantee, broken, reason::EMERGENCY);
        }
        world.rotate();
    }
}

/// Neither what was allowed before, nor what was while the rotation was due: both name the directory that was.
#[test]
fn grants_given_after_the_rotation_count_and_rules_that_allowed_before_it_do_not() {
    let mut world = World::exceptional();
    world.add(PATIENT, vec![record(RECORD, LABS)]).unwrap();
    world.rotate();
    world.grant(CLINIC, terms(1 << CLAIMS));
    let asked = Question {
        recordId: RECORD,
        ..question(CLINIC)
    };
    let allowed_since = |world: &World, version| {
        world.facts(Facts {
            allowed_since: version,
            ..NOTHING
        });
        world.reason(asked.clone())
    };
    assert_eq!(allowed_since(&world, 2), reason::RULE);
    world.revoke_all();
    // A rule that is set now gets the version that stands now.
    assert_eq!(world.records.chart_of(CHART).2, 2);
    for version in 1..=4 {
        assert_eq!(allowed_since(&world, version), reason::REVOKED);
    }
    world.rotate();
    assert_eq!(allowed_since(&world, 4), reason::REVOKED);
    world.grant(CLINIC, terms(1 << CLAIMS));
    assert_eq!(world.records.grant_of(CHART, CLINIC), (2, 4, 1, terms(1 << CLAIMS)));
    let claims = Question {
        compartment: CLAIMS,
        ..question(CLINIC)
    };
    assert_eq!(world.reason(claims), reason::GRANT);
    for version in 0..=3 {
        assert_eq!(allowed_since(&world, version), reason::COMPARTMENT);
    }
    for version in [4, 5] {
        assert_eq!(allowed_since(&world, version), reason::RULE);
    }
}

/// Signed for the next version before all grants ended, a directory among it, and submitted afterwards: that version is used up.
#[test]
fn nothing_that_was_signed_before_takes_effect_afterwards() {
    let set =
        |version| move |records: &mut Records, actor: Address| records.set_directory(actor, CHART, version, DIRECTORY);
    // It is the revocation that makes the difference.
    let mut world = World::new();
    world.add(PATIENT, vec![record(RECORD, LABS)]).unwrap();
    let mut unrevoked = world.fork();
    unrevoked.through(RELAY, PATIENT, set(2)).unwrap();
    for (_, _, sealed) in SEALED {
        unrevoked
            .through(RELAY, PATIENT, |records, actor| sealed(records, actor, 2))
            .unwrap();
    }

    world.revoke_all();
    assert_eq!(world.through(RELAY, PATIENT, set(2)), Err(stale(2, 3)));
    // Nor once more: a second revocation while a rotation is due gives no version back, and takes none.
    world.revoke_all();
    assert_eq!(world.through(RELAY, PATIENT, set(2)), Err(stale(2, 3)));
    assert!(is_due(&world));
    world.rotate();
    assert_eq!(world.through(RELAY, PATIENT, set(2)), Err(stale(2, 4)));
    for version in [1, 2] {
        for (name, _, sealed) in SEALED {
            let outcome = world.through(RELAY, PATIENT, |records, actor| sealed(records, actor, version));
            assert_eq!(outcome, Err(stale(version, 3)), "{name}");
        }
    }
}
