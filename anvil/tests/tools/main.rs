//! Tools that nobody here wrote, unchanged, as processes of their own against the chain: `cargo stylus`, `cast`,
//! `forge`, ethers and viem. `tools/setup-node.sh --tests` and `tools/setup-cargo-stylus.sh` install them.

mod cargo_stylus;
mod cast;
mod forge;
mod javascript;

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use alloy::primitives::{Address, B256, hex};
use medlock_anvil::{Config, Handle, spawn};
use medlock_deploy::{Artifact, Artifacts, Links, artifacts::DEFAULT_DIR};
use serde_json::Value;
use tokio::process::Command;

/// A tool that answers from what it has; a machine full of other work is allowed for.
const QUICK: Duration = Duration::from_secs(300);
/// A tool that compiles first, perhaps after others that hold cargo's lock.
const COMPILES: Duration = Duration::from_secs(1_200);

/// The chain, and a folder for what the tools write.
struct World {
    chain: Handle,
    dir: tempfile::TempDir,
    /// Where alice's key is.
    key_file: String,
}

impl World {
    async fn start() -> Self {
        let chain = spawn(Config::default()).await.unwrap();
        let dir = tempfile::tempdir().unwrap();
        let key_file = dir.path().join("alice.key");
        std::fs::write(&key_file, hex::encode(chain.accounts()[0].signer.to_bytes())).unwrap();
        Self {
            chain,
            key_file: key_file.into_os_string().into_string().unwrap(),
            dir,
        }
    }

    fn address(&self, account: usize) -> Address {
        self.chain.accounts()[account].signer.address()
    }

    /// The private key as tools take it.
    fn key(&self, account: usize) -> String {
        hex::encode_prefixed(self.chain.accounts()[account].signer.to_bytes())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A tool of the npm packages, which finds the chain by `ETH_RPC_URL`.
    fn npm_tool(&self, name: &str) -> Command {
        let path = tools().join("node/node_modules/.bin").join(name);
        assert!(
            path.exists(),
            "{} is missing: run tools/setup-node.sh --tests",
            path.display()
        );
        let mut command = Command::new(path);
        command
            .env("ETH_RPC_URL", self.chain.url())
            .current_dir(self.dir.path());
        // Its own settings may stand above the folder where the tests run, or in the user's environment.
        command
            .env("FOUNDRY_DISABLE_NIGHTLY_WARNING", "1")
            .env_remove("ETH_FROM");
        command
    }

    /// What `cast ARGS` prints, trimmed.
    async fn cast<A: AsRef<str>>(&self, args: impl AsRef<[A]>) -> String {
        let mut command = self.npm_tool("cast");
        command.args(args.as_ref().iter().map(AsRef::as_ref));
        succeeds(command, QUICK).await.trim().to_owned()
    }

    /// What `cast ARGS --json` prints.
    async fn cast_json<A: AsRef<str>>(&self, args: impl AsRef<[A]>) -> Value {
        let mut command = self.npm_tool("cast");
        command.args(args.as_ref().iter().map(AsRef::as_ref)).arg("--json");
        let text = succeeds(command, QUICK).await;
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// The receipt of `cast send ARGS` by an account; the transaction must have succeeded.
    async fn cast_send<A: AsRef<str>>(&self, account: usize, args: impl AsRef<[A]>) -> Value {
        let key = self.key(account);
        let mut all = vec!["send", "--private-key", &key];
        all.extend(args.as_ref().iter().map(AsRef::as_ref));
        let receipt = self.cast_json(all).await;
        assert_eq!(receipt["status"], "0x1", "{receipt}");
        receipt
    }

    /// Deploys and activates the registry as our recipe built it, with nothing but `cast`.
    /// The registry, owned by Alice, and the code that it was created with.
    async fn registry_by_cast(&self) -> (String, Vec<u8>) {
        let alice = self.address(0);
        let artifacts = Artifacts::load(root().join(DEFAULT_DIR)).expect("run `make contracts`");
        let Artifact { code, .. } = artifacts.registry.link(&Links::foresee(alice, 0, alice)).unwrap();
        let init = format!(
            "0x7f{:064x}80602b6000396000f300{}",
            code.len(),
            hex::encode(code.as_slice())
        );
        let receipt = self.cast_send(0, ["--create", &init]).await;
        let registry = receipt["contractAddress"].as_str().unwrap().to_owned();
        let activate = [ARB_WASM, "activateProgram(address)", &registry, "--value", "1ether"];
        self.cast_send(0, activate).await;
        (registry, code)
    }
}

const ARB_WASM: &str = "0x0000000000000000000000000000000000000071";

/// The repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

fn tools() -> PathBuf {
    root().join(".tools")
}

/// A built contract; see `contracts/README.md`.
fn artifact(name: &str) -> Vec<u8> {
    let path = root().join("contracts/target/artifacts").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}: run `make contracts`", path.display()))
}

/// Runs a tool to its end, which must come within `limit`.
async fn run(mut command: Command, limit: Duration) -> Output {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // A group of its own: cargo and the npm packages start further processes, which must go with them.
        .process_group(0)
        .kill_on_drop(true);
    let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let group = child.id().expect("not waited for yet");
    match tokio::time::timeout(limit, child.wait_with_output()).await {
        Ok(output) => output.unwrap(),
        Err(_) => {
            let killed = std::process::Command::new("kill")
                .args(["-KILL", "--", &format!("-{group}")])
                .status();
            panic!("{command:?} was still running after {limit:?} (killed: {killed:?})");
        }
    }
}

/// Standard output of a tool that must succeed.
async fn succeeds(command: Command, limit: Duration) -> String {
    let name = format!("{command:?}");
    let output = run(command, limit).await;
    let [stdout, stderr] = texts(&output);
    assert!(output.status.success(), "{name}: {}\n{stdout}\n{stderr}", output.status);
    stdout
}

/// Both outputs of a tool that must fail.
async fn fails(command: Command, limit: Duration) -> String {
    let name = format!("{command:?}");
    let output = run(command, limit).await;
    let [stdout, stderr] = texts(&output);
    assert!(!output.status.success(), "{name} succeeded\n{stdout}\n{stderr}");
    format!("{stdout}\n{stderr}")
}

/// Standard output and error, without colours.
fn texts(output: &Output) -> [String; 2] {
    [&output.stdout, &output.stderr].map(|bytes| {
        let mut plain = String::new();
        for (index, part) in String::from_utf8_lossy(bytes).split("\u{1b}[").enumerate() {
            plain.push_str(match index {
                0 => part,
                _ => part.split_once('m').map_or("", |(_, rest)| rest),
            });
        }
        plain
    })
}

/// A word as tools print addresses, hashes and slots, read.
fn address(text: &str) -> Address {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn word(text: &str) -> B256 {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}
