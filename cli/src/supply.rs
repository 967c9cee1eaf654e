//! Drugs: batches, shipments, dispensing, recalls, and what a package in hand is.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use alloy::primitives::B256;
use medlock_client::{
    Client, Dispensing, Error, HandOut, Held, Mined, UnitRecall, document_digest,
    drugs::{
        Day, Gtin, Lot, Manifest, Names, Package, Ticket,
        plan::Run,
        ticket::TicketError,
        verdict::{Asker, Level, Verdict},
    },
    file, named_document,
    terms::{decommission, name_of, number_of, recall, shipment},
};
use serde_json::{Value, json};

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
            let document = Named::about(&client, document, &packages).await?;
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
                let rows = units.iter().map(|held| {
                    let unit = &held.unit;
                    vec![
                        held.gtin.to_string(),
                        unit.batch.to_string(),
                        format!("{}-{}", unit.unit, unit.to - 1),
                        against(held),
                        held.last_day.to_string(),
                        unit.shipment.clone().unwrap_or_else(|| "-".into()),
                        unit.decommissioned.clone().unwrap_or_else(|| "-".into()),
                    ]
                });
                table(
                    &[
                        "GTIN",
                        "batch",
                        "packages",
                        "against it",
                        "last day",
                        "in shipment",
                        "out of the supply",
                    ],
                    &rows.collect::<Vec<_>>(),
                )
            })?;
        }
        SupplyCommand::Verify {
            tickets,
            scan,
            maker,
            patient,
            pharmacy,
            chart,
            purpose,
        } => {
            let scanned = scan.as_deref().map(scanned).transpose()?;
            let list = tickets.as_deref().map(read_text).transpose()?.unwrap_or_default();
            let asker = match patient || pharmacy.is_some() {
                true => Asker::Patient { pharmacy },
                false => Asker::Partner,
            };
            let verdict = match chart {
                Some(chart) => {
                    let purpose = parse_purpose(&purpose)?;
                    client.inspect_own(&list, scanned.as_ref(), chart, purpose).await?
                }
                None => client.inspect_listed(&list, scanned.as_ref(), asker).await?,
            };
            return say(out, &verdict.expecting(maker));
        }
        SupplyCommand::Dispense {
            tickets,
            scan,
            maker,
            chart,
            document,
        } => {
            let document = Named::of(document)?;
            let wish = HandOut {
                maker,
                chart,
                document: document.digest,
            };
            let done = match client.hand_out(&read_text(&tickets)?, &scanned(&scan)?, wish).await? {
                Dispensing::Done(done) => done,
                Dispensing::Refused(verdict) => return say(out, &verdict),
            };
            let value = json!({ "mined": done.mined, "record": done.record, "salt": document.salt });
            out.say(value, || match (&done.mined, &done.record) {
                (Some(_), Some(_)) => format!("The package is dispensed, and the chart tells of it.{}", document.line()),
                (Some(_), None) => format!("The package is dispensed.{}", document.line()),
                (None, _) => "You had dispensed this package before, and the chart tells of it now. If that was another package, this one is a copy: do not hand it out.".into(),
            })?;
        }
        SupplyCommand::Recall {
            batch,
            packages,
            class,
            reason,
            document,
        } => {
            let (first, last) = packages;
            let (from, to) = (first, last + 1);
            let document = Named::about(&client, document, &[Run { batch, from, to }]).await?;
            let numbers = (
                number_of(&recall::CLASSES, &class)?,
                number_of(&recall::REASONS, &reason)?,
            );
            let mined = client
                .recall_packages(batch, (from, to), numbers, document.digest)
                .await?;
            out.say(told(mined, &document), || {
                format!("The packages are recalled, for good.{}", document.line())
            })?;
        }
        SupplyCommand::Recalls { chart, purpose } => match chart {
            Some(chart) => {
                let found = client.recalled_packages(chart, parse_purpose(&purpose)?).await?;
                out.say(&found, || {
                    let rows = found.iter().map(|package| {
                        vec![
                            package.record_id.to_string(),
                            name_of(&recall::CLASSES, package.class),
                            name_of(&recall::REASONS, package.reason),
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
        SupplyCommand::Decommission {
            batch,
            unit,
            reason,
            document,
        } => {
            let document = Named::of(document)?;
            let reason = number_of(&decommission::ALL, &reason)?;
            let mined = client.decommission(batch, unit, reason, document.digest).await?;
            out.say(told(mined, &document), || {
                format!("The unit is out of the supply, for good.{}", document.line())
            })?;
        }
        SupplyCommand::Document { file, salt, shipment } => {
            let document = read_file(&file)?;
            let digest = document_digest(&document, salt)?;
            let Some(shipment) = shipment else {
                out.say(json!({ "digest": digest }), || digest.to_string())?;
                return Ok(ExitCode::SUCCESS);
            };
            let differs = differences(&client, &document, digest, shipment).await?;
            out.say(json!({ "digest": digest, "differs": differs }), || {
                match differs.is_empty() {
                    true => format!("{digest}: it is the document of shipment {shipment}, and tells of its packages."),
                    false => format!("{digest}\n{}", differs.join("\n")),
                }
            })?;
            if !differs.is_empty() {
                return Ok(ExitCode::from(exit::TAMPERED));
            }
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

/// A verdict, with the exit code that goes with it.
fn say(out: Output, verdict: &Verdict) -> anyhow::Result<ExitCode> {
    out.say(verdict, || verdict.text(&Names::default()))?;
    Ok(match verdict.level {
        Level::Ok => ExitCode::SUCCESS,
        Level::Unchecked => ExitCode::from(exit::FAILED),
        Level::Warning | Level::Stop | Level::False => ExitCode::from(exit::ANSWER_NO),
    })
}

/// Why a unit is not to be sold or dispensed, or some of it.
fn against(held: &Held) -> String {
    let recalls = held.recalls.iter().map(|recall| {
        let UnitRecall {
            from,
            to,
            class,
            reason,
            ..
        } = recall;
        format!("RECALLED {from}-{} ({class}, {reason})", to - 1)
    });
    let expired = held.expired.then(|| "EXPIRED".to_owned());
    let all: Vec<_> = recalls.chain(expired).collect();
    match all.is_empty() {
        true => "-".into(),
        false => all.join(", "),
    }
}

/// A transaction, with the salt of its document where it has one.
fn told(mined: Mined, document: &Named) -> Value {
    let mut value = json!(mined);
    if let Some(salt) = document.salt {
        value["salt"] = json!(salt);
    }
    value
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

    /// One that is to be about these packages: an error where it tells of others.
    async fn about(client: &Client, path: Option<PathBuf>, runs: &[Run]) -> anyhow::Result<Self> {
        if let Some(path) = &path {
            let differs = client.document_differences(&read_file(path)?, runs).await?;
            if !differs.is_empty() {
                let differs: Vec<_> = differs.iter().map(ToString::to_string).collect();
                return Err(Error::Unsuitable(format!("{}: {}", path.display(), differs.join("; "))).into());
            }
        }
        Self::of(path)
    }

    fn line(&self) -> String {
        match self.salt {
            Some(salt) => format!("\nGive the document and its salt {salt} to who is to check it (`supply document`)."),
            None => String::new(),
        }
    }
}

/// What a document and its digest say otherwise than an open shipment: a line each.
async fn differences(client: &Client, document: &[u8], digest: B256, shipment: u64) -> anyhow::Result<Vec<String>> {
    let (shipment, runs) = client.open_shipment(shipment).await?;
    let differs = client.document_differences(document, &runs).await?;
    let mut lines: Vec<_> = differs.iter().map(ToString::to_string).collect();
    if shipment.document != Some(digest) {
        lines.insert(0, "the shipment does not name this document with this salt".into());
    }
    Ok(lines)
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
