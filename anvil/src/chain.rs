//! The chain: accepts transactions, mines blocks, goes back, and answers from any kept state.
//!
//! One writer at a time holds [`Writer`]; it executes without holding up readers, makes the outcome durable, and only
//! then shows it in the [`Ledger`]. Readers clone a state (one pointer) out of the ledger and execute on that, so a
//! long `eth_call` delays nobody.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use alloy::consensus::{Transaction as _, TxEnvelope};
use alloy::eips::Decodable2718;
use alloy::primitives::{Address, B256, U256, keccak256};
use revm::primitives::eip3860::MAX_INITCODE_SIZE;
use tokio::sync::watch;

use crate::Config;
use crate::accounts::{DEV_BALANCE, DevAccount, dev_accounts};
use crate::arbos::{Rules, Version};
use crate::block::{BASE_FEE_WEI, BLOCK_GAS_LIMIT, Block, COINBASE, arbos_version, header, l1_number};
use crate::error::{ChainError, TxError};
use crate::executor::{BlockContext, Executor, genesis_code, intrinsic_gas};
use crate::journal::{Entry, GenesisEntry, Journal};
use crate::pool::{Pool, Pooled, QUEUED_PER_SENDER_MAX};
use crate::sender::recover;
use crate::state::{Change, State};
use crate::stylus::code::Dictionary;
use clock::{Clock, OFFSET_SECONDS_MAX, wall_clock};
use ledger::{Point, Step, replay};
use seal::{Refused, Sealed};

pub use control::{Mining, check_interval};
pub use ledger::{Event, Ledger};
pub use seal::tx_env;

mod clock;
mod control;
mod ledger;
mod seal;

/// What one transaction may use: Nitro's limit on the gas of one transaction.
pub const TX_GAS_MAX: u64 = 32_000_000;
/// Encoded transactions above this are refused, as by Nitro's sequencer.
pub const TX_BYTES_MAX: usize = 95_000;
/// Gas limits that fit into one block together; the rest waits for the next block. Nitro's limit on computing gas.
pub const BLOCK_GAS_MAX: u64 = 32_000_000;
/// Transactions in one block; the rest waits for the next block.
pub const BLOCK_TRANSACTIONS_MAX: usize = 1_000;
/// Blocks that one `anvil_mine` may add, and depth of one `anvil_reorg`.
pub const MINE_BLOCKS_MAX: u64 = 10_000;
/// Snapshots kept; the oldest goes first.
const SNAPSHOTS_MAX: usize = 1_024;

/// The chain. Shared by all connections.
#[derive(Debug)]
pub struct Chain {
    pub chain_id: u64,
    pub safe_depth: u64,
    pub finalized_depth: u64,
    history: u64,
    arbos: Version,
    pub executor: Executor,
    accounts: Vec<DevAccount>,
    /// Unique to this chain; goes into every header.
    seed: B256,
    writer: Mutex<Writer>,
    /// Changed only by who holds the writer; apart from it so that reading the time waits for nobody.
    clock: Mutex<Clock>,
    pool: Mutex<Pool>,
    ledger: RwLock<Ledger>,
    /// The block that would be mined now, as it was last asked for.
    pending: Mutex<Option<Pending>>,
    /// Changed only by who holds the writer.
    mining: watch::Sender<Mining>,
    /// The number of the next event; changes wake subscriptions.
    news: watch::Sender<u64>,
}

/// What only the thread that changes the chain needs.
#[derive(Debug)]
struct Writer {
    store: Store,
    /// Entries journalled so far, effective or not: the number of the next one.
    entries: u64,
    impersonated: HashSet<Address>,
    impersonate_all: bool,
    snapshots: VecDeque<Snapshot>,
    next_snapshot: u64,
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

/// A block with the state after it, to read from or to execute on.
#[derive(Clone, Debug)]
pub struct View {
    pub block: Arc<Block>,
    pub state: State,
    pub context: BlockContext,
}

/// The pending block, and what it was made of: the head's journal entry, the pool's version, the time.
#[derive(Debug)]
struct Pending {
    made_of: (u64, u64, u64),
    view: View,
}

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
        check_interval(config.block_time)?;
        let kept = arbos_version(&first.header);
        anyhow::ensure!(
            kept == config.arbos.number(),
            "the state directory holds a chain of ArbOS {kept}, not {}",
            config.arbos.number()
        );
        let dictionary = config.stylus_dictionary.as_deref().map(Dictionary::read).transpose()?;
        let rules = Rules {
            version: config.arbos,
            dictionary,
            calldata_floor: config.calldata_floor,
        };
        let seed = keccak256(&first.header.extra_data);
        let history = config.state_history.max(1);
        let (ledger, offset) = replay(&past, history)?;
        let mut writer = Writer {
            store,
            entries: past.len() as u64,
            impersonated: HashSet::new(),
            impersonate_all: false,
            snapshots: VecDeque::new(),
            next_snapshot: 1,
        };
        if fresh {
            writer.persist(&past)?;
        }
        Ok(Self {
            chain_id: config.chain_id,
            safe_depth: config.safe_depth,
            finalized_depth: config.finalized_depth,
            history,
            arbos: config.arbos,
            executor: Executor::with_rules(rules),
            accounts,
            seed,
            writer: Mutex::new(writer),
            clock: Mutex::new(Clock {
                offset,
                ..Clock::default()
            }),
            pool: Mutex::new(Pool::default()),
            ledger: RwLock::new(ledger),
            pending: Mutex::new(None),
            mining: watch::Sender::new(Mining {
                automine: config.automine,
                interval: config.block_time,
            }),
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

    /// The block that would be mined now, with what waits in the pool and can be mined, and the state after it.
    pub fn pending_view(&self) -> View {
        let (head, point, rollbacks) = {
            let ledger = self.ledger();
            (ledger.head().clone(), ledger.head_point().clone(), ledger.rollbacks())
        };
        let timestamp = self.clock().timestamp(head.header.timestamp);
        let (version, ready) = {
            let pool = self.pool();
            (pool.version(), pool.ready(&point.state, BLOCK_TRANSACTIONS_MAX))
        };
        let made_of = (point.entry, version, timestamp);
        let kept = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pending) = &*kept
            && pending.made_of == made_of
        {
            return pending.view.clone();
        }
        // Executing takes long; meanwhile nobody waits for it.
        drop(kept);
        let Sealed { block, state, .. } = self.seal(&head, point.state, timestamp, rollbacks, &ready);
        let view = View {
            context: self.context(block.header.number, timestamp),
            block: Arc::new(block),
            state,
        };
        *self.pending.lock().unwrap_or_else(PoisonError::into_inner) = Some(Pending {
            made_of,
            view: view.clone(),
        });
        view
    }

    /// Decodes and accepts a signed transaction (EIP-2718 bytes). In automine mode it is mined when this returns,
    /// unless its nonce has to wait for others.
    pub fn submit_raw(&self, bytes: &[u8]) -> Result<B256, TxError> {
        self.submit(Arc::new(Self::decode(bytes)?))
    }

    /// A signed transaction and who signed it.
    pub fn decode(bytes: &[u8]) -> Result<Pooled, TxError> {
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
        let sender = recover(&transaction).map_err(|error| TxError::InvalidSignature(error.to_string()))?;
        Ok(Pooled {
            transaction,
            sender,
            impersonated: false,
        })
    }

    /// Accepts a transaction whose sender is established.
    pub fn submit(&self, pooled: Arc<Pooled>) -> Result<B256, TxError> {
        let hash = *pooled.transaction.hash();
        let sender = pooled.sender;
        let mut writer = self.writer();
        let state = self.ledger().head_state().clone();
        let nonce = state.nonce(sender);
        self.check(&pooled, &state, nonce)?;
        if !self.mining.borrow().automine || pooled.transaction.nonce() != nonce {
            let ready = self.pool().insert(pooled, nonce)?;
            self.announce(ready);
            return Ok(hash);
        }
        self.mine_one(&mut writer, pooled)?;
        self.mine_queue_of(&mut writer, sender);
        Ok(hash)
    }

    /// Mines a block with just this transaction.
    fn mine_one(&self, writer: &mut Writer, pooled: Arc<Pooled>) -> Result<(), TxError> {
        let only = [pooled];
        let (step, refused) = self.mine_block(writer, &only, Empty::Drop)?;
        if let Some((_, error)) = refused.into_iter().next() {
            return Err(error);
        }
        self.show(step, &only);
        Ok(())
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
            if let Err(error) = self.mine_one(writer, next.clone()) {
                warn_dropped(&next, &error);
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
        let limit = OFFSET_SECONDS_MAX;
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

    /// Mines the block that is due after `interval`, unless the chain has changed to another way of mining.
    pub fn mine_on_time(&self, interval: Duration) -> Result<(), ChainError> {
        let mut writer = self.writer();
        if self.mining.borrow().interval != Some(interval) {
            return Ok(());
        }
        self.mine_ready(&mut writer)
    }

    /// Mines a block with what is ready in the pool.
    fn mine_ready(&self, writer: &mut Writer) -> Result<(), ChainError> {
        let ready = self.pool().ready(self.ledger().head_state(), BLOCK_TRANSACTIONS_MAX);
        let (step, refused) = self.mine_block(writer, &ready, Empty::Keep)?;
        let mined = step.as_ref().map(|step| step.block.clone());
        self.show(step, &[]);
        // They leave the pool only now, so that nobody ever finds them nowhere.
        let mut pool = self.pool();
        for mined in mined.iter().flat_map(|block| &block.transactions) {
            pool.prune(mined.sender, mined.transaction.nonce() + 1);
        }
        for (dropped, error) in refused {
            pool.remove(dropped.transaction.hash());
            warn_dropped(&dropped, &error);
        }
        Ok(())
    }

    /// Executes and seals a block and makes it durable; what was refused comes back beside it.
    fn mine_block(
        &self,
        writer: &mut Writer,
        transactions: &[Arc<Pooled>],
        empty: Empty,
    ) -> Result<(Option<Step>, Refused), ChainError> {
        let (parent, state, rollbacks) = {
            let ledger = self.ledger();
            (ledger.head().clone(), ledger.head_state().clone(), ledger.rollbacks())
        };
        let clock = *self.clock();
        let timestamp = clock.timestamp(parent.header.timestamp);
        let sealed = self.seal(&parent, state, timestamp, rollbacks, transactions);
        let Sealed {
            block,
            state,
            changes,
            refused,
            ..
        } = sealed;
        if block.transactions.is_empty() && empty == Empty::Drop {
            return Ok((None, refused));
        }
        let clock = clock.after(timestamp);
        let entry = writer.entries;
        writer.persist(&[Entry::Block(block.to_entry(changes, clock.offset))])?;
        *self.clock() = clock;
        let step = Step {
            block: Arc::new(block),
            point: Point { state, entry },
        };
        Ok((Some(step), refused))
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
            hashes: self.ledger().hashes(number),
        }
    }

    /// Whether a transaction may wait for its turn. `nonce` is the account's.
    fn check(&self, pooled: &Pooled, state: &State, nonce: u64) -> Result<(), TxError> {
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
        if tx.nonce() < nonce {
            return Err(TxError::NonceTooLow {
                address,
                tx: tx.nonce(),
                state: nonce,
            });
        }
        if tx.nonce() == u64::MAX {
            return Err(TxError::NonceMax { address });
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
        // At once, not when it would be mined: until then its sender would wait for nothing. Init code that is too
        // large is refused by its own name when it is executed.
        let needed = intrinsic_gas(&tx_env(tx, address, self.chain_id));
        if tx.gas_limit() < needed && !(tx.is_create() && tx.input().len() > MAX_INITCODE_SIZE) {
            return Err(TxError::IntrinsicGas {
                gas: tx.gas_limit(),
                needed,
            });
        }
        Ok(())
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

fn genesis(config: &Config, accounts: &[DevAccount]) -> Entry {
    let mut changes: Vec<Change> = accounts
        .iter()
        .map(|account| Change {
            balance: DEV_BALANCE,
            ..State::default().unchanged(account.address)
        })
        .collect();
    changes.extend(genesis_code().map(|(address, code)| Change {
        code: vec![code],
        ..State::default().unchanged(address)
    }));
    let mut state = State::default();
    state.apply(&changes);
    // Without a seed every new chain is another chain, so nothing mistakes it for the one before a restart.
    let extra = config.genesis_seed.unwrap_or_else(random);
    let time = config.genesis_time.unwrap_or_else(wall_clock);
    let header = header(0, B256::ZERO, time, extra, config.arbos);
    let header = Block::seal(header, state.root(), Vec::new()).header;
    Entry::Genesis(GenesisEntry {
        chain_id: config.chain_id,
        header,
        changes,
    })
}

fn warn_dropped(dropped: &Pooled, error: &TxError) {
    tracing::warn!(hash = %dropped.transaction.hash(), %error, "dropped a waiting transaction");
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
