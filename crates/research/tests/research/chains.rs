//! Facts that the contract does not allow.

use alloy_primitives::{Address, B256, U256};
use medlock_abi::terms::batch as flag;
use medlock_research::chain::{ChainTrial, Contradiction};
use medlock_research::data::chain_all;

use crate::support::{OTHER_SITE, Published, SITE, link};

type Change = fn(&mut ChainTrial);

/// What is found once `change` is done, and the lock and results fit the batches again.
fn after(change: impl FnOnce(&mut ChainTrial)) -> Vec<Contradiction> {
    let mut chain = Published::honest().chain;
    change(&mut chain);
    let data = chain_all(chain.batches.iter().map(link));
    if let Some(lock) = &mut chain.lock {
        lock.data = data;
        lock.batches = chain.batches.len() as u32;
    }
    for results in &mut chain.results {
        results.data = data;
    }
    chain.contradictions()
}

#[test]
fn an_honest_trial_contradicts_nothing() {
    assert_eq!(after(|_| {}), []);
    assert_eq!(Published::honest().chain.contradictions(), []);
}

#[test]
fn facts_are_the_same_after_json() {
    let chain = Published::honest().chain;
    let text = serde_json::to_string(&chain).unwrap();
    assert_eq!(serde_json::from_str::<ChainTrial>(&text).unwrap(), chain);
}

#[test]
fn each_fact_that_cannot_be_is_named() {
    let (site, sequence) = (SITE, 2);
    let stranger = Address::repeat_byte(9);
    let cases: [(Change, Contradiction); 16] = [
        (|chain| chain.registration = B256::ZERO, Contradiction::TrialId),
        (
            |chain| chain.versions[1].at -= 101,
            Contradiction::VersionTime { version: 2 },
        ),
        (
            |chain| chain.batches[1].root = B256::ZERO,
            Contradiction::BatchEmpty { site, sequence },
        ),
        (
            |chain| chain.batches[1].count = 0,
            Contradiction::BatchEmpty { site, sequence },
        ),
        (
            |chain| chain.batches[1].from = chain.batches[1].to,
            Contradiction::BatchPeriod { site, sequence },
        ),
        (
            |chain| chain.batches[1].from = chain.registered_at - 1,
            Contradiction::BatchPeriod { site, sequence },
        ),
        (
            |chain| chain.batches[1].version = 3,
            Contradiction::BatchVersion { site, sequence },
        ),
        (
            |chain| chain.batches[1].version = 0,
            Contradiction::BatchVersion { site, sequence },
        ),
        (
            |chain| chain.batches[1].flags = flag::GAP,
            Contradiction::BatchFlags { site, sequence },
        ),
        (
            |chain| chain.batches[1].participants = vec![U256::from(1) << 4],
            Contradiction::BatchParticipants { site, sequence },
        ),
        (
            |chain| chain.batches[1].participants = vec![U256::ZERO],
            Contradiction::BatchParticipants { site, sequence },
        ),
        (
            |chain| chain.batches[3].sequence = 2,
            Contradiction::BatchTwice { site, sequence },
        ),
        (
            |chain| chain.results[1].number = 2,
            Contradiction::ResultsNumber { number: 2 },
        ),
        (
            |chain| chain.results[1].version = 1,
            Contradiction::ResultsVersion { number: 1 },
        ),
        (
            |chain| chain.results[1].plan = B256::ZERO,
            Contradiction::ResultsPlan { number: 1 },
        ),
        (
            |chain| chain.results[0].at = 1,
            Contradiction::ResultsTime { number: 0 },
        ),
    ];
    for (change, expected) in cases {
        let found = after(change);
        assert!(found.contains(&expected), "{expected:?} not in {found:?}");
    }
    let strange = after(|chain| chain.batches[2].site = stranger);
    assert!(strange.contains(&Contradiction::NotSite {
        site: stranger,
        sequence: 1
    }));
    assert!(after(|chain| chain.versions.clear()).contains(&Contradiction::NoVersions));
    assert!(after(|chain| chain.lock = None).contains(&Contradiction::ResultsTime { number: 0 }));
}

#[test]
fn gaps_and_batches_out_of_order_are_marked_as_the_contract_does() {
    let found = after(|chain| {
        chain.batches[3].sequence = 5;
        chain.batches[3].flags |= flag::GAP;
    });
    assert_eq!(found, []);
    let found = after(|chain| {
        (chain.batches[0].sequence, chain.batches[0].flags) = (2, flag::GAP);
        (chain.batches[1].sequence, chain.batches[1].flags) = (1, flag::OUT_OF_ORDER);
    });
    assert_eq!(found, []);
}

#[test]
fn batches_stand_in_the_order_of_their_time() {
    assert_eq!(
        after(|chain| chain.batches.swap(2, 3)),
        [Contradiction::BatchTime {
            site: OTHER_SITE,
            sequence: 1
        }]
    );
}

#[test]
fn nothing_is_anchored_or_amended_after_the_lock() {
    let found = after(|chain| {
        let lock = chain.lock.as_mut().unwrap();
        lock.at = chain.batches[3].anchored_at - 1;
    });
    assert_eq!(
        found,
        [Contradiction::BatchAfterLock {
            site: SITE,
            sequence: 3
        }]
    );
    let found = after(|chain| chain.versions[1].at = chain.lock.as_ref().unwrap().at + 1);
    assert!(found.contains(&Contradiction::VersionTime { version: 2 }));
}

#[test]
fn a_batch_that_is_kept_back_shows_in_what_was_locked() {
    let mut chain = Published::honest().chain;
    chain.batches.remove(0);
    let found = chain.contradictions();
    assert!(found.contains(&Contradiction::LockCount { locked: 4, given: 3 }));
    assert!(found.contains(&Contradiction::LockData));
    let mut chain = Published::honest().chain;
    chain.batches[2].root = B256::repeat_byte(1);
    assert_eq!(chain.contradictions(), [Contradiction::LockData]);
    let mut chain = Published::honest().chain;
    chain.results[0].data = B256::ZERO;
    assert_eq!(chain.contradictions(), [Contradiction::ResultsData { number: 0 }]);
}
