//! Roots of tries computed from nothing but their leaves, by alloy's trie and not by ours.

use alloy::primitives::{B256, U256, keccak256};
use alloy_trie::{EMPTY_ROOT_HASH, HashBuilder, Nibbles};

/// The root of a trie with these leaves: hashed key and encoded value.
pub fn trie_root(mut leaves: Vec<(B256, Vec<u8>)>) -> B256 {
    if leaves.is_empty() {
        return EMPTY_ROOT_HASH;
    }
    leaves.sort();
    let mut builder = HashBuilder::default();
    for (key, value) in leaves {
        builder.add_leaf(Nibbles::unpack(key), &value);
    }
    builder.root()
}

/// The root of an account's storage with these slots, none of them zero.
pub fn storage_root(slots: Vec<(U256, U256)>) -> B256 {
    let leaves = slots
        .into_iter()
        .map(|(slot, value)| (keccak256(B256::from(slot)), alloy_rlp::encode(value)));
    trie_root(leaves.collect())
}
