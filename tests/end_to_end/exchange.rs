//! Files of others into a chart and out of it: what goes in comes out, nothing twice, nothing lost, nothing on the quiet.

use std::{
    collections::BTreeMap,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Stdio},
};

use alloy::primitives::B256;
use base64::{Engine, engine::general_purpose::STANDARD};
use medlock_client::{
    Client, GrantTerms, Identity, ImportOptions, Kind, Layout, Metadata, NewDocument, Outcome, default_labels,
    identity::rng,
    now,
    terms::{action, purpose},
};
use medlock_fhir::Label;
use medlock_tests::{
    World, eventually, fixture, medlock_binary, patient_request,
    proxy::{Fate, Proxy},
    root, treat, treatment,
};
use medlock_vault::rand_core::Rng;
use reqwest::Method;
use serde_json::{Value, json};

use crate::program::{Person, code, text};

fn path(name: &str) -> String {
    root().join("tests/fixtures").join(name).display().to_string()
}

/// A patient's program with a chart of their own.
struct Patient<'a> {
    person: Person<'a>,
    chart: String,
}

impl<'a> Patient<'a> {
    async fn new(world: &'a World, name: &str) -> Self {
        let person = Person::new(world, name).await;
        let chart = person.ok(&["chart", "open"])["chart"].as_str().unwrap().to_owned();
        Self { person, chart }
    }

    fn import(&self, args: &[&str]) -> Value {
        self.person.ok(&[&["record", "import", &self.chart], args].concat())
    }

    /// The export's bytes, and what the program says of it.
    fn export(&self, args: &[&str]) -> (Vec<u8>, Value) {
        let out = self.person.world.home().join(format!("{}.json", self.chart));
        let out = out.to_str().unwrap();
        let said = self
            .person
            .ok(&[&["record", "export", &self.chart, out, "--force"], args].concat());
        (std::fs::read(out).unwrap(), said)
    }

    /// Outcomes of the files' entries, counted.
    fn counts(said: &Value) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for entry in said["files"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|file| file["entries"].as_array().unwrap())
        {
            *counts.entry(entry["outcome"].as_str().unwrap().to_owned()).or_insert(0) += 1;
        }
        counts
    }

    async fn client(&self) -> Client {
        let identity = Identity::open(&self.person.key, "correct horse").unwrap();
        self.person.world.dev.client(identity).await.unwrap()
    }

    fn id(&self) -> B256 {
        self.chart.parse().unwrap()
    }
}

fn counted(of: &[(&str, usize)]) -> BTreeMap<String, usize> {
    of.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

/// What fhir.resources (R4) finds wrong. (HAPI FHIR wants a full URL for each entry of a Bundle: what came alone has none, and leaves as it came.)
fn faults(bundle: &[u8]) -> Vec<String> {
    let value: Value = serde_json::from_slice(bundle).unwrap();
    medlock_peers::fhir_resources_faults(&[value.to_string()]).remove(0)
}

/// The documents of a Bundle: media type and bytes.
fn documents(bundle: &[u8]) -> Vec<(String, Vec<u8>)> {
    let bundle: Value = serde_json::from_slice(bundle).unwrap();
    let attachment = |entry: &Value| {
        let attachment = entry["resource"]["content"][0]["attachment"].clone();
        let bytes = STANDARD.decode(attachment["data"].as_str()?).unwrap();
        assert_eq!(attachment["size"], bytes.len());
        Some((attachment["contentType"].as_str().unwrap().to_owned(), bytes))
    };
    bundle["entry"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(attachment)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_in_comes_out_of_every_chart_it_is_brought_to() {
    let world = World::start().await;
    let one = Patient::new(&world, "one").await;
    let visit = path("exchange/visit.json");
    let planned = one.import(&[&visit, "--dry-run"]);
    assert_eq!(Patient::counts(&planned), counted(&[("added", 5)]));
    assert_eq!(one.person.ok(&["record", "list", &one.chart]), json!([]), "a dry run");
    let imported = one.import(&[&visit]);
    assert_eq!(planned["files"][0]["entries"], imported["files"][0]["entries"]);
    let topics = &imported["files"][0]["entries"];
    assert_eq!(
        (&topics[3]["category"], &topics[3]["topic"]),
        (&json!("sensitive"), &json!("mental-health"))
    );
    let (exported, said) = one.export(&[]);
    assert!(exported == fixture("exchange/visit.json"));
    assert_eq!(said["exported"]["layout"], "imported");
    let out = world.home().join(format!("{}.json", one.chart));
    assert_eq!(std::fs::metadata(&out).unwrap().permissions().mode() & 0o777, 0o600);
    let again = one.person.run(&["record", "export", &one.chart, out.to_str().unwrap()]);
    assert!(
        code(&again) == 1 && text(&again).contains("--force"),
        "{}",
        text(&again)
    );

    // Documents beside it.
    let others = [
        "exchange/oru-r01.hl7",
        "exchange/adt.mllp",
        "exchange/ct.dcm",
        "exchange/letter.pdf",
    ]
    .map(path);
    let others: Vec<&str> = others.iter().map(String::as_str).collect();
    let imported = one.import(&[&others[..], &["--sensitive"]].concat());
    let kinds: Vec<_> = imported["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| file["kind"].clone())
        .collect();
    assert_eq!(kinds, ["hl7v2", "hl7v2", "dicom", "document"]);
    assert_eq!(Patient::counts(&imported), counted(&[("added", 5)]));
    let entries = &imported["files"][0]["entries"][0];
    assert_eq!(entries["title"], "HL7 v2 ORU^R01");
    assert_eq!(entries["compartment"], Label::Sensitive.compartment());
    let repeated = one.import(&[&others[..], &["--sensitive"]].concat());
    assert_eq!(Patient::counts(&repeated), counted(&[("unchanged", 5)]));
    let repeated = one.import(&[&visit]);
    assert_eq!(Patient::counts(&repeated), counted(&[("unchanged", 5)]));
    // Said to be sensitive only now: what others could read is named.
    let planned = one.import(&[&visit, "--sensitive", "--dry-run"]);
    assert_eq!(Patient::counts(&planned), counted(&[("added", 4), ("unchanged", 1)]));
    assert_eq!(
        planned["files"][0]["entries"][0]["elsewhere"],
        repeated["files"][0]["entries"][0]["record_id"]
    );

    let (collection, said) = one.export(&[]);
    assert_eq!(said["exported"]["layout"], "collection");
    assert_eq!(
        (&said["exported"]["resources"], &said["exported"]["documents"]),
        (&json!(5), &json!(5))
    );
    assert_eq!(said["exported"]["left_out"], json!([]));
    assert_eq!(faults(&collection), [""; 0]);
    // Every resource is in it as its bytes were.
    let visit_bytes = fixture("exchange/visit.json");
    for entry in medlock_fhir::split(&visit_bytes).unwrap().entries {
        let there = collection
            .windows(entry.source.len())
            .any(|window| window == entry.source);
        assert!(there, "{}", entry.resource_type);
    }
    // And every document: of the MLLP file, the two messages.
    let adt = fixture("exchange/adt.mllp");
    let mut expected: Vec<_> = medlock_fhir::hl7v2::messages(&adt)
        .unwrap()
        .into_iter()
        .map(|message| ("application/hl7-v2".to_owned(), message.to_vec()))
        .collect();
    expected.extend([
        ("application/hl7-v2".to_owned(), fixture("exchange/oru-r01.hl7")),
        ("application/dicom".to_owned(), fixture("exchange/ct.dcm")),
        ("application/pdf".to_owned(), fixture("exchange/letter.pdf")),
    ]);
    expected.sort();
    let mut found = documents(&collection);
    found.sort();
    assert!(found == expected);

    // As it was imported, whatever else there is.
    let frame = imported_frame(&repeated);
    for original in ["--original".to_owned(), format!("--original={frame}")] {
        assert!(one.export(&[&original]).0 == visit_bytes);
    }
    // To another chart, and out again.
    let two = Patient::new(&world, "two").await;
    let out = out.to_str().unwrap();
    std::fs::write(out, &collection).unwrap();
    let moved = two.import(&[out]);
    let moved = &moved["files"][0]["entries"];
    let sensitive = moved
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["category"] == "sensitive");
    assert_eq!(sensitive.count(), 6, "what was sensitive is so in the other chart");
    let (again, said) = two.export(&[]);
    assert!(again == collection);
    assert_eq!(said["exported"]["layout"], "imported");
    let printed = two.person.run(&["record", "export", &two.chart, "-"]);
    assert!(printed.status.success() && printed.stdout == collection);
}

fn imported_frame(said: &Value) -> &str {
    said["files"][0]["frame"].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_resource_is_the_next_version_of_its_record() {
    let world = World::start().await;
    let patient = Patient::new(&world, "patient").await;
    let (visit, update) = (path("exchange/visit.json"), path("exchange/update.json"));
    let first = patient.import(&[&visit]);
    let second = patient.import(&[&update]);
    assert_eq!(
        Patient::counts(&second),
        counted(&[("added", 1), ("amended", 1), ("unchanged", 4)])
    );
    let glucose = |said: &Value| said["files"][0]["entries"][2].clone();
    assert_eq!(glucose(&first)["record_id"], glucose(&second)["record_id"]);
    assert_eq!(
        (&glucose(&second)["version"], &glucose(&second)["compartment"]),
        (&json!(2), &json!(4))
    );
    let (exported, said) = patient.export(&[]);
    assert!(exported == fixture("exchange/update.json"));
    assert_eq!(said["exported"]["layout"], "imported");

    // Neither again, in any order, changes anything: what was a version once does not come back.
    for files in [[&visit, &update], [&update, &visit]] {
        let again = patient.import(&files.map(String::as_str));
        assert_eq!(Patient::counts(&again), counted(&[("unchanged", 11)]));
        assert!(
            again["files"]
                .as_array()
                .unwrap()
                .iter()
                .all(|file| file["stored"] == json!([]))
        );
    }
    assert!(patient.export(&[]).0 == fixture("exchange/update.json"));
    let frame = format!("--original={}", imported_frame(&first));
    assert!(patient.export(&[&frame]).0 == fixture("exchange/visit.json"));

    // One a line, with ids that mean something where it is said whose they are.
    let lines = path("exchange/bulk.ndjson");
    let added = patient.import(&[&lines, "--source", "praxis"]);
    assert_eq!(Patient::counts(&added), counted(&[("added", 3)]));
    let changed = world.home().join("changed.ndjson");
    let content = String::from_utf8(fixture("exchange/bulk.ndjson")).unwrap();
    std::fs::write(&changed, content.replace("Grippe", "Influenza")).unwrap();
    let changed = changed.to_str().unwrap();
    let planned = patient.import(&[changed, "--source", "praxis", "--dry-run"]);
    assert_eq!(Patient::counts(&planned), counted(&[("amended", 1), ("unchanged", 2)]));
    let other = patient.import(&[changed, "--dry-run", "--source", "klinik"]);
    assert_eq!(Patient::counts(&other), counted(&[("added", 3)]));
    let unnamed = patient.import(&[changed, "--dry-run"]);
    assert_eq!(Patient::counts(&unnamed), counted(&[("added", 3)]));
    assert!(patient.export(&["--original"]).0 == content.as_bytes());
    let (collection, _) = patient.export(&[]);
    assert_eq!(faults(&collection), [""; 0]);
}

/// A history has the newest version first; a record has the oldest first.
#[tokio::test(flavor = "multi_thread")]
async fn versions_of_a_history_are_versions_of_a_record() {
    let world = World::start().await;
    let (patient, chart) = world.patient().await;
    let open = patient.chart(chart).await.unwrap();
    let version = |number: u32, text: &str| {
        format!(
            r#"{{"fullUrl":"https://x.org/fhir/Condition/1","resource":{{"resourceType":"Condition","id":"1","meta":{{"versionId":"{number}"}},"code":{{"text":"{text}"}},"subject":{{}}}},"request":{{"method":"PUT","url":"Condition/1"}}}}"#
        )
    };
    // The middle one is sensitive, so that none of them may go into another compartment.
    let entries = [
        version(3, "tired"),
        version(2, "depression"),
        version(1, "tired, cough"),
    ]
    .join(",");
    let history = format!(r#"{{"resourceType":"Bundle","type":"history","entry":[{entries}]}}"#);
    let imported = open.import(history.as_bytes(), |_, _| ()).await.unwrap();
    let versions: Vec<_> = imported
        .entries
        .iter()
        .map(|entry| (entry.version, entry.outcome))
        .collect();
    assert_eq!(
        versions,
        [(3, Outcome::Amended), (2, Outcome::Amended), (1, Outcome::Added)]
    );
    world.indexed().await;
    let records = patient
        .records(chart, Some(Label::Sensitive.compartment()))
        .await
        .unwrap();
    assert_eq!((records.len(), records[0].version), (1, 3));
    let again = open.import(history.as_bytes(), |_, _| ()).await.unwrap();
    assert_eq!((again.stored.len(), again.count(Outcome::Unchanged)), (0, 3));
    let exported = open.export(treat(), |_, _| ()).await.unwrap();
    assert_eq!(exported.as_slice(), history.as_bytes());
    let file = tempfile::tempfile().unwrap();
    let all = open
        .export_all(patient_request(), file.try_clone().unwrap(), |_, _| ())
        .await
        .unwrap();
    assert_eq!((all.layout, all.resources), (Layout::Imported, 3));
}

/// Killed, not stopped, after some of it is in the chart; then again, until it is done.
#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_is_killed_is_completed_by_the_same_command() {
    let world = World::start().await;
    let patient = Patient::new(&world, "patient").await;
    let bundle = path("bundles/adolescent.json");
    let client = patient.client().await;
    let count = async || client.records(patient.id(), None).await.unwrap().len();
    for at_least in [1, 200, 500] {
        let mut child = Command::new(medlock_binary())
            .args(["record", "import", &patient.chart, &bundle, "--json", "--home"])
            .arg(world.home())
            .arg("--key")
            .arg(&patient.person.key)
            .env("MEDLOCK_PASSPHRASE", "correct horse")
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        eventually("some of it is in the chart", || async {
            (count().await >= at_least).then_some(())
        })
        .await;
        child.kill().unwrap();
        child.wait().unwrap();
    }
    world.indexed().await;
    let before = count().await;
    let done = patient.import(&[&bundle]);
    let stored = done["files"][0]["stored"].as_array().unwrap().len();
    world.indexed().await;
    let records = client.records(patient.id(), None).await.unwrap();
    assert_eq!((records.len(), before + stored), (799, 799));
    assert!(records.iter().all(|record| record.version == 1), "nothing twice");
    assert!(patient.export(&[]).0 == fixture("bundles/adolescent.json"));
}

/// Amendments are made one by one: it stops after the first.
#[tokio::test(flavor = "multi_thread")]
async fn an_update_that_is_interrupted_is_completed_by_the_next() {
    let world = World::start().await;
    let (patient, chart) = world.patient().await;
    let open = patient.chart(chart).await.unwrap();
    let visit = String::from_utf8(fixture("exchange/visit.json")).unwrap();
    open.import(visit.as_bytes(), |_, _| ()).await.unwrap();
    let changed = visit
        .replace("T09:05", "T10:05")
        .replace("T09:10", "T10:10")
        .replace("Salbutamol 100", "Salbutamol 200");
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    let import = tokio::spawn({
        let (open, changed) = (open.clone(), changed.clone());
        async move {
            let told = |done, _| sender.send(done).expect("the test listens");
            open.import(changed.as_bytes(), told).await
        }
    });
    receiver.recv().await.expect("progress");
    import.abort();
    let _ = import.await;
    let completed = open.import(changed.as_bytes(), |_, _| ()).await.unwrap();
    assert_eq!(completed.count(Outcome::Refused), 0);
    assert!(completed.count(Outcome::Amended) <= 2, "one was done before");
    world.indexed().await;
    let records = patient.records(chart, None).await.unwrap();
    let mut versions: Vec<_> = records.iter().map(|record| record.version).collect();
    versions.sort_unstable();
    assert_eq!(
        versions,
        [1, 1, 1, 1, 2, 2, 2],
        "five resources, three of them amended once, and two frames"
    );
    let file = tempfile::NamedTempFile::new().unwrap();
    let all = open
        .export_all(patient_request(), file.as_file().try_clone().unwrap(), |_, _| ())
        .await
        .unwrap();
    assert_eq!(all.layout, Layout::Imported);
    assert_eq!(std::fs::read_to_string(file.path()).unwrap(), changed);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_read_some_exports_some_and_is_told_of_the_rest() {
    let world = World::start().await;
    let (patient, chart) = world.patient().await;
    let own = patient.chart(chart).await.unwrap();
    let visit = fixture("exchange/visit.json");
    let imported = own.import(&visit, |_, _| ()).await.unwrap();
    let clinic = world.clinic().await;
    let terms = |labels: &[u8]| GrantTerms {
        compartments: labels.iter().fold(0, |mask, number| mask | 1 << number),
        purposes: purpose::TREAT,
        actions: action::READ,
        notBefore: 0,
        expiry: now() + 1_000,
    };
    let labs = [Label::Labs, Label::Demographics].map(Label::compartment);
    let export = async |client: &Client, purpose| {
        let open = client.chart(chart).await.unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        let exported = open
            .export_all(purpose, file.as_file().try_clone().unwrap(), |_, _| ())
            .await
            .unwrap();
        let bytes = std::fs::read(file.path()).unwrap();
        assert_eq!(faults(&bytes), [""; 0]);
        (exported, serde_json::from_slice::<Value>(&bytes).unwrap())
    };
    // Without the frames nobody says what else there is.
    patient.grant(chart, clinic.address(), terms(&labs)).await.unwrap();
    let (exported, bundle) = export(&clinic, treat()).await;
    assert_eq!((exported.resources, &exported.left_out[..]), (2, &[][..]));
    assert_eq!(
        bundle["entry"][1]["fullUrl"],
        "urn:uuid:5b0f6e1c-7d4e-4f0a-9f2b-0a6f6f0d1a03"
    );
    assert!(bundle.get("meta").is_none());
    let frames = [&labs[..], &[medlock_client::FRAMES]].concat();
    patient.grant(chart, clinic.address(), terms(&frames)).await.unwrap();
    let (exported, bundle) = export(&clinic, treat()).await;
    assert_eq!((exported.resources, exported.left_out.len()), (2, 3));
    let granted = |why: &str| exported.left_out.iter().all(|left| left.why == why && !left.damaged);
    assert!(granted("not granted"), "{:?}", exported.left_out);
    assert_eq!(bundle["meta"]["tag"][0]["code"], "SUBSETTED");

    // Shredded: left out for its owner as well, and not brought back by importing it again.
    let shredded = imported.entries[4].record_id;
    own.shred(shredded).await.unwrap();
    world.indexed().await;
    let (exported, _) = export(&patient, patient_request()).await;
    assert_eq!((exported.layout, exported.resources), (Layout::Collection, 4));
    assert_eq!(
        (exported.left_out[0].record_id, &exported.left_out[0].why[..]),
        (shredded, "shredded")
    );
    let again = own.import(&visit, |_, _| ()).await.unwrap();
    assert_eq!(
        (
            again.count(Outcome::Refused),
            again.count(Outcome::Unchanged),
            again.frame
        ),
        (1, 4, None)
    );
    assert!(again.entries[4].why.unwrap().contains("shredded") && again.stored.is_empty());
}

/// A payload that the gateway does not have any more, and one that it serves altered.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_damaged_is_named_and_the_rest_is_exported() {
    let proxy = Proxy::start().await;
    let world = World::behind(&proxy).await;
    let (patient, chart) = world.patient().await;
    let open = patient.chart(chart).await.unwrap();
    let imported = open.import(&fixture("exchange/visit.json"), |_, _| ()).await.unwrap();
    let damaged = imported.entries[1].record_id;
    proxy.rule(
        move |asked| match asked.is(Method::GET, &format!("{damaged}/versions/1/payload")) {
            true => Fate::change(|body| *body.last_mut().unwrap() ^= 1),
            false => Fate::Forward,
        },
    );
    let file = tempfile::NamedTempFile::new().unwrap();
    let exported = open
        .export_all(patient_request(), file.as_file().try_clone().unwrap(), |_, _| ())
        .await
        .unwrap();
    assert_eq!((exported.layout, exported.resources), (Layout::Collection, 4));
    let [left] = &exported.left_out[..] else {
        panic!("{:?}", exported.left_out)
    };
    assert!(left.record_id == damaged && left.damaged, "{left:?}");
    let bundle: Value = serde_json::from_slice(&std::fs::read(file.path()).unwrap()).unwrap();
    assert_eq!(bundle["entry"].as_array().unwrap().len(), 4);
}

/// Content that became sensitive does not go where others may read; what was sensitive once stays so.
#[tokio::test(flavor = "multi_thread")]
async fn what_becomes_sensitive_moves_and_what_was_stays() {
    let world = World::start().await;
    let (patient, chart) = world.patient().await;
    let open = patient.chart(chart).await.unwrap();
    let condition = |text: &str| {
        format!(
            r#"{{"resourceType":"Bundle","type":"collection","entry":[{{"fullUrl":"urn:oid:1.2","resource":{{"resourceType":"Condition","code":{{"text":"{text}"}},"subject":{{}}}}}}]}}"#
        )
    };
    let import = async |text: &str| {
        let imported = open.import(condition(text).as_bytes(), |_, _| ()).await.unwrap();
        world.indexed().await;
        imported.entries[0].clone()
    };
    let plain = import("tired").await;
    assert_eq!(plain.compartment, Label::Conditions.compartment());
    let moved = import("depression").await;
    assert_eq!(
        (moved.compartment, moved.outcome),
        (Label::Sensitive.compartment(), Outcome::Added)
    );
    assert_eq!((moved.elsewhere, moved.version), (Some(plain.record_id), 1));
    let stays = import("in remission").await;
    assert_eq!((stays.record_id, stays.version), (moved.record_id, 2));
    assert_eq!(stays.compartment, Label::Sensitive.compartment());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_about_somebody_else_is_refused() {
    let world = World::start().await;
    let patient = Patient::new(&world, "patient").await;
    patient.import(&[&path("exchange/visit.json")]);
    let refused = |file: &str| {
        let output = patient
            .person
            .run(&["record", "import", &patient.chart, file, "--json"]);
        assert_eq!(code(&output), 1, "{}", text(&output));
        let said: Value = serde_json::from_slice(&output.stdout).unwrap();
        said["files"][0]["error"].as_str().unwrap().to_owned()
    };
    let other = path("bundles/infant.json");
    assert!(refused(&other).contains("another day"));
    let two = world.home().join("two.ndjson");
    std::fs::write(&two, "{\"resourceType\":\"Patient\",\"id\":\"a\"}\n{\"resourceType\":\"Basic\",\"subject\":{\"reference\":\"Patient/b\"}}").unwrap();
    assert!(refused(two.to_str().unwrap()).contains("2 patients"));
    let taken = patient.import(&[two.to_str().unwrap(), &other, "--any-patient"]);
    assert_eq!(Patient::counts(&taken), counted(&[("added", 50)]));
}

/// Each is refused with a reason, nothing of it is imported, and what stands beside it is.
#[tokio::test(flavor = "multi_thread")]
async fn hostile_files_are_refused_one_by_one() {
    let world = World::start().await;
    let patient = Patient::new(&world, "patient").await;
    let visit = String::from_utf8(fixture("exchange/visit.json")).unwrap();
    let bundle = |entries: &str| format!(r#"{{"resourceType":"Bundle","type":"collection","entry":[{entries}]}}"#);
    let basic = |rest: &str| format!(r#"{{"resource":{{"resourceType":"Basic"{rest}}}}}"#);
    let named = |url: &str| format!(r#"{{"fullUrl":"{url}","resource":{{"resourceType":"Basic"}}}}"#);
    let mut dicom = fixture("exchange/ct.dcm");
    dicom.truncate(300);
    let latin1 = visit.chars().map(|c| c as u8).collect::<Vec<_>>();
    let oru = fixture("exchange/oru-r01.hl7");
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("empty", Vec::new(), "empty"),
        ("blank", b" \n\n".to_vec(), "white space"),
        (
            "bom",
            [&b"\xef\xbb\xbf"[..], visit.as_bytes()].concat(),
            "byte order mark",
        ),
        ("utf16", [&b"\xff\xfe"[..], b"{\0"].concat(), "UTF-16"),
        ("latin1", latin1, "not JSON"),
        ("gzip", b"\x1f\x8b\x08\0\0".to_vec(), "gzip"),
        ("cut", visit.as_bytes()[..visit.len() / 2].to_vec(), "not JSON"),
        (
            "deep",
            bundle(&basic(&format!(",\"x\":{}{}", "[".repeat(500), "]".repeat(500)))).into(),
            "nested",
        ),
        ("deeper", "[".repeat(5_000_000).into(), "nested"),
        ("many", bundle(&vec!["{}"; 100_001].join(",")).into(), "entries"),
        ("none", bundle("").into(), "no entries"),
        (
            "twice",
            bundle(&basic(r#","id":"a","id":"b""#)).into(),
            "property twice",
        ),
        (
            "urls",
            bundle(&[named("urn:a"), named("urn:a")].join(",")).into(),
            "same fullUrl",
        ),
        (
            "ids",
            bundle(&[basic(r#","id":"a""#), basic(r#","id":"a""#)].join(",")).into(),
            "same type and id",
        ),
        (
            "delete",
            bundle(r#"{"request":{"method":"DELETE","url":"Patient/1"}}"#).into(),
            "no resource",
        ),
        (
            "r5",
            bundle(r#"{"resource":{"resourceType":"NutritionIntake"}}"#).into(),
            "R5",
        ),
        ("teapot", br#"{"resourceType":"Teapot"}"#.to_vec(), "not a Bundle"),
        ("xml", b"<Bundle xmlns=\"http://hl7.org/fhir\"/>".to_vec(), "XML"),
        (
            "lines",
            b"{\"resourceType\":\"Patient\"}\n{\"resourceType\":\"Patient\"\n".to_vec(),
            "line 2",
        ),
        ("dicom", dicom, "is missing"),
        ("hl7", [&oru[..], &oru[..]].concat(), "more than one message"),
        ("batch", b"BHS|^~\\&|A\rMSH|^~\\&|\r".to_vec(), "batch header"),
        ("mllp", [&b"\x0b"[..], &oru].concat(), "does not end"),
        ("control", oru.replace_bytes(b"LN-2026-004711", b"LN\x1b[2J"), "MSH-10"),
    ];
    let folder = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for (name, content, _) in &cases {
        // A name is nothing to go by.
        let file = folder.path().join(format!("..{name};$(touch x)\u{1b}[2J.json"));
        std::fs::write(&file, content).unwrap();
        files.push(file.display().to_string());
    }
    let missing = folder.path().join("missing").display().to_string();
    files.push(missing);
    files.push(folder.path().display().to_string());
    // References that lead nowhere are the source's own business.
    let outside = bundle(&basic(
        r#","code":{"text":"x"},"subject":{"reference":"Patient/elsewhere"}"#,
    ));
    let good = folder.path().join("good");
    std::fs::write(&good, &outside).unwrap();
    files.push(good.display().to_string());
    let args: Vec<&str> = ["record", "import", &patient.chart, "--json"]
        .into_iter()
        .chain(files.iter().map(String::as_str))
        .collect();
    let output = patient.person.run(&args);
    assert_eq!(code(&output), 1, "{}", text(&output));
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    let told = said["files"].as_array().unwrap();
    for ((name, _, says), file) in cases.iter().zip(told) {
        let error = file["error"].as_str().unwrap_or_else(|| panic!("{name}: {file}"));
        assert!(error.contains(says), "{name}: {says:?} is not in: {error}");
        assert!(!error.contains("Yıldız"), "{error}");
    }
    for file in &told[cases.len()..cases.len() + 2] {
        assert!(file["error"].as_str().unwrap().contains("cannot read"), "{file}");
    }
    assert_eq!(told.last().unwrap()["added"], 1);
    let client = patient.client().await;
    world.indexed().await;
    assert_eq!(
        client.records(patient.id(), None).await.unwrap().len(),
        2,
        "the good one and its frame"
    );
    assert!(patient.export(&[]).0 == outside.as_bytes());
    // Kept whole, where it is said to be a document; its odd name stays out of the Bundle.
    let whole = patient.import(&[&files[6], "--kind", "document", "--category", "labs"]);
    assert_eq!(whole["files"][0]["entries"][0]["category"], "labs");
    let (collection, _) = patient.export(&[]);
    assert_eq!(faults(&collection), [""; 0]);
    assert_eq!(documents(&collection)[0].1, cases[6].1);
    assert!(!collection.contains(&0x1b));
}

trait ReplaceBytes {
    fn replace_bytes(&self, from: &[u8], to: &[u8]) -> Vec<u8>;
}

impl ReplaceBytes for Vec<u8> {
    fn replace_bytes(&self, from: &[u8], to: &[u8]) -> Vec<u8> {
        let at = self.windows(from.len()).position(|window| window == from).unwrap();
        [&self[..at], to, &self[at + from.len()..]].concat()
    }
}

/// Longer than what is taken into memory at once, and longer than any resource may be.
#[tokio::test(flavor = "multi_thread")]
async fn long_documents_are_written_into_the_bundle_as_they_come() {
    let world = World::start().await;
    let (patient, chart) = world.patient().await;
    let open = patient.chart(chart).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut expected = Vec::new();
    for bytes in [20 << 20, 90 << 20] {
        let mut content = vec![0; bytes + 1];
        rng().fill_bytes(&mut content);
        let path = folder.path().join(bytes.to_string());
        std::fs::write(&path, &content).unwrap();
        let options = ImportOptions {
            kind: Some(Kind::Document),
            media_type: Some("application/dicom".into()),
            ..ImportOptions::default()
        };
        let imported = open
            .import_file(&path.as_path().into(), &options, |_, _| ())
            .await
            .unwrap();
        assert_eq!(imported.count(Outcome::Added), 1);
        expected.push(("application/dicom".to_owned(), content));
    }
    world.indexed().await;
    let file = tempfile::NamedTempFile::new().unwrap();
    let exported = open
        .export_all(patient_request(), file.as_file().try_clone().unwrap(), |_, _| ())
        .await
        .unwrap();
    assert_eq!((exported.documents, &exported.left_out[..]), (2, &[][..]));
    assert!(documents(&std::fs::read(file.path()).unwrap()) == expected);
}

/// Whatever other writers put into a chart, an export is a Bundle.
#[tokio::test(flavor = "multi_thread")]
async fn records_of_a_hostile_writer_do_not_break_an_export() {
    let world = World::start().await;
    let (patient, clinic, chart) = world.treated().await;
    let theirs = clinic.chart(chart).await.unwrap();
    let document = |number: u8, compartment: u8, media_type: &str, source: Option<&str>, content: &[u8]| NewDocument {
        record_id: B256::repeat_byte(number),
        compartment,
        metadata: Metadata {
            media_type: media_type.into(),
            title: Some("\u{1b}[2J\0".into()),
            date: Some("soon".into()),
            source: source.map(Into::into),
            ..Metadata::default()
        },
        content: content.into(),
    };
    let frames = medlock_client::FRAMES;
    let (fhir, frame) = ("application/fhir+json", "application/vnd.medlock.bundle-frame+json");
    let theirs_are = vec![
        document(
            1,
            4,
            fhir,
            None,
            b"{\"resourceType\":\"Basic\"},{\"resourceType\":\"Basic\"}",
        ),
        document(
            2,
            4,
            fhir,
            Some("\",\"x\":\""),
            b"{\"resourceType\":\"Basic\",\"id\":\"quoted\",\"code\":{\"text\":\"x\"}}",
        ),
        document(3, 4, "\"\n", None, b"x"),
        document(4, 4, "", None, b""),
        document(5, frames, frame, None, b"{}"),
        document(
            6,
            frames,
            frame,
            None,
            br#"{"version":1,"frame":{"version":1,"parts":["evil"]},"entries":[]}"#,
        ),
        document(7, frames, "text/plain", None, b"beside the frames"),
        // The same name as another's resource, and the same content as another document.
        document(
            8,
            4,
            fhir,
            Some("\",\"x\":\""),
            b"{\"resourceType\":\"Basic\",\"id\":\"second\",\"code\":{\"text\":\"x\"}}",
        ),
        document(9, 4, "text/plain", None, b"x"),
    ];
    theirs.add(theirs_are, |_| ()).await.unwrap();
    world.indexed().await;
    let open = patient.chart(chart).await.unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    let exported = open
        .export_all(patient_request(), file.as_file().try_clone().unwrap(), |_, _| ())
        .await
        .unwrap();
    assert_eq!((exported.layout, &exported.left_out[..]), (Layout::Collection, &[][..]));
    assert_eq!((exported.resources, exported.documents), (48 + 2, 5));
    let bytes = std::fs::read(file.path()).unwrap();
    medlock_fhir::split(&bytes).unwrap();
    let faults = faults(&bytes);
    assert_eq!(
        faults,
        [""; 0],
        "{}",
        String::from_utf8_lossy(&bytes[bytes.len() - 3_000..])
    );
    // They do not decide what our imports do, either.
    let mine = open.import(&fixture("bundles/infant.json"), |_, _| ()).await.unwrap();
    assert_eq!(mine.count(Outcome::Added), 48);
}

/// Who may write and not read imports; but what is there already cannot be compared, and that is said.
#[tokio::test(flavor = "multi_thread")]
async fn a_writer_who_may_not_read_is_told_what_could_not_be_compared() {
    let world = World::start().await;
    let (patient, chart) = world.patient().await;
    let clinic = world.clinic().await;
    let terms = GrantTerms {
        actions: action::WRITE,
        ..treatment()
    };
    patient.grant(chart, clinic.address(), terms).await.unwrap();
    let open = clinic.chart(chart).await.unwrap();
    let visit = fixture("exchange/visit.json");
    let first = open.import(&visit, |_, _| ()).await.unwrap();
    assert_eq!((first.count(Outcome::Added), first.stored.len()), (5, 6));
    let again = open.import(&visit, |_, _| ()).await.unwrap();
    assert_eq!((again.count(Outcome::Refused), again.stored.len()), (5, 0));
    assert!(again.entries[0].why.unwrap().contains("cannot be read"));
    // Without a name of its own, its content is what it is known by.
    let lines = fixture("exchange/bulk.ndjson");
    open.import(&lines, |_, _| ()).await.unwrap();
    let again = open.import(&lines, |_, _| ()).await.unwrap();
    assert_eq!(again.count(Outcome::Unchanged), 3);
    let own = patient.chart(chart).await.unwrap();
    let file = tempfile::tempfile().unwrap();
    let all = own
        .export_all(patient_request(), file.try_clone().unwrap(), |_, _| ())
        .await
        .unwrap();
    assert_eq!((all.resources, default_labels().len()), (8, 17));
}

/// A new file over another is whole or not there.
#[tokio::test(flavor = "multi_thread")]
async fn a_failed_export_leaves_the_file_before_it() {
    let world = World::start().await;
    let patient = Patient::new(&world, "patient").await;
    patient.import(&[&path("exchange/visit.json")]);
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.json");
    std::fs::write(&out, "before").unwrap();
    let stranger = Person::new(&world, "stranger").await;
    let refused = stranger.run(&["record", "export", &patient.chart, out.to_str().unwrap(), "--force"]);
    assert_eq!(code(&refused), 3, "{}", text(&refused));
    assert_eq!(std::fs::read(&out).unwrap(), b"before");
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
    let nowhere = Path::new("/proc/nowhere/out.json");
    let failed = patient
        .person
        .run(&["record", "export", &patient.chart, nowhere.to_str().unwrap()]);
    assert_eq!(code(&failed), 1, "{}", text(&failed));
}
