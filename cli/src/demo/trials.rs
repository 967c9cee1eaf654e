//! Clinical trials: their chapter of the demo, and `medlock demo trials`.

use std::{collections::BTreeMap, iter, time::Duration};

use alloy::{
    hex,
    primitives::{Address, B256},
    providers::Provider,
};
use anyhow::Context;
use medlock_client::{
    Client, Error, Identity, Metadata, Mined, NewDocument, TrialFiles, now,
    research::{
        self, Document, Finding, Report, Severity,
        batch::{Batch, Place},
        chain::{ChainBatch, ChainTrial},
        folder::{self, BatchName, Folder, Index, ResultsName, VersionFiles},
        results::{Difference, Kind, Plan, Planned, Reported, Results},
        trial::{Documents, file_digest},
    },
    terms::{amendment, batch as flag, participant, purpose, role},
    trial_rows,
};
use medlock_fhir::Label;
use serde_json::Value;

use super::{Cast, DAY, Story, code, party, reading};
use crate::dev::Dev;

const REGISTRATION: &str = "NCT01234567";
const TITLE: &str = "Rest against pain";
const PROTOCOL: &[u8] = b"the protocol";
/// The analysis plan's full text, which the plan names by its digest.
const ANALYSIS: &[u8] = b"the analysis";
const FORM: &[u8] = b"You may leave at any time.";
/// Of the amended trial.
const SECOND_PROTOCOL: &[u8] = b"the protocol, with a questionnaire";
const SECOND_FORM: &[u8] = b"You may leave at any time. We ask about your mood as well.";

/// The first of them is what the trial is about.
fn outcomes(ids: &[&str]) -> Vec<Planned> {
    let kinds = iter::once(Kind::Primary).chain(iter::repeat(Kind::Secondary));
    let outcome = |(id, kind): (&&str, Kind)| Planned {
        id: (*id).to_owned(),
        kind,
        title: format!("{id}, at twelve weeks"),
    };
    ids.iter().zip(kinds).map(outcome).collect()
}

fn plan(ids: &[&str]) -> anyhow::Result<String> {
    let plan = Plan {
        document: file_digest(ANALYSIS),
        outcomes: outcomes(ids),
    };
    Ok(plan.to_json()?)
}

/// By the plan of the last version, out of all data.
fn results(facts: &ChainTrial, ids: &[&str]) -> anyhow::Result<String> {
    let version = facts.versions.last().context("a trial has a version")?;
    let reported = outcomes(ids).into_iter().map(|planned| Reported {
        id: planned.id,
        kind: planned.kind,
        title: planned.title,
        value: "better".to_owned(),
    });
    let results = Results {
        trial: facts.trial,
        version: u8::try_from(facts.versions.len())?,
        plan: version.documents.plan,
        data: facts.lock.as_ref().map_or(B256::ZERO, |lock| lock.data),
        outcomes: reported.collect(),
    };
    Ok(results.to_json()?)
}

/// A row of each of these participants of a site, of the second that begins at `from`.
fn data(trial: B256, site: &Client, sequence: u32, from: u64, participants: &[u32]) -> anyhow::Result<Batch> {
    let lines = participants
        .iter()
        .map(|number| format!("{{\"participant\":{number},\"data\":{}}}\n", answer(*number)));
    let place = Place {
        trial,
        site: site.address(),
        sequence,
        from,
        to: from + 1,
    };
    Ok(Batch::new(place, trial_rows(&lines.collect::<String>())?)?)
}

/// What a participant says: the row's data.
fn answer(pain: u32) -> String {
    format!("{{\"pain\":{pain}}}")
}

/// Data are of a time that is over.
async fn past(second: u64) {
    while now() <= second {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// What a sponsor publishes.
#[derive(Clone)]
struct Published {
    index: Index,
    files: BTreeMap<String, Vec<u8>>,
}

impl Published {
    fn new(trial: B256, sponsor: Address) -> Self {
        Self {
            index: Index {
                trial,
                sponsor,
                registration: REGISTRATION.into(),
                versions: Vec::new(),
                batches: Vec::new(),
                results: Vec::new(),
            },
            files: BTreeMap::from([("analysis".to_owned(), ANALYSIS.to_vec())]),
        }
    }

    /// The next version.
    fn version(&mut self, files: TrialFiles<'_>) -> anyhow::Result<()> {
        let version = u8::try_from(self.index.versions.len() + 1)?;
        let names = VersionFiles {
            version,
            protocol: format!("protocol-{version}"),
            plan: format!("plan-{version}.json"),
            plan_document: Some("analysis".to_owned()),
            form: format!("form-{version}"),
        };
        self.files.insert(names.protocol.clone(), files.protocol.to_vec());
        self.files.insert(names.plan.clone(), files.plan.to_vec());
        self.files.insert(names.form.clone(), files.form.to_vec());
        self.index.versions.push(names);
        Ok(())
    }

    fn batch(&mut self, batch: &Batch) {
        let Place { site, sequence, .. } = batch.header().place;
        let file = batch_file(site, sequence);
        self.files.insert(file.clone(), batch.to_lines().into_bytes());
        self.index.batches.push(BatchName { site, sequence, file });
    }

    /// The first, in the place of what was there.
    fn results(&mut self, results: &str) {
        let file = "results-0.json".to_owned();
        self.files.insert(file.clone(), results.as_bytes().to_vec());
        self.index.results = vec![ResultsName { number: 0, file }];
    }

    /// Compares it with the chain's facts.
    fn verify(&self, facts: &ChainTrial) -> anyhow::Result<Report> {
        let mut files = self.files.clone();
        files.insert(folder::INDEX.to_owned(), self.index.to_json()?.into_bytes());
        let read = |name: &str| files.get(name).cloned();
        Ok(research::verify(facts, &Folder::new(files.keys().cloned(), &read)))
    }
}

fn batch_file(site: Address, sequence: u32) -> String {
    format!("batches/{site}-{sequence}.jsonl")
}

/// Step 9 of the whole demo: a clinical trial whose sponsor switches an outcome.
pub async fn run_a_trial(story: &mut Story, dev: &Dev, cast: &Cast) -> anyhow::Result<()> {
    story.chapter(9, "A clinical trial is checked against the chain");
    let sponsor = party(story, dev, cast, "sponsor", role::SPONSOR).await?;
    let site = party(story, dev, cast, "site", role::SITE).await?;
    let plan = plan(&["pain", "sleep"])?;
    let files = TrialFiles {
        protocol: PROTOCOL,
        plan: plan.as_bytes(),
        form: FORM,
    };
    let (trial, mined) = sponsor.register_trial(REGISTRATION, files).await?;
    story.row("register the trial: protocol, plan, consent form", Some(&mined), None);
    let began = now();
    let mined = sponsor.set_trial_site(trial, site.address(), true).await?;
    story.row("name a site", Some(&mined), None);
    let mut numbers = Vec::new();
    let mut people = Vec::new();
    for _ in 0..3 {
        // Without funds: the gateway pays, and nothing leads from the account to the person.
        let person = dev.client(Identity::generate()?).await?;
        let consented = person.consent_to_trial(trial, site.address(), files.form, None).await?;
        let (number, _) = site.enrol(trial, consented.participant).await?;
        numbers.push(number);
        people.push(person);
    }
    story.row("three people consent and are enrolled", None, None);
    let mined = people[2].withdraw_from_trial(trial).await?;
    story.row("one of them withdraws", Some(&mined), None);
    past(began).await;
    let refused = site.anchor_trial_data(&data(trial, &site, 1, began, &numbers)?).await;
    story.check(
        matches!(refused, Err(Error::Contract { .. })),
        "data with somebody in them who has withdrawn are refused by the contract",
    )?;
    let batch = data(trial, &site, 1, began, &numbers[..2])?;
    let mined = site.anchor_trial_data(&batch).await?;
    story.row("the site anchors its data", Some(&mined), None);
    let mined = sponsor.lock_trial_data(trial).await?;
    story.row("the sponsor locks the data", Some(&mined), None);
    // Pain did not get better, so sleep is said to have been what the trial was about.
    let results = results(&sponsor.trial_facts(trial).await?, &["sleep", "pain"])?;
    let mined = sponsor.anchor_trial_results(trial, results.as_bytes()).await?;
    story.row(
        "the sponsor anchors results, with the outcomes switched",
        Some(&mined),
        None,
    );
    let mut published = Published::new(trial, sponsor.address());
    published.version(files)?;
    published.batch(&batch);
    published.results(&results);
    let report = published.verify(&people[0].trial_facts(trial).await?)?;
    for finding in &report.findings {
        story.tell(&finding.to_string());
    }
    story.check(
        report
            .findings
            .iter()
            .any(|finding| matches!(finding, Finding::Outcome { .. })),
        "whoever compares what was published with the chain sees the switched outcome",
    )?;
    story.check(
        report.checked.batches == 1 && report.checked.rows == 2,
        "plan and data are those that were anchored",
    )
}

/// A trial at two sites.
struct Study {
    sponsor: Client,
    north: Client,
    south: Client,
    trial: B256,
    /// The plans of its versions.
    plans: [String; 2],
    /// UNIX seconds: it is registered.
    began: u64,
    published: Published,
}

impl Study {
    fn first(&self) -> TrialFiles<'_> {
        TrialFiles {
            protocol: PROTOCOL,
            plan: self.plans[0].as_bytes(),
            form: FORM,
        }
    }

    fn second(&self) -> TrialFiles<'_> {
        TrialFiles {
            protocol: SECOND_PROTOCOL,
            plan: self.plans[1].as_bytes(),
            form: SECOND_FORM,
        }
    }

    fn data(&self, site: &Client, sequence: u32, participants: &[u32]) -> anyhow::Result<Batch> {
        data(self.trial, site, sequence, self.began, participants)
    }

    /// Anchored, and ready to be published.
    async fn anchor(&mut self, site: &Client, batch: &Batch) -> Result<Mined, Error> {
        let mined = site.anchor_trial_data(batch).await?;
        self.published.batch(batch);
        Ok(mined)
    }
}

/// Somebody who takes part, under an account of the trial alone.
struct Person {
    client: Client,
    account: Address,
}

/// Chapters 4 to 10 of `medlock demo trials`.
pub async fn in_depth(story: &mut Story, dev: &Dev, cast: &Cast, chart: B256) -> anyhow::Result<()> {
    let mut study = register(story, dev, cast).await?;
    let people = enrol(story, dev, cast, chart, &study).await?;
    anchor(story, &mut study).await?;
    amend(story, &mut study, &people).await?;
    come_late(story, &mut study).await?;
    let results = conclude(story, &mut study, &people).await?;
    verify(story, dev, &study, &results).await
}

async fn register(story: &mut Story, dev: &Dev, cast: &Cast) -> anyhow::Result<Study> {
    story.chapter(
        4,
        "A sponsor fixes protocol, plan and consent form before anybody takes part",
    );
    let sponsor = party(story, dev, cast, "sponsor", role::SPONSOR).await?;
    let north = party(story, dev, cast, "northern site", role::SITE).await?;
    let south = party(story, dev, cast, "southern site", role::SITE).await?;
    let plans = [plan(&["pain", "sleep"])?, plan(&["pain", "sleep", "mood"])?];
    let files = TrialFiles {
        protocol: PROTOCOL,
        plan: plans[0].as_bytes(),
        form: FORM,
    };
    let refused = north.register_trial(REGISTRATION, files).await;
    story.refused(refused, "NotCredentialed", "a trial of who is no sponsor")?;
    let (trial, mined) = sponsor.register_trial(REGISTRATION, files).await?;
    story.row("register the trial: protocol, plan, consent form", Some(&mined), None);
    let began = now();
    let refused = sponsor.register_trial(REGISTRATION, files).await;
    story.refused(refused, "TrialExists", "the same trial with other plans, later")?;
    for (who, site) in [("northern", &north), ("southern", &south)] {
        let mined = sponsor.set_trial_site(trial, site.address(), true).await?;
        story.row(&format!("name the {who} site"), Some(&mined), None);
    }
    let documents = Documents::of(files.protocol, files.plan, files.form);
    for (what, digest) in [
        ("protocol", documents.protocol),
        ("plan", documents.plan),
        ("form", documents.form),
    ] {
        story.tell(&format!("{what:8} {digest}"));
    }
    let facts = sponsor.trial_facts(trial).await?;
    story.check(
        facts.versions.first().map(|version| version.documents) == Some(documents)
            && facts.sites.len() == 2
            && facts.sites.iter().all(|site| site.active && site.enrolled == 0),
        "the chain holds these digests; nobody is enrolled yet",
    )?;
    let mut published = Published::new(trial, sponsor.address());
    published.version(files)?;
    Ok(Study {
        sponsor,
        north,
        south,
        trial,
        plans,
        began,
        published,
    })
}

async fn enrol(story: &mut Story, dev: &Dev, cast: &Cast, chart: B256, study: &Study) -> anyhow::Result<Vec<Person>> {
    story.chapter(5, "People consent, and are enrolled under accounts of this trial alone");
    let (trial, north) = (study.trial, &study.north);
    let stranger = dev.client(Identity::generate()?).await?;
    let other = stranger
        .consent_to_trial(trial, north.address(), b"You may never leave.", None)
        .await;
    story.check(
        matches!(other, Err(Error::Tampered { .. })),
        "a consent to another form than was registered: refused before anything is sent",
    )?;
    let refused = north.enrol(trial, stranger.as_participant(trial)?.address()).await;
    story.refused(
        refused,
        "NotParticipant",
        "the enrolment of somebody who has not consented",
    )?;

    let mut people = Vec::new();
    let mut are_kept = true;
    for site in [north, north, north, &study.south] {
        // Without funds: the gateway pays, and nothing leads from the account to the person.
        let client = dev.client(Identity::generate()?).await?;
        let consented = client
            .consent_to_trial(trial, site.address(), FORM, Some("Ada Lovelace"))
            .await?;
        let account = consented.participant;
        let kept = site
            .check_kept_consent(trial, account, consented.kept().as_bytes())
            .await?;
        let altered = consented.document.replace("\"version\":1", "\"version\":2");
        let altered = site
            .check_consent(trial, account, altered.as_bytes(), consented.salt)
            .await;
        are_kept &= kept.version == 1 && matches!(altered, Err(Error::Unsuitable(_)));
        site.enrol(trial, account).await?;
        people.push(Person { client, account });
    }
    story.row("four people consent and are enrolled", None, None);
    story.check(
        are_kept,
        "each site was shown the consent that stands on chain; one that was altered is none",
    )?;

    let facts = study.sponsor.trial_facts(trial).await?;
    let enrolled: Vec<_> = facts.sites.iter().map(|site| site.enrolled).collect();
    let told = serde_json::to_string(&facts)?.to_lowercase();
    let names = |account: Address| told.contains(&hex::encode(account));
    let mut is_quiet = names(north.address());
    for person in &people {
        for account in [person.account, person.client.address()] {
            let sent = north.chain().provider().get_transaction_count(account).await?;
            is_quiet &= sent == 0 && !names(account);
        }
        is_quiet &= person.account != person.client.address();
    }
    story.check(
        enrolled.iter().sum::<u32>() == 4 && enrolled.contains(&3) && is_quiet,
        "three and one are enrolled: a count for each site, and nobody's name; no participant has sent a transaction",
    )?;
    let chain_id = north.deployment().chain_id;
    let standing = people[0].client.participation(trial).await?;
    let subject: Value = serde_json::from_str(&standing.research_subject(trial, chain_id)?)?;
    story.check(
        standing.status == participant::ENROLLED && subject["resourceType"] == "ResearchSubject",
        "a participant has their standing as a FHIR ResearchSubject",
    )?;
    share(story, cast, chart, north).await?;
    Ok(people)
}

/// Records go to researchers as they go to anybody: by a grant.
async fn share(story: &mut Story, cast: &Cast, chart: B256, site: &Client) -> anyhow::Result<()> {
    let patient = &cast.patient;
    let mined = site.publish_key().await?;
    story.row("the northern site publishes its key", Some(&mined), None);
    let content = b"CRP 3 mg/l";
    let record = patient.record_id(chart, content);
    let document = NewDocument {
        record_id: record,
        compartment: Label::Labs.compartment(),
        metadata: Metadata {
            media_type: "text/plain".into(),
            ..Metadata::default()
        },
        content: content.to_vec().into(),
    };
    let stored = patient.chart(chart).await?.add(vec![document], |_| ()).await?;
    let mined = stored.first().map(|stored| &stored.mined);
    story.row("the patient writes a lab record", mined, None);
    let terms = reading(&[Label::Labs], purpose::HRESCH);
    let mined = patient.grant(chart, site.address(), terms).await?;
    story.row("the patient grants the site labs for research", Some(&mined), None);
    let open = site.chart(chart).await?;
    let read = open.read(record, None, code("HRESCH")).await?;
    let otherwise = open.read(record, None, code("TREAT")).await;
    story.check(
        *read.content == content[..] && otherwise.is_err_and(|error| error.is_refusal()),
        "the site reads the lab record for HRESCH, and for nothing else",
    )
}

async fn anchor(story: &mut Story, study: &mut Study) -> anyhow::Result<()> {
    story.chapter(6, "The sites anchor data");
    let (trial, north, south) = (study.trial, study.north.clone(), study.south.clone());
    past(study.began).await;
    let early = data(trial, &north, 1, study.began - DAY, &[1])?;
    let refused = north.anchor_trial_data(&early).await;
    story.refused(
        refused,
        "PeriodBeforeRegistration",
        "data from before the protocol was registered",
    )?;
    let made_up = study.data(&north, 1, &[1, 9])?;
    let refused = north.anchor_trial_data(&made_up).await;
    story.refused(
        refused,
        "NotParticipating",
        "data of a participant whom nobody has enrolled",
    )?;
    let batch = study.data(&north, 1, &[1, 2, 3])?;
    let mined = study.anchor(&north, &batch).await?;
    story.row("the northern site anchors batch 1", Some(&mined), None);
    let refused = north.anchor_trial_data(&study.data(&north, 1, &[1])?).await;
    story.refused(refused, "SequenceTaken", "a batch in the place of one that is anchored")?;
    let of_south = study.data(&south, 1, &[1])?;
    let mined = study.anchor(&south, &of_south).await?;
    story.row("the southern site anchors batch 1", Some(&mined), None);
    let proof = batch.proof(1).context("a proof of row 1")?;
    let (root, rows) = (batch.header().root, batch.rows());
    story.check(
        proof.holds(root, &rows[1]) && !proof.holds(root, &rows[0]),
        "one row can be shown to be in a batch without the others",
    )
}

async fn amend(story: &mut Story, study: &mut Study, people: &[Person]) -> anyhow::Result<()> {
    story.chapter(
        7,
        "The sponsor adds an outcome: new consents are wanted, and one person leaves",
    );
    let (trial, north) = (study.trial, study.north.clone());
    let mined = study
        .sponsor
        .amend_trial(trial, study.second(), amendment::OUTCOMES, true)
        .await?;
    story.row("amend the trial, with re-consent", Some(&mined), None);
    let files = TrialFiles {
        protocol: SECOND_PROTOCOL,
        plan: study.plans[1].as_bytes(),
        form: SECOND_FORM,
    };
    study.published.version(files)?;
    let refused = north.anchor_trial_data(&study.data(&north, 3, &[1])?).await;
    story.refused(
        refused,
        "NotParticipating",
        "data of somebody who has not consented to the new version",
    )?;
    let outdated = people[0]
        .client
        .consent_to_trial(trial, north.address(), FORM, None)
        .await;
    story.check(
        matches!(outdated, Err(Error::Tampered { .. })),
        "the form of before is no consent to the new version",
    )?;
    let [first, second, third, southern] = people else {
        anyhow::bail!("{} people take part", people.len());
    };
    for (person, site) in [(first, &north), (second, &north), (southern, &study.south)] {
        person
            .client
            .consent_to_trial(trial, site.address(), SECOND_FORM, None)
            .await?;
    }
    story.row("three people consent anew", None, None);
    let mined = third.client.withdraw_from_trial(trial).await?;
    story.row("the fourth withdraws", Some(&mined), None);
    let standing = third.client.participation(trial).await?;
    story.check(
        standing.status == participant::WITHDRAWN && standing.number == 3,
        "number 3 of the northern site has left, with nobody's leave",
    )?;
    let refused = north.anchor_trial_data(&study.data(&north, 3, &[1, 2, 3])?).await;
    story.refused(refused, "NotParticipating", "data with number 3 in them")?;
    let refused = north.enrol(trial, third.account).await;
    story.refused(refused, "ConsentWithdrawn", "enrolling number 3 again")?;
    let batch = study.data(&north, 3, &[1, 2])?;
    let mined = study.anchor(&north, &batch).await?;
    story.row("the northern site anchors batch 3", Some(&mined), None);
    Ok(())
}

/// Nothing is relayed after this: signatures end by the clock, and the chain is ahead of it.
async fn come_late(story: &mut Story, study: &mut Study) -> anyhow::Result<()> {
    story.chapter(8, "A batch comes a month late, and says so");
    let north = study.north.clone();
    let seconds = flag::LATE_S + DAY;
    let provider = north.chain().provider();
    let _: Value = provider.raw_request("evm_increaseTime".into(), (seconds,)).await?;
    story.tell(&format!("the chain's clock goes on by {} days", seconds / DAY));
    let batch = study.data(&north, 2, &[1, 2])?;
    let mined = study.anchor(&north, &batch).await?;
    story.row("the northern site anchors batch 2", Some(&mined), None);
    let facts = study.sponsor.trial_facts(study.trial).await?;
    let flags = |sequence| {
        let ours = |batch: &&ChainBatch| (batch.site, batch.sequence) == (north.address(), sequence);
        facts.batches.iter().find(ours).map(|batch| batch.flags)
    };
    story.check(
        flags(1) == Some(0) && flags(3) == Some(flag::GAP) && flags(2) == Some(flag::LATE | flag::OUT_OF_ORDER),
        "batch 3 is marked as leaving a gap, batch 2 as late and out of order: taken, as refused data would be lost",
    )
}

/// Gives the results.
async fn conclude(story: &mut Story, study: &mut Study, people: &[Person]) -> anyhow::Result<String> {
    story.chapter(9, "The data are locked, and results follow from them");
    let (sponsor, trial) = (study.sponsor.clone(), study.trial);
    let refused = sponsor.anchor_trial_results(trial, b"too soon").await;
    story.refused(refused, "TrialState", "results before the data are locked")?;
    let mined = sponsor.lock_trial_data(trial).await?;
    story.row("the sponsor locks the data", Some(&mined), None);
    let refused = study.north.anchor_trial_data(&study.data(&study.north, 4, &[1])?).await;
    story.refused(refused, "TrialState", "data after the lock")?;
    let refused = sponsor
        .amend_trial(trial, study.first(), amendment::OUTCOMES, false)
        .await;
    story.refused(refused, "TrialState", "another plan after the lock")?;
    let refused = study.north.lock_trial_data(trial).await;
    story.refused(refused, "NotSponsor", "a lock by who is not the sponsor")?;

    let facts = sponsor.trial_facts(trial).await?;
    let results = results(&facts, &["pain", "sleep", "mood"])?;
    let mined = sponsor.anchor_trial_results(trial, results.as_bytes()).await?;
    story.row("the sponsor anchors results", Some(&mined), None);
    study.published.results(&results);
    let facts = people[0].client.trial_facts(trial).await?;
    let anchored = facts.results.first().context("no results")?;
    story.check(
        facts.lock.as_ref().map(|lock| (lock.batches, lock.data)) == Some((4, anchored.data))
            && facts.versions.last().map(|version| version.documents.plan) == Some(anchored.plan)
            && anchored.results == file_digest(results.as_bytes()),
        "they are bound to the plan of version 2 and to all four batches",
    )?;
    let study_of = sponsor
        .research_study(trial, REGISTRATION, Some(TITLE.to_owned()))
        .await?;
    let resource: Value = serde_json::from_str(&study_of)?;
    story.check(
        resource["resourceType"] == "ResearchStudy" && resource["title"] == TITLE,
        "the trial as a FHIR ResearchStudy",
    )?;
    let mined = sponsor.close_trial(trial).await?;
    story.row("the sponsor closes the trial", Some(&mined), None);
    Ok(results)
}

/// As anybody does: the facts are compared with the contract, the folder with the facts.
async fn verify(story: &mut Story, dev: &Dev, study: &Study, results: &str) -> anyhow::Result<()> {
    story.chapter(10, "What was published, against the chain");
    let reader = dev.client(Identity::generate()?).await?;
    let facts = reader.trial_facts(study.trial).await?;
    let report = study.published.verify(&facts)?;
    for finding in &report.findings {
        story.tell(&format!("{:9} {finding}", finding.severity().as_str()));
    }
    let checked = &report.checked;
    story.check(
        report.worst() == Some(Severity::Note) && (checked.batches, checked.rows, checked.results) == (4, 8, 1),
        "all in order: 4 batches with 8 rows are as they were anchored, and the results are those that were planned",
    )?;

    let mut switched = study.published.clone();
    switched.results(&self::results(&facts, &["sleep", "pain", "mood"])?);
    let found = faults(
        story,
        "sleep in the place of pain as what the trial was about",
        &switched,
        &facts,
    )?;
    let is_switch = |finding: &Finding| {
        let Finding::Outcome { difference, .. } = finding else {
            return false;
        };
        matches!(difference, Difference::Switched { id, from: Kind::Primary, .. } if id == "pain")
    };
    story.check(
        found.contains(&Finding::ResultsDiffer { number: 0 }) && found.iter().any(is_switch),
        "the switched outcome is named",
    )?;

    let north = study.north.address();
    let mut changed = study.published.clone();
    let file = changed.files.get_mut(&batch_file(north, 1));
    let file = file.context("the northern site's batch 1")?;
    let (was, is) = (hex::encode(answer(2)), hex::encode(answer(0)));
    *file = String::from_utf8(file.clone())?.replacen(&was, &is, 1).into_bytes();
    let found = faults(story, "a row changed after the lock", &changed, &facts)?;
    let expected = Finding::RowsChanged {
        site: north,
        sequence: 1,
        rows: vec![1],
    };
    story.check(found == [expected], "the changed row is named")?;

    let mut missing = study.published.clone();
    missing
        .index
        .batches
        .retain(|batch| (batch.site, batch.sequence) != (north, 2));
    missing.files.remove(&batch_file(north, 2));
    let found = faults(story, "the late batch left out", &missing, &facts)?;
    let expected = Finding::BatchMissing {
        site: north,
        sequence: 2,
    };
    story.check(found == [expected], "the missing batch is named")?;

    let mut rewritten = study.published.clone();
    rewritten
        .files
        .insert("protocol-1".to_owned(), SECOND_PROTOCOL.to_vec());
    let found = faults(
        story,
        "the amended protocol as if it had been the first",
        &rewritten,
        &facts,
    )?;
    let expected = Finding::DocumentDiffers {
        version: 1,
        document: Document::Protocol,
        is_of: Some(2),
    };
    story.check(found == [expected], "the protocol of another version is named")?;

    let mut invented = study.published.clone();
    invented.results(&results.replace("better", "much better"));
    let found = faults(story, "better results than were anchored", &invented, &facts)?;
    story.check(
        found == [Finding::ResultsDiffer { number: 0 }],
        "results that were never anchored are named",
    )
}

/// What speaks against a copy, beside the notes that the true folder has as well.
fn faults(story: &Story, what: &str, copy: &Published, facts: &ChainTrial) -> anyhow::Result<Vec<Finding>> {
    story.tell(&format!("a copy with {what}:"));
    let report = copy.verify(facts)?;
    let found: Vec<_> = report
        .findings
        .into_iter()
        .filter(|finding| finding.severity() > Severity::Note)
        .collect();
    for finding in &found {
        story.tell(&format!("{:9} {finding}", finding.severity().as_str()));
    }
    Ok(found)
}
