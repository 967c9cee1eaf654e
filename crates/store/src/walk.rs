//! A walk over all blocks that roots lead to.

use std::collections::HashSet;

use medlock_dag::{Block, Cid, DAG_CBOR, DAG_PB};

use crate::{Digest, Error};

/// Names blocks depth first, parents before children, each once.
///
/// Takes about 70 bytes of memory for each of them.
pub(crate) struct Walk {
    /// What is still to come; the next is on top.
    stack: Vec<(Cid, Digest)>,
    seen: HashSet<Digest>,
    /// A digest can be read as raw and as a node: each reading is followed once.
    read: HashSet<(u64, Digest)>,
}

impl Walk {
    /// # Errors
    /// [`Error::Block`] for a root of a kind that is never stored.
    pub(crate) fn new(roots: impl IntoIterator<Item = Cid>) -> Result<Self, Error> {
        let stack = roots
            .into_iter()
            .map(|root| Ok((root, medlock_dag::digest(&root)?)))
            .collect::<Result<Vec<_>, Error>>();
        let mut stack = stack?;
        stack.reverse();
        Ok(Self {
            stack,
            seen: HashSet::new(),
            read: HashSet::new(),
        })
    }

    /// The next block. [`follow`](Self::follow) it before asking for another.
    pub(crate) fn next(&mut self) -> Option<Cid> {
        while let Some((cid, digest)) = self.stack.pop() {
            let is_new = self.seen.insert(digest);
            let codec = cid.codec();
            let to_be_read = match codec {
                DAG_PB | DAG_CBOR => self.read.insert((codec, digest)),
                _ => is_new,
            };
            if to_be_read {
                return Some(cid);
            }
        }
        None
    }

    /// Goes on to what `block` links to: nothing, where it is not of its format. Nobody could read past it.
    pub(crate) fn follow(&mut self, block: &Block) {
        let links = medlock_dag::links(block).unwrap_or_default().into_iter().rev();
        self.stack
            .extend(links.filter_map(|link| Some((link, medlock_dag::digest(&link).ok()?))));
    }

    /// What was named so far.
    pub(crate) fn seen(self) -> HashSet<Digest> {
        self.seen
    }
}
