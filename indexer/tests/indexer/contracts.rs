//! The real contracts, run: after every transaction the index answers as the contracts do at the same block, and it
//! goes on giving those answers for that block's time.
mod history;
mod ledgers;

use crate::support::{POLL_MS, SOON, chain::receipt, event::id, latest};
use alloy::{
    eips::BlockId,
    network::{EthereumWallet, TransactionBuilder},
    primitives::{Address, B256, U256, keccak256},
    providers::{DynProvider, Provider, ProviderBuilder},
    rpc::types::TransactionRequest,
    signers::{SignerSync, local::PrivateKeySigner},
    sol_types::{SolCall, SolStruct},
};
use medlock_abi::{
    audit::IAudit,
    exceptions::IExceptions,
    records::IRecords::{self, GrantTerms, Keyring, NewRecord, Question},
    registry::IRegistry,
    relay::IRelay,
    signed,
    terms::{
        BATCH_MOST, CODEC_DAG_CBOR, action, effect, emergency, power, purpose, reason, record_status, role, suite,
    },
};
use medlock_consent::{Contract, Missing, Words, decide, facts};
use medlock_deploy::{Artifacts, artifacts::DEFAULT_DIR, deploy};
use medlock_indexer::{Config, Database, Deployment, Endpoints, Handle, Head, Page, When, spawn, verify};
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use std::{collections::BTreeSet, path::Path};

const CHART: u64 = 1;
/// 14 comes out of a batch; 13 was never added.
const RECORDS: [u64; 6] = [10, 11, 12, 13, 14, 16];
/// Seconds from one block to the next, at least.
const STEP: u64 = 10;

struct World {
    rpc: DynProvider,
    deployment: Deployment,
    handle: Handle,
    owner: Address,
    issuer: Address,
    patient: Address,
    clinic: Address,
    insurer: Address,
    second: Address,
    stranger: Address,
    guardian: Address,
    carer: Address,
    /// Takes the chart over.
    heir: Address,
    /// The clinic is a gateway, too.
    clinic_signer: PrivateKeySigner,
    /// What the contracts answered, block by block.
    history: Vec<(Head, Vec<u8>)>,
    _anvil: medlock_anvil::Handle,
    folder: tempfile::TempDir,
}

#[tokio::test]
async fn the_index_answers_as_the_contracts_do_at_every_block() {
    let mut world = World::start().await;
    world.credentials_and_keys().await;
    world.grants_and_records().await;
    world.batches_and_statuses().await;
    world.rules().await;
    world.delegates().await;
    world.emergencies().await;
    world.transfer_of_control().await;
    world.signatures_and_anchors().await;
    world.life_of_the_registry().await;
    world.every_time_asked_about().await;
    world.same_history_in_every_database().await;
    world.verified_and_falsified().await;
}

/// The history, chapter by chapter. Every method that changes something is used, but for those of the relay that take
/// signatures: they call the same methods.
impl World {
    async fn credentials_and_keys(&mut self) {
        let (issuer, clinic) = (self.issuer, self.clinic);
        let call = IRegistry::setIssuerCall { issuer, active: true };
        self.registry(self.owner, call).await;
        let call = IRegistry::issueCredentialCall {
            party: clinic,
            roles: role::ORGANISATION | role::PROVIDER | role::GATEWAY,
            expiry: 0,
            document: id(100),
        };
        self.registry(issuer, call).await;
        for (version, key) in [(1, [7; 32]), (2, [8; 32])] {
            let call = IRegistry::publishKeyCall {
                actor: clinic,
                version,
                suite: suite::X25519,
                key: key.into(),
            };
            self.registry(clinic, call).await;
        }
        for (member, expiry) in [(self.second, 0), (self.insurer, self.head().time + 8 * STEP)] {
            self.set_member(member, expiry).await;
        }
    }

    async fn set_member(&mut self, member: Address, expiry: u64) {
        let call = IRegistry::setMemberCall {
            actor: self.clinic,
            member,
            serial: self.member_serial(member).await,
            expiry,
        };
        self.registry(self.clinic, call).await;
    }

    async fn member_serial(&self, member: Address) -> u32 {
        let organisation = self.clinic;
        let call = IRegistry::memberOfCall { organisation, member };
        self.view(self.deployment.registry, self.head(), call).await.serial
    }

    async fn grants_and_records(&mut self) {
        let World {
            patient,
            clinic,
            insurer,
            second,
            ..
        } = *self;
        let chart = id(CHART);
        let call = IRecords::openChartCall {
            actor: patient,
            chart,
            directory: id(201),
        };
        self.records(patient, call).await;
        self.grant(patient, 1, clinic, treating(), 301).await;
        let now = self.head().time;
        let paying = GrantTerms {
            compartments: 1 << 63,
            purposes: purpose::HPAYMT,
            actions: action::READ,
            notBefore: now + 3 * STEP,
            expiry: now + 6 * STEP,
        };
        self.grant(patient, 1, insurer, paying, 302).await;
        self.grant(patient, 1, second, treating(), 303).await;
        // In the place of the one before.
        self.grant(patient, 1, second, reading(1 << 3 | 1 << 63), 304).await;

        self.add(clinic, Address::ZERO, 1, vec![record(10, 3, 410), record(11, 63, 411)])
            .await;
        for (author, previous, pointer) in [(clinic, 410, 420), (patient, 420, 430)] {
            let call = IRecords::amendRecordCall {
                actor: author,
                chart,
                organisation: Address::ZERO,
                directoryVersion: 1,
                recordId: id(10),
                previous: id(previous),
                codec: CODEC_DAG_CBOR,
                pointer: id(pointer),
            };
            self.records(author, call).await;
        }
        self.set_directory(patient, 2).await;

        let call = IRecords::revokeCall {
            actor: patient,
            chart,
            grantee: clinic,
            version: 3,
            directory: id(203),
            keyrings: vec![keyring(second, 313), keyring(insurer, 312)],
        };
        self.records(patient, call).await;
        let index = self.handle.index();
        assert_eq!(
            latest(&index)
                .await
                .grant(chart, clinic)
                .await
                .unwrap()
                .map(|g| g.keyring),
            None
        );
        assert_eq!(
            latest(&index)
                .await
                .grant(chart, second)
                .await
                .unwrap()
                .map(|g| g.keyring),
            Some(id(313))
        );
        assert_eq!(
            latest(&index)
                .await
                .grant(chart, insurer)
                .await
                .unwrap()
                .map(|g| g.keyring),
            Some(id(312))
        );
        let call = IRecords::setKeyringsCall {
            actor: patient,
            chart,
            directoryVersion: 3,
            keyrings: vec![keyring(second, 323)],
        };
        self.records(patient, call).await;
        assert_eq!(
            latest(&index)
                .await
                .grant(chart, second)
                .await
                .unwrap()
                .map(|g| g.keyring),
            Some(id(323))
        );

        self.add(patient, Address::ZERO, 3, vec![record(12, 3, 412)]).await;
        let call = IRecords::revokeAllCall {
            actor: patient,
            chart,
            epoch: 2,
        };
        self.records(patient, call).await;
        assert_eq!(latest(&index).await.grants(chart, Page::default()).await.unwrap(), []);
        self.set_directory(patient, 5).await;
        self.grant(patient, 5, clinic, treating(), 331).await;
    }

    async fn batches_and_statuses(&mut self) {
        let (patient, clinic, chart) = (self.patient, self.clinic, id(CHART));
        let (leaf, other) = (leaf(14, 414), leaf(15, 415));
        let root = keccak256([&[1][..], other.as_slice(), leaf.as_slice()].concat());
        let call = IRecords::addBatchCall {
            actor: clinic,
            chart,
            organisation: Address::ZERO,
            directoryVersion: 5,
            compartment: 3,
            codec: CODEC_DAG_CBOR,
            root,
            count: 2,
        };
        self.records(clinic, call).await;
        let on_chain = self
            .view(
                self.deployment.records,
                self.head(),
                IRecords::batchOfCall { chart, root },
            )
            .await;
        let of_batch = format!(
            "{:X} {} {} {} {}",
            on_chain.author, on_chain.createdAt, on_chain.count, on_chain.compartment, on_chain.codec
        );
        let indexed = self
            .row(
                "SELECT hex(author) || ' ' || (SELECT time FROM block WHERE number = valid_from >> 24) || ' ' || leaves || ' ' || compartment || ' ' || codec
                 FROM batch WHERE chart = $1 AND root = $2",
                &[chart.as_slice(), root.as_slice()],
            )
            .await;
        assert_eq!(indexed, Some(of_batch));
        assert_eq!(
            latest(&self.handle.index())
                .await
                .live()
                .await
                .unwrap()
                .leaves_not_taken,
            2
        );
        let call = IRecords::takeFromBatchCall {
            chart,
            root,
            index: 1,
            recordId: id(14),
            pointer: id(414),
            proof: vec![other],
        };
        self.records(self.stranger, call).await;
        assert_eq!(
            latest(&self.handle.index())
                .await
                .live()
                .await
                .unwrap()
                .leaves_not_taken,
            1
        );
        // By a member, for the organisation.
        let call = IRecords::enterInErrorCall {
            actor: self.second,
            chart,
            organisation: clinic,
            recordId: id(11),
            previous: id(411),
        };
        self.records(self.second, call).await;
        let call = IRecords::shredRecordCall {
            actor: patient,
            chart,
            recordId: id(14),
        };
        self.records(patient, call).await;
    }

    async fn rules(&mut self) {
        let World {
            patient,
            clinic,
            second,
            insurer,
            ..
        } = *self;
        self.grant(patient, 5, second, reading(1 << 3), 341).await;
        let expiry = self.head().time + 5 * STEP;
        // For everybody, for the organisation, for its member, for one who also holds the allowed record's grant.
        self.rule(patient, 12, Address::ZERO, effect::DENY, 0).await;
        self.rule(patient, 11, second, effect::ALLOW, 0).await;
        self.rule(patient, 10, second, effect::DENY, expiry).await;
        self.rule(patient, 10, clinic, effect::DENY, 0).await;
        self.rule(patient, 10, clinic, effect::NONE, 0).await;
        self.rule(patient, 12, insurer, effect::DENY, 0).await;
        // The pair's later grant does not have what was allowed beside the earlier.
        let call = IRecords::revokeCall {
            actor: patient,
            chart: id(CHART),
            grantee: second,
            version: 6,
            directory: id(205),
            keyrings: vec![],
        };
        self.records(patient, call).await;
        self.grant(patient, 6, second, reading(1 << 3), 342).await;
        self.rule(patient, 12, Address::ZERO, effect::NONE, 0).await;
        self.rule(patient, 11, second, effect::ALLOW, 0).await;
    }

    async fn delegates(&mut self) {
        let World {
            patient,
            second,
            stranger,
            guardian,
            carer,
            ..
        } = *self;
        let chart = id(CHART);
        let until = self.head().time + 20 * STEP;
        self.delegate(patient, 6, guardian, (0, power::EVERY, until)).await;
        self.delegate(
            guardian,
            6,
            carer,
            (0, power::READ | power::WRITE | power::DELEGATE, until),
        )
        .await;
        self.delegate(carer, 6, stranger, (0, power::READ, until - STEP)).await;
        // What a delegate does in the controller's place.
        self.add(carer, Address::ZERO, 6, vec![record(16, 3, 416)]).await;
        self.grant(guardian, 6, second, reading(1 << 3 | 1 << 5), 343).await;
        self.rule(guardian, 12, Address::ZERO, effect::DENY, 0).await;
        self.set_directory(guardian, 7).await;
        // Their giver's powers end, and come back with another serial: those below have none.
        let remove = |delegate| IExceptions::removeDelegateCall {
            actor: guardian,
            chart,
            delegate,
        };
        self.exceptions(guardian, remove(carer)).await;
        self.delegate(guardian, 7, carer, (2, power::READ, until)).await;
        self.delegate(patient, 7, stranger, (1, power::READ | power::DELEGATE, 0))
            .await;
        // The guardian's powers run out, and with them the carer's; given again, without an end.
        self.pass(20 * STEP).await;
        self.delegate(patient, 7, guardian, (1, power::READ | power::REVOKE, 0))
            .await;
        let call = IRecords::revokeCall {
            actor: guardian,
            chart,
            grantee: second,
            version: 8,
            directory: id(207),
            keyrings: vec![],
        };
        self.records(guardian, call).await;
    }

    async fn emergencies(&mut self) {
        let World {
            patient,
            clinic,
            second,
            guardian,
            ..
        } = *self;
        let chart = id(CHART);
        let allow = |serial, allowed| IExceptions::setEmergencyAccessCall {
            actor: patient,
            chart,
            serial,
            allowed,
        };
        let breaks = |actor, organisation, compartments| IExceptions::breakGlassCall {
            actor,
            chart,
            organisation,
            compartments,
            reasonCode: emergency::UNABLE_TO_CONSENT,
        };
        self.exceptions(patient, allow(0, true)).await;
        self.exceptions(clinic, breaks(clinic, Address::ZERO, 1 << 3 | 1 << 5))
            .await;
        self.exceptions(second, breaks(second, clinic, 1 << 63)).await;
        let call = IExceptions::closeEmergencyCall {
            actor: guardian,
            chart,
            party: second,
        };
        self.exceptions(guardian, call).await;
        // Four hours, then the day.
        self.pass(emergency::OPEN_S).await;
        self.rule(patient, 12, Address::ZERO, effect::NONE, 0).await;
        self.pass(emergency::AGAIN_S).await;
        self.exceptions(clinic, breaks(clinic, Address::ZERO, 1 << 3)).await;
        self.exceptions(patient, allow(1, false)).await;
        self.exceptions(patient, allow(2, true)).await;
        self.exceptions(second, breaks(second, clinic, 1 << 3)).await;
    }

    async fn transfer_of_control(&mut self) {
        let World {
            patient,
            clinic,
            stranger,
            carer,
            heir,
            ..
        } = *self;
        let chart = id(CHART);
        self.grant(patient, 8, heir, reading(1 << 3), 351).await;
        for to in [stranger, Address::ZERO, heir] {
            let call = IRecords::offerControlCall {
                actor: patient,
                chart,
                to,
            };
            self.records(patient, call).await;
        }
        let call = IRecords::acceptControlCall {
            actor: heir,
            chart,
            version: 9,
            directory: id(208),
            keyrings: vec![keyring(clinic, 352)],
        };
        self.records(heir, call).await;
        self.delegate(heir, 9, carer, (3, power::READ, 0)).await;
        self.grant(heir, 9, patient, treating(), 353).await;
        let call = IRecords::shredRecordCall {
            actor: heir,
            chart,
            recordId: id(10),
        };
        self.records(heir, call).await;
        let call = IRecords::offerControlCall {
            actor: heir,
            chart,
            to: patient,
        };
        self.records(heir, call).await;
        let call = IRecords::revokeAllCall {
            actor: heir,
            chart,
            epoch: 3,
        };
        self.records(heir, call).await;
        self.set_directory(heir, 11).await;
        self.grant(heir, 11, patient, treating(), 354).await;
    }

    async fn signatures_and_anchors(&mut self) {
        let (patient, clinic, stranger) = (self.patient, self.clinic, self.stranger);
        let Deployment {
            relay, audit, chain_id, ..
        } = self.deployment;
        for _ in 0..2 {
            self.send(patient, relay, IRelay::cancelAllCall {}).await;
        }
        let mut previous = B256::ZERO;
        for (index, root, count) in [(0, id(501), 7), (1, id(502), 1)] {
            let call = IAudit::anchorCall { previous, root, count };
            self.send(clinic, audit, call).await;
            let call = IAudit::anchorOfCall { gateway: clinic, index };
            previous = self.view(audit, self.head(), call).await;
        }
        let stated = |index, root| IAudit::Anchor {
            gateway: clinic,
            index,
            previous: B256::ZERO,
            root,
            count: 1,
        };
        let signer = self.clinic_signer.clone();
        let signed = |anchor: &IAudit::Anchor| {
            let hash = anchor.eip712_signing_hash(&signed::domain(chain_id, audit));
            signer.sign_hash_sync(&hash).unwrap().as_bytes().to_vec().into()
        };
        let deviating = stated(0, id(503));
        let call = IAudit::proveDeviationCall {
            signature: signed(&deviating),
            statement: deviating,
        };
        self.send(stranger, audit, call).await;
        let (first, second) = (stated(5, id(504)), stated(5, id(505)));
        let call = IAudit::proveEquivocationCall {
            firstSignature: signed(&first),
            first,
            secondSignature: signed(&second),
            second,
        };
        self.send(stranger, audit, call).await;
    }

    /// Members, suspension, a revoked key, a dismissed issuer, a revoked credential.
    async fn life_of_the_registry(&mut self) {
        let World {
            owner,
            issuer,
            clinic,
            insurer,
            second,
            ..
        } = *self;
        let expiry = self.head().time + 4 * STEP;
        for (member, expiry) in [(second, expiry), (insurer, 0)] {
            self.set_member(member, expiry).await;
        }
        self.registry(issuer, IRegistry::suspendCredentialCall { party: clinic })
            .await;
        self.registry(owner, IRegistry::reinstateCredentialCall { party: clinic })
            .await;
        self.registry(clinic, IRegistry::revokeKeyCall { version: 2 }).await;
        let call = IRegistry::removeMemberCall {
            actor: clinic,
            member: insurer,
            serial: self.member_serial(insurer).await,
        };
        self.registry(clinic, call).await;
        for active in [false, true] {
            self.registry(owner, IRegistry::setIssuerCall { issuer, active }).await;
        }
        let call = IRegistry::issueCredentialCall {
            party: clinic,
            roles: role::ORGANISATION,
            expiry: 0,
            document: id(101),
        };
        self.registry(issuer, call).await;
        self.set_member(second, 0).await;
        self.registry(issuer, IRegistry::revokeCredentialCall { party: clinic })
            .await;
    }

    async fn grant(&mut self, actor: Address, version: u32, grantee: Address, terms: GrantTerms, keyring: u64) {
        let chart = id(CHART);
        let held = self
            .view(
                self.deployment.records,
                self.head(),
                IRecords::grantOfCall { chart, grantee },
            )
            .await;
        let head = self
            .view(self.deployment.records, self.head(), IRecords::chartOfCall { chart })
            .await;
        let call = IRecords::grantCall {
            actor,
            chart,
            directoryVersion: version,
            grantee,
            serial: if held.epoch == head.grantEpoch { held.serial } else { 0 },
            terms,
            keyring: id(keyring),
        };
        self.records(actor, call).await;
    }

    async fn add(&mut self, actor: Address, organisation: Address, version: u32, records: Vec<NewRecord>) {
        let call = IRecords::addRecordsCall {
            actor,
            chart: id(CHART),
            organisation,
            directoryVersion: version,
            records,
        };
        self.records(actor, call).await;
    }

    async fn set_directory(&mut self, actor: Address, version: u32) {
        let call = IRecords::setDirectoryCall {
            actor,
            chart: id(CHART),
            version,
            directory: id(200 + u64::from(version)),
        };
        self.records(actor, call).await;
    }

    /// A rule for treatment and reading; of effect none, none.
    async fn rule(&mut self, actor: Address, record: u64, grantee: Address, effect: u8, expiry: u64) {
        let says = effect != effect::NONE;
        let call = IExceptions::setRuleCall {
            actor,
            chart: id(CHART),
            recordId: id(record),
            grantee,
            effect,
            purposes: if says { purpose::TREAT } else { 0 },
            actions: if says { action::READ } else { 0 },
            expiry,
        };
        self.exceptions(actor, call).await;
    }

    async fn delegate(
        &mut self,
        actor: Address,
        version: u32,
        delegate: Address,
        (serial, powers, expiry): (u32, u8, u64),
    ) {
        let call = IExceptions::setDelegateCall {
            actor,
            chart: id(CHART),
            directoryVersion: version,
            delegate,
            serial,
            powers,
            expiry,
        };
        self.exceptions(actor, call).await;
    }

    async fn registry(&mut self, from: Address, call: impl SolCall) {
        self.send(from, self.deployment.registry, call).await;
    }

    async fn records(&mut self, from: Address, call: impl SolCall) {
        self.send(from, self.deployment.records, call).await;
    }

    async fn exceptions(&mut self, from: Address, call: impl SolCall) {
        self.send(from, self.deployment.exceptions, call).await;
    }
}

impl World {
    async fn start() -> Self {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(DEFAULT_DIR);
        let artifacts = Artifacts::load(&dir).unwrap_or_else(|error| {
            panic!("the built contracts are needed, run `make contracts`: {error}");
        });
        let anvil = medlock_anvil::spawn(medlock_anvil::Config::default()).await.unwrap();
        let signers: Vec<_> = anvil.accounts().iter().map(|account| account.signer.clone()).collect();
        let mut wallet = EthereumWallet::from(signers[0].clone());
        for signer in &signers[1..] {
            wallet.register_signer(signer.clone());
        }
        let rpc = ProviderBuilder::new()
            .wallet(wallet)
            .connect_http(anvil.url().parse().unwrap())
            .erased();
        let [
            owner,
            issuer,
            patient,
            clinic,
            insurer,
            second,
            stranger,
            guardian,
            carer,
            heir,
        ] = std::array::from_fn(|i| signers[i].address());
        let deployed = deploy(&rpc, &signers[0], &artifacts).await.unwrap().deployment;
        let deployment = Deployment {
            registry: deployed.registry,
            records: deployed.records,
            exceptions: deployed.exceptions,
            relay: deployed.relay,
            audit: deployed.audit,
            claims: deployed.claims,
            supply: deployed.supply,
            trials: deployed.trials,
            start_block: deployed.block,
            chain_id: deployed.chain_id,
            genesis_hash: deployed.genesis_hash,
        };
        let folder = tempfile::tempdir().unwrap();
        let config = Config {
            endpoints: anvil.url().into(),
            deployment,
            database: Database::Sqlite(folder.path().join("index.db")),
            poll_ms: POLL_MS,
        };
        Self {
            rpc,
            deployment,
            handle: spawn(config).await.unwrap(),
            owner,
            issuer,
            patient,
            clinic,
            insurer,
            second,
            stranger,
            guardian,
            carer,
            heir,
            clinic_signer: signers[3].clone(),
            history: Vec::new(),
            _anvil: anvil,
            folder,
        }
    }

    /// The next block is this much later than it would be.
    async fn pass(&self, seconds: u64) {
        let _: serde_json::Value = self
            .rpc
            .raw_request("evm_increaseTime".into(), (seconds,))
            .await
            .unwrap();
    }

    /// Sends `call`, and waits until its block is indexed.
    async fn indexed<C: SolCall>(&self, from: Address, to: Address, call: C) -> Head {
        let request = TransactionRequest::default()
            .with_from(from)
            .with_to(to)
            .with_input(call.abi_encode());
        let sent = self.rpc.send_transaction(request).await;
        let sent = *sent
            .unwrap_or_else(|error| panic!("{}: {error}", C::SIGNATURE))
            .tx_hash();
        let block = receipt(&self.rpc, sent).await.block_number.unwrap();
        let head = self.handle.wait_for_block(block, SOON).await.unwrap();
        assert_eq!(head.number, block);
        head
    }

    /// Sends `call`, waits until its block is indexed, and compares all answers.
    async fn send<C: SolCall>(&mut self, from: Address, to: Address, call: C) {
        self.pass(STEP).await;
        let head = self.indexed(from, to, call).await;
        if let Some((before, _)) = self.history.last() {
            assert!(head.time >= before.time + STEP);
        }
        self.same_state(head).await;
        self.same_history(head).await;
        let reasons = self.contract_decides(head).await;
        assert_eq!(self.index_decides(head.time).await, reasons, "after {}", C::SIGNATURE);
        self.storage_decides(head, &reasons).await;
        self.history.push((head, reasons));
    }

    fn head(&self) -> Head {
        self.history.last().unwrap().0
    }

    async fn view<C: SolCall>(&self, to: Address, at: Head, call: C) -> C::Return {
        let request = TransactionRequest::default().with_to(to).with_input(call.abi_encode());
        let answer = self.rpc.call(request).block(BlockId::from(at.hash)).await.unwrap();
        C::abi_decode_returns(&answer).unwrap()
    }

    async fn same_state(&self, at: Head) {
        let (index, Deployment { registry, records, .. }) = (self.handle.index(), self.deployment);
        let chart = id(CHART);
        self.same_exceptions(at).await;
        self.same_relay_and_audit(at).await;

        let on_chain = self.view(records, at, IRecords::chartOfCall { chart }).await;
        let indexed = latest(&index)
            .await
            .chart(chart)
            .await
            .unwrap()
            .map_or_else(Default::default, |c| {
                (
                    c.controller,
                    c.control_epoch,
                    c.grant_epoch,
                    c.directory_version,
                    c.directory,
                )
            });
        assert_eq!(
            (
                on_chain.controller,
                on_chain.controlEpoch,
                on_chain.grantEpoch,
                on_chain.directoryVersion,
                on_chain.directory
            ),
            indexed
        );
        for account in [self.patient, self.heir] {
            let own = latest(&index).await.charts_of(account, Page::default()).await.unwrap();
            assert_eq!(own.len(), usize::from(on_chain.controller == account));
        }
        let offered = self.view(records, at, IRecords::offeredToCall { chart }).await;
        let indexed = self.row(
            "SELECT hex(offered_to) FROM control_offer WHERE chart = $1 AND valid_to = 9223372036854775807",
            &[chart.as_slice()],
        );
        assert_eq!(indexed.await, (!offered.is_zero()).then(|| format!("{offered:X}")));

        let listed = latest(&index)
            .await
            .records(chart, u64::MAX, Page::default())
            .await
            .unwrap();
        let mut found = 0;
        let mut live = BTreeSet::new();
        if !on_chain.controller.is_zero() {
            live.insert(on_chain.directory);
        }
        let grant_epoch = on_chain.grantEpoch;
        for record_id in RECORDS.map(id) {
            let call = IRecords::recordOfCall {
                chart,
                recordId: record_id,
            };
            let on_chain = self.view(records, at, call).await;
            let versions = latest(&index).await.versions(chart, record_id, 0).await.unwrap();
            assert_eq!(versions.len() as u32, on_chain.version);
            let Some(newest) = versions.last() else { continue };
            found += 1;
            assert!(listed.contains(newest));
            assert_eq!(
                (
                    newest.author,
                    newest.created_at,
                    newest.version,
                    newest.compartment,
                    newest.status,
                    newest.codec
                ),
                (
                    on_chain.author,
                    on_chain.createdAt,
                    on_chain.version,
                    on_chain.compartment,
                    on_chain.status,
                    on_chain.codec
                )
            );
            match on_chain.status {
                record_status::SHREDDED => assert!(on_chain.pointer.is_zero()),
                _ => {
                    assert_eq!(newest.pointer, on_chain.pointer);
                    live.extend(versions.iter().map(|version| version.pointer));
                }
            }
            for pair in versions.windows(2) {
                assert_eq!(pair[0].pointer, pair[1].previous);
            }
        }
        assert_eq!(listed.len(), found);

        let mut standing = BTreeSet::new();
        for account in self.accounts() {
            let call = IRecords::grantOfCall {
                chart,
                grantee: account,
            };
            let granted = self.view(records, at, call).await;
            // The contract keeps a grant that `revokeAll` ended; its epoch tells.
            let stands = granted.epoch != 0 && granted.epoch == grant_epoch;
            let indexed = latest(&index).await.grant(chart, account).await.unwrap();
            live.extend(indexed.as_ref().map(|grant| grant.keyring));
            let terms = |g: medlock_indexer::Grant| {
                let terms = GrantTerms {
                    compartments: g.compartments,
                    purposes: g.purposes,
                    actions: g.actions,
                    notBefore: g.not_before,
                    expiry: g.expiry,
                };
                (g.epoch, g.serial, terms)
            };
            assert_eq!(
                indexed.map(terms),
                stands.then_some((granted.epoch, granted.serial, granted.terms))
            );
            let since = self.row(
                "SELECT CAST(since AS TEXT) FROM grant_ WHERE chart = $1 AND grantee = $2 AND valid_to = 9223372036854775807",
                &[chart.as_slice(), account.as_slice()],
            );
            assert_eq!(since.await, (granted.epoch != 0).then(|| granted.since.to_string()));
            let received = latest(&index).await.grants_to(account, Page::default()).await.unwrap();
            assert_eq!(received.len(), usize::from(stands));
            if stands {
                standing.insert(account);
            }

            let party = index
                .view(When::Time(at.time))
                .await
                .unwrap()
                .party(account)
                .await
                .unwrap();
            let call = IRegistry::credentialOfCall { party: account };
            let credential = self.view(registry, at, call).await;
            assert_eq!(
                credential.current,
                party.credential.as_ref().is_some_and(|c| c.is_current(at.time))
            );
            let indexed = party.credential.map_or_else(Default::default, |c| {
                (c.issuer, c.roles, c.issued_at, c.expiry, c.document, c.status)
            });
            assert_eq!(
                indexed,
                (
                    credential.issuer,
                    credential.roles,
                    credential.issuedAt,
                    credential.expiry,
                    credential.document,
                    credential.status
                )
            );
            let key = self.view(registry, at, IRegistry::keyOfCall { party: account }).await;
            let indexed = party.key.map_or_else(Default::default, |k| {
                let revoked_at = k.revoked_at.unwrap_or_default();
                (k.version, k.suite, k.valid_from, revoked_at, keccak256(&k.key))
            });
            assert_eq!(
                indexed,
                (key.version, key.suite, key.validFrom, key.revokedAt, key.digest)
            );
        }
        let kept = latest(&index).await.live().await.unwrap();
        assert_eq!((kept.head, BTreeSet::from_iter(kept.digests)), (at, live));
        let given = latest(&index).await.grants(chart, Page::default()).await.unwrap();
        let given: Vec<Address> = given.iter().map(|grant| grant.grantee).collect();
        assert_eq!(given.len(), standing.len());
        assert_eq!(BTreeSet::from_iter(given), standing);
    }

    /// Rules, delegates and emergencies as stored, in force or not.
    async fn same_exceptions(&self, at: Head) {
        let (exceptions, chart) = (self.deployment.exceptions, id(CHART));
        for record_id in RECORDS.map(id) {
            for grantee in self.accounts().into_iter().chain([Address::ZERO]) {
                let call = IExceptions::ruleOfCall {
                    chart,
                    recordId: record_id,
                    grantee,
                };
                let rule = self.view(exceptions, at, call).await;
                let indexed = self.row(
                    "SELECT effect || ' ' || purposes || ' ' || actions || ' ' || expiry || ' ' || directory_version
                     FROM rule WHERE chart = $1 AND record_id = $2 AND grantee = $3 AND valid_to = 9223372036854775807",
                    &[chart.as_slice(), record_id.as_slice(), grantee.as_slice()],
                );
                let stored = format!(
                    "{} {} {} {} {}",
                    rule.effect, rule.purposes, rule.actions, rule.expiry, rule.directoryVersion
                );
                assert_eq!(indexed.await, (rule.effect != effect::NONE).then_some(stored));
            }
        }
        for account in self.accounts() {
            let keys = [chart.as_slice(), account.as_slice()];
            let call = IExceptions::delegateOfCall {
                chart,
                delegate: account,
            };
            let entry = self.view(exceptions, at, call).await;
            let indexed = self.row(
                "SELECT hex(parent) || ' ' || serial || ' ' || powers || ' ' || expiry || ' ' || depth || ' '
                    || parent_serial || ' ' || control_epoch
                 FROM delegate WHERE chart = $1 AND delegate = $2 AND valid_to = 9223372036854775807",
                &keys,
            );
            let stored = format!(
                "{:X} {} {} {} {} {} {}",
                entry.parent,
                entry.serial,
                entry.powers,
                entry.expiry,
                entry.depth,
                entry.parentSerial,
                entry.controlEpoch
            );
            assert_eq!(indexed.await, (entry.powers != 0).then_some(stored));

            let call = IExceptions::emergencyOfCall { chart, party: account };
            let opened = self.view(exceptions, at, call).await;
            let indexed = self.row(
                "SELECT (SELECT time FROM block WHERE number = valid_from >> 24) || ' ' || compartments || ' ' || until || ' ' || grant_epoch || ' ' || serial
                 FROM emergency WHERE chart = $1 AND party = $2 AND valid_to = 9223372036854775807",
                &keys,
            );
            let stored = format!(
                "{} {} {} {} {}",
                opened.openedAt,
                opened.compartments.cast_signed(),
                opened.until,
                opened.grantEpoch,
                opened.serial
            );
            // The contract keeps one that was closed early, with that time.
            let is_whole = opened.openedAt != 0 && opened.until == opened.openedAt + emergency::OPEN_S;
            assert_eq!(indexed.await, is_whole.then_some(stored));
        }
        let call = IExceptions::emergencyAccessOfCall { chart };
        let access = self.view(exceptions, at, call).await;
        let indexed = self.row(
            "SELECT allowed || ' ' || serial || ' ' || control_epoch FROM emergency_access
             WHERE chart = $1 AND valid_to = 9223372036854775807",
            &[chart.as_slice()],
        );
        let stored = format!("{} {} {}", u8::from(access.allowed), access.serial, access.controlEpoch);
        assert_eq!(indexed.await, (access.serial != 0).then_some(stored));
    }

    async fn same_relay_and_audit(&self, at: Head) {
        let Deployment { relay, audit, .. } = self.deployment;
        for account in self.accounts() {
            let call = IRelay::nonceOfCall { signer: account };
            let nonce = self.view(relay, at, call).await;
            let indexed = self.row(
                "SELECT hex(nonce) FROM nonce WHERE signer = $1 AND valid_to = 9223372036854775807",
                &[account.as_slice()],
            );
            let stored = format!("{:X}", B256::from(nonce));
            assert_eq!(indexed.await, (nonce != U256::ZERO).then_some(stored));
        }
        let gateway = self.clinic;
        let head = self.view(audit, at, IAudit::headOfCall { gateway }).await;
        let call = IAudit::equivocationsOfCall { gateway };
        let proofs = self.view(audit, at, call).await;
        let indexed = self.row(
            "SELECT count(*) || ' ' || coalesce(sum(receipts), 0) || ' '
                || coalesce((SELECT hex(anchor) FROM anchor WHERE gateway = $1 ORDER BY number DESC LIMIT 1), '')
                || ' ' || (SELECT count(*) FROM equivocation WHERE gateway = $1)
             FROM anchor WHERE gateway = $1",
            &[gateway.as_slice()],
        );
        let last = match head.anchors {
            0 => String::new(),
            _ => format!("{:X}", head.last),
        };
        let stored = format!("{} {} {last} {proofs}", head.anchors, head.receipts);
        assert_eq!(indexed.await, Some(stored));
        for index in 0..head.anchors {
            let call = IAudit::anchorOfCall { gateway, index };
            let anchor = self.view(audit, at, call).await;
            let indexed = self.row(
                "SELECT hex(anchor) FROM anchor WHERE gateway = $1 AND number = CAST($2 AS INTEGER)",
                &[gateway.as_slice(), index.to_string().as_bytes()],
            );
            assert_eq!(indexed.await, Some(format!("{anchor:X}")));
        }
    }

    /// One row as text, past the queries: for the tables that no query shows yet.
    fn row(&self, sql: &'static str, keys: &[&[u8]]) -> impl Future<Output = Option<String>> + use<> {
        let keys = Vec::from_iter(keys.iter().map(|key| key.to_vec()));
        let db = self.folder.path().join("index.db");
        async move {
            let options = SqliteConnectOptions::new().filename(db).read_only(true);
            let mut db = SqliteConnection::connect_with(&options).await.unwrap();
            let query = keys
                .into_iter()
                .fold(sqlx::query_scalar(sql), |query, key| query.bind(key));
            query.fetch_optional(&mut db).await.unwrap()
        }
    }

    fn accounts(&self) -> [Address; 8] {
        [
            self.patient,
            self.clinic,
            self.insurer,
            self.second,
            self.stranger,
            self.guardian,
            self.carer,
            self.heir,
        ]
    }

    /// Everything that may be asked, the nonsensical too.
    fn questions(&self) -> Vec<Question> {
        const ASKED: [(u8, u32, u8); 8] = [
            (3, purpose::TREAT, action::READ),
            (3, purpose::TREAT, action::WRITE),
            (3, purpose::TREAT, action::SHARE),
            (3, purpose::ETREAT, action::READ),
            (3, purpose::HPAYMT, action::READ),
            (63, purpose::TREAT, action::READ),
            (63, purpose::HPAYMT, action::READ),
            (5, purpose::ETREAT, action::READ),
        ];
        let records = || [B256::ZERO].into_iter().chain(RECORDS.map(id));
        let question = |grantee, member, record_id, (compartment, purpose, action)| Question {
            chart: id(CHART),
            grantee,
            member,
            compartment,
            recordId: record_id,
            purpose,
            action,
        };
        let mut questions = Vec::new();
        for record_id in records() {
            for asked in ASKED {
                for grantee in self.accounts() {
                    questions.push(question(grantee, Address::ZERO, record_id, asked));
                }
                for member in [self.second, self.insurer] {
                    questions.push(question(self.clinic, member, record_id, asked));
                }
            }
        }
        // No member; no organisation; an organisation's member of itself.
        for (grantee, member) in [
            (self.clinic, self.stranger),
            (self.patient, self.second),
            (self.clinic, self.clinic),
        ] {
            questions.push(question(grantee, member, B256::ZERO, ASKED[0]));
        }
        for malformed in [
            (64, purpose::TREAT, action::READ),
            (3, purpose::TREAT | purpose::HPAYMT, action::READ),
            (3, purpose::TREAT, 0),
            (3, 0, action::READ),
        ] {
            questions.push(question(self.clinic, Address::ZERO, B256::ZERO, malformed));
        }
        questions.push(Question {
            chart: id(CHART + 1),
            ..questions[0].clone()
        });
        questions
    }

    async fn contract_decides(&self, at: Head) -> Vec<u8> {
        let mut reasons = Vec::new();
        for questions in self.questions().chunks(BATCH_MOST) {
            let call = IRecords::decideManyCall {
                questions: questions.to_vec(),
            };
            reasons.extend(self.view(self.deployment.records, at, call).await);
        }
        reasons
    }

    /// What the words of the contracts' storage say is what the contracts say: for every question that names no member.
    async fn storage_decides(&self, at: Head, reasons: &[u8]) {
        let mut words = Words::new();
        for (question, reason) in self.questions().iter().zip(reasons) {
            if !question.member.is_zero() {
                assert_eq!(facts(question, &words), Err(Missing(vec![])));
                continue;
            }
            let facts = loop {
                match facts(question, &words) {
                    Ok(facts) => break facts,
                    Err(Missing(missing)) => {
                        for slot in missing {
                            let contract = match slot.contract {
                                Contract::Records => self.deployment.records,
                                Contract::Exceptions => self.deployment.exceptions,
                            };
                            let asked = self.rpc.get_storage_at(contract, slot.slot.into());
                            words.insert(slot, asked.block_id(BlockId::from(at.hash)).await.unwrap().into());
                        }
                    }
                }
            };
            assert_eq!(
                decide(question, &facts, at.time),
                *reason,
                "{question:?} at block {}",
                at.number
            );
        }
    }

    async fn index_decides(&self, at: u64) -> Vec<u8> {
        let index = self.handle.index();
        let mut reasons = Vec::new();
        for question in self.questions() {
            reasons.push(index.decide(&question, at).await.unwrap().reason);
        }
        reasons
    }

    /// Whether the registry, asked now, and the index agree about a time past: roles, members and keys.
    async fn same_past(&self, at: u64) {
        let (index, registry, now) = (self.handle.index(), self.deployment.registry, self.head());
        for account in self.accounts() {
            let party = index.view(When::Time(at)).await.unwrap().party(account).await.unwrap();
            let held = party.credential.filter(|held| held.is_current(at));
            for roles in [role::PROVIDER, role::ORGANISATION, role::ORGANISATION | role::PROVIDER] {
                let call = IRegistry::hasRolesAtCall {
                    party: account,
                    roles,
                    at,
                };
                let has = held.as_ref().is_some_and(|held| held.roles & roles == roles);
                assert_eq!(
                    self.view(registry, now, call).await,
                    has,
                    "roles {roles} of {account} at {at}"
                );
            }
            let call = IRegistry::keyAtCall { party: account, at };
            let key = self.view(registry, now, call).await;
            let indexed = party
                .key
                .map_or_else(Default::default, |key| (key.version, key.revoked_at.is_none()));
            assert_eq!((key.version, key.current), indexed, "key of {account} at {at}");
            let call = IRegistry::mayActForAtCall {
                organisation: self.clinic,
                member: account,
                roles: role::PROVIDER,
                at,
            };
            let mut then = index.view(When::Time(at)).await.unwrap();
            let may = then.may_act_for(self.clinic, account, role::PROVIDER).await.unwrap();
            assert_eq!(
                self.view(registry, now, call).await,
                may,
                "{account} for the clinic at {at}"
            );
        }
    }

    /// For each block's time the index answers as the contract did then, whatever came later.
    async fn every_time_asked_about(&self) {
        let mut kinds = BTreeSet::new();
        for (head, reasons) in &self.history {
            assert_eq!(
                &self.index_decides(head.time).await,
                reasons,
                "at block {}",
                head.number
            );
            kinds.extend(reasons);
            for at in [head.time - 1, head.time] {
                self.same_past(at).await;
            }
        }
        // The history leads to every answer there is.
        let all = (0..=u8::MAX).filter(|reason| reason::text(*reason) != "unknown-reason");
        assert_eq!(kinds, all.collect());
    }

    /// Against the contracts' storage nothing differs, at any block; and each value that is falsified is named.
    async fn verified_and_falsified(&self) {
        let database = Database::Sqlite(self.folder.path().join("index.db"));
        let verified = async |block: Option<u64>| {
            let mut differences = Vec::new();
            let endpoints = Endpoints::from(self._anvil.url());
            let verified = verify(&database, &endpoints, self.deployment, block, |d| differences.push(d)).await;
            let verified = verified.unwrap();
            assert_eq!(verified.differences, differences.len() as u64);
            (
                verified,
                differences.iter().map(ToString::to_string).collect::<Vec<_>>(),
            )
        };
        let mut things = 0;
        for (head, _) in self.history.iter().step_by(3) {
            let (found, differences) = verified(Some(head.number)).await;
            assert_eq!((found.block.hash, differences), (head.hash, vec![]));
            assert!(found.things >= things);
            things = found.things;
        }
        let (found, differences) = verified(None).await;
        assert_eq!((found.block.hash, differences), (self.head().hash, vec![]));

        let options = SqliteConnectOptions::new().filename(self.folder.path().join("index.db"));
        let mut db = SqliteConnection::connect_with(&options).await.unwrap();
        let mut falsify = async |sql: &'static str| {
            let touched = sqlx::query(sql).execute(&mut db).await.unwrap().rows_affected();
            assert!(touched > 0, "{sql}");
        };
        macro_rules! current {
            ($sql:literal) => {
                concat!($sql, " WHERE valid_to = 9223372036854775807")
            };
        }
        let falsified = [
            (
                current!("UPDATE chart SET control_epoch = control_epoch + 1"),
                "chart (chart 0x",
                "control_epoch is",
            ),
            (
                current!("UPDATE grant_epoch SET epoch = epoch + 1"),
                "chart (chart 0x",
                "grant_epoch.epoch is",
            ),
            (
                current!("UPDATE directory SET version = 99"),
                "chart (chart 0x",
                "directory.version is 99",
            ),
            (
                "UPDATE record SET compartment = 17",
                "record (chart 0x",
                "compartment is 17",
            ),
            ("UPDATE batch SET leaves = leaves + 1", "batch (chart 0x", "leaves is"),
            (
                current!("UPDATE grant_ SET expiry = 1234"),
                "grant_ (chart 0x",
                "expiry is 1234",
            ),
            (
                current!("UPDATE rule SET purposes = 77"),
                "rule (chart 0x",
                "purposes is 77",
            ),
            (
                current!("UPDATE delegate SET powers = 99"),
                "delegate (chart 0x",
                "powers is 99",
            ),
            (
                current!("UPDATE emergency_access SET serial = 88"),
                "emergency_access (chart 0x",
                "serial is 88",
            ),
            (
                current!("UPDATE issuer SET number = 66"),
                "issuer (issuer 0x",
                "number is 66",
            ),
            (
                current!("UPDATE credential SET roles = 55"),
                "credential (party 0x",
                "roles is 55",
            ),
            (
                current!("UPDATE party_key SET suite = 44"),
                "party_key (party 0x",
                "suite is 44",
            ),
            (
                current!("UPDATE nonce SET nonce = zeroblob(32)"),
                "nonce (signer 0x",
                "nonce is 0 in the index",
            ),
            (
                "UPDATE anchor SET anchor = zeroblob(32)",
                "anchor (gateway 0x",
                "anchor is 0x0000",
            ),
        ];
        for (sql, ..) in &falsified {
            falsify(sql).await;
        }
        let (_, differences) = verified(None).await;
        for (sql, thing, value) in falsified {
            let mut named = differences.iter();
            assert!(
                named.any(|line| line.starts_with(thing) && line.contains(value)),
                "{sql}: {differences:#?}"
            );
        }
    }
}

fn treating() -> GrantTerms {
    GrantTerms {
        actions: action::READ | action::WRITE,
        ..reading(1 << 3 | 1 << 63)
    }
}

fn reading(compartments: u64) -> GrantTerms {
    GrantTerms {
        compartments,
        purposes: purpose::TREAT,
        actions: action::READ,
        notBefore: 0,
        expiry: 0,
    }
}

/// The hash of a leaf of a batch (RFC 9162 with keccak256).
fn leaf(record: u64, pointer: u64) -> B256 {
    keccak256([&[0][..], id(record).as_slice(), id(pointer).as_slice()].concat())
}

fn keyring(grantee: Address, digest: u64) -> Keyring {
    Keyring {
        grantee,
        keyring: id(digest),
    }
}

fn record(record: u64, compartment: u8, pointer: u64) -> NewRecord {
    NewRecord {
        recordId: id(record),
        compartment,
        codec: CODEC_DAG_CBOR,
        pointer: id(pointer),
    }
}
