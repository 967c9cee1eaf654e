//! The block store: content-addressed blocks in a folder, in an IPFS node, or in several of these at once.
//!
//! It must never return bytes that do not match their CID, never wait without
//! an end, and never leave a block readable whose removal it confirmed. It knows
//! nothing of charts or keys: blocks are ciphertext or public structure to it. It
//! announces nothing: a Kubo node is asked for what it has, not for what its
//! peers have, unless it is opened with [`Reach::Peers`].
//!
//! All kinds are named by digest alone, like in Kubo: the codec of a CID is not
//! part of what is stored.
//!
//! Start reading at [`Store`], then `embedded.rs`, `kubo.rs`, `replicated.rs`, `gc.rs`, `heal.rs`, `car.rs`.
#![forbid(unsafe_code)]

mod car;
mod embedded;
mod error;
mod gc;
mod heal;
mod kubo;
mod replica;
mod replicated;
mod walk;

pub use car::{Exported, Imported};
pub use embedded::{Embedded, Salvaged};
pub use error::Error;
pub use gc::{Gc, Swept};
pub use heal::Healed;
pub use kubo::{Kubo, KuboOptions, Reach};
pub use replica::Replica;
pub use replicated::Replicated;

use std::path::Path;

use medlock_dag::{Block, Cid};

/// What a block is found by.
pub(crate) type Digest = [u8; 32];

/// A block store of any kind. Clones share it.
#[derive(Clone)]
pub enum Store {
    Embedded(Embedded),
    Kubo(Kubo),
    Replicated(Replicated),
}

/// What a removal did.
#[must_use = "a block whose removal is not confirmed may still be readable"]
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Removal {
    /// How many blocks were there, in the store that had most of them.
    pub removed: usize,
    /// What may still be there. Repeat the removal until this is empty.
    pub unconfirmed: Vec<Unconfirmed>,
}

/// A block that may not have been removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unconfirmed {
    pub cid: Cid,
    /// The folder or URL of the store that may still have it.
    pub store: String,
    pub reason: String,
}

impl Store {
    /// Opens the embedded store in `dir`, creating it if need be. Blocks the thread.
    ///
    /// # Errors
    /// Those of [`Embedded::open`].
    pub fn open(dir: impl AsRef<Path>) -> Result<Self, Error> {
        Embedded::open(dir).map(Self::Embedded)
    }

    /// Keeps `blocks`: durable once this returns. On an error some of them may be
    /// kept (embedded: none); putting them again is safe.
    ///
    /// # Errors
    /// [`Error::Block`] for one over 2 MiB or of a kind that is never stored;
    /// [`Error::DiskFull`], [`Error::Io`]; those of a node; [`Error::Quorum`].
    pub async fn put(&self, blocks: Vec<Block>) -> Result<(), Error> {
        match self {
            Self::Embedded(store) => store.put(blocks).await,
            Self::Kubo(store) => store.put(blocks).await,
            Self::Replicated(store) => store.put(blocks).await,
        }
    }

    /// Those of `cids` that are not kept as a `put` would have kept them. The others are as if they were put now: a collection of garbage
    /// that goes on does not take them.
    ///
    /// # Errors
    /// [`Error::Block`]; those of a node, where what the others have is not enough.
    pub async fn keep(&self, cids: Vec<Cid>) -> Result<Vec<Cid>, Error> {
        match self {
            Self::Embedded(store) => store.keep(cids).await,
            Self::Kubo(store) => store.keep(cids).await,
            Self::Replicated(store) => store.keep(cids).await,
        }
    }

    /// The block named `cid`, checked against it, if it is there.
    ///
    /// # Errors
    /// [`Error::Corrupt`] where the kept bytes do not match; [`Error::Block`]; those of the disk or of a node.
    pub async fn get(&self, cid: &Cid) -> Result<Option<Block>, Error> {
        match self {
            Self::Embedded(store) => store.get(cid).await,
            Self::Kubo(store) => store.get(cid).await,
            Self::Replicated(store) => store.get(cid).await,
        }
    }

    /// Whether a block named `cid` is kept. Does not look at its bytes.
    ///
    /// # Errors
    /// [`Error::Block`]; those of a node.
    pub async fn has(&self, cid: &Cid) -> Result<bool, Error> {
        match self {
            Self::Embedded(store) => store.has(cid).await,
            Self::Kubo(store) => store.has(cid).await,
            Self::Replicated(store) => store.has(cid).await,
        }
    }

    /// Removes blocks for good. What is not listed as unconfirmed is gone, durably.
    ///
    /// # Errors
    /// [`Error::Block`]; of the embedded store also [`Error::DiskFull`], [`Error::Io`], [`Error::DamagedPack`].
    pub async fn remove(&self, cids: Vec<Cid>) -> Result<Removal, Error> {
        match self {
            Self::Embedded(store) => store.remove(cids).await,
            Self::Kubo(store) => store.remove(cids).await,
            Self::Replicated(store) => store.remove(cids).await,
        }
    }

    /// Makes sure that `blocks` are kept with the right bytes, everywhere: how many copies that took.
    /// Costs a read of each; do it for blocks that are known to be live, since it brings back what was removed.
    ///
    /// # Errors
    /// Those of `get` and `put`; the first of a replica that could not be repaired.
    pub async fn repair(&self, blocks: Vec<Block>) -> Result<usize, Error> {
        match self {
            Self::Embedded(store) => store.repair(blocks).await,
            Self::Kubo(store) => store.repair(blocks).await,
            Self::Replicated(store) => store.repair(blocks).await,
        }
    }

    /// Begins to collect garbage: from now on, whatever is put survives the [`Gc::sweep`] to come.
    ///
    /// # Errors
    /// [`Error::GcUnderWay`].
    pub fn begin_gc(&self) -> Result<Gc, Error> {
        Gc::begin(self.clone())
    }

    /// Its folder or URL.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Embedded(store) => store.name(),
            Self::Kubo(store) => store.name(),
            Self::Replicated(store) => store.name(),
        }
    }

    /// The stores that it is made of.
    fn parts(&self) -> Vec<Replica> {
        match self {
            Self::Embedded(store) => vec![Replica::Embedded(store.clone())],
            Self::Kubo(store) => vec![Replica::Kubo(store.clone())],
            Self::Replicated(store) => store.replicas().to_vec(),
        }
    }
}
