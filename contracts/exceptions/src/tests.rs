use alloy_primitives::{FixedBytes, U256, keccak256};
use medlock_abi::exceptions::IExceptions::IExceptionsEvents as Event;
use stylus_sdk::testing::TestVM;

use super::*;

mod delegates;
mod emergencies;
mod facts;
mod history;
mod rules;

const RECORDS: Address = Address::new(link::RECORDS);
const REGISTRY: Address = Address::new(link::REGISTRY);
const RELAY: Address = Address::new(link::RELAY);
/// The number 1, so that the answer about a chart, read as a truth, is "yes": see [`World::by`].
const PATIENT: Address = Address::with_last_byte(1);
const HEIR: Address = Address::repeat_byte(0x02);
const GUARDIAN: Address = Address::repeat_byte(0x03);
const DAUGHTER: Address = Address::repeat_byte(0x04);
const NURSE: Address = Address::repeat_byte(0x05);
const DOCTOR: Address = Address::repeat_byte(0x06);
const CLINIC: Address = Address::repeat_byte(0x07);
const STRANGER: Address = Address::repeat_byte(0x08);
const CHART: B256 = FixedBytes::repeat_byte(0xc1);
const OTHER_CHART: B256 = FixedBytes::repeat_byte(0xc2);
const RECORD: B256 = FixedBytes::repeat_byte(0xe1);
const OTHER_RECORD: B256 = FixedBytes::repeat_byte(0xe2);
const NOW: u64 = 1_800_000_000;
const LABS: u8 = 3;
const EVERYBODY: Address = Address::ZERO;

/// What `records` says of every chart.
#[derive(Debug, Clone, Copy)]
struct Head {
    controller: Address,
    grant_epoch: u32,
    directory_version: u32,
    control_epoch: u32,
    exceptional: bool,
    rotation_due: bool,
}

impl Head {
    /// The answer to `chartOf`, and one to `recordOf` as well, whose version is the directory's.
    /// The test VM hands out the data mocked last, whatever was asked, so one answer must do for all questions.
    fn answer(&self) -> Vec<u8> {
        let number = |n: u32| B256::from(U256::from(n));
        [
            self.controller.into_word(),
            number(self.grant_epoch),
            number(self.directory_version),
            number(0),
            number(self.control_epoch),
            number(u32::from(self.exceptional)),
            number(u32::from(self.rotation_due)),
        ]
        .concat()
    }
}

/// The patient controls every chart, and every record exists.
struct World {
    vm: TestVM,
    exceptions: Exceptions,
    head: Head,
    /// How many events [`World::events`] has told.
    told: usize,
}

impl World {
    fn new() -> Self {
        let vm = TestVM::new();
        vm.set_block_timestamp(NOW);
        let exceptions = Exceptions::from(&vm);
        Self {
            vm,
            exceptions,
            head: Head {
                controller: PATIENT,
                grant_epoch: 1,
                directory_version: 1,
                control_epoch: 0,
                exceptional: true,
                rotation_due: false,
            },
            told: 0,
        }
    }

    /// The contract, called by `sender`. `records` and the registry answer, but for [`World::refuse`], what the head says: as
    /// a truth it is one where the patient controls, and otherwise no answer.
    fn by(&mut self, sender: Address) -> &mut Exceptions {
        self.vm.mock_static_call(Address::ZERO, vec![], Ok(self.head.answer()));
        self.vm.set_sender(sender);
        &mut self.exceptions
    }

    /// This question reverts from now on.
    fn refuse<C: SolCall>(&self, whom: Address, question: C) {
        self.vm.mock_static_call(whom, question.abi_encode(), Err(vec![]));
    }

    fn refuse_to_make_exceptional(&self) {
        let call = setExceptionalCall { chart: CHART };
        self.vm.mock_call(RECORDS, call.abi_encode(), U256::ZERO, Err(vec![]));
    }

    /// What the chart's refusal to become exceptional looks like here: the test VM's data are those mocked last.
    fn refusal(&self) -> Failure {
        Failure::Passed(self.head.answer())
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

    /// Control passes on, to an account that may have had it before.
    fn transfer(&mut self, to: Address) {
        self.head.controller = to;
        self.head.control_epoch += 1;
        self.next_directory();
    }

    /// All grants end, as `records` has it.
    fn revoke_all(&mut self) {
        self.head.grant_epoch += 1;
        self.head.rotation_due = true;
    }

    fn next_directory(&mut self) {
        // `revokeAll` has used one version up.
        self.head.directory_version += 1 + u32::from(self.head.rotation_due);
        self.head.rotation_due = false;
    }

    fn rule(&mut self, actor: Address, grantee: Address, effect: u8) -> Result<(), Failure> {
        let nothing = effect == effect::NONE;
        let (purposes, actions) = if nothing {
            (0, 0)
        } else {
            (purpose::TREAT, action::READ)
        };
        self.by(actor)
            .set_rule(actor, CHART, RECORD, grantee, effect, purposes, actions, 0)
    }

    /// In the place of the entry that stands.
    fn give(&mut self, actor: Address, delegate: Address, powers: u8, expiry: u64) -> Result<(), Failure> {
        let serial = self.serial(delegate);
        self.give_at(actor, delegate, serial, powers, expiry)
    }

    fn give_at(
        &mut self,
        actor: Address,
        delegate: Address,
        serial: u32,
        powers: u8,
        expiry: u64,
    ) -> Result<(), Failure> {
        let version = self.head.directory_version;
        self.by(actor)
            .set_delegate(actor, CHART, version, delegate, serial, powers, expiry)
    }

    fn take(&mut self, actor: Address, delegate: Address) -> Result<(), Error> {
        self.by(actor).remove_delegate(actor, CHART, delegate)
    }

    fn serial(&self, delegate: Address) -> u32 {
        self.exceptions.delegate_of(CHART, delegate).1
    }

    /// As `powersOf` and `factsOf` say, which must agree.
    fn powers(&mut self, delegate: Address) -> u8 {
        let (controller, control_epoch) = (self.head.controller, self.head.control_epoch);
        let powers = self.by(STRANGER).powers_of(CHART, delegate);
        if delegate != controller {
            let facts = self.exceptions.facts_of(
                CHART,
                1,
                control_epoch,
                delegate,
                Address::ZERO,
                LABS,
                B256::ZERO,
                purpose::TREAT,
                action::READ,
            );
            assert_eq!(facts.2, powers);
        }
        powers
    }

    /// Reads of the labs for ETREAT, in person.
    fn is_emergency(&self, party: Address) -> bool {
        let head = self.head;
        self.exceptions
            .facts_of(
                CHART,
                head.grant_epoch,
                head.control_epoch,
                party,
                Address::ZERO,
                LABS,
                B256::ZERO,
                purpose::ETREAT,
                action::READ,
            )
            .3
    }

    fn allow_emergencies(&mut self, actor: Address, allowed: bool) -> Result<(), Failure> {
        let (_, serial, _) = self.exceptions.emergency_access_of(CHART);
        self.by(actor).set_emergency_access(actor, CHART, serial, allowed)
    }

    fn break_glass(&mut self, actor: Address) -> Result<(), Error> {
        self.by(actor)
            .break_glass(actor, CHART, Address::ZERO, 1 << LABS, emergency::UNABLE_TO_CONSENT)
    }

    fn close(&mut self, actor: Address, party: Address) -> Result<(), Error> {
        self.by(actor).close_emergency(actor, CHART, party)
    }

    /// Every method that changes something for an account, by `actor`, called by `sender`; each would do something if
    /// a delegate had `power` (0: if it were anybody).
    fn every_method(&mut self, sender: Address, actor: Address) -> Vec<(u8, Result<(), Failure>)> {
        let version = self.head.directory_version;
        let serial = self.serial(NURSE);
        let (is_allowed, access, _) = self.exceptions.emergency_access_of(CHART);
        let (deny, treat, read) = (effect::DENY, purpose::TREAT, action::READ);
        vec![
            (
                power::GRANT,
                self.by(sender)
                    .set_rule(actor, CHART, RECORD, STRANGER, deny, treat, read, 0),
            ),
            (
                power::DELEGATE,
                self.by(sender)
                    .set_delegate(actor, CHART, version, NURSE, serial, power::READ, 0),
            ),
            (
                power::GRANT,
                self.by(sender).set_emergency_access(actor, CHART, access, !is_allowed),
            ),
            (
                power::REVOKE,
                self.by(sender)
                    .close_emergency(actor, CHART, DOCTOR)
                    .map_err(Failure::Refused),
            ),
        ]
    }
}

fn refused<E: Into<Error>>(error: E) -> Result<(), Failure> {
    Err(Failure::Refused(error.into()))
}

fn by_delegate(delegate: Address, power: u8) -> Event {
    Event::ByDelegate(IExceptions::ByDelegate {
        chart: CHART,
        delegate,
        power,
    })
}

#[test]
fn its_neighbours_are_constants_of_its_code() {
    let vm = TestVM::new();
    assert_eq!(Exceptions::from(&vm).neighbours(), (RECORDS, REGISTRY, RELAY));
    // What lies in storage changes none of them.
    for slot in 0..8 {
        vm.set_storage(U256::from(slot), STRANGER.into_word());
    }
    assert_eq!(Exceptions::from(&vm).neighbours(), (RECORDS, REGISTRY, RELAY));
}

/// Where no contract is at their addresses, a call succeeds and says nothing.
#[test]
fn nothing_is_done_before_the_neighbours_are_there() {
    let vm = TestVM::new();
    vm.set_block_timestamp(NOW);
    vm.set_sender(PATIENT);
    let mut exceptions = Exceptions::from(&vm);
    let unknown = IExceptions::UnknownChart { chart: CHART };
    assert_eq!(
        exceptions.set_emergency_access(PATIENT, CHART, 0, true),
        refused(unknown.clone())
    );
    assert_eq!(
        exceptions.break_glass(PATIENT, CHART, Address::ZERO, 1, emergency::OTHER),
        Err(unknown.into())
    );
    assert_eq!(exceptions.powers_of(CHART, PATIENT), 0);
    assert_eq!(exceptions.powers_of(CHART, Address::ZERO), 0);
}

#[test]
fn the_actor_or_the_relay_speaks_for_the_actor_and_nobody_else() {
    let mut world = World::new();
    for caller in [STRANGER, RECORDS, REGISTRY, DOCTOR] {
        let not_actor = IExceptions::NotActor { caller, actor: PATIENT };
        for (_, outcome) in world.every_method(caller, PATIENT) {
            assert_eq!(outcome, refused(not_actor.clone()));
        }
        assert_eq!(
            world.by(caller).remove_delegate(PATIENT, CHART, NURSE),
            Err(not_actor.clone().into())
        );
        // Also where the party itself closes.
        assert_eq!(
            world.by(caller).close_emergency(PATIENT, CHART, PATIENT),
            Err(not_actor.clone().into())
        );
        assert_eq!(
            world.by(caller).break_glass(PATIENT, CHART, Address::ZERO, 1, 1),
            Err(not_actor.into())
        );
    }
    assert_eq!(world.events(), []);

    world.allow_emergencies(PATIENT, true).unwrap();
    world
        .by(RELAY)
        .break_glass(DOCTOR, CHART, Address::ZERO, 1 << LABS, emergency::OTHER)
        .unwrap();
    for (_, outcome) in world.every_method(RELAY, PATIENT) {
        outcome.unwrap();
    }
    world.by(RELAY).remove_delegate(PATIENT, CHART, NURSE).unwrap();
    // The relay has no right of its own.
    let not_controller = IExceptions::NotController {
        actor: RELAY,
        power: power::GRANT,
    };
    assert_eq!(world.allow_emergencies(RELAY, true), refused(not_controller));
}

/// Only new powers wait: they would be over keys that the revoked still hold.
#[test]
fn all_but_delegations_goes_on_while_a_rotation_is_due() {
    let mut world = World::new();
    world.allow_emergencies(PATIENT, true).unwrap();
    world.give(PATIENT, NURSE, power::READ, 0).unwrap();
    world.revoke_all();
    world.break_glass(DOCTOR).unwrap();
    world.events();
    let head = world.head;
    for (power, outcome) in world.every_method(PATIENT, PATIENT) {
        if power == power::DELEGATE {
            assert_eq!(outcome, refused(IExceptions::RotationDue { chart: CHART }));
        } else {
            outcome.unwrap();
        }
    }
    assert!(matches!(
        world.events()[..],
        [
            Event::RuleSet(_),
            Event::EmergencyAccessSet(_),
            Event::EmergencyClosed(_)
        ]
    ));
    world.take(PATIENT, NURSE).unwrap();
    // A rule is of the directory that stands, and so none for the grants that follow.
    world.rule(PATIENT, CLINIC, effect::ALLOW).unwrap();
    assert_eq!(
        world.exceptions.rule_of(CHART, RECORD, CLINIC).4,
        head.directory_version
    );
    world.next_directory();
    assert!(world.exceptions.rule_of(CHART, RECORD, CLINIC).4 < world.head.directory_version);
    for (_, outcome) in world.every_method(PATIENT, PATIENT).into_iter().take(3) {
        outcome.unwrap();
    }
}

#[test]
fn a_chart_that_records_does_not_know_is_unknown() {
    let unknown = IExceptions::UnknownChart { chart: CHART };
    let all_refused = |world: &mut World| {
        for (_, outcome) in world.every_method(PATIENT, PATIENT) {
            assert_eq!(outcome, refused(unknown.clone()));
        }
        assert_eq!(world.take(PATIENT, NURSE), Err(unknown.clone().into()));
        assert_eq!(world.break_glass(PATIENT), Err(unknown.clone().into()));
        assert_eq!(world.by(PATIENT).powers_of(CHART, PATIENT), 0);
        assert_eq!(world.events(), []);
    };
    // Its controller is nobody: not even the zero address is.
    let mut world = World::new();
    world.head.controller = Address::ZERO;
    all_refused(&mut world);
    assert_eq!(world.by(PATIENT).powers_of(CHART, Address::ZERO), 0);
    // `records` does not answer.
    let mut world = World::new();
    world.refuse(RECORDS, chartOfCall { chart: CHART });
    all_refused(&mut world);
    // It was asked about this chart.
    world
        .by(PATIENT)
        .set_emergency_access(PATIENT, OTHER_CHART, 0, true)
        .unwrap();
    // What it answers is not in the ABI.
    let mut world = World::new();
    world.head.controller = PATIENT;
    let mut answer = world.head.answer();
    answer.truncate(192);
    let mut due_twice = world.head.answer();
    due_twice[223] = 2;
    for answer in [answer, due_twice] {
        world.vm.mock_static_call(Address::ZERO, vec![], Ok(answer));
        world.vm.set_sender(PATIENT);
        assert_eq!(
            world.exceptions.set_emergency_access(PATIENT, CHART, 0, true),
            refused(unknown.clone())
        );
    }
}

#[test]
fn each_act_takes_its_own_power_and_tells_that_a_delegate_acted_before_it_tells_the_act() {
    for bit in 0..6 {
        for powers in [1 << bit, power::EVERY & !(1 << bit)] {
            let mut world = World::new();
            world.allow_emergencies(PATIENT, true).unwrap();
            world.break_glass(DOCTOR).unwrap();
            // With READ beside it, as the methods give that on.
            world.give(PATIENT, GUARDIAN, powers | power::READ, 0).unwrap();
            world.events();
            for (power, outcome) in world.every_method(GUARDIAN, GUARDIAN) {
                if powers & power == 0 {
                    let actor = GUARDIAN;
                    assert_eq!(outcome, refused(IExceptions::NotController { actor, power }));
                } else {
                    outcome.unwrap();
                }
            }
            let mut events = world.events().into_iter();
            let mut told = vec![];
            while let Some(announced) = events.next() {
                let act = events.next().unwrap();
                let power = match act {
                    Event::RuleSet(_) | Event::EmergencyAccessSet(_) => power::GRANT,
                    Event::DelegateSet(_) => power::DELEGATE,
                    Event::EmergencyClosed(_) => power::REVOKE,
                    other => panic!("{other:?}"),
                };
                assert_eq!(announced, by_delegate(GUARDIAN, power));
                told.push(power);
            }
            let all = [power::GRANT, power::DELEGATE, power::GRANT, power::REVOKE];
            let expected: Vec<_> = all.into_iter().filter(|power| powers & power != 0).collect();
            assert_eq!(told, expected);
        }
    }
}

#[test]
fn nobody_tells_of_a_delegate_where_the_controller_acts() {
    let mut world = World::new();
    world.allow_emergencies(PATIENT, true).unwrap();
    world.break_glass(DOCTOR).unwrap();
    for (_, outcome) in world.every_method(PATIENT, PATIENT) {
        outcome.unwrap();
    }
    let events = world.events();
    assert!(!events.iter().any(|event| matches!(event, Event::ByDelegate(_))));
}

#[test]
fn the_first_exception_of_a_chart_is_written_and_told_before_records_learns_of_it() {
    // The test VM takes nothing back, so what stands after the refusal was there before the call.
    let mut world = World::new();
    world.head.exceptional = false;
    world.refuse_to_make_exceptional();
    assert_eq!(world.rule(PATIENT, STRANGER, effect::DENY), Err(world.refusal()));
    assert!(matches!(world.events()[..], [Event::RuleSet(_)]));
    assert_eq!(world.exceptions.rule_of(CHART, RECORD, STRANGER).0, effect::DENY);

    assert_eq!(world.give(PATIENT, GUARDIAN, power::READ, 0), Err(world.refusal()));
    assert!(matches!(world.events()[..], [Event::DelegateSet(_)]));
    assert_eq!(world.serial(GUARDIAN), 1);

    assert_eq!(world.allow_emergencies(PATIENT, true), Err(world.refusal()));
    assert!(matches!(world.events()[..], [Event::EmergencyAccessSet(_)]));
    assert_eq!(world.exceptions.emergency_access_of(CHART), (true, 1, 0));

    // Another chart is another call.
    world
        .by(PATIENT)
        .set_emergency_access(PATIENT, OTHER_CHART, 0, true)
        .unwrap();
}

#[test]
fn a_chart_is_made_exceptional_once_and_by_nothing_that_only_ends() {
    let mut world = World::new();
    world.refuse_to_make_exceptional();
    world.rule(PATIENT, STRANGER, effect::DENY).unwrap();
    world.give(PATIENT, GUARDIAN, power::READ, 0).unwrap();
    world.allow_emergencies(PATIENT, true).unwrap();
    world.break_glass(DOCTOR).unwrap();

    world.head.exceptional = false;
    world.rule(PATIENT, STRANGER, effect::NONE).unwrap();
    world.rule(PATIENT, NURSE, effect::NONE).unwrap();
    world.take(PATIENT, GUARDIAN).unwrap();
    world.close(PATIENT, DOCTOR).unwrap();
    // Nothing changes.
    world.allow_emergencies(PATIENT, true).unwrap();
}

#[test]
fn a_refusal_of_records_is_handed_on_as_it_came() {
    let data = IExceptions::UnknownChart { chart: CHART };
    assert_eq!(Vec::from(Failure::Passed(vec![1, 2, 3])), vec![1, 2, 3]);
    let refused = Failure::Refused(data.clone().into());
    assert_eq!(Vec::from(refused), alloy_sol_types::SolError::abi_encode(&data));
}

#[test]
fn words_are_packed_as_solidity_packs_them() {
    let word = |hex: &str| hex.parse::<B256>().unwrap();
    let rule = Rule {
        effect: 0x11,
        purposes: 0x2222_2223,
        actions: 0x33,
        expiry: 0x44_4444_4445,
        directory_version: 0x5555_5556,
    };
    assert_eq!(
        rule.to_word(),
        word("0000000000000000000000000000000000555555564444444445332222222311")
    );
    assert_eq!(Rule::from_word(rule.to_word()), rule);

    let delegate = Delegate {
        parent: Address::repeat_byte(0xaa),
        expiry: 0x11_1111_1112,
        powers: 0x22,
        depth: 0x33,
        serial: 0x4444_4445,
        parent_serial: 0x5555_5556,
        control_epoch: 0x6666_6667,
    };
    let (first, second) = delegate.to_words();
    assert_eq!(
        first,
        word(
            "0044444445332211111111 12aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                .replace(' ', "")
                .as_str()
        )
    );
    assert_eq!(
        second,
        word("0000000000000000000000000000000000000000000000006666666755555556")
    );
    assert_eq!(Delegate::from_words(first, second), delegate);

    let access = Access {
        allowed: true,
        serial: 0x1111_1112,
        control_epoch: 0x2222_2223,
    };
    assert_eq!(
        access.to_word(),
        word("0000000000000000000000000000000000000000000000222222231111111201")
    );
    assert_eq!(Access::from_word(access.to_word()), access);

    let emergency = Emergency {
        compartments: 0x1111_1111_1111_1112,
        opened_at: 0x22_2222_2223,
        until: 0x33_3333_3334,
        grant_epoch: 0x4444_4445,
        serial: 0x5555_5556,
    };
    assert_eq!(
        emergency.to_word(),
        word("0000000000005555555644444445333333333422222222231111111111111112")
    );
    assert_eq!(Emergency::from_word(emergency.to_word()), emergency);
}
