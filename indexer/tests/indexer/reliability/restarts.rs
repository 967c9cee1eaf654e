//! A PostgreSQL server that goes away and comes back.
use super::{Kind, SOON, caught_up, config, history::History, is_exact, standby::terminate_all, start, times, until};
use crate::support::{
    chain::Chain,
    proxy::{Fate, Proxy},
};
use medlock_indexer::{Handle, spawn};
use medlock_postgres_server::Server;
use serde_json::json;
use std::time::Duration;

/// Blocks that the node gives logs of at once: a backfill takes many transactions.
const RANGE_MOST: u64 = 10;
/// Between two lost connections, at most.
const BETWEEN_MOST: Duration = Duration::from_millis(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_restarts_is_waited_for_and_nothing_is_lost() {
    let mut history = History::on(Chain::start().await, 250).await;
    let proxy = Proxy::start(&history.chain.url).await;
    proxy.rule(|method, params| {
        let bound = |key: &str| u64::from_str_radix(params[0][key].as_str()?.strip_prefix("0x")?, 16).ok();
        match (bound("fromBlock"), bound("toBlock")) {
            (Some(from), Some(to)) if method == "eth_getLogs" && to - from >= RANGE_MOST => {
                let error = json!({ "code": -32005, "message": format!("range over {RANGE_MOST} blocks") });
                Fate::Answer(200, json!({ "error": error }))
            }
            _ => Fate::Forward,
        }
    });
    let mut server = Server::start();
    for round in 0..times(2, 40) {
        // In order, or as it stands.
        let end: fn(&mut Server) = if round % 2 == 0 { Server::stop } else { Server::kill };
        let database = server.create();
        let handle = start(&history.chain, &proxy.url, &database).await;
        let some = 20 + history.dice.below(history.height() / 2);
        until("some of the backfill is done", async || {
            handle.progress().indexed >= some
        })
        .await;
        end(&mut server);
        // Where the backfill was done already, so that there is something to write.
        history.grow(1).await;
        shows_trouble(&handle).await;
        server.start_again();
        caught_up_and_fine(&handle, &history.chain).await;

        // Live, and across a reorg.
        history.grow(3).await;
        caught_up(&handle, &history.chain).await;
        end(&mut server);
        history.reorg(6, 7).await;
        shows_trouble(&handle).await;
        server.start_again();
        caught_up_and_fine(&handle, &history.chain).await;
        is_exact(&history.chain, &database).await;

        // A stop while the server is away is a clean one.
        end(&mut server);
        handle.shutdown().await.unwrap();
        server.start_again();
        server.remove(&database);
    }
}

async fn shows_trouble(handle: &Handle) {
    until("it shows the trouble", async || {
        let progress = handle.progress();
        assert_eq!(progress.stopped, None);
        progress.trouble.is_some()
    })
    .await;
    println!("trouble: {}", handle.progress().trouble.unwrap_or_default());
}

async fn caught_up_and_fine(handle: &Handle, chain: &Chain) {
    let tip = chain.tip().await;
    until("it goes on", async || {
        let progress = handle.progress();
        assert_eq!(progress.stopped, None);
        progress.trouble.is_none()
            && handle
                .index()
                .head()
                .await
                .is_ok_and(|head| (head.number, head.hash) == tip)
    })
    .await;
}

#[tokio::test]
async fn connections_lost_at_any_moment_lose_and_repeat_nothing() {
    let mut history = History::on(Chain::start().await, 50).await;
    let folder = tempfile::tempdir().unwrap();
    let database = Kind::Postgres.fresh(folder.path(), "index");
    let handle = start(&history.chain, &history.chain.url, &database).await;
    let (mut lost, losses) = (0, times(10, 500));
    while lost < losses {
        history.stir().await;
        // Not a wait for anything: the moment is what is tried.
        tokio::time::sleep(history.dice.part_of(BETWEEN_MOST)).await;
        lost += terminate_all(&database).await;
        // Several in a row, but not for ever: the pause after trouble doubles.
        if history.dice.one_in(3) {
            caught_up_and_fine(&handle, &history.chain).await;
        }
    }
    caught_up_and_fine(&handle, &history.chain).await;
    terminate_all(&database).await;
    // As it is, or after it was noticed.
    handle.shutdown().await.unwrap();
    is_exact(&history.chain, &database).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_not_there_at_the_start_is_an_error_that_says_so() {
    let history = History::on(Chain::start().await, 1).await;
    let mut server = Server::start();
    let database = server.create();
    server.stop();
    let Ok(Err(error)) = tokio::time::timeout(SOON, spawn(config(&history.chain, &history.chain.url, &database))).await
    else {
        panic!("started, or hung");
    };
    let error = format!("{error:#}");
    assert!(
        error.contains("open index database postgres://127.0.0.1:") && error.contains("refused"),
        "{error}"
    );
    server.start_again();
    let handle = start(&history.chain, &history.chain.url, &database).await;
    caught_up(&handle, &history.chain).await;
    handle.shutdown().await.unwrap();
}
