//! Several indexers on one database: one writes, the others wait to take its place.
use super::{
    Dice, KINDS, Kind, SOON, Took, has_head,
    history::History,
    is_exact,
    process::{Process, Told},
    times, until,
};
use crate::support::chain::Chain;
use futures::future::join_all;
use sqlx::{Connection as _, Executor as _, PgConnection, Row as _};
use std::time::{Duration, Instant};

/// Processes at a time: two wait.
const PROCESSES: usize = 3;
/// A standby looks twice a second.
const TAKES_OVER: Duration = Duration::from_secs(2);

#[tokio::test]
async fn one_writes_and_another_takes_over_when_it_ends() {
    for kind in KINDS {
        let mut history = History::on(Chain::start().await, 20).await;
        let folder = tempfile::tempdir().unwrap();
        let (mut database, mut took) = (String::new(), Took::default());
        let mut processes: Vec<Process> = Vec::new();
        let rounds = times(4, 100);
        for round in 0..rounds {
            if round % 10 == 0 {
                // All of them at once on an empty database.
                join_all(processes.drain(..).map(Process::stop)).await;
                database = kind.fresh(folder.path(), &round.to_string());
            }
            while processes.len() < PROCESSES {
                processes.push(Process::start(&history.chain, &history.chain.url, &database));
            }
            has_head_once_one_writes(&history, &database, &mut processes).await;
            let writer = processes.remove(only_writer(&processes));
            history.stir().await;
            let begun = Instant::now();
            if history.dice.one_in(2) {
                writer.kill().await;
            } else {
                writer.stop().await;
            }
            history.grow(2).await;
            has_head(&history.chain, &database).await;
            took.0.push(begun.elapsed());
            only_writer(&processes);
        }
        join_all(processes.into_iter().map(Process::stop)).await;
        is_exact(&history.chain, &database).await;
        took.show(&format!("{kind:?}: another took over and had the new head"));
    }
}

async fn has_head_once_one_writes(history: &History, database: &str, processes: &mut [Process]) {
    until("each knows what it is", async || {
        let told: Vec<Told> = processes.iter().map(Process::told).collect();
        let writers = told
            .iter()
            .filter(|told| told.at_work.is_some() && !told.standby)
            .count();
        let waiting = told.iter().filter(|told| told.standby).count();
        writers == 1 && writers + waiting == told.len()
    })
    .await;
    has_head(&history.chain, database).await;
}

fn only_writer(processes: &[Process]) -> usize {
    let told: Vec<Told> = processes.iter().map(Process::told).collect();
    let mut writers = (0..told.len()).filter(|nth| told[*nth].at_work.is_some() && !told[*nth].standby);
    let writer = writers.next();
    assert!(writer.is_some() && writers.next().is_none(), "not one writer: {told:?}");
    writer.unwrap()
}

/// PostgreSQL takes the lock back with the session, of which its holder hears only when it writes next.
#[tokio::test]
async fn a_writer_that_lost_its_session_stands_by_behind_the_one_that_took_over() {
    let mut history = History::on(Chain::start().await, 20).await;
    let folder = tempfile::tempdir().unwrap();
    let database = Kind::Postgres.fresh(folder.path(), "index");
    let mut first = Process::start(&history.chain, &history.chain.url, &database);
    first.at_work().await;
    let mut second = Process::start(&history.chain, &history.chain.url, &database);
    second.until("it stands by", |told| told.standby).await;
    for _ in 0..times(4, 100) {
        has_head(&history.chain, &database).await;
        let begun = Instant::now();
        loop {
            terminate_writer(&database).await;
            if second.is_within(TAKES_OVER, |told| !told.standby).await {
                break;
            }
            // One that notices before the other looks is the writer again.
            assert!(begun.elapsed() < SOON, "nobody takes over: {:?}", second.told());
        }
        history.stir().await;
        history.grow(1).await;
        first.until("it stands by", |told| told.standby).await;
        assert_eq!((first.told().stopped, second.told().stopped), (None, None));
        std::mem::swap(&mut first, &mut second);
    }
    has_head(&history.chain, &database).await;
    is_exact(&history.chain, &database).await;
    // Sessions of all are lost, again and again.
    let mut dice = Dice(history.dice.next());
    for _ in 0..times(10, 200) {
        history.stir().await;
        if dice.one_in(2) {
            terminate_all(&database).await;
        } else {
            terminate_writer(&database).await;
        }
    }
    has_head(&history.chain, &database).await;
    assert_eq!((first.told().stopped, second.told().stopped), (None, None));
    first.stop().await;
    second.stop().await;
    is_exact(&history.chain, &database).await;
}

/// Ends the session that holds the writer's lock, if one does.
async fn terminate_writer(database: &str) {
    terminate(
        database,
        "pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted)",
    )
    .await;
}

pub async fn terminate_all(database: &str) -> usize {
    terminate(database, "TRUE").await
}

/// Ends those sessions of indexers that are `such`; how many.
async fn terminate(database: &str, such: &'static str) -> usize {
    let mut connection = PgConnection::connect(database).await.unwrap();
    let sql = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE application_name = 'medlock-indexer' AND datname = current_database() AND {such}"
    );
    let rows = connection.fetch_all(sqlx::AssertSqlSafe(sql)).await.unwrap();
    connection.close().await.unwrap();
    rows.iter().filter(|row| row.get::<bool, _>(0)).count()
}
