//! Plans, results, and where they differ.

use alloy_primitives::B256;
use medlock_research::Unreadable;
use medlock_research::results::{Difference, Kind, OutcomesError, Plan, Planned, Results, compare, compare_plans};

use crate::support::{plan, planned, reported, trial};

fn results(plan: &Plan) -> Results {
    Results {
        trial: trial(),
        version: 2,
        plan: B256::repeat_byte(1),
        data: B256::repeat_byte(2),
        outcomes: reported(plan),
    }
}

#[test]
fn plans_and_results_are_read_as_they_were_written() {
    let plan = plan(2);
    let text = plan.to_json().unwrap();
    assert_eq!(Plan::read(text.as_bytes()), Ok(plan.clone()));
    let results = results(&plan);
    let text = results.to_json().unwrap();
    assert_eq!(Results::read(text.as_bytes()), Ok(results.clone()));
    // Digests are of bytes, so people may format the file before it is registered.
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(Results::read(&serde_json::to_vec_pretty(&value).unwrap()), Ok(results));
}

#[test]
fn what_was_planned_and_reported_does_not_differ() {
    let plan = plan(2);
    let mut results = results(&plan);
    assert_eq!(compare(&plan, &results), []);
    results.outcomes.reverse();
    assert_eq!(compare(&plan, &results), [], "the order says nothing");
}

#[test]
fn each_difference_is_named() {
    let plan = plan(2);
    let mut results = results(&plan);
    results.outcomes.remove(2);
    results.outcomes[0].kind = Kind::Secondary;
    results.outcomes[1].kind = Kind::Primary;
    results.outcomes[1].title = "Days in intensive care".to_owned();
    let mut added = results.outcomes[0].clone();
    added.id = "mortality-90".to_owned();
    results.outcomes.insert(0, added);
    let id = |id: &str| id.to_owned();
    assert_eq!(
        compare(&plan, &results),
        [
            Difference::Switched {
                id: id("mortality-28"),
                from: Kind::Primary,
                to: Kind::Secondary
            },
            Difference::Switched {
                id: id("stay"),
                from: Kind::Secondary,
                to: Kind::Primary
            },
            Difference::Retitled { id: id("stay") },
            Difference::Missing {
                id: id("pain"),
                kind: Kind::Secondary
            },
            Difference::Added {
                id: id("mortality-90"),
                kind: Kind::Secondary
            },
        ]
    );
}

#[test]
fn an_amended_plan_is_compared_with_the_one_before() {
    let added = Difference::Added {
        id: "pain".to_owned(),
        kind: Kind::Secondary,
    };
    assert_eq!(compare_plans(&plan(1), &plan(2)), [added]);
}

#[test]
fn refuses_outcomes_that_cannot_be_told_apart_or_shown() {
    let of = |outcomes: Vec<Planned>| {
        let plan = Plan {
            document: B256::ZERO,
            outcomes,
        };
        plan.to_json().unwrap_err()
    };
    let one = |id: &str, title: &str| planned(id, title, Kind::Primary);
    assert_eq!(of(vec![]), OutcomesError::NoOutcomes);
    assert_eq!(
        of(vec![one("a", "x"); 1001]),
        OutcomesError::TooManyOutcomes { given: 1001 }
    );
    assert_eq!(
        of(vec![one("a", "x"), one("b", "x"), one("a", "y")]),
        OutcomesError::DuplicateId { index: 2, first: 0 }
    );
    for id in ["", "a b", "\u{1b}[2J", &"a".repeat(65)] {
        assert_eq!(of(vec![one(id, "x")]), OutcomesError::Id { index: 0 }, "{id:?}");
    }
    for title in ["", " ", "a\nb", "\u{1b}[2J", &"a".repeat(1001)] {
        assert_eq!(
            of(vec![one("a", title)]),
            OutcomesError::Title { index: 0 },
            "{title:?}"
        );
    }
    let mut results = results(&plan(1));
    results.outcomes[1].value = String::new();
    assert_eq!(results.to_json(), Err(OutcomesError::Value { index: 1 }));
}

#[test]
fn refuses_files_of_another_form() {
    let text = plan(1).to_json().unwrap();
    let read = |text: String| Plan::read(text.as_bytes()).unwrap_err();
    assert_eq!(
        read(text.replace("trial/plan", "trial/plan2")),
        Unreadable::OtherFormat.into()
    );
    for bad in [
        text.replace("\"primary\"", "\"tertiary\""),
        text.replace("\"document\"", "\"documents\""),
        text.replace("\"id\":\"stay\"", "\"id\":\"stay\",\"id\":\"stay\""),
    ] {
        assert!(matches!(
            read(bad),
            OutcomesError::Unreadable(Unreadable::OtherForm { .. })
        ));
    }
    assert!(matches!(
        Results::read(text.as_bytes()),
        Err(OutcomesError::Unreadable(Unreadable::OtherForm { .. }))
    ));
    assert!(matches!(
        read(" ".repeat(1024 * 1024 + 1)),
        OutcomesError::Unreadable(Unreadable::TooLarge { .. })
    ));
}
