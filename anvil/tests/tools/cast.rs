//! Foundry's `cast`.

use alloy::primitives::{B256, U256, keccak256};

use crate::{QUICK, World, address, fails, word};

/// Stores 1 in its slot 0 when called; as init code.
const MARK: &str = "0x6006600c60003960066000f3600160005500";

#[tokio::test(flavor = "multi_thread")]
async fn cast_sends_every_type_of_transaction() {
    let world = World::start().await;
    let bob = world.address(1).to_string();
    let slot = B256::with_last_byte(1);
    let list = format!(r#"[{{"address":"{bob}","storageKeys":["{slot}"]}}]"#);
    for (kind, gas, more) in [
        ("0x0", "0x5208", &["--legacy"][..]),
        ("0x1", "0x62d4", &["--legacy", "--access-list", &list]),
        ("0x2", "0x5208", &[]),
        ("0x2", "0x62d4", &["--access-list", &list]),
    ] {
        let receipt = world.cast_send(0, [&[&bob, "--value", "1gwei"], more].concat()).await;
        assert_eq!(
            (&receipt["type"], &receipt["gasUsed"]),
            (&kind.into(), &gas.into()),
            "{receipt}"
        );
    }
    assert_eq!(
        world.cast(["balance", &bob, "--ether"]).await,
        "10000.000000004000000000"
    );
    assert_eq!(world.cast(["nonce", &world.address(0).to_string()]).await, "4");

    // Carol delegates her account to a contract (EIP-7702) and has its code run on her storage.
    let mark = world.cast_send(0, ["--create", MARK]).await;
    let mark = mark["contractAddress"].as_str().unwrap();
    let carol = world.address(2).to_string();
    let receipt = world.cast_send(2, [&carol, "--auth", mark]).await;
    assert_eq!(receipt["type"], "0x4");
    let code = world.cast(["code", &carol]).await;
    assert_eq!(
        code,
        format!("0xef0100{}", mark.trim_start_matches("0x").to_lowercase())
    );
    assert_eq!(word(&world.cast(["storage", &carol, "0"]).await), slot);
    assert_eq!(word(&world.cast(["storage", mark, "0"]).await), B256::ZERO);
}

#[tokio::test(flavor = "multi_thread")]
async fn cast_makes_signs_publishes_and_reads_back() {
    let world = World::start().await;
    let (alice, bob) = (world.address(0).to_string(), world.address(1).to_string());
    let key = world.key(0);
    assert_eq!(world.cast(["wallet", "address", "--private-key", &key]).await, alice);
    let signature = world.cast(["wallet", "sign", "--private-key", &key, "hello"]).await;
    world
        .cast(["wallet", "verify", "--address", &alice, "hello", &signature])
        .await;

    let raw = world.cast(["mktx", "--private-key", &key, &bob, "--value", "3"]).await;
    let hash = world.cast(["publish", "--async", &raw]).await;
    assert_eq!(word(&hash), keccak256(alloy::hex::decode(&raw).unwrap()));
    let receipt = world.cast_json(["receipt", &hash]).await;
    assert_eq!(
        (&receipt["status"], &receipt["blockNumber"]),
        (&"0x1".into(), &"0x1".into())
    );
    let transaction = world.cast_json(["tx", &hash]).await;
    assert_eq!(address(transaction["from"].as_str().unwrap()), world.address(0));
    assert_eq!(transaction["value"], "0x3");

    let block = world.cast_json(["block", "latest"]).await;
    assert_eq!(block["transactions"][0], hash.as_str());
    assert_eq!(
        world.cast(["block", "1", "-f", "hash"]).await,
        block["hash"].as_str().unwrap()
    );
    let time = world.cast(["block", "1", "-f", "timestamp"]).await;
    assert_eq!(world.cast(["find-block", &time]).await, "1");
    assert_eq!(world.cast(["chain-id"]).await, "412346");
    assert_eq!(world.cast(["gas-price"]).await, "100000000");
    assert_eq!(world.cast(["base-fee"]).await, "100000000");
    assert_eq!(world.cast(["rpc", "eth_blockNumber"]).await, "\"0x1\"");
    assert!(world.cast(["client"]).await.starts_with("medlock-anvil/"));
    let estimate = world.cast(["estimate", "--from", &alice, &bob, "--value", "1"]).await;
    assert_eq!(estimate, "21000");

    // Replayed in cast's own EVM, on the state of our chain.
    let replayed = world.cast(["run", &hash]).await;
    assert!(replayed.contains("Transaction successfully executed"), "{replayed}");
    let poor = ["send", "--private-key", &key, &bob, "--value", "20000ether"];
    let mut command = world.npm_tool("cast");
    command.args(poor);
    let refused = fails(command, QUICK).await;
    assert!(refused.contains("insufficient funds"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn cast_deploys_activates_and_calls_a_program() {
    let world = World::start().await;
    let (registry, code) = world.registry_by_cast().await;
    let (alice, bob) = (world.address(0).to_string(), world.address(1).to_string());
    let version = world
        .cast(["call", crate::ARB_WASM, "programVersion(address)(uint16)", &registry])
        .await;
    assert_eq!(version, "2");
    assert_eq!(world.cast(["codesize", &registry]).await, code.len().to_string());
    assert_eq!(word(&world.cast(["codehash", &registry]).await), keccak256(&code));

    let owner = ["call", &registry, "owner()(address)"];
    assert_eq!(address(&world.cast(owner).await), world.address(0));
    let offer = [&registry, "transferOwnership(address)", &bob];
    let receipt = world.cast_send(0, offer).await;
    let estimate = [
        "estimate",
        "--from",
        &alice,
        &registry,
        "setIssuer(address,bool)",
        &alice,
        "true",
    ];
    let estimate: u64 = world.cast(estimate).await.parse().unwrap();
    let issuer = world
        .cast_send(0, [&registry, "setIssuer(address,bool)", &alice, "true"])
        .await;
    let used = U256::from_str_radix(&issuer["gasUsed"].as_str().unwrap()[2..], 16).unwrap();
    assert!(U256::from(estimate) >= used, "{estimate} {used}");

    // The program's event, from the receipt and from the index.
    let topic = keccak256("OwnershipTransferStarted(address,address)");
    assert_eq!(word(receipt["logs"][0]["topics"][0].as_str().unwrap()), topic);
    let logs = [
        "logs",
        "--from-block",
        "0",
        "--address",
        &registry,
        "OwnershipTransferStarted(address indexed,address indexed)",
        &alice,
    ];
    let logs = world.cast_json(logs).await;
    assert_eq!(logs.as_array().unwrap().len(), 1);
    assert_eq!(logs[0]["transactionHash"], receipt["transactionHash"]);

    // Its typed error, from a call and from a transaction that is not sent for it.
    let selector = alloy::hex::encode(&keccak256("NotOwner(address)")[..4]);
    for verb in ["call", "send"] {
        let mut command = world.npm_tool("cast");
        command.args([verb, "--private-key", &world.key(1)]).args(offer);
        let refused = fails(command, QUICK).await;
        assert!(refused.contains(&format!("0x{selector}")), "{refused}");
    }

    // What a call reads, as an access list: the program's owner.
    let list = world.cast(["access-list", &registry, "owner()"]).await;
    assert!(list.to_lowercase().contains(&registry), "{list}");
    assert!(list.contains(&alloy::primitives::B256::ZERO.to_string()), "{list}");

    // Slot 1 is whom ownership is offered to, and how many issuers there are (contracts/README.md); the proof of it hangs on the
    // block's state root.
    let stored = word(&world.cast(["storage", &registry, "1"]).await);
    let offered_and_one_issuer = U256::from_be_bytes(world.address(1).into_word().0) | U256::ONE << 160;
    assert_eq!(stored, B256::from(offered_and_one_issuer));
    let proof = world.cast_json(["proof", &registry, "1"]).await;
    let root = world.cast(["block", "latest", "-f", "stateRoot"]).await;
    let top = alloy::hex::decode(proof["accountProof"][0].as_str().unwrap()).unwrap();
    assert_eq!(keccak256(top), word(&root));
    let top = alloy::hex::decode(proof["storageProof"][0]["proof"][0].as_str().unwrap()).unwrap();
    assert_eq!(keccak256(top), word(proof["storageHash"].as_str().unwrap()));
}
