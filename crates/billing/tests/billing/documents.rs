//! Documents, and whether they open what stands on chain.
use alloy_primitives::{Address, B256};
use medlock_abi::{
    claims::IClaims::{Adjudicated, ClaimSubmitted},
    terms::{claim_reason, claim_state},
};
use medlock_billing::{
    ClaimDocument, Decision, FingerprintKey, Service, Verdict,
    chain::new_claim,
    claim_id,
    document::{DOCUMENT_BYTES_MAX, DocumentError, Mismatch, Mismatches},
    fhir::{Claim, ClaimResponse, Fault, Outcome, RecordRef, Reference, Status, Use},
    fingerprint::ServiceError,
};

use crate::support::{
    CHART, CLINIC, POINTER, RECORD, adjudicated, claim, decision, document_of, dollar, euro, key, salt, submitted,
    verdicts, with,
};

fn document() -> ClaimDocument {
    document_of(&claim())
}

#[test]
fn a_claim_document_opens_what_was_submitted_with_it() {
    let document = document();
    let submitted = submitted(&document);
    let bytes = document.encode();
    let received = ClaimDocument::decode(&bytes).ok().unwrap();
    assert_eq!(received.encode(), bytes);
    assert_eq!(received.check(&submitted, Some(&key())), Ok(claim()));
    assert_eq!(received.check(&submitted, None), Ok(claim()));
}

#[test]
fn what_a_claim_document_does_not_open_is_named() {
    let document = document();
    let other = B256::repeat_byte(0x99);
    let check = |change: fn(&mut ClaimSubmitted, B256)| {
        let mut event = submitted(&document);
        change(&mut event, other);
        // What stands on chain has the id of what was submitted.
        event.claim = claim_id(event.provider, &new_claim(&event));
        document.check(&event, Some(&key())).unwrap_err().0
    };
    assert_eq!(
        check(|event, _| event.provider = Address::repeat_byte(0x13)),
        [Mismatch::Provider]
    );
    assert_eq!(check(|event, other| event.fingerprint = other), [Mismatch::Fingerprint]);
    assert_eq!(check(|event, other| event.links[0].pointer = other), [Mismatch::Links]);
    assert_eq!(
        check(|event, other| event.links[0].recordId = other),
        [Mismatch::Links, Mismatch::Record]
    );
    assert_eq!(
        check(|event, other| event.chart = other),
        [Mismatch::Chart, Mismatch::Record]
    );
    assert_eq!(check(|event, _| event.insurer = CLINIC), [Mismatch::Insurer]);
    assert_eq!(check(|event, _| event.currency = 840), [Mismatch::Currency]);
    assert_eq!(check(|event, other| event.billed = other), [Mismatch::Billed]);
    assert_eq!(check(|event, other| event.document = other), [Mismatch::Billed]);

    let mut event = submitted(&document);
    event.claim = other;
    assert_eq!(
        document.check(&event, Some(&key())),
        Err(Mismatches(vec![Mismatch::ClaimId]))
    );
    let other_key = FingerprintKey::from_slice(&[1; 32]).unwrap();
    let fingerprint = document.check(&submitted(&document), Some(&other_key)).unwrap_err();
    assert_eq!(fingerprint.0, [Mismatch::Fingerprint]);
}

/// The document's own parts contradict each other: it opens the commitments that were made from it, and is refused.
#[test]
fn a_claim_document_that_contradicts_itself_is_named() {
    let check = |change: fn(&mut ClaimDocument, &mut Claim)| {
        let (mut document, mut claim) = (document(), claim());
        change(&mut document, &mut claim);
        document.claim = claim.write().unwrap().into_bytes();
        document.check(&submitted(&document), Some(&key())).unwrap_err().0
    };
    let other_service = |document: &mut ClaimDocument, _: &mut Claim| {
        document.service = Service::new("Encounter/8", "http://loinc.org", "718-7", "2026-05-03", CLINIC).unwrap();
    };
    assert_eq!(check(other_service), [Mismatch::Service]);
    assert_eq!(check(|_, claim| claim.items[0].codes.swap(0, 1)), [Mismatch::Service]);
    assert_eq!(check(|_, claim| claim.status = Status::Cancelled), [Mismatch::Status]);
    assert_eq!(check(|_, claim| claim.purpose = Use::Predetermination), [Mismatch::Use]);
    let other_record = |_: &mut ClaimDocument, claim: &mut Claim| {
        claim.records.push(RecordRef {
            chart: CHART,
            record_id: B256::repeat_byte(0x77),
        });
    };
    assert_eq!(check(other_record), [Mismatch::Record]);
}

#[test]
fn a_claim_that_cannot_be_read_is_named_with_its_place() {
    let mut document = document();
    let event = submitted(&document);
    let json = String::from_utf8(document.claim).unwrap();
    document.claim = with(&json, "/status", serde_json::json!("paid")).into_bytes();
    let mismatches = document.check(&event, Some(&key())).unwrap_err();
    let [Mismatch::Claim(refused)] = &mismatches.0[..] else {
        panic!("{mismatches}")
    };
    assert_eq!(refused.path, "Claim.status");
    assert!(
        mismatches
            .to_string()
            .starts_with("the document does not open what stands on chain: the claim cannot be read: Claim.status: ")
    );
}

#[test]
fn a_document_is_made_of_a_claim_that_names_its_service_and_rests_on_records() {
    let make = |claim: &Claim, links: usize| {
        let link = document().links[0].clone();
        ClaimDocument::new(claim.write().unwrap().into_bytes(), CLINIC, vec![link; links], salt(1)).err()
    };
    assert_eq!(make(&claim(), 1), None);
    assert_eq!(make(&claim(), 0), Some(DocumentError::LinkCount { given: 0 }));
    assert_eq!(make(&claim(), 9), Some(DocumentError::LinkCount { given: 9 }));
    let mut other = claim();
    other.items[0].encounter = None;
    let unnamed = ServiceError::Unnamed { field: "encounter" };
    assert_eq!(make(&other, 1), Some(DocumentError::Service(unnamed)));
    let not_json = ClaimDocument::new(b"{".to_vec(), CLINIC, document().links, salt(1)).err();
    assert!(matches!(not_json, Some(DocumentError::Claim(refused)) if refused.fault == Fault::NotJson));
    assert_eq!(document().links[0].recordId, RECORD);
    assert_eq!(document().links[0].pointer, POINTER);
}

#[test]
fn a_decision_opens_what_was_decided_with_it() {
    for verdict in verdicts() {
        let decision = decision(verdict);
        let bytes = decision.encode();
        let received = Decision::decode(&bytes).ok().unwrap();
        assert_eq!(received.encode(), bytes);
        let response = received.check(&adjudicated(&decision), euro(12_345)).unwrap();
        assert_eq!(response.write().unwrap().as_bytes(), decision.response);
    }
}

#[test]
fn what_a_decision_does_not_open_is_named() {
    let [approved, part, denied] = verdicts().map(decision);
    let other = B256::repeat_byte(0x99);
    let check = |decision: &Decision, change: fn(&mut Adjudicated, B256)| {
        let mut event = adjudicated(decision);
        change(&mut event, other);
        decision.check(&event, euro(12_345)).unwrap_err().0
    };
    for decision in [&approved, &part] {
        assert_eq!(
            check(decision, |event, other| event.claim = other),
            [Mismatch::OtherClaim, Mismatch::Approved]
        );
        assert_eq!(
            check(decision, |event, other| event.amount = other),
            [Mismatch::Approved]
        );
        assert_eq!(
            check(decision, |event, _| event.state = claim_state::DENIED),
            [Mismatch::State]
        );
        assert_eq!(
            check(decision, |event, _| event.reasonCode = claim_reason::OTHER),
            [Mismatch::Reason]
        );
    }
    assert_eq!(
        check(&denied, |event, other| event.claim = other),
        [Mismatch::OtherClaim]
    );
    assert_eq!(
        check(&denied, |event, other| event.amount = other),
        [Mismatch::Approved]
    );
}

#[test]
fn an_amount_is_at_most_what_is_billed_and_goes_with_its_state() {
    let check = |verdict: Verdict, billed| {
        let decision = decision(verdict);
        let checked = decision.check(&adjudicated(&decision), billed);
        checked.map(drop).map_err(|mismatches| mismatches.0)
    };
    let approved = |amount| Verdict::Approved { amount, salt: salt(1) };
    let part = |amount| Verdict::PartlyApproved {
        amount,
        salt: salt(1),
        reason: claim_reason::ABOVE_LIMIT,
    };
    assert_eq!(check(approved(euro(12_345)), euro(12_345)), Ok(()));
    assert_eq!(check(part(euro(12_344)), euro(12_345)), Ok(()));
    assert_eq!(
        check(approved(euro(12_345)), euro(12_346)),
        Err(vec![Mismatch::NotTheWhole])
    );
    assert_eq!(
        check(approved(euro(12_345)), euro(12_344)),
        Err(vec![Mismatch::AboveBilled])
    );
    assert_eq!(check(part(euro(12_345)), euro(12_345)), Err(vec![Mismatch::NotAPart]));
    assert_eq!(check(part(euro(0)), euro(12_345)), Err(vec![Mismatch::NotAPart]));
    assert_eq!(
        check(part(euro(12_346)), euro(12_345)),
        Err(vec![Mismatch::AboveBilled, Mismatch::NotAPart])
    );
    assert_eq!(check(part(euro(1)), dollar(12_345)), Err(vec![Mismatch::Currency]));
}

#[test]
fn a_response_that_says_otherwise_is_named() {
    let [_, part, _] = verdicts().map(decision);
    let check = |change: fn(&mut ClaimResponse)| {
        let mut response = ClaimResponse::read(&part.response).unwrap();
        change(&mut response);
        let other = Decision {
            response: response.write().unwrap().into_bytes(),
            ..part.clone()
        };
        other.check(&adjudicated(&part), euro(12_345)).unwrap_err().0
    };
    assert_eq!(
        check(|response| response.totals[1].amount = euro(1)),
        [Mismatch::Benefit]
    );
    assert_eq!(check(|response| response.totals.clear()), [Mismatch::Benefit]);
    assert_eq!(
        check(|response| response.adjudication[0].reason = None),
        [Mismatch::ResponseReason]
    );
    assert_eq!(
        check(|response| response.outcome = Outcome::Queued),
        [Mismatch::Outcome]
    );
    assert_eq!(check(|response| response.status = Status::Draft), [Mismatch::Outcome]);
    let unreadable = Decision {
        response: b"{}".to_vec(),
        ..part.clone()
    };
    let mismatches = unreadable.check(&adjudicated(&part), euro(12_345)).unwrap_err();
    assert!(matches!(&mismatches.0[..], [Mismatch::Response(refused)] if refused.fault == Fault::Empty));
}

#[test]
fn a_document_that_is_cut_short_or_goes_on_is_refused() {
    let [document, decision] = [document().encode(), decision(verdicts()[1].clone()).encode()];
    for length in 0..document.len() {
        assert_eq!(
            ClaimDocument::decode(&document[..length]).err(),
            Some(DocumentError::Malformed),
            "{length}"
        );
    }
    for length in 0..decision.len() {
        assert_eq!(
            Decision::decode(&decision[..length]).err(),
            Some(DocumentError::Malformed),
            "{length}"
        );
    }
    for bytes in [document, decision] {
        let longer = [&bytes[..], &[0]].concat();
        assert_eq!(ClaimDocument::decode(&longer).err(), Some(DocumentError::Malformed));
        assert_eq!(Decision::decode(&longer).err(), Some(DocumentError::Malformed));
    }
    let large = vec![0; DOCUMENT_BYTES_MAX + 1];
    assert_eq!(
        Decision::decode(&large).err(),
        Some(DocumentError::TooLarge { given: large.len() })
    );
}

#[test]
fn neither_document_is_the_other() {
    let (document, decision) = (document().encode(), decision(verdicts()[0].clone()).encode());
    assert_eq!(Decision::decode(&document).err(), Some(DocumentError::Malformed));
    assert_eq!(ClaimDocument::decode(&decision).err(), Some(DocumentError::Malformed));
}

#[test]
fn a_later_version_is_named_as_such() {
    // `v` is the shortest name, so it stands first: 61 76 01.
    let mut bytes = document().encode().to_vec();
    assert_eq!(bytes[1..4], [0x61, b'v', 1]);
    bytes[3] = 2;
    assert_eq!(
        ClaimDocument::decode(&bytes).err(),
        Some(DocumentError::UnknownVersion { version: 2 })
    );
    assert_eq!(
        Decision::decode(&bytes).err(),
        Some(DocumentError::UnknownVersion { version: 2 })
    );
}

#[test]
fn another_encoding_of_the_same_is_refused() {
    let mut bytes = document().encode().to_vec();
    // The version as a number of two bytes.
    bytes.splice(3..4, [0x18, 1]);
    let refused = ClaimDocument::decode(&bytes).err().unwrap();
    assert!(
        matches!(refused, DocumentError::NotCanonical | DocumentError::Malformed),
        "{refused}"
    );
}

#[test]
fn a_decision_whose_parts_do_not_go_together_is_refused() {
    let swapped = |verdict: Verdict, from: &[u8], to: &[u8]| {
        let bytes = decision(verdict).encode().to_vec();
        let at = bytes.windows(from.len()).position(|window| window == from).unwrap();
        Decision::decode(&[&bytes[..at], to, &bytes[at + from.len()..]].concat()).err()
    };
    let [approved, part, denied] = verdicts();
    let state = |state: u8| [b"estate".as_slice(), &[state]].concat();
    for (verdict, own, other) in [
        (&approved, 4, 5),
        (&approved, 4, 6),
        (&part, 5, 4),
        (&part, 5, 6),
        (&denied, 6, 5),
        (&denied, 6, 4),
        (&denied, 6, 8),
    ] {
        assert_eq!(
            swapped(verdict.clone(), &state(own), &state(other)),
            Some(DocumentError::Verdict),
            "{own} {other}"
        );
    }
    // A reason that no insurer may state, and a currency that is not known: 999.
    let reason = |reason: u8| [b"freason".as_slice(), &[reason]].concat();
    assert_eq!(swapped(denied, &reason(1), &reason(14)), Some(DocumentError::Verdict));
    assert_eq!(
        swapped(part, &[0x19, 0x03, 0xd2], &[0x19, 0x03, 0xe7]),
        Some(DocumentError::Verdict)
    );
}

/// A clinic's own numbers, which nobody else can compare.
#[test]
fn parties_that_are_named_otherwise_are_left_to_the_parties() {
    let mut claim = claim();
    for party in [&mut claim.patient, &mut claim.provider, &mut claim.insurer] {
        *party = Reference::literal("Thing/1");
    }
    let document = document_of(&claim);
    assert_eq!(document.check(&submitted(&document), Some(&key())), Ok(claim));
}
