//! The tables: one writer. A batch's rows and its checkpoint are one transaction.
//!
//! The checkpoint has no row of its own: it is the newest row of `block`, so it cannot come apart from the rows.
mod fold;
mod postgres;
pub mod sqlite;
mod work;

use crate::{
    Deployment,
    db::{Connection, Database, On, Pool, Row, own},
    index::{DEPLOYMENT, deployment_row},
    model::{Batch, Block, Entry},
    tables::{CURRENT, Table, Value, end_of, place},
};
use alloy::primitives::{B256, Bytes};
use anyhow::{Context, Result, bail, ensure};
use fold::{contradiction, fold};
use medlock_sql::{migrate_sqlite, migrations};
use sqlx::migrate::{MigrateError, Migrator};
use std::{fs::File, sync::LazyLock};
use work::{Contradiction, Work};

static SQLITE_MIGRATIONS: LazyLock<Migrator> = LazyLock::new(|| migrations!("../migrations/sqlite": "0001_index"));
static POSTGRES_MIGRATIONS: LazyLock<Migrator> = LazyLock::new(|| migrations!("../migrations/postgres": "0001_index"));

/// How far below the checkpoint blocks without events are kept. A reorg that goes deeper is walked back along the
/// blocks with events, down to genesis: as exact, at more blocks fetched again.
pub const RECENT_BLOCKS: u64 = 4096;
/// The advisory lock of PostgreSQL that the writer holds ("Medlock"), one in each database.
const WRITER_LOCK: i64 = 0x004d_6564_6c6f_636b;
/// The channel on which PostgreSQL tells of each commit: "number hash" of the new checkpoint.
pub const CHANNEL: &str = "medlock_index";

/// Why an index is not built anew.
pub const WRITTEN: &str = "another process writes to it: stop that first";
/// What every index has had, whichever build made it. Others' tables are never removed.
const ALWAYS: [&str; 3] = ["deployment", "block", "event"];

/// What the migrations of this build leave behind, in order: version and checksum.
pub fn schema(database: &Pool) -> Vec<(i64, Vec<u8>)> {
    let migrations = match database {
        Pool::Sqlite(_) => &SQLITE_MIGRATIONS,
        Pool::Postgres(_) => &POSTGRES_MIGRATIONS,
    };
    let migrations = migrations.iter();
    migrations.map(|m| (m.version, m.checksum.to_vec())).collect()
}

/// The writer.
pub struct Store {
    database: Database,
    connection: Connection,
    /// Held while this is the database's writer.
    lock: Option<Lock>,
}

/// What makes a writer the only one. The system or the database takes it back from a process that has died.
enum Lock {
    /// A file beside the database, locked.
    File(#[expect(dead_code, reason = "held, not read")] File),
    /// The connection's session holds it.
    Session,
}

/// What a batch writes. Made apart from the writer, which has enough to do.
#[derive(Debug)]
pub struct Rows(Vec<Work>);

impl Rows {
    /// Of `entries`, whose blocks are in `blocks`; both ascend. Fails where the events contradict each other.
    pub fn of(blocks: &[Block], entries: &[Entry]) -> Result<Self> {
        let block_rows = blocks.iter().map(block_row).collect::<Result<_>>()?;
        let events = entries.iter().map(event_row).collect::<Result<_>>()?;
        let mut work = vec![insert("block", &BLOCK, block_rows), insert("event", &EVENT, events)];
        let changes = fold(blocks, entries)?.into_iter();
        work.extend(changes.flat_map(|(table, changes)| Work::of(table, changes)));
        Ok(Self(work))
    }

    /// How much memory that is, about: what a log carries beyond fixed columns is shared with its entry.
    pub fn bytes(&self) -> usize {
        let of_row = |row: &Vec<Value>| size_of_val(row) + size_of_val(row.as_slice());
        let of_work = |work: &Work| work.rows().first().map_or(0, of_row) * work.rows().len();
        self.0.iter().map(of_work).sum()
    }
}

/// What the node was seen to say of its chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    pub head: u64,
    pub safe: Option<u64>,
    pub finalized: Option<u64>,
}

/// Whether the database may take tomorrow what it refuses today: a full disk, one that fails to write, a server that
/// restarts. The transaction was rolled back, so nothing is half-written.
pub fn is_passing(error: &anyhow::Error) -> bool {
    let Some(error) = error.chain().find_map(|cause| cause.downcast_ref::<sqlx::Error>()) else {
        return false;
    };
    match error {
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| match error.kind() {
            _ if error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().is_some() => postgres::is_passing(&code),
            _ => sqlite::is_passing(&code),
        }),
        _ => false,
    }
}

impl Store {
    /// Opens or creates the database and brings its schema up to date. `genesis` is the chain's block 0.
    ///
    /// Refuses a database that mirrors another deployment or was written by another build's schema.
    pub async fn open(database: &Database, deployment: &Deployment, genesis: Block) -> Result<Self> {
        let set_up = async |store: &mut Self| store.migrate().await;
        Self::open_after(database, deployment, genesis, set_up).await
    }

    /// Opens a database of PostgreSQL whose index is removed first, in one transaction. The store is its only writer from then
    /// on.
    ///
    /// Refuses where another process writes, and a database that holds something else.
    pub async fn open_anew(database: &Database, deployment: &Deployment, genesis: Block) -> Result<Self> {
        let set_up = async |store: &mut Self| {
            ensure!(store.lock().await?, "{}", WRITTEN);
            let Connection::Postgres(connection) = &mut store.connection else {
                bail!("a file is replaced by another, not emptied");
            };
            postgres::empty(connection, &POSTGRES_MIGRATIONS).await
        };
        Self::open_after(database, deployment, genesis, set_up).await
    }

    /// Opens the database, has its tables `set_up`, and claims it for the deployment.
    async fn open_after(
        database: &Database,
        deployment: &Deployment,
        genesis: Block,
        set_up: impl AsyncFnOnce(&mut Self) -> Result<()>,
    ) -> Result<Self> {
        let mut store = Self {
            connection: connect(database).await?,
            database: database.clone(),
            lock: None,
        };
        let ready = async {
            set_up(&mut store).await?;
            store.begin().await?;
            let claimed = store.claim(deployment, genesis).await;
            store.finish(claimed).await
        };
        ready.await.with_context(|| format!("index database {database}"))?;
        Ok(store)
    }

    async fn migrate(&mut self) -> Result<()> {
        let outcome = match &mut self.connection {
            Connection::Sqlite(connection) => migrate_sqlite(connection, &SQLITE_MIGRATIONS).await,
            Connection::Postgres(connection) => POSTGRES_MIGRATIONS.run(connection).await,
        };
        outcome.map_err(|error| match error {
            MigrateError::VersionMismatch(_) | MigrateError::VersionMissing(_) => anyhow::anyhow!(
                "its schema is of another build of Medlock ({error}). An index holds nothing that the chain does not: \
                 use that build, or build the index anew (medlock index --from-genesis)"
            ),
            error => anyhow::Error::new(error).context("bring its schema up to date"),
        })
    }

    async fn claim(&mut self, deployment: &Deployment, genesis: Block) -> Result<()> {
        let rows = self.on().fetch(DEPLOYMENT, &[]).await?;
        if let Some(row) = rows.first() {
            let stored = deployment_row(row)?;
            ensure!(
                stored == *deployment,
                "it mirrors another deployment ({stored:?}, not {deployment:?}): move it away, or name another one"
            );
            return Ok(());
        }
        let accounts = deployment.contracts().map(Value::from);
        let mut row = vec![
            Value::Int(1),
            Value::int(deployment.chain_id)?,
            deployment.genesis_hash.into(),
        ];
        row.extend(accounts);
        row.push(Value::int(deployment.start_block)?);
        const SQL: &str = "INSERT INTO deployment
                (id, chain_id, genesis_hash, registry, records, exceptions, relay, audit, claims, supply, trials, start_block)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
        self.on().execute(SQL, &row).await?;
        const CHAIN: &str = "INSERT INTO chain (id, head) VALUES (1, $1)";
        self.on().execute(CHAIN, &[Value::Int(0)]).await?;
        self.perform(&[insert("block", &BLOCK, vec![block_row(&genesis)?])])
            .await
    }

    /// Becomes the database's only writer, where no other is; answers whether this is it. To be asked before anything is
    /// written. That no writer gets between two of another's steps does not rest on it: see [`Store::commit`].
    pub async fn lock(&mut self) -> Result<bool> {
        if self.lock.is_some() {
            return Ok(true);
        }
        self.lock = match &self.database {
            Database::Sqlite(path) => sqlite::lock(path)?.map(Lock::File),
            Database::Postgres(_) => {
                const SQL: &str = "SELECT CAST(CAST(pg_try_advisory_lock($1) AS INTEGER) AS BIGINT) AS locked";
                let rows = self.on().fetch(SQL, &[Value::Int(WRITER_LOCK)]).await?;
                let locked = rows.first().context("no answer")?.int("locked")?;
                (locked == Some(1)).then_some(Lock::Session)
            }
        };
        Ok(self.lock.is_some())
    }

    /// A new connection in the place of one that failed: on a full disk SQLite has rolled back by itself, and the old
    /// connection still believes in its transaction; a server's connection may be gone.
    pub async fn reconnect(&mut self) -> Result<()> {
        self.connection = connect(&self.database).await?;
        if let Some(Lock::Session) = self.lock {
            self.lock = None;
        }
        Ok(())
    }

    /// The block up to which everything is in the tables. Genesis where nothing was indexed yet.
    pub async fn checkpoint(&mut self) -> Result<Block> {
        newest_block(self.on(), i64::MAX).await
    }

    /// The newest stored block at or below `number`: the next step of a walk back. Genesis ends every walk.
    pub async fn block_at_or_below(&mut self, number: u64) -> Result<Block> {
        newest_block(self.on(), int(number)?).await
    }

    /// Commits `batch`. Fails, and changes nothing, where the checkpoint is no longer the one it continues from, and
    /// where an event contradicts the tables: the error names it.
    pub async fn commit(&mut self, batch: &Batch) -> Result<()> {
        let (Some(first), Some(_)) = (batch.blocks.first(), batch.blocks.last()) else {
            bail!("a batch without a block");
        };
        ensure!(
            first.number > batch.after.number,
            "a batch that does not follow its checkpoint"
        );
        self.begin().await?;
        let written = self.write(batch).await;
        match self.finish(written).await {
            Err(error) if is_contradiction(&error) => Err(self.name_contradiction(batch, error).await),
            outcome => outcome,
        }
    }

    async fn write(&mut self, batch: &Batch) -> Result<()> {
        let checkpoint = newest_block(self.on(), i64::MAX).await?;
        ensure!(
            checkpoint == batch.after,
            "another indexer writes to this database: its checkpoint is block {} {}, not {} {}",
            checkpoint.number,
            checkpoint.hash,
            batch.after.number,
            batch.after.hash,
        );
        self.perform(&batch.rows.0).await?;
        let last = batch.blocks.last().context("a batch without a block")?;
        self.forget_old_blocks(batch.after.number, last.number).await?;
        self.tell(last).await
    }

    async fn perform(&mut self, work: &[Work]) -> Result<()> {
        match &mut self.connection {
            Connection::Sqlite(connection) => sqlite::perform(connection, work).await,
            Connection::Postgres(connection) => postgres::perform(connection, work).await,
        }
    }

    /// Finds the event that contradicts the tables, by writing one after the other, and takes all back again.
    async fn name_contradiction(&mut self, batch: &Batch, error: anyhow::Error) -> anyhow::Error {
        let named = async {
            self.begin().await?;
            for entry in &batch.entries {
                let entry = std::slice::from_ref(entry);
                for (table, changes) in fold(&batch.blocks, entry)? {
                    if let Err(error) = self.perform(&Work::of(table, changes)).await {
                        if is_contradiction(&error) {
                            return Ok(error.context(format!("{}: {}", entry[0].describe(), contradiction(table))));
                        }
                        return Err(error);
                    }
                }
            }
            Ok(error)
        };
        let named: Result<anyhow::Error> = named.await;
        let undone = self.on().execute("ROLLBACK", &[]).await;
        match (named, undone) {
            (Ok(named), Ok(_)) => named,
            (Err(error), _) => error,
            (_, Err(error)) => error.into(),
        }
    }

    /// Takes back everything after `to`, a stored block: rows that began later go, rows that ended later are current again.
    pub async fn rollback(&mut self, to: &Block) -> Result<()> {
        self.begin().await?;
        let undone = self.undo(to).await;
        self.finish(undone).await
    }

    async fn undo(&mut self, to: &Block) -> Result<()> {
        ensure!(
            newest_block(self.on(), int(to.number)?).await? == *to,
            "block {} {} is not stored",
            to.number,
            to.hash
        );
        for statement in undoing() {
            self.on().execute(own(statement), &[end_of(to.number).into()]).await?;
        }
        const BLOCKS: &str = "DELETE FROM block WHERE number > $1";
        self.on().execute(BLOCKS, &[int(to.number)?.into()]).await?;
        self.tell(to).await
    }

    /// Notes what the node says of its chain, where that is news.
    pub async fn saw(&mut self, seen: &Seen) -> Result<()> {
        const SQL: &str = "UPDATE chain SET head = $1, safe = $2, finalized = $3 WHERE id = 1";
        let known = |block: Option<u64>| block.map_or(Ok(Value::Null), Value::int);
        let args = [Value::int(seen.head)?, known(seen.safe)?, known(seen.finalized)?];
        self.on().execute(SQL, &args).await.context("note the chain's head")?;
        Ok(())
    }

    /// Ends the connection; SQLite folds the write-ahead log into the database. Nothing hangs on it: what was committed stays
    /// so where the connection is gone already.
    pub async fn close(self) {
        if let Err(error) = self.connection.close().await {
            tracing::warn!(%error, "close the index database");
        }
    }

    fn on(&mut self) -> On<'_> {
        self.connection.on()
    }

    /// Takes the writer's place before the checkpoint is read, so that what is then seen holds until commit.
    async fn begin(&mut self) -> Result<()> {
        let sql = match self.database {
            Database::Sqlite(_) => "BEGIN IMMEDIATE",
            Database::Postgres(_) => "BEGIN; LOCK TABLE deployment IN EXCLUSIVE MODE",
        };
        self.on().run(sql).await.context("begin a transaction")
    }

    /// Commits what was `written`; takes it back where that failed.
    async fn finish(&mut self, written: Result<()>) -> Result<()> {
        match written {
            Ok(()) => self.on().run("COMMIT").await.context("commit"),
            Err(error) => {
                // Where this fails too, the connection is gone, and the transaction with it.
                if let Err(undo) = self.on().run("ROLLBACK").await {
                    tracing::debug!(%undo, "roll back");
                }
                Err(error)
            }
        }
    }

    /// The windows of successive commits join up, so no block is missed.
    async fn forget_old_blocks(&mut self, before: u64, now: u64) -> Result<()> {
        const SQL: &str = "DELETE FROM block WHERE number > 0 AND number >= $1 AND number < $2
             AND NOT EXISTS (SELECT 1 FROM event
                WHERE event.place >= block.number << 24 AND event.place < (block.number + 1) << 24)";
        let bounds = [before, now].map(|block| Value::int(block.saturating_sub(RECENT_BLOCKS)));
        let [from, to] = bounds;
        self.on().execute(SQL, &[from?, to?]).await?;
        Ok(())
    }

    /// Tells whoever listens of the new checkpoint, once it is committed.
    async fn tell(&mut self, checkpoint: &Block) -> Result<()> {
        if let Connection::Postgres(connection) = &mut self.connection {
            let message = format!("{} {}", checkpoint.number, checkpoint.hash);
            postgres::notify(connection, CHANNEL, &message).await?;
        }
        Ok(())
    }
}

async fn connect(database: &Database) -> Result<Connection> {
    if let Database::Sqlite(path) = database
        && let Some(folder) = path.parent()
    {
        std::fs::create_dir_all(folder).with_context(|| format!("create folder {}", folder.display()))?;
    }
    let connection = Connection::open(database).await;
    connection.with_context(|| format!("open index database {database}"))
}

/// Whether the tables refused a batch for what its events say.
fn is_contradiction(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let refused = |error: &sqlx::Error| {
            let error = error.as_database_error();
            error.is_some_and(|error| error.is_unique_violation())
        };
        cause.is::<Contradiction>() || cause.downcast_ref().is_some_and(refused)
    })
}

/// What takes back every event from place $1 on. Of each state table first the rows that began there, then the ends that came
/// there (in this order, or two rows of one key would be current at once); then the events themselves.
fn undoing() -> Vec<String> {
    let mut statements = Vec::new();
    for table in Table::ALL {
        let name = table.name();
        statements.push(format!("DELETE FROM {name} WHERE valid_from >= $1"));
        if table.ends() {
            statements.push(format!(
                "UPDATE {name} SET valid_to = {CURRENT} WHERE valid_to >= $1 AND valid_to < {CURRENT}"
            ));
        }
    }
    statements.push("DELETE FROM event WHERE place >= $1".into());
    statements
}

async fn newest_block(on: On<'_>, most: i64) -> Result<Block> {
    const SQL: &str = "SELECT number, hash, parent, time FROM block WHERE number <= $1 ORDER BY number DESC LIMIT 1";
    let rows = on.fetch(SQL, &[Value::Int(most)]).await;
    let rows = rows.context("read the newest stored block")?;
    let row = rows.first().context("there is no stored block")?;
    Ok(Block {
        number: unsigned(row, "number")?,
        hash: b256(row, "hash")?,
        parent: b256(row, "parent")?,
        time: unsigned(row, "time")?,
    })
}

fn insert(table: &'static str, columns: &[&'static str], rows: Vec<Vec<Value>>) -> Work {
    Work::Insert {
        table,
        columns: columns.to_vec(),
        rows,
        of: None,
    }
}

/// A number as SQL holds it. Fails past 2^63.
fn int(value: u64) -> Result<i64> {
    i64::try_from(value).with_context(|| format!("{value} does not fit a 64-bit signed column"))
}

const BLOCK: [&str; 4] = ["number", "hash", "parent", "time"];
fn block_row(block: &Block) -> Result<Vec<Value>> {
    Ok(vec![
        Value::int(block.number)?,
        block.hash.into(),
        block.parent.into(),
        Value::int(block.time)?,
    ])
}

const EVENT: [&str; 6] = ["place", "tx_hash", "contract", "name", "topics", "data"];
fn event_row(entry: &Entry) -> Result<Vec<Value>> {
    let topics: Vec<u8> = entry.raw.topics().iter().flat_map(|topic| topic.0).collect();
    Ok(vec![
        place(entry.block_number, entry.log_index)?.into(),
        entry.tx_hash.into(),
        entry.contract.into(),
        Value::Text(entry.name),
        Bytes::from(topics).into(),
        entry.raw.data.clone().into(),
    ])
}

fn unsigned(row: &Row, column: &'static str) -> Result<u64> {
    Ok(u64::try_from(row.int(column)?.context(column)?)?)
}

fn b256(row: &Row, column: &'static str) -> Result<B256> {
    Ok(B256::try_from(row.bytes(column)?.context(column)?)?)
}

#[cfg(test)]
mod tests;
