//! A real PostgreSQL server for tests and measurements: its own cluster in a temporary folder, a free port, nothing but
//! loopback, anybody trusted. It ends with its value, and with the process that holds it, however that ends.
//!
//! It must never be a server that somebody uses. What goes wrong here panics: the test or the measurement is void. Start
//! reading at [`Server`].
#![forbid(unsafe_code)]

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::{Ipv4Addr, TcpListener},
    os::unix::{fs::MetadataExt as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
    time::Duration,
};

use tempfile::TempDir;

/// tools/setup-postgres.sh names it too.
const OLDEST: u32 = 15;
/// Where Debian puts each version's programs.
const DEBIAN: &str = "/usr/lib/postgresql";
/// Both the server's owner, where we are root, and the database's.
const USER: &str = "postgres";
/// A start, or a way back after a crash, that takes longer has hung.
const DEADLINE: Duration = Duration::from_secs(60);
const READY: &str = "database system is ready to accept connections";
/// Below those that the kernel gives to outgoing connections, so that a server that starts again finds its own free.
const PORTS: std::ops::Range<u32> = 20_000..32_000;
/// Another process may take a port first.
const PORTS_TRIED_MOST: u32 = 50;
/// Runs the server and waits for a word: a signal's name, or the end of the input, which comes even if our process is killed.
/// Then nobody needs the cluster any more.
const WATCHDOG: &str = r#"
"$@" &
server=$!
if read -r signal; then kill -s "$signal" $server; wait $server; else kill -s QUIT $server; wait $server; cd /; rm -rf "${PGDATA%/data}"; fi
"#;

#[derive(Clone, Copy, Debug, Default)]
pub struct Settings {
    /// What is committed survives a power cut, as where it counts. Slower: only for measurements.
    pub durable: bool,
}

/// A cluster, and the server that runs on it unless it was stopped.
pub struct Server {
    /// Holds the cluster (`data`) and the server's socket.
    dir: TempDir,
    programs: PathBuf,
    settings: Settings,
    port: u32,
    running: Option<Child>,
    databases: AtomicU32,
}

impl Server {
    /// For tests: fast, not durable.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(Settings::default())
    }

    #[must_use]
    pub fn start_with(settings: Settings) -> Self {
        let dir = tempfile::Builder::new().prefix("medlock-postgres-").tempdir().unwrap();
        let mut server = Self {
            programs: programs(),
            settings,
            port: PORTS.start,
            running: None,
            databases: AtomicU32::new(0),
            dir,
        };
        if let Some((uid, gid)) = server.owner() {
            std::os::unix::fs::chown(server.dir.path(), Some(uid), Some(gid)).unwrap();
        }
        server.run(
            "initdb",
            &["--no-sync", "-E", "UTF8", "--locale=C", "--auth=trust", "-U", USER],
        );
        // Other processes begin elsewhere, and so do other servers of this one.
        static NEXT: AtomicU32 = AtomicU32::new(0);
        for _ in 0..PORTS_TRIED_MOST {
            let step = std::process::id().wrapping_mul(64) + NEXT.fetch_add(1, Ordering::Relaxed);
            server.port = PORTS.start + step % (PORTS.end - PORTS.start);
            if is_free(server.port) && server.try_start() {
                return server;
            }
        }
        panic!("no free port for PostgreSQL");
    }

    /// The one server of this process for all tests that let it run. Each creates its own database.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Server> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/{database}", self.port)
    }

    /// The URL of a new, empty database.
    pub fn create(&self) -> String {
        let database = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let url = self.url("postgres");
        self.run("createdb", &["--maintenance-db", &url, &database]);
        self.url(&database)
    }

    /// Removes a database of [`Server::create`], and whoever is connected to it.
    pub fn remove(&self, url: &str) {
        let (_, database) = url.rsplit_once('/').expect("a URL that names a database");
        self.run(
            "dropdb",
            &["--force", "--maintenance-db", &self.url("postgres"), database],
        );
    }

    /// As the program says it.
    #[must_use]
    pub fn version(&self) -> Option<String> {
        let output = Command::new(self.programs.join("postgres")).arg("--version").output();
        Some(String::from_utf8(output.ok()?.stdout).ok()?.trim().to_owned())
    }

    /// Ends the server in order, without waiting for its clients to leave.
    pub fn stop(&mut self) {
        self.end("INT");
    }

    /// Ends it at once, as it stands: it recovers from its log when it starts again.
    pub fn kill(&mut self) {
        self.end("QUIT");
    }

    /// The same cluster on the same port.
    pub fn start_again(&mut self) {
        assert!(self.running.is_none(), "the server runs");
        assert!(self.try_start(), "PostgreSQL does not start again");
    }

    /// False: it ended before it was ready, as where its port was taken.
    fn try_start(&mut self) -> bool {
        let durable = if self.settings.durable { "on" } else { "off" };
        let mut command = Command::new("/bin/sh");
        command.args(["-c", WATCHDOG, "medlock-postgres"]);
        command.arg(self.programs.join("postgres"));
        command.arg("-k").arg(self.dir.path());
        command.args(["-h", "127.0.0.1", "-p", &self.port.to_string()]);
        for setting in ["fsync", "synchronous_commit", "full_page_writes"] {
            command.args(["-c", &format!("{setting}={durable}")]);
        }
        // Tests run at the same time, each with pools of its own.
        command.args(["-c", "max_connections=300"]);
        let mut child = self
            .prepare(&mut command)
            // A signal to all of our group, as from a keyboard, is not for the watchdog.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (lines, seen) = mpsc::channel();
        // Ends with the server.
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                // Nobody listens once the server is ready.
                let _ = lines.send(line);
            }
        });
        let mut said = Vec::new();
        loop {
            match seen.recv_timeout(DEADLINE) {
                Ok(line) if line.contains(READY) => break,
                Ok(line) => said.push(line),
                Err(mpsc::RecvTimeoutError::Disconnected)
                    if said.iter().any(|line| line.contains("could not bind")) =>
                {
                    drop(child.stdin.take());
                    child.wait().unwrap();
                    return false;
                }
                Err(error) => panic!("PostgreSQL did not start ({error}): {said:#?}"),
            }
        }
        self.running = Some(child);
        true
    }

    fn end(&mut self, signal: &str) {
        let mut child = self.running.take().expect("the server runs");
        let mut stdin = child.stdin.take().unwrap();
        writeln!(stdin, "{signal}").unwrap();
        child.wait().unwrap();
    }

    fn run(&self, program: &str, args: &[&str]) {
        let mut command = Command::new(self.programs.join(program));
        let output = self.prepare(command.args(args)).output().unwrap();
        assert!(
            output.status.success(),
            "{program} {args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    /// As its owner, and with no settings of our user's.
    fn prepare<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("PGDATA", self.dir.path().join("data"))
            .current_dir(self.dir.path());
        if let Some((uid, gid)) = self.owner() {
            command.uid(uid).gid(gid);
        }
        command
    }

    /// Whom the server runs as, where it cannot be us: it refuses root.
    fn owner(&self) -> Option<(u32, u32)> {
        let we_are_root = fs::metadata("/proc/self").unwrap().uid() == 0;
        we_are_root.then(|| (id("-u"), id("-g")))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.running.take() {
            drop(child.stdin.take());
            // It has ended or it is about to.
            let _ = child.wait();
        }
    }
}

/// The newest version's folder.
fn programs() -> PathBuf {
    let debian = fs::read_dir(DEBIAN).into_iter().flatten().flatten();
    let newest = debian
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter(|version| {
            *version >= OLDEST && Path::new(DEBIAN).join(version.to_string()).join("bin/initdb").is_file()
        })
        .max();
    if let Some(version) = newest {
        return Path::new(DEBIAN).join(version.to_string()).join("bin");
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .find(|dir| dir.join("initdb").is_file())
        .expect("PostgreSQL is missing: run tools/setup-postgres.sh")
}

fn is_free(port: u32) -> bool {
    let port = u16::try_from(port).expect("`PORTS` are ports");
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// The number of the user, or of their group.
fn id(which: &str) -> u32 {
    let output = Command::new("id").args([which, USER]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse().expect("there is no user 'postgres'")
}

#[cfg(test)]
mod tests;
