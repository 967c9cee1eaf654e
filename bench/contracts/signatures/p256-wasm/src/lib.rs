//! ECDSA over P-256 in WASM, by RustCrypto's `p256`.
#![cfg_attr(not(feature = "export-abi"), no_std)]
#![forbid(unsafe_code)]
extern crate alloc;

use alloc::{vec, vec::Vec};

use alloy_primitives::B256;
use p256::{
    Sec1Point,
    ecdsa::{Signature, VerifyingKey, signature::hazmat::PrehashVerifier},
};
use stylus_sdk::prelude::*;

#[storage]
#[entrypoint]
pub struct Verifier;

#[public]
impl Verifier {
    /// Whether (r, s) is a signature of `digest` by the key (x, y).
    pub fn verify(&self, digest: B256, r: B256, s: B256, x: B256, y: B256) -> bool {
        let point = Sec1Point::from_affine_coordinates(&x.0.into(), &y.0.into(), false);
        let key = VerifyingKey::from_sec1_point(&point);
        let signature = Signature::from_scalars(r.0, s.0);
        matches!((key, signature), (Ok(key), Ok(signature)) if key.verify_prehash(&digest.0, &signature).is_ok())
    }
}
