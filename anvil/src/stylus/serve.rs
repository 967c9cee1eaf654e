//! Answers what a program asks of the chain, with the EVM's own gas rules.

use revm::{
    Database,
    context::{Cfg, ContextTr, CreateScheme, JournalTr},
    interpreter::{CallInput, CallInputs, CallScheme, CallValue, CreateInputs, FrameInput, InstructionResult},
    primitives::{Address, B256, Bytes, Log, LogData, U256},
};
use wasmi::Val;

use super::{
    evm::Ctx,
    hooks::{CallKind, Request, Stop},
    meter::write_ink,
    runtime::Running,
};

/// Gas of a cold account or slot, and of a warm one (EIP-2929).
const COLD_ACCOUNT_GAS: u64 = 2_600;
const COLD_SLOT_GAS: u64 = 2_100;
const WARM_GAS: u64 = 100;
/// Gas of a storage cache miss on top of the read.
const CACHE_MISS_GAS: u64 = 5;
/// Gas of handling code, as EXTCODECOPY had it.
const CODE_GAS: u64 = 700;
/// Gas of sending value, and of creating an account with it.
const VALUE_GAS: u64 = 9_000;
const NEW_ACCOUNT_GAS: u64 = 25_000;
/// Gas that a callee receives with value.
const STIPEND: u64 = 2_300;
/// Gas of CREATE, and of hashing one word of init code for CREATE2.
const CREATE_GAS: u64 = 32_000;
const CREATE2_WORD_GAS: u64 = 6;
/// Statuses of a sub-call.
const SUCCEEDED: u32 = 0;
const FAILED: u32 = 2;

/// What became of a request.
pub enum Served {
    /// Go on with these results of the hook.
    Answer(Vec<Val>),
    /// End the program.
    Stop(Stop),
    /// Run this frame first, then call [`settle`].
    Frame(FrameInput, Pending),
}

/// What a program waits for while a frame runs.
#[derive(Clone, Debug)]
pub enum Pending {
    /// A call: gas already due, gas given (stipend included), and where the length of the return data goes.
    Call { base: u64, given: u64, return_len: u32 },
    /// A creation: the same, and where the address goes.
    Create {
        base: u64,
        given: u64,
        address: u32,
        revert_len: u32,
    },
}

/// The end of the frame that a program waited for.
pub struct Returned {
    /// How it ended.
    pub result: InstructionResult,
    /// Gas it did not use.
    pub remaining: u64,
    /// Its refund counter.
    pub refunded: i64,
    /// Its output.
    pub output: Bytes,
    /// The created contract.
    pub address: Option<Address>,
}

/// Gas refunds (EIP-3529) are added to `refund`.
///
/// # Errors
/// The database failed.
pub fn serve<DB: Database>(
    ctx: &mut Ctx<DB>,
    running: &mut Running,
    request: Request,
    refund: &mut i64,
) -> Result<Served, DB::Error> {
    let acting = running.host().state().env.address;
    let served = match request {
        Request::StorageLoad { key, dest, surcharge } => {
            let load = ctx.journal_mut().sload(acting, key.into())?;
            let value = B256::from(load.data);
            running.host().state().cache.fill(key, value);
            let gas = CACHE_MISS_GAS + surcharge;
            let gas = gas + if load.is_cold { COLD_SLOT_GAS } else { WARM_GAS };
            pay(running, gas)
                .and_then(|()| running.host().write(dest, value.as_slice()))
                .map(none)
        }
        Request::Flush { slots } => flush(ctx, running, acting, slots, refund)?.map(none),
        Request::TransientLoad { key, dest } => {
            let value = ctx.journal_mut().tload(acting, key.into());
            running.host().write(dest, &value.to_be_bytes::<32>()).map(none)
        }
        Request::TransientStore { key, value } => {
            ctx.journal_mut().tstore(acting, key.into(), value.into());
            Ok(Vec::new())
        }
        Request::Log { topics, data } => {
            let data = LogData::new_unchecked(topics, data);
            ctx.journal_mut().log(Log { address: acting, data });
            Ok(Vec::new())
        }
        Request::Balance { account, dest } => {
            let load = ctx.journal_mut().load_account(account)?;
            let (balance, gas) = (load.info.balance, account_gas(load.is_cold));
            let bytes = balance.to_be_bytes::<32>();
            pay(running, gas)
                .and_then(|()| running.host().write(dest, &bytes))
                .map(none)
        }
        Request::CodeHash { account, dest } => {
            let load = ctx.journal_mut().code_hash(account)?;
            let gas = account_gas(load.is_cold);
            pay(running, gas)
                .and_then(|()| running.host().write(dest, load.data.as_slice()))
                .map(none)
        }
        Request::CodeSize { account } => {
            let (code, gas) = load_code(ctx, running, account)?;
            pay(running, gas).map(|()| number(code.len()))
        }
        Request::Code {
            account,
            offset,
            size,
            dest,
        } => {
            let (code, gas) = load_code(ctx, running, account)?;
            let start = (offset as usize).min(code.len());
            let len = (size as usize).min(code.len() - start);
            pay(running, gas)
                .and_then(|()| running.host().buy_ink(write_ink(code.len() as u64)))
                .and_then(|()| running.host().write(dest, &code[start..start + len]))
                .map(|()| number(len))
        }
        Request::Call {
            kind,
            to,
            input,
            value,
            gas,
            return_len,
        } => {
            let call = Call {
                kind,
                to,
                input,
                value,
                gas,
                return_len,
            };
            return prepare_call(ctx, running, call);
        }
        Request::Create {
            code,
            value,
            salt,
            address,
            revert_len,
        } => {
            let pending = |base, given| Pending::Create {
                base,
                given,
                address,
                revert_len,
            };
            return Ok(prepare_create(running, code, value, salt, pending));
        }
    };
    Ok(match served {
        Ok(answer) => Served::Answer(answer),
        Err(stop) => Served::Stop(stop),
    })
}

fn none((): ()) -> Vec<Val> {
    Vec::new()
}

fn number(value: usize) -> Vec<Val> {
    vec![Val::I32(value as i32)]
}

fn pay(running: &mut Running, gas: u64) -> Result<(), Stop> {
    running.host().buy_gas(gas)
}

/// An account's code, without paying for it or warming the account.
///
/// # Errors
/// The database failed.
pub fn peek_code<DB: Database>(ctx: &mut Ctx<DB>, account: Address) -> Result<Bytes, DB::Error> {
    if let Some(loaded) = ctx.journal_mut().inner.state.get(&account)
        && let Some(code) = &loaded.info.code
    {
        return Ok(code.original_bytes());
    }
    let Some(info) = ctx.db_mut().basic(account)? else {
        return Ok(Bytes::new());
    };
    let code = match info.code {
        Some(code) => code,
        None => ctx.db_mut().code_by_hash(info.code_hash)?,
    };
    Ok(code.original_bytes())
}

/// An account's code and the gas of reading it. A frame that asks again for the code it read last pays nothing, unless
/// there was none.
fn load_code<DB: Database>(
    ctx: &mut Ctx<DB>,
    running: &mut Running,
    account: Address,
) -> Result<(Bytes, u64), DB::Error> {
    if let Some((last, code)) = &running.host().state().last_code
        && *last == account
    {
        return Ok((code.clone(), 0));
    }
    let load = ctx.journal_mut().code(account)?;
    let gas = CODE_GAS + account_gas(load.is_cold);
    if !load.data.is_empty() {
        running.host().state().last_code = Some((account, load.data.clone()));
    }
    Ok((load.data, gas))
}

fn account_gas(is_cold: bool) -> u64 {
    if is_cold { COLD_ACCOUNT_GAS } else { WARM_GAS }
}

/// Writes slots one by one and pays for each (EIP-2200, EIP-2929, EIP-3529).
fn flush<DB: Database>(
    ctx: &mut Ctx<DB>,
    running: &mut Running,
    acting: Address,
    slots: Vec<(B256, B256)>,
    refund: &mut i64,
) -> Result<Result<(), Stop>, DB::Error> {
    for (key, value) in slots {
        let write = ctx.journal_mut().sstore(acting, key.into(), value.into())?;
        let params = ctx.cfg().gas_params();
        let gas = params.sstore_static_gas() + params.sstore_dynamic_gas(true, &write.data, write.is_cold);
        *refund += params.sstore_refund(true, &write.data);
        if let Err(stop) = pay(running, gas) {
            return Ok(Err(stop));
        }
    }
    Ok(Ok(()))
}

struct Call {
    kind: CallKind,
    to: Address,
    input: Bytes,
    value: U256,
    gas: u64,
    return_len: u32,
}

/// Prices a call and builds its frame.
fn prepare_call<DB: Database>(ctx: &mut Ctx<DB>, running: &mut Running, call: Call) -> Result<Served, DB::Error> {
    let env = running.host().state().env.clone();
    let has_value = !call.value.is_zero();
    if env.is_static && has_value {
        return Ok(refused(running, 0, call.return_len));
    }
    let available = running.host().gas().unwrap_or(0);
    let load = ctx.journal_mut().load_account_with_code(call.to)?;
    let mut base = account_gas(load.is_cold);
    if has_value {
        base += VALUE_GAS;
        if load.data.is_empty() {
            base += NEW_ACCOUNT_GAS;
        }
    }
    let mut bytecode = load.info.code.clone().unwrap_or_default();
    let mut code_hash = load.info.code_hash;
    if let Some(delegate) = bytecode.eip7702_address() {
        // Nitro neither charges a program for the delegation (EIP-7702) nor warms the delegate.
        let load = ctx.journal_mut().load_account_with_code(delegate)?;
        let is_cold = load.is_cold;
        bytecode = load.info.code.clone().unwrap_or_default();
        code_hash = load.info.code_hash;
        if is_cold && let Some(account) = ctx.journal_mut().inner.state.get_mut(&delegate) {
            account.mark_cold();
        }
    }
    let Some(left) = available.checked_sub(base) else {
        return Ok(refused(running, available, call.return_len));
    };
    let most = u128::from(left) * 63 / 64;
    // Proof: the product is at most a 64th above `left`, and the quotient below it.
    let most = u64::try_from(most).unwrap_or(u64::MAX);
    // The stipend is the callee's alone: what it leaves of it lowers the price of the call, and never below `base`.
    let given = call.gas.min(most) + if has_value { STIPEND } else { 0 };
    let is_delegate = call.kind == CallKind::Delegate;
    let inputs = CallInputs {
        input: CallInput::Bytes(call.input),
        return_memory_offset: 0..0,
        gas_limit: given,
        reservoir: 0,
        bytecode_address: call.to,
        known_bytecode: (code_hash, bytecode),
        target_address: if is_delegate { env.address } else { call.to },
        caller: if is_delegate { env.caller } else { env.address },
        value: if is_delegate {
            CallValue::Apparent(env.value)
        } else {
            CallValue::Transfer(call.value)
        },
        scheme: match call.kind {
            CallKind::Call => CallScheme::Call,
            CallKind::Delegate => CallScheme::DelegateCall,
            CallKind::Static => CallScheme::StaticCall,
        },
        is_static: env.is_static || call.kind == CallKind::Static,
        charged_new_account_state_gas: false,
    };
    let pending = Pending::Call {
        base,
        given,
        return_len: call.return_len,
    };
    Ok(Served::Frame(FrameInput::Call(Box::new(inputs)), pending))
}

/// A call that could not be made: it costs `gas` and returns nothing.
fn refused(running: &mut Running, gas: u64, return_len: u32) -> Served {
    running.host().state().return_data = Bytes::new();
    let answer = pay(running, gas).and_then(|()| running.host().write(return_len, &[0; 4]));
    match answer {
        Ok(()) => Served::Answer(vec![Val::I32(FAILED as i32)]),
        Err(stop) => Served::Stop(stop),
    }
}

fn prepare_create(
    running: &mut Running,
    code: Bytes,
    value: U256,
    salt: Option<B256>,
    pending: impl Fn(u64, u64) -> Pending,
) -> Served {
    let words = (code.len() as u64).div_ceil(32);
    let base = CREATE_GAS + if salt.is_some() { CREATE2_WORD_GAS * words } else { 0 };
    let available = running.host().gas().unwrap_or(0);
    // Nitro calls this a failure of the program and leaves it its gas.
    let Some(left) = available.checked_sub(base) else {
        return Served::Stop(Stop::Failure);
    };
    let given = left - left / 64;
    let scheme = match salt {
        Some(salt) => CreateScheme::Create2 { salt: salt.into() },
        None => CreateScheme::Create,
    };
    let creator = running.host().state().env.address;
    let inputs = CreateInputs::new(creator, scheme, value, code, given, 0);
    Served::Frame(FrameInput::Create(Box::new(inputs)), pending(base, given))
}

/// Settles the frame that a program waited for and gives the results of its hook.
///
/// # Errors
/// [`Stop`] when the program cannot go on.
pub fn settle(running: &mut Running, pending: Pending, returned: Returned, refund: &mut i64) -> Result<Vec<Val>, Stop> {
    let ok = returned.result.is_ok();
    let unused = if returned.result.is_ok_or_revert() {
        returned.remaining
    } else {
        0
    };
    if ok {
        *refund += returned.refunded;
    }
    match pending {
        Pending::Call {
            base,
            given,
            return_len,
        } => {
            let data = if returned.result.is_ok_or_revert() {
                returned.output
            } else {
                Bytes::new()
            };
            pay(running, base + given.saturating_sub(unused))?;
            running.host().write(return_len, &(data.len() as u32).to_le_bytes())?;
            running.host().state().return_data = data;
            let status = if ok { SUCCEEDED } else { FAILED };
            Ok(vec![Val::I32(status as i32)])
        }
        Pending::Create {
            base,
            given,
            address,
            revert_len,
        } => {
            let reverted = returned.result == InstructionResult::Revert;
            let data = if reverted { returned.output } else { Bytes::new() };
            pay(running, base + given.saturating_sub(unused))?;
            let created = returned.address.filter(|_| ok).unwrap_or_default();
            running.host().write(revert_len, &(data.len() as u32).to_le_bytes())?;
            running.host().write(address, created.as_slice())?;
            running.host().state().return_data = data;
            Ok(Vec::new())
        }
    }
}
