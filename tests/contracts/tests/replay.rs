//! The events alone give back every word of storage: what an index can know is all there is.
//!
//! The layout is that of contracts/README.md, "Storage", packed here anew.
use std::collections::BTreeMap;

use alloy::{
    primitives::{Address, B256, U256, keccak256},
    sol_types::SolEventInterface,
};
use medlock_abi::{
    audit::IAudit::IAuditEvents,
    exceptions::IExceptions::{self, IExceptionsEvents},
    records::IRecords::IRecordsEvents,
    registry::IRegistry::IRegistryEvents,
    relay::IRelay::IRelayEvents,
    terms::{credential_status, record_status},
};
use medlock_contract_tests::{Contracts, OWNER};

use crate::model::{Contract, Event};

/// What the events up to now say, and the words of storage that follow from it.
pub struct Replay {
    words: BTreeMap<(Contract, B256), B256>,
    /// None: the first one, who is in the code.
    owner: Option<Address>,
    pending: Address,
    issuers: BTreeMap<Address, u32>,
    credentials: BTreeMap<Address, Vec<Credential>>,
    members: BTreeMap<(Address, Address), Vec<[u64; 4]>>,
    /// (suite, valid from).
    keys: BTreeMap<(Address, u32), (u16, u64)>,
    charts: BTreeMap<B256, Chart>,
    records: BTreeMap<(B256, B256), Record>,
    delegates: BTreeMap<(B256, Address), IExceptions::DelegateSet>,
    /// With the time of opening.
    emergencies: BTreeMap<(B256, Address), (IExceptions::EmergencyOpened, u64)>,
    /// Anchors, receipts, proofs.
    gateways: BTreeMap<Address, [u64; 3]>,
}

#[derive(Clone)]
struct Credential {
    issuer: Address,
    epoch: u32,
    roles: u64,
    issued_at: u64,
    expiry: u64,
    ended_at: u64,
    status: u8,
    document: B256,
}

struct Chart {
    controller: Address,
    grant_epoch: u32,
    directory_version: u32,
    exceptional: bool,
    rotation_due: bool,
    control_epoch: u32,
}

#[derive(Clone)]
struct Record {
    author: Address,
    created_at: u64,
    version: u32,
    compartment: u8,
    status: u8,
    codec: u8,
    pointer: B256,
}

impl Replay {
    /// Of contracts that have just been created.
    pub fn new() -> Self {
        Self {
            words: BTreeMap::new(),
            owner: None,
            pending: Address::ZERO,
            issuers: BTreeMap::new(),
            credentials: BTreeMap::new(),
            members: BTreeMap::new(),
            keys: BTreeMap::new(),
            charts: BTreeMap::new(),
            records: BTreeMap::new(),
            delegates: BTreeMap::new(),
            emergencies: BTreeMap::new(),
            gateways: BTreeMap::new(),
        }
    }

    /// Reads the next event, of a transaction at `now`.
    pub fn read(&mut self, event: &Event, now: u64) {
        let (topics, data) = (event.data.topics(), &event.data.data);
        match event.of {
            Contract::Registry => self.registry(IRegistryEvents::decode_raw_log(topics, data).unwrap(), now),
            Contract::Records => self.records(IRecordsEvents::decode_raw_log(topics, data).unwrap(), now),
            Contract::Exceptions => self.exceptions(IExceptionsEvents::decode_raw_log(topics, data).unwrap(), now),
            Contract::Relay => self.relay(IRelayEvents::decode_raw_log(topics, data).unwrap()),
            Contract::Audit => self.audit(IAuditEvents::decode_raw_log(topics, data).unwrap()),
        }
    }

    /// Every word of every contract is the one that follows from the events, and there is no other.
    pub fn assert_same(&self, chain: &Contracts, when: &str) -> usize {
        for contract in Contract::ALL {
            let address = contract.address(chain);
            let mut stored: BTreeMap<B256, B256> = chain
                .bare
                .storage_entries(address)
                .map(|(slot, word)| (slot, word.into()))
                .collect();
            let first = (contract, B256::ZERO)..=(contract, B256::repeat_byte(0xff));
            for ((_, slot), word) in self.words.range(first) {
                let stored = stored.remove(&keccak256(slot)).unwrap_or_default();
                assert_eq!(stored, *word, "{when}: {contract:?}, slot {slot}");
                assert_eq!(
                    stored,
                    chain.storage(address, *slot),
                    "{when}: {contract:?}, slot {slot}"
                );
            }
            assert!(
                stored.is_empty(),
                "{when}: {contract:?} keeps what no event tells of: {stored:?}"
            );
        }
        self.words.len()
    }

    fn set(&mut self, contract: Contract, slot: B256, word: B256) {
        if word.is_zero() {
            self.words.remove(&(contract, slot));
        } else {
            self.words.insert((contract, slot), word);
        }
    }

    fn registry(&mut self, event: IRegistryEvents, now: u64) {
        use IRegistryEvents as E;
        match event {
            E::OwnershipTransferStarted(e) => {
                assert_eq!(e.owner, self.owner.unwrap_or(OWNER));
                self.pending = e.pending;
                self.write_owner();
            }
            E::OwnershipTransferred(e) => {
                assert_eq!((e.previous, e.owner), (self.owner.unwrap_or(OWNER), self.pending));
                (self.owner, self.pending) = (Some(e.owner), Address::ZERO);
                self.write_owner();
            }
            E::IssuerSet(e) => {
                self.issuers.insert(e.issuer, e.number);
                self.write_owner();
                let head = pack(&[(U256::from(e.number), 4), (U256::from(e.epoch), 4)]);
                self.set(Contract::Registry, of(slot(2), e.issuer.into_word()), head);
                let key = u64::from(e.number) << 32 | u64::from(e.epoch);
                let ended_at = if e.active { 0 } else { now };
                let epoch = pack(&[(number(e.issuer), 20), (U256::from(ended_at), 5)]);
                self.set(Contract::Registry, of(slot(3), word(key)), epoch);
            }
            E::CredentialIssued(e) => {
                let all = self.credentials.entry(e.party).or_default();
                if let Some(held) = all.last_mut().filter(|held| held.status == credential_status::ISSUED) {
                    (held.status, held.ended_at) = (credential_status::REPLACED, now);
                }
                all.push(Credential {
                    issuer: e.issuer,
                    epoch: e.issuerEpoch,
                    roles: e.roles,
                    issued_at: now,
                    expiry: e.expiry,
                    ended_at: 0,
                    status: credential_status::ISSUED,
                    document: e.document,
                });
                self.write_credentials(e.party);
            }
            E::CredentialReinstated(e) => {
                self.credentials.get_mut(&e.party).unwrap().push(Credential {
                    issuer: e.issuer,
                    epoch: e.issuerEpoch,
                    roles: e.roles,
                    issued_at: now,
                    expiry: e.expiry,
                    ended_at: 0,
                    status: credential_status::ISSUED,
                    document: e.document,
                });
                self.write_credentials(e.party);
            }
            E::CredentialSuspended(e) => {
                let held = self.credentials.get_mut(&e.party).unwrap().last_mut().unwrap();
                (held.status, held.ended_at) = (credential_status::SUSPENDED, now);
                self.write_credentials(e.party);
            }
            E::CredentialRevoked(e) => {
                let held = self.credentials.get_mut(&e.party).unwrap().last_mut().unwrap();
                held.status = credential_status::REVOKED;
                if held.ended_at == 0 {
                    held.ended_at = now;
                }
                self.write_credentials(e.party);
            }
            E::MemberSet(e) => {
                let all = self.members.entry((e.organisation, e.member)).or_default();
                let mut serial = 0;
                if let Some([_, _, ended_at, past]) = all.last_mut() {
                    if *ended_at == 0 {
                        *ended_at = now;
                    }
                    serial = *past;
                }
                all.push([now, e.expiry, 0, serial + 1]);
                self.write_members(e.organisation, e.member);
            }
            E::MemberRemoved(e) => {
                let all = self.members.get_mut(&(e.organisation, e.member)).unwrap();
                let last = all.last_mut().unwrap();
                last[2] = now;
                last[3] += 1;
                self.write_members(e.organisation, e.member);
            }
            E::KeyPublished(e) => {
                self.keys.insert((e.party, e.version), (e.suite, now));
                let keys = of(slot(6), e.party.into_word());
                self.set(Contract::Registry, keys, word(e.version.into()));
                let digest = plus(of(plus(keys, 1), word(e.version.into())), 1);
                self.set(Contract::Registry, digest, keccak256(&e.key));
                self.write_key(e.party, e.version, 0);
            }
            E::KeyRevoked(e) => self.write_key(e.party, e.version, now),
        }
    }

    fn write_owner(&mut self) {
        self.set(Contract::Registry, slot(0), self.owner.unwrap_or_default().into_word());
        let second = pack(&[(number(self.pending), 20), (U256::from(self.issuers.len()), 4)]);
        self.set(Contract::Registry, slot(1), second);
    }

    fn write_credentials(&mut self, party: Address) {
        let all = self.credentials[&party].clone();
        let base = of(slot(4), party.into_word());
        let past = plus(base, 2);
        let last = all.len() - 1;
        self.set(Contract::Registry, past, word(last as u64));
        for (index, held) in all.iter().enumerate() {
            let place = if index == last {
                base
            } else {
                plus(keccak256(past), 2 * index as u64)
            };
            let head = pack(&[
                (U256::from(self.issuers[&held.issuer]), 4),
                (U256::from(held.epoch), 4),
                (U256::from(held.roles), 8),
                (U256::from(held.issued_at), 5),
                (U256::from(held.expiry), 5),
                (U256::from(held.ended_at), 5),
                (U256::from(held.status), 1),
            ]);
            self.set(Contract::Registry, place, head);
            self.set(Contract::Registry, plus(place, 1), held.document);
        }
    }

    fn write_members(&mut self, organisation: Address, member: Address) {
        let all = self.members[&(organisation, member)].clone();
        let base = of(of(slot(5), organisation.into_word()), member.into_word());
        let past = plus(base, 1);
        let last = all.len() - 1;
        self.set(Contract::Registry, past, word(last as u64));
        for (index, &[since, expiry, ended_at, serial]) in all.iter().enumerate() {
            let place = if index == last {
                base
            } else {
                plus(keccak256(past), index as u64)
            };
            let head = pack(&[
                (U256::from(since), 5),
                (U256::from(expiry), 5),
                (U256::from(ended_at), 5),
                (U256::from(serial), 4),
            ]);
            self.set(Contract::Registry, place, head);
        }
    }

    fn write_key(&mut self, party: Address, version: u32, revoked_at: u64) {
        let (suite, valid_from) = self.keys[&(party, version)];
        let head = pack(&[
            (U256::from(suite), 2),
            (U256::from(valid_from), 5),
            (U256::from(revoked_at), 5),
        ]);
        let keys = of(slot(6), party.into_word());
        self.set(Contract::Registry, of(plus(keys, 1), word(version.into())), head);
    }

    fn records(&mut self, event: IRecordsEvents, now: u64) {
        use IRecordsEvents as E;
        match event {
            E::ChartOpened(e) => {
                let chart = Chart {
                    controller: e.controller,
                    grant_epoch: 1,
                    directory_version: 1,
                    exceptional: false,
                    rotation_due: false,
                    control_epoch: 0,
                };
                assert!(self.charts.insert(e.chart, chart).is_none());
                self.write_chart(e.chart);
                self.write_directory(e.chart, e.directory);
            }
            E::ControlOffered(e) => self.set(Contract::Records, of(slot(3), e.chart), e.to.into_word()),
            E::ControlAccepted(e) => {
                let chart = self.charts.get_mut(&e.chart).unwrap();
                (chart.controller, chart.control_epoch) = (e.controller, e.controlEpoch);
                self.write_chart(e.chart);
                self.set(Contract::Records, of(slot(3), e.chart), B256::ZERO);
            }
            E::MadeExceptional(e) => {
                self.charts.get_mut(&e.chart).unwrap().exceptional = true;
                self.write_chart(e.chart);
            }
            E::DirectorySet(e) => {
                let chart = self.charts.get_mut(&e.chart).unwrap();
                (chart.directory_version, chart.rotation_due) = (e.version, false);
                self.write_chart(e.chart);
                self.write_directory(e.chart, e.directory);
            }
            E::RecordAdded(e) => {
                let record = Record {
                    author: e.author,
                    created_at: now,
                    version: 1,
                    compartment: e.compartment,
                    status: record_status::CURRENT,
                    codec: e.codec,
                    pointer: e.pointer,
                };
                self.write_record(e.chart, e.recordId, record);
            }
            E::RecordAmended(e) => {
                let held = self.records[&(e.chart, e.recordId)].clone();
                assert_eq!((held.pointer, held.version + 1), (e.previous, e.version));
                let record = Record {
                    author: e.author,
                    created_at: now,
                    version: e.version,
                    codec: e.codec,
                    pointer: e.pointer,
                    ..held
                };
                self.write_record(e.chart, e.recordId, record);
            }
            E::RecordEnteredInError(e) => {
                let mut record = self.records[&(e.chart, e.recordId)].clone();
                record.status = record_status::ENTERED_IN_ERROR;
                self.write_record(e.chart, e.recordId, record);
            }
            E::RecordShredded(e) => {
                let mut record = self.records[&(e.chart, e.recordId)].clone();
                (record.status, record.pointer) = (record_status::SHREDDED, B256::ZERO);
                self.write_record(e.chart, e.recordId, record);
            }
            E::BatchAdded(e) => {
                let batch = pack(&[
                    (number(e.author), 20),
                    (U256::from(now), 5),
                    (U256::from(e.count), 4),
                    (U256::from(e.compartment), 1),
                    (U256::ZERO, 1),
                    (U256::from(e.codec), 1),
                ]);
                self.set(Contract::Records, of(of(slot(4), e.chart), e.root), batch);
            }
            E::RecordTakenFromBatch(e) => {
                let record = Record {
                    author: e.author,
                    created_at: e.createdAt,
                    version: 1,
                    compartment: e.compartment,
                    status: record_status::CURRENT,
                    codec: e.codec,
                    pointer: e.pointer,
                };
                self.write_record(e.chart, e.recordId, record);
            }
            E::Granted(e) => {
                let grant = pack(&[
                    (U256::from(e.compartments), 8),
                    (U256::from(e.epoch), 4),
                    (U256::from(e.purposes), 4),
                    (U256::from(e.notBefore), 5),
                    (U256::from(e.expiry), 5),
                    (U256::from(e.actions), 1),
                    (U256::from(e.since), 4),
                    (U256::from(e.serial), 1),
                ]);
                self.set(
                    Contract::Records,
                    of(of(slot(2), e.chart), e.grantee.into_word()),
                    grant,
                );
            }
            E::Revoked(e) => {
                self.set(
                    Contract::Records,
                    of(of(slot(2), e.chart), e.grantee.into_word()),
                    B256::ZERO,
                );
            }
            E::AllRevoked(e) => {
                let chart = self.charts.get_mut(&e.chart).unwrap();
                chart.grant_epoch = e.epoch;
                chart.directory_version += u32::from(!chart.rotation_due);
                chart.rotation_due = true;
                self.write_chart(e.chart);
            }
            E::ByDelegate(_) | E::ActedFor(_) | E::KeyringSet(_) => {}
        }
    }

    fn write_chart(&mut self, id: B256) {
        let chart = &self.charts[&id];
        let head = pack(&[
            (number(chart.controller), 20),
            (U256::from(chart.grant_epoch), 4),
            (U256::from(chart.directory_version), 4),
            (
                U256::from(u8::from(chart.exceptional) | u8::from(chart.rotation_due) << 1),
                1,
            ),
            (U256::from(chart.control_epoch), 3),
        ]);
        self.set(Contract::Records, of(slot(0), id), head);
    }

    fn write_directory(&mut self, chart: B256, directory: B256) {
        self.set(Contract::Records, plus(of(slot(0), chart), 1), directory);
    }

    fn write_record(&mut self, chart: B256, id: B256, record: Record) {
        let place = of(of(slot(1), chart), id);
        let head = pack(&[
            (number(record.author), 20),
            (U256::from(record.created_at), 5),
            (U256::from(record.version), 4),
            (U256::from(record.compartment), 1),
            (U256::from(record.status), 1),
            (U256::from(record.codec), 1),
        ]);
        self.set(Contract::Records, place, head);
        self.set(Contract::Records, plus(place, 1), record.pointer);
        self.records.insert((chart, id), record);
    }

    fn exceptions(&mut self, event: IExceptionsEvents, now: u64) {
        use IExceptionsEvents as E;
        match event {
            E::RuleSet(e) => {
                let rule = pack(&[
                    (U256::from(e.effect), 1),
                    (U256::from(e.purposes), 4),
                    (U256::from(e.actions), 1),
                    (U256::from(e.expiry), 5),
                    (U256::from(e.directoryVersion), 4),
                ]);
                let place = of(of(of(slot(0), e.chart), e.recordId), e.grantee.into_word());
                self.set(Contract::Exceptions, place, rule);
            }
            E::DelegateSet(e) => self.write_delegate(e),
            E::DelegateRemoved(e) => {
                let mut entry = self.delegates[&(e.chart, e.delegate)].clone();
                (entry.powers, entry.serial) = (0, e.serial);
                self.write_delegate(entry);
            }
            E::EmergencyAccessSet(e) => {
                let access = pack(&[
                    (U256::from(e.allowed), 1),
                    (U256::from(e.serial), 4),
                    (U256::from(e.controlEpoch), 4),
                ]);
                self.set(Contract::Exceptions, of(slot(2), e.chart), access);
            }
            E::EmergencyOpened(e) => self.write_emergency(e, now),
            E::EmergencyClosed(e) => {
                let (mut opened, opened_at) = self.emergencies[&(e.chart, e.party)].clone();
                opened.until = now;
                self.write_emergency(opened, opened_at);
            }
            E::ByDelegate(_) => {}
        }
    }

    fn write_delegate(&mut self, entry: IExceptions::DelegateSet) {
        let place = of(of(slot(1), entry.chart), entry.delegate.into_word());
        let first = pack(&[
            (number(entry.parent), 20),
            (U256::from(entry.expiry), 5),
            (U256::from(entry.powers), 1),
            (U256::from(entry.depth), 1),
            (U256::from(entry.serial), 4),
        ]);
        let second = pack(&[(U256::from(entry.parentSerial), 4), (U256::from(entry.controlEpoch), 4)]);
        self.set(Contract::Exceptions, place, first);
        self.set(Contract::Exceptions, plus(place, 1), second);
        self.delegates.insert((entry.chart, entry.delegate), entry);
    }

    fn write_emergency(&mut self, opened: IExceptions::EmergencyOpened, opened_at: u64) {
        let head = pack(&[
            (U256::from(opened.compartments), 8),
            (U256::from(opened_at), 5),
            (U256::from(opened.until), 5),
            (U256::from(opened.grantEpoch), 4),
            (U256::from(opened.serial), 4),
        ]);
        let place = of(of(slot(3), opened.chart), opened.party.into_word());
        self.set(Contract::Exceptions, place, head);
        self.emergencies
            .insert((opened.chart, opened.party), (opened, opened_at));
    }

    fn relay(&mut self, event: IRelayEvents) {
        match event {
            IRelayEvents::Cancelled(e) => {
                self.set(Contract::Relay, of(slot(0), e.signer.into_word()), e.nonce.into());
            }
        }
    }

    fn audit(&mut self, event: IAuditEvents) {
        match event {
            IAuditEvents::Anchored(e) => {
                let place = of(slot(0), e.gateway.into_word());
                self.set(Contract::Audit, plus(place, 1), e.anchor);
                self.set(Contract::Audit, of(plus(place, 2), word(e.index)), e.anchor);
                let [anchors, receipts, _] = self.gateways.entry(e.gateway).or_default();
                assert_eq!(*anchors, e.index);
                *anchors += 1;
                *receipts += u64::from(e.count);
                self.write_gateway(e.gateway);
            }
            IAuditEvents::EquivocationProved(e) => {
                let pair = keccak256([e.first.min(e.second), e.first.max(e.second)].concat());
                self.set(Contract::Audit, of(slot(1), pair), word(1));
                self.gateways.entry(e.gateway).or_default()[2] += 1;
                self.write_gateway(e.gateway);
            }
        }
    }

    fn write_gateway(&mut self, gateway: Address) {
        let [anchors, receipts, proofs] = self.gateways[&gateway].map(U256::from);
        let head = pack(&[(anchors, 8), (receipts, 8), (proofs, 4)]);
        self.set(Contract::Audit, of(slot(0), gateway.into_word()), head);
    }
}

/// One word of fields with their bytes, the first lowest.
fn pack(fields: &[(U256, u8)]) -> B256 {
    let (mut packed, mut bits) = (U256::ZERO, 0);
    for (value, bytes) in fields {
        packed |= *value << bits;
        bits += usize::from(*bytes) * 8;
        assert!(
            *value >> (usize::from(*bytes) * 8) == U256::ZERO,
            "{value} is larger than its field"
        );
    }
    assert!(bits <= 256);
    packed.into()
}

fn number(address: Address) -> U256 {
    address.into_word().into()
}

fn slot(number: u64) -> B256 {
    word(number)
}

fn word(number: u64) -> B256 {
    U256::from(number).into()
}

/// Where a mapping at `slot` keeps `key`.
fn of(slot: B256, key: B256) -> B256 {
    keccak256([key, slot].concat())
}

fn plus(slot: B256, more: u64) -> B256 {
    (U256::from_be_bytes(slot.0) + U256::from(more)).into()
}
