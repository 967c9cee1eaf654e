//! Upkeep of the block store: what the chain does not refer to any more is removed, and what it refers to is made whole in
//! every replica.
//!
//! The chain decides what is live, and this gateway sees the chain through its index. A node that hides records would have
//! them collected here; so nothing is removed while the index is not at the chain's head, nor while the chain refers to
//! much less than before.
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use medlock_dag::dag_cbor_cid;
use medlock_indexer::Live;
use medlock_store::{Healed, Swept};
use tokio::time::sleep;

use crate::state::Gateway;

/// Below this, the chain may refer to less than half of what it did before: a few erasures do that.
const REFERRED_FEW: u64 = 100;

/// When and how the store is looked after.
#[derive(Clone, Copy, Debug)]
pub struct Upkeep {
    /// From the end of one round to the beginning of the next.
    pub every: Duration,
    /// How long blocks that were uploaded before a round may wait for the transaction that refers to them: longer than any
    /// upload and its transaction take.
    pub grace: Duration,
}

impl Upkeep {
    /// Once a day. An upload ends within its hour's quota, and its transaction follows.
    pub const DAILY: Self = Self {
        every: Duration::from_secs(24 * 60 * 60),
        grace: Duration::from_secs(2 * 60 * 60),
    };
}

/// Rounds without an end.
pub async fn run<T>(gateway: Gateway, upkeep: Upkeep) -> T {
    loop {
        sleep(upkeep.every).await;
        match round(&gateway, upkeep.grace).await {
            Ok((swept, healed)) => {
                tracing::info!(
                    removed = swept.removed,
                    live = swept.live,
                    repaired = healed.repaired,
                    "the block store was looked after"
                );
                for (store, reason) in swept.failed.iter().chain(&healed.failed) {
                    tracing::error!(store, reason, "a store could not be looked after");
                }
            }
            Err(error) => tracing::error!(error = format!("{error:#}"), "the block store was not looked after"),
        }
    }
}

/// One round: heals, then collects garbage. The first of a gateway's life only learns how much there is.
///
/// # Errors
/// Where what is live is not known for sure: nothing was removed then.
pub async fn round(gateway: &Gateway, grace: Duration) -> Result<(Swept, Healed)> {
    gateway.db.remove_releases(gateway.now()).await?;
    // From here on whatever is put stays, this time.
    let gc = gateway.store.begin_gc()?;
    sleep(grace).await;
    let live = live(gateway).await?;
    let roots = || live.digests.iter().map(|digest| dag_cbor_cid(digest.0));
    // What is damaged in one replica would hold up the marking; what is whole elsewhere need not.
    let healed = gateway.store.heal(roots()).await?;
    // Each is somebody's record.
    for (cid, reason) in &healed.lost {
        tracing::error!(%cid, reason, "a block that the chain refers to is lost");
    }
    if live.leaves_not_taken > 0 {
        bail!(
            "{} records of batches are not on chain one by one yet, and their blocks are not known: nothing was removed",
            live.leaves_not_taken
        );
    }
    let (before, referred) = (gateway.db.referred().await?, live.digests.len() as u64);
    if let Some(before) = before.filter(|before| *before > REFERRED_FEW && referred < before / 2) {
        // A tenth less is asked of every round: an erasure in earnest waits for a week at most, and a lie has to last as long.
        gateway.db.set_referred(before - before / 10).await?;
        bail!(
            "the chain refers to {referred} blocks, and did to {before}: the node may hide records; nothing was removed"
        );
    }
    gateway.db.set_referred(referred).await?;
    if before.is_none() {
        // There was nothing to compare with.
        return Ok((Swept::default(), healed));
    }
    Ok((gc.sweep(roots()).await?, healed))
}

/// What the chain refers to, by an index that is at the chain's head.
async fn live(gateway: &Gateway) -> Result<Live> {
    let not_now = |failure| anyhow!("what is live cannot be told now: {failure}");
    let latest = gateway.latest().await.map_err(not_now)?;
    let mut index = gateway.index_at(&latest).await.map_err(not_now)?;
    Ok(index.live().await?)
}
