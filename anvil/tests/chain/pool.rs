//! What waits, how it is shown, and who is told.

use super::*;

/// A chain that mines by hand, with alice's nonces 0, 1 (ready) and 3 (behind a gap) waiting.
async fn waiting() -> (Handle, Vec<Value>) {
    let handle = chain().await;
    rpc(&handle, "evm_setAutomine", json!([false])).await;
    let mut hashes = Vec::new();
    for nonce in [0, 1, 3] {
        let raw = signed(&handle, 0, |request| request.with_nonce(nonce)).await;
        hashes.push(rpc(&handle, "eth_sendRawTransaction", json!([raw])).await);
    }
    (handle, hashes)
}

#[tokio::test]
async fn the_pool_is_listed_as_go_ethereum_lists_it() {
    let (handle, hashes) = waiting().await;
    let alice = handle.accounts()[0].address.to_checksum(None);
    let status = rpc(&handle, "txpool_status", json!([])).await;
    assert_eq!(status, json!({"pending": "0x2", "queued": "0x1"}));
    let content = rpc(&handle, "txpool_content", json!([])).await;
    assert_eq!(content["pending"][&alice]["0"]["hash"], hashes[0]);
    assert_eq!(content["pending"][&alice]["1"]["hash"], hashes[1]);
    assert_eq!(content["pending"][&alice]["1"]["blockNumber"], Value::Null);
    assert_eq!(content["queued"][&alice]["3"]["hash"], hashes[2]);
    let from = rpc(&handle, "txpool_contentFrom", json!([alice])).await;
    assert_eq!(from["pending"], content["pending"][&alice]);
    assert_eq!(from["queued"], content["queued"][&alice]);
    let nobody = rpc(&handle, "txpool_contentFrom", json!([NOBODY])).await;
    assert_eq!(nobody, json!({"pending": {}, "queued": {}}));
    let line = format!("{}: 1 wei + 21000 gas × 200000000 wei", NOBODY.to_checksum(None));
    let inspected = rpc(&handle, "txpool_inspect", json!([])).await;
    assert_eq!(inspected["queued"][&alice], json!({"3": line}));

    let raw = rpc(&handle, "eth_getRawTransactionByHash", json!([hashes[2]])).await;
    assert_eq!(
        keccak256(raw.as_str().unwrap().parse::<Bytes>().unwrap()).to_string(),
        hashes[2]
    );
    assert_eq!(
        rpc(&handle, "anvil_dropTransaction", json!([hashes[1]])).await,
        hashes[1]
    );
    assert_eq!(
        rpc(&handle, "anvil_dropTransaction", json!([hashes[1]])).await,
        Value::Null
    );
    assert_eq!(
        rpc(&handle, "txpool_status", json!([])).await,
        json!({"pending": "0x1", "queued": "0x1"})
    );
    rpc(&handle, "anvil_removePoolTransactions", json!([NOBODY])).await;
    assert_eq!(rpc(&handle, "txpool_status", json!([])).await["pending"], "0x1");
    rpc(&handle, "anvil_removePoolTransactions", json!([alice])).await;
    assert_eq!(
        rpc(&handle, "txpool_content", json!([])).await,
        json!({"pending": {}, "queued": {}})
    );
    let raw = signed(&handle, 1, |request| request.with_nonce(0)).await;
    rpc(&handle, "eth_sendRawTransaction", json!([raw])).await;
    rpc(&handle, "anvil_dropAllTransactions", json!([])).await;
    rpc(&handle, "evm_mine", json!([])).await;
    let block = rpc(&handle, "eth_getBlockByNumber", json!(["latest", false])).await;
    assert_eq!(block["transactions"], json!([]));
}

#[tokio::test]
async fn pending_is_the_block_that_would_be_mined_now() {
    let (handle, hashes) = waiting().await;
    let alice = provider(&handle, 0);
    let pending = rpc(&handle, "eth_getBlockByNumber", json!(["pending", true])).await;
    assert_eq!((&pending["number"], &pending["hash"]), (&json!("0x1"), &Value::Null));
    let listed: Vec<&Value> = pending["transactions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tx| &tx["hash"])
        .collect();
    assert_eq!(listed, [&hashes[0], &hashes[1]]);
    assert_eq!(pending["transactions"][0]["blockHash"], Value::Null);
    // alloy reads it as well.
    let block = alice
        .get_block_by_number(BlockNumberOrTag::Pending)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(block.transactions.len(), 2);
    assert_eq!(
        rpc(&handle, "eth_getBlockTransactionCountByNumber", json!(["pending"])).await,
        "0x2"
    );
    // State and nonces are those after it; the chain itself has not moved.
    assert_eq!(alice.get_balance(NOBODY).pending().await.unwrap(), U256::from(2));
    assert_eq!(alice.get_balance(NOBODY).await.unwrap(), U256::ZERO);
    let address = handle.accounts()[0].address;
    assert_eq!(alice.get_transaction_count(address).pending().await.unwrap(), 2);
    assert_eq!(alice.get_transaction_count(address).await.unwrap(), 0);
    assert_eq!(alice.get_block_number().await.unwrap(), 0);

    // What is mined is what was shown.
    let raw = signed(&handle, 1, |request| request.with_nonce(0)).await;
    let another = rpc(&handle, "eth_sendRawTransaction", json!([raw])).await;
    let shown = rpc(&handle, "eth_getBlockByNumber", json!(["pending", false])).await;
    assert_eq!(shown["transactions"], json!([hashes[0], hashes[1], another]));
    rpc(
        &handle,
        "evm_setNextBlockTimestamp",
        json!([number(&shown["timestamp"])]),
    )
    .await;
    rpc(&handle, "evm_mine", json!([])).await;
    let mined = rpc(&handle, "eth_getBlockByNumber", json!(["latest", false])).await;
    assert_eq!(mined["stateRoot"], shown["stateRoot"]);
    assert_eq!(mined["transactionsRoot"], shown["transactionsRoot"]);
    let empty = rpc(&handle, "eth_getBlockByNumber", json!(["pending", false])).await;
    assert_eq!((&empty["number"], &empty["transactions"]), (&json!("0x2"), &json!([])));
}

#[tokio::test]
async fn who_sends_and_wants_the_receipt_gets_it_or_is_told_to_ask_later() {
    let handle = chain().await;
    let raw = signed(&handle, 0, |request| request.with_nonce(0)).await;
    let receipt = rpc(&handle, "eth_sendRawTransactionSync", json!([raw])).await;
    assert_eq!(
        (&receipt["status"], &receipt["blockNumber"]),
        (&json!("0x1"), &json!("0x1"))
    );
    let raw = signed(&handle, 0, |request| request.with_nonce(2)).await;
    let request = json!({"jsonrpc": "2.0", "id": 1, "method": "eth_sendRawTransactionSync", "params": [raw]});
    let error = post(&handle, request.to_string()).await["error"].clone();
    assert_eq!((&error["code"], &error["data"]), (&json!(4), &json!(keccak256(&raw))));
}

#[tokio::test]
async fn a_replacement_pays_a_tenth_more() {
    let (handle, hashes) = waiting().await;
    let offer = async |fee: u128| signed(&handle, 0, |r| r.with_nonce(1).with_max_fee_per_gas(fee)).await;
    let same = json!([offer(200_000_000).await]);
    assert_eq!(
        rpc_error(&handle, "eth_sendRawTransaction", same).await,
        (-32000, "already known".into())
    );
    let little = json!([offer(219_999_999).await]);
    assert_eq!(
        rpc_error(&handle, "eth_sendRawTransaction", little).await,
        (-32000, "replacement transaction underpriced".into())
    );
    let enough = rpc(&handle, "eth_sendRawTransaction", json!([offer(220_000_000).await])).await;
    assert_eq!(
        rpc(&handle, "eth_getTransactionByHash", json!([hashes[1]])).await,
        Value::Null
    );
    rpc(&handle, "evm_mine", json!([])).await;
    let block = rpc(&handle, "eth_getBlockByNumber", json!(["latest", false])).await;
    assert_eq!(block["transactions"], json!([hashes[0], enough]));
    let mined = json!([offer(300_000_000).await]);
    assert!(
        rpc_error(&handle, "eth_sendRawTransaction", mined)
            .await
            .1
            .starts_with("nonce too low")
    );
}

#[tokio::test]
async fn pending_transactions_are_told_of_once_and_before_their_block() {
    let (handle, _) = waiting().await;
    let hashes_of = rpc(&handle, "eth_newPendingTransactionFilter", json!([])).await;
    let bodies_of = rpc(&handle, "eth_newPendingTransactionFilter", json!([true])).await;
    let (mut socket, _) = tokio_tungstenite::connect_async(handle.ws_url()).await.unwrap();
    for (id, params) in [
        (1, json!(["newPendingTransactions"])),
        (2, json!(["newPendingTransactions", true])),
        (3, json!(["newHeads"])),
    ] {
        let request = json!({"jsonrpc": "2.0", "id": id, "method": "eth_subscribe", "params": params});
        socket.send(Message::text(request.to_string())).await.unwrap();
        socket.next().await.unwrap().unwrap();
    }
    let mut next = async || -> Value {
        let message = tokio::time::timeout(DEADLINE, socket.next()).await.expect("in time");
        let notice: Value = serde_json::from_str(message.unwrap().unwrap().to_text().unwrap()).unwrap();
        notice["params"]["result"].clone()
    };

    // Nonce 2 closes the gap: it and nonce 3 can be mined now, 3 was announced to nobody before.
    let raw = signed(&handle, 0, |request| request.with_nonce(2)).await;
    let closing = rpc(&handle, "eth_sendRawTransaction", json!([raw])).await;
    assert_eq!(next().await, closing);
    let body = next().await;
    assert_eq!((&body["hash"], &body["nonce"]), (&closing, &json!("0x2")));
    let after = next().await;
    assert_eq!(next().await["nonce"], "0x3");
    let told = rpc(&handle, "eth_getFilterChanges", json!([hashes_of])).await;
    assert_eq!(told, json!([closing, after]));
    let told = rpc(&handle, "eth_getFilterChanges", json!([bodies_of])).await;
    assert_eq!((&told[0]["hash"], &told[1]["hash"]), (&closing, &after));
    assert_eq!(told[0]["blockHash"], Value::Null);

    // Mined at once: first the transaction, then the block.
    rpc(&handle, "evm_setAutomine", json!([true])).await;
    assert_eq!(next().await["number"], "0x1");
    let receipt = send(&provider(&handle, 1), transfer(1)).await;
    assert_eq!(next().await, json!(receipt.transaction_hash));
    assert_eq!(next().await["hash"], json!(receipt.transaction_hash));
    assert_eq!(next().await["hash"], json!(receipt.block_hash));
    let told = rpc(&handle, "eth_getFilterChanges", json!([hashes_of])).await;
    assert_eq!(told, json!([receipt.transaction_hash]));
    assert_eq!(
        rpc(&handle, "eth_getFilterChanges", json!([hashes_of])).await,
        json!([])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn transactions_sent_at_once_without_a_nonce_get_one_each() {
    const AT_ONCE: u64 = 16;
    const ROUNDS: u64 = 8;
    for automine in [true, false] {
        let handle = std::sync::Arc::new(chain().await);
        let alice = handle.accounts()[0].address;
        rpc(&handle, "evm_setAutomine", json!([automine])).await;
        for _ in 0..ROUNDS {
            let mut sending = tokio::task::JoinSet::new();
            for i in 0..AT_ONCE {
                let handle = handle.clone();
                let mut request = json!({"from": alice, "to": NOBODY, "value": format!("{i:#x}")});
                if i % 2 == 0 {
                    request["gas"] = json!("0x5208");
                }
                sending.spawn(async move { rpc(&handle, "eth_sendTransaction", json!([request])).await });
            }
            let hashes = sending.join_all().await;
            let unique: std::collections::BTreeSet<String> = hashes.iter().map(Value::to_string).collect();
            assert_eq!(unique.len() as u64, AT_ONCE);
        }
        rpc(&handle, "evm_mine", json!([])).await;
        assert_eq!(
            number(&rpc(&handle, "eth_getTransactionCount", json!([alice, "latest"])).await),
            AT_ONCE * ROUNDS
        );
    }
}
