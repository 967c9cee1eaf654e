//! `decide` against a model that knows nothing of slots.
use proptest::prelude::*;

use super::*;

/// It lists what must hold, in the documented order.
struct Model {
    now: u64,
    controller: Address,
    /// The clinic's: epoch and directory version when given, and terms.
    grant: Option<(u32, u32, GrantTerms)>,
    chart_epoch: u32,
    record_compartment: u8,
    record_status: u8,
    /// What stands beside the grants. `None`: nobody knows.
    facts: Option<Facts>,
    is_exceptional: bool,
    /// Of the clinic, the nurse.
    is_member: bool,
}

impl Model {
    fn reason(&self, asked: &Question) -> u8 {
        let one_bit = |bits: u32| bits.count_ones() == 1;
        if asked.compartment >= 64 || !one_bit(asked.purpose) || !one_bit(asked.action.into()) {
            return reason::MALFORMED;
        }
        if asked.chart != CHART {
            return reason::UNKNOWN_CHART;
        }
        let is_member = (asked.grantee, asked.member) == (CLINIC, NURSE) && self.is_member;
        if !asked.member.is_zero() && !is_member {
            return reason::NOT_MEMBER;
        }
        self.reason_of_member(asked)
    }

    /// Of a sound question about the chart, by who need not be asked about any more.
    fn reason_of_member(&self, asked: &Question) -> u8 {
        let allowed = if asked.grantee == self.controller {
            Ok(reason::CONTROLLER)
        } else if self.is_exceptional {
            self.with_facts(asked)
        } else {
            self.by_grant(asked).map(|()| reason::GRANT)
        };
        let on_record = |allowed| {
            let none = asked.recordId.is_zero();
            let checks = [
                (none || asked.recordId == RECORD, reason::UNKNOWN_RECORD),
                (
                    none || asked.compartment == self.record_compartment,
                    reason::RECORD_COMPARTMENT,
                ),
                (none || self.record_status != status::SHREDDED, reason::SHREDDED),
            ];
            first_that_fails(&checks).map_or(allowed, |reason| reason)
        };
        allowed.map_or_else(|refused| refused, on_record)
    }

    fn by_grant(&self, asked: &Question) -> Result<(), u8> {
        let (epoch, _, terms) = self
            .grant
            .as_ref()
            .filter(|_| asked.grantee == CLINIC)
            .ok_or(reason::NO_GRANT)?;
        let checks = [
            (*epoch == self.chart_epoch, reason::REVOKED),
            (terms.notBefore <= self.now, reason::NOT_YET_VALID),
            (terms.expiry == 0 || self.now < terms.expiry, reason::EXPIRED),
            (terms.compartments & (1 << asked.compartment) != 0, reason::COMPARTMENT),
            (terms.purposes & asked.purpose != 0, reason::PURPOSE),
            (terms.actions & asked.action != 0, reason::ACTION),
        ];
        first_that_fails(&checks).map_or(Ok(()), Err)
    }

    fn with_facts(&self, asked: &Question) -> Result<u8, u8> {
        let by_grant = self.by_grant(asked);
        let is_in_force = match by_grant {
            Ok(()) => true,
            Err(reason) => reason >= reason::COMPARTMENT,
        };
        let Some(facts) = self.facts.filter(|facts| !facts.denied) else {
            return Err(if is_in_force {
                reason::DENIED
            } else {
                by_grant.unwrap_err()
            });
        };
        let Err(refused) = by_grant else {
            return Ok(reason::GRANT);
        };
        let began = self.grant.as_ref().map_or(0, |(_, since, _)| *since);
        let reads = asked.action == action::READ;
        let power = match asked.action {
            action::READ => power::READ,
            action::WRITE => power::WRITE,
            action::SHARE => power::GRANT,
            _ => 0,
        };
        let ways = [
            (
                refused == reason::COMPARTMENT && facts.allowed_since >= began.max(1),
                reason::RULE,
            ),
            (facts.powers & power != 0, reason::DELEGATE),
            (facts.emergency && reads, reason::EMERGENCY),
        ];
        ways.iter()
            .find(|(open, _)| *open)
            .map_or(Err(refused), |(_, by)| Ok(*by))
    }
}

fn first_that_fails(checks: &[(bool, u8)]) -> Option<u8> {
    checks.iter().find(|(holds, _)| !holds).map(|(_, reason)| *reason)
}

/// Few values, so that they meet often: what is granted and what is asked come from the same ones.
fn compartment() -> impl Strategy<Value = u8> {
    prop_oneof![4 => prop::sample::select(vec![0u8, LABS, CLAIMS]), 1 => any::<u8>()]
}

fn purposes() -> impl Strategy<Value = u32> {
    prop_oneof![4 => Just(purpose::TREAT), 2 => Just(purpose::HPAYMT), 1 => any::<u32>()]
}

fn actions() -> impl Strategy<Value = u8> {
    prop_oneof![4 => Just(action::READ), 2 => Just(action::WRITE), 1 => Just(action::SHARE), 1 => any::<u8>()]
}

fn granted() -> impl Strategy<Value = GrantTerms> {
    (
        prop_oneof![3 => Just(1 << LABS | 1), 1 => Just(1 << CLAIMS), 1 => 1..u64::MAX],
        purposes(),
        actions(),
        prop_oneof![2 => Just(0), 1 => Just(NOW + 10)],
        prop_oneof![1 => Just(0), 1 => Just(NOW + 20)],
    )
        .prop_map(|(compartments, purposes, actions, not_before, expiry)| GrantTerms {
            compartments,
            purposes: purposes.max(1),
            actions: actions.max(1),
            notBefore: not_before,
            expiry,
        })
}

fn asked() -> impl Strategy<Value = Question> {
    (
        prop_oneof![8 => Just(CHART), 1 => Just(OTHER_CHART)],
        prop_oneof![6 => Just(CLINIC), 1 => Just(PATIENT), 1 => Just(STRANGER)],
        prop_oneof![6 => Just(NOBODY), 3 => Just(NURSE), 1 => Just(INSURER)],
        compartment(),
        prop::sample::select(vec![B256::ZERO, RECORD, id(9)]),
        purposes(),
        actions(),
    )
        .prop_map(
            |(chart, grantee, member, compartment, record_id, purpose, action)| Question {
                chart,
                grantee,
                member,
                compartment,
                recordId: record_id,
                purpose,
                action,
            },
        )
}

fn facts() -> impl Strategy<Value = Facts> {
    (
        prop::bool::weighted(0.3),
        0..5u32,
        prop_oneof![2 => Just(0), 2 => any::<u8>(), 1 => Just(power::READ), 1 => Just(power::WRITE)],
        any::<bool>(),
    )
        .prop_map(|(denied, allowed_since, powers, emergency)| Facts {
            denied,
            allowed_since,
            powers,
            emergency,
        })
}

/// What happens to the clinic's grant behind it.
#[derive(Debug, Clone, Copy, PartialEq)]
enum End {
    None,
    Replaced,
    Revoked,
    AllRevoked,
    GrantedAnew,
    AllRevokedAndGrantedAnew,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn decide_agrees_with_the_model(
        grant in prop::option::weighted(0.9, granted()),
        rotations in 0..3u32,
        end in prop_oneof![
            6 => Just(End::None), 1 => Just(End::Replaced), 1 => Just(End::Revoked), 1 => Just(End::AllRevoked),
            1 => Just(End::GrantedAnew), 1 => Just(End::AllRevokedAndGrantedAnew),
        ],
        elapsed in prop::sample::select(vec![0u64, 9, 10, 19, 20]),
        record_compartment in prop::sample::select(vec![LABS, CLAIMS]),
        record_status in 0..3u8,
        is_exceptional in prop::bool::weighted(0.6),
        facts in prop::option::weighted(0.9, facts()),
        questions in prop::collection::vec(asked(), 1..16),
    ) {
        let mut world = World::new();
        let mut model = Model {
            now: NOW + elapsed,
            controller: PATIENT,
            grant: None,
            chart_epoch: 1,
            record_compartment,
            record_status,
            facts,
            is_exceptional,
            is_member: true,
        };
        world.add(PATIENT, vec![record(RECORD, record_compartment)]).unwrap();
        match record_status {
            status::ENTERED_IN_ERROR => world.enter_in_error(PATIENT, RECORD, POINTER).unwrap(),
            status::SHREDDED => world.shred(PATIENT, RECORD).unwrap(),
            _ => {}
        }
        for _ in 0..rotations {
            world.rotate();
        }
        let mut version = 1 + rotations;
        if let Some(terms) = grant {
            world.grant(CLINIC, terms.clone());
            model.grant = Some((1, version, terms.clone()));
            version += 1;
            match end {
                End::None => {}
                End::Replaced => {
                    world.rotate();
                    world.grant(CLINIC, terms);
                }
                End::Revoked | End::GrantedAnew => {
                    world
                        .by(PATIENT, |records, actor| {
                            records.revoke(actor, CHART, CLINIC, version, ROTATED, vec![])
                        })
                        .unwrap();
                    model.grant = None;
                    if end == End::GrantedAnew {
                        world.grant(CLINIC, terms.clone());
                        model.grant = Some((1, version, terms));
                    }
                }
                End::AllRevoked | End::AllRevokedAndGrantedAnew => {
                    world.revoke_all();
                    model.chart_epoch = 2;
                    if end == End::AllRevokedAndGrantedAnew {
                        world.rotate();
                        world.grant(CLINIC, terms.clone());
                        model.grant = Some((2, version + 1, terms));
                    }
                }
            }
        }
        if is_exceptional {
            world.by(EXCEPTIONS, |records, _| records.set_exceptional(CHART)).unwrap();
            // Whether the nurse is a member is answered by the same bytes.
            model.is_member = facts.is_some_and(|facts| facts.denied);
            match facts {
                Some(facts) => world.facts(facts),
                None => world.answer(vec![0xff; 128]),
            }
        }
        world.at(model.now);

        let expected: Vec<u8> = questions.iter().map(|question| model.reason(question)).collect();
        prop_assert_eq!(world.records.decide_many(questions.clone()).unwrap(), expected.clone());
        let head = world.records.chart_head(CHART);
        for (question, reason) in questions.into_iter().zip(expected) {
            // And as of a member, whatever the registry says of them.
            if !matches!(reason, reason::MALFORMED | reason::UNKNOWN_CHART) {
                prop_assert_eq!(world.records.reason(&head, &question), model.reason_of_member(&question));
            }
            prop_assert_eq!(world.records.decide(question), (reason < 16, reason));
        }
    }
}
