//! What a scan means to who holds the scanner: the bits of the contract's `verify`, with the facts beside them, in words.
//!
//! | [`Level`] | the package |
//! |---|---|
//! | `Ok` | may be sold, dispensed or used |
//! | `Stop` | is genuine, and must not |
//! | `False` | is not what it says: put it aside and report it |
use std::cmp::Reverse;

use alloy_primitives::Address;
use medlock_abi::{
    supply::ISupply,
    terms::{decommission, package, recall},
};
use serde::Serialize;

use crate::{
    day::Day,
    names::{Names, term},
    serials::last_day,
};

/// Who asks: to a partner a dispensed package is a copied one, to a patient it is what they expect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asker {
    /// A maker, distributor or pharmacy that is about to sell or dispense it.
    Partner,
    /// `pharmacy`: who gave it to them, where they know the account.
    Patient { pharmacy: Option<Address> },
}

/// What was read on chain, all at one block, and what is printed.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// `batchOf`.
    pub batch: &'a ISupply::batchOfReturn,
    /// `verify`, for package number `index`.
    pub verified: &'a ISupply::verifyReturn,
    pub index: u32,
    /// `recallOf` for every number of the batch.
    pub recalls: &'a [ISupply::recallOfReturn],
    /// `decommissioned` of the unit's `unitOf`.
    pub decommissioned: u8,
    /// The expiry on the package, where it was scanned.
    pub printed: Option<Day>,
    /// UNIX seconds.
    pub now: u64,
}

/// Facts that cannot be true together: they were read at different blocks, or somebody lies. No verdict is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FactsError {
    #[error(
        "the contract says more about the package than this program knows (bits {bits:#010b}); update it, and do not use the package before"
    )]
    UnknownBits { bits: u8 },
    #[error("{given} recalls were read, and the batch has {registered}; read all facts again at one block")]
    RecallCount { given: usize, registered: u8 },
    #[error("the package's status and {fact} contradict each other; read all facts again at one block")]
    Contradiction { fact: &'static str },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    Ok,
    Stop,
    False,
}

/// One thing to know about a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "finding", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Finding {
    /// No such serial stands under the batch's root, or there is no such batch.
    NeverMade,
    /// The serial was dispensed, and not to who asks: one of two packages is false.
    SerialTwice {
        by: Address,
        at: u64,
    },
    /// The printed expiry is not the batch's.
    Relabelled {
        printed: Day,
        registered: Day,
    },
    Recalled {
        class: u8,
        reason_code: u8,
        at: u64,
    },
    /// `reason_code` 0: not known.
    Decommissioned {
        reason_code: u8,
    },
    Expired {
        last_day: Day,
    },
    InTransit,
    /// To a patient: nobody has reported that it was dispensed.
    NotDispensed,
    /// To a patient: as it should be.
    Dispensed {
        by: Address,
        at: u64,
    },
}

/// What to do with a package, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    pub level: Level,
    /// The most dangerous first. Empty: genuine, and nothing else to say.
    pub findings: Vec<Finding>,
    /// Who has its unit, where it was not dispensed.
    pub holder: Option<Address>,
}

/// # Errors
/// See [`FactsError`].
pub fn judge(facts: &Facts, asker: Asker) -> Result<Verdict, FactsError> {
    let ISupply::verifyReturn { status, party, since } = *facts.verified;
    let all = package::ALL.iter().fold(0, |all, (_, bit)| all | bit);
    if status & !all != 0 {
        return Err(FactsError::UnknownBits { bits: status });
    }
    let is = |bit: u8| status & bit != 0;
    if !is(package::MADE) {
        require(status == 0 && party.is_zero(), "who has it")?;
        return Ok(Verdict {
            level: Level::False,
            findings: vec![Finding::NeverMade],
            holder: None,
        });
    }
    check(facts)?;

    let registered = last_day(facts.batch.expiry);
    let mut findings: Vec<Finding> = covering(facts)
        .map(|recall| Finding::Recalled {
            class: recall.class,
            reason_code: recall.reasonCode,
            at: recall.at,
        })
        .collect();
    if let Some(printed) = facts.printed.filter(|printed| *printed != registered) {
        findings.push(Finding::Relabelled { printed, registered });
    }
    if is(package::DECOMMISSIONED) {
        findings.push(Finding::Decommissioned {
            reason_code: facts.decommissioned,
        });
    }
    if is(package::EXPIRED) || facts.now >= facts.batch.expiry {
        findings.push(Finding::Expired { last_day: registered });
    }
    if is(package::IN_TRANSIT) {
        findings.push(Finding::InTransit);
    }
    let (by, at) = (party, since);
    match (is(package::DISPENSED), asker) {
        (true, Asker::Partner) => findings.push(Finding::SerialTwice { by, at }),
        (true, Asker::Patient { pharmacy }) if pharmacy.is_some_and(|own| own != by) => {
            findings.push(Finding::SerialTwice { by, at });
        }
        (true, Asker::Patient { .. }) => findings.push(Finding::Dispensed { by, at }),
        (false, Asker::Patient { .. }) => findings.push(Finding::NotDispensed),
        (false, Asker::Partner) => {}
    }
    // Of two recalls of one class the later one says more.
    findings.sort_by_key(|finding| (finding.danger(), Reverse(finding.at())));
    Ok(Verdict {
        level: findings.first().map_or(Level::Ok, Finding::level),
        findings,
        holder: (!is(package::DISPENSED)).then_some(party),
    })
}

/// What must be true together of a package that was made.
fn check(facts: &Facts) -> Result<(), FactsError> {
    let ISupply::verifyReturn { status, party, since } = *facts.verified;
    let registered = facts.batch.recalls;
    if facts.recalls.len() != usize::from(registered) {
        return Err(FactsError::RecallCount {
            given: facts.recalls.len(),
            registered,
        });
    }
    require(
        !facts.batch.maker.is_zero() && facts.index < facts.batch.count,
        "its batch",
    )?;
    require(!party.is_zero(), "who has it")?;
    require(
        (status & package::DISPENSED != 0) == (since != 0),
        "when it was dispensed",
    )?;
    let is_recalled = status & package::RECALLED != 0;
    require(is_recalled == covering(facts).next().is_some(), "its batch's recalls")
}

fn require(is_so: bool, fact: &'static str) -> Result<(), FactsError> {
    if is_so {
        Ok(())
    } else {
        Err(FactsError::Contradiction { fact })
    }
}

fn covering<'a>(facts: &Facts<'a>) -> impl Iterator<Item = &'a ISupply::recallOfReturn> {
    let index = facts.index;
    let covers = move |recall: &&ISupply::recallOfReturn| recall.from <= index && index < recall.to;
    facts.recalls.iter().filter(covers)
}

impl Finding {
    pub const fn level(&self) -> Level {
        match self {
            Self::NeverMade | Self::SerialTwice { .. } | Self::Relabelled { .. } => Level::False,
            Self::Recalled { .. } | Self::Decommissioned { .. } | Self::Expired { .. } | Self::InTransit => Level::Stop,
            Self::NotDispensed | Self::Dispensed { .. } => Level::Ok,
        }
    }

    /// The lower, the more dangerous; by level first.
    const fn danger(&self) -> u8 {
        match self {
            Self::NeverMade => 0,
            Self::SerialTwice { .. } => 1,
            Self::Relabelled { .. } => 2,
            Self::Recalled {
                class: recall::CLASS_II,
                ..
            } => 5,
            Self::Recalled {
                class: recall::CLASS_III,
                ..
            } => 7,
            // A class that is not known here is taken for the worst.
            Self::Recalled { .. } => 3,
            Self::Decommissioned { .. } => 4,
            Self::Expired { .. } => 6,
            Self::InTransit => 8,
            Self::NotDispensed => 9,
            Self::Dispensed { .. } => 10,
        }
    }

    const fn at(&self) -> u64 {
        match self {
            Self::Recalled { at, .. } => *at,
            _ => 0,
        }
    }

    /// One line for a screen: what it is, then what to do.
    pub fn line(&self, names: &Names) -> String {
        match *self {
            Self::NeverMade => {
                "FALSE: this package was never made by this maker. Do not use it; put it aside and report it.".into()
            }
            Self::SerialTwice { by, at } => format!(
                "FALSE, or a copy of it is: this serial was dispensed on {} by {}. Do not use it; put it aside and report it.",
                Day::of_time(at),
                names.of(by)
            ),
            Self::Relabelled { printed, registered } => format!(
                "FALSE: {printed} is printed as expiry, and the maker registered {registered}. Do not use it; put it aside and report it."
            ),
            Self::Recalled { class, reason_code, at } => format!(
                "RECALLED on {}: {} ({}). Do not use it; return it.",
                Day::of_time(at),
                class_text(class),
                term(&recall::REASONS, reason_code)
            ),
            Self::Decommissioned { reason_code } => format!(
                "STOP: taken out of the supply ({}). Do not use it; put it aside and report it.",
                term(&decommission::ALL, reason_code)
            ),
            Self::Expired { last_day } => format!("EXPIRED: {last_day} was its last day. Do not use it."),
            Self::InTransit => {
                "STOP: on its way to somebody who has not accepted it. Accept the shipment first.".into()
            }
            Self::NotDispensed => {
                "Not reported as dispensed yet. Ask the pharmacy, if it gave this to you before today.".into()
            }
            Self::Dispensed { by, at } => format!("Dispensed on {} by {}.", Day::of_time(at), names.of(by)),
        }
    }
}

impl Verdict {
    /// One line for a screen: the most dangerous finding.
    pub fn line(&self, names: &Names) -> String {
        let first = self.findings.first().map(|finding| finding.line(names));
        match (self.level, first) {
            (Level::Ok, Some(note)) => format!("GENUINE. {note}"),
            (_, Some(line)) => line,
            (_, None) => "GENUINE.".to_owned(),
        }
    }
}

fn class_text(class: u8) -> String {
    let harm = match class {
        recall::CLASS_I => "it may kill or do serious harm",
        recall::CLASS_II => "it may do harm that passes",
        recall::CLASS_III => "harm is unlikely",
        _ => return format!("class {class}, not known here: take it for dangerous"),
    };
    format!("{}, {harm}", term(&recall::CLASSES, class))
}
