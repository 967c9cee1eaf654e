//! What a scan means to who holds the scanner: the bits of the contract's `verify`, with the facts beside them, in words.
//!
//! | [`Level`] | the package |
//! |---|---|
//! | `Ok` | may be sold, dispensed or used |
//! | `Warning` | is genuine as far as the chain tells; what the chain does not tell is to be made sure of first |
//! | `Unchecked` | is not known to be genuine or false: its ticket is missing |
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
    /// Whether its maker is one by the registry now (`hasRoles`).
    pub is_maker_current: bool,
    /// Others who are makers now and have registered the same GTIN and lot; `None`: it could not be looked up.
    pub other_makers: Option<&'a [Address]>,
    /// The expiry on the package, where it was scanned.
    pub printed: Option<Day>,
    /// UNIX seconds.
    pub now: u64,
}

/// One maker's batch of the lot that is printed on a package whose ticket is missing, read on chain.
#[derive(Debug)]
pub struct LotFacts {
    /// `batchOf`.
    pub batch: ISupply::batchOfReturn,
    /// `recallOf` for every number of the batch.
    pub recalls: Vec<ISupply::recallOfReturn>,
    /// As of [`Facts`].
    pub is_maker_current: bool,
    /// All of its tickets were looked through, and none is of the package ([`crate::ticket::LotTickets::are_all`]).
    pub is_ruled_out: bool,
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
    Warning,
    Unchecked,
    Stop,
    False,
}

/// One thing to know about a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "finding", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Finding {
    /// No such serial stands under the batch's root, or there is no such batch.
    NeverMade,
    /// It is not of the maker that was named.
    OtherMaker {
        expected: Address,
        registered: Address,
    },
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
    /// There is no ticket of it, and not all others of its lot were looked through.
    Unchecked,
    /// So many others, makers now, have registered the same GTIN and lot.
    Contested {
        makers: usize,
    },
    /// To a patient: it was dispensed, and the chart has no record of that from who did.
    NotInChart {
        by: Address,
        at: u64,
    },
    /// To a patient: it was dispensed, and nothing that was asked says whether to them.
    ToWhomUnknown {
        by: Address,
        at: u64,
    },
    /// Who registered it is no maker by the registry now.
    MakerNotCurrent {
        maker: Address,
    },
    /// Whether it is contested could not be looked up.
    OthersUnknown,
    /// To a patient: nobody has reported that it was dispensed.
    NotDispensed,
    /// To a patient: as it should be.
    Dispensed {
        by: Address,
        at: u64,
    },
}

/// Who registered a package's batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Maker {
    pub account: Address,
    /// A maker by the registry now.
    pub current: bool,
}

/// What to do with a package, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    pub level: Level,
    /// The most dangerous first. Empty: genuine, and nothing else to say.
    pub findings: Vec<Finding>,
    /// Who has its unit, where it was not dispensed.
    pub holder: Option<Address>,
    /// `None`: there is no such batch, or it may be one of several makers'.
    pub maker: Option<Maker>,
    /// Who else has registered the same GTIN and lot.
    pub other_makers: Vec<Address>,
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
    let maker = (!facts.batch.maker.is_zero()).then_some(Maker {
        account: facts.batch.maker,
        current: facts.is_maker_current,
    });
    let other_makers = facts.other_makers.unwrap_or_default().to_vec();
    if !is(package::MADE) {
        require(status == 0 && party.is_zero(), "who has it")?;
        return Ok(Verdict::of(vec![Finding::NeverMade], None, maker, other_makers));
    }
    check(facts)?;

    let registered = last_day(facts.batch.expiry);
    let mut findings: Vec<Finding> = covering(facts).map(Finding::of_recall).collect();
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
        (true, Asker::Patient { pharmacy: None }) => findings.push(Finding::ToWhomUnknown { by, at }),
        (true, Asker::Patient { pharmacy: Some(own) }) if own != by => findings.push(Finding::SerialTwice { by, at }),
        (true, Asker::Patient { .. }) => findings.push(Finding::Dispensed { by, at }),
        (false, Asker::Patient { .. }) => findings.push(Finding::NotDispensed),
        (false, Asker::Partner) => {}
    }
    if !facts.is_maker_current {
        let maker = facts.batch.maker;
        findings.push(Finding::MakerNotCurrent { maker });
    }
    match facts.other_makers {
        None => findings.push(Finding::OthersUnknown),
        Some([]) => {}
        Some(others) => findings.push(Finding::Contested { makers: others.len() }),
    }
    let holder = (!is(package::DISPENSED)).then_some(party);
    Ok(Verdict::of(findings, holder, maker, other_makers))
}

/// What a package is whose ticket is missing. `lots`: every batch that was registered of its GTIN and lot. It is false where none can have it,
/// or none that can has the expiry that is printed; that it is genuine, nobody can tell.
pub fn judge_unlisted(lots: &[LotFacts], printed: Day, now: u64) -> Verdict {
    let open: Vec<_> = lots.iter().filter(|lot| !lot.is_ruled_out).collect();
    let only = match (&open[..], lots) {
        ([only], _) => Some(*only),
        ([], [only]) => Some(only),
        _ => None,
    };
    let registered = open.first().map(|lot| last_day(lot.batch.expiry));
    let is_as_printed = open.iter().any(|lot| last_day(lot.batch.expiry) == printed);
    let mut findings = vec![match registered {
        None => Finding::NeverMade,
        Some(_) if is_as_printed => Finding::Unchecked,
        Some(registered) => Finding::Relabelled { printed, registered },
    }];
    if let [lot] = open[..] {
        // Whatever its number is.
        let is_of_all = |recall: &&ISupply::recallOfReturn| recall.from == 0 && recall.to >= lot.batch.count;
        findings.extend(lot.recalls.iter().filter(is_of_all).map(Finding::of_recall));
        if now >= lot.batch.expiry {
            let last_day = last_day(lot.batch.expiry);
            findings.push(Finding::Expired { last_day });
        }
        if !lot.is_maker_current {
            let maker = lot.batch.maker;
            findings.push(Finding::MakerNotCurrent { maker });
        }
    }
    if open.len() > 1 {
        findings.push(Finding::Contested { makers: open.len() - 1 });
    }
    let maker = only.map(|lot| Maker {
        account: lot.batch.maker,
        current: lot.is_maker_current,
    });
    let makers = lots.iter().map(|lot| lot.batch.maker);
    let others = makers.filter(|other| maker.is_none_or(|maker| maker.account != *other));
    Verdict::of(findings, None, maker, others.collect())
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
    const fn of_recall(recall: &ISupply::recallOfReturn) -> Self {
        Self::Recalled {
            class: recall.class,
            reason_code: recall.reasonCode,
            at: recall.at,
        }
    }

    pub const fn level(&self) -> Level {
        match self {
            Self::NeverMade | Self::OtherMaker { .. } | Self::SerialTwice { .. } | Self::Relabelled { .. } => {
                Level::False
            }
            Self::Recalled { .. } | Self::Decommissioned { .. } | Self::Expired { .. } | Self::InTransit => Level::Stop,
            Self::Unchecked => Level::Unchecked,
            Self::Contested { .. }
            | Self::NotInChart { .. }
            | Self::ToWhomUnknown { .. }
            | Self::MakerNotCurrent { .. }
            | Self::OthersUnknown => Level::Warning,
            Self::NotDispensed | Self::Dispensed { .. } => Level::Ok,
        }
    }

    /// The lower, the more dangerous; by level first.
    const fn danger(&self) -> u8 {
        match self {
            Self::NeverMade => 0,
            Self::OtherMaker { .. } => 1,
            Self::SerialTwice { .. } => 2,
            Self::Relabelled { .. } => 3,
            Self::Recalled {
                class: recall::CLASS_II,
                ..
            } => 6,
            Self::Recalled {
                class: recall::CLASS_III,
                ..
            } => 8,
            // A class that is not known here is taken for the worst.
            Self::Recalled { .. } => 4,
            Self::Decommissioned { .. } => 5,
            Self::Expired { .. } => 7,
            Self::InTransit => 9,
            Self::Unchecked => 10,
            Self::Contested { .. } => 11,
            Self::NotInChart { .. } => 12,
            Self::ToWhomUnknown { .. } => 13,
            Self::MakerNotCurrent { .. } => 14,
            Self::OthersUnknown => 15,
            Self::NotDispensed => 16,
            Self::Dispensed { .. } => 17,
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
                "FALSE: this package was never made. Do not use it; put it aside and report it.".into()
            }
            Self::OtherMaker { expected, registered } => format!(
                "FALSE: it is of {}, and not of {}. Do not use it; put it aside and report it.",
                names.full(registered),
                names.full(expected)
            ),
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
            Self::Unchecked => {
                "CANNOT BE CHECKED: there is no ticket of this package, and without it nobody can tell whether it was made. Ask its maker for it; do not use the package before."
                    .into()
            }
            Self::Contested { makers } => format!(
                "WARNING: this GTIN and lot were registered by {makers} other{}, too, so one of them may be false. Make sure who made the package, and name them.",
                if makers == 1 { "" } else { "s" }
            ),
            Self::NotInChart { by, at } => format!(
                "WARNING: dispensed on {} by {}, and the chart has no record of that from them. If they did not give it to you then, it is a copy: do not use it, and report it.",
                Day::of_time(at),
                names.of(by)
            ),
            Self::ToWhomUnknown { by, at } => format!(
                "WARNING: dispensed on {} by {}, and nothing here says whether to you. If they did not give it to you then, it is a copy: do not use it, and report it.",
                Day::of_time(at),
                names.of(by)
            ),
            Self::MakerNotCurrent { maker } => format!(
                "WARNING: {} registered it, and is no maker by the registry now. Ask a regulator before you use it.",
                names.full(maker)
            ),
            Self::OthersUnknown => {
                "WARNING: whether others registered this GTIN and lot, too, could not be looked up on this node. Make sure who made the package, and name them."
                    .into()
            }
            Self::NotDispensed => {
                "Not reported as dispensed yet. Ask the pharmacy, if it gave this to you before today.".into()
            }
            Self::Dispensed { by, at } => format!("Dispensed on {} by {}.", Day::of_time(at), names.of(by)),
        }
    }
}

impl Verdict {
    fn of(findings: Vec<Finding>, holder: Option<Address>, maker: Option<Maker>, other_makers: Vec<Address>) -> Self {
        let verdict = Self {
            level: Level::Ok,
            findings,
            holder,
            maker,
            other_makers,
        };
        verdict.ordered()
    }

    fn ordered(mut self) -> Self {
        // Of two recalls of one class the later one says more.
        self.findings
            .sort_by_key(|finding| (finding.danger(), Reverse(finding.at())));
        self.level = self.findings.first().map_or(Level::Ok, Finding::level);
        self
    }

    /// The same for who knows whose package it is to be. One of another maker is false; who else registered its lot does not matter then.
    #[must_use]
    pub fn expecting(mut self, maker: Option<Address>) -> Self {
        let (Some(expected), Some(made)) = (maker, self.maker) else {
            return self;
        };
        self.findings
            .retain(|finding| !matches!(finding, Finding::Contested { .. } | Finding::OthersUnknown));
        if made.account != expected {
            self.findings.push(Finding::OtherMaker {
                expected,
                registered: made.account,
            });
        }
        self.ordered()
    }

    /// Who dispensed the package, where it is open whether to the patient who asks: [`Verdict::by_chart`].
    pub fn dispensed_by(&self) -> Option<Address> {
        self.findings.iter().find_map(|finding| match finding {
            Finding::ToWhomUnknown { by, .. } => Some(*by),
            _ => None,
        })
    }

    /// The same for a patient whose chart was looked into. `is_recorded`: it has a record of this package from who dispensed it.
    #[must_use]
    pub fn by_chart(mut self, is_recorded: bool) -> Self {
        for finding in &mut self.findings {
            *finding = match *finding {
                Finding::ToWhomUnknown { by, at } if is_recorded => Finding::Dispensed { by, at },
                Finding::ToWhomUnknown { by, at } => Finding::NotInChart { by, at },
                other => other,
            };
        }
        self.ordered()
    }

    /// What else is not as it should be: a line each.
    pub fn more(&self, names: &Names) -> Vec<String> {
        let others = self.findings.iter().skip(1);
        let others = others.filter(|finding| finding.level() != Level::Ok);
        others.map(|finding| finding.line(names)).collect()
    }

    /// For people: the line, what else there is, and who made the package.
    pub fn text(&self, names: &Names) -> String {
        let mut lines = vec![self.line(names)];
        lines.extend(self.more(names));
        lines.extend(self.maker.map(|maker| {
            let standing = if maker.current { "a maker" } else { "no maker" };
            format!("Made by {}, {standing} by the registry now.", names.full(maker.account))
        }));
        if !self.other_makers.is_empty() {
            let others: Vec<_> = self.other_makers.iter().map(|other| names.full(*other)).collect();
            lines.push(format!("The same GTIN and lot: {}.", others.join(", ")));
        }
        lines.join("\n")
    }

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
