//! FHIR R4, from both sides of the encryption.
//!
//! **Content**, which only clients see: a clinic imports a Bundle; Medlock keeps
//! each resource as a record of its own, in the compartment that fits it.
//! [`split`] finds the resources, tells what each of them is, and keeps what stands
//! between them, so that an export equals the import byte for byte. HL7 v2
//! messages ([`hl7v2`]) and DICOM files ([`dicom`]) are kept whole; their headers
//! tell what they are.
//!
//! **What a server may know** ([`facade`]): grants, versions and read receipts as
//! Consent, DocumentReference, Provenance and AuditEvent, and how they are searched.
//!
//! It must never rewrite a resource (the precision of a decimal is part of its
//! value, FHIR R4 section 2.24.0.1), never do I/O, and never put a patient's data
//! into an error message. In doubt it calls a resource sensitive.
//!
//! Start reading at [`split`], then `label.rs` (which compartment) and
//! `sensitive.rs` (what is held back); of the server's side at [`facade`].
#![forbid(unsafe_code)]

mod bundle;
mod describe;
pub mod dicom;
pub mod facade;
pub mod hl7v2;
mod json;
mod label;
mod release;
mod sensitive;

pub use bundle::{Bundle, Entry, Form, Frame, is_resource, join, split, split_any};
pub use label::{Label, UnknownLabel};
pub use sensitive::Topic;

/// The media type of a resource.
pub const MEDIA_TYPE: &str = "application/fhir+json";

/// The largest Bundle: it is held in memory, and a longer history belongs into several.
pub const BUNDLE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The largest number of entries in a Bundle: each becomes a record on chain.
pub const ENTRIES_MAX: usize = 100_000;
/// The deepest nesting of objects and lists. Real resources stay under 30.
pub const DEPTH_MAX: usize = 100;

/// Why a Bundle was not taken. Says what to do, and repeats no content.
///
/// `index` counts entries from 0.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error(
        "the file has {bytes} bytes, more than the {bytes_max} that one Bundle may have; export it in several Bundles, for instance by year"
    )]
    TooLarge { bytes: usize, bytes_max: usize },
    #[error("the file is empty; choose a FHIR R4 Bundle in JSON")]
    NoBytes,
    #[error(
        "the file begins with a byte order mark, which JSON must not (RFC 8259, section 8.1); save it as UTF-8 without"
    )]
    ByteOrderMark,
    #[error("the file is XML; export the Bundle as JSON (application/fhir+json)")]
    Xml,
    #[error(
        "the file is not JSON (line {line}, column {column}); choose a FHIR R4 Bundle in JSON, neither compressed nor one resource per line"
    )]
    NotJson { line: usize, column: usize },
    #[error("the JSON is nested more than {depth_max} levels deep, which no FHIR resource is; have the source checked")]
    TooDeep { depth_max: usize },
    #[error(
        "the file is JSON but not an object; choose a FHIR R4 Bundle, which begins with {{\"resourceType\": \"Bundle\""
    )]
    NotAnObject,
    #[error("the file is {found}, not a Bundle; wrap the resource in a Bundle of type collection")]
    NotABundle { found: String },
    #[error("the Bundle is not built as FHIR R4 states (line {line}, column {column}); check it with a FHIR validator")]
    Malformed { line: usize, column: usize },
    #[error("{found}; Medlock takes FHIR R4 (4.0.1 or 4.3.0): export it as R4, or convert it first")]
    NotR4 { index: Option<usize>, found: String },
    #[error("the Bundle has no entries: there is nothing to import")]
    Empty,
    #[error("the Bundle has {entries} entries, more than {entries_max}; export it in several Bundles")]
    TooManyEntries { entries: usize, entries_max: usize },
    #[error("entry {index} has no resource; export the resources themselves, not links or deletions")]
    NoResource { index: usize },
    #[error("the resource of entry {index} does not name its resourceType; check it with a FHIR validator")]
    NoResourceType { index: usize },
    #[error(
        "the resource of entry {index} has a property twice, so that two readers could read it differently; have the source corrected"
    )]
    DuplicateProperty { index: usize },
    #[error(
        "entries {first} and {second} have the same fullUrl, so that references to it are ambiguous; remove one of them"
    )]
    DuplicateFullUrl { first: usize, second: usize },
    #[error(
        "entries {first} and {second} have the same type and id and no fullUrl, so that references to them are ambiguous; remove one of them"
    )]
    DuplicateId { first: usize, second: usize },
    #[error("the frame has places for {expected} resources but {got} were given; fetch all of them before exporting")]
    Count { expected: usize, got: usize },
    #[error("this is not a Bundle frame of version 1")]
    NotAFrame,
}
