//! Claims from the provider to the insurer, one in a transaction and as many as `submitClaims` takes, beside the same calls alone.
//!
//! A claim counts once the insurer has opened it: sealed to both, kept by the gateway, on chain, indexed, its history and document compared with
//! the chain. The calls alone name documents that nobody keeps or reads; the index takes them in all the same, while nobody waits for it.

use std::time::{Duration, Instant};

use alloy::{
    hex,
    primitives::{Address, B256, keccak256},
    sol_types::SolCall as _,
};
use anyhow::{Context, ensure};
use medlock_abi::{
    claims::IClaims::{self, Link, submitClaimsCall},
    records::IRecords::{GrantTerms, recordOfCall},
    terms::{action, claim::BATCH_MOST, purpose, role},
};
use medlock_client::{
    CLAIMS, ClaimsOf, Client, Metadata, NewClaim, NewDocument, OpenChart,
    api::Purpose,
    billing::{Currency, FingerprintKey},
    default_labels, now,
};
use serde_json::json;
use tokio::{runtime::Runtime, time::sleep};

use super::Options;
use crate::{
    figure::{Better, Figure, per_second, print_limit},
    gateway::world::{World, open_chart},
};

const CALLS_ALONE: &str = "the same calls without documents";
const ONE_EACH: &str = "one a transaction";
/// Claims in a transaction.
const BATCHES: [usize; 2] = [1, BATCH_MOST];
/// By ISO 4217.
const EURO: u16 = 978;
const DAY_S: u64 = 86_400;

/// A gateway takes so many requests without a session from one address at one moment...
const OPEN_BURST: usize = 100;
/// ...and has forgotten them after this time, at 25 a second.
const OPEN_PAUSE: Duration = Duration::from_secs(4);
/// For each submission a client asks for the keys of both parties, which takes no session.
const KEYS_OF_A_SUBMISSION: usize = 2;
/// Claims that can be submitted one by one without meeting that limit, in whole batches. More are submitted in several stretches, and the pause between
/// them is not counted.
const STRETCH: usize = OPEN_BURST / KEYS_OF_A_SUBMISSION / BATCH_MOST * BATCH_MOST;

/// One value a round, of one size of batches: claims a second.
#[derive(Default)]
struct Rounds {
    whole: Vec<f64>,
    submitting: Vec<f64>,
    opening: Vec<f64>,
    /// Of the calls without documents.
    calls: Vec<f64>,
    /// Of the same calldata, to an account without code.
    plain: Vec<f64>,
}

/// Provider, insurer and chart, with all that a claim takes.
struct Case {
    provider: Client,
    insurer: Client,
    /// As the provider has it.
    chart: OpenChart,
    key: FingerprintKey,
    /// The record that each claim rests on.
    link: Link,
    /// Of the next claim: no two are for the same service.
    number: u64,
    /// Claims that are on chain.
    submitted: usize,
}

pub fn measure(options: &Options) -> anyhow::Result<()> {
    let world = World::start(&options.artifacts)?;
    let runtime = Runtime::new()?;
    let mut case = runtime.block_on(Case::open(&world))?;
    let mut all = BATCHES.map(|_| Rounds::default());
    for round in 0..options.rounds {
        // Whatever is compared goes first every other time.
        for turn in 0..BATCHES.len() {
            let place = (round + turn) % BATCHES.len();
            runtime.block_on(case.round(round, options.claims, BATCHES[place], &mut all[place]))?;
        }
    }
    runtime.block_on(case.all_are_listed())?;
    for (batch, rounds) in BATCHES.into_iter().zip(&all) {
        rounds.print(batch, case.call(batch).abi_encode().len())?;
    }
    let [one, many] = all;
    Figure {
        name: format!("claims opened by the insurer, {BATCH_MOST} a transaction, beside one"),
        unit: "claims/s",
        better: Better::Higher,
        target: None,
        medlock: many.whole,
        peer: Some((ONE_EACH, one.whole)),
    }
    .print()
}

impl Rounds {
    fn print(&self, batch: usize, calldata_bytes: usize) -> anyhow::Result<()> {
        let what = format!("{batch} a transaction");
        let figure = |name: String, medlock: &[f64], peer| Figure {
            name,
            unit: "claims/s",
            better: Better::Higher,
            target: None,
            medlock: medlock.to_vec(),
            peer,
        };
        let calls = Some((CALLS_ALONE, self.calls.clone()));
        figure(format!("claims opened by the insurer, {what}"), &self.whole, calls).print()?;
        let submitting = format!("the provider's part alone, {what}: sealed, kept, mined");
        figure(submitting, &self.submitting, None).print()?;
        let opening = format!("the insurer's part alone, {what}: indexed, compared, opened");
        figure(opening, &self.opening, None).print()?;
        let plain = format!("transactions with the same {calldata_bytes} bytes to an account without code, {what}");
        print_limit(&plain, "claims/s", &self.plain)
    }
}

impl Case {
    async fn open(world: &World) -> anyhow::Result<Self> {
        let patient = world.newcomer().await?;
        let chart = open_chart(&patient).await?;
        let provider = world.party(role::ORGANISATION | role::PROVIDER).await?;
        let insurer = world.party(role::INSURER).await?;
        let everything = default_labels()
            .keys()
            .fold(0u64, |mask, number| mask | 1u64 << *number);
        let terms = |compartments, purposes, actions| GrantTerms {
            compartments,
            purposes,
            actions,
            notBefore: 0,
            expiry: now() + DAY_S,
        };
        let treats = terms(
            everything,
            purpose::TREAT | purpose::HPAYMT,
            action::READ | action::WRITE,
        );
        patient.grant(chart, provider.address(), treats).await?;
        let pays = terms(1u64 << CLAIMS, purpose::HPAYMT, action::READ);
        patient.grant(chart, insurer.address(), pays).await?;
        patient.share_fingerprint_key(chart).await?;
        insurer.set_currency(Currency::from_numeric(EURO)?, true, None).await?;

        let open = provider.chart(chart).await?;
        let report = NewDocument {
            record_id: B256::repeat_byte(0xd0),
            compartment: CLAIMS,
            metadata: Metadata {
                media_type: "text/plain".into(),
                ..Metadata::default()
            },
            content: b"the operation's report".to_vec().into(),
        };
        let stored = open.add(vec![report], |_| ()).await?;
        let record = stored.first().context("the report was stored")?.record_id;
        let read = recordOfCall {
            chart,
            recordId: record,
        };
        let on_chain = provider.chain().call(world.deployment.records, read).await?;
        let payment = Purpose::from_code("HPAYMT").context("a purpose")?;
        Ok(Self {
            key: open.fingerprint_key(payment).await?,
            provider,
            insurer,
            chart: open,
            link: Link {
                recordId: record,
                pointer: on_chain.pointer,
            },
            number: 0,
            submitted: 0,
        })
    }

    /// `count` claims in each way, `batch` of them in a transaction.
    async fn round(&mut self, round: usize, count: usize, batch: usize, rounds: &mut Rounds) -> anyhow::Result<()> {
        let rate = |spent| per_second(count, spent);
        let contract = self.provider.deployment().claims;
        for turn in 0..2 {
            if (round + turn).is_multiple_of(2) {
                let (submitting, opening) = self.whole(count, batch).await?;
                rounds.whole.push(rate(submitting + opening));
                rounds.submitting.push(rate(submitting));
                rounds.opening.push(rate(opening));
            } else {
                rounds.calls.push(rate(self.calls(count, batch, contract).await?));
                self.submitted += count;
            }
        }
        let nobody = Address::repeat_byte(0x99);
        rounds.plain.push(rate(self.calls(count, batch, nobody).await?));
        Ok(())
    }

    /// How long it takes to submit `count` claims, and the insurer to open them: batch after batch.
    async fn whole(&mut self, count: usize, batch: usize) -> anyhow::Result<(Duration, Duration)> {
        let (mut submitting, mut opening) = (Duration::ZERO, Duration::ZERO);
        for stretch in parts(count, STRETCH) {
            sleep(OPEN_PAUSE).await;
            for size in parts(stretch, batch) {
                let claims: Vec<NewClaim> = (0..size).map(|_| self.claim()).collect();
                let billed: Vec<Vec<u8>> = claims.iter().map(|claim| claim.claim.clone()).collect();
                let begun = Instant::now();
                let submitted = self.chart.submit_claims(claims, &self.key).await?;
                submitting += begun.elapsed();
                let begun = Instant::now();
                let mut opened = Vec::with_capacity(size);
                for claim in &submitted.claims {
                    opened.push(self.insurer.open_claim(*claim, Some(&self.key)).await?);
                }
                opening += begun.elapsed();
                let is_same = opened.iter().map(|open| &open.document.claim).eq(&billed);
                ensure!(is_same, "the insurer has opened other claims than were submitted");
                self.submitted += size;
            }
        }
        Ok((submitting, opening))
    }

    /// How long the calls alone take, if they go to `to`.
    async fn calls(&mut self, count: usize, batch: usize, to: Address) -> anyhow::Result<Duration> {
        let mut spent = Duration::ZERO;
        for size in parts(count, batch) {
            let call = self.call(size);
            let begun = Instant::now();
            self.provider.chain().send(to, call).await?;
            spent += begun.elapsed();
        }
        Ok(spent)
    }

    /// The insurer's list has all that any call has submitted, and nothing else.
    async fn all_are_listed(&self) -> anyhow::Result<()> {
        let listed = self.insurer.claims(ClaimsOf::Insurer, None).await?.len();
        let submitted = self.submitted;
        ensure!(listed == submitted, "{listed} of {submitted} claims are listed");
        Ok(())
    }

    /// The next claim, as the provider has it.
    fn claim(&mut self) -> NewClaim {
        let encounter = self.next_number();
        let chain_id = self.provider.deployment().chain_id;
        let account = |account: Address| {
            let did = format!("did:pkh:eip155:{chain_id}:0x{}", hex::encode(account));
            json!({ "type": "Organization", "identifier": { "system": "urn:ietf:rfc:3986", "value": did } })
        };
        let money = json!({ "value": 120.50, "currency": "EUR" });
        let terminology = "http://terminology.hl7.org/CodeSystem";
        let resource = json!({
            "resourceType": "Claim", "status": "active", "use": "claim", "created": "2026-05-04",
            "type": { "coding": [{ "system": format!("{terminology}/claim-type"), "code": "professional" }] },
            "priority": { "coding": [{ "system": format!("{terminology}/processpriority"), "code": "normal" }] },
            "patient": { "reference": format!("Patient/{}", hex::encode(self.chart.id())) },
            "provider": account(self.provider.address()), "insurer": account(self.insurer.address()),
            "insurance": [{ "sequence": 1, "focal": true, "coverage": { "reference": "Coverage/1" } }],
            "item": [{
                "sequence": 1, "servicedDate": "2026-05-03", "net": money,
                "encounter": [{ "reference": format!("Encounter/{encounter}") }],
                "productOrService": { "coding": [{ "system": "http://snomed.info/sct", "code": "80146002" }] },
            }],
            "total": money,
        });
        NewClaim {
            insurer: self.insurer.address(),
            claim: resource.to_string().into_bytes(),
            records: vec![self.link.recordId],
        }
    }

    /// A call with the next `size` claims, whose documents there are not.
    fn call(&mut self, size: usize) -> submitClaimsCall {
        let claims = (0..size).map(|_| {
            let number = self.next_number();
            let word = |what: &str| keccak256(format!("{what} {number}"));
            IClaims::NewClaim {
                chart: self.chart.id(),
                insurer: self.insurer.address(),
                document: word("document"),
                fingerprint: word("service"),
                currency: EURO,
                billed: word("billed"),
                links: vec![self.link.clone()],
            }
        });
        submitClaimsCall {
            claims: claims.collect(),
            actor: self.provider.address(),
            organisation: Address::ZERO,
        }
    }

    fn next_number(&mut self) -> u64 {
        self.number += 1;
        self.number
    }
}

/// `total` in parts of at most `most`.
fn parts(total: usize, most: usize) -> impl Iterator<Item = usize> {
    (0..total).step_by(most).map(move |at| most.min(total - at))
}
