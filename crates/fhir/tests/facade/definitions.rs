//! Against FHIR R4's own definitions (`r4.json`): what we claim of search, summaries and codes is what R4 says.

use std::collections::BTreeSet;

use medlock_fhir::facade::search::{CONTROLS, Handling, ParameterKind, RESOURCES, parse, resource};
use medlock_fhir::facade::{Code, capability_statement, read_grant, to_json};
use medlock_fhir::facade::{audit_event, consent, document_reference, patient, provenance, standing_consent};
use serde_json::{Value, json};

use crate::support::{CHART, ETREAT, NOW, at, grant, read, site, standing, version};

fn r4() -> Value {
    serde_json::from_str(include_str!("r4.json")).unwrap()
}

#[test]
fn search_parameters_are_r4s_or_said_to_be_ours() {
    let r4 = r4();
    let mut ours = Vec::new();
    for resource in RESOURCES {
        for parameter in resource.parameters {
            let of = &r4["searchParameters"][resource.name][parameter.name];
            let of = if of.is_null() {
                &r4["searchParameters"]["Resource"][parameter.name]
            } else {
                of
            };
            let kind = match parameter.kind {
                ParameterKind::Token { .. } => "token",
                ParameterKind::Date => "date",
                ParameterKind::Literal { .. } | ParameterKind::Logical => "reference",
            };
            if parameter.definition.starts_with("urn:medlock:") {
                ours.push(format!("{}.{}", resource.name, parameter.name));
                assert!(parameter.documentation.is_some());
                continue;
            }
            assert_eq!(
                (&of["type"], &of["url"]),
                (&json!(kind), &json!(parameter.definition)),
                "{parameter:?}"
            );
            let type_name = if parameter.name.starts_with('_') {
                "Resource"
            } else {
                resource.name
            };
            let paths = parameter
                .paths
                .iter()
                .map(|path| format!("{type_name}.{}", path.join(".")));
            let expressions = of["expression"].as_array().unwrap().iter();
            // That it is a Patient is in the type of the reference here.
            let expressions =
                expressions.map(|text| text.as_str().unwrap().replace(".where(resolve() is Patient)", ""));
            assert_eq!(
                paths.collect::<Vec<_>>(),
                expressions.collect::<Vec<_>>(),
                "{parameter:?}"
            );
        }
    }
    assert_eq!(ours, ["AuditEvent.purpose", "Provenance.patient"]);
}

#[test]
fn summaries_and_mandatory_elements_are_r4s() {
    let r4 = r4();
    for resource in RESOURCES {
        let of = &r4["elements"][resource.name];
        let words = |list: &Value| -> BTreeSet<String> {
            list.as_array()
                .unwrap()
                .iter()
                .map(|word| word.as_str().unwrap().to_owned())
                .collect()
        };
        let is_choice = |name: &str| {
            words(&of["summary"])
                .iter()
                .any(|word| word.strip_suffix("[x]").is_some_and(|stem| name.starts_with(stem)))
        };
        let plain: BTreeSet<String> = words(&of["summary"])
            .into_iter()
            .filter(|word| !word.ends_with("[x]"))
            .collect();
        let ours: BTreeSet<String> = resource
            .summary
            .iter()
            .filter(|name| !is_choice(name))
            .map(ToString::to_string)
            .collect();
        assert_eq!(ours, plain, "{}", resource.name);
        let mandatory: BTreeSet<String> = resource.mandatory.iter().map(ToString::to_string).collect();
        assert_eq!(mandatory, words(&of["mandatory"]), "{}", resource.name);
    }
}

#[test]
fn codes_and_their_displays_are_their_systems() {
    let r4 = r4();
    let mut grant = grant();
    grant.terms.purposes = 127;
    grant.terms.actions = 7;
    let mut emergency = read();
    emergency.reason = medlock_abi::terms::reason::EMERGENCY;
    emergency.purpose = ETREAT;
    let mut own = read();
    own.reason = medlock_abi::terms::reason::CONTROLLER;
    let mut first = version();
    first.previous = None;
    let all = [
        consent(&grant, &site(), NOW).unwrap(),
        standing_consent(&standing(), &site()).unwrap(),
        audit_event(&read(), &site()),
        audit_event(&emergency, &site()),
        audit_event(&own, &site()),
        document_reference(&version(), &site()).unwrap(),
        provenance(&version(), &site()),
        provenance(&first, &site()),
        patient(&CHART),
    ];
    let mut seen = BTreeSet::new();
    for resource in &all {
        codings(resource, &mut |system, code, display| {
            if system.starts_with("urn:medlock:") || system == "http://loinc.org" {
                return;
            }
            assert_eq!(
                at(&r4["codes"][system], &format!("/{code}")),
                &json!(display),
                "{system}|{code}"
            );
            seen.insert(format!("{system}|{code}"));
        });
    }
    assert!(seen.len() > 25, "{seen:#?}");
    for code in Code::ALL {
        assert!(
            r4["codes"]["http://hl7.org/fhir/issue-type"][code.as_str()].is_string(),
            "{code:?}"
        );
    }
}

fn codings(value: &Value, visit: &mut impl FnMut(&str, &str, &Value)) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| codings(item, visit)),
        Value::Object(properties) => {
            if let (Some(Value::String(system)), Some(Value::String(code))) =
                (properties.get("system"), properties.get("code"))
            {
                visit(system, code, &value["display"]);
            }
            properties.values().for_each(|item| codings(item, visit));
        }
        _ => {}
    }
}

#[test]
fn the_capability_statement_claims_what_the_parser_takes_and_all_of_it() {
    let statement = capability_statement(&site(), "0.1.0", NOW);
    let rest = at(&statement, "/rest/0");
    let names = |list: &Value| -> Vec<String> {
        let list = list.as_array().into_iter().flatten();
        list.map(|one| one["name"].as_str().unwrap().to_owned()).collect()
    };
    let claimed = rest["resource"].as_array().unwrap();
    assert_eq!(claimed.len(), RESOURCES.len());
    for one in claimed {
        let resource = resource(one["type"].as_str().unwrap()).unwrap();
        for name in names(&one["searchParam"])
            .into_iter()
            .chain(names(&rest["searchParam"]))
        {
            // A value of another form may be refused; that the parameter is not known may not be.
            let refused = parse(resource, &format!("{name}=x"), Handling::Strict, &site(), NOW).err();
            let mut issues = refused.iter().flat_map(|outcome| outcome.issues());
            assert!(
                !issues.any(|issue| issue.diagnostics.contains("no such parameter")),
                "{name}"
            );
        }
        let taken: Vec<_> = resource.parameters.iter().map(|parameter| parameter.name).collect();
        assert_eq!(names(&one["searchParam"]), taken);
        let searches = one["interaction"]
            .as_array()
            .unwrap()
            .contains(&json!({ "code": "search-type" }));
        assert_eq!(searches, !resource.parameters.is_empty());
    }
    assert_eq!(names(&rest["searchParam"]), CONTROLS.map(|(name, _)| name));
    assert_eq!(statement["fhirVersion"], "4.0.1");
    assert_eq!(
        to_json(statement.clone()),
        to_json(capability_statement(&site(), "0.1.0", NOW))
    );
    assert!(read_grant(to_json(statement).as_bytes(), &site()).is_err());
}
