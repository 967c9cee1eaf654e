//! What a deadline lets the other party do, and to the second.
use super::*;

fn not_overdue(deadline: u64) -> Result<(), Error> {
    refused(IClaims::NotOverdue { deadline })
}

fn closed(world: &World) -> (u8, B256, u16, u64) {
    let [Event::Adjudicated(decision)] = &world.events()[..] else {
        panic!("{:?}", world.events())
    };
    (decision.state, decision.amount, decision.reasonCode, decision.deadline)
}

#[test]
fn an_insurer_who_does_not_decide_in_time_has_denied_once_the_provider_says_so() {
    for (state, mut world, claim) in World::in_every_state() {
        let term = match state {
            state::RECEIVED | state::IN_REVIEW => claim::DECISION_S,
            state::APPEALED => claim::APPEAL_DECISION_S,
            _ => continue,
        };
        let deadline = NOW + term;
        assert_eq!(world.deadline(claim), deadline);
        world.at(deadline - 1);
        assert_eq!(world.step(CLINIC, claim, Step::CloseOverdue), not_overdue(deadline));
        world.at(deadline);
        // Not the insurer, who might want to be rid of it.
        assert_eq!(
            world.step(INSURER, claim, Step::CloseOverdue),
            refused(IClaims::NotParty {
                actor: INSURER,
                party: CLINIC
            })
        );
        world.step(CLINIC, claim, Step::CloseOverdue).unwrap();
        let until = deadline + claim::APPEAL_S;
        assert_eq!(
            closed(&world),
            (state::DENIED, B256::ZERO, claim_reason::NO_ANSWER, until)
        );
        // It may be appealed as any denial.
        world.at(until - 1);
        world.step(NURSE, claim, Step::Appeal).unwrap();
    }
}

#[test]
fn a_provider_who_gives_no_information_in_time_is_denied_once_the_insurer_says_so() {
    let mut world = World::new();
    let claim = world.received();
    world.step(INSURER, claim, Step::RequestInformation).unwrap();
    let deadline = NOW + claim::INFORMATION_S;
    world.at(deadline - 1);
    assert_eq!(world.step(INSURER, claim, Step::CloseOverdue), not_overdue(deadline));
    // Nor does it decide while it waits.
    assert_eq!(world.deny(claim), wrong_state(claim, state::INFORMATION_REQUESTED));
    world.at(deadline);
    assert_eq!(world.deny(claim), wrong_state(claim, state::INFORMATION_REQUESTED));
    assert_eq!(
        world.step(CLINIC, claim, Step::CloseOverdue),
        refused(IClaims::NotParty {
            actor: CLINIC,
            party: INSURER
        })
    );
    world.step(ADJUSTER, claim, Step::CloseOverdue).unwrap();
    let until = deadline + claim::APPEAL_S;
    assert_eq!(
        closed(&world),
        (state::DENIED, B256::ZERO, claim_reason::NO_INFORMATION, until)
    );
    assert_eq!(
        world.step(CLINIC, claim, Step::ProvideInformation),
        wrong_state(claim, state::DENIED)
    );
}

/// A deadline takes nothing away by itself: late is better than never, while the other party has not closed the claim.
#[test]
fn what_comes_late_still_counts_before_the_claim_is_closed() {
    let years = 10 * 365 * 24 * 60 * 60;
    let mut world = World::new();
    let claim = world.received();
    world.step(INSURER, claim, Step::RequestInformation).unwrap();
    world.at(NOW + years);
    world.step(CLINIC, claim, Step::ProvideInformation).unwrap();
    assert_eq!(world.deadline(claim), NOW + years + claim::DECISION_S);
    world.at(NOW + 2 * years);
    world.approve(claim).unwrap();
    let until = NOW + 2 * years + claim::PAYMENT_S;
    assert_eq!((world.state(claim), world.deadline(claim)), (state::APPROVED, until));
    world.at(until + years);
    world.step(INSURER, claim, Step::RecordPayment).unwrap();
}

/// Or who ignores an appeal would win by it.
#[test]
fn silence_on_an_appeal_lets_stand_what_was_approved_before() {
    for asks in [false, true] {
        let mut world = World::new();
        let claim = world.received();
        world.approve_part(claim).unwrap();
        world.step(CLINIC, claim, Step::Appeal).unwrap();
        let (waits, reason) = if asks {
            world.step(INSURER, claim, Step::RequestInformation).unwrap();
            (INSURER, claim_reason::NO_INFORMATION)
        } else {
            (CLINIC, claim_reason::NO_ANSWER)
        };
        let deadline = world.deadline(claim);
        world.at(deadline);
        world.step(waits, claim, Step::CloseOverdue).unwrap();
        let amount = commitment(claim, AMOUNT);
        let until = deadline + claim::APPEAL_S;
        assert_eq!(closed(&world), (state::PARTLY_APPROVED, amount, reason, until));
        world.step(CLINIC, claim, Step::AcceptPart).unwrap();
        world.step(INSURER, claim, Step::Pay(U256::from(AMOUNT), SALT)).unwrap();
    }
}

/// The decision before, whatever it was, is no part of the new one.
#[test]
fn a_decision_on_an_appeal_replaces_the_one_before() {
    let mut world = World::new();
    let claim = world.received();
    world.approve_part(claim).unwrap();
    world.step(CLINIC, claim, Step::Appeal).unwrap();
    world.deny(claim).unwrap();
    let (.., reason, amount) = world.claims.claim_of(claim);
    assert_eq!((reason, amount), (claim_reason::NOT_COVERED, B256::ZERO));
    world.step(CLINIC, claim, Step::Appeal).unwrap();
    world.at(world.deadline(claim));
    world.step(CLINIC, claim, Step::CloseOverdue).unwrap();
    assert_eq!(closed(&world).0, state::DENIED);
}

#[test]
fn an_appeal_or_its_waiver_comes_before_the_window_ends() {
    for part in [false, true] {
        for step in [Step::Appeal, Step::Withdraw] {
            let mut world = World::new();
            let claim = world.received();
            if part {
                world.approve_part(claim).unwrap();
            } else {
                world.deny(claim).unwrap();
            }
            let deadline = NOW + claim::APPEAL_S;
            assert_eq!(world.deadline(claim), deadline);
            world.at(deadline);
            assert_eq!(
                world.step(CLINIC, claim, step),
                refused(IClaims::AppealWindowOver { deadline })
            );
            world.at(deadline - 1);
            world.step(CLINIC, claim, step).unwrap();
        }
    }
}

#[test]
fn a_part_is_paid_when_the_provider_cannot_appeal_any_more() {
    let mut world = World::new();
    let claim = world.received();
    let pay = [Step::RecordPayment, Step::Pay(U256::from(AMOUNT), SALT)];
    world.approve_part(claim).unwrap();
    let deadline = NOW + claim::APPEAL_S;
    world.at(deadline - 1);
    for step in pay {
        assert_eq!(
            world.step(INSURER, claim, step),
            refused(IClaims::AppealWindowOpen { deadline })
        );
        // They are content.
        let mut content = world.fork();
        content.step(CLINIC, claim, Step::AcceptPart).unwrap();
        assert_eq!(content.deadline(claim), deadline - 1 + claim::PAYMENT_S);
        content.step(INSURER, claim, step).unwrap();
        // Time has passed.
        let mut later = world.fork();
        later.at(deadline);
        later.step(INSURER, claim, step).unwrap();
        // There is no third appeal.
        let mut last = world.fork();
        for _ in 0..claim::APPEALS_MOST {
            last.step(CLINIC, claim, Step::Appeal).unwrap();
            last.approve_part(claim).unwrap();
        }
        last.step(INSURER, claim, step).unwrap();
    }
}

#[test]
fn an_insurer_asks_three_times_at_most() {
    let mut world = World::new();
    let claim = world.received();
    for _ in 0..claim::INFORMATION_ROUNDS_MOST {
        world.step(INSURER, claim, Step::RequestInformation).unwrap();
        world.step(CLINIC, claim, Step::ProvideInformation).unwrap();
    }
    let rounds = IClaims::InformationRounds {
        most: claim::INFORMATION_ROUNDS_MOST,
    };
    assert_eq!(
        world.step(INSURER, claim, Step::RequestInformation),
        refused(rounds.clone())
    );
    // An appeal brings no new ones.
    world.deny(claim).unwrap();
    world.step(CLINIC, claim, Step::Appeal).unwrap();
    assert_eq!(world.step(INSURER, claim, Step::RequestInformation), refused(rounds));
    world.approve(claim).unwrap();
}

/// Who waits for their money would lose it by closing the claim, so nobody can.
#[test]
fn what_was_approved_stays_owed_past_the_time_for_its_payment() {
    let mut world = World::new();
    let claim = world.received();
    world.approve(claim).unwrap();
    let deadline = NOW + claim::PAYMENT_S;
    assert_eq!(world.deadline(claim), deadline);
    world.at(deadline);
    assert_eq!(
        world.step(CLINIC, claim, Step::CloseOverdue),
        wrong_state(claim, state::APPROVED)
    );
    assert_eq!(
        world.step(INSURER, claim, Step::CloseOverdue),
        refused(IClaims::NotParty {
            actor: INSURER,
            party: CLINIC
        })
    );
    let pay = Step::Pay(U256::from(AMOUNT), SALT);
    world.step(INSURER, claim, pay).unwrap();
    assert_eq!((world.state(claim), world.deadline(claim)), (state::PAID, 0));
}

/// The longest life of a claim is far from the last serial, and its times from the last that is stored.
#[test]
fn serials_and_times_do_not_run_out() {
    let mut world = World::new();
    let claim = world.received();
    for _ in 0..claim::INFORMATION_ROUNDS_MOST {
        world.step(INSURER, claim, Step::RequestInformation).unwrap();
        world.step(CLINIC, claim, Step::ProvideInformation).unwrap();
    }
    for _ in 0..claim::APPEALS_MOST {
        world.approve_part(claim).unwrap();
        world.step(CLINIC, claim, Step::Appeal).unwrap();
        world.step(INSURER, claim, Step::BeginReview).unwrap();
    }
    world.approve_part(claim).unwrap();
    for (actor, step) in [
        (CLINIC, Step::AcceptPart),
        (INSURER, Step::RecordPayment),
        (INSURER, Step::Reverse),
    ] {
        world.step(actor, claim, step).unwrap();
    }
    assert_eq!((world.state(claim), world.serial(claim)), (state::REVERSED, 17));
    // Thirty thousand years from now.
    const { assert!(NOW + claim::APPEAL_S < 1 << 40) };
}
