//! What a trial's events tell, beside facts of the same trial.

use alloy_primitives::{Address, B256, U256};
use medlock_abi::trials::ITrials::{self, ITrialsEvents as E, countsOfReturn};
use medlock_research::chain::ChainTrial;
use medlock_research::events::Logged;
use medlock_research::participants::words;

use crate::support::{OTHER_SITE, Published, SITE};

/// In which block each event stands is its place in the list.
fn log(events: impl IntoIterator<Item = E>) -> Logged {
    Logged::of((0..).zip(events))
}

fn set(site: Address, active: bool) -> E {
    E::SiteSet(ITrials::SiteSet {
        trial: B256::ZERO,
        site,
        serial: 1,
        active,
    })
}

fn enrolled(site: Address, numbers: impl IntoIterator<Item = u32>) -> Vec<E> {
    let enrol = |number| {
        E::Enrolled(ITrials::Enrolled {
            trial: B256::ZERO,
            participant: Address::ZERO,
            site,
            number,
        })
    };
    numbers.into_iter().map(enrol).collect()
}

fn amended(facts: &ChainTrial) -> E {
    let version = &facts.versions[1];
    E::TrialAmended(ITrials::TrialAmended {
        trial: facts.trial,
        version: 2,
        protocol: version.documents.protocol,
        plan: version.documents.plan,
        form: version.documents.form,
        reasonCode: version.reason_code,
        reconsent: version.reconsent,
        document: B256::ZERO,
    })
}

fn anchored(facts: &ChainTrial) -> Vec<E> {
    let batches = facts.batches.iter().map(|batch| {
        E::BatchAnchored(ITrials::BatchAnchored {
            trial: facts.trial,
            site: batch.site,
            sequence: batch.sequence,
            from: batch.from,
            to: batch.to,
            root: batch.root,
            count: batch.count,
            participants: batch.participants.clone(),
            flags: batch.flags,
            version: batch.version,
            data: B256::ZERO,
            document: B256::ZERO,
        })
    });
    let results = facts.results.iter().map(|results| {
        E::ResultsAnchored(ITrials::ResultsAnchored {
            trial: facts.trial,
            number: results.number,
            version: results.version,
            plan: results.plan,
            data: results.data,
            results: results.results,
            document: B256::ZERO,
        })
    });
    batches.chain(results).collect()
}

/// Of the honest trial: two are enrolled before its second version, and 301 after it.
fn honest(facts: &ChainTrial) -> Vec<E> {
    let mut events = vec![set(SITE, true), set(OTHER_SITE, true)];
    events.extend(enrolled(SITE, 1..=2));
    events.push(amended(facts));
    events.extend(enrolled(SITE, 3..=3));
    events.extend(enrolled(OTHER_SITE, 1..=300));
    events.extend(anchored(facts));
    events
}

type Change = fn(&mut ChainTrial);

#[test]
fn facts_that_the_log_has_otherwise_are_objected_to() {
    let facts = Published::honest().chain;
    let logged = log(honest(&facts));
    assert_eq!(logged.objection(&facts), None);
    assert_eq!(logged.results, [310, 311]);
    let lies: [Change; 8] = [
        |facts| facts.versions[1].enrolled_then = 0,
        |facts| facts.versions[0].enrolled_then = 1,
        |facts| facts.batches[1].participants = words([1, 2]).unwrap(),
        |facts| facts.batches[1].participants.push(U256::ZERO),
        |facts| facts.batches[3].sequence = 4,
        |facts| facts.sites.truncate(1),
        |facts| facts.sites.push(facts.sites[0].clone()),
        |facts| facts.sites[1].site = Address::repeat_byte(9),
    ];
    for (lie, number) in lies.into_iter().zip(0..) {
        let mut facts = facts.clone();
        lie(&mut facts);
        assert!(logged.objection(&facts).is_some(), "lie {number}");
    }
}

#[test]
fn a_log_with_less_than_was_counted_is_not_whole() {
    let facts = Published::honest().chain;
    let counts = countsOfReturn {
        enrolled: 303,
        withdrawn: 0,
        batches: 4,
        results: 2,
        lockedAt: 0,
        data: B256::ZERO,
    };
    let is_whole = |events: Vec<E>| log(events).is_whole(facts.versions.len(), &counts);
    assert!(is_whole(honest(&facts)));
    let mut more = honest(&facts);
    more.extend(enrolled(SITE, 4..=4));
    assert!(is_whole(more), "the trial went on");
    for missing in ["TrialAmended", "Enrolled", "BatchAnchored", "ResultsAnchored"] {
        let mut events = honest(&facts);
        let is_it = |event: &E| format!("{event:?}").starts_with(missing);
        events.remove(events.iter().position(is_it).unwrap());
        assert!(!is_whole(events), "{missing}");
    }
}

#[test]
fn a_site_that_was_dismissed_and_named_again_is_one() {
    let logged = log([set(SITE, true), set(SITE, false), set(SITE, true)]);
    assert_eq!(logged.sites.into_iter().collect::<Vec<_>>(), [SITE]);
}
