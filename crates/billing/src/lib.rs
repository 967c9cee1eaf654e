//! The claims ledger's half that is not on chain: what stands behind the digests, commitments and fingerprints of the `claims` contract.
//!
//! - [`amount`]: money without floats, in minor units.
//! - [`fingerprint`]: the same service has the same fingerprint, which nobody without the chart's key can guess.
//! - [`chain`]: a claim's id and the commitments to amounts, as the contract computes them.
//! - [`fhir`]: Claim, ClaimResponse and ExplanationOfBenefit (R4), read strictly and written so that they can be read.
//! - [`document`]: what is sealed to the parties, and whether it opens what stands on chain.
//! - [`signals`]: what looks like fraud, over plain rows.
//! - [`time`]: days and times as FHIR writes them.
//!
//! It must never do I/O, read a clock or draw randomness of its own (the caller passes an RNG in), compute an amount by a float, or put a
//! patient's data into an error message. It also runs in the browser.
//!
//! Start reading at [`document::ClaimDocument::check`]: it is the whole way from a sealed document to what is on chain.
#![forbid(unsafe_code)]

pub mod amount;
pub mod chain;
pub mod document;
pub mod fhir;
pub mod fingerprint;
pub mod signals;
pub mod time;

pub use amount::{Amount, AmountError, Currency};
pub use chain::{Salt, claim_id, commit_approved, commit_billed};
pub use document::{ClaimDocument, Decision, Verdict};
pub use fingerprint::{FingerprintKey, Service, fingerprint};
/// The version of `rand_core` whose `CryptoRng` this crate takes.
pub use rand_core;
