//! What a long chain weighs: 100,000 blocks with ten logs each, kept in memory.

use alloy::primitives::{TxKind, U256};
use alloy::sol_types::SolCall;
use anyhow::ensure;
use medlock_anvil::dev_accounts;
use serde_json::{Value, json};

use super::contracts::{Contracts, Emitter};
use super::node::{Node, Peer};
use super::transactions::Transaction;
use super::{FOUNDRY, Pair};
use crate::figure::{Better, Figure};
use crate::http::{Connection, Exchange};

const BLOCKS: u64 = 100_000;
const LOGS_A_BLOCK: u64 = 10;
const CHARTS: u64 = 1_000;
const STORE_GAS: u64 = 200_000;
/// Blocks between two looks.
const STEP: usize = 25_000;

pub fn measure(pair: &Pair, contracts: &Contracts) -> anyhow::Result<()> {
    let stores = stores()?;
    let medlock = grow(&pair.medlock, contracts, &stores)?;
    let foundry = grow(&pair.foundry, contracts, &stores)?;
    let print = |name: String, unit, value: &dyn Fn(&[u64]) -> f64| {
        Figure {
            name,
            unit,
            better: Better::Lower,
            target: None,
            medlock: vec![value(&medlock)],
            peer: Some((FOUNDRY, vec![value(&foundry)])),
        }
        .print()
    };
    let logs = BLOCKS * LOGS_A_BLOCK;
    print(
        format!("memory for {BLOCKS} blocks and {logs} logs"),
        "MiB",
        &|resident| resident.last().copied().unwrap_or_default() as f64 / f64::from(1 << 20),
    )?;
    for step in 1..medlock.len() {
        let (from, to) = ((step - 1) * STEP, step * STEP);
        print(format!("memory a block, blocks {from} to {to}"), "bytes", &|resident| {
            resident[step].saturating_sub(resident[step - 1]) as f64 / STEP as f64
        })?;
    }
    Ok(())
}

/// One request a block, the same for both chains.
fn stores() -> anyhow::Result<Vec<Exchange>> {
    let sender = &dev_accounts()[0];
    let emitter = sender.address.create(0);
    (0..BLOCKS)
        .map(|block| {
            let call = Emitter::storeCall {
                first: U256::from(block * LOGS_A_BLOCK),
                count: U256::from(LOGS_A_BLOCK),
                charts: U256::from(CHARTS),
            };
            Transaction {
                nonce: block + 1,
                gas: STORE_GAS,
                to: TxKind::Call(emitter),
                value: U256::ZERO,
                input: call.abi_encode().into(),
            }
            .send_and_mine(sender)
        })
        .collect()
}

/// Resident bytes before the first block and after every [`STEP`] blocks.
fn grow(peer: &Peer, contracts: &Contracts, stores: &[Exchange]) -> anyhow::Result<Vec<u64>> {
    let node = peer.start(true)?;
    let sender = &dev_accounts()[0];
    contracts.deploy_emitter(&node, sender, 0)?;
    let mut connection = node.connect()?;
    let _: Value = connection.call("evm_setAutomine", json!([false]))?;
    let mut resident = vec![node.resident_bytes()?];
    for step in stores.chunks(STEP) {
        step.iter().try_for_each(|store| connection.run(store))?;
        resident.push(node.resident_bytes()?);
        eprintln!("{}: {} blocks", peer.name(), (resident.len() - 1) * STEP);
    }
    verify(&node, &mut connection)?;
    Ok(resident)
}

/// The last block has the last logs.
fn verify(node: &Node, connection: &mut Connection) -> anyhow::Result<()> {
    let logs: Vec<Value> = connection.call("eth_getLogs", json!([{"fromBlock": "latest"}]))?;
    ensure!(
        logs.len() as u64 == LOGS_A_BLOCK,
        "{} logs in the last block of {}",
        logs.len(),
        node.address()
    );
    let last = U256::from(BLOCKS * LOGS_A_BLOCK - 1);
    let found: Option<U256> = logs
        .last()
        .and_then(|log| serde_json::from_value(log["topics"][2].clone()).ok());
    ensure!(found == Some(last), "the last log is {found:?}");
    Ok(())
}
