//! Plans, against a model of the contract's units.
use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::B256;
use medlock_abi::{
    supply::ISupply::{Item, unitOfReturn},
    terms::BATCH_MOST,
};
use medlock_drugs::plan::{Plan, PlanError, Run, Split, Unit, plan};

use crate::{MAKER, WHOLESALER};

const A: B256 = B256::repeat_byte(1);
const B: B256 = B256::repeat_byte(2);

fn unit(batch: B256, from: u32, to: u32, last: u64) -> Unit {
    Unit {
        batch,
        from,
        to,
        holder: MAKER,
        last,
        shipment: 0,
        decommissioned: 0,
    }
}

fn run(batch: B256, from: u32, to: u32) -> Run {
    Run { batch, from, to }
}

fn item(batch: B256, unit: u32, last: u64) -> Item {
    Item { batch, unit, last }
}

/// Carries the plan out as the contract would, and gives the numbers that are offered.
fn carried_out(units: &[Unit], plan: &Plan) -> BTreeSet<(B256, u32)> {
    let mut held: BTreeMap<(B256, u32), (u32, u64)> = units
        .iter()
        .map(|unit| ((unit.batch, unit.from), (unit.to, unit.last)))
        .collect();
    for Split { batch, unit, cuts } in &plan.splits {
        let (end, last) = held[&(*batch, *unit)];
        assert!((1..=BATCH_MOST).contains(&cuts.len()));
        let mut from = *unit;
        for cut in cuts {
            assert!(from < *cut && *cut < end, "a cut at {cut} of {from}..{end}");
            held.insert((*batch, from), (*cut, last));
            from = *cut;
        }
        held.insert((*batch, from), (end, last));
    }
    let mut offered = BTreeSet::new();
    for items in &plan.offers {
        assert!((1..=BATCH_MOST).contains(&items.len()));
        assert!(items.is_sorted_by_key(|item| (item.batch, item.unit)));
        for item in items {
            let (end, last) = held[&(item.batch, item.unit)];
            assert_eq!(item.last, last);
            for index in item.unit..end {
                assert!(offered.insert((item.batch, index)), "{index} is offered twice");
            }
        }
    }
    offered
}

#[test]
fn a_run_within_a_unit_is_cut_out_of_it() {
    let planned = plan(MAKER, &[unit(A, 0, 100, 1)], &[run(A, 10, 20)]).unwrap();
    let cuts = vec![10, 20];
    assert_eq!(
        planned.splits,
        [Split {
            batch: A,
            unit: 0,
            cuts
        }]
    );
    assert_eq!(planned.offers, [vec![item(A, 10, 1)]]);
}

#[test]
fn whole_units_are_offered_without_a_cut_in_the_order_of_the_contract() {
    let units = [unit(B, 5, 9, 3), unit(A, 50, 100, 2), unit(A, 0, 50, 1)];
    let planned = plan(MAKER, &units, &[run(B, 5, 9), run(A, 0, 100)]).unwrap();
    assert_eq!(planned.splits, []);
    assert_eq!(planned.offers, [vec![item(A, 0, 1), item(A, 50, 2), item(B, 5, 3)]]);
}

#[test]
fn runs_that_touch_are_shipped_as_one() {
    let planned = plan(MAKER, &[unit(A, 0, 100, 1)], &[run(A, 10, 20), run(A, 0, 10)]).unwrap();
    let cuts = vec![20];
    assert_eq!(
        planned.splits,
        [Split {
            batch: A,
            unit: 0,
            cuts
        }]
    );
    assert_eq!(planned.offers, [vec![item(A, 0, 1)]]);
}

#[test]
fn a_plan_offers_what_was_asked_for_and_nothing_else() {
    let units = [
        unit(A, 0, 40, 1),
        unit(A, 40, 45, 9),
        unit(A, 45, 900, 4),
        unit(B, 0, 1000, 7),
    ];
    let every_third = (0..300).map(|number| run(B, number * 3, number * 3 + 1));
    for runs in [
        vec![run(A, 0, 900)],
        vec![run(A, 39, 46), run(A, 899, 900), run(B, 0, 1)],
        vec![run(A, 40, 45), run(B, 999, 1000)],
        // More cuts than one call takes, and more items than one offer.
        every_third.chain([run(A, 1, 899)]).collect(),
    ] {
        let planned = plan(MAKER, &units, &runs).unwrap();
        let asked = runs
            .iter()
            .flat_map(|run| (run.from..run.to).map(|index| (run.batch, index)));
        assert_eq!(carried_out(&units, &planned), asked.collect::<BTreeSet<_>>());
    }
}

#[test]
fn what_cannot_be_shipped_is_refused_with_the_number() {
    let open = Unit {
        shipment: 8,
        ..unit(A, 20, 30, 1)
    };
    let gone = Unit {
        decommissioned: 4,
        ..unit(A, 30, 40, 1)
    };
    let others = Unit {
        holder: WHOLESALER,
        ..unit(A, 40, 50, 1)
    };
    let units = [unit(A, 0, 20, 1), open, gone, others];
    let batch = A;
    for (runs, error) in [
        (vec![], PlanError::Nothing),
        (vec![run(A, 5, 5)], PlanError::EmptyRange { batch, from: 5, to: 5 }),
        (vec![run(A, 6, 5)], PlanError::EmptyRange { batch, from: 6, to: 5 }),
        (
            vec![run(A, 5, 9), run(A, 1, 6)],
            PlanError::RangesOverlap { batch, index: 5 },
        ),
        (
            vec![run(A, 1, 9), run(A, 2, 3), run(A, 4, 5)],
            PlanError::RangesOverlap { batch, index: 2 },
        ),
        (
            vec![run(A, 5, 6), run(A, 5, 6)],
            PlanError::RangesOverlap { batch, index: 5 },
        ),
        (
            vec![run(A, 10, 21)],
            PlanError::InTransit {
                batch,
                index: 20,
                shipment: 8,
            },
        ),
        (
            vec![run(A, 35, 36)],
            PlanError::Decommissioned {
                batch,
                index: 35,
                reason_code: 4,
            },
        ),
        (vec![run(A, 45, 46)], PlanError::NotHeld { batch, index: 45 }),
        (vec![run(A, 50, 51)], PlanError::NotHeld { batch, index: 50 }),
        (vec![run(B, 0, 1)], PlanError::NotHeld { batch: B, index: 0 }),
    ] {
        assert_eq!(plan(MAKER, &units, &runs), Err(error));
    }
    let overlapping = [unit(A, 0, 20, 1), unit(A, 19, 30, 1)];
    let error = PlanError::UnitsOverlap { batch, index: 19 };
    assert_eq!(plan(MAKER, &overlapping, &[run(A, 0, 1)]), Err(error));
}

#[test]
fn a_unit_is_read_from_the_contracts_answer() {
    let answer = unitOfReturn {
        to: 20,
        holder: MAKER,
        step: 3,
        last: 4,
        shipment: 4,
        decommissioned: 0,
    };
    let expected = Unit {
        shipment: 4,
        ..unit(A, 10, 20, 4)
    };
    assert_eq!(Unit::read(A, 10, &answer), expected);
}
