//! FHIR R4 (4.0.1) of billing: Claim, ClaimResponse, ExplanationOfBenefit.
//!
//! | | read | written | |
//! |---|---|---|---|
//! | Claim | [`Claim::read`] | [`Claim::write`] | what a provider asks for |
//! | ClaimResponse | [`ClaimResponse::read`] | [`ClaimResponse::write`] | what an insurer decides |
//! | ExplanationOfBenefit | | [`explanation`] | both, and what stands on chain, for the patient |
//!
//! A reader takes what R4 allows and gives what a claim is decided by; what it does not name (diagnoses, care teams, attachments) stays in the bytes,
//! which are what is sealed. It refuses what would make two readers disagree: properties that stand twice or that R4 does not have,
//! elements that change the meaning of others (`modifierExtension`, `implicitRules`), sums that do not add up. Numbers are read from
//! their text, never by way of a float.
//!
//! What is written is in FHIR's canonical form (R4, `json.html`), and has been read back before it is handed out. A field's text that
//! cannot stand in FHIR is refused then.
mod claim;
mod element;
mod explanation;
mod money;
mod read;
mod response;
pub mod system;
mod write;

pub use claim::{CLAIM_BYTES_MAX, Claim, INSURANCES_MAX, ITEMS_MAX, Insurance, Item, Kind, RecordRef, Serviced, Use};
pub use element::{Coding, Identifier, Period, Reference, Status};
pub use explanation::{ChainState, explanation};
pub use response::{Adjudication, Category, ClaimResponse, ItemResponse, Outcome, RESPONSE_BYTES_MAX, Total};

use crate::AmountError;

/// A resource that was refused: where, and why. Nothing of what it holds is repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {fault}")]
pub struct Refused {
    /// FHIRPath of the element, as in `Claim.item[2].net`.
    pub path: String,
    pub fault: Fault,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("this is no JSON text")]
    NotJson,
    #[error("the resource has more than {bytes_max} bytes")]
    TooLarge { bytes_max: usize },
    #[error("this is another resource than {expected}")]
    OtherResource { expected: &'static str },
    #[error("the element is required and absent")]
    Missing,
    #[error("the element has to be {expected}")]
    Type { expected: &'static str },
    #[error("FHIR has no empty texts, lists or objects: leave the element out")]
    Empty,
    #[error("this stands here twice")]
    Twice,
    #[error("a property stands here that R4 does not have in this place")]
    NotR4,
    #[error("the element changes what others mean, and what it says is not known here: leave it out")]
    Modifier,
    #[error("the code is none of {allowed:?}")]
    Code { allowed: &'static [&'static str] },
    #[error("this is no time as R4 writes them: 2026, 2026-05, 2026-05-03 or 2026-05-03T10:00:00Z")]
    Time,
    #[error("the period ends before it begins")]
    Backwards,
    #[error("there are more than {most}")]
    TooMany { most: usize },
    #[error(transparent)]
    Money(#[from] AmountError),
    #[error("all amounts of a claim are in one currency, that of its total")]
    TwoCurrencies,
    #[error("the items do not add up to this")]
    Sum,
    #[error("this is not quantity times unit price times factor")]
    Product,
    #[error("there is neither a net amount nor a unit price from which an exact one follows")]
    NoNet,
    #[error("a claim has at least one item")]
    NoItem,
    #[error("this number stands twice")]
    Sequence,
    #[error("exactly one coverage is the one that the claim is judged by")]
    Focal,
    #[error("the reason is none of those that the ledger has")]
    Reason,
}
