//! ArbWasm (0x71): activating programs, keeping them alive, and what they cost.

use alloy::sol_types::{SolCall, SolInterface};
use revm::{
    Database,
    context::{Block, ContextTr, JournalTr},
    primitives::{Address, B256, U256, keccak256},
};

use super::{ARB_WASM, Answer, Call, Failure, Purity, Version, WRITE_GAS, abi, info::PARAMETERS_GAS};
use crate::stylus::{
    activate::{self, FIXED_GAS, VERSION},
    code::{self, CodeError},
    meter::{FREE_PAGES, INK_PRICE, MAX_PAGES, MAX_STACK_WORDS, PAGE_GAS},
    programs::{
        self, EXPIRY_SECONDS, Entry, Inactive, KEEPALIVE_SECONDS, MIN_CACHED_GAS, MIN_INIT_GAS, RECENT_PROGRAMS,
    },
};

/// First gas-per-page exponent parameter that Nitro reports.
const PAGE_RAMP: u64 = 620_674_314;
/// Percent that init costs are scaled by.
const INIT_COST_SCALAR_PERCENT: u64 = 100;
const DAY_SECONDS: u64 = 86_400;
/// Slots that pricing the data fee reads and writes.
const PRICER_READS: u64 = 5;
const PRICER_WRITES: u64 = 2;

/// The Solidity error that says why a program is not active.
pub(super) fn inactive<E>(inactive: Inactive) -> Failure<E> {
    match inactive {
        Inactive::NotActivated => Failure::error(abi::ArbWasm::ProgramNotActivated {}),
        Inactive::NeedsUpgrade(version) => Failure::error(abi::ArbWasm::ProgramNeedsUpgrade {
            version,
            stylusVersion: VERSION,
        }),
        Inactive::Expired(age) => Failure::error(abi::ArbWasm::ProgramExpired { ageInSeconds: age }),
    }
}

pub(super) fn answer<DB: Database>(call: &mut Call<'_, DB>, data: &[u8]) -> Answer<DB> {
    use abi::ArbWasm as A;
    use abi::ArbWasm::ArbWasmCalls as C;
    let method = C::abi_decode(data).map_err(|_| Failure::Refused)?;
    if matches!(method, C::activationGas(_)) && call.ctx.chain().rules.version < Version::V60 {
        return Err(Failure::Refused);
    }
    call.begin(match method {
        C::activateProgram(_) | C::codehashKeepalive(_) => Purity::Payable,
        _ => Purity::View,
    })?;
    match method {
        C::activateProgram(_) => {}
        C::activationGas(_) => call.burn_reads(1)?,
        // The hash of the code comes before the parameters; only the order of two charges.
        _ => call.burn(PARAMETERS_GAS)?,
    }
    /// The encoded return values of a method.
    macro_rules! give {
        ($call:ident: $value:expr) => {
            A::$call::abi_encode_returns(&$value)
        };
    }
    Ok(match method {
        C::activateProgram(method) => activate(call, method.program)?,
        C::codehashKeepalive(method) => keepalive(call, method.codehash)?,
        C::stylusVersion(_) => give!(stylusVersionCall: VERSION),
        C::codehashVersion(method) => give!(codehashVersionCall: active(call, method.codehash)?.version),
        C::codehashAsmSize(method) => give!(codehashAsmSizeCall: active(call, method.codehash)?.asm_size()),
        C::programVersion(method) => give!(programVersionCall: active_at(call, method.program)?.version),
        C::programInitGas(method) => {
            let entry = active_at(call, method.program)?;
            let cached = entry.cached_gas();
            give!(programInitGasCall: A::programInitGasReturn {
                gas: entry.init_gas() + cached,
                gasWhenCached: cached,
            })
        }
        C::programMemoryFootprint(method) => {
            give!(programMemoryFootprintCall: active_at(call, method.program)?.footprint)
        }
        C::programTimeLeft(method) => {
            let age = active_at(call, method.program)?.age(call.now());
            give!(programTimeLeftCall: EXPIRY_SECONDS.saturating_sub(age))
        }
        C::inkPrice(_) => give!(inkPriceCall: INK_PRICE as u32),
        C::maxStackDepth(_) => give!(maxStackDepthCall: MAX_STACK_WORDS),
        C::freePages(_) => give!(freePagesCall: FREE_PAGES),
        C::pageGas(_) => give!(pageGasCall: PAGE_GAS as u16),
        C::pageRamp(_) => give!(pageRampCall: PAGE_RAMP),
        C::pageLimit(_) => give!(pageLimitCall: MAX_PAGES),
        C::minInitGas(_) => give!(minInitGasCall: A::minInitGasReturn {
            gas: MIN_INIT_GAS,
            cached: MIN_CACHED_GAS,
        }),
        C::initCostScalar(_) => give!(initCostScalarCall: INIT_COST_SCALAR_PERCENT),
        C::expiryDays(_) => give!(expiryDaysCall: (EXPIRY_SECONDS / DAY_SECONDS) as u16),
        C::keepaliveDays(_) => give!(keepaliveDaysCall: (KEEPALIVE_SECONDS / DAY_SECONDS) as u16),
        C::blockCacheSize(_) => give!(blockCacheSizeCall: RECENT_PROGRAMS as u16),
        C::activationGas(_) => give!(activationGasCall: 0),
    })
}

/// The entry of an active program by code hash.
fn active<DB: Database>(call: &mut Call<'_, DB>, code_hash: B256) -> Result<Entry, Failure<DB::Error>> {
    call.burn_reads(1)?;
    let now = call.now();
    programs::load(call.ctx.journal_mut(), code_hash)?
        .check(now)
        .map_err(inactive)
}

fn active_at<DB: Database>(call: &mut Call<'_, DB>, program: Address) -> Result<Entry, Failure<DB::Error>> {
    let code_hash = call.code_hash(program)?;
    active(call, code_hash)
}

/// Activates the program at an address: checks the module, stores its costs, takes the data fee.
fn activate<DB: Database>(call: &mut Call<'_, DB>, program: Address) -> Answer<DB> {
    let rules = call.ctx.chain().rules.clone();
    if rules.version >= Version::V60 {
        // A charge that the owner may set; zero.
        call.burn_reads(1)?;
    }
    call.burn(FIXED_GAS)?;
    call.burn(PARAMETERS_GAS)?;
    call.burn_reads(1)?;
    let now = call.now();
    let code_hash = call.ctx.journal_mut().code_hash(program)?.data;
    let before = programs::load(call.ctx.journal_mut(), code_hash)?;
    if before.check(now).is_ok() {
        return Err(Failure::error(abi::ArbWasm::ProgramUpToDate {}));
    }
    let deployed = call.ctx.journal_mut().code(program)?.data;
    let wasm = match read_wasm(call, &deployed)? {
        Ok(wasm) => wasm,
        Err(error) => {
            let names_it = deployed.is_empty() || rules.version >= Version::V60;
            tracing::info!(%program, %error, "not activated");
            return Err(match error {
                CodeError::NotAProgram if names_it => Failure::error(abi::ArbWasm::ProgramNotWasm {}),
                _ => Failure::Plain,
            });
        }
    };
    let activation = activate::activate(&wasm, rules.version.several_results()).map_err(|error| {
        tracing::info!(%program, %error, "not activated");
        Failure::Halt(error.to_string())
    })?;
    let estimates = activation.estimates;
    call.burn(estimates.gas)?;
    if before.cached {
        // The module that was cached so far.
        call.burn_reads(1)?;
    }
    // The module's hash.
    call.burn(WRITE_GAS)?;

    let asm_bytes = u32::try_from(estimates.asm_size).unwrap_or(u32::MAX);
    let fee = price(call, asm_bytes)?;
    let entry = Entry {
        version: VERSION,
        init_cost: u16::try_from(estimates.init_cost).unwrap_or(u16::MAX),
        cached_init_cost: u16::try_from(estimates.cached_init_cost).unwrap_or(u16::MAX),
        footprint: estimates.footprint,
        activated_hours: programs::hours(now),
        asm_kib: asm_bytes.div_ceil(1024),
        cached: before.cached,
    };
    call.burn(WRITE_GAS)?;
    programs::store(call.ctx.journal_mut(), code_hash, &entry)?;
    take_fee(call, fee)?;
    call.emit(&abi::ArbWasm::ProgramActivated {
        codehash: code_hash,
        moduleHash: keccak256(&activation.instrumented.wasm),
        program,
        dataFee: fee,
        version: VERSION,
    })?;
    let values = abi::ArbWasm::activateProgramReturn {
        version: VERSION,
        dataFee: fee,
    };
    Ok(abi::ArbWasm::activateProgramCall::abi_encode_returns(&values))
}

type Decoded = Result<Vec<u8>, CodeError>;

/// The module behind deployed code; fragments are paid for.
fn read_wasm<DB: Database>(call: &mut Call<'_, DB>, deployed: &[u8]) -> Result<Decoded, Failure<DB::Error>> {
    let rules = call.ctx.chain().rules.clone();
    let fragments = match code::fragments(deployed, rules.version) {
        Ok(fragments) => fragments,
        Err(error) => return Ok(Err(error)),
    };
    let mut pieces = Vec::new();
    for address in fragments {
        // A fragment of the largest size must be affordable before it is read.
        let load = call.ctx.journal_mut().load_account_with_code(address)?;
        let access = if load.is_cold { code::COLD_GAS } else { code::WARM_GAS };
        if call.gas.remaining() < access + code::copy_gas(code::CODE_BYTES_MAX) {
            return Err(Failure::Refused);
        }
        let fragment = load
            .info
            .code
            .as_ref()
            .map(|code| code.original_bytes())
            .unwrap_or_default();
        call.burn(access + code::copy_gas(fragment.len()))?;
        pieces.push(fragment);
    }
    Ok(code::decode(deployed, &pieces, &rules))
}

/// The data fee for that much machine code now, and the demand remembered.
fn price<DB: Database>(call: &mut Call<'_, DB>, asm_bytes: u32) -> Result<U256, Failure<DB::Error>> {
    call.burn_reads(PRICER_READS)?;
    call.burn(PRICER_WRITES * WRITE_GAS)?;
    let now = call.now();
    Ok(programs::data_fee(call.ctx.journal_mut(), asm_bytes, now)?)
}

/// Takes the data fee out of the call's value and gives the rest back.
fn take_fee<DB: Database>(call: &mut Call<'_, DB>, fee: U256) -> Result<(), Failure<DB::Error>> {
    let Some(excess) = call.value.checked_sub(fee) else {
        return Err(Failure::error(abi::ArbWasm::ProgramInsufficientValue {
            have: call.value,
            want: fee,
        }));
    };
    call.burn_reads(1)?;
    let collector = call.ctx.block().beneficiary();
    for (to, amount) in [(collector, fee), (call.caller, excess)] {
        let failed = call.ctx.journal_mut().transfer(ARB_WASM, to, amount)?;
        if failed.is_some() {
            return Err(Failure::Halt("the data fee could not be moved".into()));
        }
    }
    Ok(())
}

fn keepalive<DB: Database>(call: &mut Call<'_, DB>, code_hash: B256) -> Answer<DB> {
    let now = call.now();
    let mut entry = active(call, code_hash)?;
    let age = entry.age(now);
    if age < KEEPALIVE_SECONDS {
        return Err(Failure::error(abi::ArbWasm::ProgramKeepaliveTooSoon {
            ageInSeconds: age,
        }));
    }
    let fee = price(call, entry.asm_size())?;
    entry.activated_hours = programs::hours(now);
    call.burn(WRITE_GAS)?;
    programs::store(call.ctx.journal_mut(), code_hash, &entry)?;
    take_fee(call, fee)?;
    call.emit(&abi::ArbWasm::ProgramLifetimeExtended {
        codehash: code_hash,
        dataFee: fee,
    })?;
    Ok(Vec::new())
}
