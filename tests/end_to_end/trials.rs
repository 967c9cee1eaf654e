//! A clinical trial, by the library and by the program: plans before participants, consents under accounts of the trial, data, results; and a published
//! folder in which something was changed.

use std::fs;

use alloy::primitives::{Address, B256, U256, keccak256};
use medlock_abi::terms::{amendment, participant, role};
use medlock_client::{
    Client, Error, TrialFiles, now,
    research::{
        self, Finding,
        batch::{Batch, Place, Row},
        folder::Folder,
    },
};
use medlock_tests::{
    World, eventually,
    proxy::{Fate, Proxy},
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::program::Person;

type Change = fn(&mut Value);

const FORM: &[u8] = b"You may leave at any time.";

fn plan(outcomes: &[&str]) -> Vec<u8> {
    let outcomes = outcomes
        .iter()
        .zip(["primary", "secondary"])
        .map(|(id, kind)| json!({ "id": id, "kind": kind, "title": format!("{id}, at twelve weeks") }));
    let plan = json!({
        "format": "medlock/v1/trial/plan", "document": B256::repeat_byte(7), "outcomes": outcomes.collect::<Vec<_>>(),
    });
    plan.to_string().into_bytes()
}

struct Study {
    world: World,
    sponsor: Client,
    site: Client,
    trial: B256,
    /// UNIX seconds: the trial is registered.
    since: u64,
}

impl Study {
    async fn of(world: World) -> Self {
        let sponsor = world.party(role::SPONSOR).await;
        let site = world.party(role::SITE).await;
        let (plan, protocol) = (plan(&["pain", "sleep"]), b"the protocol");
        let files = TrialFiles {
            protocol,
            plan: &plan,
            form: FORM,
        };
        let (trial, _) = sponsor.register_trial("NCT01234567", files).await.unwrap();
        sponsor.set_trial_site(trial, site.address(), true).await.unwrap();
        let since = now();
        Self {
            world,
            sponsor,
            site,
            trial,
            since,
        }
    }

    async fn enrolled(&self) -> (Client, u32) {
        let person = self.world.newcomer().await;
        let consented = person
            .consent_to_trial(self.trial, self.site.address(), FORM, Some("Ada"))
            .await
            .unwrap();
        let checked = self.site.check_consent(
            self.trial,
            consented.participant,
            consented.document.as_bytes(),
            consented.salt,
        );
        assert_eq!(checked.await.unwrap().version, consented.version);
        let (number, _) = self.site.enrol(self.trial, consented.participant).await.unwrap();
        (person, number)
    }

    /// Of the first second of the trial, which is over.
    async fn batch(&self, sequence: u32, participants: &[u32]) -> Batch {
        past(self.since).await;
        let place = Place {
            trial: self.trial,
            site: self.site.address(),
            sequence,
            from: self.since,
            to: self.since + 1,
        };
        let rows = participants.iter().map(|number| Row {
            participant: *number,
            salt: keccak256([sequence, *number].map(u32::to_be_bytes).concat()),
            payload: format!("{{\"pain\":{number}}}").into_bytes(),
        });
        Batch::new(place, rows.collect()).unwrap()
    }
}

/// Until the clock has left this second.
async fn past(second: u64) {
    eventually("the next second", async || (now() > second).then_some(())).await;
}

fn refused<T>(outcome: Result<T, Error>) -> String {
    match outcome {
        Err(error @ (Error::Contract { .. } | Error::Unsuitable(_))) => error.to_string(),
        Err(error) => panic!("not a refusal: {error:?}"),
        Ok(_) => panic!("it was not refused"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn participants_come_and_go_under_accounts_of_the_trial_and_data_follow_the_rules() {
    let study = Study::of(World::start().await).await;
    let (sponsor, site, trial) = (&study.sponsor, &study.site, study.trial);
    let (first, one) = study.enrolled().await;
    let (second, two) = study.enrolled().await;
    assert_eq!((one, two), (1, 2));
    // Neither account is the person's own, nor the same in another trial.
    let account = first.as_participant(trial).unwrap().address();
    assert_ne!(account, first.address());
    assert_ne!(account, first.as_participant(B256::repeat_byte(9)).unwrap().address());
    // What was not shown, and what somebody altered, is no consent.
    let person = study.world.newcomer().await;
    let other = person
        .consent_to_trial(trial, site.address(), b"You may never leave.", None)
        .await;
    assert!(matches!(other, Err(Error::Tampered { .. })));
    let consented = person
        .consent_to_trial(trial, site.address(), FORM, None)
        .await
        .unwrap();
    let altered = consented.document.replace("\"version\":1", "\"version\":2");
    refused(
        site.check_consent(trial, consented.participant, altered.as_bytes(), consented.salt)
            .await,
    );
    refused(
        site.check_consent(trial, consented.participant, consented.document.as_bytes(), B256::ZERO)
            .await,
    );

    site.anchor_trial_data(&study.batch(1, &[one, two]).await)
        .await
        .unwrap();
    refused(site.anchor_trial_data(&study.batch(1, &[one]).await).await);
    refused(site.anchor_trial_data(&study.batch(2, &[one, 3]).await).await);
    second.withdraw_from_trial(trial).await.unwrap();
    assert_eq!(
        second.participation(trial).await.unwrap().status,
        participant::WITHDRAWN
    );
    refused(site.anchor_trial_data(&study.batch(2, &[one, two]).await).await);
    refused(site.enrol(trial, second.as_participant(trial).unwrap().address()).await);
    site.anchor_trial_data(&study.batch(2, &[one]).await).await.unwrap();
    // A new version that wants new consents.
    let changed = plan(&["sleep"]);
    let files = TrialFiles {
        protocol: b"the second protocol",
        plan: &changed,
        form: FORM,
    };
    sponsor
        .amend_trial(trial, files, amendment::OUTCOMES, true)
        .await
        .unwrap();
    refused(site.anchor_trial_data(&study.batch(3, &[one]).await).await);
    let stands = first.participation(trial).await.unwrap();
    assert_eq!((stands.version, stands.must_consent_anew()), (1, true));
    let gone = second.participation(trial).await.unwrap();
    assert!(!gone.must_consent_anew(), "who has withdrawn is asked nothing more");
    first.consent_to_trial(trial, site.address(), FORM, None).await.unwrap();
    let stands = first.participation(trial).await.unwrap();
    assert_eq!((stands.version, stands.must_consent_anew()), (2, false));
    site.anchor_trial_data(&study.batch(3, &[one]).await).await.unwrap();
    refused(sponsor.anchor_trial_results(trial, b"too soon").await);
    sponsor.lock_trial_data(trial).await.unwrap();
    refused(site.anchor_trial_data(&study.batch(4, &[one]).await).await);
    refused(sponsor.amend_trial(trial, files, amendment::OTHER, false).await);
    sponsor.anchor_trial_results(trial, b"results").await.unwrap();
    let facts = site.trial_facts(trial).await.unwrap();
    assert_eq!(
        (facts.versions.len(), facts.batches.len(), facts.results.len()),
        (2, 3, 1)
    );
    assert_eq!(facts.versions[1].enrolled_then, 2);
    assert!(facts.lock.is_some());
    // Who has no part in it.
    refused(study.world.party(role::SPONSOR).await.lock_trial_data(trial).await);
    let protocol: &[u8] = b"again";
    refused(
        sponsor
            .register_trial("NCT01234567", TrialFiles { protocol, ..files })
            .await,
    );
    refused(study.world.newcomer().await.register_trial("NCT7654321", files).await);
    sponsor.close_trial(trial).await.unwrap();
    refused(sponsor.anchor_trial_results(trial, b"too late").await);
    assert_eq!(site.trials().await.unwrap()[0].state, "closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lying_gateway_tells_no_trial_that_is_not_the_chains() {
    let gateway = Proxy::start().await;
    let study = Study::of(World::behind(&gateway).await).await;
    let idle = study.world.party(role::SITE).await;
    study
        .sponsor
        .set_trial_site(study.trial, idle.address(), true)
        .await
        .unwrap();
    let (_, number) = study.enrolled().await;
    study.enrolled().await;
    let changed = plan(&["sleep"]);
    let files = TrialFiles {
        protocol: b"the second protocol",
        plan: &changed,
        form: FORM,
    };
    study
        .sponsor
        .amend_trial(study.trial, files, amendment::SAFETY, false)
        .await
        .unwrap();
    study
        .site
        .anchor_trial_data(&study.batch(1, &[number]).await)
        .await
        .unwrap();
    study
        .site
        .anchor_trial_data(&study.batch(2, &[number]).await)
        .await
        .unwrap();
    study.sponsor.lock_trial_data(study.trial).await.unwrap();
    study
        .sponsor
        .anchor_trial_results(study.trial, b"results")
        .await
        .unwrap();
    study.site.trial_facts(study.trial).await.unwrap();
    let trial = study.trial.to_string();
    let lies: [(&str, &str, Change); 32] = [
        ("plan", "", |trial| {
            trial["versions"][0]["plan"] = json!(B256::repeat_byte(1))
        }),
        ("time of the plan", "", |trial| trial["versions"][0]["at"] = json!(1)),
        ("reason of the plan", "", |trial| {
            trial["versions"][1]["reason_code"] = json!(amendment::EDITORIAL)
        }),
        ("new consents wanted", "", |trial| {
            trial["versions"][1]["reconsent"] = json!(true)
        }),
        ("enrolled before the plan", "", |trial| {
            trial["versions"][1]["enrolled_before"] = json!(0)
        }),
        ("version made up", "", |trial| {
            let version = trial["versions"][0].clone();
            trial["versions"].as_array_mut().unwrap().push(version);
        }),
        ("sponsor", "", |trial| {
            trial["trial"]["sponsor"] = json!(Address::repeat_byte(1))
        }),
        ("registration number", "", |trial| {
            trial["trial"]["registration"] = json!(B256::repeat_byte(1))
        }),
        ("time of the registration", "", |trial| {
            trial["trial"]["registered_at"] = json!(1)
        }),
        ("lock", "", |trial| trial["trial"]["lock"] = Value::Null),
        ("batches that were locked", "", |trial| {
            trial["trial"]["lock"]["batches"] = json!(1)
        }),
        ("data that were locked", "", |trial| {
            trial["trial"]["lock"]["data"] = json!(B256::repeat_byte(1))
        }),
        ("time of the lock", "", |trial| trial["trial"]["lock"]["at"] = json!(1)),
        ("results", "", |trial| {
            trial["results"][0]["results"] = json!(B256::repeat_byte(1))
        }),
        ("plan of the results", "", |trial| {
            trial["results"][0]["plan"] = json!(B256::repeat_byte(1))
        }),
        ("data of the results", "", |trial| {
            trial["results"][0]["data"] = json!(B256::repeat_byte(1))
        }),
        ("version of the results", "", |trial| {
            trial["results"][0]["version"] = json!(1)
        }),
        ("time of the results", "", |trial| {
            let at = trial["results"][0]["at"].as_u64().unwrap();
            trial["results"][0]["at"] = json!(at + 60);
        }),
        ("enrolled", "/sites", |sites| sites["sites"][0]["enrolled"] = json!(3)),
        ("withdrawn", "/sites", |sites| sites["sites"][0]["withdrawn"] = json!(1)),
        ("dismissed", "/sites", |sites| {
            sites["sites"][0]["active"] = json!(false)
        }),
        ("site left out", "/sites", |sites| sites["sites"] = json!([])),
        ("site without participants left out", "/sites", |sites| {
            let sites = sites["sites"].as_array_mut().unwrap();
            sites.retain(|site| site["enrolled"] != 0);
        }),
        ("site made up", "/sites", |sites| {
            let mut site = sites["sites"][1].clone();
            site["site"] = json!(Address::repeat_byte(1));
            site["active"] = json!(false);
            sites["sites"].as_array_mut().unwrap().push(site);
        }),
        ("batch left out", "/batches", |batches| {
            batches["batches"].as_array_mut().unwrap().pop();
        }),
        ("data", "/batches", |batches| {
            batches["batches"][1]["root"] = json!(B256::repeat_byte(1))
        }),
        ("late as in time", "/batches", |batches| {
            batches["batches"][0]["flags"] = json!(1)
        }),
        // Number 2, who is enrolled as well.
        ("participants", "/batches", |batches| {
            batches["batches"][0]["participants"] = json!([U256::from(1 << 2)])
        }),
        ("period", "/batches", |batches| {
            let to = batches["batches"][0]["to"].as_u64().unwrap();
            batches["batches"][0]["from"] = json!(to - 2);
        }),
        ("time of the data", "/batches", |batches| {
            let at = batches["batches"][1]["anchored_at"].as_u64().unwrap();
            batches["batches"][1]["anchored_at"] = json!(at + 60);
        }),
        ("rows", "/batches", |batches| batches["batches"][0]["count"] = json!(2)),
        ("version of the data", "/batches", |batches| {
            batches["batches"][0]["version"] = json!(1)
        }),
    ];
    for (what, tail, change) in lies {
        let path = format!("{trial}{tail}");
        gateway.rule(move |asked| match asked.is(Method::GET, &path) {
            true => Fate::json(change),
            false => Fate::Forward,
        });
        let outcome = study.site.trial_facts(study.trial).await;
        assert!(
            matches!(outcome, Err(Error::Tampered { .. })),
            "{what}: {:?}",
            outcome.err()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_check_of_a_trial_names_what_never_came_and_who_has_no_data() {
    let study = Study::of(World::start().await).await;
    let (sponsor, site, trial) = (&study.sponsor, &study.site, study.trial);
    let (_, one) = study.enrolled().await;
    let (_, two) = study.enrolled().await;
    for sequence in [1, 3] {
        let batch = study.batch(sequence, &[one]).await;
        site.anchor_trial_data(&batch).await.unwrap();
    }
    sponsor.set_trial_site(trial, site.address(), false).await.unwrap();
    let other = study.world.party(role::SPONSOR).await;
    let plan = plan(&["sleep"]);
    let files = TrialFiles {
        protocol: b"another protocol",
        plan: &plan,
        form: FORM,
    };
    let (others, _) = other.register_trial("nct01234567", files).await.unwrap();
    // Nothing is published: what is found is the chain's own.
    let found = async || {
        let facts = other.trial_facts(trial).await.unwrap();
        research::verify(&facts, &Folder::new([], &|_| None)).findings
    };
    let site = site.address();
    let always = [
        Finding::RegisteredTwice {
            trial: others,
            sponsor: other.address(),
        },
        Finding::SiteDismissed {
            site,
            enrolled: 2,
            withdrawn: 0,
            batches: 2,
        },
        Finding::PeriodsOverlap {
            site,
            sequences: vec![3],
        },
    ];
    let once_locked = [
        Finding::BatchNeverAnchored {
            site,
            first: 2,
            last: 2,
        },
        Finding::WithoutData {
            site,
            enrolled: 2,
            withdrawn: 0,
            without: 1,
            first: vec![two],
        },
    ];
    let findings = found().await;
    assert!(always.iter().all(|finding| findings.contains(finding)), "{findings:?}");
    assert!(!once_locked.iter().any(|finding| findings.contains(finding)));
    sponsor.lock_trial_data(trial).await.unwrap();
    let findings = found().await;
    for finding in always.iter().chain(&once_locked) {
        assert!(findings.contains(finding), "{finding:?} not in {findings:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_runs_a_trial_and_verifies_what_was_published() {
    let world = World::start().await;
    let sponsor = Person::new(&world, "sponsor").await;
    world
        .credential(sponsor.account().parse().unwrap(), role::SPONSOR)
        .await;
    let site = Person::new(&world, "site").await;
    world.credential(site.account().parse().unwrap(), role::SITE).await;
    let person = Person::new(&world, "person").await;
    let accounts = [sponsor.account(), site.account(), person.account()];
    let published = world.home().join("published");
    fs::create_dir_all(published.join("data")).unwrap();
    let file = |name: &str| published.join(name).to_str().unwrap().to_owned();
    fs::write(file("protocol.txt"), "the protocol").unwrap();
    fs::write(file("sap.txt"), "the analysis").unwrap();
    let mut first: Value = serde_json::from_slice(&plan(&["pain", "sleep"])).unwrap();
    first["document"] = json!(medlock_client::research::trial::file_digest(b"the analysis"));
    fs::write(file("plan.json"), first.to_string()).unwrap();
    fs::write(file("form.txt"), FORM).unwrap();
    let (protocol, plan_file, form) = (file("protocol.txt"), file("plan.json"), file("form.txt"));
    let files = ["--protocol", &protocol, "--plan", &plan_file, "--form", &form];
    assert_eq!(
        sponsor
            .tried(&[&["trial", "register", "--registration", "trial 7"], &files[..]].concat())
            .0,
        1
    );
    let made = sponsor.ok(&[&["trial", "register", "--registration", "NCT01234567"], &files[..]].concat());
    let trial = made["trial"].as_str().unwrap().to_owned();
    let since = now();
    sponsor.ok(&["trial", "site", &trial, &accounts[1]]);
    let kept = world.home().join("consent.json").to_str().unwrap().to_owned();
    let consented = person.ok(&[
        "trial",
        "consent",
        &trial,
        &accounts[1],
        "--form",
        &form,
        "--name",
        "Ada",
        "--out",
        &kept,
    ]);
    let participant = consented["participant"].as_str().unwrap();
    assert_eq!(
        person
            .tried(&[
                "trial",
                "consent",
                &trial,
                &accounts[1],
                "--form",
                &form,
                "--out",
                &kept
            ])
            .0,
        1
    );
    let enrolled = site.ok(&["trial", "enrol", &trial, participant, "--consent", &kept]);
    assert_eq!(enrolled["number"], 1);
    assert_eq!(person.ok(&["trial", "standing", &trial])["status"], "enrolled");
    let rows = world.home().join("rows.jsonl").to_str().unwrap().to_owned();
    fs::write(
        &rows,
        "{\"participant\":1,\"data\":{\"pain\":3}}\n{\"participant\":1,\"data\":{\"sleep\":7}}\n",
    )
    .unwrap();
    past(since).await;
    let (from, to) = (since.to_string(), (since + 1).to_string());
    let data = file("data/site-1.jsonl");
    site.ok(&[
        "trial",
        "data",
        &trial,
        "--sequence",
        "1",
        "--from",
        &from,
        "--to",
        &to,
        "--rows",
        &rows,
        "--out",
        &data,
    ]);
    sponsor.ok(&["trial", "lock", &trial]);
    let facts = sponsor.ok(&["trial", "show", &trial]);
    let results = |outcomes: &[(&str, &str)]| {
        let outcomes = outcomes.iter().zip(["primary", "secondary"]).map(|((id, value), kind)| {
            json!({ "id": id, "kind": kind, "title": format!("{id}, at twelve weeks"), "value": value })
        });
        let results = json!({
            "format": "medlock/v1/trial/results", "trial": trial, "version": 1, "plan": facts["versions"][0]["documents"]["plan"],
            "data": facts["lock"]["data"], "outcomes": outcomes.collect::<Vec<_>>(),
        });
        results.to_string()
    };
    fs::write(
        file("results.json"),
        results(&[("pain", "-1.2 (95% CI -2.0 to -0.4)"), ("sleep", "no difference")]),
    )
    .unwrap();
    sponsor.ok(&["trial", "results", &trial, &file("results.json")]);
    let index = json!({
        "format": "medlock/v1/trial/folder", "trial": trial, "sponsor": accounts[0], "registration": "NCT01234567",
        "versions": [{ "version": 1, "protocol": "protocol.txt", "plan": "plan.json", "plan_document": "sap.txt", "form": "form.txt" }],
        "batches": [{ "site": accounts[1], "sequence": 1, "file": "data/site-1.jsonl" }],
        "results": [{ "number": 0, "file": "results.json" }],
    });
    fs::write(file("trial.json"), index.to_string()).unwrap();
    let folder = published.to_str().unwrap();
    // Anybody verifies it, with a key of their own.
    let (code, report, said) = person.tried(&["trial", "verify", folder]);
    assert_eq!(code, 0, "{said} {report}");
    assert_eq!(
        (&report["sound"], &report["checked"]["rows"]),
        (&json!(true), &json!(2))
    );
    // Switched outcomes, changed data, a missing batch.
    let spoil = |name: &str, spoilt: &dyn Fn(String) -> String, codes: &[&str]| {
        let whole = fs::read_to_string(file(name)).unwrap();
        fs::write(file(name), spoilt(whole.clone())).unwrap();
        let (code, report, said) = person.tried(&["trial", "verify", folder]);
        assert_eq!(code, 5, "{name}: {said} {report}");
        let found: Vec<_> = report["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|finding| finding["code"].as_str().unwrap())
            .collect();
        assert!(codes.iter().all(|code| found.contains(code)), "{name}: {found:?}");
        fs::write(file(name), whole).unwrap();
    };
    spoil(
        "results.json",
        &|_| results(&[("sleep", "better"), ("pain", "-1.2")]),
        &["results-differ"],
    );
    spoil(
        "data/site-1.jsonl",
        &|text| text.replacen("7b227061696e223a337d", "7b227061696e223a317d", 1),
        &["rows-changed"],
    );
    spoil(
        "protocol.txt",
        &|text| text + " that it should have been",
        &["document-differs"],
    );
    spoil(
        "trial.json",
        &|_| {
            let mut without = index.clone();
            without["batches"] = json!([]);
            without.to_string()
        },
        &["batch-missing"],
    );
    let study = file("study.json");
    person.ok(&[
        "trial",
        "export",
        &trial,
        "--registration",
        "NCT01234567",
        "--file",
        &study,
    ]);
    let same = json!({ "trial": trial, "differs": [] });
    assert_eq!(person.ok(&["trial", "compare", &study]), same);
    let text = fs::read_to_string(&study).unwrap();
    let resource: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(resource["resourceType"], "ResearchStudy");
    let state = resource["status"].as_str().unwrap();
    fs::write(&study, text.replace(state, "completed")).unwrap();
    let (code, told, said) = person.tried(&["trial", "compare", &study]);
    assert_eq!(code, 5, "{said}");
    assert_eq!(told["differs"], json!(["ResearchStudy.status"]));
    for other in [
        text.replace("NCT01234567", "NCT01234568"),
        text.replace(&trial[2..], "no trial"),
    ] {
        fs::write(&study, other).unwrap();
        assert_eq!(person.tried(&["trial", "compare", &study]).0, 1, "of no trial");
    }

    let subject = file("subject.json");
    person.ok(&["trial", "standing", &trial, "--file", &subject]);
    assert_eq!(person.ok(&["trial", "compare", &subject]), same);
    let resource: Value = serde_json::from_slice(&fs::read(&subject).unwrap()).unwrap();
    assert_eq!(
        (&resource["resourceType"], &resource["status"]),
        (&json!("ResearchSubject"), &json!("on-study"))
    );
    person.ok(&["trial", "leave", &trial]);
    assert_eq!(person.ok(&["trial", "standing", &trial])["status"], "withdrawn");
    let (code, told, said) = person.tried(&["trial", "compare", &subject]);
    assert_eq!(code, 5, "{said}");
    assert_eq!(told["differs"], json!(["ResearchSubject.status"]));
}
