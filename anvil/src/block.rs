//! Sealed blocks: header, transactions and receipts as consensus objects, with true roots and hashes.

use alloy::consensus::proofs::{calculate_receipt_root, calculate_transaction_root};
use alloy::consensus::{
    EMPTY_OMMER_ROOT_HASH, Eip658Value, Header, Receipt, ReceiptEnvelope, ReceiptWithBloom, Transaction as _,
    TxEnvelope, TxReceipt, TxType,
};
use alloy::eips::{Decodable2718, Encodable2718};
use alloy::primitives::{Address, B256, Bloom, Bytes, Log, U256, address};
use alloy_rlp::Encodable;
use revm::context::result::ExecutionResult;

use crate::arbos::Version;
use crate::journal::{BlockEntry, TransactionEntry};

/// Wei per gas. Arbitrum One's floor is 0.01 gwei, a Nitro development chain's 0.1 gwei; ours never moves.
pub const BASE_FEE_WEI: u64 = 100_000_000;
/// The gas limit in the header: 2^50, as in Nitro's. What one transaction may use is
/// [`crate::chain::TX_GAS_MAX`].
pub const BLOCK_GAS_LIMIT: u64 = 1 << 50;
/// The sequencer's address on Arbitrum chains: the coinbase of every block.
pub const COINBASE: Address = address!("A4b000000000000000000073657175656e636572");
/// Seconds between the blocks of the imagined L1, whose number contracts see as `block.number`.
pub const L1_BLOCK_SECONDS: u64 = 12;

/// A block that is part of the chain, or was.
#[derive(Debug)]
pub struct Block {
    pub header: Header,
    pub hash: B256,
    /// Bytes of the RLP of the whole block.
    pub size: u64,
    pub transactions: Vec<Mined>,
}

/// A transaction in its block.
#[derive(Debug)]
pub struct Mined {
    pub transaction: TxEnvelope,
    pub sender: Address,
    pub receipt: ReceiptEnvelope,
    /// Gas this transaction alone used, after refunds.
    pub gas_used: u64,
    /// The index in the block of its first log.
    pub first_log: u64,
}

/// The number of the imagined L1 block at `timestamp`. A function of time alone, so that replaying gives the same.
pub fn l1_number(timestamp: u64) -> u64 {
    timestamp / L1_BLOCK_SECONDS
}

/// The transaction's receipt after `result`, when the block had used `gas_before` until then.
pub fn receipt(kind: TxType, result: ExecutionResult, gas_before: u64) -> ReceiptEnvelope {
    let success = result.is_success();
    let gas_used = gas_before + result.tx_gas_used();
    // Logs of a transaction that failed did not happen.
    let logs = if success { result.into_logs() } else { Vec::new() };
    let receipt = Receipt {
        status: Eip658Value::Eip658(success),
        cumulative_gas_used: gas_used,
        logs,
    };
    let receipt: ReceiptWithBloom<Receipt<Log>> = receipt.into();
    match kind {
        TxType::Legacy => ReceiptEnvelope::Legacy(receipt),
        TxType::Eip2930 => ReceiptEnvelope::Eip2930(receipt),
        TxType::Eip1559 => ReceiptEnvelope::Eip1559(receipt),
        TxType::Eip4844 => ReceiptEnvelope::Eip4844(receipt),
        TxType::Eip7702 => ReceiptEnvelope::Eip7702(receipt),
    }
}

/// The header of the block after `parent` (or of genesis), before roots are known.
pub fn header(number: u64, parent_hash: B256, timestamp: u64, extra: B256, arbos: Version) -> Header {
    // Nitro: the outbox's send count, the L1 block number and the ArbOS version, eight bytes each.
    let mut mix_hash = B256::ZERO;
    mix_hash[8..16].copy_from_slice(&l1_number(timestamp).to_be_bytes());
    mix_hash[16..24].copy_from_slice(&arbos.number().to_be_bytes());
    Header {
        parent_hash,
        ommers_hash: EMPTY_OMMER_ROOT_HASH,
        beneficiary: COINBASE,
        difficulty: U256::from(1),
        number,
        gas_limit: BLOCK_GAS_LIMIT,
        timestamp,
        extra_data: Bytes::copy_from_slice(extra.as_slice()),
        mix_hash,
        base_fee_per_gas: Some(BASE_FEE_WEI),
        ..Header::default()
    }
}

/// The number of the ArbOS version that a header names.
pub fn arbos_version(header: &Header) -> u64 {
    header.mix_hash[16..24]
        .iter()
        .fold(0, |number, &byte| (number << 8) | u64::from(byte))
}

impl Block {
    /// Fills in the roots, the bloom and the gas, and hashes the header.
    pub fn seal(mut header: Header, state_root: B256, transactions: Vec<Mined>) -> Self {
        let envelopes: Vec<&TxEnvelope> = transactions.iter().map(|mined| &mined.transaction).collect();
        let receipts: Vec<&ReceiptEnvelope> = transactions.iter().map(|mined| &mined.receipt).collect();
        header.state_root = state_root;
        header.transactions_root = calculate_transaction_root(&envelopes);
        header.receipts_root = calculate_receipt_root(&receipts);
        header.logs_bloom = receipts
            .iter()
            .fold(Bloom::ZERO, |all, receipt| all | *receipt.logs_bloom());
        header.gas_used = receipts.last().map_or(0, |receipt| receipt.cumulative_gas_used());
        Self::from_parts(header, transactions)
    }

    /// A block whose header is complete.
    pub fn from_parts(header: Header, transactions: Vec<Mined>) -> Self {
        let hash = header.hash_slow();
        let body: usize = transactions.iter().map(|mined| mined.transaction.length()).sum();
        // A list of header, list of transactions and empty list of uncles.
        let payload = header.length() + body + alloy_rlp::length_of_length(body) + 1;
        let size = (payload + alloy_rlp::length_of_length(payload)) as u64;
        Self {
            header,
            hash,
            size,
            transactions,
        }
    }

    /// As the journal keeps it, with the state changes that go with it.
    pub fn to_entry(&self, changes: Vec<crate::state::Change>, offset: i64) -> BlockEntry {
        let transactions = self
            .transactions
            .iter()
            .map(|mined| TransactionEntry {
                sender: mined.sender,
                transaction: mined.transaction.encoded_2718().into(),
                receipt: mined.receipt.encoded_2718().into(),
            })
            .collect();
        BlockEntry {
            header: self.header.clone(),
            transactions,
            changes,
            offset: offset as u64,
        }
    }

    /// Back from the journal. `None` if a part does not decode.
    pub fn from_entry(entry: &BlockEntry) -> Option<Self> {
        let mut transactions = Vec::with_capacity(entry.transactions.len());
        let (mut gas_before, mut first_log) = (0, 0);
        for stored in &entry.transactions {
            let receipt = ReceiptEnvelope::decode_2718(&mut stored.receipt.as_ref()).ok()?;
            let transaction = TxEnvelope::decode_2718(&mut stored.transaction.as_ref()).ok()?;
            let gas_used = receipt.cumulative_gas_used().checked_sub(gas_before)?;
            gas_before = receipt.cumulative_gas_used();
            let logs = receipt.logs().len() as u64;
            transactions.push(Mined {
                transaction,
                sender: stored.sender,
                receipt,
                gas_used,
                first_log,
            });
            first_log += logs;
        }
        Some(Self::from_parts(entry.header.clone(), transactions))
    }
}

impl Mined {
    /// The address of the contract that a creating transaction was for, whether or not it succeeded.
    pub fn contract_address(&self) -> Option<Address> {
        self.transaction
            .is_create()
            .then(|| self.sender.create(self.transaction.nonce()))
    }
}
