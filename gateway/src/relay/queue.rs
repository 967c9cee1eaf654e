//! The relay's rows. Every change names the state that it changes, so that of several processes one makes it.
use alloy::primitives::{Address, B256, Bytes};
use medlock_api::{RelayState, RelayedOperation};
use medlock_sql::{Pool, Result, Row, Tx, Value, impossible};

use super::{RelayLimits, fault, fee::Fee};
use crate::chain::Receipt;

/// Acceptances wait for each other: quota and queue are counted before they grow.
const ACCEPT_LOCK: &str = "medlock/gateway/relay";
/// Operations that wait for a transaction; more are turned away. At the pace of a slow chain, some hours' work.
const QUEUED_MOST: i64 = 10_000;
/// For how long a caller's name for a submission stands: the day in which anybody would repeat it.
const NAMED_SECONDS: u64 = 24 * 3600;
pub const DAY_SECONDS: u64 = 24 * 3600;
/// In the place of an account: all together. Nobody signs in as it.
const EVERYBODY: Address = Address::ZERO;

/// An operation that was checked.
pub struct New<'a> {
    pub digest: B256,
    /// Who asks for it.
    pub account: Address,
    pub signer: Address,
    pub method: &'static str,
    pub call: &'a [u8],
    pub deadline: u64,
    pub gas_limit: u64,
    /// UNIX seconds.
    pub now: u64,
}

/// Whether an operation is handed in again.
pub enum Repeated {
    Present(Box<Stored>),
    NameTaken,
    /// It is new, or came to nothing before.
    No,
}

/// What came of handing an operation in.
pub enum Accepted {
    New(Box<Stored>),
    /// It was accepted before.
    Present(Box<Stored>),
    /// The caller used this name for another operation.
    NameTaken,
    /// The day's share is used up, of the account or of all.
    OverQuota,
    QueueFull,
}

/// An operation as it stands.
pub struct Stored {
    pub sequence: u64,
    pub account: Address,
    pub call: Bytes,
    pub body: RelayedOperation,
}

/// A nonce of ours and the operation that it is for.
pub struct Sending {
    pub nonce: u64,
    pub digest: B256,
    pub is_settled: bool,
    /// Of the operation.
    pub state: RelayState,
    /// The operation's state speaks of this sending.
    pub is_current: bool,
    /// Where the operation was mined.
    pub block_hash: Option<B256>,
}

/// A signed transaction.
#[derive(Clone)]
pub struct Attempt {
    pub number: u64,
    pub tx: B256,
    pub raw: Bytes,
    pub fee: Fee,
    pub signed_at: u64,
    /// It does nothing, for this reason.
    pub fault: Option<Bytes>,
}

#[derive(Clone)]
pub struct Queue {
    pool: Pool,
}

impl Queue {
    pub fn new(pool: Pool) -> Self {
        Self { pool }
    }

    /// The operation that was accepted before, if so.
    pub async fn repeated(&self, digest: B256, account: Address, name: Option<&str>, now: u64) -> Result<Repeated> {
        let mut tx = self.pool.alone(ACCEPT_LOCK).await?;
        Ok(match repeated(&mut tx, digest, account, name, now).await? {
            Repeated::Present(stored) => {
                tx.commit().await?;
                Repeated::Present(stored)
            }
            other => other,
        })
    }

    /// Puts an operation into the queue, once; one that came to nothing again, if it is handed in again.
    pub async fn accept(&self, new: &New<'_>, name: Option<&str>, limits: &RelayLimits) -> Result<Accepted> {
        let mut tx = self.pool.alone(ACCEPT_LOCK).await?;
        match repeated(&mut tx, new.digest, new.account, name, new.now).await? {
            Repeated::Present(stored) => {
                tx.commit().await?;
                return Ok(Accepted::Present(stored));
            }
            Repeated::NameTaken => return Ok(Accepted::NameTaken),
            Repeated::No => (),
        }
        let queued = "SELECT count(*) AS n FROM operation WHERE state = 'queued'";
        let queued = tx.first(queued, &[]).await?.ok_or_else(|| impossible("n"))?;
        if queued.number::<i64>("n")? >= QUEUED_MOST {
            return Ok(Accepted::QueueFull);
        }
        let each = (limits.operations_per_day, limits.gas_per_day);
        let all = (u64::MAX, limits.gas_per_day_all);
        if !take(&mut tx, new, new.account, each).await? || !take(&mut tx, new, EVERYBODY, all).await? {
            return Ok(Accepted::OverQuota);
        }
        tx.execute(
            "INSERT INTO operation (digest, account, signer, method, call, deadline, gas_limit, accepted_at, state)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'queued')
             ON CONFLICT (digest) DO UPDATE SET account = excluded.account, call = excluded.call, gas_limit = excluded.gas_limit,
                accepted_at = excluded.accepted_at, state = 'queued', payer = NULL, nonce = NULL, tx = NULL,
                block_number = NULL, block_hash = NULL, gas_used = NULL, fault = NULL",
            &[
                new.digest.into(),
                new.account.into(),
                new.signer.into(),
                new.method.into(),
                new.call.into(),
                new.deadline.into(),
                new.gas_limit.into(),
                new.now.into(),
            ],
        )
        .await?;
        let accepted = stored(&mut tx, new.digest).await?.ok_or_else(|| impossible("digest"))?;
        tx.commit().await?;
        Ok(Accepted::New(Box::new(accepted)))
    }

    pub async fn operation(&self, digest: B256) -> Result<Option<Stored>> {
        let row = self
            .pool
            .first("SELECT * FROM operation WHERE digest = $1", &[digest.into()])
            .await?;
        row.as_ref().map(read).transpose()
    }

    /// Those that `account` has submitted or signed, after `after`, oldest first.
    pub async fn operations(&self, account: Address, after: u64, limit: u32) -> Result<Vec<Stored>> {
        let sql =
            "SELECT * FROM operation WHERE (account = $1 OR signer = $1) AND sequence > $2 ORDER BY sequence LIMIT $3";
        let rows = self
            .pool
            .fetch(sql, &[account.into(), after.into(), limit.into()])
            .await?;
        rows.iter().map(read).collect()
    }

    /// How many operations are in each state that some are in.
    pub async fn states(&self) -> Result<Vec<(RelayState, u64)>> {
        let sql = "SELECT state, count(*) AS n FROM operation GROUP BY state";
        let rows = self.pool.fetch(sql, &[]).await?;
        rows.iter().map(|row| Ok((state(row)?, row.number("n")?))).collect()
    }

    /// The oldest that waits and whose signer has none on its way: each is tried on the state that it will meet.
    pub async fn next(&self) -> Result<Option<Stored>> {
        let sql = "SELECT * FROM operation WHERE state = 'queued'
                   AND signer NOT IN (SELECT signer FROM operation WHERE state = 'submitted') ORDER BY sequence LIMIT 1";
        let row = self.pool.first(sql, &[]).await?;
        row.as_ref().map(read).transpose()
    }

    /// Ends those that wait and are past their deadline.
    pub async fn expire(&self, now: u64) -> Result<()> {
        let sql = "UPDATE operation SET state = 'expired' WHERE state = 'queued' AND deadline < $1";
        self.pool.execute(sql, &[now.into()]).await.map(|_| ())
    }

    /// Ends one that waits, as it is refused by now.
    pub async fn refuse(&self, digest: B256, revert: &Bytes) -> Result<()> {
        let sql = "UPDATE operation SET state = $2, fault = $3 WHERE digest = $1 AND state = 'queued'";
        let args = [digest.into(), fault::state(revert).text().into(), revert[..].into()];
        self.pool.execute(sql, &args).await.map(|_| ())
    }

    /// The nonce after the last one given to an operation.
    pub async fn next_nonce(&self, payer: Address) -> Result<u64> {
        let sql = "SELECT max(nonce) AS last FROM sending WHERE payer = $1";
        let row = self.pool.first(sql, &[payer.into()]).await?;
        let last = row.map(|row| row.int("last")).transpose()?.flatten();
        // Nonces are never negative.
        Ok(last.map_or(0, |last| last.unsigned_abs() + 1))
    }

    /// Gives `nonce` to an operation that waits, with the transaction that is sent next. `false`: another process was faster.
    pub async fn assign(&self, digest: B256, (payer, nonce): (Address, u64), first: &Attempt) -> Result<bool> {
        let mut tx = self.pool.begin().await?;
        let operation = "UPDATE operation SET state = 'submitted', payer = $2, nonce = $3, tx = $4
                         WHERE digest = $1 AND state = 'queued'";
        let args = [digest.into(), payer.into(), nonce.into(), first.tx.into()];
        let sending =
            "INSERT INTO sending (payer, nonce, digest, settled) VALUES ($1, $2, $3, 0) ON CONFLICT DO NOTHING";
        let assigned = tx.execute(operation, &args).await? == 1
            && tx
                .execute(sending, &[payer.into(), nonce.into(), digest.into()])
                .await?
                == 1
            && insert(&mut tx, (payer, nonce), first).await?;
        if assigned {
            tx.commit().await?;
        }
        Ok(assigned)
    }

    /// Adds a transaction with a higher fee. `false`: another process was faster.
    pub async fn replace(&self, digest: B256, (payer, nonce): (Address, u64), next: &Attempt) -> Result<bool> {
        let mut tx = self.pool.begin().await?;
        let operation =
            "UPDATE operation SET tx = $4 WHERE digest = $1 AND payer = $2 AND nonce = $3 AND state = 'submitted'";
        let args = [digest.into(), payer.into(), nonce.into(), next.tx.into()];
        // Of an operation that has gone on to another sending it says nothing.
        tx.execute(operation, &args).await?;
        let replaced = insert(&mut tx, (payer, nonce), next).await?;
        if replaced {
            tx.commit().await?;
        }
        Ok(replaced)
    }

    /// What has to be looked after when `mined` transactions of `payer` are in the chain, by nonce: what is not deep in the chain,
    /// and what is not in it (any more).
    pub async fn sendings(&self, payer: Address, mined: u64) -> Result<Vec<Sending>> {
        let sql = "SELECT s.nonce, s.digest, s.settled, o.state, o.block_hash,
                     o.payer AS current_payer, o.nonce AS current_nonce
                   FROM sending s JOIN operation o ON o.digest = s.digest
                   WHERE s.payer = $1 AND (s.settled = 0 OR s.nonce >= $2) ORDER BY s.nonce";
        let rows = self.pool.fetch(sql, &[payer.into(), mined.into()]).await?;
        let sending = |row: &Row| {
            Ok(Sending {
                nonce: row.number("nonce")?,
                digest: row.fixed("digest")?,
                is_settled: row.number::<u8>("settled")? == 1,
                state: state(row)?,
                is_current: row.bytes("current_payer")? == Some(payer.as_slice())
                    && row.int("current_nonce")? == row.int("nonce")?,
                block_hash: row.bytes("block_hash")?.map(|_| row.fixed("block_hash")).transpose()?,
            })
        };
        rows.iter().map(sending).collect()
    }

    /// The transactions with this nonce, the newest first.
    pub async fn attempts(&self, (payer, nonce): (Address, u64)) -> Result<Vec<Attempt>> {
        let sql = "SELECT * FROM attempt WHERE payer = $1 AND nonce = $2 ORDER BY number DESC";
        let rows = self.pool.fetch(sql, &[payer.into(), nonce.into()]).await?;
        let attempt = |row: &Row| {
            Ok(Attempt {
                number: row.number("number")?,
                tx: row.fixed("tx")?,
                raw: bytes(row, "raw")?,
                fee: Fee {
                    most: row.number("fee")?,
                    tip: row.number("tip")?,
                },
                signed_at: row.number("signed_at")?,
                fault: row.bytes("fault")?.map(Bytes::copy_from_slice),
            })
        };
        rows.iter().map(attempt).collect()
    }

    /// A transaction was mined and did what it is for. Whatever another sending of the operation came to, it is done.
    pub async fn done(&self, digest: B256, of: (Address, u64), tx: B256, receipt: &Receipt) -> Result<()> {
        let sql =
            "UPDATE operation SET state = 'mined', fault = NULL, payer = $2, nonce = $3, tx = $4, block_number = $5,
                     block_hash = $6, gas_used = $7
                   WHERE digest = $1";
        let args = [
            digest.into(),
            of.0.into(),
            of.1.into(),
            tx.into(),
            receipt.block.into(),
            receipt.block_hash.into(),
            receipt.gas_used.into(),
        ];
        self.pool.execute(sql, &args).await.map(|_| ())
    }

    /// A transaction was mined and did nothing, because of `revert`. Says nothing about an operation that has gone on to another
    /// sending.
    pub async fn undone(
        &self,
        digest: B256,
        of: (Address, u64),
        tx: B256,
        receipt: &Receipt,
        revert: &Bytes,
    ) -> Result<()> {
        let sql =
            "UPDATE operation SET state = $7, fault = $8, tx = $4, block_number = $5, block_hash = $6, gas_used = $9
                   WHERE digest = $1 AND payer = $2 AND nonce = $3";
        let args = [
            digest.into(),
            of.0.into(),
            of.1.into(),
            tx.into(),
            receipt.block.into(),
            receipt.block_hash.into(),
            fault::state(revert).text().into(),
            revert[..].into(),
            receipt.gas_used.into(),
        ];
        self.pool.execute(sql, &args).await.map(|_| ())
    }

    pub async fn settle(&self, (payer, nonce): (Address, u64)) -> Result<()> {
        let sql = "UPDATE sending SET settled = 1 WHERE payer = $1 AND nonce = $2";
        self.pool.execute(sql, &[payer.into(), nonce.into()]).await.map(|_| ())
    }

    /// A reorganisation has taken the transaction out of the chain.
    pub async fn unmine(&self, digest: B256, (payer, nonce): (Address, u64)) -> Result<()> {
        let mut tx = self.pool.begin().await?;
        let operation =
            "UPDATE operation SET state = 'submitted', block_number = NULL, block_hash = NULL, gas_used = NULL,
                           fault = NULL
                         WHERE digest = $1 AND payer = $2 AND nonce = $3 AND state <> 'queued'";
        tx.execute(operation, &[digest.into(), payer.into(), nonce.into()])
            .await?;
        let sending = "UPDATE sending SET settled = 0 WHERE payer = $1 AND nonce = $2";
        tx.execute(sending, &[payer.into(), nonce.into()]).await?;
        tx.commit().await
    }

    /// The nonce was used by a transaction that is not ours: the operation waits for another.
    pub async fn give_up(&self, digest: B256, (payer, nonce): (Address, u64)) -> Result<()> {
        let mut tx = self.pool.begin().await?;
        let operation = "UPDATE operation SET state = 'queued', payer = NULL, nonce = NULL, tx = NULL
                         WHERE digest = $1 AND payer = $2 AND nonce = $3 AND state = 'submitted'";
        tx.execute(operation, &[digest.into(), payer.into(), nonce.into()])
            .await?;
        let sending = "UPDATE sending SET settled = 1 WHERE payer = $1 AND nonce = $2";
        tx.execute(sending, &[payer.into(), nonce.into()]).await?;
        tx.commit().await
    }
}

/// Claims the name, and finds the operation unless it came to nothing: the contract lets it run once at most, so that one may be
/// tried again.
async fn repeated(tx: &mut Tx, digest: B256, account: Address, name: Option<&str>, now: u64) -> Result<Repeated> {
    if let Some(name) = name
        && !claim_name(tx, digest, account, name, now).await?
    {
        return Ok(Repeated::NameTaken);
    }
    Ok(match stored(tx, digest).await? {
        Some(stored)
            if !matches!(
                stored.body.state,
                RelayState::Failed | RelayState::Expired | RelayState::Cancelled
            ) =>
        {
            Repeated::Present(Box::new(stored))
        }
        _ => Repeated::No,
    })
}

/// `false` where the caller gave this name to another operation.
async fn claim_name(tx: &mut Tx, digest: B256, account: Address, name: &str, now: u64) -> Result<bool> {
    let ended = now.saturating_sub(NAMED_SECONDS);
    tx.execute("DELETE FROM idempotency WHERE accepted_at < $1", &[ended.into()])
        .await?;
    let claim =
        "INSERT INTO idempotency (account, name, digest, accepted_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    let args = [account.into(), name.into(), digest.into(), now.into()];
    tx.execute(claim, &args).await?;
    let named = "SELECT digest FROM idempotency WHERE account = $1 AND name = $2";
    let row = tx.first(named, &[account.into(), name.into()]).await?;
    Ok(row.ok_or_else(|| impossible("digest"))?.fixed::<B256>("digest")? == digest)
}

/// Counts an operation against the day of `account`; `false` where it does not fit.
async fn take(tx: &mut Tx, new: &New<'_>, account: Address, (operations, gas): (u64, u64)) -> Result<bool> {
    let day = new.now / DAY_SECONDS;
    // Yesterday's are of no use.
    tx.execute("DELETE FROM quota WHERE day < $1", &[day.into()]).await?;
    let count = "INSERT INTO quota (day, account, operations, gas) VALUES ($1, $2, 1, $3)
                 ON CONFLICT (day, account) DO UPDATE SET operations = quota.operations + 1, gas = quota.gas + excluded.gas";
    tx.execute(count, &[day.into(), account.into(), new.gas_limit.into()])
        .await?;
    let counted = "SELECT operations, gas FROM quota WHERE day = $1 AND account = $2";
    let row = tx.first(counted, &[day.into(), account.into()]).await?;
    let row = row.ok_or_else(|| impossible("day"))?;
    Ok(row.number::<u64>("operations")? <= operations && row.number::<u64>("gas")? <= gas)
}

/// `false` where there is one of this number, or with this hash.
async fn insert(tx: &mut Tx, (payer, nonce): (Address, u64), attempt: &Attempt) -> Result<bool> {
    let sql = "INSERT INTO attempt (payer, nonce, number, tx, raw, fee, tip, signed_at, fault)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING";
    let args = [
        payer.into(),
        nonce.into(),
        attempt.number.into(),
        attempt.tx.into(),
        attempt.raw[..].into(),
        attempt.fee.most.into(),
        attempt.fee.tip.into(),
        attempt.signed_at.into(),
        Value::Bytes(attempt.fault.as_ref().map(|fault| fault.to_vec())),
    ];
    Ok(tx.execute(sql, &args).await? == 1)
}

async fn stored(tx: &mut Tx, digest: B256) -> Result<Option<Stored>> {
    let row = tx
        .first("SELECT * FROM operation WHERE digest = $1", &[digest.into()])
        .await?;
    row.as_ref().map(read).transpose()
}

fn read(row: &Row) -> Result<Stored> {
    let revert = row.bytes("fault")?.map(Bytes::copy_from_slice);
    let body = RelayedOperation {
        id: row.fixed("digest")?,
        signer: row.fixed("signer")?,
        method: row.text("method")?.to_owned(),
        state: state(row)?,
        accepted_at: row.number("accepted_at")?,
        deadline: row.number("deadline")?,
        gas_limit: row.number("gas_limit")?,
        tx: row.bytes("tx")?.map(|_| row.fixed("tx")).transpose()?,
        block: row.int("block_number")?.map(i64::unsigned_abs),
        block_hash: row.bytes("block_hash")?.map(|_| row.fixed("block_hash")).transpose()?,
        gas_used: row.int("gas_used")?.map(i64::unsigned_abs),
        fault: revert.as_ref().map(|revert| fault::read(revert).0.to_owned()),
        revert,
    };
    Ok(Stored {
        sequence: row.number("sequence")?,
        account: row.fixed("account")?,
        call: bytes(row, "call")?,
        body,
    })
}

fn state(row: &Row) -> Result<RelayState> {
    RelayState::from_text(row.text("state")?).ok_or_else(|| impossible("state"))
}

fn bytes(row: &Row, column: &'static str) -> Result<Bytes> {
    let bytes = row.bytes(column)?.ok_or_else(|| impossible(column))?;
    Ok(Bytes::copy_from_slice(bytes))
}

#[cfg(test)]
mod tests;
