//! Transactions to a stylus-sdk contract in this process: executed, applied to the state, roots computed, no network
//! and no signatures.

use std::time::Instant;

use alloy::{
    primitives::{Address, Bytes, TxKind, U256, keccak256},
    sol_types::SolCall,
};
use anyhow::{Context, ensure};
use medlock_abi::registry::IRegistry;
use medlock_anvil::{Bare, dev_accounts};
use medlock_deploy::{Artifacts, Links};

use crate::figure::{Better, Figure, Target, per_second};

/// Transactions a second on one core.
const TARGET: Target = Target::Value(20_000.0);
const TRANSACTIONS: usize = 20_000;
/// Transactions after which the state's root is computed.
const BLOCK: usize = 1_000;
const NOW: u64 = 1_750_000_000;

pub fn measure(rounds: usize, artifacts: &Artifacts) -> anyhow::Result<()> {
    let mut medlock = Vec::new();
    for _ in 0..rounds {
        let owner = dev_accounts()[0].address;
        let mut bare = Bare::new(NOW);
        let linked = artifacts.registry.link(&Links::foresee(owner, 0, owner))?;
        let registry = bare.create(owner, linked.init_code())?;
        bare.activate(owner, registry, false)?;
        let calls: Vec<Bytes> = (0..TRANSACTIONS).map(offer).collect();
        let start = Instant::now();
        for block in calls.chunks(BLOCK) {
            for call in block {
                let result = bare.send(owner, TxKind::Call(registry), call.clone(), U256::ZERO)?;
                ensure!(result.logs().len() == 1, "a transaction left no log: {result:?}");
            }
            bare.seal();
        }
        let elapsed = start.elapsed();
        verify(&bare, registry)?;
        medlock.push(per_second(TRANSACTIONS, elapsed));
    }
    Figure {
        name: "stylus-sdk transactions in process, one core: one slot, one event, committed".into(),
        unit: "transactions/s",
        better: Better::Higher,
        target: Some(TARGET),
        medlock,
        peer: None,
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

fn verify(bare: &Bare, registry: Address) -> anyhow::Result<()> {
    let call = IRegistry::pendingOwnerCall {}.abi_encode();
    let result = bare.call(Address::ZERO, registry, call)?;
    let output = result.output().context("a call answered nothing")?;
    let pending = IRegistry::pendingOwnerCall::abi_decode_returns(output).context("decode pendingOwner")?;
    ensure!(
        pending == heir(TRANSACTIONS - 1),
        "the last transaction is not in the state"
    );
    Ok(())
}
