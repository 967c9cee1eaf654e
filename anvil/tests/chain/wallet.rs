//! What wallets and libraries ask for.

use alloy::primitives::Signature;

use super::*;

#[tokio::test]
async fn development_accounts_sign_messages_typed_data_and_transactions() {
    let handle = chain().await;
    let alice = handle.accounts()[0].address;
    let signature = async |method: &str, params: Value| -> Signature {
        let signature = rpc(&handle, method, params).await;
        Signature::from_raw(&signature.as_str().unwrap().parse::<Bytes>().unwrap()).unwrap()
    };
    let message = Bytes::from(b"sign in");
    for signature in [
        signature("eth_sign", json!([alice, message])).await,
        signature("personal_sign", json!([message, alice])).await,
    ] {
        assert_eq!(signature.recover_address_from_msg(&message).unwrap(), alice);
    }
    let typed = json!({
        "types": {
            "EIP712Domain": [{"name": "name", "type": "string"}, {"name": "chainId", "type": "uint256"}],
            "Read": [{"name": "chart", "type": "bytes32"}, {"name": "times", "type": "uint8[]"}],
        },
        "primaryType": "Read",
        "domain": {"name": "Medlock", "chainId": 412_346},
        "message": {"chart": B256::ZERO, "times": [1, 2]},
    });
    // The encoding by hand (EIP-712).
    let word = |n: u64| B256::from(U256::from(n));
    let domain = keccak256(
        [
            keccak256("EIP712Domain(string name,uint256 chainId)"),
            keccak256("Medlock"),
            word(412_346),
        ]
        .concat(),
    );
    let times = keccak256([word(1), word(2)].concat());
    let read = keccak256([keccak256("Read(bytes32 chart,uint8[] times)"), B256::ZERO, times].concat());
    let hash = keccak256([b"\x19\x01".as_slice(), domain.as_slice(), read.as_slice()].concat());
    for data in [typed.clone(), json!(typed.to_string())] {
        let signature = signature("eth_signTypedData_v4", json!([alice, data])).await;
        assert_eq!(signature.recover_address_from_prehash(&hash).unwrap(), alice);
    }
    for wrong in [json!({"types": {}}), json!("{"), json!(7)] {
        assert_eq!(
            rpc_error(&handle, "eth_signTypedData_v4", json!([alice, wrong]))
                .await
                .0,
            -32602
        );
    }
    for (method, params) in [
        ("eth_sign", json!([NOBODY, message])),
        ("personal_sign", json!([message, NOBODY])),
        ("eth_signTypedData_v4", json!([NOBODY, typed])),
        ("eth_signTransaction", json!([{"from": NOBODY, "to": NOBODY}])),
    ] {
        let (code, message) = rpc_error(&handle, method, params).await;
        assert_eq!(code, -32000);
        assert!(message.starts_with("unknown account"), "{message}");
    }
    let signed = rpc(
        &handle,
        "eth_signTransaction",
        json!([{"from": alice, "to": NOBODY, "value": "0x1"}]),
    )
    .await;
    assert_eq!(rpc(&handle, "eth_blockNumber", json!([])).await, "0x0");
    let hash = rpc(&handle, "eth_sendRawTransaction", json!([signed["raw"]])).await;
    assert_eq!(hash, signed["tx"]["hash"]);
    assert_eq!(
        rpc(&handle, "eth_getTransactionReceipt", json!([hash])).await["status"],
        "0x1"
    );
}

#[tokio::test]
async fn blocks_and_receipts_carry_what_nitro_adds() {
    let handle = chain().await;
    let receipt = send(&provider(&handle, 0), transfer(1)).await;
    let hash = receipt.transaction_hash;
    let raw = rpc(&handle, "eth_getTransactionReceipt", json!([hash])).await;
    let block = rpc(&handle, "eth_getBlockByNumber", json!(["latest", false])).await;
    assert_eq!(
        (&raw["gasUsedForL1"], &raw["timeboosted"]),
        (&json!("0x0"), &json!(false))
    );
    assert_eq!(raw["l1BlockNumber"], block["l1BlockNumber"]);
    assert_eq!(number(&block["l1BlockNumber"]), number(&block["timestamp"]) / 12);
    assert_eq!(block["sendCount"], "0x0");
    assert!(block["sendRoot"].is_string());
    for field in [
        "baseFeePerGas",
        "difficulty",
        "mixHash",
        "nonce",
        "size",
        "uncles",
        "logsBloom",
        "sha3Uncles",
    ] {
        assert!(!block[field].is_null(), "{field}");
    }
    for (method, params, want) in [
        ("eth_maxPriorityFeePerGas", json!([]), json!("0x0")),
        ("eth_gasPrice", json!([]), json!("0x5f5e100")),
        ("eth_networkId", json!([]), json!("412346")),
        (
            "eth_getUncleByBlockNumberAndIndex",
            json!(["latest", "0x0"]),
            Value::Null,
        ),
        ("eth_getUncleCountByBlockNumber", json!(["latest"]), json!("0x0")),
        ("net_listening", json!([]), json!(true)),
    ] {
        assert_eq!(rpc(&handle, method, params).await, want, "{method}");
    }
    assert_eq!(rpc(&handle, "rpc_modules", json!([])).await["eth"], "1.0");
    assert_eq!(rpc_error(&handle, "eth_blobBaseFee", json!([])).await.0, -32000);
    for method in [
        "eth_simulateV1",
        "eth_fillTransaction",
        "anvil_setCoinbase",
        "evm_nonsense",
        "eth",
        "",
    ] {
        let (code, message) = rpc_error(&handle, method, json!([])).await;
        let want = format!("the method {method} does not exist/is not available");
        assert_eq!((code, message), (-32601, want));
    }
    let raw = rpc(
        &handle,
        "eth_getRawTransactionByBlockNumberAndIndex",
        json!(["0x1", "0x0"]),
    )
    .await;
    assert_eq!(keccak256(raw.as_str().unwrap().parse::<Bytes>().unwrap()), hash);
    let by_hash = json!([receipt.block_hash, "0x0"]);
    assert_eq!(
        rpc(&handle, "eth_getRawTransactionByBlockHashAndIndex", by_hash).await,
        raw
    );
    let account = rpc(&handle, "eth_getAccount", json!([NOBODY, "latest"])).await;
    let proof = rpc(&handle, "eth_getProof", json!([NOBODY, [], "latest"])).await;
    for (ours, proved) in [
        ("balance", "balance"),
        ("codeHash", "codeHash"),
        ("storageRoot", "storageHash"),
    ] {
        assert_eq!(account[ours], proof[proved]);
    }
    let info = rpc(&handle, "eth_getAccountInfo", json!([NOBODY, "latest"])).await;
    assert_eq!(info, json!({"balance": "0x1", "nonce": "0x0", "code": "0x"}));
    let alice = handle.accounts()[0].address;
    let unfunded = json!([{"from": handle.accounts()[1].address, "to": alice, "value": U256::MAX >> 8}]);
    let (code, message) = rpc_error(&handle, "eth_sendTransaction", unfunded).await;
    assert_eq!(code, -32000);
    assert!(
        message.starts_with("insufficient funds for gas * price + value"),
        "{message}"
    );
}

#[tokio::test]
async fn development_methods_answer_to_the_names_that_tools_use() {
    let handle = chain().await;
    for (account, prefix) in [("aa01", "anvil"), ("aa02", "hardhat")] {
        let account = format!("0x{account:0>40}");
        let call = async |name: &str, params: Value| rpc(&handle, &format!("{prefix}_{name}"), params).await;
        call("setBalance", json!([account, "0xde0b6b3a7640000"])).await;
        call("setNonce", json!([account, "0x5"])).await;
        call("setCode", json!([account, "0x6001"])).await;
        call("setStorageAt", json!([account, "0x0", B256::with_last_byte(7)])).await;
        assert_eq!(rpc(&handle, "eth_getCode", json!([account, "latest"])).await, "0x6001");
        let slot = rpc(&handle, "eth_getStorageAt", json!([account, "0x0", "latest"])).await;
        assert_eq!(slot, json!(B256::with_last_byte(7)));
        call("setCode", json!([account, "0x"])).await;
        call("impersonateAccount", json!([account])).await;
        let request = json!([{"from": account, "to": NOBODY, "value": "0x1"}]);
        let hash = rpc(&handle, "eth_sendTransaction", request.clone()).await;
        let sent = rpc(&handle, "eth_getTransactionByHash", json!([hash])).await;
        assert_eq!(sent["nonce"], "0x5");
        call("stopImpersonatingAccount", json!([account])).await;
        rpc_error(&handle, "eth_sendTransaction", request.clone()).await;
        call("autoImpersonateAccount", json!([true])).await;
        rpc(&handle, "eth_sendTransaction", request.clone()).await;
        call("autoImpersonateAccount", json!([false])).await;
        rpc_error(&handle, "eth_sendTransaction", request).await;
    }
    rpc(&handle, "anvil_addBalance", json!([NOBODY, "0x10"])).await;
    assert_eq!(rpc(&handle, "eth_getBalance", json!([NOBODY, "latest"])).await, "0x14");
    let snapshot = rpc(&handle, "evm_snapshot", json!([])).await;
    let head = rpc(&handle, "eth_getBlockByNumber", json!(["latest", false])).await;
    let info = rpc(&handle, "anvil_nodeInfo", json!([])).await;
    assert_eq!(info["currentBlockHash"], head["hash"]);
    assert_eq!(info["currentBlockNumber"], head["number"]);
    assert_eq!(info["environment"]["chainId"], 412_346);
    let metadata = rpc(&handle, "hardhat_metadata", json!([])).await;
    assert_eq!(metadata["latestBlockHash"], head["hash"]);
    assert_eq!(metadata["snapshots"][snapshot.as_str().unwrap()][1], head["hash"]);
}
