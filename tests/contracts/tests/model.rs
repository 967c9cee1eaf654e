//! What the five contracts mean, in plain maps and lists: a second opinion on every transaction and every answer.
//!
//! Written from `medlock-abi` and docs/adr/0009, read as a lawyer would read them. It must never know a storage slot or a
//! packed word, nor call what a contract calls to decide (`terms::reason::combine`, `medlock-merkle`). Where the ABI does not say
//! which of several faults is named, it names the one that the methods' docs put first as built: an order that callers may rely
//! on, since the contracts never change.
//!
//! Start at [`Model::run`]. A method is a function of the same name: it checks everything, then changes, then tells.

mod audit;
mod exceptions;
mod records;
mod registry;
mod relay;

use std::fmt::{self, Debug};

use alloy::{
    primitives::{Address, LogData, U256},
    sol_types::{SolCall, SolError, SolEvent, SolEventInterface, SolInterface, SolValue},
};
use medlock_abi::{audit::IAudit, exceptions::IExceptions, records::IRecords, registry::IRegistry, relay::IRelay};
use medlock_contract_tests::Contracts;

pub use self::{audit::*, exceptions::*, records::*, registry::*, relay::*};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Contract {
    Registry,
    Records,
    Exceptions,
    Relay,
    Audit,
}

impl Contract {
    pub const ALL: [Self; 5] = [
        Self::Registry,
        Self::Records,
        Self::Exceptions,
        Self::Relay,
        Self::Audit,
    ];

    pub fn address(self, chain: &Contracts) -> Address {
        match self {
            Self::Registry => chain.registry,
            Self::Records => chain.records,
            Self::Exceptions => chain.exceptions,
            Self::Relay => chain.relay,
            Self::Audit => chain.audit,
        }
    }
}

/// What a contract told.
#[derive(Clone, PartialEq, Eq)]
pub struct Event {
    pub of: Contract,
    pub data: LogData,
}

impl Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        fn decoded<E: SolEventInterface + Debug>(log: &LogData) -> String {
            E::decode_raw_log(log.topics(), &log.data).map_or_else(|_| format!("{log:?}"), |event| format!("{event:?}"))
        }
        let text = match self.of {
            Contract::Registry => decoded::<IRegistry::IRegistryEvents>(&self.data),
            Contract::Records => decoded::<IRecords::IRecordsEvents>(&self.data),
            Contract::Exceptions => decoded::<IExceptions::IExceptionsEvents>(&self.data),
            Contract::Relay => decoded::<IRelay::IRelayEvents>(&self.data),
            Contract::Audit => decoded::<IAudit::IAuditEvents>(&self.data),
        };
        write!(f, "{:?}: {text}", self.of)
    }
}

/// A typed revert.
#[derive(Clone, PartialEq, Eq)]
pub struct Refusal(pub Vec<u8>);

impl<E: SolError> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self(error.abi_encode())
    }
}

impl Refusal {
    /// Whatever contract it comes from: the names are the same where the errors are.
    pub fn name(&self) -> String {
        let text = format!("{self:?}");
        text.split(['(', ' ']).next().unwrap_or_default().into()
    }
}

impl Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        fn decoded<E: SolInterface + Debug>(data: &[u8]) -> Option<String> {
            E::abi_decode_validate(data).ok().map(|error| format!("{error:?}"))
        }
        let data = &self.0;
        let text = decoded::<IRegistry::IRegistryErrors>(data)
            .or_else(|| decoded::<IRecords::IRecordsErrors>(data))
            .or_else(|| decoded::<IExceptions::IExceptionsErrors>(data))
            .or_else(|| decoded::<IRelay::IRelayErrors>(data))
            .or_else(|| decoded::<IAudit::IAuditErrors>(data));
        match text {
            Some(text) => f.write_str(&text),
            None => write!(f, "0x{}", alloy::hex::encode(data)),
        }
    }
}

/// Returns with the error unless it holds.
macro_rules! require {
    ($holds:expr, $error:expr) => {
        if !$holds {
            return Err($crate::model::Refusal::from($error));
        }
    };
}
pub(crate) use require;

/// A method that changes something.
pub trait Act: SolCall + Debug + Clone {
    const ON: Contract;
    /// Gives the data returned.
    fn act(&self, model: &mut Model, caller: Address) -> Result<Vec<u8>, Refusal>;
}

/// A method that changes nothing.
pub trait View: SolCall + Debug + Clone {
    const OF: Contract;
    fn answer(&self, model: &Model) -> Result<Self::Return, Refusal>;
}

/// What a method returns.
pub trait Output {
    fn encoded(self) -> Vec<u8>;
}

impl Output for () {
    fn encoded(self) -> Vec<u8> {
        Vec::new()
    }
}

impl Output for u64 {
    fn encoded(self) -> Vec<u8> {
        U256::from(self).abi_encode()
    }
}

macro_rules! acts {
    ($on:ident; $($call:path => $function:expr,)*) => {
        $(impl $crate::model::Act for $call {
            const ON: $crate::model::Contract = $crate::model::Contract::$on;
            fn act(&self, model: &mut $crate::model::Model, caller: Address) -> Result<Vec<u8>, $crate::model::Refusal> {
                $function(self, model, caller).map($crate::model::Output::encoded)
            }
        })*
    };
}
pub(crate) use acts;

macro_rules! views {
    ($of:ident; $($call:path => $function:expr,)*) => {
        $(impl $crate::model::View for $call {
            const OF: $crate::model::Contract = $crate::model::Contract::$of;
            fn answer(&self, model: &$crate::model::Model) -> Result<Self::Return, $crate::model::Refusal> {
                let function: fn(&Self, &$crate::model::Model) -> Self::Return = $function;
                Ok(function(self, model))
            }
        })*
    };
}
pub(crate) use views;

/// Everything that is so.
pub struct Model {
    /// UNIX seconds.
    pub now: u64,
    pub registry: Registry,
    pub records: Records,
    pub exceptions: Exceptions,
    pub relay: Relay,
    pub audit: Audit,
    pub addresses: Addresses,
    told: Vec<Event>,
}

/// Where the contracts are, as each was told.
#[derive(Debug, Clone, Copy)]
pub struct Addresses {
    pub registry: Address,
    pub records: Address,
    pub exceptions: Address,
    pub relay: Address,
    pub audit: Address,
    pub claims: Address,
    pub supply: Address,
    pub trials: Address,
}

impl Model {
    /// Five contracts that have just been initialised.
    pub fn new(now: u64, owner: Address, addresses: Addresses) -> Self {
        Self {
            now,
            registry: Registry {
                owner,
                ..Registry::default()
            },
            records: Records::default(),
            exceptions: Exceptions::default(),
            relay: Relay::default(),
            audit: Audit::default(),
            addresses,
            told: Vec::new(),
        }
    }

    /// What `call` by `caller` tells and returns, or why it is refused.
    pub fn run(&mut self, caller: Address, call: &impl Act) -> Result<(Vec<Event>, Vec<u8>), Refusal> {
        self.told.clear();
        let outcome = call.act(self, caller);
        let told = std::mem::take(&mut self.told);
        assert!(
            outcome.is_ok() || told.is_empty(),
            "the model changed before it refused: {call:?}"
        );
        outcome.map(|output| (told, output))
    }

    fn tell(&mut self, of: Contract, event: impl SolEvent) {
        let data = event.encode_log_data();
        self.told.push(Event { of, data });
    }
}

/// An end that an argument states: 0 is none.
fn end(stated: u64) -> Option<u64> {
    (stated != 0).then_some(stated)
}

/// As an answer states it.
fn stated(end: Option<u64>) -> u64 {
    end.unwrap_or(0)
}

/// Ends are exclusive.
pub fn is_before(at: u64, end: Option<u64>) -> bool {
    end.is_none_or(|end| at < end)
}
