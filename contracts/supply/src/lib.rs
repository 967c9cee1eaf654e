//! `supply`: batches of drugs, who has which part of them, recalls, and each package dispensed once.
//!
//! A batch's serials are the leaves of a Merkle tree, numbered from 0. A **unit** is a run of them that one party holds; the units of
//! a batch never overlap and leave nothing out. They are split, offered and accepted. Each offer makes a **step**: who
//! is to have the unit, and the step before, so that a unit's chain of custody is read backwards to its maker. A unit stands at the step
//! it was offered for where that shipment was accepted, and otherwise where it stood before: accepting writes
//! one word, however many units there are.
//!
//! Nothing here says for whom a package was dispensed: that stands in the patient's chart, whose client looks for recalls itself. It
//! must never let a package pass twice, nor to somebody who has not accepted it, nor a recall be undone. Implements [`ISupply`] of
//! `medlock-abi`, which holds every event and error. Start reading at [`Supply`]; how a slot is packed stands in [`slots`].
#![cfg_attr(not(any(test, feature = "export-abi")), no_std)]
#![forbid(unsafe_code)]
extern crate alloc;

pub mod slots;
#[cfg(test)]
mod tests;

use alloc::{vec, vec::Vec};

use alloy_primitives::{Address, B256, U8, U32, U64, U256};
use medlock_abi::{
    link::{self, Placeholder, linked},
    registry::IRegistry::credentialOfCall,
    supply::ISupply::{self, Item},
    terms::{
        BATCH_MOST, HOLDERS_MOST, TIME_MOST, decommission, gtin as trade_item, package, recall as recalls, role,
        shipment as terms,
    },
};
use medlock_calls::{ask, log};
use stylus_sdk::{
    prelude::*,
    storage::{StorageB256, StorageMap, StorageU64},
};

use crate::slots::{BatchHead, Dispensing, Product, Recall, Shipment, Step, Unit};

/// Every error a method can answer with; the fields are documented in [`ISupply`].
#[derive(SolidityError, Debug, PartialEq, Eq)]
pub enum Error {
    ZeroAddress(ISupply::ZeroAddress),
    ZeroDigest(ISupply::ZeroDigest),
    NotActor(ISupply::NotActor),
    NotCredentialed(ISupply::NotCredentialed),
    MalformedGtin(ISupply::MalformedGtin),
    EmptyBatch(ISupply::EmptyBatch),
    TimeTooLarge(ISupply::TimeTooLarge),
    ExpiryInPast(ISupply::ExpiryInPast),
    BatchExists(ISupply::BatchExists),
    UnknownBatch(ISupply::UnknownBatch),
    UnknownUnit(ISupply::UnknownUnit),
    ListLength(ISupply::ListLength),
    MalformedCut(ISupply::MalformedCut),
    ItemOrder(ISupply::ItemOrder),
    UnitMoved(ISupply::UnitMoved),
    NotHolder(ISupply::NotHolder),
    InTransit(ISupply::InTransit),
    UnitDecommissioned(ISupply::UnitDecommissioned),
    ShipmentToSelf(ISupply::ShipmentToSelf),
    UnknownKind(ISupply::UnknownKind),
    CustodyCycle(ISupply::CustodyCycle),
    NotEarlierHolder(ISupply::NotEarlierHolder),
    TooManyHolders(ISupply::TooManyHolders),
    BatchExpired(ISupply::BatchExpired),
    Recalled(ISupply::Recalled),
    UnknownShipment(ISupply::UnknownShipment),
    ShipmentNotOpen(ISupply::ShipmentNotOpen),
    NotReceiver(ISupply::NotReceiver),
    NotSender(ISupply::NotSender),
    NotInUnit(ISupply::NotInUnit),
    NotInBatch(ISupply::NotInBatch),
    AlreadyDispensed(ISupply::AlreadyDispensed),
    UnknownReasonCode(ISupply::UnknownReasonCode),
    MayNotRecall(ISupply::MayNotRecall),
    RecallNumber(ISupply::RecallNumber),
    RecallRange(ISupply::RecallRange),
    UnknownClass(ISupply::UnknownClass),
    TooManyRecalls(ISupply::TooManyRecalls),
}

static REGISTRY: Placeholder = link::REGISTRY;
static RELAY: Placeholder = link::RELAY;

/// Fields are append-only once deployed.
#[storage]
#[entrypoint]
pub struct Supply {
    batches: StorageMap<B256, Batch>,
    /// By batch, then where the unit begins; see [`Unit`].
    units: StorageMap<B256, StorageMap<U32, StorageB256>>,
    /// How many there are; they are numbered from 1.
    step_count: StorageU64,
    /// By number; see [`Step`].
    steps: StorageMap<U64, StorageB256>,
    /// By the number of its first step; see [`Shipment`].
    shipments: StorageMap<U64, StorageB256>,
    /// By batch, then number, from 0; see [`Recall`].
    recalls: StorageMap<B256, StorageMap<U8, StorageB256>>,
    /// By maker, GTIN, then serial; see [`Dispensing`]. Not by batch: a maker that salts the serials of a GTIN alike has one that stands
    /// in two batches found out too.
    dispensings: StorageMap<Address, StorageMap<U64, StorageMap<B256, StorageB256>>>,
}

#[storage]
pub struct Batch {
    /// See [`BatchHead`].
    head: StorageB256,
    root: StorageB256,
    /// See [`Product`].
    product: StorageB256,
}

/// (maker, GTIN, registered at, expiry, root, count, recalls).
type BatchFacts = (Address, u64, u64, u64, B256, u32, u8);
/// (to, holder, step, last, open shipment, decommissioned).
type UnitFacts = (u32, Address, u64, u64, u64, u8);
/// (from, to, kind, state, offered at).
type ShipmentFacts = (Address, Address, u8, u8, u64);
/// (from, to, class, reason code, at).
type RecallFacts = (u32, u32, u8, u8, u64);

#[public]
impl Supply {
    /// (registry, relay).
    pub fn neighbours(&self) -> (Address, Address) {
        (linked(&REGISTRY), linked(&RELAY))
    }

    /// Registers a batch, all of it held by its maker, and gives its id. By a current maker. The id binds maker, GTIN and lot, so a
    /// lot is registered once, and nobody registers it in another's place.
    ///
    /// # Errors
    /// `NotActor`, `MalformedGtin`, `ZeroDigest`, `EmptyBatch`, `TimeTooLarge`, `ExpiryInPast`, `BatchExists`, `NotCredentialed`.
    /// # Events
    /// `BatchRegistered`.
    #[allow(clippy::too_many_arguments)]
    pub fn register_batch(
        &mut self,
        actor: Address,
        gtin: u64,
        lot: B256,
        expiry: u64,
        root: B256,
        count: u32,
        document: B256,
    ) -> Result<B256, Error> {
        self.require_actor(actor)?;
        if !trade_item::is_sound(gtin) {
            return Err(ISupply::MalformedGtin { gtin }.into());
        }
        if lot.is_zero() || root.is_zero() {
            return Err(ISupply::ZeroDigest {}.into());
        }
        if count == 0 {
            return Err(ISupply::EmptyBatch {}.into());
        }
        let now = self.now();
        if expiry > TIME_MOST {
            return Err(ISupply::TimeTooLarge { time: expiry }.into());
        }
        if expiry <= now {
            return Err(ISupply::ExpiryInPast { expiry, now }.into());
        }
        let batch = self.batch_id(actor, gtin, lot);
        if !self.head(batch).maker.is_zero() {
            return Err(ISupply::BatchExists { batch }.into());
        }
        self.require_role(actor, role::MAKER)?;

        let head = BatchHead {
            maker: actor,
            expiry,
            count,
            recalls: 0,
        };
        let product = Product {
            gtin,
            registered_at: now,
        };
        let mut words = self.batches.setter(batch);
        words.head.set(head.to_word());
        words.root.set(root);
        words.product.set(product.to_word());
        let step = self.next_step();
        let first = Step {
            holder: actor,
            previous: 0,
            shipment: 0,
        };
        self.write_steps(step, &[first]);
        let unit = Unit {
            to: count,
            step,
            last: step,
            decommissioned: 0,
        };
        self.write_unit(batch, 0, unit);
        log(
            self.vm(),
            ISupply::BatchRegistered {
                batch,
                maker: actor,
                gtin,
                lot,
                expiry,
                root,
                count,
                step,
                document,
            },
        );
        Ok(batch)
    }

    /// (maker, GTIN, registered at, expiry, root, count, recalls).
    pub fn batch_of(&self, batch: B256) -> BatchFacts {
        let head = self.head(batch);
        let product = self.product(batch);
        (
            head.maker,
            product.gtin,
            product.registered_at,
            head.expiry,
            self.batches.getter(batch).root.get(),
            head.count,
            head.recalls,
        )
    }

    /// Cuts a unit in two or more, all of them where it stood. By its holder, whatever became of their credential.
    ///
    /// # Errors
    /// `NotActor`, `ListLength`, `UnknownUnit`, `UnitDecommissioned`, `InTransit`, `NotHolder`, `MalformedCut`.
    /// # Events
    /// `UnitSplit`.
    pub fn split(&mut self, actor: Address, batch: B256, unit: u32, cuts: Vec<u32>) -> Result<(), Error> {
        self.require_actor(actor)?;
        require_length(cuts.len())?;
        let (whole, _) = self.require_held(actor, batch, unit)?;
        let mut least = unit;
        for &cut in &cuts {
            if cut <= least || cut >= whole.to {
                return Err(ISupply::MalformedCut { cut }.into());
            }
            least = cut;
        }

        let ends = cuts.iter().copied().chain([whole.to]);
        for (from, to) in [unit].into_iter().chain(cuts.iter().copied()).zip(ends) {
            self.write_unit(batch, from, Unit { to, ..whole });
        }
        log(self.vm(), ISupply::UnitSplit { batch, unit, cuts });
        Ok(())
    }

    /// (to, holder, step, last, open shipment, decommissioned).
    pub fn unit_of(&self, batch: B256, unit: u32) -> UnitFacts {
        let word = self.unit(batch, unit);
        let (step, shipment) = self.stands_at(word);
        (
            word.to,
            self.step(step).holder,
            step,
            word.last,
            shipment,
            word.decommissioned,
        )
    }

    /// (holder, the step before, the shipment by which it came).
    pub fn step_of(&self, step: u64) -> (Address, u64, u64) {
        let step = self.step(step);
        (step.holder, step.previous, step.shipment)
    }

    /// Offers units to one account, and gives the shipment's number. Until it is closed nobody moves, splits or dispenses them. By who holds
    /// them all. A sale is a current trading partner's, of what is neither expired nor recalled, to who has not had it before. A return goes
    /// to who has; it needs no credential, so that who has lost theirs, or holds what was recalled, can part with it.
    ///
    /// Each item names the step that its unit was offered for last, so the same offer cannot be made twice.
    ///
    /// # Errors
    /// `NotActor`, `UnknownKind`, `ZeroAddress`, `ShipmentToSelf`, `ListLength`, `ItemOrder`, `UnknownUnit`, `UnitDecommissioned`, `InTransit`,
    /// `NotHolder`, `UnitMoved`; of a sale `BatchExpired`, `Recalled`, `CustodyCycle`, `TooManyHolders`; of a return `NotEarlierHolder`; last
    /// `NotCredentialed` (of a sale).
    /// # Events
    /// `ShipmentOffered`, then `UnitOffered` for each item.
    pub fn offer(
        &mut self,
        actor: Address,
        to: Address,
        kind: u8,
        items: Vec<Item>,
        document: B256,
    ) -> Result<u64, Error> {
        self.require_actor(actor)?;
        if !matches!(kind, terms::SALE | terms::RETURN) {
            return Err(ISupply::UnknownKind { kind }.into());
        }
        if to.is_zero() {
            return Err(ISupply::ZeroAddress {}.into());
        }
        if to == actor {
            return Err(ISupply::ShipmentToSelf { actor }.into());
        }
        require_length(items.len())?;
        require_order(&items)?;
        let mut moves = Vec::with_capacity(items.len());
        for item in &items {
            moves.push(self.require_movable(actor, to, kind, item)?);
        }
        if kind == terms::SALE {
            self.require_role(actor, role::TRADE)?;
        }

        let shipment = self.next_step();
        let offered = Shipment {
            from: actor,
            offered_at: self.now(),
            kind,
            state: terms::OPEN,
        };
        self.shipments.setter(U64::from(shipment)).set(offered.to_word());
        log(
            self.vm(),
            ISupply::ShipmentOffered {
                shipment,
                from: actor,
                to,
                kind,
                document,
            },
        );
        let mut steps: Vec<Step> = Vec::new();
        let mut held_before = 0;
        for (item, Move { unit, held, previous }) in items.into_iter().zip(moves) {
            // Units that come from one step go to one step.
            if held != held_before {
                steps.push(Step {
                    holder: to,
                    previous,
                    shipment,
                });
                held_before = held;
            }
            let step = shipment + steps.len() as u64 - 1;
            let moved = Unit {
                step: held,
                last: step,
                ..unit
            };
            self.write_unit(item.batch, item.unit, moved);
            log(
                self.vm(),
                ISupply::UnitOffered {
                    shipment,
                    batch: item.batch,
                    unit: item.unit,
                    held,
                    step,
                    previous,
                },
            );
        }
        self.write_steps(shipment, &steps);
        Ok(shipment)
    }

    /// Takes over all units of a shipment. By the account that it was offered to, a current trading partner: what was recalled meanwhile too, since
    /// it is there, and moves on as a return alone.
    ///
    /// # Errors
    /// `NotActor`, `UnknownShipment`, `NotReceiver`, `ShipmentNotOpen`, `NotCredentialed`.
    /// # Events
    /// `ShipmentClosed`.
    pub fn accept(&mut self, actor: Address, shipment: u64, document: B256) -> Result<(), Error> {
        self.close(actor, shipment, terms::ACCEPTED, document)
    }

    /// Leaves all units of a shipment with who offered it. By the account that it was offered to.
    ///
    /// # Errors
    /// `NotActor`, `UnknownShipment`, `NotReceiver`, `ShipmentNotOpen`.
    /// # Events
    /// `ShipmentClosed`.
    pub fn refuse(&mut self, actor: Address, shipment: u64, document: B256) -> Result<(), Error> {
        self.close(actor, shipment, terms::REFUSED, document)
    }

    /// Takes an offer back. By who made it.
    ///
    /// # Errors
    /// `NotActor`, `UnknownShipment`, `NotSender`, `ShipmentNotOpen`.
    /// # Events
    /// `ShipmentClosed`.
    pub fn withdraw(&mut self, actor: Address, shipment: u64, document: B256) -> Result<(), Error> {
        self.close(actor, shipment, terms::WITHDRAWN, document)
    }

    /// (from, to, kind, state, offered at).
    pub fn shipment_of(&self, shipment: u64) -> ShipmentFacts {
        let head = self.shipment(shipment);
        // Of another number than a first step's: nobody.
        let to = if head.state == 0 {
            Address::ZERO
        } else {
            self.step(shipment).holder
        };
        (head.from, to, head.kind, head.state, head.offered_at)
    }

    /// Recalls a run of serials, for good: they are not sold or dispensed from here on, whoever holds them. By the maker, whatever became
    /// of its credential, or a current regulator. The last recall that a batch can have is one of all of it.
    ///
    /// # Errors
    /// `NotActor`, `UnknownBatch`, `TooManyRecalls`, `RecallNumber`, `RecallRange`, `UnknownClass`, `UnknownReasonCode`, `MayNotRecall`.
    /// # Events
    /// `RecallIssued`.
    #[allow(clippy::too_many_arguments)]
    pub fn recall(
        &mut self,
        actor: Address,
        batch: B256,
        number: u8,
        from: u32,
        to: u32,
        class: u8,
        reason_code: u8,
        document: B256,
    ) -> Result<(), Error> {
        self.require_actor(actor)?;
        let mut head = self.require_batch(batch)?;
        if head.recalls == recalls::MOST {
            return Err(ISupply::TooManyRecalls { most: recalls::MOST }.into());
        }
        if number != head.recalls {
            return Err(ISupply::RecallNumber {
                given: number,
                next: head.recalls,
            }
            .into());
        }
        let is_last = number == recalls::MOST - 1;
        if from >= to || to > head.count || is_last && to - from != head.count {
            return Err(ISupply::RecallRange {
                from,
                to,
                count: head.count,
            }
            .into());
        }
        if !(recalls::CLASS_I..=recalls::CLASS_III).contains(&class) {
            return Err(ISupply::UnknownClass { class }.into());
        }
        if !(recalls::CONTAMINATED..=recalls::OTHER).contains(&reason_code) {
            return Err(unknown_reason(reason_code));
        }
        if actor != head.maker && !self.has_role(actor, role::REGULATOR) {
            return Err(ISupply::MayNotRecall { actor }.into());
        }

        head.recalls += 1;
        self.batches.setter(batch).head.set(head.to_word());
        let recall = Recall {
            from,
            to,
            class,
            reason_code,
            at: self.now(),
        };
        let mut of_batch = self.recalls.setter(batch);
        of_batch.setter(U8::from(number)).set(recall.to_word());
        log(
            self.vm(),
            ISupply::RecallIssued {
                batch,
                by: actor,
                number,
                from,
                to,
                class,
                reasonCode: reason_code,
                document,
            },
        );
        Ok(())
    }

    /// (from, to, class, reason code, at).
    pub fn recall_of(&self, batch: B256, number: u8) -> RecallFacts {
        let recall = self.recall_number(batch, number);
        (recall.from, recall.to, recall.class, recall.reason_code, recall.at)
    }

    /// Dispenses one package. By the holder of its unit, a current pharmacy, where it is neither expired nor recalled. The serial is looked
    /// at first: where a second package carries it, whoever scans it learns who had the first.
    ///
    /// # Errors
    /// `NotActor`, `UnknownBatch`, `NotInBatch`, `AlreadyDispensed`, `UnknownUnit`, `UnitDecommissioned`, `InTransit`, `NotHolder`, `NotInUnit`,
    /// `BatchExpired`, `Recalled`, `NotCredentialed`.
    /// # Events
    /// `Dispensed`.
    #[allow(clippy::too_many_arguments)]
    pub fn dispense(
        &mut self,
        actor: Address,
        batch: B256,
        unit: u32,
        index: u32,
        serial: B256,
        proof: Vec<B256>,
        document: B256,
    ) -> Result<(), Error> {
        self.require_actor(actor)?;
        let head = self.require_batch(batch)?;
        if !self.is_in_batch(batch, &head, index, serial, &proof) {
            return Err(ISupply::NotInBatch { batch, index }.into());
        }
        let gtin = self.product(batch).gtin;
        let first = self.dispensing(head.maker, gtin, serial);
        if !first.by.is_zero() {
            return Err(ISupply::AlreadyDispensed {
                serial,
                by: first.by,
                at: first.at,
            }
            .into());
        }
        let (held, _) = self.require_held(actor, batch, unit)?;
        require_inside(index, unit, held.to)?;
        // Below the end of a unit, so below 2^32 - 1.
        self.require_sound(batch, &head, index, index + 1)?;
        self.require_role(actor, role::PHARMACY)?;

        let dispensing = Dispensing {
            by: actor,
            at: self.now(),
            index,
        };
        let mut of_maker = self.dispensings.setter(head.maker);
        let mut of_item = of_maker.setter(U64::from(gtin));
        of_item.setter(serial).set(dispensing.to_word());
        log(
            self.vm(),
            ISupply::Dispensed {
                batch,
                serial,
                by: actor,
                unit,
                index,
                document,
            },
        );
        Ok(())
    }

    /// (by, at, number in its batch).
    pub fn dispensed_of(&self, maker: Address, gtin: u64, serial: B256) -> (Address, u64, u32) {
        let dispensing = self.dispensing(maker, gtin, serial);
        (dispensing.by, dispensing.at, dispensing.index)
    }

    /// Takes what was not dispensed of a unit out of the supply, for good. By its holder, whatever became of their credential.
    ///
    /// # Errors
    /// `NotActor`, `UnknownReasonCode`, `UnknownUnit`, `UnitDecommissioned`, `InTransit`, `NotHolder`, `UnitMoved`.
    /// # Events
    /// `Decommissioned`.
    pub fn decommission(
        &mut self,
        actor: Address,
        batch: B256,
        unit: u32,
        last: u64,
        reason_code: u8,
        document: B256,
    ) -> Result<(), Error> {
        self.require_actor(actor)?;
        if !(decommission::DESTROYED..=decommission::OTHER).contains(&reason_code) {
            return Err(unknown_reason(reason_code));
        }
        let (mut held, _) = self.require_held(actor, batch, unit)?;
        require_unmoved(batch, unit, last, held.last)?;
        held.decommissioned = reason_code;
        self.write_unit(batch, unit, held);
        log(
            self.vm(),
            ISupply::Decommissioned {
                batch,
                unit,
                by: actor,
                reasonCode: reason_code,
                document,
            },
        );
        Ok(())
    }

    /// What a scanned package is (bits of `terms::package`), and whose. A patient scans what they were given, so "dispensed" is what they expect, by
    /// their own pharmacy; a recall is told beside it.
    ///
    /// # Errors
    /// `UnknownUnit`, `NotInUnit`: the serial was made, and its unit is another.
    pub fn verify(
        &self,
        batch: B256,
        unit: u32,
        index: u32,
        serial: B256,
        proof: Vec<B256>,
    ) -> Result<(u8, Address, u64), Error> {
        let head = self.head(batch);
        // No batch has no packages, and so no leaf.
        if !self.is_in_batch(batch, &head, index, serial, &proof) {
            return Ok((0, Address::ZERO, 0));
        }
        let held = self.require_unit(batch, unit)?;
        require_inside(index, unit, held.to)?;
        let (step, shipment) = self.stands_at(held);
        let dispensing = self.dispensing(head.maker, self.product(batch).gtin, serial);
        let is_dispensed = !dispensing.by.is_zero();
        let facts = [
            (package::MADE, true),
            (package::EXPIRED, self.now() >= head.expiry),
            (
                package::RECALLED,
                self.recalled(batch, &head, index, index + 1).is_some(),
            ),
            (package::DISPENSED, is_dispensed),
            // What was dispensed before its unit went is with a patient.
            (package::DECOMMISSIONED, held.decommissioned != 0 && !is_dispensed),
            (package::IN_TRANSIT, shipment != 0 && !is_dispensed),
        ];
        let status = facts
            .into_iter()
            .fold(0, |status, (bit, is_so)| if is_so { status | bit } else { status });
        let party = if is_dispensed {
            dispensing.by
        } else {
            self.step(step).holder
        };
        Ok((status, party, dispensing.at))
    }
}

/// What becomes of a unit that is offered.
struct Move {
    unit: Unit,
    /// Where it stands.
    held: u64,
    /// What the step that it is offered for comes after.
    previous: u64,
}

impl Supply {
    fn now(&self) -> u64 {
        self.vm().block_timestamp()
    }

    /// The caller is who acts, or the relay, which has checked their signature.
    fn require_actor(&self, actor: Address) -> Result<(), Error> {
        let caller = self.vm().msg_sender();
        if caller != actor && caller != linked(&RELAY) {
            return Err(ISupply::NotActor { caller, actor }.into());
        }
        Ok(())
    }

    /// Whether the registry says at this moment that the party has one of these roles.
    fn has_role(&self, party: Address, roles: u64) -> bool {
        ask(self.vm(), linked(&REGISTRY), &credentialOfCall { party })
            .is_some_and(|credential| credential.current && credential.roles & roles != 0)
    }

    fn require_role(&self, actor: Address, roles: u64) -> Result<(), Error> {
        if !self.has_role(actor, roles) {
            return Err(ISupply::NotCredentialed { actor, roles }.into());
        }
        Ok(())
    }

    fn require_batch(&self, batch: B256) -> Result<BatchHead, Error> {
        let head = self.head(batch);
        if head.maker.is_zero() {
            return Err(ISupply::UnknownBatch { batch }.into());
        }
        Ok(head)
    }

    fn require_unit(&self, batch: B256, unit: u32) -> Result<Unit, Error> {
        let held = self.unit(batch, unit);
        if held.to == 0 {
            return Err(ISupply::UnknownUnit { batch, unit }.into());
        }
        Ok(held)
    }

    /// The unit, and the step where it stands: the actor's, and in no shipment.
    fn require_held(&self, actor: Address, batch: B256, unit: u32) -> Result<(Unit, u64), Error> {
        let held = self.require_unit(batch, unit)?;
        if held.decommissioned != 0 {
            return Err(ISupply::UnitDecommissioned {
                batch,
                unit,
                reasonCode: held.decommissioned,
            }
            .into());
        }
        let (step, shipment) = self.stands_at(held);
        if shipment != 0 {
            return Err(ISupply::InTransit { batch, unit, shipment }.into());
        }
        let holder = self.step(step).holder;
        if actor != holder {
            return Err(ISupply::NotHolder { actor, holder }.into());
        }
        Ok((held, step))
    }

    /// The item may go to `to`; gives how.
    fn require_movable(&self, actor: Address, to: Address, kind: u8, item: &Item) -> Result<Move, Error> {
        let Item {
            batch,
            unit: from,
            last,
        } = *item;
        let (unit, held) = self.require_held(actor, batch, from)?;
        require_unmoved(batch, from, last, unit.last)?;
        let (found, holders) = self.earlier_step(held, to);
        let previous = if kind == terms::SALE {
            let head = self.head(batch);
            self.require_sound(batch, &head, from, unit.to)?;
            if found.is_some() {
                return Err(ISupply::CustodyCycle { batch, unit: from, to }.into());
            }
            if holders >= HOLDERS_MOST {
                return Err(ISupply::TooManyHolders {
                    batch,
                    unit: from,
                    most: HOLDERS_MOST,
                }
                .into());
            }
            held
        } else {
            // As if it had never left: who came after is on the chain no more, and can be sold to again.
            found
                .ok_or(ISupply::NotEarlierHolder { batch, unit: from, to })?
                .previous
        };
        Ok(Move { unit, held, previous })
    }

    /// The step of `holder` in the chain that ends at `last`, where there is one, and how many steps were seen.
    fn earlier_step(&self, last: u64, holder: Address) -> (Option<Step>, u8) {
        let mut number = last;
        for seen in 0..HOLDERS_MOST {
            if number == 0 {
                return (None, seen);
            }
            let step = self.step(number);
            if step.holder == holder {
                return (Some(step), seen);
            }
            number = step.previous;
        }
        (None, HOLDERS_MOST)
    }

    /// The serials from `from` on, below `to`, are neither expired nor recalled.
    fn require_sound(&self, batch: B256, head: &BatchHead, from: u32, to: u32) -> Result<(), Error> {
        if self.now() >= head.expiry {
            return Err(ISupply::BatchExpired {
                batch,
                expiry: head.expiry,
            }
            .into());
        }
        if let Some(number) = self.recalled(batch, head, from, to) {
            return Err(ISupply::Recalled { batch, number }.into());
        }
        Ok(())
    }

    /// The first recall that reaches one of the serials from `from` on, below `to`.
    fn recalled(&self, batch: B256, head: &BatchHead, from: u32, to: u32) -> Option<u8> {
        (0..head.recalls).find(|number| {
            let recall = self.recall_number(batch, *number);
            recall.from < to && from < recall.to
        })
    }

    fn close(&mut self, actor: Address, number: u64, state: u8, document: B256) -> Result<(), Error> {
        self.require_actor(actor)?;
        let mut shipment = self.shipment(number);
        if shipment.state == 0 {
            return Err(ISupply::UnknownShipment { shipment: number }.into());
        }
        let to = self.step(number).holder;
        if state == terms::WITHDRAWN {
            if actor != shipment.from {
                return Err(ISupply::NotSender {
                    actor,
                    from: shipment.from,
                }
                .into());
            }
        } else if actor != to {
            return Err(ISupply::NotReceiver { actor, to }.into());
        }
        if shipment.state != terms::OPEN {
            return Err(ISupply::ShipmentNotOpen {
                shipment: number,
                state: shipment.state,
            }
            .into());
        }
        if state == terms::ACCEPTED {
            self.require_role(actor, role::TRADE)?;
        }

        shipment.state = state;
        self.shipments.setter(U64::from(number)).set(shipment.to_word());
        log(
            self.vm(),
            ISupply::ShipmentClosed {
                shipment: number,
                by: actor,
                state,
                document,
            },
        );
        Ok(())
    }

    /// The step where a unit stands, and the open shipment that it is in, 0: none.
    fn stands_at(&self, unit: Unit) -> (u64, u64) {
        if unit.last == unit.step {
            return (unit.step, 0);
        }
        let shipment = self.step(unit.last).shipment;
        match self.shipment(shipment).state {
            terms::OPEN => (unit.step, shipment),
            terms::ACCEPTED => (unit.last, 0),
            _ => (unit.step, 0),
        }
    }

    fn is_in_batch(&self, batch: B256, head: &BatchHead, index: u32, serial: B256, proof: &[B256]) -> bool {
        let keccak = |bytes: &[u8]| self.vm().native_keccak256(bytes);
        let leaf = medlock_merkle::leaf(keccak, serial);
        let root = self.batches.getter(batch).root.get();
        medlock_merkle::verify(keccak, root, head.count, index, leaf, proof)
    }

    fn batch_id(&self, maker: Address, gtin: u64, lot: B256) -> B256 {
        let words = [maker.into_word(), U256::from(gtin).into(), lot];
        self.vm().native_keccak256(&words.concat())
    }

    fn head(&self, batch: B256) -> BatchHead {
        BatchHead::from_word(self.batches.getter(batch).head.get())
    }

    fn product(&self, batch: B256) -> Product {
        Product::from_word(self.batches.getter(batch).product.get())
    }

    fn unit(&self, batch: B256, from: u32) -> Unit {
        Unit::from_word(self.units.getter(batch).getter(U32::from(from)).get())
    }

    fn write_unit(&mut self, batch: B256, from: u32, unit: Unit) {
        let mut of_batch = self.units.setter(batch);
        of_batch.setter(U32::from(from)).set(unit.to_word());
    }

    fn next_step(&self) -> u64 {
        self.step_count.get().to::<u64>() + 1
    }

    fn step(&self, number: u64) -> Step {
        Step::from_word(self.steps.getter(U64::from(number)).get())
    }

    /// Appends these, `first` being the next number. At most 128 each transaction: 2^48 of them cannot be paid for.
    fn write_steps(&mut self, first: u64, steps: &[Step]) {
        for (number, step) in (first..).zip(steps) {
            self.steps.setter(U64::from(number)).set(step.to_word());
        }
        self.step_count.set(U64::from(first + steps.len() as u64 - 1));
    }

    fn shipment(&self, number: u64) -> Shipment {
        Shipment::from_word(self.shipments.getter(U64::from(number)).get())
    }

    fn recall_number(&self, batch: B256, number: u8) -> Recall {
        Recall::from_word(self.recalls.getter(batch).getter(U8::from(number)).get())
    }

    fn dispensing(&self, maker: Address, gtin: u64, serial: B256) -> Dispensing {
        let of_maker = self.dispensings.getter(maker);
        let of_item = of_maker.getter(U64::from(gtin));
        Dispensing::from_word(of_item.getter(serial).get())
    }
}

fn require_length(given: usize) -> Result<(), Error> {
    if given == 0 || given > BATCH_MOST {
        return Err(ISupply::ListLength {
            // Calldata of 2^32 entries cannot be paid for.
            given: given as u32,
            most: BATCH_MOST as u32,
        }
        .into());
    }
    Ok(())
}

/// Ascending by batch, then unit: so that none stands there twice.
fn require_order(items: &[Item]) -> Result<(), Error> {
    let key = |item: &Item| (item.batch, item.unit);
    match items.windows(2).position(|pair| key(&pair[0]) >= key(&pair[1])) {
        Some(at) => Err(ISupply::ItemOrder { item: at as u32 + 1 }.into()),
        None => Ok(()),
    }
}

fn require_unmoved(batch: B256, unit: u32, given: u64, current: u64) -> Result<(), Error> {
    if given != current {
        return Err(ISupply::UnitMoved {
            batch,
            unit,
            given,
            current,
        }
        .into());
    }
    Ok(())
}

fn require_inside(index: u32, from: u32, to: u32) -> Result<(), Error> {
    if index < from || index >= to {
        return Err(ISupply::NotInUnit { index, from, to }.into());
    }
    Ok(())
}

fn unknown_reason(reason_code: u8) -> Error {
    ISupply::UnknownReasonCode {
        reasonCode: reason_code,
    }
    .into()
}
