//! The `medlock` program as people use it: the README's tour, exit codes, and JSON.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use alloy::{primitives::U256, providers::Provider};
use medlock_client::{Client, Endpoints, Error, Identity, api::Purpose};
use medlock_deploy::Deployment;
use medlock_tests::{World, artifacts, eventually, fixture, medlock_binary, root};
use serde_json::Value;

/// A person with a key file in the World's folder.
pub struct Person<'a> {
    pub world: &'a World,
    pub key: PathBuf,
}

impl<'a> Person<'a> {
    pub async fn new(world: &'a World, name: &str) -> Self {
        let key = world.home().join(format!("{name}.keyfile"));
        let made = world.medlock(None, &["keys", "new", key.to_str().unwrap(), "--json"]);
        let account = json(&made)["account"].as_str().unwrap().to_owned();
        let funded = world.medlock(None, &["dev", "fund", &account]);
        assert!(funded.status.success(), "{}", text(&funded));
        Self { world, key }
    }

    pub fn run(&self, args: &[&str]) -> Output {
        self.world.medlock(Some(&self.key), args)
    }

    pub fn ok(&self, args: &[&str]) -> Value {
        let output = self.run(&[args, &["--json"]].concat());
        assert!(output.status.success(), "{args:?}: {}", text(&output));
        json(&output)
    }

    /// Exit code, what was said as JSON (null: nothing), and what was said besides.
    pub fn tried(&self, args: &[&str]) -> (i32, Value, String) {
        let output = self.run(&[args, &["--json"]].concat());
        let value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        (
            code(&output),
            value,
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    }

    pub fn account(&self) -> String {
        let shown = self.world.medlock(None, &["keys", "show", self.key.to_str().unwrap()]);
        String::from_utf8(shown.stdout).unwrap().trim().to_owned()
    }
}

pub fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", text(output)))
}

pub fn code(output: &Output) -> i32 {
    output.status.code().expect("not killed")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tour_of_the_readme_works() {
    let world = World::start().await;
    let patient = Person::new(&world, "patient").await;
    let clinic = Person::new(&world, "clinic").await;
    let owner = |args: &[&str]| {
        let output = Command::new(medlock_binary())
            .args(args)
            .arg("--home")
            .arg(world.home())
            .arg("--key")
            .arg(world.home().join("owner.key"))
            .env("MEDLOCK_PASSPHRASE", medlock::dev::OWNER_PASSPHRASE)
            .output()
            .unwrap();
        assert!(output.status.success(), "{args:?}: {}", text(&output));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let account = owner(&["keys", "show", world.home().join("owner.key").to_str().unwrap()]);
    owner(&["party", "issuer", &account]);
    owner(&[
        "party",
        "credential",
        &clinic.account(),
        "--roles",
        "organisation,provider",
        "--for",
        "365d",
    ]);
    clinic.ok(&["keys", "publish"]);
    let chart = patient.ok(&["chart", "open"])["chart"].as_str().unwrap().to_owned();
    patient.ok(&[
        "grant",
        "give",
        &chart,
        &clinic.account(),
        "--compartments",
        "all",
        "--purposes",
        "TREAT",
        "--actions",
        "read,write",
        "--for",
        "90d",
    ]);
    let bundle = root().join("tests/fixtures/bundles/infant.json");
    let bundle = bundle.to_str().unwrap();
    let imported = clinic.ok(&["record", "import", &chart, bundle]);
    let imported = &imported["files"][0];
    assert_eq!(
        imported["stored"].as_array().unwrap().len(),
        imported["records"].as_u64().unwrap() as usize
    );

    let out = world.home().join("back.json");
    clinic.ok(&["record", "export", &chart, out.to_str().unwrap()]);
    assert_eq!(std::fs::read(&out).unwrap(), fixture("bundles/infant.json"));

    let listed = clinic.ok(&["record", "list", &chart]);
    let record = listed[0]["record_id"].as_str().unwrap().to_owned();
    let shown = clinic.run(&["record", "show", &chart, &record]);
    assert!(String::from_utf8(shown.stdout).unwrap().contains("resourceType"));
    let yes = clinic.run(&["check", &chart, "--compartment", "4", "--purpose", "TREAT"]);
    assert_eq!(code(&yes), 0, "{}", text(&yes));
    let no = clinic.run(&["check", &chart, "--compartment", "4", "--purpose", "HRESCH"]);
    assert_eq!(code(&no), 7, "{}", text(&no));
    assert!(text(&no).contains("purpose-not-granted"));

    let note = world.home().join("note.txt");
    std::fs::write(&note, "seen today").unwrap();
    let amended = clinic.ok(&["record", "amend", &chart, &record, note.to_str().unwrap()]);
    assert_eq!(amended["version"], 2);
    let first = clinic.run(&["record", "show", &chart, &record, "--version", "1"]);
    assert!(String::from_utf8(first.stdout).unwrap().contains("resourceType"));

    patient.ok(&["grant", "revoke", &chart, &clinic.account()]);
    let refused = clinic.run(&["record", "show", &chart, &record, "--json"]);
    assert_eq!(code(&refused), 3, "{}", text(&refused));
    let error: Value = serde_json::from_slice(&refused.stderr).expect("an error as JSON");
    assert_eq!(error["exit_code"], 3);
    let log = patient.ok(&["log", &chart]);
    assert!(log.as_array().unwrap().iter().all(|read| read["proven"] == true));
    assert!(!log.as_array().unwrap().is_empty());
}

/// The demo checks each of its steps itself, and ends at the first that does not hold.
#[test]
fn each_ledger_has_a_demo_of_its_own_that_goes_deeper() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = root().join("tests/fixtures/bundles/infant.json");
    let demo = |ledger: &str, more: &[&str]| {
        let dir = folder.path().join(ledger);
        let mut command = Command::new(medlock_binary());
        command.args(["demo", ledger, "--dir"]).arg(&dir);
        command.arg("--bundle").arg(&bundle).arg("--artifacts").arg(artifacts());
        (dir, command.args(more).output().unwrap())
    };
    let claims = [
        "a claim while the patient has granted the insurer nothing: refused by the contract (NoConsent)",
        "a claim of a provider whom nobody has credentialed: refused by the contract (NotCredentialed)",
        "the same service at the second insurer, as both share the registry: refused by the contract (DuplicateService)",
        "a service from before the patient was born, by the chart's own Patient",
        "no code, question, answer, appeal, reference or explanation is in any file",
    ];
    let trials = [
        "data with number 3 in them: refused by the contract (NotParticipating)",
        "batch 2 as late and out of order",
        "the switched outcome is named",
        "the changed row is named",
        "the missing batch is named",
    ];
    let supply = [
        "never made, with another package's ticket beside it",
        "dispensing the copy: refused by the contract (AlreadyDispensed)",
        "the patient's own client finds the dispensed package in the chart",
        "the report says how it was passed on",
    ];
    let stories: [(&str, &[&str], &[&str]); 3] = [
        ("claims", &[], &claims),
        ("trials", &[], &trials),
        ("supply", &["--json"], &supply),
    ];
    for (ledger, more, lines) in stories {
        let (dir, output) = demo(ledger, more);
        let said = text(&output);
        assert!(output.status.success(), "{ledger}: {said}");
        for line in lines {
            assert!(said.contains(line), "{ledger}: {line}: {said}");
        }
        let report = std::fs::read(dir.join("report.json")).unwrap();
        let report: Value = serde_json::from_slice(&report).unwrap();
        assert_eq!(report["ok"], true, "{ledger}");
        assert_eq!(report["ledger"], ledger);
        assert_eq!(report["records"].as_u64() > Some(0), ledger == "claims", "{ledger}");
        if more == ["--json"] {
            assert_eq!(json(&output), report);
        }
    }
    assert_eq!(code(&demo("ledgers", &[]).1), 2);
}

#[test]
fn words_bring_a_root_secret_into_another_key_file() {
    let folder = tempfile::tempdir().unwrap();
    let [one, two] = ["one.key", "two.key"].map(|name| folder.path().join(name).display().to_string());
    let medlock = |args: &[&str], words: &str| {
        let output = Command::new(medlock_binary())
            .args(args)
            .env("MEDLOCK_PASSPHRASE", "correct horse")
            .env("MEDLOCK_WORDS", words)
            .env_remove("MEDLOCK_KEY")
            .output()
            .unwrap();
        let said = String::from_utf8(output.stdout.clone()).unwrap().trim().to_owned();
        (code(&output), said, text(&output))
    };
    assert_eq!(medlock(&["keys", "new", &one], "").0, 0);
    let (_, words, _) = medlock(&["keys", "words", "--key", &one], "");
    assert_eq!(words.split(' ').count(), 24);
    assert_eq!(medlock(&["keys", "new", &two, "--words"], &words.to_uppercase()).0, 0);
    assert_eq!(medlock(&["keys", "words", "--key", &two], "").1, words);
    assert_ne!(
        medlock(&["keys", "show", &one], "").1,
        medlock(&["keys", "show", &two], "").1
    );
    let (failed, _, said) = medlock(&["keys", "new", &format!("{two}.3"), "--words"], "abandon ability");
    assert!(failed == 6 && said.contains("24"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn exit_codes_say_what_went_wrong() {
    let world = World::start().await;
    let patient = Person::new(&world, "patient").await;
    let key = patient.key.to_str().unwrap();

    let usage = world.medlock(None, &["chart", "frobnicate"]);
    assert_eq!(code(&usage), 2);
    let again = world.medlock(None, &["keys", "new", key]);
    assert_eq!(code(&again), 6, "a key file is never overwritten: {}", text(&again));
    let wrong = Command::new(medlock_binary())
        .args(["chart", "open", "--key", key, "--home"])
        .arg(world.home())
        .env("MEDLOCK_PASSPHRASE", "wrong")
        .output()
        .unwrap();
    assert_eq!(code(&wrong), 6, "{}", text(&wrong));
    assert!(text(&wrong).contains("passphrase"));
    let damaged = world.home().join("damaged.keyfile");
    std::fs::write(&damaged, "{").unwrap();
    let damaged = world.medlock(Some(&damaged), &["chart", "open"]);
    assert_eq!(code(&damaged), 6, "{}", text(&damaged));
    let down = patient.run(&["chart", "open", "--rpc", "http://127.0.0.1:9"]);
    assert_eq!(code(&down), 4, "{}", text(&down));
    let elsewhere = world.medlock(Some(&patient.key), &["chart", "open", "--home", "/nonexistent"]);
    assert_ne!(code(&elsewhere), 0);
    let unknown = patient.run(&["grant", "revoke-all", &format!("0x{}", "07".repeat(32))]);
    assert_eq!(code(&unknown), 3, "{}", text(&unknown));
    assert!(text(&unknown).contains("there is no chart"));
    let completions = world.medlock(None, &["completions", "bash"]);
    assert!(String::from_utf8(completions.stdout).unwrap().contains("medlock"));
}

/// `medlock dev` itself: a port in use, a stop by signal, a kill in the middle, and a restart on the same folder.
#[tokio::test(flavor = "multi_thread")]
async fn dev_survives_signals_and_names_a_port_in_use() {
    let home = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let other = tempfile::tempdir().unwrap();
    let refused = start(&port, other.path()).wait_with_output().unwrap();
    assert!(!refused.status.success());
    assert!(text(&refused).contains(&port), "{}", text(&refused));

    let mut first = start("0", home.path());
    let told = first_json(&mut first);
    // A second one on the same folder must not share it.
    let second = start("0", home.path()).wait_with_output().unwrap();
    assert!(!second.status.success(), "{}", text(&second));
    first.kill().unwrap();
    first.wait().unwrap();

    let mut again = start("0", home.path());
    let told_again = first_json(&mut again);
    assert_eq!(told["records"], told_again["records"], "the deployment survived a kill");
    interrupt(&mut again);
}

/// Killed, not stopped, as soon as each file of the folder appears: a restart completes what was begun.
#[tokio::test(flavor = "multi_thread")]
async fn dev_killed_at_any_stage_of_its_first_start_comes_up_again() {
    for stage in [
        "chain",
        "deployment.json",
        "owner.key",
        "index.db",
        "gateway.key",
        "gateway.db",
        "connection.json",
    ] {
        let home = tempfile::tempdir().unwrap();
        let mut first = start("0", home.path());
        let file = home.path().join(stage);
        eventually(stage, || async { file.exists().then_some(()) }).await;
        first.kill().unwrap();
        first.wait().unwrap();
        let mut again = start("0", home.path());
        let told = first_json(&mut again);
        assert!(
            told["records"]
                .as_str()
                .is_some_and(|records| records.starts_with("0x")),
            "{stage}: {told}"
        );
        interrupt(&mut again);
    }
}

/// The folder is a small file system of its own, filled to the last byte under the running services.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_named_and_nothing_is_lost() {
    let home = tempfile::tempdir().unwrap();
    let mount = "mount -t tmpfs -o size=48m tmpfs \"$1\" && exec \"$0\" dev --json --rpc-port 0 --gateway-port 0 --home \"$1\" --artifacts \"$2\"";
    let mut dev = Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c", mount])
        .args([medlock_binary().as_path(), home.path(), artifacts().as_path()])
        .stdout(Stdio::piped())
        .spawn()
        .expect("unshare, of util-linux");
    let told = first_json(&mut dev);
    // The mount is the child's own; this is the way to it from outside.
    let inside = PathBuf::from(format!("/proc/{}/root{}", dev.id(), home.path().display()));
    let endpoints = Endpoints {
        rpc: told["rpc"].as_str().unwrap().to_owned(),
        gateway: told["gateway"].as_str().unwrap().to_owned(),
    };
    let deployment = Deployment::load(inside.join("deployment.json")).unwrap();
    let patient = Client::connect(&endpoints, deployment, Identity::generate().unwrap())
        .await
        .unwrap();
    let funds = (patient.address(), U256::from(10).pow(U256::from(20)));
    let provider = patient.chain().provider();
    provider
        .raw_request::<_, ()>("anvil_setBalance".into(), funds)
        .await
        .unwrap();
    let (chart, _) = patient
        .open_chart(&medlock_client::default_labels(), medlock_client::Suite::default())
        .await
        .unwrap();
    let open = patient.chart(chart).await.unwrap();

    let filler = inside.join("filler");
    let mut file = std::fs::File::create(&filler).unwrap();
    while file.write_all(&[0; 4096]).is_ok() {}
    drop(file);
    let bundle = fixture("bundles/toddler.json");
    let error = open.import(&bundle, |_, _| ()).await.expect_err("no room");
    // Which of the services meets the end of the disk first is chance: sign-in was done, so it is not the database.
    let named = matches!(&error, Error::Problem { kind, .. } if kind == "storage-full");
    assert!(named, "{error:?}");

    std::fs::remove_file(&filler).unwrap();
    let imported = open.import(&bundle, |_, _| ()).await.expect("there is room again");
    assert!(!imported.stored.is_empty());
    let purpose = Purpose::from_code("PATRQT").unwrap();
    assert_eq!(open.export(purpose, |_, _| ()).await.unwrap().as_slice(), bundle);
    dev.kill().unwrap();
    dev.wait().unwrap();
}

fn start(rpc_port: &str, home: &Path) -> Child {
    Command::new(medlock_binary())
        .args([
            "dev",
            "--json",
            "--rpc-port",
            rpc_port,
            "--gateway-port",
            "0",
            "--artifacts",
        ])
        .arg(artifacts())
        .arg("--home")
        .arg(home)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Ctrl-C.
fn interrupt(dev: &mut Child) {
    let pid = dev.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    assert!(dev.wait().unwrap().success(), "Ctrl-C is a clean stop");
}

/// Reads standard output until it holds one whole JSON value.
fn first_json(child: &mut Child) -> Value {
    let stdout = child.stdout.as_mut().expect("piped");
    serde_json::Deserializer::from_reader(stdout)
        .into_iter()
        .next()
        .expect("the program says where it listens")
        .expect("JSON")
}
