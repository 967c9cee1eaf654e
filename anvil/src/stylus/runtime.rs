//! Compiles programs once and runs them with wasmi, one resumable call per frame.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use revm::primitives::{B256, Bytes};
use wasmi::{Config, Engine, Linker, Module, ResumableCall, ResumableCallHostTrap, Store, TrapCode, Val};

use super::{
    activate::{Estimates, activate},
    code,
    hooks::{HookState, Host, Machine, Request, Stop, linker},
    instrument::{INK_LEFT, INK_STATUS, STACK_LEFT},
    validate::{ENTRYPOINT, MEMORY},
};
use crate::arbos::{Rules, Version};

/// Most compiled programs kept; the cache is emptied when it is full.
const MAX_CACHED_PROGRAMS: usize = 512;
/// wasmi's own limits. They lie beyond what the stack counter of a program allows, so that the
/// counter and not the engine ends a recursion.
const MAX_RECURSION: usize = 100_000;
const MAX_STACK_BYTES: usize = 64 * 1024 * 1024;

/// A compiled program.
#[derive(Debug)]
pub struct Program {
    module: Module,
    /// Costs and sizes that activation found.
    pub estimates: Estimates,
}

/// The engine, the host functions and the compiled programs.
#[derive(Debug)]
pub struct Runtime {
    engine: Engine,
    linker: Linker<HookState>,
    programs: Mutex<HashMap<B256, Arc<Program>>>,
}

impl Default for Runtime {
    fn default() -> Self {
        let mut config = Config::default();
        config.set_max_recursion_depth(MAX_RECURSION);
        config.set_max_stack_height(MAX_STACK_BYTES);
        let engine = Engine::new(&config);
        // Proof: the table of hooks is fixed, and a test builds it.
        let linker = linker(&engine).expect("every hook is defined once");
        Self {
            engine,
            linker,
            programs: Mutex::default(),
        }
    }
}

impl Runtime {
    /// Compiles the program of a piece of deployed code, and keeps it; `pieces` is the code of its fragments.
    ///
    /// # Errors
    /// Why the code is not accepted, in words.
    pub fn program(
        &self,
        code_hash: B256,
        code: &[u8],
        pieces: &[Bytes],
        rules: &Rules,
    ) -> Result<Arc<Program>, String> {
        let wasm = code::decode(code, pieces, rules).map_err(|error| error.to_string())?;
        let program = self.compile(&wasm, rules.version)?;
        let mut programs = self.programs.lock().unwrap_or_else(PoisonError::into_inner);
        if programs.len() >= MAX_CACHED_PROGRAMS {
            programs.clear();
        }
        programs.insert(code_hash, program.clone());
        Ok(program)
    }

    /// The compiled program for a code hash, where it is kept.
    pub fn cached(&self, code_hash: B256) -> Option<Arc<Program>> {
        let programs = self.programs.lock().unwrap_or_else(PoisonError::into_inner);
        programs.get(&code_hash).cloned()
    }

    fn compile(&self, wasm: &[u8], version: Version) -> Result<Arc<Program>, String> {
        let activation = activate(wasm, version.several_results()).map_err(|error| error.to_string())?;
        let module = Module::new(&self.engine, &activation.instrumented.wasm).map_err(|error| error.to_string())?;
        Ok(Arc::new(Program {
            module,
            estimates: activation.estimates,
        }))
    }
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The entrypoint returned 0.
    Return,
    /// It returned something else.
    Revert,
    /// A trap, or a wrong host call.
    Failure,
    /// Ink ran out.
    OutOfInk,
    /// Stack words ran out.
    OutOfStack,
}

/// The outcome of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// How it ended.
    pub ending: Ending,
    /// What it returned or reverted with.
    pub output: Bytes,
    /// Ink left; 0 when it ran out.
    pub ink_left: u64,
}

/// What a program does next.
#[derive(Debug)]
pub enum Step {
    /// It ended.
    Done(Outcome),
    /// It waits for an answer.
    Need(Request),
}

/// A program in the middle of a call.
#[derive(Debug)]
pub struct Running {
    store: Store<HookState>,
    suspended: Option<ResumableCallHostTrap>,
}

impl Running {
    /// Starts a program with `ink` and runs it to its end or its first request.
    pub fn start(runtime: &Runtime, program: &Program, state: HookState, ink: u64) -> (Self, Step) {
        let mut running = Self {
            store: Store::new(&runtime.engine, state),
            suspended: None,
        };
        let step = running.enter(runtime, program, ink).unwrap_or_else(|| {
            Step::Done(Outcome {
                ending: Ending::Failure,
                output: Bytes::new(),
                ink_left: ink,
            })
        });
        (running, step)
    }

    /// Instantiates and enters the program; `None` when its segments do not fit.
    fn enter(&mut self, runtime: &Runtime, program: &Program, ink: u64) -> Option<Step> {
        let store = &mut self.store;
        let instance = runtime
            .linker
            .instantiate_and_start(&mut *store, &program.module)
            .ok()?;
        let global = |name| instance.get_global(&*store, name);
        let machine = Machine {
            memory: instance.get_memory(&*store, MEMORY)?,
            ink: global(INK_LEFT)?,
            status: global(INK_STATUS)?,
            stack: global(STACK_LEFT)?,
        };
        let entrypoint = instance.get_func(&*store, ENTRYPOINT)?;
        machine.ink.set(&mut *store, Val::I64(ink as i64)).ok()?;
        store.data_mut().machine = Some(machine);
        let args = store.data().env.args.len() as i32;
        let mut status = [Val::I32(0)];
        let call = entrypoint.call_resumable(&mut *store, &[Val::I32(args)], &mut status);
        Some(self.step(call, &status))
    }

    /// Goes on after a request was answered with `answer`, the results of the hook.
    pub fn resume(&mut self, answer: &[Val]) -> Step {
        let Some(suspended) = self.suspended.take() else {
            return self.done(Ending::Failure);
        };
        let mut status = [Val::I32(0)];
        let call = suspended.resume(&mut self.store, answer, &mut status);
        self.step(call, &status)
    }

    /// Ends the program where it stands: its request could not be answered.
    pub fn stop(&mut self, stop: Stop) -> Step {
        self.suspended = None;
        match stop {
            Stop::OutOfInk => self.done(Ending::OutOfInk),
            Stop::Exit(0) => self.done(Ending::Return),
            Stop::Exit(_) => self.done(Ending::Revert),
            Stop::Failure | Stop::Suspend => self.done(Ending::Failure),
        }
    }

    /// The program's memory, purse and data.
    pub fn host(&mut self) -> Host<&mut Store<HookState>> {
        Host(&mut self.store)
    }

    fn step(&mut self, call: Result<ResumableCall, wasmi::Error>, status: &[Val; 1]) -> Step {
        match call {
            Ok(ResumableCall::Finished) => match status[0] {
                Val::I32(0) => self.done(Ending::Return),
                _ => self.done(Ending::Revert),
            },
            Ok(ResumableCall::HostTrap(trap)) => {
                let stop = trap.host_error().downcast_ref::<Stop>().copied();
                match (stop, self.store.data_mut().request.take()) {
                    (Some(Stop::Suspend), Some(request)) => {
                        self.suspended = Some(trap);
                        Step::Need(request)
                    }
                    (stop, _) => self.stop(stop.unwrap_or(Stop::Failure)),
                }
            }
            Ok(ResumableCall::OutOfFuel(_)) => self.done(Ending::Failure),
            Err(error) => {
                let ending = self.trap(error.as_trap_code());
                self.done(ending)
            }
        }
    }

    fn trap(&self, code: Option<TrapCode>) -> Ending {
        let Some(machine) = self.store.data().machine else {
            return Ending::Failure;
        };
        if !matches!(machine.status.get(&self.store), Val::I32(0)) {
            return Ending::OutOfInk;
        }
        let exhausted = matches!(machine.stack.get(&self.store), Val::I32(0));
        if exhausted || code == Some(TrapCode::StackOverflow) {
            return Ending::OutOfStack;
        }
        Ending::Failure
    }

    fn done(&mut self, ending: Ending) -> Step {
        let ink_left = match ending {
            Ending::OutOfInk => 0,
            _ => self.host().ink().unwrap_or(0),
        };
        let output = match ending {
            Ending::Return | Ending::Revert => std::mem::take(&mut self.store.data_mut().result),
            _ => Bytes::new(),
        };
        Step::Done(Outcome {
            ending,
            output,
            ink_left,
        })
    }
}
