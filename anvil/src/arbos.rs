//! ArbOS: Arbitrum's precompiles and what they know.
//!
//! Where to start reading: [`ArbPrecompiles`] (which address is what), [`Call`] (what a call pays and how it fails),
//! then one module a precompile. The ABIs stand in [`abi`]; `genesis` holds the contracts that are there from the start.
//!
//! Gas, as Nitro charges it: 3 a word of arguments and of results or error data; 800 to open ArbOS's state (not for
//! pure functions) and for each slot read; 20,000 for each slot written, 5,000 when it is written to zero; events as
//! `LOG` prices them. A call that is wrong in itself (no such method, value or a write where none may be, too little
//! gas) reverts without data and takes all gas. Nothing here is paid for by the transaction that deploys the chain.

use alloy::sol_types::{SolError, SolEvent};
use revm::{
    Database,
    context::{Block, ContextTr, JournalTr, LocalContextTr},
    handler::{EthPrecompiles, PrecompileProvider},
    interpreter::{CallInputs, Gas, InstructionResult, InterpreterResult},
    primitives::{Address, AddressSet, B256, Bytes, Log, U256, address, hardfork::SpecId},
    state::Bytecode,
};

use crate::stylus::{code::Dictionary, evm::Ctx};

#[expect(clippy::too_many_arguments, reason = "an event of the public ABI has nine fields")]
pub mod abi;
mod arb_sys;
mod arb_wasm;
mod arb_wasm_cache;
mod gas_info;
pub mod genesis;
mod info;
pub(crate) mod node_interface;

/// The account that owns the chain: alice, the first development account.
pub const CHAIN_OWNER: Address = address!("f39Fd6e51aad88F6F4ce6aB8827279cffFb92266");

/// ArbSys.
pub const ARB_SYS: Address = precompile(0x64);
/// ArbInfo.
pub const ARB_INFO: Address = precompile(0x65);
/// ArbOwnerPublic.
pub const ARB_OWNER_PUBLIC: Address = precompile(0x6b);
/// ArbGasInfo.
pub const ARB_GAS_INFO: Address = precompile(0x6c);
/// ArbOwner, which refuses everybody.
const ARB_OWNER: Address = precompile(0x70);
/// ArbWasm.
pub const ARB_WASM: Address = precompile(0x71);
/// ArbWasmCache.
pub const ARB_WASM_CACHE: Address = precompile(0x72);
/// ArbDebug, which a production chain refuses.
const ARB_DEBUG: Address = precompile(0xff);
/// Precompiles of which no function is implemented: ArbAddressTable, ArbBLS, ArbFunctionTable, ArbosTest, ArbAggregator,
/// ArbRetryableTx, ArbStatistics, ArbNativeTokenManager and ArbosActs. They answer as Nitro does to an unknown method.
const MUTE: [Address; 9] = [
    precompile(0x66),
    precompile(0x67),
    precompile(0x68),
    precompile(0x69),
    precompile(0x6d),
    precompile(0x6e),
    precompile(0x6f),
    precompile(0x73),
    address!("00000000000000000000000000000000000A4B05"),
];

/// Gas of a word of arguments or results.
const WORD_GAS: u64 = 3;
/// Gas of reading a slot of ArbOS's state.
const READ_GAS: u64 = 800;
/// Gas of writing one, and of writing zero to it.
const WRITE_GAS: u64 = 20_000;
const CLEAR_GAS: u64 = 5_000;
/// Gas of reading an account's code hash.
const CODE_HASH_GAS: u64 = 2_600;
/// Gas of a log, and the same again for each topic; of a byte of its data.
const LOG_GAS: u64 = 375;
const LOG_BYTE_GAS: u64 = 8;

const fn precompile(last: u8) -> Address {
    Address::with_last_byte(last)
}

/// A version of ArbOS that the chain can run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Version {
    /// ArbOS 51.
    #[default]
    #[value(name = "51")]
    V51,
    /// ArbOS 60: programs in fragments, a cache of recent programs, no multi-value.
    #[value(name = "60")]
    V60,
}

impl Version {
    /// The number, as block headers carry it.
    pub fn number(self) -> u64 {
        match self {
            Self::V51 => 51,
            Self::V60 => 60,
        }
    }

    /// Whether functions of a program may have more than one result.
    pub fn several_results(self) -> bool {
        self < Self::V60
    }

    /// The version with that number.
    pub fn from_number(number: u64) -> Option<Self> {
        [Self::V51, Self::V60]
            .into_iter()
            .find(|version| version.number() == number)
    }
}

/// What the chain's programs are run by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Version of ArbOS.
    pub version: Version,
    /// The dictionary of programs with dictionary byte 1; without it they are refused.
    pub dictionary: Option<Dictionary>,
    /// Whether calldata has a floor price (EIP-7623), which a chain's owner may turn on from ArbOS 40 on.
    pub calldata_floor: bool,
}

/// Why a precompile did not succeed.
enum Failure<E> {
    /// A Solidity error; gas that is left stays.
    Error(Vec<u8>),
    /// A refusal for a reason that Nitro does not tell; gas that is left stays.
    Plain,
    /// The call itself is wrong, or its gas did not suffice: a revert without data, and all gas is gone.
    Refused,
    /// All gas is gone, for this reason.
    Halt(String),
    /// The database failed.
    State(E),
}

impl<E> Failure<E> {
    fn error(error: impl SolError) -> Self {
        Self::Error(error.abi_encode())
    }
}

impl<E> From<E> for Failure<E> {
    fn from(error: E) -> Self {
        Self::State(error)
    }
}

type Answer<DB> = Result<Vec<u8>, Failure<<DB as Database>::Error>>;

/// What a method may do, as its ABI declares it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Purity {
    Pure,
    View,
    Write,
    Payable,
}

/// One call of a precompile while it is answered.
struct Call<'a, DB: Database> {
    ctx: &'a mut Ctx<DB>,
    gas: Gas,
    /// The precompile.
    at: Address,
    /// Who calls it.
    caller: Address,
    value: U256,
    is_static: bool,
    /// Whether the precompile acts as itself; otherwise it was delegate-called.
    is_itself: bool,
    /// Words of arguments.
    argument_words: u64,
}

impl<DB: Database> Call<'_, DB> {
    /// What every call pays and must observe before its method runs.
    fn begin(&mut self, purity: Purity) -> Result<(), Failure<DB::Error>> {
        let wrong = (purity >= Purity::View && !self.is_itself)
            || (purity >= Purity::Write && self.is_static)
            || (purity < Purity::Payable && !self.value.is_zero());
        if wrong {
            return Err(Failure::Refused);
        }
        if purity != Purity::Pure {
            self.burn(READ_GAS)?;
        }
        self.burn(WORD_GAS * self.argument_words)
    }

    fn burn(&mut self, amount: u64) -> Result<(), Failure<DB::Error>> {
        if self.gas.record_regular_cost(amount) {
            Ok(())
        } else {
            Err(Failure::Refused)
        }
    }

    /// Pays for reading `slots` slots of ArbOS's state.
    fn burn_reads(&mut self, slots: u64) -> Result<(), Failure<DB::Error>> {
        self.burn(READ_GAS * slots)
    }

    fn code_hash(&mut self, account: Address) -> Result<B256, Failure<DB::Error>> {
        self.burn(CODE_HASH_GAS)?;
        Ok(self.ctx.journal_mut().code_hash(account)?.data)
    }

    /// Reads a slot of the precompile's own account, and pays.
    fn read(&mut self, slot: U256) -> Result<U256, Failure<DB::Error>> {
        self.burn_reads(1)?;
        self.ctx.journal_mut().load_account(self.at)?;
        Ok(self.ctx.journal_mut().sload(self.at, slot)?.data)
    }

    /// Writes a slot of the precompile's own account, and pays.
    fn write(&mut self, slot: U256, value: U256) -> Result<(), Failure<DB::Error>> {
        self.burn(if value.is_zero() { CLEAR_GAS } else { WRITE_GAS })?;
        keep_alive(self.ctx.journal_mut(), self.at)?;
        self.ctx.journal_mut().sstore(self.at, slot, value)?;
        Ok(())
    }

    fn emit(&mut self, event: &impl SolEvent) -> Result<(), Failure<DB::Error>> {
        let data = event.encode_log_data();
        let topics = data.topics().len() as u64;
        self.burn(LOG_GAS * (1 + topics) + LOG_BYTE_GAS * data.data.len() as u64)?;
        self.ctx.journal_mut().log(Log { address: self.at, data });
        Ok(())
    }

    /// UNIX seconds.
    fn now(&self) -> u64 {
        self.ctx.block().timestamp().saturating_to()
    }
}

/// Makes sure that an account is not cleared with its storage for being empty (EIP-161).
///
/// # Errors
/// The database failed.
pub fn keep_alive<J: JournalTr>(journal: &mut J, account: Address) -> Result<(), <J::Database as Database>::Error> {
    if journal.code(account)?.data.is_empty() {
        journal.set_code(account, Bytecode::new_legacy(FAKE_CODE));
    }
    Ok(())
}

/// What stands as code at each precompile, because Solidity wants call targets to have code: INVALID.
const FAKE_CODE: Bytes = Bytes::from_static(&[0xfe]);

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
        warm.extend(addresses());
        Self { eth, warm }
    }
}

/// All precompiles of ArbOS.
fn addresses() -> impl Iterator<Item = Address> {
    let own = [
        ARB_SYS,
        ARB_INFO,
        ARB_OWNER_PUBLIC,
        ARB_GAS_INFO,
        ARB_OWNER,
        ARB_WASM,
        ARB_WASM_CACHE,
        ARB_DEBUG,
    ];
    own.into_iter().chain(MUTE)
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
        if !addresses().any(|address| address == at) {
            return PrecompileProvider::<Ctx<DB>>::run(&mut self.eth, ctx, inputs);
        }
        // Before the input is copied: what cannot be paid for makes no work.
        if inputs.gas_limit < WORD_GAS * (inputs.input.len() as u64).saturating_sub(4).div_ceil(32) {
            let mut gas = Gas::new(inputs.gas_limit);
            gas.spend_all();
            return Ok(Some(InterpreterResult::new(
                InstructionResult::Revert,
                Bytes::new(),
                gas,
            )));
        }
        let data = inputs.input.bytes(ctx);
        let mut call = Call {
            ctx,
            gas: Gas::new(inputs.gas_limit),
            at,
            caller: inputs.caller,
            value: inputs.value.get(),
            is_static: inputs.is_static,
            is_itself: inputs.target_address == at,
            argument_words: (data.len() as u64).saturating_sub(4).div_ceil(32),
        };
        let answer = answer(&mut call, &data).and_then(|output| {
            call.burn(WORD_GAS * (output.len() as u64).div_ceil(32))?;
            Ok(output)
        });
        let answer = match answer {
            Err(Failure::Error(data)) => match call.burn(WORD_GAS * (data.len() as u64).div_ceil(32)) {
                Ok(()) => Err(Failure::Error(data)),
                Err(refused) => Err(refused),
            },
            other => other,
        };
        let mut gas = call.gas;
        let (result, output) = match answer {
            Ok(output) => (InstructionResult::Return, output),
            Err(Failure::Error(data)) => (InstructionResult::Revert, data),
            Err(Failure::Plain) => (InstructionResult::Revert, Vec::new()),
            Err(Failure::Refused) => {
                gas.spend_all();
                (InstructionResult::Revert, Vec::new())
            }
            Err(Failure::Halt(why)) => {
                gas.spend_all();
                if ctx.journal().depth() == 1 {
                    ctx.local_mut().set_precompile_error_context(why);
                }
                (InstructionResult::PrecompileError, Vec::new())
            }
            Err(Failure::State(error)) => return Err(error.to_string()),
        };
        Ok(Some(InterpreterResult::new(result, output.into(), gas)))
    }

    fn warm_addresses(&self) -> &AddressSet {
        &self.warm
    }
}

fn answer<DB: Database>(call: &mut Call<'_, DB>, data: &[u8]) -> Answer<DB> {
    match call.at {
        ARB_SYS => arb_sys::answer(call, data),
        ARB_INFO => info::arb_info(call, data),
        ARB_OWNER_PUBLIC => info::arb_owner_public(call, data),
        ARB_GAS_INFO => gas_info::answer(call, data),
        ARB_WASM => arb_wasm::answer(call, data),
        ARB_WASM_CACHE => arb_wasm_cache::answer(call, data),
        ARB_OWNER => Err(Failure::Halt("ArbOwner is not implemented on this chain".into())),
        ARB_DEBUG => Err(Failure::Halt("debug precompiles are disabled".into())),
        _ => Err(Failure::Refused),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::dev_accounts;

    #[test]
    fn the_owner_is_alice() {
        assert_eq!(dev_accounts()[0].address, CHAIN_OWNER);
    }

    #[test]
    fn versions_have_numbers() {
        assert_eq!(Version::from_number(51), Some(Version::V51));
        assert_eq!(Version::from_number(60), Some(Version::V60));
        assert_eq!(Version::from_number(52), None);
    }
}
