//! The whole indexer against a real chain, whose contracts log what they are told.
use crate::support::{
    POLL_MS, SOON, caught_up,
    chain::Chain,
    event::{added, amended, granted, id, opened, who},
    index, latest,
    proxy::{Fate, Proxy},
    same_as_from_scratch, trouble, until,
};
use alloy::{
    primitives::{Address, B256, IntoLogData, LogData},
    providers::Provider,
};
use medlock_abi::{
    records::IRecords::{self, Question},
    registry::IRegistry,
    terms::{action, purpose, reason, role},
};
use medlock_indexer::{Config, Database, IndexError, Page, When, spawn};
use serde_json::json;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

#[tokio::test]
async fn backfills_then_follows_and_answers() {
    let chain = Chain::start().await;
    let (chart, patient, clinic) = (id(1), who(1), who(2));
    chain
        .records([
            opened(chart, patient),
            added(chart, 10, clinic, 3),
            added(chart, 11, clinic, 63),
        ])
        .await;
    // Beyond the newest blocks that are read one by one: both ways of reading are used.
    chain.mine(80).await;
    chain.pass_time(60).await;
    let granted = granted(chart, clinic, 1 << 3 | 1 << 63);
    chain
        .log_in_one_block(&[
            (chain.deployment.records, granted),
            (chain.deployment.records, amended(chart, 10, clinic, 2)),
            (
                chain.deployment.registry,
                IRegistry::IssuerSet {
                    issuer: who(9),
                    number: 1,
                    epoch: 1,
                    active: true,
                }
                .into_log_data(),
            ),
        ])
        .await;
    chain.mine(20).await;

    let folder = tempfile::tempdir().unwrap();
    let handle = index(&chain, &chain.url, &folder.path().join("deep/er/index.db")).await;
    caught_up(&handle, &chain).await;
    let index = handle.index();
    let records = latest(&index)
        .await
        .records(chart, u64::MAX, Page::default())
        .await
        .unwrap();
    assert_eq!(
        records
            .iter()
            .map(|r| (r.record_id, r.version, r.compartment))
            .collect::<Vec<_>>(),
        [(id(10), 2, 3), (id(11), 1, 63)]
    );
    assert_eq!(
        latest(&index)
            .await
            .records(chart, 1 << 63, Page::default())
            .await
            .unwrap(),
        records[1..]
    );
    let question = Question {
        chart,
        grantee: clinic,
        member: Address::ZERO,
        compartment: 63,
        recordId: id(11),
        purpose: purpose::TREAT,
        action: action::READ,
    };
    let grant = latest(&index).await.grant(chart, clinic).await.unwrap().unwrap();
    let before = index.decide(&question, grant.granted_at - 1).await.unwrap();
    assert_eq!((before.allowed, before.reason), (false, reason::NO_GRANT));
    assert!(before.block.time < grant.granted_at);
    let now = index.decide(&question, u64::MAX).await.unwrap();
    assert_eq!(
        (now.allowed, now.reason, now.block),
        (true, reason::GRANT, index.head().await.unwrap())
    );
    let ever = index.decide(&question, 0).await.unwrap();
    assert_eq!(
        (ever.reason, ever.block.number, ever.block.hash),
        (reason::UNKNOWN_CHART, 0, chain.deployment.genesis_hash)
    );

    // Live: from the block to the answer.
    chain
        .registry(IRegistry::CredentialIssued {
            party: clinic,
            issuer: who(9),
            issuerEpoch: 1,
            roles: role::PROVIDER,
            expiry: 0,
            document: id(5),
        })
        .await;
    chain
        .registry(IRegistry::KeyPublished {
            party: clinic,
            version: 1,
            suite: 1,
            key: vec![7; 32].into(),
        })
        .await;
    chain
        .records([IRecords::Revoked { chart, grantee: clinic }.into_log_data()])
        .await;
    let (number, hash) = chain.tip().await;
    assert_eq!(handle.wait_for_block(number, SOON).await.unwrap().hash, hash);
    let party = index
        .view(When::Time(u64::MAX))
        .await
        .unwrap()
        .party(clinic)
        .await
        .unwrap();
    assert!(party.credential.unwrap().is_current(u64::MAX));
    assert_eq!(party.key.unwrap().key, vec![7; 32]);
    assert_eq!(
        index.decide(&question, u64::MAX).await.unwrap().reason,
        reason::NO_GRANT
    );
    assert_eq!(latest(&index).await.grant(chart, clinic).await.unwrap(), None);
    let status = index.status().await.unwrap();
    assert_eq!(
        (status.chain_head, status.lag_blocks, status.trouble, status.stopped),
        (number, 0, None, None)
    );

    // A block that does not come is waited for until the deadline, and no longer.
    let late = handle.wait_for_block(number + 1, Duration::from_millis(50)).await;
    assert!(matches!(late, Err(IndexError::Deadline { .. })), "{late:?}");
    handle.shutdown().await.unwrap();
    same_as_from_scratch(&chain, &folder.path().join("deep/er/index.db")).await;
}

#[tokio::test]
async fn follows_reorgs_of_any_depth_running_or_not() {
    let chain = Chain::start().await;
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("index.db");
    let before_all = chain.snapshot().await;
    let chart = id(1);
    chain
        .records([
            opened(chart, who(1)),
            added(chart, 10, who(1), 3),
            granted(chart, who(2), 8),
        ])
        .await;
    let handle = index(&chain, &chain.url, &db).await;
    caught_up(&handle, &chain).await;

    // Same height, other content.
    let fork = chain.snapshot().await;
    chain.records([granted(chart, who(3), 8)]).await;
    caught_up(&handle, &chain).await;
    chain.revert(&fork).await;
    let fork = chain.snapshot().await;
    chain
        .records([IRecords::Revoked { chart, grantee: who(2) }.into_log_data()])
        .await;
    caught_up(&handle, &chain).await;
    assert_eq!(
        latest(&handle.index())
            .await
            .grants(chart, Page::default())
            .await
            .unwrap(),
        []
    );

    // Deeper than what is read block by block, and longer.
    chain.mine(90).await;
    chain.records([added(chart, 11, who(1), 3)]).await;
    caught_up(&handle, &chain).await;
    chain.revert(&fork).await;
    let fork = chain.snapshot().await;
    chain.records([amended(chart, 10, who(1), 2)]).await;
    chain.mine(110).await;
    chain.records([added(chart, 12, who(1), 4)]).await;
    caught_up(&handle, &chain).await;
    assert_eq!(
        latest(&handle.index())
            .await
            .records(chart, u64::MAX, Page::default())
            .await
            .unwrap()
            .len(),
        2
    );

    // The node replaces its newest blocks by empty ones.
    chain.reorg(2).await;
    caught_up(&handle, &chain).await;
    let view = handle.index();
    let mut now = latest(&view).await;
    let records = now.records(chart, u64::MAX, Page::default());
    assert_eq!(records.await.unwrap().len(), 1);
    drop(now);

    // The head goes back, and nothing takes its place.
    chain.revert(&fork).await;
    caught_up(&handle, &chain).await;
    assert_eq!(
        latest(&handle.index())
            .await
            .versions(chart, id(10), 0)
            .await
            .unwrap()
            .len(),
        1
    );
    same_as_from_scratch(&chain, &db).await;

    // While the indexer is down; down to the deployment's own blocks.
    handle.shutdown().await.unwrap();
    chain.revert(&before_all).await;
    chain.records([opened(chart, who(5))]).await;
    let handle = index(&chain, &chain.url, &db).await;
    caught_up(&handle, &chain).await;
    assert_eq!(
        latest(&handle.index())
            .await
            .chart(chart)
            .await
            .unwrap()
            .unwrap()
            .controller,
        who(5)
    );
    handle.shutdown().await.unwrap();
    same_as_from_scratch(&chain, &db).await;
}

#[tokio::test]
async fn goes_on_where_it_stopped() {
    let chain = Chain::start().await;
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("index.db");
    let chart = id(1);
    chain.records([opened(chart, who(1))]).await;
    chain.mine(30).await;
    for version in 1..5 {
        let handle = index(&chain, &chain.url, &db).await;
        caught_up(&handle, &chain).await;
        // Dropped or shut down, it must not matter.
        if version % 2 == 0 {
            handle.shutdown().await.unwrap();
        } else {
            drop(handle);
        }
        chain
            .records([if version == 1 {
                added(chart, 10, who(1), 1)
            } else {
                amended(chart, 10, who(1), version)
            }])
            .await;
    }
    // Blocks that were indexed are not read again.
    let proxy = Proxy::start(&chain.url).await;
    let lowest = Arc::new(AtomicU64::new(u64::MAX));
    let (seen, start) = (lowest.clone(), chain.deployment.start_block);
    proxy.rule(move |method, params| {
        let number = params[0]
            .as_str()
            .and_then(|n| n.strip_prefix("0x"))
            .and_then(|n| u64::from_str_radix(n, 16).ok());
        // The deployment's own block is looked at at each start, to see whether its hash can be recomputed.
        if let ("eth_getBlockByNumber", Some(number @ 1..)) = (method, number)
            && number != start
        {
            seen.fetch_min(number, Ordering::Relaxed);
        }
        Fate::Forward
    });
    let handle = index(&chain, &proxy.url, &db).await;
    caught_up(&handle, &chain).await;
    assert!(lowest.load(Ordering::Relaxed) >= chain.tip().await.0 - 1);
    handle.shutdown().await.unwrap();
    same_as_from_scratch(&chain, &db).await;
}

#[tokio::test]
async fn an_undecodable_log_stops_it_loudly_and_nothing_of_its_block_stays() {
    let chain = Chain::start().await;
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("index.db");
    let handle = index(&chain, &chain.url, &db).await;
    chain.records([opened(id(1), who(1))]).await;
    caught_up(&handle, &chain).await;
    let good = chain.tip().await;
    let strange = LogData::new_unchecked(vec![id(77)], vec![1, 2, 3].into());
    chain
        .log_in_one_block(&[
            (chain.deployment.records, opened(id(2), who(1))),
            (chain.deployment.records, strange),
        ])
        .await;

    let why = tokio::time::timeout(SOON, handle.failed()).await.unwrap();
    let expected = format!("cannot decode log 1 of block {}", good.0 + 1);
    assert!(why.contains(&expected) && why.contains(&id(77).to_string()), "{why}");
    let index = handle.index();
    let waited = index.wait_for_block(good.0 + 1, SOON).await;
    assert!(
        matches!(&waited, Err(IndexError::Stopped { why }) if why.contains(&expected)),
        "{waited:?}"
    );
    assert_eq!(index.head().await.unwrap().hash, good.1);
    assert_eq!(latest(&index).await.chart(id(2)).await.unwrap(), None);
    assert!(index.status().await.unwrap().stopped.unwrap().contains(&expected));
    assert!(format!("{:#}", handle.shutdown().await.unwrap_err()).contains(&expected));
}

#[tokio::test]
async fn another_chain_is_refused_at_the_start_and_later() {
    let chain = Chain::start().await;
    let folder = tempfile::tempdir().unwrap();
    let refused = async |change: fn(&mut medlock_indexer::Deployment)| {
        let mut deployment = chain.deployment;
        change(&mut deployment);
        let db = folder.path().join("never.db");
        let config = Config {
            endpoints: chain.url.as_str().into(),
            deployment,
            database: Database::Sqlite(db.clone()),
            poll_ms: POLL_MS,
        };
        let Err(error) = spawn(config).await else {
            panic!("started")
        };
        assert!(!db.exists());
        format!("{error:#}")
    };
    let why = refused(|d| d.chain_id += 1).await;
    assert!(why.contains("chain id"), "{why}");
    let why = refused(|d| d.genesis_hash = id(1)).await;
    assert!(why.contains("genesis block is") && why.contains("reset"), "{why}");
    let why = refused(|d| d.start_block = 1_000_000).await;
    assert!(why.contains("before the deployment's block 1000000"), "{why}");

    // The chain is reset and grows again, past where it was.
    let proxy = Proxy::start(&chain.url).await;
    chain.records([opened(id(1), who(1))]).await;
    let handle = index(&chain, &proxy.url, &folder.path().join("index.db")).await;
    caught_up(&handle, &chain).await;
    let other = Chain::start().await;
    other.mine(5).await;
    assert_ne!(other.deployment.genesis_hash, chain.deployment.genesis_hash);
    proxy.point_at(&other.url);
    let why = tokio::time::timeout(SOON, handle.failed()).await.unwrap();
    assert!(why.contains("genesis block is"), "{why}");
}

#[tokio::test]
async fn a_node_that_is_not_there_is_an_error_at_the_start_and_waited_for_later() {
    let chain = Chain::start().await;
    let folder = tempfile::tempdir().unwrap();
    let proxy = Proxy::start(&chain.url).await;
    let down = |_: &str, _: &serde_json::Value| Fate::Answer(503, json!({}));
    proxy.rule(down);
    let db = folder.path().join("index.db");
    let config = Config {
        endpoints: proxy.url.as_str().into(),
        deployment: chain.deployment,
        database: Database::Sqlite(db.clone()),
        poll_ms: POLL_MS,
    };
    let Err(error) = spawn(config).await else {
        panic!("started")
    };
    assert!(format!("{error:#}").contains("eth_chainId"), "{error:#}");

    proxy.rule(|_, _| Fate::Forward);
    let handle = index(&chain, &proxy.url, &db).await;
    caught_up(&handle, &chain).await;
    proxy.rule(down);
    trouble(&handle, "eth_getBlockByNumber").await;
    chain.records([opened(id(1), who(1))]).await;
    proxy.rule(|_, _| Fate::Forward);
    caught_up(&handle, &chain).await;
    assert!(latest(&handle.index()).await.chart(id(1)).await.unwrap().is_some());
    until("trouble is over", async || {
        handle.index().status().await.unwrap().trouble.is_none()
    })
    .await;
}

#[tokio::test]
async fn learns_the_range_that_a_provider_allows_and_bears_its_rate_limit() {
    let chain = Chain::start().await;
    chain.records([opened(id(1), who(1))]).await;
    chain.mine(400).await;
    chain.records([added(id(1), 10, who(1), 1)]).await;
    let proxy = Proxy::start(&chain.url).await;
    let (asked, refused) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let (asked_, refused_) = (asked.clone(), refused.clone());
    proxy.rule(move |method, params| {
        if asked_.fetch_add(1, Ordering::Relaxed) % 10 == 9 {
            return Fate::Answer(429, json!({}));
        }
        let bound = |key: &str| {
            params[0][key]
                .as_str()
                .and_then(|n| u64::from_str_radix(&n[2..], 16).ok())
        };
        match (method, bound("fromBlock"), bound("toBlock")) {
            ("eth_getLogs", Some(from), Some(to)) if to - from >= 100 => {
                refused_.fetch_add(1, Ordering::Relaxed);
                Fate::Answer(
                    200,
                    json!({ "error": { "code": -32005, "message": "range over 100 blocks" } }),
                )
            }
            _ => Fate::Forward,
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("index.db");
    let handle = index(&chain, &proxy.url, &db).await;
    caught_up(&handle, &chain).await;
    assert!((1..10).contains(&refused.load(Ordering::Relaxed)), "{refused:?}");
    handle.shutdown().await.unwrap();
    same_as_from_scratch(&chain, &db).await;
}

#[tokio::test]
async fn a_reorg_between_two_requests_mixes_nothing() {
    // The mischief happens at the n-th request after it is armed, at each that a step makes; near the tip and far back.
    for (distance, requests) in [(0, 8), (80, 9)] {
        for nth in 0..requests {
            let chain = Arc::new(Chain::start().await);
            let folder = tempfile::tempdir().unwrap();
            let db = folder.path().join("index.db");
            let proxy = Proxy::start(&chain.url).await;
            let handle = index(&chain, &proxy.url, &db).await;
            caught_up(&handle, &chain).await;
            // Nothing gets through while the first of two histories is made.
            proxy.rule(|_, _| Fate::Answer(503, json!({})));
            let fork = chain.snapshot().await;
            chain
                .records([opened(id(1), who(1)), added(id(1), 10, who(1), 1)])
                .await;
            chain.mine(distance).await;
            let (mischief, mut left) = (chain.clone(), nth);
            let done = Arc::new(AtomicU32::new(0));
            let done_ = done.clone();
            proxy.rule(move |_, _| {
                left -= 1;
                if left != -1 {
                    return Fate::Forward;
                }
                let (chain, fork, done) = (mischief.clone(), fork.clone(), done_.clone());
                Fate::ForwardAfter(Box::pin(async move {
                    chain.revert(&fork).await;
                    chain.mine(1).await;
                    chain.records([opened(id(2), who(2)), granted(id(2), who(1), 1)]).await;
                    chain.mine(distance).await;
                    done.fetch_add(1, Ordering::Relaxed);
                }))
            });
            until("the reorg is done", async || done.load(Ordering::Relaxed) == 1).await;
            caught_up(&handle, &chain).await;
            handle.shutdown().await.unwrap();
            same_as_from_scratch(&chain, &db).await;
        }
    }
}

#[tokio::test]
async fn answers_that_do_not_fit_are_not_believed_and_asked_for_until_they_do() {
    let chain = Chain::start().await;
    chain.records([opened(id(1), who(1))]).await;
    let proxy = Proxy::start(&chain.url).await;
    proxy.rule(|method, _| match method {
        "eth_getBlockReceipts" => Fate::Change(Box::new(|receipts| {
            for receipt in receipts.as_array_mut().unwrap() {
                for log in receipt["logs"].as_array_mut().unwrap() {
                    log["blockHash"] = json!(B256::repeat_byte(1));
                }
            }
        })),
        _ => Fate::Forward,
    });
    let folder = tempfile::tempdir().unwrap();
    let handle = index(&chain, &proxy.url, &folder.path().join("index.db")).await;
    trouble(&handle, "do not fit together").await;
    assert_eq!(handle.index().head().await.unwrap().number, 0);

    // The node restarts, and for a while its chain ends before our contracts.
    let genesis: serde_json::Value = chain
        .rpc
        .raw_request("eth_getBlockByNumber".into(), ("0x0", false))
        .await
        .unwrap();
    let restarted = move |method: &str, params: &serde_json::Value| match (method, params[0].as_str()) {
        ("eth_getBlockByNumber", Some("latest")) => Fate::Answer(200, json!({ "result": genesis.clone() })),
        _ => Fate::Forward,
    };
    proxy.rule(|_, _| Fate::Forward);
    caught_up(&handle, &chain).await;
    proxy.rule(restarted);
    trouble(&handle, "still syncing").await;
    proxy.rule(|_, _| Fate::Forward);
    caught_up(&handle, &chain).await;
    assert!(latest(&handle.index()).await.chart(id(1)).await.unwrap().is_some());
    until("trouble is over", async || {
        handle.index().status().await.unwrap().trouble.is_none()
    })
    .await;
}
