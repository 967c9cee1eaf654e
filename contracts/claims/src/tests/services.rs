//! One claim for a service: what holds it, against whom, and what sets it free.
use super::*;

fn to_other(document: u64) -> NewClaim {
    NewClaim {
        insurer: OTHER_INSURER,
        ..new_claim(document)
    }
}

fn duplicate<T>(claim: B256) -> Result<T, Error> {
    refused(IClaims::DuplicateService { claim })
}

#[test]
fn a_second_claim_for_a_service_is_refused_and_names_the_first() {
    let mut world = World::new();
    let first = world.received();
    assert_eq!(world.submit(CLINIC, new_claim(2)), duplicate(first));
    // Nothing that the provider chooses makes it another service: not the chart, not the currency, not the records.
    for change in [
        |new: &mut NewClaim| new.chart = OTHER_CHART,
        |new: &mut NewClaim| new.currency = DOLLAR,
        |new: &mut NewClaim| new.links = vec![to(OTHER_RECORD)],
    ] {
        let mut new = new_claim(2);
        change(&mut new);
        assert_eq!(world.submit(CLINIC, new), duplicate(first));
    }
    let new = NewClaim {
        fingerprint: OTHER_FINGERPRINT,
        ..new_claim(2)
    };
    world.submit(CLINIC, new).unwrap();
}

#[test]
fn two_claims_for_a_service_in_one_batch_are_refused() {
    let mut world = World::new();
    let batch = vec![new_claim(1), new_claim(2)];
    let first = claim_id(CLINIC, &batch[0]);
    assert_eq!(
        world.by(CLINIC, |claims, actor| claims.submit_claims(actor, NOBODY, batch)),
        duplicate(first)
    );
}

/// Whoever copies a fingerprint out of a block or of a transaction that waits gains nothing by it.
#[test]
fn nobody_squats_the_services_of_another_provider() {
    for shared in [false, true] {
        let mut world = World::new();
        world.share(INSURER, shared);
        world.submit(DOCTOR, new_claim(1)).unwrap();
        world.submit(CLINIC, new_claim(1)).unwrap();
        // A member claims as the clinic, so against the clinic.
        let first = claim_id(CLINIC, &new_claim(1));
        let outcome = world.by(NURSE, |claims, actor| {
            claims.submit_claims(actor, CLINIC, vec![new_claim(2)])
        });
        assert_eq!(outcome, duplicate(first));
    }
}

#[test]
fn a_service_is_held_in_the_shared_registry_between_insurers_who_share() {
    let mut world = World::new();
    world.share(INSURER, true);
    world.share(OTHER_INSURER, true);
    let first = world.received();
    assert_eq!(world.claims.service_of(NOBODY, CLINIC, FINGERPRINT), (first, true));
    assert_eq!(
        world.claims.service_of(INSURER, CLINIC, FINGERPRINT),
        (B256::ZERO, false)
    );
    assert_eq!(world.submit(CLINIC, to_other(1)), duplicate(first));
    assert_eq!(world.submit(CLINIC, new_claim(2)), duplicate(first));
}

#[test]
fn an_insurer_who_does_not_share_meets_its_own_claims_alone() {
    let mut world = World::new();
    world.share(INSURER, true);
    let shared = world.received();
    let own = world.submit(CLINIC, to_other(1)).unwrap();
    assert_eq!(world.submit(CLINIC, to_other(2)), duplicate(own));
    assert_eq!(world.submit(CLINIC, new_claim(2)), duplicate(shared));
}

#[test]
fn joining_and_leaving_lose_no_claim_of_the_insurers_own() {
    let mut world = World::new();
    // Submitted before it joined: in its own registry, and found there afterwards.
    let before = world.received();
    world.share(INSURER, true);
    assert_eq!(world.submit(CLINIC, new_claim(2)), duplicate(before));
    // Those who share do not see it: they share what is submitted from then on.
    world.share(OTHER_INSURER, true);
    let others = world.submit(CLINIC, to_other(1)).unwrap();
    world.step(CLINIC, before, Step::Withdraw).unwrap();
    assert_eq!(world.submit(CLINIC, new_claim(2)), duplicate(others));
    world.step(CLINIC, others, Step::Withdraw).unwrap();
    let within = world.submit(CLINIC, new_claim(2)).unwrap();
    // It leaves: what it has in the shared registry still holds against itself, and against those who share.
    world.share(INSURER, false);
    assert_eq!(world.submit(CLINIC, new_claim(3)), duplicate(within));
    assert_eq!(world.submit(CLINIC, to_other(3)), duplicate(within));
    world.step(CLINIC, within, Step::Withdraw).unwrap();
    // From now on, its own again.
    let after = world.submit(CLINIC, new_claim(3)).unwrap();
    let others = world.submit(CLINIC, to_other(3)).unwrap();
    assert_eq!(world.claims.service_of(INSURER, CLINIC, FINGERPRINT), (after, true));
    assert_eq!(world.claims.service_of(NOBODY, CLINIC, FINGERPRINT), (others, true));
    // And it does not get round its own by joining once more.
    world.share(INSURER, true);
    assert_eq!(world.submit(CLINIC, new_claim(4)), duplicate(after));
}

#[test]
fn a_claim_holds_its_service_while_it_is_paid_or_may_be() {
    for (state, mut world, claim) in World::in_every_state() {
        let holds = !matches!(state, state::REVERSED | state::WITHDRAWN);
        assert_eq!(world.claims.service_of(INSURER, CLINIC, FINGERPRINT), (claim, holds));
        let again = world.submit(CLINIC, new_claim(2));
        if !holds {
            let next = claim_id(CLINIC, &new_claim(2));
            assert_eq!(again, Ok(next));
            // The corrected claim names the one that it follows.
            let [Event::ClaimSubmitted(submitted)] = &world.events()[..] else {
                panic!("{:?}", world.events())
            };
            assert_eq!(submitted.previous, claim);
            assert_eq!(world.claims.service_of(INSURER, CLINIC, FINGERPRINT), (next, true));
            continue;
        }
        assert_eq!(again, duplicate(claim));
        // Time alone frees what was denied, once nobody can appeal, and nothing else.
        world.at(NOW + 10 * claim::APPEAL_S);
        let is_denied = state == state::DENIED;
        assert_eq!(
            world.claims.service_of(INSURER, CLINIC, FINGERPRINT),
            (claim, !is_denied)
        );
        assert_eq!(world.submit(CLINIC, new_claim(2)).is_ok(), is_denied);
    }
}

/// Or a provider could be denied here, bill there, and then win the appeal here.
#[test]
fn a_denied_claim_holds_until_its_appeal_window_ends_and_is_never_appealed_after() {
    let mut world = World::new();
    world.share(INSURER, true);
    world.share(OTHER_INSURER, true);
    let claim = world.received();
    world.deny(claim).unwrap();
    let until = world.deadline(claim);
    world.at(until - 1);
    assert_eq!(world.submit(CLINIC, to_other(1)), duplicate(claim));
    world.at(until);
    world.submit(CLINIC, to_other(1)).unwrap();
    assert_eq!(
        world.step(CLINIC, claim, Step::Appeal),
        refused(IClaims::AppealWindowOver { deadline: until })
    );
}

#[test]
fn the_last_denial_frees_the_service_at_once() {
    let mut world = World::new();
    let claim = world.received();
    for _ in 0..claim::APPEALS_MOST {
        world.deny(claim).unwrap();
        world.step(CLINIC, claim, Step::Appeal).unwrap();
    }
    assert_eq!(world.submit(CLINIC, new_claim(2)), duplicate(claim));
    world.deny(claim).unwrap();
    assert_eq!(
        world.step(CLINIC, claim, Step::Appeal),
        refused(IClaims::AppealWindowOver { deadline: NOW })
    );
    world.submit(CLINIC, new_claim(2)).unwrap();
}
