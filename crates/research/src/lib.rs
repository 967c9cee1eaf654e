//! Clinical trials, off chain: what the digests on the ledger (`ITrials`) are digests of, and the check that what a sponsor published is
//! what was anchored.
//!
//! | on chain | here |
//! |---|---|
//! | `registration`, `trial`, and a version's three digests | [`trial`] |
//! | the `document` of a consent | [`consent`] |
//! | `root`, `count`, `participants` of a batch | [`batch`], [`participants`] |
//! | `data`, over all batches | [`data`] |
//! | `plan`, `results` | [`results`] |
//! | all of it, as facts | [`chain`] |
//! | what only the log tells of it | [`events`] |
//!
//! It must never do I/O, read a clock or draw random numbers, and never put a participant's data into an error or a finding: those name
//! files, lines, rows and the numbers that stand on chain.
//!
//! Start reading at [`verify()`], then `batch.rs`. FHIR's resources for trials are in [`fhir`].
#![forbid(unsafe_code)]

pub mod batch;
pub mod chain;
pub mod consent;
pub mod data;
pub mod events;
pub mod fhir;
mod finding;
pub mod folder;
mod json;
pub mod participants;
pub mod results;
mod sites;
pub mod trial;
mod verify;

pub use finding::{Document, Finding, Severity};
pub use json::Unreadable;
pub use verify::{Checked, Report, verify};
