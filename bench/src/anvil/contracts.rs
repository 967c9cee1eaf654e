//! The EVM contracts that both chains run, compiled by the pinned npm `solc`.

use std::path::Path;
use std::process::{Command, Stdio};

use alloy::hex;
use alloy::primitives::{Address, Bytes, TxKind, U256};
use alloy::sol;
use alloy::sol_types::SolValue;
use anyhow::{Context, ensure};
use medlock_anvil::DevAccount;
use serde_json::{Value, json};

use super::node::Node;
use super::transactions::Transaction;

/// What every development account holds of the token.
pub const TOKENS_EACH: u64 = 1_000_000_000;
/// The compiler of the npm package, from the repository's root.
const SOLC: &str = "tools/solc";
const DEPLOY_GAS: u64 = 5_000_000;

sol! {
    interface Token {
        function transfer(address to, uint256 value) external returns (bool);
        function balanceOf(address owner) external view returns (uint256);
    }
    interface Emitter {
        function store(uint256 first, uint256 count, uint256 charts) external;
    }
}

/// Creation code.
pub struct Contracts {
    token: Vec<u8>,
    emitter: Vec<u8>,
}

impl Contracts {
    pub fn compile(tools: &Path, source: &Path) -> anyhow::Result<Self> {
        let content = std::fs::read_to_string(source).with_context(|| format!("read {}", source.display()))?;
        let input = json!({
            "language": "Solidity",
            "sources": {"Bench.sol": {"content": content}},
            "settings": {
                "optimizer": {"enabled": true, "runs": 200},
                "outputSelection": {"*": {"*": ["evm.bytecode.object"]}},
            },
        });
        let mut solc = Command::new(SOLC)
            .arg("--standard-json")
            .env("MEDLOCK_NODE", std::path::absolute(tools.join("node"))?)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("run {SOLC}"))?;
        // Dropped at once, so that the compiler sees the end of its input.
        let stdin = solc.stdin.take().context("the compiler's input")?;
        serde_json::to_writer(stdin, &input).context("tell the compiler what to do")?;
        let output = solc.wait_with_output().context("wait for the compiler")?;
        ensure!(output.status.success(), "{SOLC} ended with {}", output.status);
        let output: Value = serde_json::from_slice(&output.stdout).context("read what the compiler wrote")?;
        let code = |contract: &str| -> anyhow::Result<Vec<u8>> {
            let object = &output["contracts"]["Bench.sol"][contract]["evm"]["bytecode"]["object"];
            let text = object
                .as_str()
                .with_context(|| format!("no code of {contract}: {}", output["errors"]))?;
            hex::decode(text).with_context(|| format!("code of {contract}"))
        };
        Ok(Self {
            token: code("Token")?,
            emitter: code("Emitter")?,
        })
    }

    /// Deploys the token; every account in `holders` has [`TOKENS_EACH`].
    pub fn deploy_token(&self, node: &Node, deployer: &DevAccount, holders: &[DevAccount]) -> anyhow::Result<Address> {
        let holders: Vec<Address> = holders.iter().map(|account| account.address).collect();
        let arguments = (holders, U256::from(TOKENS_EACH)).abi_encode_params();
        deploy(node, deployer, 0, [self.token.as_slice(), &arguments].concat().into())
    }

    /// Deploys an emitter in the deployer's transaction `nonce`.
    pub fn deploy_emitter(&self, node: &Node, deployer: &DevAccount, nonce: u64) -> anyhow::Result<Address> {
        deploy(node, deployer, nonce, self.emitter.clone().into())
    }
}

fn deploy(node: &Node, deployer: &DevAccount, nonce: u64, input: Bytes) -> anyhow::Result<Address> {
    let creation = Transaction {
        nonce,
        gas: DEPLOY_GAS,
        to: TxKind::Create,
        value: U256::ZERO,
        input,
    }
    .send_and_wait(deployer)?;
    let mut connection = node.connect()?;
    connection.run(&creation).context("deploy a contract")?;
    let address = deployer.address.create(nonce);
    let code: Bytes = connection.call("eth_getCode", json!([address, "latest"]))?;
    ensure!(!code.is_empty(), "the contract at {address} was not created");
    Ok(address)
}
