//! The chain over JSON-RPC. Gives blocks and logs that are proved to belong together, or an error; never a guess.
//!
//! Near the tip each block is asked for by hash and linked to its parent, so that a reorg between two requests cannot
//! mix two chains. Further back, where reorgs are rare, ranges of blocks are asked for at once: the range's last block is
//! read before everything else and again after it, and the hash of every log is compared with its block's.
//!
//! A node may serve a header before it has indexed the block's logs, and then answers "no logs". So every header that is
//! fetched is held against the logs: where its bloom has one of our contracts and no log of that contract came, the
//! block is asked about again, and the receipts settle it. Near the tip that is every block. In a range only headers of
//! blocks with logs are fetched, and the first and last: a node that leaves out all logs of another block, when that is
//! at least [`TIP_BLOCKS`] old, is not found out.
use crate::{Deployment, model::Block};
use alloy::{
    network::Ethereum,
    primitives::{Address, B256, Bloom, BloomInput, U64},
    providers::{Provider, RootProvider},
    rpc::types::{Filter, Log},
    transports::{RpcError, TransportError, TransportErrorKind},
};
use anyhow::{Context, bail};
use futures::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{fmt::Debug, time::Duration};
use tokio::time::{sleep, timeout};

/// A node that has not answered by then is asked again.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);
/// How often one request is made before the step gives up. With the pauses below: about 1.5 s of trying.
const ATTEMPTS_MOST: u32 = 5;
const RETRY_PAUSE: Duration = Duration::from_millis(100);
/// No node's Retry-After is obeyed for longer: the pipeline would rather report trouble and try again.
const RETRY_PAUSE_MOST: Duration = Duration::from_secs(5);
/// Requests at once.
const PARALLEL: usize = 8;
/// This many newest blocks are asked for one by one, by hash: 16 s of Arbitrum. Deeper reorgs are rarer than a node's
/// timeouts, and a node that has not indexed a block's logs by then is broken rather than late.
const TIP_BLOCKS: u64 = 64;
/// How often a block is asked for logs that its bloom tells of, before its receipts are. Blooms of full blocks often
/// seem to have our contracts, so more would be wasted on most.
const LOGS_ATTEMPTS_MOST: u32 = 2;
/// Where the range of `eth_getLogs` starts and ends up. Most providers allow 500 to 10,000 blocks.
const RANGE_FIRST: u64 = 1_000;
const RANGE_MOST: u64 = 10_000;
/// After so many answered ranges a larger one is tried, lest one bad moment slow the indexer for ever.
const CALM_MOST: u32 = 64;
/// Logs in one answer to aim for: past it transactions grow long and memory large, and nothing gets faster.
const LOGS_AIM: usize = 4_000;

/// Why a step could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The node was not reached, or refused, in every attempt.
    #[error("{what}: {error}")]
    Unavailable { what: String, error: TransportError },
    /// Answers that do not fit together: the chain moved between them, or the node errs.
    #[error("the node's answers do not fit together: {0}")]
    Torn(String),
    #[error(
        "the chain ends at block {tip}, before the deployment's block {start_block}: it was reset, or the node is still \
         syncing"
    )]
    Short { tip: u64, start_block: u64 },
}

type Result<T> = std::result::Result<T, SourceError>;

/// A block with what its header tells of its logs.
#[derive(Clone, Copy, Debug)]
pub struct Header {
    pub block: Block,
    /// Over the address and topics of every log of the block.
    pub bloom: Bloom,
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

pub struct Source {
    provider: RootProvider<Ethereum>,
    deployment: Deployment,
    /// Blocks to ask for in one `eth_getLogs`.
    range: u64,
    /// What the node was seen to bear.
    range_most: u64,
    /// Ranges that were answered since `range_most` changed.
    calm: u32,
}

impl Source {
    pub fn new(url: &str, deployment: Deployment) -> anyhow::Result<Self> {
        let url = url.parse().with_context(|| format!("not a URL: {url}"))?;
        Ok(Self {
            provider: RootProvider::new_http(url),
            deployment,
            range: RANGE_FIRST,
            range_most: RANGE_MOST,
            calm: 0,
        })
    }

    /// Block 0. Fails for good where the node serves another chain than the deployment's; a chain that ends before the
    /// deployment's start may yet grow.
    pub async fn identify(&self) -> anyhow::Result<Block> {
        let chain_id: U64 = self.request("eth_chainId", ()).await?;
        let Deployment {
            chain_id: expected,
            genesis_hash,
            start_block,
            ..
        } = self.deployment;
        if chain_id.to::<u64>() != expected {
            bail!(WrongChain(format!(
                "the node serves chain id {chain_id}, the deployment is on chain id {expected}"
            )));
        }
        let genesis = self
            .block(0)
            .await?
            .ok_or_else(|| SourceError::Torn("there is no block 0".into()))?;
        if genesis.hash != genesis_hash {
            bail!(WrongChain(format!(
                "the node's genesis block is {}, the deployment's is {genesis_hash}: another chain, or this one was \
                 reset. Deploy again, and index into a new database",
                genesis.hash
            )));
        }
        let tip = self.tip().await?.block.number;
        if tip < start_block {
            bail!(SourceError::Short { tip, start_block });
        }
        Ok(genesis)
    }

    /// The newest block.
    pub async fn tip(&self) -> Result<Header> {
        self.header("latest".into())
            .await?
            .ok_or_else(|| SourceError::Torn("there is no latest block".into()))
    }

    /// The block of this number on the node's chain; `None` past its end.
    pub async fn block(&self, number: u64) -> Result<Option<Block>> {
        Ok(self.header_at(number).await?.map(|header| header.block))
    }

    /// The next blocks from `from` on, which must not be past `tip`. The chunk hangs together; whether it continues
    /// what is stored shows in `first.parent`.
    pub async fn chunk(&mut self, from: u64, tip: &Header) -> Result<Chunk> {
        if tip.block.number - from < TIP_BLOCKS {
            self.chunk_by_hash(from, tip).await
        } else {
            self.chunk_by_range(from, tip.block.number - TIP_BLOCKS).await
        }
    }

    async fn chunk_by_hash(&self, from: u64, tip: &Header) -> Result<Chunk> {
        let headers: Vec<Header> = stream::iter(from..tip.block.number)
            .map(|number| self.present_header(number))
            .buffered(PARALLEL)
            .chain(stream::iter([Ok(*tip)]))
            .try_collect()
            .await?;
        linked(&headers)?;
        let per_block: Vec<(Header, Vec<Log>)> = stream::iter(headers)
            .map(|header| async move { Ok((header, self.logs_of(&header).await?)) })
            .buffered(PARALLEL)
            .try_collect()
            .await?;
        // A node may answer "no logs" for a block that it has since dropped.
        self.still_there(&tip.block).await?;
        Chunk::new(per_block)
    }

    async fn chunk_by_range(&mut self, from: u64, most: u64) -> Result<Chunk> {
        let (last, mut logs) = loop {
            let to = most.min(from.saturating_add(self.range - 1));
            // Read before everything else and again after it: the frame that holds the chunk together.
            let last = self.present_header(to).await?;
            let filter = Filter::new()
                .from_block(from)
                .to_block(to)
                .address(self.deployment.contracts().to_vec());
            match self
                .request_once::<_, Vec<Log>>("eth_getLogs", &(filter.clone(),))
                .await
            {
                Ok(logs) => break (last, logs),
                // Limits have as many dialects as there are providers. A smaller question is always understood.
                Err(error) if to > from && shrinks(&error) => {
                    self.range = (to - from).div_ceil(2);
                    self.range_most = self.range;
                    self.calm = 0;
                    tracing::debug!(from, to, range = self.range, %error, "smaller eth_getLogs range");
                }
                Err(_) => break (last, self.request("eth_getLogs", (filter,)).await?),
            }
        };
        let to = last.block.number;
        let mut numbers: Vec<u64> = logs.iter().filter_map(|log| log.block_number).collect();
        numbers.push(from);
        numbers.retain(|number| *number != to);
        numbers.sort_unstable();
        numbers.dedup();
        if numbers.iter().any(|n| !(from..to).contains(n)) {
            return Err(SourceError::Torn(format!("logs from outside blocks {from} to {to}")));
        }
        let mut headers: Vec<Header> = stream::iter(numbers)
            .map(|number| self.present_header(number))
            .buffered(PARALLEL)
            .try_collect()
            .await?;
        headers.push(last);
        linked(&headers)?;
        check_logs(&mut logs, &headers, self.deployment.contracts())?;
        self.learn(logs.len());
        let mut logs = logs.into_iter().peekable();
        let mut per_block = Vec::with_capacity(headers.len());
        for header in headers {
            let given = std::iter::from_fn(|| logs.next_if(|log| log.block_number == Some(header.block.number)));
            let mut given: Vec<Log> = given.collect();
            if header.left_out(&given, self.deployment.contracts()).is_some() {
                given = self.logs_of(&header).await?;
            }
            per_block.push((header, given));
        }
        self.still_there(&last.block).await?;
        Chunk::new(per_block)
    }

    /// The logs of our contracts in one block; that none is left out is checked against the header.
    async fn logs_of(&self, header: &Header) -> Result<Vec<Log>> {
        let mut attempt = 1;
        loop {
            let filter = Filter::new()
                .at_block_hash(header.block.hash)
                .address(self.deployment.contracts().to_vec());
            let mut logs: Vec<Log> = self.request("eth_getLogs", (filter,)).await?;
            check_logs(&mut logs, &[*header], self.deployment.contracts())?;
            let Some(contract) = header.left_out(&logs, self.deployment.contracts()) else {
                return Ok(logs);
            };
            if attempt == LOGS_ATTEMPTS_MOST {
                return self.logs_from_receipts(header, contract).await;
            }
            sleep(RETRY_PAUSE).await;
            attempt += 1;
        }
    }

    /// The same from the block's receipts, which are proved whole: all their logs give the header's bloom.
    /// `contract` seems to be left out by `eth_getLogs`.
    async fn logs_from_receipts(&self, header: &Header, contract: Address) -> Result<Vec<Log>> {
        let number = header.block.number;
        // By number, which more nodes understand than a hash; the bloom and the logs' block hashes tell which block it is.
        let receipts: Option<Vec<Receipt>> = self
            .request("eth_getBlockReceipts", (format!("{number:#x}"),))
            .await
            .map_err(|error| match error {
                SourceError::Unavailable { what, error } => SourceError::Unavailable {
                    what: format!(
                        "the header of block {number} tells of logs of {contract}, eth_getLogs gives none; to settle \
                         it, {what}"
                    ),
                    error,
                },
                error => error,
            })?;
        let receipts = receipts.ok_or_else(|| torn_at(number))?;
        let mut logs: Vec<Log> = receipts.into_iter().flat_map(|receipt| receipt.logs).collect();
        let mut bloom = Bloom::ZERO;
        for log in &logs {
            bloom.accrue_log(&log.inner);
        }
        if bloom != header.bloom {
            return Err(SourceError::Torn(format!(
                "the receipts of block {number} are not those that its header tells of"
            )));
        }
        logs.retain(|log| self.deployment.contracts().contains(&log.inner.address));
        check_logs(&mut logs, &[*header], self.deployment.contracts())?;
        tracing::debug!(number, %contract, found = logs.len(), "asked the receipts for logs");
        Ok(logs)
    }

    /// The next range, after one that brought so many logs.
    fn learn(&mut self, logs: usize) {
        self.calm += 1;
        if self.calm == CALM_MOST {
            self.calm = 0;
            self.range_most = (self.range_most * 2).min(RANGE_MOST);
        }
        self.range = if logs > LOGS_AIM {
            (self.range / 2).max(1)
        } else {
            (self.range * 2).min(self.range_most)
        };
    }

    async fn present_header(&self, number: u64) -> Result<Header> {
        self.header_at(number).await?.ok_or_else(|| torn_at(number))
    }

    async fn still_there(&self, block: &Block) -> Result<()> {
        if self.present_header(block.number).await?.block == *block {
            Ok(())
        } else {
            Err(torn_at(block.number))
        }
    }

    async fn header_at(&self, number: u64) -> Result<Option<Header>> {
        match self.header(format!("{number:#x}")).await? {
            Some(Header { block, .. }) if block.number != number => Err(SourceError::Torn(format!(
                "asked for block {number}, got block {}",
                block.number
            ))),
            header => Ok(header),
        }
    }

    async fn header(&self, which: String) -> Result<Option<Header>> {
        let header: Option<HeaderAnswer> = self.request("eth_getBlockByNumber", (which, false)).await?;
        Ok(header.map(|h| Header {
            block: Block {
                number: h.number.to(),
                hash: h.hash,
                parent: h.parent_hash,
                time: h.timestamp.to(),
            },
            bloom: h.logs_bloom,
        }))
    }

    async fn request<P: Params, R: Answer>(&self, method: &'static str, params: P) -> Result<R> {
        let mut attempt = 1;
        loop {
            let error = match self.request_once(method, &params).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            if let RpcError::DeserError { err, .. } = &error {
                return Err(SourceError::Torn(format!(
                    "the answer to {method} cannot be read: {err}"
                )));
            }
            if attempt == ATTEMPTS_MOST {
                return Err(SourceError::Unavailable {
                    what: method.into(),
                    error,
                });
            }
            let pause = match &error {
                RpcError::Transport(TransportErrorKind::HttpErrorWithRetryAfter { retry_after, .. }) => *retry_after,
                _ => RETRY_PAUSE * 2u32.pow(attempt - 1),
            };
            tracing::debug!(method, attempt, %error, "request failed, retrying");
            sleep(pause.min(RETRY_PAUSE_MOST)).await;
            attempt += 1;
        }
    }

    async fn request_once<P: Params, R: Answer>(
        &self,
        method: &'static str,
        params: &P,
    ) -> std::result::Result<R, TransportError> {
        match timeout(REQUEST_TIMEOUT, self.provider.raw_request(method.into(), params)).await {
            Ok(answer) => answer,
            Err(_) => Err(TransportErrorKind::custom_str("timed out")),
        }
    }
}

/// What alloy can send, and receive.
trait Params: Serialize + Clone + Debug + Send + Sync + Unpin {}
impl<T: Serialize + Clone + Debug + Send + Sync + Unpin> Params for T {}
trait Answer: DeserializeOwned + Debug + Send + Sync + Unpin + 'static {}
impl<T: DeserializeOwned + Debug + Send + Sync + Unpin + 'static> Answer for T {}

/// The part of a header that is read. Nodes differ in the rest.
#[derive(Deserialize, Debug)]
#[serde(rename_all = "camelCase")]
struct HeaderAnswer {
    number: U64,
    hash: B256,
    parent_hash: B256,
    timestamp: U64,
    logs_bloom: Bloom,
}

/// The part of a receipt that is read.
#[derive(Deserialize, Debug)]
struct Receipt {
    logs: Vec<Log>,
}

impl Header {
    /// The first of `contracts` that the bloom has and that none of `logs`, this block's, is of. A bloom may have it by
    /// chance; it never lacks one that logged.
    fn left_out(&self, logs: &[Log], contracts: [Address; 5]) -> Option<Address> {
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

/// Checks that each block names the one before it as its parent, where both are here. `headers` is ascending.
fn linked(headers: &[Header]) -> Result<()> {
    let torn = |pair: &&[Header]| {
        let (parent, child) = (&pair[0].block, &pair[1].block);
        child.number == parent.number + 1 && child.parent != parent.hash
    };
    match headers.windows(2).find(torn) {
        Some(pair) => Err(torn_at(pair[1].block.number)),
        None => Ok(()),
    }
}

/// The node does not serve the deployment's chain. Trying again does not help.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct WrongChain(String);

fn torn_at(number: u64) -> SourceError {
    SourceError::Torn(format!("the chain changed around block {number}"))
}

/// Whether a smaller range may be answered where this one was not: an error that the node spelled out, an answer
/// that was too slow. Not a rate limit, and not a node that is not there.
fn shrinks(error: &TransportError) -> bool {
    match error {
        RpcError::ErrorResp(_) => true,
        RpcError::Transport(TransportErrorKind::HttpError(http)) => {
            matches!(http.status, 400 | 413 | 500 | 504)
        }
        RpcError::Transport(TransportErrorKind::Custom(_)) => error.to_string().contains("timed out"),
        _ => false,
    }
}

/// Sorts `logs` and checks that each is mined, once, by one of our contracts, in one of the blocks of `headers`
/// (ascending), whose bloom has it.
fn check_logs(logs: &mut [Log], headers: &[Header], addresses: [Address; 5]) -> Result<()> {
    logs.sort_by_key(|log| (log.block_number, log.log_index));
    for log in &*logs {
        let (Some(number), Some(hash), Some(index)) = (log.block_number, log.block_hash, log.log_index) else {
            return Err(SourceError::Torn("a log that is not mined".into()));
        };
        if log.removed || log.transaction_hash.is_none() || !addresses.contains(&log.inner.address) {
            return Err(SourceError::Torn(format!(
                "log {index} of block {number} was not asked for"
            )));
        }
        let header = match headers.binary_search_by_key(&number, |header| header.block.number) {
            Ok(found) if headers[found].block.hash == hash => &headers[found],
            _ => return Err(torn_at(number)),
        };
        if !header.bloom.contains_raw_log(log.inner.address, log.inner.topics()) {
            return Err(SourceError::Torn(format!(
                "the header of block {number} denies log {index}: its bloom lacks it"
            )));
        }
    }
    let place = |log: &Log| (log.block_number, log.log_index);
    match logs.windows(2).find(|pair| place(&pair[0]) == place(&pair[1])) {
        Some(pair) => Err(SourceError::Torn(format!(
            "two logs at the same place: {:?}",
            place(&pair[0])
        ))),
        None => Ok(()),
    }
}
