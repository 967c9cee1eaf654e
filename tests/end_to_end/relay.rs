//! Operations that are signed, and submitted and paid for by a gateway: to the letter, once, and whatever happens to it.

use std::{
    collections::BTreeMap,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use alloy::{
    consensus::Transaction as _,
    network::TransactionBuilder as _,
    primitives::{Address, B256, Bytes, U256, keccak256},
    providers::Provider,
    rpc::types::TransactionRequest,
    signers::SignerSync,
    sol_types::{SolCall, SolError, SolValue},
};
use medlock_abi::{
    records::IRecords::IRecordsErrors,
    relay::IRelay,
    terms::{CODEC_DAG_CBOR, role},
};
use medlock_client::{
    Client, Error, Fault, Identity, Metadata,
    api::{self, Kind, Operation, Problem, RelayRequest, RelayState, RelayedOperation},
    now,
};
use medlock_gateway::{Database, Relay, RelayLimits};
use medlock_postgres_server::Server;
use medlock_tests::{Settings, World, eventually, medlock_binary, patient_request, small_bundle, treat, treatment};
use reqwest::StatusCode;
use serde_json::{Value, json};

/// How soon a waiting transaction's fee is raised in these tests: the shortest there is.
const RAISE_AFTER: Duration = Duration::from_secs(1);

fn somebody() -> Identity {
    Identity::generate().unwrap()
}

/// A new chart for `signer`, who needs nothing to open one.
fn opening(signer: Address) -> Operation {
    // As good as random.
    let chart = keccak256(somebody().address());
    Operation::OpenChart(IRelay::OpenChart {
        signer,
        chart,
        directory: B256::repeat_byte(1),
        nonce: U256::ZERO,
        deadline: U256::from(now() + 900),
    })
}

fn signed(world: &World, by: &Identity, operation: &Operation) -> RelayRequest {
    let deployment = &world.dev.deployment;
    signed_for(by, operation, deployment.chain_id, deployment.relay)
}

fn signed_for(by: &Identity, operation: &Operation, chain_id: u64, relay: Address) -> RelayRequest {
    let digest = operation.signing_hash(chain_id, relay);
    let signature = by.key().unwrap().sign_hash_sync(&digest).unwrap();
    RelayRequest {
        chain_id,
        relay,
        call: operation.call(signature.as_bytes().to_vec().into()).into(),
    }
}

/// A session, over plain HTTP.
pub struct Session {
    url: String,
    pub token: String,
    http: reqwest::Client,
}

impl Session {
    pub async fn of(identity: &Identity, url: &str) -> Self {
        let http = reqwest::Client::new();
        let ask = json!({ "account": identity.address() });
        let challenge = http
            .post(format!("{url}/v1/sessions/challenge"))
            .json(&ask)
            .send()
            .await;
        let challenge: Value = challenge.unwrap().json().await.unwrap();
        let message = challenge["message"].as_str().unwrap();
        let signature = identity.key().unwrap().sign_message_sync(message.as_bytes()).unwrap();
        let answer = json!({ "message": message, "signature": signature.to_string() });
        let session = http
            .post(format!("{url}/v1/sessions"))
            .json(&answer)
            .send()
            .await
            .unwrap();
        let session: api::Session = session.json().await.unwrap();
        Self {
            url: url.to_owned(),
            token: session.token,
            http,
        }
    }

    async fn new(world: &World) -> Self {
        Self::of(&somebody(), &world.dev.endpoints.gateway).await
    }

    async fn post(&self, request: &RelayRequest, name: Option<&str>) -> (StatusCode, Value) {
        self.post_json(&json!(request), name).await
    }

    pub async fn post_json(&self, request: &Value, name: Option<&str>) -> (StatusCode, Value) {
        let mut post = self
            .http
            .post(format!("{}/v1/relay/operations", self.url))
            .bearer_auth(&self.token)
            .json(request);
        if let Some(name) = name {
            post = post.header(api::header::IDEMPOTENCY_KEY, name);
        }
        let answer = post.send().await.unwrap();
        (answer.status(), answer.json().await.unwrap())
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        let get = self.http.get(format!("{}/v1/relay/operations{path}", self.url));
        let answer = get.bearer_auth(&self.token).send().await.unwrap();
        (answer.status(), answer.json().await.unwrap())
    }

    async fn accepted(&self, request: &RelayRequest) -> RelayedOperation {
        let (status, body) = self.post(request, None).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{body}");
        serde_json::from_value(body).unwrap()
    }

    async fn refused(&self, request: &RelayRequest, kind: Kind) -> Problem {
        let (status, body) = self.post(request, None).await;
        problem(status, body, kind)
    }

    async fn operation(&self, id: B256) -> RelayedOperation {
        let (status, body) = self.get(&format!("/{id}")).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        serde_json::from_value(body).unwrap()
    }

    async fn until(&self, id: B256, state: RelayState) -> RelayedOperation {
        eventually(state.text(), || async {
            let operation = self.operation(id).await;
            (operation.state == state).then_some(operation)
        })
        .await
    }
}

fn problem(status: StatusCode, body: Value, kind: Kind) -> Problem {
    let problem: Problem = serde_json::from_value(body).unwrap();
    assert_eq!(
        (problem.kind(), status.as_u16()),
        (Some(kind), kind.status()),
        "{problem:?}"
    );
    problem
}

async fn rpc(world: &World, method: &'static str, params: Value) -> Value {
    let chain = world.chain();
    chain.provider().raw_request(method.into(), params).await.unwrap()
}

async fn transactions_of(world: &World, account: Address) -> u64 {
    world.chain().provider().get_transaction_count(account).await.unwrap()
}

fn payer(world: &World) -> Address {
    medlock::dev::gateway_key(&world.home().join("relay.key"))
        .unwrap()
        .address()
}

async fn mine_by_hand(world: &World) {
    rpc(world, "evm_setAutomine", json!([false])).await;
}

async fn mine(world: &World) {
    rpc(world, "evm_mine", json!([])).await;
}

/// The transaction of `account` with `nonce` that waits to be mined.
async fn waiting(world: &World, account: Address, nonce: u64) -> Option<alloy::rpc::types::Transaction> {
    let content = rpc(world, "txpool_contentFrom", json!([account])).await;
    let found = content["pending"].get(nonce.to_string())?;
    Some(serde_json::from_value(found.clone()).unwrap())
}

async fn controller(world: &World, operation: &Operation) -> Address {
    let Operation::OpenChart(opened) = operation else {
        panic!("not the opening of a chart");
    };
    let call = medlock_abi::records::IRecords::chartOfCall { chart: opened.chart };
    let records = world.dev.deployment.records;
    world.chain().call(records, call).await.unwrap().controller
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_without_money_does_all_that_an_operation_does() {
    let world = World::start().await;
    without_money(&world, payer(&world)).await;
}

/// `payer` has paid for nothing else before.
pub async fn without_money(world: &World, payer: Address) {
    let clinic = world.clinic().await;
    let patient: Client = world.dev.client(somebody()).await.unwrap().via_relay();
    patient.publish_key().await.unwrap();
    let labels = medlock_client::default_labels();
    let (chart, _) = patient.open_chart(&labels, Default::default()).await.unwrap();
    patient.grant(chart, clinic.address(), treatment()).await.unwrap();

    let open = patient.chart(chart).await.unwrap();
    let documents = (0..3u8).map(|n| medlock_client::NewDocument {
        record_id: patient.record_id(chart, &[n]),
        compartment: *labels.keys().next().unwrap(),
        metadata: Metadata::default(),
        content: vec![n; 100].into(),
    });
    let stored = open.add(documents.collect(), |_| ()).await.unwrap();
    assert_eq!(stored.len(), 3);
    let read = |client: Client, record: B256| async move {
        let open = client.chart(chart).await?;
        open.read(record, None, treat())
            .await
            .map(|document| document.content.to_vec())
    };
    assert_eq!(read(clinic.clone(), stored[1].record_id).await.unwrap(), [1; 100]);

    let before = open.read(stored[1].record_id, None, patient_request()).await.unwrap();
    open.amend(&before, Metadata::default(), b"more").await.unwrap();
    assert_eq!(read(clinic.clone(), stored[1].record_id).await.unwrap(), b"more");
    open.shred(stored[0].record_id).await.unwrap();
    assert!(read(clinic.clone(), stored[0].record_id).await.is_err());

    // What has no operation is refused before anything is sent, also where it is the second step of two.
    let error = patient.rotate(chart, None).await.unwrap_err();
    assert!(
        matches!(&error, Error::Usage(why) if why.contains("of your own")),
        "{error}"
    );

    let revoked = patient.revoke(chart, clinic.address()).await.unwrap();
    assert!(
        read(clinic.clone(), stored[1].record_id)
            .await
            .unwrap_err()
            .is_refusal()
    );
    // A contract's refusal is the contract's, though a gateway has told it.
    let again = patient.revoke(chart, clinic.address()).await.unwrap_err();
    assert!(again.is_refusal(), "{again}");
    patient.grant(chart, clinic.address(), treatment()).await.unwrap();
    patient.revoke_all(chart).await.unwrap();
    patient.rotate(chart, None).await.unwrap();
    patient.cancel_all().await.unwrap();

    let methods: Vec<_> = patient.relayed().await.unwrap();
    assert!(methods.iter().all(|operation| operation.state == RelayState::Mined));
    let revocation = methods.iter().find(|operation| operation.method == "revoke").unwrap();
    assert_eq!(revocation.tx, Some(revoked.mined.transaction));
    let mut methods: Vec<_> = methods.into_iter().map(|operation| operation.method).collect();
    methods.dedup();
    let expected = [
        "publishKey",
        "openChart",
        "grant",
        "addRecords",
        "amendRecord",
        "shredRecord",
        "revoke",
        "grant",
        "revokeAll",
        "setDirectory",
        "cancelAllBySignature",
    ];
    assert_eq!(methods, expected);
    let balance = world.chain().provider().get_balance(patient.address()).await.unwrap();
    assert_eq!(
        (balance, transactions_of(world, patient.address()).await),
        (U256::ZERO, 0)
    );
    assert_eq!(transactions_of(world, payer).await, 12);
}

/// How many operations of each method were relayed for `client`.
async fn methods_of(client: &Client) -> BTreeMap<String, usize> {
    let mut methods = BTreeMap::new();
    for operation in client.relayed().await.unwrap() {
        *methods.entry(operation.method).or_default() += 1;
    }
    methods
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_money_imports_a_bundle_in_one_operation_amends_and_ends_records() {
    let world = World::start().await;
    let poor = async || world.dev.client(somebody()).await.unwrap().via_relay();
    let (patient, clinic) = (poor().await, poor().await);
    let roles = role::ORGANISATION | role::PROVIDER;
    world.credential(clinic.address(), roles).await;
    patient.publish_key().await.unwrap();
    clinic.publish_key().await.unwrap();
    let labels = medlock_client::default_labels();
    let (chart, _) = patient.open_chart(&labels, Default::default()).await.unwrap();
    patient.grant(chart, clinic.address(), treatment()).await.unwrap();

    let mut records = Vec::new();
    for (writer, purpose) in [(&patient, patient_request()), (&clinic, treat())] {
        let open = writer.chart(chart).await.unwrap();
        let stored = open.import(&small_bundle(), |_, _| ()).await.unwrap().stored;
        assert!(stored.len() > 40, "{}", stored.len());
        let record = stored[0].record_id;
        let before = open.read(record, None, purpose).await.unwrap();
        let amended = open.amend(&before, before.metadata.clone(), b"corrected").await;
        assert_eq!(amended.unwrap().version, 2);
        let after = open.read(record, None, purpose).await.unwrap();
        assert_eq!(
            (after.content.as_slice(), after.previous),
            (&b"corrected"[..], before.pointer)
        );
        let methods = methods_of(writer).await;
        assert_eq!((methods["addRecords"], methods["amendRecord"]), (1, 1), "{methods:?}");
        records.push(stored.into_iter().map(|stored| stored.record_id).collect::<Vec<_>>());
    }
    let [of_patient, of_clinic] = records.as_slice() else {
        unreachable!()
    };

    // As many as the client puts in one, by who has to be asked about: within what a gateway pays for.
    let open = clinic.chart(chart).await.unwrap();
    let documents = (0..64u8).map(|n| medlock_client::NewDocument {
        record_id: clinic.record_id(chart, &[n]),
        compartment: *labels.keys().nth(usize::from(n) % labels.len()).unwrap(),
        metadata: Metadata::default(),
        content: vec![n; 100].into(),
    });
    let stored = open.add(documents.collect(), |_| ()).await.unwrap();
    assert_eq!((stored.len(), methods_of(&clinic).await["addRecords"]), (64, 2));

    // Signed for a version, and kept back until that was replaced.
    let session = Session::new(&world).await;
    let refused = async |by: &Client, operation: Operation, name: &str| {
        let request = signed(&world, by.identity(), &operation);
        let problem = session.refused(&request, Kind::OperationRefused).await;
        assert_eq!(problem.reason.as_deref(), Some(name), "{problem:?}");
    };
    let record = of_patient[1];
    // Another than the client's own, whose operation of the same second would be the same.
    let deadline = U256::from(now() + 600);
    let own = patient.chart(chart).await.unwrap();
    let before = own.read(record, None, patient_request()).await.unwrap();
    let old = Operation::AmendRecord(IRelay::AmendRecord {
        signer: patient.address(),
        chart,
        organisation: Address::ZERO,
        directoryVersion: 1,
        recordId: record,
        previous: before.pointer,
        codec: CODEC_DAG_CBOR,
        pointer: B256::repeat_byte(7),
        nonce: U256::ZERO,
        deadline,
    });
    own.amend(&before, Metadata::default(), b"newer").await.unwrap();
    refused(&patient, old, "StalePointer").await;

    // Entered in error, by the provider that wrote it: it may not end it for good.
    let record = of_clinic[1];
    let mark = |previous| {
        Operation::EnterInError(IRelay::EnterInError {
            signer: clinic.address(),
            chart,
            organisation: Address::ZERO,
            recordId: record,
            previous,
            nonce: U256::ZERO,
            deadline,
        })
    };
    let before = open.read(record, None, treat()).await.unwrap();
    clinic.relay(mark(before.pointer)).await.unwrap();
    let records_fault = |error: Error| match error {
        Error::Contract {
            fault: Fault::Records(fault),
            ..
        } => fault,
        error => panic!("{error}"),
    };
    let error = open.amend(&before, Metadata::default(), b"more").await.unwrap_err();
    assert!(matches!(records_fault(error), IRecordsErrors::RecordStatus(_)));
    let error = open.shred(record).await.unwrap_err();
    assert!(matches!(records_fault(error), IRecordsErrors::NotController(_)));

    let shred = Operation::ShredRecord(IRelay::ShredRecord {
        signer: patient.address(),
        chart,
        recordId: of_patient[0],
        nonce: U256::ZERO,
        deadline,
    });
    for record in [of_patient[0], of_clinic[0]] {
        own.shred(record).await.unwrap();
        assert!(own.read(record, None, patient_request()).await.is_err());
    }
    refused(&patient, shred, "RecordStatus").await;

    for client in [&patient, &clinic] {
        let balance = world.chain().provider().get_balance(client.address()).await.unwrap();
        let sent = transactions_of(&world, client.address()).await;
        assert_eq!((balance, sent), (U256::ZERO, 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_relays() {
    let world = World::start().await;
    let clinic = world.clinic().await;
    let key = world.home().join("poor.keyfile");
    let run = |args: &[&str]| {
        let output = world.medlock(Some(&key), &[args, &["--json"]].concat());
        let text = format!("{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        (
            output.status.code(),
            serde_json::from_slice::<Value>(&output.stdout),
            text,
        )
    };
    let ok = |args: &[&str]| {
        let (code, said, text) = run(args);
        assert_eq!(code, Some(0), "{text}");
        said.unwrap()
    };
    ok(&["keys", "new", key.to_str().unwrap()]);
    let (code, _, text) = run(&["chart", "open"]);
    assert_ne!(code, Some(0), "without money: {text}");
    let opened = ok(&["--relay", "chart", "open"]);
    let chart = opened["chart"].as_str().unwrap();
    let grantee = clinic.address().to_string();
    let given = ["--compartments", "all", "--purposes", "TREAT", "--for", "90d"];
    ok(&[&["--relay", "grant", "give", chart, &grantee], &given[..]].concat());
    ok(&["--relay", "grant", "revoke", chart, &grantee]);
    let listed = ok(&["relay", "list"]);
    let methods: Vec<_> = (listed.as_array().unwrap().iter())
        .map(|operation| {
            assert_eq!(operation["state"], "mined");
            operation["method"].as_str().unwrap()
        })
        .collect();
    assert_eq!(methods, ["openChart", "grant", "revoke"]);
    let shown = ok(&["relay", "show", listed[1]["id"].as_str().unwrap()]);
    assert_eq!(shown, listed[1]);
    ok(&["--relay", "relay", "cancel"]);
    let (code, _, text) = run(&["--relay", "party", "revoke", &grantee]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("transaction of your own"), "{text}");
    ok(&["keys", "sign-out"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_submission_is_paid_once_whoever_makes_it() {
    let world = World::start().await;
    let patient = somebody();
    let operation = opening(patient.address());
    let request = signed(&world, &patient, &operation);
    let sessions = [Session::new(&world).await, Session::new(&world).await];
    let [first, second] = &sessions;
    // At once, with names and without.
    let answers = tokio::join!(
        first.post(&request, Some("a name")),
        second.post(&request, None),
        first.post(&request, Some("a name")),
        second.post(&request, Some("a name")),
    );
    let answers = [answers.0, answers.1, answers.2, answers.3];
    let id = operation.signing_hash(request.chain_id, request.relay);
    let taken_on = answers
        .iter()
        .filter(|(status, _)| *status == StatusCode::ACCEPTED)
        .count();
    assert_eq!(taken_on, 1, "{answers:?}");
    for (status, body) in &answers {
        assert!(status.is_success() && body["id"] == json!(id), "{body}");
    }
    let own = Session::of(&patient, &world.dev.endpoints.gateway).await;
    let mined = own.until(id, RelayState::Mined).await;
    // Once it is mined it is still the same.
    let (status, body) = first.post(&request, None).await;
    assert_eq!((status, body), (StatusCode::OK, serde_json::to_value(&mined).unwrap()));
    // A name stands for what it was given to; it is the caller's own.
    let other = signed(&world, &patient, &opening(patient.address()));
    let (status, body) = first.post(&other, Some("a name")).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert_eq!(body["type"], Kind::IdempotencyKeyReused.urn());
    let (status, _) = own.post(&other, Some("a name")).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    for bad in ["", &"x".repeat(129)] {
        assert_eq!(own.post(&other, Some(bad)).await.0, StatusCode::BAD_REQUEST);
    }
    let second_id = own.get("").await.1["operations"][1]["id"].clone();
    own.until(serde_json::from_value(second_id).unwrap(), RelayState::Mined)
        .await;
    assert_eq!(controller(&world, &operation).await, patient.address());
    assert_eq!(transactions_of(&world, payer(&world)).await, 2);

    // Who has submitted or signed it sees it; to others it is not there.
    let stranger = Session::new(&world).await;
    for path in [format!("/{id}"), format!("/{}", B256::repeat_byte(1))] {
        let (status, body) = stranger.get(&path).await;
        assert_eq!(status, StatusCode::FORBIDDEN);
        assert_eq!(body["type"], Kind::ForbiddenOrUnknown.urn());
    }
    assert_eq!(stranger.get("").await.1, json!({ "operations": [] }));
    let page = own.get("?limit=1").await.1;
    assert_eq!(page["operations"][0]["id"], json!(id));
    let page = own
        .get(&format!("?limit=5&after={}", page["next"].as_str().unwrap()))
        .await
        .1;
    assert_eq!(page["operations"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_forged_late_used_or_for_elsewhere_is_refused_for_what_it_is_and_costs_nothing() {
    let world = World::start().await;
    let (patient, thief) = (somebody(), somebody());
    let session = Session::new(&world).await;
    let payer = payer(&world);
    let balance = world.chain().provider().get_balance(payer).await.unwrap();
    let operation = opening(patient.address());
    let good = signed(&world, &patient, &operation);
    let named = |problem: Problem, name: &str| {
        assert_eq!(problem.reason.as_deref(), Some(name), "{problem:?}");
        problem.revert.unwrap_or_default()
    };
    let refused =
        async |request: &RelayRequest, name: &str| named(session.refused(request, Kind::OperationRefused).await, name);
    let invalid = async |request: &RelayRequest, reason: &str| {
        named(session.refused(request, Kind::OperationInvalid).await, reason);
    };

    // Forged: by another key, or altered since.
    let forged = refused(&signed(&world, &thief, &operation), "BadSignature").await;
    let signer = patient.address();
    assert_eq!(forged, Bytes::from(IRelay::BadSignature { signer }.abi_encode()));
    let (_, signature) = Operation::decode(&good.call).unwrap();
    let altered = RelayRequest {
        call: opening(patient.address()).call(signature.clone()).into(),
        ..good.clone()
    };
    refused(&altered, "BadSignature").await;
    // The other s of the same signature is nobody's.
    let mut high = signature.to_vec();
    let order = U256::from_be_bytes(alloy::primitives::hex!(
        "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"
    ));
    let s = order - U256::from_be_slice(&high[32..64]);
    high[32..64].copy_from_slice(&s.to_be_bytes::<32>());
    high[64] = 55 - high[64];
    let high = RelayRequest {
        call: operation.call(high.into()).into(),
        ..good.clone()
    };
    refused(&high, "BadSignature").await;

    // For another chain or contract: said so, or passed off as ours.
    let (chain_id, relay) = (good.chain_id, good.relay);
    for (elsewhere, reason) in [
        ((1, relay), "chain-id"),
        ((chain_id, Address::repeat_byte(9)), "contract"),
    ] {
        let foreign = signed_for(&patient, &operation, elsewhere.0, elsewhere.1);
        invalid(&foreign, reason).await;
        let passed_off = RelayRequest {
            chain_id,
            relay,
            ..foreign
        };
        refused(&passed_off, "BadSignature").await;
    }

    // Late.
    let Operation::OpenChart(opened) = operation.clone() else {
        unreachable!()
    };
    let late = Operation::OpenChart(IRelay::OpenChart {
        deadline: U256::from(now() - 1),
        ..opened.clone()
    });
    refused(&signed(&world, &patient, &late), "SignatureExpired").await;
    // Of another count of cancellations.
    let uncounted = Operation::OpenChart(IRelay::OpenChart {
        nonce: U256::from(7),
        ..opened
    });
    refused(&signed(&world, &patient, &uncounted), "SignatureCancelled").await;

    // Not an operation at all.
    let not_one = |call: Vec<u8>| RelayRequest {
        call: call.into(),
        ..good.clone()
    };
    invalid(&not_one(Vec::new()), "malformed").await;
    invalid(&not_one(IRelay::cancelAllCall {}.abi_encode()), "malformed").await;
    let mut padded = good.call.to_vec();
    padded.push(0);
    invalid(&not_one(padded), "malformed").await;
    let large = not_one(vec![0; medlock_gateway::OPERATION_BYTES_MOST + 1]);
    session.refused(&large, Kind::PayloadTooLarge).await;
    let (status, body) = session.post_json(&json!({ "call": "0x" }), None).await;
    problem(status, body, Kind::BadRequest);

    // Used: somebody else has submitted it.
    let courier = world.newcomer().await;
    let submitted = TransactionRequest::default()
        .with_to(relay)
        .with_input(good.call.clone());
    let provider = courier.chain().provider();
    let receipt = provider.send_transaction(submitted).await.unwrap().get_receipt().await;
    assert!(receipt.unwrap().status());
    refused(&good, "ChartExists").await;
    // Cancelled by its signer.
    let client = world.as_client(patient.clone()).await;
    let pending = signed(&world, &patient, &opening(patient.address()));
    client.cancel_all().await.unwrap();
    refused(&pending, "SignatureCancelled").await;
    // The client tells them as if it had asked the contract.
    let error = client.gateway().await.unwrap().submit(&pending).await.unwrap_err();
    assert!(
        matches!(
            &error,
            Error::Contract {
                fault: Fault::Relay(_),
                ..
            }
        ),
        "{error}"
    );

    // No session, no answer.
    let nobody = Session {
        token: "0000".into(),
        ..session
    };
    nobody.refused(&good, Kind::NoSession).await;
    assert_eq!(transactions_of(&world, payer).await, 0);
    let after = world.chain().provider().get_balance(payer).await.unwrap();
    assert_eq!(after, balance, "not a wei");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_and_all_accounts_have_a_share_of_a_day() {
    let world = World::with(Settings {
        relay: RelayLimits {
            operations_per_day: 2,
            ..RelayLimits::default()
        },
        ..Settings::default()
    })
    .await;
    let session = Session::new(&world).await;
    let submit = async |session: &Session| {
        let patient = somebody();
        let request = signed(&world, &patient, &opening(patient.address()));
        (session.post(&request, Some("a name")).await, request)
    };
    let ((status, body), first) = submit(&session).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{body}");
    let patient = somebody();
    let second = signed(&world, &patient, &opening(patient.address()));
    session.accepted(&second).await;
    let third = somebody();
    let third = signed(&world, &third, &opening(third.address()));
    session.refused(&third, Kind::RelayQuota).await;
    // What is there already costs nothing.
    assert_eq!(session.post(&first, None).await.0, StatusCode::OK);
    assert_eq!(session.post(&second, None).await.0, StatusCode::OK);
    // Another account has its own.
    let ((status, _), _) = submit(&Session::new(&world).await).await;
    assert_eq!(status, StatusCode::ACCEPTED);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_is_stuck_offers_more_until_it_is_mined_and_never_too_much() {
    let most = 260_000_000;
    let world = World::with(Settings {
        relay: RelayLimits {
            raise_after: RAISE_AFTER,
            fee_per_gas_most: most,
            ..RelayLimits::default()
        },
        ..Settings::default()
    })
    .await;
    let (session, patient, payer) = (Session::new(&world).await, somebody(), payer(&world));
    mine_by_hand(&world).await;
    let operation = opening(patient.address());
    let id = session.accepted(&signed(&world, &patient, &operation)).await.id;
    let first = eventually("sent", || waiting(&world, payer, 0)).await;
    // The base fee is a tenth of a gwei: twice that and a wei.
    assert_eq!(first.max_fee_per_gas(), 200_000_001);
    let second = eventually("raised", || async {
        let found = waiting(&world, payer, 0).await?;
        (found.inner.tx_hash() != first.inner.tx_hash()).then_some(found)
    })
    .await;
    assert!(second.max_fee_per_gas() * 100 >= first.max_fee_per_gas() * 110);
    assert!(second.max_priority_fee_per_gas() > first.max_priority_fee_per_gas());
    let third = eventually("raised again", || async {
        let found = waiting(&world, payer, 0).await?;
        (found.inner.tx_hash() != second.inner.tx_hash()).then_some(found)
    })
    .await;
    // A third raise would exceed the bound: it stays at that, and goes on as it is.
    assert!(third.max_fee_per_gas() <= u128::from(most) && third.max_fee_per_gas() * 9 / 8 > u128::from(most));
    let told = session.operation(id).await;
    assert_eq!(
        (told.state, told.tx),
        (RelayState::Submitted, Some(*third.inner.tx_hash()))
    );
    // A node that has lost it gets it again.
    rpc(&world, "anvil_dropAllTransactions", json!([])).await;
    let again = eventually("sent again", || waiting(&world, payer, 0)).await;
    assert_eq!(again.inner.tx_hash(), third.inner.tx_hash());
    mine(&world).await;
    let mined = session.until(id, RelayState::Mined).await;
    assert_eq!(mined.tx, Some(*third.inner.tx_hash()));
    assert_eq!(controller(&world, &operation).await, patient.address());
    assert_eq!(transactions_of(&world, payer).await, 1);
}

/// Raises the signer's count of cancellations, as `cancelAll` does, without a block for anything else.
async fn cancel(world: &World, signer: Address) {
    // The first slot of `relay` is the mapping of the counts.
    let slot = keccak256((signer, U256::ZERO).abi_encode());
    rpc(
        world,
        "anvil_setStorageAt",
        json!([world.dev.deployment.relay, slot, B256::with_last_byte(1)]),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_cancelled_while_it_waits_is_not_paid_for() {
    let world = World::with(Settings {
        relay: RelayLimits {
            raise_after: RAISE_AFTER,
            ..RelayLimits::default()
        },
        ..Settings::default()
    })
    .await;
    let (session, patient, payer) = (Session::new(&world).await, somebody(), payer(&world));
    mine_by_hand(&world).await;
    let [first, next] = [opening(patient.address()), opening(patient.address())];
    let id = session.accepted(&signed(&world, &patient, &first)).await.id;
    eventually("sent", || waiting(&world, payer, 0)).await;
    // The same signer's next waits for the outcome: it would be tried on a state that it does not meet.
    let next_id = session.accepted(&signed(&world, &patient, &next)).await.id;
    // Another's does not.
    let other = somebody();
    let other = session
        .accepted(&signed(&world, &other, &opening(other.address())))
        .await
        .id;
    eventually("sent", || waiting(&world, payer, 1)).await;
    assert_eq!(session.operation(next_id).await.state, RelayState::Queued);

    cancel(&world, patient.address()).await;
    // It gives way to a transaction that does nothing, and takes no more gas than that.
    eventually("replaced", || async {
        let found = waiting(&world, payer, 0).await?;
        (found.to() == Some(payer)).then_some(())
    })
    .await;
    assert_eq!(session.operation(id).await.state, RelayState::Submitted);
    mine(&world).await;
    let ended = session.until(id, RelayState::Cancelled).await;
    assert_eq!(ended.fault.as_deref(), Some("SignatureCancelled"));
    assert!(ended.gas_used.unwrap() < 30_000, "{ended:?}");
    assert_eq!(controller(&world, &first).await, Address::ZERO);
    let next = session.until(next_id, RelayState::Cancelled).await;
    assert_eq!((next.fault.as_deref(), next.tx), (Some("SignatureCancelled"), None));
    session.until(other, RelayState::Mined).await;
    assert_eq!(transactions_of(&world, payer).await, 2);
    // Handed in again it is looked at again, and named for what it is.
    session
        .refused(&signed(&world, &patient, &first), Kind::OperationRefused)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_past_its_deadline_while_it_waits_is_not_paid_for() {
    // Gas is too dear for this gateway: everything waits.
    let world = World::with(Settings {
        relay: RelayLimits {
            fee_per_gas_most: 1,
            ..RelayLimits::default()
        },
        ..Settings::default()
    })
    .await;
    let (session, patient) = (Session::new(&world).await, somebody());
    let Operation::OpenChart(operation) = opening(patient.address()) else {
        unreachable!()
    };
    let soon = Operation::OpenChart(IRelay::OpenChart {
        deadline: U256::from(now() + 2),
        ..operation
    });
    let id = session.accepted(&signed(&world, &patient, &soon)).await.id;
    assert_eq!(session.operation(id).await.state, RelayState::Queued);
    session.until(id, RelayState::Expired).await;
    assert_eq!(transactions_of(&world, payer(&world)).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_reorganisation_takes_back_is_submitted_again_where_it_still_can_be() {
    let world = World::start().await;
    let (session, payer) = (Session::new(&world).await, payer(&world));
    let patient = somebody();
    let operation = opening(patient.address());
    let id = session.accepted(&signed(&world, &patient, &operation)).await.id;
    let mined = session.until(id, RelayState::Mined).await;
    mine_by_hand(&world).await;
    rpc(&world, "anvil_reorg", json!([1, []])).await;
    assert_eq!(controller(&world, &operation).await, Address::ZERO);
    let back = session.until(id, RelayState::Submitted).await;
    assert_eq!((back.tx, back.block, back.block_hash), (mined.tx, None, None));
    let again = eventually("sent again", || waiting(&world, payer, 0)).await;
    assert_eq!(Some(*again.inner.tx_hash()), mined.tx, "the same bytes");
    mine(&world).await;
    let again = session.until(id, RelayState::Mined).await;
    assert_ne!(again.block_hash, mined.block_hash);
    assert_eq!(controller(&world, &operation).await, patient.address());

    // In another block after all: that one is told.
    let raw = rpc(&world, "eth_getRawTransactionByHash", json!([again.tx])).await;
    rpc(&world, "anvil_reorg", json!([1, [[raw, 0]]])).await;
    let moved = eventually("the new block", || async {
        let operation = session.operation(id).await;
        (operation.state == RelayState::Mined && operation.block_hash != again.block_hash).then_some(operation)
    })
    .await;
    assert_eq!(moved.tx, again.tx);

    // Where its signer has cancelled meanwhile, the nonce is used up by something else.
    rpc(&world, "anvil_reorg", json!([1, []])).await;
    cancel(&world, patient.address()).await;
    eventually("replaced", || async {
        mine(&world).await;
        let operation = session.operation(id).await;
        (operation.state == RelayState::Cancelled).then_some(())
    })
    .await;
    assert_eq!(controller(&world, &operation).await, Address::ZERO);
    assert_eq!(transactions_of(&world, payer).await, 1);
}

/// `medlock gateway` beside the World's: on its chain and index, with a database and a paying account of its own.
pub struct Beside {
    child: Child,
    pub url: String,
    payer: Address,
}

impl Beside {
    pub fn start(world: &World, state: &str, settings: &[&str]) -> Self {
        let dir = world.home().join("beside");
        let mut child = Command::new(medlock_binary())
            .args([
                "gateway",
                "--json",
                "--listen",
                "127.0.0.1:0",
                "--index-read-only",
                "--upkeep-hours",
                "0",
            ])
            .args(["--rpc", &world.dev.endpoints.rpc, "--relay-raise-after", "1"])
            .arg("--deployment")
            .arg(world.home().join("deployment.json"))
            .arg("--dir")
            .arg(&dir)
            .arg("--relay-key")
            .arg(dir.join("relay.key"))
            .args(settings)
            .env("MEDLOCK_DB", world.home().join("index.db"))
            .env("MEDLOCK_STATE", state)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = child.stdout.as_mut().unwrap();
        let said = serde_json::Deserializer::from_reader(stdout)
            .into_iter::<Value>()
            .next();
        let said = said.expect("it says where it listens").unwrap();
        Self {
            child,
            url: said["gateway"].as_str().unwrap().to_owned(),
            payer: said["payer"].as_str().unwrap().parse().unwrap(),
        }
    }

    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_is_killed_and_started_again_finishes_what_it_had_taken_on_once() {
    for on_postgres in [false, true] {
        let world = World::start().await;
        let state = match on_postgres {
            true => Server::shared().create(),
            false => world.home().join("beside.db").display().to_string(),
        };
        let (asks, patients) = (somebody(), [somebody(), somebody(), somebody()]);
        let operations = patients.each_ref().map(|patient| opening(patient.address()));
        let request = |n: usize| signed(&world, &patients[n], &operations[n]);

        // Killed with one in its queue, and none sent: gas is too dear.
        let gateway = Beside::start(&world, &state, &["--relay-fee-most", "1"]);
        let payer = gateway.payer;
        world.fund(payer).await;
        let first = Session::of(&asks, &gateway.url).await.accepted(&request(0)).await;
        gateway.kill();
        assert_eq!(transactions_of(&world, payer).await, 0);

        // Killed again with two of them sent and not mined, by a node that then loses them.
        mine_by_hand(&world).await;
        let gateway = Beside::start(&world, &state, &[]);
        assert_eq!(gateway.payer, payer);
        let session = Session::of(&asks, &gateway.url).await;
        let second = session.accepted(&request(1)).await;
        for nonce in [0, 1] {
            eventually("sent", || waiting(&world, payer, nonce)).await;
        }
        assert_eq!(session.operation(first.id).await.state, RelayState::Submitted);
        gateway.kill();
        rpc(&world, "anvil_dropAllTransactions", json!([])).await;

        // Killed a third time when both are mined, and it has not seen it.
        let gateway = Beside::start(&world, &state, &[]);
        for nonce in [0, 1] {
            eventually("sent again", || waiting(&world, payer, nonce)).await;
        }
        gateway.kill();
        mine(&world).await;
        assert_eq!(transactions_of(&world, payer).await, 2);

        let gateway = Beside::start(&world, &state, &[]);
        let session = Session::of(&asks, &gateway.url).await;
        for id in [first.id, second.id] {
            session.until(id, RelayState::Mined).await;
        }
        // What was taken on before is the same, and the next goes its way.
        assert_eq!(session.post(&request(0), None).await.0, StatusCode::OK);
        let third = session.accepted(&request(2)).await;
        eventually("sent", || waiting(&world, payer, 2)).await;
        mine(&world).await;
        session.until(third.id, RelayState::Mined).await;
        for (operation, patient) in operations.iter().zip(&patients) {
            assert_eq!(controller(&world, operation).await, patient.address());
        }
        assert_eq!(transactions_of(&world, payer).await, 3);
        gateway.kill();
    }
}

/// Another gateway in this process, on the World's chain and index.
async fn spawn(world: &World, folder: &Path, state: &Database, key: &Identity) -> medlock_gateway::Handle {
    medlock_gateway::spawn(medlock_gateway::Config {
        listen: ([127, 0, 0, 1], 0).into(),
        public_url: None,
        trusted_proxies: Vec::new(),
        rpc_url: world.dev.endpoints.rpc.clone(),
        app_rpc_url: None,
        custodians: Vec::new(),
        deployment: medlock::dev::indexed(&world.dev.deployment),
        index: world.dev.indexer().index(),
        store: medlock_store::Store::open(folder).unwrap(),
        upkeep: None,
        db: state.clone(),
        key: somebody().key().unwrap().clone(),
        relay: Some(Relay {
            key: key.key().unwrap().clone(),
            limits: RelayLimits {
                poll: Duration::from_millis(20),
                ..RelayLimits::default()
            },
        }),
        anchoring: None,
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn gateways_that_pay_from_one_account_send_each_operation_once() {
    let world = World::start().await;
    let paying = somebody();
    world.fund(paying.address()).await;
    for (round, state) in [
        Database::from(world.home().join("shared.db").as_path()),
        Server::shared().create().parse().unwrap(),
    ]
    .iter()
    .enumerate()
    {
        let before = transactions_of(&world, paying.address()).await;
        let folders = [0, 1].map(|n| world.home().join(format!("blocks {round} {n}")));
        let first = spawn(&world, &folders[0], state, &paying).await;
        let second = spawn(&world, &folders[1], state, &paying).await;
        let asks = somebody();
        let sessions = [
            Session::of(&asks, &first.url()).await,
            Session::of(&asks, &second.url()).await,
        ];
        let mut accepted = Vec::new();
        for n in 0..20 {
            let patient = somebody();
            let request = signed(&world, &patient, &opening(patient.address()));
            // To both at once, every other time.
            let (here, there) = (&sessions[n % 2], &sessions[(n + 1) % 2]);
            if n % 4 < 2 {
                let answers = tokio::join!(here.post(&request, None), there.post(&request, None));
                for (status, body) in [answers.0, answers.1] {
                    assert!(status.is_success(), "{body}");
                }
            } else {
                here.accepted(&request).await;
            }
            let (operation, _) = Operation::decode(&request.call).unwrap();
            accepted.push(operation.signing_hash(request.chain_id, request.relay));
        }
        for (n, id) in accepted.iter().enumerate() {
            sessions[n % 2].until(*id, RelayState::Mined).await;
        }
        assert_eq!(transactions_of(&world, paying.address()).await, before + 20);
        // One of them ends without a word, and the other goes on.
        drop(first);
        let patient = somebody();
        let request = signed(&world, &patient, &opening(patient.address()));
        let id = sessions[1].accepted(&request).await.id;
        sessions[1].until(id, RelayState::Mined).await;
        second.shutdown().await.unwrap();
    }
}
