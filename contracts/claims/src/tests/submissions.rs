//! Who may submit what.
use super::*;

#[test]
fn a_claim_is_received_with_all_that_was_submitted_in_its_event() {
    let mut world = World::new();
    let new = NewClaim {
        links: vec![to(RECORD), to(OTHER_RECORD)],
        ..new_claim(1)
    };
    let claim = claim_id(CLINIC, &new);
    assert_eq!(world.claims.claim_id_of(CLINIC, new.clone()), claim);
    assert_eq!(world.submit(CLINIC, new.clone()), Ok(claim));
    let deadline = NOW + claim::DECISION_S;
    assert_eq!(
        world.events(),
        [Event::ClaimSubmitted(IClaims::ClaimSubmitted {
            claim,
            chart: CHART,
            insurer: INSURER,
            provider: CLINIC,
            by: CLINIC,
            document: new.document,
            fingerprint: FINGERPRINT,
            currency: EURO,
            billed: BILLED,
            links: new.links,
            currencyVersion: 1,
            shared: false,
            previous: B256::ZERO,
            deadline,
        })]
    );
    assert_eq!(
        world.claims.claim_of(claim),
        (
            CLINIC,
            INSURER,
            state::RECEIVED,
            1,
            EURO,
            1,
            NOW,
            deadline,
            0,
            0,
            0,
            B256::ZERO
        )
    );
    assert_eq!(world.claims.service_of(INSURER, CLINIC, FINGERPRINT), (claim, true));
    assert_eq!(
        world.claims.service_of(NOBODY, CLINIC, FINGERPRINT),
        (B256::ZERO, false)
    );
}

/// So that nobody can hold an id against another, nor change what stands under one.
#[test]
fn the_id_binds_every_field_and_the_provider() {
    let world = World::new();
    let new = new_claim(1);
    let other = B256::repeat_byte(0x99);
    let mut ids = vec![
        claim_id(CLINIC, &new),
        claim_id(DOCTOR, &new),
        claim_id(CLINIC, &new_claim(2)),
    ];
    for change in [
        |new: &mut NewClaim, other| new.chart = other,
        |new: &mut NewClaim, _| new.insurer = OTHER_INSURER,
        |new: &mut NewClaim, other| new.fingerprint = other,
        |new: &mut NewClaim, _| new.currency = DOLLAR,
        |new: &mut NewClaim, other| new.billed = other,
        |new: &mut NewClaim, other| new.links[0].pointer = other,
        |new: &mut NewClaim, other| new.links[0].recordId = other,
        |new: &mut NewClaim, _| new.links.push(to(RECORD)),
        |new: &mut NewClaim, _| new.links.clear(),
    ] {
        let mut changed = new.clone();
        change(&mut changed, other);
        assert_eq!(
            world.claims.claim_id_of(CLINIC, changed.clone()),
            claim_id(CLINIC, &changed)
        );
        ids.push(claim_id(CLINIC, &changed));
    }
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count);
}

#[test]
fn a_replayed_claim_is_refused_whatever_became_of_the_first() {
    for (_, mut world, claim) in World::in_every_state() {
        assert_eq!(
            world.submit(CLINIC, new_claim(1)),
            refused(IClaims::ClaimExists { claim })
        );
    }
    let mut world = World::new();
    let claim = claim_id(CLINIC, &new_claim(1));
    let twice = vec![new_claim(1), new_claim(1)];
    assert_eq!(
        world.by(CLINIC, |claims, actor| claims.submit_claims(actor, NOBODY, twice)),
        refused(IClaims::ClaimExists { claim })
    );
}

#[test]
fn the_chart_must_let_the_insurer_read_each_record_for_payment() {
    let mut world = World::new();
    let both = NewClaim {
        links: vec![to(RECORD), to(OTHER_RECORD)],
        ..new_claim(1)
    };
    // No answer to this one question, about the second record: it was asked as it is here, with HPAYMT and READ.
    world.consent(CHART, INSURER, OTHER_RECORD, false);
    let no_consent = |record_id, reason| {
        refused(IClaims::NoConsent {
            recordId: record_id,
            reason,
        })
    };
    assert_eq!(world.submit(CLINIC, both.clone()), no_consent(OTHER_RECORD, 0));
    // Consent to one insurer, or on one chart, is none to another or on another.
    world.consent(CHART, INSURER, RECORD, false);
    let elsewhere = NewClaim {
        chart: OTHER_CHART,
        ..new_claim(1)
    };
    let to_other = NewClaim {
        insurer: OTHER_INSURER,
        ..new_claim(1)
    };
    assert_eq!(world.submit(CLINIC, new_claim(1)), no_consent(RECORD, 0));
    world.submit(CLINIC, elsewhere).unwrap();
    world.submit(CLINIC, to_other).unwrap();
    world.consent(CHART, INSURER, RECORD, true);
    world.consent(CHART, INSURER, OTHER_RECORD, true);
    // The answer is no: the reason is handed on.
    for reason in [
        reason::NO_GRANT,
        reason::REVOKED,
        reason::EXPIRED,
        reason::PURPOSE,
        reason::DENIED,
    ] {
        world.answer(Answer {
            allowed: false,
            reason,
            ..YES
        });
        assert_eq!(world.submit(CLINIC, both.clone()), no_consent(RECORD, reason));
    }
}

#[test]
fn linked_records_exist_on_that_chart_are_current_and_in_the_version_named() {
    let mut world = World::new();
    let unknown = refused(IClaims::UnknownRecord { recordId: RECORD });
    world.answer(Answer { version: 0, ..YES });
    assert_eq!(world.submit(CLINIC, new_claim(1)), unknown);
    // A record of another chart.
    world.answer(YES);
    let foreign = recordOfCall {
        chart: CHART,
        recordId: RECORD,
    };
    world.mock(RECORDS, foreign, false);
    assert_eq!(world.submit(CLINIC, new_claim(1)), unknown);
    let mut world = World::new();
    for status in [record_status::ENTERED_IN_ERROR, record_status::SHREDDED] {
        world.answer(Answer { status, ..YES });
        assert_eq!(
            world.submit(CLINIC, new_claim(1)),
            refused(IClaims::RecordStatus {
                recordId: RECORD,
                status
            })
        );
    }
    world.answer(YES);
    for given in [B256::ZERO, B256::repeat_byte(0x82)] {
        let stale = NewClaim {
            links: vec![
                to(RECORD),
                Link {
                    recordId: OTHER_RECORD,
                    pointer: given,
                },
            ],
            ..new_claim(1)
        };
        assert_eq!(
            world.submit(CLINIC, stale),
            refused(IClaims::StalePointer {
                given,
                current: POINTER
            })
        );
    }
}

#[test]
fn only_a_credentialed_provider_or_its_member_submits() {
    let mut world = World::new();
    fn not<T>(actor: Address, party: Address) -> Result<T, Error> {
        refused(IClaims::NotCredentialed {
            actor,
            party,
            roles: role::PROVIDER,
        })
    }
    for actor in [STRANGER, NURSE, OTHER_INSURER, ADJUSTER] {
        assert_eq!(world.submit(actor, new_claim(1)), not(actor, actor));
    }
    for (actor, organisation) in [
        (STRANGER, CLINIC),
        (DOCTOR, CLINIC),
        (NURSE, DOCTOR),
        // A member of an organisation that is no provider.
        (ADJUSTER, INSURER),
    ] {
        let new = NewClaim {
            insurer: OTHER_INSURER,
            ..new_claim(1)
        };
        let outcome = world.by(actor, |claims, actor| {
            claims.submit_claims(actor, organisation, vec![new])
        });
        assert_eq!(outcome, not(actor, organisation));
    }
    // Whom the registry has suspended since.
    world.credential(CLINIC, role::PROVIDER, false);
    assert_eq!(world.submit(CLINIC, new_claim(1)), not(CLINIC, CLINIC));

    world
        .by(NURSE, |claims, actor| {
            claims.submit_claims(actor, CLINIC, vec![new_claim(1)])
        })
        .unwrap();
    let [Event::ClaimSubmitted(submitted)] = &world.events()[..] else {
        panic!("{:?}", world.events())
    };
    assert_eq!((submitted.provider, submitted.by), (CLINIC, NURSE));
    assert_eq!(submitted.claim, claim_id(CLINIC, &new_claim(1)));
}

#[test]
fn the_insurer_is_one_at_present_and_another_than_the_provider() {
    let mut world = World::new();
    for insurer in [STRANGER, DOCTOR, NURSE, NOBODY] {
        let new = NewClaim {
            insurer,
            ..new_claim(1)
        };
        assert_eq!(world.submit(CLINIC, new), refused(IClaims::NotInsurer { insurer }));
    }
    world.credential(INSURER, role::INSURER, false);
    let not_insurer = IClaims::NotInsurer { insurer: INSURER };
    assert_eq!(world.submit(CLINIC, new_claim(1)), refused(not_insurer.clone()));
    // Also behind one that is.
    let to_other = NewClaim {
        insurer: OTHER_INSURER,
        ..new_claim(2)
    };
    let batch = vec![to_other, new_claim(1)];
    assert_eq!(
        world.by(CLINIC, |claims, actor| claims.submit_claims(actor, NOBODY, batch)),
        refused(not_insurer)
    );
    world.credential(INSURER, role::INSURER, true);
    world.credential(INSURER, role::PROVIDER, true);
    assert_eq!(
        world.submit(INSURER, new_claim(1)),
        refused(IClaims::OwnClaim { provider: INSURER })
    );
}

#[test]
fn a_claim_in_a_currency_that_the_insurer_does_not_accept_is_refused() {
    let mut world = World::new();
    let not_accepted = |insurer, currency| refused(IClaims::CurrencyNotAccepted { insurer, currency });
    for currency in [1, 756, 999] {
        let new = NewClaim {
            currency,
            ..new_claim(1)
        };
        assert_eq!(world.submit(CLINIC, new), not_accepted(INSURER, currency));
    }
    for currency in [0, 1000, u16::MAX] {
        let new = NewClaim {
            currency,
            ..new_claim(1)
        };
        assert_eq!(world.submit(CLINIC, new), refused(IClaims::CurrencyRange { currency }));
    }
    world.set_currency(INSURER, EURO, 2, false, NOBODY, 0).unwrap();
    assert_eq!(world.submit(CLINIC, new_claim(1)), not_accepted(INSURER, EURO));
    world.set_currency(INSURER, EURO, 3, true, NOBODY, 0).unwrap();
    let claim = world.received();
    assert_eq!(world.claims.claim_of(claim).5, 3);
}

#[test]
fn what_is_not_whole_is_refused() {
    let mut world = World::new();
    for change in [
        |new: &mut NewClaim| new.document = B256::ZERO,
        |new: &mut NewClaim| new.fingerprint = B256::ZERO,
        |new: &mut NewClaim| new.billed = B256::ZERO,
    ] {
        let mut new = new_claim(1);
        change(&mut new);
        assert_eq!(world.submit(CLINIC, new), refused(IClaims::ZeroDigest {}));
    }
    let most = claim::LINKS_MOST;
    for count in [0, most + 1] {
        let new = NewClaim {
            links: vec![to(RECORD); count],
            ..new_claim(1)
        };
        let link_count = IClaims::LinkCount {
            given: count as u32,
            most: most as u32,
        };
        assert_eq!(world.submit(CLINIC, new), refused(link_count));
    }
    let new = NewClaim {
        links: vec![to(RECORD); most],
        ..new_claim(1)
    };
    world.submit(CLINIC, new).unwrap();
}

#[test]
fn a_batch_is_submitted_whole_or_not_at_all() {
    let mut world = World::new();
    let batch = |count: usize| {
        (0..count as u64)
            .map(|n| NewClaim {
                fingerprint: B256::from(U256::from(n + 1)),
                ..new_claim(n + 1)
            })
            .collect::<Vec<_>>()
    };
    let submit =
        |world: &mut World, batch| world.by(CLINIC, |claims, actor| claims.submit_claims(actor, NOBODY, batch));
    let most = claim::BATCH_MOST;
    for count in [0, most + 1] {
        let batch_size = IClaims::BatchSize {
            given: count as u32,
            most: most as u32,
        };
        assert_eq!(submit(&mut world, batch(count)), refused(batch_size));
    }
    let before = world.storage();
    let mut with_a_bad_one = batch(most);
    with_a_bad_one[most - 1].currency = 756;
    submit(&mut world, with_a_bad_one).unwrap_err();
    assert_eq!(world.storage(), before);
    submit(&mut world, batch(most)).unwrap();
    assert_eq!(world.events().len(), most);
    for new in batch(most) {
        assert_eq!(world.state(claim_id(CLINIC, &new)), state::RECEIVED);
    }
}

#[test]
fn the_actor_or_the_relay_speaks_for_the_actor_and_nobody_else() {
    let mut world = World::new();
    for caller in [STRANGER, RECORDS, REGISTRY, INSURER, NURSE] {
        let outcome = world.through(caller, CLINIC, |claims, actor| {
            claims.submit_claims(actor, NOBODY, vec![new_claim(1)])
        });
        assert_eq!(outcome, refused(IClaims::NotActor { caller, actor: CLINIC }));
    }
    world
        .through(RELAY, CLINIC, |claims, actor| {
            claims.submit_claims(actor, NOBODY, vec![new_claim(1)])
        })
        .unwrap();
    // The relay has no right of its own.
    world.credential(RELAY, role::PROVIDER, false);
    let not_credentialed = IClaims::NotCredentialed {
        actor: RELAY,
        party: RELAY,
        roles: role::PROVIDER,
    };
    assert_eq!(world.submit(RELAY, new_claim(2)), refused(not_credentialed));
}
