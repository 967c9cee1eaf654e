//! A grant becomes a Consent, and the Consent the same grant.

use medlock_fhir::facade::facts::Grant;
use medlock_fhir::facade::{
    Empty, Operation, consent, operation_consent, read_grant, read_operation, standing_consent, to_json,
};
use serde_json::json;

use crate::support::{NOW, Random, at, grant, site, standing};

fn back(grant: &Grant) -> Grant {
    let text = to_json(consent(grant, &site(), NOW).unwrap());
    read_grant(text.as_bytes(), &site()).unwrap_or_else(|outcome| panic!("{outcome:#?}\n{text}"))
}

#[test]
fn no_grant_loses_anything() {
    let mut random = Random(1);
    let mut compartments = 0;
    let (mut with_rules, mut without_expiry, mut far) = (0, 0, 0);
    for _ in 0..2_000 {
        let grant = random.grant();
        assert_eq!(back(&grant), grant);
        compartments |= grant.terms.compartments;
        with_rules += usize::from(!grant.rules.is_empty());
        without_expiry += usize::from(grant.terms.expiry == 0);
        far += usize::from(grant.terms.expiry > 253_402_300_799);
    }
    // The random grants are of all kinds.
    assert_eq!(compartments, u64::MAX);
    assert!(
        with_rules > 500 && without_expiry > 500 && far > 50,
        "{with_rules} {without_expiry} {far}"
    );
}

#[test]
fn each_bit_alone_comes_back() {
    for bit in 0..64 {
        let mut grant = grant();
        grant.terms.compartments = 1 << bit;
        grant.terms.purposes = 1 << (bit % 32);
        grant.terms.actions = 1 << (bit % 8);
        assert_eq!(back(&grant), grant);
    }
}

#[test]
fn an_operation_loses_nothing_signed_or_not() {
    let mut random = Random(2);
    for _ in 0..2_000 {
        let mut terms = random.terms();
        terms.purposes = 1 + u32::try_from(random.below(127)).unwrap();
        terms.actions = 1 + u8::try_from(random.below(7)).unwrap();
        let signature = random.bytes::<65>().to_vec();
        let operation = Operation {
            signer: random.bytes(),
            chart: random.bytes(),
            directory_version: random.bits32(),
            grantee: random.party(),
            serial: random.bits8(),
            terms,
            keyring: random.bytes(),
            nonce: random.bits64(),
            deadline: random.bits64(),
            signature: random.one_in(2).then_some(signature),
        };
        let text = to_json(operation_consent(&operation, &site()).unwrap());
        let read = read_operation(text.as_bytes(), &site());
        assert_eq!(read.unwrap_or_else(|outcome| panic!("{outcome:#?}\n{text}")), operation);
    }
}

#[test]
fn says_what_a_grant_says() {
    let consent = consent(&grant(), &site(), NOW).unwrap();
    assert_eq!(consent["id"], "120.4");
    assert_eq!(consent["status"], "active");
    assert_eq!(consent["patient"]["reference"], format!("Patient/{}", "5a".repeat(32)));
    assert_eq!(at(&consent, "/performer/0"), &consent["patient"]);
    assert_eq!(
        at(&consent, "/policy/0/uri"),
        &json!(format!("did:pkh:eip155:421614:0x{}", "ee".repeat(20)))
    );
    let provision = &consent["provision"];
    assert_eq!(provision["type"], "permit");
    assert_eq!(
        provision["period"],
        json!({ "start": "2026-05-03T09:43:20Z", "end": "2026-05-03T10:16:39Z" })
    );
    assert_eq!(at(provision, "/actor/0/reference/type"), "Organization");
    assert_eq!(
        at(provision, "/actor/0/reference/identifier/value"),
        &json!(format!("did:pkh:eip155:421614:0x{}", "0c".repeat(20)))
    );
    let codes = |list: &serde_json::Value| -> Vec<String> {
        let codes = list.as_array().unwrap().iter();
        codes
            .map(|coding| coding["code"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(codes(&provision["securityLabel"]), ["0", "1", "3"]);
    assert_eq!(codes(&provision["purpose"]), ["TREAT"]);
    assert_eq!(at(provision, "/action/0/coding/0/code"), "access");
    assert_eq!(at(provision, "/action/1/coding/0/code"), "UPDATE");
    let [allow, deny] = &provision["provision"].as_array().unwrap()[..] else {
        panic!()
    };
    assert_eq!((&allow["type"], &deny["type"]), (&json!("permit"), &json!("deny")));
    assert_eq!(
        codes(&allow["securityLabel"]).len(),
        61,
        "the compartments that the grant has not"
    );
    assert!(
        allow["actor"].is_array() && deny["actor"].is_null(),
        "it names everybody"
    );
    assert_eq!(at(deny, "/data/0/meaning"), "instance");
}

#[test]
fn a_grant_is_active_until_its_time_is_over_or_it_has_ended() {
    let status = |grant: &Grant, now| consent(grant, &site(), now).unwrap();
    let grant = grant();
    let expiry = grant.terms.expiry;
    assert_eq!(
        status(&grant, 0)["status"],
        "active",
        "not yet in force: its period says so"
    );
    assert_eq!(status(&grant, expiry - 1)["status"], "active");
    assert_eq!(status(&grant, expiry)["status"], "inactive");
    assert_eq!(at(&status(&grant, expiry), "/meta/lastUpdated"), "2026-05-03T10:16:40Z");
    let ended = Grant {
        ended_at: Some(NOW),
        ..grant.clone()
    };
    assert_eq!(status(&ended, NOW)["status"], "inactive");
    assert_eq!(at(&status(&ended, NOW), "/meta/lastUpdated"), "2026-05-03T10:00:00Z");
    let endless = Grant {
        terms: medlock_fhir::facade::facts::Terms {
            expiry: 0,
            ..grant.terms
        },
        ..grant
    };
    assert_eq!(status(&endless, u64::MAX)["status"], "active");
    assert_eq!(status(&endless, 0)["provision"]["period"]["end"], json!(null));
}

#[test]
fn an_allow_rule_that_adds_nothing_holds_for_no_compartment() {
    let label = |edit: fn(&mut Grant)| {
        let mut grant = grant();
        grant.rules.truncate(1);
        edit(&mut grant);
        let consent = consent(&grant, &site(), NOW).unwrap();
        assert_eq!(back(&grant), grant);
        at(&consent, "/provision/provision/0/securityLabel/0/code").clone()
    };
    assert_eq!(label(|_| {}), "2");
    assert_eq!(label(|grant| grant.terms.compartments = u64::MAX), "none");
    assert_eq!(label(|grant| grant.since = 4), "none", "older than the pair's grants");
    assert_eq!(
        label(|grant| (grant.since, grant.rules[0].directory_version) = (0, 0)),
        "none"
    );
}

#[test]
fn nothing_is_refused_rather_than_left_out() {
    let edits: [fn(&mut Grant); 5] = [
        |grant| grant.terms.compartments = 0,
        |grant| grant.terms.purposes = 0,
        |grant| grant.terms.actions = 0,
        |grant| grant.rules[0].purposes = 0,
        |grant| grant.rules[1].actions = 0,
    ];
    for edit in edits {
        let mut grant = grant();
        edit(&mut grant);
        assert_eq!(consent(&grant, &site(), NOW), Err(Empty));
    }
    let mut standing = standing();
    standing.denied[0].purposes = 0;
    assert_eq!(standing_consent(&standing, &site()), Err(Empty));
}

#[test]
fn the_same_facts_give_the_same_bytes_in_alphabetical_order() {
    let text = to_json(consent(&grant(), &site(), NOW).unwrap());
    assert_eq!(text, to_json(consent(&grant(), &site(), NOW).unwrap()));
    assert!(
        text.starts_with(r#"{"category":[{"coding":[{"code":"59284-0","system":"http://loinc.org"}]}],"dateTime":"#),
        "{text}"
    );
    assert!(!text.contains(": ") && !text.contains('\n'));
}
