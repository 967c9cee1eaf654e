//! Batches of data, the lock, and what results come from.
use super::*;

/// A trial with Alice and Bob, a second after.
fn running() -> (World, B256) {
    let mut world = World::new();
    let trial = world.register();
    world.take_in(trial, ALICE);
    world.take_in(trial, BOB);
    world.at(NOW + 1);
    world.events();
    (world, trial)
}

#[test]
fn a_batch_is_anchored_once_and_sums_up_in_the_trials_data() {
    let (mut world, trial) = running();
    world.anchor(trial, 1, &[1, 2]).unwrap();
    let data = keccak256((B256::ZERO, SITE, U256::ONE, ROOT).abi_encode());
    assert_eq!(
        world.events(),
        [Event::BatchAnchored(ITrials::BatchAnchored {
            trial,
            site: SITE,
            sequence: 1,
            from: NOW,
            to: NOW + 1,
            root: ROOT,
            count: 3,
            participants: vec![U256::from(6)],
            flags: 0,
            version: 1,
            data,
            document: DOCUMENT,
        })]
    );
    assert_eq!(
        world.trials.batch_of(trial, SITE, 1),
        (ROOT, 3, NOW, NOW + 1, NOW + 1, 0, 1)
    );
    assert_eq!(world.trials.counts_of(trial), (2, 0, 1, 0, 0, data));
    // Replayed, or with better data.
    let taken = Err(ITrials::SequenceTaken {
        site: SITE,
        sequence: 1,
    }
    .into());
    assert_eq!(world.anchor(trial, 1, &[1, 2]), taken);
    let outcome = world
        .by(SITE)
        .anchor_batch(SITE, trial, 1, NOW, NOW + 1, RESULTS, 1, bits(&[1]), DOCUMENT);
    assert_eq!(outcome, taken);
    assert_eq!(world.anchor(trial, 0, &[1]), Err(ITrials::ZeroSequence {}.into()));
    // Another site has numbers of its own.
    world.set_site(SPONSOR, trial, OTHER_SITE, true).unwrap();
    let outcome = world
        .by(OTHER_SITE)
        .anchor_batch(OTHER_SITE, trial, 1, NOW, NOW + 1, ROOT, 1, bits(&[1]), DOCUMENT);
    assert_eq!(
        outcome,
        Err(ITrials::NotParticipating {
            site: OTHER_SITE,
            number: 1
        }
        .into())
    );
    world
        .by(STRANGER)
        .consent(STRANGER, trial, OTHER_SITE, 1, DOCUMENT)
        .unwrap();
    world.by(OTHER_SITE).enrol(OTHER_SITE, trial, STRANGER).unwrap();
    world
        .by(OTHER_SITE)
        .anchor_batch(OTHER_SITE, trial, 1, NOW, NOW + 1, RESULTS, 1, bits(&[1]), DOCUMENT)
        .unwrap();
    let next = keccak256((data, OTHER_SITE, U256::ONE, RESULTS).abi_encode());
    assert_eq!(world.trials.counts_of(trial), (3, 0, 2, 0, 0, next));
}

#[test]
fn only_the_trials_current_sites_anchor() {
    let (mut world, trial) = running();
    for site in [SPONSOR, OTHER_SITE, STRANGER, ALICE] {
        let outcome = world
            .by(site)
            .anchor_batch(site, trial, 1, NOW, NOW + 1, ROOT, 1, bits(&[1]), DOCUMENT);
        assert_eq!(outcome, Err(ITrials::NotSite { trial, site }.into()));
    }
    world.roles.remove(&(SITE, role::SITE));
    assert_eq!(world.anchor(trial, 1, &[1]), Err(not_credentialed(SITE, role::SITE)));
}

#[test]
fn late_and_out_of_order_batches_are_taken_and_marked() {
    let (mut world, trial) = running();
    world.at(NOW + 100 * DAY);
    let mut anchor = |sequence, to| {
        world
            .by(SITE)
            .anchor_batch(SITE, trial, sequence, NOW, to, ROOT, 1, bits(&[1]), DOCUMENT)
            .unwrap();
        world.trials.batch_of(trial, SITE, sequence).5
    };
    let on_time = NOW + 100 * DAY - flag::LATE_S;
    assert_eq!(anchor(1, on_time), 0);
    assert_eq!(anchor(2, on_time - 1), flag::LATE);
    assert_eq!(anchor(4, on_time), flag::GAP);
    assert_eq!(anchor(3, on_time), flag::OUT_OF_ORDER);
    assert_eq!(anchor(5, on_time), 0);
    assert_eq!(anchor(u32::MAX, NOW + 1), flag::GAP | flag::LATE);
    assert_eq!(anchor(6, NOW + 1), flag::OUT_OF_ORDER | flag::LATE);
    assert_eq!(world.trials.site_of(trial, SITE).4, u32::MAX);
    assert_eq!(world.trials.counts_of(trial).2, 7);
}

#[test]
fn a_batch_has_a_root_leaves_and_a_period_that_is_over() {
    let (mut world, trial) = running();
    world.at(NOW + 10);
    let mut anchor = |from, to, root, count| {
        world
            .by(SITE)
            .anchor_batch(SITE, trial, 1, from, to, root, count, bits(&[1]), DOCUMENT)
    };
    assert_eq!(anchor(NOW, NOW + 1, B256::ZERO, 1), Err(ITrials::ZeroDigest {}.into()));
    assert_eq!(anchor(NOW, NOW + 1, ROOT, 0), Err(ITrials::EmptyBatch {}.into()));
    for (from, to) in [(NOW, NOW), (NOW + 1, NOW), (u64::MAX, 0), (0, 0)] {
        assert_eq!(
            anchor(from, to, ROOT, 1),
            Err(ITrials::MalformedPeriod { from, to }.into())
        );
    }
    for to in [NOW + 11, 1 << 40, u64::MAX] {
        let now = NOW + 10;
        assert_eq!(
            anchor(NOW, to, ROOT, 1),
            Err(ITrials::PeriodInFuture { to, now }.into())
        );
    }
    for from in [0, NOW - 1] {
        let before = ITrials::PeriodBeforeRegistration {
            from,
            registeredAt: NOW,
        };
        assert_eq!(anchor(from, NOW + 1, ROOT, 1), Err(before.into()));
    }
    anchor(NOW, NOW + 10, ROOT, u32::MAX).unwrap();
}

#[test]
fn a_batch_names_whose_data_it_has() {
    let (mut world, trial) = running();
    let mut anchor = |participants: Vec<U256>| {
        world
            .by(SITE)
            .anchor_batch(SITE, trial, 1, NOW, NOW + 1, ROOT, 1, participants, DOCUMENT)
    };
    for given in [0, BATCH_MOST + 1] {
        let length = ITrials::ListLength {
            given: given as u32,
            most: 128,
        };
        assert_eq!(anchor(vec![U256::from(2); given]), Err(length.into()));
    }
    for words in [1, BATCH_MOST] {
        assert_eq!(anchor(vec![U256::ZERO; words]), Err(ITrials::NoParticipants {}.into()));
    }
    for (named, number) in [
        (&[0][..], 0),
        (&[3], 3),
        (&[1, 2, 3], 3),
        (&[255], 255),
        (&[256], 256),
        (&[1, 257], 257),
        (&[2, 300, 299], 299),
        (&[128 * 256 - 1], 128 * 256 - 1),
    ] {
        assert_eq!(
            anchor(bits(named)),
            Err(ITrials::NotParticipating { site: SITE, number }.into())
        );
    }
    // Words behind the last that are empty say nothing.
    anchor(vec![U256::from(6), U256::ZERO]).unwrap();
}

#[test]
fn participants_beyond_one_word_are_told_apart() {
    let mut world = World::new();
    let trial = world.register();
    let person = |n: u32| Address::left_padding_from(&(0x1_0000 + n).to_be_bytes());
    for n in 1..=258 {
        assert_eq!(world.take_in(trial, person(n)), n);
    }
    world.at(NOW + 1);
    world.anchor(trial, 1, &[1, 255, 256, 257, 258]).unwrap();
    world.withdraw(person(256), trial).unwrap();
    assert_eq!(
        world.anchor(trial, 2, &[1, 255, 256, 257, 258]),
        Err(ITrials::NotParticipating {
            site: SITE,
            number: 256
        }
        .into())
    );
    world.anchor(trial, 2, &[1, 255, 257, 258]).unwrap();
}

#[test]
fn a_leaf_is_proved_of_its_own_batch_alone() {
    let (mut world, trial) = running();
    let keccak = |bytes: &[u8]| keccak256(bytes);
    let data: Vec<B256> = (0..5u8).map(keccak_of).collect();
    let leaves: Vec<B256> = data.iter().map(|leaf| medlock_merkle::leaf(keccak, *leaf)).collect();
    let root = medlock_merkle::root(keccak, &leaves).unwrap();
    for (sequence, root) in [(1, root), (2, ROOT)] {
        world
            .by(SITE)
            .anchor_batch(SITE, trial, sequence, NOW, NOW + 1, root, 5, bits(&[1]), DOCUMENT)
            .unwrap();
    }
    for (index, leaf) in (0..).zip(&data) {
        let proof = medlock_merkle::proof(keccak, &leaves, index as usize).unwrap();
        let verify = |site, sequence, index, leaf, proof: &[B256]| {
            world
                .trials
                .verify_batch(trial, site, sequence, index, leaf, proof.to_vec())
        };
        assert!(verify(SITE, 1, index, *leaf, &proof));
        assert!(!verify(SITE, 2, index, *leaf, &proof));
        assert!(!verify(SITE, 3, index, *leaf, &proof));
        assert!(!verify(OTHER_SITE, 1, index, *leaf, &proof));
        assert!(!verify(SITE, 1, index + 1, *leaf, &proof));
        assert!(!verify(SITE, 1, index, ROOT, &proof));
        assert!(!verify(SITE, 1, index, *leaf, &proof[1..]));
    }
}

fn keccak_of(byte: u8) -> B256 {
    keccak256([byte])
}

#[test]
fn nothing_is_added_to_locked_data() {
    let (mut world, trial) = running();
    world.anchor(trial, 1, &[1, 2]).unwrap();
    let count = |given, current| Err(ITrials::BatchCount { given, current }.into());
    for given in [0, 2, u32::MAX] {
        assert_eq!(world.by(SPONSOR).lock_data(SPONSOR, trial, given), count(given, 1));
    }
    assert_eq!(world.results(trial), Err(state(trial, terms::OPEN)));
    assert_eq!(
        world.by(SPONSOR).close_trial(SPONSOR, trial),
        Err(state(trial, terms::OPEN))
    );
    world.events();
    world.at(NOW + 7);
    world.by(SPONSOR).lock_data(SPONSOR, trial, 1).unwrap();
    let data = world.trials.counts_of(trial).5;
    assert_eq!(
        world.events(),
        [Event::DataLocked(ITrials::DataLocked {
            trial,
            batches: 1,
            data
        })]
    );
    assert_eq!(world.trials.counts_of(trial), (2, 0, 1, 0, NOW + 7, data));
    for closed in [terms::LOCKED, terms::CLOSED] {
        let refused = || Err(state(trial, closed));
        assert_eq!(world.anchor(trial, 2, &[1]), refused());
        assert_eq!(world.amend(trial, false), refused());
        assert_eq!(world.consent(STRANGER, trial), refused());
        assert_eq!(world.enrol(trial, ALICE), refused());
        assert_eq!(world.set_site(SPONSOR, trial, OTHER_SITE, true), refused());
        assert_eq!(world.by(SPONSOR).lock_data(SPONSOR, trial, 1), refused());
        if closed == terms::LOCKED {
            world.by(SPONSOR).close_trial(SPONSOR, trial).unwrap();
        }
        assert_eq!(world.trials.counts_of(trial).5, data);
    }
}

#[test]
fn results_name_the_plan_and_the_data_that_they_come_from() {
    let (mut world, trial) = running();
    world
        .by(SPONSOR)
        .amend_trial(SPONSOR, trial, 2, PROTOCOL, ROOT, FORM, 5, false, DOCUMENT)
        .unwrap();
    world.anchor(trial, 1, &[1]).unwrap();
    world.lock(trial);
    let data = world.trials.counts_of(trial).5;
    world.events();
    let mut anchor = |actor, version, number, results| {
        world
            .by(actor)
            .anchor_results(actor, trial, version, number, results, DOCUMENT)
    };
    // By the plan that was replaced, or one that is none.
    for given in [0, 1, 3] {
        let version = ITrials::TrialVersion { given, expected: 2 };
        assert_eq!(anchor(SPONSOR, given, 0, RESULTS), Err(version.into()));
    }
    let number = |given, next| Err(ITrials::ResultNumber { given, next }.into());
    assert_eq!(anchor(SPONSOR, 2, 1, RESULTS), number(1, 0));
    assert_eq!(anchor(SPONSOR, 2, 0, B256::ZERO), Err(ITrials::ZeroDigest {}.into()));
    for actor in [OTHER_SPONSOR, SITE, STRANGER] {
        let not_sponsor = ITrials::NotSponsor {
            actor,
            sponsor: SPONSOR,
        };
        assert_eq!(anchor(actor, 2, 0, RESULTS), Err(not_sponsor.into()));
    }
    anchor(SPONSOR, 2, 0, RESULTS).unwrap();
    assert_eq!(anchor(SPONSOR, 2, 0, FORM), number(0, 1));
    // A correction stands beside them.
    anchor(SPONSOR, 2, 1, FORM).unwrap();
    assert_eq!(
        world.events(),
        [(0, RESULTS), (1, FORM)].map(|(number, results)| {
            Event::ResultsAnchored(ITrials::ResultsAnchored {
                trial,
                number,
                version: 2,
                plan: ROOT,
                data,
                results,
                document: DOCUMENT,
            })
        })
    );
    assert_eq!(world.trials.results_of(trial, 0), RESULTS);
    assert_eq!(world.trials.results_of(trial, 1), FORM);
    assert_eq!(world.trials.counts_of(trial).3, 2);
    world.by(SPONSOR).close_trial(SPONSOR, trial).unwrap();
    assert_eq!(world.events(), [Event::TrialClosed(ITrials::TrialClosed { trial })]);
    assert_eq!(world.results(trial), Err(state(trial, terms::CLOSED)));
    assert_eq!(
        world.by(SPONSOR).close_trial(SPONSOR, trial),
        Err(state(trial, terms::CLOSED))
    );
}

#[test]
fn a_sponsor_without_a_credential_still_locks_reports_and_closes() {
    let (mut world, trial) = running();
    world.anchor(trial, 1, &[1]).unwrap();
    world.roles.clear();
    world.lock(trial);
    world.results(trial).unwrap();
    world.by(SPONSOR).close_trial(SPONSOR, trial).unwrap();
}
