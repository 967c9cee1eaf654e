//! Random histories of calls, sound and unsound, by many actors: each has the outcome that a model foretells which knows no
//! storage; the events alone give back every storage word, and there are no others.
use std::collections::{BTreeMap, BTreeSet};

use medlock_dice::Dice;

use super::*;

const HISTORIES: u64 = 3;
const CALLS: usize = 100;
/// Gateways with keys 1 to 3, and then somebody who is none.
const ACTORS: u64 = 4;

#[test]
fn every_call_ends_as_foretold_and_events_alone_give_back_every_storage_word() {
    let mut outcomes = BTreeMap::<_, usize>::new();
    for seed in 0..HISTORIES {
        let mut world = World::new();
        let mut dice = Dice(seed);
        let mut model = Model::default();
        for call in 0..CALLS {
            let logs = world.vm.get_emitted_logs().len();
            let (name, outcome) = random_call(&mut world, &mut model, &mut dice);
            let logged = world.vm.get_emitted_logs().len() - logs;
            assert_eq!(logged, usize::from(outcome.is_none()), "{name}");
            *outcomes.entry((name, outcome)).or_default() += 1;
            same_answers(&world, &model);
            if call % 10 == 9 {
                let words = Replay::of(&world.events()).words();
                let mut stored: BTreeMap<_, _> = world.vm.snapshot().storage.into_iter().collect();
                stored.retain(|_, word| !word.is_zero());
                assert_eq!(stored, words, "seed {seed}");
            }
        }
    }
    // The dice reach every outcome of every call.
    let reached: BTreeSet<_> = outcomes.into_keys().collect();
    let all: BTreeSet<_> = [
        ("anchor", None),
        ("anchor", Some("ZeroRoot")),
        ("anchor", Some("EmptyAnchor")),
        ("anchor", Some("NotGateway")),
        ("anchor", Some("PreviousAnchor")),
        ("proveEquivocation", None),
        ("proveEquivocation", Some("NotComparable")),
        ("proveEquivocation", Some("SameAnchor")),
        ("proveEquivocation", Some("BadSignature")),
        ("proveDeviation", None),
        ("proveDeviation", Some("UnknownAnchor")),
        ("proveDeviation", Some("SameAnchor")),
        ("proveDeviation", Some("BadSignature")),
    ]
    .into();
    assert_eq!(reached, all);
}

/// What was done, in the words of the ABI: whole statements, no hash and no slot.
#[derive(Default)]
struct Model {
    chains: BTreeMap<Address, Vec<Anchor>>,
    /// Of each pair both orders.
    proved: Vec<(Anchor, Anchor)>,
}

impl Model {
    fn chain(&self, gateway: Address) -> &[Anchor] {
        self.chains.get(&gateway).map_or(&[], Vec::as_slice)
    }

    fn last(&self, gateway: Address) -> B256 {
        self.chain(gateway).last().map_or(B256::ZERO, hash_of_statement)
    }

    /// Which errors a pair meets, before the signatures.
    fn is_new(&self, first: &Anchor, second: &Anchor) -> Result<(), Error> {
        let pair = (first.clone(), second.clone());
        if first == second || self.proved.contains(&pair) {
            return same_anchor();
        }
        Ok(())
    }

    fn prove(&mut self, first: Anchor, second: Anchor) {
        self.proved.push((second.clone(), first.clone()));
        self.proved.push((first, second));
    }
}

/// One random call, with the outcome that the model wants: its name, and that of its error.
fn random_call(world: &mut World, model: &mut Model, dice: &mut Dice) -> (&'static str, Option<&'static str>) {
    let actor = 1 + dice.below(ACTORS) as u8;
    match dice.below(5) {
        0..2 => {
            let gateway = gateway(actor);
            let is_gateway = u64::from(actor) < ACTORS && !dice.one_in(8);
            world.registry_says(gateway, Ok(word(u8::from(is_gateway))));
            let current = model.last(gateway);
            let previous = if dice.one_in(6) { drawn_word(dice) } else { current };
            let root = if dice.one_in(8) { B256::ZERO } else { drawn_word(dice) };
            let count = if dice.one_in(8) { 0 } else { dice.number() as u32 | 1 };
            let index = model.chain(gateway).len() as u64;
            let foretold = if root.is_zero() {
                Err(IAudit::ZeroRoot {}.into())
            } else if count == 0 {
                Err(IAudit::EmptyAnchor {}.into())
            } else if !is_gateway {
                Err(IAudit::NotGateway { caller: gateway }.into())
            } else if previous != current {
                Err(IAudit::PreviousAnchor {
                    given: previous,
                    current,
                }
                .into())
            } else {
                Ok(index)
            };
            let outcome = world.by(gateway).anchor(previous, root, count);
            assert_eq!(outcome, foretold);
            if outcome.is_ok() {
                model.chains.entry(gateway).or_default().push(Anchor {
                    gateway,
                    index,
                    previous,
                    root,
                    count,
                });
            }
            ("anchor", outcome.err().as_ref().map(name_of))
        }
        2..4 => {
            let first = random_statement(model, dice, actor);
            let other = if dice.one_in(8) {
                1 + dice.below(ACTORS) as u8
            } else {
                actor
            };
            let mut second = random_statement(model, dice, other);
            if !dice.one_in(4) {
                second.index = first.index;
            }
            let (first_by, second_by) = (random_signer(dice, actor), random_signer(dice, other));
            let foretold = if (first.gateway, first.index) != (second.gateway, second.index) {
                Err(IAudit::NotComparable {}.into())
            } else {
                model.is_new(&first, &second).and_then(|()| {
                    if first_by == actor && second_by == other {
                        return Ok(());
                    }
                    bad_signature(first.gateway)
                })
            };
            let signatures = (sign(key(first_by), &first), sign(key(second_by), &second));
            let outcome = world.prove_equivocation((&first, signatures.0), (&second, signatures.1));
            assert_eq!(outcome, foretold);
            if outcome.is_ok() {
                model.prove(first, second);
            }
            ("proveEquivocation", outcome.err().as_ref().map(name_of))
        }
        _ => {
            let stated = random_statement(model, dice, actor);
            let by = random_signer(dice, actor);
            let gateway = stated.gateway;
            let anchored = model.chain(gateway).get(stated.index as usize).cloned();
            let foretold = match &anchored {
                None => Err(IAudit::UnknownAnchor {
                    gateway,
                    index: stated.index,
                }
                .into()),
                Some(anchored) => model.is_new(&stated, anchored).and_then(|()| {
                    if by == actor {
                        return Ok(());
                    }
                    bad_signature(gateway)
                }),
            };
            let outcome = world.prove_deviation(&stated, sign(key(by), &stated));
            assert_eq!(outcome, foretold);
            if let (Ok(()), Some(anchored)) = (&outcome, anchored) {
                model.prove(stated, anchored);
            }
            ("proveDeviation", outcome.err().as_ref().map(name_of))
        }
    }
}

/// Of the gateway with this key: what it has anchored, or near it.
fn random_statement(model: &Model, dice: &mut Dice, actor: u8) -> Anchor {
    let gateway = gateway(actor);
    let chain = model.chain(gateway);
    if !chain.is_empty() && dice.one_in(4) {
        return chain[dice.below(chain.len() as u64) as usize].clone();
    }
    // Few roots, so that pairs come up again.
    let root = [ROOT, OTHER_ROOT][dice.below(2) as usize];
    statement(gateway, dice.below(3), root)
}

/// Mostly whose statement it is.
fn random_signer(dice: &mut Dice, actor: u8) -> u8 {
    if dice.one_in(8) {
        1 + actor % ACTORS as u8
    } else {
        actor
    }
}

fn name_of(error: &Error) -> &'static str {
    match error {
        Error::NotGateway(_) => "NotGateway",
        Error::ZeroRoot(_) => "ZeroRoot",
        Error::EmptyAnchor(_) => "EmptyAnchor",
        Error::PreviousAnchor(_) => "PreviousAnchor",
        Error::NotComparable(_) => "NotComparable",
        Error::SameAnchor(_) => "SameAnchor",
        Error::BadSignature(_) => "BadSignature",
        Error::UnknownAnchor(_) => "UnknownAnchor",
    }
}

/// Every view against the model.
fn same_answers(world: &World, model: &Model) {
    for actor in 1..=ACTORS as u8 {
        let gateway = gateway(actor);
        let chain = model.chain(gateway);
        let receipts = chain.iter().map(|anchor| u64::from(anchor.count)).sum();
        let last = model.last(gateway);
        assert_eq!(world.audit.head_of(gateway), (chain.len() as u64, receipts, last));
        for index in [0, 1, chain.len().saturating_sub(1), chain.len()] {
            let anchor = chain.get(index).map_or(B256::ZERO, hash_of_statement);
            assert_eq!(world.audit.anchor_of(gateway, index as u64), anchor);
        }
        let proofs = model
            .proved
            .iter()
            .filter(|(first, _)| first.gateway == gateway)
            .count();
        assert_eq!(world.audit.equivocations_of(gateway) as usize, proofs / 2);
    }
}

/// What the events say, read in order and without a look at the contract.
#[derive(Default)]
struct Replay {
    gateways: BTreeMap<Address, Gateway>,
    pairs: BTreeSet<B256>,
}

#[derive(Default)]
struct Gateway {
    anchors: Vec<B256>,
    receipts: u64,
    equivocations: u32,
}

impl Replay {
    fn of(events: &[IAuditEvents]) -> Self {
        let mut replay = Self::default();
        for event in events {
            replay.apply(event);
        }
        replay
    }

    fn apply(&mut self, event: &IAuditEvents) {
        match event {
            IAuditEvents::Anchored(e) => {
                let gateway = self.gateways.entry(e.gateway).or_default();
                assert_eq!(gateway.anchors.len() as u64, e.index);
                assert_eq!(gateway.anchors.last().copied().unwrap_or_default(), e.previous);
                let said = Anchor {
                    gateway: e.gateway,
                    index: e.index,
                    previous: e.previous,
                    root: e.root,
                    count: e.count,
                };
                assert_eq!(hash_of_statement(&said), e.anchor);
                gateway.anchors.push(e.anchor);
                gateway.receipts += u64::from(e.count);
            }
            IAuditEvents::EquivocationProved(e) => {
                self.gateways.entry(e.gateway).or_default().equivocations += 1;
                let (low, high) = (e.first.min(e.second), e.first.max(e.second));
                assert!(self.pairs.insert(keccak256([low.0, high.0].concat())));
            }
        }
    }

    /// Storage, slot by slot, as Solidity would lay it out.
    fn words(&self) -> BTreeMap<U256, B256> {
        let at = |key: B256, slot: U256| U256::from_be_bytes(keccak256([key.0, slot.to_be_bytes()].concat()).0);
        let mut words = BTreeMap::new();
        for (account, gateway) in &self.gateways {
            let base = at(account.into_word(), U256::ZERO);
            let head = U256::from(gateway.anchors.len())
                | U256::from(gateway.receipts) << 64
                | U256::from(gateway.equivocations) << 128;
            words.insert(base, B256::from(head));
            if let Some(last) = gateway.anchors.last() {
                words.insert(base + U256::from(1), *last);
            }
            for (index, anchor) in gateway.anchors.iter().enumerate() {
                let key = B256::from(U256::from(index));
                words.insert(at(key, base + U256::from(2)), *anchor);
            }
        }
        for pair in &self.pairs {
            words.insert(at(*pair, U256::from(1)), B256::with_last_byte(1));
        }
        words
    }
}

fn drawn_word(dice: &mut Dice) -> B256 {
    B256::from(U256::from(dice.number()))
}
