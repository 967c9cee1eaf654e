//! Sessions and receipts in SQLite. Whatever a call here returned for is on disk (WAL, synchronous FULL).
use std::{path::Path, time::Duration};

use alloy::primitives::{Address, B256};
use anyhow::{Context as _, ensure};
use medlock_abi::terms::reason;
use medlock_api::{Purpose, ReadEntry, ReadRequest, Receipt};
use medlock_indexer::Deployment;
use sqlx::{
    Row as _, SqlitePool,
    migrate::Migrator,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous},
};

use crate::session::SESSIONS_MOST;

static MIGRATIONS: Migrator = sqlx::migrate!();

/// Connections at once; SQLite has one writer, the rest read.
const CONNECTIONS_MOST: u32 = 8;
/// How long a statement waits for another connection's lock.
const BUSY: Duration = Duration::from_secs(5);
/// An ended session is told from an unknown one for this long.
const ENDED_SECONDS: u64 = 24 * 3600;

type Result<T> = std::result::Result<T, sqlx::Error>;

/// A receipt that was checked, and the decision that the read rests on.
pub struct Checked<'a> {
    pub request: &'a ReadRequest,
    pub block: u64,
    pub block_hash: B256,
    pub reason: u8,
    /// UNIX seconds.
    pub received_at: u64,
}

#[derive(Clone)]
pub struct Db {
    pool: SqlitePool,
    deployment: Deployment,
    account: Address,
    challenge_key: [u8; 32],
}

impl Db {
    /// Opens or creates the file and brings its schema up to date. `random` becomes the challenge key of a new file.
    ///
    /// Refuses a file of another deployment or gateway account (its receipts are addressed to that one), of a newer
    /// build, or whose last receipt does not hash to what is written beside it.
    pub async fn open(path: &Path, deployment: Deployment, account: Address, random: [u8; 32]) -> anyhow::Result<Self> {
        let name = || format!("gateway database {}", path.display());
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).with_context(|| format!("create folder {}", folder.display()))?;
        }
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY);
        let pool = SqlitePoolOptions::new()
            .max_connections(CONNECTIONS_MOST)
            .connect_with(options)
            .await
            .with_context(|| format!("open {}", name()))?;
        MIGRATIONS
            .run(&pool)
            .await
            .with_context(|| format!("bring {} to this build's schema", name()))?;
        let mut db = Self {
            pool,
            deployment,
            account,
            challenge_key: random,
        };
        db.claim().await.with_context(name)?;
        db.check_tail().await.with_context(name)?;
        Ok(db)
    }

    pub fn challenge_key(&self) -> &[u8; 32] {
        &self.challenge_key
    }

    /// Uses up `nonce` and opens a session; `false` where the nonce was used before.
    pub async fn open_session(
        &self,
        (nonce, nonce_expires_at): (&str, u64),
        token_hash: B256,
        account: Address,
        now: u64,
        expires_at: u64,
    ) -> Result<bool> {
        let mut tx = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query("DELETE FROM used_nonce WHERE expires_at <= $1")
            .bind(int(now))
            .execute(&mut *tx)
            .await?;
        sqlx::query("DELETE FROM session WHERE expires_at <= $1")
            .bind(int(now.saturating_sub(ENDED_SECONDS)))
            .execute(&mut *tx)
            .await?;
        let fresh = sqlx::query("INSERT INTO used_nonce (nonce, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING")
            .bind(nonce)
            .bind(int(nonce_expires_at))
            .execute(&mut *tx)
            .await?
            .rows_affected()
            == 1;
        if fresh {
            sqlx::query("INSERT INTO session (token_hash, account, created_at, expires_at) VALUES ($1, $2, $3, $4)")
                .bind(token_hash.as_slice())
                .bind(account.as_slice())
                .bind(int(now))
                .bind(int(expires_at))
                .execute(&mut *tx)
                .await?;
            sqlx::query(
                "DELETE FROM session WHERE account = $1 AND token_hash NOT IN
                 (SELECT token_hash FROM session WHERE account = $1 ORDER BY created_at DESC, token_hash = $2 DESC LIMIT $3)",
            )
            .bind(account.as_slice())
            .bind(token_hash.as_slice())
            .bind(SESSIONS_MOST)
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;
        Ok(fresh)
    }

    /// Account and expiry of a session, ended or not.
    pub async fn session(&self, token_hash: B256) -> Result<Option<(Address, u64)>> {
        let row = sqlx::query("SELECT account, expires_at FROM session WHERE token_hash = $1")
            .bind(token_hash.as_slice())
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| Ok((address(&row, "account")?, number(&row, "expires_at")?)))
            .transpose()
    }

    pub async fn close_session(&self, token_hash: B256) -> Result<()> {
        sqlx::query("DELETE FROM session WHERE token_hash = $1")
            .bind(token_hash.as_slice())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// How many blocks the chain referred to in the last round of upkeep.
    pub async fn referred(&self) -> Result<Option<u64>> {
        let row = sqlx::query("SELECT referred FROM upkeep")
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| number(&row, "referred")).transpose()
    }

    pub async fn set_referred(&self, blocks: u64) -> Result<()> {
        sqlx::query("INSERT INTO upkeep VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET referred = excluded.referred")
            .bind(int(blocks))
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Links the receipt to the chain; `None` where its nonce was seen before.
    pub async fn append_receipt(&self, checked: &Checked<'_>) -> Result<Option<ReadEntry>> {
        let receipt = &checked.request.receipt;
        // IMMEDIATE: the writer's lock is taken before the tail is read, so that no two entries get one place.
        let mut tx = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        if sqlx::query("SELECT 1 FROM receipt WHERE nonce = $1")
            .bind(receipt.nonce.as_slice())
            .fetch_optional(&mut *tx)
            .await?
            .is_some()
        {
            return Ok(None);
        }
        let tail = sqlx::query("SELECT sequence, hash FROM receipt ORDER BY sequence DESC LIMIT 1")
            .fetch_optional(&mut *tx)
            .await?;
        let (last, previous) = match &tail {
            Some(row) => (number(row, "sequence")?, b256(row, "hash")?),
            None => (0, B256::ZERO),
        };
        let mut entry = ReadEntry {
            sequence: last + 1,
            receipt: receipt.clone(),
            signature: checked.request.signature.clone(),
            block: checked.block,
            block_hash: checked.block_hash,
            reason: reason::text(checked.reason).into(),
            reason_code: checked.reason,
            received_at: checked.received_at,
            previous,
            hash: B256::ZERO,
        };
        entry.hash = self.link_hash(&entry);
        sqlx::query(
            "INSERT INTO receipt (sequence, chart, record_id, version, pointer, reader, purpose, read_at, nonce,
                signature, block_number, block_hash, reason, received_at, previous, hash)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        )
        .bind(int(entry.sequence))
        .bind(receipt.chart.as_slice())
        .bind(receipt.record_id.as_slice())
        .bind(receipt.version)
        .bind(receipt.pointer.as_slice())
        .bind(receipt.reader.as_slice())
        .bind(receipt.purpose.bit())
        .bind(int(receipt.read_at))
        .bind(receipt.nonce.as_slice())
        .bind(&entry.signature[..])
        .bind(int(entry.block))
        .bind(entry.block_hash.as_slice())
        .bind(entry.reason_code)
        .bind(int(entry.received_at))
        .bind(entry.previous.as_slice())
        .bind(entry.hash.as_slice())
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(Some(entry))
    }

    /// The newest receipt of `reader` for this version.
    pub async fn latest_receipt(
        &self,
        reader: Address,
        chart: B256,
        record_id: B256,
        version: u32,
    ) -> Result<Option<ReadEntry>> {
        let row = sqlx::query(
            "SELECT * FROM receipt WHERE reader = $1 AND chart = $2 AND record_id = $3 AND version = $4
             ORDER BY sequence DESC LIMIT 1",
        )
        .bind(reader.as_slice())
        .bind(chart.as_slice())
        .bind(record_id.as_slice())
        .bind(version)
        .fetch_optional(&self.pool)
        .await?;
        row.as_ref().map(|row| self.entry(row)).transpose()
    }

    /// The reads of `chart` after sequence `after`, ascending.
    pub async fn receipts(&self, chart: B256, after: u64, limit: u32) -> Result<Vec<ReadEntry>> {
        let rows = sqlx::query("SELECT * FROM receipt WHERE chart = $1 AND sequence > $2 ORDER BY sequence LIMIT $3")
            .bind(chart.as_slice())
            .bind(int(after))
            .bind(limit)
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(|row| self.entry(row)).collect()
    }

    pub async fn ping(&self) -> Result<()> {
        sqlx::query("SELECT 1").execute(&self.pool).await.map(|_| ())
    }

    pub async fn close(&self) {
        self.pool.close().await;
    }

    fn link_hash(&self, entry: &ReadEntry) -> B256 {
        entry.link_hash(self.deployment.chain_id, self.deployment.records)
    }

    async fn claim(&mut self) -> anyhow::Result<()> {
        sqlx::query(
            "INSERT INTO gateway (id, chain_id, genesis_hash, records, account, challenge_key)
             VALUES (1, $1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
        )
        .bind(int(self.deployment.chain_id))
        .bind(self.deployment.genesis_hash.as_slice())
        .bind(self.deployment.records.as_slice())
        .bind(self.account.as_slice())
        .bind(&self.challenge_key[..])
        .execute(&self.pool)
        .await?;
        let row = sqlx::query("SELECT * FROM gateway").fetch_one(&self.pool).await?;
        let stored: (u64, B256, Address, Address) = (
            number(&row, "chain_id")?,
            b256(&row, "genesis_hash")?,
            address(&row, "records")?,
            address(&row, "account")?,
        );
        let ours = (
            self.deployment.chain_id,
            self.deployment.genesis_hash,
            self.deployment.records,
            self.account,
        );
        ensure!(
            stored == ours,
            "it belongs to another deployment or gateway account ({stored:?}, not {ours:?}): move it away, or name another file"
        );
        self.challenge_key = b256(&row, "challenge_key")?.0;
        Ok(())
    }

    async fn check_tail(&self) -> anyhow::Result<()> {
        let tail = sqlx::query("SELECT * FROM receipt ORDER BY sequence DESC LIMIT 1")
            .fetch_optional(&self.pool)
            .await?;
        if let Some(row) = tail {
            let entry = self.entry(&row)?;
            ensure!(
                entry.hash == self.link_hash(&entry),
                "receipt {} does not match its hash: the file was altered; restore it from a copy",
                entry.sequence
            );
        }
        Ok(())
    }

    fn entry(&self, row: &SqliteRow) -> Result<ReadEntry> {
        let reason_code: u8 = number(row, "reason")?;
        Ok(ReadEntry {
            sequence: number(row, "sequence")?,
            receipt: Receipt {
                chart: b256(row, "chart")?,
                record_id: b256(row, "record_id")?,
                version: number(row, "version")?,
                pointer: b256(row, "pointer")?,
                reader: address(row, "reader")?,
                purpose: Purpose::from_bit(number(row, "purpose")?).ok_or_else(|| impossible("purpose"))?,
                // The file belongs to one gateway, which takes receipts addressed to itself only.
                gateway: self.account,
                read_at: number(row, "read_at")?,
                nonce: b256(row, "nonce")?,
            },
            signature: row.try_get::<Vec<u8>, _>("signature")?.into(),
            block: number(row, "block_number")?,
            block_hash: b256(row, "block_hash")?,
            reason: reason::text(reason_code).into(),
            reason_code,
            received_at: number(row, "received_at")?,
            previous: b256(row, "previous")?,
            hash: b256(row, "hash")?,
        })
    }
}

/// SQL's integers end at 2^63; no time or block number reaches it.
fn int(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn number<T: TryFrom<i64>>(row: &SqliteRow, column: &'static str) -> Result<T> {
    T::try_from(row.try_get::<i64, _>(column)?).map_err(|_| impossible(column))
}

fn b256(row: &SqliteRow, column: &'static str) -> Result<B256> {
    B256::try_from(row.try_get::<&[u8], _>(column)?).map_err(|_| impossible(column))
}

fn address(row: &SqliteRow, column: &'static str) -> Result<Address> {
    Address::try_from(row.try_get::<&[u8], _>(column)?).map_err(|_| impossible(column))
}

/// A row holds what this build never writes.
fn impossible(column: &'static str) -> sqlx::Error {
    sqlx::Error::Decode(format!("column {column} holds an impossible value").into())
}
