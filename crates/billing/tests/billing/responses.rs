//! What is a ClaimResponse, and what an ExplanationOfBenefit says.
use alloy_primitives::B256;
use medlock_abi::terms::{claim_reason, claim_state};
use medlock_billing::{
    AmountError, Verdict,
    fhir::{
        Category, ChainState, ClaimResponse, Coding, EXPLANATION_BYTES_MAX, Explanation, Fault, Outcome, Reference,
        Refused, Resource, Status, explanation,
    },
    rand_core::{TryCryptoRng, TryRng},
};
use serde_json::{Value, json};

use crate::support::{
    CHAIN_ID, CLINIC, INSURER, NOW, RECORD, adjudicated, chain_state, claim, decision, document_of, dollar, euro,
    explanations, submitted, time, verdicts, with,
};

const ID: B256 = B256::repeat_byte(0xa1);

fn response(which: usize) -> ClaimResponse {
    let mut response = ClaimResponse::decided(
        &claim(),
        Reference::claim(ID),
        &verdicts()[which],
        time("2026-05-20T08:00:00Z"),
    );
    response.disposition = Some("As agreed.".to_owned());
    response
}

fn refused(pointer: &str, value: Value) -> (String, Fault) {
    let json = with(&response(0).write().unwrap(), pointer, value);
    let Refused { path, fault } = ClaimResponse::read(json.as_bytes()).unwrap_err();
    (path, fault)
}

#[test]
fn what_is_written_is_read_as_the_same() {
    for which in 0..3 {
        let mut response = response(which);
        assert_eq!(
            ClaimResponse::read(response.write().unwrap().as_bytes()),
            Ok(response.clone())
        );
        for outcome in Outcome::ALL {
            response.outcome = *outcome;
            (response.request, response.requestor, response.disposition) = (None, None, None);
            assert_eq!(
                ClaimResponse::read(response.write().unwrap().as_bytes()),
                Ok(response.clone())
            );
        }
    }
}

#[test]
fn it_says_what_was_decided() {
    let benefits = [0, 1, 2].map(|which| response(which).benefit());
    assert_eq!(benefits, [Some(euro(12_345)), Some(euro(10_000)), Some(euro(0))]);
    let reasons = [0, 1, 2].map(|which| response(which).reason());
    assert_eq!(
        reasons,
        [None, Some(claim_reason::ABOVE_LIMIT), Some(claim_reason::NOT_COVERED)]
    );
    assert_eq!(response(0).items.len(), 2);
    assert_eq!(response(0).adjudication[0].category, Category::Benefit.coding());
}

#[test]
fn each_reason_of_the_ledger_has_its_code() {
    for (name, number) in claim_reason::ALL {
        let mut response = response(2);
        response.adjudication[0].reason = Some(number);
        let json = response.write().unwrap();
        let coding = format!("{{\"code\":\"{name}\",\"system\":\"urn:medlock:fhir:claim-reason\"}}");
        assert!(json.contains(&coding), "{json}");
        assert_eq!(ClaimResponse::read(json.as_bytes()).unwrap().reason(), Some(number));
    }
}

#[test]
fn an_insurers_own_categories_and_reasons_may_stand_beside() {
    let json = response(0).write().unwrap();
    let own = json!({
        "category": { "coding": [{ "system": "urn:insurer", "code": "bonus" }] },
        "reason": { "coding": [{ "system": "urn:insurer", "code": "loyal" }] },
        "value": 3,
    });
    let read = ClaimResponse::read(with(&json, "/adjudication/-", own).as_bytes()).unwrap();
    assert_eq!(read.adjudication[1].category, Coding::new("urn:insurer", "bonus"));
    assert_eq!((read.adjudication[1].amount, read.reason()), (None, None));
}

#[test]
fn what_does_not_fit_is_refused_where_it_stands() {
    let benefit = |currency: &str, value: u32| {
        json!({
            "category": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/adjudication", "code": "benefit" }] },
            "amount": { "currency": currency, "value": value },
        })
    };
    let unknown = json!({ "coding": [{ "system": "urn:medlock:fhir:claim-reason", "code": "mood" }] });
    for (pointer, value, path, fault) in [
        (
            "/outcome",
            json!("denied"),
            "ClaimResponse.outcome",
            Fault::Code {
                allowed: Outcome::CODES,
            },
        ),
        ("/outcome", Value::Null, "ClaimResponse.outcome", Fault::Missing),
        ("/status", Value::Null, "ClaimResponse.status", Fault::Missing),
        ("/type", Value::Null, "ClaimResponse.type", Fault::Missing),
        ("/use", Value::Null, "ClaimResponse.use", Fault::Missing),
        ("/patient", Value::Null, "ClaimResponse.patient", Fault::Missing),
        ("/created", Value::Null, "ClaimResponse.created", Fault::Missing),
        ("/insurer", Value::Null, "ClaimResponse.insurer", Fault::Missing),
        (
            "/item/0/adjudication",
            Value::Null,
            "ClaimResponse.item[0].adjudication",
            Fault::Missing,
        ),
        (
            "/item/0/itemSequence",
            json!(2),
            "ClaimResponse.item.sequence",
            Fault::Sequence,
        ),
        (
            "/adjudication/0/category",
            Value::Null,
            "ClaimResponse.adjudication[0].category",
            Fault::Missing,
        ),
        (
            "/adjudication/0/reason",
            unknown,
            "ClaimResponse.adjudication[0].reason",
            Fault::Reason,
        ),
        (
            "/adjudication/-",
            benefit("EUR", 1),
            "ClaimResponse.adjudication[1].category",
            Fault::Twice,
        ),
        (
            "/total/-",
            benefit("EUR", 1),
            "ClaimResponse.total[2].category",
            Fault::Twice,
        ),
        ("/total/1", benefit("EUR", 1), "ClaimResponse.total", Fault::Sum),
        (
            "/total/0",
            benefit("USD", 1),
            "ClaimResponse.total[1].category",
            Fault::Twice,
        ),
        (
            "/adjudication/0",
            benefit("USD", 1),
            "ClaimResponse",
            Fault::TwoCurrencies,
        ),
        (
            "/total/0/amount/value",
            json!(-1),
            "ClaimResponse.total[0].amount.value",
            AmountError::Negative.into(),
        ),
        ("/provider", json!({}), "ClaimResponse", Fault::NotR4),
    ] {
        assert_eq!(refused(pointer, value), (path.to_owned(), fault), "{pointer}");
    }
}

#[test]
fn what_cannot_stand_in_a_response_is_not_written() {
    let mut other = response(0);
    other.totals[1].amount = dollar(1);
    assert_eq!(other.write().unwrap_err().fault, Fault::TwoCurrencies);
    let mut other = response(2);
    other.adjudication[0].reason = Some(15);
    assert_eq!(other.write().unwrap_err().fault, Fault::Reason);
    let mut other = response(0);
    other.disposition = Some(" ".to_owned());
    assert_eq!(other.write().unwrap_err().path, "ClaimResponse.disposition");
}

/// What a response that was changed at a JSON pointer rules of the claim.
fn ruled(which: usize, pointer: &str, value: Value) -> Result<Verdict, Refused> {
    let json = with(&response(which).write().unwrap(), pointer, value);
    let read = ClaimResponse::read(json.as_bytes()).unwrap();
    read.verdict(ID, &claim(), &mut Zeroes)
}

/// Salts are random elsewhere.
struct Zeroes;

impl TryRng for Zeroes {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(0)
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(0)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        bytes.fill(0);
        Ok(())
    }
}

impl TryCryptoRng for Zeroes {}

#[test]
fn a_response_rules_what_its_total_and_its_reason_say() {
    for (which, expected) in verdicts().into_iter().enumerate() {
        let verdict = response(which).verdict(ID, &claim(), &mut Zeroes).ok().unwrap();
        assert_eq!(verdict.state(), expected.state());
        assert_eq!(
            (verdict.amount(), verdict.reason()),
            (expected.amount(), expected.reason())
        );
    }
    // How an insurer names claim and parties in its own systems is its own.
    for pointer in ["/request", "/requestor", "/insurer", "/patient"] {
        assert!(
            ruled(1, pointer, json!({ "reference": "Thing/1" })).is_ok(),
            "{pointer}"
        );
    }
    assert!(ruled(1, "/request", Value::Null).is_ok());
}

#[test]
fn what_rules_nothing_of_this_claim_is_refused_where_it_stands() {
    let account = |account| {
        let reference = Reference::account("Organization", CHAIN_ID, account);
        json!({ "identifier": { "system": "urn:ietf:rfc:3986", "value": reference.identifier.unwrap().value } })
    };
    let other_claim = json!({ "identifier": { "system": "urn:medlock:fhir:claim", "value": "b1".repeat(32) } });
    let reason = |name: &str| json!({ "coding": [{ "system": "urn:medlock:fhir:claim-reason", "code": name }] });
    let other = Fault::OtherThanClaim;
    for (which, pointer, value, path, fault) in [
        (
            1,
            "/status",
            json!("draft"),
            "status",
            Fault::Code { allowed: &["active"] },
        ),
        (
            1,
            "/outcome",
            json!("partial"),
            "outcome",
            Fault::Code { allowed: &["complete"] },
        ),
        (1, "/use", json!("preauthorization"), "use", other),
        (1, "/type/coding/0/code", json!("oral"), "type", other),
        (1, "/request", other_claim, "request", Fault::OtherClaim),
        (
            1,
            "/patient/reference",
            json!(format!("Patient/{}", "b1".repeat(32))),
            "patient",
            other,
        ),
        (1, "/insurer", account(CLINIC), "insurer", other),
        (1, "/requestor", account(INSURER), "requestor", other),
        (0, "/item/1/itemSequence", json!(7), "item.itemSequence", other),
        (1, "/total", Value::Null, "total", Fault::Missing),
        (1, "/total/1/amount/value", json!(123.46), "total", Fault::AboveBilled),
        (
            1,
            "/total/1/amount/value",
            json!(123.45),
            "adjudication.reason",
            Fault::NeedlessReason,
        ),
        (
            1,
            "/adjudication/0/reason",
            Value::Null,
            "adjudication.reason",
            Fault::NoReason,
        ),
        (
            2,
            "/adjudication/0/reason",
            Value::Null,
            "adjudication.reason",
            Fault::NoReason,
        ),
        (
            1,
            "/adjudication/0/reason",
            reason("no-answer"),
            "adjudication.reason",
            Fault::NotAnInsurers,
        ),
    ] {
        let refused = ruled(which, pointer, value).err();
        let path = format!("ClaimResponse.{path}");
        assert_eq!(refused, Some(Refused { path, fault }), "{pointer}");
    }
    let mut foreign = response(1);
    foreign
        .totals
        .iter_mut()
        .for_each(|total| total.amount = dollar(10_000));
    foreign.adjudication[0].amount = None;
    let refused = foreign.verdict(ID, &claim(), &mut Zeroes).err().unwrap();
    assert_eq!(
        (refused.path.as_str(), refused.fault),
        ("ClaimResponse.total", Fault::TwoCurrencies)
    );
}

#[test]
fn an_explanation_is_read_as_it_was_written() {
    for explanation in explanations(ID) {
        let json = explanation.write().unwrap();
        assert_eq!(Explanation::read(json.as_bytes()), Ok(explanation.clone()));
        let resource = Resource::read(json.as_bytes()).unwrap();
        assert_eq!(resource.claim(), Ok(ID));
        assert_eq!(resource, Resource::Explanation(explanation));
    }
    let json = response(1).write().unwrap();
    let resource = Resource::read(json.as_bytes()).unwrap();
    assert_eq!(resource, Resource::Response(response(1)));
    assert_eq!(resource.claim(), Ok(ID));
}

/// Of the explanation of a claim that was paid, with `value` at the JSON pointer.
fn unexplained(pointer: &str, value: Value) -> (String, Fault) {
    let json = with(&explanations(ID)[1].write().unwrap(), pointer, value);
    let Refused { path, fault } = Explanation::read(json.as_bytes()).unwrap_err();
    (path, fault)
}

#[test]
fn each_element_that_an_explanation_needs_is_asked_for_by_its_path() {
    for element in [
        "extension",
        "identifier",
        "status",
        "type",
        "use",
        "patient",
        "created",
        "insurer",
        "provider",
        "claim",
        "outcome",
        "insurance",
        "total",
        "insurance/0/focal",
        "insurance/0/coverage",
        "payment/type",
        "payment/amount",
        "payment/date",
        "extension/0/url",
        "extension/0/valueCode",
        "careTeam/0/provider",
        "item/0/adjudication/0/category",
    ] {
        let (path, fault) = unexplained(&format!("/{element}"), Value::Null);
        let mut expected = String::from("ExplanationOfBenefit");
        for part in element.split('/') {
            match part.parse::<usize>() {
                Ok(index) => expected.push_str(&format!("[{index}]")),
                Err(_) => expected.push_str(&format!(".{part}")),
            }
        }
        assert_eq!((path, fault), (expected, Fault::Missing));
    }
    let no_item = unexplained("/item", Value::Null);
    assert_eq!(no_item, ("ExplanationOfBenefit.item".to_owned(), Fault::NoItem));
}

#[test]
fn what_an_explanation_of_ours_does_not_say_is_refused_where_it_stands() {
    let other_claim =
        json!({ "type": "Claim", "identifier": { "system": "urn:medlock:fhir:claim", "value": "b1".repeat(32) } });
    let as_text = json!({ "url": "urn:medlock:fhir:extension:claim-state", "valueString": "paid" });
    for (pointer, value, path, fault) in [
        (
            "/extension/0/valueCode",
            json!("settled"),
            "extension[0].valueCode",
            Fault::State,
        ),
        ("/extension/0/url", json!("urn:x"), "extension[0].url", Fault::Unread),
        ("/extension/0", as_text, "extension[0]", Fault::NotR4),
        ("/identifier/0/system", json!("urn:x"), "identifier", Fault::NoClaim),
        (
            "/identifier/0/value",
            json!("A1".repeat(32)),
            "identifier",
            Fault::NoClaim,
        ),
        ("/claim", other_claim, "claim", Fault::OtherClaim),
        (
            "/status",
            json!("final"),
            "status",
            Fault::Code { allowed: Status::CODES },
        ),
        (
            "/outcome",
            json!("paid"),
            "outcome",
            Fault::Code {
                allowed: Outcome::CODES,
            },
        ),
        ("/created", json!("soon"), "created", Fault::Time),
        ("/payment/date", json!("2026-05"), "payment.date", Fault::Time),
        (
            "/payment/type/coding/0/code",
            json!("partial"),
            "payment.type",
            Fault::Code { allowed: &["complete"] },
        ),
        ("/item/1/sequence", json!(1), "item.sequence", Fault::Sequence),
        ("/item/0/net/value", json!(99), "item[0].net", Fault::Product),
        ("/item/0/modifierExtension", json!([]), "item[0]", Fault::Modifier),
        ("/teeth", json!(32), "", Fault::NotR4),
        // R4 has these, and nothing here says what they mean.
        ("/id", json!("1"), "id", Fault::Unread),
        (
            "/text",
            json!({ "status": "generated", "div": "<div>denied</div>" }),
            "text",
            Fault::Unread,
        ),
        (
            "/processNote",
            json!([{ "text": "denied" }]),
            "processNote",
            Fault::Unread,
        ),
        ("/_created", json!({ "id": "x" }), "_created", Fault::Unread),
        ("/patient/display", json!("x"), "patient.display", Fault::Unread),
        (
            "/item/0/bodySite",
            json!({ "text": "x" }),
            "item[0].bodySite",
            Fault::Unread,
        ),
        (
            "/item/1/adjudication/0/value",
            json!(3),
            "item[1].adjudication[0].value",
            Fault::Unread,
        ),
        (
            "/payment/adjustment",
            json!({ "value": 1, "currency": "EUR" }),
            "payment.adjustment",
            Fault::Unread,
        ),
        (
            "/total/0/category/coding/-",
            json!({ "code": "x" }),
            "total[0].category.coding",
            Fault::Unread,
        ),
        (
            "/careTeam/0/responsible",
            json!(true),
            "careTeam[0].responsible",
            Fault::Unread,
        ),
    ] {
        let path = format!("ExplanationOfBenefit.{path}");
        let path = path.trim_end_matches('.').to_owned();
        assert_eq!(unexplained(pointer, value), (path, fault), "{pointer}");
    }
    let long = " ".repeat(EXPLANATION_BYTES_MAX + 1);
    let refused = Resource::read(long.as_bytes()).unwrap_err();
    assert!(matches!(refused.fault, Fault::TooLarge { .. }), "{refused}");
    let claim = claim().write().unwrap();
    let refused = Resource::read(claim.as_bytes()).unwrap_err();
    assert!(matches!(refused.fault, Fault::OtherResource { .. }), "{refused}");
    let json = with(&response(0).write().unwrap(), "/request", Value::Null);
    let unnamed = Resource::read(json.as_bytes()).unwrap();
    assert_eq!(unnamed.claim().unwrap_err().fault, Fault::NoClaim);
}

#[test]
fn no_refusal_of_an_explanation_repeats_what_was_sent() {
    let json = explanations(ID)[1].write().unwrap();
    for (pointer, value) in [
        ("/Jane Doe", json!(1)),
        ("/status", json!("Jane Doe")),
        ("/extension/0/valueCode", json!("Jane Doe")),
        ("/extension/0/Jane Doe", json!(1)),
        ("/identifier/0/value", json!("Jane Doe")),
        ("/text", json!({ "Jane Doe": "Jane Doe" })),
        ("/patient/display", json!("Jane Doe")),
    ] {
        let refused = Explanation::read(with(&json, pointer, value).as_bytes()).unwrap_err();
        assert!(!format!("{refused} {refused:?}").contains("Jane"), "{refused}");
    }
}

#[test]
fn a_response_with_more_in_it_is_read_and_not_compared() {
    let json = response(0).write().unwrap();
    assert_eq!(response(0).check_whole(json.as_bytes()), Ok(()));
    let noted = with(&json, "/processNote", json!([{ "text": "x" }]));
    let read = ClaimResponse::read(noted.as_bytes()).unwrap();
    let Refused { path, fault } = read.check_whole(noted.as_bytes()).unwrap_err();
    assert_eq!((path.as_str(), fault), ("ClaimResponse.processNote", Fault::Unread));
}

#[test]
fn what_differs_is_named_by_its_path() {
    let all = explanations(ID);
    let paid = &all[1];
    assert_eq!(paid.differing(paid), Vec::<String>::new());
    let mut other = paid.clone();
    other.items[1].item.net = euro(2346);
    other.totals[1].amount = euro(1);
    other.payment = None;
    other.state = claim_state::APPROVED;
    assert_eq!(
        other.differing(paid),
        [
            "ExplanationOfBenefit.extension[0].valueCode",
            "ExplanationOfBenefit.item[1].net.value",
            "ExplanationOfBenefit.payment",
            "ExplanationOfBenefit.total[1].amount.value",
        ]
    );
    assert_eq!(
        response(1).differing(&response(2)),
        [
            "ClaimResponse.adjudication[0].amount.value",
            "ClaimResponse.adjudication[0].reason.coding[0].code",
            "ClaimResponse.total[1].amount.value",
        ]
    );
}

#[test]
fn without_documents_what_the_chain_tells_is_compared() {
    let event = submitted(&document_of(&claim()));
    let chain = chain_state(event.claim, claim_state::PAID, 0);
    let told = Explanation::of(&claim(), Some(&response(0)), &chain);
    let differs = |told: &Explanation| told.differing_from_chain(&event, &chain, true);
    assert_eq!(differs(&told), Vec::<String>::new());
    let mut other = told.clone();
    other.state = claim_state::DENIED;
    other.status = Status::Cancelled;
    other.outcome = Outcome::Queued;
    other.created = time("2026-05-05");
    other.patient = Reference::chart(RECORD);
    (other.provider, other.insurer) = (told.insurer.clone(), told.provider.clone());
    other.payment = None;
    assert_eq!(
        differs(&other),
        [
            "extension",
            "status",
            "patient",
            "created",
            "insurer",
            "provider",
            "outcome",
            "payment"
        ]
        .map(|element| format!("ExplanationOfBenefit.{element}"))
    );
    // Amounts are in documents alone, and so are names that are neither accounts nor charts.
    let mut unknown = told;
    unknown.totals[0].amount = euro(1);
    unknown.provider = Reference::literal("Organization/1");
    assert_eq!(differs(&unknown), Vec::<String>::new());

    for verdict in verdicts() {
        let decision = decision(verdict);
        let response = ClaimResponse::read(&decision.response).unwrap();
        let decided = adjudicated(&decision);
        assert_eq!(response.differing_from_chain(&event, &decided), Vec::<String>::new());
        let mut other = response.clone();
        other.request = Some(Reference::claim(RECORD));
        other.outcome = Outcome::Queued;
        other.adjudication[0].reason = Some(claim_reason::OTHER);
        let is_denied = decided.state == claim_state::DENIED;
        other.totals[1].amount = euro(if is_denied { 1 } else { 0 });
        assert_eq!(
            other.differing_from_chain(&event, &decided),
            ["request", "outcome", "adjudication.reason", "total"].map(|element| format!("ClaimResponse.{element}"))
        );
    }
}

fn explained(state: u8, response: Option<&ClaimResponse>, reason_code: u16) -> Value {
    let chain = ChainState {
        claim: ID,
        state,
        reason_code,
        changed_at: NOW,
        paid_at: (state == claim_state::PAID).then_some(NOW),
    };
    let json = explanation(&claim(), response, &chain).unwrap();
    serde_json::from_str(&json).unwrap()
}

#[test]
fn an_explanation_tells_the_state_on_chain_as_far_as_fhir_can() {
    for (state, which, outcome, status) in [
        (claim_state::RECEIVED, None, "queued", "active"),
        (claim_state::IN_REVIEW, None, "queued", "active"),
        (claim_state::INFORMATION_REQUESTED, None, "queued", "active"),
        (claim_state::APPROVED, Some(0), "complete", "active"),
        (claim_state::PARTLY_APPROVED, Some(1), "complete", "active"),
        (claim_state::DENIED, Some(2), "complete", "active"),
        (claim_state::DENIED, None, "complete", "active"),
        (claim_state::APPEALED, Some(2), "partial", "active"),
        (claim_state::PAID, Some(0), "complete", "active"),
        (claim_state::REVERSED, Some(0), "complete", "cancelled"),
        (claim_state::WITHDRAWN, None, "queued", "cancelled"),
    ] {
        let response = which.map(response);
        let told = explained(state, response.as_ref(), 0);
        let text = claim_state::text(state);
        assert_eq!(
            (&told["outcome"], &told["status"]),
            (&json!(outcome), &json!(status)),
            "{text}"
        );
        assert_eq!(told["extension"][0]["valueCode"], text);
        assert_eq!(told["payment"].is_null(), state != claim_state::PAID, "{text}");
    }
}

#[test]
fn an_explanation_has_what_was_asked_for_and_what_was_decided() {
    let told = explained(claim_state::PAID, Some(&response(0)), 0);
    assert_eq!(told["identifier"][0]["value"], "a1".repeat(32));
    assert_eq!(told["claim"]["identifier"], told["identifier"][0]);
    assert_eq!(told["item"][1]["net"]["value"], 23.45);
    assert_eq!(told["item"][1]["adjudication"][0]["amount"]["value"], 23.45);
    assert_eq!(
        told["total"][1]["amount"],
        json!({ "currency": "EUR", "value": 123.45 })
    );
    assert_eq!(told["payment"]["date"], "2026-05-04");
    assert_eq!(told["disposition"], "As agreed.");
    // Without a decision, what was asked for is there.
    let told = explained(claim_state::RECEIVED, None, 0);
    assert_eq!(told["total"][0]["category"]["coding"][0]["code"], "submitted");
    // Whoever closed an overdue claim left no document.
    let told = explained(claim_state::DENIED, None, claim_reason::NO_ANSWER);
    assert_eq!(told["extension"][1]["valueCoding"]["code"], "no-answer");
}
