//! What a developer does to the chain from outside: its state, its past, its time, how blocks come.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use alloy::consensus::Transaction as _;
use alloy::primitives::{Address, B256};
use tokio::sync::watch;

use super::clock::OFFSET_SECONDS_MAX;
use super::ledger::{Event, Point, Step};
use super::{Chain, MINE_BLOCKS_MAX, SNAPSHOTS_MAX, Snapshot, Writer};
use crate::dump::Dump;
use crate::error::{ChainError, TxError};
use crate::journal::{Entry, LoadEntry, OverrideEntry, RollbackEntry};
use crate::pool::Pooled;
use crate::state::{Change, State};

/// The shortest interval between blocks: below it, blocks cost more than they show.
const INTERVAL_MIN: Duration = Duration::from_millis(10);
/// The longest: a year. Who wants longer wants none.
const INTERVAL_MAX: Duration = Duration::from_secs(365 * 86_400);

/// When blocks are mined without being asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mining {
    /// As transactions arrive, one block each.
    pub automine: bool,
    /// At this interval, with whatever waits.
    pub interval: Option<Duration>,
}

impl Chain {
    /// Changes the head's state outside any transaction. The head's header keeps its state root; the next block's
    /// includes the change.
    pub fn override_state(&self, change: impl FnOnce(&State) -> Change) -> Result<(), ChainError> {
        let mut writer = self.writer();
        let mut state = self.ledger().head_state().clone();
        let changes = vec![change(&state)];
        state.apply(&changes);
        let entry = writer.entries;
        writer.persist(&[Entry::Override(OverrideEntry { changes })])?;
        self.ledger_mut().override_head(Point { state, entry });
        Ok(())
    }

    /// Remembers the chain as it is.
    pub fn snapshot(&self) -> u64 {
        let mut writer = self.writer();
        let (point, number) = {
            let ledger = self.ledger();
            (ledger.head_point().clone(), ledger.head().header.number)
        };
        let id = writer.next_snapshot;
        writer.next_snapshot += 1;
        let clock = *self.clock();
        writer.snapshots.push_back(Snapshot {
            id,
            point,
            number,
            clock,
        });
        if writer.snapshots.len() > SNAPSHOTS_MAX {
            writer.snapshots.pop_front();
        }
        id
    }

    /// The snapshots that can be gone back to: id, block number, block hash.
    pub fn snapshots(&self) -> Vec<(u64, u64, B256)> {
        let writer = self.writer();
        let ledger = self.ledger();
        let listed = writer.snapshots.iter().filter_map(|snapshot| {
            let block = ledger.block(snapshot.number)?;
            Some((snapshot.id, snapshot.number, block.hash))
        });
        listed.collect()
    }

    /// Goes back to a snapshot, which is used up with all later ones. False if there is no such snapshot.
    pub fn revert(&self, id: u64) -> Result<bool, ChainError> {
        let mut writer = self.writer();
        let Some(at) = writer.snapshots.iter().position(|snapshot| snapshot.id == id) else {
            return Ok(false);
        };
        let Snapshot {
            point, number, clock, ..
        } = &writer.snapshots[at];
        let (point, number, clock) = (point.clone(), *number, *clock);
        self.go_back(&mut writer, number, point, Vec::new())?;
        writer.snapshots.truncate(at);
        *self.clock() = clock;
        self.pool().clear();
        Ok(true)
    }

    /// Drops the latest `depth` blocks. Their transactions do not come back.
    pub fn rollback(&self, depth: u64) -> Result<(), ChainError> {
        if depth == 0 {
            return Ok(());
        }
        let mut writer = self.writer();
        let (number, point) = self.point_below(depth)?;
        self.go_back(&mut writer, number, point, Vec::new())
    }

    /// Back to genesis: no blocks, no transactions, no changes, the clock as the machine's.
    pub fn reset(&self) -> Result<(), ChainError> {
        let mut writer = self.writer();
        let genesis = self.ledger().genesis_point().clone();
        self.go_back(&mut writer, 0, genesis, Vec::new())?;
        writer.snapshots.clear();
        *self.clock() = Default::default();
        self.pool().clear();
        Ok(())
    }

    /// Replaces the latest `depth` blocks by as many others: same height, other hashes. Each of `transactions` goes
    /// into the new block with that index (from 0); the dropped ones do not come back. All of it happens or nothing.
    ///
    /// # Errors
    /// A depth or index beyond the chain's; a transaction that is not valid where it should go.
    pub fn reorg(&self, depth: u64, transactions: Vec<(u64, Arc<Pooled>)>) -> Result<(), TxError> {
        if depth == 0 && transactions.is_empty() {
            return Ok(());
        }
        let mut planned: HashMap<u64, Vec<Arc<Pooled>>> = HashMap::new();
        for (index, pooled) in transactions {
            if index >= depth {
                return Err(ChainError::Offset { index, depth }.into());
            }
            planned.entry(index).or_default().push(pooled);
        }
        let mut writer = self.writer();
        let (target, point) = self.point_below(depth)?;
        let (mut parent, rollbacks) = {
            let ledger = self.ledger();
            let parent = ledger.block(target).cloned();
            (parent.ok_or_else(|| self.too_deep(depth))?, ledger.rollbacks() + 1)
        };
        let (mut state, mut clock) = (point.state.clone(), *self.clock());
        let (mut entries, mut steps) = (Vec::new(), Vec::new());
        for index in 0..depth {
            let transactions = planned.remove(&index).unwrap_or_default();
            for pooled in &transactions {
                // The nonce is checked where it counts, after the transactions before it.
                self.check(pooled, &state, pooled.transaction.nonce())?;
            }
            let timestamp = clock.timestamp(parent.header.timestamp);
            clock = clock.after(timestamp);
            let sealed = self.seal(&parent, state, timestamp, rollbacks, &transactions);
            if let Some((_, error)) = sealed.refused.into_iter().next() {
                return Err(error);
            }
            if sealed.left > 0 {
                return Err(ChainError::Limit {
                    limit: super::BLOCK_GAS_MAX,
                    what: "gas in one block",
                }
                .into());
            }
            entries.push(Entry::Block(sealed.block.to_entry(sealed.changes, clock.offset)));
            // The rollback is one entry before the blocks.
            let entry = writer.entries + 1 + index;
            state = sealed.state.clone();
            parent = Arc::new(sealed.block);
            steps.push(Step {
                block: parent.clone(),
                point: Point {
                    state: sealed.state,
                    entry,
                },
            });
        }
        self.go_back(&mut writer, target, point, entries)?;
        *self.clock() = clock;
        for step in steps {
            self.show(Some(step), &[]);
        }
        Ok(())
    }

    /// The block that is `depth` below the head, and its state.
    fn point_below(&self, depth: u64) -> Result<(u64, Point), ChainError> {
        if depth > MINE_BLOCKS_MAX {
            return Err(ChainError::Limit {
                limit: MINE_BLOCKS_MAX,
                what: "blocks at once",
            });
        }
        let ledger = self.ledger();
        let found = ledger
            .head()
            .header
            .number
            .checked_sub(depth)
            .and_then(|number| Some((number, ledger.point(number)?.clone())));
        drop(ledger);
        found.ok_or_else(|| self.too_deep(depth))
    }

    fn too_deep(&self, depth: u64) -> ChainError {
        let height = self.ledger().head().header.number;
        ChainError::Depth {
            depth,
            height,
            kept: self.history,
        }
    }

    /// Makes the way back durable together with what comes after it, and shows the way back.
    fn go_back(
        &self,
        writer: &mut Writer,
        number: u64,
        point: Point,
        afterwards: Vec<Entry>,
    ) -> Result<(), ChainError> {
        let mut entries = vec![Entry::Rollback(RollbackEntry { to: point.entry })];
        entries.extend(afterwards);
        writer.persist(&entries)?;
        writer.snapshots.retain(|snapshot| snapshot.point.entry <= point.entry);
        self.change_ledger(|ledger| ledger.truncate(number, point));
        Ok(())
    }

    /// The head's state, to be loaded elsewhere.
    pub fn dump(&self) -> Dump {
        let ledger = self.ledger();
        Dump {
            chain_id: self.chain_id,
            number: ledger.head().header.number,
            timestamp: ledger.head().header.timestamp,
            state: ledger.head_state().clone(),
        }
    }

    /// Puts a dumped state in the place of the present one, in a new block without transactions that is not before the
    /// dump's time. Nothing of the present state remains; the blocks before stay.
    ///
    /// # Errors
    /// [`ChainError::Dump`] if the bytes are no dump, damaged, too large, or of another chain id.
    pub fn load(&self, bytes: &[u8]) -> Result<(), ChainError> {
        let dump = Dump::decode(bytes)?;
        if dump.chain_id != self.chain_id {
            return Err(crate::dump::DumpError::ChainId {
                have: dump.chain_id,
                want: self.chain_id,
            }
            .into());
        }
        let mut writer = self.writer();
        let (parent, rollbacks) = {
            let ledger = self.ledger();
            (ledger.head().clone(), ledger.rollbacks())
        };
        let mut clock = *self.clock();
        let timestamp = clock.timestamp(parent.header.timestamp);
        if timestamp < dump.timestamp {
            clock.next_timestamp = Some(dump.timestamp);
        }
        let timestamp = timestamp.max(dump.timestamp);
        let clock = clock.after(timestamp);
        let block = self.seal_state(&parent, dump.state.root(), timestamp, rollbacks);
        let entry = writer.entries;
        writer.persist(&[Entry::Load(LoadEntry {
            header: block.header.clone(),
            offset: clock.offset as u64,
            dump: bytes.to_vec().into(),
        })])?;
        *self.clock() = clock;
        let step = Step {
            block: Arc::new(block),
            point: Point {
                state: dump.state,
                entry,
            },
        };
        self.show(Some(step), &[]);
        Ok(())
    }

    /// Moves the clock and returns by how many seconds it is off altogether.
    pub fn increase_time(&self, seconds: i64) -> Result<i64, ChainError> {
        let _writer = self.writer();
        self.clock().advance(seconds)
    }

    /// Sets the clock and returns by how many seconds that moves it.
    pub fn set_time(&self, timestamp: u64) -> Result<i64, ChainError> {
        let _writer = self.writer();
        let mut clock = self.clock();
        let now = super::wall_clock().saturating_add_signed(clock.offset);
        let seconds = i64::try_from(i128::from(timestamp) - i128::from(now)).unwrap_or(i64::MAX);
        clock.advance(seconds)?;
        Ok(seconds)
    }

    /// The next block gets exactly this timestamp, and the clock continues from there.
    pub fn set_next_timestamp(&self, asked: u64) -> Result<(), ChainError> {
        let _writer = self.writer();
        let latest = self.ledger().head().header.timestamp;
        if asked < latest {
            return Err(ChainError::TimestampBeforeHead { asked, latest });
        }
        if asked > latest.saturating_add(OFFSET_SECONDS_MAX) {
            return Err(ChainError::Limit {
                limit: OFFSET_SECONDS_MAX,
                what: "seconds after the latest block",
            });
        }
        self.clock().next_timestamp = Some(asked);
        Ok(())
    }

    /// From now on each block is `step` seconds after the one before it; `None`: by the clock. True if there was a
    /// step before.
    pub fn set_timestamp_step(&self, step: Option<u64>) -> Result<bool, ChainError> {
        let _writer = self.writer();
        if step.is_some_and(|step| step > OFFSET_SECONDS_MAX / MINE_BLOCKS_MAX) {
            return Err(ChainError::Limit {
                limit: OFFSET_SECONDS_MAX / MINE_BLOCKS_MAX,
                what: "seconds between blocks",
            });
        }
        Ok(std::mem::replace(&mut self.clock().step, step).is_some())
    }

    /// Mining on arrival; it ends mining at an interval. Off leaves an interval as it is, as on Foundry's anvil.
    pub fn set_automine(&self, on: bool) -> Result<(), ChainError> {
        let mut writer = self.writer();
        self.mining.send_modify(|mining| {
            mining.automine = on;
            if on {
                mining.interval = None;
            }
        });
        // What waited for its turn would otherwise wait for ever.
        while on && !self.pool().ready(self.ledger().head_state(), 1).is_empty() {
            self.mine_ready(&mut writer)?;
        }
        Ok(())
    }

    /// A block every `interval`, which ends mining on arrival; zero: none, blocks come by hand.
    ///
    /// # Errors
    /// [`ChainError::Interval`] outside 10 ms to a year.
    pub fn set_interval(&self, interval: Duration) -> Result<(), ChainError> {
        let interval = (!interval.is_zero()).then_some(interval);
        check_interval(interval)?;
        let _writer = self.writer();
        self.mining.send_replace(Mining {
            automine: false,
            interval,
        });
        Ok(())
    }

    /// How blocks come; the receiver wakes when that changes.
    pub fn mining(&self) -> watch::Receiver<Mining> {
        self.mining.subscribe()
    }

    /// Whether `address` may send without a signature.
    pub fn is_impersonated(&self, address: Address) -> bool {
        let writer = self.writer();
        writer.impersonate_all || writer.impersonated.contains(&address)
    }

    pub fn impersonate(&self, address: Address, on: bool) {
        let mut writer = self.writer();
        if on {
            writer.impersonated.insert(address);
        } else {
            writer.impersonated.remove(&address);
        }
    }

    /// Whether everybody may send without a signature.
    pub fn impersonate_all(&self, on: bool) {
        self.writer().impersonate_all = on;
    }

    /// Ends writing and releases the state directory. Reads go on.
    pub fn close(&self) {
        self.writer().store = super::Store::Closed;
    }

    /// Shows a block, after the transactions that it brings out of nowhere.
    pub(super) fn show(&self, step: Option<Step>, fresh: &[Arc<Pooled>]) {
        let Some(step) = step else { return };
        self.change_ledger(|ledger| {
            for pooled in fresh {
                ledger.event(Event::Pending(pooled.clone()));
            }
            ledger.push(step, self.history);
        });
    }

    /// Tells of transactions that can be mined now.
    pub(super) fn announce(&self, ready: Vec<Arc<Pooled>>) {
        self.change_ledger(|ledger| {
            for pooled in ready {
                ledger.event(Event::Pending(pooled));
            }
        });
    }

    fn change_ledger(&self, change: impl FnOnce(&mut super::Ledger)) {
        let next = {
            let mut ledger = self.ledger_mut();
            change(&mut ledger);
            ledger.next_event()
        };
        self.news.send_replace(next);
    }
}

/// # Errors
/// [`ChainError::Interval`] outside 10 ms to a year.
pub fn check_interval(interval: Option<Duration>) -> Result<(), ChainError> {
    match interval {
        Some(interval) if !(INTERVAL_MIN..=INTERVAL_MAX).contains(&interval) => Err(ChainError::Interval {
            least: INTERVAL_MIN,
            most: INTERVAL_MAX,
        }),
        _ => Ok(()),
    }
}
