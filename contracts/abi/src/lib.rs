//! The ABI of Medlock's contracts: the only copy, used by the contracts and by every service.
//!
//! - [`registry`]: parties, credentials, encryption keys.
//! - [`records`]: charts, pointers, grants, decisions.
//! - [`exceptions`]: rules for single records, delegates, broken glass.
//! - [`relay`]: operations signed off chain, submitted by anyone.
//! - [`link`]: the addresses that are constants of the code.
//! - [`audit`]: anchors of read receipts.
//! - [`claims`]: claims, their adjudication and payment.
//! - [`supply`]: batches of drugs, their custody, recalls.
//! - [`trials`]: clinical trials: plans, consents, data, results.
//! - [`signed`]: EIP-712 statements signed off chain about what stands on chain.
//! - [`terms`]: roles, purposes, actions, reasons: the numbers behind the names.
//! - [`words`]: where a thing stands in the contracts' storage, and how it is packed.
//!
//! Times are UNIX seconds; the contracts store them in 40 bits and refuse what does not fit.
//! It must never hold logic that a contract and a service could disagree about; what both must do alike
//! ([`terms::reason::combine`]) stands here once.
#![no_std]
#![forbid(unsafe_code)]
// `sol!` generates constructors with one argument for each field of an event.
#![allow(clippy::too_many_arguments)]
extern crate alloc;

pub mod audit;
pub mod claims;
pub mod exceptions;
pub mod link;
pub mod records;
pub mod registry;
pub mod relay;
pub mod signed;
pub mod supply;
pub mod terms;
pub mod trials;
pub mod words;
