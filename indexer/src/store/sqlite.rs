//! Many rows at once into SQLite: statements of a few sizes, which stay prepared.
use super::{ALWAYS, fold::Ended};
use crate::{
    db::{file, for_sqlite, own},
    tables::{CURRENT, Table, Value},
};
use anyhow::{Context, Result, ensure};
use sqlx::{Connection, Executor, Row, SqlSafeStr, SqliteConnection, sqlite::SqliteConnectOptions};
use std::{
    fs::{File, OpenOptions, TryLockError},
    path::{Path, PathBuf},
    time::Duration,
};

/// Rows in one statement, the largest that fits first. Each row passes to SQLite's thread and back with its statement, so few
/// large ones; each size of each table is prepared once.
const SIZES: [usize; 4] = [256, 32, 4, 1];

pub async fn insert(
    connection: &mut SqliteConnection,
    table: &str,
    columns: &[&str],
    rows: Vec<Vec<Value>>,
) -> Result<()> {
    let row = format!("({})", vec!["?"; columns.len()].join(", "));
    let columns = columns.join(", ");
    in_statements(connection, rows, |rows| {
        let rows = vec![row.as_str(); rows].join(", ");
        format!("INSERT INTO {table} ({columns}) VALUES {rows}")
    })
    .await?;
    Ok(())
}

/// Ends the current rows of these keys; how many there were.
pub async fn end(connection: &mut SqliteConnection, table: Table, ended: Vec<Ended>) -> Result<u64> {
    let rows = ended.into_iter().map(|ended| {
        let mut row = ended.key;
        row.extend([ended.to.0, ended.to.1].map(Value::Int));
        row
    });
    in_statements(connection, rows.collect(), |rows| end_sql(table, rows)).await
}

pub fn end_sql(table: Table, rows: usize) -> String {
    let (name, key) = (table.name(), table.key());
    let row = format!("({})", vec!["?"; key.len() + 2].join(", "));
    let rows = vec![row; rows].join(", ");
    let on = key.iter().enumerate();
    let on: String = on
        .map(|(i, column)| format!("{name}.{column} = n.column{} AND ", i + 1))
        .collect();
    let (block, log) = (key.len() + 1, key.len() + 2);
    format!(
        "UPDATE {name} SET valid_to_block = n.column{block}, valid_to_log = n.column{log} FROM (VALUES {rows}) AS n
         WHERE {on}{name}.valid_to_block = {CURRENT}"
    )
}

/// Runs `sql`, which is told for how many rows, on all `rows`; how many it touched.
async fn in_statements(
    connection: &mut SqliteConnection,
    rows: Vec<Vec<Value>>,
    sql: impl Fn(usize) -> String,
) -> Result<u64> {
    let mut touched = 0;
    let mut rest = rows.as_slice();
    for size in SIZES {
        if rest.len() < size {
            continue;
        }
        let sql = own(sql(size)).into_sql_str();
        while rest.len() >= size {
            let (now, later) = rest.split_at(size);
            let args: Vec<Value> = now.iter().flatten().cloned().collect();
            touched += connection
                .execute(for_sqlite(sql.clone(), &args))
                .await?
                .rows_affected();
            rest = later;
        }
    }
    Ok(touched)
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
    code.and_then(|code| code.parse::<u32>().ok())
        .is_some_and(|code| code & 0xff == 5)
}

/// SQLITE_BUSY, SQLITE_IOERR, SQLITE_FULL: primary result codes (sqlite.org/rescode.html), which extended ones have in their
/// low byte.
pub fn is_passing(code: &str) -> bool {
    code.parse::<u32>()
        .is_ok_and(|code| [5, 10, 13].contains(&(code & 0xff)))
}
