//! A chain as a process.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use medlock_anvil::CHAIN_ID;
use serde_json::json;

use crate::http::Connection;
use crate::machine::memory_bytes;

/// A chain that does not answer by then never will.
const START_TIMEOUT: Duration = Duration::from_secs(20);
/// How long to wait before trying again whether a chain answers.
const POLL: Duration = Duration::from_millis(1);
/// Where npm puts Foundry's anvil itself, below the tools' folder; the file in `.bin` is a script around it, which
/// would be measured too.
const FOUNDRY_PACKAGES: &str = "node/node_modules/@foundry-rs";

/// How both are told to wait for `evm_mine`.
const NO_MINING: &str = "--no-mining";

/// One of the two programs.
pub struct Peer {
    name: &'static str,
    program: PathBuf,
    arguments: &'static [&'static str],
}

/// A running chain. Dropping it kills it.
pub struct Node {
    child: Child,
    address: SocketAddr,
    /// The process's home: Foundry's keeps old states there, which nobody else deletes once it is killed.
    _home: tempfile::TempDir,
    /// From the start of the process to the first answer.
    pub started_in: Duration,
}

impl Peer {
    /// Our chain, built beside this program.
    pub fn medlock() -> anyhow::Result<Self> {
        let program = std::env::current_exe()
            .context("find this program")?
            .with_file_name("medlock-anvil");
        ensure!(
            program.is_file(),
            "{} is missing: cargo build -p medlock-anvil, with this program's profile",
            program.display()
        );
        Ok(Self {
            name: "medlock-anvil",
            program,
            arguments: &["--quiet"],
        })
    }

    /// Foundry's, from npm.
    pub fn foundry(tools: &Path) -> anyhow::Result<Self> {
        let packages = tools.join(FOUNDRY_PACKAGES);
        let program = std::fs::read_dir(&packages)
            .with_context(|| format!("{}: run tools/setup-node.sh", packages.display()))?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| {
                path.file_name()
                    .is_some_and(|name| name.to_string_lossy().starts_with("anvil-"))
            })
            .map(|path| path.join("bin/anvil"))
            .find(|path| path.is_file())
            .with_context(|| format!("no anvil in {}: run tools/setup-node.sh", packages.display()))?;
        Ok(Self {
            name: super::FOUNDRY,
            program,
            // A block of its own limit would end batches early; everything else is as it comes.
            arguments: &["--silent", "--gas-limit", "1000000000000"],
        })
    }

    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The first line of `--version`.
    pub fn version(&self) -> anyhow::Result<String> {
        let output = Command::new(&self.program).arg("--version").output();
        let output = output.with_context(|| format!("run {}", self.program.display()))?;
        let text = String::from_utf8_lossy(&output.stdout);
        Ok(text.lines().next().unwrap_or_default().to_owned())
    }

    /// Starts a new chain in memory and waits for its first answer.
    pub fn start(&self, automine: bool) -> anyhow::Result<Node> {
        let address = free_address()?;
        let home = tempfile::tempdir().context("make a home for the chain")?;
        let mut command = Command::new(&self.program);
        command
            .env("HOME", home.path())
            .args(self.arguments)
            .args(["--port", &address.port().to_string()])
            .args(["--chain-id", &CHAIN_ID.to_string()])
            .args((!automine).then_some(NO_MINING))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let start = Instant::now();
        let child = command
            .spawn()
            .with_context(|| format!("start {}", self.program.display()))?;
        let mut node = Node {
            child,
            address,
            _home: home,
            started_in: Duration::ZERO,
        };
        while !node.answers() {
            ensure!(start.elapsed() < START_TIMEOUT, "{} does not answer", self.name);
            if let Some(status) = node.child.try_wait().context("look at the chain")? {
                anyhow::bail!("{} ended with {status}", self.name);
            }
            std::thread::sleep(POLL);
        }
        node.started_in = start.elapsed();
        Ok(node)
    }
}

impl Node {
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn connect(&self) -> anyhow::Result<Connection> {
        Connection::open(self.address)
    }

    /// Bytes of memory that the process holds.
    pub fn resident_bytes(&self) -> anyhow::Result<u64> {
        memory_bytes(self.child.id(), "VmRSS")
    }

    fn answers(&self) -> bool {
        let asked = self
            .connect()
            .and_then(|mut connection| connection.call::<String>("eth_chainId", json!([])));
        asked.is_ok()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // Either fails only if the process has already ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Free when asked for; whoever takes it first has it. Foundry's anvil says nowhere which port it took by itself.
fn free_address() -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("find a free port")?;
    listener.local_addr().context("find a free port")
}
