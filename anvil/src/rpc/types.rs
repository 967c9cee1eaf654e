//! Chain objects as JSON-RPC shows them, with the fields that Nitro adds.

use alloy::consensus::transaction::Recovered;
use alloy::consensus::{Receipt, ReceiptEnvelope, ReceiptWithBloom, Transaction as _};
use alloy::primitives::{self, B256, U64, U256};
use alloy::rpc::types::{self, BlockTransactions, Header, Log, Transaction};
use serde::Serialize;
use serde_json::Value;

use crate::block::{Block, Mined, l1_number};
use crate::pool::Pooled;

#[derive(Serialize)]
pub struct RpcBlock {
    #[serde(flatten)]
    inner: types::Block,
    #[serde(flatten)]
    nitro: NitroHeader,
}

#[derive(Serialize)]
pub struct RpcHeader {
    #[serde(flatten)]
    inner: Header,
    #[serde(flatten)]
    nitro: NitroHeader,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NitroHeader {
    l1_block_number: U64,
    send_count: U64,
    send_root: B256,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RpcReceipt {
    #[serde(flatten)]
    inner: types::TransactionReceipt,
    gas_used_for_l1: U64,
    l1_block_number: U64,
    /// Whether it came through the express lane of Arbitrum's auction. There is none here.
    timeboosted: bool,
}

/// The block with its transactions in full, or with their hashes.
pub fn block(block: &Block, full: bool) -> RpcBlock {
    let transactions = if full {
        BlockTransactions::Full(
            (0..block.transactions.len())
                .map(|index| transaction(block, index))
                .collect(),
        )
    } else {
        BlockTransactions::Hashes(
            block
                .transactions
                .iter()
                .map(|mined| *mined.transaction.hash())
                .collect(),
        )
    };
    let inner = types::Block {
        header: plain_header(block),
        uncles: Vec::new(),
        transactions,
        withdrawals: None,
    };
    RpcBlock {
        inner,
        nitro: nitro(block),
    }
}

/// The block that would be mined now. What depends on the sealed block is null, as in go-ethereum.
pub fn pending_block(pending: &Block, full: bool) -> Option<Value> {
    // Our own types always serialize.
    let mut value = serde_json::to_value(block(pending, full)).ok()?;
    for field in ["hash", "nonce"] {
        value[field] = Value::Null;
    }
    for transaction in value["transactions"].as_array_mut()?.iter_mut().filter(|_| full) {
        transaction["blockHash"] = Value::Null;
    }
    Some(value)
}

/// The header alone, as `newHeads` announces it.
pub fn header(block: &Block) -> RpcHeader {
    RpcHeader {
        inner: plain_header(block),
        nitro: nitro(block),
    }
}

fn plain_header(block: &Block) -> Header {
    Header {
        hash: block.hash,
        inner: block.header.clone(),
        total_difficulty: None,
        size: Some(U256::from(block.size)),
    }
}

fn nitro(block: &Block) -> NitroHeader {
    NitroHeader {
        l1_block_number: U64::from(l1_number(block.header.timestamp)),
        send_count: U64::ZERO,
        send_root: B256::try_from(block.header.extra_data.as_ref()).unwrap_or_default(),
    }
}

/// The transaction at `index` of `block`.
///
/// # Panics
/// If there is no such transaction.
pub fn transaction(block: &Block, index: usize) -> Transaction {
    let mined = &block.transactions[index];
    Transaction {
        inner: Recovered::new_unchecked(mined.transaction.clone(), mined.sender),
        block_hash: Some(block.hash),
        block_number: Some(block.header.number),
        transaction_index: Some(index as u64),
        effective_gas_price: Some(effective_gas_price(block)),
        block_timestamp: Some(block.header.timestamp),
    }
}

/// A transaction that waits.
pub fn waiting(pooled: &Pooled) -> Transaction {
    Transaction {
        inner: Recovered::new_unchecked(pooled.transaction.clone(), pooled.sender),
        block_hash: None,
        block_number: None,
        transaction_index: None,
        effective_gas_price: Some(pooled.transaction.max_fee_per_gas()),
        block_timestamp: None,
    }
}

/// The receipt at `index` of `block`.
///
/// # Panics
/// If there is no such transaction.
pub fn receipt(block: &Block, index: usize) -> RpcReceipt {
    let mined = &block.transactions[index];
    let logs: Vec<Log> = logs(block, index, false, |_| true).collect();
    let with_logs = |receipt: &ReceiptWithBloom<Receipt>| ReceiptWithBloom {
        receipt: Receipt {
            status: receipt.receipt.status,
            cumulative_gas_used: receipt.receipt.cumulative_gas_used,
            logs: logs.clone(),
        },
        logs_bloom: receipt.logs_bloom,
    };
    let envelope = match &mined.receipt {
        ReceiptEnvelope::Legacy(receipt) => ReceiptEnvelope::Legacy(with_logs(receipt)),
        ReceiptEnvelope::Eip2930(receipt) => ReceiptEnvelope::Eip2930(with_logs(receipt)),
        ReceiptEnvelope::Eip1559(receipt) => ReceiptEnvelope::Eip1559(with_logs(receipt)),
        ReceiptEnvelope::Eip4844(receipt) => ReceiptEnvelope::Eip4844(with_logs(receipt)),
        ReceiptEnvelope::Eip7702(receipt) => ReceiptEnvelope::Eip7702(with_logs(receipt)),
    };
    let inner = types::TransactionReceipt {
        inner: envelope,
        transaction_hash: *mined.transaction.hash(),
        transaction_index: Some(index as u64),
        block_hash: Some(block.hash),
        block_number: Some(block.header.number),
        gas_used: mined.gas_used,
        effective_gas_price: effective_gas_price(block),
        blob_gas_used: None,
        blob_gas_price: None,
        from: mined.sender,
        to: mined.transaction.to(),
        contract_address: mined.contract_address(),
    };
    RpcReceipt {
        inner,
        gas_used_for_l1: U64::ZERO,
        l1_block_number: U64::from(l1_number(block.header.timestamp)),
        timeboosted: false,
    }
}

/// Those logs of the transaction at `index` of `block` that are `wanted`; `removed` if the block left the chain.
pub fn logs<'b>(
    block: &'b Block,
    index: usize,
    removed: bool,
    wanted: impl Fn(&primitives::Log) -> bool + 'b,
) -> impl Iterator<Item = Log> + 'b {
    let Mined {
        transaction,
        receipt,
        first_log,
        ..
    } = &block.transactions[index];
    receipt
        .logs()
        .iter()
        .zip(*first_log..)
        .filter(move |(log, _)| wanted(log))
        .map(move |(log, log_index)| Log {
            inner: log.clone(),
            block_hash: Some(block.hash),
            block_number: Some(block.header.number),
            block_timestamp: Some(block.header.timestamp),
            transaction_hash: Some(*transaction.hash()),
            transaction_index: Some(index as u64),
            log_index: Some(log_index),
            removed,
        })
}

/// Everybody pays the base fee: tips are ignored, as on Arbitrum.
fn effective_gas_price(block: &Block) -> u128 {
    u128::from(block.header.base_fee_per_gas.unwrap_or_default())
}
