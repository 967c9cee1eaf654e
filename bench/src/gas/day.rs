//! A day of one system: every operation once, in the state in which it is met day by day.
//!
//! Charts, records, grants and credentials stand already, and directories have been rotated before: what is replaced goes
//! from nonzero to nonzero. Only what is new (a record, a batch, a grant) writes fresh words. Each operation has a chart of
//! its own, so their order does not matter; the ledgers come last, since theirs does.

mod ledgers;

use alloy::{
    primitives::{Address, B256, Log, U256, keccak256},
    signers::SignerSync,
    sol_types::{SolCall, SolStruct, eip712_domain},
};
use anyhow::{Context, bail, ensure};
use medlock_abi::{
    exceptions::IExceptions,
    records::IRecords::{self, GrantTerms, NewRecord},
    registry::IRegistry,
    relay::IRelay,
    terms::{BATCH_MOST, CODEC_DAG_CBOR, action, effect, purpose, reason, role},
};
use medlock_anvil::{CHAIN_ID, DevAccount, dev_accounts, trace::Calls};
use medlock_contract_tests::{Contracts, OWNER};

/// 2026-11-21.
pub const NOW: u64 = 1_795_219_200;
const YEAR_S: u64 = 365 * 24 * 60 * 60;
/// Records in one `addRecords`.
const BATCH: u64 = 50;
/// Records under one Merkle root.
const LEAVES: u64 = 1_000;
/// Records of a chart with a long history.
const LONG_HISTORY: u64 = 100_000;
/// What two grants may differ by: a byte of calldata that is zero costs 12 gas less than another.
const CALLDATA_GAS: u64 = 64 * 12;
/// The compartment that is written to and asked about.
const LABORATORY: u8 = 2;
const COMPARTMENTS: u64 = 0b1111;
/// Every chart's directory when the day begins.
const DIRECTORY_VERSION: u32 = 3;
/// Of a chart that has never revoked all.
const GRANT_EPOCH: u32 = 1;
alloy::sol! {
    /// `bench/contracts/Consumer.sol`: a contract that asks, and says how much gas the question took.
    interface Consumer {
        function decide(address records, bytes32 chart, address grantee, uint8 compartment, uint32 purpose, uint8 action)
            external view returns (uint64 used, bool allowed, uint8 reason);
        function verifyBatch(address records, bytes32 chart, bytes32 root, uint32 index, bytes32 recordId, bytes32 pointer, bytes32[] calldata proof)
            external view returns (uint64 used, bool verified);
        function verifyPackage(address supply, bytes32 batch, uint32 unit, uint32 index, bytes32 serial, bytes32[] calldata proof)
            external view returns (uint64 used, uint8 status, address party);
    }
}

/// What an operation cost, and what it left behind for others to see.
#[derive(Debug)]
pub struct Operation {
    pub name: &'static str,
    /// Of the whole transaction; where a contract asks, of its call alone.
    pub gas: u64,
    /// Records that the gas is shared by.
    pub records: u64,
    /// Not a contract's question.
    pub is_transaction: bool,
    pub logs: Vec<Log>,
    /// Frame by frame; gas before the first frame is the transaction's own.
    pub calls: Calls,
}

/// A system with people in it, at the beginning of a day.
pub struct Day<'a> {
    contracts: &'a mut Contracts,
    consumer: Address,
    people: People,
    done: Vec<Operation>,
}

struct People {
    issuer: Address,
    /// Controls every chart.
    patient: DevAccount,
    /// A credentialed provider that writes on its own grant.
    clinic: Address,
    hospital: Address,
    /// A member of the hospital.
    doctor: Address,
    reader: Address,
    /// Has no grant yet.
    stranger: Address,
    /// Pays for what others have signed.
    submitter: Address,
}

impl<'a> Day<'a> {
    /// `consumer`: creation code of `bench/contracts/Consumer.sol`.
    ///
    /// # Errors
    /// The consumer could not be created.
    ///
    /// # Panics
    /// A contract refuses what it must accept.
    pub fn begin(contracts: &'a mut Contracts, consumer: &[u8]) -> anyhow::Result<Self> {
        let accounts = dev_accounts();
        let [
            issuer,
            patient,
            clinic,
            hospital,
            doctor,
            reader,
            stranger,
            submitter,
            ..,
        ] = accounts.as_slice()
        else {
            bail!("too few development accounts");
        };
        let people = People {
            issuer: issuer.address,
            patient: patient.clone(),
            clinic: clinic.address,
            hospital: hospital.address,
            doctor: doctor.address,
            reader: reader.address,
            stranger: stranger.address,
            submitter: submitter.address,
        };
        let consumer = contracts
            .bare
            .create(OWNER, consumer.to_vec())
            .context("the consumer")?;
        let mut day = Self {
            contracts,
            consumer,
            people,
            done: Vec::new(),
        };
        day.issue_credentials();
        Ok(day)
    }

    /// Every operation that both systems know.
    ///
    /// # Errors
    /// An operation did not do what it should have.
    pub fn run(mut self) -> anyhow::Result<Vec<Operation>> {
        self.add_record()?;
        self.add_record_for_organisation()?;
        self.batch()?;
        let (chart, root) = self.merkle_batch()?;
        self.verify_batch(chart, root)?;
        self.amend_record()?;
        self.open_chart()?;
        self.grant()?;
        self.grant_with_a_long_history()?;
        self.signed_grant()?;
        self.revoke()?;
        self.revoke_all()?;
        self.decide()?;
        self.decide_exceptional()?;
        self.claims()?;
        self.supply()?;
        self.trials()?;
        Ok(self.done)
    }

    fn issue_credentials(&mut self) {
        let registry = self.contracts.registry;
        let &People {
            issuer,
            clinic,
            hospital,
            doctor,
            ..
        } = &self.people;
        let active = true;
        self.contracts
            .must(OWNER, registry, IRegistry::setIssuerCall { issuer, active });
        for party in [clinic, hospital] {
            let credential = IRegistry::issueCredentialCall {
                party,
                roles: role::ORGANISATION | role::PROVIDER,
                expiry: NOW + YEAR_S,
                document: hash("document"),
            };
            self.contracts.must(issuer, registry, credential);
        }
        let expiry = NOW + YEAR_S;
        let member = IRegistry::setMemberCall {
            actor: hospital,
            member: doctor,
            serial: 0,
            expiry,
        };
        self.contracts.must(hospital, registry, member);
    }

    /// A chart in use: three directories, a clinic and a hospital that write, somebody who reads, a record.
    fn chart(&mut self, name: &str) -> B256 {
        let chart = hash(name);
        let records = self.contracts.records;
        let actor = self.people.patient.address;
        let directory = hash("directory 1");
        self.contracts.must(
            actor,
            records,
            IRecords::openChartCall {
                actor,
                chart,
                directory,
            },
        );
        for version in 2..=DIRECTORY_VERSION {
            let directory = hash(&format!("directory {version}"));
            let call = IRecords::setDirectoryCall {
                actor,
                chart,
                version,
                directory,
            };
            self.contracts.must(actor, records, call);
        }
        for grantee in [self.people.clinic, self.people.hospital, self.people.reader] {
            let call = self.grant_call(chart, grantee);
            self.contracts.must(actor, records, call);
        }
        let call = self.add_records_call(actor, chart, Address::ZERO, vec![record(0)]);
        self.contracts.must(actor, records, call);
        chart
    }

    fn add_record(&mut self) -> anyhow::Result<()> {
        let chart = self.chart("add record");
        let clinic = self.people.clinic;
        let call = self.add_records_call(clinic, chart, Address::ZERO, vec![record(1)]);
        self.record("add_record", 1, clinic, self.contracts.records, call, 1)
    }

    fn add_record_for_organisation(&mut self) -> anyhow::Result<()> {
        let chart = self.chart("add record for organisation");
        let doctor = self.people.doctor;
        let call = self.add_records_call(doctor, chart, self.people.hospital, vec![record(1)]);
        self.record(
            "add_record_for_organisation",
            1,
            doctor,
            self.contracts.records,
            call,
            2,
        )
    }

    fn batch(&mut self) -> anyhow::Result<()> {
        let chart = self.chart("batch");
        let clinic = self.people.clinic;
        let call = self.add_records_call(clinic, chart, Address::ZERO, (1..=BATCH).map(record).collect());
        self.record(
            "batch_50_each",
            BATCH,
            clinic,
            self.contracts.records,
            call,
            BATCH as usize,
        )
    }

    fn merkle_batch(&mut self) -> anyhow::Result<(B256, B256)> {
        let chart = self.chart("merkle batch");
        let clinic = self.people.clinic;
        let root = medlock_merkle::root(keccak, &leaves()).context("a tree of no leaves")?;
        let call = IRecords::addBatchCall {
            actor: clinic,
            chart,
            organisation: Address::ZERO,
            directoryVersion: DIRECTORY_VERSION,
            compartment: LABORATORY,
            codec: CODEC_DAG_CBOR,
            root,
            count: LEAVES as u32,
        };
        self.record("merkle_1000_each", LEAVES, clinic, self.contracts.records, call, 1)?;
        Ok((chart, root))
    }

    fn verify_batch(&mut self, chart: B256, root: B256) -> anyhow::Result<()> {
        let index = 600;
        let leaf = record(index);
        let call = Consumer::verifyBatchCall {
            records: self.contracts.records,
            chart,
            root,
            index: index as u32,
            recordId: leaf.recordId,
            pointer: leaf.pointer,
            proof: medlock_merkle::proof(keccak, &leaves(), index as usize).context("no such leaf")?,
        };
        let answer = self.contracts.ask(self.consumer, call.clone());
        ensure!(answer.verified, "a leaf of the batch is not proved");
        self.asked("verify_batch_1000", answer.used, call)
    }

    fn amend_record(&mut self) -> anyhow::Result<()> {
        let chart = self.chart("amend record");
        let clinic = self.people.clinic;
        let first = record(0);
        let call = IRecords::amendRecordCall {
            actor: clinic,
            chart,
            organisation: Address::ZERO,
            directoryVersion: DIRECTORY_VERSION,
            recordId: first.recordId,
            previous: first.pointer,
            codec: first.codec,
            pointer: hash("amended"),
        };
        self.record("amend_record", 1, clinic, self.contracts.records, call, 1)
    }

    fn open_chart(&mut self) -> anyhow::Result<()> {
        let actor = self.people.patient.address;
        let (chart, directory) = (hash("open chart"), hash("directory 1"));
        let call = IRecords::openChartCall {
            actor,
            chart,
            directory,
        };
        self.record("open_chart", 1, actor, self.contracts.records, call, 1)
    }

    fn grant(&mut self) -> anyhow::Result<()> {
        let chart = self.chart("grant");
        let call = self.grant_call(chart, self.people.stranger);
        let patient = self.people.patient.address;
        self.record("grant", 1, patient, self.contracts.records, call, 1)
    }

    /// A grant costs what it costs, however many records it gives access to.
    fn grant_with_a_long_history(&mut self) -> anyhow::Result<()> {
        let chart = self.chart("grant with a long history");
        let clinic = self.people.clinic;
        for first in (1..=LONG_HISTORY).step_by(BATCH_MOST) {
            let records = (first..=LONG_HISTORY).take(BATCH_MOST).map(record).collect();
            let call = self.add_records_call(clinic, chart, Address::ZERO, records);
            self.contracts.must(clinic, self.contracts.records, call);
        }
        let call = self.grant_call(chart, self.people.stranger);
        let patient = self.people.patient.address;
        self.record("grant_of_100000", 1, patient, self.contracts.records, call, 1)?;
        let gas = |name| {
            self.done
                .iter()
                .find(|operation| operation.name == name)
                .map(|operation| operation.gas)
        };
        let (few, many) = (gas("grant"), gas("grant_of_100000"));
        let (few, many) = few.zip(many).context("both were measured")?;
        ensure!(
            few.abs_diff(many) <= CALLDATA_GAS,
            "a grant costs {few} gas with 1 record, {many} with {LONG_HISTORY}"
        );
        Ok(())
    }

    fn signed_grant(&mut self) -> anyhow::Result<()> {
        let chart = self.chart("signed grant");
        let IRecords::grantCall {
            actor: signer,
            directoryVersion,
            grantee,
            serial,
            terms,
            keyring,
            ..
        } = self.grant_call(chart, self.people.stranger);
        let operation = IRelay::Grant {
            signer,
            chart,
            directoryVersion,
            grantee,
            serial,
            compartments: terms.compartments,
            purposes: terms.purposes,
            actions: terms.actions,
            notBefore: terms.notBefore,
            expiry: terms.expiry,
            keyring,
            nonce: U256::ZERO,
            deadline: U256::from(NOW + 3_600),
        };
        let domain = eip712_domain! {
            name: "Medlock",
            version: "1",
            chain_id: CHAIN_ID,
            verifying_contract: self.contracts.relay,
        };
        let digest = operation.eip712_signing_hash(&domain);
        let signature = self.people.patient.signer.sign_hash_sync(&digest).context("sign")?;
        let call = IRelay::grantCall {
            operation,
            signature: signature.as_bytes().to_vec().into(),
        };
        let submitter = self.people.submitter;
        self.record("signed_grant", 1, submitter, self.contracts.relay, call, 1)
    }

    fn revoke(&mut self) -> anyhow::Result<()> {
        let chart = self.chart("revoke");
        let patient = self.people.patient.address;
        let call = IRecords::revokeCall {
            actor: patient,
            chart,
            grantee: self.people.reader,
            version: DIRECTORY_VERSION + 1,
            directory: hash("rotated"),
            keyrings: Vec::new(),
        };
        self.record("revoke", 1, patient, self.contracts.records, call, 2)
    }

    fn revoke_all(&mut self) -> anyhow::Result<()> {
        let chart = self.chart("revoke all");
        let patient = self.people.patient.address;
        let call = IRecords::revokeAllCall {
            actor: patient,
            chart,
            epoch: GRANT_EPOCH + 1,
        };
        self.record("revoke_all", 1, patient, self.contracts.records, call, 1)
    }

    fn decide(&mut self) -> anyhow::Result<()> {
        let chart = self.chart("decide");
        self.decide_as("decide", chart)
    }

    /// The chart has a rule for one of its records; the question is about none.
    fn decide_exceptional(&mut self) -> anyhow::Result<()> {
        let chart = self.chart("decide exceptional");
        let actor = self.people.patient.address;
        let call = IExceptions::setRuleCall {
            actor,
            chart,
            recordId: record(0).recordId,
            grantee: self.people.reader,
            effect: effect::DENY,
            purposes: purpose::HPAYMT,
            actions: action::READ,
            expiry: 0,
        };
        self.contracts.must(actor, self.contracts.exceptions, call);
        self.decide_as("decide_exceptional", chart)
    }

    fn decide_as(&mut self, name: &'static str, chart: B256) -> anyhow::Result<()> {
        let call = Consumer::decideCall {
            records: self.contracts.records,
            chart,
            grantee: self.people.reader,
            compartment: LABORATORY,
            purpose: purpose::TREAT,
            action: action::READ,
        };
        let answer = self.contracts.ask(self.consumer, call.clone());
        ensure!(
            answer.allowed && answer.reason == reason::GRANT,
            "{name} answers {}",
            answer.reason
        );
        self.asked(name, answer.used, call)
    }

    fn grant_call(&self, chart: B256, grantee: Address) -> IRecords::grantCall {
        IRecords::grantCall {
            actor: self.people.patient.address,
            chart,
            directoryVersion: DIRECTORY_VERSION,
            grantee,
            serial: 0,
            terms: GrantTerms {
                compartments: COMPARTMENTS,
                purposes: purpose::TREAT | purpose::ETREAT,
                actions: action::READ | action::WRITE,
                notBefore: 0,
                expiry: NOW + YEAR_S,
            },
            keyring: hash("keyring"),
        }
    }

    fn add_records_call(
        &self,
        actor: Address,
        chart: B256,
        organisation: Address,
        records: Vec<NewRecord>,
    ) -> IRecords::addRecordsCall {
        IRecords::addRecordsCall {
            actor,
            chart,
            organisation,
            directoryVersion: DIRECTORY_VERSION,
            records,
        }
    }

    /// Sends a transaction that must leave so many logs.
    fn record<C: SolCall>(
        &mut self,
        name: &'static str,
        records: u64,
        from: Address,
        to: Address,
        call: C,
        logs: usize,
    ) -> anyhow::Result<()> {
        let calls = self.contracts.bare.trace(from, to, call.abi_encode())?;
        let done = self.contracts.must(from, to, call);
        ensure!(done.logs.len() == logs, "{name} left {} logs", done.logs.len());
        self.done.push(Operation {
            name,
            gas: done.gas,
            records,
            is_transaction: true,
            logs: done.logs,
            calls,
        });
        Ok(())
    }

    fn asked(&mut self, name: &'static str, gas: u64, call: impl SolCall) -> anyhow::Result<()> {
        self.done.push(Operation {
            name,
            gas,
            records: 1,
            is_transaction: false,
            logs: Vec::new(),
            calls: self.contracts.bare.trace(OWNER, self.consumer, call.abi_encode())?,
        });
        Ok(())
    }
}

fn hash(text: &str) -> B256 {
    keccak256(text)
}

fn record(number: u64) -> NewRecord {
    NewRecord {
        recordId: hash(&format!("record {number}")),
        compartment: LABORATORY,
        codec: CODEC_DAG_CBOR,
        pointer: hash(&format!("pointer {number}")),
    }
}

fn leaves() -> Vec<B256> {
    let leaf = |number| {
        let NewRecord { recordId, pointer, .. } = record(number);
        medlock_merkle::leaf_of_two(keccak, recordId, pointer)
    };
    (0..LEAVES).map(leaf).collect()
}

fn keccak(bytes: &[u8]) -> B256 {
    keccak256(bytes)
}
