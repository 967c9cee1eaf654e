//! Units pass from hand to hand by offer and acceptance, and in no other way.
use super::*;

fn closed(shipment: u64, state: u8) -> Error {
    ISupply::ShipmentNotOpen { shipment, state }.into()
}

#[test]
fn custody_passes_when_it_is_accepted_and_not_before() {
    let mut world = World::new();
    let batch = world.register();
    world.events();
    let sale = world.offer(MAKER, WHOLESALER, terms::SALE, batch, &[0]).unwrap();
    assert_eq!(sale, 2);
    let offered = ISupply::ShipmentOffered {
        shipment: 2,
        from: MAKER,
        to: WHOLESALER,
        kind: terms::SALE,
        document: DOCUMENT,
    };
    let unit_offered = ISupply::UnitOffered {
        shipment: 2,
        batch,
        unit: 0,
        held: 1,
        step: 2,
        previous: 1,
    };
    assert_eq!(
        world.events(),
        [Event::ShipmentOffered(offered), Event::UnitOffered(unit_offered)]
    );
    assert_eq!(world.supply.unit_of(batch, 0), (COUNT, MAKER, 1, 2, 2, 0));
    assert_eq!(
        world.supply.shipment_of(2),
        (MAKER, WHOLESALER, terms::SALE, terms::OPEN, NOW)
    );
    world.by(WHOLESALER).accept(WHOLESALER, sale, DOCUMENT).unwrap();
    assert_eq!(world.supply.unit_of(batch, 0), (COUNT, WHOLESALER, 2, 2, 0, 0));
    assert_eq!(world.supply.step_of(2), (WHOLESALER, 1, 2));
    assert_eq!(
        world.events(),
        [Event::ShipmentClosed(ISupply::ShipmentClosed {
            shipment: 2,
            by: WHOLESALER,
            state: terms::ACCEPTED,
            document: DOCUMENT,
        })]
    );
}

#[test]
fn a_shipment_is_closed_once_by_those_it_concerns() {
    for (state, by) in [
        (terms::ACCEPTED, WHOLESALER),
        (terms::REFUSED, WHOLESALER),
        (terms::WITHDRAWN, MAKER),
    ] {
        let mut world = World::new();
        let batch = world.register();
        let sale = world.offer(MAKER, WHOLESALER, terms::SALE, batch, &[0]).unwrap();
        world.events();
        for actor in [STRANGER, DISTRIBUTOR, PHARMACY, MAKER] {
            let not_receiver = Err(ISupply::NotReceiver { actor, to: WHOLESALER }.into());
            assert_eq!(world.by(actor).accept(actor, sale, DOCUMENT), not_receiver);
            assert_eq!(world.by(actor).refuse(actor, sale, DOCUMENT), not_receiver);
        }
        for actor in [STRANGER, DISTRIBUTOR, PHARMACY, WHOLESALER] {
            let not_sender = Err(ISupply::NotSender { actor, from: MAKER }.into());
            assert_eq!(world.by(actor).withdraw(actor, sale, DOCUMENT), not_sender);
        }
        let close = |world: &mut World| match state {
            terms::ACCEPTED => world.by(by).accept(by, sale, DOCUMENT),
            terms::REFUSED => world.by(by).refuse(by, sale, DOCUMENT),
            _ => world.by(by).withdraw(by, sale, DOCUMENT),
        };
        close(&mut world).unwrap();
        assert_eq!(world.events().len(), 1);
        // A replayed acceptance, and a change of mind.
        assert_eq!(close(&mut world), Err(closed(sale, state)));
        assert_eq!(
            world.by(WHOLESALER).accept(WHOLESALER, sale, DOCUMENT),
            Err(closed(sale, state))
        );
        assert_eq!(
            world.by(WHOLESALER).refuse(WHOLESALER, sale, DOCUMENT),
            Err(closed(sale, state))
        );
        assert_eq!(
            world.by(MAKER).withdraw(MAKER, sale, DOCUMENT),
            Err(closed(sale, state))
        );
        let holder = if state == terms::ACCEPTED { WHOLESALER } else { MAKER };
        assert_eq!(world.holder(batch, 0), holder);
        assert_eq!(world.events(), []);
    }
}

#[test]
fn a_number_that_is_no_first_step_is_no_shipment() {
    let mut world = World::new();
    let batch = world.register();
    let other = world.register_lot(MAKER, GTIN, OTHER_LOT).unwrap();
    // Two batches, so two steps.
    let mut items = vec![world.item(batch, 0), world.item(other, 0)];
    items.sort_by_key(|item| item.batch);
    let sale = world
        .by(MAKER)
        .offer(MAKER, PHARMACY, terms::SALE, items, DOCUMENT)
        .unwrap();
    let (holder, _, shipment) = world.supply.step_of(sale + 1);
    assert_eq!((sale, holder, shipment), (3, PHARMACY, 3));
    for shipment in [0, 1, 2, sale + 1, sale + 2, u64::MAX] {
        let unknown = Err(ISupply::UnknownShipment { shipment }.into());
        assert_eq!(world.by(PHARMACY).accept(PHARMACY, shipment, DOCUMENT), unknown);
        assert_eq!(world.by(PHARMACY).refuse(PHARMACY, shipment, DOCUMENT), unknown);
        assert_eq!(world.by(MAKER).withdraw(MAKER, shipment, DOCUMENT), unknown);
        assert_eq!(world.supply.shipment_of(shipment).3, 0);
    }
    // One acceptance, both batches.
    world.by(PHARMACY).accept(PHARMACY, sale, DOCUMENT).unwrap();
    assert_eq!((world.holder(batch, 0), world.holder(other, 0)), (PHARMACY, PHARMACY));
}

/// Whoever has a signed offer that was carried out cannot carry it out again, once what it did was undone.
#[test]
fn an_offer_names_the_step_before_it_and_so_is_made_once() {
    let mut world = World::new();
    let batch = world.register();
    let signed = vec![world.item(batch, 0)];
    let again = |world: &mut World, current: u64| {
        let moved = ISupply::UnitMoved {
            batch,
            unit: 0,
            given: 1,
            current,
        };
        let offer = world
            .called(RELAY, MAKER)
            .offer(MAKER, WHOLESALER, terms::SALE, signed.clone(), DOCUMENT);
        assert_eq!(offer, Err(moved.into()));
    };
    let sale = world
        .called(RELAY, MAKER)
        .offer(MAKER, WHOLESALER, terms::SALE, signed.clone(), DOCUMENT)
        .unwrap();
    world.by(WHOLESALER).refuse(WHOLESALER, sale, DOCUMENT).unwrap();
    again(&mut world, 2);
    let sale = world.offer(MAKER, WHOLESALER, terms::SALE, batch, &[0]).unwrap();
    world.by(MAKER).withdraw(MAKER, sale, DOCUMENT).unwrap();
    again(&mut world, 3);
    world.sell(MAKER, WHOLESALER, batch, &[0]);
    world.pass(WHOLESALER, MAKER, terms::RETURN, batch, &[0]);
    again(&mut world, 5);
    // A part of it is no other unit, either.
    world.by(MAKER).split(MAKER, batch, 0, vec![5]).unwrap();
    again(&mut world, 5);
    assert_eq!(world.item(batch, 5).last, 5);
}

#[test]
fn nobody_offers_what_they_do_not_hold() {
    let mut world = World::new();
    let batch = world.register();
    world.by(MAKER).split(MAKER, batch, 0, vec![4, 8]).unwrap();
    world.sell(MAKER, WHOLESALER, batch, &[4]);
    world.events();
    let offer = |world: &mut World, from, units: &[u32]| world.offer(from, PHARMACY, terms::SALE, batch, units);
    let not_holder = |actor, holder| Err(ISupply::NotHolder { actor, holder }.into());
    // Another's, alone or among one's own; what was sold; what is nobody's.
    assert_eq!(offer(&mut world, WHOLESALER, &[0]), not_holder(WHOLESALER, MAKER));
    assert_eq!(offer(&mut world, WHOLESALER, &[4, 8]), not_holder(WHOLESALER, MAKER));
    assert_eq!(offer(&mut world, MAKER, &[0, 4]), not_holder(MAKER, WHOLESALER));
    assert_eq!(offer(&mut world, STRANGER, &[4]), not_holder(STRANGER, WHOLESALER));
    for unit in [1, 5, COUNT, u32::MAX] {
        assert_eq!(
            offer(&mut world, MAKER, &[unit]),
            Err(ISupply::UnknownUnit { batch, unit }.into())
        );
    }
    let nothing = B256::repeat_byte(0x77);
    assert_eq!(
        world.offer(MAKER, PHARMACY, terms::SALE, nothing, &[0]),
        Err(ISupply::UnknownUnit {
            batch: nothing,
            unit: 0
        }
        .into())
    );
    assert_eq!(world.events(), []);

    // What is offered to one is not offered to another, nor dispensed, split or destroyed.
    let sale = world.offer(WHOLESALER, PHARMACY, terms::SALE, batch, &[4]).unwrap();
    let in_transit = || {
        ISupply::InTransit {
            batch,
            unit: 4,
            shipment: sale,
        }
        .into()
    };
    assert_eq!(offer(&mut world, WHOLESALER, &[4]), Err(in_transit()));
    assert_eq!(
        world.offer(WHOLESALER, MAKER, terms::RETURN, batch, &[4]),
        Err(in_transit())
    );
    for actor in [WHOLESALER, PHARMACY] {
        assert_eq!(world.by(actor).split(actor, batch, 4, vec![5]), Err(in_transit()));
        assert_eq!(world.decommission(actor, batch, 4), Err(in_transit()));
        assert_eq!(world.dispense(actor, batch, 4, 4), Err(in_transit()));
    }
    world.by(PHARMACY).accept(PHARMACY, sale, DOCUMENT).unwrap();
    assert_eq!(offer(&mut world, WHOLESALER, &[4]), not_holder(WHOLESALER, PHARMACY));
}

#[test]
fn items_stand_in_order_once_each_and_not_too_many() {
    let mut world = World::new();
    let batch = world.register();
    let cuts: Vec<u32> = (1..COUNT).collect();
    world.by(MAKER).split(MAKER, batch, 0, cuts).unwrap();
    world.events();
    for (units, item) in [(&[3, 3][..], 1), (&[4, 3], 1), (&[1, 2, 2, 3], 2), (&[1, 2, 5, 4], 3)] {
        assert_eq!(
            world.offer(MAKER, PHARMACY, terms::SALE, batch, units),
            Err(ISupply::ItemOrder { item }.into())
        );
    }
    let first = world.item(batch, 0);
    for given in [0, BATCH_MOST + 1] {
        let items = vec![first.clone(); given];
        let length = ISupply::ListLength {
            given: given as u32,
            most: 128,
        };
        let outcome = world.by(MAKER).offer(MAKER, PHARMACY, terms::SALE, items, DOCUMENT);
        assert_eq!(outcome, Err(length.clone().into()));
        let outcome = world.by(MAKER).split(MAKER, batch, 0, vec![1; given]);
        assert_eq!(outcome, Err(length.into()));
    }
    assert_eq!(world.events(), []);
    // Aggregated: one shipment, one step, whatever it is made of.
    let all: Vec<u32> = (0..COUNT).collect();
    let sale = world.sell(MAKER, PHARMACY, batch, &all);
    for unit in all {
        assert_eq!(world.supply.unit_of(batch, unit).2, sale);
    }
    assert_eq!(world.supply.step_of(sale + 1), (Address::ZERO, 0, 0));
}

#[test]
fn a_full_list_is_taken() {
    let mut world = World::new();
    let batch = world
        .by(MAKER)
        .register_batch(MAKER, GTIN, LOT, EXPIRY, LOT, 200, DOCUMENT)
        .unwrap();
    let cuts: Vec<u32> = (1..=128).collect();
    world.by(MAKER).split(MAKER, batch, 0, cuts).unwrap();
    let units: Vec<u32> = (0..128).collect();
    world.sell(MAKER, PHARMACY, batch, &units);
    assert_eq!(world.holder(batch, 127), PHARMACY);
    assert_eq!(world.supply.unit_of(batch, 128), (200, MAKER, 1, 1, 0, 0));
}

#[test]
fn a_unit_is_cut_inside_and_its_parts_leave_nothing_out() {
    let mut world = World::new();
    let batch = world.register();
    world.events();
    for (cuts, cut) in [
        (&[0][..], 0),
        (&[COUNT], COUNT),
        (&[u32::MAX], u32::MAX),
        (&[5, 5], 5),
        (&[5, 4], 4),
        (&[5, COUNT], COUNT),
    ] {
        let outcome = world.by(MAKER).split(MAKER, batch, 0, cuts.to_vec());
        assert_eq!(outcome, Err(ISupply::MalformedCut { cut }.into()));
    }
    assert_eq!(
        world.by(WHOLESALER).split(WHOLESALER, batch, 0, vec![4]),
        Err(ISupply::NotHolder {
            actor: WHOLESALER,
            holder: MAKER
        }
        .into())
    );
    assert_eq!(world.events(), []);
    world.by(MAKER).split(MAKER, batch, 0, vec![1, 6, 12]).unwrap();
    assert_eq!(
        world.events(),
        [Event::UnitSplit(ISupply::UnitSplit {
            batch,
            unit: 0,
            cuts: vec![1, 6, 12]
        })]
    );
    // Again, as from an old signature: those are no cuts any more.
    let outcome = world.by(MAKER).split(MAKER, batch, 0, vec![1, 6, 12]);
    assert_eq!(outcome, Err(ISupply::MalformedCut { cut: 1 }.into()));
    for (from, to) in [(0, 1), (1, 6), (6, 12), (12, COUNT)] {
        assert_eq!(world.supply.unit_of(batch, from), (to, MAKER, 1, 1, 0, 0));
    }
    // A part is cut again; a unit of one package is not.
    world.by(MAKER).split(MAKER, batch, 6, vec![8]).unwrap();
    assert_eq!(world.supply.unit_of(batch, 6).0, 8);
    assert_eq!(world.supply.unit_of(batch, 8).0, 12);
    for cut in [0, 1] {
        let outcome = world.by(MAKER).split(MAKER, batch, 0, vec![cut]);
        assert_eq!(outcome, Err(ISupply::MalformedCut { cut }.into()));
    }
}

#[test]
fn a_unit_that_was_accepted_is_split_where_it_stands() {
    let mut world = World::new();
    let batch = world.register();
    let sale = world.sell(MAKER, WHOLESALER, batch, &[0]);
    world.by(WHOLESALER).split(WHOLESALER, batch, 0, vec![7]).unwrap();
    for unit in [0, 7] {
        let (_, holder, step, last, ..) = world.supply.unit_of(batch, unit);
        assert_eq!((holder, step, last), (WHOLESALER, sale, sale));
    }
    // The parts go different ways.
    world.sell(WHOLESALER, PHARMACY, batch, &[0]);
    world.sell(WHOLESALER, OTHER_PHARMACY, batch, &[7]);
    assert_eq!(world.holder(batch, 0), PHARMACY);
    assert_eq!(world.holder(batch, 7), OTHER_PHARMACY);
    // One that was refused is split as well, where it stayed.
    let back = world.offer(PHARMACY, MAKER, terms::RETURN, batch, &[0]).unwrap();
    world.by(MAKER).refuse(MAKER, back, DOCUMENT).unwrap();
    world.by(PHARMACY).split(PHARMACY, batch, 0, vec![2]).unwrap();
    for unit in [0, 2] {
        assert_eq!(world.supply.unit_of(batch, unit).1, PHARMACY);
        assert_eq!(world.supply.unit_of(batch, unit).3, back);
    }
}

#[test]
fn a_sale_never_comes_back_to_who_has_had_it() {
    let mut world = World::new();
    let batch = world.register();
    world.by(MAKER).split(MAKER, batch, 0, vec![6]).unwrap();
    world.sell(MAKER, WHOLESALER, batch, &[0]);
    world.sell(WHOLESALER, DISTRIBUTOR, batch, &[0]);
    world.events();
    for to in [MAKER, WHOLESALER] {
        assert_eq!(
            world.offer(DISTRIBUTOR, to, terms::SALE, batch, &[0]),
            Err(ISupply::CustodyCycle { batch, unit: 0, to }.into())
        );
    }
    let to_self = world.offer(DISTRIBUTOR, DISTRIBUTOR, terms::SALE, batch, &[0]);
    assert_eq!(to_self, Err(ISupply::ShipmentToSelf { actor: DISTRIBUTOR }.into()));
    let nobody = world.offer(DISTRIBUTOR, Address::ZERO, terms::RETURN, batch, &[0]);
    assert_eq!(nobody, Err(ISupply::ZeroAddress {}.into()));
    for kind in [0, 3, u8::MAX] {
        assert_eq!(
            world.offer(DISTRIBUTOR, PHARMACY, kind, batch, &[0]),
            Err(ISupply::UnknownKind { kind }.into())
        );
    }
    assert_eq!(world.events(), []);
    // It is the unit that has been there: another of the same batch goes the other way round.
    world.sell(MAKER, DISTRIBUTOR, batch, &[6]);
    world.sell(DISTRIBUTOR, WHOLESALER, batch, &[6]);
    assert_eq!(world.holder(batch, 6), WHOLESALER);
    // Mixed with one that has not been there, it is found all the same.
    world.by(DISTRIBUTOR).split(DISTRIBUTOR, batch, 0, vec![3]).unwrap();
    assert_eq!(
        world.offer(DISTRIBUTOR, WHOLESALER, terms::SALE, batch, &[0, 3]),
        Err(ISupply::CustodyCycle {
            batch,
            unit: 0,
            to: WHOLESALER
        }
        .into())
    );
}

#[test]
fn a_return_goes_to_who_has_had_it_and_is_as_if_it_had_never_left() {
    let mut world = World::new();
    let batch = world.register();
    world.sell(MAKER, WHOLESALER, batch, &[0]);
    world.sell(WHOLESALER, DISTRIBUTOR, batch, &[0]);
    let sold = world.sell(DISTRIBUTOR, PHARMACY, batch, &[0]);
    for to in [OTHER_PHARMACY, OTHER_MAKER, STRANGER] {
        assert_eq!(
            world.offer(PHARMACY, to, terms::RETURN, batch, &[0]),
            Err(ISupply::NotEarlierHolder { batch, unit: 0, to }.into())
        );
    }
    // Past the distributor, to the wholesaler.
    let back = world.pass(PHARMACY, WHOLESALER, terms::RETURN, batch, &[0]);
    assert_eq!(world.supply.step_of(back), (WHOLESALER, 1, back));
    assert_eq!(world.supply.step_of(sold), (PHARMACY, 3, sold));
    // Who came after is off the chain: it is sold there again, and does not go back there from here.
    assert_eq!(
        world.offer(WHOLESALER, PHARMACY, terms::RETURN, batch, &[0]),
        Err(ISupply::NotEarlierHolder {
            batch,
            unit: 0,
            to: PHARMACY
        }
        .into())
    );
    assert_eq!(
        world.offer(WHOLESALER, MAKER, terms::SALE, batch, &[0]),
        Err(ISupply::CustodyCycle {
            batch,
            unit: 0,
            to: MAKER
        }
        .into())
    );
    world.sell(WHOLESALER, PHARMACY, batch, &[0]);
    let back = world.pass(PHARMACY, MAKER, terms::RETURN, batch, &[0]);
    assert_eq!(world.supply.step_of(back), (MAKER, 0, back));
    world.sell(MAKER, PHARMACY, batch, &[0]);
    assert_eq!(world.holder(batch, 0), PHARMACY);
}

#[test]
fn a_unit_has_so_many_holders_and_no_more_but_any_number_of_returns() {
    let mut world = World::new();
    let batch = world.register();
    let trader = |n: u8| if n == 0 { MAKER } else { Address::repeat_byte(0x40 + n) };
    for n in 1..=HOLDERS_MOST {
        world.roles.insert(trader(n), role::DISTRIBUTOR);
    }
    for n in 1..HOLDERS_MOST {
        world.sell(trader(n - 1), trader(n), batch, &[0]);
    }
    let last = trader(HOLDERS_MOST - 1);
    world.events();
    assert_eq!(
        world.offer(last, trader(HOLDERS_MOST), terms::SALE, batch, &[0]),
        Err(ISupply::TooManyHolders {
            batch,
            unit: 0,
            most: HOLDERS_MOST
        }
        .into())
    );
    // The first of them is still found.
    assert_eq!(
        world.offer(last, MAKER, terms::SALE, batch, &[0]),
        Err(ISupply::CustodyCycle {
            batch,
            unit: 0,
            to: MAKER
        }
        .into())
    );
    assert_eq!(world.events(), []);
    world.pass(last, trader(HOLDERS_MOST - 2), terms::RETURN, batch, &[0]);
    world.sell(trader(HOLDERS_MOST - 2), trader(HOLDERS_MOST), batch, &[0]);
    world.pass(trader(HOLDERS_MOST), MAKER, terms::RETURN, batch, &[0]);
    for _ in 0..20 {
        world.sell(MAKER, WHOLESALER, batch, &[0]);
        world.pass(WHOLESALER, MAKER, terms::RETURN, batch, &[0]);
    }
    assert_eq!(world.holder(batch, 0), MAKER);
}

#[test]
fn who_has_lost_their_credential_parts_with_what_they_hold_and_takes_nothing_more() {
    let mut world = World::new();
    let batch = world.register();
    world.by(MAKER).split(MAKER, batch, 0, vec![2, 4, 6, 8]).unwrap();
    world.sell(MAKER, PHARMACY, batch, &[0, 2]);
    let coming = world.offer(MAKER, PHARMACY, terms::SALE, batch, &[4]).unwrap();
    let unwanted = world.offer(MAKER, PHARMACY, terms::SALE, batch, &[6]).unwrap();
    let going = world.offer(PHARMACY, WHOLESALER, terms::SALE, batch, &[2]).unwrap();
    world.roles.remove(&PHARMACY);
    world.events();
    assert_eq!(
        world.by(PHARMACY).accept(PHARMACY, coming, DOCUMENT),
        Err(not_credentialed(PHARMACY, role::TRADE))
    );
    assert_eq!(
        world.offer(PHARMACY, WHOLESALER, terms::SALE, batch, &[0]),
        Err(not_credentialed(PHARMACY, role::TRADE))
    );
    assert_eq!(
        world.dispense(PHARMACY, batch, 0, 0),
        Err(not_credentialed(PHARMACY, role::PHARMACY))
    );
    assert_eq!(world.events(), []);
    world.by(PHARMACY).refuse(PHARMACY, unwanted, DOCUMENT).unwrap();
    world.by(PHARMACY).withdraw(PHARMACY, going, DOCUMENT).unwrap();
    world.by(PHARMACY).split(PHARMACY, batch, 0, vec![1]).unwrap();
    world.decommission(PHARMACY, batch, 0).unwrap();
    world.pass(PHARMACY, MAKER, terms::RETURN, batch, &[1, 2]);
    // The maker itself: its goods come back to a current one alone, and are recalled whatever it is.
    world.sell(MAKER, WHOLESALER, batch, &[8]);
    world.roles.remove(&MAKER);
    let back = world.offer(WHOLESALER, MAKER, terms::RETURN, batch, &[8]).unwrap();
    assert_eq!(
        world.by(MAKER).accept(MAKER, back, DOCUMENT),
        Err(not_credentialed(MAKER, role::TRADE))
    );
    world.recall(MAKER, batch, 0, COUNT).unwrap();
}

#[test]
fn any_trading_partner_trades_and_nobody_else() {
    for (bit, trades) in role::ALL.iter().map(|(_, bit)| (*bit, bit & role::TRADE != 0)) {
        let mut world = World::new();
        let batch = world.register();
        world.roles.insert(STRANGER, bit);
        let sale = world.offer(MAKER, STRANGER, terms::SALE, batch, &[0]).unwrap();
        let outcome = world.by(STRANGER).accept(STRANGER, sale, DOCUMENT);
        if trades {
            outcome.unwrap();
            world.sell(STRANGER, PHARMACY, batch, &[0]);
        } else {
            assert_eq!(outcome, Err(not_credentialed(STRANGER, role::TRADE)));
        }
    }
}
