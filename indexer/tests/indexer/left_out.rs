//! Nodes that answer "no logs" for a block whose header they serve already.
use crate::support::{
    POLL_MS, caught_up,
    chain::Chain,
    event::{added, granted, id, opened, who},
    index, latest,
    proxy::{Asked, Fate, Proxy},
    same_as_from_scratch, trouble, until,
};
use alloy::primitives::{Address, B256, Bloom, BloomInput, IntoLogData, LogData, U256, keccak256};
use medlock_abi::{records::IRecords, registry::IRegistry};
use medlock_indexer::{Config, Database, Endpoints, Handle, spawn};
use serde_json::{Value, json};
use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

/// A chart with a grant that the newest block revokes; the index has all but that block.
struct Revoking {
    chain: Chain,
    proxy: Proxy,
    handle: Handle,
    db: PathBuf,
    before: u64,
    revoked_in: B256,
    _folder: tempfile::TempDir,
}

impl Revoking {
    async fn start() -> Self {
        Self::start_with(|_, _| Fate::Forward).await
    }

    async fn start_with(rule: impl FnMut(&str, &Value) -> Fate + Send + 'static) -> Self {
        let chain = Chain::start().await;
        let proxy = Proxy::start(&chain.url).await;
        proxy.rule(rule);
        let folder = tempfile::tempdir().unwrap();
        let db = folder.path().join("index.db");
        chain.records([opened(id(1), who(1)), granted(id(1), who(2), 8)]).await;
        let handle = index(&chain, &proxy.url, &db).await;
        caught_up(&handle, &chain).await;
        let before = chain.tip().await.0;
        // Nothing gets through until the test has its rule.
        proxy.rule(|_, _| Fate::Answer(503, json!({})));
        let revoked = IRecords::Revoked {
            chart: id(1),
            grantee: who(2),
        };
        chain
            .log_in_one_block(&[
                (chain.deployment.records, revoked.into_log_data()),
                (chain.deployment.registry, issuer_set()),
            ])
            .await;
        let revoked_in = chain.tip().await.1;
        Self {
            chain,
            proxy,
            handle,
            db,
            before,
            revoked_in,
            _folder: folder,
        }
    }

    /// Waits for the revocation, and compares everything.
    async fn seen(self) {
        caught_up(&self.handle, &self.chain).await;
        assert_eq!(
            latest(&self.handle.index()).await.grant(id(1), who(2)).await.unwrap(),
            None
        );
        self.handle.shutdown().await.unwrap();
        same_as_from_scratch(&self.chain, &self.db).await;
    }

    async fn still_before(&self) {
        assert_eq!(self.handle.index().head().await.unwrap().number, self.before);
    }
}

#[tokio::test]
async fn logs_that_come_late_are_asked_for_again() {
    let revoking = Revoking::start_with(without_receipts).await;
    let logs = Arc::new(AtomicU32::new(0));
    let asked = logs.clone();
    revoking.proxy.rule(move |method, params| match method {
        "eth_getLogs" if asked.fetch_add(1, Ordering::Relaxed) == 0 => Fate::Answer(200, json!({ "result": [] })),
        "eth_getBlockReceipts" => panic!("asked for receipts that the node is known not to serve"),
        _ => without_receipts(method, params),
    });
    revoking.seen().await;
    assert_eq!(logs.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn logs_that_never_come_are_taken_from_the_receipts() {
    // All logs of the block, or one contract's.
    for one in [false, true] {
        // The node is taken for one without receipts, and has them in the end.
        let revoking = Revoking::start_with(without_receipts).await;
        let spared = one.then_some(revoking.chain.deployment.registry);
        revoking.proxy.rule(leaving_out(revoking.revoked_in, spared));
        revoking.seen().await;
    }
}

#[tokio::test]
async fn without_whole_receipts_it_waits_rather_than_skip_the_block() {
    let revoking = Revoking::start().await;
    let mut logs = leaving_out(revoking.revoked_in, None);
    revoking.proxy.rule(move |method, params| match method {
        "eth_getBlockReceipts" => {
            Fate::Answer(200, json!({ "error": { "code": -32601, "message": "no such method" } }))
        }
        _ => logs(method, params),
    });
    trouble(&revoking.handle, "to settle it, eth_getBlockReceipts").await;
    revoking.still_before().await;

    let mut logs = leaving_out(revoking.revoked_in, None);
    revoking.proxy.rule(move |method, params| match method {
        "eth_getBlockReceipts" => Fate::Change(Box::new(|receipts| {
            let receipts = receipts.as_array_mut().unwrap();
            assert_eq!(receipts.len(), 2);
            receipts.pop();
        })),
        _ => logs(method, params),
    });
    trouble(&revoking.handle, "are not those that its header tells of").await;
    revoking.still_before().await;

    revoking.proxy.rule(leaving_out(revoking.revoked_in, None));
    revoking.seen().await;
}

#[tokio::test]
async fn a_header_without_its_bloom_is_not_believed() {
    let revoking = Revoking::start().await;
    revoking.proxy.rule(|method, _| match method {
        "eth_getBlockByNumber" => Fate::Change(Box::new(|header| header["logsBloom"] = json!(Bloom::ZERO))),
        _ => Fate::Forward,
    });
    trouble(&revoking.handle, "is not what its hash").await;
    revoking.still_before().await;
    revoking.proxy.rule(|_, _| Fate::Forward);
    revoking.seen().await;
}

#[tokio::test]
async fn a_bloom_that_has_our_contract_by_chance_is_settled_by_the_receipts() {
    let chain = Chain::start().await;
    let proxy = Proxy::start(&chain.url).await;
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("index.db");
    let handle = index(&chain, &proxy.url, &db).await;
    caught_up(&handle, &chain).await;
    let stranger = chain.stranger().await;
    let topics = covering(chain.deployment.records);
    chain.log(stranger, LogData::new_unchecked(topics, vec![].into())).await;
    let number = format!("{:#x}", chain.tip().await.0);
    chain.records([opened(id(1), who(1))]).await;
    caught_up(&handle, &chain).await;
    let settles = |asked: &&Asked| asked.method == "eth_getBlockReceipts" && asked.params[0] == json!(number);
    assert_eq!(proxy.asked().iter().filter(settles).count(), 1);
    handle.shutdown().await.unwrap();
    same_as_from_scratch(&chain, &db).await;
}

#[tokio::test]
async fn a_range_is_checked_where_its_headers_are_read() {
    let chain = Chain::start().await;
    chain.records([opened(id(1), who(1))]).await;
    chain
        .log_in_one_block(&[
            (chain.deployment.records, added(id(1), 10, who(1), 3)),
            (chain.deployment.registry, issuer_set()),
        ])
        .await;
    let both = chain.tip().await.1;
    // Far beyond the newest blocks that are read one by one.
    chain.mine(100).await;
    let proxy = Proxy::start(&chain.url).await;
    let (records, ranges) = (chain.deployment.records, Arc::new(AtomicU32::new(0)));
    let ranges_ = ranges.clone();
    proxy.rule(move |method, params| {
        if method != "eth_getLogs" || params[0]["fromBlock"].is_null() {
            return Fate::Forward;
        }
        let ranges = ranges_.clone();
        Fate::Change(Box::new(move |logs| {
            // The chart's opening, the block's only log, stays; of the block with both contracts' logs one goes.
            let is_ours = |log: &Value| log["address"] == json!(records) && log["blockHash"] == json!(both);
            if let Some(one) = logs.as_array().unwrap().iter().position(is_ours) {
                logs.as_array_mut().unwrap().remove(one);
                ranges.fetch_add(1, Ordering::Relaxed);
            }
        }))
    });
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("index.db");
    let handle = index(&chain, &proxy.url, &db).await;
    until("all is indexed", async || {
        handle.index().head().await.unwrap().hash == chain.tip().await.1
    })
    .await;
    assert_eq!(ranges.load(Ordering::Relaxed), 1);
    handle.shutdown().await.unwrap();
    same_as_from_scratch(&chain, &db).await;
}

#[tokio::test]
async fn old_logs_that_are_all_left_out_are_found_by_headers() {
    let chain = Chain::start().await;
    for n in 0..60 {
        chain.records([opened(id(n), who(1))]).await;
    }
    let hidden_one = chain.tip().await.1;
    chain.mine(100).await;
    // Of one block where every header is read; of nearly all where a few are.
    for (every_header, hidden) in [(true, Some(hidden_one)), (false, None)] {
        let proxy = Proxy::start(&chain.url).await;
        let left_out = Arc::new(AtomicU32::new(0));
        let left_out_ = left_out.clone();
        proxy.rule(move |method, params| {
            if method != "eth_getLogs" || params[0]["fromBlock"].is_null() {
                return Fate::Forward;
            }
            let left_out = left_out_.clone();
            Fate::Change(Box::new(move |logs| {
                let logs = logs.as_array_mut().unwrap();
                let all = logs.len();
                logs.retain(|log| hidden.is_some_and(|hidden| log["blockHash"] != json!(hidden)));
                left_out.fetch_add((all - logs.len()) as u32, Ordering::Relaxed);
            }))
        });
        let folder = tempfile::tempdir().unwrap();
        let db = folder.path().join("index.db");
        let config = Config {
            endpoints: Endpoints {
                every_header,
                ..Endpoints::one(&proxy.url)
            },
            deployment: chain.deployment,
            database: Database::Sqlite(db.clone()),
            poll_ms: POLL_MS,
        };
        let handle = spawn(config).await.unwrap();
        caught_up(&handle, &chain).await;
        assert!(left_out.load(Ordering::Relaxed) > 0);
        handle.shutdown().await.unwrap();
        same_as_from_scratch(&chain, &db).await;
    }
}

fn without_receipts(method: &str, _: &Value) -> Fate {
    match method {
        "eth_getBlockReceipts" => {
            Fate::Answer(200, json!({ "error": { "code": -32601, "message": "no such method" } }))
        }
        _ => Fate::Forward,
    }
}

/// A node that never gives the logs of `block`, but for those of `spared`.
fn leaving_out(block: B256, spared: Option<Address>) -> impl FnMut(&str, &Value) -> Fate + Send + 'static {
    move |method, params| {
        if method == "eth_getLogs" && params[0]["blockHash"] == json!(block) {
            Fate::Change(Box::new(move |logs| {
                let logs = logs.as_array_mut().unwrap();
                assert_eq!(logs.len(), 2);
                logs.retain(|log| spared.is_some_and(|spared| log["address"] == json!(spared)));
            }))
        } else {
            Fate::Forward
        }
    }
}

/// Topics whose bits in a bloom have all those of `contract`.
fn covering(contract: Address) -> Vec<B256> {
    let bloom = |of: &[u8]| Bloom::from(BloomInput::Raw(of));
    let mut left = bloom(contract.as_slice());
    let mut topics = Vec::new();
    for seed in 0.. {
        let topic = keccak256(U256::from(seed).to_be_bytes::<32>());
        let covered = left & bloom(topic.as_slice());
        if covered != Bloom::ZERO {
            left ^= covered;
            topics.push(topic);
        }
        if left == Bloom::ZERO {
            break;
        }
    }
    topics
}

fn issuer_set() -> LogData {
    IRegistry::IssuerSet {
        issuer: who(9),
        number: 1,
        epoch: 1,
        active: true,
    }
    .into_log_data()
}
