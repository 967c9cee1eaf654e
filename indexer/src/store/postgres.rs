//! Many rows at once into PostgreSQL, by arrays: one prepared statement, one message there and one back.
//!
//! Not by COPY, though the server takes that faster: sqlx sends a copy's end as a small packet of its own and leaves TCP's delay
//! of such packets on, so that each copy to a server behind TCP stands still for some 40 ms.
use super::{ALWAYS, work::Work};
use crate::{
    db::own,
    tables::{CURRENT, Table, Value, is_number},
};
use anyhow::{Context, Result, bail, ensure};
use futures::future::join;
use sqlx::{
    Arguments, Connection, Executor, PgConnection, Postgres, Row, migrate::Migrator, postgres::PgArguments,
    query::Query,
};

/// Does all of `work`, in order.
pub async fn perform(connection: &mut PgConnection, work: &[Work]) -> Result<()> {
    let mut statements = work.iter().filter(|work| !work.rows().is_empty()).map(statement);
    let mut next = statements.next();
    while let Some(statement) = next {
        let (work, query) = statement?;
        // The next statement's arrays are made while the server works on this one.
        let prepared = async { statements.next() };
        let (done, prepared) = join(connection.execute(query), prepared).await;
        let done = done.with_context(|| format!("write to {}", work.table()))?;
        work.check(done.rows_affected(), work.rows().len())?;
        next = prepared;
    }
    Ok(())
}

/// What all of `work` takes: an array for each column.
fn statement(work: &Work) -> Result<(&Work, Query<'static, Postgres, PgArguments>)> {
    let rows = work.rows();
    let (mut arrays, mut arguments) = (Vec::new(), PgArguments::default());
    for column in 0..rows[0].len() {
        let values = rows.iter().map(|row| &row[column]);
        let (kind, added) = match rows[0][column] {
            Value::Int(_) => ("bigint", arguments.add(values.map(int).collect::<Result<Vec<_>>>()?)),
            Value::Text(_) => ("text", arguments.add(values.map(text).collect::<Result<Vec<_>>>()?)),
            _ => ("bytea", arguments.add(values.map(bytes).collect::<Result<Vec<_>>>()?)),
        };
        added.map_err(sqlx::Error::Encode)?;
        arrays.push(format!("${}::{kind}[]", column + 1));
    }
    let sql = match work {
        Work::Insert { table, columns, .. } => {
            let (columns, arrays) = (columns.join(", "), arrays.join(", "));
            let condition = work.condition().unwrap_or_else(|| "true".into());
            format!("INSERT INTO {table} ({columns}) SELECT * FROM UNNEST({arrays}) AS n ({columns}) WHERE {condition}")
        }
        Work::End { table, .. } => {
            let current = arguments.add(vec![CURRENT; rows.len()]);
            current.map_err(sqlx::Error::Encode)?;
            end_sql(*table)
        }
    };
    Ok((work, sqlx::query_with(own(sql), arguments)))
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

fn bytes(value: &Value) -> Result<&[u8]> {
    match value {
        Value::Word(word) => Ok(word.as_slice()),
        Value::Account(account) => Ok(account.as_slice()),
        Value::Bytes(bytes) => Ok(bytes),
        other => bail!("{other:?} in a column of bytes"),
    }
}

/// Ends the current rows of keys: an array for each column of the key, of the places, and of what is current.
///
/// What is current comes from an array too. As a constant it would seem to pick out few rows of the table, and the planner would
/// go through those with all the keys, rather than through the keys.
pub fn end_sql(table: Table) -> String {
    let (name, key) = (table.name(), table.key());
    let kind = |column: &&str| if is_number(column) { "bigint" } else { "bytea" };
    let arrays: String = key
        .iter()
        .zip(1..)
        .map(|(column, i)| format!("${i}::{}[], ", kind(column)))
        .collect();
    let on: String = key
        .iter()
        .map(|column| format!("t.{column} = n.{column} AND "))
        .collect();
    let (place, current) = (key.len() + 1, key.len() + 2);
    format!(
        "UPDATE {name} AS t SET valid_to = n.place FROM UNNEST({arrays}${place}::bigint[], ${current}::bigint[])
            AS n ({}, place, current)
         WHERE {on}t.valid_to = n.current",
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
