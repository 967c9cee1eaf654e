//! What a trial planned to measure, what it reports, and where the two differ.
//!
//! Both are JSON files; their digests on chain are of the files' bytes, whatever the white space. An outcome has an id of its own in the
//! plan, which the results repeat with its title: an outcome that is measured otherwise is another outcome.

use std::collections::BTreeMap;

use alloy_primitives::B256;
use serde::{Deserialize, Serialize};

use crate::json::{self, Unreadable};

/// The largest plan or results file.
pub const FILE_BYTES_MAX: usize = 1024 * 1024;
/// Registered trials have tens of outcomes; some have hundreds.
pub const OUTCOMES_MAX: usize = 1000;
pub const ID_BYTES_MAX: usize = 64;
pub const TITLE_BYTES_MAX: usize = 1000;
pub const VALUE_BYTES_MAX: usize = 10_000;

const PLAN_FORMAT: &str = "medlock/v1/trial/plan";
const RESULTS_FORMAT: &str = "medlock/v1/trial/results";

/// What the trial stands or falls by, or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Primary,
    Secondary,
}

impl Kind {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Secondary => "secondary",
        }
    }
}

/// An outcome that is planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Planned {
    /// Letters, digits, `.`, `_`, `-`.
    pub id: String,
    /// What is measured, how and when, in one sentence.
    pub title: String,
    pub kind: Kind,
}

/// An outcome that is reported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reported {
    pub id: String,
    pub title: String,
    pub kind: Kind,
    /// What came out: effect, uncertainty, numbers analysed; or why it could not be measured.
    pub value: String,
}

/// A statistical analysis plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Digest of the plan's full text, a file beside it.
    pub document: B256,
    pub outcomes: Vec<Planned>,
}

/// Results by the plan of a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Results {
    pub trial: B256,
    pub version: u8,
    /// Digest of the plan's file.
    pub plan: B256,
    /// Over all batches, as it was locked.
    pub data: B256,
    pub outcomes: Vec<Reported>,
}

/// Why a file is no plan or no results. Outcomes count from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OutcomesError {
    #[error("the file cannot be read: {0}")]
    Unreadable(#[from] Unreadable),
    #[error("there is no outcome: a trial is done to measure something")]
    NoOutcomes,
    #[error("there are {given} outcomes, more than {OUTCOMES_MAX}")]
    TooManyOutcomes { given: usize },
    #[error("the id of outcome {index} must have 1 to {ID_BYTES_MAX} letters, digits, '.', '_' or '-'")]
    Id { index: usize },
    #[error("outcome {index} has the id of outcome {first}; give it one of its own")]
    DuplicateId { index: usize, first: usize },
    #[error("the title of outcome {index} must have 1 to {TITLE_BYTES_MAX} bytes in one line")]
    Title { index: usize },
    #[error("the value of outcome {index} must have 1 to {VALUE_BYTES_MAX} bytes in one line")]
    Value { index: usize },
}

impl Plan {
    /// # Errors
    /// [`OutcomesError`].
    pub fn read(bytes: &[u8]) -> Result<Self, OutcomesError> {
        let wire: WirePlan = json::read(bytes, FILE_BYTES_MAX)?;
        json::require_format(&wire.format, PLAN_FORMAT)?;
        let plan = Self {
            document: wire.document,
            outcomes: wire.outcomes,
        };
        require_sound(plan.outcomes.iter().map(Outcome::planned))?;
        Ok(plan)
    }

    /// The file. Its digest: [`file_digest`](crate::trial::file_digest).
    ///
    /// # Errors
    /// [`OutcomesError`].
    pub fn to_json(&self) -> Result<String, OutcomesError> {
        require_sound(self.outcomes.iter().map(Outcome::planned))?;
        Ok(json::canonical(&WirePlan {
            format: PLAN_FORMAT.to_owned(),
            document: self.document,
            outcomes: self.outcomes.clone(),
        }))
    }
}

impl Results {
    /// # Errors
    /// [`OutcomesError`].
    pub fn read(bytes: &[u8]) -> Result<Self, OutcomesError> {
        let wire: WireResults = json::read(bytes, FILE_BYTES_MAX)?;
        json::require_format(&wire.format, RESULTS_FORMAT)?;
        let results = Self {
            trial: wire.trial,
            version: wire.version,
            plan: wire.plan,
            data: wire.data,
            outcomes: wire.outcomes,
        };
        results.require_sound()?;
        Ok(results)
    }

    /// The file. Its digest: [`file_digest`](crate::trial::file_digest).
    ///
    /// # Errors
    /// [`OutcomesError`].
    pub fn to_json(&self) -> Result<String, OutcomesError> {
        self.require_sound()?;
        Ok(json::canonical(&WireResults {
            format: RESULTS_FORMAT.to_owned(),
            trial: self.trial,
            version: self.version,
            plan: self.plan,
            data: self.data,
            outcomes: self.outcomes.clone(),
        }))
    }

    fn require_sound(&self) -> Result<(), OutcomesError> {
        require_sound(self.outcomes.iter().map(Outcome::reported))?;
        let unsound = self
            .outcomes
            .iter()
            .position(|outcome| !json::is_plain(&outcome.value, VALUE_BYTES_MAX));
        match unsound {
            Some(index) => Err(OutcomesError::Value { index }),
            None => Ok(()),
        }
    }
}

/// Where outcomes are others than those before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// It was planned, and is gone.
    Missing { id: String, kind: Kind },
    /// It was not planned.
    Added { id: String, kind: Kind },
    /// Primary became secondary, or the other way round.
    Switched { id: String, from: Kind, to: Kind },
    /// The id is the same, what is measured is not.
    Retitled { id: String },
}

/// How results differ from the plan: first what was planned, in its order, then what was added.
#[must_use]
pub fn compare(plan: &Plan, results: &Results) -> Vec<Difference> {
    differences(
        plan.outcomes.iter().map(Outcome::planned),
        results.outcomes.iter().map(Outcome::reported),
    )
}

/// How a plan differs from the one before.
#[must_use]
pub fn compare_plans(before: &Plan, after: &Plan) -> Vec<Difference> {
    differences(
        before.outcomes.iter().map(Outcome::planned),
        after.outcomes.iter().map(Outcome::planned),
    )
}

/// What plans and results both say of an outcome.
#[derive(Clone, Copy)]
struct Outcome<'a> {
    id: &'a str,
    title: &'a str,
    kind: Kind,
}

impl<'a> Outcome<'a> {
    fn planned(planned: &'a Planned) -> Self {
        Self {
            id: &planned.id,
            title: &planned.title,
            kind: planned.kind,
        }
    }

    fn reported(reported: &'a Reported) -> Self {
        Self {
            id: &reported.id,
            title: &reported.title,
            kind: reported.kind,
        }
    }
}

fn differences<'a>(
    before: impl Iterator<Item = Outcome<'a>> + Clone,
    after: impl Iterator<Item = Outcome<'a>> + Clone,
) -> Vec<Difference> {
    let by_id = |outcomes: &mut dyn Iterator<Item = Outcome<'a>>| -> BTreeMap<&'a str, Outcome<'a>> {
        outcomes.map(|outcome| (outcome.id, outcome)).collect()
    };
    let (old, new) = (by_id(&mut before.clone()), by_id(&mut after.clone()));
    let mut found = Vec::new();
    for outcome in before {
        let id = outcome.id.to_owned();
        let Some(now) = new.get(outcome.id) else {
            found.push(Difference::Missing { id, kind: outcome.kind });
            continue;
        };
        if now.kind != outcome.kind {
            let (from, to) = (outcome.kind, now.kind);
            found.push(Difference::Switched {
                id: id.clone(),
                from,
                to,
            });
        }
        if now.title != outcome.title {
            found.push(Difference::Retitled { id });
        }
    }
    let added = after.filter(|outcome| !old.contains_key(outcome.id));
    found.extend(added.map(|outcome| Difference::Added {
        id: outcome.id.to_owned(),
        kind: outcome.kind,
    }));
    found
}

fn require_sound<'a>(outcomes: impl ExactSizeIterator<Item = Outcome<'a>>) -> Result<(), OutcomesError> {
    match outcomes.len() {
        0 => return Err(OutcomesError::NoOutcomes),
        1..=OUTCOMES_MAX => {}
        given => return Err(OutcomesError::TooManyOutcomes { given }),
    }
    let mut ids = BTreeMap::new();
    for (index, outcome) in outcomes.enumerate() {
        let is_id = (1..=ID_BYTES_MAX).contains(&outcome.id.len())
            && outcome
                .id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        if !is_id {
            return Err(OutcomesError::Id { index });
        }
        if let Some(first) = ids.insert(outcome.id, index) {
            return Err(OutcomesError::DuplicateId { index, first });
        }
        if !json::is_plain(outcome.title, TITLE_BYTES_MAX) {
            return Err(OutcomesError::Title { index });
        }
    }
    Ok(())
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WirePlan {
    format: String,
    document: B256,
    outcomes: Vec<Planned>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireResults {
    format: String,
    trial: B256,
    version: u8,
    plan: B256,
    data: B256,
    outcomes: Vec<Reported>,
}
