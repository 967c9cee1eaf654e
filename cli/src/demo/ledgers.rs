//! The demo's chapters of the three ledgers: a claim, a package of a drug, a clinical trial.

use std::{collections::BTreeMap, time::Duration};

use alloy::{
    hex,
    primitives::{Address, B256, keccak256},
};
use anyhow::Context;
use medlock_client::{
    ClaimsOf, Client, Error, Identity, NewClaim, Ruling, TrialFiles,
    api::claims::ClaimState,
    billing::{Amount, Currency},
    claim_reason,
    drugs::{
        Batch, Day, Gtin, Manifest, Ticket,
        plan::Run,
        verdict::{Asker, Level},
    },
    now,
    research::{
        self, Finding,
        batch::{Batch as TrialData, Place, Row},
        folder::{BatchName, Folder, Index, ResultsName, VersionFiles},
        results::{Kind, Plan, Planned, Reported, Results},
    },
    terms::{recall, role, shipment},
};
use medlock_fhir::Label;
use serde_json::json;

use super::{Cast, DAY, Story, code, newcomer};
use crate::dev::Dev;

/// What the claim is for, and what of it is approved, in US dollars.
const BILLED: &str = "120.50";
const APPROVED: &str = "96.40";
/// Of the batch that is registered; how long they may be used.
const PACKAGES: u32 = 1_000;
const PACKAGE_DAYS: u64 = 730;

/// Step 7: a claim, from its submission to its payment.
pub async fn bill(story: &mut Story, cast: &Cast, chart: B256) -> anyhow::Result<()> {
    story.chapter(7, "The clinic bills the insurer");
    let (clinic, insurer) = (&cast.clinic, &cast.insurer);
    let dollars = Currency::from_alpha("USD")?;
    let mined = insurer.set_currency(dollars, true, None).await?;
    story.row("the insurer takes claims in US dollars", Some(&mined), None);
    let mined = cast.patient.share_fingerprint_key(chart).await?;
    story.row("the patient shares the chart's fingerprint key", mined.as_ref(), None);

    let open = clinic.chart(chart).await?;
    let key = open.fingerprint_key(code("TREAT")).await?;
    let records = clinic.records(chart, Some(Label::Claims.compartment())).await?;
    let ours = records.iter().find(|record| record.author == clinic.address());
    let record = ours.context("the bundle has no claim")?.record_id;
    let chain_id = clinic.deployment().chain_id;
    let claim = |records: Vec<B256>| NewClaim {
        insurer: insurer.address(),
        claim: fhir_claim(chain_id, chart, clinic.address(), insurer.address()),
        records,
    };
    let conditions = clinic.records(chart, Some(Label::Conditions.compartment())).await?;
    let condition = conditions.first().context("the bundle has no condition")?.record_id;
    let refused = open.submit_claims(vec![claim(vec![condition])], &key).await;
    story.check(
        refused.is_err_and(|error| error.is_refusal()),
        "a claim that rests on what the insurer may not read is refused by the contract",
    )?;
    let submitted = open.submit_claims(vec![claim(vec![record])], &key).await?;
    story.row("the clinic submits a claim", Some(&submitted.mined), None);
    let id = *submitted.claims.first().context("no claim")?;
    let again = open.submit_claims(vec![claim(vec![record])], &key).await;
    story.check(
        matches!(again, Err(Error::Contract { .. })),
        "the same service again is refused by the contract",
    )?;

    let key = insurer.chart(chart).await?.fingerprint_key(code("HPAYMT")).await?;
    let opened = insurer.open_claim(id, Some(&key)).await?;
    story.check(
        opened.claim.total.decimal() == BILLED,
        format!("the insurer opens the claim: {BILLED} USD, as was committed to on chain, for the service of the fingerprint"),
    )?;
    let part = Amount::parse(dollars, APPROVED)?.minor;
    let reason = claim_reason("above-limit")?;
    let mined = insurer
        .decide_claim(&opened, Ruling::ApprovePart { minor: part, reason })
        .await?;
    story.row("the insurer approves a part", Some(&mined), None);
    let decided = clinic.open_claim(id, None).await?;
    let decision = decided.decision.as_ref();
    let approved = decision.and_then(|(decision, _)| decision.verdict.amount());
    story.check(
        approved.is_some_and(|amount| amount.minor == part),
        format!("the clinic opens the decision: {APPROVED} USD, as was committed to"),
    )?;
    let mined = clinic.accept_part_of_claim(id).await?;
    story.row("the clinic accepts the part", Some(&mined), None);
    let (mined, _) = insurer.record_claim_payment(id, "remittance 2026-0042").await?;
    story.row("the insurer records the payment", Some(&mined), None);
    let seen = cast.patient.claims(ClaimsOf::Chart(chart), None).await?;
    let stands = seen.first().is_some_and(|claim| claim.state == ClaimState::Paid);
    let closed = cast.patient.open_claim(id, None).await;
    story.check(
        seen.len() == 1 && stands && closed.is_err(),
        "the patient sees the claim and each of its steps; amounts and documents are the parties' alone",
    )
}

/// One service, as FHIR has it.
fn fhir_claim(chain_id: u64, chart: B256, provider: Address, insurer: Address) -> Vec<u8> {
    let account = |account: Address| {
        json!({ "type": "Organization", "identifier": {
            "system": "urn:ietf:rfc:3986", "value": format!("did:pkh:eip155:{chain_id}:0x{}", hex::encode(account)),
        }})
    };
    let money = json!({ "value": 120.50, "currency": "USD" });
    let claim = json!({
        "resourceType": "Claim", "status": "active", "use": "claim", "created": "2026-05-04",
        "type": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/claim-type", "code": "professional" }] },
        "priority": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/processpriority", "code": "normal" }] },
        "patient": { "reference": format!("Patient/{}", hex::encode(chart)) },
        "provider": account(provider), "insurer": account(insurer),
        "insurance": [{ "sequence": 1, "focal": true, "coverage": { "reference": "Coverage/1" } }],
        "item": [{
            "sequence": 1, "servicedDate": "2026-05-03", "net": money, "encounter": [{ "reference": "Encounter/7" }],
            "productOrService": { "coding": [{ "system": "http://snomed.info/sct", "code": "185345009" }] },
        }],
        "total": money,
    });
    claim.to_string().into_bytes()
}

/// A new party with these roles.
async fn party(story: &mut Story, dev: &Dev, cast: &Cast, who: &str, roles: u64) -> anyhow::Result<Client> {
    let client = newcomer(dev).await?;
    let mined = cast
        .issuer
        .issue_credential(client.address(), roles, 0, B256::ZERO)
        .await?;
    story.row(&format!("credential the {who}"), Some(&mined), None);
    Ok(client)
}

/// Step 8: a drug, from its maker to the patient, and its recall.
pub async fn follow_a_package(story: &mut Story, dev: &Dev, cast: &Cast, chart: B256) -> anyhow::Result<()> {
    story.chapter(8, "A package of a drug goes from its maker to the patient");
    let maker = party(story, dev, cast, "maker", role::MAKER).await?;
    let pharmacy = party(story, dev, cast, "pharmacy", role::PHARMACY).await?;
    let gtin: Gtin = "09506000134352".parse()?;
    let batch = Batch {
        maker: maker.address(),
        gtin,
        lot: "L2026".parse()?,
        expiry: Day::of_time(now() + PACKAGE_DAYS * DAY).ends_at(),
    };
    let serials = (0..PACKAGES).map(|number| format!("S{number:05}").parse());
    let manifest = Manifest::new(batch, maker.gtin_salt(gtin)?, serials.collect::<Result<_, _>>()?)?;
    let mined = maker.register_batch(&manifest, B256::ZERO).await?;
    story.row(&format!("register a batch of {PACKAGES} packages"), Some(&mined), None);
    let id = batch.id();
    let run = |from, to| Run { batch: id, from, to };
    let shipped = maker
        .ship(pharmacy.address(), shipment::SALE, &[run(0, 100)], B256::ZERO)
        .await?;
    story.row("offer a hundred of them to the pharmacy", shipped.mined.last(), None);
    let number = shipped.shipments.first().context("no shipment")?.parse()?;
    let mined = pharmacy.accept_shipment(number, B256::ZERO).await?;
    story.row("the pharmacy accepts", Some(&mined), None);

    let ticket = manifest.ticket(7).context("package 7")?;
    let forged = Ticket {
        serial: "S99999".parse()?,
        ..ticket.clone()
    };
    let verdict = pharmacy.inspect(&ticket, None, Asker::Partner).await?;
    story.check(verdict.level == Level::Ok, "the pharmacy scans a package: genuine")?;
    let verdict = pharmacy.inspect(&forged, None, Asker::Partner).await?;
    story.check(verdict.level == Level::False, "a serial that was never made: false")?;
    let mined = pharmacy.dispense(&ticket, B256::ZERO).await?;
    story.row("dispense the package", Some(&mined), None);
    let patient = cast.patient.chart(chart).await?;
    patient.add_package(&ticket).await?;
    let verdict = pharmacy.inspect(&ticket, None, Asker::Partner).await?;
    story.check(
        verdict.level == Level::False,
        "the same serial a second time: one of the two is a copy",
    )?;
    let history = cast.patient.custody(batch, ticket.index).await?;
    story.check(
        history.steps().len() == 2,
        "the patient sees how it came to the pharmacy, back to its maker",
    )?;
    let why = (recall::CLASS_I, recall::CONTAMINATED);
    let mined = maker.recall_packages(id, (0, 50), why, B256::ZERO).await?;
    story.row("recall half of what was shipped", Some(&mined), None);
    let recalled = cast.patient.recalled_packages(chart, code("PATRQT")).await?;
    story.check(
        recalled.len() == 1,
        "the patient's own client finds the recalled package in the chart; nobody else learns who has it",
    )
}

/// Step 9: a clinical trial whose sponsor switches an outcome.
pub async fn run_a_trial(story: &mut Story, dev: &Dev, cast: &Cast) -> anyhow::Result<()> {
    story.chapter(9, "A clinical trial is checked against the chain");
    let sponsor = party(story, dev, cast, "sponsor", role::SPONSOR).await?;
    let site = party(story, dev, cast, "site", role::SITE).await?;
    let outcomes = |ids: [&str; 2]| {
        let outcome = |id: &str, kind| Planned {
            id: id.to_owned(),
            kind,
            title: format!("{id}, at twelve weeks"),
        };
        vec![outcome(ids[0], Kind::Primary), outcome(ids[1], Kind::Secondary)]
    };
    let plan = Plan {
        document: B256::repeat_byte(1),
        outcomes: outcomes(["pain", "sleep"]),
    };
    let plan = plan.to_json()?;
    let files = TrialFiles {
        protocol: b"the protocol",
        plan: plan.as_bytes(),
        form: b"You may leave at any time.",
    };
    let (trial, mined) = sponsor.register_trial("NCT01234567", files).await?;
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
    let data = |participants: &[u32]| {
        let rows = participants.iter().map(|number| Row {
            participant: *number,
            salt: keccak256(number.to_be_bytes()),
            payload: format!("{{\"pain\":{number}}}").into_bytes(),
        });
        let place = Place {
            trial,
            site: site.address(),
            sequence: 1,
            from: began,
            to: began + 1,
        };
        TrialData::new(place, rows.collect())
    };
    // Data are of a time that is over.
    while now() <= began {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let refused = site.anchor_trial_data(&data(&numbers)?).await;
    story.check(
        matches!(refused, Err(Error::Contract { .. })),
        "data with somebody in them who has withdrawn are refused by the contract",
    )?;
    let batch = data(&numbers[..2])?;
    let mined = site.anchor_trial_data(&batch).await?;
    story.row("the site anchors its data", Some(&mined), None);
    let mined = sponsor.lock_trial_data(trial).await?;
    story.row("the sponsor locks the data", Some(&mined), None);
    let facts = sponsor.trial_facts(trial).await?;
    let reported = |ids| {
        let outcome = |planned: Planned| Reported {
            id: planned.id,
            kind: planned.kind,
            title: planned.title,
            value: "better".to_owned(),
        };
        Results {
            trial,
            version: 1,
            plan: facts.versions[0].documents.plan,
            data: facts.lock.as_ref().map_or(B256::ZERO, |lock| lock.data),
            outcomes: outcomes(ids).into_iter().map(outcome).collect(),
        }
        .to_json()
    };
    // Pain did not get better, so sleep is said to have been what the trial was about.
    let results = reported(["sleep", "pain"])?;
    let mined = sponsor.anchor_trial_results(trial, results.as_bytes()).await?;
    story.row(
        "the sponsor anchors results, with the outcomes switched",
        Some(&mined),
        None,
    );
    let index = Index {
        trial,
        sponsor: sponsor.address(),
        registration: "NCT01234567".into(),
        versions: vec![VersionFiles {
            version: 1,
            protocol: "protocol".into(),
            plan: "plan.json".into(),
            plan_document: None,
            form: "form".into(),
        }],
        batches: vec![BatchName {
            site: site.address(),
            sequence: 1,
            file: "data.jsonl".into(),
        }],
        results: vec![ResultsName {
            number: 0,
            file: "results.json".into(),
        }],
    };
    let published: BTreeMap<&str, Vec<u8>> = BTreeMap::from([
        ("trial.json", index.to_json()?.into_bytes()),
        ("protocol", files.protocol.to_vec()),
        ("plan.json", files.plan.to_vec()),
        ("form", files.form.to_vec()),
        ("data.jsonl", batch.to_lines().into_bytes()),
        ("results.json", results.into_bytes()),
    ]);
    let read = |name: &str| published.get(name).cloned();
    let folder = Folder::new(published.keys().map(|name| (*name).to_owned()), &read);
    let facts = people[0].trial_facts(trial).await?;
    let report = research::verify(&facts, &folder);
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
