//! The transaction history of packages, back to their maker, as the Drug Supply Chain Security Act wants it (21 U.S.C. 360eee): read from
//! the contract's steps, and taken only where every link holds.
use std::{collections::BTreeSet, fmt::Write};

use alloy_primitives::{Address, B256};
use medlock_abi::terms::{HOLDERS_MOST, shipment};
use serde::Serialize;

use crate::{
    day::Day,
    gtin::Gtin,
    label::Lot,
    names::{Names, term},
    serials::Batch,
};

/// One link of the chain of custody: `stepOf` a number, and `shipmentOf` its shipment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    pub number: u64,
    pub holder: Address,
    /// The step before, 0: none.
    pub previous: u64,
    /// By which it came, 0: by registration.
    pub shipment: u64,
    /// Who offered the shipment; zero for a registration.
    pub from: Address,
    /// `terms::shipment`; 0 for a registration.
    pub kind: u8,
    /// UNIX seconds: when it was registered, or the shipment accepted.
    pub at: u64,
    /// Salted digest of the document; zero: none.
    pub document: B256,
}

/// Why steps make no history. Whoever meets one must not take the packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HistoryError {
    #[error("there are no steps; read them from the one where the unit stands, back to the maker")]
    Empty,
    #[error(
        "there are {given} steps, more than the {most} holders that a unit can have; the history is not the contract's"
    )]
    TooLong { given: usize, most: u8 },
    #[error(
        "the history is broken at step {step}: {link}; read it again at one block, and do not take the packages before it holds"
    )]
    Broken { step: u64, link: Link },
    #[error(
        "step {step} has a holder who is in the history already; it is not the contract's, so do not take the packages"
    )]
    Cycle { step: u64 },
}

/// What does not hold of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Link {
    #[error("it does not come after the step that is given before it")]
    Previous,
    #[error("it comes before its own past")]
    Time,
    #[error("it has no shipment, or one that is later than itself")]
    Shipment,
    #[error("its shipment is neither a sale nor a return")]
    Kind,
    #[error("its shipment is not from who had the packages")]
    Sender,
    #[error("the history does not begin with the maker's registration")]
    Maker,
}

/// A history that holds, from the maker on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    batch: Batch,
    steps: Vec<Step>,
}

impl History {
    /// `steps`: as `previous` leads through them, from where the unit stands back to the maker.
    ///
    /// # Errors
    /// See [`HistoryError`].
    pub fn link(batch: Batch, mut steps: Vec<Step>) -> Result<Self, HistoryError> {
        if steps.len() > usize::from(HOLDERS_MOST) {
            return Err(HistoryError::TooLong {
                given: steps.len(),
                most: HOLDERS_MOST,
            });
        }
        let registration = steps.last().ok_or(HistoryError::Empty)?;
        let broken = |step: &Step, link| HistoryError::Broken {
            step: step.number,
            link,
        };
        let is_registration = registration.previous == 0 && registration.shipment == 0 && registration.number != 0;
        if !is_registration || registration.holder != batch.maker {
            return Err(broken(registration, Link::Maker));
        }
        for pair in steps.windows(2) {
            let (step, before) = (&pair[0], &pair[1]);
            check_link(step, before).map_err(|link| broken(step, link))?;
        }
        steps.reverse();
        let mut holders = BTreeSet::new();
        if let Some(again) = steps.iter().find(|step| !holders.insert(step.holder)) {
            return Err(HistoryError::Cycle { step: again.number });
        }
        Ok(Self { batch, steps })
    }

    /// From the maker on.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// For JSON.
    pub fn report(&self, names: &Names) -> Report {
        let party = |account| Party {
            account,
            name: names.get(account).map(str::to_owned),
        };
        let transfers = self.steps.iter().map(|step| Transfer {
            step: step.number,
            kind: kind(step),
            from: (step.shipment != 0).then(|| party(step.from)),
            to: party(step.holder),
            at: step.at,
            shipment: (step.shipment != 0).then_some(step.shipment),
            document: (!step.document.is_zero()).then_some(step.document),
        });
        Report {
            version: 1,
            gtin: self.batch.gtin,
            lot: self.batch.lot,
            expiry: self.batch.last_day(),
            batch: self.batch.id(),
            transfers: transfers.collect(),
        }
    }

    /// For people: a line a transfer.
    pub fn text(&self, names: &Names) -> String {
        let Batch { gtin, lot, .. } = &self.batch;
        let mut text = format!(
            "GTIN {gtin}, lot {lot}, expiry {}, batch {}\n",
            self.batch.last_day(),
            self.batch.id()
        );
        for (place, step) in self.steps.iter().enumerate() {
            let (day, holder, number) = (Day::of_time(step.at), names.of(step.holder), step.number);
            let line = match step.shipment {
                0 => format!("{day}  registered by its maker, {holder} (step {number})"),
                shipment => format!(
                    "{day}  {} of {} to {holder} (shipment {shipment}, step {number})",
                    kind(step),
                    names.of(step.from)
                ),
            };
            writeln!(text, "{:>2}. {line}", place + 1).expect("a string takes all that is written to it");
        }
        text
    }
}

fn kind(step: &Step) -> &'static str {
    if step.shipment == 0 {
        "registration"
    } else {
        term(&shipment::KINDS, step.kind)
    }
}

/// `before`: what is given as the step before.
fn check_link(step: &Step, before: &Step) -> Result<(), Link> {
    let checks = [
        (
            step.previous == before.number && before.number < step.number,
            Link::Previous,
        ),
        (before.at <= step.at, Link::Time),
        // A shipment has the number of its first step.
        (
            step.shipment != 0 && step.shipment <= step.number && before.number < step.shipment,
            Link::Shipment,
        ),
        (matches!(step.kind, shipment::SALE | shipment::RETURN), Link::Kind),
        // What came back came from somebody whose step is not in the history any more.
        (
            step.kind == shipment::RETURN || step.from == before.holder,
            Link::Sender,
        ),
        (step.from != step.holder && !step.from.is_zero(), Link::Sender),
    ];
    match checks.into_iter().find(|(holds, _)| !holds) {
        Some((_, link)) => Err(link),
        None => Ok(()),
    }
}

/// Transaction information and history of a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    pub version: u8,
    pub gtin: Gtin,
    pub lot: Lot,
    pub expiry: Day,
    pub batch: B256,
    /// From the maker on.
    pub transfers: Vec<Transfer>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Transfer {
    pub step: u64,
    /// `registration`, `sale` or `return`.
    pub kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Party>,
    pub to: Party,
    /// UNIX seconds.
    pub at: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shipment: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document: Option<B256>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Party {
    pub account: Address,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}
