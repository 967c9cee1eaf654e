//! The chain: accepts transactions, mines blocks, goes back, and answers from any kept state.
//!
//! One writer at a time holds [`Writer`]; it executes without holding up readers, makes the outcome durable, and only
//! then shows it in the [`Ledger`]. Readers clone a state (one pointer) out of the ledger and execute on that, so a
//! long `eth_call` delays nobody.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{SystemTime, UNIX_EPOCH};

use alloy::consensus::transaction::SignerRecoverable;
use alloy::consensus::{Transaction as _, TxEnvelope, TxType};
use alloy::eips::Decodable2718;
use alloy::primitives::{Address, B256, U256, keccak256};
use revm::context::TxEnv;
use revm::context::either::Either;
use tokio::sync::watch;

use crate::Config;
use crate::accounts::{DEV_BALANCE, DevAccount, dev_accounts};
use crate::block::{BASE_FEE_WEI, BLOCK_GAS_LIMIT, Block, COINBASE, Mined, header, l1_number, receipt};
use crate::error::{ChainError, TxError};
use crate::executor::{BlockContext, Checks, Executor, genesis_code};
use crate::journal::{Entry, GenesisEntry, Journal, OverrideEntry, RollbackEntry};
use crate::pool::{Pool, Pooled, QUEUED_PER_SENDER_MAX};
use crate::state::{Change, State};

/// What one transaction may use: Nitro's limit on the gas of one transaction.
pub const TX_GAS_MAX: u64 = 32_000_000;
/// Encoded transactions above this are refused, as by Nitro's sequencer.
pub const TX_BYTES_MAX: usize = 95_000;
/// Transactions in one block when mining by hand; the rest waits for the next block.
pub const BLOCK_TRANSACTIONS_MAX: usize = 1_000;
/// Blocks that one `anvil_mine` may add, and depth of one `anvil_reorg`.
pub const MINE_BLOCKS_MAX: u64 = 10_000;
/// Snapshots kept; the oldest goes first.
const SNAPSHOTS_MAX: usize = 1_024;
/// Block events kept for filters and subscriptions. One that falls behind further is told so.
const EVENTS_MAX: usize = 65_536;
/// How far `evm_increaseTime` may move the clock altogether: a hundred years, in seconds.
const OFFSET_SECONDS_MAX: i64 = 100 * 365 * 86_400;

/// The chain. Shared by all connections.
#[derive(Debug)]
pub struct Chain {
    pub chain_id: u64,
    pub safe_depth: u64,
    pub finalized_depth: u64,
    history: u64,
    pub executor: Executor,
    accounts: Vec<DevAccount>,
    writer: Mutex<Writer>,
    /// Changed only by who holds the writer; apart from it so that reading the time waits for nobody.
    clock: Mutex<Clock>,
    pool: Mutex<Pool>,
    ledger: RwLock<Ledger>,
    /// The number of the next event; changes wake subscriptions.
    news: watch::Sender<u64>,
}

/// What only the thread that changes the chain needs.
#[derive(Debug)]
struct Writer {
    store: Store,
    /// Entries journalled so far, effective or not: the number of the next one.
    entries: u64,
    /// Rollbacks so far. It goes into new headers, so a block mined again is another block.
    rollbacks: u64,
    automine: bool,
    impersonated: HashSet<Address>,
    snapshots: VecDeque<Snapshot>,
    next_snapshot: u64,
    seed: B256,
}

/// The chain's time.
#[derive(Clone, Copy, Debug)]
struct Clock {
    /// Seconds that it is ahead of the wall clock.
    offset: i64,
    /// What the next block gets, whatever the time is.
    next_timestamp: Option<u64>,
}

/// Where the chain is kept.
#[derive(Debug)]
enum Store {
    Memory,
    Disk(Journal),
    /// Shut down: nothing can be kept any more.
    Closed,
}

#[derive(Debug)]
struct Snapshot {
    id: u64,
    point: Point,
    number: u64,
    clock: Clock,
}

/// A state, and the journal entry that made it.
#[derive(Clone, Debug)]
struct Point {
    state: State,
    entry: u64,
}

/// What readers see.
#[derive(Debug)]
pub struct Ledger {
    blocks: Vec<Arc<Block>>,
    by_hash: HashMap<B256, u64>,
    /// Transaction hash to block number and index.
    transactions: HashMap<B256, (u64, usize)>,
    /// The states after the latest blocks, the head's last.
    points: VecDeque<Point>,
    events: VecDeque<Event>,
    next_event: u64,
}

/// A block joined or left the chain.
#[derive(Clone, Debug)]
pub enum Event {
    Added(Arc<Block>),
    Removed(Arc<Block>),
}

/// A block with the state after it, to read from or to execute on.
#[derive(Clone, Debug)]
pub struct View {
    pub block: Arc<Block>,
    pub state: State,
    pub context: BlockContext,
}

/// A block that is durable and not yet shown.
struct Step {
    block: Arc<Block>,
    point: Point,
}

/// Transactions that could not be included, and why.
type Refused = Vec<(Pooled, TxError)>;

/// Whether a block without transactions is wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Empty {
    Keep,
    Drop,
}

impl Chain {
    /// Starts a new chain, or continues the one in the configured state directory.
    ///
    /// # Errors
    /// The state directory is in use, damaged, or holds a chain with another chain id.
    pub fn open(config: &Config) -> anyhow::Result<Self> {
        let (store, past) = match &config.state_dir {
            None => (Store::Memory, Vec::new()),
            Some(dir) => {
                let (journal, past) = Journal::open(dir)?;
                (Store::Disk(journal), past)
            }
        };
        let accounts = dev_accounts();
        let fresh = past.is_empty();
        let past = if fresh { vec![genesis(config, &accounts)] } else { past };
        let Some(Entry::Genesis(first)) = past.first() else {
            anyhow::bail!("the state directory does not begin with a genesis block");
        };
        anyhow::ensure!(
            first.chain_id == config.chain_id,
            "the state directory holds chain {}, not chain {}",
            first.chain_id,
            config.chain_id
        );
        let seed = keccak256(&first.header.extra_data);
        let history = config.state_history.max(1);
        let (ledger, offset) = replay(&past, history)?;
        let mut writer = Writer {
            store,
            entries: past.len() as u64,
            rollbacks: past.iter().filter(|entry| matches!(entry, Entry::Rollback(_))).count() as u64,
            automine: config.automine,
            impersonated: HashSet::new(),
            snapshots: VecDeque::new(),
            next_snapshot: 1,
            seed,
        };
        if fresh {
            writer.persist(&past)?;
        }
        Ok(Self {
            chain_id: config.chain_id,
            safe_depth: config.safe_depth,
            finalized_depth: config.finalized_depth,
            history,
            executor: Executor::new(),
            accounts,
            writer: Mutex::new(writer),
            clock: Mutex::new(Clock {
                offset,
                next_timestamp: None,
            }),
            pool: Mutex::new(Pool::default()),
            ledger: RwLock::new(ledger),
            news: watch::Sender::new(0),
        })
    }

    pub fn accounts(&self) -> &[DevAccount] {
        &self.accounts
    }

    /// For a short look; not to be held while executing.
    pub fn ledger(&self) -> RwLockReadGuard<'_, Ledger> {
        // The ledger is only changed by code that cannot panic half-way (see `show`), so a poisoned lock is sound.
        self.ledger.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn pool(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes whenever blocks are added or removed.
    pub fn news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    /// The state after block `number` and what a call sees of that block. `None` if it is not kept any more.
    pub fn view(&self, number: u64) -> Option<View> {
        let ledger = self.ledger();
        let block = ledger.block(number)?.clone();
        let state = ledger.state(number)?.clone();
        drop(ledger);
        let context = self.context(block.header.number, block.header.timestamp);
        Some(View { block, state, context })
    }

    /// The head's state, in the block that would be mined now.
    pub fn pending_view(&self) -> View {
        let (block, state) = {
            let ledger = self.ledger();
            (ledger.head().clone(), ledger.head_state().clone())
        };
        let timestamp = self.clock().timestamp(block.header.timestamp);
        let context = self.context(block.header.number + 1, timestamp);
        View { block, state, context }
    }

    /// Decodes and accepts a signed transaction (EIP-2718 bytes). In automine mode it is mined when this returns,
    /// unless its nonce has to wait for others.
    pub fn submit_raw(&self, bytes: &[u8]) -> Result<B256, TxError> {
        if bytes.len() > TX_BYTES_MAX {
            return Err(TxError::Oversized {
                bytes: bytes.len(),
                limit: TX_BYTES_MAX,
            });
        }
        let mut rest = bytes;
        let transaction = TxEnvelope::decode_2718(&mut rest).map_err(|error| TxError::Decode(error.to_string()))?;
        if !rest.is_empty() {
            return Err(TxError::Decode(format!("{} bytes after the transaction", rest.len())));
        }
        if transaction.is_eip4844() {
            return Err(TxError::UnsupportedType);
        }
        let sender = transaction
            .recover_signer()
            .map_err(|error| TxError::InvalidSignature(error.to_string()))?;
        self.submit(Pooled {
            transaction,
            sender,
            impersonated: false,
        })
    }

    /// Accepts a transaction whose sender is established.
    pub fn submit(&self, pooled: Pooled) -> Result<B256, TxError> {
        let hash = *pooled.transaction.hash();
        let sender = pooled.sender;
        let mut writer = self.writer();
        let state = self.ledger().head_state().clone();
        self.check(&pooled, &state)?;
        if !writer.automine || pooled.transaction.nonce() != state.nonce(sender) {
            self.pool().insert(pooled)?;
            return Ok(hash);
        }
        let (step, refused) = self.mine_block(&mut writer, vec![pooled], Empty::Drop)?;
        if let Some((_, error)) = refused.into_iter().next() {
            return Err(error);
        }
        self.show(step);
        self.mine_queue_of(&mut writer, sender);
        Ok(hash)
    }

    /// Mines what waited for `sender`'s nonce. What turns out to be invalid is dropped: its sender was told the hash
    /// and will find no receipt, as with any transaction that becomes invalid while it waits.
    fn mine_queue_of(&self, writer: &mut Writer, sender: Address) {
        loop {
            let nonce = self.ledger().head_state().nonce(sender);
            let next = {
                let mut pool = self.pool();
                pool.prune(sender, nonce);
                pool.take(sender, nonce)
            };
            let Some(next) = next else { return };
            match self.mine_block(writer, vec![next], Empty::Drop) {
                Ok((step, refused)) => {
                    self.show(step);
                    warn_dropped(refused);
                }
                Err(error) => {
                    return tracing::error!(%error, "a waiting transaction could not be mined");
                }
            }
        }
    }

    /// Mines `count` blocks, each `interval` seconds after the one before (0: by the clock). The first takes what
    /// waits in the pool.
    pub fn mine(&self, count: u64, interval: u64) -> Result<(), ChainError> {
        if count > MINE_BLOCKS_MAX {
            return Err(ChainError::Limit {
                limit: MINE_BLOCKS_MAX,
                what: "blocks at once",
            });
        }
        let limit = OFFSET_SECONDS_MAX as u64;
        if interval > limit / count.max(1) {
            return Err(ChainError::Limit {
                limit,
                what: "seconds ahead",
            });
        }
        let mut writer = self.writer();
        for i in 0..count {
            if i > 0 && interval > 0 {
                let last = self.ledger().head().header.timestamp;
                self.clock().next_timestamp = Some(last.saturating_add(interval));
            }
            self.mine_ready(&mut writer)?;
        }
        Ok(())
    }

    fn mine_ready(&self, writer: &mut Writer) -> Result<(), ChainError> {
        let state = self.ledger().head_state().clone();
        let mut ready = Vec::new();
        {
            // Which comes after which depends on nonces only, so a scratch state that counts them is enough.
            let mut scratch = state.clone();
            let mut pool = self.pool();
            while ready.len() < BLOCK_TRANSACTIONS_MAX {
                let Some(pooled) = pool.take_ready(&scratch) else {
                    break;
                };
                let mut spent = scratch.unchanged(pooled.sender);
                spent.nonce += 1;
                scratch.apply(&[spent]);
                ready.push(pooled);
            }
        }
        let (step, refused) = self.mine_block(writer, ready, Empty::Keep)?;
        self.show(step);
        warn_dropped(refused);
        Ok(())
    }

    /// Executes and seals a block and makes it durable; what was refused comes back beside it.
    fn mine_block(
        &self,
        writer: &mut Writer,
        transactions: Vec<Pooled>,
        empty: Empty,
    ) -> Result<(Option<Step>, Refused), ChainError> {
        let (parent, mut state) = {
            let ledger = self.ledger();
            (ledger.head().clone(), ledger.head_state().clone())
        };
        let timestamp = self.clock().timestamp(parent.header.timestamp);
        let number = parent.header.number + 1;
        let context = self.context(number, timestamp);
        let (mut mined, mut changes, mut refused) = (Vec::new(), Vec::new(), Vec::new());
        let (mut gas_used, mut logs) = (0u64, 0u64);
        for pooled in transactions {
            let checks = Checks {
                sender_is_eoa: !pooled.impersonated,
                ..Checks::ALL
            };
            let env = tx_env(&pooled.transaction, pooled.sender, self.chain_id);
            let outcome = match self.executor.transact(state.clone(), &context, env, checks) {
                Ok(outcome) => outcome,
                Err(error) => {
                    let error = TxError::from_exec(error, pooled.sender);
                    refused.push((pooled, error));
                    continue;
                }
            };
            let made = state.changes(outcome.state);
            state.apply(&made);
            changes.extend(made);
            let receipt = receipt(tx_type(&pooled.transaction), outcome.result, gas_used);
            let used = receipt.cumulative_gas_used() - gas_used;
            gas_used += used;
            let Pooled {
                transaction, sender, ..
            } = pooled;
            let first_log = logs;
            logs += receipt.logs().len() as u64;
            mined.push(Mined {
                transaction,
                sender,
                receipt,
                gas_used: used,
                first_log,
            });
        }
        if mined.is_empty() && empty == Empty::Drop {
            return Ok((None, refused));
        }
        let extra = keccak256([writer.seed.as_slice(), &writer.rollbacks.to_be_bytes()].concat());
        let block = Block::seal(header(number, parent.hash, timestamp, extra), state.root(), mined);
        let entry = writer.entries;
        let offset = self.clock().offset_after(timestamp);
        writer.persist(&[Entry::Block(block.to_entry(changes, offset))])?;
        *self.clock() = Clock {
            offset,
            next_timestamp: None,
        };
        Ok((
            Some(Step {
                block: Arc::new(block),
                point: Point { state, entry },
            }),
            refused,
        ))
    }

    /// Changes the head's state outside any transaction. The head's header keeps its state root; the next block's
    /// includes the change.
    pub fn override_state(&self, change: impl FnOnce(&State) -> Change) -> Result<(), ChainError> {
        let mut writer = self.writer();
        let mut state = self.ledger().head_state().clone();
        let changes = vec![change(&state)];
        state.apply(&changes);
        let entry = writer.entries;
        writer.persist(&[Entry::Override(OverrideEntry { changes })])?;
        if let Some(point) = self.ledger_mut().points.back_mut() {
            *point = Point { state, entry };
        }
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
        self.roll_back(&mut writer, number, point)?;
        writer.snapshots.truncate(at);
        *self.clock() = clock;
        self.pool().clear();
        Ok(true)
    }

    /// Drops the latest `depth` blocks and mines as many empty ones in their place: same height, other hashes. The
    /// dropped transactions do not come back.
    pub fn reorg(&self, depth: u64) -> Result<(), ChainError> {
        if depth == 0 {
            return Ok(());
        }
        if depth > MINE_BLOCKS_MAX {
            return Err(ChainError::Limit {
                limit: MINE_BLOCKS_MAX,
                what: "blocks at once",
            });
        }
        let mut writer = self.writer();
        let (height, kept) = {
            let ledger = self.ledger();
            (ledger.head().header.number, self.history)
        };
        let too_deep = || ChainError::Depth { depth, height, kept };
        let target = height.checked_sub(depth).ok_or_else(too_deep)?;
        let point = self.ledger().point(target).cloned().ok_or_else(too_deep)?;
        self.roll_back(&mut writer, target, point)?;
        for _ in 0..depth {
            let (step, _) = self.mine_block(&mut writer, Vec::new(), Empty::Keep)?;
            self.show(step);
        }
        Ok(())
    }

    fn roll_back(&self, writer: &mut Writer, number: u64, point: Point) -> Result<(), ChainError> {
        writer.persist(&[Entry::Rollback(RollbackEntry { to: point.entry })])?;
        writer.rollbacks += 1;
        writer.snapshots.retain(|snapshot| snapshot.point.entry <= point.entry);
        let next = {
            let mut ledger = self.ledger_mut();
            ledger.truncate(number, point);
            ledger.next_event
        };
        self.news.send_replace(next);
        Ok(())
    }

    /// Moves the clock and returns by how many seconds it is off altogether.
    pub fn increase_time(&self, seconds: i64) -> Result<i64, ChainError> {
        let _writer = self.writer();
        let mut clock = self.clock();
        let offset = clock.offset.saturating_add(seconds);
        if offset.unsigned_abs() > OFFSET_SECONDS_MAX as u64 {
            return Err(ChainError::Limit {
                limit: OFFSET_SECONDS_MAX as u64,
                what: "seconds off the wall clock",
            });
        }
        clock.offset = offset;
        Ok(offset)
    }

    /// The next block gets exactly this timestamp, and the clock continues from there.
    pub fn set_next_timestamp(&self, asked: u64) -> Result<(), ChainError> {
        let _writer = self.writer();
        let latest = self.ledger().head().header.timestamp;
        if asked < latest {
            return Err(ChainError::TimestampBeforeHead { asked, latest });
        }
        if asked > latest.saturating_add(OFFSET_SECONDS_MAX as u64) {
            return Err(ChainError::Limit {
                limit: OFFSET_SECONDS_MAX as u64,
                what: "seconds after the latest block",
            });
        }
        self.clock().next_timestamp = Some(asked);
        Ok(())
    }

    pub fn set_automine(&self, on: bool) -> Result<(), ChainError> {
        self.writer().automine = on;
        // What waited for its turn would otherwise wait for ever.
        while on && self.pool().has_ready(self.ledger().head_state()) {
            self.mine_ready(&mut self.writer())?;
        }
        Ok(())
    }

    pub fn automine(&self) -> bool {
        self.writer().automine
    }

    /// Whether `address` may send without a signature.
    pub fn is_impersonated(&self, address: Address) -> bool {
        self.writer().impersonated.contains(&address)
    }

    pub fn impersonate(&self, address: Address, on: bool) {
        let mut writer = self.writer();
        if on {
            writer.impersonated.insert(address);
        } else {
            writer.impersonated.remove(&address);
        }
    }

    /// Ends writing and releases the state directory. Reads go on.
    pub fn close(&self) {
        self.writer().store = Store::Closed;
    }

    /// What a transaction in block `number` sees.
    pub fn context(&self, number: u64, timestamp: u64) -> BlockContext {
        BlockContext {
            chain_id: self.chain_id,
            number,
            l1_number: l1_number(timestamp),
            timestamp,
            basefee: BASE_FEE_WEI,
            gas_limit: BLOCK_GAS_LIMIT,
            coinbase: COINBASE,
            prevrandao: B256::with_last_byte(1),
        }
    }

    fn check(&self, pooled: &Pooled, state: &State) -> Result<(), TxError> {
        let Pooled {
            transaction: tx,
            sender,
            ..
        } = pooled;
        let address = *sender;
        if let Some(have) = tx.chain_id()
            && have != self.chain_id
        {
            return Err(TxError::ChainId {
                have,
                want: self.chain_id,
            });
        }
        if tx.gas_limit() > TX_GAS_MAX {
            return Err(TxError::GasLimit {
                gas: tx.gas_limit(),
                cap: TX_GAS_MAX,
            });
        }
        let fee = tx.max_fee_per_gas();
        if let Some(tip) = tx.max_priority_fee_per_gas()
            && tip > fee
        {
            return Err(TxError::TipAboveFee { address, tip, fee });
        }
        if fee < u128::from(BASE_FEE_WEI) {
            return Err(TxError::FeeTooLow {
                address,
                fee,
                base_fee: BASE_FEE_WEI,
            });
        }
        let nonce = state.nonce(address);
        if tx.nonce() < nonce {
            return Err(TxError::NonceTooLow {
                address,
                tx: tx.nonce(),
                state: nonce,
            });
        }
        if tx.nonce() - nonce >= QUEUED_PER_SENDER_MAX {
            let limit = QUEUED_PER_SENDER_MAX;
            return Err(TxError::NonceTooHigh {
                address,
                tx: tx.nonce(),
                state: nonce,
                limit,
            });
        }
        let want = U256::from(fee)
            .saturating_mul(U256::from(tx.gas_limit()))
            .saturating_add(tx.value());
        let have = state.balance(address);
        if want > have {
            return Err(TxError::InsufficientFunds { address, have, want });
        }
        Ok(())
    }

    fn show(&self, step: Option<Step>) {
        let Some(step) = step else { return };
        let next = {
            let mut ledger = self.ledger_mut();
            ledger.push(step, self.history);
            ledger.next_event
        };
        self.news.send_replace(next);
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        // A writer that panicked changed neither journal nor ledger, or both; its own fields stay meaningful.
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn clock(&self) -> MutexGuard<'_, Clock> {
        self.clock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ledger_mut(&self) -> RwLockWriteGuard<'_, Ledger> {
        self.ledger.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Writer {
    fn persist(&mut self, entries: &[Entry]) -> Result<(), ChainError> {
        match &mut self.store {
            Store::Memory => {}
            Store::Disk(journal) => journal.append(entries)?,
            Store::Closed => return Err(ChainError::Closed),
        }
        // Genesis is counted when the chain is opened.
        self.entries += entries
            .iter()
            .filter(|entry| !matches!(entry, Entry::Genesis(_)))
            .count() as u64;
        Ok(())
    }
}

impl Clock {
    /// The next block's timestamp. Equal timestamps are allowed, as on Arbitrum; going back is not.
    fn timestamp(&self, parent: u64) -> u64 {
        self.next_timestamp
            .unwrap_or_else(|| wall_clock().saturating_add_signed(self.offset))
            .max(parent)
    }

    /// The clock's offset once a block with `timestamp` is mined.
    fn offset_after(&self, timestamp: u64) -> i64 {
        match self.next_timestamp {
            Some(_) => timestamp as i64 - wall_clock() as i64,
            None => self.offset,
        }
    }
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

    fn head_point(&self) -> &Point {
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

    fn point(&self, number: u64) -> Option<&Point> {
        let behind = self.head().header.number.checked_sub(number)?;
        let index = self.points.len().checked_sub(1 + usize::try_from(behind).ok()?)?;
        self.points.get(index)
    }

    fn push(&mut self, step: Step, history: u64) {
        let Step { block, point } = step;
        let number = block.header.number;
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
    }

    /// Removes the blocks after `number`, newest first.
    fn truncate(&mut self, number: u64, point: Point) {
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
        self.points.pop_back();
        self.points.push_back(point);
    }

    fn event(&mut self, event: Event) {
        self.events.push_back(event);
        self.next_event += 1;
        if self.events.len() > EVENTS_MAX {
            self.events.pop_front();
        }
    }
}

fn genesis(config: &Config, accounts: &[DevAccount]) -> Entry {
    let mut changes: Vec<Change> = accounts
        .iter()
        .map(|account| Change {
            balance: DEV_BALANCE,
            ..State::default().unchanged(account.address)
        })
        .collect();
    changes.extend(genesis_code().into_iter().map(|(address, code)| Change {
        code: vec![code],
        ..State::default().unchanged(address)
    }));
    let mut state = State::default();
    state.apply(&changes);
    // Without a seed every new chain is another chain, so nothing mistakes it for the one before a restart.
    let extra = config.genesis_seed.unwrap_or_else(random);
    let header = header(0, B256::ZERO, wall_clock(), extra);
    let header = Block::seal(header, state.root(), Vec::new()).header;
    Entry::Genesis(GenesisEntry {
        chain_id: config.chain_id,
        header,
        changes,
    })
}

/// Rebuilds the ledger from the journal and checks it. Returns the clock's offset, too.
fn replay(past: &[Entry], history: u64) -> anyhow::Result<(Ledger, i64)> {
    // What a rollback dropped is no longer effective; what remains is a plain sequence.
    let mut effective: Vec<(u64, &Entry)> = Vec::new();
    for (index, entry) in past.iter().enumerate() {
        match entry {
            Entry::Rollback(RollbackEntry { to }) => effective.retain(|(index, _)| index <= to),
            entry => effective.push((index as u64, entry)),
        }
    }
    let mut ledger = Ledger {
        blocks: Vec::new(),
        by_hash: HashMap::new(),
        transactions: HashMap::new(),
        points: VecDeque::new(),
        events: VecDeque::new(),
        next_event: 0,
    };
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
            Entry::Override(stored) => {
                state.apply(&stored.changes);
                overridden = true;
                if let Some(point) = ledger.points.back_mut() {
                    *point = Point {
                        state: state.clone(),
                        entry: index,
                    };
                }
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
    Ok((ledger, offset))
}

/// The transaction as the EVM executes it. Arbitrum ignores tips and charges everybody the base fee; only the check
/// of funds uses what the sender offered. A zero-tip 1559 environment says exactly that for the older types, too.
pub fn tx_env(tx: &TxEnvelope, sender: Address, chain_id: u64) -> TxEnv {
    let tx_type = if tx.is_eip7702() {
        TxType::Eip7702
    } else {
        TxType::Eip1559
    };
    TxEnv {
        tx_type: tx_type as u8,
        caller: sender,
        gas_limit: tx.gas_limit(),
        gas_price: tx.max_fee_per_gas(),
        gas_priority_fee: Some(0),
        kind: tx.kind(),
        value: tx.value(),
        data: tx.input().clone(),
        nonce: tx.nonce(),
        chain_id: Some(chain_id),
        access_list: tx.access_list().cloned().unwrap_or_default(),
        authorization_list: tx
            .authorization_list()
            .unwrap_or_default()
            .iter()
            .map(|authorization| Either::Left(authorization.clone()))
            .collect(),
        ..TxEnv::default()
    }
}

fn warn_dropped(refused: Refused) {
    for (dropped, error) in refused {
        tracing::warn!(hash = %dropped.transaction.hash(), %error, "dropped a waiting transaction");
    }
}

fn tx_type(tx: &TxEnvelope) -> TxType {
    tx.tx_type()
}

/// UNIX seconds.
pub fn wall_clock() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// Unique per chain, not secret: the process's hash keys and the time, hashed.
pub fn random() -> B256 {
    use std::hash::{BuildHasher, Hasher};
    let hash = std::hash::RandomState::new().build_hasher().finish();
    let nanos = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_nanos());
    keccak256([hash.to_be_bytes().as_slice(), &nanos.to_be_bytes()].concat())
}
