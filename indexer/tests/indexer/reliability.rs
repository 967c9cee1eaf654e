//! What the indexer must bear: kills, reorgs, a database that goes away or is full, and others like itself.
//!
//! Each test runs at a small size, and with [`SOAK`] set at up to its full one. What is compared in the end is always the
//! same: every row of every table with those of a new index of the same chain.
mod disk;
mod history;
mod killed;
mod process;
mod reorgs;
mod restarts;
mod standby;
mod stops;

use crate::support::{
    POLL_MS, SOON, caught_up,
    chain::Chain,
    databases::{KINDS, Kind},
    dump::dump,
    index, until,
};
use medlock_indexer::{Config, Handle, Index, spawn};
use medlock_postgres_server::Server;
use std::time::{Duration, UNIX_EPOCH};

/// How many per cent of the full size to run; `make soak` says 100.
const SOAK: &str = "MEDLOCK_SOAK";
/// Sets the seed of all randomness, to go after a failure that names it.
const SEED: &str = "MEDLOCK_SEED";

/// How often something is tried: `few` times, or as many as a soak asks for.
fn times(few: usize, full: usize) -> usize {
    match std::env::var(SOAK) {
        Ok(percent) => few.max(full * percent.parse::<usize>().expect("per cent") / 100),
        Err(_) => few,
    }
}

/// Whether to look as closely as one can.
fn soaks() -> bool {
    std::env::var_os(SOAK).is_some()
}

fn config(chain: &Chain, url: &str, database: &str) -> Config {
    Config {
        endpoints: url.into(),
        deployment: chain.deployment,
        database: database.parse().unwrap(),
        poll_ms: POLL_MS,
    }
}

async fn start(chain: &Chain, url: &str, database: &str) -> Handle {
    spawn(config(chain, url, database)).await.unwrap()
}

/// Waits until another process's index has the chain's head.
async fn has_head(chain: &Chain, database: &str) {
    let (_, tip) = chain.tip().await;
    let index = Index::open(&database.parse().unwrap()).await.unwrap();
    until("the index has the chain's head", async || {
        index.head().await.is_ok_and(|head| head.hash == tip)
    })
    .await;
    index.close().await;
}

/// The tables equal those that a new index of the same chain gets.
async fn is_exact(chain: &Chain, database: &str) {
    let folder = tempfile::tempdir().unwrap();
    let fresh = folder.path().join("fresh.db");
    let handle = index(chain, &chain.url, &fresh).await;
    caught_up(&handle, chain).await;
    handle.shutdown().await.unwrap();
    let (found, expected) = (dump(database).await, dump(&fresh.display().to_string()).await);
    let first = found.iter().zip(&expected).find(|(found, expected)| found != expected);
    assert!(
        found == expected,
        "{} rows, not {}; the first that differs: {first:#?}",
        found.len(),
        expected.len()
    );
}

/// Removes a database of `Kind::fresh` that is done with: a soak makes hundreds.
fn discard(database: &str) {
    if database.starts_with("postgres://") {
        Server::shared().remove(database);
    }
}

/// Numbers that look random (SplitMix64), the same for the same seed.
struct Dice(u64);

impl Dice {
    /// Another sequence each time. A test that fails shows how to have it again.
    fn fresh() -> Self {
        let seed = match std::env::var(SEED) {
            Ok(seed) => seed.parse().unwrap(),
            Err(_) => u64::try_from(UNIX_EPOCH.elapsed().unwrap().as_nanos()).unwrap(),
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

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    /// Any time from none to all of `whole`.
    fn part_of(&mut self, whole: Duration) -> Duration {
        whole.mul_f64((self.next() >> 11) as f64 / (1_u64 << 53) as f64)
    }
}

/// How long something took each time. Shown, and not judged but by the deadline of every wait: the machine is shared.
#[derive(Default)]
struct Took(Vec<Duration>);

impl Took {
    fn show(mut self, what: &str) {
        self.0.sort();
        let at = |percent: usize| self.0[(self.0.len() - 1) * percent / 100];
        println!(
            "{what}: {} times, median {:?}, p99 {:?}, most {:?}",
            self.0.len(),
            at(50),
            at(99),
            at(100)
        );
    }
}
