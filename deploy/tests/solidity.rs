//! The exported Solidity compiles, each file alone, and solc reads out of it the ABI that is exported as JSON.
use std::{
    collections::BTreeSet,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use alloy::json_abi::JsonAbi;
use serde_json::{Map, Value, json};

/// For Solidity users: the struct that no method takes, and every file at once, without two declarations of one name.
const USER: &str = r#"// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

import "IRegistry.sol";
import "IRecords.sol";
import "IExceptions.sol";
import "IRelay.sol";
import "IAudit.sol";
import "IClaims.sol";
import "ISupply.sol";
import "ITrials.sol";

contract User {
    function open(IRelay relay, IRelay.OpenChart calldata operation, WebAuthn calldata passkey) external {
        relay.openChart(operation, abi.encode(passkey));
    }

    function may(IRecords records, IRecords.Question calldata question) external view returns (bool allowed) {
        (allowed,) = records.decide(question);
    }
}
"#;

const INTERFACES: [&str; 8] = [
    "IRegistry",
    "IRecords",
    "IExceptions",
    "IRelay",
    "IAudit",
    "IClaims",
    "ISupply",
    "ITrials",
];

#[test]
fn each_file_compiles_alone_and_says_what_the_json_says() {
    for name in INTERFACES {
        let file = format!("{name}.sol");
        let output = compile(&[(&file, &read(&file))]);
        let found: JsonAbi = serde_json::from_value(output["contracts"][&file][name]["abi"].clone()).unwrap();
        let exported: JsonAbi = serde_json::from_str(&read(&format!("{name}.json"))).unwrap();
        let facts = facts(&exported);
        assert!(facts.len() > 10, "{name}: {facts:?}");
        assert_eq!(self::facts(&found), facts, "{name}");
    }
}

#[test]
fn a_contract_uses_all_of_them_and_the_passkey_struct() {
    let mut sources = vec![("User.sol".to_owned(), USER.to_owned())];
    for name in INTERFACES {
        let file = format!("{name}.sol");
        let text = read(&file);
        sources.push((file, text));
    }
    let sources: Vec<_> = sources
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    let output = compile(&sources);
    assert!(output["contracts"]["User.sol"]["User"]["abi"].is_array(), "{output}");
}

/// Functions, events and errors with all types, results and mutability.
fn facts(abi: &JsonAbi) -> BTreeSet<String> {
    let functions = abi.functions().map(|function| function.full_signature());
    let events = abi.events().map(|event| event.full_signature());
    let errors = abi.errors().map(|error| error.signature());
    functions.chain(events).chain(errors).collect()
}

fn compile(sources: &[(&str, &str)]) -> Value {
    let sources: Map<_, _> = sources
        .iter()
        .map(|(name, text)| ((*name).to_owned(), json!({ "content": text })))
        .collect();
    let input = json!({
        "language": "Solidity",
        "sources": sources,
        "settings": { "outputSelection": { "*": { "*": ["abi"] } } },
    });
    let mut solc = Command::new(root().join("tools/solc"))
        .arg("--standard-json")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("start tools/solc (it needs node)");
    // solc reads its input whole before it answers, so that neither waits for the other.
    let mut stdin = solc.stdin.take().unwrap();
    stdin.write_all(input.to_string().as_bytes()).unwrap();
    drop(stdin);
    let output = solc.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "tools/solc failed; see above: tools/setup-node.sh --tests"
    );
    let output: Value = serde_json::from_slice(&output.stdout).unwrap();
    // Warnings too: whoever compiles these files should see none of ours.
    let troubles: Vec<_> = output["errors"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|trouble| trouble["formattedMessage"].as_str().unwrap_or_default())
        .collect();
    assert!(troubles.is_empty(), "{}", troubles.join("\n"));
    output
}

fn read(file: &str) -> String {
    let path = root().join("contracts/abi/generated").join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
