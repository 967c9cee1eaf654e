//! ECDSA over P-256 by the precompile of RIP-7212 and EIP-7951 at address 0x100.
#![cfg_attr(not(feature = "export-abi"), no_std)]
#![forbid(unsafe_code)]
extern crate alloc;

use alloc::{vec, vec::Vec};

use alloy_primitives::{Address, B256, address};
use alloy_sol_types::SolValue;
use stylus_sdk::{call::static_call, prelude::*};

const P256VERIFY: Address = address!("0000000000000000000000000000000000000100");

#[storage]
#[entrypoint]
pub struct Verifier;

#[public]
impl Verifier {
    /// Whether (r, s) is a signature of `digest` by the key (x, y).
    pub fn verify(&self, digest: B256, r: B256, s: B256, x: B256, y: B256) -> bool {
        let input = (digest, r, s, x, y).abi_encode();
        let answer = static_call(self.vm(), Call::new(), P256VERIFY, &input);
        // Nothing where the signature is bad, and also where there is no such precompile.
        answer.is_ok_and(|word| word == B256::with_last_byte(1).as_slice())
    }
}
