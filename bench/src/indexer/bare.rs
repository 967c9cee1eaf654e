//! The least that an indexer can do: fetch, decode, one row an event, a checkpoint in the same transaction. No reorgs, no state,
//! no check of anything. What it reaches is the ceiling of the machine, the chain and the database.

use std::{net::SocketAddr, sync::mpsc, time::Instant};

use alloy::{
    primitives::{Address, B256, LogData},
    rpc::types::Log,
    sol_types::SolEventInterface,
};
use anyhow::{Context, bail};
use medlock_abi::{records::IRecords::IRecordsEvents, registry::IRegistry::IRegistryEvents};
use serde::Deserialize;
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection, sqlite::SqliteConnectOptions};

use super::{chain::Chain, is_postgres};
use crate::{
    figure::per_second,
    http::{Connection, request},
};

/// Of one request and of one transaction: more costs memory and gains nothing.
const EVENTS_OF_A_RANGE: u64 = 5_000;
/// Ranges that are fetched at the same time.
const FETCHERS: usize = 3;
/// Decoded ranges that wait for the writer, of each fetcher.
const WAITING: usize = 1;
/// Rows of one statement of SQLite's.
const ROWS: usize = 100;
const COLUMNS: usize = 5;

const SQLITE_TABLES: &str =
    "CREATE TABLE event (place INTEGER PRIMARY KEY, tx_hash BLOB, contract BLOB, topics BLOB, data BLOB);
    CREATE TABLE checkpoint (id INTEGER PRIMARY KEY, block INTEGER)";
const POSTGRES_TABLES: &str =
    "CREATE TABLE event (place bigint PRIMARY KEY, tx_hash bytea, contract bytea, topics bytea, data bytea);
    CREATE TABLE checkpoint (id integer PRIMARY KEY, block bigint)";
const CHECKPOINT: &str = "INSERT INTO checkpoint VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET block = excluded.block";

struct Row {
    /// Block << 24 | log.
    place: i64,
    tx: B256,
    contract: Address,
    data: LogData,
}

/// Blocks that are asked for in one request.
#[derive(Clone, Copy)]
struct Range {
    from: u64,
    to: u64,
}

/// Indexes the chain into the empty `database`.
pub async fn index(chain: &Chain, database: &str) -> anyhow::Result<()> {
    if is_postgres(database) {
        let mut connection = PgConnection::connect(database).await?;
        sqlx::raw_sql(POSTGRES_TABLES).execute(&mut connection).await?;
        let mut decoded = Decoded::start(chain)?;
        while let Some((range, rows)) = decoded.next()? {
            let mut tx = connection.begin().await?;
            let mut copy = tx.copy_in_raw("COPY event FROM STDIN (FORMAT binary)").await?;
            copy.send(binary(&rows)).await?;
            copy.finish().await?;
            sqlx::query(CHECKPOINT)
                .bind(range.to.cast_signed())
                .execute(&mut *tx)
                .await?;
            tx.commit().await?;
        }
        return Ok(connection.close().await?);
    }
    let options = SqliteConnectOptions::new()
        .filename(database)
        .create_if_missing(true)
        .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal)
        .synchronous(sqlx::sqlite::SqliteSynchronous::Normal);
    let mut connection = SqliteConnection::connect_with(&options).await?;
    sqlx::raw_sql(SQLITE_TABLES).execute(&mut connection).await?;
    let many = insert(ROWS);
    let mut decoded = Decoded::start(chain)?;
    while let Some((range, rows)) = decoded.next()? {
        let mut tx = connection.begin().await?;
        for part in rows.chunks(ROWS) {
            let sql = if part.len() == ROWS {
                many.clone()
            } else {
                insert(part.len())
            };
            let query = part.iter().fold(sqlx::query(AssertSqlSafe(sql)), |query, row| {
                query
                    .bind(row.place)
                    .bind(row.tx.as_slice())
                    .bind(row.contract.as_slice())
                    .bind(topics(row))
                    .bind(row.data.data.as_ref())
            });
            query.execute(&mut *tx).await?;
        }
        sqlx::query(CHECKPOINT)
            .bind(range.to.cast_signed())
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
    }
    Ok(connection.close().await?)
}

/// Events a second that are only fetched, by as many connections as [`index`] has.
pub fn fetch_alone(chain: &Chain) -> anyhow::Result<f64> {
    let address = address(chain)?;
    let begun = Instant::now();
    std::thread::scope(|scope| {
        let fetchers: Vec<_> = (0..FETCHERS)
            .map(|turn| {
                scope.spawn(move || {
                    let mut connection = Connection::open(address)?;
                    ranges(chain)
                        .skip(turn)
                        .step_by(FETCHERS)
                        .try_for_each(|range| connection.exchange(&logs_request(chain, range)).map(|_| ()))
                })
            })
            .collect();
        fetchers
            .into_iter()
            .try_for_each(|fetcher| fetcher.join().expect("a fetcher does not panic"))
    })?;
    Ok(per_second(chain.events as usize, begun.elapsed()))
}

/// Events a second that one thread decodes, from answers that it has.
pub fn decode_alone(chain: &Chain) -> anyhow::Result<f64> {
    let mut connection = Connection::open(address(chain)?)?;
    let bodies = ranges(chain)
        .map(|range| Ok(connection.exchange(&logs_request(chain, range))?.to_vec()))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let begun = Instant::now();
    let mut events = 0;
    for body in &bodies {
        events += decode(chain, body)?.len();
    }
    Ok(per_second(events, begun.elapsed()))
}

/// Ranges of rows in the chain's order, fetched and decoded by threads that take turns.
struct Decoded {
    ranges: Vec<Range>,
    next: usize,
    fetchers: Vec<mpsc::Receiver<anyhow::Result<Vec<Row>>>>,
}

impl Decoded {
    fn start(chain: &Chain) -> anyhow::Result<Self> {
        let address = address(chain)?;
        let ranges: Vec<Range> = ranges(chain).collect();
        let fetchers = (0..FETCHERS)
            .map(|turn| {
                let (rows, received) = mpsc::sync_channel(WAITING);
                let (chain, ranges) = (chain.clone(), ranges.clone());
                std::thread::spawn(move || {
                    let mut connection = Connection::open(address);
                    for range in ranges.into_iter().skip(turn).step_by(FETCHERS) {
                        let decoded = match &mut connection {
                            Ok(connection) => connection
                                .exchange(&logs_request(&chain, range))
                                .and_then(|body| decode(&chain, body)),
                            Err(error) => Err(anyhow::anyhow!("{error:#}")),
                        };
                        // The writer has failed.
                        if rows.send(decoded).is_err() {
                            return;
                        }
                    }
                });
                received
            })
            .collect();
        Ok(Self {
            ranges,
            next: 0,
            fetchers,
        })
    }

    fn next(&mut self) -> anyhow::Result<Option<(Range, Vec<Row>)>> {
        let Some(range) = self.ranges.get(self.next) else {
            return Ok(None);
        };
        let rows = self.fetchers[self.next % FETCHERS]
            .recv()
            .context("a fetcher ended")??;
        self.next += 1;
        Ok(Some((*range, rows)))
    }
}

fn address(chain: &Chain) -> anyhow::Result<SocketAddr> {
    let address = chain.url.trim_start_matches("http://");
    address.parse().context("the chain's address")
}

fn ranges(chain: &Chain) -> impl Iterator<Item = Range> {
    let blocks = chain.last + 1 - chain.first;
    let step = (EVENTS_OF_A_RANGE * blocks / chain.events).max(1);
    let last = chain.last;
    (chain.first..=last).step_by(step as usize).map(move |from| Range {
        from,
        to: (from + step - 1).min(last),
    })
}

fn logs_request(chain: &Chain, range: Range) -> Vec<u8> {
    let filter = json!([{
        "fromBlock": format!("{:#x}", range.from),
        "toBlock": format!("{:#x}", range.to),
        "address": chain.contracts,
    }]);
    request("eth_getLogs", &filter)
}

fn decode(chain: &Chain, body: &[u8]) -> anyhow::Result<Vec<Row>> {
    #[derive(Deserialize)]
    struct Answer {
        result: Vec<Log>,
    }
    let answer: Answer = serde_json::from_slice(body)?;
    let [registry, records, ..] = chain.contracts;
    let row = |log: Log| {
        let Log {
            inner,
            block_number: Some(block),
            log_index: Some(index),
            transaction_hash: Some(tx),
            ..
        } = log
        else {
            bail!("a log that does not say where it stands");
        };
        // The rows hold the log as it was; an indexer of some use would need the event.
        let (topics, data) = (inner.data.topics(), &inner.data.data);
        if inner.address == registry {
            std::hint::black_box(IRegistryEvents::decode_raw_log(topics, data)?);
        } else if inner.address == records {
            std::hint::black_box(IRecordsEvents::decode_raw_log(topics, data)?);
        } else {
            bail!("a log of {}", inner.address);
        }
        Ok(Row {
            place: (block << 24 | index).cast_signed(),
            tx,
            contract: inner.address,
            data: inner.data,
        })
    };
    answer.result.into_iter().map(row).collect()
}

/// The rows as COPY takes them: <https://www.postgresql.org/docs/15/sql-copy.html>, "Binary Format".
fn binary(rows: &[Row]) -> Vec<u8> {
    let mut out = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0".to_vec();
    let length = |bytes: usize| (bytes as u32).to_be_bytes();
    for row in rows {
        out.extend((COLUMNS as u16).to_be_bytes());
        out.extend(length(8));
        out.extend(row.place.to_be_bytes());
        out.extend(length(32));
        out.extend(row.tx);
        out.extend(length(20));
        out.extend(row.contract);
        out.extend(length(32 * row.data.topics().len()));
        row.data.topics().iter().for_each(|topic| out.extend(topic));
        out.extend(length(row.data.data.len()));
        out.extend(&row.data.data);
    }
    out.extend((-1i16).to_be_bytes());
    out
}

/// Inserts so many rows.
fn insert(rows: usize) -> String {
    let row = format!("({})", ["?"; COLUMNS].join(","));
    format!("INSERT INTO event VALUES {}", vec![row; rows].join(","))
}

fn topics(row: &Row) -> Vec<u8> {
    row.data.topics().iter().flat_map(|topic| topic.0).collect()
}
