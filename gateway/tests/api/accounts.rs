//! Accounts that are contracts: whom they let in, what they read, and what is refused whatever they answer (EIP-1271, EIP-6492).
use std::process::Stdio;

use alloy::{
    primitives::{Bytes, TxKind},
    sol,
    sol_types::SolValue as _,
};
use medlock_api::account;
use medlock_gateway::{CODE_SESSION_SECONDS, SESSION_SECONDS};
use medlock_solidity::compile;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

use super::*;

sol! {
    interface ISmartAccount {
        function setOwner(address next) external;
    }
    interface IFactory {
        function create(address owner, bytes32 salt) external returns (address);
        function addressOf(address owner, bytes32 salt) external view returns (address);
        function fail() external pure;
        function createAndBurn(address owner, bytes32 salt) external;
        function createAndTalk(address owner, bytes32 salt) external;
    }
    interface IMoody {
        function become(uint8 mood) external;
    }
}

const SALT: B256 = B256::repeat_byte(0x5a);
const ACCOUNTS: &str = "tests/solidity/contracts/SmartAccount.sol";
const MOODY: &str = "tests/contracts/tests/solidity/Accounts.sol";
/// What an account of [`MOODY`] can be told to do, but to confirm: refuse, revert, burn all gas, or answer the magic value in four bytes, with more
/// behind it, with dirt in the padding, or after it tried to write.
const MOODS: [u8; 7] = [1, 2, 3, 4, 5, 6, 8];

/// What is wrapped around a signature where the account is not deployed yet.
fn wrapped(factory: Address, call: impl SolCall, signature: &[u8]) -> Vec<u8> {
    let parts = (
        factory,
        Bytes::from(call.abi_encode()),
        Bytes::copy_from_slice(signature),
    );
    [parts.abi_encode_params(), [0x64, 0x92].repeat(16)].concat()
}

/// By `owner`, of the account that `factory` makes with [`SALT`].
fn create(owner: &PrivateKeySigner) -> IFactory::createCall {
    IFactory::createCall {
        owner: owner.address(),
        salt: SALT,
    }
}

/// Puts contracts on a chain, and asks them.
struct Deployer(DynProvider<Ethereum>);

impl Deployer {
    fn on(url: &str) -> Self {
        Self(provider(url, &medlock_anvil::dev_accounts()[0].signer))
    }

    async fn deploy(&self, file: &str, contract: &str, argument: Option<Address>) -> Address {
        let argument = argument.map(|address| address.abi_encode()).unwrap_or_default();
        let code = [compile(file, contract), argument].concat();
        let request = TransactionRequest::default().with_deploy_code(code);
        let pending = self.0.send_transaction(request).await.unwrap();
        pending.get_receipt().await.unwrap().contract_address.unwrap()
    }

    async fn send(&self, to: Address, call: impl SolCall) {
        let request = TransactionRequest::default().with_to(to).with_input(call.abi_encode());
        let pending = self.0.send_transaction(request).await.unwrap();
        assert!(pending.get_receipt().await.unwrap().status());
    }

    async fn address_of(&self, factory: Address, owner: &PrivateKeySigner) -> Address {
        let call = IFactory::addressOfCall {
            owner: owner.address(),
            salt: SALT,
        };
        let request = TransactionRequest::default()
            .with_to(factory)
            .with_input(call.abi_encode());
        IFactory::addressOfCall::abi_decode_returns(&self.0.call(request).await.unwrap()).unwrap()
    }

    async fn confirms(&self, account: Address, digest: B256, signature: &[u8]) -> bool {
        let request = TransactionRequest::default()
            .with_from(account::ASKER)
            .with_kind(TxKind::Create)
            .with_input(account::question(account, digest, signature).unwrap())
            .with_gas_limit(account::QUESTION_GAS);
        account::is_yes(&self.0.call(request).await.expect("the question never fails"))
    }
}

/// Foundry's, as tools/setup-node.sh --tests installs it, and its URL.
async fn foundrys_anvil() -> (Child, String) {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let tools = std::env::var_os("MEDLOCK_TOOLS").map_or_else(|| root.join(".tools"), PathBuf::from);
    let mut process = Command::new(tools.join("node/node_modules/.bin/anvil"))
        .args(["--port", "0"])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("Foundry's anvil: run tools/setup-node.sh --tests");
    let mut output = BufReader::new(process.stdout.take().unwrap()).lines();
    let listening = async {
        loop {
            let line = output.next_line().await.unwrap().expect("anvil ended");
            if let Some(address) = line.strip_prefix("Listening on ") {
                return format!("http://{}", address.trim());
            }
        }
    };
    let url = tokio::time::timeout(PATIENCE, listening).await.unwrap();
    // It would wait for a reader once the pipe is full. Ends with the process.
    tokio::spawn(async move { while let Ok(Some(_)) = output.next_line().await {} });
    (process, url)
}

#[tokio::test(flavor = "multi_thread")]
async fn our_chain_and_foundrys_answer_the_question_alike() {
    let ours = medlock_anvil::spawn(Default::default()).await.unwrap();
    let (_process, foundrys) = foundrys_anvil().await;
    let [owner, stranger] = [1, 2].map(|i: usize| medlock_anvil::dev_accounts()[i].signer.clone());
    let digest = B256::repeat_byte(0xd1);
    let [right, wrong] = [&owner, &stranger].map(|signer| signer.sign_hash_sync(&digest).unwrap().as_bytes());
    for url in [ours.url(), foundrys] {
        let chain = Deployer::on(&url);
        let account = chain.deploy(ACCOUNTS, "SmartAccount", Some(owner.address())).await;
        assert!(chain.confirms(account, digest, &right).await, "{url}");
        assert!(!chain.confirms(account, digest, &wrong).await, "{url}");
        assert!(!chain.confirms(account, B256::ZERO, &right).await, "{url}");
        assert!(!chain.confirms(account, digest, &[]).await, "{url}");
        // Nobody's code, a precompile's, and one that repeats what it is asked.
        for empty in [
            owner.address(),
            Address::ZERO,
            Address::with_last_byte(2),
            Address::with_last_byte(4),
        ] {
            assert!(!chain.confirms(empty, digest, &right).await, "{url}: {empty}");
        }

        let factory = chain.deploy(ACCOUNTS, "Factory", None).await;
        let later = chain.address_of(factory, &owner).await;
        let (owner_, salt) = (owner.address(), SALT);
        assert!(
            !chain.confirms(later, digest, &right).await,
            "{url}: it is not there yet"
        );
        assert!(
            chain
                .confirms(later, digest, &wrapped(factory, create(&owner), &right))
                .await,
            "{url}"
        );
        let burns = IFactory::createAndBurnCall { owner: owner_, salt };
        let talks = IFactory::createAndTalkCall { owner: owner_, salt };
        assert!(
            !chain.confirms(later, digest, &wrapped(factory, burns, &right)).await,
            "{url}"
        );
        assert!(
            chain.confirms(later, digest, &wrapped(factory, talks, &right)).await,
            "{url}"
        );
        for no in [
            wrapped(factory, create(&owner), &wrong),
            wrapped(factory, create(&stranger), &wrong),
            wrapped(factory, IFactory::failCall {}, &right),
            wrapped(stranger.address(), create(&owner), &right),
        ] {
            assert!(!chain.confirms(later, digest, &no).await, "{url}");
        }
        // It was never deployed; and once it is, the factory is not asked.
        assert!(chain.0.get_code_at(later).await.unwrap().is_empty(), "{url}");
        chain.send(factory, create(&owner)).await;
        let fails = wrapped(factory, IFactory::failCall {}, &right);
        assert!(chain.confirms(later, digest, &fails).await, "{url}");
        // Nor anything else that would make a no into a yes.
        let careless = chain.deploy(ACCOUNTS, "CarelessAccount", Some(owner.address())).await;
        let takes = ISmartAccount::setOwnerCall {
            next: stranger.address(),
        };
        assert!(chain.confirms(careless, digest, &right).await, "{url}");
        assert!(
            !chain
                .confirms(careless, digest, &wrapped(careless, takes, &wrong))
                .await,
            "{url}"
        );

        let moody = chain.deploy(MOODY, "Account", Some(factory)).await;
        assert!(chain.confirms(moody, digest, &right).await, "{url}");
        for mood in MOODS {
            chain.send(moody, IMoody::becomeCall { mood }).await;
            assert!(!chain.confirms(moody, digest, &right).await, "{url}: mood {mood}");
        }
    }
    ours.shutdown().await;
}

impl World {
    fn deployer(&self) -> Deployer {
        Deployer::on(&self.chain.url())
    }

    /// A message for `account` to sign.
    async fn message(&self, account: Address) -> String {
        let body = json!({ "account": account });
        let challenge: Value = ok(self.request(Method::POST, "/v1/sessions/challenge").json(&body)).await;
        challenge["message"].as_str().unwrap().to_owned()
    }

    fn answer(&self, message: &str, signature: &[u8]) -> RequestBuilder {
        let body = json!({ "message": message, "signature": Bytes::copy_from_slice(signature) });
        self.request(Method::POST, "/v1/sessions").json(&body)
    }

    /// The session of `account` that `signature` of a fresh message opens.
    async fn let_in(&self, account: Address, signature: impl Fn(&str) -> Vec<u8>) -> medlock_api::Session {
        let message = self.message(account).await;
        let session: medlock_api::Session = ok(self.answer(&message, &signature(&message))).await;
        assert_eq!(session.account, account);
        session
    }

    async fn kept_out(&self, account: Address, signature: impl Fn(&str) -> Vec<u8>) {
        let message = self.message(account).await;
        let problem = refused(self.answer(&message, &signature(&message)), Kind::SignInRefused).await;
        assert_eq!(problem.reason.as_deref(), Some("signature"));
    }
}

fn by(owner: &PrivateKeySigner) -> impl Fn(&str) -> Vec<u8> {
    move |message: &str| owner.sign_message_sync(message.as_bytes()).unwrap().as_bytes().to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contract_is_let_in_by_its_owner_and_by_nobody_else() {
    let world = World::start().await;
    let chain = world.deployer();
    let [owner, next] = [&world.patient, &world.stranger];
    let account = chain.deploy(ACCOUNTS, "SmartAccount", Some(owner.address())).await;
    let grants = |token: &str| world.get(token, "/v1/grants");

    let message = world.message(account).await;
    let session: medlock_api::Session = ok(world.answer(&message, &by(owner)(&message))).await;
    // Shorter than a key's: its owners can change.
    assert!(session.expires_at <= now() + CODE_SESSION_SECONDS && CODE_SESSION_SECONDS < SESSION_SECONDS);
    let _: medlock_api::Grants = ok(grants(&session.token)).await;
    let again = refused(world.answer(&message, &by(owner)(&message)), Kind::SignInRefused).await;
    assert_eq!(again.reason.as_deref(), Some("nonce"));
    // Another site's message, and one that nobody was given.
    let message = world.message(account).await;
    for (edit, reason) in [
        (message.replace("127.0.0.1", "127.0.0.2"), "domain"),
        (
            message.replace(&account.to_checksum(None), &next.address().to_checksum(None)),
            "nonce",
        ),
    ] {
        let problem = refused(world.answer(&edit, &by(owner)(&edit)), Kind::SignInRefused).await;
        assert_eq!(problem.reason.as_deref(), Some(reason));
    }
    // A key's signature for the contract's address, the contract's for its owner's, none, and one that is too long.
    world.kept_out(account, by(next)).await;
    world.kept_out(owner.address(), by(next)).await;
    world.kept_out(account, |_| Vec::new()).await;
    world
        .kept_out(account, |_| vec![0; account::SIGNATURE_BYTES_MOST + 1])
        .await;

    // Who was its owner is not any more: the new one comes in, and ends what the old one left open.
    let owners = Deployer(provider(&world.chain.url(), owner));
    owners
        .send(account, ISmartAccount::setOwnerCall { next: next.address() })
        .await;
    world.kept_out(account, by(owner)).await;
    let theirs = world.let_in(account, by(next)).await;
    let ends = world
        .request(Method::DELETE, "/v1/sessions/all")
        .bearer_auth(&theirs.token);
    assert_eq!(answer(ends, None).await.0, StatusCode::NO_CONTENT);
    refused(grants(&session.token), Kind::NoSession).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contract_that_is_not_deployed_yet_is_let_in_and_stays_undeployed() {
    let world = World::start().await;
    let chain = world.deployer();
    let [owner, stranger] = [&world.patient, &world.stranger];
    let factory = chain.deploy(ACCOUNTS, "Factory", None).await;
    let account = chain.address_of(factory, owner).await;
    let whole = |signer: &PrivateKeySigner, creates: &PrivateKeySigner, message: &str| {
        wrapped(factory, create(creates), &by(signer)(message))
    };
    let head = chain.0.get_block_number().await.unwrap();
    world.let_in(account, |message| whole(owner, owner, message)).await;
    assert!(chain.0.get_code_at(account).await.unwrap().is_empty());
    assert_eq!(chain.0.get_block_number().await.unwrap(), head, "nothing was sent");
    world.kept_out(account, by(owner)).await;
    world.kept_out(account, |message| whole(stranger, owner, message)).await;
    world
        .kept_out(account, |message| whole(stranger, stranger, message))
        .await;
    world
        .kept_out(account, |message| {
            wrapped(factory, IFactory::failCall {}, &by(owner)(message))
        })
        .await;
    world
        .kept_out(account, |message| {
            [by(owner)(message), [0x64, 0x92].repeat(16)].concat()
        })
        .await;
    chain.send(factory, create(owner)).await;
    world.let_in(account, by(owner)).await;
    world.let_in(account, |message| whole(owner, owner, message)).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contract_that_answers_anything_but_yes_lets_nobody_in() {
    let world = World::start().await;
    let chain = world.deployer();
    let moody = chain.deploy(MOODY, "Account", Some(world.deployment.relay)).await;
    world.let_in(moody, |_| Vec::new()).await;
    for mood in MOODS {
        chain.send(moody, IMoody::becomeCall { mood }).await;
        world.kept_out(moody, by(&world.patient)).await;
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn asking_contracts_is_rationed_and_needs_the_node() {
    let world = World::start().await;
    let message = world.message(world.clinic.address()).await;
    let wrong = by(&world.stranger)(&message);
    let before = world.node.calls.load(SeqCst);
    let tries = (0..100).map(|_| answer(world.answer(&message, &wrong), Some(Kind::Busy)));
    let mut kinds = Vec::new();
    for (_, _, body) in futures::future::join_all(tries).await {
        kinds.push(serde_json::from_slice::<Problem>(&body).unwrap().kind().unwrap());
    }
    let of = |kind: Kind| kinds.iter().filter(|one| **one == kind).count();
    assert!(of(Kind::SignInRefused) > 0);
    assert!(of(Kind::SignInRefused) < 90, "{}", of(Kind::SignInRefused));
    // One to learn the latest block, one to ask.
    let calls = world.node.calls.load(SeqCst) - before;
    assert!(calls <= 2 * of(Kind::SignInRefused) as u64, "{calls}");

    // Another address has a share of its own; and without the node nobody is let in or kept out.
    let World {
        chain,
        gateway,
        indexer,
        ..
    } = world;
    chain.shutdown().await;
    let elsewhere = reqwest::Client::builder()
        .local_address(std::net::IpAddr::from([127, 0, 0, 2]))
        .build()
        .unwrap();
    let body = json!({ "message": message, "signature": Bytes::from(wrong) });
    let asks = elsewhere.post(format!("{}/v1/sessions", gateway.url())).json(&body);
    refused(asks, Kind::ChainDown).await;
    gateway.shutdown().await.unwrap();
    indexer.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contract_reads_with_receipts_that_its_owner_signs() {
    let world = World::with_chart().await;
    let chain = world.deployer();
    let [owner, stranger] = [&world.clinic, &world.stranger];
    let labs = world.write(&world.clinic, B256::repeat_byte(1), LABS, b"labs").await;
    world.store.put(labs.blocks.clone()).await.unwrap();
    let account = chain.deploy(ACCOUNTS, "SmartAccount", Some(owner.address())).await;
    let factory = chain.deploy(ACCOUNTS, "Factory", None).await;
    let later = chain.address_of(factory, owner).await;
    for grantee in [account, later] {
        world.grant(|grant| grant.grantee = grantee).await;
    }
    let receipt =
        |reader: Address, signer: &PrivateKeySigner| world.receipt(signer, &labs, |receipt| receipt.reader = reader);
    let session = world.let_in(account, by(owner)).await;
    let read = |request: &ReadRequest| world.read(&session.token, request);
    refused(world.payload(&session.token, &labs), Kind::ReceiptMissing).await;
    let whole = receipt(account, owner);
    assert_eq!(digest(&dag_cbor_block(ok_bytes(read(&whole)).await)), labs.pointer);
    refused(read(&whole), Kind::ReceiptReplayed).await;
    ok_bytes(world.payload(&session.token, &labs)).await;
    let invalid = async |request: &ReadRequest| refused(read(request), Kind::ReceiptInvalid).await.reason.unwrap();
    assert_eq!(invalid(&receipt(account, stranger)).await, "signature");
    // Its owner's own receipt is not the account's.
    assert_eq!(invalid(&receipt(owner.address(), owner)).await, "reader");
    let mut long = receipt(account, owner);
    long.signature = vec![0; account::SIGNATURE_BYTES_MOST + 1].into();
    assert_eq!(invalid(&long).await, "signature");

    let mut unborn = receipt(later, owner);
    unborn.signature = wrapped(factory, create(owner), &unborn.signature).into();
    let theirs = world
        .let_in(later, |message| wrapped(factory, create(owner), &by(owner)(message)))
        .await;
    ok_bytes(world.read(&theirs.token, &unborn)).await;

    // The session outlives its owner, and opens nothing more.
    let owners = Deployer(provider(&world.chain.url(), owner));
    owners
        .send(
            account,
            ISmartAccount::setOwnerCall {
                next: stranger.address(),
            },
        )
        .await;
    assert_eq!(invalid(&receipt(account, owner)).await, "signature");
    ok_bytes(read(&receipt(account, stranger))).await;

    let patient = world.sign_in(&world.patient).await;
    let log: medlock_api::Reads = ok(world.get(&patient, &format!("/v1/charts/{CHART}/reads"))).await;
    let readers: Vec<Address> = log.reads.iter().map(|entry| entry.receipt.reader).collect();
    assert_eq!(readers, [account, later, account]);
    for (entry, sent) in log.reads.iter().zip([&whole, &unborn]) {
        assert_eq!(entry.signature, sent.signature);
    }
    world.stop().await;
}
