//! Garbage collection: mark what the roots reach, sweep the rest, never racing an add.
//!
//! Only the caller knows the roots (the chain has them), and learning them takes
//! time, while uploads go on whose records are not on the chain yet. So a
//! collection has a beginning of its own:
//!
//! 1. [`Store::begin_gc`]: from here on, whatever is put, new or there already,
//!    survives this collection. Every `put` and the sweep agree on that under one lock.
//! 2. The caller lets uploads that began earlier reach the chain or expire, then reads the roots.
//! 3. [`Gc::sweep`] marks and removes.
//!
//! Nothing of this is kept on disk or depends on a clock: a crash ends the
//! collection, and the next one begins anew.

use std::collections::HashSet;
use std::sync::Arc;

use medlock_dag::{Cid, DAG_CBOR, DAG_PB};

use crate::walk::Walk;
use crate::{Digest, Error, Replica, Store};

/// A collection that has begun. Dropping it ends it with nothing swept.
pub struct Gc {
    store: Store,
    /// One for each of the stores that it is made of.
    runs: Vec<(Replica, GcRun)>,
}

/// What a collection did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Swept {
    /// Removed, from the store that had most of them.
    pub removed: usize,
    /// Reachable from the roots.
    pub live: usize,
    /// Reachable nodes that no store has: what they lead to was not marked.
    pub missing: Vec<Cid>,
    /// Stores that could not be swept, and why. The others were.
    pub failed: Vec<(String, String)>,
}

impl Gc {
    pub(crate) fn begin(store: Store) -> Result<Self, Error> {
        let mut gc = Self {
            runs: Vec::new(),
            store: store.clone(),
        };
        for replica in store.parts() {
            // What began already ends when `gc` is dropped.
            let run = replica.begin_gc()?;
            gc.runs.push((replica, run));
        }
        Ok(gc)
    }

    /// Removes all blocks that neither `roots` lead to nor were put since the beginning.
    ///
    /// Takes about 70 bytes of memory for each live block.
    ///
    /// # Errors
    /// [`Error::Corrupt`] and others of `get`, before anything was removed: what
    /// a damaged node leads to is unknown, so repair it first. Nodes that are
    /// missing hold nothing up (see [`Swept::missing`]), nor do those that are
    /// not of their format: nobody could read what they lead to.
    pub async fn sweep(self, roots: impl IntoIterator<Item = Cid>) -> Result<Swept, Error> {
        let mut swept = Swept::default();
        let mut walk = Walk::new(roots)?;
        while let Some(cid) = walk.next() {
            if !matches!(cid.codec(), DAG_PB | DAG_CBOR) {
                continue;
            }
            match self.store.get(&cid).await? {
                Some(block) => walk.follow(&block),
                None => swept.missing.push(cid),
            }
        }
        let live = Arc::new(walk.seen());
        swept.live = live.len();
        for (replica, run) in &self.runs {
            match replica.sweep(*run, Arc::clone(&live)).await {
                Ok(removed) => swept.removed = swept.removed.max(removed),
                // One store alone has nobody to stand in for it.
                Err(error) if self.runs.len() == 1 => return Err(error),
                Err(error) => swept.failed.push((replica.name(), error.to_string())),
            }
        }
        Ok(swept)
    }
}

impl Drop for Gc {
    fn drop(&mut self) {
        for (replica, run) in &self.runs {
            replica.end_gc(*run);
        }
    }
}

/// Names one collection of one store, so that a sweep that outlives its
/// collection can never go by what another one notes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GcRun(u64);

/// What was put since a collection began.
#[derive(Default)]
pub(crate) struct Fresh {
    runs: u64,
    digests: Option<HashSet<Digest>>,
}

impl Fresh {
    pub(crate) fn begin(&mut self) -> Result<GcRun, Error> {
        if self.digests.is_some() {
            return Err(Error::GcUnderWay);
        }
        self.runs += 1;
        self.digests = Some(HashSet::new());
        Ok(GcRun(self.runs))
    }

    pub(crate) fn end(&mut self, run: GcRun) {
        if run == GcRun(self.runs) {
            self.digests = None;
        }
    }

    pub(crate) fn note(&mut self, digest: Digest) {
        if let Some(digests) = &mut self.digests {
            digests.insert(digest);
        }
    }

    pub(crate) fn of(&self, run: GcRun) -> Result<&HashSet<Digest>, Error> {
        match &self.digests {
            Some(digests) if run == GcRun(self.runs) => Ok(digests),
            _ => Err(Error::GcEnded),
        }
    }
}
