//! Readers of what strangers send: no panic, bounded memory, and what is taken comes back the same.
use medlock_billing::{
    ClaimDocument, Decision,
    fhir::{Claim, ClaimResponse, Explanation},
};
use medlock_mutate::{Fuzz, Shape, unmeasured};

use crate::support::{CHART, claim, claim_of_a_team, decision, document_of, explanations, verdicts};

/// Names and raw values of one resource at a time; inputs are 64 kB at most.
const ALLOCATED_BYTES_MAX: u64 = 8 * 1024 * 1024;

const WORDS: &[&str] = &[
    "null",
    "[]",
    "{}",
    "\"\"",
    "0",
    "-1",
    "1e2",
    "12.345",
    "123.45",
    "\"EUR\"",
    "\"USD\"",
    "\"net\"",
    "\"total\"",
    "\"item\"",
    "\"value\"",
    "\"currency\"",
    "\"system\"",
    "\"code\"",
    "2026-05-03",
    "\"_total\":{}",
    ",",
];

fn fuzz(name: &str, seeds: &[Vec<u8>], shape: Shape<'_>, check: impl Fn(&[u8]) -> bool) {
    let tally = Fuzz {
        name,
        seeds,
        shape,
        allocated_bytes_max: ALLOCATED_BYTES_MAX,
        weight: 10,
    }
    .run(check);
    assert!(tally.cases > 0);
}

#[test]
fn a_claim_that_is_taken_is_written_and_read_as_the_same() {
    let seeds = [claim(), claim_of_a_team()].map(|claim| claim.write().unwrap().into_bytes());
    fuzz("billing claim", &seeds, Shape::Text(WORDS), |bytes| {
        let Ok(read) = Claim::read(bytes) else {
            return false;
        };
        unmeasured(|| assert_eq!(Claim::read(read.write().unwrap().as_bytes()), Ok(read)));
        true
    });
}

#[test]
fn a_response_that_is_taken_is_written_and_read_as_the_same() {
    let seeds = verdicts().map(|verdict| decision(verdict).response);
    fuzz("billing response", &seeds, Shape::Text(WORDS), |bytes| {
        let Ok(read) = ClaimResponse::read(bytes) else {
            return false;
        };
        unmeasured(|| assert_eq!(ClaimResponse::read(read.write().unwrap().as_bytes()), Ok(read)));
        true
    });
}

#[test]
fn an_explanation_that_is_taken_is_written_and_read_as_the_same() {
    let explanations = explanations(CHART);
    let seeds: Vec<_> = explanations
        .iter()
        .map(|explanation| explanation.write().unwrap().into_bytes())
        .collect();
    fuzz("billing explanation", &seeds, Shape::Text(WORDS), |bytes| {
        let Ok(read) = Explanation::read(bytes) else {
            return false;
        };
        unmeasured(|| assert_eq!(Explanation::read(read.write().unwrap().as_bytes()), Ok(read)));
        true
    });
}

#[test]
fn a_document_that_is_taken_has_one_encoding() {
    let seeds = [document_of(&claim()).encode().to_vec()];
    fuzz("billing document", &seeds, Shape::Cbor, |bytes| {
        let document = ClaimDocument::decode(bytes);
        document.is_ok_and(|document| {
            unmeasured(|| assert_eq!(**document.encode(), *bytes));
            true
        })
    });
}

#[test]
fn a_decision_that_is_taken_has_one_encoding() {
    let seeds = verdicts().map(|verdict| decision(verdict).encode().to_vec());
    fuzz("billing decision", &seeds, Shape::Cbor, |bytes| {
        let decision = Decision::decode(bytes);
        decision.is_ok_and(|decision| {
            unmeasured(|| assert_eq!(**decision.encode(), *bytes));
            true
        })
    });
}
