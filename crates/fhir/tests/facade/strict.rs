//! A Consent that says what a grant cannot is refused, where it says so.

use medlock_fhir::facade::{CONSENT_BYTES_MAX, Code, consent, operation_consent, read_grant, read_operation, to_json};
use serde_json::{Value, json};

use crate::support::{NOW, grant, operation, site};

fn faults(consent: &Value) -> Vec<(Code, String)> {
    let outcome = read_operation(to_json(consent.clone()).as_bytes(), &site()).unwrap_err();
    let issues = outcome.issues().iter();
    issues
        .map(|issue| (issue.code, issue.expression.clone().unwrap_or_default()))
        .collect()
}

/// With `value` at the JSON pointer; null removes what is there.
fn with(pointer: &str, value: Value) -> Value {
    let consent = operation_consent(&operation(), &site()).unwrap();
    medlock_mutate::with(consent, pointer, value)
}

#[test]
fn what_the_server_sets_may_be_there() {
    for (name, value) in [
        ("/id", json!("draft-1")),
        ("/meta", json!({ "versionId": "1" })),
        ("/dateTime", json!("2026-05-03")),
    ] {
        let consent = with(name, value);
        assert_eq!(read_operation(to_json(consent).as_bytes(), &site()), Ok(operation()));
    }
    let absolute = format!("https://gw.example/fhir/Patient/{}", "5a".repeat(32));
    let consent = with("/patient/reference", json!(absolute));
    assert_eq!(read_operation(to_json(consent).as_bytes(), &site()), Ok(operation()));
    let consent = with("/scope/coding/0/display", json!("any words"));
    assert_eq!(read_operation(to_json(consent).as_bytes(), &site()), Ok(operation()));
}

#[test]
fn each_element_that_a_grant_cannot_say_is_refused_by_its_path() {
    let concept = json!([{ "coding": [{ "system": "http://loinc.org", "code": "1" }] }]);
    for (pointer, value, path) in [
        (
            "/organization",
            json!([{ "reference": "Organization/1" }]),
            "Consent.organization",
        ),
        (
            "/sourceReference",
            json!({ "reference": "DocumentReference/1" }),
            "Consent.sourceReference",
        ),
        ("/policyRule", json!({ "text": "x" }), "Consent.policyRule"),
        ("/verification", json!([{ "verified": true }]), "Consent.verification"),
        (
            "/text",
            json!({ "status": "generated", "div": "<div/>" }),
            "Consent.text",
        ),
        ("/contained", json!([]), "Consent.contained"),
        ("/modifierExtension", json!([]), "Consent.modifierExtension"),
        ("/identifier", json!([]), "Consent.identifier"),
        ("/_status", json!({}), "Consent.status"),
        ("/provision/dataPeriod", json!({}), "Consent.provision.dataPeriod"),
        ("/provision/class", json!([]), "Consent.provision.class"),
        ("/provision/code", concept, "Consent.provision.code"),
        ("/provision/data", json!([]), "Consent.provision.data"),
        ("/provision/provision", json!([]), "Consent.provision.provision"),
        ("/provision/extension", json!([]), "Consent.provision.extension"),
        (
            "/provision/purpose/0/version",
            json!("1"),
            "Consent.provision.purpose[0].version",
        ),
        (
            "/provision/action/0/text",
            json!("x"),
            "Consent.provision.action[0].text",
        ),
        ("/provision/actor/0/id", json!("x"), "Consent.provision.actor[0].id"),
        ("/provision/period/id", json!("x"), "Consent.provision.period.id"),
        ("/patient/display", json!("Jane Doe"), "Consent.patient.display"),
        ("/patient/identifier", json!({}), "Consent.patient.identifier"),
        ("/policy/0/authority", json!("urn:x"), "Consent.policy[0].authority"),
    ] {
        assert_eq!(
            faults(&with(pointer, value)),
            [(Code::NotSupported, path.to_owned())],
            "{pointer}"
        );
    }
}

#[test]
fn each_element_that_a_grant_needs_is_asked_for_by_its_path() {
    for (pointer, path) in [
        ("/resourceType", "Consent.resourceType"),
        ("/status", "Consent.status"),
        ("/scope", "Consent.scope"),
        ("/category", "Consent.category"),
        ("/patient", "Consent.patient"),
        ("/policy", "Consent.policy"),
        ("/extension", "Consent.extension"),
        ("/provision", "Consent.provision"),
        ("/provision/type", "Consent.provision.type"),
        ("/provision/actor", "Consent.provision.actor"),
        ("/provision/actor/0/role", "Consent.provision.actor[0].role"),
        ("/provision/actor/0/reference", "Consent.provision.actor[0].reference"),
        (
            "/provision/actor/0/reference/type",
            "Consent.provision.actor[0].reference.type",
        ),
        (
            "/provision/actor/0/reference/identifier/value",
            "Consent.provision.actor[0].reference.identifier.value",
        ),
        ("/provision/securityLabel", "Consent.provision.securityLabel"),
        ("/provision/purpose", "Consent.provision.purpose"),
        ("/provision/action", "Consent.provision.action"),
        ("/provision/purpose/0/system", "Consent.provision.purpose[0].system"),
    ] {
        let faults = faults(&with(pointer, Value::Null));
        assert!(
            faults.contains(&(Code::Required, path.to_owned())),
            "{pointer}: {faults:?}"
        );
    }
}

#[test]
fn each_value_of_another_meaning_is_refused_by_its_path() {
    let reason = "http://terminology.hl7.org/CodeSystem/v3-ActReason";
    let other_account = format!("did:pkh:eip155:1:0x{}", "0c".repeat(20));
    for (pointer, value, code, path) in [
        ("/status", json!("draft"), Code::Value, "Consent.status"),
        ("/status", json!("proposed"), Code::Value, "Consent.status"),
        (
            "/scope/coding/0/code",
            json!("research"),
            Code::CodeInvalid,
            "Consent.scope",
        ),
        (
            "/category/0/coding/0/code",
            json!("1-1"),
            Code::CodeInvalid,
            "Consent.category[0]",
        ),
        (
            "/patient/reference",
            json!("Patient/1"),
            Code::Value,
            "Consent.patient.reference",
        ),
        (
            "/patient/reference",
            json!(format!("Patient/{}", "5A".repeat(32))),
            Code::Value,
            "Consent.patient.reference",
        ),
        (
            "/patient/reference",
            json!(7),
            Code::Structure,
            "Consent.patient.reference",
        ),
        ("/policy/0/uri", json!("urn:x"), Code::Value, "Consent.policy[0].uri"),
        ("/provision/type", json!("deny"), Code::Value, "Consent.provision.type"),
        (
            "/provision/period/end",
            json!("2026-05-04"),
            Code::Value,
            "Consent.provision.period.end",
        ),
        (
            "/provision/period/end",
            json!("2026-05-04T10:00:00"),
            Code::Value,
            "Consent.provision.period.end",
        ),
        (
            "/provision/period/end",
            json!("2026-05-04T10:00:00.5Z"),
            Code::Value,
            "Consent.provision.period.end",
        ),
        (
            "/provision/period/end",
            json!("2026-05-01T10:00:00Z"),
            Code::Value,
            "Consent.provision.period",
        ),
        (
            "/provision/purpose/0/code",
            json!("BTG"),
            Code::CodeInvalid,
            "Consent.provision.purpose[0]",
        ),
        (
            "/provision/purpose/-",
            json!({ "system": reason, "code": "TREAT" }),
            Code::Value,
            "Consent.provision.purpose[1]",
        ),
        (
            "/provision/purpose/-",
            json!({ "system": "urn:medlock:fhir:purpose-bit", "code": "9" }),
            Code::CodeInvalid,
            "Consent.provision.purpose",
        ),
        (
            "/provision/action/0/coding/0/code",
            json!("correct"),
            Code::CodeInvalid,
            "Consent.provision.action[0]",
        ),
        (
            "/provision/securityLabel/0/code",
            json!("64"),
            Code::CodeInvalid,
            "Consent.provision.securityLabel[0]",
        ),
        (
            "/provision/securityLabel/0/system",
            json!("http://terminology.hl7.org/CodeSystem/v3-Confidentiality"),
            Code::CodeInvalid,
            "Consent.provision.securityLabel[0]",
        ),
        (
            "/provision/actor/0/role/coding/0/code",
            json!("AUT"),
            Code::CodeInvalid,
            "Consent.provision.actor[0].role",
        ),
        (
            "/provision/actor/0/reference/identifier/value",
            json!(other_account),
            Code::Value,
            "Consent.provision.actor[0].reference.identifier.value",
        ),
        (
            "/provision/actor/0/reference/type",
            json!("Group"),
            Code::Value,
            "Consent.provision.actor[0].reference.type",
        ),
        (
            "/extension/0/url",
            json!("urn:x"),
            Code::Value,
            "Consent.extension[0].url",
        ),
        (
            "/extension/0/extension/0/url",
            json!("x"),
            Code::Extension,
            "Consent.extension[0].extension[0]",
        ),
        (
            "/extension/0/extension/2/valueString",
            json!("256"),
            Code::Value,
            "Consent.extension[0].extension[2].value",
        ),
        (
            "/extension/0/extension/2/valueString",
            json!("01"),
            Code::Value,
            "Consent.extension[0].extension[2].value",
        ),
        (
            "/extension/0/extension/6/valueString",
            json!("0x07"),
            Code::Value,
            "Consent.extension[0].extension[6].value",
        ),
        (
            "/extension/0/extension/6/valueString",
            json!("07".repeat(4097)),
            Code::Value,
            "Consent.extension[0].extension[6].value",
        ),
    ] {
        let faults = faults(&with(pointer, value));
        assert!(faults.contains(&(code, path.to_owned())), "{pointer}: {faults:?}");
    }
    let twice = with("/provision/actor/-", json!({}));
    assert!(faults(&twice).contains(&(Code::NotSupported, "Consent.provision.actor".to_owned())));
}

#[test]
fn what_is_no_json_or_too_much_of_it_is_refused_whole() {
    let code = |text: &[u8]| read_operation(text, &site()).unwrap_err().issues()[0].code;
    assert_eq!(code(b""), Code::Structure);
    assert_eq!(code(b"<Consent/>"), Code::Structure);
    assert_eq!(code(b"[]"), Code::Structure);
    assert_eq!(code(b"{\"a\":1,\"a\":1}"), Code::Structure);
    assert_eq!(code(b"\xff"), Code::Structure);
    assert_eq!(code("[".repeat(100_000).as_bytes()), Code::Structure);
    assert_eq!(code(&vec![b' '; CONSENT_BYTES_MAX + 1]), Code::TooLong);
}

#[test]
fn faults_repeat_nothing_that_was_sent() {
    for (pointer, value) in [
        ("/patient/reference", json!("Jane Doe")),
        ("/Jane Doe", json!(1)),
        ("/status", json!("Jane Doe")),
        ("/provision/purpose/0/code", json!("Jane Doe")),
        ("/extension/0/extension/0/url", json!("Jane Doe")),
        ("/extension/0/extension/2/valueString", json!("Jane Doe")),
    ] {
        let outcome = read_operation(to_json(with(pointer, value)).as_bytes(), &site()).unwrap_err();
        assert!(!format!("{outcome:?}").contains("Jane"), "{outcome:?}");
    }
}

#[test]
fn a_served_consent_that_was_altered_is_refused() {
    let good = consent(&grant(), &site(), NOW).unwrap();
    let altered = |pointer: &str, value: Value| {
        let mut consent = good.clone();
        *consent.pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer}")) = value;
        let outcome = read_grant(to_json(consent).as_bytes(), &site()).unwrap_err();
        outcome.issues()[0].expression.clone().unwrap()
    };
    let rule = "Consent.provision.provision[0]";
    assert_eq!(altered("/id", json!("1.04")), "Consent.id");
    assert_eq!(altered("/status", json!("draft")), "Consent.status");
    assert_eq!(altered("/dateTime", json!("2026")), "Consent.dateTime");
    assert_eq!(
        altered("/performer/0/reference", json!(format!("Patient/{}", "00".repeat(32)))),
        "Consent.performer[0]"
    );
    // With fewer labels the rule would add less than the chain does; with more, more.
    assert_eq!(
        altered("/provision/provision/0/securityLabel/0/code", json!("0")),
        format!("{rule}.securityLabel")
    );
    assert_eq!(
        altered("/provision/provision/0/type", json!("deny")),
        format!("{rule}.securityLabel")
    );
    let other = format!("{}.{}", "00".repeat(32), "4e".repeat(32));
    assert_eq!(
        altered("/provision/provision/0/data/0/reference/identifier/value", json!(other)),
        format!("{rule}.data[0].reference.identifier.value"),
        "another chart's record"
    );
    assert_eq!(
        altered("/provision/provision/0/data/0/meaning", json!("related")),
        format!("{rule}.data[0].meaning")
    );
    let other = format!("did:pkh:eip155:421614:0x{}", "0d".repeat(20));
    assert_eq!(
        altered(
            "/provision/provision/0/actor/0/reference/identifier/value",
            json!(other)
        ),
        format!("{rule}.actor")
    );
}
