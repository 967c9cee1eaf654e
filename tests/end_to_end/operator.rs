//! What who runs an index sees: `medlock index`, its status, a rebuild, metrics, readiness, a gateway that only reads.

use std::{collections::BTreeMap, path::Path, process::Output};

use alloy::providers::Provider;
use medlock_postgres_server::Server;
use medlock_tests::{
    World, eventually,
    service::{Service, get, medlock},
};
use serde_json::Value;
use sqlx::{Connection, Executor, PgConnection, SqliteConnection};

fn run(world: &World, database: &str, args: &[&str]) -> Output {
    medlock(world, database, args).output().unwrap()
}

fn status(world: &World, database: &str) -> Value {
    let output = run(world, database, &["index", "status"]);
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
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

/// What `medlock gateway config check` says: its exit code, and outcome and words by what was tried.
fn checked(world: &World, database: &str, args: &[&str]) -> (Option<i32>, BTreeMap<String, (String, String)>) {
    let output = run(world, database, &[&["gateway"], args, &["config", "check"]].concat());
    let found: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let findings = found["findings"].as_array().unwrap().iter();
    let findings = findings.map(|one| (text(&one["what"]), (text(&one["outcome"]), text(&one["says"]))));
    (output.status.code(), findings.collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_tried_without_changing_anything() {
    let world = World::start().await;
    let other = World::start().await;
    for database in databases(world.home()) {
        let folder = world.home().join("checked");
        let state = match database.starts_with("postgres://") {
            true => database.clone(),
            false => folder.join("gateway.db").display().to_string(),
        };
        let with = ["--dir", folder.to_str().unwrap(), "--state", &state];
        let find = |findings: &BTreeMap<String, (String, String)>, what: &str| {
            let found = findings.iter().find(|(name, _)| name.starts_with(what));
            let (_, (outcome, says)) = found.unwrap_or_else(|| panic!("{what}: {findings:?}"));
            (outcome.clone(), says.clone())
        };
        let (code, findings) = checked(&world, &database, &with);
        assert_eq!(code, Some(0), "{findings:?}");
        for what in [
            "deployment file",
            "node",
            "contracts",
            "index in",
            "state in",
            "store",
            "gateway's key",
        ] {
            assert_eq!(find(&findings, what).0, "good", "{what}: {findings:?}");
        }
        assert_eq!(find(&findings, "state in").1, "will be made");
        assert!(!folder.exists(), "nothing is made");
        // Without an index that another process writes it cannot begin yet.
        let (code, findings) = checked(&world, &database, &[&with[..], &["--index-read-only"]].concat());
        assert_eq!((code, find(&findings, "index in").0.as_str()), (Some(4), "unreached"));

        // While it runs: the same settings are good.
        let gateway = [&["gateway", "--listen", "127.0.0.1:0"], &with[..]].concat();
        let gateway = Service::start(&world, &database, &gateway);
        let (code, findings) = checked(&world, &database, &with);
        assert_eq!(code, Some(0), "{findings:?}");
        assert_eq!(find(&findings, "state in").1, "this deployment's");
        gateway.stop();

        // Another chain's node, index and state are wrong; what is away is merely not reached.
        let (code, findings) = checked(
            &world,
            &database,
            &[&with[..], &["--rpc", &other.dev.endpoints.rpc]].concat(),
        );
        assert_eq!(
            (code, find(&findings, "node").0.as_str()),
            (Some(2), "wrong"),
            "{findings:?}"
        );
        let (code, findings) = checked(&other, &database, &with);
        assert_eq!(code, Some(2));
        for what in ["index in", "state in"] {
            assert_eq!(find(&findings, what).0, "wrong", "{findings:?}");
        }
        let away = ["--rpc", "http://127.0.0.1:9", "--store", "http://127.0.0.1:9"];
        let (code, findings) = checked(&world, &database, &[&with[..], &away].concat());
        assert_eq!(code, Some(4), "{findings:?}");
        for what in ["node", "store"] {
            assert_eq!(find(&findings, what).0, "unreached", "{findings:?}");
        }
        // What can never work.
        let key = folder.join("gateway.key");
        let cases: [(&[&str], &str); 5] = [
            (&["--rpc-quorum", "2"], "--rpc-quorum"),
            (&["--store-quorum", "2"], "--store-quorum"),
            (&["--public-url", "records.example"], "public URL"),
            (&["--listen", "0.0.0.0:8480"], "public URL"),
            (&["--relay-key", key.to_str().unwrap()], "relay's key"),
        ];
        for (args, what) in cases {
            let (code, findings) = checked(&world, &database, &[&with[..], args].concat());
            assert_eq!(code, Some(2), "{args:?}: {findings:?}");
            assert_eq!(find(&findings, what).0, "wrong", "{args:?}: {findings:?}");
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
