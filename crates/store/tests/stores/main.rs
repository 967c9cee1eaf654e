//! The stores from outside: one contract for all kinds, against real IPFS nodes, and nodes that lie, hang and break.
mod carried;
mod contract;
mod crash;
mod damage;
mod faults;
mod nodes;
mod replication;
mod stub;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, UNIX_EPOCH};

use medlock_dag::{Block, Cid, dag_cbor_block, raw_block};
use medlock_kubo_daemon::Daemon;
use medlock_store::{Embedded, Error, Kubo, KuboOptions, Store};

/// What takes longer than this has hung.
const DEADLINE: Duration = Duration::from_secs(30);
/// Long enough for a node on loopback on a busy machine, where a test is about something else.
const PATIENT_MS: u64 = 20_000;
/// Sets the seed of all randomness, to go after a failure that names it.
const SEED: &str = "MEDLOCK_SEED";

/// Bytes that do not repeat from chunk to chunk.
fn content(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|i| (i * 31 + i / 255 + i / 65_536) as u8).collect()
}

fn blocks(count: usize, salt: &str) -> Vec<Block> {
    (0..count)
        .map(|i| raw_block(format!("{salt} {i}").into_bytes()))
        .collect()
}

/// An envelope: dag-cbor that links to a payload.
fn envelope(payload: &Cid) -> Block {
    let cid = payload.to_bytes();
    dag_cbor_block([&b"\xa1\x67payload\xd8\x2a\x58"[..], &[cid.len() as u8 + 1, 0], &cid].concat())
}

/// The store in a node.
fn node(daemon: &Daemon) -> Kubo {
    Kubo::new(&daemon.url, KuboOptions::default()).unwrap()
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

/// Opens the store in `dir` once its lock is free.
async fn open_when_free(dir: &Path) -> Embedded {
    when_free(|| Embedded::open(dir)).await.unwrap()
}

/// Tries again while a store is locked: a test beside this one that starts a program shares our locks for a moment, and a
/// repair in the background holds on to its store.
async fn when_free<T>(mut open: impl FnMut() -> Result<T, Error>) -> Result<T, Error> {
    let mut result = open();
    until("the lock is free", async || {
        let free = !matches!(result, Err(Error::Locked { .. }));
        if !free {
            result = open();
        }
        free
    })
    .await;
    result
}

/// All files below `dir`.
fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] })
        .collect()
}

/// Numbers that look random (SplitMix64), the same for the same seed.
struct Random(u64);

impl Random {
    /// Another sequence each time. A test that fails shows how to have it again.
    fn fresh() -> Self {
        let seed = match std::env::var(SEED) {
            Ok(seed) => seed.parse().unwrap(),
            Err(_) => UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64,
        };
        println!("{SEED}={seed}");
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// Any time from none to all of `whole`.
    fn part_of(&mut self, whole: Duration) -> Duration {
        whole.mul_f64((self.next() >> 11) as f64 / (1_u64 << 53) as f64)
    }
}
