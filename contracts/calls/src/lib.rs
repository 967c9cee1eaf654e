//! Questions that the contracts ask of each other, of their callers' accounts and of the chain's precompiles, all by static call.
//!
//! Whoever is asked may revert, lie about its answer's form, or not be there: that is `None` or `false`, and it is for
//! the caller to take no answer as a no. It must never change state, nor hand on bytes that somebody else composed
//! (but a signature, to the account that is said to have given it).
//!
//! An answer may be long, up to what its gas pays for; the memory that it takes is paid for by whoever sent the transaction.
#![no_std]
#![forbid(unsafe_code)]
extern crate alloc;

use alloy_primitives::{Address, B256, Bytes, U256, address, b256, uint};
use alloy_sol_types::{SolCall, sol};
use stylus_sdk::prelude::*;

const ECRECOVER: Address = address!("0000000000000000000000000000000000000001");
const SHA256: Address = address!("0000000000000000000000000000000000000002");
/// RIP-7212 (and EIP-7951): P-256. Arbitrum has it since ArbOS 30.
const P256_VERIFY: Address = address!("0000000000000000000000000000000000000100");

/// Half of secp256k1's order: of the two signatures that fit, the one with the larger `s` is refused (EIP-2).
const S_MOST: U256 = uint!(0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0_U256);

/// What an account may spend on one signature: several owners with passkeys where the precompile is, or one P-256 check in plain
/// EVM code where it is not, fit; and nobody who relays can be made to pay for more.
pub const SIGNATURE_GAS_MOST: u64 = 200_000;
/// The selector of `isValidSignature`, as a `bytes4` fills a word.
const MAGIC: B256 = b256!("1626ba7e00000000000000000000000000000000000000000000000000000000");

sol! {
    /// EIP-1271.
    function isValidSignature(bytes32 digest, bytes calldata signature) external view returns (bytes4 magic);
}

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

/// Whether the contract at `account` confirms that it has signed `digest` (EIP-1271): within [`SIGNATURE_GAS_MOST`], with
/// the magic value in exactly one word. All else is a no: a revert, another length, bytes behind the magic value.
///
/// The account has less than that to spend where the transaction does not carry as much (all but a 64th of what is left is handed
/// on), so whoever sends the transaction can turn a yes into a no: a no must end in a revert that leaves nothing behind.
pub fn is_valid_signature(vm: &impl Host, account: Address, digest: B256, signature: Bytes) -> bool {
    let question = isValidSignatureCall { digest, signature };
    static_call(vm, Call::new().gas(SIGNATURE_GAS_MOST), account, &question.abi_encode())
        .is_ok_and(|answer| answer == MAGIC.as_slice())
}

/// `None`: the precompile failed, for want of gas.
pub fn sha256(vm: &impl Host, data: &[u8]) -> Option<B256> {
    let output = static_call(vm, Call::new(), SHA256, data).ok()?;
    B256::try_from(output.as_slice()).ok()
}

/// Whether `r`, `s` is a signature over the hash with the P-256 key `x`, `y`. The precompile answers with a word that is 1, or
/// not at all; where a chain does not have it, the call finds an empty account and succeeds without an answer: a no.
/// Both `s` and the curve's order less `s` are a signature; who cares must refuse one.
pub fn p256_verify(vm: &impl Host, hash: B256, r: B256, s: B256, x: B256, y: B256) -> bool {
    let input = [hash, r, s, x, y].concat();
    static_call(vm, Call::new(), P256_VERIFY, &input).is_ok_and(|answer| answer == B256::with_last_byte(1).as_slice())
}
