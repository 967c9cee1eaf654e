//! Participants consent, are enrolled, consent again and withdraw.
use super::*;

#[test]
fn who_consents_is_enrolled_by_the_site_they_named_and_then_contributes() {
    let mut world = World::new();
    let trial = world.register();
    world.set_site(SPONSOR, trial, OTHER_SITE, true).unwrap();
    world.events();
    assert_eq!(
        world.enrol(trial, ALICE),
        Err(ITrials::NotParticipant { participant: ALICE }.into())
    );
    world.consent(ALICE, trial).unwrap();
    assert_eq!(
        world.trials.participant_of(trial, ALICE),
        (SITE, 0, 1, status::CONSENTED, NOW)
    );
    assert_eq!(world.trials.counts_of(trial).0, 0);
    assert_eq!(
        world.by(OTHER_SITE).enrol(OTHER_SITE, trial, ALICE),
        Err(ITrials::OtherSite {
            participant: ALICE,
            site: SITE
        }
        .into())
    );
    for site in [STRANGER, SPONSOR, ALICE] {
        assert_eq!(
            world.by(site).enrol(site, trial, ALICE),
            Err(ITrials::NotSite { trial, site }.into())
        );
    }
    world.at(NOW + 3);
    world.enrol(trial, ALICE).unwrap();
    assert_eq!(
        world.events(),
        [
            Event::Consented(ITrials::Consented {
                trial,
                participant: ALICE,
                site: SITE,
                version: 1,
                document: DOCUMENT,
            }),
            Event::Enrolled(ITrials::Enrolled {
                trial,
                participant: ALICE,
                site: SITE,
                number: 1,
            }),
        ]
    );
    assert_eq!(
        world.trials.participant_of(trial, ALICE),
        (SITE, 1, 1, status::ENROLLED, NOW + 3)
    );
    assert_eq!(world.trials.counts_of(trial).0, 1);
    assert_eq!(world.trials.site_of(trial, SITE), (1, true, 1, 0, 0));
    assert!(world.trials.may_contribute(trial, SITE, 1));
    assert!(!world.trials.may_contribute(trial, SITE, 0));
    assert!(!world.trials.may_contribute(trial, SITE, 2));
    assert!(!world.trials.may_contribute(trial, OTHER_SITE, 1));
    // Counted once.
    assert_eq!(
        world.enrol(trial, ALICE),
        Err(ITrials::AlreadyEnrolled {
            participant: ALICE,
            number: 1
        }
        .into())
    );
    world.consent(BOB, trial).unwrap();
    world.roles.remove(&(SITE, role::SITE));
    assert_eq!(world.enrol(trial, BOB), Err(not_credentialed(SITE, role::SITE)));
}

#[test]
fn consent_is_to_the_current_version_and_once_to_each() {
    let mut world = World::new();
    let trial = world.register();
    world.set_site(SPONSOR, trial, OTHER_SITE, true).unwrap();
    let consent = |world: &mut World, site, version| world.by(ALICE).consent(ALICE, trial, site, version, DOCUMENT);
    let version = |given, expected| Err(ITrials::TrialVersion { given, expected }.into());
    for given in [0, 2, u8::MAX] {
        assert_eq!(consent(&mut world, SITE, given), version(given, 1));
    }
    for site in [STRANGER, Address::ZERO] {
        assert_eq!(
            consent(&mut world, site, 1),
            Err(ITrials::NotSite { trial, site }.into())
        );
    }
    consent(&mut world, SITE, 1).unwrap();
    assert_eq!(
        consent(&mut world, SITE, 1),
        Err(ITrials::AlreadyConsented {
            participant: ALICE,
            version: 1
        }
        .into())
    );
    world.amend(trial, false).unwrap();
    // Signed before the amendment, or for another site.
    assert_eq!(consent(&mut world, SITE, 1), version(1, 2));
    assert_eq!(
        consent(&mut world, OTHER_SITE, 2),
        Err(ITrials::OtherSite {
            participant: ALICE,
            site: SITE
        }
        .into())
    );
    consent(&mut world, SITE, 2).unwrap();
    assert_eq!(world.trials.participant_of(trial, ALICE).2, 2);
}

#[test]
fn an_amendment_that_wants_it_stops_everybody_until_they_have_consented_again() {
    let mut world = World::new();
    let trial = world.register();
    let alice = world.take_in(trial, ALICE);
    let bob = world.take_in(trial, BOB);
    world.consent(STRANGER, trial).unwrap();
    world.at(NOW + 1);
    // One that does not want it changes nothing.
    world.amend(trial, false).unwrap();
    world.anchor(trial, 1, &[alice, bob]).unwrap();
    world.amend(trial, true).unwrap();
    let not_participating = |number| Err(ITrials::NotParticipating { site: SITE, number }.into());
    assert_eq!(world.anchor(trial, 2, &[alice, bob]), not_participating(alice));
    assert_eq!(
        world.enrol(trial, STRANGER),
        Err(ITrials::ConsentOutdated {
            participant: STRANGER,
            version: 1,
            least: 3
        }
        .into())
    );
    world.amend(trial, false).unwrap();
    world.consent(BOB, trial).unwrap();
    assert_eq!(world.anchor(trial, 2, &[alice, bob]), not_participating(alice));
    world.anchor(trial, 2, &[bob]).unwrap();
    // Consented to a later version than is wanted: that does.
    world.consent(STRANGER, trial).unwrap();
    world.enrol(trial, STRANGER).unwrap();
    world.anchor(trial, 3, &[bob, 3]).unwrap();
    world.consent(ALICE, trial).unwrap();
    world.anchor(trial, 4, &[alice, bob, 3]).unwrap();
    // And once more.
    world.amend(trial, true).unwrap();
    assert_eq!(world.anchor(trial, 5, &[3]), not_participating(3));
    for number in 1..4 {
        assert!(!world.trials.may_contribute(trial, SITE, number));
    }
    assert_eq!(world.trials.counts_of(trial).0, 3);
}

#[test]
fn withdrawal_is_at_once_and_for_good() {
    let mut world = World::new();
    let trial = world.register();
    let alice = world.take_in(trial, ALICE);
    let bob = world.take_in(trial, BOB);
    world.at(NOW + 1);
    world.anchor(trial, 1, &[alice, bob]).unwrap();
    world.events();
    world.withdraw(ALICE, trial).unwrap();
    assert_eq!(
        world.events(),
        [Event::ParticipantWithdrew(ITrials::ParticipantWithdrew {
            trial,
            participant: ALICE,
            site: SITE,
            number: alice,
        })]
    );
    assert_eq!(
        world.trials.participant_of(trial, ALICE),
        (SITE, alice, 1, status::WITHDRAWN, NOW + 1)
    );
    assert_eq!(world.trials.site_of(trial, SITE), (1, true, 2, 1, 1));
    assert_eq!(world.trials.counts_of(trial).1, 1);
    // In a later batch, also one of an earlier time.
    let named = Err(ITrials::NotParticipating {
        site: SITE,
        number: alice,
    }
    .into());
    assert_eq!(world.anchor(trial, 2, &[alice]), named);
    assert_eq!(world.anchor(trial, 2, &[alice, bob]), named);
    world.anchor(trial, 2, &[bob]).unwrap();
    // Nothing brings the consent back: the same again, a new version, the site, a re-consent.
    let withdrawn = || {
        Err(ITrials::ConsentWithdrawn {
            participant: ALICE,
            at: NOW + 1,
        }
        .into())
    };
    assert_eq!(world.withdraw(ALICE, trial), withdrawn());
    assert_eq!(world.consent(ALICE, trial), withdrawn());
    assert_eq!(world.enrol(trial, ALICE), withdrawn());
    world.amend(trial, true).unwrap();
    assert_eq!(world.consent(ALICE, trial), withdrawn());
    world.consent(BOB, trial).unwrap();
    assert_eq!(world.anchor(trial, 3, &[alice, bob]), named);
    // A consent that was never taken up ends as well, and counts nowhere.
    world.consent(STRANGER, trial).unwrap();
    world.withdraw(STRANGER, trial).unwrap();
    assert_eq!(world.trials.counts_of(trial).1, 1);
    assert_eq!(
        world.withdraw(SPONSOR, trial),
        Err(ITrials::NotParticipant { participant: SPONSOR }.into())
    );
}

#[test]
fn who_withdraws_between_amendment_and_consent_stays_out() {
    let mut world = World::new();
    let trial = world.register();
    let alice = world.take_in(trial, ALICE);
    world.take_in(trial, BOB);
    world.amend(trial, true).unwrap();
    world.withdraw(ALICE, trial).unwrap();
    world.consent(BOB, trial).unwrap();
    assert!(!world.trials.may_contribute(trial, SITE, alice));
    assert!(world.trials.may_contribute(trial, SITE, 2));
}

#[test]
fn withdrawal_is_open_when_all_else_is_closed() {
    let mut world = World::new();
    let trial = world.register();
    world.take_in(trial, ALICE);
    world.take_in(trial, BOB);
    world.consent(STRANGER, trial).unwrap();
    world.lock(trial);
    assert_eq!(world.consent(OTHER_SITE, trial), Err(state(trial, terms::LOCKED)));
    assert_eq!(world.enrol(trial, STRANGER), Err(state(trial, terms::LOCKED)));
    world.withdraw(ALICE, trial).unwrap();
    world.by(SPONSOR).close_trial(SPONSOR, trial).unwrap();
    world.set_site(SPONSOR, trial, SITE, false).unwrap();
    world.roles.clear();
    world.withdraw(BOB, trial).unwrap();
    world.withdraw(STRANGER, trial).unwrap();
    assert_eq!(world.trials.counts_of(trial).1, 2);
}

#[test]
fn another_trials_participant_is_none_here() {
    let mut world = World::new();
    let trial = world.register();
    let other = world.register_as(SPONSOR, OTHER_REGISTRATION).unwrap();
    world.set_site(SPONSOR, other, SITE, true).unwrap();
    let number = world.take_in(other, ALICE);
    world.at(NOW + 1);
    assert_eq!(
        world.enrol(trial, ALICE),
        Err(ITrials::NotParticipant { participant: ALICE }.into())
    );
    assert_eq!(
        world.anchor(trial, 1, &[number]),
        Err(ITrials::NotParticipating { site: SITE, number }.into())
    );
    assert_eq!(
        world.withdraw(ALICE, trial),
        Err(ITrials::NotParticipant { participant: ALICE }.into())
    );
}
