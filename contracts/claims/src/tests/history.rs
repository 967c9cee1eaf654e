//! Random histories of calls, sound and unsound, by many parties: each ends as a model foretells which knows no storage; the events alone
//! give back every storage word, and there are no others; no service is ever held twice, and what has let go of one never holds it again.
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet, HashMap},
};

use medlock_dice::Dice;

use super::*;

const HISTORIES: u64 = 12;
const CALLS: usize = 500;
/// Every so many calls all is asked about.
const ASK_EVERY: usize = 20;
const CHARTS: [B256; 2] = [CHART, OTHER_CHART];
const RECORD_IDS: [B256; 2] = [RECORD, OTHER_RECORD];
const INSURERS: [Address; 2] = [INSURER, OTHER_INSURER];
const DAY_S: u64 = 24 * 60 * 60;

#[test]
fn every_call_ends_as_foretold_and_events_alone_give_back_every_storage_word() {
    let mut outcomes = BTreeSet::new();
    for seed in 0..HISTORIES {
        let mut world = World::bare();
        let mut dice = Dice(seed);
        let mut model = Model::new();
        let mut replay = Replay::default();
        let mut freed = BTreeSet::new();
        for number in 0..CALLS {
            // Mostly days, now and then longer than any window.
            model.now += match dice.below(40) {
                0 => 200 * DAY_S,
                1..4 => 40 * DAY_S,
                _ => dice.below(2 * DAY_S),
            };
            world.at(model.now);
            model.turn(&world, &mut dice);
            let call = random_call(&model, &mut dice);
            let caller = match dice.below(16) {
                0..4 => RELAY,
                4 => STRANGER,
                _ => call.actor,
            };
            let before = model.clone();
            let foretold = model.take(caller, &call);
            if foretold.is_err() {
                model = before;
            }
            let outcome = world.through(caller, call.actor, |claims, actor| call.take(claims, actor));
            assert_eq!(outcome, foretold, "seed {seed}, {call:?}");
            outcomes.insert((call.name(), outcome.as_ref().err().map(name_of)));
            if outcome.is_ok() {
                for event in world.events() {
                    replay.apply(&event, model.now);
                }
                assert_eq!(world.storage(), replay.words(), "seed {seed}, {call:?}");
            }
            if number % ASK_EVERY == 0 {
                same_answers(&world, &model);
            }
            no_service_is_held_twice(&model, &mut freed);
        }
    }
    let reached: BTreeSet<_> = outcomes.iter().map(|(name, error)| (*name, error.as_deref())).collect();
    let missed: Vec<_> = expected().difference(&reached).copied().collect();
    assert!(missed.is_empty(), "the dice do not reach {missed:?}");
}

/// The outcomes that a history is to have seen, each of each call.
fn expected() -> BTreeSet<(&'static str, Option<&'static str>)> {
    let step = ["NotActor", "NotParty", "ClaimSerial", "ClaimState"];
    let of = |name: &'static str, more: &[&'static str]| {
        step.iter()
            .chain(more)
            .map(|error| (name, Some(*error)))
            .chain([(name, None)])
            .collect::<Vec<_>>()
    };
    let submit = [
        "NotActor",
        "LinkCount",
        "StalePointer",
        "NoConsent",
        "NotInsurer",
        "NotCredentialed",
        "ClaimExists",
        "CurrencyNotAccepted",
        "DuplicateService",
    ];
    let settings = ["NotActor", "NotCredentialed"];
    [
        of("beginReview", &[]),
        of("requestInformation", &["InformationRounds"]),
        of("provideInformation", &[]),
        of("adjudicate", &["MalformedDecision", "UnknownReasonCode"]),
        of("appeal", &["AppealWindowOver"]),
        of("closeOverdue", &["NotOverdue"]),
        of("acceptPart", &[]),
        of("recordPayment", &["AppealWindowOpen"]),
        of("payInToken", &["AppealWindowOpen", "OtherAmount", "NoToken"]),
        of("reverseClaim", &[]),
        of("withdraw", &["AppealWindowOver"]),
        submit.map(|error| ("submitClaims", Some(error))).to_vec(),
        vec![("submitClaims", None), ("setInsurer", None), ("setCurrency", None)],
        settings.map(|error| ("setInsurer", Some(error))).to_vec(),
        settings.map(|error| ("setCurrency", Some(error))).to_vec(),
        vec![
            ("setInsurer", Some("InsurerSerial")),
            ("setCurrency", Some("CurrencyVersion")),
            ("setCurrency", Some("MalformedCurrency")),
            ("acceptPart", Some("UnknownClaim")),
        ],
    ]
    .concat()
    .into_iter()
    .collect()
}

fn name_of(error: &Error) -> String {
    let text = format!("{error:?}");
    text.split('(').next().unwrap().to_owned()
}

#[derive(Debug, Clone)]
struct Request {
    actor: Address,
    what: What,
}

#[derive(Debug, Clone)]
enum What {
    Submit(Address, Vec<NewClaim>),
    Step(B256, u8, Step),
    SetInsurer(Address, u32, bool),
    SetCurrency(Address, u16, u32, bool, Address, u8),
}

impl Request {
    fn take(&self, claims: &mut Claims, actor: Address) -> Result<(), Error> {
        match self.what.clone() {
            What::Submit(organisation, batch) => claims.submit_claims(actor, organisation, batch),
            What::Step(claim, serial, step) => step.take(claims, actor, claim, serial),
            What::SetInsurer(insurer, serial, shared) => claims.set_insurer(actor, insurer, serial, shared),
            What::SetCurrency(insurer, currency, version, accepted, token, scale) => {
                claims.set_currency(actor, insurer, currency, version, accepted, token, scale)
            }
        }
    }

    fn name(&self) -> &'static str {
        match &self.what {
            What::Submit(..) => "submitClaims",
            What::SetInsurer(..) => "setInsurer",
            What::SetCurrency(..) => "setCurrency",
            What::Step(_, _, step) => match step {
                Step::BeginReview => "beginReview",
                Step::RequestInformation => "requestInformation",
                Step::ProvideInformation => "provideInformation",
                Step::Adjudicate(..) => "adjudicate",
                Step::Appeal => "appeal",
                Step::CloseOverdue => "closeOverdue",
                Step::AcceptPart => "acceptPart",
                Step::RecordPayment => "recordPayment",
                Step::Pay(..) => "payInToken",
                Step::Reverse => "reverseClaim",
                Step::Withdraw => "withdraw",
            },
        }
    }
}

/// Accepted, token, scale.
type CurrencySetting = (bool, Address, u8);

/// What was done, in the words of the ABI: no slot, and services by what they are.
#[derive(Clone)]
struct Model {
    now: u64,
    claims: BTreeMap<B256, Held>,
    /// In the order of submission.
    order: Vec<B256>,
    insurers: BTreeMap<Address, (u32, bool)>,
    /// Every version, from 1 on.
    currencies: BTreeMap<(Address, u16), Vec<CurrencySetting>>,
    // What the neighbours say at present.
    credentials: BTreeSet<(Address, u64)>,
    members: BTreeSet<(Address, Address)>,
    refused: BTreeSet<(B256, Address, B256)>,
}

#[derive(Debug, Clone, PartialEq)]
struct Held {
    new: NewClaim,
    provider: Address,
    /// Where it was held when it was submitted: with all who share, or with its insurer alone.
    shared: bool,
    currency_version: u32,
    submitted_at: u64,
    state: u8,
    serial: u8,
    deadline: u64,
    rounds: u8,
    appeals: u8,
    reason: u16,
    amount: B256,
}

impl Held {
    fn holds(&self, now: u64) -> bool {
        match self.state {
            state::REVERSED | state::WITHDRAWN => false,
            state::DENIED => now < self.deadline,
            _ => true,
        }
    }

    fn is_for(&self, provider: Address, fingerprint: B256) -> bool {
        (self.provider, self.new.fingerprint) == (provider, fingerprint)
    }
}

impl Model {
    fn new() -> Self {
        Self {
            now: NOW,
            claims: BTreeMap::new(),
            order: vec![],
            insurers: BTreeMap::new(),
            currencies: BTreeMap::new(),
            credentials: CREDENTIALS.into(),
            members: MEMBERS.into(),
            refused: BTreeSet::new(),
        }
    }

    /// The neighbours change their minds.
    fn turn(&mut self, world: &World, dice: &mut Dice) {
        fn flip<T: Ord>(set: &mut BTreeSet<T>, entry: T) -> bool {
            if set.remove(&entry) {
                return false;
            }
            set.insert(entry)
        }
        if dice.one_in(12) {
            // Soon back, or nothing would go on.
            let lost = CREDENTIALS.iter().find(|entry| !self.credentials.contains(entry));
            let (party, roles) = *lost.unwrap_or(&dice.pick(&CREDENTIALS));
            let has = flip(&mut self.credentials, (party, roles));
            world.credential(party, roles, has);
        }
        if dice.one_in(12) {
            let lost = MEMBERS.iter().find(|entry| !self.members.contains(entry));
            let (organisation, member) = *lost.unwrap_or(&dice.pick(&MEMBERS));
            let is = flip(&mut self.members, (organisation, member));
            world.member(organisation, member, is);
        }
        if dice.one_in(8) {
            let lost = self.refused.iter().next().copied();
            let random = (dice.pick(&CHARTS), dice.pick(&INSURERS), dice.pick(&RECORD_IDS));
            let (chart, insurer, record_id) = lost.unwrap_or(random);
            let refused = flip(&mut self.refused, (chart, insurer, record_id));
            world.consent(chart, insurer, record_id, !refused);
        }
    }

    fn version(&self, insurer: Address, currency: u16) -> u32 {
        self.currencies.get(&(insurer, currency)).map_or(0, Vec::len) as u32
    }

    fn accepts(&self, insurer: Address, currency: u16) -> bool {
        let versions = self.currencies.get(&(insurer, currency));
        versions
            .and_then(|all| all.last())
            .is_some_and(|(accepted, ..)| *accepted)
    }

    fn shares(&self, insurer: Address) -> bool {
        self.insurers.get(&insurer).is_some_and(|(_, shared)| *shared)
    }

    /// The registry's rules as [`World`] has them: a member's rights are the organisation's, and it stays one without its roles.
    fn is_credentialed(&self, actor: Address, party: Address, roles: u64) -> bool {
        if actor == party {
            self.credentials.contains(&(party, roles))
        } else {
            self.members.contains(&(party, actor)) && (roles == 0 || CREDENTIALS.contains(&(party, roles)))
        }
    }

    fn take(&mut self, caller: Address, request: &Request) -> Result<(), Error> {
        let actor = request.actor;
        let is_actors = caller == actor || caller == RELAY;
        let not_actor = Err(IClaims::NotActor { caller, actor }.into());
        match request.what.clone() {
            // What a step says is looked at first, where it can be wrong.
            What::Step(_, _, Step::Adjudicate(state, amount, reason)) if !is_decision(state, amount, reason) => {
                refused(IClaims::MalformedDecision {})
            }
            What::Step(_, _, Step::Adjudicate(_, _, reason @ 13..)) => {
                refused(IClaims::UnknownReasonCode { reasonCode: reason })
            }
            _ if !is_actors => not_actor,
            What::Submit(organisation, batch) => self.submit(actor, organisation, batch),
            What::Step(claim, serial, step) => self.step(actor, claim, serial, step),
            What::SetInsurer(insurer, serial, shared) => {
                self.require_insurer(actor, insurer)?;
                let (current, _) = self.insurers.get(&insurer).copied().unwrap_or_default();
                if serial != current {
                    return refused(IClaims::InsurerSerial { given: serial, current });
                }
                self.insurers.insert(insurer, (serial + 1, shared));
                Ok(())
            }
            What::SetCurrency(insurer, currency, version, accepted, token, scale) => {
                if token.is_zero() && scale != 0 || !token.is_zero() && !accepted {
                    return refused(IClaims::MalformedCurrency {});
                }
                self.require_insurer(actor, insurer)?;
                let next = self.version(insurer, currency) + 1;
                if version != next {
                    return refused(IClaims::CurrencyVersion { given: version, next });
                }
                let versions = self.currencies.entry((insurer, currency)).or_default();
                versions.push((accepted, token, scale));
                Ok(())
            }
        }
    }

    fn require_insurer(&self, actor: Address, insurer: Address) -> Result<(), Error> {
        if self.is_credentialed(actor, insurer, role::INSURER) {
            return Ok(());
        }
        refused(IClaims::NotCredentialed {
            actor,
            party: insurer,
            roles: role::INSURER,
        })
    }

    fn submit(&mut self, actor: Address, organisation: Address, batch: Vec<NewClaim>) -> Result<(), Error> {
        let provider = if organisation.is_zero() { actor } else { organisation };
        for new in &batch {
            let insurer = new.insurer;
            if new.links.is_empty() {
                let most = claim::LINKS_MOST as u32;
                return refused(IClaims::LinkCount { given: 0, most });
            }
            if insurer == provider {
                return refused(IClaims::OwnClaim { provider });
            }
            for link in &new.links {
                if link.pointer != POINTER {
                    return refused(IClaims::StalePointer {
                        given: link.pointer,
                        current: POINTER,
                    });
                }
                let record_id = link.recordId;
                if self.refused.contains(&(new.chart, insurer, record_id)) {
                    return refused(IClaims::NoConsent {
                        recordId: record_id,
                        reason: 0,
                    });
                }
            }
            if !self.credentials.contains(&(insurer, role::INSURER)) {
                return refused(IClaims::NotInsurer { insurer });
            }
        }
        if !self.is_credentialed(actor, provider, role::PROVIDER) {
            return refused(IClaims::NotCredentialed {
                actor,
                party: provider,
                roles: role::PROVIDER,
            });
        }
        for new in batch {
            let claim = claim_id(provider, &new);
            if self.claims.contains_key(&claim) {
                return refused(IClaims::ClaimExists { claim });
            }
            let insurer = new.insurer;
            if !self.accepts(insurer, new.currency) {
                return refused(IClaims::CurrencyNotAccepted {
                    insurer,
                    currency: new.currency,
                });
            }
            let shared = self.shares(insurer);
            // What this insurer has, wherever it is held; and what others who shared have, where this one does. Its own registry first.
            let holding = |in_shared: bool| {
                self.order.iter().find(|id| {
                    let held = &self.claims[*id];
                    let concerns = held.new.insurer == insurer || held.shared && shared;
                    held.shared == in_shared
                        && concerns
                        && held.is_for(provider, new.fingerprint)
                        && held.holds(self.now)
                })
            };
            if let Some(claim) = holding(false).or_else(|| holding(true)) {
                return refused(IClaims::DuplicateService { claim: *claim });
            }
            let held = Held {
                provider,
                shared,
                currency_version: self.version(insurer, new.currency),
                submitted_at: self.now,
                state: state::RECEIVED,
                serial: 1,
                deadline: self.now + 30 * DAY_S,
                rounds: 0,
                appeals: 0,
                reason: 0,
                amount: B256::ZERO,
                new,
            };
            self.claims.insert(claim, held);
            self.order.push(claim);
        }
        Ok(())
    }

    fn step(&mut self, actor: Address, claim: B256, serial: u8, step: Step) -> Result<(), Error> {
        use state::*;
        let now = self.now;
        let Some(held) = self.claims.get(&claim).cloned() else {
            return refused(IClaims::UnknownClaim { claim });
        };
        let insurer = held.new.insurer;
        let party = if step.is_insurers(held.state) {
            insurer
        } else {
            held.provider
        };
        if actor != party && !self.is_credentialed(actor, party, 0) {
            return refused(IClaims::NotParty { actor, party });
        }
        if serial != held.serial {
            return refused(IClaims::ClaimSerial {
                given: serial,
                current: held.serial,
            });
        }
        let mut next = Held {
            serial: serial + 1,
            ..held.clone()
        };
        let deadline = held.deadline;
        let is_over = now >= deadline;
        let window = if held.appeals < 2 { now + 180 * DAY_S } else { now };
        let over = refused(IClaims::AppealWindowOver { deadline });
        match (step, held.state) {
            (Step::BeginReview, RECEIVED | APPEALED) => next.state = IN_REVIEW,
            (Step::RequestInformation, RECEIVED | IN_REVIEW | APPEALED) => {
                if held.rounds == 3 {
                    return refused(IClaims::InformationRounds { most: 3 });
                }
                (next.state, next.rounds, next.deadline) = (INFORMATION_REQUESTED, held.rounds + 1, now + 45 * DAY_S);
            }
            (Step::ProvideInformation, INFORMATION_REQUESTED) => {
                (next.state, next.deadline) = (IN_REVIEW, now + 30 * DAY_S);
            }
            (Step::Adjudicate(state, amount, reason), RECEIVED | IN_REVIEW | APPEALED) => {
                (next.state, next.amount, next.reason) = (state, amount, reason);
                next.deadline = if state == APPROVED { now + 30 * DAY_S } else { window };
            }
            (Step::Appeal, DENIED | PARTLY_APPROVED) if is_over => return over,
            (Step::Appeal, DENIED | PARTLY_APPROVED) => {
                (next.state, next.appeals, next.deadline) = (APPEALED, held.appeals + 1, now + 60 * DAY_S);
            }
            (Step::CloseOverdue, RECEIVED | IN_REVIEW | APPEALED | INFORMATION_REQUESTED) => {
                if !is_over {
                    return refused(IClaims::NotOverdue { deadline });
                }
                next.state = if held.amount.is_zero() { DENIED } else { PARTLY_APPROVED };
                next.reason = if held.state == INFORMATION_REQUESTED { 13 } else { 14 };
                next.deadline = window;
            }
            (Step::AcceptPart, PARTLY_APPROVED) => (next.state, next.deadline) = (APPROVED, now + 30 * DAY_S),
            (Step::RecordPayment | Step::Pay(..), PARTLY_APPROVED) if !is_over => {
                return refused(IClaims::AppealWindowOpen { deadline });
            }
            (Step::RecordPayment, APPROVED | PARTLY_APPROVED) => (next.state, next.deadline) = (PAID, 0),
            (Step::Pay(amount, salt), APPROVED | PARTLY_APPROVED) => {
                if keccak256((claim, amount, salt).abi_encode()) != held.amount {
                    return refused(IClaims::OtherAmount {});
                }
                let currency = held.new.currency;
                let versions = &self.currencies[&(insurer, currency)];
                if versions[held.currency_version as usize - 1].1.is_zero() {
                    return refused(IClaims::NoToken { insurer, currency });
                }
                (next.state, next.deadline) = (PAID, 0);
            }
            (Step::Reverse, APPROVED | PARTLY_APPROVED | PAID) => {
                (next.state, next.reason, next.deadline) = (REVERSED, claim_reason::PAID_IN_ERROR, 0);
            }
            (Step::Withdraw, DENIED | PARTLY_APPROVED) if is_over => return over,
            (Step::Withdraw, RECEIVED..=INFORMATION_REQUESTED | APPEALED | DENIED | PARTLY_APPROVED) => {
                (next.state, next.deadline) = (WITHDRAWN, 0);
            }
            (_, state) => return wrong_state(claim, state),
        }
        self.claims.insert(claim, next);
        Ok(())
    }
}

fn is_decision(state: u8, amount: B256, reason: u16) -> bool {
    let form = (!amount.is_zero(), reason != 0);
    match state {
        state::APPROVED => form == (true, false),
        state::PARTLY_APPROVED => form == (true, true),
        state::DENIED => form == (false, true),
        _ => false,
    }
}

/// One random request, mostly one that might be taken.
fn random_call(model: &Model, dice: &mut Dice) -> Request {
    let anyone = dice.pick(&PARTIES);
    let insurer = dice.pick(&INSURERS);
    let of_insurer = |dice: &mut Dice, insurer| match dice.below(8) {
        0 => anyone,
        1..4 if insurer == INSURER => ADJUSTER,
        _ => insurer,
    };
    match dice.below(20) {
        0 => {
            let (current, shared) = model.insurers.get(&insurer).copied().unwrap_or_default();
            let serial = if dice.one_in(6) { dice.below(4) as u32 } else { current };
            Request {
                actor: of_insurer(dice, insurer),
                what: What::SetInsurer(insurer, serial, !shared),
            }
        }
        1 => {
            let currency = dice.pick(&[EURO, DOLLAR]);
            let next = model.version(insurer, currency) + 1;
            let version = if dice.one_in(6) { dice.below(4) as u32 } else { next };
            let accepted = !dice.one_in(4);
            let token = if accepted != dice.one_in(6) && !dice.one_in(3) {
                dice.pick(&[TOKEN, OTHER_TOKEN])
            } else {
                NOBODY
            };
            let scale = if token.is_zero() && !dice.one_in(8) {
                0
            } else {
                dice.below(19) as u8
            };
            Request {
                actor: of_insurer(dice, insurer),
                what: What::SetCurrency(insurer, currency, version, accepted, token, scale),
            }
        }
        2..6 => {
            let (actor, organisation) = match dice.below(8) {
                0..3 => (CLINIC, NOBODY),
                3..5 => (NURSE, CLINIC),
                5..7 => (DOCTOR, NOBODY),
                _ => (anyone, dice.pick(&[NOBODY, CLINIC, DOCTOR])),
            };
            let batch = (0..=dice.below(2)).map(|_| random_claim(model, dice)).collect();
            Request {
                actor,
                what: What::Submit(organisation, batch),
            }
        }
        _ => {
            let (claim, held) = match model.order[..] {
                // None yet.
                [] => (B256::ZERO, None),
                // Mostly one of the last: those before have come to their end.
                ref all => {
                    let near = all.len() - (all.len() as u64).min(8) as usize;
                    let from = if dice.one_in(8) { 0 } else { near };
                    let claim = dice.pick(&all[from..]);
                    (claim, model.claims.get(&claim))
                }
            };
            let state = held.map_or(0, |held| held.state);
            // Who asked once asks again, or nobody would ask too often.
            let asks_again = held.is_some_and(|held| held.rounds > 0) && dice.one_in(3);
            let step = if asks_again {
                dice.pick(&[Step::RequestInformation, Step::ProvideInformation])
            } else {
                random_step(claim, state, dice)
            };
            let party = held.map_or(CLINIC, |held| {
                if step.is_insurers(state) {
                    held.new.insurer
                } else {
                    held.provider
                }
            });
            let member = MEMBERS.iter().find(|(organisation, _)| *organisation == party);
            let actor = match (dice.below(10), member) {
                (0, _) => anyone,
                (1..5, Some((_, member))) => *member,
                _ => party,
            };
            let current = held.map_or(1, |held| held.serial);
            let serial = if dice.one_in(10) { dice.below(6) as u8 } else { current };
            Request {
                actor,
                what: What::Step(claim, serial, step),
            }
        }
    }
}

fn random_claim(model: &Model, dice: &mut Dice) -> NewClaim {
    if let Some(claim) = model.order.last()
        && dice.one_in(16)
    {
        return model.claims[claim].new.clone();
    }
    let links = (0..if dice.one_in(30) { 0 } else { 1 + dice.below(2) }).map(|_| Link {
        recordId: dice.pick(&RECORD_IDS),
        pointer: if dice.one_in(40) { DOCUMENT } else { POINTER },
    });
    let links = links.collect();
    NewClaim {
        chart: dice.pick(&CHARTS),
        insurer: dice.pick(&INSURERS),
        document: B256::from(U256::from(dice.number())),
        // New services come, and few of those before are claimed again.
        fingerprint: fingerprint((model.order.len() as u64 / 4) + dice.below(3)),
        currency: if dice.one_in(3) { DOLLAR } else { EURO },
        billed: BILLED,
        links,
    }
}

fn fingerprint(service: u64) -> B256 {
    B256::from(U256::from(service + 1))
}

fn random_step(claim: B256, state: u8, dice: &mut Dice) -> Step {
    use state::*;
    if dice.one_in(8) {
        return dice.pick(&Step::every(claim));
    }
    let pay = Step::Pay(U256::from(AMOUNT - u64::from(dice.one_in(4))), SALT);
    let decide = [
        Step::approve(claim),
        Step::approve_part(claim),
        Step::approve_part(claim),
        Step::deny(),
        Step::deny(),
        Step::Adjudicate(state, B256::ZERO, dice.below(4) as u16),
        Step::Adjudicate(DENIED, B256::ZERO, 13 + dice.below(3) as u16),
    ];
    let decide = dice.pick(&decide);
    let steps = match state {
        RECEIVED | IN_REVIEW | APPEALED => vec![
            Step::BeginReview,
            Step::RequestInformation,
            Step::RequestInformation,
            decide,
            decide,
            Step::CloseOverdue,
            Step::CloseOverdue,
            Step::Withdraw,
        ],
        INFORMATION_REQUESTED => vec![
            Step::ProvideInformation,
            Step::ProvideInformation,
            Step::CloseOverdue,
            Step::Withdraw,
        ],
        APPROVED => vec![pay, pay, pay, Step::RecordPayment, Step::Reverse],
        PARTLY_APPROVED => vec![
            Step::Appeal,
            Step::Appeal,
            Step::AcceptPart,
            pay,
            Step::RecordPayment,
            Step::RecordPayment,
            Step::Reverse,
            Step::Withdraw,
        ],
        DENIED => vec![Step::Appeal, Step::Appeal, Step::Appeal, Step::Withdraw],
        PAID => vec![Step::Reverse, pay],
        _ => vec![Step::AcceptPart, Step::Withdraw, Step::BeginReview],
    };
    dice.pick(&steps)
}

fn same_answers(world: &World, model: &Model) {
    for (claim, held) in &model.claims {
        assert_eq!(
            world.claims.claim_of(*claim),
            (
                held.provider,
                held.new.insurer,
                held.state,
                held.serial,
                held.new.currency,
                held.currency_version,
                held.submitted_at,
                held.deadline,
                held.rounds,
                held.appeals,
                held.reason,
                held.amount
            )
        );
    }
    for provider in [CLINIC, DOCTOR] {
        for n in 0..model.order.len() as u64 / 4 + 3 {
            let fingerprint = fingerprint(n);
            for namespace in INSURERS.into_iter().chain([NOBODY]) {
                let last = model.order.iter().rev().find(|id| {
                    let held = &model.claims[*id];
                    let of = if held.shared { NOBODY } else { held.new.insurer };
                    of == namespace && held.is_for(provider, fingerprint)
                });
                let expected = last.map_or((B256::ZERO, false), |id| (*id, model.claims[id].holds(model.now)));
                assert_eq!(world.claims.service_of(namespace, provider, fingerprint), expected);
            }
        }
    }
    for insurer in INSURERS {
        let expected = model.insurers.get(&insurer).copied().unwrap_or_default();
        assert_eq!(world.claims.insurer_of(insurer), expected);
        for currency in [EURO, DOLLAR] {
            let version = model.version(insurer, currency);
            assert_eq!(
                world.claims.currency_of(insurer, currency),
                (version, model.accepts(insurer, currency))
            );
            for (index, (_, token, scale)) in model
                .currencies
                .get(&(insurer, currency))
                .into_iter()
                .flatten()
                .enumerate()
            {
                let answer = world.claims.token_of(insurer, currency, index as u32 + 1);
                assert_eq!(answer, (*token, *scale));
            }
        }
    }
}

/// Of all claims for one service that one insurer has, or that were submitted to insurers who shared, at most one holds.
fn no_service_is_held_twice(model: &Model, freed: &mut BTreeSet<B256>) {
    let mut held = BTreeSet::new();
    for (id, claim) in &model.claims {
        if !claim.holds(model.now) {
            freed.insert(*id);
            continue;
        }
        assert!(!freed.contains(id), "{claim:?}");
        let service = (claim.provider, claim.new.fingerprint);
        assert!(held.insert((claim.new.insurer, service)), "{claim:?}");
        if claim.shared {
            assert!(held.insert((NOBODY, service)), "{claim:?}");
        }
    }
}

/// What the events say, read in order and without a look at the contract.
#[derive(Default)]
struct Replay {
    claims: BTreeMap<B256, (ClaimHead, ClaimInsurer, B256)>,
    services: BTreeMap<(Address, Address, B256), B256>,
    insurers: BTreeMap<Address, Setting>,
    currencies: BTreeMap<(Address, u16), (Setting, BTreeMap<u32, Token>)>,
}

impl Replay {
    fn apply(&mut self, event: &Event, now: u64) {
        let mut step = |claim, serial, change: &dyn Fn(&mut ClaimHead, &mut ClaimInsurer, &mut B256)| {
            let (head, insurer, amount) = self.claims.get_mut(&claim).unwrap();
            // Each step is told.
            assert_eq!(serial, head.serial + 1);
            head.serial = serial;
            change(head, insurer, amount);
        };
        match event {
            Event::ClaimSubmitted(e) => {
                let links = e.links.clone();
                let new = NewClaim {
                    chart: e.chart,
                    insurer: e.insurer,
                    document: e.document,
                    fingerprint: e.fingerprint,
                    currency: e.currency,
                    billed: e.billed,
                    links,
                };
                assert_eq!(claim_id(e.provider, &new), e.claim);
                let head = ClaimHead {
                    provider: e.provider,
                    state: state::RECEIVED,
                    serial: 1,
                    deadline: e.deadline,
                    currency: e.currency,
                    rounds: 0,
                    appeals: 0,
                };
                let insurer = ClaimInsurer {
                    insurer: e.insurer,
                    submitted_at: now,
                    currency_version: e.currencyVersion,
                    reason_code: 0,
                };
                let before = self.claims.insert(e.claim, (head, insurer, B256::ZERO));
                assert!(before.is_none());
                let namespace = if e.shared { NOBODY } else { e.insurer };
                let previous = self.services.insert((namespace, e.provider, e.fingerprint), e.claim);
                assert_eq!(previous.unwrap_or_default(), e.previous);
            }
            Event::ReviewBegun(e) => step(e.claim, e.serial, &|head, _, _| head.state = state::IN_REVIEW),
            Event::InformationRequested(e) => step(e.claim, e.serial, &|head, _, _| {
                head.state = state::INFORMATION_REQUESTED;
                head.rounds += 1;
                head.deadline = e.deadline;
            }),
            Event::InformationProvided(e) => step(e.claim, e.serial, &|head, _, _| {
                (head.state, head.deadline) = (state::IN_REVIEW, e.deadline);
            }),
            Event::Adjudicated(e) => step(e.claim, e.serial, &|head, insurer, amount| {
                (head.state, head.deadline) = (e.state, e.deadline);
                (insurer.reason_code, *amount) = (e.reasonCode, e.amount);
            }),
            Event::Appealed(e) => step(e.claim, e.serial, &|head, _, _| {
                head.state = state::APPEALED;
                head.appeals += 1;
                head.deadline = e.deadline;
            }),
            Event::PartAccepted(e) => step(e.claim, e.serial, &|head, _, _| {
                (head.state, head.deadline) = (state::APPROVED, e.deadline);
            }),
            Event::Paid(e) => step(e.claim, e.serial, &|head, _, _| {
                (head.state, head.deadline) = (state::PAID, 0);
            }),
            Event::PaidInToken(e) => step(e.claim, e.serial, &|head, _, _| {
                (head.state, head.deadline) = (state::PAID, 0);
            }),
            Event::Reversed(e) => step(e.claim, e.serial, &|head, insurer, _| {
                (head.state, head.deadline) = (state::REVERSED, 0);
                insurer.reason_code = e.reasonCode;
            }),
            Event::Withdrawn(e) => step(e.claim, e.serial, &|head, _, _| {
                (head.state, head.deadline) = (state::WITHDRAWN, 0);
            }),
            Event::InsurerSet(e) => {
                let setting = Setting {
                    number: e.serial,
                    yes: e.shared,
                };
                let before = self.insurers.insert(e.insurer, setting);
                assert_eq!(before.map_or(0, |before| before.number) + 1, e.serial);
            }
            Event::CurrencySet(e) => {
                let none = || {
                    let setting = Setting { number: 0, yes: false };
                    (setting, BTreeMap::new())
                };
                let (setting, tokens) = self.currencies.entry((e.insurer, e.currency)).or_insert_with(none);
                assert_eq!(setting.number + 1, e.version);
                (setting.number, setting.yes) = (e.version, e.accepted);
                let token = Token {
                    token: e.token,
                    scale: e.scale,
                };
                tokens.insert(e.version, token);
            }
        }
    }

    /// Storage, slot by slot, as contracts/README.md lays it out: the words that are not zero.
    fn words(&self) -> BTreeMap<U256, B256> {
        let (one, two) = (U256::from(1), U256::from(2));
        let number = |n: u32| B256::from(U256::from(n));
        let mut words = BTreeMap::new();
        for (claim, (head, insurer, amount)) in &self.claims {
            let slot = entry(*claim, U256::ZERO);
            words.insert(slot, head.to_word());
            words.insert(slot + one, insurer.to_word());
            words.insert(slot + two, *amount);
        }
        for ((namespace, provider, fingerprint), claim) in &self.services {
            let service = [namespace.into_word(), provider.into_word(), *fingerprint].concat();
            words.insert(entry(keccak(&service), one), *claim);
        }
        for (insurer, setting) in &self.insurers {
            words.insert(entry(insurer.into_word(), two), setting.to_word());
        }
        for ((insurer, currency), (setting, tokens)) in &self.currencies {
            let of_insurer = entry(insurer.into_word(), U256::from(3));
            let slot = entry(number((*currency).into()), of_insurer);
            words.insert(slot, setting.to_word());
            for (version, token) in tokens {
                words.insert(entry(number(*version), slot + one), token.to_word());
            }
        }
        words.retain(|_, word| !word.is_zero());
        words
    }
}

thread_local! {
    /// keccak takes 50 microseconds here, and histories ask for the same words again and again.
    static HASHES: RefCell<HashMap<Vec<u8>, B256>> = RefCell::default();
}

fn keccak(bytes: &[u8]) -> B256 {
    HASHES.with_borrow_mut(|hashes| *hashes.entry(bytes.to_vec()).or_insert_with(|| keccak256(bytes)))
}

fn entry(key: B256, slot: U256) -> U256 {
    U256::from_be_bytes(keccak(&[key.0, slot.to_be_bytes()].concat()).0)
}
