//! The numbers that contract and services share: `terms::reason`, above all `combine`.
use medlock_abi::terms::reason::combine;

use super::*;

const SINCE: u32 = 7;

/// What a grant says, and what comes of it with one thing beside it: a rule that denies, nothing, a rule that allows since
/// the grants began, an older one, the delegated power, broken glass.
const TABLE: [(u8, [u8; 6]); 8] = {
    use reason::*;
    [
        (GRANT, [DENIED, GRANT, GRANT, GRANT, GRANT, GRANT]),
        (NO_GRANT, [NO_GRANT, NO_GRANT, NO_GRANT, NO_GRANT, DELEGATE, EMERGENCY]),
        (REVOKED, [REVOKED, REVOKED, REVOKED, REVOKED, DELEGATE, EMERGENCY]),
        (
            NOT_YET_VALID,
            [
                NOT_YET_VALID,
                NOT_YET_VALID,
                NOT_YET_VALID,
                NOT_YET_VALID,
                DELEGATE,
                EMERGENCY,
            ],
        ),
        (EXPIRED, [EXPIRED, EXPIRED, EXPIRED, EXPIRED, DELEGATE, EMERGENCY]),
        (
            COMPARTMENT,
            [DENIED, COMPARTMENT, RULE, COMPARTMENT, DELEGATE, EMERGENCY],
        ),
        (PURPOSE, [DENIED, PURPOSE, PURPOSE, PURPOSE, DELEGATE, EMERGENCY]),
        (ACTION, [DENIED, ACTION, ACTION, ACTION, DELEGATE, EMERGENCY]),
    ]
};

#[test]
fn every_grant_and_everything_beside_it() {
    for (by_grant, [denied, nothing, ruled, older, delegated, broken]) in TABLE {
        for action in 0..=u8::MAX {
            let of_power = match action {
                action::READ => power::READ,
                action::WRITE => power::WRITE,
                action::SHARE => power::GRANT,
                _ => 0,
            };
            for allowed_since in [0, 1, SINCE - 1, SINCE, SINCE + 1, u32::MAX] {
                for powers in 0..=u8::MAX {
                    for emergency in [false, true] {
                        let facts = Facts {
                            denied: false,
                            allowed_since,
                            powers,
                            emergency,
                        };
                        let by_rule = if allowed_since < SINCE { older } else { ruled };
                        // The first that opens; the grant's own reason else.
                        let expected = if reason::is_allowed(by_rule) {
                            by_rule
                        } else if powers & of_power != 0 {
                            delegated
                        } else if emergency && action == action::READ {
                            broken
                        } else {
                            nothing
                        };
                        let asked = (by_grant, action, facts);
                        assert_eq!(combine(by_grant, SINCE, action, facts), expected, "{asked:?}");
                        let closed = Facts { denied: true, ..facts };
                        assert_eq!(combine(by_grant, SINCE, action, closed), denied, "{asked:?}");
                        assert!(!reason::is_allowed(denied));
                    }
                }
            }
        }
    }
}

/// A pair whose grants began at no version has none; a rule of no version is none.
#[test]
fn a_rule_of_version_zero_is_none() {
    let facts = |allowed_since| Facts {
        allowed_since,
        ..NOTHING
    };
    for since in [0, 1, u32::MAX] {
        let none = combine(reason::COMPARTMENT, since, action::READ, facts(0));
        assert_eq!(none, reason::COMPARTMENT);
        let newest = combine(reason::COMPARTMENT, since, action::READ, facts(u32::MAX));
        assert_eq!(newest, reason::RULE);
    }
}

#[test]
fn without_facts_nothing_opens() {
    for (by_grant, [denied, ..]) in TABLE {
        for action in 0..=u8::MAX {
            assert_eq!(combine(by_grant, SINCE, action, reason::NO_FACTS), denied);
        }
    }
}

#[test]
fn reasons_below_16_allow_and_each_has_its_text() {
    let mut texts = std::collections::BTreeSet::new();
    for reason in 0..=u8::MAX {
        let known = matches!(reason, 1..=5 | 16..=29);
        assert_eq!(reason::is_allowed(reason), known && reason < 16, "{reason}");
        let text = reason::text(reason);
        assert_eq!(text != "unknown-reason", known, "{reason}");
        assert!(!known || texts.insert(text), "{text} twice");
    }
}

#[test]
fn an_action_is_taken_by_one_power() {
    assert_eq!(power::of(action::READ), power::READ);
    assert_eq!(power::of(action::WRITE), power::WRITE);
    assert_eq!(power::of(action::SHARE), power::GRANT);
    let known = [action::READ, action::WRITE, action::SHARE];
    for other in (0..=u8::MAX).filter(|action| !known.contains(action)) {
        assert_eq!(power::of(other), 0);
    }
    let every = power::ALL.iter().fold(0, |every, (_, power)| every | power);
    assert_eq!(every, power::EVERY);
}
