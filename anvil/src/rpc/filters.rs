//! Filters that clients poll (`eth_newFilter`, `eth_newBlockFilter`), and matching of logs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use alloy::eips::Encodable2718;
use alloy::primitives::{B256, U256};
use alloy::rpc::types::{Filter, FilterBlockOption, Log, Transaction};

use super::{RpcError, types};
use crate::block::Block;
use crate::chain::{Chain, Event, Ledger};

/// Filters at a time. A filter costs little; the bound keeps forgotten ones from piling up.
pub const FILTERS_MAX: usize = 1_024;
/// A filter that nobody polls for so long is dropped, as in go-ethereum.
pub const FILTER_IDLE: Duration = Duration::from_secs(300);
/// Events that one poll looks at; the rest comes with the next one.
pub const EVENTS_PER_POLL_MAX: usize = 10_000;
/// Blocks that one `eth_getLogs` may span.
pub const LOG_RANGE_BLOCKS_MAX: u64 = 100_000;
/// Logs that one answer may hold.
pub const LOGS_MAX: usize = 100_000;
/// Bytes of JSON, about, that the logs or transactions of one answer may take. The logs of one block fit: its gas pays
/// for 85,000 small ones or for 4 MB of data.
pub const ANSWER_BYTES_MAX: usize = 128 << 20;
/// What a log takes in JSON beside its topics and data.
const LOG_BYTES: usize = 600;
/// What a transaction takes in JSON beside four bytes for each of its encoding.
const TRANSACTION_BYTES: usize = 1_000;
/// Addresses, and topics per position, that a filter may name.
pub const FILTER_ALTERNATIVES_MAX: usize = 1_000;

/// The installed filters.
#[derive(Debug, Default)]
pub struct Filters {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    last: u64,
    filters: HashMap<U256, Installed>,
}

#[derive(Debug)]
struct Installed {
    wanted: Arc<Wanted>,
    /// Locked while its changes are gathered, so that two polls at once get different ones and no other filter waits.
    next_event: Arc<Mutex<u64>>,
    polled: Instant,
}

/// What a filter or subscription tells of.
#[derive(Clone, Debug)]
pub enum Wanted {
    Blocks,
    Logs(Box<Filter>),
    /// Transactions as soon as they can be mined: in full, or their hashes.
    Pending {
        full: bool,
    },
}

/// What happened since the last poll.
pub enum Changes {
    Hashes(Vec<B256>),
    Logs(Vec<Log>),
    Transactions(Vec<Transaction>),
}

impl Filters {
    pub fn install(&self, chain: &Chain, wanted: Wanted) -> Result<U256, RpcError> {
        let next_event = chain.ledger().next_event();
        let mut inner = self.inner();
        inner.filters.retain(|_, filter| filter.polled.elapsed() < FILTER_IDLE);
        if inner.filters.len() >= FILTERS_MAX {
            return Err(RpcError::limit(format!("at most {FILTERS_MAX} filters at a time")));
        }
        inner.last += 1;
        let id = U256::from(inner.last);
        inner.filters.insert(
            id,
            Installed {
                wanted: Arc::new(wanted),
                next_event: Arc::new(Mutex::new(next_event)),
                polled: Instant::now(),
            },
        );
        Ok(id)
    }

    pub fn uninstall(&self, id: U256) -> bool {
        self.inner().filters.remove(&id).is_some()
    }

    /// What happened since the last poll: whole blocks, as many as the limits of an answer allow and at least one. The
    /// rest comes with the next poll.
    pub fn changes(&self, chain: &Chain, id: U256) -> Result<Changes, RpcError> {
        let (wanted, next_event) = {
            let mut inner = self.inner();
            let filter = inner.filters.get_mut(&id).ok_or_else(not_found)?;
            filter.polled = Instant::now();
            (filter.wanted.clone(), filter.next_event.clone())
        };
        let mut next_event = next_event.lock().unwrap_or_else(PoisonError::into_inner);
        let events = chain.ledger().events(*next_event, EVENTS_PER_POLL_MAX);
        let Some(events) = events else {
            self.inner().filters.remove(&id);
            return Err(RpcError::server("filter fell too far behind and was removed"));
        };
        let (changes, used) = changes(&events, &wanted);
        *next_event += used as u64;
        Ok(changes)
    }

    /// The filter of a log filter (`eth_getFilterLogs`).
    pub fn log_filter(&self, id: U256) -> Result<Filter, RpcError> {
        match self.inner().filters.get(&id).map(|filter| &*filter.wanted) {
            Some(Wanted::Logs(filter)) => Ok((**filter).clone()),
            _ => Err(not_found()),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn not_found() -> RpcError {
    RpcError::server("filter not found")
}

/// What the first of `events` have for whoever wants `wanted`, and how many of them that is.
fn changes(events: &[Event], wanted: &Wanted) -> (Changes, usize) {
    let hashes = |hash: &dyn Fn(&Event) -> Option<B256>| {
        let hashes = events.iter().filter_map(hash).collect();
        (Changes::Hashes(hashes), events.len())
    };
    match wanted {
        Wanted::Blocks => hashes(&|event| match event {
            Event::Added(block) => Some(block.hash),
            _ => None,
        }),
        Wanted::Pending { full: false } => hashes(&|event| match event {
            Event::Pending(pooled) => Some(*pooled.transaction.hash()),
            _ => None,
        }),
        Wanted::Pending { full: true } => {
            let (transactions, used) = gather(events, |event| match event {
                Event::Pending(pooled) => {
                    let bytes = TRANSACTION_BYTES + 4 * pooled.transaction.encode_2718_len();
                    (vec![types::waiting(pooled)], bytes)
                }
                _ => (Vec::new(), 0),
            });
            (Changes::Transactions(transactions), used)
        }
        Wanted::Logs(filter) => {
            let (logs, used) = gather(events, |event| event_logs(event, filter));
            (Changes::Logs(logs), used)
        }
    }
}

/// What `part` gives of the first of `events`, with the bytes it takes, until an answer is full; and of how many.
fn gather<T>(events: &[Event], part: impl Fn(&Event) -> (Vec<T>, usize)) -> (Vec<T>, usize) {
    let (mut found, mut bytes) = (Vec::new(), 0);
    for (used, event) in events.iter().enumerate() {
        let (more, size) = part(event);
        bytes += size;
        if !found.is_empty() && (found.len() + more.len() > LOGS_MAX || bytes > ANSWER_BYTES_MAX) {
            return (found, used);
        }
        found.extend(more);
    }
    (found, events.len())
}

/// The logs that `event` brings or takes away and `wanted` selects, and the bytes they take.
fn event_logs(event: &Event, wanted: &Filter) -> (Vec<Log>, usize) {
    let mut found = Vec::new();
    let bytes = match event {
        Event::Added(block) => matching_logs(block, wanted, false, &mut found),
        Event::Removed(block) => matching_logs(block, wanted, true, &mut found),
        Event::Pending(_) => 0,
    };
    (found, bytes)
}

/// All logs that `filter` selects from the chain (`eth_getLogs`).
///
/// # Errors
/// -32000 for an unknown block hash, -32602 for an impossible range, -32005 beyond the limits.
pub fn get_logs(chain: &Chain, filter: &Filter) -> Result<Vec<Log>, RpcError> {
    check(filter)?;
    let mut found = Vec::new();
    let (from, to) = {
        let ledger = chain.ledger();
        match filter.block_option {
            FilterBlockOption::AtBlockHash(hash) => {
                let number = ledger
                    .number_of(&hash)
                    .ok_or_else(|| RpcError::server("unknown block"))?;
                (number, number)
            }
            FilterBlockOption::Range { from_block, to_block } => {
                let head = ledger.head().header.number;
                let from = from_block.map_or(head, |tag| chain.resolve_tag(&ledger, tag));
                let to = to_block.map_or(head, |tag| chain.resolve_tag(&ledger, tag));
                if from > to {
                    return Err(RpcError::invalid_params(format!(
                        "invalid block range: from {from} to {to}"
                    )));
                }
                (from, to.min(head))
            }
        }
    };
    if to.saturating_sub(from) >= LOG_RANGE_BLOCKS_MAX {
        return Err(RpcError::limit(format!(
            "block range too large: at most {LOG_RANGE_BLOCKS_MAX} blocks"
        )));
    }
    let bloom = Bloomed::new(filter);
    let mut bytes = 0;
    for number in from..=to {
        // One short look for each block that may match, so that mining is never held up.
        let Some(block) = ({
            let ledger = chain.ledger();
            next_match(&ledger, &bloom, number)
        }) else {
            continue;
        };
        bytes += matching_logs(&block, filter, false, &mut found);
        if found.len() > LOGS_MAX {
            return Err(RpcError::limit(format!("query returned more than {LOGS_MAX} results")));
        }
        if bytes > ANSWER_BYTES_MAX {
            return Err(RpcError::limit(format!(
                "query returned more than {ANSWER_BYTES_MAX} bytes of logs"
            )));
        }
    }
    Ok(found)
}

/// Refuses filters that are too large to match against every block.
pub fn check(filter: &Filter) -> Result<(), RpcError> {
    let alternatives = filter
        .topics
        .iter()
        .map(|topic| topic.len())
        .chain([filter.address.len()])
        .max();
    if alternatives.unwrap_or(0) > FILTER_ALTERNATIVES_MAX {
        return Err(RpcError::invalid_params(format!(
            "at most {FILTER_ALTERNATIVES_MAX} addresses, and topics per position"
        )));
    }
    Ok(())
}

/// A filter's blooms, computed once.
struct Bloomed {
    parts: Vec<Vec<alloy::primitives::Bloom>>,
}

impl Bloomed {
    fn new(filter: &Filter) -> Self {
        use alloy::primitives::{Bloom, BloomInput};
        let addresses = filter
            .address
            .iter()
            .map(|address| Bloom::from(BloomInput::Raw(address.as_slice())))
            .collect();
        let topics = filter.topics.iter().map(|topic| {
            topic
                .iter()
                .map(|topic| Bloom::from(BloomInput::Raw(topic.as_slice())))
                .collect()
        });
        let parts: Vec<Vec<Bloom>> = std::iter::once(addresses)
            .chain(topics)
            .filter(|part: &Vec<Bloom>| !part.is_empty())
            .collect();
        Self { parts }
    }

    fn may_match(&self, block: &Block) -> bool {
        let bloom = &block.header.logs_bloom;
        block.header.gas_used > 0
            && self
                .parts
                .iter()
                .all(|part| part.iter().any(|wanted| bloom.contains(wanted)))
    }
}

fn next_match(ledger: &Ledger, bloom: &Bloomed, number: u64) -> Option<std::sync::Arc<Block>> {
    ledger.block(number).filter(|block| bloom.may_match(block)).cloned()
}

/// Adds the logs of `block` that `filter` selects, and gives the bytes they take in JSON.
fn matching_logs(block: &Block, filter: &Filter, removed: bool, found: &mut Vec<Log>) -> usize {
    let before = found.len();
    for index in 0..block.transactions.len() {
        found.extend(types::logs(block, index, removed, |log| filter.matches(log)));
    }
    let sizes = found[before..]
        .iter()
        .map(|log| LOG_BYTES + 68 * log.topics().len() + 2 * log.data().data.len());
    sizes.sum()
}
