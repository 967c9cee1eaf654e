use serde_json::json;

use super::super::{Handling, parse, resource};
use super::*;
use crate::facade::Site;

const NOW: u64 = 1_777_802_400;

fn found(name: &str, text: &str, of: &Value) -> bool {
    let site = Site {
        base: "https://gw.example/fhir".to_owned(),
        gateway: "https://gw.example".to_owned(),
        chain_id: 1,
        records: [0; 20],
    };
    let query = parse(resource(name).unwrap(), text, Handling::Strict, &site, NOW);
    matches(&query.unwrap_or_else(|e| panic!("{text}: {e:?}")), of)
}

fn consent() -> Value {
    json!({
        "resourceType": "Consent",
        "id": "12.3",
        "meta": { "lastUpdated": "2026-05-03T10:00:00Z" },
        "status": "active",
        "patient": { "reference": "Patient/a" },
        "provision": {
            "period": { "start": "2026-01-01T00:00:00Z", "end": "2026-12-31T23:59:59Z" },
            "purpose": [{ "system": "s", "code": "TREAT" }, { "system": "s", "code": "HPAYMT" }],
            "actor": [{ "reference": { "type": "Device", "identifier": { "system": "u", "value": "did:x" } } }],
        },
    })
}

#[test]
fn finds_by_each_parameter_and_only_what_matches() {
    let consent = consent();
    for (text, expected) in [
        ("", true),
        ("_id=12.3", true),
        ("_id=12.4,12.3", true),
        ("_id=12.4", false),
        ("_lastUpdated=2026-05", true),
        ("_lastUpdated=gt2026-05-03", false),
        ("patient=a", true),
        ("patient=b", false),
        ("status=active", true),
        ("status=http://hl7.org/fhir/consent-state-codes|active", true),
        ("status=|active", false),
        ("status=http://other|active", false),
        ("status=Active", false),
        ("purpose=HPAYMT", true),
        ("purpose=s|TREAT", true),
        ("purpose=s|", true),
        ("purpose=t|TREAT", false),
        ("purpose=|TREAT", false),
        ("purpose=TREAT&purpose=HPAYMT", true),
        ("purpose=TREAT&purpose=HRESCH", false),
        ("actor:identifier=u|did:x", true),
        ("actor:identifier=did:x", true),
        ("actor:identifier=v|did:x", false),
        ("period=2026", true),
        ("period=2026-05", false),
        ("period=ap2026-05", true),
        ("period=gt2026-12-31", false),
        ("period=le2026-01-01", false),
        ("period=le2026-01-02", true),
        ("period=eb2026-12-31", false),
        ("period=eb2027", true),
        ("period=sa2025", true),
    ] {
        assert_eq!(found("Consent", text, &consent), expected, "{text}");
    }
    assert!(!found("Provenance", "", &consent), "another type");
}

#[test]
fn an_open_period_reaches_to_all_times_on_that_side() {
    let mut consent = consent();
    consent["provision"]["period"].as_object_mut().unwrap().remove("end");
    assert!(found("Consent", "period=gt9999", &consent));
    assert!(!found("Consent", "period=2026", &consent));
    assert!(!found("Consent", "period=lt2026", &consent));
    consent["provision"].as_object_mut().unwrap().remove("period");
    assert!(
        !found("Consent", "period=gt2000", &consent),
        "there is no period to compare with"
    );
}

#[test]
fn a_reference_of_another_type_with_the_same_id_is_none() {
    let event = json!({
        "resourceType": "AuditEvent",
        "entity": [{ "what": { "reference": "DocumentReference/a" } }, { "what": { "reference": "Patient/b" } }],
    });
    assert!(found("AuditEvent", "patient=b", &event));
    assert!(!found("AuditEvent", "patient=a", &event));
}

#[test]
fn follows_an_extension() {
    let url = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Provenance.patient";
    let of = |url: &str| {
        json!({
            "resourceType": "Provenance",
            "extension": [{ "url": url, "valueReference": { "reference": "Patient/a" } }],
        })
    };
    assert!(found("Provenance", "patient=a", &of(url)));
    assert!(!found("Provenance", "patient=b", &of(url)));
    assert!(!found("Provenance", "patient=a", &of("http://other")));
}

#[test]
fn a_codeable_concept_and_an_identifier_are_tokens() {
    let document = json!({
        "resourceType": "DocumentReference",
        "masterIdentifier": { "system": "s", "value": "1" },
        "identifier": [{ "system": "s", "value": "2" }, { "value": "3" }],
        "securityLabel": [{ "coding": [{ "system": "c", "code": "7" }] }],
    });
    for (text, expected) in [
        ("identifier=s|1", true),
        ("identifier=2", true),
        ("identifier=|3", true),
        ("identifier=|2", false),
        ("security-label=c|7", true),
        ("security-label=8", false),
    ] {
        assert_eq!(found("DocumentReference", text, &document), expected, "{text}");
    }
}
