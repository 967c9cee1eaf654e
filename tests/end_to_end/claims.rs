//! Claims: from the service to the payment, by the library, by the program, by a relayed signature; and what a gateway that lies, a stranger
//! and the other party cannot do.

use alloy::{
    hex,
    network::TransactionBuilder as _,
    primitives::{Address, B256, U256},
    providers::Provider as _,
    rpc::types::TransactionRequest,
    sol,
};
use medlock_abi::{
    claims::IClaims,
    terms::{action, purpose, role},
};
use medlock_client::{
    CLAIMS, ClaimsOf, Client, Error, GrantTerms, NewClaim, OpenChart, Ruling,
    api::{Purpose, claims::ClaimState},
    billing::{
        Currency, FingerprintKey, claim_id,
        fhir::ClaimResponse,
        signals::{Signal, SignalKind},
    },
    claim_reason, default_labels, now, remittance,
};
use medlock_solidity::compile;
use medlock_tests::{
    World,
    proxy::{Fate, Proxy},
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::program::Person;

sol! {
    interface Token {
        function mint(address to, uint256 value) external;
        function approve(address spender, uint256 value) external returns (bool);
        function balanceOf(address of) external view returns (uint256);
    }
}

type Change = fn(&mut Value);

/// Clinic, insurer and patient, with all that a claim takes.
struct Case {
    world: World,
    patient: Client,
    clinic: Client,
    insurer: Client,
    chart: B256,
    /// A record that the insurer may read for payment.
    record: B256,
}

fn payment() -> Purpose {
    Purpose::from_code("HPAYMT").unwrap()
}

fn euros() -> Currency {
    Currency::from_alpha("EUR").unwrap()
}

fn terms_for(purposes: u32, actions: u8) -> GrantTerms {
    GrantTerms {
        compartments: default_labels().keys().fold(0, |mask, number| mask | 1 << number),
        purposes,
        actions,
        notBefore: 0,
        expiry: now() + 86_400,
    }
}

impl Case {
    async fn start() -> Self {
        Self::of(World::start().await).await
    }

    async fn of(world: World) -> Self {
        let (patient, chart) = world.patient().await;
        let (clinic, insurer) = (world.clinic().await, world.insurer().await);
        let whole = purpose::TREAT | purpose::HPAYMT;
        let terms = terms_for(whole, action::READ | action::WRITE);
        patient.grant(chart, clinic.address(), terms).await.unwrap();
        let terms = GrantTerms {
            compartments: 1 << CLAIMS,
            ..terms_for(purpose::HPAYMT, action::READ)
        };
        patient.grant(chart, insurer.address(), terms).await.unwrap();
        patient.share_fingerprint_key(chart).await.unwrap().unwrap();
        assert!(
            patient.share_fingerprint_key(chart).await.unwrap().is_none(),
            "it is there"
        );
        insurer.set_currency(euros(), true, None).await.unwrap();
        let document = medlock_client::NewDocument {
            record_id: B256::repeat_byte(0xd0),
            compartment: CLAIMS,
            metadata: medlock_client::Metadata {
                media_type: "text/plain".into(),
                ..Default::default()
            },
            content: b"the operation's report".to_vec().into(),
        };
        let open = clinic.chart(chart).await.unwrap();
        let record = open.add(vec![document], |_| ()).await.unwrap()[0].record_id;
        Self {
            world,
            patient,
            clinic,
            insurer,
            chart,
            record,
        }
    }

    async fn open(&self) -> OpenChart {
        self.clinic.chart(self.chart).await.unwrap()
    }

    async fn key(&self) -> FingerprintKey {
        self.open().await.fingerprint_key(payment()).await.unwrap()
    }

    /// The FHIR Claim for the service `code`.
    fn claim(&self, code: &str) -> Vec<u8> {
        claim(
            self.clinic.deployment().chain_id,
            self.chart,
            self.clinic.address(),
            self.insurer.address(),
            code,
        )
    }

    fn claiming(&self, code: &str) -> NewClaim {
        NewClaim {
            insurer: self.insurer.address(),
            claim: self.claim(code),
            records: vec![self.record],
        }
    }

    async fn submit(&self, code: &str) -> B256 {
        let submitted = self
            .open()
            .await
            .submit_claims(vec![self.claiming(code)], &self.key().await)
            .await;
        submitted.unwrap().claims[0]
    }
}

fn claim(chain_id: u64, chart: B256, provider: Address, insurer: Address, code: &str) -> Vec<u8> {
    let account = |account: Address| {
        json!({ "type": "Organization", "identifier": {
            "system": "urn:ietf:rfc:3986", "value": format!("did:pkh:eip155:{chain_id}:0x{}", hex::encode(account)),
        }})
    };
    let money = json!({ "value": 120.50, "currency": "EUR" });
    let claim = json!({
        "resourceType": "Claim", "status": "active", "use": "claim", "created": "2026-05-04",
        "type": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/claim-type", "code": "professional" }] },
        "priority": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/processpriority", "code": "normal" }] },
        "patient": { "reference": format!("Patient/{}", hex::encode(chart)) },
        "provider": account(provider), "insurer": account(insurer),
        "insurance": [{ "sequence": 1, "focal": true, "coverage": { "reference": "Coverage/1" } }],
        "item": [{
            "sequence": 1, "servicedDate": "2026-05-03", "net": money, "encounter": [{ "reference": "Encounter/7" }],
            "productOrService": { "coding": [{ "system": "http://snomed.info/sct", "code": code }] },
        }],
        "total": money,
    });
    claim.to_string().into_bytes()
}

/// The claim with an item of each of these codes.
fn with_items(claim: &[u8], codes: &[&str]) -> Vec<u8> {
    let mut claim: Value = serde_json::from_slice(claim).unwrap();
    let item = claim["item"][0].clone();
    claim["item"] = codes
        .iter()
        .zip(1..)
        .map(|(code, number)| {
            let mut item = item.clone();
            item["sequence"] = json!(number);
            item["productOrService"]["coding"][0]["code"] = json!(code);
            item
        })
        .collect();
    claim.as_object_mut().unwrap().remove("total");
    claim.to_string().into_bytes()
}

/// An insurer's own response to a claim over 120.50 euros: a part of it, and a note that nothing here reads.
fn own_response(claim: B256, paid: f64) -> Value {
    let coding = |system: &str, code: &str| json!({ "coding": [{ "system": system, "code": code }] });
    let terminology = |name: &str| format!("http://terminology.hl7.org/CodeSystem/{name}");
    let benefit = coding(&terminology("adjudication"), "benefit");
    let amount = json!({ "value": paid, "currency": "EUR" });
    json!({
        "resourceType": "ClaimResponse", "status": "active", "use": "claim", "outcome": "complete", "created": "2026-05-20",
        "type": coding(&terminology("claim-type"), "professional"),
        "patient": { "reference": "Patient/77" }, "insurer": { "reference": "Organization/9" },
        "request": { "identifier": { "system": "urn:medlock:fhir:claim", "value": hex::encode(claim) } },
        "disposition": "Above the limit of your plan.",
        "adjudication": [{
            "category": benefit, "amount": amount, "reason": coding("urn:medlock:fhir:claim-reason", "above-limit"),
        }],
        "total": [{ "category": benefit, "amount": amount }],
        "processNote": [{ "text": "Call us." }],
    })
}

fn unsuitable<T>(outcome: Result<T, Error>) -> String {
    match outcome {
        Err(Error::Unsuitable(why)) => why,
        Err(error) => panic!("{error:?}"),
        Ok(_) => panic!("it was taken"),
    }
}

fn refused<T>(outcome: Result<T, Error>) -> String {
    match outcome {
        Err(error @ Error::Contract { .. }) => error.to_string(),
        Err(error) if error.is_refusal() => error.to_string(),
        Err(error) => panic!("not a refusal: {error:?}"),
        Ok(_) => panic!("it was not refused"),
    }
}

fn tampered<T>(outcome: Result<T, Error>) -> String {
    match outcome {
        Err(Error::Tampered { detail, .. }) => detail,
        Err(error) => panic!("{error:?}"),
        Ok(_) => panic!("the lie was believed"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_goes_its_whole_way_and_its_parties_alone_read_it() {
    let case = Case::start().await;
    let (clinic, insurer) = (&case.clinic, &case.insurer);
    let id = case.submit("80146002").await;
    // The same key on all sides: derived by the patient, read by the others.
    let keys = [
        case.patient
            .chart(case.chart)
            .await
            .unwrap()
            .fingerprint_key(payment())
            .await
            .unwrap(),
        case.key().await,
        insurer
            .chart(case.chart)
            .await
            .unwrap()
            .fingerprint_key(payment())
            .await
            .unwrap(),
    ];
    assert!(keys.iter().all(|key| key.expose() == keys[0].expose()));

    insurer.review_claim(id).await.unwrap();
    insurer.request_claim_information(id, "Which knee?").await.unwrap();
    let asked = clinic.claim(id).await.unwrap();
    assert_eq!(asked.claim.state, ClaimState::InformationRequested);
    let question = clinic.claim_message(&asked, asked.steps.last().unwrap()).await.unwrap();
    assert_eq!(question.as_deref(), Some("Which knee?"));
    clinic.provide_claim_information(id, "The left one.").await.unwrap();
    let open = insurer.open_claim(id, Some(&keys[2])).await.unwrap();
    assert_eq!(open.claim.total.decimal(), "120.50");
    let answer = insurer
        .claim_message(&open.history, open.history.steps.last().unwrap())
        .await
        .unwrap();
    assert_eq!(answer.as_deref(), Some("The left one."));

    let reason = claim_reason("above-limit").unwrap();
    // More than was billed is not sent at all, nor the whole as a part.
    for minor in [12_050, 99_999, 0] {
        let outcome = insurer.decide_claim(&open, Ruling::ApprovePart { minor, reason }).await;
        assert!(matches!(outcome, Err(Error::Usage(_))), "{minor}");
    }
    insurer
        .decide_claim(
            &open,
            Ruling::Deny {
                reason: claim_reason("not-covered").unwrap(),
            },
        )
        .await
        .unwrap();
    clinic
        .appeal_claim(id, "It is, by the contract of 2024.")
        .await
        .unwrap();
    let appealed = insurer.open_claim(id, None).await.unwrap();
    assert_eq!(appealed.history.claim.appeals, 1);
    insurer
        .decide_claim(&appealed, Ruling::ApprovePart { minor: 9_640, reason })
        .await
        .unwrap();
    let decided = clinic.open_claim(id, None).await.unwrap();
    let (decision, response) = decided.decision.as_ref().unwrap();
    assert_eq!(decision.verdict.amount().unwrap().minor, 9_640);
    assert_eq!(response.benefit().unwrap().minor, 9_640);
    clinic.accept_part_of_claim(id).await.unwrap();
    let (_, salt) = insurer.record_claim_payment(id, "SEPA 2026-0042").await.unwrap();
    let paid = clinic.claim(id).await.unwrap();
    assert_eq!(paid.claim.state, ClaimState::Paid);
    assert_eq!(
        paid.steps.last().unwrap().remittance,
        Some(remittance(salt, "SEPA 2026-0042"))
    );
    let events: Vec<_> = paid.steps.iter().map(|step| step.event.as_str()).collect();
    assert_eq!(
        events,
        [
            "ClaimSubmitted",
            "ReviewBegun",
            "InformationRequested",
            "InformationProvided",
            "Adjudicated",
            "Appealed",
            "Adjudicated",
            "PartAccepted",
            "Paid"
        ]
    );

    // The patient sees where it stands, and no document.
    let seen = case.patient.claims(ClaimsOf::Chart(case.chart), None).await.unwrap();
    assert_eq!(seen, std::slice::from_ref(&paid.claim));
    assert_eq!(case.patient.claim(id).await.unwrap(), paid);
    refused(case.patient.open_claim(id, None).await);
    // Lists are by part and by state.
    for (client, of, state, count) in [
        (clinic, ClaimsOf::Provider, None, 1),
        (clinic, ClaimsOf::Insurer, None, 0),
        (insurer, ClaimsOf::Insurer, Some(ClaimState::Paid), 1),
        (insurer, ClaimsOf::Insurer, Some(ClaimState::Denied), 0),
    ] {
        assert_eq!(client.claims(of, state).await.unwrap().len(), count, "{of:?}");
    }
    // Who has no part in it learns nothing: not another insurer, not who may write on the chart.
    let stranger = case.world.insurer().await;
    refused(stranger.claim(id).await);
    refused(stranger.claims(ClaimsOf::Chart(case.chart), None).await);
    refused(clinic.claims(ClaimsOf::Chart(case.chart), None).await);
    let document = paid.claim.document;
    refused(stranger.gateway().await.unwrap().claim_document(id, document).await);
    // Nor does a digest alone lead to a block: that of a record's envelope is none of the claim's.
    refused(
        clinic
            .gateway()
            .await
            .unwrap()
            .claim_document(id, B256::repeat_byte(7))
            .await,
    );
    // An approval that was paid can be taken back, and is seen to be.
    insurer
        .reverse_claim(id, claim_reason("paid-in-error").unwrap())
        .await
        .unwrap();
    let reversed = case.patient.claim(id).await.unwrap().claim;
    assert_eq!(
        (reversed.state, reversed.reason.as_deref()),
        (ClaimState::Reversed, Some("paid-in-error"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_contract_does_not_take_is_refused_with_words_and_nothing_is_lost() {
    let case = Case::start().await;
    let (open, key) = (case.open().await, case.key().await);
    let submit = async |claims| open.submit_claims(claims, &key).await;
    let first = submit(vec![case.claiming("80146002"), case.claiming("73761001")])
        .await
        .unwrap();
    assert_eq!(first.claims.len(), 2);
    let twice = refused(submit(vec![case.claiming("80146002")]).await);
    assert!(twice.contains(&first.claims[0].to_string()), "{twice}");
    // All or none.
    refused(submit(vec![case.claiming("38102005"), case.claiming("80146002")]).await);
    assert_eq!(case.clinic.claims(ClaimsOf::Provider, None).await.unwrap().len(), 2);
    // What lets go of the service is what frees it.
    case.clinic.withdraw_claim(first.claims[0]).await.unwrap();
    let again = submit(vec![case.claiming("80146002")]).await.unwrap();
    let history = case.clinic.claim(again.claims[0]).await.unwrap();
    assert_eq!(history.claim.previous, Some(first.claims[0]));

    let other = World::insurer(&case.world).await;
    let elsewhere = NewClaim {
        insurer: other.address(),
        ..case.claiming("38102005")
    };
    refused(submit(vec![elsewhere]).await);
    let unknown = submit(vec![NewClaim {
        records: vec![B256::repeat_byte(9)],
        ..case.claiming("38102005")
    }])
    .await;
    assert!(
        matches!(unknown, Err(Error::UnknownRecord { .. })),
        "{:?}",
        unknown.err()
    );
    let none = submit(vec![NewClaim {
        records: vec![],
        ..case.claiming("38102005")
    }])
    .await;
    assert!(matches!(none, Err(Error::Unsuitable(_))), "{:?}", none.err());
    for (from, to) in [
        ("120.5", "-120.5"),
        ("EUR", "XXX"),
        ("\"Claim\"", "\"Patient\""),
        ("2026-05-03", "2026-13-03"),
    ] {
        let text = String::from_utf8(case.claim("38102005")).unwrap().replace(from, to);
        let outcome = submit(vec![NewClaim {
            claim: text.into_bytes(),
            ..case.claiming("38102005")
        }])
        .await;
        assert!(
            matches!(outcome, Err(Error::Unsuitable(_))),
            "{to}: {:?}",
            outcome.err()
        );
    }
    // A currency that the insurer does not take; one that it takes no more.
    case.insurer.set_currency(euros(), false, None).await.unwrap();
    refused(submit(vec![case.claiming("38102005")]).await);
    case.insurer.set_currency(euros(), true, None).await.unwrap();
    // Steps out of order and by the wrong party.
    let id = again.claims[0];
    refused(case.clinic.appeal_claim(id, "too soon").await);
    refused(case.clinic.review_claim(id).await);
    refused(case.insurer.record_claim_payment(id, "too soon").await);
    refused(case.insurer.close_overdue_claim(id).await);
    refused(
        case.world
            .insurer()
            .await
            .reverse_claim(id, claim_reason("other").unwrap())
            .await,
    );
    // Without the patient's consent, as it is at that time.
    case.patient.revoke(case.chart, case.insurer.address()).await.unwrap();
    refused(submit(vec![case.claiming("38102005")]).await);
    // What was submitted before goes on.
    case.insurer.review_claim(id).await.unwrap();
    // A key that the patient has not shared, or not with everybody.
    let stranger = case.world.party(role::PROVIDER | role::ORGANISATION).await;
    case.patient
        .grant(
            case.chart,
            stranger.address(),
            GrantTerms {
                compartments: 1,
                ..terms_for(purpose::HPAYMT, action::READ)
            },
        )
        .await
        .unwrap();
    let unshared = stranger
        .chart(case.chart)
        .await
        .unwrap()
        .fingerprint_key(payment())
        .await;
    assert!(unshared.is_err_and(|error| error.to_string().contains("medlock claim share")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lying_gateway_tells_no_claim_that_is_not_the_chains() {
    let gateway = Proxy::start().await;
    let case = Case::of(World::behind(&gateway).await).await;
    let (id, other) = (case.submit("80146002").await, case.submit("73761001").await);
    case.insurer.claim(id).await.unwrap();
    let lie = |tail: String, change: Change| {
        gateway.rule(move |asked| match asked.is(Method::GET, &tail) {
            true => Fate::json(change),
            false => Fate::Forward,
        });
    };
    let changes: [(&str, Change); 7] = [
        ("chart", |history| {
            history["claim"]["chart"] = json!(B256::repeat_byte(1))
        }),
        ("provider", |history| {
            history["claim"]["provider"] = json!(Address::repeat_byte(1))
        }),
        ("document", |history| {
            history["claim"]["document"] = json!(B256::repeat_byte(1))
        }),
        ("links", |history| history["links"] = json!([])),
        ("state", |history| history["claim"]["state"] = json!("paid")),
        ("serial", |history| history["claim"]["serial"] = json!(9)),
        ("approved", |history| {
            history["claim"]["approved"] = json!(B256::repeat_byte(1))
        }),
    ];
    for (what, change) in changes {
        lie(id.to_string(), change);
        let detail = tampered(case.insurer.claim(id).await);
        assert!(!detail.is_empty(), "{what}");
    }
    gateway.honest();
    // The other claim in its place, and the other claim's document.
    let answer = case.insurer.gateway().await.unwrap().claim(other).await.unwrap();
    let text = serde_json::to_value(answer).unwrap();
    let tail = id.to_string();
    gateway.rule(move |asked| match asked.is(Method::GET, &tail) {
        true => Fate::replace(text.to_string().into_bytes()),
        false => Fate::Forward,
    });
    tampered(case.insurer.claim(id).await);
    gateway.honest();
    let told = case.insurer.claim(other).await.unwrap().claim;
    let block = case
        .insurer
        .gateway()
        .await
        .unwrap()
        .claim_document(other, told.document)
        .await
        .unwrap();
    gateway.rule(move |asked| match asked.path.contains("/documents/") {
        true => Fate::replace(block.clone()),
        false => Fate::Forward,
    });
    tampered(case.insurer.open_claim(id, None).await);
    gateway.honest();
    case.insurer.open_claim(id, None).await.unwrap();
    // A decision that the gateway leaves out is missed: the chain says that there is one.
    let open = case.insurer.open_claim(id, None).await.unwrap();
    case.insurer.decide_claim(&open, Ruling::Approve).await.unwrap();
    let changes: [(&str, Change); 5] = [
        ("left out", |history| {
            history["steps"].as_array_mut().unwrap().pop();
        }),
        ("one in the middle", |history| {
            history["steps"].as_array_mut().unwrap().remove(0);
        }),
        ("told twice", |history| {
            let last = history["steps"].as_array().unwrap().last().unwrap().clone();
            history["steps"].as_array_mut().unwrap().push(last);
        }),
        ("of another state", |history| {
            history["steps"][1]["state"] = json!("denied")
        }),
        ("of another amount", |history| {
            history["steps"][1]["amount"] = json!(B256::repeat_byte(1));
        }),
    ];
    for (what, change) in changes {
        lie(id.to_string(), change);
        let detail = tampered(case.clinic.open_claim(id, None).await);
        assert!(!detail.is_empty(), "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lying_gateway_leaves_no_claim_out_of_a_list() {
    let gateway = Proxy::start().await;
    let case = Case::of(World::behind(&gateway).await).await;
    case.submit("80146002").await;
    case.submit("73761001").await;
    let lists = [
        (&case.patient, ClaimsOf::Chart(case.chart)),
        (&case.insurer, ClaimsOf::Insurer),
    ];
    let lie = |tail: &'static str, change: Change| {
        gateway.rule(move |asked| match asked.is(Method::GET, tail) {
            true => Fate::json(change),
            false => Fate::Forward,
        });
    };
    let changes: [(&str, Change); 5] = [
        ("the first", |list| {
            list["claims"].as_array_mut().unwrap().remove(0);
        }),
        ("all", |list| list["claims"] = json!([])),
        ("one told twice", |list| {
            let again = list["claims"][0].clone();
            list["claims"].as_array_mut().unwrap().push(again);
        }),
        ("another in its place", |list| {
            list["claims"][0]["claim"] = json!(B256::repeat_byte(1))
        }),
        ("of another provider", |list| {
            list["claims"][0]["provider"] = json!(Address::repeat_byte(1))
        }),
    ];
    for (client, of) in lists {
        for state in [None, Some(ClaimState::Received)] {
            gateway.honest();
            assert_eq!(client.claims(of, state).await.unwrap().len(), 2);
            for (what, change) in changes {
                lie("/v1/claims", change);
                let detail = tampered(client.claims(of, state).await);
                assert!(detail.contains("claim 0x"), "{what}: {detail}");
            }
        }
    }
    // Nor from those in which signs of fraud are looked for, not by calling one withdrawn either.
    let changes: [(&str, Change); 2] = [
        ("the last", |list| {
            list["facts"].as_array_mut().unwrap().pop();
        }),
        ("withdrawn", |list| {
            list["facts"][0]["claim"]["state"] = json!("withdrawn")
        }),
    ];
    for since in [0, now() - 3_600] {
        gateway.honest();
        let found = case
            .insurer
            .claim_signals(ClaimsOf::Insurer, since, None)
            .await
            .unwrap();
        assert_eq!(found.claims, 2);
        for (what, change) in changes {
            lie("/v1/claims/facts", change);
            let detail = tampered(case.insurer.claim_signals(ClaimsOf::Insurer, since, None).await);
            assert!(!detail.is_empty(), "{what}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_that_is_billed_already_is_found_wherever_it_stands() {
    let case = Case::start().await;
    let (open, key) = (case.open().await, case.key().await);
    let claiming = |codes: &[&str]| {
        let mut new = case.claiming("80146002");
        new.claim = with_items(&new.claim, codes);
        vec![new]
    };
    let first = claiming(&["80146002", "73761001"]);
    open.require_unbilled(&first).await.unwrap();
    let id = open.submit_claims(first, &key).await.unwrap().claims[0];
    // Twice in one claim.
    let twice = unsuitable(open.submit_claims(claiming(&["1", "2", "1"]), &key).await);
    assert!(twice.contains("items 1 and 3"), "{twice}");
    // The first item of an earlier claim, which the contract has the fingerprint of.
    let again = unsuitable(open.submit_claims(claiming(&["38102005", "80146002"]), &key).await);
    assert!(again.contains("item 2") && again.contains(&id.to_string()), "{again}");
    // Another item of one, which its document alone tells.
    let hidden = claiming(&["73761001"]);
    let again = unsuitable(open.require_unbilled(&hidden).await);
    assert!(
        again.contains("item 1") && again.contains("item 2") && again.contains(&id.to_string()),
        "{again}"
    );
    // The contract cannot see it, and the insurer does.
    let hidden = open.submit_claims(hidden, &key).await.unwrap().claims[0];
    let found = case.insurer.claim_signals(ClaimsOf::Insurer, 0, None).await.unwrap();
    let shared = found
        .signals
        .iter()
        .find(|signal| matches!(signal.kind, SignalKind::SharedService { count: 2, providers: 1 }));
    let mut expected = vec![id, hidden];
    expected.sort();
    assert_eq!(shared.unwrap().claims, expected);
    // A clinic is no person: nobody is said to have been in two places.
    assert_eq!(found.nameless, 2);
    // What lets go of its services frees them all.
    for claim in [id, hidden] {
        case.clinic.withdraw_claim(claim).await.unwrap();
    }
    let next = claiming(&["38102005", "80146002", "73761001"]);
    open.require_unbilled(&next).await.unwrap();
    open.submit_claims(next, &key).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_shows_of_a_claim_is_compared_with_it() {
    let case = Case::start().await;
    let (clinic, insurer, patient) = (&case.clinic, &case.insurer, &case.patient);
    let id = case.submit("80146002").await;
    let queued = clinic.open_claim(id, None).await.unwrap().explanation().unwrap();
    let ruling = Ruling::ApprovePart {
        minor: 9_640,
        reason: claim_reason("above-limit").unwrap(),
    };
    let opened = insurer.open_claim(id, None).await.unwrap();
    insurer.decide_claim(&opened, ruling).await.unwrap();
    let opened = clinic.open_claim(id, None).await.unwrap();
    let explanation = opened.explanation().unwrap();
    let response = opened.decision.as_ref().unwrap().0.response.clone();
    for client in [clinic, insurer, patient] {
        let is_party = client.address() != patient.address();
        for shown in [explanation.as_bytes(), &response] {
            let compared = client.compare_claim_resource(shown).await.unwrap();
            assert_eq!((compared.claim, compared.opened), (id, is_party));
            assert_eq!(compared.differs, Vec::<String>::new());
        }
        // What stood before the decision does not any more.
        let compared = client.compare_claim_resource(queued.as_bytes()).await.unwrap();
        let elements = ["ExplanationOfBenefit.extension", "ExplanationOfBenefit.outcome"];
        for element in elements {
            let names = |path: &String| path.starts_with(element);
            assert!(compared.differs.iter().any(names), "{element}: {compared:?}");
        }
    }
    // Amounts are compared by whom the documents are open to.
    let forged = explanation.replace("96.40", "98.40");
    let compared = clinic.compare_claim_resource(forged.as_bytes()).await.unwrap();
    let expected = [
        "ExplanationOfBenefit.adjudication[0].amount.value",
        "ExplanationOfBenefit.total[1].amount.value",
    ];
    assert_eq!(compared.differs, expected);
    let compared = patient.compare_claim_resource(forged.as_bytes()).await.unwrap();
    assert_eq!((compared.differs.len(), compared.opened), (0, false));
    let forged = String::from_utf8(response)
        .unwrap()
        .replace("above-limit", "not-covered");
    for (client, element) in [
        (clinic, "ClaimResponse.adjudication[0].reason.coding[0].code"),
        (patient, "ClaimResponse.adjudication.reason"),
    ] {
        let compared = client.compare_claim_resource(forged.as_bytes()).await.unwrap();
        assert_eq!(compared.differs, [element]);
    }
    // What is no such resource, says more than can be compared, or is about somebody else's claim.
    unsuitable(clinic.compare_claim_resource(&case.claim("80146002")).await);
    let noted = explanation.replacen('{', "{\"processNote\":[{\"text\":\"denied\"}],", 1);
    let why = unsuitable(clinic.compare_claim_resource(noted.as_bytes()).await);
    assert!(why.contains("ExplanationOfBenefit.processNote"), "{why}");
    let stranger = case.world.insurer().await;
    refused(stranger.compare_claim_resource(explanation.as_bytes()).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_insurer_decides_by_a_response_of_its_own() {
    let case = Case::start().await;
    let (clinic, insurer) = (&case.clinic, &case.insurer);
    let id = case.submit("80146002").await;
    let opened = insurer.open_claim(id, None).await.unwrap();
    let own = own_response(id, 96.4);
    let bytes = own.to_string().into_bytes();
    // About another claim, above what was billed, not decided yet, without a reason, no FHIR: nothing is sent.
    let changes: [(&str, Change); 5] = [
        ("ClaimResponse.request", |own| {
            own["request"]["identifier"]["value"] = json!("b1".repeat(32))
        }),
        ("ClaimResponse.total", |own| {
            own["total"][0]["amount"]["value"] = json!(120.51)
        }),
        ("ClaimResponse.outcome", |own| own["outcome"] = json!("partial")),
        ("ClaimResponse.adjudication.reason", |own| {
            own["adjudication"][0].as_object_mut().unwrap().remove("reason");
        }),
        ("ClaimResponse", |own| own["teeth"] = json!(32)),
    ];
    for (element, change) in changes {
        let mut other = own.clone();
        change(&mut other);
        let outcome = insurer
            .decide_claim_by_response(&opened, other.to_string().into_bytes())
            .await;
        let why = unsuitable(outcome);
        assert!(why.starts_with(&format!("{element}: ")), "{why}");
    }
    insurer.decide_claim_by_response(&opened, bytes.clone()).await.unwrap();
    let decided = clinic.open_claim(id, None).await.unwrap();
    assert_eq!(decided.history.claim.state, ClaimState::PartlyApproved);
    assert_eq!(decided.history.claim.reason.as_deref(), Some("above-limit"));
    let (decision, response) = decided.decision.as_ref().unwrap();
    assert_eq!(decision.verdict.amount().unwrap().minor, 9_640);
    assert_eq!(decision.response, bytes, "the insurer's own, as it is");
    assert_eq!(response.disposition.as_deref(), Some("Above the limit of your plan."));
    // The very one is what was decided; one with more in it than is read cannot be compared otherwise.
    let compared = clinic.compare_claim_resource(&bytes).await.unwrap();
    assert_eq!(compared.differs, Vec::<String>::new());
    let mut other = own.clone();
    other["processNote"][0]["text"] = json!("Do not call us.");
    let why = unsuitable(clinic.compare_claim_resource(other.to_string().as_bytes()).await);
    assert!(why.contains("ClaimResponse.processNote"), "{why}");
    let written = ClaimResponse::read(&bytes).unwrap().write().unwrap();
    let compared = clinic.compare_claim_resource(written.as_bytes()).await.unwrap();
    assert_eq!(compared.differs, Vec::<String>::new());
    // Nothing is paid: a denial, after an appeal.
    clinic.appeal_claim(id, "It is covered.").await.unwrap();
    let appealed = insurer.open_claim(id, None).await.unwrap();
    let denial = own_response(id, 0.0).to_string().into_bytes();
    insurer.decide_claim_by_response(&appealed, denial).await.unwrap();
    let denied = clinic.open_claim(id, None).await.unwrap().history.claim;
    assert_eq!(denied.state, ClaimState::Denied);
}

#[tokio::test(flavor = "multi_thread")]
async fn signs_of_fraud_are_found_in_what_stands_on_chain_and_in_documents() {
    let case = Case::start().await;
    let id = case.submit("80146002").await;
    // Another clinic for the same encounter, code and day: other fingerprints, and no duplicate to the contract.
    let other = case.world.clinic().await;
    let terms = terms_for(purpose::TREAT | purpose::HPAYMT, action::READ | action::WRITE);
    case.patient.grant(case.chart, other.address(), terms).await.unwrap();
    let chain_id = other.deployment().chain_id;
    let theirs = NewClaim {
        claim: claim(
            chain_id,
            case.chart,
            other.address(),
            case.insurer.address(),
            "80146002",
        ),
        ..case.claiming("80146002")
    };
    let open = other.chart(case.chart).await.unwrap();
    let key = open.fingerprint_key(payment()).await.unwrap();
    let second = open.submit_claims(vec![theirs], &key).await.unwrap().claims[0];
    let found = case.insurer.claim_signals(ClaimsOf::Insurer, 0, None).await.unwrap();
    assert_eq!((found.claims, found.unopened.len()), (2, 0));
    let both = found
        .signals
        .iter()
        .find(|signal| matches!(signal.kind, SignalKind::SharedService { providers: 2, .. }));
    let mut expected = vec![id, second];
    expected.sort();
    assert_eq!(both.unwrap().claims, expected);
    // The service was in May; the report is of now.
    let late =
        |signal: &&Signal| matches!(signal.kind, SignalKind::LateRecord { record_id, .. } if record_id == case.record);
    assert_eq!(found.signals.iter().filter(late).count(), 2);
    // Dates of a life are read where the chart allows, and only when asked for.
    let patient = medlock_client::NewDocument {
        record_id: B256::repeat_byte(0xbb),
        compartment: 0,
        metadata: medlock_client::Metadata {
            media_type: "application/fhir+json".into(),
            ..Default::default()
        },
        content: json!({ "resourceType": "Patient", "birthDate": "2026-06-01" })
            .to_string()
            .into_bytes()
            .into(),
    };
    case.open().await.add(vec![patient], |_| ()).await.unwrap();
    let before_birth = |signals: &[Signal]| signals.iter().any(|signal| signal.kind == SignalKind::BeforeBirth);
    assert!(!before_birth(
        &case
            .clinic
            .claim_signals(ClaimsOf::Provider, 0, None)
            .await
            .unwrap()
            .signals
    ));
    let with_life = case
        .clinic
        .claim_signals(ClaimsOf::Provider, 0, Some(payment()))
        .await
        .unwrap();
    assert!(before_birth(&with_life.signals));
    let without = case
        .insurer
        .claim_signals(ClaimsOf::Insurer, 0, Some(payment()))
        .await
        .unwrap();
    assert!(!before_birth(&without.signals), "the insurer may not read there");
    // What its provider has withdrawn is not looked into; what is from before is not asked for.
    case.clinic.withdraw_claim(id).await.unwrap();
    let left = case.insurer.claim_signals(ClaimsOf::Insurer, 0, None).await.unwrap();
    assert!(!left.signals.iter().any(|signal| signal.claims.contains(&id)));
    let none = case
        .insurer
        .claim_signals(ClaimsOf::Insurer, now() + 3_600, None)
        .await
        .unwrap();
    assert_eq!((none.claims, none.signals.len()), (0, 0));
    refused(case.insurer.claim_signals(ClaimsOf::Chart(case.chart), 0, None).await);
    let patients = case
        .patient
        .claim_signals(ClaimsOf::Chart(case.chart), 0, None)
        .await
        .unwrap();
    assert_eq!(patients.claims, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_is_no_way_to_other_peoples_blocks() {
    let case = Case::start().await;
    let id = case.submit("80146002").await;
    let theirs = case.clinic.claim(id).await.unwrap();
    // Whoever claims names a digest as its document, and may know those of others.
    let other = case.world.clinic().await;
    let link = IClaims::Link {
        recordId: case.record,
        pointer: theirs.links[0].pointer,
    };
    for (number, document) in [(1, theirs.claim.document), (2, link.pointer), (3, B256::repeat_byte(9))] {
        let claim = IClaims::NewClaim {
            chart: case.chart,
            insurer: case.insurer.address(),
            document,
            fingerprint: B256::repeat_byte(number),
            currency: euros().numeric(),
            billed: B256::repeat_byte(1),
            links: vec![link.clone()],
        };
        let made = claim_id(other.address(), &claim);
        let call = IClaims::submitClaimsCall {
            actor: other.address(),
            organisation: Address::ZERO,
            claims: vec![claim],
        };
        other.chain().send(other.deployment().claims, call).await.unwrap();
        for reader in [&other, &case.insurer] {
            let served = reader.gateway().await.unwrap().claim_document(made, document).await;
            match served {
                Err(Error::Problem { kind, .. }) => {
                    assert_eq!(kind, if number == 3 { "block-missing" } else { "block-corrupt" });
                }
                served => panic!("{number}: {}", served.is_ok()),
            }
        }
    }
    // The other's claim is not to be read by way of one's own either.
    refused(
        other
            .gateway()
            .await
            .unwrap()
            .claim_document(id, theirs.claim.document)
            .await,
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn members_act_for_their_organisations_and_nobody_needs_funds() {
    let case = Case::start().await;
    let clerk = case.world.newcomer().await;
    clerk.publish_key().await.unwrap();
    case.clinic.set_member(clerk.address(), 0).await.unwrap();
    case.clinic.seal_to_members().await.unwrap();
    let clerk = clerk.acting_for(case.clinic.address()).await.unwrap().via_relay();
    let open = clerk.chart(case.chart).await.unwrap();
    let key = open.fingerprint_key(payment()).await.unwrap();
    let id = open
        .submit_claims(vec![case.claiming("80146002")], &key)
        .await
        .unwrap()
        .claims[0];
    let told = clerk.open_claim(id, Some(&key)).await.unwrap().history.claim;
    assert_eq!(told.provider, case.clinic.address());
    assert_eq!(told.submitted_by, clerk.address());
    let insurer = case.insurer.clone().via_relay();
    let opened = insurer.open_claim(id, None).await.unwrap();
    insurer.decide_claim(&opened, Ruling::Approve).await.unwrap();
    assert_eq!(
        clerk
            .open_claim(id, None)
            .await
            .unwrap()
            .decision
            .unwrap()
            .0
            .verdict
            .state(),
        ClaimState::Approved.number()
    );
    // Whose membership has ended reads and does nothing more.
    case.clinic.remove_member(clerk.address()).await.unwrap();
    refused(clerk.claim(id).await);
    refused(clerk.claims(ClaimsOf::Provider, None).await);
    refused(clerk.withdraw_claim(id).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_of_claims_are_kept_by_the_upkeep_of_stores() {
    let case = Case::start().await;
    let id = case.submit("80146002").await;
    case.insurer.request_claim_information(id, "Which knee?").await.unwrap();
    case.world.indexed().await;
    let history = case.insurer.claim(id).await.unwrap();
    let documents: Vec<_> = history.steps.iter().filter_map(|step| step.document).collect();
    assert_eq!(documents.len(), 2);
    let index = case.world.dev.indexer().index();
    let live = index.latest().await.unwrap().live().await.unwrap();
    for document in documents {
        assert!(live.digests.contains(&document), "{document}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_is_paid_in_the_token_that_its_insurer_had_for_its_currency() {
    let case = Case::start().await;
    let (insurer, clinic) = (&case.insurer, &case.clinic);
    let creation = compile("tests/contracts/tests/solidity/Token.sol", "Token");
    let request = TransactionRequest::default().with_deploy_code(creation);
    let sent = insurer.chain().provider().send_transaction(request).await.unwrap();
    let token = sent.get_receipt().await.unwrap().contract_address.unwrap();
    let mint = Token::mintCall {
        to: insurer.address(),
        value: U256::from(1_000_000_000u64),
    };
    insurer.chain().send(token, mint).await.unwrap();

    // Without a token, with one, and with one that was taken back since.
    let scale = 4;
    let before = case.submit("80146002").await;
    insurer.set_currency(euros(), true, Some((token, scale))).await.unwrap();
    let claim = case.submit("80146003").await;
    insurer.set_currency(euros(), true, None).await.unwrap();
    for id in [before, claim] {
        let opened = insurer.open_claim(id, None).await.unwrap();
        let said = insurer.claim_payment(&opened).await.unwrap_err();
        assert!(matches!(said, Error::Usage(_)), "nothing is approved: {said}");
        insurer.decide_claim(&opened, Ruling::Approve).await.unwrap();
    }
    let opened = insurer.open_claim(before, None).await.unwrap();
    assert_eq!(insurer.claim_payment(&opened).await.unwrap(), None);
    let said = insurer.allow_claim_payment(&opened).await.unwrap_err();
    assert!(matches!(&said, Error::Usage(why) if why.contains("no token")), "{said}");

    let opened = insurer.open_claim(claim, None).await.unwrap();
    // 120.50 EUR.
    let value = U256::from(12_050u64 * 10u64.pow(scale.into()));
    let payment = insurer.claim_payment(&opened).await.unwrap().unwrap();
    assert_eq!(
        (payment.token, payment.scale, payment.value, payment.allowance),
        (token, scale, value, U256::ZERO)
    );
    refused(insurer.pay_claim_in_token(&opened).await);
    let theirs = clinic.open_claim(claim, None).await.unwrap();
    let said = clinic.allow_claim_payment(&theirs).await.unwrap_err();
    assert!(matches!(said, Error::Usage(_)), "{said}");

    // What was allowed before is no more than what is needed.
    let spender = insurer.deployment().claims;
    let too_much = U256::from(999_999_999u64);
    let approve = Token::approveCall {
        spender,
        value: too_much,
    };
    insurer.chain().send(token, approve).await.unwrap();
    insurer.allow_claim_payment(&opened).await.unwrap();
    assert_eq!(insurer.claim_payment(&opened).await.unwrap().unwrap().allowance, value);
    insurer.pay_claim_in_token(&opened).await.unwrap();
    let balance = |of| insurer.chain().call(token, Token::balanceOfCall { of });
    assert_eq!(balance(clinic.address()).await.unwrap(), value);
    assert_eq!(
        insurer.claim_payment(&opened).await.unwrap().unwrap().allowance,
        U256::ZERO
    );
    let paid = clinic.claim(claim).await.unwrap();
    assert_eq!(paid.claim.state, ClaimState::Paid);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_bills_decides_and_shows() {
    let world = World::start().await;
    let patient = Person::new(&world, "patient").await;
    let clinic = Person::new(&world, "clinic").await;
    world
        .credential(clinic.account().parse().unwrap(), role::PROVIDER | role::ORGANISATION)
        .await;
    let insurer = Person::new(&world, "insurer").await;
    world
        .credential(insurer.account().parse().unwrap(), role::INSURER)
        .await;
    clinic.ok(&["keys", "publish"]);
    insurer.ok(&["keys", "publish"]);
    let [by, at] = [clinic.account(), insurer.account()];
    let chart = patient.ok(&["chart", "open"])["chart"].as_str().unwrap().to_owned();
    patient.ok(&["claim", "share", &chart]);
    let all = [
        "--compartments",
        "all",
        "--purposes",
        "TREAT,HPAYMT",
        "--actions",
        "read,write",
        "--for",
        "90d",
    ];
    patient.ok(&[&["grant", "give", &chart, &by], &all[..]].concat());
    let some = ["--compartments", "claims", "--purposes", "HPAYMT", "--for", "90d"];
    patient.ok(&[&["grant", "give", &chart, &at], &some[..]].concat());
    insurer.ok(&["insurer", "currency", "EUR"]);
    insurer.ok(&["insurer", "registry"]);
    let report = world.home().join("report.txt");
    std::fs::write(&report, "the operation's report").unwrap();
    let added = clinic.ok(&["record", "add", &chart, report.to_str().unwrap(), "--compartment", "10"]);
    let record = added["record_id"].as_str().unwrap().to_owned();
    let file = world.home().join("claim.json");
    let chain_id = world.dev.deployment.chain_id;
    std::fs::write(
        &file,
        claim(
            chain_id,
            chart.parse().unwrap(),
            by.parse().unwrap(),
            at.parse().unwrap(),
            "80146002",
        ),
    )
    .unwrap();
    let submit = [
        "claim",
        "submit",
        &chart,
        "--insurer",
        &at,
        "--claim",
        file.to_str().unwrap(),
        "--record",
        &record,
    ];
    let submitted = clinic.ok(&submit);
    let id = submitted["claims"][0].as_str().unwrap();
    let (code, _, said) = clinic.tried(&submit);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains(id), "{said}");

    insurer.ok(&["claim", "review", id]);
    insurer.ok(&["claim", "ask", id, "Which knee?"]);
    clinic.ok(&["claim", "answer", id, "The left one."]);
    let (code, _, said) = insurer.tried(&["claim", "approve", id, "--part", "1.005", "--reason", "above-limit"]);
    assert_eq!(code, 1, "cents have no tenths: {said}");
    let (code, _, said) = insurer.tried(&["claim", "deny", id, "--reason", "whim"]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("not-covered"), "{said}");
    insurer.ok(&["claim", "approve", id, "--part", "96.40", "--reason", "above-limit"]);
    clinic.ok(&["claim", "accept", id]);
    insurer.ok(&["claim", "pay", id, "--reference", "SEPA 2026-0042"]);
    let shown = clinic.ok(&["claim", "show", id, "--fingerprint", "HPAYMT"]);
    assert_eq!(shown["billed"], "120.50 EUR");
    assert_eq!(shown["approved"], "96.40 EUR");
    assert_eq!(shown["history"]["claim"]["state"], "paid");
    assert_eq!(shown["history"]["claim"]["shared"], true);
    assert_eq!(
        shown["messages"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|message| message.is_string())
            .count(),
        2
    );
    assert_eq!(shown["claim"]["resourceType"], "Claim");
    let seen = patient.ok(&["claim", "show", id]);
    assert_eq!((&seen["billed"], &seen["claim"]), (&Value::Null, &Value::Null));
    let listed = patient.ok(&["claim", "list", "--chart", &chart]);
    assert_eq!(listed[0]["claim"], id);
    assert_eq!(
        insurer.ok(&["claim", "list", "--insurer", "--state", "denied"]),
        json!([])
    );
    let signs = insurer.ok(&["claim", "signals", "--insurer", "--within", "90d", "--life", "HPAYMT"]);
    assert_eq!((&signs["claims"], &signs["unopened"]), (&json!(1), &json!([])));
    // The report is of today, the service of May.
    assert!(
        signs["signals"][0]["reason"]
            .as_str()
            .unwrap()
            .contains("days after the service"),
        "{signs}"
    );
    assert_eq!(shown["response"]["resourceType"], "ClaimResponse");
    let path = |name: &str| world.home().join(name).to_str().unwrap().to_owned();
    let benefit = path("benefit.json");
    insurer.ok(&["claim", "export", id, "--file", &benefit]);
    let text = std::fs::read_to_string(&benefit).unwrap();
    let resource: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(resource["resourceType"], "ExplanationOfBenefit");
    for (person, opened) in [(&clinic, true), (&patient, false)] {
        let compared = person.ok(&["claim", "compare", &benefit]);
        assert_eq!(compared, json!({ "claim": id, "differs": [], "opened": opened }));
    }
    let forged = path("forged.json");
    std::fs::write(&forged, text.replace("96.40", "98.40")).unwrap();
    let (code, compared, said) = clinic.tried(&["claim", "compare", &forged]);
    assert_eq!(code, 5, "{said}");
    assert_eq!(
        compared["differs"],
        json!([
            "ExplanationOfBenefit.adjudication[0].amount.value",
            "ExplanationOfBenefit.payment.amount.value",
            "ExplanationOfBenefit.total[1].amount.value",
        ])
    );
    assert_eq!(clinic.ok(&["insurer", "show", &at])["shared"], true);

    // Two in one transaction; the insurer decides one with a response of its own.
    let [bill, other] = ["38102005", "73761001"].map(|code| {
        let file = path(&format!("{code}.json"));
        let [by, at] = [&by, &at].map(|account| account.parse().unwrap());
        std::fs::write(&file, claim(chain_id, chart.parse().unwrap(), by, at, code)).unwrap();
        file
    });
    let both = [
        "claim",
        "submit",
        &chart,
        "--insurer",
        &at,
        "--record",
        &record,
        "--claim",
        &bill,
        &other,
    ];
    let submitted = clinic.ok(&both);
    assert_eq!(submitted["claims"].as_array().unwrap().len(), 2);
    assert_eq!(submitted["mined"].as_array().unwrap().len(), 1);
    let id = submitted["claims"][1].as_str().unwrap();
    let response = path("response.json");
    std::fs::write(&response, own_response(id.parse().unwrap(), 0.0).to_string()).unwrap();
    insurer.ok(&["claim", "decide", id, "--response", &response]);
    assert_eq!(clinic.ok(&["claim", "show", id])["history"]["claim"]["state"], "denied");
    let (code, _, said) = insurer.tried(&["claim", "decide", id, "--response", &benefit]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("ClaimResponse"), "{said}");
}
