//! Batches of data, and their files.

use alloy_primitives::B256;
use medlock_research::Unreadable;
use medlock_research::batch::{Batch, BatchError, BatchFile, PAYLOAD_BYTES_MAX, Place, Row};
use medlock_research::participants::ParticipantsError;

use crate::support::{SITE, place, rows, salt};

fn batch() -> Batch {
    Batch::new(place(SITE, 4), rows(9, &[1, 2, 2, 300, 5])).unwrap()
}

/// Line 0 is the header.
fn lines(batch: &Batch) -> Vec<String> {
    batch.to_lines().split_inclusive('\n').map(str::to_owned).collect()
}

fn read(lines: &[String]) -> Result<Batch, BatchError> {
    Batch::read(lines.concat().as_bytes())
}

#[test]
fn a_batch_is_read_as_it_was_written() {
    let batch = batch();
    assert_eq!(read(&lines(&batch)), Ok(batch.clone()));
    assert_eq!(batch.header().count, 5);
    let empty = Row {
        participant: 1,
        salt: salt(0, 0),
        payload: Vec::new(),
    };
    let batch = Batch::new(place(SITE, 1), vec![empty]).unwrap();
    assert_eq!(Batch::read(batch.to_lines().as_bytes()), Ok(batch));
}

#[test]
fn leaves_and_root_are_those_of_another_implementation() {
    // By Python's hashlib, and a Keccak of its own.
    let row = |participant, salt, payload: &[u8]| Row {
        participant,
        salt: B256::repeat_byte(salt),
        payload: payload.to_vec(),
    };
    let rows = vec![row(300, 10, br#"{"systolic":120}"#), row(1, 11, b"")];
    assert_eq!(
        rows[0].leaf().to_string(),
        "0x1956733d4c1bf42c1d928acd3de60b69e3e46791ce08f675686a28b7c7e1cf6e"
    );
    assert_eq!(
        Batch::new(place(SITE, 1), rows).unwrap().header().root.to_string(),
        "0x31e9305bc56c57f7049fba4ed27e1226a1ce65f593c7175c7f2fd42ed55825bc"
    );
}

#[test]
fn each_row_is_proved_at_its_own_place_and_at_no_other() {
    for count in [1_u32, 2, 5, 8] {
        let participants: Vec<_> = (1..=count).collect();
        let batch = Batch::new(place(SITE, 1), rows(1, &participants)).unwrap();
        let root = batch.header().root;
        for index in 0..count {
            let proof = batch.proof(index).unwrap();
            for (place, row) in (0..).zip(batch.rows()) {
                assert_eq!(proof.holds(root, row), place == index);
            }
            assert!(!proof.holds(B256::repeat_byte(1), &batch.rows()[index as usize]));
            let mut other = batch.rows()[index as usize].clone();
            other.participant += 1;
            assert!(!proof.holds(root, &other));
        }
        assert_eq!(batch.proof(count), None);
    }
}

#[test]
fn a_file_that_ends_too_early_is_cut_off() {
    let batch = batch();
    let whole = batch.to_lines();
    let lines = lines(&batch);
    for rows in 0..5 {
        assert_eq!(
            read(&lines[..=rows as usize]),
            Err(BatchError::Truncated { rows, count: 5 })
        );
    }
    for end in 1..whole.len() {
        let found = Batch::read(&whole.as_bytes()[..end]).unwrap_err();
        assert!(matches!(found, BatchError::Truncated { .. }), "{end}: {found}");
    }
    assert_eq!(Batch::read(b""), Err(BatchError::NoBytes));
}

#[test]
fn rows_that_are_moved_doubled_or_put_in_are_named() {
    let all = lines(&batch());
    let with = |change: fn(&mut Vec<String>)| {
        let mut lines = all.clone();
        change(&mut lines);
        read(&lines)
    };
    assert_eq!(
        with(|lines| lines.swap(2, 4)),
        Err(BatchError::Reordered { expected: 1, row: 3 })
    );
    assert_eq!(
        with(|lines| drop(lines.remove(3))),
        Err(BatchError::Reordered { expected: 2, row: 3 })
    );
    assert_eq!(
        with(|lines| lines.insert(3, lines[2].clone())),
        Err(BatchError::Reordered { expected: 2, row: 1 })
    );
    assert_eq!(
        with(|lines| lines.push(lines[5].clone())),
        Err(BatchError::Surplus { count: 5 })
    );
    // The copy of a row that is numbered anew.
    assert_eq!(
        with(|lines| lines[3] = lines[1].replace("\"row\":0", "\"row\":2")),
        Err(BatchError::Duplicate { row: 2, first: 0 })
    );
    // Rows that change places and numbers: each leaf goes with its row.
    assert_eq!(
        with(|lines| {
            let (one, other) = (lines[1].clone(), lines[2].clone());
            lines[1] = other.replace("\"row\":1", "\"row\":0");
            lines[2] = one.replace("\"row\":0", "\"row\":1");
        }),
        Err(BatchError::OtherRoot)
    );
}

#[test]
fn a_changed_row_is_named_by_its_leaf() {
    let batch = batch();
    let mut changed = lines(&batch);
    for row in [1, 3] {
        changed[row + 1] = changed[row + 1].replace("\"payload\":\"7b", "\"payload\":\"7c");
    }
    assert_eq!(read(&changed), Err(BatchError::RowsChanged { rows: vec![1, 3] }));
    let mut changed = lines(&batch);
    changed[4] = changed[4].replace("\"participant\":300", "\"participant\":3");
    let error = read(&changed).unwrap_err();
    assert_eq!(error, BatchError::RowsChanged { rows: vec![3] });
    assert_eq!(error.to_string(), "rows are not what their leaves were made of: 3");
}

#[test]
fn a_leaf_alone_that_is_changed_changes_no_data() {
    let batch = batch();
    let leaf = batch.rows()[2].leaf().to_string();
    let text = batch.to_lines().replace(&leaf, &B256::repeat_byte(3).to_string());
    assert_eq!(Batch::read(text.as_bytes()), Ok(batch));
}

#[test]
fn a_row_and_its_leaf_changed_together_have_another_root() {
    let batch = batch();
    let mut other = batch.rows().to_vec();
    other[0].payload = b"{}".to_vec();
    let forged = Batch::new(batch.header().place, other).unwrap();
    let file = BatchFile::read(forged.to_lines().as_bytes()).unwrap();
    assert_eq!(file.clone().prove(batch.header().root), Err(BatchError::OtherRoot));
    assert_eq!(file.prove(forged.header().root), Ok(forged));
}

#[test]
fn refuses_rows_that_make_no_batch() {
    let make = |change: fn(&mut Vec<Row>)| {
        let mut rows = rows(1, &[1, 2]);
        change(&mut rows);
        Batch::new(place(SITE, 1), rows).unwrap_err()
    };
    assert_eq!(make(Vec::clear), BatchError::NoRows);
    assert_eq!(
        make(|rows| rows[1].participant = 0),
        BatchError::Participant {
            row: 1,
            reason: ParticipantsError::Zero
        }
    );
    assert_eq!(
        make(|rows| rows[0].participant = 32_768),
        BatchError::Participant {
            row: 0,
            reason: ParticipantsError::TooHigh { number: 32_768 }
        }
    );
    assert_eq!(make(|rows| rows[1].salt = B256::ZERO), BatchError::NoSalt { row: 1 });
    assert_eq!(
        make(|rows| rows[1].salt = rows[0].salt),
        BatchError::Duplicate { row: 1, first: 0 }
    );
    assert_eq!(
        make(|rows| rows[0].payload = vec![0; PAYLOAD_BYTES_MAX + 1]),
        BatchError::PayloadTooLarge { row: 0 }
    );
    let at = place(SITE, 1);
    let of = |place: Place| Batch::new(place, rows(1, &[1])).unwrap_err();
    assert_eq!(of(Place { sequence: 0, ..at }), BatchError::ZeroSequence);
    assert_eq!(of(Place { to: at.from, ..at }), BatchError::MalformedPeriod);
}

#[test]
fn the_largest_payload_is_written_and_read() {
    let mut rows = rows(1, &[1]);
    rows[0].payload = vec![0xff; PAYLOAD_BYTES_MAX];
    let batch = Batch::new(place(SITE, 1), rows).unwrap();
    assert_eq!(Batch::read(batch.to_lines().as_bytes()), Ok(batch));
}

#[test]
fn refuses_lines_of_another_form_and_repeats_nothing_of_them() {
    let all = lines(&batch());
    for (line, from, to) in [
        (0, "trial/batch", "trial/batch9"),
        (0, "\"count\"", "\"rows\""),
        (1, "\"payload\":\"7b", "\"payload\":7"),
        (2, "{", "{\"secret\":1,"),
        (2, "{", "{\"row\":1,"),
        (3, "\"salt\":\"0x", "\"salt\":\"0x00"),
    ] {
        let mut lines = all.clone();
        lines[line] = lines[line].replacen(from, to, 1);
        assert_ne!(lines, all);
        let error = read(&lines).unwrap_err();
        assert!(!error.to_string().contains("secret"));
        let BatchError::Line { line: number, reason } = error else {
            panic!("{error:?}")
        };
        assert_eq!(number, line + 1);
        assert!(!matches!(reason, Unreadable::TooLarge { .. }));
    }
    let mut odd = all.clone();
    odd[1] = odd[1].replace("\"payload\":\"7b", "\"payload\":\"7");
    assert_eq!(read(&odd), Err(BatchError::PayloadNotHex { row: 0 }));
    assert_eq!(
        format!("{:?}", batch().rows()[0]),
        "Row { participant: 1, payload_bytes: 26 }"
    );
}
