//! Transactions to a stylus-sdk contract in this process: executed, applied to the state, roots computed, no network
//! and no signatures.

use std::time::Instant;

use alloy::primitives::{Address, Bytes, TxKind, U256, keccak256};
use alloy::sol_types::SolCall;
use anyhow::{Context, ensure};
use medlock_abi::registry::IRegistry;
use medlock_anvil::arbos::ARB_WASM;
use medlock_anvil::executor::{BlockContext, BlockHashes, Checks, Executor, genesis_code};
use medlock_anvil::state::{Change, State};
use medlock_anvil::{CHAIN_ID, dev_accounts};
use medlock_deploy::Artifacts;
use revm::context::TxEnv;
use revm::context::result::ExecutionResult;

use super::per_second;
use crate::figure::{Better, Figure, Target};

/// Transactions a second on one core.
const TARGET: Target = Target::Value(20_000.0);
const TRANSACTIONS: usize = 20_000;
/// Transactions after which the state's root is computed.
const BLOCK: usize = 1_000;
const GAS: u64 = 20_000_000;
const BASE_FEE_WEI: u64 = 100_000_000;
const WEALTH: U256 = U256::from_limbs([0, 1_000_000, 0, 0]);

alloy::sol! {
    function activateProgram(address program) external payable returns (uint16 version, uint256 dataFee);
}

pub fn measure(rounds: usize, artifacts: &Artifacts) -> anyhow::Result<()> {
    let mut medlock = Vec::new();
    for _ in 0..rounds {
        let mut world = World::new();
        let registry = world.deploy(artifacts)?;
        let calls: Vec<Bytes> = (0..TRANSACTIONS).map(offer).collect();
        let start = Instant::now();
        for block in calls.chunks(BLOCK) {
            for call in block {
                let result = world.send(TxKind::Call(registry), call.clone(), U256::ZERO)?;
                ensure!(result.logs().len() == 1, "a transaction left no log: {result:?}");
            }
            world.seal();
        }
        let elapsed = start.elapsed();
        world.verify(registry)?;
        medlock.push(per_second(TRANSACTIONS, elapsed));
    }
    Figure {
        name: "stylus-sdk transactions in process, one core: one slot, one event, committed".into(),
        unit: "transactions/s",
        better: Better::Higher,
        target: Some(TARGET),
        medlock,
        foundry: Vec::new(),
    }
    .print()
}

fn heir(index: usize) -> Address {
    Address::from_word(keccak256(index.to_be_bytes()))
}

/// Writes one slot and emits one event.
fn offer(index: usize) -> Bytes {
    let call = IRegistry::transferOwnershipCall { pending: heir(index) };
    call.abi_encode().into()
}

struct World {
    executor: Executor,
    state: State,
    block: BlockContext,
    sender: Address,
    nonce: u64,
}

impl World {
    fn new() -> Self {
        let sender = dev_accounts()[0].address;
        let mut state = State::default();
        let mut genesis = vec![Change {
            balance: WEALTH,
            ..state.unchanged(sender)
        }];
        genesis.extend(genesis_code().map(|(address, code)| Change {
            code: vec![code],
            ..state.unchanged(address)
        }));
        state.apply(&genesis);
        Self {
            executor: Executor::new(),
            state,
            block: BlockContext {
                chain_id: CHAIN_ID,
                number: 1,
                l1_number: 1,
                timestamp: 1_750_000_000,
                basefee: BASE_FEE_WEI,
                gas_limit: 1 << 50,
                coinbase: Address::ZERO,
                prevrandao: U256::ONE.into(),
                hashes: BlockHashes::default(),
            },
            sender,
            nonce: 0,
        }
    }

    fn deploy(&mut self, artifacts: &Artifacts) -> anyhow::Result<Address> {
        let registry = self.sender.create(self.nonce);
        self.send(TxKind::Create, artifacts.registry.init_code().into(), U256::ZERO)?;
        let activate = activateProgramCall { program: registry }.abi_encode();
        let fee = U256::from(1_000_000_000_000_000_000u64);
        self.send(TxKind::Call(ARB_WASM), activate.into(), fee)?;
        let initialize = IRegistry::initializeCall {
            owner: self.sender,
            relay: self.sender,
        }
        .abi_encode();
        self.send(TxKind::Call(registry), initialize.into(), U256::ZERO)?;
        Ok(registry)
    }

    /// Executes a transaction with all checks and applies what it did.
    fn send(&mut self, kind: TxKind, data: Bytes, value: U256) -> anyhow::Result<ExecutionResult> {
        let transaction = TxEnv {
            tx_type: 2,
            caller: self.sender,
            gas_limit: GAS,
            gas_price: u128::from(BASE_FEE_WEI),
            gas_priority_fee: Some(0),
            kind,
            data,
            value,
            nonce: self.nonce,
            chain_id: Some(CHAIN_ID),
            ..TxEnv::default()
        };
        let outcome = self
            .executor
            .transact(self.state.clone(), &self.block, transaction, Checks::ALL)
            .context("execute a transaction")?;
        ensure!(
            outcome.result.is_success(),
            "a transaction failed: {:?}",
            outcome.result
        );
        let changes = self.state.changes(outcome.state);
        self.state.apply(&changes);
        self.nonce += 1;
        Ok(outcome.result)
    }

    fn seal(&mut self) {
        self.state.root();
        self.block.number += 1;
    }

    fn verify(&mut self, registry: Address) -> anyhow::Result<()> {
        let call = IRegistry::pendingOwnerCall {}.abi_encode();
        let result = self.send(TxKind::Call(registry), call.into(), U256::ZERO)?;
        let output = result.output().context("a call answered nothing")?;
        let pending = IRegistry::pendingOwnerCall::abi_decode_returns(output).context("decode pendingOwner")?;
        ensure!(
            pending == heir(TRANSACTIONS - 1),
            "the last transaction is not in the state"
        );
        Ok(())
    }
}
