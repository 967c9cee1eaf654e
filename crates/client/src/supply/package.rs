//! One package: what it is that somebody has in hand, that it is dispensed once and its patient's chart tells of it, and which of a chart's a recall reaches.

use std::collections::BTreeSet;

use alloy::{
    eips::BlockId,
    primitives::{Address, B256, U256},
    rpc::types::Filter,
    sol_types::SolEvent,
};
use medlock_abi::{
    records::IRecords,
    registry::IRegistry,
    supply::ISupply::{self, BatchRegistered, ISupplyEvents, RecallIssued},
    terms::{record_status, role},
};
use medlock_api::Purpose;
use medlock_drugs::{
    Day, Package, Ticket,
    recall::{self, Dispensed},
    serials::{batch_id, lot_digest},
    ticket::{LotTickets, TicketError},
    verdict::{self, Asker, Facts, Finding, Level, LotFacts, Verdict},
};
use medlock_fhir::Label;
use medlock_vault::Metadata;

use super::WHAT;
use crate::{
    Client, NewDocument, OpenChart, Stored,
    chain::Mined,
    error::{Error, Result},
    platform::now,
    record::tampered,
};

/// A package as a chart keeps it: what recalls are compared with.
const PACKAGE_MEDIA_TYPE: &str = "application/vnd.medlock.package+json";
/// Makers of one GTIN and lot that are looked at. More than one is a fault of somebody's already.
const MAKERS_MOST: usize = 16;

/// How a package is to be dispensed.
#[derive(Debug, Clone, Copy, Default)]
pub struct HandOut {
    /// Whose package it is to be, where that is known.
    pub maker: Option<Address>,
    /// The chart that is to tell of it.
    pub chart: Option<B256>,
    /// Salted digest of its EPCIS document, zero: none.
    pub document: B256,
}

/// What came of dispensing.
#[derive(Debug, Clone)]
pub enum Dispensing {
    Done(HandedOut),
    /// It may not be. Nothing was done.
    Refused(Verdict),
}

#[derive(Debug, Clone, serde::Serialize)]
pub struct HandedOut {
    /// `None`: we had dispensed it before, and the chart did not tell of it.
    pub mined: Option<Mined>,
    /// `None`: no chart was named.
    pub record: Option<Stored>,
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

impl Client {
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
        let (batch, recalls) = self.standing(id, at).await?;
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
        let other_makers = self.other_makers(ticket, at).await?;
        let facts = Facts {
            batch: &batch,
            verified: &verified,
            index,
            recalls: &recalls,
            decommissioned: unit.map_or(0, |unit| unit.decommissioned),
            is_maker_current: self.is_maker(batch.maker, at).await?,
            other_makers: other_makers.as_deref(),
            printed: scanned.map(|package| package.expiry),
            now: now(),
        };
        verdict::judge(&facts, asker).map_err(tampered(WHAT))
    }

    /// The same by a list with a ticket a line. Where the scanned package has none there, the chain still says whether its lot was registered, and
    /// whether the list has every serial of it: then it was never made. Otherwise it cannot be checked, which is a verdict, too.
    ///
    /// # Errors
    /// [`Error::Unsuitable`] where a line is no ticket, or nothing was scanned and the list has several tickets or none.
    pub async fn inspect_listed(&self, list: &str, scanned: Option<&Package>, asker: Asker) -> Result<Verdict> {
        let (verdict, _) = self.looked_up(list, scanned, asker).await?;
        Ok(verdict)
    }

    /// [`Client::inspect_listed`] for a patient: where the package was dispensed, their chart says whether it was to them.
    pub async fn inspect_own(
        &self,
        list: &str,
        scanned: Option<&Package>,
        chart: B256,
        purpose: Purpose,
    ) -> Result<Verdict> {
        let asker = Asker::Patient { pharmacy: None };
        let (verdict, ticket) = self.looked_up(list, scanned, asker).await?;
        let (Some(by), Some(ticket)) = (verdict.dispensed_by(), ticket) else {
            return Ok(verdict);
        };
        let open = self.chart(chart).await?;
        let is_recorded = open.has_package(&named(&ticket), by, purpose).await?;
        Ok(verdict.by_chart(is_recorded))
    }

    /// Dispenses a scanned package that we hold, if nothing speaks against it, and writes it into the chart, where one is named. What the chain warns of
    /// is dispensed where the wish names its maker.
    ///
    /// The chart is opened first. What fails after the package was dispensed is made good by the same call again: what we have dispensed
    /// ourselves, and have written into no chart, is written into this one and not dispensed again. So where we dispensed it without a chart
    /// before, it is for the caller to see that the package in hand is that one, and no copy.
    pub async fn hand_out(&self, list: &str, scanned: &Package, wish: HandOut) -> Result<Dispensing> {
        let open = match wish.chart {
            Some(chart) => Some(self.chart(chart).await?),
            None => None,
        };
        let (verdict, ticket) = self.looked_up(list, Some(scanned), Asker::Partner).await?;
        let verdict = verdict.expecting(wish.maker);
        let Some(ticket) = ticket else {
            return Ok(Dispensing::Refused(verdict));
        };
        let is_warned_of = verdict.level == Level::Warning;
        if verdict.level == Level::Ok || (is_warned_of && wish.maker.is_some()) {
            let mined = Some(self.dispense(&ticket, wish.document).await?);
            let record = match open {
                Some(open) => open.add_package(&ticket).await?,
                None => None,
            };
            return Ok(Dispensing::Done(HandedOut { mined, record }));
        }
        if let Some(open) = open
            && self.is_unfinished(&verdict, &ticket, open.id()).await?
            && let Some(record) = open.add_package(&ticket).await?
        {
            let record = Some(record);
            return Ok(Dispensing::Done(HandedOut { mined: None, record }));
        }
        Ok(Dispensing::Refused(verdict))
    }

    /// Packages in a chart of ours that a recall reaches. The chain is asked for every recall that was ever issued, and they are compared here: which
    /// packages we have, neither the node nor a gateway learns from that, and no gateway can leave one out.
    pub async fn recalled_packages(&self, chart: B256, purpose: Purpose) -> Result<Vec<RecalledPackage>> {
        let packages = self.chart(chart).await?.packages(purpose).await?;
        let events = self.supply_events(RecallIssued::SIGNATURE_HASH, Filter::new()).await?;
        let issued = events.into_iter().filter_map(|event| match event {
            ISupplyEvents::RecallIssued(issued) => Some(issued),
            _ => None,
        });
        let issued: Vec<_> = issued.collect();
        let plain: Vec<_> = packages.iter().map(|(_, package)| *package).collect();
        let concerned = recall::concerned(&plain, &issued).into_iter().filter_map(|found| {
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

    /// The verdict, and the package's ticket where the list has it.
    async fn looked_up(
        &self,
        list: &str,
        scanned: Option<&Package>,
        asker: Asker,
    ) -> Result<(Verdict, Option<Ticket>)> {
        match (Ticket::find(list, scanned), scanned) {
            (Ok(ticket), _) => Ok((self.inspect(&ticket, scanned, asker).await?, Some(ticket))),
            (Err(TicketError::NotThere), Some(scanned)) => Ok((self.inspect_unlisted(list, scanned).await?, None)),
            (Err(error), _) => Err(Error::unsuitable(error)),
        }
    }

    async fn inspect_unlisted(&self, list: &str, scanned: &Package) -> Result<Verdict> {
        let listed = LotTickets::of(list, scanned).map_err(Error::unsuitable)?;
        let makers = self.makers_of_lot(scanned).await?;
        if makers.len() > MAKERS_MOST {
            return Err(Error::Unsuitable(format!(
                "more than {MAKERS_MOST} makers have registered this GTIN and lot; ask a regulator, and do not use the package before"
            )));
        }
        let at = BlockId::from(self.chain.latest().await?.0);
        let mut lots = Vec::with_capacity(makers.len());
        for maker in makers {
            let id = batch_id(maker, scanned.gtin, &scanned.lot);
            let (batch, recalls) = self.standing(id, at).await?;
            let of_maker = listed.iter().find(|tickets| tickets.maker == maker);
            lots.push(LotFacts {
                is_ruled_out: of_maker.is_some_and(|tickets| tickets.are_all(batch.root, batch.count)),
                is_maker_current: self.is_maker(maker, at).await?,
                batch,
                recalls,
            });
        }
        Ok(verdict::judge_unlisted(&lots, scanned.expiry, now()))
    }

    /// Who has registered this GTIN and lot: by the contract's own events, since an index could keep one of them back, and would learn what was asked.
    async fn makers_of_lot(&self, package: &Package) -> Result<BTreeSet<Address>> {
        let filter = Filter::new().topic3(U256::from(package.gtin.number()));
        let events = self.supply_events(BatchRegistered::SIGNATURE_HASH, filter).await?;
        let digest = lot_digest(&package.lot);
        let makers = events.into_iter().filter_map(|event| match event {
            ISupplyEvents::BatchRegistered(batch) if batch.lot == digest => Some(batch.maker),
            _ => None,
        });
        Ok(makers.collect())
    }

    /// Others who are makers now and have registered the ticket's GTIN and lot; `None`: the node does not tell.
    async fn other_makers(&self, ticket: &Ticket, at: BlockId) -> Result<Option<Vec<Address>>> {
        let batch = &ticket.batch;
        let package = Package {
            gtin: batch.gtin,
            lot: batch.lot,
            expiry: batch.last_day(),
            serial: ticket.serial,
        };
        let makers = match self.makers_of_lot(&package).await {
            Err(Error::Chain { .. }) => return Ok(None),
            makers => makers?,
        };
        let mut others = Vec::new();
        for maker in makers.into_iter().take(MAKERS_MOST) {
            if maker != batch.maker && self.is_maker(maker, at).await? {
                others.push(maker);
            }
        }
        Ok(Some(others))
    }

    async fn is_maker(&self, account: Address, at: BlockId) -> Result<bool> {
        let call = IRegistry::hasRolesCall {
            party: account,
            roles: role::MAKER,
        };
        self.chain.call_at(self.deployment.registry, call, at).await
    }

    /// Whether this verdict is of a package that we dispensed ourselves and have told no other chart of: what speaks against it then is that alone, or
    /// came later.
    async fn is_unfinished(&self, verdict: &Verdict, ticket: &Ticket, chart: B256) -> Result<bool> {
        let is_own = |finding: &&Finding| matches!(finding, Finding::SerialTwice { by, .. } if *by == self.address());
        let (own, others): (Vec<&Finding>, Vec<&Finding>) = verdict.findings.iter().partition(is_own);
        if own.is_empty() || others.iter().any(|finding| finding.level() == Level::False) {
            return Ok(false);
        }
        let call = ISupply::dispensedOfCall {
            maker: ticket.batch.maker,
            gtin: ticket.batch.gtin.number(),
            serial: ticket.leaf(),
        };
        let dispensed = self.chain.call(self.deployment.supply, call).await?;
        Ok(dispensed.index == ticket.index && !self.is_told_elsewhere(ticket, chart).await?)
    }

    /// Whether we have written this package into another chart: then there are two of it.
    async fn is_told_elsewhere(&self, ticket: &Ticket, chart: B256) -> Result<bool> {
        let content = content_of(ticket)?;
        let granted = self.grants(None).await?.into_iter().map(|grant| grant.chart);
        for other in granted.filter(|other| *other != chart) {
            let call = IRecords::recordOfCall {
                chart: other,
                recordId: self.record_id(other, &content),
            };
            if self.chain.call(self.deployment.records, call).await?.version != 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl OpenChart {
    /// Writes into the chart which package was dispensed, so that a recall finds it. `None`: it stands there already.
    pub async fn add_package(&self, ticket: &Ticket) -> Result<Option<Stored>> {
        let content = content_of(ticket)?;
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
        let shredded = record_status::text(record_status::SHREDDED);
        let mut packages = Vec::new();
        for record in records {
            // There is nothing left to read, if that is true.
            if record.status == shredded && self.is_shredded(record.record_id).await? {
                continue;
            }
            let document = self.read(record.record_id, None, purpose).await?;
            if document.metadata.media_type == PACKAGE_MEDIA_TYPE {
                // One that somebody wrote wrongly must not hide the others.
                let read = serde_json::from_slice(&document.content);
                packages.extend(read.ok().map(|package| (record.record_id, package)));
            }
        }
        Ok(packages)
    }

    /// Whether `by` has written into the chart that this package was dispensed.
    async fn has_package(&self, package: &Dispensed, by: Address, purpose: Purpose) -> Result<bool> {
        for (record, told) in self.packages(purpose).await? {
            if told == *package && self.on_chain(record).await?.author == by {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// What a scanner says of a package, or what is printed beside the code.
///
/// # Errors
/// [`Error::Unsuitable`], which says how to scan it.
pub fn scanned(text: &str) -> Result<Package> {
    Package::parse(text, Day::of_time(now()).year()).map_err(Error::unsuitable)
}

/// A package as a chart names it.
fn named(ticket: &Ticket) -> Dispensed {
    Dispensed {
        batch: ticket.batch.id(),
        index: ticket.index,
        serial: ticket.leaf(),
    }
}

fn content_of(ticket: &Ticket) -> Result<Vec<u8>> {
    serde_json::to_vec(&named(ticket)).map_err(Error::unsuitable)
}
