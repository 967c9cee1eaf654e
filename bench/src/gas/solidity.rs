//! Solidity by the pinned npm `solc`, as it is compiled for daily use: the optimiser on, for many runs, by way of Yul.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::{Command, Stdio},
};

use alloy::hex;
use anyhow::{Context, ensure};
use serde_json::{Map, Value, json};

/// The compiler of the npm package, from the repository's root.
const SOLC: &str = "tools/solc";
/// Bytes on chain cost nothing here, gas does.
pub const OPTIMIZER_RUNS: u32 = 1_000_000;

/// Creation code by contract.
pub struct Compiled {
    pub version: String,
    code: BTreeMap<String, Vec<u8>>,
}

impl Compiled {
    /// Compiles every contract below `sources`, which import interfaces from `interfaces`.
    ///
    /// # Errors
    /// There is no compiler, or it refuses a source: the text holds what it says.
    pub fn of(tools: &Path, sources: &Path, names: &[&str], interfaces: &Path) -> anyhow::Result<Self> {
        let mut input = Map::new();
        for (folder, name) in names
            .iter()
            .map(|name| (sources, *name))
            .chain(INTERFACES.map(|name| (interfaces, name)))
        {
            let path = folder.join(name);
            let content = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
            input.insert(name.into(), json!({"content": content}));
        }
        let input = json!({
            "language": "Solidity",
            "sources": input,
            "settings": {
                "optimizer": {"enabled": true, "runs": OPTIMIZER_RUNS},
                "viaIR": true,
                "evmVersion": "prague",
                "metadata": {"appendCBOR": false},
                "outputSelection": {"*": {"*": ["evm.bytecode.object"]}},
            },
        });
        let node = std::path::absolute(tools.join("node"))?;
        let version = text(solc(&node).arg("--version"))?;
        let mut compiler = solc(&node)
            .arg("--standard-json")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("run {SOLC}"))?;
        // Dropped at once, so that the compiler sees the end of its input.
        let stdin = compiler.stdin.take().context("the compiler's input")?;
        serde_json::to_writer(stdin, &input).context("tell the compiler what to do")?;
        let output = compiler.wait_with_output().context("wait for the compiler")?;
        ensure!(output.status.success(), "{SOLC} ended with {}", output.status);
        let output: Value = serde_json::from_slice(&output.stdout).context("read what the compiler wrote")?;
        for problem in output["errors"].as_array().into_iter().flatten() {
            let message = problem["formattedMessage"].as_str().unwrap_or_default();
            ensure!(problem["severity"] != "error", "{SOLC}: {message}");
        }
        let mut code = BTreeMap::new();
        for (_, contracts) in output["contracts"].as_object().into_iter().flatten() {
            for (name, contract) in contracts.as_object().into_iter().flatten() {
                let object = contract["evm"]["bytecode"]["object"].as_str().unwrap_or_default();
                code.insert(
                    name.clone(),
                    hex::decode(object).with_context(|| format!("code of {name}"))?,
                );
            }
        }
        let version = version
            .lines()
            .last()
            .unwrap_or_default()
            .trim_start_matches("Version: ");
        Ok(Self {
            version: version.to_owned(),
            code,
        })
    }

    /// Creation code, without the constructor's arguments.
    ///
    /// # Errors
    /// No source holds this contract.
    pub fn code(&self, contract: &str) -> anyhow::Result<&[u8]> {
        let code = self
            .code
            .get(contract)
            .with_context(|| format!("no contract {contract}"))?;
        ensure!(!code.is_empty(), "{contract} has no code");
        Ok(code)
    }
}

/// What the sources import, by these names.
const INTERFACES: [&str; 7] = [
    "IRegistry.sol",
    "IRecords.sol",
    "IExceptions.sol",
    "IRelay.sol",
    "IClaims.sol",
    "ISupply.sol",
    "ITrials.sol",
];

fn solc(node: &Path) -> Command {
    let mut solc = Command::new(SOLC);
    solc.env("MEDLOCK_NODE", node);
    solc
}

fn text(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output().with_context(|| format!("run {command:?}"))?;
    ensure!(output.status.success(), "{command:?} ended with {}", output.status);
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
