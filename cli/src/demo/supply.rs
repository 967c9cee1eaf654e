//! The drug supply: its chapter of the demo, and `medlock demo supply`.

use alloy::primitives::B256;
use anyhow::{Context, bail};
use medlock_client::{
    Client, Dispensing, Error, HandOut, HandedOut, document_digest,
    drugs::{
        Day, Gtin, Manifest, Names, Package, Ticket,
        epcis::{self, Document, EventTime, LotClass, Party, Quantity},
        gtin::GtinError,
        plan::Run,
        verdict::{Asker, Finding, Level},
    },
    named_document, now, scanned,
    terms::{decommission, recall, role, shipment},
};

use super::{Cast, DAY, Story, code, party, treatment};
use crate::dev::Dev;

const GTIN: &str = "09506000134352";
/// The same with another last digit.
const MISREAD: &str = "09506000134353";
const LOT: &str = "L2026";
/// Of the batch that is registered; how long they may be used.
const PACKAGES: u32 = 1_000;
const PACKAGE_DAYS: u64 = 730;
/// The package that the story is about, by its number in the batch, and a serial that no package has.
const PACKAGE: u32 = 7;
const FORGED: &str = "S99999";
const WHY: (u8, u8) = (recall::CLASS_I, recall::CONTAMINATED);

/// A batch of this maker's.
fn manifest(maker: &Client) -> anyhow::Result<Manifest> {
    let serials = (0..PACKAGES).map(|number| format!("S{number:05}\n"));
    let expiry = Day::of_time(now() + PACKAGE_DAYS * DAY);
    let serials = serials.collect::<String>();
    Ok(maker.manifest(GTIN.parse()?, LOT.parse()?, expiry, &serials)?)
}

/// A true ticket on which somebody has written another serial.
fn forge(ticket: &Ticket) -> anyhow::Result<Ticket> {
    Ok(Ticket {
        serial: FORGED.parse()?,
        ..ticket.clone()
    })
}

/// Step 8 of the whole demo: a drug, from its maker to the patient, and its recall.
pub async fn follow_a_package(story: &mut Story, dev: &Dev, cast: &Cast, chart: B256) -> anyhow::Result<()> {
    story.chapter(8, "A package of a drug goes from its maker to the patient");
    let maker = party(story, dev, cast, "maker", role::MAKER).await?;
    let pharmacy = party(story, dev, cast, "pharmacy", role::PHARMACY).await?;
    let manifest = manifest(&maker)?;
    let batch = *manifest.batch();
    let mined = maker.register_batch(&manifest, B256::ZERO).await?;
    story.row(&format!("register a batch of {PACKAGES} packages"), Some(&mined), None);
    let id = batch.id();
    let run = |from, to| Run { batch: id, from, to };
    let shipped = maker
        .ship(pharmacy.address(), shipment::SALE, &[run(0, 100)], B256::ZERO)
        .await?;
    story.row("offer a hundred of them to the pharmacy", shipped.mined.last(), None);
    let number = shipped.shipments.first().context("no shipment")?.parse()?;
    let mined = pharmacy.accept_shipment(number, B256::ZERO).await?;
    story.row("the pharmacy accepts", Some(&mined), None);

    let ticket = manifest.ticket(PACKAGE).context("a ticket")?;
    let verdict = pharmacy.inspect(&ticket, None, Asker::Partner).await?;
    story.check(verdict.level == Level::Ok, "the pharmacy scans a package: genuine")?;
    let verdict = pharmacy.inspect(&forge(&ticket)?, None, Asker::Partner).await?;
    story.check(verdict.level == Level::False, "a serial that was never made: false")?;
    let mined = pharmacy.dispense(&ticket, B256::ZERO).await?;
    story.row("dispense the package", Some(&mined), None);
    // This pharmacy writes into no chart: its patient does.
    let patient = cast.patient.chart(chart).await?;
    patient.add_package(&ticket).await?;
    let verdict = pharmacy.inspect(&ticket, None, Asker::Partner).await?;
    story.check(
        verdict.level == Level::False,
        "the same serial a second time: one of the two is a copy",
    )?;
    let history = cast.patient.custody(batch, ticket.index).await?;
    story.check(
        history.steps().len() == 2,
        "the patient sees how it came to the pharmacy, back to its maker",
    )?;
    let mined = maker.recall_packages(id, (0, 50), WHY, B256::ZERO).await?;
    story.row("recall half of what was shipped", Some(&mined), None);
    let recalled = cast.patient.recalled_packages(chart, code("PATRQT")).await?;
    story.check(
        recalled.len() == 1,
        "the patient's own client finds the recalled package in the chart; nobody else learns who has it",
    )
}

/// Who trades, and the batch.
struct Trade {
    maker: Client,
    wholesaler: Client,
    pharmacy: Client,
    /// Where a copy turns up.
    second: Client,
    manifest: Manifest,
    names: Names,
    /// Of the EPCIS document about the first shipment.
    document: B256,
}

impl Trade {
    fn batch(&self) -> B256 {
        self.manifest.batch().id()
    }

    fn run(&self, from: u32, to: u32) -> Run {
        Run {
            batch: self.batch(),
            from,
            to,
        }
    }

    fn ticket(&self, index: u32) -> anyhow::Result<Ticket> {
        self.manifest.ticket(index).context("a package of the batch")
    }

    /// What is printed on a package.
    fn printed(&self, index: u32) -> anyhow::Result<Package> {
        let (batch, ticket) = (self.manifest.batch(), self.ticket(index)?);
        Ok(Package {
            gtin: batch.gtin,
            lot: batch.lot,
            expiry: batch.last_day(),
            serial: ticket.serial,
        })
    }

    /// What `client` learns of a package, and the line on its screen.
    async fn scan(&self, story: &Story, client: &Client, index: u32, asker: Asker) -> anyhow::Result<Vec<Finding>> {
        let (ticket, package) = (self.ticket(index)?, self.printed(index)?);
        let verdict = client.inspect(&ticket, Some(&package), asker).await?;
        story.tell(&verdict.line(&self.names));
        Ok(verdict.findings)
    }

    /// What the pharmacy learns of a package by a list of tickets, and the line on its screen.
    async fn listed(&self, story: &Story, list: &str, package: &Package) -> anyhow::Result<(Level, Vec<Finding>)> {
        let verdict = self
            .pharmacy
            .inspect_listed(list, Some(package), Asker::Partner)
            .await?;
        story.tell(&verdict.line(&self.names));
        Ok((verdict.level, verdict.findings))
    }

    /// Units of `holder` that a recall reaches, from and below, as the holder's own client finds them.
    async fn recalled(&self, holder: &Client) -> Result<Vec<(u32, u32)>, Error> {
        let held = holder.held_units().await?;
        let reached = held.iter().filter(|held| !held.recalls.is_empty());
        Ok(reached.map(|held| (held.unit.unit, held.unit.to)).collect())
    }
}

/// Chapters 4 to 9 of `medlock demo supply`.
pub async fn in_depth(story: &mut Story, dev: &Dev, cast: &Cast, chart: B256) -> anyhow::Result<()> {
    let mut trade = register(story, dev, cast).await?;
    pass_on(story, &mut trade).await?;
    scan(story, &trade).await?;
    dispense(story, &trade, cast, chart).await?;
    recall_some(story, &trade, cast, chart).await?;
    tell_history(story, &trade, cast).await
}

async fn register(story: &mut Story, dev: &Dev, cast: &Cast) -> anyhow::Result<Trade> {
    story.chapter(4, "A maker registers a batch, and no serial of it");
    let maker = party(story, dev, cast, "maker", role::MAKER).await?;
    let wholesaler = party(story, dev, cast, "wholesaler", role::DISTRIBUTOR).await?;
    let pharmacy = party(story, dev, cast, "pharmacy", role::PHARMACY | role::PROVIDER).await?;
    let second = party(story, dev, cast, "second pharmacy", role::PHARMACY).await?;
    let misread = MISREAD.parse::<Gtin>();
    story.check(
        matches!(misread, Err(GtinError::CheckDigit { .. })),
        format!("{MISREAD} is no GTIN: its check digit is another"),
    )?;
    let expiry = Day::of_time(now() + PACKAGE_DAYS * DAY);
    let twice = maker.manifest(GTIN.parse()?, LOT.parse()?, expiry, "S1\nS2\nS1\n");
    story.check(
        matches!(twice, Err(Error::Unsuitable(_))),
        "a list with one serial twice makes no batch",
    )?;
    let manifest = manifest(&maker)?;
    let mined = maker.register_batch(&manifest, B256::ZERO).await?;
    story.row(&format!("register a batch of {PACKAGES} packages"), Some(&mined), None);
    story.tell(&format!("batch {}", manifest.batch().id()));
    story.tell(&format!("root  {}", manifest.root()));
    let refused = maker.register_batch(&manifest, B256::ZERO).await;
    story.refused(refused, "BatchExists", "the same lot again, with whatever serials")?;
    let refused = pharmacy.register_batch(&self::manifest(&pharmacy)?, B256::ZERO).await;
    story.refused(refused, "NotCredentialed", "a batch of who is no maker")?;
    let names = [
        (&maker, "the maker"),
        (&wholesaler, "the wholesaler"),
        (&pharmacy, "the pharmacy"),
        (&second, "the second pharmacy"),
    ];
    let names = names.map(|(client, name)| (client.address(), name.to_owned()));
    Ok(Trade {
        names: names.into_iter().collect(),
        document: B256::ZERO,
        maker,
        wholesaler,
        pharmacy,
        second,
        manifest,
    })
}

async fn pass_on(story: &mut Story, trade: &mut Trade) -> anyhow::Result<()> {
    story.chapter(5, "Custody passes by offer and acceptance, and units are split");
    let none = B256::ZERO;
    let shipping = shipping(trade, 500)?;
    let named = named_document(&shipping)?;
    trade.document = named.digest;
    let trade = &*trade;
    let Trade {
        maker,
        wholesaler,
        pharmacy,
        ..
    } = trade;
    let half = [trade.run(0, 500)];
    let shipped = maker
        .ship(wholesaler.address(), shipment::SALE, &half, named.digest)
        .await?;
    story.row(
        "the maker offers five hundred to the wholesaler",
        shipped.mined.last(),
        None,
    );
    let number = shipped.shipments.first().context("no shipment")?.parse()?;
    let offered = wholesaler.shipments(false, true).await?;
    let told = offered.first().and_then(|offer| offer.document);
    story.check(
        offered.len() == 1 && told == Some(document_digest(&shipping, named.salt)?),
        "the offer names a GS1 EPCIS 2.0 document by its salted digest; the wholesaler was given both, and compares",
    )?;
    let found = trade.scan(story, wholesaler, PACKAGE, Asker::Partner).await?;
    story.check(
        found == [Finding::InTransit],
        "on its way a package is nobody's to sell",
    )?;
    let refused = pharmacy.accept_shipment(number, none).await;
    story.refused(refused, "NotReceiver", "the acceptance of a shipment for somebody else")?;
    let mined = wholesaler.accept_shipment(number, none).await?;
    story.row("the wholesaler accepts", Some(&mined), None);
    let refused = wholesaler.accept_shipment(number, none).await;
    story.refused(refused, "ShipmentNotOpen", "the same acceptance again")?;

    let refused = maker
        .ship(pharmacy.address(), shipment::SALE, &[trade.run(0, 10)], none)
        .await;
    story.check(
        matches!(refused, Err(Error::Unsuitable(_))),
        "what the maker has sold it does not sell again: refused before anything is sent",
    )?;
    let units = [trade.run(0, 100), trade.run(200, 210)];
    let shipped = wholesaler
        .ship(pharmacy.address(), shipment::SALE, &units, none)
        .await?;
    story.row(
        "the wholesaler splits its unit, and offers two of the parts",
        shipped.mined.last(),
        None,
    );
    let number = shipped.shipments.first().context("no shipment")?.parse()?;
    let mined = pharmacy.accept_shipment(number, none).await?;
    story.row("the pharmacy accepts", Some(&mined), None);
    let mut held: Vec<_> = pharmacy
        .held_units()
        .await?
        .iter()
        .map(|held| (held.unit.unit, held.unit.to))
        .collect();
    held.sort_unstable();
    story.check(
        shipped.mined.len() == 2 && held == [(0, 100), (200, 210)],
        "one shipment, two units: the pharmacy holds packages 0 to 99 and 200 to 209",
    )?;
    let refused = wholesaler
        .ship(maker.address(), shipment::SALE, &[trade.run(300, 301)], none)
        .await;
    story.refused(refused, "CustodyCycle", "a sale back to who has had the package")
}

/// What the maker writes of a shipment to the wholesaler.
fn shipping(trade: &Trade, count: u32) -> anyhow::Result<Vec<u8>> {
    let time = EventTime::new(now() * 1_000, 0).context("a time that EPCIS can tell")?;
    let account = |client: &Client| Party::Account {
        chain_id: client.deployment().chain_id,
        address: client.address(),
    };
    let batch = trade.manifest.batch();
    let of = LotClass {
        gtin: batch.gtin,
        lot: batch.lot,
    };
    let event = epcis::Event {
        time,
        step: epcis::Step::Shipping {
            from: account(&trade.maker),
            to: account(&trade.wholesaler),
        },
        epcs: Vec::new(),
        quantities: vec![Quantity { of, count }],
        read_point: None,
    };
    let document = Document {
        created: time,
        events: vec![event],
    };
    Ok(document.to_json()?)
}

async fn scan(story: &mut Story, trade: &Trade) -> anyhow::Result<()> {
    story.chapter(6, "The pharmacy scans packages");
    let pharmacy = &trade.pharmacy;
    let printed = trade.printed(PACKAGE)?;
    story.tell(&printed.bracketed());
    let text = printed.scanned();
    let package = scanned(&text)?;
    let tickets = trade.manifest.tickets();
    let ticket = Ticket::find(&tickets, Some(&package))?;
    story.check(
        package == printed && ticket == trade.ticket(PACKAGE)?,
        "the text of the GS1 DataMatrix names the package, and the maker's list has its ticket",
    )?;
    let found = trade.scan(story, pharmacy, PACKAGE, Asker::Partner).await?;
    story.check(found.is_empty(), "genuine")?;

    let misread = scanned(&text.replacen(GTIN, MISREAD, 1));
    story.check(
        matches!(misread, Err(Error::Unsuitable(_))),
        "a scan whose GTIN has another check digit is none",
    )?;
    let forged = Package {
        serial: FORGED.parse()?,
        ..package
    };
    let found = trade.listed(story, &tickets, &forged).await?;
    story.check(
        found == (Level::False, vec![Finding::NeverMade]),
        "a serial that no ticket of the maker's whole list is of was never made: the list's tree has the root on chain",
    )?;
    let some: Vec<_> = tickets.lines().skip(1).collect();
    let found = trade.listed(story, &some.join("\n"), &forged).await?;
    story.check(
        found == (Level::Unchecked, vec![Finding::Unchecked]),
        "with a part of that list it cannot be checked, and nobody says that it is false",
    )?;
    let verdict = pharmacy
        .inspect(&forge(&ticket)?, Some(&forged), Asker::Partner)
        .await?;
    story.tell(&verdict.line(&trade.names));
    story.check(
        verdict.level == Level::False && verdict.findings == [Finding::NeverMade],
        "never made, with another package's ticket beside it",
    )?;
    let relabelled = Package {
        expiry: Day::new(2099, 12, 31).context("a day")?,
        ..package
    };
    let found = trade.listed(story, &tickets, &relabelled).await?;
    story.check(
        matches!(found, (Level::False, ref findings) if matches!(findings[..], [Finding::Relabelled { .. }])),
        "a box whose expiry was printed anew is false, whatever its ticket",
    )
}

async fn dispense(story: &mut Story, trade: &Trade, cast: &Cast, chart: B256) -> anyhow::Result<()> {
    story.chapter(7, "A package is dispensed once");
    let (pharmacy, second, patient) = (&trade.pharmacy, &trade.second, &cast.patient);
    let mined = pharmacy.publish_key().await?;
    story.row("the pharmacy publishes its key", Some(&mined), None);
    let mined = patient.grant(chart, pharmacy.address(), treatment()).await?;
    story.row("grant the pharmacy read and write", Some(&mined), None);
    let refused = trade.wholesaler.dispense(&trade.ticket(250)?, B256::ZERO).await;
    story.refused(refused, "NotCredentialed", "dispensing by a wholesaler")?;
    let ticket = trade.ticket(PACKAGE)?;
    let mined = pharmacy.dispense(&ticket, B256::ZERO).await?;
    story.row("the pharmacy dispenses the package, and is cut off", Some(&mined), None);
    let wish = HandOut {
        chart: Some(chart),
        ..HandOut::default()
    };
    let (list, printed) = (ticket.to_json(), trade.printed(PACKAGE)?);
    let again = pharmacy.hand_out(&list, &printed, wish).await?;
    let (mined, stored) = match again {
        Dispensing::Done(HandedOut { mined, record }) => (mined, record.context("no record")?),
        Dispensing::Refused(verdict) => bail!("refused: {}", verdict.line(&trade.names)),
    };
    story.row(
        "the same again writes it into the chart",
        Some(&stored.mined),
        Some(stored.envelope.clone()),
    );
    story.check(mined.is_none(), "what was dispensed is not dispensed again")?;
    let third = pharmacy.hand_out(&list, &printed, wish).await?;
    story.check(
        matches!(third, Dispensing::Refused(_)),
        "and a third time is one too many: the chart tells of the package",
    )?;
    let own = Asker::Patient {
        pharmacy: Some(pharmacy.address()),
    };
    let found = trade.scan(story, patient, PACKAGE, own).await?;
    story.check(
        matches!(found[..], [Finding::Dispensed { by, .. }] if by == pharmacy.address()),
        "the patient scans it: genuine, and dispensed where they were",
    )?;
    let verdict = patient
        .inspect_own(&list, Some(&printed), chart, code("PATRQT"))
        .await?;
    story.check(
        verdict.level == Level::Ok,
        "their chart says the same, without their knowing the pharmacy's account",
    )?;
    let found = trade.scan(story, second, PACKAGE, Asker::Partner).await?;
    story.check(
        matches!(found[..], [Finding::SerialTwice { by, .. }] if by == pharmacy.address()),
        "its serial turns up at the second pharmacy: one of the two packages is a copy",
    )?;
    let refused = second.dispense(&ticket, B256::ZERO).await;
    story.refused(refused, "AlreadyDispensed", "dispensing the copy")?;
    let none = patient.recalled_packages(chart, code("PATRQT")).await?;
    story.check(none.is_empty(), "no recall reaches what the chart tells of")
}

async fn recall_some(story: &mut Story, trade: &Trade, cast: &Cast, chart: B256) -> anyhow::Result<()> {
    story.chapter(8, "The maker recalls some, wherever they are");
    let none = B256::ZERO;
    let (pharmacy, wholesaler, id) = (&trade.pharmacy, &trade.wholesaler, trade.batch());
    let refused = pharmacy.recall_packages(id, (0, 150), WHY, none).await;
    story.refused(
        refused,
        "MayNotRecall",
        "a recall by who is neither maker nor regulator",
    )?;
    let mined = trade.maker.recall_packages(id, (0, 150), WHY, none).await?;
    story.row("recall packages 0 to 149", Some(&mined), None);
    let reached = [trade.recalled(wholesaler).await?, trade.recalled(pharmacy).await?];
    story.check(
        reached == [[(100, 200)], [(0, 100)]],
        "each holder's own client finds the units that it reaches",
    )?;
    let found = trade.scan(story, pharmacy, 8, Asker::Partner).await?;
    story.check(
        matches!(
            found[..],
            [Finding::Recalled {
                class: recall::CLASS_I,
                ..
            }]
        ),
        "what the pharmacy has of them is recalled (class-i)",
    )?;
    let found = trade.scan(story, pharmacy, 205, Asker::Partner).await?;
    story.check(found.is_empty(), "what it has of others is not")?;
    let refused = pharmacy.dispense(&trade.ticket(8)?, none).await;
    story.refused(refused, "Recalled", "dispensing a recalled package")?;
    let refused = wholesaler
        .ship(pharmacy.address(), shipment::SALE, &[trade.run(120, 130)], none)
        .await;
    story.refused(refused, "Recalled", "selling recalled packages")?;

    let recalled = cast.patient.recalled_packages(chart, code("PATRQT")).await?;
    let reached: Vec<_> = recalled.iter().map(|package| (package.index, package.class)).collect();
    story.check(
        reached == [(PACKAGE, recall::CLASS_I)],
        "the patient's own client finds the dispensed package in the chart; nobody else learns who has it",
    )?;

    let back = [trade.run(50, 100)];
    let shipped = pharmacy
        .ship(wholesaler.address(), shipment::RETURN, &back, none)
        .await?;
    let number = shipped.shipments.first().context("no shipment")?.parse()?;
    wholesaler.accept_shipment(number, none).await?;
    story.row("the pharmacy returns fifty of them", shipped.mined.last(), None);
    let mined = wholesaler.decommission(id, 50, decommission::DESTROYED, none).await?;
    story.row("the wholesaler destroys them", Some(&mined), None);
    let found = trade.scan(story, pharmacy, 60, Asker::Partner).await?;
    let gone = Finding::Decommissioned {
        reason_code: decommission::DESTROYED,
    };
    story.check(
        found.contains(&gone),
        "what was destroyed is out of the supply, wherever it turns up",
    )
}

/// As the Drug Supply Chain Security Act asks for it.
async fn tell_history(story: &mut Story, trade: &Trade, cast: &Cast) -> anyhow::Result<()> {
    story.chapter(9, "The package's history, back to its maker");
    let history = cast.patient.custody(*trade.manifest.batch(), PACKAGE).await?;
    for line in history.text(&trade.names).lines() {
        story.tell(line);
    }
    let holders: Vec<_> = history.steps().iter().map(|step| step.holder).collect();
    let expected = [&trade.maker, &trade.wholesaler, &trade.pharmacy].map(Client::address);
    story.check(
        holders == expected,
        "from the maker by the wholesaler to the pharmacy: each link is the contract's own",
    )?;
    let report = history.report(&trade.names);
    let kinds: Vec<_> = report.transfers.iter().map(|transfer| transfer.kind).collect();
    let document = report.transfers.get(1).and_then(|transfer| transfer.document);
    story.check(
        kinds == ["registration", "sale", "sale"] && document == Some(trade.document),
        "the report says how it was passed on, and names the maker's EPCIS document",
    )
}
