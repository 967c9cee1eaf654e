//! How blocks come, and which time they get.

use super::*;

async fn timestamp(handle: &Handle) -> u64 {
    number(&rpc(handle, "eth_getBlockByNumber", json!(["latest", false])).await["timestamp"])
}

#[tokio::test]
async fn an_interval_mines_what_waits_and_ends_automine() {
    let handle = spawn(Config {
        automine: false,
        block_time: Some(Duration::from_millis(50)),
        ..Config::default()
    })
    .await
    .unwrap();
    assert_eq!(rpc(&handle, "anvil_getIntervalMining", json!([])).await, json!(0.05));
    assert_eq!(rpc(&handle, "anvil_getAutomine", json!([])).await, false);
    let raw = signed(&handle, 0, |request| request.with_nonce(0)).await;
    let hash = rpc(&handle, "eth_sendRawTransaction", json!([raw])).await;
    until(&handle, "eth_getTransactionReceipt", json!([hash]), |receipt| {
        !receipt.is_null()
    })
    .await;
    until(&handle, "eth_blockNumber", json!([]), |height| number(height) >= 3).await;

    // Zero: by hand from now on.
    rpc(&handle, "evm_setIntervalMining", json!([0])).await;
    assert_eq!(rpc(&handle, "anvil_getIntervalMining", json!([])).await, Value::Null);
    let raw = signed(&handle, 0, |request| request.with_nonce(1)).await;
    let hash = rpc(&handle, "eth_sendRawTransaction", json!([raw])).await;
    assert_eq!(
        rpc(&handle, "eth_getTransactionReceipt", json!([hash])).await,
        Value::Null
    );
    rpc(&handle, "evm_mine", json!([])).await;
    assert_ne!(
        rpc(&handle, "eth_getTransactionReceipt", json!([hash])).await,
        Value::Null
    );

    // Automine ends the interval, and the other way round.
    rpc(&handle, "anvil_setIntervalMining", json!([1_000])).await;
    assert_eq!(rpc(&handle, "anvil_getIntervalMining", json!([])).await, json!(1_000));
    let raw = signed(&handle, 0, |request| request.with_nonce(2)).await;
    let waits = rpc(&handle, "eth_sendRawTransaction", json!([raw])).await;
    rpc(&handle, "evm_setAutomine", json!([false])).await;
    assert_eq!(rpc(&handle, "anvil_getIntervalMining", json!([])).await, json!(1_000));
    rpc(&handle, "evm_setAutomine", json!([true])).await;
    assert_eq!(rpc(&handle, "anvil_getIntervalMining", json!([])).await, Value::Null);
    assert_ne!(
        rpc(&handle, "eth_getTransactionReceipt", json!([waits])).await,
        Value::Null
    );
    rpc(&handle, "anvil_setIntervalMining", json!([0.02])).await;
    assert_eq!(rpc(&handle, "anvil_getAutomine", json!([])).await, false);
    let height = number(&rpc(&handle, "eth_blockNumber", json!([])).await);
    until(&handle, "eth_blockNumber", json!([]), |now| number(now) > height).await;
    for wrong in [json!([0.001]), json!([-1]), json!([1e300]), json!(["x"]), json!([])] {
        assert_eq!(rpc_error(&handle, "evm_setIntervalMining", wrong).await.0, -32602);
    }
    handle.shutdown().await;
    let config = Config {
        block_time: Some(Duration::from_nanos(1)),
        ..Config::default()
    };
    assert!(spawn(config).await.unwrap_err().to_string().contains("10ms to"));
}

#[tokio::test]
async fn an_interval_and_automine_together_mine_on_arrival_and_in_between() {
    let handle = spawn(Config {
        block_time: Some(Duration::from_millis(50)),
        ..Config::default()
    })
    .await
    .unwrap();
    send(&provider(&handle, 0), transfer(1)).await;
    let height = number(&rpc(&handle, "eth_blockNumber", json!([])).await);
    until(&handle, "eth_blockNumber", json!([]), |now| number(now) > height + 1).await;
}

#[tokio::test]
async fn blocks_can_be_a_fixed_time_apart_and_the_clock_can_be_set() {
    let handle = chain().await;
    let start = timestamp(&handle).await;
    rpc(&handle, "anvil_setBlockTimestampInterval", json!([86_400])).await;
    rpc(&handle, "hardhat_mine", json!(["0x3"])).await;
    assert_eq!(timestamp(&handle).await, start + 3 * 86_400);
    assert_eq!(
        rpc(&handle, "anvil_removeBlockTimestampInterval", json!([])).await,
        true
    );
    assert_eq!(
        rpc(&handle, "anvil_removeBlockTimestampInterval", json!([])).await,
        false
    );
    rpc(&handle, "evm_mine", json!([{"blocks": 2}])).await;
    // The clock goes on from there.
    let now = timestamp(&handle).await;
    assert!((start + 3 * 86_400..start + 3 * 86_400 + 3_600).contains(&now));
    let too_large = json!([u64::MAX]);
    assert_eq!(
        rpc_error(&handle, "anvil_setBlockTimestampInterval", too_large).await.0,
        -32602
    );

    let moved = rpc(&handle, "evm_setTime", json!([now + 1_000_000])).await;
    assert!((900_000..=1_000_000).contains(&moved.as_u64().unwrap()), "{moved}");
    rpc(&handle, "evm_mine", json!([])).await;
    assert!((now + 1_000_000..now + 1_003_600).contains(&timestamp(&handle).await));
    assert_eq!(rpc_error(&handle, "anvil_setTime", json!([u64::MAX])).await.0, -32602);
    // Back: blocks stay where they were, and are never before their parents.
    rpc(&handle, "anvil_setTime", json!([start])).await;
    let before = timestamp(&handle).await;
    rpc(&handle, "evm_mine", json!([])).await;
    assert_eq!(timestamp(&handle).await, before);
    rpc(&handle, "evm_mine", json!([before + 77])).await;
    assert_eq!(timestamp(&handle).await, before + 77);
    rpc(&handle, "anvil_mine", json!([3, 10])).await;
    assert_eq!(timestamp(&handle).await, before + 77 + 20);
}

#[tokio::test]
async fn a_block_takes_what_fits_and_the_rest_waits() {
    let handle = chain().await;
    rpc(&handle, "evm_setAutomine", json!([false])).await;
    let mut hashes = Vec::new();
    for nonce in 0..2 {
        let raw = signed(&handle, 0, |request| {
            request.with_nonce(nonce).with_gas_limit(20_000_000)
        })
        .await;
        hashes.push(rpc(&handle, "eth_sendRawTransaction", json!([raw])).await);
    }
    // What a transfer leaves of 32,000,000 is enough for another 20,000,000.
    rpc(&handle, "evm_mine", json!([])).await;
    let block = rpc(&handle, "eth_getBlockByNumber", json!(["latest", false])).await;
    assert_eq!(block["transactions"], json!(hashes));
    for nonce in 2..4 {
        let raw = signed(&handle, 0, |request| {
            request.with_nonce(nonce).with_gas_limit(32_000_000)
        })
        .await;
        hashes.push(rpc(&handle, "eth_sendRawTransaction", json!([raw])).await);
    }
    rpc(&handle, "evm_mine", json!([])).await;
    let block = rpc(&handle, "eth_getBlockByNumber", json!(["latest", false])).await;
    assert_eq!(block["transactions"], json!([hashes[2]]));
    assert_eq!(
        rpc(&handle, "eth_getTransactionReceipt", json!([hashes[3]])).await,
        Value::Null
    );
    rpc(&handle, "evm_mine", json!([])).await;
    let block = rpc(&handle, "eth_getBlockByNumber", json!(["latest", false])).await;
    assert_eq!(block["transactions"], json!([hashes[3]]));
}
