//! What a page gets and gives, as `dapp/src/core/core.ts` has it: names in camel case. What the gateway's API has already goes as it is.

use alloy::primitives::{Address, B256};
use medlock_client::{
    Anchoring, Document, GrantTerms, ImportOptions, Imported, Kind, LeftOut, Outcome, Read,
    api::{self, Actions, Compartments, Purpose, Purposes},
    verdict,
};
use serde::{Deserialize, Serialize};

use crate::fault::Fault;

macro_rules! shapes {
    ($($(#[$meta:meta])* struct $name:ident { $($field:ident: $type:ty),* $(,)? })*) => {$(
        $(#[$meta])*
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        pub struct $name { $(pub $field: $type),* }
    )*};
}

shapes! {
    struct Key {
        address: Address,
        key_file: String,
        words: Option<Vec<String>>,
    }

    struct Heads {
        chain: u64,
        index: u64,
        r#final: u64,
    }

    struct Chart {
        chart: B256,
        controlled_since: u64,
        rotation_due: bool,
    }

    struct MetadataShape {
        media_type: String,
        resource_type: Option<String>,
        date: Option<String>,
        title: Option<String>,
        source: Option<String>,
    }

    /// Without its content, which the browser keeps.
    struct RecordShape {
        record_id: B256,
        version: u32,
        compartment: u8,
        metadata: MetadataShape,
    }

    struct ImportReport {
        kind: Kind,
        records: usize,
        entries: Vec<EntryShape>,
    }

    struct EntryShape {
        resource_type: Option<String>,
        title: Option<String>,
        date: Option<String>,
        category: &'static str,
        topic: Option<&'static str>,
        compartment: u8,
        record_id: B256,
        version: u32,
        outcome: Outcome,
        why: Option<&'static str>,
    }

    struct Access {
        sequence: u64,
        record_id: B256,
        version: u32,
        reader: Address,
        organisation: Option<Address>,
        purpose: Purpose,
        read_at: u64,
        received_at: u64,
        reason: String,
        break_glass: bool,
        proven: bool,
        checkable: bool,
        anchoring: Anchoring,
    }

    struct Membership {
        organisation: Address,
        member: Address,
        expiry: u64,
        in_force: bool,
        has_keys: bool,
    }

    struct EmergencySettings {
        allowed: bool,
        kit: Option<KitShape>,
    }

    struct KitShape {
        compartments: Compartments,
        custodians: Vec<Address>,
        threshold: u8,
        current: bool,
    }

    struct EmergencyShape {
        chart: B256,
        party: Address,
        organisation: Option<Address>,
        compartments: Compartments,
        reason_code: u16,
        opened_at: u64,
        until: u64,
        open: bool,
    }

    struct Exported {
        layout: medlock_client::Layout,
        resources: u64,
        documents: u64,
        left_out: Vec<LeftOutShape>,
    }

    struct LeftOutShape {
        record_id: B256,
        compartment: u8,
        why: String,
        damaged: bool,
    }

    struct Checked {
        gateway: Address,
        proved: bool,
        block_time: Option<u64>,
    }
}

/// Terms of a share, as a page wishes them.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GrantWish {
    compartments: Compartments,
    purposes: Purposes,
    actions: Actions,
    not_before: u64,
    expiry: u64,
}

impl From<GrantWish> for GrantTerms {
    fn from(wish: GrantWish) -> Self {
        Self {
            compartments: wish.compartments.0,
            purposes: wish.purposes.0,
            actions: wish.actions.0,
            notBefore: wish.not_before,
            expiry: wish.expiry,
        }
    }
}

/// What a patient leaves for an emergency.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmergencyWish {
    pub compartments: Compartments,
    pub custodians: Vec<Address>,
    pub threshold: u8,
}

/// How a file is to be imported.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImportWish {
    kind: Option<String>,
    category: Option<String>,
    title: Option<String>,
    #[serde(default)]
    sensitive: bool,
    #[serde(default)]
    any_patient: bool,
    #[serde(default)]
    dry_run: bool,
    purpose: Purpose,
}

impl TryFrom<ImportWish> for ImportOptions {
    type Error = Fault;

    fn try_from(wish: ImportWish) -> Result<Self, Fault> {
        let kind = wish.kind.map(|name| {
            let kind = Kind::from_name(&name);
            kind.ok_or_else(|| Fault::usage(&format!("there is no kind of file {name}")))
        });
        let category = wish.category.map(|name| {
            let label = name.parse();
            label.map_err(|_| Fault::usage(&format!("there is no category {name}")))
        });
        Ok(Self {
            purpose: wish.purpose,
            kind: kind.transpose()?,
            category: category.transpose()?,
            title: wish.title,
            sensitive: wish.sensitive,
            any_patient: wish.any_patient,
            dry_run: wish.dry_run,
            ..Self::default()
        })
    }
}

impl RecordShape {
    pub fn new<C>(read: &Document<C>) -> Self {
        Self {
            record_id: read.record_id,
            version: read.version,
            compartment: read.compartment,
            metadata: crate::metadata(&read.metadata),
        }
    }
}

impl From<Imported> for ImportReport {
    fn from(imported: Imported) -> Self {
        let entries = imported.entries.into_iter().map(|entry| EntryShape {
            resource_type: entry.resource_type,
            title: entry.title,
            date: entry.date,
            category: entry.category,
            topic: entry.topic,
            compartment: entry.compartment,
            record_id: entry.record_id,
            version: entry.version,
            outcome: entry.outcome,
            why: entry.why,
        });
        Self {
            kind: imported.kind,
            records: imported.records,
            entries: entries.collect(),
        }
    }
}

impl From<Read> for Access {
    fn from(read: Read) -> Self {
        let receipt = read.entry.receipt;
        Self {
            sequence: read.entry.sequence,
            record_id: receipt.record_id,
            version: receipt.version,
            reader: receipt.reader,
            organisation: Some(receipt.organisation).filter(|account| !account.is_zero()),
            purpose: receipt.purpose,
            read_at: receipt.read_at,
            received_at: read.entry.received_at,
            reason: read.entry.reason,
            break_glass: read.break_glass,
            proven: read.proven,
            checkable: read.checkable,
            anchoring: read.anchoring,
        }
    }
}

impl From<api::Membership> for Membership {
    fn from(membership: api::Membership) -> Self {
        Self {
            organisation: membership.organisation,
            member: membership.member,
            expiry: membership.expiry,
            in_force: membership.in_force,
            has_keys: membership.keys.is_some_and(|keys| keys.current),
        }
    }
}

impl From<medlock_client::EmergencySettings> for EmergencySettings {
    fn from(settings: medlock_client::EmergencySettings) -> Self {
        Self {
            allowed: settings.allowed,
            kit: settings.kit.map(|kit| KitShape {
                compartments: kit.compartments,
                custodians: kit.custodians,
                threshold: kit.threshold,
                current: kit.current,
            }),
        }
    }
}

impl From<api::Emergency> for EmergencyShape {
    fn from(emergency: api::Emergency) -> Self {
        Self {
            chart: emergency.chart,
            party: emergency.party,
            organisation: emergency.organisation,
            compartments: emergency.compartments,
            reason_code: emergency.reason_code,
            opened_at: emergency.opened_at,
            until: emergency.until,
            open: emergency.open,
        }
    }
}

impl From<medlock_client::Exported> for Exported {
    fn from(exported: medlock_client::Exported) -> Self {
        let shape = |left: LeftOut| LeftOutShape {
            record_id: left.record_id,
            compartment: left.compartment,
            why: left.why,
            damaged: left.damaged,
        };
        Self {
            layout: exported.layout,
            resources: exported.resources,
            documents: exported.documents,
            left_out: exported.left_out.into_iter().map(shape).collect(),
        }
    }
}

impl From<verdict::Checked> for Checked {
    fn from(checked: verdict::Checked) -> Self {
        Self {
            gateway: checked.gateway,
            proved: checked.proved,
            block_time: checked.block_time,
        }
    }
}
