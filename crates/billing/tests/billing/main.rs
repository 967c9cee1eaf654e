//! The crate from outside: vectors, resources and their refusals, documents and the chain, signals, and validators and mutations of others.
mod claims;
mod documents;
mod fuzz;
mod responses;
mod signals;
mod support;
mod validated;
mod vectors;
