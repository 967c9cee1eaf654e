//! Questions that the contracts ask of each other and of the chain's precompiles, all by static call.
//!
//! Whoever is asked may revert, lie about its answer's form, or not be there: that is `None`, and it is for the caller
//! to take no answer as a no. It must never change state, nor hand on bytes that somebody else composed.
#![no_std]
#![forbid(unsafe_code)]
extern crate alloc;

use alloy_primitives::{Address, B256, U256, address, uint};
use alloy_sol_types::SolCall;
use stylus_sdk::prelude::*;

const ECRECOVER: Address = address!("0000000000000000000000000000000000000001");
/// Half of secp256k1's order: of the two signatures that fit, the one with the larger `s` is refused (EIP-2).
const S_MOST: U256 = uint!(0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0_U256);

/// What the contract at `to` answers. `None`: it failed, or what came back is not in the ABI.
pub fn ask<C: SolCall>(vm: &impl Host, to: Address, question: &C) -> Option<C::Return> {
    let data = static_call(vm, Call::new(), to, &question.abi_encode()).ok()?;
    C::abi_decode_returns_validate(&data).ok()
}

/// Who has signed `digest` with an ECDSA key on secp256k1. `signature`: r, s, v (27 or 28), with the lower s; anything
/// else is `None`, so that no two signatures say the same.
pub fn recover(vm: &impl Host, digest: B256, signature: &[u8]) -> Option<Address> {
    let [r_and_s @ .., v] = signature else { return None };
    if r_and_s.len() != 64 || !matches!(v, 27 | 28) || U256::from_be_slice(&r_and_s[32..]) > S_MOST {
        return None;
    }
    let mut input = [0; 128];
    input[..32].copy_from_slice(digest.as_slice());
    input[63] = *v;
    input[64..].copy_from_slice(r_and_s);
    let output = static_call(vm, Call::new(), ECRECOVER, &input).ok()?;
    // Nothing comes back where no key fits.
    let signer = Address::from_word(B256::try_from(output.as_slice()).ok()?);
    (!signer.is_zero()).then_some(signer)
}
