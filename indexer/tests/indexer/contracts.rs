//! The real contracts, run: after every transaction the index answers as the contracts do at the same block, and it
//! goes on giving those answers for that block's time.
use crate::support::{POLL_MS, SOON, chain::receipt, event::id};
use alloy::{
    eips::BlockId,
    network::{EthereumWallet, TransactionBuilder},
    primitives::{Address, B256, keccak256},
    providers::{DynProvider, Provider, ProviderBuilder},
    rpc::types::TransactionRequest,
    sol_types::SolCall,
};
use medlock_abi::{
    records::IRecords::{self, GrantTerms, Keyring, NewRecord, Question},
    registry::IRegistry,
    terms::{BATCH_MOST, CODEC_DAG_CBOR, action, purpose, role, suite},
};
use medlock_deploy::{Artifacts, artifacts::DEFAULT_DIR, deploy};
use medlock_indexer::{Config, Deployment, Handle, Head, Page, spawn};
use std::{collections::BTreeSet, path::Path};

const CHART: u64 = 1;
/// The last was never added.
const RECORDS: [u64; 4] = [10, 11, 12, 13];
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
    /// What the contracts answered, block by block.
    history: Vec<(Head, Vec<u8>)>,
    _anvil: medlock_anvil::Handle,
    _folder: tempfile::TempDir,
}

#[tokio::test]
async fn the_index_answers_as_the_contracts_do_at_every_block() {
    let mut world = World::start().await;
    let World {
        owner,
        issuer,
        patient,
        clinic,
        insurer,
        second,
        ..
    } = world;
    let chart = id(CHART);

    let call = IRegistry::setIssuerCall { issuer, active: true };
    world.registry(owner, call).await;
    let call = IRegistry::issueCredentialCall {
        party: clinic,
        roles: role::ORGANISATION | role::PROVIDER,
        expiry: 0,
        document: id(100),
    };
    world.registry(issuer, call).await;
    for key in [[7; 32], [8; 32]] {
        let call = IRegistry::publishKeyCall {
            suite: suite::X25519,
            key: key.into(),
        };
        world.registry(clinic, call).await;
    }

    let call = IRecords::openChartCall {
        chart,
        directory: id(201),
    };
    world.records(patient, call).await;
    let treating = GrantTerms {
        compartments: 1 << 3 | 1 << 63,
        purposes: purpose::TREAT,
        actions: action::READ | action::WRITE,
        notBefore: 0,
        expiry: 0,
    };
    world.records(patient, grant(clinic, treating.clone(), 301)).await;
    let now = world.head().time;
    let paying = GrantTerms {
        compartments: 1 << 63,
        purposes: purpose::HPAYMT,
        actions: action::READ,
        notBefore: now + 3 * STEP,
        expiry: now + 6 * STEP,
    };
    world.records(patient, grant(insurer, paying, 302)).await;
    let reading = GrantTerms {
        actions: action::READ,
        ..treating.clone()
    };
    world.records(patient, grant(second, reading, 303)).await;

    let call = IRecords::addRecordsCall {
        chart,
        directoryVersion: 1,
        records: vec![record(10, 3, 410), record(11, 63, 411)],
    };
    world.records(clinic, call).await;
    for (author, previous, pointer) in [(clinic, 410, 420), (patient, 420, 430)] {
        let call = IRecords::amendRecordCall {
            chart,
            directoryVersion: 1,
            recordId: id(10),
            previous: id(previous),
            codec: CODEC_DAG_CBOR,
            pointer: id(pointer),
        };
        world.records(author, call).await;
    }
    let call = IRecords::setDirectoryCall {
        chart,
        version: 2,
        directory: id(202),
    };
    world.records(patient, call).await;

    let call = IRecords::revokeCall {
        chart,
        grantee: clinic,
        version: 3,
        directory: id(203),
        keyrings: vec![keyring(second, 313), keyring(insurer, 312)],
    };
    world.records(patient, call).await;
    let index = world.handle.index();
    assert_eq!(index.keyring_digest(chart, clinic).await.unwrap(), None);
    assert_eq!(index.keyring_digest(chart, second).await.unwrap(), Some(id(313)));
    assert_eq!(index.keyring_digest(chart, insurer).await.unwrap(), Some(id(312)));
    let call = IRecords::setKeyringsCall {
        chart,
        keyrings: vec![keyring(second, 323)],
    };
    world.records(patient, call).await;
    assert_eq!(index.keyring_digest(chart, second).await.unwrap(), Some(id(323)));

    let call = IRecords::addRecordsCall {
        chart,
        directoryVersion: 3,
        records: vec![record(12, 3, 412)],
    };
    world.records(patient, call).await;
    let call = IRecords::revokeAllCall {
        chart,
        version: 4,
        directory: id(204),
    };
    world.records(patient, call).await;
    assert_eq!(index.grants(chart, Page::default()).await.unwrap(), []);
    world.records(patient, grant(clinic, treating, 331)).await;
    // The registry's own life: members, suspension, a revoked key, a dismissed issuer, a revoked credential.
    let expiry = world.head().time + 4 * STEP;
    for (member, expiry) in [(second, expiry), (insurer, 0)] {
        world
            .registry(clinic, IRegistry::setMemberCall { member, expiry })
            .await;
    }
    let call = IRegistry::suspendCredentialCall { party: clinic };
    world.registry(issuer, call).await;
    let call = IRegistry::reinstateCredentialCall { party: clinic };
    world.registry(owner, call).await;
    world.registry(clinic, IRegistry::revokeKeyCall { version: 2 }).await;
    world
        .registry(clinic, IRegistry::removeMemberCall { member: insurer })
        .await;
    for active in [false, true] {
        world.registry(owner, IRegistry::setIssuerCall { issuer, active }).await;
    }
    let call = IRegistry::issueCredentialCall {
        party: clinic,
        roles: role::ORGANISATION,
        expiry: 0,
        document: id(101),
    };
    world.registry(issuer, call).await;
    world
        .registry(
            clinic,
            IRegistry::setMemberCall {
                member: second,
                expiry: 0,
            },
        )
        .await;
    let call = IRegistry::revokeCredentialCall { party: clinic };
    world.registry(issuer, call).await;
    world.every_time_asked_about().await;
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
        let [owner, issuer, patient, clinic, insurer, second, stranger] = std::array::from_fn(|i| signers[i].address());
        let deployed = deploy(&rpc, owner, &artifacts).await.unwrap().deployment;
        let deployment = Deployment {
            registry: deployed.registry,
            records: deployed.records,
            start_block: deployed.block,
            chain_id: deployed.chain_id,
            genesis_hash: deployed.genesis_hash,
        };
        let folder = tempfile::tempdir().unwrap();
        let config = Config {
            rpc_url: anvil.url(),
            deployment,
            db: folder.path().join("index.db"),
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
            history: Vec::new(),
            _anvil: anvil,
            _folder: folder,
        }
    }

    async fn registry(&mut self, from: Address, call: impl SolCall) {
        self.send(from, self.deployment.registry, call).await;
    }

    async fn records(&mut self, from: Address, call: impl SolCall) {
        self.send(from, self.deployment.records, call).await;
    }

    /// Sends `call`, waits until its block is indexed, and compares all answers.
    async fn send<C: SolCall>(&mut self, from: Address, to: Address, call: C) {
        let _: serde_json::Value = self.rpc.raw_request("evm_increaseTime".into(), (STEP,)).await.unwrap();
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
        if let Some((before, _)) = self.history.last() {
            assert!(head.time >= before.time + STEP);
        }
        self.same_state(head).await;
        let reasons = self.contract_decides(head).await;
        assert_eq!(self.index_decides(head.time).await, reasons, "after {}", C::SIGNATURE);
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

        let on_chain = self.view(records, at, IRecords::chartOfCall { chart }).await;
        let indexed = index.chart(chart).await.unwrap().map_or_else(Default::default, |c| {
            (c.controller, c.grant_epoch, c.directory_version, c.directory)
        });
        assert_eq!(
            (
                on_chain.controller,
                on_chain.grantEpoch,
                on_chain.directoryVersion,
                on_chain.directory
            ),
            indexed
        );
        let open = on_chain.controller == self.patient;
        let own = index.charts_of(self.patient, Page::default()).await.unwrap();
        assert_eq!(own.len(), usize::from(open));

        let listed = index.records(chart, u64::MAX, Page::default()).await.unwrap();
        let mut found = 0;
        for record_id in RECORDS.map(id) {
            let call = IRecords::recordOfCall {
                chart,
                recordId: record_id,
            };
            let on_chain = self.view(records, at, call).await;
            let versions = index.versions(chart, record_id, 0).await.unwrap();
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
                    newest.codec,
                    newest.pointer
                ),
                (
                    on_chain.author,
                    on_chain.createdAt,
                    on_chain.version,
                    on_chain.compartment,
                    on_chain.codec,
                    on_chain.pointer
                )
            );
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
            let stands = granted.epoch != 0 && granted.epoch == on_chain.grantEpoch;
            let indexed = index.grant(chart, account).await.unwrap();
            let terms = |g: medlock_indexer::Grant| {
                let terms = GrantTerms {
                    compartments: g.compartments,
                    purposes: g.purposes,
                    actions: g.actions,
                    notBefore: g.not_before,
                    expiry: g.expiry,
                };
                (g.epoch, terms)
            };
            assert_eq!(indexed.map(terms), stands.then_some((granted.epoch, granted.terms)));
            let received = index.grants_to(account, Page::default()).await.unwrap();
            assert_eq!(received.len(), usize::from(stands));
            if stands {
                standing.insert(account);
            }

            let party = index.party(account, at.time).await.unwrap();
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
        let given = index.grants(chart, Page::default()).await.unwrap();
        let given: Vec<Address> = given.iter().map(|grant| grant.grantee).collect();
        assert_eq!(given.len(), standing.len());
        assert_eq!(BTreeSet::from_iter(given), standing);
    }

    fn accounts(&self) -> [Address; 5] {
        [self.patient, self.clinic, self.insurer, self.second, self.stranger]
    }

    /// Everything that may be asked, the nonsensical too.
    fn questions(&self) -> Vec<Question> {
        let mut questions = Vec::new();
        for grantee in self.accounts() {
            for record_id in [B256::ZERO, id(10), id(11), id(12), id(13)] {
                for (compartment, purpose, action) in [
                    (3, purpose::TREAT, action::READ),
                    (3, purpose::TREAT, action::WRITE),
                    (3, purpose::HPAYMT, action::READ),
                    (63, purpose::TREAT, action::WRITE),
                    (63, purpose::HPAYMT, action::READ),
                    (5, purpose::TREAT, action::READ),
                    (64, purpose::TREAT, action::READ),
                    (3, purpose::TREAT | purpose::HPAYMT, action::READ),
                    (3, purpose::TREAT, 0),
                ] {
                    questions.push(Question {
                        chart: id(CHART),
                        grantee,
                        compartment,
                        recordId: record_id,
                        purpose,
                        action,
                    });
                }
            }
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
            let party = index.party(account, at).await.unwrap();
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
            let may = index
                .may_act_for(self.clinic, account, role::PROVIDER, at)
                .await
                .unwrap();
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
        let all = (0..=u8::MAX).filter(|reason| medlock_abi::terms::reason::text(*reason) != "unknown-reason");
        assert_eq!(kinds, all.collect());
    }
}

fn grant(grantee: Address, terms: GrantTerms, keyring: u64) -> IRecords::grantCall {
    IRecords::grantCall {
        chart: id(CHART),
        grantee,
        terms,
        keyring: id(keyring),
    }
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
