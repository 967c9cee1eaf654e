//! What stands beside the grants of an exceptional chart: rules, delegates, broken glass.
use super::*;

const RULED: Facts = Facts {
    allowed_since: 1,
    ..NOTHING
};
const DENIED: Facts = Facts {
    denied: true,
    allowed_since: u32::MAX,
    powers: power::EVERY,
    emergency: true,
};
const BROKEN: Facts = Facts {
    emergency: true,
    ..NOTHING
};

fn powers(powers: u8) -> Facts {
    Facts { powers, ..NOTHING }
}

fn of_record(grantee: Address) -> Question {
    Question {
        recordId: RECORD,
        ..question(grantee)
    }
}

/// The labs' record stands, and the clinic may read and write the claims alone.
fn world() -> World {
    let mut world = World::exceptional();
    world.add(PATIENT, vec![record(RECORD, LABS)]).unwrap();
    world.grant(CLINIC, terms(1 << CLAIMS));
    world
}

#[test]
fn facts_are_asked_only_about_an_exceptional_chart() {
    let mut world = World::new();
    world.grant(CLINIC, terms(1 << CLAIMS));
    for facts in [DENIED, RULED, BROKEN, powers(power::EVERY)] {
        world.facts(facts);
        assert_eq!(world.reason(question(CLINIC)), reason::COMPARTMENT);
        assert_eq!(world.reason(question(INSURER)), reason::NO_GRANT);
    }
}

#[test]
fn a_rule_that_denies_wins_over_all_but_the_controller() {
    let mut world = world();
    world.facts(DENIED);
    assert_eq!(world.reason(of_record(CLINIC)), reason::DENIED);
    let claims = Question {
        compartment: CLAIMS,
        ..question(CLINIC)
    };
    assert_eq!(world.reason(claims), reason::DENIED);
    // Who has no grant in force learns nothing of rules.
    assert_eq!(world.reason(of_record(INSURER)), reason::NO_GRANT);
    assert_eq!(world.reason(of_record(PATIENT)), reason::CONTROLLER);
    // Nor does it keep the controller from amending; a writer it does, though the registry says yes.
    world.grant(CLINIC, terms(1 << LABS));
    assert_eq!(
        world.amend(CLINIC, RECORD, POINTER, AMENDED),
        Err(not_writer(CLINIC, LABS, reason::DENIED))
    );
    assert_eq!(
        world.enter_in_error(CLINIC, RECORD, POINTER),
        Err(not_writer(CLINIC, LABS, reason::DENIED))
    );
    assert_eq!(
        world.amend(GUARDIAN, RECORD, POINTER, AMENDED),
        Err(not_writer(GUARDIAN, LABS, reason::NO_GRANT))
    );
    world.amend(PATIENT, RECORD, POINTER, AMENDED).unwrap();
}

#[test]
fn a_rule_that_allows_adds_its_record_to_the_grants_of_its_time() {
    let mut world = world();
    world.facts(RULED);
    assert_eq!(world.reason(of_record(CLINIC)), reason::RULE);
    assert_eq!(world.reason(of_record(INSURER)), reason::NO_GRANT);
    // The record is looked at all the same.
    let other = |record_id, compartment| Question {
        recordId: record_id,
        compartment,
        ..question(CLINIC)
    };
    assert_eq!(world.reason(other(id(9), LABS)), reason::UNKNOWN_RECORD);
    assert_eq!(world.reason(other(RECORD, LABS + 1)), reason::RECORD_COMPARTMENT);
    // Within the grant's time, and never behind its end.
    world.grant(
        CLINIC,
        GrantTerms {
            expiry: NOW + 5,
            ..terms(1 << CLAIMS)
        },
    );
    assert_eq!(world.reason(of_record(CLINIC)), reason::RULE);
    world.at(NOW + 5);
    assert_eq!(world.reason(of_record(CLINIC)), reason::EXPIRED);
    world.at(NOW);
    world
        .by(PATIENT, |records, actor| {
            records.revoke(actor, CHART, CLINIC, 2, ROTATED, vec![])
        })
        .unwrap();
    assert_eq!(world.reason(of_record(CLINIC)), reason::NO_GRANT);
    // A new grant does not bring it back: the rule is of the version before.
    world.grant(CLINIC, terms(1 << CLAIMS));
    assert_eq!(world.reason(of_record(CLINIC)), reason::COMPARTMENT);
    world.facts(Facts {
        allowed_since: 2,
        ..NOTHING
    });
    assert_eq!(world.reason(of_record(CLINIC)), reason::RULE);
    // A grant that is replaced keeps its rules: they were set since.
    world.rotate();
    world.grant(CLINIC, terms(1 << CLAIMS | 1));
    assert_eq!(world.reason(of_record(CLINIC)), reason::RULE);
    world.shred(PATIENT, RECORD).unwrap();
    assert_eq!(world.reason(of_record(CLINIC)), reason::SHREDDED);
}

/// `exceptions` has looked at the rule's own purposes and actions; the grant's are looked at where its compartment fits. So of
/// a grant that fails in both, the rule speaks alone.
#[test]
fn a_rule_overrides_the_compartment_alone_where_it_is_the_first_that_fails() {
    let mut world = world();
    world.facts(RULED);
    let reads_claims = GrantTerms {
        purposes: purpose::HPAYMT,
        actions: action::READ,
        ..terms(1 << CLAIMS)
    };
    world.grant(CLINIC, reads_claims);
    assert_eq!(world.reason(of_record(CLINIC)), reason::RULE);
    let reads_labs = GrantTerms {
        purposes: purpose::HPAYMT,
        ..terms(1 << LABS)
    };
    world.grant(CLINIC, reads_labs);
    assert_eq!(world.reason(of_record(CLINIC)), reason::PURPOSE);
    let writes_labs = GrantTerms {
        actions: action::WRITE,
        ..terms(1 << LABS)
    };
    world.grant(CLINIC, writes_labs);
    assert_eq!(world.reason(of_record(CLINIC)), reason::ACTION);
}

/// As any writer on a grant. (That a rule and a credential together let them write is seen on the chain alone: see [`World`].)
#[test]
fn a_writer_by_a_rule_needs_a_credential() {
    let mut world = world();
    world.facts(RULED);
    assert_eq!(
        world.amend(CLINIC, RECORD, POINTER, AMENDED),
        Err(not_credentialed(CLINIC, NOBODY))
    );
    world.facts(NOTHING);
    assert_eq!(
        world.amend(CLINIC, RECORD, POINTER, AMENDED),
        Err(not_writer(CLINIC, LABS, reason::COMPARTMENT))
    );
}

#[test]
fn a_delegate_takes_the_actions_of_their_powers() {
    let world = world();
    let asked = |grantee, action| Question {
        action,
        ..of_record(grantee)
    };
    for (action, power) in [
        (action::READ, power::READ),
        (action::WRITE, power::WRITE),
        (action::SHARE, power::GRANT),
    ] {
        for grantee in [GUARDIAN, CLINIC] {
            world.facts(powers(power));
            assert_eq!(world.reason(asked(grantee, action)), reason::DELEGATE);
            world.facts(powers(!power));
            let own = if grantee == CLINIC {
                reason::COMPARTMENT
            } else {
                reason::NO_GRANT
            };
            assert_eq!(world.reason(asked(grantee, action)), own);
        }
    }
    // Nobody has a power for an action that is not known.
    world.facts(powers(u8::MAX));
    for bit in 3..8 {
        assert_eq!(world.reason(asked(GUARDIAN, 1 << bit)), reason::NO_GRANT);
    }
    // What the grant allows, it allows.
    let claims = Question {
        compartment: CLAIMS,
        ..question(CLINIC)
    };
    assert_eq!(world.reason(claims), reason::GRANT);
    assert_eq!(world.reason(question(PATIENT)), reason::CONTROLLER);
}

#[test]
fn a_delegate_writes_without_a_credential() {
    let mut world = world();
    world.facts(powers(power::WRITE));
    let batch = vec![record(id(1), LABS), record(id(2), CLAIMS)];
    world.add(GUARDIAN, batch.clone()).unwrap();
    assert_eq!(
        world.events(),
        [
            // Once, whatever the compartments.
            by_delegate(GUARDIAN, power::WRITE),
            added(&batch[0], GUARDIAN),
            added(&batch[1], GUARDIAN)
        ]
    );
    world.amend(GUARDIAN, RECORD, POINTER, AMENDED).unwrap();
    assert_eq!(world.events()[0], by_delegate(GUARDIAN, power::WRITE));
    assert_eq!(world.records.record_of(CHART, RECORD).0, GUARDIAN);
    world.enter_in_error(GUARDIAN, RECORD, AMENDED).unwrap();
    assert_eq!(
        world.events(),
        [
            by_delegate(GUARDIAN, power::WRITE),
            Event::RecordEnteredInError(IRecords::RecordEnteredInError {
                chart: CHART,
                recordId: RECORD,
                by: GUARDIAN
            })
        ]
    );
    // A refused one is announced by nobody.
    assert_eq!(
        world.amend(GUARDIAN, RECORD, AMENDED, POINTER),
        Err(IRecords::RecordStatus {
            recordId: RECORD,
            status: status::ENTERED_IN_ERROR
        }
        .into())
    );
    // The controller needs no power, and is not announced as anybody's delegate.
    world.add(PATIENT, vec![record(id(3), LABS)]).unwrap();
    assert_eq!(world.events().len(), 1);
}

/// A grant is named before a power, and what is written on a grant wants a credential.
#[test]
fn a_delegate_who_writes_on_a_grant_needs_a_credential() {
    let mut world = world();
    world.facts(powers(power::WRITE));
    world.grant(GUARDIAN, terms(1 << CLAIMS));
    let refused = Err(not_credentialed(GUARDIAN, NOBODY));
    assert_eq!(world.add(GUARDIAN, vec![record(id(1), CLAIMS)]), refused);
    assert_eq!(
        world.add(GUARDIAN, vec![record(id(1), LABS), record(id(2), CLAIMS)]),
        refused
    );
    world.add(GUARDIAN, vec![record(id(1), LABS)]).unwrap();
}

#[test]
fn who_broke_the_glass_reads_and_does_nothing_else() {
    let mut world = world();
    world.facts(BROKEN);
    let asked = |grantee, action| Question {
        purpose: purpose::ETREAT,
        action,
        ..of_record(grantee)
    };
    assert_eq!(world.reason(asked(STRANGER, action::READ)), reason::EMERGENCY);
    assert_eq!(world.reason(asked(CLINIC, action::READ)), reason::EMERGENCY);
    assert_eq!(world.reason(asked(STRANGER, action::WRITE)), reason::NO_GRANT);
    assert_eq!(world.reason(asked(STRANGER, action::SHARE)), reason::NO_GRANT);
    assert_eq!(
        world.add(STRANGER, vec![record(id(1), LABS)]),
        Err(not_writer(STRANGER, LABS, reason::NO_GRANT))
    );
    assert_eq!(
        world.by(STRANGER, |records, actor| {
            records.grant(actor, CHART, 1, STRANGER, 0, terms(1), KEYRING)
        }),
        Err(not_controller(STRANGER, power::GRANT))
    );
    world.shred(PATIENT, RECORD).unwrap();
    assert_eq!(world.reason(asked(STRANGER, action::READ)), reason::SHREDDED);
}

/// A fault closes, and never opens.
#[test]
fn facts_that_cannot_be_known_close() {
    let mut world = world();
    let claims = Question {
        compartment: CLAIMS,
        ..question(CLINIC)
    };
    let whole = encoded(Facts {
        denied: false,
        ..DENIED
    });
    let changed = |at: usize, byte: u8| {
        let mut answer = whole.clone();
        answer[at] = byte;
        answer
    };
    for answer in [
        vec![],
        vec![0; 96],
        whole[..127].to_vec(),
        vec![0xff; 128],
        // Truths of 2 and of 2^248, a version of 2^32, powers of 256.
        changed(31, 2),
        changed(0, 1),
        changed(32 + 27, 1),
        changed(64 + 30, 1),
        changed(96 + 31, 2),
    ] {
        world.answer(answer.clone());
        assert_eq!(world.reason(claims.clone()), reason::DENIED, "{answer:?}");
        assert_eq!(world.reason(of_record(CLINIC)), reason::DENIED);
        assert_eq!(world.reason(of_record(GUARDIAN)), reason::NO_GRANT);
        assert_eq!(world.reason(of_record(PATIENT)), reason::CONTROLLER);
        assert_eq!(
            world.add(CLINIC, vec![record(id(1), CLAIMS)]),
            Err(not_writer(CLINIC, CLAIMS, reason::DENIED))
        );
    }
    world.answer(whole);
    assert_eq!(world.reason(claims), reason::GRANT);
    world.add(PATIENT, vec![record(id(1), CLAIMS)]).unwrap();
}

/// That it is just this question which is asked is seen by its failing: all others would open.
#[test]
fn exceptions_is_asked_this_question() {
    let mut world = world();
    for epoch in 2..=3 {
        world.revoke_all();
        assert_eq!(world.records.chart_of(CHART).1, epoch);
    }
    world
        .by(PATIENT, |records, actor| records.offer_control(actor, CHART, HEIR))
        .unwrap();
    world
        .by(HEIR, |records, actor| {
            records.accept_control(actor, CHART, 3, ROTATED, vec![])
        })
        .unwrap();
    let head = world.records.chart_head(CHART);
    let asked = |grantee, member, compartment, record_id, purpose, action| factsOfCall {
        chart: CHART,
        grantEpoch: 3,
        controlEpoch: 1,
        grantee,
        member,
        compartment,
        recordId: record_id,
        purpose,
        action,
    };
    world.facts(powers(power::EVERY));

    // A reader, for themselves; the same for another record is another question.
    let mut reader = world.fork();
    assert_eq!(reader.reason(of_record(GUARDIAN)), reason::DELEGATE);
    let call = asked(GUARDIAN, NOBODY, LABS, RECORD, purpose::TREAT, action::READ);
    reader.refuse(EXCEPTIONS, call);
    assert_eq!(reader.reason(of_record(GUARDIAN)), reason::NO_GRANT);
    assert_eq!(reader.reason(question(GUARDIAN)), reason::DELEGATE);
    // A member of an organisation: behind the question about membership, which is not to be had here (see `World`).
    reader = world.fork();
    let member = Question {
        member: NURSE,
        purpose: purpose::ETREAT,
        ..of_record(CLINIC)
    };
    assert_eq!(reader.records.reason(&head, &member), reason::DELEGATE);
    let call = asked(CLINIC, NURSE, LABS, RECORD, purpose::ETREAT, action::READ);
    reader.refuse(EXCEPTIONS, call);
    assert_eq!(reader.records.reason(&head, &member), reason::REVOKED);
    // Who writes states no purpose; new records have no rules.
    let mut writer = world.fork();
    let call = asked(GUARDIAN, NOBODY, CLAIMS, B256::ZERO, 0, action::WRITE);
    writer.refuse(EXCEPTIONS, call);
    let batch = vec![record(id(1), LABS), record(id(2), CLAIMS)];
    assert_eq!(
        writer.add(GUARDIAN, batch.clone()),
        Err(not_writer(GUARDIAN, CLAIMS, reason::NO_GRANT))
    );
    writer.add(GUARDIAN, batch[..1].to_vec()).unwrap();
    let call = asked(GUARDIAN, NOBODY, LABS, RECORD, 0, action::WRITE);
    writer.refuse(EXCEPTIONS, call);
    assert_eq!(
        writer.amend(GUARDIAN, RECORD, POINTER, AMENDED),
        Err(not_writer(GUARDIAN, LABS, reason::NO_GRANT))
    );
    // For an organisation.
    let call = asked(CLINIC, GUARDIAN, LABS, RECORD, 0, action::WRITE);
    writer.refuse(EXCEPTIONS, call);
    assert_eq!(
        writer.by(GUARDIAN, |records, actor| {
            records.amend_record(actor, CHART, CLINIC, 3, RECORD, POINTER, 9, AMENDED)
        }),
        Err(not_writer(GUARDIAN, LABS, reason::REVOKED))
    );
    // A delegate's powers, of no compartment, record, purpose or action.
    let mut delegate = world.fork();
    let call = asked(GUARDIAN, NOBODY, 0, B256::ZERO, 0, 0);
    delegate.refuse(EXCEPTIONS, call);
    assert_eq!(
        delegate.by(GUARDIAN, |records, actor| {
            records.set_directory(actor, CHART, 4, ROTATED)
        }),
        Err(not_controller(GUARDIAN, power::DIRECTORY))
    );
    // The controller is asked about nowhere.
    world.answer(vec![]);
    world.rotate();
    assert_eq!(world.reason(of_record(HEIR)), reason::CONTROLLER);
}

#[test]
fn many_questions_are_answered_each_for_itself() {
    let mut world = world();
    world
        .by(STRANGER, |records, actor| {
            records.open_chart(actor, OTHER_CHART, DIRECTORY)
        })
        .unwrap();
    world.facts(Facts {
        allowed_since: 1,
        powers: power::WRITE,
        ..NOTHING
    });
    let claims = Question {
        compartment: CLAIMS,
        ..question(CLINIC)
    };
    let writes = Question {
        action: action::WRITE,
        ..question(GUARDIAN)
    };
    let elsewhere = Question {
        chart: OTHER_CHART,
        ..question(CLINIC)
    };
    let nowhere = Question {
        chart: RECORD,
        ..question(CLINIC)
    };
    let two_actions = Question {
        action: 3,
        ..question(CLINIC)
    };
    let member = Question {
        member: STRANGER,
        ..question(CLINIC)
    };
    let questions = vec![
        of_record(PATIENT),
        claims,
        of_record(CLINIC),
        writes,
        question(GUARDIAN),
        elsewhere,
        nowhere,
        two_actions,
        member,
    ];
    assert_eq!(
        world.records.decide_many(questions).unwrap(),
        [
            reason::CONTROLLER,
            reason::GRANT,
            reason::RULE,
            reason::DELEGATE,
            reason::NO_GRANT,
            reason::NO_GRANT,
            reason::UNKNOWN_CHART,
            reason::MALFORMED,
            reason::NOT_MEMBER
        ]
    );
}
