//! How transactions become a block: executed one after another on the parent's state, then sealed with true roots.

use std::sync::Arc;

use alloy::consensus::{Transaction as _, TxEnvelope, TxType};
use alloy::primitives::{Address, B256, keccak256};
use revm::context::TxEnv;
use revm::context::either::Either;

use super::{BLOCK_GAS_MAX, Chain};
use crate::block::{Block, Mined, header, receipt};
use crate::error::TxError;
use crate::executor::Checks;
use crate::pool::Pooled;
use crate::state::{Change, State};

/// Transactions that could not be included, and why.
pub type Refused = Vec<(Arc<Pooled>, TxError)>;

/// A block that is neither durable nor shown.
pub struct Sealed {
    pub block: Block,
    /// The state after it.
    pub state: State,
    /// What it changed.
    pub changes: Vec<Change>,
    pub refused: Refused,
    /// How many of the last transactions found no room.
    pub left: usize,
}

impl Chain {
    /// Executes `transactions` in order on `state`, the one after `parent`. A transaction that is not valid by then is
    /// left out. The block is full when the next transaction's gas limit does not fit any more, as on Nitro; the first
    /// one always fits.
    pub(super) fn seal(
        &self,
        parent: &Block,
        mut state: State,
        timestamp: u64,
        rollbacks: u64,
        transactions: &[Arc<Pooled>],
    ) -> Sealed {
        let number = parent.header.number + 1;
        let context = self.context(number, timestamp);
        let (mut mined, mut changes, mut refused) = (Vec::new(), Vec::new(), Vec::new());
        let (mut gas_used, mut logs, mut left) = (0u64, 0u64, 0);
        for (index, pooled) in transactions.iter().enumerate() {
            if !mined.is_empty() && pooled.transaction.gas_limit() > BLOCK_GAS_MAX.saturating_sub(gas_used) {
                left = transactions.len() - index;
                break;
            }
            let checks = Checks {
                sender_is_eoa: !pooled.impersonated,
                ..Checks::ALL
            };
            let env = tx_env(&pooled.transaction, pooled.sender, self.chain_id);
            let outcome = match self.executor.transact(state.clone(), &context, env, checks) {
                Ok(outcome) => outcome,
                Err(error) => {
                    refused.push((pooled.clone(), TxError::from_exec(error, pooled.sender)));
                    continue;
                }
            };
            let made = state.changes(outcome.state);
            state.apply(&made);
            changes.extend(made);
            let receipt = receipt(pooled.transaction.tx_type(), outcome.result, gas_used);
            let used = receipt.cumulative_gas_used() - gas_used;
            gas_used += used;
            let first_log = logs;
            logs += receipt.logs().len() as u64;
            mined.push(Mined {
                transaction: pooled.transaction.clone(),
                sender: pooled.sender,
                receipt,
                gas_used: used,
                first_log,
            });
        }
        let extra = keccak256([self.seed.as_slice(), &rollbacks.to_be_bytes()].concat());
        let block = Block::seal(
            header(number, parent.hash, timestamp, extra, self.arbos),
            state.root(),
            mined,
        );
        Sealed {
            block,
            state,
            changes,
            refused,
            left,
        }
    }

    /// A block without transactions over a state that was made elsewhere.
    pub(super) fn seal_state(&self, parent: &Block, state_root: B256, timestamp: u64, rollbacks: u64) -> Block {
        let extra = keccak256([self.seed.as_slice(), &rollbacks.to_be_bytes()].concat());
        let header = header(parent.header.number + 1, parent.hash, timestamp, extra, self.arbos);
        Block::seal(header, state_root, Vec::new())
    }
}

/// The transaction as the EVM executes it. Arbitrum ignores tips and charges everybody the base fee; only the check
/// of funds uses what the sender offered. A zero-tip 1559 environment says exactly that for the older types, too.
pub fn tx_env(tx: &TxEnvelope, sender: Address, chain_id: u64) -> TxEnv {
    let tx_type = if tx.is_eip7702() {
        TxType::Eip7702
    } else {
        TxType::Eip1559
    };
    TxEnv {
        tx_type: tx_type as u8,
        caller: sender,
        gas_limit: tx.gas_limit(),
        gas_price: tx.max_fee_per_gas(),
        gas_priority_fee: Some(0),
        kind: tx.kind(),
        value: tx.value(),
        data: tx.input().clone(),
        nonce: tx.nonce(),
        chain_id: Some(chain_id),
        access_list: tx.access_list().cloned().unwrap_or_default(),
        authorization_list: tx
            .authorization_list()
            .unwrap_or_default()
            .iter()
            .map(|authorization| Either::Left(authorization.clone()))
            .collect(),
        ..TxEnv::default()
    }
}
