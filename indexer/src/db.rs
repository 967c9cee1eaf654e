//! The two databases behind one face: the same SQL with `$n` parameters, the same values in and out.
use crate::tables::Value;
use medlock_sql::{BUSY, once_free};
pub use medlock_sql::{Database, Row};
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection as _, Executor, PgConnection, PgPool, Postgres, SqlSafeStr, SqlStr,
    Sqlite, SqliteConnection, SqlitePool, Transaction,
    postgres::{PgArguments, PgConnectOptions, PgPoolOptions},
    query::Query,
    sqlite::{SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::path::Path;

/// Readers at once in one process; more wait. Reads are short, and on SQLite share the machine's cores.
const READERS_MOST: u32 = 8;
/// SQLite's page cache of the writer: the indexes of some million rows, within the indexer's bound of memory.
const WRITER_CACHE_KIB: u32 = 16 * 1024;
/// Each page that a transaction touches is written twice: fewer, larger ones take fewer calls.
const PAGE_BYTES: u32 = 8 * 1024;
/// Pages of the write-ahead log (of [`PAGE_BYTES`]) after which SQLite folds it into the file: some transactions at once.
const CHECKPOINT_PAGES: u32 = 8_000;
/// Statements that stay prepared: each table has a few, by how many rows are written at once.
const STATEMENTS_MOST: usize = 512;

/// How PostgreSQL is to plan: `how` often, and without regard to statistics. Every question here is a few look-ups by key; a
/// planner that goes by the size of young tables finds scans cheaper.
fn planning(options: &PgConnectOptions, name: &str, how: &str) -> PgConnectOptions {
    options
        .clone()
        .application_name(name)
        .statement_cache_capacity(STATEMENTS_MOST)
        .options([
            ("enable_seqscan", "off"),
            ("enable_hashjoin", "off"),
            ("enable_mergejoin", "off"),
            ("random_page_cost", "1"),
            ("jit", "off"),
            ("plan_cache_mode", how),
        ])
        .disable_statement_logging()
}

pub fn file(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(BUSY)
        .statement_cache_capacity(STATEMENTS_MOST)
        // Or rows to end would be found by going through their whole table rather than through what is to end.
        .pragma("automatic_index", "0")
        .disable_statement_logging()
}

/// One connection.
pub enum Connection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Connection {
    /// A connection that writes.
    pub async fn open(database: &Database) -> sqlx::Result<Self> {
        Ok(match database {
            Database::Sqlite(path) => {
                // NORMAL in WAL mode can lose the newest commits in a power cut, never their wholeness; what is lost is
                // indexed again.
                let options = file(path)
                    .create_if_missing(true)
                    .journal_mode(SqliteJournalMode::Wal)
                    .synchronous(SqliteSynchronous::Normal)
                    .page_size(PAGE_BYTES)
                    .pragma("cache_size", format!("-{WRITER_CACHE_KIB}"))
                    .pragma("wal_autocheckpoint", CHECKPOINT_PAGES.to_string());
                Self::Sqlite(once_free(|| SqliteConnection::connect_with(&options)).await?)
            }
            Database::Postgres(options) => {
                // A plan made for good while the tables are empty would not do for full ones. As with SQLite, a crash of the
                // server can take the newest commits back, whole ones, and what is lost is indexed again.
                let options = planning(options, "medlock-indexer", "auto").options([("synchronous_commit", "off")]);
                Self::Postgres(PgConnection::connect_with(&options).await?)
            }
        })
    }

    pub fn on(&mut self) -> On<'_> {
        match self {
            Self::Sqlite(connection) => On::Sqlite(connection),
            Self::Postgres(connection) => On::Postgres(connection),
        }
    }

    pub async fn close(self) -> sqlx::Result<()> {
        match self {
            Self::Sqlite(connection) => connection.close().await,
            Self::Postgres(connection) => connection.close().await,
        }
    }
}

/// Connections that read.
#[derive(Clone)]
pub enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl Pool {
    pub async fn open(database: &Database) -> sqlx::Result<Self> {
        Ok(match database {
            Database::Sqlite(path) => {
                let pool = SqlitePoolOptions::new()
                    .max_connections(READERS_MOST)
                    .test_before_acquire(false);
                let options = file(path).read_only(true);
                Self::Sqlite(pool.connect_with(options).await?)
            }
            Database::Postgres(options) => {
                let pool = PgPoolOptions::new().max_connections(READERS_MOST);
                Self::Postgres(
                    pool.connect_with(planning(options, "medlock-index", "force_generic_plan"))
                        .await?,
                )
            }
        })
    }

    /// One state of the tables, whatever is written meanwhile.
    pub async fn reading(&self) -> sqlx::Result<Reading> {
        Ok(match self {
            Self::Sqlite(pool) => Reading::Sqlite(pool.begin().await?),
            Self::Postgres(pool) => Reading::Postgres(
                pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                    .await?,
            ),
        })
    }

    /// The rows of one statement, which is one state in itself.
    pub async fn fetch(&self, sql: impl SqlSafeStr, args: &[Value]) -> sqlx::Result<Vec<Row>> {
        match self {
            Self::Sqlite(pool) => On::Sqlite(&mut *pool.acquire().await?).fetch(sql, args).await,
            Self::Postgres(pool) => On::Postgres(&mut *pool.acquire().await?).fetch(sql, args).await,
        }
    }

    pub async fn close(&self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

/// A transaction that reads.
pub enum Reading {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

impl Reading {
    pub async fn fetch(&mut self, sql: impl SqlSafeStr, args: &[Value]) -> sqlx::Result<Vec<Row>> {
        match self {
            Self::Sqlite(tx) => On::Sqlite(tx).fetch(sql, args).await,
            Self::Postgres(tx) => On::Postgres(tx).fetch(sql, args).await,
        }
    }
}

/// A connection to run statements on.
pub enum On<'a> {
    Sqlite(&'a mut SqliteConnection),
    Postgres(&'a mut PgConnection),
}

impl On<'_> {
    /// How many rows it touched.
    pub async fn execute(self, sql: impl SqlSafeStr, args: &[Value]) -> sqlx::Result<u64> {
        let sql = sql.into_sql_str();
        Ok(match self {
            Self::Sqlite(on) => on.execute(for_sqlite(sql, args)).await?.rows_affected(),
            Self::Postgres(on) => on.execute(for_postgres(sql, args)).await?.rows_affected(),
        })
    }

    pub async fn fetch(self, sql: impl SqlSafeStr, args: &[Value]) -> sqlx::Result<Vec<Row>> {
        let sql = sql.into_sql_str();
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

    /// Several statements without parameters or rows.
    pub async fn run(self, sql: &'static str) -> sqlx::Result<()> {
        match self {
            Self::Sqlite(on) => sqlx::raw_sql(sql).execute(on).await.map(|_| ()),
            Self::Postgres(on) => sqlx::raw_sql(sql).execute(on).await.map(|_| ()),
        }
    }
}

/// `sql` with each of `args` bound to it, whatever the database.
macro_rules! bound {
    ($sql:expr, $args:expr) => {
        $args.into_iter().fold(sqlx::query($sql), |query, value| match value {
            Value::Int(number) => query.bind(*number),
            Value::Word(word) => query.bind(word.to_vec()),
            Value::Account(account) => query.bind(account.to_vec()),
            Value::Bytes(bytes) => query.bind(bytes.to_vec()),
            Value::Text(text) => query.bind(*text),
            Value::Null => query.bind(None::<i64>),
        })
    };
}

pub fn for_sqlite<'a>(
    sql: SqlStr,
    args: impl IntoIterator<Item = &'a Value>,
) -> Query<'static, Sqlite, SqliteArguments> {
    bound!(sql, args)
}

fn for_postgres(sql: SqlStr, args: &[Value]) -> Query<'static, Postgres, PgArguments> {
    bound!(sql, args)
}

/// SQL that this crate has put together from its own names.
pub fn own(sql: String) -> impl SqlSafeStr {
    AssertSqlSafe(sql)
}
