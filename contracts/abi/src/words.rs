//! The storage of `records` and `exceptions`: where a thing's words stand, and what is in them.
//!
//! The layout is fixed once deployed. What is proved of the storage (`eth_getProof`) is read by what is said here.
pub mod exceptions;
pub mod records;

use alloy_primitives::{B256, keccak256};

/// The slot of an entry of a mapping, as Solidity has it.
fn entry(key: B256, mapping: B256) -> B256 {
    let mut input = [0; 64];
    input[..32].copy_from_slice(key.as_slice());
    input[32..].copy_from_slice(mapping.as_slice());
    keccak256(input)
}

/// The slot of a mapping that is declared as number `n`.
fn declared(n: u8) -> B256 {
    B256::with_last_byte(n)
}

/// The slot after this one, which no keccak has as its last.
fn next(slot: B256) -> B256 {
    let mut next = slot;
    for byte in next.0.iter_mut().rev() {
        *byte = byte.wrapping_add(1);
        if *byte != 0 {
            break;
        }
    }
    next
}

/// What these bytes of a word say, big-endian: at most eight of them.
pub fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}
