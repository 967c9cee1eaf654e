//! What `multihash` 0.17 and `multiaddr` 0.17 (libraries of `ipfs-api-prelude`) use of the crate `core2`, all of whose
//! versions are yanked: with std it re-exports std's modules, and so do we. Goes when they go (ADR 12).
#![forbid(unsafe_code)]

pub use std::{error, io};
