//! Reads blocks and logs from one endpoint, and proves that they belong together.
use super::{
    Chunk, Fault, Header, Result, Rules, SourceError, TIP_BLOCKS, WrongChain, check,
    endpoint::{Endpoint, PARALLEL},
    torn_at,
    wire::{Call, HeaderAnswer, LogAnswer, ReceiptAnswer, Receipts},
};
use crate::{Deployment, model::Block};
use alloy::{
    primitives::{Address, U64},
    rpc::types::Log,
};
use anyhow::bail;
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::json;
use std::{
    hash::{BuildHasher, RandomState},
    sync::atomic::Ordering::Relaxed,
    time::Duration,
};
use tokio::time::sleep;

/// How often a block is asked for logs that its bloom tells of, before its receipts are. Blooms of full blocks often
/// seem to have our contracts, so more would be wasted on most.
const LOGS_ATTEMPTS_MOST: u32 = 2;
const LOGS_PAUSE: Duration = Duration::from_millis(100);
/// Headers of each range that are read although no log tells of their blocks. They share a request with the others.
const AUDITED: u64 = 4;

/// One endpoint, and what its answers must be like.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    pub endpoint: &'a Endpoint,
    pub rules: &'a Rules,
}

impl Reader<'_> {
    /// Block 0. Fails for good where the node serves another chain than the deployment's; a chain that ends before the
    /// deployment's start may yet grow.
    pub async fn identify(self) -> anyhow::Result<Block> {
        let call = Call::new("eth_chainId", &json!([]));
        let chain_id: U64 = self.endpoint.ask_for(&call).await?.ok_or_else(|| null(&call))?;
        let Deployment {
            chain_id: expected,
            genesis_hash,
            start_block,
            ..
        } = self.rules.deployment;
        if chain_id.to::<u64>() != expected {
            bail!(WrongChain(format!(
                "the node serves chain id {chain_id}, the deployment is on chain id {expected}"
            )));
        }
        let genesis = self
            .header_at(0)
            .await?
            .ok_or_else(|| SourceError::Torn("there is no block 0".into()))?
            .block;
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
        self.learn_what_is_proved().await?;
        Ok(genesis)
    }

    /// Whether this chain's hashes and roots can be recomputed, seen at the deployment's block: once, so that no answer
    /// later can talk us out of it.
    async fn learn_what_is_proved(self) -> Result<()> {
        let start = self.present_header(self.rules.deployment.start_block).await?;
        if self.rules.headers.set(start.proved).is_ok() && !start.proved {
            tracing::warn!("this chain's block hashes cannot be recomputed: its nodes' headers are taken on trust");
        }
        if self.rules.roots.get().is_some() || !self.endpoint.receipts.load(Relaxed) {
            return Ok(());
        }
        match self.receipts(&start).await {
            Ok(receipts) => {
                let proved = receipts.root == start.receipts_root;
                if self.rules.roots.set(proved).is_ok() && !proved {
                    tracing::warn!(
                        "this chain's receipts roots cannot be recomputed: receipts are held against blooms"
                    );
                }
                Ok(())
            }
            // Of no use to prove anything; the next endpoint may be.
            Err(_) if !self.endpoint.receipts.load(Relaxed) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The newest block.
    pub async fn tip(self) -> Result<Header> {
        self.header("latest")
            .await?
            .ok_or_else(|| SourceError::Torn("there is no latest block".into()))
    }

    /// The block of this number on the node's chain; `None` past its end.
    pub async fn header_at(self, number: u64) -> Result<Option<Header>> {
        let header = self.header(&format!("{number:#x}")).await?;
        header.map(|header| numbered(header, number)).transpose()
    }

    pub async fn header(self, which: &str) -> Result<Option<Header>> {
        let answer = self.endpoint.ask_for(&Call::header(which)).await?;
        answer.map(|answer| self.check_header(answer)).transpose()
    }

    /// Of blocks that are there.
    async fn headers(self, numbers: &[u64]) -> Result<Vec<Header>> {
        let calls: Vec<Call> = numbers.iter().map(|n| Call::header(&format!("{n:#x}"))).collect();
        let answers = self.endpoint.ask_many(&calls).await?;
        (answers.into_iter().zip(numbers))
            .map(|(answer, number)| numbered(self.check_header(answer.ok_or_else(|| torn_at(*number))?)?, *number))
            .collect()
    }

    async fn present_header(self, number: u64) -> Result<Header> {
        self.header_at(number).await?.ok_or_else(|| torn_at(number))
    }

    /// Of a block far below the tip.
    async fn old_header(self, number: u64) -> Result<Header> {
        if let Some(header) = self.header_at(number).await? {
            return Ok(header);
        }
        let tip = self.tip().await?.block.number;
        Err(if tip < number {
            torn_at(number)
        } else {
            SourceError::Pruned(format!("its newest block is {tip}, and it has no block {number}"))
        })
    }

    fn check_header(self, answer: HeaderAnswer) -> Result<Header> {
        let header = answer.read();
        // Before the deployment headers may be of another make (Arbitrum One's first 22 million are).
        let ours = header.block.number >= self.rules.deployment.start_block;
        if ours && !header.proved && self.rules.headers.get() == Some(&true) {
            return Err(unproved(&header));
        }
        Ok(header)
    }

    /// Consecutive blocks up to `tip`, each by its hash.
    pub async fn chunk_by_hash(self, from: u64, tip: &Header) -> Result<Chunk> {
        let numbers: Vec<u64> = (from..tip.block.number).collect();
        let mut headers = self.headers(&numbers).await?;
        headers.push(*tip);
        check::linked(&headers)?;
        let per_block: Vec<(Header, Vec<Log>)> = stream::iter(headers)
            .map(|header| async move { Ok::<_, SourceError>((header, self.logs_at_the_tip(&header).await?)) })
            .buffered(PARALLEL)
            .try_collect()
            .await?;
        if !self.rules.proves_headers() {
            // A node may answer "no logs" for a block that it has since dropped.
            self.still_there(&tip.block).await?;
        }
        Chunk::new(per_block)
    }

    /// Blocks `from` to `most`, or fewer, where so many are too much.
    pub async fn chunk_by_range(self, from: u64, most: u64) -> Result<Chunk> {
        let every_header = self.rules.every_header;
        if let Some(chunk) = self.range(from, most, every_header).await? {
            return Ok(chunk);
        }
        tracing::warn!(
            from,
            "the node left out all logs of a block: reading the header of every block of the range"
        );
        let chunk = self.range(from, most, true).await?;
        chunk.ok_or_else(|| torn_at(from))
    }

    /// `None`, unless every header is read: a block has logs that the range's do not tell of.
    async fn range(self, from: u64, most: u64, every_header: bool) -> Result<Option<Chunk>> {
        let contracts = self.rules.deployment.contracts();
        let (last, mut logs) = loop {
            let to = most.min(from.saturating_add(self.endpoint.limits().size() - 1));
            // Read before everything else and again after it: the frame that holds the chunk together.
            let last = self.old_header(to).await?;
            let filter = json!([{
                "fromBlock": format!("{from:#x}"), "toBlock": format!("{to:#x}"), "address": contracts,
            }]);
            let call = Call::new("eth_getLogs", &filter);
            let asked = to - from + 1;
            match self.endpoint.ask::<Vec<LogAnswer>>(&call, Some((from, to))).await {
                Ok(logs) => {
                    let logs: Vec<Log> = logs.ok_or_else(|| null(&call))?.into_iter().map(Log::from).collect();
                    self.endpoint.limits().answered(asked, logs.len());
                    break (last, logs);
                }
                // Limits have as many dialects as there are providers. A smaller question is always understood.
                Err(fault) if asked > 1 && fault.is_about_size() => {
                    let mut limits = self.endpoint.limits();
                    match fault.hint() {
                        Some(hint) => limits.refused(from, asked, hint),
                        None => limits.too_large(asked),
                    }
                    tracing::debug!(from, to, size = limits.size(), %fault, "smaller eth_getLogs range");
                }
                Err(fault) => return Err(fault.of(call.method)),
            }
        };
        let to = last.block.number;
        let mut numbers: Vec<u64> = logs.iter().filter_map(|log| log.block_number).collect();
        numbers.push(from);
        if every_header {
            numbers.extend(from..to);
        } else {
            numbers.extend(some_of(from, to));
        }
        numbers.retain(|number| *number != to);
        numbers.sort_unstable();
        numbers.dedup();
        if numbers.iter().any(|n| !(from..to).contains(n)) {
            return Err(SourceError::Torn(format!("logs from outside blocks {from} to {to}")));
        }
        let mut headers = self.headers(&numbers).await?;
        headers.push(last);
        check::linked(&headers)?;
        check::logs(&mut logs, &headers, contracts)?;
        let mut logs = logs.into_iter().peekable();
        let mut per_block = Vec::with_capacity(headers.len());
        for header in headers {
            let given = std::iter::from_fn(|| logs.next_if(|log| log.block_number == Some(header.block.number)));
            let mut given: Vec<Log> = given.collect();
            if header.left_out(&given, contracts).is_some() {
                let none = given.is_empty();
                given = self.logs_of(&header).await?;
                if none && !given.is_empty() && !every_header {
                    return Ok(None);
                }
            }
            per_block.push((header, given));
        }
        self.still_there(&last.block).await?;
        Chunk::new(per_block).map(Some)
    }

    /// The logs of our contracts in a block that has just come: from its receipts, proved whole by the header, where the
    /// node serves them; at no cost, where the header denies that there are any.
    async fn logs_at_the_tip(self, header: &Header) -> Result<Vec<Log>> {
        let contracts = self.rules.deployment.contracts();
        if self.rules.proves_headers() {
            let Some(contract) = header.left_out(&[], contracts) else {
                return Ok(Vec::new());
            };
            if self.rules.proves_roots() && self.endpoint.receipts.load(Relaxed) {
                match self.logs_from_receipts(header, contract).await {
                    Err(_) if !self.endpoint.receipts.load(Relaxed) => {}
                    outcome => return outcome,
                }
            }
        }
        self.logs_of(header).await
    }

    /// The logs of our contracts in one block; that none is left out is checked against the header.
    async fn logs_of(self, header: &Header) -> Result<Vec<Log>> {
        let contracts = self.rules.deployment.contracts();
        let call = Call::new(
            "eth_getLogs",
            &json!([{ "blockHash": header.block.hash, "address": contracts }]),
        );
        let mut attempt = 1;
        loop {
            let logs: Vec<LogAnswer> = self.endpoint.ask_for(&call).await?.ok_or_else(|| null(&call))?;
            let mut logs: Vec<Log> = logs.into_iter().map(Log::from).collect();
            check::logs(&mut logs, &[*header], contracts)?;
            let Some(contract) = header.left_out(&logs, contracts) else {
                return Ok(logs);
            };
            if attempt == LOGS_ATTEMPTS_MOST {
                return self.logs_from_receipts(header, contract).await.map_err(|error| match error {
                    SourceError::Unavailable { what, fault } => SourceError::Unavailable {
                        what: format!(
                            "the header of block {} tells of logs of {contract}, eth_getLogs gives none; to settle it, \
                             {what}",
                            header.block.number
                        ),
                        fault,
                    },
                    error => error,
                });
            }
            sleep(LOGS_PAUSE).await;
            attempt += 1;
        }
    }

    /// The same from the block's receipts, which are proved whole: they give the header's receipts root, or where that
    /// cannot be recomputed, all their logs give its bloom. `contract` is in the bloom.
    async fn logs_from_receipts(self, header: &Header, contract: Address) -> Result<Vec<Log>> {
        let contracts = self.rules.deployment.contracts();
        let number = header.block.number;
        let receipts = self.receipts(header).await?;
        let rooted = !self.rules.proves_roots() || receipts.root == header.receipts_root;
        if receipts.bloom != header.bloom || !rooted {
            return Err(SourceError::Torn(format!(
                "the receipts of block {number} are not those that its header tells of"
            )));
        }
        let mut logs = receipts.logs;
        // The root tells their order, and so their places.
        if logs.iter().zip(0..).any(|(log, place)| log.log_index != Some(place)) {
            return Err(SourceError::Torn(format!(
                "the receipts of block {number} number its logs otherwise than they stand"
            )));
        }
        logs.retain(|log| contracts.contains(&log.inner.address));
        check::logs(&mut logs, &[*header], contracts)?;
        tracing::debug!(number, %contract, found = logs.len(), "asked the receipts for logs");
        Ok(logs)
    }

    async fn receipts(self, header: &Header) -> Result<Receipts> {
        let number = header.block.number;
        // By number, which more nodes understand than a hash; root, bloom and block hashes tell which block it is.
        let call = Call::new("eth_getBlockReceipts", &json!([format!("{number:#x}")]));
        match self.endpoint.ask::<Vec<ReceiptAnswer>>(&call, None).await {
            Ok(receipts) => Ok(Receipts::read(receipts.ok_or_else(|| torn_at(number))?)),
            Err(fault) => {
                if fault.is_unsupported() {
                    self.endpoint.receipts.store(false, Relaxed);
                }
                Err(fault.of(call.method))
            }
        }
    }

    async fn still_there(self, block: &Block) -> Result<()> {
        if self.present_header(block.number).await?.block == *block {
            Ok(())
        } else {
            Err(torn_at(block.number))
        }
    }

    /// What the node calls safe and finalized. `None` where it has no such notion, or errs: each is asked once, since
    /// nothing waits for the answer but the next block.
    pub async fn finality(self) -> [Option<Block>; 2] {
        let one = async |which| {
            let answer = self.endpoint.ask_once(&Call::header(which), None).await.ok()??;
            self.check_header(answer).ok().map(|header| header.block)
        };
        let (safe, finalized) = futures::join!(one("safe"), one("finalized"));
        [safe, finalized]
    }
}

/// Some blocks of a range, picked after the node has told of its logs.
fn some_of(from: u64, to: u64) -> impl Iterator<Item = u64> {
    // Each state has keys of its own, which nobody outside this process can know.
    (0..AUDITED).map(move |n| from + RandomState::new().hash_one(n) % (to - from + 1))
}

/// Blocks that are read by range end here: those after it are read one by one.
pub fn range_end(tip: u64) -> u64 {
    tip.saturating_sub(TIP_BLOCKS)
}

fn numbered(header: Header, number: u64) -> Result<Header> {
    if header.block.number == number {
        Ok(header)
    } else {
        Err(SourceError::Torn(format!(
            "asked for block {number}, got block {}",
            header.block.number
        )))
    }
}

fn unproved(header: &Header) -> SourceError {
    SourceError::Torn(format!(
        "the header of block {} is not what its hash {} is of",
        header.block.number, header.block.hash
    ))
}

fn null(call: &Call) -> SourceError {
    Fault::Garbled("null".into()).of(call.method)
}
