//! Broken glass: who allows it, who breaks it, how it ends.
use super::*;

/// The patient allows emergencies.
fn allowed() -> World {
    let mut world = World::new();
    world.allow_emergencies(PATIENT, true).unwrap();
    world.events();
    world
}

/// And the doctor has broken the glass.
fn opened() -> World {
    let mut world = allowed();
    world.break_glass(DOCTOR).unwrap();
    assert!(world.is_emergency(DOCTOR));
    world.events();
    world
}

fn access_set(allowed: bool, serial: u32, control_epoch: u32) -> Event {
    Event::EmergencyAccessSet(IExceptions::EmergencyAccessSet {
        chart: CHART,
        allowed,
        serial,
        controlEpoch: control_epoch,
    })
}

fn closed(by: Address) -> Event {
    Event::EmergencyClosed(IExceptions::EmergencyClosed {
        chart: CHART,
        party: DOCTOR,
        by,
    })
}

const NOT_ALLOWED: IExceptions::NoEmergencyAccess = IExceptions::NoEmergencyAccess { chart: CHART };

#[test]
fn access_is_allowed_and_forbidden_and_each_change_counts() {
    let mut world = World::new();
    assert_eq!(world.exceptions.emergency_access_of(CHART), (false, 0, 0));
    for (allowed, expected) in [
        // It is forbidden from the beginning, and yet: to forbid it voids what was signed to allow it.
        (false, (false, 1, 0)),
        (true, (true, 2, 0)),
        (true, (true, 2, 0)),
        (false, (false, 3, 0)),
        (false, (false, 4, 0)),
        (true, (true, 5, 0)),
    ] {
        world.allow_emergencies(PATIENT, allowed).unwrap();
        assert_eq!(world.exceptions.emergency_access_of(CHART), expected);
    }
    // What changes nothing is not told.
    assert_eq!(
        world.events(),
        [
            access_set(false, 1, 0),
            access_set(true, 2, 0),
            access_set(false, 3, 0),
            access_set(false, 4, 0),
            access_set(true, 5, 0)
        ]
    );
    assert_eq!(world.exceptions.emergency_access_of(OTHER_CHART), (false, 0, 0));
}

/// Whoever submits what the patient has signed chooses when.
#[test]
fn attack_access_that_was_signed_before_it_was_forbidden() {
    let mut world = World::new();
    world.by(PATIENT).set_emergency_access(PATIENT, CHART, 0, true).unwrap();
    world
        .by(PATIENT)
        .set_emergency_access(PATIENT, CHART, 1, false)
        .unwrap();
    for given in [0, 1, 3] {
        assert_eq!(
            world.by(RELAY).set_emergency_access(PATIENT, CHART, given, true),
            refused(IExceptions::EmergencySerial { given, current: 2 })
        );
    }
    assert_eq!(world.exceptions.emergency_access_of(CHART), (false, 2, 0));
    // Forbidden again, as the patient is not sure: that counts too.
    world
        .by(PATIENT)
        .set_emergency_access(PATIENT, CHART, 2, false)
        .unwrap();
    assert_eq!(
        world.by(RELAY).set_emergency_access(PATIENT, CHART, 2, true),
        refused(IExceptions::EmergencySerial { given: 2, current: 3 })
    );
    world.by(RELAY).set_emergency_access(PATIENT, CHART, 3, true).unwrap();
    assert_eq!(world.exceptions.emergency_access_of(CHART), (true, 4, 0));
}

#[test]
fn a_delegate_who_changes_nothing_is_not_told_of() {
    let mut world = allowed();
    world.give(PATIENT, GUARDIAN, power::GRANT, 0).unwrap();
    world.events();
    world.allow_emergencies(GUARDIAN, true).unwrap();
    assert_eq!(world.events(), []);
    world.allow_emergencies(GUARDIAN, false).unwrap();
    assert_eq!(
        world.events(),
        [by_delegate(GUARDIAN, power::GRANT), access_set(false, 2, 0)]
    );
}

#[test]
fn what_a_controller_of_before_allowed_is_allowed_no_more() {
    let mut world = opened();
    world.transfer(HEIR);
    assert!(!world.is_emergency(DOCTOR));
    world.at(NOW + emergency::AGAIN_S);
    assert_eq!(world.break_glass(DOCTOR), Err(NOT_ALLOWED.into()));
    // It is forbidden already; to forbid it counts all the same.
    world.allow_emergencies(HEIR, false).unwrap();
    assert_eq!(world.events(), [access_set(false, 2, 1)]);
    world.allow_emergencies(HEIR, true).unwrap();
    assert_eq!(world.events(), [access_set(true, 3, 1)]);
    assert_eq!(world.exceptions.emergency_access_of(CHART), (true, 3, 1));
    // Nor is it allowed again where control comes back.
    let mut world = opened();
    world.transfer(HEIR);
    world.transfer(PATIENT);
    assert!(!world.is_emergency(DOCTOR));
    assert_eq!(world.break_glass(NURSE), Err(NOT_ALLOWED.into()));
}

#[test]
fn breaking_the_glass_is_told_with_all_that_it_opens() {
    let mut world = allowed();
    world.head.grant_epoch = 9;
    world
        .by(DOCTOR)
        .break_glass(DOCTOR, CHART, CLINIC, u64::MAX, emergency::PUBLIC_DANGER)
        .unwrap();
    let until = NOW + 4 * 60 * 60;
    assert_eq!(
        world.events(),
        [Event::EmergencyOpened(IExceptions::EmergencyOpened {
            chart: CHART,
            party: DOCTOR,
            organisation: CLINIC,
            compartments: u64::MAX,
            reasonCode: emergency::PUBLIC_DANGER,
            until,
            grantEpoch: 9,
            serial: 1,
        })]
    );
    assert_eq!(
        world.exceptions.emergency_of(CHART, DOCTOR),
        (u64::MAX, NOW, until, 9, 1)
    );
    // It is the doctor's own, on this chart.
    assert_eq!(world.exceptions.emergency_of(CHART, CLINIC), (0, 0, 0, 0, 0));
    assert_eq!(world.exceptions.emergency_of(OTHER_CHART, DOCTOR), (0, 0, 0, 0, 0));
    assert!(!world.is_emergency(CLINIC));
}

#[test]
fn the_glass_is_broken_only_where_it_is_allowed() {
    let mut world = World::new();
    assert_eq!(world.break_glass(DOCTOR), Err(NOT_ALLOWED.into()));
    world.allow_emergencies(PATIENT, true).unwrap();
    world.break_glass(DOCTOR).unwrap();
    world.allow_emergencies(PATIENT, false).unwrap();
    assert_eq!(world.break_glass(NURSE), Err(NOT_ALLOWED.into()));
    // On another chart nobody allowed it.
    assert_eq!(
        world.by(NURSE).break_glass(NURSE, OTHER_CHART, Address::ZERO, 1, 1),
        Err(IExceptions::NoEmergencyAccess { chart: OTHER_CHART }.into())
    );
}

#[test]
fn an_emergency_names_compartments_and_a_known_reason() {
    let mut world = allowed();
    let known: Vec<u16> = emergency::ALL.iter().map(|(_, code)| *code).collect();
    assert_eq!(
        world
            .by(DOCTOR)
            .break_glass(DOCTOR, CHART, Address::ZERO, 0, emergency::OTHER),
        Err(IExceptions::EmptyEmergency {}.into())
    );
    for code in (0..300).chain([u16::MAX]) {
        let mut world = allowed();
        let outcome = world.by(DOCTOR).break_glass(DOCTOR, CHART, Address::ZERO, 1, code);
        if known.contains(&code) {
            outcome.unwrap();
        } else {
            assert_eq!(outcome, Err(IExceptions::UnknownReasonCode { reasonCode: code }.into()));
            assert_eq!(world.events(), []);
        }
    }
}

#[test]
fn only_a_provider_or_a_member_of_one_breaks_the_glass() {
    let roles = role::PROVIDER;
    let not = |organisation| {
        let actor = DOCTOR;
        Err(IExceptions::NotCredentialed { actor, organisation }.into())
    };
    let breaking = |world: &mut World, organisation| {
        world
            .by(DOCTOR)
            .break_glass(DOCTOR, CHART, organisation, 1, emergency::OTHER)
    };
    // The registry is asked just this: where it refuses to answer it, and only then, the doctor is refused.
    let own = hasRolesCall { party: DOCTOR, roles };
    let as_member = mayActForCall {
        organisation: CLINIC,
        member: DOCTOR,
        roles,
    };
    let mut world = allowed();
    world.refuse(REGISTRY, own.clone());
    assert_eq!(breaking(&mut world, Address::ZERO), not(Address::ZERO));
    assert_eq!(world.events(), []);
    breaking(&mut world, CLINIC).unwrap();

    let mut world = allowed();
    world.refuse(REGISTRY, as_member);
    assert_eq!(breaking(&mut world, CLINIC), not(CLINIC));
    breaking(&mut world, Address::ZERO).unwrap();

    // What it answers is not a truth value: the number 2 in the answer's first word.
    let mut world = World::new();
    world.transfer(Address::with_last_byte(2));
    world.allow_emergencies(Address::with_last_byte(2), true).unwrap();
    assert_eq!(breaking(&mut world, Address::ZERO), not(Address::ZERO));
    assert_eq!(breaking(&mut world, CLINIC), not(CLINIC));

    // Nor are controller and delegates, who may read anyway.
    let mut world = allowed();
    world.give(PATIENT, DOCTOR, power::EVERY, 0).unwrap();
    world.refuse(REGISTRY, own);
    assert_eq!(breaking(&mut world, Address::ZERO), not(Address::ZERO));
}

#[test]
fn an_emergency_ends_after_four_hours_and_the_next_begins_a_day_after_the_first() {
    let mut world = opened();
    let from = NOW + 24 * 60 * 60;
    world.at(NOW + 4 * 60 * 60 - 1);
    assert!(world.is_emergency(DOCTOR));
    world.at(NOW + 4 * 60 * 60);
    assert!(!world.is_emergency(DOCTOR));
    for now in [NOW, NOW + 4 * 60 * 60, from - 1] {
        world.at(now);
        assert_eq!(world.break_glass(DOCTOR), Err(IExceptions::CoolDown { from }.into()));
    }
    assert_eq!(world.events(), []);
    world.at(from);
    world.break_glass(DOCTOR).unwrap();
    assert!(world.is_emergency(DOCTOR));
    assert_eq!(
        world.exceptions.emergency_of(CHART, DOCTOR),
        (1 << LABS, from, from + emergency::OPEN_S, 1, 1)
    );
}

#[test]
fn attack_getting_round_the_cool_down() {
    let cool = || {
        Err(IExceptions::CoolDown {
            from: NOW + emergency::AGAIN_S,
        }
        .into())
    };
    // By closing early.
    let mut world = opened();
    world.close(DOCTOR, DOCTOR).unwrap();
    assert_eq!(world.break_glass(DOCTOR), cool());
    // By another credential.
    assert_eq!(
        world.by(DOCTOR).break_glass(DOCTOR, CHART, CLINIC, 1, emergency::OTHER),
        cool()
    );
    // By `revokeAll`.
    world.revoke_all();
    assert_eq!(world.break_glass(DOCTOR), cool());
    // By forbidding and allowing, and by a new controller who allows.
    world.allow_emergencies(PATIENT, false).unwrap();
    world.allow_emergencies(PATIENT, true).unwrap();
    assert_eq!(world.break_glass(DOCTOR), cool());
    world.transfer(HEIR);
    world.allow_emergencies(HEIR, true).unwrap();
    world.transfer(PATIENT);
    world.allow_emergencies(PATIENT, true).unwrap();
    assert_eq!(world.break_glass(DOCTOR), cool());
    // It is the party's, and the chart's.
    world.break_glass(NURSE).unwrap();
    world
        .by(PATIENT)
        .set_emergency_access(PATIENT, OTHER_CHART, 0, true)
        .unwrap();
    world
        .by(DOCTOR)
        .break_glass(DOCTOR, OTHER_CHART, Address::ZERO, 1, emergency::OTHER)
        .unwrap();
}

/// One that was open ends with the grants; another may begin before the next directory, and goes on after it.
#[test]
fn revoking_all_ends_an_emergency_and_forbids_none() {
    let mut world = opened();
    assert!(world.is_emergency(DOCTOR));
    world.revoke_all();
    assert!(!world.is_emergency(DOCTOR));
    world.break_glass(NURSE).unwrap();
    assert_eq!(world.exceptions.emergency_of(CHART, NURSE).3, 2);
    assert!(world.is_emergency(NURSE));
    world.next_directory();
    assert!(world.is_emergency(NURSE));
    assert!(!world.is_emergency(DOCTOR));
    // Again while a rotation is due, and while one is due already.
    world.revoke_all();
    assert!(!world.is_emergency(NURSE));
    world.at(NOW + emergency::AGAIN_S);
    world.break_glass(NURSE).unwrap();
    assert!(world.is_emergency(NURSE));
    world.revoke_all();
    assert!(!world.is_emergency(NURSE));
}

#[test]
fn an_emergency_is_closed_by_the_controller_a_delegate_with_revoke_or_the_party() {
    for actor in [PATIENT, GUARDIAN, DOCTOR] {
        let mut world = opened();
        world.give(PATIENT, GUARDIAN, power::REVOKE, 0).unwrap();
        world.events();
        world.at(NOW + 100);
        world.close(actor, DOCTOR).unwrap();
        let mut expected = vec![closed(actor)];
        if actor == GUARDIAN {
            expected.insert(0, by_delegate(GUARDIAN, power::REVOKE));
        }
        assert_eq!(world.events(), expected);
        assert_eq!(
            world.exceptions.emergency_of(CHART, DOCTOR),
            (1 << LABS, NOW, NOW + 100, 1, 1)
        );
        assert!(!world.is_emergency(DOCTOR));
        // Once.
        for actor in [PATIENT, GUARDIAN, DOCTOR] {
            assert_eq!(
                world.close(actor, DOCTOR),
                Err(IExceptions::NoEmergency { party: DOCTOR }.into())
            );
        }
        assert_eq!(world.events(), []);
    }
    let mut world = opened();
    for actor in [STRANGER, NURSE, CLINIC] {
        assert_eq!(
            world.close(actor, DOCTOR),
            Err(IExceptions::NotController {
                actor,
                power: power::REVOKE
            }
            .into())
        );
    }
}

#[test]
fn a_party_that_is_a_delegate_too_closes_as_the_party() {
    let mut world = opened();
    world.give(PATIENT, DOCTOR, power::REVOKE, 0).unwrap();
    world.events();
    world.close(DOCTOR, DOCTOR).unwrap();
    assert_eq!(world.events(), [closed(DOCTOR)]);
}

#[test]
fn only_what_is_open_is_closed() {
    let none = || Err(IExceptions::NoEmergency { party: DOCTOR }.into());
    let mut world = allowed();
    assert_eq!(world.close(PATIENT, DOCTOR), none());
    assert_eq!(world.close(DOCTOR, DOCTOR), none());
    let mut world = opened();
    world.at(NOW + emergency::OPEN_S);
    assert_eq!(world.close(PATIENT, DOCTOR), none());
    world.at(NOW + emergency::OPEN_S - 1);
    world.close(PATIENT, DOCTOR).unwrap();
    // Also in the second in which it was opened.
    let mut world = opened();
    world.close(DOCTOR, DOCTOR).unwrap();
    assert_eq!(
        world.exceptions.emergency_of(CHART, DOCTOR),
        (1 << LABS, NOW, NOW, 1, 1)
    );
    assert!(!world.is_emergency(DOCTOR));
}

#[test]
fn forbidding_ends_what_is_open_and_allowing_again_does_not_bring_it_back() {
    let mut world = opened();
    world.allow_emergencies(PATIENT, false).unwrap();
    assert!(!world.is_emergency(DOCTOR));
    world.allow_emergencies(PATIENT, true).unwrap();
    assert!(!world.is_emergency(DOCTOR));
    // Whoever opens now does so under the new serial.
    world.break_glass(NURSE).unwrap();
    assert!(world.is_emergency(NURSE));
    assert_eq!(world.exceptions.emergency_of(CHART, NURSE).4, 3);
    // Allowing what is allowed ends nothing.
    world.allow_emergencies(PATIENT, true).unwrap();
    assert!(world.is_emergency(NURSE));
}

#[test]
fn revoking_all_ends_what_is_open() {
    let mut world = opened();
    world.head.grant_epoch += 1;
    assert!(!world.is_emergency(DOCTOR));
    world.break_glass(NURSE).unwrap();
    assert!(world.is_emergency(NURSE));
}

#[test]
fn rotating_the_directory_ends_nothing() {
    let mut world = opened();
    world.head.directory_version += 1;
    assert!(world.is_emergency(DOCTOR));
}
