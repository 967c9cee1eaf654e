//! Events to changes of the state tables. Pure: no event's meaning depends on what the tables hold.
mod ledgers;
#[cfg(test)]
mod tests;

use crate::{
    model::Event,
    tables::{Table, Value},
};
use anyhow::Result;
use ledgers::{claims, supply, trials};
use medlock_abi::{
    audit::IAudit::IAuditEvents,
    exceptions::IExceptions::IExceptionsEvents,
    records::IRecords::IRecordsEvents,
    registry::IRegistry::IRegistryEvents,
    relay::IRelay::IRelayEvents,
    terms::{credential_status as status, effect, record_status},
};

/// What becomes of the one thing that `row`'s key names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub table: Table,
    pub act: Act,
    /// The key's columns, then, where a row begins, those of its values.
    pub row: Vec<Value>,
}

/// The tables must allow it: what cannot be is a contradiction between chain and index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// A row begins where none is current.
    Begin,
    /// A row begins in the place of a current one.
    Follow,
    /// A row begins. If there is a current one, that ends.
    Replace,
    /// The current row ends.
    End,
    /// If there is a current row, that ends.
    EndAny,
}

/// The version of a directory or key when it first appears.
const FIRST_VERSION: u32 = 1;
/// The version of a record when it is amended for the first time.
const SECOND_VERSION: u32 = 2;
/// The grant epoch of a chart that was just opened.
const FIRST_EPOCH: u32 = 1;
/// The control epoch of a chart that was just opened.
const FIRST_CONTROL_EPOCH: u32 = 0;

/// `change!(Act Table: values)`
macro_rules! change {
    ($act:ident $table:ident: $($value:expr),+) => {
        Change {
            table: Table::$table,
            act: Act::$act,
            row: vec![$(Value::from($value)),+],
        }
    };
}
use change;

/// What `event` changes, in the order in which to change it. `time`: of its block, in UNIX seconds.
///
/// Fails where a number is too large for a column.
pub fn apply(event: &Event, time: u64) -> Result<Vec<Change>> {
    match event {
        Event::Records(event) => records(event, time),
        Event::Registry(event) => registry(event),
        Event::Exceptions(event) => exceptions(event),
        Event::Relay(event) => Ok(relay(event)),
        Event::Audit(event) => audit(event),
        Event::Claims(event) => claims(event),
        Event::Supply(event) => supply(event),
        Event::Trials(event) => trials(event),
    }
}

fn records(event: &IRecordsEvents, time: u64) -> Result<Vec<Change>> {
    use IRecordsEvents as E;
    Ok(match event {
        // Whether a chart is exceptional shows in what stands beside its grants; the event rows keep who acted for whom.
        E::MadeExceptional(_) | E::ByDelegate(_) | E::ActedFor(_) => vec![],
        E::ChartOpened(e) => vec![
            change!(Begin Chart: e.chart, e.controller, FIRST_CONTROL_EPOCH),
            change!(Begin GrantEpoch: e.chart, FIRST_EPOCH),
            change!(Begin Directory: e.chart, FIRST_VERSION, e.directory),
        ],
        E::ControlOffered(e) if e.to.is_zero() => vec![change!(EndAny ControlOffer: e.chart)],
        E::ControlOffered(e) => vec![change!(Replace ControlOffer: e.chart, e.to)],
        E::ControlAccepted(e) => vec![
            change!(End ControlOffer: e.chart),
            change!(Follow Chart: e.chart, e.controller, e.controlEpoch),
        ],
        E::DirectorySet(e) => vec![change!(Follow Directory: e.chart, e.version, e.directory)],
        E::RecordAdded(e) => vec![change!(Begin Record:
            e.chart, e.recordId, e.compartment, e.author, e.codec, e.pointer, Value::int(time)?)],
        E::RecordTakenFromBatch(e) => vec![change!(Begin Record:
            e.chart, e.recordId, e.compartment, e.author, e.codec, e.pointer, Value::int(e.createdAt)?)],
        E::RecordAmended(e) if e.version == SECOND_VERSION => vec![change!(Begin RecordVersion:
            e.chart, e.recordId, e.version, e.author, e.codec, e.pointer, e.previous, Value::int(time)?)],
        E::RecordAmended(e) => vec![change!(Follow RecordVersion:
            e.chart, e.recordId, e.version, e.author, e.codec, e.pointer, e.previous, Value::int(time)?)],
        E::RecordEnteredInError(e) => {
            vec![change!(Replace RecordStatus: e.chart, e.recordId, record_status::ENTERED_IN_ERROR)]
        }
        E::RecordShredded(e) => vec![change!(Replace RecordStatus: e.chart, e.recordId, record_status::SHREDDED)],
        E::BatchAdded(e) => {
            vec![change!(Begin Batch: e.chart, e.root, e.author, e.compartment, e.codec, e.count)]
        }
        E::Granted(e) => vec![
            change!(Replace Grant:
                e.chart, e.grantee, e.epoch, Value::bits(e.compartments), e.purposes, e.actions,
                Value::int(e.notBefore)?, Value::int(e.expiry)?, e.since, e.serial, e.keyring),
            change!(EndAny Keyring: e.chart, e.grantee),
        ],
        E::KeyringSet(e) => vec![change!(Replace Keyring: e.chart, e.grantee, e.keyring)],
        E::Revoked(e) => vec![
            change!(End Grant: e.chart, e.grantee),
            change!(EndAny Keyring: e.chart, e.grantee),
        ],
        // The grants stay as they are, of a lower epoch: so does the contract, and the cost is constant.
        E::AllRevoked(e) => vec![change!(Follow GrantEpoch: e.chart, e.epoch)],
    })
}

fn registry(event: &IRegistryEvents) -> Result<Vec<Change>> {
    use IRegistryEvents as E;
    Ok(match event {
        // Who owns the registry decides nothing that is asked here; the event rows keep it.
        E::OwnershipTransferStarted(_) | E::OwnershipTransferred(_) => vec![],
        E::IssuerSet(e) if e.active => vec![change!(Replace Issuer: e.issuer, e.number, e.epoch)],
        E::IssuerSet(e) => vec![change!(End Issuer: e.issuer)],
        E::CredentialIssued(e) => vec![
            change!(Replace Credential:
                e.party, e.issuer, e.issuerEpoch, Value::bits(e.roles), Value::int(e.expiry)?, e.document),
            change!(Replace CredentialStatus: e.party, status::ISSUED),
        ],
        E::CredentialReinstated(e) => vec![
            change!(Follow Credential:
                e.party, e.issuer, e.issuerEpoch, Value::bits(e.roles), Value::int(e.expiry)?, e.document),
            change!(Follow CredentialStatus: e.party, status::ISSUED),
        ],
        E::CredentialSuspended(e) => vec![change!(Follow CredentialStatus: e.party, status::SUSPENDED)],
        E::CredentialRevoked(e) => vec![change!(Follow CredentialStatus: e.party, status::REVOKED)],
        E::MemberSet(e) => vec![change!(Replace Member: e.organisation, e.member, Value::int(e.expiry)?)],
        E::MemberRemoved(e) => vec![change!(End Member: e.organisation, e.member)],
        E::KeyPublished(e) if e.version == FIRST_VERSION => {
            vec![change!(Begin PartyKey: e.party, e.version, e.suite, e.key.clone())]
        }
        E::KeyPublished(e) => vec![change!(Follow PartyKey: e.party, e.version, e.suite, e.key.clone())],
        E::KeyRevoked(e) => vec![change!(Begin KeyRevocation: e.party, e.version)],
    })
}

fn exceptions(event: &IExceptionsEvents) -> Result<Vec<Change>> {
    use IExceptionsEvents as E;
    Ok(match event {
        // The event rows keep who acted for whom.
        E::ByDelegate(_) => vec![],
        // A rule may be removed that nobody set.
        E::RuleSet(e) if e.effect == effect::NONE => vec![change!(EndAny Rule: e.chart, e.recordId, e.grantee)],
        E::RuleSet(e) => vec![change!(Replace Rule:
            e.chart, e.recordId, e.grantee, e.effect, e.purposes, e.actions, Value::int(e.expiry)?, e.directoryVersion)],
        E::DelegateSet(e) => vec![change!(Replace Delegate:
            e.chart, e.delegate, e.parent, e.serial, e.powers, Value::int(e.expiry)?, e.depth, e.parentSerial,
            e.controlEpoch)],
        E::DelegateRemoved(e) => vec![change!(End Delegate: e.chart, e.delegate)],
        E::EmergencyAccessSet(e) => {
            vec![change!(Replace EmergencyAccess: e.chart, e.allowed, e.serial, e.controlEpoch)]
        }
        E::EmergencyOpened(e) => vec![change!(Replace Emergency:
            e.chart, e.party, e.organisation, Value::bits(e.compartments), e.reasonCode, Value::int(e.until)?,
            e.grantEpoch, e.serial)],
        E::EmergencyClosed(e) => vec![change!(End Emergency: e.chart, e.party)],
    })
}

fn relay(event: &IRelayEvents) -> Vec<Change> {
    use IRelayEvents as E;
    match event {
        E::Cancelled(e) => vec![change!(Replace Nonce: e.signer, e.nonce)],
    }
}

fn audit(event: &IAuditEvents) -> Result<Vec<Change>> {
    use IAuditEvents as E;
    Ok(match event {
        E::Anchored(e) => vec![change!(Begin Anchor:
            e.gateway, Value::int(e.index)?, e.anchor, e.previous, e.root, e.count)],
        E::EquivocationProved(e) => vec![change!(Begin Equivocation:
            e.gateway, Value::int(e.index)?, e.first, e.second, e.by)],
    })
}
