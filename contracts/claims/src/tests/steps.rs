//! Which step follows on which state, by whom, and what it leaves.
use super::*;

/// The states on which a step follows: contracts/README.md has the same table.
fn follows_on(step: Step) -> &'static [u8] {
    use state::*;
    match step {
        Step::BeginReview => &[RECEIVED, APPEALED],
        Step::RequestInformation | Step::Adjudicate(..) => &[RECEIVED, IN_REVIEW, APPEALED],
        Step::ProvideInformation => &[INFORMATION_REQUESTED],
        Step::Appeal => &[DENIED, PARTLY_APPROVED],
        Step::CloseOverdue => &[RECEIVED, IN_REVIEW, INFORMATION_REQUESTED, APPEALED],
        Step::AcceptPart => &[PARTLY_APPROVED],
        Step::RecordPayment | Step::Pay(..) => &[APPROVED, PARTLY_APPROVED],
        Step::Reverse => &[APPROVED, PARTLY_APPROVED, PAID],
        Step::Withdraw => &[
            RECEIVED,
            IN_REVIEW,
            INFORMATION_REQUESTED,
            APPEALED,
            DENIED,
            PARTLY_APPROVED,
        ],
    }
}

fn party(step: Step, state: u8) -> Address {
    if step.is_insurers(state) { INSURER } else { CLINIC }
}

/// When each step that follows on the state is taken: what waits for a deadline after it, the rest before.
fn in_time(step: Step, state: u8, deadline: u64) -> u64 {
    match step {
        Step::CloseOverdue => deadline,
        Step::RecordPayment | Step::Pay(..) if state == state::PARTLY_APPROVED => deadline,
        _ => NOW,
    }
}

#[test]
fn a_step_out_of_order_is_refused() {
    for (state, world, claim) in World::in_every_state() {
        for step in Step::every(claim) {
            let mut world = world.fork();
            world.at(in_time(step, state, world.deadline(claim)));
            let before = world.storage();
            let outcome = world.step(party(step, state), claim, step);
            if follows_on(step).contains(&state) {
                assert_eq!(outcome, Ok(()), "{step:?} from {state}");
                assert_eq!(world.events().len(), 1);
            } else {
                assert_eq!(outcome, wrong_state(claim, state), "{step:?} from {state}");
                assert_eq!(world.storage(), before);
            }
        }
    }
}

#[test]
fn a_step_of_another_party_is_refused() {
    for (state, world, claim) in World::in_every_state() {
        for step in Step::every(claim) {
            let party = party(step, state);
            let member = if party == CLINIC { NURSE } else { ADJUSTER };
            for actor in PARTIES {
                let mut world = world.fork();
                world.at(in_time(step, state, world.deadline(claim)));
                let outcome = world.step(actor, claim, step);
                if actor != party && actor != member {
                    assert_eq!(
                        outcome,
                        refused(IClaims::NotParty { actor, party }),
                        "{step:?} from {state}"
                    );
                } else if follows_on(step).contains(&state) {
                    assert_eq!(outcome, Ok(()), "{step:?} from {state}");
                }
            }
            // Whoever was a member.
            let mut world = world.fork();
            world.member(party, member, false);
            let outcome = world.step(member, claim, step);
            assert_eq!(outcome, refused(IClaims::NotParty { actor: member, party }));
        }
    }
}

#[test]
fn a_step_for_another_goes_through_the_relay_alone() {
    for (state, world, claim) in World::in_every_state() {
        for step in Step::every(claim) {
            let actor = party(step, state);
            for caller in [STRANGER, RECORDS, REGISTRY, NURSE, ADJUSTER, RELAY] {
                let mut world = world.fork();
                world.at(in_time(step, state, world.deadline(claim)));
                let serial = world.serial(claim);
                let outcome = world.through(caller, actor, |claims, actor| step.take(claims, actor, claim, serial));
                if caller != RELAY {
                    assert_eq!(outcome, refused(IClaims::NotActor { caller, actor }));
                } else if follows_on(step).contains(&state) {
                    assert_eq!(outcome, Ok(()));
                }
            }
        }
    }
}

/// What was signed for an earlier state, or twice.
#[test]
fn a_replayed_step_is_refused() {
    for (state, world, claim) in World::in_every_state() {
        let current = world.serial(claim);
        for step in Step::every(claim) {
            let actor = party(step, state);
            for given in [0, current - 1, current + 1, u8::MAX] {
                let mut world = world.fork();
                let outcome = world.by(actor, |claims, actor| step.take(claims, actor, claim, given));
                assert_eq!(outcome, refused(IClaims::ClaimSerial { given, current }));
            }
        }
    }
    // The same request again, in the same state: it was answered, so it would be the next one.
    let mut world = World::new();
    let claim = world.received();
    world.step(INSURER, claim, Step::RequestInformation).unwrap();
    world.step(CLINIC, claim, Step::ProvideInformation).unwrap();
    let replayed = world.by(INSURER, |claims, actor| {
        claims.request_information(actor, claim, 1, DOCUMENT)
    });
    assert_eq!(replayed, refused(IClaims::ClaimSerial { given: 1, current: 3 }));
}

#[test]
fn a_claim_that_nobody_submitted_is_unknown() {
    let mut world = World::new();
    world.received();
    for claim in [B256::ZERO, claim_id(DOCTOR, &new_claim(1))] {
        for step in Step::every(claim) {
            let outcome = world.step(CLINIC, claim, step);
            assert_eq!(outcome, refused(IClaims::UnknownClaim { claim }));
        }
        let (provider, insurer, state, serial, ..) = world.claims.claim_of(claim);
        assert_eq!((provider, insurer, state, serial), (NOBODY, NOBODY, 0, 0));
    }
}

/// An ended licence frees nobody from an answer, and a revoked grant takes no payment away.
#[test]
fn credentials_and_consent_count_when_a_claim_is_submitted() {
    for (state, world, claim) in World::in_every_state() {
        for step in Step::every(claim) {
            let mut world = world.fork();
            world.at(in_time(step, state, world.deadline(claim)));
            for (party, roles) in CREDENTIALS {
                world.credential(party, roles, false);
            }
            world.consent(CHART, INSURER, RECORD, false);
            let outcome = world.step(party(step, state), claim, step);
            assert_eq!(
                outcome.is_ok(),
                follows_on(step).contains(&state),
                "{step:?} from {state}"
            );
        }
    }
}

#[test]
fn each_step_is_told_with_what_it_leaves() {
    let mut world = World::new();
    let claim = world.received();
    let amount = commitment(claim, AMOUNT);
    let by = |actor| (actor, NOW);
    let mut told = |step, (actor, now): (Address, u64)| {
        world.at(now);
        world.step(actor, claim, step).unwrap();
        world.events().remove(0)
    };
    let later = NOW + 1000;
    assert_eq!(
        told(Step::BeginReview, by(ADJUSTER)),
        Event::ReviewBegun(IClaims::ReviewBegun {
            claim,
            serial: 2,
            by: ADJUSTER
        })
    );
    assert_eq!(
        told(Step::RequestInformation, by(INSURER)),
        Event::InformationRequested(IClaims::InformationRequested {
            claim,
            serial: 3,
            by: INSURER,
            document: DOCUMENT,
            deadline: NOW + claim::INFORMATION_S
        })
    );
    assert_eq!(
        told(Step::ProvideInformation, (NURSE, later)),
        Event::InformationProvided(IClaims::InformationProvided {
            claim,
            serial: 4,
            by: NURSE,
            document: DOCUMENT,
            deadline: later + claim::DECISION_S
        })
    );
    assert_eq!(
        told(Step::approve_part(claim), (INSURER, later)),
        Event::Adjudicated(IClaims::Adjudicated {
            claim,
            serial: 5,
            by: INSURER,
            state: state::PARTLY_APPROVED,
            amount,
            reasonCode: claim_reason::ABOVE_LIMIT,
            document: DOCUMENT,
            deadline: later + claim::APPEAL_S
        })
    );
    assert_eq!(
        told(Step::Appeal, (CLINIC, later)),
        Event::Appealed(IClaims::Appealed {
            claim,
            serial: 6,
            by: CLINIC,
            document: DOCUMENT,
            deadline: later + claim::APPEAL_DECISION_S
        })
    );
    assert_eq!(
        told(Step::approve_part(claim), (INSURER, later)),
        Event::Adjudicated(IClaims::Adjudicated {
            claim,
            serial: 7,
            by: INSURER,
            state: state::PARTLY_APPROVED,
            amount,
            reasonCode: claim_reason::ABOVE_LIMIT,
            document: DOCUMENT,
            deadline: later + claim::APPEAL_S
        })
    );
    assert_eq!(
        told(Step::AcceptPart, (CLINIC, later)),
        Event::PartAccepted(IClaims::PartAccepted {
            claim,
            serial: 8,
            by: CLINIC,
            deadline: later + claim::PAYMENT_S
        })
    );
    assert_eq!(
        told(Step::RecordPayment, (INSURER, later)),
        Event::Paid(IClaims::Paid {
            claim,
            serial: 9,
            by: INSURER,
            remittance: DOCUMENT
        })
    );
    assert_eq!(
        told(Step::Reverse, (INSURER, later)),
        Event::Reversed(IClaims::Reversed {
            claim,
            serial: 10,
            by: INSURER,
            reasonCode: claim_reason::PAID_IN_ERROR
        })
    );
    assert_eq!(
        world.claims.claim_of(claim),
        (
            CLINIC,
            INSURER,
            state::REVERSED,
            10,
            EURO,
            1,
            NOW,
            0,
            1,
            1,
            claim_reason::PAID_IN_ERROR,
            amount
        )
    );
    let withdrawn = world.submit(CLINIC, new_claim(2)).unwrap();
    world.step(CLINIC, withdrawn, Step::Withdraw).unwrap();
    assert_eq!(
        world.events(),
        [Event::Withdrawn(IClaims::Withdrawn {
            claim: withdrawn,
            serial: 2,
            by: CLINIC
        })]
    );
}

#[test]
fn a_decision_says_what_goes_with_it_and_nothing_else() {
    let mut world = World::new();
    let claim = world.received();
    let amount = commitment(claim, AMOUNT);
    let code = claim_reason::NOT_COVERED;
    for (state, amount, reason) in [
        (state::APPROVED, B256::ZERO, 0),
        (state::APPROVED, amount, code),
        (state::PARTLY_APPROVED, B256::ZERO, code),
        (state::PARTLY_APPROVED, amount, 0),
        (state::DENIED, amount, code),
        (state::DENIED, B256::ZERO, 0),
        (0, amount, 0),
        (state::RECEIVED, amount, 0),
        (state::PAID, amount, 0),
        (state::WITHDRAWN, B256::ZERO, code),
        (u8::MAX, B256::ZERO, code),
    ] {
        assert_eq!(
            world.step(INSURER, claim, Step::Adjudicate(state, amount, reason)),
            refused(IClaims::MalformedDecision {}),
            "{state} {reason}"
        );
    }
    // Not what only the passing of a deadline says.
    for code in [claim_reason::NO_INFORMATION, claim_reason::NO_ANSWER, 15, u16::MAX] {
        assert_eq!(
            world.step(INSURER, claim, Step::Adjudicate(state::DENIED, B256::ZERO, code)),
            refused(IClaims::UnknownReasonCode { reasonCode: code })
        );
    }
    world.approve(claim).unwrap();
    let serial = world.serial(claim);
    for code in [0, claim_reason::NO_ANSWER, u16::MAX] {
        let outcome = world.by(INSURER, |claims, actor| {
            claims.reverse_claim(actor, claim, serial, code)
        });
        assert_eq!(outcome, refused(IClaims::UnknownReasonCode { reasonCode: code }));
    }
    let insurers = |code: &u16| claim_reason::is_an_insurers(*code);
    assert!((0..=u16::MAX).filter(insurers).eq(1..=12));
    assert!(claim_reason::ALL.iter().map(|(_, code)| *code).eq(1..=14));
}

#[test]
fn a_document_of_nothing_is_refused() {
    let mut world = World::new();
    let claim = world.received();
    let zero = refused(IClaims::ZeroDigest {});
    let none = B256::ZERO;
    assert_eq!(
        world.by(INSURER, |claims, actor| claims
            .request_information(actor, claim, 1, none)),
        zero
    );
    assert_eq!(
        world.by(CLINIC, |claims, actor| claims
            .provide_information(actor, claim, 1, none)),
        zero
    );
    assert_eq!(
        world.by(INSURER, |claims, actor| claims.adjudicate(
            actor,
            claim,
            1,
            state::APPROVED,
            DOCUMENT,
            0,
            none
        )),
        zero
    );
    assert_eq!(
        world.by(CLINIC, |claims, actor| claims.appeal(actor, claim, 1, none)),
        zero
    );
    assert_eq!(
        world.by(INSURER, |claims, actor| claims.record_payment(actor, claim, 1, none)),
        zero
    );
}

#[test]
fn only_insurers_and_their_members_set_what_an_insurer_takes() {
    let mut world = World::bare();
    for (actor, insurer) in [
        (STRANGER, STRANGER),
        (STRANGER, INSURER),
        (NURSE, INSURER),
        (OTHER_INSURER, INSURER),
        (CLINIC, CLINIC),
        (NURSE, CLINIC),
        (ADJUSTER, ADJUSTER),
    ] {
        let not_credentialed = IClaims::NotCredentialed {
            actor,
            party: insurer,
            roles: role::INSURER,
        };
        let outcome = world.by(actor, |claims, actor| claims.set_insurer(actor, insurer, 0, true));
        assert_eq!(outcome, refused(not_credentialed.clone()));
        let outcome = world.by(actor, |claims, actor| {
            claims.set_currency(actor, insurer, EURO, 1, true, NOBODY, 0)
        });
        assert_eq!(outcome, refused(not_credentialed));
    }
    let (caller, actor) = (STRANGER, INSURER);
    let not_actor = IClaims::NotActor { caller, actor };
    let outcome = world.through(caller, actor, |claims, actor| claims.set_insurer(actor, actor, 0, true));
    assert_eq!(outcome, refused(not_actor.clone()));
    let outcome = world.through(caller, actor, |claims, actor| {
        claims.set_currency(actor, actor, EURO, 1, true, NOBODY, 0)
    });
    assert_eq!(outcome, refused(not_actor));

    world
        .by(ADJUSTER, |claims, actor| claims.set_insurer(actor, INSURER, 0, true))
        .unwrap();
    assert_eq!(
        world.events(),
        [Event::InsurerSet(IClaims::InsurerSet {
            insurer: INSURER,
            serial: 1,
            shared: true,
            by: ADJUSTER
        })]
    );
    assert_eq!(world.claims.insurer_of(INSURER), (1, true));
    world
        .through(RELAY, ADJUSTER, |claims, actor| {
            claims.set_currency(actor, INSURER, EURO, 1, true, TOKEN, SCALE)
        })
        .unwrap();
    assert_eq!(
        world.events(),
        [Event::CurrencySet(IClaims::CurrencySet {
            insurer: INSURER,
            currency: EURO,
            version: 1,
            accepted: true,
            token: TOKEN,
            scale: SCALE,
            by: ADJUSTER
        })]
    );
    assert_eq!(world.claims.currency_of(INSURER, EURO), (1, true));
    assert_eq!(world.claims.token_of(INSURER, EURO, 1), (TOKEN, SCALE));
}

#[test]
fn a_replayed_setting_is_refused() {
    let mut world = World::bare();
    let set = |world: &mut World, serial, shared| {
        world.by(INSURER, |claims, actor| {
            claims.set_insurer(actor, INSURER, serial, shared)
        })
    };
    set(&mut world, 0, true).unwrap();
    set(&mut world, 1, false).unwrap();
    for given in [0, 1, 3, u32::MAX] {
        assert_eq!(
            set(&mut world, given, true),
            refused(IClaims::InsurerSerial { given, current: 2 })
        );
    }
    world.set_currency(INSURER, EURO, 1, true, TOKEN, SCALE).unwrap();
    for given in [0, 1, 3, u32::MAX] {
        assert_eq!(
            world.set_currency(INSURER, EURO, given, true, NOBODY, 0),
            refused(IClaims::CurrencyVersion { given, next: 2 })
        );
    }
    // Of each currency and insurer its own.
    world.set_currency(INSURER, DOLLAR, 1, true, NOBODY, 0).unwrap();
    world.set_currency(OTHER_INSURER, EURO, 1, true, NOBODY, 0).unwrap();
}

#[test]
fn a_currency_that_makes_no_sense_is_refused() {
    let mut world = World::bare();
    for currency in [0, 1000, u16::MAX] {
        assert_eq!(
            world.set_currency(INSURER, currency, 1, true, NOBODY, 0),
            refused(IClaims::CurrencyRange { currency })
        );
    }
    for (accepted, token, scale) in [
        (false, TOKEN, 0),
        (false, TOKEN, 4),
        (false, NOBODY, 4),
        (true, NOBODY, 1),
        (true, TOKEN, claim::SCALE_MOST + 1),
        (true, TOKEN, u8::MAX),
    ] {
        assert_eq!(
            world.set_currency(INSURER, EURO, 1, accepted, token, scale),
            refused(IClaims::MalformedCurrency {})
        );
    }
    // A key's account transfers nothing, and says nothing.
    assert_eq!(
        world.set_currency(INSURER, EURO, 1, true, STRANGER, 4),
        refused(IClaims::NotToken { token: STRANGER })
    );
    for (version, currency) in [(1, 1), (1, claim::CURRENCY_MOST)] {
        world.set_currency(INSURER, currency, version, true, TOKEN, 0).unwrap();
    }
    world
        .set_currency(INSURER, EURO, 1, true, TOKEN, claim::SCALE_MOST)
        .unwrap();
    world.set_currency(INSURER, EURO, 2, false, NOBODY, 0).unwrap();
    assert_eq!(world.claims.currency_of(INSURER, EURO), (2, false));
    assert_eq!(world.claims.token_of(INSURER, EURO, 1), (TOKEN, claim::SCALE_MOST));
    assert_eq!(world.claims.token_of(INSURER, EURO, 2), (NOBODY, 0));
}
