//! The crate from outside: what it writes it reads, what was altered it names, and strangers' input does it no harm.

mod batches;
mod chains;
mod consents;
mod events;
mod fhir;
mod fuzz;
mod names;
mod outcomes;
mod support;
mod verifying;
