//! Healing: all that is live is made whole, in every store.
//!
//! It is what to do once a replica was away, lost a disk, or is new: with one
//! whole copy left anywhere, everything is back. Only the caller knows the roots.

use medlock_dag::Cid;
use tokio::sync::OwnedRwLockReadGuard;

use crate::walk::Walk;
use crate::{Error, Replica, Store};

/// Blocks that are read before they are compared with the stores and written: one pack with one sync where they are
/// missing, and what is held in memory, once for each store.
const BATCH_BLOCKS: usize = 2_000;
const BATCH_BYTES: usize = 8 * 1024 * 1024;

/// What healing did. With nothing in `lost` and `failed`, every store has all that is live.
#[must_use = "what could not be healed is in here"]
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Healed {
    /// Blocks that the roots lead to and some store had whole.
    pub live: usize,
    /// Copies that were missing or damaged and are whole now.
    pub repaired: usize,
    /// Blocks that no store could give, and why. What they lead to was not reached.
    pub lost: Vec<(Cid, String)>,
    /// Stores that could not be repaired, and why. They were left alone after that.
    pub failed: Vec<(String, String)>,
}

impl Store {
    /// Reads every block that `roots` lead to, and writes it wherever a store lacks it or holds it wrongly. Of one store
    /// alone it tells what is missing or damaged.
    ///
    /// It brings back what was removed: name only what is live. Removals meanwhile are safe, and wait for a batch.
    /// Takes about 70 bytes of memory for each live block.
    ///
    /// # Errors
    /// [`Error::Block`] for a root of a kind that is never stored. All else is in the answer.
    pub async fn heal(&self, roots: impl IntoIterator<Item = Cid>) -> Result<Healed, Error> {
        let mut walk = Walk::new(roots)?;
        let mut healed = Healed::default();
        let mut stores = self.parts();
        while self.heal_batch(&mut walk, &mut stores, &mut healed).await {}
        Ok(healed)
    }

    /// Heals the next blocks of `walk`: whether there were any. A store that fails goes from `stores`.
    async fn heal_batch(&self, walk: &mut Walk, stores: &mut Vec<Replica>, healed: &mut Healed) -> bool {
        // From reading to writing, or it would put back what is removed in between.
        let _no_removal = self.no_removal().await;
        let (mut batch, mut bytes, mut ended) = (Vec::new(), 0, false);
        while batch.len() < BATCH_BLOCKS && bytes < BATCH_BYTES {
            let Some(cid) = walk.next() else {
                ended = true;
                break;
            };
            match self.get(&cid).await {
                Ok(Some(block)) => {
                    walk.follow(&block);
                    bytes += block.bytes.len();
                    batch.push(block);
                }
                Ok(None) => healed.lost.push((cid, "no store has it".into())),
                Err(error) => healed.lost.push((cid, error.to_string())),
            }
        }
        healed.live += batch.len();
        let repairs = stores.iter().map(|store| store.repair(batch.clone()));
        let outcomes = futures::future::join_all(repairs).await;
        let mut outcomes = outcomes.into_iter();
        stores.retain(|store| match outcomes.next() {
            Some(Ok(repaired)) => {
                healed.repaired += repaired;
                true
            }
            Some(Err(error)) => {
                healed.failed.push((store.name(), error.to_string()));
                false
            }
            None => true,
        });
        !ended
    }

    async fn no_removal(&self) -> Option<OwnedRwLockReadGuard<()>> {
        match self {
            Self::Replicated(store) => Some(store.changing().await),
            Self::Embedded(_) | Self::Kubo(_) => None,
        }
    }
}
