//! The gateway over HTTP with everything real: chain, contracts, index, store.
mod accounts;
mod anchors;
mod app;
mod attacks;
mod blocks;
mod docs;
mod erasure;
mod etag;
mod fhir;
mod glass;
mod limits;
mod members;
mod metrics;
mod roles;
mod schema;
mod verdicts;

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use alloy::{
    eips::BlockId,
    network::{Ethereum, EthereumWallet, TransactionBuilder as _},
    primitives::{Address, B256, Signature},
    providers::{DynProvider, Provider as _, ProviderBuilder},
    rpc::types::TransactionRequest,
    signers::{SignerSync as _, local::PrivateKeySigner},
    sol_types::SolCall,
};
use medlock_abi::{
    exceptions::IExceptions,
    records::IRecords,
    registry::IRegistry,
    terms::{CODEC_DAG_CBOR, action, effect, emergency, power, purpose, reason, role},
};
use medlock_api::{Kind, Problem, Purpose, ReadRequest, Receipt};
use medlock_dag::{Block, FileReader, car, dag_cbor_block, raw_block};
use medlock_gateway::Database;
use medlock_indexer::Deployment;
use medlock_postgres_server::Server;
use medlock_store::Store;
use medlock_vault::{
    Binding, CompartmentKeys, DirectoryBody, Domain, EncryptionKey, Envelope, Keyring, KeyringScope, Metadata,
    RootSecret, Suite, rand_core::UnwrapErr, seal_payload,
};
use reqwest::{Method, RequestBuilder, StatusCode, header::HeaderMap};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

const CHART: B256 = B256::repeat_byte(0xc1);
const UNKNOWN: B256 = B256::repeat_byte(0xee);
const LABS: u8 = 3;
const NOTES: u8 = 5;
/// For what comes soon, on a machine with a lot else to do.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often an answer that the index is behind is taken for passing.
const BEHIND_TRIES: usize = 10;

/// A chain with the contracts, an index, a store and a gateway. Patient, clinic and stranger are known accounts.
struct World {
    chain: medlock_anvil::Handle,
    /// How the gateway sees the chain.
    node: Arc<Node>,
    rpc_url: String,
    indexer: medlock_indexer::Handle,
    gateway: medlock_gateway::Handle,
    store: Store,
    deployment: Deployment,
    http: reqwest::Client,
    patient: PrivateKeySigner,
    clinic: PrivateKeySigner,
    stranger: PrivateKeySigner,
    /// The chart's root of keys.
    root: RootSecret,
    /// The chart's directory and the clinic's keyring, of [`World::with_chart`].
    keys: Option<[Block; 2]>,
    dir: tempfile::TempDir,
}

/// A node in front of the chain: it passes everything on, and may lag or lie about the latest block.
struct Node {
    chain: String,
    http: reqwest::Client,
    /// Blocks that it is behind.
    lag: AtomicU64,
    /// Gives the latest block another hash.
    forges: AtomicBool,
    calls: AtomicU64,
}

impl Node {
    /// The node and its URL.
    async fn spawn(chain: String) -> (Arc<Self>, String) {
        let node = Arc::new(Self {
            chain,
            http: reqwest::Client::new(),
            lag: AtomicU64::new(0),
            forges: AtomicBool::new(false),
            calls: AtomicU64::new(0),
        });
        let answering = node.clone();
        let answer = async move |request: axum::Json<Value>| answering.answer(request.0).await;
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = axum::Router::new().route("/", axum::routing::post(answer));
        tokio::spawn(axum::serve(listener, router).into_future());
        (node, url)
    }

    async fn answer(&self, mut request: Value) -> Result<axum::Json<Value>, axum::http::StatusCode> {
        self.calls.fetch_add(1, SeqCst);
        let latest = request["method"] == "eth_getBlockByNumber" && request["params"][0] == "latest";
        let lag = self.lag.load(SeqCst);
        if latest && lag > 0 {
            let ask = json!({ "jsonrpc": "2.0", "id": 1, "method": "eth_blockNumber", "params": [] });
            let head = self.pass_on(&ask).await?["result"].as_str().unwrap().to_owned();
            let head = u64::from_str_radix(head.trim_start_matches("0x"), 16).unwrap();
            request["params"][0] = format!("{:#x}", head - lag).into();
        }
        let mut answer = self.pass_on(&request).await?;
        if latest && self.forges.load(SeqCst) {
            answer["result"]["hash"] = json!(B256::repeat_byte(0xfa));
        }
        Ok(axum::Json(answer))
    }

    async fn pass_on(&self, request: &Value) -> Result<Value, axum::http::StatusCode> {
        let gone = |_| axum::http::StatusCode::BAD_GATEWAY;
        let answer = self.http.post(&self.chain).json(request).send().await.map_err(gone)?;
        answer.json().await.map_err(gone)
    }
}

/// Makes a receipt of another read.
type Edit = fn(&mut Receipt);

/// A record on chain and its blocks.
struct Written {
    record_id: B256,
    pointer: B256,
    payload: medlock_dag::Cid,
    payload_bytes: u64,
    blocks: Vec<Block>,
}

impl World {
    async fn start() -> Self {
        Self::start_at(None).await
    }

    /// On a chain whose clock began at `time` (UNIX seconds) and runs on from there.
    async fn start_at(time: Option<u64>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = medlock_anvil::Config {
            genesis_time: time,
            ..Default::default()
        };
        let chain = medlock_anvil::spawn(config).await.unwrap();
        let [owner, patient, clinic, stranger] = [0, 1, 2, 3].map(|i: usize| chain.accounts()[i].signer.clone());
        let artifacts = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../contracts/target/artifacts");
        let artifacts =
            medlock_deploy::Artifacts::load(artifacts).expect("build the contracts first: medlock-contracts build");
        let provider = provider(&chain.url(), &owner);
        if let Some(time) = time {
            let _: Value = provider.raw_request("evm_setTime".into(), (time,)).await.unwrap();
        }
        let deployed = medlock_deploy::deploy(&provider, &owner, &artifacts)
            .await
            .unwrap()
            .deployment;
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
        let indexer = medlock_indexer::spawn(medlock_indexer::Config {
            endpoints: chain.url().into(),
            deployment,
            database: medlock_indexer::Database::Sqlite(dir.path().join("index.sqlite")),
            poll_ms: 20,
        })
        .await
        .unwrap();
        let store = Store::open(dir.path().join("blocks")).unwrap();
        let (node, rpc_url) = Node::spawn(chain.url()).await;
        let gateway = medlock_gateway::spawn(medlock_gateway::Config {
            listen: ([127, 0, 0, 1], 0).into(),
            public_url: None,
            trusted_proxies: Vec::new(),
            rpc_url: rpc_url.clone(),
            app_rpc_url: Some(rpc_url.clone()),
            custodians: Vec::new(),
            deployment,
            index: indexer.index(),
            upkeep: None,
            store: store.clone(),
            db: dir.path().join("gateway.sqlite").as_path().into(),
            key: PrivateKeySigner::from_bytes(&B256::repeat_byte(9)).unwrap(),
            relay: None,
            anchoring: None,
        })
        .await
        .unwrap();
        let http = reqwest::Client::new();
        let world = Self {
            chain,
            node,
            rpc_url,
            indexer,
            gateway,
            store,
            deployment,
            http,
            patient,
            clinic,
            stranger,
            root: RootSecret::generate(&mut UnwrapErr(getrandom::SysRng)),
            keys: None,
            dir,
        };
        let registry = deployment.registry;
        world
            .send(
                &owner,
                registry,
                IRegistry::setIssuerCall {
                    issuer: owner.address(),
                    active: true,
                },
            )
            .await;
        let credential = IRegistry::issueCredentialCall {
            party: world.clinic.address(),
            roles: role::PROVIDER | role::ORGANISATION,
            expiry: 0,
            document: B256::repeat_byte(1),
        };
        world.send(&owner, registry, credential).await;
        world
    }

    /// The patient's chart, and the clinic's grant: labs, for treatment, read and write.
    async fn with_chart() -> Self {
        Self::start().await.and_chart().await
    }

    async fn and_chart(mut self) -> Self {
        let world = &mut self;
        let keys = world.seal_keys();
        world.open(&world.patient, CHART, digest(&keys[0])).await;
        world.store.put(keys.to_vec()).await.unwrap();
        world.keys = Some(keys);
        world.grant(|_| ()).await;
        self
    }

    /// The chart's first directory, and a keyring for the clinic.
    fn seal_keys(&self) -> [Block; 2] {
        let mut rng = UnwrapErr(getrandom::SysRng);
        let domain = Domain {
            chain_id: self.deployment.chain_id,
            records: self.deployment.records.into_array(),
        };
        let compartments = BTreeMap::from([(LABS, Suite::X25519), (NOTES, Suite::X25519)]);
        let body = DirectoryBody::first(&mut rng, &self.root, &CHART.0, &compartments, &BTreeMap::new()).unwrap();
        let signature = self.patient.sign_hash_sync(&body.signing_hash(&domain)).unwrap();
        let directory = body.with_signature(signature.as_bytes().to_vec());
        let scope = KeyringScope {
            chart: CHART.0,
            grantee: self.clinic.address().into_array(),
            directory_version: 1,
            key_version: 1,
        };
        let keys = [CompartmentKeys::derive(&self.root, &CHART.0, LABS, 1, Suite::X25519).unwrap()];
        let recipient = EncryptionKey::generate(&mut rng, Suite::X25519).public_key();
        let keyring = Keyring::seal(&mut rng, &domain, &scope, &recipient, &keys).unwrap();
        [directory.encode(), keyring.encode()].map(dag_cbor_block)
    }

    async fn open(&self, controller: &PrivateKeySigner, chart: B256, directory: B256) {
        let open = IRecords::openChartCall {
            actor: controller.address(),
            chart,
            directory,
        };
        self.send(controller, self.deployment.records, open).await;
    }

    /// The patient's usual grant to the clinic, or another.
    async fn grant(&self, edit: impl Fn(&mut IRecords::grantCall)) {
        let keyring = self.keys.as_ref().map_or(B256::repeat_byte(8), |keys| digest(&keys[1]));
        let mut grant = IRecords::grantCall {
            actor: self.patient.address(),
            chart: CHART,
            directoryVersion: 1,
            grantee: self.clinic.address(),
            serial: 0,
            terms: IRecords::GrantTerms {
                compartments: 1 << LABS,
                purposes: purpose::TREAT,
                actions: action::READ | action::WRITE,
                notBefore: 0,
                expiry: 0,
            },
            keyring,
        };
        edit(&mut grant);
        let present = IRecords::grantOfCall {
            chart: CHART,
            grantee: grant.grantee,
        };
        grant.serial = self.ask(present).await.serial;
        self.send(&self.patient, self.deployment.records, grant).await;
    }

    async fn revoke(&self) {
        self.revoke_with(B256::repeat_byte(0xd2)).await;
    }

    /// `directory`: digest of the directory that takes the first one's place.
    async fn revoke_with(&self, directory: B256) {
        let revoke = IRecords::revokeCall {
            actor: self.patient.address(),
            chart: CHART,
            grantee: self.clinic.address(),
            version: 2,
            directory,
            keyrings: Vec::new(),
        };
        self.send(&self.patient, self.deployment.records, revoke).await;
    }

    /// Seals `content` and puts its pointer on chain as version 1, by `author`. Its blocks are not stored.
    async fn write(&self, author: &PrivateKeySigner, record_id: B256, compartment: u8, content: &[u8]) -> Written {
        let written = self.seal(record_id, compartment, (1, B256::ZERO), content);
        let pointer = written.pointer;
        self.add(author, CHART, (record_id, compartment, pointer)).await;
        written
    }

    async fn add(&self, author: &PrivateKeySigner, chart: B256, (record_id, compartment, pointer): (B256, u8, B256)) {
        let record = IRecords::NewRecord {
            recordId: record_id,
            compartment,
            codec: CODEC_DAG_CBOR,
            pointer,
        };
        let add = IRecords::addRecordsCall {
            actor: author.address(),
            chart,
            organisation: Address::ZERO,
            directoryVersion: 1,
            records: vec![record],
        };
        self.send(author, self.deployment.records, add).await;
    }

    /// The same as the version after `first`.
    async fn amend(&self, author: &PrivateKeySigner, first: &Written, compartment: u8, content: &[u8]) -> Written {
        let written = self.seal(first.record_id, compartment, (2, first.pointer), content);
        self.replace(author, first, &written).await;
        written
    }

    async fn replace(&self, author: &PrivateKeySigner, first: &Written, written: &Written) {
        let amend = IRecords::amendRecordCall {
            actor: author.address(),
            chart: CHART,
            organisation: Address::ZERO,
            directoryVersion: 1,
            recordId: first.record_id,
            previous: first.pointer,
            codec: CODEC_DAG_CBOR,
            pointer: written.pointer,
        };
        self.send(author, self.deployment.records, amend).await;
    }

    async fn shred(&self, controller: &PrivateKeySigner, chart: B256, record_id: B256) {
        let shred = IRecords::shredRecordCall {
            actor: controller.address(),
            chart,
            recordId: record_id,
        };
        self.send(controller, self.deployment.records, shred).await;
    }

    fn seal(&self, record_id: B256, compartment: u8, (version, previous): (u32, B256), content: &[u8]) -> Written {
        let mut rng = UnwrapErr(getrandom::SysRng);
        let binding = Binding {
            chain_id: self.deployment.chain_id,
            records: self.deployment.records.into_array(),
            chart: CHART.0,
            record_id: record_id.0,
            version,
            previous: previous.0,
            compartment,
        };
        let metadata = Metadata {
            media_type: "application/octet-stream".into(),
            resource_type: None,
            date: None,
            title: None,
            source: None,
        };
        let sealed = seal_payload(&mut rng, &binding, &metadata, content).unwrap();
        let keys = CompartmentKeys::derive(&self.root, &CHART.0, compartment, 1, Suite::X25519).unwrap();
        let (payload, mut blocks) = medlock_dag::file(&sealed.bytes);
        let envelope = Envelope::seal(&mut rng, &binding, 1, &keys.public_key(), payload, &sealed.seal).unwrap();
        let envelope = dag_cbor_block(envelope.encode());
        let pointer = B256::from(medlock_dag::digest(&envelope.cid).unwrap());
        blocks.push(envelope);
        Written {
            record_id,
            pointer,
            payload,
            payload_bytes: sealed.bytes.len() as u64,
            blocks,
        }
    }

    async fn ask<C: SolCall>(&self, call: C) -> C::Return {
        self.ask_of(self.deployment.records, call).await
    }

    async fn ask_of<C: SolCall>(&self, to: Address, call: C) -> C::Return {
        let request = TransactionRequest::default().with_to(to).with_input(call.abi_encode());
        // alloy asks about the pending block otherwise, in which what waits is done already.
        let asked = provider(&self.chain.url(), &self.patient);
        let answer = asked.call(request).block(BlockId::latest()).await.unwrap();
        C::abi_decode_returns(&answer).unwrap()
    }

    async fn send(&self, signer: &PrivateKeySigner, to: Address, call: impl SolCall) {
        let request = TransactionRequest::default().with_to(to).with_input(call.abi_encode());
        let pending = provider(&self.chain.url(), signer)
            .send_transaction(request)
            .await
            .unwrap();
        assert!(pending.get_receipt().await.unwrap().status());
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.gateway.url()))
    }

    async fn challenge(&self, signer: &PrivateKeySigner) -> Value {
        let body = json!({ "account": signer.address() });
        let challenge: Value = ok(self.request(Method::POST, "/v1/sessions/challenge").json(&body)).await;
        let message = challenge["message"].as_str().unwrap().to_owned();
        let signature = signer.sign_message_sync(message.as_bytes()).unwrap();
        json!({ "message": message, "signature": signature.to_string() })
    }

    async fn sign_in(&self, signer: &PrivateKeySigner) -> String {
        let answer = self.challenge(signer).await;
        let session: medlock_api::Session = ok(self.request(Method::POST, "/v1/sessions").json(&answer)).await;
        assert_eq!(session.account, signer.address());
        session.token
    }

    fn receipt(&self, reader: &PrivateKeySigner, written: &Written, edit: impl Fn(&mut Receipt)) -> ReadRequest {
        let mut receipt = Receipt {
            chart: CHART,
            record_id: written.record_id,
            version: 1,
            pointer: written.pointer,
            reader: reader.address(),
            organisation: Address::ZERO,
            purpose: Purpose::from_code("TREAT").unwrap(),
            gateway: self.gateway.address(),
            read_at: now(),
            nonce: B256::from(rand32()),
        };
        edit(&mut receipt);
        let hash = receipt.signing_hash(self.deployment.chain_id, self.deployment.records);
        ReadRequest {
            receipt,
            signature: reader.sign_hash_sync(&hash).unwrap().as_bytes().to_vec().into(),
        }
    }

    fn read(&self, token: &str, request: &ReadRequest) -> RequestBuilder {
        let Receipt {
            chart,
            record_id,
            version,
            ..
        } = &request.receipt;
        let path = format!("/v1/charts/{chart}/records/{record_id}/versions/{version}/reads");
        self.request(Method::POST, &path).bearer_auth(token).json(request)
    }

    async fn allow_emergency(&self, allowed: bool) {
        let exceptions = self.deployment.exceptions;
        let held = IExceptions::emergencyAccessOfCall { chart: CHART };
        let allow = IExceptions::setEmergencyAccessCall {
            actor: self.patient.address(),
            chart: CHART,
            serial: self.ask_of(exceptions, held).await.serial,
            allowed,
        };
        self.send(&self.patient, self.deployment.exceptions, allow).await;
    }

    async fn break_glass(&self, compartments: u64) {
        let breaks = IExceptions::breakGlassCall {
            actor: self.clinic.address(),
            chart: CHART,
            organisation: Address::ZERO,
            compartments,
            reasonCode: emergency::LIFE_THREATENING,
        };
        self.send(&self.clinic, self.deployment.exceptions, breaks).await;
    }

    /// The gateway has signed these verdicts, all together and each with its path.
    fn signed(&self, reply: &medlock_api::DecisionReply) {
        let (chain_id, records) = (self.deployment.chain_id, self.deployment.records);
        let hash = reply.signing_hash(chain_id, records);
        let signature = Signature::from_raw(&reply.signature).unwrap();
        assert_eq!(
            signature.recover_address_from_prehash(&hash).unwrap(),
            self.gateway.address()
        );
        for one in reply.clone().signed(chain_id, records) {
            assert_eq!(one.signing_hash(), Some(hash));
        }
    }

    fn payload(&self, token: &str, written: &Written) -> RequestBuilder {
        let path = format!("/v1/charts/{CHART}/records/{}/versions/1/payload", written.record_id);
        self.request(Method::GET, &path).bearer_auth(token)
    }

    fn post(&self, token: &str, path: &str) -> RequestBuilder {
        self.request(Method::POST, path).bearer_auth(token)
    }

    fn get(&self, token: &str, path: &str) -> RequestBuilder {
        self.request(Method::GET, path).bearer_auth(token)
    }

    /// The latest block's.
    async fn chain_time(&self) -> u64 {
        let block = self.rpc("eth_getBlockByNumber", json!(["latest", false])).await;
        u64::from_str_radix(block["timestamp"].as_str().unwrap().trim_start_matches("0x"), 16).unwrap()
    }

    /// A call that only a development chain takes.
    async fn rpc(&self, method: &'static str, params: Value) -> Value {
        provider(&self.chain.url(), &self.patient)
            .raw_request(method.into(), params)
            .await
            .unwrap()
    }

    fn upload(&self, token: &str, body: impl Into<reqwest::Body>) -> RequestBuilder {
        self.request(Method::POST, "/v1/blocks").bearer_auth(token).body(body)
    }

    /// Another process of the same gateway account, at the same address behind a proxy, on a database of theirs.
    async fn beside(&self, db: Database) -> medlock_gateway::Handle {
        self.beside_with(db, None).await
    }

    /// One on the same database, which relays and pays with `payer`.
    async fn relaying(&self, payer: PrivateKeySigner) -> medlock_gateway::Handle {
        let limits = medlock_gateway::RelayLimits {
            poll: Duration::from_millis(20),
            ..Default::default()
        };
        let relay = medlock_gateway::Relay { key: payer, limits };
        let db = self.dir.path().join("gateway.sqlite").as_path().into();
        self.beside_with(db, Some(relay)).await
    }

    async fn beside_with(&self, db: Database, relay: Option<medlock_gateway::Relay>) -> medlock_gateway::Handle {
        let config = medlock_gateway::Config {
            relay,
            ..self.config(db)
        };
        medlock_gateway::spawn(config).await.unwrap()
    }

    /// One that believes what proxies at these addresses say of whom they ask for.
    async fn behind(&self, proxies: &[&str]) -> medlock_gateway::Handle {
        let db = self.dir.path().join("gateway.sqlite").as_path().into();
        let config = medlock_gateway::Config {
            trusted_proxies: proxies.iter().map(|proxy| proxy.parse().unwrap()).collect(),
            ..self.config(db)
        };
        medlock_gateway::spawn(config).await.unwrap()
    }

    fn config(&self, db: Database) -> medlock_gateway::Config {
        medlock_gateway::Config {
            listen: ([127, 0, 0, 1], 0).into(),
            public_url: Some("https://gateway.example".into()),
            trusted_proxies: Vec::new(),
            rpc_url: self.rpc_url.clone(),
            app_rpc_url: None,
            custodians: Vec::new(),
            deployment: self.deployment,
            index: self.indexer.index(),
            upkeep: None,
            store: self.store.clone(),
            db,
            key: PrivateKeySigner::from_bytes(&B256::repeat_byte(9)).unwrap(),
            relay: None,
            anchoring: None,
        }
    }

    async fn stop(self) {
        self.gateway.shutdown().await.unwrap();
        self.indexer.shutdown().await.unwrap();
        self.chain.shutdown().await;
    }
}

fn provider(url: &str, signer: &PrivateKeySigner) -> DynProvider<Ethereum> {
    let provider = ProviderBuilder::new()
        .wallet(EthereumWallet::from(signer.clone()))
        .connect_http(url.parse().unwrap());
    provider.client().set_poll_interval(Duration::from_millis(10));
    provider.erased()
}

fn now() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

fn digest(block: &Block) -> B256 {
    medlock_dag::digest(&block.cid).unwrap().into()
}

fn rand32() -> [u8; 32] {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).unwrap();
    bytes
}

async fn ok<T: DeserializeOwned>(request: RequestBuilder) -> T {
    serde_json::from_slice(&ok_bytes(request).await).unwrap()
}

async fn ok_bytes(request: RequestBuilder) -> Vec<u8> {
    let (status, _, body) = answer(request, None).await;
    assert!(status.is_success(), "{status}: {}", String::from_utf8_lossy(&body));
    body
}

/// Status, headers and body. What passes is waited for, as a client does, unless it is what is `wanted`: an index that is behind, and a
/// gateway that has had too many requests without a session, of which a test makes more than a person.
async fn answer(request: RequestBuilder, wanted: Option<Kind>) -> (StatusCode, HeaderMap, Vec<u8>) {
    for _ in 0..BEHIND_TRIES {
        // A body that streams can be sent once.
        let Some(request) = request.try_clone() else { break };
        let (status, headers, body) = once(request).await;
        let kind = serde_json::from_slice::<Problem>(&body)
            .ok()
            .and_then(|problem| problem.kind());
        let is_passing = matches!(kind, Some(Kind::IndexBehind | Kind::TooMany));
        if !is_passing || wanted == kind {
            return (status, headers, body);
        }
        if kind == Some(Kind::TooMany) {
            let seconds = headers["retry-after"].to_str().unwrap().parse().unwrap();
            tokio::time::sleep(Duration::from_secs(seconds)).await;
        }
    }
    once(request).await
}

async fn once(request: RequestBuilder) -> (StatusCode, HeaderMap, Vec<u8>) {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    (status, headers, response.bytes().await.unwrap().to_vec())
}

/// Tries until `probe` gives something.
async fn eventually<T>(mut probe: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = probe().await {
            return found;
        }
        assert!(Instant::now() < deadline, "not within {PATIENCE:?}");
        tokio::task::yield_now().await;
    }
}

/// The problem that the request is answered with.
async fn refused(request: RequestBuilder, kind: Kind) -> Problem {
    let (status, headers, body) = answer(request, Some(kind)).await;
    assert_eq!(
        headers.get("content-type").map(|value| value.to_str().unwrap()),
        Some("application/problem+json"),
        "{status}"
    );
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert!(headers.get("access-control-allow-origin").is_none());
    let problem: Problem = serde_json::from_slice(&body).unwrap();
    assert_eq!(
        (problem.kind(), status.as_u16()),
        (Some(kind), kind.status()),
        "{problem:?}"
    );
    let passing = matches!(kind, Kind::Busy | Kind::ChainDown | Kind::IndexBehind | Kind::TooMany);
    assert_eq!(headers.contains_key("retry-after"), passing);
    problem
}

#[tokio::test(flavor = "multi_thread")]
async fn a_challenge_opens_one_session_which_ends_when_told() {
    let world = World::start().await;
    let answer = world.challenge(&world.clinic).await;
    let open = || world.request(Method::POST, "/v1/sessions").json(&answer);
    let session: medlock_api::Session = ok(open()).await;
    assert_eq!(
        refused(open(), Kind::SignInRefused).await.reason.as_deref(),
        Some("nonce")
    );

    let mut forged = world.challenge(&world.clinic).await;
    forged["signature"] = world.challenge(&world.stranger).await["signature"].clone();
    let forged = world.request(Method::POST, "/v1/sessions").json(&forged);
    assert_eq!(
        refused(forged, Kind::SignInRefused).await.reason.as_deref(),
        Some("signature")
    );

    let grants = |token: &str| world.request(Method::GET, "/v1/grants").bearer_auth(token);
    let _: medlock_api::Grants = ok(grants(&session.token)).await;
    refused(world.request(Method::GET, "/v1/grants"), Kind::NoSession).await;
    refused(grants("0000"), Kind::NoSession).await;
    let closed = world
        .request(Method::DELETE, "/v1/sessions")
        .bearer_auth(&session.token)
        .send()
        .await
        .unwrap();
    assert_eq!(closed.status(), StatusCode::NO_CONTENT);
    refused(grants(&session.token), Kind::NoSession).await;

    // What is malformed is named, what is too large is refused, what is not there is said.
    let token = world.sign_in(&world.clinic).await;
    let chart = |path: &str| world.request(Method::GET, path).bearer_auth(&token);
    assert_eq!(
        refused(chart("/v1/charts/0x12"), Kind::BadRequest)
            .await
            .field
            .as_deref(),
        Some("path")
    );
    assert_eq!(
        refused(chart("/v1/grants?limit=x"), Kind::BadRequest)
            .await
            .field
            .as_deref(),
        Some("query")
    );
    assert_eq!(
        refused(chart("/v1/grants?after=x"), Kind::BadRequest)
            .await
            .field
            .as_deref(),
        Some("after")
    );
    refused(chart("/v1/nothing"), Kind::NoRoute).await;
    refused(chart("/v1/decisions"), Kind::NoRoute).await;
    let decisions = |body: Value| {
        world
            .request(Method::POST, "/v1/decisions")
            .bearer_auth(&token)
            .json(&body)
    };
    refused(decisions(json!({ "questions": [] })), Kind::BadRequest).await;
    refused(
        decisions(json!({ "questions": [{ "chart": CHART, "purpose": "FUN" }] })),
        Kind::BadRequest,
    )
    .await;
    refused(
        world
            .request(Method::POST, "/v1/sessions")
            .json(&json!({ "message": " ".repeat(70_000), "signature": "" })),
        Kind::PayloadTooLarge,
    )
    .await;

    let ready: medlock_api::Health = ok(world.request(Method::GET, "/ready")).await;
    assert_eq!(ready.status, "ready");
    let party: medlock_api::Party =
        ok(world.request(Method::GET, &format!("/v1/parties/{}", world.clinic.address()))).await;
    assert!(party.credential.unwrap().current && party.key.is_none());

    // Nothing is decided without the chain, and the answer tells no more than that.
    let World {
        chain,
        gateway,
        indexer,
        http,
        ..
    } = world;
    chain.shutdown().await;
    let down = http.get(format!("{}/v1/grants", gateway.url())).bearer_auth(&token);
    assert_eq!(refused(down, Kind::ChainDown).await.detail, None);
    gateway.shutdown().await.unwrap();
    indexer.shutdown().await.unwrap();
}

/// Behind one address, on one database: whatever a process did, the others know at once.
#[tokio::test(flavor = "multi_thread")]
async fn processes_of_one_gateway_share_sessions_and_one_chain_of_receipts() {
    let world = World::with_chart().await;
    let written = world
        .write(&world.clinic, B256::repeat_byte(0xa1), LABS, b"glucose")
        .await;
    world.store.put(written.blocks.clone()).await.unwrap();
    let file = world.dir.path().join("shared.sqlite");
    for database in [file.as_path().into(), Server::shared().create().parse().unwrap()] {
        let database: Database = database;
        let gateways = [
            world.beside(database.clone()).await,
            world.beside(database.clone()).await,
        ];
        let at = |gateway: usize, method: Method, path: &str| {
            world.http.request(method, format!("{}{path}", gateways[gateway].url()))
        };
        let sign_in = async |signer: &PrivateKeySigner| -> String {
            let body = json!({ "account": signer.address() });
            let challenge: Value = ok(at(0, Method::POST, "/v1/sessions/challenge").json(&body)).await;
            let message = challenge["message"].as_str().unwrap();
            let signature = signer.sign_message_sync(message.as_bytes()).unwrap().to_string();
            let answer = json!({ "message": message, "signature": signature });
            // The other process knows its own challenge, and both know that it was answered.
            let session: medlock_api::Session = ok(at(1, Method::POST, "/v1/sessions").json(&answer)).await;
            for gateway in [0, 1] {
                let again = at(gateway, Method::POST, "/v1/sessions").json(&answer);
                let problem = refused(again, Kind::SignInRefused).await;
                assert_eq!(problem.reason.as_deref(), Some("nonce"));
            }
            session.token
        };
        let [clinic, elsewhere, patient] = [
            sign_in(&world.clinic).await,
            sign_in(&world.clinic).await,
            sign_in(&world.patient).await,
        ];
        let path = format!("/v1/charts/{CHART}/records/{}/versions/1/reads", written.record_id);
        for n in 0..6 {
            let request = world.receipt(&world.clinic, &written, |_| ());
            let read = |gateway: usize| at(gateway, Method::POST, &path).bearer_auth(&clinic).json(&request);
            ok_bytes(read(n % 2)).await;
            refused(read((n + 1) % 2), Kind::ReceiptReplayed).await;
        }
        for gateway in [0, 1] {
            let path = format!("/v1/charts/{CHART}/reads");
            let reads: medlock_api::Reads = ok(at(gateway, Method::GET, &path).bearer_auth(&patient)).await;
            let mut previous = B256::ZERO;
            for (entry, sequence) in reads.reads.iter().zip(1..) {
                assert_eq!((entry.sequence, entry.previous), (sequence, previous));
                previous = entry.hash;
            }
            assert_eq!(reads.reads.len(), 6);
        }
        // Signed out at one, everywhere: at the other no session of the account is left.
        let out = at(0, Method::DELETE, "/v1/sessions/all").bearer_auth(&clinic);
        assert_eq!(once(out).await.0, StatusCode::NO_CONTENT);
        for token in [&clinic, &elsewhere] {
            for gateway in [0, 1] {
                refused(
                    at(gateway, Method::GET, "/v1/grants").bearer_auth(token),
                    Kind::NoSession,
                )
                .await;
            }
        }
        let _: medlock_api::Grants = ok(at(1, Method::GET, "/v1/grants").bearer_auth(&patient)).await;
        for gateway in gateways {
            gateway.shutdown().await.unwrap();
        }
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_is_served_against_a_receipt_until_the_grant_is_revoked() {
    let world = World::with_chart().await;
    let written = world
        .write(&world.clinic, B256::repeat_byte(1), LABS, &[7; 300_000])
        .await;
    let (clinic, patient) = (world.sign_in(&world.clinic).await, world.sign_in(&world.patient).await);

    // In: nothing without a session, nothing that does not match its CID.
    let car = car::write(&[written.payload], &written.blocks).unwrap();
    refused(world.upload("0000", car.clone()), Kind::NoSession).await;
    refused(world.upload(&clinic, car[..car.len() - 1].to_vec()), Kind::CarInvalid).await;

    // A pointer whose envelope nobody stored: an answer that names it, and no receipt on file.
    let request = world.receipt(&world.clinic, &written, |_| ());
    assert_eq!(
        refused(world.read(&clinic, &request), Kind::BlockMissing).await.digest,
        Some(written.pointer)
    );
    let uploaded: medlock_api::Uploaded = ok(world.upload(&clinic, car)).await;
    assert_eq!(uploaded.blocks, written.blocks.len() as u64);

    // Out: no payload before a receipt; a receipt must be for this read, and is taken once.
    refused(world.payload(&clinic, &written), Kind::ReceiptMissing).await;
    let wrong: [(&str, Edit); 4] = [
        ("pointer", |r| r.pointer = UNKNOWN),
        ("gateway", |r| r.gateway = Address::ZERO),
        ("time", |r| r.read_at -= 1000),
        ("reader", |r| r.reader = Address::ZERO),
    ];
    for (why, edit) in wrong {
        let request = world.receipt(&world.clinic, &written, edit);
        assert_eq!(
            refused(world.read(&clinic, &request), Kind::ReceiptInvalid)
                .await
                .reason
                .as_deref(),
            Some(why)
        );
    }
    let research = world.receipt(&world.clinic, &written, |r| {
        r.purpose = Purpose::from_code("HRESCH").unwrap()
    });
    let why = refused(world.read(&clinic, &research), Kind::ForbiddenOrUnknown)
        .await
        .reason;
    assert_eq!(why.as_deref(), Some("purpose-not-granted"));
    let (status, headers, envelope) = answer(world.read(&clinic, &request), None).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(headers["medlock-reason"], "grant");
    let served_at: u64 = headers["medlock-block"].to_str().unwrap().parse().unwrap();
    let envelope = dag_cbor_block(envelope);
    assert_eq!(medlock_dag::digest(&envelope.cid).unwrap(), written.pointer.0);
    refused(world.read(&clinic, &request), Kind::ReceiptReplayed).await;

    let (roots, blocks) = car::read(&ok_bytes(world.payload(&clinic, &written)).await).unwrap();
    assert_eq!(roots, [written.payload]);
    let mut file = FileReader::new(written.payload, written.payload_bytes).unwrap();
    for block in blocks {
        file.accept(block).unwrap();
    }
    assert_eq!(file.finish(), Ok(written.payload_bytes));

    // The patient sees the read, and can check it.
    let reads = || {
        world
            .request(Method::GET, &format!("/v1/charts/{CHART}/reads"))
            .bearer_auth(&patient)
    };
    let log: medlock_api::Reads = ok(reads()).await;
    let [entry] = &log.reads[..] else { panic!("{log:?}") };
    assert_eq!(
        (&entry.receipt, entry.sequence, entry.block),
        (&request.receipt, 1, served_at)
    );
    assert_eq!(
        entry.hash,
        entry.link_hash(world.deployment.chain_id, world.deployment.records)
    );
    let forbidden = world
        .request(Method::GET, &format!("/v1/charts/{CHART}/reads"))
        .bearer_auth(&clinic);
    refused(forbidden, Kind::ForbiddenOrUnknown).await;

    // A block that is lost or damaged is an answer, never bytes.
    assert_eq!(
        world.store.remove(vec![written.blocks[0].cid]).await.unwrap().removed,
        1
    );
    refused(world.payload(&clinic, &written), Kind::BlockMissing).await;
    world.store.put(vec![written.blocks[0].clone()]).await.unwrap();

    // Both versions stay readable, each under its own pointer.
    let second = world.amend(&world.clinic, &written, LABS, b"amended").await;
    world.store.put(second.blocks.clone()).await.unwrap();
    for (version, pointer) in [(1, written.pointer), (2, second.pointer)] {
        let edit = |r: &mut Receipt| (r.version, r.pointer) = (version, pointer);
        let envelope = ok_bytes(world.read(&clinic, &world.receipt(&world.clinic, &written, edit))).await;
        assert_eq!(medlock_dag::digest(&dag_cbor_block(envelope).cid).unwrap(), pointer.0);
    }
    let stale = world.receipt(&world.clinic, &written, |r| r.version = 2);
    assert_eq!(
        refused(world.read(&clinic, &stale), Kind::ReceiptInvalid)
            .await
            .reason
            .as_deref(),
        Some("pointer")
    );

    // Listings show what may be read, and from the revocation's receipt on nothing is served.
    let private = world
        .write(&world.patient, B256::repeat_byte(2), NOTES, b"private")
        .await;
    let records = |token: &str| {
        world
            .request(Method::GET, &format!("/v1/charts/{CHART}/records"))
            .bearer_auth(token)
    };
    let seen: medlock_api::Records = ok(records(&clinic)).await;
    assert_eq!(
        seen.records.iter().map(|r| r.record_id).collect::<Vec<_>>(),
        [written.record_id]
    );
    let seen: medlock_api::Records = ok(records(&patient)).await;
    assert_eq!(seen.records.len(), 2);
    world.revoke().await;
    let again = world.receipt(&world.clinic, &written, |_| ());
    let why = refused(world.read(&clinic, &again), Kind::ForbiddenOrUnknown)
        .await
        .reason;
    assert_eq!(why.as_deref(), Some("no-grant"));
    refused(world.payload(&clinic, &written), Kind::ForbiddenOrUnknown).await;
    refused(records(&clinic), Kind::ForbiddenOrUnknown).await;
    let log: medlock_api::Reads = ok(reads()).await;
    assert_eq!(log.reads.len(), 3, "a refused read leaves no receipt");
    for pair in log.reads.windows(2) {
        assert_eq!(
            (pair[1].sequence, pair[1].previous),
            (pair[0].sequence + 1, pair[0].hash)
        );
        assert_eq!(
            pair[1].hash,
            pair[1].link_hash(world.deployment.chain_id, world.deployment.records)
        );
    }
    drop(private);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_exist_and_what_is_forbidden_read_the_same() {
    let world = World::with_chart().await;
    let labs = world.write(&world.clinic, B256::repeat_byte(1), LABS, b"labs").await;
    let notes = world.write(&world.patient, B256::repeat_byte(2), NOTES, b"notes").await;
    let (stranger, clinic) = (world.sign_in(&world.stranger).await, world.sign_in(&world.clinic).await);

    let id = labs.record_id;
    for rest in [
        "",
        "/directory",
        "/keyring",
        "/grants",
        "/records",
        "/reads",
        &format!("/records/{id}/versions"),
    ] {
        let ask = |chart: B256| {
            world
                .request(Method::GET, &format!("/v1/charts/{chart}{rest}"))
                .bearer_auth(&stranger)
        };
        let existing = refused(ask(CHART), Kind::ForbiddenOrUnknown).await;
        assert_eq!(
            existing,
            refused(ask(UNKNOWN), Kind::ForbiddenOrUnknown).await,
            "{rest}"
        );
    }
    for (signer, token, place) in [(&world.stranger, &stranger, &labs), (&world.clinic, &clinic, &notes)] {
        let read = |edit: fn(&mut Receipt)| world.read(token, &world.receipt(signer, place, edit));
        let existing = refused(read(|_| ()), Kind::ForbiddenOrUnknown).await;
        assert_eq!(
            existing,
            refused(read(|r| r.record_id = UNKNOWN), Kind::ForbiddenOrUnknown).await
        );
        assert_eq!(
            existing,
            refused(read(|r| r.version = 9), Kind::ForbiddenOrUnknown).await
        );
    }
    let read = |edit: fn(&mut Receipt)| world.read(&stranger, &world.receipt(&world.stranger, &labs, edit));
    let existing = refused(read(|_| ()), Kind::ForbiddenOrUnknown).await;
    assert_eq!(
        existing,
        refused(read(|r| r.chart = UNKNOWN), Kind::ForbiddenOrUnknown).await
    );
    let versions = |id: B256| {
        world
            .request(Method::GET, &format!("/v1/charts/{CHART}/records/{id}/versions"))
            .bearer_auth(&clinic)
    };
    let existing = refused(versions(notes.record_id), Kind::ForbiddenOrUnknown).await;
    assert_eq!(existing, refused(versions(UNKNOWN), Kind::ForbiddenOrUnknown).await);

    // To the clinic its own part is served.
    let chart: medlock_api::Chart = ok(world
        .request(Method::GET, &format!("/v1/charts/{CHART}"))
        .bearer_auth(&clinic))
    .await;
    assert_eq!(
        (chart.controller, chart.directory_version),
        (world.patient.address(), 1)
    );
    for (part, want) in ["directory", "keyring"].iter().zip(world.keys.as_ref().unwrap()) {
        let block = ok_bytes(world.get(&clinic, &format!("/v1/charts/{CHART}/{part}"))).await;
        assert!(block == want.bytes, "{part}");
    }
    let grants: medlock_api::Grants = ok(world.request(Method::GET, "/v1/grants").bearer_auth(&clinic)).await;
    assert_eq!(grants.grants.len(), 1);
    assert!(grants.grants[0].compartments.contains(LABS));
    let found: medlock_api::Versions = ok(versions(labs.record_id)).await;
    assert_eq!(
        (found.versions.len(), found.versions[0].pointer, found.next),
        (1, labs.pointer, None)
    );
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn verdicts_are_signed_and_speak_of_the_time_asked_about() {
    let world = World::with_chart().await;
    let (stranger, clinic) = (world.sign_in(&world.stranger).await, world.sign_in(&world.clinic).await);
    let ask = async |token: &str, questions: Value| -> Vec<medlock_api::Verdict> {
        let request = world
            .request(Method::POST, "/v1/decisions")
            .bearer_auth(token)
            .json(&json!({ "questions": questions }));
        let reply: medlock_api::DecisionReply = ok(request).await;
        world.signed(&reply);
        reply.verdicts
    };
    let question = |chart: B256, compartment: u8, purpose: &str, at: Option<u64>| {
        let mut question = json!({ "chart": chart, "compartment": compartment, "purpose": purpose, "action": "read" });
        if let Some(at) = at {
            question["at"] = at.into();
        }
        question
    };
    let verdicts = ask(
        &clinic,
        json!([
            question(CHART, LABS, "TREAT", None),
            question(CHART, LABS, "TREAT", Some(now() - 86_400)),
            question(CHART, NOTES, "TREAT", None),
            question(CHART, LABS, "HRESCH", None),
            question(CHART, LABS, "TREAT", Some(now() + 86_400)),
            question(UNKNOWN, LABS, "TREAT", None),
        ]),
    )
    .await;
    let reasons: Vec<u8> = verdicts.iter().map(|verdict| verdict.reason_code).collect();
    let want = [
        reason::GRANT,
        reason::NO_GRANT,
        reason::COMPARTMENT,
        reason::PURPOSE,
        reason::GRANT,
        reason::NO_GRANT,
    ];
    assert_eq!(reasons, want);
    assert!(
        verdicts
            .iter()
            .all(|verdict| verdict.allowed == reason::is_allowed(verdict.reason_code))
    );
    assert!(verdicts[0].block_number > 0 && verdicts[0].at.abs_diff(now()) < 60);

    // To somebody without a grant, now and then: a chart that is there and one that is not.
    for at in [None, Some(now() - 1000), Some(now() + 1000)] {
        let verdicts = ask(
            &stranger,
            json!([question(CHART, LABS, "TREAT", at), question(UNKNOWN, LABS, "TREAT", at)]),
        )
        .await;
        let facts = |v: &medlock_api::Verdict| (v.allowed, v.reason.clone(), v.block_number);
        assert_eq!(facts(&verdicts[0]), facts(&verdicts[1]));
        assert_eq!(verdicts[0].reason, "no-grant");
    }

    // Nobody mines a block when a grant runs out; it has run out all the same.
    let at_present = async || {
        let mut verdicts = ask(&clinic, json!([question(CHART, LABS, "TREAT", None)])).await;
        verdicts.pop().unwrap()
    };
    let chart = || world.get(&clinic, &format!("/v1/charts/{CHART}"));
    // Enough for the transaction to be mined before, on a busy machine too.
    let expiry = now() + 10;
    world.grant(|grant| grant.terms.expiry = expiry).await;
    let expired = eventually(async || {
        let verdict = at_present().await;
        assert!(verdict.allowed == (verdict.at < expiry), "{verdict:?}");
        (!verdict.allowed).then_some(verdict)
    })
    .await;
    assert_eq!(expired.reason_code, reason::EXPIRED);
    let why = refused(chart(), Kind::ForbiddenOrUnknown).await.reason;
    assert_eq!(why.as_deref(), Some("expired"));

    // Nor when one begins; it begins when a block says so, on every route.
    let beginning = now() + 2;
    world.grant(|grant| grant.terms.notBefore = beginning).await;
    eventually(async || {
        let over = now() > beginning;
        assert_eq!(at_present().await.reason_code, reason::NOT_YET_VALID);
        let why = refused(chart(), Kind::ForbiddenOrUnknown).await.reason;
        assert_eq!(why.as_deref(), Some("not-yet-valid"));
        over.then_some(())
    })
    .await;
    world.rpc("evm_mine", json!([])).await;
    assert!(at_present().await.allowed);
    let _: medlock_api::Chart = ok(chart()).await;
    world.stop().await;
}

/// A digest on chain is whatever its author wrote there, and anybody may open a chart.
#[tokio::test(flavor = "multi_thread")]
async fn a_block_is_served_only_as_what_it_is() {
    let world = World::with_chart().await;
    let written = world.write(&world.clinic, B256::repeat_byte(1), LABS, b"labs").await;
    world.store.put(written.blocks.clone()).await.unwrap();
    let [directory, keyring] = world.keys.as_ref().unwrap().each_ref().map(digest);
    let stranger = world.sign_in(&world.stranger).await;
    let (clinic, patient) = (world.sign_in(&world.clinic).await, world.sign_in(&world.patient).await);
    let corrupt = async |token: &str, path: String, digest: B256| {
        let problem = refused(world.get(token, &path), Kind::BlockCorrupt).await;
        assert_eq!((problem.digest, problem.detail), (Some(digest), None), "{path}");
    };

    // A chart of one's own, whose directory is somebody else's envelope, directory or keyring.
    for (chart, digest) in [(0xf0, written.pointer), (0xf1, directory), (0xf2, keyring)] {
        let chart = B256::repeat_byte(chart);
        world.open(&world.stranger, chart, digest).await;
        corrupt(&stranger, format!("/v1/charts/{chart}/directory"), digest).await;
    }
    // A grant of one's own, whose keyring is that.
    let foreign = B256::repeat_byte(0xf0);
    for digest in [written.pointer, directory, keyring] {
        let terms = IRecords::GrantTerms {
            compartments: 1,
            purposes: purpose::TREAT,
            actions: action::READ,
            notBefore: 0,
            expiry: 0,
        };
        let present = IRecords::grantOfCall {
            chart: foreign,
            grantee: world.clinic.address(),
        };
        let grant = IRecords::grantCall {
            actor: world.stranger.address(),
            chart: foreign,
            directoryVersion: 1,
            grantee: world.clinic.address(),
            serial: world.ask(present).await.serial,
            terms,
            keyring: digest,
        };
        world.send(&world.stranger, world.deployment.records, grant).await;
        corrupt(&clinic, format!("/v1/charts/{foreign}/keyring"), digest).await;
    }
    let grantee = world.stranger.address();
    world.grant(|grant| grant.grantee = grantee).await;
    corrupt(&stranger, format!("/v1/charts/{CHART}/keyring"), keyring).await;

    // A record of one's own, whose pointer is that: no envelope, no receipt, no payload.
    let id = written.record_id;
    world.add(&world.stranger, foreign, (id, LABS, written.pointer)).await;
    let read = world.read(
        &stranger,
        &world.receipt(&world.stranger, &written, |r| r.chart = foreign),
    );
    assert_eq!(refused(read, Kind::BlockCorrupt).await.digest, Some(written.pointer));
    let payload = format!("/v1/charts/{foreign}/records/{id}/versions/1/payload");
    refused(world.get(&stranger, &payload), Kind::ReceiptMissing).await;
    let log: medlock_api::Reads = ok(world.get(&stranger, &format!("/v1/charts/{foreign}/reads"))).await;
    assert!(log.reads.is_empty());

    // In the right chart and of another record, version, compartment or history.
    let mislaid = world.seal(B256::repeat_byte(2), NOTES, (1, B256::ZERO), b"notes");
    let mut wrong = vec![];
    for (record_id, envelope) in [(3, &written), (2, &mislaid)] {
        let record_id = B256::repeat_byte(record_id);
        world
            .add(&world.clinic, CHART, (record_id, LABS, envelope.pointer))
            .await;
        wrong.push((record_id, 1, envelope.pointer));
    }
    world.store.put(mislaid.blocks).await.unwrap();
    let forked = world.seal(id, LABS, (2, B256::repeat_byte(9)), b"forked");
    world.replace(&world.clinic, &written, &forked).await;
    world.store.put(forked.blocks).await.unwrap();
    wrong.push((id, 2, forked.pointer));
    for (record_id, version, pointer) in wrong {
        let edit = |r: &mut Receipt| (r.record_id, r.version, r.pointer) = (record_id, version, pointer);
        let read = world.read(&clinic, &world.receipt(&world.clinic, &written, edit));
        assert_eq!(refused(read, Kind::BlockCorrupt).await.digest, Some(pointer));
    }
    let log: medlock_api::Reads = ok(world.get(&patient, &format!("/v1/charts/{CHART}/reads"))).await;
    assert!(log.reads.is_empty());
    let _ = ok_bytes(world.read(&clinic, &world.receipt(&world.clinic, &written, |_| ()))).await;

    // The directory before stands in for the one that a revocation installed.
    world.revoke_with(directory).await;
    corrupt(&patient, format!("/v1/charts/{CHART}/directory"), directory).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_out_of_reach_and_none_at_all_read_the_same_to_a_grantee_of_compartment_0() {
    let world = World::with_chart().await;
    let notes = world.write(&world.patient, B256::repeat_byte(1), NOTES, b"notes").await;
    world.grant(|grant| grant.terms.compartments = 1).await;
    let clinic = world.sign_in(&world.clinic).await;
    for code in ["HRESCH", "TREAT"] {
        let read = |id: B256| {
            let edit = |r: &mut Receipt| (r.record_id, r.purpose) = (id, Purpose::from_code(code).unwrap());
            world.read(&clinic, &world.receipt(&world.clinic, &notes, edit))
        };
        let existing = refused(read(notes.record_id), Kind::ForbiddenOrUnknown).await;
        assert_eq!(
            existing,
            refused(read(UNKNOWN), Kind::ForbiddenOrUnknown).await,
            "{code}"
        );
        assert_eq!(existing.reason.as_deref(), Some("unknown-record"));
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_lags_or_forks_opens_nothing_and_health_is_cheap() {
    let world = World::with_chart().await;
    let written = world.write(&world.clinic, B256::repeat_byte(1), LABS, b"labs").await;
    world.store.put(written.blocks.clone()).await.unwrap();
    let clinic = world.sign_in(&world.clinic).await;
    let read = || world.read(&clinic, &world.receipt(&world.clinic, &written, |_| ()));
    ok_bytes(read()).await;

    // One block back the grant still stands.
    world.revoke().await;
    refused(read(), Kind::ForbiddenOrUnknown).await;
    world.node.lag.store(1, SeqCst);
    refused(read(), Kind::ChainDown).await;
    world.node.lag.store(0, SeqCst);
    refused(read(), Kind::ForbiddenOrUnknown).await;

    // A block of the index's height that is not the index's: neither speaks for the other.
    let grants = || world.get(&clinic, "/v1/grants");
    let _: medlock_api::Grants = ok(grants()).await;
    world.node.forges.store(true, SeqCst);
    refused(grants(), Kind::IndexBehind).await;
    world.node.forges.store(false, SeqCst);
    let _: medlock_api::Grants = ok(grants()).await;

    // A chain that did become shorter is followed down, and one that was reorganised at the same height as well.
    let snapshot = world.rpc("evm_snapshot", json!([])).await;
    world.rpc("anvil_mine", json!(["0x5"])).await;
    let _: medlock_api::Grants = ok(grants()).await;
    assert_eq!(world.rpc("evm_revert", json!([snapshot])).await, json!(true));
    let _: medlock_api::Grants = ok(grants()).await;
    world.rpc("anvil_reorg", json!([1, []])).await;
    let _: medlock_api::Grants = ok(grants()).await;

    // Whoever watches costs the node one look a second, however often they ask.
    let (before, begun) = (world.node.calls.load(SeqCst), Instant::now());
    for _ in 0..30 {
        let _: medlock_api::Health = ok(world.request(Method::GET, "/ready")).await;
        let status: medlock_api::Status = ok(world.request(Method::GET, "/v1/status")).await;
        assert_eq!(status.lag_blocks, status.chain_block - status.index_block);
    }
    let (calls, seconds) = (world.node.calls.load(SeqCst) - before, begun.elapsed().as_secs());
    assert!(calls <= 6 * (seconds + 2), "{calls} calls in {seconds} s");

    // Those without a session share what there is, and take nothing from those with one.
    let deployment = || world.request(Method::GET, "/v1/deployment");
    eventually(async || {
        let flood = futures::future::join_all((0..300).map(|_| once(deployment()))).await;
        let refused = flood.into_iter().find(|(status, ..)| !status.is_success())?;
        assert_eq!(refused.0, StatusCode::TOO_MANY_REQUESTS);
        assert!(refused.1.contains_key("retry-after"));
        Some(())
    })
    .await;
    let _: medlock_api::Grants = ok(grants()).await;
    let _: medlock_api::Health = ok(world.request(Method::GET, "/ready")).await;
    eventually(async || once(deployment()).await.0.is_success().then_some(())).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_uploads_and_downloads_hold_their_own_places_and_no_others() {
    use medlock_gateway::{DOWNLOADS_EACH_MOST, UPLOADS_AT_ONCE_MOST, UPLOADS_EACH_MOST};
    let world = World::with_chart().await;
    let mut content = vec![0; 12 * 1024 * 1024];
    getrandom::fill(&mut content).unwrap();
    let written = world.write(&world.clinic, B256::repeat_byte(1), LABS, &content).await;
    world.store.put(written.blocks.clone()).await.unwrap();
    let clinic = world.sign_in(&world.clinic).await;
    ok_bytes(world.read(&clinic, &world.receipt(&world.clinic, &written, |_| ()))).await;

    // Answers that have begun and are not taken.
    let payload = || world.payload(&clinic, &written);
    let mut begun = Vec::new();
    for _ in 0..DOWNLOADS_EACH_MOST {
        let response = payload().send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        begun.push(response);
    }
    refused(payload(), Kind::TooMany).await;
    drop(begun);
    let whole = eventually(async || {
        let (status, _, body) = once(payload()).await;
        status.is_success().then_some(body)
    })
    .await;
    assert!(whole.len() as u64 > written.payload_bytes);

    // Uploads that have begun and do not go on.
    let block = dag_cbor_block(b"\xa0".to_vec());
    let car = car::write(&[block.cid], [&block]).unwrap();
    let mut stuck = Vec::new();
    for _ in 0..UPLOADS_AT_ONCE_MOST / UPLOADS_EACH_MOST as usize {
        let token = world.sign_in(&PrivateKeySigner::random()).await;
        for _ in 0..UPLOADS_EACH_MOST {
            let (http, token) = (world.http.clone(), token.clone());
            let url = format!("{}/v1/blocks", world.gateway.url());
            // Tries again where one of the probes below took its place.
            stuck.push(tokio::spawn(async move {
                loop {
                    let never = futures::stream::pending::<Result<Vec<u8>, std::io::Error>>();
                    let body = reqwest::Body::wrap_stream(never);
                    let _ = http.post(&url).bearer_auth(&token).body(body).send().await;
                }
            }));
        }
        // The account has its share, the rest is for others.
        eventually(async || {
            let (status, ..) = once(world.upload(&token, car.clone())).await;
            (status == StatusCode::TOO_MANY_REQUESTS).then_some(())
        })
        .await;
    }
    eventually(async || {
        let (status, headers, _) = once(world.upload(&clinic, car.clone())).await;
        (status == StatusCode::SERVICE_UNAVAILABLE).then(|| assert!(headers.contains_key("retry-after")))
    })
    .await;
    let _: medlock_api::Grants = ok(world.get(&clinic, "/v1/grants")).await;
    for upload in &stuck {
        upload.abort();
    }
    drop(stuck);
    eventually(async || {
        let (status, ..) = once(world.upload(&clinic, car.clone())).await;
        status.is_success().then_some(())
    })
    .await;
    world.stop().await;
}

/// A rule of the patient about the record, for reads for treatment.
fn rule(world: &World, written: &Written, grantee: Address, effect: u8) -> IExceptions::setRuleCall {
    IExceptions::setRuleCall {
        actor: world.patient.address(),
        chart: CHART,
        recordId: written.record_id,
        grantee,
        effect,
        purposes: purpose::TREAT,
        actions: action::READ,
        expiry: 0,
    }
}

/// The reason for which the read is refused.
async fn refusal(request: RequestBuilder) -> String {
    refused(request, Kind::ForbiddenOrUnknown).await.reason.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_denies_one_record_and_allows_another() {
    let world = World::with_chart().await;
    let exceptions = world.deployment.exceptions;
    let labs = world.write(&world.clinic, B256::repeat_byte(1), LABS, b"labs").await;
    let notes = world.write(&world.patient, B256::repeat_byte(2), NOTES, b"notes").await;
    let hidden = world
        .write(&world.patient, B256::repeat_byte(3), NOTES, b"hidden")
        .await;
    for written in [&labs, &notes, &hidden] {
        world.store.put(written.blocks.clone()).await.unwrap();
    }
    let (clinic, patient) = (world.sign_in(&world.clinic).await, world.sign_in(&world.patient).await);
    let read = |written: &Written| world.read(&clinic, &world.receipt(&world.clinic, written, |_| ()));
    ok_bytes(read(&labs)).await;
    ok_bytes(world.payload(&clinic, &labs)).await;
    assert_eq!(refusal(read(&notes)).await, "unknown-record");

    // Denied by name: the grant stands, and the record alone is out of reach, the payload of an earlier read too.
    let deny = rule(&world, &labs, world.clinic.address(), effect::DENY);
    world.send(&world.patient, exceptions, deny).await;
    assert_eq!(refusal(read(&labs)).await, "denied-by-rule");
    assert_eq!(refusal(world.payload(&clinic, &labs)).await, "denied-by-rule");
    ok_bytes(world.read(&patient, &world.receipt(&world.patient, &labs, |_| ()))).await;

    // Allowed, though the compartment is not the grant's.
    let allow = rule(&world, &notes, world.clinic.address(), effect::ALLOW);
    world.send(&world.patient, exceptions, allow).await;
    let (_, headers, _) = answer(read(&notes), None).await;
    assert_eq!(headers["medlock-reason"], "rule");

    // Denied to everybody, and in a compartment that the clinic may not use: as if it were not there.
    let deny = rule(&world, &hidden, Address::ZERO, effect::DENY);
    world.send(&world.patient, exceptions, deny).await;
    let existing = refused(read(&hidden), Kind::ForbiddenOrUnknown).await;
    let nowhere = world.receipt(&world.clinic, &hidden, |r| r.record_id = UNKNOWN);
    assert_eq!(
        existing,
        refused(world.read(&clinic, &nowhere), Kind::ForbiddenOrUnknown).await
    );
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delegate_reads_lists_and_sees_grants_until_the_powers_end() {
    let world = World::with_chart().await;
    let exceptions = world.deployment.exceptions;
    let written = world.write(&world.clinic, B256::repeat_byte(1), LABS, b"labs").await;
    world.store.put(written.blocks.clone()).await.unwrap();
    let guardian = &world.stranger;
    let token = world.sign_in(guardian).await;
    let read = || world.read(&token, &world.receipt(guardian, &written, |_| ()));
    let get = |path: &str| world.get(&token, &format!("/v1/charts/{CHART}{path}"));
    assert_eq!(refusal(read()).await, "no-grant");
    let delegate = |serial, powers, expiry| IExceptions::setDelegateCall {
        actor: world.patient.address(),
        chart: CHART,
        directoryVersion: 1,
        delegate: guardian.address(),
        serial,
        powers,
        expiry,
    };

    // Who may only add delegates sees the chart, and neither records nor grants.
    world
        .send(&world.patient, exceptions, delegate(0, power::DELEGATE, 0))
        .await;
    let _: medlock_api::Chart = ok(get("")).await;
    let listed: medlock_api::Records = ok(get("/records")).await;
    assert_eq!(listed.records, []);
    let grants: medlock_api::Grants = ok(get("/grants")).await;
    assert_eq!(grants.grants, []);
    assert_eq!(refusal(read()).await, "no-grant");

    // Enough for what follows to be done before, on a busy machine too.
    let expiry = now() + 15;
    let powers = power::READ | power::REVOKE;
    world
        .send(&world.patient, exceptions, delegate(1, powers, expiry))
        .await;
    let (_, headers, _) = answer(read(), None).await;
    assert_eq!(headers["medlock-reason"], "delegate");
    ok_bytes(world.payload(&token, &written)).await;
    let listed: medlock_api::Records = ok(get("/records")).await;
    assert_eq!(listed.records[0].record_id, written.record_id);
    assert_eq!(listed.records[0].status, "current");
    let grants: medlock_api::Grants = ok(get("/grants")).await;
    assert_eq!(grants.grants[0].grantee, world.clinic.address());
    ok_bytes(get("/directory")).await;
    // Who read what is for the controller alone.
    refused(get("/reads"), Kind::ForbiddenOrUnknown).await;

    // No block comes, and the powers end all the same.
    eventually(async || (now() >= expiry).then_some(())).await;
    assert_eq!(refusal(read()).await, "expired");
    assert_eq!(refusal(get("/records")).await, "no-grant");
    world.stop().await;
}

/// The chain's clock is four hours less twenty seconds behind the gateway's, and stands still when nobody sends
/// anything: who breaks the glass has twenty seconds by the gateway's.
#[tokio::test(flavor = "multi_thread")]
async fn an_emergency_reader_is_served_for_four_hours_by_the_gateways_clock_too() {
    let world = World::start_at(Some(now() - emergency::OPEN_S)).await.and_chart().await;
    let exceptions = world.deployment.exceptions;
    let notes = world.write(&world.patient, B256::repeat_byte(1), NOTES, b"notes").await;
    let labs = world.write(&world.patient, B256::repeat_byte(2), LABS, b"labs").await;
    for written in [&notes, &labs] {
        world.store.put(written.blocks.clone()).await.unwrap();
    }
    let token = world.sign_in(&world.clinic).await;
    let etreat = Purpose::from_code("ETREAT").unwrap();
    let read = |written: &Written| world.read(&token, &world.receipt(&world.clinic, written, |r| r.purpose = etreat));
    assert_eq!(refusal(read(&notes)).await, "unknown-record");
    world.allow_emergency(true).await;
    assert_eq!(refusal(read(&notes)).await, "unknown-record");
    world.rpc("evm_setTime", json!([now() - emergency::OPEN_S + 20])).await;
    world.break_glass(1 << NOTES).await;
    let (_, headers, _) = answer(read(&notes), None).await;
    assert_eq!(headers["medlock-reason"], "emergency");
    ok_bytes(world.payload(&token, &notes)).await;
    // The other compartment is the grant's, and not for this purpose.
    assert_eq!(refusal(read(&labs)).await, "purpose-not-granted");
    let seen = async || {
        let records = world.get(&token, &format!("/v1/charts/{CHART}/records"));
        let listed: medlock_api::Records = ok(records).await;
        Vec::from_iter(listed.records.iter().map(|record| record.record_id))
    };
    assert_eq!(seen().await, [notes.record_id, labs.record_id]);
    let opened = IExceptions::emergencyOfCall {
        chart: CHART,
        party: world.clinic.address(),
    };
    let until = world.ask_of(exceptions, opened).await.until;
    let head = world.chain_time().await;
    assert!(until > now() && head + emergency::OPEN_S <= until);

    eventually(async || (now() >= until).then_some(())).await;
    assert_eq!(world.chain_time().await, head, "no block came");
    assert_eq!(refusal(read(&notes)).await, "expired");
    assert_eq!(refusal(world.payload(&token, &notes)).await, "expired");
    assert_eq!(seen().await, [labs.record_id]);
    let question = json!({ "chart": CHART, "compartment": NOTES, "purpose": "ETREAT", "action": "read" });
    let asked = world
        .request(Method::POST, "/v1/decisions")
        .bearer_auth(&token)
        .json(&json!({ "questions": [question] }));
    let reply: medlock_api::DecisionReply = ok(asked).await;
    // As the contract will, once a block comes.
    assert_eq!(reply.verdicts[0].reason, "compartment-not-granted");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shredded_record_is_refused_with_its_reason() {
    let world = World::with_chart().await;
    let written = world.write(&world.clinic, B256::repeat_byte(1), LABS, b"labs").await;
    world.store.put(written.blocks.clone()).await.unwrap();
    let (clinic, patient) = (world.sign_in(&world.clinic).await, world.sign_in(&world.patient).await);
    ok_bytes(world.read(&clinic, &world.receipt(&world.clinic, &written, |_| ()))).await;
    let enter = IRecords::enterInErrorCall {
        actor: world.clinic.address(),
        chart: CHART,
        organisation: Address::ZERO,
        recordId: written.record_id,
        previous: written.pointer,
    };
    world.send(&world.clinic, world.deployment.records, enter).await;
    // Readable, and flagged.
    ok_bytes(world.read(&clinic, &world.receipt(&world.clinic, &written, |_| ()))).await;
    let listed = async |token: &str| {
        let records = world.get(token, &format!("/v1/charts/{CHART}/records"));
        let mut listed: medlock_api::Records = ok(records).await;
        listed.records.pop().unwrap()
    };
    assert_eq!(listed(&clinic).await.status, "entered-in-error");
    world.shred(&world.patient, CHART, written.record_id).await;
    for (signer, token) in [(&world.clinic, &clinic), (&world.patient, &patient)] {
        let read = world.read(token, &world.receipt(signer, &written, |_| ()));
        assert_eq!(refusal(read).await, "shredded");
        assert_eq!(listed(token).await.status, "shredded");
    }
    assert_eq!(refusal(world.payload(&clinic, &written)).await, "shredded");
    // To who may not read at all it is like any other record.
    let stranger = world.sign_in(&world.stranger).await;
    let read = world.read(&stranger, &world.receipt(&world.stranger, &written, |_| ()));
    assert_eq!(refusal(read).await, "no-grant");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn upkeep_removes_what_the_chain_does_not_refer_to_and_nothing_in_doubt() {
    let world = World::with_chart().await;
    let written = world.write(&world.clinic, B256::repeat_byte(1), LABS, b"labs").await;
    world.store.put(written.blocks.clone()).await.unwrap();
    let live = written.blocks.iter().chain(world.keys.as_ref().unwrap());
    let live: Vec<Block> = live.cloned().collect();
    let kept = async |blocks: &[Block]| {
        for block in blocks {
            assert!(world.store.has(&block.cid).await.unwrap(), "{}", block.cid);
        }
    };
    let round = async || world.gateway.look_after(Duration::ZERO).await;
    let doubt = async || round().await.expect_err("nothing is removed in doubt").to_string();
    let garbage = |count: u32| -> Vec<Block> {
        let blocks = (0..count).map(|number| raw_block([&b"came to nothing"[..], &number.to_be_bytes()].concat()));
        blocks.collect()
    };

    world.store.put(garbage(3)).await.unwrap();
    // The first round learns how much there is.
    let (swept, healed) = round().await.unwrap();
    assert_eq!((swept.removed, healed.live), (0, live.len()));
    let (swept, healed) = round().await.unwrap();
    assert_eq!((swept.removed, swept.live, healed.live), (3, live.len(), live.len()));
    assert!(healed.lost.is_empty() && healed.failed.is_empty() && swept.missing.is_empty());
    kept(&live).await;
    // What is lost is named; it holds nothing up, and is nobody's garbage once it is back.
    let lost = written.blocks[0].clone();
    assert_eq!(world.store.remove(vec![lost.cid]).await.unwrap().removed, 1);
    world.store.put(garbage(1)).await.unwrap();
    let (swept, healed) = round().await.unwrap();
    assert_eq!(swept.removed, 1);
    assert_eq!(healed.lost.len(), 1);
    world.store.put(vec![lost]).await.unwrap();
    assert_eq!(round().await.unwrap().0.removed, 0);

    // However much was uploaded for nothing, it goes.
    world.store.put(garbage(10_001)).await.unwrap();
    assert_eq!(round().await.unwrap().0.removed, 10_001);

    // The chain refers to much less than before: a node that hides records looks like that.
    let snapshot = world.rpc("evm_snapshot", json!([])).await;
    let records = (100..228).map(|number| IRecords::NewRecord {
        recordId: B256::repeat_byte(number),
        compartment: LABS,
        codec: CODEC_DAG_CBOR,
        pointer: B256::repeat_byte(number),
    });
    let add = IRecords::addRecordsCall {
        actor: world.clinic.address(),
        chart: CHART,
        organisation: Address::ZERO,
        directoryVersion: 1,
        records: records.collect(),
    };
    world.send(&world.clinic, world.deployment.records, add).await;
    let (_, healed) = round().await.unwrap();
    assert_eq!(healed.lost.len(), 128);
    assert_eq!(world.rpc("evm_revert", json!([snapshot])).await, json!(true));
    let hidden = garbage(5);
    world.store.put(hidden.clone()).await.unwrap();
    assert!(doubt().await.contains("may hide records"));
    kept(&hidden).await;
    // What stays so for a week is believed.
    let (swept, _healed) = eventually(async || round().await.ok()).await;
    assert_eq!(swept.removed, 5);
    assert!(!world.store.has(&hidden[0].cid).await.unwrap());

    // A node behind what was seen before, and an index on another branch.
    let few = garbage(2);
    world.store.put(few.clone()).await.unwrap();
    world.node.lag.store(1, SeqCst);
    assert!(doubt().await.contains("cannot be told now"));
    world.node.lag.store(0, SeqCst);
    world.node.forges.store(true, SeqCst);
    assert!(doubt().await.contains("cannot be told now"));
    world.node.forges.store(false, SeqCst);
    kept(&few).await;
    // Records whose pointers only their batch knows.
    let batch = IRecords::addBatchCall {
        actor: world.clinic.address(),
        chart: CHART,
        organisation: Address::ZERO,
        directoryVersion: 1,
        compartment: LABS,
        codec: CODEC_DAG_CBOR,
        root: B256::repeat_byte(7),
        count: 2,
    };
    world.send(&world.clinic, world.deployment.records, batch).await;
    assert!(doubt().await.contains("2 records of batches"));
    kept(&few).await;
    kept(&live).await;
    world.stop().await;
}
