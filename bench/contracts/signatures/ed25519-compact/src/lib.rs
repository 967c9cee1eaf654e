//! Ed25519 (RFC 8032) in WASM, by `ed25519-compact`.
#![cfg_attr(not(feature = "export-abi"), no_std)]
#![forbid(unsafe_code)]
extern crate alloc;

use alloc::{vec, vec::Vec};

use alloy_primitives::B256;
use ed25519_compact::{PublicKey, Signature};
use stylus_sdk::prelude::*;

#[storage]
#[entrypoint]
pub struct Verifier;

#[public]
impl Verifier {
    /// Whether (r, s) is a signature of the 32 bytes of `digest` by `key`.
    pub fn verify(&self, digest: B256, r: B256, s: B256, key: B256) -> bool {
        let mut signature = [0; 64];
        signature[..32].copy_from_slice(&r.0);
        signature[32..].copy_from_slice(&s.0);
        PublicKey::new(key.0)
            .verify(digest.0, &Signature::new(signature))
            .is_ok()
    }
}
