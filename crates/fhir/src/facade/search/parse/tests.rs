use super::super::{Prefix, resource};
use super::*;

const NOW: u64 = 1_777_802_400;

fn site() -> Site {
    Site {
        base: "https://gw.example/fhir".to_owned(),
        gateway: "https://gw.example".to_owned(),
        chain_id: 421_614,
        records: [0xee; 20],
    }
}

fn query(name: &str, text: &str) -> Query {
    parse(resource(name).unwrap(), text, Handling::Strict, &site(), NOW).unwrap_or_else(|e| panic!("{text}: {e:?}"))
}

/// Code and parameter of what is refused.
fn refusal(name: &str, text: &str) -> Vec<(Code, Option<String>)> {
    let outcome = parse(resource(name).unwrap(), text, Handling::Lenient, &site(), NOW).unwrap_err();
    let issues = outcome.issues().iter();
    issues.map(|issue| (issue.code, issue.expression.clone())).collect()
}

#[test]
fn reads_each_kind_of_value() {
    let chart = "5a".repeat(32);
    let text =
        format!("patient={chart}&status=active,inactive&period=ge2026-05-03T10:00:00%2B02:00&purpose=http://x|TREAT");
    let query = query("Consent", &text);
    assert_eq!(query.filters.len(), 4);
    assert_eq!(query.filters[0].any_of, [Operand::Literal("Patient", chart.clone())]);
    assert_eq!(query.charts().unwrap().into_iter().collect::<Vec<_>>(), [[0x5a; 32]]);
    assert_eq!(query.filters[1].any_of.len(), 2);
    let Operand::Date(date) = &query.filters[2].any_of[0] else {
        panic!()
    };
    assert_eq!(date.prefix, Prefix::Ge);
    assert_eq!(date.range.from, 1_777_795_200_000_000_000);
    let Operand::Token(token) = &query.filters[3].any_of[0] else {
        panic!()
    };
    assert_eq!(token.system, AnySystem::Is("http://x".to_owned()));
    assert_eq!(token.code.as_deref(), Some("TREAT"));
    assert_eq!((query.count, query.total, query.after), (COUNT_DEFAULT, false, None));
}

#[test]
fn a_reference_may_be_an_id_a_relative_or_an_absolute_one_and_only_to_us() {
    let expected = [Operand::Literal("Patient", "a".to_owned())];
    for text in [
        "patient=a",
        "patient=Patient/a",
        "patient:Patient=a",
        "patient:Patient=Patient/a",
        "patient=https://gw.example/fhir/Patient/a",
        "patient=https%3A%2F%2Fgw.example%2Ffhir%2FPatient%2Fa",
    ] {
        assert_eq!(query("Consent", text).filters[0].any_of, expected, "{text}");
    }
    for text in [
        "patient=Device/a",
        "patient=https://other.example/fhir/Patient/a",
        "patient=https://gw.example/fhir/a",
        "patient=a/b/c",
        "patient=",
        "patient=a%20b",
        "patient=Patient/a,",
    ] {
        assert_eq!(
            refusal("Consent", text),
            [(Code::Value, Some("http.patient".to_owned()))],
            "{text}"
        );
    }
}

#[test]
fn an_account_is_searched_by_its_identifier_alone() {
    let account = format!("did:pkh:eip155:421614:0x{}", "0b".repeat(20));
    for text in [
        format!("actor:identifier=urn:ietf:rfc:3986|{account}"),
        format!("actor:identifier={account}"),
    ] {
        let query = query("Consent", &text);
        assert_eq!(
            query
                .accounts("actor", &site())
                .unwrap()
                .into_iter()
                .collect::<Vec<_>>(),
            [[0x0b; 20]]
        );
    }
    let none = query("Consent", &format!("actor:identifier=urn:other|{account}"));
    assert!(
        none.accounts("actor", &site()).unwrap().is_empty(),
        "not an account, so nobody; not everybody"
    );
    for text in ["actor=Device/1", "actor:Device=1", "actor:missing=true"] {
        assert_eq!(
            refusal("Consent", text),
            [(Code::NotSupported, Some("http.actor".to_owned()))],
            "{text}"
        );
    }
}

#[test]
fn tokens_tell_no_system_from_any() {
    let token = |text: &str| match &query("Consent", text).filters[0].any_of[0] {
        Operand::Token(token) => token.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(token("status=a").system, AnySystem::Any);
    assert_eq!(token("status=|a").system, AnySystem::None);
    assert_eq!(token("status=s|").code, None);
    assert_eq!(token("status=a%5C,b%5C|c").code.as_deref(), Some("a,b|c"), "escaped");
    for text in ["status=", "status=|", "status=a|b|c", "status=a%5Cn", "status=a%5C"] {
        assert_eq!(
            refusal("Consent", text),
            [(Code::Value, Some("http.status".to_owned()))],
            "{text}"
        );
    }
}

#[test]
fn what_is_limited_twice_is_limited_by_both() {
    let (a, b) = ("0a".repeat(32), "0b".repeat(32));
    let query = query("Consent", &format!("patient={a},{b}&patient={b}&_id=1.2,3.4"));
    assert_eq!(query.charts().unwrap().into_iter().collect::<Vec<_>>(), [[0x0b; 32]]);
    assert_eq!(query.ids().unwrap().into_iter().collect::<Vec<_>>(), ["1.2", "3.4"]);
    assert_eq!(query.accounts("actor", &site()), None);
}

#[test]
fn unknown_parameters_are_refused_or_passed_over_as_preferred() {
    let strict = parse(
        resource("Consent").unwrap(),
        "teeth=1&_sort=date",
        Handling::Strict,
        &site(),
        NOW,
    )
    .unwrap_err();
    assert_eq!(strict.issues().len(), 2);
    let lenient = parse(
        resource("Consent").unwrap(),
        "teeth=1&status=active",
        Handling::Lenient,
        &site(),
        NOW,
    )
    .unwrap();
    assert_eq!(lenient.filters.len(), 1);
    assert_eq!(lenient.ignored[0].expression.as_deref(), Some("http.teeth"));
    assert_eq!(lenient.ignored[0].severity, Severity::Warning);
    // A parameter of another type is none of this one.
    assert_eq!(
        parse(
            resource("Provenance").unwrap(),
            "status=x",
            Handling::Lenient,
            &site(),
            NOW
        )
        .unwrap()
        .filters,
        []
    );
    for (header, expected) in [
        ("handling=strict", Handling::Strict),
        ("return=minimal; handling=\"strict\"", Handling::Strict),
        ("respond-async, Handling = Strict", Handling::Strict),
        ("handling=lenient", Handling::Lenient),
        ("", Handling::Lenient),
    ] {
        assert_eq!(handling(header), expected, "{header}");
    }
}

#[test]
fn what_would_widen_a_search_is_refused_even_leniently() {
    for (text, name) in [
        ("patient.identifier=x", "patient"),
        ("status:not=active", "status"),
        ("period:missing=true", "period"),
        ("patient:Device=x", "patient"),
    ] {
        assert_eq!(
            refusal("Consent", text),
            [(Code::NotSupported, Some(format!("http.{name}")))],
            "{text}"
        );
    }
    assert_eq!(
        refusal("Consent", "period=2026-5"),
        [(Code::Value, Some("http.period".to_owned()))]
    );
    assert_eq!(
        refusal("Consent", "period=2026-05-03T10:00:00+02:00"),
        [(Code::Value, Some("http.period".to_owned()))],
        "a + that is not encoded is a blank"
    );
}

#[test]
fn reads_what_shapes_the_answer() {
    let query = query(
        "Consent",
        "_count=20&after=12.3&_summary=true&_total=accurate&_format=application/fhir%2Bjson;fhirVersion=4.0&_pretty=true",
    );
    assert_eq!(
        (query.count, query.after.as_deref(), query.summary),
        (20, Some("12.3"), Summary::True)
    );
    assert!(query.total);
    let of = |text: &str| parse(resource("Consent").unwrap(), text, Handling::Strict, &site(), NOW).unwrap();
    assert_eq!(of("_count=99999").count, COUNT_MOST);
    assert_eq!(of("_elements=status,provision").elements, ["status", "provision"]);
    for none in ["_count=0", "_summary=count"] {
        assert_eq!(
            (of(none).count, of(none).summary, of(none).total),
            (0, Summary::Count, true)
        );
    }
    assert!(!of("_total=none").total && of("_total=estimate").total);
    for (text, name) in [
        ("_count=-1", "_count"),
        ("_count=%2B1", "_count"),
        ("_count=", "_count"),
        ("_count=1&_count=2", "_count"),
        ("_summary=some", "_summary"),
        ("_summary=true&_elements=status", "_elements"),
        ("_elements=", "_elements"),
        ("_elements=a.b", "_elements"),
        ("_total=yes", "_total"),
        ("after=", "after"),
        ("after=%00", "after"),
        ("_pretty=1", "_pretty"),
    ] {
        assert_eq!(
            refusal("Consent", text),
            [(Code::Value, Some(format!("http.{name}")))],
            "{text}"
        );
    }
    assert_eq!(
        refusal("Consent", "_format=xml"),
        [(Code::NotSupported, Some("http._format".to_owned()))]
    );
}

#[test]
fn bounds_what_it_takes() {
    assert_eq!(
        refusal("Consent", &"a".repeat(QUERY_BYTES_MAX + 1)),
        [(Code::TooLong, None)]
    );
    assert_eq!(
        refusal("Consent", &"_id=1&".repeat(PARAMETERS_MAX + 1)),
        [(Code::TooLong, None)]
    );
    let values = "1,".repeat(VALUES_MAX) + "1";
    assert_eq!(
        refusal("Consent", &format!("_id={values}")),
        [(Code::TooLong, Some("http._id".to_owned()))]
    );
    for bad in ["status=%", "status=%4", "status=%zz", "status=%ff", "%ff=1"] {
        assert_eq!(refusal("Consent", bad), [(Code::Value, None)], "{bad}");
    }
}

#[test]
fn refusals_repeat_no_value() {
    for text in [
        "patient=Jane%20Doe",
        "Jane%20Doe=1",
        "period=Jane",
        "_summary=Jane",
        "status=Jane|Doe|x",
    ] {
        let outcome = parse(resource("Consent").unwrap(), text, Handling::Strict, &site(), NOW).unwrap_err();
        assert!(!format!("{outcome:?}").contains("Jane"), "{outcome:?}");
    }
}

#[test]
fn the_words_about_limits_are_the_limits() {
    let says = CONTROLS.iter().find(|(name, _)| *name == "_count").unwrap().1;
    assert!(says.contains(&COUNT_MOST.to_string()) && says.contains(&COUNT_DEFAULT.to_string()));
    let outcome = parse(
        resource("Consent").unwrap(),
        &"a".repeat(QUERY_BYTES_MAX + 1),
        Handling::Lenient,
        &site(),
        NOW,
    );
    assert!(
        outcome.unwrap_err().issues()[0]
            .diagnostics
            .contains(&QUERY_BYTES_MAX.to_string())
    );
}
