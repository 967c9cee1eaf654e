use alloy_primitives::{FixedBytes, U256, keccak256};
use alloy_sol_types::SolCall;
use medlock_abi::{
    records::IRecords::IRecordsEvents as Event,
    terms::{CODEC_DAG_CBOR, purpose},
};
use stylus_sdk::testing::TestVM;

use super::*;

mod batches;
mod calls;
mod charts;
mod combine;
mod control;
mod decide;
mod entries;
mod facts;
mod grants;
mod history;
mod layout;
mod organisations;
mod revocations;
mod rotations;

const REGISTRY: Address = Address::new(link::REGISTRY);
const EXCEPTIONS: Address = Address::new(link::EXCEPTIONS);
const RELAY: Address = Address::new(link::RELAY);
const PATIENT: Address = Address::repeat_byte(0x01);
const HEIR: Address = Address::repeat_byte(0x02);
const CLINIC: Address = Address::repeat_byte(0x03);
const NURSE: Address = Address::repeat_byte(0x04);
const INSURER: Address = Address::repeat_byte(0x05);
const GUARDIAN: Address = Address::repeat_byte(0x06);
const STRANGER: Address = Address::repeat_byte(0x07);
/// All who act, but for the neighbours.
const PARTIES: [Address; 7] = [PATIENT, HEIR, CLINIC, NURSE, INSURER, GUARDIAN, STRANGER];
/// No organisation, no member.
const NOBODY: Address = Address::ZERO;
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
/// Nothing stands beside the grants.
const NOTHING: Facts = Facts {
    denied: false,
    allowed_since: 0,
    powers: 0,
    emergency: false,
};

/// A contract with one open chart. The clinic is a credentialed provider, the nurse its only member; nobody else
/// is either.
///
/// The test VM answers a static call that it was not told of with success, and hands out the data mocked last, whatever was
/// asked. So the questions that are answered with a no revert here, and the rest get what [`World::yes`], [`World::facts`]
/// or [`World::answer`] said last. Read as a truth, facts are whether a rule denies: where `exceptions` and the registry are
/// asked in one call, a record that is not denied and a registry that says yes cannot be had together.
struct World {
    vm: TestVM,
    records: Records,
    /// How many events there were before the last call.
    told: usize,
}

impl World {
    fn new() -> Self {
        let vm = TestVM::new();
        vm.set_block_timestamp(NOW);
        let records = Records::from(&vm);
        let mut world = Self { vm, records, told: 0 };
        for party in PARTIES {
            if party != CLINIC {
                world.refuse(REGISTRY, has_provider(party));
            }
            for member in PARTIES {
                if (party, member) != (CLINIC, NURSE) {
                    for roles in [0, role::PROVIDER] {
                        world.refuse(REGISTRY, may_act(party, member, roles));
                    }
                }
            }
        }
        world.yes();
        world
            .by(PATIENT, |records, actor| records.open_chart(actor, CHART, DIRECTORY))
            .unwrap();
        world
    }

    /// The chart is exceptional, though nothing stands beside its grants yet.
    fn exceptional() -> Self {
        let mut world = Self::new();
        world
            .by(EXCEPTIONS, |records, _| records.set_exceptional(CHART))
            .unwrap();
        world.facts(NOTHING);
        world
    }

    /// What `actor` calls in person.
    fn by<T>(
        &mut self,
        actor: Address,
        call: impl FnOnce(&mut Records, Address) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.through(actor, actor, call)
    }

    /// What `caller` calls for `actor`. As on the chain, what is refused leaves nothing behind.
    fn through<T>(
        &mut self,
        caller: Address,
        actor: Address,
        call: impl FnOnce(&mut Records, Address) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let before = self.vm.snapshot();
        self.told = before.emitted_logs.len();
        self.vm.set_sender(caller);
        let outcome = call(&mut self.records, actor);
        if outcome.is_err() {
            self.vm = TestVM::from(before);
            self.records = Records::from(&self.vm);
        }
        outcome
    }

    /// The same state, apart.
    fn fork(&self) -> Self {
        let vm = TestVM::from(self.vm.snapshot());
        let records = Records::from(&vm);
        Self {
            vm,
            records,
            told: self.told,
        }
    }

    fn at(&self, now: u64) {
        self.vm.set_block_timestamp(now);
    }

    /// From now on neighbours answer this, but for what they refuse.
    fn answer(&self, data: Vec<u8>) {
        self.vm.mock_static_call(Address::ZERO, vec![], Ok(data));
    }

    fn yes(&self) {
        self.answer(B256::with_last_byte(1).to_vec());
    }

    fn facts(&self, facts: Facts) {
        self.answer(encoded(facts));
    }

    /// This one question reverts from now on; to all others the answer stays.
    fn refuse<C: SolCall>(&self, whom: Address, question: C) {
        let data = self.vm.snapshot().return_data;
        self.vm.mock_static_call(whom, question.abi_encode(), Err(vec![]));
        self.answer(data);
    }

    /// Gives or replaces the grant of this grantee.
    fn grant(&mut self, grantee: Address, terms: GrantTerms) {
        let (_, _, version, ..) = self.records.chart_of(CHART);
        let serial = self.serial(grantee);
        let controller = self.records.chart_of(CHART).0;
        self.by(controller, |records, actor| {
            records.grant(actor, CHART, version, grantee, serial, terms, KEYRING)
        })
        .unwrap();
    }

    /// The one that the next grant replaces.
    fn serial(&self, grantee: Address) -> u8 {
        let (epoch, _, serial, _) = self.records.grant_of(CHART, grantee);
        if epoch == self.records.chart_of(CHART).1 {
            serial
        } else {
            0
        }
    }

    fn add(&mut self, author: Address, batch: Vec<NewRecord>) -> Result<(), Error> {
        let version = self.records.chart_of(CHART).2;
        self.by(author, |records, actor| {
            records.add_records(actor, CHART, NOBODY, version, batch)
        })
    }

    fn amend(&mut self, author: Address, id: B256, previous: B256, pointer: B256) -> Result<(), Error> {
        let version = self.records.chart_of(CHART).2;
        self.by(author, |records, actor| {
            records.amend_record(actor, CHART, NOBODY, version, id, previous, 9, pointer)
        })
    }

    fn enter_in_error(&mut self, author: Address, id: B256, previous: B256) -> Result<(), Error> {
        self.by(author, |records, actor| {
            records.enter_in_error(actor, CHART, NOBODY, id, previous)
        })
    }

    fn shred(&mut self, actor: Address, id: B256) -> Result<(), Error> {
        self.by(actor, |records, actor| records.shred_record(actor, CHART, id))
    }

    fn rotate(&mut self) {
        let (controller, _, version, _, _, _, is_due) = self.records.chart_of(CHART);
        let next = version + 1 + u32::from(is_due);
        self.by(controller, |records, actor| {
            records.set_directory(actor, CHART, next, ROTATED)
        })
        .unwrap();
    }

    /// Ends every grant of the chart, in its next epoch.
    fn revoke_all(&mut self) {
        let (controller, epoch, ..) = self.records.chart_of(CHART);
        self.by(controller, |records, actor| records.revoke_all(actor, CHART, epoch + 1))
            .unwrap();
    }

    fn reason(&self, question: Question) -> u8 {
        let (allowed, reason) = self.records.decide(question);
        assert_eq!(allowed, reason < 16);
        reason
    }

    /// The events of the last call.
    fn events(&self) -> Vec<Event> {
        let logs = self.vm.get_emitted_logs();
        logs[self.told..]
            .iter()
            .map(|(topics, data)| alloy_sol_types::SolEventInterface::decode_raw_log(topics, data).unwrap())
            .collect()
    }

    /// The words that are not zero.
    fn storage(&self) -> std::collections::BTreeMap<U256, B256> {
        let words = self.vm.snapshot().storage.into_iter();
        words.filter(|(_, word)| !word.is_zero()).collect()
    }
}

fn encoded(facts: Facts) -> Vec<u8> {
    let number = |n: u32| B256::from(U256::from(n));
    [
        number(facts.denied.into()),
        number(facts.allowed_since),
        number(facts.powers.into()),
        number(facts.emergency.into()),
    ]
    .concat()
}

fn has_provider(party: Address) -> hasRolesCall {
    hasRolesCall {
        party,
        roles: role::PROVIDER,
    }
}

fn may_act(organisation: Address, member: Address, roles: u64) -> mayActForCall {
    mayActForCall {
        organisation,
        member,
        roles,
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

fn record(id: B256, compartment: u8) -> NewRecord {
    NewRecord {
        recordId: id,
        compartment,
        codec: CODEC_DAG_CBOR,
        pointer: POINTER,
    }
}

fn id(n: usize) -> B256 {
    B256::from(U256::from(n + 1))
}

fn keyring(grantee: Address) -> Keyring {
    Keyring {
        grantee,
        keyring: KEYRING,
    }
}

/// May they read the labs for treatment?
fn question(grantee: Address) -> Question {
    Question {
        compartment: LABS,
        purpose: purpose::TREAT,
        action: action::READ,
        ..super::question(CHART, grantee)
    }
}

fn not_controller(actor: Address, power: u8) -> Error {
    IRecords::NotController { actor, power }.into()
}

fn not_writer(actor: Address, compartment: u8, reason: u8) -> Error {
    IRecords::NotWriter {
        actor,
        compartment,
        reason,
    }
    .into()
}

fn not_credentialed(actor: Address, organisation: Address) -> Error {
    IRecords::NotCredentialed { actor, organisation }.into()
}

fn stale(given: u32, expected: u32) -> Error {
    IRecords::DirectoryVersion { given, expected }.into()
}

fn no_grant(grantee: Address) -> Error {
    IRecords::NoGrant { grantee }.into()
}

fn zero_digest() -> Error {
    IRecords::ZeroDigest {}.into()
}

fn acted_for(organisation: Address, member: Address) -> Event {
    Event::ActedFor(IRecords::ActedFor {
        chart: CHART,
        organisation,
        member,
    })
}

fn by_delegate(delegate: Address, power: u8) -> Event {
    Event::ByDelegate(IRecords::ByDelegate {
        chart: CHART,
        delegate,
        power,
    })
}

fn added(record: &NewRecord, author: Address) -> Event {
    Event::RecordAdded(IRecords::RecordAdded {
        chart: CHART,
        recordId: record.recordId,
        author,
        compartment: record.compartment,
        codec: record.codec,
        pointer: record.pointer,
    })
}

fn revoked(grantee: Address) -> Event {
    Event::Revoked(IRecords::Revoked { chart: CHART, grantee })
}

fn all_revoked(epoch: u32) -> Event {
    Event::AllRevoked(IRecords::AllRevoked { chart: CHART, epoch })
}

fn rotation_due() -> Error {
    IRecords::RotationDue { chart: CHART }.into()
}

fn directory_set(version: u32) -> Event {
    Event::DirectorySet(IRecords::DirectorySet {
        chart: CHART,
        version,
        directory: ROTATED,
    })
}

fn keyring_set(grantee: Address) -> Event {
    Event::KeyringSet(IRecords::KeyringSet {
        chart: CHART,
        grantee,
        keyring: KEYRING,
    })
}
