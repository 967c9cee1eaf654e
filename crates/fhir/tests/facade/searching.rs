//! From a search to its Bundle.

use medlock_fhir::facade::facts::{Read, Status, Version};
use medlock_fhir::facade::search::{Handling, Query, Summary, matches, parse, resource, searchset, trim};
use medlock_fhir::facade::{audit_event, consent, document_reference, provenance, standing_consent};
use serde_json::{Value, json};

use crate::support::{ETREAT, NOW, at, grant, read, site, standing, version};

fn query(name: &str, text: &str) -> Query {
    parse(resource(name).unwrap(), text, Handling::Lenient, &site(), NOW).unwrap_or_else(|e| panic!("{text}: {e:?}"))
}

fn links(bundle: &Value) -> Vec<(&str, &str)> {
    let links = bundle["link"].as_array().unwrap().iter();
    links
        .map(|link| (link["relation"].as_str().unwrap(), link["url"].as_str().unwrap()))
        .collect()
}

#[test]
fn our_resources_are_found_by_what_they_say() {
    let chart = "5a".repeat(32);
    let consent = consent(&grant(), &site(), NOW).unwrap();
    let document = document_reference(&version(), &site()).unwrap();
    let provenance = provenance(&version(), &site());
    let mut emergency = read();
    (emergency.reason, emergency.purpose) = (medlock_abi::terms::reason::EMERGENCY, ETREAT);
    let (read, emergency) = (audit_event(&read(), &site()), audit_event(&emergency, &site()));
    let did = |byte: &str| format!("urn:ietf:rfc:3986|did:pkh:eip155:421614:0x{}", byte.repeat(20));
    for (of, text, expected) in [
        (&consent, format!("patient={chart}&status=active&purpose=TREAT"), true),
        (&consent, format!("patient=Patient/{}", "00".repeat(32)), false),
        (&consent, format!("actor:identifier={}", did("0c")), true),
        (&consent, format!("actor:identifier={}", did("0d")), false),
        (&consent, "purpose=HRESCH".to_owned(), false),
        (&consent, "period=gt2026-05-03T10:16:39Z".to_owned(), false),
        (&consent, "period=gt2026-05-03T10:16:38Z".to_owned(), true),
        (
            &document,
            format!("patient={chart}&status=current&date=2026-05-03"),
            true,
        ),
        (
            &document,
            format!("identifier=urn:medlock:fhir:record|{chart}.{}", "4e".repeat(32)),
            true,
        ),
        (&document, format!("author:identifier={}", did("0a")), true),
        (
            &document,
            "security-label=urn:medlock:fhir:compartment|15".to_owned(),
            true,
        ),
        (&document, "security-label=14".to_owned(), false),
        (
            &provenance,
            format!("patient={chart}&target=DocumentReference/110.7&recorded=ge2026"),
            true,
        ),
        (&provenance, "target=110.8".to_owned(), false),
        (&provenance, format!("agent:identifier={}", did("0a")), true),
        (
            &read,
            format!(
                "patient={chart}&date=2026-05-03&purpose=TREAT&agent:identifier={}",
                did("0b")
            ),
            true,
        ),
        (&read, "purpose=BTG".to_owned(), false),
        (&emergency, "purpose=BTG".to_owned(), true),
        (&emergency, "purpose=ETREAT".to_owned(), true),
    ] {
        let query = query(of["resourceType"].as_str().unwrap(), &text);
        assert_eq!(matches(&query, of), expected, "{text}");
    }
}

#[test]
fn a_version_stands_as_its_record_does() {
    let status = |status, latest| {
        let version = Version {
            status,
            latest,
            ..version()
        };
        document_reference(&version, &site()).map(|document| document["status"].clone())
    };
    assert_eq!(status(Status::Current, true), Some(json!("current")));
    assert_eq!(status(Status::Current, false), Some(json!("superseded")));
    assert_eq!(status(Status::EnteredInError, true), Some(json!("entered-in-error")));
    assert_eq!(status(Status::EnteredInError, false), Some(json!("entered-in-error")));
    assert_eq!(status(Status::Shredded, true), None, "nothing is left to point to");
    let document = document_reference(&version(), &site()).unwrap();
    assert_eq!(at(&document, "/relatesTo/0/code"), "replaces");
    assert_eq!(
        at(&document, "/relatesTo/0/target/reference"),
        "DocumentReference/100.1"
    );
    let url = format!(
        "https://gw.example/v1/charts/0x{}/records/0x{}/versions/2/payload",
        "5a".repeat(32),
        "4e".repeat(32)
    );
    assert_eq!(at(&document, "/content/0/attachment/url"), &json!(url));
}

#[test]
fn authorship_names_author_organisation_and_event() {
    let provenance = provenance(&version(), &site());
    let did = |byte: &str| json!(format!("did:pkh:eip155:421614:0x{}", byte.repeat(20)));
    assert_eq!(at(&provenance, "/agent/0/who/identifier/value"), &did("0a"));
    assert_eq!(at(&provenance, "/agent/0/who/type"), "Practitioner");
    assert_eq!(at(&provenance, "/agent/0/onBehalfOf/identifier/value"), &did("0c"));
    assert_eq!(at(&provenance, "/target/0/reference"), "DocumentReference/110.7");
    assert_eq!(
        at(&provenance, "/entity/0/what/identifier/value"),
        &json!(format!("{}.7", "99".repeat(32)))
    );
    assert_eq!(at(&provenance, "/entity/1/role"), "revision");
    assert_eq!(at(&provenance, "/activity/coding/0/code"), "UPDATE");
    let first = medlock_fhir::facade::provenance(
        &Version {
            previous: None,
            ..version()
        },
        &site(),
    );
    assert_eq!(at(&first, "/activity/coding/0/code"), "CREATE");
}

#[test]
fn a_read_names_reader_organisation_gateway_data_receipt_and_consent() {
    let event = audit_event(&read(), &site());
    assert_eq!(event["id"], format!("{}.{}", "60".repeat(20), u64::MAX));
    assert!(event["id"].as_str().unwrap().len() <= 64);
    assert_eq!(at(&event, "/type/code"), "110106");
    assert_eq!(at(&event, "/agent/0/requestor"), &json!(true));
    assert_eq!(at(&event, "/agent/0/who/type"), "Practitioner");
    assert_eq!(
        (
            at(&event, "/agent/1/who/type"),
            at(&event, "/agent/1/who/identifier/value")
        ),
        (
            &json!("Organization"),
            &json!(format!("did:pkh:eip155:421614:0x{}", "0c".repeat(20)))
        )
    );
    assert_eq!(at(&event, "/agent/1/requestor"), &json!(false));
    assert_eq!(at(&event, "/agent/2/network/address"), "https://gw.example");
    assert_eq!(
        at(&event, "/entity/0/what/reference"),
        &json!(format!("Patient/{}", "5a".repeat(32)))
    );
    assert_eq!(at(&event, "/entity/1/what/reference"), "DocumentReference/110.7");
    assert_eq!(at(&event, "/entity/2/what/identifier/value"), &json!("3a".repeat(32)));
    assert_eq!(at(&event, "/entity/3/what/reference"), "Consent/120.4");
    assert_eq!(
        (&event["recorded"], at(&event, "/period/start")),
        (&json!("2026-05-03T10:00:00Z"), &json!("2026-05-03T09:59:59Z"))
    );
    let own = Read {
        organisation: None,
        reason: medlock_abi::terms::reason::CONTROLLER,
        grant_place: None,
        ..read()
    };
    let own = audit_event(&own, &site());
    assert_eq!(
        (at(&own, "/type/code"), own["subtype"].as_array().unwrap().len()),
        (&json!("rest"), 1),
        "no disclosure"
    );
    assert_eq!(own["agent"].as_array().unwrap().len(), 2);
}

#[test]
fn a_page_links_to_itself_and_the_next_and_both_can_be_asked_for() {
    let chart = "5a".repeat(32);
    let text = format!(
        "patient={chart}&purpose=http%3A%2F%2Fa%7CTREAT,x&period=ge2026-05-03T10:00:00%2B02:00&_count=2&teeth=1"
    );
    let query_1 = query("Consent", &text);
    let page = vec![consent(&grant(), &site(), NOW).unwrap()];
    let bundle = searchset(&query_1, &site(), page, Some("120.4"), Some(99));
    let links = links(&bundle);
    let [("self", this), ("next", next)] = links[..] else {
        panic!("{links:?}")
    };
    assert!(!this.contains("teeth"), "self is what was understood: {this}");
    let again = |url: &str| query("Consent", url.strip_prefix("https://gw.example/fhir/Consent?").unwrap());
    assert_eq!(
        again(this),
        Query {
            ignored: Vec::new(),
            ..query_1.clone()
        }
    );
    let next = again(next);
    assert_eq!(next.after.as_deref(), Some("120.4"));
    assert_eq!(next.filters, query_1.filters);
    assert_eq!(bundle["total"], json!(null), "nobody asked");
    assert_eq!(at(&bundle, "/entry/0/fullUrl"), "https://gw.example/fhir/Consent/120.4");
    assert_eq!(at(&bundle, "/entry/0/search/mode"), "match");
    assert_eq!(at(&bundle, "/entry/1/search/mode"), "outcome");
    assert_eq!(at(&bundle, "/entry/1/resource/issue/0/location/0"), "http.teeth");
}

#[test]
fn the_last_page_has_no_next_and_an_empty_one_no_entries() {
    let bundle = searchset(&query("Consent", "_total=accurate"), &site(), Vec::new(), None, Some(0));
    assert_eq!(links(&bundle).len(), 1);
    assert_eq!((&bundle["total"], &bundle["entry"]), (&json!(0), &json!(null)));
    let count = searchset(&query("Consent", "_summary=count"), &site(), Vec::new(), None, Some(3));
    assert_eq!((&count["total"], &count["entry"]), (&json!(3), &json!(null)));
    assert_eq!(
        links(&count),
        [("self", "https://gw.example/fhir/Consent?_summary=count&_total=accurate")]
    );
}

#[test]
fn less_than_the_whole_is_tagged() {
    let of = |text: &str| trim(&query("Consent", text), consent(&grant(), &site(), NOW).unwrap());
    let names = |resource: &Value| resource.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let whole = consent(&grant(), &site(), NOW).unwrap();
    for same in ["", "_summary=false", "_summary=data"] {
        assert_eq!(of(same), whole, "{same}");
    }
    let elements = of("_elements=patient");
    let mut kept = names(&elements);
    kept.sort();
    assert_eq!(
        kept,
        ["category", "id", "meta", "patient", "resourceType", "scope", "status"]
    );
    assert_eq!(at(&elements, "/meta/tag/0/code"), "SUBSETTED");
    assert!(at(&elements, "/meta/lastUpdated").is_string());
    let summary = of("_summary=true");
    assert!(summary["extension"].is_null() && summary["policy"].is_null() && summary["provision"].is_object());
    assert_eq!(query("Consent", "_summary=text").summary, Summary::Text);
    assert!(of("_summary=text")["patient"].is_null());
}

#[test]
fn a_standing_consent_is_found_beside_grants_but_not_by_actor() {
    let standing = standing_consent(&standing(), &site()).unwrap();
    assert!(matches(
        &query("Consent", &format!("patient={}", "5a".repeat(32))),
        &standing
    ));
    let text = format!("actor:identifier=did:pkh:eip155:421614:0x{}", "0c".repeat(20));
    assert!(!matches(&query("Consent", &text), &standing));
}
