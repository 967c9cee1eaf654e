//! What `records` is told, for every kind of question.
use super::*;

#[derive(Clone, Copy)]
struct Ask {
    grantee: Address,
    member: Address,
    compartment: u8,
    record_id: B256,
    purpose: u32,
    action: u8,
}

/// The nurse reads this record to treat.
const ASK: Ask = Ask {
    grantee: NURSE,
    member: Address::ZERO,
    compartment: LABS,
    record_id: RECORD,
    purpose: purpose::TREAT,
    action: action::READ,
};

impl World {
    fn facts(&self, ask: Ask) -> (bool, u32, u8, bool) {
        self.exceptions.facts_of(
            CHART,
            self.head.grant_epoch,
            self.head.control_epoch,
            ask.grantee,
            ask.member,
            ask.compartment,
            ask.record_id,
            ask.purpose,
            ask.action,
        )
    }

    fn is_denied(&self, ask: Ask) -> bool {
        self.facts(ask).0
    }

    fn allowed_since(&self, ask: Ask) -> u32 {
        self.facts(ask).1
    }

    fn set(&mut self, grantee: Address, effect: u8, purposes: u32, actions: u8, expiry: u64) {
        self.by(PATIENT)
            .set_rule(PATIENT, CHART, RECORD, grantee, effect, purposes, actions, expiry)
            .unwrap();
    }
}

const ALL_ACTIONS: [u8; 3] = [action::READ, action::WRITE, action::SHARE];

#[test]
fn nothing_stands_beside_the_grants_of_a_chart_without_exceptions() {
    let world = World::new();
    for record_id in [B256::ZERO, RECORD] {
        for member in [Address::ZERO, DOCTOR] {
            assert_eq!(
                world.facts(Ask {
                    record_id,
                    member,
                    ..ASK
                }),
                (false, 0, 0, false)
            );
        }
    }
}

#[test]
fn nobody_else_is_asked_for_facts() {
    // `records` asks in the midst of its own call: asking it back would be refused as reentrance.
    let mut world = World::new();
    world.rule(PATIENT, NURSE, effect::DENY).unwrap();
    world.give(PATIENT, NURSE, power::EVERY, 0).unwrap();
    world.allow_emergencies(PATIENT, true).unwrap();
    world.break_glass(NURSE).unwrap();
    world.vm.mock_static_call(Address::ZERO, vec![], Ok(vec![]));
    world.refuse(RECORDS, chartOfCall { chart: CHART });
    let facts = world.facts(Ask {
        purpose: purpose::ETREAT,
        ..ASK
    });
    assert_eq!(facts, (false, 0, power::EVERY, true));
}

#[test]
fn a_rule_matches_its_record_purposes_and_actions_and_of_a_write_no_purpose() {
    for effect in [effect::ALLOW, effect::DENY] {
        let mut world = World::new();
        world.head.directory_version = 5;
        world.set(
            NURSE,
            effect,
            purpose::TREAT | purpose::HRESCH,
            action::READ | action::SHARE,
            0,
        );
        let matches = |ask: Ask| match effect {
            effect::ALLOW => {
                let (denied, since, ..) = world.facts(ask);
                assert!(!denied && (since == 0 || since == 5));
                since == 5
            }
            _ => {
                let (denied, since, ..) = world.facts(ask);
                assert_eq!(since, 0);
                denied
            }
        };
        assert!(matches(ASK));
        for (_, purpose) in purpose::ALL {
            for action in ALL_ACTIONS {
                let expected = matches!(purpose, purpose::TREAT | purpose::HRESCH) && action != action::WRITE;
                assert_eq!(matches(Ask { purpose, action, ..ASK }), expected, "{purpose} {action}");
            }
        }
        for action in ALL_ACTIONS {
            let expected = action != action::WRITE;
            assert_eq!(
                matches(Ask {
                    purpose: 0,
                    action,
                    ..ASK
                }),
                expected
            );
        }
        assert!(!matches(Ask {
            record_id: OTHER_RECORD,
            ..ASK
        }));
        assert!(!matches(Ask {
            record_id: B256::ZERO,
            ..ASK
        }));
        assert!(!matches(Ask {
            grantee: STRANGER,
            ..ASK
        }));
        // Whatever the compartment: the record may lie in another than the grant's.
        assert!(matches(Ask { compartment: 63, ..ASK }));
    }
}

#[test]
fn a_rule_ends_in_the_second_of_its_expiry() {
    for effect in [effect::ALLOW, effect::DENY] {
        let mut world = World::new();
        world.set(NURSE, effect, purpose::TREAT, action::READ, NOW + 10);
        let none = (false, 0, 0, false);
        for (now, stands) in [(NOW, true), (NOW + 9, true), (NOW + 10, false), (NOW + 11, false)] {
            world.at(now);
            assert_eq!(world.facts(ASK) != none, stands);
        }
    }
}

#[test]
fn a_denial_is_the_grantees_the_members_or_everybodys() {
    for (whose, in_person, as_member, of_other_member) in [
        (CLINIC, false, true, true),
        (NURSE, true, true, false),
        (EVERYBODY, true, true, true),
        (STRANGER, false, false, false),
    ] {
        let mut world = World::new();
        world.set(whose, effect::DENY, purpose::TREAT, action::READ, 0);
        assert_eq!(world.is_denied(ASK), in_person, "{whose}");
        let as_clinic = Ask {
            grantee: CLINIC,
            member: NURSE,
            ..ASK
        };
        assert_eq!(world.is_denied(as_clinic), as_member, "{whose}");
        let other = Ask {
            member: DOCTOR,
            ..as_clinic
        };
        assert_eq!(world.is_denied(other), of_other_member, "{whose}");
    }
}

#[test]
fn an_allowance_is_the_grantees_alone() {
    let mut world = World::new();
    world.head.directory_version = 3;
    world.set(NURSE, effect::ALLOW, purpose::TREAT, action::READ, 0);
    world.head.directory_version = 4;
    assert_eq!(world.allowed_since(ASK), 3);
    let as_clinic = Ask {
        grantee: CLINIC,
        member: NURSE,
        ..ASK
    };
    // What a member was allowed, their organisation was not.
    assert_eq!(world.allowed_since(as_clinic), 0);
    world.set(CLINIC, effect::ALLOW, purpose::TREAT, action::READ, 0);
    assert_eq!(world.allowed_since(as_clinic), 4);
    // Both may stand: everybody's denial beside one's own allowance. `records` has the denial win.
    world.set(EVERYBODY, effect::DENY, purpose::TREAT, action::READ, 0);
    assert_eq!(world.facts(as_clinic), (true, 4, 0, false));
}

#[test]
fn a_denial_for_everybody_spares_a_delegate_with_the_power_and_one_for_them_does_not() {
    for (action, wanted) in [
        (action::READ, power::READ),
        (action::WRITE, power::WRITE),
        (action::SHARE, power::GRANT),
    ] {
        for powers in [wanted, power::EVERY & !wanted, power::EVERY] {
            let mut world = World::new();
            world.give(PATIENT, NURSE, powers, NOW + 10).unwrap();
            world.set(EVERYBODY, effect::DENY, purpose::TREAT, u8::MAX, 0);
            let ask = Ask { action, ..ASK };
            assert_eq!(world.facts(ask), (powers & wanted == 0, 0, powers, false));
            // Whoever else is denied.
            assert!(world.is_denied(Ask { grantee: DOCTOR, ..ask }));
            // A delegate acts in person.
            let as_clinic = Ask {
                grantee: CLINIC,
                member: NURSE,
                ..ask
            };
            assert_eq!(world.facts(as_clinic), (true, 0, 0, false));
            let of_delegate = Ask {
                grantee: NURSE,
                member: DOCTOR,
                ..ask
            };
            assert_eq!(world.facts(of_delegate), (true, 0, 0, false));
            // Powers that have ended spare nobody.
            world.at(NOW + 10);
            assert_eq!(world.facts(ask), (true, 0, 0, false));
            world.at(NOW);
            world.set(NURSE, effect::DENY, purpose::TREAT, u8::MAX, 0);
            assert_eq!(world.facts(ask), (true, 0, powers, false));
        }
    }
}

#[test]
fn powers_are_those_of_the_control_epoch_that_is_named() {
    let mut world = World::new();
    world.give(PATIENT, NURSE, power::WRITE, 0).unwrap();
    assert_eq!(world.facts(ASK).2, power::WRITE);
    world.head.control_epoch = 1;
    assert_eq!(world.facts(ASK).2, 0);
}

#[test]
fn an_emergency_is_for_reads_to_treat_of_its_compartments_in_person() {
    let mut world = World::new();
    world.allow_emergencies(PATIENT, true).unwrap();
    world
        .by(NURSE)
        .break_glass(NURSE, CHART, CLINIC, 1 | 1 << LABS | 1 << 63, emergency::OTHER)
        .unwrap();
    let ask = Ask {
        purpose: purpose::ETREAT,
        ..ASK
    };
    // With a record or without.
    for record_id in [B256::ZERO, RECORD] {
        for compartment in 0..=u8::MAX {
            let expected = matches!(compartment, 0 | LABS | 63);
            let ask = Ask {
                compartment,
                record_id,
                ..ask
            };
            assert_eq!(world.facts(ask), (false, 0, 0, expected), "{compartment}");
        }
    }
    for (_, purpose) in purpose::ALL {
        for action in ALL_ACTIONS {
            let expected = purpose == purpose::ETREAT && action == action::READ;
            assert_eq!(world.facts(Ask { purpose, action, ..ask }).3, expected);
        }
    }
    assert!(!world.facts(Ask { purpose: 0, ..ask }).3);
    assert!(!world.facts(Ask { grantee: DOCTOR, ..ask }).3);
    // Neither for the organisation that vouched, nor as its member, nor with a member of one's own.
    assert!(!world.facts(Ask { grantee: CLINIC, ..ask }).3);
    for grantee in [CLINIC, NURSE] {
        assert!(
            !world
                .facts(Ask {
                    grantee,
                    member: NURSE,
                    ..ask
                })
                .3
        );
    }
}

#[test]
fn an_emergency_is_of_its_grant_epoch_its_access_and_its_control_epoch() {
    let mut world = World::new();
    (world.head.grant_epoch, world.head.control_epoch) = (4, 7);
    world.allow_emergencies(PATIENT, true).unwrap();
    world.break_glass(NURSE).unwrap();
    let head = world.head;
    let open = |world: &World, grant_epoch, control_epoch| {
        let mut asked = World {
            vm: world.vm.clone(),
            exceptions: Exceptions::from(&world.vm),
            head,
            told: 0,
        };
        (asked.head.grant_epoch, asked.head.control_epoch) = (grant_epoch, control_epoch);
        asked.is_emergency(NURSE)
    };
    assert!(open(&world, 4, 7));
    for (grant_epoch, control_epoch) in [(3, 7), (5, 7), (4, 6), (4, 8), (0, 0)] {
        assert!(!open(&world, grant_epoch, control_epoch));
    }
    // Access as no call leaves it: each part alone ends it.
    let access = world.exceptions.access(CHART);
    for other in [
        Access {
            allowed: false,
            ..access
        },
        Access {
            serial: access.serial + 1,
            ..access
        },
        Access {
            serial: access.serial - 1,
            ..access
        },
        Access {
            control_epoch: 8,
            ..access
        },
    ] {
        world.exceptions.access.setter(CHART).set(other.to_word());
        assert!(!open(&world, 4, 7));
    }
    world.exceptions.access.setter(CHART).set(access.to_word());
    assert!(open(&world, 4, 7));
}

#[test]
fn a_rule_that_denies_stands_beside_an_open_emergency() {
    let mut world = World::new();
    world.allow_emergencies(PATIENT, true).unwrap();
    world.break_glass(NURSE).unwrap();
    world.set(NURSE, effect::DENY, purpose::ETREAT, action::READ, 0);
    let ask = Ask {
        purpose: purpose::ETREAT,
        ..ASK
    };
    assert_eq!(world.facts(ask), (true, 0, 0, true));
}
