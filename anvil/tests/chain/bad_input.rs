//! Input that is wrong, hostile or endless: a precise answer, and everybody else is still served.

use super::*;

#[tokio::test]
async fn bad_requests_get_precise_errors_and_others_are_still_served() {
    let handle = chain().await;
    let code = |answer: &Value| answer["error"]["code"].as_i64();
    assert_eq!(code(&post(&handle, "{\"jsonrpc\":").await), Some(-32700));
    assert_eq!(code(&post(&handle, "").await), Some(-32700));
    assert_eq!(code(&post(&handle, "7").await), Some(-32600));
    assert_eq!(code(&post(&handle, "[]").await), Some(-32600));
    assert_eq!(code(&post(&handle, "[".repeat(100_000)).await), Some(-32700));
    assert_eq!(
        code(&post(&handle, r#"{"jsonrpc":"1.0","id":1,"method":"eth_chainId"}"#).await),
        Some(-32600)
    );
    assert_eq!(
        code(&post(&handle, r#"{"jsonrpc":"2.0","id":[],"method":"eth_chainId"}"#).await),
        Some(-32600)
    );
    assert_eq!(
        code(&post(&handle, format!("[{}1]", "1,".repeat(1_000))).await),
        Some(-32600)
    );
    let batch = post(
        &handle,
        r#"[{"jsonrpc":"2.0","id":"a","method":"eth_chainId"},1,{"jsonrpc":"2.0","method":"eth_chainId"}]"#,
    )
    .await;
    assert_eq!(batch.as_array().unwrap().len(), 2);
    assert_eq!((&batch[0]["id"], &batch[0]["result"]), (&json!("a"), &json!("0x64aba")));
    assert_eq!(code(&batch[1]), Some(-32600));

    assert_eq!(rpc_error(&handle, "eth_nonsense", json!([])).await.0, -32601);
    assert_eq!(
        rpc_error(&handle, "eth_getBalance", json!([])).await,
        (-32602, "missing value for required argument 0".into())
    );
    assert_eq!(rpc_error(&handle, "eth_getBalance", json!(["0x12"])).await.0, -32602);
    assert_eq!(
        rpc_error(&handle, "eth_getBalance", json!({"address": 1})).await.0,
        -32602
    );
    assert_eq!(
        rpc_error(&handle, "eth_sendRawTransaction", json!(["0xzz"])).await.0,
        -32602
    );
    assert_eq!(
        rpc_error(&handle, "eth_sendRawTransaction", json!(["0x02c0"])).await.0,
        -32602
    );
    assert_eq!(
        rpc_error(&handle, "eth_sendRawTransaction", json!(["0xf9ffff00"]))
            .await
            .0,
        -32602
    );
    let bomb = format!("0x{}", "ff".repeat(1 << 20));
    assert!(
        rpc_error(&handle, "eth_sendRawTransaction", json!([bomb]))
            .await
            .1
            .starts_with("oversized data")
    );
    assert_eq!(rpc_error(&handle, "anvil_mine", json!(["0xffffffff"])).await.0, -32602);

    let client = reqwest::Client::new();
    let json = |client: &reqwest::Client| client.post(handle.url()).header("content-type", "application/json");
    let large = json(&client).body(" ".repeat((5 << 20) + 1)).send().await.unwrap();
    assert_eq!(large.status(), 413);
    assert_eq!(code(&large.json().await.unwrap()), Some(-32600));
    let plain = client
        .post(handle.url())
        .header("content-type", "text/plain")
        .body("{}")
        .send()
        .await
        .unwrap();
    assert_eq!(plain.status(), 415);
    let chain_id = r#"{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}"#;
    let foreign = json(&client)
        .header("origin", "https://example.com")
        .body(chain_id)
        .send()
        .await
        .unwrap();
    assert_eq!(foreign.status(), 403);
    let local = json(&client)
        .header("origin", "http://localhost:5173")
        .body(chain_id)
        .send()
        .await
        .unwrap();
    assert_eq!(local.headers()["access-control-allow-origin"], "http://localhost:5173");
    assert_eq!(rpc(&handle, "eth_blockNumber", json!([])).await, "0x0");
}

#[tokio::test]
async fn numbers_and_hex_that_are_wrong_are_named_as_such() {
    let handle = chain().await;
    let nobody = NOBODY.to_string();
    let wrong: [(&str, Value); 16] = [
        ("eth_getBalance", json!([nobody, "0x-1"])),
        ("eth_getBalance", json!([nobody, "0x10000000000000000"])),
        ("eth_getBalance", json!([nobody, "latestt"])),
        ("eth_getBlockByNumber", json!([-1, false])),
        ("eth_getBlockByNumber", json!(["0xzz", false])),
        ("eth_getBlockByHash", json!(["0x12", false])),
        ("eth_sendRawTransaction", json!(["0x123"])),
        ("eth_sendRawTransaction", json!([12])),
        ("eth_getStorageAt", json!([nobody, format!("0x{}", "1".repeat(65))])),
        ("eth_call", json!([{"to": nobody, "data": "0x1"}])),
        (
            "eth_call",
            json!([{"to": nobody, "value": format!("0x1{}", "0".repeat(64))}]),
        ),
        ("eth_call", json!([{"to": nobody, "gas": "-0x1"}])),
        ("eth_feeHistory", json!(["0x1", "latest", [50, 10]])),
        ("eth_feeHistory", json!(["0x1", "latest", [101]])),
        ("eth_getFilterChanges", json!(["x"])),
        ("anvil_setBalance", json!([nobody, "1e400"])),
    ];
    for (method, params) in wrong {
        let (code, message) = rpc_error(&handle, method, params.clone()).await;
        assert_eq!(code, -32602, "{method} {params}: {message}");
        assert!(message.len() < 400, "{message}");
    }
    // Beyond the head: nothing there.
    let far = json!(["0xffffffffffffffff", false]);
    assert_eq!(rpc(&handle, "eth_getBlockByNumber", far).await, Value::Null);
    let far = json!([nobody, "0xffffffffffffffff"]);
    assert_eq!(
        rpc_error(&handle, "eth_getBalance", far).await,
        (-32000, "header not found".into())
    );
    assert_eq!(
        rpc_error(&handle, "eth_feeHistory", json!(["0x1", "0x7", []])).await,
        (-32000, "request beyond head block: requested 7, head 0".into())
    );
    assert_eq!(
        rpc(&handle, "eth_feeHistory", json!(["0xffff", "latest", [25, 75]])).await["reward"],
        json!([["0x0", "0x0"]])
    );
    let wide = json!([{"fromBlock": "0x0", "toBlock": "0xffffffff"}]);
    assert_eq!(rpc(&handle, "eth_getLogs", wide).await, json!([]));
    let alternatives = json!([{"address": (0..=1_000u64).map(|n| format!("0x{n:040x}")).collect::<Vec<_>>()}]);
    assert_eq!(rpc_error(&handle, "eth_getLogs", alternatives).await.0, -32602);
    let keys = json!([nobody, vec![B256::ZERO; 1_025], "latest"]);
    assert_eq!(rpc_error(&handle, "eth_getProof", keys).await.0, -32602);
    // A bomb of nesting where any value is allowed, and one of text.
    let nested = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"eth_signTypedData_v4","params":["{}",{}1{}]}}"#,
        handle.accounts()[0].address,
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    assert_eq!(post(&handle, nested).await["error"]["code"], -32602);
    let (_, message) = rpc_error(&handle, &"x".repeat(1_000_000), json!([])).await;
    assert!(message.len() < 400);
}

#[tokio::test]
async fn typed_data_can_exhaust_neither_stack_nor_time() {
    let handle = chain().await;
    let alice = handle.accounts()[0].address;
    let sign = async |types: Value, message: Value| {
        let data = json!({"types": types, "primaryType": "S0", "domain": {}, "message": message});
        let params = json!([alice, data]);
        rpc_error(&handle, "eth_signTypedData_v4", params).await
    };
    let member = |kind: String, name: &str| json!({"type": kind, "name": name});
    // A chain of structs, each with `width` of the next.
    let structs = |count: usize, width: usize| -> Value {
        let next = |i: usize| match i + 1 {
            last if last == count => "uint256".to_owned(),
            next => format!("S{next}"),
        };
        let names: Vec<String> = (0..width).map(|i| format!("m{i}")).collect();
        (0..count)
            .map(|i| {
                (
                    format!("S{i}"),
                    names.iter().map(|name| member(next(i), name)).collect(),
                )
            })
            .collect::<serde_json::Map<String, Value>>()
            .into()
    };
    let arrays = |dimensions: usize| json!({"S0": [member(format!("uint256{}", "[]".repeat(dimensions)), "a")]});
    let hostile = [
        (arrays(1_000_000), json!({}), "dimensions"),
        (structs(50_000, 1), json!({}), "structs"),
        (structs(40, 2), json!({}), "expand"),
        (
            json!({"S0": [member("S0[]".to_owned(), "a")]}),
            json!({}),
            "contains itself",
        ),
        (json!({"S0": [member("(".repeat(100_000), "a")]}), json!({}), "name"),
        (
            json!({"S0": [member("(uint256)".to_owned(), "a")]}),
            json!({"a": [1]}),
            "no type",
        ),
        (
            json!({"S0": [member("E[]".to_owned(), &"a".repeat(10_000))], "E": []}),
            json!({"a": vec![json!({}); 100_000]}),
            "product",
        ),
    ];
    for (types, message, why) in hostile {
        let (code, message) = sign(types, message).await;
        assert_eq!(code, -32602, "{message}");
        assert!(
            message.starts_with("typed data: ") && message.contains(why),
            "{why}: {message}"
        );
        assert!(message.len() < 400, "{message}");
    }
    // Up to the limits it is signed.
    let mut message = json!(1);
    for _ in 0..12 {
        message = json!({"m0": message.clone(), "m1": message});
    }
    let deep = (0..8).fold(json!(1), |inner, _| json!([inner]));
    for (types, message) in [(structs(12, 2), message), (arrays(8), json!({"a": deep}))] {
        let data = json!({"types": types, "primaryType": "S0", "domain": {}, "message": message});
        let signature = rpc(&handle, "eth_signTypedData_v4", json!([alice, data])).await;
        assert_eq!(signature.as_str().unwrap().len(), 132);
    }
}

/// A thousand calls that use all their gas: together they may take no longer than a message may.
#[tokio::test]
async fn a_batch_ends_at_its_deadline() {
    let handle = chain().await;
    // As many JUMPDESTs as a contract may hold, again and again: nothing takes longer for its gas.
    let code = format!("0x{}5f56", "5b".repeat(24_000));
    rpc(&handle, "anvil_setCode", json!([NOBODY, code])).await;
    let call =
        |id: usize, method: &str| json!({"jsonrpc": "2.0", "id": id, "method": method, "params": [{"to": NOBODY}]});
    let mut batch: Vec<Value> = (0..999).map(|id| call(id, "eth_call")).collect();
    batch.push(call(999, "eth_blockNumber"));
    let answers = post(&handle, json!(batch).to_string()).await;
    let answers = answers.as_array().unwrap();
    assert_eq!(answers.len(), 1_000);
    let error = |index: usize| answers[index]["error"]["message"].as_str().unwrap_or_default();
    assert!(error(0).starts_with("out of gas"), "{}", error(0));
    assert_eq!(
        (error(999), &answers[999]["error"]["code"]),
        ("request timed out", &json!(-32002))
    );
    for (id, answer) in answers.iter().enumerate() {
        assert_eq!(answer["id"], id);
    }
    // The next message has time of its own.
    rpc(&handle, "eth_blockNumber", json!([])).await;
}

#[tokio::test]
async fn a_sender_cannot_fill_the_pool_with_gaps() {
    let handle = chain().await;
    for nonce in [1, 255] {
        let raw = signed(&handle, 0, |request| request.with_nonce(nonce)).await;
        rpc(&handle, "eth_sendRawTransaction", json!([raw])).await;
    }
    let raw = signed(&handle, 0, |request| request.with_nonce(256)).await;
    let (code, message) = rpc_error(&handle, "eth_sendRawTransaction", json!([raw])).await;
    assert_eq!(code, -32000);
    assert!(message.starts_with("nonce too high"), "{message}");
    assert!(message.ends_with("at most 256 may wait"), "{message}");
    // No account gets beyond the highest nonce (EIP-2681).
    let bob = handle.accounts()[1].address;
    rpc(&handle, "evm_setAutomine", json!([false])).await;
    rpc(&handle, "anvil_setNonce", json!([bob, u64::MAX - 1])).await;
    let raw = signed(&handle, 1, |request| request.with_nonce(u64::MAX - 1)).await;
    rpc(&handle, "eth_sendRawTransaction", json!([raw])).await;
    let highest = format!("{:#x}", u64::MAX);
    assert_eq!(
        rpc(&handle, "eth_getTransactionCount", json!([bob, "pending"])).await,
        highest
    );
    let one_more = json!([{"from": bob, "to": NOBODY, "gas": "0x5208"}]);
    let (_, message) = rpc_error(&handle, "eth_sendTransaction", one_more.clone()).await;
    assert!(message.starts_with("nonce has max value"), "{message}");
    rpc(&handle, "evm_setAutomine", json!([true])).await;
    assert_eq!(
        rpc(&handle, "eth_getTransactionCount", json!([bob, "latest"])).await,
        highest
    );
    let (_, message) = rpc_error(&handle, "eth_sendTransaction", one_more).await;
    assert!(message.starts_with("nonce has max value"), "{message}");
    let blob = format!("0x03{}", "ff".repeat(100));
    assert_eq!(
        rpc_error(&handle, "eth_sendRawTransaction", json!([blob])).await.0,
        -32602
    );
}

/// Calls without end, in the EVM and in a program, from many clients at once: each ends at its gas limit with an error
/// that says so, and what everybody else asks is answered before they are through.
#[tokio::test]
async fn endless_loops_end_at_their_gas_and_delay_nobody() {
    const ENDLESS: &str = r#"(module
        (memory (export "memory") 1 1)
        (func (export "user_entrypoint") (param i32) (result i32)
            (loop $again br $again)
            i32.const 0))"#;
    let handle = std::sync::Arc::new(chain().await);
    let program = deploy_program(&provider(&handle, 0), ENDLESS).await;
    // JUMPDEST PUSH1 0 JUMP
    let code = json!({NOBODY.to_string(): {"code": "0x5b600056"}});
    let mut endless = tokio::task::JoinSet::new();
    for client in 0..24 {
        let (handle, code) = (handle.clone(), code.clone());
        endless.spawn(async move {
            let params = match client % 2 {
                0 => json!([{"to": NOBODY}, "latest", code]),
                _ => json!([{"to": program, "gas": "0x7a1200"}, "latest"]),
            };
            rpc_error(&handle, "eth_call", params).await
        });
    }
    // All of them are under way before anybody is through; the first answer shows that they are.
    let height = rpc(&handle, "eth_blockNumber", json!([])).await;
    for _ in 0..50 {
        assert_eq!(rpc(&handle, "eth_blockNumber", json!([])).await, height);
        rpc(&handle, "eth_getBalance", json!([NOBODY, "latest"])).await;
    }
    let receipt = send(&provider(&handle, 1), transfer(1)).await;
    assert!(receipt.status());
    assert!(!endless.is_empty(), "others were served meanwhile");
    while let Some(ended) = endless.join_next().await {
        let (code, message) = ended.unwrap();
        assert_eq!(code, -32000);
        assert!(
            message.starts_with("out of gas: gas required exceeds allowance"),
            "{message}"
        );
    }
    let estimate = rpc_error(&handle, "eth_estimateGas", json!([{"to": NOBODY}, "latest", code])).await;
    assert!(
        estimate
            .1
            .starts_with("out of gas: gas required exceeds allowance (32000000)"),
        "{estimate:?}"
    );
    // A transaction without end costs its sender the gas, and the chain goes on.
    let request = TransactionRequest::default().with_to(program).with_gas_limit(2_000_000);
    let receipt = send(&provider(&handle, 0), request).await;
    assert_eq!((receipt.status(), receipt.gas_used), (false, 2_000_000));
}
