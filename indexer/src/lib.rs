//! The indexer: mirrors the events of Medlock's contracts into SQL, exactly, and answers questions from there.
//!
//! One pipeline: `source` (chain over RPC) -> `decode` (pure) -> `apply` (pure: events to changes) -> `store` (rows and
//! checkpoint in one transaction). Start reading at [`spawn`], then `pipeline.rs`; the tables are described in
//! `migrations/`, and the whole in README.md.
//!
//! It must never drop a log of our contracts, commit rows apart from their checkpoint, keep a row of a block that the
//! chain no longer holds, or be asked whether someone may read *now*: that is the contract's to say.
mod ahead;
mod apply;
mod db;
mod decode;
mod endpoints;
mod exposition;
mod index;
mod model;
mod pipeline;
mod rebuild;
mod serve;
mod source;
mod store;
mod tables;
mod verify;

pub use db::Database;
pub use endpoints::{Endpoints, REQUEST_TIMEOUT, label};
pub use exposition::{CONTENT_TYPE as METRICS_TYPE, Text as Metrics};
pub use index::{
    Anchor, Asked, Chart, Claim, ClaimFacts, ClaimLink, ClaimStep, ClaimsOf, Closing, Credential, CurrencySetting,
    CustodyStep, DataBatch, DataLock, Decision, Dispensing, DrugBatch, Emergency, EmergencyAccess, Finality,
    GivenGrant, Grant, Head, Index, IndexError, InsurerSetting, Live, Member, News, PAGE_MOST, Page, Participant,
    Party, PartyKey, Position, PositionError, Reader, Recall, Record, Rule, Shipment, ShipmentsOf, Site, Statistics,
    Status, Trial, TrialResult, TrialVersion, Unit, UnitOffer, UnitPlace, View, When, WrittenVersion,
};
pub use model::Block;
pub use pipeline::{Counters, Progress};
pub use rebuild::Rebuild;
pub use serve::{Server, serve};
pub use source::{EndpointState, Traffic};
pub use verify::{Difference, Verified, verify};

use alloy::primitives::{Address, B256};
use anyhow::{Context, Result, anyhow, ensure};
use endpoints::labels;
use pipeline::Pipeline;
use source::Source;
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use store::Store;
use tokio::{sync::watch, task::JoinHandle, time::timeout};

/// How many contracts a deployment has.
const CONTRACTS: usize = 8;

/// What to index. A database serves one deployment for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deployment {
    pub registry: Address,
    pub records: Address,
    pub exceptions: Address,
    pub relay: Address,
    pub audit: Address,
    pub claims: Address,
    pub supply: Address,
    pub trials: Address,
    /// The block of the first of these contracts' deployment: no event of theirs is before it.
    pub start_block: u64,
    pub chain_id: u64,
    /// Hash of block 0.
    pub genesis_hash: B256,
}

impl Deployment {
    /// The contracts whose events are indexed.
    #[must_use]
    pub fn contracts(&self) -> [Address; CONTRACTS] {
        [
            self.registry,
            self.records,
            self.exceptions,
            self.relay,
            self.audit,
            self.claims,
            self.supply,
            self.trials,
        ]
    }
}

#[derive(Clone, Debug)]
pub struct Config {
    /// Nodes of the chain.
    pub endpoints: Endpoints,
    pub deployment: Deployment,
    pub database: Database,
    /// How often to look for a new block. See [`POLL_MS`].
    pub poll_ms: u64,
}

/// The usual polling interval: under the block time of Arbitrum (250 ms).
pub const POLL_MS: u64 = 200;

/// Starts the pipeline and gives a handle on it.
///
/// Fails where the node is not reached, serves another chain than the deployment's, or was reset, and where the
/// database is of another deployment or a newer build. Once started, an unreachable node is waited for, and shown in
/// [`Status::trouble`]; what waiting does not mend stops the pipeline: see [`Handle::failed`].
pub async fn spawn(config: Config) -> Result<Handle> {
    start(config, Store::open).await
}

/// What came of asking one node.
#[derive(Clone, Debug)]
pub enum Probed {
    /// It serves the deployment's chain; its newest block.
    At(Block),
    /// It serves another; in words.
    Elsewhere(String),
    /// It did not answer, or not as a node does; in words, without what its URL may hold.
    Unreached(String),
}

/// Asks the node at `url` for its newest block, and takes no longer than `within`.
pub async fn probe(url: &str, deployment: Deployment, within: Duration) -> Probed {
    let endpoint = Endpoints {
        request_timeout: within,
        ..Endpoints::one(url)
    };
    let newest = async {
        let source = Source::new(&endpoint, deployment)?;
        source.identify().await?;
        Ok::<_, anyhow::Error>(source.tip().await?.block)
    };
    match timeout(within, newest).await {
        Ok(Ok(block)) => Probed::At(block),
        Ok(Err(error)) if error.is::<source::WrongChain>() => Probed::Elsewhere(format!("{error:#}")),
        Ok(Err(error)) => Probed::Unreached(format!("{error:#}")),
        Err(_) => Probed::Unreached("it does not answer".into()),
    }
}

async fn start(
    config: Config,
    open: impl AsyncFnOnce(&Database, &Deployment, Block) -> Result<Store>,
) -> Result<Handle> {
    let Config {
        endpoints,
        deployment,
        database,
        poll_ms,
    } = config;
    ensure!(poll_ms > 0, "poll_ms is 0: the node would be asked without a pause");
    let contracts = deployment.contracts();
    ensure!(
        BTreeSet::from(contracts).len() == contracts.len(),
        "two contracts of the deployment are the same: {deployment:?}"
    );
    let source = Source::new(&endpoints, deployment)?;
    let genesis = source
        .identify()
        .await
        .with_context(|| format!("indexer: chain at {}", labels(&endpoints.urls).join(", ")))?;
    let store = open(&database, &deployment, genesis).await?;
    let (progress, progress_seen) = watch::channel(Progress::new(&source));
    let index = Index::open_with(&database, Some(progress_seen.clone())).await?;
    let pipeline = Pipeline::new(deployment, source, store, Duration::from_millis(poll_ms), progress).await?;
    let (stop, stopped) = watch::channel(false);
    let task = tokio::spawn(pipeline.run(stopped));
    Ok(Handle {
        index,
        stop,
        task,
        progress: progress_seen,
    })
}

const PANICKED: &str = "the pipeline panicked";

/// A running pipeline. Dropping it stops the pipeline too, without waiting.
pub struct Handle {
    index: Index,
    stop: watch::Sender<bool>,
    task: JoinHandle<Result<()>>,
    progress: watch::Receiver<Progress>,
}

impl Handle {
    pub fn index(&self) -> Index {
        self.index.clone()
    }

    /// What the pipeline tells of itself, as it is now.
    pub fn progress(&self) -> Progress {
        self.progress.borrow().clone()
    }

    /// Waits until the newest block that a node has told of is indexed.
    ///
    /// # Errors
    /// Why the pipeline has ended before.
    pub async fn caught_up(&self) -> Result<(), Arc<str>> {
        let mut progress = self.progress.clone();
        let over = |p: &Progress| p.stopped.is_some() || (p.chain_head > 0 && p.indexed >= p.chain_head);
        match progress.wait_for(over).await.map(|p| p.stopped.clone()) {
            Ok(None) => Ok(()),
            Ok(Some(why)) => Err(why),
            Err(_) => Err(PANICKED.into()),
        }
    }

    /// See [`Index::wait_for_block`].
    pub async fn wait_for_block(&self, number: u64, within: Duration) -> Result<Head, IndexError> {
        self.index.wait_for_block(number, within).await
    }

    /// Waits until the pipeline has ended by itself, and says why. Pends while it runs.
    pub async fn failed(&self) -> Arc<str> {
        let mut progress = self.progress.clone();
        match progress.wait_for(|p| p.stopped.is_some()).await {
            Ok(p) => p.stopped.clone().unwrap_or_else(|| "shut down".into()),
            // The sender is gone without a word: the task panicked.
            Err(_) => PANICKED.into(),
        }
    }

    /// Ends the pipeline between two transactions and closes the database. Gives the pipeline's failure, if it had
    /// failed before.
    pub async fn shutdown(self) -> Result<()> {
        self.stop.send_replace(true);
        let outcome = self
            .task
            .await
            .map_err(|error| anyhow!("the indexer's task ended badly: {error}"));
        self.index.close().await;
        outcome?
    }
}
