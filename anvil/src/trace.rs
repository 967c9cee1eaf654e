//! Tracing: what a transaction did, frame by frame, in the shapes of go-ethereum's and Nitro's tracers.
//!
//! A [`Recorder`] rides along with one execution. The machine asks once per frame whether there is one; without it
//! nothing is recorded and the interpreter runs at full speed. What a tracer prints is a pure function of what was
//! recorded ([`call`], [`stylus`], [`steps`]) or of the state that the execution left ([`prestate`]).
//!
//! Recording is bounded by a [`Budget`] that all transactions of one request share, so no endless loop can fill the
//! memory or hold a thread. Frames are kept in a list, not in a tree, and printed without recursion: 1,024 nested
//! calls must not overflow a thread's stack.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use revm::Database;
use revm::bytecode::opcode::{OpCode, SELFDESTRUCT};
use revm::context::result::ExecutionResult;
use revm::context::{ContextTr, CreateScheme, JournalTr};
use revm::handler::FrameResult;
use revm::handler::instructions::EthInstructions;
use revm::interpreter::interpreter::EthInterpreter;
use revm::interpreter::interpreter_types::{Jumps, LoopControl};
use revm::interpreter::{CallScheme, FrameInput, InstructionResult, Interpreter, InterpreterAction};
use revm::primitives::{Address, Bytes, Log, U256};

use crate::stylus::evm::Ctx;
use crate::stylus::runtime::Ending;
use hostio::{HostCall, HostTrace};
use steps::Steps;

pub mod call;
pub mod hostio;
pub mod prestate;
pub mod steps;
pub mod stylus;

/// Bytes that one request may record. Printed as JSON it is two to three times that.
pub const TRACE_BYTES_MAX: usize = 128 << 20;
/// How long one request may trace unless its `timeout` says otherwise, as in go-ethereum.
pub const TRACE_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest `timeout` that a request gets.
pub const TRACE_TIMEOUT_MAX: Duration = Duration::from_secs(60);
/// What a frame takes beside its input and output.
const FRAME_BYTES: usize = 512;
/// What a log takes beside its topics and data.
const LOG_BYTES: usize = 128;

/// Why a trace was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TraceError {
    #[error(
        "the trace is larger than {TRACE_BYTES_MAX} bytes (TRACE_BYTES_MAX): ask for less, by 'limit', 'disableStack', 'onlyTopCall' or another tracer"
    )]
    TooLarge,
    #[error("execution timeout: the trace takes longer than its 'timeout' (default 5s, at most 60s)")]
    Timeout,
}

/// What the transactions of one request may record altogether, in bytes and time.
#[derive(Debug)]
pub struct Budget {
    bytes_left: AtomicUsize,
    deadline: Instant,
    exceeded: OnceLock<TraceError>,
}

impl Budget {
    /// A fresh budget; the time runs from now on.
    pub fn new(timeout: Duration) -> Arc<Self> {
        Arc::new(Self {
            bytes_left: AtomicUsize::new(TRACE_BYTES_MAX),
            deadline: Instant::now() + timeout.min(TRACE_TIMEOUT_MAX),
            exceeded: OnceLock::new(),
        })
    }

    /// Takes `bytes`. False once the budget is exceeded; the execution then has to end.
    pub fn spend(&self, bytes: usize) -> bool {
        let take = |left: usize| left.checked_sub(bytes);
        if self
            .bytes_left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
            .is_err()
        {
            self.exceeded.get_or_init(|| TraceError::TooLarge);
        }
        if Instant::now() > self.deadline {
            self.exceeded.get_or_init(|| TraceError::Timeout);
        }
        self.exceeded.get().is_none()
    }

    /// Why the trace has to be given up, if it has.
    pub fn exceeded(&self) -> Option<TraceError> {
        self.exceeded.get().copied()
    }
}

/// The kinds of frames, in the words of go-ethereum's `callTracer`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameKind {
    Call,
    CallCode,
    DelegateCall,
    StaticCall,
    Create,
    Create2,
    SelfDestruct,
}

impl FrameKind {
    /// `CALL`, `CREATE2`, ...
    pub fn name(self) -> &'static str {
        match self {
            Self::Call => "CALL",
            Self::CallCode => "CALLCODE",
            Self::DelegateCall => "DELEGATECALL",
            Self::StaticCall => "STATICCALL",
            Self::Create => "CREATE",
            Self::Create2 => "CREATE2",
            Self::SelfDestruct => "SELFDESTRUCT",
        }
    }

    /// Whether the frame runs init code.
    pub fn is_create(self) -> bool {
        matches!(self, Self::Create | Self::Create2)
    }
}

/// One call, creation or self-destruction.
#[derive(Clone, Debug)]
pub struct Frame {
    pub kind: FrameKind,
    /// Who calls; of a delegate call the account that acts.
    pub from: Address,
    /// Whose code runs, or what was created. `None` while a creation has no address.
    pub to: Option<Address>,
    /// Wei; a delegate call's is its caller's; a static call has none.
    pub value: Option<U256>,
    /// Calldata or init code.
    pub input: Bytes,
    /// Gas given.
    pub gas: u64,
    /// Gas used, refunds not subtracted.
    pub gas_used: u64,
    /// Returned or reverted with; a creation's code.
    pub output: Bytes,
    pub result: InstructionResult,
    /// More about a failure than the result says.
    pub detail: Option<String>,
    /// Sub-frames and logs in order.
    pub parts: Vec<Part>,
    pub is_precompile: bool,
    /// What ran, if it was a Stylus program.
    pub program: Option<ProgramRun>,
}

/// What happened inside a frame.
#[derive(Clone, Debug)]
pub enum Part {
    /// The frame at this index of [`Calls::frames`].
    Frame(usize),
    Log {
        log: Log,
        /// Its place among the transaction's logs.
        index: u64,
    },
}

/// A Stylus program's run.
#[derive(Clone, Debug)]
pub struct ProgramRun {
    pub start_ink: u64,
    /// What was left; 0 when it ran out.
    pub end_ink: u64,
    pub ending: Ending,
    /// Host calls in order.
    pub calls: Vec<HostCall>,
}

/// The frames of a transaction, in the order in which they began; the first is the transaction itself.
#[derive(Clone, Debug, Default)]
pub struct Calls {
    pub frames: Vec<Frame>,
    open: Vec<usize>,
    host_calls: bool,
    /// Only the first frame is recorded.
    only_top: bool,
    /// Open frames that are not recorded, inside the first.
    hidden: usize,
}

/// Records one execution.
#[derive(Debug)]
pub struct Recorder {
    budget: Arc<Budget>,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Nothing,
    Calls(Calls),
    Steps(Steps),
}

/// What a recorder has recorded.
#[derive(Debug)]
pub enum Recorded {
    Nothing,
    Calls(Calls),
    Steps(Steps),
}

impl Recorder {
    /// Records nothing, and ends the execution when the budget's time is over.
    pub fn clock(budget: Arc<Budget>) -> Self {
        let kind = Kind::Nothing;
        Self { budget, kind }
    }

    /// Records the first frame and its logs, none of the frames inside.
    pub fn top_call(budget: Arc<Budget>) -> Self {
        let kind = Kind::Calls(Calls {
            only_top: true,
            ..Calls::default()
        });
        Self { budget, kind }
    }

    /// Records frames and logs and, where wanted, the host calls of Stylus programs.
    pub fn calls(budget: Arc<Budget>, host_calls: bool) -> Self {
        let kind = Kind::Calls(Calls {
            host_calls,
            ..Calls::default()
        });
        Self { budget, kind }
    }

    /// Records every EVM instruction.
    pub fn steps(budget: Arc<Budget>, options: steps::Options) -> Self {
        let kind = Kind::Steps(Steps::new(options));
        Self { budget, kind }
    }

    /// What was recorded, once the execution is over.
    pub fn finish(self) -> Recorded {
        match self.kind {
            Kind::Nothing => Recorded::Nothing,
            Kind::Calls(calls) => Recorded::Calls(calls),
            Kind::Steps(steps) => Recorded::Steps(steps),
        }
    }

    /// Why the execution has to end, if it has to.
    pub fn exceeded(&self) -> Option<TraceError> {
        self.budget.exceeded()
    }

    /// A frame begins. `refunded` is what the frames that are open already have to their credit.
    pub fn enter<DB: Database>(&mut self, ctx: &Ctx<DB>, input: &FrameInput, refunded: i64) {
        match &mut self.kind {
            Kind::Nothing => {}
            Kind::Calls(calls) if calls.is_hidden() => calls.hidden += 1,
            Kind::Calls(calls) => calls.enter(&self.budget, frame(ctx, input)),
            Kind::Steps(steps) => steps.enter(refunded),
        }
    }

    /// The innermost frame acts as `address`.
    pub fn acts_as(&mut self, address: Address) {
        if let Kind::Calls(calls) = &mut self.kind
            && let Some(frame) = calls.innermost()
            && frame.kind.is_create()
        {
            frame.to = Some(address);
        }
    }

    /// The innermost frame left `logs`, the first of them the transaction's log number `first`.
    pub fn logs(&mut self, logs: &[Log], first: usize) {
        let Kind::Calls(calls) = &mut self.kind else { return };
        for (log, index) in logs.iter().zip(first as u64..) {
            let size = LOG_BYTES + log.topics().len() * 32 + log.data.data.len();
            if let Some(frame) = calls.innermost()
                && self.budget.spend(size)
            {
                let log = log.clone();
                frame.parts.push(Part::Log { log, index });
            }
        }
    }

    /// Why the innermost frame fails.
    pub fn explain(&mut self, why: &str) {
        if let Kind::Calls(calls) = &mut self.kind
            && let Some(frame) = calls.innermost()
        {
            frame.detail = Some(why.to_owned());
        }
    }

    /// The innermost frame ends.
    pub fn exit(&mut self, result: &FrameResult) {
        match &mut self.kind {
            Kind::Nothing => {}
            Kind::Calls(calls) => calls.exit(&self.budget, result),
            Kind::Steps(steps) => steps.exit(),
        }
    }

    /// Where a program's host calls go, if they are wanted.
    pub fn host_trace(&self) -> Option<HostTrace> {
        match &self.kind {
            Kind::Calls(calls) if calls.host_calls => Some(HostTrace::new(self.budget.clone())),
            _ => None,
        }
    }

    /// The index that the next frame will have.
    pub fn next_frame(&self) -> usize {
        match &self.kind {
            Kind::Calls(calls) => calls.frames.len(),
            Kind::Nothing | Kind::Steps(_) => 0,
        }
    }

    /// The innermost frame's program ended.
    pub fn program(&mut self, run: ProgramRun) {
        if let Kind::Calls(calls) = &mut self.kind
            && let Some(frame) = calls.innermost()
        {
            if run.ending == Ending::OutOfStack {
                // Nitro's word for it.
                frame.detail = Some(failure(InstructionResult::CallTooDeep).to_owned());
            }
            frame.program = Some(run);
        }
    }

    /// Runs EVM code until it ends or needs another frame, one instruction at a time.
    pub fn run<DB: Database>(
        &mut self,
        interpreter: &mut Interpreter<EthInterpreter>,
        instructions: &EthInstructions<EthInterpreter, Ctx<DB>>,
        ctx: &mut Ctx<DB>,
    ) -> InterpreterAction {
        let (table, gas_table) = (instructions.instruction_table(), instructions.gas_table());
        let mut count = 0u32;
        loop {
            let op = interpreter.bytecode.opcode();
            let depth = interpreter.stack.len();
            let heir = match op {
                SELFDESTRUCT => interpreter.stack.peek(0).ok().map(|heir| {
                    let account = ctx.journal().state.get(&interpreter.input.target_address);
                    let balance = account.map(|account| account.info.balance);
                    (Address::from_word(heir.into()), balance.unwrap_or_default())
                }),
                _ => None,
            };
            if let Kind::Steps(steps) = &mut self.kind {
                steps.before(&self.budget, interpreter);
            }
            let outcome = interpreter.step(table, gas_table, ctx);
            let failure = outcome.err().filter(|result| result.is_halt());
            let failure = failure.map(|result| describe(result, op, depth));
            if let Err(result) = outcome
                && interpreter.bytecode.action().is_none()
            {
                interpreter.halt(result);
            }
            match &mut self.kind {
                Kind::Nothing => {}
                Kind::Steps(steps) => steps.after(&self.budget, interpreter, failure),
                Kind::Calls(calls) => {
                    if failure.is_some()
                        && let Some(frame) = calls.innermost()
                    {
                        frame.detail = failure;
                    }
                    if outcome == Err(InstructionResult::SelfDestruct)
                        && let Some((heir, balance)) = heir
                    {
                        calls.self_destruct(&self.budget, interpreter.input.target_address, heir, balance);
                    }
                }
            }
            if interpreter.bytecode.is_end() {
                return interpreter.take_next_action();
            }
            count = count.wrapping_add(1);
            // Looking at the clock now and then is enough: a thousand instructions take microseconds.
            if count.is_multiple_of(1_024) && !self.budget.spend(0) || self.budget.exceeded().is_some() {
                interpreter.halt(InstructionResult::OutOfGas);
                return interpreter.take_next_action();
            }
        }
    }
}

impl Calls {
    /// Whether a frame that begins now is not recorded.
    fn is_hidden(&self) -> bool {
        self.only_top && !self.frames.is_empty()
    }

    /// The innermost open frame, if it is recorded.
    fn innermost(&mut self) -> Option<&mut Frame> {
        if self.hidden > 0 {
            return None;
        }
        self.frames.get_mut(*self.open.last()?)
    }

    fn push(&mut self, budget: &Budget, frame: Frame) {
        // A frame over the budget is recorded nevertheless, so that the ends still match; the execution stops there.
        budget.spend(FRAME_BYTES + frame.input.len());
        let index = self.frames.len();
        if let Some(parent) = self.innermost() {
            parent.parts.push(Part::Frame(index));
        }
        self.frames.push(frame);
    }

    fn enter(&mut self, budget: &Budget, frame: Frame) {
        self.push(budget, frame);
        self.open.push(self.frames.len() - 1);
    }

    fn exit(&mut self, budget: &Budget, result: &FrameResult) {
        if self.hidden > 0 {
            self.hidden -= 1;
            return;
        }
        let Some(frame) = self.open.pop().and_then(|index| self.frames.get_mut(index)) else {
            return;
        };
        let outcome = match result {
            FrameResult::Call(outcome) => {
                frame.is_precompile = outcome.was_precompile_called;
                &outcome.result
            }
            FrameResult::Create(outcome) => &outcome.result,
        };
        budget.spend(outcome.output.len());
        frame.result = outcome.result;
        frame.output = outcome.output.clone();
        frame.gas_used = match outcome.result.is_ok_or_revert() {
            true => frame.gas.saturating_sub(outcome.gas.remaining()),
            false => frame.gas,
        };
    }

    fn self_destruct(&mut self, budget: &Budget, from: Address, heir: Address, balance: U256) {
        if self.is_hidden() {
            return;
        }
        let frame = Frame {
            result: InstructionResult::SelfDestruct,
            ..Frame::new(
                FrameKind::SelfDestruct,
                from,
                Some(heir),
                Some(balance),
                Bytes::new(),
                0,
            )
        };
        self.push(budget, frame);
    }
}

impl Frame {
    /// A frame that has only begun.
    fn new(kind: FrameKind, from: Address, to: Option<Address>, value: Option<U256>, input: Bytes, gas: u64) -> Self {
        Self {
            kind,
            from,
            to,
            value,
            input,
            gas,
            gas_used: 0,
            output: Bytes::new(),
            result: InstructionResult::Stop,
            detail: None,
            parts: Vec::new(),
            is_precompile: false,
            program: None,
        }
    }
}

fn frame<DB: Database>(ctx: &Ctx<DB>, input: &FrameInput) -> Frame {
    match input {
        FrameInput::Call(call) => {
            let (callee, value) = (call.target_address, Some(call.value.get()));
            let (kind, from, to, value) = match call.scheme {
                CallScheme::Call => (FrameKind::Call, call.caller, callee, value),
                CallScheme::StaticCall => (FrameKind::StaticCall, call.caller, callee, None),
                CallScheme::CallCode => (FrameKind::CallCode, callee, call.bytecode_address, value),
                CallScheme::DelegateCall => (FrameKind::DelegateCall, callee, call.bytecode_address, value),
            };
            Frame::new(kind, from, Some(to), value, call.input.bytes(ctx), call.gas_limit)
        }
        FrameInput::Create(create) => {
            let kind = match create.scheme() {
                CreateScheme::Create2 { .. } => FrameKind::Create2,
                _ => FrameKind::Create,
            };
            let (from, value) = (create.caller(), Some(create.value()));
            Frame::new(kind, from, None, value, create.init_code().clone(), create.gas_limit())
        }
        FrameInput::Empty => Frame::new(FrameKind::Call, Address::ZERO, None, None, Bytes::new(), 0),
    }
}

/// An instruction's failure in go-ethereum's words; `depth` is the height of the stack before it.
fn describe(result: InstructionResult, op: u8, depth: usize) -> String {
    match result {
        InstructionResult::StackUnderflow => {
            let wanted = OpCode::new(op).map_or(0, |op| op.inputs());
            format!("stack underflow ({depth} <=> {wanted})")
        }
        InstructionResult::StackOverflow => format!("stack limit reached {depth} (1023)"),
        InstructionResult::InvalidFEOpcode => "invalid opcode: INVALID".to_owned(),
        InstructionResult::OpcodeNotFound | InstructionResult::NotActivated => {
            format!("invalid opcode: opcode {op:#x} not defined")
        }
        other => failure(other).to_owned(),
    }
}

/// A frame's failure in go-ethereum's words.
pub fn failure(result: InstructionResult) -> &'static str {
    match result {
        InstructionResult::Revert => "execution reverted",
        InstructionResult::CallTooDeep => "max call depth exceeded",
        InstructionResult::OutOfFunds => "insufficient balance for transfer",
        InstructionResult::CallNotAllowedInsideStatic | InstructionResult::StateChangeDuringStaticCall => {
            "write protection"
        }
        InstructionResult::InvalidJump => "invalid jump destination",
        InstructionResult::OutOfOffset => "return data out of bounds",
        InstructionResult::CreateCollision => "contract address collision",
        InstructionResult::NonceOverflow => "nonce uint64 overflow",
        InstructionResult::CreateContractSizeLimit => "max code size exceeded",
        InstructionResult::CreateContractStartingWithEF => "invalid code: must not begin with 0xef",
        InstructionResult::CreateInitCodeSizeLimit => "max initcode size exceeded",
        InstructionResult::PrecompileError => "precompile failed",
        InstructionResult::InvalidFEOpcode | InstructionResult::OpcodeNotFound | InstructionResult::NotActivated => {
            "invalid opcode"
        }
        InstructionResult::StackUnderflow => "stack underflow",
        InstructionResult::StackOverflow => "stack limit reached",
        InstructionResult::OverflowPayment => "balance overflow",
        _ => "out of gas",
    }
}

/// Why an execution did not succeed, in go-ethereum's words; `None` if it did.
pub fn failure_text(result: &ExecutionResult) -> Option<String> {
    match result {
        ExecutionResult::Success { .. } => None,
        ExecutionResult::Revert { .. } => Some(failure(InstructionResult::Revert).to_owned()),
        ExecutionResult::Halt { reason, .. } => Some(failure(reason.clone().into()).to_owned()),
    }
}

/// The transaction's logs so far.
pub fn log_count<DB: Database>(ctx: &Ctx<DB>) -> usize {
    ctx.journal().logs().len()
}
