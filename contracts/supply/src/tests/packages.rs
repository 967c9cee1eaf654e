//! Recalls, and each package: dispensed once, decommissioned, and what a scan of it says.
use super::*;

const NO_PARTY: Address = Address::ZERO;

fn recalled(batch: B256, number: u8) -> Error {
    ISupply::Recalled { batch, number }.into()
}

/// A batch whose first five serials are one pharmacy's, the next five another's, and the rest the maker's.
fn delivered() -> (World, B256) {
    let mut world = World::new();
    let batch = world.register();
    world.by(MAKER).split(MAKER, batch, 0, vec![5, 10]).unwrap();
    world.sell(MAKER, PHARMACY, batch, &[0]);
    world.sell(MAKER, WHOLESALER, batch, &[5]);
    world.sell(WHOLESALER, OTHER_PHARMACY, batch, &[5]);
    world.events();
    (world, batch)
}

#[test]
fn a_package_is_dispensed_once_and_the_second_use_names_the_first() {
    let (mut world, batch) = delivered();
    world.dispense(PHARMACY, batch, 0, 3).unwrap();
    assert_eq!(
        world.events(),
        [Event::Dispensed(ISupply::Dispensed {
            batch,
            serial: serial(3),
            by: PHARMACY,
            unit: 0,
            index: 3,
            document: DOCUMENT,
        })]
    );
    assert_eq!(world.supply.dispensed_of(MAKER, GTIN, serial(3)), (PHARMACY, NOW, 3));
    world.at(NOW + 9);
    let already = ISupply::AlreadyDispensed {
        serial: serial(3),
        by: PHARMACY,
        at: NOW,
    };
    // By the same pharmacy, and by one that has a copy of the package, whatever unit they say that it is in.
    for (actor, unit) in [(PHARMACY, 0), (OTHER_PHARMACY, 5), (OTHER_PHARMACY, 0), (STRANGER, 77)] {
        assert_eq!(world.dispense(actor, batch, unit, 3), Err(already.clone().into()));
    }
    // Also once it was cut from its unit, or has gone back.
    world.by(PHARMACY).split(PHARMACY, batch, 0, vec![3]).unwrap();
    assert_eq!(world.dispense(PHARMACY, batch, 3, 3), Err(already.clone().into()));
    world.pass(PHARMACY, MAKER, terms::RETURN, batch, &[3]);
    world.sell(MAKER, OTHER_PHARMACY, batch, &[3]);
    assert_eq!(world.dispense(OTHER_PHARMACY, batch, 3, 3), Err(already.into()));
    world.dispense(OTHER_PHARMACY, batch, 3, 4).unwrap();
}

#[test]
fn a_serial_that_a_maker_has_given_twice_is_found_at_the_second_use() {
    let mut world = World::new();
    // Twice in one batch, and once more in the next.
    let tree = Tree::of(&[serial(1), serial(2), serial(1)]);
    let mut batches = vec![];
    for (maker, gtin, lot) in [
        (MAKER, GTIN, LOT),
        (MAKER, GTIN, OTHER_LOT),
        (MAKER, OTHER_GTIN, LOT),
        (OTHER_MAKER, GTIN, LOT),
    ] {
        let batch = world
            .by(maker)
            .register_batch(maker, gtin, lot, EXPIRY, tree.root, 3, DOCUMENT)
            .unwrap();
        world.sell(maker, PHARMACY, batch, &[0]);
        batches.push(batch);
    }
    let mut dispense = |batch, index: u32, data| {
        let proof = tree.proof(index);
        world
            .by(PHARMACY)
            .dispense(PHARMACY, batch, 0, index, data, proof, DOCUMENT)
    };
    let already = ISupply::AlreadyDispensed {
        serial: serial(1),
        by: PHARMACY,
        at: NOW,
    };
    dispense(batches[0], 0, serial(1)).unwrap();
    assert_eq!(dispense(batches[0], 2, serial(1)), Err(already.clone().into()));
    for index in [0, 2] {
        assert_eq!(dispense(batches[1], index, serial(1)), Err(already.clone().into()));
    }
    dispense(batches[1], 1, serial(2)).unwrap();
    // Another drug, or another maker's, is another package.
    dispense(batches[2], 0, serial(1)).unwrap();
    dispense(batches[3], 0, serial(1)).unwrap();
}

#[test]
fn what_is_not_in_the_tree_is_not_dispensed() {
    let (mut world, batch) = delivered();
    let tree = tree();
    let node = {
        let pair = [&[1][..], &tree.leaves[0][..], &tree.leaves[1][..]].concat();
        keccak256(pair)
    };
    let longer = [tree.proof(0), vec![LOT]].concat();
    for (index, data, proof) in [
        (0, serial(99), tree.proof(0)),
        // Another's place or proof, a node for a leaf, too short, too long, none, beyond the batch.
        (1, serial(0), tree.proof(0)),
        (0, serial(0), tree.proof(1)),
        (0, node, tree.proof(0)[1..].to_vec()),
        (0, serial(0), tree.proof(0)[1..].to_vec()),
        (0, serial(0), longer),
        (0, serial(0), vec![]),
        (0, serial(0), vec![LOT; 200]),
        (COUNT, serial(COUNT), vec![]),
        (u32::MAX, serial(0), tree.proof(0)),
        (0, B256::ZERO, vec![]),
    ] {
        assert_eq!(
            world.supply.verify(batch, 0, index, data, proof.clone()),
            Ok((0, NO_PARTY, 0))
        );
        let outcome = world
            .by(PHARMACY)
            .dispense(PHARMACY, batch, 0, index, data, proof, DOCUMENT);
        assert_eq!(outcome, Err(ISupply::NotInBatch { batch, index }.into()));
    }
    // Of another batch, and of none.
    let other = Tree::of(&[serial(50), serial(51)]);
    let foreign = world
        .by(MAKER)
        .register_batch(MAKER, GTIN, OTHER_LOT, EXPIRY, other.root, 2, DOCUMENT)
        .unwrap();
    world.sell(MAKER, PHARMACY, foreign, &[0]);
    let outcome = world
        .by(PHARMACY)
        .dispense(PHARMACY, foreign, 0, 0, serial(0), tree.proof(0), DOCUMENT);
    assert_eq!(
        outcome,
        Err(ISupply::NotInBatch {
            batch: foreign,
            index: 0
        }
        .into())
    );
    let unknown = B256::repeat_byte(0x77);
    let outcome = world.dispense(PHARMACY, unknown, 0, 0);
    assert_eq!(outcome, Err(ISupply::UnknownBatch { batch: unknown }.into()));
    assert_eq!(world.verify(unknown, 0, 0), Ok((0, NO_PARTY, 0)));
}

#[test]
fn only_the_pharmacy_that_holds_the_unit_dispenses_from_it() {
    let (mut world, batch) = delivered();
    let not_holder = |actor, holder| Err(ISupply::NotHolder { actor, holder }.into());
    assert_eq!(
        world.dispense(OTHER_PHARMACY, batch, 0, 0),
        not_holder(OTHER_PHARMACY, PHARMACY)
    );
    assert_eq!(world.dispense(MAKER, batch, 0, 0), not_holder(MAKER, PHARMACY));
    // One's own unit, another's package.
    for (index, unit, from, to) in [(5, 0, 0, 5), (4, 5, 5, 10), (10, 5, 5, 10)] {
        let actor = if unit == 0 { PHARMACY } else { OTHER_PHARMACY };
        assert_eq!(
            world.dispense(actor, batch, unit, index),
            Err(ISupply::NotInUnit { index, from, to }.into())
        );
    }
    assert_eq!(
        world.dispense(PHARMACY, batch, 1, 1),
        Err(ISupply::UnknownUnit { batch, unit: 1 }.into())
    );
    // Who holds it, but does not dispense.
    assert_eq!(
        world.dispense(MAKER, batch, 10, 10),
        Err(not_credentialed(MAKER, role::PHARMACY))
    );
    world.sell(MAKER, WHOLESALER, batch, &[10]);
    assert_eq!(
        world.dispense(WHOLESALER, batch, 10, 10),
        Err(not_credentialed(WHOLESALER, role::PHARMACY))
    );
    for index in [5, 9] {
        world.dispense(OTHER_PHARMACY, batch, 5, index).unwrap();
    }
}

#[test]
fn an_expired_batch_is_neither_sold_nor_dispensed_and_goes_back() {
    let (mut world, batch) = delivered();
    world.at(EXPIRY - 1);
    world.dispense(PHARMACY, batch, 0, 0).unwrap();
    assert_eq!(world.verify(batch, 0, 1), Ok((package::MADE, PHARMACY, 0)));
    let coming = world.offer(MAKER, PHARMACY, terms::SALE, batch, &[10]).unwrap();
    for now in [EXPIRY, EXPIRY + 1, TIME_MOST] {
        world.at(now);
        let expired = ISupply::BatchExpired { batch, expiry: EXPIRY };
        assert_eq!(world.dispense(PHARMACY, batch, 0, 1), Err(expired.clone().into()));
        assert_eq!(
            world.offer(PHARMACY, WHOLESALER, terms::SALE, batch, &[0]),
            Err(expired.into())
        );
        assert_eq!(
            world.verify(batch, 0, 1),
            Ok((package::MADE | package::EXPIRED, PHARMACY, 0))
        );
    }
    // What was under way arrives all the same.
    world.at(EXPIRY);
    world.by(PHARMACY).accept(PHARMACY, coming, DOCUMENT).unwrap();
    world.pass(PHARMACY, MAKER, terms::RETURN, batch, &[0, 10]);
    world.decommission(MAKER, batch, 0).unwrap();
    assert_eq!(
        world.verify(batch, 0, 0),
        Ok((
            package::MADE | package::EXPIRED | package::DISPENSED,
            PHARMACY,
            EXPIRY - 1
        ))
    );
}

#[test]
fn a_recall_stops_its_serials_and_no_others() {
    let (mut world, batch) = delivered();
    world.dispense(PHARMACY, batch, 0, 4).unwrap();
    world.events();
    world
        .by(MAKER)
        .recall(MAKER, batch, 0, 4, 6, recalls::CLASS_II, recalls::MISLABELLED, DOCUMENT)
        .unwrap();
    assert_eq!(
        world.events(),
        [Event::RecallIssued(ISupply::RecallIssued {
            batch,
            by: MAKER,
            number: 0,
            from: 4,
            to: 6,
            class: 2,
            reasonCode: 3,
            document: DOCUMENT,
        })]
    );
    assert_eq!(world.supply.recall_of(batch, 0), (4, 6, 2, 3, NOW));
    assert_eq!(world.supply.batch_of(batch).6, 1);
    // At both ends.
    world.dispense(PHARMACY, batch, 0, 3).unwrap();
    world.dispense(OTHER_PHARMACY, batch, 5, 6).unwrap();
    assert_eq!(world.dispense(OTHER_PHARMACY, batch, 5, 5), Err(recalled(batch, 0)));
    // The client of who was given number 4 is told.
    assert_eq!(
        world.verify(batch, 0, 4),
        Ok((package::MADE | package::DISPENSED | package::RECALLED, PHARMACY, NOW))
    );
    assert_eq!(world.verify(batch, 5, 6).unwrap().0 & package::RECALLED, 0);
    // Units with one of them are not sold, until it is cut off.
    assert_eq!(
        world.offer(OTHER_PHARMACY, WHOLESALER, terms::SALE, batch, &[5]),
        Err(recalled(batch, 0))
    );
    world.by(PHARMACY).split(PHARMACY, batch, 0, vec![4]).unwrap();
    assert_eq!(
        world.offer(PHARMACY, OTHER_PHARMACY, terms::SALE, batch, &[0, 4]),
        Err(recalled(batch, 0))
    );
    world.sell(PHARMACY, OTHER_PHARMACY, batch, &[0]);
    world.sell(MAKER, PHARMACY, batch, &[10]);
    world.pass(PHARMACY, MAKER, terms::RETURN, batch, &[4]);
    assert_eq!(
        world.offer(MAKER, PHARMACY, terms::SALE, batch, &[4]),
        Err(recalled(batch, 0))
    );
}

#[test]
fn what_is_recalled_on_its_way_arrives_and_moves_on_as_a_return_alone() {
    let (mut world, batch) = delivered();
    let coming = world.offer(MAKER, WHOLESALER, terms::SALE, batch, &[10]).unwrap();
    world.recall(REGULATOR, batch, 12, 13).unwrap();
    world.by(WHOLESALER).accept(WHOLESALER, coming, DOCUMENT).unwrap();
    assert_eq!(
        world.offer(WHOLESALER, PHARMACY, terms::SALE, batch, &[10]),
        Err(recalled(batch, 0))
    );
    world.pass(WHOLESALER, MAKER, terms::RETURN, batch, &[10]);
    world.decommission(MAKER, batch, 10).unwrap();
}

/// From the events alone: who holds some of what is recalled, and which charts' packages it reaches.
#[test]
fn a_recall_reaches_every_holder_and_every_package_that_was_dispensed() {
    let mut world = World::new();
    let batch = world.register();
    world.by(MAKER).split(MAKER, batch, 0, vec![5, 10]).unwrap();
    world.sell(MAKER, PHARMACY, batch, &[0]);
    world.sell(MAKER, WHOLESALER, batch, &[5]);
    world.by(WHOLESALER).split(WHOLESALER, batch, 5, vec![7]).unwrap();
    world.sell(WHOLESALER, OTHER_PHARMACY, batch, &[7]);
    world.dispense(OTHER_PHARMACY, batch, 7, 8).unwrap();
    world.recall(MAKER, batch, 6, 11).unwrap();
    let replay = history::Replay::of(&world.events());
    let Recall { from, to, .. } = replay.recalls[&(batch, 0)];
    assert_eq!(replay.holders(batch, from, to), [WHOLESALER, OTHER_PHARMACY, MAKER]);
    let packages: Vec<_> = replay.dispensed_between(batch, from, to);
    assert_eq!(packages, [serial(8)]);
}

#[test]
fn the_maker_and_regulators_recall_and_nobody_else() {
    let (mut world, batch) = delivered();
    for actor in [OTHER_MAKER, WHOLESALER, PHARMACY, STRANGER, RELAY] {
        assert_eq!(
            world.recall(actor, batch, 0, 1),
            Err(ISupply::MayNotRecall { actor }.into())
        );
    }
    world.recall(REGULATOR, batch, 0, 1).unwrap();
    world.recall(MAKER, batch, 0, 1).unwrap();
    world.roles.clear();
    world.recall(MAKER, batch, 0, 1).unwrap();
    assert_eq!(
        world.recall(REGULATOR, batch, 0, 1),
        Err(ISupply::MayNotRecall { actor: REGULATOR }.into())
    );
    let unknown = B256::repeat_byte(0x77);
    assert_eq!(
        world.recall(MAKER, unknown, 0, 1),
        Err(ISupply::UnknownBatch { batch: unknown }.into())
    );
}

#[test]
fn a_recall_is_of_serials_of_the_batch_and_is_made_once() {
    let (mut world, batch) = delivered();
    let mut recall = |number, from, to, class, reason| {
        world
            .by(MAKER)
            .recall(MAKER, batch, number, from, to, class, reason, DOCUMENT)
    };
    for (from, to) in [(0, 0), (5, 5), (6, 5), (0, COUNT + 1), (COUNT, COUNT), (0, u32::MAX)] {
        let count = COUNT;
        assert_eq!(
            recall(0, from, to, 1, 1),
            Err(ISupply::RecallRange { from, to, count }.into())
        );
    }
    for class in [0, 4, u8::MAX] {
        assert_eq!(recall(0, 0, 1, class, 1), Err(ISupply::UnknownClass { class }.into()));
    }
    for code in [0, 8, u8::MAX] {
        assert_eq!(
            recall(0, 0, 1, 1, code),
            Err(ISupply::UnknownReasonCode { reasonCode: code }.into())
        );
    }
    let number = |given, next| Err(ISupply::RecallNumber { given, next }.into());
    assert_eq!(recall(1, 0, 1, 1, 1), number(1, 0));
    recall(0, 0, 1, 3, 7).unwrap();
    // Signed once, sent twice.
    assert_eq!(recall(0, 0, 1, 3, 7), number(0, 1));
    for next in 1..recalls::MOST - 1 {
        recall(next, COUNT - 1, COUNT, 1, 1).unwrap();
    }
    // The last place is kept for all that is left.
    let last = recalls::MOST - 1;
    for (from, to) in [(0, COUNT - 1), (1, COUNT)] {
        let count = COUNT;
        assert_eq!(
            recall(last, from, to, 1, 1),
            Err(ISupply::RecallRange { from, to, count }.into())
        );
    }
    recall(last, 0, COUNT, 1, 1).unwrap();
    for number in [last, last + 1, 0] {
        assert_eq!(
            recall(number, 0, COUNT, 1, 1),
            Err(ISupply::TooManyRecalls { most: recalls::MOST }.into())
        );
    }
    // Each of them counts.
    assert_eq!(world.dispense(PHARMACY, batch, 0, 0), Err(recalled(batch, 0)));
    assert_eq!(world.dispense(PHARMACY, batch, 0, 1), Err(recalled(batch, last)));
}

#[test]
fn what_is_decommissioned_is_gone_for_good() {
    let (mut world, batch) = delivered();
    world.dispense(PHARMACY, batch, 0, 2).unwrap();
    world.events();
    let last = world.item(batch, 0).last;
    for code in [0, 8, u8::MAX] {
        let outcome = world
            .by(PHARMACY)
            .decommission(PHARMACY, batch, 0, last, code, DOCUMENT);
        assert_eq!(outcome, Err(ISupply::UnknownReasonCode { reasonCode: code }.into()));
    }
    for actor in [MAKER, REGULATOR, OTHER_PHARMACY, STRANGER] {
        assert_eq!(
            world.decommission(actor, batch, 0),
            Err(ISupply::NotHolder {
                actor,
                holder: PHARMACY
            }
            .into())
        );
    }
    // Signed for when it was here before.
    let outcome = world.by(PHARMACY).decommission(PHARMACY, batch, 0, 1, 1, DOCUMENT);
    let moved = ISupply::UnitMoved {
        batch,
        unit: 0,
        given: 1,
        current: last,
    };
    assert_eq!(outcome, Err(moved.into()));
    assert_eq!(world.events(), []);
    world
        .by(PHARMACY)
        .decommission(PHARMACY, batch, 0, last, decommission::STOLEN, DOCUMENT)
        .unwrap();
    assert_eq!(
        world.events(),
        [Event::Decommissioned(ISupply::Decommissioned {
            batch,
            unit: 0,
            by: PHARMACY,
            reasonCode: decommission::STOLEN,
            document: DOCUMENT,
        })]
    );
    let gone = || {
        ISupply::UnitDecommissioned {
            batch,
            unit: 0,
            reasonCode: decommission::STOLEN,
        }
        .into()
    };
    assert_eq!(world.decommission(PHARMACY, batch, 0), Err(gone()));
    assert_eq!(world.dispense(PHARMACY, batch, 0, 0), Err(gone()));
    assert_eq!(world.by(PHARMACY).split(PHARMACY, batch, 0, vec![1]), Err(gone()));
    for kind in [terms::SALE, terms::RETURN] {
        assert_eq!(world.offer(PHARMACY, MAKER, kind, batch, &[0]), Err(gone()));
    }
    // A stolen package turns up; the one that was dispensed before is its patient's.
    assert_eq!(
        world.verify(batch, 0, 0),
        Ok((package::MADE | package::DECOMMISSIONED, PHARMACY, 0))
    );
    assert_eq!(
        world.verify(batch, 0, 2),
        Ok((package::MADE | package::DISPENSED, PHARMACY, NOW))
    );
}

#[test]
fn a_scan_says_what_a_package_is_and_whose() {
    let (mut world, batch) = delivered();
    assert_eq!(world.verify(batch, 10, 12), Ok((package::MADE, MAKER, 0)));
    assert_eq!(world.verify(batch, 5, 9), Ok((package::MADE, OTHER_PHARMACY, 0)));
    // With a unit that was cut since, or none, it is told so: the package is no fake.
    assert_eq!(
        world.verify(batch, 0, 9),
        Err(ISupply::NotInUnit {
            index: 9,
            from: 0,
            to: 5
        }
        .into())
    );
    assert_eq!(
        world.verify(batch, 9, 9),
        Err(ISupply::UnknownUnit { batch, unit: 9 }.into())
    );
    world
        .offer(OTHER_PHARMACY, WHOLESALER, terms::RETURN, batch, &[5])
        .unwrap();
    assert_eq!(
        world.verify(batch, 5, 9),
        Ok((package::MADE | package::IN_TRANSIT, OTHER_PHARMACY, 0))
    );
    world.recall(REGULATOR, batch, 0, COUNT).unwrap();
    world.at(EXPIRY);
    let all = package::MADE | package::IN_TRANSIT | package::RECALLED | package::EXPIRED;
    assert_eq!(world.verify(batch, 5, 9), Ok((all, OTHER_PHARMACY, 0)));
}
