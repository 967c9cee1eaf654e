//! Events to changes of the state tables. Pure: no event's meaning depends on what the tables hold.
use crate::model::Event;
use alloy::primitives::{Address, B256, Bytes};
use medlock_abi::{
    records::IRecords::IRecordsEvents, registry::IRegistry::IRegistryEvents, terms::credential_status as status,
};

/// One row that begins, or ends without a successor. A row that begins ends the current row of the same key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    Chart {
        chart: B256,
        controller: Address,
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
}

/// The version of a record or directory when it first appears.
const FIRST_VERSION: u32 = 1;
/// The grant epoch of a chart that was just opened.
const FIRST_EPOCH: u32 = 1;

/// What `event` changes, in the order in which to change it.
pub fn apply(event: &Event) -> Vec<Change> {
    match event {
        Event::Records(event) => records(event),
        Event::Registry(event) => registry(event),
    }
}

fn records(event: &IRecordsEvents) -> Vec<Change> {
    use IRecordsEvents as E;
    match event {
        E::Initialized(_) => vec![],
        E::ChartOpened(e) => vec![
            Change::Chart {
                chart: e.chart,
                controller: e.controller,
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
            Change::RecordVersion {
                chart: e.chart,
                record_id: e.recordId,
                version: FIRST_VERSION,
                author: e.author,
                codec: e.codec,
                pointer: e.pointer,
                previous: B256::ZERO,
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
        E::Initialized(_) | E::OwnershipTransferStarted(_) | E::OwnershipTransferred(_) => vec![],
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
