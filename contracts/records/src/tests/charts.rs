use super::*;

#[test]
fn its_neighbours_are_constants_of_its_code() {
    let vm = TestVM::new();
    assert_eq!(Records::from(&vm).neighbours(), (REGISTRY, EXCEPTIONS, RELAY));
    // What lies in storage changes none of them.
    for slot in 0..8 {
        vm.set_storage(U256::from(slot), STRANGER.into_word());
    }
    assert_eq!(Records::from(&vm).neighbours(), (REGISTRY, EXCEPTIONS, RELAY));
}

#[test]
fn a_chart_is_opened_once_by_anyone_who_then_controls_it() {
    let mut world = World::new();
    let opened = (PATIENT, 1, 1, DIRECTORY, 0, false, false);
    assert_eq!(
        world.events(),
        [Event::ChartOpened(IRecords::ChartOpened {
            chart: CHART,
            controller: PATIENT,
            directory: DIRECTORY
        })]
    );
    let mut open =
        |actor, chart, directory| world.by(actor, |records, actor| records.open_chart(actor, chart, directory));
    for actor in [STRANGER, PATIENT] {
        assert_eq!(
            open(actor, CHART, ROTATED),
            Err(IRecords::ChartExists { chart: CHART }.into())
        );
    }
    assert_eq!(open(PATIENT, B256::ZERO, DIRECTORY), Err(IRecords::ZeroId {}.into()));
    assert_eq!(open(PATIENT, OTHER_CHART, B256::ZERO), Err(zero_digest()));
    let none = (NOBODY, 0, 0, B256::ZERO, 0, false, false);
    assert_eq!(world.records.chart_of(OTHER_CHART), none);
    world
        .by(STRANGER, |records, actor| {
            records.open_chart(actor, OTHER_CHART, ROTATED)
        })
        .unwrap();
    assert_eq!(
        world.records.chart_of(OTHER_CHART),
        (STRANGER, 1, 1, ROTATED, 0, false, false)
    );
    assert_eq!(world.records.chart_of(CHART), opened);
}

#[test]
fn a_directory_has_the_next_version_and_a_digest() {
    let mut world = World::new();
    let mut set = |version, directory| {
        world.by(PATIENT, |records, actor| {
            records.set_directory(actor, CHART, version, directory)
        })
    };
    for given in [0, 1, 3, u32::MAX] {
        assert_eq!(set(given, ROTATED), Err(stale(given, 2)));
    }
    assert_eq!(set(2, B256::ZERO), Err(zero_digest()));
    set(2, ROTATED).unwrap();
    assert_eq!(world.events(), [directory_set(2)]);
    assert_eq!(world.records.chart_of(CHART), (PATIENT, 1, 2, ROTATED, 0, false, false));
    // What was signed once is not taken twice.
    assert_eq!(
        world.by(PATIENT, |records, actor| {
            records.set_directory(actor, CHART, 2, ROTATED)
        }),
        Err(stale(2, 3))
    );
}

#[test]
fn exceptions_alone_makes_a_chart_exceptional_for_good() {
    let mut world = World::new();
    for caller in [PATIENT, STRANGER, RELAY, REGISTRY, Address::new(link::RECORDS), NOBODY] {
        assert_eq!(
            world.by(caller, |records, _| records.set_exceptional(CHART)),
            Err(IRecords::NotExceptions { caller }.into())
        );
    }
    let mut make = |chart| world.by(EXCEPTIONS, |records, _| records.set_exceptional(chart));
    assert_eq!(
        make(OTHER_CHART),
        Err(IRecords::UnknownChart { chart: OTHER_CHART }.into())
    );
    make(CHART).unwrap();
    assert_eq!(
        world.events(),
        [Event::MadeExceptional(IRecords::MadeExceptional { chart: CHART })]
    );
    assert_eq!(
        world.records.chart_of(CHART),
        (PATIENT, 1, 1, DIRECTORY, 0, true, false)
    );
    world
        .by(EXCEPTIONS, |records, _| records.set_exceptional(CHART))
        .unwrap();
    assert_eq!(world.events(), []);
    world.rotate();
    world.revoke_all();
    assert_eq!(world.records.chart_of(CHART), (PATIENT, 2, 2, ROTATED, 0, true, true));
}
