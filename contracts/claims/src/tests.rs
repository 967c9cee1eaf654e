use alloy_primitives::{FixedBytes, keccak256};
use alloy_sol_types::{SolEventInterface, SolValue};
use medlock_abi::{
    claims::IClaims::{IClaimsEvents as Event, Link},
    terms::{claim, reason},
};
use stylus_sdk::testing::TestVM;

use super::*;

mod deadlines;
mod history;
mod payments;
mod services;
mod steps;
mod submissions;

const RECORDS: Address = Address::new(link::RECORDS);
const REGISTRY: Address = Address::new(link::REGISTRY);
const RELAY: Address = Address::new(link::RELAY);
const CLINIC: Address = Address::repeat_byte(0x11);
/// Of the clinic, its only member.
const NURSE: Address = Address::repeat_byte(0x12);
/// A provider in person.
const DOCTOR: Address = Address::repeat_byte(0x13);
const INSURER: Address = Address::repeat_byte(0x21);
/// Of the insurer, its only member.
const ADJUSTER: Address = Address::repeat_byte(0x22);
const OTHER_INSURER: Address = Address::repeat_byte(0x23);
const STRANGER: Address = Address::repeat_byte(0x31);
/// All who act, but for the neighbours.
const PARTIES: [Address; 7] = [CLINIC, NURSE, DOCTOR, INSURER, ADJUSTER, OTHER_INSURER, STRANGER];
const CREDENTIALS: [(Address, u64); 4] = [
    (CLINIC, role::PROVIDER),
    (DOCTOR, role::PROVIDER),
    (INSURER, role::INSURER),
    (OTHER_INSURER, role::INSURER),
];
const MEMBERS: [(Address, Address); 2] = [(CLINIC, NURSE), (INSURER, ADJUSTER)];
/// No organisation, no token.
const NOBODY: Address = Address::ZERO;
const TOKEN: Address = Address::repeat_byte(0x71);
const OTHER_TOKEN: Address = Address::repeat_byte(0x72);
const CHART: B256 = FixedBytes::repeat_byte(0xc1);
const OTHER_CHART: B256 = FixedBytes::repeat_byte(0xc2);
const RECORD: B256 = FixedBytes::repeat_byte(0xe1);
const OTHER_RECORD: B256 = FixedBytes::repeat_byte(0xe2);
const POINTER: B256 = FixedBytes::repeat_byte(0x81);
const FINGERPRINT: B256 = FixedBytes::repeat_byte(0xf1);
const OTHER_FINGERPRINT: B256 = FixedBytes::repeat_byte(0xf2);
const BILLED: B256 = FixedBytes::repeat_byte(0xb1);
const DOCUMENT: B256 = FixedBytes::repeat_byte(0xd1);
const SALT: B256 = FixedBytes::repeat_byte(0x5a);
const EURO: u16 = 978;
const DOLLAR: u16 = 840;
const NOW: u64 = 1_800_000_000;
const LABS: u8 = 3;
/// What [`World::approve`] approves, in cents, and what that is of a token with six decimals.
const AMOUNT: u64 = 12_345;
const SCALE: u8 = 4;
const VALUE: u64 = AMOUNT * 10_000;

/// What every question is answered with that is not refused. The test VM hands out the data mocked last, whatever was asked, so one
/// answer must do for all: its words are those of `recordOf`, of which the first two are also read as those of `decide`, and the first as
/// the registry's or a token's yes.
#[derive(Debug, Clone, Copy)]
struct Answer {
    allowed: bool,
    reason: u8,
    version: u32,
    status: u8,
}

const YES: Answer = Answer {
    allowed: true,
    reason: reason::GRANT,
    version: 1,
    status: record_status::CURRENT,
};

impl Answer {
    fn data(self) -> Vec<u8> {
        let number = |n: u32| B256::from(U256::from(n));
        [
            number(self.allowed.into()),
            number(self.reason.into()),
            number(self.version),
            number(LABS.into()),
            number(self.status.into()),
            number(0),
            POINTER,
        ]
        .concat()
    }
}

/// Both insurers accept euros, with a token, and dollars, without. Every record exists, and every chart lets every insurer read it.
struct World {
    vm: TestVM,
    claims: Claims,
    answer: Answer,
    /// How many events there were before the last call.
    told: usize,
}

impl World {
    fn new() -> Self {
        let mut world = Self::bare();
        for insurer in [INSURER, OTHER_INSURER] {
            world.set_currency(insurer, EURO, 1, true, TOKEN, SCALE).unwrap();
            world.set_currency(insurer, DOLLAR, 1, true, NOBODY, 0).unwrap();
        }
        world
    }

    /// Nobody accepts anything.
    fn bare() -> Self {
        let vm = TestVM::new();
        vm.set_block_timestamp(NOW);
        for token in [TOKEN, OTHER_TOKEN] {
            vm.set_code(token, vec![0xfe]);
        }
        let claims = Claims::from(&vm);
        let world = Self {
            vm,
            claims,
            answer: YES,
            told: 0,
        };
        for party in PARTIES.into_iter().chain([NOBODY]) {
            for roles in [role::PROVIDER, role::INSURER] {
                world.credential(party, roles, CREDENTIALS.contains(&(party, roles)));
            }
            for member in PARTIES {
                world.member(party, member, MEMBERS.contains(&(party, member)));
            }
        }
        world
    }

    /// What `actor` calls in person.
    fn by<T>(
        &mut self,
        actor: Address,
        call: impl FnOnce(&mut Claims, Address) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.through(actor, actor, call)
    }

    /// What `caller` calls for `actor`. As on the chain, what is refused leaves nothing behind.
    fn through<T>(
        &mut self,
        caller: Address,
        actor: Address,
        call: impl FnOnce(&mut Claims, Address) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let before = self.vm.snapshot();
        self.told = before.emitted_logs.len();
        self.vm.set_sender(caller);
        let outcome = call(&mut self.claims, actor);
        if outcome.is_err() {
            self.vm = TestVM::from(before);
            self.claims = Claims::from(&self.vm);
        }
        outcome
    }

    fn fork(&self) -> Self {
        let vm = TestVM::from(self.vm.snapshot());
        let claims = Claims::from(&vm);
        Self { vm, claims, ..*self }
    }

    fn at(&self, now: u64) {
        self.vm.set_block_timestamp(now);
    }

    fn answer(&mut self, answer: Answer) {
        self.answer = answer;
        self.vm.mock_static_call(NOBODY, vec![], Ok(answer.data()));
    }

    /// This one question is answered as all are, or reverts.
    fn mock<C: SolCall>(&self, whom: Address, question: C, answered: bool) {
        let data = self.answer.data();
        let answer = if answered { Ok(data.clone()) } else { Err(vec![]) };
        self.vm.mock_static_call(whom, question.abi_encode(), answer);
        self.vm.mock_static_call(NOBODY, vec![], Ok(data));
    }

    fn credential(&self, party: Address, roles: u64, has: bool) {
        self.mock(REGISTRY, hasRolesCall { party, roles }, has);
    }

    /// Of an organisation that has every role: what its members may do by its credentials.
    fn member(&self, organisation: Address, member: Address, is: bool) {
        for roles in [0, role::PROVIDER, role::INSURER] {
            let has = roles == 0 || CREDENTIALS.contains(&(organisation, roles));
            let question = mayActForCall {
                organisation,
                member,
                roles,
            };
            self.mock(REGISTRY, question, is && has);
        }
    }

    fn consent(&self, chart: B256, insurer: Address, record_id: B256, given: bool) {
        self.mock(RECORDS, may_read(chart, insurer, record_id), given);
    }

    fn set_currency(
        &mut self,
        insurer: Address,
        currency: u16,
        version: u32,
        accepted: bool,
        token: Address,
        scale: u8,
    ) -> Result<(), Error> {
        self.by(insurer, |claims, actor| {
            claims.set_currency(actor, insurer, currency, version, accepted, token, scale)
        })
    }

    fn share(&mut self, insurer: Address, shared: bool) {
        let (serial, _) = self.claims.insurer_of(insurer);
        self.by(insurer, |claims, actor| {
            claims.set_insurer(actor, insurer, serial, shared)
        })
        .unwrap();
    }

    fn submit(&mut self, provider: Address, new: NewClaim) -> Result<B256, Error> {
        let claim = claim_id(provider, &new);
        self.by(provider, |claims, actor| claims.submit_claims(actor, NOBODY, vec![new]))?;
        Ok(claim)
    }

    /// A claim of the clinic's that was received.
    fn received(&mut self) -> B256 {
        self.submit(CLINIC, new_claim(1)).unwrap()
    }

    fn serial(&self, claim: B256) -> u8 {
        self.claims.claim_of(claim).3
    }

    fn state(&self, claim: B256) -> u8 {
        self.claims.claim_of(claim).2
    }

    fn deadline(&self, claim: B256) -> u64 {
        self.claims.claim_of(claim).7
    }

    /// The actor's next step on the claim as it stands.
    fn step(&mut self, actor: Address, claim: B256, step: Step) -> Result<(), Error> {
        let serial = self.serial(claim);
        self.by(actor, |claims, actor| step.take(claims, actor, claim, serial))
    }

    fn approve(&mut self, claim: B256) -> Result<(), Error> {
        self.step(INSURER, claim, Step::approve(claim))
    }

    fn approve_part(&mut self, claim: B256) -> Result<(), Error> {
        self.step(INSURER, claim, Step::approve_part(claim))
    }

    fn deny(&mut self, claim: B256) -> Result<(), Error> {
        self.step(INSURER, claim, Step::deny())
    }

    /// A claim of the clinic's to the insurer, in each state from the first on, each in a world of its own.
    fn in_every_state() -> Vec<(u8, Self, B256)> {
        let mut all = vec![];
        let mut world = Self::new();
        let claim = world.received();
        let mut reach = |steps: &[(Address, Step)]| {
            let mut world = world.fork();
            for (actor, step) in steps {
                world.step(*actor, claim, *step).unwrap();
            }
            all.push((world.state(claim), world, claim));
        };
        let (approve, part) = (Step::approve(claim), Step::approve_part(claim));
        reach(&[]);
        reach(&[(INSURER, Step::BeginReview)]);
        reach(&[(INSURER, Step::RequestInformation)]);
        reach(&[(INSURER, approve)]);
        reach(&[(INSURER, part)]);
        reach(&[(INSURER, Step::deny())]);
        reach(&[(INSURER, Step::deny()), (CLINIC, Step::Appeal)]);
        reach(&[(INSURER, approve), (INSURER, Step::RecordPayment)]);
        reach(&[(INSURER, approve), (INSURER, Step::Reverse)]);
        reach(&[(CLINIC, Step::Withdraw)]);
        assert!(all.iter().map(|(state, ..)| *state).eq(1..=10));
        all
    }

    /// The events of the last call.
    fn events(&self) -> Vec<Event> {
        let logs = self.vm.get_emitted_logs();
        logs[self.told..]
            .iter()
            .map(|(topics, data)| Event::decode_raw_log(topics, data).unwrap())
            .collect()
    }

    /// The words that are not zero.
    fn storage(&self) -> std::collections::BTreeMap<U256, B256> {
        let words = self.vm.snapshot().storage.into_iter();
        words.filter(|(_, word)| !word.is_zero()).collect()
    }
}

/// What a party does with a claim that stands.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Step {
    BeginReview,
    RequestInformation,
    ProvideInformation,
    Adjudicate(u8, B256, u16),
    Appeal,
    CloseOverdue,
    AcceptPart,
    RecordPayment,
    Pay(U256, B256),
    Reverse,
    Withdraw,
}

impl Step {
    fn approve(claim: B256) -> Self {
        Self::Adjudicate(state::APPROVED, commitment(claim, AMOUNT), 0)
    }

    fn approve_part(claim: B256) -> Self {
        let amount = commitment(claim, AMOUNT);
        Self::Adjudicate(state::PARTLY_APPROVED, amount, claim_reason::ABOVE_LIMIT)
    }

    fn deny() -> Self {
        Self::Adjudicate(state::DENIED, B256::ZERO, claim_reason::NOT_COVERED)
    }

    fn every(claim: B256) -> [Self; 13] {
        [
            Self::BeginReview,
            Self::RequestInformation,
            Self::ProvideInformation,
            Self::approve(claim),
            Self::approve_part(claim),
            Self::deny(),
            Self::Appeal,
            Self::CloseOverdue,
            Self::AcceptPart,
            Self::RecordPayment,
            Self::Pay(U256::from(AMOUNT), SALT),
            Self::Reverse,
            Self::Withdraw,
        ]
    }

    /// Whose it is, of a claim in `state`.
    fn is_insurers(self, state: u8) -> bool {
        match self {
            Self::BeginReview
            | Self::RequestInformation
            | Self::Adjudicate(..)
            | Self::RecordPayment
            | Self::Pay(..)
            | Self::Reverse => true,
            Self::ProvideInformation | Self::Appeal | Self::AcceptPart | Self::Withdraw => false,
            Self::CloseOverdue => state == state::INFORMATION_REQUESTED,
        }
    }

    fn take(self, claims: &mut Claims, actor: Address, claim: B256, serial: u8) -> Result<(), Error> {
        match self {
            Self::BeginReview => claims.begin_review(actor, claim, serial),
            Self::RequestInformation => claims.request_information(actor, claim, serial, DOCUMENT),
            Self::ProvideInformation => claims.provide_information(actor, claim, serial, DOCUMENT),
            Self::Adjudicate(state, amount, reason) => {
                claims.adjudicate(actor, claim, serial, state, amount, reason, DOCUMENT)
            }
            Self::Appeal => claims.appeal(actor, claim, serial, DOCUMENT),
            Self::CloseOverdue => claims.close_overdue(actor, claim, serial),
            Self::AcceptPart => claims.accept_part(actor, claim, serial),
            Self::RecordPayment => claims.record_payment(actor, claim, serial, DOCUMENT),
            Self::Pay(amount, salt) => claims.pay_in_token(actor, claim, serial, amount, salt),
            Self::Reverse => claims.reverse_claim(actor, claim, serial, claim_reason::PAID_IN_ERROR),
            Self::Withdraw => claims.withdraw(actor, claim, serial),
        }
    }
}

/// To the insurer, in euros, for one service of which one record tells; `document` is the number of its document.
fn new_claim(document: u64) -> NewClaim {
    NewClaim {
        chart: CHART,
        insurer: INSURER,
        document: B256::from(U256::from(document)),
        fingerprint: FINGERPRINT,
        currency: EURO,
        billed: BILLED,
        links: vec![to(RECORD)],
    }
}

fn to(record_id: B256) -> Link {
    Link {
        recordId: record_id,
        pointer: POINTER,
    }
}

fn may_read(chart: B256, insurer: Address, record_id: B256) -> decideCall {
    decideCall {
        question: Question {
            chart,
            grantee: insurer,
            member: NOBODY,
            compartment: LABS,
            recordId: record_id,
            purpose: purpose::HPAYMT,
            action: action::READ,
        },
    }
}

/// By the ABI's encoding, which is one word for each, too.
fn claim_id(provider: Address, new: &NewClaim) -> B256 {
    let links: Vec<_> = new.links.iter().map(|link| (link.recordId, link.pointer)).collect();
    let links = links.iter().flat_map(|link| link.abi_encode()).collect::<Vec<_>>();
    let fields = (
        provider,
        new.chart,
        new.insurer,
        new.document,
        new.fingerprint,
        U256::from(new.currency),
        new.billed,
        keccak256(links),
    );
    keccak256(fields.abi_encode())
}

fn commitment(claim: B256, amount: u64) -> B256 {
    keccak256((claim, U256::from(amount), SALT).abi_encode())
}

fn refused<T, E: Into<Error>>(error: E) -> Result<T, Error> {
    Err(error.into())
}

fn wrong_state<T>(claim: B256, state: u8) -> Result<T, Error> {
    refused(IClaims::ClaimState { claim, state })
}

#[test]
fn its_neighbours_are_constants_of_its_code() {
    let vm = TestVM::new();
    assert_eq!(Claims::from(&vm).neighbours(), (RECORDS, REGISTRY, RELAY));
    // What lies in storage changes none of them.
    for slot in 0..8 {
        vm.set_storage(U256::from(slot), STRANGER.into_word());
    }
    assert_eq!(Claims::from(&vm).neighbours(), (RECORDS, REGISTRY, RELAY));
}

/// Where no contract is at their addresses, a call succeeds and says nothing.
#[test]
fn nothing_is_done_before_the_neighbours_are_there() {
    let vm = TestVM::new();
    vm.set_block_timestamp(NOW);
    vm.set_sender(CLINIC);
    let mut claims = Claims::from(&vm);
    assert_eq!(
        claims.submit_claims(CLINIC, NOBODY, vec![new_claim(1)]),
        refused(IClaims::UnknownRecord { recordId: RECORD })
    );
    let not_credentialed = IClaims::NotCredentialed {
        actor: CLINIC,
        party: CLINIC,
        roles: role::INSURER,
    };
    assert_eq!(
        claims.set_insurer(CLINIC, CLINIC, 0, true),
        refused(not_credentialed.clone())
    );
    assert_eq!(
        claims.set_currency(CLINIC, CLINIC, EURO, 1, true, NOBODY, 0),
        refused(not_credentialed)
    );
}

#[test]
fn words_are_packed_as_solidity_packs_them() {
    let word = |hex: &str| hex.replace(' ', "").parse::<B256>().unwrap();
    let head = ClaimHead {
        provider: Address::repeat_byte(0xaa),
        state: 0x11,
        serial: 0x22,
        deadline: 0x33_3333_3334,
        currency: 0x4445,
        rounds: 0x55,
        appeals: 0x66,
    };
    assert_eq!(
        head.to_word(),
        word("00 66 55 4445 3333333334 22 11 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
    );
    assert_eq!(ClaimHead::from_word(head.to_word()), head);

    let insurer = ClaimInsurer {
        insurer: Address::repeat_byte(0xaa),
        submitted_at: 0x11_1111_1112,
        currency_version: 0x2222_2223,
        reason_code: 0x3334,
    };
    assert_eq!(
        insurer.to_word(),
        word("00 3334 22222223 1111111112 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
    );
    assert_eq!(ClaimInsurer::from_word(insurer.to_word()), insurer);

    let setting = Setting {
        number: 0x1111_1112,
        yes: true,
    };
    assert_eq!(
        setting.to_word(),
        word("000000000000000000000000000000000000000000000000000000 01 11111112")
    );
    assert_eq!(Setting::from_word(setting.to_word()), setting);

    let token = Token {
        token: Address::repeat_byte(0xaa),
        scale: 0x11,
    };
    assert_eq!(
        token.to_word(),
        word("0000000000000000000000 11 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
    );
    assert_eq!(Token::from_word(token.to_word()), token);
}
