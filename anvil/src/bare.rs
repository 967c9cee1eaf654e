//! Transactions executed in this process, without blocks, signatures or a network: for tests and benchmarks of
//! contracts that need a hundred thousand of them.
//!
//! Execution, gas and activation are those of the chain. It must never be taken for a chain: there is one state, the
//! time is what the caller says, and nothing is hashed but by [`Bare::seal`].

use alloy::{primitives::map::HashMap, sol_types::SolCall};
use anyhow::{Context, bail, ensure};
use revm::{
    context::{TxEnv, result::ExecutionResult},
    primitives::{Address, B256, Bytes, TxKind, U256},
};

use crate::{
    CHAIN_ID,
    arbos::{ARB_WASM, CHAIN_OWNER},
    executor::{BlockContext, BlockHashes, Checks, Executor, genesis_code},
    state::{Change, State},
    trace::{Budget, Calls, Recorded, Recorder, TRACE_TIMEOUT_MAX},
};

/// What one transaction may use: Arbitrum's own limit.
const GAS: u64 = 32_000_000;
const BASE_FEE_WEI: u64 = 10_000_000;
const WEALTH: U256 = U256::from_limbs([0, 1_000_000, 0, 0]);
/// What an activation offers; only the fee is taken.
const ACTIVATION_FEE_MOST: U256 = U256::from_limbs([1_000_000_000_000_000_000, 0, 0, 0]);

alloy::sol! {
    function activateProgram(address program) external payable returns (uint16 version, uint256 dataFee);
    function cacheProgram(address program) external;
}

/// One state, and the transactions that change it.
pub struct Bare {
    executor: Executor,
    state: State,
    block: BlockContext,
    nonces: HashMap<Address, u64>,
}

impl Bare {
    /// The chain's genesis at `timestamp` (UNIX seconds). Whoever sends has all the money they need.
    pub fn new(timestamp: u64) -> Self {
        let mut state = State::default();
        let genesis: Vec<_> = genesis_code()
            .map(|(address, code)| Change {
                code: vec![code],
                ..state.unchanged(address)
            })
            .collect();
        state.apply(&genesis);
        Self {
            executor: Executor::new(),
            state,
            block: BlockContext {
                chain_id: CHAIN_ID,
                number: 1,
                l1_number: 1,
                timestamp,
                basefee: BASE_FEE_WEI,
                gas_limit: 1 << 50,
                coinbase: Address::ZERO,
                prevrandao: U256::ONE.into(),
                hashes: BlockHashes::default(),
            },
            nonces: HashMap::default(),
        }
    }

    /// UNIX seconds.
    pub fn timestamp(&self) -> u64 {
        self.block.timestamp
    }

    /// What the contracts see from now on; time may also stand still.
    pub fn set_timestamp(&mut self, timestamp: u64) {
        self.block.timestamp = timestamp;
    }

    /// Executes a transaction and keeps what it did, a revert's fee and nonce included.
    ///
    /// # Errors
    /// It could not be executed at all.
    pub fn send(
        &mut self,
        from: Address,
        to: TxKind,
        data: impl Into<Bytes>,
        value: U256,
    ) -> anyhow::Result<ExecutionResult> {
        let nonce = self.nonces.get(&from).copied().unwrap_or_default();
        if nonce == 0 {
            let rich = Change {
                balance: WEALTH,
                ..self.state.unchanged(from)
            };
            self.state.apply(&[rich]);
        }
        let transaction = self.transaction(from, to, data.into(), value, nonce);
        let outcome = self
            .executor
            .transact(self.state.clone(), &self.block, transaction, Checks::ALL)
            .context("execute a transaction")?;
        let changes = self.state.changes(outcome.state);
        self.state.apply(&changes);
        self.nonces.insert(from, nonce + 1);
        Ok(outcome.result)
    }

    /// Executes a transaction and forgets what it did.
    ///
    /// # Errors
    /// It could not be executed at all.
    pub fn call(&self, from: Address, to: Address, data: impl Into<Bytes>) -> anyhow::Result<ExecutionResult> {
        let transaction = self.transaction(from, TxKind::Call(to), data.into(), U256::ZERO, 0);
        let outcome = self
            .executor
            .transact(self.state.clone(), &self.block, transaction, Checks::NONE)
            .context("execute a call")?;
        Ok(outcome.result)
    }

    /// [`Bare::call`], recording the frames and what each program asked of its host.
    ///
    /// # Errors
    /// It could not be executed at all, or does too much to be recorded.
    pub fn trace(&self, from: Address, to: Address, data: impl Into<Bytes>) -> anyhow::Result<Calls> {
        let transaction = self.transaction(from, TxKind::Call(to), data.into(), U256::ZERO, 0);
        let recorder = Recorder::calls(Budget::new(TRACE_TIMEOUT_MAX), true);
        let state = self.state.clone();
        let (_, recorded) = self
            .executor
            .trace(state, &self.block, transaction, Checks::NONE, recorder)
            .context("trace a call")?;
        match recorded {
            Recorded::Calls(calls) => Ok(calls),
            Recorded::Nothing | Recorded::Steps(_) => bail!("something else than calls was recorded"),
        }
    }

    /// Creates a contract from its creation code.
    ///
    /// # Errors
    /// The creation failed.
    pub fn create(&mut self, from: Address, init_code: impl Into<Bytes>) -> anyhow::Result<Address> {
        match self.send(from, TxKind::Create, init_code, U256::ZERO)? {
            ExecutionResult::Success { output, .. } => output.address().copied().context("nothing was created"),
            other => bail!("the creation failed: {other:?}"),
        }
    }

    /// Activates a Stylus program, and keeps it in the cache of programs where `cached` says so.
    ///
    /// # Errors
    /// The chain refuses it.
    pub fn activate(&mut self, from: Address, program: Address, cached: bool) -> anyhow::Result<()> {
        let activate = activateProgramCall { program }.abi_encode();
        let result = self.send(from, TxKind::Call(ARB_WASM), activate, ACTIVATION_FEE_MOST)?;
        ensure!(result.is_success(), "the activation failed: {result:?}");
        if cached {
            let cache = cacheProgramCall { program }.abi_encode();
            let result = self.send(
                CHAIN_OWNER,
                TxKind::Call(crate::arbos::ARB_WASM_CACHE),
                cache,
                U256::ZERO,
            )?;
            ensure!(result.is_success(), "the program is not cached: {result:?}");
        }
        Ok(())
    }

    /// Ends the block as a chain does: the state's root, and the next number.
    pub fn seal(&mut self) -> B256 {
        self.block.number += 1;
        self.state.root()
    }

    /// One word of a contract's storage.
    pub fn storage(&self, contract: Address, slot: U256) -> U256 {
        self.state.storage(contract, slot)
    }

    /// Every word of a contract's storage that is not zero, by the keccak256 of its slot.
    pub fn storage_entries(&self, contract: Address) -> impl Iterator<Item = (B256, U256)> + '_ {
        let entries = self.state.account(contract).map(|account| account.storage.entries());
        entries.into_iter().flatten().map(|(key, value)| (*key, *value))
    }

    fn transaction(&self, caller: Address, kind: TxKind, data: Bytes, value: U256, nonce: u64) -> TxEnv {
        TxEnv {
            tx_type: 2,
            caller,
            gas_limit: GAS,
            gas_price: u128::from(BASE_FEE_WEI),
            gas_priority_fee: Some(0),
            kind,
            data,
            value,
            nonce,
            chain_id: Some(CHAIN_ID),
            ..TxEnv::default()
        }
    }
}
