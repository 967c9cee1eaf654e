//! What every handler works with.
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use alloy::{primitives::Address, signers::local::PrivateKeySigner};
use anyhow::anyhow;
use medlock_api::Kind;
use medlock_indexer::{Deployment, Head, Index, View};
use medlock_store::Store;
use tokio::{sync::Mutex, time::sleep};

use crate::{
    chain::{Block, Chain},
    db::Db,
    limits::{Bucket, Buckets, Gate, Limits},
    metrics::Metrics,
    origin::{Network, Origin},
    problem::{Failure, Result},
    relay::Relaying,
    session::Site,
};

/// How long a question waits for the index to reach the chain's head: a few polls. It makes what a caller has just
/// written visible to its next request.
const INDEX_WAIT: Duration = Duration::from_secs(2);

/// How long a node that is behind is asked again: a replica of several catches up within that, and the index takes back
/// the blocks of a chain that did become shorter.
const LATEST_WAIT: Duration = Duration::from_secs(3);
/// Between two looks at something that is waited for.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// How old the chain's state may be in answers about this gateway's own health: they are free to ask for.
const PULSE_FOR: Duration = Duration::from_secs(1);

/// One gateway. Cheap to clone.
#[derive(Clone)]
pub struct Gateway(Arc<Parts>);

pub struct Parts {
    pub deployment: Deployment,
    pub chain: Chain,
    pub index: Index,
    pub store: Store,
    pub db: Db,
    pub signer: PrivateKeySigner,
    /// `None`: operations are not relayed.
    pub relay: Option<Relaying>,
    pub site: Site,
    pub limits: Limits,
    pub uploads: Arc<Gate>,
    pub downloads: Arc<Gate>,
    /// For requests without a session: of everybody, and of each address.
    pub open: Bucket,
    pub open_each: Buckets,
    pub connections: Arc<Gate<Origin>>,
    /// Whose X-Forwarded-For is believed.
    pub proxies: Vec<Network>,
    pub metrics: Arc<Metrics>,
    pub marks: Marks,
    /// What node and index told last, and when the node was asked.
    pub seen: Mutex<Option<(Instant, Look)>>,
    /// When the chain was last looked at for the sake of health, and what came of it.
    pub pulse: Mutex<Option<(Instant, std::result::Result<Block, Kind>)>>,
    pub started: SystemTime,
}

/// Where the chain is, and where the index was right after.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    pub latest: Block,
    pub indexed: Head,
}

impl Look {
    /// Whether the index holds the latest block.
    pub fn is_indexed(&self) -> bool {
        holds(&self.indexed, &self.latest)
    }
}

/// Whether an index at `head` holds `block`: this very one, and not another of its height that a reorganisation removed.
fn holds(head: &Head, block: &Block) -> bool {
    head.number > block.number || head.hash == block.hash
}

/// The highest blocks seen: at the node, and in the index.
#[derive(Default)]
pub struct Marks {
    chain: AtomicU64,
    index: AtomicU64,
}

impl Marks {
    /// Whether a node at block `latest` is to be believed, with the index at block `indexed`; if not, the block that was
    /// seen before. `indexed_before`: what [`Marks::indexed`] gave before the index was asked.
    ///
    /// Not even one block of slack: a revocation takes one block, and on an idle chain the replica that lacks it may
    /// lack it for hours. A reorganisation to the same height passes. A chain that became shorter is recognised by the
    /// index having taken back blocks, and the marks follow it down.
    fn admit(&self, indexed_before: u64, indexed: u64, latest: u64) -> std::result::Result<(), u64> {
        if indexed < indexed_before {
            self.index.store(indexed, SeqCst);
            self.chain.fetch_min(indexed, SeqCst);
        } else {
            self.index.fetch_max(indexed, SeqCst);
        }
        let mark = self.chain.load(SeqCst).max(indexed);
        if latest < mark {
            return Err(mark);
        }
        self.chain.fetch_max(latest, SeqCst);
        Ok(())
    }

    fn indexed(&self) -> u64 {
        self.index.load(SeqCst)
    }
}

impl std::ops::Deref for Gateway {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// Fresh random bytes from the operating system.
///
/// # Errors
/// Where it has none to give: nothing can be signed in then.
pub fn random<const N: usize>() -> anyhow::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no randomness from the system: {error}"))?;
    Ok(bytes)
}

impl Gateway {
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    pub fn account(&self) -> Address {
        self.signer.address()
    }

    /// The deployment as clients are told of it, and the gateway's account.
    pub fn described(&self) -> medlock_api::Deployment {
        let deployment = &self.deployment;
        medlock_api::Deployment {
            chain_id: deployment.chain_id,
            genesis_hash: deployment.genesis_hash,
            registry: deployment.registry,
            records: deployment.records,
            exceptions: deployment.exceptions,
            relay: deployment.relay,
            audit: deployment.audit,
            claims: deployment.claims,
            supply: deployment.supply,
            trials: deployment.trials,
            gateway: self.account(),
            block: deployment.start_block,
        }
    }

    /// UNIX seconds.
    pub fn now(&self) -> u64 {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |time| time.as_secs())
    }

    /// The chain's latest block, never one before a block that was seen already.
    ///
    /// # Errors
    /// As [`Gateway::look`].
    pub async fn latest(&self) -> Result<Block> {
        Ok(self.look().await?.latest)
    }

    /// The same, and where the index is.
    ///
    /// # Errors
    /// `ChainDown`, also where the node stays behind.
    pub async fn look(&self) -> Result<Look> {
        let deadline = Instant::now() + LATEST_WAIT;
        loop {
            let indexed_before = self.marks.indexed();
            let look = self.looked().await?;
            let number = look.latest.number;
            let Err(mark) = self.marks.admit(indexed_before, look.indexed.number, number) else {
                return Ok(look);
            };
            if Instant::now() >= deadline {
                let cause = anyhow!("the node is at block {number}, and block {mark} was seen before");
                return Err(Failure::caused(Kind::ChainDown, cause));
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    /// What node and index say, asked after this was called: one look answers all who came before it.
    async fn looked(&self) -> Result<Look> {
        let came = Instant::now();
        let mut seen = self.seen.lock().await;
        if let Some((asked, look)) = *seen
            && asked >= came
        {
            return Ok(look);
        }
        let asked = Instant::now();
        let latest = self.chain.latest().await?;
        let indexed = self.index.head().await?;
        let look = Look { latest, indexed };
        *seen = Some((asked, look));
        Ok(look)
    }

    /// The chain's latest block as of up to a second ago, if the chain is the deployment's: one look for however many
    /// ask.
    ///
    /// # Errors
    /// `ChainDown`, `ChainMismatch`.
    pub async fn pulse(&self) -> Result<Block> {
        let mut pulse = self.pulse.lock().await;
        if let Some((at, outcome)) = &*pulse
            && at.elapsed() < PULSE_FOR
        {
            return outcome.map_err(Failure::from);
        }
        let outcome = match self.latest().await {
            Ok(block) => match self.chain.identify().await {
                Ok(()) => Ok(block),
                Err(cause) => Err(Failure::caused(Kind::ChainMismatch, cause)),
            },
            Err(failure) => Err(failure),
        };
        let kept = match &outcome {
            Ok(block) => Ok(*block),
            Err(failure) => Err(failure.kind().unwrap_or(Kind::Internal)),
        };
        *pulse = Some((Instant::now(), kept));
        outcome
    }

    /// The index as it stands, once it holds `block`.
    ///
    /// # Errors
    /// `IndexBehind`.
    pub async fn index_at(&self, block: &Block) -> Result<View> {
        let deadline = Instant::now() + INDEX_WAIT;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            self.index.wait_for_block(block.number, left).await?;
            let view = self.index.latest().await?;
            let head = view.block();
            if holds(&head, block) {
                return Ok(view);
            }
            if left.is_zero() {
                let cause = anyhow!("the index has another block {}", block.number);
                return Err(Failure::caused(Kind::IndexBehind, cause));
            }
            sleep(LOOK_AGAIN).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A look at node and index, with nothing else going on.
    fn look(marks: &Marks, indexed: u64, latest: u64) -> std::result::Result<(), u64> {
        marks.admit(marks.indexed(), indexed, latest)
    }

    #[test]
    fn a_node_that_falls_behind_is_not_believed_until_it_has_caught_up() {
        let marks = Marks::default();
        assert_eq!(look(&marks, 7, 10), Ok(()));
        assert_eq!(look(&marks, 10, 9), Err(10));
        assert_eq!(
            look(&marks, 10, 10),
            Ok(()),
            "another block of the same height may be one"
        );
        // Behind the index is behind as well: after a restart nothing else is known.
        assert_eq!(look(&Marks::default(), 10, 9), Err(10));
    }

    #[test]
    fn a_chain_that_became_shorter_is_believed_once_the_index_says_so() {
        let marks = Marks::default();
        assert_eq!(look(&marks, 10, 10), Ok(()));
        assert_eq!(look(&marks, 10, 6), Err(10));
        assert_eq!(look(&marks, 6, 6), Ok(()));
        assert_eq!(look(&marks, 6, 5), Err(6));
        // An index that is merely late has taken nothing back.
        let marks = Marks::default();
        assert_eq!(look(&marks, 4, 10), Ok(()));
        assert_eq!(look(&marks, 6, 6), Err(10));
        // Nor has one that was asked before somebody else saw it further.
        assert_eq!(marks.admit(4, 5, 9), Err(10));
    }
}
