//! Every kind of resource that is made here, by a validator of others: fhir.resources 6.4, which is FHIR R4 (4.0.1).

use medlock_abi::terms::reason;
use medlock_fhir::facade::facts::Status;
use medlock_fhir::facade::search::{Handling, parse, resource, searchset};
use medlock_fhir::facade::{
    Code, Issue, Operation, Outcome, Severity, audit_event, capability_statement, consent, document_reference,
    operation_consent, patient, provenance, read_operation, standing_consent, to_json,
};
use medlock_peers::fhir_faults;
use serde_json::{Value, json};

use crate::support::{CHART, ETREAT, NOW, Random, grant, operation, read, site, standing, version};

/// What is wrong with each.
fn faults(resources: &[Value]) -> Vec<Vec<String>> {
    let texts: Vec<_> = resources.iter().map(|resource| to_json(resource.clone())).collect();
    fhir_faults(&texts)
}

/// One of each kind, in each shape that it has.
fn all() -> Vec<Value> {
    let site = site();
    let mut resources = vec![patient(&CHART), capability_statement(&site, "0.1.0", NOW)];
    resources.push(consent(&grant(), &site, NOW).unwrap());
    resources.push(standing_consent(&standing(), &site).unwrap());
    let mut random = Random(3);
    resources.extend((0..200).map(|_| consent(&random.grant(), &site, NOW).unwrap()));
    for signature in [None, Some(vec![1; 65])] {
        let operation = Operation {
            signature,
            ..operation()
        };
        resources.push(operation_consent(&operation, &site).unwrap());
    }
    for status in [Status::Current, Status::EnteredInError] {
        for (latest, is_first) in [(true, false), (false, true)] {
            let mut version = version();
            (version.status, version.latest) = (status, latest);
            if is_first {
                (version.previous, version.organisation) = (None, None);
            }
            resources.push(document_reference(&version, &site).unwrap());
            resources.push(provenance(&version, &site));
        }
    }
    for reason in [
        reason::CONTROLLER,
        reason::GRANT,
        reason::DELEGATE,
        reason::EMERGENCY,
        reason::RULE,
    ] {
        let mut read = read();
        read.reason = reason;
        if reason == reason::EMERGENCY {
            read.purpose = ETREAT;
        }
        if reason != reason::GRANT {
            (read.grant_place, read.version_place, read.compartment) = (None, None, None);
        }
        resources.push(audit_event(&read, &site));
    }
    let mut outcome = Outcome::default();
    for code in Code::ALL {
        for severity in [Severity::Error, Severity::Warning] {
            outcome.push(Issue {
                severity,
                code,
                expression: Some("Consent.status".to_owned()),
                diagnostics: "x".to_owned(),
            });
        }
    }
    resources.push(outcome.to_resource());
    resources.push(read_operation(b"{}", &site).unwrap_err().to_resource());
    resources.extend(bundles());
    resources
}

fn bundles() -> Vec<Value> {
    let site = site();
    let of = |text: &str| parse(resource("Consent").unwrap(), text, Handling::Lenient, &site, NOW);
    let bundle = |text: &str, page: Vec<Value>| searchset(&of(text).unwrap(), &site, page, Some("120.4"), Some(7));
    let page = || {
        vec![
            consent(&grant(), &site, NOW).unwrap(),
            standing_consent(&standing(), &site).unwrap(),
        ]
    };
    vec![
        bundle("", page()),
        bundle("_total=accurate&status=active&teeth=1", page()),
        bundle("_summary=true", page()),
        bundle("_elements=patient", page()),
        bundle("_summary=count", Vec::new()),
        of("patient=!").unwrap_err().to_resource(),
    ]
}

#[test]
fn every_kind_of_resource_is_valid() {
    let resources = all();
    for (resource, faults) in resources.iter().zip(faults(&resources)) {
        // A subset of a resource need not have what an invariant asks for: it is tagged as one.
        let faults: Vec<_> = faults
            .into_iter()
            .filter(|_| resource["meta"]["tag"].is_null())
            .collect();
        assert!(faults.is_empty(), "{faults:#?}\n{resource:#}");
    }
    let kinds: std::collections::BTreeSet<_> = resources
        .iter()
        .map(|resource| resource["resourceType"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds.into_iter().collect::<Vec<_>>(),
        [
            "AuditEvent",
            "Bundle",
            "CapabilityStatement",
            "Consent",
            "DocumentReference",
            "OperationOutcome",
            "Patient",
            "Provenance"
        ]
    );
}

#[test]
fn the_validator_refuses_what_is_wrong() {
    let site = site();
    let consent = || consent(&grant(), &site, NOW).unwrap();
    let event = || audit_event(&read(), &site);
    let document = || document_reference(&version(), &site).unwrap();
    let provenance = || provenance(&version(), &site);
    let capability = || capability_statement(&site, "0.1.0", NOW);
    let bundle = || bundles().swap_remove(0);
    let outcome = || Outcome::error(Code::Value, "x").to_resource();
    let edits: Vec<(Value, &str, Value)> = vec![
        (consent(), "/status", json!("agreed")),
        (consent(), "/scope", Value::Null),
        (consent(), "/policy", Value::Null),
        (consent(), "/teeth", json!(1)),
        (consent(), "/id", json!("a b")),
        (consent(), "/dateTime", json!("3 May")),
        (consent(), "/patient/reference", json!("Device/1")),
        (consent(), "/provision/type", json!("allow")),
        (consent(), "/provision/actor/0/role", Value::Null),
        (consent(), "/provision/actor/0/reference/type", json!("Location")),
        (consent(), "/provision/provision/0/data/0/meaning", json!("some")),
        (
            consent(),
            "/provision/period",
            json!({ "start": "2026-02-01", "end": "2026-01-01" }),
        ),
        (consent(), "/extension/0/valueString", json!("both")),
        (event(), "/action", json!("X")),
        (event(), "/recorded", Value::Null),
        (event(), "/source/observer", Value::Null),
        (event(), "/agent/0/requestor", json!("yes")),
        (event(), "/agent/2/network/type", json!("9")),
        (document(), "/status", json!("final")),
        (document(), "/content", json!([])),
        (document(), "/relatesTo/0/code", json!("amends")),
        (document(), "/custodian/type", json!("Device")),
        (provenance(), "/target", Value::Null),
        (provenance(), "/entity/0/role", json!("cause")),
        (provenance(), "/agent/0/who", Value::Null),
        (capability(), "/kind", json!("server")),
        (capability(), "/implementation", Value::Null),
        (capability(), "/rest/0/resource/0/interaction/0/code", json!("seek")),
        (capability(), "/rest/0/resource/0/searchParam/1/name", json!("_id")),
        (patient(&CHART), "/gender", json!("x")),
        (patient(&CHART), "/name", json!("Jane")),
        (bundle(), "/type", json!("search")),
        (bundle(), "/type", json!("collection")),
        (
            bundle(),
            "/entry/1/fullUrl",
            json!(format!("{}/Consent/120.4", site.base)),
        ),
        (bundle(), "/entry/0/search/mode", json!("hit")),
        (outcome(), "/issue/0/code", json!("oops")),
        (outcome(), "/issue", Value::Null),
    ];
    let bad: Vec<_> = edits
        .iter()
        .map(|(good, pointer, value)| {
            let mut bad = good.clone();
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            let parent = bad.pointer_mut(parent).unwrap().as_object_mut().unwrap();
            match value {
                Value::Null => drop(parent.remove(name).unwrap()),
                value => drop(parent.insert(name.to_owned(), value.clone())),
            }
            bad
        })
        .collect();
    for ((good, pointer, value), faults) in edits.iter().zip(faults(&bad)) {
        assert!(
            !faults.is_empty(),
            "{} with {pointer} = {value} passes",
            good["resourceType"]
        );
    }
}
