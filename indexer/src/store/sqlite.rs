//! Many rows at once into SQLite: statements of a few sizes, which stay prepared.
use super::{ALWAYS, work::Work};
use crate::{
    db::{file, for_sqlite, own},
    tables::{CURRENT, Table},
};
use anyhow::{Context, Result, ensure};
use futures::future::join;
use sqlx::{
    Connection, Executor, Row, SqlSafeStr, Sqlite, SqliteConnection,
    query::Query,
    sqlite::{SqliteArguments, SqliteConnectOptions},
};
use std::{
    fs::{File, OpenOptions, TryLockError},
    path::{Path, PathBuf},
    time::Duration,
};

/// Rows in one statement, the largest that fits first: each passes to SQLite's thread and back, so few large ones; each size of
/// each table is prepared once. The largest keeps every table's parameters under SQLite's 32,766.
const SIZES: [usize; 6] = [1024, 256, 64, 16, 4, 1];

/// Does all of `work`, in order.
pub async fn perform(connection: &mut SqliteConnection, work: &[Work]) -> Result<()> {
    let mut statements = work.iter().flat_map(statements);
    let mut next = statements.next();
    while let Some(statement) = next {
        // The next statement's values are gathered while SQLite's thread works on this one.
        let prepared = async { statements.next() };
        let (done, prepared) = join(connection.execute(statement.query), prepared).await;
        let touched = done
            .with_context(|| format!("write to {}", statement.work.table()))?
            .rows_affected();
        statement.work.check(touched, statement.rows)?;
        next = prepared;
    }
    Ok(())
}

struct Statement<'a> {
    work: &'a Work,
    rows: usize,
    query: Query<'static, Sqlite, SqliteArguments>,
}

/// What `work` takes, one by one.
fn statements(work: &Work) -> impl Iterator<Item = Statement<'_>> {
    let mut from = 0;
    let mut sizes = SIZES.into_iter().peekable();
    let mut sql = None;
    std::iter::from_fn(move || {
        while let Some(size) = sizes.peek().copied() {
            let Some(rows) = work.rows().get(from..from + size) else {
                sizes.next();
                sql = None;
                continue;
            };
            from += size;
            let sql = sql.get_or_insert_with(|| own(sql_of(work, size)).into_sql_str());
            let query = for_sqlite(sql.clone(), rows.iter().flatten());
            return Some(Statement {
                work,
                rows: size,
                query,
            });
        }
        None
    })
}

fn sql_of(work: &Work, rows: usize) -> String {
    match work {
        Work::Insert { table, columns, .. } => {
            let row = format!("({})", vec!["?"; columns.len()].join(", "));
            let rows = vec![row.as_str(); rows].join(", ");
            let columns = columns.join(", ");
            match work.condition() {
                None => format!("INSERT INTO {table} ({columns}) VALUES {rows}"),
                Some(condition) => format!(
                    "WITH n ({columns}) AS (VALUES {rows}) INSERT INTO {table} ({columns}) SELECT * FROM n WHERE {condition}"
                ),
            }
        }
        Work::End { table, .. } => end_sql(*table, rows),
    }
}

pub fn end_sql(table: Table, rows: usize) -> String {
    let (name, key) = (table.name(), table.key());
    let row = format!("({})", vec!["?"; key.len() + 1].join(", "));
    let rows = vec![row; rows].join(", ");
    let on = key.iter().enumerate();
    let on: String = on
        .map(|(i, column)| format!("{name}.{column} = n.column{} AND ", i + 1))
        .collect();
    let place = key.len() + 1;
    format!(
        "UPDATE {name} SET valid_to = n.column{place} FROM (VALUES {rows}) AS n WHERE {on}{name}.valid_to = {CURRENT}"
    )
}

/// Locks the file beside the database, where no other process has. It stays when the lock goes, or two could lock two files.
pub fn lock(path: &Path) -> Result<Option<File>> {
    let name = beside(path, "-writer");
    let open = OpenOptions::new().create(true).truncate(false).write(true).open(&name);
    let file = open.with_context(|| format!("open {}", name.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("lock {}", name.display())),
    }
}

/// A file that belongs to the one at `path`.
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.to_owned().into_os_string();
    name.push(suffix);
    name.into()
}

/// Fails where `path` is a file that is not an index, of whichever build. None, or an empty one, is no such file.
pub async fn is_index(path: &Path) -> Result<()> {
    if !path.exists() {
        return Ok(());
    }
    let mut connection = SqliteConnection::connect_with(&file(path)).await?;
    const SQL: &str = "SELECT name FROM sqlite_master WHERE type = 'table'";
    let rows = connection.fetch_all(SQL).await?;
    connection.close().await?;
    let tables: Vec<String> = rows.iter().map(|row| row.try_get(0)).collect::<sqlx::Result<_>>()?;
    let has = |name: &&str| tables.iter().any(|table| table == name);
    ensure!(
        tables.is_empty() || ALWAYS.iter().all(has),
        "it is not an index: move it away, or name another file"
    );
    Ok(())
}

/// Folds the write-ahead log into the file, so that the file is all there is. `false`: another connection is open.
pub async fn fold_in(path: &Path) -> Result<bool> {
    // Who asks comes again.
    let options: SqliteConnectOptions = file(path).busy_timeout(Duration::ZERO);
    let mut connection = SqliteConnection::connect_with(&options).await?;
    let answer = connection.fetch_one("PRAGMA journal_mode = DELETE").await;
    let mode = match answer {
        Ok(row) => row.try_get::<String, _>(0)?,
        Err(error) if is_busy(&error) => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    connection.close().await?;
    Ok(mode == "delete")
}

fn is_busy(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.and_then(|code| primary(&code)) == Some(BUSY)
}

/// Primary result codes (sqlite.org/rescode.html).
const BUSY: u32 = 5;
const IO_ERROR: u32 = 10;
const FULL: u32 = 13;

pub fn is_passing(code: &str) -> bool {
    primary(code).is_some_and(|code| [BUSY, IO_ERROR, FULL].contains(&code))
}

/// The primary code, which an extended one has in its low byte.
fn primary(code: &str) -> Option<u32> {
    Some(code.parse::<u32>().ok()? & 0xff)
}
