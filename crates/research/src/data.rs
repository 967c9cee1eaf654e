//! `data`: the hash over all batches of a trial, in the order in which they were anchored.

use alloy_primitives::{Address, B256, U256, keccak256};

/// What `data` says of one batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    pub site: Address,
    pub sequence: u32,
    pub root: B256,
}

/// keccak256 of (`previous`, site, sequence, root), a word each; `previous` is zero before the first.
#[must_use]
pub fn chain(previous: B256, link: Link) -> B256 {
    let sequence = B256::from(U256::from(link.sequence));
    keccak256([previous, link.site.into_word(), sequence, link.root].concat())
}

/// After all of these; zero where there are none.
#[must_use]
pub fn chain_all(links: impl IntoIterator<Item = Link>) -> B256 {
    links.into_iter().fold(B256::ZERO, chain)
}
