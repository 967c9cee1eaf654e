//! Foundry's `forge`: Solidity that calls a Stylus program, scripted onto the chain and tested on a fork of it.

use std::path::Path;

use serde_json::Value;
use tokio::process::Command;

use crate::{QUICK, World, address, fails, root, succeeds};

#[tokio::test(flavor = "multi_thread")]
async fn forge_builds_scripts_tests_on_a_fork_and_creates() {
    let world = World::start().await;
    let (registry, _) = world.registry_by_cast().await;
    let party = world.address(1).to_string();
    copy(&root().join("anvil/tests/tools/solidity"), &world.path("project"));
    std::fs::copy(
        root().join("contracts/abi/generated/IRegistry.sol"),
        world.path("project/src/IRegistry.sol"),
    )
    .unwrap();
    let solc = root().join("tools/solc");
    let forge = |args: &[&str]| -> Command {
        let mut command = world.npm_tool("forge");
        command.args(args).arg("--use").arg(&solc);
        command.current_dir(world.path("project"));
        command
    };

    let built = succeeds(forge(&["build"]), QUICK).await;
    assert!(built.contains("Compiler run successful"), "{built}");

    // The script's first transaction creates the desk, after the three that were sent up to here.
    let next = world.address(0).create(3).to_string();
    world
        .cast_send(0, [&registry, "transferOwnership(address)", &next])
        .await;
    // A script whose transactions call the program, by way of an EVM contract.
    let (url, key) = (world.chain.url(), world.key(0));
    let script = |more: &[&str]| {
        let arguments = [
            "script",
            "script/Open.s.sol",
            "--sig",
            "run(address,address)",
            &registry,
            &party,
        ];
        let sending = ["--rpc-url", &url, "--private-key", &key, "--broadcast"];
        forge(&[&arguments, &sending[..], more].concat())
    };
    // Without `--skip-simulation` forge runs the transactions in its own EVM before it sends them.
    let refused = fails(script(&[]), QUICK).await;
    assert!(refused.contains("OpcodeNotFound"), "{refused}");
    let done = succeeds(script(&["--skip-simulation"]), QUICK).await;
    assert!(done.contains("ONCHAIN EXECUTION COMPLETE & SUCCESSFUL"), "{done}");

    let record = world.path("project/broadcast/Open.s.sol/412346/run-latest.json");
    let record: Value = serde_json::from_slice(&std::fs::read(record).unwrap()).unwrap();
    let receipts = record["receipts"].as_array().unwrap();
    assert_eq!(receipts.len(), 3);
    let logs = receipts.iter().map(|receipt| {
        assert_eq!(receipt["status"], "0x1", "{receipt}");
        receipt["logs"].as_array().unwrap().len()
    });
    // The constructor says nothing; `acceptOwnership` and `setIssuer` each log; `issueCredential`, then the desk itself.
    assert_eq!(logs.collect::<Vec<_>>(), [0, 2, 2]);
    let desk = record["transactions"][0]["contractAddress"].as_str().unwrap();
    let owner = world.cast(["call", &registry, "owner()(address)"]).await;
    assert_eq!(address(&owner), address(desk));
    for (roles, expected) in [("1", "true"), ("2", "false")] {
        let call = ["call", desk, "recognises(address,uint64)(bool)", &party, roles];
        assert_eq!(world.cast(call).await, expected);
    }

    let mut test = forge(&["test", "--fork-url", &url, "-vv"]);
    test.env("DESK", desk).env("PARTY", &party);
    let tested = succeeds(test, QUICK).await;
    assert!(tested.contains("4 passed; 0 failed; 0 skipped"), "{tested}");

    let create = [
        "create",
        "src/Desk.sol:Desk",
        "--broadcast",
        "--rpc-url",
        &url,
        "--private-key",
        &key,
    ];
    let mut create = forge(&create);
    // Last: it takes all that follows.
    create.args(["--constructor-args", &registry]);
    let created = succeeds(create, QUICK).await;
    let second = created
        .lines()
        .find_map(|line| line.strip_prefix("Deployed to: "))
        .unwrap_or_else(|| panic!("{created}"));
    assert_ne!(address(second), address(desk));
    let knows = world.cast(["call", second, "registry()(address)"]).await;
    assert_eq!(address(&knows), address(&registry));
}

/// A folder, into one that is not there yet.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
