//! Ed25519 (RFC 8032) in WASM, by `ed25519-dalek`.
#![cfg_attr(not(feature = "export-abi"), no_std)]
#![forbid(unsafe_code)]
extern crate alloc;

use alloc::{vec, vec::Vec};

use alloy_primitives::B256;
use ed25519_dalek::{Signature, VerifyingKey};
use stylus_sdk::prelude::*;

#[storage]
#[entrypoint]
pub struct Verifier;

#[public]
impl Verifier {
    /// Whether (r, s) is a signature of the 32 bytes of `digest` by `key`.
    pub fn verify(&self, digest: B256, r: B256, s: B256, key: B256) -> bool {
        let signature = Signature::from_components(r.0, s.0);
        // Strict: a key of small order would sign everything.
        VerifyingKey::from_bytes(&key.0).is_ok_and(|key| key.verify_strict(&digest.0, &signature).is_ok())
    }
}
