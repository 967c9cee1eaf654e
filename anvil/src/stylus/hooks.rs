//! The 42 host functions that a program may import from `vm_hooks`.
//!
//! A hook that needs nothing but the frame's own data is answered at once. One that needs the
//! chain's state pays its fixed part, leaves a [`Request`] and suspends the program; `serve`
//! answers it from outside, so no hook ever holds the EVM.

use std::collections::BTreeMap;

use revm::primitives::{Address, B256, Bytes, U256, keccak256};
use wasmi::{AsContextMut, Caller, Engine, Global, Linker, Memory, Store, Val};

use crate::trace::hostio::HostTrace;

use super::{
    imports::HOOKS_MODULE,
    meter::{EVM_API, HOSTIO, INK_PRICE, POINTER, Pages, keccak_ink, pow_ink, read_ink, write_ink},
};

/// Gas that must be left for a storage load (a cold read and both surcharges).
const STORAGE_LOAD_GAS: u64 = 2_115;
/// Gas that must be left for a cached storage write.
const STORAGE_CACHE_GAS: u64 = 2_310;
/// Gas that must be left for a flush (EIP-2200's sentry).
const STORAGE_FLUSH_GAS: u64 = 2_300;
/// Gas that must be left for a look at an account (a cold one, EIP-2929).
const ACCOUNT_GAS: u64 = 2_600;
/// Gas of a transient load or store (EIP-1153).
const TRANSIENT_GAS: u64 = 100;
/// Gas of a log, and the same again for each topic.
const LOG_GAS: u64 = 375;
/// Gas of a byte of log data.
const LOG_BYTE_GAS: u64 = 8;
/// Most topics of a log.
const MAX_TOPICS: u32 = 4;

/// Why a hook did not return to the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Ink ran out.
    OutOfInk,
    /// The call is wrong: memory out of bounds, a write in a static frame.
    Failure,
    /// `exit_early` with this status.
    Exit(u32),
    /// A [`Request`] waits for an answer.
    Suspend,
}

impl std::fmt::Display for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self:?}")
    }
}

impl wasmi::errors::HostError for Stop {}

/// What only the chain's state can answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Read a slot that is not in the cache; `surcharge` is the gas of this read's place in line.
    StorageLoad { key: B256, dest: u32, surcharge: u64 },
    /// Write slots, in key order.
    Flush { slots: Vec<(B256, B256)> },
    /// Read a transient slot.
    TransientLoad { key: B256, dest: u32 },
    /// Write a transient slot.
    TransientStore { key: B256, value: B256 },
    /// Call another contract.
    Call {
        kind: CallKind,
        to: Address,
        input: Bytes,
        value: U256,
        gas: u64,
        return_len: u32,
    },
    /// Create a contract.
    Create {
        code: Bytes,
        value: U256,
        salt: Option<B256>,
        address: u32,
        revert_len: u32,
    },
    /// Emit a log.
    Log { topics: Vec<B256>, data: Bytes },
    /// Balance of an account.
    Balance { account: Address, dest: u32 },
    /// Code hash of an account.
    CodeHash { account: Address, dest: u32 },
    /// A piece of an account's code.
    Code {
        account: Address,
        offset: u32,
        size: u32,
        dest: u32,
    },
    /// Length of an account's code.
    CodeSize { account: Address },
}

/// Ways to call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallKind {
    /// With value, own context.
    Call,
    /// The callee runs as the caller.
    Delegate,
    /// No writes below.
    Static,
}

/// What a program may ask about its call; fixed when the frame starts.
#[derive(Clone, Debug, Default)]
pub struct Env {
    /// Calldata.
    pub args: Bytes,
    /// `msg.sender`.
    pub caller: Address,
    /// The acting address: storage and logs are its.
    pub address: Address,
    /// `msg.value`.
    pub value: U256,
    /// `tx.origin`.
    pub origin: Address,
    /// Wei per gas that the transaction pays.
    pub gas_price: U256,
    /// Wei per gas.
    pub basefee: U256,
    /// Receiver of fees.
    pub coinbase: Address,
    /// Gas limit of the block.
    pub gas_limit: u64,
    /// `block.number`: the parent chain's.
    pub number: u64,
    /// UNIX seconds.
    pub timestamp: u64,
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// Whether the acting address has more than one non-delegate frame open.
    pub reentrant: bool,
    /// Whether writes are forbidden.
    pub is_static: bool,
}

/// A slot in a frame's cache.
#[derive(Clone, Copy, Debug)]
struct Slot {
    value: B256,
    /// What the state holds, where it is known.
    known: Option<B256>,
}

/// Storage as one frame sees it between flushes.
#[derive(Clone, Debug, Default)]
pub struct StorageCache {
    slots: BTreeMap<B256, Slot>,
    reads: u32,
    writes: u32,
}

impl StorageCache {
    fn read_gas(&mut self) -> u64 {
        self.reads = self.reads.saturating_add(1);
        match self.reads {
            0..=32 => 0,
            33..=128 => 2,
            _ => 10,
        }
    }

    fn write_gas(&mut self) -> u64 {
        self.writes = self.writes.saturating_add(1);
        match self.writes {
            0..=8 => 0,
            9..=64 => 7,
            _ => 10,
        }
    }

    /// Puts a value that was read from the state.
    pub fn fill(&mut self, key: B256, value: B256) {
        self.slots.insert(
            key,
            Slot {
                value,
                known: Some(value),
            },
        );
    }

    fn write(&mut self, key: B256, value: B256) {
        let known = self.slots.get(&key).and_then(|slot| slot.known);
        self.slots.insert(key, Slot { value, known });
    }

    /// Takes what has to be written, in key order; afterwards nothing is dirty.
    fn take_dirty(&mut self) -> Vec<(B256, B256)> {
        let mut dirty = Vec::new();
        for (key, slot) in &mut self.slots {
            if slot.known != Some(slot.value) {
                slot.known = Some(slot.value);
                dirty.push((*key, slot.value));
            }
        }
        dirty
    }
}

/// All that hooks know of a running program.
#[derive(Debug, Default)]
pub struct HookState {
    /// What the program may ask about its call.
    pub env: Env,
    /// The instance's memory and counters; set once it is instantiated.
    pub machine: Option<Machine>,
    /// What `write_result` left.
    pub result: Bytes,
    /// What the last sub-call returned.
    pub return_data: Bytes,
    /// The account whose code this frame read last, and the code; reading it again is free.
    pub last_code: Option<(Address, Bytes)>,
    /// Storage cache of this frame.
    pub cache: StorageCache,
    /// Memory pages of the whole transaction; copied in and out around each run.
    pub pages: Pages,
    /// What the program waits for.
    pub request: Option<Request>,
    /// Host calls so far, where a trace is wanted.
    pub trace: Option<HostTrace>,
}

/// Handles into a program's instance.
#[derive(Clone, Copy, Debug)]
pub struct Machine {
    /// Linear memory.
    pub memory: Memory,
    /// Ink left.
    pub ink: Global,
    /// 1 once ink has run out.
    pub status: Global,
    /// Stack words left.
    pub stack: Global,
}

/// Where a program's memory and data are reached: inside a hook, or from outside.
pub trait Access: AsContextMut<Data = HookState> {
    /// The frame's data.
    fn state(&mut self) -> &mut HookState;
}

impl Access for Caller<'_, HookState> {
    fn state(&mut self) -> &mut HookState {
        self.data_mut()
    }
}

impl Access for &mut Store<HookState> {
    fn state(&mut self) -> &mut HookState {
        self.data_mut()
    }
}

/// A view of a running program: its memory and its purse.
pub struct Host<C>(pub C);

impl<C: Access> Host<C> {
    fn machine(&self) -> Result<Machine, Stop> {
        self.0.as_context().data().machine.ok_or(Stop::Failure)
    }

    /// The frame's data.
    pub fn state(&mut self) -> &mut HookState {
        self.0.state()
    }

    /// Ink left.
    pub fn ink(&self) -> Result<u64, Stop> {
        match self.machine()?.ink.get(self.0.as_context()) {
            Val::I64(ink) => Ok(ink as u64),
            _ => Err(Stop::Failure),
        }
    }

    /// Gas left, rounded down.
    pub fn gas(&self) -> Result<u64, Stop> {
        Ok(self.ink()? / INK_PRICE)
    }

    fn set_ink(&mut self, ink: u64) -> Result<(), Stop> {
        let machine = self.machine()?;
        machine
            .ink
            .set(self.0.as_context_mut(), Val::I64(ink as i64))
            .map_err(|_| Stop::Failure)
    }

    /// Takes ink; where there is too little, all of it goes.
    pub fn buy_ink(&mut self, ink: u64) -> Result<(), Stop> {
        match self.ink()?.checked_sub(ink) {
            Some(left) => self.set_ink(left),
            None => {
                self.set_ink(0)?;
                Err(Stop::OutOfInk)
            }
        }
    }

    /// Takes gas.
    pub fn buy_gas(&mut self, gas: u64) -> Result<(), Stop> {
        self.buy_ink(gas.saturating_mul(INK_PRICE))
    }

    /// Gives gas back: an unused stipend.
    pub fn refund_gas(&mut self, gas: u64) -> Result<(), Stop> {
        let ink = self.ink()?.saturating_add(gas.saturating_mul(INK_PRICE));
        self.set_ink(ink)
    }

    fn require_gas(&mut self, gas: u64) -> Result<(), Stop> {
        if self.gas()? < gas {
            self.set_ink(0)?;
            return Err(Stop::OutOfInk);
        }
        Ok(())
    }

    /// Copies bytes out of program memory.
    pub fn read(&self, at: u32, len: u32) -> Result<Bytes, Stop> {
        let memory = self.machine()?.memory;
        let (at, len) = (at as usize, len as usize);
        let end = at.checked_add(len).ok_or(Stop::Failure)?;
        let data = memory.data(self.0.as_context());
        data.get(at..end).map(Bytes::copy_from_slice).ok_or(Stop::Failure)
    }

    fn read_word(&self, at: u32) -> Result<B256, Stop> {
        Ok(B256::from_slice(&self.read(at, 32)?))
    }

    fn read_u256(&self, at: u32) -> Result<U256, Stop> {
        Ok(self.read_word(at)?.into())
    }

    fn read_address(&self, at: u32) -> Result<Address, Stop> {
        Ok(Address::from_slice(&self.read(at, 20)?))
    }

    /// Copies bytes into program memory.
    pub fn write(&mut self, at: u32, bytes: &[u8]) -> Result<(), Stop> {
        let memory = self.machine()?.memory;
        memory
            .write(self.0.as_context_mut(), at as usize, bytes)
            .map_err(|_| Stop::Failure)
    }

    fn write_u256(&mut self, at: u32, value: U256) -> Result<(), Stop> {
        self.write(at, &value.to_be_bytes::<32>())
    }

    /// A traced hook begins; a program whose trace is over its budget ends here.
    fn trace_begin(&mut self, name: &'static str, params: &[u64]) -> Result<(), Stop> {
        let ink = self.ink()?;
        let memory = self.machine()?.memory;
        let (memory, state) = memory.data_and_store_mut(self.0.as_context_mut());
        let within = state
            .trace
            .as_mut()
            .is_none_or(|trace| trace.begin(name, params, ink, memory));
        if within { Ok(()) } else { Err(Stop::Failure) }
    }

    /// The last hook of a traced program succeeded.
    ///
    /// # Errors
    /// [`Stop::Failure`] if the trace is over its budget.
    pub fn trace_end(&mut self, result: u64) -> Result<(), Stop> {
        if self.state().trace.is_none() {
            return Ok(());
        }
        let ink = self.ink()?;
        let memory = self.machine()?.memory;
        let (memory, state) = memory.data_and_store_mut(self.0.as_context_mut());
        let args = &state.env.args;
        let within = state
            .trace
            .as_mut()
            .is_none_or(|trace| trace.end(result, ink, memory, args));
        if within { Ok(()) } else { Err(Stop::Failure) }
    }

    /// The last hook of a traced program failed.
    pub fn trace_fail(&mut self) {
        let ink = self.ink().unwrap_or(0);
        if let Some(trace) = &mut self.state().trace {
            trace.fail(ink);
        }
    }

    fn suspend<T>(&mut self, request: Request) -> Result<T, Stop> {
        self.state().request = Some(request);
        Err(Stop::Suspend)
    }

    fn forbid_in_static(&mut self) -> Result<(), Stop> {
        if self.state().env.is_static {
            Err(Stop::Failure)
        } else {
            Ok(())
        }
    }

    fn env_bytes(&mut self, dest: u32, bytes: impl FnOnce(&Env) -> Vec<u8>) -> Result<(), Stop> {
        self.buy_ink(HOSTIO + POINTER)?;
        let bytes = bytes(&self.state().env);
        self.write(dest, &bytes)
    }

    fn env_number<T>(&mut self, number: impl FnOnce(&Env) -> T) -> Result<T, Stop> {
        self.buy_ink(HOSTIO)?;
        Ok(number(&self.state().env))
    }

    fn call(
        &mut self,
        kind: CallKind,
        (to, data, len): (u32, u32, u32),
        value: Option<u32>,
        gas: u64,
        return_len: u32,
    ) -> Result<u32, Stop> {
        self.buy_ink(HOSTIO + 3 * POINTER + EVM_API)?;
        self.buy_ink(2 * read_ink(len.into()))?;
        let to = self.read_address(to)?;
        let input = self.read(data, len)?;
        let value = match value {
            Some(at) => self.read_u256(at)?,
            None => U256::ZERO,
        };
        self.suspend(Request::Call {
            kind,
            to,
            input,
            value,
            gas,
            return_len,
        })
    }

    fn create(
        &mut self,
        (code, len): (u32, u32),
        value: u32,
        salt: Option<u32>,
        address: u32,
        revert_len: u32,
    ) -> Result<(), Stop> {
        let pointers = if salt.is_some() { 4 } else { 3 };
        self.buy_ink(HOSTIO + pointers * POINTER + EVM_API)?;
        self.buy_ink(2 * read_ink(len.into()))?;
        self.forbid_in_static()?;
        let code = self.read(code, len)?;
        let value = self.read_u256(value)?;
        let salt = salt.map(|at| self.read_word(at)).transpose()?;
        self.suspend(Request::Create {
            code,
            value,
            salt,
            address,
            revert_len,
        })
    }

    fn math2(&mut self, (a, b): (u32, u32), ink: u64, compute: impl FnOnce(U256, U256) -> U256) -> Result<(), Stop> {
        self.buy_ink(HOSTIO + 3 * POINTER + ink)?;
        let value = compute(self.read_u256(a)?, self.read_u256(b)?);
        self.write_u256(a, value)
    }

    fn math3(
        &mut self,
        (a, b, c): (u32, u32, u32),
        ink: u64,
        compute: impl FnOnce(U256, U256, U256) -> U256,
    ) -> Result<(), Stop> {
        self.buy_ink(HOSTIO + 4 * POINTER + ink)?;
        let value = compute(self.read_u256(a)?, self.read_u256(b)?, self.read_u256(c)?);
        self.write_u256(a, value)
    }

    fn storage_load(&mut self, key: u32, dest: u32) -> Result<(), Stop> {
        self.buy_ink(HOSTIO + 2 * POINTER)?;
        self.require_gas(STORAGE_LOAD_GAS)?;
        let key = self.read_word(key)?;
        let surcharge = self.state().cache.read_gas();
        let Some(slot) = self.state().cache.slots.get(&key).copied() else {
            return self.suspend(Request::StorageLoad { key, dest, surcharge });
        };
        self.buy_gas(surcharge)?;
        self.write(dest, slot.value.as_slice())
    }

    fn storage_cache(&mut self, key: u32, value: u32) -> Result<(), Stop> {
        self.buy_ink(HOSTIO + 2 * POINTER)?;
        self.require_gas(STORAGE_CACHE_GAS)?;
        let key = self.read_word(key)?;
        let value = self.read_word(value)?;
        let gas = self.state().cache.write_gas();
        self.buy_gas(gas)?;
        self.state().cache.write(key, value);
        Ok(())
    }

    fn storage_flush(&mut self, clear: u32) -> Result<(), Stop> {
        self.buy_ink(HOSTIO + EVM_API)?;
        self.require_gas(STORAGE_FLUSH_GAS)?;
        let slots = self.state().cache.take_dirty();
        if clear != 0 {
            self.state().cache.slots.clear();
        }
        if slots.is_empty() {
            return Ok(());
        }
        self.forbid_in_static()?;
        self.suspend(Request::Flush { slots })
    }

    fn emit_log(&mut self, data: u32, len: u32, topics: u32) -> Result<(), Stop> {
        self.buy_ink(HOSTIO + EVM_API)?;
        let data_len = topics
            .checked_mul(32)
            .filter(|_| topics <= MAX_TOPICS)
            .and_then(|bytes| len.checked_sub(bytes))
            .ok_or(Stop::Failure)?;
        self.buy_ink(read_ink(len.into()))?;
        self.buy_gas(LOG_GAS * u64::from(1 + topics) + LOG_BYTE_GAS * u64::from(data_len))?;
        self.forbid_in_static()?;
        let bytes = self.read(data, len)?;
        let (head, tail) = bytes.split_at(topics as usize * 32);
        let topics = head.chunks_exact(32).map(B256::from_slice).collect();
        let data = Bytes::copy_from_slice(tail);
        self.suspend(Request::Log { topics, data })
    }

    fn read_return_data(&mut self, dest: u32, offset: u32, size: u32) -> Result<u32, Stop> {
        self.buy_ink(HOSTIO + EVM_API)?;
        let data = self.state().return_data.clone();
        let start = (offset as usize).min(data.len());
        let len = (size as usize).min(data.len() - start);
        self.buy_ink(write_ink(len as u64))?;
        if len > 0 {
            self.write(dest, &data[start..start + len])?;
        }
        Ok(len as u32)
    }

    fn pay_for_memory_grow(&mut self, pages: u32) -> Result<(), Stop> {
        // The argument is 16 bits wide; memory.grow itself refuses anything larger.
        let pages = pages as u16;
        if pages == 0 {
            return self.buy_ink(HOSTIO);
        }
        let gas = self.state().pages.gas(pages);
        self.state().pages.add(pages);
        self.buy_gas(gas)
    }
}

/// Runs one hook; a traced program's is noted.
fn hook<T: HookResult, const N: usize>(
    caller: Caller<'_, HookState>,
    name: &'static str,
    params: [u64; N],
    run: impl FnOnce(&mut Host<Caller<'_, HookState>>) -> Result<T, Stop>,
) -> Result<T, wasmi::Error> {
    let mut host = Host(caller);
    if host.state().trace.is_none() {
        return run(&mut host).map_err(wasmi::Error::host);
    }
    host.trace_begin(name, &params).map_err(wasmi::Error::host)?;
    let result = run(&mut host);
    let noted = match &result {
        Ok(value) => host.trace_end(value.bits()),
        Err(Stop::Exit(_)) => host.trace_end(0),
        // It ends when its request is answered.
        Err(Stop::Suspend) => Ok(()),
        Err(_) => {
            host.trace_fail();
            Ok(())
        }
    };
    result
        .and_then(|value| noted.map(|()| value))
        .map_err(wasmi::Error::host)
}

/// What a hook gives back to the program.
trait HookResult {
    /// As an unsigned number; 0 where there is none.
    fn bits(&self) -> u64;
}

impl HookResult for () {
    fn bits(&self) -> u64 {
        0
    }
}

impl HookResult for u32 {
    fn bits(&self) -> u64 {
        u64::from(*self)
    }
}

impl HookResult for u64 {
    fn bits(&self) -> u64 {
        *self
    }
}

fn zero_if_none(value: Option<U256>) -> U256 {
    value.unwrap_or(U256::ZERO)
}

/// All hooks, ready to be linked with programs.
///
/// # Errors
/// A hook was defined twice.
pub fn linker(engine: &Engine) -> Result<Linker<HookState>, wasmi::Error> {
    let mut linker = Linker::<HookState>::new(engine);
    /// One hook: its name, its parameters, and what it does with the host.
    macro_rules! hooks {
        ($($name:literal ($($arg:ident: $ty:ty),*) $(-> $ret:ty)? = |$host:ident| $body:expr;)*) => {
            $(
                linker.func_wrap(
                    HOOKS_MODULE,
                    $name,
                    |caller: Caller<'_, HookState> $(, $arg: $ty)*| {
                        hook(caller, $name, [$(u64::from($arg)),*], |$host| $body)
                    },
                )?;
            )*
        };
    }
    hooks! {
        "read_args"(dest: u32) = |host| {
            let args = host.state().env.args.clone();
            host.buy_ink(HOSTIO + write_ink(args.len() as u64))?;
            host.write(dest, &args)
        };
        "write_result"(data: u32, len: u32) = |host| {
            host.buy_ink(HOSTIO + 2 * read_ink(len.into()))?;
            host.state().result = host.read(data, len)?;
            Ok(())
        };
        "exit_early"(status: u32) = |_host| Err::<(), _>(Stop::Exit(status));
        "storage_load_bytes32"(key: u32, dest: u32) = |host| host.storage_load(key, dest);
        "storage_cache_bytes32"(key: u32, value: u32) = |host| host.storage_cache(key, value);
        "storage_flush_cache"(clear: u32) = |host| host.storage_flush(clear);
        "transient_load_bytes32"(key: u32, dest: u32) = |host| {
            host.buy_ink(HOSTIO + 2 * POINTER + EVM_API)?;
            host.buy_gas(TRANSIENT_GAS)?;
            let key = host.read_word(key)?;
            host.suspend::<()>(Request::TransientLoad { key, dest })
        };
        "transient_store_bytes32"(key: u32, value: u32) = |host| {
            host.buy_ink(HOSTIO + 2 * POINTER + EVM_API)?;
            host.buy_gas(TRANSIENT_GAS)?;
            host.forbid_in_static()?;
            let key = host.read_word(key)?;
            let value = host.read_word(value)?;
            host.suspend::<()>(Request::TransientStore { key, value })
        };
        "call_contract"(to: u32, data: u32, len: u32, value: u32, gas: u64, ret: u32) -> u32 =
            |host| host.call(CallKind::Call, (to, data, len), Some(value), gas, ret);
        "delegate_call_contract"(to: u32, data: u32, len: u32, gas: u64, ret: u32) -> u32 =
            |host| host.call(CallKind::Delegate, (to, data, len), None, gas, ret);
        "static_call_contract"(to: u32, data: u32, len: u32, gas: u64, ret: u32) -> u32 =
            |host| host.call(CallKind::Static, (to, data, len), None, gas, ret);
        "create1"(code: u32, len: u32, value: u32, address: u32, revert_len: u32) =
            |host| host.create((code, len), value, None, address, revert_len);
        "create2"(code: u32, len: u32, value: u32, salt: u32, address: u32, revert_len: u32) =
            |host| host.create((code, len), value, Some(salt), address, revert_len);
        "read_return_data"(dest: u32, offset: u32, size: u32) -> u32 =
            |host| host.read_return_data(dest, offset, size);
        "return_data_size"() -> u32 = |host| {
            host.buy_ink(HOSTIO)?;
            Ok(host.state().return_data.len() as u32)
        };
        "emit_log"(data: u32, len: u32, topics: u32) = |host| host.emit_log(data, len, topics);
        "account_balance"(account: u32, dest: u32) = |host| {
            host.buy_ink(HOSTIO + 2 * POINTER + EVM_API)?;
            host.require_gas(ACCOUNT_GAS)?;
            let account = host.read_address(account)?;
            host.suspend::<()>(Request::Balance { account, dest })
        };
        "account_codehash"(account: u32, dest: u32) = |host| {
            host.buy_ink(HOSTIO + 2 * POINTER + EVM_API)?;
            host.require_gas(ACCOUNT_GAS)?;
            let account = host.read_address(account)?;
            host.suspend::<()>(Request::CodeHash { account, dest })
        };
        "account_code"(account: u32, offset: u32, size: u32, dest: u32) -> u32 = |host| {
            host.buy_ink(HOSTIO + EVM_API)?;
            host.require_gas(ACCOUNT_GAS)?;
            let account = host.read_address(account)?;
            host.suspend::<u32>(Request::Code { account, offset, size, dest })
        };
        "account_code_size"(account: u32) -> u32 = |host| {
            host.buy_ink(HOSTIO + EVM_API)?;
            host.require_gas(ACCOUNT_GAS)?;
            let account = host.read_address(account)?;
            host.suspend::<u32>(Request::CodeSize { account })
        };
        "block_basefee"(dest: u32) =
            |host| host.env_bytes(dest, |env| env.basefee.to_be_bytes_vec());
        "block_coinbase"(dest: u32) = |host| host.env_bytes(dest, |env| env.coinbase.to_vec());
        "contract_address"(dest: u32) = |host| host.env_bytes(dest, |env| env.address.to_vec());
        "msg_sender"(dest: u32) = |host| host.env_bytes(dest, |env| env.caller.to_vec());
        "msg_value"(dest: u32) = |host| host.env_bytes(dest, |env| env.value.to_be_bytes_vec());
        "tx_gas_price"(dest: u32) =
            |host| host.env_bytes(dest, |env| env.gas_price.to_be_bytes_vec());
        "tx_origin"(dest: u32) = |host| host.env_bytes(dest, |env| env.origin.to_vec());
        "block_gas_limit"() -> u64 = |host| host.env_number(|env| env.gas_limit);
        "block_number"() -> u64 = |host| host.env_number(|env| env.number);
        "block_timestamp"() -> u64 = |host| host.env_number(|env| env.timestamp);
        "chainid"() -> u64 = |host| host.env_number(|env| env.chain_id);
        "evm_gas_left"() -> u64 = |host| {
            host.buy_ink(HOSTIO)?;
            host.gas()
        };
        "evm_ink_left"() -> u64 = |host| {
            host.buy_ink(HOSTIO)?;
            host.ink()
        };
        "msg_reentrant"() -> u32 = |host| host.env_number(|env| u32::from(env.reentrant));
        "tx_ink_price"() -> u32 = |host| host.env_number(|_| INK_PRICE as u32);
        "math_div"(a: u32, b: u32) =
            |host| host.math2((a, b), 20_000, |a, b| zero_if_none(a.checked_div(b)));
        "math_mod"(a: u32, b: u32) =
            |host| host.math2((a, b), 20_000, |a, b| zero_if_none(a.checked_rem(b)));
        "math_pow"(a: u32, b: u32) = |host| {
            host.buy_ink(HOSTIO + 3 * POINTER)?;
            let exponent = host.read_u256(b)?;
            host.buy_ink(pow_ink(&exponent.to_be_bytes::<32>()))?;
            let value = host.read_u256(a)?.wrapping_pow(exponent);
            host.write_u256(a, value)
        };
        "math_add_mod"(a: u32, b: u32, c: u32) =
            |host| host.math3((a, b, c), 21_000, |a, b, c| a.add_mod(b, c));
        "math_mul_mod"(a: u32, b: u32, c: u32) =
            |host| host.math3((a, b, c), 24_100, |a, b, c| a.mul_mod(b, c));
        "native_keccak256"(data: u32, len: u32, dest: u32) = |host| {
            host.buy_ink(keccak_ink(len.into()))?;
            let hash = keccak256(host.read(data, len)?);
            host.write(dest, hash.as_slice())
        };
        "pay_for_memory_grow"(pages: u32) = |host| host.pay_for_memory_grow(pages);
    }
    Ok(linker)
}
