//! Traces, as clients see them: real transactions on a chain on port 0, compared with receipts, with the state before
//! and after, with Foundry's anvil, and read by `cargo stylus`.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use alloy::primitives::{Address, B256, Bytes, U256, address, hex};
use alloy::sol_types::{Revert, SolError};
use medlock_anvil::exec::{CALL_GAS, Call, run};
use medlock_anvil::stylus::code;
use medlock_anvil::{Config, Handle, spawn};
use serde_json::{Value, json};

/// Calldata: address, value, input. Counts its calls in slot 0, logs the count under topic 7, calls the address with
/// value and input, logs again, and returns the status and what the callee returned.
const PROBE: &str = r#"(module
  (import "vm_hooks" "read_args" (func $args (param i32)))
  (import "vm_hooks" "write_result" (func $result (param i32 i32)))
  (import "vm_hooks" "storage_load_bytes32" (func $load (param i32 i32)))
  (import "vm_hooks" "storage_cache_bytes32" (func $store (param i32 i32)))
  (import "vm_hooks" "storage_flush_cache" (func $flush (param i32)))
  (import "vm_hooks" "emit_log" (func $log (param i32 i32 i32)))
  (import "vm_hooks" "return_data_size" (func $size (result i32)))
  (import "vm_hooks" "read_return_data" (func $read (param i32 i32 i32) (result i32)))
  (import "vm_hooks" "call_contract" (func $call (param i32 i32 i32 i32 i64 i32) (result i32)))
  (memory (export "memory") 1 1)
  (func (export "user_entrypoint") (param $len i32) (result i32)
    (local $status i32)
    (call $args (i32.const 0))
    (call $load (i32.const 8192) (i32.const 8256))
    (i32.store8 (i32.const 8287) (i32.add (i32.load8_u (i32.const 8287)) (i32.const 1)))
    (call $store (i32.const 8192) (i32.const 8256))
    (call $flush (i32.const 0))
    (i32.store8 (i32.const 8255) (i32.const 7))
    (call $log (i32.const 8224) (i32.const 64) (i32.const 1))
    (local.set $status (call $call (i32.const 0) (i32.const 52) (i32.sub (local.get $len) (i32.const 52))
      (i32.const 20) (i64.const -1) (i32.const 8400)))
    (call $log (i32.const 8224) (i32.const 64) (i32.const 1))
    (i32.store8 (i32.const 9000) (local.get $status))
    (drop (call $read (i32.const 9001) (i32.const 0) (call $size)))
    (call $result (i32.const 9000) (i32.add (call $size) (i32.const 1)))
    (i32.const 0)))"#;

/// Calls itself with the same calldata until a call fails.
const DIVE: &str = r#"(module
  (import "vm_hooks" "contract_address" (func $me (param i32)))
  (import "vm_hooks" "call_contract" (func $call (param i32 i32 i32 i32 i64 i32) (result i32)))
  (memory (export "memory") 1 1)
  (func (export "user_entrypoint") (param $len i32) (result i32)
    (call $me (i32.const 0))
    (drop (call $call (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 64) (i64.const -1) (i32.const 200)))
    (i32.const 0)))"#;

/// Asks for its memory's hash for ever.
const SPIN: &str = r#"(module
  (import "vm_hooks" "native_keccak256" (func $hash (param i32 i32 i32)))
  (memory (export "memory") 1 1)
  (func (export "user_entrypoint") (param $len i32) (result i32)
    (loop $again
      (call $hash (i32.const 0) (i32.const 32) (i32.const 64))
      (br $again))
    (i32.const 0)))"#;

/// EVM: calls the address in the first word with the rest; returns or reverts with what it gave.
const FORWARD: &[u8] = &hex!("602036038060206000376000600082600060006000355af13d600060003e6025573d6000fd5b3d6000f3");
/// EVM: runs the code of the address in the first word as its own; returns what it gave.
const DELEGATE: &[u8] = &hex!("60203603806020" "5f375f5f825f5f355af4503d5f5f3e3d5ff3");
/// EVM: counts in slot 0, logs the count under topic 0x42 and returns it; given calldata, reverts with it.
const BELL: &[u8] = &hex!("36601d576000546001018060005560005260426020" "6000a160206000f3" "5b3660006000373660" "00fd");
/// EVM: creates with the calldata as init code and the value as endowment, and returns the address.
const FACTORY: &[u8] = &hex!("365f5f37365f34f05f5260205ff3");
/// Init code that creates twice, without code, and returns nothing.
const NEST: &[u8] = &hex!("5f5f5ff0505f5f5f5ff5505f5ff3");
/// EVM: gives all it has to the caller and destroys itself; as init code too.
const GIVE_UP: &[u8] = &hex!("33ff");
/// EVM: jumps for ever.
const LOOP: &[u8] = &hex!("5b5f5600");

/// EVM: has the identity precompile copy a megabyte for ever.
const COPIER: &[u8] = &hex!("5b5f5f621000005f5f60045af1505f56");

const NOBODY: Address = address!("00000000000000000000000000000000000000aa");
const DEADLINE: Duration = Duration::from_secs(30);

/// A transaction's name, callee, data, value and gas.
type Case = (&'static str, Option<Address>, Vec<u8>, u64, u64);

/// A chain behind JSON-RPC: ours or Foundry's.
struct Node {
    url: String,
    client: reqwest::Client,
    sender: Address,
}

impl Node {
    fn new(url: String, sender: Address) -> Self {
        let client = reqwest::Client::new();
        Self { url, client, sender }
    }

    async fn ask(&self, method: &str, params: Value) -> Result<Value, Value> {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let request = self.client.post(&self.url).header("content-type", "application/json");
        let answer = request.body(body.to_string()).send().await.unwrap();
        let mut answer: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        match answer.get("error") {
            Some(error) => Err(error.clone()),
            None => Ok(answer["result"].take()),
        }
    }

    async fn rpc(&self, method: &str, params: Value) -> Value {
        let answer = self.ask(method, params.clone()).await;
        answer.unwrap_or_else(|error| panic!("{method} {params}: {error}"))
    }

    /// Sends and gives the hash.
    async fn send(&self, to: Option<Address>, data: &[u8], value: u64, gas: u64) -> B256 {
        let mut request = json!({
            "from": self.sender, "data": hex::encode_prefixed(data), "value": U256::from(value),
            "gas": U256::from(gas), "maxFeePerGas": "0x77359400", "maxPriorityFeePerGas": "0x0",
        });
        if let Some(to) = to {
            request["to"] = json!(to);
        }
        serde_json::from_value(self.rpc("eth_sendTransaction", json!([request])).await).unwrap()
    }

    async fn receipt(&self, hash: B256) -> Value {
        let begun = Instant::now();
        loop {
            let receipt = self.rpc("eth_getTransactionReceipt", json!([hash])).await;
            if !receipt.is_null() {
                return receipt;
            }
            assert!(begun.elapsed() < DEADLINE, "no receipt for {hash}");
            tokio::task::yield_now().await;
        }
    }

    async fn deploy(&self, code: &[u8]) -> Address {
        let hash = self.send(None, &init_code(code), 0, 10_000_000).await;
        let receipt = self.receipt(hash).await;
        assert_eq!(receipt["status"], "0x1", "{receipt}");
        serde_json::from_value(receipt["contractAddress"].clone()).unwrap()
    }

    /// Deploys and activates a Stylus program.
    async fn program(&self, wat: &str) -> Address {
        let at = self.deploy(&code::encode(&wat::parse_str(wat).unwrap())).await;
        let data = [&hex!("58c780c2")[..], at.into_word().as_slice()].concat();
        let arb_wasm = address!("0000000000000000000000000000000000000071");
        let hash = self
            .send(Some(arb_wasm), &data, 1_000_000_000_000_000_000, 20_000_000)
            .await;
        let receipt = self.receipt(hash).await;
        assert_eq!(receipt["status"], "0x1", "{receipt}");
        at
    }

    async fn trace(&self, hash: B256, options: Value) -> Value {
        self.rpc("debug_traceTransaction", json!([hash, options])).await
    }

    async fn call_trace(&self, hash: B256) -> Value {
        let options = json!({"tracer": "callTracer", "tracerConfig": {"withLog": true}});
        self.trace(hash, options).await
    }
}

async fn chain() -> (Handle, Node) {
    start(Config::default()).await
}

async fn start(config: Config) -> (Handle, Node) {
    let handle = spawn(config).await.unwrap();
    let node = Node::new(handle.url(), handle.accounts()[0].address);
    (handle, node)
}

/// Init code that deploys `code`.
fn init_code(code: &[u8]) -> Vec<u8> {
    let length = U256::from(code.len()).to_be_bytes::<32>();
    [&[0x7f][..], &length, &hex!("80602b6000396000f300"), code].concat()
}

/// EVM: reverts with `Error(reason)`.
fn refuser(reason: &str) -> Vec<u8> {
    let data = Revert::from(reason).abi_encode();
    let length = u8::try_from(data.len()).unwrap();
    [
        &[0x60, length, 0x60, 0x0a, 0x5f, 0x39, 0x60, length, 0x5f, 0xfd][..],
        &data,
    ]
    .concat()
}

fn forward(to: Address, input: &[u8]) -> Vec<u8> {
    [to.into_word().as_slice(), input].concat()
}

fn probe(to: Address, value: u64, input: &[u8]) -> Vec<u8> {
    [to.as_slice(), &U256::from(value).to_be_bytes::<32>(), input].concat()
}

fn number(value: &Value) -> u64 {
    let text = value.as_str().unwrap_or_else(|| panic!("{value} is no quantity"));
    u64::from_str_radix(text.trim_start_matches("0x"), 16).unwrap()
}

fn field<'v>(value: &'v Value, path: &str) -> &'v Value {
    value.pointer(path).unwrap_or_else(|| panic!("no {path} in {value}"))
}

/// The logs of a call trace in the order in which they were left.
fn logs_in_order(frame: &Value) -> Vec<Value> {
    let none = Vec::new();
    let calls = frame["calls"].as_array().unwrap_or(&none);
    let mut logs = frame["logs"].as_array().unwrap_or(&none).iter().peekable();
    let mut all = Vec::new();
    for (position, call) in calls.iter().enumerate() {
        while let Some(log) = logs.next_if(|log| number(&log["position"]) <= position as u64) {
            all.push(log.clone());
        }
        all.extend(logs_in_order(call));
    }
    all.extend(logs.cloned());
    all
}

/// Result, gas and logs are the receipt's, whatever the tracer.
async fn matches_its_receipt(node: &Node, hash: B256) {
    let receipt = node.receipt(hash).await;
    let call = node.call_trace(hash).await;
    assert_eq!(call["gasUsed"], receipt["gasUsed"], "{call}");
    assert_eq!(call.get("error").is_none(), receipt["status"] == "0x1", "{call}");
    assert_eq!(call["from"], receipt["from"]);
    let shown: Vec<_> = logs_in_order(&call)
        .iter()
        .map(|log| {
            (
                log["address"].clone(),
                log["topics"].clone(),
                log["data"].clone(),
                number(&log["index"]),
            )
        })
        .collect();
    let logged: Vec<_> = receipt["logs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|log| {
            (
                log["address"].clone(),
                log["topics"].clone(),
                log["data"].clone(),
                number(&log["logIndex"]),
            )
        })
        .collect();
    assert_eq!(shown, logged);
    let steps = node.trace(hash, json!({})).await;
    assert_eq!(steps["gas"].as_u64().unwrap(), number(&receipt["gasUsed"]));
    assert_eq!(steps["failed"].as_bool().unwrap(), receipt["status"] != "0x1");
}

#[tokio::test]
async fn evm_calls_a_program_that_calls_an_evm_contract_that_reverts() {
    let (_handle, node) = chain().await;
    let evm = node.deploy(FORWARD).await;
    let program = node.program(PROBE).await;
    let refuser = node.deploy(&refuser("not today")).await;
    let data = forward(program, &probe(refuser, 0, b"please"));
    let hash = node.send(Some(evm), &data, 0, 2_000_000).await;
    matches_its_receipt(&node, hash).await;

    let outer = node.call_trace(hash).await;
    assert_eq!((&outer["type"], &outer["to"]), (&json!("CALL"), &json!(evm)));
    assert_eq!(number(&outer["gas"]), 2_000_000);
    let middle = field(&outer, "/calls/0");
    assert_eq!((&middle["from"], &middle["to"]), (&json!(evm), &json!(program)));
    assert!(middle.get("error").is_none(), "{middle}");
    assert_eq!(middle["logs"].as_array().unwrap().len(), 2);
    assert_eq!(
        (&middle["logs"][0]["position"], &middle["logs"][1]["position"]),
        (&json!("0x0"), &json!("0x1"))
    );
    let inner = field(middle, "/calls/0");
    assert_eq!((&inner["from"], &inner["to"]), (&json!(program), &json!(refuser)));
    assert_eq!(inner["input"], json!(Bytes::from_static(b"please")));
    assert_eq!(inner["error"], "execution reverted");
    assert_eq!(inner["revertReason"], "not today");
    assert!(number(&inner["gasUsed"]) < number(&middle["gasUsed"]));
    assert!(number(&middle["gasUsed"]) < number(&outer["gasUsed"]));

    let options = json!({"tracer": "callTracer", "tracerConfig": {"onlyTopCall": true}});
    let top = node.trace(hash, options).await;
    assert!(top.get("calls").is_none() && top.get("logs").is_none(), "{top}");
    assert_eq!(top["gasUsed"], outer["gasUsed"]);

    let selectors = node.trace(hash, json!({"tracer": "4byteTracer"})).await;
    assert_eq!(selectors["0x706c6561-2"], 1, "{selectors}");
    assert_eq!(node.trace(hash, json!({"tracer": "noopTracer"})).await, json!({}));

    let entered = node.trace(hash, json!({"tracer": "stylusTracer"})).await;
    let [entered] = &entered.as_array().unwrap()[..] else {
        panic!("{entered}")
    };
    assert_eq!(
        (&entered["name"], &entered["address"], &entered["args"]),
        (&json!("evm_call_contract"), &json!(program), &json!("0x"))
    );
    let steps = entered["steps"].as_array().unwrap();
    let names: Vec<_> = steps.iter().map(|step| step["name"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "user_entrypoint",
            "read_args",
            "storage_load_bytes32",
            "storage_cache_bytes32",
            "storage_flush_cache",
            "emit_log",
            "call_contract",
            "emit_log",
            "return_data_size",
            "read_return_data",
            "return_data_size",
            "write_result",
            "user_returned",
        ]
    );
    let one = B256::with_last_byte(1);
    assert_eq!(steps[1]["outs"], json!(Bytes::from(probe(refuser, 0, b"please"))));
    assert_eq!(steps[2]["args"], json!(B256::ZERO));
    assert_eq!(steps[2]["outs"], json!(B256::ZERO));
    assert_eq!(steps[3]["args"], json!(Bytes::from([B256::ZERO, one].concat())));
    assert_eq!(
        steps[5]["args"],
        json!(Bytes::from(
            [&[0, 0, 0, 1][..], &B256::with_last_byte(7)[..], &one[..]].concat()
        ))
    );
    let call = &steps[6];
    let error = Revert::from("not today").abi_encode();
    let asked = [refuser.as_slice(), &u64::MAX.to_be_bytes(), &[0; 32], b"please"].concat();
    assert_eq!(call["args"], json!(Bytes::from(asked)));
    assert_eq!(
        call["outs"],
        json!(Bytes::from([&(error.len() as u32).to_be_bytes()[..], &[2]].concat()))
    );
    assert_eq!((&call["address"], &call["steps"]), (&json!(refuser), &json!([])));
    assert_eq!(steps[9]["outs"], json!(Bytes::from(error)));
}

#[tokio::test]
async fn ink_falls_from_step_to_step_and_what_is_left_is_the_gas_left() {
    let (_handle, node) = chain().await;
    let program = node.program(PROBE).await;
    let bell = node.deploy(BELL).await;
    let gas = 3_000_000;
    let hash = node.send(Some(program), &probe(bell, 0, &[]), 0, gas).await;
    matches_its_receipt(&node, hash).await;
    let steps = node.trace(hash, json!({"tracer": "stylusTracer"})).await;
    let mut ink = u64::MAX;
    let mut spent_in_calls = 0;
    for step in steps.as_array().unwrap() {
        let (start, end) = (step["startInk"].as_u64().unwrap(), step["endInk"].as_u64().unwrap());
        assert!(start <= ink && end <= start, "{step}");
        spent_in_calls += start - end;
        ink = end;
    }
    let start = field(&steps, "/0/startInk").as_u64().unwrap();
    assert!(spent_in_calls < start - ink, "the program itself uses ink as well");
    let used = number(&node.receipt(hash).await["gasUsed"]);
    assert_eq!(used, gas - ink / 10_000, "no gas left over, none lost");

    // What a sub-call used is in the ink of the call.
    let call = steps
        .as_array()
        .unwrap()
        .iter()
        .find(|step| step["name"] == "call_contract")
        .unwrap();
    let charged = (call["startInk"].as_u64().unwrap() - call["endInk"].as_u64().unwrap()) / 10_000;
    let inner = number(field(&node.call_trace(hash).await, "/calls/0/gasUsed"));
    assert!(
        (inner..inner + 5_000).contains(&charged),
        "{charged} for a frame that used {inner}"
    );
}

#[tokio::test]
async fn creations_nest_and_value_and_self_destruction_show() {
    let (_handle, node) = chain().await;
    let factory = node.deploy(FACTORY).await;
    let hash = node.send(Some(factory), NEST, 5, 1_000_000).await;
    matches_its_receipt(&node, hash).await;
    let trace = node.call_trace(hash).await;
    assert_eq!(trace["value"], "0x5");
    let outer = field(&trace, "/calls/0");
    assert_eq!(
        (&outer["type"], &outer["value"], &outer["from"]),
        (&json!("CREATE"), &json!("0x5"), &json!(factory))
    );
    assert_eq!(outer["to"], json!(factory.create(1)));
    assert_eq!(outer["input"], json!(Bytes::from(NEST)));
    let created = factory.create(1);
    assert_eq!(field(outer, "/calls/0/type"), "CREATE");
    assert_eq!(field(outer, "/calls/0/to"), &json!(created.create(1)));
    assert_eq!(field(outer, "/calls/1/type"), "CREATE2");
    assert_eq!(
        field(outer, "/calls/1/to"),
        &json!(created.create2_from_code(B256::ZERO, []))
    );

    let hash = node.send(Some(factory), GIVE_UP, 9, 1_000_000).await;
    matches_its_receipt(&node, hash).await;
    let trace = node.call_trace(hash).await;
    assert_eq!(
        field(&trace, "/calls/0/calls/0"),
        &json!({
            "type": "SELFDESTRUCT", "from": factory.create(2), "to": factory, "value": "0x9",
            "gas": "0x0", "gasUsed": "0x0", "input": "0x",
        })
    );

    // A program's value transfer; a delegate call acts as its caller and shows its caller's value.
    let program = node.program(PROBE).await;
    let hash = node.send(Some(program), &probe(NOBODY, 3, &[]), 8, 1_000_000).await;
    matches_its_receipt(&node, hash).await;
    let transfer = node.call_trace(hash).await;
    assert_eq!(field(&transfer, "/calls/0/value"), "0x3");
    assert_eq!(field(&transfer, "/calls/0/to"), &json!(NOBODY));
    let delegate = node.deploy(DELEGATE).await;
    let bell = node.deploy(BELL).await;
    let hash = node.send(Some(delegate), &forward(bell, &[]), 4, 1_000_000).await;
    matches_its_receipt(&node, hash).await;
    let trace = node.call_trace(hash).await;
    let acting = field(&trace, "/calls/0");
    assert_eq!(
        (&acting["type"], &acting["from"], &acting["to"], &acting["value"]),
        (&json!("DELEGATECALL"), &json!(delegate), &json!(bell), &json!("0x4"))
    );
    assert_eq!(field(acting, "/logs/0/address"), &json!(delegate));

    // What fails has no address, no logs, and says why.
    let hash = node.send(Some(factory), &hex!("5f5fa0fe"), 0, 1_000_000).await;
    matches_its_receipt(&node, hash).await;
    let failed = node.call_trace(hash).await;
    let failed = field(&failed, "/calls/0");
    assert_eq!(failed["error"], "invalid opcode: INVALID");
    assert!(failed.get("to").is_none() && failed.get("logs").is_none(), "{failed}");
}

#[tokio::test]
async fn precompiles_and_their_logs_are_frames() {
    let (_handle, node) = chain().await;
    let evm = node.deploy(FORWARD).await;
    let identity = Address::with_last_byte(4);
    let hash = node.send(Some(evm), &forward(identity, b"same"), 0, 1_000_000).await;
    matches_its_receipt(&node, hash).await;
    let trace = node.call_trace(hash).await;
    assert_eq!(field(&trace, "/calls/0/to"), &json!(identity));
    assert_eq!(field(&trace, "/calls/0/output"), &json!(Bytes::from_static(b"same")));
    let selectors = node.trace(hash, json!({"tracer": "4byteTracer"})).await;
    assert!(selectors.get("0x73616d65-0").is_none(), "{selectors}");

    // The precompile that activates leaves a log itself.
    let at = node.deploy(&code::encode(&wat::parse_str(DIVE).unwrap())).await;
    let data = [&hex!("58c780c2")[..], at.into_word().as_slice()].concat();
    let arb_wasm = address!("0000000000000000000000000000000000000071");
    let hash = node
        .send(Some(arb_wasm), &data, 1_000_000_000_000_000_000, 20_000_000)
        .await;
    matches_its_receipt(&node, hash).await;
    assert_eq!(logs_in_order(&node.call_trace(hash).await).len(), 1);
}

/// What `prestateTracer` gives agrees with the state before and after, account by account, slot by slot.
async fn prestate_is_the_state(node: &Node, hash: B256) {
    let receipt = node.receipt(hash).await;
    let after = receipt["blockNumber"].clone();
    let before = json!(U256::from(number(&after) - 1));
    let pre = node.trace(hash, json!({"tracer": "prestateTracer"})).await;
    let diff = node
        .trace(
            hash,
            json!({"tracer": "prestateTracer", "tracerConfig": {"diffMode": true}}),
        )
        .await;
    let mut checked = 0;
    for (state, block, only_changes) in [
        (&pre, &before, false),
        (&diff["pre"], &before, false),
        (&diff["post"], &after, true),
    ] {
        for (account, shown) in state.as_object().unwrap() {
            let ask = async |method: &str| node.rpc(method, json!([account, block])).await;
            for (key, method) in [("balance", "eth_getBalance"), ("code", "eth_getCode")] {
                let real = ask(method).await;
                match shown.get(key) {
                    Some(shown) => assert_eq!(shown, &real, "{key} of {account} at {block}"),
                    None if only_changes => {}
                    None => assert!(real == "0x" || real == "0x0", "{key} of {account} at {block}: {real}"),
                }
            }
            let nonce = number(&ask("eth_getTransactionCount").await);
            let known = shown.get("nonce").and_then(Value::as_u64);
            assert!(
                known.unwrap_or(if only_changes { nonce } else { 0 }) == nonce,
                "nonce of {account}"
            );
            for (slot, value) in shown.get("storage").and_then(Value::as_object).into_iter().flatten() {
                let real = node.rpc("eth_getStorageAt", json!([account, slot, block])).await;
                assert_eq!(value, &real, "{slot} of {account} at {block}");
                checked += 1;
            }
        }
    }
    // Nothing that the receipt implies is missing: the sender's nonce changed, and so did what it paid.
    let sender = receipt["from"].as_str().unwrap();
    assert!(field(&diff, &format!("/post/{sender}/nonce")).as_u64() > pre[sender]["nonce"].as_u64());
    assert_ne!(diff["post"][sender]["balance"], diff["pre"][sender]["balance"]);
    assert!(
        diff["pre"]
            .as_object()
            .unwrap()
            .keys()
            .all(|account| pre.get(account).is_some())
    );
    assert!(checked > 0 || receipt["to"].is_null(), "no slot was compared");
}

#[tokio::test]
async fn prestate_and_difference_are_those_of_the_blocks_around() {
    let (_handle, node) = chain().await;
    let program = node.program(PROBE).await;
    let bell = node.deploy(BELL).await;
    let factory = node.deploy(FACTORY).await;
    for _ in 0..2 {
        let hash = node.send(Some(program), &probe(bell, 0, &[]), 0, 1_000_000).await;
        prestate_is_the_state(&node, hash).await;
    }
    // The inner call reverts: its slot was looked at and stays.
    let hash = node.send(Some(program), &probe(bell, 0, b"no"), 0, 1_000_000).await;
    prestate_is_the_state(&node, hash).await;
    let hash = node.send(None, &init_code(BELL), 7, 1_000_000).await;
    prestate_is_the_state(&node, hash).await;

    // A slot that is cleared is in `pre` alone, a contract that lived for a moment in neither.
    let clearer = node.deploy(&hex!("3415600a5760015f55005b5f5f55")).await;
    let set = node.send(Some(clearer), &[], 1, 1_000_000).await;
    prestate_is_the_state(&node, set).await;
    let clear = node.send(Some(clearer), &[], 0, 1_000_000).await;
    prestate_is_the_state(&node, clear).await;
    let options = json!({"tracer": "prestateTracer", "tracerConfig": {"diffMode": true}});
    let diff = node.trace(clear, options.clone()).await;
    let key = format!("{clearer:?}");
    assert_eq!(
        diff["pre"][&key]["storage"],
        json!({B256::ZERO.to_string(): B256::with_last_byte(1)})
    );
    assert_eq!(diff["post"][&key], json!({}));
    let moment = node.send(Some(factory), GIVE_UP, 9, 1_000_000).await;
    let diff = node.trace(moment, options).await;
    let gone = format!("{:?}", factory.create(1));
    assert!(
        diff["pre"].get(&gone).is_none() && diff["post"].get(&gone).is_none(),
        "{diff}"
    );

    let bare = json!({"tracer": "prestateTracer", "tracerConfig": {"disableCode": true, "disableStorage": true}});
    let bare = node.trace(set, bare).await;
    for account in bare.as_object().unwrap().values() {
        assert!(
            account.get("code").is_none() && account.get("storage").is_none(),
            "{bare}"
        );
    }
    assert!(bare.get(&key).is_some());
}

#[tokio::test]
async fn steps_show_what_each_instruction_found() {
    let (_handle, node) = chain().await;
    let bell = node.deploy(BELL).await;
    let evm = node.deploy(FORWARD).await;
    let hash = node.send(Some(evm), &forward(bell, &[]), 0, 1_000_000).await;
    matches_its_receipt(&node, hash).await;
    let options = json!({"enableMemory": true, "enableReturnData": true});
    let trace = node.trace(hash, options).await;
    let steps = trace["structLogs"].as_array().unwrap();
    assert_eq!(
        (&steps[0]["pc"], &steps[0]["op"], &steps[0]["depth"]),
        (&json!(0), &json!("PUSH1"), &json!(1))
    );
    let find = |op: &str| {
        steps
            .iter()
            .find(|step| step["op"] == op)
            .unwrap_or_else(|| panic!("no {op}"))
    };
    let (load, store) = (find("SLOAD"), find("SSTORE"));
    assert_eq!((&load["depth"], &load["gasCost"]), (&json!(2), &json!(2_100)));
    let slot = B256::ZERO.to_string();
    assert_eq!(load["storage"], json!({slot.clone(): B256::ZERO}));
    assert_eq!(store["storage"], json!({slot: B256::with_last_byte(1)}));
    assert_eq!(store["stack"].as_array().unwrap().last().unwrap(), "0x0");
    assert_eq!(find("LOG1")["memory"], json!([B256::with_last_byte(1)]));
    assert_eq!(find("RETURNDATASIZE")["returnData"], json!(B256::with_last_byte(1)));
    // Gas falls by what each step costs, within a frame.
    for pair in steps.windows(2).filter(|pair| pair[0]["depth"] == pair[1]["depth"]) {
        let (gas, cost) = (pair[0]["gas"].as_u64().unwrap(), pair[0]["gasCost"].as_u64().unwrap());
        assert_eq!(pair[1]["gas"].as_u64().unwrap(), gas - cost, "{pair:?}");
    }
    let first = node
        .trace(hash, json!({"limit": 3, "disableStack": true, "disableStorage": true}))
        .await;
    assert_eq!(first["structLogs"].as_array().unwrap().len(), 3);
    assert!(field(&first, "/structLogs/0").get("stack").is_none());
    assert_eq!(first["gas"], trace["gas"]);
}

/// Random numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

#[tokio::test]
async fn every_transaction_of_a_random_block_traces_to_its_receipt() {
    let (_handle, node) = chain().await;
    let mut dice = Dice(20_261_121);
    let (evm, factory, bell) = (
        node.deploy(FORWARD).await,
        node.deploy(FACTORY).await,
        node.deploy(BELL).await,
    );
    let delegate = node.deploy(DELEGATE).await;
    let (program, refuser) = (node.program(PROBE).await, node.deploy(&refuser("no")).await);
    let targets = [
        evm,
        factory,
        bell,
        delegate,
        program,
        refuser,
        NOBODY,
        Address::with_last_byte(4),
    ];
    node.rpc("evm_setAutomine", json!([false])).await;
    let mut hashes = Vec::new();
    for _ in 0..60 {
        let mut data: Vec<u8> = match dice.roll(5) {
            0 => NEST.to_vec(),
            1 => GIVE_UP.to_vec(),
            2 => (0..dice.roll(40)).map(|_| dice.roll(256) as u8).collect(),
            _ => Vec::new(),
        };
        let mut to = targets[dice.roll(targets.len() as u64) as usize];
        for _ in 0..dice.roll(4) {
            let caller = targets[dice.roll(6) as usize];
            data = if caller == program {
                probe(to, 0, &data)
            } else {
                forward(to, &data)
            };
            to = caller;
        }
        let gas = if dice.roll(4) == 0 {
            22_000 + dice.roll(60_000)
        } else {
            1_500_000
        };
        let create = dice.roll(10) == 0;
        let gas = if create { gas.max(60_000) } else { gas };
        hashes.push(node.send((!create).then_some(to), &data, dice.roll(3), gas).await);
    }
    node.rpc("evm_mine", json!([])).await;
    let mut outcomes = std::collections::BTreeMap::new();
    let mut parts = Vec::new();
    let options = json!({"tracer": "callTracer", "tracerConfig": {"withLog": true}});
    let block = node.receipt(hashes[0]).await["blockNumber"].clone();
    for hash in &hashes {
        let receipt = node.receipt(*hash).await;
        assert_eq!(receipt["blockNumber"], block);
        *outcomes
            .entry(receipt["status"].as_str().unwrap().to_owned())
            .or_insert(0) += 1;
        matches_its_receipt(&node, *hash).await;
        parts.push(json!({"txHash": hash, "result": node.call_trace(*hash).await}));
    }
    assert!(
        outcomes.values().all(|count| *count > 5) && outcomes.len() == 2,
        "{outcomes:?}"
    );
    let by_number = node.rpc("debug_traceBlockByNumber", json!([block, options])).await;
    assert_eq!(by_number, json!(parts));
    let block_hash = node.receipt(hashes[0]).await["blockHash"].clone();
    assert_eq!(
        node.rpc("debug_traceBlockByHash", json!([block_hash, options])).await,
        by_number
    );

    // One transaction's state after is the next one's before.
    let options = json!({"tracer": "prestateTracer", "tracerConfig": {"diffMode": true}});
    let diffs = node.rpc("debug_traceBlockByNumber", json!([block, options])).await;
    let mut balances = std::collections::BTreeMap::new();
    for part in diffs.as_array().unwrap() {
        for (account, pre) in field(part, "/result/pre").as_object().unwrap() {
            if let Some(known) = balances.get(account) {
                assert_eq!(&pre["balance"], known, "{account}");
            }
        }
        for (account, post) in field(part, "/result/post").as_object().unwrap() {
            if let Some(balance) = post.get("balance") {
                balances.insert(account.clone(), balance.clone());
            }
        }
    }
    for (account, balance) in balances {
        assert_eq!(
            node.rpc("eth_getBalance", json!([account, block])).await,
            balance,
            "{account}"
        );
    }
}

#[tokio::test]
async fn an_impersonated_contract_s_transaction_and_one_after_an_override_replay() {
    let (_handle, node) = chain().await;
    let bell = node.deploy(BELL).await;
    let evm = node.deploy(FORWARD).await;
    node.rpc("anvil_impersonateAccount", json!([evm])).await;
    node.rpc("anvil_setBalance", json!([evm, "0xde0b6b3a7640000"])).await;
    let request = json!({"from": evm, "to": bell, "gas": "0x30000"});
    let hash: B256 = serde_json::from_value(node.rpc("eth_sendTransaction", json!([request])).await).unwrap();
    node.rpc("anvil_stopImpersonatingAccount", json!([evm])).await;
    matches_its_receipt(&node, hash).await;
    assert_eq!(node.call_trace(hash).await["from"], json!(evm));
    prestate_is_the_state_of_override(&node, hash, evm).await;
}

/// The overridden balance is what the transaction found, although no block shows it.
async fn prestate_is_the_state_of_override(node: &Node, hash: B256, account: Address) {
    let pre = node.trace(hash, json!({"tracer": "prestateTracer"})).await;
    assert_eq!(pre[format!("{account:?}")]["balance"], "0xde0b6b3a7640000");
}

#[tokio::test]
async fn calls_are_traced_with_overrides_and_at_an_index() {
    let (_handle, node) = chain().await;
    let bell = node.deploy(BELL).await;
    let request = json!({"to": bell});
    let options = json!({
        "tracer": "callTracer",
        "stateOverrides": {bell.to_string(): {"stateDiff": {B256::ZERO.to_string(): B256::with_last_byte(41)}}},
    });
    let trace = node.rpc("debug_traceCall", json!([request, "latest", options])).await;
    assert_eq!(trace["output"], json!(B256::with_last_byte(42)));
    assert_eq!(number(&trace["gas"]), 50_000_000);

    // NUMBER, TIMESTAMP, BASEFEE of another block.
    let clock = json!({"to": NOBODY, "gas": "0x100000"});
    let options = json!({
        "tracer": "callTracer",
        "stateOverrides": {NOBODY.to_string(): {"code": "0x435f52426020524860405260605ff3"}},
        "blockOverrides": {"number": "0x7", "time": "0x8", "baseFeePerGas": "0x9"},
    });
    let trace = node.rpc("debug_traceCall", json!([clock, "latest", options])).await;
    let words = [7, 8, 9].map(B256::with_last_byte);
    assert_eq!(trace["output"], json!(Bytes::from(words.concat())));

    node.rpc("evm_setAutomine", json!([false])).await;
    let mut hashes = Vec::new();
    for _ in 0..3 {
        hashes.push(node.send(Some(bell), &[], 0, 100_000).await);
    }
    node.rpc("evm_mine", json!([])).await;
    for (index, count) in [(0, 1), (2, 3), (3, 4)] {
        let options = json!({"tracer": "callTracer", "txIndex": U256::from(index)});
        let trace = node.rpc("debug_traceCall", json!([request, "latest", options])).await;
        assert_eq!(trace["output"], json!(B256::with_last_byte(count)));
    }
    let options = json!({"txIndex": "0x4"});
    let error = node
        .ask("debug_traceCall", json!([request, "latest", options]))
        .await
        .unwrap_err();
    assert_eq!(error["message"], "transaction index 4 of a block with 3 transactions");
}

#[tokio::test]
async fn what_cannot_be_traced_says_so() {
    let config = Config {
        state_history: 3,
        ..Config::default()
    };
    let (_handle, node) = start(config).await;
    let old = node.send(Some(NOBODY), &[], 1, 21_000).await;
    node.rpc("anvil_mine", json!(["0x5"])).await;
    let message = async |method: &str, params: Value| -> String {
        let error = node.ask(method, params).await.unwrap_err();
        error["message"].as_str().unwrap().to_owned()
    };
    let pruned = "missing trie node: the state of block 0, the parent of block 1, is not kept any more; \
                  a longer --state-history keeps it";
    assert_eq!(message("debug_traceTransaction", json!([old])).await, pruned);
    assert_eq!(message("debug_traceBlockByNumber", json!(["0x1"])).await, pruned);
    assert_eq!(
        message("debug_traceTransaction", json!([B256::ZERO])).await,
        "transaction not found"
    );
    assert_eq!(
        message("debug_traceBlockByNumber", json!(["0x63"])).await,
        "block not found"
    );
    assert_eq!(
        message("debug_traceBlockByNumber", json!(["0x0"])).await,
        "genesis is not traceable"
    );
    let new = node.send(Some(NOBODY), &[], 1, 21_000).await;
    let script =
        json!([new, {"tracer": "{step: function() {}, result: function() { return 1 }, fault: function() {}}"}]);
    assert!(message("debug_traceTransaction", script).await.contains("JavaScript"));
    let typo = json!([new, {"tracer": "callTracer", "tracerConfig": {"withLog": "yes"}}]);
    assert!(
        message("debug_traceTransaction", typo)
            .await
            .starts_with("tracerConfig: invalid type")
    );
    let late = json!([new, {"timeout": "soon"}]);
    assert!(message("debug_traceTransaction", late).await.contains("no duration"));
}

#[tokio::test]
async fn an_endless_loop_is_traced_within_bounds() {
    let (_handle, node) = chain().await;
    let endless = node.deploy(LOOP).await;
    let hash = node.send(Some(endless), &[], 0, 30_000_000).await;
    let error = node.ask("debug_traceTransaction", json!([hash])).await.unwrap_err();
    assert_eq!(error["code"], -32005);
    assert!(
        error["message"].as_str().unwrap().contains("TRACE_BYTES_MAX"),
        "{error}"
    );
    let limited = node.trace(hash, json!({"limit": 10})).await;
    assert_eq!(limited["structLogs"].as_array().unwrap().len(), 10);
    assert_eq!(limited["failed"], true);
    let error = node
        .ask("debug_traceTransaction", json!([hash, {"limit": 1, "timeout": "1ms"}]))
        .await
        .unwrap_err();
    assert!(
        error["message"].as_str().unwrap().starts_with("execution timeout"),
        "{error}"
    );
    assert_eq!(node.call_trace(hash).await["error"], "out of gas");

    // A loop around a host call fills the memory as fast.
    let spin = node.program(SPIN).await;
    let request = json!({"to": spin, "gas": U256::from(50_000_000)});
    let options = json!({"tracer": "stylusTracer", "timeout": "60s"});
    let error = node
        .ask("debug_traceCall", json!([request, "latest", options]))
        .await
        .unwrap_err();
    assert!(
        error["message"].as_str().unwrap().contains("TRACE_BYTES_MAX"),
        "{error}"
    );
}

#[tokio::test]
async fn what_is_not_recorded_is_bounded_in_time_and_costs_no_room() {
    let (_handle, node) = chain().await;
    let endless = node.deploy(LOOP).await;
    let request = json!({"to": endless, "gas": U256::from(50_000_000)});
    for tracer in ["prestateTracer", "noopTracer"] {
        let options = json!({"tracer": tracer, "timeout": "1ms"});
        let error = node
            .ask("debug_traceCall", json!([request, "latest", options]))
            .await
            .unwrap_err();
        let message = error["message"].as_str().unwrap();
        assert!(message.starts_with("execution timeout"), "{tracer}: {error}");
    }

    let copier = node.deploy(COPIER).await;
    let request = json!({"to": copier, "gas": U256::from(20_000_000)});
    let trace = async |only_top: bool| {
        let config = json!({"onlyTopCall": only_top});
        let options = json!({"tracer": "callTracer", "tracerConfig": config, "timeout": "60s"});
        node.ask("debug_traceCall", json!([request, "latest", options])).await
    };
    let error = trace(false).await.unwrap_err();
    assert!(
        error["message"].as_str().unwrap().contains("TRACE_BYTES_MAX"),
        "{error}"
    );
    let top = trace(true).await.unwrap();
    assert_eq!((&top["error"], top.get("calls")), (&json!("out of gas"), None));
}

#[tokio::test]
async fn a_prestate_is_bounded_by_the_code_in_it() {
    let (_handle, node) = chain().await;
    // Sixty accounts with 2.4 MB of code each; the contract looks at the balance of every one.
    let code = Bytes::from(vec![0; 2_400_000]);
    let mut looks = Vec::new();
    for last in 1..=60u8 {
        let at = Address::with_last_byte(last).create(0);
        node.rpc("anvil_setCode", json!([at, code])).await;
        looks.extend([&[0x73][..], at.as_slice(), &hex!("3150")].concat());
    }
    let reader = node.deploy(&looks).await;
    let options = json!({"tracer": "prestateTracer"});
    let request = json!({"to": reader});
    let error = node
        .ask("debug_traceCall", json!([request, "latest", options]))
        .await
        .unwrap_err();
    assert!(
        error["message"].as_str().unwrap().contains("TRACE_BYTES_MAX"),
        "{error}"
    );
    let options = json!({"tracer": "prestateTracer", "tracerConfig": {"disableCode": true}});
    let pre = node.rpc("debug_traceCall", json!([request, "latest", options])).await;
    assert!(pre.as_object().unwrap().len() >= 60, "{pre}");
}

#[tokio::test]
async fn a_thousand_nested_frames_cost_no_stack() {
    let (_handle, node) = chain().await;
    let dive = node.program(DIVE).await;
    let request = json!({"to": dive, "gas": U256::from(50_000_000)});
    for tracer in ["callTracer", "stylusTracer"] {
        let body = json!({
            "jsonrpc": "2.0", "id": 1, "method": "debug_traceCall",
            "params": [request, "latest", {"tracer": tracer, "timeout": "60s"}],
        });
        let sent = node.client.post(&node.url).header("content-type", "application/json");
        let text = sent.body(body.to_string()).send().await.unwrap().text().await.unwrap();
        let address = format!("{dive:?}");
        assert!(text.matches(&address).count() > 100, "{}", &text[..text.len().min(300)]);
        let (mut depth, mut deepest) = (0usize, 0usize);
        for c in text.bytes() {
            match c {
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            deepest = deepest.max(depth);
        }
        assert_eq!(depth, 0, "{tracer}: brackets");
        assert!(deepest > 200, "{tracer}: only {deepest} deep");
    }
}

#[tokio::test]
async fn an_access_list_has_what_a_call_looks_at_and_saves_its_cold_reads() {
    let (handle, node) = chain().await;
    let evm = node.deploy(FORWARD).await;
    let program = node.program(PROBE).await;
    let bell = node.deploy(BELL).await;
    let data = forward(program, &probe(bell, 0, &[]));
    let mut request =
        json!({"from": handle.accounts()[0].address, "to": evm, "data": Bytes::from(data.clone()), "gas": "0x1e8480"});
    let answer = node.rpc("eth_createAccessList", json!([request])).await;
    let slots = json!([B256::ZERO]);
    let mut expected = vec![
        json!({"address": program, "storageKeys": slots}),
        json!({"address": bell, "storageKeys": slots}),
    ];
    expected.sort_by_key(|item| item["address"].as_str().unwrap().to_owned());
    assert_eq!(answer["accessList"], json!(expected));
    assert!(answer.get("error").is_none(), "{answer}");

    // With the list the transaction uses exactly the gas that was said.
    request["accessList"] = answer["accessList"].clone();
    let hash: B256 = serde_json::from_value(node.rpc("eth_sendTransaction", json!([request])).await).unwrap();
    let receipt = node.receipt(hash).await;
    assert_eq!(receipt["gasUsed"], answer["gasUsed"]);
    matches_its_receipt(&node, hash).await;

    // What fails is told beside the list.
    let refuser = node.deploy(&refuser("no")).await;
    let request = json!({"to": evm, "data": Bytes::from(forward(refuser, &[]))});
    let answer = node.rpc("eth_createAccessList", json!([request])).await;
    assert_eq!(answer["error"], "execution reverted");
    assert_eq!(answer["accessList"], json!([{"address": refuser, "storageKeys": []}]));
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

#[tokio::test]
async fn cargo_stylus_reads_the_trace_with_its_script_and_with_the_native_tracer() {
    let (handle, node) = chain().await;
    let evm = node.deploy(FORWARD).await;
    let program = node.program(PROBE).await;
    let bell = node.deploy(BELL).await;
    let nested = probe(evm, 0, &forward(program, &probe(bell, 0, &[])));
    let hash = node.send(Some(program), &nested, 0, 5_000_000).await;
    let mut outputs = Vec::new();
    for native in [false, true] {
        let tool = root().join(".tools/cargo-stylus-0.10.10/bin/cargo-stylus");
        let mut command = Command::new(&tool);
        command.args([
            "stylus",
            "trace",
            "--endpoint",
            &handle.url(),
            "--tx",
            &hash.to_string(),
        ]);
        if native {
            command.arg("--use-native-tracer");
        }
        let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap();
        let output = output
            .unwrap_or_else(|error| panic!("{}: {error}; tools/setup-cargo-stylus.sh installs it", tool.display()));
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
        let trace: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(field(&trace, "/0/name"), "user_entrypoint");
        let inner = "/6/steps/0/steps/6";
        assert_eq!(field(&trace, &format!("{inner}/name")), "call_contract");
        assert_eq!(field(&trace, &format!("{inner}/address")), &json!(bell));
        outputs.push(trace);
    }
    assert_eq!(outputs[0], outputs[1]);
}

#[test]
fn exec_shows_what_each_host_call_was_given_and_gave() {
    let wasm = wat::parse_str(PROBE).unwrap();
    let call = Call {
        calldata: probe(NOBODY, 0, b"hi").into(),
        gas: CALL_GAS,
    };
    let report = run(&wasm, std::slice::from_ref(&call), true).unwrap();
    let trace = report.calls[0].trace.as_ref().unwrap();
    assert_eq!((trace[0].name, &trace[0].outs), ("read_args", &call.calldata));
    assert_eq!(
        (trace[1].name, &trace[1].args[..]),
        ("storage_load_bytes32", &B256::ZERO[..])
    );
    let asked = [NOBODY.as_slice(), &u64::MAX.to_be_bytes(), &[0; 32], b"hi"].concat();
    assert_eq!((trace[5].name, &trace[5].args[..]), ("call_contract", &asked[..]));
    assert_eq!(trace[5].outs[..], [0; 5]);
    assert_eq!(
        run(&wasm, std::slice::from_ref(&call), false).unwrap().calls[0].ink,
        report.calls[0].ink,
        "looking changes nothing"
    );
}

/// Foundry's anvil on a free port, ended with the test.
struct Foundry {
    child: Child,
    node: Node,
    /// Its home: it keeps old states there, which nobody else deletes once it is killed.
    _home: tempfile::TempDir,
}

impl Drop for Foundry {
    fn drop(&mut self) {
        // Both may fail only if it is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn foundry(sender: Address) -> Foundry {
    use std::io::BufRead;
    let tool = root().join(".tools/node/node_modules/.bin/anvil");
    let home = tempfile::tempdir().unwrap();
    let mut child = Command::new(&tool)
        .env("HOME", home.path())
        .args([
            "--port",
            "0",
            "--chain-id",
            "412346",
            "--hardfork",
            "osaka",
            "--base-fee",
            "100000000",
        ])
        .args([
            "--steps-tracing",
            "--gas-limit",
            "1125899906842624",
            "--disable-min-priority-fee",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error}; tools/setup-node.sh installs it", tool.display()));
    let mut lines = std::io::BufReader::new(child.stdout.take().unwrap()).lines();
    let url = lines.find_map(|line| {
        let line = line.ok()?;
        Some(format!("http://{}", line.strip_prefix("Listening on ")?.trim()))
    });
    // It goes on printing a line for each request.
    std::thread::spawn(move || lines.for_each(drop));
    let node = Node::new(url.expect("anvil says where it listens"), sender);
    Foundry {
        child,
        node,
        _home: home,
    }
}

#[tokio::test]
async fn plain_evm_traces_are_those_of_foundry_s_anvil() {
    // Foundry's has the floor of EIP-7623; ours on demand.
    let config = Config {
        calldata_floor: true,
        ..Config::default()
    };
    let (handle, ours) = start(config).await;
    let foundry = foundry(handle.accounts()[0].address);
    let theirs = &foundry.node;
    let mut sent = Vec::new();
    for node in [&ours, theirs] {
        let (evm, factory, bell) = (
            node.deploy(FORWARD).await,
            node.deploy(FACTORY).await,
            node.deploy(BELL).await,
        );
        let (delegate, refuser) = (node.deploy(DELEGATE).await, node.deploy(&refuser("not today")).await);
        let endless = node.deploy(LOOP).await;
        let identity = Address::with_last_byte(4);
        let deep = forward(evm, &forward(delegate, &forward(bell, &[])));
        let cases: [Case; 13] = [
            ("transfer", Some(NOBODY), Vec::new(), 7, 21_000),
            ("log", Some(bell), Vec::new(), 0, 100_000),
            ("own revert", Some(bell), b"data".to_vec(), 0, 100_000),
            ("revert", Some(evm), forward(refuser, &[]), 0, 100_000),
            ("nested", Some(evm), deep, 0, 200_000),
            ("precompile", Some(evm), forward(identity, b"same"), 0, 100_000),
            ("creations", Some(factory), NEST.to_vec(), 5, 300_000),
            ("self-destruction", Some(factory), GIVE_UP.to_vec(), 9, 300_000),
            ("failed creation", Some(factory), hex!("5f5fa0fe").to_vec(), 0, 300_000),
            ("creation", None, init_code(BELL), 3, 300_000),
            ("out of gas", Some(endless), Vec::new(), 0, 60_000),
            ("bad jump", None, hex!("600356").to_vec(), 0, 100_000),
            ("empty stack", Some(factory), hex!("01").to_vec(), 0, 100_000),
        ];
        let mut hashes = Vec::new();
        for (name, to, data, value, gas) in cases {
            let hash = node.send(to, &data, value, gas).await;
            node.receipt(hash).await;
            hashes.push((name, hash));
        }
        sent.push(hashes);
    }
    for ((name, our_hash), (_, their_hash)) in sent[0].iter().zip(&sent[1]) {
        for options in [
            json!({"tracer": "callTracer", "tracerConfig": {"withLog": true}}),
            json!({"tracer": "callTracer", "tracerConfig": {"onlyTopCall": true}}),
            json!({"tracer": "prestateTracer"}),
            json!({"tracer": "prestateTracer", "tracerConfig": {"diffMode": true}}),
            json!({"tracer": "4byteTracer"}),
            json!({"enableMemory": true, "enableReturnData": true}),
        ] {
            // Foundry counts a call to a precompile; go-ethereum says that it is no function, and so do we.
            if *name == "precompile" && options["tracer"] == "4byteTracer" {
                continue;
            }
            let mut our = ours.trace(*our_hash, options.clone()).await;
            let mut their = theirs.trace(*their_hash, options.clone()).await;
            if options["tracer"] == "callTracer" {
                // The transaction's limit here and in go-ethereum; Foundry subtracts the intrinsic gas.
                our["gas"].take();
                their["gas"].take();
            }
            let sender = format!("{:?}", ours.sender);
            comparable(&mut our, &sender);
            comparable(&mut their, &sender);
            assert_eq!(our, their, "{name} {options}");
        }
    }
}

/// Takes away what has to differ: what the sender has left (another order of deployments and another price paid), the
/// coinbase and other empty accounts (which go-ethereum leaves out), what is empty, and the wording of failures where
/// ours is go-ethereum's.
fn comparable(trace: &mut Value, sender: &str) {
    match trace {
        Value::Array(items) => items.iter_mut().for_each(|item| comparable(item, sender)),
        Value::Object(fields) => {
            if let Some(account) = fields.get_mut(sender).and_then(Value::as_object_mut) {
                assert!(account.remove("balance").is_some());
            }
            let is_step = fields.contains_key("pc");
            for (key, value) in fields.iter_mut() {
                if key == "error" && is_step {
                    *value = json!(true);
                } else if value.as_str().is_some_and(|text| text.starts_with("stack underflow")) {
                    *value = json!("StackUnderflow");
                }
                comparable(value, sender);
            }
            fields.retain(|key, value| {
                let empty = value.is_null() || *value == json!({"balance": "0x0"});
                let absent = match key.as_str() {
                    "refund" => *value == json!(0),
                    "returnData" => *value == "0x",
                    _ => false,
                };
                !empty && !absent
            });
        }
        _ => {}
    }
}
