use std::collections::BTreeSet;

use alloy_primitives::{FixedBytes, keccak256};
use alloy_sol_types::{SolCall, SolValue};
use medlock_abi::trials::ITrials::ITrialsEvents as Event;
use stylus_sdk::testing::TestVM;

use super::*;

mod data;
mod history;
mod people;

const REGISTRY: Address = Address::new(link::REGISTRY);
const RELAY: Address = Address::new(link::RELAY);
const SPONSOR: Address = Address::repeat_byte(0x01);
const OTHER_SPONSOR: Address = Address::repeat_byte(0x02);
const SITE: Address = Address::repeat_byte(0x03);
const OTHER_SITE: Address = Address::repeat_byte(0x04);
const ALICE: Address = Address::repeat_byte(0x05);
const BOB: Address = Address::repeat_byte(0x06);
const STRANGER: Address = Address::repeat_byte(0x07);
const NOW: u64 = 1_800_000_000;
const DAY: u64 = 24 * 60 * 60;
const REGISTRATION: B256 = FixedBytes::repeat_byte(0x10);
const OTHER_REGISTRATION: B256 = FixedBytes::repeat_byte(0x11);
const PROTOCOL: B256 = FixedBytes::repeat_byte(0x20);
const PLAN: B256 = FixedBytes::repeat_byte(0x21);
const FORM: B256 = FixedBytes::repeat_byte(0x22);
const DOCUMENT: B256 = FixedBytes::repeat_byte(0xd0);
const ROOT: B256 = FixedBytes::repeat_byte(0x30);
const RESULTS: B256 = FixedBytes::repeat_byte(0x40);

/// The contract, and a registry that knows these sponsors and sites.
///
/// The test VM answers a static call that it was not told of with success, and hands out the data of the answer mocked last. So what
/// is to fail is mocked as a failure, and what is to succeed is mocked behind it.
struct World {
    vm: TestVM,
    trials: Trials,
    roles: BTreeSet<(Address, u64)>,
    /// How many events [`World::events`] has told.
    told: usize,
}

impl World {
    fn new() -> Self {
        let vm = TestVM::new();
        vm.set_block_timestamp(NOW);
        let trials = Trials::from(&vm);
        Self {
            vm,
            trials,
            roles: BTreeSet::from([
                (SPONSOR, role::SPONSOR),
                (OTHER_SPONSOR, role::SPONSOR),
                (SITE, role::SITE),
                (OTHER_SITE, role::SITE),
            ]),
            told: 0,
        }
    }

    /// The contract, called by `sender`; the registry says what it knows of `actor`.
    fn called(&mut self, sender: Address, actor: Address) -> &mut Trials {
        let mut answers = [role::SPONSOR, role::SITE].map(|roles| (self.roles.contains(&(actor, roles)), roles));
        answers.sort_unstable();
        for (has, roles) in answers {
            let answer = if has { Ok(word(1)) } else { Err(vec![]) };
            self.registry_says(actor, roles, answer);
        }
        self.vm.set_sender(sender);
        &mut self.trials
    }

    fn by(&mut self, actor: Address) -> &mut Trials {
        self.called(actor, actor)
    }

    fn registry_says(&self, party: Address, roles: u64, answer: Result<Vec<u8>, Vec<u8>>) {
        let call = hasRolesCall { party, roles };
        self.vm.mock_static_call(REGISTRY, call.abi_encode(), answer);
    }

    fn at(&self, now: u64) {
        self.vm.set_block_timestamp(now);
    }

    /// The events since this was asked last.
    fn events(&mut self) -> Vec<Event> {
        let logs = self.vm.get_emitted_logs();
        let new = logs[self.told..]
            .iter()
            .map(|(topics, data)| alloy_sol_types::SolEventInterface::decode_raw_log(topics, data).unwrap())
            .collect();
        self.told = logs.len();
        new
    }

    fn register_as(&mut self, sponsor: Address, registration: B256) -> Result<B256, Error> {
        self.by(sponsor)
            .register_trial(sponsor, registration, PROTOCOL, PLAN, FORM, DOCUMENT)
    }

    /// A trial with one site.
    fn register(&mut self) -> B256 {
        let trial = self.register_as(SPONSOR, REGISTRATION).unwrap();
        self.set_site(SPONSOR, trial, SITE, true).unwrap();
        trial
    }

    fn set_site(&mut self, actor: Address, trial: B256, site: Address, active: bool) -> Result<(), Error> {
        let serial = self.trials.site_of(trial, site).0;
        self.by(actor).set_site(actor, trial, site, serial, active)
    }

    /// Appends the next version.
    fn amend(&mut self, trial: B256, reconsent: bool) -> Result<(), Error> {
        let version = self.trials.trial_of(trial).2 + 1;
        self.by(SPONSOR).amend_trial(
            SPONSOR,
            trial,
            version,
            PROTOCOL,
            PLAN,
            FORM,
            amendment::SAFETY,
            reconsent,
            DOCUMENT,
        )
    }

    fn consent(&mut self, participant: Address, trial: B256) -> Result<(), Error> {
        let version = self.trials.trial_of(trial).2;
        self.by(participant)
            .consent(participant, trial, SITE, version, DOCUMENT)
    }

    fn enrol(&mut self, trial: B256, participant: Address) -> Result<(), Error> {
        self.by(SITE).enrol(SITE, trial, participant)
    }

    /// Consented and enrolled; gives the number.
    fn take_in(&mut self, trial: B256, participant: Address) -> u32 {
        self.consent(participant, trial).unwrap();
        self.enrol(trial, participant).unwrap();
        self.trials.participant_of(trial, participant).1
    }

    fn withdraw(&mut self, participant: Address, trial: B256) -> Result<(), Error> {
        self.by(participant).withdraw_consent(participant, trial)
    }

    /// The site's data of the last second.
    fn anchor(&mut self, trial: B256, sequence: u32, numbers: &[u32]) -> Result<(), Error> {
        let now = self.vm.block_timestamp();
        let participants = bits(numbers);
        self.by(SITE)
            .anchor_batch(SITE, trial, sequence, now - 1, now, ROOT, 3, participants, DOCUMENT)
    }

    fn lock(&mut self, trial: B256) {
        let batches = self.trials.counts_of(trial).2;
        self.by(SPONSOR).lock_data(SPONSOR, trial, batches).unwrap();
    }

    fn results(&mut self, trial: B256) -> Result<(), Error> {
        let (version, number) = (self.trials.trial_of(trial).2, self.trials.counts_of(trial).3);
        self.by(SPONSOR)
            .anchor_results(SPONSOR, trial, version, number, RESULTS, DOCUMENT)
    }

    /// What the sponsor may do, by `actor`, called by `sender`.
    fn every_method_of_sponsors(&mut self, sender: Address, actor: Address, trial: B256) -> Vec<Result<(), Error>> {
        let version = self.trials.trial_of(trial).2;
        let batches = self.trials.counts_of(trial).2;
        vec![
            self.called(sender, actor)
                .amend_trial(actor, trial, version + 1, PROTOCOL, PLAN, FORM, 1, false, DOCUMENT),
            self.called(sender, actor).set_site(actor, trial, OTHER_SITE, 0, true),
            self.called(sender, actor).lock_data(actor, trial, batches),
            self.called(sender, actor)
                .anchor_results(actor, trial, version + 1, 0, RESULTS, DOCUMENT),
            self.called(sender, actor).close_trial(actor, trial),
        ]
    }
}

fn word(number: u8) -> Vec<u8> {
    B256::with_last_byte(number).to_vec()
}

/// Words with a bit for each number.
fn bits(numbers: &[u32]) -> Vec<U256> {
    let most = numbers.iter().max().copied().unwrap_or_default();
    let mut words = vec![U256::ZERO; (most / WORD_BITS) as usize + 1];
    for number in numbers {
        words[(number / WORD_BITS) as usize].set_bit((number % WORD_BITS) as usize, true);
    }
    words
}

fn not_credentialed(actor: Address, roles: u64) -> Error {
    ITrials::NotCredentialed { actor, roles }.into()
}

fn state(trial: B256, state: u8) -> Error {
    ITrials::TrialState { trial, state }.into()
}

#[test]
fn its_neighbours_are_constants_of_its_code() {
    let vm = TestVM::new();
    assert_eq!(Trials::from(&vm).neighbours(), (REGISTRY, RELAY));
    // What lies in storage changes none of them.
    for slot in 0..8 {
        vm.set_storage(U256::from(slot), STRANGER.into_word());
    }
    assert_eq!(Trials::from(&vm).neighbours(), (REGISTRY, RELAY));
}

#[test]
fn the_actor_or_the_relay_speaks_for_the_actor_and_nobody_else() {
    let mut world = World::new();
    let trial = world.register();
    world.take_in(trial, ALICE);
    world.at(NOW + 1);
    world.events();
    for caller in [STRANGER, REGISTRY, OTHER_SPONSOR, OTHER_SITE, SITE, BOB] {
        let not_actor = |actor| Err(ITrials::NotActor { caller, actor }.into());
        for outcome in world.every_method_of_sponsors(caller, SPONSOR, trial) {
            assert_eq!(outcome, not_actor(SPONSOR));
        }
        let outcome =
            world
                .called(caller, SPONSOR)
                .register_trial(SPONSOR, OTHER_REGISTRATION, PROTOCOL, PLAN, FORM, DOCUMENT);
        assert_eq!(outcome.map(drop), not_actor(SPONSOR));
        let outcome = world.called(caller, ALICE).consent(ALICE, trial, SITE, 1, DOCUMENT);
        assert_eq!(outcome, not_actor(ALICE));
        let outcome = world.called(caller, ALICE).withdraw_consent(ALICE, trial);
        assert_eq!(outcome, not_actor(ALICE));
        if caller != SITE {
            assert_eq!(world.called(caller, SITE).enrol(SITE, trial, BOB), not_actor(SITE));
            let outcome =
                world
                    .called(caller, SITE)
                    .anchor_batch(SITE, trial, 1, NOW, NOW + 1, ROOT, 1, bits(&[1]), DOCUMENT);
            assert_eq!(outcome, not_actor(SITE));
        }
    }
    // The relay has no right of its own.
    for outcome in world.every_method_of_sponsors(RELAY, RELAY, trial) {
        let not_sponsor = ITrials::NotSponsor {
            actor: RELAY,
            sponsor: SPONSOR,
        };
        assert_eq!(outcome, Err(not_sponsor.into()));
    }
    assert_eq!(
        world.by(RELAY).enrol(RELAY, trial, ALICE),
        Err(ITrials::NotSite { trial, site: RELAY }.into())
    );
    assert_eq!(world.events(), []);

    world.called(RELAY, BOB).consent(BOB, trial, SITE, 1, DOCUMENT).unwrap();
    world.called(RELAY, SITE).enrol(SITE, trial, BOB).unwrap();
    world
        .called(RELAY, SITE)
        .anchor_batch(SITE, trial, 1, NOW, NOW + 1, ROOT, 1, bits(&[2]), DOCUMENT)
        .unwrap();
    world.called(RELAY, BOB).withdraw_consent(BOB, trial).unwrap();
    for outcome in world.every_method_of_sponsors(RELAY, SPONSOR, trial) {
        outcome.unwrap();
    }
    assert_eq!(world.trials.trial_of(trial).4, terms::CLOSED);
}

#[test]
fn a_trial_is_registered_once_and_by_a_current_sponsor_alone() {
    let mut world = World::new();
    let trial = world.register_as(SPONSOR, REGISTRATION).unwrap();
    assert_eq!(trial, keccak256((SPONSOR, REGISTRATION).abi_encode()));
    assert_eq!(
        world.events(),
        [Event::TrialRegistered(ITrials::TrialRegistered {
            trial,
            sponsor: SPONSOR,
            registration: REGISTRATION,
            protocol: PROTOCOL,
            plan: PLAN,
            form: FORM,
            document: DOCUMENT,
        })]
    );
    assert_eq!(world.trials.trial_of(trial), (SPONSOR, NOW, 1, 1, terms::OPEN));
    assert_eq!(world.trials.version_of(trial, 1), (PROTOCOL, PLAN, FORM, NOW, 0, false));
    assert_eq!(world.trials.counts_of(trial), (0, 0, 0, 0, 0, B256::ZERO));

    // A protocol that suits the results better does not take its place.
    let exists = Err(ITrials::TrialExists { trial }.into());
    assert_eq!(world.register_as(SPONSOR, REGISTRATION), exists);
    let outcome = world
        .by(SPONSOR)
        .register_trial(SPONSOR, REGISTRATION, ROOT, ROOT, ROOT, DOCUMENT);
    assert_eq!(outcome, exists);
    assert_ne!(world.register_as(OTHER_SPONSOR, REGISTRATION), Ok(trial));
    for party in [SITE, STRANGER, ALICE] {
        assert_eq!(
            world.register_as(party, REGISTRATION),
            Err(not_credentialed(party, role::SPONSOR))
        );
    }
    let zero = Err(ITrials::ZeroDigest {}.into());
    for at in 0..4 {
        let mut digests = [OTHER_REGISTRATION, PROTOCOL, PLAN, FORM];
        digests[at] = B256::ZERO;
        let [registration, protocol, plan, form] = digests;
        let outcome = world
            .by(SPONSOR)
            .register_trial(SPONSOR, registration, protocol, plan, form, B256::ZERO);
        assert_eq!(outcome, zero);
    }
}

#[test]
fn nobody_takes_part_before_the_protocol_is_registered() {
    let mut world = World::new();
    let trial = keccak256((SPONSOR, REGISTRATION).abi_encode());
    let unknown = || Err(ITrials::UnknownTrial { trial }.into());
    assert_eq!(world.by(ALICE).consent(ALICE, trial, SITE, 1, DOCUMENT), unknown());
    assert_eq!(world.by(SITE).enrol(SITE, trial, ALICE), unknown());
    let outcome = world
        .by(SITE)
        .anchor_batch(SITE, trial, 1, NOW - 1, NOW, ROOT, 1, bits(&[1]), DOCUMENT);
    assert_eq!(outcome, unknown());
    for outcome in world.every_method_of_sponsors(SPONSOR, SPONSOR, trial) {
        assert_eq!(outcome, unknown());
    }
    assert_eq!(
        world.withdraw(ALICE, trial),
        Err(ITrials::NotParticipant { participant: ALICE }.into())
    );
    assert_eq!(world.events(), []);
    // Nor do data of a time before it come in afterwards.
    world.register();
    world.take_in(trial, ALICE);
    world.at(NOW + 10);
    let outcome = world
        .by(SITE)
        .anchor_batch(SITE, trial, 1, NOW - 1, NOW + 1, ROOT, 1, bits(&[1]), DOCUMENT);
    let before = ITrials::PeriodBeforeRegistration {
        from: NOW - 1,
        registeredAt: NOW,
    };
    assert_eq!(outcome, Err(before.into()));
    world
        .by(SITE)
        .anchor_batch(SITE, trial, 1, NOW, NOW + 1, ROOT, 1, bits(&[1]), DOCUMENT)
        .unwrap();
}

#[test]
fn amendments_are_appended_and_earlier_versions_stay() {
    let mut world = World::new();
    let trial = world.register();
    world.at(NOW + 5);
    world.events();
    let mut amend = |actor, version, [protocol, plan, form]: [B256; 3], reason, reconsent| {
        world
            .by(actor)
            .amend_trial(actor, trial, version, protocol, plan, form, reason, reconsent, DOCUMENT)
    };
    let other = [ROOT, RESULTS, FORM];
    for given in [0, 1, 3, u8::MAX] {
        let version = ITrials::TrialVersion { given, expected: 2 };
        assert_eq!(amend(SPONSOR, given, other, 1, false), Err(version.into()));
    }
    for at in 0..3 {
        let mut digests = other;
        digests[at] = B256::ZERO;
        assert_eq!(amend(SPONSOR, 2, digests, 1, false), Err(ITrials::ZeroDigest {}.into()));
    }
    for code in [0, 8, u8::MAX] {
        assert_eq!(
            amend(SPONSOR, 2, other, code, false),
            Err(ITrials::UnknownReasonCode { reasonCode: code }.into())
        );
    }
    for actor in [OTHER_SPONSOR, SITE, STRANGER] {
        let not_sponsor = ITrials::NotSponsor {
            actor,
            sponsor: SPONSOR,
        };
        assert_eq!(amend(actor, 2, other, 1, false), Err(not_sponsor.into()));
    }
    amend(SPONSOR, 2, other, amendment::OUTCOMES, false).unwrap();
    // Signed once, sent twice.
    let version = ITrials::TrialVersion { given: 2, expected: 3 };
    assert_eq!(
        amend(SPONSOR, 2, other, amendment::OUTCOMES, false),
        Err(version.into())
    );
    amend(SPONSOR, 3, other, amendment::SAFETY, true).unwrap();
    assert_eq!(
        world.events(),
        [(2, amendment::OUTCOMES, false), (3, amendment::SAFETY, true)].map(|(version, reason_code, reconsent)| {
            Event::TrialAmended(ITrials::TrialAmended {
                trial,
                version,
                protocol: ROOT,
                plan: RESULTS,
                form: FORM,
                reasonCode: reason_code,
                reconsent,
                document: DOCUMENT,
            })
        })
    );
    assert_eq!(world.trials.trial_of(trial), (SPONSOR, NOW, 3, 3, terms::OPEN));
    assert_eq!(world.trials.version_of(trial, 1), (PROTOCOL, PLAN, FORM, NOW, 0, false));
    assert_eq!(
        world.trials.version_of(trial, 2),
        (ROOT, RESULTS, FORM, NOW + 5, amendment::OUTCOMES, false)
    );
    assert_eq!(
        world.trials.version_of(trial, 3),
        (ROOT, RESULTS, FORM, NOW + 5, amendment::SAFETY, true)
    );
    world.roles.clear();
    assert_eq!(world.amend(trial, false), Err(not_credentialed(SPONSOR, role::SPONSOR)));
}

#[test]
fn versions_and_results_come_to_an_end() {
    let mut world = World::new();
    let trial = world.register();
    for _ in 1..terms::VERSIONS_MOST {
        world.amend(trial, false).unwrap();
    }
    for version in [0, 1, u8::MAX] {
        let outcome = world
            .by(SPONSOR)
            .amend_trial(SPONSOR, trial, version, PROTOCOL, PLAN, FORM, 1, true, DOCUMENT);
        assert_eq!(outcome, Err(ITrials::TooManyVersions { most: 255 }.into()));
    }
    world.consent(ALICE, trial).unwrap();
    world.lock(trial);
    for _ in 0..terms::RESULTS_MOST {
        world.results(trial).unwrap();
    }
    assert_eq!(world.results(trial), Err(ITrials::TooManyResults { most: 255 }.into()));
    assert_eq!(world.trials.results_of(trial, 254), RESULTS);
    assert_eq!(world.trials.results_of(trial, 255), B256::ZERO);
}

#[test]
fn sites_are_named_by_the_sponsor_and_no_old_signature_brings_one_back() {
    let mut world = World::new();
    let trial = world.register();
    world.events();
    let serial = |given, current| Err(ITrials::SiteSerial { given, current }.into());
    // What named the site, sent again.
    assert_eq!(world.by(SPONSOR).set_site(SPONSOR, trial, SITE, 0, true), serial(0, 1));
    assert_eq!(
        world.by(SPONSOR).set_site(SPONSOR, trial, SITE, 1, true),
        Err(ITrials::SiteUnchanged {
            site: SITE,
            active: true
        }
        .into())
    );
    assert_eq!(
        world.set_site(SPONSOR, trial, OTHER_SITE, false),
        Err(ITrials::SiteUnchanged {
            site: OTHER_SITE,
            active: false
        }
        .into())
    );
    assert_eq!(
        world.set_site(SPONSOR, trial, Address::ZERO, true),
        Err(ITrials::ZeroAddress {}.into())
    );
    world.take_in(trial, ALICE);
    world.consent(BOB, trial).unwrap();
    world.set_site(SPONSOR, trial, SITE, false).unwrap();
    assert_eq!(world.by(SPONSOR).set_site(SPONSOR, trial, SITE, 0, true), serial(0, 2));
    let not_site = || Err(ITrials::NotSite { trial, site: SITE }.into());
    world.at(NOW + 1);
    assert_eq!(world.enrol(trial, BOB), not_site());
    assert_eq!(world.anchor(trial, 1, &[1]), not_site());
    assert_eq!(world.consent(STRANGER, trial), not_site());
    world.withdraw(BOB, trial).unwrap();
    world.set_site(SPONSOR, trial, SITE, true).unwrap();
    assert_eq!(world.trials.site_of(trial, SITE), (3, true, 1, 0, 0));
    world.anchor(trial, 1, &[1]).unwrap();
    // Without a credential: none is named, one is dismissed.
    world.roles.remove(&(SPONSOR, role::SPONSOR));
    assert_eq!(
        world.set_site(SPONSOR, trial, OTHER_SITE, true),
        Err(not_credentialed(SPONSOR, role::SPONSOR))
    );
    world.set_site(SPONSOR, trial, SITE, false).unwrap();
}

/// Where no registry is at its address, a call succeeds and says nothing.
#[test]
fn without_an_answer_of_the_registry_nobody_has_a_role() {
    let mut world = World::new();
    let trial = world.register();
    world.take_in(trial, ALICE);
    world.consent(BOB, trial).unwrap();
    world.at(NOW + 1);
    world.events();
    for answer in [Ok(vec![]), Ok(word(0)), Ok(word(2)), Err(word(1))] {
        world.vm.set_sender(SPONSOR);
        world.registry_says(SPONSOR, role::SPONSOR, answer.clone());
        assert_eq!(
            world
                .trials
                .register_trial(SPONSOR, OTHER_REGISTRATION, PROTOCOL, PLAN, FORM, DOCUMENT),
            Err(not_credentialed(SPONSOR, role::SPONSOR))
        );
        world.vm.set_sender(SITE);
        world.registry_says(SITE, role::SITE, answer);
        assert_eq!(
            world.trials.enrol(SITE, trial, BOB),
            Err(not_credentialed(SITE, role::SITE))
        );
        assert_eq!(
            world
                .trials
                .anchor_batch(SITE, trial, 1, NOW, NOW + 1, ROOT, 1, bits(&[1]), DOCUMENT),
            Err(not_credentialed(SITE, role::SITE))
        );
    }
    assert_eq!(world.events(), []);
}

#[test]
fn what_is_not_there_is_all_zero() {
    let world = World::new();
    let nothing = B256::repeat_byte(0x77);
    assert_eq!(world.trials.trial_of(nothing), (Address::ZERO, 0, 0, 0, 0));
    assert_eq!(world.trials.counts_of(nothing), (0, 0, 0, 0, 0, B256::ZERO));
    let zero = B256::ZERO;
    assert_eq!(world.trials.version_of(nothing, 1), (zero, zero, zero, 0, 0, false));
    assert_eq!(world.trials.site_of(nothing, SITE), (0, false, 0, 0, 0));
    assert_eq!(world.trials.participant_of(nothing, ALICE), (Address::ZERO, 0, 0, 0, 0));
    assert!(!world.trials.may_contribute(nothing, SITE, 0));
    assert_eq!(world.trials.batch_of(nothing, SITE, 1), (zero, 0, 0, 0, 0, 0, 0));
    assert!(!world.trials.verify_batch(nothing, SITE, 1, 0, ROOT, vec![]));
    assert_eq!(world.trials.results_of(nothing, 0), zero);
}

#[test]
fn words_are_packed_as_solidity_packs_them() {
    let word = |hex: &str| hex.replace(' ', "").parse::<B256>().unwrap();
    let party = Address::repeat_byte(0xaa);
    const PARTY: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    let head = TrialHead {
        sponsor: party,
        registered_at: 0x11_1111_1112,
        version: 0x22,
        consent_version: 0x33,
        state: 0x44,
        results: 0x55,
    };
    assert_eq!(head.to_word(), word(&format!("000000 55 44 33 22 1111111112 {PARTY}")));
    assert_eq!(TrialHead::from_word(head.to_word()), head);

    let counts = Counts {
        enrolled: 0x1111_1112,
        withdrawn: 0x2222_2223,
        batches: 0x3333_3334,
        locked_at: 0x44_4444_4445,
    };
    assert_eq!(
        counts.to_word(),
        word("000000000000000000000000000000 4444444445 33333334 22222223 11111112")
    );
    assert_eq!(Counts::from_word(counts.to_word()), counts);

    let version = VersionHead {
        at: 0x11_1111_1112,
        reason_code: 0x22,
        reconsent: true,
    };
    assert_eq!(
        version.to_word(),
        word("00000000000000000000000000000000000000000000000000 01 22 1111111112")
    );
    assert_eq!(VersionHead::from_word(version.to_word()), version);

    let site = Site {
        serial: 0x1111_1112,
        active: true,
        enrolled: 0x2222_2223,
        withdrawn: 0x3333_3334,
        last: 0x4444_4445,
    };
    assert_eq!(
        site.to_word(),
        word("000000000000000000000000000000 44444445 33333334 22222223 01 11111112")
    );
    assert_eq!(Site::from_word(site.to_word()), site);

    let participant = Participant {
        site: party,
        number: 0x1111_1112,
        version: 0x22,
        status: 0x33,
        at: 0x44_4444_4445,
    };
    assert_eq!(
        participant.to_word(),
        word(&format!("00 4444444445 33 22 11111112 {PARTY}"))
    );
    assert_eq!(Participant::from_word(participant.to_word()), participant);

    let batch = BatchHead {
        count: 0x1111_1112,
        from: 0x22_2222_2223,
        to: 0x33_3333_3334,
        anchored_at: 0x44_4444_4445,
        flags: 0x55,
        version: 0x66,
    };
    assert_eq!(
        batch.to_word(),
        word("0000000000000000000000 66 55 4444444445 3333333334 2222222223 11111112")
    );
    assert_eq!(BatchHead::from_word(batch.to_word()), batch);
}
