//! Logs to events. Pure.
use crate::{
    Deployment,
    model::{Entry, Event},
};
use alloy::{
    primitives::{Address, B256, IntoLogData, hex},
    rpc::types::Log,
    sol_types::SolEventInterface,
};
use medlock_abi::{records::IRecords::IRecordsEvents, registry::IRegistry::IRegistryEvents};

/// A log of our contracts that this build cannot read, named so that it can be looked up.
/// Going on without it would make the index wrong, so the pipeline stops.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot decode log {log_index} of block {block_number} (transaction {tx_hash}, contract {contract}, topic {topic}): {why}"
)]
pub struct Undecodable {
    pub block_number: u64,
    pub log_index: u64,
    pub tx_hash: B256,
    pub contract: Address,
    /// The first topic in hex, or "none".
    pub topic: String,
    pub why: String,
}

/// Decodes one mined log of the deployment's contracts.
///
/// Strict: the log must be, byte for byte, what encoding the event gives. Anything else means that contract and
/// index disagree about the ABI.
pub fn decode(deployment: &Deployment, log: &Log) -> Result<Entry, Undecodable> {
    let raw = &log.inner.data;
    let fail = |why: String| Undecodable {
        block_number: log.block_number.unwrap_or_default(),
        log_index: log.log_index.unwrap_or_default(),
        tx_hash: log.transaction_hash.unwrap_or_default(),
        contract: log.inner.address,
        topic: raw.topics().first().map_or_else(|| "none".into(), hex::encode_prefixed),
        why,
    };
    let (Some(block_number), Some(log_index), Some(tx_hash)) = (log.block_number, log.log_index, log.transaction_hash)
    else {
        return Err(fail("the log does not say where it stands".into()));
    };
    let topic = raw.topics().first().copied().unwrap_or_default();
    let (event, name, again) = if log.inner.address == deployment.registry {
        let event = IRegistryEvents::decode_raw_log(raw.topics(), &raw.data).map_err(|e| fail(e.to_string()))?;
        let again = event.to_log_data();
        (
            Event::Registry(event),
            IRegistryEvents::name_by_selector(topic.0),
            again,
        )
    } else if log.inner.address == deployment.records {
        let event = IRecordsEvents::decode_raw_log(raw.topics(), &raw.data).map_err(|e| fail(e.to_string()))?;
        let again = event.to_log_data();
        (Event::Records(event), IRecordsEvents::name_by_selector(topic.0), again)
    } else {
        return Err(fail("not a contract of this deployment".into()));
    };
    let name = name.ok_or_else(|| fail("an event without a name".into()))?;
    if again != *raw {
        return Err(fail("the encoding is not the ABI's".into()));
    }
    Ok(Entry {
        block_number,
        log_index,
        tx_hash,
        contract: log.inner.address,
        name,
        raw: raw.clone(),
        event,
    })
}
