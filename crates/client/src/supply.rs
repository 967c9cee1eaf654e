//! Drugs: a maker registers batches, trading partners pass them on by offer and acceptance, a pharmacy dispenses, and whoever holds a package in hand
//! asks the chain what it is (`package.rs`). Custody is read from the contract's steps; the index only says when, and what is under way.

mod package;

use std::collections::{BTreeMap, BTreeSet};

use alloy::{
    eips::BlockId,
    primitives::{Address, B256, keccak256},
    rpc::types::Filter,
    sol_types::{SolCall, SolEvent},
};
use medlock_abi::supply::ISupply::{self, ISupplyEvents, ShipmentOffered, UnitSplit};
use medlock_api::supply::{Recall, Shipment, Unit as HeldUnit};
use medlock_drugs::{
    Batch, Day, Gtin, GtinSalt, Lot, Manifest, Ticket,
    epcis::{self, Difference, Document, Goods},
    history::{History, Step as CustodyStep},
    plan::{self, Plan, Run, Unit},
    serials::{last_day, lot_digest, read_list},
    ticket::{TicketError, verify_ticket},
};
use medlock_vault::Zeroizing;

pub use package::{Dispensing, HandOut, HandedOut, RecalledPackage, scanned};

use crate::{
    Client,
    chain::Mined,
    error::{Error, Result},
    platform::now,
    record::{random, tampered},
    terms::{HOLDERS_MOST, name_of, recall},
};

const WHAT: &str = "the batch";

/// By what an event names an EPCIS document. Without the salt nobody can tell by trying which one it is: it goes with the document to who is to
/// check it ([`document_digest`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct NamedDocument {
    pub digest: B256,
    pub salt: B256,
}

/// What was offered.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Shipped {
    /// The shipments' numbers, as decimal text: one for each 128 units.
    pub shipments: Vec<String>,
    pub mined: Vec<Mined>,
}

/// Packages that we hold, and what their batch says of them.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Held {
    #[serde(flatten)]
    pub unit: HeldUnit,
    pub gtin: Gtin,
    /// Of use.
    pub last_day: Day,
    pub expired: bool,
    /// Those that reach some of them, the most dangerous first.
    pub recalls: Vec<UnitRecall>,
}

/// A recall of some packages of a unit; perhaps of others, too.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct UnitRecall {
    /// From this package on, below the other.
    pub from: u32,
    pub to: u32,
    /// `terms::recall`, by name.
    pub class: String,
    pub reason: String,
    /// UNIX seconds.
    pub at: u64,
}

impl Held {
    fn new(unit: HeldUnit, batch: &ISupply::batchOfReturn, recalls: &[ISupply::recallOfReturn]) -> Result<Self> {
        if batch.maker.is_zero() {
            return Err(tampered(WHAT)("the gateway tells of one that the chain does not have"));
        }
        let reach = |recall: &&ISupply::recallOfReturn| recall.from < unit.to && unit.unit < recall.to;
        let mut reaching: Vec<_> = recalls.iter().filter(reach).collect();
        reaching.sort_by_key(|recall| (recall.class, recall.at));
        let told = reaching.into_iter().map(|recall| UnitRecall {
            from: recall.from,
            to: recall.to,
            class: name_of(&recall::CLASSES, recall.class),
            reason: name_of(&recall::REASONS, recall.reasonCode),
            at: recall.at,
        });
        Ok(Self {
            recalls: told.collect(),
            gtin: Gtin::from_number(batch.gtin).map_err(tampered(WHAT))?,
            last_day: last_day(batch.expiry),
            expired: batch.expiry <= now(),
            unit,
        })
    }
}

/// What the contract says of a batch at one block.
struct Registered {
    at: BlockId,
    batch: ISupply::batchOfReturn,
}

impl Client {
    /// The salt of a GTIN's serials: out of our root secret, so that nothing more has to be kept. It says nothing of the root.
    pub fn gtin_salt(&self, gtin: Gtin) -> Result<GtinSalt> {
        // keccak256 is a sponge: keying by prefix is sound (it has no length extension).
        let mut input = Zeroizing::new(Vec::with_capacity(128));
        input.extend_from_slice(b"medlock/v1/gtin-salt");
        input.extend_from_slice(self.identity.root().expose());
        input.extend_from_slice(&gtin.number().to_be_bytes());
        let salt = Zeroizing::new(keccak256(&*input).0);
        GtinSalt::from_slice(&*salt).map_err(Error::unsuitable)
    }

    /// A batch of ours to be registered. `serials`: one a line, as they are packed.
    ///
    /// # Errors
    /// [`Error::Unsuitable`] for a list that makes no batch.
    pub fn manifest(&self, gtin: Gtin, lot: Lot, expiry: Day, serials: &str) -> Result<Manifest> {
        let serials = read_list(serials).map_err(Error::unsuitable)?;
        let batch = Batch {
            maker: self.address(),
            gtin,
            lot,
            expiry: expiry.ends_at(),
        };
        Manifest::new(batch, self.gtin_salt(gtin)?, serials).map_err(Error::unsuitable)
    }

    /// Registers a batch of ours (a maker). `document`: salted digest of its EPCIS document, zero: none.
    pub async fn register_batch(&self, manifest: &Manifest, document: B256) -> Result<Mined> {
        let batch = manifest.batch();
        let call = ISupply::registerBatchCall {
            actor: self.address(),
            gtin: batch.gtin.number(),
            lot: lot_digest(&batch.lot),
            expiry: batch.expiry,
            root: manifest.root(),
            count: manifest.count(),
            document,
        };
        self.act_on(self.deployment.supply, call).await
    }

    /// Offers packages of ours to `to`, cutting units where it must. `kind`: of `terms::shipment`. What fails in the middle leaves cuts, which harm
    /// nothing: the same again goes on.
    pub async fn ship(&self, to: Address, kind: u8, runs: &[Run], document: B256) -> Result<Shipped> {
        let at = BlockId::from(self.chain.latest().await?.0);
        let mut units = Vec::new();
        for batch in runs.iter().map(|run| run.batch).collect::<BTreeSet<_>>() {
            units.extend(self.units_of(batch, at).await?);
        }
        let Plan { splits, offers } = plan::plan(self.address(), &units, runs).map_err(Error::unsuitable)?;
        let mut shipped = Shipped {
            shipments: Vec::with_capacity(offers.len()),
            mined: Vec::with_capacity(splits.len() + offers.len()),
        };
        for split in splits {
            let call = ISupply::splitCall {
                actor: self.address(),
                batch: split.batch,
                unit: split.unit,
                cuts: split.cuts,
            };
            shipped.mined.push(self.act_on(self.deployment.supply, call).await?);
        }
        for items in offers {
            let call = ISupply::offerCall {
                actor: self.address(),
                to,
                kind,
                items,
                document,
            };
            let mined = self.act_on(self.deployment.supply, call).await?;
            let logs = self.chain.logs_of(mined.transaction, self.deployment.supply).await?;
            let offered = logs.iter().find_map(|log| ShipmentOffered::decode_log(log).ok());
            let offered = offered.ok_or_else(|| tampered(WHAT)("the transaction tells of no shipment"))?;
            shipped.shipments.push(offered.shipment.to_string());
            shipped.mined.push(mined);
        }
        Ok(shipped)
    }

    /// Takes what was offered to us.
    pub async fn accept_shipment(&self, shipment: u64, document: B256) -> Result<Mined> {
        let actor = self.address();
        let call = ISupply::acceptCall {
            actor,
            shipment,
            document,
        };
        self.act_on(self.deployment.supply, call).await
    }

    /// Does not take what was offered to us.
    pub async fn refuse_shipment(&self, shipment: u64, document: B256) -> Result<Mined> {
        let actor = self.address();
        let call = ISupply::refuseCall {
            actor,
            shipment,
            document,
        };
        self.act_on(self.deployment.supply, call).await
    }

    /// Takes back what we have offered and nobody has accepted.
    pub async fn withdraw_shipment(&self, shipment: u64, document: B256) -> Result<Mined> {
        let actor = self.address();
        let call = ISupply::withdrawCall {
            actor,
            shipment,
            document,
        };
        self.act_on(self.deployment.supply, call).await
    }

    /// Recalls packages from `from` on, below `to`, for good (the maker, or a regulator). `class`, `reason`: of `terms::recall`.
    pub async fn recall_packages(
        &self,
        batch: B256,
        (from, to): (u32, u32),
        (class, reason): (u8, u8),
        document: B256,
    ) -> Result<Mined> {
        let registered = self.registered(batch).await?;
        let call = ISupply::recallCall {
            actor: self.address(),
            batch,
            number: registered.batch.recalls,
            from,
            to,
            class,
            reasonCode: reason,
            document,
        };
        self.act_on(self.deployment.supply, call).await
    }

    /// Dispenses a package that we hold (a pharmacy). A serial that was dispensed before, wherever, is refused: one of the two packages is false.
    ///
    /// # Errors
    /// [`Error::Unsuitable`] for a ticket that does not open a package of its batch.
    pub async fn dispense(&self, ticket: &Ticket, document: B256) -> Result<Mined> {
        let (batch, index) = (ticket.batch.id(), ticket.index);
        let Registered { at, batch: registered } = self.registered(batch).await?;
        verify_ticket(ticket, registered.root, registered.count, registered.expiry).map_err(Error::unsuitable)?;
        let unit = self.unit_with(batch, registered.count, index, at).await?;
        let call = ISupply::dispenseCall {
            actor: self.address(),
            batch,
            unit: unit.from,
            index,
            serial: ticket.leaf(),
            proof: ticket.proof.clone(),
            document,
        };
        self.act_on(self.deployment.supply, call).await
    }

    /// Takes a unit of ours out of the supply, for good. `reason`: of `terms::decommission`.
    pub async fn decommission(&self, batch: B256, unit: u32, reason: u8, document: B256) -> Result<Mined> {
        let call = ISupply::unitOfCall { batch, unit };
        let found = self.chain.call(self.deployment.supply, call).await?;
        let call = ISupply::decommissionCall {
            actor: self.address(),
            batch,
            unit,
            last: found.last,
            reasonCode: reason,
            document,
        };
        self.act_on(self.deployment.supply, call).await
    }

    /// How the unit with this package came to who holds it, back to its maker. Who and in which order is the contract's word; when, and with
    /// which document, the index's.
    ///
    /// # Errors
    /// [`Error::Tampered`] where a link does not hold: do not take the packages.
    pub async fn custody(&self, batch: Batch, index: u32) -> Result<History> {
        let id = batch.id();
        let Registered { at, batch: registered } = self.registered(id).await?;
        let unit = self.unit_with(id, registered.count, index, at).await?;
        let told = self.gateway().await?.chain_of_custody(id, index).await?;
        let told: BTreeMap<u64, _> = told.steps.into_iter().map(|step| (step.step, step)).collect();
        let call = ISupply::unitOfCall {
            batch: id,
            unit: unit.from,
        };
        let mut number = self.supply_at(call, at).await?.step;
        let mut steps = Vec::new();
        while number != 0 && steps.len() <= usize::from(HOLDERS_MOST) {
            let step = self.supply_at(ISupply::stepOfCall { step: number }, at).await?;
            let (from, kind, offered_at) = match step.shipment {
                0 => (Address::ZERO, 0, registered.registeredAt),
                shipment => {
                    let shipment = self.supply_at(ISupply::shipmentOfCall { shipment }, at).await?;
                    (shipment.from, shipment.kind, shipment.offeredAt)
                }
            };
            let told = told
                .get(&number)
                .filter(|told| (told.holder, told.shipment) == (step.holder, step.shipment) && told.at >= offered_at);
            let told = told.ok_or_else(|| tampered(WHAT)("the gateway tells another history than the chain"))?;
            steps.push(CustodyStep {
                number,
                holder: step.holder,
                previous: step.previous,
                shipment: step.shipment,
                from,
                kind,
                at: told.at,
                document: told.document.unwrap_or_default(),
            });
            number = step.previous;
        }
        History::link(batch, steps).map_err(tampered(WHAT))
    }

    /// What a document tells otherwise than these packages are: those of the event that names it, or is to.
    ///
    /// # Errors
    /// As [`document_digest`], and for a batch that nobody registered.
    pub async fn document_differences(&self, document: &[u8], runs: &[Run]) -> Result<Vec<Difference>> {
        let document = Document::from_json(document).map_err(Error::unsuitable)?;
        let mut goods = Vec::with_capacity(runs.len());
        for Run { batch, from, to } in runs {
            goods.push(Goods {
                maker: self.registered(*batch).await?.batch.maker,
                batch: *batch,
                packages: to.saturating_sub(*from).into(),
            });
        }
        Ok(document.differences(&goods))
    }

    /// A shipment from or to us that is open, by the gateway's index, and its packages: those of one that is closed may have been cut since.
    ///
    /// # Errors
    /// [`Error::Unsuitable`] where there is no such shipment.
    pub async fn open_shipment(&self, number: u64) -> Result<(Shipment, Vec<Run>)> {
        let mut open = self.shipments(true, true).await?;
        open.extend(self.shipments(false, true).await?);
        let found = open.into_iter().find(|one| one.shipment == number);
        let found = found
            .ok_or_else(|| Error::Unsuitable(format!("shipment {number} is none that is open, from you or to you")))?;
        let at = BlockId::from(self.chain.latest().await?.0);
        let mut runs = Vec::with_capacity(found.units.len());
        for unit in &found.units {
            let Unit { batch, from, to, .. } = self.unit_from(unit.batch, unit.unit, at).await?;
            runs.push(Run { batch, from, to });
        }
        Ok((found, runs))
    }

    /// Shipments from us (or the organisation that we act for), or to us, by the gateway's index.
    pub async fn shipments(&self, from_us: bool, open: bool) -> Result<Vec<Shipment>> {
        self.gateway().await?.shipments(from_us, open).await
    }

    /// What we hold, by the gateway's index, with what the contract says of its batches: whether it has expired, and which recalls reach it.
    pub async fn held_units(&self) -> Result<Vec<Held>> {
        let units = self.gateway().await?.held_units().await?;
        let at = BlockId::from(self.chain.latest().await?.0);
        let mut batches = BTreeMap::new();
        for batch in units.iter().map(|unit| unit.batch).collect::<BTreeSet<_>>() {
            batches.insert(batch, self.standing(batch, at).await?);
        }
        let held = units.into_iter().map(|unit| {
            let (batch, recalls) = &batches[&unit.batch];
            Held::new(unit, batch, recalls)
        });
        held.collect()
    }

    /// All recalls, by the gateway's index.
    pub async fn recalls(&self) -> Result<Vec<Recall>> {
        self.gateway().await?.recalls().await
    }

    /// What the contract says of a batch at the newest block.
    async fn registered(&self, batch: B256) -> Result<Registered> {
        let at = BlockId::from(self.chain.latest().await?.0);
        let found = self.supply_at(ISupply::batchOfCall { batch }, at).await?;
        if found.maker.is_zero() {
            return Err(Error::unsuitable(TicketError::UnknownBatch));
        }
        Ok(Registered { at, batch: found })
    }

    /// What the contract says of a batch, all zero where there is none, and its recalls.
    async fn standing(
        &self,
        batch: B256,
        at: BlockId,
    ) -> Result<(ISupply::batchOfReturn, Vec<ISupply::recallOfReturn>)> {
        let found = self.supply_at(ISupply::batchOfCall { batch }, at).await?;
        let mut recalls = Vec::with_capacity(found.recalls.into());
        for number in 0..found.recalls {
            recalls.push(self.supply_at(ISupply::recallOfCall { batch, number }, at).await?);
        }
        Ok((found, recalls))
    }

    /// A batch's units, one after the other.
    async fn units_of(&self, batch: B256, at: BlockId) -> Result<Vec<Unit>> {
        let count = self.supply_at(ISupply::batchOfCall { batch }, at).await?.count;
        let (mut units, mut from) = (Vec::new(), 0);
        while from < count {
            let unit = self.unit_from(batch, from, at).await?;
            units.push(unit);
            from = unit.to;
        }
        Ok(units)
    }

    /// The unit that has package number `index` of a batch of `count`. The contract tells of a unit by its first package. Which one that is, its events
    /// say in one answer; where they cannot be had, or are of another block, the units are gone through one after the other.
    async fn unit_with(&self, batch: B256, count: u32, index: u32, at: BlockId) -> Result<Unit> {
        if index < count
            && let Ok(from) = self.last_cut(batch, index).await
        {
            let unit = self.supply_at(ISupply::unitOfCall { batch, unit: from }, at).await?;
            if index < unit.to {
                return Ok(Unit::read(batch, from, &unit));
            }
        }
        let mut from = 0;
        while from < count {
            let unit = self.unit_from(batch, from, at).await?;
            if index < unit.to {
                return Ok(unit);
            }
            from = unit.to;
        }
        Err(Error::Unsuitable(format!("the batch has no package number {index}")))
    }

    /// Where a unit begins last, up to package number `index`.
    async fn last_cut(&self, batch: B256, index: u32) -> Result<u32> {
        let filter = Filter::new().topic1(batch);
        let events = self.supply_events(UnitSplit::SIGNATURE_HASH, filter).await?;
        let cuts = events.into_iter().flat_map(|event| match event {
            ISupplyEvents::UnitSplit(split) => split.cuts,
            _ => Vec::new(),
        });
        Ok(cuts.filter(|cut| *cut <= index).max().unwrap_or(0))
    }

    async fn unit_from(&self, batch: B256, from: u32, at: BlockId) -> Result<Unit> {
        let unit = self.supply_at(ISupply::unitOfCall { batch, unit: from }, at).await?;
        match unit.to > from {
            true => Ok(Unit::read(batch, from, &unit)),
            false => Err(tampered(WHAT)("its units do not follow on each other")),
        }
    }

    async fn supply_at<C: SolCall>(&self, call: C, at: BlockId) -> Result<C::Return> {
        self.chain.call_at(self.deployment.supply, call, at).await
    }

    /// All events with this signature that the contract has ever logged, as far as `filter` selects them.
    async fn supply_events(&self, signature: B256, filter: Filter) -> Result<Vec<ISupplyEvents>> {
        let filter = filter.address(self.deployment.supply).event_signature(signature);
        let events = self
            .chain
            .events::<ISupplyEvents>(&filter, self.deployment.block)
            .await?;
        Ok(events.into_iter().map(|(_, event)| event).collect())
    }
}

/// A salt for an EPCIS document, drawn anew each time, and its digest with it.
///
/// # Errors
/// As [`document_digest`].
pub fn named_document(bytes: &[u8]) -> Result<NamedDocument> {
    let salt = random();
    Ok(NamedDocument {
        digest: document_digest(bytes, salt)?,
        salt,
    })
}

/// By what an event names this EPCIS document, if it was anchored with this salt.
///
/// # Errors
/// [`Error::Unsuitable`] for what is no EPCIS 2.0 document, or a longer one than is taken.
pub fn document_digest(bytes: &[u8], salt: B256) -> Result<B256> {
    Document::from_json(bytes).map_err(Error::unsuitable)?;
    Ok(epcis::document_digest(&salt.0, bytes))
}

#[cfg(test)]
mod tests {
    use medlock_drugs::epcis::{Event, EventTime, LotClass, Quantity, Step};

    use super::*;

    fn dispensing() -> Vec<u8> {
        let time = EventTime::new(1_777_761_000_000, 0).unwrap();
        let of = LotClass {
            gtin: "09506000134352".parse().unwrap(),
            lot: "L1".parse().unwrap(),
        };
        let event = Event {
            time,
            step: Step::Dispensing,
            epcs: Vec::new(),
            quantities: vec![Quantity { of, count: 1 }],
            read_point: None,
        };
        let document = Document {
            created: time,
            events: vec![event],
        };
        document.to_json().unwrap()
    }

    #[test]
    fn a_document_is_found_by_its_salt_and_by_no_other() {
        let named = || named_document(&dispensing()).unwrap();
        let (one, other) = (named(), named());
        assert_ne!(one.digest, other.digest);
        assert_eq!(document_digest(&dispensing(), one.salt).unwrap(), one.digest);
        assert_ne!(document_digest(&dispensing(), other.salt).unwrap(), one.digest);
    }

    #[test]
    fn what_is_no_epcis_document_is_not_named() {
        let error = named_document(b"{}").unwrap_err();
        assert!(matches!(error, Error::Unsuitable(_)), "{error}");
    }
}
