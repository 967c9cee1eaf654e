//! The JSON-RPC decoder and every method behind it, through the real server.
//!
//! A panic in a method comes back as an internal error (-32603), so that code is what must never be seen.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::Path;

use alloy::consensus::{SignableTransaction, TxEip1559, TxEip2930, TxEip7702, TxEnvelope, TxLegacy};
use alloy::eips::Encodable2718;
use alloy::eips::eip7702::Authorization;
use alloy::network::TxSignerSync;
use alloy::primitives::{Address, TxKind, U256, hex};
use alloy::rpc::types::{AccessList, AccessListItem};
use alloy::signers::SignerSync;
use arbitrary::{Result, Unstructured};
use medlock_anvil::{Config, Handle, spawn};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::cases::cases;
use crate::wasm::damage;

/// The code that stands for a panic, or for a failure that nobody foresaw.
const INTERNAL_ERROR: i64 = -32_603;
/// Calls between two looks at whether the server still serves.
const CALLS_PER_LOOK: usize = 16;

/// A server and what is known of its chain.
struct Server {
    runtime: Runtime,
    handle: Handle,
    client: reqwest::Client,
    /// Values that occur on the chain: addresses, hashes, numbers.
    known: Vec<Value>,
}

impl Server {
    fn start() -> Self {
        let runtime = Runtime::new().unwrap();
        let handle = runtime.block_on(spawn(Config::default())).unwrap();
        let mut server = Self {
            runtime,
            handle,
            client: reqwest::Client::new(),
            known: Vec::new(),
        };
        let (alice, bob) = (server.address(0), server.address(1));
        let mut known = vec![
            json!(alice),
            json!(bob),
            json!(Address::ZERO),
            json!(Address::with_last_byte(0x71)),
        ];
        // Logs a word and returns its calldata; then a transfer.
        let code = "0x601180600b6000396000f3602a60005260206000a1366000600037366000f3";
        let requests = [
            json!({"from": alice, "data": code}),
            json!({"from": alice, "to": bob, "value": "0x1"}),
        ];
        for request in requests {
            let hash = server.ok("eth_sendTransaction", json!([request]));
            let receipt = server.ok("eth_getTransactionReceipt", json!([hash]));
            known.extend([hash, receipt["blockHash"].clone(), receipt["contractAddress"].clone()]);
        }
        for method in ["eth_newBlockFilter", "evm_snapshot"] {
            known.push(server.ok(method, json!([])));
        }
        known.push(server.ok("eth_newFilter", json!([{}])));
        known.retain(|value| !value.is_null());
        server.known = known;
        server
    }

    fn address(&self, account: usize) -> Address {
        self.handle.accounts()[account].address
    }

    /// Posts a body; the text of the answer.
    fn post(&self, body: Vec<u8>) -> String {
        let request = self
            .client
            .post(self.handle.url())
            .header("content-type", "application/json")
            .body(body);
        self.runtime.block_on(async {
            let response = request.send().await.expect("the server answers");
            assert_eq!(response.status(), 200);
            response.text().await.expect("the server answers to the end")
        })
    }

    fn call(&self, method: &str, params: Value) -> Value {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let answer = self.post(body.to_string().into_bytes());
        serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error}: {answer}"))
    }

    fn ok(&self, method: &str, params: Value) -> Value {
        let answer = self.call(method, params);
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].clone()
    }

    /// Still there, and mining as before.
    fn look(&self) {
        let number = self.ok("eth_blockNumber", json!([]));
        assert!(
            number.as_str().is_some_and(|number| number.starts_with("0x")),
            "{number}"
        );
    }
}

/// Panics unless `answer` is one JSON-RPC answer, with a result or with an error that names its cause.
fn check(answer: &Value, asked: &dyn Fn() -> String) {
    assert_eq!(answer["jsonrpc"], "2.0", "{answer}\nasked: {}", asked());
    assert!(answer.get("id").is_some(), "{answer}\nasked: {}", asked());
    match (answer.get("result"), answer.get("error")) {
        (Some(_), None) => {}
        (None, Some(error)) => {
            let code = error["code"].as_i64().expect("an error has a code");
            assert_ne!(code, INTERNAL_ERROR, "{answer}\nasked: {}", asked());
            assert!(
                error["message"].as_str().is_some_and(|message| !message.is_empty()),
                "{answer}\nasked: {}",
                asked()
            );
        }
        _ => panic!("neither result nor error, or both: {answer}\nasked: {}", asked()),
    }
}

/// The answers to a message of any kind: none, one, or a batch.
fn check_text(answer: &str, asked: &[u8]) {
    if answer.is_empty() {
        return;
    }
    let asked = || String::from_utf8_lossy(asked).chars().take(2_000).collect();
    let parsed: Value = serde_json::from_str(answer).unwrap_or_else(|error| panic!("{error}: {answer}"));
    match parsed {
        Value::Array(answers) => answers.iter().for_each(|answer| check(answer, &asked)),
        answer => check(&answer, &asked),
    }
}

/// Every method name in the source of the method table.
fn methods() -> Vec<String> {
    fn collect(folder: &Path, names: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, names);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            // Every other piece between quotes is a string; what is no method name falls through the sieve.
            for piece in text.split('"') {
                let Some((space, name)) = piece.split_once('_') else {
                    continue;
                };
                let spaces = [
                    "anvil", "arb", "debug", "erigon", "eth", "evm", "hardhat", "net", "ots", "personal", "trace",
                    "txpool", "web3",
                ];
                let is_name = name.starts_with(|c: char| c.is_ascii_lowercase())
                    && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
                if spaces.contains(&space) && is_name {
                    names.insert(piece.to_owned());
                }
            }
        }
    }
    let mut names = BTreeSet::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut names);
    for wanted in ["eth_call", "eth_getLogs", "evm_mine", "anvil_setCode", "net_version"] {
        assert!(
            names.contains(wanted),
            "the method table is not where it was: no {wanted}"
        );
    }
    names.into_iter().collect()
}

#[test]
fn every_method_answers_any_parameters_with_a_result_or_a_reason() {
    let server = Server::start();
    let methods = methods();
    println!("{} methods", methods.len());
    // Each method in its turn, so that none is left to chance.
    let turn = RefCell::new(0);
    cases("parameters of every method", 800, 2_048, |u| {
        for _ in 0..CALLS_PER_LOOK {
            let method = &methods[*turn.borrow() % methods.len()];
            *turn.borrow_mut() += 1;
            let mut params = params(method, &server, u)?;
            for _ in 0..u.int_in_range(0..=2)? {
                mutate(&mut params, &server, u)?;
            }
            let answer = server.call(method, params.clone());
            check(&answer, &|| format!("{method} {params}"));
        }
        server.look();
        Ok(())
    });
}

#[test]
fn every_method_answers_what_it_is_for() {
    // Nothing is mutated: what is refused here is refused because the templates are wrong, and a fuzzer with wrong
    // templates sees the argument parser and nothing behind it.
    let server = Server::start();
    for method in [
        "eth_call",
        "eth_estimateGas",
        "eth_getLogs",
        "eth_getProof",
        "eth_getStorageAt",
        "eth_feeHistory",
        "eth_getBlockByNumber",
        "eth_sendTransaction",
    ] {
        let succeeded = std::cell::Cell::new(0);
        cases(method, 20, 1_024, |u| {
            let answer = server.call(method, params(method, &server, u)?);
            succeeded.set(succeeded.get() + u32::from(answer.get("result").is_some()));
            Ok(())
        });
        assert!(succeeded.get() > 0, "no request for {method} succeeds");
    }
}

#[test]
fn messages_that_are_no_requests_are_answered_with_an_error() {
    let server = Server::start();
    let methods = methods();
    cases("messages", 600, 1_024, |u| {
        for _ in 0..CALLS_PER_LOOK / 4 {
            let mut message = match u.int_in_range(0..=5)? {
                0 => u.bytes(u.len() / 8)?.to_vec(),
                1 => junk(u, 0)?.to_string().into_bytes(),
                2 => nested(u)?,
                _ => {
                    let call = |u: &mut Unstructured<'_>| -> Result<Value> {
                        let method = u.choose(&methods)?;
                        let params = params(method, &server, u)?;
                        let mut call = json!({"jsonrpc": "2.0", "id": junk(u, 3)?, "method": method, "params": params});
                        if u.ratio(1, 4)? {
                            mutate(&mut call, &server, u)?;
                        }
                        Ok(call)
                    };
                    let message = if u.arbitrary()? {
                        call(u)?
                    } else {
                        Value::Array((0..u.int_in_range(0..=4)?).map(|_| call(u)).collect::<Result<_>>()?)
                    };
                    message.to_string().into_bytes()
                }
            };
            for _ in 0..u.int_in_range(0..=3)? {
                damage(&mut message, u)?;
            }
            check_text(&server.post(message.clone()), &message);
        }
        server.look();
        Ok(())
    });
}

#[test]
fn raw_transactions_are_mined_or_refused_with_a_reason() {
    let server = Server::start();
    cases("raw transactions", 1_000, 1_024, |u| {
        for _ in 0..CALLS_PER_LOOK / 4 {
            let mut raw = if u.ratio(1, 8)? {
                u.bytes(u.len() / 4)?.to_vec()
            } else {
                transaction(&server, u)?
            };
            for _ in 0..u.int_in_range(0..=3)? {
                damage(&mut raw, u)?;
            }
            let answer = server.call("eth_sendRawTransaction", json!([hex::encode_prefixed(&raw)]));
            check(&answer, &|| hex::encode_prefixed(&raw));
        }
        server.look();
        Ok(())
    });
}

/// A signed transaction with fields from small to absurd.
fn transaction(server: &Server, u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let account = &server.handle.accounts()[u.int_in_range(0..=9)?];
    let chain_id = *u.choose(&[412_346, 412_346, 412_346, 1, u64::MAX])?;
    let state_nonce = server.ok("eth_getTransactionCount", json!([account.address, "latest"]));
    let state_nonce: U256 = serde_json::from_value(state_nonce).unwrap();
    let nonce = match u.int_in_range(0..=5)? {
        0 => u.arbitrary()?,
        1 => u64::MAX,
        2 => state_nonce.to::<u64>().wrapping_add(1),
        _ => state_nonce.to(),
    };
    let gas_limit = *u.choose(&[21_000, 100_000, 100_000, 20_999, 0, 32_000_000, 32_000_001, u64::MAX])?;
    let fee: u128 = *u.choose(&[
        100_000_000,
        100_000_000,
        1_000_000_000,
        99_999_999,
        0,
        u128::from(u64::MAX),
        u128::MAX,
    ])?;
    let tip: u128 = *u.choose(&[0, 0, 1, 100_000_000, u128::MAX])?;
    let to = match u.int_in_range(0..=3)? {
        0 => TxKind::Create,
        1 => TxKind::Call(Address::with_last_byte(u.arbitrary()?)),
        _ => TxKind::Call(*u.choose(&[server.address(0), server.address(1)])?),
    };
    let value = *u.choose(&[U256::ZERO, U256::from(1), U256::MAX, U256::from(10).pow(U256::from(21))])?;
    let input = u.bytes(u.len() / 8)?.to_vec().into();
    let access_list = AccessList(vec![
        AccessListItem {
            address: Address::with_last_byte(u.arbitrary()?),
            storage_keys: vec![Default::default(); u.int_in_range(0..=3)?],
        };
        u.int_in_range(0..=2)?
    ]);
    let signer = &account.signer;
    let envelope: TxEnvelope = match u.int_in_range(0..=3)? {
        0 => {
            let chain_id = u.arbitrary::<bool>()?.then_some(chain_id);
            let mut tx = TxLegacy {
                chain_id,
                nonce,
                gas_price: fee,
                gas_limit,
                to,
                value,
                input,
            };
            let signature = signer.sign_transaction_sync(&mut tx).unwrap();
            tx.into_signed(signature).into()
        }
        1 => {
            let mut tx = TxEip2930 {
                chain_id,
                nonce,
                gas_price: fee,
                gas_limit,
                to,
                value,
                access_list,
                input,
            };
            let signature = signer.sign_transaction_sync(&mut tx).unwrap();
            tx.into_signed(signature).into()
        }
        2 => {
            let mut tx = TxEip1559 {
                chain_id,
                nonce,
                gas_limit,
                max_fee_per_gas: fee,
                max_priority_fee_per_gas: tip,
                to,
                value,
                access_list,
                input,
            };
            let signature = signer.sign_transaction_sync(&mut tx).unwrap();
            tx.into_signed(signature).into()
        }
        _ => {
            let authorization = Authorization {
                chain_id: U256::from(*u.choose(&[0, chain_id])?),
                address: Address::with_last_byte(u.arbitrary()?),
                nonce: *u.choose(&[0, nonce, u64::MAX])?,
            };
            let signature = signer.sign_hash_sync(&authorization.signature_hash()).unwrap();
            let mut tx = TxEip7702 {
                chain_id,
                nonce,
                gas_limit,
                max_fee_per_gas: fee,
                max_priority_fee_per_gas: tip,
                to: to.to().copied().unwrap_or_default(),
                value,
                access_list,
                authorization_list: vec![authorization.into_signed(signature); u.int_in_range(0..=2)?],
                input,
            };
            let signature = signer.sign_transaction_sync(&mut tx).unwrap();
            tx.into_signed(signature).into()
        }
    };
    Ok(envelope.encoded_2718())
}

/// Parameters that `method` might mean, as far as its name tells; any others for a name that tells nothing.
fn params(method: &str, server: &Server, u: &mut Unstructured<'_>) -> Result<Value> {
    let (_, name) = method.split_once('_').unwrap_or(("", method));
    let address = |u: &mut Unstructured<'_>| -> Result<Value> {
        let accounts = json!(server.handle.accounts().iter().map(|a| a.address).collect::<Vec<_>>());
        if u.ratio(1, 4)? {
            known(server, u)
        } else {
            Ok(accounts[u.int_in_range(0..=9)?].clone())
        }
    };
    let list = match name {
        "call" | "estimateGas" | "createAccessList" | "traceCall" => {
            let mut list = vec![request(server, u)?, tag(u)?];
            if u.arbitrary()? {
                list.push(overrides(server, u)?);
                list.push(json!({"number": number(u)?, "time": number(u)?, "baseFee": number(u)?}));
            }
            list
        }
        "sendTransaction" | "signTransaction" | "fillTransaction" => vec![request(server, u)?],
        "getLogs" | "newFilter" => vec![filter(server, u)?],
        "getProof" => vec![address(u)?, json!([word(u)?, word(u)?]), tag(u)?],
        "getStorageAt" => vec![address(u)?, word(u)?, tag(u)?],
        "getBalance" | "getCode" | "getTransactionCount" | "getAccount" => vec![address(u)?, tag(u)?],
        "feeHistory" => vec![number(u)?, tag(u)?, json!([0, 50.5, 100])],
        "getBlockByNumber" => vec![tag(u)?, json!(u.arbitrary::<bool>()?)],
        "setBalance" | "setNonce" => vec![address(u)?, number(u)?],
        "setCode" => vec![address(u)?, bytes(u)?],
        "setStorageAt" => vec![address(u)?, word(u)?, word(u)?],
        "sendRawTransaction" => vec![json!(hex::encode_prefixed(transaction(server, u)?))],
        "mine" => vec![json!(u.int_in_range(0..=3)?), json!(u.int_in_range(0..=20)?)],
        name if name.contains("ByNumber") => vec![tag(u)?, number(u)?],
        name if name.contains("Hash") || name.contains("Receipt") || name.contains("Transaction") => {
            vec![known(server, u)?, number(u)?]
        }
        name if name.contains("ccount") => vec![address(u)?],
        name if name.contains("ime") || name == "reorg" || name == "rollback" || name == "revert" => vec![number(u)?],
        _ => (0..u.int_in_range(0..=3)?)
            .map(|_| anything(server, u))
            .collect::<Result<_>>()?,
    };
    Ok(Value::Array(list))
}

/// A value of some shape that some method takes.
fn anything(server: &Server, u: &mut Unstructured<'_>) -> Result<Value> {
    match u.int_in_range(0..=9)? {
        0 => known(server, u),
        1 => tag(u),
        2 => number(u),
        3 => word(u),
        4 => bytes(u),
        5 => request(server, u),
        6 => filter(server, u),
        7 => overrides(server, u),
        8 => Ok(json!(u.arbitrary::<bool>()?)),
        _ => junk(u, 2),
    }
}

fn known(server: &Server, u: &mut Unstructured<'_>) -> Result<Value> {
    Ok(u.choose(&server.known)?.clone())
}

fn tag(u: &mut Unstructured<'_>) -> Result<Value> {
    Ok(match u.int_in_range(0..=7)? {
        0 => json!("pending"),
        1 => json!("earliest"),
        2 => json!("safe"),
        3 => json!("finalized"),
        4 => number(u)?,
        5 => json!({"blockHash": word(u)?}),
        _ => json!("latest"),
    })
}

fn number(u: &mut Unstructured<'_>) -> Result<Value> {
    Ok(match u.int_in_range(0..=7)? {
        0 => json!(u.arbitrary::<i64>()?),
        1 => json!("0xffffffffffffffff"),
        2 => json!(format!("0x{}", "f".repeat(64))),
        3 => json!(u.int_in_range(0..=3)?),
        4 => json!(format!("0x{:x}", u.arbitrary::<u64>()?)),
        5 => json!("0x7fffffffffffffff"),
        _ => json!(format!("0x{:x}", u.int_in_range(0..=5)?)),
    })
}

fn word(u: &mut Unstructured<'_>) -> Result<Value> {
    Ok(match u.int_in_range(0..=3)? {
        0 => json!("0x0"),
        1 => json!(hex::encode_prefixed(u.arbitrary::<[u8; 32]>()?)),
        _ => json!(format!("0x{:064x}", u.int_in_range(0..=4)?)),
    })
}

fn bytes(u: &mut Unstructured<'_>) -> Result<Value> {
    let length = u.int_in_range(0..=u.len().min(64))?;
    let mut bytes = u.bytes(length)?.to_vec();
    if u.ratio(1, 4)? {
        // Something that claims to be a program.
        bytes.splice(0..0, [0xef, 0xf0, 0x00, 0x00]);
    }
    Ok(json!(hex::encode_prefixed(bytes)))
}

/// What `eth_call` and `eth_sendTransaction` take.
fn request(server: &Server, u: &mut Unstructured<'_>) -> Result<Value> {
    let mut request = json!({"from": server.address(u.int_in_range(0..=9)?)});
    let mut maybe = |key: &str, value: &mut dyn FnMut(&mut Unstructured<'_>) -> Result<Value>| -> Result<()> {
        if u.ratio(1, 3)? {
            request[key] = value(u)?;
        }
        Ok(())
    };
    maybe("to", &mut |u| known(server, u))?;
    maybe("to", &mut |u| Ok(json!(Address::with_last_byte(u.arbitrary()?))))?;
    maybe("input", &mut bytes)?;
    maybe("data", &mut bytes)?;
    maybe("value", &mut |u| Ok(json!(format!("0x{:x}", u.int_in_range(0..=9)?))))?;
    if u.ratio(1, 3)? {
        for key in [
            "gas",
            "gasPrice",
            "maxFeePerGas",
            "maxPriorityFeePerGas",
            "nonce",
            "value",
            "chainId",
            "type",
        ] {
            if u.ratio(1, 4)? {
                request[key] = number(u)?;
            }
        }
        if u.ratio(1, 4)? {
            request["accessList"] = json!([{"address": known(server, u)?, "storageKeys": [word(u)?]}]);
        }
        if u.ratio(1, 4)? {
            let mut authorization = json!({"chainId": number(u)?, "address": known(server, u)?, "nonce": number(u)?});
            for key in ["yParity", "r", "s"] {
                authorization[key] = number(u)?;
            }
            request["authorizationList"] = json!([authorization]);
        }
    }
    Ok(request)
}

fn filter(server: &Server, u: &mut Unstructured<'_>) -> Result<Value> {
    let mut filter = json!({});
    if u.arbitrary()? {
        filter["fromBlock"] = tag(u)?;
        filter["toBlock"] = tag(u)?;
    }
    if u.ratio(1, 4)? {
        filter["address"] = json!([known(server, u)?]);
    }
    if u.ratio(1, 4)? {
        filter["topics"] = json!([null, word(u)?, [word(u)?, word(u)?]]);
    }
    if u.ratio(1, 8)? {
        filter["blockHash"] = known(server, u)?;
    }
    Ok(filter)
}

fn overrides(server: &Server, u: &mut Unstructured<'_>) -> Result<Value> {
    let account = json!({"balance": number(u)?, "nonce": number(u)?, "code": bytes(u)?});
    let mut account = account;
    let slots = if u.arbitrary()? { "state" } else { "stateDiff" };
    account[slots] = json!({"0x0000000000000000000000000000000000000000000000000000000000000000": word(u)?});
    let at = server.address(u.int_in_range(0..=9)?).to_string();
    Ok(json!({at: account}))
}

/// JSON of any shape.
fn junk(u: &mut Unstructured<'_>, depth: u32) -> Result<Value> {
    Ok(match u.int_in_range(0..=if depth > 3 { 5 } else { 8 })? {
        0 => Value::Null,
        1 => json!(u.arbitrary::<bool>()?),
        2 => json!(u.arbitrary::<i64>()?),
        3 => json!(f64::from(u.arbitrary::<f32>()?)),
        4 => json!(String::from_utf8_lossy(u.bytes(u.len().min(12))?)),
        5 => number(u)?,
        6 => json!("é\u{0}\u{202e}".repeat(u.int_in_range(0..=500)?)),
        7 => Value::Array(
            (0..u.int_in_range(0..=3)?)
                .map(|_| junk(u, depth + 1))
                .collect::<Result<_>>()?,
        ),
        _ => {
            let mut object = serde_json::Map::new();
            for _ in 0..u.int_in_range(0..=3)? {
                let key = *u.choose(&["jsonrpc", "id", "method", "params", "from", "x", ""])?;
                object.insert(key.to_owned(), junk(u, depth + 1)?);
            }
            Value::Object(object)
        }
    })
}

/// Brackets to a depth at which a recursive parser falls.
fn nested(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let depth = u.int_in_range(1..=200_000)?;
    let (open, close) = *u.choose(&[("[", "]"), ("{\"a\":", "}"), ("[[", "")])?;
    let inner = open.repeat(depth) + "1" + &close.repeat(depth);
    Ok(match u.int_in_range(0..=2)? {
        0 => inner,
        1 => format!(r#"{{"jsonrpc":"2.0","id":1,"method":"eth_call","params":{inner}}}"#),
        _ => format!(r#"{{"jsonrpc":"2.0","id":{inner},"method":"eth_chainId","params":[]}}"#),
    }
    .into_bytes())
}

/// Replaces, removes or doubles a value somewhere inside.
fn mutate(value: &mut Value, server: &Server, u: &mut Unstructured<'_>) -> Result<()> {
    match value {
        Value::Array(items) if !items.is_empty() && u.ratio(3, 4)? => {
            let at = u.choose_index(items.len())?;
            match u.int_in_range(0..=5)? {
                0 => drop(items.remove(at)),
                1 => items.insert(at, items[at].clone()),
                _ => mutate(&mut items[at], server, u)?,
            }
        }
        Value::Object(fields) if !fields.is_empty() && u.ratio(3, 4)? => {
            let key = fields.keys().nth(u.choose_index(fields.len())?).unwrap().clone();
            match u.int_in_range(0..=5)? {
                0 => drop(fields.remove(&key)),
                _ => mutate(&mut fields[&key], server, u)?,
            }
        }
        Value::String(text) if !text.is_empty() && u.ratio(1, 2)? => {
            let mut bytes = std::mem::take(text).into_bytes();
            damage(&mut bytes, u)?;
            *text = String::from_utf8_lossy(&bytes).into_owned();
        }
        value => *value = anything(server, u)?,
    }
    Ok(())
}
