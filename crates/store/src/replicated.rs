//! Several stores that hold the same blocks: written to a quorum, read from any.
//!
//! What one replica lacks or holds wrongly costs nothing as long as another has
//! it: each block is hashed by the store that hands it out. Copies that are
//! damaged are repaired as they are met. Copies that are *missing* are not: a
//! block may be missing because it was removed while another replica was away,
//! and only the caller, who knows what is live, can tell ([`Replicated::repair`]).

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::{StreamExt as _, future, stream::FuturesUnordered};
use medlock_dag::{Block, Cid};
use tokio::sync::{OwnedRwLockReadGuard, RwLock, Semaphore};

use crate::{Digest, Error, Removal, Replica, Unconfirmed};

/// Repairs under way at once; what is met beyond that is repaired when it is met again.
const REPAIRS_MAX: usize = 4;

/// Stores that hold the same blocks. Clones share them.
#[derive(Clone)]
pub struct Replicated {
    inner: Arc<Inner>,
}

struct Inner {
    /// In the order in which they are read.
    replicas: Vec<Replica>,
    quorum: usize,
    /// Held for reading by whatever writes, for writing by a removal: nothing that
    /// was on its way can put a block back behind it.
    changes: Arc<RwLock<()>>,
    /// Removed, but perhaps still on a replica: not handed out any more.
    removed: Mutex<HashSet<Digest>>,
    repairs: Arc<Semaphore>,
}

impl Replicated {
    /// `replicas` in the order in which they are read: the nearest first. An add
    /// succeeds once `quorum` of them have the blocks.
    ///
    /// # Errors
    /// [`Error::BadQuorum`].
    pub fn new(replicas: Vec<Replica>, quorum: usize) -> Result<Self, Error> {
        if quorum == 0 || quorum > replicas.len() {
            let replicas = replicas.len();
            return Err(Error::BadQuorum { quorum, replicas });
        }
        Ok(Self {
            inner: Arc::new(Inner {
                replicas,
                quorum,
                changes: Arc::default(),
                removed: Mutex::default(),
                repairs: Arc::new(Semaphore::new(REPAIRS_MAX)),
            }),
        })
    }

    pub(crate) fn replicas(&self) -> &[Replica] {
        &self.inner.replicas
    }

    pub(crate) fn name(&self) -> String {
        let names = self.inner.replicas.iter().map(Replica::name).collect::<Vec<_>>();
        format!("{} of {}", self.inner.quorum, names.join(", "))
    }

    /// Keeps `blocks` in a quorum of the stores. The others are written to as well,
    /// and go on after this returns.
    ///
    /// # Errors
    /// [`Error::Quorum`]; the error itself where it is the blocks' fault ([`Error::Block`]).
    pub async fn put(&self, blocks: Vec<Block>) -> Result<(), Error> {
        let mut digests = Vec::with_capacity(blocks.len());
        for block in &blocks {
            digests.push(medlock_dag::digest(&block.cid)?);
        }
        let changes = Arc::new(self.changing().await);
        {
            let mut removed = self.inner.removed();
            for digest in digests {
                removed.remove(&digest);
            }
        }
        let mut puts = FuturesUnordered::new();
        for store in self.inner.replicas.clone() {
            let (blocks, changes) = (blocks.clone(), Arc::clone(&changes));
            // A task of its own: it outlives this call.
            puts.push(tokio::spawn(async move {
                let result = store.put(blocks).await;
                if let Err(error) = &result {
                    tracing::warn!(store = store.name(), %error, "a replica did not keep what it was given");
                }
                drop(changes);
                (store.name(), result)
            }));
        }
        let (mut confirmed, mut failed) = (0, Vec::new());
        while let Some(put) = puts.next().await {
            match put {
                Ok((_, Ok(()))) => confirmed += 1,
                Ok((_, Err(error @ Error::Block(_)))) => return Err(error),
                Ok((name, Err(error))) => failed.push((name, error)),
                Err(join) if join.is_panic() => std::panic::resume_unwind(join.into_panic()),
                Err(_) => return Err(Error::ShuttingDown),
            }
            if confirmed == self.inner.quorum {
                return Ok(());
            }
        }
        Err(Error::Quorum {
            confirmed,
            quorum: self.inner.quorum,
            failed,
        })
    }

    /// The block named `cid` from the first store that has it whole. Damaged copies
    /// that were met on the way are repaired behind it.
    ///
    /// # Errors
    /// Where no store has it and not all say so: what one of them failed with, [`Error::Corrupt`] first.
    pub async fn get(&self, cid: &Cid) -> Result<Option<Block>, Error> {
        if self.inner.removed().contains(&medlock_dag::digest(cid)?) {
            return Ok(None);
        }
        let (mut damaged, mut failure) = (Vec::new(), None);
        for store in &self.inner.replicas {
            match store.get(cid).await {
                Ok(Some(block)) => {
                    self.repair_damaged(&block, damaged);
                    return Ok(Some(block));
                }
                Ok(None) => {}
                Err(error @ Error::Corrupt { .. }) => {
                    tracing::warn!(store = store.name(), %error, "a replica holds a block wrongly");
                    damaged.push(store.clone());
                    failure = Some(error);
                }
                Err(error) => {
                    failure.get_or_insert(error);
                }
            }
        }
        failure.map_or(Ok(None), Err)
    }

    /// Those of `cids` that fewer than a quorum of the stores have.
    ///
    /// # Errors
    /// [`Error::Block`]; where fewer than a quorum answer, what one of them failed with.
    pub async fn keep(&self, cids: Vec<Cid>) -> Result<Vec<Cid>, Error> {
        let digests = cids.iter().map(medlock_dag::digest).collect::<Result<Vec<_>, _>>()?;
        let _changes = self.changing().await;
        let kept = self.inner.replicas.iter().map(|store| store.keep(cids.clone()));
        let (mut answers, mut failure) = (Vec::new(), None);
        for answer in future::join_all(kept).await {
            match answer {
                Ok(missing) => answers.push(missing.into_iter().collect::<HashSet<_>>()),
                Err(error) => failure = Some(error),
            }
        }
        if let Some(error) = failure.filter(|_| answers.len() < self.inner.quorum) {
            return Err(error);
        }
        let removed = self.inner.removed();
        let is_kept = |cid: &Cid, digest: &Digest| {
            let copies = answers.iter().filter(|missing| !missing.contains(cid)).count();
            copies >= self.inner.quorum && !removed.contains(digest)
        };
        let each = cids.iter().zip(&digests);
        Ok(each
            .filter(|(cid, digest)| !is_kept(cid, digest))
            .map(|(cid, _)| *cid)
            .collect())
    }

    /// Whether any store keeps a block named `cid`.
    ///
    /// # Errors
    /// Where none does and not all say so: what one of them failed with.
    pub async fn has(&self, cid: &Cid) -> Result<bool, Error> {
        if self.inner.removed().contains(&medlock_dag::digest(cid)?) {
            return Ok(false);
        }
        let mut failure = None;
        for store in &self.inner.replicas {
            match store.has(cid).await {
                Ok(true) => return Ok(true),
                Ok(false) => {}
                Err(error) => {
                    failure.get_or_insert(error);
                }
            }
        }
        failure.map_or(Ok(false), Err)
    }

    /// Removes blocks from all stores. What one of them did not confirm is not read
    /// any more by this process, and reported: repeat the call for it.
    ///
    /// # Errors
    /// [`Error::Block`].
    pub async fn remove(&self, cids: Vec<Cid>) -> Result<Removal, Error> {
        let digests = cids.iter().map(medlock_dag::digest).collect::<Result<Vec<_>, _>>()?;
        let _changes = self.inner.changes.write().await;
        self.inner.removed().extend(&digests);
        let removals = self.inner.replicas.iter().map(|store| {
            let cids = cids.clone();
            async move { (store.name(), store.remove(cids).await) }
        });
        let mut removal = Removal::default();
        for (name, outcome) in future::join_all(removals).await {
            match outcome {
                Ok(one) => {
                    removal.removed = removal.removed.max(one.removed);
                    removal.unconfirmed.extend(one.unconfirmed);
                }
                Err(error) => removal.unconfirmed.extend(cids.iter().map(|cid| Unconfirmed {
                    cid: *cid,
                    store: name.clone(),
                    reason: error.to_string(),
                })),
            }
        }
        let unconfirmed = removal.unconfirmed.iter().map(|block| medlock_dag::digest(&block.cid));
        let unconfirmed = unconfirmed.collect::<Result<HashSet<_>, _>>()?;
        let mut removed = self.inner.removed();
        for digest in &digests {
            if !unconfirmed.contains(digest) {
                removed.remove(digest);
            }
        }
        Ok(removal)
    }

    /// Makes sure that every store has `blocks` whole: how many copies that took.
    ///
    /// # Errors
    /// The first of a store that could not be repaired; the others were.
    pub async fn repair(&self, blocks: Vec<Block>) -> Result<usize, Error> {
        let _changes = self.changing().await;
        for block in &blocks {
            let digest = medlock_dag::digest(&block.cid)?;
            self.inner.removed().remove(&digest);
        }
        let repairs = self.inner.replicas.iter().map(|store| store.repair(blocks.clone()));
        future::join_all(repairs).await.into_iter().sum()
    }

    /// Repairs in the background, unless enough of that goes on already.
    fn repair_damaged(&self, block: &Block, stores: Vec<Replica>) {
        for store in stores {
            let Ok(permit) = Arc::clone(&self.inner.repairs).try_acquire_owned() else {
                return;
            };
            let (this, block) = (self.clone(), block.clone());
            tokio::spawn(async move {
                let _permit = permit;
                let _changes = this.changing().await;
                // Not where it was removed since: then there is no damaged copy either.
                let damaged = matches!(store.get(&block.cid).await, Err(Error::Corrupt { .. }));
                if damaged && let Err(error) = store.repair(vec![block]).await {
                    tracing::warn!(store = store.name(), %error, "a damaged block could not be repaired");
                }
            });
        }
    }

    /// While this is held nothing is removed. Must not be asked for twice by one task: a removal may wait in between.
    pub(crate) async fn changing(&self) -> OwnedRwLockReadGuard<()> {
        Arc::clone(&self.inner.changes).read_owned().await
    }
}

impl Inner {
    // Nothing that can panic is done under this lock.
    fn removed(&self) -> MutexGuard<'_, HashSet<Digest>> {
        self.removed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
