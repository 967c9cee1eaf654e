//! Why a transaction or a request is refused, in the words that clients parse.
//!
//! The texts follow go-ethereum, because ethers, viem, alloy and cast look for them ("nonce too low", "insufficient
//! funds for gas * price + value", "intrinsic gas too low", ...).

use std::time::Duration;

use alloy::primitives::{Address, U256};
use revm::context::result::InvalidTransaction;

use crate::dump::DumpError;
use crate::executor::ExecError;
use crate::journal::JournalError;

/// Why a transaction is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum TxError {
    #[error("rlp: {0}")]
    Decode(String),
    #[error("oversized data: transaction size {bytes}, limit {limit}")]
    Oversized { bytes: usize, limit: usize },
    #[error("transaction type not supported")]
    UnsupportedType,
    #[error("invalid sender: {0}")]
    InvalidSignature(String),
    #[error("invalid chain id for signer: have {have} want {want}")]
    ChainId { have: u64, want: u64 },
    #[error("nonce too low: address {address}, tx: {tx} state: {state}")]
    NonceTooLow { address: Address, tx: u64, state: u64 },
    #[error("nonce too high: address {address}, tx: {tx} state: {state}, at most {limit} may wait")]
    NonceTooHigh {
        address: Address,
        tx: u64,
        state: u64,
        limit: u64,
    },
    /// EIP-2681.
    #[error("nonce has max value: address {address}, nonce: {}", u64::MAX)]
    NonceMax { address: Address },
    #[error("insufficient funds for gas * price + value: address {address} have {have} want {want}")]
    InsufficientFunds { address: Address, have: U256, want: U256 },
    #[error("intrinsic gas too low: gas {gas}, minimum needed {needed}")]
    IntrinsicGas { gas: u64, needed: u64 },
    #[error("insufficient gas for floor data gas cost: gas {gas}, minimum needed {needed}")]
    FloorGas { gas: u64, needed: u64 },
    #[error("exceeds block gas limit: transaction gas limit {gas}, at most {cap}")]
    GasLimit { gas: u64, cap: u64 },
    #[error("max fee per gas less than block base fee: address {address}, maxFeePerGas: {fee}, baseFee: {base_fee}")]
    FeeTooLow { address: Address, fee: u128, base_fee: u64 },
    #[error(
        "max priority fee per gas higher than max fee per gas: address {address}, maxPriorityFeePerGas: {tip}, maxFeePerGas: {fee}"
    )]
    TipAboveFee { address: Address, tip: u128, fee: u128 },
    #[error("max initcode size exceeded")]
    InitCodeSize,
    #[error("sender not an eoa: address {0}")]
    SenderHasCode(Address),
    #[error("already known")]
    AlreadyKnown,
    #[error("replacement transaction underpriced")]
    Underpriced,
    #[error("txpool is full: {limit} transactions wait")]
    PoolFull { limit: usize },
    #[error("{0}")]
    Invalid(String),
    #[error("unknown account {0}: it is neither a development account nor impersonated")]
    UnknownAccount(Address),
    #[error("internal error: {0}")]
    Internal(String),
    #[error(transparent)]
    Chain(#[from] ChainError),
}

/// Why the chain cannot do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error("the chain is shutting down")]
    Closed,
    #[error("timestamp {asked} is before the latest block's {latest}")]
    TimestampBeforeHead { asked: u64, latest: u64 },
    #[error("cannot go back {depth} blocks: the chain has {height}, and states of the latest {kept} are kept")]
    Depth { depth: u64, height: u64, kept: u64 },
    #[error("block {index} of the reorg: with depth {depth} it has blocks 0 to {}", depth.saturating_sub(1))]
    Offset { index: u64, depth: u64 },
    #[error("an interval between blocks is {least:?} to {most:?}, or 0")]
    Interval { least: Duration, most: Duration },
    #[error("at most {limit} {what}")]
    Limit { limit: u64, what: &'static str },
    #[error(transparent)]
    Dump(#[from] DumpError),
}

impl TxError {
    /// The executor's refusal of a transaction by `address`, in go-ethereum's words.
    pub fn from_exec(error: ExecError, address: Address) -> Self {
        let invalid = match error {
            ExecError::Invalid(invalid) => invalid,
            other => return Self::Internal(other.to_string()),
        };
        match invalid {
            InvalidTransaction::NonceTooLow { tx, state } => Self::NonceTooLow { address, tx, state },
            InvalidTransaction::NonceTooHigh { tx, state } => Self::NonceTooHigh {
                address,
                tx,
                state,
                limit: 0,
            },
            InvalidTransaction::LackOfFundForMaxFee { fee, balance } => Self::InsufficientFunds {
                address,
                have: *balance,
                want: *fee,
            },
            InvalidTransaction::CallGasCostMoreThanGasLimit { initial_gas, gas_limit } => Self::IntrinsicGas {
                gas: gas_limit,
                needed: initial_gas,
            },
            InvalidTransaction::GasFloorMoreThanGasLimit { gas_floor, gas_limit } => Self::FloorGas {
                gas: gas_limit,
                needed: gas_floor,
            },
            InvalidTransaction::TxGasLimitGreaterThanCap { gas_limit, cap } => Self::GasLimit { gas: gas_limit, cap },
            InvalidTransaction::CreateInitCodeSizeLimit => Self::InitCodeSize,
            InvalidTransaction::RejectCallerWithCode => Self::SenderHasCode(address),
            other => Self::Invalid(other.to_string()),
        }
    }
}
