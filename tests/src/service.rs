//! The `medlock` program as a service: a process of its own, which a test starts, asks, stops and kills.

use std::{
    io::Read,
    process::{Child, Command, Stdio},
};

use serde_json::{Deserializer, Value};

use crate::{World, eventually, medlock_binary};

/// A `medlock` that runs until it is stopped, and what it said first. Dropped, it is killed.
pub struct Service {
    child: Child,
    pub said: Value,
}

impl Service {
    /// `args`: the command and its options; the deployment is the World's, the index in `database`.
    pub fn start(world: &World, database: &str, args: &[&str]) -> Self {
        Self::of(medlock(world, database, args))
    }

    pub fn of(mut command: Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("run medlock");
        let said = Deserializer::from_reader(child.stdout.as_mut().expect("piped"))
            .into_iter()
            .next();
        let Some(Ok(said)) = said else {
            panic!("{command:?}: {}", rest(&mut child));
        };
        Self { child, said }
    }

    /// Serving metrics on a free port.
    pub fn index(world: &World, database: &str, args: &[&str]) -> Self {
        Self::start(
            world,
            database,
            &[&["index", "--metrics", "127.0.0.1:0"], args].concat(),
        )
    }

    /// Status and text of a path beside its metrics.
    pub async fn get(&self, path: &str) -> (u16, String) {
        let metrics = self.said["metrics"].as_str().expect("it serves metrics");
        get(&metrics.replace("/metrics", path)).await
    }

    /// Of an indexer.
    pub async fn ready(&self) {
        eventually("ready", || async { (self.get("/readyz").await.0 == 200).then_some(()) }).await;
    }

    /// As a service manager does it. Gives what it wrote to the log.
    pub fn stop(mut self) -> String {
        let pid = self.child.id().to_string();
        let killed = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(killed.expect("kill").success());
        let log = rest(&mut self.child);
        assert!(self.child.wait().expect("it has ended").success(), "{log}");
        log
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn rest(child: &mut Child) -> String {
    let mut text = String::new();
    let log = child.stderr.as_mut().expect("piped");
    log.read_to_string(&mut text).expect("a log in UTF-8");
    text
}

/// The program with the World's deployment, and `database` as a password would come in.
pub fn medlock(world: &World, database: &str, args: &[&str]) -> Command {
    let mut command = Command::new(medlock_binary());
    command
        .args(args)
        .arg("--json")
        .arg("--home")
        .arg(world.home())
        .env("MEDLOCK_DB", database);
    command
}

/// Status and text.
pub async fn get(url: &str) -> (u16, String) {
    let answer = reqwest::get(url).await.expect("it answers");
    (answer.status().as_u16(), answer.text().await.expect("text"))
}
