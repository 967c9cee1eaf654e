//! The whole indexer against a real chain: made-up logs, mischievous nodes, the real contracts.
mod chain;
mod contracts;
mod endpoints;
mod faults;
mod left_out;
mod rebuild;
mod reliability;
#[path = "../support/mod.rs"]
mod support;
