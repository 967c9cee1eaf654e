//! Transactions that wait for their turn: a nonce gap before them, or mining by hand.

use std::collections::{BTreeMap, HashMap};

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

#[derive(Debug, Default)]
pub struct Pool {
    senders: HashMap<Address, BTreeMap<u64, (u64, Pooled)>>,
    hashes: HashMap<B256, (Address, u64)>,
    arrivals: u64,
}

impl Pool {
    /// Queues a transaction, or replaces one with the same nonce that pays at least a tenth less.
    pub fn insert(&mut self, pooled: Pooled) -> Result<(), TxError> {
        let hash = *pooled.transaction.hash();
        if self.hashes.contains_key(&hash) {
            return Err(TxError::AlreadyKnown);
        }
        let nonce = pooled.transaction.nonce();
        let queue = self.senders.entry(pooled.sender).or_default();
        match queue.get(&nonce) {
            Some((_, old)) => {
                let floor = old.transaction.max_fee_per_gas();
                if pooled.transaction.max_fee_per_gas() < floor.saturating_add(floor / 10) {
                    return Err(TxError::Underpriced);
                }
                self.hashes.remove(old.transaction.hash());
            }
            None if self.hashes.len() >= QUEUED_MAX => {
                return Err(TxError::PoolFull { limit: QUEUED_MAX });
            }
            None => {}
        }
        self.hashes.insert(hash, (pooled.sender, nonce));
        queue.insert(nonce, (self.arrivals, pooled));
        self.arrivals += 1;
        Ok(())
    }

    pub fn get(&self, hash: &B256) -> Option<&Pooled> {
        let (sender, nonce) = self.hashes.get(hash)?;
        self.senders.get(sender)?.get(nonce).map(|(_, pooled)| pooled)
    }

    /// The nonce that the sender's next transaction should take.
    pub fn pending_nonce(&self, sender: Address, state_nonce: u64) -> u64 {
        let Some(queue) = self.senders.get(&sender) else {
            return state_nonce;
        };
        (state_nonce..)
            .find(|nonce| !queue.contains_key(nonce))
            .unwrap_or(u64::MAX)
    }

    /// Takes the transaction that arrived first among those whose turn it is in `state`.
    pub fn take_ready(&mut self, state: &State) -> Option<Pooled> {
        let (_, sender, nonce) = self
            .senders
            .iter()
            .filter_map(|(sender, queue)| {
                let nonce = state.nonce(*sender);
                queue.get(&nonce).map(|(arrival, _)| (*arrival, *sender, nonce))
            })
            .min()?;
        self.take(sender, nonce)
    }

    /// Whether some transaction's turn has come in `state`.
    pub fn has_ready(&self, state: &State) -> bool {
        self.senders
            .iter()
            .any(|(sender, queue)| queue.contains_key(&state.nonce(*sender)))
    }

    /// Takes one sender's transaction with that nonce.
    pub fn take(&mut self, sender: Address, nonce: u64) -> Option<Pooled> {
        let queue = self.senders.get_mut(&sender)?;
        let (_, pooled) = queue.remove(&nonce)?;
        if queue.is_empty() {
            self.senders.remove(&sender);
        }
        self.hashes.remove(pooled.transaction.hash());
        Some(pooled)
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
    }
}
