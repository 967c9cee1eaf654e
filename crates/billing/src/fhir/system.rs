//! The names of code systems, identifier systems and extensions of billing: HL7's, and Medlock's own beside those of the facade.

pub use medlock_fhir::facade::system::{RECORD, URI};

pub const CLAIM_TYPE: &str = "http://terminology.hl7.org/CodeSystem/claim-type";
pub const PRIORITY: &str = "http://terminology.hl7.org/CodeSystem/processpriority";
pub const INFORMATION_CATEGORY: &str = "http://terminology.hl7.org/CodeSystem/claiminformationcategory";
pub const CARE_TEAM_ROLE: &str = "http://terminology.hl7.org/CodeSystem/claimcareteamrole";
pub const ADJUDICATION: &str = "http://terminology.hl7.org/CodeSystem/adjudication";
pub const PAYMENT_TYPE: &str = "http://terminology.hl7.org/CodeSystem/ex-paymenttype";

/// Identifiers of claims on chain: 64 lower-case hex digits.
pub const CLAIM: &str = "urn:medlock:fhir:claim";
/// Codes: the names of `terms::claim_reason`.
pub const CLAIM_REASON: &str = "urn:medlock:fhir:claim-reason";
/// ExplanationOfBenefit: the state on chain, a name of `terms::claim_state`.
pub const EXTENSION_CLAIM_STATE: &str = "urn:medlock:fhir:extension:claim-state";
/// ExplanationOfBenefit: why the chain's last decision or reversal was, a Coding of [`CLAIM_REASON`].
pub const EXTENSION_CLAIM_REASON: &str = "urn:medlock:fhir:extension:claim-reason";
