//! Tools that nobody here wrote, against the running World.

use std::process::Command;

use alloy::primitives::{Address, B256};
use medlock_tests::{World, root};

/// Foundry's `cast`, as `tools/setup-node.sh --tests` installs it, reads the contracts through the exported ABI.
#[tokio::test(flavor = "multi_thread")]
async fn cast_reads_the_contracts_through_the_exported_abi() {
    let world = World::start().await;
    let (patient, clinic, chart) = world.treated().await;
    let rpc = world.dev.endpoints.rpc.clone();
    let records = world.dev.deployment.records.to_string();
    let registry = world.dev.deployment.registry.to_string();
    let call = |to: &str, function: &str, args: &[&str]| {
        let output = Command::new(root().join(".tools/node/node_modules/.bin/cast"))
            .args(["call", "--rpc-url", &rpc, to, &signature(function)])
            .args(args)
            .output()
            .expect("cast; tools/setup-node.sh --tests installs it");
        assert!(
            output.status.success(),
            "{function}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    };
    let chart_of = call(&records, "chartOf", &[&chart.to_string()]);
    assert!(chart_of.contains(&patient.address().to_string()), "{chart_of}");
    let neighbours = call(&records, "neighbours", &[]);
    assert_eq!(neighbours.lines().next(), Some(registry.as_str()));
    let credential = call(&registry, "credentialOf", &[&clinic.address().to_string()]);
    assert!(credential.trim_end().ends_with("true"), "current: {credential}");
    let (nobody, no_record) = (Address::ZERO, B256::ZERO);
    let question = format!("({chart},{},{nobody},4,{no_record},1,1)", clinic.address());
    let decision = call(&records, "decide", &[&question]);
    assert_eq!(decision.split_whitespace().collect::<Vec<_>>(), ["true", "2"]);
}

/// The function as cast wants it, `name(inputs)(outputs)`, from the committed JSON ABI.
fn signature(function: &str) -> String {
    for interface in ["IRecords", "IRegistry"] {
        let path = root().join(format!("contracts/abi/generated/{interface}.json"));
        let abi: alloy::json_abi::JsonAbi = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        if let Some(function) = abi.function(function).and_then(|overloads| overloads.first()) {
            let outputs: Vec<String> = function
                .outputs
                .iter()
                .map(|output| output.selector_type().into_owned())
                .collect();
            return format!("{}({})", function.signature(), outputs.join(","));
        }
    }
    panic!("no {function} in the exported ABI");
}
