//! `debug_trace..` and `eth_createAccessList`: what a transaction did or would do.
//!
//! A mined transaction is executed again on its parent block's state, after those before it in its block, in the same
//! context. What comes out is compared with the receipt before anything is shown: a trace of another execution than
//! the one that happened is worse than none.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use alloy::eips::BlockId;
use alloy::primitives::{Address, B256, TxKind, U256, b256, keccak256};
use alloy::rpc::types::state::StateOverride;
use alloy::rpc::types::{AccessList, AccessListItem, AccessListResult, TransactionRequest};
use alloy_rpc_types_trace::geth::{
    GethDebugTracingCallOptions, GethDebugTracingOptions, GethDefaultTracingOptions, NoopFrame,
};
use revm::context::TxEnv;
use revm::context::result::{ExecutionResult, ResultAndState};
use revm::primitives::AddressSet;
use revm::state::EvmState;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::methods::{block_by_hash, block_by_tag, override_block, view};
use super::{Answer, Params, RpcError, answer};
use crate::block::{Block, Mined};
use crate::call::{self, CALL_GAS_MAX};
use crate::chain::{Chain, tx_env};
use crate::executor::{BlockContext, Checks, ExecError, precompiles};
use crate::state::State;
use crate::trace::call::{call_trace, four_byte_trace};
use crate::trace::prestate::prestate;
use crate::trace::stylus::stylus_trace;
use crate::trace::{Budget, Recorded, Recorder, TRACE_TIMEOUT, TraceError, failure_text};

/// Rounds that one `eth_createAccessList` may take. Each but the last adds an account or slot; contracts that look
/// elsewhere whenever their gas changes need more than two or three.
const ACCESS_LIST_ROUNDS_MAX: usize = 32;

/// The script that `cargo stylus trace` sends unless told to use the native tracer, as the Keccak-256 of its text
/// without whitespace. It computes what `stylusTracer` gives; other scripts would need a JavaScript engine.
const CARGO_STYLUS_SCRIPT: B256 = b256!("f8508724b38d6317ccf19127fd8e847c4c0dfc448d57c65cb20c9b6174c37c50");

/// A tracer with its options.
enum Tracer {
    Call(alloy_rpc_types_trace::geth::CallConfig),
    PreState(alloy_rpc_types_trace::geth::PreStateConfig),
    FourByte,
    Stylus,
    Noop,
    /// Not asked for: executes what comes before. It is within the gas of one block.
    Skip,
    Steps(GethDefaultTracingOptions),
}

/// A transaction that is traced, with what its block says of it.
struct Subject<'c> {
    context: &'c BlockContext,
    tx: TxEnv,
    checks: Checks,
    /// The block's log index of its first log.
    first_log: u64,
}

/// One transaction's part of a block's trace.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BlockPart {
    tx_hash: B256,
    result: Box<RawValue>,
}

/// A block that is executed again, transaction by transaction.
struct Replay<'c> {
    chain: &'c Chain,
    block: Arc<Block>,
    context: BlockContext,
    /// The state before the next transaction.
    state: State,
    next: usize,
}

/// `debug_traceTransaction(hash, options)`.
pub fn trace_transaction(chain: &Chain, params: &Params<'_>) -> Answer {
    let hash: B256 = params.get(0)?;
    let options: GethDebugTracingOptions = params.optional(1)?.unwrap_or_default();
    let (tracer, budget) = tracer(options)?;
    let found = chain
        .ledger()
        .transaction(&hash)
        .map(|(block, index)| (block.clone(), index));
    let (block, index) = found.ok_or_else(|| RpcError::server("transaction not found"))?;
    let mut replay = Replay::new(chain, block)?;
    replay.skip_to(index)?;
    Ok(replay.trace_next(&tracer, &budget)?.1)
}

/// `debug_traceBlockByNumber(number, options)`.
pub fn trace_block_by_number(chain: &Chain, params: &Params<'_>) -> Answer {
    let block = block_by_tag(chain, params.get(0)?);
    trace_block(chain, block, params)
}

/// `debug_traceBlockByHash(hash, options)`.
pub fn trace_block_by_hash(chain: &Chain, params: &Params<'_>) -> Answer {
    let block = block_by_hash(chain, params.get(0)?);
    trace_block(chain, block, params)
}

fn trace_block(chain: &Chain, block: Option<Arc<Block>>, params: &Params<'_>) -> Answer {
    let options: GethDebugTracingOptions = params.optional(1)?.unwrap_or_default();
    let (tracer, budget) = tracer(options)?;
    let block = block.ok_or_else(|| RpcError::server("block not found"))?;
    let count = block.transactions.len();
    let mut replay = Replay::new(chain, block)?;
    let mut parts = Vec::with_capacity(count);
    for _ in 0..count {
        let (tx_hash, result) = replay.trace_next(&tracer, &budget)?;
        parts.push(BlockPart { tx_hash, result });
    }
    answer(&parts)
}

/// `debug_traceCall(request, block, options)`.
pub fn trace_call(chain: &Chain, params: &Params<'_>) -> Answer {
    let request: TransactionRequest = params.get(0)?;
    let id: BlockId = params.optional(1)?.unwrap_or(BlockId::latest());
    let options: GethDebugTracingCallOptions = params.optional(2)?.unwrap_or_default();
    let (tracer, budget) = tracer(options.tracing_options)?;
    let mut view = view(chain, Some(id))?;
    if let Some(index) = options.tx_index {
        let mut replay = Replay::new(chain, view.block.clone())?;
        replay.skip_to(usize::try_from(index).unwrap_or(usize::MAX))?;
        view.state = replay.state;
    }
    if let Some(overrides) = options.state_overrides {
        view.state = call::overridden(&view.state, overrides)?;
    }
    if let Some(overrides) = options.block_overrides {
        override_block(&mut view.context, overrides)?;
    }
    let gas = request.gas.unwrap_or(CALL_GAS_MAX).min(CALL_GAS_MAX);
    let tx = call::environment(chain, &view, request, gas)?;
    let subject = Subject {
        context: &view.context,
        tx,
        checks: Checks::NONE,
        first_log: 0,
    };
    Ok(trace(chain, &view.state, subject, &tracer, &budget)?.1)
}

/// `eth_createAccessList(request, block, state overrides)`: the accounts and slots that a call looks at, found by
/// running it with the list of the round before until nothing is added.
///
/// Left out is what costs nothing to look at: the sender, the callee, precompiles, the coinbase and those that
/// authorize (EIP-7702), unless slots of theirs are looked at.
pub fn create_access_list(chain: &Chain, params: &Params<'_>) -> Answer {
    let mut request: TransactionRequest = params.get(0)?;
    let mut view = view(chain, Some(params.optional(1)?.unwrap_or(BlockId::latest())))?;
    if let Some(overrides) = params.optional::<StateOverride>(2)? {
        view.state = call::overridden(&view.state, overrides)?;
    }
    let gas = request.gas.unwrap_or(CALL_GAS_MAX).min(CALL_GAS_MAX);
    let mut list: BTreeMap<Address, BTreeSet<B256>> = BTreeMap::new();
    for item in request.access_list.take().unwrap_or_default().0 {
        list.entry(item.address).or_default().extend(item.storage_keys);
    }
    let precompiles = precompiles();
    for _ in 0..ACCESS_LIST_ROUNDS_MAX {
        params.deadline.check()?;
        request.access_list = Some(to_access_list(&list));
        let tx = call::environment(chain, &view, request.clone(), gas)?;
        let mut free = BTreeSet::from([tx.caller, view.context.coinbase]);
        free.insert(match tx.kind {
            TxKind::Call(to) => to,
            TxKind::Create => tx.caller.create(tx.nonce),
        });
        free.extend(authorities(&tx));
        let done = transact(chain, &view.state, &view.context, tx, Checks::NONE)?;
        let before = list.clone();
        add_accessed(&mut list, &done.state, &free, &precompiles);
        if list == before {
            return answer(&AccessListResult {
                access_list: to_access_list(&list),
                gas_used: U256::from(done.result.tx_gas_used()),
                error: failure_text(&done.result),
            });
        }
    }
    Err(RpcError::limit(format!(
        "the access list still grows after {ACCESS_LIST_ROUNDS_MAX} rounds (ACCESS_LIST_ROUNDS_MAX)"
    )))
}

fn authorities(tx: &TxEnv) -> impl Iterator<Item = Address> {
    tx.authorization_list.iter().filter_map(|signed| match signed {
        revm::context::either::Either::Left(signed) => signed.recover_authority().ok(),
        revm::context::either::Either::Right(recovered) => recovered.authority(),
    })
}

fn add_accessed(
    list: &mut BTreeMap<Address, BTreeSet<B256>>,
    state: &EvmState,
    free: &BTreeSet<Address>,
    precompiles: &AddressSet,
) {
    for (address, account) in state {
        if precompiles.contains(address) {
            continue;
        }
        if !account.storage.is_empty() {
            let slots = account.storage.keys().map(|slot| B256::from(*slot));
            list.entry(*address).or_default().extend(slots);
        } else if !free.contains(address) && !account.is_created() {
            list.entry(*address).or_default();
        }
    }
}

fn to_access_list(list: &BTreeMap<Address, BTreeSet<B256>>) -> AccessList {
    AccessList(
        list.iter()
            .map(|(address, slots)| AccessListItem {
                address: *address,
                storage_keys: slots.iter().copied().collect(),
            })
            .collect(),
    )
}

impl<'c> Replay<'c> {
    fn new(chain: &'c Chain, block: Arc<Block>) -> Result<Self, RpcError> {
        let number = block.header.number;
        let parent = number
            .checked_sub(1)
            .ok_or_else(|| RpcError::server("genesis is not traceable"))?;
        let state = {
            let ledger = chain.ledger();
            // Another block may have taken its place since it was looked up.
            if ledger.block(number).is_none_or(|now| now.hash != block.hash) {
                return Err(RpcError::server("block not found"));
            }
            ledger.state(parent).cloned()
        };
        let state = state.ok_or_else(|| {
            // go-ethereum's word for a state that is pruned.
            RpcError::server(format!(
                "missing trie node: the state of block {parent}, the parent of block {number}, is not kept any more; \
                 a longer --state-history keeps it"
            ))
        })?;
        let context = chain.context(number, block.header.timestamp);
        Ok(Self {
            chain,
            block,
            context,
            state,
            next: 0,
        })
    }

    /// Executes transactions until the one at `index` is the next.
    fn skip_to(&mut self, index: usize) -> Result<(), RpcError> {
        let count = self.block.transactions.len();
        if index > count {
            return Err(RpcError::invalid_params(format!(
                "transaction index {index} of a block with {count} transactions"
            )));
        }
        while self.next < index {
            self.trace_next(&Tracer::Skip, &Budget::new(TRACE_TIMEOUT))?;
        }
        Ok(())
    }

    /// Executes the next transaction and gives its hash and trace.
    fn trace_next(&mut self, tracer: &Tracer, budget: &Arc<Budget>) -> Result<(B256, Box<RawValue>), RpcError> {
        let block = self.block.clone();
        let mined = block
            .transactions
            .get(self.next)
            .ok_or_else(|| RpcError::server("transaction not found"))?;
        let subject = Subject {
            context: &self.context,
            tx: tx_env(&mined.transaction, mined.sender, self.chain.chain_id),
            // It was accepted, maybe because its sender was impersonated; nothing else depends on that check.
            checks: Checks {
                sender_is_eoa: false,
                ..Checks::ALL
            },
            first_log: mined.first_log,
        };
        let (done, text) = trace(self.chain, &self.state, subject, tracer, budget)?;
        if !is_same(mined, &done.result) {
            let hash = mined.transaction.hash();
            return Err(RpcError::internal(format!("replaying {hash} gave another receipt")));
        }
        let changes = self.state.changes(done.state);
        self.state.apply(&changes);
        self.next += 1;
        Ok((*mined.transaction.hash(), text))
    }
}

/// Whether an execution is the one that the receipt is of.
fn is_same(mined: &Mined, result: &ExecutionResult) -> bool {
    let logs = match result.is_success() {
        true => result.logs(),
        false => &[],
    };
    mined.gas_used == result.tx_gas_used()
        && mined.receipt.is_success() == result.is_success()
        && mined.receipt.logs() == logs
}

fn trace(
    chain: &Chain,
    state: &State,
    subject: Subject<'_>,
    tracer: &Tracer,
    budget: &Arc<Budget>,
) -> Result<(ResultAndState, Box<RawValue>), RpcError> {
    let Subject {
        context,
        tx,
        checks,
        first_log,
    } = subject;
    let gas_limit = tx.gas_limit;
    let recorder = match tracer {
        Tracer::Skip => None,
        Tracer::Noop | Tracer::PreState(_) => Some(Recorder::clock(budget.clone())),
        Tracer::Call(config) if config.only_top_call == Some(true) => Some(Recorder::top_call(budget.clone())),
        Tracer::Call(_) | Tracer::FourByte => Some(Recorder::calls(budget.clone(), false)),
        Tracer::Stylus => Some(Recorder::calls(budget.clone(), true)),
        Tracer::Steps(options) => Some(Recorder::steps(budget.clone(), options.into())),
    };
    let (done, recorded) = match recorder {
        None => (transact(chain, state, context, tx, checks)?, None),
        Some(recorder) => {
            let traced = chain.executor.trace(state.clone(), context, tx, checks, recorder);
            let (done, recorded) = traced.map_err(refused)?;
            (done, Some(recorded))
        }
    };
    let used = done.result.tx_gas_used();
    let text = match (tracer, recorded) {
        (Tracer::Call(config), Some(Recorded::Calls(calls))) => {
            raw(call_trace(&calls, *config, gas_limit, used, first_log))
        }
        (Tracer::FourByte, Some(Recorded::Calls(calls))) => answer(&four_byte_trace(&calls)),
        (Tracer::Stylus, Some(Recorded::Calls(calls))) => raw(stylus_trace(&calls)),
        (Tracer::Steps(_), Some(Recorded::Steps(steps))) => answer(&steps.into_frame(&done.result)),
        (Tracer::PreState(config), _) => {
            let prestate = prestate(state, &done.state, *config, budget);
            answer(&prestate.map_err(|error| refused(ExecError::Trace(error)))?)
        }
        _ => answer(&NoopFrame::default()),
    }?;
    Ok((done, text))
}

fn raw(text: serde_json::Result<String>) -> Answer {
    text.and_then(RawValue::from_string).map_err(RpcError::internal)
}

fn transact(
    chain: &Chain,
    state: &State,
    context: &BlockContext,
    tx: TxEnv,
    checks: Checks,
) -> Result<ResultAndState, RpcError> {
    let done = chain.executor.transact(state.clone(), context, tx, checks);
    done.map_err(refused)
}

fn refused(error: ExecError) -> RpcError {
    match error {
        ExecError::Invalid(invalid) => RpcError::server(invalid),
        ExecError::Trace(error @ TraceError::TooLarge) => RpcError::limit(error.to_string()),
        ExecError::Trace(error @ TraceError::Timeout) => RpcError::server(error),
        other => RpcError::internal(other),
    }
}

/// The tracer that the options name, and what it may record.
fn tracer(options: GethDebugTracingOptions) -> Result<(Tracer, Arc<Budget>), RpcError> {
    let timeout = match &options.timeout {
        None => TRACE_TIMEOUT,
        Some(text) => duration(text)
            .ok_or_else(|| RpcError::invalid_params(format!("timeout {text:?} is no duration such as \"5s\"")))?,
    };
    let config = options.tracer_config.0;
    let tracer = match options.tracer.as_ref().map(|tracer| tracer.as_str()) {
        None | Some("") => Tracer::Steps(options.config),
        Some("callTracer") => Tracer::Call(configured(config)?),
        Some("prestateTracer") => Tracer::PreState(configured(config)?),
        Some("4byteTracer") => Tracer::FourByte,
        Some("stylusTracer") => Tracer::Stylus,
        Some("noopTracer") => Tracer::Noop,
        Some(script) if is_cargo_stylus_script(script) => Tracer::Stylus,
        Some(other) => {
            return Err(RpcError::invalid_params(format!(
                "tracer {:?} is not supported: callTracer, prestateTracer, 4byteTracer, stylusTracer, noopTracer or \
                 none are; scripts need a JavaScript engine, which is not here",
                super::excerpt(other)
            )));
        }
    };
    Ok((tracer, Budget::new(timeout)))
}

fn configured<T: DeserializeOwned + Default>(config: serde_json::Value) -> Result<T, RpcError> {
    if config.is_null() {
        return Ok(T::default());
    }
    serde_json::from_value(config)
        .map_err(|error| RpcError::invalid_params(format!("tracerConfig: {}", super::excerpt(&error.to_string()))))
}

fn is_cargo_stylus_script(script: &str) -> bool {
    let mut text = script.to_owned();
    text.retain(|c| !c.is_whitespace());
    keccak256(text) == CARGO_STYLUS_SCRIPT
}

/// A duration as Go writes it, with one unit: "5s", "300ms", "1.5m".
fn duration(text: &str) -> Option<Duration> {
    let unit = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(unit);
    let seconds = match unit {
        "ns" => 1e-9,
        "us" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3_600.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(number.parse::<f64>().ok()? * seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_those_of_go() {
        assert_eq!(duration("5s"), Some(Duration::from_secs(5)));
        assert_eq!(duration("300ms"), Some(Duration::from_millis(300)));
        assert_eq!(duration("1.5m"), Some(Duration::from_secs(90)));
        for bad in ["", "5", "s", "-1s", "1e400h", "5 s", "NaNs"] {
            assert_eq!(duration(bad), None, "{bad}");
        }
    }
}
