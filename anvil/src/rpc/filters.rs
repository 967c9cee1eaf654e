//! Filters that clients poll (`eth_newFilter`, `eth_newBlockFilter`), and matching of logs.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

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
    wanted: Wanted,
    next_event: u64,
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
                wanted,
                next_event,
                polled: Instant::now(),
            },
        );
        Ok(id)
    }

    pub fn uninstall(&self, id: U256) -> bool {
        self.inner().filters.remove(&id).is_some()
    }

    pub fn changes(&self, chain: &Chain, id: U256) -> Result<Changes, RpcError> {
        let mut inner = self.inner();
        let filter = inner.filters.get_mut(&id).ok_or_else(not_found)?;
        filter.polled = Instant::now();
        let events = chain.ledger().events(filter.next_event, EVENTS_PER_POLL_MAX);
        let Some(events) = events else {
            inner.filters.remove(&id);
            return Err(RpcError::server("filter fell too far behind and was removed"));
        };
        filter.next_event += events.len() as u64;
        let pending = events.iter().filter_map(|event| match event {
            Event::Pending(pooled) => Some(pooled),
            _ => None,
        });
        Ok(match &filter.wanted {
            Wanted::Pending { full: false } => {
                Changes::Hashes(pending.map(|pooled| *pooled.transaction.hash()).collect())
            }
            Wanted::Pending { full: true } => {
                Changes::Transactions(pending.map(|pooled| types::waiting(pooled)).collect())
            }
            Wanted::Blocks => Changes::Hashes(
                events
                    .iter()
                    .filter_map(|event| match event {
                        Event::Added(block) => Some(block.hash),
                        _ => None,
                    })
                    .collect(),
            ),
            Wanted::Logs(wanted) => Changes::Logs(events.iter().flat_map(|event| event_logs(event, wanted)).collect()),
        })
    }

    /// The filter of a log filter (`eth_getFilterLogs`).
    pub fn log_filter(&self, id: U256) -> Result<Filter, RpcError> {
        match self.inner().filters.get(&id).map(|filter| &filter.wanted) {
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

/// The logs that `event` brings or takes away and `wanted` selects.
pub fn event_logs(event: &Event, wanted: &Filter) -> Vec<Log> {
    let (block, removed) = match event {
        Event::Added(block) => (block, false),
        Event::Removed(block) => (block, true),
        Event::Pending(_) => return Vec::new(),
    };
    let mut found = Vec::new();
    matching_logs(block, wanted, removed, &mut found);
    found
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
    for number in from..=to {
        // One short look for each block that may match, so that mining is never held up.
        let Some(block) = ({
            let ledger = chain.ledger();
            next_match(&ledger, &bloom, number)
        }) else {
            continue;
        };
        matching_logs(&block, filter, false, &mut found);
        if found.len() > LOGS_MAX {
            return Err(RpcError::limit(format!("query returned more than {LOGS_MAX} results")));
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

fn matching_logs(block: &Block, filter: &Filter, removed: bool, found: &mut Vec<Log>) {
    for index in 0..block.transactions.len() {
        found.extend(types::logs(block, index, removed, |log| filter.matches(log)));
    }
}
