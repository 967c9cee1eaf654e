//! Our chain and Foundry's side by side.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use alloy::primitives::{Address, hex, keccak256};
use alloy::signers::local::PrivateKeySigner;
use medlock_anvil::{Config, Handle, executor::genesis_code, spawn};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::program::SLOTS;
use crate::quantity;
use crate::trie::storage_root;

/// Both chains' base fee.
pub const BASE_FEE_WEI: u64 = 100_000_000;
/// Seconds between blocks, so that `block.number` is the same on both.
const BLOCK_SECONDS: u64 = 12;

/// How long Foundry's may take to mine a transaction that it accepted. Only a fault is that slow.
const PATIENCE: Duration = Duration::from_secs(60);

/// One JSON-RPC server.
pub struct Node {
    url: String,
    client: reqwest::Client,
    runtime: std::rc::Rc<Runtime>,
}

/// Ours and Foundry's, with the same history.
pub struct Pair {
    pub ours: Node,
    pub foundry: Node,
    handle: Handle,
    process: Child,
    /// Its home: it keeps old states there, some 400 MB that nobody else deletes once it is killed.
    _home: tempfile::TempDir,
    /// What `block.number` is in the next block, on both.
    next_number: u64,
    /// Estimates compared, and how many of them were nearly equal.
    pub estimates: Cell<u32>,
    pub close_estimates: Cell<u32>,
}

/// What became of a raw transaction, on both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Mined { success: bool },
    Refused,
}

impl Outcome {
    pub fn is_mined(self) -> bool {
        matches!(self, Self::Mined { .. })
    }
}

impl Node {
    /// The whole answer.
    pub fn call(&self, method: &str, params: &Value) -> Value {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let request = self
            .client
            .post(&self.url)
            .header("content-type", "application/json")
            .body(body.to_string());
        self.runtime
            .block_on(async { request.send().await?.text().await })
            .map(|text| serde_json::from_str(&text).unwrap_or_else(|error| panic!("{method}: {error}: {text}")))
            .unwrap_or_else(|error| panic!("{method} at {}: {error}", self.url))
    }

    pub fn ok(&self, method: &str, params: Value) -> Value {
        let answer = self.call(method, &params);
        assert!(
            answer.get("error").is_none(),
            "{method} {params} at {}: {answer}",
            self.url
        );
        answer["result"].clone()
    }
}

impl Pair {
    /// Starts both with the same accounts, chain id, gas limit, coinbase and fork.
    pub fn start() -> Self {
        let runtime = std::rc::Rc::new(Runtime::new().unwrap());
        let config = Config {
            calldata_floor: true,
            ..Config::default()
        };
        let handle = runtime.block_on(spawn(config)).unwrap();
        let node = |url: String| Node {
            url,
            client: reqwest::Client::new(),
            runtime: runtime.clone(),
        };
        let ours = node(handle.url());
        let genesis = ours.ok("eth_getBlockByNumber", json!(["latest", false]));
        // A number that the clock reaches only in the future, as time does not go back.
        let number = quantity(&genesis["timestamp"]).to::<u64>() / BLOCK_SECONDS + 10;
        let home = tempfile::tempdir().unwrap();
        let (process, url) = start_foundry(number, &genesis, home.path());
        let mut pair = Self {
            ours,
            foundry: node(url),
            handle,
            process,
            _home: home,
            next_number: number + 1,
            estimates: Cell::new(0),
            close_estimates: Cell::new(0),
        };
        pair.equalise(&genesis);
        pair
    }

    /// An empty block on both.
    fn mine(&mut self) {
        self.set_time();
        self.ours.ok("evm_mine", json!([]));
        self.foundry.ok("evm_mine", json!([]));
        self.next_number += 1;
    }

    /// The time of the next block, for both.
    fn set_time(&mut self) {
        let time = json!([self.next_number * BLOCK_SECONDS]);
        self.ours.ok("evm_setNextBlockTimestamp", time.clone());
        self.foundry.ok("evm_setNextBlockTimestamp", time);
        let fee = json!([hex_number(BASE_FEE_WEI)]);
        self.foundry.ok("anvil_setNextBlockBaseFeePerGas", fee);
    }

    /// What Foundry's has no flag for.
    fn equalise(&mut self, genesis: &Value) {
        self.foundry.ok("anvil_setCoinbase", json!([genesis["miner"]]));
        for (address, code) in genesis_code() {
            self.foundry.ok("anvil_setCode", json!([address, code]));
        }
        // Genesis has another time on each.
        self.mine();
    }

    pub fn sender(&self, account: usize) -> PrivateKeySigner {
        self.handle.accounts()[account].signer.clone()
    }

    pub fn nonce(&self, address: Address) -> u64 {
        quantity(&self.ours.ok("eth_getTransactionCount", json!([address, "latest"]))).to()
    }

    /// Accounts that are there from the start, and one that is not.
    pub fn known(&self) -> Vec<Address> {
        let mut known: Vec<Address> = self.handle.accounts()[..4]
            .iter()
            .map(|account| account.address)
            .collect();
        known.push(Address::repeat_byte(0x77));
        known
    }

    /// Sends a raw transaction to both and compares what can be seen of it.
    pub fn send(&mut self, raw: &[u8]) -> Outcome {
        self.set_time();
        let params = json!([hex::encode_prefixed(raw)]);
        let ours = self.ours.call("eth_sendRawTransaction", &params);
        let theirs = self.foundry.call("eth_sendRawTransaction", &params);
        match (ours.get("error"), theirs.get("error")) {
            (None, None) => {}
            (Some(our_error), Some(their_error)) => {
                assert_eq!(
                    refusal(our_error),
                    refusal(their_error),
                    "another reason\nours: {our_error}\ntheirs: {their_error}\n{params}"
                );
                return Outcome::Refused;
            }
            // Foundry's takes it into its pool and drops it when it mines.
            (Some(our_error), None) if refusal(our_error) == "intrinsic gas" => {
                self.foundry.ok("evm_mine", json!([]));
                self.foundry.ok("anvil_dropTransaction", json!([keccak256(raw)]));
                let receipt = self.foundry.ok("eth_getTransactionReceipt", json!([keccak256(raw)]));
                assert!(receipt.is_null(), "only one refuses\nours: {our_error}\n{params}");
                // It has mined a block or two without it: both go on from there.
                let height = self.foundry.ok("eth_blockNumber", json!([]));
                self.next_number = quantity(&height).to::<u64>() + 1;
                self.mine();
                return Outcome::Refused;
            }
            _ => panic!("only one refuses\nours: {ours}\ntheirs: {theirs}\n{params}"),
        }
        self.next_number += 1;
        let hash = json!([keccak256(raw)]);
        let mut ours = self.ours.ok("eth_getTransactionReceipt", hash.clone());
        let mut theirs = self.foundry.ok("eth_getTransactionReceipt", hash.clone());
        // Foundry's mines after it has answered.
        let deadline = Instant::now() + PATIENCE;
        while theirs.is_null() && Instant::now() < deadline {
            theirs = self.foundry.ok("eth_getTransactionReceipt", hash.clone());
        }
        assert!(
            !ours.is_null() && !theirs.is_null(),
            "not mined\nours: {ours}\ntheirs: {theirs}\n{params}"
        );
        let success = ours["status"] == "0x1";
        for receipt in [&mut ours, &mut theirs] {
            forget(receipt, &["blockHash", "blockNumber", "blockTimestamp"]);
            for log in receipt["logs"].as_array_mut().unwrap() {
                forget(log, &["blockHash", "blockNumber", "blockTimestamp"]);
            }
            keep_shared(receipt);
        }
        assert_eq!(ours, theirs, "another receipt\n{params}");
        Outcome::Mined { success }
    }

    /// `eth_call`, `eth_estimateGas` and `eth_createAccessList` of what is about to be sent.
    pub fn compare_calls(&self, request: &Value) {
        if let Some(difference) = self.calls_differ(request) {
            panic!("{difference}");
        }
        let params = json!([request, "latest"]);
        let ours = self.ours.call("eth_estimateGas", &params);
        let theirs = self.foundry.call("eth_estimateGas", &params);
        match (ours.get("result"), theirs.get("result")) {
            (Some(ours), Some(theirs)) => {
                let (our_gas, their_gas) = (quantity(ours).to::<u64>(), quantity(theirs).to::<u64>());
                // What one says suffices on the other. They need not be close: a program that fails in a sub-call burns
                // what it was given, and then every limit is the least one near itself.
                for (node, gas) in [(&self.foundry, ours), (&self.ours, theirs)] {
                    let mut request = request.clone();
                    request["gas"] = gas.clone();
                    node.ok("eth_call", json!([request, "latest"]));
                }
                // Each searches to within 1.5%.
                let close = our_gas.abs_diff(their_gas) * 100 <= 4 * their_gas;
                self.estimates.set(self.estimates.get() + 1);
                self.close_estimates.set(self.close_estimates.get() + u32::from(close));
            }
            (None, None) => {}
            _ => panic!("only one can be estimated\nours: {ours}\ntheirs: {theirs}\n{params}"),
        }
    }

    /// How the answers to `eth_call` differ, if they do.
    pub fn calls_differ(&self, request: &Value) -> Option<String> {
        self.answers_differ("eth_call", &json!([request, "latest"]))
    }

    pub fn compare_answers(&self, method: &str, params: Value) {
        if let Some(difference) = self.answers_differ(method, &params) {
            panic!("{difference}");
        }
    }

    fn answers_differ(&self, method: &str, params: &Value) -> Option<String> {
        let ours = self.ours.call(method, params);
        let theirs = self.foundry.call(method, params);
        let same = match (ours.get("error"), theirs.get("error")) {
            (None, None) => ours["result"] == theirs["result"],
            // A revert has a code and data that clients parse; other failures differ in their words.
            (Some(ours), Some(theirs)) => {
                let reverted = |error: &Value| error["code"] == 3;
                let data = |error: &Value| error.get("data").cloned().unwrap_or(json!("0x"));
                reverted(ours) == reverted(theirs) && (!reverted(ours) || data(ours) == data(theirs))
            }
            _ => false,
        };
        (!same).then(|| format!("{method}\nours: {ours}\ntheirs: {theirs}\n{params}"))
    }

    /// Accounts, storage and code of these, and of whatever their storage names.
    pub fn compare_accounts(&self, addresses: &[Address]) {
        let keys: Vec<String> = (0..SLOTS).map(|slot| format!("0x{slot:064x}")).collect();
        let mut waiting = addresses.to_vec();
        let mut seen = BTreeSet::new();
        while let Some(address) = waiting.pop() {
            if !seen.insert(address) {
                continue;
            }
            let params = json!([address, keys, "latest"]);
            let mut ours = self.ours.ok("eth_getProof", params.clone());
            let mut theirs = self.foundry.ok("eth_getProof", params);
            let mut slots = Vec::new();
            for slot in ours["storageProof"].as_array().unwrap() {
                let value = quantity(&slot["value"]);
                let word = value.to_be_bytes::<32>();
                // What the contract created stands in its storage.
                if word[..12] == [0; 12] && word[12..16] != [0; 4] {
                    waiting.push(Address::from_slice(&word[12..]));
                }
                if !value.is_zero() {
                    slots.push((quantity(&slot["key"]), value));
                }
            }
            assert_eq!(
                ours["storageHash"],
                json!(storage_root(slots)),
                "the storage root of {address}"
            );
            for answer in [&mut ours, &mut theirs] {
                // The states differ elsewhere, and Foundry's keeps slots that became zero in its tries.
                forget(answer, &["accountProof", "storageHash"]);
                for slot in answer["storageProof"].as_array_mut().unwrap() {
                    // The same number, however the key is written.
                    slot["key"] = json!(quantity(&slot["key"]));
                    forget(slot, &["proof"]);
                }
            }
            assert_eq!(ours, theirs, "another account at {address}");
            self.compare_answers("eth_getCode", json!([address, "latest"]));
        }
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        // Already gone, or gone now.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The words before the particulars.
fn refusal(error: &Value) -> String {
    let message = error["message"]
        .as_str()
        .expect("an error has a message")
        .to_lowercase();
    let known = [
        ("nonce too low", "nonce"),
        ("nonce is too low", "nonce"),
        ("insufficient funds", "funds"),
        ("intrinsic gas too low", "intrinsic gas"),
        ("floor data gas", "intrinsic gas"),
        ("gas floor", "intrinsic gas"),
        ("less than block base fee", "base fee"),
        ("priority fee per gas higher than max fee", "tip above fee"),
        ("chain id", "chain id"),
        ("initcode", "init code"),
        ("authorization list", "authorizations"),
    ];
    known
        .iter()
        .find(|(words, _)| message.contains(words))
        .map_or(message.clone(), |(_, reason)| (*reason).to_owned())
}

fn forget(value: &mut Value, keys: &[&str]) {
    for key in keys {
        value.as_object_mut().unwrap().remove(*key);
    }
}

/// The fields that only one chain's receipts have are compared by the test of shapes.
fn keep_shared(receipt: &mut Value) {
    forget(
        receipt,
        &[
            "blobGasPrice",
            "blobGasUsed",
            "gasUsedForL1",
            "l1BlockNumber",
            "timeboosted",
        ],
    );
}

/// The binary that `tools/setup-node.sh --tests` installs; not its launcher, which would outlive a kill.
fn foundry_program() -> PathBuf {
    let modules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.tools/node/node_modules/@foundry-rs");
    let entries = std::fs::read_dir(&modules).unwrap_or_else(|error| {
        panic!(
            "{}: {error}; tools/setup-node.sh --tests installs Foundry's anvil",
            modules.display()
        )
    });
    entries
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("anvil-"))
        .map(|entry| entry.path().join("bin/anvil"))
        .find(|path| path.is_file())
        .expect("Foundry's anvil; tools/setup-node.sh --tests installs it")
}

fn start_foundry(number: u64, genesis: &Value, home: &Path) -> (Child, String) {
    let gas_limit = quantity(&genesis["gasLimit"]);
    let mut process = Command::new(foundry_program())
        .args([
            "--port",
            "0",
            "--hardfork",
            "osaka",
            "--disable-default-create2-deployer",
        ])
        .args(["--chain-id", "412346", "--gas-limit", &gas_limit.to_string()])
        .args(["--block-base-fee-per-gas", &BASE_FEE_WEI.to_string()])
        .args([
            "--number",
            &number.to_string(),
            "--timestamp",
            &(number * BLOCK_SECONDS).to_string(),
        ])
        .env("HOME", home)
        .stdout(Stdio::piped())
        .spawn()
        .expect("Foundry's anvil starts");
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let address = lines
        .by_ref()
        .map(|line| line.unwrap())
        .find_map(|line| line.strip_prefix("Listening on ").map(str::to_owned))
        .expect("Foundry's anvil says where it listens");
    // It stops when nobody reads what it prints.
    std::thread::spawn(move || lines.for_each(drop));
    (process, format!("http://{address}"))
}

/// As a quantity.
pub fn hex_number(number: impl std::fmt::LowerHex) -> String {
    format!("0x{number:x}")
}
