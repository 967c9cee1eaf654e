//! Chains of custody.
use alloy_primitives::{Address, B256};
use medlock_abi::terms::{HOLDERS_MOST, shipment};
use medlock_drugs::{
    Names,
    history::{History, HistoryError, Link, Step},
};

use crate::{MAKER, PHARMACY, STRANGER, WHOLESALER, batch};

const DAY_S: u64 = 86_400;

/// From the maker (step 1) by a wholesaler (7) to a pharmacy (9, the second of shipment 8), backwards.
fn steps() -> Vec<Step> {
    let registered = Step {
        number: 1,
        holder: MAKER,
        previous: 0,
        shipment: 0,
        from: Address::ZERO,
        kind: 0,
        at: 20_000 * DAY_S,
        document: B256::ZERO,
    };
    let sold = Step {
        number: 7,
        holder: WHOLESALER,
        previous: 1,
        shipment: 7,
        from: MAKER,
        kind: shipment::SALE,
        at: 20_010 * DAY_S,
        document: B256::repeat_byte(5),
    };
    let delivered = Step {
        number: 9,
        holder: PHARMACY,
        previous: 7,
        shipment: 8,
        from: WHOLESALER,
        kind: shipment::SALE,
        at: 20_010 * DAY_S,
        document: B256::ZERO,
    };
    vec![delivered, sold, registered]
}

fn names() -> Names {
    [(MAKER, "Maker AG".to_owned()), (PHARMACY, "Corner Pharmacy".to_owned())]
        .into_iter()
        .collect()
}

fn broken(step: u64, link: Link) -> HistoryError {
    HistoryError::Broken { step, link }
}

#[test]
fn a_history_is_told_from_the_maker_on() {
    let history = History::link(batch(), steps()).unwrap();
    let numbers: Vec<_> = history.steps().iter().map(|step| step.number).collect();
    assert_eq!(numbers, [1, 7, 9]);
    let expected = format!(
        "GTIN 04006381333931, lot LOT(1)/A, expiry 2027-11-30, batch {}
 1. 2024-10-04  registered by its maker, Maker AG (step 1)
 2. 2024-10-14  sale of Maker AG to {WHOLESALER} (shipment 7, step 7)
 3. 2024-10-14  sale of {WHOLESALER} to Corner Pharmacy (shipment 8, step 9)
",
        batch().id()
    );
    assert_eq!(history.text(&names()), expected);
}

#[test]
fn a_report_is_json_for_programs() {
    let report = History::link(batch(), steps()).unwrap().report(&names());
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["gtin"], "04006381333931");
    assert_eq!(json["expiry"], "2027-11-30");
    let account = format!("{MAKER:?}");
    let maker = serde_json::json!({"account": account, "name": "Maker AG"});
    assert_eq!(
        json["transfers"][0],
        serde_json::json!({"step": 1, "kind": "registration", "to": maker, "at": 20_000 * DAY_S})
    );
    let sold = &json["transfers"][1];
    assert_eq!(
        (&sold["kind"], &sold["from"], &sold["shipment"]),
        (&"sale".into(), &maker, &7.into())
    );
    assert_eq!(sold["document"], format!("{:?}", B256::repeat_byte(5)));
}

#[test]
fn a_return_stands_where_the_packages_were_before() {
    // The pharmacy returned to the wholesaler: the step comes after the maker's, and the pharmacy is in it no more.
    let mut steps = steps();
    steps[1] = Step {
        number: 12,
        previous: 1,
        shipment: 12,
        from: PHARMACY,
        kind: shipment::RETURN,
        ..steps[1]
    };
    steps.remove(0);
    let history = History::link(batch(), steps).unwrap();
    assert_eq!(history.report(&names()).transfers[1].kind, "return");
}

#[test]
fn a_link_that_does_not_hold_is_named_by_its_step() {
    type Change = fn(&mut Vec<Step>);
    let cases: [(Change, HistoryError); 15] = [
        (|steps| steps.clear(), HistoryError::Empty),
        (|steps| _ = steps.remove(1), broken(9, Link::Previous)),
        (|steps| _ = steps.pop(), broken(7, Link::Maker)),
        (|steps| steps[2].holder = STRANGER, broken(1, Link::Maker)),
        (|steps| steps[2].shipment = 1, broken(1, Link::Maker)),
        (|steps| steps[0].previous = 6, broken(9, Link::Previous)),
        (|steps| steps.swap(0, 1), broken(7, Link::Previous)),
        (|steps| steps[1].at -= 20 * DAY_S, broken(7, Link::Time)),
        (|steps| steps[0].shipment = 0, broken(9, Link::Shipment)),
        (|steps| steps[0].shipment = 10, broken(9, Link::Shipment)),
        (|steps| steps[0].shipment = 7, broken(9, Link::Shipment)),
        (|steps| steps[0].kind = 3, broken(9, Link::Kind)),
        (|steps| steps[0].from = STRANGER, broken(9, Link::Sender)),
        (|steps| steps[1].holder = MAKER, broken(9, Link::Sender)),
        (
            |steps| {
                steps[0].holder = MAKER;
            },
            HistoryError::Cycle { step: 9 },
        ),
    ];
    for (number, (change, error)) in cases.into_iter().enumerate() {
        let mut steps = steps();
        change(&mut steps);
        assert_eq!(History::link(batch(), steps), Err(error), "case {number}");
    }
}

#[test]
fn a_history_of_more_holders_than_there_can_be_is_refused() {
    let many = |count: u64| -> Vec<Step> {
        let account = |number: u64| match number {
            1 => MAKER,
            _ => Address::with_last_byte(number as u8),
        };
        let steps = (1..=count).rev().map(|number| Step {
            number,
            holder: account(number),
            previous: number - 1,
            shipment: if number == 1 { 0 } else { number },
            from: if number == 1 {
                Address::ZERO
            } else {
                account(number - 1)
            },
            kind: if number == 1 { 0 } else { shipment::SALE },
            at: number,
            document: B256::ZERO,
        });
        steps.collect()
    };
    let most = u64::from(HOLDERS_MOST);
    assert!(History::link(batch(), many(most)).is_ok());
    let error = HistoryError::TooLong {
        given: most as usize + 1,
        most: HOLDERS_MOST,
    };
    assert_eq!(History::link(batch(), many(most + 1)), Err(error));
}
