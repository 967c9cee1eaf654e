//! What a check of a published trial finds, in words.

use std::fmt;

use alloy_primitives::{Address, B256};
use medlock_abi::terms::{amendment, batch as flag};
use serde::{Serialize, Serializer, ser::SerializeStruct};

use crate::batch::BatchError;
use crate::chain::Contradiction;
use crate::folder::IndexError;
use crate::results::{Difference, OutcomesError};

/// Numbers that one text lists by name.
pub(crate) const LISTED_MAX: usize = 10;

/// How bad it is; the worse is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Openly declared on chain: to be known when the results are read.
    Note,
    /// Something could not be checked, as it is not there or cannot be read.
    Unchecked,
    /// Something is not what was anchored, or the results are not what was planned.
    Fault,
}

impl Severity {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Unchecked => "unchecked",
            Self::Fault => "fault",
        }
    }
}

/// One of the files that a version fixes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Document {
    Protocol,
    Plan,
    Form,
}

impl Document {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Protocol => "protocol",
            Self::Plan => "analysis plan",
            Self::Form => "consent form",
        }
    }
}

/// One thing found. `Display` says it in a sentence or two, without a participant's data. As JSON: `{"severity","code","finding"}`, the last
/// of them that sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// The facts that were given cannot be the chain's.
    Contradiction(Contradiction),
    IndexMissing,
    IndexUnreadable(IndexError),
    /// `trial.json` is another trial's: id, sponsor or registration number.
    OtherTrial,
    /// Under the same registration number, by another sponsor.
    RegisteredTwice {
        trial: B256,
        sponsor: Address,
    },
    /// Named by `trial.json`, and not there or not to be read.
    FileMissing {
        file: String,
    },
    /// There, and not named by `trial.json`: nothing was checked of it.
    FileNotNamed {
        file: String,
    },

    VersionMissing {
        version: u8,
    },
    VersionNotOnChain {
        version: u8,
    },
    /// `is_of`: the version whose document it is.
    DocumentDiffers {
        version: u8,
        document: Document,
        is_of: Option<u8>,
    },
    /// As anchored, but in a form in which outcomes cannot be compared.
    PlanUnreadable {
        version: u8,
        reason: OutcomesError,
    },
    /// The plan's full text is another than the plan names.
    PlanDocumentDiffers {
        version: u8,
    },
    /// `batches`: how many were anchored by then.
    AmendedAfterEnrolment {
        version: u8,
        enrolled: u32,
        batches: u32,
        reason_code: u8,
    },
    /// Against the version before.
    OutcomeAmended {
        version: u8,
        difference: Difference,
    },

    /// How much there is of a site whom the sponsor lets take part no more.
    SiteDismissed {
        site: Address,
        enrolled: u32,
        withdrawn: u32,
        batches: u32,
    },
    /// Numbers below the site's highest, though the data are locked.
    BatchNeverAnchored {
        site: Address,
        first: u32,
        last: u32,
    },
    /// Batches that begin before another that began earlier has ended.
    PeriodsOverlap {
        site: Address,
        sequences: Vec<u32>,
    },
    /// Batches that begin before one with a lower number begins.
    PeriodsReversed {
        site: Address,
        sequences: Vec<u32>,
    },
    /// Enrolled at the site, and in none of its batches though the data are locked. `first`: the lowest of the `without` numbers.
    WithoutData {
        site: Address,
        enrolled: u32,
        withdrawn: u32,
        without: u32,
        first: Vec<u32>,
    },

    /// Anchored, and not named by `trial.json`.
    BatchMissing {
        site: Address,
        sequence: u32,
    },
    BatchNotOnChain {
        site: Address,
        sequence: u32,
    },
    BatchUnreadable {
        site: Address,
        sequence: u32,
        reason: BatchError,
    },
    /// The file's first line is not what was anchored.
    BatchHeaderDiffers {
        site: Address,
        sequence: u32,
    },
    /// From 0.
    RowsChanged {
        site: Address,
        sequence: u32,
        rows: Vec<u32>,
    },
    /// Changed, and the file does not tell where.
    BatchChanged {
        site: Address,
        sequence: u32,
    },
    /// `unnamed` have rows and are not named on chain; `absent` the other way round.
    ParticipantsDiffer {
        site: Address,
        sequence: u32,
        unnamed: Vec<u32>,
        absent: Vec<u32>,
    },
    /// One bit of `terms::batch`.
    Marked {
        site: Address,
        sequence: u32,
        flag: u8,
    },

    NotLocked,
    NoResults,
    ResultsMissing {
        number: u8,
    },
    ResultsNotAnchored {
        number: u8,
    },
    ResultsDiffer {
        number: u8,
    },
    ResultsUnreadable {
        number: u8,
        reason: OutcomesError,
    },
    ResultsOfOtherTrial {
        number: u8,
    },
    ResultsOfOtherVersion {
        number: u8,
    },
    ResultsOfOtherPlan {
        number: u8,
    },
    ResultsOfOtherData {
        number: u8,
    },
    /// Against the plan of the results' version.
    Outcome {
        number: u8,
        difference: Difference,
    },
    /// `by`: the last results.
    Corrected {
        number: u8,
        by: u8,
    },
}

impl Finding {
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self {
            Self::RegisteredTwice { .. }
            | Self::FileNotNamed { .. }
            | Self::AmendedAfterEnrolment { .. }
            | Self::OutcomeAmended { .. }
            | Self::SiteDismissed { .. }
            | Self::PeriodsOverlap { .. }
            | Self::PeriodsReversed { .. }
            | Self::WithoutData { .. }
            | Self::Marked { .. }
            | Self::NotLocked
            | Self::NoResults
            | Self::Corrected { .. } => Severity::Note,
            Self::IndexMissing
            | Self::IndexUnreadable(_)
            | Self::FileMissing { .. }
            | Self::VersionMissing { .. }
            | Self::PlanUnreadable { .. }
            | Self::BatchNeverAnchored { .. }
            | Self::BatchMissing { .. }
            | Self::ResultsMissing { .. }
            | Self::ResultsUnreadable { .. } => Severity::Unchecked,
            Self::Contradiction(_)
            | Self::OtherTrial
            | Self::VersionNotOnChain { .. }
            | Self::DocumentDiffers { .. }
            | Self::PlanDocumentDiffers { .. }
            | Self::BatchNotOnChain { .. }
            | Self::BatchUnreadable { .. }
            | Self::BatchHeaderDiffers { .. }
            | Self::RowsChanged { .. }
            | Self::BatchChanged { .. }
            | Self::ParticipantsDiffer { .. }
            | Self::ResultsNotAnchored { .. }
            | Self::ResultsDiffer { .. }
            | Self::ResultsOfOtherTrial { .. }
            | Self::ResultsOfOtherVersion { .. }
            | Self::ResultsOfOtherPlan { .. }
            | Self::ResultsOfOtherData { .. }
            | Self::Outcome { .. } => Severity::Fault,
        }
    }

    /// A stable name, for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Contradiction(_) => "contradiction",
            Self::IndexMissing => "index-missing",
            Self::IndexUnreadable(_) => "index-unreadable",
            Self::OtherTrial => "other-trial",
            Self::RegisteredTwice { .. } => "registered-twice",
            Self::FileMissing { .. } => "file-missing",
            Self::FileNotNamed { .. } => "file-not-named",
            Self::VersionMissing { .. } => "version-missing",
            Self::VersionNotOnChain { .. } => "version-not-on-chain",
            Self::DocumentDiffers { .. } => "document-differs",
            Self::PlanUnreadable { .. } => "plan-unreadable",
            Self::PlanDocumentDiffers { .. } => "plan-document-differs",
            Self::AmendedAfterEnrolment { .. } => "amended-after-enrolment",
            Self::OutcomeAmended { .. } => "outcome-amended",
            Self::SiteDismissed { .. } => "site-dismissed",
            Self::BatchNeverAnchored { .. } => "batch-never-anchored",
            Self::PeriodsOverlap { .. } => "periods-overlap",
            Self::PeriodsReversed { .. } => "periods-reversed",
            Self::WithoutData { .. } => "participants-without-data",
            Self::BatchMissing { .. } => "batch-missing",
            Self::BatchNotOnChain { .. } => "batch-not-on-chain",
            Self::BatchUnreadable { .. } => "batch-unreadable",
            Self::BatchHeaderDiffers { .. } => "batch-header-differs",
            Self::RowsChanged { .. } => "rows-changed",
            Self::BatchChanged { .. } => "batch-changed",
            Self::ParticipantsDiffer { .. } => "participants-differ",
            Self::Marked { .. } => "batch-marked",
            Self::NotLocked => "not-locked",
            Self::NoResults => "no-results",
            Self::ResultsMissing { .. } => "results-missing",
            Self::ResultsNotAnchored { .. } => "results-not-anchored",
            Self::ResultsDiffer { .. } => "results-differ",
            Self::ResultsUnreadable { .. } => "results-unreadable",
            Self::ResultsOfOtherTrial { .. } => "results-of-other-trial",
            Self::ResultsOfOtherVersion { .. } => "results-of-other-version",
            Self::ResultsOfOtherPlan { .. } => "results-of-other-plan",
            Self::ResultsOfOtherData { .. } => "results-of-other-data",
            Self::Outcome { difference, .. } => match difference {
                Difference::Missing { .. } => "outcome-missing",
                Difference::Added { .. } => "outcome-added",
                Difference::Switched { .. } => "outcome-switched",
                Difference::Retitled { .. } => "outcome-retitled",
            },
            Self::Corrected { .. } => "results-corrected",
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Contradiction(what) => write!(
                f,
                "The facts given for the chain break the contract's rules: {what}. Ask the chain itself, or another index."
            ),
            Self::IndexMissing => write!(f, "The folder has no trial.json, so nothing in it could be checked."),
            Self::IndexUnreadable(reason) => write!(f, "Nothing in the folder could be checked: {reason}."),
            Self::OtherTrial => write!(
                f,
                "trial.json is of another trial: its id, sponsor or registration number is not the chain's."
            ),
            Self::RegisteredTwice { trial, sponsor } => write!(
                f,
                "{sponsor} has registered the same registration number, as trial {trial}: compare the two."
            ),
            Self::FileMissing { file } => write!(f, "The file {file} is not there or could not be read."),
            Self::FileNotNamed { file } => {
                // Whoever made the folder chose the name.
                write!(
                    f,
                    "The file {} is not named in trial.json; it was not checked.",
                    file.escape_debug()
                )
            }
            Self::VersionMissing { version } => {
                write!(f, "The files of version {version} are not in the folder.")
            }
            Self::VersionNotOnChain { version } => {
                write!(f, "The folder has a version {version} that was never registered.")
            }
            Self::DocumentDiffers {
                version,
                document,
                is_of,
            } => {
                let document = document.as_str();
                write!(
                    f,
                    "The {document} of version {version} is not the one that was registered"
                )?;
                match is_of {
                    Some(other) => write!(f, ", but that of version {other}."),
                    None => write!(f, "."),
                }
            }
            Self::PlanUnreadable { version, reason } => write!(
                f,
                "The analysis plan of version {version} is the one that was registered, but outcomes cannot be compared with it: {reason}."
            ),
            Self::PlanDocumentDiffers { version } => {
                write!(
                    f,
                    "The full text of the analysis plan of version {version} is not the one that the plan names."
                )
            }
            Self::AmendedAfterEnrolment {
                version,
                enrolled,
                batches,
                reason_code,
            } => write!(
                f,
                "Version {version} was registered when {enrolled} participants were enrolled and {batches} batches of data anchored; stated reason: {}.",
                reason(*reason_code)
            ),
            Self::OutcomeAmended { version, difference } => {
                write!(f, "Version {version} changed the plan: {}.", described(difference))
            }
            Self::SiteDismissed {
                site,
                enrolled,
                withdrawn,
                batches,
            } => write!(
                f,
                "The sponsor has dismissed the site {site}, with {enrolled} participants enrolled, {withdrawn} of them withdrawn, and {batches} batches of data anchored."
            ),
            Self::BatchNeverAnchored { site, first, last } => {
                match first == last {
                    true => write!(f, "Batch {first} of {site} was")?,
                    false => write!(f, "Batches {first} to {last} of {site} were")?,
                }
                write!(
                    f,
                    " never anchored, though one with a higher number was, and the data are locked."
                )
            }
            Self::PeriodsOverlap { site, sequences } => write!(
                f,
                "Batches of {site} have data of a time that another one has data of: {}.",
                listed(sequences)
            ),
            Self::PeriodsReversed { site, sequences } => write!(
                f,
                "Batches of {site} have data of an earlier time than one with a lower number: {}.",
                listed(sequences)
            ),
            Self::WithoutData {
                site,
                enrolled,
                withdrawn,
                without,
                first,
            } => write!(
                f,
                "{without} of {enrolled} participants whom {site} has enrolled are in no batch of data: {} ({withdrawn} of the {enrolled} have withdrawn).",
                listed_of(first, *without as usize)
            ),
            Self::BatchMissing { site, sequence } => {
                write!(f, "Batch {sequence} of {site} was anchored and is not in the folder.")
            }
            Self::BatchNotOnChain { site, sequence } => {
                write!(f, "Batch {sequence} of {site} is in the folder and was never anchored.")
            }
            Self::BatchUnreadable { site, sequence, reason } => {
                write!(f, "Batch {sequence} of {site} is damaged: {reason}.")
            }
            Self::BatchHeaderDiffers { site, sequence } => write!(
                f,
                "The file of batch {sequence} of {site} says another trial, site, number, period, count or root than was anchored."
            ),
            Self::RowsChanged { site, sequence, rows } => write!(
                f,
                "Batch {sequence} of {site} was changed after it was anchored, in rows (from 0): {}.",
                listed(rows)
            ),
            Self::BatchChanged { site, sequence } => write!(
                f,
                "The rows of batch {sequence} of {site} are not those that were anchored; the file does not tell which were changed, moved or put in."
            ),
            Self::ParticipantsDiffer {
                site,
                sequence,
                unnamed,
                absent,
            } => {
                write!(
                    f,
                    "Batch {sequence} of {site} names other participants on chain than it has rows of"
                )?;
                if !unnamed.is_empty() {
                    write!(f, "; rows of numbers that are not named: {}", listed(unnamed))?;
                }
                if !absent.is_empty() {
                    write!(f, "; named without a row: {}", listed(absent))?;
                }
                write!(f, ".")
            }
            Self::Marked { site, sequence, flag } => {
                let what = match *flag {
                    flag::LATE => "was anchored more than 30 days after its period",
                    flag::OUT_OF_ORDER => "was anchored after one with a higher number",
                    flag::GAP => "was anchored when one with a lower number was missing",
                    _ => "has a mark that this program does not know",
                };
                write!(f, "Batch {sequence} of {site} {what}.")
            }
            Self::NotLocked => write!(
                f,
                "The data are not locked yet: more batches may come, and results cannot be anchored."
            ),
            Self::NoResults => write!(f, "The data are locked, and no results were anchored yet."),
            Self::ResultsMissing { number } => {
                write!(f, "Results {number} were anchored and are not in the folder.")
            }
            Self::ResultsNotAnchored { number } => {
                write!(f, "Results {number} are in the folder and were never anchored.")
            }
            Self::ResultsDiffer { number } => write!(f, "Results {number} are not those that were anchored."),
            Self::ResultsUnreadable { number, reason } => write!(
                f,
                "Results {number} are those that were anchored, but cannot be compared with the plan: {reason}."
            ),
            Self::ResultsOfOtherTrial { number } => write!(f, "Results {number} say that they are another trial's."),
            Self::ResultsOfOtherVersion { number } => {
                write!(f, "Results {number} say another version than they were anchored for.")
            }
            Self::ResultsOfOtherPlan { number } => {
                write!(f, "Results {number} name another analysis plan than was registered.")
            }
            Self::ResultsOfOtherData { number } => {
                write!(f, "Results {number} name other data than those that were locked.")
            }
            Self::Outcome { number, difference } => {
                write!(f, "Results {number} differ from the plan: {}.", described(difference))
            }
            Self::Corrected { number, by } => write!(f, "Results {number} were corrected later; the last are {by}."),
        }
    }
}

impl Serialize for Finding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Finding", 3)?;
        object.serialize_field("severity", self.severity().as_str())?;
        object.serialize_field("code", self.code())?;
        object.serialize_field("finding", &self.to_string())?;
        object.end()
    }
}

fn described(difference: &Difference) -> String {
    match difference {
        Difference::Missing { id, kind } => format!("the {} outcome {id} was planned and is missing", kind.as_str()),
        Difference::Added { id, kind } => format!("the {} outcome {id} was not planned", kind.as_str()),
        Difference::Switched { id, from, to } => {
            format!("outcome {id} was {} and is now {}", from.as_str(), to.as_str())
        }
        Difference::Retitled { id } => format!("outcome {id} is described in other words: compare what is measured"),
    }
}

fn reason(code: u8) -> &'static str {
    let known = amendment::ALL.iter().find(|(_, known)| *known == code);
    known.map_or("none", |(name, _)| name)
}

/// The first numbers, and how many more there are.
pub(crate) fn listed(numbers: &[u32]) -> String {
    listed_of(&numbers[..numbers.len().min(LISTED_MAX)], numbers.len())
}

/// The `first` of `all` numbers.
fn listed_of(first: &[u32], all: usize) -> String {
    let shown: Vec<String> = first.iter().map(u32::to_string).collect();
    let shown = shown.join(", ");
    match all.saturating_sub(first.len()) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
