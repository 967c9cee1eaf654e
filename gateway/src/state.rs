//! What every handler works with.
use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use alloy::{primitives::Address, signers::local::PrivateKeySigner};
use medlock_indexer::{Deployment, Index};
use medlock_store::Store;
use tokio::sync::Semaphore;

use crate::{
    chain::{Block, Chain},
    db::Db,
    limits::Limits,
    problem::Result,
    session::Site,
};

/// How long a question waits for the index to reach the chain's head: a few polls. It makes what a caller has just
/// written visible to its next request.
const INDEX_WAIT: Duration = Duration::from_secs(2);

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
    pub site: Site,
    pub limits: Limits,
    /// One permit for each request at work.
    pub at_once: Semaphore,
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

    /// UNIX seconds.
    pub fn now(&self) -> u64 {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |time| time.as_secs())
    }

    /// The index, once it holds `block`.
    ///
    /// # Errors
    /// `IndexBehind`.
    pub async fn index_at(&self, block: &Block) -> Result<&Index> {
        self.index.wait_for_block(block.number, INDEX_WAIT).await?;
        Ok(&self.index)
    }
}
