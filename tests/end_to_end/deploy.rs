//! `medlock deploy` as an operator runs it, against a chain that is alone: planned, killed anywhere, gone on with, compared.
//! Whatever a run prints or leaves behind is searched for the deployer's key.

use std::{
    io::{BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{Arc, Mutex},
};

use alloy::{
    network::TransactionBuilder,
    primitives::{Address, U256, hex},
    providers::{DynProvider, Provider, ProviderBuilder},
    rpc::types::TransactionRequest,
    signers::local::PrivateKeySigner,
    sol_types::SolCall,
};
use medlock_abi::registry::IRegistry;
use medlock_deploy::{Artifact, Artifacts, Deployment, DeploymentFile, Links, artifacts::NAMES, journal_path};
use medlock_tests::{
    artifacts, eventually, files, medlock_binary,
    proxy::{Fate, Proxy},
};
use serde_json::{Value, json};

const CHAIN_ID: &str = "412346";
const JSON: &str = "application/json";
const SEND: &str = "eth_sendRawTransaction";
const MULTISIG: Address = Address::repeat_byte(0x5a);
const ISSUER: Address = Address::repeat_byte(0x15);
/// A creation and an activation for each contract.
const CONTRACT_STEPS: u64 = 2 * NAMES.len() as u64;
/// Those, an issuer, an offer.
const STEPS: u64 = CONTRACT_STEPS + 2;

/// A chain, a proxy before it, and an operator's folder.
struct Site {
    chain: medlock_anvil::Handle,
    proxy: Proxy,
    provider: DynProvider,
    signer: PrivateKeySigner,
    dir: tempfile::TempDir,
}

impl Site {
    async fn new() -> Self {
        let chain = medlock_anvil::spawn(medlock_anvil::Config::default()).await.unwrap();
        let proxy = Proxy::before(&chain.url()).await;
        let provider = ProviderBuilder::new()
            .connect_http(chain.url().parse().unwrap())
            .erased();
        let signer = chain.accounts()[0].signer.clone();
        let dir = tempfile::tempdir().unwrap();
        let site = Self {
            chain,
            proxy,
            provider,
            signer,
            dir,
        };
        // A contract that holds no code of anybody's, but holds code.
        site.set("anvil_setCode", json!([MULTISIG, "0x00"])).await;
        site
    }

    fn out(&self) -> PathBuf {
        self.dir.path().join("one/deployment.json")
    }

    fn file(&self) -> DeploymentFile {
        DeploymentFile::load(self.out()).unwrap()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(medlock_binary());
        command
            .current_dir(self.dir.path())
            .args(["deploy"])
            .args(args)
            .env("MEDLOCK_RPC", self.proxy.url())
            .env("MEDLOCK_ARTIFACTS", artifacts())
            .env("MEDLOCK_DEPLOYMENT", self.out())
            .env("MEDLOCK_DEPLOYER_KEY", hex::encode(self.signer.to_bytes()))
            .env("MEDLOCK_LOG", "trace")
            .env_remove("MEDLOCK_KEY")
            .stdin(Stdio::null());
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        let output = self.command(args).output().unwrap();
        self.require_no_secret(&output);
        output
    }

    fn ok(&self, args: &[&str]) -> Value {
        let output = self.run(&[args, &["--json"]].concat());
        assert!(output.status.success(), "{args:?}: {}", text(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn refused(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {}", text(&output));
        text(&output)
    }

    fn apply<'a>(&self, more: &[&'a str]) -> Vec<&'a str> {
        // Leaked for the length of a test: arguments are borrowed texts everywhere else.
        let out: &'static str = self.out().display().to_string().leak();
        [&["apply", "--chain-id", CHAIN_ID, "--yes", "--out", out], more].concat()
    }

    fn start(&self, args: &[&str]) -> Child {
        self.command(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// To its end. What was read of its output before is not searched here.
    fn end(&self, child: Child) -> Output {
        let output = child.wait_with_output().unwrap();
        self.require_no_secret(&output);
        output
    }

    /// Applies, and kills the program at its send number `at` (from 0): before the chain has it, or before the answer is back.
    fn kill_at_send(&self, args: &[&str], at: usize, before: bool) -> Output {
        self.kill_at(args, SEND, at, before)
    }

    fn kill_at(&self, args: &[&str], method: &'static str, at: usize, before: bool) -> Output {
        let child: Arc<Mutex<Option<Child>>> = Arc::default();
        let victim = child.clone();
        let mut calls = 0;
        self.proxy.rule(move |asked| {
            if asked.json()["method"] != method {
                return Fate::Forward;
            }
            calls += 1;
            if calls != at + 1 {
                return Fate::Forward;
            }
            let victim = victim.clone();
            // SIGKILL.
            let kill = move || victim.lock().unwrap().as_mut().expect("it was started").kill().unwrap();
            match before {
                true => {
                    kill();
                    Fate::Answer(JSON, b"{}".to_vec())
                }
                false => Fate::change(move |_| kill()),
            }
        });
        let mut held = child.lock().unwrap();
        *held = Some(self.start(args));
        drop(held);
        loop {
            let exited = child.lock().unwrap().as_mut().unwrap().try_wait().unwrap();
            if exited.is_some() {
                break;
            }
            std::thread::yield_now();
        }
        self.proxy.honest();
        let child = child.lock().unwrap().take().unwrap();
        let output = self.end(child);
        assert!(output.status.code().is_none(), "it was not killed: {}", text(&output));
        output
    }

    async fn set(&self, method: &'static str, params: Value) {
        let _: Value = self.provider.raw_request(method.into(), params).await.unwrap();
    }

    async fn nonce(&self) -> u64 {
        self.provider
            .get_transaction_count(self.signer.address())
            .await
            .unwrap()
    }

    async fn balance(&self) -> U256 {
        self.provider.get_balance(self.signer.address()).await.unwrap()
    }

    async fn ask<C: SolCall>(&self, call: C) -> C::Return {
        let registry = Deployment::load(self.out()).unwrap().registry;
        let request = TransactionRequest::default()
            .with_to(registry)
            .with_input(call.abi_encode());
        C::abi_decode_returns(&self.provider.call(request).await.unwrap()).unwrap()
    }

    /// Something of the deployer's that has nothing to do with a deployment.
    async fn send_something_else(&self) {
        let rpc = ProviderBuilder::new()
            .wallet(alloy::network::EthereumWallet::from(self.signer.clone()))
            .connect_http(self.chain.url().parse().unwrap());
        let request = TransactionRequest::default().with_to(ISSUER).with_value(U256::ONE);
        rpc.send_transaction(request)
            .await
            .unwrap()
            .get_receipt()
            .await
            .unwrap();
    }

    /// Neither printed nor on the disk, as text or as bytes.
    fn require_no_secret(&self, output: &Output) {
        let key = self.signer.to_bytes();
        let digits = hex::encode(key);
        let is_secret = |bytes: &[u8]| {
            let lower = bytes.to_ascii_lowercase();
            lower.windows(digits.len()).any(|part| part == digits.as_bytes())
                || bytes.windows(key.len()).any(|part| part == key.as_slice())
        };
        assert!(
            is_secret(digits.to_uppercase().as_bytes()),
            "the search finds what it should"
        );
        assert!(!is_secret(&output.stdout) && !is_secret(&output.stderr), "printed");
        for file in files(self.dir.path()) {
            assert!(!is_secret(&std::fs::read(&file).unwrap()), "in {}", file.display());
        }
    }

    /// The whole deployment stands, by exactly `transactions` of the deployer's.
    async fn require_whole(&self, transactions: u64) {
        assert_eq!(self.nonce().await, transactions);
        assert!(!journal_path(&self.out()).exists(), "the journal is done with");
        let names: Vec<_> = files(self.dir.path());
        assert_eq!(names, [self.out()], "nothing is left beside it");
        let verified = self.run(&["verify", "--owner", &self.signer.address().to_string(), "--json"]);
        let verified: Value = serde_json::from_slice(&verified.stdout).unwrap();
        let differences = verified["differences"].as_array().unwrap();
        let of_owner = differences
            .iter()
            .all(|difference| difference["what"] == "pending owner");
        assert!(of_owner && verified["compared"].as_u64().unwrap() > 25, "{verified}");
    }
}

fn text(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    format!("{}{}", String::from_utf8_lossy(out), String::from_utf8_lossy(err))
}

fn wei(value: &Value) -> U256 {
    value.as_str().unwrap().parse().unwrap()
}

/// Reads lines until one holds `words`.
fn read_until(reader: &mut impl BufRead, words: &str) {
    let mut all = String::new();
    loop {
        let start = all.len();
        assert_ne!(reader.read_line(&mut all).unwrap(), 0, "no {words:?} in {all}");
        if all[start..].contains(words) {
            return;
        }
    }
}

fn handed_over() -> [String; 4] {
    [
        "--owner".into(),
        MULTISIG.to_string(),
        "--issuer".into(),
        ISSUER.to_string(),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_says_what_apply_then_does_and_writes_nothing() {
    let site = Site::new().await;
    let terms = handed_over();
    let terms: Vec<_> = terms.iter().map(String::as_str).collect();
    let out = site.out();
    let plan_args = [&["plan", "--out", out.to_str().unwrap()], terms.as_slice()].concat();
    let plan = site.ok(&plan_args);
    let steps = plan["steps"].as_array().unwrap();
    assert_eq!(steps.len() as u64, STEPS);
    assert!(steps.iter().all(|step| step["done"] == false), "{plan}");
    let names: Vec<_> = steps
        .iter()
        .map(|step| step["step"].as_str().unwrap().to_owned())
        .collect();
    let mut expected: Vec<_> = NAMES.map(|name| format!("deploy {name}")).into();
    expected.extend(NAMES.map(|name| format!("activate {name}")));
    expected.extend([
        format!("name issuer {ISSUER}"),
        format!("offer ownership to {MULTISIG}"),
    ]);
    assert_eq!(names, expected);
    for step in steps {
        let is_activation = step["step"].as_str().unwrap().starts_with("activate");
        assert_eq!(!wei(&step["data_fee_wei"]).is_zero(), is_activation, "{step}");
        let price = wei(&plan["gas_price_wei"]);
        let gas = U256::from(step["gas"].as_u64().unwrap());
        assert_eq!(wei(&step["cost_wei"]), gas * price + wei(&step["data_fee_wei"]));
    }
    assert_eq!(wei(&plan["balance_wei"]), site.balance().await);
    assert_eq!(
        (plan["missing_wei"].as_str(), plan["chain_id"].as_u64()),
        (Some("0"), Some(412_346))
    );
    assert_eq!(files(site.dir.path()), [] as [PathBuf; 0]);
    assert_eq!(site.nonce().await, 0);
    // Without a key, by the address alone; for a person.
    let mut keyless = site.command(&plan_args);
    let address = site.signer.address().to_string();
    let keyless = keyless
        .args(["--deployer", &address])
        .env_remove("MEDLOCK_DEPLOYER_KEY")
        .output()
        .unwrap();
    let said = text(&keyless);
    assert!(
        keyless.status.success() && said.contains("activate exceptions") && said.contains("In all"),
        "{said}"
    );

    let before = site.balance().await;
    let applied = site.ok(&site.apply(&terms));
    let done = applied["steps"].as_array().unwrap();
    assert_eq!(done.len() as u64, STEPS);
    for (step, planned) in done.iter().zip(steps) {
        assert_eq!(step["name"], planned["step"]);
        assert_eq!(step["contract"], planned["contract"]);
        let (used, foreseen) = (step["gas"].as_u64().unwrap(), planned["gas"].as_u64().unwrap());
        assert!(used <= foreseen && used > 21_000, "{step}: {foreseen} foreseen");
    }
    let spent = before - site.balance().await;
    // Each activation raises the next one's fee a little.
    let foreseen = wei(&plan["cost_wei"]);
    let rise = foreseen / U256::from(50);
    assert!(
        spent > foreseen / U256::from(2) && spent < foreseen + rise,
        "{spent} of {foreseen}"
    );
    assert!(foreseen + rise < wei(&plan["needed_wei"]));
    for (name, address) in site.file().deployment.contracts() {
        assert_eq!(applied[name], json!(address));
        assert_eq!(plan["contracts"][name], json!(address));
    }
    site.require_whole(STEPS).await;

    // What is there is found, and costs nothing; doing it again does nothing.
    let plan = site.ok(&plan_args);
    assert!(
        plan["steps"]
            .as_array()
            .unwrap()
            .iter()
            .all(|step| step["done"] == true),
        "{plan}"
    );
    assert_eq!(
        (plan["begun"].as_bool(), plan["cost_wei"].as_str()),
        (Some(true), Some("0"))
    );
    let file = site.file();
    site.ok(&site.apply(&terms));
    assert_eq!(site.file(), file);
    site.require_whole(STEPS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_and_after_each_transaction_it_goes_on_and_does_nothing_twice() {
    let site = Site::new().await;
    let terms = handed_over();
    let args = site.apply(&terms.iter().map(String::as_str).collect::<Vec<_>>());
    for step in 0..STEPS {
        // Every run begins with the first step that is not done, so its first send is that step's.
        site.kill_at_send(&args, 0, true);
        assert_eq!(site.nonce().await, step, "written down, and not sent");
        site.kill_at_send(&args, 0, false);
        assert_eq!(site.nonce().await, step + 1, "mined, and the program does not know it");
        assert!(!site.out().exists());
    }
    // Everything is mined, nothing is confirmed; the plan has read the latest block, too.
    site.kill_at(&args, "eth_blockNumber", 0, true);
    assert!(!site.out().exists());
    let applied = site.ok(&args);
    assert_eq!(
        applied["steps"].as_array().unwrap().len() as u64,
        STEPS,
        "each with its transaction"
    );
    assert_eq!(site.file().deployment.block, 1, "of the first creation");
    site.require_whole(STEPS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_killed_while_its_transaction_waits_is_gone_on_with_by_the_same_transaction() {
    let site = Site::new().await;
    let args = site.apply(&[]);
    site.set("evm_setAutomine", json!([false])).await;
    site.kill_at_send(&args, 0, false);
    let journal = std::fs::read_to_string(journal_path(&site.out())).unwrap();
    assert_eq!(journal.lines().count(), 2, "{journal}");

    let second = site.start(&args);
    eventually("it has found the transaction", || async {
        let looked = site
            .proxy
            .seen()
            .iter()
            .any(|asked| asked.json()["method"] == "eth_getTransactionReceipt");
        looked.then_some(())
    })
    .await;
    assert!(
        site.proxy.seen().iter().all(|asked| asked.json()["method"] != SEND),
        "it waits for what was sent"
    );
    // Whoever comes meanwhile is told.
    let third = site.refused(&args);
    assert!(third.contains("another process deploys"), "{third}");
    site.set("evm_setAutomine", json!([true])).await;
    site.set("evm_mine", json!([])).await;
    let output = site.end(second);
    assert!(output.status.success(), "{}", text(&output));
    site.require_whole(CONTRACT_STEPS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_is_not_mined_is_replaced_by_a_dearer_one_of_the_same_number() {
    // A creation; and an activation, which the chain refuses beside one that waits.
    for number in [0, NAMES.len()] {
        let site = Site::new().await;
        let args = site.apply(&["--raise-after", "1"]);
        site.kill_at_send(&args, number, true);
        site.set("evm_setAutomine", json!([false])).await;
        let child = site.start(&args);
        let sent = || {
            let seen = site.proxy.seen();
            seen.iter().filter(|asked| asked.json()["method"] == SEND).count()
        };
        eventually("it is sent a third time", || async { (sent() >= 3).then_some(()) }).await;
        assert_eq!(site.nonce().await, number as u64);
        site.set("evm_setAutomine", json!([true])).await;
        site.set("evm_mine", json!([])).await;
        let output = site.end(child);
        assert!(output.status.success(), "{}", text(&output));
        site.require_whole(CONTRACT_STEPS).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_something_else_took_is_named_and_an_activation_takes_the_next() {
    let site = Site::new().await;
    let args = site.apply(&[]);
    site.kill_at_send(&args, 1, true);
    site.send_something_else().await;
    let refused = site.refused(&args);
    assert!(
        refused.contains("deploy records") && refused.contains("its transaction 1"),
        "{refused}"
    );
    assert_eq!(site.nonce().await, 2, "nothing is sent for what cannot be finished");
    // As the message says.
    std::fs::remove_file(journal_path(&site.out())).unwrap();

    let third_activation = NAMES.len() + 2;
    site.kill_at_send(&args, third_activation, true);
    assert_eq!(site.nonce().await, 2 + third_activation as u64);
    site.send_something_else().await;
    site.ok(&args);
    site.require_whole(2 + CONTRACT_STEPS + 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_that_are_replaced_while_it_waits_for_confirmations_are_noticed() {
    let site = Site::new().await;
    let mut child = site.start(&site.apply(&["--confirmations", "4"]));
    let mut told = BufReader::new(child.stderr.take().unwrap());
    read_until(&mut told, "confirmed with block 19");
    // The last three activations are gone, and what the chain has instead is empty.
    site.set("anvil_reorg", json!([3, []])).await;
    assert_eq!(site.nonce().await, CONTRACT_STEPS - 3);
    read_until(&mut told, "replaced its block");
    read_until(&mut told, "activate trials: block 19");
    read_until(&mut told, "confirmed with block 22");
    assert!(!site.out().exists(), "it counts when it is confirmed");
    site.set("anvil_mine", json!(["0x3"])).await;
    let mut rest = String::new();
    told.read_to_string(&mut rest).unwrap();
    let output = site.end(child);
    assert!(output.status.success(), "{rest}");
    site.require_whole(CONTRACT_STEPS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_chain_is_refused_and_nothing_is_signed_for_it() {
    let site = Site::new().await;
    let out = site.out();
    let out = out.to_str().unwrap();
    let elsewhere = ["apply", "--yes", "--out", out, "--chain-id", "42161"];
    let refused = site.refused(&elsewhere);
    assert!(refused.contains("chain 42161, this is chain 412346"), "{refused}");
    let refused = site.refused(&["plan", "--out", out, "--chain-id", "42161"]);
    assert!(refused.contains("this is chain 412346"), "{refused}");
    // A node that says what is wanted: what is signed is for that chain, and this one does not take it.
    site.proxy.rule(|asked| match asked.json()["method"] == "eth_chainId" {
        true => Fate::json(|answer| answer["result"] = json!("0xa4b1")),
        false => Fate::Forward,
    });
    let refused = site.refused(&elsewhere);
    assert!(refused.contains("did not take the transaction"), "{refused}");
    site.proxy.honest();
    assert_eq!(site.nonce().await, 0);
    // The journal of it stays on its chain.
    let refused = site.refused(&site.apply(&[]));
    assert!(refused.contains("chain 42161, this is chain 412346"), "{refused}");
    std::fs::remove_file(journal_path(&site.out())).unwrap();
    let refused = site.refused(&[&site.apply(&[])[..], &["--fee-most", "99999999"]].concat());
    assert!(refused.contains("99999999 are allowed"), "{refused}");
    assert_eq!(
        files(site.dir.path()),
        [] as [PathBuf; 0],
        "what was refused leaves nothing"
    );

    site.ok(&site.apply(&[]));
    let lie = |key: &'static str, value: Value| {
        let mut json: Value = serde_json::from_slice(&std::fs::read(site.out()).unwrap()).unwrap();
        json[key] = value;
        let path = site.dir.path().join("lie.json");
        std::fs::write(&path, json.to_string()).unwrap();
        path
    };
    for (key, value) in [
        ("chain_id", json!(1)),
        ("genesis_hash", json!(alloy::primitives::B256::ZERO)),
    ] {
        let lie = lie(key, value);
        let lie = lie.to_str().unwrap();
        let refused = site.refused(&["verify", "--deployment", lie]);
        assert!(
            refused.contains("another genesis") || refused.contains("chain 1,"),
            "{refused}"
        );
        let refused = site.refused(&["apply", "--yes", "--chain-id", CHAIN_ID, "--out", lie]);
        assert!(
            refused.contains("another genesis") || refused.contains("chain 1,"),
            "{refused}"
        );
    }
    assert_eq!(site.nonce().await, CONTRACT_STEPS);
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_names_every_difference() {
    let site = Site::new().await;
    site.ok(&site.apply(&["--issuer", &ISSUER.to_string()]));
    let file = site.file();
    let verify = |more: &[&str]| -> (Option<i32>, Vec<(String, String)>) {
        let output = site.run(&[&["verify", "--json"], more].concat());
        let verified: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output)));
        let named = verified["differences"].as_array().unwrap().iter();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (
            output.status.code(),
            named.map(|named| (text(&named["of"]), text(&named["what"]))).collect(),
        )
    };
    let one = |of: &str, what: &str| (Some(5), vec![(of.to_owned(), what.to_owned())]);
    let issuer = ISSUER.to_string();
    assert_eq!(verify(&["--issuer", &issuer]), (Some(0), Vec::new()));
    assert_eq!(verify(&["--issuer", &MULTISIG.to_string()]), one("registry", "issuer"));
    assert_eq!(verify(&["--owner", &issuer]), one("registry", "owner"));
    let human = site.run(&["verify", "--owner", &issuer]);
    assert!(
        text(&human).contains(&format!("expected  {ISSUER}")),
        "{}",
        text(&human)
    );

    // The same program with a custom section: it would do the same, and is not what was built, nor activated.
    let ours = Artifacts::load(artifacts()).unwrap().audit;
    let links = Links::of(&file.deployment, file.origin.deployer);
    let mut wasm = ours.link(&links).unwrap().wasm;
    wasm.extend([0, 2, 1, b'x']);
    let other = Artifact::pack("audit", wasm).unwrap();
    let audit = file.deployment.audit;
    let honest = site.provider.get_code_at(audit).await.unwrap();
    site.set("anvil_setCode", json!([audit, hex::encode_prefixed(&other.code)]))
        .await;
    let differences = [
        ("audit", "code hash, as built and on the chain"),
        ("audit", "activation"),
    ];
    assert_eq!(
        verify(&[]),
        (Some(5), differences.map(|(of, what)| (of.into(), what.into())).into())
    );
    site.set("anvil_setCode", json!([audit, "0x"])).await;
    assert_eq!(verify(&[]), one("audit", "code"));
    // Code of a sister in its place, which is activated: it names others.
    let relay = site.provider.get_code_at(file.deployment.relay).await.unwrap();
    site.set("anvil_setCode", json!([audit, relay])).await;
    let (code, named) = verify(&[]);
    assert_eq!(
        (code, named.len(), named[1].1.as_str()),
        (Some(5), 2, "neighbours"),
        "{named:?}"
    );
    site.set("anvil_setCode", json!([audit, honest])).await;
    assert_eq!(verify(&[]), (Some(0), Vec::new()));

    // A file that says something else than the chain.
    let with = |change: fn(&mut DeploymentFile)| {
        let mut changed = file.clone();
        change(&mut changed);
        changed.save(site.out()).unwrap();
        verify(&[])
    };
    assert_eq!(with(|file| file.deployment.block += 1), one("file", "block"));
    assert_eq!(with(|file| file.deployment.block = 1_000), one("file", "block"));
    assert_eq!(
        with(|file| _ = file.origin.code.remove("relay")),
        one("relay", "code hash, as built and in the file")
    );
    let (code, named) = with(|file| file.origin.nonce += 1);
    assert_eq!((code, &named[0].1[..]), (Some(5), "registry"), "{named:?}");
    let (code, named) = with(|file| file.deployment.audit = MULTISIG);
    assert_eq!(code, Some(5));
    assert!(named.contains(&("file".into(), "audit".into())), "{named:?}");
    file.save(site.out()).unwrap();

    // An offer that nobody knows of gives the registry away with one transaction of whoever it names.
    let call = IRegistry::transferOwnershipCall { pending: ISSUER };
    let request = TransactionRequest::default()
        .with_from(site.signer.address())
        .with_to(file.deployment.registry)
        .with_input(call.abi_encode());
    site.provider
        .send_transaction(request)
        .await
        .unwrap()
        .get_receipt()
        .await
        .unwrap();
    assert_eq!(verify(&[]), one("registry", "pending owner"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_holds_too_little_is_told_how_much_is_missing() {
    let site = Site::new().await;
    let out = site.out();
    let address = site.signer.address();
    site.set("anvil_setBalance", json!([address, "0x1"])).await;
    let plan = site.ok(&["plan", "--out", out.to_str().unwrap()]);
    let (needed, missing) = (wei(&plan["needed_wei"]), wei(&plan["missing_wei"]));
    assert_eq!(missing, needed - U256::ONE);
    let refused = site.refused(&site.apply(&[]));
    let amount = alloy::primitives::utils::format_ether(missing);
    assert!(refused.contains(&format!("{amount} ETH are missing")), "{refused}");
    assert_eq!((site.nonce().await, files(site.dir.path()).len()), (0, 0));

    // Money that goes while it runs is missed at the step, which the next run does.
    let (poor, mut calls) = (site.provider.clone(), 0);
    site.set("anvil_setBalance", json!([address, format!("{needed:#x}")]))
        .await;
    let handle = tokio::runtime::Handle::current();
    site.proxy.rule(move |asked| {
        calls += usize::from(asked.json()["method"] == SEND);
        if calls == 3 && asked.json()["method"] == SEND {
            let poor = poor.clone();
            let drained = handle.spawn(async move {
                let params = (address, "0x64");
                poor.raw_request::<_, Value>("anvil_setBalance".into(), params)
                    .await
                    .unwrap()
            });
            return Fate::change(move |_| drop(drained));
        }
        Fate::Forward
    });
    let output = site.run(&site.apply(&[]));
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    let said = text(&output);
    assert!(
        said.contains("ETH are missing") || said.contains("insufficient funds"),
        "{said}"
    );
    site.proxy.honest();
    // What the plan called for is enough for all of it.
    site.set("anvil_setBalance", json!([address, format!("{needed:#x}")]))
        .await;
    site.ok(&site.apply(&[]));
    site.require_whole(CONTRACT_STEPS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_registry_is_handed_over_to_a_multisig_that_accepts() {
    let site = Site::new().await;
    let person = Address::repeat_byte(0x77).to_string();
    let refused = site.refused(&site.apply(&["--owner", &person]));
    assert!(
        refused.contains("is no contract") && refused.contains("--owner-is-eoa"),
        "{refused}"
    );
    let multisig = MULTISIG.to_string();
    let refused = site.refused(&site.apply(&["--owner", &multisig, "--owner-is-eoa"]));
    assert!(refused.contains("is a contract"), "{refused}");
    let deployer = site.signer.address().to_string();
    let refused = site.refused(&site.apply(&["--owner", &deployer, "--owner-is-eoa"]));
    assert!(refused.contains("is the deployer, or nobody"), "{refused}");
    // An account that acts by a contract's code is a key's all the same.
    let delegated = Address::repeat_byte(0x78);
    let code = format!("0xef0100{}", hex::encode(MULTISIG));
    site.set("anvil_setCode", json!([delegated, code])).await;
    let refused = site.refused(&site.apply(&["--owner", &delegated.to_string()]));
    assert!(refused.contains("is no contract"), "{refused}");
    assert_eq!(site.nonce().await, 0);

    // Later than the rest, as it may be; the contracts stay.
    site.ok(&site.apply(&[]));
    let before = site.file();
    let args = site.apply(&["--owner", &multisig]);
    let applied = site.run(&args);
    let call = hex::encode_prefixed(IRegistry::acceptOwnershipCall::SELECTOR);
    let said = text(&applied);
    assert!(said.contains(&format!("acceptOwnership() ({call})")), "{said}");
    assert_eq!(site.nonce().await, CONTRACT_STEPS + 1);
    assert_eq!(site.file().deployment, before.deployment);
    assert_eq!(site.file().origin.owner, MULTISIG);
    assert_eq!(site.ask(IRegistry::ownerCall {}).await, site.signer.address());
    let waits = site.run(&["verify"]);
    assert_eq!(waits.status.code(), Some(5), "{}", text(&waits));
    assert!(
        text(&waits).contains("has to call acceptOwnership()"),
        "{}",
        text(&waits)
    );

    site.set("anvil_impersonateAccount", json!([MULTISIG])).await;
    site.set("anvil_setBalance", json!([MULTISIG, "0xde0b6b3a7640000"]))
        .await;
    let accept = IRegistry::acceptOwnershipCall {}.abi_encode();
    let accept = TransactionRequest::default()
        .with_from(MULTISIG)
        .with_to(before.deployment.registry)
        .with_input(accept);
    // The multisig is code that cannot send; what the chain lets it send here stands for its signers' call.
    site.set("anvil_setCode", json!([MULTISIG, "0x"])).await;
    let accepted = site
        .provider
        .send_transaction(accept)
        .await
        .unwrap()
        .get_receipt()
        .await
        .unwrap();
    assert!(accepted.status());
    site.set("anvil_setCode", json!([MULTISIG, "0x00"])).await;
    let verified = site.run(&["verify"]);
    assert!(verified.status.success(), "{}", text(&verified));
    // The deployer has no say any more, and is told so.
    site.ok(&args);
    let refused = site.refused(&site.apply(&["--issuer", &ISSUER.to_string()]));
    assert!(refused.contains(&format!("belongs to {MULTISIG}")), "{refused}");
    assert_eq!(site.nonce().await, CONTRACT_STEPS + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_journal_is_gone_on_with_and_a_damaged_one_is_refused() {
    let site = Site::new().await;
    let args = site.apply(&[]);
    site.kill_at_send(&args, 3, true);
    let path = journal_path(&site.out());
    let whole = std::fs::read(&path).unwrap();
    assert_eq!(whole.iter().filter(|byte| **byte == b'\n').count(), 5);

    let mut damaged = whole.clone();
    damaged[40] ^= 1;
    std::fs::write(&path, &damaged).unwrap();
    for command in [args.clone(), vec!["plan", "--out", args[5]]] {
        let refused = site.refused(&command);
        assert!(refused.contains("line 1 is damaged"), "{refused}");
    }
    assert_eq!(std::fs::read(&path).unwrap(), damaged, "for whoever looks into it");
    assert_eq!(site.nonce().await, 3);
    // The last line stands for a transaction that was not sent.
    std::fs::write(&path, &whole[..whole.len() - 9]).unwrap();
    let plan = site.ok(&["plan", "--out", args[5]]);
    let done = plan["steps"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|step| step["done"] == true)
        .count();
    assert_eq!(done, 3, "{plan}");
    site.ok(&args);
    site.require_whole(CONTRACT_STEPS).await;

    let stranger = site.chain.accounts()[1].signer.clone();
    let key = hex::encode(stranger.to_bytes());
    let output = site.command(&args).env("MEDLOCK_DEPLOYER_KEY", key).output().unwrap();
    assert!(
        text(&output).contains(&format!("this is the key of {}", stranger.address())),
        "{}",
        text(&output)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn it_asks_before_it_sends_and_takes_a_key_file_or_the_environment() {
    let site = Site::new().await;
    let without =
        |args: Vec<&'static str>| -> Vec<&'static str> { args.into_iter().filter(|arg| *arg != "--yes").collect() };
    let args = without(site.apply(&[]));
    let refused = site.refused(&args);
    assert!(
        refused.contains("no terminal to ask") && refused.contains("--yes"),
        "{refused}"
    );

    // On a terminal, which `script` provides.
    let on_terminal = |answer: &str| {
        let line = [&[medlock_binary().to_str().unwrap(), "deploy"], args.as_slice()]
            .concat()
            .join(" ");
        let mut script = Command::new("script");
        let like = site.command(&args);
        let mut child = script
            .args(["-qec", &line, "/dev/null"])
            .envs(like.get_envs().filter_map(|(name, value)| Some((name, value?))))
            .current_dir(site.dir.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("script, of util-linux");
        let mut out = child.stdout.take().unwrap();
        let mut said = Vec::new();
        while !said.ends_with(b"[y/N] ") {
            let mut byte = [0];
            assert_eq!(out.read(&mut byte).unwrap(), 1, "{}", String::from_utf8_lossy(&said));
            said.push(byte[0]);
        }
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(format!("{answer}\n").as_bytes()).unwrap();
        stdin.flush().unwrap();
        out.read_to_end(&mut said).unwrap();
        let mut output = site.end(child);
        output.stdout = said;
        site.require_no_secret(&output);
        output
    };
    let no = on_terminal("n");
    assert!(
        !no.status.success() && text(&no).contains("nothing was sent"),
        "{}",
        text(&no)
    );
    assert_eq!((site.nonce().await, files(site.dir.path()).len()), (0, 0));
    let yes = on_terminal("y");
    assert!(yes.status.success(), "{}", text(&yes));
    site.require_whole(CONTRACT_STEPS).await;

    // Another deployment, by a key file.
    let key = site.dir.path().join("deployer.keyfile");
    let new = Command::new(medlock_binary())
        .args(["keys", "new", key.to_str().unwrap(), "--json"])
        .env("MEDLOCK_PASSPHRASE", "correct horse")
        .output()
        .unwrap();
    let account: Value = serde_json::from_slice(&new.stdout).unwrap();
    site.set("anvil_setBalance", json!([account["account"], "0xde0b6b3a7640000"]))
        .await;
    let second = site.dir.path().join("second.json");
    let second = [
        "apply",
        "--yes",
        "--chain-id",
        CHAIN_ID,
        "--out",
        second.to_str().unwrap(),
    ];
    let with_key = |command: &mut Command| {
        command
            .arg("--key")
            .arg(&key)
            .env("MEDLOCK_PASSPHRASE", "correct horse")
            .output()
            .unwrap()
    };
    let both = with_key(&mut site.command(&second));
    assert!(text(&both).contains("which of them deploys?"), "{}", text(&both));
    let output = with_key(site.command(&second).env_remove("MEDLOCK_DEPLOYER_KEY"));
    assert!(output.status.success(), "{}", text(&output));
    let wrong = site
        .command(&second)
        .env("MEDLOCK_DEPLOYER_KEY", "0x1234")
        .output()
        .unwrap();
    assert_eq!(wrong.status.code(), Some(6), "{}", text(&wrong));
    assert!(
        text(&wrong).contains("32 bytes in hex") && !text(&wrong).contains("1234"),
        "{}",
        text(&wrong)
    );
    require_file_of(
        &site.dir.path().join("second.json"),
        account["account"].as_str().unwrap(),
    );
}

fn require_file_of(path: &Path, deployer: &str) {
    let file = DeploymentFile::load(path).unwrap();
    assert_eq!(file.origin.deployer, deployer.parse::<Address>().unwrap());
}
