//! Stylus programs before they run: pure functions of a module, without a chain.
//!
//! Where to start reading: [`validate`] (what is accepted), [`instrument`] (how ink and stack depth are counted), [`activate`]
//! (what it all costs). What follows Nitro, and what does not: `anvil/README.md`.
//!
//! A crate of its own, since every chain that a test starts activates all contracts: it is optimised in all profiles, and the
//! chain need not be compiled so.

pub mod activate;
pub mod imports;
pub mod instrument;
pub mod meter;
pub mod opcode;
pub mod validate;
