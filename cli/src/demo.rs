//! The main job on real input, step by step, each step checked; or one ledger's story, which goes deeper. Fails at the first check that does
//! not hold.

mod claims;
mod supply;
mod trials;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Instant,
};

use alloy::{
    primitives::{B256, U256},
    providers::Provider,
};
use anyhow::{Context, bail};
use medlock_client::{
    Client, Endpoints, Error, GrantTerms, Identity, Mined,
    api::{Action, Purpose, Question, Verdict},
    default_labels, file, now,
    terms::{self, action, purpose, role},
};
use medlock_fhir::Label;
use serde::Serialize;

use crate::{
    commands::short,
    dev::{self, Dev},
    output::{Output, table},
};

const DAY: u64 = 86_400;
const TREATMENT_DAYS: u64 = 90;
const CLAIM_DAYS: u64 = 30;
/// From the receipt of a revocation until the revoked reader is refused.
const REFUSED_WITHIN_MS: u128 = 1_000;
/// Says that a folder is the demo's own.
const MARKER: &str = ".medlock-demo";
/// Enough for everything the demo sends.
const FUNDS_ETHER: u64 = 100;

#[derive(Debug, Clone)]
pub struct Config {
    /// `None`: the whole demo.
    pub ledger: Option<Ledger>,
    /// Not read where no record is imported.
    pub bundle: PathBuf,
    pub dir: PathBuf,
    pub artifacts: PathBuf,
}

/// Whose story is told alone, and further than in the whole demo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ledger {
    /// From the service to the payment, with questions, an appeal and a denial; what is refused; signs of fraud.
    Claims,
    /// From the plan to what was published: consents, an amendment, a withdrawal, late data, and what was changed afterwards.
    Trials,
    /// From the maker to the patient, with splits, false packages and copies, a recall, and the history.
    Supply,
}

impl Ledger {
    /// Its story rests on records of the bundle.
    fn imports(self) -> bool {
        self == Self::Claims
    }
}

#[derive(Debug, Serialize)]
struct Row {
    step: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction: Option<B256>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gas: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cid: Option<String>,
    /// Absent for a transaction that is one of several in a step; the last one has the time of all.
    #[serde(skip_serializing_if = "Option::is_none")]
    ms: Option<u128>,
}

#[derive(Debug, Serialize)]
struct Report {
    ok: bool,
    /// Absent: the whole demo.
    #[serde(skip_serializing_if = "Option::is_none")]
    ledger: Option<Ledger>,
    /// Absent, as the next: nothing is imported.
    #[serde(skip_serializing_if = "Option::is_none")]
    bundle: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bundle_bytes: Option<usize>,
    records: usize,
    contracts: Vec<Contract>,
    steps: Vec<Row>,
    checks: Vec<String>,
    total_ms: u128,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Debug, Serialize)]
struct Contract {
    name: String,
    wasm_bytes: usize,
    code_bytes: usize,
}

/// Tells the story, keeps the rows of the table and the checks that held.
struct Story {
    out: Output,
    began: Instant,
    report: Report,
    step_began: Instant,
}

impl Story {
    fn chapter(&mut self, number: u8, title: &str) {
        self.step_began = Instant::now();
        self.line(&format!("\n{number:2}  {title}"));
    }

    fn line(&self, text: &str) {
        if !self.out.json {
            println!("{text}");
        }
    }

    fn tell(&self, text: &str) {
        self.line(&format!("    {text}"));
    }

    /// What must hold. The demo ends at the first that does not.
    fn check(&mut self, holds: bool, what: impl Into<String>) -> anyhow::Result<()> {
        let what = what.into();
        if !holds {
            bail!("this did not hold: {what}");
        }
        self.tell(&format!("✓ {what}"));
        self.report.checks.push(what);
        Ok(())
    }

    /// What a contract must refuse, by the error's name in its ABI.
    fn refused<T>(&mut self, outcome: Result<T, Error>, name: &str, what: &str) -> anyhow::Result<()> {
        match outcome {
            Ok(_) => bail!("this was not refused: {what}"),
            Err(Error::Contract { fault, .. }) if fault.name() == name => {
                self.check(true, format!("{what}: refused by the contract ({name})"))
            }
            Err(error) => Err(anyhow::Error::new(error).context(format!("this was to be refused as {name}: {what}"))),
        }
    }

    fn row(&mut self, step: &str, mined: Option<&Mined>, cid: Option<String>) {
        self.report.steps.push(Row {
            step: step.to_owned(),
            transaction: mined.map(|mined| mined.transaction),
            gas: mined.map(|mined| mined.gas),
            cid,
            ms: Some(self.step_began.elapsed().as_millis()),
        });
        self.step_began = Instant::now();
    }
}

/// Everybody in the story.
struct Cast {
    patient: Client,
    clinic: Client,
    practitioner: Client,
    insurer: Client,
    /// Credentials everybody else.
    issuer: Client,
}

/// Runs the demo; writes `report.json` whatever comes of it.
pub async fn run(config: Config, out: Output) -> anyhow::Result<()> {
    let bundle = match config.ledger.is_none_or(Ledger::imports) {
        true => {
            let read = std::fs::read(&config.bundle);
            Some(read.with_context(|| format!("read the bundle {}", config.bundle.display()))?)
        }
        false => None,
    };
    empty(&config.dir)?;
    let mut story = Story {
        out,
        began: Instant::now(),
        step_began: Instant::now(),
        report: Report {
            ok: false,
            ledger: config.ledger,
            bundle: bundle.is_some().then(|| config.bundle.clone()),
            bundle_bytes: bundle.as_ref().map(Vec::len),
            records: 0,
            contracts: Vec::new(),
            steps: Vec::new(),
            checks: Vec::new(),
            total_ms: 0,
            error: None,
        },
    };
    let told = tell(&mut story, &config, &bundle.unwrap_or_default()).await;
    story.report.ok = told.is_ok();
    story.report.error = told.as_ref().err().map(|error| format!("{error:#}"));
    story.report.total_ms = story.began.elapsed().as_millis();
    let path = config.dir.join("report.json");
    file::replace(&path, &serde_json::to_vec_pretty(&story.report)?)
        .with_context(|| format!("write {}", path.display()))?;
    told?;
    epilogue(&story, &path)
}

/// Makes an empty folder for the demo. One that the demo did not make is left alone.
fn empty(dir: &Path) -> anyhow::Result<()> {
    let marker = dir.join(MARKER);
    let mut entries = match std::fs::read_dir(dir) {
        Ok(entries) => Some(entries),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(error).with_context(|| format!("read {}", dir.display())),
    };
    if marker.exists() {
        std::fs::remove_dir_all(dir).with_context(|| format!("empty {}", dir.display()))?;
    } else if entries.as_mut().is_some_and(|entries| entries.next().is_some()) {
        bail!(
            "{} is not empty, and no folder of an earlier demo: name another with --dir",
            dir.display()
        );
    }
    file::create(&marker, b"The demo empties this folder each time.\n")
        .with_context(|| format!("create {}", marker.display()))
}

async fn tell(story: &mut Story, config: &Config, bundle: &[u8]) -> anyhow::Result<()> {
    let dev = open_stage(story, config).await?;
    let told = acts(story, &dev, config.ledger, bundle).await;
    dev.shutdown().await?;
    told
}

async fn acts(story: &mut Story, dev: &Dev, ledger: Option<Ledger>, bundle: &[u8]) -> anyhow::Result<()> {
    let (cast, chart) = introduce(story, dev).await?;
    match ledger {
        None => main_job(story, dev, &cast, chart, bundle).await,
        Some(Ledger::Claims) => {
            import(story, &cast, chart, bundle).await?;
            claims::in_depth(story, dev, &cast, chart).await
        }
        Some(Ledger::Trials) => trials::in_depth(story, dev, &cast, chart).await,
        Some(Ledger::Supply) => supply::in_depth(story, dev, &cast, chart).await,
    }
}

async fn main_job(story: &mut Story, dev: &Dev, cast: &Cast, chart: B256, bundle: &[u8]) -> anyhow::Result<()> {
    import(story, cast, chart, bundle).await?;
    read_back(story, cast, chart, bundle).await?;
    ask(story, cast, chart).await?;
    claims::bill(story, cast, chart).await?;
    supply::follow_a_package(story, dev, cast, chart).await?;
    trials::run_a_trial(story, dev, cast).await?;
    let amended = amend(story, cast, chart).await?;
    revoke(story, cast, chart, amended).await?;
    list_reads(story, cast, chart).await
}

/// Steps 1 and 2: contracts as WASM on the local chain, then the services.
async fn open_stage(story: &mut Story, config: &Config) -> anyhow::Result<Dev> {
    story.chapter(1, "The contracts run as Stylus WASM on a local chain");
    let artifacts = medlock_deploy::Artifacts::load(&config.artifacts)?;
    for artifact in artifacts.iter() {
        story.tell(&format!(
            "{:10}  {:>6} bytes of WASM, {:>6} bytes on chain (limit {})",
            artifact.name,
            artifact.wasm.len(),
            artifact.code.len(),
            medlock_deploy::artifacts::CODE_BYTES_MAX
        ));
        story.report.contracts.push(Contract {
            name: artifact.name.to_string(),
            wasm_bytes: artifact.wasm.len(),
            code_bytes: artifact.code.len(),
        });
    }
    let dev = dev::spawn(dev::Config {
        stores: crate::stores::Stores::default(),
        upkeep: None,
        home: config.dir.clone(),
        artifacts: config.artifacts.clone(),
        rpc_port: 0,
        gateway_port: 0,
        custodians: 0,
        public_url: None,
        relay: Default::default(),
    })
    .await?;
    let deployed = dev
        .deployed
        .as_ref()
        .context("a fresh folder was deployed to already")?;
    for step in &deployed.steps {
        story.report.steps.push(Row {
            step: step.name.clone(),
            transaction: Some(step.transaction),
            gas: Some(step.gas),
            cid: None,
            ms: None,
        });
    }
    if let Some(last) = story.report.steps.last_mut() {
        last.ms = Some(story.step_began.elapsed().as_millis());
    }
    let provider = medlock_client::Chain::discover(&dev.endpoints.rpc, Identity::generate()?.signer()).await?;
    let links = medlock_deploy::Links::of(&dev.deployment, dev.owner()?.address());
    for (name, address) in dev.deployment.contracts() {
        let code = provider.provider().get_code_at(address).await?;
        let ours = artifacts.iter().find(|artifact| artifact.name == name);
        let linked = ours.context("a contract that was not built")?.link(&links)?;
        story.check(
            code.as_ref() == linked.code.as_slice(),
            format!("{name} at {address}: the chain holds this WASM, activated"),
        )?;
    }

    story.chapter(2, "Indexer, store and gateway, in one process");
    let Endpoints { rpc, gateway } = &dev.endpoints;
    story.tell(&format!("chain {rpc}"));
    story.tell(&format!("gateway {gateway}"));
    Ok(dev)
}

/// Step 3: keys, credentials, and a chart.
async fn introduce(story: &mut Story, dev: &Dev) -> anyhow::Result<(Cast, B256)> {
    story.chapter(3, "Who takes part");
    let owner = dev.client(dev.owner()?).await?;
    let cast = Cast {
        patient: newcomer(dev).await?,
        clinic: newcomer(dev).await?,
        practitioner: newcomer(dev).await?,
        insurer: newcomer(dev).await?,
        issuer: newcomer(dev).await?,
    };
    let issuer = &cast.issuer;
    let mined = owner.set_issuer(issuer.address(), true).await?;
    story.row("name an issuer", Some(&mined), None);
    let document = alloy::primitives::keccak256(b"licence");
    let expiry = now() + 365 * DAY;
    for (step, party, roles) in [
        (
            "credential the clinic",
            &cast.clinic,
            role::ORGANISATION | role::PROVIDER,
        ),
        (
            "credential the practitioner",
            &cast.practitioner,
            role::PRACTITIONER | role::PROVIDER,
        ),
        ("credential the insurer", &cast.insurer, role::INSURER),
    ] {
        let mined = issuer
            .issue_credential(party.address(), roles, expiry, document)
            .await?;
        story.row(step, Some(&mined), None);
    }
    for (step, party) in [
        ("the clinic publishes its key", &cast.clinic),
        ("the practitioner publishes a key", &cast.practitioner),
        ("the insurer publishes its key", &cast.insurer),
    ] {
        let mined = party.publish_key().await?;
        story.row(step, Some(&mined), None);
    }
    let labels = default_labels();
    let (chart, mined) = cast
        .patient
        .open_chart(&labels, medlock_client::Suite::default())
        .await?;
    let state = cast.patient.chart_state(chart).await?;
    let directory = cid(&state.directory);
    story.row("the patient opens a chart", Some(&mined), Some(directory));
    story.check(
        state.controller == cast.patient.address(),
        format!(
            "chart {} with {} compartments belongs to the patient",
            short(&chart),
            labels.len()
        ),
    )?;
    for (who, client, bits) in [
        ("clinic", &cast.clinic, role::ORGANISATION),
        ("practitioner", &cast.practitioner, role::PRACTITIONER),
        ("insurer", &cast.insurer, role::INSURER),
    ] {
        let party = indexed_party(client).await?;
        let credentialed = party
            .credential
            .is_some_and(|held| held.current && held.roles.0 & bits == bits);
        story.check(
            credentialed && party.key.is_some(),
            format!("the {who} is credentialed and has published its own key"),
        )?;
    }
    Ok((cast, chart))
}

/// Somebody new, with funds.
async fn newcomer(dev: &Dev) -> anyhow::Result<Client> {
    let client = dev.client(Identity::generate()?).await?;
    let wei = U256::from(FUNDS_ETHER) * U256::from(10).pow(U256::from(18));
    client
        .chain()
        .provider()
        .raw_request::<_, ()>("anvil_setBalance".into(), (client.address(), wei))
        .await?;
    Ok(client)
}

/// A new party with these roles, beside the cast.
async fn party(story: &mut Story, dev: &Dev, cast: &Cast, who: &str, roles: u64) -> anyhow::Result<Client> {
    let client = newcomer(dev).await?;
    let mined = cast
        .issuer
        .issue_credential(client.address(), roles, 0, B256::ZERO)
        .await?;
    story.row(&format!("credential the {who}"), Some(&mined), None);
    Ok(client)
}

/// Everything, for treatment.
fn treatment() -> GrantTerms {
    GrantTerms {
        compartments: default_labels().keys().fold(0, |mask, number| mask | 1 << number),
        purposes: purpose::TREAT,
        actions: action::READ | action::WRITE,
        notBefore: 0,
        expiry: now() + TREATMENT_DAYS * DAY,
    }
}

/// To read these, for these purposes.
fn reading(labels: &[Label], purposes: u32) -> GrantTerms {
    GrantTerms {
        compartments: labels.iter().fold(0, |mask, label| mask | 1 << label.compartment()),
        purposes,
        actions: action::READ,
        notBefore: 0,
        expiry: now() + CLAIM_DAYS * DAY,
    }
}

/// Our own registry entry, once the index has both parts.
async fn indexed_party(client: &Client) -> anyhow::Result<medlock_client::api::Party> {
    client.gateway().await?.party_key(client.address(), 1).await?;
    Ok(client.party(client.address()).await?)
}

/// Step 4: grant and import.
async fn import(story: &mut Story, cast: &Cast, chart: B256, bundle: &[u8]) -> anyhow::Result<()> {
    story.chapter(4, "The clinic, once granted, imports a FHIR bundle");
    let open = cast.clinic.chart(chart).await;
    story.check(
        open.as_ref().is_err_and(Error::is_refusal),
        "before the grant the clinic gets nothing, credential or not",
    )?;
    let mined = cast.patient.grant(chart, cast.clinic.address(), treatment()).await?;
    story.row("grant the clinic read and write", Some(&mined), None);

    let bar = story.out.bar("encrypt, store, anchor", 0);
    let open = cast.clinic.chart(chart).await?;
    let imported = open
        .import(bundle, |done, of| {
            bar.set_length(of);
            bar.set_position(done);
        })
        .await?;
    bar.finish_and_clear();
    story.report.records = imported.records;
    let mut transactions: BTreeMap<B256, u64> = BTreeMap::new();
    for stored in &imported.stored {
        transactions.insert(stored.mined.transaction, stored.mined.gas);
    }
    let gas: u64 = transactions.values().sum();
    let last = imported.stored.last().context("the bundle holds no record")?;
    let total = Mined { gas, ..last.mined };
    story.row(
        "import the bundle (all batches)",
        Some(&total),
        Some(last.envelope.clone()),
    );
    let mut by_label: BTreeMap<u8, usize> = BTreeMap::new();
    for stored in &imported.stored {
        *by_label.entry(stored.compartment).or_default() += 1;
    }
    let counts: Vec<_> = Label::ALL
        .iter()
        .filter_map(|label| Some(format!("{} {}", by_label.get(&label.compartment())?, label.as_str())))
        .collect();
    story.tell(&counts.join(", "));
    story.tell(&format!(
        "{} transactions, {} gas a record",
        transactions.len(),
        gas / imported.stored.len() as u64
    ));
    story.check(
        imported.stored.len() == imported.records,
        format!(
            "{} records: sealed here, stored, and pointed to on chain",
            imported.records
        ),
    )?;
    let again = open.import(bundle, |_, _| ()).await?;
    story.check(again.stored.is_empty(), "the same import again adds nothing")
}

/// Step 5: the bytes come back.
async fn read_back(story: &mut Story, cast: &Cast, chart: B256, bundle: &[u8]) -> anyhow::Result<()> {
    story.chapter(5, "The clinic reads everything back");
    let bar = story.out.bar("consent, receipt, decrypt", 0);
    let open = cast.clinic.chart(chart).await?;
    let exported = open
        .export(code("TREAT"), |done, of| {
            bar.set_length(of);
            bar.set_position(done);
        })
        .await?;
    bar.finish_and_clear();
    story.row("read all records", None, None);
    story.check(
        exported.as_slice() == bundle,
        format!("the {} bytes equal what was imported", bundle.len()),
    )?;
    let listed = cast.practitioner.records(chart, None).await;
    story.check(
        listed.is_err_and(|error| error.is_refusal()),
        "the practitioner, credentialed but not granted, is refused",
    )
}

/// Step 6: the insurer asks.
async fn ask(story: &mut Story, cast: &Cast, chart: B256) -> anyhow::Result<()> {
    story.chapter(6, "The insurer asks, and gets answers without data");
    let claims = Label::Claims.compartment();
    let granted_at = now();
    let terms = reading(&[Label::Claims], purpose::HPAYMT);
    let expiry = terms.expiry;
    let insurer = &cast.insurer;
    let mined = cast.patient.grant(chart, insurer.address(), terms).await?;
    story.row("grant the insurer claims for payment", Some(&mined), None);

    let question = |compartment, purpose: &str, action, at| Question {
        chart,
        compartment,
        record_id: None,
        purpose: code(purpose),
        action,
        at,
    };
    let mut questions = Vec::new();
    for compartment in default_labels().into_keys() {
        for (purpose, _) in terms::purpose::ALL {
            questions.push(question(compartment, purpose, Action::READ, None));
        }
    }
    let verdicts = insurer.ask(questions).await?;
    let yes: Vec<&Verdict> = verdicts.iter().filter(|verdict| verdict.allowed).collect();
    story.row("the insurer asks every question", None, None);
    story.check(
        yes.len() == 1 && yes[0].compartment == claims && yes[0].purpose == code("HPAYMT"),
        format!("{} questions, one yes: claims for HPAYMT", verdicts.len()),
    )?;
    let no = |compartment: u8, purpose: &str| {
        let purpose = code(purpose);
        verdicts
            .iter()
            .find(|verdict| verdict.compartment == compartment && verdict.purpose == purpose)
            .map(|verdict| verdict.reason.clone())
            .unwrap_or_default()
    };
    story.check(
        no(Label::Sensitive.compartment(), "HPAYMT") == "compartment-not-granted",
        "sensitive records: no (compartment-not-granted)",
    )?;
    story.check(
        no(claims, "HRESCH") == "purpose-not-granted",
        "claims for research: no (purpose-not-granted)",
    )?;

    // The index answers for other times; it must have seen the grant.
    let status = insurer.chain().provider().get_block_number().await?;
    wait_for_index(insurer, status).await?;
    let others = vec![
        question(claims, "HPAYMT", Action::WRITE, None),
        question(claims, "HPAYMT", Action::READ, Some(granted_at - DAY)),
        question(claims, "HPAYMT", Action::READ, Some(expiry - 1)),
        question(claims, "HPAYMT", Action::READ, Some(expiry)),
    ];
    let reasons: Vec<(bool, String)> = insurer
        .ask(others)
        .await?
        .into_iter()
        .map(|verdict| (verdict.allowed, verdict.reason))
        .collect();
    let reasons: Vec<(bool, &str)> = reasons
        .iter()
        .map(|(allowed, reason)| (*allowed, reason.as_str()))
        .collect();
    story.check(
        reasons[0] == (false, "action-not-granted"),
        "to write: no (action-not-granted)",
    )?;
    story.check(reasons[1] == (false, "no-grant"), "the day before: no (no-grant)")?;
    story.check(
        reasons[2] == (true, "grant") && reasons[3] == (false, "expired"),
        format!("until the last second of day {CLAIM_DAYS}: yes; from then on: no (expired)"),
    )
}

async fn wait_for_index(client: &Client, block: u64) -> anyhow::Result<()> {
    let gateway = client.gateway().await?;
    let deadline = Instant::now() + std::time::Duration::from_secs(10);
    while gateway.status().await?.index_block < block {
        if Instant::now() > deadline {
            bail!("the index did not reach block {block} within 10 s");
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    Ok(())
}

/// Step 10: a second version. Gives the record.
async fn amend(story: &mut Story, cast: &Cast, chart: B256) -> anyhow::Result<B256> {
    story.chapter(10, "The clinic amends a record");
    let open = cast.clinic.chart(chart).await?;
    let conditions = cast
        .clinic
        .records(chart, Some(Label::Conditions.compartment()))
        .await?;
    let record = conditions.first().context("the bundle has no condition")?.record_id;
    let first = open.read(record, None, code("TREAT")).await?;
    let note = b"\n{\"note\":\"corrected at the follow-up visit\"}";
    let corrected = [first.content.as_slice(), note].concat();
    let stored = open.amend(&first, first.metadata.clone(), &corrected).await?;
    story.row("amend a record", Some(&stored.mined), Some(stored.envelope.clone()));
    let second = open.read(record, None, code("TREAT")).await?;
    let first_again = open.read(record, Some(1), code("TREAT")).await?;
    story.check(
        second.version == 2 && *second.content == corrected,
        "version 2 holds the correction",
    )?;
    story.check(*first_again.content == *first.content, "version 1 is still readable")?;
    story.check(
        second.previous == first.pointer && first_again.previous.is_zero(),
        "version 2 points to version 1",
    )?;
    Ok(record)
}

/// Step 11: revocation bites at once, and for what comes later.
async fn revoke(story: &mut Story, cast: &Cast, chart: B256, record: B256) -> anyhow::Result<()> {
    story.chapter(11, "The patient revokes the clinic");
    let clinic = cast.clinic.chart(chart).await?;
    let held = clinic.keyring().await?;
    let before = Instant::now();
    let revoked = cast.patient.revoke(chart, cast.clinic.address()).await?;
    let since_receipt = Instant::now();
    story.row("revoke the clinic, rotate its keys", Some(&revoked.mined), None);
    let refused = clinic.read(record, None, code("TREAT")).await;
    let waited = since_receipt.elapsed().as_millis();
    story.check(
        refused.is_err_and(|error| error.is_refusal()) && waited < REFUSED_WITHIN_MS,
        format!("the next read is refused, {waited} ms after the receipt"),
    )?;
    story.tell(&format!(
        "revocation, rotation and re-sealing took {} ms",
        (since_receipt - before).as_millis()
    ));
    let fresh = cast.clinic.chart(chart).await;
    story.check(
        fresh.is_err_and(|error| error.is_refusal()),
        "so is everything else the clinic asks for",
    )?;

    let patient = cast.patient.chart(chart).await?;
    let current = patient.read(record, None, code("PATRQT")).await?;
    let next = [current.content.as_slice(), b"\n{\"note\":\"the patient's own\"}"].concat();
    let stored = patient.amend(&current, current.metadata.clone(), &next).await?;
    story.row(
        "the patient writes the next version",
        Some(&stored.mined),
        Some(stored.envelope.clone()),
    );
    let sealed = patient.fetch(record, None, code("PATRQT")).await?;
    let directory = cast
        .patient
        .directory(chart, &cast.patient.chart_state(chart).await?)
        .await?;
    let opened = held.iter().any(|keys| {
        let reached = directory.body.keys_at_epoch(keys, sealed.envelope.epoch);
        sealed.open(keys).is_ok() || reached.is_ok_and(|keys| sealed.open(&keys).is_ok())
    });
    story.check(
        !held.is_empty() && !opened,
        format!(
            "version {}: the clinic's {} keys do not open it, with every byte in hand",
            sealed.binding.version,
            held.len()
        ),
    )?;
    let own = patient.read(record, None, code("PATRQT")).await?;
    story.check(*own.content == next, "the patient reads it")?;
    let claims = Label::Claims.compartment();
    let insurer = cast.insurer.chart(chart).await?;
    let claim = cast.insurer.records(chart, Some(claims)).await?;
    let claim = claim.first().context("the bundle has no claim")?.record_id;
    let read = insurer.read(claim, None, code("HPAYMT")).await;
    story.check(
        read.is_ok(),
        "the insurer, who stays, received the rotated keys and still reads a claim",
    )
}

/// Step 12: the patient's access log.
async fn list_reads(story: &mut Story, cast: &Cast, chart: B256) -> anyhow::Result<()> {
    story.chapter(12, "The patient lists who read what, and when");
    let reads = cast.patient.reads(chart).await?;
    story.row("list the reads", None, None);
    let mut by_reader: BTreeMap<(String, &str), u64> = BTreeMap::new();
    for read in &reads {
        let receipt = &read.entry.receipt;
        let who = match receipt.reader {
            reader if reader == cast.clinic.address() => "the clinic",
            reader if reader == cast.insurer.address() => "the insurer",
            reader if reader == cast.patient.address() => "the patient",
            _ => "somebody else",
        };
        *by_reader.entry((who.to_owned(), receipt.purpose.code())).or_default() += 1;
    }
    for ((who, purpose), count) in &by_reader {
        story.tell(&format!("{who:12} {purpose:7} {count:5} reads"));
    }
    story.check(
        !reads.is_empty() && reads.iter().all(|read| read.proven),
        format!(
            "all {} reads carry the reader's signature and hang in the receipt chain",
            reads.len()
        ),
    )?;
    // Everything once for the export, the amended record three times more, the frame when the import was repeated, and the fingerprint key.
    let records = story.report.records as u64;
    let clinic = by_reader
        .get(&("the clinic".to_owned(), "TREAT"))
        .copied()
        .unwrap_or_default();
    story.check(
        clinic == records + 5,
        format!("the clinic's {clinic} reads are all there, none is missing"),
    )?;
    let insurer = by_reader
        .get(&("the insurer".to_owned(), "HPAYMT"))
        .copied()
        .unwrap_or_default();
    story.check(
        insurer == 2 && !by_reader.keys().any(|(who, _)| who == "somebody else"),
        "the insurer read one record and the fingerprint key; nobody else read anything",
    )
}

fn epilogue(story: &Story, path: &Path) -> anyhow::Result<()> {
    if story.out.json {
        println!("{}", serde_json::to_string_pretty(&story.report)?);
        return Ok(());
    }
    let rows: Vec<Vec<String>> = story
        .report
        .steps
        .iter()
        .map(|row| {
            vec![
                row.step.clone(),
                row.transaction.as_ref().map(short).unwrap_or_default(),
                row.gas.map(|gas| gas.to_string()).unwrap_or_default(),
                row.cid.as_deref().map(ellipsis).unwrap_or_default(),
                row.ms.map(|ms| format!("{ms} ms")).unwrap_or_default(),
            ]
        })
        .collect();
    println!("\n{}", table(&["step", "transaction", "gas", "CID", "time"], &rows));
    println!(
        "\nAll {} checks held, in {:.1} s. The same as JSON: {}",
        story.report.checks.len(),
        story.report.total_ms as f64 / 1000.0,
        path.display()
    );
    Ok(())
}

fn cid(digest: &B256) -> String {
    medlock_dag::dag_cbor_cid(digest.0).to_string()
}

fn ellipsis(cid: &str) -> String {
    // Base32 is ASCII, so bytes are characters.
    format!("{}…{}", &cid[..8], &cid[cid.len() - 6..])
}

/// A purpose that the table in `terms` has.
fn code(code: &str) -> Purpose {
    Purpose::from_code(code).unwrap_or_else(|| unreachable!("{code} is one of terms::purpose::ALL"))
}
