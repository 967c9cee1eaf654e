//! `medlock-anvil exec`: run a program outside any chain and say what it did, as JSON.
//!
//! The calls run one after another on one storage, each as a transaction of its own, with
//! 10^9 gas. Entering the program is free and its initial pages count as open, so the ink is the
//! program's own.

use std::path::Path;

use anyhow::Context;
use revm::{
    context::{TxEnv, result::ExecutionResult},
    database::{CacheDB, DatabaseCommit, EmptyDB},
    primitives::{Address, B256, Bytes, TxKind, U256},
    state::{AccountInfo, Bytecode},
};
use serde::Serialize;

use crate::{
    arbos::Version,
    executor::{BlockContext, BlockHashes, Executor},
    stylus::{activate::activate, code, evm::Measure, runtime::Ending},
    trace::{Budget, Calls, Recorded, Recorder, TRACE_TIMEOUT_MAX, hostio::HostCall},
};

/// Gas of each call that `exec` makes.
pub const CALL_GAS: u64 = 1_000_000_000;
/// Gas of the transaction around it: room for what a transaction costs by itself.
const TRANSACTION_GAS: u64 = 2 * CALL_GAS;
const CALLER: Address = Address::repeat_byte(0x11);
const PROGRAM: Address = Address::repeat_byte(0x22);

/// One call to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// What the program reads with `read_args`.
    pub calldata: Bytes,
    /// Gas that the program has.
    pub gas: u64,
}

/// All that `exec` prints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// What activation found.
    pub activation: ActivationReport,
    /// What each call did; empty when the program is refused.
    pub calls: Vec<CallReport>,
}

/// What activation found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ActivationReport {
    /// Whether the program may be activated.
    pub accepted: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Costs and sizes.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub costs: Option<Costs>,
}

/// Costs and sizes of an accepted program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Costs {
    /// Gas of activation without the fixed part.
    pub activation_gas_variable: u64,
    /// Gas of starting it uncached, without the fixed part.
    pub init_cost: u64,
    /// Gas of starting it cached, without the fixed part.
    pub cached_init_cost: u64,
    /// Estimated bytes of machine code.
    pub asm_size_estimate: u64,
    /// Initial pages.
    pub footprint_pages: u16,
}

/// What a call did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CallReport {
    /// What it was called with.
    pub calldata: Bytes,
    /// `success`, `revert`, `failure`, `out-of-ink` or `out-of-stack`.
    pub status: &'static str,
    /// What it returned or reverted with.
    pub output: Bytes,
    /// Ink it used.
    pub ink: u64,
    /// Logs it left.
    pub logs: Vec<LogReport>,
    /// Host calls, where asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<Vec<TraceReport>>,
}

/// A log: its data begins with its topics.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogReport {
    /// How many topics lead the data.
    pub topics: usize,
    /// Topics and data in one.
    pub data: Bytes,
}

/// One host call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TraceReport {
    /// The hook.
    pub name: &'static str,
    /// Ink before it.
    pub start_ink: u64,
    /// Ink after it.
    pub end_ink: u64,
    /// What it was given, as Nitro's tracer lays it out.
    pub args: Bytes,
    /// What it gave.
    pub outs: Bytes,
}

/// Reads a `.wasm` or `.wat` file, activates it and runs the calls.
///
/// # Errors
/// The file cannot be read or is no WebAssembly text or binary.
pub fn exec(program: &Path, calls: &[Bytes], trace: bool) -> anyhow::Result<Report> {
    let wasm = wat::parse_file(program).with_context(|| format!("{} is no WebAssembly", program.display()))?;
    let calls: Vec<Call> = calls
        .iter()
        .map(|calldata| Call {
            calldata: calldata.clone(),
            gas: CALL_GAS,
        })
        .collect();
    run(&wasm, &calls, trace)
}

/// Activates a module and runs the calls.
///
/// # Errors
/// The executor failed; what a program does wrong is in the report.
pub fn run(wasm: &[u8], calls: &[Call], trace: bool) -> anyhow::Result<Report> {
    let estimates = match activate(wasm, Version::default().several_results()) {
        Ok(activation) => activation.estimates,
        Err(rejection) => {
            let reason = Some(rejection.to_string());
            let activation = ActivationReport {
                reason,
                ..Default::default()
            };
            return Ok(Report {
                activation,
                calls: Vec::new(),
            });
        }
    };
    let costs = Costs {
        activation_gas_variable: estimates.gas,
        init_cost: estimates.init_cost,
        cached_init_cost: estimates.cached_init_cost,
        asm_size_estimate: estimates.asm_size,
        footprint_pages: estimates.footprint,
    };
    let activation = ActivationReport {
        accepted: true,
        reason: None,
        costs: Some(costs),
    };

    let mut db = CacheDB::new(EmptyDB::default());
    let deployed = Bytecode::new_legacy(code::encode(wasm).into());
    db.insert_account_info(PROGRAM, AccountInfo::from_bytecode(deployed).with_nonce(1));
    let executor = Executor::new();
    let calls = calls
        .iter()
        .map(|wanted| call(&executor, &mut db, wanted, trace))
        .collect::<anyhow::Result<_>>()?;
    Ok(Report { activation, calls })
}

fn call(executor: &Executor, db: &mut CacheDB<EmptyDB>, wanted: &Call, trace: bool) -> anyhow::Result<CallReport> {
    let block = BlockContext {
        chain_id: 412_346,
        number: 1,
        l1_number: 1,
        timestamp: 1_700_000_000,
        basefee: 0,
        gas_limit: u64::MAX,
        coinbase: Address::ZERO,
        prevrandao: B256::ZERO,
        hashes: BlockHashes::default(),
    };
    let tx = TxEnv {
        caller: CALLER,
        kind: TxKind::Call(PROGRAM),
        data: wanted.calldata.clone(),
        value: U256::ZERO,
        gas_limit: TRANSACTION_GAS,
        chain_id: Some(block.chain_id),
        ..TxEnv::default()
    };
    let measure = Measure { gas: wanted.gas };
    let recorder = trace.then(|| Recorder::calls(Budget::new(TRACE_TIMEOUT_MAX), true));
    let (done, measured, recorded) = executor.measure(&mut *db, &block, tx, measure, recorder)?;
    db.commit(done.state);
    let measured = measured.context("the program was not entered")?;
    let (output, logs) = match done.result {
        ExecutionResult::Success { output, logs, .. } => (output.into_data(), logs),
        ExecutionResult::Revert { output, .. } => (output, Vec::new()),
        ExecutionResult::Halt { .. } => (Bytes::new(), Vec::new()),
    };
    let logs = logs
        .iter()
        .map(|log| LogReport {
            topics: log.topics().len(),
            data: log
                .topics()
                .iter()
                .flatten()
                .copied()
                .chain(log.data.data.clone())
                .collect(),
        })
        .collect();
    let status = match measured.ending {
        Ending::Return => "success",
        Ending::Revert => "revert",
        Ending::Failure => "failure",
        Ending::OutOfInk => "out-of-ink",
        Ending::OutOfStack => "out-of-stack",
    };
    let calldata = wanted.calldata.clone();
    let ink = measured.ink;
    let trace = recorded.map(|recorded| match recorded {
        Recorded::Calls(calls) => host_calls(calls),
        Recorded::Nothing | Recorded::Steps(_) => Vec::new(),
    });
    Ok(CallReport {
        calldata,
        status,
        output,
        ink,
        logs,
        trace,
    })
}

/// The host calls of the program. There is no other: what it calls is not activated.
fn host_calls(calls: Calls) -> Vec<TraceReport> {
    let program = calls.frames.into_iter().next().and_then(|frame| frame.program);
    let calls = program.map(|run| run.calls).unwrap_or_default();
    calls.into_iter().map(TraceReport::from).collect()
}

impl From<HostCall> for TraceReport {
    fn from(call: HostCall) -> Self {
        Self {
            name: call.name,
            start_ink: call.start_ink,
            end_ink: call.end_ink,
            args: call.args,
            outs: call.outs,
        }
    }
}
