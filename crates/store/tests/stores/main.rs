//! The stores from outside: one contract for all kinds, against real IPFS nodes, and nodes that lie, hang and break.
mod contract;
mod daemon;
mod faults;
mod nodes;
mod replication;
mod stub;

use std::time::{Duration, Instant};

use medlock_dag::{Block, raw_block};
use medlock_store::{Kubo, KuboOptions, Store};

/// What takes longer than this has hung.
const DEADLINE: Duration = Duration::from_secs(30);

/// Bytes that do not repeat from chunk to chunk.
fn content(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|i| (i * 31 + i / 255 + i / 65_536) as u8).collect()
}

fn blocks(count: usize, salt: &str) -> Vec<Block> {
    (0..count)
        .map(|i| raw_block(format!("{salt} {i}").into_bytes()))
        .collect()
}

fn kubo(url: &str, timeout_ms: u64) -> Kubo {
    let options = KuboOptions {
        timeout: Duration::from_millis(timeout_ms),
        gc_timeout: Duration::from_millis(timeout_ms),
        ..KuboOptions::default()
    };
    Kubo::new(url, options).unwrap()
}

async fn assert_holds(store: &Store, blocks: &[Block]) {
    for block in blocks {
        assert_eq!(store.get(&block.cid).await.unwrap().as_ref(), Some(block));
        assert!(store.has(&block.cid).await.unwrap());
    }
}

async fn assert_lacks(store: &Store, blocks: &[Block]) {
    for block in blocks {
        assert_eq!(store.get(&block.cid).await.unwrap(), None);
        assert!(!store.has(&block.cid).await.unwrap());
    }
}

/// Waits until `condition` holds; fails after [`DEADLINE`].
async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !condition().await {
        assert!(begun.elapsed() < DEADLINE, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
