//! Signals: what is odd is told, and what is usual is not.
use std::collections::BTreeSet;

use alloy_primitives::{Address, B256};
use medlock_abi::terms::claim_state;
use medlock_billing::{
    fhir::Reference,
    signals::{
        ClaimFacts, LinkFacts, ServiceFacts, Signal, SignalKind, When, amount_outliers, count_outliers,
        is_payment_overdue, late_records, long_days, outside_of_life, overdue_payments, overlaps, repeated_services,
        shared_fingerprints, shared_services,
    },
    time::{Day, Span},
};
use medlock_dice::Dice;

use crate::support::{CHART, CLINIC, INSURER, NOW, NURSE, RECORD, claim, claim_of_a_team, dollar, euro, this_licence};

const HOUR_S: i64 = 3600;
const DAY_S: i64 = 24 * HOUR_S;
const DOCTOR: &str = "urn:licences|42";
const OTHER_DOCTOR: &str = "urn:licences|43";

fn by(performers: &[&str]) -> BTreeSet<String> {
    performers.iter().map(|performer| (*performer).to_owned()).collect()
}

fn id(number: u8) -> B256 {
    B256::repeat_byte(number)
}

fn submitted(number: u8) -> ClaimFacts {
    ClaimFacts {
        id: id(number),
        chart: CHART,
        provider: CLINIC,
        by: NURSE,
        insurer: INSURER,
        fingerprint: B256::repeat_byte(0xf0),
        submitted_at: NOW,
        state: claim_state::RECEIVED,
        deadline: NOW + 100,
        currency: 978,
        shared: false,
        links: Vec::new(),
    }
}

fn day(text: &str) -> Day {
    Day::parse(text).unwrap()
}

fn service(number: u8) -> ServiceFacts {
    ServiceFacts {
        claim: id(number),
        chart: CHART,
        provider: CLINIC,
        performers: by(&[DOCTOR]),
        encounter: format!("Encounter/{number}"),
        system: "http://loinc.org".to_owned(),
        code: "718-7".to_owned(),
        day: day("2026-05-03"),
        when: When::Day { seconds: None },
        amount: euro(5000),
        born: None,
        died: None,
    }
}

/// In hours of 2026-05-03.
fn timed(number: u8, from: i64, to: i64) -> ServiceFacts {
    let start = day("2026-05-03").span().from;
    ServiceFacts {
        when: When::Period(Span {
            from: start + from * HOUR_S,
            to: start + to * HOUR_S,
        }),
        ..service(number)
    }
}

fn told(signals: &[Signal]) -> Vec<Vec<B256>> {
    signals.iter().map(|signal| signal.claims.clone()).collect()
}

#[test]
fn claims_for_one_service_are_told_wherever_they_are_held() {
    let other = ClaimFacts {
        provider: Address::repeat_byte(0x13),
        insurer: Address::repeat_byte(0x23),
        shared: true,
        ..submitted(2)
    };
    let elsewhere = ClaimFacts {
        fingerprint: B256::repeat_byte(0xf9),
        ..submitted(3)
    };
    let kind = SignalKind::SharedFingerprint {
        count: 2,
        providers: 2,
        insurers: 2,
        across_registries: true,
    };
    let claims = vec![id(1), id(2)];
    let signals = shared_fingerprints(&[other.clone(), elsewhere, submitted(1), submitted(1)], NOW);
    assert_eq!(signals, [Signal { kind, claims }]);
    assert_eq!(
        signals[0].kind.to_string(),
        "2 claims that are paid or may be have the fingerprint of one service, from 2 providers to 2 insurers"
    );
}

#[test]
fn a_signal_is_json_of_its_reason_and_claims() {
    let kind = SignalKind::BeforeBirth;
    let claims = vec![id(1), id(2)];
    let told = serde_json::to_value(Signal { kind, claims }).unwrap();
    let hex = ["01", "02"].map(|byte| format!("0x{}", byte.repeat(32)));
    let reason = "the service was rendered before the patient was born";
    assert_eq!(told, serde_json::json!({ "reason": reason, "claims": hex }));
}

#[test]
fn a_claim_after_one_that_let_go_is_no_duplicate() {
    let first = |state, deadline| ClaimFacts {
        state,
        deadline,
        ..submitted(1)
    };
    for state in [claim_state::WITHDRAWN, claim_state::REVERSED] {
        assert_eq!(shared_fingerprints(&[first(state, 0), submitted(2)], NOW), []);
    }
    // A denial holds while it can be appealed.
    let denied = first(claim_state::DENIED, NOW + 1);
    assert_eq!(shared_fingerprints(&[denied.clone(), submitted(2)], NOW).len(), 1);
    assert_eq!(shared_fingerprints(&[denied, submitted(2)], NOW + 1), []);
    let paid = first(claim_state::PAID, 0);
    assert_eq!(shared_fingerprints(&[paid, submitted(2)], NOW).len(), 1);
}

#[test]
fn a_service_in_two_claims_is_told_though_their_fingerprints_differ() {
    let again = |change: fn(&mut ServiceFacts)| {
        let (mut first, mut second) = (service(1), service(2));
        first.encounter = "Encounter/7".to_owned();
        second.encounter = "Encounter/7".to_owned();
        change(&mut second);
        shared_services(&[second, first])
    };
    let kind = SignalKind::SharedService { count: 2, providers: 2 };
    let signals = again(|second| second.provider = Address::repeat_byte(0x13));
    assert_eq!(told(&signals), [[id(1), id(2)]]);
    assert_eq!(signals[0].kind, kind);
    assert_eq!(again(|second| second.claim = id(1)), []);
    assert_eq!(again(|second| second.code = "718-8".to_owned()), []);
    assert_eq!(again(|second| second.day = day("2026-05-04")), []);
    assert_eq!(again(|second| second.chart = id(9)), []);
    assert_eq!(again(|second| second.encounter = "Encounter/8".to_owned()), []);
}

#[test]
fn one_person_in_two_places_is_told() {
    let signals = overlaps(&[timed(3, 14, 15), timed(2, 9, 11), timed(1, 8, 10), timed(4, 15, 16)]);
    assert_eq!(told(&signals), [[id(1), id(2)]]);
    let performer = DOCTOR.to_owned();
    assert_eq!(signals[0].kind, SignalKind::Overlap { performer });
    // Of another person, of nobody who is named, of the same encounter, one after the other, without times.
    let of = |performers: &[&str]| ServiceFacts {
        performers: by(performers),
        ..timed(2, 9, 11)
    };
    assert_eq!(overlaps(&[timed(1, 8, 10), of(&[OTHER_DOCTOR])]), []);
    let unnamed = ServiceFacts {
        performers: by(&[]),
        ..timed(1, 8, 10)
    };
    assert_eq!(overlaps(&[unnamed, of(&[])]), []);
    // Of two, one of whom is elsewhere.
    let signals = overlaps(&[timed(1, 8, 10), of(&[OTHER_DOCTOR, DOCTOR])]);
    assert_eq!(told(&signals), [[id(1), id(2)]]);
    let mut same = timed(2, 9, 11);
    same.encounter = "Encounter/1".to_owned();
    assert_eq!(overlaps(&[timed(1, 8, 10), same]), []);
    assert_eq!(overlaps(&[timed(1, 8, 10), timed(2, 10, 12)]), []);
    assert_eq!(overlaps(&[timed(1, 8, 10), service(2)]), []);
    assert_eq!(overlaps(&[timed(1, 8, 8), timed(2, 7, 9), timed(3, 10, 9)]), []);
}

/// The sweep against every pair.
#[test]
fn overlaps_are_found_wherever_a_pair_overlaps() {
    let mut random = Dice(5);
    for round in 0..300 {
        let services: Vec<_> = (0..=random.below(8) as u8)
            .map(|number| {
                let from = random.below(20) as i64;
                let mut service = timed(number, from, from + random.below(6) as i64);
                service.encounter = format!("Encounter/{}", random.below(3));
                service
            })
            .collect();
        let span = |service: &ServiceFacts| match service.when {
            When::Period(span) => span,
            When::Day { .. } => panic!("no period"),
        };
        let mut pairs = Vec::new();
        for (index, one) in services.iter().enumerate() {
            for other in &services[..index] {
                let (a, b) = (span(one), span(other));
                if one.encounter != other.encounter && a.overlaps(b) && a.from < a.to && b.from < b.to {
                    pairs.push([one.claim, other.claim]);
                }
            }
        }
        let signals = overlaps(&services);
        for pair in &pairs {
            let has_both = |signal: &Signal| pair.iter().all(|claim| signal.claims.contains(claim));
            assert!(signals.iter().any(has_both), "{round}: {pair:?} in {services:?}");
        }
        for signal in &signals {
            let is_real = |pair: &[B256; 2]| pair.iter().all(|claim| signal.claims.contains(claim));
            assert!(pairs.iter().any(is_real), "{round}: {signal:?} in {services:?}");
        }
    }
}

#[test]
fn more_than_a_days_hours_are_told() {
    let long = |number, hours: u64| ServiceFacts {
        when: When::Day {
            seconds: Some(hours * 3600),
        },
        ..service(number)
    };
    assert_eq!(long_days(&[long(1, 12), long(2, 12)]), []);
    let signals = long_days(&[long(1, 12), long(2, 12), timed(3, 8, 9)]);
    assert_eq!(told(&signals), [[id(1), id(2), id(3)]]);
    assert_eq!(
        signals[0].kind,
        SignalKind::LongDay {
            performer: DOCTOR.to_owned(),
            hours: 25
        }
    );
    // Over midnight a period counts on both days; of another person it does not count.
    assert_eq!(long_days(&[long(1, 20), timed(2, 23, 30)]), []);
    assert_eq!(long_days(&[long(1, 24), timed(2, 23, 30)]).len(), 1);
    let of = |performers: &[&str]| ServiceFacts {
        performers: by(performers),
        ..timed(2, 8, 20)
    };
    assert_eq!(long_days(&[long(1, 20), of(&[OTHER_DOCTOR])]), []);
    assert_eq!(long_days(&[long(1, 20), of(&[OTHER_DOCTOR, DOCTOR])]).len(), 1);
    let unnamed = |number| ServiceFacts {
        performers: by(&[]),
        ..long(number, 20)
    };
    assert_eq!(long_days(&[unnamed(1), unnamed(2)]), []);
    // A stay of weeks is not worked through by one person.
    assert_eq!(long_days(&[timed(1, 0, 24 * 30), timed(2, 0, 24 * 30)]), []);
    assert_eq!(
        long_days(&[long(1, u64::MAX / 3600), long(2, u64::MAX / 3600)]).len(),
        1
    );
}

#[test]
fn services_before_birth_and_after_death_are_told() {
    let check = |mut service: ServiceFacts, born: Option<&str>, died: Option<&str>| {
        service.born = born.map(|text| Span::of(text).unwrap());
        service.died = died.map(|text| Span::of(text).unwrap());
        let signals = outside_of_life(&[service]);
        signals.into_iter().map(|signal| signal.kind).collect::<Vec<_>>()
    };
    assert_eq!(check(service(1), Some("2026-05-04"), None), [SignalKind::BeforeBirth]);
    assert_eq!(check(service(1), None, Some("2026-05-02")), [SignalKind::AfterDeath]);
    // On the day itself, or in the month of which no more is known.
    assert_eq!(check(service(1), Some("2026-05-03"), Some("2026-05-03")), []);
    assert_eq!(check(service(1), Some("1931"), Some("2026-05")), []);
    assert_eq!(check(service(1), None, None), []);
    // A time may be of another zone than the day.
    assert_eq!(check(timed(1, 12, 13), None, Some("2026-05-02")), []);
    assert_eq!(
        check(timed(1, 14, 15), None, Some("2026-05-02")),
        [SignalKind::AfterDeath]
    );
    assert_eq!(
        check(timed(1, 9, 10), Some("2026-05-04"), None),
        [SignalKind::BeforeBirth]
    );
    assert_eq!(check(timed(1, 11, 12), Some("2026-05-04"), None), []);
}

#[test]
fn an_amount_far_above_the_usual_is_told() {
    let priced = |number: u8, minor| ServiceFacts {
        amount: euro(minor),
        ..service(number)
    };
    let usual: Vec<_> = (1..=11)
        .map(|number| priced(number, 900 + 20 * u64::from(number)))
        .collect();
    assert_eq!(amount_outliers(&usual), []);
    // The median is 1020 and MAD 60: 3.5 is passed at 1332.
    let with = |minor| amount_outliers(&[usual.clone(), vec![priced(99, minor)]].concat());
    assert_eq!(with(1300), []);
    assert_eq!(told(&with(1400)), [[id(99)]]);
    // Less than others is nobody's loss.
    assert_eq!(with(0), []);
    // A code of its own, a currency of its own: nothing to compare with.
    let mut rare = priced(99, 1_000_000);
    rare.code = "rare".to_owned();
    let mut foreign = priced(98, 1_000_000);
    foreign.amount = dollar(1_000_000);
    assert_eq!(amount_outliers(&[usual.clone(), vec![rare, foreign]].concat()), []);
    assert_eq!(amount_outliers(&usual[..8]), []);
}

#[test]
fn where_a_tariff_fixes_the_amounts_a_few_cents_are_no_outlier() {
    let priced = |number: u8, minor| ServiceFacts {
        amount: euro(minor),
        ..service(number)
    };
    let fixed: Vec<_> = (1..=20).map(|number| priced(number, 5000)).collect();
    let with = |minor| amount_outliers(&[fixed.clone(), vec![priced(99, minor)]].concat());
    assert_eq!(with(5001), []);
    assert_eq!(with(6000), []);
    let signals = with(10_000);
    assert_eq!(told(&signals), [[id(99)]]);
    // 0.6745 * 5000 / 250 = 13.49.
    assert_eq!(
        signals[0].kind,
        SignalKind::HighAmount {
            provider: CLINIC,
            z_tenths: 134
        }
    );
    assert_eq!(with(u64::MAX).len(), 1);
}

#[test]
fn a_provider_with_far_more_claims_than_others_is_told() {
    let mut claims = Vec::new();
    for provider in 1..=12_u8 {
        let count = if provider == 12 { 60 } else { 3 + provider % 3 };
        for number in 0..count {
            let mut hash = [provider; 32];
            hash[0] = number;
            claims.push(ClaimFacts {
                id: hash.into(),
                provider: Address::repeat_byte(provider),
                ..submitted(1)
            });
        }
    }
    let signals = count_outliers(&claims);
    let [
        Signal {
            kind,
            claims: concerned,
        },
    ] = &signals[..]
    else {
        panic!("{signals:?}")
    };
    assert!(
        matches!(kind, SignalKind::ManyClaims { provider, count: 60, .. } if *provider == Address::repeat_byte(12))
    );
    assert_eq!(concerned.len(), 60);
    claims.retain(|claim| claim.provider != Address::repeat_byte(12));
    assert_eq!(count_outliers(&claims), []);
}

#[test]
fn a_record_that_was_written_long_after_the_service_is_told() {
    let created = |days: i64| {
        let end = day("2026-05-03").span().to;
        let claim = ClaimFacts {
            links: vec![LinkFacts {
                record_id: RECORD,
                created_at: u64::try_from(end + days * DAY_S).unwrap(),
            }],
            ..submitted(1)
        };
        late_records(&[claim, submitted(2)], &[service(1)])
    };
    assert_eq!(created(-1), []);
    assert_eq!(created(30), []);
    let kind = SignalKind::LateRecord {
        record_id: RECORD,
        days: 31,
    };
    assert_eq!(
        created(31),
        [Signal {
            kind,
            claims: vec![id(1)]
        }]
    );
}

#[test]
fn the_rows_of_a_claim_are_its_items() {
    let (facts, claim) = (submitted(1), claim());
    let rows: Vec<_> = claim
        .items
        .iter()
        .filter_map(|item| ServiceFacts::of(&facts, &claim, item))
        .collect();
    assert_eq!(rows.len(), 2);
    assert_eq!(
        (rows[0].when, rows[0].amount),
        (When::Day { seconds: None }, euro(10_000))
    );
    let from = Span::of("2026-05-03T08:00:00Z").unwrap().from;
    assert_eq!(
        rows[1].when,
        When::Period(Span {
            from,
            to: from + 20 * 60
        })
    );
    // Whoever submitted it has rendered nothing.
    assert_eq!(
        (&rows[1].performers, rows[1].encounter.as_str()),
        (&by(&[]), "Encounter/7")
    );
    let mut nameless = claim.items[0].clone();
    nameless.encounter = None;
    assert_eq!(ServiceFacts::of(&facts, &claim, &nameless), None);
}

/// One clerk submits for two doctors, and two clerks for one.
#[test]
fn a_clerk_who_submits_makes_no_overlap_and_hides_none() {
    let row = |number: u8, clerk: u8, licence: &str| {
        let mut claim = claim_of_a_team();
        claim.care_team.truncate(1);
        claim.care_team[0].provider.identifier = Some(this_licence(licence));
        let mut item = claim.items[1].clone();
        item.care_team = vec![1];
        item.encounter = Some(Reference::literal(&format!("Encounter/{number}")));
        let facts = ClaimFacts {
            by: Address::repeat_byte(clerk),
            ..submitted(number)
        };
        ServiceFacts::of(&facts, &claim, &item).unwrap()
    };
    assert_eq!(overlaps(&[row(1, 1, "42"), row(2, 1, "43")]), []);
    let signals = overlaps(&[row(1, 1, "42"), row(2, 2, "42")]);
    assert_eq!(told(&signals), [[id(1), id(2)]]);
    let performer = DOCTOR.to_owned();
    assert_eq!(signals[0].kind, SignalKind::Overlap { performer });
}

#[test]
fn a_service_that_stands_twice_in_one_claim_is_told() {
    let again = |change: fn(&mut ServiceFacts)| {
        let mut second = service(1);
        change(&mut second);
        repeated_services(&[service(1), service(2), second])
    };
    let signals = again(|_| ());
    let kind = SignalKind::RepeatedService { count: 2 };
    assert_eq!(
        signals,
        [Signal {
            kind,
            claims: vec![id(1)]
        }]
    );
    assert_eq!(again(|second| second.code = "718-8".to_owned()), []);
    assert_eq!(again(|second| second.day = day("2026-05-04")), []);
    assert_eq!(again(|second| second.encounter = "Encounter/8".to_owned()), []);
    assert_eq!(again(|second| second.claim = id(3)), []);
}

#[test]
fn a_payment_that_is_overdue_is_told_of_approved_claims_alone() {
    let claim = |state, deadline| ClaimFacts {
        state,
        deadline,
        ..submitted(1)
    };
    let days = |deadline| match &overdue_payments(&[claim(claim_state::APPROVED, deadline)], NOW)[..] {
        [] => None,
        [signal] => match signal.kind {
            SignalKind::OverduePayment { insurer, days } if insurer == INSURER => Some(days),
            _ => panic!("{signal:?}"),
        },
        more => panic!("{more:?}"),
    };
    let day = DAY_S.unsigned_abs();
    assert_eq!(days(NOW + 1), None);
    assert_eq!(days(NOW), Some(0));
    assert_eq!(days(NOW - 3 * day), Some(3));
    // Nothing is due.
    assert_eq!(days(0), None);
    for state in [
        claim_state::RECEIVED,
        claim_state::PARTLY_APPROVED,
        claim_state::DENIED,
        claim_state::PAID,
        claim_state::REVERSED,
    ] {
        assert!(!is_payment_overdue(state, NOW, NOW), "{state}");
    }
}

#[test]
fn the_order_of_the_rows_changes_nothing() {
    let mut services: Vec<_> = (1..=40)
        .map(|number| timed(number, i64::from(number), i64::from(number) + 3))
        .collect();
    services
        .iter_mut()
        .for_each(|service| service.died = Span::of("2026-05-01"));
    let all = |services: &[ServiceFacts]| {
        [
            overlaps(services),
            long_days(services),
            outside_of_life(services),
            amount_outliers(services),
            shared_services(services),
            repeated_services(services),
        ]
    };
    let first = all(&services);
    services.reverse();
    assert_eq!(all(&services), first);
    assert_eq!(told(&first[0])[0].len(), 40);
}

/// Rows are plain numbers, which nobody has checked.
#[test]
fn no_time_is_too_far_away() {
    let ends = [i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX - 1, i64::MAX];
    let mut services = Vec::new();
    for from in ends {
        for to in ends {
            let span = Span { from, to };
            services.push(ServiceFacts {
                when: When::Period(span),
                born: Some(span),
                died: Some(span),
                ..service(1)
            });
        }
    }
    let claim = ClaimFacts {
        links: vec![LinkFacts {
            record_id: RECORD,
            created_at: u64::MAX,
        }],
        ..submitted(1)
    };
    assert_eq!(long_days(&services), []);
    assert_eq!(overlaps(&services), []);
    assert!(!outside_of_life(&services).is_empty());
    assert_eq!(late_records(&[claim], &services), []);
}
