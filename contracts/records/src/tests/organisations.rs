//! Members act for the organisation that holds the grant and the credential.
use super::*;

/// Each write, for an organisation.
type Write = fn(&mut Records, Address, Address) -> Result<(), Error>;

const WRITES: [Write; 4] = [
    |records, actor, organisation| {
        records.add_records(
            actor,
            CHART,
            organisation,
            1,
            vec![record(id(1), LABS), record(id(2), LABS)],
        )
    },
    |records, actor, organisation| records.amend_record(actor, CHART, organisation, 1, RECORD, POINTER, 9, AMENDED),
    |records, actor, organisation| records.enter_in_error(actor, CHART, organisation, RECORD, POINTER),
    |records, actor, organisation| records.add_batch(actor, CHART, organisation, 1, LABS, 9, POINTER, 5),
];

fn world() -> World {
    let mut world = World::new();
    world.add(PATIENT, vec![record(RECORD, LABS)]).unwrap();
    world
}

#[test]
fn a_member_writes_on_the_organisations_grant_and_is_the_author() {
    let mut world = world();
    world.grant(CLINIC, terms(1 << LABS));
    for write in WRITES {
        let mut world = world.fork();
        world.by(NURSE, |records, actor| write(records, actor, CLINIC)).unwrap();
        let events = world.events();
        assert_eq!(events[0], acted_for(CLINIC, NURSE));
        let by = match &events[1] {
            Event::RecordAdded(e) => e.author,
            Event::RecordAmended(e) => e.author,
            Event::RecordEnteredInError(e) => e.by,
            Event::BatchAdded(e) => e.author,
            other => panic!("{other:?}"),
        };
        assert_eq!(by, NURSE);
        let follows = |event: &Event| !matches!(event, Event::ActedFor(_) | Event::ByDelegate(_));
        assert!(events[1..].iter().all(follows));
    }
    let mut by_relay = world.fork();
    by_relay
        .through(RELAY, NURSE, |records, actor| WRITES[0](records, actor, CLINIC))
        .unwrap();
    assert_eq!(
        by_relay.events(),
        [
            acted_for(CLINIC, NURSE),
            added(&record(id(1), LABS), NURSE),
            added(&record(id(2), LABS), NURSE)
        ]
    );
}

#[test]
fn both_grant_and_credential_are_the_organisations() {
    let mut world = world();
    let refused = |world: &World, actor, organisation, error: Error| {
        for write in WRITES {
            let outcome = world
                .fork()
                .by(actor, |records, actor| write(records, actor, organisation));
            assert_eq!(outcome.as_ref(), Err(&error));
        }
    };
    // The nurse's own grant is of no use to the clinic, nor the clinic's to the nurse in person.
    world.grant(NURSE, terms(1 << LABS));
    refused(&world, NURSE, CLINIC, not_writer(NURSE, LABS, reason::NO_GRANT));
    refused(&world, NURSE, NOBODY, not_credentialed(NURSE, NOBODY));
    world.grant(CLINIC, terms(1 << LABS));
    world
        .by(PATIENT, |records, actor| {
            records.revoke(actor, CHART, NURSE, 2, ROTATED, vec![])
        })
        .unwrap();
    assert_eq!(
        world.by(NURSE, |records, actor| {
            records.add_records(actor, CHART, NOBODY, 2, vec![record(id(1), LABS)])
        }),
        Err(not_writer(NURSE, LABS, reason::NO_GRANT))
    );

    let mut world = self::world();
    world.grant(CLINIC, terms(1 << LABS));
    world.grant(INSURER, terms(1 << LABS));
    // No members of it; no provider. An organisation is not its own member: it acts in person.
    for actor in [STRANGER, INSURER, CLINIC] {
        refused(&world, actor, CLINIC, not_credentialed(actor, CLINIC));
    }
    refused(&world, NURSE, INSURER, not_credentialed(NURSE, INSURER));
    // Nor does the controller borrow what they gave.
    refused(&world, PATIENT, CLINIC, not_credentialed(PATIENT, CLINIC));
    refused(&world, PATIENT, STRANGER, not_writer(PATIENT, LABS, reason::NO_GRANT));
    // A registry that says no, and one that makes no sense.
    for answer in [vec![0; 32], vec![0xff; 32], vec![]] {
        world.answer(answer);
        refused(&world, NURSE, CLINIC, not_credentialed(NURSE, CLINIC));
    }
    // It is as a provider that the clinic must vouch.
    world.yes();
    world.refuse(REGISTRY, may_act(CLINIC, NURSE, role::PROVIDER));
    refused(&world, NURSE, CLINIC, not_credentialed(NURSE, CLINIC));
}

/// A chart that an organisation controls: its members write, and do nothing else in its name.
#[test]
fn members_of_the_controller_write_and_read() {
    let mut world = World::new();
    world
        .by(CLINIC, |records, actor| {
            records.open_chart(actor, OTHER_CHART, DIRECTORY)
        })
        .unwrap();
    let add =
        |records: &mut Records, actor| records.add_records(actor, OTHER_CHART, CLINIC, 1, vec![record(RECORD, LABS)]);
    assert_eq!(world.by(STRANGER, add), Err(not_credentialed(STRANGER, CLINIC)));
    world.by(NURSE, add).unwrap();
    let asked = |member| Question {
        chart: OTHER_CHART,
        member,
        ..question(CLINIC)
    };
    assert_eq!(world.reason(asked(NURSE)), reason::CONTROLLER);
    assert_eq!(world.reason(asked(STRANGER)), reason::NOT_MEMBER);
    assert_eq!(
        world.by(NURSE, |records, actor| records.shred_record(actor, OTHER_CHART, RECORD)),
        Err(not_controller(NURSE, 0))
    );
}

#[test]
fn whoever_asks_as_a_member_must_be_one() {
    let mut world = World::new();
    world.grant(CLINIC, terms(1 << LABS));
    let asked = |grantee, member| Question {
        member,
        ..question(grantee)
    };
    assert_eq!(world.reason(asked(CLINIC, NURSE)), reason::GRANT);
    assert_eq!(world.reason(asked(CLINIC, NOBODY)), reason::GRANT);
    for member in PARTIES.into_iter().filter(|member| *member != NURSE) {
        assert_eq!(world.reason(asked(CLINIC, member)), reason::NOT_MEMBER);
    }
    // Before anything of the grant, and behind the form and the chart.
    assert_eq!(world.reason(asked(INSURER, NURSE)), reason::NOT_MEMBER);
    assert_eq!(world.reason(asked(PATIENT, NURSE)), reason::NOT_MEMBER);
    let unknown = Question {
        chart: OTHER_CHART,
        ..asked(INSURER, NURSE)
    };
    assert_eq!(world.reason(unknown.clone()), reason::UNKNOWN_CHART);
    let malformed = Question { purpose: 0, ..unknown };
    assert_eq!(world.reason(malformed), reason::MALFORMED);
    // A member of any organisation with any roles: it is the grant that must be there.
    assert_eq!(
        world.reason(Question {
            compartment: CLAIMS,
            ..asked(CLINIC, NURSE)
        }),
        reason::COMPARTMENT
    );
    for answer in [vec![0; 32], vec![0xff; 32], vec![]] {
        world.answer(answer);
        assert_eq!(world.reason(asked(CLINIC, NURSE)), reason::NOT_MEMBER);
        assert_eq!(world.reason(asked(CLINIC, NOBODY)), reason::GRANT);
    }
    world.yes();
    // Whether it is a provider makes no difference to a reader; whether it is a member does.
    world.refuse(REGISTRY, may_act(CLINIC, NURSE, role::PROVIDER));
    assert_eq!(world.reason(asked(CLINIC, NURSE)), reason::GRANT);
    world.refuse(REGISTRY, may_act(CLINIC, NURSE, 0));
    assert_eq!(world.reason(asked(CLINIC, NURSE)), reason::NOT_MEMBER);
}
