//! The process that is killed.

use std::fmt;
use std::io::Write as _;
use std::path::PathBuf;

use medlock_dag::{BLOCK_BYTES_MAX, Block, Cid, raw_block};
use medlock_store::{Replica, Store};

use super::store;
use crate::{PATIENT_MS, Random, kubo, open_when_free};

/// This test's own name, and the variable that tells it what to work on.
pub const NAME: &str = "crash::child::works_on_a_store_until_it_is_killed";
pub const ORDERS: &str = "MEDLOCK_CRASH_ORDERS";

/// Blocks of two MiB: enough for a batch of two packs. They are the first ids.
const LARGE: usize = 9;

/// What to work on, as one line.
pub struct Orders {
    pub seed: u64,
    pub ids: usize,
    pub quorum: usize,
    pub node: Option<String>,
    pub dirs: Vec<PathBuf>,
}

impl fmt::Display for Orders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let node = self.node.as_deref().unwrap_or("-");
        write!(f, "{}\t{}\t{}\t{node}", self.seed, self.ids, self.quorum)?;
        self.dirs.iter().try_for_each(|dir| write!(f, "\t{}", dir.display()))
    }
}

impl Orders {
    fn of(line: &str) -> Self {
        let mut fields = line.split('\t');
        let mut next = || fields.next().expect("orders of four fields and folders");
        Self {
            seed: next().parse().unwrap(),
            ids: next().parse().unwrap(),
            quorum: next().parse().unwrap(),
            node: Some(next()).filter(|node| *node != "-").map(str::to_owned),
            dirs: fields.map(PathBuf::from).collect(),
        }
    }
}

/// Block number `id`, always the same, of a size of its own.
pub fn block(id: usize) -> Block {
    let bytes = if id < LARGE {
        BLOCK_BYTES_MAX
    } else {
        8 + id * id % 5_000
    };
    let mut content = vec![id as u8; bytes];
    content[..8].copy_from_slice(&id.to_be_bytes());
    raw_block(content)
}

/// Nothing to show by itself: it is started by the tests beside it.
#[test]
fn works_on_a_store_until_it_is_killed() {
    let Ok(orders) = std::env::var(ORDERS) else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(work(&Orders::of(&orders)));
}

async fn work(orders: &Orders) {
    let mut replicas = Vec::<Replica>::new();
    for dir in &orders.dirs {
        // Another test's new process may hold a copy of the lock for a moment.
        replicas.push(open_when_free(dir).await.into());
    }
    replicas.extend(orders.node.iter().map(|url| kubo(url, PATIENT_MS).into()));
    let store = store(replicas, orders.quorum);
    let mut random = Random(orders.seed);
    // What the test harness said before may have left a line open.
    say("\nopen", &[]);
    loop {
        operate(&store, orders, &mut random).await;
    }
}

async fn operate(store: &Store, orders: &Orders, random: &mut Random) {
    // Large blocks are slow to write and slow to check: seldom, and never beside a node.
    if orders.node.is_none() && random.below(200) == 0 {
        return put(store, &(0..LARGE).collect::<Vec<_>>()).await;
    }
    let mut some = |count: usize| {
        let count = 1 + random.below(count);
        (0..count)
            .map(|_| LARGE + random.below(orders.ids - LARGE))
            .collect::<Vec<_>>()
    };
    let (a, mut b, c) = (some(20), some(10), some(10));
    match random.below(10) {
        0..3 => put(store, &a).await,
        3..5 => {
            // A large one now and then, so that a large pack is written anew.
            b.push(random.below(LARGE));
            remove(store, &b).await;
        }
        5..8 => {
            b.retain(|id| !a.contains(id));
            futures::join!(put(store, &a), remove(store, &b));
        }
        8 => futures::join!(put(store, &a), put(store, &c)).0,
        _ => {
            say("gc", &[]);
            let gc = store.begin_gc().unwrap();
            put(store, &a).await;
            let keep = (LARGE..orders.ids).filter(|_| random.below(4) > 0).collect::<Vec<_>>();
            let roots = keep.iter().map(|id| block(*id).cid).collect::<Vec<Cid>>();
            let sweep = async {
                say("begin sweep", &keep);
                let swept = gc.sweep(roots).await.unwrap();
                assert_eq!(swept.failed, []);
                say("done sweep", &keep);
            };
            futures::join!(sweep, put(store, &c));
        }
    }
}

async fn put(store: &Store, ids: &[usize]) {
    say("begin put", ids);
    store.put(ids.iter().map(|id| block(*id)).collect()).await.unwrap();
    say("done put", ids);
}

async fn remove(store: &Store, ids: &[usize]) {
    say("begin remove", ids);
    let cids = ids.iter().map(|id| block(*id).cid).collect();
    assert_eq!(store.remove(cids).await.unwrap().unconfirmed, []);
    say("done remove", ids);
}

/// One line in one write: whole, or not at all.
fn say(what: &str, ids: &[usize]) {
    let ids = ids.iter().map(|id| format!(" {id}")).collect::<String>();
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(format!("{what}{ids}\n").as_bytes()).unwrap();
    stdout.flush().unwrap();
}
