//! FHIR R4 (4.0.1) of billing: Claim, ClaimResponse, ExplanationOfBenefit.
//!
//! | | read | written | |
//! |---|---|---|---|
//! | Claim | [`Claim::read`] | [`Claim::write`] | what a provider asks for |
//! | ClaimResponse | [`ClaimResponse::read`] | [`ClaimResponse::write`] | what an insurer decides |
//! | ExplanationOfBenefit | [`Explanation::read`] | [`explanation`] | both, and what stands on chain, for the patient |
//!
//! A reader takes what R4 allows and gives what a claim is decided by; what it does not name (diagnoses, attachments, notes) stays in the bytes,
//! which are what is sealed. An ExplanationOfBenefit is sealed nowhere, and there to be compared ([`Resource`]): of it nothing is taken but what is
//! written here. A reader refuses what would make two readers disagree: properties that stand twice or that R4 does not have,
//! elements that change the meaning of others (`modifierExtension`, `implicitRules`), sums that do not add up. Numbers are read from
//! their text, never by way of a float.
//!
//! What is written is in FHIR's canonical form (R4, `json.html`), and has been read back before it is handed out. A field's text that
//! cannot stand in FHIR is refused then.
mod claim;
mod differ;
mod element;
mod explanation;
mod money;
mod read;
mod response;
pub mod system;
mod write;

pub use claim::{
    CARE_TEAM_MAX, CLAIM_BYTES_MAX, CareTeamMember, Claim, INSURANCES_MAX, ITEMS_MAX, Insurance, Item, Kind, RecordRef,
    Serviced, Use,
};
pub use element::{Coding, Identifier, Period, Reference, Status};
pub use explanation::{ChainState, Cover, EXPLANATION_BYTES_MAX, ExplainedItem, Explanation, Payment, explanation};
pub use response::{Adjudication, Category, ClaimResponse, ItemResponse, Outcome, RESPONSE_BYTES_MAX, Total};

use alloy_primitives::B256;

use crate::AmountError;

/// A resource that somebody shows about a claim on chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resource {
    Response(ClaimResponse),
    Explanation(Explanation),
}

impl Resource {
    /// Reads one by the type that it says.
    ///
    /// # Errors
    /// [`Refused`]: where, and why.
    pub fn read(bytes: &[u8]) -> Result<Self, Refused> {
        match read::resource_type(bytes, EXPLANATION_BYTES_MAX)?.as_str() {
            response::NAME => ClaimResponse::read(bytes).map(Self::Response),
            explanation::NAME => Explanation::read(bytes).map(Self::Explanation),
            _ => {
                let expected = "a ClaimResponse or an ExplanationOfBenefit";
                Err(read::refused(
                    "Resource.resourceType",
                    Fault::OtherResource { expected },
                ))
            }
        }
    }

    /// The claim on chain that it is about.
    ///
    /// # Errors
    /// [`Fault::NoClaim`].
    pub fn claim(&self) -> Result<B256, Refused> {
        let claim = match self {
            Self::Response(response) => response.request.as_ref().and_then(Reference::claim_of),
            Self::Explanation(explanation) => Some(explanation.claim),
        };
        claim.ok_or_else(|| read::refused("ClaimResponse.request", Fault::NoClaim))
    }
}

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
    #[error("the state is none of those that the ledger has")]
    State,
    #[error("this program does not write this here, so it cannot be compared: leave it out")]
    Unread,
    #[error(
        "this names no claim on chain, by an identifier of {} and 64 lower-case hex digits",
        system::CLAIM
    )]
    NoClaim,
    #[error("this names another claim")]
    OtherClaim,
    #[error("the claim has something else here")]
    OtherThanClaim,
    #[error("more is approved than billed")]
    AboveBilled,
    #[error("less is approved than billed: that has a reason of the ledger's")]
    NoReason,
    #[error("all that is billed is approved: that has no reason")]
    NeedlessReason,
    #[error("this reason is the contract's own: an insurer states another")]
    NotAnInsurers,
}
