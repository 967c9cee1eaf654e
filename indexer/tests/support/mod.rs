//! What the tests need around the indexer.
pub mod chain;
pub mod databases;
pub mod dump;
pub mod event;
pub mod gate;
pub mod proxy;

use chain::Chain;
use dump::dump;
use medlock_indexer::{Config, Database, Handle, Index, View, spawn};
use std::{path::Path, time::Duration};

/// Generous: two cores are shared with builds.
pub const SOON: Duration = Duration::from_secs(60);
pub const POLL_MS: u64 = 20;

pub async fn index(chain: &Chain, url: &str, db: &Path) -> Handle {
    let config = Config {
        endpoints: url.into(),
        deployment: chain.deployment,
        database: Database::Sqlite(db.to_owned()),
        poll_ms: POLL_MS,
    };
    spawn(config).await.unwrap()
}

/// The tables as they stand.
pub async fn latest(index: &Index) -> View {
    index.latest().await.unwrap()
}

/// Waits until the newest indexed block is the chain's newest.
pub async fn caught_up(handle: &Handle, chain: &Chain) {
    let index = handle.index();
    until("the index has the chain's head", async || {
        if let Some(why) = index.status().await.unwrap().stopped {
            panic!("stopped: {why}");
        }
        index.head().await.unwrap().hash == chain.tip().await.1
    })
    .await;
}

/// The tables equal those that a new index of the same chain gets.
pub async fn same_as_from_scratch(chain: &Chain, db: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let fresh = folder.path().join("fresh.db");
    let handle = index(chain, &chain.url, &fresh).await;
    caught_up(&handle, chain).await;
    handle.shutdown().await.unwrap();
    assert_eq!(
        dump(&db.display().to_string()).await,
        dump(&fresh.display().to_string()).await
    );
    assert_eq!(
        Index::open(&Database::Sqlite(db.to_owned()))
            .await
            .unwrap()
            .head()
            .await
            .unwrap()
            .hash,
        chain.tip().await.1
    );
}

pub async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let mut tick = tokio::time::interval(Duration::from_millis(10));
    let wait = async {
        while !condition().await {
            tick.tick().await;
        }
    };
    tokio::time::timeout(SOON, wait)
        .await
        .unwrap_or_else(|_| panic!("not in time: {what}"));
}

/// Waits until the status shows a trouble that says `what`, and the pipeline has not ended of it.
pub async fn trouble(handle: &Handle, what: &str) {
    let mut last = None;
    until(what, async || {
        let status = handle.index().status().await.unwrap();
        assert_eq!(status.stopped, None);
        if last != status.trouble {
            // Shown where the test fails.
            println!("trouble: {:?}", status.trouble);
            last.clone_from(&status.trouble);
        }
        status.trouble.is_some_and(|trouble| trouble.contains(what))
    })
    .await;
}
