//! Drugs, for a page. Lists of serials and tickets are text, a line each.

use alloy::primitives::B256;
use medlock_client::{
    Dispensing, Error, HandOut, document_digest,
    drugs::{
        Day, Gtin, Lot, Manifest, Names, Package, Ticket,
        epcis::{DOCUMENT_BYTES_MAX, EpcisError},
        plan::Run,
        verdict::{Asker, Verdict},
    },
    named_document, scanned,
    terms::{decommission, number_of, recall, shipment},
};
use serde::Deserialize;
use serde_json::json;
use wasm_bindgen::prelude::*;
use web_sys::File;

use crate::{Core, Outcome, address, browser, fault::Fault, js, purpose, read, word};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BatchWish {
    gtin: Gtin,
    lot: Lot,
    /// The last day on which it may be used, `2027-06-30`.
    expiry: Day,
    serials: String,
}

/// Packages of a batch, the first and the last of them by number from 0.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Packages {
    batch: B256,
    first: u32,
    last: u32,
}

impl Packages {
    /// From the first on, below the other.
    fn range(&self) -> Outcome<(u32, u32)> {
        match self.first <= self.last && self.last < u32::MAX {
            true => Ok((self.first, self.last + 1)),
            false => Err(Fault::usage("the last package comes before the first")),
        }
    }
}

impl Core {
    fn manifest(&self, wish: &str) -> Outcome<Manifest> {
        let BatchWish {
            gtin,
            lot,
            expiry,
            serials,
        } = read(wish)?;
        Ok(self.client().manifest(gtin, lot, expiry, &serials)?)
    }
}

#[wasm_bindgen]
impl Core {
    /// What [`Core::register_batch`] registers, and the tickets of its packages: to be saved before, since a batch without them cannot be
    /// dispensed.
    #[wasm_bindgen(js_name = batchTickets)]
    pub fn batch_tickets(&self, wish: &str) -> Outcome<JsValue> {
        let manifest = self.manifest(wish)?;
        js(&json!({ "batch": manifest.batch().id(), "packages": manifest.count(), "tickets": manifest.tickets() }))
    }

    /// A salt for an EPCIS document, drawn anew each time, and its digest with it: the salt is to be saved before the digest is given to an event,
    /// since without it nobody can check the document.
    #[wasm_bindgen(js_name = nameDocument)]
    pub fn name_document(&self, document: File) -> Outcome<JsValue> {
        js(&named_document(&epcis(&document)?)?)
    }

    /// By what an event names this EPCIS document, if it was anchored with this salt.
    #[wasm_bindgen(js_name = documentDigest)]
    pub fn document_digest(&self, document: File, salt: &str) -> Outcome<String> {
        Ok(document_digest(&epcis(&document)?, word(salt)?)?.to_string())
    }

    /// `document`: a digest of [`Core::name_document`], here and below.
    #[wasm_bindgen(js_name = registerBatch)]
    pub async fn register_batch(
        &self,
        wish: &str,
        document: Option<String>,
        watch: js_sys::Function,
    ) -> Outcome<JsValue> {
        let (manifest, document) = (self.manifest(wish)?, digest(document)?);
        js(&self.watched(watch).register_batch(&manifest, document).await?)
    }

    /// `back`: returned to who it came from.
    pub async fn ship(
        &self,
        to: &str,
        packages: &str,
        back: bool,
        document: Option<String>,
        watch: js_sys::Function,
    ) -> Outcome<JsValue> {
        let packages: Packages = read(packages)?;
        let (from, below) = packages.range()?;
        let run = Run {
            batch: packages.batch,
            from,
            to: below,
        };
        let kind = if back { shipment::RETURN } else { shipment::SALE };
        let (to, document) = (address(to)?, digest(document)?);
        js(&self.watched(watch).ship(to, kind, &[run], document).await?)
    }

    /// `act`: `accept`, `refuse` or `withdraw`.
    #[wasm_bindgen(js_name = stepShipment)]
    pub async fn step_shipment(
        &self,
        shipment: &str,
        act: &str,
        document: Option<String>,
        watch: js_sys::Function,
    ) -> Outcome<JsValue> {
        let document = digest(document)?;
        let number = shipment.parse();
        let number: u64 = number.map_err(|_| Fault::usage(&format!("{shipment} is no shipment's number")))?;
        let client = self.watched(watch);
        let mined = match act {
            "accept" => client.accept_shipment(number, document).await?,
            "refuse" => client.refuse_shipment(number, document).await?,
            "withdraw" => client.withdraw_shipment(number, document).await?,
            other => return Err(Fault::usage(&format!("nobody can {other} a shipment"))),
        };
        js(&mined)
    }

    pub async fn shipments(&self, from_us: bool, open: bool) -> Outcome<JsValue> {
        js(&self.client().shipments(from_us, open).await?)
    }

    #[wasm_bindgen(js_name = heldUnits)]
    pub async fn held_units(&self) -> Outcome<JsValue> {
        js(&self.client().held_units().await?)
    }

    pub async fn recalls(&self) -> Outcome<JsValue> {
        js(&self.client().recalls().await?)
    }

    /// `scan`: what a scanner says; absent: the list has one ticket. `maker`: whose package it is to be, where that is known.
    #[wasm_bindgen(js_name = inspectPackage)]
    pub async fn inspect_package(
        &self,
        tickets: &str,
        scan: Option<String>,
        maker: Option<String>,
    ) -> Outcome<JsValue> {
        let scanned = scan.as_deref().map(scanned).transpose()?;
        let (client, maker) = (self.client(), maker.as_deref().map(address).transpose()?);
        let verdict = client.inspect_listed(tickets, scanned.as_ref(), Asker::Partner);
        spoken(&verdict.await?.expecting(maker))
    }

    /// [`Core::inspect_package`] for a patient, whose chart tells which packages they got.
    #[wasm_bindgen(js_name = inspectOwnPackage)]
    pub async fn inspect_own_package(
        &self,
        tickets: &str,
        scan: Option<String>,
        chart: &str,
        purpose: &str,
    ) -> Outcome<JsValue> {
        let scanned = scan.as_deref().map(scanned).transpose()?;
        let (chart, purpose) = (word(chart)?, self::purpose(purpose)?);
        let client = self.client();
        spoken(&client.inspect_own(tickets, scanned.as_ref(), chart, purpose).await?)
    }

    /// Dispenses a package that is as it should be, and writes it into the chart, where one is named.
    #[wasm_bindgen(js_name = dispensePackage)]
    pub async fn dispense_package(
        &self,
        tickets: &str,
        scan: &str,
        maker: Option<String>,
        chart: Option<String>,
        watch: js_sys::Function,
    ) -> Outcome<JsValue> {
        let wish = HandOut {
            maker: maker.as_deref().map(address).transpose()?,
            chart: chart.as_deref().map(word).transpose()?,
            document: B256::ZERO,
        };
        match self.watched(watch).hand_out(tickets, &scanned(scan)?, wish).await? {
            Dispensing::Done(done) => js(&done),
            Dispensing::Refused(verdict) => Err(Fault::usage(&verdict.line(&Names::default()))),
        }
    }

    #[wasm_bindgen(js_name = recallPackages)]
    pub async fn recall_packages(
        &self,
        packages: &str,
        class: &str,
        reason: &str,
        document: Option<String>,
        watch: js_sys::Function,
    ) -> Outcome<JsValue> {
        let (packages, document): (Packages, B256) = (read(packages)?, digest(document)?);
        let numbers = (
            number_of(&recall::CLASSES, class)?,
            number_of(&recall::REASONS, reason)?,
        );
        let recalling = self.watched(watch);
        let mined = recalling.recall_packages(packages.batch, packages.range()?, numbers, document);
        js(&mined.await?)
    }

    pub async fn decommission(
        &self,
        batch: &str,
        unit: u32,
        reason: &str,
        watch: js_sys::Function,
    ) -> Outcome<JsValue> {
        let reason = number_of(&decommission::ALL, reason)?;
        let mined = self
            .watched(watch)
            .decommission(word(batch)?, unit, reason, B256::ZERO)
            .await?;
        js(&mined)
    }

    /// How a package came to who has it, from its maker on.
    #[wasm_bindgen(js_name = packageHistory)]
    pub async fn package_history(&self, tickets: &str, scan: Option<String>) -> Outcome<JsValue> {
        let scanned = scan.as_deref().map(scanned).transpose()?;
        let ticket = ticket(tickets, scanned.as_ref())?;
        let history = self.client().custody(ticket.batch, ticket.index).await?;
        js(&history.report(&Names::default()))
    }

    #[wasm_bindgen(js_name = recalledPackages)]
    pub async fn recalled_packages(&self, chart: &str, purpose: &str) -> Outcome<JsValue> {
        let found = self
            .client()
            .recalled_packages(word(chart)?, self::purpose(purpose)?)
            .await?;
        js(&found)
    }
}

/// A verdict, and what it says in words.
fn spoken(verdict: &Verdict) -> Outcome<JsValue> {
    let names = Names::default();
    js(&json!({ "verdict": verdict, "line": verdict.line(&names), "more": verdict.more(&names) }))
}

/// Zero: none.
fn digest(document: Option<String>) -> Outcome<B256> {
    document.map_or(Ok(B256::ZERO), |document| word(&document))
}

/// The bytes of a document, refused before they are read where they are more than one may have.
fn epcis(file: &File) -> Outcome<Vec<u8>> {
    let bytes = file.size() as usize;
    if bytes > DOCUMENT_BYTES_MAX {
        return Err(unsuitable(&EpcisError::TooLarge {
            bytes,
            bytes_max: DOCUMENT_BYTES_MAX,
        }));
    }
    browser::whole(file).map_err(|error| unsuitable(&error))
}

fn unsuitable(why: &impl std::fmt::Display) -> Fault {
    Error::Unsuitable(why.to_string()).into()
}

fn ticket(list: &str, scanned: Option<&Package>) -> Outcome<Ticket> {
    Ticket::find(list, scanned).map_err(|error| Fault::usage(&error.to_string()))
}
