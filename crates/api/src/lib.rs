//! What goes over the wire between a gateway and its clients, and the two statements a client signs for it.
//!
//! - [`types`]: request and response bodies. Hashes, ids, addresses and signatures are `0x` hex strings, times
//!   are UNIX seconds, purposes and actions are their names, compartments are lists of numbers.
//! - [`claims`]: those of the claims ledger's routes.
//! - [`supply`], [`trials`]: those of the other ledgers'.
//! - [`problem`]: error bodies (RFC 9457) with stable types.
//! - [`siwe`]: the sign-in message (EIP-4361).
//! - [`relay`]: signed operations, and where they stand.
//! - [`receipt`]: read receipts on the wire, their EIP-712 digest, and the hash chain of a gateway.
//! - [`account`]: signatures of accounts that are contracts (EIP-1271, EIP-6492).
//!
//! It must never do I/O, read a clock, draw random numbers or hold a key; it builds for wasm32.
//! With the feature `openapi` every body has a utoipa schema. Start reading at [`types`].
#![forbid(unsafe_code)]

/// Declares a body: the derives that all of them share.
macro_rules! body {
    ($($(#[$meta:meta])* pub struct $name:ident { $($fields:tt)* })*) => {$(
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        $(#[$meta])*
        pub struct $name { $($fields)* }
    )*};
}

pub mod account;
pub mod claims;
pub mod problem;
pub mod receipt;
pub mod relay;
pub mod siwe;
pub mod supply;
pub mod terms;
pub mod trials;
pub mod types;

#[cfg(feature = "openapi")]
pub mod schema;

pub use problem::{Kind, Problem};
pub use receipt::{ReadAnchor, ReadEntry, ReadRequest, Receipt};
pub use relay::{Operation, RelayState, Statement};
pub use terms::{Action, Actions, Compartments, Purpose, Purposes, Roles};
pub use types::*;

/// Response headers of an envelope: where the decision was taken, and why. Two request headers.
pub mod header {
    /// Number of the block whose state was consulted, decimal.
    pub const BLOCK: &str = "medlock-block";
    /// Hash of that block, `0x` hex.
    pub const BLOCK_HASH: &str = "medlock-block-hash";
    /// The reason of the decision, as text (`medlock_abi::terms::reason::text`).
    pub const REASON: &str = "medlock-reason";
    /// Of `POST /v1/relay/operations`: a name of the caller's own for this submission.
    pub const IDEMPOTENCY_KEY: &str = "idempotency-key";
    /// Of whatever reads: the organisation that the caller acts for, as its member.
    pub const ORGANISATION: &str = "medlock-organisation";
}

/// Media types of bodies that are not JSON.
pub mod media_type {
    /// One dag-cbor block: an envelope, a directory, a keyring.
    pub const DAG_CBOR: &str = "application/vnd.ipld.dag-cbor";
    /// A CAR v1 stream.
    pub const CAR: &str = "application/vnd.ipld.car";
    pub const PROBLEM: &str = "application/problem+json";
}
