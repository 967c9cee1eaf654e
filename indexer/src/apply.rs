//! Events to changes of the state tables. Pure: no event's meaning depends on what the tables hold.
use crate::model::Event;
use alloy::primitives::{Address, B256, Bytes, U256};
use medlock_abi::{
    audit::IAudit::IAuditEvents,
    exceptions::IExceptions::IExceptionsEvents,
    records::IRecords::IRecordsEvents,
    registry::IRegistry::IRegistryEvents,
    relay::IRelay::IRelayEvents,
    terms::{credential_status as status, effect, record_status},
};

/// One row that begins, or ends without a successor. A row that begins ends the current row of the same key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    Chart {
        chart: B256,
        controller: Address,
        control_epoch: u32,
    },
    Offer {
        chart: B256,
        to: Address,
    },
    OfferEnds {
        chart: B256,
    },
    GrantEpoch {
        chart: B256,
        epoch: u32,
    },
    Directory {
        chart: B256,
        version: u32,
        digest: B256,
    },
    Record {
        chart: B256,
        record_id: B256,
        compartment: u8,
    },
    RecordVersion {
        chart: B256,
        record_id: B256,
        version: u32,
        author: Address,
        codec: u8,
        pointer: B256,
        previous: B256,
        /// UNIX seconds. `None`: the time of the event's block.
        created_at: Option<u64>,
    },
    RecordStatus {
        chart: B256,
        record_id: B256,
        status: u8,
    },
    Batch {
        chart: B256,
        root: B256,
        author: Address,
        compartment: u8,
        codec: u8,
        count: u32,
    },
    Grant {
        chart: B256,
        grantee: Address,
        epoch: u32,
        compartments: u64,
        purposes: u32,
        actions: u8,
        not_before: u64,
        expiry: u64,
        since: u32,
        serial: u8,
    },
    GrantEnds {
        chart: B256,
        grantee: Address,
    },
    Keyring {
        chart: B256,
        grantee: Address,
        digest: B256,
    },
    KeyringEnds {
        chart: B256,
        grantee: Address,
    },
    Issuer {
        issuer: Address,
        number: u32,
        epoch: u32,
    },
    IssuerEnds {
        issuer: Address,
    },
    Credential {
        party: Address,
        issuer: Address,
        issuer_epoch: u32,
        roles: u64,
        expiry: u64,
        document: B256,
    },
    CredentialStatus {
        party: Address,
        status: u8,
    },
    Member {
        organisation: Address,
        member: Address,
        expiry: u64,
    },
    MemberEnds {
        organisation: Address,
        member: Address,
    },
    PartyKey {
        party: Address,
        version: u32,
        suite: u16,
        key: Bytes,
    },
    KeyRevoked {
        party: Address,
        version: u32,
    },
    Rule {
        chart: B256,
        record_id: B256,
        grantee: Address,
        effect: u8,
        purposes: u32,
        actions: u8,
        expiry: u64,
        directory_version: u32,
    },
    RuleEnds {
        chart: B256,
        record_id: B256,
        grantee: Address,
    },
    Delegate {
        chart: B256,
        delegate: Address,
        parent: Address,
        serial: u32,
        powers: u8,
        expiry: u64,
        depth: u8,
        parent_serial: u32,
        control_epoch: u32,
    },
    DelegateEnds {
        chart: B256,
        delegate: Address,
    },
    EmergencyAccess {
        chart: B256,
        allowed: bool,
        serial: u32,
        control_epoch: u32,
    },
    Emergency {
        chart: B256,
        party: Address,
        organisation: Address,
        compartments: u64,
        reason_code: u16,
        until: u64,
        grant_epoch: u32,
        serial: u32,
    },
    EmergencyEnds {
        chart: B256,
        party: Address,
    },
    Nonce {
        signer: Address,
        nonce: U256,
    },
    Anchor {
        gateway: Address,
        index: u64,
        anchor: B256,
        previous: B256,
        root: B256,
        count: u32,
    },
    Equivocation {
        gateway: Address,
        index: u64,
        first: B256,
        second: B256,
        by: Address,
    },
}

/// The version of a record or directory when it first appears.
const FIRST_VERSION: u32 = 1;
/// The grant epoch of a chart that was just opened.
const FIRST_EPOCH: u32 = 1;
/// The control epoch of a chart that was just opened.
const FIRST_CONTROL_EPOCH: u32 = 0;

/// What `event` changes, in the order in which to change it.
pub fn apply(event: &Event) -> Vec<Change> {
    match event {
        Event::Records(event) => records(event),
        Event::Registry(event) => registry(event),
        Event::Exceptions(event) => exceptions(event),
        Event::Relay(event) => relay(event),
        Event::Audit(event) => audit(event),
    }
}

fn records(event: &IRecordsEvents) -> Vec<Change> {
    use IRecordsEvents as E;
    match event {
        // Whether a chart is exceptional shows in what stands beside its grants; the event rows keep who acted for whom.
        E::MadeExceptional(_) | E::ByDelegate(_) | E::ActedFor(_) => vec![],
        E::ChartOpened(e) => vec![
            Change::Chart {
                chart: e.chart,
                controller: e.controller,
                control_epoch: FIRST_CONTROL_EPOCH,
            },
            Change::GrantEpoch {
                chart: e.chart,
                epoch: FIRST_EPOCH,
            },
            Change::Directory {
                chart: e.chart,
                version: FIRST_VERSION,
                digest: e.directory,
            },
        ],
        E::ControlOffered(e) if e.to.is_zero() => vec![Change::OfferEnds { chart: e.chart }],
        E::ControlOffered(e) => vec![Change::Offer {
            chart: e.chart,
            to: e.to,
        }],
        E::ControlAccepted(e) => vec![
            Change::OfferEnds { chart: e.chart },
            Change::Chart {
                chart: e.chart,
                controller: e.controller,
                control_epoch: e.controlEpoch,
            },
        ],
        E::DirectorySet(e) => {
            vec![Change::Directory {
                chart: e.chart,
                version: e.version,
                digest: e.directory,
            }]
        }
        E::RecordAdded(e) => vec![
            Change::Record {
                chart: e.chart,
                record_id: e.recordId,
                compartment: e.compartment,
            },
            Change::RecordStatus {
                chart: e.chart,
                record_id: e.recordId,
                status: record_status::CURRENT,
            },
            Change::RecordVersion {
                chart: e.chart,
                record_id: e.recordId,
                version: FIRST_VERSION,
                author: e.author,
                codec: e.codec,
                pointer: e.pointer,
                previous: B256::ZERO,
                created_at: None,
            },
        ],
        E::RecordTakenFromBatch(e) => vec![
            Change::Record {
                chart: e.chart,
                record_id: e.recordId,
                compartment: e.compartment,
            },
            Change::RecordStatus {
                chart: e.chart,
                record_id: e.recordId,
                status: record_status::CURRENT,
            },
            Change::RecordVersion {
                chart: e.chart,
                record_id: e.recordId,
                version: FIRST_VERSION,
                author: e.author,
                codec: e.codec,
                pointer: e.pointer,
                previous: B256::ZERO,
                created_at: Some(e.createdAt),
            },
        ],
        E::RecordAmended(e) => vec![Change::RecordVersion {
            chart: e.chart,
            record_id: e.recordId,
            version: e.version,
            author: e.author,
            codec: e.codec,
            pointer: e.pointer,
            previous: e.previous,
            created_at: None,
        }],
        E::RecordEnteredInError(e) => vec![Change::RecordStatus {
            chart: e.chart,
            record_id: e.recordId,
            status: record_status::ENTERED_IN_ERROR,
        }],
        E::RecordShredded(e) => vec![Change::RecordStatus {
            chart: e.chart,
            record_id: e.recordId,
            status: record_status::SHREDDED,
        }],
        E::BatchAdded(e) => vec![Change::Batch {
            chart: e.chart,
            root: e.root,
            author: e.author,
            compartment: e.compartment,
            codec: e.codec,
            count: e.count,
        }],
        E::Granted(e) => vec![
            Change::Grant {
                chart: e.chart,
                grantee: e.grantee,
                epoch: e.epoch,
                compartments: e.compartments,
                purposes: e.purposes,
                actions: e.actions,
                not_before: e.notBefore,
                expiry: e.expiry,
                since: e.since,
                serial: e.serial,
            },
            Change::Keyring {
                chart: e.chart,
                grantee: e.grantee,
                digest: e.keyring,
            },
        ],
        E::KeyringSet(e) => vec![Change::Keyring {
            chart: e.chart,
            grantee: e.grantee,
            digest: e.keyring,
        }],
        E::Revoked(e) => vec![
            Change::GrantEnds {
                chart: e.chart,
                grantee: e.grantee,
            },
            Change::KeyringEnds {
                chart: e.chart,
                grantee: e.grantee,
            },
        ],
        // The grants stay as they are, of a lower epoch: so does the contract, and the cost is constant.
        E::AllRevoked(e) => vec![Change::GrantEpoch {
            chart: e.chart,
            epoch: e.epoch,
        }],
    }
}

fn registry(event: &IRegistryEvents) -> Vec<Change> {
    use IRegistryEvents as E;
    match event {
        // Who owns the registry decides nothing that is asked here; the event rows keep it.
        E::OwnershipTransferStarted(_) | E::OwnershipTransferred(_) => vec![],
        E::IssuerSet(e) if e.active => vec![Change::Issuer {
            issuer: e.issuer,
            number: e.number,
            epoch: e.epoch,
        }],
        E::IssuerSet(e) => vec![Change::IssuerEnds { issuer: e.issuer }],
        E::CredentialIssued(e) => vec![
            Change::Credential {
                party: e.party,
                issuer: e.issuer,
                issuer_epoch: e.issuerEpoch,
                roles: e.roles,
                expiry: e.expiry,
                document: e.document,
            },
            Change::CredentialStatus {
                party: e.party,
                status: status::ISSUED,
            },
        ],
        E::CredentialReinstated(e) => vec![
            Change::Credential {
                party: e.party,
                issuer: e.issuer,
                issuer_epoch: e.issuerEpoch,
                roles: e.roles,
                expiry: e.expiry,
                document: e.document,
            },
            Change::CredentialStatus {
                party: e.party,
                status: status::ISSUED,
            },
        ],
        E::CredentialSuspended(e) => vec![Change::CredentialStatus {
            party: e.party,
            status: status::SUSPENDED,
        }],
        E::CredentialRevoked(e) => vec![Change::CredentialStatus {
            party: e.party,
            status: status::REVOKED,
        }],
        E::MemberSet(e) => vec![Change::Member {
            organisation: e.organisation,
            member: e.member,
            expiry: e.expiry,
        }],
        E::MemberRemoved(e) => vec![Change::MemberEnds {
            organisation: e.organisation,
            member: e.member,
        }],
        E::KeyPublished(e) => {
            vec![Change::PartyKey {
                party: e.party,
                version: e.version,
                suite: e.suite,
                key: e.key.clone(),
            }]
        }
        E::KeyRevoked(e) => vec![Change::KeyRevoked {
            party: e.party,
            version: e.version,
        }],
    }
}

fn exceptions(event: &IExceptionsEvents) -> Vec<Change> {
    use IExceptionsEvents as E;
    match event {
        // The event rows keep who acted for whom.
        E::ByDelegate(_) => vec![],
        E::RuleSet(e) if e.effect == effect::NONE => vec![Change::RuleEnds {
            chart: e.chart,
            record_id: e.recordId,
            grantee: e.grantee,
        }],
        E::RuleSet(e) => vec![Change::Rule {
            chart: e.chart,
            record_id: e.recordId,
            grantee: e.grantee,
            effect: e.effect,
            purposes: e.purposes,
            actions: e.actions,
            expiry: e.expiry,
            directory_version: e.directoryVersion,
        }],
        E::DelegateSet(e) => vec![Change::Delegate {
            chart: e.chart,
            delegate: e.delegate,
            parent: e.parent,
            serial: e.serial,
            powers: e.powers,
            expiry: e.expiry,
            depth: e.depth,
            parent_serial: e.parentSerial,
            control_epoch: e.controlEpoch,
        }],
        E::DelegateRemoved(e) => vec![Change::DelegateEnds {
            chart: e.chart,
            delegate: e.delegate,
        }],
        E::EmergencyAccessSet(e) => vec![Change::EmergencyAccess {
            chart: e.chart,
            allowed: e.allowed,
            serial: e.serial,
            control_epoch: e.controlEpoch,
        }],
        E::EmergencyOpened(e) => vec![Change::Emergency {
            chart: e.chart,
            party: e.party,
            organisation: e.organisation,
            compartments: e.compartments,
            reason_code: e.reasonCode,
            until: e.until,
            grant_epoch: e.grantEpoch,
            serial: e.serial,
        }],
        E::EmergencyClosed(e) => vec![Change::EmergencyEnds {
            chart: e.chart,
            party: e.party,
        }],
    }
}

fn relay(event: &IRelayEvents) -> Vec<Change> {
    use IRelayEvents as E;
    match event {
        E::Cancelled(e) => vec![Change::Nonce {
            signer: e.signer,
            nonce: e.nonce,
        }],
    }
}

fn audit(event: &IAuditEvents) -> Vec<Change> {
    use IAuditEvents as E;
    match event {
        E::Anchored(e) => vec![Change::Anchor {
            gateway: e.gateway,
            index: e.index,
            anchor: e.anchor,
            previous: e.previous,
            root: e.root,
            count: e.count,
        }],
        E::EquivocationProved(e) => vec![Change::Equivocation {
            gateway: e.gateway,
            index: e.index,
            first: e.first,
            second: e.second,
            by: e.by,
        }],
    }
}
