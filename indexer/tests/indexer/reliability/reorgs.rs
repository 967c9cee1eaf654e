//! Reorgs at random, with crashes between.
use super::{
    Took, discard, has_head,
    history::{DEPTH_MOST, History},
    is_exact,
    process::Process,
    soaks, times,
};
use crate::support::{
    chain::Chain,
    databases::Kind,
    proxy::{Fate, Proxy},
    until,
};
use alloy::primitives::U64;
use medlock_indexer::Index;
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

/// A node that is behind stays so for that many questions: longer than the indexer takes it for a lag.
const BEHIND_QUESTIONS: u32 = 10;
/// After so many reorgs the tables are compared; in a soak after each.
const REORGS_A_LOOK: usize = 10;
/// A crash in the middle comes at most so long after the reorg.
const CRASH_MOST: Duration = Duration::from_millis(100);

#[tokio::test]
async fn random_reorgs_with_crashes_between_are_followed_exactly_in_sqlite() {
    follows_reorgs(Kind::Sqlite, Chain::start().await, times(30, 1_000)).await;
}

#[tokio::test]
async fn random_reorgs_with_crashes_between_are_followed_exactly_in_postgres() {
    follows_reorgs(Kind::Postgres, Chain::start().await, times(30, 1_000)).await;
}

#[tokio::test]
async fn random_reorgs_of_foundrys_anvil_are_followed_exactly() {
    follows_reorgs(Kind::Sqlite, Chain::start_foundrys().await, times(9, 200)).await;
}

#[derive(Clone, Copy, Debug)]
enum Reorg {
    SameHeight,
    PlusOne,
    Deep,
    HeadGoesBack,
    TwiceOver,
    WhileKilled,
    KilledInTheMiddle,
    DuringBackfill,
    NodeBehind,
}

const REORGS: [Reorg; 9] = [
    Reorg::SameHeight,
    Reorg::PlusOne,
    Reorg::Deep,
    Reorg::HeadGoesBack,
    Reorg::TwiceOver,
    Reorg::WhileKilled,
    Reorg::KilledInTheMiddle,
    Reorg::DuringBackfill,
    Reorg::NodeBehind,
];

async fn follows_reorgs(kind: Kind, chain: Chain, reorgs: usize) {
    let mut history = History::on(chain, DEPTH_MOST + 20).await;
    // Between node and indexer only while the node is to seem behind.
    let proxy = Proxy::start(&history.chain.url).await;
    let direct = history.chain.url.clone();
    let folder = tempfile::tempdir().unwrap();
    let mut database = kind.fresh(folder.path(), "0");
    let mut process = Process::start(&history.chain, &direct, &database);
    process.at_work().await;
    has_head(&history.chain, &database).await;
    let mut index = Index::open(&database.parse().unwrap()).await.unwrap();
    let (mut running, mut crashed) = (Took::default(), Took::default());
    for nth in 1..=reorgs {
        // Each comes first once, in turn.
        let reorg = match REORGS.get(nth - 1) {
            Some(reorg) => *reorg,
            None => REORGS[history.dice.below(REORGS.len() as u64) as usize],
        };
        let most = if history.dice.one_in(4) { DEPTH_MOST } else { 6 };
        let depth = 1 + history.dice.below(most);
        let begun;
        let mut crash = true;
        match reorg {
            Reorg::SameHeight | Reorg::PlusOne | Reorg::Deep | Reorg::HeadGoesBack | Reorg::TwiceOver => {
                crash = false;
                match reorg {
                    Reorg::SameHeight => history.reorg(depth, depth).await,
                    Reorg::PlusOne => history.reorg(depth, depth + 1).await,
                    Reorg::Deep => {
                        let depth = DEPTH_MOST - history.dice.below(DEPTH_MOST / 2);
                        history.reorg(depth, depth + 1).await;
                    }
                    Reorg::HeadGoesBack => {
                        let blocks = history.dice.below(depth);
                        history.reorg(depth, blocks).await;
                    }
                    _ => {
                        for _ in 0..3 {
                            let depth = 1 + history.dice.below(depth);
                            history.reorg(depth, depth).await;
                        }
                    }
                }
                begun = Instant::now();
            }
            Reorg::WhileKilled => {
                process.kill().await;
                history.reorg(depth, depth + 1).await;
                begun = Instant::now();
                process = Process::start(&history.chain, &direct, &database);
            }
            Reorg::KilledInTheMiddle => {
                history.reorg(depth, depth + 1).await;
                // Not a wait for anything: the moment is what is tried.
                tokio::time::sleep(history.dice.part_of(CRASH_MOST)).await;
                process.kill().await;
                begun = Instant::now();
                process = Process::start(&history.chain, &direct, &database);
            }
            Reorg::DuringBackfill => {
                process.kill().await;
                index.close().await;
                discard(&database);
                database = kind.fresh(folder.path(), &nth.to_string());
                process = Process::start(&history.chain, &direct, &database);
                history.reorg(depth, depth + 1).await;
                process.at_work().await;
                begun = Instant::now();
                index = Index::open(&database.parse().unwrap()).await.unwrap();
            }
            Reorg::NodeBehind => {
                process.kill().await;
                process = Process::start(&history.chain, &proxy.url, &database);
                process.at_work().await;
                seem_behind(&proxy, &history.chain, depth).await;
                history.grow(1).await;
                proxy.rule(|_, _| Fate::Forward);
                begun = Instant::now();
            }
        }
        let tip = history.chain.tip().await;
        until("the index has the new head", async || {
            index.head().await.is_ok_and(|head| (head.number, head.hash) == tip)
        })
        .await;
        println!("{kind:?}: {reorg:?} of {depth}, head {}: {:?}", tip.0, begun.elapsed());
        if crash { &mut crashed } else { &mut running }.0.push(begun.elapsed());
        assert_eq!(process.told().stopped, None);
        if soaks() || nth % REORGS_A_LOOK == 0 || nth == reorgs {
            is_exact(&history.chain, &database).await;
        }
        if matches!(reorg, Reorg::NodeBehind) {
            process.kill().await;
            process = Process::start(&history.chain, &direct, &database);
        }
        // So that there is something to take back.
        history.grow((DEPTH_MOST + 20).saturating_sub(history.height())).await;
    }
    process.stop().await;
    running.show(&format!("{kind:?}: exact after a reorg"));
    crashed.show(&format!("{kind:?}: exact after a reorg and a crash, or a new start"));
}

/// For a while the node's newest block is `depth` below what it was, on the same chain.
async fn seem_behind(proxy: &Proxy, chain: &Chain, depth: u64) {
    let newest = chain
        .tip()
        .await
        .0
        .saturating_sub(depth)
        .max(chain.deployment.start_block);
    let block: Value =
        alloy::providers::Provider::raw_request(&chain.rpc, "eth_getBlockByNumber".into(), (U64::from(newest), false))
            .await
            .unwrap();
    let asked = Arc::new(AtomicU32::new(0));
    let asked_ = asked.clone();
    proxy.rule(move |method, params| {
        if method != "eth_getBlockByNumber" {
            return Fate::Forward;
        }
        let number = params[0].as_str().unwrap();
        let gone = number
            .strip_prefix("0x")
            .is_some_and(|number| u64::from_str_radix(number, 16).unwrap() > newest);
        match number {
            "latest" => {
                asked_.fetch_add(1, Ordering::Relaxed);
                Fate::Answer(200, json!({ "result": block.clone() }))
            }
            _ if gone => Fate::Answer(200, json!({ "result": null })),
            _ => Fate::Forward,
        }
    });
    until("the node was behind for a while", async || {
        asked.load(Ordering::Relaxed) >= BEHIND_QUESTIONS
    })
    .await;
}
