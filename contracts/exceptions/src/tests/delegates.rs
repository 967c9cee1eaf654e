//! Delegates: what is given, by whom, for how long, and what ends it. Each attack has a test that names it.
use super::*;

const GIVE_ON: u8 = power::READ | power::DELEGATE;

fn not_controller(actor: Address) -> Result<(), Failure> {
    refused(IExceptions::NotController {
        actor,
        power: power::DELEGATE,
    })
}

/// The patient gives to the guardian, she to the daughter, and she to the nurse.
fn chain() -> World {
    let mut world = World::new();
    world.give(PATIENT, GUARDIAN, power::EVERY, 0).unwrap();
    world.give(GUARDIAN, DAUGHTER, GIVE_ON | power::WRITE, 0).unwrap();
    world.give(DAUGHTER, NURSE, GIVE_ON, 0).unwrap();
    assert_eq!(powers(&mut world), [power::EVERY, GIVE_ON | power::WRITE, GIVE_ON]);
    world.events();
    world
}

/// Those of the guardian, the daughter and the nurse.
fn powers(world: &mut World) -> [u8; 3] {
    [GUARDIAN, DAUGHTER, NURSE].map(|delegate| world.powers(delegate))
}

#[test]
fn an_entry_says_who_gave_it_and_under_which_of_their_own() {
    let mut world = World::new();
    world.head.control_epoch = 4;
    world.give(PATIENT, GUARDIAN, GIVE_ON, 0).unwrap();
    world.give(PATIENT, GUARDIAN, power::EVERY, NOW + 100).unwrap();
    world.give(GUARDIAN, DAUGHTER, GIVE_ON, NOW + 50).unwrap();
    world.give(DAUGHTER, NURSE, power::READ, NOW + 50).unwrap();
    let set = |delegate, parent, serial, powers, expiry, depth, parent_serial| {
        Event::DelegateSet(IExceptions::DelegateSet {
            chart: CHART,
            delegate,
            parent,
            serial,
            powers,
            expiry,
            depth,
            parentSerial: parent_serial,
            controlEpoch: 4,
        })
    };
    assert_eq!(
        world.events(),
        [
            set(GUARDIAN, PATIENT, 1, GIVE_ON, 0, 1, 0),
            set(GUARDIAN, PATIENT, 2, power::EVERY, NOW + 100, 1, 0),
            by_delegate(GUARDIAN, power::DELEGATE),
            set(DAUGHTER, GUARDIAN, 1, GIVE_ON, NOW + 50, 2, 2),
            by_delegate(DAUGHTER, power::DELEGATE),
            set(NURSE, DAUGHTER, 1, power::READ, NOW + 50, 3, 1),
        ]
    );
    let of = |delegate| world.exceptions.delegate_of(CHART, delegate);
    assert_eq!(of(GUARDIAN), (PATIENT, 2, power::EVERY, NOW + 100, 1, 0, 4));
    assert_eq!(of(DAUGHTER), (GUARDIAN, 1, GIVE_ON, NOW + 50, 2, 2, 4));
    assert_eq!(of(NURSE), (DAUGHTER, 1, power::READ, NOW + 50, 3, 1, 4));
    assert_eq!(of(STRANGER), (Address::ZERO, 0, 0, 0, 0, 0, 0));
    assert_eq!(
        world.exceptions.delegate_of(OTHER_CHART, GUARDIAN),
        (Address::ZERO, 0, 0, 0, 0, 0, 0)
    );
    assert_eq!(world.powers(PATIENT), power::EVERY);
    assert_eq!(world.powers(STRANGER), 0);
}

#[test]
fn the_controller_gives_any_powers_and_nothing_else() {
    let mut world = World::new();
    for powers in 1..=power::EVERY {
        world.give(PATIENT, GUARDIAN, powers, 0).unwrap();
        assert_eq!(world.powers(GUARDIAN), powers);
    }
    for given in [0, power::EVERY + 1, u8::MAX, 1 << 7] {
        let most = power::EVERY;
        let outcome = world.give(PATIENT, GUARDIAN, given, 0);
        assert_eq!(outcome, refused(IExceptions::Powers { given, most }));
    }
}

#[test]
fn a_delegate_gives_no_power_that_they_have_not() {
    for most in 0..=power::EVERY {
        let most = most | power::DELEGATE;
        let mut world = World::new();
        world.give(PATIENT, GUARDIAN, most, 0).unwrap();
        for given in 0..=power::EVERY + 1 {
            let outcome = world.give(GUARDIAN, DAUGHTER, given, 0);
            if given != 0 && given & !most == 0 {
                outcome.unwrap();
                assert_eq!(world.powers(DAUGHTER), given);
            } else {
                assert_eq!(outcome, refused(IExceptions::Powers { given, most }));
            }
        }
    }
}

#[test]
fn only_delegate_gives_powers_on() {
    let mut world = World::new();
    world
        .give(PATIENT, GUARDIAN, power::EVERY & !power::DELEGATE, 0)
        .unwrap();
    assert_eq!(world.give(GUARDIAN, DAUGHTER, power::READ, 0), not_controller(GUARDIAN));
    assert_eq!(world.give(STRANGER, DAUGHTER, power::READ, 0), not_controller(STRANGER));
    assert_eq!(
        world.give(STRANGER, STRANGER, power::EVERY, 0),
        not_controller(STRANGER)
    );
}

#[test]
fn attack_expiry_past_the_parents() {
    let mut world = World::new();
    world.give(PATIENT, GUARDIAN, power::EVERY, NOW + 100).unwrap();
    let most = NOW + 100;
    for expiry in [0, NOW + 101, TIME_MOST] {
        assert_eq!(
            world.give(GUARDIAN, DAUGHTER, GIVE_ON, expiry),
            refused(IExceptions::OutlivesParent { expiry, most })
        );
    }
    for expiry in [NOW + 1, NOW + 99, NOW + 100] {
        world.give(GUARDIAN, DAUGHTER, GIVE_ON, expiry).unwrap();
    }
    // Where the giver's powers never end, so may those given.
    world.give(PATIENT, GUARDIAN, power::EVERY, 0).unwrap();
    for expiry in [0, TIME_MOST, NOW + 1] {
        world.give(GUARDIAN, DAUGHTER, GIVE_ON, expiry).unwrap();
    }
}

#[test]
fn an_expiry_is_after_now_and_within_40_bits() {
    let mut world = World::new();
    for expiry in [1, NOW - 1, NOW] {
        let past = IExceptions::ExpiryInPast { expiry, now: NOW };
        assert_eq!(world.give(PATIENT, GUARDIAN, GIVE_ON, expiry), refused(past));
    }
    for time in [TIME_MOST + 1, u64::MAX] {
        let large = IExceptions::TimeTooLarge { time };
        assert_eq!(world.give(PATIENT, GUARDIAN, GIVE_ON, time), refused(large));
    }
    world.give(PATIENT, GUARDIAN, GIVE_ON, TIME_MOST).unwrap();
    world.at(TIME_MOST - 1);
    assert_eq!(world.powers(GUARDIAN), GIVE_ON);
    world.at(TIME_MOST);
    assert_eq!(world.powers(GUARDIAN), 0);
}

#[test]
fn powers_end_in_the_second_of_their_expiry() {
    let mut world = World::new();
    world.give(PATIENT, GUARDIAN, GIVE_ON, NOW + 1).unwrap();
    assert_eq!(world.powers(GUARDIAN), GIVE_ON);
    world.at(NOW + 1);
    assert_eq!(world.powers(GUARDIAN), 0);
    assert_eq!(world.give(GUARDIAN, DAUGHTER, power::READ, 0), not_controller(GUARDIAN));
    // Who are no delegates any more still show what they were given.
    assert_eq!(world.exceptions.delegate_of(CHART, GUARDIAN).2, GIVE_ON);
}

#[test]
fn powers_are_given_three_deep() {
    let mut world = chain();
    assert_eq!(world.exceptions.delegate_of(CHART, NURSE).4, DELEGATE_DEPTH_MOST);
    assert_eq!(
        world.give(NURSE, DOCTOR, power::READ, 0),
        refused(IExceptions::DelegateDepth {
            most: DELEGATE_DEPTH_MOST
        })
    );
    assert_eq!(world.powers(DOCTOR), 0);
}

#[test]
fn attack_cycle() {
    let mut world = chain();
    for (actor, delegate) in [
        // The controller would get no more than they have, and could be ended by expiry.
        (PATIENT, PATIENT),
        (GUARDIAN, PATIENT),
        (NURSE, PATIENT),
        (GUARDIAN, GUARDIAN),
        (NURSE, NURSE),
        (DAUGHTER, GUARDIAN),
        (NURSE, GUARDIAN),
        (NURSE, DAUGHTER),
    ] {
        assert_eq!(
            world.give(actor, delegate, power::READ, 0),
            refused(IExceptions::DelegateOfSelf { delegate }),
            "{actor} to {delegate}"
        );
    }
    assert_eq!(world.events(), []);
    // By way of an entry that has ended: the guardian is no delegate now, so the daughter, new from the controller, may
    // give her powers; but not back again.
    world.take(GUARDIAN, GUARDIAN).unwrap();
    world.give(PATIENT, DAUGHTER, GIVE_ON, 0).unwrap();
    world.give(DAUGHTER, GUARDIAN, GIVE_ON, 0).unwrap();
    assert_eq!(
        world.give(GUARDIAN, DAUGHTER, GIVE_ON, 0),
        refused(IExceptions::DelegateOfSelf { delegate: DAUGHTER })
    );
    // And each end ends the other.
    world.take(PATIENT, DAUGHTER).unwrap();
    assert_eq!(powers(&mut world), [0, 0, 0]);
}

#[test]
fn attack_entries_that_name_each_other_are_not_in_force() {
    // Not to be had by calls; written as they might stand in storage.
    let mut world = World::new();
    let entry = |parent, serial, depth, parent_serial| Delegate {
        parent,
        expiry: 0,
        powers: power::EVERY,
        depth,
        serial,
        parent_serial,
        control_epoch: 0,
    };
    let exceptions = &mut world.exceptions;
    exceptions.write_delegate(CHART, GUARDIAN, entry(DAUGHTER, 1, 2, 1));
    exceptions.write_delegate(CHART, DAUGHTER, entry(GUARDIAN, 1, 2, 1));
    exceptions.write_delegate(CHART, NURSE, entry(NURSE, 7, 3, 7));
    // A chain of four.
    let four = [STRANGER, DOCTOR, CLINIC, HEIR];
    exceptions.write_delegate(CHART, four[0], entry(PATIENT, 1, 1, 0));
    for n in 1..4 {
        exceptions.write_delegate(CHART, four[n], entry(four[n - 1], 1, n as u8 + 1, 1));
    }
    assert_eq!(powers(&mut world), [0, 0, 0]);
    assert_eq!(
        four.map(|delegate| world.powers(delegate) != 0),
        [true, true, true, false]
    );
}

#[test]
fn attack_downgrade_of_anothers_delegate() {
    let mut world = chain();
    world.give(PATIENT, DOCTOR, power::EVERY, 0).unwrap();
    world.give(GUARDIAN, STRANGER, GIVE_ON, 0).unwrap();
    world.events();
    let other = |delegate, parent| refused(IExceptions::OtherParent { delegate, parent });
    // Of a peer, of the same giver's, of a giver's giver, from above, and of the controller's own.
    for (actor, delegate, parent) in [
        (DOCTOR, DAUGHTER, GUARDIAN),
        (DOCTOR, NURSE, DAUGHTER),
        (STRANGER, DAUGHTER, GUARDIAN),
        (STRANGER, NURSE, DAUGHTER),
        (STRANGER, DOCTOR, PATIENT),
        (GUARDIAN, NURSE, DAUGHTER),
        (GUARDIAN, DOCTOR, PATIENT),
        (DOCTOR, GUARDIAN, PATIENT),
    ] {
        assert_eq!(
            world.give(actor, delegate, power::READ, 0),
            other(delegate, parent),
            "{actor} of {delegate}"
        );
        assert_eq!(
            world.take(actor, delegate),
            Err(IExceptions::NotParent { actor, parent }.into())
        );
    }
    assert_eq!(world.events(), []);
    // The giver and the controller may.
    world.give(DAUGHTER, NURSE, power::READ, 0).unwrap();
    assert_eq!(world.powers(NURSE), power::READ);
    world.give(PATIENT, NURSE, power::WRITE, 0).unwrap();
    assert_eq!(world.powers(NURSE), power::WRITE);
    // Now she is the controller's, and the daughter's no more.
    assert_eq!(world.give(DAUGHTER, NURSE, power::READ, 0), other(NURSE, PATIENT));
    assert_eq!(
        world.take(DAUGHTER, NURSE),
        Err(IExceptions::NotParent {
            actor: DAUGHTER,
            parent: PATIENT
        }
        .into())
    );
}

#[test]
fn an_entry_that_is_not_in_force_is_free_to_whoever_may_give() {
    let mut world = chain();
    world.give(PATIENT, DOCTOR, power::EVERY, 0).unwrap();
    // Removed.
    world.take(DAUGHTER, NURSE).unwrap();
    world.give(DOCTOR, NURSE, power::WRITE, 0).unwrap();
    assert_eq!(world.powers(NURSE), power::WRITE);
    // Expired.
    world.give(DOCTOR, NURSE, power::WRITE, NOW + 1).unwrap();
    world.at(NOW + 1);
    world.give(DAUGHTER, NURSE, power::READ, 0).unwrap();
    assert_eq!(world.powers(NURSE), power::READ);
    // Its giver's ended.
    world.take(PATIENT, GUARDIAN).unwrap();
    world.give(DOCTOR, NURSE, power::WRITE, 0).unwrap();
    assert_eq!(world.powers(NURSE), power::WRITE);
    // Of another control epoch.
    world.transfer(HEIR);
    world.give(HEIR, GUARDIAN, GIVE_ON, 0).unwrap();
    world.give(GUARDIAN, NURSE, power::READ, 0).unwrap();
    assert_eq!(powers(&mut world), [GIVE_ON, 0, power::READ]);
}

#[test]
fn attack_resurrecting_a_subtree_by_naming_its_giver_again() {
    let removed = |world: &mut World| world.take(PATIENT, GUARDIAN).unwrap();
    let replaced = |_: &mut World| ();
    let left = |world: &mut World| world.take(GUARDIAN, GUARDIAN).unwrap();
    for end in [removed as fn(&mut World), replaced, left] {
        let mut world = chain();
        end(&mut world);
        world.give(PATIENT, GUARDIAN, power::EVERY, 0).unwrap();
        assert_eq!(powers(&mut world), [power::EVERY, 0, 0]);
        // Also where the middle is named again, the end stays ended.
        world.give(GUARDIAN, DAUGHTER, GIVE_ON, 0).unwrap();
        assert_eq!(powers(&mut world), [power::EVERY, GIVE_ON, 0]);
        world.give(DAUGHTER, NURSE, power::READ, 0).unwrap();
        assert_eq!(powers(&mut world), [power::EVERY, GIVE_ON, power::READ]);
    }
}

#[test]
fn attack_a_giver_that_is_removed_and_named_many_times_never_meets_the_old_serial() {
    let mut world = chain();
    let given_under = world.exceptions.delegate_of(CHART, DAUGHTER).5;
    for _ in 0..20 {
        world.take(PATIENT, GUARDIAN).unwrap();
        assert!(world.serial(GUARDIAN) > given_under);
        world.give(PATIENT, GUARDIAN, power::EVERY, 0).unwrap();
        assert!(world.serial(GUARDIAN) > given_under);
        assert_eq!(powers(&mut world), [power::EVERY, 0, 0]);
    }
}

#[test]
fn attack_a_chain_whose_middle_has_expired() {
    let mut world = World::new();
    world.give(PATIENT, GUARDIAN, power::EVERY, NOW + 30).unwrap();
    world.give(GUARDIAN, DAUGHTER, GIVE_ON, NOW + 20).unwrap();
    world.give(DAUGHTER, NURSE, GIVE_ON, NOW + 20).unwrap();
    world.at(NOW + 19);
    assert_eq!(powers(&mut world), [power::EVERY, GIVE_ON, GIVE_ON]);
    world.at(NOW + 20);
    assert_eq!(powers(&mut world), [power::EVERY, 0, 0]);
    // Renewed for longer, the middle does not take the old end with it.
    world.give(GUARDIAN, DAUGHTER, GIVE_ON, NOW + 30).unwrap();
    assert_eq!(powers(&mut world), [power::EVERY, GIVE_ON, 0]);

    // Were the end's own time longer than the middle's, as no call makes it, the middle's would end it all the same.
    let mut entry = Delegate::from_words(B256::ZERO, B256::ZERO);
    (entry.parent, entry.parent_serial, entry.serial) = (DAUGHTER, world.serial(DAUGHTER), 9);
    (entry.powers, entry.depth) = (power::READ, 3);
    world.exceptions.write_delegate(CHART, NURSE, entry);
    assert_eq!(world.powers(NURSE), power::READ);
    world.at(NOW + 30);
    assert_eq!(powers(&mut world), [0, 0, 0]);
}

#[test]
fn attack_a_giver_whose_time_was_cut_short() {
    let mut world = chain();
    world.give(PATIENT, GUARDIAN, power::EVERY, NOW + 5).unwrap();
    assert_eq!(powers(&mut world), [power::EVERY, 0, 0]);
    // Whose powers were cut.
    let mut world = chain();
    world.give(GUARDIAN, DAUGHTER, power::DELEGATE, 0).unwrap();
    assert_eq!(powers(&mut world), [power::EVERY, power::DELEGATE, 0]);
}

#[test]
fn attack_moving_down_the_tree_to_give_on_once_more() {
    // The nurse, three deep, is taken over by the controller, one deep: who she gives powers to is two deep.
    let mut world = chain();
    world.give(PATIENT, NURSE, GIVE_ON, 0).unwrap();
    world.give(NURSE, DOCTOR, GIVE_ON, 0).unwrap();
    world.give(DOCTOR, CLINIC, GIVE_ON, 0).unwrap();
    assert_eq!(world.exceptions.delegate_of(CHART, CLINIC).4, 3);
    // Then she goes back to where she was: all that she gave from the higher place has ended.
    world.take(NURSE, NURSE).unwrap();
    world.give(DAUGHTER, NURSE, GIVE_ON, 0).unwrap();
    assert_eq!(powers(&mut world), [power::EVERY, GIVE_ON | power::WRITE, GIVE_ON]);
    assert_eq!([DOCTOR, CLINIC].map(|delegate| world.powers(delegate)), [0, 0]);
}

#[test]
fn a_transfer_of_control_ends_all_delegates_for_good() {
    let mut world = chain();
    world.transfer(HEIR);
    assert_eq!(powers(&mut world), [0, 0, 0]);
    assert_eq!(world.powers(PATIENT), 0);
    assert_eq!(world.powers(HEIR), power::EVERY);
    assert_eq!(world.give(GUARDIAN, DAUGHTER, power::READ, 0), not_controller(GUARDIAN));
    assert_eq!(world.give(PATIENT, DAUGHTER, power::READ, 0), not_controller(PATIENT));
    // Also where it comes back.
    world.transfer(PATIENT);
    assert_eq!(powers(&mut world), [0, 0, 0]);
    assert_eq!(world.powers(HEIR), 0);
    // Whoever is named anew does not take along what they gave under the controller before.
    world.give(PATIENT, GUARDIAN, power::EVERY, 0).unwrap();
    assert_eq!(powers(&mut world), [power::EVERY, 0, 0]);
}

#[test]
fn a_delegate_who_gets_control_is_bound_by_no_entry_of_before() {
    // The nurse, whose powers came from the daughter and the guardian, controls the chart: they may be hers now.
    let mut world = World::new();
    world.give(PATIENT, GUARDIAN, power::EVERY, NOW + 10).unwrap();
    world.give(GUARDIAN, DAUGHTER, GIVE_ON, NOW + 10).unwrap();
    world.give(DAUGHTER, NURSE, GIVE_ON, NOW + 10).unwrap();
    world.transfer(NURSE);
    assert_eq!(world.powers(NURSE), power::EVERY);
    world.give(NURSE, DAUGHTER, power::EVERY, 0).unwrap();
    world.give(NURSE, GUARDIAN, power::EVERY, 0).unwrap();
    for delegate in [GUARDIAN, DAUGHTER] {
        let (parent, _, powers, expiry, depth, parent_serial, epoch) = world.exceptions.delegate_of(CHART, delegate);
        assert_eq!(
            (parent, powers, expiry, depth, parent_serial, epoch),
            (NURSE, power::EVERY, 0, 1, 0, 1)
        );
        assert_eq!(world.powers(delegate), power::EVERY);
    }
}

#[test]
fn a_controller_of_before_has_no_say_over_delegates_of_before() {
    let mut world = chain();
    world.transfer(HEIR);
    assert_eq!(
        world.take(PATIENT, GUARDIAN),
        Err(IExceptions::NotParent {
            actor: PATIENT,
            parent: PATIENT
        }
        .into())
    );
    world.take(HEIR, GUARDIAN).unwrap();
    world.take(DAUGHTER, DAUGHTER).unwrap();
}

#[test]
fn a_removal_is_by_the_giver_the_controller_or_the_delegate() {
    for actor in [PATIENT, DAUGHTER, NURSE] {
        let mut world = chain();
        let before = world.exceptions.delegate_of(CHART, NURSE);
        world.take(actor, NURSE).unwrap();
        let removed = Event::DelegateRemoved(IExceptions::DelegateRemoved {
            chart: CHART,
            delegate: NURSE,
            serial: 2,
            by: actor,
        });
        assert_eq!(world.events(), [removed]);
        assert_eq!(
            world.exceptions.delegate_of(CHART, NURSE),
            (before.0, 2, 0, before.3, before.4, before.5, before.6)
        );
        assert_eq!(world.powers(NURSE), 0);
        // Once.
        for actor in [PATIENT, DAUGHTER, NURSE, STRANGER] {
            assert_eq!(
                world.take(actor, NURSE),
                Err(IExceptions::NotDelegate { delegate: NURSE }.into())
            );
        }
    }
    for actor in [GUARDIAN, STRANGER, DOCTOR] {
        assert_eq!(
            chain().take(actor, NURSE),
            Err(IExceptions::NotParent {
                actor,
                parent: DAUGHTER
            }
            .into())
        );
    }
    assert_eq!(
        chain().take(PATIENT, STRANGER),
        Err(IExceptions::NotDelegate { delegate: STRANGER }.into())
    );
}

#[test]
fn a_removal_ends_the_subtree_and_nothing_else() {
    let mut world = chain();
    world.give(GUARDIAN, DOCTOR, power::READ, 0).unwrap();
    world.take(GUARDIAN, DAUGHTER).unwrap();
    assert_eq!(powers(&mut world), [power::EVERY, 0, 0]);
    assert_eq!(world.powers(DOCTOR), power::READ);
}

#[test]
fn a_delegation_names_the_serial_that_it_replaces_and_so_runs_once() {
    let mut world = World::new();
    let serial = |given, current| refused(IExceptions::DelegateSerial { given, current });
    assert_eq!(world.give_at(PATIENT, GUARDIAN, 1, GIVE_ON, 0), serial(1, 0));
    world.give_at(PATIENT, GUARDIAN, 0, GIVE_ON, 0).unwrap();
    assert_eq!(world.give_at(PATIENT, GUARDIAN, 0, GIVE_ON, 0), serial(0, 1));
    world.give_at(PATIENT, GUARDIAN, 1, GIVE_ON, 0).unwrap();
    // A removal counts, so that what was signed for the entry before does not undo it.
    world.take(PATIENT, GUARDIAN).unwrap();
    assert_eq!(world.serial(GUARDIAN), 3);
    assert_eq!(world.give_at(PATIENT, GUARDIAN, 2, GIVE_ON, 0), serial(2, 3));
    assert_eq!(world.give_at(PATIENT, GUARDIAN, 0, GIVE_ON, 0), serial(0, 3));
    // Nor does a transfer begin anew.
    world.transfer(HEIR);
    assert_eq!(world.give_at(HEIR, GUARDIAN, 0, GIVE_ON, 0), serial(0, 3));
    world.give_at(HEIR, GUARDIAN, 3, GIVE_ON, 0).unwrap();
    assert_eq!(world.serial(GUARDIAN), 4);
    // Each delegate has serials of their own.
    world.give_at(HEIR, DAUGHTER, 0, GIVE_ON, 0).unwrap();
}

#[test]
fn a_delegation_names_the_charts_directory_version() {
    let mut world = World::new();
    world.head.directory_version = 5;
    for given in [0, 4, 6, u32::MAX] {
        let outcome = world
            .by(PATIENT)
            .set_delegate(PATIENT, CHART, given, GUARDIAN, 0, GIVE_ON, 0);
        assert_eq!(outcome, refused(IExceptions::DirectoryVersion { given, expected: 5 }));
    }
    world
        .by(PATIENT)
        .set_delegate(PATIENT, CHART, 5, GUARDIAN, 0, GIVE_ON, 0)
        .unwrap();
    // Of a delegate too.
    assert_eq!(
        world
            .by(GUARDIAN)
            .set_delegate(GUARDIAN, CHART, 4, NURSE, 0, power::READ, 0),
        refused(IExceptions::DirectoryVersion { given: 4, expected: 5 })
    );
}

/// What was signed before all grants ended names a directory that is no more, once there is another.
#[test]
fn no_delegation_while_a_rotation_is_due() {
    let mut world = World::new();
    world.give(PATIENT, GUARDIAN, GIVE_ON, 0).unwrap();
    world.events();
    world.revoke_all();
    let due = IExceptions::RotationDue { chart: CHART };
    // Found before the version, whichever is named, and of all who may.
    for version in [0, 1, 2, 3, u32::MAX] {
        for (caller, actor) in [(PATIENT, PATIENT), (RELAY, PATIENT), (GUARDIAN, GUARDIAN)] {
            let outcome = world
                .by(caller)
                .set_delegate(actor, CHART, version, NURSE, 0, power::READ, 0);
            assert_eq!(outcome, refused(due.clone()), "{version}");
        }
    }
    // Nor is an entry replaced, for one with fewer powers either.
    assert_eq!(world.give(PATIENT, GUARDIAN, power::READ, 0), refused(due));
    let not = |actor| {
        refused(IExceptions::NotController {
            actor,
            power: power::DELEGATE,
        })
    };
    assert_eq!(world.give(STRANGER, NURSE, power::READ, 0), not(STRANGER));
    assert_eq!(world.events(), []);
    assert_eq!(world.serial(NURSE), 0);
    // Who is a delegate stays one: `revokeAll` ends grants.
    assert_eq!(world.powers(GUARDIAN), GIVE_ON);

    world.next_directory();
    // The version between is no directory's.
    for given in [1, 2] {
        let outcome = world
            .by(RELAY)
            .set_delegate(PATIENT, CHART, given, NURSE, 0, power::READ, 0);
        assert_eq!(outcome, refused(IExceptions::DirectoryVersion { given, expected: 3 }));
    }
    world.give(GUARDIAN, NURSE, power::READ, 0).unwrap();
    world.give(PATIENT, DAUGHTER, power::READ, 0).unwrap();
    assert_eq!(world.powers(NURSE), power::READ);
    assert_eq!(world.powers(DAUGHTER), power::READ);
    // A transfer brings a directory too.
    world.revoke_all();
    world.transfer(HEIR);
    world.give(HEIR, NURSE, power::READ, 0).unwrap();
}

#[test]
fn a_delegate_is_removed_while_a_rotation_is_due() {
    for actor in [PATIENT, GUARDIAN] {
        let mut world = World::new();
        world.give(PATIENT, GUARDIAN, GIVE_ON, 0).unwrap();
        world.revoke_all();
        world.take(actor, GUARDIAN).unwrap();
        assert_eq!(world.powers(GUARDIAN), 0);
    }
}

#[test]
fn nobody_is_no_delegate() {
    let mut world = World::new();
    assert_eq!(
        world.give(PATIENT, Address::ZERO, power::READ, 0),
        refused(IExceptions::ZeroAddress {})
    );
}

#[test]
fn delegates_of_one_chart_are_none_of_another() {
    let mut world = World::new();
    world.give(PATIENT, GUARDIAN, power::EVERY, 0).unwrap();
    assert_eq!(world.by(STRANGER).powers_of(OTHER_CHART, GUARDIAN), 0);
    let outcome = world.by(GUARDIAN).set_emergency_access(GUARDIAN, OTHER_CHART, 0, true);
    assert_eq!(
        outcome,
        refused(IExceptions::NotController {
            actor: GUARDIAN,
            power: power::GRANT
        })
    );
}
