//! Readers of what strangers print and send: no panic, bounded memory, and what is taken comes back the same.
use medlock_drugs::{Package, Ticket, epcis::Document, ticket::verify_ticket};
use medlock_mutate::{Fuzz, Shape};

use crate::{batch, documents::document, manifest, package};

/// A document's tree takes some times its text.
const ALLOCATED_BYTES_MAX: u64 = 8 * 1024 * 1024;

fn fuzz(name: &str, seeds: &[Vec<u8>], words: &[&str], check: impl Fn(&[u8]) -> bool) {
    let tally = Fuzz {
        name,
        seeds,
        shape: Shape::Text(words),
        allocated_bytes_max: ALLOCATED_BYTES_MAX,
        weight: 5,
    }
    .run(check);
    assert!(tally.cases > 0);
}

#[test]
fn a_barcode_that_is_taken_is_written_as_it_was_read() {
    let packages = ["1", "ABCDEFGHIJ0123456789", "(21)\"17", "10_01"].map(|serial| package(serial.parse().unwrap()));
    let seeds: Vec<_> = packages
        .iter()
        .flat_map(|package| [package.scanned(), package.bracketed()])
        .chain(["]d2010400638133393110A\x1d17270200\x1d7121234\x1d211\x1d91x".to_owned()])
        .map(String::into_bytes)
        .collect();
    let words = [
        "\x1d",
        "01",
        "10",
        "17",
        "21",
        "(01)",
        "(10)",
        "(17)",
        "(21)",
        "\\(",
        "]d2",
        "]C1",
        "00",
        "91",
        "712",
        "3103",
        "\\",
        "\u{e9}",
        "04006381333931",
        "000000",
        "991231",
    ];
    fuzz("drugs-barcode", &seeds, &words, |bytes| {
        let Ok(text) = std::str::from_utf8(bytes) else {
            return false;
        };
        let Ok(package) = Package::parse(text, 2026) else {
            return false;
        };
        assert_eq!(Package::parse(&package.scanned(), 2026), Ok(package));
        assert_eq!(Package::parse(&package.bracketed(), 2026), Ok(package));
        true
    });
}

#[test]
fn a_ticket_that_is_taken_and_verified_is_one_that_the_maker_gave() {
    let manifest = manifest(5);
    let tickets: Vec<_> = (0..5).map(|index| manifest.ticket(index).unwrap()).collect();
    let seeds: Vec<_> = tickets.iter().map(|ticket| ticket.to_json().into_bytes()).collect();
    let words = [
        "null",
        "[]",
        "{}",
        "\"\"",
        "\"v\":1,",
        "\"v\":2",
        "4294967295",
        "-1",
        "1e0",
        "\"0x\"",
        ",",
        "\"proof\":[]",
        "S0",
        "S1",
    ];
    let (root, count) = (manifest.root(), manifest.count());
    fuzz("drugs-ticket", &seeds, &words, |bytes| {
        let Ok(ticket) = Ticket::from_json(bytes) else {
            return false;
        };
        assert_eq!(Ticket::from_json(ticket.to_json().as_bytes()).as_ref(), Ok(&ticket));
        // Maker and lot are no part of the tree: they say at which batch the root is looked up.
        if verify_ticket(&ticket, root, count, batch().expiry).is_ok() && ticket.batch.id() == batch().id() {
            assert!(tickets.contains(&ticket));
        }
        true
    });
}

#[test]
fn a_document_that_is_taken_is_written_as_it_was_read() {
    let seeds = [document().to_json().unwrap()];
    let words = [
        "null",
        "[]",
        "{}",
        "\"\"",
        "\"errorDeclaration\":{},",
        "200.0",
        "-1",
        "1e999",
        "\"OBSERVE\"",
        "\"ADD\"",
        "\"DELETE\"",
        "Z",
        "+14:00",
        "\"shipping\"",
        "\"returned\"",
        "%2F",
        "%",
        "did:pkh:eip155:1:0x",
        "\"extra\":1,",
    ];
    fuzz("drugs-document", &seeds, &words, |bytes| {
        match Document::from_json(bytes) {
            Ok(document) => {
                let again = document.to_json().unwrap();
                assert_eq!(Document::from_json(&again), Ok(document));
                true
            }
            Err(_) => false,
        }
    });
}
