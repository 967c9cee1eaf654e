//! A reader that is a contract, from its grant to the patient's log.

use alloy::{
    network::TransactionBuilder as _,
    primitives::{Address, B256, Bytes},
    providers::Provider as _,
    rpc::types::TransactionRequest,
    signers::SignerSync as _,
    sol,
    sol_types::{SolCall as _, SolValue as _},
};
use medlock_abi::registry::IRegistry;
use medlock_client::{
    Client, Read,
    api::{self, ReadEntry, ReadRequest, Receipt},
    identity::rng,
    now,
};
use medlock_dag::{Block, dag_cbor_cid};
use medlock_solidity::compile;
use medlock_tests::{
    World,
    proxy::{Fate, Proxy},
    treat, treatment,
};
use medlock_vault::{EncryptionKey, Suite, rand_core::Rng};
use reqwest::{Method, Response};
use serde_json::{Value, json};

/// What `anvil_mine` takes.
const BLOCKS_AT_ONCE: u64 = 10_000;

sol! {
    interface ISmartAccount {
        function setOwner(address next) external;
        function execute(address to, bytes calldata data) external;
    }
}

/// The account of `owner`, deployed, with a key in the registry.
async fn smart_account(world: &World, owner: &Client) -> Address {
    let code = compile("tests/solidity/contracts/SmartAccount.sol", "SmartAccount");
    let code = [code, owner.address().abi_encode()].concat();
    let request = TransactionRequest::default().with_deploy_code(code);
    let pending = owner.chain().provider().send_transaction(request).await.unwrap();
    let account = pending.get_receipt().await.unwrap().contract_address.unwrap();
    let key = EncryptionKey::generate(&mut rng(), Suite::default()).public_key();
    let publish = IRegistry::publishKeyCall {
        actor: account,
        version: 1,
        suite: key.suite().id(),
        key: key.as_bytes().to_vec().into(),
    };
    let execute = ISmartAccount::executeCall {
        to: world.dev.deployment.registry,
        data: publish.abi_encode().into(),
    };
    owner.chain().send(account, execute).await.unwrap();
    account
}

/// The account at the gateway, without our client, which acts for keys.
struct Desk<'a> {
    http: reqwest::Client,
    gateway: String,
    account: Address,
    owner: &'a Client,
    token: String,
}

impl<'a> Desk<'a> {
    async fn sign_in(gateway: String, account: Address, owner: &'a Client) -> Self {
        let http = reqwest::Client::new();
        let post = async |path: &str, body: Value| -> Value {
            let sent = http.post(format!("{gateway}{path}")).json(&body).send().await.unwrap();
            sent.error_for_status().unwrap().json().await.unwrap()
        };
        let challenge = post("/v1/sessions/challenge", json!({ "account": account })).await;
        let message = challenge["message"].as_str().unwrap();
        let signature = owner
            .identity()
            .key()
            .unwrap()
            .sign_message_sync(message.as_bytes())
            .unwrap();
        let answer = json!({ "message": message, "signature": signature.to_string() });
        let token = post("/v1/sessions", answer).await["token"].as_str().unwrap().to_owned();
        Self {
            http,
            gateway,
            account,
            owner,
            token,
        }
    }

    async fn read(&self, world: &World, chart: B256, version: &api::Version) -> Response {
        let served: api::Deployment = self
            .http
            .get(format!("{}/v1/deployment", self.gateway))
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        let mut nonce = B256::ZERO;
        rng().fill_bytes(nonce.as_mut_slice());
        let receipt = Receipt {
            chart,
            record_id: version.record_id,
            version: version.version,
            pointer: version.pointer,
            reader: self.account,
            organisation: Address::ZERO,
            purpose: treat(),
            gateway: served.gateway,
            read_at: now(),
            nonce,
        };
        let deployment = &world.dev.deployment;
        let hash = receipt.signing_hash(deployment.chain_id, deployment.records);
        let signature = self
            .owner
            .identity()
            .key()
            .unwrap()
            .sign_hash_sync(&hash)
            .unwrap()
            .as_bytes();
        let path = format!(
            "/v1/charts/{chart}/records/{}/versions/{}/reads",
            version.record_id, version.version
        );
        let request = ReadRequest {
            receipt,
            signature: signature.to_vec().into(),
        };
        let sent = self
            .http
            .post(format!("{}{path}", self.gateway))
            .bearer_auth(&self.token)
            .json(&request);
        sent.send().await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contracts_read_is_proven_to_the_patient_for_as_long_as_the_node_knows() {
    let gateway = Proxy::start().await;
    let world = World::behind(&gateway).await;
    let (patient, clinic, chart) = world.treated().await;
    let owner = world.newcomer().await;
    let account = smart_account(&world, &owner).await;
    patient.grant(chart, account, treatment()).await.unwrap();
    let desk = Desk::sign_in(gateway.url(), account, &owner).await;
    let version = clinic.records(chart, None).await.unwrap().remove(0);
    let answer = desk.read(&world, chart, &version).await.error_for_status().unwrap();
    let envelope = answer.bytes().await.unwrap().to_vec();
    Block::verify(dag_cbor_cid(version.pointer.0), envelope).unwrap();

    let heard = gateway.overhear(|asked| asked.is(Method::GET, "/reads"));
    let known = |reads: &[Read]| {
        reads
            .iter()
            .map(|read| (read.proven, read.checkable))
            .collect::<Vec<_>>()
    };
    let reads = patient.reads(chart).await.unwrap();
    assert_eq!(
        (known(&reads), reads[0].entry.receipt.reader),
        (vec![(true, true)], account)
    );
    let page: api::Reads = serde_json::from_value(heard.json()).unwrap();
    let entry = page.reads[0].clone();

    // The owner goes: what they signed while they were it stays theirs, and what they sign now is nobody's.
    let next = world.newcomer().await;
    let change = owner
        .chain()
        .send(account, ISmartAccount::setOwnerCall { next: next.address() })
        .await
        .unwrap();
    let refused = desk.read(&world, chart, &version).await;
    assert_eq!(refused.status(), 422, "{:?}", refused.text().await);
    assert_eq!(known(&patient.reads(chart).await.unwrap()), [(true, true)]);

    let deployment = &world.dev.deployment;
    let hashed = |edit: &dyn Fn(&mut ReadEntry)| {
        let mut entry = entry.clone();
        edit(&mut entry);
        entry.hash = entry.link_hash(deployment.chain_id, deployment.records);
        entry
    };
    let changed = world
        .chain()
        .provider()
        .get_block_by_number(change.block.into())
        .await
        .unwrap()
        .unwrap();
    let no_block = B256::repeat_byte(0xbb);
    let cases = [
        (
            "another record",
            hashed(&|entry| entry.receipt.record_id = B256::ZERO),
            (false, true),
        ),
        (
            "another reader",
            hashed(&|entry| entry.receipt.reader = clinic.address()),
            (false, true),
        ),
        (
            "no signature",
            hashed(&|entry| entry.signature = Bytes::new()),
            (false, true),
        ),
        (
            "too long a signature",
            hashed(&|entry| entry.signature = vec![1; 5000].into()),
            (false, true),
        ),
        (
            "after the owner went",
            hashed(&|entry| entry.block_hash = changed.header.hash),
            (false, true),
        ),
        (
            "a block that is none",
            hashed(&|entry| entry.block_hash = no_block),
            (false, false),
        ),
    ];
    for (case, entry, expected) in cases {
        let reply = serde_json::to_vec(&api::Reads {
            reads: vec![entry],
            next: None,
        })
        .unwrap();
        gateway.rule(move |asked| match asked.is(Method::GET, "/reads") {
            true => Fate::replace(reply.clone()),
            false => Fate::Forward,
        });
        assert_eq!(known(&patient.reads(chart).await.unwrap()), [expected], "{case}");
    }
    gateway.honest();

    // The node forgets the states of old blocks: that makes nobody a forger.
    let mut forgets = medlock_anvil::STATE_HISTORY_BLOCKS + 1;
    while forgets > 0 {
        let some = forgets.min(BLOCKS_AT_ONCE);
        let chain = world.chain();
        let mine = chain
            .provider()
            .raw_request::<_, Value>("anvil_mine".into(), (format!("{some:#x}"),));
        mine.await.unwrap();
        forgets -= some;
    }
    world.indexed().await;
    assert_eq!(known(&patient.reads(chart).await.unwrap()), [(false, false)]);
}
