//! Methods that only a development chain has, under the names that Foundry's anvil (`anvil_`), Hardhat (`hardhat_`) and
//! Ganache (`evm_`) gave them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use alloy::eips::BlockId;
use alloy::primitives::{Address, B256, Bytes, U64, U256, keccak256};
use alloy::serde::JsonStorageKey;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::account::{Sent, complete, gas, sender};
use super::{Answer, Node, Params, RpcError, answer, client_version};
use crate::block::BASE_FEE_WEI;
use crate::chain::{BLOCK_GAS_MAX, Chain};
use crate::pool::Pooled;
use crate::state::{Change, Slot, State};

pub fn dispatch(node: &Node, method: &str, params: &Params<'_>) -> Answer {
    let chain = &*node.chain;
    match method {
        "evm_mine" => mine(chain, params),
        "anvil_mine" | "hardhat_mine" => {
            let (count, interval) = (params.optional::<Number>(0)?, params.optional::<Number>(1)?);
            chain.mine(
                count.map_or(1, |count| count.0),
                interval.map_or(0, |interval| interval.0),
            )?;
            answer(&())
        }
        "evm_setAutomine" | "anvil_setAutomine" => {
            chain.set_automine(params.get(0)?)?;
            answer(&())
        }
        "anvil_getAutomine" | "hardhat_getAutomine" => answer(&chain.mining().borrow().automine),
        "evm_setIntervalMining" | "anvil_setIntervalMining" => {
            chain.set_interval(params.get::<Seconds>(0)?.0)?;
            answer(&())
        }
        "anvil_getIntervalMining" => {
            let interval = chain.mining().borrow().interval;
            answer(&interval.map(|interval| match interval.subsec_nanos() {
                0 => json!(interval.as_secs()),
                _ => json!(interval.as_secs_f64()),
            }))
        }

        "evm_increaseTime" | "anvil_increaseTime" => {
            let seconds: Number = params.get(0)?;
            answer(&chain.increase_time(i64::try_from(seconds.0).unwrap_or(i64::MAX))?)
        }
        "evm_setTime" | "anvil_setTime" => answer(&chain.set_time(params.get::<Number>(0)?.0)?.max(0)),
        "evm_setNextBlockTimestamp" | "anvil_setNextBlockTimestamp" => {
            chain.set_next_timestamp(params.get::<Number>(0)?.0)?;
            answer(&())
        }
        "anvil_setBlockTimestampInterval" => {
            chain.set_timestamp_step(Some(params.get::<Number>(0)?.0))?;
            answer(&())
        }
        "anvil_removeBlockTimestampInterval" => answer(&chain.set_timestamp_step(None)?),

        "evm_snapshot" | "anvil_snapshot" => answer(&U64::from(chain.snapshot())),
        "evm_revert" | "anvil_revert" => answer(&chain.revert(params.get::<Number>(0)?.0)?),
        "anvil_rollback" => {
            chain.rollback(params.optional::<Number>(0)?.map_or(1, |depth| depth.0))?;
            answer(&())
        }
        "anvil_reorg" => reorg(chain, params),
        "anvil_reset" | "hardhat_reset" => {
            // Foundry's and Hardhat's take a chain to fork from.
            if params.optional::<Value>(0)?.is_some_and(|forking| forking != json!({})) {
                return Err(RpcError::invalid_params("this chain does not fork others"));
            }
            chain.reset()?;
            answer(&())
        }
        "anvil_dumpState" | "hardhat_dumpState" => {
            let dump = chain.dump().encode().map_err(crate::error::ChainError::from)?;
            answer(&Bytes::from(dump))
        }
        "anvil_loadState" | "hardhat_loadState" => {
            chain.load(&params.get::<Bytes>(0)?)?;
            answer(&true)
        }

        "anvil_setBalance" | "hardhat_setBalance" => {
            let balance: U256 = params.get(1)?;
            change(chain, params, |_, change| Change { balance, ..change })
        }
        "anvil_addBalance" => {
            let more: U256 = params.get(1)?;
            change(chain, params, |_, change| Change {
                balance: change.balance.saturating_add(more),
                ..change
            })
        }
        "anvil_setNonce" | "hardhat_setNonce" => {
            let Number(nonce) = params.get(1)?;
            change(chain, params, |_, change| Change { nonce, ..change })
        }
        "anvil_setCode" | "hardhat_setCode" => {
            let code: Bytes = params.get(1)?;
            change(chain, params, |_, change| Change {
                code: vec![code],
                ..change
            })
        }
        "anvil_setStorageAt" | "hardhat_setStorageAt" => {
            let (key, value): (JsonStorageKey, B256) = (params.get(1)?, params.get(2)?);
            let storage = vec![Slot {
                key: key.as_b256().into(),
                value: value.into(),
            }];
            change(chain, params, |_, change| Change { storage, ..change })?;
            answer(&true)
        }

        "anvil_impersonateAccount" | "hardhat_impersonateAccount" => {
            chain.impersonate(params.get(0)?, true);
            answer(&())
        }
        "anvil_stopImpersonatingAccount" | "hardhat_stopImpersonatingAccount" => {
            chain.impersonate(params.get(0)?, false);
            answer(&())
        }
        "anvil_autoImpersonateAccount" | "hardhat_autoImpersonateAccount" => {
            chain.impersonate_all(params.get(0)?);
            answer(&())
        }
        "anvil_dropTransaction" | "hardhat_dropTransaction" => {
            let hash: B256 = params.get(0)?;
            answer(&chain.pool().remove(&hash).map(|_| hash))
        }
        "anvil_dropAllTransactions" | "hardhat_dropAllTransactions" => {
            chain.pool().clear();
            answer(&())
        }
        "anvil_removePoolTransactions" => {
            chain.pool().remove_sender(params.get(0)?);
            answer(&())
        }
        "anvil_nodeInfo" => node_info(chain),
        "anvil_metadata" | "hardhat_metadata" => metadata(chain),
        _ => Err(RpcError::method_not_found(method)),
    }
}

/// A count or time, as a JSON number or as a hexadecimal quantity: development methods get both.
pub struct Number(pub u64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // U256 reads both forms; U64 would refuse numbers.
        let number = U256::deserialize(deserializer)?;
        u64::try_from(number).map(Self).map_err(serde::de::Error::custom)
    }
}

/// A time in seconds that may have a fraction.
struct Seconds(Duration);

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Fraction(f64),
            Quantity(Number),
        }
        match Either::deserialize(deserializer)? {
            Either::Quantity(Number(seconds)) => Ok(Self(Duration::from_secs(seconds))),
            Either::Fraction(seconds) => Duration::try_from_secs_f64(seconds)
                .map(Self)
                .map_err(serde::de::Error::custom),
        }
    }
}

/// Changes the account that the first parameter names, in the head's state.
fn change(chain: &Chain, params: &Params<'_>, with: impl FnOnce(&State, Change) -> Change) -> Answer {
    let address: Address = params.get(0)?;
    chain.override_state(|state| with(state, state.unchanged(address)))?;
    answer(&())
}

/// `evm_mine`: nothing, a timestamp, or an object with timestamp and number of blocks.
fn mine(chain: &Chain, params: &Params<'_>) -> Answer {
    #[derive(Default, Deserialize)]
    struct Options {
        blocks: Option<Number>,
        timestamp: Option<Number>,
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Given {
        Timestamp(Number),
        /// alloy's enumeration.
        Tagged {
            options: Options,
        },
        Plain(Options),
    }
    let Options { blocks, timestamp } = match params.optional(0)? {
        None => Options::default(),
        Some(Given::Timestamp(timestamp)) => Options {
            timestamp: Some(timestamp),
            blocks: None,
        },
        Some(Given::Tagged { options } | Given::Plain(options)) => options,
    };
    if let Some(Number(timestamp)) = timestamp {
        chain.set_next_timestamp(timestamp)?;
    }
    chain.mine(blocks.map_or(1, |blocks| blocks.0), 0)?;
    answer("0x0")
}

/// `anvil_reorg`: a depth; or a depth and pairs of a transaction and the index of the new block that it goes into,
/// as two parameters or as one object.
fn reorg(chain: &Chain, params: &Params<'_>) -> Answer {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Options {
        depth: Number,
        #[serde(default)]
        tx_block_pairs: Vec<(Sent, Number)>,
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Given {
        Depth(Number),
        Options(Options),
    }
    let Options { depth, tx_block_pairs } = match params.get(0)? {
        Given::Options(options) => options,
        Given::Depth(depth) => Options {
            depth,
            tx_block_pairs: params.optional(1)?.unwrap_or_default(),
        },
    };
    let head = chain.ledger().head().header.number;
    let mut nonces: BTreeMap<Address, u64> = BTreeMap::new();
    let mut transactions = Vec::with_capacity(tx_block_pairs.len());
    for (sent, Number(index)) in tx_block_pairs {
        let pooled: Pooled = match sent {
            Sent::Raw(bytes) => Chain::decode(&bytes)?,
            Sent::Request(request) => {
                let below = head.saturating_sub(depth.0);
                let view = super::view(chain, Some(BlockId::number(below)))?;
                let sender = sender(&request)?;
                let nonce = nonces.entry(sender).or_insert_with(|| view.state.nonce(sender));
                let gas = gas(chain, || view, &request, params.deadline)?;
                let pooled = complete(chain, *request, *nonce, gas)?;
                *nonce = nonce.saturating_add(1);
                pooled
            }
        };
        transactions.push((index, Arc::new(pooled)));
    }
    chain.reorg(depth.0, transactions)?;
    answer(&())
}

/// Foundry's `anvil_nodeInfo`.
fn node_info(chain: &Chain) -> Answer {
    let head = chain.ledger().head().clone();
    answer(&json!({
        "currentBlockNumber": U64::from(head.header.number),
        "currentBlockTimestamp": head.header.timestamp,
        "currentBlockHash": head.hash,
        "hardFork": "prague",
        "transactionOrder": "fifo",
        "environment": {
            "baseFee": U256::from(BASE_FEE_WEI),
            "chainId": chain.chain_id,
            "gasLimit": U256::from(BLOCK_GAS_MAX),
            "gasPrice": U256::from(BASE_FEE_WEI),
        },
        "forkConfig": {"forkUrl": null, "forkBlockNumber": null, "forkRetryBackoff": null},
    }))
}

/// Hardhat's `hardhat_metadata`. The instance is the chain: its genesis hash, hashed.
fn metadata(chain: &Chain) -> Answer {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Metadata {
        client_version: String,
        chain_id: u64,
        instance_id: B256,
        latest_block_number: u64,
        latest_block_hash: B256,
        forked_network: (),
        snapshots: BTreeMap<U64, (u64, B256)>,
    }
    let snapshots = chain.snapshots();
    let ledger = chain.ledger();
    let head = ledger.head();
    answer(&Metadata {
        client_version: client_version(),
        chain_id: chain.chain_id,
        instance_id: ledger.block(0).map_or(B256::ZERO, |genesis| keccak256(genesis.hash)),
        latest_block_number: head.header.number,
        latest_block_hash: head.hash,
        forked_network: (),
        snapshots: snapshots
            .into_iter()
            .map(|(id, number, hash)| (U64::from(id), (number, hash)))
            .collect(),
    })
}
