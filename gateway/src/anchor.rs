//! Receipts in the chain: batches of them under Merkle roots, which this gateway's account anchors with `audit` (ADR 18).
//!
//! A statement is in the database before it is sent, is never changed, and no other takes its index: two different ones could be proved
//! against this gateway. It is sent until it stands on chain, again after a reorganisation. What is sent twice takes effect once, as it
//! names the anchor before it, so nothing but speed rests on there being one process at it.
use std::time::{Duration, Instant};

use alloy::{
    consensus::{SignableTransaction as _, TxEip1559, TxEnvelope},
    eips::eip2718::Encodable2718 as _,
    primitives::{Address, B256, Bytes, TxKind, U256, keccak256},
    signers::SignerSync as _,
    sol_types::{SolCall as _, SolStruct as _},
};
use anyhow::{Context as _, anyhow, bail, ensure};
use medlock_abi::audit::IAudit;
use medlock_api::{ReadAnchor, ReadEntry};
use medlock_merkle::Tree;
use medlock_sql::{Pool, Row};
use tokio::time::sleep;

use crate::{
    chain::Tried,
    problem::{Failure, Result},
    relay::fee::Fee,
    state::Gateway,
};

/// Receipts under one root; a path to it has ten nodes. Proving one reads the hashes of all.
const BATCH_MOST: u32 = 1024;
/// Beyond an eighth more than the estimate: the chain may have dropped the program from its cache by then.
const GAS_MARGIN: u64 = 200_000;

/// When receipts are anchored, and for how much.
#[derive(Clone, Copy, Debug)]
pub struct Anchoring {
    /// How long a receipt waits at most. A full batch does not.
    pub every: Duration,
    /// From one look at database and chain to the next.
    pub poll: Duration,
    /// How long a transaction may wait before its fee is raised.
    pub raise_after: Duration,
    /// Wei that a unit of gas may cost, tip included. While the chain asks for more, receipts wait.
    pub fee_per_gas_most: u64,
}

impl Default for Anchoring {
    fn default() -> Self {
        Self {
            every: Duration::from_secs(10 * 60),
            poll: Duration::from_secs(5),
            raise_after: Duration::from_secs(30),
            fee_per_gas_most: 2_000_000_000,
        }
    }
}

/// Rounds without an end.
pub async fn run<T>(gateway: Gateway, anchoring: Anchoring) -> T {
    let mut sender = Sender {
        gateway: &gateway,
        anchoring,
        statements: Statements {
            pool: gateway.db.pool(),
            gateway: gateway.account(),
        },
        sent: None,
    };
    let mut is_failing = false;
    loop {
        match sender.round().await {
            Ok(()) => is_failing = false,
            // Once, not at every look.
            Err(error) if !is_failing => {
                tracing::error!(error = format!("{error:#}"), "receipts are not anchored");
                is_failing = true;
            }
            Err(_) => (),
        }
        sleep(anchoring.poll).await;
    }
}

/// Adds to each entry where it stands on chain, by the index at its head. `entries` ascend.
pub async fn add(gateway: &Gateway, entries: &mut [ReadEntry]) -> Result<()> {
    let statements = Statements {
        pool: gateway.db.pool(),
        gateway: gateway.account(),
    };
    let mut view = None;
    // The statement that the entry before is under, with its tree and block where it stands on chain.
    let mut last: Option<(Batch, Option<(Tree, u64)>)> = None;
    for entry in entries {
        if last.as_ref().is_none_or(|(batch, _)| !batch.holds(entry.sequence)) {
            let Some(batch) = statements.over(entry.sequence).await? else {
                // What comes later is not in a statement either.
                break;
            };
            let view = match &mut view {
                Some(view) => view,
                None => view.insert(gateway.index.latest().await?),
            };
            let found = view.anchors(gateway.account(), batch.statement.index).await?;
            let stands = found
                .first()
                .filter(|found| found.anchor == batch.statement.eip712_hash_struct());
            let standing = match stands {
                Some(found) => {
                    let leaves = statements.leaves(batch.first, batch.statement.count).await?;
                    Some((Tree::new(keccak, &leaves), found.position.block_number))
                }
                // Not yet, or not any more.
                None => None,
            };
            last = Some((batch, standing));
        }
        if let Some((batch, Some((tree, block)))) = &last {
            entry.anchor = batch.place(entry.sequence, tree, *block);
        }
    }
    Ok(())
}

struct Sender<'a> {
    gateway: &'a Gateway,
    anchoring: Anchoring,
    statements: Statements<'a>,
    /// What this process sent last: nonce, fee, and when.
    sent: Option<(u64, Fee, Instant)>,
}

impl Sender<'_> {
    /// Sends the first statement that does not stand on chain, making it where receipts are due.
    async fn round(&mut self) -> anyhow::Result<()> {
        let account = self.gateway.account();
        let (pool, lock) = (self.statements.pool, format!("medlock/gateway/anchor/{account}"));
        let Some(_sole) = pool.sole(&lock).await? else {
            return Ok(());
        };
        let chain = &self.gateway.chain;
        let made = self.statements.count().await?;
        let block = self.gateway.latest().await.map_err(told)?;
        let head = chain.head_of(&block, account).await.map_err(told)?;
        let mined = chain.transactions_of(&block, account).await.map_err(told)?;
        if self.sent.is_some_and(|(nonce, ..)| nonce < mined) {
            self.sent = None;
        }
        ensure!(
            head.anchors <= made,
            "{} anchors of {account} stand on chain, and the database has {made}: it was replaced; restore it, or use a new key",
            head.anchors
        );
        // Without funds nobody expects anything.
        if chain.balance(account).await.map_err(told)?.is_zero() {
            return Ok(());
        }
        let batch = match self.statements.at(head.anchors).await? {
            Some(batch) => batch,
            None => {
                let Some(batch) = self.statements.next(BATCH_MOST).await? else {
                    return Ok(());
                };
                let waited = self.gateway.now().saturating_sub(batch.waits_since);
                if batch.statement.count < BATCH_MOST && waited < self.anchoring.every.as_secs() {
                    return Ok(());
                }
                // What would be refused is not said.
                let tried = chain
                    .try_call(block.hash, account, self.audit(), input(&batch.statement))
                    .await;
                if let Tried::Reverted(revert) = tried.map_err(told)? {
                    bail!(
                        "`audit` refuses an anchor of {account} ({revert}): it needs a credential with the role GATEWAY"
                    );
                }
                // Another process may have been faster: then it is that one's statement.
                self.statements.write(&batch).await?;
                let written = self.statements.at(batch.statement.index).await?;
                written.context("a statement that was written is gone")?
            }
        };
        ensure!(
            batch.statement.previous == head.last,
            "what stands on chain before anchor {} is not what the database says",
            batch.statement.index
        );
        self.send(mined, &batch.statement).await
    }

    /// Sends it, or again with a higher fee where it has waited.
    async fn send(&mut self, nonce: u64, statement: &IAudit::Anchor) -> anyhow::Result<()> {
        let (account, chain) = (self.gateway.account(), &self.gateway.chain);
        let last = self.sent.map(|(_, fee, at)| (fee, at));
        if last.is_some_and(|(_, at)| at.elapsed() < self.anchoring.raise_after) {
            return Ok(());
        }
        let (base, tip) = chain.fees().await.map_err(told)?;
        let bound = self.anchoring.fee_per_gas_most;
        let fee = match last {
            // At the bound: the same again, as the node may have lost it.
            Some((fee, _)) => Some(fee.raised(base, tip, bound).unwrap_or(fee)),
            None => Fee::first(base, tip, bound),
        };
        let Some(fee) = fee else { return Ok(()) };
        let gas = match chain
            .estimate(account, self.audit(), input(statement))
            .await
            .map_err(told)?
        {
            Tried::Done(gas) => gas,
            // Mined meanwhile, or the credential is over.
            Tried::Reverted(revert) => bail!("`audit` refuses anchor {} ({revert})", statement.index),
        };
        let transaction = TxEip1559 {
            chain_id: self.gateway.deployment.chain_id,
            nonce,
            gas_limit: gas + gas / 8 + GAS_MARGIN,
            max_fee_per_gas: fee.most.into(),
            max_priority_fee_per_gas: fee.tip.into(),
            to: TxKind::Call(self.audit()),
            value: U256::ZERO,
            access_list: Default::default(),
            input: input(statement),
        };
        let signature = self.gateway.signer.sign_hash_sync(&transaction.signature_hash());
        let envelope: TxEnvelope = transaction.into_signed(signature.context("sign an anchor")?).into();
        // Whatever the node says, it may have taken it.
        self.sent = Some((nonce, fee, Instant::now()));
        chain.send(envelope.encoded_2718().into()).await.map_err(told)
    }

    fn audit(&self) -> Address {
        self.gateway.deployment.audit
    }
}

/// A statement and the receipts that it is about.
struct Batch {
    statement: IAudit::Anchor,
    /// The sequence of the first.
    first: u64,
    /// When the first was received, UNIX seconds; zero once the statement is written.
    waits_since: u64,
}

impl Batch {
    fn holds(&self, sequence: u64) -> bool {
        (self.first..self.first + u64::from(self.statement.count)).contains(&sequence)
    }

    /// Where the receipt `sequence` is in it.
    fn place(&self, sequence: u64, tree: &Tree, block: u64) -> Option<ReadAnchor> {
        let position = u32::try_from(sequence.checked_sub(self.first)?).ok()?;
        let path = tree.proof(position as usize)?;
        let IAudit::Anchor {
            index,
            previous,
            root,
            count,
            ..
        } = self.statement;
        Some(ReadAnchor {
            index,
            previous,
            root,
            first: self.first,
            count,
            position,
            path,
            block: Some(block),
        })
    }
}

/// The statements of one gateway. Each is written once.
struct Statements<'a> {
    pool: &'a Pool,
    gateway: Address,
}

impl Statements<'_> {
    async fn count(&self) -> medlock_sql::Result<u64> {
        let sql = "SELECT number FROM anchor WHERE gateway = $1 ORDER BY number DESC LIMIT 1";
        let row = self.pool.first(sql, &[self.gateway.into()]).await?;
        row.map_or(Ok(0), |row| Ok(row.number::<u64>("number")? + 1))
    }

    async fn at(&self, number: u64) -> medlock_sql::Result<Option<Batch>> {
        let sql = "SELECT * FROM anchor WHERE gateway = $1 AND number = $2";
        let row = self.pool.first(sql, &[self.gateway.into(), number.into()]).await?;
        row.as_ref().map(|row| self.batch(row)).transpose()
    }

    /// The one that the receipt `sequence` is under.
    async fn over(&self, sequence: u64) -> medlock_sql::Result<Option<Batch>> {
        let sql = "SELECT * FROM anchor WHERE gateway = $1 AND first <= $2 AND last >= $2";
        let row = self.pool.first(sql, &[self.gateway.into(), sequence.into()]).await?;
        row.as_ref().map(|row| self.batch(row)).transpose()
    }

    /// What would be said next, about at most `most` receipts. `None`: there are none.
    async fn next(&self, most: u32) -> anyhow::Result<Option<Batch>> {
        let sql = "SELECT number, last, anchor FROM anchor WHERE gateway = $1 ORDER BY number DESC LIMIT 1";
        let row = self.pool.first(sql, &[self.gateway.into()]).await?;
        let (index, first, previous) = match row {
            Some(row) => (
                row.number::<u64>("number")? + 1,
                row.number::<u64>("last")? + 1,
                row.fixed("anchor")?,
            ),
            None => (0, 1, B256::ZERO),
        };
        let leaves = self.leaves(first, most).await?;
        let Some(root) = medlock_merkle::root(keccak, &leaves) else {
            return Ok(None);
        };
        let sql = "SELECT received_at FROM receipt WHERE gateway = $1 AND sequence = $2";
        let row = self.pool.first(sql, &[self.gateway.into(), first.into()]).await?;
        // Sequences have no gaps.
        let row = row.with_context(|| format!("receipt {first} is missing"))?;
        Ok(Some(Batch {
            statement: IAudit::Anchor {
                gateway: self.gateway,
                index,
                previous,
                root,
                count: u32::try_from(leaves.len())?,
            },
            first,
            waits_since: row.number("received_at")?,
        }))
    }

    /// Writes it unless there is one for its index.
    async fn write(&self, batch: &Batch) -> medlock_sql::Result<()> {
        let said = &batch.statement;
        let sql = "INSERT INTO anchor (gateway, number, first, last, previous, root, anchor)
                   VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
        let args = [
            said.gateway.into(),
            said.index.into(),
            batch.first.into(),
            (batch.first + u64::from(said.count) - 1).into(),
            said.previous.into(),
            said.root.into(),
            said.eip712_hash_struct().into(),
        ];
        self.pool.execute(sql, &args).await.map(|_| ())
    }

    /// The leaf hashes of `count` receipts from `first` on, or of as many as there are.
    async fn leaves(&self, first: u64, count: u32) -> medlock_sql::Result<Vec<B256>> {
        let sql = "SELECT hash FROM receipt WHERE gateway = $1 AND sequence >= $2 ORDER BY sequence LIMIT $3";
        let args = [self.gateway.into(), first.into(), count.into()];
        let rows = self.pool.fetch(sql, &args).await?;
        rows.iter()
            .map(|row| Ok(medlock_merkle::leaf(keccak, row.fixed("hash")?)))
            .collect()
    }

    fn batch(&self, row: &Row) -> medlock_sql::Result<Batch> {
        let (first, last): (u64, u64) = (row.number("first")?, row.number("last")?);
        Ok(Batch {
            statement: IAudit::Anchor {
                gateway: self.gateway,
                index: row.number("number")?,
                previous: row.fixed("previous")?,
                root: row.fixed("root")?,
                count: u32::try_from(last - first + 1).map_err(|_| medlock_sql::impossible("last"))?,
            },
            first,
            waits_since: 0,
        })
    }
}

fn input(statement: &IAudit::Anchor) -> Bytes {
    let IAudit::Anchor {
        previous, root, count, ..
    } = *statement;
    IAudit::anchorCall { previous, root, count }.abi_encode().into()
}

fn keccak(bytes: &[u8]) -> B256 {
    keccak256(bytes)
}

fn told(failure: Failure) -> anyhow::Error {
    anyhow!("{failure}")
}
