//! The chain over JSON-RPC. Gives blocks and logs that are proved to belong together, or an error; never a guess.
//!
//! Near the tip each block is asked for by hash and linked to its parent, so that a reorg between two requests cannot
//! mix two chains. Further back, where reorgs are rare, ranges of blocks are asked for at once: the range's last block is
//! read before everything else and again after it, and the hash of every log is compared with its block's.
use crate::{Deployment, model::Block};
use alloy::{
    network::Ethereum,
    primitives::{Address, B256, U64},
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
/// This many newest blocks are asked for one by one, by hash. Deeper reorgs are rarer than a node's timeouts.
const TIP_BLOCKS: u64 = 16;
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
}

type Result<T> = std::result::Result<T, SourceError>;

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

    /// Block 0. Fails for good where the node serves another chain than the deployment's.
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
        let tip = self.tip().await?;
        if tip.number < start_block {
            bail!(WrongChain(format!(
                "the chain ends at block {}, before the deployment's block {start_block}: it was reset, or the node is \
                 still syncing",
                tip.number
            )));
        }
        Ok(genesis)
    }

    /// The newest block.
    pub async fn tip(&self) -> Result<Block> {
        self.header("latest".into())
            .await?
            .ok_or_else(|| SourceError::Torn("there is no latest block".into()))
    }

    /// The block of this number on the node's chain; `None` past its end.
    pub async fn block(&self, number: u64) -> Result<Option<Block>> {
        let block = self.header(format!("{number:#x}")).await?;
        match block {
            Some(block) if block.number != number => Err(SourceError::Torn(format!(
                "asked for block {number}, got block {}",
                block.number
            ))),
            block => Ok(block),
        }
    }

    /// The next blocks from `from` on, which must not be past `tip`. The chunk hangs together; whether it continues
    /// what is stored shows in `first.parent`.
    pub async fn chunk(&mut self, from: u64, tip: &Block) -> Result<Chunk> {
        if tip.number - from < TIP_BLOCKS {
            self.chunk_by_hash(from, tip).await
        } else {
            self.chunk_by_range(from, tip.number - TIP_BLOCKS).await
        }
    }

    async fn chunk_by_hash(&self, from: u64, tip: &Block) -> Result<Chunk> {
        let headers: Vec<Block> = stream::iter(from..tip.number)
            .map(|number| self.present_block(number))
            .buffered(PARALLEL)
            .chain(stream::iter([Ok(*tip)]))
            .try_collect()
            .await?;
        for pair in headers.windows(2) {
            if pair[1].parent != pair[0].hash {
                return Err(torn_at(pair[1].number));
            }
        }
        let per_block: Vec<Vec<Log>> = stream::iter(headers.clone())
            .map(|header| async move {
                let filter = Filter::new()
                    .at_block_hash(header.hash)
                    .address(self.addresses().to_vec());
                let mut logs: Vec<Log> = self.request("eth_getLogs", (filter,)).await?;
                check_logs(&mut logs, &[header], self.addresses())?;
                Ok(logs)
            })
            .buffered(PARALLEL)
            .try_collect()
            .await?;
        // A node may answer "no logs" for a block that it has since dropped.
        self.still_there(tip).await?;
        let last = headers.len() - 1;
        let blocks = headers
            .iter()
            .enumerate()
            .filter(|(i, _)| *i == last || !per_block[*i].is_empty())
            .map(|(_, header)| *header)
            .collect();
        Ok(Chunk {
            first: headers[0],
            blocks,
            logs: per_block.into_iter().flatten().collect(),
        })
    }

    async fn chunk_by_range(&mut self, from: u64, most: u64) -> Result<Chunk> {
        let (last, mut logs) = loop {
            let to = most.min(from.saturating_add(self.range - 1));
            // Read before everything else and again after it: the frame that holds the chunk together.
            let last = self.present_block(to).await?;
            let filter = Filter::new()
                .from_block(from)
                .to_block(to)
                .address(self.addresses().to_vec());
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
        let mut numbers: Vec<u64> = logs.iter().filter_map(|log| log.block_number).collect();
        numbers.push(from);
        numbers.retain(|number| *number != last.number);
        numbers.sort_unstable();
        numbers.dedup();
        if numbers.iter().any(|n| !(from..last.number).contains(n)) {
            return Err(SourceError::Torn(format!(
                "logs from outside blocks {from} to {}",
                last.number
            )));
        }
        let mut blocks: Vec<Block> = stream::iter(numbers)
            .map(|number| self.present_block(number))
            .buffered(PARALLEL)
            .try_collect()
            .await?;
        blocks.push(last);
        self.still_there(&last).await?;
        for pair in blocks.windows(2) {
            if pair[1].number == pair[0].number + 1 && pair[1].parent != pair[0].hash {
                return Err(torn_at(pair[1].number));
            }
        }
        check_logs(&mut logs, &blocks, self.addresses())?;
        let first = blocks[0];
        blocks.retain(|block| {
            let place = |log: &Log| log.block_number;
            *block == last || logs.binary_search_by_key(&Some(block.number), place).is_ok()
        });
        self.learn(logs.len());
        Ok(Chunk { first, blocks, logs })
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

    fn addresses(&self) -> [Address; 2] {
        [self.deployment.registry, self.deployment.records]
    }

    async fn present_block(&self, number: u64) -> Result<Block> {
        self.block(number).await?.ok_or_else(|| torn_at(number))
    }

    async fn still_there(&self, block: &Block) -> Result<()> {
        if self.present_block(block.number).await? == *block {
            Ok(())
        } else {
            Err(torn_at(block.number))
        }
    }

    async fn header(&self, which: String) -> Result<Option<Block>> {
        let header: Option<Header> = self.request("eth_getBlockByNumber", (which, false)).await?;
        Ok(header.map(|h| Block {
            number: h.number.to(),
            hash: h.hash,
            parent: h.parent_hash,
            time: h.timestamp.to(),
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
struct Header {
    number: U64,
    hash: B256,
    parent_hash: B256,
    timestamp: U64,
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

/// Sorts `logs` and checks that each is mined, once, by one of our contracts, in one of `blocks` (ascending).
fn check_logs(logs: &mut [Log], blocks: &[Block], addresses: [Address; 2]) -> Result<()> {
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
        match blocks.binary_search_by_key(&number, |block| block.number) {
            Ok(found) if blocks[found].hash == hash => {}
            _ => return Err(torn_at(number)),
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
