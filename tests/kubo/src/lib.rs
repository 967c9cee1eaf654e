//! A real Kubo node for tests and measurements: its own repository, free ports, nothing but loopback. It ends with its value.
//!
//! It must never be a node that somebody uses, and never reach further than this machine. What goes wrong here panics: the
//! test or the measurement is void. Start reading at [`Daemon`].
#![forbid(unsafe_code)]

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::{Value, json};

/// tools/setup-kubo.sh names it too.
pub const VERSION: &str = "0.43.1";

/// A start that takes longer has hung.
const DEADLINE: Duration = Duration::from_secs(30);

/// A repository, and the node's whole life in it.
pub struct Repo {
    dir: tempfile::TempDir,
}

/// A node that runs.
pub struct Daemon {
    pub repo: Repo,
    pub url: String,
    child: Child,
}

impl Repo {
    /// A repository that knows nobody, tells nobody, and asks nobody.
    pub fn init() -> Self {
        let repo = Self {
            dir: tempfile::tempdir().unwrap(),
        };
        repo.ipfs(&["init", "--profile=test", "--empty-repo"], b"");
        let path = repo.dir.path().join("config");
        let mut config: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        for (section, settings) in [
            (
                "Addresses",
                json!({"API": "/ip4/127.0.0.1/tcp/0", "Gateway": [], "Swarm": ["/ip4/127.0.0.1/tcp/0"]}),
            ),
            ("Routing", json!({"Type": "none"})),
            ("AutoConf", json!({"Enabled": false})),
            ("AutoTLS", json!({"Enabled": false})),
            ("Discovery", json!({"MDNS": {"Enabled": false}})),
            ("Provide", json!({"Enabled": false})),
            (
                "Swarm",
                json!({"DisableNatPortMap": true, "RelayClient": {"Enabled": false}, "RelayService": {"Enabled": false}}),
            ),
        ] {
            for (key, value) in settings.as_object().unwrap() {
                config[section][key] = value.clone();
            }
        }
        config["Bootstrap"] = json!([]);
        config["DNS"]["Resolvers"] = json!({});
        config["Ipns"]["DelegatedPublishers"] = json!([]);
        config["Routing"]["DelegatedRouters"] = json!([]);
        fs::write(path, config.to_string()).unwrap();
        repo
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Runs `ipfs` on this repository, by its daemon where there is one: the text that it prints.
    pub fn ipfs(&self, args: &[&str], input: &[u8]) -> String {
        String::from_utf8(self.ipfs_bytes(args, input))
            .unwrap()
            .trim()
            .to_owned()
    }

    /// The same: the bytes that it prints.
    pub fn ipfs_bytes(&self, args: &[&str], input: &[u8]) -> Vec<u8> {
        let mut child = self
            .command(args)
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        // It may print before it has read all.
        let writer = std::thread::spawn(move || stdin.write_all(&input));
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap().unwrap();
        assert!(
            output.status.success(),
            "ipfs {args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        output.stdout
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.args(args).env("IPFS_PATH", self.path()).stdout(Stdio::piped());
        command
    }

    /// Starts the node: with `--offline`, or with a swarm on loopback.
    pub fn start(self, args: &[&str]) -> Daemon {
        let mut child = self
            .command(&[&["daemon", "--migrate=false"], args].concat())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (lines, seen) = mpsc::channel();
        // Ends with the node's output.
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let _ = lines.send(line);
            }
        });
        let mut daemon = Daemon {
            repo: self,
            url: String::new(),
            child,
        };
        let mut said = Vec::new();
        while said.last().is_none_or(|line| line != "Daemon is ready") {
            match seen.recv_timeout(DEADLINE) {
                Ok(line) => said.push(line),
                Err(error) => panic!("Kubo did not start ({error}): {said:#?}"),
            }
        }
        let api = fs::read_to_string(daemon.repo.path().join("api")).unwrap();
        let port = api.trim().rsplit('/').next().unwrap();
        daemon.url = format!("http://127.0.0.1:{port}");
        daemon
    }
}

impl Daemon {
    /// A node without a swarm.
    #[must_use]
    pub fn offline() -> Self {
        Repo::init().start(&["--offline"])
    }

    /// The number of its process.
    #[must_use]
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Ends it at once, as it stands (SIGKILL).
    pub fn kill(&mut self) {
        // It may be dead already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// The same repository, on another port.
    pub fn restart(mut self) -> Self {
        self.kill();
        let dir = std::mem::replace(&mut self.repo.dir, tempfile::tempdir().unwrap());
        let _ = fs::remove_file(dir.path().join("api"));
        Repo { dir }.start(&["--offline"])
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill();
    }
}

fn program() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let tools = std::env::var_os("MEDLOCK_TOOLS").map_or_else(|| root.join(".tools"), PathBuf::from);
    let program = tools.join(format!("kubo-{VERSION}")).join("ipfs");
    assert!(
        program.is_file(),
        "{} is missing: run tools/setup-kubo.sh",
        program.display()
    );
    program
}
