//! Rules for single records: who sets them, which are sound, how they stand.
use super::*;

fn rule_set(grantee: Address, effect: u8, purposes: u32, actions: u8, expiry: u64, version: u32) -> Event {
    Event::RuleSet(IExceptions::RuleSet {
        chart: CHART,
        recordId: RECORD,
        grantee,
        effect,
        purposes,
        actions,
        expiry,
        directoryVersion: version,
    })
}

#[test]
fn a_rule_is_set_replaced_and_removed_and_carries_the_directory_version_of_its_time() {
    let mut world = World::new();
    world.head.directory_version = 5;
    let (treat, read) = (purpose::TREAT, action::READ);
    let (allow, deny) = (effect::ALLOW, effect::DENY);
    world
        .by(PATIENT)
        .set_rule(PATIENT, CHART, RECORD, NURSE, allow, treat, read, NOW + 9)
        .unwrap();
    assert_eq!(
        world.exceptions.rule_of(CHART, RECORD, NURSE),
        (allow, treat, read, NOW + 9, 5)
    );
    world.head.directory_version = 7;
    world
        .by(PATIENT)
        .set_rule(PATIENT, CHART, RECORD, NURSE, deny, u32::MAX, u8::MAX, 0)
        .unwrap();
    assert_eq!(
        world.exceptions.rule_of(CHART, RECORD, NURSE),
        (deny, u32::MAX, u8::MAX, 0, 7)
    );
    world.rule(PATIENT, NURSE, effect::NONE).unwrap();
    assert_eq!(world.exceptions.rule_of(CHART, RECORD, NURSE), (0, 0, 0, 0, 0));
    assert_eq!(
        world.events(),
        [
            rule_set(NURSE, allow, treat, read, NOW + 9, 5),
            rule_set(NURSE, deny, u32::MAX, u8::MAX, 0, 7),
            rule_set(NURSE, effect::NONE, 0, 0, 0, 0),
        ]
    );
}

#[test]
fn a_rule_is_of_one_chart_one_record_and_one_grantee() {
    let mut world = World::new();
    world.rule(PATIENT, NURSE, effect::DENY).unwrap();
    let none = (0, 0, 0, 0, 0);
    assert_eq!(world.exceptions.rule_of(OTHER_CHART, RECORD, NURSE), none);
    assert_eq!(world.exceptions.rule_of(CHART, OTHER_RECORD, NURSE), none);
    assert_eq!(world.exceptions.rule_of(CHART, RECORD, EVERYBODY), none);
    assert_ne!(world.exceptions.rule_of(CHART, RECORD, NURSE), none);
}

#[test]
fn an_expired_rule_is_shown_as_it_stands() {
    let mut world = World::new();
    world
        .by(PATIENT)
        .set_rule(
            PATIENT,
            CHART,
            RECORD,
            NURSE,
            effect::DENY,
            purpose::TREAT,
            action::READ,
            NOW + 1,
        )
        .unwrap();
    world.at(NOW + 1000);
    assert_eq!(world.exceptions.rule_of(CHART, RECORD, NURSE).3, NOW + 1);
}

#[test]
fn a_rule_says_something_and_a_removal_nothing() {
    let mut world = World::new();
    let sound = |effect: u8, grantee: Address, purposes: u32, actions: u8, expiry: u64| match effect {
        effect::NONE => purposes == 0 && actions == 0 && expiry == 0,
        effect::ALLOW => purposes != 0 && actions != 0 && grantee != EVERYBODY,
        effect::DENY => purposes != 0 && actions != 0,
        _ => false,
    };
    for effect in [effect::NONE, effect::ALLOW, effect::DENY, 3, u8::MAX] {
        for grantee in [EVERYBODY, NURSE] {
            for purposes in [0, purpose::TREAT] {
                for actions in [0, action::READ] {
                    for expiry in [0, NOW + 1] {
                        let outcome = world
                            .by(PATIENT)
                            .set_rule(PATIENT, CHART, RECORD, grantee, effect, purposes, actions, expiry);
                        if sound(effect, grantee, purposes, actions, expiry) {
                            outcome.unwrap();
                            assert_eq!(world.exceptions.rule_of(CHART, RECORD, grantee).0, effect);
                            assert_eq!(world.events().len(), 1);
                        } else {
                            assert_eq!(outcome, refused(IExceptions::MalformedRule {}));
                            assert_eq!(world.events(), []);
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn a_rule_expires_after_now_and_within_40_bits() {
    let mut world = World::new();
    let mut set = |expiry| {
        let (deny, treat, read) = (effect::DENY, purpose::TREAT, action::READ);
        world
            .by(PATIENT)
            .set_rule(PATIENT, CHART, RECORD, NURSE, deny, treat, read, expiry)
    };
    for expiry in [1, NOW - 1, NOW] {
        assert_eq!(set(expiry), refused(IExceptions::ExpiryInPast { expiry, now: NOW }));
    }
    for time in [TIME_MOST + 1, u64::MAX] {
        assert_eq!(set(time), refused(IExceptions::TimeTooLarge { time }));
    }
    for expiry in [0, NOW + 1, TIME_MOST] {
        set(expiry).unwrap();
    }
    assert_eq!(world.exceptions.rule_of(CHART, RECORD, NURSE).3, TIME_MOST);
}

#[test]
fn a_rule_is_for_a_record_that_exists() {
    let unknown = IExceptions::UnknownRecord { recordId: RECORD };
    let mut world = World::new();
    // The version in the answer is the directory's: see `Head::answer`.
    world.head.directory_version = 0;
    for effect in [effect::NONE, effect::ALLOW, effect::DENY] {
        assert_eq!(world.rule(PATIENT, NURSE, effect), refused(unknown.clone()));
    }
    let mut world = World::new();
    world.refuse(
        RECORDS,
        recordOfCall {
            chart: CHART,
            recordId: RECORD,
        },
    );
    assert_eq!(world.rule(PATIENT, NURSE, effect::DENY), refused(unknown));
    assert_eq!(world.events(), []);
    // It was asked about this record of this chart.
    let (deny, treat, read) = (effect::DENY, purpose::TREAT, action::READ);
    world
        .by(PATIENT)
        .set_rule(PATIENT, CHART, OTHER_RECORD, NURSE, deny, treat, read, 0)
        .unwrap();
    world
        .by(PATIENT)
        .set_rule(PATIENT, OTHER_CHART, RECORD, NURSE, deny, treat, read, 0)
        .unwrap();
}

#[test]
fn a_delegate_does_not_touch_a_rule_about_themselves() {
    let mut world = World::new();
    world.give(PATIENT, GUARDIAN, power::EVERY, 0).unwrap();
    world.rule(PATIENT, GUARDIAN, effect::DENY).unwrap();
    world.events();
    for effect in [effect::NONE, effect::ALLOW, effect::DENY] {
        let own = IExceptions::OwnRule { actor: GUARDIAN };
        assert_eq!(world.rule(GUARDIAN, GUARDIAN, effect), refused(own));
    }
    assert_eq!(world.events(), []);
    assert_eq!(world.exceptions.rule_of(CHART, RECORD, GUARDIAN).0, effect::DENY);
    // Of others, of everybody and of the controller they may.
    for grantee in [NURSE, EVERYBODY, PATIENT] {
        world.rule(GUARDIAN, grantee, effect::DENY).unwrap();
    }
    // The controller may about themselves.
    world.rule(PATIENT, PATIENT, effect::NONE).unwrap();
}

#[test]
fn whoever_has_lost_the_power_sets_no_rule() {
    let mut world = World::new();
    world.give(PATIENT, GUARDIAN, power::GRANT, NOW + 10).unwrap();
    let not = IExceptions::NotController {
        actor: GUARDIAN,
        power: power::GRANT,
    };
    world.at(NOW + 9);
    world.rule(GUARDIAN, NURSE, effect::DENY).unwrap();
    world.at(NOW + 10);
    assert_eq!(world.rule(GUARDIAN, NURSE, effect::DENY), refused(not.clone()));
    assert_eq!(
        world.rule(STRANGER, NURSE, effect::DENY),
        refused(IExceptions::NotController {
            actor: STRANGER,
            power: power::GRANT,
        })
    );
    // A controller of before.
    world.transfer(HEIR);
    assert_eq!(
        world.rule(PATIENT, NURSE, effect::NONE),
        refused(IExceptions::NotController {
            actor: PATIENT,
            power: power::GRANT,
        })
    );
    world.rule(HEIR, NURSE, effect::NONE).unwrap();
}
