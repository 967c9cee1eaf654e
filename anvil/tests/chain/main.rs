//! The chain as its clients see it: an alloy provider, raw JSON-RPC and a WebSocket against `spawn` on port 0.

use std::path::PathBuf;
use std::time::Duration;

use alloy::consensus::proofs::calculate_transaction_root;
use alloy::eips::{BlockId, BlockNumberOrTag};
use alloy::network::{NetworkTransactionBuilder, TransactionBuilder};
use alloy::primitives::{Address, B256, Bytes, U256, address, bytes, hex, keccak256};
use alloy::providers::{DynProvider, Provider, ProviderBuilder};
use alloy::rpc::types::{Filter, TransactionReceipt, TransactionRequest};
use futures::{SinkExt, StreamExt};
use medlock_anvil::{Config, Handle, spawn};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

/// Counts its calls in slot 0, logs the count under topic 0x42 and returns it; given calldata, reverts with just that.
const BELL: Bytes = bytes!(
    "602880600b6000396000f3"
    "36601d57600054600101806000556000526042602060" "00a160206000f3" "5b3660006000373660" "00fd"
);
const NOBODY: Address = address!("00000000000000000000000000000000000000aa");
const TOPIC: B256 = B256::with_last_byte(0x42);
const DEADLINE: Duration = Duration::from_secs(30);

mod bad_input;
mod crash;
mod filters;
mod mining;
mod node_interface;
mod pool;
mod state;
mod wallet;

async fn chain() -> Handle {
    spawn(Config::default()).await.unwrap()
}

/// A provider that signs as the development account with that index.
fn provider(handle: &Handle, account: usize) -> DynProvider {
    let signer = handle.accounts()[account].signer.clone();
    ProviderBuilder::new()
        .wallet(signer)
        .connect_http(handle.url().parse().unwrap())
        .erased()
}

async fn send(provider: &DynProvider, request: TransactionRequest) -> TransactionReceipt {
    let pending = provider.send_transaction(request).await.unwrap();
    provider
        .get_transaction_receipt(*pending.tx_hash())
        .await
        .unwrap()
        .expect("mined when accepted")
}

fn transfer(value: u64) -> TransactionRequest {
    TransactionRequest::default()
        .with_to(NOBODY)
        .with_value(U256::from(value))
}

async fn deploy_bell(provider: &DynProvider) -> Address {
    let receipt = send(provider, TransactionRequest::default().with_deploy_code(BELL)).await;
    assert!(receipt.status());
    receipt.contract_address.unwrap()
}

/// The raw bytes of a signed transfer.
async fn signed(
    handle: &Handle,
    account: usize,
    change: impl FnOnce(TransactionRequest) -> TransactionRequest,
) -> Bytes {
    use alloy::eips::Encodable2718;
    let account = &handle.accounts()[account];
    let request = transfer(1)
        .with_chain_id(412_346)
        .with_gas_limit(21_000)
        .with_max_fee_per_gas(200_000_000)
        .with_max_priority_fee_per_gas(0);
    let wallet = alloy::network::EthereumWallet::from(account.signer.clone());
    change(request).build(&wallet).await.unwrap().encoded_2718().into()
}

async fn post(handle: &Handle, body: impl Into<String>) -> Value {
    let request = reqwest::Client::new()
        .post(handle.url())
        .header("content-type", "application/json")
        .body(body.into());
    request.send().await.unwrap().json().await.unwrap()
}

async fn rpc(handle: &Handle, method: &str, params: Value) -> Value {
    let answer = post(
        handle,
        json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string(),
    )
    .await;
    assert!(answer.get("error").is_none(), "{method}: {answer}");
    answer["result"].clone()
}

/// Asks until the answer is `wanted`.
async fn until(handle: &Handle, method: &str, params: Value, wanted: impl Fn(&Value) -> bool) -> Value {
    let asking = async {
        loop {
            let answer = rpc(handle, method, params.clone()).await;
            if wanted(&answer) {
                return answer;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, asking).await.expect("in time")
}

fn number(quantity: &Value) -> u64 {
    u64::from_str_radix(quantity.as_str().unwrap().trim_start_matches("0x"), 16).unwrap()
}

async fn rpc_error(handle: &Handle, method: &str, params: Value) -> (i64, String) {
    let answer = post(
        handle,
        json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string(),
    )
    .await;
    let error = &answer["error"];
    (
        error["code"].as_i64().expect("an error"),
        error["message"].as_str().unwrap().to_owned(),
    )
}

fn directory(name: &str) -> PathBuf {
    let dir = std::env::temp_dir().join(format!("medlock-anvil-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    dir
}

#[tokio::test]
async fn a_transfer_is_mined_at_once_into_a_block_whose_hashes_hold() {
    let handle = chain().await;
    let alice = provider(&handle, 0);
    assert_eq!(alice.get_chain_id().await.unwrap(), 412_346);
    let receipt = send(&alice, transfer(7)).await;
    assert!(receipt.status());
    assert_eq!(
        (receipt.gas_used, receipt.block_number, receipt.effective_gas_price),
        (21_000, Some(1), 100_000_000)
    );
    assert_eq!(alice.get_balance(NOBODY).await.unwrap(), U256::from(7));
    assert_eq!(alice.estimate_gas(transfer(1)).await.unwrap(), 21_000);

    // Everybody pays the base fee, whatever they offered; nothing else left the account.
    let spent = spent_since_genesis(&alice, handle.accounts()[0].address).await;
    assert_eq!(spent, U256::from(21_000u64 * 100_000_000 + 7));

    let block = alice
        .get_block_by_number(BlockNumberOrTag::Latest)
        .full()
        .await
        .unwrap()
        .unwrap();
    let parent = alice.get_block_by_number(0.into()).await.unwrap().unwrap();
    assert_eq!(block.header.inner.hash_slow(), block.header.hash);
    assert_eq!(block.header.parent_hash, parent.header.hash);
    assert!(block.header.timestamp >= parent.header.timestamp);
    let envelopes: Vec<_> = block.transactions.txns().map(|tx| tx.inner.inner().clone()).collect();
    assert_eq!(calculate_transaction_root(&envelopes), block.header.transactions_root);
    let found = alice
        .get_transaction_by_hash(receipt.transaction_hash)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.inner.signer(), handle.accounts()[0].address);

    // The proof begins at the header's state root.
    let proof = alice.get_proof(NOBODY, vec![]).await.unwrap();
    assert_eq!(keccak256(&proof.account_proof[0]), block.header.state_root);
    assert_eq!(proof.balance, U256::from(7));
    handle.shutdown().await;
}

async fn spent_since_genesis(provider: &DynProvider, account: Address) -> U256 {
    let before = provider.get_balance(account).number(0).await.unwrap();
    before - provider.get_balance(account).await.unwrap()
}

#[tokio::test]
async fn logs_are_found_by_address_topic_and_block_and_by_nothing_else() {
    let handle = chain().await;
    let alice = provider(&handle, 0);
    let bell = deploy_bell(&alice).await;
    let other = deploy_bell(&alice).await;
    let ring = |to| TransactionRequest::default().with_to(to);
    let first = send(&alice, ring(bell)).await;
    send(&alice, ring(other)).await;
    let last = send(&alice, ring(bell)).await;
    assert_eq!(last.logs().len(), 1);

    let found = alice
        .get_logs(&Filter::new().from_block(0).address(bell))
        .await
        .unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].transaction_hash, Some(first.transaction_hash));
    assert_eq!(found[0].data().data, U256::from(1).to_be_bytes_vec());
    assert_eq!(found[1].data().data, U256::from(2).to_be_bytes_vec());
    assert_eq!(found, [first.logs(), last.logs()].concat());
    let by_topic = alice
        .get_logs(&Filter::new().from_block(0).event_signature(TOPIC))
        .await
        .unwrap();
    assert_eq!(by_topic.len(), 3);
    let in_block = Filter::new().at_block_hash(first.block_hash.unwrap());
    assert_eq!(alice.get_logs(&in_block).await.unwrap(), first.logs());
    assert_eq!(
        alice
            .get_logs(&Filter::new().from_block(0).event_signature(B256::ZERO))
            .await
            .unwrap(),
        []
    );
    assert_eq!(
        alice
            .get_logs(&Filter::new().from_block(0).address(NOBODY))
            .await
            .unwrap(),
        []
    );

    assert_eq!(
        rpc_error(&handle, "eth_getLogs", json!([{"blockHash": B256::ZERO}]))
            .await
            .1,
        "unknown block"
    );
    let range = json!([{"fromBlock": "0x0", "toBlock": "0x1"}]);
    assert_eq!(rpc(&handle, "eth_getLogs", range).await, json!([]));
    assert_eq!(
        rpc_error(&handle, "eth_getLogs", json!([{"fromBlock": "0x4", "toBlock": "0x1"}]))
            .await
            .0,
        -32602
    );
    let blocks = alice.get_block_receipts(BlockId::latest()).await.unwrap().unwrap();
    assert_eq!(blocks[0].transaction_hash, last.transaction_hash);
}

#[tokio::test]
async fn a_revert_carries_its_data_and_still_costs_a_receipt() {
    let handle = chain().await;
    let alice = provider(&handle, 0);
    let bell = deploy_bell(&alice).await;
    // Error("no bells today")
    let data = hex!(
        "08c379a00000000000000000000000000000000000000000000000000000000000000020000000000000000000000000000000000000000000000000000000000000000e6e6f2062656c6c7320746f646179000000000000000000000000000000000000"
    );
    let request = TransactionRequest::default().with_to(bell).with_input(data.to_vec());
    for error in [
        alice.call(request.clone()).await.unwrap_err(),
        alice.estimate_gas(request.clone()).await.unwrap_err(),
    ] {
        let payload = error.as_error_resp().expect("an error response");
        assert_eq!(payload.code, 3);
        assert_eq!(payload.message, "execution reverted: no bells today");
        assert_eq!(payload.as_revert_data().unwrap(), Bytes::from(data));
    }
    let receipt = send(&alice, request.with_gas_limit(100_000)).await;
    assert!(!receipt.status());
    assert!(receipt.logs().is_empty());
    assert!(receipt.gas_used > 21_000 && receipt.gas_used < 100_000);
}

#[tokio::test]
async fn old_states_stay_readable_and_overrides_touch_nothing() {
    let handle = chain().await;
    let alice = provider(&handle, 0);
    let bell = deploy_bell(&alice).await;
    for _ in 0..3 {
        send(&alice, TransactionRequest::default().with_to(bell)).await;
    }
    let request = TransactionRequest::default().with_to(bell);
    for (block, count) in [(1, 1), (2, 2), (4, 4)] {
        let output = alice.call(request.clone()).block(BlockId::number(block)).await.unwrap();
        assert_eq!(U256::from_be_slice(&output), U256::from(count));
        let slot = alice.get_storage_at(bell, U256::ZERO).number(block).await.unwrap();
        assert_eq!(slot, U256::from(count - 1));
    }
    let hash = alice.get_block_by_number(2.into()).await.unwrap().unwrap().header.hash;
    assert_eq!(
        U256::from_be_slice(&alice.call(request).hash(hash).await.unwrap()),
        U256::from(2)
    );

    let overrides = json!({NOBODY.to_string(): {
        "code": rpc(&handle, "eth_getCode", json!([bell, "latest"])).await,
        "stateDiff": {B256::ZERO.to_string(): B256::with_last_byte(9)},
    }});
    let output = rpc(&handle, "eth_call", json!([{"to": NOBODY}, "latest", overrides])).await;
    assert_eq!(output, json!(B256::with_last_byte(10)));
    assert_eq!(
        rpc(&handle, "eth_getCode", json!([NOBODY, "latest"])).await,
        json!("0x")
    );
    let error = rpc_error(
        &handle,
        "eth_call",
        json!([{"to": NOBODY, "from": NOBODY, "value": "0x1"}, "latest"]),
    )
    .await;
    assert!(
        error.1.starts_with("insufficient funds for gas * price + value"),
        "{error:?}"
    );
    assert_eq!(
        rpc_error(&handle, "eth_getBalance", json!([NOBODY, "0x99"])).await.1,
        "header not found"
    );
    rpc(&handle, "anvil_mine", json!(["0x50"])).await;
    let number = |block: Value| number(&block["number"]);
    let latest = number(rpc(&handle, "eth_getBlockByNumber", json!(["latest", false])).await);
    assert_eq!(
        number(rpc(&handle, "eth_getBlockByNumber", json!(["safe", false])).await),
        latest - 32
    );
    assert_eq!(
        number(rpc(&handle, "eth_getBlockByNumber", json!(["finalized", false])).await),
        latest - 64
    );
}

#[tokio::test]
async fn transactions_behind_a_nonce_gap_wait_and_are_mined_in_order() {
    let handle = chain().await;
    let alice = provider(&handle, 0);
    let address = handle.accounts()[0].address;
    let mut hashes = Vec::new();
    for nonce in [2, 1] {
        let raw = signed(&handle, 0, |request| request.with_nonce(nonce)).await;
        hashes.push(rpc(&handle, "eth_sendRawTransaction", json!([raw])).await);
    }
    assert_eq!(
        rpc(&handle, "eth_getTransactionReceipt", json!([hashes[0]])).await,
        Value::Null
    );
    assert_eq!(
        rpc(&handle, "eth_getTransactionByHash", json!([hashes[0]])).await["blockNumber"],
        Value::Null
    );
    assert_eq!(alice.get_transaction_count(address).pending().await.unwrap(), 0);
    let raw = signed(&handle, 0, |request| request.with_nonce(0)).await;
    rpc(&handle, "eth_sendRawTransaction", json!([raw])).await;
    assert_eq!(alice.get_transaction_count(address).await.unwrap(), 3);
    assert_eq!(
        rpc(&handle, "eth_getTransactionReceipt", json!([hashes[0]])).await["blockNumber"],
        "0x3"
    );
    assert_eq!(
        rpc(&handle, "eth_getTransactionReceipt", json!([hashes[1]])).await["blockNumber"],
        "0x2"
    );

    // By hand: both wait, and one block takes them.
    rpc(&handle, "evm_setAutomine", json!([false])).await;
    for nonce in [3, 4] {
        let raw = signed(&handle, 0, |request| request.with_nonce(nonce)).await;
        rpc(&handle, "eth_sendRawTransaction", json!([raw])).await;
    }
    assert_eq!(alice.get_block_number().await.unwrap(), 3);
    assert_eq!(alice.get_transaction_count(address).pending().await.unwrap(), 5);
    rpc(&handle, "evm_mine", json!([])).await;
    let receipts = alice.get_block_receipts(BlockId::latest()).await.unwrap().unwrap();
    assert_eq!(
        receipts
            .iter()
            .map(|r| r.inner.cumulative_gas_used())
            .collect::<Vec<_>>(),
        [21_000, 42_000]
    );
}

#[tokio::test]
async fn refused_transactions_name_the_reason_that_clients_look_for() {
    let handle = chain().await;
    send(&provider(&handle, 0), transfer(1)).await;
    let cases: [(Bytes, &str); 8] = [
        (
            signed(&handle, 0, |request| request.with_nonce(0)).await,
            "nonce too low",
        ),
        (
            signed(&handle, 0, |request| request.with_nonce(100_000)).await,
            "nonce too high",
        ),
        (
            signed(&handle, 0, |r| r.with_nonce(1).with_chain_id(1)).await,
            "invalid chain id for signer: have 1 want 412346",
        ),
        (
            signed(&handle, 0, |r| r.with_nonce(1).with_gas_limit(20_999)).await,
            "intrinsic gas too low",
        ),
        (
            // Behind a gap, too: it must not wait for what cannot come.
            signed(&handle, 0, |r| r.with_nonce(5).with_gas_limit(20_999)).await,
            "intrinsic gas too low",
        ),
        (
            signed(&handle, 0, |r| r.with_nonce(1).with_value(U256::MAX >> 8)).await,
            "insufficient funds for gas * price + value",
        ),
        (
            signed(&handle, 0, |r| r.with_nonce(1).with_max_fee_per_gas(99_999_999)).await,
            "max fee per gas less than block base fee",
        ),
        (
            signed(&handle, 0, |r| r.with_nonce(1).with_gas_limit(32_000_001)).await,
            "exceeds block gas limit",
        ),
    ];
    for (raw, reason) in cases {
        let (code, message) = rpc_error(&handle, "eth_sendRawTransaction", json!([raw])).await;
        assert_eq!(code, -32000, "{message}");
        assert!(message.starts_with(reason), "{message:?} is not {reason:?}");
    }
    assert_eq!(rpc(&handle, "eth_blockNumber", json!([])).await, "0x1");
    let stranger = json!([{"from": NOBODY, "to": NOBODY}]);
    assert!(
        rpc_error(&handle, "eth_sendTransaction", stranger.clone())
            .await
            .1
            .starts_with("unknown account")
    );
    rpc(&handle, "anvil_setBalance", json!([NOBODY, "0xde0b6b3a7640000"])).await;
    rpc(&handle, "anvil_impersonateAccount", json!([NOBODY])).await;
    let hash = rpc(&handle, "eth_sendTransaction", stranger).await;
    let sent = rpc(&handle, "eth_getTransactionByHash", json!([hash])).await;
    assert_eq!(sent["from"].as_str().unwrap().parse::<Address>().unwrap(), NOBODY);
}

#[tokio::test]
async fn snapshots_and_reorgs_take_blocks_back_and_filters_hear_of_it() {
    let handle = chain().await;
    let alice = provider(&handle, 0);
    let bell = deploy_bell(&alice).await;
    let ring = TransactionRequest::default().with_to(bell).with_gas_limit(100_000);
    let snapshot = rpc(&handle, "evm_snapshot", json!([])).await;
    send(&alice, ring.clone()).await;
    let dropped = send(&alice, ring.clone()).await;
    assert_eq!(rpc(&handle, "evm_revert", json!([snapshot])).await, true);
    assert_eq!(rpc(&handle, "evm_revert", json!([snapshot])).await, false);
    assert_eq!(alice.get_block_number().await.unwrap(), 1);
    assert!(
        alice
            .get_transaction_receipt(dropped.transaction_hash)
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        alice
            .get_block_by_hash(dropped.block_hash.unwrap())
            .await
            .unwrap()
            .is_none()
    );

    // A fresh provider, because the old one counts nonces on.
    let alice = provider(&handle, 0);
    let kept = send(&alice, ring.clone()).await;
    let filter = rpc(&handle, "eth_newFilter", json!([{"address": bell}])).await;
    let gone = send(&alice, ring.clone()).await;
    let also = send(&alice, ring.clone()).await;
    rpc(&handle, "anvil_reorg", json!([2])).await;
    assert_eq!(alice.get_block_number().await.unwrap(), 4);
    for number in [3, 4] {
        let block = alice.get_block_by_number(number.into()).await.unwrap().unwrap();
        assert!(![gone.block_hash.unwrap(), also.block_hash.unwrap()].contains(&block.header.hash));
        assert!(block.transactions.is_empty());
        assert_eq!(block.header.inner.hash_slow(), block.header.hash);
    }
    assert_eq!(alice.get_storage_at(bell, U256::ZERO).await.unwrap(), U256::from(1));
    assert_eq!(alice.get_logs(&Filter::new().from_block(0)).await.unwrap(), kept.logs());
    let changes = rpc(&handle, "eth_getFilterChanges", json!([filter])).await;
    let told: Vec<(bool, &str)> = changes
        .as_array()
        .unwrap()
        .iter()
        .map(|log| {
            (
                log["removed"].as_bool().unwrap(),
                log["transactionHash"].as_str().unwrap(),
            )
        })
        .collect();
    let (gone, also) = (gone.transaction_hash.to_string(), also.transaction_hash.to_string());
    assert_eq!(told, [(false, &*gone), (false, &*also), (true, &*also), (true, &*gone)]);
    assert_eq!(rpc(&handle, "eth_getFilterChanges", json!([filter])).await, json!([]));
    assert_eq!(rpc(&handle, "eth_uninstallFilter", json!([filter])).await, true);
    assert_eq!(
        rpc_error(&handle, "eth_getFilterChanges", json!([filter])).await.1,
        "filter not found"
    );
    assert_eq!(rpc_error(&handle, "anvil_reorg", json!([99])).await.0, -32602);
}

#[tokio::test]
async fn the_clock_moves_on_request_and_never_back() {
    let handle = chain().await;
    let time = async || {
        let block = rpc(&handle, "eth_getBlockByNumber", json!(["latest", false])).await;
        number(&block["timestamp"])
    };
    let start = time().await;
    assert_eq!(rpc(&handle, "evm_increaseTime", json!([3600])).await, 3600);
    rpc(&handle, "evm_mine", json!([])).await;
    let later = time().await;
    assert!(later >= start + 3600);
    rpc(&handle, "evm_setNextBlockTimestamp", json!([later + 86_400])).await;
    rpc(&handle, "evm_mine", json!([])).await;
    assert_eq!(time().await, later + 86_400);
    assert_eq!(
        rpc_error(&handle, "evm_setNextBlockTimestamp", json!([later])).await.0,
        -32602
    );
    rpc(&handle, "evm_mine", json!([])).await;
    assert!(time().await >= later + 86_400);
}

#[tokio::test]
async fn a_restart_reads_the_same_chain_back_even_from_a_torn_file() {
    let dir = directory("restart");
    let config = Config {
        state_dir: Some(dir.clone()),
        ..Config::default()
    };
    let handle = spawn(config.clone()).await.unwrap();
    let busy = spawn(config.clone()).await.unwrap_err();
    assert!(busy.to_string().contains("in use by another process"), "{busy:#}");
    let alice = provider(&handle, 0);
    let bell = deploy_bell(&alice).await;
    let ring = TransactionRequest::default().with_to(bell).with_gas_limit(100_000);
    let snapshot = rpc(&handle, "evm_snapshot", json!([])).await;
    send(&alice, ring.clone()).await;
    rpc(&handle, "evm_revert", json!([snapshot])).await;
    let alice = provider(&handle, 0);
    send(&alice, ring.clone()).await;
    rpc(&handle, "anvil_setBalance", json!([NOBODY, "0x9"])).await;
    send(&alice, ring.clone()).await;
    rpc(&handle, "anvil_reorg", json!([1])).await;
    let receipt = send(&provider(&handle, 1), ring.clone()).await;
    let mut seen = Vec::new();
    for number in 0..=4 {
        seen.push(rpc(&handle, "eth_getBlockByNumber", json!([format!("{number:#x}"), true])).await);
    }
    handle.shutdown().await;

    // Twice: as it was left, and with the next frame cut short by a crash.
    for torn in [false, true] {
        if torn {
            use std::io::Write;
            let mut file = std::fs::OpenOptions::new()
                .append(true)
                .open(dir.join("chain.log"))
                .unwrap();
            file.write_all(&[0x40, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]).unwrap();
        }
        let handle = spawn(config.clone()).await.unwrap();
        for (number, block) in seen.iter().enumerate() {
            assert_eq!(
                &rpc(&handle, "eth_getBlockByNumber", json!([format!("{number:#x}"), true])).await,
                block
            );
        }
        let bob = provider(&handle, 1);
        assert_eq!(bob.get_block_number().await.unwrap(), 4);
        let again = bob
            .get_transaction_receipt(receipt.transaction_hash)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(again, receipt);
        assert_eq!(bob.get_storage_at(bell, U256::ZERO).await.unwrap(), U256::from(2));
        assert_eq!(bob.get_balance(NOBODY).await.unwrap(), U256::from(9));
        assert_eq!(
            bob.get_storage_at(bell, U256::ZERO).number(2).await.unwrap(),
            U256::from(1)
        );
        handle.shutdown().await;
    }

    let handle = spawn(config.clone()).await.unwrap();
    let receipt = send(&provider(&handle, 1), ring).await;
    assert_eq!((receipt.block_number, receipt.status()), (Some(5), true));
    handle.shutdown().await;
    let error = spawn(Config { chain_id: 1, ..config }).await.unwrap_err();
    assert!(error.to_string().contains("holds chain 412346"), "{error:#}");
    std::fs::remove_dir_all(dir).unwrap();
}

#[tokio::test]
async fn a_websocket_is_told_of_heads_and_logs() {
    let handle = chain().await;
    let alice = provider(&handle, 0);
    let bell = deploy_bell(&alice).await;
    let (mut socket, _) = tokio_tungstenite::connect_async(handle.ws_url()).await.unwrap();
    let mut next = async |send: Option<Value>| -> Value {
        if let Some(request) = send {
            socket.send(Message::text(request.to_string())).await.unwrap();
        }
        let message = tokio::time::timeout(DEADLINE, socket.next())
            .await
            .expect("in time")
            .unwrap()
            .unwrap();
        serde_json::from_str(message.to_text().unwrap()).unwrap()
    };
    let subscribe =
        |id: u64, params: Value| Some(json!({"jsonrpc": "2.0", "id": id, "method": "eth_subscribe", "params": params}));
    let heads = next(subscribe(1, json!(["newHeads"]))).await["result"].clone();
    let logs = next(subscribe(2, json!(["logs", {"address": bell}]))).await["result"].clone();
    assert_eq!(next(subscribe(3, json!(["nonsense"]))).await["error"]["code"], -32602);

    let receipt = send(&alice, TransactionRequest::default().with_to(bell)).await;
    let head = next(None).await;
    assert_eq!(
        (&head["params"]["subscription"], &head["method"]),
        (&heads, &json!("eth_subscription"))
    );
    assert_eq!(head["params"]["result"]["hash"], json!(receipt.block_hash));
    let log = next(None).await;
    assert_eq!(log["params"]["subscription"], logs);
    assert_eq!(log["params"]["result"], json!(receipt.logs()[0]));

    let unsubscribe = json!({"jsonrpc": "2.0", "id": 4, "method": "eth_unsubscribe", "params": [heads]});
    assert_eq!(next(Some(unsubscribe)).await["result"], true);
    send(&alice, TransactionRequest::default().with_to(bell)).await;
    assert_eq!(next(None).await["params"]["subscription"], logs);
    rpc(&handle, "anvil_reorg", json!([1])).await;
    assert_eq!(next(None).await["params"]["result"]["removed"], true);
    // A shutdown does not wait for clients that stay connected.
    tokio::time::timeout(DEADLINE, handle.shutdown())
        .await
        .expect("in time");
}

/// Deploys and activates a program, and returns its address.
async fn deploy_program(provider: &DynProvider, wat: &str) -> Address {
    const ARB_WASM: Address = address!("0000000000000000000000000000000000000071");
    let wasm = wat::parse_str(wat).unwrap();
    let mut code = vec![0xef, 0xf0, 0x00, 0x00];
    let params = brotli::enc::BrotliEncoderParams::default();
    brotli::BrotliCompress(&mut wasm.as_slice(), &mut code, &params).unwrap();
    // PUSH32 length, DUP1, PUSH1 43, PUSH1 0, CODECOPY, PUSH1 0, RETURN
    let length = U256::from(code.len()).to_be_bytes_vec();
    let init = [
        [0x7f].as_slice(),
        length.as_slice(),
        hex!("80602b6000396000f300").as_slice(),
        &code,
    ]
    .concat();
    let receipt = send(provider, TransactionRequest::default().with_deploy_code(init)).await;
    let program = receipt.contract_address.unwrap();
    let call = TransactionRequest::default().with_to(program);
    let (error, refused) = (provider.call(call).await.unwrap_err(), "the program is not activated");
    assert!(error.to_string().contains(refused), "{error}");
    // activateProgram(address)
    let selector = &keccak256("activateProgram(address)")[..4];
    let activate = [selector, program.into_word().as_slice()].concat();
    let activate = TransactionRequest::default()
        .with_to(ARB_WASM)
        .with_input(activate)
        .with_value(U256::from(10).pow(U256::from(17)));
    let receipt = send(provider, activate).await;
    assert!(receipt.status());
    assert_eq!(receipt.logs().len(), 1, "ProgramActivated");
    program
}

/// Returns its calldata.
const ECHO: &str = r#"(module
    (import "vm_hooks" "read_args" (func $read (param i32)))
    (import "vm_hooks" "write_result" (func $write (param i32 i32)))
    (memory (export "memory") 1 1)
    (func (export "user_entrypoint") (param i32) (result i32)
        i32.const 0 call $read
        i32.const 0 local.get 0 call $write
        i32.const 0))"#;

#[tokio::test]
async fn a_stylus_program_is_deployed_activated_and_called_and_survives_a_restart() {
    let dir = directory("stylus");
    let config = Config {
        state_dir: Some(dir.clone()),
        ..Config::default()
    };
    let handle = spawn(config.clone()).await.unwrap();
    let alice = provider(&handle, 0);
    let program = deploy_program(&alice, ECHO).await;
    let echo = TransactionRequest::default()
        .with_to(program)
        .with_input(b"hello".to_vec());
    assert_eq!(alice.call(echo.clone()).await.unwrap(), Bytes::from(b"hello"));
    let estimate = alice.estimate_gas(echo.clone()).await.unwrap();
    let receipt = send(&alice, echo.clone().with_gas_limit(estimate)).await;
    assert!(receipt.status() && receipt.gas_used <= estimate);
    handle.shutdown().await;

    let handle = spawn(config).await.unwrap();
    assert_eq!(provider(&handle, 1).call(echo).await.unwrap(), Bytes::from(b"hello"));
    handle.shutdown().await;
    std::fs::remove_dir_all(dir).unwrap();
}
