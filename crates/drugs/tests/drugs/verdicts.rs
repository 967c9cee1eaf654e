//! What a scan means.
use alloy_primitives::{Address, B256};
use medlock_abi::{
    supply::ISupply::{RecallIssued, batchOfReturn, recallOfReturn, verifyReturn},
    terms::{decommission, package, recall},
};
use medlock_drugs::{
    Day, Names,
    recall::{Dispensed, concerned},
    verdict::{Asker, Facts, FactsError, Finding, Level, LotFacts, Maker, Verdict, judge, judge_unlisted},
};

use crate::{MAKER, PHARMACY, STRANGER, WHOLESALER, batch, day};

const AT: u64 = 1_780_000_000;
const NOW: u64 = 1_790_000_000;
const INDEX: u32 = 5;
const PATIENT: Asker = Asker::Patient {
    pharmacy: Some(PHARMACY),
};

struct World {
    batch: batchOfReturn,
    verified: verifyReturn,
    recalls: Vec<recallOfReturn>,
    decommissioned: u8,
    is_maker_current: bool,
    other_makers: Option<Vec<Address>>,
    printed: Option<Day>,
    now: u64,
}

impl World {
    fn new(status: u8) -> Self {
        let is_dispensed = status & package::DISPENSED != 0;
        Self {
            batch: batchOfReturn {
                maker: MAKER,
                gtin: batch().gtin.number(),
                registeredAt: 1_770_000_000,
                expiry: batch().expiry,
                root: B256::repeat_byte(1),
                count: 10,
                recalls: 0,
            },
            verified: verifyReturn {
                status,
                party: if is_dispensed { PHARMACY } else { WHOLESALER },
                since: if is_dispensed { AT } else { 0 },
            },
            recalls: Vec::new(),
            decommissioned: 0,
            is_maker_current: true,
            other_makers: Some(Vec::new()),
            printed: Some(day("2027-11-30")),
            now: NOW,
        }
    }

    fn recalled(mut self, from: u32, to: u32, class: u8, at: u64) -> Self {
        self.recalls.push(recallOfReturn {
            from,
            to,
            class,
            reasonCode: recall::CONTAMINATED,
            at,
        });
        self.batch.recalls += 1;
        self
    }

    fn judge(&self, asker: Asker) -> Result<Verdict, FactsError> {
        let facts = Facts {
            batch: &self.batch,
            verified: &self.verified,
            index: INDEX,
            recalls: &self.recalls,
            decommissioned: self.decommissioned,
            is_maker_current: self.is_maker_current,
            other_makers: self.other_makers.as_deref(),
            printed: self.printed,
            now: self.now,
        };
        judge(&facts, asker)
    }

    /// Level, findings, and the line for the screen.
    fn says(&self, asker: Asker) -> (Level, Vec<Finding>, String) {
        let names: Names = [(PHARMACY, "Corner Pharmacy".to_owned())].into_iter().collect();
        let verdict = self.judge(asker).unwrap();
        let line = verdict.line(&names);
        (verdict.level, verdict.findings, line)
    }
}

#[test]
fn a_package_with_nothing_against_it_may_be_sold() {
    let world = World::new(package::MADE);
    assert_eq!(world.says(Asker::Partner), (Level::Ok, vec![], "GENUINE.".to_owned()));
    assert_eq!(world.judge(Asker::Partner).unwrap().holder, Some(WHOLESALER));
}

#[test]
fn a_package_that_was_never_made_is_false() {
    let mut world = World::new(0);
    world.verified.party = Address::ZERO;
    // Whatever the facts beside it: no such batch, for instance.
    world.batch.maker = Address::ZERO;
    let (level, findings, line) = world.says(Asker::Partner);
    assert_eq!((level, findings), (Level::False, vec![Finding::NeverMade]));
    assert!(line.starts_with("FALSE"));
}

#[test]
fn what_was_dispensed_is_expected_by_its_patient_and_false_to_everybody_else() {
    let world = World::new(package::MADE | package::DISPENSED);
    let (by, at) = (PHARMACY, AT);
    let (level, findings, line) = world.says(PATIENT);
    assert_eq!((level, findings), (Level::Ok, vec![Finding::Dispensed { by, at }]));
    assert_eq!(line, "GENUINE. Dispensed on 2026-05-28 by Corner Pharmacy.");
    assert_eq!(world.judge(PATIENT).unwrap().holder, None);
    let pharmacy = Some(STRANGER);
    for asker in [Asker::Partner, Asker::Patient { pharmacy }] {
        let (level, findings, line) = world.says(asker);
        assert_eq!((level, findings), (Level::False, vec![Finding::SerialTwice { by, at }]));
        assert!(line.contains("2026-05-28 by Corner Pharmacy"), "{line}");
    }
    let (level, findings, _) = World::new(package::MADE).says(PATIENT);
    assert_eq!((level, findings), (Level::Ok, vec![Finding::NotDispensed]));
}

#[test]
fn to_whom_it_was_dispensed_the_chart_says_and_without_it_nothing_is_plainly_genuine() {
    let world = World::new(package::MADE | package::DISPENSED);
    let (by, at) = (PHARMACY, AT);
    let open = world.judge(Asker::Patient { pharmacy: None }).unwrap();
    let unknown = Finding::ToWhomUnknown { by, at };
    assert_eq!((open.level, &open.findings[..]), (Level::Warning, &[unknown][..]));
    assert!(
        open.line(&Names::default())
            .starts_with("WARNING: dispensed on 2026-05-28")
    );
    assert_eq!(open.dispensed_by(), Some(PHARMACY));
    let told = open.clone().by_chart(true);
    assert_eq!(
        (told.level, &told.findings[..]),
        (Level::Ok, &[Finding::Dispensed { by, at }][..])
    );
    let untold = open.by_chart(false);
    let missing = Finding::NotInChart { by, at };
    assert_eq!((untold.level, &untold.findings[..]), (Level::Warning, &[missing][..]));
    // A chart has no say in anything else.
    let verdict = World::new(package::MADE).judge(PATIENT).unwrap();
    assert_eq!(verdict.dispensed_by(), None);
    assert_eq!(verdict.clone().by_chart(false), verdict);
}

#[test]
fn who_made_it_is_told_and_a_lot_of_two_makers_is_not_plainly_genuine() {
    let mut world = World::new(package::MADE);
    let made = Some(Maker {
        account: MAKER,
        current: true,
    });
    assert_eq!(world.judge(Asker::Partner).unwrap().maker, made);
    world.other_makers = Some(vec![STRANGER]);
    let contested = world.judge(Asker::Partner).unwrap();
    let finding = Finding::Contested { makers: 1 };
    assert_eq!(
        (contested.level, &contested.findings[..]),
        (Level::Warning, &[finding][..])
    );
    assert_eq!(contested.other_makers, [STRANGER]);
    let text = contested.text(&Names::default());
    assert!(
        text.contains(&format!("Made by {MAKER}, a maker")) && text.contains(&STRANGER.to_string()),
        "{text}"
    );
    // Who knows whose it is to be learns whether it is theirs.
    assert_eq!(contested.clone().expecting(Some(MAKER)).level, Level::Ok);
    let other = contested.expecting(Some(STRANGER));
    let finding = Finding::OtherMaker {
        expected: STRANGER,
        registered: MAKER,
    };
    assert_eq!((other.level, &other.findings[..]), (Level::False, &[finding][..]));

    world.other_makers = None;
    let unknown = world.judge(Asker::Partner).unwrap();
    assert_eq!(unknown.findings, [Finding::OthersUnknown]);
    assert_eq!(unknown.expecting(Some(MAKER)).level, Level::Ok);
    world.is_maker_current = false;
    let verdict = world.judge(Asker::Partner).unwrap().expecting(Some(MAKER));
    assert_eq!(
        (verdict.level, verdict.findings),
        (Level::Warning, vec![Finding::MakerNotCurrent { maker: MAKER }])
    );
}

/// A lot's batch as a maker registered it.
fn lot(maker: Address, is_ruled_out: bool) -> LotFacts {
    let World { mut batch, recalls, .. } = World::new(package::MADE);
    batch.maker = maker;
    LotFacts {
        batch,
        recalls,
        is_maker_current: true,
        is_ruled_out,
    }
}

#[test]
fn without_a_ticket_a_package_is_false_where_the_chain_proves_it_and_never_genuine() {
    let printed = day("2027-11-30");
    let says = |lots: &[LotFacts], printed| {
        let verdict = judge_unlisted(lots, printed, NOW);
        (verdict.level, verdict.findings)
    };
    let never = (Level::False, vec![Finding::NeverMade]);
    assert_eq!(says(&[], printed), never, "nobody registered the lot");
    assert_eq!(says(&[lot(MAKER, true)], printed), never, "all its serials are others");
    let unchecked = (Level::Unchecked, vec![Finding::Unchecked]);
    assert_eq!(says(&[lot(MAKER, false)], printed), unchecked);
    // Of two makers one is ruled out.
    assert_eq!(says(&[lot(MAKER, true), lot(STRANGER, false)], printed), unchecked);
    let verdict = judge_unlisted(&[lot(MAKER, true), lot(STRANGER, false)], printed, NOW);
    assert_eq!(verdict.maker.map(|maker| maker.account), Some(STRANGER));
    assert_eq!(verdict.other_makers, [MAKER]);
    let both = vec![Finding::Unchecked, Finding::Contested { makers: 1 }];
    assert_eq!(
        says(&[lot(MAKER, false), lot(STRANGER, false)], printed),
        (Level::Unchecked, both)
    );
    let later = day("2029-11-30");
    let relabelled = Finding::Relabelled {
        printed: later,
        registered: printed,
    };
    assert_eq!(says(&[lot(MAKER, false)], later), (Level::False, vec![relabelled]));
    // What holds of all packages of the lot holds of this one.
    let mut recalled = lot(MAKER, false);
    recalled.recalls = World::new(0).recalled(0, 10, recall::CLASS_I, AT).recalls;
    let (level, findings) = says(&[recalled], printed);
    assert_eq!(level, Level::Stop);
    assert!(
        matches!(findings[..], [Finding::Recalled { .. }, Finding::Unchecked]),
        "{findings:?}"
    );
    let mut some = lot(MAKER, false);
    some.recalls = World::new(0).recalled(0, 9, recall::CLASS_I, AT).recalls;
    assert_eq!(says(&[some], printed), unchecked);
}

#[test]
fn a_changed_expiry_on_the_box_is_false() {
    let mut world = World::new(package::MADE);
    world.printed = Some(day("2029-11-30"));
    let (level, _, line) = world.says(Asker::Partner);
    assert_eq!(level, Level::False);
    assert!(
        line.contains("2029-11-30 is printed") && line.contains("2027-11-30"),
        "{line}"
    );
    world.printed = None;
    assert_eq!(world.says(Asker::Partner).0, Level::Ok);
}

#[test]
fn a_package_expires_by_the_clock_even_where_the_chain_was_read_before() {
    let mut world = World::new(package::MADE);
    world.now = world.batch.expiry - 1;
    assert_eq!(world.says(Asker::Partner).0, Level::Ok);
    world.now += 1;
    let last_day = day("2027-11-30");
    let (level, findings, line) = world.says(Asker::Partner);
    assert_eq!((level, findings), (Level::Stop, vec![Finding::Expired { last_day }]));
    assert_eq!(line, "EXPIRED: 2027-11-30 was its last day. Do not use it.");
}

#[test]
fn the_most_dangerous_finding_comes_first() {
    let all = package::ALL.iter().fold(0, |all, (_, bit)| all | bit);
    let mut world = World::new(all)
        .recalled(0, 10, recall::CLASS_III, 1)
        .recalled(5, 6, recall::CLASS_II, 2)
        .recalled(0, 10, recall::CLASS_I, 3)
        .recalled(5, 6, recall::CLASS_I, 4)
        .recalled(6, 10, recall::CLASS_I, 5);
    world.decommissioned = decommission::STOLEN;
    world.printed = Some(day("2029-11-30"));
    let (level, findings, _) = world.says(Asker::Partner);
    let recalled = |class, at| Finding::Recalled {
        class,
        reason_code: recall::CONTAMINATED,
        at,
    };
    assert_eq!(level, Level::False);
    let registered = day("2027-11-30");
    assert_eq!(
        findings,
        [
            Finding::SerialTwice { by: PHARMACY, at: AT },
            Finding::Relabelled {
                printed: day("2029-11-30"),
                registered,
            },
            recalled(recall::CLASS_I, 4),
            recalled(recall::CLASS_I, 3),
            Finding::Decommissioned {
                reason_code: decommission::STOLEN,
            },
            recalled(recall::CLASS_II, 2),
            Finding::Expired { last_day: registered },
            recalled(recall::CLASS_III, 1),
            Finding::InTransit,
        ]
    );
    let levels: Vec<_> = findings.iter().map(Finding::level).collect();
    assert!(levels.is_sorted_by(|one, next| one >= next));
    let (level, _, line) = World::new(package::MADE | package::RECALLED | package::DISPENSED)
        .recalled(0, 10, recall::CLASS_I, AT)
        .says(PATIENT);
    assert_eq!(level, Level::Stop);
    assert_eq!(
        line,
        "RECALLED on 2026-05-28: class-i, it may kill or do serious harm (contaminated). Do not use it; return it."
    );
}

#[test]
fn facts_that_contradict_each_other_make_no_verdict() {
    let contradiction = |fact| Err(FactsError::Contradiction { fact });
    let made = package::MADE;
    assert_eq!(
        World::new(made | 64).judge(PATIENT),
        Err(FactsError::UnknownBits { bits: made | 64 })
    );
    assert_eq!(World::new(package::EXPIRED).judge(PATIENT), contradiction("who has it"));
    let recalls = "its batch's recalls";
    assert_eq!(
        World::new(made | package::RECALLED).judge(PATIENT),
        contradiction(recalls)
    );
    let world = World::new(made | package::RECALLED).recalled(6, 10, recall::CLASS_I, AT);
    assert_eq!(world.judge(PATIENT), contradiction(recalls));
    let world = World::new(made).recalled(5, 6, recall::CLASS_I, AT);
    assert_eq!(world.judge(PATIENT), contradiction(recalls));
    let mut world = World::new(made);
    world.batch.recalls = 1;
    let error = FactsError::RecallCount {
        given: 0,
        registered: 1,
    };
    assert_eq!(world.judge(PATIENT), Err(error));
    let mut world = World::new(made);
    world.batch.count = INDEX;
    assert_eq!(world.judge(PATIENT), contradiction("its batch"));
    let mut world = World::new(made | package::DISPENSED);
    world.verified.since = 0;
    assert_eq!(world.judge(PATIENT), contradiction("when it was dispensed"));
    let mut world = World::new(made);
    world.verified.party = Address::ZERO;
    assert_eq!(world.judge(PATIENT), contradiction("who has it"));
}

#[test]
fn a_verdict_is_json_for_programs() {
    let verdict = World::new(package::MADE | package::RECALLED)
        .recalled(0, 10, recall::CLASS_II, AT)
        .judge(Asker::Partner)
        .unwrap();
    let expected = serde_json::json!({
        "level": "stop",
        "findings": [{"finding": "recalled", "class": 2, "reasonCode": 1, "at": AT}],
        "holder": format!("{WHOLESALER:?}"),
        "maker": {"account": format!("{MAKER:?}"), "current": true},
        "otherMakers": [],
    });
    assert_eq!(serde_json::to_value(&verdict).unwrap(), expected);
}

fn issued(batch: u8, number: u8, from: u32, to: u32, class: u8) -> RecallIssued {
    RecallIssued {
        batch: B256::repeat_byte(batch),
        by: MAKER,
        number,
        from,
        to,
        class,
        reasonCode: recall::DEFECTIVE,
        document: B256::ZERO,
    }
}

fn dispensed(batch: u8, index: u32) -> Dispensed {
    Dispensed {
        batch: B256::repeat_byte(batch),
        index,
        serial: B256::repeat_byte(9),
    }
}

#[test]
fn a_recall_concerns_the_packages_in_its_run_and_no_others() {
    let packages = [
        dispensed(1, 4),
        dispensed(1, 5),
        dispensed(2, 5),
        dispensed(1, 9),
        dispensed(1, 10),
    ];
    let recalls = [issued(1, 0, 5, 10, 2)];
    let places: Vec<_> = concerned(&packages, &recalls).iter().map(|one| one.place).collect();
    assert_eq!(places, [1, 3]);
    assert_eq!(concerned(&packages, &[]), []);
    assert_eq!(concerned(&[], &recalls), []);
}

#[test]
fn the_most_dangerous_recall_of_a_package_comes_first_and_an_event_counts_once() {
    let recalls = [
        issued(1, 2, 0, 10, 1),
        issued(1, 0, 0, 10, 3),
        issued(1, 1, 0, 10, 2),
        issued(1, 1, 0, 10, 2),
        issued(1, 3, 0, 10, 9),
        issued(1, 4, 6, 10, 1),
    ];
    let packages = [dispensed(1, 5)];
    let found = concerned(&packages, &recalls);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].package, packages[0]);
    let numbers: Vec<_> = found[0].recalls.iter().map(|event| event.number).collect();
    assert_eq!(numbers, [2, 3, 1, 0]);
}
