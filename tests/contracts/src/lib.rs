//! The contracts as the WASM that would be deployed, in this process: a hundred thousand transactions in seconds.
//!
//! Start at [`Contracts::new`]. What is executed is exact, gas included; only blocks and signatures are left out.
use std::path::{Path, PathBuf};

use alloy::{
    primitives::{Address, B256, Bytes, Log, TxKind, U256},
    sol_types::SolCall,
};
use medlock_anvil::Bare;
use medlock_deploy::{
    Artifacts, Links,
    artifacts::{NAMES, created},
};
use revm::context::result::ExecutionResult;

/// The repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Who deploys, and owns the registry.
pub const OWNER: Address = Address::repeat_byte(0x0e);

/// The contracts on a bare chain, linked and activated.
pub struct Contracts {
    pub bare: Bare,
    pub registry: Address,
    pub records: Address,
    pub exceptions: Address,
    pub relay: Address,
    pub audit: Address,
    pub claims: Address,
    pub supply: Address,
    pub trials: Address,
}

/// What creates the contracts, in the order in which they are deployed.
pub type InitCodes = [Bytes; NAMES.len()];

/// The contracts as [`OWNER`]'s first transactions create them.
pub fn link(artifacts: &Artifacts) -> anyhow::Result<InitCodes> {
    let links = Links::foresee(OWNER, 0, OWNER);
    let init_codes: anyhow::Result<Vec<Bytes>> = artifacts
        .iter()
        .map(|artifact| Ok(artifact.link(&links)?.init_code().into()))
        .collect();
    Ok(init_codes?.try_into().expect("an artifact for each name"))
}

/// What a transaction did.
#[derive(Debug)]
pub struct Done {
    /// Of the whole transaction, intrinsic gas included, refunds taken off.
    pub gas: u64,
    pub logs: Vec<Log>,
    /// The data returned, or those of the revert.
    pub output: Result<Bytes, Bytes>,
}

impl Contracts {
    /// `cached`: the programs are in the chain's cache, as those of a contract in daily use are.
    pub fn new(artifacts: &Artifacts, timestamp: u64, cached: bool) -> anyhow::Result<Self> {
        Self::create(&link(artifacts)?, timestamp, cached)
    }

    /// [`Self::new`] of what [`link`] gave, which takes most of the time and is the same each time.
    pub fn create(init_codes: &InitCodes, timestamp: u64, cached: bool) -> anyhow::Result<Self> {
        let mut bare = Bare::new(timestamp);
        // The first that are created on this chain.
        let at = created(OWNER, 0);
        for (init_code, foreseen) in init_codes.iter().zip(at) {
            let found = bare.create(OWNER, init_code.clone())?;
            anyhow::ensure!(
                found == foreseen,
                "a contract stands at {found}, not at {foreseen}, which its neighbours know"
            );
        }
        for address in at {
            bare.activate(OWNER, address, cached)?;
        }
        let [registry, records, exceptions, relay, audit, claims, supply, trials] = at;
        Ok(Self {
            bare,
            registry,
            records,
            exceptions,
            relay,
            audit,
            claims,
            supply,
            trials,
        })
    }

    /// Sends a transaction; a trap (a revert without data, or all gas gone) is a bug of the contract, and a panic here.
    pub fn send(&mut self, from: Address, to: Address, call: impl SolCall) -> Done {
        self.send_raw(from, to, call.abi_encode())
    }

    /// [`Self::send`] of bytes.
    pub fn send_raw(&mut self, from: Address, to: Address, data: impl Into<Bytes>) -> Done {
        let result = self.bare.send(from, TxKind::Call(to), data, U256::ZERO);
        done(result.expect("the transaction is well formed"))
    }

    /// [`Self::send`] of what must succeed.
    #[track_caller]
    pub fn must<C: SolCall>(&mut self, from: Address, to: Address, call: C) -> Done {
        let done = self.send(from, to, call);
        if let Err(revert) = &done.output {
            panic!("{} reverted: {revert}", C::SIGNATURE);
        }
        done
    }

    /// Calls without leaving anything behind.
    pub fn call(&self, from: Address, to: Address, call: impl SolCall) -> Done {
        self.call_raw(from, to, call.abi_encode())
    }

    /// [`Self::call`] of bytes.
    pub fn call_raw(&self, from: Address, to: Address, data: impl Into<Bytes>) -> Done {
        let result = self.bare.call(from, to, data);
        done(result.expect("the call is well formed"))
    }

    /// Asks a view that must answer.
    #[track_caller]
    pub fn ask<C: SolCall>(&self, to: Address, call: C) -> C::Return {
        let done = self.call(OWNER, to, call);
        let output = done
            .output
            .unwrap_or_else(|revert| panic!("{} reverted: {revert}", C::SIGNATURE));
        C::abi_decode_returns_validate(&output).expect("the answer is in the ABI")
    }

    pub fn storage(&self, contract: Address, slot: B256) -> B256 {
        self.bare.storage(contract, slot.into()).into()
    }
}

fn done(result: ExecutionResult) -> Done {
    let gas = result.tx_gas_used();
    match result {
        ExecutionResult::Success { logs, output, .. } => Done {
            gas,
            logs,
            output: Ok(output.into_data()),
        },
        ExecutionResult::Revert { output, .. } => {
            assert!(!output.is_empty(), "a contract trapped, or reverted without saying why");
            Done {
                gas,
                logs: Vec::new(),
                output: Err(output),
            }
        }
        halted => panic!("a contract used up its gas: {halted:?}"),
    }
}
