//! Random histories of calls, sound and unsound, by many parties on two trials: a model of the rules, participant by participant, says
//! what each call answers, to the very error; and the events alone give back every storage word.
use std::collections::BTreeMap;

use medlock_dice::Dice;

use super::*;

const PARTIES: [Address; 8] = [
    SPONSOR,
    OTHER_SPONSOR,
    SITE,
    OTHER_SITE,
    ALICE,
    BOB,
    STRANGER,
    Address::repeat_byte(0x08),
];
const SITES: [Address; 2] = [SITE, OTHER_SITE];
const PEOPLE: [Address; 4] = [ALICE, BOB, STRANGER, Address::repeat_byte(0x08)];
const HISTORIES: u64 = 12;
const CALLS: usize = 250;
const METHODS: [&str; 10] = [
    "registerTrial",
    "amendTrial",
    "setSite",
    "consent",
    "enrol",
    "withdrawConsent",
    "anchorBatch",
    "lockData",
    "anchorResults",
    "closeTrial",
];
/// What the dice must have brought about; the rest has tests of its own.
const ERRORS: [&str; 20] = [
    "NotActor",
    "NotCredentialed",
    "TrialExists",
    "UnknownTrial",
    "NotSponsor",
    "TrialState",
    "TrialVersion",
    "SiteSerial",
    "SiteUnchanged",
    "NotSite",
    "NotParticipant",
    "OtherSite",
    "ConsentWithdrawn",
    "AlreadyConsented",
    "ConsentOutdated",
    "AlreadyEnrolled",
    "SequenceTaken",
    "NotParticipating",
    "BatchCount",
    "ResultNumber",
];

#[test]
fn each_call_answers_as_the_model_does_and_events_alone_give_back_every_storage_word() {
    let mut seen = BTreeSet::new();
    let mut errors = BTreeSet::new();
    let mut flags = BTreeSet::new();
    for seed in 0..HISTORIES {
        let mut world = World::new();
        let mut model = Model::new(&world);
        let mut dice = Dice(seed);
        let mut replay = Replay::default();
        for step in 0..CALLS {
            model.now += if dice.one_in(8) {
                dice.below(flag::LATE_S)
            } else {
                dice.below(4)
            };
            world.at(model.now);
            lose_or_regain(&mut world, &mut model, &mut dice);
            let call = Call::any(&model, &mut dice);
            let name = call.name();
            let expected = model.answer(&call);
            let outcome = call.make(&mut world);
            assert_eq!(outcome, expected, "seed {seed}, call {step}: {call:?}");
            seen.insert((name, outcome.is_ok()));
            if let Err(error) = &outcome {
                let text = format!("{error:?}");
                errors.insert(text.split('(').next().unwrap().to_owned());
            }
            let events = world.events();
            assert_eq!(events.len(), usize::from(outcome.is_ok()), "{name}");
            for event in &events {
                if let Event::BatchAnchored(batch) = event {
                    flags.insert(batch.flags);
                }
                replay.apply(event, model.now);
            }
            same_answers(&world, &model, &mut dice);
            // Every word takes a hash, which is slow without optimisation.
            if step % 16 == 0 || step + 1 == CALLS {
                assert_eq!(stored(&world.vm), replay.words(), "seed {seed}, call {step}: {call:?}");
            }
        }
    }
    for name in METHODS {
        for outcome in [false, true] {
            assert!(seen.contains(&(name, outcome)), "{name} {outcome}");
        }
    }
    for error in ERRORS {
        assert!(errors.contains(error), "{error}");
    }
    for (name, bit) in flag::ALL {
        assert!(flags.iter().any(|flags| flags & bit != 0), "{name}");
    }
    assert!(flags.contains(&0));
}

fn lose_or_regain(world: &mut World, model: &mut Model, dice: &mut Dice) {
    if dice.one_in(30) {
        let all: Vec<_> = World::new().roles.into_iter().collect();
        let role = dice.pick(&all);
        if !world.roles.remove(&role) {
            world.roles.insert(role);
        }
        model.roles = world.roles.clone();
    }
}

/// Every view of a trial, against the model's participants.
fn same_answers(world: &World, model: &Model, dice: &mut Dice) {
    let ids: Vec<B256> = model.trials.keys().copied().collect();
    if ids.is_empty() {
        return;
    }
    let id = dice.pick(&ids);
    let of = &model.trials[&id];
    let version = of.versions.len() as u8;
    let (sponsor, registered_at, current, wanted, state) = world.trials.trial_of(id);
    assert_eq!(
        (sponsor, registered_at, current, wanted, state),
        (of.sponsor, of.registered_at, version, of.wanted, of.state)
    );
    let enrolled = of.people.values().filter(|person| person.number != 0);
    let withdrawn = enrolled.clone().filter(|person| person.withdrawn_at.is_some());
    let counts = world.trials.counts_of(id);
    assert_eq!(
        (counts.0 as usize, counts.1 as usize, counts.2 as usize),
        (enrolled.count(), withdrawn.count(), of.batches.len())
    );
    assert_eq!((counts.3 as usize, counts.5), (of.results.len(), of.data));
    let asked = 1 + dice.below(u64::from(version)) as u8;
    assert_eq!(
        world.trials.version_of(id, asked).2,
        of.versions[usize::from(asked) - 1]
    );
    for site in SITES {
        let (serial, active, people, gone, last) = world.trials.site_of(id, site);
        let named = of.sites.get(&site).copied().unwrap_or_default();
        assert_eq!((serial, active), named);
        let there: Vec<_> = of
            .people
            .values()
            .filter(|person| person.site == site && person.number != 0)
            .collect();
        assert_eq!(people as usize, there.len());
        assert_eq!(
            gone as usize,
            there.iter().filter(|person| person.withdrawn_at.is_some()).count()
        );
        let sequences = of
            .batches
            .keys()
            .filter(|(of, _)| *of == site)
            .map(|(_, number)| *number);
        assert_eq!(last, sequences.max().unwrap_or_default());
        for number in 0..6 {
            assert_eq!(
                world.trials.may_contribute(id, site, number),
                of.may_contribute(site, number)
            );
        }
    }
    for participant in PEOPLE {
        let (site, number, version, status, at) = world.trials.participant_of(id, participant);
        match of.people.get(&participant) {
            None => assert_eq!((site, number, version, status, at), (Address::ZERO, 0, 0, 0, 0)),
            Some(person) => {
                assert_eq!((site, number, version), (person.site, person.number, person.version));
                let expected = match person.withdrawn_at {
                    Some(at) => (status::WITHDRAWN, at),
                    None if number != 0 => (status::ENROLLED, person.since),
                    None => (status::CONSENTED, person.since),
                };
                assert_eq!((status, at), expected);
            }
        }
    }
}

/// One call, whole.
#[derive(Debug, Clone)]
struct Call {
    sender: Address,
    actor: Address,
    trial: B256,
    what: What,
}

#[derive(Debug, Clone)]
enum What {
    Register {
        registration: B256,
    },
    Amend {
        version: u8,
        form: B256,
        reconsent: bool,
    },
    SetSite {
        site: Address,
        serial: u32,
        active: bool,
    },
    Consent {
        site: Address,
        version: u8,
    },
    Enrol {
        participant: Address,
    },
    Withdraw,
    Anchor {
        sequence: u32,
        from: u64,
        to: u64,
        root: B256,
        named: Vec<u32>,
    },
    Lock {
        batches: u32,
    },
    Results {
        version: u8,
        number: u8,
    },
    Close,
}

impl Call {
    /// Mostly one that may be made.
    fn any(model: &Model, dice: &mut Dice) -> Self {
        let ids: Vec<B256> = model.trials.keys().copied().collect();
        let trial = if ids.is_empty() || dice.one_in(40) {
            B256::repeat_byte(0x77)
        } else {
            dice.pick(&ids)
        };
        let none = ModelTrial::default();
        let of = model.trials.get(&trial).unwrap_or(&none);
        let version = (of.versions.len() as u8).wrapping_sub(u8::from(dice.one_in(12)));
        let person = dice.pick(&PEOPLE);
        let site = dice.pick(&SITES);
        let named_site = of.people.get(&person).map_or(site, |person| person.site);
        let own_site = if dice.one_in(6) { site } else { named_site };
        let (mut actor, what) = match dice.below(60) {
            0 | 1 => {
                let registration = dice.pick(&[REGISTRATION, OTHER_REGISTRATION]);
                (dice.pick(&[SPONSOR, OTHER_SPONSOR]), What::Register { registration })
            }
            2..5 => {
                let form = B256::from(U256::from(1 + dice.below(1 << 30)));
                let reconsent = dice.one_in(3);
                let version = version.wrapping_add(1);
                (
                    of.sponsor,
                    What::Amend {
                        version,
                        form,
                        reconsent,
                    },
                )
            }
            5..11 => {
                let (serial, active) = of.sites.get(&site).copied().unwrap_or_default();
                let serial = serial + u32::from(dice.one_in(8));
                let active = active == dice.one_in(8);
                (of.sponsor, What::SetSite { site, serial, active })
            }
            11..24 => (
                person,
                What::Consent {
                    site: own_site,
                    version,
                },
            ),
            24..34 => (own_site, What::Enrol { participant: person }),
            34..37 => (person, What::Withdraw),
            37..57 => {
                let last = of
                    .batches
                    .keys()
                    .filter(|(of, _)| *of == site)
                    .map(|(_, number)| *number)
                    .max();
                let sequence = last.unwrap_or_default() + 1;
                let sequence = match dice.below(6) {
                    0 => sequence + dice.below(3) as u32,
                    1 => 1 + dice.below(u64::from(sequence)) as u32,
                    _ => sequence,
                };
                let span = (model.now - of.registered_at).max(2);
                let from = of.registered_at + dice.below(span);
                let to = from + dice.below(model.now + 2 - from.min(model.now));
                let named: Vec<u32> = (0..6)
                    .filter(|number| {
                        if of.may_contribute(site, *number) {
                            !dice.one_in(3)
                        } else {
                            dice.one_in(20)
                        }
                    })
                    .collect();
                let root = B256::from(U256::from(1 + dice.below(1 << 30)));
                (
                    site,
                    What::Anchor {
                        sequence,
                        from,
                        to,
                        root,
                        named,
                    },
                )
            }
            57 if dice.one_in(2) => {
                let batches = of.batches.len() as u32 + u32::from(dice.one_in(6));
                (of.sponsor, What::Lock { batches })
            }
            57 | 58 => {
                let number = of.results.len() as u8 + u8::from(dice.one_in(6));
                (of.sponsor, What::Results { version, number })
            }
            _ => (of.sponsor, What::Close),
        };
        if dice.one_in(12) || actor == Address::ZERO {
            actor = dice.pick(&PARTIES);
        }
        let sender = match dice.below(25) {
            0 => STRANGER,
            1 | 2 => RELAY,
            _ => actor,
        };
        Self {
            sender,
            actor,
            trial,
            what,
        }
    }

    fn name(&self) -> &'static str {
        match self.what {
            What::Register { .. } => METHODS[0],
            What::Amend { .. } => METHODS[1],
            What::SetSite { .. } => METHODS[2],
            What::Consent { .. } => METHODS[3],
            What::Enrol { .. } => METHODS[4],
            What::Withdraw => METHODS[5],
            What::Anchor { .. } => METHODS[6],
            What::Lock { .. } => METHODS[7],
            What::Results { .. } => METHODS[8],
            What::Close => METHODS[9],
        }
    }

    fn make(&self, world: &mut World) -> Result<(), Error> {
        let Self { actor, trial, .. } = *self;
        let trials = world.called(self.sender, actor);
        match self.what.clone() {
            What::Register { registration } => trials
                .register_trial(actor, registration, PROTOCOL, PLAN, FORM, DOCUMENT)
                .map(drop),
            What::Amend {
                version,
                form,
                reconsent,
            } => trials.amend_trial(actor, trial, version, PROTOCOL, PLAN, form, 1, reconsent, DOCUMENT),
            What::SetSite { site, serial, active } => trials.set_site(actor, trial, site, serial, active),
            What::Consent { site, version } => trials.consent(actor, trial, site, version, DOCUMENT),
            What::Enrol { participant } => trials.enrol(actor, trial, participant),
            What::Withdraw => trials.withdraw_consent(actor, trial),
            What::Anchor {
                sequence,
                from,
                to,
                root,
                named,
            } => trials.anchor_batch(actor, trial, sequence, from, to, root, 1, bits(&named), DOCUMENT),
            What::Lock { batches } => trials.lock_data(actor, trial, batches),
            What::Results { version, number } => {
                trials.anchor_results(actor, trial, version, number, RESULTS, DOCUMENT)
            }
            What::Close => trials.close_trial(actor, trial),
        }
    }
}

/// The rules, told of each participant alone.
struct Model {
    now: u64,
    roles: BTreeSet<(Address, u64)>,
    trials: BTreeMap<B256, ModelTrial>,
}

#[derive(Default)]
struct ModelTrial {
    sponsor: Address,
    registered_at: u64,
    state: u8,
    /// Each with its form.
    versions: Vec<B256>,
    wanted: u8,
    /// Serial, and whether active.
    sites: BTreeMap<Address, (u32, bool)>,
    people: BTreeMap<Address, Person>,
    batches: BTreeMap<(Address, u32), B256>,
    data: B256,
    results: Vec<B256>,
}

struct Person {
    site: Address,
    /// 0: not enrolled.
    number: u32,
    version: u8,
    since: u64,
    withdrawn_at: Option<u64>,
}

impl ModelTrial {
    fn may_contribute(&self, site: Address, number: u32) -> bool {
        self.people.values().any(|person| {
            number != 0
                && (person.site, person.number) == (site, number)
                && person.withdrawn_at.is_none()
                && person.version >= self.wanted
        })
    }

    fn is_site(&self, site: Address) -> bool {
        self.sites.get(&site).is_some_and(|(_, active)| *active)
    }
}

fn ensure(holds: bool, error: impl Into<Error>) -> Result<(), Error> {
    if holds { Ok(()) } else { Err(error.into()) }
}

fn withdrawn(participant: Address, person: &Person) -> Result<(), Error> {
    match person.withdrawn_at {
        Some(at) => Err(ITrials::ConsentWithdrawn { participant, at }.into()),
        None => Ok(()),
    }
}

fn same_site(participant: Address, person: &Person, site: Address) -> Result<(), Error> {
    let other = ITrials::OtherSite {
        participant,
        site: person.site,
    };
    ensure(person.site == site, other)
}

impl Model {
    fn new(world: &World) -> Self {
        Self {
            now: NOW,
            roles: world.roles.clone(),
            trials: BTreeMap::new(),
        }
    }

    /// What the call answers; changes what it changes.
    fn answer(&mut self, call: &Call) -> Result<(), Error> {
        let Call {
            sender,
            actor,
            trial,
            ref what,
        } = *call;
        ensure(
            sender == actor || sender == RELAY,
            ITrials::NotActor { caller: sender, actor },
        )?;
        let now = self.now;
        let has = |roles| {
            ensure(
                self.roles.contains(&(actor, roles)),
                ITrials::NotCredentialed { actor, roles },
            )
        };
        if let What::Register { registration } = *what {
            let trial = keccak256((actor, registration).abi_encode());
            ensure(!self.trials.contains_key(&trial), ITrials::TrialExists { trial })?;
            has(role::SPONSOR)?;
            let of = ModelTrial {
                sponsor: actor,
                registered_at: now,
                state: terms::OPEN,
                versions: vec![FORM],
                wanted: 1,
                ..ModelTrial::default()
            };
            self.trials.insert(trial, of);
            return Ok(());
        }
        let Some(of) = self.trials.get_mut(&trial) else {
            // A withdrawal asks for no trial.
            return Err(match what {
                What::Withdraw => ITrials::NotParticipant { participant: actor }.into(),
                _ => ITrials::UnknownTrial { trial }.into(),
            });
        };
        let sponsor = of.sponsor;
        let (state, current) = (of.state, of.versions.len() as u8);
        let is_sponsor = ensure(actor == sponsor, ITrials::NotSponsor { actor, sponsor });
        let is_in = |wanted| ensure(state == wanted, ITrials::TrialState { trial, state });
        match what.clone() {
            What::Register { .. } => unreachable!(),
            What::Amend {
                version,
                form,
                reconsent,
            } => {
                is_sponsor?;
                is_in(terms::OPEN)?;
                let expected = current + 1;
                let wrong = ITrials::TrialVersion {
                    given: version,
                    expected,
                };
                ensure(version == expected, wrong)?;
                has(role::SPONSOR)?;
                of.versions.push(form);
                if reconsent {
                    of.wanted = version;
                }
            }
            What::SetSite { site, serial, active } => {
                is_sponsor?;
                let (held, is_active) = of.sites.get(&site).copied().unwrap_or_default();
                let wrong = ITrials::SiteSerial {
                    given: serial,
                    current: held,
                };
                ensure(serial == held, wrong)?;
                ensure(active != is_active, ITrials::SiteUnchanged { site, active })?;
                if active {
                    is_in(terms::OPEN)?;
                    has(role::SPONSOR)?;
                }
                of.sites.insert(site, (held + 1, active));
            }
            What::Consent { site, version } => {
                is_in(terms::OPEN)?;
                let wrong = ITrials::TrialVersion {
                    given: version,
                    expected: current,
                };
                ensure(version == current, wrong)?;
                if let Some(person) = of.people.get(&actor) {
                    withdrawn(actor, person)?;
                    same_site(actor, person, site)?;
                    let again = ITrials::AlreadyConsented {
                        participant: actor,
                        version: person.version,
                    };
                    ensure(version > person.version, again)?;
                }
                ensure(of.is_site(site), ITrials::NotSite { trial, site })?;
                let person = of.people.entry(actor).or_insert(Person {
                    site,
                    number: 0,
                    version,
                    since: now,
                    withdrawn_at: None,
                });
                person.version = version;
            }
            What::Enrol { participant } => {
                is_in(terms::OPEN)?;
                ensure(of.is_site(actor), ITrials::NotSite { trial, site: actor })?;
                let there = of
                    .people
                    .values()
                    .filter(|person| person.site == actor && person.number != 0);
                let next = there.count() as u32 + 1;
                let wanted = of.wanted;
                let Some(person) = of.people.get_mut(&participant) else {
                    return Err(ITrials::NotParticipant { participant }.into());
                };
                withdrawn(participant, person)?;
                same_site(participant, person, actor)?;
                let already = ITrials::AlreadyEnrolled {
                    participant,
                    number: person.number,
                };
                ensure(person.number == 0, already)?;
                let outdated = ITrials::ConsentOutdated {
                    participant,
                    version: person.version,
                    least: wanted,
                };
                ensure(person.version >= wanted, outdated)?;
                has(role::SITE)?;
                (person.number, person.since) = (next, now);
            }
            What::Withdraw => {
                let Some(person) = of.people.get_mut(&actor) else {
                    return Err(ITrials::NotParticipant { participant: actor }.into());
                };
                withdrawn(actor, person)?;
                person.withdrawn_at = Some(now);
            }
            What::Anchor {
                sequence,
                from,
                to,
                root,
                named,
            } => {
                is_in(terms::OPEN)?;
                ensure(of.is_site(actor), ITrials::NotSite { trial, site: actor })?;
                let taken = of.batches.contains_key(&(actor, sequence));
                ensure(!taken, ITrials::SequenceTaken { site: actor, sequence })?;
                ensure(from < to, ITrials::MalformedPeriod { from, to })?;
                ensure(to <= now, ITrials::PeriodInFuture { to, now })?;
                ensure(!named.is_empty(), ITrials::NoParticipants {})?;
                if let Some(&number) = named.iter().find(|number| !of.may_contribute(actor, **number)) {
                    return Err(ITrials::NotParticipating { site: actor, number }.into());
                }
                has(role::SITE)?;
                of.batches.insert((actor, sequence), root);
                of.data = keccak256((of.data, actor, sequence, root).abi_encode());
            }
            What::Lock { batches } => {
                is_sponsor?;
                is_in(terms::OPEN)?;
                let current = of.batches.len() as u32;
                let wrong = ITrials::BatchCount {
                    given: batches,
                    current,
                };
                ensure(batches == current, wrong)?;
                of.state = terms::LOCKED;
            }
            What::Results { version, number } => {
                is_sponsor?;
                is_in(terms::LOCKED)?;
                let wrong = ITrials::TrialVersion {
                    given: version,
                    expected: current,
                };
                ensure(version == current, wrong)?;
                let next = of.results.len() as u8;
                ensure(number == next, ITrials::ResultNumber { given: number, next })?;
                of.results.push(RESULTS);
            }
            What::Close => {
                is_sponsor?;
                is_in(terms::LOCKED)?;
                of.state = terms::CLOSED;
            }
        }
        Ok(())
    }
}

/// What the events say, read in order and without a look at the contract.
#[derive(Default)]
struct Replay {
    /// With the digest of the data.
    trials: BTreeMap<B256, (TrialHead, Counts, B256)>,
    versions: BTreeMap<(B256, u8), ([B256; 3], VersionHead)>,
    sites: BTreeMap<(B256, Address), Site>,
    participants: BTreeMap<(B256, Address), Participant>,
    contributors: BTreeMap<(B256, Address, u8, u32), U256>,
    batches: BTreeMap<(B256, Address, u32), (B256, BatchHead)>,
    results: BTreeMap<(B256, u8), B256>,
}

impl Replay {
    fn apply(&mut self, event: &Event, now: u64) {
        match event {
            Event::TrialRegistered(e) => {
                let head = TrialHead {
                    sponsor: e.sponsor,
                    registered_at: now,
                    version: 1,
                    consent_version: 1,
                    state: terms::OPEN,
                    results: 0,
                };
                let before = self.trials.insert(e.trial, (head, Counts::default(), B256::ZERO));
                assert_eq!(before, None);
                let first = VersionHead {
                    at: now,
                    reason_code: 0,
                    reconsent: false,
                };
                self.versions
                    .insert((e.trial, 1), ([e.protocol, e.plan, e.form], first));
            }
            Event::TrialAmended(e) => {
                let head = &mut self.trials.get_mut(&e.trial).unwrap().0;
                assert_eq!(head.version + 1, e.version);
                head.version = e.version;
                if e.reconsent {
                    head.consent_version = e.version;
                }
                let version = VersionHead {
                    at: now,
                    reason_code: e.reasonCode,
                    reconsent: e.reconsent,
                };
                let before = self
                    .versions
                    .insert((e.trial, e.version), ([e.protocol, e.plan, e.form], version));
                assert_eq!(before, None);
            }
            Event::SiteSet(e) => {
                let site = self.sites.entry((e.trial, e.site)).or_default();
                assert_eq!((site.serial + 1, site.active), (e.serial, !e.active));
                (site.serial, site.active) = (e.serial, e.active);
            }
            Event::Consented(e) => {
                let held = self.participants.entry((e.trial, e.participant)).or_default();
                assert!(held.version < e.version && held.status != status::WITHDRAWN);
                held.version = e.version;
                if held.status == 0 {
                    (held.site, held.status, held.at) = (e.site, status::CONSENTED, now);
                }
                let held = *held;
                if held.status == status::ENROLLED {
                    self.set(e.trial, &held, true);
                }
            }
            Event::Enrolled(e) => {
                let held = self.participants.get_mut(&(e.trial, e.participant)).unwrap();
                (held.number, held.status, held.at) = (e.number, status::ENROLLED, now);
                let held = *held;
                let site = self.sites.get_mut(&(e.trial, e.site)).unwrap();
                site.enrolled += 1;
                assert_eq!(site.enrolled, e.number);
                self.trials.get_mut(&e.trial).unwrap().1.enrolled += 1;
                self.set(e.trial, &held, true);
            }
            Event::ParticipantWithdrew(e) => {
                let held = self.participants.get_mut(&(e.trial, e.participant)).unwrap();
                (held.status, held.at) = (status::WITHDRAWN, now);
                let held = *held;
                if e.number != 0 {
                    self.sites.get_mut(&(e.trial, e.site)).unwrap().withdrawn += 1;
                    self.trials.get_mut(&e.trial).unwrap().1.withdrawn += 1;
                    self.set(e.trial, &held, false);
                }
            }
            Event::BatchAnchored(e) => {
                let batch = BatchHead {
                    count: e.count,
                    from: e.from,
                    to: e.to,
                    anchored_at: now,
                    flags: e.flags,
                    version: e.version,
                };
                let before = self.batches.insert((e.trial, e.site, e.sequence), (e.root, batch));
                assert_eq!(before, None);
                let site = self.sites.get_mut(&(e.trial, e.site)).unwrap();
                let expected = [
                    (flag::LATE, now > e.to + flag::LATE_S),
                    (flag::OUT_OF_ORDER, e.sequence < site.last),
                    (flag::GAP, e.sequence > site.last + 1),
                ];
                for (bit, is_so) in expected {
                    assert_eq!(e.flags & bit != 0, is_so);
                }
                site.last = site.last.max(e.sequence);
                let (_, counts, data) = self.trials.get_mut(&e.trial).unwrap();
                counts.batches += 1;
                *data = keccak256((*data, e.site, e.sequence, e.root).abi_encode());
                assert_eq!(*data, e.data);
            }
            Event::DataLocked(e) => {
                let (head, counts, data) = self.trials.get_mut(&e.trial).unwrap();
                assert_eq!((counts.batches, *data), (e.batches, e.data));
                (head.state, counts.locked_at) = (terms::LOCKED, now);
            }
            Event::ResultsAnchored(e) => {
                let (head, _, data) = self.trials.get_mut(&e.trial).unwrap();
                assert_eq!((head.results, head.version, *data), (e.number, e.version, e.data));
                assert_eq!(self.versions[&(e.trial, e.version)].0[1], e.plan);
                head.results += 1;
                self.results.insert((e.trial, e.number), e.results);
            }
            Event::TrialClosed(e) => self.trials.get_mut(&e.trial).unwrap().0.state = terms::CLOSED,
        }
    }

    fn set(&mut self, trial: B256, held: &Participant, may: bool) {
        let wanted = self.trials[&trial].0.consent_version;
        let key = (trial, held.site, wanted, held.number / 256);
        let word = self.contributors.entry(key).or_default();
        word.set_bit((held.number % 256) as usize, may);
    }

    /// Storage, slot by slot, as Solidity would lay out `Trials`, without the words that are zero.
    fn words(&self) -> BTreeMap<U256, B256> {
        let at = |key: B256, slot: U256| U256::from_be_bytes(keccak256([key.0, slot.to_be_bytes()].concat()).0);
        let number = |n: u64| B256::from(U256::from(n));
        let slot = |n: u64| U256::from(n);
        let mut words = BTreeMap::new();
        for (trial, (head, counts, data)) in &self.trials {
            let place = at(*trial, slot(0));
            words.extend([
                (place, head.to_word()),
                (place + slot(1), counts.to_word()),
                (place + slot(2), *data),
            ]);
        }
        for ((trial, version), (digests, head)) in &self.versions {
            let place = at(number(u64::from(*version)), at(*trial, slot(1)));
            for (offset, word) in (0..).zip([digests[0], digests[1], digests[2], head.to_word()]) {
                words.insert(place + slot(offset), word);
            }
        }
        for ((trial, site), word) in &self.sites {
            words.insert(at(site.into_word(), at(*trial, slot(2))), word.to_word());
        }
        for ((trial, participant), word) in &self.participants {
            words.insert(at(participant.into_word(), at(*trial, slot(3))), word.to_word());
        }
        for ((trial, site, version, index), word) in &self.contributors {
            let of_site = at(site.into_word(), at(*trial, slot(4)));
            let of_version = at(number(u64::from(*version)), of_site);
            words.insert(at(number(u64::from(*index)), of_version), B256::from(*word));
        }
        for ((trial, site, sequence), (root, head)) in &self.batches {
            let of_site = at(site.into_word(), at(*trial, slot(5)));
            let place = at(number(u64::from(*sequence)), of_site);
            words.extend([(place, *root), (place + slot(1), head.to_word())]);
        }
        for ((trial, which), results) in &self.results {
            words.insert(at(number(u64::from(*which)), at(*trial, slot(6))), *results);
        }
        words.retain(|_, word| !word.is_zero());
        words
    }
}

/// All that is not zero.
fn stored(vm: &TestVM) -> BTreeMap<U256, B256> {
    let storage = vm.snapshot().storage;
    storage.into_iter().filter(|(_, word)| !word.is_zero()).collect()
}
