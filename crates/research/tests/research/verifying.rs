//! Whole folders: nothing is found in the honest one, and every tampering is found and named.

use std::collections::BTreeSet;

use alloy_primitives::{Address, B256};
use medlock_abi::terms::{amendment, batch as flag};
use medlock_research::batch::{Batch, BatchError};
use medlock_research::chain::Contradiction;
use medlock_research::folder::{Folder, INDEX, Index, IndexError, ResultsName};
use medlock_research::results::{Difference, Kind, OutcomesError, Results};
use medlock_research::trial::{file_digest, trial_id};
use medlock_research::{Checked, Document, Finding, Severity, verify};
use serde_json::json;

use crate::support::{BATCH_FILES, OTHER_SITE, Published, REGISTRATION, SITE, index, place, plan, reported, rows};

#[test]
fn nothing_worse_than_notes_is_found_in_an_honest_trial() {
    let report = Published::honest().verify();
    let amended = Difference::Added {
        id: "pain".to_owned(),
        kind: Kind::Secondary,
    };
    assert_eq!(
        report.findings,
        [
            Finding::AmendedAfterEnrolment {
                version: 2,
                enrolled: 2,
                batches: 0,
                reason_code: amendment::OUTCOMES
            },
            Finding::Marked {
                site: SITE,
                sequence: 3,
                flag: flag::LATE
            },
            Finding::WithoutData {
                site: OTHER_SITE,
                enrolled: 300,
                withdrawn: 0,
                without: 298,
                first: (2..12).collect()
            },
            Finding::Corrected { number: 0, by: 1 },
            Finding::OutcomeAmended {
                version: 2,
                difference: amended
            },
        ]
    );
    assert_eq!(
        report.checked,
        Checked {
            documents: 6,
            batches: 4,
            rows: 9,
            results: 2,
            outcomes: 6
        }
    );
    assert!(report.is_sound());
    assert_eq!(report.worst(), Some(Severity::Note));
}

#[test]
fn a_report_is_json_of_one_form() {
    let mut published = Published::honest();
    let note = Finding::Corrected { number: 0, by: 1 };
    let told = serde_json::to_value(published.verify()).unwrap();
    assert_eq!(
        (&told["trial"], &told["sound"]),
        (&json!(published.chain.trial), &json!(true))
    );
    assert_eq!(
        told["checked"],
        json!({ "documents": 6, "batches": 4, "rows": 9, "results": 2, "outcomes": 6 })
    );
    assert_eq!(
        told["findings"][3],
        json!({ "severity": "note", "code": "results-corrected", "finding": note.to_string() })
    );
    published.files.clear();
    assert_eq!(serde_json::to_value(published.verify()).unwrap()["sound"], json!(false));
}

#[test]
fn a_changed_byte_in_any_file_is_found() {
    let honest = Published::honest();
    for (name, bytes) in &honest.files {
        // Every third byte, each time another bit: all of them take half a minute.
        for at in (0..bytes.len()).step_by(3) {
            let mut published = honest.clone();
            published.files.get_mut(name).unwrap()[at] ^= 1 << (at % 7);
            let report = published.verify();
            if report.is_sound() {
                assert!(is_harmless(name, &published), "{name}, byte {at}");
            }
        }
    }
}

/// JSON that says the same: a leaf that is not needed, and the case of hex digits.
fn is_harmless(name: &str, published: &Published) -> bool {
    let honest = &Published::honest().files[name];
    let bytes = &published.files[name];
    match name {
        INDEX => Index::read(bytes).unwrap() == index_with_any_case(bytes),
        _ if BATCH_FILES.contains(&name) => Batch::read(bytes) == Batch::read(honest),
        _ => false,
    }
}

/// The registration number may be written in lower case.
fn index_with_any_case(bytes: &[u8]) -> Index {
    let given = Index::read(bytes).unwrap().registration;
    assert!(given.eq_ignore_ascii_case(REGISTRATION));
    Index {
        registration: given,
        ..index()
    }
}

#[test]
fn a_document_that_differs_is_named_with_its_version() {
    for (file, document) in [
        ("protocol-2.pdf", Document::Protocol),
        ("plan-2.json", Document::Plan),
        ("form-2.pdf", Document::Form),
    ] {
        let mut published = Published::honest();
        published.files.get_mut(file).unwrap().push(b' ');
        let report = published.verify();
        let differs = |is_of| Finding::DocumentDiffers {
            version: 2,
            document,
            is_of,
        };
        assert!(report.findings.contains(&differs(None)), "{file}");
        assert!(!report.is_sound());
        let first = published.files[&file.replace('2', "1")].clone();
        published.files.insert(file.to_owned(), first);
        assert!(published.verify().findings.contains(&differs(Some(1))), "{file}");
    }
}

#[test]
fn the_full_text_of_a_plan_is_the_one_that_it_names() {
    let mut published = Published::honest();
    published.files.get_mut("plan-1.pdf").unwrap().push(b' ');
    assert_eq!(published.codes(), ["plan-document-differs"]);
    let mut published = Published::honest();
    published.change_index(|index| index.versions[0].plan_document = None);
    assert_eq!(published.codes(), ["file-not-named"], "the text need not be published");
    assert!(published.verify().is_sound());
}

#[test]
fn a_plan_of_another_form_is_anchored_but_not_compared() {
    let mut published = Published::honest();
    published.files.insert("plan-2.json".to_owned(), b"%PDF".to_vec());
    let digest = file_digest(b"%PDF");
    published.chain.versions[1].documents.plan = digest;
    for results in &mut published.chain.results {
        results.plan = digest;
    }
    let codes = published.codes();
    assert!(codes.contains(&"plan-unreadable"), "{codes:?}");
    assert_eq!(published.verify().checked.outcomes, 0);
}

#[test]
fn versions_that_are_hidden_or_made_up_are_named() {
    let mut published = Published::honest();
    published.change_index(|index| drop(index.versions.pop()));
    let codes = published.codes();
    assert_eq!(codes[0], "version-missing");
    assert!(codes[1..].iter().all(|code| *code == "file-not-named"));
    assert_eq!(published.verify().worst(), Some(Severity::Unchecked));

    let mut published = Published::honest();
    published.change_index(|index| {
        let mut third = index.versions[1].clone();
        third.version = 3;
        index.versions.push(third);
    });
    assert_eq!(published.codes(), ["version-not-on-chain"]);
}

#[test]
fn a_batch_that_is_missing_is_named() {
    for (file, (site, sequence)) in BATCH_FILES
        .into_iter()
        .zip([(SITE, 1), (SITE, 2), (OTHER_SITE, 1), (SITE, 3)])
    {
        let mut published = Published::honest();
        published.files.remove(file);
        assert_eq!(published.codes(), ["file-missing"]);
        published.change_index(|index| index.batches.retain(|batch| batch.file != file));
        assert_eq!(published.codes(), ["batch-missing"]);
        let finding = Finding::BatchMissing { site, sequence };
        assert!(published.verify().findings.contains(&finding));
        assert!(!published.verify().is_sound());
    }
}

#[test]
fn a_batch_that_never_came_is_named_once_the_data_are_locked() {
    let mut published = Published::honest();
    published.chain.batches[3].sequence = 6;
    let never = Finding::BatchNeverAnchored {
        site: SITE,
        first: 3,
        last: 5,
    };
    assert_eq!(never.severity(), Severity::Unchecked);
    assert!(published.verify().findings.contains(&never));
    published.chain.lock = None;
    assert!(!published.verify().findings.contains(&never), "it may still come");
    // Not the first either.
    let mut published = Published::honest();
    published.chain.batches[2].sequence = 2;
    let first = Finding::BatchNeverAnchored {
        site: OTHER_SITE,
        first: 1,
        last: 1,
    };
    assert!(published.verify().findings.contains(&first));
    assert!(first.to_string().starts_with("Batch 1 of 0x"), "{first}");
    assert!(never.to_string().starts_with("Batches 3 to 5 of 0x"), "{never}");
}

#[test]
fn a_site_that_was_dismissed_is_named_with_what_there_is_of_it() {
    let mut published = Published::honest();
    (published.chain.sites[0].active, published.chain.sites[0].withdrawn) = (false, 1);
    let dismissed = Finding::SiteDismissed {
        site: SITE,
        enrolled: 3,
        withdrawn: 1,
        batches: 3,
    };
    assert!(published.verify().findings.contains(&dismissed));
    assert_eq!(published.codes(), ["site-dismissed"]);
    assert!(published.verify().is_sound());
}

#[test]
fn participants_without_data_are_named_once_the_data_are_locked() {
    let mut published = Published::honest();
    (published.chain.sites[0].enrolled, published.chain.sites[0].withdrawn) = (5, 1);
    let silent = Finding::WithoutData {
        site: SITE,
        enrolled: 5,
        withdrawn: 1,
        without: 2,
        first: vec![4, 5],
    };
    assert!(published.verify().findings.contains(&silent));
    assert_eq!(published.codes(), ["participants-without-data"]);
    assert!(published.verify().is_sound());
    published.chain.lock = None;
    let findings = published.verify().findings;
    let is_silent = |finding: &Finding| matches!(finding, Finding::WithoutData { .. });
    assert!(!findings.iter().any(is_silent), "they may still come");
    // Numbers that nobody listed cost nothing.
    let mut published = Published::honest();
    published.chain.sites[0].enrolled = u32::MAX;
    let text = published.verify().findings.into_iter().find(is_silent).unwrap();
    assert!(text.to_string().contains(" 13 and 4294967282 more "), "{text}");
}

#[test]
fn periods_of_one_site_that_overlap_or_run_backwards_are_named() {
    let (site, sequences) = (SITE, vec![2]);
    let overlap = Finding::PeriodsOverlap { site, sequences };
    let (site, sequences) = (SITE, vec![2, 3]);
    let reversed = Finding::PeriodsReversed { site, sequences };
    let mut published = Published::honest();
    published.chain.batches[1].from = published.chain.batches[0].to - 1;
    let findings = published.verify().findings;
    assert!(findings.contains(&overlap) && !findings.contains(&reversed));

    let mut published = Published::honest();
    let last = published.chain.batches[3].to;
    (published.chain.batches[0].from, published.chain.batches[0].to) = (last, last + 1);
    let findings = published.verify().findings;
    assert!(findings.contains(&reversed) && !findings.contains(&overlap));
    // Another site has periods of its own.
    let mut published = Published::honest();
    (published.chain.batches[2].from, published.chain.batches[2].to) =
        (published.chain.batches[0].from, published.chain.batches[0].to);
    assert!(!published.codes().iter().any(|code| code.starts_with("periods")));
}

#[test]
fn another_trial_under_the_same_number_is_named() {
    let mut published = Published::honest();
    let sponsor = Address::repeat_byte(0x60);
    published.chain.also_registered_by = vec![sponsor];
    let trial = trial_id(sponsor, published.chain.registration);
    let twice = Finding::RegisteredTwice { trial, sponsor };
    assert!(published.verify().findings.contains(&twice));
    assert_eq!(published.codes(), ["registered-twice"]);
    assert!(published.verify().is_sound());
}

#[test]
fn a_batch_that_was_never_anchored_is_named() {
    let mut published = Published::honest();
    let batch = Batch::new(place(SITE, 4), rows(7, &[1])).unwrap();
    published
        .files
        .insert("batches/a-4.jsonl".to_owned(), batch.to_lines().into_bytes());
    assert_eq!(
        published.codes(),
        ["file-not-named"],
        "a note, while nothing claims that it is data"
    );
    published.change_index(|index| {
        let mut more = index.batches[0].clone();
        more.sequence = 4;
        more.file = "batches/a-4.jsonl".to_owned();
        index.batches.push(more);
    });
    assert_eq!(published.codes(), ["batch-not-on-chain"]);
}

#[test]
fn a_changed_row_is_named() {
    let mut published = Published::honest();
    published.change(BATCH_FILES[0], |text| {
        text.replacen("\"payload\":\"7b", "\"payload\":\"7c", 1)
    });
    let rows = Finding::RowsChanged {
        site: SITE,
        sequence: 1,
        rows: vec![0],
    };
    assert!(published.verify().findings.contains(&rows));
    assert_eq!(published.codes(), ["rows-changed"]);
}

#[test]
fn rows_that_are_swapped_left_out_or_made_up_are_found() {
    let lines = |text: &str| -> Vec<String> { text.split_inclusive('\n').map(str::to_owned).collect() };
    let mut swapped = Published::honest();
    swapped.change(BATCH_FILES[0], |text| {
        let mut lines = lines(text);
        lines.swap(1, 2);
        lines.concat()
    });
    let reordered = BatchError::Reordered { expected: 0, row: 1 };
    assert!(swapped.verify().findings.contains(&Finding::BatchUnreadable {
        site: SITE,
        sequence: 1,
        reason: reordered
    }));
    let mut cut = Published::honest();
    cut.change(BATCH_FILES[0], |text| lines(text)[..3].concat());
    assert_eq!(cut.codes(), ["batch-unreadable"]);

    // A whole file made anew: without a row, and with rows in another order.
    for participants in [&[1, 3][..], &[1, 3, 2]] {
        let mut forged = Published::honest();
        let batch = Batch::new(place(SITE, 1), rows(1, participants)).unwrap();
        forged
            .files
            .insert(BATCH_FILES[0].to_owned(), batch.to_lines().into_bytes());
        assert_eq!(forged.codes(), ["batch-header-differs", "batch-changed"]);
    }
}

#[test]
fn files_that_change_places_are_found() {
    let mut published = Published::honest();
    let [one, other] = [0, 1].map(|at| published.files[BATCH_FILES[at]].clone());
    published.files.insert(BATCH_FILES[0].to_owned(), other);
    published.files.insert(BATCH_FILES[1].to_owned(), one);
    let codes = ["batch-header-differs", "batch-changed"];
    assert_eq!(published.codes(), codes.repeat(2));
}

#[test]
fn a_header_that_says_another_period_is_found() {
    let mut published = Published::honest();
    published.change(BATCH_FILES[0], |text| {
        let from = place(SITE, 1).from;
        text.replace(&format!("\"from\":{from}"), &format!("\"from\":{}", from + 1))
    });
    assert_eq!(published.codes(), ["batch-header-differs"]);
}

#[test]
fn participants_on_chain_are_those_of_the_rows() {
    let mut published = Published::honest();
    // The second batch has rows of 1 and 3; the chain says 1 and 2.
    published.chain.batches[1].participants = medlock_research::participants::words([1, 2]).unwrap();
    let finding = Finding::ParticipantsDiffer {
        site: SITE,
        sequence: 2,
        unnamed: vec![3],
        absent: vec![2],
    };
    assert!(published.verify().findings.contains(&finding));
    assert_eq!(published.codes(), ["participants-differ"]);
}

#[test]
fn results_of_switched_outcomes_are_found_though_they_are_anchored() {
    let mut outcomes = reported(&plan(2));
    outcomes[0].kind = Kind::Secondary;
    outcomes[2].kind = Kind::Primary;
    outcomes.remove(1);
    let published = Published::with_outcomes(outcomes);
    let one = ["outcome-switched", "outcome-missing", "outcome-switched"];
    assert_eq!(published.codes(), one.repeat(2));
    assert!(!published.verify().is_sound());

    let mut outcomes = reported(&plan(2));
    outcomes[0].title = "Death of any cause within 90 days".to_owned();
    outcomes[1].id = "stay-icu".to_owned();
    let one = ["outcome-retitled", "outcome-missing", "outcome-added"];
    assert_eq!(Published::with_outcomes(outcomes).codes(), one.repeat(2));
}

#[test]
fn results_are_compared_though_they_are_not_those_that_were_anchored() {
    let mut published = Published::honest();
    published.change("results-1.json", |text| text.replacen("primary", "secondary", 1));
    assert_eq!(published.codes(), ["results-differ", "outcome-switched"]);
}

#[test]
fn results_that_were_not_anchored_or_are_missing_are_named() {
    let mut published = Published::honest();
    published.change_index(|index| {
        index.results.push(ResultsName {
            number: 2,
            file: "results-1.json".to_owned(),
        });
    });
    assert_eq!(published.codes(), ["results-not-anchored"]);
    let mut published = Published::honest();
    published.change_index(|index| drop(index.results.remove(0)));
    assert_eq!(published.codes(), ["results-missing", "file-not-named"]);
}

type Change = fn(&mut Results);

#[test]
fn results_name_their_trial_version_plan_and_data() {
    let cases: [(Change, &str); 4] = [
        (|results| results.trial = B256::ZERO, "results-of-other-trial"),
        (|results| results.version = 1, "results-of-other-version"),
        (|results| results.plan = B256::ZERO, "results-of-other-plan"),
        (|results| results.data = B256::ZERO, "results-of-other-data"),
    ];
    for (change, code) in cases {
        // The sponsor itself anchored them so.
        let mut published = Published::honest();
        let mut results = Results::read(&published.files["results-1.json"]).unwrap();
        change(&mut results);
        let text = results.to_json().unwrap();
        published.chain.results[1].results = file_digest(text.as_bytes());
        published.files.insert("results-1.json".to_owned(), text.into_bytes());
        assert_eq!(published.codes(), [code]);
    }
    let mut published = Published::honest();
    published.files.insert("results-1.json".to_owned(), b"%PDF".to_vec());
    assert_eq!(published.codes(), ["results-differ"]);
    published.chain.results[1].results = file_digest(b"%PDF");
    assert_eq!(published.codes(), ["results-unreadable"]);
}

#[test]
fn an_index_of_another_trial_is_found() {
    let cases: [fn(&mut Index); 3] = [
        |index| index.trial = B256::ZERO,
        |index| index.sponsor = Address::ZERO,
        |index| index.registration = "NCT01234568".to_owned(),
    ];
    for change in cases {
        let mut published = Published::honest();
        published.change_index(change);
        assert_eq!(published.codes(), ["other-trial"]);
    }
}

#[test]
fn without_an_index_nothing_is_checked() {
    let mut published = Published::honest();
    published.files.remove(INDEX);
    assert_eq!(published.codes(), ["index-missing"]);
    assert!(!published.verify().is_sound());
    assert_eq!(published.verify().checked, Checked::default());
    published.files.insert(INDEX.to_owned(), b"{".to_vec());
    assert_eq!(published.codes(), ["index-unreadable"]);
}

#[test]
fn a_trial_that_runs_has_notes_alone() {
    let mut published = Published::honest();
    published.chain.results.clear();
    published.change_index(|index| index.results.clear());
    published.files.retain(|name, _| !name.starts_with("results"));
    assert_eq!(published.codes(), ["no-results"]);
    published.chain.lock = None;
    assert_eq!(published.codes(), ["not-locked"]);
    assert!(published.verify().is_sound());
}

#[test]
fn facts_that_cannot_be_the_chains_are_faults() {
    let mut published = Published::honest();
    published.chain.lock.as_mut().unwrap().batches = 5;
    assert_eq!(published.codes(), ["contradiction"]);
    assert_eq!(published.verify().worst(), Some(Severity::Fault));
}

#[test]
fn an_index_cannot_lead_out_of_the_folder() {
    for name in [
        "",
        "/etc/passwd",
        "../x",
        "a/../b",
        "a//b",
        "a/",
        "./a",
        "a\\b",
        "C:x",
        ".hidden",
        "a b",
        "ä",
    ] {
        let mut index = index();
        index.results[0].file = name.to_owned();
        assert_eq!(index.to_json(), Err(IndexError::FileName), "{name:?}");
    }
    // And what the folder does not list is never asked for.
    let published = Published::honest();
    let read = |name: &str| {
        assert_eq!(name, INDEX);
        published.files.get(name).cloned()
    };
    let report = verify(&published.chain, &Folder::new([INDEX.to_owned()], &read));
    assert!(!report.is_sound());
}

#[test]
fn an_index_names_each_thing_once() {
    let of = |change: fn(&mut Index)| {
        let mut index = index();
        change(&mut index);
        index.to_json().unwrap_err()
    };
    assert_eq!(of(|index| index.versions.clear()), IndexError::NoVersions);
    assert_eq!(
        of(|index| index.versions.swap(0, 1)),
        IndexError::Versions { given: 2, expected: 1 }
    );
    assert_eq!(
        of(|index| index.batches[1].sequence = 1),
        IndexError::BatchTwice {
            site: SITE,
            sequence: 1
        }
    );
    assert_eq!(
        of(|index| index.results[1].number = 0),
        IndexError::ResultsTwice { number: 0 }
    );
    assert!(matches!(
        of(|index| index.registration = "NCT 1".to_owned()),
        IndexError::Registration(_)
    ));
}

#[test]
fn findings_are_sentences_that_repeat_no_data() {
    let mut published = Published::honest();
    published.change(BATCH_FILES[0], |text| {
        text.replace("\"payload\":\"7b", "\"payload\":\"7c")
    });
    published.files.insert("\u{1b}[2J".to_owned(), Vec::new());
    published.files.remove("form-1.pdf");
    let findings = published.verify().findings;
    assert!(findings.len() > 6);
    for finding in &findings {
        let text = finding.to_string();
        assert!(text.ends_with('.') && !text.ends_with(".."), "{text}");
        assert!(
            !text.contains("systolic") && !text.chars().any(char::is_control),
            "{text:?}"
        );
    }
    let amended = findings[0].to_string();
    assert_eq!(
        amended,
        "Version 2 was registered when 2 participants were enrolled and 0 batches of data anchored; stated reason: outcomes."
    );
}

#[test]
fn each_finding_has_a_code_of_its_own_and_a_sentence() {
    let (site, sequence, version, number) = (SITE, 7, 3, 2);
    let id = || "stay".to_owned();
    let (from, to) = (Kind::Primary, Kind::Secondary);
    let outcome = |difference| Finding::Outcome { number, difference };
    let reason = || BatchError::OtherRoot;
    let file = || "form-1.pdf".to_owned();
    let unreadable = OutcomesError::NoOutcomes;
    let added = || Difference::Added { id: id(), kind: to };
    let all = [
        Finding::Contradiction(Contradiction::LockData),
        Finding::IndexMissing,
        Finding::IndexUnreadable(IndexError::NoVersions),
        Finding::OtherTrial,
        Finding::FileMissing { file: file() },
        Finding::FileNotNamed { file: file() },
        Finding::VersionMissing { version },
        Finding::VersionNotOnChain { version },
        Finding::DocumentDiffers {
            version,
            document: Document::Plan,
            is_of: Some(1),
        },
        Finding::PlanUnreadable {
            version,
            reason: unreadable,
        },
        Finding::PlanDocumentDiffers { version },
        Finding::AmendedAfterEnrolment {
            version,
            enrolled: 1,
            batches: 0,
            reason_code: 99,
        },
        Finding::OutcomeAmended {
            version,
            difference: added(),
        },
        Finding::BatchMissing { site, sequence },
        Finding::BatchNotOnChain { site, sequence },
        Finding::BatchUnreadable {
            site,
            sequence,
            reason: reason(),
        },
        Finding::BatchHeaderDiffers { site, sequence },
        Finding::RowsChanged {
            site,
            sequence,
            rows: (0..12).collect(),
        },
        Finding::BatchChanged { site, sequence },
        Finding::ParticipantsDiffer {
            site,
            sequence,
            unnamed: vec![1],
            absent: Vec::new(),
        },
        Finding::Marked {
            site,
            sequence,
            flag: flag::GAP,
        },
        Finding::NotLocked,
        Finding::NoResults,
        Finding::ResultsMissing { number },
        Finding::ResultsNotAnchored { number },
        Finding::ResultsDiffer { number },
        Finding::ResultsUnreadable {
            number,
            reason: unreadable,
        },
        Finding::ResultsOfOtherTrial { number },
        Finding::ResultsOfOtherVersion { number },
        Finding::ResultsOfOtherPlan { number },
        Finding::ResultsOfOtherData { number },
        outcome(Difference::Missing { id: id(), kind: from }),
        outcome(added()),
        outcome(Difference::Switched { id: id(), from, to }),
        outcome(Difference::Retitled { id: id() }),
        Finding::Corrected { number, by: 3 },
        Finding::RegisteredTwice {
            trial: B256::ZERO,
            sponsor: SITE,
        },
        Finding::SiteDismissed {
            site,
            enrolled: 2,
            withdrawn: 1,
            batches: 0,
        },
        Finding::BatchNeverAnchored {
            site,
            first: 1,
            last: 2,
        },
        Finding::PeriodsOverlap {
            site,
            sequences: vec![1],
        },
        Finding::PeriodsReversed {
            site,
            sequences: vec![1],
        },
        Finding::WithoutData {
            site,
            enrolled: 2,
            withdrawn: 1,
            without: 1,
            first: vec![1],
        },
    ];
    let codes: BTreeSet<_> = all.iter().map(Finding::code).collect();
    let texts: BTreeSet<_> = all.iter().map(Finding::to_string).collect();
    assert_eq!((codes.len(), texts.len()), (all.len(), all.len()));
    for text in &texts {
        assert!(text.ends_with('.') && !text.ends_with(".."), "{text}");
    }
    let rows = all[17].to_string();
    assert!(rows.ends_with("0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more."), "{rows}");
    let marks = [flag::LATE, flag::OUT_OF_ORDER, flag::GAP].map(|flag| Finding::Marked { site, sequence, flag });
    let marks: BTreeSet<_> = marks.iter().map(Finding::to_string).collect();
    assert_eq!(marks.len(), 3);
    assert!(Severity::Note < Severity::Unchecked && Severity::Unchecked < Severity::Fault);
}
