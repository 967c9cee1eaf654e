//! ResearchStudy and ResearchSubject.

use alloy_primitives::{Address, B256};
use medlock_abi::terms::{participant, trial as state};
use medlock_research::fhir::{
    Refusal, Seat, Standing, Study, Subject, read_research_study, read_research_subject, research_study,
    research_subject,
};
use serde_json::{Value, json};

use crate::support::{OTHER_SITE, REGISTRATION, SITE, SPONSOR, trial};

pub const CHAIN_ID: u64 = 421_614;

pub fn study() -> Study {
    Study {
        trial: trial(),
        registration: REGISTRATION.to_owned(),
        title: Some("Aspirin after \"minor\" stroke".to_owned()),
        state: state::OPEN,
        sponsor: SPONSOR,
        sites: vec![SITE, OTHER_SITE],
        protocols: vec![B256::repeat_byte(1), B256::repeat_byte(2)],
    }
}

pub fn subject() -> Subject {
    Subject {
        trial: trial(),
        participant: Address::repeat_byte(0x77),
        standing: Standing::Enrolled(Seat { site: SITE, number: 3 }),
    }
}

#[test]
fn a_study_is_read_as_it_was_written() {
    for (state, status) in [
        (state::OPEN, "active"),
        (state::LOCKED, "closed-to-accrual-and-intervention"),
        (state::CLOSED, "completed"),
    ] {
        let study = Study { state, ..study() };
        let text = research_study(&study, CHAIN_ID).unwrap();
        assert_eq!(read_research_study(text.as_bytes(), CHAIN_ID), Ok(study));
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["status"], status);
    }
    let plain = Study {
        title: None,
        sites: Vec::new(),
        ..study()
    };
    let text = research_study(&plain, CHAIN_ID).unwrap();
    assert!(!text.contains("title") && !text.contains("site"));
    assert_eq!(read_research_study(text.as_bytes(), CHAIN_ID), Ok(plain));
}

#[test]
fn a_study_has_r4s_elements() {
    let text = research_study(&study(), CHAIN_ID).unwrap();
    let id = trial().to_string()[2..].to_owned();
    let did = |byte: &str| format!("did:pkh:eip155:421614:0x{}", byte.repeat(20));
    let party = |kind: &str, byte: &str| json!({ "type": kind, "identifier": { "system": "urn:ietf:rfc:3986", "value": did(byte) } });
    let protocol = |value: String| json!({ "type": "PlanDefinition", "identifier": { "system": "urn:medlock:fhir:trial-protocol", "value": value } });
    assert_eq!(
        serde_json::from_str::<Value>(&text).unwrap(),
        json!({
            "resourceType": "ResearchStudy",
            "id": id,
            "identifier": [
                { "system": "urn:medlock:fhir:trial", "value": id },
                { "system": "urn:medlock:fhir:trial-registration", "value": "NCT01234567" },
            ],
            "title": "Aspirin after \"minor\" stroke",
            "protocol": [protocol(format!("1.{}", "01".repeat(32))), protocol(format!("2.{}", "02".repeat(32)))],
            "status": "active",
            "sponsor": party("Organization", "50"),
            "site": [party("Location", "51"), party("Location", "52")],
        })
    );
}

#[test]
fn a_subject_is_read_as_it_was_written() {
    let seat = Seat { site: SITE, number: 3 };
    for (standing, status) in [
        (Standing::Consented, "pending-on-study"),
        (Standing::Enrolled(seat), "on-study"),
        (Standing::Withdrawn(None), "withdrawn"),
        (Standing::Withdrawn(Some(seat)), "off-study"),
    ] {
        let subject = Subject { standing, ..subject() };
        let text = research_subject(&subject, CHAIN_ID).unwrap();
        assert_eq!(read_research_subject(text.as_bytes(), CHAIN_ID), Ok(subject));
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["status"], status);
        let mut names: Vec<_> = value.as_object().unwrap().keys().collect();
        names.sort();
        assert_eq!(names, ["identifier", "individual", "resourceType", "status", "study"]);
    }
}

#[test]
fn a_standing_is_what_the_chain_says() {
    let seat = Seat { site: SITE, number: 3 };
    let of = |number, status| Standing::of_chain(SITE, number, status);
    assert_eq!(of(0, participant::CONSENTED), Some(Standing::Consented));
    assert_eq!(of(3, participant::ENROLLED), Some(Standing::Enrolled(seat)));
    assert_eq!(of(0, participant::WITHDRAWN), Some(Standing::Withdrawn(None)));
    assert_eq!(of(3, participant::WITHDRAWN), Some(Standing::Withdrawn(Some(seat))));
    for (number, status) in [(0, 0), (0, participant::ENROLLED), (3, participant::CONSENTED), (3, 9)] {
        assert_eq!(of(number, status), None);
    }
}

#[test]
fn refuses_a_study_that_says_more_or_something_else() {
    let text = research_study(&study(), CHAIN_ID).unwrap();
    let path = |text: String| match read_research_study(text.as_bytes(), CHAIN_ID).unwrap_err() {
        Refusal::Element { path, .. } => path,
        Refusal::Unreadable(_) => "unreadable",
    };
    let id = &trial().to_string()[2..];
    for (from, to, expected) in [
        ("\"ResearchStudy\"", "\"ResearchSubject\"", "ResearchStudy.resourceType"),
        (
            "\"status\":\"active\"",
            "\"status\":\"withdrawn\"",
            "ResearchStudy.status",
        ),
        ("\"Organization\"", "\"Practitioner\"", "ResearchStudy.sponsor"),
        ("\"Location\"", "\"Organization\"", "ResearchStudy.site"),
        ("421614:0x5151", "1:0x5151", "ResearchStudy.site"),
        ("\"2.0202", "\"3.0202", "ResearchStudy.protocol"),
        ("NCT01234567", "nct01234567", "ResearchStudy.identifier[1].value"),
        ("NCT01234567", "NCT01234568", "ResearchStudy.identifier[0].value"),
        ("fhir:trial-registration", "fhir:trial", "ResearchStudy.identifier"),
        (&format!("\"id\":\"{id}\""), "\"id\":\"x\"", "ResearchStudy"),
        (
            "\"status\":\"active\"",
            "\"status\":\"active\",\"phase\":{}",
            "unreadable",
        ),
        (
            "\"status\":\"active\"",
            "\"status\":\"active\",\"status\":\"active\"",
            "unreadable",
        ),
        (
            "\"title\":\"Aspirin after \\\"minor\\\" stroke\"",
            "\"title\":null",
            "unreadable",
        ),
        ("Aspirin after", "Aspirin\\nafter", "ResearchStudy.title"),
    ] {
        let changed = text.replace(from, to);
        assert_ne!(changed, text, "{from}");
        assert_eq!(path(changed), expected, "{from} {to}");
    }
}

#[test]
fn refuses_a_subject_that_says_more_or_something_else() {
    let text = research_subject(&subject(), CHAIN_ID).unwrap();
    let path = |text: String| match read_research_subject(text.as_bytes(), CHAIN_ID).unwrap_err() {
        Refusal::Element { path, .. } => path,
        Refusal::Unreadable(_) => "unreadable",
    };
    for (from, to, expected) in [
        (
            "\"resourceType\":\"ResearchSubject\"",
            "\"resourceType\":\"Patient\"",
            "ResearchSubject.resourceType",
        ),
        ("\"on-study\"", "\"pending-on-study\"", "ResearchSubject.status"),
        ("\"Patient\"", "\"Group\"", "ResearchSubject.individual"),
        ("421614", "1", "ResearchSubject.individual"),
        ("fhir:trial-number", "fhir:trial", "ResearchSubject.identifier"),
        (".3\"", ".0\"", "ResearchSubject.identifier[1].value"),
        (".3\"", ".03\"", "ResearchSubject"),
        (".3\"", ".x\"", "ResearchSubject.identifier[1].value"),
        ("\"status\"", "\"birthDate\":\"1990\",\"status\"", "unreadable"),
    ] {
        let changed = text.replace(from, to);
        assert_ne!(changed, text, "{from}");
        assert_eq!(path(changed), expected, "{from} {to}");
    }
}

#[test]
fn refuses_facts_that_no_trial_has() {
    let of = |change: fn(&mut Study)| {
        let mut study = study();
        change(&mut study);
        research_study(&study, CHAIN_ID).unwrap_err()
    };
    let path = |refusal| match refusal {
        Refusal::Element { path, .. } => path,
        Refusal::Unreadable(_) => "unreadable",
    };
    assert_eq!(path(of(|study| study.state = 4)), "ResearchStudy.status");
    assert_eq!(path(of(|study| study.protocols.clear())), "ResearchStudy.protocol");
    assert_eq!(
        path(of(|study| study.sponsor = SITE)),
        "ResearchStudy.identifier[0].value"
    );
    let beyond = Standing::Enrolled(Seat {
        site: SITE,
        number: 32_768,
    });
    let refusal = research_subject(
        &Subject {
            standing: beyond,
            ..subject()
        },
        CHAIN_ID,
    );
    assert_eq!(path(refusal.unwrap_err()), "ResearchSubject.identifier[1].value");
}
