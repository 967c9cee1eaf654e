//! Arbitrum's precompiles, as far as deploying and calling programs needs them:
//! ArbWasm (0x71), ArbWasmCache (0x72), and a few answers of ArbSys (0x64).

use alloy::{
    sol,
    sol_types::{SolCall, SolError, SolEvent, SolInterface},
};
use revm::{
    Database,
    context::{Block, Cfg, ContextTr, JournalTr, LocalContextTr},
    handler::{EthPrecompiles, PrecompileProvider},
    interpreter::{CallInputs, Gas, InstructionResult, InterpreterResult},
    primitives::{Address, AddressSet, B256, Bytes, Log, U256, address, hardfork::SpecId, keccak256},
};

use super::{
    activate::{self, FIXED_GAS, VERSION},
    code,
    evm::Ctx,
    meter::{FREE_PAGES, INK_PRICE, MAX_PAGES, MAX_STACK_WORDS, PAGE_GAS},
    programs::{self, ARB_WASM, EXPIRY_SECONDS, Entry, Inactive, KEEPALIVE_SECONDS, MIN_CACHED_GAS, MIN_INIT_GAS},
};

/// ArbSys.
pub const ARB_SYS: Address = address!("0000000000000000000000000000000000000064");
/// ArbWasmCache.
pub const ARB_WASM_CACHE: Address = address!("0000000000000000000000000000000000000072");
/// What `arbOSVersion` answers: ArbOS 51, shown with the usual offset of 55.
const ARBOS_VERSION_SHOWN: u64 = 55 + 51;
/// Gas of a question: a state read and a few words copied.
const VIEW_GAS: u64 = 820;
/// Gas of changing an entry of the table.
const CHANGE_GAS: u64 = 5_820;
/// First gas-per-page exponent parameter that Nitro reports.
const PAGE_RAMP: u64 = 620_674_314;
/// Percent that init costs are scaled by.
const INIT_COST_SCALAR_PERCENT: u64 = 100;
/// Programs that a block keeps as cached.
const BLOCK_CACHE_SIZE: u16 = 32;

sol! {
    #[derive(Debug)]
    interface ArbWasm {
        function activateProgram(address program) external payable returns (uint16 version, uint256 dataFee);
        function codehashKeepalive(bytes32 codehash) external payable;
        function stylusVersion() external view returns (uint16 version);
        function codehashVersion(bytes32 codehash) external view returns (uint16 version);
        function codehashAsmSize(bytes32 codehash) external view returns (uint32 size);
        function programVersion(address program) external view returns (uint16 version);
        function programInitGas(address program) external view returns (uint64 gas, uint64 gasWhenCached);
        function programMemoryFootprint(address program) external view returns (uint16 footprint);
        function programTimeLeft(address program) external view returns (uint64 secs);
        function inkPrice() external view returns (uint32 price);
        function maxStackDepth() external view returns (uint32 depth);
        function freePages() external view returns (uint16 pages);
        function pageGas() external view returns (uint16 gas);
        function pageRamp() external view returns (uint64 ramp);
        function pageLimit() external view returns (uint16 limit);
        function minInitGas() external view returns (uint64 gas, uint64 cached);
        function initCostScalar() external view returns (uint64 percent);
        function expiryDays() external view returns (uint16 days_);
        function keepaliveDays() external view returns (uint16 days_);
        function blockCacheSize() external view returns (uint16 count);
    }

    event ProgramActivated(bytes32 indexed codehash, bytes32 moduleHash, address program, uint256 dataFee, uint16 version);
    event ProgramLifetimeExtended(bytes32 indexed codehash, uint256 dataFee);

    error ProgramNotWasm();
    error ProgramNotActivated();
    error ProgramNeedsUpgrade(uint16 version, uint16 stylusVersion);
    error ProgramExpired(uint64 ageInSeconds);
    error ProgramUpToDate();
    error ProgramKeepaliveTooSoon(uint64 ageInSeconds);
    error ProgramInsufficientValue(uint256 have, uint256 want);

    #[derive(Debug)]
    interface ArbWasmCache {
        function isCacheManager(address manager) external view returns (bool);
        function allCacheManagers() external view returns (address[] managers);
        function cacheCodehash(bytes32 codehash) external;
        function cacheProgram(address program) external;
        function evictCodehash(bytes32 codehash) external;
        function codehashIsCached(bytes32 codehash) external view returns (bool);
    }

    event UpdateProgramCache(address indexed manager, bytes32 indexed codehash, bool cached);

    #[derive(Debug)]
    interface ArbSys {
        function arbBlockNumber() external view returns (uint256);
        function arbChainID() external view returns (uint256);
        function arbOSVersion() external view returns (uint256);
    }
}

/// Why a precompile did not succeed.
enum Failure<E> {
    /// A Solidity error; gas that is left stays.
    Revert(Vec<u8>),
    /// All gas is gone, for this reason.
    Halt(String),
    /// The gas did not suffice.
    OutOfGas,
    /// The database failed.
    State(E),
}

impl<E> Failure<E> {
    fn error(error: impl SolError) -> Self {
        Self::Revert(error.abi_encode())
    }
}

impl<E> From<E> for Failure<E> {
    fn from(error: E) -> Self {
        Self::State(error)
    }
}

impl<E> Failure<E> {
    fn inactive(inactive: Inactive) -> Self {
        match inactive {
            Inactive::NotActivated => Self::error(ProgramNotActivated {}),
            Inactive::NeedsUpgrade(version) => Self::error(ProgramNeedsUpgrade {
                version,
                stylusVersion: VERSION,
            }),
            Inactive::Expired(age) => Self::error(ProgramExpired { ageInSeconds: age }),
        }
    }
}

type Answer<DB> = Result<Vec<u8>, Failure<<DB as Database>::Error>>;

/// Ethereum's precompiles and Arbitrum's.
#[derive(Clone, Debug)]
pub struct ArbPrecompiles {
    eth: EthPrecompiles,
    warm: AddressSet,
}

impl ArbPrecompiles {
    /// Precompiles of a hard fork, and ours.
    pub fn new(spec: SpecId) -> Self {
        let eth = EthPrecompiles::new(spec);
        let mut warm = eth.warm_addresses().clone();
        warm.extend([ARB_SYS, ARB_WASM, ARB_WASM_CACHE]);
        Self { eth, warm }
    }
}

impl<DB: Database> PrecompileProvider<Ctx<DB>> for ArbPrecompiles {
    type Output = InterpreterResult;

    fn set_spec(&mut self, spec: SpecId) -> bool {
        if spec == self.eth.spec {
            return false;
        }
        *self = Self::new(spec);
        true
    }

    fn run(&mut self, ctx: &mut Ctx<DB>, inputs: &CallInputs) -> Result<Option<InterpreterResult>, String> {
        let at = inputs.bytecode_address;
        if ![ARB_SYS, ARB_WASM, ARB_WASM_CACHE].contains(&at) {
            return PrecompileProvider::<Ctx<DB>>::run(&mut self.eth, ctx, inputs);
        }
        let mut gas = Gas::new(inputs.gas_limit);
        let data = inputs.input.bytes(ctx);
        let answer = if inputs.target_address != at {
            Err(Failure::Halt("Arbitrum's precompiles cannot be delegate-called".into()))
        } else if at == ARB_WASM {
            arb_wasm(ctx, inputs, &data, &mut gas)
        } else if at == ARB_WASM_CACHE {
            arb_wasm_cache(ctx, inputs, &data, &mut gas)
        } else {
            arb_sys(ctx, &data, &mut gas)
        };
        let (result, output) = match answer {
            Ok(output) => (InstructionResult::Return, output),
            Err(Failure::Revert(data)) => (InstructionResult::Revert, data),
            Err(Failure::OutOfGas) => (InstructionResult::PrecompileOOG, Vec::new()),
            Err(Failure::Halt(why)) => {
                if ctx.journal().depth() == 1 {
                    ctx.local_mut().set_precompile_error_context(why);
                }
                (InstructionResult::PrecompileError, Vec::new())
            }
            Err(Failure::State(error)) => return Err(error.to_string()),
        };
        if !result.is_ok_or_revert() {
            gas.spend_all();
        }
        Ok(Some(InterpreterResult::new(result, output.into(), gas)))
    }

    fn warm_addresses(&self) -> &AddressSet {
        &self.warm
    }
}

fn burn<E>(gas: &mut Gas, amount: u64) -> Result<(), Failure<E>> {
    if gas.record_regular_cost(amount) {
        Ok(())
    } else {
        Err(Failure::OutOfGas)
    }
}

fn writable<E>(inputs: &CallInputs) -> Result<(), Failure<E>> {
    if inputs.is_static {
        return Err(Failure::Halt("a static call may not write".into()));
    }
    Ok(())
}

fn unknown<E>(error: alloy::sol_types::Error) -> Failure<E> {
    Failure::Halt(format!("not a call of this precompile: {error}"))
}

fn now<DB: Database>(ctx: &Ctx<DB>) -> u64 {
    ctx.block().timestamp().saturating_to()
}

/// The entry of an active program by code hash.
fn active<DB: Database>(ctx: &mut Ctx<DB>, code_hash: B256) -> Result<Entry, Failure<DB::Error>> {
    let now = now(ctx);
    programs::load(ctx.journal_mut(), code_hash)?
        .check(now)
        .map_err(Failure::inactive)
}

fn active_at<DB: Database>(ctx: &mut Ctx<DB>, program: Address) -> Result<Entry, Failure<DB::Error>> {
    let code_hash = ctx.journal_mut().code_hash(program)?.data;
    active(ctx, code_hash)
}

fn arb_wasm<DB: Database>(ctx: &mut Ctx<DB>, inputs: &CallInputs, data: &[u8], gas: &mut Gas) -> Answer<DB> {
    use ArbWasm as A;
    use ArbWasm::ArbWasmCalls as C;
    let call = C::abi_decode(data).map_err(unknown)?;
    let payable = matches!(call, C::activateProgram(_) | C::codehashKeepalive(_));
    if !payable {
        if !inputs.value.get().is_zero() {
            return Err(Failure::Revert(Vec::new()));
        }
        burn(gas, VIEW_GAS)?;
    }
    /// The encoded return values of a method.
    macro_rules! give {
        ($call:ident: $value:expr) => {
            A::$call::abi_encode_returns(&$value)
        };
    }
    Ok(match call {
        C::activateProgram(call) => return activate(ctx, inputs, call.program, gas),
        C::codehashKeepalive(call) => return keepalive(ctx, inputs, call.codehash, gas),
        C::stylusVersion(_) => give!(stylusVersionCall: VERSION),
        C::codehashVersion(call) => {
            give!(codehashVersionCall: active(ctx, call.codehash)?.version)
        }
        C::codehashAsmSize(call) => {
            give!(codehashAsmSizeCall: active(ctx, call.codehash)?.asm_size)
        }
        C::programVersion(call) => {
            give!(programVersionCall: active_at(ctx, call.program)?.version)
        }
        C::programInitGas(call) => {
            let entry = active_at(ctx, call.program)?;
            let cached = entry.cached_gas();
            give!(programInitGasCall: A::programInitGasReturn {
                gas: entry.init_gas() + cached,
                gasWhenCached: cached,
            })
        }
        C::programMemoryFootprint(call) => {
            give!(programMemoryFootprintCall: active_at(ctx, call.program)?.footprint)
        }
        C::programTimeLeft(call) => {
            let age = active_at(ctx, call.program)?.age(now(ctx));
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
        C::expiryDays(_) => give!(expiryDaysCall: (EXPIRY_SECONDS / 86_400) as u16),
        C::keepaliveDays(_) => give!(keepaliveDaysCall: (KEEPALIVE_SECONDS / 86_400) as u16),
        C::blockCacheSize(_) => give!(blockCacheSizeCall: BLOCK_CACHE_SIZE),
    })
}

/// Activates the program at an address: checks the module, stores its costs, takes the data fee.
fn activate<DB: Database>(ctx: &mut Ctx<DB>, inputs: &CallInputs, program: Address, gas: &mut Gas) -> Answer<DB> {
    writable(inputs)?;
    burn(gas, FIXED_GAS)?;
    let deployed = ctx.journal_mut().code(program)?.data;
    let code_hash = ctx.journal_mut().code_hash(program)?.data;
    if !code::is_program(&deployed) {
        return Err(Failure::error(ProgramNotWasm {}));
    }
    let now = now(ctx);
    let before = programs::load(ctx.journal_mut(), code_hash)?;
    if before.check(now).is_ok() {
        return Err(Failure::error(ProgramUpToDate {}));
    }
    let wasm = code::decode(&deployed).map_err(|error| Failure::Halt(error.to_string()))?;
    let activation = activate::activate(&wasm).map_err(|error| Failure::Halt(error.to_string()))?;
    let estimates = activation.estimates;
    burn(gas, estimates.gas)?;

    let asm_size = u32::try_from(estimates.asm_size).unwrap_or(u32::MAX);
    let fee = take_fee(ctx, inputs, asm_size)?;
    let entry = Entry {
        version: VERSION,
        init_cost: u16::try_from(estimates.init_cost).unwrap_or(u16::MAX),
        cached_init_cost: u16::try_from(estimates.cached_init_cost).unwrap_or(u16::MAX),
        footprint: estimates.footprint,
        activated_at: now,
        asm_size,
        cached: before.cached,
    };
    programs::store(ctx.journal_mut(), code_hash, &entry)?;
    let event = ProgramActivated {
        codehash: code_hash,
        moduleHash: keccak256(&activation.instrumented.wasm),
        program,
        dataFee: fee,
        version: VERSION,
    };
    ctx.journal_mut().log(Log {
        address: ARB_WASM,
        data: event.encode_log_data(),
    });
    let values = ArbWasm::activateProgramReturn {
        version: VERSION,
        dataFee: fee,
    };
    Ok(ArbWasm::activateProgramCall::abi_encode_returns(&values))
}

/// Takes the data fee out of the call's value and gives the rest back.
fn take_fee<DB: Database>(ctx: &mut Ctx<DB>, inputs: &CallInputs, asm_size: u32) -> Result<U256, Failure<DB::Error>> {
    let now = now(ctx);
    let fee = programs::data_fee(ctx.journal_mut(), asm_size, now)?;
    let value = inputs.value.get();
    let Some(excess) = value.checked_sub(fee) else {
        return Err(Failure::error(ProgramInsufficientValue { have: value, want: fee }));
    };
    let collector = ctx.block().beneficiary();
    for (to, amount) in [(collector, fee), (inputs.caller, excess)] {
        let failed = ctx.journal_mut().transfer(ARB_WASM, to, amount)?;
        if failed.is_some() {
            return Err(Failure::Halt("the data fee could not be moved".into()));
        }
    }
    Ok(fee)
}

fn keepalive<DB: Database>(ctx: &mut Ctx<DB>, inputs: &CallInputs, code_hash: B256, gas: &mut Gas) -> Answer<DB> {
    writable(inputs)?;
    burn(gas, CHANGE_GAS)?;
    let now = now(ctx);
    let mut entry = active(ctx, code_hash)?;
    let age = entry.age(now);
    if age < KEEPALIVE_SECONDS {
        return Err(Failure::error(ProgramKeepaliveTooSoon { ageInSeconds: age }));
    }
    let fee = take_fee(ctx, inputs, entry.asm_size)?;
    entry.activated_at = now;
    programs::store(ctx.journal_mut(), code_hash, &entry)?;
    let event = ProgramLifetimeExtended {
        codehash: code_hash,
        dataFee: fee,
    };
    ctx.journal_mut().log(Log {
        address: ARB_WASM,
        data: event.encode_log_data(),
    });
    Ok(Vec::new())
}

fn arb_wasm_cache<DB: Database>(ctx: &mut Ctx<DB>, inputs: &CallInputs, data: &[u8], gas: &mut Gas) -> Answer<DB> {
    use ArbWasmCache as A;
    use ArbWasmCache::ArbWasmCacheCalls as C;
    if !inputs.value.get().is_zero() {
        return Err(Failure::Revert(Vec::new()));
    }
    burn(gas, VIEW_GAS)?;
    Ok(match C::abi_decode(data).map_err(unknown)? {
        // On this chain everybody may manage the cache.
        C::isCacheManager(_) => A::isCacheManagerCall::abi_encode_returns(&true),
        C::allCacheManagers(_) => A::allCacheManagersCall::abi_encode_returns(&Vec::new()),
        C::codehashIsCached(call) => {
            let entry = programs::load(ctx.journal_mut(), call.codehash)?;
            A::codehashIsCachedCall::abi_encode_returns(&entry.cached)
        }
        C::cacheCodehash(call) => set_cached(ctx, inputs, call.codehash, true, gas)?,
        C::evictCodehash(call) => set_cached(ctx, inputs, call.codehash, false, gas)?,
        C::cacheProgram(call) => {
            let code_hash = ctx.journal_mut().code_hash(call.program)?.data;
            set_cached(ctx, inputs, code_hash, true, gas)?
        }
    })
}

fn set_cached<DB: Database>(
    ctx: &mut Ctx<DB>,
    inputs: &CallInputs,
    code_hash: B256,
    cached: bool,
    gas: &mut Gas,
) -> Answer<DB> {
    writable(inputs)?;
    burn(gas, CHANGE_GAS)?;
    let mut entry = if cached {
        active(ctx, code_hash)?
    } else {
        programs::load(ctx.journal_mut(), code_hash)?
    };
    if entry.cached == cached {
        return Ok(Vec::new());
    }
    if cached {
        // Caching costs what one uncached start costs.
        burn(gas, entry.init_gas())?;
    }
    entry.cached = cached;
    programs::store(ctx.journal_mut(), code_hash, &entry)?;
    let event = UpdateProgramCache {
        manager: inputs.caller,
        codehash: code_hash,
        cached,
    };
    ctx.journal_mut().log(Log {
        address: ARB_WASM_CACHE,
        data: event.encode_log_data(),
    });
    Ok(Vec::new())
}

fn arb_sys<DB: Database>(ctx: &mut Ctx<DB>, data: &[u8], gas: &mut Gas) -> Answer<DB> {
    use ArbSys::ArbSysCalls as C;
    burn(gas, VIEW_GAS)?;
    let number = match C::abi_decode(data).map_err(unknown)? {
        C::arbBlockNumber(_) => ctx.chain().number,
        C::arbChainID(_) => ctx.cfg().chain_id(),
        C::arbOSVersion(_) => ARBOS_VERSION_SHOWN,
    };
    Ok(U256::from(number).to_be_bytes_vec())
}

/// Accounts that must hold code from genesis on, so that contracts see them as contracts.
pub fn genesis_code() -> [(Address, Bytes); 3] {
    let code = Bytes::from_static(&[0xfe]);
    [
        (ARB_SYS, code.clone()),
        (ARB_WASM, code.clone()),
        (ARB_WASM_CACHE, code),
    ]
}
