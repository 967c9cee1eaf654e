//! What the maker gives to whoever has one of its packages in hand: enough to see that it was made, and to dispense it.
//!
//! Version 1 is JSON: `{"v":1,"maker","gtin","lot","expiry","serial","index","opening","proof":[..]}`. A ticket opens its own package and
//! no other. It is no proof of who has the package: the maker gives it to whoever names GTIN and serial.
use std::collections::BTreeMap;

use alloy_primitives::{Address, B256};
use serde::{Deserialize, Serialize};

use crate::{
    barcode::Package,
    gtin::Gtin,
    keccak,
    label::{Lot, Serial},
    serials::{self, Batch},
};

const VERSION: u64 = 1;
/// The longest proof makes half of it.
pub const TICKET_BYTES_MAX: usize = 4096;

/// One package of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    pub batch: Batch,
    pub serial: Serial,
    /// Its number in the batch.
    pub index: u32,
    /// See [`serials`].
    pub opening: B256,
    /// From its leaf up to the batch's root.
    pub proof: Vec<B256>,
}

/// Why a ticket is not taken. Repeats nothing of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TicketError {
    #[error("the ticket has {bytes} bytes, more than {bytes_max}; ask the maker for it again")]
    TooLarge { bytes: usize, bytes_max: usize },
    #[error("the ticket is malformed at line {line}, column {column}; ask the maker for it again")]
    Malformed { line: usize, column: usize },
    #[error("the ticket is of version {found}, which this program does not read; update it")]
    UnknownVersion { found: u64 },
    #[error(
        "the ticket is of another package: its {field} differs from what was scanned; scan again, then ask the maker for this package's"
    )]
    OtherPackage { field: &'static str },
    #[error(
        "no batch is registered by this maker, GTIN and lot; the package is false, or the batch is not yet registered"
    )]
    UnknownBatch,
    #[error(
        "the ticket's expiry is not that of the batch on chain; one of them was changed, so keep the package aside"
    )]
    OtherExpiry,
    #[error("the proof does not lead to the batch's root: this package was never made in this batch")]
    NotInBatch,
    #[error("there is no ticket of this package; ask the maker for it")]
    NotThere,
    #[error("there are tickets of several packages; scan the one that is meant")]
    Several,
}

/// As it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    v: u64,
    maker: Address,
    gtin: Gtin,
    lot: Lot,
    expiry: u64,
    serial: Serial,
    index: u32,
    opening: B256,
    proof: Vec<B256>,
}

/// Read by itself: a later version may have other fields.
#[derive(Deserialize)]
struct Version {
    v: u64,
}

impl Ticket {
    /// What the contract calls the serial.
    pub fn leaf(&self) -> B256 {
        serials::leaf(self.batch.gtin, &self.serial, self.opening)
    }

    pub fn to_json(&self) -> String {
        let Batch {
            maker,
            gtin,
            lot,
            expiry,
        } = self.batch;
        let wire = Wire {
            v: VERSION,
            maker,
            gtin,
            lot,
            expiry,
            serial: self.serial,
            index: self.index,
            opening: self.opening,
            proof: self.proof.clone(),
        };
        serde_json::to_string(&wire).expect("strings, numbers and lists of them are always written")
    }

    /// # Errors
    /// [`TicketError::TooLarge`], [`TicketError::Malformed`], [`TicketError::UnknownVersion`].
    pub fn from_json(bytes: &[u8]) -> Result<Self, TicketError> {
        if bytes.len() > TICKET_BYTES_MAX {
            return Err(TicketError::TooLarge {
                bytes: bytes.len(),
                bytes_max: TICKET_BYTES_MAX,
            });
        }
        // The parser's own message could repeat a serial.
        let malformed = |error: serde_json::Error| TicketError::Malformed {
            line: error.line(),
            column: error.column(),
        };
        let Version { v } = serde_json::from_slice(bytes).map_err(malformed)?;
        if v != VERSION {
            return Err(TicketError::UnknownVersion { found: v });
        }
        let wire: Wire = serde_json::from_slice(bytes).map_err(malformed)?;
        Ok(Self {
            batch: Batch {
                maker: wire.maker,
                gtin: wire.gtin,
                lot: wire.lot,
                expiry: wire.expiry,
            },
            serial: wire.serial,
            index: wire.index,
            opening: wire.opening,
            proof: wire.proof,
        })
    }

    /// The ticket of the package that was scanned or, without a scan, the only one of a list with a ticket a line.
    ///
    /// # Errors
    /// As [`Ticket::from_json`], [`TicketError::NotThere`], [`TicketError::Several`].
    pub fn find(list: &str, scanned: Option<&Package>) -> Result<Self, TicketError> {
        let mut found = None;
        for line in list.lines().filter(|line| !line.trim().is_empty()) {
            let ticket = Self::from_json(line.as_bytes())?;
            match scanned {
                Some(scanned) if ticket.check_scan(scanned).is_err() => continue,
                None if found.is_some() => return Err(TicketError::Several),
                _ => found = Some(ticket),
            }
        }
        found.ok_or(TicketError::NotThere)
    }

    /// Whether the ticket is of the package that was scanned. Its expiry is not compared: what counts beside the printed one is the chain's.
    ///
    /// # Errors
    /// [`TicketError::OtherPackage`] names the first field that differs.
    pub fn check_scan(&self, scanned: &Package) -> Result<(), TicketError> {
        let fields = [
            ("GTIN", self.batch.gtin == scanned.gtin),
            ("serial", self.serial == scanned.serial),
            ("lot", self.batch.lot == scanned.lot),
        ];
        match fields.iter().find(|(_, is_same)| !is_same) {
            Some((field, _)) => Err(TicketError::OtherPackage { field }),
            None => Ok(()),
        }
    }
}

/// One maker's tickets of a lot, without their proofs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LotTickets {
    pub maker: Address,
    /// By the package's number.
    leaves: BTreeMap<u32, B256>,
}

impl LotTickets {
    /// Those of a list, a ticket a line, that are of the scanned package's GTIN and lot.
    ///
    /// # Errors
    /// As [`Ticket::from_json`].
    pub fn of(list: &str, scanned: &Package) -> Result<Vec<Self>, TicketError> {
        let mut makers: BTreeMap<Address, BTreeMap<u32, B256>> = BTreeMap::new();
        for line in list.lines().filter(|line| !line.trim().is_empty()) {
            let ticket = Ticket::from_json(line.as_bytes())?;
            if (ticket.batch.gtin, ticket.batch.lot) == (scanned.gtin, scanned.lot) {
                let leaves = makers.entry(ticket.batch.maker).or_default();
                leaves.insert(ticket.index, ticket.leaf());
            }
        }
        let lots = makers.into_iter().map(|(maker, leaves)| Self { maker, leaves });
        Ok(lots.collect())
    }

    /// Whether these are the tickets of all packages of the batch with this root and count: then a package with another serial was never made in it.
    pub fn are_all(&self, root: B256, count: u32) -> bool {
        // Different numbers, so many of them, and none beyond: all there are.
        let is_whole = self.leaves.len() as u64 == u64::from(count)
            && self.leaves.last_key_value().is_some_and(|(last, _)| *last < count);
        let hashes = || -> Vec<B256> {
            let leaves = self.leaves.values();
            leaves.map(|leaf| medlock_merkle::leaf(keccak, *leaf)).collect()
        };
        is_whole && medlock_merkle::root(keccak, &hashes()) == Some(root)
    }
}

/// Whether the package was made: `root`, `count` and `expiry` are what `batchOf` says of [`Batch::id`] (all zero: no batch). Says nothing
/// about what became of it; that is the contract's `verify`.
///
/// # Errors
/// [`TicketError::UnknownBatch`], [`TicketError::OtherExpiry`], [`TicketError::NotInBatch`].
pub fn verify_ticket(ticket: &Ticket, root: B256, count: u32, expiry: u64) -> Result<(), TicketError> {
    if root.is_zero() || count == 0 {
        return Err(TicketError::UnknownBatch);
    }
    if ticket.batch.expiry != expiry {
        return Err(TicketError::OtherExpiry);
    }
    let leaf = medlock_merkle::leaf(keccak, ticket.leaf());
    if !medlock_merkle::verify(keccak, root, count, ticket.index, leaf, &ticket.proof) {
        return Err(TicketError::NotInBatch);
    }
    Ok(())
}
