//! Every method that an account may call for itself, or the relay for it: what they all have in common.
use super::*;

/// What the actor does to the chart, as the state of [`world`] wants it.
type Call = fn(&mut Records, Address, B256) -> Result<(), Error>;

/// A method, who may call it in [`world`], and by which power a delegate might: 0, none.
struct Method {
    name: &'static str,
    actor: Address,
    power: u8,
    call: Call,
}

/// Control is offered to the heir, a record stands, the insurer holds a grant: each call of [`methods`] is sound.
fn world() -> World {
    let mut world = World::exceptional();
    world.add(PATIENT, vec![record(RECORD, LABS)]).unwrap();
    world.grant(INSURER, terms(1));
    world
        .by(PATIENT, |records, actor| records.offer_control(actor, CHART, HEIR))
        .unwrap();
    world
}

/// All but `openChart`, which has no chart yet.
fn methods() -> Vec<Method> {
    let method = |name, actor, power, call| Method {
        name,
        actor,
        power,
        call,
    };
    vec![
        method("offerControl", PATIENT, 0, |records, actor, chart| {
            records.offer_control(actor, chart, STRANGER)
        }),
        method("acceptControl", HEIR, 0, |records, actor, chart| {
            records.accept_control(actor, chart, 2, ROTATED, vec![keyring(INSURER)])
        }),
        method("setDirectory", PATIENT, power::DIRECTORY, |records, actor, chart| {
            records.set_directory(actor, chart, 2, ROTATED)
        }),
        method("addRecords", PATIENT, power::WRITE, |records, actor, chart| {
            records.add_records(
                actor,
                chart,
                NOBODY,
                1,
                vec![record(id(1), LABS), record(id(2), CLAIMS)],
            )
        }),
        method("amendRecord", PATIENT, power::WRITE, |records, actor, chart| {
            records.amend_record(actor, chart, NOBODY, 1, RECORD, POINTER, 9, AMENDED)
        }),
        method("enterInError", PATIENT, power::WRITE, |records, actor, chart| {
            records.enter_in_error(actor, chart, NOBODY, RECORD, POINTER)
        }),
        method("shredRecord", PATIENT, 0, |records, actor, chart| {
            records.shred_record(actor, chart, RECORD)
        }),
        method("addBatch", PATIENT, power::WRITE, |records, actor, chart| {
            records.add_batch(actor, chart, NOBODY, 1, LABS, CODEC_DAG_CBOR, POINTER, 5)
        }),
        method("grant", PATIENT, power::GRANT, |records, actor, chart| {
            records.grant(actor, chart, 1, CLINIC, 0, terms(1), KEYRING)
        }),
        method("setKeyrings", PATIENT, power::DIRECTORY, |records, actor, chart| {
            records.set_keyrings(actor, chart, 1, vec![keyring(INSURER)])
        }),
        method("revoke", PATIENT, power::REVOKE, |records, actor, chart| {
            records.revoke(actor, chart, INSURER, 2, ROTATED, vec![])
        }),
        method("revokeAll", PATIENT, power::REVOKE, |records, actor, chart| {
            records.revoke_all(actor, chart, 2)
        }),
    ]
}

#[test]
fn nobody_but_the_relay_calls_for_somebody_else() {
    let mut world = world();
    let refused = |caller, actor| Err(IRecords::NotActor { caller, actor }.into());
    for method in methods() {
        for caller in [STRANGER, REGISTRY, EXCEPTIONS, INSURER, NOBODY] {
            let outcome = world.through(caller, method.actor, |records, actor| {
                (method.call)(records, actor, CHART)
            });
            assert_eq!(outcome, refused(caller, method.actor), "{}", method.name);
        }
        // Nor does who may do it name another.
        let outcome = world.through(method.actor, STRANGER, |records, actor| {
            (method.call)(records, actor, CHART)
        });
        assert_eq!(outcome, refused(method.actor, STRANGER), "{}", method.name);
    }
    let open = |records: &mut Records, actor| records.open_chart(actor, OTHER_CHART, DIRECTORY);
    assert_eq!(world.through(STRANGER, PATIENT, open), refused(STRANGER, PATIENT));
    assert_eq!(world.through(RELAY, PATIENT, open), Ok(()));
    assert_eq!(world.records.chart_of(OTHER_CHART).0, PATIENT);
}

#[test]
fn what_the_relay_does_for_an_actor_is_what_they_would_do_themselves() {
    let world = world();
    for method in methods() {
        let (mut own, mut relayed) = (world.fork(), world.fork());
        own.by(method.actor, |records, actor| (method.call)(records, actor, CHART))
            .unwrap();
        relayed
            .through(RELAY, method.actor, |records, actor| {
                (method.call)(records, actor, CHART)
            })
            .unwrap();
        assert!(!own.events().is_empty(), "{}", method.name);
        assert_eq!(own.events(), relayed.events(), "{}", method.name);
        assert_eq!(own.storage(), relayed.storage(), "{}", method.name);
        // Keyrings are off the chain: only their digests are told.
        let is_told_only = own.storage() == world.storage();
        assert_eq!(is_told_only, method.name == "setKeyrings", "{}", method.name);
    }
}

impl Method {
    /// What somebody without a right to it is told.
    fn refusal(&self, actor: Address) -> Error {
        match (self.name, self.power) {
            ("acceptControl", _) => IRecords::NotOffered { actor, offered: HEIR }.into(),
            (_, power::WRITE) => not_writer(actor, LABS, reason::NO_GRANT),
            (_, power) => not_controller(actor, power),
        }
    }
}

/// The relay carries others' word, and has no right of its own.
#[test]
fn what_is_the_controllers_is_refused_to_everyone_else() {
    let mut world = world();
    for method in methods() {
        for actor in [STRANGER, GUARDIAN, REGISTRY, EXCEPTIONS, RELAY] {
            for caller in [actor, RELAY] {
                let outcome = world.through(caller, actor, |records, actor| (method.call)(records, actor, CHART));
                assert_eq!(outcome, Err(method.refusal(actor)), "{}", method.name);
            }
        }
    }
}

#[test]
fn grants_give_nothing_that_is_the_controllers() {
    let mut world = world();
    let everything = GrantTerms {
        purposes: u32::MAX,
        actions: u8::MAX,
        ..terms(u64::MAX)
    };
    world.grant(CLINIC, everything);
    for method in methods().iter().filter(|method| method.power != power::WRITE) {
        let outcome = world.by(CLINIC, |records, actor| (method.call)(records, actor, CHART));
        assert_eq!(outcome, Err(method.refusal(CLINIC)), "{}", method.name);
    }
}

#[test]
fn every_method_refuses_an_unknown_chart() {
    let mut world = world();
    let unknown = Err(IRecords::UnknownChart { chart: OTHER_CHART }.into());
    for method in methods() {
        for (caller, actor) in [
            (method.actor, method.actor),
            (RELAY, method.actor),
            (STRANGER, STRANGER),
        ] {
            let outcome = world.through(caller, actor, |records, actor| {
                (method.call)(records, actor, OTHER_CHART)
            });
            assert_eq!(outcome, unknown, "{}", method.name);
        }
    }
}

/// Each by the one power for it, announced first.
#[test]
fn a_delegate_does_what_their_powers_say_and_no_more() {
    let world = world();
    for method in methods() {
        let act = |facts: Facts| {
            let mut world = world.fork();
            world.facts(facts);
            let outcome = world.by(GUARDIAN, |records, actor| (method.call)(records, actor, CHART));
            outcome.map(|()| world)
        };
        let refused = method.refusal(GUARDIAN);
        let all_others = Facts {
            powers: !method.power,
            emergency: true,
            allowed_since: u32::MAX,
            ..NOTHING
        };
        assert_eq!(act(all_others).err(), Some(refused), "{}", method.name);
        if method.power == 0 {
            continue;
        }
        let delegate = act(Facts {
            powers: method.power,
            ..NOTHING
        })
        .unwrap_or_else(|error| panic!("{}: {error:?}", method.name));
        let events = delegate.events();
        assert_eq!(events[0], by_delegate(GUARDIAN, method.power), "{}", method.name);

        // The rest is as the controller does it, but for who the author is.
        let mut own = world.fork();
        own.by(PATIENT, |records, actor| (method.call)(records, actor, CHART))
            .unwrap();
        assert_eq!(events.len(), own.events().len() + 1, "{}", method.name);
        if method.power != power::WRITE {
            assert_eq!(events[1..], own.events()[..], "{}", method.name);
            assert_eq!(delegate.storage(), own.storage(), "{}", method.name);
        }
    }
}

/// No answer about delegates is a no.
#[test]
fn powers_that_cannot_be_known_are_none() {
    let answers = [
        vec![],
        vec![0xff; 31],
        vec![0xff; 128],
        // One word is missing.
        encoded(Facts {
            powers: power::EVERY,
            ..NOTHING
        })[..96]
            .to_vec(),
        // Truths of 2, powers of 256, a version of 2^32.
        [word(2), word(0), word(63), word(0)].concat(),
        [word(0), word(0), word(63), word(2)].concat(),
        [word(0), word(0), word(256 + 63), word(0)].concat(),
        [word(0), word(1 << 32), word(63), word(0)].concat(),
    ];
    let world = world();
    for method in methods().iter().filter(|method| method.power != 0) {
        let refused = Err(method.refusal(GUARDIAN));
        for answer in &answers {
            let mut world = world.fork();
            world.answer(answer.clone());
            let outcome = world.by(GUARDIAN, |records, actor| (method.call)(records, actor, CHART));
            assert_eq!(outcome, refused, "{} {answer:?}", method.name);
        }
        // `exceptions` reverts, though with a good answer for its reason.
        let mut failing = world.fork();
        failing.facts(Facts {
            powers: power::EVERY,
            ..NOTHING
        });
        for compartment in [0, LABS] {
            for record_id in [B256::ZERO, RECORD] {
                for action in [0, action::WRITE] {
                    failing.refuse(
                        EXCEPTIONS,
                        factsOfCall {
                            chart: CHART,
                            grantEpoch: 1,
                            controlEpoch: 0,
                            grantee: GUARDIAN,
                            member: NOBODY,
                            compartment,
                            recordId: record_id,
                            purpose: 0,
                            action,
                        },
                    );
                }
            }
        }
        let outcome = failing.by(GUARDIAN, |records, actor| (method.call)(records, actor, CHART));
        assert_eq!(outcome, refused, "{}", method.name);
    }
}

fn word(number: u64) -> [u8; 32] {
    U256::from(number).to_be_bytes()
}

/// `exceptions` is not even asked about a chart that never had anything there.
#[test]
fn a_plain_chart_has_no_delegates() {
    let mut world = World::new();
    world.facts(Facts {
        powers: power::EVERY,
        ..NOTHING
    });
    for (power, outcome) in [
        (
            power::DIRECTORY,
            world.by(GUARDIAN, |records, actor| {
                records.set_directory(actor, CHART, 2, ROTATED)
            }),
        ),
        (
            power::REVOKE,
            world.by(GUARDIAN, |records, actor| records.revoke_all(actor, CHART, 2)),
        ),
    ] {
        assert_eq!(outcome, Err(not_controller(GUARDIAN, power)));
    }
    assert_eq!(
        world.add(GUARDIAN, vec![record(RECORD, LABS)]),
        Err(not_writer(GUARDIAN, LABS, reason::NO_GRANT))
    );
}
