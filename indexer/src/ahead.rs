//! Fetches and decodes the chunks to come, and makes their rows, while the writer writes; gives them out in order.
use crate::{
    Deployment,
    decode::decode,
    model::{Block, Entry},
    source::{Chunk, Header, Source, TIP_BLOCKS, range_end},
    store::Rows,
};
use alloy::rpc::types::Log;
use anyhow::{Context, Result};
use std::{collections::VecDeque, mem::size_of};
use tokio_util::task::AbortOnDropHandle;

/// Chunks under way or waiting at once, the writer's own not counted. More only wait.
const CHUNKS_MOST: usize = 4;
/// Decoded logs and rows that are under way or waiting. The next chunk is begun where one as large as the largest lately fits in.
/// One that turns out larger is bounded by the largest answer that is read.
const BYTES_MOST: usize = 12 << 20;

/// More logs than that are decoded on a thread of their own: at about a microsecond each they would hold up other tasks.
const DECODE_HERE_MOST: usize = 256;

/// Blocks with their events, decoded.
pub struct Ready {
    pub first: Block,
    pub blocks: Vec<Block>,
    /// An error is of no meaning until `first` is seen to continue the checkpoint: the log may be another fork's.
    pub decoded: Result<(Vec<Entry>, Rows)>,
}

pub struct Ahead {
    source: Source,
    deployment: Deployment,
    /// Ascending, without gaps once [`Ahead::plan`] was called.
    fetches: VecDeque<Fetch>,
    /// Bytes of a chunk, as the last ones were.
    bytes_expected: usize,
}

/// Blocks `from` to `to`, or fewer: the rest is planned again.
struct Fetch {
    from: u64,
    to: u64,
    task: AbortOnDropHandle<Result<(Ready, usize)>>,
}

impl Ahead {
    pub fn new(source: Source, deployment: Deployment) -> Self {
        Self {
            source,
            deployment,
            fetches: VecDeque::new(),
            bytes_expected: 0,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.fetches.is_empty()
    }

    /// Whatever was fetched may be of a chain that is no more.
    pub fn drop_all(&mut self) {
        self.fetches.clear();
    }

    /// Begins what is worth fetching now, the block `from` before all.
    pub fn plan(&mut self, from: u64, tip: &Header) {
        // What lies below was given out, or was for a checkpoint that has moved.
        while self.fetches.front().is_some_and(|fetch| fetch.from < from) {
            self.fetches.pop_front();
        }
        let end = range_end(tip.block.number);
        if tip.block.number - from < TIP_BLOCKS {
            // Near the tip nothing is fetched before its turn: what is newest is fresh.
            self.fetches.clear();
            let (source, tip) = (self.source.clone(), *tip);
            let to = tip.block.number;
            self.begin(0, from, to, async move { source.chunk_by_hash(from, &tip).await });
            return;
        }
        // The front gave fewer blocks than it was asked for, or failed.
        if let Some(front) = self.fetches.front().map(|fetch| fetch.from)
            && front > from
        {
            self.begin_range(0, from, front - 1);
        }
        while self.fetches.len() < CHUNKS_MOST {
            let next = self.fetches.back().map_or(from, |fetch| fetch.to + 1);
            let (blocks, untried) = self.source.range();
            let full = (self.fetches.len() + 1) * self.bytes_expected > BYTES_MOST;
            if next > end || (!self.fetches.is_empty() && (untried || full)) {
                break;
            }
            self.begin_range(self.fetches.len(), next, end.min(next.saturating_add(blocks - 1)));
        }
    }

    /// The next chunk. Dropped before it is there, nothing is lost.
    pub async fn take(&mut self) -> Result<Ready> {
        let fetch = self.fetches.front_mut().context("nothing is being fetched")?;
        let outcome = (&mut fetch.task).await;
        self.fetches.pop_front();
        let (ready, bytes) = outcome.context("fetching ended badly")??;
        self.bytes_expected = bytes.max(self.bytes_expected / 2);
        Ok(ready)
    }

    fn begin_range(&mut self, at: usize, from: u64, to: u64) {
        let source = self.source.clone();
        self.begin(at, from, to, async move { source.chunk_by_range(from, to).await });
    }

    fn begin(&mut self, at: usize, from: u64, to: u64, chunk: impl Future<Output = Result<Chunk>> + Send + 'static) {
        let deployment = self.deployment;
        let task = tokio::spawn(async move {
            let chunk = chunk.await.with_context(|| format!("fetch blocks {from} to {to}"))?;
            if chunk.logs.len() <= DECODE_HERE_MOST {
                return Ok(ready(&deployment, chunk));
            }
            let decoded = tokio::task::spawn_blocking(move || ready(&deployment, chunk));
            decoded.await.context("decoding ended badly")
        });
        let task = AbortOnDropHandle::new(task);
        self.fetches.insert(at, Fetch { from, to, task });
    }
}

/// Decodes a chunk and makes its rows, and says how many bytes that is.
fn ready(deployment: &Deployment, chunk: Chunk) -> (Ready, usize) {
    let Chunk { first, blocks, logs } = chunk;
    let of_log = |log: &Log| size_of::<Entry>() + log.inner.data.data.len() + 32 * log.inner.data.topics().len();
    let bytes: usize = logs.iter().map(of_log).sum();
    let decoded = || -> Result<_> {
        let entries: Vec<_> = logs
            .iter()
            .map(|log| decode(deployment, log))
            .collect::<Result<_, _>>()?;
        let rows = Rows::of(&blocks, &entries)?;
        Ok((entries, rows))
    };
    let decoded = decoded();
    let of_rows = decoded.as_ref().map_or(0, |(_, rows)| rows.bytes());
    (Ready { first, blocks, decoded }, bytes + of_rows)
}
