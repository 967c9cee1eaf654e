//! `eth_call` over HTTP keep-alive: a view of a Stylus program, and of an EVM token for comparison.

use alloy::primitives::{Address, Bytes, U256};
use alloy::providers::ProviderBuilder;
use alloy::sol_types::SolCall;
use anyhow::{Context, ensure};
use medlock_abi::registry::IRegistry;
use medlock_anvil::{DevAccount, dev_accounts};
use medlock_deploy::Artifacts;
use serde_json::json;

use super::contracts::{Contracts, TOKENS_EACH, Token};
use super::node::Node;
use super::{FOUNDRY, Pair};
use crate::figure::{Better, Figure, Target, per_second};
use crate::http::{Exchange, drive, request};

/// Calls a second, load generator included.
const TARGET: Target = Target::Value(5_000.0);
const CALLS: usize = 10_000;
const CONNECTIONS: usize = 4;

pub fn measure(pair: &Pair, rounds: usize, contracts: &Contracts, artifacts: &Artifacts) -> anyhow::Result<()> {
    let accounts = dev_accounts();
    let mut medlock = Vec::new();
    for _ in 0..rounds {
        let node = pair.medlock.start(true)?;
        let registry = deploy_registry(&node, &accounts[0], artifacts)?;
        let owner = accounts[0].address.into_word();
        medlock.push(ask(
            &node,
            registry,
            IRegistry::ownerCall {}.abi_encode(),
            owner.into(),
        )?);
    }
    Figure {
        name: format!("eth_call of a Stylus view, {CONNECTIONS} connections"),
        unit: "calls/s",
        better: Better::Higher,
        target: Some(TARGET),
        medlock,
        peer: None,
    }
    .print()?;

    let (medlock, foundry) = pair.rounds(rounds, true, |node| {
        let token = contracts.deploy_token(node, &accounts[0], &accounts)?;
        let owner = accounts[1].address;
        let call = Token::balanceOfCall { owner }.abi_encode();
        ask(node, token, call, U256::from(TOKENS_EACH))
    })?;
    Figure {
        name: format!("eth_call of an ERC-20 balance, {CONNECTIONS} connections"),
        unit: "calls/s",
        better: Better::Higher,
        target: None,
        medlock,
        peer: Some((FOUNDRY, foundry)),
    }
    .print()
}

fn deploy_registry(node: &Node, owner: &DevAccount, artifacts: &Artifacts) -> anyhow::Result<Address> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("start a runtime")?;
    let url = format!("http://{}", node.address())
        .parse()
        .context("the chain's URL")?;
    let deployed = runtime.block_on(async {
        let provider = ProviderBuilder::new().connect_http(url);
        medlock_deploy::deploy(&provider, &owner.signer, artifacts).await
    });
    Ok(deployed.context("deploy the contracts")?.deployment.registry)
}

fn ask(node: &Node, to: Address, data: Vec<u8>, expected: U256) -> anyhow::Result<f64> {
    let data: Bytes = data.into();
    let params = json!([{"to": to, "data": data}, "latest"]);
    let answer: U256 = node.connect()?.call("eth_call", params.clone())?;
    ensure!(answer == expected, "the view answers {answer} instead of {expected}");
    let call = Exchange {
        request: request("eth_call", &params),
        until: None,
    };
    let lists = vec![vec![call; CALLS / CONNECTIONS]; CONNECTIONS];
    Ok(per_second(CALLS, drive(node.address(), &lists)?))
}
