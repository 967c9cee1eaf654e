//! Files that strangers hand to an importer: no panic, bounded memory, and what is taken comes back byte for byte.

use medlock_fhir::{DEPTH_MAX, Frame, hl7v2, is_resource, join, split_any};
use medlock_mutate::{Fuzz, Shape};

/// A tree takes some times its text.
const ALLOCATED_BYTES_MAX: u64 = 8 * 1024 * 1024;

fn fixture(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/exchange/");
    std::fs::read(format!("{folder}{name}")).unwrap()
}

fn fuzz(name: &str, seeds: &[Vec<u8>], words: &[&str], check: impl Fn(&[u8]) -> bool) {
    let fuzz = Fuzz {
        name,
        seeds,
        shape: Shape::Text(words),
        allocated_bytes_max: ALLOCATED_BYTES_MAX,
        weight: 4,
    };
    let tally = fuzz.run(check);
    assert!(
        tally.cases == 1 || tally.taken > 0,
        "nothing altered was taken: {tally:?}"
    );
}

#[test]
fn resources_that_are_taken_come_back_byte_for_byte() {
    let words = [
        "\"resource\":",
        "{\"resource\":{\"resourceType\":\"Patient\"}},",
        "\"resourceType\":\"Bundle\",",
        "\"fullUrl\":\"urn:x\",",
        "\"meta\":{\"security\":[{\"code\":\"R\"}]},",
        "\"entry\":[],",
        "null",
        "\n",
        "\\u0000",
        "\u{feff}",
        "1e400",
        "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
        "history",
    ];
    let single = br#" {"resourceType":"Observation","valueDecimal":1.00} "#.to_vec();
    let seeds = [
        fixture("visit.json"),
        fixture("update.json"),
        fixture("bulk.ndjson"),
        single,
    ];
    fuzz("fhir-content", &seeds, &words, |bytes| {
        let Ok(read) = split_any(bytes) else {
            return false;
        };
        let sources: Vec<_> = read.entries.iter().map(|entry| entry.source).collect();
        assert!(!sources.is_empty());
        let stored = Frame::from_bytes(&read.frame.to_bytes()).unwrap();
        assert_eq!(join(&stored, &sources).unwrap(), bytes);
        // What an export relies on: each may stand in another Bundle.
        assert!(sources.iter().all(|source| is_resource(source)));
        let others: Vec<_> = sources
            .iter()
            .map(|source| format!("{{\"resource\":{}}}", str::from_utf8(source).unwrap()))
            .collect();
        let bundle = format!(
            "{{\"resourceType\":\"Bundle\",\"type\":\"history\",\"entry\":[{}]}}",
            others.join(",")
        );
        assert_eq!(split_any(bundle.as_bytes()).unwrap().entries.len(), sources.len());
        true
    });
}

#[test]
fn messages_are_unwrapped_or_refused() {
    let words = ["\u{b}", "\u{1c}\r", "\u{1c}", "\r", "MSH|", "\n"];
    let seeds = [fixture("adt.mllp"), fixture("oru-r01.hl7")];
    fuzz("hl7v2-messages", &seeds, &words, |bytes| {
        let Ok(messages) = hl7v2::messages(bytes) else {
            return false;
        };
        let content: usize = messages.iter().map(|message| message.len()).sum();
        assert!(content <= bytes.len());
        messages.iter().all(|message| hl7v2::read(message).is_ok())
    });
}

/// As deep as a resource may be on its own, it may be in a Bundle.
#[test]
fn depth_is_the_same_alone_and_in_a_bundle() {
    let resource = |levels: usize| {
        format!(
            r#"{{"resourceType":"Basic","x":{}{}}}"#,
            "[".repeat(levels),
            "]".repeat(levels)
        )
    };
    for levels in DEPTH_MAX - 6..DEPTH_MAX + 2 {
        let alone = resource(levels);
        let bundle = format!(r#"{{"resourceType":"Bundle","type":"collection","entry":[{{"resource":{alone}}}]}}"#);
        assert_eq!(
            split_any(alone.as_bytes()).is_ok(),
            split_any(bundle.as_bytes()).is_ok(),
            "{levels}"
        );
        assert_eq!(
            split_any(alone.as_bytes()).is_ok(),
            is_resource(alone.as_bytes()),
            "{levels}"
        );
    }
}
