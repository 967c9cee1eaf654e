//! Merkle trees as RFC 9162 (section 2.1) has them, with keccak256 for the hash: the order of the leaves is proved, the last
//! leaf is not doubled, and a leaf can never pass for a node.
//!
//! The hash function is passed in, because a contract's is a host function. It must never allocate in [`verify`].
#![no_std]
#![forbid(unsafe_code)]
extern crate alloc;

use alloc::vec::Vec;

use alloy_primitives::B256;

/// Nodes in the longest proof: a tree has at most 2^32 - 1 leaves.
pub const PROOF_MOST: usize = 32;

/// The hash of a leaf whose data are these two words.
pub fn leaf_of_two(keccak: impl Fn(&[u8]) -> B256, first: B256, second: B256) -> B256 {
    hash(keccak, 0, first, second)
}

/// The hash of a leaf whose data are this word.
pub fn leaf(keccak: impl Fn(&[u8]) -> B256, data: B256) -> B256 {
    let mut input = [0; 33];
    input[1..].copy_from_slice(data.as_slice());
    keccak(&input)
}

/// Whether `proof` leads from the leaf hash number `index` of `count` to `root` (RFC 9162, 2.1.3.2).
pub fn verify(
    keccak: impl Fn(&[u8]) -> B256,
    root: B256,
    count: u32,
    index: u32,
    leaf_hash: B256,
    proof: &[B256],
) -> bool {
    if index >= count {
        return false;
    }
    let (mut node, mut last, mut hash_so_far) = (index, count - 1, leaf_hash);
    for sibling in proof {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            hash_so_far = hash(&keccak, 1, *sibling, hash_so_far);
            // A node at the right edge without a sibling rises to the level where it has one.
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash_so_far = hash(&keccak, 1, hash_so_far, *sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && hash_so_far == root
}

/// The root over leaf hashes in their order. `None`: no leaves.
pub fn root(keccak: impl Fn(&[u8]) -> B256, leaf_hashes: &[B256]) -> Option<B256> {
    let mut level = leaf_hashes.to_vec();
    while level.len() > 1 {
        level = parents(&keccak, &level);
    }
    level.first().copied()
}

/// The siblings from leaf `index` up to the root. `None`: no such leaf.
pub fn proof(keccak: impl Fn(&[u8]) -> B256, leaf_hashes: &[B256], index: usize) -> Option<Vec<B256>> {
    Tree::new(keccak, leaf_hashes).proof(index)
}

/// All levels over leaf hashes in their order: whoever wants many proofs hashes once.
pub struct Tree(Vec<Vec<B256>>);

impl Tree {
    pub fn new(keccak: impl Fn(&[u8]) -> B256, leaf_hashes: &[B256]) -> Self {
        let mut levels = Vec::new();
        let mut level = leaf_hashes.to_vec();
        while level.len() > 1 {
            let above = parents(&keccak, &level);
            levels.push(level);
            level = above;
        }
        levels.push(level);
        Self(levels)
    }

    /// As [`root`] has it.
    pub fn root(&self) -> Option<B256> {
        self.0.last()?.first().copied()
    }

    /// As [`proof`] has it.
    pub fn proof(&self, index: usize) -> Option<Vec<B256>> {
        let (root, levels) = self.0.split_last()?;
        let leaf_hashes = levels.first().unwrap_or(root);
        leaf_hashes.get(index)?;
        let siblings = levels.iter().enumerate();
        Some(
            siblings
                .filter_map(|(height, level)| level.get((index >> height) ^ 1).copied())
                .collect(),
        )
    }
}

/// The level above; what has no sibling rises as it is.
fn parents(keccak: &impl Fn(&[u8]) -> B256, level: &[B256]) -> Vec<B256> {
    level
        .chunks(2)
        .map(|pair| match *pair {
            [left, right] => hash(keccak, 1, left, right),
            _ => pair[0],
        })
        .collect()
}

/// `kind` 0: leaf, 1: node.
fn hash(keccak: impl Fn(&[u8]) -> B256, kind: u8, left: B256, right: B256) -> B256 {
    let mut input = [0; 65];
    input[0] = kind;
    input[1..33].copy_from_slice(left.as_slice());
    input[33..].copy_from_slice(right.as_slice());
    keccak(&input)
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{U256, keccak256};
    use proptest::prelude::*;

    use super::*;

    fn keccak(bytes: &[u8]) -> B256 {
        keccak256(bytes)
    }

    /// Words that stand for leaf hashes: a tree does not care where they come from, and keccak takes 50 microseconds here.
    fn leaves(count: u32) -> Vec<B256> {
        (0..count).map(|n| B256::from(U256::from(n))).collect()
    }

    /// RFC 9162, 2.1.1, word for word: split at the largest power of two below the number of leaves.
    fn root_by_definition(leaves: &[B256]) -> B256 {
        match leaves {
            [one] => *one,
            _ => {
                let split = leaves.len().next_power_of_two() / 2;
                let (left, right) = leaves.split_at(split);
                hash(keccak, 1, root_by_definition(left), root_by_definition(right))
            }
        }
    }

    #[test]
    fn roots_are_those_of_the_definition() {
        assert_eq!(root(keccak, &[]), None);
        for count in 1..40 {
            let leaves = leaves(count);
            assert_eq!(
                root(keccak, &leaves),
                Some(root_by_definition(&leaves)),
                "{count} leaves"
            );
        }
    }

    #[test]
    fn every_leaf_is_proved_at_its_own_place_and_at_no_other() {
        // Every shape up to five levels, and a larger one.
        for count in (1..=17).chain([33]) {
            let leaves = leaves(count);
            let root = root(keccak, &leaves).unwrap();
            for index in 0..count {
                let proof = proof(keccak, &leaves, index as usize).unwrap();
                assert!(proof.len() <= PROOF_MOST);
                for place in 0..count + 2 {
                    let verified = verify(keccak, root, count, place, leaves[index as usize], &proof);
                    assert_eq!(verified, place == index, "leaf {index} of {count} at {place}");
                }
            }
            assert_eq!(proof(keccak, &leaves, count as usize), None);
        }
    }

    #[test]
    fn leaves_and_nodes_are_hashed_with_their_prefixes() {
        let [left, right] = [B256::repeat_byte(1), B256::repeat_byte(2)];
        assert_eq!(leaf(keccak, left), keccak256([&[0], &left[..]].concat()));
        let data = [&left[..], &right[..]].concat();
        assert_eq!(leaf_of_two(keccak, left, right), keccak256([&[0], &data[..]].concat()));
        assert_eq!(
            root(keccak, &[left, right]),
            Some(keccak256([&[1], &data[..]].concat()))
        );
    }

    #[test]
    fn a_node_never_passes_for_a_leaf() {
        let leaves = leaves(4);
        let root = root(keccak, &leaves).unwrap();
        let node = hash(keccak, 1, leaves[0], leaves[1]);
        let other = hash(keccak, 1, leaves[2], leaves[3]);
        // The tree of two leaves that are really nodes has the same root only without the leaf's prefix.
        assert!(!verify(keccak, root, 2, 0, leaf(keccak, node), &[other]));
        assert_ne!(leaf_of_two(keccak, leaves[0], leaves[1]), node);
    }

    proptest! {
        // Each case hashes two trees.
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn a_changed_proof_proves_nothing(count in 1..130u32, pick: u32, at: usize, bit in 0..256usize, extra: [u8; 32]) {
            let leaves = leaves(count);
            let index = pick % count;
            let root = root(keccak, &leaves).unwrap();
            let leaf = leaves[index as usize];
            let proof = proof(keccak, &leaves, index as usize).unwrap();
            prop_assert!(verify(keccak, root, count, index, leaf, &proof));
            let tree = Tree::new(keccak, &leaves);
            prop_assert_eq!(tree.root(), Some(root));
            prop_assert_eq!(tree.proof(index as usize), Some(proof.clone()));
            let mut longer = proof.clone();
            longer.push(B256::from(extra));
            prop_assert!(!verify(keccak, root, count, index, leaf, &longer));
            if !proof.is_empty() {
                prop_assert!(!verify(keccak, root, count, index, leaf, &proof[1..]));
                let mut changed = proof.clone();
                let at = at % changed.len();
                changed[at].0[bit / 8] ^= 1 << (bit % 8);
                prop_assert!(!verify(keccak, root, count, index, leaf, &changed));
            }
        }
    }
}
