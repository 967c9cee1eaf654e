//! Readers of what strangers send: no panic, bounded memory, and what is taken comes back the same.

use medlock_fhir::facade::search::{Handling, RESOURCES, parse};
use medlock_fhir::facade::{
    Operation, consent, operation_consent, read_grant, read_operation, standing_consent, to_json,
};
use medlock_fhir::{dicom, hl7v2};
use medlock_mutate::{Fuzz, Shape};

use crate::support::{NOW, Random, grant, operation, site, standing};

/// A Consent's tree takes some times its text; and the outcome, at most fifty issues.
const ALLOCATED_BYTES_MAX: u64 = 8 * 1024 * 1024;

fn fuzz(name: &str, seeds: &[Vec<u8>], words: &[&str], check: impl Fn(&[u8]) -> bool) {
    let tally = Fuzz {
        name,
        seeds,
        shape: if words.is_empty() {
            Shape::Bytes
        } else {
            Shape::Text(words)
        },
        allocated_bytes_max: ALLOCATED_BYTES_MAX,
        weight: 10,
    }
    .run(check);
    assert!(tally.cases > 0);
}

const WORDS: &[&str] = &[
    "null",
    "[]",
    "{}",
    "\"\"",
    "\"extension\"",
    "\"reference\"",
    "\"system\"",
    "\"code\"",
    "\"none\"",
    "\"deny\"",
    "\"permit\"",
    "18446744073709551615",
    "9999-12-31T23:59:59Z",
    "\"_end\":{}",
    ",",
];

#[test]
fn a_consent_that_is_taken_for_a_grant_says_that_grant() {
    let mut random = Random(4);
    let mut seeds: Vec<_> = (0..20)
        .map(|_| consent(&random.grant(), &site(), NOW).unwrap())
        .collect();
    seeds.push(consent(&grant(), &site(), NOW).unwrap());
    seeds.push(standing_consent(&standing(), &site()).unwrap());
    let seeds: Vec<_> = seeds.into_iter().map(|seed| to_json(seed).into_bytes()).collect();
    fuzz("fhir-consent", &seeds, WORDS, |bytes| {
        match read_grant(bytes, &site()) {
            Ok(grant) => {
                let again = to_json(consent(&grant, &site(), NOW).unwrap());
                assert_eq!(read_grant(again.as_bytes(), &site()), Ok(grant));
                true
            }
            Err(outcome) => {
                assert!(!outcome.is_empty());
                false
            }
        }
    });
}

#[test]
fn a_consent_that_is_taken_for_an_operation_says_that_operation() {
    let seeds = [None, Some(vec![9; 65])].map(|signature| {
        let operation = Operation {
            signature,
            ..operation()
        };
        to_json(operation_consent(&operation, &site()).unwrap()).into_bytes()
    });
    fuzz("fhir-operation", &seeds, WORDS, |bytes| {
        match read_operation(bytes, &site()) {
            Ok(operation) => {
                let again = to_json(operation_consent(&operation, &site()).unwrap());
                assert_eq!(read_operation(again.as_bytes(), &site()), Ok(operation));
                true
            }
            Err(outcome) => {
                assert!(!outcome.is_empty());
                false
            }
        }
    });
}

#[test]
fn a_query_is_read_or_refused() {
    let seeds = [
        "patient=5a5a&status=active,inactive&purpose=http://x|TREAT&period=ge2026-05-03T10:00:00%2B02:00&_count=20&after=12.3",
        "actor:identifier=urn:ietf:rfc:3986|did:pkh:eip155:1:0x00&_summary=true&_total=accurate&_format=json&_elements=a,b",
        "target=DocumentReference/1.2&recorded=ap2020&security-label=|7&_lastUpdated=sa2020-01&teeth=%41",
    ];
    let seeds: Vec<_> = seeds.map(|seed| seed.as_bytes().to_vec()).into();
    let words = [
        "%", "%00", "&", "=", "|", "\\", ",", ":", "ap", "9999", "0000", ".", "+",
    ];
    fuzz("fhir-query", &seeds, &words, |bytes| {
        let Ok(text) = std::str::from_utf8(bytes) else {
            return false;
        };
        let taken = RESOURCES
            .iter()
            .map(|resource| parse(resource, text, Handling::Lenient, &site(), NOW).is_ok());
        taken.fold(false, |any, one| any | one)
    });
}

#[test]
fn a_message_is_read_or_refused() {
    let seed =
        b"MSH|^~\\&|LAB|A|EHR|B|20260503100000.1+0200||ORU^R01|Q-77|P|2.4||||||UNICODE UTF-8\rPID|1||42\rOBX|1\r";
    fuzz(
        "hl7v2",
        &[seed.to_vec()],
        &["MSH|", "\r", "|", "^", "~", "PID|", "2026", "+", "\u{e9}"],
        |bytes| hl7v2::read(bytes).is_ok(),
    );
}

#[test]
fn a_file_is_read_or_refused() {
    let explicit: &[u8] = b"\x02\0\x10\0UI\x14\x001.2.840.10008.1.2.1\0\x08\0\x16\0UI\x04\x001.2\0\x08\0\x18\0UI\x04\x001.3\0\
        \x08\0\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\0\xe0\xff\xff\xff\xff\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0\
        \x20\0\x0d\0UI\x04\x001.4\0\x20\0\x0e\0UI\x04\x001.5\0";
    let mut seed = vec![0; 128];
    seed.extend(b"DICM");
    seed.extend(explicit);
    assert!(dicom::read(&seed).is_ok());
    fuzz("dicom", &[seed], &[], |bytes| dicom::read(bytes).is_ok());
}
