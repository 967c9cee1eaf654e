//! What is a Claim, and what is refused, where and why.
use medlock_billing::{
    AmountError,
    fhir::{CLAIM_BYTES_MAX, Claim, Fault, ITEMS_MAX, Item, Kind, Reference, Refused, Serviced, Status, Use},
    fingerprint::ServiceError,
};
use serde_json::{Value, json};

use crate::support::{CHART, CLINIC, claim, claim_of_a_team, dollar, euro, this_licence, time, with};

fn refusal(json: &str) -> (String, Fault) {
    let Refused { path, fault } = Claim::read(json.as_bytes()).unwrap_err();
    (path, fault)
}

/// Of the claim with `value` at the JSON pointer.
fn refused(pointer: &str, value: Value) -> (String, Fault) {
    refusal(&with(&claim().write().unwrap(), pointer, value))
}

#[test]
fn what_is_written_is_read_as_the_same() {
    let mut claims = vec![claim()];
    for status in Status::ALL {
        for kind in Kind::ALL {
            for purpose in Use::ALL {
                let mut other = claim();
                (other.status, other.kind, other.purpose) = (*status, *kind, *purpose);
                claims.push(other);
            }
        }
    }
    let mut bare = claim();
    bare.items.truncate(1);
    (bare.items[0].serviced, bare.items[0].encounter) = (None, None);
    (bare.total, bare.records) = (euro(10_000), Vec::new());
    claims.push(bare);
    claims.push(claim_of_a_team());
    for claim in claims {
        assert_eq!(Claim::read(claim.write().unwrap().as_bytes()), Ok(claim));
    }
}

#[test]
fn it_is_written_in_canonical_form_with_decimals_as_they_are() {
    let json = claim().write().unwrap();
    assert!(
        json.starts_with("{\"created\":\"2026-05-04T10:00:00Z\",\"insurance\":[{\"coverage\":"),
        "{json}"
    );
    assert!(json.contains("\"quantity\":{\"value\":2.0}"), "{json}");
    assert!(
        json.contains("\"total\":{\"currency\":\"EUR\",\"value\":123.45},\"type\":"),
        "{json}"
    );
    assert!(!json.contains(": ") && !json.contains('\n'));
}

/// FHIR R4's own example of a Claim, as far as it is one here: elements that are not read, a display, an id, no total of its own.
#[test]
fn a_claim_of_another_program_is_read() {
    let json = json!({
        "resourceType": "Claim",
        "id": "100150",
        "text": { "status": "generated", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\">A claim</div>" },
        "identifier": [{ "system": "http://happyvalley.com/claim", "value": "12345" }],
        "status": "active",
        "type": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/claim-type", "code": "oral" }] },
        "use": "claim",
        "patient": { "reference": "Patient/1", "display": "A Patient" },
        "created": "2014-08-16",
        "_created": { "extension": [{ "url": "urn:x", "valueString": "x" }] },
        "insurer": { "identifier": { "system": "http://www.jurisdiction.com/insurer", "value": "555123" } },
        "provider": { "reference": "Organization/1" },
        "priority": { "coding": [{ "code": "normal" }] },
        "payee": { "type": { "coding": [{ "code": "provider" }] } },
        "careTeam": [{ "sequence": 1, "provider": { "reference": "Practitioner/example" } }],
        "diagnosis": [{ "sequence": 1, "diagnosisCodeableConcept": { "coding": [{ "code": "123456" }] } }],
        "insurance": [{ "sequence": 1, "focal": true, "coverage": { "reference": "Coverage/9876B1" } }],
        "item": [{
            "sequence": 1,
            "careTeamSequence": [1],
            "productOrService": { "coding": [{ "system": "http://example.org/fhir/oralservicecodes", "code": "1200" }] },
            "servicedDate": "2014-08-16",
            "unitPrice": { "value": 135, "currency": "USD" },
            "quantity": { "value": 2 },
        }],
    });
    let read = Claim::read(json.to_string().as_bytes()).unwrap();
    assert_eq!(read.total, dollar(27_000));
    assert_eq!((read.kind, &read.priority.system), (Kind::Oral, &None));
    assert_eq!(read.items[0].serviced, Some(Serviced::Date(time("2014-08-16"))));
    assert!(read.records.is_empty());
    assert_eq!(read.service(CLINIC), Err(ServiceError::Unnamed { field: "encounter" }));
}

#[test]
fn each_element_that_it_needs_is_asked_for_by_its_path() {
    for (pointer, path) in [
        ("/status", "Claim.status"),
        ("/type", "Claim.type"),
        ("/use", "Claim.use"),
        ("/patient", "Claim.patient"),
        ("/created", "Claim.created"),
        ("/insurer", "Claim.insurer"),
        ("/provider", "Claim.provider"),
        ("/priority", "Claim.priority"),
        ("/priority/coding/0/code", "Claim.priority.coding.code"),
        ("/patient/reference", "Claim.patient"),
        ("/insurance", "Claim.insurance"),
        ("/insurance/0/focal", "Claim.insurance[0].focal"),
        ("/insurance/0/sequence", "Claim.insurance[0].sequence"),
        ("/insurance/0/coverage", "Claim.insurance[0].coverage"),
        ("/item/0/sequence", "Claim.item[0].sequence"),
        ("/item/0/productOrService", "Claim.item[0].productOrService"),
        ("/supportingInfo/0/sequence", "Claim.supportingInfo[0].sequence"),
        ("/supportingInfo/0/category", "Claim.supportingInfo[0].category"),
        ("/total/currency", "Claim.total.currency"),
        ("/total/value", "Claim.total.value"),
    ] {
        let (at, fault) = refused(pointer, Value::Null);
        // An object of which nothing is left is empty, and not what it should be.
        let expected = if pointer == "/patient/reference" {
            Fault::Empty
        } else {
            Fault::Missing
        };
        assert_eq!((at.as_str(), fault), (path, expected), "{pointer}");
    }
    assert_eq!(refused("/item", Value::Null), ("Claim.item".to_owned(), Fault::NoItem));
    assert_eq!(
        refused("/item/1/net", Value::Null),
        ("Claim.item[1].net".to_owned(), Fault::NoNet)
    );
}

#[test]
fn what_does_not_fit_is_refused_where_it_stands() {
    let a_code = |allowed| Fault::Code { allowed };
    let a = |expected| Fault::Type { expected };
    let other_record = json!({ "identifier": { "system": "urn:medlock:fhir:record", "value": "e1.e2" } });
    for (pointer, value, path, fault) in [
        ("/status", json!("final"), "Claim.status", a_code(Status::CODES)),
        ("/use", json!("Claim"), "Claim.use", a_code(Use::CODES)),
        (
            "/type/coding/0/code",
            json!("dental"),
            "Claim.type",
            a_code(Kind::CODES),
        ),
        (
            "/type/coding/0/system",
            json!("urn:x"),
            "Claim.type",
            a_code(Kind::CODES),
        ),
        ("/created", json!("yesterday"), "Claim.created", Fault::Time),
        ("/created", json!("2026-05-04T10:00"), "Claim.created", Fault::Time),
        ("/created", json!(2026), "Claim.created", a("a text")),
        ("/patient", json!("Patient/1"), "Claim.patient", a("an object")),
        ("/patient", json!({}), "Claim.patient", Fault::Empty),
        (
            "/patient/reference",
            json!(" "),
            "Claim.patient.reference",
            Fault::Empty,
        ),
        ("/provider/nickname", json!("x"), "Claim.provider", Fault::NotR4),
        ("/teeth", json!(32), "Claim", Fault::NotR4),
        ("/_teeth", json!({}), "Claim", Fault::NotR4),
        ("/modifierExtension", json!([]), "Claim", Fault::Modifier),
        ("/implicitRules", json!("urn:x"), "Claim", Fault::Modifier),
        ("/item/0/modifierExtension", json!([]), "Claim.item[0]", Fault::Modifier),
        (
            "/insurance/0/focal",
            json!(1),
            "Claim.insurance[0].focal",
            a("true or false"),
        ),
        ("/insurance/0/focal", json!(false), "Claim.insurance", Fault::Focal),
        ("/item", json!([]), "Claim.item", Fault::Empty),
        ("/item", json!({}), "Claim.item", a("a list")),
        (
            "/item/0/sequence",
            json!(0),
            "Claim.item[0].sequence",
            a("a whole number from 1"),
        ),
        (
            "/item/0/sequence",
            json!(1.5),
            "Claim.item[0].sequence",
            a("a whole number from 1"),
        ),
        ("/item/0/sequence", json!("1"), "Claim.item[0].sequence", a("a number")),
        ("/item/1/sequence", json!(1), "Claim.item.sequence", Fault::Sequence),
        (
            "/item/0/servicedDate",
            json!("2026-05-03T10:00:00Z"),
            "Claim.item[0].servicedDate",
            Fault::Time,
        ),
        (
            "/item/1/servicedDate",
            json!("2026-05-03"),
            "Claim.item[1].servicedPeriod",
            Fault::Twice,
        ),
        (
            "/item/1/servicedPeriod/end",
            json!("2026-05-03T09:00:00+02:00"),
            "Claim.item[1].servicedPeriod",
            Fault::Backwards,
        ),
        (
            "/item/0/net/value",
            json!(-100),
            "Claim.item[0].net.value",
            AmountError::Negative.into(),
        ),
        (
            "/item/0/net/value",
            json!("100"),
            "Claim.item[0].net.value",
            a("a number"),
        ),
        (
            "/item/0/net/value",
            json!(100.125),
            "Claim.item[0].net.value",
            AmountError::Decimals { most: 2 }.into(),
        ),
        (
            "/item/0/net/value",
            json!(1e300),
            "Claim.item[0].net.value",
            AmountError::Exponent.into(),
        ),
        (
            "/item/0/net/currency",
            json!("eur"),
            "Claim.item[0].net.currency",
            AmountError::UnknownCurrency.into(),
        ),
        (
            "/item/0/net/currency",
            json!("USD"),
            "Claim.item[0].unitPrice",
            Fault::TwoCurrencies,
        ),
        ("/item/1/net/currency", json!("USD"), "Claim.item", Fault::TwoCurrencies),
        ("/total/currency", json!("USD"), "Claim.total", Fault::TwoCurrencies),
        ("/total/value", json!(123), "Claim.total", Fault::Sum),
        ("/item/0/net/value", json!(99), "Claim.item[0].net", Fault::Product),
        ("/item/0/factor", json!(0.5), "Claim.item[0].net", Fault::Product),
        (
            "/item/0/quantity/value",
            json!(-2),
            "Claim.item[0].quantity.value",
            AmountError::Negative.into(),
        ),
        (
            "/item/0/quantity/comparator",
            json!("<"),
            "Claim.item[0].quantity",
            Fault::NotR4,
        ),
        (
            "/supportingInfo/0/valueReference",
            other_record,
            "Claim.supportingInfo[0].valueReference.identifier.value",
            a("a chart and a record, each 64 lower-case hex digits, with a point between them"),
        ),
    ] {
        assert_eq!(refused(pointer, value), (path.to_owned(), fault), "{pointer}");
    }
}

#[test]
fn an_exponent_is_refused_and_a_long_decimal_is_exact() {
    let json = claim().write().unwrap();
    let exponent = json.replace("\"value\":123.45}", "\"value\":1.2345e2}");
    assert_eq!(
        refusal(&exponent),
        ("Claim.total.value".to_owned(), AmountError::Exponent.into())
    );
    // 2^53 + 1 cents: a float would make it one less.
    let exact = json.replace("\"value\":23.45}", "\"value\":90071992547409.93}");
    let exact = exact.replace("\"value\":123.45}", "\"value\":90071992547509.93}");
    assert_eq!(
        Claim::read(exact.as_bytes()).unwrap().total,
        euro(9_007_199_254_750_993)
    );
    let most = json.replace("\"value\":23.45}", "\"value\":184467440737095516.15}");
    assert_eq!(refusal(&most), ("Claim.item".to_owned(), AmountError::Overflow.into()));
}

#[test]
fn net_may_be_rounded_and_must_follow_where_it_is_absent() {
    let json = with(&claim().write().unwrap(), "/item/0/quantity/value", json!(0.333));
    let with_net = |value: Value, total: Value| {
        let json = with(&json, "/item/0/net/value", value);
        Claim::read(with(&json, "/total/value", total).as_bytes()).map(|claim| claim.total)
    };
    // 50.00 times 0.333 is 16.65.
    assert_eq!(with_net(json!(16.65), json!(40.1)), Ok(euro(4010)));
    assert!(with_net(json!(16.66), json!(40.11)).is_err());
    let json = with(&json, "/item/0/net", Value::Null);
    assert_eq!(
        Claim::read(with(&json, "/total", Value::Null).as_bytes())
            .unwrap()
            .total,
        euro(4010)
    );
    let odd = with(&json, "/item/0/quantity/value", json!(0.33333));
    assert_eq!(refusal(&odd), ("Claim.item[0].net".to_owned(), Fault::NoNet));
}

#[test]
fn what_two_readers_would_read_differently_is_refused() {
    let json = claim().write().unwrap();
    let twice = json.replacen(
        "\"total\":",
        "\"total\":{\"currency\":\"EUR\",\"value\":1},\"total\":",
        1,
    );
    assert_eq!(refusal(&twice), ("Claim".to_owned(), Fault::Twice));
    // The same name in another spelling.
    let escaped = json.replacen(
        "\"total\":",
        "\"tot\\u0061l\":{\"currency\":\"EUR\",\"value\":1},\"total\":",
        1,
    );
    assert_eq!(refusal(&escaped), ("Claim".to_owned(), Fault::Twice));
    assert_eq!(refusal(&format!("{json}{json}")), ("Claim".to_owned(), Fault::NotJson));
    assert_eq!(refusal(&json[..json.len() - 1]), ("Claim".to_owned(), Fault::NotJson));
    assert_eq!(
        refusal(&format!("\u{feff}{json}")),
        ("Claim".to_owned(), Fault::NotJson)
    );
}

#[test]
fn another_resource_is_no_claim() {
    let other = Fault::OtherResource { expected: "Claim" };
    for json in ["{\"resourceType\":\"ClaimResponse\"}", "{\"status\":\"active\"}"] {
        assert_eq!(refusal(json), ("Claim".to_owned(), other));
    }
    assert_eq!(
        refusal("[]"),
        ("Claim".to_owned(), Fault::Type { expected: "an object" })
    );
    assert_eq!(refusal("{}"), ("Claim".to_owned(), Fault::Empty));
}

#[test]
fn it_has_bounds() {
    let long = " ".repeat(CLAIM_BYTES_MAX + 1);
    assert_eq!(
        refusal(&long).1,
        Fault::TooLarge {
            bytes_max: CLAIM_BYTES_MAX
        }
    );
    let mut claim = claim();
    let item = claim.items[0].clone();
    claim.items = (1..=ITEMS_MAX as u32 + 1)
        .map(|sequence| Item {
            sequence,
            ..item.clone()
        })
        .collect();
    claim.total = euro(10_000 * (ITEMS_MAX as u64 + 1));
    assert_eq!(claim.write().unwrap_err().fault, Fault::TooMany { most: ITEMS_MAX });
}

#[test]
fn what_cannot_stand_in_a_claim_is_not_written() {
    let mut other = claim();
    other.patient.reference = Some(String::new());
    assert_eq!(other.write().unwrap_err().path, "Claim.patient.reference");
    let mut other = claim();
    other.total = euro(1);
    assert_eq!(other.write().unwrap_err().fault, Fault::Sum);
    let mut other = claim();
    other.items.clear();
    assert_eq!(other.write().unwrap_err().fault, Fault::NoItem);
}

#[test]
fn no_refusal_repeats_what_was_sent() {
    let json = claim().write().unwrap();
    for (pointer, value) in [
        ("/status", json!("Jane Doe")),
        ("/Jane Doe", json!(1)),
        ("/created", json!("Jane Doe")),
        ("/total/currency", json!("Jane Doe")),
        ("/patient/Jane Doe", json!(1)),
    ] {
        let refused = Claim::read(with(&json, pointer, value).as_bytes()).unwrap_err();
        assert!(!format!("{refused} {refused:?}").contains("Jane"), "{refused}");
    }
}

#[test]
fn what_a_care_team_lacks_is_asked_for_by_its_path() {
    let json = claim_of_a_team().write().unwrap();
    for (pointer, value, path, fault) in [
        (
            "/careTeam/1/sequence",
            Value::Null,
            "Claim.careTeam[1].sequence",
            Fault::Missing,
        ),
        (
            "/careTeam/1/provider",
            Value::Null,
            "Claim.careTeam[1].provider",
            Fault::Missing,
        ),
        (
            "/careTeam/1/sequence",
            json!(1),
            "Claim.careTeam.sequence",
            Fault::Sequence,
        ),
        ("/careTeam/1/name", json!("x"), "Claim.careTeam[1]", Fault::NotR4),
        (
            "/item/0/careTeamSequence/0",
            json!("1"),
            "Claim.item[0].careTeamSequence[0]",
            Fault::Type { expected: "a number" },
        ),
    ] {
        assert_eq!(
            refusal(&with(&json, pointer, value)),
            (path.to_owned(), fault),
            "{pointer}"
        );
    }
}

fn performers(claim: &Claim, item: usize) -> Vec<String> {
    claim.performers(&claim.items[item], CLINIC).into_iter().collect()
}

#[test]
fn who_rendered_an_item_is_whom_it_names_of_the_team_and_no_supervisor() {
    let team = claim_of_a_team();
    assert_eq!(performers(&team, 0), ["urn:licences|surgeon"]);
    assert_eq!(performers(&team, 1), ["urn:licences|assistant"]);
    let mut both = team.clone();
    both.items[0].care_team = vec![1, 2, 9];
    assert_eq!(performers(&both, 0), ["urn:licences|assistant", "urn:licences|surgeon"]);
    // Which of two it was is not said.
    both.items[0].care_team = vec![];
    assert_eq!(performers(&both, 0), Vec::<String>::new());
    both.care_team.remove(1);
    assert_eq!(performers(&both, 0), ["urn:licences|surgeon"]);
    // A team of organisations has nobody in it.
    both.care_team[0].provider = both.provider.clone();
    assert_eq!(performers(&both, 0), Vec::<String>::new());
}

#[test]
fn without_a_team_the_provider_rendered_it_if_it_is_a_person() {
    let mut alone = claim();
    assert_eq!(
        performers(&alone, 0),
        Vec::<String>::new(),
        "an organisation is in many places"
    );
    alone.provider = Reference::logical("Practitioner", this_licence("42"));
    assert_eq!(performers(&alone, 0), ["urn:licences|42"]);
    alone.provider = Reference::literal("Practitioner/7");
    assert_eq!(performers(&alone, 0), [format!("{CLINIC}|Practitioner/7")]);
    alone.provider = Reference::literal("#me");
    assert_eq!(performers(&alone, 0), Vec::<String>::new());
}

#[test]
fn a_service_that_stands_in_two_items_is_seen() {
    let mut twice = claim();
    assert_eq!(twice.repeated(CLINIC), None);
    assert_eq!(twice.services(CLINIC).len(), 2);
    twice.items.push(Item {
        sequence: 7,
        ..twice.items[1].clone()
    });
    assert_eq!(twice.repeated(CLINIC), Some((2, 7)));
    // What names no encounter can be compared with nothing.
    twice.items[2].encounter = None;
    assert_eq!(twice.repeated(CLINIC), None);
    assert_eq!(twice.services(CLINIC).into_keys().collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn the_service_is_that_of_the_lowest_sequence() {
    let mut other = claim();
    other.items.reverse();
    assert_eq!(other.service(CLINIC), claim().service(CLINIC));
    let service = claim().service(CLINIC).unwrap();
    assert_eq!(
        (
            service.encounter(),
            service.system(),
            service.code(),
            service.day().as_str()
        ),
        ("Encounter/7", "http://loinc.org", "718-7", "2026-05-03")
    );
    // The code with a system counts, and the first day of a period.
    other.items.truncate(1);
    other.items[0].codes[0].system = None;
    assert_eq!(other.service(CLINIC), Err(ServiceError::Unnamed { field: "code" }));
    other.items[0].codes = claim().items[1].codes.clone();
    assert_eq!(other.service(CLINIC).unwrap().day().as_str(), "2026-05-03");
    other.items[0].serviced = Some(Serviced::Date(time("2026-05")));
    assert_eq!(other.service(CLINIC), Err(ServiceError::Unnamed { field: "day" }));
    assert_eq!(claim().records[0].chart, CHART);
}
