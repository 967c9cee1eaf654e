//! The chain over JSON-RPC. Gives blocks and logs that are proved to belong together, or an error; never a guess.
//!
//! What is believed, and why:
//! - A header is what its hash is of (recomputed), where the chain's headers can be: see [`Rules`].
//! - Near the tip each block is linked to its parent, and its logs come from its receipts, whose root its header has:
//!   none can be forged, left out or added. Where the node does not serve receipts, by block hash, held against the bloom.
//! - Further back, where reorgs are rare, ranges of blocks are asked for at once: the range's last block is read before
//!   everything else and again after it, the hash of every log is compared with its block's, and each header that is read
//!   is held against the logs. Headers of blocks with logs are read, of the first and the last, and of a few others that the
//!   node cannot foresee. Where one of those has logs, every header of the range is. So a node that leaves out all logs of many
//!   blocks is found out; one that does so of a single block, at least [`TIP_BLOCKS`] old, for certain only where every header
//!   is read from the first ([`Endpoints::every_header`]).
//! - What a step brings comes from one endpoint. Where a quorum is asked for, so many must tell the hash of its last block.
//!
//! Start reading at [`Source`], then `read.rs`. `endpoint.rs` is one node and what it was seen to bear, `limits.rs` how
//! many blocks it is asked for at once, `dialect.rs` what its errors mean, `wire.rs` what comes over the line.
mod check;
mod dialect;
mod endpoint;
mod limits;
mod read;
mod socket;
mod transport;
mod wire;

use crate::{
    CONTRACTS, Deployment,
    endpoints::{Endpoints, labels},
    model::Block,
};
use alloy::{
    primitives::{Address, B256, Bloom, BloomInput},
    rpc::types::Log,
};
use anyhow::{Context, bail, ensure};
use dialect::{Hint, Meaning};
use endpoint::{Endpoint, Standing};
use futures::{StreamExt, stream};
use read::Reader;
use std::{
    collections::BTreeMap,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{sync::Notify, time::sleep};
use tokio_util::task::AbortOnDropHandle;

pub use endpoint::Traffic;
pub use read::range_end;

/// This many newest blocks are asked for one by one, by hash: 16 s of Arbitrum. Deeper reorgs are rarer than a node's
/// timeouts, and a node that has not indexed a block's logs by then is broken rather than late.
pub const TIP_BLOCKS: u64 = 64;
/// How often all endpoints are looked at, where there are several.
const SURVEY: Duration = Duration::from_secs(2);
/// An endpoint that is so far behind another does not lead: 10 s of Arbitrum.
const LAG_BLOCKS_MOST: u64 = 40;
/// How often, and with which pause, the others are asked whether they have a block too: they hear of it later.
const QUORUM_ATTEMPTS_MOST: u32 = 10;
const QUORUM_PAUSE: Duration = Duration::from_millis(50);

/// Why a step could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The node was not reached, or refused, in every attempt.
    #[error("{what}: {fault}")]
    Unavailable { what: String, fault: Fault },
    /// Answers that do not fit together: the chain moved between them, or the node errs.
    #[error("the node's answers do not fit together: {0}")]
    Torn(String),
    #[error(
        "the chain ends at block {tip}, before the deployment's block {start_block}: it was reset, or the node is still \
         syncing"
    )]
    Short { tip: u64, start_block: u64 },
    #[error("the node is pruned: an archive or full node is needed ({0})")]
    Pruned(String),
    #[error("{wanted} endpoints must agree about block {number}, and do not: {said}")]
    Disagreement { number: u64, wanted: usize, said: String },
    #[error("{label}: {error}")]
    At { label: String, error: Box<SourceError> },
}

/// Why one request failed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Fault {
    /// No connection, a connection that broke, a server's error that is not about the request.
    #[error("{0}")]
    Unreachable(String),
    #[error("timed out")]
    Slow,
    #[error("too many requests")]
    RateLimited(Option<Duration>),
    #[error("the answer, or the request, is too large")]
    TooLarge,
    /// An error's status without an error's words.
    #[error("{0}")]
    Opaque(String),
    #[error("{0}")]
    Garbled(String),
    #[error("error {code}: {message}")]
    Refused {
        meaning: Meaning,
        code: i64,
        message: String,
    },
}

impl Fault {
    /// Whether a smaller range may be answered where this one was not.
    fn is_about_size(&self) -> bool {
        matches!(
            self,
            Self::Slow
                | Self::TooLarge
                | Self::Opaque(_)
                | Self::Refused {
                    meaning: Meaning::TooMuch(_),
                    ..
                }
        )
    }

    /// What to ask for instead. `None`: the answer was too large to be read.
    fn hint(&self) -> Option<Hint> {
        match self {
            Self::TooLarge => None,
            Self::Refused {
                meaning: Meaning::TooMuch(hint),
                ..
            } => Some(*hint),
            _ => Some(Hint::None),
        }
    }

    fn may_pass(&self) -> bool {
        !matches!(
            self,
            Self::TooLarge
                | Self::Refused {
                    meaning: Meaning::Unsupported | Meaning::Pruned,
                    ..
                }
        )
    }

    fn is_unsupported(&self) -> bool {
        matches!(
            self,
            Self::Refused {
                meaning: Meaning::Unsupported,
                ..
            }
        )
    }

    /// Whether what came instead of a batch's answers says that batches, or such large ones, are not served.
    fn refuses_batches(&self) -> bool {
        match self {
            Self::TooLarge => true,
            // Invalid request, no such method, invalid parameters.
            Self::Refused { code, message, .. } => {
                (-32602..=-32600).contains(code) || message.to_lowercase().contains("batch")
            }
            _ => false,
        }
    }

    fn of(self, what: &str) -> SourceError {
        match self {
            Self::Refused {
                meaning: Meaning::Pruned,
                message,
                ..
            } => SourceError::Pruned(format!("{what}: {message}")),
            Self::Garbled(why) => SourceError::Torn(format!("{what}: {why}")),
            fault => SourceError::Unavailable {
                what: what.into(),
                fault,
            },
        }
    }
}

type Result<T> = std::result::Result<T, SourceError>;

/// The node does not serve the deployment's chain. Trying again does not help.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct WrongChain(String);

/// A block with what its header tells of its logs.
#[derive(Clone, Copy, Debug)]
pub struct Header {
    pub block: Block,
    /// Over the address and topics of every log of the block.
    pub bloom: Bloom,
    pub receipts_root: B256,
    /// Whether the hash is what the fields give.
    pub proved: bool,
}

/// Consecutive blocks' worth of chain.
#[derive(Debug)]
pub struct Chunk {
    pub first: Block,
    /// Ascending: every block with a log, and the last block of the chunk.
    pub blocks: Vec<Block>,
    /// Ascending by block and log index. Each stands in one of `blocks`.
    pub logs: Vec<Log>,
}

/// What every answer must be like. Settled once, at the first endpoint that shows it, and for all.
pub struct Rules {
    deployment: Deployment,
    every_header: bool,
    /// Whether the hash of the chain's headers can be recomputed: of all from the deployment's block on, or of none.
    headers: OnceLock<bool>,
    /// The same of receipts roots. Unset: no endpoint serves receipts.
    roots: OnceLock<bool>,
}

impl Rules {
    fn proves_headers(&self) -> bool {
        self.headers.get() == Some(&true)
    }

    fn proves_roots(&self) -> bool {
        self.roots.get() == Some(&true)
    }
}

/// How one endpoint is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointState {
    /// Scheme and host.
    pub label: String,
    /// Whether it would be asked now.
    pub healthy: bool,
    /// Whether it is the one that is asked.
    pub leads: bool,
    /// What it was set aside for, or refused for good.
    pub trouble: Option<Arc<str>>,
}

/// The chain, as the endpoints tell it. Cheap to clone.
#[derive(Clone)]
pub struct Source {
    shared: Arc<Shared>,
    /// Looks after all endpoints, where there are several.
    _survey: Option<Arc<AbortOnDropHandle<()>>>,
}

struct Shared {
    endpoints: Vec<Endpoint>,
    /// Index of the endpoint that is asked first.
    leader: AtomicUsize,
    rules: Rules,
    quorum: usize,
    news: Arc<Notify>,
    traffic: Arc<Traffic>,
}

/// What a step asks one endpoint for.
enum Want {
    Tip,
    Block(u64),
    ByHash(u64, Box<Header>),
    ByRange(u64, u64),
}

enum Got {
    Header(Option<Box<Header>>),
    Chunk(Chunk),
}

impl Source {
    pub fn new(endpoints: &Endpoints, deployment: Deployment) -> anyhow::Result<Self> {
        let Endpoints {
            urls,
            quorum,
            every_header,
            request_timeout,
        } = endpoints;
        ensure!(!urls.is_empty(), "no endpoint is given");
        ensure!(
            (1..=urls.len()).contains(quorum),
            "{quorum} of {} endpoints can never agree",
            urls.len()
        );
        let (news, traffic) = (Arc::new(Notify::new()), Arc::new(Traffic::default()));
        let endpoints = (urls.iter().zip(labels(urls)))
            .map(|(url, label)| {
                let several = urls.len() > 1;
                Endpoint::new(label, url, *request_timeout, several, news.clone(), traffic.clone())
            })
            .collect::<anyhow::Result<Vec<_>>>()?;
        let several = endpoints.len() > 1;
        let shared = Arc::new(Shared {
            endpoints,
            leader: AtomicUsize::new(0),
            rules: Rules {
                deployment,
                every_header: *every_header,
                headers: OnceLock::new(),
                roots: OnceLock::new(),
            },
            quorum: *quorum,
            news,
            traffic,
        });
        let survey = several.then(|| Arc::new(AbortOnDropHandle::new(tokio::spawn(survey(shared.clone())))));
        Ok(Self {
            shared,
            _survey: survey,
        })
    }

    /// Block 0. Fails for good where no endpoint serves the deployment's chain.
    pub async fn identify(&self) -> anyhow::Result<Block> {
        // Whatever was known of them is looked at again.
        let endpoints = &self.shared.endpoints;
        for endpoint in endpoints.iter().filter(|endpoint| !endpoint.is_foreign()) {
            endpoint.state().standing = Standing::Unknown;
        }
        match self.step(Want::Block(0)).await? {
            Got::Header(Some(genesis)) => Ok(genesis.block),
            _ => bail!(SourceError::Torn("there is no block 0".into())),
        }
    }

    /// The newest block.
    pub async fn tip(&self) -> anyhow::Result<Header> {
        match self.step(Want::Tip).await? {
            Got::Header(Some(tip)) => Ok(*tip),
            _ => bail!(SourceError::Torn("there is no latest block".into())),
        }
    }

    /// The block of this number on the chain; `None` past its end.
    pub async fn block(&self, number: u64) -> anyhow::Result<Option<Block>> {
        match self.step(Want::Block(number)).await? {
            Got::Header(header) => Ok(header.map(|header| header.block)),
            Got::Chunk(_) => Ok(None),
        }
    }

    /// Blocks `from` to `to`, which are older than the newest [`TIP_BLOCKS`], or fewer, where so many are too much.
    /// The chunk hangs together; whether it continues what is stored shows in `first.parent`.
    pub async fn chunk_by_range(&self, from: u64, to: u64) -> anyhow::Result<Chunk> {
        self.chunk(Want::ByRange(from, to)).await
    }

    /// Blocks `from` to `tip`.
    pub async fn chunk_by_hash(&self, from: u64, tip: &Header) -> anyhow::Result<Chunk> {
        self.chunk(Want::ByHash(from, Box::new(*tip))).await
    }

    async fn chunk(&self, want: Want) -> anyhow::Result<Chunk> {
        match self.step(want).await? {
            Got::Chunk(chunk) => Ok(chunk),
            Got::Header(_) => bail!(SourceError::Torn("no blocks were read".into())),
        }
    }

    /// How many blocks to ask for next, and whether that was never tried.
    pub fn range(&self) -> (u64, bool) {
        let limits = self.shared.leader().limits();
        (limits.size(), limits.untried())
    }

    /// What the leading endpoint calls safe and finalized.
    pub async fn finality(&self) -> [Option<Block>; 2] {
        self.shared.reader(self.shared.leader()).finality().await
    }

    /// Returns once a new block was heard of. Pends for ever over HTTP.
    pub async fn news(&self) {
        self.shared.news.notified().await;
    }

    pub fn traffic(&self) -> Arc<Traffic> {
        self.shared.traffic.clone()
    }

    pub fn endpoints(&self) -> Vec<EndpointState> {
        let leader = self.shared.leader.load(Relaxed);
        (self.shared.endpoints.iter().enumerate())
            .map(|(at, endpoint)| {
                let healthy = endpoint.is_healthy();
                let state = endpoint.state();
                let trouble = match &state.standing {
                    Standing::Foreign(why) => Some(why.clone()),
                    _ => state.trouble.clone(),
                };
                EndpointState {
                    label: endpoint.label.clone(),
                    healthy,
                    leads: at == leader,
                    trouble,
                }
            })
            .collect()
    }

    /// Fails where fewer endpoints than must agree hold another block, or none, in the place of this one. With that, one
    /// endpoint alone cannot make us take back what several told.
    pub async fn confirm_gone(&self, block: &Block) -> anyhow::Result<()> {
        let shared = &self.shared;
        if shared.quorum == 1 {
            return Ok(());
        }
        let told = shared.ask_all(block.number).await;
        let deny = told.values().filter(|told| **told != Told::Block(block.hash)).count();
        if deny < shared.quorum || told.is_empty() {
            bail!(shared.disagreement(block.number, &told));
        }
        Ok(())
    }

    /// Asks the leader, and the next where it fails, each at most once.
    async fn step(&self, want: Want) -> anyhow::Result<Got> {
        let shared = &self.shared;
        let mut failed = None;
        for at in shared.candidates() {
            let endpoint = &shared.endpoints[at];
            let error = match shared.attempt(endpoint, &want).await {
                Ok(got) => {
                    endpoint.served();
                    shared.leader.store(at, Relaxed);
                    return Ok(got);
                }
                Err(error) => error,
            };
            if !shared.note(endpoint, &error) {
                return Err(error);
            }
            if let Ok(error) = error.downcast::<SourceError>() {
                failed.get_or_insert(shared.named(endpoint, error));
            }
        }
        match failed {
            // What waiting may mend, and it has not served another chain.
            Some(error) => bail!(error),
            None if shared.endpoints.iter().all(Endpoint::is_foreign) => bail!(WrongChain(shared.foreign())),
            None => bail!(SourceError::Unavailable {
                what: "the endpoints of this chain are set aside".into(),
                fault: Fault::Unreachable(format!("others serve another chain: {}", shared.foreign())),
            }),
        }
    }
}

impl Shared {
    fn leader(&self) -> &Endpoint {
        // Stored indices are of this list, which does not change.
        &self.endpoints[self.leader.load(Relaxed)]
    }

    fn reader<'a>(&'a self, endpoint: &'a Endpoint) -> Reader<'a> {
        Reader {
            endpoint,
            rules: &self.rules,
        }
    }

    /// The endpoints to try, in order: the leader, the other healthy ones; where none is healthy, the one whose time comes
    /// first. Never one of another chain.
    fn candidates(&self) -> Vec<usize> {
        let leader = self.leader.load(Relaxed);
        let mut healthy = self.healthy();
        healthy.sort_by_key(|at| *at != leader);
        if !healthy.is_empty() {
            return healthy;
        }
        let ours = (0..self.endpoints.len()).filter(|at| !self.endpoints[*at].is_foreign());
        ours.min_by_key(|at| self.endpoints[*at].aside_until())
            .into_iter()
            .collect()
    }

    fn healthy(&self) -> Vec<usize> {
        (0..self.endpoints.len())
            .filter(|at| self.endpoints[*at].is_healthy())
            .collect()
    }

    async fn attempt(&self, endpoint: &Endpoint, want: &Want) -> anyhow::Result<Got> {
        let reader = self.reader(endpoint);
        self.known(endpoint).await?;
        let chunk = match want {
            Want::Tip => return Ok(Got::Header(Some(Box::new(reader.tip().await?)))),
            Want::Block(number) => return Ok(Got::Header(reader.header_at(*number).await?.map(Box::new))),
            Want::ByHash(from, tip) => reader.chunk_by_hash(*from, tip).await?,
            Want::ByRange(from, to) => reader.chunk_by_range(*from, *to).await?,
        };
        let last = chunk.blocks.last().context("a chunk without blocks")?;
        self.confirm(endpoint, last).await?;
        Ok(Got::Chunk(chunk))
    }

    /// Makes sure that the endpoint serves the deployment's chain, before it is believed anything.
    async fn known(&self, endpoint: &Endpoint) -> anyhow::Result<()> {
        if endpoint.state().standing != Standing::Ours {
            self.reader(endpoint).identify().await?;
            endpoint.state().standing = Standing::Ours;
        }
        Ok(())
    }

    /// Remembers what became of a step. Whether another endpoint may be asked instead.
    fn note(&self, endpoint: &Endpoint, error: &anyhow::Error) -> bool {
        let why: Arc<str> = format!("{error:#}").into();
        if error.downcast_ref::<WrongChain>().is_some() {
            tracing::error!(endpoint = endpoint.label, "never asked again: {error:#}");
            endpoint.state().standing = Standing::Foreign(why);
            return true;
        }
        if is_source(error) {
            tracing::debug!(endpoint = endpoint.label, "set aside: {error:#}");
            endpoint.set_aside(why);
            return true;
        }
        false
    }

    /// Says which endpoint it was, where there are several.
    fn named(&self, endpoint: &Endpoint, error: SourceError) -> SourceError {
        if self.endpoints.len() == 1 {
            return error;
        }
        SourceError::At {
            label: endpoint.label.clone(),
            error: Box::new(error),
        }
    }

    fn foreign(&self) -> String {
        let each = self
            .endpoints
            .iter()
            .filter_map(|endpoint| match &endpoint.state().standing {
                Standing::Foreign(why) => Some(format!("{}: {why}", endpoint.label)),
                _ => None,
            });
        each.collect::<Vec<_>>().join("; ")
    }

    /// Fails unless enough endpoints tell the same hash of `block`, which `teller` told.
    async fn confirm(&self, teller: &Endpoint, block: &Block) -> Result<()> {
        if self.quorum == 1 {
            return Ok(());
        }
        let mut attempt = 1;
        loop {
            let mut told = self.ask_all(block.number).await;
            told.insert(teller.label.clone(), Told::Block(block.hash));
            let agree = told.values().filter(|told| **told == Told::Block(block.hash)).count();
            if agree >= self.quorum {
                return Ok(());
            }
            if attempt == QUORUM_ATTEMPTS_MOST {
                return Err(self.disagreement(block.number, &told));
            }
            sleep(QUORUM_PAUSE).await;
            attempt += 1;
        }
    }

    /// What each endpoint that can be asked tells of a block.
    async fn ask_all(&self, number: u64) -> BTreeMap<String, Told> {
        stream::iter(self.healthy())
            .map(|at| async move {
                let endpoint = &self.endpoints[at];
                let told = async {
                    self.known(endpoint).await?;
                    anyhow::Ok(self.reader(endpoint).header_at(number).await?)
                };
                let told = match told.await {
                    Ok(Some(header)) => Told::Block(header.block.hash),
                    Ok(None) => Told::Nothing,
                    Err(error) => {
                        self.note(endpoint, &error);
                        Told::Error
                    }
                };
                (endpoint.label.clone(), told)
            })
            .buffer_unordered(endpoint::PARALLEL)
            .collect()
            .await
    }

    fn disagreement(&self, number: u64, told: &BTreeMap<String, Told>) -> SourceError {
        let each = self.endpoints.iter().map(|endpoint| match told.get(&endpoint.label) {
            Some(Told::Block(hash)) => format!("{} has {hash}", endpoint.label),
            Some(Told::Nothing) => format!("{} has no such block", endpoint.label),
            Some(Told::Error) | None => format!("{} cannot be asked", endpoint.label),
        });
        SourceError::Disagreement {
            number,
            wanted: self.quorum,
            said: each.collect::<Vec<_>>().join(", "),
        }
    }
}

/// What an endpoint tells of a place in the chain.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    Block(B256),
    Nothing,
    Error,
}

/// Looks at all endpoints now and then, so that one that came back is known to have, and the first of those that are
/// up to date leads.
async fn survey(shared: Arc<Shared>) {
    loop {
        sleep(SURVEY).await;
        let tips: Vec<(usize, u64)> = stream::iter(shared.healthy())
            .map(|at| {
                let shared = &shared;
                async move {
                    let endpoint = &shared.endpoints[at];
                    match shared.attempt(endpoint, &Want::Tip).await {
                        Ok(Got::Header(Some(tip))) => Some((at, tip.block.number)),
                        Ok(_) => None,
                        Err(error) => {
                            shared.note(endpoint, &error);
                            None
                        }
                    }
                }
            })
            .buffer_unordered(endpoint::PARALLEL)
            .filter_map(|tip| async move { tip })
            .collect()
            .await;
        let newest = tips.iter().map(|(_, tip)| *tip).max().unwrap_or_default();
        for (at, tip) in &tips {
            if tip + LAG_BLOCKS_MOST < newest {
                let why = format!("{} blocks behind another endpoint", newest - tip);
                shared.endpoints[*at].set_aside(why.into());
            } else {
                shared.endpoints[*at].served();
            }
        }
        let in_time = tips
            .iter()
            .filter(|(_, tip)| tip + LAG_BLOCKS_MOST >= newest)
            .map(|(at, _)| *at);
        if let Some(first) = in_time.min() {
            let before = shared.leader.swap(first, Relaxed);
            if before != first {
                tracing::info!(endpoint = shared.endpoints[first].label, "this endpoint leads now");
            }
        }
    }
}

fn is_source(error: &anyhow::Error) -> bool {
    error.downcast_ref::<SourceError>().is_some()
}

fn torn_at(number: u64) -> SourceError {
    SourceError::Torn(format!("the chain changed around block {number}"))
}

impl Header {
    /// The first of `contracts` that the bloom has and that none of `logs`, this block's, is of. A bloom may have it by
    /// chance; it never lacks one that logged.
    fn left_out(&self, logs: &[Log], contracts: [Address; CONTRACTS]) -> Option<Address> {
        contracts.into_iter().find(|contract| {
            self.bloom.contains_input(BloomInput::Raw(contract.as_slice()))
                && logs.iter().all(|log| log.inner.address != *contract)
        })
    }
}

impl Chunk {
    /// `per_block`: ascending, at least one.
    fn new(per_block: Vec<(Header, Vec<Log>)>) -> Result<Self> {
        let (Some((first, _)), Some((last, _))) = (per_block.first(), per_block.last()) else {
            return Err(SourceError::Torn("no blocks were read".into()));
        };
        let (first, last) = (first.block, last.block);
        let told = |(header, logs): &&(Header, Vec<Log>)| header.block == last || !logs.is_empty();
        Ok(Self {
            first,
            blocks: per_block.iter().filter(told).map(|(header, _)| header.block).collect(),
            logs: per_block.into_iter().flat_map(|(_, logs)| logs).collect(),
        })
    }
}
