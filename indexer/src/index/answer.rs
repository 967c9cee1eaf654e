//! What the index answers with, and how it is read from rows.
use super::{IndexError, Result};
use crate::{
    Deployment,
    db::Row,
    tables::{LOG_BITS, end_of, place},
};
use alloy::primitives::{Address, B256, Bytes};
use medlock_abi::terms::{credential_status, record_status};
use std::{fmt, str::FromStr, sync::Arc};

/// Rows in one page, whatever the caller asks for: bounds memory.
pub const PAGE_MOST: u32 = 1000;

/// A block that an answer speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    pub number: u64,
    pub hash: B256,
    /// UNIX seconds.
    pub time: u64,
    pub finality: Finality,
}

/// How sure it is that a block stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Finality {
    /// A reorg may still take it back.
    Latest,
    /// The node calls it safe: its batch is posted to the chain above, where that could still reorganise.
    Safe,
    /// The node calls it finalized.
    Finalized,
}

/// Where an event stands. Lists are in this order, and a page begins after one.
/// As text: "block.log", decimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    pub block_number: u64,
    pub log_index: u64,
}

impl Position {
    /// As the tables hold it. One that no event can have lies after all logs of its block.
    pub(super) fn place(self) -> i64 {
        let last = end_of(self.block_number) - 1;
        place(self.block_number, self.log_index).unwrap_or(last)
    }

    pub(super) fn of(place: i64) -> Result<Self> {
        let place = u64::try_from(place).map_err(|_| IndexError::Corrupt { column: "valid_from" })?;
        Ok(Self {
            block_number: place >> LOG_BITS,
            log_index: place & ((1 << LOG_BITS) - 1),
        })
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.block_number, self.log_index)
    }
}

impl FromStr for Position {
    type Err = PositionError;

    fn from_str(text: &str) -> std::result::Result<Self, PositionError> {
        let (block, log) = text.split_once('.').ok_or(PositionError)?;
        // No signs or blanks, and no number that SQL cannot hold.
        let number = |digits: &str| match digits.parse::<i64>() {
            Ok(n) if digits.bytes().all(|b| b.is_ascii_digit()) => Ok(n.unsigned_abs()),
            _ => Err(PositionError),
        };
        Ok(Self {
            block_number: number(block)?,
            log_index: number(log)?,
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a position: two decimal numbers joined by a dot are wanted")]
pub struct PositionError;

/// Which part of a list. `limit` 0 or above [`PAGE_MOST`] means [`PAGE_MOST`].
/// The next page begins after the `position` of the last item; a page shorter than the limit is the last one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Page {
    pub after: Option<Position>,
    pub limit: u32,
}

/// As many rows as a page of this `limit` has.
pub(super) fn rows_most(limit: u32) -> u32 {
    if limit == 0 { PAGE_MOST } else { limit.min(PAGE_MOST) }
}

impl Page {
    /// The place after which it begins, and how long it is.
    pub(super) fn bounds(self) -> (i64, i64) {
        let after = self.after.map_or(-1, Position::place);
        (after, i64::from(rows_most(self.limit)))
    }
}

/// A chart as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chart {
    pub chart: B256,
    pub controller: Address,
    pub grant_epoch: u32,
    pub directory_version: u32,
    /// sha2-256 digest of the directory block's CID.
    pub directory: B256,
    /// How often control has passed on.
    pub control_epoch: u32,
    /// The event that gave the controller the chart: its opening, or a transfer.
    pub position: Position,
    /// UNIX seconds, of that event's block.
    pub controlled_since: u64,
}

/// One version of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub chart: B256,
    pub record_id: B256,
    pub version: u32,
    pub compartment: u8,
    /// Of the record as it stands: see `medlock_abi::terms::record_status`.
    pub status: u8,
    pub author: Address,
    pub codec: u8,
    /// sha2-256 digest of the envelope's CID. What is shredded has none on chain any more; here it is as it was logged.
    pub pointer: B256,
    /// The pointer of the version before; zero for version 1.
    pub previous: B256,
    /// UNIX seconds, of this version's block; of a record taken from a batch, of the batch's.
    pub created_at: u64,
    /// The block and transaction of this version's event.
    pub block_number: u64,
    pub block_hash: B256,
    pub log_index: u64,
    pub tx_hash: B256,
    /// The event that added the record (version 1). Listings of records are in this order.
    pub position: Position,
}

/// A grant that stands: not revoked, though perhaps not yet valid or expired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    pub chart: B256,
    pub grantee: Address,
    pub epoch: u32,
    pub compartments: u64,
    pub purposes: u32,
    pub actions: u8,
    /// UNIX seconds.
    pub not_before: u64,
    /// UNIX seconds; 0: none.
    pub expiry: u64,
    /// Which of the grants that the pair has had since its last revocation, from 1.
    pub serial: u8,
    /// sha2-256 digest of the keyring block's CID.
    pub keyring: B256,
    /// UNIX seconds, of the block that granted.
    pub granted_at: u64,
    pub position: Position,
}

/// What the registry knows of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    pub account: Address,
    /// The last one issued, whether or not it is still in force. `None`: never issued.
    pub credential: Option<Credential>,
    /// The newest published encryption key, revoked or not.
    pub key: Option<PartyKey>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    pub issuer: Address,
    /// The issuer's epoch that it was issued in has not ended.
    pub issuer_active: bool,
    /// See `medlock_abi::terms::credential_status`.
    pub status: u8,
    pub roles: u64,
    /// UNIX seconds: issued, or reinstated last.
    pub issued_at: u64,
    /// UNIX seconds; 0: none.
    pub expiry: u64,
    pub document: B256,
}

impl Credential {
    /// As `credentialOf(..).current` of the registry, at `at` (UNIX seconds).
    #[must_use]
    pub fn is_current(&self, at: u64) -> bool {
        self.status == credential_status::ISSUED && self.issuer_active && (self.expiry == 0 || at < self.expiry)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartyKey {
    pub version: u32,
    pub suite: u16,
    pub key: Bytes,
    /// UNIX seconds.
    pub valid_from: u64,
    /// UNIX seconds. `None`: not revoked.
    pub revoked_at: Option<u64>,
}

/// An answer to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    pub allowed: bool,
    /// See `medlock_abi::terms::reason`.
    pub reason: u8,
    /// The newest indexed block with an event of ours, or newer, whose time is at or before the time asked about.
    /// No event of ours stands between it and that time. Genesis for a time before the first.
    pub block: Head,
}

/// How the index is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The newest indexed block.
    pub head: Head,
    /// The newest block that the node has told of.
    pub chain_head: u64,
    /// Blocks between the two.
    pub lag_blocks: u64,
    /// Another process writes, and the pipeline of this one waits to take over.
    pub standby: bool,
    /// What keeps the pipeline of this process from going on at the moment (it keeps trying).
    pub trouble: Option<Arc<str>>,
    /// Why the pipeline of this process has ended for good.
    pub stopped: Option<Arc<str>>,
}

/// What must be kept in the block store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    pub head: Head,
    /// sha2-256 digests of dag-cbor blocks, each once: envelopes of all versions of records that are not shredded,
    /// directories, keyrings of grants that were not ended.
    pub digests: Vec<B256>,
    /// Records in Merkle batches whose pointers are not on chain yet: their blocks are live too, and nobody here knows
    /// which they are.
    pub leaves_not_taken: u64,
}

/// One who may read a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reader {
    /// Where this is an organisation, its members may read for it.
    pub account: Address,
    /// On what grounds: see `medlock_abi::terms::reason`.
    pub reason: u8,
}

/// A member of an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    pub organisation: Address,
    pub member: Address,
    /// UNIX seconds; 0: none.
    pub expiry: u64,
    /// UNIX seconds, of the block that made it so.
    pub since: u64,
    pub position: Position,
}

/// A gateway's anchor of read receipts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor {
    pub gateway: Address,
    /// From 0, without a gap.
    pub number: u64,
    pub anchor: B256,
    pub previous: B256,
    /// Merkle root of the receipts since the anchor before.
    pub root: B256,
    /// How many they are.
    pub receipts: u32,
    /// UNIX seconds, of its block.
    pub anchored_at: u64,
    pub position: Position,
    /// Somebody has proved that the gateway signed another statement for the same number.
    pub equivocated: bool,
}

/// How much there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    pub events: u64,
    pub charts: u64,
    pub records: u64,
    /// Versions of records beyond each one's first.
    pub amendments: u64,
    /// Not ended, and of their chart's grant epoch.
    pub grants: u64,
    /// Issued, and neither suspended nor revoked.
    pub credentials: u64,
    pub keys: u64,
    pub anchors: u64,
    /// Read receipts that are anchored.
    pub receipts: u64,
}

pub const DEPLOYMENT: &str =
    "SELECT chain_id, genesis_hash, registry, records, exceptions, relay, audit, claims, supply, trials, start_block
     FROM deployment";
pub fn deployment_row(row: &Row) -> Result<Deployment> {
    Ok(Deployment {
        chain_id: number(row, "chain_id")?,
        genesis_hash: b256(row, "genesis_hash")?,
        registry: address(row, "registry")?,
        records: address(row, "records")?,
        exceptions: address(row, "exceptions")?,
        relay: address(row, "relay")?,
        audit: address(row, "audit")?,
        claims: address(row, "claims")?,
        supply: address(row, "supply")?,
        trials: address(row, "trials")?,
        start_block: number(row, "start_block")?,
    })
}

/// Columns of `block`, and `safe` and `finalized` of `chain`.
pub fn head_row(row: &Row) -> Result<Head> {
    let block: u64 = number(row, "number")?;
    let (safe, finalized): (Option<u64>, Option<u64>) = (maybe(row, "safe")?, maybe(row, "finalized")?);
    let reaches = |marked: Option<u64>| marked.is_some_and(|marked| block <= marked);
    Ok(Head {
        number: block,
        hash: b256(row, "hash")?,
        time: number(row, "time")?,
        finality: if reaches(finalized) {
            Finality::Finalized
        } else if reaches(safe) {
            Finality::Safe
        } else {
            Finality::Latest
        },
    })
}

pub fn chart_row(row: &Row) -> Result<Chart> {
    Ok(Chart {
        chart: b256(row, "chart")?,
        controller: address(row, "controller")?,
        control_epoch: number(row, "control_epoch")?,
        grant_epoch: number(row, "epoch")?,
        directory_version: number(row, "version")?,
        directory: b256(row, "digest")?,
        position: position(row)?,
        controlled_since: number(row, "time")?,
    })
}

pub fn record_row(row: &Row) -> Result<Record> {
    let logged = Position::of(number(row, "place")?)?;
    Ok(Record {
        chart: b256(row, "chart")?,
        record_id: b256(row, "record_id")?,
        version: number(row, "version")?,
        compartment: number(row, "compartment")?,
        status: status(row)?,
        author: address(row, "author")?,
        codec: number(row, "codec")?,
        pointer: b256(row, "pointer")?,
        previous: match row.bytes("previous")? {
            None => B256::ZERO,
            Some(_) => b256(row, "previous")?,
        },
        created_at: number(row, "created_at")?,
        block_number: logged.block_number,
        block_hash: b256(row, "block_hash")?,
        log_index: logged.log_index,
        tx_hash: b256(row, "tx_hash")?,
        position: position(row)?,
    })
}

/// Of a record; one that is current has no row that says so.
pub fn status(row: &Row) -> Result<u8> {
    Ok(maybe(row, "status")?.unwrap_or(record_status::CURRENT))
}

pub fn grant_row(row: &Row) -> Result<Grant> {
    Ok(Grant {
        chart: b256(row, "chart")?,
        grantee: address(row, "grantee")?,
        epoch: number(row, "epoch")?,
        compartments: bits(row, "compartments")?,
        purposes: number(row, "purposes")?,
        actions: number(row, "actions")?,
        not_before: number(row, "not_before")?,
        expiry: number(row, "expiry")?,
        serial: number(row, "serial")?,
        keyring: b256(row, "digest")?,
        granted_at: number(row, "time")?,
        position: position(row)?,
    })
}

pub fn member_row(row: &Row) -> Result<Member> {
    Ok(Member {
        organisation: address(row, "organisation")?,
        member: address(row, "member")?,
        expiry: number(row, "expiry")?,
        since: number(row, "time")?,
        position: position(row)?,
    })
}

pub fn anchor_row(row: &Row) -> Result<Anchor> {
    Ok(Anchor {
        gateway: address(row, "gateway")?,
        number: number(row, "number")?,
        anchor: b256(row, "anchor")?,
        previous: b256(row, "previous")?,
        root: b256(row, "root")?,
        receipts: number(row, "receipts")?,
        anchored_at: number(row, "time")?,
        position: position(row)?,
        equivocated: flag(row, "equivocated")?,
    })
}

pub fn position(row: &Row) -> Result<Position> {
    Position::of(number(row, "valid_from")?)
}

/// A number that is there.
pub fn number<T: TryFrom<i64>>(row: &Row, column: &'static str) -> Result<T> {
    maybe(row, column)?.ok_or(IndexError::Corrupt { column })
}

/// A number, or NULL.
pub fn maybe<T: TryFrom<i64>>(row: &Row, column: &'static str) -> Result<Option<T>> {
    let number = row.int(column)?.map(T::try_from).transpose();
    number.map_err(|_| IndexError::Corrupt { column })
}

/// A bit set: all 64 bits count.
pub fn bits(row: &Row, column: &'static str) -> Result<u64> {
    Ok(number::<i64>(row, column)?.cast_unsigned())
}

pub fn flag(row: &Row, column: &'static str) -> Result<bool> {
    Ok(number::<i64>(row, column)? != 0)
}

pub fn bytes(row: &Row, column: &'static str) -> Result<Bytes> {
    let bytes = row.bytes(column)?.ok_or(IndexError::Corrupt { column })?;
    Ok(Bytes::copy_from_slice(bytes))
}

pub fn b256(row: &Row, column: &'static str) -> Result<B256> {
    let bytes = row.bytes(column)?.and_then(|bytes| B256::try_from(bytes).ok());
    bytes.ok_or(IndexError::Corrupt { column })
}

pub fn address(row: &Row, column: &'static str) -> Result<Address> {
    let bytes = row.bytes(column)?.and_then(|bytes| Address::try_from(bytes).ok());
    bytes.ok_or(IndexError::Corrupt { column })
}

/// A number to compare with SQL's: past 2^63 there is nothing to tell apart.
pub fn clamp(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
