//! Readers of what strangers publish: no panic, bounded memory, and what is taken comes back the same.

use medlock_mutate::{Fuzz, Shape};
use medlock_research::batch::Batch;
use medlock_research::consent::Consent;
use medlock_research::fhir::{read_research_study, read_research_subject, research_study, research_subject};
use medlock_research::folder::{INDEX, Index};
use medlock_research::results::{Plan, Results};

use crate::consents::consent;
use crate::fhir::{CHAIN_ID, study, subject};
use crate::support::{BATCH_FILES, Published};

/// Inputs have at most 64 KiB; what is made of them is some times as large.
const ALLOCATED_BYTES_MAX: u64 = 4 * 1024 * 1024;

const WORDS: &[&str] = &[
    "null",
    "[]",
    "{}",
    "\"\"",
    "\"row\":1",
    "\"participant\":0",
    "\"count\":4294967295",
    "\"v\":1",
    "18446744073709551615",
    "-1",
    "1e3",
    "\"0x\"",
    "\n",
    ",",
    "\"primary\"",
    "\\u0000",
    "../",
    "\"file\"",
];

fn fuzz(name: &str, seeds: &[Vec<u8>], check: impl Fn(&[u8]) -> bool) {
    let tally = Fuzz {
        name,
        seeds,
        shape: Shape::Text(WORDS),
        allocated_bytes_max: ALLOCATED_BYTES_MAX,
        weight: 10,
    }
    .run(check);
    assert!(tally.cases > 0);
}

fn files(names: &[&str]) -> Vec<Vec<u8>> {
    let published = Published::honest();
    names.iter().map(|name| published.files[*name].clone()).collect()
}

#[test]
fn a_batch_that_is_taken_is_the_same_when_it_is_written_again() {
    fuzz("research-batch", &files(&BATCH_FILES), |bytes| {
        let Ok(batch) = Batch::read(bytes) else { return false };
        assert_eq!(Batch::read(batch.to_lines().as_bytes()), Ok(batch));
        true
    });
}

#[test]
fn a_consent_that_is_taken_is_written_in_the_same_bytes() {
    let nameless = Consent {
        name: None,
        ..consent()
    };
    let seeds = [consent(), nameless].map(|consent| consent.to_json().unwrap().to_vec());
    fuzz("research-consent", &seeds, |bytes| {
        let Ok(consent) = Consent::read(bytes) else {
            return false;
        };
        assert_eq!(consent.to_json().unwrap().as_slice(), bytes);
        true
    });
}

#[test]
fn plans_results_and_indexes_that_are_taken_are_the_same_when_they_are_written_again() {
    fuzz("research-plan", &files(&["plan-1.json", "plan-2.json"]), |bytes| {
        let Ok(plan) = Plan::read(bytes) else { return false };
        assert_eq!(Plan::read(plan.to_json().unwrap().as_bytes()), Ok(plan));
        true
    });
    fuzz(
        "research-results",
        &files(&["results-0.json", "results-1.json"]),
        |bytes| {
            let Ok(results) = Results::read(bytes) else {
                return false;
            };
            assert_eq!(Results::read(results.to_json().unwrap().as_bytes()), Ok(results));
            true
        },
    );
    fuzz("research-index", &files(&[INDEX]), |bytes| {
        let Ok(index) = Index::read(bytes) else { return false };
        assert_eq!(Index::read(index.to_json().unwrap().as_bytes()), Ok(index));
        true
    });
}

#[test]
fn resources_that_are_taken_are_the_same_when_they_are_written_again() {
    let seeds = [
        research_study(&study(), CHAIN_ID),
        research_subject(&subject(), CHAIN_ID),
    ];
    let seeds = seeds.map(|seed| seed.unwrap().into_bytes());
    fuzz("research-fhir", &seeds, |bytes| {
        if let Ok(study) = read_research_study(bytes, CHAIN_ID) {
            let again = research_study(&study, CHAIN_ID).unwrap();
            assert_eq!(read_research_study(again.as_bytes(), CHAIN_ID), Ok(study));
            return true;
        }
        let Ok(subject) = read_research_subject(bytes, CHAIN_ID) else {
            return false;
        };
        let again = research_subject(&subject, CHAIN_ID).unwrap();
        assert_eq!(read_research_subject(again.as_bytes(), CHAIN_ID), Ok(subject));
        true
    });
}

#[test]
fn a_folder_with_an_altered_file_is_sound_only_if_it_says_the_same() {
    let honest = Published::honest();
    for name in honest.files.keys() {
        let seeds = [honest.files[name].clone()];
        let tally = Fuzz {
            name: &format!("research-folder-{name}"),
            seeds: &seeds,
            shape: Shape::Text(WORDS),
            allocated_bytes_max: ALLOCATED_BYTES_MAX,
            weight: 100,
        }
        .run(|bytes| {
            let mut published = honest.clone();
            published.files.insert(name.clone(), bytes.to_vec());
            let report = published.verify();
            if !report.is_sound() || bytes == seeds[0] {
                return false;
            }
            // Digests are of bytes, but for these two.
            let is_same = match name.as_str() {
                // It may leave out, or name otherwise, what needs no check.
                INDEX => report.checked.batches == 4 && report.checked.documents == 6 && report.checked.results == 2,
                _ => Batch::read(bytes).is_ok_and(|batch| Ok(batch) == Batch::read(&seeds[0])),
            };
            assert!(is_same);
            true
        });
        assert!(tally.cases > 0);
    }
}
