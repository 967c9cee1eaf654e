//! Drugs: a maker registers batches, trading partners pass them on by offer and acceptance, a pharmacy dispenses, and whoever holds a package in hand
//! asks the chain what it is. Custody is read from the contract's steps; the index only says when, and what is under way.

use std::collections::{BTreeMap, BTreeSet};

use alloy::{
    eips::BlockId,
    primitives::{Address, B256, keccak256},
    sol_types::{SolCall, SolEvent},
};
use medlock_abi::{
    supply::ISupply::{self, RecallIssued, ShipmentOffered},
    terms::HOLDERS_MOST,
};
use medlock_api::{
    Purpose,
    supply::{Recall, Shipment, Unit as HeldUnit},
};
use medlock_drugs::{
    Batch, Day, Gtin, GtinSalt, Lot, Manifest, Package, Ticket,
    epcis::{self, Document},
    history::{History, Step as CustodyStep},
    plan::{self, Plan, Run, Unit},
    recall::{self, Dispensed},
    serials::read_list,
    ticket::{TicketError, verify_ticket},
    verdict::{self, Asker, Facts, Verdict},
};
use medlock_fhir::Label;
use medlock_vault::{Metadata, Zeroizing};

use crate::{
    Client, NewDocument, OpenChart, Stored,
    chain::Mined,
    error::{Error, Result},
    platform::now,
    record::{random, tampered},
};

/// A package as a chart keeps it: what recalls are compared with.
const PACKAGE_MEDIA_TYPE: &str = "application/vnd.medlock.package+json";
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

/// What the contract says of a batch, and its recalls, all at one block.
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
            lot: medlock_drugs::serials::lot_digest(&batch.lot),
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

    /// What a package is, by the chain alone: genuine, expired, recalled, dispensed already, never made. `scanned`: what is printed on it, where it was
    /// scanned.
    ///
    /// # Errors
    /// [`Error::Unsuitable`] where the ticket is of another package than the scan; [`Error::Tampered`] for facts that cannot be true together.
    pub async fn inspect(&self, ticket: &Ticket, scanned: Option<&Package>, asker: Asker) -> Result<Verdict> {
        if let Some(scanned) = scanned {
            ticket.check_scan(scanned).map_err(Error::unsuitable)?;
        }
        let (id, index) = (ticket.batch.id(), ticket.index);
        let at = BlockId::from(self.chain.latest().await?.0);
        // Of a batch that nobody registered the contract says zero, and that no package of it was made.
        let batch = self.supply_at(ISupply::batchOfCall { batch: id }, at).await?;
        // The contract's word is what counts, so also where the ticket itself shows that the package was never made.
        let unit = match index < batch.count {
            true => Some(self.unit_with(id, batch.count, index, at).await?),
            false => None,
        };
        let call = ISupply::verifyCall {
            batch: id,
            unit: unit.map_or(0, |unit| unit.from),
            index,
            serial: ticket.leaf(),
            proof: ticket.proof.clone(),
        };
        let verified = self.supply_at(call, at).await?;
        let mut recalls = Vec::with_capacity(batch.recalls.into());
        for number in 0..batch.recalls {
            recalls.push(self.supply_at(ISupply::recallOfCall { batch: id, number }, at).await?);
        }
        let decommissioned = unit.map_or(0, |unit| unit.decommissioned);
        judged(&batch, &verified, index, &recalls, decommissioned, scanned, asker)
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

    /// Shipments from us (or the organisation that we act for), or to us, by the gateway's index.
    pub async fn shipments(&self, from_us: bool, open: bool) -> Result<Vec<Shipment>> {
        self.gateway().await?.shipments(from_us, open).await
    }

    /// What we hold, by the gateway's index.
    pub async fn held_units(&self) -> Result<Vec<HeldUnit>> {
        self.gateway().await?.held_units().await
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

    /// The unit that has package number `index` of a batch of `count`.
    async fn unit_with(&self, batch: B256, count: u32, index: u32, at: BlockId) -> Result<Unit> {
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

    /// Packages in a chart of ours that a recall reaches. Which packages we have, nobody learns: all recalls are asked for, and compared here.
    pub async fn recalled_packages(&self, chart: B256, purpose: Purpose) -> Result<Vec<RecalledPackage>> {
        let packages = self.chart(chart).await?.packages(purpose).await?;
        let issued = self.recalls().await?;
        let mut events = Vec::new();
        for batch in packages
            .iter()
            .map(|(_, package)| package.batch)
            .collect::<BTreeSet<_>>()
        {
            // The gateway may leave one out: how many there are, and of what, the chain says.
            let Registered { at, batch: registered } = self.registered(batch).await?;
            for number in 0..registered.recalls {
                let recall = self.supply_at(ISupply::recallOfCall { batch, number }, at).await?;
                let by = issued.iter().find(|told| (told.batch, told.number) == (batch, number));
                events.push(RecallIssued {
                    batch,
                    by: by.map_or(Address::ZERO, |told| told.issued_by),
                    number,
                    from: recall.from,
                    to: recall.to,
                    class: recall.class,
                    reasonCode: recall.reasonCode,
                    document: B256::ZERO,
                });
            }
        }
        let plain: Vec<_> = packages.iter().map(|(_, package)| *package).collect();
        let concerned = recall::concerned(&plain, &events).into_iter().filter_map(|found| {
            let worst = found.recalls.first()?;
            Some(RecalledPackage {
                record_id: packages[found.place].0,
                batch: found.package.batch,
                index: found.package.index,
                class: worst.class,
                reason: worst.reasonCode,
            })
        });
        Ok(concerned.collect())
    }
}

/// A package in a chart that was recalled.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct RecalledPackage {
    /// Where the chart has it.
    pub record_id: B256,
    pub batch: B256,
    pub index: u32,
    /// Of the worst of its recalls: `terms::recall`.
    pub class: u8,
    pub reason: u8,
}

impl OpenChart {
    /// Writes into the chart which package was dispensed, so that a recall finds it. `None`: it stands there already.
    pub async fn add_package(&self, ticket: &Ticket) -> Result<Option<Stored>> {
        let package = Dispensed {
            batch: ticket.batch.id(),
            index: ticket.index,
            serial: ticket.leaf(),
        };
        let content = serde_json::to_vec(&package).map_err(Error::unsuitable)?;
        let document = NewDocument {
            record_id: self.client.record_id(self.id(), &content),
            compartment: Label::Medications.compartment(),
            metadata: Metadata {
                media_type: PACKAGE_MEDIA_TYPE.into(),
                ..Metadata::default()
            },
            content: content.into(),
        };
        Ok(self.add(vec![document], |_| ()).await?.pop())
    }

    /// The packages that the chart tells of, with their records.
    pub async fn packages(&self, purpose: Purpose) -> Result<Vec<(B256, Dispensed)>> {
        let medications = Label::Medications.compartment();
        let records = self.client.records(self.id(), Some(medications)).await?;
        let mut packages = Vec::new();
        for record in records {
            let document = self.read(record.record_id, None, purpose).await?;
            if document.metadata.media_type == PACKAGE_MEDIA_TYPE {
                // One that somebody wrote wrongly must not hide the others.
                let read = serde_json::from_slice(&document.content);
                packages.extend(read.ok().map(|package| (record.record_id, package)));
            }
        }
        Ok(packages)
    }
}

/// What a scanner says of a package, or what is printed beside the code.
///
/// # Errors
/// [`Error::Unsuitable`], which says how to scan it.
pub fn scanned(text: &str) -> Result<Package> {
    Package::parse(text, Day::of_time(now()).year()).map_err(Error::unsuitable)
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

fn judged(
    batch: &ISupply::batchOfReturn,
    verified: &ISupply::verifyReturn,
    index: u32,
    recalls: &[ISupply::recallOfReturn],
    decommissioned: u8,
    scanned: Option<&Package>,
    asker: Asker,
) -> Result<Verdict> {
    let facts = Facts {
        batch,
        verified,
        index,
        recalls,
        decommissioned,
        printed: scanned.map(|package| package.expiry),
        now: now(),
    };
    verdict::judge(&facts, asker).map_err(tampered(WHAT))
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
