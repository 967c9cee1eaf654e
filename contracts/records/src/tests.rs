use alloy_primitives::{FixedBytes, U256};
use alloy_sol_types::SolCall;
use medlock_abi::{
    exceptions::IExceptions::factsOfReturn,
    records::IRecords::IRecordsEvents,
    terms::{CODEC_DAG_CBOR, purpose},
};
use proptest::prelude::*;
use stylus_sdk::testing::TestVM;

use super::*;

const REGISTRY: Address = Address::repeat_byte(0xaa);
const EXCEPTIONS: Address = Address::repeat_byte(0xab);
const RELAY: Address = Address::repeat_byte(0xac);
const PATIENT: Address = Address::repeat_byte(0x01);
const CLINIC: Address = Address::repeat_byte(0x02);
const INSURER: Address = Address::repeat_byte(0x03);
const STRANGER: Address = Address::repeat_byte(0x04);
const CHART: B256 = FixedBytes::repeat_byte(0xc1);
const OTHER_CHART: B256 = FixedBytes::repeat_byte(0xc2);
const RECORD: B256 = FixedBytes::repeat_byte(0xe1);
const DIRECTORY: B256 = FixedBytes::repeat_byte(0xd1);
const ROTATED: B256 = FixedBytes::repeat_byte(0xd2);
const KEYRING: B256 = FixedBytes::repeat_byte(0xf1);
const POINTER: B256 = FixedBytes::repeat_byte(0x71);
const AMENDED: B256 = FixedBytes::repeat_byte(0x72);
const NOW: u64 = 1_800_000_000;
const LABS: u8 = 3;
const CLAIMS: u8 = 63;

/// An initialised contract with one open chart; only the clinic is a credentialed provider.
struct World {
    vm: TestVM,
    records: Records,
}

impl World {
    fn new() -> Self {
        let vm = TestVM::new();
        vm.set_block_timestamp(NOW);
        let records = Records::from(&vm);
        let mut world = Self { vm, records };
        world.records.initialize(REGISTRY, EXCEPTIONS, RELAY).unwrap();
        world.by(PATIENT).open_chart(CHART, DIRECTORY).unwrap();
        world
    }

    /// The contract, called by `sender`. The registry answers for this sender.
    fn by(&mut self, sender: Address) -> By<'_> {
        self.registry_says(sender, Ok(vec![u8::from(sender == CLINIC)]));
        self.vm.set_sender(sender);
        By {
            records: &mut self.records,
            actor: sender,
        }
    }

    /// `Ok`: the last bytes of one word. The test VM hands out the data mocked last.
    fn registry_says(&self, party: Address, answer: Result<Vec<u8>, Vec<u8>>) {
        let call = hasRolesCall {
            party,
            roles: role::PROVIDER,
        };
        let answer = answer.map(|bytes| B256::left_padding_from(&bytes).to_vec());
        self.vm.mock_static_call(REGISTRY, call.abi_encode(), answer);
    }

    fn grant(&mut self, grantee: Address, terms: GrantTerms) {
        self.by(PATIENT).grant(CHART, grantee, terms, KEYRING).unwrap();
    }

    fn add(&mut self, author: Address, batch: Vec<NewRecord>) -> Result<(), Error> {
        self.by(author).add_records(CHART, 1, batch)
    }

    /// The last events, oldest first.
    fn events(&self, last: usize) -> Vec<IRecordsEvents> {
        let logs = self.vm.get_emitted_logs();
        logs[logs.len() - last..]
            .iter()
            .map(|(topics, data)| alloy_sol_types::SolEventInterface::decode_raw_log(topics, data).unwrap())
            .collect()
    }
}

/// The contract, called by an actor in person, who has read what they replace.
struct By<'a> {
    records: &'a mut Records,
    actor: Address,
}

impl By<'_> {
    fn open_chart(self, chart: B256, directory: B256) -> Result<(), Error> {
        self.records.open_chart(self.actor, chart, directory)
    }

    fn set_directory(self, chart: B256, version: u32, directory: B256) -> Result<(), Error> {
        self.records.set_directory(self.actor, chart, version, directory)
    }

    fn offer_control(self, chart: B256, to: Address) -> Result<(), Error> {
        self.records.offer_control(self.actor, chart, to)
    }

    fn accept_control(self, chart: B256, version: u32, keyrings: Vec<Keyring>) -> Result<(), Error> {
        self.records
            .accept_control(self.actor, chart, version, ROTATED, keyrings)
    }

    fn add_records(self, chart: B256, version: u32, records: Vec<NewRecord>) -> Result<(), Error> {
        self.records
            .add_records(self.actor, chart, Address::ZERO, version, records)
    }

    fn amend_record(
        self,
        chart: B256,
        version: u32,
        record_id: B256,
        previous: B256,
        codec: u8,
        pointer: B256,
    ) -> Result<(), Error> {
        self.records.amend_record(
            self.actor,
            chart,
            Address::ZERO,
            version,
            record_id,
            previous,
            codec,
            pointer,
        )
    }

    fn enter_in_error(self, record_id: B256, previous: B256) -> Result<(), Error> {
        self.records
            .enter_in_error(self.actor, CHART, Address::ZERO, record_id, previous)
    }

    fn shred_record(self, record_id: B256) -> Result<(), Error> {
        self.records.shred_record(self.actor, CHART, record_id)
    }

    fn add_batch(self, compartment: u8, root: B256, count: u32) -> Result<(), Error> {
        self.records.add_batch(
            self.actor,
            CHART,
            Address::ZERO,
            1,
            compartment,
            CODEC_DAG_CBOR,
            root,
            count,
        )
    }

    fn grant(self, chart: B256, grantee: Address, terms: GrantTerms, keyring: B256) -> Result<(), Error> {
        let head = self.records.chart_of(chart);
        let held = self.records.grant_of(chart, grantee);
        let serial = if held.0 == head.1 { held.2 } else { 0 };
        self.records
            .grant(self.actor, chart, head.2, grantee, serial, terms, keyring)
    }

    fn set_keyrings(self, chart: B256, keyrings: Vec<Keyring>) -> Result<(), Error> {
        let version = self.records.chart_of(chart).2;
        self.records.set_keyrings(self.actor, chart, version, keyrings)
    }

    fn revoke(
        self,
        chart: B256,
        grantee: Address,
        version: u32,
        directory: B256,
        keyrings: Vec<Keyring>,
    ) -> Result<(), Error> {
        self.records
            .revoke(self.actor, chart, grantee, version, directory, keyrings)
    }

    fn revoke_all(self, chart: B256, version: u32, directory: B256) -> Result<(), Error> {
        self.records.revoke_all(self.actor, chart, version, directory)
    }
}

fn terms(compartments: u64) -> GrantTerms {
    GrantTerms {
        compartments,
        purposes: purpose::TREAT,
        actions: action::READ | action::WRITE,
        notBefore: 0,
        expiry: 0,
    }
}

fn terms_of_none() -> GrantTerms {
    GrantTerms {
        purposes: 0,
        actions: 0,
        ..terms(0)
    }
}

fn record(id: B256, compartment: u8) -> NewRecord {
    NewRecord {
        recordId: id,
        compartment,
        codec: CODEC_DAG_CBOR,
        pointer: POINTER,
    }
}

fn not_credentialed(actor: Address) -> Error {
    let organisation = Address::ZERO;
    IRecords::NotCredentialed { actor, organisation }.into()
}

fn id(n: usize) -> B256 {
    B256::from(U256::from(n + 1))
}

fn question(grantee: Address) -> Question {
    Question {
        chart: CHART,
        grantee,
        member: Address::ZERO,
        compartment: LABS,
        recordId: B256::ZERO,
        purpose: purpose::TREAT,
        action: action::READ,
    }
}

#[test]
fn initialize_works_once_and_never_with_zero() {
    let vm = TestVM::new();
    let mut records = Records::from(&vm);
    let zero = Err(IRecords::ZeroAddress {}.into());
    assert_eq!(records.initialize(Address::ZERO, EXCEPTIONS, RELAY), zero);
    assert_eq!(records.initialize(REGISTRY, Address::ZERO, RELAY), zero);
    assert_eq!(records.initialize(REGISTRY, EXCEPTIONS, Address::ZERO), zero);
    records.initialize(REGISTRY, EXCEPTIONS, RELAY).unwrap();
    assert_eq!(
        records.initialize(STRANGER, STRANGER, STRANGER),
        Err(IRecords::AlreadyInitialized {}.into())
    );
    assert_eq!(records.neighbours(), (REGISTRY, EXCEPTIONS, RELAY));
}

#[test]
fn a_chart_is_opened_once_by_anyone_who_then_controls_it() {
    let mut world = World::new();
    assert_eq!(world.records.chart_of(CHART), (PATIENT, 1, 1, DIRECTORY, 0, false));
    assert_eq!(
        world.by(STRANGER).open_chart(CHART, ROTATED),
        Err(IRecords::ChartExists { chart: CHART }.into())
    );
    assert_eq!(
        world.by(PATIENT).open_chart(B256::ZERO, DIRECTORY),
        Err(IRecords::ZeroId {}.into())
    );
    assert_eq!(
        world.by(PATIENT).open_chart(OTHER_CHART, B256::ZERO),
        Err(IRecords::ZeroDigest {}.into())
    );
    assert_eq!(
        world.records.chart_of(OTHER_CHART),
        (Address::ZERO, 0, 0, B256::ZERO, 0, false)
    );
    world.by(STRANGER).open_chart(OTHER_CHART, ROTATED).unwrap();
    assert_eq!(world.records.chart_of(OTHER_CHART).0, STRANGER);
    assert_eq!(world.records.chart_of(CHART), (PATIENT, 1, 1, DIRECTORY, 0, false));
}

#[test]
fn whatever_is_the_controllers_is_refused_to_everyone_else() {
    let mut world = World::new();
    world.grant(
        CLINIC,
        GrantTerms {
            actions: u8::MAX,
            ..terms(u64::MAX)
        },
    );
    for caller in [CLINIC, STRANGER, REGISTRY] {
        let refused = |power| Err(IRecords::NotController { actor: caller, power }.into());
        let keyrings = vec![Keyring {
            grantee: CLINIC,
            keyring: KEYRING,
        }];
        assert_eq!(
            world.by(caller).set_directory(CHART, 2, ROTATED),
            refused(power::DIRECTORY)
        );
        assert_eq!(
            world.by(caller).grant(CHART, STRANGER, terms(1), KEYRING),
            refused(power::GRANT)
        );
        assert_eq!(
            world.by(caller).set_keyrings(CHART, keyrings),
            refused(power::DIRECTORY)
        );
        assert_eq!(
            world.by(caller).revoke(CHART, CLINIC, 2, ROTATED, vec![]),
            refused(power::REVOKE)
        );
        assert_eq!(world.by(caller).revoke_all(CHART, 2, ROTATED), refused(power::REVOKE));
        assert_eq!(world.by(caller).offer_control(CHART, caller), refused(0));
        assert_eq!(world.by(caller).shred_record(RECORD), refused(0));
    }
}

#[test]
fn every_write_refuses_an_unknown_chart() {
    let mut world = World::new();
    let unknown = Err(IRecords::UnknownChart { chart: OTHER_CHART }.into());
    assert_eq!(world.by(PATIENT).set_directory(OTHER_CHART, 2, ROTATED), unknown);
    assert_eq!(
        world
            .by(PATIENT)
            .add_records(OTHER_CHART, 1, vec![record(RECORD, LABS)]),
        unknown
    );
    assert_eq!(
        world
            .by(PATIENT)
            .amend_record(OTHER_CHART, 1, RECORD, POINTER, 0, POINTER),
        unknown
    );
    assert_eq!(world.by(PATIENT).grant(OTHER_CHART, CLINIC, terms(1), KEYRING), unknown);
    assert_eq!(world.by(PATIENT).set_keyrings(OTHER_CHART, vec![]), unknown);
    assert_eq!(
        world.by(PATIENT).revoke(OTHER_CHART, CLINIC, 2, ROTATED, vec![]),
        unknown
    );
    assert_eq!(world.by(PATIENT).revoke_all(OTHER_CHART, 2, ROTATED), unknown);
}

#[test]
fn a_directory_has_the_next_version_and_a_digest() {
    let mut world = World::new();
    for given in [0, 1, 3] {
        assert_eq!(
            world.by(PATIENT).set_directory(CHART, given, ROTATED),
            Err(IRecords::DirectoryVersion { given, expected: 2 }.into())
        );
    }
    assert_eq!(
        world.by(PATIENT).set_directory(CHART, 2, B256::ZERO),
        Err(IRecords::ZeroDigest {}.into())
    );
    world.by(PATIENT).set_directory(CHART, 2, ROTATED).unwrap();
    assert_eq!(world.records.chart_of(CHART), (PATIENT, 1, 2, ROTATED, 0, false));
}

#[test]
fn adds_a_batch_in_the_order_given() {
    let mut world = World::new();
    world.grant(CLINIC, terms(1 << LABS | 1 << CLAIMS));
    world
        .add(CLINIC, vec![record(id(1), LABS), record(id(0), CLAIMS)])
        .unwrap();
    assert_eq!(
        world.records.record_of(CHART, id(0)),
        (CLINIC, NOW, 1, CLAIMS, 0, CODEC_DAG_CBOR, POINTER)
    );
    let added = |record_id, compartment| {
        IRecordsEvents::RecordAdded(IRecords::RecordAdded {
            chart: CHART,
            recordId: record_id,
            author: CLINIC,
            compartment,
            codec: CODEC_DAG_CBOR,
            pointer: POINTER,
        })
    };
    assert_eq!(world.events(2), [added(id(1), LABS), added(id(0), CLAIMS)]);
}

#[test]
fn refuses_envelopes_sealed_to_a_stale_directory() {
    let mut world = World::new();
    world.by(PATIENT).set_directory(CHART, 2, ROTATED).unwrap();
    for given in [1, 3] {
        assert_eq!(
            world.by(PATIENT).add_records(CHART, given, vec![record(RECORD, LABS)]),
            Err(IRecords::DirectoryVersion { given, expected: 2 }.into())
        );
    }
    world
        .by(PATIENT)
        .add_records(CHART, 2, vec![record(RECORD, LABS)])
        .unwrap();
    assert_eq!(
        world.by(PATIENT).amend_record(CHART, 1, RECORD, POINTER, 0, AMENDED),
        Err(IRecords::DirectoryVersion { given: 1, expected: 2 }.into())
    );
}

#[test]
fn refuses_a_batch_for_any_one_record_in_it() {
    let mut world = World::new();
    world.add(PATIENT, vec![record(RECORD, LABS)]).unwrap();
    let sound = record(id(7), LABS);
    let mut refuse = |bad: NewRecord, error: Error| {
        assert_eq!(world.add(PATIENT, vec![sound.clone(), bad]), Err(error));
    };
    refuse(record(B256::ZERO, LABS), IRecords::ZeroId {}.into());
    refuse(
        NewRecord {
            pointer: B256::ZERO,
            ..record(id(8), LABS)
        },
        IRecords::ZeroDigest {}.into(),
    );
    refuse(
        record(id(8), COMPARTMENTS),
        IRecords::CompartmentRange {
            compartment: COMPARTMENTS,
        }
        .into(),
    );
    refuse(record(RECORD, LABS), IRecords::RecordExists { recordId: RECORD }.into());
    // The same record twice in one batch.
    let mut world = World::new();
    assert_eq!(
        world.add(PATIENT, vec![sound.clone(), sound]),
        Err(IRecords::RecordExists { recordId: id(7) }.into())
    );
}

#[test]
fn batches_hold_1_to_128() {
    let mut world = World::new();
    let refused = |given: usize| {
        Error::from(IRecords::BatchSize {
            given: given as u32,
            most: 128,
        })
    };
    let records = |count| (0..count).map(|n| record(id(n), LABS)).collect();
    let keyrings = |count| {
        vec![
            Keyring {
                grantee: CLINIC,
                keyring: KEYRING
            };
            count
        ]
    };
    let questions = |count| vec![question(CLINIC); count];
    world.grant(CLINIC, terms(1));
    for given in [0, 129] {
        assert_eq!(world.add(PATIENT, records(given)), Err(refused(given)));
        assert_eq!(
            world.by(PATIENT).set_keyrings(CHART, keyrings(given)),
            Err(refused(given))
        );
        assert_eq!(world.records.decide_many(questions(given)), Err(refused(given)));
    }
    world.add(PATIENT, records(128)).unwrap();
    world.by(PATIENT).set_keyrings(CHART, keyrings(128)).unwrap();
    assert_eq!(
        world.records.decide_many(questions(128)).unwrap(),
        [reason::COMPARTMENT; 128]
    );
}

#[test]
fn a_writer_needs_a_write_grant_in_force_on_each_compartment() {
    let mut world = World::new();
    let refused = |world: &mut World, compartment, reason| {
        assert_eq!(
            world.add(CLINIC, vec![record(RECORD, compartment)]),
            Err(IRecords::NotWriter {
                actor: CLINIC,
                compartment,
                reason
            }
            .into())
        );
    };
    refused(&mut world, LABS, reason::NO_GRANT);
    world.grant(
        CLINIC,
        GrantTerms {
            actions: action::READ,
            ..terms(u64::MAX)
        },
    );
    refused(&mut world, LABS, reason::ACTION);
    world.grant(
        CLINIC,
        GrantTerms {
            notBefore: NOW + 1,
            ..terms(u64::MAX)
        },
    );
    refused(&mut world, LABS, reason::NOT_YET_VALID);
    world.grant(CLINIC, terms(1 << LABS));
    refused(&mut world, CLAIMS, reason::COMPARTMENT);
    // One compartment that is not granted refuses the batch.
    assert_eq!(
        world.add(CLINIC, vec![record(id(1), LABS), record(id(2), CLAIMS)]),
        Err(IRecords::NotWriter {
            actor: CLINIC,
            compartment: CLAIMS,
            reason: reason::COMPARTMENT
        }
        .into())
    );
    // A purpose is asked of readers only.
    world.grant(
        CLINIC,
        GrantTerms {
            purposes: purpose::HPAYMT,
            actions: action::WRITE,
            ..terms(1 << LABS)
        },
    );
    world.add(CLINIC, vec![record(RECORD, LABS)]).unwrap();
}

#[test]
fn a_writer_other_than_the_controller_needs_a_provider_credential() {
    let mut world = World::new();
    world.grant(INSURER, terms(u64::MAX));
    world.grant(CLINIC, terms(u64::MAX));
    assert_eq!(
        world.add(INSURER, vec![record(RECORD, LABS)]),
        Err(not_credentialed(INSURER))
    );
    // A registry that reverts, or answers with something that is not a bool, means no.
    world.by(CLINIC);
    for answer in [Err(vec![]), Ok(vec![2])] {
        world.registry_says(CLINIC, answer);
        assert_eq!(
            world
                .records
                .add_records(CLINIC, CHART, Address::ZERO, 1, vec![record(RECORD, LABS)]),
            Err(not_credentialed(CLINIC))
        );
    }
    world.add(CLINIC, vec![record(RECORD, LABS)]).unwrap();
    // The patient holds none, and the insurer cannot amend what is there either.
    world.add(PATIENT, vec![record(id(1), LABS)]).unwrap();
    assert_eq!(
        world.by(INSURER).amend_record(CHART, 1, RECORD, POINTER, 0, AMENDED),
        Err(not_credentialed(INSURER))
    );
}

#[test]
fn amending_follows_the_current_version_and_links_to_the_previous() {
    let mut world = World::new();
    world.add(PATIENT, vec![record(RECORD, LABS)]).unwrap();
    world.grant(CLINIC, terms(1 << LABS));
    let amend =
        |world: &mut World, id, previous, pointer| world.by(CLINIC).amend_record(CHART, 1, id, previous, 9, pointer);
    assert_eq!(
        amend(&mut world, id(5), POINTER, AMENDED),
        Err(IRecords::UnknownRecord { recordId: id(5) }.into())
    );
    assert_eq!(
        amend(&mut world, RECORD, B256::ZERO, AMENDED),
        Err(IRecords::StalePointer {
            given: B256::ZERO,
            current: POINTER
        }
        .into())
    );
    assert_eq!(
        amend(&mut world, RECORD, POINTER, B256::ZERO),
        Err(IRecords::ZeroDigest {}.into())
    );
    world.vm.set_block_timestamp(NOW + 5);
    amend(&mut world, RECORD, POINTER, AMENDED).unwrap();
    assert_eq!(
        world.records.record_of(CHART, RECORD),
        (CLINIC, NOW + 5, 2, LABS, 0, 9, AMENDED)
    );
    assert_eq!(
        world.events(1),
        [IRecordsEvents::RecordAmended(IRecords::RecordAmended {
            chart: CHART,
            recordId: RECORD,
            author: CLINIC,
            version: 2,
            codec: 9,
            pointer: AMENDED,
            previous: POINTER
        })]
    );
    // A second writer who read version 1 is told so.
    assert_eq!(
        amend(&mut world, RECORD, POINTER, id(9)),
        Err(IRecords::StalePointer {
            given: POINTER,
            current: AMENDED
        }
        .into())
    );
    world.grant(CLINIC, terms(1 << CLAIMS));
    assert_eq!(
        amend(&mut world, RECORD, AMENDED, id(9)),
        Err(IRecords::NotWriter {
            actor: CLINIC,
            compartment: LABS,
            reason: reason::COMPARTMENT
        }
        .into())
    );
}

#[test]
fn refuses_grants_that_mean_nothing() {
    let mut world = World::new();
    let mut refuse = |grantee, terms: GrantTerms, keyring, error: Error| {
        assert_eq!(world.by(PATIENT).grant(CHART, grantee, terms, keyring), Err(error));
    };
    let sound = terms(1);
    refuse(Address::ZERO, sound.clone(), KEYRING, IRecords::ZeroAddress {}.into());
    refuse(PATIENT, sound.clone(), KEYRING, IRecords::GrantToController {}.into());
    refuse(CLINIC, sound.clone(), B256::ZERO, IRecords::ZeroDigest {}.into());
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
    for (not_before, expiry) in [(NOW + 5, NOW + 5), (NOW + 5, NOW + 4), (0, NOW)] {
        refuse(
            CLINIC,
            GrantTerms {
                notBefore: not_before,
                expiry,
                ..terms(1)
            },
            KEYRING,
            IRecords::GrantWindow {
                notBefore: not_before,
                expiry,
            }
            .into(),
        );
    }
    for (not_before, expiry) in [(TIME_MOST + 1, 0), (0, TIME_MOST + 1)] {
        refuse(
            CLINIC,
            GrantTerms {
                notBefore: not_before,
                expiry,
                ..terms(1)
            },
            KEYRING,
            IRecords::TimeTooLarge { time: TIME_MOST + 1 }.into(),
        );
    }
    assert_eq!(world.records.grant_of(CHART, CLINIC).0, 0);
}

#[test]
fn granting_again_replaces_the_terms() {
    let mut world = World::new();
    world.grant(CLINIC, terms(1 << LABS));
    let narrower = GrantTerms {
        expiry: NOW + 60,
        ..terms(1 << CLAIMS)
    };
    world.grant(CLINIC, narrower.clone());
    assert_eq!(world.records.grant_of(CHART, CLINIC), (1, 1, 2, narrower));
    assert_eq!(world.records.decide(question(CLINIC)), (false, reason::COMPARTMENT));
}

#[test]
fn revoking_clears_the_grant_and_rotates_the_directory_at_once() {
    let mut world = World::new();
    world.grant(CLINIC, terms(1 << LABS));
    world.grant(INSURER, terms(1 << LABS));
    assert_eq!(
        world.by(PATIENT).revoke(CHART, STRANGER, 2, ROTATED, vec![]),
        Err(IRecords::NoGrant { grantee: STRANGER }.into())
    );
    assert_eq!(
        world.by(PATIENT).revoke(CHART, CLINIC, 1, ROTATED, vec![]),
        Err(IRecords::DirectoryVersion { given: 1, expected: 2 }.into())
    );
    assert_eq!(world.records.decide(question(CLINIC)), (true, reason::GRANT));
    let keyring = |grantee| Keyring {
        grantee,
        keyring: KEYRING,
    };
    for (keyrings, refused) in [
        (vec![keyring(STRANGER)], IRecords::NoGrant { grantee: STRANGER }.into()),
        (
            vec![keyring(INSURER), keyring(CLINIC)],
            IRecords::NoGrant { grantee: CLINIC }.into(),
        ),
        (
            vec![Keyring {
                grantee: INSURER,
                keyring: B256::ZERO,
            }],
            IRecords::ZeroDigest {}.into(),
        ),
        (
            vec![keyring(INSURER); BATCH_MOST + 1],
            IRecords::BatchSize {
                given: (BATCH_MOST + 1) as u32,
                most: BATCH_MOST as u32,
            }
            .into(),
        ),
    ] {
        assert_eq!(
            world.by(PATIENT).revoke(CHART, CLINIC, 2, ROTATED, keyrings),
            Err(refused)
        );
    }
    assert_eq!(world.records.decide(question(CLINIC)), (true, reason::GRANT));
    world
        .by(PATIENT)
        .revoke(CHART, CLINIC, 2, ROTATED, vec![keyring(INSURER)])
        .unwrap();
    assert_eq!(
        world.events(3),
        [
            IRecordsEvents::Revoked(IRecords::Revoked {
                chart: CHART,
                grantee: CLINIC
            }),
            IRecordsEvents::DirectorySet(IRecords::DirectorySet {
                chart: CHART,
                version: 2,
                directory: ROTATED
            }),
            IRecordsEvents::KeyringSet(IRecords::KeyringSet {
                chart: CHART,
                grantee: INSURER,
                keyring: KEYRING
            })
        ]
    );
    assert_eq!(world.records.chart_of(CHART), (PATIENT, 1, 2, ROTATED, 0, false));
    assert_eq!(world.records.decide(question(CLINIC)), (false, reason::NO_GRANT));
    assert_eq!(world.records.decide(question(INSURER)), (true, reason::GRANT));
    assert_eq!(
        world.by(PATIENT).revoke(CHART, CLINIC, 3, DIRECTORY, vec![]),
        Err(IRecords::NoGrant { grantee: CLINIC }.into())
    );
}

#[test]
fn revoking_all_ends_every_grant_and_a_new_one_starts_anew() {
    let mut world = World::new();
    world.grant(CLINIC, terms(u64::MAX));
    world.grant(INSURER, terms(u64::MAX));
    world.by(PATIENT).revoke_all(CHART, 2, ROTATED).unwrap();
    assert_eq!(world.records.chart_of(CHART), (PATIENT, 2, 2, ROTATED, 0, false));
    for grantee in [CLINIC, INSURER] {
        assert_eq!(world.records.decide(question(grantee)), (false, reason::REVOKED));
        assert_eq!(
            world.by(PATIENT).revoke(CHART, grantee, 3, DIRECTORY, vec![]),
            Err(IRecords::NoGrant { grantee }.into())
        );
    }
    assert_eq!(
        world.by(PATIENT).set_keyrings(
            CHART,
            vec![Keyring {
                grantee: CLINIC,
                keyring: KEYRING
            }]
        ),
        Err(IRecords::NoGrant { grantee: CLINIC }.into())
    );
    world.grant(CLINIC, terms(1 << LABS));
    assert_eq!(world.records.decide(question(CLINIC)), (true, reason::GRANT));
    assert_eq!(world.records.decide(question(INSURER)), (false, reason::REVOKED));
}

#[test]
fn keyrings_go_to_grantees_only_and_carry_digests() {
    let mut world = World::new();
    world.grant(CLINIC, terms(1));
    let keyring = |grantee, keyring| Keyring { grantee, keyring };
    assert_eq!(
        world
            .by(PATIENT)
            .set_keyrings(CHART, vec![keyring(CLINIC, KEYRING), keyring(STRANGER, KEYRING)]),
        Err(IRecords::NoGrant { grantee: STRANGER }.into())
    );
    assert_eq!(
        world.by(PATIENT).set_keyrings(CHART, vec![keyring(CLINIC, B256::ZERO)]),
        Err(IRecords::ZeroDigest {}.into())
    );
    world
        .by(PATIENT)
        .set_keyrings(CHART, vec![keyring(CLINIC, ROTATED)])
        .unwrap();
    assert_eq!(
        world.events(1),
        [IRecordsEvents::KeyringSet(IRecords::KeyringSet {
            chart: CHART,
            grantee: CLINIC,
            keyring: ROTATED
        })]
    );
}

#[test]
fn whoever_is_neither_the_actor_nor_the_relay_is_refused_by_every_method() {
    let mut world = World::new();
    world.vm.set_sender(STRANGER);
    let records = &mut world.records;
    let refused = Err(IRecords::NotActor {
        caller: STRANGER,
        actor: PATIENT,
    }
    .into());
    let nobody = Address::ZERO;
    assert_eq!(records.open_chart(PATIENT, OTHER_CHART, DIRECTORY), refused);
    assert_eq!(records.offer_control(PATIENT, CHART, STRANGER), refused);
    assert_eq!(records.accept_control(PATIENT, CHART, 2, ROTATED, vec![]), refused);
    assert_eq!(records.set_directory(PATIENT, CHART, 2, ROTATED), refused);
    assert_eq!(
        records.add_records(PATIENT, CHART, nobody, 1, vec![record(RECORD, LABS)]),
        refused
    );
    assert_eq!(
        records.amend_record(PATIENT, CHART, nobody, 1, RECORD, POINTER, 0, AMENDED),
        refused
    );
    assert_eq!(records.enter_in_error(PATIENT, CHART, nobody, RECORD, POINTER), refused);
    assert_eq!(records.shred_record(PATIENT, CHART, RECORD), refused);
    assert_eq!(
        records.add_batch(PATIENT, CHART, nobody, 1, LABS, 0, POINTER, 1),
        refused
    );
    assert_eq!(records.grant(PATIENT, CHART, 1, CLINIC, 0, terms(1), KEYRING), refused);
    assert_eq!(records.set_keyrings(PATIENT, CHART, 1, vec![]), refused);
    assert_eq!(records.revoke(PATIENT, CHART, CLINIC, 2, ROTATED, vec![]), refused);
    assert_eq!(records.revoke_all(PATIENT, CHART, 2, ROTATED), refused);
    // The relay speaks for whoever signed.
    world.vm.set_sender(RELAY);
    world
        .records
        .grant(PATIENT, CHART, 1, CLINIC, 0, terms(1), KEYRING)
        .unwrap();
    assert_eq!(world.records.grant_of(CHART, CLINIC).2, 1);
}

#[test]
fn a_grant_names_the_directory_and_the_grant_that_it_replaces() {
    let mut world = World::new();
    world.by(PATIENT);
    let mut grant = |version, serial| {
        world
            .records
            .grant(PATIENT, CHART, version, CLINIC, serial, terms(1), KEYRING)
    };
    assert_eq!(
        grant(2, 0),
        Err(IRecords::DirectoryVersion { given: 2, expected: 1 }.into())
    );
    assert_eq!(grant(1, 1), Err(IRecords::GrantSerial { given: 1, current: 0 }.into()));
    for serial in 0..u8::MAX {
        grant(1, serial).unwrap();
    }
    assert_eq!(grant(1, u8::MAX), Err(IRecords::LastSerial { grantee: CLINIC }.into()));
    assert_eq!(
        grant(1, 0),
        Err(IRecords::GrantSerial { given: 0, current: 255 }.into())
    );
    world.by(PATIENT).revoke(CHART, CLINIC, 2, ROTATED, vec![]).unwrap();
    assert_eq!(world.records.grant_of(CHART, CLINIC), (0, 0, 0, terms_of_none()));
    world.grant(CLINIC, terms(1));
    world.by(PATIENT).set_directory(CHART, 3, DIRECTORY).unwrap();
    world.grant(CLINIC, terms(3));
    // Since when the pair has had grants stays with a replacement, and begins anew after the end of all.
    assert_eq!(world.records.grant_of(CHART, CLINIC), (1, 2, 2, terms(3)));
    world.by(PATIENT).revoke_all(CHART, 4, ROTATED).unwrap();
    world.grant(CLINIC, terms(1));
    assert_eq!(world.records.grant_of(CHART, CLINIC), (2, 4, 1, terms(1)));
}

#[test]
fn control_passes_in_two_steps_with_a_directory_and_ends_what_was_the_old_controllers() {
    let mut world = World::new();
    world.grant(CLINIC, terms(1));
    world.grant(INSURER, terms(1));
    let not_offered = |offered| Err(IRecords::NotOffered { actor: CLINIC, offered }.into());
    assert_eq!(
        world.by(CLINIC).accept_control(CHART, 2, vec![]),
        not_offered(Address::ZERO)
    );
    world.by(PATIENT).offer_control(CHART, CLINIC).unwrap();
    world.by(PATIENT).offer_control(CHART, STRANGER).unwrap();
    assert_eq!(world.records.offered_to(CHART), STRANGER);
    assert_eq!(world.by(CLINIC).accept_control(CHART, 2, vec![]), not_offered(STRANGER));
    world.by(PATIENT).offer_control(CHART, Address::ZERO).unwrap();
    assert_eq!(
        world.by(STRANGER).accept_control(CHART, 2, vec![]),
        Err(IRecords::NotOffered {
            actor: STRANGER,
            offered: Address::ZERO
        }
        .into())
    );
    world.by(PATIENT).offer_control(CHART, CLINIC).unwrap();
    assert_eq!(
        world.by(CLINIC).accept_control(CHART, 3, vec![]),
        Err(IRecords::DirectoryVersion { given: 3, expected: 2 }.into())
    );
    let keyring = |grantee| Keyring {
        grantee,
        keyring: KEYRING,
    };
    assert_eq!(
        world.by(CLINIC).accept_control(CHART, 2, vec![keyring(CLINIC)]),
        Err(IRecords::NoGrant { grantee: CLINIC }.into())
    );
    world
        .by(CLINIC)
        .accept_control(CHART, 2, vec![keyring(INSURER)])
        .unwrap();
    assert_eq!(
        world.events(4),
        [
            IRecordsEvents::ControlAccepted(IRecords::ControlAccepted {
                chart: CHART,
                controller: CLINIC,
                controlEpoch: 1
            }),
            IRecordsEvents::Revoked(IRecords::Revoked {
                chart: CHART,
                grantee: CLINIC
            }),
            IRecordsEvents::DirectorySet(IRecords::DirectorySet {
                chart: CHART,
                version: 2,
                directory: ROTATED
            }),
            IRecordsEvents::KeyringSet(IRecords::KeyringSet {
                chart: CHART,
                grantee: INSURER,
                keyring: KEYRING
            })
        ]
    );
    assert_eq!(world.records.chart_of(CHART), (CLINIC, 1, 2, ROTATED, 1, false));
    assert_eq!(world.records.offered_to(CHART), Address::ZERO);
    assert_eq!(
        world.by(PATIENT).set_directory(CHART, 3, DIRECTORY),
        Err(IRecords::NotController {
            actor: PATIENT,
            power: power::DIRECTORY
        }
        .into())
    );
}

#[test]
fn the_last_control_epoch_is_never_passed_on() {
    let mut world = World::new();
    let head = ChartHead {
        controller: PATIENT,
        grant_epoch: 1,
        directory_version: 1,
        exceptional: false,
        control_epoch: CONTROL_EPOCH_MOST,
    };
    world.records.charts.setter(CHART).head.set(head.to_word());
    world.by(PATIENT).offer_control(CHART, CLINIC).unwrap();
    assert_eq!(
        world.by(CLINIC).accept_control(CHART, 2, vec![]),
        Err(IRecords::LastControlEpoch {}.into())
    );
}

#[test]
fn what_was_entered_in_error_stays_readable_and_what_was_shredded_is_gone_for_good() {
    let mut world = World::new();
    world.grant(CLINIC, terms(1 << LABS));
    world
        .add(CLINIC, vec![record(RECORD, LABS), record(id(1), LABS)])
        .unwrap();
    let status = |record_id, status| {
        Err(IRecords::RecordStatus {
            recordId: record_id,
            status,
        }
        .into())
    };
    assert_eq!(
        world.by(CLINIC).enter_in_error(RECORD, AMENDED),
        Err(IRecords::StalePointer {
            given: AMENDED,
            current: POINTER
        }
        .into())
    );
    assert_eq!(
        world.by(INSURER).enter_in_error(RECORD, POINTER),
        Err(IRecords::NotWriter {
            actor: INSURER,
            compartment: LABS,
            reason: reason::NO_GRANT
        }
        .into())
    );
    world.by(CLINIC).enter_in_error(RECORD, POINTER).unwrap();
    assert_eq!(
        world.events(1),
        [IRecordsEvents::RecordEnteredInError(IRecords::RecordEnteredInError {
            chart: CHART,
            recordId: RECORD,
            by: CLINIC
        })]
    );
    assert_eq!(world.by(CLINIC).enter_in_error(RECORD, POINTER), status(RECORD, 1));
    assert_eq!(
        world.by(CLINIC).amend_record(CHART, 1, RECORD, POINTER, 0, AMENDED),
        status(RECORD, 1)
    );
    let about = |record_id| Question {
        recordId: record_id,
        ..question(CLINIC)
    };
    assert_eq!(world.records.decide(about(RECORD)), (true, reason::GRANT));

    for record_id in [RECORD, id(1)] {
        world.by(PATIENT).shred_record(record_id).unwrap();
        assert_eq!(
            world.records.record_of(CHART, record_id),
            (CLINIC, NOW, 1, LABS, 2, CODEC_DAG_CBOR, B256::ZERO)
        );
        assert_eq!(world.records.decide(about(record_id)), (false, reason::SHREDDED));
        assert_eq!(world.by(PATIENT).shred_record(record_id), status(record_id, 2));
        assert_eq!(
            world.add(PATIENT, vec![record(record_id, LABS)]),
            Err(IRecords::RecordExists { recordId: record_id }.into())
        );
    }
    assert_eq!(
        world.by(PATIENT).amend_record(CHART, 1, RECORD, B256::ZERO, 0, AMENDED),
        status(RECORD, 2)
    );
    assert_eq!(
        world.by(PATIENT).shred_record(id(7)),
        Err(IRecords::UnknownRecord { recordId: id(7) }.into())
    );
}

#[test]
fn a_batch_is_one_word_and_each_of_its_leaves_may_become_a_record() {
    let mut world = World::new();
    world.grant(CLINIC, terms(1 << LABS));
    let keccak = |bytes: &[u8]| alloy_primitives::keccak256(bytes);
    let leaves: Vec<B256> = (0..3)
        .map(|n| medlock_merkle::leaf_of_two(keccak, id(n), POINTER))
        .collect();
    let root = medlock_merkle::root(keccak, &leaves).unwrap();
    let proof = |index| medlock_merkle::proof(keccak, &leaves, index).unwrap();
    assert_eq!(
        world.by(CLINIC).add_batch(LABS, B256::ZERO, 3),
        Err(IRecords::ZeroDigest {}.into())
    );
    assert_eq!(
        world.by(CLINIC).add_batch(LABS, root, 0),
        Err(IRecords::BatchSize {
            given: 0,
            most: u32::MAX
        }
        .into())
    );
    assert_eq!(
        world.by(CLINIC).add_batch(64, root, 3),
        Err(IRecords::CompartmentRange { compartment: 64 }.into())
    );
    assert_eq!(
        world.by(CLINIC).add_batch(CLAIMS, root, 3),
        Err(IRecords::NotWriter {
            actor: CLINIC,
            compartment: CLAIMS,
            reason: reason::COMPARTMENT
        }
        .into())
    );
    assert!(!world.records.verify_batch(CHART, root, 1, id(1), POINTER, proof(1)));
    world.by(CLINIC).add_batch(LABS, root, 3).unwrap();
    assert_eq!(
        world.events(1),
        [IRecordsEvents::BatchAdded(IRecords::BatchAdded {
            chart: CHART,
            root,
            author: CLINIC,
            compartment: LABS,
            codec: CODEC_DAG_CBOR,
            count: 3
        })]
    );
    assert_eq!(
        world.by(CLINIC).add_batch(LABS, root, 3),
        Err(IRecords::BatchExists { root }.into())
    );
    assert_eq!(
        world.records.batch_of(CHART, root),
        (CLINIC, NOW, 3, LABS, CODEC_DAG_CBOR)
    );
    assert_eq!(world.records.batch_of(OTHER_CHART, root), (Address::ZERO, 0, 0, 0, 0));

    world.vm.set_block_timestamp(NOW + 9);
    for index in 0..3 {
        assert!(
            world
                .records
                .verify_batch(CHART, root, index, id(index as usize), POINTER, proof(index as usize))
        );
    }
    assert!(!world.records.verify_batch(CHART, root, 0, id(1), POINTER, proof(1)));
    world.vm.set_sender(STRANGER);
    let mut take = |index: u32, id, pointer| world.records.take_from_batch(CHART, root, index, id, pointer, proof(1));
    assert_eq!(take(1, B256::ZERO, POINTER), Err(IRecords::ZeroId {}.into()));
    assert_eq!(take(1, id(1), B256::ZERO), Err(IRecords::ZeroDigest {}.into()));
    assert_eq!(
        take(1, id(2), POINTER),
        Err(IRecords::NotInBatch { root, recordId: id(2) }.into())
    );
    take(1, id(1), POINTER).unwrap();
    assert_eq!(
        take(1, id(1), POINTER),
        Err(IRecords::RecordExists { recordId: id(1) }.into())
    );
    assert_eq!(
        world.records.record_of(CHART, id(1)),
        (CLINIC, NOW, 1, LABS, 0, CODEC_DAG_CBOR, POINTER)
    );
    assert_eq!(
        world.events(1),
        [IRecordsEvents::RecordTakenFromBatch(IRecords::RecordTakenFromBatch {
            chart: CHART,
            recordId: id(1),
            root,
            author: CLINIC,
            createdAt: NOW,
            compartment: LABS,
            codec: CODEC_DAG_CBOR,
            pointer: POINTER
        })]
    );
}

#[test]
fn only_exceptions_makes_a_chart_exceptional_and_that_once() {
    let mut world = World::new();
    world.vm.set_sender(STRANGER);
    assert_eq!(
        world.records.set_exceptional(CHART),
        Err(IRecords::NotExceptions { caller: STRANGER }.into())
    );
    world.vm.set_sender(EXCEPTIONS);
    assert_eq!(
        world.records.set_exceptional(OTHER_CHART),
        Err(IRecords::UnknownChart { chart: OTHER_CHART }.into())
    );
    world.records.set_exceptional(CHART).unwrap();
    let events = world.vm.get_emitted_logs().len();
    world.records.set_exceptional(CHART).unwrap();
    assert_eq!(world.vm.get_emitted_logs().len(), events);
    assert!(world.records.chart_of(CHART).5);
}

#[test]
fn an_exceptional_chart_is_decided_with_the_facts_and_no_answer_closes() {
    let mut world = World::new();
    world.grant(CLINIC, terms(1 << LABS));
    world.vm.set_sender(EXCEPTIONS);
    world.records.set_exceptional(CHART).unwrap();
    let facts = |denied, allowed_since, powers, emergency| factsOfReturn {
        denied,
        allowedSince: allowed_since,
        powers,
        emergency,
    };
    let (clinic, claims) = (
        question(CLINIC),
        Question {
            compartment: CLAIMS,
            ..question(CLINIC)
        },
    );
    let stranger = question(STRANGER);
    for (asked, facts, expected) in [
        (&clinic, Some(facts(false, 0, 0, false)), reason::GRANT),
        (&clinic, Some(facts(true, 1, power::READ, true)), reason::DENIED),
        (&clinic, None, reason::DENIED),
        (&claims, Some(facts(false, 0, 0, false)), reason::COMPARTMENT),
        (&claims, Some(facts(false, 1, 0, false)), reason::RULE),
        (&claims, Some(facts(true, 1, 0, false)), reason::DENIED),
        (&claims, Some(facts(false, 0, power::READ, false)), reason::DELEGATE),
        (&claims, Some(facts(false, 0, power::WRITE, true)), reason::EMERGENCY),
        (&stranger, Some(facts(false, 9, 0, false)), reason::NO_GRANT),
        (&stranger, Some(facts(false, 0, power::READ, true)), reason::DELEGATE),
        (&stranger, Some(facts(true, 0, power::READ, true)), reason::NO_GRANT),
        (&stranger, None, reason::NO_GRANT),
        (&question(PATIENT), None, reason::CONTROLLER),
    ] {
        let call = factsOfCall {
            chart: CHART,
            grantEpoch: 1,
            controlEpoch: 0,
            grantee: asked.grantee,
            member: Address::ZERO,
            compartment: asked.compartment,
            recordId: B256::ZERO,
            purpose: asked.purpose,
            action: asked.action,
        };
        let answer = match facts {
            Some(facts) => Ok(factsOfCall::abi_encode_returns(&facts)),
            None => Ok(vec![7]),
        };
        world.vm.mock_static_call(EXCEPTIONS, call.abi_encode(), answer);
        assert_eq!(
            world.records.decide(asked.clone()),
            (reason::is_allowed(expected), expected),
            "{asked:?}"
        );
    }
}

#[test]
fn a_member_asks_and_writes_on_the_organisations_grant() {
    let mut world = World::new();
    world.grant(CLINIC, terms(1 << LABS));
    let asked = Question {
        member: STRANGER,
        ..question(CLINIC)
    };
    let mut says = |world: &World, roles, answer: u8| {
        let call = mayActForCall {
            organisation: CLINIC,
            member: STRANGER,
            roles,
        };
        let answer = Ok(B256::with_last_byte(answer).to_vec());
        world.vm.mock_static_call(REGISTRY, call.abi_encode(), answer);
    };
    says(&world, 0, 0);
    assert_eq!(world.records.decide(asked.clone()), (false, reason::NOT_MEMBER));
    says(&world, 0, 1);
    assert_eq!(world.records.decide(asked), (true, reason::GRANT));
    world.vm.set_sender(STRANGER);
    let mut add = |world: &mut World| {
        world
            .records
            .add_records(STRANGER, CHART, CLINIC, 1, vec![record(RECORD, LABS)])
    };
    says(&world, role::PROVIDER, 0);
    let refused = IRecords::NotCredentialed {
        actor: STRANGER,
        organisation: CLINIC,
    };
    assert_eq!(add(&mut world), Err(refused.into()));
    says(&world, role::PROVIDER, 1);
    add(&mut world).unwrap();
    assert_eq!(
        world.events(2)[0],
        IRecordsEvents::ActedFor(IRecords::ActedFor {
            chart: CHART,
            organisation: CLINIC,
            member: STRANGER
        })
    );
    assert_eq!(world.records.record_of(CHART, RECORD).0, STRANGER);
}

/// What the shared function says, written down again as a table.
#[test]
fn grant_rule_delegate_and_emergency_meet_in_the_documented_order() {
    let failing = [
        reason::NO_GRANT,
        reason::REVOKED,
        reason::NOT_YET_VALID,
        reason::EXPIRED,
        reason::COMPARTMENT,
        reason::PURPOSE,
        reason::ACTION,
        reason::GRANT,
    ];
    for by_grant in failing {
        for bits in 0..64u32 {
            let is = |n: u32| bits >> n & 1 == 1;
            let asked = [action::READ, action::WRITE][usize::from(is(0))];
            let facts = Facts {
                denied: is(1),
                allowed_since: if is(2) { 5 } else { 0 },
                powers: if is(3) { power::READ } else { 0 },
                emergency: is(4),
            };
            let since = if is(5) { 5 } else { 6 };
            let in_force = by_grant >= reason::COMPARTMENT || by_grant == reason::GRANT;
            let ways = [
                (facts.denied && in_force, reason::DENIED),
                (facts.denied, by_grant),
                (by_grant == reason::GRANT, reason::GRANT),
                (by_grant == reason::COMPARTMENT && is(2) && is(5), reason::RULE),
                (asked == action::READ && is(3), reason::DELEGATE),
                (asked == action::READ && is(4), reason::EMERGENCY),
                (true, by_grant),
            ];
            let expected = ways.iter().find(|(holds, _)| *holds).unwrap().1;
            assert_eq!(
                reason::combine(by_grant, since, asked, facts),
                expected,
                "{by_grant} {bits:b}"
            );
        }
    }
}

/// A model of `decide` that knows nothing of slots: it lists what must hold, in the documented order.
struct Model {
    now: u64,
    /// Epoch when given, and terms.
    grant: Option<(u32, GrantTerms)>,
    chart_epoch: u32,
    record_compartment: u8,
}

impl Model {
    fn reason(&self, asked: &Question) -> u8 {
        let bit = |bits: u64, n: u8| n < 64 && bits & (1u64 << n) != 0;
        let controller = asked.grantee == PATIENT;
        let none = (0, terms(0));
        let (epoch, terms) = self.grant.as_ref().filter(|_| asked.grantee == CLINIC).unwrap_or(&none);
        let checks = [
            (
                asked.compartment < 64 && asked.purpose.count_ones() == 1 && asked.action.count_ones() == 1,
                reason::MALFORMED,
            ),
            (asked.chart == CHART, reason::UNKNOWN_CHART),
            (controller || *epoch != 0, reason::NO_GRANT),
            (controller || *epoch == self.chart_epoch, reason::REVOKED),
            (controller || terms.notBefore <= self.now, reason::NOT_YET_VALID),
            (
                controller || terms.expiry == 0 || self.now < terms.expiry,
                reason::EXPIRED,
            ),
            (
                controller || bit(terms.compartments, asked.compartment),
                reason::COMPARTMENT,
            ),
            (controller || terms.purposes & asked.purpose != 0, reason::PURPOSE),
            (controller || terms.actions & asked.action != 0, reason::ACTION),
            ([B256::ZERO, RECORD].contains(&asked.recordId), reason::UNKNOWN_RECORD),
            (
                asked.recordId.is_zero() || asked.compartment == self.record_compartment,
                reason::RECORD_COMPARTMENT,
            ),
        ];
        let allowed = if controller { reason::CONTROLLER } else { reason::GRANT };
        checks
            .iter()
            .find(|(holds, _)| !holds)
            .map_or(allowed, |(_, reason)| *reason)
    }
}

/// Few values, so that they meet often: what is granted and what is asked come from the same ones.
fn compartment() -> impl Strategy<Value = u8> {
    prop_oneof![4 => prop::sample::select(vec![0u8, LABS, CLAIMS]), 1 => any::<u8>()]
}

fn purposes() -> impl Strategy<Value = u32> {
    prop_oneof![4 => Just(purpose::TREAT), 2 => Just(purpose::HPAYMT), 1 => any::<u32>()]
}

fn actions() -> impl Strategy<Value = u8> {
    prop_oneof![4 => Just(action::READ), 2 => Just(action::WRITE), 1 => any::<u8>()]
}

fn granted() -> impl Strategy<Value = GrantTerms> {
    (
        prop_oneof![3 => Just(1 << LABS | 1), 1 => Just(1 << CLAIMS), 1 => 1..u64::MAX],
        purposes(),
        actions(),
        prop_oneof![2 => Just(0), 1 => Just(NOW + 10)],
        prop_oneof![1 => Just(0), 1 => Just(NOW + 20)],
    )
        .prop_map(|(compartments, purposes, actions, not_before, expiry)| GrantTerms {
            compartments,
            purposes: purposes.max(1),
            actions: actions.max(1),
            notBefore: not_before,
            expiry,
        })
}

fn asked() -> impl Strategy<Value = Question> {
    (
        prop_oneof![8 => Just(CHART), 1 => Just(OTHER_CHART)],
        prop_oneof![6 => Just(CLINIC), 1 => Just(PATIENT), 1 => Just(STRANGER)],
        compartment(),
        prop::sample::select(vec![B256::ZERO, RECORD, id(9)]),
        purposes(),
        actions(),
    )
        .prop_map(|(chart, grantee, compartment, record_id, purpose, action)| Question {
            chart,
            grantee,
            member: Address::ZERO,
            compartment,
            recordId: record_id,
            purpose,
            action,
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn decide_agrees_with_the_model(
        grant in prop::option::weighted(0.9, granted()),
        revoked in prop::bool::weighted(0.1),
        revoked_all in prop::bool::weighted(0.1),
        elapsed in prop::sample::select(vec![0u64, 9, 10, 19, 20]),
        record_compartment in prop::sample::select(vec![LABS, CLAIMS]),
        questions in prop::collection::vec(asked(), 1..16),
    ) {
        let mut world = World::new();
        let mut model = Model { now: NOW + elapsed, grant: None, chart_epoch: 1, record_compartment };
        world.add(PATIENT, vec![record(RECORD, record_compartment)]).unwrap();
        let mut directory = 1;
        if let Some(terms) = grant {
            world.grant(CLINIC, terms.clone());
            model.grant = Some((1, terms));
            if revoked {
                directory += 1;
                world.by(PATIENT).revoke(CHART, CLINIC, directory, ROTATED, vec![]).unwrap();
                model.grant = None;
            }
        }
        if revoked_all {
            directory += 1;
            world.by(PATIENT).revoke_all(CHART, directory, ROTATED).unwrap();
            model.chart_epoch = 2;
        }
        world.vm.set_block_timestamp(model.now);

        let expected: Vec<u8> = questions.iter().map(|question| model.reason(question)).collect();
        prop_assert_eq!(world.records.decide_many(questions.clone()).unwrap(), expected.clone());
        for (question, reason) in questions.into_iter().zip(expected) {
            prop_assert_eq!(world.records.decide(question), (reason < 16, reason));
        }
    }

    #[test]
    fn packed_words_give_back_what_went_in(
        bytes in any::<[u8; 20]>(), a in any::<u32>(), b in any::<u32>(), c in any::<u32>(),
        d in any::<u8>(), e in any::<u8>(), f in any::<u8>(), g in any::<u64>(),
        s in 0..=TIME_MOST, t in 0..=TIME_MOST,
    ) {
        let address = Address::from(bytes);
        let chart = ChartHead {
            controller: address, grant_epoch: a, directory_version: b, exceptional: d & 1 == 1, control_epoch: c >> 8,
        };
        prop_assert_eq!(ChartHead::from_word(chart.to_word()), chart);
        let record = RecordHead { author: address, created_at: s, version: a, compartment: d, status: e, codec: f };
        prop_assert_eq!(RecordHead::from_word(record.to_word()), record);
        let grant = Grant {
            epoch: a, compartments: g, purposes: b, actions: d, not_before: s, expiry: t, since: c, serial: e,
        };
        prop_assert_eq!(Grant::from_word(grant.to_word()), grant);
    }
}

/// Proofs of storage (`eth_getProof`) are read by this layout: that of README.md.
#[test]
fn storage_lies_where_solidity_would_put_it() {
    fn entry(key: B256, slot: B256) -> B256 {
        alloy_primitives::keccak256([key, slot].concat())
    }
    fn after(slot: B256) -> B256 {
        B256::from(U256::from_be_bytes(slot.0) + U256::from(1))
    }
    let slot = |n: u8| B256::with_last_byte(n);
    let mut world = World::new();
    world.add(PATIENT, vec![record(RECORD, LABS)]).unwrap();
    world.grant(CLINIC, terms(1 << LABS));
    let read = |slot: B256| world.vm.get_storage(U256::from_be_bytes(slot.0));

    for (n, address) in [(0, REGISTRY), (4, EXCEPTIONS), (5, RELAY)] {
        assert_eq!(read(slot(n)), address.into_word());
    }
    let chart = entry(CHART, slot(1));
    assert_eq!(
        ChartHead::from_word(read(chart)),
        ChartHead {
            controller: PATIENT,
            grant_epoch: 1,
            directory_version: 1,
            exceptional: false,
            control_epoch: 0
        }
    );
    assert_eq!(read(after(chart)), DIRECTORY);
    let head = entry(RECORD, entry(CHART, slot(2)));
    assert_eq!(RecordHead::from_word(read(head)).author, PATIENT);
    assert_eq!(read(after(head)), POINTER);
    let grant = entry(CLINIC.into_word(), entry(CHART, slot(3)));
    assert_eq!(Grant::from_word(read(grant)), Grant::new(1, 1, 1, &terms(1 << LABS)));
    // Field by field, lowest first: compartments, epoch, purposes, two times, actions, since, serial.
    assert_eq!(
        read(grant),
        alloy_primitives::b256!(
            "010000000103000000000000000000000000000100000001"
            "0000000000000008"
        )
    );
}
