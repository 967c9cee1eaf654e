//! ECDSA over secp256k1 by the precompile at address 1, which recovers the signer.
#![cfg_attr(not(feature = "export-abi"), no_std)]
#![forbid(unsafe_code)]
extern crate alloc;

use alloc::{vec, vec::Vec};

use alloy_primitives::{Address, B256, U256, address};
use alloy_sol_types::SolValue;
use stylus_sdk::{call::static_call, prelude::*};

const ECRECOVER: Address = address!("0000000000000000000000000000000000000001");

#[storage]
#[entrypoint]
pub struct Verifier;

#[public]
impl Verifier {
    /// Whether `signer` signed `digest`; `v` is 27 or 28.
    pub fn verify(&self, digest: B256, v: u8, r: B256, s: B256, signer: Address) -> bool {
        let input = (digest, U256::from(v), r, s).abi_encode();
        let answer = static_call(self.vm(), Call::new(), ECRECOVER, &input);
        // Nothing where no key fits; the zero address is nobody.
        answer.is_ok_and(|word| !signer.is_zero() && word == signer.into_word().as_slice())
    }
}
