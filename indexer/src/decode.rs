//! Logs to events. Pure.
use crate::{
    Deployment,
    model::{Entry, Event},
};
use alloy::{
    primitives::{Address, B256, IntoLogData, LogData, hex},
    rpc::types::Log,
    sol_types::SolEventInterface,
};
use medlock_abi::{
    audit::IAudit::IAuditEvents, claims::IClaims::IClaimsEvents, exceptions::IExceptions::IExceptionsEvents,
    records::IRecords::IRecordsEvents, registry::IRegistry::IRegistryEvents, relay::IRelay::IRelayEvents,
    supply::ISupply::ISupplyEvents, trials::ITrials::ITrialsEvents,
};

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
    let contract = log.inner.address;
    let (event, name) = if contract == deployment.registry {
        read(raw, Event::Registry, IRegistryEvents::name_by_selector)
    } else if contract == deployment.records {
        read(raw, Event::Records, IRecordsEvents::name_by_selector)
    } else if contract == deployment.exceptions {
        read(raw, Event::Exceptions, IExceptionsEvents::name_by_selector)
    } else if contract == deployment.relay {
        read(raw, Event::Relay, IRelayEvents::name_by_selector)
    } else if contract == deployment.audit {
        read(raw, Event::Audit, IAuditEvents::name_by_selector)
    } else if contract == deployment.claims {
        read(raw, Event::Claims, IClaimsEvents::name_by_selector)
    } else if contract == deployment.supply {
        read(raw, Event::Supply, ISupplyEvents::name_by_selector)
    } else if contract == deployment.trials {
        read(raw, Event::Trials, ITrialsEvents::name_by_selector)
    } else {
        Err("not a contract of this deployment".into())
    }
    .map_err(fail)?;
    Ok(Entry {
        block_number,
        log_index,
        tx_hash,
        contract,
        name,
        raw: raw.clone(),
        event,
    })
}

/// An event of one interface, and its name.
fn read<E: SolEventInterface + IntoLogData>(
    raw: &LogData,
    wrap: fn(E) -> Event,
    name: fn([u8; 32]) -> Option<&'static str>,
) -> Result<(Event, &'static str), String> {
    let event = E::decode_raw_log(raw.topics(), &raw.data).map_err(|error| error.to_string())?;
    let topic = raw.topics().first().copied().unwrap_or_default();
    let name = name(topic.0).ok_or("an event without a name")?;
    if event.to_log_data() != *raw {
        return Err("the encoding is not the ABI's".into());
    }
    Ok((wrap(event), name))
}
