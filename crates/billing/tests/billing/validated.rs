//! Every kind of resource that is written here, by validators of others: fhir.resources (FHIR R4) and HAPI FHIR's.
use alloy_primitives::B256;
use medlock_abi::terms::{claim_reason, claim_state};
use medlock_billing::fhir::{ChainState, ClaimResponse, Reference, Serviced, explanation};
use medlock_peers::fhir_faults;
use serde_json::{Value, json};

use crate::support::{NOW, claim, claim_of_a_team, explanations, time, verdicts, with};

const ID: B256 = B256::repeat_byte(0xa1);

fn all() -> Vec<String> {
    let mut bare = claim();
    bare.items[0].serviced = Some(Serviced::Date(time("2026-05")));
    (bare.items[1].encounter, bare.records) = (None, Vec::new());
    let mut resources = vec![claim().write().unwrap(), bare.write().unwrap()];
    let responses = verdicts()
        .map(|verdict| ClaimResponse::decided(&claim(), Reference::claim(ID), &verdict, time("2026-05-20T08:00:00Z")));
    resources.extend(responses.iter().map(|response| response.write().unwrap()));
    for (state, response) in [
        (claim_state::RECEIVED, None),
        (claim_state::PAID, Some(&responses[0])),
        (claim_state::PARTLY_APPROVED, Some(&responses[1])),
        (claim_state::DENIED, Some(&responses[2])),
        (claim_state::APPEALED, Some(&responses[2])),
        (claim_state::REVERSED, Some(&responses[0])),
    ] {
        let chain = ChainState {
            claim: ID,
            state,
            reason_code: if response.is_some() { claim_reason::OTHER } else { 0 },
            changed_at: NOW,
            paid_at: Some(NOW),
        };
        resources.push(explanation(&claim(), response, &chain).unwrap());
    }
    resources.push(claim_of_a_team().write().unwrap());
    resources.extend(explanations(ID).iter().map(|explanation| explanation.write().unwrap()));
    resources
}

#[test]
fn every_kind_of_resource_is_valid() {
    let resources = all();
    for (resource, faults) in resources.iter().zip(fhir_faults(&resources)) {
        assert!(faults.is_empty(), "{faults:#?}\n{resource}");
    }
}

#[test]
fn the_validators_refuse_what_is_wrong() {
    let resources = all();
    let (claim, response, explanation) = (&resources[0], &resources[2], &resources[6]);
    let bad: Vec<_> = [
        (claim, "/status", json!("agreed")),
        (claim, "/priority", Value::Null),
        (claim, "/insurance", Value::Null),
        (claim, "/item/0/productOrService", Value::Null),
        (claim, "/teeth", json!(1)),
        (response, "/outcome", json!("denied")),
        (response, "/insurer", Value::Null),
        (response, "/total/0/category", Value::Null),
        (explanation, "/outcome", Value::Null),
        (explanation, "/insurance/0/focal", json!("yes")),
        (explanation, "/payment/date", json!("soon")),
    ]
    .into_iter()
    .map(|(good, pointer, value)| with(good, pointer, value))
    .collect();
    for (resource, faults) in bad.iter().zip(fhir_faults(&bad)) {
        assert!(!faults.is_empty(), "{resource}");
    }
}
