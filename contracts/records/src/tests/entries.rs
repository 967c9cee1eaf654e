//! Records one by one: added, amended, entered in error, shredded.
use super::*;

fn unknown(id: B256) -> Error {
    IRecords::UnknownRecord { recordId: id }.into()
}

fn record_status(id: B256, status: u8) -> Error {
    IRecords::RecordStatus { recordId: id, status }.into()
}

fn stale_pointer(given: B256, current: B256) -> Error {
    IRecords::StalePointer { given, current }.into()
}

#[test]
fn adds_a_batch_in_the_order_given() {
    let mut world = World::new();
    world.grant(CLINIC, terms(1 << LABS | 1 << CLAIMS));
    let batch = vec![record(id(1), LABS), record(id(0), CLAIMS)];
    world.add(CLINIC, batch.clone()).unwrap();
    assert_eq!(world.events(), [added(&batch[0], CLINIC), added(&batch[1], CLINIC)]);
    let stored = |compartment| (CLINIC, NOW, 1, compartment, status::CURRENT, CODEC_DAG_CBOR, POINTER);
    assert_eq!(world.records.record_of(CHART, id(0)), stored(CLAIMS));
    assert_eq!(world.records.record_of(CHART, id(1)), stored(LABS));
    let none = (NOBODY, 0, 0, 0, 0, 0, B256::ZERO);
    assert_eq!(world.records.record_of(CHART, id(2)), none);
    assert_eq!(world.records.record_of(OTHER_CHART, id(0)), none);
}

#[test]
fn refuses_envelopes_sealed_to_a_stale_directory() {
    let mut world = World::new();
    world.add(PATIENT, vec![record(RECORD, LABS)]).unwrap();
    world.rotate();
    for given in [0, 1, 3] {
        let refused = Err(stale(given, 2));
        assert_eq!(
            world.by(PATIENT, |records, actor| {
                records.add_records(actor, CHART, NOBODY, given, vec![record(id(1), LABS)])
            }),
            refused
        );
        assert_eq!(
            world.by(PATIENT, |records, actor| {
                records.amend_record(actor, CHART, NOBODY, given, RECORD, POINTER, 0, AMENDED)
            }),
            refused
        );
        assert_eq!(
            world.by(PATIENT, |records, actor| {
                records.add_batch(actor, CHART, NOBODY, given, LABS, 0, POINTER, 1)
            }),
            refused
        );
    }
    // What only ends something is not sealed to anybody.
    world.enter_in_error(PATIENT, RECORD, POINTER).unwrap();
}

#[test]
fn refuses_a_batch_for_any_one_record_in_it() {
    let mut world = World::new();
    world.add(PATIENT, vec![record(RECORD, LABS)]).unwrap();
    let sound = record(id(7), LABS);
    let no_pointer = NewRecord {
        pointer: B256::ZERO,
        ..record(id(8), LABS)
    };
    let range = |compartment| Error::from(IRecords::CompartmentRange { compartment });
    let exists = |id| Error::from(IRecords::RecordExists { recordId: id });
    for (bad, refused) in [
        (record(B256::ZERO, LABS), IRecords::ZeroId {}.into()),
        (no_pointer, zero_digest()),
        (record(id(8), COMPARTMENTS), range(COMPARTMENTS)),
        (record(id(8), u8::MAX), range(u8::MAX)),
        (record(RECORD, LABS), exists(RECORD)),
        // Whatever the compartment.
        (record(RECORD, CLAIMS), exists(RECORD)),
        // The same record twice in one batch.
        (sound.clone(), exists(id(7))),
    ] {
        for batch in [vec![sound.clone(), bad.clone()], vec![bad, sound.clone()]] {
            assert_eq!(world.add(PATIENT, batch).as_ref(), Err(&refused));
        }
        assert_eq!(world.records.record_of(CHART, id(7)).2, 0);
    }
}

#[test]
fn batches_hold_1_to_128() {
    let mut world = World::new();
    world.grant(CLINIC, terms(1));
    let records = |count| (0..count).map(|n| record(id(n), LABS)).collect::<Vec<_>>();
    for given in [0, 129] {
        let refused = batch_size(given as u32, 128);
        assert_eq!(world.add(PATIENT, records(given)).as_ref(), Err(&refused));
        let keyrings = vec![keyring(CLINIC); given];
        let outcome = world.by(PATIENT, |records, actor| {
            records.set_keyrings(actor, CHART, 1, keyrings)
        });
        assert_eq!(outcome.as_ref(), Err(&refused));
        let questions = vec![question(CLINIC); given];
        assert_eq!(world.records.decide_many(questions), Err(refused));
    }
    world.add(PATIENT, records(128)).unwrap();
    assert_eq!(world.events().len(), 128);
    let keyrings = vec![keyring(CLINIC); 128];
    world
        .by(PATIENT, |records, actor| {
            records.set_keyrings(actor, CHART, 1, keyrings)
        })
        .unwrap();
    assert_eq!(world.events(), vec![keyring_set(CLINIC); 128]);
    assert_eq!(
        world.records.decide_many(vec![question(CLINIC); 128]).unwrap(),
        [reason::COMPARTMENT; 128]
    );
}

#[test]
fn a_writer_needs_a_write_grant_in_force_on_each_compartment() {
    let mut world = World::new();
    let refused = |world: &mut World, compartment, reason| {
        assert_eq!(
            world.add(CLINIC, vec![record(RECORD, compartment)]),
            Err(not_writer(CLINIC, compartment, reason))
        );
        let outcome = world.by(CLINIC, |records, actor| {
            records.add_batch(actor, CHART, NOBODY, 1, compartment, 0, POINTER, 1)
        });
        assert_eq!(outcome, Err(not_writer(CLINIC, compartment, reason)));
    };
    refused(&mut world, LABS, reason::NO_GRANT);
    let all = terms(u64::MAX);
    for actions in [action::READ, action::SHARE, !action::WRITE] {
        world.grant(CLINIC, GrantTerms { actions, ..all.clone() });
        refused(&mut world, LABS, reason::ACTION);
    }
    let not_before = NOW + 1;
    world.grant(
        CLINIC,
        GrantTerms {
            notBefore: not_before,
            ..all.clone()
        },
    );
    refused(&mut world, LABS, reason::NOT_YET_VALID);
    world.grant(CLINIC, terms(1 << LABS));
    refused(&mut world, CLAIMS, reason::COMPARTMENT);
    // One compartment that is not granted refuses the batch.
    let batch = vec![record(id(1), CLAIMS), record(id(2), LABS)];
    assert_eq!(
        world.add(CLINIC, batch),
        Err(not_writer(CLINIC, CLAIMS, reason::COMPARTMENT))
    );
    // A purpose is asked of readers only.
    world.grant(
        CLINIC,
        GrantTerms {
            purposes: purpose::HPAYMT,
            actions: action::WRITE,
            expiry: NOW + 10,
            ..terms(1 << LABS)
        },
    );
    world.at(NOW + 9);
    world.add(CLINIC, vec![record(RECORD, LABS)]).unwrap();
    world.at(NOW + 10);
    refused(&mut world, LABS, reason::EXPIRED);
    assert_eq!(
        world.amend(CLINIC, RECORD, POINTER, AMENDED),
        Err(not_writer(CLINIC, LABS, reason::EXPIRED))
    );
    assert_eq!(
        world.enter_in_error(CLINIC, RECORD, POINTER),
        Err(not_writer(CLINIC, LABS, reason::EXPIRED))
    );
    world.revoke_all();
    // Whoever it is: there is nothing to seal to.
    assert_eq!(world.add(CLINIC, vec![record(id(1), LABS)]), Err(rotation_due()));
    assert_eq!(
        world.enter_in_error(CLINIC, RECORD, POINTER),
        Err(not_writer(CLINIC, LABS, reason::REVOKED))
    );
    world.rotate();
    assert_eq!(
        world.add(CLINIC, vec![record(id(1), LABS)]),
        Err(not_writer(CLINIC, LABS, reason::REVOKED))
    );
}

#[test]
fn a_writer_other_than_the_controller_needs_a_provider_credential() {
    let mut world = World::new();
    world.grant(INSURER, terms(u64::MAX));
    world.grant(CLINIC, terms(u64::MAX));
    let refused = |actor| Err(not_credentialed(actor, NOBODY));
    assert_eq!(world.add(INSURER, vec![record(RECORD, LABS)]), refused(INSURER));
    // A registry that says no, or something that is not a truth, or nothing.
    for answer in [vec![0; 32], vec![0xff; 32], B256::with_last_byte(2).to_vec(), vec![]] {
        world.answer(answer);
        assert_eq!(world.add(CLINIC, vec![record(RECORD, LABS)]), refused(CLINIC));
    }
    world.yes();
    world.add(CLINIC, vec![record(RECORD, LABS)]).unwrap();
    world.add(CLINIC, vec![record(id(1), LABS)]).unwrap();
    // The patient holds none, and the insurer cannot touch what is there either.
    world.add(PATIENT, vec![record(id(2), LABS)]).unwrap();
    assert_eq!(world.amend(INSURER, RECORD, POINTER, AMENDED), refused(INSURER));
    assert_eq!(world.enter_in_error(INSURER, RECORD, POINTER), refused(INSURER));
    let batch = |records: &mut Records, actor| records.add_batch(actor, CHART, NOBODY, 1, LABS, 0, POINTER, 1);
    assert_eq!(world.by(INSURER, batch), refused(INSURER));
    // It is the clinic, for the role of a provider, that is asked about; now it has lost that.
    world.refuse(REGISTRY, has_provider(CLINIC));
    assert_eq!(world.amend(CLINIC, RECORD, POINTER, AMENDED), refused(CLINIC));
    assert_eq!(world.by(CLINIC, batch), refused(CLINIC));
}

#[test]
fn amending_follows_the_current_version_and_links_to_the_previous() {
    let mut world = World::new();
    world.add(PATIENT, vec![record(RECORD, LABS)]).unwrap();
    world.grant(CLINIC, terms(1 << LABS));
    assert_eq!(world.amend(CLINIC, id(5), POINTER, AMENDED), Err(unknown(id(5))));
    assert_eq!(
        world.amend(CLINIC, RECORD, B256::ZERO, AMENDED),
        Err(stale_pointer(B256::ZERO, POINTER))
    );
    assert_eq!(world.amend(CLINIC, RECORD, POINTER, B256::ZERO), Err(zero_digest()));
    world.at(NOW + 5);
    world.amend(CLINIC, RECORD, POINTER, AMENDED).unwrap();
    assert_eq!(
        world.records.record_of(CHART, RECORD),
        (CLINIC, NOW + 5, 2, LABS, status::CURRENT, 9, AMENDED)
    );
    assert_eq!(
        world.events(),
        [Event::RecordAmended(IRecords::RecordAmended {
            chart: CHART,
            recordId: RECORD,
            author: CLINIC,
            version: 2,
            codec: 9,
            pointer: AMENDED,
            previous: POINTER
        })]
    );
    // A second writer who read version 1 is told so.
    assert_eq!(
        world.amend(CLINIC, RECORD, POINTER, id(9)),
        Err(stale_pointer(POINTER, AMENDED))
    );
    world.amend(PATIENT, RECORD, AMENDED, POINTER).unwrap();
    assert_eq!(world.records.record_of(CHART, RECORD).2, 3);
    world.grant(CLINIC, terms(1 << CLAIMS));
    assert_eq!(
        world.amend(CLINIC, RECORD, POINTER, id(9)),
        Err(not_writer(CLINIC, LABS, reason::COMPARTMENT))
    );
}

#[test]
fn what_was_entered_in_error_stays_readable_and_is_not_amended_any_more() {
    let mut world = World::new();
    world.grant(CLINIC, terms(1 << LABS));
    world.add(CLINIC, vec![record(RECORD, LABS)]).unwrap();
    assert_eq!(world.enter_in_error(CLINIC, id(5), POINTER), Err(unknown(id(5))));
    // It was amended since they read it.
    world.amend(PATIENT, RECORD, POINTER, AMENDED).unwrap();
    assert_eq!(
        world.enter_in_error(CLINIC, RECORD, POINTER),
        Err(stale_pointer(POINTER, AMENDED))
    );
    world.at(NOW + 5);
    world.enter_in_error(CLINIC, RECORD, AMENDED).unwrap();
    assert_eq!(
        world.events(),
        [Event::RecordEnteredInError(IRecords::RecordEnteredInError {
            chart: CHART,
            recordId: RECORD,
            by: CLINIC
        })]
    );
    // Author, time and version are the amended one's still.
    let stored = (PATIENT, NOW, 2, LABS, status::ENTERED_IN_ERROR, 9, AMENDED);
    assert_eq!(world.records.record_of(CHART, RECORD), stored);
    for actor in [CLINIC, PATIENT] {
        let refused = Err(record_status(RECORD, status::ENTERED_IN_ERROR));
        assert_eq!(world.amend(actor, RECORD, AMENDED, POINTER), refused);
        assert_eq!(world.enter_in_error(actor, RECORD, AMENDED), refused);
    }
    let asked = Question {
        recordId: RECORD,
        ..question(CLINIC)
    };
    assert_eq!(world.reason(asked), reason::GRANT);
    world.shred(PATIENT, RECORD).unwrap();
    assert_eq!(world.records.record_of(CHART, RECORD).4, status::SHREDDED);
}

#[test]
fn what_is_shredded_is_a_tombstone_for_good() {
    let mut world = World::new();
    world.grant(CLINIC, terms(1 << LABS));
    world.add(CLINIC, vec![record(RECORD, LABS)]).unwrap();
    world.amend(CLINIC, RECORD, POINTER, AMENDED).unwrap();
    assert_eq!(world.shred(PATIENT, id(5)), Err(unknown(id(5))));
    // Not even by its author.
    assert_eq!(world.shred(CLINIC, RECORD), Err(not_controller(CLINIC, 0)));
    world.at(NOW + 5);
    world.shred(PATIENT, RECORD).unwrap();
    assert_eq!(
        world.events(),
        [Event::RecordShredded(IRecords::RecordShredded {
            chart: CHART,
            recordId: RECORD
        })]
    );
    let tombstone = (CLINIC, NOW, 2, LABS, status::SHREDDED, 9, B256::ZERO);
    assert_eq!(world.records.record_of(CHART, RECORD), tombstone);

    let refused = Err(record_status(RECORD, status::SHREDDED));
    assert_eq!(world.shred(PATIENT, RECORD), refused);
    for previous in [AMENDED, B256::ZERO] {
        assert_eq!(world.amend(PATIENT, RECORD, previous, POINTER), refused);
        assert_eq!(world.enter_in_error(PATIENT, RECORD, previous), refused);
    }
    assert_eq!(
        world.add(PATIENT, vec![record(RECORD, LABS)]),
        Err(IRecords::RecordExists { recordId: RECORD }.into())
    );
    for grantee in [CLINIC, PATIENT] {
        let of_record = |record_id| Question {
            recordId: record_id,
            ..question(grantee)
        };
        assert_eq!(world.reason(of_record(RECORD)), reason::SHREDDED);
        assert!(reason::is_allowed(world.reason(of_record(B256::ZERO))));
    }
    assert_eq!(world.records.record_of(CHART, RECORD), tombstone);
}
