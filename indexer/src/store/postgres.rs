//! Many rows at once into PostgreSQL: inserted by COPY in its binary format, ended by arrays.
use super::{ALWAYS, fold::Ended};
use crate::{
    db::own,
    tables::{CURRENT, Table, Value},
};
use anyhow::{Context, Result, bail, ensure};
use sqlx::{Arguments, Connection, Executor, PgConnection, Row, migrate::Migrator, postgres::PgArguments};

/// COPY's signature, flags and empty extension (postgresql.org/docs/15/sql-copy.html, "Binary Format").
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const TRAILER: i16 = -1;
/// From how many rows on they are copied. A copy takes more messages, and each waits for the one before.
const COPY_LEAST: usize = 500;
/// What is sent at once.
const CHUNK_BYTES: usize = 1 << 20;

pub async fn insert(connection: &mut PgConnection, table: &str, columns: &[&str], rows: Vec<Vec<Value>>) -> Result<()> {
    if rows.len() < COPY_LEAST {
        insert_few(connection, table, columns, &rows).await
    } else {
        copy(connection, table, columns, &rows).await
    }
}

/// By arrays: one prepared statement, one message there and one back.
async fn insert_few(connection: &mut PgConnection, table: &str, columns: &[&str], rows: &[Vec<Value>]) -> Result<()> {
    let (mut arrays, mut arguments) = (Vec::new(), PgArguments::default());
    for column in 0..columns.len() {
        let values = rows.iter().map(|row| &row[column]);
        let (kind, added) = match rows[0][column] {
            Value::Int(_) => ("bigint", arguments.add(values.map(int).collect::<Result<Vec<_>>>()?)),
            Value::Text(_) => ("text", arguments.add(values.map(text).collect::<Result<Vec<_>>>()?)),
            _ => ("bytea", arguments.add(values.map(bytes).collect::<Result<Vec<_>>>()?)),
        };
        added.map_err(sqlx::Error::Encode)?;
        arrays.push(format!("${}::{kind}[]", column + 1));
    }
    let (columns, arrays) = (columns.join(", "), arrays.join(", "));
    let sql = format!("INSERT INTO {table} ({columns}) SELECT * FROM UNNEST({arrays})");
    connection.execute(sqlx::query_with(own(sql), arguments)).await?;
    Ok(())
}

fn int(value: &Value) -> Result<i64> {
    match value {
        Value::Int(number) => Ok(*number),
        other => bail!("{other:?} in a column of numbers"),
    }
}

fn text(value: &Value) -> Result<&'static str> {
    match value {
        Value::Text(text) => Ok(text),
        other => bail!("{other:?} in a column of text"),
    }
}

fn bytes(value: &Value) -> Result<Vec<u8>> {
    match value {
        Value::Word(word) => Ok(word.to_vec()),
        Value::Account(account) => Ok(account.to_vec()),
        Value::Bytes(bytes) => Ok(bytes.to_vec()),
        other => bail!("{other:?} in a column of bytes"),
    }
}

async fn copy(connection: &mut PgConnection, table: &str, columns: &[&str], rows: &[Vec<Value>]) -> Result<()> {
    let sql = format!("COPY {table} ({}) FROM STDIN (FORMAT binary)", columns.join(", "));
    let fields = i16::try_from(columns.len()).context("columns")?;
    let mut copy = connection.copy_in_raw(&sql).await?;
    let mut buffer = HEADER.to_vec();
    for row in rows {
        if buffer.len() > CHUNK_BYTES {
            copy.send(&*buffer).await?;
            buffer.clear();
        }
        buffer.extend(fields.to_be_bytes());
        for value in row {
            match value {
                Value::Int(number) => field(&mut buffer, &number.to_be_bytes()),
                Value::Word(word) => field(&mut buffer, word.as_slice()),
                Value::Account(account) => field(&mut buffer, account.as_slice()),
                Value::Bytes(bytes) => field(&mut buffer, bytes),
                Value::Text(text) => field(&mut buffer, text.as_bytes()),
                Value::Null => buffer.extend((-1i32).to_be_bytes()),
            }
        }
    }
    buffer.extend(TRAILER.to_be_bytes());
    copy.send(&*buffer).await?;
    copy.finish().await?;
    Ok(())
}

fn field(buffer: &mut Vec<u8>, bytes: &[u8]) {
    // No field is near 2 GiB: the answer that it came in is bounded.
    let length = i32::try_from(bytes.len()).unwrap_or(i32::MAX);
    buffer.extend(length.to_be_bytes());
    buffer.extend(bytes);
}

/// Ends the current rows of these keys; how many there were.
pub async fn end(connection: &mut PgConnection, table: Table, ended: Vec<Ended>) -> Result<u64> {
    let mut query = sqlx::query(own(end_sql(table)));
    for column in 0..table.key().len() {
        let keys = ended.iter().map(|ended| bytes(&ended.key[column]));
        query = query.bind(keys.collect::<Result<Vec<_>>>()?);
    }
    let blocks: Vec<i64> = ended.iter().map(|ended| ended.to.0).collect();
    let logs: Vec<i64> = ended.iter().map(|ended| ended.to.1).collect();
    Ok(connection.execute(query.bind(blocks).bind(logs)).await?.rows_affected())
}

pub fn end_sql(table: Table) -> String {
    let (name, key) = (table.name(), table.key());
    let arrays: String = (1..=key.len()).map(|i| format!("${i}::bytea[], ")).collect();
    let on: String = key
        .iter()
        .map(|column| format!("t.{column} = n.{column} AND "))
        .collect();
    let (block, log) = (key.len() + 1, key.len() + 2);
    format!(
        "UPDATE {name} AS t SET valid_to_block = n.to_block, valid_to_log = n.to_log
         FROM UNNEST({arrays}${block}::bigint[], ${log}::bigint[]) AS n ({}, to_block, to_log)
         WHERE {on}t.valid_to_block = {CURRENT}",
        key.join(", ")
    )
}

/// Removes an index with its tables, and makes the tables of this build: both or neither.
pub async fn empty(connection: &mut PgConnection, migrations: &Migrator) -> Result<()> {
    let mut tx = connection.begin().await?;
    const SQL: &str = "SELECT count(to_regclass(name)) FROM unnest($1) AS name";
    let always: Vec<String> = ALWAYS.map(Into::into).to_vec();
    let present: i64 = tx.fetch_one(sqlx::query(SQL).bind(always)).await?.try_get(0)?;
    ensure!(
        [0, ALWAYS.len() as i64].contains(&present),
        "it holds tables that are not an index's: name another database"
    );
    if present > 0 {
        let tables: Vec<_> = Table::ALL.iter().map(|table| table.name()).collect();
        let sql = format!(
            "DROP TABLE IF EXISTS event, block, chain, deployment, _sqlx_migrations, {}",
            tables.join(", ")
        );
        tx.execute(sqlx::query(own(sql))).await.context("remove the index")?;
    }
    migrations.run(&mut *tx).await.context("make its tables")?;
    Ok(tx.commit().await?)
}

/// Tells `message` to all who listen on `channel`, once the transaction is committed.
pub async fn notify(connection: &mut PgConnection, channel: &str, message: &str) -> Result<()> {
    let query = sqlx::query("SELECT pg_notify($1, $2)")
        .bind(channel.to_owned())
        .bind(message.to_owned());
    connection.execute(query).await.context("notify")?;
    Ok(())
}

/// Classes of SQLSTATE (postgresql.org/docs/15/errcodes-appendix.html): connection lost, transaction rolled back for another's
/// sake, no resources, no lock, an operator's hand, a system error; and a server that only reads, as a standby does.
pub fn is_passing(code: &str) -> bool {
    ["08", "40", "53", "55", "57", "58"]
        .iter()
        .any(|class| code.starts_with(class))
        || code == "25006"
}
