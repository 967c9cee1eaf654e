//! Runs one transaction against a database, EVM and Stylus side by side, without committing it.
//!
//! The same entry serves committed transactions, `eth_call` and `eth_estimateGas`; [`Checks`]
//! says which of the sender's checks apply. The caller commits [`ResultAndState::state`], or
//! drops it. An [`Executor`] is cheap to clone and shares its cache of compiled programs.

use std::fmt::Display;

use revm::{
    Context, Database, ExecuteEvm, MainBuilder, MainContext,
    context::{
        BlockEnv, TxEnv,
        result::{EVMError, InvalidTransaction, ResultAndState},
    },
    primitives::{Address, B256, U256, hardfork::SpecId},
};

/// What a transaction sees of its block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockContext {
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// The number of this chain's block (what JSON-RPC shows, and `ArbSys.arbBlockNumber`).
    pub number: u64,
    /// The number that contracts see in `block.number`: on Arbitrum the parent chain's block.
    pub l1_number: u64,
    /// UNIX seconds.
    pub timestamp: u64,
    /// Wei per gas.
    pub basefee: u64,
    /// Gas limit of the block.
    pub gas_limit: u64,
    /// Receiver of the fees.
    pub coinbase: Address,
    /// `PREVRANDAO`; Arbitrum always gives 1.
    pub prevrandao: B256,
}

/// Which of the checks on the sender apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checks {
    /// The nonce must be the sender's next one.
    pub nonce: bool,
    /// The sender must be able to pay value and gas.
    pub balance: bool,
    /// The gas price must cover the base fee.
    pub basefee: bool,
    /// The gas limit must fit into the block.
    pub block_gas_limit: bool,
    /// The sender must not be a contract (EIP-3607).
    pub sender_is_eoa: bool,
}

impl Checks {
    /// Everything is checked: a transaction that shall be committed.
    pub const ALL: Self = Self {
        nonce: true,
        balance: true,
        basefee: true,
        block_gas_limit: true,
        sender_is_eoa: true,
    };
    /// Nothing is checked: `eth_call` and `eth_estimateGas`.
    pub const NONE: Self = Self {
        nonce: false,
        balance: false,
        basefee: false,
        block_gas_limit: false,
        sender_is_eoa: false,
    };
}

/// Why a transaction could not be run at all. A revert or a halt is a result, not an error.
#[derive(Debug, thiserror::Error)]
pub enum ExecError {
    /// The transaction is not valid in this block and state.
    #[error("{0}")]
    Invalid(InvalidTransaction),
    /// The state could not be read.
    #[error("state: {0}")]
    State(String),
    /// The block context is unusable, or the executor met an impossible condition.
    #[error("executor: {0}")]
    Internal(String),
}

/// Runs transactions. Clones share one cache of compiled programs.
#[derive(Clone, Debug, Default)]
pub struct Executor {}

impl Executor {
    /// A new executor with an empty cache.
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs `tx` on `db` in `block` and returns result and state changes, nothing committed.
    ///
    /// # Errors
    /// [`ExecError::Invalid`] when the transaction may not be included, [`ExecError::State`] when
    /// the database fails.
    pub fn transact<DB: Database>(
        &self,
        db: DB,
        block: &BlockContext,
        tx: TxEnv,
        checks: Checks,
    ) -> Result<ResultAndState, ExecError> {
        let mut evm = Context::mainnet()
            .with_db(db)
            .modify_cfg_chained(|cfg| {
                cfg.set_spec_and_mainnet_gas_params(SpecId::PRAGUE);
                cfg.chain_id = block.chain_id;
                cfg.disable_nonce_check = !checks.nonce;
                cfg.disable_balance_check = !checks.balance;
                cfg.disable_base_fee = !checks.basefee;
                cfg.disable_block_gas_limit = !checks.block_gas_limit;
                cfg.disable_eip3607 = !checks.sender_is_eoa;
                cfg.disable_eip3541 = true;
            })
            .with_block(block_env(block))
            .build_mainnet();
        evm.transact(tx).map_err(into_exec_error)
    }
}

fn block_env(block: &BlockContext) -> BlockEnv {
    BlockEnv {
        number: U256::from(block.l1_number),
        beneficiary: block.coinbase,
        timestamp: U256::from(block.timestamp),
        gas_limit: block.gas_limit,
        basefee: block.basefee,
        difficulty: U256::from(1),
        prevrandao: Some(block.prevrandao),
        ..BlockEnv::default()
    }
}

fn into_exec_error<E: Display>(error: EVMError<E>) -> ExecError {
    match error {
        EVMError::Transaction(error) => ExecError::Invalid(error),
        EVMError::Database(error) => ExecError::State(error.to_string()),
        other => ExecError::Internal(other.to_string()),
    }
}
