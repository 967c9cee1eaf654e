//! Drugs: batches, shipments, dispensing, recalls, and what a package in hand is.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use alloy::primitives::B256;
use medlock_client::{
    Client, Error, document_digest,
    drugs::{
        Day, Gtin, Lot, Manifest, Names, Package, Ticket,
        plan::Run,
        ticket::TicketError,
        verdict::{Asker, Level},
    },
    file, named_document,
    terms::{decommission, number_of, recall, shipment},
};
use serde_json::json;

use crate::{
    args::{Global, SupplyCommand},
    commands::{parse_purpose, read_file, read_text},
    output::{Output, exit, table, time},
};

pub async fn supply(global: &Global, out: Output, command: SupplyCommand) -> anyhow::Result<ExitCode> {
    let client = global.client().await?;
    match command {
        SupplyCommand::Register {
            gtin,
            lot,
            expiry,
            serials,
            tickets,
            document,
        } => {
            let document = Named::of(document)?;
            let manifest = manifest(&client, gtin, lot, expiry, &serials)?;
            // Before anything stands on chain: a batch without tickets could not be dispensed.
            file::create(&tickets, manifest.tickets().as_bytes())?;
            let mined = client.register_batch(&manifest, document.digest).await?;
            let (batch, count) = (manifest.batch().id(), manifest.count());
            out.say(json!({ "batch": batch, "packages": count, "tickets": tickets, "salt": document.salt, "mined": mined }), || {
                format!(
                    "Batch {batch} of {count} packages is registered (gas {}).\n{} has a ticket for each, a line each: whoever has a package in hand needs its own.{}",
                    mined.gas,
                    tickets.display(),
                    document.line()
                )
            })?;
        }
        SupplyCommand::Ship {
            to,
            packages,
            give_back,
            document,
        } => {
            let document = Named::of(document)?;
            let kind = if give_back { shipment::RETURN } else { shipment::SALE };
            let shipped = client.ship(to, kind, &packages, document.digest).await?;
            let value = json!({ "shipments": shipped.shipments, "mined": shipped.mined, "salt": document.salt });
            out.say(value, || {
                format!(
                    "Offered as shipment {}. It is theirs once they accept.{}",
                    shipped.shipments.join(", "),
                    document.line()
                )
            })?;
        }
        SupplyCommand::Accept { shipment, document } => {
            let document = Named::of(document)?;
            let mined = client.accept_shipment(shipment, document.digest).await?;
            let value = json!({ "mined": mined, "salt": document.salt });
            out.say(value, || format!("Shipment {shipment} is yours.{}", document.line()))?;
        }
        SupplyCommand::Refuse { shipment } => {
            let mined = client.refuse_shipment(shipment, B256::ZERO).await?;
            out.say(mined, || {
                format!("Shipment {shipment} is refused; its packages stay where they were.")
            })?;
        }
        SupplyCommand::Withdraw { shipment } => {
            let mined = client.withdraw_shipment(shipment, B256::ZERO).await?;
            out.say(mined, || format!("Shipment {shipment} is withdrawn."))?;
        }
        SupplyCommand::Shipments { sent, open } => {
            let shipments = client.shipments(sent, open).await?;
            out.say(&shipments, || {
                let rows = shipments.iter().map(|shipment| {
                    vec![
                        shipment.shipment.to_string(),
                        shipment.kind.clone(),
                        shipment.state.clone(),
                        if sent { shipment.receiver } else { shipment.sender }.to_string(),
                        shipment.units.len().to_string(),
                        time(shipment.offered_at),
                    ]
                });
                table(
                    &[
                        "shipment",
                        "kind",
                        "state",
                        if sent { "to" } else { "from" },
                        "units",
                        "offered",
                    ],
                    &rows.collect::<Vec<_>>(),
                )
            })?;
        }
        SupplyCommand::Held => {
            let units = client.held_units().await?;
            out.say(&units, || {
                let rows = units.iter().map(|unit| {
                    vec![
                        unit.batch.to_string(),
                        format!("{}-{}", unit.unit, unit.to - 1),
                        unit.shipment.clone().unwrap_or_else(|| "-".into()),
                        unit.decommissioned.clone().unwrap_or_else(|| "-".into()),
                    ]
                });
                table(
                    &["batch", "packages", "in shipment", "out of the supply"],
                    &rows.collect::<Vec<_>>(),
                )
            })?;
        }
        SupplyCommand::Verify {
            tickets,
            scan,
            patient,
            pharmacy,
        } => {
            let scanned = scan.as_deref().map(scanned).transpose()?;
            let ticket = ticket(&tickets, scanned.as_ref())?;
            let asker = match patient || pharmacy.is_some() {
                true => Asker::Patient { pharmacy },
                false => Asker::Partner,
            };
            let verdict = client.inspect(&ticket, scanned.as_ref(), asker).await?;
            out.say(&verdict, || verdict.line(&Names::default()))?;
            if verdict.level != Level::Ok {
                return Ok(ExitCode::from(exit::ANSWER_NO));
            }
        }
        SupplyCommand::Dispense { tickets, scan, chart } => {
            let scanned = scanned(&scan)?;
            let ticket = ticket(&tickets, Some(&scanned))?;
            let verdict = client.inspect(&ticket, Some(&scanned), Asker::Partner).await?;
            if verdict.level != Level::Ok {
                out.say(&verdict, || verdict.line(&Names::default()))?;
                return Ok(ExitCode::from(exit::ANSWER_NO));
            }
            let mined = client.dispense(&ticket, B256::ZERO).await?;
            let stored = match chart {
                Some(chart) => client.chart(chart).await?.add_package(&ticket).await?,
                None => None,
            };
            out.say(json!({ "mined": mined, "record": stored }), || match &stored {
                Some(_) => "The package is dispensed, and the chart tells of it.".into(),
                None => "The package is dispensed.".into(),
            })?;
        }
        SupplyCommand::Recall {
            batch,
            packages,
            class,
            reason,
        } => {
            let (first, last) = packages;
            let (from, to) = (first, last + 1);
            let numbers = (
                number_of(&recall::CLASSES, &class)?,
                number_of(&recall::REASONS, &reason)?,
            );
            let mined = client.recall_packages(batch, (from, to), numbers, B256::ZERO).await?;
            out.say(mined, || "The packages are recalled, for good.".into())?;
        }
        SupplyCommand::Recalls { chart, purpose } => match chart {
            Some(chart) => {
                let found = client.recalled_packages(chart, parse_purpose(&purpose)?).await?;
                out.say(&found, || {
                    let rows = found.iter().map(|package| {
                        vec![
                            package.record_id.to_string(),
                            name(&recall::CLASSES, package.class),
                            name(&recall::REASONS, package.reason),
                        ]
                    });
                    match found.is_empty() {
                        true => "No package that this chart tells of is recalled.".into(),
                        false => table(&["record", "class", "reason"], &rows.collect::<Vec<_>>()),
                    }
                })?;
                if !found.is_empty() {
                    return Ok(ExitCode::from(exit::ANSWER_NO));
                }
            }
            None => {
                let recalls = client.recalls().await?;
                out.say(&recalls, || {
                    let rows = recalls.iter().map(|recall| {
                        vec![
                            time(recall.at),
                            recall.gtin.clone(),
                            recall.batch.to_string(),
                            format!("{}-{}", recall.from, recall.to - 1),
                            recall.class.clone(),
                            recall.reason.clone(),
                        ]
                    });
                    table(
                        &["at", "GTIN", "batch", "packages", "class", "reason"],
                        &rows.collect::<Vec<_>>(),
                    )
                })?;
            }
        },
        SupplyCommand::Decommission { batch, unit, reason } => {
            let reason = number_of(&decommission::ALL, &reason)?;
            let mined = client.decommission(batch, unit, reason, B256::ZERO).await?;
            out.say(mined, || "The unit is out of the supply, for good.".into())?;
        }
        SupplyCommand::Document { file, salt } => {
            let digest = document_digest(&read_file(&file)?, salt)?;
            out.say(json!({ "digest": digest }), || digest.to_string())?;
        }
        SupplyCommand::History { tickets, scan } => {
            let scanned = scan.as_deref().map(scanned).transpose()?;
            let ticket = ticket(&tickets, scanned.as_ref())?;
            let history = client.custody(ticket.batch, ticket.index).await?;
            let names = Names::default();
            out.say(history.report(&names), || history.text(&names))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The EPCIS document of an event, if there is one.
struct Named {
    /// Zero: none.
    digest: B256,
    salt: Option<B256>,
}

impl Named {
    fn of(path: Option<PathBuf>) -> anyhow::Result<Self> {
        let Some(path) = path else {
            return Ok(Self {
                digest: B256::ZERO,
                salt: None,
            });
        };
        let named = named_document(&read_file(&path)?)?;
        Ok(Self {
            digest: named.digest,
            salt: Some(named.salt),
        })
    }

    fn line(&self) -> String {
        match self.salt {
            Some(salt) => format!("\nGive the document and its salt {salt} to who is to check it (`supply document`)."),
            None => String::new(),
        }
    }
}

fn manifest(client: &Client, gtin: Gtin, lot: Lot, expiry: Day, serials: &Path) -> anyhow::Result<Manifest> {
    Ok(client.manifest(gtin, lot, expiry, &read_text(serials)?)?)
}

fn ticket(path: &Path, scanned: Option<&Package>) -> anyhow::Result<Ticket> {
    let found = Ticket::find(&read_text(path)?, scanned);
    Ok(found.map_err(|error| {
        let why = format!("{}: {error}", path.display());
        match error {
            TicketError::Several => Error::Usage(why),
            _ => Error::Unsuitable(why),
        }
    })?)
}

fn scanned(text: &str) -> anyhow::Result<Package> {
    Ok(medlock_client::scanned(text)?)
}

/// `BATCH:FIRST-LAST`, packages by number from 0.
pub fn run(text: &str) -> Result<Run, String> {
    let (batch, range) = text.split_once(':').ok_or("BATCH:FIRST-LAST, as 0x…:0-99")?;
    let batch = batch.parse::<B256>().map_err(|error| error.to_string())?;
    let (first, last) = numbers(range)?;
    Ok(Run {
        batch,
        from: first,
        to: last + 1,
    })
}

/// `FIRST-LAST`.
pub fn numbers(text: &str) -> Result<(u32, u32), String> {
    let parsed = text
        .split_once('-')
        .and_then(|(first, last)| Some((first.parse().ok()?, last.parse().ok()?)));
    parsed
        .filter(|(first, last): &(u32, u32)| first <= last && *last < u32::MAX)
        .ok_or_else(|| "FIRST-LAST, both counted, from 0".into())
}

fn name(list: &[(&str, u8)], number: u8) -> String {
    let known = list.iter().find(|(_, known)| *known == number);
    known.map_or_else(|| number.to_string(), |(name, _)| (*name).to_owned())
}
