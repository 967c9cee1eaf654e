//! A gateway that lies, and a node that does: each test is one thing that the client takes from them, and each case
//! is a lie that they can tell with what they have: the public keys, everybody's blocks, and keys of their own.

use alloy::{
    consensus::{Transaction, TxEnvelope},
    eips::eip2718::Decodable2718,
    primitives::{Address, B256, Bytes},
    signers::{SignerSync, local::PrivateKeySigner},
    sol_types::SolCall,
};
use medlock_abi::{records::IRecords, terms::role};
use medlock_client::{
    Anchoring, Client, Endpoints, Error, Identity, Metadata, NewDocument, Read, SealedDocument,
    api::{self, Action, DecisionReply, Purpose, Question, ReadEntry, Verdict, media_type, siwe},
    identity::{self, rng},
    now,
};
use medlock_dag::{Block, Cid, car, dag_cbor_block, raw_block};
use medlock_fhir::Label;
use medlock_tests::{
    World, eventually,
    proxy::{Asked, Fate, Proxy},
    treat, treatment,
};
use medlock_vault::{
    Binding, CompartmentKeys, Directory, Domain, EncryptionKey, Envelope, Keyring, KeyringScope, PublicKey, RootSecret,
    Secrets, Suite, rand_core::Rng, seal_payload,
};
use reqwest::Method;
use serde_json::{Value, json};

const JSON: &str = "application/json";

/// A World whose gateway is behind a proxy, which is honest at first.
async fn start() -> (Proxy, World) {
    let gateway = Proxy::start().await;
    let world = World::behind(&gateway).await;
    (gateway, world)
}

/// Changes the answers to `method` on paths that end with `tail`.
fn lie(
    gateway: &Proxy,
    method: Method,
    tail: &'static str,
    change: impl Fn(&mut Value) + Send + Sync + Clone + 'static,
) {
    gateway.rule(move |asked| match asked.is(method.clone(), tail) {
        true => Fate::json(change.clone()),
        false => Fate::Forward,
    });
}

/// Sends `body` in the place of those answers.
fn swap(gateway: &Proxy, method: Method, tail: &'static str, body: Vec<u8>) {
    gateway.rule(move |asked| match asked.is(method.clone(), tail) {
        true => Fate::replace(body.clone()),
        false => Fate::Forward,
    });
}

fn failure<T>(case: &str, result: Result<T, Error>) -> Error {
    match result {
        Ok(_) => panic!("{case}: the lie was believed"),
        Err(error) => error,
    }
}

/// What was found to be altered, and why.
fn tampered<T>(case: &str, result: Result<T, Error>) -> (String, String) {
    match failure(case, result) {
        Error::Tampered { what, detail } => (what, detail),
        other => panic!("{case}: {other:?}"),
    }
}

/// Which answer was refused, and why.
fn refused<T>(case: &str, result: Result<T, Error>) -> (String, String) {
    match failure(case, result) {
        Error::GatewayAnswer { doing, detail } => (doing, detail),
        other => panic!("{case}: {other:?}"),
    }
}

fn asked_for(gateway: &Proxy, method: Method, tail: &str) -> bool {
    gateway.seen().iter().any(|asked| asked.is(method.clone(), tail))
}

fn domain(world: &World) -> Domain {
    Domain {
        chain_id: world.dev.deployment.chain_id,
        records: world.dev.deployment.records.into_array(),
    }
}

async fn directory(client: &Client, chart: B256) -> Directory {
    let state = client.chart_state(chart).await.unwrap();
    client.directory(chart, &state).await.unwrap()
}

/// Two records that the same compartment key opens.
async fn two_vital_signs(client: &Client, chart: B256) -> [B256; 2] {
    let listed = client.records(chart, Some(Label::Vitals.compartment())).await.unwrap();
    [listed[0].record_id, listed[1].record_id]
}

/// The version on chain; 0 where there is no such record.
async fn version_on_chain(world: &World, chart: B256, record: B256) -> u32 {
    let call = IRecords::recordOfCall {
        chart,
        recordId: record,
    };
    let records = world.dev.deployment.records;
    world.chain().call(records, call).await.unwrap().version
}

async fn is_granted(world: &World, chart: B256, grantee: Address) -> bool {
    let (chain, records) = (world.chain(), world.dev.deployment.records);
    let call = IRecords::grantOfCall { chart, grantee };
    let grant = chain.call(records, call).await.unwrap();
    let head = chain.call(records, IRecords::chartOfCall { chart }).await.unwrap();
    // Without a grant it is 0; after the end of all of them, another.
    grant.epoch == head.grantEpoch
}

/// What anybody can make who knows a chart's public keys: content of their own, sealed in the name of a version.
struct Forgery {
    envelope: Envelope,
    payload: Vec<u8>,
}

impl Forgery {
    const CONTENT: &[u8] = b"no known allergies";

    fn of(binding: &Binding, directory: &Directory) -> Self {
        let sealed = seal_payload(&mut rng(), binding, &Metadata::default(), Self::CONTENT).unwrap();
        let entry = directory.body.entry(binding.compartment).unwrap();
        let (root, _) = stream(&sealed.bytes);
        let envelope = Envelope::seal(&mut rng(), binding, entry.epoch, &entry.key, root, &sealed.seal).unwrap();
        Self {
            envelope,
            payload: sealed.bytes,
        }
    }

    fn pointer(&self) -> B256 {
        digest(&dag_cbor_block(self.envelope.encode()))
    }

    /// Answers for the gateway, which would refuse what is asked of it.
    fn answer(&self, asked: &Asked) -> Fate {
        if asked.is(Method::POST, "/reads") {
            return Fate::Answer(media_type::DAG_CBOR, self.envelope.encode());
        }
        if asked.is(Method::GET, "/payload") {
            let (root, blocks) = stream(&self.payload);
            return Fate::Answer(media_type::CAR, car::write(&[root], &blocks).unwrap());
        }
        Fate::Forward
    }
}

/// The blocks of a payload in the order in which a gateway sends them: its root first.
fn stream(payload: &[u8]) -> (Cid, Vec<Block>) {
    let (root, mut blocks) = medlock_dag::file(payload);
    blocks.rotate_right(1);
    assert_eq!(blocks[0].cid, root);
    (root, blocks)
}

fn digest(block: &Block) -> B256 {
    medlock_dag::digest(&block.cid).unwrap().into()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_envelope_is_the_one_on_chain_or_nothing_is_read() {
    let (gateway, world) = start().await;
    let (_, clinic, chart) = world.treated().await;
    let open = clinic.chart(chart).await.unwrap();
    let [record, other] = two_vital_signs(&clinic, chart).await;
    let honest = open.fetch(record, None, treat()).await.unwrap();
    let foreign = open.fetch(other, None, treat()).await.unwrap();

    let own = honest.envelope.encode();
    let mut flipped = own.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let cases = [
        ("another record's envelope", foreign.envelope.encode()),
        ("one bit flipped", flipped),
        ("cut short", own[..own.len() - 1].to_vec()),
        ("a byte more", [&own[..], &[0]].concat()),
        ("nothing", Vec::new()),
    ];
    for (case, envelope) in cases {
        swap(&gateway, Method::POST, "/reads", envelope);
        let (what, _) = tampered(case, open.read(record, None, treat()).await);
        assert_eq!(what, "the envelope", "{case}");
        assert!(!asked_for(&gateway, Method::GET, "/payload"), "{case}: it was followed");
    }

    // The best that a gateway can do. It opens under the right keys: the pointer alone says that it is not the one.
    let forged = Forgery::of(&honest.binding, &directory(&clinic, chart).await);
    let keyring = open.keyring().await.unwrap();
    let keys = keyring
        .iter()
        .find(|keys| keys.compartment == honest.binding.compartment);
    let sealed = SealedDocument {
        binding: honest.binding.clone(),
        pointer: forged.pointer(),
        envelope: forged.envelope.clone(),
        payload: forged.payload.clone(),
    };
    assert_eq!(sealed.open(keys.unwrap()).unwrap().1.as_slice(), Forgery::CONTENT);
    gateway.rule(move |asked| forged.answer(asked));
    let (what, _) = tampered("a forged record", open.read(record, None, treat()).await);
    assert_eq!(what, "the envelope");

    gateway.honest();
    open.read(record, None, treat()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_is_the_one_in_the_envelope_block_by_block() {
    let (gateway, world) = start().await;
    let (patient, chart) = world.patient().await;
    let open = patient.chart(chart).await.unwrap();
    let purpose = Purpose::from_code("PATRQT").unwrap();
    let (record, other) = (B256::repeat_byte(1), B256::repeat_byte(2));
    // Does not compress, so that each payload has several blocks.
    let mut content = vec![0; 600_000];
    rng().fill_bytes(&mut content);
    let document = |record_id, content: &[u8]| NewDocument {
        record_id,
        compartment: Label::Labs.compartment(),
        metadata: Metadata::default(),
        content: content.into(),
    };
    let reversed: Vec<u8> = content.iter().rev().copied().collect();
    let documents = vec![document(record, &content), document(other, &reversed)];
    open.add(documents, |_| ()).await.unwrap();

    let payload = open.fetch(record, None, purpose).await.unwrap().payload;
    let foreign = open.fetch(other, None, purpose).await.unwrap().payload;
    let (root, blocks) = stream(&payload);
    let (foreign_root, foreign) = stream(&foreign);
    assert!(blocks.len() > 3, "{} blocks", blocks.len());
    let sent = |blocks: &[Block]| car::write(&[root], blocks).unwrap();
    let whole = sent(&blocks);
    let with = |edit: &dyn Fn(&mut Vec<Block>)| {
        let mut blocks = blocks.clone();
        edit(&mut blocks);
        sent(&blocks)
    };
    let mut flipped = whole.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let mut altered = blocks[2].bytes.clone();
    altered[0] ^= 1;
    let altered = raw_block(altered);
    let cases = [
        (
            "another record's payload",
            car::write(&[foreign_root], &foreign).unwrap(),
        ),
        ("another record's payload under this one's root", sent(&foreign)),
        ("one bit flipped", flipped),
        (
            "an altered block that names itself rightly",
            with(&|blocks| blocks[2] = altered.clone()),
        ),
        ("cut inside a block", whole[..whole.len() - 100].to_vec()),
        ("cut between blocks", with(&|blocks| drop(blocks.pop()))),
        ("the root alone", sent(&blocks[..1])),
        ("no block", sent(&[])),
        ("nothing", Vec::new()),
        ("no CAR", b"{}".to_vec()),
        (
            "a block too many at the end",
            with(&|blocks| blocks.push(foreign[1].clone())),
        ),
        (
            "a block too many at the start",
            with(&|blocks| blocks.insert(0, foreign[1].clone())),
        ),
        (
            "half a block too many",
            [&whole[..], &car::frame(&blocks[1])[..100]].concat(),
        ),
        ("a block twice", with(&|blocks| blocks.insert(1, blocks[1].clone()))),
        ("a block left out", with(&|blocks| drop(blocks.remove(1)))),
        ("two blocks the other way round", with(&|blocks| blocks.swap(1, 2))),
        (
            "another record's block in between",
            with(&|blocks| blocks[1] = foreign[1].clone()),
        ),
    ];
    for (case, car) in cases {
        swap(&gateway, Method::GET, "/payload", car);
        let (what, _) = tampered(case, open.read(record, None, purpose).await);
        assert_eq!(what, "the payload", "{case}");
        let streamed = open.read_to(record, None, purpose, std::io::sink(), |_, _| ()).await;
        assert_eq!(tampered(case, streamed).0, "the payload", "{case}, as a stream");
    }
    // The same way, with the very blocks: it is the lie that is refused, not the proxy's stream.
    swap(&gateway, Method::GET, "/payload", whole);
    let read = open.read(record, None, purpose).await.unwrap();
    assert_eq!(read.content.as_slice(), content);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_is_the_controllers_current_one_or_nothing_is_sealed() {
    let (gateway, world) = start().await;
    let (patient, clinic, chart) = world.treated().await;
    let open = clinic.chart(chart).await.unwrap();
    let [record, _] = two_vital_signs(&clinic, chart).await;
    let before = open.read(record, None, treat()).await.unwrap();
    let first_state = clinic.chart_state(chart).await.unwrap();
    let first = directory(&clinic, chart).await;
    // Somebody comes and goes, and takes the first version's keys along.
    let insurer = world.insurer().await;
    patient.grant(chart, insurer.address(), treatment()).await.unwrap();
    patient.revoke(chart, insurer.address()).await.unwrap();
    let state = clinic.chart_state(chart).await.unwrap();
    assert_eq!((first_state.directory_version, state.directory_version), (1, 2));
    let current = directory(&clinic, chart).await;

    let mallory = Identity::generate().unwrap();
    let root = RootSecret::generate(&mut rng());
    let mut body = current.body.clone();
    for entry in &mut body.compartments {
        let keys = CompartmentKeys::derive(&root, &chart.0, entry.compartment, entry.epoch, Suite::X25519).unwrap();
        entry.key = keys.public_key();
    }
    let signature = mallory
        .key()
        .unwrap()
        .sign_hash_sync(&body.signing_hash(&domain(&world)))
        .unwrap();
    let signed_by_mallory = body.clone().with_signature(signature.as_bytes().to_vec());
    let with_the_old_signature = body.with_signature(current.signature.clone());
    let unsigned = current.body.clone().with_signature(Vec::new());

    let cases = [
        ("the version before", &first),
        ("another's keys, another's signature", &signed_by_mallory),
        ("another's keys, the controller's signature", &with_the_old_signature),
        ("no signature", &unsigned),
    ];
    for (case, directory) in cases {
        swap(&gateway, Method::GET, "/directory", directory.encode());
        let (what, detail) = tampered(case, clinic.chart(chart).await);
        assert_eq!(what, "the directory", "{case}");
        assert!(detail.contains("hash to something else"), "{case}: {detail}");
        // Whoever has the chart open already finds the keys rotated, asks for the directory, and stops there.
        let (what, _) = tampered(case, open.amend(&before, Metadata::default(), b"amended").await);
        assert_eq!(what, "the directory", "{case}");
        let (what, _) = tampered(case, patient.grant(chart, insurer.address(), treatment()).await);
        assert_eq!(what, "the directory", "{case}");
        let (what, _) = tampered(case, patient.revoke(chart, clinic.address()).await);
        assert_eq!(what, "the directory", "{case}");
    }
    assert_eq!(version_on_chain(&world, chart, record).await, 1);
    assert!(!is_granted(&world, chart, insurer.address()).await);

    // With a node that vouches for the gateway's digest, there is still the controller's signature.
    gateway.honest();
    let (second_chart, _) = patient
        .open_chart(&medlock_client::default_labels(), Suite::X25519)
        .await
        .unwrap();
    patient
        .grant(second_chart, insurer.address(), treatment())
        .await
        .unwrap();
    patient.revoke(second_chart, insurer.address()).await.unwrap();
    let of_another_chart = directory(&patient, second_chart).await;
    assert_eq!(of_another_chart.body.version, current.body.version);
    let node = Proxy::before(&world.dev.endpoints.rpc).await;
    let misled = through(&world, &node, &gateway, clinic.identity()).await.unwrap();
    let cases = [
        ("another's signature", &signed_by_mallory, "not by the controller"),
        (
            "another body's signature",
            &with_the_old_signature,
            "not by the controller",
        ),
        ("no signature", &unsigned, "signature"),
        ("the version before", &first, "another chart or version"),
        ("another chart's", &of_another_chart, "another chart or version"),
    ];
    for (case, directory, says) in cases {
        let block = dag_cbor_block(directory.encode());
        let vouched = digest(&block);
        swap(&gateway, Method::GET, "/directory", block.bytes);
        node.rule(move |asked| match is_call::<IRecords::chartOfCall>(asked) {
            true => Fate::json(move |answer| {
                let output: Bytes = serde_json::from_value(answer["result"].take()).unwrap();
                let mut state = IRecords::chartOfCall::abi_decode_returns(&output).unwrap();
                state.directory = vouched;
                answer["result"] = json!(Bytes::from(IRecords::chartOfCall::abi_encode_returns(&state)));
            }),
            false => Fate::Forward,
        });
        let (what, detail) = tampered(case, misled.chart(chart).await);
        assert_eq!(what, "the directory", "{case}");
        assert!(detail.contains(says), "{case}: {detail}");
    }
}

/// To end all grants takes the chain alone. What takes the gateway is made good later, and until then nothing is granted or sealed.
#[tokio::test(flavor = "multi_thread")]
async fn a_lying_gateway_cannot_hold_up_the_end_of_all_grants() {
    let (gateway, world) = start().await;
    let (patient, clinic, chart) = world.treated().await;
    let own = patient.chart(chart).await.unwrap();
    let [record, _] = two_vital_signs(&clinic, chart).await;
    let before = own
        .read(record, None, Purpose::from_code("PATRQT").unwrap())
        .await
        .unwrap();
    let first = directory(&clinic, chart).await;
    let mallory = Identity::generate().unwrap();
    let signature = mallory
        .key()
        .unwrap()
        .sign_hash_sync(&first.body.signing_hash(&domain(&world)))
        .unwrap();
    let forged = first.body.clone().with_signature(signature.as_bytes().to_vec());
    swap(&gateway, Method::GET, "/directory", forged.encode());
    let (what, _) = tampered("the end of all grants", patient.revoke_all(chart).await);
    assert_eq!(what, "the directory");
    assert!(!is_granted(&world, chart, clinic.address()).await);
    assert!(patient.chart_state(chart).await.unwrap().rotation_due);

    gateway.honest();
    for refused in [
        patient.grant(chart, clinic.address(), treatment()).await.map(drop),
        own.amend(&before, Metadata::default(), b"amended").await.map(drop),
    ] {
        let says = refused.unwrap_err().to_string();
        assert!(says.contains("keys not rotated yet"), "{says}");
    }
    let done = patient.revoke_all(chart).await.unwrap();
    assert!(done.revoked.is_none());
    let state = patient.chart_state(chart).await.unwrap();
    assert_eq!(
        (state.rotation_due, state.grant_epoch, state.directory_version),
        (false, 2, 3)
    );
    patient.grant(chart, clinic.address(), treatment()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_sealed_to_a_partys_own_key_or_not_at_all() {
    let (gateway, world) = start().await;
    let (patient, clinic, chart) = world.treated().await;
    let insurer = world.insurer().await;
    patient.grant(chart, insurer.address(), treatment()).await.unwrap();
    let newcomer = world.clinic().await;

    let mallorys = EncryptionKey::generate(&mut rng(), Suite::X25519).public_key();
    gateway.rule(move |asked| match asked.path.starts_with("/v1/parties/") {
        true => {
            let key = Bytes::copy_from_slice(mallorys.as_bytes());
            Fate::json(move |party| party["key"]["key"] = json!(key))
        }
        false => Fate::Forward,
    });
    let (what, _) = tampered("a grant", patient.grant(chart, newcomer.address(), treatment()).await);
    assert_eq!(what, format!("the encryption key of {}", newcomer.address()));
    assert!(
        !asked_for(&gateway, Method::POST, "/v1/blocks"),
        "keys left the machine"
    );
    assert!(!is_granted(&world, chart, newcomer.address()).await);

    // A revocation re-seals to those who stay. It is refused whole: the grant stands until the gateway is honest.
    let (what, _) = tampered("a revocation", patient.revoke(chart, insurer.address()).await);
    assert_eq!(what, format!("the encryption key of {}", clinic.address()));
    assert!(is_granted(&world, chart, insurer.address()).await);
    assert_eq!(patient.chart_state(chart).await.unwrap().directory_version, 1);

    gateway.honest();
    patient.revoke(chart, insurer.address()).await.unwrap();
    patient.grant(chart, newcomer.address(), treatment()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keyring_is_our_own_and_of_the_directorys_keys() {
    let (gateway, world) = start().await;
    let (patient, clinic, chart) = world.treated().await;
    let insurer = world.insurer().await;
    patient.grant(chart, insurer.address(), treatment()).await.unwrap();
    let [record, _] = two_vital_signs(&clinic, chart).await;
    let heard = gateway.overhear(|asked| asked.is(Method::GET, "/keyring"));
    insurer.chart(chart).await.unwrap().keyring().await.unwrap();
    let insurers = heard.bytes();
    let heard = gateway.overhear(|asked| asked.is(Method::GET, "/keyring"));
    clinic.chart(chart).await.unwrap().keyring().await.unwrap();
    let own = heard.bytes();

    let mut in_our_name = Keyring::decode(&insurers).unwrap();
    in_our_name.scope.grantee = clinic.address().into_array();
    let mut flipped = own.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let cases = [
        ("another party's keyring", insurers, "another grantee"),
        (
            "another party's keyring in our name",
            in_our_name.encode(),
            "does not open",
        ),
        ("one bit flipped", flipped, "does not open"),
        ("nothing", Vec::new(), "malformed"),
    ];
    for (case, keyring, says) in cases {
        swap(&gateway, Method::GET, "/keyring", keyring);
        let open = clinic.chart(chart).await.unwrap();
        let (what, detail) = tampered(case, open.keyring().await);
        assert_eq!(what, "the keyring", "{case}");
        assert!(detail.contains(says), "{case}: {detail}");
        let (what, _) = tampered(case, open.read(record, None, treat()).await);
        assert_eq!(what, "the keyring", "{case}");
    }

    // Anybody can seal to our published key: it opens, and holds keys that are none of the directory's.
    let directory = directory(&clinic, chart).await;
    let root = RootSecret::generate(&mut rng());
    let mallorys: Vec<_> = directory
        .body
        .compartments
        .iter()
        .map(|entry| CompartmentKeys::derive(&root, &chart.0, entry.compartment, entry.epoch, Suite::X25519).unwrap())
        .collect();
    let published = clinic.party(clinic.address()).await.unwrap().key.unwrap();
    let scope = KeyringScope {
        chart: chart.0,
        grantee: clinic.address().into_array(),
        directory_version: directory.body.version,
        key_version: published.version,
    };
    let recipient = PublicKey::new(Suite::X25519, &published.key).unwrap();
    let forged = Keyring::seal(&mut rng(), &domain(&world), &scope, &recipient, &mallorys).unwrap();
    swap(&gateway, Method::GET, "/keyring", forged.encode());
    let open = clinic.chart(chart).await.unwrap();
    let error = failure("a forged keyring", open.read(record, None, treat()).await);
    assert!(
        matches!(&error, Error::NoCompartmentKey { detail, .. } if detail.contains("does not match the directory")),
        "{error:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_is_what_its_event_on_chain_says() {
    let (gateway, world) = start().await;
    let (_, clinic, chart) = world.treated().await;
    let open = clinic.chart(chart).await.unwrap();
    let [record, _] = two_vital_signs(&clinic, chart).await;
    let before = open.read(record, None, treat()).await.unwrap();
    open.amend(&before, Metadata::default(), b"amended").await.unwrap();
    let second = open.read(record, None, treat()).await.unwrap();
    open.amend(&second, Metadata::default(), b"amended again")
        .await
        .unwrap();
    let heard = gateway.overhear(|asked| asked.is(Method::GET, "/versions"));
    let first = open.fetch(record, Some(1), treat()).await.unwrap();
    let listed = heard.json()["versions"].clone();
    let blocks: Vec<u64> = (0..3).map(|at| listed[at]["block"].as_u64().unwrap()).collect();
    assert!(blocks.is_sorted_by(|a, b| a < b));

    let next_ones_block = move |page: &mut Value| {
        for at in 0..3 {
            page["versions"][at]["block"] = json!(blocks[(at + 1) % 3]);
        }
    };
    let next_ones_number = |page: &mut Value| {
        for at in 0..3 {
            page["versions"][at]["version"] = json!((at + 1) % 3 + 1);
        }
    };
    let refuses_all = async |case: &str| {
        for version in 1..=3 {
            let (what, _) = tampered(case, open.read(record, Some(version), treat()).await);
            assert_eq!(what, format!("version {version} of record {record}"), "{case}");
        }
        assert!(
            !asked_for(&gateway, Method::POST, "/reads"),
            "{case}: a receipt was signed"
        );
    };
    lie(&gateway, Method::GET, "/versions", next_ones_block);
    refuses_all("the next one's block").await;
    lie(&gateway, Method::GET, "/versions", next_ones_number);
    refuses_all("the next one's number").await;

    lie(&gateway, Method::GET, "/versions", |page| {
        drop(page["versions"].as_array_mut().unwrap().remove(0))
    });
    let hidden = failure("left out", open.read(record, Some(1), treat()).await);
    assert!(matches!(hidden, Error::UnknownVersion { version: 1, .. }), "{hidden:?}");

    // A pointer of the gateway's own is nothing to go by: alone it changes nothing, with a forgery nothing opens.
    let forged = Forgery::of(&first.binding, &directory(&clinic, chart).await);
    let pointer = forged.pointer();
    let point = move |page: &mut Value| page["versions"][0]["pointer"] = json!(pointer);
    lie(&gateway, Method::GET, "/versions", point);
    let read = open.read(record, Some(1), treat()).await.unwrap();
    assert_eq!((&*read.content, read.pointer), (&*before.content, before.pointer));
    gateway.rule(move |asked| match asked.is(Method::GET, "/versions") {
        true => Fate::json(point),
        false => forged.answer(asked),
    });
    let (what, _) = tampered("a forged first version", open.read(record, Some(1), treat()).await);
    assert_eq!(what, "the envelope");

    swap(&gateway, Method::POST, "/reads", first.envelope.encode());
    let (what, _) = tampered("the version before", open.read(record, None, treat()).await);
    assert_eq!(what, "the envelope");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verdict_is_the_gateways_own_about_this_question_and_this_hour() {
    let (gateway, world) = start().await;
    let (patient, clinic, chart) = world.treated().await;
    let insurer = world.insurer().await;
    patient.grant(chart, insurer.address(), treatment()).await.unwrap();
    let (chain_id, records) = (world.dev.deployment.chain_id, world.dev.deployment.records);
    let question = |purpose: &str, at| Question {
        chart,
        compartment: Label::Labs.compartment(),
        record_id: None,
        purpose: Purpose::from_code(purpose).unwrap(),
        action: Action::READ,
        at,
    };
    let research = question("HRESCH", None);
    let denied = clinic.ask(vec![research.clone()]).await.unwrap().remove(0);
    assert!(!denied.allowed);
    let allowed = clinic.ask(vec![question("TREAT", None)]).await.unwrap().remove(0);
    assert!(allowed.allowed);
    let sign = |verdicts: Vec<Verdict>, signer: &PrivateKeySigner| {
        let mut reply = DecisionReply {
            verdicts,
            signature: Bytes::new(),
            proofs: vec![],
        };
        let signature = signer.sign_hash_sync(&reply.signing_hash(chain_id, records)).unwrap();
        reply.signature = signature.as_bytes().to_vec().into();
        reply
    };
    let as_yes = |verdict: &Verdict| Verdict {
        allowed: true,
        reason: allowed.reason.clone(),
        reason_code: allowed.reason_code,
        ..verdict.clone()
    };
    let mallory = Identity::generate().unwrap();
    let insurers = insurer.ask(vec![question("TREAT", None)]).await.unwrap().remove(0);
    let tomorrow = question("TREAT", Some(now() + 80_000));
    let tomorrow = clinic.ask(vec![tomorrow]).await.unwrap().remove(0);
    assert!(tomorrow.allowed);
    let yesterday = question("TREAT", Some(now() - 80_000));
    let yesterday = clinic.ask(vec![yesterday]).await.unwrap().remove(0);

    // With the gateway's own key: about something else, or by a block that the chain does not have.
    let own = medlock::dev::gateway_key(&world.home().join("gateway.key")).unwrap();
    let but = |edit: &dyn Fn(&mut Verdict)| {
        let mut verdict = allowed.clone();
        edit(&mut verdict);
        sign(vec![verdict], &own)
    };
    let true_reply = sign(vec![allowed.clone()], &own);
    let one = || true_reply.clone();
    let with = |verdicts: &[&Verdict]| sign(verdicts.iter().map(|one| (*one).clone()).collect(), &own);
    // What was signed is another verdict.
    let put = |verdict: Verdict| DecisionReply {
        verdicts: vec![verdict],
        ..one()
    };
    let mut bare_yes = denied.clone();
    bare_yes.allowed = true;
    let by_mallory = sign(vec![as_yes(&denied)], mallory.key().unwrap());
    let (treatment, then) = (question("TREAT", None), question("TREAT", Some(now() - 50_000)));
    let (not_signed, other) = ("are not signed by the gateway", "answers another question");
    let (count, no_block) = ("not as many verdicts", "the chain does not have");
    let (contradiction, lie) = ("contradicts its own reason", "yes where the contract says no");
    let cases = [
        ("a no turned into a yes", &research, with(&[&bare_yes]), contradiction),
        (
            "another reason's text",
            &treatment,
            but(&|v| v.reason = "controller".into()),
            contradiction,
        ),
        ("a yes against the contract", &research, with(&[&as_yes(&denied)]), lie),
        ("with its reason", &research, put(as_yes(&denied)), not_signed),
        ("signed by another key", &research, by_mallory, not_signed),
        ("another purpose's yes", &research, one(), other),
        ("another party's yes", &treatment, with(&[&insurers]), other),
        ("another chart's", &treatment, but(&|v| v.chart = v.block_hash), other),
        ("another compartment's", &treatment, but(&|v| v.compartment += 1), other),
        ("a record's", &treatment, but(&|v| v.record_id = v.block_hash), other),
        (
            "another action's",
            &treatment,
            but(&|v| v.action = Action::WRITE),
            other,
        ),
        ("yesterday's", &treatment, with(&[&yesterday]), other),
        ("tomorrow's", &treatment, with(&[&tomorrow]), other),
        ("today's, of another day", &then, one(), other),
        ("none", &treatment, with(&[]), count),
        ("two", &treatment, with(&[&allowed, &allowed]), count),
        (
            "by an invented block",
            &treatment,
            but(&|v| v.block_hash = v.chart),
            no_block,
        ),
        (
            "by a block to come",
            &treatment,
            but(&|v| v.block_number += 1_000),
            no_block,
        ),
    ];
    for (case, question, reply, says) in cases {
        let reply = serde_json::to_vec(&reply).unwrap();
        gateway.rule(move |asked| match asked.is(Method::POST, "/v1/decisions") {
            true => Fate::Answer(JSON, reply.clone()),
            false => Fate::Forward,
        });
        let (doing, detail) = refused(case, clinic.ask(vec![question.clone()]).await);
        assert_eq!(doing, "a consent question", "{case}");
        assert!(detail.contains(says), "{case}: {detail}");
    }
    // An invented block beside a true one of the same number.
    let mut invented = allowed.clone();
    invented.block_hash = invented.chart;
    let reply = serde_json::to_vec(&with(&[&invented, &allowed])).unwrap();
    swap(&gateway, Method::POST, "/v1/decisions", reply);
    let (_, detail) = refused(
        "one of two",
        clinic.ask(vec![treatment.clone(), treatment.clone()]).await,
    );
    assert!(detail.contains(no_block), "{detail}");
    // What was replayed is fine where it belongs.
    let reply = serde_json::to_vec(&one()).unwrap();
    swap(&gateway, Method::POST, "/v1/decisions", reply);
    assert!(clinic.ask(vec![question("TREAT", None)]).await.unwrap()[0].allowed);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_of_the_read_log_is_proven_or_said_not_to_be() {
    let (gateway, world) = start().await;
    let (patient, clinic, chart) = world.treated().await;
    let open = clinic.chart(chart).await.unwrap();
    for record in clinic.records(chart, None).await.unwrap().iter().take(3) {
        open.read(record.record_id, None, treat()).await.unwrap();
    }
    let (chain_id, records) = (world.dev.deployment.chain_id, world.dev.deployment.records);
    let heard = gateway.overhear(|asked| asked.is(Method::GET, "/reads"));
    let proven = |reads: Vec<Read>| reads.iter().map(|read| read.proven).collect::<Vec<_>>();
    assert_eq!(proven(patient.reads(chart).await.unwrap()), [true; 3]);
    let page: api::Reads = serde_json::from_value(heard.json()).unwrap();
    let [a, b, c] = page.reads.try_into().expect("three entries");

    let edited = |entry: &ReadEntry, edit: &dyn Fn(&mut ReadEntry)| {
        let mut entry = entry.clone();
        edit(&mut entry);
        entry
    };
    // Hashed anew, as the gateway can; and signed anew by the reader, as it cannot.
    let hashed = |entry: &ReadEntry, edit: &dyn Fn(&mut ReadEntry)| {
        let mut entry = edited(entry, edit);
        entry.hash = entry.link_hash(chain_id, records);
        entry
    };
    let signed = |entry: &ReadEntry, edit: &dyn Fn(&mut ReadEntry)| {
        let mut entry = edited(entry, edit);
        let hash = entry.receipt.signing_hash(chain_id, records);
        let signature = clinic.identity().key().unwrap().sign_hash_sync(&hash).unwrap();
        entry.signature = signature.as_bytes().to_vec().into();
        entry.hash = entry.link_hash(chain_id, records);
        entry
    };
    let somebody = Address::repeat_byte(9);
    let (yes, no) = (true, false);
    let again = hashed(&a, &|entry| (entry.sequence, entry.previous) = (c.sequence + 1, c.hash));
    let cases = [
        (
            "an entry twice",
            vec![a.clone(), b.clone(), b.clone(), c.clone()],
            vec![yes, yes, no, yes],
        ),
        (
            "an entry again, hung on the end",
            vec![a.clone(), b.clone(), c.clone(), again],
            vec![yes, yes, yes, no],
        ),
        (
            "two entries the other way round",
            vec![b.clone(), a.clone(), c.clone()],
            vec![yes, no, yes],
        ),
        (
            "after the last number there is",
            vec![hashed(&a, &|entry| entry.sequence = u64::MAX), b.clone()],
            vec![yes, no],
        ),
        (
            "another reader",
            vec![edited(&a, &|entry| entry.receipt.reader = somebody)],
            vec![no],
        ),
        (
            "another reader, hashed anew",
            vec![hashed(&a, &|entry| entry.receipt.reader = somebody)],
            vec![no],
        ),
        (
            "for another organisation, hashed anew",
            vec![hashed(&a, &|entry| entry.receipt.organisation = somebody)],
            vec![no],
        ),
        (
            "another record",
            vec![hashed(&a, &|entry| entry.receipt.record_id = b.receipt.record_id)],
            vec![no],
        ),
        (
            "another time of reading",
            vec![hashed(&a, &|entry| entry.receipt.read_at -= 1)],
            vec![no],
        ),
        (
            "another time of receipt",
            vec![edited(&a, &|entry| entry.received_at -= 1)],
            vec![no],
        ),
        ("another block", vec![edited(&a, &|entry| entry.block -= 1)], vec![no]),
        (
            "another basis, in words",
            vec![edited(&a, &|entry| entry.reason = "controller".into())],
            vec![no],
        ),
        (
            "another signature",
            vec![hashed(&a, &|entry| entry.signature = b.signature.clone())],
            vec![no],
        ),
        (
            "no signature",
            vec![hashed(&a, &|entry| entry.signature = Bytes::new())],
            vec![no],
        ),
        (
            "another chart's read",
            vec![signed(&a, &|entry| entry.receipt.chart = somebody.into_word())],
            vec![no],
        ),
        (
            "another gateway's read",
            vec![signed(&a, &|entry| entry.receipt.gateway = somebody)],
            vec![no],
        ),
        (
            "off the chain",
            vec![a.clone(), hashed(&b, &|entry| entry.previous = B256::ZERO)],
            vec![yes, no],
        ),
        (
            "its neighbour off the chain",
            vec![hashed(&a, &|entry| entry.received_at -= 1), b.clone()],
            vec![yes, no],
        ),
    ];
    for (case, reads, expected) in cases {
        let reply = serde_json::to_vec(&api::Reads { reads, next: None }).unwrap();
        swap(&gateway, Method::GET, "/reads", reply);
        assert_eq!(proven(patient.reads(chart).await.unwrap()), expected, "{case}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_of_another_deployment_gets_no_sign_in() {
    let (gateway, world) = start().await;
    let somebody = world.newcomer().await.identity().clone();
    let elsewhere = json!(Address::repeat_byte(7));
    let cases = [
        ("records", elsewhere.clone(), "contract address"),
        ("registry", elsewhere, "contract address"),
        ("chain_id", json!(1), "chain id"),
        ("genesis_hash", json!(B256::repeat_byte(7)), "genesis block"),
    ];
    for (field, value, says) in cases {
        let client = world.dev.client(somebody.clone()).await.unwrap();
        lie(&gateway, Method::GET, "/v1/deployment", move |answer| {
            answer[field] = value.clone()
        });
        let error = failure(field, client.grants(None).await);
        assert!(
            matches!(&error, Error::OtherDeployment { detail } if detail.contains(says)),
            "{error:?}"
        );
        assert!(
            gateway
                .seen()
                .iter()
                .all(|asked| asked.is(Method::GET, "/v1/deployment"))
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_message_for_anything_else_is_not_signed() {
    let (gateway, world) = start().await;
    let client = world.newcomer().await;
    type Edit = fn(&mut siwe::Message);
    let cases: [(&str, Edit); 6] = [
        ("another statement", |message| {
            message.statement = "I sell my house.".into()
        }),
        ("another address of the site", |message| {
            message.uri = "http://bank.example".into()
        }),
        ("for ever", |message| message.expiration_time += 1_000_000_000),
        ("another domain", |message| message.domain = "bank.example".into()),
        ("another account", |message| message.address = Address::repeat_byte(7)),
        ("another chain", |message| message.chain_id = 1),
    ];
    for (case, edit) in cases {
        lie(&gateway, Method::POST, "/v1/sessions/challenge", move |challenge| {
            let mut message = siwe::Message::parse(challenge["message"].as_str().unwrap()).unwrap();
            edit(&mut message);
            challenge["message"] = json!(message.to_text());
        });
        let (doing, _) = refused(case, client.grants(None).await);
        assert_eq!(doing, "sign-in", "{case}");
        assert!(
            !asked_for(&gateway, Method::POST, "/v1/sessions"),
            "{case}: it was signed"
        );
    }
    lie(&gateway, Method::POST, "/v1/sessions/challenge", |challenge| {
        let text = challenge["message"].as_str().unwrap();
        challenge["message"] = json!(format!("{text}\nResources:\n- https://bank.example/transfer"));
    });
    let (doing, _) = refused("more than a sign-in", client.grants(None).await);
    assert_eq!(doing, "sign-in");
    assert!(!asked_for(&gateway, Method::POST, "/v1/sessions"), "it was signed");
    gateway.honest();
    assert_eq!(client.grants(None).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_without_an_end_are_given_up() {
    let (gateway, world) = start().await;
    let (patient, chart) = world.patient().await;
    gateway.rule(|asked| match asked.is(Method::GET, "/records") {
        true => Fate::Answer(JSON, br#"{"records":[],"next":"1"}"#.to_vec()),
        false => Fate::Forward,
    });
    let (_, detail) = refused("pages", patient.records(chart, None).await);
    assert!(detail.contains("does not end"), "{detail}");
    assert!(gateway.seen().len() <= 2_001, "{} requests", gateway.seen().len());

    let long = vec![b' '; (16 << 20) + 1];
    for (tail, method) in [("/records", Method::GET), ("/directory", Method::GET)] {
        let long = long.clone();
        let asks = move |asked: &Asked| asked.is(method.clone(), tail);
        gateway.rule(move |asked| match asks(asked) {
            true => Fate::Answer(JSON, long.clone()),
            false => Fate::Forward,
        });
        let (_, detail) = match tail {
            "/records" => refused(tail, patient.records(chart, None).await),
            _ => refused(tail, patient.chart(chart).await),
        };
        assert!(detail.contains("longer than"), "{tail}: {detail}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_is_on_chain_only_after_the_gateway_has_all_of_it() {
    let (gateway, world) = start().await;
    let (patient, chart) = world.patient().await;
    let open = patient.chart(chart).await.unwrap();
    lie(&gateway, Method::POST, "/v1/blocks", |uploaded| {
        uploaded["blocks"] = json!(1)
    });
    let record = B256::repeat_byte(1);
    let document = NewDocument {
        record_id: record,
        compartment: Label::Labs.compartment(),
        metadata: Metadata::default(),
        content: b"5.4 mmol/L".to_vec().into(),
    };
    let (doing, _) = refused("one block stored", open.add(vec![document], |_| ()).await);
    assert_eq!(doing, "upload");
    assert_eq!(version_on_chain(&world, chart, record).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_signed_for_another_chain() {
    let (gateway, world) = start().await;
    let node = Proxy::before(&world.dev.endpoints.rpc).await;
    let party = world.newcomer().await;
    let misled = through(&world, &node, &gateway, party.identity()).await.unwrap();
    let mainnet = |asked: &Asked| match asked.json()["method"] == "eth_chainId" {
        true => Fate::json(|answer| answer["result"] = json!("0x1")),
        false => Fate::Forward,
    };
    node.rule(mainnet);
    misled.publish_key().await.unwrap();
    let sent: Vec<TxEnvelope> = node
        .seen()
        .iter()
        .map(Asked::json)
        .filter(|asked| asked["method"] == "eth_sendRawTransaction")
        .map(|asked| {
            let raw: Bytes = serde_json::from_value(asked["params"][0].clone()).unwrap();
            TxEnvelope::decode_2718(&mut raw.as_ref()).unwrap()
        })
        .collect();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].chain_id(), Some(world.dev.deployment.chain_id));

    let other = failure(
        "another chain id",
        through(&world, &node, &gateway, party.identity()).await,
    );
    assert!(
        matches!(
            other,
            Error::Deployment(medlock_deployment::Error::OtherChain { found: 1, .. })
        ),
        "{other:?}"
    );
}

/// The program names it by its exit code, and leaves what stands at `--out` as it was.
#[tokio::test(flavor = "multi_thread")]
async fn the_program_writes_no_altered_record() {
    let (gateway, world) = start().await;
    let secrets = Secrets::generate(&mut rng(), Suite::X25519);
    let key = world.home().join("patient.keyfile");
    identity::create(&key, &secrets, "correct horse").unwrap();
    let patient = world.as_client(Identity::new(&secrets).unwrap()).await;
    let (chart, _) = patient
        .open_chart(&medlock_client::default_labels(), Suite::X25519)
        .await
        .unwrap();
    let record = B256::repeat_byte(1);
    let document = NewDocument {
        record_id: record,
        compartment: Label::Labs.compartment(),
        metadata: Metadata::default(),
        content: b"5.4 mmol/L".to_vec().into(),
    };
    patient
        .chart(chart)
        .await
        .unwrap()
        .add(vec![document], |_| ())
        .await
        .unwrap();

    let dir = world.home().join("out");
    std::fs::create_dir(&dir).unwrap();
    let (fresh, kept) = (dir.join("fresh"), dir.join("kept"));
    std::fs::write(&kept, "before").unwrap();
    let show = |out: &std::path::Path| {
        let (chart, record) = (chart.to_string(), record.to_string());
        let out = out.to_str().unwrap();
        world.medlock(
            Some(&key),
            &["record", "show", &chart, &record, "--purpose", "PATRQT", "--out", out],
        )
    };
    gateway.rule(|asked| match asked.is(Method::GET, "/payload") {
        true => Fate::change(|car| *car.last_mut().unwrap() ^= 1),
        false => Fate::Forward,
    });
    for out in [&fresh, &kept] {
        let shown = show(out);
        let said = String::from_utf8_lossy(&shown.stderr);
        assert_eq!(shown.status.code(), Some(5), "{said}");
        assert!(said.contains("the payload is not what the chain says it is"), "{said}");
        assert!(shown.stdout.is_empty());
    }
    assert!(medlock_tests::files(&dir).iter().eq([&kept]), "nothing was written");
    assert_eq!(std::fs::read(&kept).unwrap(), b"before");

    gateway.honest();
    assert!(show(&kept).status.success());
    assert_eq!(std::fs::read(&kept).unwrap(), b"5.4 mmol/L");
}

/// A client that asks `node` for the chain and `gateway` for the rest.
async fn through(world: &World, node: &Proxy, gateway: &Proxy, identity: &Identity) -> Result<Client, Error> {
    let endpoints = Endpoints {
        rpc: node.url(),
        gateway: gateway.url(),
    };
    Client::connect(&endpoints, world.dev.deployment.clone(), identity.clone()).await
}

/// Whether a request to a node is this call of a contract.
fn is_call<C: SolCall>(asked: &Asked) -> bool {
    let request = asked.json();
    let input = &request["params"][0]["input"];
    let selector = alloy::hex::encode_prefixed(C::SELECTOR);
    request["method"] == "eth_call" && input.as_str().is_some_and(|input| input.starts_with(&selector))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_anchor_of_a_read_is_the_chains_or_said_not_to_be() {
    let (gateway, world) = start().await;
    let (patient, clinic, chart) = world.treated().await;
    let open = clinic.chart(chart).await.unwrap();
    for record in clinic.records(chart, None).await.unwrap().iter().take(3) {
        open.read(record.record_id, None, treat()).await.unwrap();
    }
    let states = |reads: Vec<Read>| reads.iter().map(|read| read.anchoring).collect::<Vec<_>>();
    // Without funds and a credential nothing is anchored, and nothing else is claimed.
    let waiting = states(patient.reads(chart).await.unwrap());
    assert!(
        waiting.iter().all(|one| matches!(one, Anchoring::Waiting { .. })),
        "{waiting:?}"
    );
    let account = medlock::dev::gateway_key(&world.home().join("gateway.key"))
        .unwrap()
        .address();
    world.fund(account).await;
    world.credential(account, role::GATEWAY).await;
    eventually("the receipts are anchored", || async {
        let states = states(patient.reads(chart).await.unwrap());
        states
            .iter()
            .all(|one| matches!(one, Anchoring::Anchored { block: Some(_), .. }))
            .then_some(())
    })
    .await;
    let heard = gateway.overhear(|asked| asked.is(Method::GET, "/reads"));
    patient.reads(chart).await.unwrap();
    let page: api::Reads = serde_json::from_value(heard.json()).unwrap();
    let entry = page.reads[0].clone();
    let said = |edit: &dyn Fn(&mut ReadEntry)| {
        let mut entry = entry.clone();
        edit(&mut entry);
        vec![entry]
    };
    let anchor = |edit: &dyn Fn(&mut api::ReadAnchor)| said(&|entry| edit(entry.anchor.as_mut().unwrap()));
    let (refuted, waits) = (true, false);
    let cases = [
        ("another root", anchor(&|a| a.root = a.previous), refuted),
        ("another path", anchor(&|a| a.path.push(a.root)), refuted),
        ("another place", anchor(&|a| a.position += 1), refuted),
        ("another count", anchor(&|a| a.count += 1), refuted),
        ("another anchor before it", anchor(&|a| a.previous = a.root), refuted),
        ("another time", said(&|entry| entry.received_at -= 1), refuted),
        (
            "another reader",
            said(&|entry| entry.receipt.reader = entry.receipt.gateway),
            refuted,
        ),
        ("an anchor to come", anchor(&|a| a.index += 1_000), waits),
        ("none", said(&|entry| entry.anchor = None), waits),
    ];
    for (case, reads, is_refuted) in cases {
        let reply = serde_json::to_vec(&api::Reads { reads, next: None }).unwrap();
        swap(&gateway, Method::GET, "/reads", reply);
        let states = states(patient.reads(chart).await.unwrap());
        match states[..] {
            [Anchoring::Refuted { .. }] if is_refuted => (),
            [Anchoring::Waiting { .. }] if !is_refuted => (),
            _ => panic!("{case}: {states:?}"),
        }
    }
    // The block is looked up as well: one that has no such anchor is not repeated.
    let reads = anchor(&|a| a.block = Some(1));
    let reply = serde_json::to_vec(&api::Reads { reads, next: None }).unwrap();
    swap(&gateway, Method::GET, "/reads", reply);
    let states = states(patient.reads(chart).await.unwrap());
    assert!(
        matches!(states[..], [Anchoring::Anchored { block: None, .. }]),
        "{states:?}"
    );
}
