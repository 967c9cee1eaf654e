//! Nothing personal or secret is logged, however much is asked for: the whole story with real programs at trace level, and then
//! their standard output and error are searched for every secret, every piece of plaintext, and everybody's name on chain.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Output},
};

use alloy::{
    hex,
    primitives::{Address, B256},
};
use base64::{Engine as _, engine::general_purpose as base64_of};
use medlock_abi::{exceptions::IExceptions, terms::emergency};
use medlock_client::{Client, Endpoints, Identity, api::Purpose};
use medlock_deploy::Deployment;
use medlock_tests::{artifacts, eventually, fixture, medlock_binary, root};
use medlock_vault::{CompartmentKeys, KeyFile, Secrets, Suite};
use serde_json::{Value, json};

use crate::{
    program::{code, text},
    relay::Session,
};

/// Everything, and by name what is known to print requests, statements and state.
const EVERYTHING: [(&str, &str); 2] = [
    (
        "MEDLOCK_LOG",
        "trace,alloy=trace,alloy_rpc_client=trace,alloy_transport_http=trace,hyper=trace,hyper_util=trace,reqwest=trace,\
         rustls=trace,sqlx=trace,sqlx::query=trace,trie=trace",
    ),
    ("RUST_LOG", "trace"),
];
const BUNDLE: &str = "bundles/infant.json";
/// Of the bundle: what tells something about the patient, or is the content itself.
const PERSONAL: [&str; 12] = [
    "family",
    "given",
    "birthDate",
    "line",
    "city",
    "postalCode",
    "value",
    "display",
    "text",
    "data",
    "id",
    "fullUrl",
];
/// A shorter word may stand in any log for another reason.
const WORD_CHARS_LEAST: usize = 6;
/// The note that is added by itself, its title and its media type.
const NOTE: &str = "Complains of palpitations since Tuesday";
const TITLE: &str = "Cardiology letter of Dr Abernathy";

#[tokio::test(flavor = "multi_thread")]
async fn no_log_tells_a_secret_or_who_reads_whom() {
    let stage = Stage::start().await;
    let told = stage.play().await;
    let logs = stage.stop();

    for Log { name, text } in &logs {
        // Not only that: they were at trace level, and said something.
        if name.ends_with("service stderr") {
            assert!(
                text.contains("DEBUG") || text.contains("TRACE"),
                "{name} says nothing: {text}"
            );
        }
    }
    let services: Vec<_> = logs.iter().filter(|log| log.name.contains("service")).collect();
    assert_eq!(services.len(), 6, "standard output and error of three services");
    for secret in &told.secrets {
        let found: Vec<_> = logs
            .iter()
            .filter(|log| secret.is_in(&log.text))
            .map(|log| &log.name)
            .collect();
        assert!(found.is_empty(), "{} is in {found:?}", secret.what);
    }
    for name in &told.names {
        for log in &services {
            assert!(
                !name.is_in(&log.text),
                "{} is in {}: {}",
                name.what,
                log.name,
                name.around(&log.text)
            );
        }
    }
    told.canary();
}

/// What a process wrote.
struct Log {
    name: String,
    text: String,
}

/// What is looked for, in each form that it might be written in.
struct Sought {
    what: String,
    forms: BTreeSet<String>,
}

impl Sought {
    fn text(what: impl Into<String>, text: &str) -> Self {
        let escaped = format!("{text:?}");
        let forms = [
            text,
            escaped.trim_matches('"'),
            &base64_of::STANDARD_NO_PAD.encode(text),
        ];
        Self {
            what: what.into(),
            forms: forms.map(|form| form.to_lowercase()).into(),
        }
    }

    /// In hex (with or without 0x around it), base64 of either alphabet, base64 of the hex, and as a list of numbers.
    fn bytes(what: impl Into<String>, bytes: &[u8]) -> Self {
        let list = format!("{bytes:?}");
        let forms = [
            hex::encode(bytes),
            base64_of::STANDARD_NO_PAD.encode(bytes),
            base64_of::URL_SAFE_NO_PAD.encode(bytes),
            list.trim_matches(['[', ']']).to_owned(),
            list.replace(' ', "").trim_matches(['[', ']']).to_owned(),
        ];
        Self {
            what: what.into(),
            forms: forms.map(|form| form.to_lowercase()).into(),
        }
    }

    /// Whether it is in `text`, in any case, as a word or words of its own.
    fn is_in(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        self.forms.iter().any(|form| place(&text, form).is_some())
    }

    /// Some text around it.
    fn around(&self, text: &str) -> String {
        let text = text.to_lowercase();
        let at = self
            .forms
            .iter()
            .find_map(|form| place(&text, form))
            .unwrap_or_default();
        let bytes = &text.as_bytes()[at.saturating_sub(200)..(at + 200).min(text.len())];
        String::from_utf8_lossy(bytes).into_owned()
    }
}

/// Where `form` stands in `text` with neither a letter nor a digit on either side, but for the x of 0x.
fn place(text: &str, form: &str) -> Option<usize> {
    let is_edge = |beside: Option<char>| beside.is_none_or(|beside| !beside.is_alphanumeric() || beside == 'x');
    text.match_indices(form)
        .map(|(at, _)| at)
        .find(|at| is_edge(text[..*at].chars().next_back()) && is_edge(text[at + form.len()..].chars().next()))
}

/// What nobody must find.
#[derive(Default)]
struct Told {
    /// In no log, not even in one's own: secrets and content.
    secrets: Vec<Sought>,
    /// In no service's log: who reads whom.
    names: Vec<Sought>,
}

impl Told {
    /// Each would have been found: in a log in which it stands as a line of `tracing` would have it.
    fn canary(&self) {
        for sought in self.secrets.iter().chain(&self.names) {
            assert!(
                !sought.forms.is_empty() && sought.forms.iter().all(|form| form.len() >= 3),
                "{}",
                sought.what
            );
            for form in &sought.forms {
                let log = format!(
                    "2026-11-29T08:00:00Z DEBUG medlock: asked path=/v1/{} x",
                    form.to_uppercase()
                );
                assert!(sought.is_in(&log), "{} would not be found", sought.what);
                let log = format!("2026-11-29T08:00:00Z DEBUG medlock: asked path=/v1/0x{form}/reads");
                assert!(sought.is_in(&log), "{} would not be found", sought.what);
            }
            let clean = "2026-11-29T08:00:00Z DEBUG medlock::indexer: indexed number=7 events=3";
            assert!(!sought.is_in(clean), "{} is found anywhere", sought.what);
        }
    }

    fn account(&mut self, who: &str, secrets: &Secrets, account: Address) {
        self.secrets
            .push(Sought::bytes(format!("account key of {who}"), secrets.account.expose()));
        self.secrets.push(Sought::bytes(
            format!("encryption key of {who}"),
            secrets.encryption.expose(),
        ));
        self.secrets
            .push(Sought::bytes(format!("root secret of {who}"), secrets.root.expose()));
        let identity = Identity::new(secrets).unwrap();
        let words = identity.words();
        let words: Vec<_> = words.expose().split(' ').collect();
        for some in words.chunks(3) {
            self.secrets
                .push(Sought::text(format!("words of {who}"), &some.join(" ")));
        }
        self.names
            .push(Sought::bytes(format!("account of {who}"), account.as_slice()));
    }
}

/// A program that runs until it is stopped, with its output in files.
struct Service {
    name: &'static str,
    child: Child,
    dir: PathBuf,
}

impl Service {
    fn start(name: &'static str, dir: &Path, args: &[&str]) -> Self {
        let file = |kind: &str| File::create(dir.join(format!("{name}.{kind}"))).unwrap();
        let child = Command::new(medlock_binary())
            .args(args)
            .arg("--json")
            .envs(EVERYTHING)
            .stdout(file("stdout"))
            .stderr(file("stderr"))
            .spawn()
            .unwrap();
        Self {
            name,
            child,
            dir: dir.to_owned(),
        }
    }

    fn wrote(&self, kind: &str) -> String {
        fs::read_to_string(self.dir.join(format!("{}.{kind}", self.name))).unwrap()
    }

    /// The first value that it says: where it listens.
    async fn told(&self) -> Value {
        eventually(self.name, || async { serde_json::from_str(&self.wrote("stdout")).ok() }).await
    }

    fn stop(mut self) -> [Log; 2] {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        assert!(self.child.wait().unwrap().success(), "{}", self.wrote("stderr"));
        ["stdout", "stderr"].map(|kind| Log {
            name: format!("{}, service {kind}", self.name),
            text: self.wrote(kind),
        })
    }
}

/// Where a test fails before [`Service::stop`].
impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Person {
    name: &'static str,
    key: String,
    passphrase: String,
    account: String,
}

struct Stage {
    dir: tempfile::TempDir,
    dev: Service,
    index: Service,
    gateway: Service,
    /// Of the gateway in `dev`.
    url: String,
    other_url: String,
    rpc: String,
    /// What the commands wrote.
    commands: std::cell::RefCell<Vec<Log>>,
}

impl Stage {
    /// `medlock dev`, and on its chain an indexer and a gateway that run by themselves.
    async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name).display().to_string();
        let [home, index, other] = ["home", "index.db", "gateway"].map(path);
        let artifacts = artifacts().display().to_string();
        let dev = Service::start(
            "dev",
            dir.path(),
            &[
                "dev",
                "--rpc-port",
                "0",
                "--gateway-port",
                "0",
                "--home",
                &home,
                "--artifacts",
                &artifacts,
            ],
        );
        let told = dev.told().await;
        let rpc = told["rpc"].as_str().unwrap().to_owned();
        let index = Service::start(
            "index",
            dir.path(),
            &[
                "index",
                "--home",
                &home,
                "--db",
                &index,
                "--poll-ms",
                "50",
                "--metrics",
                "127.0.0.1:0",
            ],
        );
        let gateway = Service::start(
            "gateway",
            dir.path(),
            &[
                "gateway",
                "--home",
                &home,
                "--dir",
                &other,
                "--listen",
                "127.0.0.1:0",
                "--poll-ms",
                "50",
            ],
        );
        index.told().await;
        let url = told["gateway"].as_str().unwrap().to_owned();
        let other_url = gateway.told().await["gateway"].as_str().unwrap().to_owned();
        Self {
            dir,
            dev,
            index,
            gateway,
            url,
            other_url,
            rpc,
            commands: Default::default(),
        }
    }

    fn home(&self) -> PathBuf {
        self.dir.path().join("home")
    }

    fn run(&self, person: Option<&Person>, args: &[&str]) -> Output {
        let mut command = Command::new(medlock_binary());
        command
            .args(args)
            .arg("--home")
            .arg(self.home())
            .envs(EVERYTHING)
            .env_remove("MEDLOCK_KEY");
        if let Some(Person { key, passphrase, .. }) = person {
            command.args(["--key", key]).env("MEDLOCK_PASSPHRASE", passphrase);
        }
        let output = command.output().unwrap();
        // What a command is asked to show goes to standard output, and is no log.
        self.commands.borrow_mut().push(Log {
            name: format!("stderr of {args:?}"),
            text: String::from_utf8_lossy(&output.stderr).into_owned(),
        });
        output
    }

    fn ok(&self, person: &Person, args: &[&str]) -> Value {
        let output = self.run(Some(person), &[args, &["--json"]].concat());
        assert!(output.status.success(), "{args:?}: {}", text(&output));
        serde_json::from_slice(&output.stdout).unwrap_or_default()
    }

    fn person(&self, name: &'static str) -> Person {
        let key = self.dir.path().join(format!("{name}.keyfile")).display().to_string();
        let passphrase = format!("{name}'s very own passphrase");
        let mut person = Person {
            name,
            key,
            passphrase,
            account: String::new(),
        };
        let made = self.ok(&person, &["keys", "new", &person.key]);
        person.account = made["account"].as_str().unwrap().to_owned();
        let funded = self.run(None, &["dev", "fund", &person.account]);
        assert!(funded.status.success(), "{}", text(&funded));
        person
    }

    fn secrets(&self, person: &Person) -> Secrets {
        let file = KeyFile::from_json(&fs::read_to_string(&person.key).unwrap()).unwrap();
        file.open(person.passphrase.as_bytes()).unwrap()
    }

    /// The whole story; what of it nobody must find.
    async fn play(&self) -> Told {
        let mut told = Told::default();
        let [patient, clinic, nurse, poor] = ["patient", "clinic", "nurse", "poor"].map(|name| self.person(name));
        let owner = Person {
            name: "owner",
            key: self.home().join("owner.key").display().to_string(),
            passphrase: medlock::dev::OWNER_PASSPHRASE.to_owned(),
            account: String::new(),
        };
        let issuer = self.ok(&owner, &["keys", "show", &owner.key])["account"]
            .as_str()
            .unwrap()
            .to_owned();
        self.ok(&owner, &["party", "issuer", &issuer]);
        for provider in [&clinic, &nurse] {
            let roles = ["--roles", "organisation,provider"];
            self.ok(
                &owner,
                &[&["party", "credential", &provider.account][..], &roles].concat(),
            );
            self.ok(provider, &["keys", "publish"]);
        }

        let chart = self.ok(&patient, &["chart", "open"])["chart"]
            .as_str()
            .unwrap()
            .to_owned();
        let terms = [
            "--compartments",
            "all",
            "--purposes",
            "TREAT",
            "--actions",
            "read,write",
            "--for",
            "90d",
        ];
        self.ok(
            &patient,
            &[&["grant", "give", &chart, &clinic.account][..], &terms].concat(),
        );
        let bundle = root().join("tests/fixtures").join(BUNDLE).display().to_string();
        self.ok(&clinic, &["record", "import", &chart, &bundle, "--dry-run"]);
        self.ok(&clinic, &["record", "import", &chart, &bundle]);
        let [note, back, car, verdict] = ["note.txt", "back.json", "chart.car", "verdict.json"]
            .map(|name| self.dir.path().join(name).display().to_string());
        fs::write(&note, NOTE).unwrap();
        let compartment = [
            "--compartment",
            "6",
            "--media-type",
            "text/x-palpitation",
            "--title",
            TITLE,
        ];
        let added = self.ok(&clinic, &[&["record", "add", &chart, &note][..], &compartment].concat());
        let record = added["record_id"].as_str().unwrap_or_default().to_owned();
        let listed = self.ok(&clinic, &["record", "list", &chart]);
        let records: Vec<_> = listed.as_array().unwrap().iter().map(|one| &one["record_id"]).collect();
        assert!(
            records.len() > 10 && records.iter().any(|one| **one == json!(record)),
            "{added}"
        );
        self.ok(&clinic, &["record", "show", &chart, &record, "--out", &back]);
        assert_eq!(fs::read_to_string(&back).unwrap(), NOTE);
        fs::remove_file(&back).unwrap();
        let question = ["check", &chart, "--compartment", "6", "--purpose"];
        self.ok(
            &clinic,
            &[&question[..], &["TREAT", "--prove", "--out", &verdict]].concat(),
        );
        assert_eq!(
            code(&self.run(Some(&clinic), &[&question[..], &["HRESCH"]].concat())),
            7
        );
        self.ok(&clinic, &["verify", &verdict, "--proved"]);

        let relayed = self.ok(&poor, &["--relay", "chart", "open"])["chart"]
            .as_str()
            .unwrap()
            .to_owned();
        self.ok(&poor, &["relay", "list"]);
        let tokens = self.over_http(&patient, &chart, &record).await;
        self.break_glass(&patient, &nurse, &chart, &record).await;

        self.ok(&clinic, &["record", "export", &chart, &back]);
        self.ok(&patient, &["log", &chart]);
        self.ok(&patient, &["record", "shred", &chart, &record]);
        self.ok(&patient, &["chart", "backup", &chart, &car]);
        self.ok(&patient, &["grant", "revoke", &chart, &clinic.account]);
        assert_eq!(code(&self.run(Some(&clinic), &["record", "list", &chart])), 3);
        self.ok(&patient, &["keys", "words"]);
        self.ok(&patient, &["keys", "sign-out"]);
        let wrong = Person {
            passphrase: "not the passphrase".into(),
            ..self.copy(&clinic)
        };
        assert_eq!(code(&self.run(Some(&wrong), &["record", "list", &chart])), 6);
        self.followed().await;

        for person in [&patient, &clinic, &nurse, &poor, &wrong] {
            told.secrets.push(Sought::text(
                format!("passphrase of {}", person.name),
                &person.passphrase,
            ));
        }
        for person in [&patient, &clinic, &nurse, &poor] {
            told.account(person.name, &self.secrets(person), person.account.parse().unwrap());
        }
        for (name, key) in [
            ("gateway's key", self.home().join("gateway.key")),
            ("relay's key", self.home().join("relay.key")),
            ("second gateway's key", self.dir.path().join("gateway/gateway.key")),
        ] {
            let signer = medlock::dev::gateway_key(&key).unwrap();
            told.secrets.push(Sought::bytes(name, signer.to_bytes().as_slice()));
        }
        let sought = tokens.iter().map(|token| Sought::text("session token", token));
        told.secrets.extend(sought);
        let chart: B256 = chart.parse().unwrap();
        let root = self.secrets(&patient).root;
        for number in medlock_client::default_labels().into_keys() {
            for epoch in 1..=2 {
                let keys = CompartmentKeys::derive(&root, &chart.0, number, epoch, Suite::default()).unwrap();
                told.secrets.push(Sought::bytes(
                    format!("key of compartment {number}"),
                    keys.private.expose(),
                ));
                let history = keys.history.unwrap();
                told.secrets.push(Sought::bytes(
                    format!("history key of compartment {number}"),
                    history.expose(),
                ));
            }
        }
        for text in [NOTE, TITLE, "text/x-palpitation"] {
            told.secrets.push(Sought::text(text, text));
        }
        let content = plaintext(&serde_json::from_slice(&fixture(BUNDLE)).unwrap());
        assert!(content.len() > 60, "{content:?}");
        told.secrets.extend(
            content
                .iter()
                .map(|text| Sought::text(format!("plaintext {text:?}"), text)),
        );
        told.names.push(Sought::bytes("chart", chart.as_slice()));
        told.names.push(Sought::bytes(
            "relayed chart",
            relayed.parse::<B256>().unwrap().as_slice(),
        ));
        for record in records {
            let record: B256 = record.as_str().unwrap().parse().unwrap();
            told.names.push(Sought::bytes("record", record.as_slice()));
        }
        told
    }

    fn copy(&self, person: &Person) -> Person {
        Person {
            name: person.name,
            key: person.key.clone(),
            passphrase: person.passphrase.clone(),
            account: person.account.clone(),
        }
    }

    /// Asks both gateways by plain HTTP, rightly and wrongly, with ids in every place where a URL has room for them. Gives the tokens.
    async fn over_http(&self, patient: &Person, chart: &str, record: &str) -> Vec<String> {
        let identity = Identity::open(Path::new(&patient.key), &patient.passphrase).unwrap();
        let (bare, account) = (chart.trim_start_matches("0x"), &patient.account);
        let mut tokens = Vec::new();
        for (url, directory) in [(&self.url, 200), (&self.other_url, 502)] {
            let session = Session::of(&identity, url).await;
            let get = async |path: &str| {
                let get = reqwest::Client::new().get(format!("{url}{path}"));
                get.bearer_auth(&session.token).send().await.unwrap().status().as_u16()
            };
            let versions = format!("/v1/charts/{chart}/records/{record}/versions");
            eventually("the gateway's index follows", || async {
                (get(&versions).await == 200).then_some(())
            })
            .await;
            for (path, status) in [
                (format!("/v1/charts/{chart}"), 200),
                // The second gateway has the index alone: it fails, and says in its log why.
                (format!("/v1/charts/{chart}/directory"), directory),
                (format!("/v1/charts/{chart}/records?compartment=6"), 200),
                (format!("/v1/charts/{chart}/reads"), 200),
                (format!("/v1/charts/{chart}/grants?after={record}"), 400),
                (format!("{versions}/1/payload"), 403),
                (format!("/v1/charts/{chart}/nowhere?token={}", session.token), 404),
                (format!("/v1/charts/{bare}"), 200),
                (format!("/v1/parties/{account}"), 200),
                (format!("/fhir/Consent?patient=Patient/{bare}"), 200),
                (format!("/fhir/DocumentReference/{bare}-{record}"), 404),
            ] {
                assert_eq!(get(&path).await, status, "{path}");
            }
            let nonsense = json!({ "chart": chart, "account": account });
            let (status, _) = session.post_json(&nonsense, Some(record)).await;
            assert!(status.is_client_error(), "{status}");
            tokens.push(session.token);
        }
        tokens
    }

    async fn client(&self, person: &Person) -> Client {
        let endpoints = Endpoints {
            rpc: self.rpc.clone(),
            gateway: self.url.clone(),
        };
        let deployment = Deployment::load(self.home().join("deployment.json")).unwrap();
        let identity = Identity::open(Path::new(&person.key), &person.passphrase).unwrap();
        Client::connect(&endpoints, deployment, identity).await.unwrap()
    }

    /// The patient allows it, the nurse does it, and reads what is sealed: nobody has left keys with custodians here.
    async fn break_glass(&self, patient: &Person, nurse: &Person, chart: &str, record: &str) {
        let (patient, nurse) = (self.client(patient).await, self.client(nurse).await);
        let [chart, record] = [chart, record].map(|id| id.parse::<B256>().unwrap());
        let exceptions = patient.deployment().exceptions;
        let allow = IExceptions::setEmergencyAccessCall {
            actor: patient.address(),
            chart,
            serial: 0,
            allowed: true,
        };
        patient.chain().send(exceptions, allow).await.unwrap();
        let breaks = IExceptions::breakGlassCall {
            actor: nurse.address(),
            chart,
            organisation: Address::ZERO,
            compartments: u64::MAX,
            reasonCode: emergency::LIFE_THREATENING,
        };
        nurse.chain().send(exceptions, breaks).await.unwrap();
        let etreat = Purpose::from_code("ETREAT").unwrap();
        let open = nurse.chart(chart).await.unwrap();
        open.fetch(record, None, etreat).await.unwrap();
    }

    /// Until the indexer that runs by itself has seen all of it.
    async fn followed(&self) {
        let metrics = self.index.told().await["metrics"]
            .as_str()
            .unwrap()
            .replace("/metrics", "/readyz");
        eventually("the index follows", || async {
            reqwest::get(&metrics)
                .await
                .ok()
                .filter(|answer| answer.status().is_success())
        })
        .await;
    }

    fn stop(self) -> Vec<Log> {
        let mut logs = self.commands.into_inner();
        for service in [self.gateway, self.index, self.dev] {
            logs.extend(service.stop());
        }
        logs
    }
}

/// Every piece of the bundle that tells something.
fn plaintext(bundle: &Value) -> BTreeSet<String> {
    fn walk(value: &Value, key: &str, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) => fields.iter().for_each(|(key, value)| walk(value, key, found)),
            Value::Array(values) => values.iter().for_each(|value| walk(value, key, found)),
            Value::String(text) if PERSONAL.contains(&key) && text.len() >= WORD_CHARS_LEAST => {
                found.insert(text.clone());
            }
            _ => (),
        }
    }
    let mut found = BTreeSet::new();
    walk(bundle, "", &mut found);
    found
}
