//! `eth_getLogs` over 100,000 logs in 1,000 blocks, the same on both chains.

use std::time::Instant;

use alloy::primitives::{Address, B256, TxKind, U256};
use alloy::sol_types::SolCall;
use anyhow::ensure;
use medlock_anvil::{DevAccount, dev_accounts};
use serde_json::{Value, json};

use super::contracts::{Contracts, Emitter};
use super::node::Node;
use super::transactions::Transaction;
use super::{FOUNDRY, Pair};
use crate::figure::{Better, Figure, Target, per_second};
use crate::http::{Connection, drive, request};

/// Twice as fast as Foundry's.
const TARGET: Target = Target::Ratio(2.0);
const BLOCKS: u64 = 1_000;
const LOGS_A_BLOCK: u64 = 100;
/// Contracts that take turns, a block each.
const EMITTERS: u64 = 10;
/// Values of the first topic after the event's own.
const CHARTS: u64 = 1_000;
/// Blocks that the narrow query spans.
const RANGE_BLOCKS: u64 = 10;
const STORE_GAS: u64 = 1_000_000;

struct Query {
    name: &'static str,
    filter: Value,
    logs: u64,
    /// Times a round.
    repeat: usize,
}

pub fn measure(pair: &Pair, rounds: usize, contracts: &Contracts) -> anyhow::Result<()> {
    let accounts = dev_accounts();
    let (medlock, foundry) = (pair.medlock.start(true)?, pair.foundry.start(true)?);
    let (first, emitters) = fill(&medlock, contracts, &accounts[0])?;
    let also = fill(&foundry, contracts, &accounts[0])?;
    ensure!(also == (first, emitters.clone()), "the two chains differ");
    for query in queries(first, &emitters) {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for round in 0..rounds {
            let ours_first = round % 2 == 0;
            for turn in [ours_first, !ours_first] {
                let (node, values) = if turn {
                    (&medlock, &mut ours)
                } else {
                    (&foundry, &mut theirs)
                };
                values.push(ask(&mut node.connect()?, &query)?);
            }
        }
        Figure {
            name: format!(
                "eth_getLogs {}: {} of {} logs",
                query.name,
                query.logs,
                BLOCKS * LOGS_A_BLOCK
            ),
            unit: "queries/s",
            better: Better::Higher,
            target: Some(TARGET),
            medlock: ours,
            peer: Some((FOUNDRY, theirs)),
        }
        .print()?;
    }
    Ok(())
}

/// Leaves the logs and returns the first block that has any, and the contracts.
fn fill(node: &Node, contracts: &Contracts, sender: &DevAccount) -> anyhow::Result<(u64, Vec<Address>)> {
    let emitters = (0..EMITTERS)
        .map(|nonce| contracts.deploy_emitter(node, sender, nonce))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let stores = (0..BLOCKS)
        .map(|block| {
            let call = Emitter::storeCall {
                first: U256::from(block * LOGS_A_BLOCK),
                count: U256::from(LOGS_A_BLOCK),
                charts: U256::from(CHARTS),
            };
            Transaction {
                nonce: EMITTERS + block,
                gas: STORE_GAS,
                to: TxKind::Call(emitters[(block % EMITTERS) as usize]),
                value: U256::ZERO,
                input: call.abi_encode().into(),
            }
            .send_and_mine(sender)
        })
        .collect::<anyhow::Result<Vec<_>>>()?;
    let _: Value = node.connect()?.call("evm_setAutomine", json!([false]))?;
    drive(node.address(), &[stores])?;
    Ok((EMITTERS + 1, emitters))
}

fn queries(first: u64, emitters: &[Address]) -> [Query; 4] {
    let last = first + BLOCKS - 1;
    let hex = |number: u64| format!("{number:#x}");
    let chart = B256::from(U256::from(CHARTS / 2));
    let middle = first + BLOCKS / 2;
    [
        Query {
            name: "everything",
            filter: json!({"fromBlock": hex(first), "toBlock": hex(last)}),
            logs: BLOCKS * LOGS_A_BLOCK,
            repeat: 1,
        },
        Query {
            name: "by range",
            filter: json!({"fromBlock": hex(middle), "toBlock": hex(middle + RANGE_BLOCKS - 1)}),
            logs: RANGE_BLOCKS * LOGS_A_BLOCK,
            repeat: 50,
        },
        Query {
            name: "by address",
            filter: json!({"fromBlock": hex(first), "toBlock": hex(last), "address": emitters[0]}),
            logs: BLOCKS * LOGS_A_BLOCK / EMITTERS,
            repeat: 10,
        },
        Query {
            name: "by topic",
            filter: json!({"fromBlock": hex(first), "toBlock": hex(last), "topics": [null, chart]}),
            logs: BLOCKS * LOGS_A_BLOCK / CHARTS,
            repeat: 50,
        },
    ]
}

fn ask(connection: &mut Connection, query: &Query) -> anyhow::Result<f64> {
    let request = request("eth_getLogs", &json!([query.filter]));
    let start = Instant::now();
    for _ in 1..query.repeat {
        connection.exchange(&request)?;
    }
    let body = connection.exchange(&request)?;
    let elapsed = start.elapsed();
    let answer: Value = serde_json::from_slice(body)?;
    let logs = answer["result"].as_array().map_or(0, Vec::len) as u64;
    ensure!(logs == query.logs, "{} logs instead of {}", logs, query.logs);
    Ok(per_second(query.repeat, elapsed))
}
