//! What who runs an index sees: `medlock index`, its status, a rebuild, metrics, readiness, a gateway that only reads.

use std::{
    io::Read,
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use alloy::providers::Provider;
use medlock_postgres_server::Server;
use medlock_tests::{World, eventually, medlock_binary};
use serde_json::{Deserializer, Value};
use sqlx::{Connection, Executor, PgConnection, SqliteConnection};

/// A `medlock` that runs until it is stopped, and what it said first.
struct Service {
    child: Child,
    said: Value,
}

impl Service {
    fn start(world: &World, database: &str, args: &[&str]) -> Self {
        let mut child = medlock(world, database, args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let said = Deserializer::from_reader(child.stdout.as_mut().unwrap())
            .into_iter()
            .next();
        let Some(Ok(said)) = said else {
            panic!("{args:?}: {}", rest(&mut child));
        };
        Self { child, said }
    }

    /// Serving metrics on a free port.
    fn index(world: &World, database: &str, args: &[&str]) -> Self {
        Self::start(
            world,
            database,
            &[&["index", "--metrics", "127.0.0.1:0"], args].concat(),
        )
    }

    async fn get(&self, path: &str) -> (u16, String) {
        let metrics = self.said["metrics"].as_str().unwrap();
        get(&metrics.replace("/metrics", path)).await
    }

    async fn ready(&self) {
        eventually("ready", || async { (self.get("/readyz").await.0 == 200).then_some(()) }).await;
    }

    /// As a service manager does it. Gives what it wrote to the log.
    fn stop(mut self) -> String {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let log = rest(&mut self.child);
        assert!(self.child.wait().unwrap().success(), "{log}");
        log
    }
}

fn rest(child: &mut Child) -> String {
    let mut text = String::new();
    child.stderr.as_mut().unwrap().read_to_string(&mut text).unwrap();
    text
}

fn medlock(world: &World, database: &str, args: &[&str]) -> Command {
    let mut command = Command::new(medlock_binary());
    command
        .args(args)
        .arg("--json")
        .arg("--home")
        .arg(world.home())
        // As a password would come in.
        .env("MEDLOCK_DB", database);
    command
}

fn run(world: &World, database: &str, args: &[&str]) -> Output {
    medlock(world, database, args).output().unwrap()
}

fn status(world: &World, database: &str) -> Value {
    let output = run(world, database, &["index", "status"]);
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

async fn get(url: &str) -> (u16, String) {
    let answer = reqwest::get(url).await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

async fn execute(database: &str, sql: &'static str) {
    if database.starts_with("postgres://") {
        PgConnection::connect(database)
            .await
            .unwrap()
            .execute(sql)
            .await
            .unwrap();
    } else {
        let mut db = SqliteConnection::connect(database).await.unwrap();
        db.execute(sql).await.unwrap();
        db.close().await.unwrap();
    }
}

async fn mine(world: &World, blocks: u64) {
    let provider = world.chain();
    let _: Value = provider
        .provider()
        .raw_request("anvil_mine".into(), (format!("{blocks:#x}"),))
        .await
        .unwrap();
}

/// An empty database of each kind.
fn databases(folder: &Path) -> [String; 2] {
    [folder.join("own.db").display().to_string(), Server::shared().create()]
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_sees_how_an_index_gets_on() {
    let world = World::start().await;
    let (_, chart) = world.patient().await;
    for database in databases(world.home()) {
        let none = run(&world, &database, &["index", "status"]);
        let said = String::from_utf8(none.stderr).unwrap();
        assert_eq!(none.status.code(), Some(1));
        assert!(said.contains("there is no index"), "{said}");

        let rpc = &world.dev.endpoints.rpc;
        let several = ["--rpc", rpc, "--rpc", rpc, "--rpc-quorum", "2", "--poll-ms", "20"];
        let index = Service::index(&world, &database, &several);
        assert!(!index.said["db"].as_str().unwrap().contains('@'), "{}", index.said);
        index.ready().await;
        assert_eq!(index.get("/healthz").await.0, 200);
        let metrics = eventually("it has caught up", || async {
            let (_, metrics) = index.get("/metrics").await;
            metrics.contains("\nmedlock_index_lag_blocks 0\n").then_some(metrics)
        })
        .await;
        for line in ["standby 0", "stopped 0", "trouble 0", "database_up 1"] {
            assert!(
                metrics.contains(&format!("\nmedlock_index_{line}\n")),
                "{line}: {metrics}"
            );
        }
        assert_eq!(
            metrics.matches("medlock_index_endpoint_up{host=").count(),
            2,
            "{metrics}"
        );

        let standby = Service::index(&world, &database, &[]);
        standby.ready().await;
        eventually("a standby says so", || async {
            standby.get("/readyz").await.1.contains("standby").then_some(())
        })
        .await;
        let refused = run(&world, &database, &["index", "--from-genesis"]);
        assert!(
            String::from_utf8_lossy(&refused.stderr).contains("another process writes"),
            "{refused:?}"
        );
        standby.stop();
        let log = index.stop();
        assert!(log.contains("caught up at block"), "{log}");

        let found = status(&world, &database);
        assert_eq!(found["lag_blocks"], 0);
        assert_eq!(found["counts"]["charts"], 1, "{chart}");
        assert_eq!(
            found["deployment"]["contracts"]["records"],
            serde_json::to_value(world.dev.deployment.records).unwrap()
        );
        execute(&database, "UPDATE chain SET head = head + 5").await;
        let code = |most| {
            run(&world, &database, &["index", "status", "--lag-most", most])
                .status
                .code()
        };
        assert_eq!((code("5"), code("4")), (Some(0), Some(3)));

        let verified = run(&world, &database, &["index", "verify"]);
        assert!(verified.status.success(), "{verified:?}");
        let verified: Value = serde_json::from_slice(&verified.stdout).unwrap();
        assert_eq!(verified["differences"], 0);
        assert!(verified["compared"].as_u64().unwrap() >= 1, "{verified}");
        execute(&database, "UPDATE directory SET version = version + 1").await;
        let falsified = run(&world, &database, &["index", "verify"]);
        assert_eq!(falsified.status.code(), Some(5));
        let falsified: Value = serde_json::from_slice(&falsified.stdout).unwrap();
        assert_eq!(falsified["named"][0]["column"], "directory.version");

        execute(&database, "DELETE FROM chart").await;
        let again = Service::index(&world, &database, &["--from-genesis"]);
        eventually("the new index is in place", || async {
            let found = run(&world, &database, &["index", "status", "--lag-most", "0"]);
            let found: Value = serde_json::from_slice(&found.stdout).ok()?;
            (found["counts"]["charts"] == 1 && found["lag_blocks"] == 0).then_some(())
        })
        .await;
        again.ready().await;
        again.stop();
        assert_eq!(status(&world, &database)["counts"], found["counts"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_reads_the_index_of_another_process_and_is_not_ready_without_it() {
    let world = World::start().await;
    for (number, database) in databases(world.home()).into_iter().enumerate() {
        let folder = world.home().join(format!("gateway-{number}"));
        let gateway = [
            "gateway",
            "--index-read-only",
            "--listen",
            "127.0.0.1:0",
            "--dir",
            folder.to_str().unwrap(),
        ];
        let refused = run(&world, &database, &gateway);
        assert!(
            String::from_utf8_lossy(&refused.stderr).contains("there is no index"),
            "{refused:?}"
        );

        let index = Service::index(&world, &database, &["--poll-ms", "20"]);
        index.ready().await;
        let gateway = Service::start(&world, &database, &gateway);
        let ready = format!("{}/ready", gateway.said["gateway"].as_str().unwrap());
        eventually("the gateway is ready", || async {
            (get(&ready).await.0 == 200).then_some(())
        })
        .await;
        mine(&world, 3).await;
        eventually("it follows", || async { (get(&ready).await.0 == 200).then_some(()) }).await;

        index.stop();
        mine(&world, 3).await;
        eventually("the gateway tells that its index lags", || async {
            (get(&ready).await.0 == 503).then_some(())
        })
        .await;
        gateway.stop();
    }
}
