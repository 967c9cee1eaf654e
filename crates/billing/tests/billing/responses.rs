//! What is a ClaimResponse, and what an ExplanationOfBenefit says.
use alloy_primitives::B256;
use medlock_abi::terms::{claim_reason, claim_state};
use medlock_billing::{
    AmountError,
    fhir::{Category, ChainState, ClaimResponse, Coding, Fault, Outcome, Reference, Refused, explanation},
};
use serde_json::{Value, json};

use crate::support::{NOW, claim, dollar, euro, time, verdicts, with};

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
