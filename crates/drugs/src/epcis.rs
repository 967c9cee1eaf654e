//! GS1 EPCIS 2.0 events as JSON-LD documents, and the salted digest by which the contract's events name them.
//!
//! | [`Step`] | event, action | `bizStep` | `disposition` |
//! |---|---|---|---|
//! | `Commissioning` | ObjectEvent, ADD | commissioning | active |
//! | `Packing` | AggregationEvent, ADD | packing | in_progress |
//! | `Shipping` | ObjectEvent, OBSERVE | shipping | in_transit |
//! | `Receiving` | ObjectEvent, OBSERVE | receiving | in_progress |
//! | `Returning` | ObjectEvent, OBSERVE | shipping | returned |
//! | `Dispensing` | ObjectEvent, OBSERVE | dispensing | dispensed |
//! | `Decommissioning` | ObjectEvent, DELETE | decommissioning, or destroying | see [`Gone`] |
//! | `Recalled` | ObjectEvent, OBSERVE | holding | recalled |
//!
//! Terms are those of the GS1 Core Business Vocabulary 2.0. Things and places are GS1 Digital Link URIs, since an EPC URI would need the length
//! of the company's prefix. What others add (business transactions, sensors) is passed over: the digest is over the bytes, so nothing is lost. An
//! error declaration is not: it says that the event did not happen.
mod time;
mod uri;
mod wire;

use std::{
    collections::{BTreeMap, HashMap},
    mem::{Discriminant, discriminant},
};

use alloy_primitives::{Address, B256, keccak256};
use medlock_abi::terms::decommission;

pub use self::{
    time::EventTime,
    uri::{Epc, Gln, LotClass, NumberError, Party, Sscc},
};
use crate::{Day, Gtin, Lot, serials::batch_id};

/// A document is held in memory; what is longer names lots and counts, or is several documents.
pub const DOCUMENT_BYTES_MAX: usize = 16 * 1024 * 1024;
/// One shipment of 128 units makes some hundred events; the rest is room.
pub const EVENTS_MOST: usize = 1_000;

/// A document of some events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    pub created: EventTime,
    pub events: Vec<Event>,
}

/// Something that was done to packages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub time: EventTime,
    pub step: Step,
    /// Packages by their serials.
    pub epcs: Vec<Epc>,
    /// Packages by lot and number: what a serial would say too much, or too long.
    pub quantities: Vec<Quantity>,
    /// Where it happened.
    pub read_point: Option<Gln>,
}

/// So many packages of a lot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantity {
    pub of: LotClass,
    pub count: u32,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// `expiry`: what is printed.
    Commissioning {
        expiry: Option<Day>,
    },
    /// Into a case or onto a pallet.
    Packing {
        into: Sscc,
    },
    Shipping {
        from: Party,
        to: Party,
    },
    Receiving {
        from: Party,
        to: Party,
    },
    Returning {
        from: Party,
        to: Party,
    },
    Dispensing,
    Decommissioning(Gone),
    Recalled,
}

/// What became of packages that left the supply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gone {
    Destroyed,
    Damaged,
    Stolen,
    /// Nobody knows where they are.
    Unknown,
    /// Not for sale any more, a sample for instance.
    NotSellable,
    Inactive,
}

impl Gone {
    /// What a reason code of the contract (`terms::decommission`) is in EPCIS. The code itself stands on chain.
    pub const fn of_reason(reason_code: u8) -> Self {
        match reason_code {
            decommission::DESTROYED => Self::Destroyed,
            decommission::DAMAGED => Self::Damaged,
            decommission::SAMPLE => Self::NotSellable,
            decommission::STOLEN => Self::Stolen,
            decommission::LOST => Self::Unknown,
            _ => Self::Inactive,
        }
    }
}

/// So many packages of a batch, which an event of the contract is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Goods {
    pub maker: Address,
    pub batch: B256,
    pub packages: u64,
}

/// What a document tells otherwise than the event that names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Difference {
    #[error("it tells of GTIN {gtin}, lot {lot}, and the event has none of that")]
    OtherLot { gtin: Gtin, lot: Lot },
    #[error("it tells of {told} packages of batch {batch}, and the event has {packages}")]
    Count { batch: B256, told: u64, packages: u64 },
}

/// Why a document is not taken, or not written. `event` counts from 0. Repeats nothing of the document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EpcisError {
    #[error(
        "the document has {bytes} bytes, more than {bytes_max}; split it, or name lots and counts in place of serials"
    )]
    TooLarge { bytes: usize, bytes_max: usize },
    #[error("the document is malformed at line {line}, column {column}; export it as EPCIS 2.0 JSON")]
    Malformed { line: usize, column: usize },
    #[error("the document's type is not EPCISDocument; export the events themselves, as EPCIS 2.0 JSON")]
    DocumentType,
    #[error("the document's @context is not that of EPCIS 2.0; export it as EPCIS 2.0 JSON")]
    Context,
    #[error("the document's schemaVersion is not 2.0; export it as EPCIS 2.0 JSON")]
    SchemaVersion,
    #[error("the document's creationDate is missing or no time with a zone; write it as 2026-05-03T10:00:00Z")]
    CreationDate,
    #[error("the document has {given} events and may have 1 to {most}; split it")]
    EventCount { given: usize, most: usize },
    #[error("event {event}: {fault}")]
    Event { event: usize, fault: Fault },
}

/// What is wrong with one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("{field} is missing; EPCIS 2.0 wants it here")]
    Missing { field: &'static str },
    #[error("{field} is no time with a zone; write it as 2026-05-03T10:00:00+02:00")]
    Time { field: &'static str },
    #[error("eventTimeZoneOffset is none; write it as +02:00, from -14:00 to +14:00")]
    Offset,
    #[error("type is neither ObjectEvent nor AggregationEvent; these two are read here")]
    Type,
    #[error(
        "type, action, bizStep and disposition together are none of the steps that are read here; see the table of medlock-drugs"
    )]
    Step,
    #[error("it names no package; give epcList or quantityList")]
    NoThings,
    #[error(
        "{field} has an identifier that is no GS1 Digital Link of a serial, lot, SSCC or GLN, with check digits that are right"
    )]
    Identifier { field: &'static str },
    #[error("a quantity is no whole number from 1 to 4294967295")]
    Quantity,
    #[error("{field} needs exactly one possessing party, a GLN or an account")]
    Party { field: &'static str },
    #[error("the expiry in ilmd is no day; write it as YYYY-MM-DD")]
    Expiry,
    #[error("it carries an error declaration: it says that this did not happen; leave it out")]
    Declared,
}

impl Document {
    /// Always the same bytes for the same document.
    ///
    /// # Errors
    /// [`EpcisError::EventCount`], [`EpcisError::TooLarge`], [`EpcisError::Event`] for [`Fault::NoThings`] and [`Fault::Quantity`].
    pub fn to_json(&self) -> Result<Vec<u8>, EpcisError> {
        let bytes = wire::write(self)?;
        require_size(bytes.len())?;
        Ok(bytes)
    }

    /// # Errors
    /// See [`EpcisError`].
    pub fn from_json(bytes: &[u8]) -> Result<Self, EpcisError> {
        require_size(bytes.len())?;
        wire::read(bytes)
    }

    /// What differs in GTINs, lots and quantities from what an event is about. Packages that one document has both packed and shipped count once.
    pub fn differences(&self, goods: &[Goods]) -> Vec<Difference> {
        let mut expected: BTreeMap<B256, (Address, u64)> = BTreeMap::new();
        for Goods { maker, batch, packages } in goods {
            expected.entry(*batch).or_insert((*maker, 0)).1 += packages;
        }
        let (mut told, mut differences) = (BTreeMap::new(), Vec::new());
        for (of, count) in self.counts() {
            let is_of = |(batch, (maker, _)): &(&B256, &(Address, u64))| **batch == batch_id(*maker, of.gtin, &of.lot);
            match expected.iter().find(is_of) {
                Some((batch, _)) => drop(told.insert(*batch, count)),
                None => differences.push(Difference::OtherLot {
                    gtin: of.gtin,
                    lot: of.lot,
                }),
            }
        }
        for (batch, (_, packages)) in expected {
            let told = told.get(&batch).copied().unwrap_or(0);
            if told != packages {
                differences.push(Difference::Count { batch, told, packages });
            }
        }
        differences
    }

    /// How many packages of each lot it tells of: in the kind of events that has most of them.
    fn counts(&self) -> BTreeMap<LotClass, u64> {
        let mut counts: BTreeMap<LotClass, HashMap<Discriminant<Step>, u64>> = BTreeMap::new();
        for event in &self.events {
            let singles = event.epcs.iter().map(|epc| (epc.class(), 1_u64));
            let several = event.quantities.iter().map(|some| (some.of, u64::from(some.count)));
            for (of, count) in singles.chain(several) {
                let of_step = counts.entry(of).or_default().entry(discriminant(&event.step));
                *of_step.or_default() += count;
            }
        }
        let most = |steps: HashMap<_, u64>| steps.into_values().max().unwrap_or(0);
        counts.into_iter().map(|(of, steps)| (of, most(steps))).collect()
    }
}

fn require_size(bytes: usize) -> Result<(), EpcisError> {
    if bytes > DOCUMENT_BYTES_MAX {
        return Err(EpcisError::TooLarge {
            bytes,
            bytes_max: DOCUMENT_BYTES_MAX,
        });
    }
    Ok(())
}

/// The `document` word of the contract's events: `keccak256("medlock/v1/supply/document" ‖ salt ‖ bytes)`.
///
/// `salt`: 32 random bytes for this document alone, given to who gets the document. Without it a document of few possible contents could be
/// guessed from its digest.
pub fn document_digest(salt: &[u8; 32], bytes: &[u8]) -> B256 {
    keccak256([b"medlock/v1/supply/document".as_slice(), salt, bytes].concat())
}
