//! Transactions that wait for their turn: a nonce gap before them, or mining by hand or at an interval.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};
use std::sync::Arc;

use alloy::consensus::{Transaction as _, TxEnvelope};
use alloy::primitives::{Address, B256};

use crate::error::TxError;
use crate::state::State;

/// How far ahead of its account a transaction's nonce may be, and so how many one account may queue.
pub const QUEUED_PER_SENDER_MAX: u64 = 256;
/// How many transactions wait altogether.
pub const QUEUED_MAX: usize = 16_384;

/// A transaction whose sender is known.
#[derive(Clone, Debug)]
pub struct Pooled {
    pub transaction: TxEnvelope,
    pub sender: Address,
    /// The sender did not sign: `anvil_impersonateAccount`.
    pub impersonated: bool,
}

/// One account's transactions by nonce, each with the number of its arrival.
type Queue = BTreeMap<u64, (u64, Arc<Pooled>)>;

#[derive(Debug, Default)]
pub struct Pool {
    senders: HashMap<Address, Queue>,
    hashes: HashMap<B256, (Address, u64)>,
    arrivals: u64,
    version: u64,
}

impl Pool {
    /// Queues a transaction, whose nonce is not the highest (EIP-2681), or replaces one with the same nonce that pays at least a tenth less. Returns what can be
    /// mined now and could not before: the transaction itself unless it has to wait for nonces before it, and those
    /// that waited for it.
    ///
    /// # Errors
    /// [`TxError::AlreadyKnown`], [`TxError::Underpriced`], [`TxError::PoolFull`]; the pool is then as it was.
    pub fn insert(&mut self, pooled: Arc<Pooled>, state_nonce: u64) -> Result<Vec<Arc<Pooled>>, TxError> {
        let hash = *pooled.transaction.hash();
        if self.hashes.contains_key(&hash) {
            return Err(TxError::AlreadyKnown);
        }
        let (sender, nonce) = (pooled.sender, pooled.transaction.nonce());
        let old = self
            .senders
            .get(&sender)
            .and_then(|queue| queue.get(&nonce))
            .map(|(_, old)| (*old.transaction.hash(), old.transaction.max_fee_per_gas()));
        match old {
            Some((old, floor)) => {
                // Tips are ignored, as on Arbitrum, so the fee alone decides.
                if pooled.transaction.max_fee_per_gas() < floor.saturating_add(floor.div_ceil(10)) {
                    return Err(TxError::Underpriced);
                }
                self.hashes.remove(&old);
            }
            None if self.hashes.len() >= QUEUED_MAX => {
                return Err(TxError::PoolFull { limit: QUEUED_MAX });
            }
            None => {}
        }
        let queue = self.senders.entry(sender).or_default();
        queue.insert(nonce, (self.arrivals, pooled.clone()));
        let ready = match old {
            _ if (state_nonce..nonce).any(|before| !queue.contains_key(&before)) => Vec::new(),
            Some(_) => vec![pooled],
            None => (nonce..=u64::MAX)
                .map_while(|nonce| queue.get(&nonce))
                .map(|(_, pooled)| pooled.clone())
                .collect(),
        };
        self.hashes.insert(hash, (sender, nonce));
        self.arrivals += 1;
        self.version += 1;
        Ok(ready)
    }

    pub fn get(&self, hash: &B256) -> Option<&Arc<Pooled>> {
        let (sender, nonce) = self.hashes.get(hash)?;
        self.senders.get(sender)?.get(nonce).map(|(_, pooled)| pooled)
    }

    /// Changes with the pool.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// One account's transactions, lowest nonce first.
    pub fn of(&self, sender: Address) -> impl Iterator<Item = &Arc<Pooled>> {
        let queue = self.senders.get(&sender);
        queue
            .into_iter()
            .flat_map(|queue| queue.values().map(|(_, pooled)| pooled))
    }

    /// Everybody who has transactions here.
    pub fn senders(&self) -> impl Iterator<Item = Address> {
        self.senders.keys().copied()
    }

    /// The nonce that the sender's next transaction should take.
    pub fn pending_nonce(&self, sender: Address, state_nonce: u64) -> u64 {
        let Some(queue) = self.senders.get(&sender) else {
            return state_nonce;
        };
        (state_nonce..=u64::MAX)
            .find(|nonce| !queue.contains_key(nonce))
            .unwrap_or(u64::MAX)
    }

    /// At most `most` transactions that can be mined on `state` one after another: each account's in the order of
    /// nonces, otherwise in the order of arrival. They stay in the pool.
    pub fn ready(&self, state: &State, most: usize) -> Vec<Arc<Pooled>> {
        let mut next: BinaryHeap<Reverse<(u64, Address, u64)>> = self
            .senders
            .iter()
            .filter_map(|(sender, queue)| {
                let nonce = state.nonce(*sender);
                queue
                    .get(&nonce)
                    .map(|(arrival, _)| Reverse((*arrival, *sender, nonce)))
            })
            .collect();
        let mut ready = Vec::new();
        while ready.len() < most
            && let Some(Reverse((_, sender, nonce))) = next.pop()
        {
            let Some(queue) = self.senders.get(&sender) else {
                continue;
            };
            ready.extend(queue.get(&nonce).map(|(_, pooled)| pooled.clone()));
            // No transaction has the highest nonce (EIP-2681), so there is always a next one.
            if let Some((arrival, _)) = queue.get(&(nonce + 1)) {
                next.push(Reverse((*arrival, sender, nonce + 1)));
            }
        }
        ready
    }

    /// Takes one sender's transaction with that nonce.
    pub fn take(&mut self, sender: Address, nonce: u64) -> Option<Arc<Pooled>> {
        let queue = self.senders.get_mut(&sender)?;
        let (_, pooled) = queue.remove(&nonce)?;
        if queue.is_empty() {
            self.senders.remove(&sender);
        }
        self.hashes.remove(pooled.transaction.hash());
        self.version += 1;
        Some(pooled)
    }

    /// Takes the transaction with that hash.
    pub fn remove(&mut self, hash: &B256) -> Option<Arc<Pooled>> {
        let (sender, nonce) = *self.hashes.get(hash)?;
        self.take(sender, nonce)
    }

    /// Drops all transactions of one account.
    pub fn remove_sender(&mut self, sender: Address) {
        for (_, pooled) in self.senders.remove(&sender).into_iter().flat_map(Queue::into_values) {
            self.hashes.remove(pooled.transaction.hash());
        }
        self.version += 1;
    }

    /// Drops what can never be mined on `state` because its nonce is spent.
    pub fn prune(&mut self, sender: Address, state_nonce: u64) {
        while let Some((nonce, _)) = self.senders.get(&sender).and_then(|queue| queue.first_key_value())
            && *nonce < state_nonce
        {
            let nonce = *nonce;
            self.take(sender, nonce);
        }
    }

    pub fn clear(&mut self) {
        self.senders.clear();
        self.hashes.clear();
        self.version += 1;
    }
}
