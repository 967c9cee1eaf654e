//! Compiles Solidity for tests, with npm's solc, as `tools/setup-node.sh --tests` installs it.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::{Value, json};

/// The creation code of `contract`, which stands in `file` (both paths from the repository's root). `medlock/` are the
/// exported interfaces.
///
/// # Panics
/// Where it does not compile, and where the compiler is not installed.
pub fn compile(file: &str, contract: &str) -> Vec<u8> {
    let read =
        |path: &Path| std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut sources = serde_json::Map::new();
    sources.insert(file.into(), json!({ "content": read(&root().join(file)) }));
    for interface in ["IRegistry", "IRecords", "IExceptions", "IRelay", "IAudit"] {
        let path = root().join(format!("contracts/abi/generated/{interface}.sol"));
        sources.insert(format!("medlock/{interface}.sol"), json!({ "content": read(&path) }));
    }
    let input = json!({
        "language": "Solidity",
        "sources": sources,
        "settings": {
            "optimizer": { "enabled": true, "runs": 200 },
            "evmVersion": "prague",
            "outputSelection": { "*": { "*": ["evm.bytecode.object"] } },
        },
    });
    let mut solc = Command::new(root().join("tools/solc"))
        .arg("--standard-json")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("tools/solc; tools/setup-node.sh --tests installs the compiler");
    solc.stdin
        .take()
        .unwrap()
        .write_all(input.to_string().as_bytes())
        .unwrap();
    let output: Value = serde_json::from_slice(&solc.wait_with_output().unwrap().stdout).unwrap();
    let code = &output["contracts"][file][contract]["evm"]["bytecode"]["object"];
    let code = code.as_str().unwrap_or_else(|| panic!("{:#}", output["errors"]));
    hex::decode(code).unwrap()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
