//! A persistent Merkle Patricia trie (Ethereum Yellow Paper, appendix D).
//!
//! Every version of the trie stays valid: a write copies those nodes on the path to the root that another version
//! shares, and changes the others in place. A block's state is therefore one pointer, a snapshot is a clone, and what
//! only dropped blocks used is freed with them.
//! Node hashes are computed when first asked for and kept, so a root costs only the paths that changed.
//!
//! Keys are 32-byte hashes (the "secure" trie of Ethereum), so no key is a prefix of another and a branch never
//! holds a value.

use std::sync::{Arc, OnceLock};

use alloy::primitives::{B256, Bytes, b256, keccak256};
use alloy_rlp::{Encodable, Header};

/// keccak256 of the RLP of the empty string: the root of a trie without entries.
pub const EMPTY_ROOT: B256 = b256!("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421");

const NIBBLES: usize = 64;

/// What a leaf holds: it knows its bytes in the trie.
pub trait Leaf: Clone {
    /// Appends the leaf's RLP, as Ethereum's state trie stores it.
    fn encode_leaf(&self, out: &mut Vec<u8>);
}

/// One version of a trie. Cloning is one reference count.
#[derive(Debug)]
pub struct Trie<V> {
    root: Option<Arc<Node<V>>>,
}

#[derive(Clone, Debug)]
struct Node<V> {
    kind: Kind<V>,
    /// The node's RLP if it is shorter than 32 bytes, else the hash of it: what a parent embeds.
    reference: OnceLock<Reference>,
}

#[derive(Clone, Debug)]
enum Kind<V> {
    /// The path is what remains of `key` below the leaf's depth.
    Leaf {
        key: B256,
        value: V,
    },
    Extension {
        path: Vec<u8>,
        child: Arc<Node<V>>,
    },
    Branch {
        children: Box<[Option<Arc<Node<V>>>; 16]>,
    },
}

#[derive(Clone, Debug)]
enum Reference {
    Inline(Vec<u8>),
    Hash(B256),
}

impl<V> Clone for Trie<V> {
    fn clone(&self) -> Self {
        Self {
            root: self.root.clone(),
        }
    }
}

impl<V> Default for Trie<V> {
    fn default() -> Self {
        Self { root: None }
    }
}

impl<V: Leaf> Trie<V> {
    /// The value under `key`.
    pub fn get(&self, key: &B256) -> Option<&V> {
        let mut node = self.root.as_deref()?;
        let mut depth = 0;
        loop {
            match &node.kind {
                Kind::Leaf { key: found, value } => return (found == key).then_some(value),
                Kind::Extension { path, child } => {
                    if !path.iter().enumerate().all(|(i, n)| nibble(key, depth + i) == *n) {
                        return None;
                    }
                    depth += path.len();
                    node = child;
                }
                Kind::Branch { children } => {
                    node = children[nibble(key, depth) as usize].as_deref()?;
                    depth += 1;
                }
            }
        }
    }

    /// The value under `key`, to be changed.
    pub fn get_mut(&mut self, key: &B256) -> Option<&mut V> {
        // A look first: only a key that is there is worth copying a path for.
        self.get(key)?;
        let mut node = self.root.as_mut()?;
        let mut depth = 0;
        loop {
            match Node::to_change(node) {
                Kind::Leaf { value, .. } => return Some(value),
                Kind::Extension { path, child } => {
                    depth += path.len();
                    node = child;
                }
                Kind::Branch { children } => {
                    node = children[nibble(key, depth) as usize].as_mut()?;
                    depth += 1;
                }
            }
        }
    }

    /// Puts `value` under `key`, replacing what was there.
    pub fn insert(&mut self, key: B256, value: V) {
        match &mut self.root {
            Some(root) => insert(root, key, 0, value),
            None => self.root = Some(Node::new(Kind::Leaf { key, value })),
        }
    }

    /// Removes `key`; nothing happens if it is absent.
    pub fn remove(&mut self, key: &B256) {
        if let Some(root) = &self.root
            && let Some(changed) = remove(root, key, 0)
        {
            self.root = changed;
        }
    }

    /// Everything in it, in the order of the keys.
    pub fn entries(&self) -> impl Iterator<Item = (&B256, &V)> {
        let mut waiting: Vec<&Node<V>> = self.root.as_deref().into_iter().collect();
        std::iter::from_fn(move || {
            loop {
                match &waiting.pop()?.kind {
                    Kind::Leaf { key, value } => return Some((key, value)),
                    Kind::Extension { child, .. } => waiting.push(child),
                    Kind::Branch { children } => waiting.extend(children.iter().rev().flatten().map(|child| &**child)),
                }
            }
        })
    }

    /// The Merkle root.
    pub fn root(&self) -> B256 {
        match &self.root {
            None => EMPTY_ROOT,
            Some(node) => match node.reference(0) {
                Reference::Hash(hash) => *hash,
                // A root is hashed even where a parent would embed it.
                Reference::Inline(rlp) => keccak256(rlp),
            },
        }
    }

    /// The RLP of the nodes on the way to `key`, root first (EIP-1186): a proof of its value or of its absence.
    pub fn prove(&self, key: &B256) -> Vec<Bytes> {
        let mut proof = Vec::new();
        let mut next = self.root.as_deref();
        let mut depth = 0;
        while let Some(node) = next {
            if depth == 0 || matches!(node.reference(depth), Reference::Hash(_)) {
                proof.push(Bytes::from(node.rlp(depth)));
            }
            next = match &node.kind {
                Kind::Leaf { .. } => None,
                Kind::Extension { path, child } => {
                    let follows = path.iter().enumerate().all(|(i, n)| nibble(key, depth + i) == *n);
                    depth += path.len();
                    follows.then_some(&**child)
                }
                Kind::Branch { children } => {
                    depth += 1;
                    children[nibble(key, depth - 1) as usize].as_deref()
                }
            };
        }
        proof
    }
}

impl<V: Leaf> Node<V> {
    fn new(kind: Kind<V>) -> Arc<Self> {
        Arc::new(Self {
            kind,
            reference: OnceLock::new(),
        })
    }

    /// The node's content, to be changed: in a copy of its own where another version shares the node. What a parent
    /// embeds is computed anew.
    fn to_change(node: &mut Arc<Self>) -> &mut Kind<V> {
        let node = Arc::make_mut(node);
        node.reference.take();
        &mut node.kind
    }

    fn reference(&self, depth: usize) -> &Reference {
        self.reference.get_or_init(|| {
            let rlp = self.rlp(depth);
            if rlp.len() < 32 {
                Reference::Inline(rlp)
            } else {
                Reference::Hash(keccak256(rlp))
            }
        })
    }

    fn rlp(&self, depth: usize) -> Vec<u8> {
        let mut payload = Vec::with_capacity(532);
        match &self.kind {
            Kind::Leaf { key, value } => {
                let path: Vec<u8> = (depth..NIBBLES).map(|i| nibble(key, i)).collect();
                hex_prefix(&path, true).as_slice().encode(&mut payload);
                let mut leaf = Vec::with_capacity(72);
                value.encode_leaf(&mut leaf);
                leaf.as_slice().encode(&mut payload);
            }
            Kind::Extension { path, child } => {
                hex_prefix(path, false).as_slice().encode(&mut payload);
                child.reference(depth + path.len()).append(&mut payload);
            }
            Kind::Branch { children } => {
                for child in children.iter() {
                    match child {
                        Some(child) => child.reference(depth + 1).append(&mut payload),
                        None => payload.push(alloy_rlp::EMPTY_STRING_CODE),
                    }
                }
                payload.push(alloy_rlp::EMPTY_STRING_CODE);
            }
        }
        let mut rlp = Vec::with_capacity(payload.len() + 3);
        Header {
            list: true,
            payload_length: payload.len(),
        }
        .encode(&mut rlp);
        rlp.extend_from_slice(&payload);
        rlp
    }
}

impl Reference {
    fn append(&self, out: &mut Vec<u8>) {
        match self {
            Self::Inline(rlp) => out.extend_from_slice(rlp),
            Self::Hash(hash) => hash.encode(out),
        }
    }
}

fn insert<V: Leaf>(node: &mut Arc<Node<V>>, key: B256, depth: usize, value: V) {
    // Where the key leaves the node's own path: at which depth, by which nibble the node goes on, and what remains of
    // it below.
    let parted = match &node.kind {
        Kind::Leaf { key: old, value } => (depth..NIBBLES)
            .find(|i| nibble(old, *i) != nibble(&key, *i))
            .map(|fork| {
                // A new node, because the leaf's hash depends on its depth.
                let (key, value) = (*old, value.clone());
                (fork, nibble(old, fork), Node::new(Kind::Leaf { key, value }))
            }),
        Kind::Extension { path, child } => {
            (0..path.len())
                .find(|i| path[*i] != nibble(&key, depth + i))
                .map(|shared| {
                    let rest = extend(path[shared + 1..].to_vec(), child.clone());
                    (depth + shared, path[shared], rest)
                })
        }
        Kind::Branch { .. } => None,
    };
    let leaf = |value| Node::new(Kind::Leaf { key, value });
    if let Some((fork, turn, rest)) = parted {
        let mut children = Box::new([const { None }; 16]);
        children[turn as usize] = Some(rest);
        children[nibble(&key, fork) as usize] = Some(leaf(value));
        let path = (depth..fork).map(|i| nibble(&key, i)).collect();
        *node = extend(path, Node::new(Kind::Branch { children }));
        return;
    }
    match Node::to_change(node) {
        Kind::Leaf { value: old, .. } => *old = value,
        Kind::Extension { path, child } => insert(child, key, depth + path.len(), value),
        Kind::Branch { children } => match &mut children[nibble(&key, depth) as usize] {
            Some(child) => insert(child, key, depth + 1, value),
            empty => *empty = Some(leaf(value)),
        },
    }
}

/// `None` if `key` is absent below `node`, else what stands in the node's place.
fn remove<V: Leaf>(node: &Arc<Node<V>>, key: &B256, depth: usize) -> Option<Option<Arc<Node<V>>>> {
    match &node.kind {
        Kind::Leaf { key: found, .. } => (found == key).then_some(None),
        Kind::Extension { path, child } => {
            if !path.iter().enumerate().all(|(i, n)| nibble(key, depth + i) == *n) {
                return None;
            }
            let child = remove(child, key, depth + path.len())?;
            Some(child.map(|child| join(path.clone(), &child)))
        }
        Kind::Branch { children } => {
            let index = nibble(key, depth) as usize;
            let changed = remove(children[index].as_ref()?, key, depth + 1)?;
            let mut children = children.clone();
            children[index] = changed;
            let mut present = children
                .iter()
                .enumerate()
                .filter_map(|(i, c)| c.as_ref().map(|c| (i, c)));
            Some(match (present.next(), present.next()) {
                (None, _) => None,
                (Some((only, child)), None) => Some(join(vec![only as u8], child)),
                _ => Some(Node::new(Kind::Branch { children })),
            })
        }
    }
}

/// `path` above `child`, which is a branch; no node for an empty path.
fn extend<V: Leaf>(path: Vec<u8>, child: Arc<Node<V>>) -> Arc<Node<V>> {
    if path.is_empty() {
        child
    } else {
        Node::new(Kind::Extension { path, child })
    }
}

/// `path` above any child: leaves and extensions take it into their own path.
fn join<V: Leaf>(path: Vec<u8>, child: &Arc<Node<V>>) -> Arc<Node<V>> {
    match &child.kind {
        // A new node, because the leaf's hash depends on its depth.
        Kind::Leaf { key, value } => Node::new(Kind::Leaf {
            key: *key,
            value: value.clone(),
        }),
        Kind::Extension { path: below, child } => Node::new(Kind::Extension {
            path: [path.as_slice(), below].concat(),
            child: child.clone(),
        }),
        Kind::Branch { .. } => extend(path, child.clone()),
    }
}

fn nibble(key: &B256, index: usize) -> u8 {
    let byte = key[index / 2];
    if index.is_multiple_of(2) {
        byte >> 4
    } else {
        byte & 0x0f
    }
}

/// Hex-prefix encoding (Yellow Paper, appendix C).
fn hex_prefix(nibbles: &[u8], leaf: bool) -> Vec<u8> {
    let flag = if leaf { 0x20 } else { 0 };
    let (first, rest) = if nibbles.len() % 2 == 1 {
        (flag | 0x10 | nibbles[0], &nibbles[1..])
    } else {
        (flag, nibbles)
    };
    std::iter::once(first)
        .chain(rest.chunks(2).map(|pair| (pair[0] << 4) | pair[1]))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use alloy::consensus::proofs::storage_root_unhashed;
    use alloy::primitives::U256;

    use super::*;

    fn key(n: u64) -> B256 {
        keccak256(B256::from(U256::from(n)))
    }

    fn reference_root(entries: &BTreeMap<u64, u64>) -> B256 {
        storage_root_unhashed(
            entries
                .iter()
                .map(|(k, v)| (B256::from(U256::from(*k)), U256::from(*v))),
        )
    }

    #[test]
    fn roots_equal_the_reference_through_inserts_overwrites_and_removals() {
        let mut trie = Trie::<U256>::default();
        let mut entries = BTreeMap::new();
        assert_eq!(trie.root(), EMPTY_ROOT);
        // A fixed linear congruential walk: many collisions of short paths, overwrites and removals.
        let mut x = 7u64;
        for step in 0..3_000u64 {
            x = x.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let slot = (x >> 33) % 400;
            if x >> 62 == 0 {
                trie.remove(&key(slot));
                entries.remove(&slot);
            } else {
                trie.insert(key(slot), U256::from(step + 1));
                entries.insert(slot, step + 1);
            }
            if step % 50 == 0 || entries.len() < 4 {
                assert_eq!(trie.root(), reference_root(&entries), "after step {step}");
            }
        }
        for slot in entries.keys().copied().collect::<Vec<_>>() {
            assert_eq!(trie.get(&key(slot)), Some(&U256::from(entries[&slot])));
            let mut expected: Vec<(B256, U256)> = entries.iter().map(|(k, v)| (key(*k), U256::from(*v))).collect();
            expected.sort_unstable();
            assert!(trie.entries().map(|(k, v)| (*k, *v)).eq(expected));
            trie.remove(&key(slot));
            entries.remove(&slot);
            assert_eq!(trie.get(&key(slot)), None);
            assert_eq!(trie.root(), reference_root(&entries));
        }
        assert_eq!(trie.root(), EMPTY_ROOT);
    }

    #[test]
    fn a_value_changed_in_place_changes_the_root_and_an_absent_one_changes_nothing() {
        let mut trie = Trie::<U256>::default();
        (0..50).for_each(|n| trie.insert(key(n), U256::ONE));
        let root = trie.root();
        assert_eq!(trie.get_mut(&key(50)), None);
        assert_eq!(trie.root(), root);
        *trie.get_mut(&key(7)).unwrap() = U256::from(9);
        let entries = (0..50).map(|n| (n, if n == 7 { 9 } else { 1 })).collect();
        assert_eq!(trie.root(), reference_root(&entries));
    }

    #[test]
    fn an_older_version_is_untouched_by_later_writes() {
        let mut trie = Trie::<U256>::default();
        (0..100).for_each(|n| trie.insert(key(n), U256::from(n + 1)));
        let (before, root) = (trie.clone(), trie.root());
        let mut changed = before.clone();
        *changed.get_mut(&key(42)).unwrap() = U256::from(7);
        (100..200).for_each(|n| changed.insert(key(n), U256::ONE));
        (0..100).for_each(|n| trie.remove(&key(n)));
        assert_eq!(before.root(), root);
        assert_eq!(before.get(&key(42)), Some(&U256::from(43)));
        assert_eq!(before.get(&key(142)), None);
    }
}
