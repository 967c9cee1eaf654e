//! Random histories of calls, sound and unsound, by many parties: a model of the rules, package by package, says what each call
//! answers, to the very error; and the events alone give back every storage word.
use std::collections::BTreeSet;

use medlock_dice::Dice;

use super::*;

const PARTIES: [Address; 7] = [
    MAKER,
    OTHER_MAKER,
    WHOLESALER,
    DISTRIBUTOR,
    PHARMACY,
    OTHER_PHARMACY,
    STRANGER,
];
const LOTS: [B256; 2] = [LOT, OTHER_LOT];
const HISTORIES: u64 = 10;
const CALLS: usize = 400;
const METHODS: [&str; 9] = [
    "registerBatch",
    "split",
    "offer",
    "accept",
    "refuse",
    "withdraw",
    "recall",
    "dispense",
    "decommission",
];
/// What the dice must have brought about; the rest has tests of its own.
const ERRORS: [&str; 22] = [
    "NotCredentialed",
    "BatchExists",
    "UnknownBatch",
    "UnknownUnit",
    "MalformedCut",
    "ItemOrder",
    "UnitMoved",
    "NotHolder",
    "InTransit",
    "UnitDecommissioned",
    "CustodyCycle",
    "NotEarlierHolder",
    "BatchExpired",
    "Recalled",
    "UnknownShipment",
    "ShipmentNotOpen",
    "NotReceiver",
    "NotSender",
    "NotInUnit",
    "NotInBatch",
    "AlreadyDispensed",
    "NotActor",
];

#[test]
fn each_call_answers_as_the_model_does_and_events_alone_give_back_every_storage_word() {
    let mut seen = BTreeSet::new();
    let mut errors = BTreeSet::new();
    for seed in 0..HISTORIES {
        let mut world = World::new();
        let mut model = Model::new(&world);
        let mut dice = Dice(seed);
        let mut replay = Replay::default();
        for step in 0..CALLS {
            model.now += dice.below(4);
            world.at(model.now);
            lose_or_regain(&mut world, &mut model, &mut dice);
            let call = Call::any(&model, &mut dice);
            let name = call.name();
            let expected = model.answer(&call);
            let outcome = call.make(&mut world);
            assert_eq!(outcome, expected, "seed {seed}, call {step}: {call:?}");
            seen.insert((name, outcome.is_ok()));
            if let Err(error) = &outcome {
                let text = format!("{error:?}");
                errors.insert(text.split('(').next().unwrap().to_owned());
            }
            let events = world.events();
            assert_eq!(outcome.is_ok(), !events.is_empty(), "{name}");
            for event in &events {
                replay.apply(event, model.now);
            }
            same_answers(&world, &model, &mut dice);
            // Every word takes a hash, which is slow without optimisation.
            if step % 16 == 0 || step + 1 == CALLS {
                assert_eq!(stored(&world.vm), replay.words(), "seed {seed}, call {step}: {call:?}");
            }
        }
    }
    for name in METHODS {
        for outcome in [false, true] {
            assert!(seen.contains(&(name, outcome)), "{name} {outcome}");
        }
    }
    for error in ERRORS {
        assert!(errors.contains(error), "{error}");
    }
}

fn lose_or_regain(world: &mut World, model: &mut Model, dice: &mut Dice) {
    if dice.one_in(40) {
        let party = dice.pick(&PARTIES);
        let role = World::new().roles[&party];
        let roles = if world.roles[&party] == 0 { role } else { 0 };
        world.roles.insert(party, roles);
        model.roles.insert(party, roles);
    }
}

/// Every view of a batch and a shipment, against the model's packages.
fn same_answers(world: &World, model: &Model, dice: &mut Dice) {
    if !model.batches.is_empty() {
        let (batch, of) = dice.pick(&model.batches.iter().collect::<Vec<_>>());
        let facts = world.supply.batch_of(*batch);
        assert_eq!(
            (facts.0, facts.1, facts.3, facts.6 as usize),
            (of.maker, of.gtin, EXPIRY, of.recalls.len())
        );
        let mut from = 0;
        // Units leave nothing out, and do not overlap.
        while from < COUNT {
            let (to, holder, step, last, shipment, decommissioned) = world.supply.unit_of(*batch, from);
            assert!(to > from && to <= COUNT);
            for package in &of.packages[from as usize..to as usize] {
                assert_eq!((package.unit, package.to), (from, to));
                assert_eq!((package.holder(), package.step(), package.last), (holder, step, last));
                assert_eq!(
                    (package.shipment.unwrap_or_default(), package.gone),
                    (shipment, decommissioned)
                );
            }
            // The chain of custody, backwards.
            let mut next = step;
            for (party, number) in of.packages[from as usize].chain.iter().rev() {
                let (holder, previous, _) = world.supply.step_of(next);
                assert_eq!((holder, next), (*party, *number));
                next = previous;
            }
            assert_eq!(next, 0);
            from = to;
        }
        let index = dice.below(u64::from(COUNT)) as u32;
        let package = &of.packages[index as usize];
        let first = model.dispensed.get(&(of.maker, of.gtin, serial(index))).copied();
        let mut status = package::MADE;
        if model.now >= EXPIRY {
            status |= package::EXPIRED;
        }
        if of.recalls.iter().any(|(from, to)| (*from..*to).contains(&index)) {
            status |= package::RECALLED;
        }
        let expected = match first {
            Some((by, at)) => (status | package::DISPENSED, by, at),
            None if package.gone != 0 => (status | package::DECOMMISSIONED, package.holder(), 0),
            None if package.shipment.is_some() => (status | package::IN_TRANSIT, package.holder(), 0),
            None => (status, package.holder(), 0),
        };
        assert_eq!(world.verify(*batch, package.unit, index), Ok(expected));
    }
    if !model.shipments.is_empty() {
        let (number, shipment) = dice.pick(&model.shipments.iter().collect::<Vec<_>>());
        let facts = world.supply.shipment_of(*number);
        assert_eq!(
            (facts.0, facts.1, facts.3),
            (shipment.from, shipment.to, shipment.state)
        );
    }
}

/// One call, whole.
#[derive(Debug, Clone)]
struct Call {
    sender: Address,
    actor: Address,
    what: What,
}

#[derive(Debug, Clone)]
enum What {
    Register {
        gtin: u64,
        lot: B256,
    },
    Split {
        batch: B256,
        unit: u32,
        cuts: Vec<u32>,
    },
    Offer {
        to: Address,
        kind: u8,
        items: Vec<Item>,
    },
    Accept(u64),
    Refuse(u64),
    Withdraw(u64),
    Recall {
        batch: B256,
        number: u8,
        from: u32,
        to: u32,
    },
    Dispense {
        batch: B256,
        unit: u32,
        index: u32,
        serial: B256,
    },
    Decommission {
        batch: B256,
        unit: u32,
        last: u64,
        reason: u8,
    },
}

impl Call {
    /// Mostly one that may be made.
    fn any(model: &Model, dice: &mut Dice) -> Self {
        let mut actor = dice.pick(&PARTIES);
        let batches: Vec<B256> = model.batches.keys().copied().collect();
        let batch = if batches.is_empty() || dice.one_in(40) {
            B256::repeat_byte(0x77)
        } else {
            dice.pick(&batches)
        };
        let index = dice.below(u64::from(COUNT)) as u32;
        let unknown = Package {
            unit: index,
            to: index,
            ..Package::default()
        };
        let package = model
            .batches
            .get(&batch)
            .map_or(&unknown, |of| &of.packages[index as usize]);
        let holder = package.chain.last().map_or(STRANGER, |(holder, _)| *holder);
        let numbers: Vec<u64> = model.shipments.keys().copied().collect();
        let open: Vec<u64> = model
            .shipments
            .iter()
            .filter(|(_, shipment)| shipment.state == terms::OPEN)
            .map(|(number, _)| *number)
            .collect();
        let shipment = match (open.is_empty(), numbers.is_empty()) {
            (false, _) if !dice.one_in(4) => dice.pick(&open),
            (_, false) if !dice.one_in(4) => dice.pick(&numbers),
            _ => dice.below(30),
        };
        let closes = |actor: &mut Address, dice: &mut Dice, by_sender: bool| {
            if let Some(shipment) = model.shipments.get(&shipment).filter(|_| !dice.one_in(5)) {
                *actor = if by_sender { shipment.from } else { shipment.to };
            }
        };
        let kind = dice.below(40);
        if matches!(kind, 2..26 | 29..40) && !dice.one_in(6) {
            actor = holder;
        }
        let what = match kind {
            0 | 1 => {
                if !dice.one_in(3) {
                    actor = dice.pick(&[MAKER, OTHER_MAKER]);
                }
                What::Register {
                    gtin: dice.pick(&[GTIN, GTIN, OTHER_GTIN]),
                    lot: dice.pick(&LOTS),
                }
            }
            2..6 => {
                let mut cuts: Vec<u32> = (0..1 + dice.below(2))
                    .map(|_| package.unit + dice.below(u64::from(package.to - package.unit) + 1) as u32)
                    .collect();
                if !dice.one_in(6) {
                    cuts.sort_unstable();
                }
                What::Split {
                    batch,
                    unit: package.unit,
                    cuts,
                }
            }
            6..16 => {
                let mut items = vec![Item {
                    batch,
                    unit: package.unit,
                    last: package.last - u64::from(package.last > 0 && dice.one_in(10)),
                }];
                // Sometimes more of the same holder's.
                for (batch, of) in &model.batches {
                    for package in &of.packages {
                        if package.chain.last().map(|last| last.0) == Some(holder) && dice.one_in(6) {
                            items.push(Item {
                                batch: *batch,
                                unit: package.unit,
                                last: package.last,
                            });
                        }
                    }
                }
                if !dice.one_in(12) {
                    items.sort_by_key(|item| (item.batch, item.unit));
                    items.dedup_by_key(|item| (item.batch, item.unit));
                }
                let earlier: Vec<Address> = package.chain.iter().map(|(party, _)| *party).collect();
                let is_return = dice.one_in(4);
                let to_anybody = match is_return {
                    true => dice.one_in(8),
                    false => !dice.one_in(6),
                };
                let to = if earlier.is_empty() || to_anybody {
                    dice.pick(&PARTIES)
                } else {
                    dice.pick(&earlier)
                };
                let kind = if is_return { terms::RETURN } else { terms::SALE };
                What::Offer { to, kind, items }
            }
            16..23 => {
                closes(&mut actor, dice, false);
                What::Accept(shipment)
            }
            23 => {
                closes(&mut actor, dice, false);
                What::Refuse(shipment)
            }
            24 => {
                closes(&mut actor, dice, true);
                What::Withdraw(shipment)
            }
            25 => {
                let of = model.batches.get(&batch);
                if let Some(of) = of.filter(|_| !dice.one_in(3)) {
                    actor = of.maker;
                }
                let number = of.map_or(0, |of| of.recalls.len() as u8) + u8::from(dice.one_in(6));
                let whole = dice.one_in(20);
                let from = if whole { 0 } else { index };
                let to = if whole { COUNT } else { index + dice.below(4) as u32 };
                What::Recall {
                    batch,
                    number,
                    from,
                    to,
                }
            }
            26..38 => {
                let dispensed: Vec<B256> = model.dispensed.keys().map(|(_, _, serial)| *serial).collect();
                let again = (0..COUNT).find(|index| dispensed.contains(&serial(*index)));
                let index = again.filter(|_| dice.one_in(10)).unwrap_or(index);
                let data = if dice.one_in(12) { serial(99) } else { serial(index) };
                let unit = model
                    .batches
                    .get(&batch)
                    .map_or(index, |of| of.packages[index as usize].unit);
                let unit = if dice.one_in(10) {
                    dice.below(u64::from(COUNT)) as u32
                } else {
                    unit
                };
                What::Dispense {
                    batch,
                    unit,
                    index,
                    serial: data,
                }
            }
            _ => What::Decommission {
                batch,
                unit: package.unit,
                last: package.last,
                reason: dice.below(9) as u8,
            },
        };
        let sender = match dice.below(25) {
            0 => STRANGER,
            1 | 2 => RELAY,
            _ => actor,
        };
        Self { sender, actor, what }
    }

    fn name(&self) -> &'static str {
        match self.what {
            What::Register { .. } => METHODS[0],
            What::Split { .. } => METHODS[1],
            What::Offer { .. } => METHODS[2],
            What::Accept(_) => METHODS[3],
            What::Refuse(_) => METHODS[4],
            What::Withdraw(_) => METHODS[5],
            What::Recall { .. } => METHODS[6],
            What::Dispense { .. } => METHODS[7],
            What::Decommission { .. } => METHODS[8],
        }
    }

    fn make(&self, world: &mut World) -> Result<(), Error> {
        let actor = self.actor;
        let supply = world.called(self.sender, actor);
        match self.what.clone() {
            What::Register { gtin, lot } => supply
                .register_batch(actor, gtin, lot, EXPIRY, tree().root, COUNT, DOCUMENT)
                .map(drop),
            What::Split { batch, unit, cuts } => supply.split(actor, batch, unit, cuts),
            What::Offer { to, kind, items } => supply.offer(actor, to, kind, items, DOCUMENT).map(drop),
            What::Accept(shipment) => supply.accept(actor, shipment, DOCUMENT),
            What::Refuse(shipment) => supply.refuse(actor, shipment, DOCUMENT),
            What::Withdraw(shipment) => supply.withdraw(actor, shipment, DOCUMENT),
            What::Recall {
                batch,
                number,
                from,
                to,
            } => supply.recall(actor, batch, number, from, to, 1, 1, DOCUMENT),
            What::Dispense {
                batch,
                unit,
                index,
                serial,
            } => supply.dispense(actor, batch, unit, index, serial, tree().proof(index), DOCUMENT),
            What::Decommission {
                batch,
                unit,
                last,
                reason,
            } => supply.decommission(actor, batch, unit, last, reason, DOCUMENT),
        }
    }
}

/// The rules, told of each package alone: who has had it, whatever else is in its unit.
struct Model {
    now: u64,
    roles: BTreeMap<Address, u64>,
    batches: BTreeMap<B256, ModelBatch>,
    shipments: BTreeMap<u64, ModelShipment>,
    steps: u64,
    /// By maker, GTIN and serial: by whom, and when.
    dispensed: BTreeMap<(Address, u64, B256), (Address, u64)>,
}

struct ModelBatch {
    maker: Address,
    gtin: u64,
    packages: Vec<Package>,
    recalls: Vec<(u32, u32)>,
}

#[derive(Debug, Default, Clone)]
struct Package {
    /// The unit that it is in.
    unit: u32,
    to: u32,
    /// Who has it, last, and who had it before them, with the steps' numbers.
    chain: Vec<(Address, u64)>,
    last: u64,
    /// The open one that it is in.
    shipment: Option<u64>,
    /// Its chain, once that is accepted.
    coming: Vec<(Address, u64)>,
    gone: u8,
}

impl Package {
    fn holder(&self) -> Address {
        self.chain.last().unwrap().0
    }

    fn step(&self) -> u64 {
        self.chain.last().unwrap().1
    }
}

struct ModelShipment {
    from: Address,
    to: Address,
    state: u8,
}

impl Model {
    fn new(world: &World) -> Self {
        Self {
            // So that the batches expire late in a history.
            now: EXPIRY - CALLS as u64,
            roles: world.roles.clone(),
            batches: BTreeMap::new(),
            shipments: BTreeMap::new(),
            steps: 0,
            dispensed: BTreeMap::new(),
        }
    }

    fn role(&self, actor: Address, roles: u64) -> Result<(), Error> {
        match self.roles[&actor] & roles {
            0 => Err(not_credentialed(actor, roles)),
            _ => Ok(()),
        }
    }

    /// The first package of a unit, which is in the actor's hands.
    fn held(&self, actor: Address, batch: B256, unit: u32) -> Result<Package, Error> {
        let first = self.batches.get(&batch).and_then(|of| of.packages.get(unit as usize));
        let Some(package) = first.filter(|package| package.unit == unit) else {
            return Err(ISupply::UnknownUnit { batch, unit }.into());
        };
        if package.gone != 0 {
            return Err(ISupply::UnitDecommissioned {
                batch,
                unit,
                reasonCode: package.gone,
            }
            .into());
        }
        if let Some(shipment) = package.shipment {
            return Err(ISupply::InTransit { batch, unit, shipment }.into());
        }
        if package.holder() != actor {
            return Err(ISupply::NotHolder {
                actor,
                holder: package.holder(),
            }
            .into());
        }
        Ok(package.clone())
    }

    fn sound(&self, batch: B256, from: u32, to: u32) -> Result<(), Error> {
        if self.now >= EXPIRY {
            return Err(ISupply::BatchExpired { batch, expiry: EXPIRY }.into());
        }
        let recalls = &self.batches[&batch].recalls;
        let reached = |(a, b): &(u32, u32)| (from..to).any(|index| (*a..*b).contains(&index));
        match recalls.iter().position(reached) {
            Some(number) => Err(ISupply::Recalled {
                batch,
                number: number as u8,
            }
            .into()),
            None => Ok(()),
        }
    }

    fn each(&mut self, batch: B256, from: u32, to: u32, change: impl Fn(u32, &mut Package)) {
        let packages = &mut self.batches.get_mut(&batch).unwrap().packages;
        for index in from..to {
            change(index, &mut packages[index as usize]);
        }
    }

    /// What the call answers; changes what it changes.
    fn answer(&mut self, call: &Call) -> Result<(), Error> {
        let Call { sender, actor, .. } = *call;
        if sender != actor && sender != RELAY {
            return Err(ISupply::NotActor { caller: sender, actor }.into());
        }
        match call.what.clone() {
            What::Register { gtin, lot } => {
                if self.now >= EXPIRY {
                    return Err(ISupply::ExpiryInPast {
                        expiry: EXPIRY,
                        now: self.now,
                    }
                    .into());
                }
                let batch = keccak256((actor, gtin, lot).abi_encode());
                if self.batches.contains_key(&batch) {
                    return Err(ISupply::BatchExists { batch }.into());
                }
                self.role(actor, role::MAKER)?;
                self.steps += 1;
                let package = Package {
                    to: COUNT,
                    chain: vec![(actor, self.steps)],
                    last: self.steps,
                    ..Package::default()
                };
                let of = ModelBatch {
                    maker: actor,
                    gtin,
                    packages: vec![package; COUNT as usize],
                    recalls: vec![],
                };
                self.batches.insert(batch, of);
            }
            What::Split { batch, unit, cuts } => {
                let whole = self.held(actor, batch, unit)?;
                let mut bounds = vec![unit];
                for cut in cuts {
                    if cut <= *bounds.last().unwrap() || cut >= whole.to {
                        return Err(ISupply::MalformedCut { cut }.into());
                    }
                    bounds.push(cut);
                }
                bounds.push(whole.to);
                self.each(batch, unit, whole.to, |index, package| {
                    let part = bounds.partition_point(|bound| *bound <= index);
                    (package.unit, package.to) = (bounds[part - 1], bounds[part]);
                });
            }
            What::Offer { to, kind, items } => self.offer(actor, to, kind, items)?,
            What::Accept(number) => self.close(actor, number, terms::ACCEPTED)?,
            What::Refuse(number) => self.close(actor, number, terms::REFUSED)?,
            What::Withdraw(number) => self.close(actor, number, terms::WITHDRAWN)?,
            What::Recall {
                batch,
                number,
                from,
                to,
            } => {
                let Some(of) = self.batches.get_mut(&batch) else {
                    return Err(ISupply::UnknownBatch { batch }.into());
                };
                let next = of.recalls.len() as u8;
                if next == 8 {
                    return Err(ISupply::TooManyRecalls { most: 8 }.into());
                }
                if number != next {
                    return Err(ISupply::RecallNumber { given: number, next }.into());
                }
                if from >= to || to > COUNT || (next == 7 && (from, to) != (0, COUNT)) {
                    let count = COUNT;
                    return Err(ISupply::RecallRange { from, to, count }.into());
                }
                if actor != of.maker && self.roles[&actor] & role::REGULATOR == 0 {
                    return Err(ISupply::MayNotRecall { actor }.into());
                }
                of.recalls.push((from, to));
            }
            What::Dispense {
                batch,
                unit,
                index,
                serial: data,
            } => {
                let Some(of) = self.batches.get(&batch) else {
                    return Err(ISupply::UnknownBatch { batch }.into());
                };
                if data != serial(index) {
                    return Err(ISupply::NotInBatch { batch, index }.into());
                }
                let key = (of.maker, of.gtin, data);
                if let Some((by, at)) = self.dispensed.get(&key).copied() {
                    return Err(ISupply::AlreadyDispensed { serial: data, by, at }.into());
                }
                let held = self.held(actor, batch, unit)?;
                if !(unit..held.to).contains(&index) {
                    return Err(ISupply::NotInUnit {
                        index,
                        from: unit,
                        to: held.to,
                    }
                    .into());
                }
                self.sound(batch, index, index + 1)?;
                self.role(actor, role::PHARMACY)?;
                self.dispensed.insert(key, (actor, self.now));
            }
            What::Decommission {
                batch,
                unit,
                last,
                reason,
            } => {
                if !(1..=7).contains(&reason) {
                    return Err(ISupply::UnknownReasonCode { reasonCode: reason }.into());
                }
                let held = self.held(actor, batch, unit)?;
                assert_eq!(last, held.last);
                self.each(batch, unit, held.to, |_, package| package.gone = reason);
            }
        }
        Ok(())
    }

    fn offer(&mut self, actor: Address, to: Address, kind: u8, items: Vec<Item>) -> Result<(), Error> {
        if to == actor {
            return Err(ISupply::ShipmentToSelf { actor }.into());
        }
        for (item, pair) in (1..).zip(items.windows(2)) {
            if (pair[0].batch, pair[0].unit) >= (pair[1].batch, pair[1].unit) {
                return Err(ISupply::ItemOrder { item }.into());
            }
        }
        let mut moves = vec![];
        for Item { batch, unit, last } in items {
            let package = self.held(actor, batch, unit)?;
            if package.last != last {
                return Err(ISupply::UnitMoved {
                    batch,
                    unit,
                    given: last,
                    current: package.last,
                }
                .into());
            }
            let place = package.chain.iter().position(|(party, _)| *party == to);
            let kept = if kind == terms::SALE {
                self.sound(batch, unit, package.to)?;
                if place.is_some() {
                    return Err(ISupply::CustodyCycle { batch, unit, to }.into());
                }
                package.chain.len()
            } else {
                place.ok_or(ISupply::NotEarlierHolder { batch, unit, to })?
            };
            moves.push((batch, unit, package, kept));
        }
        if kind == terms::SALE {
            self.role(actor, role::TRADE)?;
        }
        let shipment = self.steps + 1;
        let mut from_step = 0;
        for (batch, unit, package, kept) in moves {
            if package.step() != from_step {
                from_step = package.step();
                self.steps += 1;
            }
            let step = self.steps;
            let coming = [&package.chain[..kept], &[(to, step)]].concat();
            self.each(batch, unit, package.to, |_, package| {
                package.shipment = Some(shipment);
                package.coming.clone_from(&coming);
                package.last = step;
            });
        }
        let offered = ModelShipment {
            from: actor,
            to,
            state: terms::OPEN,
        };
        self.shipments.insert(shipment, offered);
        Ok(())
    }

    fn close(&mut self, actor: Address, number: u64, state: u8) -> Result<(), Error> {
        let Some(shipment) = self.shipments.get_mut(&number) else {
            return Err(ISupply::UnknownShipment { shipment: number }.into());
        };
        let (from, to) = (shipment.from, shipment.to);
        if state == terms::WITHDRAWN && actor != from {
            return Err(ISupply::NotSender { actor, from }.into());
        }
        if state != terms::WITHDRAWN && actor != to {
            return Err(ISupply::NotReceiver { actor, to }.into());
        }
        if shipment.state != terms::OPEN {
            return Err(ISupply::ShipmentNotOpen {
                shipment: number,
                state: shipment.state,
            }
            .into());
        }
        if state == terms::ACCEPTED && self.roles[&actor] & role::TRADE == 0 {
            return Err(not_credentialed(actor, role::TRADE));
        }
        shipment.state = state;
        for of in self.batches.values_mut() {
            for package in of
                .packages
                .iter_mut()
                .filter(|package| package.shipment == Some(number))
            {
                package.shipment = None;
                if state == terms::ACCEPTED {
                    package.chain = std::mem::take(&mut package.coming);
                }
            }
        }
        Ok(())
    }
}

/// What the events say, read in order and without a look at the contract.
#[derive(Default)]
pub struct Replay {
    batches: BTreeMap<B256, (BatchHead, B256, Product)>,
    units: BTreeMap<(B256, u32), Unit>,
    steps: BTreeMap<u64, Step>,
    /// With whom each is to.
    shipments: BTreeMap<u64, (Shipment, Address)>,
    pub recalls: BTreeMap<(B256, u8), Recall>,
    dispensings: BTreeMap<(Address, u64, B256), (B256, Dispensing)>,
}

impl Replay {
    /// All of them told at [`NOW`].
    pub fn of(events: &[Event]) -> Self {
        let mut replay = Self::default();
        for event in events {
            replay.apply(event, NOW);
        }
        replay
    }

    fn apply(&mut self, event: &Event, now: u64) {
        match event {
            Event::BatchRegistered(e) => {
                let head = BatchHead {
                    maker: e.maker,
                    expiry: e.expiry,
                    count: e.count,
                    recalls: 0,
                };
                let product = Product {
                    gtin: e.gtin,
                    registered_at: now,
                };
                let before = self.batches.insert(e.batch, (head, e.root, product));
                assert_eq!(before, None);
                let first = Step {
                    holder: e.maker,
                    previous: 0,
                    shipment: 0,
                };
                assert_eq!(self.steps.insert(e.step, first), None);
                let unit = Unit {
                    to: e.count,
                    step: e.step,
                    last: e.step,
                    decommissioned: 0,
                };
                self.units.insert((e.batch, 0), unit);
            }
            Event::UnitSplit(e) => {
                let mut from = e.unit;
                for cut in &e.cuts {
                    let whole = self.units[&(e.batch, from)];
                    self.units.insert((e.batch, *cut), whole);
                    self.units.get_mut(&(e.batch, from)).unwrap().to = *cut;
                    from = *cut;
                }
            }
            Event::ShipmentOffered(e) => {
                let shipment = Shipment {
                    from: e.from,
                    offered_at: now,
                    kind: e.kind,
                    state: terms::OPEN,
                };
                assert_eq!(self.shipments.insert(e.shipment, (shipment, e.to)), None);
            }
            Event::UnitOffered(e) => {
                let unit = self.units.get_mut(&(e.batch, e.unit)).unwrap();
                (unit.step, unit.last) = (e.held, e.step);
                let step = Step {
                    holder: self.shipments[&e.shipment].1,
                    previous: e.previous,
                    shipment: e.shipment,
                };
                let before = self.steps.insert(e.step, step);
                assert!(before.is_none_or(|before| before == step));
            }
            Event::ShipmentClosed(e) => {
                let (shipment, to) = self.shipments.get_mut(&e.shipment).unwrap();
                assert_eq!(shipment.state, terms::OPEN);
                let by = if e.state == terms::WITHDRAWN {
                    shipment.from
                } else {
                    *to
                };
                assert_eq!(e.by, by);
                shipment.state = e.state;
            }
            Event::RecallIssued(e) => {
                let recall = Recall {
                    from: e.from,
                    to: e.to,
                    class: e.class,
                    reason_code: e.reasonCode,
                    at: now,
                };
                self.recalls.insert((e.batch, e.number), recall);
                let head = &mut self.batches.get_mut(&e.batch).unwrap().0;
                assert_eq!(head.recalls, e.number);
                head.recalls += 1;
            }
            Event::Dispensed(e) => {
                let (head, _, product) = self.batches[&e.batch];
                let dispensing = Dispensing {
                    by: e.by,
                    at: now,
                    index: e.index,
                };
                let key = (head.maker, product.gtin, e.serial);
                assert_eq!(self.dispensings.insert(key, (e.batch, dispensing)), None);
                let unit = self.units[&(e.batch, e.unit)];
                assert!((e.unit..unit.to).contains(&e.index));
            }
            Event::Decommissioned(e) => {
                let unit = self.units.get_mut(&(e.batch, e.unit)).unwrap();
                assert_eq!(unit.decommissioned, 0);
                unit.decommissioned = e.reasonCode;
            }
        }
    }

    /// Who has some of these serials, in their order.
    pub fn holders(&self, batch: B256, from: u32, to: u32) -> Vec<Address> {
        let units = self
            .units
            .iter()
            .filter(|((of, start), unit)| *of == batch && *start < to && from < unit.to);
        units
            .map(|(_, unit)| {
                let last = &self.steps[&unit.last];
                let is_here = last.shipment == 0 || self.shipments[&last.shipment].0.state == terms::ACCEPTED;
                let step = if is_here { unit.last } else { unit.step };
                self.steps[&step].holder
            })
            .collect()
    }

    pub fn dispensed_between(&self, batch: B256, from: u32, to: u32) -> Vec<B256> {
        let of_batch = self.dispensings.iter().filter(|(_, (of, _))| *of == batch);
        of_batch
            .filter(|(_, (_, dispensing))| (from..to).contains(&dispensing.index))
            .map(|((_, _, serial), _)| *serial)
            .collect()
    }

    /// Storage, slot by slot, as Solidity would lay out `Supply`, without the words that are zero.
    fn words(&self) -> BTreeMap<U256, B256> {
        let at = |key: B256, slot: U256| U256::from_be_bytes(keccak256([key.0, slot.to_be_bytes()].concat()).0);
        let number = |n: u64| B256::from(U256::from(n));
        let slot = |n: u64| U256::from(n);
        let mut words = BTreeMap::new();
        for (batch, (head, root, product)) in &self.batches {
            let place = at(*batch, slot(0));
            words.extend([
                (place, head.to_word()),
                (place + slot(1), *root),
                (place + slot(2), product.to_word()),
            ]);
        }
        for ((batch, from), unit) in &self.units {
            words.insert(at(number(u64::from(*from)), at(*batch, slot(1))), unit.to_word());
        }
        words.insert(slot(2), number(self.steps.len() as u64));
        for (step, word) in &self.steps {
            words.insert(at(number(*step), slot(3)), word.to_word());
        }
        for (shipment, (word, _)) in &self.shipments {
            words.insert(at(number(*shipment), slot(4)), word.to_word());
        }
        for ((batch, which), recall) in &self.recalls {
            words.insert(at(number(u64::from(*which)), at(*batch, slot(5))), recall.to_word());
        }
        for ((maker, gtin, serial), (_, dispensing)) in &self.dispensings {
            let of_item = at(number(*gtin), at(maker.into_word(), slot(6)));
            words.insert(at(*serial, of_item), dispensing.to_word());
        }
        words.retain(|_, word| !word.is_zero());
        words
    }
}

/// All that is not zero.
fn stored(vm: &TestVM) -> BTreeMap<U256, B256> {
    let storage = vm.snapshot().storage;
    storage.into_iter().filter(|(_, word)| !word.is_zero()).collect()
}
