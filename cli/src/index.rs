//! `medlock index`: follows the chain and tells how it gets on; and asks an index that somebody keeps.

use std::{collections::VecDeque, io::IsTerminal, process::ExitCode, sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use medlock_client::now;
use medlock_indexer::{Config, Database, Deployment, Endpoints, Finality, Handle, Index, Progress, Rebuild};
use serde_json::json;
use tokio::{
    sync::watch,
    time::{Instant, MissedTickBehavior, interval},
};

use crate::{
    args::{FollowArgs, Global, IndexArgs, IndexCommand},
    dev,
    output::{Output, exit, time},
    services::Stop,
};

/// How often the pipeline is looked at, and the bar drawn.
const LOOK: Duration = Duration::from_millis(250);
/// How often a line is written while the index is behind; rates are of so long, too.
const TELL: Duration = Duration::from_secs(10);
/// Differences that are named in JSON; all are counted.
const NAMED_MOST: usize = 1_000;
/// The index is behind from so many blocks on; a block or two is what every look finds at the tip.
const BEHIND_BLOCKS: u64 = 64;

/// A database from its name. Whatever is wrong with it, a password is not repeated.
pub fn database(name: &str) -> anyhow::Result<Database> {
    name.parse()
        .ok()
        .context("--db is neither a file nor a postgres:// URL that can be read")
}

impl FollowArgs {
    pub fn config(&self, nodes: Vec<String>, deployment: Deployment, database: Database) -> Config {
        Config {
            endpoints: Endpoints {
                quorum: self.rpc_quorum,
                every_header: self.every_header,
                ..Endpoints::new(nodes)
            },
            deployment,
            database,
            poll_ms: self.poll_ms,
        }
    }
}

pub async fn index(global: &Global, out: Output, args: &IndexArgs) -> anyhow::Result<ExitCode> {
    match &args.command {
        None => run(global, out, args).await,
        Some(IndexCommand::Status { lag_most }) => status(out, &database(&args.db)?, *lag_most).await,
        Some(IndexCommand::Verify { block }) => verify(global, out, &database(&args.db)?, *block).await,
    }
}

async fn run(global: &Global, out: Output, args: &IndexArgs) -> anyhow::Result<ExitCode> {
    let mut stop = Stop::new()?;
    let database = database(&args.db)?;
    let run = &args.run;
    let deployment = dev::indexed(&global.deployment()?);
    let config = run.follow.config(global.nodes()?, deployment, database.clone());
    let mut teller = Teller::new(out);
    if !run.from_genesis {
        let handle = stop.unless(medlock_indexer::spawn(config)).await?;
        let (_index, server) = watched(&handle, args).await?;
        say(out, &handle, &database, server.as_ref())?;
        return follow(handle, &mut teller, &mut stop).await;
    }
    let rebuild = stop.unless(Rebuild::start(config)).await?;
    let (index, server) = watched(rebuild.handle(), args).await?;
    say(out, rebuild.handle(), &database, server.as_ref())?;
    let caught_up = tokio::select! {
        () = stop.wait() => None,
        outcome = rebuild.handle().caught_up() => Some(outcome),
        never = teller.watch(rebuild.handle()) => match never {},
    };
    let handle = match caught_up {
        // What is there so far is left: of PostgreSQL it goes on from there, of SQLite the old index stays.
        None => {
            rebuild.abandon().await?;
            return Ok(ExitCode::SUCCESS);
        }
        Some(Err(why)) => return Err(stopped(&why)),
        Some(Ok(())) => tokio::select! {
            () = stop.wait() => return Ok(ExitCode::SUCCESS),
            handle = rebuild.finish() => handle?,
        },
    };
    index.send_replace(handle.index());
    tracing::info!("{database} is built anew");
    follow(handle, &mut teller, &mut stop).await
}

/// The index for whoever watches it, and the server that does, if one is wanted.
async fn watched(
    handle: &Handle,
    args: &IndexArgs,
) -> anyhow::Result<(watch::Sender<Index>, Option<medlock_indexer::Server>)> {
    let (sender, index) = watch::channel(handle.index());
    let server = match args.run.metrics {
        Some(listen) => Some(medlock_indexer::serve(listen, index, args.run.ready_lag).await?),
        None => None,
    };
    Ok((sender, server))
}

fn say(
    out: Output,
    handle: &Handle,
    database: &Database,
    server: Option<&medlock_indexer::Server>,
) -> anyhow::Result<()> {
    let nodes: Vec<String> = handle.progress().endpoints.into_iter().map(|node| node.label).collect();
    let metrics = server.map(|server| format!("http://{}/metrics", server.addr()));
    let value = json!({ "rpc": nodes, "db": database.to_string(), "metrics": metrics });
    out.say(value, || {
        let metrics = metrics.map_or_else(String::new, |url| format!(" Metrics: {url}."));
        format!(
            "Indexing {} into {database}.{metrics} Stop with Ctrl-C.",
            nodes.join(", ")
        )
    })
}

/// Until it is to stop, or stops.
async fn follow(handle: Handle, teller: &mut Teller, stop: &mut Stop) -> anyhow::Result<ExitCode> {
    let failed = tokio::select! {
        () = stop.wait() => None,
        why = handle.failed() => Some(why),
        never = teller.watch(&handle) => match never {},
    };
    teller.bar.finish_and_clear();
    match failed {
        None => {
            handle.shutdown().await?;
            Ok(ExitCode::SUCCESS)
        }
        Some(why) => Err(stopped(&why)),
    }
}

fn stopped(why: &Arc<str>) -> anyhow::Error {
    anyhow::anyhow!("the indexer stopped: {why}")
}

/// Tells how the pipeline gets on: with a bar on a terminal while it is behind, else in lines of the log.
struct Teller {
    bar: ProgressBar,
    on_terminal: bool,
    /// Of the last [`TELL`]: when, blocks, events.
    window: VecDeque<(Instant, u64, u64)>,
    told: Option<Instant>,
    behind: bool,
    last: Option<Progress>,
}

enum Never {}

impl Teller {
    fn new(out: Output) -> Self {
        let style = ProgressStyle::with_template("  {bar:32} {pos}/{len} {msg}");
        Self {
            bar: ProgressBar::hidden().with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())),
            on_terminal: !out.json && std::io::stderr().is_terminal(),
            window: VecDeque::new(),
            told: None,
            behind: true,
            last: None,
        }
    }

    async fn watch(&mut self, handle: &Handle) -> Never {
        // Another pipeline counts anew.
        self.window.clear();
        self.last = None;
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = look.tick() => {}
                // However short the life of this process, it says so.
                Ok(()) = handle.caught_up(), if self.behind => {}
            }
            self.look(handle.progress());
        }
    }

    fn look(&mut self, now: Progress) {
        let at = Instant::now();
        self.window.push_back((at, now.counters.blocks, now.counters.events));
        while self.window.len() > 2 && self.window.front().is_some_and(|(then, ..)| at - *then > TELL) {
            self.window.pop_front();
        }
        let last = self.last.replace(now.clone());
        for line in last.iter().flat_map(|last| changes(last, &now)) {
            self.bar.suspend(|| tracing::info!("{line}"));
        }
        if now.standby || now.chain_head == 0 {
            return;
        }
        let lag = now.chain_head.saturating_sub(now.indexed);
        if lag == 0 && self.behind {
            self.behind = false;
            self.bar.finish_and_clear();
            let events = now.counters.events;
            tracing::info!(
                "caught up at block {}; {events} events indexed since the start",
                now.indexed
            );
        }
        if lag > BEHIND_BLOCKS && !self.behind {
            self.behind = true;
            self.bar.reset();
        }
        // One look has no rate.
        if self.behind && self.window.len() > 1 {
            self.tell(&now, lag, at);
        }
    }

    fn tell(&mut self, now: &Progress, lag: u64, at: Instant) {
        let first = self.window.front().copied().unwrap_or((at, 0, 0));
        let rates = rates(
            at - first.0,
            now.counters.blocks - first.1,
            now.counters.events - first.2,
            lag,
        );
        if self.on_terminal {
            if self.bar.is_hidden() {
                let target = indicatif::ProgressDrawTarget::stderr();
                self.bar.set_draw_target(target);
            }
            self.bar.set_length(now.chain_head);
            self.bar.set_position(now.indexed);
            self.bar.set_message(rates);
        } else if self.told.is_none_or(|told| at - told >= TELL) {
            self.told = Some(at);
            tracing::info!("block {} of {}, {lag} behind: {rates}", now.indexed, now.chain_head);
        }
    }
}

/// What happened between two looks. That trouble begins is the pipeline's to say.
fn changes(last: &Progress, now: &Progress) -> Vec<String> {
    let mut lines = Vec::new();
    let reorgs = now.counters.reorgs - last.counters.reorgs;
    if reorgs > 0 {
        let deepest = now.counters.reorg_deepest;
        lines.push(format!(
            "{reorgs} reorg(s) followed, now at block {}; the deepest so far took back {deepest} blocks",
            now.indexed
        ));
    }
    if let (Some(trouble), None) = (&last.trouble, &now.trouble) {
        lines.push(format!("the trouble has passed: {trouble}"));
    }
    match (last.standby, now.standby) {
        (false, true) => lines.push("another process writes to the database; standing by".into()),
        (true, false) => lines.push("the other process has ended; this one writes now".into()),
        _ => {}
    }
    lines
}

/// Of what was done within `took`, with `lag` blocks to go.
fn rates(took: Duration, blocks: u64, events: u64, lag: u64) -> String {
    let seconds = took.as_secs_f64();
    let rate = |count: u64| if seconds > 0.0 { count as f64 / seconds } else { 0.0 };
    let left = match rate(blocks) {
        rate if rate > 0.0 => {
            let left = Duration::from_secs((lag as f64 / rate) as u64);
            format!("{} left", humantime::format_duration(left))
        }
        _ => "no block in the last seconds".into(),
    };
    format!("{:.0} blocks/s, {:.0} events/s, {left}", rate(blocks), rate(events))
}

async fn status(out: Output, database: &Database, lag_most: Option<u64>) -> anyhow::Result<ExitCode> {
    let index = Index::open(database).await?;
    let (deployment, status) = (index.deployment().await?, index.status().await?);
    let counts = index.latest().await?.statistics().await?;
    index.close().await;
    let head = status.head;
    let finality = match head.finality {
        Finality::Latest => "latest",
        Finality::Safe => "safe",
        Finality::Finalized => "finalized",
    };
    let contracts = [
        ("registry", deployment.registry),
        ("records", deployment.records),
        ("exceptions", deployment.exceptions),
        ("relay", deployment.relay),
        ("audit", deployment.audit),
        ("claims", deployment.claims),
        ("supply", deployment.supply),
        ("trials", deployment.trials),
    ];
    let numbers = [
        ("events", counts.events),
        ("charts", counts.charts),
        ("records", counts.records),
        ("amendments", counts.amendments),
        ("grants", counts.grants),
        ("credentials", counts.credentials),
        ("keys", counts.keys),
        ("anchors", counts.anchors),
        ("receipts", counts.receipts),
    ];
    let value = json!({
        "db": database.to_string(),
        "head": { "number": head.number, "hash": head.hash, "time": head.time, "finality": finality },
        "chain_head": status.chain_head,
        "lag_blocks": status.lag_blocks,
        "counts": serde_json::Map::from_iter(numbers.map(|(name, count)| (name.to_owned(), count.into()))),
        "deployment": {
            "chain_id": deployment.chain_id,
            "genesis_hash": deployment.genesis_hash,
            "start_block": deployment.start_block,
            "contracts": serde_json::Map::from_iter(contracts.map(|(name, at)| (name.to_owned(), json!(at)))),
        },
    });
    out.say(value, || {
        let age = Duration::from_secs(now().saturating_sub(head.time));
        let mut text = format!(
            "{database}\n\
             block            {} ({finality})\n\
             hash             {}\n\
             time             {} ({} ago)\n\
             chain head       {}, as last noted: {} behind\n\
             chain            {}, from block {}\n",
            head.number,
            head.hash,
            time(head.time),
            humantime::format_duration(age),
            status.chain_head,
            status.lag_blocks,
            deployment.chain_id,
            deployment.start_block,
        );
        for (name, address) in contracts {
            text += &format!("{name:<15}  {address}\n");
        }
        for (name, count) in numbers {
            text += &format!("{:<15}  {count}\n", name.replace('_', " "));
        }
        text
    })?;
    let lags = lag_most.is_some_and(|most| status.lag_blocks > most);
    Ok(if lags {
        ExitCode::from(exit::LAGS)
    } else {
        ExitCode::SUCCESS
    })
}

async fn verify(global: &Global, out: Output, database: &Database, block: Option<u64>) -> anyhow::Result<ExitCode> {
    let deployment = dev::indexed(&global.deployment()?);
    let index = Index::open(database).await?;
    let indexed = index.deployment().await?;
    index.close().await;
    ensure!(
        indexed == deployment,
        "{database} mirrors another deployment: {indexed:?}, not {deployment:?}"
    );
    let endpoints = Endpoints::new(global.nodes()?);
    let mut named = Vec::new();
    let verified = medlock_indexer::verify(database, &endpoints, deployment, block, |difference| {
        if !out.json {
            println!("{difference}");
        } else if named.len() < NAMED_MOST {
            named.push(json!({
                "table": difference.table,
                "key": difference.key,
                "column": difference.column,
                "in_index": difference.in_index,
                "on_chain": difference.on_chain,
            }));
        }
    });
    let verified = verified.await?;
    let block = verified.block;
    let value = json!({
        "db": database.to_string(),
        "block": { "number": block.number, "hash": block.hash },
        "compared": verified.things,
        "differences": verified.differences,
        "named": named,
    });
    out.say(value, || {
        let (things, number, hash) = (verified.things, block.number, block.hash);
        match verified.differences {
            0 => format!("{things} things compared at block {number} {hash}: index and contracts hold the same."),
            differences => format!("{things} things compared at block {number} {hash}: {differences} differences."),
        }
    })?;
    Ok(match verified.differences {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::from(exit::TAMPERED),
    })
}
