//! `supply`, with real credentials and real trees of serials.
use alloy::{
    primitives::{Address, B256, U256},
    signers::local::PrivateKeySigner,
    sol_types::{SolCall, SolEvent},
};
use medlock_abi::{
    supply::ISupply::{self, Item},
    terms::{BATCH_MOST, HOLDERS_MOST, decommission, package, recall, role, shipment},
};
use medlock_merkle::Tree;

use super::{DAY_S, NOTE, Stage, Way, hash, keccak, party, tree};

/// GS1's own example of a GTIN-13.
const GTIN: u64 = 9_501_101_530_003;
const LOT: B256 = B256::repeat_byte(0x10);
const OTHER_LOT: B256 = B256::repeat_byte(0x11);
const EXPIRY: u64 = crate::NOW + 365 * DAY_S;
const COUNT: u32 = 13;

// ---- A life --------------------------------------------------------------------------------------------------------

#[test]
fn a_batch_is_sold_on_dispensed_recalled_and_returned_by_its_parties_own_transactions() {
    live(Way::Own);
}

#[test]
fn a_batch_is_sold_on_dispensed_recalled_and_returned_by_what_its_parties_signed_and_none_of_it_runs_twice() {
    live(Way::Signed);
}

fn live(way: Way) {
    let mut world = World::new(way);
    let [maker, wholesaler, pharmacy, _] = world.parties.clone();
    let registration = world.registration(&maker, LOT);
    let done = world.stage.act(&maker, registration.clone());
    let batch = batch_id(maker.address(), LOT);
    world.stage.told(
        &done,
        ISupply::BatchRegistered {
            batch,
            maker: maker.address(),
            gtin: GTIN,
            lot: LOT,
            expiry: EXPIRY,
            root: registration.root,
            count: COUNT,
            step: 1,
            document: NOTE,
        },
    );
    let found = world
        .stage
        .world
        .ask(world.stage.ledger, ISupply::batchOfCall { batch });
    assert_eq!(
        (found.maker, found.gtin, found.root),
        (maker.address(), GTIN, registration.root)
    );
    assert_eq!((found.expiry, found.count, found.recalls), (EXPIRY, COUNT, 0));
    assert_eq!(found.registeredAt, world.stage.now());

    let cuts = vec![4, 8];
    let split = ISupply::splitCall {
        actor: maker.address(),
        batch,
        unit: 0,
        cuts: cuts.clone(),
    };
    let done = world.stage.act(&maker, split);
    world.stage.told(&done, ISupply::UnitSplit { batch, unit: 0, cuts });
    assert_eq!([0, 4, 8].map(|unit| world.unit(batch, unit).to), [4, 8, COUNT]);

    // Two units to the wholesaler, by one step; one of them on to the pharmacy.
    let offer = world.offer(&maker, &wholesaler, shipment::SALE, batch, &[0, 4]);
    let done = world.stage.act(&maker, offer);
    let offered = |unit, held, step, previous| ISupply::UnitOffered {
        shipment: step,
        batch,
        unit,
        held,
        step,
        previous,
    };
    let from_to = |number, from: &PrivateKeySigner, to: &PrivateKeySigner, kind| ISupply::ShipmentOffered {
        shipment: number,
        from: from.address(),
        to: to.address(),
        kind,
        document: NOTE,
    };
    world.stage.told_all(
        &done,
        &[
            from_to(2, &maker, &wholesaler, shipment::SALE).encode_log_data(),
            offered(0, 1, 2, 1).encode_log_data(),
            offered(4, 1, 2, 1).encode_log_data(),
        ],
    );
    assert_eq!(
        world.verify(batch, 0, 1),
        (package::MADE | package::IN_TRANSIT, maker.address(), 0)
    );
    let done = world.stage.act(&wholesaler, accept(&wholesaler, 2));
    let accepted = |number, by: &PrivateKeySigner| ISupply::ShipmentClosed {
        shipment: number,
        by: by.address(),
        state: shipment::ACCEPTED,
        document: NOTE,
    };
    world.stage.told(&done, accepted(2, &wholesaler));
    let offer = world.offer(&wholesaler, &pharmacy, shipment::SALE, batch, &[0]);
    let done = world.stage.act(&wholesaler, offer);
    world.stage.told_all(
        &done,
        &[
            from_to(3, &wholesaler, &pharmacy, shipment::SALE).encode_log_data(),
            offered(0, 2, 3, 2).encode_log_data(),
        ],
    );
    let done = world.stage.act(&pharmacy, accept(&pharmacy, 3));
    world.stage.told(&done, accepted(3, &pharmacy));
    assert_eq!(
        [0, 4, 8].map(|unit| world.unit(batch, unit).holder),
        [&pharmacy, &wholesaler, &maker].map(|it| it.address())
    );
    assert_eq!(
        world.custody(batch, 0),
        [&pharmacy, &wholesaler, &maker].map(|it| it.address())
    );

    world.stage.pass(DAY_S);
    let done = world.stage.act(&pharmacy, world.dispensing(&pharmacy, batch, 0, 1));
    world.stage.told(
        &done,
        ISupply::Dispensed {
            batch,
            serial: serial(1),
            by: pharmacy.address(),
            unit: 0,
            index: 1,
            document: NOTE,
        },
    );
    let dispensed_at = world.stage.now();
    let dispensed = (package::MADE | package::DISPENSED, pharmacy.address(), dispensed_at);
    assert_eq!(world.verify(batch, 0, 1), dispensed);

    // The recall reaches what is dispensed, what lies on the shelf, and what the wholesaler has.
    let done = world.stage.act(&maker, recalling(&maker, batch, 0, 0, 6));
    world.stage.told(
        &done,
        ISupply::RecallIssued {
            batch,
            by: maker.address(),
            number: 0,
            from: 0,
            to: 6,
            class: recall::CLASS_I,
            reasonCode: recall::CONTAMINATED,
            document: NOTE,
        },
    );
    assert_eq!(
        world.verify(batch, 0, 1),
        (dispensed.0 | package::RECALLED, dispensed.1, dispensed.2)
    );
    assert_eq!(
        world.verify(batch, 0, 2),
        (package::MADE | package::RECALLED, pharmacy.address(), 0)
    );
    assert_eq!(world.verify(batch, 4, 6), (package::MADE, wholesaler.address(), 0));
    let recalled = || ISupply::Recalled { batch, number: 0 };
    world
        .stage
        .refused(&pharmacy, world.dispensing(&pharmacy, batch, 0, 2), recalled());
    let sale = world.offer(&pharmacy, &party(6), shipment::SALE, batch, &[0]);
    world.stage.refused(&pharmacy, sale, recalled());

    // It goes back, and stands there as if it had never left.
    let offer = world.offer(&pharmacy, &wholesaler, shipment::RETURN, batch, &[0]);
    let done = world.stage.act(&pharmacy, offer);
    world.stage.told_all(
        &done,
        &[
            from_to(4, &pharmacy, &wholesaler, shipment::RETURN).encode_log_data(),
            offered(0, 3, 4, 1).encode_log_data(),
        ],
    );
    let done = world.stage.act(&wholesaler, accept(&wholesaler, 4));
    world.stage.told(&done, accepted(4, &wholesaler));
    assert_eq!(world.custody(batch, 0), [&wholesaler, &maker].map(|it| it.address()));
    let gone = ISupply::decommissionCall {
        actor: wholesaler.address(),
        batch,
        unit: 0,
        last: 4,
        reasonCode: decommission::DESTROYED,
        document: NOTE,
    };
    let done = world.stage.act(&wholesaler, gone);
    world.stage.told(
        &done,
        ISupply::Decommissioned {
            batch,
            unit: 0,
            by: wholesaler.address(),
            reasonCode: decommission::DESTROYED,
            document: NOTE,
        },
    );
    let status = package::MADE | package::RECALLED | package::DECOMMISSIONED;
    assert_eq!(world.verify(batch, 0, 2), (status, wholesaler.address(), 0));
}

// ---- Custody -------------------------------------------------------------------------------------------------------

#[test]
fn a_shipment_is_closed_once_by_whom_it_was_offered_to_and_only_while_they_trade() {
    let mut world = World::new(Way::Own);
    let [maker, wholesaler, pharmacy, other] = world.parties.clone();
    let batch = world.registered(LOT);
    let sale = world.offer(&maker, &wholesaler, shipment::SALE, batch, &[0]);
    world.stage.act(&maker, sale.clone());
    let to = wholesaler.address();
    for thief in [&maker, &pharmacy, &other] {
        let not_receiver = ISupply::NotReceiver {
            actor: thief.address(),
            to,
        };
        world.stage.refused(thief, accept(thief, 2), not_receiver);
    }
    let withdrawal = |actor: &PrivateKeySigner| ISupply::withdrawCall {
        actor: actor.address(),
        shipment: 2,
        document: NOTE,
    };
    let not_sender = ISupply::NotSender {
        actor: to,
        from: maker.address(),
    };
    world.stage.refused(&wholesaler, withdrawal(&wholesaler), not_sender);
    let in_transit = || ISupply::InTransit {
        batch,
        unit: 0,
        shipment: 2,
    };
    world.stage.refused(&maker, sale.clone(), in_transit());
    let split = ISupply::splitCall {
        actor: maker.address(),
        batch,
        unit: 0,
        cuts: vec![3],
    };
    world.stage.refused(&maker, split, in_transit());

    world.stage.suspend(to);
    let no_trader = ISupply::NotCredentialed {
        actor: to,
        roles: role::TRADE,
    };
    world.stage.refused(&wholesaler, accept(&wholesaler, 2), no_trader);
    world.stage.credential(to, role::DISTRIBUTOR);
    world.stage.act(&wholesaler, accept(&wholesaler, 2));
    let closed = || ISupply::ShipmentNotOpen {
        shipment: 2,
        state: shipment::ACCEPTED,
    };
    let refusal = ISupply::refuseCall {
        actor: to,
        shipment: 2,
        document: NOTE,
    };
    world.stage.refused(&wholesaler, accept(&wholesaler, 2), closed());
    world.stage.refused(&wholesaler, refusal, closed());
    world.stage.refused(&maker, withdrawal(&maker), closed());
    // What was sold is not sold again, nor by a number that was never a shipment's.
    let holder = to;
    let actor = maker.address();
    world.stage.refused(&maker, sale, ISupply::NotHolder { actor, holder });
    for number in [0, 1, 3, u64::MAX] {
        let unknown = ISupply::UnknownShipment { shipment: number };
        world.stage.refused(&wholesaler, accept(&wholesaler, number), unknown);
    }
}

/// After a refusal, a withdrawal and a return the unit is where it was; and yet.
#[test]
fn an_offer_that_came_to_nothing_is_not_made_again_by_whoever_kept_it() {
    let mut world = World::new(Way::Own);
    let [maker, wholesaler, ..] = world.parties.clone();
    let batch = world.registered(LOT);
    let first = world.offer(&maker, &wholesaler, shipment::SALE, batch, &[0]);
    world.stage.act(&maker, first.clone());
    let refusal = ISupply::refuseCall {
        actor: wholesaler.address(),
        shipment: 2,
        document: NOTE,
    };
    world.stage.act(&wholesaler, refusal);
    let moved = |given, current| ISupply::UnitMoved {
        batch,
        unit: 0,
        given,
        current,
    };
    world.stage.refused(&maker, first.clone(), moved(1, 2));
    let second = world.offer(&maker, &wholesaler, shipment::SALE, batch, &[0]);
    world.stage.act(&maker, second.clone());
    let withdrawal = ISupply::withdrawCall {
        actor: maker.address(),
        shipment: 3,
        document: NOTE,
    };
    world.stage.act(&maker, withdrawal);
    let third = world.offer(&maker, &wholesaler, shipment::SALE, batch, &[0]);
    world.stage.act(&maker, third.clone());
    world.stage.act(&wholesaler, accept(&wholesaler, 4));
    let back = world.offer(&wholesaler, &maker, shipment::RETURN, batch, &[0]);
    world.stage.act(&wholesaler, back);
    world.stage.act(&maker, accept(&maker, 5));
    assert_eq!(world.custody(batch, 0), [maker.address()]);
    for (given, offer) in (1..).zip([first, second, third]) {
        world.stage.refused(&maker, offer, moved(given, 5));
    }
}

#[test]
fn goods_are_not_sold_in_a_circle_and_not_returned_to_who_never_had_them() {
    let mut world = World::new(Way::Own);
    let [maker, wholesaler, pharmacy, other] = world.parties.clone();
    let batch = world.registered(LOT);
    let mut holder = &maker;
    for next in [&wholesaler, &pharmacy] {
        world.sell(holder, next, batch, 0);
        holder = next;
    }
    for earlier in [&maker, &wholesaler] {
        let sale = world.offer(&pharmacy, earlier, shipment::SALE, batch, &[0]);
        let cycle = ISupply::CustodyCycle {
            batch,
            unit: 0,
            to: earlier.address(),
        };
        world.stage.refused(&pharmacy, sale, cycle);
    }
    let back = world.offer(&pharmacy, &other, shipment::RETURN, batch, &[0]);
    let never = ISupply::NotEarlierHolder {
        batch,
        unit: 0,
        to: other.address(),
    };
    world.stage.refused(&pharmacy, back, never);
    let own = world.offer(&pharmacy, &pharmacy, shipment::SALE, batch, &[0]);
    let actor = pharmacy.address();
    world.stage.refused(&pharmacy, own, ISupply::ShipmentToSelf { actor });
    // A part of it goes no other way than the whole.
    let split = ISupply::splitCall {
        actor,
        batch,
        unit: 0,
        cuts: vec![5],
    };
    world.stage.act(&pharmacy, split);
    let part = world.offer(&pharmacy, &maker, shipment::SALE, batch, &[5]);
    let cycle = ISupply::CustodyCycle {
        batch,
        unit: 5,
        to: maker.address(),
    };
    world.stage.refused(&pharmacy, part, cycle);
}

#[test]
fn a_chain_of_custody_ends_at_the_most_holders_and_can_still_go_back() {
    let mut world = World::new(Way::Own);
    let maker = world.parties[0].clone();
    let batch = world.registered(LOT);
    let mut holders = vec![maker];
    for number in 1..HOLDERS_MOST {
        let next = party(100 + number);
        world.stage.credential(next.address(), role::DISTRIBUTOR);
        world.sell(&holders[usize::from(number) - 1], &next, batch, 0);
        holders.push(next);
    }
    let last = holders.last().unwrap().clone();
    let sale = world.offer(&last, &world.parties[1], shipment::SALE, batch, &[0]);
    let too_many = ISupply::TooManyHolders {
        batch,
        unit: 0,
        most: HOLDERS_MOST,
    };
    world.stage.refused(&last, sale, too_many);
    let back = world.offer(&last, &holders[0], shipment::RETURN, batch, &[0]);
    world.stage.act(&last, back);
    world
        .stage
        .act(&holders[0], accept(&holders[0], u64::from(HOLDERS_MOST) + 1));
    assert_eq!(world.custody(batch, 0), [holders[0].address()]);
}

#[test]
fn nobody_offers_splits_or_decommissions_what_another_holds_or_one_unit_twice() {
    let mut world = World::new(Way::Own);
    let [maker, wholesaler, pharmacy, _] = world.parties.clone();
    let batch = world.registered(LOT);
    let actor = wholesaler.address();
    let not_holder = || ISupply::NotHolder {
        actor,
        holder: maker.address(),
    };
    let sale = world.offer(&wholesaler, &pharmacy, shipment::SALE, batch, &[0]);
    world.stage.refused(&wholesaler, sale, not_holder());
    let split = ISupply::splitCall {
        actor,
        batch,
        unit: 0,
        cuts: vec![3],
    };
    world.stage.refused(&wholesaler, split, not_holder());
    let gone = ISupply::decommissionCall {
        actor,
        batch,
        unit: 0,
        last: 1,
        reasonCode: decommission::STOLEN,
        document: NOTE,
    };
    world.stage.refused(&wholesaler, gone, not_holder());
    let twice = world.offer(&maker, &wholesaler, shipment::SALE, batch, &[0, 0]);
    world.stage.refused(&maker, twice, ISupply::ItemOrder { item: 1 });
    let inside = world.offer(&maker, &wholesaler, shipment::SALE, batch, &[5]);
    world
        .stage
        .refused(&maker, inside, ISupply::UnknownUnit { batch, unit: 5 });
    for cuts in [vec![0], vec![5, 5], vec![5, 3], vec![COUNT], vec![u32::MAX]] {
        let cut = *cuts.last().unwrap();
        let split = ISupply::splitCall {
            actor: maker.address(),
            batch,
            unit: 0,
            cuts,
        };
        world.stage.refused(&maker, split, ISupply::MalformedCut { cut });
    }
}

#[test]
fn as_many_units_as_may_be_go_in_one_shipment_within_the_gas_of_a_transaction_and_one_more_does_not() {
    let mut world = World::new(Way::Own);
    let [maker, wholesaler, ..] = world.parties.clone();
    let registration = ISupply::registerBatchCall {
        count: 1_000,
        ..world.registration(&maker, LOT)
    };
    world.stage.act(&maker, registration);
    let batch = batch_id(maker.address(), LOT);
    let most = BATCH_MOST as u32;
    let split = |cuts: Vec<u32>| ISupply::splitCall {
        actor: maker.address(),
        batch,
        unit: 0,
        cuts,
    };
    let too_long = |given| ISupply::ListLength { given, most };
    world
        .stage
        .refused(&maker, split((1..=most + 1).collect()), too_long(most + 1));
    world.stage.refused(&maker, split(vec![]), too_long(0));
    let done = world.stage.act(&maker, split((1..=most).collect()));
    assert!(done.gas < 8_000_000, "{} gas", done.gas);
    let units: Vec<_> = (0..=most).collect();
    let many = world.offer(&maker, &wholesaler, shipment::SALE, batch, &units);
    world.stage.refused(&maker, many, too_long(most + 1));
    let offer = world.offer(&maker, &wholesaler, shipment::SALE, batch, &units[1..]);
    let done = world.stage.act(&maker, offer);
    assert!(done.gas < 8_000_000, "{} gas", done.gas);
    // However much it holds, one word closes it.
    let done = world.stage.act(&wholesaler, accept(&wholesaler, 2));
    assert!(done.gas < 100_000, "{} gas", done.gas);
}

// ---- Packages ------------------------------------------------------------------------------------------------------

#[test]
fn a_serial_that_is_not_in_the_tree_is_neither_dispensed_nor_verified() {
    let mut world = World::new(Way::Own);
    let pharmacy = world.parties[2].clone();
    let batch = world.at_pharmacy(LOT);
    let good = world.dispensing(&pharmacy, batch, 0, 4);
    let leaves = serials();
    let hashes = leaves.map(|leaf| medlock_merkle::leaf(keccak, leaf));
    let falsified = [
        // Made up, with another's proof; at another place; with a proof that is short, long or empty.
        (NOTE, good.index, good.proof.clone()),
        (good.serial, 5, good.proof.clone()),
        (good.serial, COUNT, good.proof.clone()),
        (good.serial, u32::MAX, good.proof.clone()),
        (good.serial, good.index, good.proof[1..].to_vec()),
        (good.serial, good.index, [&good.proof[..], &[NOTE]].concat()),
        (good.serial, good.index, vec![]),
        (good.serial, good.index, vec![NOTE; 300]),
        // The hash of a leaf, a node and the root are nobody's serials.
        (hashes[4], good.index, good.proof.clone()),
        (good.proof[1], 2, good.proof[2..].to_vec()),
        (serial_tree().root().unwrap(), 0, vec![]),
    ];
    for (serial, index, proof) in falsified {
        let false_one = ISupply::dispenseCall {
            serial,
            index,
            proof: proof.clone(),
            ..good.clone()
        };
        world
            .stage
            .refused(&pharmacy, false_one, ISupply::NotInBatch { batch, index });
        let scan = ISupply::verifyCall {
            batch,
            unit: 0,
            index,
            serial,
            proof,
        };
        let found = world.stage.world.ask(world.stage.ledger, scan);
        assert_eq!((found.status, found.party, found.since), (0, Address::ZERO, 0));
    }
    // A true package under a batch that its maker has not registered.
    let elsewhere = ISupply::dispenseCall {
        batch: NOTE,
        ..good.clone()
    };
    world
        .stage
        .refused(&pharmacy, elsewhere, ISupply::UnknownBatch { batch: NOTE });
    world.stage.act(&pharmacy, good);
}

/// In the same batch, and in another of the same maker's with the same serial.
#[test]
fn a_serial_is_dispensed_once_whoever_holds_its_copy() {
    let mut world = World::new(Way::Own);
    let [maker, _, pharmacy, other] = world.parties.clone();
    let (batch, copied) = (world.at_pharmacy(LOT), world.registered(OTHER_LOT));
    world.sell(&maker, &other, copied, 0);
    world.stage.act(&pharmacy, world.dispensing(&pharmacy, batch, 0, 4));
    let used = |world: &World| ISupply::AlreadyDispensed {
        serial: serial(4),
        by: pharmacy.address(),
        at: world.stage.now(),
    };
    let again = used(&world);
    world
        .stage
        .refused(&pharmacy, world.dispensing(&pharmacy, batch, 0, 4), again);
    // Who holds nothing of it learns the same.
    for batch in [batch, copied] {
        let again = used(&world);
        world
            .stage
            .refused(&other, world.dispensing(&other, batch, 0, 4), again);
    }
    let call = ISupply::dispensedOfCall {
        maker: maker.address(),
        gtin: GTIN,
        serial: serial(4),
    };
    let found = world.stage.world.ask(world.stage.ledger, call);
    assert_eq!((found.by, found.index), (pharmacy.address(), 4));
}

#[test]
fn what_is_expired_under_way_anothers_or_no_pharmacys_is_not_dispensed() {
    let mut world = World::new(Way::Own);
    let [maker, wholesaler, pharmacy, other] = world.parties.clone();
    let batch = world.registered(LOT);
    let no_pharmacy = ISupply::NotCredentialed {
        actor: maker.address(),
        roles: role::PHARMACY,
    };
    world
        .stage
        .refused(&maker, world.dispensing(&maker, batch, 0, 4), no_pharmacy);
    world.sell(&maker, &wholesaler, batch, 0);
    let sale = world.offer(&wholesaler, &pharmacy, shipment::SALE, batch, &[0]);
    world.stage.act(&wholesaler, sale);
    let in_transit = ISupply::InTransit {
        batch,
        unit: 0,
        shipment: 3,
    };
    world
        .stage
        .refused(&pharmacy, world.dispensing(&pharmacy, batch, 0, 4), in_transit);
    world.stage.act(&pharmacy, accept(&pharmacy, 3));
    let not_holder = ISupply::NotHolder {
        actor: other.address(),
        holder: pharmacy.address(),
    };
    world
        .stage
        .refused(&other, world.dispensing(&other, batch, 0, 4), not_holder);
    let split = ISupply::splitCall {
        actor: pharmacy.address(),
        batch,
        unit: 0,
        cuts: vec![4],
    };
    world.stage.act(&pharmacy, split);
    let outside = ISupply::NotInUnit {
        index: 4,
        from: 0,
        to: 4,
    };
    world
        .stage
        .refused(&pharmacy, world.dispensing(&pharmacy, batch, 0, 4), outside);
    world.stage.pass(EXPIRY - world.stage.now());
    let expired = ISupply::BatchExpired { batch, expiry: EXPIRY };
    world
        .stage
        .refused(&pharmacy, world.dispensing(&pharmacy, batch, 4, 4), expired);
    assert_eq!(world.verify(batch, 4, 4).0, package::MADE | package::EXPIRED);
}

#[test]
fn nobody_registers_a_batch_as_another_maker_a_second_time_or_without_being_one() {
    let mut world = World::new(Way::Own);
    let [maker, wholesaler, ..] = world.parties.clone();
    let batch = world.registered(LOT);
    let good = world.registration(&maker, LOT);
    let richer = ISupply::registerBatchCall {
        root: NOTE,
        count: u32::MAX,
        ..good.clone()
    };
    world.stage.refused(&maker, richer, ISupply::BatchExists { batch });
    let no_maker = ISupply::NotCredentialed {
        actor: wholesaler.address(),
        roles: role::MAKER,
    };
    world
        .stage
        .refused(&wholesaler, world.registration(&wholesaler, LOT), no_maker);
    // Where a false maker is credentialed all the same, its batch is another.
    world.stage.credential(wholesaler.address(), role::MAKER);
    world.stage.act(&wholesaler, world.registration(&wholesaler, LOT));
    assert_eq!(world.unit(batch, 0).holder, maker.address());
    let gtin = GTIN + 1;
    let mistyped = ISupply::registerBatchCall {
        gtin,
        lot: OTHER_LOT,
        ..good
    };
    world.stage.refused(&maker, mistyped, ISupply::MalformedGtin { gtin });
}

#[test]
fn nobody_but_the_maker_and_a_regulator_recalls_and_no_recall_is_repeated() {
    let mut world = World::new(Way::Own);
    let [maker, wholesaler, pharmacy, _] = world.parties.clone();
    let batch = world.registered(LOT);
    for stranger in [&wholesaler, &pharmacy] {
        let may_not = ISupply::MayNotRecall {
            actor: stranger.address(),
        };
        world
            .stage
            .refused(stranger, recalling(stranger, batch, 0, 0, 1), may_not);
    }
    let regulator = party(7);
    world.stage.credential(regulator.address(), role::REGULATOR);
    world.stage.act(&regulator, recalling(&regulator, batch, 0, 0, 1));
    // The maker recalls though its licence is gone; by the next number, of what there is.
    world.stage.suspend(maker.address());
    let number = ISupply::RecallNumber { given: 0, next: 1 };
    world.stage.refused(&maker, recalling(&maker, batch, 0, 1, 2), number);
    for (from, to) in [(1, 1), (2, 1), (0, COUNT + 1), (u32::MAX, 0)] {
        let range = ISupply::RecallRange { from, to, count: COUNT };
        world
            .stage
            .refused(&maker, recalling(&maker, batch, 1, from, to), range);
    }
    for number in 1..recall::MOST - 1 {
        world.stage.act(&maker, recalling(&maker, batch, number, 1, 2));
    }
    let part = ISupply::RecallRange {
        from: 1,
        to: 2,
        count: COUNT,
    };
    let last = recall::MOST - 1;
    world.stage.refused(&maker, recalling(&maker, batch, last, 1, 2), part);
    world.stage.act(&maker, recalling(&maker, batch, last, 0, COUNT));
    let most = ISupply::TooManyRecalls { most: recall::MOST };
    world
        .stage
        .refused(&maker, recalling(&maker, batch, last + 1, 0, COUNT), most);
    let answer = world
        .stage
        .world
        .ask(world.stage.ledger, ISupply::recallOfCall { batch, number: last });
    assert_eq!((answer.from, answer.to, answer.class), (0, COUNT, recall::CLASS_I));
}

// ---- Calldata ------------------------------------------------------------------------------------------------------

#[test]
fn lengths_that_lie_about_cuts_items_and_proofs_keep_nothing() {
    let mut world = World::new(Way::Own);
    let [maker, wholesaler, pharmacy, _] = world.parties.clone();
    let (batch, shelf) = (world.registered(OTHER_LOT), world.at_pharmacy(LOT));
    let split = ISupply::splitCall {
        actor: maker.address(),
        batch,
        unit: 0,
        cuts: vec![4, 8],
    };
    world.stage.lies_are_refused(maker.address(), split.clone(), &[3, 4]);
    let offer = world.offer(&maker, &wholesaler, shipment::SALE, batch, &[0]);
    world.stage.lies_are_refused(maker.address(), offer.clone(), &[3, 5]);
    let dispensing = world.dispensing(&pharmacy, shelf, 0, 4);
    world
        .stage
        .lies_are_refused(pharmacy.address(), dispensing.clone(), &[5, 7]);
    let scan = ISupply::verifyCall {
        batch: shelf,
        unit: 0,
        index: 4,
        serial: serial(4),
        proof: proof(4),
    };
    world.stage.lies_are_refused(pharmacy.address(), scan, &[4, 5]);
    // Dirt above an address, numbers of 8, 32 and 64 bits, and a cut.
    let supply = world.stage.ledger;
    let dirty = |call: Vec<u8>, word: usize| {
        let mut dirty = call;
        dirty[4 + word * 32] = 1;
        dirty
    };
    for word in [0, 2, 5, 6] {
        world
            .stage
            .refused_in_silence(maker.address(), supply, dirty(split.abi_encode(), word));
    }
    for word in [0, 1, 2, 7, 8] {
        world
            .stage
            .refused_in_silence(maker.address(), supply, dirty(offer.abi_encode(), word));
    }
    world.stage.act(&pharmacy, dispensing);
    world.stage.act(&maker, offer);
}

// ---- The world -----------------------------------------------------------------------------------------------------

/// A maker, a wholesaler and two pharmacies.
struct World {
    stage: Stage,
    parties: [PrivateKeySigner; 4],
}

impl World {
    fn new(way: Way) -> Self {
        let mut stage = Stage::new(way, |world| world.supply);
        let parties = [1, 2, 3, 4].map(party);
        let roles = [role::MAKER, role::DISTRIBUTOR, role::PHARMACY, role::PHARMACY];
        for (party, roles) in parties.iter().zip(roles) {
            stage.credential(party.address(), roles);
        }
        Self { stage, parties }
    }

    fn registration(&self, maker: &PrivateKeySigner, lot: B256) -> ISupply::registerBatchCall {
        ISupply::registerBatchCall {
            actor: maker.address(),
            gtin: GTIN,
            lot,
            expiry: EXPIRY,
            root: serial_tree().root().unwrap(),
            count: COUNT,
            document: NOTE,
        }
    }

    /// The maker's batch.
    fn registered(&mut self, lot: B256) -> B256 {
        let maker = self.parties[0].clone();
        self.stage.act(&maker, self.registration(&maker, lot));
        batch_id(maker.address(), lot)
    }

    /// The maker's batch, sold to the first pharmacy.
    fn at_pharmacy(&mut self, lot: B256) -> B256 {
        let batch = self.registered(lot);
        let [maker, _, pharmacy, _] = self.parties.clone();
        self.sell(&maker, &pharmacy, batch, 0);
        batch
    }

    fn offer(
        &self,
        from: &PrivateKeySigner,
        to: &PrivateKeySigner,
        kind: u8,
        batch: B256,
        units: &[u32],
    ) -> ISupply::offerCall {
        let item = |&unit: &u32| Item {
            batch,
            unit,
            last: self.unit(batch, unit).last,
        };
        ISupply::offerCall {
            actor: from.address(),
            to: to.address(),
            kind,
            items: units.iter().map(item).collect(),
            document: NOTE,
        }
    }

    /// Offered and accepted.
    fn sell(&mut self, from: &PrivateKeySigner, to: &PrivateKeySigner, batch: B256, unit: u32) {
        let offer = self.offer(from, to, shipment::SALE, batch, &[unit]);
        self.stage.act(from, offer);
        let shipment = self.unit(batch, unit).shipment;
        self.stage.act(to, accept(to, shipment));
    }

    fn dispensing(&self, actor: &PrivateKeySigner, batch: B256, unit: u32, index: u32) -> ISupply::dispenseCall {
        ISupply::dispenseCall {
            actor: actor.address(),
            batch,
            unit,
            index,
            serial: serial(index),
            proof: proof(index),
            document: NOTE,
        }
    }

    fn unit(&self, batch: B256, unit: u32) -> ISupply::unitOfReturn {
        self.stage
            .world
            .ask(self.stage.ledger, ISupply::unitOfCall { batch, unit })
    }

    /// Who has and had it, backwards.
    fn custody(&self, batch: B256, unit: u32) -> Vec<Address> {
        let mut step = self.unit(batch, unit).step;
        let mut holders = Vec::new();
        while step != 0 {
            let found = self.stage.world.ask(self.stage.ledger, ISupply::stepOfCall { step });
            holders.push(found.holder);
            step = found.previous;
        }
        holders
    }

    fn verify(&self, batch: B256, unit: u32, index: u32) -> (u8, Address, u64) {
        let call = ISupply::verifyCall {
            batch,
            unit,
            index,
            serial: serial(index),
            proof: proof(index),
        };
        let found = self.stage.world.ask(self.stage.ledger, call);
        (found.status, found.party, found.since)
    }
}

fn accept(actor: &PrivateKeySigner, shipment: u64) -> ISupply::acceptCall {
    ISupply::acceptCall {
        actor: actor.address(),
        shipment,
        document: NOTE,
    }
}

fn recalling(actor: &PrivateKeySigner, batch: B256, number: u8, from: u32, to: u32) -> ISupply::recallCall {
    ISupply::recallCall {
        actor: actor.address(),
        batch,
        number,
        from,
        to,
        class: recall::CLASS_I,
        reasonCode: recall::CONTAMINATED,
        document: NOTE,
    }
}

fn batch_id(maker: Address, lot: B256) -> B256 {
    hash(&[maker.into_word(), U256::from(GTIN).into(), lot])
}

/// What stands for serial number `index` in the tree.
fn serial(index: u32) -> B256 {
    hash(&[B256::repeat_byte(0x5e), U256::from(index).into()])
}

fn serials() -> [B256; COUNT as usize] {
    std::array::from_fn(|index| serial(index as u32))
}

fn serial_tree() -> Tree {
    tree(&serials())
}

fn proof(index: u32) -> Vec<B256> {
    serial_tree().proof(index as usize).unwrap()
}
