//! Runs one transaction against a database, EVM and Stylus side by side, without committing it.
//!
//! The same entry serves committed transactions, `eth_call` and `eth_estimateGas`; [`Checks`]
//! says which of the sender's checks apply. The caller commits [`ResultAndState::state`], or
//! drops it. An [`Executor`] is cheap to clone and shares its cache of compiled programs.

use std::{fmt::Display, sync::Arc};

use revm::{
    Database,
    context::{
        BlockEnv, ContextSetters, ContextTr, JournalTr, TxEnv,
        result::{EVMError, InvalidTransaction, ResultAndState},
    },
    context_interface::cfg::gas::calculate_initial_tx_gas_for_tx,
    database::EmptyDB,
    handler::{EvmTr, Handler, MainnetHandler, PrecompileProvider},
    primitives::{Address, AddressSet, B256, Bytes, U256, hardfork::SpecId},
};

use crate::{
    arbos::{ArbPrecompiles, Rules, genesis},
    stylus::{
        evm::{Ctx, Measure, Measured, StylusEvm},
        runtime::Runtime,
    },
    trace::{Recorded, Recorder, TraceError},
};

/// The EVM that ArbOS 50 and later run.
const SPEC: SpecId = SpecId::OSAKA;

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
    /// Hashes of this chain's blocks before it, for `ArbSys.arbBlockHash`.
    pub hashes: BlockHashes,
}

/// The hashes of consecutive blocks. Cloning is cheap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockHashes {
    first: u64,
    hashes: Arc<[B256]>,
}

impl BlockHashes {
    /// The hashes of the blocks from number `first` on.
    pub fn new(first: u64, hashes: impl IntoIterator<Item = B256>) -> Self {
        let hashes = hashes.into_iter().collect();
        Self { first, hashes }
    }

    /// The hash of a block, where it is known.
    pub fn get(&self, number: u64) -> Option<B256> {
        let at = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.hashes.get(at).copied()
    }
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
    /// The trace became too large or took too long.
    #[error("{0}")]
    Trace(TraceError),
    /// The block context is unusable, or the executor met an impossible condition.
    #[error("executor: {0}")]
    Internal(String),
}

/// Runs transactions. Clones share one cache of compiled programs.
#[derive(Clone, Debug, Default)]
pub struct Executor {
    runtime: Arc<Runtime>,
    rules: Rules,
}

impl Executor {
    /// A new executor with an empty cache, by the default version of ArbOS.
    pub fn new() -> Self {
        Self::default()
    }

    /// A new executor with an empty cache.
    pub fn with_rules(rules: Rules) -> Self {
        Self {
            rules,
            ..Self::default()
        }
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
        self.run(db, block, tx, checks, Watch::default())
            .map(|(result, _)| result)
    }

    /// Runs `tx` like [`Executor::transact`], to the same result, and records what it does.
    ///
    /// # Errors
    /// As [`Executor::transact`]; [`ExecError::Trace`] when the recorder's budget is exceeded.
    pub fn trace<DB: Database>(
        &self,
        db: DB,
        block: &BlockContext,
        tx: TxEnv,
        checks: Checks,
        recorder: Recorder,
    ) -> Result<(ResultAndState, Recorded), ExecError> {
        let watch = Watch {
            recorder: Some(Box::new(recorder)),
            ..Watch::default()
        };
        let (result, seen) = self.run(db, block, tx, checks, watch)?;
        let recorder = seen
            .recorder
            .ok_or(ExecError::Internal("the recorder is gone".into()))?;
        Ok((result, recorder.finish()))
    }

    /// Runs `tx` with the outermost program measured instead of charged: entering it is free and
    /// needs no activation, and its exact ink is reported. With a recorder, also what it did.
    ///
    /// # Errors
    /// As [`Executor::trace`].
    pub fn measure<DB: Database>(
        &self,
        db: DB,
        block: &BlockContext,
        tx: TxEnv,
        measure: Measure,
        recorder: Option<Recorder>,
    ) -> Result<(ResultAndState, Option<Measured>, Option<Recorded>), ExecError> {
        let watch = Watch {
            measure: Some(measure),
            recorder: recorder.map(Box::new),
        };
        let (result, seen) = self.run(db, block, tx, Checks::NONE, watch)?;
        Ok((result, seen.measured, seen.recorder.map(|recorder| recorder.finish())))
    }

    fn run<DB: Database>(
        &self,
        db: DB,
        block: &BlockContext,
        tx: TxEnv,
        checks: Checks,
        watch: Watch,
    ) -> Result<(ResultAndState, Seen), ExecError> {
        let mut ctx = Ctx::<DB>::new(db, SPEC)
            .modify_cfg_chained(|cfg| {
                cfg.chain_id = block.chain_id;
                cfg.disable_nonce_check = !checks.nonce;
                cfg.disable_balance_check = !checks.balance;
                cfg.disable_base_fee = !checks.basefee;
                cfg.disable_block_gas_limit = !checks.block_gas_limit;
                cfg.disable_eip3607 = !checks.sender_is_eoa;
                // Programs begin with 0xEF; the machine itself refuses every other such code.
                cfg.disable_eip3541 = true;
                cfg.disable_eip7623 = !self.rules.calldata_floor;
                // ArbOS has a limit of its own on the gas of a transaction (EIP-7825), which the caller sees to.
                cfg.tx_gas_limit_cap = Some(u64::MAX);
            })
            .modify_chain_chained(|chain| {
                chain.number = block.number;
                chain.hashes = block.hashes.clone();
                chain.rules = self.rules.clone();
            })
            .with_block(block_env(block));
        ctx.set_tx(tx);
        let mut evm = StylusEvm::new(ctx, self.runtime.clone(), watch.measure, watch.recorder);
        let mut handler = MainnetHandler::<_, EVMError<DB::Error>, _>::default();
        let outcome = handler.run(&mut evm);
        let seen = Seen {
            measured: evm.take_measured(),
            recorder: evm.take_recorder(),
        };
        if let Some(exceeded) = seen.recorder.as_ref().and_then(|recorder| recorder.exceeded()) {
            return Err(ExecError::Trace(exceeded));
        }
        let result = outcome.map_err(into_exec_error)?;
        let state = evm.ctx().journal_mut().finalize();
        Ok((ResultAndState::new(result, state), seen))
    }
}

/// The addresses of all precompiles, Ethereum's and Arbitrum's.
pub fn precompiles() -> AddressSet {
    let precompiles = ArbPrecompiles::new(SPEC);
    PrecompileProvider::<Ctx<EmptyDB>>::warm_addresses(&precompiles).clone()
}

/// What is watched of an execution.
#[derive(Default)]
struct Watch {
    measure: Option<Measure>,
    recorder: Option<Box<Recorder>>,
}

/// What was seen of it.
struct Seen {
    measured: Option<Measured>,
    recorder: Option<Box<Recorder>>,
}

/// The gas that `tx` uses before its first instruction (EIP-2028, EIP-2930, EIP-3860, EIP-7702).
pub fn intrinsic_gas(tx: &TxEnv) -> u64 {
    calculate_initial_tx_gas_for_tx(tx, SPEC, None).initial_regular_gas
}

/// Code that accounts must hold from genesis on.
pub fn genesis_code() -> impl Iterator<Item = (Address, Bytes)> {
    genesis::code()
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
