//! What Medlock's chain and gateways know, as FHIR R4 (4.0.1) resources, and the one resource that is taken: a Consent
//! that stands for a grant to be signed.
//!
//! | Medlock | FHIR | here |
//! |---|---|---|
//! | grant, with its rules | Consent | [`consent()`], [`read_grant`] |
//! | a grant that is signed, or to be | Consent | [`operation_consent`], [`read_operation`] |
//! | emergency access, rules for everybody | Consent | [`standing_consent`] |
//! | version of a record | DocumentReference, Provenance | [`document_reference`], [`provenance()`] |
//! | read receipt | AuditEvent | [`audit_event`] |
//! | chart | Patient, a pseudonym | [`patient()`] |
//!
//! Facts go in as plain numbers and bytes ([`facts`]), resources come out as [`serde_json::Value`]; [`to_json`] gives the
//! same bytes for the same facts in every build. Queries and what a server claims of itself: [`search`], [`capability`].
//! `docs/fhir.md` is the page for those who read the resources.
//!
//! It must never say of a compartment what is in it (a gateway does not know), and never widen: where an absent element
//! would mean "any" to a reader of FHIR, none is left out.
mod audit;
mod capability;
mod codes;
mod consent;
mod document;
mod element;
pub mod facts;
mod outcome;
mod patient;
mod provenance;
pub mod search;
pub mod system;
pub mod time;

pub use audit::audit_event;
pub use capability::capability_statement;
pub use consent::{
    CONSENT_BYTES_MAX, Empty, Operation, SIGNATURE_BYTES_MAX, consent, operation_consent, read_grant, read_operation,
    standing_consent,
};
pub use document::document_reference;
pub use element::bytes32;
pub use outcome::{Code, Issue, Outcome, Severity};
pub use patient::patient;
pub use provenance::provenance;

use serde_json::Value;

/// The release that all resources are of.
pub const FHIR_VERSION: &str = "4.0.1";

/// Whose resources they are: the server, and the deployment it speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// The FHIR endpoint, absolute, without a slash at the end: `https://gateway.example/fhir`.
    pub base: String,
    /// The gateway's own endpoint, where payloads are: `https://gateway.example`.
    pub gateway: String,
    pub chain_id: u64,
    /// The `records` contract.
    pub records: facts::Account,
}

/// The resource as JSON in FHIR's canonical form (R4, `json.html`, "Canonical JSON"): properties in alphabetical order, no whitespace.
#[must_use]
pub fn to_json(mut resource: Value) -> String {
    resource.sort_all_objects();
    resource.to_string()
}
