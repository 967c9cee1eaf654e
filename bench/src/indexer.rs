//! The indexer beside a bare loop, on one chain with the same events: into SQLite and PostgreSQL, from an empty database to the
//! chain's end, start-up counted. Then how soon a new block is seen, and what a decision costs among many grants.
//!
//! The chain is Foundry's anvil, PostgreSQL syncs what it commits. Ours and the bare loop each index in a process of their own,
//! in turns, and a round counts only if every event is in the database.

use std::{
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context, ensure};
use clap::{Args, ValueEnum};
use medlock_postgres_server::{Server, Settings};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::{Connection as _, PgConnection, SqliteConnection};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::{
    anvil::node::Peer,
    figure::{Better, Figure, Target, per_second, print_limit, quantile},
    machine,
};
use chain::{Author, Chain};

mod bare;
pub mod chain;
pub mod events;
pub mod ours;
mod peers;

const BARE: &str = "bare loop";
const BLOCKS: u64 = 2_000;
/// From so many events on, the start-up no longer counts and the higher targets hold.
const LONG_EVENTS: u64 = 500_000;
const BARE_TARGET: Target = Target::Ratio(0.6);
const CPU_TARGET: Target = Target::Value(5.0);
const PEAK_TARGET: Target = Target::Value(100.0);
const LIVE_TARGET: Target = Target::Value(50.0);
const LIVE_BLOCKS: u64 = 200;
const DECIDE_TARGET: Target = Target::Value(1.0);
const GROWTH_TARGET: Target = Target::Value(1.5);
/// Charts whose grants a decision is one of; each has [`events::GRANTS_OF_A_CHART`].
const CHARTS: [u64; 2] = [100, 10_000];
const CHARTS_OF_A_BLOCK: u64 = 20;
/// Decisions of a round.
const DECISIONS: u64 = 40_000;
/// Tasks that decide at once: enough to be limited by the machine, or one for each core, to see how long one takes.
const MANY_TASKS: u64 = 16;
const FEW_TASKS: u64 = 2;

#[derive(Args)]
pub struct Options {
    /// What to measure; everything if nothing is named
    #[arg(value_enum)]
    what: Vec<What>,
    /// Rounds of each figure; the latency of blocks is measured once
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Events of a chain, over 2,000 blocks; may be given several times
    #[arg(long, default_values_t = [100_000, LONG_EVENTS])]
    events: Vec<u64>,
    /// Where to; both if none is named
    #[arg(long, value_enum)]
    database: Vec<Kind>,
    /// Other indexers too, from npm, where the chain is not long: once each
    #[arg(long)]
    peers: bool,
    /// Where the set-up scripts put the tools
    #[arg(long, default_value = ".tools")]
    tools: PathBuf,
    /// Only index, and say what it took (for the process that measures)
    #[arg(long, hide = true)]
    job: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    /// From an empty database to the chain's end
    Backfill,
    /// From a block to its rows
    Live,
    /// May this party see this?
    Decide,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    Sqlite,
    Postgres,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Way {
    Bare,
    Ours,
}

/// What a process is to do.
#[derive(Serialize, Deserialize)]
struct Job {
    way: Way,
    chain: Chain,
    database: String,
}

/// What it took.
#[derive(Serialize, Deserialize)]
struct Spent {
    cpu_s: f64,
    peak_mib: f64,
}

struct Round {
    events_a_second: f64,
    cpu_us: f64,
    peak_mib: f64,
}

/// One of the figures of a round.
struct Compared {
    name: &'static str,
    unit: &'static str,
    better: Better,
    of: fn(&Round) -> f64,
}

impl Compared {
    /// Speed, processor time, memory.
    const ALL: [Self; 3] = [
        Self {
            name: "index",
            unit: "events/s",
            better: Better::Higher,
            of: |round| round.events_a_second,
        },
        Self {
            name: "processor time to index",
            unit: "us/event",
            better: Better::Lower,
            of: |round| round.cpu_us,
        },
        Self {
            name: "peak memory to index",
            unit: "MiB",
            better: Better::Lower,
            of: |round| round.peak_mib,
        },
    ];

    fn print(
        &self,
        what: &str,
        target: Option<Target>,
        ours: &[Round],
        peer: Option<(&'static str, &[Round])>,
    ) -> anyhow::Result<()> {
        let all = |rounds: &[Round]| rounds.iter().map(self.of).collect::<Vec<_>>();
        Figure {
            name: format!("{} {what}", self.name),
            unit: self.unit,
            better: self.better,
            target,
            medlock: all(ours),
            peer: peer.map(|(name, rounds)| (name, all(rounds))),
        }
        .print()
    }
}

/// Measures and prints.
///
/// # Errors
/// A tool is missing, or not every event was indexed.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let runtime = Runtime::new()?;
    if let Some(job) = &options.job {
        return runtime.block_on(work(&serde_json::from_str(job)?));
    }
    let bench = Bench {
        runtime,
        foundry: Peer::foundry(&options.tools)?,
        databases: Databases::start()?,
        rounds: options.rounds,
        peers: options.peers,
        kinds: all_if_none(&options.database),
    };
    println!(
        "{}",
        json!({ "machine": machine::describe(), "chain": bench.foundry.version()?, "postgresql": bench.databases.version()? })
    );
    for what in all_if_none(&options.what) {
        eprintln!("measuring {what:?}");
        match what {
            What::Backfill => options.events.iter().try_for_each(|events| bench.backfill(*events))?,
            What::Live => bench.live()?,
            What::Decide => bench.decide()?,
        }
    }
    Ok(())
}

pub fn all_if_none<T: ValueEnum + Clone>(named: &[T]) -> Vec<T> {
    if named.is_empty() { T::value_variants() } else { named }.to_vec()
}

struct Bench {
    runtime: Runtime,
    foundry: Peer,
    databases: Databases,
    rounds: usize,
    peers: bool,
    kinds: Vec<Kind>,
}

impl Bench {
    fn backfill(&self, events: u64) -> anyhow::Result<()> {
        let author = Author::fill(&self.foundry, BLOCKS, events, events::mix)?;
        let chain = author.chain();
        let rounds =
            |of: fn(&Chain) -> anyhow::Result<f64>| (0..self.rounds).map(|_| of(chain)).collect::<Result<Vec<_>, _>>();
        print_limit(
            &format!("fetch {events} events"),
            "events/s",
            &rounds(bare::fetch_alone)?,
        )?;
        print_limit(
            &format!("decode {events} events"),
            "events/s",
            &rounds(bare::decode_alone)?,
        )?;
        for kind in &self.kinds {
            let (mut ours, mut bare) = (Vec::new(), Vec::new());
            for round in 0..self.rounds {
                // Each goes first every other time.
                let mut ways = [Way::Ours, Way::Bare];
                ways.rotate_left(round % 2);
                for way in ways {
                    let measured = self.index(way, chain, *kind)?;
                    eprintln!(
                        "{kind:?}, round {round}, {way:?}: {:.0} events/s",
                        measured.events_a_second
                    );
                    match way {
                        Way::Ours => ours.push(measured),
                        Way::Bare => bare.push(measured),
                    }
                }
            }
            let target = match (kind, events >= LONG_EVENTS) {
                (Kind::Sqlite, false) => 80_000.0,
                (Kind::Sqlite, true) => 120_000.0,
                (Kind::Postgres, false) => 75_000.0,
                (Kind::Postgres, true) => 110_000.0,
            };
            let [speed, cpu, peak] = Compared::ALL;
            let what = format!("{events} events into {kind:?}");
            speed.print(&what, Some(Target::Value(target)), &ours, None)?;
            speed.print(&what, Some(BARE_TARGET), &ours, Some((BARE, &bare)))?;
            cpu.print(&what, Some(CPU_TARGET), &ours, Some((BARE, &bare)))?;
            peak.print(&what, Some(PEAK_TARGET), &ours, Some((BARE, &bare)))?;
            if self.peers && *kind == Kind::Postgres && events < LONG_EVENTS {
                self.beside_peers(chain, &what, &ours)?;
            }
        }
        Ok(())
    }

    fn beside_peers(&self, chain: &Chain, what: &str, ours: &[Round]) -> anyhow::Result<()> {
        for peer in &peers::PEERS {
            let database = self.databases.create(Kind::Postgres)?;
            let theirs = peer.index(&self.runtime, chain, &database)?;
            self.databases.remove(&database)?;
            for compared in Compared::ALL {
                compared.print(what, None, ours, Some((peer.name, std::slice::from_ref(&theirs))))?;
            }
        }
        Ok(())
    }

    /// Has a new process index the chain into a new database.
    fn index(&self, way: Way, chain: &Chain, kind: Kind) -> anyhow::Result<Round> {
        let database = self.databases.create(kind)?;
        let job = serde_json::to_string(&Job {
            way,
            chain: chain.clone(),
            database: database.clone(),
        })?;
        let begun = Instant::now();
        let mut child = Command::new(std::env::current_exe()?)
            .args(["indexer", "--job", &job])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("start the process that is measured")?;
        let mut said = String::new();
        BufReader::new(child.stdout.take().context("its output")?).read_line(&mut said)?;
        let elapsed = begun.elapsed();
        let mut errors = String::new();
        child.stderr.take().context("its errors")?.read_to_string(&mut errors)?;
        ensure!(child.wait()?.success(), "{way:?}: {errors}");
        let spent: Spent = serde_json::from_str(&said).with_context(|| format!("{way:?} said {said:?}"))?;
        let indexed = self.runtime.block_on(count(&database))?;
        ensure!(indexed == chain.events, "{way:?}: {indexed} of {} events", chain.events);
        self.databases.remove(&database)?;
        Ok(Round {
            events_a_second: per_second(chain.events as usize, elapsed),
            cpu_us: spent.cpu_s * 1e6 / chain.events as f64,
            peak_mib: spent.peak_mib,
        })
    }

    fn live(&self) -> anyhow::Result<()> {
        for kind in &self.kinds {
            let database = self.databases.create(*kind)?;
            let latencies = self
                .runtime
                .block_on(ours::live(&self.foundry, &database, LIVE_BLOCKS))?;
            for (name, at, target) in [("median", 0.5, None), ("p99", 0.99, Some(LIVE_TARGET))] {
                Figure {
                    name: format!(
                        "from a mined block of 50 events to a reader of {kind:?}, {name} of {LIVE_BLOCKS} blocks"
                    ),
                    unit: "ms",
                    better: Better::Lower,
                    target,
                    medlock: vec![quantile(&latencies, at)],
                    peer: None,
                }
                .print()?;
            }
        }
        Ok(())
    }

    fn decide(&self) -> anyhow::Result<()> {
        for kind in &self.kinds {
            let mut rates = Vec::new();
            for charts in CHARTS {
                rates.push(self.decide_among(*kind, charts)?);
            }
            // The same question costs one over the rate.
            let growth = rates[0].iter().zip(&rates[1]).map(|(few, many)| few / many);
            Figure {
                name: format!(
                    "cost of a decision among {} grants in {kind:?}, over that among {}",
                    CHARTS[1] * events::GRANTS_OF_A_CHART,
                    CHARTS[0] * events::GRANTS_OF_A_CHART
                ),
                unit: "times",
                better: Better::Lower,
                target: Some(GROWTH_TARGET),
                medlock: growth.collect(),
                peer: None,
            }
            .print()?;
        }
        Ok(())
    }

    /// Decisions a second, round by round.
    fn decide_among(&self, kind: Kind, charts: u64) -> anyhow::Result<Vec<f64>> {
        let blocks = charts / CHARTS_OF_A_BLOCK;
        let author = Author::fill(&self.foundry, blocks, charts * events::EVENTS_OF_GRANTS, events::grants)?;
        let database = self.databases.create(kind)?;
        let handle = self.runtime.block_on(ours::index(author.chain(), &database))?;
        // The chain's memory and processor time are wanted elsewhere; it grows no more.
        self.runtime.block_on(handle.shutdown())?;
        drop(author);
        let (mut rates, mut medians, mut p99s) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..self.rounds {
            let round = |tasks| {
                self.runtime
                    .block_on(ours::decide(&database, charts, tasks, DECISIONS / tasks))
            };
            rates.push(round(MANY_TASKS)?.a_second);
            let latencies = round(FEW_TASKS)?.latencies;
            medians.push(quantile(&latencies, 0.5));
            p99s.push(quantile(&latencies, 0.99));
        }
        self.databases.remove(&database)?;
        let grants = charts * events::GRANTS_OF_A_CHART;
        let least = match kind {
            Kind::Sqlite => Target::Value(50_000.0),
            Kind::Postgres => Target::Value(10_000.0),
        };
        for (name, unit, better, target, medlock) in [
            (
                format!("by {MANY_TASKS} tasks"),
                "decisions/s",
                Better::Higher,
                Some(least),
                &rates,
            ),
            (
                format!("by {FEW_TASKS} tasks, median"),
                "ms",
                Better::Lower,
                None,
                &medians,
            ),
            (
                format!("by {FEW_TASKS} tasks, p99"),
                "ms",
                Better::Lower,
                Some(DECIDE_TARGET),
                &p99s,
            ),
        ] {
            Figure {
                name: format!("decide among {grants} grants in {kind:?} {name}"),
                unit,
                better,
                target,
                medlock: medlock.clone(),
                peer: None,
            }
            .print()?;
        }
        Ok(rates)
    }
}

/// In the process that is measured: says what it took as soon as the chain's end is in the database.
async fn work(job: &Job) -> anyhow::Result<()> {
    let handle = match job.way {
        Way::Bare => {
            bare::index(&job.chain, &job.database).await?;
            None
        }
        Way::Ours => Some(ours::index(&job.chain, &job.database).await?),
    };
    let spent = Spent {
        cpu_s: machine::processor_s(std::process::id())?,
        peak_mib: machine::peak_mib(std::process::id())?,
    };
    println!("{}", serde_json::to_string(&spent)?);
    match handle {
        Some(handle) => handle.shutdown().await,
        None => Ok(()),
    }
}

/// Where to index to: a server and a folder of our own.
pub struct Databases {
    server: Server,
    dir: TempDir,
}

impl Databases {
    pub fn start() -> anyhow::Result<Self> {
        Ok(Self {
            server: Server::start_with(Settings { durable: true }),
            dir: tempfile::tempdir()?,
        })
    }

    pub fn version(&self) -> anyhow::Result<String> {
        self.server.version().context("PostgreSQL's version")
    }

    /// What is no longer looked at; a long chain takes some gigabytes.
    pub fn remove(&self, database: &str) -> anyhow::Result<()> {
        if is_postgres(database) {
            self.server.remove(database);
            return Ok(());
        }
        let dir = Path::new(database).parent().context("its folder")?;
        Ok(std::fs::remove_dir_all(dir)?)
    }

    /// A new, empty one: a path or a URL.
    pub fn create(&self, kind: Kind) -> anyhow::Result<String> {
        match kind {
            Kind::Postgres => Ok(self.server.create()),
            Kind::Sqlite => {
                let dir = tempfile::tempdir_in(self.dir.path())?.keep();
                Ok(dir.join("index.db").display().to_string())
            }
        }
    }
}

fn is_postgres(database: &str) -> bool {
    database.starts_with("postgres://")
}

/// Events in a database.
async fn count(database: &str) -> anyhow::Result<u64> {
    const COUNT: &str = "SELECT count(*) FROM event";
    let count: i64 = if is_postgres(database) {
        let mut connection = PgConnection::connect(database).await?;
        sqlx::query_scalar(COUNT).fetch_one(&mut connection).await?
    } else {
        let mut connection = SqliteConnection::connect(database).await?;
        sqlx::query_scalar(COUNT).fetch_one(&mut connection).await?
    };
    Ok(count.cast_unsigned())
}
