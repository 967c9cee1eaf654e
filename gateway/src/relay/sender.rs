//! Brings what is in the queue into the chain: one process at a time for each paying account.
//!
//! Correctness does not rest on that lock: a nonce belongs to one operation by a constraint, a transaction is written before it is
//! sent and is sent only as it was written, and sending it twice is sending it once. So a process may end anywhere.
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use alloy::{
    consensus::{SignableTransaction as _, TxEip1559, TxEnvelope},
    eips::eip2718::Encodable2718 as _,
    primitives::{Address, B256, Bytes, TxKind, U256},
    signers::SignerSync as _,
};
use anyhow::{Context as _, anyhow};
use tokio::time::sleep;

use super::{
    Relaying,
    fee::Fee,
    queue::{Attempt, Sending, Stored},
};
use crate::{
    chain::{Block, Tried},
    problem::Failure,
    state::Gateway,
};

/// Transactions on their way at once: what a node keeps for one account without trouble.
const ON_THEIR_WAY_MOST: usize = 16;
/// After so many blocks nobody looks again whether a transaction is in another block by now; that it is in none is seen at any
/// depth. No more than the states that a node keeps.
const SETTLED_BLOCKS: u64 = 64;
/// A node that has not mined a transaction by then may have lost it: it gets the same bytes again.
const SEND_AGAIN: Duration = Duration::from_secs(10);

/// Between two looks at the chain while nothing is on its way: then only a reorganisation could bring news.
const IDLE_POLL: Duration = Duration::from_secs(1);

/// Rounds without an end.
pub async fn run<T>(gateway: Gateway) -> T {
    let Some(relaying) = &gateway.relay else {
        return std::future::pending().await;
    };
    let mut sender = Sender {
        gateway: &gateway,
        relaying,
        payer: relaying.payer(),
        lock: format!("medlock/gateway/payer/{}", relaying.payer()),
        sent: HashMap::new(),
        looked_at: None,
    };
    let poll = relaying.limits.poll;
    let mut is_failing = false;
    loop {
        let mut pause = poll;
        match sender.round().await {
            Ok(is_busy) => {
                is_failing = false;
                if !is_busy {
                    pause = poll.max(IDLE_POLL);
                }
            }
            // Once, not every second.
            Err(error) if !is_failing => {
                tracing::error!(error = format!("{error:#}"), "the relay is held up");
                is_failing = true;
            }
            Err(_) => (),
        }
        tokio::select! {
            () = sleep(pause) => (),
            () = relaying.wake.notified(), if !is_failing => (),
        }
    }
}

struct Sender<'a> {
    gateway: &'a Gateway,
    relaying: &'a Relaying,
    payer: Address,
    lock: String,
    /// When this process handed transactions over.
    sent: HashMap<B256, Instant>,
    /// The block at which all that is mined was last looked at.
    looked_at: Option<B256>,
}

impl Sender<'_> {
    /// Looks after all that is on its way, then begins with what waits. Says whether either is left.
    async fn round(&mut self) -> anyhow::Result<bool> {
        let Some(_sole) = self.gateway.db.pool().sole(&self.lock).await? else {
            return Ok(false);
        };
        let block = self.gateway.latest().await.map_err(told)?;
        let mined = self
            .gateway
            .chain
            .transactions_of(&block, self.payer)
            .await
            .map_err(told)?;
        let sendings = self.relaying.queue.sendings(self.payer, mined).await?;
        let mut on_their_way = 0;
        for sending in &sendings {
            if sending.nonce < mined {
                self.look_at_mined(&block, sending).await?;
            } else {
                self.push(&block, sending, sending.nonce == mined).await?;
                on_their_way += 1;
            }
        }
        self.looked_at = Some(block.hash);
        self.sent.retain(|_, at| at.elapsed() < SEND_AGAIN);
        let now = block.time.max(self.gateway.now());
        self.relaying.queue.expire(now).await?;
        while on_their_way < ON_THEIR_WAY_MOST {
            let Some(waiting) = self.relaying.queue.next().await? else {
                break;
            };
            match self.begin(&block, mined, &waiting).await? {
                Begun::Sent => on_their_way += 1,
                Begun::Refused => (),
                Begun::NotNow => return Ok(true),
            }
        }
        Ok(on_their_way > 0)
    }

    /// The nonce is used up: by which transaction, in which block, and is it deep?
    async fn look_at_mined(&mut self, block: &Block, sending: &Sending) -> anyhow::Result<()> {
        let (queue, chain) = (&self.relaying.queue, &self.gateway.chain);
        let is_new = sending.is_current && !sending.state.is_over();
        if !is_new && self.looked_at == Some(block.hash) {
            return Ok(());
        }
        let of = (self.payer, sending.nonce);
        for attempt in queue.attempts(of).await? {
            let Some(receipt) = chain.receipt(attempt.tx).await.map_err(told)? else {
                continue;
            };
            let is_known = sending.state.is_over() && sending.block_hash == Some(receipt.block_hash);
            match (&attempt.fault, receipt.success) {
                _ if is_known && sending.is_current => (),
                (None, true) => queue.done(sending.digest, of, attempt.tx, &receipt).await?,
                (Some(fault), _) => queue.undone(sending.digest, of, attempt.tx, &receipt, fault).await?,
                (None, false) => {
                    let revert = self.why(sending.digest, receipt.block_hash).await?;
                    queue.undone(sending.digest, of, attempt.tx, &receipt, &revert).await?;
                }
            }
            if block.number >= receipt.block.saturating_add(SETTLED_BLOCKS) {
                queue.settle(of).await?;
            }
            return Ok(());
        }
        // Another node of several may be behind; one that has had the nonce used for so long is not.
        let Some(deep) = block.number.checked_sub(SETTLED_BLOCKS) else {
            return Ok(());
        };
        if chain.transactions_by(deep, self.payer).await.map_err(told)? > sending.nonce {
            tracing::warn!(nonce = sending.nonce, "somebody else sends from the paying account");
            queue.give_up(sending.digest, of).await?;
        }
        Ok(())
    }

    /// Why a transaction reverted: the same call on the state that its block left behind.
    async fn why(&self, digest: B256, block_hash: B256) -> anyhow::Result<Bytes> {
        let stored = self.stored(digest).await?;
        match self.try_call(block_hash, &stored).await? {
            Tried::Reverted(revert) => Ok(revert),
            Tried::Done(_) => Ok(Bytes::new()),
        }
    }

    /// The nonce is not used up (any more): sends its transaction, again where need be, or one with a higher fee in its place.
    async fn push(&mut self, block: &Block, sending: &Sending, is_first: bool) -> anyhow::Result<()> {
        let (queue, of) = (&self.relaying.queue, (self.payer, sending.nonce));
        let attempts = queue.attempts(of).await?;
        let last = attempts
            .first()
            .ok_or_else(|| anyhow!("nonce {} has no transaction", sending.nonce))?;
        let is_back = sending.is_settled || (sending.is_current && sending.state.is_over());
        if is_back {
            queue.unmine(sending.digest, of).await?;
            self.sent.remove(&last.tx);
        }
        let waited = self.gateway.now().saturating_sub(last.signed_at);
        let is_due = waited >= self.relaying.limits.raise_after.as_secs() && !is_back;
        let is_unsent = !self.sent.contains_key(&last.tx);
        if !is_due && !is_unsent {
            return Ok(());
        }
        let stored = self.stored(sending.digest).await?;
        // What is first in the line meets this very state. If it is refused by now, its nonce is used up for less.
        let mut fault = last.fault.clone();
        if is_first
            && fault.is_none()
            && let Tried::Reverted(revert) = self.try_call(block.hash, &stored).await?
        {
            fault = Some(revert);
        }
        let is_void_now = fault.is_some() && last.fault.is_none();
        if (is_due || is_void_now)
            && let Some(next) = self.raised(last, sending.nonce, &stored, fault).await?
            && queue.replace(sending.digest, of, &next).await?
        {
            self.send(&next).await;
        } else if is_unsent {
            self.send(last).await;
        }
        Ok(())
    }

    /// Gives an operation that waits its nonce and its first transaction.
    async fn begin(&mut self, block: &Block, mined: u64, waiting: &Stored) -> anyhow::Result<Begun> {
        let queue = &self.relaying.queue;
        let digest = waiting.body.id;
        if let Tried::Reverted(revert) = self.try_call(block.hash, waiting).await? {
            queue.refuse(digest, &revert).await?;
            return Ok(Begun::Refused);
        }
        let (base, tip) = self.gateway.chain.fees().await.map_err(told)?;
        let Some(fee) = Fee::first(base, tip, self.relaying.limits.fee_per_gas_most) else {
            return Ok(Begun::NotNow);
        };
        let nonce = queue.next_nonce(self.payer).await?.max(mined);
        let first = self.signed(0, nonce, fee, waiting, None).await?;
        if !queue.assign(digest, (self.payer, nonce), &first).await? {
            return Ok(Begun::NotNow);
        }
        self.send(&first).await;
        Ok(Begun::Sent)
    }

    async fn stored(&self, digest: B256) -> anyhow::Result<Stored> {
        let stored = self.relaying.queue.operation(digest).await?;
        stored.ok_or_else(|| anyhow!("a transaction is for no operation"))
    }

    async fn try_call(&self, at: B256, stored: &Stored) -> anyhow::Result<Tried<Bytes>> {
        let (relay, call) = (self.gateway.deployment.relay, stored.call.clone());
        let tried = self.gateway.chain.try_call(at, self.payer, relay, call).await;
        tried.map_err(told)
    }

    /// `None`: it would cost more than may be paid.
    async fn raised(
        &self,
        last: &Attempt,
        nonce: u64,
        stored: &Stored,
        fault: Option<Bytes>,
    ) -> anyhow::Result<Option<Attempt>> {
        let (base, tip) = self.gateway.chain.fees().await.map_err(told)?;
        match last.fee.raised(base, tip, self.relaying.limits.fee_per_gas_most) {
            Some(fee) => Ok(Some(self.signed(last.number + 1, nonce, fee, stored, fault).await?)),
            None => Ok(None),
        }
    }

    /// The operation in a transaction; with `fault`, one that does nothing.
    async fn signed(
        &self,
        number: u64,
        nonce: u64,
        fee: Fee,
        stored: &Stored,
        fault: Option<Bytes>,
    ) -> anyhow::Result<Attempt> {
        let (to, input, gas_limit) = match fault {
            None => (
                self.gateway.deployment.relay,
                stored.call.clone(),
                stored.body.gas_limit,
            ),
            Some(_) => {
                let estimate = self.gateway.chain.estimate(self.payer, self.payer, Bytes::new()).await;
                let Tried::Done(gas) = estimate.map_err(told)? else {
                    return Err(anyhow!("the paying account refuses money"));
                };
                (self.payer, Bytes::new(), gas + gas / 8)
            }
        };
        let transaction = TxEip1559 {
            chain_id: self.gateway.deployment.chain_id,
            nonce,
            gas_limit,
            max_fee_per_gas: fee.most.into(),
            max_priority_fee_per_gas: fee.tip.into(),
            to: TxKind::Call(to),
            value: U256::ZERO,
            access_list: Default::default(),
            input,
        };
        let signature = self.relaying.key.sign_hash_sync(&transaction.signature_hash());
        let envelope: TxEnvelope = transaction.into_signed(signature.context("sign a transaction")?).into();
        Ok(Attempt {
            number,
            tx: *envelope.tx_hash(),
            raw: envelope.encoded_2718().into(),
            fee,
            signed_at: self.gateway.now(),
            fault,
        })
    }

    /// What goes wrong here is tried again: a node may have taken it, have it already, or be gone.
    async fn send(&mut self, attempt: &Attempt) {
        match self.gateway.chain.send(attempt.raw.clone()).await {
            Ok(()) => tracing::debug!(tx = %attempt.tx, "sent"),
            Err(failure) => tracing::warn!(tx = %attempt.tx, error = %failure, "the node did not take a transaction"),
        }
        self.sent.insert(attempt.tx, Instant::now());
    }
}

/// What came of beginning with an operation that waits.
enum Begun {
    Sent,
    Refused,
    /// Another process is at it, or gas is too dear.
    NotNow,
}

fn told(failure: Failure) -> anyhow::Error {
    anyhow!("{failure}")
}
