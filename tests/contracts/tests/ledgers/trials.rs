//! `trials`, with real credentials, participants who act through the relay alone, and real trees of data.
use alloy::{
    primitives::{B256, U256},
    signers::local::PrivateKeySigner,
    sol_types::SolCall,
};
use medlock_abi::{
    relay::IRelay,
    terms::{BATCH_MOST, amendment, batch, participant, role, trial as state},
    trials::ITrials,
};
use medlock_contract_tests::Done;
use medlock_merkle::Tree;

use super::{DAY_S, NOTE, SUBMITTER, Stage, Way, hash, party, tree};

const REGISTRATION: B256 = B256::repeat_byte(0x11);
const PROTOCOL: B256 = B256::repeat_byte(0x21);
const PLAN: B256 = B256::repeat_byte(0x22);
const FORM: B256 = B256::repeat_byte(0x23);
const OTHER_PLAN: B256 = B256::repeat_byte(0x32);
const LEAVES: u32 = 5;

// ---- A life --------------------------------------------------------------------------------------------------------

#[test]
fn a_trial_is_registered_consented_to_measured_amended_and_reported_by_its_parties_own_transactions() {
    live(Way::Own);
}

#[test]
fn a_trial_is_registered_consented_to_measured_amended_and_reported_by_what_was_signed_and_none_of_it_runs_twice() {
    live(Way::Signed);
}

fn live(way: Way) {
    let mut world = World::new(way);
    let (sponsor, site) = (world.sponsor.clone(), world.site.clone());
    let [ann, ben, cleo] = [11, 12, 13].map(party);
    let trial = world.trial;
    let done = world.register();
    world.stage.told(
        &done,
        ITrials::TrialRegistered {
            trial,
            sponsor: sponsor.address(),
            registration: REGISTRATION,
            protocol: PROTOCOL,
            plan: PLAN,
            form: FORM,
            document: NOTE,
        },
    );
    let registered_at = world.stage.now();
    let found = world.trial_of();
    assert_eq!((found.sponsor, found.registeredAt), (sponsor.address(), registered_at));
    assert_eq!((found.version, found.consentVersion, found.state), (1, 1, state::OPEN));
    let done = world.name(&site);
    world.stage.told(
        &done,
        ITrials::SiteSet {
            trial,
            site: site.address(),
            serial: 1,
            active: true,
        },
    );

    // A participant has no money, whoever pays for the others: each consents through the relay.
    for (number, who) in (1..).zip([&ann, &ben, &cleo]) {
        let done = world.consent_by_relay(who, 1);
        world.stage.told(
            &done,
            ITrials::Consented {
                trial,
                participant: who.address(),
                site: site.address(),
                version: 1,
                document: NOTE,
            },
        );
        let found = world.participant(who);
        assert_eq!(
            (found.number, found.version, found.status),
            (0, 1, participant::CONSENTED)
        );
        let done = world.enrol(who);
        world.stage.told(
            &done,
            ITrials::Enrolled {
                trial,
                participant: who.address(),
                site: site.address(),
                number,
            },
        );
        assert!(world.may_contribute(number));
    }

    world.stage.pass(DAY_S);
    let first = world.batch(1, &[1, 2, 3]);
    let done = world.stage.act(&site, first.clone());
    let data = hash(&[B256::ZERO, site.address().into_word(), U256::from(1).into(), first.root]);
    let anchored = |batch: &ITrials::anchorBatchCall, flags, version, data| ITrials::BatchAnchored {
        trial,
        site: site.address(),
        sequence: batch.sequence,
        from: batch.from,
        to: batch.to,
        root: batch.root,
        count: LEAVES,
        participants: batch.participants.clone(),
        flags,
        version,
        data,
        document: NOTE,
    };
    world.stage.told(&done, anchored(&first, 0, 1, data));
    let found = world.batch_of(1);
    assert_eq!((found.root, found.count, found.version), (first.root, LEAVES, 1));
    assert_eq!(
        (found.from, found.to, found.anchoredAt),
        (first.from, first.to, world.stage.now())
    );
    for index in 0..LEAVES {
        assert!(world.verifies(1, index, leaf(1, index)));
    }
    assert!(!world.verifies(1, 0, leaf(1, 1)) && !world.verifies(2, 0, leaf(1, 0)));

    // With another plan, which wants everybody's consent anew: until they give it nobody contributes.
    let amend = world.amendment(2, OTHER_PLAN, true);
    let done = world.stage.act(&sponsor, amend);
    world.stage.told(
        &done,
        ITrials::TrialAmended {
            trial,
            version: 2,
            protocol: PROTOCOL,
            plan: OTHER_PLAN,
            form: FORM,
            reasonCode: amendment::OUTCOMES,
            reconsent: true,
            document: NOTE,
        },
    );
    let first_version = world.version_of(1);
    assert_eq!((first_version.plan, first_version.at), (PLAN, registered_at));
    world.stage.pass(DAY_S);
    for number in 1..=3 {
        assert!(!world.may_contribute(number));
        let refusal = world.not_participating(number);
        world.stage.refused(&site, world.batch(2, &[number]), refusal);
    }
    for who in [&ann, &ben] {
        world.consent_by_relay(who, 2);
    }
    let done = world.withdraw_by_relay(&ben);
    world.stage.told(
        &done,
        ITrials::ParticipantWithdrew {
            trial,
            participant: ben.address(),
            site: site.address(),
            number: 2,
        },
    );
    for number in [2, 3] {
        let refusal = world.not_participating(number);
        world.stage.refused(&site, world.batch(2, &[1, number]), refusal);
    }
    // A month late, and the second of a row before the one in the middle.
    let third = world.batch(3, &[1]);
    world.stage.pass(batch::LATE_S);
    let done = world.stage.act(&site, third.clone());
    let data = hash(&[data, site.address().into_word(), U256::from(3).into(), third.root]);
    world.stage.told(&done, anchored(&third, batch::GAP, 2, data));
    let second = ITrials::anchorBatchCall {
        from: first.from,
        to: first.to,
        ..world.batch(2, &[1])
    };
    let done = world.stage.act(&site, second.clone());
    let data = hash(&[data, site.address().into_word(), U256::from(2).into(), second.root]);
    world
        .stage
        .told(&done, anchored(&second, batch::LATE | batch::OUT_OF_ORDER, 2, data));

    let lock = ITrials::lockDataCall {
        actor: sponsor.address(),
        trial,
        batches: 3,
    };
    let done = world.stage.act(&sponsor, lock);
    world.stage.told(
        &done,
        ITrials::DataLocked {
            trial,
            batches: 3,
            data,
        },
    );
    let results = world.results(2, 0);
    let done = world.stage.act(&sponsor, results);
    world.stage.told(
        &done,
        ITrials::ResultsAnchored {
            trial,
            number: 0,
            version: 2,
            plan: OTHER_PLAN,
            data,
            results: NOTE,
            document: NOTE,
        },
    );
    let done = world.stage.act(
        &sponsor,
        ITrials::closeTrialCall {
            actor: sponsor.address(),
            trial,
        },
    );
    world.stage.told(&done, ITrials::TrialClosed { trial });
    // Whoever has not may still withdraw.
    world.withdraw_by_relay(&cleo);
    let counts = world
        .stage
        .world
        .ask(world.stage.ledger, ITrials::countsOfCall { trial });
    assert_eq!(
        (counts.enrolled, counts.withdrawn, counts.batches, counts.results),
        (3, 2, 3, 1)
    );
    assert_eq!((counts.lockedAt, counts.data), (world.stage.now(), data));
    assert_eq!(world.trial_of().state, state::CLOSED);
}

// ---- Participants --------------------------------------------------------------------------------------------------

#[test]
fn who_has_withdrawn_stands_in_no_later_batch_and_nowhere_again() {
    let mut world = World::running();
    let site = world.site.clone();
    let ann = party(11);
    world.stage.pass(DAY_S);
    world.stage.act(&site, world.batch(1, &[1, 2]));
    world.withdraw_by_relay(&ann);
    let at = world.stage.now();
    world.stage.pass(DAY_S);
    // Of a period in which she still took part, too; alone, and among others.
    for numbers in [&[1][..], &[1, 2]] {
        let refusal = world.not_participating(1);
        world.stage.refused(&site, world.batch(2, numbers), refusal);
    }
    world.stage.act(&site, world.batch(2, &[2]));
    // What was anchored before stands.
    assert!(world.verifies(1, 0, leaf(1, 0)));
    let gone = || ITrials::ConsentWithdrawn {
        participant: ann.address(),
        at,
    };
    // Neither by a consent to a later version, nor by the site, nor by withdrawing again.
    let sponsor = world.sponsor.clone();
    let amend = world.amendment(2, PLAN, false);
    world.stage.act(&sponsor, amend);
    world.stage.refused(&ann, world.consent(&ann, 2), gone());
    world.stage.refused(&site, world.enrolment(&ann), gone());
    world.stage.refused(&ann, world.withdrawal(&ann), gone());
    assert!(!world.may_contribute(1));
    assert_eq!(world.participant(&ann).status, participant::WITHDRAWN);
}

#[test]
fn nobody_is_enrolled_without_their_consent_at_another_site_or_twice() {
    let mut world = World::new(Way::Own);
    world.register();
    let (site, other, ann, ben) = (world.site.clone(), world.other_site.clone(), party(11), party(12));
    world.name(&site);
    let unknown = ITrials::NotParticipant {
        participant: ann.address(),
    };
    world.stage.refused(&site, world.enrolment(&ann), unknown);
    world.consent_by_relay(&ann, 1);
    // Not a site of this trial; named since, but not hers.
    let enrol = ITrials::enrolCall {
        actor: other.address(),
        ..world.enrolment(&ann)
    };
    let not_site = ITrials::NotSite {
        trial: world.trial,
        site: other.address(),
    };
    world.stage.refused(&other, enrol.clone(), not_site);
    world.name(&other);
    let other_site = || ITrials::OtherSite {
        participant: ann.address(),
        site: site.address(),
    };
    world.stage.refused(&other, enrol, other_site());
    let elsewhere = ITrials::consentCall {
        site: other.address(),
        ..world.consent(&ann, 1)
    };
    world.stage.refused(&ann, elsewhere, other_site());
    let again = ITrials::AlreadyConsented {
        participant: ann.address(),
        version: 1,
    };
    world.stage.refused(&ann, world.consent(&ann, 1), again);
    world.enrol(&ann);
    let again = ITrials::AlreadyEnrolled {
        participant: ann.address(),
        number: 1,
    };
    world.stage.refused(&site, world.enrolment(&ann), again);
    // To a version that is not there yet, or not any more.
    for given in [0, 2, u8::MAX] {
        let version = ITrials::TrialVersion { given, expected: 1 };
        world.stage.refused(&ben, world.consent(&ben, given), version);
    }
    world.consent_by_relay(&ben, 1);
    let sponsor = world.sponsor.clone();
    let amend = world.amendment(2, PLAN, true);
    world.stage.act(&sponsor, amend);
    let outdated = ITrials::ConsentOutdated {
        participant: ben.address(),
        version: 1,
        least: 2,
    };
    world.stage.refused(&site, world.enrolment(&ben), outdated);
    // By a site that has lost its licence.
    world.consent_by_relay(&ben, 2);
    world.stage.suspend(site.address());
    let no_site = ITrials::NotCredentialed {
        actor: site.address(),
        roles: role::SITE,
    };
    world.stage.refused(&site, world.enrolment(&ben), no_site);
}

#[test]
fn a_batch_names_nobody_who_was_never_enrolled_there() {
    let mut world = World::running();
    let (site, other) = (world.site.clone(), world.other_site.clone());
    world.name(&other);
    world.stage.pass(DAY_S);
    for number in [0, 3, 255, 256, 32_767] {
        let refusal = world.not_participating(number);
        world.stage.refused(&site, world.batch(1, &[1, number]), refusal);
    }
    // Numbers are each site's own: the other has nobody.
    let foreign = ITrials::anchorBatchCall {
        actor: other.address(),
        ..world.batch(1, &[1])
    };
    let nobody = ITrials::NotParticipating {
        site: other.address(),
        number: 1,
    };
    world.stage.refused(&other, foreign, nobody);
    let with = |world: &World, participants| ITrials::anchorBatchCall {
        participants,
        ..world.batch(1, &[1])
    };
    let most = BATCH_MOST as u32;
    let too_long = |given| ITrials::ListLength { given, most };
    world.stage.refused(&site, with(&world, vec![]), too_long(0));
    world
        .stage
        .refused(&site, with(&world, vec![U256::ONE; BATCH_MOST + 1]), too_long(most + 1));
    world.stage.refused(
        &site,
        with(&world, vec![U256::ZERO; BATCH_MOST]),
        ITrials::NoParticipants {},
    );
    // The longest list that is taken.
    let mut long = vec![U256::ZERO; BATCH_MOST];
    long[0] = U256::from(0b110);
    let done = world.stage.act(&site, with(&world, long));
    assert!(done.gas < 400_000, "{} gas", done.gas);
}

#[test]
fn a_participant_whom_somebody_else_signs_for_has_consented_to_nothing() {
    let mut world = World::running();
    let (site, dora) = (world.site.clone(), party(14));
    let consent = world.consent(&dora, 1);
    let not_actor = ITrials::NotActor {
        caller: site.address(),
        actor: dora.address(),
    };
    world.stage.refused(&site, consent.clone(), not_actor);
    let operation = world.stage.operation(dora.address(), consent.abi_encode());
    let forged = world.stage.sign_operation(&site, operation);
    let bad = IRelay::BadSignature { signer: dora.address() };
    world.stage.refused_at(SUBMITTER, world.stage.world.relay, forged, bad);
    assert_eq!(world.participant(&dora).status, 0);
}

// ---- Plans, data, results ------------------------------------------------------------------------------------------

#[test]
fn a_protocol_stands_before_its_participants_and_is_never_written_over() {
    let mut world = World::new(Way::Own);
    let (sponsor, site, ann, stranger) = (world.sponsor.clone(), world.site.clone(), party(11), party(15));
    let trial = world.trial;
    // Nobody takes part in what is not registered, and no data are older than it.
    let unknown = || ITrials::UnknownTrial { trial };
    world.stage.refused(&ann, world.consent(&ann, 1), unknown());
    world.stage.refused(&site, world.batch(1, &[1]), unknown());
    let not_sponsor = ITrials::NotCredentialed {
        actor: stranger.address(),
        roles: role::SPONSOR,
    };
    let registration = ITrials::registerTrialCall {
        actor: stranger.address(),
        ..world.registration()
    };
    world.stage.refused(&stranger, registration, not_sponsor);
    world.register();
    let registered_at = world.stage.now();
    world.name(&site);
    world.consent_by_relay(&ann, 1);
    world.enrol(&ann);
    world.stage.pass(DAY_S);
    let early = ITrials::anchorBatchCall {
        from: registered_at - 1,
        ..world.batch(1, &[1])
    };
    let before = ITrials::PeriodBeforeRegistration {
        from: registered_at - 1,
        registeredAt: registered_at,
    };
    world.stage.refused(&site, early, before);

    // Once somebody takes part: not registered again, not amended by others, and the first version stays what it was.
    let better = ITrials::registerTrialCall {
        plan: OTHER_PLAN,
        ..world.registration()
    };
    world.stage.refused(&sponsor, better, ITrials::TrialExists { trial });
    let foreign = ITrials::amendTrialCall {
        actor: site.address(),
        ..world.amendment(2, OTHER_PLAN, false)
    };
    let not_sponsor = ITrials::NotSponsor {
        actor: site.address(),
        sponsor: sponsor.address(),
    };
    world.stage.refused(&site, foreign, not_sponsor);
    for given in [0, 1, 3] {
        let version = ITrials::TrialVersion { given, expected: 2 };
        let amend = world.amendment(given, OTHER_PLAN, false);
        world.stage.refused(&sponsor, amend, version);
    }
    let amend = world.amendment(2, OTHER_PLAN, false);
    world.stage.act(&sponsor, amend);
    assert_eq!([1, 2].map(|version| world.version_of(version).plan), [PLAN, OTHER_PLAN]);
    assert_eq!(
        [1, 2].map(|version| world.version_of(version).at),
        [registered_at, world.stage.now()]
    );
    // She need not consent again, and the batch says by which version it came to be.
    world.stage.act(&site, world.batch(1, &[1]));
    assert_eq!(world.batch_of(1).version, 2);
}

#[test]
fn data_are_neither_of_the_future_nor_replaced_nor_anchored_by_a_dismissed_site() {
    let mut world = World::running();
    let (sponsor, site) = (world.sponsor.clone(), world.site.clone());
    world.stage.pass(DAY_S);
    let now = world.stage.now();
    let good = world.batch(1, &[1]);
    let with_period = |from, to| ITrials::anchorBatchCall {
        from,
        to,
        ..good.clone()
    };
    let future = |to| ITrials::PeriodInFuture { to, now };
    world
        .stage
        .refused(&site, with_period(good.from, now + 1), future(now + 1));
    world
        .stage
        .refused(&site, with_period(good.from, u64::MAX), future(u64::MAX));
    for (from, to) in [(now, now), (now, good.from)] {
        world
            .stage
            .refused(&site, with_period(from, to), ITrials::MalformedPeriod { from, to });
    }
    world.stage.act(&site, good.clone());
    let other_data = ITrials::anchorBatchCall {
        root: NOTE,
        ..good.clone()
    };
    let taken = ITrials::SequenceTaken {
        site: site.address(),
        sequence: 1,
    };
    world.stage.refused(&site, other_data, taken);
    assert_eq!(world.batch_of(1).root, good.root);
    let dismiss = |serial| ITrials::setSiteCall {
        actor: sponsor.address(),
        trial: world.trial,
        site: site.address(),
        serial,
        active: false,
    };
    let (stale, current) = (dismiss(0), dismiss(1));
    world
        .stage
        .refused(&sponsor, stale, ITrials::SiteSerial { given: 0, current: 1 });
    world.stage.act(&sponsor, current);
    let not_site = ITrials::NotSite {
        trial: world.trial,
        site: site.address(),
    };
    world.stage.refused(&site, world.batch(2, &[1]), not_site);
    assert!(world.verifies(1, 0, leaf(1, 0)));
}

#[test]
fn results_follow_the_lock_and_nothing_else_does() {
    let mut world = World::running();
    let (sponsor, site, ann, dora) = (world.sponsor.clone(), world.site.clone(), party(11), party(14));
    let trial = world.trial;
    world.consent_by_relay(&dora, 1);
    world.stage.pass(DAY_S);
    let lock = |batches| ITrials::lockDataCall {
        actor: sponsor.address(),
        trial,
        batches,
    };
    let results = |world: &World, version, number| world.results(version, number);
    let in_state = |state| ITrials::TrialState { trial, state };
    world
        .stage
        .refused(&sponsor, results(&world, 1, 0), in_state(state::OPEN));
    let close = ITrials::closeTrialCall {
        actor: sponsor.address(),
        trial,
    };
    world.stage.refused(&sponsor, close.clone(), in_state(state::OPEN));
    // A lock that was signed before the last batch does not leave it out unseen.
    world.stage.act(&site, world.batch(1, &[1]));
    world
        .stage
        .refused(&sponsor, lock(0), ITrials::BatchCount { given: 0, current: 1 });
    let by_site = ITrials::lockDataCall {
        actor: site.address(),
        ..lock(1)
    };
    let not_sponsor = ITrials::NotSponsor {
        actor: site.address(),
        sponsor: sponsor.address(),
    };
    world.stage.refused(&site, by_site, not_sponsor);
    // Though its licence is gone, the sponsor owes the results.
    world.stage.suspend(sponsor.address());
    world.stage.act(&sponsor, lock(1));
    let locked = || in_state(state::LOCKED);
    world.stage.refused(&sponsor, lock(1), locked());
    world.stage.refused(&site, world.batch(2, &[1]), locked());
    world.stage.refused(&site, world.enrolment(&dora), locked());
    world.stage.refused(&ann, world.consent(&ann, 2), locked());
    world
        .stage
        .refused(&sponsor, world.amendment(2, OTHER_PLAN, false), locked());
    // By the plan that stood, once each, and the first stays the first.
    for given in [0, 2] {
        let version = ITrials::TrialVersion { given, expected: 1 };
        world.stage.refused(&sponsor, results(&world, given, 0), version);
    }
    world.stage.act(&sponsor, results(&world, 1, 0));
    let better = ITrials::anchorResultsCall {
        results: PLAN,
        ..world.results(1, 0)
    };
    world
        .stage
        .refused(&sponsor, better.clone(), ITrials::ResultNumber { given: 0, next: 1 });
    world
        .stage
        .act(&sponsor, ITrials::anchorResultsCall { number: 1, ..better });
    assert_eq!(
        [0, 1, 2].map(|number| world.results_of(number)),
        [NOTE, PLAN, B256::ZERO]
    );
    world.stage.act(&sponsor, close.clone());
    world.stage.refused(&sponsor, close, in_state(state::CLOSED));
    world
        .stage
        .refused(&sponsor, results(&world, 1, 2), in_state(state::CLOSED));
}

// ---- Calldata ------------------------------------------------------------------------------------------------------

#[test]
fn lengths_that_lie_about_participants_and_proofs_keep_nothing() {
    let mut world = World::running();
    let site = world.site.clone();
    world.stage.pass(DAY_S);
    let good = world.batch(1, &[1, 2]);
    world.stage.lies_are_refused(site.address(), good.clone(), &[7, 9]);
    // Dirt above an address, a number of 32 bits, and times.
    let trials = world.stage.ledger;
    for word in [0, 2, 3, 4, 6] {
        let mut dirty = good.abi_encode();
        dirty[4 + word * 32] = 1;
        world.stage.refused_in_silence(site.address(), trials, dirty);
    }
    world.stage.act(&site, good);
    let question = world.question(1, 0, leaf(1, 0));
    world.stage.lies_are_refused(SUBMITTER, question, &[5, 6]);
}

// ---- The world -----------------------------------------------------------------------------------------------------

/// A sponsor, and two sites that are not named yet.
struct World {
    stage: Stage,
    sponsor: PrivateKeySigner,
    site: PrivateKeySigner,
    other_site: PrivateKeySigner,
    /// The id that the sponsor's trial has, or will have.
    trial: B256,
}

impl World {
    fn new(way: Way) -> Self {
        let mut stage = Stage::new(way, |world| world.trials);
        let [sponsor, site, other_site] = [1, 2, 3].map(party);
        stage.credential(sponsor.address(), role::SPONSOR);
        stage.credential(site.address(), role::SITE);
        stage.credential(other_site.address(), role::SITE);
        Self {
            stage,
            trial: hash(&[sponsor.address().into_word(), REGISTRATION]),
            sponsor,
            site,
            other_site,
        }
    }

    /// Registered, with a site and two participants: parties 11 and 12.
    fn running() -> Self {
        let mut world = Self::new(Way::Own);
        world.register();
        let site = world.site.clone();
        world.name(&site);
        for number in [11, 12] {
            world.consent_by_relay(&party(number), 1);
            world.enrol(&party(number));
        }
        world
    }

    fn registration(&self) -> ITrials::registerTrialCall {
        ITrials::registerTrialCall {
            actor: self.sponsor.address(),
            registration: REGISTRATION,
            protocol: PROTOCOL,
            plan: PLAN,
            form: FORM,
            document: NOTE,
        }
    }

    fn register(&mut self) -> Done {
        let sponsor = self.sponsor.clone();
        self.stage.act(&sponsor, self.registration())
    }

    fn name(&mut self, site: &PrivateKeySigner) -> Done {
        let sponsor = self.sponsor.clone();
        let call = ITrials::setSiteCall {
            actor: sponsor.address(),
            trial: self.trial,
            site: site.address(),
            serial: 0,
            active: true,
        };
        self.stage.act(&sponsor, call)
    }

    fn amendment(&self, version: u8, plan: B256, reconsent: bool) -> ITrials::amendTrialCall {
        ITrials::amendTrialCall {
            actor: self.sponsor.address(),
            trial: self.trial,
            version,
            protocol: PROTOCOL,
            plan,
            form: FORM,
            reasonCode: amendment::OUTCOMES,
            reconsent,
            document: NOTE,
        }
    }

    fn consent(&self, who: &PrivateKeySigner, version: u8) -> ITrials::consentCall {
        ITrials::consentCall {
            actor: who.address(),
            trial: self.trial,
            site: self.site.address(),
            version,
            document: NOTE,
        }
    }

    fn withdrawal(&self, who: &PrivateKeySigner) -> ITrials::withdrawConsentCall {
        ITrials::withdrawConsentCall {
            actor: who.address(),
            trial: self.trial,
        }
    }

    fn consent_by_relay(&mut self, who: &PrivateKeySigner, version: u8) -> Done {
        self.by_relay(who, self.consent(who, version))
    }

    fn withdraw_by_relay(&mut self, who: &PrivateKeySigner) -> Done {
        self.by_relay(who, self.withdrawal(who))
    }

    /// As participants do, whatever way the others go.
    fn by_relay(&mut self, who: &PrivateKeySigner, call: impl SolCall) -> Done {
        let way = std::mem::replace(&mut self.stage.way, Way::Signed);
        let done = self.stage.act(who, call);
        self.stage.way = way;
        done
    }

    fn enrolment(&self, who: &PrivateKeySigner) -> ITrials::enrolCall {
        ITrials::enrolCall {
            actor: self.site.address(),
            trial: self.trial,
            participant: who.address(),
        }
    }

    fn enrol(&mut self, who: &PrivateKeySigner) -> Done {
        let site = self.site.clone();
        self.stage.act(&site, self.enrolment(who))
    }

    /// The site's, of the last hour.
    fn batch(&self, sequence: u32, numbers: &[u32]) -> ITrials::anchorBatchCall {
        let words = numbers.iter().max().unwrap() / 256 + 1;
        let mut participants = vec![U256::ZERO; words as usize];
        for number in numbers {
            participants[(number / 256) as usize].set_bit((number % 256) as usize, true);
        }
        let to = self.stage.now();
        ITrials::anchorBatchCall {
            actor: self.site.address(),
            trial: self.trial,
            sequence,
            from: to - 60 * 60,
            to,
            root: data_tree(sequence).root().unwrap(),
            count: LEAVES,
            participants,
            document: NOTE,
        }
    }

    fn not_participating(&self, number: u32) -> ITrials::NotParticipating {
        ITrials::NotParticipating {
            site: self.site.address(),
            number,
        }
    }

    fn results(&self, version: u8, number: u8) -> ITrials::anchorResultsCall {
        ITrials::anchorResultsCall {
            actor: self.sponsor.address(),
            trial: self.trial,
            version,
            number,
            results: NOTE,
            document: NOTE,
        }
    }

    fn trial_of(&self) -> ITrials::trialOfReturn {
        self.stage
            .world
            .ask(self.stage.ledger, ITrials::trialOfCall { trial: self.trial })
    }

    fn version_of(&self, version: u8) -> ITrials::versionOfReturn {
        let call = ITrials::versionOfCall {
            trial: self.trial,
            version,
        };
        self.stage.world.ask(self.stage.ledger, call)
    }

    fn participant(&self, who: &PrivateKeySigner) -> ITrials::participantOfReturn {
        let call = ITrials::participantOfCall {
            trial: self.trial,
            participant: who.address(),
        };
        self.stage.world.ask(self.stage.ledger, call)
    }

    fn may_contribute(&self, number: u32) -> bool {
        let call = ITrials::mayContributeCall {
            trial: self.trial,
            site: self.site.address(),
            number,
        };
        self.stage.world.ask(self.stage.ledger, call)
    }

    fn batch_of(&self, sequence: u32) -> ITrials::batchOfReturn {
        let call = ITrials::batchOfCall {
            trial: self.trial,
            site: self.site.address(),
            sequence,
        };
        self.stage.world.ask(self.stage.ledger, call)
    }

    /// Whether `leaf` is number `index` of that batch, with the proof of number `index` of batch 1.
    fn question(&self, sequence: u32, index: u32, leaf: B256) -> ITrials::verifyBatchCall {
        ITrials::verifyBatchCall {
            trial: self.trial,
            site: self.site.address(),
            sequence,
            index,
            leaf,
            proof: data_tree(1).proof(index as usize).unwrap(),
        }
    }

    fn verifies(&self, sequence: u32, index: u32, leaf: B256) -> bool {
        self.stage
            .world
            .ask(self.stage.ledger, self.question(sequence, index, leaf))
    }

    fn results_of(&self, number: u8) -> B256 {
        let call = ITrials::resultsOfCall {
            trial: self.trial,
            number,
        };
        self.stage.world.ask(self.stage.ledger, call)
    }
}

/// Number `index` of batch `sequence`'s data.
fn leaf(sequence: u32, index: u32) -> B256 {
    hash(&[U256::from(sequence).into(), U256::from(index).into()])
}

fn data_tree(sequence: u32) -> Tree {
    let leaves: Vec<_> = (0..LEAVES).map(|index| leaf(sequence, index)).collect();
    tree(&leaves)
}
