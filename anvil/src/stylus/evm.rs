//! The EVM with Stylus frames in it.
//!
//! A thin wrapper around revm's own machine. A frame whose code is a program runs as WASM and
//! ends with an ordinary interpreter action, so checkpoints, value and depth stay revm's. While
//! a program waits for a sub-call it is kept, suspended, beside revm's frame; nothing recurses.

use std::{collections::VecDeque, sync::Arc};

use revm::{
    Context, Database, Journal,
    context::{
        Block, BlockEnv, Cfg, CfgEnv, ContextTr, Evm, FrameStack, JournalTr, LocalContextTr, Transaction, TxEnv,
        result::FromStringError,
    },
    handler::{
        EthFrame, EvmTr, FrameInitOrResult, FrameResult, FrameTr, ItemOrResult,
        evm::{ContextDbError, FrameInitResult},
        instructions::EthInstructions,
    },
    interpreter::{
        CallScheme, FrameInput, Gas, Instruction, InstructionContext, InstructionResult, InterpreterAction,
        InterpreterResult, instructions, interpreter::EthInterpreter, interpreter_action::FrameInit,
    },
    primitives::{Address, B256, Bytes, U256, hardfork::SpecId},
};

use wasmi::Val;

use crate::trace::{ProgramRun, Recorder, log_count};

use super::{
    code,
    hooks::{Env, HookState, Stop},
    meter::{INK_PRICE, Pages, return_data_gas},
    programs::{self, RECENT_PROGRAMS},
    runtime::{Ending, Outcome, Program, Running, Runtime, Step},
    serve::{Pending, Returned, Served, peek_code, serve, settle},
};
use crate::arbos::{ArbPrecompiles, Rules, Version};
use crate::executor::BlockHashes;

/// What the chain adds to revm's context.
#[derive(Clone, Debug, Default)]
pub struct Chain {
    /// This chain's own block number.
    pub number: u64,
    /// Hashes of the blocks before it.
    pub hashes: BlockHashes,
    /// What programs are run by.
    pub rules: Rules,
    /// Who called each open frame, the outermost first, and who makes the call that is being started.
    pub callers: Vec<Address>,
}

/// The context of execution.
pub type Ctx<DB> = Context<BlockEnv, TxEnv, CfgEnv, DB, Journal<DB>, Chain>;

type Inner<DB> = Evm<Ctx<DB>, (), EthInstructions<EthInterpreter, Ctx<DB>>, ArbPrecompiles, EthFrame<EthInterpreter>>;

/// How the outermost program is measured; only `exec` uses it.
#[derive(Clone, Copy, Debug)]
pub struct Measure {
    /// Gas that the program has; entering it is free and its pages count as open.
    pub gas: u64,
}

/// What a measured program did.
#[derive(Clone, Debug)]
pub struct Measured {
    /// How it ended.
    pub ending: Ending,
    /// Ink it used; all of it when it ran out.
    pub ink: u64,
}

/// The machine: revm with programs.
pub struct StylusEvm<DB: Database> {
    inner: Inner<DB>,
    runtime: Arc<Runtime>,
    frames: Vec<OpenFrame>,
    pages: Pages,
    recent: VecDeque<B256>,
    measure: Option<Measure>,
    measured: Option<Measured>,
    recorder: Option<Box<Recorder>>,
}

/// What is known of a frame beside revm's own data.
struct OpenFrame {
    acting: Address,
    delegate: bool,
    program: Option<Suspended>,
}

/// A program between two steps.
struct Suspended {
    running: Running,
    refund: i64,
    start_gas: u64,
    /// Gas of the frame before it paid for being entered.
    offered_gas: u64,
    pages_before: u16,
    pending: Option<Pending>,
    returned: Option<Returned>,
}

impl<DB: Database> StylusEvm<DB> {
    /// A machine on `ctx` for one transaction.
    pub fn new(ctx: Ctx<DB>, runtime: Arc<Runtime>, measure: Option<Measure>, recorder: Option<Box<Recorder>>) -> Self {
        let spec: SpecId = *ctx.cfg().spec();
        let mut instruction = EthInstructions::new_mainnet_with_spec(spec);
        instruction.insert_instruction(SELFDESTRUCT, Instruction::new(selfdestruct), SELFDESTRUCT_GAS);
        let inner = Evm {
            ctx,
            inspector: (),
            instruction,
            precompiles: ArbPrecompiles::new(spec),
            frame_stack: FrameStack::new_prealloc(8),
        };
        Self {
            inner,
            runtime,
            frames: Vec::new(),
            pages: Pages::default(),
            recent: VecDeque::new(),
            measure,
            measured: None,
            recorder,
        }
    }

    /// What was recorded.
    pub fn take_recorder(&mut self) -> Option<Box<Recorder>> {
        self.recorder.take()
    }

    /// What the measured program did, once it has run.
    pub fn take_measured(&mut self) -> Option<Measured> {
        self.measured.take()
    }

    /// Tells the recorder of a frame that is about to begin.
    fn record_entry(&mut self, input: &FrameInput) {
        let refunded = match self.frames.last() {
            None => 0,
            Some(OpenFrame {
                program: Some(program), ..
            }) => program.refund,
            Some(_) => self.inner.frame_stack.get().interpreter.gas.refunded(),
        };
        if let Some(recorder) = &mut self.recorder {
            recorder.enter(&self.inner.ctx, input, refunded);
        }
    }

    /// Runs the program on top of the frame stack until it ends or needs another frame.
    fn run_program(&mut self) -> Result<InterpreterAction, ContextDbError<Ctx<DB>>> {
        let Some(open) = self.frames.last_mut() else {
            return Err(ContextDbError::<Ctx<DB>>::from_string("no open frame".into()));
        };
        let (mut program, mut step) = match open.program.take() {
            Some(suspended) => continue_program(suspended),
            None => match self.enter_program()? {
                Ok(entered) => entered,
                Err(action) => return Ok(action),
            },
        };
        loop {
            let request = match step {
                Step::Done(outcome) => return Ok(self.leave_program(program, outcome)),
                Step::Need(request) => request,
            };
            self.pages = program.running.host().state().pages;
            let served = serve(&mut self.inner.ctx, &mut program.running, request, &mut program.refund)?;
            step = match served {
                Served::Answer(answer) => go_on(&mut program.running, Ok(answer)),
                Served::Stop(stop) => go_on(&mut program.running, Err(stop)),
                Served::Frame(input, pending) => {
                    program.pending = Some(pending);
                    if let Some(recorder) = &self.recorder
                        && let Some(trace) = &mut program.running.host().state().trace
                    {
                        trace.opens(recorder.next_frame());
                    }
                    if let Some(open) = self.frames.last_mut() {
                        open.program = Some(program);
                    }
                    return Ok(InterpreterAction::NewFrame(input));
                }
            };
        }
    }

    /// Charges for entering a program and starts it; an action when it may not be entered.
    #[expect(clippy::type_complexity, reason = "used once, right above")]
    fn enter_program(&mut self) -> Result<Result<(Suspended, Step), InterpreterAction>, ContextDbError<Ctx<DB>>> {
        let measure = self.measure.filter(|_| self.frames.len() == 1);
        let frame = self.inner.frame_stack.get();
        let mut gas = frame.interpreter.gas;
        let offered_gas = measure.map_or(gas.remaining(), |measure| measure.gas);
        let code_hash = frame.interpreter.bytecode.get_or_calculate_hash();
        let bytes = frame.interpreter.bytecode.original_bytes();
        let ctx = &mut self.inner.ctx;

        let entry = programs::load(ctx.journal_mut(), code_hash)?;
        let now = ctx.block().timestamp().saturating_to::<u64>();
        if measure.is_none()
            && let Err(inactive) = entry.check(now)
        {
            return Ok(Err(refuse(ctx, &mut self.recorder, gas, inactive.to_string())));
        }
        let program: Arc<Program> = match self.runtime.cached(code_hash) {
            Some(program) => program,
            None => {
                let mut pieces = Vec::new();
                for address in code::fragments(&bytes, ctx.chain().rules.version).unwrap_or_default() {
                    pieces.push(peek_code(ctx, address)?);
                }
                match self.runtime.program(code_hash, &bytes, &pieces, &ctx.chain().rules) {
                    Ok(program) => program,
                    Err(why) => return Ok(Err(refuse(ctx, &mut self.recorder, gas, why))),
                }
            }
        };
        if measure.is_none() {
            // Before ArbOS 60 a defect of Nitro kept its cache of recent programs empty.
            let recent = ctx.chain().rules.version >= Version::V60 && remember(&mut self.recent, code_hash);
            let cached = entry.cached || recent;
            if !gas.record_regular_cost(entry.call_gas(cached, self.pages)) {
                return Ok(Err(InterpreterAction::new_halt(InstructionResult::OutOfGas, gas)));
            }
        }
        let pages_before = self.pages.open;
        self.pages.add(program.estimates.footprint);

        let frame = self.inner.frame_stack.get();
        let input = &frame.interpreter.input;
        let acting = input.target_address;
        let open = self.frames.iter().filter(|f| f.acting == acting && !f.delegate).count();
        let (block, tx) = (ctx.block(), ctx.tx());
        let env = Env {
            args: input.input.bytes(ctx),
            caller: input.caller_address,
            address: acting,
            value: input.call_value,
            origin: tx.caller(),
            gas_price: U256::from(tx.effective_gas_price(u128::from(block.basefee()))),
            basefee: U256::from(block.basefee()),
            coinbase: block.beneficiary(),
            gas_limit: block.gas_limit(),
            number: block.number().saturating_to(),
            timestamp: now,
            chain_id: ctx.cfg().chain_id(),
            reentrant: open > 1,
            is_static: frame.interpreter.runtime_flag.is_static,
        };
        let start_gas = measure.map_or(gas.remaining(), |measure| measure.gas);
        let state = HookState {
            env,
            pages: self.pages,
            trace: self.recorder.as_ref().and_then(|recorder| recorder.host_trace()),
            ..HookState::default()
        };
        frame.interpreter.gas = gas;
        let ink = start_gas.saturating_mul(INK_PRICE);
        let (running, step) = Running::start(&self.runtime, &program, state, ink);
        let suspended = Suspended {
            running,
            refund: 0,
            start_gas,
            offered_gas,
            pages_before,
            pending: None,
            returned: None,
        };
        Ok(Ok((suspended, step)))
    }

    /// Turns a program's outcome into the frame's action.
    fn leave_program(&mut self, mut program: Suspended, outcome: Outcome) -> InterpreterAction {
        self.pages = program.running.host().state().pages;
        self.pages.open = program.pages_before;
        if self.measure.is_some() && self.frames.len() == 1 {
            let start = program.start_gas.saturating_mul(INK_PRICE);
            self.measured = Some(Measured {
                ending: outcome.ending,
                ink: start - outcome.ink_left.min(start),
            });
        }
        if let Some(recorder) = &mut self.recorder {
            let trace = program.running.host().state().trace.take();
            recorder.program(ProgramRun {
                start_ink: program.start_gas.saturating_mul(INK_PRICE),
                end_ink: outcome.ink_left,
                ending: outcome.ending,
                calls: trace.map(|trace| trace.calls).unwrap_or_default(),
            });
        }
        let frame = self.inner.frame_stack.get();
        let mut gas: Gas = frame.interpreter.gas;
        // Returned bytes cost at least what EVM memory would have cost, being entered included.
        let floor = return_data_gas(outcome.output.len() as u64);
        let Some(most) = program.offered_gas.checked_sub(floor) else {
            return InterpreterAction::new_halt(InstructionResult::OutOfGas, gas);
        };
        let left = (outcome.ink_left / INK_PRICE).min(most).min(gas.remaining());
        gas.set_remaining(left);
        gas.record_refund(program.refund);
        let result = match outcome.ending {
            Ending::Return => InstructionResult::Return,
            Ending::Revert | Ending::Failure => InstructionResult::Revert,
            Ending::OutOfInk => InstructionResult::OutOfGas,
            Ending::OutOfStack => InstructionResult::StackOverflow,
        };
        InterpreterAction::new_return(result, outcome.output, gas)
    }
}

/// SELFDESTRUCT, and its gas before what depends on the beneficiary (EIP-150).
const SELFDESTRUCT: u8 = 0xff;
const SELFDESTRUCT_GAS: u16 = 5_000;

/// SELFDESTRUCT as Nitro has it: an account that is a program, or a part of one, reverts instead.
fn selfdestruct<DB: Database>(
    context: InstructionContext<'_, Ctx<DB>, EthInterpreter>,
) -> Result<(), InstructionResult> {
    let acting = context.interpreter.input.target_address;
    let version = context.host.chain().rules.version;
    let code = match context.host.journal_mut().code(acting) {
        Ok(load) => load.data,
        Err(_) => return Err(InstructionResult::FatalExternalError),
    };
    if !context.interpreter.runtime_flag.is_static && code::is_component(&code, version) {
        return Err(InstructionResult::Revert);
    }
    instructions::host::selfdestruct(context)
}

/// Settles the frame that a program waited for, then runs it on.
fn continue_program(mut program: Suspended) -> (Suspended, Step) {
    let step = match (program.pending.take(), program.returned.take()) {
        (Some(pending), Some(returned)) => {
            let running = &mut program.running;
            let settled = settle(running, pending, returned, &mut program.refund);
            go_on(running, settled)
        }
        _ => program.running.stop(Stop::Failure),
    };
    (program, step)
}

/// Gives a program the answer that it waited for, or ends it; either way its host call is over.
fn go_on(running: &mut Running, answer: Result<Vec<Val>, Stop>) -> Step {
    let mut host = running.host();
    let noted = match &answer {
        Ok(answer) => host.trace_end(answer.first().map_or(0, unsigned)),
        Err(_) => {
            host.trace_fail();
            Ok(())
        }
    };
    match answer.and_then(|answer| noted.map(|()| answer)) {
        Ok(answer) => running.resume(&answer),
        Err(stop) => running.stop(stop),
    }
}

fn unsigned(value: &Val) -> u64 {
    match value {
        Val::I32(value) => u64::from(*value as u32),
        Val::I64(value) => *value as u64,
        _ => 0,
    }
}

/// Moves a program to the end of the recent ones; whether it was among them.
fn remember(recent: &mut VecDeque<B256>, code_hash: B256) -> bool {
    let known = recent.contains(&code_hash);
    recent.retain(|hash| *hash != code_hash);
    recent.push_back(code_hash);
    if recent.len() > RECENT_PROGRAMS {
        recent.pop_front();
    }
    known
}

/// A frame that may not run: all gas is gone; the outermost one says why.
fn refuse<DB: Database>(
    ctx: &mut Ctx<DB>,
    recorder: &mut Option<Box<Recorder>>,
    gas: Gas,
    why: String,
) -> InterpreterAction {
    if let Some(recorder) = recorder {
        recorder.explain(&why);
    }
    if ctx.journal().depth() == 1 {
        ctx.local_mut().set_precompile_error_context(why);
    }
    InterpreterAction::new_return(InstructionResult::PrecompileError, Bytes::new(), gas)
}

/// EIP-3541 with the exception for programs: no other code may begin with 0xEF.
fn refuse_reserved_prefix(action: &mut InterpreterAction, version: Version) {
    if let InterpreterAction::Return(result) = action
        && result.result.is_ok()
        && result.output.first() == Some(&0xef)
        && !code::is_component(&result.output, version)
    {
        result.result = InstructionResult::CreateContractStartingWithEF;
        result.output = Bytes::new();
    }
}

impl<DB: Database> EvmTr for StylusEvm<DB> {
    type Context = Ctx<DB>;
    type Instructions = EthInstructions<EthInterpreter, Ctx<DB>>;
    type Precompiles = ArbPrecompiles;
    type Frame = EthFrame<EthInterpreter>;

    fn all(
        &self,
    ) -> (
        &Self::Context,
        &Self::Instructions,
        &Self::Precompiles,
        &FrameStack<Self::Frame>,
    ) {
        self.inner.all()
    }

    fn all_mut(
        &mut self,
    ) -> (
        &mut Self::Context,
        &mut Self::Instructions,
        &mut Self::Precompiles,
        &mut FrameStack<Self::Frame>,
    ) {
        self.inner.all_mut()
    }

    fn frame_init(
        &mut self,
        input: FrameInit,
    ) -> Result<FrameInitResult<'_, Self::Frame>, ContextDbError<Self::Context>> {
        let delegate = match &input.frame_input {
            FrameInput::Call(call) => {
                matches!(call.scheme, CallScheme::DelegateCall | CallScheme::CallCode)
            }
            _ => false,
        };
        let logs = self.recorder.as_ref().map_or(0, |_| log_count(&self.inner.ctx));
        if self.recorder.is_some() {
            self.record_entry(&input.frame_input);
        }
        let caller = match &input.frame_input {
            FrameInput::Call(call) => call.caller,
            FrameInput::Create(create) => create.caller(),
            FrameInput::Empty => Address::ZERO,
        };
        let callers = &mut self.inner.ctx.chain_mut().callers;
        callers.truncate(self.frames.len());
        callers.push(caller);
        let refused = match self.inner.frame_init(input)? {
            ItemOrResult::Item(_) => None,
            ItemOrResult::Result(result) => Some(result),
        };
        if let Some(result) = refused {
            if let Some(recorder) = &mut self.recorder {
                // A precompile may have left logs.
                recorder.logs(&self.inner.ctx.journal().logs()[logs..], logs);
                recorder.exit(&result);
            }
            return Ok(ItemOrResult::Result(result));
        }
        let frame = self.inner.frame_stack.get();
        let acting = frame.interpreter.input.target_address;
        if let Some(recorder) = &mut self.recorder {
            recorder.acts_as(acting);
        }
        self.frames.push(OpenFrame {
            acting,
            delegate,
            program: None,
        });
        Ok(ItemOrResult::Item(frame))
    }

    fn frame_run(&mut self) -> Result<FrameInitOrResult<Self::Frame>, ContextDbError<Self::Context>> {
        let version = self.inner.ctx.chain().rules.version;
        let frame = self.inner.frame_stack.get();
        let is_create = matches!(frame.input, FrameInput::Create(_));
        let is_program = !is_create && code::is_program(frame.interpreter.bytecode.original_byte_slice(), version);
        let logs = self.recorder.as_ref().map_or(0, |_| log_count(&self.inner.ctx));
        let mut action = if is_program {
            self.run_program()?
        } else if let Some(recorder) = &mut self.recorder {
            recorder.run(&mut frame.interpreter, &self.inner.instruction, &mut self.inner.ctx)
        } else {
            frame.interpreter.run_plain(
                self.inner.instruction.instruction_table(),
                self.inner.instruction.gas_table(),
                &mut self.inner.ctx,
            )
        };
        if is_create {
            refuse_reserved_prefix(&mut action, version);
        }
        if let Some(recorder) = &mut self.recorder {
            if let Some(exceeded) = recorder.exceeded() {
                return Err(ContextDbError::<Ctx<DB>>::from_string(exceeded.to_string()));
            }
            // Before the frame ends: a failure takes its logs back.
            recorder.logs(&self.inner.ctx.journal().logs()[logs..], logs);
        }
        let frame = self.inner.frame_stack.get();
        let next = frame.process_next_action::<_, ContextDbError<Ctx<DB>>>(&mut self.inner.ctx, action)?;
        if let ItemOrResult::Result(result) = &next {
            frame.set_finished(true);
            if let Some(recorder) = &mut self.recorder {
                recorder.exit(result);
            }
        }
        Ok(next)
    }

    fn frame_return_result(
        &mut self,
        result: <Self::Frame as FrameTr>::FrameResult,
    ) -> Result<Option<<Self::Frame as FrameTr>::FrameResult>, ContextDbError<Self::Context>> {
        if self.inner.frame_stack.get().is_finished() {
            self.inner.frame_stack.pop();
            self.frames.pop();
        }
        if self.inner.frame_stack.index().is_none() {
            return Ok(Some(result));
        }
        let frame = self.inner.frame_stack.get();
        match self.frames.last_mut().and_then(|open| open.program.as_mut()) {
            Some(program) => {
                frame.interpreter.memory.free_child_context();
                program.running.host().state().pages = self.pages;
                program.returned = Some(returned(result));
                Ok(None)
            }
            None => {
                frame.return_result::<_, ContextDbError<Self::Context>>(&mut self.inner.ctx, result)?;
                Ok(None)
            }
        }
    }
}

fn returned(result: FrameResult) -> Returned {
    let (result, address): (InterpreterResult, _) = match result {
        FrameResult::Call(outcome) => (outcome.result, None),
        FrameResult::Create(outcome) => (outcome.result, outcome.address),
    };
    Returned {
        result: result.result,
        remaining: result.gas.remaining(),
        refunded: result.gas.refunded(),
        output: result.output,
        address,
    }
}
