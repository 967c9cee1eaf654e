//! A store that is not made of others.

use std::collections::HashSet;
use std::sync::Arc;

use medlock_dag::{Block, Cid};

use crate::gc::GcRun;
use crate::{Digest, Embedded, Error, Kubo, Removal};

/// One of the stores of a [`Replicated`](crate::Replicated). Its methods are those of [`Store`](crate::Store).
#[derive(Clone)]
pub enum Replica {
    Embedded(Embedded),
    Kubo(Kubo),
}

impl From<Embedded> for Replica {
    fn from(store: Embedded) -> Self {
        Self::Embedded(store)
    }
}

impl From<Kubo> for Replica {
    fn from(store: Kubo) -> Self {
        Self::Kubo(store)
    }
}

impl Replica {
    pub(crate) async fn put(&self, blocks: Vec<Block>) -> Result<(), Error> {
        match self {
            Self::Embedded(store) => store.put(blocks).await,
            Self::Kubo(store) => store.put(blocks).await,
        }
    }

    pub(crate) async fn keep(&self, cids: Vec<Cid>) -> Result<Vec<Cid>, Error> {
        match self {
            Self::Embedded(store) => store.keep(cids).await,
            Self::Kubo(store) => store.keep(cids).await,
        }
    }

    pub(crate) async fn get(&self, cid: &Cid) -> Result<Option<Block>, Error> {
        match self {
            Self::Embedded(store) => store.get(cid).await,
            Self::Kubo(store) => store.get(cid).await,
        }
    }

    pub(crate) async fn has(&self, cid: &Cid) -> Result<bool, Error> {
        match self {
            Self::Embedded(store) => store.has(cid).await,
            Self::Kubo(store) => store.has(cid).await,
        }
    }

    pub(crate) async fn remove(&self, cids: Vec<Cid>) -> Result<Removal, Error> {
        match self {
            Self::Embedded(store) => store.remove(cids).await,
            Self::Kubo(store) => store.remove(cids).await,
        }
    }

    pub(crate) async fn repair(&self, blocks: Vec<Block>) -> Result<usize, Error> {
        match self {
            Self::Embedded(store) => store.repair(blocks).await,
            Self::Kubo(store) => store.repair(blocks).await,
        }
    }

    pub(crate) fn begin_gc(&self) -> Result<GcRun, Error> {
        match self {
            Self::Embedded(store) => store.begin_gc(),
            Self::Kubo(store) => store.begin_gc(),
        }
    }

    pub(crate) async fn sweep(&self, run: GcRun, live: Arc<HashSet<Digest>>) -> Result<usize, Error> {
        match self {
            Self::Embedded(store) => store.sweep(run, live).await,
            Self::Kubo(store) => store.sweep(run, live).await,
        }
    }

    pub(crate) fn end_gc(&self, run: GcRun) {
        match self {
            Self::Embedded(store) => store.end_gc(run),
            Self::Kubo(store) => store.end_gc(run),
        }
    }

    /// Its folder or URL.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Embedded(store) => store.name(),
            Self::Kubo(store) => store.name(),
        }
    }
}
