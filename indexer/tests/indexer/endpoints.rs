//! Several nodes, WebSockets, finality, and Foundry's node.
use crate::support::{
    POLL_MS, SOON, caught_up,
    chain::Chain,
    event::{added, granted, id, opened, who},
    gate::Gate,
    index, latest,
    proxy::{Fate, Proxy},
    same_as_from_scratch, trouble, until,
};
use medlock_indexer::{Config, Database, Endpoints, Handle, spawn};
use serde_json::json;
use std::{
    path::Path,
    time::{Duration, Instant},
};

async fn index_several(chain: &Chain, urls: &[&str], quorum: usize, db: &Path) -> anyhow::Result<Handle> {
    spawn(Config {
        endpoints: Endpoints {
            quorum,
            request_timeout: Duration::from_secs(2),
            ..Endpoints::new(urls.iter().copied())
        },
        deployment: chain.deployment,
        database: Database::Sqlite(db.to_owned()),
        poll_ms: POLL_MS,
    })
    .await
}

#[tokio::test]
async fn where_one_endpoint_fails_another_serves() {
    let chain = Chain::start().await;
    chain.records([opened(id(1), who(1))]).await;
    chain.mine(100).await;
    let (first, second) = (Proxy::start(&chain.url).await, Proxy::start(&chain.url).await);
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("index.db");
    let keyed = format!("{}/v2/a-secret-key", first.url);
    let handle = index_several(&chain, &[&keyed, &second.url], 1, &db).await.unwrap();
    caught_up(&handle, &chain).await;
    until("the first leads", async || handle.progress().endpoints[0].leads).await;
    let faults: [fn() -> Fate; 3] = [
        || Fate::Answer(503, json!({})),
        || Fate::Busy { seconds: 2 },
        || Fate::Reset,
    ];
    for (record, fault) in (0..).zip(faults) {
        // Each in its turn.
        for (failing, serving) in [(&first, &second), (&second, &first)] {
            failing.rule(move |_, _| fault());
            serving.rule(|_, _| Fate::Forward);
            chain.records([granted(id(1), who(record), 8)]).await;
            caught_up(&handle, &chain).await;
        }
        if record == 0 {
            until("the state of each is told", async || {
                let states = handle.progress().endpoints;
                states.iter().any(|state| !state.healthy && state.trouble.is_some())
                    && states.iter().any(|state| state.healthy && state.leads)
            })
            .await;
        }
    }
    let told = format!("{:?}", handle.progress());
    assert!(!told.contains("secret") && told.contains(&second.url), "{told}");
    handle.shutdown().await.unwrap();
    same_as_from_scratch(&chain, &db).await;
}

#[tokio::test]
async fn an_endpoint_of_another_chain_is_named_and_never_used() {
    let (chain, other) = (Chain::start().await, Chain::start().await);
    other.mine(50).await;
    chain.records([opened(id(1), who(1))]).await;
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("index.db");
    let foreign = Proxy::start(&other.url).await;
    let handle = index_several(&chain, &[&foreign.url, &chain.url], 1, &db)
        .await
        .unwrap();
    caught_up(&handle, &chain).await;
    until("the other chain's endpoint is refused", async || {
        let state = handle.progress().endpoints[0].clone();
        let named = state.trouble.is_some_and(|why| why.contains("genesis block is"));
        named && !state.healthy && !state.leads
    })
    .await;
    foreign.asked();
    chain.records([added(id(1), 1, who(1), 3)]).await;
    caught_up(&handle, &chain).await;
    assert_eq!(foreign.asked().len(), 0);
    handle.shutdown().await.unwrap();
    same_as_from_scratch(&chain, &db).await;

    let alone = index_several(&chain, &[&other.url], 1, &folder.path().join("never.db")).await;
    let why = format!("{:#}", alone.err().expect("started"));
    assert!(why.contains("genesis block is"), "{why}");
    let both = index_several(&chain, &[&other.url, &foreign.url], 1, &folder.path().join("never.db")).await;
    let why = format!("{:#}", both.err().expect("started"));
    assert!(why.contains(&other.url) && why.contains(&foreign.url), "{why}");
}

#[tokio::test]
async fn without_a_quorum_nothing_is_committed_and_the_dissent_is_told() {
    let chain = Chain::start().await;
    chain.records([opened(id(1), who(1))]).await;
    let (first, second) = (Proxy::start(&chain.url).await, Proxy::start(&chain.url).await);
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("index.db");
    let handle = index_several(&chain, &[&first.url, &second.url], 2, &db).await.unwrap();
    caught_up(&handle, &chain).await;
    let (before, _) = chain.tip().await;
    // The second keeps to a history that the first has left.
    let kept: serde_json::Value = {
        chain.records([added(id(1), 1, who(1), 3)]).await;
        caught_up(&handle, &chain).await;
        alloy::providers::Provider::raw_request(
            &chain.rpc,
            "eth_getBlockByNumber".into(),
            (format!("{:#x}", before + 1), false),
        )
        .await
        .unwrap()
    };
    let (place, old) = (kept["number"].clone(), kept["hash"].as_str().unwrap().to_owned());
    second.rule(move |method, params| match method {
        "eth_getBlockByNumber" if params[0] == place => Fate::Answer(200, json!({ "result": kept })),
        _ => Fate::Forward,
    });
    chain.reorg(1).await;
    let new = chain.tip().await.1;
    trouble(&handle, "2 endpoints must agree about block").await;
    let told = handle.index().status().await.unwrap().trouble.unwrap();
    let says = |url: &str, hash: &str| told.contains(&format!("{url} has {hash}"));
    assert!(says(&first.url, &new.to_string()) && says(&second.url, &old), "{told}");
    assert_eq!(handle.index().head().await.unwrap().hash.to_string(), old);
    second.rule(|_, _| Fate::Forward);
    caught_up(&handle, &chain).await;
    handle.shutdown().await.unwrap();
    same_as_from_scratch(&chain, &db).await;

    let never = index_several(&chain, &[&first.url], 2, &db).await;
    assert!(format!("{:#}", never.err().expect("started")).contains("can never agree"));
}

#[tokio::test]
async fn an_endpoint_that_lags_does_not_lead() {
    let chain = Chain::start().await;
    chain.records([opened(id(1), who(1))]).await;
    let late = Proxy::start(&chain.url).await;
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("index.db");
    let handle = index_several(&chain, &[&late.url, &chain.url], 1, &db).await.unwrap();
    caught_up(&handle, &chain).await;
    let stuck = format!("{:#x}", chain.tip().await.0);
    let upstream = chain.rpc.clone();
    let then: serde_json::Value =
        alloy::providers::Provider::raw_request(&upstream, "eth_getBlockByNumber".into(), (stuck, false))
            .await
            .unwrap();
    late.rule(move |method, params| match method {
        "eth_getBlockByNumber" if params[0] == "latest" => Fate::Answer(200, json!({ "result": then })),
        _ => Fate::Forward,
    });
    chain.mine(100).await;
    chain.records([added(id(1), 1, who(1), 3)]).await;
    caught_up(&handle, &chain).await;
    until("the status says which one lags", async || {
        let state = handle.progress().endpoints[0].clone();
        !state.leads && state.trouble.is_some_and(|why| why.contains("behind another endpoint"))
    })
    .await;
    handle.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_websocket_wakes_it_and_a_lost_one_leaves_no_gap() {
    let chain = Chain::start().await;
    chain.records([opened(id(1), who(1))]).await;
    chain.mine(100).await;
    let gate = Gate::start(&chain.url).await;
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("index.db");
    let config = Config {
        endpoints: Endpoints::one(&format!("ws://{}", gate.address)),
        deployment: chain.deployment,
        database: Database::Sqlite(db.clone()),
        // It is not polling that finds the blocks.
        poll_ms: 3_600_000,
    };
    let handle = spawn(config).await.unwrap();
    caught_up(&handle, &chain).await;
    let mut waits = Vec::new();
    for record in 0..100 {
        chain
            .pend(chain.deployment.records, added(id(1), record, who(1), 3))
            .await;
        let number = chain.tip().await.0 + 1;
        let since = Instant::now();
        let (head, ()) = tokio::join!(handle.wait_for_block(number, SOON), chain.mine(1));
        waits.push(since.elapsed());
        assert_eq!(head.unwrap().hash, chain.tip().await.1);
    }
    chain.automine().await;
    waits.sort_unstable();
    println!(
        "from mining to rows: median {:?}, 99 of 100 within {:?}",
        waits[50], waits[98]
    );
    // The promise is about the 99th, on a machine that does nothing else: see the benchmark.
    assert!(waits[50] < Duration::from_millis(50), "{waits:?}");
    assert_eq!(handle.progress().counters.events, 101);
    for round in 0..3 {
        gate.close();
        chain.records([granted(id(1), who(round), 8)]).await;
        chain.mine(round * 80).await;
        chain.reorg(1).await;
        gate.open();
        caught_up(&handle, &chain).await;
    }
    handle.shutdown().await.unwrap();
    same_as_from_scratch(&chain, &db).await;
}

#[tokio::test]
async fn a_reorg_past_finality_stops_it_with_both_blocks_named() {
    let chain = Chain::start_with(4).await;
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("index.db");
    let before = chain.snapshot().await;
    chain.records([opened(id(1), who(1))]).await;
    let handle = index(&chain, &chain.url, &db).await;
    chain.mine(20).await;
    caught_up(&handle, &chain).await;
    let tip = chain.tip().await.0;
    until("what is final is known", async || {
        let progress = handle.progress();
        progress.finalized.is_some_and(|block| block.number == tip - 4)
            && progress.safe.is_some_and(|block| block.number == tip - 2)
    })
    .await;
    // Above what is final it follows.
    chain.reorg(2).await;
    caught_up(&handle, &chain).await;
    let counters = handle.progress().counters;
    assert_eq!((counters.reorgs, counters.reorgs_past_finality), (1, 0));
    let finalized = handle.progress().finalized.unwrap();

    chain.revert(&before).await;
    chain.mine(40).await;
    let why = tokio::time::timeout(SOON, handle.failed()).await.unwrap();
    let both = [finalized.hash, chain.deployment.genesis_hash].map(|hash| hash.to_string());
    assert!(
        why.contains("reorg past finality") && why.contains(&finalized.hash.to_string()),
        "{why} {both:?}"
    );
    assert_eq!(handle.progress().counters.reorgs_past_finality, 1);
    assert!(latest(&handle.index()).await.chart(id(1)).await.unwrap().is_some());
    assert!(handle.shutdown().await.is_err());

    // Started again, it takes the chain as it is.
    let handle = index(&chain, &chain.url, &db).await;
    caught_up(&handle, &chain).await;
    handle.shutdown().await.unwrap();
    same_as_from_scratch(&chain, &db).await;
}

#[tokio::test]
async fn foundrys_anvil_is_indexed_over_http_and_websocket() {
    let chain = Chain::start_foundrys().await;
    chain.records([opened(id(1), who(1))]).await;
    chain.mine(150).await;
    let folder = tempfile::tempdir().unwrap();
    for (record, url) in (0..).zip([chain.url.clone(), chain.ws()]) {
        let db = folder.path().join(format!("{record}.db"));
        let handle = index(&chain, &url, &db).await;
        chain
            .records([added(id(1), record, who(1), 3), granted(id(1), who(record), 8)])
            .await;
        caught_up(&handle, &chain).await;
        chain.reorg(1).await;
        caught_up(&handle, &chain).await;
        chain.records([granted(id(1), who(7), 8)]).await;
        caught_up(&handle, &chain).await;
        handle.shutdown().await.unwrap();
        same_as_from_scratch(&chain, &db).await;
    }
}
