//! SQLite and PostgreSQL behind one face: the same SQL with `$n` parameters, the same values in and out.
//!
//! Integers are 64 bits wide in both (`INTEGER`, `BIGINT`). It must never know a table of a service, nor hide which database it
//! is where SQL differs: that is for migrations, one set for each. Start reading at [`Database`] and [`Pool`].
#![forbid(unsafe_code)]

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use alloy_primitives::{Address, B256};
use sqlx::{
    ColumnIndex, ConnectOptions as _, Connection as _, Executor as _, PgConnection, PgPool, Postgres, Row as _,
    SqlSafeStr as _, Sqlite, SqliteConnection, SqlitePool, Transaction,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
    postgres::{PgArguments, PgConnectOptions, PgPoolOptions, PgRow},
    query::Query,
    sqlite::{
        SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
    },
};
use tokio::time::{Instant, sleep};

/// How long a statement of SQLite waits for another connection's lock.
pub const BUSY: Duration = Duration::from_secs(5);
/// How long [`Pool::look`] waits for a server.
const LOOK: Duration = Duration::from_secs(5);
/// Before a new file is tried again.
const BUSY_PAUSE: Duration = Duration::from_millis(10);
/// Whoever makes a schema of PostgreSQL first makes others wait: "if not exists" alone lets two collide.
const SCHEMA_LOCK: &str = "medlock/schema";

pub type Result<T> = std::result::Result<T, sqlx::Error>;

/// Where tables are kept. As text: a `postgres://` URL, or else the path of a SQLite file.
#[derive(Clone)]
pub enum Database {
    /// The file; created, with its folder, where it is missing.
    Sqlite(PathBuf),
    Postgres(Box<PgConnectOptions>),
}

impl FromStr for Database {
    type Err = sqlx::Error;

    fn from_str(text: &str) -> Result<Self> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            Ok(Self::Postgres(Box::new(text.parse()?)))
        } else {
            Ok(Self::Sqlite(text.into()))
        }
    }
}

impl From<&Path> for Database {
    fn from(path: &Path) -> Self {
        Self::Sqlite(path.into())
    }
}

/// Without the password, and whatever else a URL may hold.
impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "{}", path.display()),
            Self::Postgres(options) => {
                let database = options.get_database().unwrap_or_else(|| options.get_username());
                write!(f, "postgres://{}:{}/{database}", options.get_host(), options.get_port())
            }
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A value for a parameter. The absent ones have a type too: PostgreSQL wants to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Int(Option<i64>),
    Bytes(Option<Vec<u8>>),
    Text(String),
}

/// SQL's integers end at 2^63; no time, block number, nonce or amount of gas reaches it.
impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Int(Some(i64::try_from(number).unwrap_or(i64::MAX)))
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Int(Some(number.into()))
    }
}

impl From<u8> for Value {
    fn from(number: u8) -> Self {
        Self::Int(Some(number.into()))
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(Some(bytes.to_vec()))
    }
}

impl From<B256> for Value {
    fn from(word: B256) -> Self {
        word.as_slice().into()
    }
}

impl From<Address> for Value {
    fn from(account: Address) -> Self {
        account.as_slice().into()
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// What a service needs to tell about its tables.
pub struct Settings {
    /// Among the connections of a PostgreSQL server.
    pub application: &'static str,
    /// PostgreSQL's schema that holds the tables, so that services can share a database; made where it is missing.
    pub schema: &'static str,
    /// At once, of this process; more wait.
    pub connections_most: u32,
}

/// Connections. What a call here returned for is on disk (SQLite: WAL, synchronous FULL; PostgreSQL: `synchronous_commit`).
#[derive(Clone)]
pub enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl Pool {
    pub async fn open(database: &Database, settings: &Settings) -> Result<Self> {
        match database {
            Database::Sqlite(path) => {
                if let Some(folder) = path.parent() {
                    std::fs::create_dir_all(folder)?;
                }
                let options = SqliteConnectOptions::new()
                    .filename(path)
                    .create_if_missing(true)
                    .journal_mode(SqliteJournalMode::Wal)
                    .synchronous(SqliteSynchronous::Full)
                    .busy_timeout(BUSY)
                    .disable_statement_logging();
                let pool = SqlitePoolOptions::new().max_connections(settings.connections_most);
                let open = || pool.clone().connect_with(options.clone());
                Ok(Self::Sqlite(once_free(open).await?))
            }
            Database::Postgres(options) => {
                let options = options
                    .as_ref()
                    .clone()
                    .application_name(settings.application)
                    // A server may be set to answer before it has written.
                    .options([("search_path", settings.schema), ("synchronous_commit", "on")])
                    .disable_statement_logging();
                let pool = PgPoolOptions::new().max_connections(settings.connections_most);
                let pool = Self::Postgres(pool.connect_with(options).await?);
                let mut tx = pool.alone(SCHEMA_LOCK).await?;
                // The name is a constant of the service's.
                let sql = sqlx::AssertSqlSafe(format!("CREATE SCHEMA IF NOT EXISTS {}", settings.schema));
                tx.execute_sql(sql).await?;
                tx.commit().await?;
                Ok(pool)
            }
        }
    }

    /// One connection that only reads, to tables that are there. `None`: there is no such file of SQLite. Makes nothing.
    pub async fn look(database: &Database, settings: &Settings) -> Result<Option<Self>> {
        Ok(Some(match database {
            Database::Sqlite(path) if !path.exists() => return Ok(None),
            Database::Sqlite(path) => {
                let options = SqliteConnectOptions::new()
                    .filename(path)
                    .read_only(true)
                    .busy_timeout(BUSY);
                let pool = SqlitePoolOptions::new().max_connections(1);
                Self::Sqlite(pool.connect_with(options.disable_statement_logging()).await?)
            }
            Database::Postgres(options) => {
                let options = options.as_ref().clone().application_name(settings.application);
                let options = options.options([
                    ("search_path", settings.schema),
                    ("default_transaction_read_only", "on"),
                ]);
                let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(LOOK);
                Self::Postgres(pool.connect_with(options.disable_statement_logging()).await?)
            }
        }))
    }

    /// Brings the schema up to date, wholly or not at all; processes that start at once wait for each other.
    pub async fn migrate(&self, sqlite: &Migrator, postgres: &Migrator) -> std::result::Result<(), MigrateError> {
        match self {
            Self::Sqlite(pool) => migrate_sqlite(&mut *pool.acquire().await?, sqlite).await,
            // Takes a lock by itself.
            Self::Postgres(pool) => postgres.run(pool).await,
        }
    }

    /// A transaction that writes. On SQLite it has the writer's lock from its start; on PostgreSQL each statement sees what was
    /// committed before it.
    pub async fn begin(&self) -> Result<Tx> {
        Ok(match self {
            Self::Sqlite(pool) => Tx::Sqlite(pool.begin_with("BEGIN IMMEDIATE").await?),
            Self::Postgres(pool) => Tx::Postgres(pool.begin_with("BEGIN ISOLATION LEVEL READ COMMITTED").await?),
        })
    }

    /// As [`Pool::begin`], with no other transaction of the same `lock` at work, in whatever process, until it ends.
    pub async fn alone(&self, lock: &str) -> Result<Tx> {
        let mut tx = self.begin().await?;
        if let Tx::Postgres(on) = &mut tx {
            sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))")
                .bind(lock)
                .execute(&mut **on)
                .await?;
        }
        Ok(tx)
    }

    /// Leave to do what `lock` stands for, if nobody has it at present. Held until it is dropped and its
    /// connection back in the pool, or its process or connection ends.
    /// SQLite has no lock that lets others write meanwhile: there everybody has leave, so nothing may rest on it but speed.
    pub async fn sole(&self, lock: &str) -> Result<Option<Sole>> {
        let Self::Postgres(_) = self else {
            return Ok(Some(Sole { _held: None }));
        };
        let mut tx = self.begin().await?;
        let sql =
            "SELECT CASE WHEN pg_try_advisory_xact_lock(hashtextextended($1, 1)) THEN 1::BIGINT ELSE 0 END AS held";
        let row = tx.first(sql, &[lock.into()]).await?;
        let held = row.ok_or_else(|| impossible("held"))?.number::<u8>("held")? == 1;
        Ok(held.then_some(Sole { _held: Some(tx) }))
    }

    /// How many rows it touched.
    pub async fn execute(&self, sql: &'static str, args: &[Value]) -> Result<u64> {
        match self {
            Self::Sqlite(pool) => On::Sqlite(&mut *pool.acquire().await?).execute(sql, args).await,
            Self::Postgres(pool) => On::Postgres(&mut *pool.acquire().await?).execute(sql, args).await,
        }
    }

    /// The rows of one statement, which is one state in itself.
    pub async fn fetch(&self, sql: &'static str, args: &[Value]) -> Result<Vec<Row>> {
        match self {
            Self::Sqlite(pool) => On::Sqlite(&mut *pool.acquire().await?).fetch(sql, args).await,
            Self::Postgres(pool) => On::Postgres(&mut *pool.acquire().await?).fetch(sql, args).await,
        }
    }

    /// The first row, if any.
    pub async fn first(&self, sql: &'static str, args: &[Value]) -> Result<Option<Row>> {
        Ok(self.fetch(sql, args).await?.into_iter().next())
    }

    pub async fn close(&self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

/// Migrations out of their files, as `sqlx::migrate!` reads a folder, with the same checksums. That macro has sqlx and SQLite
/// compiled once more, for the compiler itself.
#[macro_export]
macro_rules! migrations {
    ($folder:literal: $($name:literal),+ $(,)?) => {
        $crate::migrations_of(&[$(($name, include_str!(concat!($folder, "/", $name, ".sql")))),+])
    };
}

/// What [`migrations!`] becomes: files by their names without `.sql` (`0001_gateway`: version and description).
///
/// # Panics
/// When a name has no version.
pub fn migrations_of(files: &[(&'static str, &'static str)]) -> Migrator {
    let migrations = files.iter().map(|&(name, sql)| {
        let (version, description) = name.split_once('_').expect("VERSION_DESCRIPTION");
        Migration::new(
            version.parse().expect("a version"),
            description.replace('_', " ").into(),
            MigrationType::Simple,
            sql.into_sql_str(),
            false,
        )
    });
    Migrator::with_migrations(migrations.collect())
}

/// One process after the other, in one transaction: of those that start at once on an empty file, all but one find it done.
pub async fn migrate_sqlite(
    connection: &mut SqliteConnection,
    migrations: &Migrator,
) -> std::result::Result<(), MigrateError> {
    let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
    // `run` is this, but for a type that a spawned task cannot hold.
    migrations.run_direct(None, &mut *tx, false).await?;
    Ok(tx.commit().await?)
}

/// What `open` gives of a SQLite file. Whoever opens a new one at the same time as others wants it to itself for a moment, to have
/// it keep a write-ahead log; SQLite refuses some at once, rather than have them wait.
pub async fn once_free<T, F: Future<Output = Result<T>>>(open: impl Fn() -> F) -> Result<T> {
    const SQLITE_BUSY: u32 = 5;
    let deadline = Instant::now() + BUSY;
    loop {
        match open().await {
            Err(sqlx::Error::Database(error)) if Instant::now() < deadline => {
                // The lowest byte of an extended code is the code.
                let code = error.code().and_then(|code| code.parse::<u32>().ok());
                if code.is_none_or(|code| code & 0xff != SQLITE_BUSY) {
                    return Err(sqlx::Error::Database(error));
                }
                sleep(BUSY_PAUSE).await;
            }
            opened => return opened,
        }
    }
}

/// Whether a statement failed for a table that is not there.
pub fn is_missing_table(error: &sqlx::Error) -> bool {
    const UNDEFINED_TABLE: &str = "42P01";
    let error = error.as_database_error();
    // SQLite has no code of its own for it.
    error.is_some_and(|e| e.code().as_deref() == Some(UNDEFINED_TABLE) || e.message().starts_with("no such table"))
}

/// See [`Pool::sole`].
pub struct Sole {
    _held: Option<Tx>,
}

/// A transaction; dropped, it is as if it had never been.
pub enum Tx {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

impl Tx {
    fn on(&mut self) -> On<'_> {
        match self {
            Self::Sqlite(tx) => On::Sqlite(tx),
            Self::Postgres(tx) => On::Postgres(tx),
        }
    }

    pub async fn execute(&mut self, sql: &'static str, args: &[Value]) -> Result<u64> {
        self.on().execute(sql, args).await
    }

    pub async fn fetch(&mut self, sql: &'static str, args: &[Value]) -> Result<Vec<Row>> {
        self.on().fetch(sql, args).await
    }

    /// The first row, if any.
    pub async fn first(&mut self, sql: &'static str, args: &[Value]) -> Result<Option<Row>> {
        Ok(self.fetch(sql, args).await?.into_iter().next())
    }

    pub async fn commit(self) -> Result<()> {
        match self {
            Self::Sqlite(tx) => tx.commit().await,
            Self::Postgres(tx) => tx.commit().await,
        }
    }

    async fn execute_sql(&mut self, sql: sqlx::AssertSqlSafe<String>) -> Result<()> {
        match self {
            Self::Sqlite(tx) => sqlx::raw_sql(sql).execute(&mut **tx).await.map(|_| ()),
            Self::Postgres(tx) => sqlx::raw_sql(sql).execute(&mut **tx).await.map(|_| ()),
        }
    }
}

/// A connection to run statements on.
enum On<'a> {
    Sqlite(&'a mut SqliteConnection),
    Postgres(&'a mut PgConnection),
}

impl On<'_> {
    async fn execute(self, sql: &'static str, args: &[Value]) -> Result<u64> {
        Ok(match self {
            Self::Sqlite(on) => on.execute(for_sqlite(sql, args)).await?.rows_affected(),
            Self::Postgres(on) => on.execute(for_postgres(sql, args)).await?.rows_affected(),
        })
    }

    async fn fetch(self, sql: &'static str, args: &[Value]) -> Result<Vec<Row>> {
        Ok(match self {
            Self::Sqlite(on) => {
                let rows = on.fetch_all(for_sqlite(sql, args)).await?;
                rows.into_iter().map(Row::Sqlite).collect()
            }
            Self::Postgres(on) => {
                let rows = on.fetch_all(for_postgres(sql, args)).await?;
                rows.into_iter().map(Row::Postgres).collect()
            }
        })
    }
}

/// `sql` with each of `args` bound to it, whatever the database.
macro_rules! bound {
    ($sql:expr, $args:expr) => {
        $args.iter().fold(sqlx::query($sql), |query, value| match value {
            Value::Int(number) => query.bind(*number),
            Value::Bytes(bytes) => query.bind(bytes.clone()),
            Value::Text(text) => query.bind(text.clone()),
        })
    };
}

fn for_sqlite(sql: &'static str, args: &[Value]) -> Query<'static, Sqlite, SqliteArguments> {
    bound!(sql, args)
}

fn for_postgres(sql: &'static str, args: &[Value]) -> Query<'static, Postgres, PgArguments> {
    bound!(sql, args)
}

/// A column of a row, by name or by its place from 0.
pub trait Column: ColumnIndex<SqliteRow> + ColumnIndex<PgRow> {}
impl<T: ColumnIndex<SqliteRow> + ColumnIndex<PgRow>> Column for T {}

/// A row of an answer.
pub enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl Row {
    /// `None`: NULL.
    pub fn int(&self, column: impl Column) -> Result<Option<i64>> {
        match self {
            Self::Sqlite(row) => row.try_get(column),
            Self::Postgres(row) => row.try_get(column),
        }
    }

    /// `None`: NULL.
    pub fn bytes(&self, column: impl Column) -> Result<Option<&[u8]>> {
        match self {
            Self::Sqlite(row) => row.try_get(column),
            Self::Postgres(row) => row.try_get(column),
        }
    }

    pub fn text(&self, column: &str) -> Result<&str> {
        match self {
            Self::Sqlite(row) => row.try_get(column),
            Self::Postgres(row) => row.try_get(column),
        }
    }

    /// # Errors
    /// Also where it is NULL, or does not fit.
    pub fn number<T: TryFrom<i64>>(&self, column: &str) -> Result<T> {
        let number = self.int(column)?.ok_or_else(|| impossible(column))?;
        T::try_from(number).map_err(|_| impossible(column))
    }

    /// 20 or 32 bytes, or as many as `T` has.
    ///
    /// # Errors
    /// Also where it is NULL, or of another length.
    pub fn fixed<T: for<'a> TryFrom<&'a [u8]>>(&self, column: &str) -> Result<T> {
        let bytes = self.bytes(column)?.ok_or_else(|| impossible(column))?;
        T::try_from(bytes).map_err(|_| impossible(column))
    }
}

/// A row holds what its service never writes.
pub fn impossible(column: &str) -> sqlx::Error {
    sqlx::Error::Decode(format!("column {column} holds an impossible value").into())
}

#[cfg(test)]
mod tests;
