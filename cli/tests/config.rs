//! `medlock gateway config check`, as an operator runs it.
use std::{
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use medlock::dev;
use medlock_gateway::RelayLimits;
use serde_json::Value;

/// Whether it succeeded, and what it printed as JSON and as text.
fn check(args: &[&str], environment: &[(&str, &str)]) -> (bool, Value, String) {
    let run = |json: bool| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_medlock"));
        // Of the machine's own variables none is wanted.
        command.env_clear().envs(environment.iter().copied());
        command.arg("gateway").args(args).args(["config", "check"]);
        command.args(json.then_some("--json")).output().unwrap()
    };
    let (json, text) = (run(true), run(false));
    assert_eq!(json.status.code(), text.status.code());
    let value = serde_json::from_slice(&json.stdout).unwrap_or_else(|_| panic!("{json:?}"));
    (json.status.success(), value, String::from_utf8(text.stdout).unwrap())
}

fn setting<'a>(value: &'a Value, name: &str) -> (&'a Value, &'a str) {
    let all = value["settings"].as_array().unwrap();
    let setting = all.iter().find(|setting| setting["name"] == name).unwrap();
    (&setting["value"], setting["source"].as_str().unwrap())
}

fn outcome<'a>(value: &'a Value, name: &str) -> (bool, &'a str) {
    let all = value["checks"].as_array().unwrap();
    let check = all
        .iter()
        .find(|check| check["check"].as_str().unwrap().starts_with(name));
    let check = check.unwrap_or_else(|| panic!("no check of {name}: {value:#}"));
    (check["ok"].as_bool().unwrap(), check["result"].as_str().unwrap())
}

#[test]
fn flag_variable_file_and_default_rank_in_this_order_and_faults_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).display().to_string();
    let file = at("gateway.toml");
    let text = format!(
        "dir = \"{}\"\nlisten = \"127.0.0.1:0\"\npoll-ms = 7\nrelay-gas-per-day = 8\nupkeep-hours = 9\n\
         public-url = \"https://records.example/path\"\nstate = \"postgres://medlock:hunter2@127.0.0.1:1/medlock\"\n\
         rpc = \"http://127.0.0.1:1/hunter2\"\n",
        at("folder")
    );
    std::fs::write(&file, text).unwrap();
    std::fs::create_dir(at("folder")).unwrap();
    let key = at("folder/gateway.key");
    std::fs::write(&key, "01".repeat(32)).unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let metrics = taken.local_addr().unwrap().to_string();
    let deployment = at("none.json");
    let args = [
        "--config",
        &file,
        "--poll-ms",
        "5",
        "--metrics",
        &metrics,
        "--deployment",
        &deployment,
    ];
    let environment = [("MEDLOCK_POLL_MS", "6"), ("MEDLOCK_RELAY_GAS_PER_DAY", "7")];
    let (sound, value, text) = check(&args, &environment);

    assert_eq!(setting(&value, "poll-ms"), (&"5".into(), "flag"));
    assert_eq!(setting(&value, "relay-gas-per-day"), (&"7".into(), "environment"));
    assert_eq!(setting(&value, "upkeep-hours"), (&"9".into(), "file"));
    assert_eq!(setting(&value, "rpc-quorum"), (&"1".into(), "default"));
    assert_eq!(setting(&value, "store"), (&Value::Null, "default"));
    assert!(!sound);
    for fault in [
        "deployment file",
        "node",
        "state",
        "gateway key",
        "public URL",
        "metrics",
    ] {
        assert!(!outcome(&value, fault).0, "{fault}: {value:#}");
    }
    assert!(outcome(&value, "gateway key").1.contains("0644"));
    assert!(outcome(&value, "listen").0 && outcome(&value, "index").0 && outcome(&value, "store").0);
    for told in [value.to_string(), text] {
        assert!(!told.contains("hunter2") && !told.contains("0101"), "{told}");
    }
    // It has made nothing.
    let made: Vec<_> = std::fs::read_dir(at("folder")).unwrap().collect();
    assert_eq!(made.len(), 1);

    std::fs::write(&file, "dir = \"d\"\nlisten-to = \"x\"\n").unwrap();
    let run = Command::new(env!("CARGO_BIN_EXE_medlock"))
        .args(["gateway", "--config", &file])
        .output()
        .unwrap();
    let said = String::from_utf8(run.stderr).unwrap();
    assert_eq!(run.status.code(), Some(2));
    assert!(said.contains("line 2: there is no setting listen-to"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sound_gateway_passes_and_another_chains_deployment_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let running = dev::spawn(dev::Config {
        home: dir.path().join("home"),
        artifacts: PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../contracts/target/artifacts"),
        rpc_port: 0,
        gateway_port: 0,
        public_url: None,
        stores: Default::default(),
        upkeep: None,
        relay: RelayLimits::default(),
    });
    let running = running.await.unwrap();
    let home = running.home.dir().display().to_string();
    let folder = dir.path().join("folder").display().to_string();
    let args = [
        "--home",
        &home,
        "--dir",
        &folder,
        "--listen",
        "127.0.0.1:0",
        "--public-url",
        "https://records.example",
    ];
    let (sound, value, text) = check(&args, &[]);
    assert!(sound, "{text}");
    assert!(outcome(&value, "node").1.ends_with("with the contracts"));
    assert!(!Path::new(&folder).exists(), "it makes nothing");
    // The index and the state of the running one, of which it is told.
    let (index, state) = (
        running.home.index().display().to_string(),
        running.home.state().display().to_string(),
    );
    let more = [&args[..], &["--db", &index, "--state", &state, "--index-read-only"]].concat();
    let (sound, _, text) = check(&more, &[]);
    assert!(sound, "{text}");

    let mut deployment: Value = serde_json::from_slice(&std::fs::read(running.home.deployment()).unwrap()).unwrap();
    deployment["genesis_hash"] = format!("0x{}", "11".repeat(32)).into();
    let other = dir.path().join("other.json").display().to_string();
    std::fs::write(&other, deployment.to_string()).unwrap();
    let (sound, value, _) = check(&[&more[..], &["--deployment", &other]].concat(), &[]);
    assert!(!sound);
    assert!(!outcome(&value, "node").0 && !outcome(&value, "index").0, "{value:#}");
    running.shutdown().await.unwrap();
}
