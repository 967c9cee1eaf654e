//! The default tracer (struct logs): every EVM instruction with what it found.
//!
//! A Stylus program has no instructions of the EVM; its host calls are in the `stylusTracer`. Here its frame shows as
//! a gap between the call and what comes after it.

use std::collections::{BTreeMap, HashMap};

use alloy_rpc_types_trace::geth::{DefaultFrame, GethDefaultTracingOptions, StructLog};
use revm::bytecode::opcode::{OpCode, SLOAD, SSTORE};
use revm::context::result::ExecutionResult;
use revm::interpreter::Interpreter;
use revm::interpreter::interpreter::EthInterpreter;
use revm::interpreter::interpreter_types::{Jumps, MemoryTr, ReturnData};
use revm::primitives::{Address, B256, Bytes, U256, hex};

use super::Budget;

/// What a step takes at least.
const STEP_BYTES: usize = 256;
/// What a word of the stack or of the memory takes, printed.
const WORD_BYTES: usize = 72;

/// What is recorded with each step.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    stack: bool,
    memory: bool,
    storage: bool,
    return_data: bool,
    /// Steps recorded; the rest is executed without being recorded.
    limit: Option<u64>,
}

/// The steps of a transaction.
#[derive(Debug)]
pub struct Steps {
    options: Options,
    logs: Vec<StructLog>,
    /// Slots that each account's code has read or written so far.
    storage: HashMap<Address, BTreeMap<B256, B256>>,
    /// For each open frame, the refunds of the frames around it.
    refunds: Vec<i64>,
    /// The step that is being executed was recorded.
    recording: bool,
    /// The slot that an SLOAD under way reads.
    loading: Option<(Address, B256)>,
}

impl From<&GethDefaultTracingOptions> for Options {
    fn from(options: &GethDefaultTracingOptions) -> Self {
        Self {
            stack: !options.disable_stack.unwrap_or_default(),
            memory: options.is_memory_enabled(),
            storage: !options.disable_storage.unwrap_or_default(),
            return_data: options.is_return_data_enabled(),
            limit: options.limit.filter(|limit| *limit > 0),
        }
    }
}

impl Steps {
    pub fn new(options: Options) -> Self {
        Self {
            options,
            logs: Vec::new(),
            storage: HashMap::new(),
            refunds: Vec::new(),
            recording: false,
            loading: None,
        }
    }

    /// What `debug_traceTransaction` answers.
    pub fn into_frame(self, result: &ExecutionResult) -> DefaultFrame {
        let return_value = match result {
            ExecutionResult::Success { output, .. } => output.data().clone(),
            ExecutionResult::Revert { output, .. } => output.clone(),
            ExecutionResult::Halt { .. } => Bytes::new(),
        };
        DefaultFrame {
            failed: !result.is_success(),
            gas: result.tx_gas_used(),
            return_value,
            struct_logs: self.logs,
            ..DefaultFrame::default()
        }
    }

    /// A frame begins inside frames that have `refunded` to their credit.
    pub fn enter(&mut self, refunded: i64) {
        let outer = self.refunds.last().copied().unwrap_or_default();
        self.refunds.push(outer + refunded);
    }

    /// The innermost frame ends.
    pub fn exit(&mut self) {
        self.refunds.pop();
    }

    /// Records what the next instruction finds.
    pub fn before(&mut self, budget: &Budget, interpreter: &Interpreter<EthInterpreter>) {
        self.loading = None;
        let limit = self.options.limit.unwrap_or(u64::MAX);
        self.recording = (self.logs.len() as u64) < limit;
        if !self.recording {
            return;
        }
        let op = interpreter.bytecode.opcode();
        let Options {
            stack,
            memory,
            return_data,
            ..
        } = self.options;
        let words = interpreter.stack.data();
        let returned = interpreter.return_data.buffer();
        let mut size = STEP_BYTES;
        if stack {
            size += words.len() * WORD_BYTES;
        }
        if memory {
            size += interpreter.memory.size().div_ceil(32) * WORD_BYTES;
        }
        if return_data {
            size += returned.len();
        }
        if !budget.spend(size) {
            self.recording = false;
            return;
        }
        let refund = self.refunds.last().copied().unwrap_or_default() + interpreter.gas.refunded();
        self.logs.push(StructLog {
            pc: interpreter.bytecode.pc() as u64,
            op: OpCode::name_by_op(op).into(),
            gas: interpreter.gas.remaining(),
            depth: interpreter.input.depth as u64 + 1,
            stack: stack.then(|| words.to_vec()),
            memory: memory.then(|| memory_words(interpreter)),
            return_data: (return_data && !returned.is_empty()).then(|| returned.clone()),
            refund_counter: u64::try_from(refund).ok().filter(|refund| *refund > 0),
            ..StructLog::default()
        });
        if self.options.storage {
            self.note_storage(budget, interpreter, op);
        }
    }

    /// Adds what the instruction cost and how it failed.
    pub fn after(&mut self, budget: &Budget, interpreter: &Interpreter<EthInterpreter>, failure: Option<String>) {
        if !self.recording {
            return;
        }
        let loaded = self.loading.take().filter(|_| failure.is_none());
        if let (Some((address, slot)), Ok(value)) = (loaded, interpreter.stack.peek(0)) {
            self.touch(budget, address, slot, value);
        }
        if let Some(log) = self.logs.last_mut() {
            log.gas_cost = log.gas.saturating_sub(interpreter.gas.remaining());
            log.error = failure;
        }
    }

    fn note_storage(&mut self, budget: &Budget, interpreter: &Interpreter<EthInterpreter>, op: u8) {
        let address = interpreter.input.target_address;
        let word = |depth: usize| interpreter.stack.peek(depth).ok();
        match (op, word(0), word(1)) {
            (SLOAD, Some(slot), _) => self.loading = Some((address, slot.into())),
            (SSTORE, Some(slot), Some(value)) => self.touch(budget, address, slot.into(), value),
            _ => {}
        }
    }

    /// The slots of `address` seen so far go with the last step.
    fn touch(&mut self, budget: &Budget, address: Address, slot: B256, value: U256) {
        let slots = self.storage.entry(address).or_default();
        slots.insert(slot, value.into());
        if budget.spend(slots.len() * 2 * WORD_BYTES)
            && let Some(log) = self.logs.last_mut()
        {
            log.storage = Some(slots.clone());
        }
    }
}

fn memory_words(interpreter: &Interpreter<EthInterpreter>) -> Vec<String> {
    let memory = interpreter.memory.slice_len(0, interpreter.memory.size());
    memory.chunks(32).map(hex::encode_prefixed).collect()
}
