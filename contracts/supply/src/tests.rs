use std::{collections::BTreeMap, sync::LazyLock};

use alloy_primitives::{FixedBytes, U256, keccak256};
use alloy_sol_types::{SolCall, SolValue};
use medlock_abi::supply::ISupply::ISupplyEvents as Event;
use stylus_sdk::testing::TestVM;

use super::*;

mod custody;
mod history;
mod packages;

const REGISTRY: Address = Address::new(link::REGISTRY);
const RELAY: Address = Address::new(link::RELAY);
const MAKER: Address = Address::repeat_byte(0x01);
const OTHER_MAKER: Address = Address::repeat_byte(0x02);
const WHOLESALER: Address = Address::repeat_byte(0x03);
const DISTRIBUTOR: Address = Address::repeat_byte(0x04);
const PHARMACY: Address = Address::repeat_byte(0x05);
const OTHER_PHARMACY: Address = Address::repeat_byte(0x06);
const REGULATOR: Address = Address::repeat_byte(0x07);
const STRANGER: Address = Address::repeat_byte(0x08);
const NOW: u64 = 1_800_000_000;
const EXPIRY: u64 = NOW + 1_000;
/// GS1's own example of a GTIN-13.
const GTIN: u64 = 9_501_101_530_003;
const OTHER_GTIN: u64 = 614_141_123_452;
const LOT: B256 = FixedBytes::repeat_byte(0x10);
const OTHER_LOT: B256 = FixedBytes::repeat_byte(0x11);
const DOCUMENT: B256 = FixedBytes::repeat_byte(0xd0);
const COUNT: u32 = 13;

/// The contract, and a registry that knows these parties.
///
/// The test VM answers a static call that it was not told of with success, and hands out the data of the answer mocked last.
struct World {
    vm: TestVM,
    supply: Supply,
    roles: BTreeMap<Address, u64>,
    /// How many events [`World::events`] has told.
    told: usize,
}

impl World {
    fn new() -> Self {
        let vm = TestVM::new();
        vm.set_block_timestamp(NOW);
        let supply = Supply::from(&vm);
        Self {
            vm,
            supply,
            roles: BTreeMap::from([
                (MAKER, role::MAKER),
                (OTHER_MAKER, role::MAKER),
                (WHOLESALER, role::DISTRIBUTOR),
                (DISTRIBUTOR, role::DISTRIBUTOR | role::ORGANISATION),
                (PHARMACY, role::PHARMACY),
                (OTHER_PHARMACY, role::PHARMACY),
                (REGULATOR, role::REGULATOR),
                (
                    STRANGER,
                    role::ALL.iter().fold(0, |all, (_, bit)| all | bit) & !role::TRADE & !role::REGULATOR,
                ),
            ]),
            told: 0,
        }
    }

    /// The contract, called by `sender`; the registry says what it knows of `actor`.
    fn called(&mut self, sender: Address, actor: Address) -> &mut Supply {
        let roles = self.roles.get(&actor).copied().unwrap_or_default();
        self.registry_says(actor, Ok(credential(roles, true)));
        self.vm.set_sender(sender);
        &mut self.supply
    }

    fn by(&mut self, actor: Address) -> &mut Supply {
        self.called(actor, actor)
    }

    fn registry_says(&self, party: Address, answer: Result<Vec<u8>, Vec<u8>>) {
        let call = credentialOfCall { party };
        self.vm.mock_static_call(REGISTRY, call.abi_encode(), answer);
    }

    fn at(&self, now: u64) {
        self.vm.set_block_timestamp(now);
    }

    /// The events since this was asked last.
    fn events(&mut self) -> Vec<Event> {
        let logs = self.vm.get_emitted_logs();
        let new = logs[self.told..]
            .iter()
            .map(|(topics, data)| alloy_sol_types::SolEventInterface::decode_raw_log(topics, data).unwrap())
            .collect();
        self.told = logs.len();
        new
    }

    /// The maker's batch.
    fn register(&mut self) -> B256 {
        self.register_lot(MAKER, GTIN, LOT).unwrap()
    }

    fn register_lot(&mut self, maker: Address, gtin: u64, lot: B256) -> Result<B256, Error> {
        let root = tree().root;
        self.by(maker)
            .register_batch(maker, gtin, lot, EXPIRY, root, COUNT, DOCUMENT)
    }

    fn item(&self, batch: B256, unit: u32) -> Item {
        let last = self.supply.unit_of(batch, unit).3;
        Item { batch, unit, last }
    }

    fn offer(&mut self, from: Address, to: Address, kind: u8, batch: B256, units: &[u32]) -> Result<u64, Error> {
        let items = units.iter().map(|unit| self.item(batch, *unit)).collect();
        self.by(from).offer(from, to, kind, items, DOCUMENT)
    }

    /// Offered and accepted.
    fn pass(&mut self, from: Address, to: Address, kind: u8, batch: B256, units: &[u32]) -> u64 {
        let shipment = self.offer(from, to, kind, batch, units).unwrap();
        self.by(to).accept(to, shipment, DOCUMENT).unwrap();
        shipment
    }

    fn sell(&mut self, from: Address, to: Address, batch: B256, units: &[u32]) -> u64 {
        self.pass(from, to, terms::SALE, batch, units)
    }

    fn holder(&self, batch: B256, unit: u32) -> Address {
        self.supply.unit_of(batch, unit).1
    }

    fn dispense(&mut self, actor: Address, batch: B256, unit: u32, index: u32) -> Result<(), Error> {
        let proof = tree().proof(index);
        self.by(actor)
            .dispense(actor, batch, unit, index, serial(index), proof, DOCUMENT)
    }

    fn recall(&mut self, actor: Address, batch: B256, from: u32, to: u32) -> Result<(), Error> {
        let number = self.supply.batch_of(batch).6;
        self.by(actor).recall(
            actor,
            batch,
            number,
            from,
            to,
            recalls::CLASS_I,
            recalls::CONTAMINATED,
            DOCUMENT,
        )
    }

    fn decommission(&mut self, actor: Address, batch: B256, unit: u32) -> Result<(), Error> {
        let last = self.item(batch, unit).last;
        self.by(actor)
            .decommission(actor, batch, unit, last, decommission::DESTROYED, DOCUMENT)
    }

    fn verify(&self, batch: B256, unit: u32, index: u32) -> Result<(u8, Address, u64), Error> {
        let proof = tree().proof(index);
        self.supply.verify(batch, unit, index, serial(index), proof)
    }

    /// Every method that changes something, by `actor`, called by `sender`; where the actor may, each would do something.
    fn every_method(&mut self, sender: Address, actor: Address, batch: B256) -> Vec<Result<(), Error>> {
        let item = self.item(batch, 0);
        let (root, proof) = (tree().root, tree().proof(0));
        vec![
            self.called(sender, actor)
                .register_batch(actor, OTHER_GTIN, LOT, EXPIRY, root, COUNT, DOCUMENT)
                .map(drop),
            self.called(sender, actor).split(actor, batch, 0, vec![4]),
            self.called(sender, actor)
                .offer(actor, WHOLESALER, terms::SALE, vec![item], DOCUMENT)
                .map(drop),
            self.called(sender, actor).accept(actor, 1, DOCUMENT),
            self.called(sender, actor).refuse(actor, 1, DOCUMENT),
            self.called(sender, actor).withdraw(actor, 1, DOCUMENT),
            self.called(sender, actor).recall(actor, batch, 0, 0, 1, 1, 1, DOCUMENT),
            self.called(sender, actor)
                .dispense(actor, batch, 0, 0, serial(0), proof, DOCUMENT),
            self.called(sender, actor).decommission(actor, batch, 4, 1, 1, DOCUMENT),
        ]
    }
}

/// As the registry answers `credentialOf`.
fn credential(roles: u64, current: bool) -> Vec<u8> {
    (REGISTRY, roles, NOW, 0u64, 0u64, B256::ZERO, U256::ONE, current).abi_encode()
}

/// A batch's serials, salted.
struct Tree {
    root: B256,
    leaves: Vec<B256>,
}

impl Tree {
    fn of(serials: &[B256]) -> Self {
        let keccak = |bytes: &[u8]| keccak256(bytes);
        let leaves: Vec<_> = serials.iter().map(|data| medlock_merkle::leaf(keccak, *data)).collect();
        let root = medlock_merkle::root(keccak, &leaves).unwrap();
        Self { root, leaves }
    }

    fn proof(&self, index: u32) -> Vec<B256> {
        medlock_merkle::proof(|bytes| keccak256(bytes), &self.leaves, index as usize).unwrap_or_default()
    }
}

/// Of the batches here, made once.
fn tree() -> &'static Tree {
    static TREE: LazyLock<Tree> = LazyLock::new(|| Tree::of(&(0..COUNT).map(serial).collect::<Vec<_>>()));
    &TREE
}

fn serial(index: u32) -> B256 {
    keccak256([&b"salt"[..], &index.to_be_bytes()].concat())
}

fn not_credentialed(actor: Address, roles: u64) -> Error {
    ISupply::NotCredentialed { actor, roles }.into()
}

#[test]
fn its_neighbours_are_constants_of_its_code() {
    let vm = TestVM::new();
    assert_eq!(Supply::from(&vm).neighbours(), (REGISTRY, RELAY));
    // What lies in storage changes none of them.
    for slot in 0..8 {
        vm.set_storage(U256::from(slot), STRANGER.into_word());
    }
    assert_eq!(Supply::from(&vm).neighbours(), (REGISTRY, RELAY));
}

#[test]
fn the_actor_or_the_relay_speaks_for_the_actor_and_nobody_else() {
    let mut world = World::new();
    let batch = world.register();
    world.events();
    for caller in [STRANGER, REGISTRY, WHOLESALER, OTHER_MAKER] {
        for outcome in world.every_method(caller, MAKER, batch) {
            assert_eq!(outcome, Err(ISupply::NotActor { caller, actor: MAKER }.into()));
        }
    }
    assert_eq!(world.events(), []);
    // The relay has no right of its own.
    for outcome in world.every_method(RELAY, RELAY, batch) {
        outcome.unwrap_err();
    }
    assert_eq!(world.events(), []);

    let outcomes = world.every_method(RELAY, MAKER, batch);
    let shipment = match world.events()[..] {
        [
            Event::BatchRegistered(_),
            Event::UnitSplit(_),
            Event::ShipmentOffered(ref offered),
            Event::UnitOffered(_),
            Event::RecallIssued(_),
            Event::Decommissioned(_),
        ] => offered.shipment,
        ref events => panic!("{events:?}"),
    };
    assert!(outcomes[0].is_ok() && outcomes[1].is_ok() && outcomes[2].is_ok());
    world
        .called(RELAY, WHOLESALER)
        .accept(WHOLESALER, shipment, DOCUMENT)
        .unwrap();
    assert_eq!(world.holder(batch, 0), WHOLESALER);
}

/// Where no registry is at its address, a call succeeds and says nothing.
#[test]
fn without_an_answer_of_the_registry_nobody_has_a_role() {
    let mut world = World::new();
    let batch = world.register();
    let sale = world.offer(MAKER, PHARMACY, terms::SALE, batch, &[0]).unwrap();
    world.events();
    let silent = |world: &World, party: Address, answer: &Result<Vec<u8>, Vec<u8>>| {
        world.registry_says(party, answer.clone());
        world.vm.set_sender(party);
    };
    let every = u64::MAX;
    let mut short = credential(every, true);
    short.truncate(7 * 32);
    let mut not_a_truth = credential(every, true);
    *not_a_truth.last_mut().unwrap() = 2;
    for answer in [
        Ok(vec![]),
        Ok(short),
        Ok(not_a_truth),
        Err(credential(every, true)),
        // Revoked, expired, or its issuer dismissed.
        Ok(credential(every, false)),
        Ok(credential(0, true)),
    ] {
        silent(&world, MAKER, &answer);
        assert_eq!(
            world
                .supply
                .register_batch(MAKER, GTIN, OTHER_LOT, EXPIRY, LOT, 1, DOCUMENT),
            Err(not_credentialed(MAKER, role::MAKER))
        );
        silent(&world, PHARMACY, &answer);
        assert_eq!(
            world.supply.accept(PHARMACY, sale, DOCUMENT),
            Err(not_credentialed(PHARMACY, role::TRADE))
        );
        silent(&world, REGULATOR, &answer);
        assert_eq!(
            world.supply.recall(REGULATOR, batch, 0, 0, 1, 1, 1, DOCUMENT),
            Err(ISupply::MayNotRecall { actor: REGULATOR }.into())
        );
    }
    assert_eq!(world.events(), []);
    world.by(PHARMACY).accept(PHARMACY, sale, DOCUMENT).unwrap();
}

#[test]
fn gtins_are_known_by_their_check_digit() {
    // Of GTIN-8, GTIN-12, GTIN-13 and GTIN-14, as GS1 and others print them.
    for gtin in [
        96_385_074,
        614_141_123_452,
        9_501_101_530_003,
        4_006_381_333_931,
        10_614_141_543_219,
        30_614_141_999_997,
        trade_item::MOST - 9 + 7,
    ] {
        assert!(trade_item::is_sound(gtin), "{gtin}");
        // A digit that is another: the check digit finds each.
        for place in (0..14).map(|digits| 10u64.pow(digits)) {
            let digit = gtin / place % 10;
            for other in (0..10).filter(|other| *other != digit) {
                let mistyped = gtin - digit * place + other * place;
                assert!(!trade_item::is_sound(mistyped), "{mistyped}");
            }
        }
    }
    let mut world = World::new();
    for gtin in [0, 1, 9_501_101_530_004, 100_000_000_000_007, u64::MAX] {
        assert_eq!(
            world.register_lot(MAKER, gtin, LOT),
            Err(ISupply::MalformedGtin { gtin }.into())
        );
    }
    assert_eq!(world.events(), []);
}

#[test]
fn a_lot_is_registered_once_and_by_its_current_maker_alone() {
    let mut world = World::new();
    let batch = world.register();
    assert_eq!(batch, keccak256((MAKER, GTIN, LOT).abi_encode()));
    assert_eq!(
        world.events(),
        [Event::BatchRegistered(ISupply::BatchRegistered {
            batch,
            maker: MAKER,
            gtin: GTIN,
            lot: LOT,
            expiry: EXPIRY,
            root: tree().root,
            count: COUNT,
            step: 1,
            document: DOCUMENT,
        })]
    );
    assert_eq!(
        world.supply.batch_of(batch),
        (MAKER, GTIN, NOW, EXPIRY, tree().root, COUNT, 0)
    );
    assert_eq!(world.supply.unit_of(batch, 0), (COUNT, MAKER, 1, 1, 0, 0));
    assert_eq!(world.supply.step_of(1), (MAKER, 0, 0));

    // Again, also with other contents, it is refused; another's lot of the same name is another batch.
    assert_eq!(
        world.register_lot(MAKER, GTIN, LOT),
        Err(ISupply::BatchExists { batch }.into())
    );
    let outcome = world
        .by(MAKER)
        .register_batch(MAKER, GTIN, LOT, EXPIRY + 1, LOT, 1, DOCUMENT);
    assert_eq!(outcome, Err(ISupply::BatchExists { batch }.into()));
    let others = world.register_lot(OTHER_MAKER, GTIN, LOT).unwrap();
    assert_ne!(others, batch);
    assert_ne!(world.register_lot(MAKER, GTIN, OTHER_LOT).unwrap(), batch);
    assert_ne!(world.register_lot(MAKER, OTHER_GTIN, LOT).unwrap(), batch);
    for party in [WHOLESALER, PHARMACY, REGULATOR, STRANGER] {
        assert_eq!(
            world.register_lot(party, GTIN, LOT),
            Err(not_credentialed(party, role::MAKER))
        );
    }
    assert_eq!(world.supply.batch_of(batch).0, MAKER);
}

#[test]
fn a_batch_has_packages_a_root_and_a_time_to_come() {
    let mut world = World::new();
    let mut register = |lot, expiry, root, count| {
        world
            .by(MAKER)
            .register_batch(MAKER, GTIN, lot, expiry, root, count, B256::ZERO)
            .map(drop)
    };
    let zero = Err(ISupply::ZeroDigest {}.into());
    assert_eq!(register(B256::ZERO, EXPIRY, LOT, 1), zero);
    assert_eq!(register(LOT, EXPIRY, B256::ZERO, 1), zero);
    assert_eq!(register(LOT, EXPIRY, LOT, 0), Err(ISupply::EmptyBatch {}.into()));
    for time in [TIME_MOST + 1, u64::MAX] {
        assert_eq!(register(LOT, time, LOT, 1), Err(ISupply::TimeTooLarge { time }.into()));
    }
    for expiry in [0, 1, NOW - 1, NOW] {
        assert_eq!(
            register(LOT, expiry, LOT, 1),
            Err(ISupply::ExpiryInPast { expiry, now: NOW }.into())
        );
    }
    register(LOT, NOW + 1, LOT, 1).unwrap();
    register(OTHER_LOT, TIME_MOST, LOT, u32::MAX).unwrap();
    let Event::BatchRegistered(last) = world.events().pop().unwrap() else {
        panic!()
    };
    assert_eq!(
        world.supply.batch_of(last.batch),
        (MAKER, GTIN, NOW, TIME_MOST, LOT, u32::MAX, 0)
    );
}

#[test]
fn what_is_not_there_is_all_zero() {
    let world = World::new();
    let nothing = B256::repeat_byte(0x77);
    assert_eq!(
        world.supply.batch_of(nothing),
        (Address::ZERO, 0, 0, 0, B256::ZERO, 0, 0)
    );
    assert_eq!(world.supply.unit_of(nothing, 0), (0, Address::ZERO, 0, 0, 0, 0));
    assert_eq!(world.supply.step_of(u64::MAX), (Address::ZERO, 0, 0));
    assert_eq!(
        world.supply.shipment_of(u64::MAX),
        (Address::ZERO, Address::ZERO, 0, 0, 0)
    );
    assert_eq!(world.supply.recall_of(nothing, 0), (0, 0, 0, 0, 0));
    assert_eq!(world.supply.dispensed_of(MAKER, GTIN, nothing), (Address::ZERO, 0, 0));
}

#[test]
fn words_are_packed_as_solidity_packs_them() {
    let word = |hex: &str| hex.replace(' ', "").parse::<B256>().unwrap();
    let party = Address::repeat_byte(0xaa);
    const PARTY: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    let packed = |rest: &str| word(&format!("{}{PARTY}", rest.replace(' ', "")));

    let head = BatchHead {
        maker: party,
        expiry: 0x11_1111_1112,
        count: 0x2222_2223,
        recalls: 0x33,
    };
    assert_eq!(head.to_word(), packed("0000 33 22222223 1111111112"));
    assert_eq!(BatchHead::from_word(head.to_word()), head);

    let product = Product {
        gtin: 0x1111_1111_1111_1112,
        registered_at: 0x22_2222_2223,
    };
    assert_eq!(
        product.to_word(),
        word("00000000000000000000000000000000000000 2222222223 1111111111111112")
    );
    assert_eq!(Product::from_word(product.to_word()), product);

    let unit = Unit {
        to: 0x1111_1112,
        step: 0x2222_2222_2223,
        last: 0x3333_3333_3334,
        decommissioned: 0x44,
    };
    assert_eq!(
        unit.to_word(),
        word("000000000000000000000000000000 44 333333333334 222222222223 11111112")
    );
    assert_eq!(Unit::from_word(unit.to_word()), unit);

    let step = Step {
        holder: party,
        previous: 0x1111_1111_1112,
        shipment: 0x2222_2222_2223,
    };
    assert_eq!(step.to_word(), packed("222222222223 111111111112"));
    assert_eq!(Step::from_word(step.to_word()), step);

    let shipment = Shipment {
        from: party,
        offered_at: 0x11_1111_1112,
        kind: 0x22,
        state: 0x33,
    };
    assert_eq!(shipment.to_word(), packed("0000000000 33 22 1111111112"));
    assert_eq!(Shipment::from_word(shipment.to_word()), shipment);

    let recall = Recall {
        from: 0x1111_1112,
        to: 0x2222_2223,
        class: 0x33,
        reason_code: 0x44,
        at: 0x55_5555_5556,
    };
    assert_eq!(
        recall.to_word(),
        word("0000000000000000000000000000000000 5555555556 44 33 22222223 11111112")
    );
    assert_eq!(Recall::from_word(recall.to_word()), recall);

    let dispensing = Dispensing {
        by: party,
        at: 0x11_1111_1112,
        index: 0x2222_2223,
    };
    assert_eq!(dispensing.to_word(), packed("000000 22222223 1111111112"));
    assert_eq!(Dispensing::from_word(dispensing.to_word()), dispensing);
}
