//! A process that is killed at any moment loses nothing that it confirmed, and brings back nothing that it removed.
//!
//! The process is this test program again, started to run [`child::works_on_a_store_until_it_is_killed`] alone. It says
//! before each operation what it is about to do, and after it that it was confirmed; the [`Model`] of what must hold is
//! made of what it said.

mod child;
mod model;

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use medlock_dag::Block;
use medlock_store::{Embedded, Error, Replica, Replicated, Store};

use crate::{Random, assert_holds, blocks, files, node, open_when_free};
use child::Orders;
use medlock_kubo_daemon::Daemon;
use model::{Known, Model};

/// Kills of a process that works on folders, all lanes taken together.
const KILLS: usize = 1_000;
/// Kills of a process one of whose replicas is an IPFS node.
const KILLS_BESIDE_A_NODE: usize = 20;
/// Kills of the node itself.
const KILLS_OF_THE_NODE: usize = 5;
/// What a process does before it is killed at the latest, in lines that it says.
const LINES: usize = 20;
/// After so many kills the garbage is collected here, and what is left has to be exactly what is live.
const KILLS_A_SWEEP: usize = 10;
/// Bytes of a pack beside its blocks, and of its table for each of them (`pack.rs`).
const PACK_BYTES: u64 = 16 + 4 + 32;
const ENTRY_BYTES: u64 = 32 + 4;

#[test]
fn a_store_survives_a_kill_at_any_moment() {
    // For each lane: replicas, quorum.
    let lanes = [(1, 1), (1, 1), (2, 1), (2, 2)];
    let mut seeds = Random::fresh();
    thread::scope(|scope| {
        for (replicas, quorum) in lanes {
            let seed = seeds.next();
            scope.spawn(move || Lane::new(seed, replicas, quorum, None).survives(KILLS / lanes.len()));
        }
    });
}

#[test]
fn a_store_beside_an_ipfs_node_survives_a_kill_at_any_moment() {
    let daemon = Daemon::offline();
    Lane::new(Random::fresh().next(), 1, 2, Some(daemon)).survives(KILLS_BESIDE_A_NODE);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_killed_while_it_writes_keeps_what_it_confirmed() {
    const BATCH: usize = 40;
    let mut random = Random::fresh();
    let mut daemon = Daemon::offline();
    let mut confirmed = Vec::new();
    for kill in 0..KILLS_OF_THE_NODE {
        let store = Store::Kubo(node(&daemon));
        let begun = Instant::now();
        let calibration = blocks(BATCH, &format!("before kill {kill}"));
        store.put(calibration.clone()).await.unwrap();
        let put_took = begun.elapsed();
        confirmed.extend(calibration);

        let put = tokio::spawn(async move {
            let mut puts = Vec::new();
            for nth in 0.. {
                let batch = blocks(BATCH, &format!("kill {kill} put {nth}"));
                let outcome = store.put(batch.clone()).await;
                let failed = outcome.is_err();
                puts.push((batch, outcome));
                if failed {
                    break;
                }
            }
            puts
        });
        tokio::time::sleep(random.part_of(3 * put_took)).await;
        daemon.kill();
        let mut puts = put.await.unwrap();
        let (unconfirmed, error) = puts.pop().unwrap();
        assert!(
            matches!(error, Err(Error::Unreachable { .. } | Error::BadAnswer { .. })),
            "{error:?}"
        );
        confirmed.extend(puts.into_iter().flat_map(|(batch, _)| batch));

        daemon = daemon.restart();
        let store = Store::Kubo(node(&daemon));
        assert_holds(&store, &confirmed).await;
        for block in &unconfirmed {
            let got = store.get(&block.cid).await.unwrap();
            assert!(got.is_none_or(|got| got == *block));
        }
        // Nor was a pin lost that keeps them from being collected.
        daemon.repo.ipfs(&["repo", "gc", "--quiet"], b"");
        assert_holds(&store, &confirmed).await;
    }
}

/// One store that is worked on, killed and looked at, over and over.
struct Lane {
    random: Random,
    dirs: Vec<tempfile::TempDir>,
    node: Option<Daemon>,
    quorum: usize,
    model: Model,
}

impl Lane {
    fn new(seed: u64, folders: usize, quorum: usize, node: Option<Daemon>) -> Self {
        let ids = if node.is_some() { 60 } else { 300 };
        Self {
            random: Random(seed),
            dirs: (0..folders).map(|_| tempfile::tempdir().unwrap()).collect(),
            node,
            quorum,
            model: Model::new(ids),
        }
    }

    fn survives(&mut self, kills: usize) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let run = self.how_long_a_run_takes();
        let mut in_between = 0;
        for kill in 1..=kills {
            let mut child = self.start();
            // Not a wait for anything: the moment is what is tried.
            thread::sleep(self.random.part_of(run));
            in_between += usize::from(self.kill(&mut child));
            runtime.block_on(async {
                self.settle().await;
                self.check(kill % KILLS_A_SWEEP == 0).await;
            });
        }
        // Or else it was killed while it did nothing, and this has shown nothing.
        assert!(in_between > kills / 3, "{in_between} of {kills}");
    }

    /// How long a process takes for as much as it may do, from its start. It is killed then.
    fn how_long_a_run_takes(&mut self) -> Duration {
        let begun = Instant::now();
        let mut child = self.start();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        for _ in 0..LINES {
            let mut line = String::new();
            assert!(stdout.read_line(&mut line).unwrap() > 0, "the process ended by itself");
            self.model.hear(&line);
        }
        let run = begun.elapsed();
        child.kill().unwrap();
        child.wait().unwrap();
        let mut rest = String::new();
        stdout.read_to_string(&mut rest).unwrap();
        self.model.hear(&rest);
        run
    }

    fn start(&mut self) -> Child {
        let orders = Orders {
            seed: self.random.next(),
            ids: self.model.ids(),
            quorum: self.quorum,
            node: self.node.as_ref().map(|node| node.url.clone()),
            dirs: self.dirs.iter().map(|dir| dir.path().to_owned()).collect(),
        };
        Command::new(env::current_exe().unwrap())
            .args(["--exact", child::NAME, "--nocapture", "--test-threads=1"])
            .env(child::ORDERS, orders.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Kills it, and takes down what it said: whether it was in the middle of something.
    fn kill(&mut self, child: &mut Child) -> bool {
        // Process::kill is SIGKILL.
        child.kill().unwrap();
        let status = child.wait().unwrap();
        assert_eq!(status.signal(), Some(9), "the process ended by itself");
        let mut said = String::new();
        child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
        self.model.hear(&said)
    }

    /// Waits until the node is done with what it was asked for before.
    async fn settle(&self) {
        if let Some(node) = &self.node {
            crate::until("the node is idle", async || {
                let commands = node.repo.ipfs(&["diag", "cmds"], b"");
                // This command is running itself.
                commands.lines().filter(|line| line.contains("true")).count() <= 1
            })
            .await;
        }
    }

    /// Opens what is left, and looks at all of it.
    async fn check(&mut self, sweep: bool) {
        let folders = self.folders().await;
        let replicas = self.replicas(&folders);
        self.model.assert_holds(&replicas, self.quorum).await;
        for (dir, folder) in self.dirs.iter().zip(&folders) {
            assert_disk_holds_what_is_there(dir.path(), folder, &self.model.blocks).await;
        }
        if !sweep {
            return;
        }
        let live = self.model.all(Known::Present);
        let roots = live.iter().map(|id| self.model.blocks[*id].cid);
        let swept = store(replicas.clone(), self.quorum)
            .begin_gc()
            .unwrap()
            .sweep(roots)
            .await
            .unwrap();
        assert_eq!((swept.live, swept.failed), (live.len(), vec![]));
        self.model.swept();
        self.model.assert_holds(&replicas, self.quorum).await;
        for (dir, folder) in self.dirs.iter().zip(&folders) {
            assert_disk_holds_what_is_there(dir.path(), folder, &self.model.blocks).await;
        }
    }

    async fn folders(&self) -> Vec<Embedded> {
        let mut folders = Vec::new();
        for dir in &self.dirs {
            let folder = open_when_free(dir.path()).await;
            let left = fs::read_dir(dir.path().join("tmp")).unwrap().count();
            assert_eq!(left, 0, "unfinished packs are left");
            folders.push(folder);
        }
        folders
    }

    fn replicas(&self, folders: &[Embedded]) -> Vec<Replica> {
        let folders = folders.iter().cloned().map(Replica::from);
        folders
            .chain(self.node.as_ref().map(|daemon| node(daemon).into()))
            .collect()
    }
}

/// The store that is made of `replicas`; of one alone, itself.
fn store(mut replicas: Vec<Replica>, quorum: usize) -> Store {
    match (replicas.len(), replicas.pop()) {
        (1, Some(Replica::Embedded(store))) => Store::Embedded(store),
        (_, last) => {
            replicas.extend(last);
            Store::Replicated(Replicated::new(replicas, quorum).unwrap())
        }
    }
}

/// No byte more is on disk than the blocks that can be read, and the tables that list them.
async fn assert_disk_holds_what_is_there(dir: &Path, folder: &Embedded, blocks: &[Block]) {
    let mut expected = 0;
    for block in blocks {
        if folder.has(&block.cid).await.unwrap() {
            expected += block.bytes.len() as u64 + ENTRY_BYTES;
        }
    }
    let packs = files(&dir.join("packs"));
    expected += packs.len() as u64 * PACK_BYTES;
    let bytes = |path: &PathBuf| fs::metadata(path).unwrap().len();
    assert_eq!(packs.iter().map(bytes).sum::<u64>(), expected);
}
