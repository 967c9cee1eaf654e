//! The indexer as it is used: by [`medlock_indexer::spawn`], from an empty database.

use std::time::{Duration, Instant};

use alloy::primitives::{Address, B256};
use anyhow::ensure;
use medlock_abi::records::IRecords::Question;
use medlock_indexer::{Config, Handle, Index};
use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};

use super::{
    chain::{Author, Chain},
    events::{self, GRANTED, GRANTS_OF_A_CHART},
};
use crate::{anvil::node::Peer, figure::per_second};

/// No chain here takes longer.
const DEADLINE: Duration = Duration::from_secs(1800);
/// A chain on the same machine is asked often.
const POLL_MS: u64 = 10;
/// Time between two blocks, where each is awaited.
const BLOCK_TIME: Duration = Duration::from_millis(100);
/// How often a reader looks for the new block: what is measured is at most this much too long.
const LOOK: Duration = Duration::from_millis(1);
const EVENTS_OF_A_BLOCK: u64 = 50;
/// Blocks whose latency does not count: connections are opened and statements prepared.
const WARM_UP: u64 = 10;

/// The one place that knows how the indexer is told what to index.
async fn spawn(chain: &Chain, database: &str) -> anyhow::Result<Handle> {
    medlock_indexer::spawn(Config {
        endpoints: chain.url.as_str().into(),
        deployment: chain.deployment(),
        database: database.parse()?,
        poll_ms: POLL_MS,
    })
    .await
}

/// A reader of what another value, or process, writes.
async fn open(database: &str) -> anyhow::Result<Index> {
    Ok(Index::open(&database.parse()?).await?)
}

/// Indexes the chain to its end.
pub async fn index(chain: &Chain, database: &str) -> anyhow::Result<Handle> {
    let handle = spawn(chain, database).await?;
    handle.wait_for_block(chain.last, DEADLINE).await?;
    Ok(handle)
}

/// Milliseconds from a mined block's answer until a reader sees the block, for each of `blocks` blocks.
pub async fn live(foundry: &Peer, database: &str, blocks: u64) -> anyhow::Result<Vec<f64>> {
    let mut author = Author::start(foundry)?;
    let handle = index(author.chain(), database).await?;
    let reader = open(database).await?;
    let mut block_time = interval(BLOCK_TIME);
    block_time.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut latencies = Vec::new();
    for block in 0..WARM_UP + blocks {
        block_time.tick().await;
        let first = block * EVENTS_OF_A_BLOCK;
        // The connection to the chain is a blocking one.
        author = tokio::task::spawn_blocking(move || {
            author.write((first..first + EVENTS_OF_A_BLOCK).map(events::mix))?;
            author.end_block().map(|()| author)
        })
        .await??;
        let mined = Instant::now();
        let mut look = interval(LOOK);
        while reader.head().await?.number < author.chain().last {
            ensure!(mined.elapsed() < DEADLINE, "a block does not appear");
            look.tick().await;
        }
        if block >= WARM_UP {
            latencies.push(mined.elapsed().as_secs_f64() * 1e3);
        }
    }
    reader.close().await;
    handle.shutdown().await?;
    Ok(latencies)
}

/// What many decisions took.
pub struct Decisions {
    pub a_second: f64,
    /// Milliseconds each.
    pub latencies: Vec<f64>,
}

/// `tasks` tasks at once make `each` decisions each about grants of all `charts` charts.
pub async fn decide(database: &str, charts: u64, tasks: u64, each: u64) -> anyhow::Result<Decisions> {
    let index = open(database).await?;
    // Connections are opened and statements prepared.
    for number in 0..tasks {
        index.decide(&question(charts, number), 0).await?;
    }
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)?
        .as_secs();
    // Made beforehand: to hash their names costs as much as to answer.
    let questions = |task| (0..each).map(move |number| question(charts, task * each + number));
    let asked: Vec<Vec<_>> = (0..tasks).map(|task| questions(task).collect()).collect();
    let begun = Instant::now();
    let mut running = JoinSet::new();
    for questions in asked {
        let index = index.clone();
        running.spawn(async move {
            let mut latencies = Vec::with_capacity(each as usize);
            for question in questions {
                let begun = Instant::now();
                let decision = index.decide(&question, now).await?;
                latencies.push(begun.elapsed().as_secs_f64() * 1e3);
                ensure!(decision.allowed, "refused for reason {}", decision.reason);
            }
            Ok(latencies)
        });
    }
    let mut latencies = Vec::new();
    while let Some(done) = running.join_next().await {
        latencies.extend(done??);
    }
    let a_second = per_second(latencies.len(), begun.elapsed());
    index.close().await;
    Ok(Decisions { a_second, latencies })
}

/// About a grant that exists; which one, jumps about.
fn question(charts: u64, number: u64) -> Question {
    // Knuth's multiplicative hash.
    let spread = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
    let (chart, grant) = (spread % charts, spread / charts % GRANTS_OF_A_CHART);
    let (compartment, purpose, action) = GRANTED;
    Question {
        chart: events::chart_id(chart),
        grantee: events::grantee(chart, grant),
        member: Address::ZERO,
        compartment,
        recordId: B256::ZERO,
        purpose,
        action,
    }
}
