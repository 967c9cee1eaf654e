//! What is known of a chart, as the index and the receipts have it. Times are UNIX seconds.

use std::fmt;
use std::str::FromStr;

use medlock_abi::terms::{record_status, role};

pub type Account = [u8; 20];
/// A chart, a record's id, or a digest.
pub type Bytes32 = [u8; 32];

/// Where an event stands on chain: what makes one grant, or one version, the only one of its name.
/// As text, and as a resource's id: "block.log", decimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    pub block: u64,
    pub log: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.block, self.log)
    }
}

/// What is no [`Place`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a place: two decimal numbers joined by a dot are wanted")]
pub struct NoPlace;

impl FromStr for Place {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        let (block, log) = text.split_once('.').ok_or(NoPlace)?;
        let (block, log) = (decimal(block).ok_or(NoPlace)?, decimal(log).ok_or(NoPlace)?);
        Ok(Self { block, log })
    }
}

/// A number as `Display` writes it: no sign, no leading zero. There is one text for each.
pub(crate) fn decimal<T: FromStr + fmt::Display>(digits: &str) -> Option<T> {
    digits.parse().ok().filter(|n: &T| n.to_string() == digits)
}

/// What an account is in FHIR's eyes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Credentialed as an organisation or as an insurer.
    Organisation,
    /// Credentialed as a practitioner, and as no organisation.
    Practitioner,
    /// A gateway; and whoever holds no credential: all that is known of them is that something signs with a key.
    Device,
}

impl Kind {
    /// By the roles of the account's credential, in force or not; 0 where it has none.
    #[must_use]
    pub fn of_roles(roles: u64) -> Self {
        if roles & (role::ORGANISATION | role::INSURER) != 0 {
            Self::Organisation
        } else if roles & role::PRACTITIONER != 0 {
            Self::Practitioner
        } else {
            Self::Device
        }
    }

    /// The resource type that a reference to the account names.
    #[must_use]
    pub fn resource_type(self) -> &'static str {
        match self {
            Self::Organisation => "Organization",
            Self::Practitioner => "Practitioner",
            Self::Device => "Device",
        }
    }

    pub(crate) fn of_resource_type(name: &str) -> Option<Self> {
        [Self::Organisation, Self::Practitioner, Self::Device]
            .into_iter()
            .find(|kind| kind.resource_type() == name)
    }
}

/// An account, and what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Party {
    pub account: Account,
    pub kind: Kind,
}

/// Who gave a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Granter {
    /// Whoever controls the chart: the patient, or who stands for them (a parent of an infant).
    Controller,
    /// A delegate of the controller's, in person.
    Delegate(Account),
}

/// What a grant allows, while `not_before <= now < expiry`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// Bit n is compartment n.
    pub compartments: u64,
    /// Bits of `medlock_abi::terms::purpose`; others are kept.
    pub purposes: u32,
    /// Bits of `medlock_abi::terms::action`; others are kept.
    pub actions: u8,
    pub not_before: u64,
    /// 0: none.
    pub expiry: u64,
}

/// A grant as it was given, and whether it has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    pub chart: Bytes32,
    pub grantee: Party,
    pub terms: Terms,
    /// The directory version at which the pair's grants began.
    pub since: u32,
    pub serial: u8,
    pub epoch: u32,
    /// sha2-256 digest of the keyring block's CID.
    pub keyring: Bytes32,
    /// The event that granted.
    pub place: Place,
    /// Of that event's block: at most [`time::SECONDS_MOST`](super::time::SECONDS_MOST).
    pub granted_at: u64,
    /// Where it is known.
    pub granter: Option<Granter>,
    /// When it was revoked, or another grant took its place. Same bound as `granted_at`.
    pub ended_at: Option<u64>,
    /// Those that name the grantee, and those that name everybody.
    pub rules: Vec<Rule>,
}

/// What the controller says of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    pub record_id: Bytes32,
    /// False: of everybody but controller and delegates.
    pub names_grantee: bool,
    pub effect: Effect,
    pub purposes: u32,
    pub actions: u8,
    /// 0: none.
    pub expiry: u64,
    /// The chart's directory version when it was set.
    pub directory_version: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Adds the record to a grant in force, set since that grant's [`Grant::since`].
    Allow,
    /// Wins.
    Deny,
}

/// What stands for a chart where there is no grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub chart: Bytes32,
    /// Whether credentialed providers may break the glass.
    pub emergency_access: bool,
    /// The event that said so.
    pub place: Place,
    /// Of that event's block.
    pub set_at: u64,
    /// Deny rules that name everybody.
    pub denied: Vec<Rule>,
}

/// One version of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    pub chart: Bytes32,
    pub record_id: Bytes32,
    /// From 1.
    pub version: u32,
    /// It is the record's newest.
    pub latest: bool,
    pub compartment: u8,
    pub status: Status,
    pub author: Party,
    /// For whom the author wrote.
    pub organisation: Option<Account>,
    /// sha2-256 digest of the envelope's CID.
    pub pointer: Bytes32,
    /// The version before.
    pub previous: Option<Previous>,
    pub created_at: u64,
    /// When it last became something else: superseded, or entered in error. `created_at` where it never did.
    pub changed_at: u64,
    /// This version's event.
    pub place: Place,
    pub tx: Bytes32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Previous {
    pub pointer: Bytes32,
    /// Where it is known.
    pub place: Option<Place>,
}

/// Where a record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    Current,
    EnteredInError,
    Shredded,
}

impl Status {
    /// By the number of `medlock_abi::terms::record_status`.
    #[must_use]
    pub fn of_number(number: u8) -> Option<Self> {
        match number {
            record_status::CURRENT => Some(Self::Current),
            record_status::ENTERED_IN_ERROR => Some(Self::EnteredInError),
            record_status::SHREDDED => Some(Self::Shredded),
            _ => None,
        }
    }
}

/// One read of a version, as a gateway logged it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    pub gateway: Account,
    /// In the gateway's chain of receipts, from 1.
    pub sequence: u64,
    pub chart: Bytes32,
    pub record_id: Bytes32,
    pub version: u32,
    pub pointer: Bytes32,
    pub reader: Party,
    /// For whom the reader acted, as a member; `None`: for themselves.
    pub organisation: Option<Account>,
    /// One bit.
    pub purpose: u32,
    /// By the reader's clock.
    pub read_at: u64,
    /// By the gateway's clock.
    pub received_at: u64,
    /// On what grounds: `medlock_abi::terms::reason`.
    pub reason: u8,
    /// The block at whose state the read was allowed.
    pub block: u64,
    pub block_hash: Bytes32,
    /// Of the log's entry.
    pub hash: Bytes32,
    /// The version's event, where it is known.
    pub version_place: Option<Place>,
    pub compartment: Option<u8>,
    /// The event of the grant that it rested on, where it rested on one and that is known.
    pub grant_place: Option<Place>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_one_text() {
        let place = Place {
            block: u64::MAX,
            log: 0,
        };
        assert_eq!(place.to_string().parse(), Ok(place));
        for bad in [
            "",
            ".",
            "1",
            "1.",
            ".1",
            "+1.1",
            "1.-1",
            "01.1",
            "1.1.1",
            " 1.1",
            "18446744073709551616.0",
            "1.٣",
        ] {
            assert_eq!(bad.parse::<Place>(), Err(NoPlace), "{bad}");
        }
    }

    #[test]
    fn an_organisation_is_one_whatever_else_it_is() {
        assert_eq!(Kind::of_roles(role::ORGANISATION | role::PROVIDER), Kind::Organisation);
        assert_eq!(Kind::of_roles(role::INSURER), Kind::Organisation);
        assert_eq!(
            Kind::of_roles(role::PRACTITIONER | role::ORGANISATION),
            Kind::Organisation
        );
        assert_eq!(Kind::of_roles(role::PRACTITIONER | role::PROVIDER), Kind::Practitioner);
        assert_eq!(Kind::of_roles(role::GATEWAY), Kind::Device);
        assert_eq!(Kind::of_roles(0), Kind::Device);
    }
}
