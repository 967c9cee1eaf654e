//! The plain values that pass between the stages of the pipeline.
use crate::store::Rows;
use alloy::primitives::{Address, B256, LogData};
use medlock_abi::{
    audit::IAudit::IAuditEvents, claims::IClaims::IClaimsEvents, exceptions::IExceptions::IExceptionsEvents,
    records::IRecords::IRecordsEvents, registry::IRegistry::IRegistryEvents, relay::IRelay::IRelayEvents,
    supply::ISupply::ISupplyEvents, trials::ITrials::ITrialsEvents,
};

/// A block header, as far as the index needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    pub number: u64,
    pub hash: B256,
    pub parent: B256,
    /// UNIX seconds.
    pub time: u64,
}

/// One event of our contracts.
#[derive(Debug)]
pub enum Event {
    Registry(IRegistryEvents),
    Records(IRecordsEvents),
    Exceptions(IExceptionsEvents),
    Relay(IRelayEvents),
    Audit(IAuditEvents),
    Claims(IClaimsEvents),
    Supply(ISupplyEvents),
    Trials(ITrialsEvents),
}

/// An event, decoded, with the log that it came from.
#[derive(Debug)]
pub struct Entry {
    pub block_number: u64,
    pub log_index: u64,
    pub tx_hash: B256,
    pub contract: Address,
    /// The event's name in the ABI.
    pub name: &'static str,
    pub raw: LogData,
    pub event: Event,
}

/// What the chain brought after `after`: consistent, complete and in order. Committed in one transaction.
#[derive(Debug)]
pub struct Batch {
    /// The checkpoint that the batch continues from.
    pub after: Block,
    /// Ascending. Holds the block of every entry; the last one is the new checkpoint.
    pub blocks: Vec<Block>,
    /// Ascending by block and log index.
    pub entries: Vec<Entry>,
    /// What they write.
    pub rows: Rows,
}

impl Entry {
    /// Names the event, so that it can be looked up.
    pub fn describe(&self) -> String {
        let Self {
            name,
            log_index,
            block_number,
            tx_hash,
            ..
        } = self;
        format!("{name}, log {log_index} of block {block_number} (transaction {tx_hash})")
    }
}
