//! The chain taken back, replaced, dumped and loaded.

use super::*;

/// The state root that a new block has: with it, what was changed outside blocks.
async fn root(handle: &Handle) -> Value {
    rpc(handle, "evm_mine", json!([])).await;
    rpc(handle, "eth_getBlockByNumber", json!(["latest", false])).await["stateRoot"].clone()
}

#[tokio::test]
async fn a_rollback_drops_blocks_and_a_reset_all_of_them() {
    let handle = chain().await;
    let genesis = rpc(&handle, "eth_getBlockByNumber", json!(["0x0", false])).await;
    let alice = provider(&handle, 0);
    for _ in 0..4 {
        send(&alice, transfer(1)).await;
    }
    rpc(&handle, "anvil_rollback", json!([])).await;
    assert_eq!(rpc(&handle, "eth_blockNumber", json!([])).await, "0x3");
    rpc(&handle, "anvil_rollback", json!([2])).await;
    assert_eq!(rpc(&handle, "eth_blockNumber", json!([])).await, "0x1");
    assert_eq!(alice.get_balance(NOBODY).await.unwrap(), U256::from(1));
    assert_eq!(rpc_error(&handle, "anvil_rollback", json!([2])).await.0, -32602);
    rpc(&handle, "anvil_setBalance", json!([NOBODY, "0x9"])).await;
    rpc(&handle, "evm_increaseTime", json!([1_000_000])).await;
    assert_eq!(
        rpc_error(
            &handle,
            "anvil_reset",
            json!([{"forking": {"jsonRpcUrl": "http://localhost"}}])
        )
        .await
        .0,
        -32602
    );
    rpc(&handle, "anvil_reset", json!([])).await;
    assert_eq!(
        rpc(&handle, "eth_getBlockByNumber", json!(["latest", false])).await,
        genesis
    );
    assert_eq!(alice.get_balance(NOBODY).await.unwrap(), U256::ZERO);
    assert_eq!(root(&handle).await, genesis["stateRoot"]);
}

#[tokio::test]
async fn a_reorg_puts_transactions_into_the_new_blocks_or_changes_nothing() {
    let dir = directory("reorg");
    let config = Config {
        state_dir: Some(dir.clone()),
        ..Config::default()
    };
    let handle = spawn(config.clone()).await.unwrap();
    let alice = provider(&handle, 0);
    for _ in 0..3 {
        send(&alice, transfer(1)).await;
    }
    let head = rpc(&handle, "eth_getBlockByNumber", json!(["latest", false])).await;
    let from = handle.accounts()[0].address;
    let raw = signed(&handle, 0, |request| request.with_nonce(1).with_value(U256::from(5))).await;
    let request = |value: &str| json!({"from": from, "to": NOBODY, "value": value});

    // Refused as a whole: an index too far, a transaction that is not valid there.
    for pairs in [
        json!([[raw, 0], [request("0x1"), 2]]),
        json!([[raw, 0], [raw, 1]]),
        json!([[raw, 1], [request("0xffffffffffffffffffffffff"), 1]]),
    ] {
        rpc_error(&handle, "anvil_reorg", json!([2, pairs])).await;
        assert_eq!(
            rpc(&handle, "eth_getBlockByNumber", json!(["latest", false])).await,
            head
        );
    }

    // alloy sends an object, Foundry's cast two parameters.
    let options = json!({"depth": 2, "txBlockPairs": [[raw, 0], [{"from": from, "to": NOBODY, "value": "0x7", "nonce": "0x2"}, 1]]});
    rpc(&handle, "anvil_reorg", options).await;
    assert_eq!(rpc(&handle, "eth_blockNumber", json!([])).await, "0x3");
    assert_eq!(alice.get_balance(NOBODY).await.unwrap(), U256::from(1 + 5 + 7));
    assert_eq!(alice.get_balance(NOBODY).number(2).await.unwrap(), U256::from(1 + 5));
    let block = rpc(&handle, "eth_getBlockByNumber", json!(["latest", false])).await;
    assert_ne!(block["hash"], head["hash"]);
    assert_eq!(block["transactions"].as_array().unwrap().len(), 1);
    rpc(
        &handle,
        "anvil_reorg",
        json!([1, [[request("0x1"), 0], [request("0x2"), 0]]]),
    )
    .await;
    assert_eq!(alice.get_balance(NOBODY).await.unwrap(), U256::from(1 + 5 + 1 + 2));
    let seen = rpc(&handle, "eth_getBlockByNumber", json!(["latest", true])).await;
    handle.shutdown().await;

    let handle = spawn(config).await.unwrap();
    assert_eq!(
        rpc(&handle, "eth_getBlockByNumber", json!(["latest", true])).await,
        seen
    );
    handle.shutdown().await;
    std::fs::remove_dir_all(dir).unwrap();
}

#[tokio::test]
async fn a_dump_loads_elsewhere_with_the_same_root_and_working_programs() {
    let first = chain().await;
    let alice = provider(&first, 0);
    let program = deploy_program(&alice, ECHO).await;
    let bell = deploy_bell(&alice).await;
    send(&alice, TransactionRequest::default().with_to(bell)).await;
    rpc(&first, "evm_increaseTime", json!([1_000_000])).await;
    let want = root(&first).await;
    let time = number(&rpc(&first, "eth_getBlockByNumber", json!(["latest", false])).await["timestamp"]);
    let dump = rpc(&first, "anvil_dumpState", json!([])).await;
    assert_eq!(rpc(&first, "hardhat_dumpState", json!([])).await, dump);

    // Into a chain on disk that holds something else; all of that goes.
    let dir = directory("load");
    let config = Config {
        state_dir: Some(dir.clone()),
        ..Config::default()
    };
    let second = spawn(config.clone()).await.unwrap();
    let bob = provider(&second, 1);
    send(&bob, transfer(7)).await;
    let snapshot = rpc(&second, "evm_snapshot", json!([])).await;
    assert_eq!(rpc(&second, "anvil_loadState", json!([dump])).await, true);
    let loaded = rpc(&second, "eth_getBlockByNumber", json!(["latest", false])).await;
    assert_eq!((&loaded["number"], &loaded["stateRoot"]), (&json!("0x2"), &want));
    assert!(number(&loaded["timestamp"]) >= time);
    let proof = bob.get_proof(bell, vec![B256::ZERO]).await.unwrap();
    assert_eq!(json!(keccak256(&proof.account_proof[0])), want);
    let works = async |handle: &Handle| {
        let bob = provider(handle, 1);
        assert_eq!(bob.get_balance(NOBODY).await.unwrap(), U256::ZERO);
        let echo = TransactionRequest::default()
            .with_to(program)
            .with_input(b"again".to_vec());
        assert_eq!(bob.call(echo.clone()).await.unwrap(), Bytes::from(b"again"));
        assert!(send(&bob, echo).await.status());
        let ring = send(&bob, TransactionRequest::default().with_to(bell)).await;
        U256::from_be_slice(&ring.logs()[0].data().data)
    };
    assert_eq!(works(&second).await, U256::from(2));
    second.shutdown().await;
    let second = spawn(config).await.unwrap();
    assert_eq!(works(&second).await, U256::from(3));
    // Damage and strangers are refused and leave the chain alone.
    let before = rpc(&second, "eth_getBlockByNumber", json!(["latest", false])).await;
    let good: Vec<u8> = dump.as_str().unwrap().parse::<Bytes>().unwrap().to_vec();
    let mut flipped = good.clone();
    *flipped.last_mut().unwrap() ^= 1;
    // 100 MB of zeros in some hundred bytes, with a true checksum.
    let mut bomb = Vec::new();
    let params = brotli::enc::BrotliEncoderParams {
        quality: 2,
        ..Default::default()
    };
    brotli::BrotliCompress(&mut vec![0u8; 100 << 20].as_slice(), &mut bomb, &params).unwrap();
    let sealed = |body: &[u8]| [b"medlock-anvil state 1\n".as_slice(), keccak256(body).as_slice(), body].concat();
    for (wrong, why) in [
        (good[..good.len() - 1].to_vec(), "damaged: its checksum"),
        (good[..30].to_vec(), "damaged: it is cut short"),
        (flipped, "damaged: its checksum"),
        (sealed(b"nothing compressed"), "damaged: it does not decompress"),
        (sealed(&bomb), "at most 67108864 bytes"),
        (b"\x1f\x8b{}".to_vec(), "no state dump of medlock-anvil"),
        (Vec::new(), "no state dump of medlock-anvil"),
    ] {
        let (code, message) = rpc_error(&second, "anvil_loadState", json!([Bytes::from(wrong)])).await;
        assert_eq!(code, -32602);
        assert!(message.contains(why), "{message}");
    }
    assert_eq!(
        rpc(&second, "eth_getBlockByNumber", json!(["latest", false])).await,
        before
    );
    assert_eq!(
        rpc(&second, "evm_revert", json!([snapshot])).await,
        false,
        "not kept over a restart"
    );
    second.shutdown().await;
    std::fs::remove_dir_all(dir).unwrap();

    let stranger = spawn(Config {
        chain_id: 7,
        ..Config::default()
    })
    .await
    .unwrap();
    let (code, message) = rpc_error(&stranger, "anvil_loadState", json!([dump])).await;
    assert_eq!(
        (code, &*message),
        (-32602, "the state dump is of chain 412346, not of chain 7")
    );

    // From a file, at the start.
    let file = directory("dump.bin");
    std::fs::write(&file, first.dump_state().unwrap()).unwrap();
    let third = spawn(Config {
        load_state: Some(file.clone()),
        ..Config::default()
    })
    .await
    .unwrap();
    assert_eq!(works(&third).await, U256::from(2));
    std::fs::write(&file, "nonsense").unwrap();
    let config = Config {
        load_state: Some(file.clone()),
        ..Config::default()
    };
    let error = format!("{:#}", spawn(config).await.unwrap_err());
    assert!(error.contains("no state dump"), "{error}");
    std::fs::remove_file(file).unwrap();
}
