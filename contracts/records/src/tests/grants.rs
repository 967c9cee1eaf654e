use super::*;

fn grant(world: &mut World, version: u32, grantee: Address, serial: u8, terms: GrantTerms) -> Result<(), Error> {
    world.by(PATIENT, |records, actor| {
        records.grant(actor, CHART, version, grantee, serial, terms, KEYRING)
    })
}

fn grant_serial(given: u8, current: u8) -> Result<(), Error> {
    Err(IRecords::GrantSerial { given, current }.into())
}

/// What a grant's event says beside its terms.
fn granted(grantee: Address, serial: u8, since: u32, epoch: u32, terms: GrantTerms) -> Event {
    Event::Granted(IRecords::Granted {
        chart: CHART,
        grantee,
        serial,
        since,
        epoch,
        compartments: terms.compartments,
        purposes: terms.purposes,
        actions: terms.actions,
        notBefore: terms.notBefore,
        expiry: terms.expiry,
        keyring: KEYRING,
    })
}

#[test]
fn refuses_grants_that_mean_nothing() {
    let mut world = World::new();
    let mut refuse = |grantee, terms: GrantTerms, keyring, error: Error| {
        let outcome = world.by(PATIENT, |records, actor| {
            records.grant(actor, CHART, 1, grantee, 0, terms, keyring)
        });
        assert_eq!(outcome, Err(error));
    };
    let sound = terms(1);
    refuse(Address::ZERO, sound.clone(), KEYRING, IRecords::ZeroAddress {}.into());
    refuse(PATIENT, sound.clone(), KEYRING, IRecords::GrantToController {}.into());
    refuse(CLINIC, sound, B256::ZERO, zero_digest());
    for empty in [
        terms(0),
        GrantTerms {
            purposes: 0,
            ..terms(1)
        },
        GrantTerms { actions: 0, ..terms(1) },
    ] {
        refuse(CLINIC, empty, KEYRING, IRecords::EmptyGrant {}.into());
    }
    let window = |not_before, expiry| GrantTerms {
        notBefore: not_before,
        expiry,
        ..terms(1)
    };
    for (not_before, expiry) in [(NOW + 5, NOW + 5), (NOW + 5, NOW + 4), (0, NOW), (0, 1), (NOW, NOW)] {
        let refused = IRecords::GrantWindow {
            notBefore: not_before,
            expiry,
        };
        refuse(CLINIC, window(not_before, expiry), KEYRING, refused.into());
    }
    let large = TIME_MOST + 1;
    for (not_before, expiry, time) in [
        (large, 0, large),
        (0, large, large),
        (u64::MAX, large, u64::MAX),
        (large, u64::MAX, u64::MAX),
    ] {
        let refused = IRecords::TimeTooLarge { time };
        refuse(CLINIC, window(not_before, expiry), KEYRING, refused.into());
    }
    assert_eq!(world.records.grant_of(CHART, CLINIC).0, 0);
}

#[test]
fn a_grant_is_told_and_kept_whole() {
    let mut world = World::new();
    let largest = GrantTerms {
        compartments: u64::MAX,
        purposes: u32::MAX,
        actions: u8::MAX,
        notBefore: TIME_MOST - 1,
        expiry: TIME_MOST,
    };
    grant(&mut world, 1, CLINIC, 0, largest.clone()).unwrap();
    assert_eq!(world.events(), [granted(CLINIC, 1, 1, 1, largest.clone())]);
    assert_eq!(world.records.grant_of(CHART, CLINIC), (1, 1, 1, largest.clone()));
    let from_last_on = GrantTerms {
        notBefore: TIME_MOST,
        expiry: 0,
        ..largest
    };
    grant(&mut world, 1, CLINIC, 1, from_last_on.clone()).unwrap();
    assert_eq!(world.records.grant_of(CHART, CLINIC), (1, 1, 2, from_last_on));
    assert_eq!(world.records.grant_of(CHART, INSURER).0, 0);
    assert_eq!(world.records.grant_of(OTHER_CHART, CLINIC).0, 0);
}

#[test]
fn granting_again_replaces_the_terms_and_keeps_since_when() {
    let mut world = World::new();
    world.rotate();
    world.grant(CLINIC, terms(1 << LABS));
    world.rotate();
    let narrower = GrantTerms {
        expiry: NOW + 60,
        ..terms(1 << CLAIMS)
    };
    grant(&mut world, 3, CLINIC, 1, narrower.clone()).unwrap();
    assert_eq!(world.events(), [granted(CLINIC, 2, 2, 1, narrower.clone())]);
    assert_eq!(world.records.grant_of(CHART, CLINIC), (1, 2, 2, narrower));
    assert_eq!(world.reason(question(CLINIC)), reason::COMPARTMENT);
    // Also in the place of one that has expired.
    world.at(NOW + 60);
    world.rotate();
    grant(&mut world, 4, CLINIC, 2, terms(1 << LABS)).unwrap();
    assert_eq!(world.records.grant_of(CHART, CLINIC), (1, 2, 3, terms(1 << LABS)));
}

#[test]
fn a_grant_names_the_directory_and_the_grant_that_it_replaces() {
    let mut world = World::new();
    for given in [0, 2, u32::MAX] {
        assert_eq!(grant(&mut world, given, CLINIC, 0, terms(1)), Err(stale(given, 1)));
    }
    assert_eq!(grant(&mut world, 1, CLINIC, 1, terms(1)), grant_serial(1, 0));
    grant(&mut world, 1, CLINIC, 0, terms(1)).unwrap();
    // The same operation does not run twice, nor one that was signed beside it.
    assert_eq!(grant(&mut world, 1, CLINIC, 0, terms(1)), grant_serial(0, 1));
    assert_eq!(grant(&mut world, 1, CLINIC, 0, terms(2)), grant_serial(0, 1));
    assert_eq!(grant(&mut world, 1, CLINIC, 2, terms(2)), grant_serial(2, 1));
    grant(&mut world, 1, CLINIC, 1, terms(2)).unwrap();
    // Serials are of a pair.
    grant(&mut world, 1, INSURER, 0, terms(1)).unwrap();
}

/// An old signature never undoes a newer revocation, though the serial that it names comes again.
#[test]
fn a_revocation_voids_what_was_signed_before_it() {
    for revoke_all in [false, true] {
        let mut world = World::new();
        world.grant(CLINIC, terms(1 << LABS));
        world.rotate();
        world
            .by(PATIENT, |records, actor| {
                if revoke_all {
                    records.revoke_all(actor, CHART, 2)
                } else {
                    records.revoke(actor, CHART, CLINIC, 3, ROTATED, vec![])
                }
            })
            .unwrap();
        let expected = if revoke_all { reason::REVOKED } else { reason::NO_GRANT };
        assert_eq!(world.reason(question(CLINIC)), expected);
        if revoke_all {
            // Until there is a directory to seal to, no version is the right one.
            for version in [1, 2, 3, 4] {
                for serial in [0, 1, 2] {
                    let outcome = grant(&mut world, version, CLINIC, serial, terms(1 << LABS));
                    assert_eq!(outcome, Err(rotation_due()));
                }
            }
            world.rotate();
        }
        // By `revokeAll` a version is used up.
        let current = if revoke_all { 4 } else { 3 };
        for version in 1..current {
            for serial in [0, 1, 2] {
                let outcome = grant(&mut world, version, CLINIC, serial, terms(1 << LABS));
                assert_eq!(outcome, Err(stale(version, current)));
            }
        }
        // Both begin anew.
        assert_eq!(
            grant(&mut world, current, CLINIC, 1, terms(1 << LABS)),
            grant_serial(1, 0)
        );
        grant(&mut world, current, CLINIC, 0, terms(1 << LABS)).unwrap();
        let epoch = 1 + u32::from(revoke_all);
        assert_eq!(world.events(), [granted(CLINIC, 1, current, epoch, terms(1 << LABS))]);
        assert_eq!(
            world.records.grant_of(CHART, CLINIC),
            (epoch, current, 1, terms(1 << LABS))
        );
        assert_eq!(world.reason(question(CLINIC)), reason::GRANT);
    }
}

#[test]
fn the_last_serial_is_replaced_by_none_until_the_grant_is_revoked() {
    let mut world = World::new();
    world.grant(CLINIC, terms(1 << LABS));
    let slot = layout::grant(CHART, CLINIC);
    let held = Grant {
        serial: SERIAL_MOST - 1,
        ..Grant::from_word(world.vm.get_storage(slot))
    };
    world.vm.set_storage(slot, held.to_word());
    grant(&mut world, 1, CLINIC, 254, terms(1 << LABS)).unwrap();
    assert_eq!(world.records.grant_of(CHART, CLINIC).2, 255);
    assert_eq!(
        grant(&mut world, 1, CLINIC, 254, terms(1 << LABS)),
        grant_serial(254, 255)
    );
    assert_eq!(grant(&mut world, 1, CLINIC, 0, terms(1 << LABS)), grant_serial(0, 255));
    assert_eq!(
        grant(&mut world, 1, CLINIC, 255, terms(1 << LABS)),
        Err(IRecords::LastSerial { grantee: CLINIC }.into())
    );
    assert_eq!(world.reason(question(CLINIC)), reason::GRANT);
    let mut all = world.fork();
    all.revoke_all();
    all.rotate();
    grant(&mut all, 3, CLINIC, 0, terms(1 << LABS)).unwrap();
    assert_eq!(all.records.grant_of(CHART, CLINIC).2, 1);
    world
        .by(PATIENT, |records, actor| {
            records.revoke(actor, CHART, CLINIC, 2, ROTATED, vec![])
        })
        .unwrap();
    grant(&mut world, 2, CLINIC, 0, terms(1 << LABS)).unwrap();
    assert_eq!(world.records.grant_of(CHART, CLINIC).2, 1);
}

/// From `notBefore` on, and up to but not in the second of `expiry`.
#[test]
fn a_grant_is_in_force_within_its_time() {
    let mut world = World::new();
    let within = GrantTerms {
        notBefore: NOW + 10,
        expiry: NOW + 11,
        ..terms(1 << LABS)
    };
    world.grant(CLINIC, within);
    world.grant(
        INSURER,
        GrantTerms {
            notBefore: NOW,
            ..terms(1 << LABS)
        },
    );
    assert_eq!(world.reason(question(INSURER)), reason::GRANT);
    for (now, expected) in [
        (NOW, reason::NOT_YET_VALID),
        (NOW + 9, reason::NOT_YET_VALID),
        (NOW + 10, reason::GRANT),
        (NOW + 11, reason::EXPIRED),
        (TIME_MOST + 1, reason::EXPIRED),
    ] {
        world.at(now);
        assert_eq!(world.reason(question(CLINIC)), expected, "{now}");
        assert_eq!(world.reason(question(INSURER)), reason::GRANT);
    }
    // The next moment is soon enough for an end.
    world.at(NOW);
    let moment = GrantTerms {
        expiry: NOW + 1,
        ..terms(1 << LABS)
    };
    world.grant(CLINIC, moment);
    assert_eq!(world.reason(question(CLINIC)), reason::GRANT);
}
