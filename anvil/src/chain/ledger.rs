//! What readers see: blocks, where to find things in them, the states after the latest ones, and what happened.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, OnceLock};

use alloy::primitives::B256;

use crate::block::Block;
use crate::dump::Dump;
use crate::executor::BlockHashes;
use crate::journal::{Entry, RollbackEntry};
use crate::pool::Pooled;
use crate::state::State;

/// Events kept for filters and subscriptions. One that falls behind further is told so.
const EVENTS_MAX: usize = 65_536;

/// How many blocks back ArbSys knows hashes.
const BLOCK_HASHES: u64 = 256;

/// What readers see.
#[derive(Debug, Default)]
pub struct Ledger {
    blocks: Vec<Arc<Block>>,
    by_hash: HashMap<B256, u64>,
    /// Transaction hash to block number and index.
    transactions: HashMap<B256, (u64, usize)>,
    /// The states after the latest blocks, the head's last.
    points: VecDeque<Point>,
    /// The state that the chain began with; kept however long the chain is.
    genesis: Option<Point>,
    /// Rollbacks so far. It goes into new headers, so a block mined again is another block.
    rollbacks: u64,
    events: VecDeque<Event>,
    next_event: u64,
    /// Hashes of the latest blocks, made when first asked for and forgotten when the head changes.
    hashes: OnceLock<BlockHashes>,
}

/// What filters and subscriptions are told of.
#[derive(Clone, Debug)]
pub enum Event {
    /// A block joined the chain.
    Added(Arc<Block>),
    /// A block left the chain.
    Removed(Arc<Block>),
    /// A transaction can be mined now; if it is mined at once, this comes before the block.
    Pending(Arc<Pooled>),
}

/// A state, and the journal entry that made it. The entry's number never stands for another state.
#[derive(Clone, Debug)]
pub struct Point {
    pub state: State,
    pub entry: u64,
}

/// A block that is durable and not yet shown.
pub struct Step {
    pub block: Arc<Block>,
    pub point: Point,
}

impl Ledger {
    pub fn head(&self) -> &Arc<Block> {
        self.blocks
            .last()
            .expect("a ledger begins with genesis, and truncate keeps it")
    }

    pub fn head_state(&self) -> &State {
        &self.head_point().state
    }

    pub fn head_point(&self) -> &Point {
        self.points.back().expect("the head's state is always kept")
    }

    pub fn block(&self, number: u64) -> Option<&Arc<Block>> {
        self.blocks.get(usize::try_from(number).ok()?)
    }

    pub fn number_of(&self, hash: &B256) -> Option<u64> {
        self.by_hash.get(hash).copied()
    }

    /// A mined transaction: its block and its index there.
    pub fn transaction(&self, hash: &B256) -> Option<(&Arc<Block>, usize)> {
        let (number, index) = self.transactions.get(hash)?;
        Some((self.block(*number)?, *index))
    }

    pub fn state(&self, number: u64) -> Option<&State> {
        self.point(number).map(|point| &point.state)
    }

    pub fn next_event(&self) -> u64 {
        self.next_event
    }

    /// The events from number `from` on, at most `limit`. `None` if they are not all kept any more.
    pub fn events(&self, from: u64, limit: usize) -> Option<Vec<Event>> {
        let behind = usize::try_from(self.next_event.checked_sub(from)?).ok()?;
        let start = self.events.len().checked_sub(behind)?;
        Some(self.events.range(start..).take(limit).cloned().collect())
    }

    /// The state after block `number`, if it is kept.
    /// The hashes that block `number` and the one after it may ask for.
    pub fn hashes(&self, number: u64) -> BlockHashes {
        let collect = |last: u64| {
            let first = last.saturating_sub(BLOCK_HASHES);
            // Proof of the cast: the blocks are in memory, so their numbers are indices.
            let known = self.blocks.get(first as usize..=last as usize).unwrap_or_default();
            BlockHashes::new(first, known.iter().map(|block| block.hash))
        };
        let head = self.head().header.number;
        if number >= head {
            self.hashes.get_or_init(|| collect(head)).clone()
        } else {
            collect(number)
        }
    }

    pub fn point(&self, number: u64) -> Option<&Point> {
        let behind = self.head().header.number.checked_sub(number)?;
        let index = self.points.len().checked_sub(1 + usize::try_from(behind).ok()?)?;
        self.points.get(index)
    }

    /// The state after genesis, without what was changed outside blocks since.
    pub fn genesis_point(&self) -> &Point {
        self.genesis.as_ref().expect("a ledger begins with genesis")
    }

    /// How often the chain went back.
    pub fn rollbacks(&self) -> u64 {
        self.rollbacks
    }

    /// Shows a block; states beyond the latest `history` are let go.
    pub fn push(&mut self, step: Step, history: u64) {
        let Step { block, point } = step;
        let number = block.header.number;
        if number == 0 {
            self.genesis = Some(point.clone());
        }
        self.by_hash.insert(block.hash, number);
        for (index, mined) in block.transactions.iter().enumerate() {
            self.transactions.insert(*mined.transaction.hash(), (number, index));
        }
        self.points.push_back(point);
        while self.points.len() as u64 > history {
            self.points.pop_front();
        }
        self.event(Event::Added(block.clone()));
        self.blocks.push(block);
        self.hashes = OnceLock::new();
    }

    /// Puts another state in the place of the head's.
    pub fn override_head(&mut self, point: Point) {
        self.points.pop_back();
        self.points.push_back(point);
    }

    /// Removes the blocks after `number`, newest first.
    pub fn truncate(&mut self, number: u64, point: Point) {
        self.hashes = OnceLock::new();
        while self.head().header.number > number
            && let Some(block) = self.blocks.pop()
        {
            self.by_hash.remove(&block.hash);
            for mined in &block.transactions {
                self.transactions.remove(mined.transaction.hash());
            }
            self.points.pop_back();
            self.event(Event::Removed(block));
        }
        self.override_head(point);
        self.rollbacks += 1;
    }

    /// Tells of `event`.
    pub fn event(&mut self, event: Event) {
        self.events.push_back(event);
        self.next_event += 1;
        if self.events.len() > EVENTS_MAX {
            self.events.pop_front();
        }
    }
}

/// Rebuilds the ledger from the journal and checks it. Returns the clock's offset, too.
pub fn replay(past: &[Entry], history: u64) -> anyhow::Result<(Ledger, i64)> {
    // What a rollback dropped is no longer effective; what remains is a plain sequence.
    let mut effective: Vec<(u64, &Entry)> = Vec::new();
    for (index, entry) in past.iter().enumerate() {
        match entry {
            Entry::Rollback(RollbackEntry { to }) => {
                effective.truncate(effective.partition_point(|(index, _)| index <= to));
            }
            entry => effective.push((index as u64, entry)),
        }
    }
    let mut ledger = Ledger::default();
    let (mut state, mut offset, mut overridden) = (State::default(), 0, false);
    for (index, entry) in effective {
        let block = match entry {
            Entry::Genesis(first) => {
                state.apply(&first.changes);
                Block::from_parts(first.header.clone(), Vec::new())
            }
            Entry::Block(stored) => {
                state.apply(&stored.changes);
                offset = stored.offset as i64;
                Block::from_entry(stored).ok_or_else(|| anyhow::anyhow!("entry {index} holds no valid block"))?
            }
            Entry::Load(stored) => {
                state = Dump::decode(&stored.dump)?.state;
                offset = stored.offset as i64;
                Block::from_parts(stored.header.clone(), Vec::new())
            }
            Entry::Override(stored) => {
                state.apply(&stored.changes);
                overridden = true;
                ledger.override_head(Point {
                    state: state.clone(),
                    entry: index,
                });
                continue;
            }
            Entry::Rollback(_) => continue,
        };
        let expected = ledger
            .blocks
            .last()
            .map(|parent| (parent.header.number + 1, parent.hash));
        anyhow::ensure!(
            (block.header.number, block.header.parent_hash) == expected.unwrap_or_default(),
            "entry {index}: block {} does not follow the one before it",
            block.header.number
        );
        overridden = false;
        let point = Point {
            state: state.clone(),
            entry: index,
        };
        ledger.push(
            Step {
                block: Arc::new(block),
                point,
            },
            history,
        );
    }
    anyhow::ensure!(
        overridden || ledger.head().header.state_root == state.root(),
        "the state read back is not the state of block {}",
        ledger.head().header.number
    );
    ledger.events.clear();
    ledger.rollbacks = past.iter().filter(|entry| matches!(entry, Entry::Rollback(_))).count() as u64;
    Ok((ledger, offset))
}
