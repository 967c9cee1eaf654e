//! Control passes on in two steps.
use super::*;

fn offer(world: &mut World, actor: Address, to: Address) -> Result<(), Error> {
    world.by(actor, |records, actor| records.offer_control(actor, CHART, to))
}

fn accept(world: &mut World, actor: Address, version: u32, keyrings: Vec<Keyring>) -> Result<(), Error> {
    world.by(actor, |records, actor| {
        records.accept_control(actor, CHART, version, ROTATED, keyrings)
    })
}

fn offered(to: Address) -> Event {
    Event::ControlOffered(IRecords::ControlOffered { chart: CHART, to })
}

fn accepted(controller: Address, control_epoch: u32) -> Event {
    Event::ControlAccepted(IRecords::ControlAccepted {
        chart: CHART,
        controller,
        controlEpoch: control_epoch,
    })
}

fn not_offered(actor: Address, offered: Address) -> Result<(), Error> {
    Err(IRecords::NotOffered { actor, offered }.into())
}

#[test]
fn control_passes_to_whom_it_is_offered_and_only_once_they_take_it() {
    let mut world = World::exceptional();
    assert_eq!(world.records.offered_to(CHART), NOBODY);
    for actor in [PATIENT, HEIR, STRANGER] {
        assert_eq!(accept(&mut world, actor, 2, vec![]), not_offered(actor, NOBODY));
    }
    offer(&mut world, PATIENT, HEIR).unwrap();
    assert_eq!(world.events(), [offered(HEIR)]);
    assert_eq!(world.records.offered_to(CHART), HEIR);
    assert_eq!(
        world.records.chart_of(CHART),
        (PATIENT, 1, 1, DIRECTORY, 0, true, false)
    );
    for actor in [PATIENT, STRANGER] {
        assert_eq!(accept(&mut world, actor, 2, vec![]), not_offered(actor, HEIR));
    }
    assert_eq!(offer(&mut world, HEIR, STRANGER), Err(not_controller(HEIR, 0)));

    accept(&mut world, HEIR, 2, vec![]).unwrap();
    assert_eq!(world.events(), [accepted(HEIR, 1), directory_set(2)]);
    assert_eq!(world.records.chart_of(CHART), (HEIR, 1, 2, ROTATED, 1, true, false));
    assert_eq!(world.records.offered_to(CHART), NOBODY);
    // The offer is used up.
    assert_eq!(accept(&mut world, HEIR, 3, vec![]), not_offered(HEIR, NOBODY));
}

#[test]
fn an_offer_is_withdrawn_or_replaced() {
    let mut world = World::new();
    offer(&mut world, PATIENT, HEIR).unwrap();
    offer(&mut world, PATIENT, GUARDIAN).unwrap();
    assert_eq!(world.events(), [offered(GUARDIAN)]);
    assert_eq!(accept(&mut world, HEIR, 2, vec![]), not_offered(HEIR, GUARDIAN));
    offer(&mut world, PATIENT, NOBODY).unwrap();
    assert_eq!(world.events(), [offered(NOBODY)]);
    assert_eq!(world.records.offered_to(CHART), NOBODY);
    assert_eq!(accept(&mut world, GUARDIAN, 2, vec![]), not_offered(GUARDIAN, NOBODY));
    assert_eq!(
        world.records.chart_of(CHART),
        (PATIENT, 1, 1, DIRECTORY, 0, false, false)
    );
}

#[test]
fn an_offer_is_of_one_chart() {
    let mut world = World::new();
    world
        .by(STRANGER, |records, actor| {
            records.open_chart(actor, OTHER_CHART, DIRECTORY)
        })
        .unwrap();
    offer(&mut world, PATIENT, HEIR).unwrap();
    assert_eq!(
        world.by(HEIR, |records, actor| {
            records.accept_control(actor, OTHER_CHART, 2, ROTATED, vec![])
        }),
        not_offered(HEIR, NOBODY)
    );
}

#[test]
fn control_is_taken_with_the_next_directory() {
    let mut world = World::new();
    offer(&mut world, PATIENT, HEIR).unwrap();
    for given in [0, 1, 3] {
        assert_eq!(accept(&mut world, HEIR, given, vec![]), Err(stale(given, 2)));
    }
    assert_eq!(
        world.by(HEIR, |records, actor| {
            records.accept_control(actor, CHART, 2, B256::ZERO, vec![])
        }),
        Err(zero_digest())
    );
    // What they signed for the directory that stood then is not the next one any more.
    world.rotate();
    assert_eq!(accept(&mut world, HEIR, 2, vec![]), Err(stale(2, 3)));
    accept(&mut world, HEIR, 3, vec![]).unwrap();
}

#[test]
fn grants_stay_but_for_the_new_controllers_own() {
    let mut world = World::new();
    for grantee in [HEIR, CLINIC, INSURER] {
        world.grant(grantee, terms(1 << LABS));
    }
    offer(&mut world, PATIENT, HEIR).unwrap();
    let zero = Keyring {
        keyring: B256::ZERO,
        ..keyring(CLINIC)
    };
    for (keyrings, refused) in [
        (vec![keyring(CLINIC), keyring(HEIR)], no_grant(HEIR)),
        (vec![keyring(PATIENT)], no_grant(PATIENT)),
        (vec![zero], zero_digest()),
        (vec![keyring(CLINIC); BATCH_MOST + 1], batch_size(129, 128)),
    ] {
        assert_eq!(accept(&mut world, HEIR, 2, keyrings), Err(refused));
    }
    let keyrings = vec![keyring(INSURER), keyring(CLINIC)];
    accept(&mut world, HEIR, 2, keyrings).unwrap();
    assert_eq!(
        world.events(),
        [
            accepted(HEIR, 1),
            revoked(HEIR),
            directory_set(2),
            keyring_set(INSURER),
            keyring_set(CLINIC)
        ]
    );
    assert_eq!(world.records.grant_of(CHART, HEIR), (0, 0, 0, no_terms()));
    assert_eq!(world.reason(question(HEIR)), reason::CONTROLLER);
    for grantee in [CLINIC, INSURER] {
        assert_eq!(world.reason(question(grantee)), reason::GRANT);
    }
    assert_eq!(world.reason(question(PATIENT)), reason::NO_GRANT);
}

fn no_terms() -> GrantTerms {
    GrantTerms {
        compartments: 0,
        purposes: 0,
        actions: 0,
        notBefore: 0,
        expiry: 0,
    }
}

/// One that `revokeAll` has ended is no grant, but its word would come alive where the epoch could return.
#[test]
fn an_ended_grant_of_the_new_controller_is_cleared_too() {
    let mut world = World::new();
    world.grant(HEIR, terms(1 << LABS));
    world.revoke_all();
    offer(&mut world, PATIENT, HEIR).unwrap();
    accept(&mut world, HEIR, 3, vec![]).unwrap();
    assert_eq!(world.events(), [accepted(HEIR, 1), revoked(HEIR), directory_set(3)]);
    assert_eq!(world.records.grant_of(CHART, HEIR).0, 0);
}

/// The new controller brings the keys that were wanting, and inherits no grant.
#[test]
fn control_is_taken_while_a_rotation_is_due_and_none_is_afterwards() {
    let mut world = World::new();
    for grantee in [CLINIC, INSURER] {
        world.grant(grantee, terms(1 << LABS));
    }
    // Offered before: the offer stands.
    offer(&mut world, PATIENT, HEIR).unwrap();
    world.revoke_all();
    assert_eq!(
        world.records.chart_of(CHART),
        (PATIENT, 2, 1, DIRECTORY, 0, false, true)
    );
    // The next version is used up, and nobody has a grant to keep.
    for given in [0, 1, 2, 4] {
        assert_eq!(accept(&mut world, HEIR, given, vec![]), Err(stale(given, 3)));
    }
    assert_eq!(
        accept(&mut world, HEIR, 3, vec![keyring(CLINIC)]),
        Err(no_grant(CLINIC))
    );
    assert_eq!(world.add(PATIENT, vec![record(RECORD, LABS)]), Err(rotation_due()));

    accept(&mut world, HEIR, 3, vec![]).unwrap();
    assert_eq!(world.events(), [accepted(HEIR, 1), directory_set(3)]);
    assert_eq!(world.records.chart_of(CHART), (HEIR, 2, 3, ROTATED, 1, false, false));
    for grantee in [CLINIC, INSURER] {
        assert_eq!(world.reason(question(grantee)), reason::REVOKED);
    }
    world.add(HEIR, vec![record(RECORD, LABS)]).unwrap();
    world.grant(CLINIC, terms(1 << LABS));
    assert_eq!(world.reason(question(CLINIC)), reason::GRANT);
}

#[test]
fn the_old_controller_is_a_stranger_afterwards() {
    let mut world = World::new();
    world.add(PATIENT, vec![record(RECORD, LABS)]).unwrap();
    // Signed, and not submitted yet.
    let grant = |records: &mut Records, actor| records.grant(actor, CHART, 1, CLINIC, 0, terms(1), KEYRING);
    offer(&mut world, PATIENT, HEIR).unwrap();
    accept(&mut world, HEIR, 2, vec![]).unwrap();

    assert_eq!(
        world.through(RELAY, PATIENT, grant),
        Err(not_controller(PATIENT, power::GRANT))
    );
    assert_eq!(offer(&mut world, PATIENT, PATIENT), Err(not_controller(PATIENT, 0)));
    assert_eq!(world.shred(PATIENT, RECORD), Err(not_controller(PATIENT, 0)));
    assert_eq!(
        world.amend(PATIENT, RECORD, POINTER, AMENDED),
        Err(not_writer(PATIENT, LABS, reason::NO_GRANT))
    );
    assert_eq!(world.reason(question(PATIENT)), reason::NO_GRANT);
    // Given control again, what they signed before is of a directory that is gone.
    offer(&mut world, HEIR, PATIENT).unwrap();
    accept(&mut world, PATIENT, 3, vec![]).unwrap();
    assert_eq!(world.records.chart_of(CHART).4, 2);
    assert_eq!(world.through(RELAY, PATIENT, grant), Err(stale(1, 3)));
    // And may be a grantee in between.
    offer(&mut world, PATIENT, HEIR).unwrap();
    accept(&mut world, HEIR, 4, vec![]).unwrap();
    world.grant(PATIENT, terms(1 << LABS));
    assert_eq!(world.reason(question(PATIENT)), reason::GRANT);
}

/// By which all delegates of theirs end at once.
#[test]
fn a_controller_may_pass_control_to_themselves() {
    let mut world = World::new();
    offer(&mut world, PATIENT, PATIENT).unwrap();
    accept(&mut world, PATIENT, 2, vec![]).unwrap();
    assert_eq!(world.events(), [accepted(PATIENT, 1), directory_set(2)]);
    assert_eq!(world.records.chart_of(CHART), (PATIENT, 1, 2, ROTATED, 1, false, false));
}

#[test]
fn the_last_control_epoch_is_never_passed_on() {
    let mut world = World::exceptional();
    let slot = layout::chart(CHART);
    let head = ChartHead {
        control_epoch: CONTROL_EPOCH_MOST - 1,
        ..ChartHead::from_word(world.vm.get_storage(slot))
    };
    world.vm.set_storage(slot, head.to_word());
    offer(&mut world, PATIENT, HEIR).unwrap();
    accept(&mut world, HEIR, 2, vec![]).unwrap();
    assert_eq!(
        world.records.chart_of(CHART),
        (HEIR, 1, 2, ROTATED, CONTROL_EPOCH_MOST, true, false)
    );
    offer(&mut world, HEIR, PATIENT).unwrap();
    assert_eq!(
        accept(&mut world, PATIENT, 3, vec![]),
        Err(IRecords::LastControlEpoch {}.into())
    );
    // All else works on.
    assert_eq!(world.records.chart_of(CHART).0, HEIR);
    world.rotate();
    assert_eq!(
        world.records.chart_of(CHART),
        (HEIR, 1, 3, ROTATED, CONTROL_EPOCH_MOST, true, false)
    );
}
