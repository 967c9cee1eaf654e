//! The scenarios of IHE's Privacy Consent on FHIR (PCF): from what stands on chain to FHIR, and the decision that each expects.
//!
//! `permits` decides by the Consent alone, as a reader of FHIR would who knows nothing of Medlock. `decide` is the contracts' own
//! order of reasons. Where a grant decides, the two must agree.

use medlock_abi::terms::{action, power, purpose, reason};
use medlock_fhir::Label;
use medlock_fhir::facade::facts::{Effect, Grant, Granter, Kind, Rule, Terms};
use medlock_fhir::facade::search::{Handling, matches, parse, resource};
use medlock_fhir::facade::{
    audit_event, consent, document_reference, patient, provenance, standing_consent, time, to_json,
};
use serde_json::{Value, json};

use crate::support::{
    CHART, ETREAT, NOW, RECORD, Random, TREAT, at, grant, party, read, rule, site, standing, version,
};

/// "May the grantee do this with that record?"
#[derive(Debug, Clone, Copy)]
struct Question {
    compartment: u8,
    record_id: [u8; 32],
    purpose: u32,
    action: u8,
    at: u64,
}

const QUESTION: Question = Question {
    compartment: 0,
    record_id: [1; 32],
    purpose: TREAT,
    action: action::READ,
    at: NOW,
};

/// The contracts' reason: `records` says what the grant says, `exceptions` what stands beside it.
fn decide(grant: &Grant, question: Question) -> u8 {
    let terms = grant.terms;
    let by_grant = if question.at < terms.not_before {
        reason::NOT_YET_VALID
    } else if terms.expiry != 0 && question.at >= terms.expiry {
        reason::EXPIRED
    } else if terms.compartments >> question.compartment & 1 == 0 {
        reason::COMPARTMENT
    } else if terms.purposes & question.purpose == 0 {
        reason::PURPOSE
    } else if terms.actions & question.action == 0 {
        reason::ACTION
    } else {
        reason::GRANT
    };
    let of_question = |rule: &&Rule| {
        let is_in_force = rule.expiry == 0 || question.at < rule.expiry;
        is_in_force
            && rule.record_id == question.record_id
            && rule.purposes & question.purpose != 0
            && rule.actions & question.action != 0
    };
    let rules = || grant.rules.iter().filter(of_question);
    let facts = reason::Facts {
        denied: rules().any(|rule| rule.effect == Effect::Deny),
        allowed_since: rules()
            .filter(|rule| rule.effect == Effect::Allow)
            .map(|rule| rule.directory_version)
            .max()
            .unwrap_or(0),
        powers: 0,
        emergency: false,
    };
    reason::combine(by_grant, grant.since, question.action, facts)
}

/// By the Consent: the root's actor and period hold for all of it; a denial within it wins; then the root or a permission within.
fn permits(consent: &Value, account: Option<&str>, question: Question, codes: &[Value]) -> bool {
    let root = &consent["provision"];
    if !is_of(root, account) || !is_in_period(root, question.at) {
        return false;
    }
    let exceptions: Vec<_> = root["provision"].as_array().into_iter().flatten().collect();
    let holds = |provision: &Value, kind: &str| {
        provision["type"] == kind
            && is_of(provision, account)
            && is_in_period(provision, question.at)
            && names(provision, question, codes)
    };
    if exceptions.iter().any(|exception| holds(exception, "deny")) {
        return false;
    }
    holds(root, "permit") || exceptions.iter().any(|exception| holds(exception, "permit"))
}

fn is_of(provision: &Value, account: Option<&str>) -> bool {
    let actors = provision["actor"].as_array();
    actors.is_none_or(|actors| {
        actors
            .iter()
            .any(|actor| actor["reference"]["identifier"]["value"].as_str() == account && account.is_some())
    })
}

fn is_in_period(provision: &Value, seconds: u64) -> bool {
    let now = i128::from(seconds) * 1_000_000_000;
    let bound = |name: &str| {
        provision["period"][name]
            .as_str()
            .map(|text| time::parse(text).unwrap().range)
    };
    bound("start").is_none_or(|range| range.from <= now) && bound("end").is_none_or(|range| now < range.to)
}

/// `codes`: those of the question's purpose. An element that is absent means any.
fn names(provision: &Value, question: Question, codes: &[Value]) -> bool {
    let of = |list: &Value, is: &dyn Fn(&Value) -> bool| list.as_array().is_none_or(|items| items.iter().any(is));
    let plain = |coding: &Value| json!({ "system": coding["system"], "code": coding["code"] });
    let label = json!({ "system": "urn:medlock:fhir:compartment", "code": question.compartment.to_string() });
    let record = format!("{}.{}", hex::encode(CHART), hex::encode(question.record_id));
    of(&provision["securityLabel"], &|coding| plain(coding) == label)
        && of(&provision["purpose"], &|coding| codes.contains(&plain(coding)))
        && of(&provision["action"], &|concept| {
            plain(&concept["coding"][0]) == action_code(question.action)
        })
        && of(&provision["data"], &|data| {
            data["reference"]["identifier"]["value"] == record
        })
}

fn purpose_code(bit: u32) -> Value {
    match purpose::ALL.iter().find(|(_, known)| *known == bit) {
        Some((code, _)) => json!({ "system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": code }),
        None => json!({ "system": "urn:medlock:fhir:purpose-bit", "code": bit.trailing_zeros().to_string() }),
    }
}

fn action_code(bit: u8) -> Value {
    let action = "http://terminology.hl7.org/CodeSystem/consentaction";
    match bit {
        action::READ => json!({ "system": action, "code": "access" }),
        action::WRITE => {
            json!({ "system": "http://terminology.hl7.org/CodeSystem/v3-DataOperation", "code": "UPDATE" })
        }
        action::SHARE => json!({ "system": action, "code": "disclose" }),
        bit => json!({ "system": "urn:medlock:fhir:action-bit", "code": bit.trailing_zeros().to_string() }),
    }
}

fn did(byte: u8) -> String {
    format!("did:pkh:eip155:421614:0x{}", hex::encode([byte; 20]))
}

/// What both say of the grantee's question, if they agree.
#[track_caller]
fn decision(grant: &Grant, question: Question) -> u8 {
    let by_chain = decide(grant, question);
    // As the Consent stood then.
    let consent = consent(grant, &site(), question.at).unwrap();
    let account = format!("did:pkh:eip155:421614:0x{}", hex::encode(grant.grantee.account));
    let by_consent = permits(&consent, Some(&account), question, &[purpose_code(question.purpose)]);
    let text = reason::text(by_chain);
    assert_eq!(
        by_consent,
        reason::is_allowed(by_chain),
        "{text}\n{question:?}\n{consent:#}"
    );
    by_chain
}

fn plain_grant() -> Grant {
    Grant {
        rules: Vec::new(),
        ..grant()
    }
}

#[test]
fn an_expiring_consent_permits_until_its_last_second() {
    let grant = plain_grant();
    let Terms { not_before, expiry, .. } = grant.terms;
    let asked_at = |at| decision(&grant, Question { at, ..QUESTION });
    assert_eq!(asked_at(not_before - 1), reason::NOT_YET_VALID);
    assert_eq!(asked_at(not_before), reason::GRANT);
    assert_eq!(asked_at(expiry - 1), reason::GRANT);
    assert_eq!(asked_at(expiry), reason::EXPIRED);
    assert_eq!(consent(&grant, &site(), expiry).unwrap()["status"], "inactive");
}

#[test]
fn a_parent_consents_for_an_infant_and_reads_as_a_delegate() {
    let parent = 0x0f;
    let grant = Grant {
        granter: Some(Granter::Delegate([parent; 20])),
        ..plain_grant()
    };
    assert_eq!(decision(&grant, QUESTION), reason::GRANT);
    let consent = consent(&grant, &site(), NOW).unwrap();
    assert_eq!(at(&consent, "/performer/0/type"), "RelatedPerson");
    assert_eq!(at(&consent, "/performer/0/identifier/value"), &json!(did(parent)));
    assert_eq!(
        consent["patient"]["reference"],
        format!("Patient/{}", hex::encode(CHART)),
        "the infant's"
    );
    // The parent has no grant of their own: a power is not a consent, and no Consent says it.
    let facts = reason::Facts {
        denied: false,
        allowed_since: 0,
        powers: power::READ | power::GRANT,
        emergency: false,
    };
    let decided = reason::combine(reason::NO_GRANT, 0, action::READ, facts);
    assert_eq!(decided, reason::DELEGATE);
    assert!(!permits(&consent, Some(&did(parent)), QUESTION, &[purpose_code(TREAT)]));
    let mut read = read();
    (read.reader, read.reason, read.grant_place) = (party(Kind::Device, parent), decided, None);
    let event = audit_event(&read, &site());
    assert_eq!(at(&event, "/agent/0/who/identifier/value"), &json!(did(parent)));
    let entities = event["entity"].as_array().unwrap();
    assert_eq!(entities.len(), 3, "patient, data, receipt; and no Consent");
    assert!(to_json(event.clone()).contains(r#"{"type":"reason","valueString":"delegate"}"#));
}

#[test]
fn deny_except_to_who_breaks_the_glass() {
    let consent = standing_consent(&standing(), &site()).unwrap();
    let anybody = did(0x0d);
    let reason_code =
        |code: &str| json!({ "system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": code });
    let asked = |question: Question, codes: &[Value]| permits(&consent, Some(&anybody), question, codes);
    let emergency = Question {
        purpose: ETREAT,
        ..QUESTION
    };
    for (_, bit) in purpose::ALL {
        assert!(!asked(
            Question {
                purpose: bit,
                ..QUESTION
            },
            &[purpose_code(bit)]
        ));
    }
    let broken = [reason_code("BTG"), reason_code("ETREAT")];
    assert!(asked(emergency, &broken));
    assert!(
        !asked(
            Question {
                action: action::WRITE,
                ..emergency
            },
            &broken
        ),
        "it is for reading"
    );
    // A record that the chart denies to everybody stays denied for TREAT, and for what the rule names.
    assert!(!asked(
        Question {
            record_id: RECORD,
            ..QUESTION
        },
        &[purpose_code(TREAT)]
    ));
    let facts = |emergency| reason::Facts {
        denied: false,
        allowed_since: 0,
        powers: 0,
        emergency,
    };
    assert_eq!(
        reason::combine(reason::NO_GRANT, 0, action::READ, facts(false)),
        reason::NO_GRANT
    );
    assert_eq!(
        reason::combine(reason::NO_GRANT, 0, action::READ, facts(true)),
        reason::EMERGENCY
    );
    assert_eq!(
        reason::combine(reason::NO_GRANT, 0, action::WRITE, facts(true)),
        reason::NO_GRANT
    );
    // It stands out afterwards.
    let mut read = read();
    (read.reason, read.purpose, read.grant_place) = (reason::EMERGENCY, ETREAT, None);
    let event = audit_event(&read, &site());
    let codes: Vec<_> = event["purposeOfEvent"]
        .as_array()
        .unwrap()
        .iter()
        .map(|concept| &concept["coding"][0]["code"])
        .collect();
    assert_eq!(codes, ["BTG", "ETREAT"]);
    let query = parse(
        resource("AuditEvent").unwrap(),
        "purpose=BTG",
        Handling::Strict,
        &site(),
        NOW,
    )
    .unwrap();
    assert!(matches(&query, &event));
    assert!(!matches(&query, &audit_event(&crate::support::read(), &site())));
    // Where the chart does not allow it, nothing is permitted.
    let mut closed = standing();
    closed.emergency_access = false;
    let consent = standing_consent(&closed, &site()).unwrap();
    assert!(!permits(&consent, Some(&anybody), emergency, &broken));
}

#[test]
fn sensitive_records_are_a_compartment_of_their_own_that_nobody_can_name() {
    let sensitive = Label::Sensitive.compartment();
    let mut grant = plain_grant();
    grant.terms.compartments = !(1 << sensitive);
    let of_record = Question {
        compartment: sensitive,
        record_id: RECORD,
        ..QUESTION
    };
    assert_eq!(decision(&grant, QUESTION), reason::GRANT);
    assert_eq!(decision(&grant, of_record), reason::COMPARTMENT);
    // One record of it, by a rule.
    grant.rules.push(rule(Effect::Allow));
    assert_eq!(decision(&grant, of_record), reason::RULE);
    assert_eq!(
        decision(
            &grant,
            Question {
                record_id: [2; 32],
                ..of_record
            }
        ),
        reason::COMPARTMENT
    );
    assert_eq!(
        decision(
            &grant,
            Question {
                purpose: ETREAT,
                ..of_record
            }
        ),
        reason::COMPARTMENT
    );
    let mut version = version();
    version.compartment = sensitive;
    let document = document_reference(&version, &site()).unwrap();
    assert_eq!(
        at(&document, "/securityLabel/0/coding/0"),
        &json!({ "system": "urn:medlock:fhir:compartment", "code": "15" })
    );
    let all = [
        document,
        provenance(&version, &site()),
        consent(&grant, &site(), NOW).unwrap(),
        standing_consent(&standing(), &site()).unwrap(),
        audit_event(&read(), &site()),
        patient(&CHART),
    ];
    for resource in all {
        let text = to_json(resource);
        for label in Label::ALL.iter().filter(|label| **label != Label::Other) {
            assert!(!text.contains(label.as_str()), "{label} in {text}");
        }
    }
}

#[test]
fn a_denial_of_one_record_wins() {
    let of_record = Question {
        record_id: RECORD,
        ..QUESTION
    };
    for names_grantee in [true, false] {
        let mut grant = plain_grant();
        grant.rules = vec![
            rule(Effect::Allow),
            Rule {
                names_grantee,
                ..rule(Effect::Deny)
            },
        ];
        assert_eq!(decision(&grant, of_record), reason::DENIED);
        assert_eq!(decision(&grant, QUESTION), reason::GRANT, "others are not touched");
        // Of what it names alone.
        grant.terms.purposes |= purpose::HPAYMT;
        assert_eq!(
            decision(
                &grant,
                Question {
                    purpose: purpose::HPAYMT,
                    ..of_record
                }
            ),
            reason::GRANT
        );
        grant.rules[1].expiry = NOW;
        assert_eq!(decision(&grant, of_record), reason::GRANT, "it is over");
    }
}

#[test]
fn consent_to_research_is_consent_to_nothing_else() {
    let mut grant = plain_grant();
    (grant.terms.purposes, grant.terms.actions) = (purpose::HRESCH, action::READ);
    assert_eq!(
        decision(
            &grant,
            Question {
                purpose: purpose::HRESCH,
                ..QUESTION
            }
        ),
        reason::GRANT
    );
    assert_eq!(decision(&grant, QUESTION), reason::PURPOSE);
    let writing = Question {
        purpose: purpose::HRESCH,
        action: action::WRITE,
        ..QUESTION
    };
    assert_eq!(decision(&grant, writing), reason::ACTION);
}

#[test]
fn an_allow_rule_adds_compartments_but_no_purpose() {
    let mut grant = plain_grant();
    grant.rules = vec![Rule {
        purposes: TREAT | purpose::HRESCH,
        ..rule(Effect::Allow)
    }];
    let research = Question {
        record_id: RECORD,
        purpose: purpose::HRESCH,
        ..QUESTION
    };
    assert_eq!(
        decision(&grant, research),
        reason::PURPOSE,
        "in a compartment that is granted"
    );
    assert_eq!(
        decision(
            &grant,
            Question {
                compartment: 2,
                ..research
            }
        ),
        reason::RULE
    );
    grant.since = 4;
    assert_eq!(
        decision(
            &grant,
            Question {
                compartment: 2,
                ..research
            }
        ),
        reason::COMPARTMENT,
        "set before these grants"
    );
}

#[test]
fn another_account_has_nothing_of_a_grant() {
    let consent = consent(&grant(), &site(), NOW).unwrap();
    let codes = [purpose_code(TREAT)];
    assert!(permits(&consent, Some(&did(0x0c)), QUESTION, &codes));
    assert!(!permits(&consent, Some(&did(0x0d)), QUESTION, &codes));
    assert!(!permits(&consent, None, QUESTION, &codes));
}

#[test]
fn what_a_consent_says_is_what_the_contracts_decide() {
    let mut random = Random(5);
    let mut tally = std::collections::BTreeMap::new();
    for _ in 0..5_000 {
        let mut grant = random.grant();
        grant.chart = CHART;
        // FHIR's times end in 9999; past that a Consent's period is open, with an extension that says better.
        grant.terms.expiry = grant.terms.expiry.min(time::SECONDS_MOST);
        let versions = [1, 3, u32::MAX];
        grant.since = random.pick(&versions);
        for rule in &mut grant.rules {
            rule.expiry = rule.expiry.min(time::SECONDS_MOST);
            rule.directory_version = random.pick(&versions);
            // The contract has no allow rule for everybody.
            rule.names_grantee |= rule.effect == Effect::Allow;
        }
        for _ in 0..4 {
            let record_ids: Vec<_> = grant.rules.iter().map(|rule| rule.record_id).chain([[1; 32]]).collect();
            let edges = [grant.terms.not_before, grant.terms.expiry, NOW];
            let question = Question {
                compartment: u8::try_from(random.below(64)).unwrap(),
                record_id: random.pick(&record_ids),
                purpose: 1 << random.below(32),
                action: 1 << random.below(8),
                at: (random.pick(&edges) + random.below(3))
                    .saturating_sub(1)
                    .min(time::SECONDS_MOST),
            };
            if question.at < grant.terms.not_before && grant.terms.not_before > time::SECONDS_MOST {
                continue;
            }
            *tally.entry(reason::text(decision(&grant, question))).or_insert(0) += 1;
        }
    }
    // All that grants and rules can decide was met.
    for (reason, count) in &tally {
        assert!(*count > 20, "{reason}: {tally:?}");
    }
    assert_eq!(tally.len(), 8, "{tally:?}");
}
