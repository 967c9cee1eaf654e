//! Claims: their chapter of the demo, and `medlock demo claims`.

use std::{fs, io::ErrorKind, path::Path};

use alloy::{hex, primitives::B256};
use anyhow::Context;
use medlock_client::{
    CLAIMS, ClaimsOf, Client, Error, FHIR_MEDIA_TYPE, Metadata, NewClaim, NewDocument, OpenChart, Ruling, Submitted,
    api::claims::ClaimState,
    billing::{Amount, Currency, FingerprintKey, signals::SignalKind},
    claim_reason, remittance,
    terms::{purpose, role},
};
use medlock_fhir::Label;
use serde_json::{Value, json};

use super::{Cast, Story, code, newcomer, party, reading, short};
use crate::dev::Dev;

const CURRENCY: &str = "USD";
/// What a claim is for, and what of it is approved at first, in US dollars.
const BILLED: &str = "120.50";
const APPROVED: &str = "96.40";

/// What the parties write to each other, and nobody else reads.
const QUESTION: &str = "Was it the left knee or the right one?";
const ANSWER: &str = "It was the left one; the report is linked.";
const APPEAL: &str = "By the contract of 2024 such a visit is covered in full.";
const REMITTANCE: &str = "remittance 2026-0042";

/// What is billed.
struct Service {
    encounter: &'static str,
    /// Of SNOMED CT.
    code: &'static str,
    day: &'static str,
}

const VISIT: Service = Service {
    encounter: "7",
    code: "185345009",
    day: "2026-05-03",
};
const COLONOSCOPY: Service = Service {
    encounter: "8",
    code: "73761001",
    day: "2026-05-04",
};
/// Before anybody was born who is a patient now.
const IMPOSSIBLE: Service = Service {
    encounter: "9",
    code: "80146002",
    day: "1900-01-01",
};

/// Who bills for services on a chart.
struct Biller {
    open: OpenChart,
    key: FingerprintKey,
}

impl Biller {
    async fn new(provider: &Client, chart: B256) -> Result<Self, Error> {
        let open = provider.chart(chart).await?;
        let key = open.fingerprint_key(code("TREAT")).await?;
        Ok(Self { open, key })
    }

    /// The FHIR Claim.
    fn claim(&self, insurer: &Client, service: &Service) -> String {
        let provider = self.open.client();
        let chain_id = provider.deployment().chain_id;
        let account = |client: &Client| {
            json!({ "type": "Organization", "identifier": {
                "system": "urn:ietf:rfc:3986",
                "value": format!("did:pkh:eip155:{chain_id}:0x{}", hex::encode(client.address())),
            }})
        };
        let money = json!({ "value": 120.50, "currency": CURRENCY });
        let claim = json!({
            "resourceType": "Claim", "status": "active", "use": "claim", "created": "2026-05-04",
            "type": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/claim-type", "code": "professional" }] },
            "priority": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/processpriority", "code": "normal" }] },
            "patient": { "reference": format!("Patient/{}", hex::encode(self.open.id())) },
            "provider": account(provider), "insurer": account(insurer),
            "insurance": [{ "sequence": 1, "focal": true, "coverage": { "reference": "Coverage/1" } }],
            "item": [{
                "sequence": 1, "servicedDate": service.day, "net": money,
                "encounter": [{ "reference": format!("Encounter/{}", service.encounter) }],
                "productOrService": { "coding": [{ "system": "http://snomed.info/sct", "code": service.code }] },
            }],
            "total": money,
        });
        claim.to_string()
    }

    async fn bill(&self, insurer: &Client, service: &Service, record: B256) -> Result<Submitted, Error> {
        self.submit(insurer, self.claim(insurer, service), record).await
    }

    /// `record`: what bears the claim out.
    async fn submit(&self, insurer: &Client, claim: String, record: B256) -> Result<Submitted, Error> {
        let new = NewClaim {
            insurer: insurer.address(),
            claim: claim.into_bytes(),
            records: vec![record],
        };
        self.open.submit_claims(vec![new], &self.key).await
    }
}

/// Records of the bundle: one of the compartment that insurers are let read, and one of another.
async fn records(clinic: &Client, chart: B256) -> anyhow::Result<(B256, B256)> {
    let records = clinic.records(chart, Some(CLAIMS)).await?;
    let ours = records.iter().find(|record| record.author == clinic.address());
    let readable = ours.context("the bundle has no claim")?.record_id;
    let conditions = clinic.records(chart, Some(Label::Conditions.compartment())).await?;
    let withheld = conditions.first().context("the bundle has no condition")?.record_id;
    Ok((readable, withheld))
}

fn dollars() -> anyhow::Result<Currency> {
    Ok(Currency::from_alpha(CURRENCY)?)
}

fn only(submitted: &Submitted) -> anyhow::Result<B256> {
    submitted.claims.first().copied().context("no claim")
}

/// Step 7 of the whole demo: a claim, from its submission to its payment.
pub async fn bill(story: &mut Story, cast: &Cast, chart: B256) -> anyhow::Result<()> {
    story.chapter(7, "The clinic bills the insurer");
    let (clinic, insurer) = (&cast.clinic, &cast.insurer);
    let mined = insurer.set_currency(dollars()?, true, None).await?;
    story.row("the insurer takes claims in US dollars", Some(&mined), None);
    let mined = cast.patient.share_fingerprint_key(chart).await?;
    story.row("the patient shares the chart's fingerprint key", mined.as_ref(), None);

    let biller = Biller::new(clinic, chart).await?;
    let (record, withheld) = records(clinic, chart).await?;
    let refused = biller.bill(insurer, &VISIT, withheld).await;
    story.check(
        refused.is_err_and(|error| error.is_refusal()),
        "a claim that rests on what the insurer may not read is refused by the contract",
    )?;
    let submitted = biller.bill(insurer, &VISIT, record).await?;
    story.row("the clinic submits a claim", Some(&submitted.mined), None);
    let id = only(&submitted)?;
    let again = biller.bill(insurer, &VISIT, record).await;
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
    let part = Amount::parse(dollars()?, APPROVED)?.minor;
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
    let (mined, _) = insurer.record_claim_payment(id, REMITTANCE).await?;
    story.row("the insurer records the payment", Some(&mined), None);
    let seen = cast.patient.claims(ClaimsOf::Chart(chart), None).await?;
    let stands = seen.first().is_some_and(|claim| claim.state == ClaimState::Paid);
    let closed = cast.patient.open_claim(id, None).await;
    story.check(
        seen.len() == 1 && stands && closed.is_err(),
        "the patient sees the claim and each of its steps; amounts and documents are the parties' alone",
    )
}

/// The clinic's case with two insurers.
struct Case<'a> {
    cast: &'a Cast,
    chart: B256,
    clinic: Biller,
    second: Client,
    /// What bears the claims out.
    record: B256,
}

/// Chapters 5 to 11 of `medlock demo claims`, once the clinic has imported the bundle.
pub async fn in_depth(story: &mut Story, dev: &Dev, cast: &Cast, chart: B256) -> anyhow::Result<()> {
    let case = prepare(story, dev, cast, chart).await?;
    let claim = submit(story, &case).await?;
    adjudicate(story, &case, claim).await?;
    explain(story, &case, claim).await?;
    deny(story, &case).await?;
    look_for_fraud(story, &case).await?;
    look_into_the_folder(story, dev, &case, claim).await
}

/// What a claim takes, one after the other; without each of them it is refused.
async fn prepare<'a>(story: &mut Story, dev: &Dev, cast: &'a Cast, chart: B256) -> anyhow::Result<Case<'a>> {
    story.chapter(
        5,
        "What a claim takes: the patient's consent, credentials, a currency, a shared registry",
    );
    let (patient, insurer) = (&cast.patient, &cast.insurer);
    let mined = patient.share_fingerprint_key(chart).await?;
    story.row("the patient shares the chart's fingerprint key", mined.as_ref(), None);
    let clinic = Biller::new(&cast.clinic, chart).await?;
    let (record, withheld) = records(&cast.clinic, chart).await?;
    let refused = clinic.bill(insurer, &VISIT, record).await;
    story.refused(
        refused,
        "NoConsent",
        "a claim while the patient has granted the insurer nothing",
    )?;

    let second = party(story, dev, cast, "second insurer", role::INSURER).await?;
    let mined = second.publish_key().await?;
    story.row("the second insurer publishes its key", Some(&mined), None);
    let insurers = [("the insurer", insurer), ("the second insurer", &second)];
    for (who, account) in insurers {
        let terms = reading(&[Label::Claims, Label::Demographics], purpose::HPAYMT);
        let mined = patient.grant(chart, account.address(), terms).await?;
        story.row(&format!("grant {who} claims for payment"), Some(&mined), None);
    }
    let refused = clinic.bill(insurer, &VISIT, withheld).await;
    story.refused(
        refused,
        "NoConsent",
        "a claim that rests on a condition, which the insurer may not read",
    )?;

    let refused = clinic.bill(insurer, &VISIT, record).await;
    story.refused(
        refused,
        "CurrencyNotAccepted",
        "a claim in a currency that the insurer does not take",
    )?;
    for (who, account) in insurers {
        let mined = account.set_currency(dollars()?, true, None).await?;
        story.row(&format!("{who} takes claims in US dollars"), Some(&mined), None);
        let mined = account.set_insurer(true).await?;
        story.row(&format!("{who} joins the shared registry"), Some(&mined), None);
    }
    let negative = clinic.claim(insurer, &VISIT).replace("120.5", "-120.5");
    let refused = clinic.submit(insurer, negative, record).await;
    story.check(
        matches!(refused, Err(Error::Unsuitable(_))),
        "a negative amount: refused before anything is sent",
    )?;

    let quack = newcomer(dev).await?;
    quack.publish_key().await?;
    let terms = reading(&[Label::Claims], purpose::TREAT);
    let mined = patient.grant(chart, quack.address(), terms).await?;
    story.row("grant somebody without a credential", Some(&mined), None);
    let refused = Biller::new(&quack, chart).await?.bill(insurer, &VISIT, record).await;
    story.refused(
        refused,
        "NotCredentialed",
        "a claim of a provider whom nobody has credentialed",
    )?;
    Ok(Case {
        cast,
        chart,
        clinic,
        second,
        record,
    })
}

async fn submit(story: &mut Story, case: &Case<'_>) -> anyhow::Result<B256> {
    story.chapter(6, "The clinic submits a claim, sealed to the insurer alone");
    let (clinic, insurer) = (&case.clinic, &case.cast.insurer);
    let submitted = clinic.bill(insurer, &VISIT, case.record).await?;
    story.row("the clinic submits a claim", Some(&submitted.mined), None);
    let claim = only(&submitted)?;
    let key = insurer.chart(case.chart).await?.fingerprint_key(code("HPAYMT")).await?;
    let opened = insurer.open_claim(claim, Some(&key)).await?;
    story.check(
        opened.history.claim.state == ClaimState::Received && opened.claim.total.decimal() == BILLED,
        format!("received: {BILLED} USD, as was committed to on chain, for the service of the fingerprint"),
    )?;
    let closed = case.second.open_claim(claim, None).await;
    story.check(
        closed.is_err_and(|error| error.is_refusal()),
        "the second insurer is not even told that it is there",
    )?;
    let closed = case.cast.patient.open_claim(claim, None).await;
    story.check(
        closed.is_err_and(|error| error.is_refusal()),
        "the patient sees that it is there, and no document of the parties'",
    )?;
    let again = clinic.bill(insurer, &VISIT, case.record).await;
    story.refused(again, "DuplicateService", "the same service again")?;
    let elsewhere = clinic.bill(&case.second, &VISIT, case.record).await;
    story.refused(
        elsewhere,
        "DuplicateService",
        "the same service at the second insurer, as both share the registry",
    )?;
    Ok(claim)
}

async fn adjudicate(story: &mut Story, case: &Case<'_>, claim: B256) -> anyhow::Result<()> {
    story.chapter(7, "The insurer asks, approves a part, and after an appeal all of it");
    let (clinic, insurer) = (&case.cast.clinic, &case.cast.insurer);
    let refused = insurer.record_claim_payment(claim, REMITTANCE).await;
    story.refused(refused, "ClaimState", "a payment before there is a decision")?;
    let refused = clinic.appeal_claim(claim, APPEAL).await;
    story.refused(refused, "ClaimState", "an appeal before there is a decision")?;
    let refused = clinic.review_claim(claim).await;
    story.refused(refused, "NotParty", "a review by the clinic itself")?;

    let mined = insurer.review_claim(claim).await?;
    story.row("the insurer begins its review", Some(&mined), None);
    let mined = insurer.request_claim_information(claim, QUESTION).await?;
    story.row("the insurer asks for information", Some(&mined), None);
    let asked = clinic.claim(claim).await?;
    let step = asked.steps.last().context("a claim without steps")?;
    let question = clinic.claim_message(&asked, step).await?;
    story.check(
        asked.claim.state == ClaimState::InformationRequested && question.as_deref() == Some(QUESTION),
        format!("the clinic reads: {QUESTION}"),
    )?;
    let waiting = insurer.open_claim(claim, None).await?;
    let refused = insurer.decide_claim(&waiting, Ruling::Approve).await;
    story.refused(refused, "ClaimState", "a decision while the answer is awaited")?;
    let mined = clinic.provide_claim_information(claim, ANSWER).await?;
    story.row("the clinic answers", Some(&mined), None);
    let refused = insurer.decide_claim(&waiting, Ruling::Approve).await;
    story.refused(
        refused,
        "ClaimSerial",
        "a decision on the claim as it was before the answer",
    )?;
    let answered = insurer.open_claim(claim, None).await?;
    let step = answered.history.steps.last().context("a claim without steps")?;
    let answer = insurer.claim_message(&answered.history, step).await?;
    story.check(
        answered.history.claim.state == ClaimState::InReview && answer.as_deref() == Some(ANSWER),
        format!("the insurer reads: {ANSWER}"),
    )?;

    let part = Amount::parse(dollars()?, APPROVED)?.minor;
    let reason = claim_reason("above-limit")?;
    let ruling = Ruling::ApprovePart { minor: part, reason };
    let mined = insurer.decide_claim(&answered, ruling).await?;
    story.row("the insurer approves a part", Some(&mined), None);
    let decided = clinic.open_claim(claim, None).await?;
    let decision = decided.decision.as_ref();
    let approved = decision.and_then(|(decision, _)| decision.verdict.amount());
    let told = &decided.history.claim;
    story.check(
        told.state == ClaimState::PartlyApproved
            && told.reason.as_deref() == Some("above-limit")
            && approved.is_some_and(|amount| amount.minor == part),
        format!("the clinic opens the decision: {APPROVED} of {BILLED} USD (above-limit)"),
    )?;
    let refused = insurer.record_claim_payment(claim, REMITTANCE).await;
    story.refused(
        refused,
        "AppealWindowOpen",
        "a payment of the part, which would end the clinic's appeal",
    )?;

    let mined = clinic.appeal_claim(claim, APPEAL).await?;
    story.row("the clinic appeals", Some(&mined), None);
    let appealed = insurer.open_claim(claim, None).await?;
    let step = appealed.history.steps.last().context("a claim without steps")?;
    let appeal = insurer.claim_message(&appealed.history, step).await?;
    story.check(
        appealed.history.claim.appeals == 1 && appeal.as_deref() == Some(APPEAL),
        format!("the insurer reads: {APPEAL}"),
    )?;
    let mined = insurer.decide_claim(&appealed, Ruling::Approve).await?;
    story.row("the insurer approves all", Some(&mined), None);
    let (mined, salt) = insurer.record_claim_payment(claim, REMITTANCE).await?;
    story.row("the insurer records the payment", Some(&mined), None);
    let paid = clinic.open_claim(claim, None).await?;
    let decision = paid.decision.as_ref();
    let approved = decision.and_then(|(decision, _)| decision.verdict.amount());
    let step = paid.history.steps.last().context("a claim without steps")?;
    story.check(
        paid.history.claim.state == ClaimState::Paid
            && approved.is_some_and(|amount| amount.decimal() == BILLED)
            && step.remittance == Some(remittance(salt, REMITTANCE)),
        format!("paid: {BILLED} USD; with the reference and its salt the clinic finds the payment on chain"),
    )?;
    let refused = insurer.record_claim_payment(claim, REMITTANCE).await;
    story.refused(refused, "ClaimState", "a second payment")?;

    let seen = case.cast.patient.claims(ClaimsOf::Chart(case.chart), None).await?;
    let history = case.cast.patient.claim(claim).await?;
    let events: Vec<_> = history.steps.iter().map(|step| step.event.as_str()).collect();
    story.tell(&events.join(", "));
    story.check(
        seen.len() == 1 && history == paid.history,
        "the patient sees the same steps, and when and by whom each was taken",
    )
}

/// The parties alone open documents; what became of a claim the patient has as a record of the chart.
async fn explain(story: &mut Story, case: &Case<'_>, claim: B256) -> anyhow::Result<()> {
    story.chapter(8, "The patient has an ExplanationOfBenefit");
    let (clinic, patient) = (&case.cast.clinic, &case.cast.patient);
    let explanation = clinic.open_claim(claim, None).await?.explanation()?.into_bytes();
    let record = clinic.record_id(case.chart, &explanation);
    let document = NewDocument {
        record_id: record,
        compartment: CLAIMS,
        metadata: Metadata {
            media_type: FHIR_MEDIA_TYPE.into(),
            ..Metadata::default()
        },
        content: explanation.into(),
    };
    let stored = case.clinic.open.add(vec![document], |_| ()).await?;
    let stored = stored.first().context("the explanation stands there already")?;
    story.row(
        "the clinic writes it into the chart",
        Some(&stored.mined),
        Some(stored.envelope.clone()),
    );
    let read = patient.chart(case.chart).await?;
    let read = read.read(record, None, code("PATRQT")).await?;
    let resource: Value = serde_json::from_slice(&read.content)?;
    let text = |pointer: &str| resource.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let paid = resource.pointer("/payment/amount/value").and_then(Value::as_f64);
    story.check(
        text("/resourceType") == "ExplanationOfBenefit"
            && text("/outcome") == "complete"
            && text("/extension/0/valueCode") == "paid"
            && paid.is_some_and(|paid| format!("{paid:.2}") == BILLED),
        format!("the patient reads it as FHIR: complete, paid, {BILLED} USD"),
    )?;
    let compared = patient.compare_claim_resource(&read.content).await?;
    let forged = String::from_utf8_lossy(&read.content).replace("\"paid\"", "\"denied\"");
    let otherwise = patient.compare_claim_resource(forged.as_bytes()).await?;
    story.check(
        compared.differs.is_empty() && otherwise.differs == ["ExplanationOfBenefit.extension"],
        "the patient compares it with the chain: nothing differs; one that says denied is found out",
    )
}

async fn deny(story: &mut Story, case: &Case<'_>) -> anyhow::Result<()> {
    story.chapter(9, "Another claim is denied, and goes to the second insurer");
    let (clinic, insurer) = (&case.clinic, &case.cast.insurer);
    let submitted = clinic.bill(insurer, &COLONOSCOPY, case.record).await?;
    story.row("the clinic submits a claim", Some(&submitted.mined), None);
    let claim = only(&submitted)?;
    let opened = insurer.open_claim(claim, None).await?;
    let reason = claim_reason("not-necessary")?;
    let mined = insurer.decide_claim(&opened, Ruling::Deny { reason }).await?;
    story.row("the insurer denies it", Some(&mined), None);
    let decided = case.cast.clinic.open_claim(claim, None).await?;
    let told = &decided.history.claim;
    let approved = decided.decision.as_ref().map(|(decision, _)| decision.verdict.amount());
    story.check(
        told.state == ClaimState::Denied
            && told.reason.as_deref() == Some("not-necessary")
            && approved.is_some_and(|amount| amount.is_none()),
        "the clinic opens the decision: denied (not-necessary)",
    )?;
    let elsewhere = clinic.bill(&case.second, &COLONOSCOPY, case.record).await;
    story.refused(
        elsewhere,
        "DuplicateService",
        "the service at the second insurer, while an appeal may still win it here",
    )?;
    let mined = case.cast.clinic.withdraw_claim(claim).await?;
    story.row("the clinic withdraws the claim", Some(&mined), None);
    let submitted = clinic.bill(&case.second, &COLONOSCOPY, case.record).await?;
    story.row("the clinic bills the second insurer", Some(&submitted.mined), None);
    let next = case.second.open_claim(only(&submitted)?, None).await?;
    story.check(
        next.history.claim.previous == Some(claim),
        "the second insurer opens it, and sees which claim held the service before",
    )
}

async fn look_for_fraud(story: &mut Story, case: &Case<'_>) -> anyhow::Result<()> {
    story.chapter(10, "The insurer looks for signs of fraud");
    let (practitioner, insurer) = (&case.cast.practitioner, &case.cast.insurer);
    let terms = reading(&[Label::Claims], purpose::TREAT);
    let mined = case
        .cast
        .patient
        .grant(case.chart, practitioner.address(), terms)
        .await?;
    story.row("grant the practitioner claims", Some(&mined), None);
    let practitioner = Biller::new(practitioner, case.chart).await?;
    let submitted = practitioner.bill(insurer, &VISIT, case.record).await?;
    let twice = only(&submitted)?;
    story.row("the practitioner bills the visit as well", Some(&submitted.mined), None);
    let submitted = case.clinic.bill(insurer, &IMPOSSIBLE, case.record).await?;
    let impossible = only(&submitted)?;
    story.row("the clinic bills a service of 1900", Some(&submitted.mined), None);

    let found = insurer
        .claim_signals(ClaimsOf::Insurer, 0, Some(code("HPAYMT")))
        .await?;
    story.row("look into all claims", None, None);
    for signal in &found.signals {
        let claims: Vec<_> = signal.claims.iter().map(short).collect();
        story.tell(&format!("{} ({})", signal.kind, claims.join(", ")));
    }
    story.check(
        found.claims == 4 && found.unopened.is_empty(),
        "four claims of this insurer's: each document opens, and is what stands on chain",
    )?;
    let by_two = |signal: &SignalKind| matches!(signal, SignalKind::SharedService { count: 2, providers: 2 });
    story.check(
        found
            .signals
            .iter()
            .any(|signal| by_two(&signal.kind) && signal.claims.contains(&twice)),
        "one visit billed by two providers, which the contract cannot see",
    )?;
    story.check(
        found
            .signals
            .iter()
            .any(|signal| signal.kind == SignalKind::BeforeBirth && signal.claims == [impossible]),
        "a service from before the patient was born, by the chart's own Patient",
    )
}

/// The folder has all that whoever runs chain, index, gateway and store holds.
async fn look_into_the_folder(story: &mut Story, dev: &Dev, case: &Case<'_>, claim: B256) -> anyhow::Result<()> {
    story.chapter(11, "What the operator holds of all that");
    let insurer = &case.cast.insurer;
    let document = insurer.claim(claim).await?.claim.document;
    let sealed = insurer.gateway().await?.claim_document(claim, document).await?;
    let mut files = Vec::new();
    contents(dev.home.dir(), &mut files)?;
    let bytes: usize = files.iter().map(Vec::len).sum();
    story.tell(&format!("{} files, {} KiB", files.len(), bytes / 1024));
    story.check(
        files.iter().any(|file| has_one(file, &[sealed.as_slice()])),
        "the claim's sealed document is in the store",
    )?;
    let written = [VISIT.code, QUESTION, ANSWER, APPEAL, REMITTANCE, "ExplanationOfBenefit"];
    let written = written.map(str::as_bytes);
    story.check(
        !files.iter().any(|file| has_one(file, &written)),
        "no code, question, answer, appeal, reference or explanation is in any file",
    )
}

/// Of every file below a folder.
fn contents(folder: &Path, found: &mut Vec<Vec<u8>>) -> anyhow::Result<()> {
    let doing = || format!("read {}", folder.display());
    for entry in fs::read_dir(folder).with_context(doing)? {
        let entry = entry.with_context(doing)?;
        let kind = entry.file_type().with_context(doing)?;
        if kind.is_dir() {
            contents(&entry.path(), found)?;
        } else if kind.is_file() {
            match fs::read(entry.path()) {
                Ok(bytes) => found.push(bytes),
                // The services are running: what one of them had for a moment is gone.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error).with_context(|| format!("read {}", entry.path().display())),
            }
        }
    }
    Ok(())
}

/// Whether one of `texts` stands in `bytes`.
fn has_one(bytes: &[u8], texts: &[&[u8]]) -> bool {
    let begins = |byte: u8| texts.iter().any(|text| text.first() == Some(&byte));
    let begins: Vec<bool> = (0..=u8::MAX).map(begins).collect();
    (0..bytes.len()).any(|at| begins[usize::from(bytes[at])] && texts.iter().any(|text| bytes[at..].starts_with(text)))
}
