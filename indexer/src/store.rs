//! The tables: one writer, on SQLite in WAL mode. A batch's rows and its checkpoint are one transaction.
//!
//! The checkpoint has no row of its own: it is the newest row of `block`, so it cannot come apart from the rows.
use crate::{
    Deployment,
    apply::{Change, apply},
    model::{Batch, Block, Entry},
};
use alloy::primitives::{Address, B256};
use anyhow::{Context, Result, bail, ensure};
use medlock_abi::terms::{credential_status, record_status};
use sqlx::{
    Connection, Row, Sqlite, SqliteConnection, Transaction,
    migrate::Migrator,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

static MIGRATIONS: Migrator = sqlx::migrate!();

/// How far below the checkpoint blocks without events are kept. A reorg that goes deeper is walked back along the
/// blocks with events, down to genesis: as exact, at more blocks fetched again.
pub const RECENT_BLOCKS: u64 = 4096;

/// How long a statement waits for another process's lock.
const BUSY: Duration = Duration::from_secs(5);

/// How the files are opened: for writing by the one pipeline, or for reading by queries.
pub fn options(path: &Path, write: bool) -> SqliteConnectOptions {
    let options = SqliteConnectOptions::new().filename(path).busy_timeout(BUSY);
    if write {
        // NORMAL in WAL mode can lose the newest commits in a power cut, never their wholeness;
        // what is lost is indexed again.
        options
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
    } else {
        options.read_only(true)
    }
}

/// The writer.
pub struct Store {
    path: PathBuf,
    connection: SqliteConnection,
}

/// Whether the database may take tomorrow what it refuses today: a full disk, or one that fails to write. The
/// transaction was rolled back, so nothing is half-written.
pub fn is_passing(error: &anyhow::Error) -> bool {
    // Primary result codes (sqlite.org/rescode.html): SQLITE_BUSY, SQLITE_IOERR, SQLITE_FULL.
    const PASSING: [u32; 3] = [5, 10, 13];
    let code = error
        .chain()
        .find_map(|cause| cause.downcast_ref::<sqlx::Error>()?.as_database_error()?.code());
    // An extended code has the primary one in its low byte.
    code.and_then(|code| code.parse::<u32>().ok())
        .is_some_and(|code| PASSING.contains(&(code & 0xff)))
}

impl Store {
    /// Opens or creates the database and brings its schema up to date. `genesis` is the chain's block 0.
    ///
    /// Refuses a database that mirrors another deployment or was written by a newer build.
    pub async fn open(path: &Path, deployment: &Deployment, genesis: Block) -> Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).with_context(|| format!("create folder {}", folder.display()))?;
        }
        let mut connection = connect(path).await?;
        MIGRATIONS
            .run(&mut connection)
            .await
            .with_context(|| format!("bring index database {} to this build's schema", path.display()))?;
        let mut store = Self {
            path: path.to_owned(),
            connection,
        };
        store
            .claim(deployment, genesis)
            .await
            .with_context(|| format!("index database {}", path.display()))?;
        Ok(store)
    }

    async fn claim(&mut self, deployment: &Deployment, genesis: Block) -> Result<()> {
        let mut tx = self.connection.begin_with("BEGIN IMMEDIATE").await?;
        let stored = sqlx::query(
            "SELECT chain_id, genesis_hash, registry, records, exceptions, relay, audit, start_block FROM deployment",
        )
        .fetch_optional(&mut *tx)
        .await?;
        match stored {
            Some(row) => {
                let stored = Deployment {
                    chain_id: unsigned(&row, "chain_id")?,
                    genesis_hash: b256(&row, "genesis_hash")?,
                    registry: address(&row, "registry")?,
                    records: address(&row, "records")?,
                    exceptions: address(&row, "exceptions")?,
                    relay: address(&row, "relay")?,
                    audit: address(&row, "audit")?,
                    start_block: unsigned(&row, "start_block")?,
                };
                ensure!(
                    stored == *deployment,
                    "it mirrors another deployment ({stored:?}, not {deployment:?}): move it away, or name another file"
                );
            }
            None => {
                sqlx::query(
                    "INSERT INTO deployment (id, chain_id, genesis_hash, registry, records, exceptions, relay, audit, start_block)
                     VALUES (1, $1, $2, $3, $4, $5, $6, $7, $8)",
                )
                .bind(int(deployment.chain_id)?)
                .bind(deployment.genesis_hash.as_slice())
                .bind(deployment.registry.as_slice())
                .bind(deployment.records.as_slice())
                .bind(deployment.exceptions.as_slice())
                .bind(deployment.relay.as_slice())
                .bind(deployment.audit.as_slice())
                .bind(int(deployment.start_block)?)
                .execute(&mut *tx)
                .await?;
                insert_block(&mut tx, &genesis).await?;
            }
        }
        tx.commit().await?;
        Ok(())
    }

    /// A new connection in the place of one whose transaction failed on a full disk: SQLite has then rolled back by
    /// itself, and the old connection still believes in its transaction.
    pub async fn reconnect(&mut self) -> Result<()> {
        self.connection = connect(&self.path).await?;
        Ok(())
    }

    /// The block up to which everything is in the tables. Genesis where nothing was indexed yet.
    pub async fn checkpoint(&mut self) -> Result<Block> {
        newest_block(&mut self.connection, i64::MAX).await
    }

    /// The newest stored block at or below `number`: the next step of a walk back. Genesis ends every walk.
    pub async fn block_at_or_below(&mut self, number: u64) -> Result<Block> {
        newest_block(&mut self.connection, int(number)?).await
    }

    /// Commits `batch`. Fails, and changes nothing, where the checkpoint is no longer the one it continues from.
    pub async fn commit(&mut self, batch: &Batch) -> Result<()> {
        let (Some(first), Some(last)) = (batch.blocks.first(), batch.blocks.last()) else {
            bail!("a batch without a block");
        };
        ensure!(
            first.number > batch.after.number,
            "a batch that does not follow its checkpoint"
        );
        // IMMEDIATE: take the writer's lock before reading the checkpoint, so that the check below holds until commit.
        let mut tx = self.connection.begin_with("BEGIN IMMEDIATE").await?;
        let checkpoint = newest_block(&mut tx, i64::MAX).await?;
        ensure!(
            checkpoint == batch.after,
            "another indexer writes to this database: its checkpoint is block {} {}, not {} {}",
            checkpoint.number,
            checkpoint.hash,
            batch.after.number,
            batch.after.hash,
        );
        let mut entries = batch.entries.iter().peekable();
        for block in &batch.blocks {
            insert_block(&mut tx, block).await?;
            while let Some(entry) = entries.next_if(|entry| entry.block_number == block.number) {
                insert_event(&mut tx, entry).await?;
                for change in apply(&entry.event) {
                    write(&mut tx, block, entry, &change).await.with_context(|| {
                        format!(
                            "log {} of block {} (transaction {}) contradicts the tables: {change:?}",
                            entry.log_index, block.number, entry.tx_hash,
                        )
                    })?;
                }
            }
        }
        if let Some(entry) = entries.next() {
            bail!(
                "log {} of block {} has no block in its batch",
                entry.log_index,
                entry.block_number
            );
        }
        forget_old_blocks(&mut tx, batch.after.number, last.number).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Takes back everything after `to`, a stored block: rows that began later go, rows that ended later are current again.
    pub async fn rollback(&mut self, to: &Block) -> Result<()> {
        let mut tx = self.connection.begin_with("BEGIN IMMEDIATE").await?;
        let number = int(to.number)?;
        ensure!(
            newest_block(&mut tx, number).await? == *to,
            "block {} {} is not stored",
            to.number,
            to.hash
        );
        for statement in ROLLBACK {
            sqlx::query(statement).bind(number).execute(&mut *tx).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Ends the connection, folding the write-ahead log into the database.
    pub async fn close(self) -> Result<()> {
        Ok(self.connection.close().await?)
    }
}

async fn connect(path: &Path) -> Result<SqliteConnection> {
    SqliteConnection::connect_with(&options(path, true))
        .await
        .with_context(|| format!("open index database {}", path.display()))
}

type Tx<'a> = Transaction<'a, Sqlite>;

async fn newest_block(connection: &mut SqliteConnection, most: i64) -> Result<Block> {
    let row =
        sqlx::query("SELECT number, hash, parent, time FROM block WHERE number <= $1 ORDER BY number DESC LIMIT 1")
            .bind(most)
            .fetch_one(connection)
            .await
            .context("read the newest stored block")?;
    Ok(Block {
        number: unsigned(&row, "number")?,
        hash: b256(&row, "hash")?,
        parent: b256(&row, "parent")?,
        time: unsigned(&row, "time")?,
    })
}

async fn insert_block(tx: &mut Tx<'_>, block: &Block) -> Result<()> {
    sqlx::query("INSERT INTO block (number, hash, parent, time) VALUES ($1, $2, $3, $4)")
        .bind(int(block.number)?)
        .bind(block.hash.as_slice())
        .bind(block.parent.as_slice())
        .bind(int(block.time)?)
        .execute(&mut **tx)
        .await
        .with_context(|| format!("insert block {}", block.number))?;
    Ok(())
}

/// The windows of successive commits join up, so no block is missed.
async fn forget_old_blocks(tx: &mut Tx<'_>, before: u64, now: u64) -> Result<()> {
    sqlx::query(
        "DELETE FROM block WHERE number > 0 AND number >= $1 AND number < $2
         AND NOT EXISTS (SELECT 1 FROM event WHERE event.block_number = block.number)",
    )
    .bind(int(before.saturating_sub(RECENT_BLOCKS))?)
    .bind(int(now.saturating_sub(RECENT_BLOCKS))?)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

async fn insert_event(tx: &mut Tx<'_>, entry: &Entry) -> Result<()> {
    let topics: Vec<u8> = entry.raw.topics().iter().flat_map(|topic| topic.0).collect();
    sqlx::query(
        "INSERT INTO event (block_number, log_index, tx_hash, contract, name, topics, data)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(int(entry.block_number)?)
    .bind(int(entry.log_index)?)
    .bind(entry.tx_hash.as_slice())
    .bind(entry.contract.as_slice())
    .bind(entry.name)
    .bind(topics)
    .bind(entry.raw.data.as_ref())
    .execute(&mut **tx)
    .await
    .with_context(|| format!("insert log {} of block {}", entry.log_index, entry.block_number))?;
    Ok(())
}

/// Ends the current row of the change's key, if there is one, and begins the new row, if there is one.
async fn write(tx: &mut Tx<'_>, block: &Block, entry: &Entry, change: &Change) -> Result<()> {
    let (number, time, log) = (int(block.number)?, int(block.time)?, int(entry.log_index)?);
    /// `end!(table, key = value, ..)`: the current row of the key ends at this block.
    macro_rules! end {
        ($sql:literal, $($key:expr),+) => {
            sqlx::query($sql).bind(number).bind(time)$(.bind($key.as_slice()))+.execute(&mut **tx).await?
        };
    }
    macro_rules! begin {
        ($sql:literal, $($value:expr),+) => {
            sqlx::query($sql).bind(number).bind(log).bind(time)$(.bind($value))+.execute(&mut **tx).await?
        };
    }
    match change {
        Change::Chart {
            chart,
            controller,
            control_epoch,
        } => {
            let ended = end!(
                "UPDATE chart SET valid_to_block = $1, valid_to_time = $2 WHERE chart = $3 AND valid_to_block IS NULL",
                chart
            );
            ensure!(
                (ended.rows_affected() == 0) == (*control_epoch == 0),
                "control epoch {control_epoch} does not follow the stored one"
            );
            begin!(
                "INSERT INTO chart (valid_from_block, valid_from_log, valid_from_time, chart, controller, control_epoch) VALUES ($1, $2, $3, $4, $5, $6)",
                chart.as_slice(),
                controller.as_slice(),
                i64::from(*control_epoch)
            );
        }
        Change::Offer { chart, to } => {
            end!(
                "UPDATE control_offer SET valid_to_block = $1, valid_to_time = $2 WHERE chart = $3 AND valid_to_block IS NULL",
                chart
            );
            begin!(
                "INSERT INTO control_offer (valid_from_block, valid_from_log, valid_from_time, chart, offered_to) VALUES ($1, $2, $3, $4, $5)",
                chart.as_slice(),
                to.as_slice()
            );
        }
        // An offer may be withdrawn that nobody made.
        Change::OfferEnds { chart } => {
            end!(
                "UPDATE control_offer SET valid_to_block = $1, valid_to_time = $2 WHERE chart = $3 AND valid_to_block IS NULL",
                chart
            );
        }
        Change::GrantEpoch { chart, epoch } => {
            end!(
                "UPDATE grant_epoch SET valid_to_block = $1, valid_to_time = $2 WHERE chart = $3 AND valid_to_block IS NULL",
                chart
            );
            begin!(
                "INSERT INTO grant_epoch (valid_from_block, valid_from_log, valid_from_time, chart, epoch) VALUES ($1, $2, $3, $4, $5)",
                chart.as_slice(),
                i64::from(*epoch)
            );
        }
        Change::Directory { chart, version, digest } => {
            end!(
                "UPDATE directory SET valid_to_block = $1, valid_to_time = $2 WHERE chart = $3 AND valid_to_block IS NULL",
                chart
            );
            begin!(
                "INSERT INTO directory (valid_from_block, valid_from_log, valid_from_time, chart, version, digest) VALUES ($1, $2, $3, $4, $5, $6)",
                chart.as_slice(),
                i64::from(*version),
                digest.as_slice()
            );
        }
        Change::Record {
            chart,
            record_id,
            compartment,
        } => {
            // No row to end: a second row of the same record breaks a unique index, and so stops the pipeline.
            begin!(
                "INSERT INTO record (valid_from_block, valid_from_log, valid_from_time, chart, record_id, compartment) VALUES ($1, $2, $3, $4, $5, $6)",
                chart.as_slice(),
                record_id.as_slice(),
                i64::from(*compartment)
            );
        }
        Change::RecordVersion {
            chart,
            record_id,
            version,
            author,
            codec,
            pointer,
            previous,
            created_at,
        } => {
            let ended = end!(
                "UPDATE record_version SET valid_to_block = $1, valid_to_time = $2 WHERE chart = $3 AND record_id = $4 AND valid_to_block IS NULL",
                chart,
                record_id
            );
            ensure!(
                (ended.rows_affected() == 0) == (*version == 1),
                "record version {version} does not follow the stored one"
            );
            begin!(
                "INSERT INTO record_version (valid_from_block, valid_from_log, valid_from_time, chart, record_id, version, author, codec, pointer, previous, created_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
                chart.as_slice(), record_id.as_slice(), i64::from(*version), author.as_slice(), i64::from(*codec),
                pointer.as_slice(), previous.as_slice(), int(created_at.unwrap_or(block.time))?
            );
        }
        Change::RecordStatus {
            chart,
            record_id,
            status,
        } => {
            let ended = end!(
                "UPDATE record_status SET valid_to_block = $1, valid_to_time = $2 WHERE chart = $3 AND record_id = $4 AND valid_to_block IS NULL",
                chart,
                record_id
            );
            ensure!(
                (ended.rows_affected() == 0) == (*status == record_status::CURRENT),
                "record status {status} does not follow the stored one"
            );
            begin!(
                "INSERT INTO record_status (valid_from_block, valid_from_log, valid_from_time, chart, record_id, status) VALUES ($1, $2, $3, $4, $5, $6)",
                chart.as_slice(),
                record_id.as_slice(),
                i64::from(*status)
            );
        }
        // Never changed, so no row ever ends; a second one breaks the primary key, and so stops the pipeline.
        Change::Batch {
            chart,
            root,
            author,
            compartment,
            codec,
            count,
        } => {
            begin!(
                "INSERT INTO batch (valid_from_block, valid_from_log, valid_from_time, chart, root, author, compartment, codec, leaves)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                chart.as_slice(), root.as_slice(), author.as_slice(), i64::from(*compartment), i64::from(*codec),
                i64::from(*count)
            );
        }
        Change::Grant {
            chart,
            grantee,
            epoch,
            compartments,
            purposes,
            actions,
            not_before,
            expiry,
            since,
            serial,
        } => {
            end!(
                "UPDATE grant_ SET valid_to_block = $1, valid_to_time = $2 WHERE chart = $3 AND grantee = $4 AND valid_to_block IS NULL",
                chart,
                grantee
            );
            begin!(
                "INSERT INTO grant_ (valid_from_block, valid_from_log, valid_from_time, chart, grantee, epoch, compartments, purposes, actions, not_before, expiry, since, serial)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
                chart.as_slice(), grantee.as_slice(), i64::from(*epoch), compartments.cast_signed(), i64::from(*purposes),
                i64::from(*actions), int(*not_before)?, int(*expiry)?, i64::from(*since), i64::from(*serial)
            );
        }
        Change::GrantEnds { chart, grantee } => {
            let ended = end!(
                "UPDATE grant_ SET valid_to_block = $1, valid_to_time = $2 WHERE chart = $3 AND grantee = $4 AND valid_to_block IS NULL",
                chart,
                grantee
            );
            ensure!(ended.rows_affected() == 1, "no grant to end");
        }
        Change::Keyring { chart, grantee, digest } => {
            end!(
                "UPDATE keyring SET valid_to_block = $1, valid_to_time = $2 WHERE chart = $3 AND grantee = $4 AND valid_to_block IS NULL",
                chart,
                grantee
            );
            begin!(
                "INSERT INTO keyring (valid_from_block, valid_from_log, valid_from_time, chart, grantee, digest) VALUES ($1, $2, $3, $4, $5, $6)",
                chart.as_slice(),
                grantee.as_slice(),
                digest.as_slice()
            );
        }
        Change::KeyringEnds { chart, grantee } => {
            end!(
                "UPDATE keyring SET valid_to_block = $1, valid_to_time = $2 WHERE chart = $3 AND grantee = $4 AND valid_to_block IS NULL",
                chart,
                grantee
            );
        }
        Change::Issuer { issuer, number, epoch } => {
            end!(
                "UPDATE issuer SET valid_to_block = $1, valid_to_time = $2 WHERE issuer = $3 AND valid_to_block IS NULL",
                issuer
            );
            begin!(
                "INSERT INTO issuer (valid_from_block, valid_from_log, valid_from_time, issuer, number, epoch) VALUES ($1, $2, $3, $4, $5, $6)",
                issuer.as_slice(),
                i64::from(*number),
                i64::from(*epoch)
            );
        }
        Change::IssuerEnds { issuer } => {
            let ended = end!(
                "UPDATE issuer SET valid_to_block = $1, valid_to_time = $2 WHERE issuer = $3 AND valid_to_block IS NULL",
                issuer
            );
            ensure!(ended.rows_affected() == 1, "no issuer to end");
        }
        Change::Credential {
            party,
            issuer,
            issuer_epoch,
            roles,
            expiry,
            document,
        } => {
            end!(
                "UPDATE credential SET valid_to_block = $1, valid_to_time = $2 WHERE party = $3 AND valid_to_block IS NULL",
                party
            );
            begin!(
                "INSERT INTO credential (valid_from_block, valid_from_log, valid_from_time, party, issuer, issuer_epoch, roles, expiry, document)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                party.as_slice(), issuer.as_slice(), i64::from(*issuer_epoch), roles.cast_signed(), int(*expiry)?,
                document.as_slice()
            );
        }
        Change::CredentialStatus { party, status } => {
            let ended = end!(
                "UPDATE credential_status SET valid_to_block = $1, valid_to_time = $2 WHERE party = $3 AND valid_to_block IS NULL",
                party
            );
            ensure!(
                ended.rows_affected() == 1 || *status == credential_status::ISSUED,
                "no credential to suspend or revoke"
            );
            begin!(
                "INSERT INTO credential_status (valid_from_block, valid_from_log, valid_from_time, party, status) VALUES ($1, $2, $3, $4, $5)",
                party.as_slice(),
                i64::from(*status)
            );
        }
        Change::Member {
            organisation,
            member,
            expiry,
        } => {
            end!(
                "UPDATE member SET valid_to_block = $1, valid_to_time = $2 WHERE organisation = $3 AND member = $4 AND valid_to_block IS NULL",
                organisation,
                member
            );
            begin!(
                "INSERT INTO member (valid_from_block, valid_from_log, valid_from_time, organisation, member, expiry) VALUES ($1, $2, $3, $4, $5, $6)",
                organisation.as_slice(),
                member.as_slice(),
                int(*expiry)?
            );
        }
        Change::MemberEnds { organisation, member } => {
            let ended = end!(
                "UPDATE member SET valid_to_block = $1, valid_to_time = $2 WHERE organisation = $3 AND member = $4 AND valid_to_block IS NULL",
                organisation,
                member
            );
            ensure!(ended.rows_affected() == 1, "no membership to end");
        }
        Change::PartyKey {
            party,
            version,
            suite,
            key,
        } => {
            end!(
                "UPDATE party_key SET valid_to_block = $1, valid_to_time = $2 WHERE party = $3 AND valid_to_block IS NULL",
                party
            );
            begin!(
                "INSERT INTO party_key (valid_from_block, valid_from_log, valid_from_time, party, version, suite, key) VALUES ($1, $2, $3, $4, $5, $6, $7)",
                party.as_slice(),
                i64::from(*version),
                i64::from(*suite),
                key.as_ref()
            );
        }
        Change::KeyRevoked { party, version } => {
            // A second row of the same key breaks the primary key, and so stops the pipeline.
            let begun = begin!(
                "INSERT INTO key_revocation (valid_from_block, valid_from_log, valid_from_time, party, version)
                 SELECT $1, $2, $3, party, version FROM party_key WHERE party = $4 AND version = $5",
                party.as_slice(),
                i64::from(*version)
            );
            ensure!(begun.rows_affected() == 1, "no key to revoke");
        }
        Change::Rule {
            chart,
            record_id,
            grantee,
            effect,
            purposes,
            actions,
            expiry,
            directory_version,
        } => {
            end!(
                "UPDATE rule SET valid_to_block = $1, valid_to_time = $2 WHERE chart = $3 AND record_id = $4 AND grantee = $5 AND valid_to_block IS NULL",
                chart,
                record_id,
                grantee
            );
            begin!(
                "INSERT INTO rule (valid_from_block, valid_from_log, valid_from_time, chart, record_id, grantee, effect, purposes, actions, expiry, directory_version)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
                chart.as_slice(), record_id.as_slice(), grantee.as_slice(), i64::from(*effect), i64::from(*purposes),
                i64::from(*actions), int(*expiry)?, i64::from(*directory_version)
            );
        }
        // A rule may be removed that nobody set.
        Change::RuleEnds {
            chart,
            record_id,
            grantee,
        } => {
            end!(
                "UPDATE rule SET valid_to_block = $1, valid_to_time = $2 WHERE chart = $3 AND record_id = $4 AND grantee = $5 AND valid_to_block IS NULL",
                chart,
                record_id,
                grantee
            );
        }
        Change::Delegate {
            chart,
            delegate,
            parent,
            serial,
            powers,
            expiry,
            depth,
            parent_serial,
            control_epoch,
        } => {
            end!(
                "UPDATE delegate SET valid_to_block = $1, valid_to_time = $2 WHERE chart = $3 AND delegate = $4 AND valid_to_block IS NULL",
                chart,
                delegate
            );
            begin!(
                "INSERT INTO delegate (valid_from_block, valid_from_log, valid_from_time, chart, delegate, parent, serial, powers, expiry, depth, parent_serial, control_epoch)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
                chart.as_slice(), delegate.as_slice(), parent.as_slice(), i64::from(*serial), i64::from(*powers),
                int(*expiry)?, i64::from(*depth), i64::from(*parent_serial), i64::from(*control_epoch)
            );
        }
        Change::DelegateEnds { chart, delegate } => {
            let ended = end!(
                "UPDATE delegate SET valid_to_block = $1, valid_to_time = $2 WHERE chart = $3 AND delegate = $4 AND valid_to_block IS NULL",
                chart,
                delegate
            );
            ensure!(ended.rows_affected() == 1, "no delegate to end");
        }
        Change::EmergencyAccess {
            chart,
            allowed,
            serial,
            control_epoch,
        } => {
            end!(
                "UPDATE emergency_access SET valid_to_block = $1, valid_to_time = $2 WHERE chart = $3 AND valid_to_block IS NULL",
                chart
            );
            begin!(
                "INSERT INTO emergency_access (valid_from_block, valid_from_log, valid_from_time, chart, allowed, serial, control_epoch)
                 VALUES ($1, $2, $3, $4, $5, $6, $7)",
                chart.as_slice(), *allowed, i64::from(*serial), i64::from(*control_epoch)
            );
        }
        Change::Emergency {
            chart,
            party,
            organisation,
            compartments,
            reason_code,
            until,
            grant_epoch,
            serial,
        } => {
            end!(
                "UPDATE emergency SET valid_to_block = $1, valid_to_time = $2 WHERE chart = $3 AND party = $4 AND valid_to_block IS NULL",
                chart,
                party
            );
            begin!(
                "INSERT INTO emergency (valid_from_block, valid_from_log, valid_from_time, chart, party, organisation, compartments, reason_code, until, grant_epoch, serial)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
                chart.as_slice(), party.as_slice(), organisation.as_slice(), compartments.cast_signed(),
                i64::from(*reason_code), int(*until)?, i64::from(*grant_epoch), i64::from(*serial)
            );
        }
        Change::EmergencyEnds { chart, party } => {
            let ended = end!(
                "UPDATE emergency SET valid_to_block = $1, valid_to_time = $2 WHERE chart = $3 AND party = $4 AND valid_to_block IS NULL",
                chart,
                party
            );
            ensure!(ended.rows_affected() == 1, "no emergency to end");
        }
        Change::Nonce { signer, nonce } => {
            end!(
                "UPDATE nonce SET valid_to_block = $1, valid_to_time = $2 WHERE signer = $3 AND valid_to_block IS NULL",
                signer
            );
            begin!(
                "INSERT INTO nonce (valid_from_block, valid_from_log, valid_from_time, signer, nonce) VALUES ($1, $2, $3, $4, $5)",
                signer.as_slice(),
                B256::from(*nonce).to_vec()
            );
        }
        Change::Anchor {
            gateway,
            index,
            anchor,
            previous,
            root,
            count,
        } => {
            begin!(
                "INSERT INTO anchor (valid_from_block, valid_from_log, valid_from_time, gateway, number, anchor, previous, root, receipts)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                gateway.as_slice(), int(*index)?, anchor.as_slice(), previous.as_slice(), root.as_slice(),
                i64::from(*count)
            );
        }
        Change::Equivocation {
            gateway,
            index,
            first,
            second,
            by,
        } => {
            begin!(
                "INSERT INTO equivocation (valid_from_block, valid_from_log, valid_from_time, gateway, number, first, second, proved_by)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                gateway.as_slice(), int(*index)?, first.as_slice(), second.as_slice(), by.as_slice()
            );
        }
    }
    Ok(())
}

/// Every state table: rows that began after $1 go, then rows that ended after $1 are current again (in this order, or
/// two rows of one key would be current at once); then events, then blocks.
const ROLLBACK: [&str; 44] = [
    "DELETE FROM chart WHERE valid_from_block > $1",
    "UPDATE chart SET valid_to_block = NULL, valid_to_time = NULL WHERE valid_to_block > $1",
    "DELETE FROM control_offer WHERE valid_from_block > $1",
    "UPDATE control_offer SET valid_to_block = NULL, valid_to_time = NULL WHERE valid_to_block > $1",
    "DELETE FROM grant_epoch WHERE valid_from_block > $1",
    "UPDATE grant_epoch SET valid_to_block = NULL, valid_to_time = NULL WHERE valid_to_block > $1",
    "DELETE FROM directory WHERE valid_from_block > $1",
    "UPDATE directory SET valid_to_block = NULL, valid_to_time = NULL WHERE valid_to_block > $1",
    "DELETE FROM record WHERE valid_from_block > $1",
    "UPDATE record SET valid_to_block = NULL, valid_to_time = NULL WHERE valid_to_block > $1",
    "DELETE FROM record_version WHERE valid_from_block > $1",
    "UPDATE record_version SET valid_to_block = NULL, valid_to_time = NULL WHERE valid_to_block > $1",
    "DELETE FROM record_status WHERE valid_from_block > $1",
    "UPDATE record_status SET valid_to_block = NULL, valid_to_time = NULL WHERE valid_to_block > $1",
    "DELETE FROM grant_ WHERE valid_from_block > $1",
    "UPDATE grant_ SET valid_to_block = NULL, valid_to_time = NULL WHERE valid_to_block > $1",
    "DELETE FROM keyring WHERE valid_from_block > $1",
    "UPDATE keyring SET valid_to_block = NULL, valid_to_time = NULL WHERE valid_to_block > $1",
    "DELETE FROM issuer WHERE valid_from_block > $1",
    "UPDATE issuer SET valid_to_block = NULL, valid_to_time = NULL WHERE valid_to_block > $1",
    "DELETE FROM credential WHERE valid_from_block > $1",
    "UPDATE credential SET valid_to_block = NULL, valid_to_time = NULL WHERE valid_to_block > $1",
    "DELETE FROM credential_status WHERE valid_from_block > $1",
    "UPDATE credential_status SET valid_to_block = NULL, valid_to_time = NULL WHERE valid_to_block > $1",
    "DELETE FROM member WHERE valid_from_block > $1",
    "UPDATE member SET valid_to_block = NULL, valid_to_time = NULL WHERE valid_to_block > $1",
    "DELETE FROM party_key WHERE valid_from_block > $1",
    "UPDATE party_key SET valid_to_block = NULL, valid_to_time = NULL WHERE valid_to_block > $1",
    "DELETE FROM rule WHERE valid_from_block > $1",
    "UPDATE rule SET valid_to_block = NULL, valid_to_time = NULL WHERE valid_to_block > $1",
    "DELETE FROM delegate WHERE valid_from_block > $1",
    "UPDATE delegate SET valid_to_block = NULL, valid_to_time = NULL WHERE valid_to_block > $1",
    "DELETE FROM emergency_access WHERE valid_from_block > $1",
    "UPDATE emergency_access SET valid_to_block = NULL, valid_to_time = NULL WHERE valid_to_block > $1",
    "DELETE FROM emergency WHERE valid_from_block > $1",
    "UPDATE emergency SET valid_to_block = NULL, valid_to_time = NULL WHERE valid_to_block > $1",
    "DELETE FROM nonce WHERE valid_from_block > $1",
    "UPDATE nonce SET valid_to_block = NULL, valid_to_time = NULL WHERE valid_to_block > $1",
    "DELETE FROM batch WHERE valid_from_block > $1",
    "DELETE FROM key_revocation WHERE valid_from_block > $1",
    "DELETE FROM anchor WHERE valid_from_block > $1",
    "DELETE FROM equivocation WHERE valid_from_block > $1",
    "DELETE FROM event WHERE block_number > $1",
    "DELETE FROM block WHERE number > $1",
];

/// A number as SQL holds it. Fails past 2^63.
pub(crate) fn int(value: u64) -> Result<i64> {
    i64::try_from(value).with_context(|| format!("{value} does not fit a 64-bit signed column"))
}

fn unsigned(row: &sqlx::sqlite::SqliteRow, column: &str) -> Result<u64> {
    Ok(u64::try_from(row.try_get::<i64, _>(column)?)?)
}

fn b256(row: &sqlx::sqlite::SqliteRow, column: &str) -> Result<B256> {
    Ok(B256::try_from(row.try_get::<&[u8], _>(column)?)?)
}

fn address(row: &sqlx::sqlite::SqliteRow, column: &str) -> Result<Address> {
    Ok(Address::try_from(row.try_get::<&[u8], _>(column)?)?)
}

#[cfg(test)]
mod tests;
