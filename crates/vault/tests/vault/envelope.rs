use medlock_vault::{
    Binding, CompartmentKeys, Envelope, Error, RootSecret, SealedPayload, Suite, envelope::ENVELOPE_BYTES_MAX,
    seal_payload,
};

use crate::{TestRng, binding, metadata, other_bindings, raw_cid};

const EPOCH: u32 = 4;

struct Sealed {
    keys: CompartmentKeys,
    payload: SealedPayload,
    envelope: Envelope,
}

fn keys(epoch: u32) -> CompartmentKeys {
    let root = RootSecret::generate(&mut TestRng::new("root"));
    CompartmentKeys::derive(&root, &binding().chart, binding().compartment, epoch, Suite::X25519).unwrap()
}

fn seal(binding: &Binding, content: &[u8]) -> Sealed {
    let mut rng = TestRng::new(std::str::from_utf8(content).unwrap());
    let keys = keys(EPOCH);
    let payload = seal_payload(&mut rng, binding, &metadata(), content).unwrap();
    let cid = raw_cid(&payload.bytes);
    let envelope = Envelope::seal(&mut rng, binding, EPOCH, &keys.public_key(), cid, &payload.seal).unwrap();
    Sealed {
        keys,
        payload,
        envelope,
    }
}

fn open(envelope: &Envelope, binding: &Binding, keys: &CompartmentKeys, payload: &[u8]) -> Result<Vec<u8>, Error> {
    envelope
        .open_record(binding, keys, payload)
        .map(|(_, content)| content.to_vec())
}

#[test]
fn opens_what_was_sealed_after_a_trip_through_its_block() {
    let Sealed {
        keys,
        payload,
        envelope,
    } = seal(&binding(), b"content");
    let block = envelope.encode();
    assert!(block.len() < 512, "{} bytes", block.len());
    let decoded = Envelope::decode(&block).unwrap();
    assert_eq!(decoded, envelope);
    assert!(decoded.open(&binding(), &keys).unwrap().same(&payload.seal.data_key));
    let (opened, content) = decoded.open_record(&binding(), &keys, &payload.bytes).unwrap();
    assert_eq!((opened, &content[..]), (metadata(), &b"content"[..]));
}

#[test]
fn the_link_to_the_payload_is_a_real_one() {
    // dag-cbor: tag 42, a byte string, a zero byte, then the CID.
    let envelope = seal(&binding(), b"content").envelope;
    let link = [&b"\x67payload\xd8\x2a\x58\x25\x00"[..], &envelope.payload.to_bytes()].concat();
    assert!(envelope.encode().windows(link.len()).any(|window| window == link));
}

#[test]
fn refuses_an_envelope_in_any_other_place_than_its_own() {
    let Sealed {
        keys,
        payload,
        envelope,
    } = seal(&binding(), b"content");
    for (field, elsewhere) in other_bindings() {
        let found = open(&envelope, &elsewhere, &keys, &payload.bytes);
        // The chain and the contract do not stand in the block: the seal is bound to them all the same.
        let expected = match field {
            "chain" | "contract" => Error::Unopened { what: "envelope" },
            field => Error::Binding { field },
        };
        assert_eq!(found, Err(expected), "{field}");

        // Rewriting the block to fit does not help.
        let mut rewritten = envelope.clone();
        rewritten.chart = elsewhere.chart;
        rewritten.record_id = elsewhere.record_id;
        rewritten.version = elsewhere.version;
        rewritten.previous = elsewhere.previous;
        rewritten.compartment = elsewhere.compartment;
        let keys = CompartmentKeys {
            compartment: elsewhere.compartment,
            ..keys.clone()
        };
        let found = open(&rewritten, &elsewhere, &keys, &payload.bytes);
        assert_eq!(found, Err(Error::Unopened { what: "envelope" }), "{field}");
    }
}

#[test]
fn refuses_every_altered_field() {
    let Sealed {
        keys,
        payload,
        envelope,
    } = seal(&binding(), b"content");
    let unopened = Error::Unopened { what: "envelope" };
    type Change = fn(&mut Envelope);
    let changes: [(Change, Error); 7] = [
        (|envelope| envelope.epoch += 1, unopened.clone()),
        (|envelope| envelope.payload = raw_cid(b"another"), unopened.clone()),
        (|envelope| envelope.payload_bytes += 1, unopened.clone()),
        (|envelope| envelope.commitment[0] ^= 1, unopened.clone()),
        (|envelope| envelope.sealed.ciphertext[0] ^= 1, unopened.clone()),
        (|envelope| envelope.sealed.encapsulated[0] ^= 1, unopened),
        (
            |envelope| envelope.sealed.encapsulated = vec![0; 32],
            Error::BadEncapsulatedKey,
        ),
    ];
    for (index, (change, expected)) in changes.into_iter().enumerate() {
        let mut changed = envelope.clone();
        change(&mut changed);
        let keys = CompartmentKeys {
            epoch: changed.epoch,
            ..keys.clone()
        };
        assert_eq!(changed.open(&binding(), &keys).err(), Some(expected), "change {index}");
    }
    for length in [0, 1, 15, 16, 47] {
        let mut cut = envelope.clone();
        cut.sealed.ciphertext.truncate(length);
        assert_eq!(
            cut.open(&binding(), &keys).err(),
            Some(Error::Unopened { what: "envelope" })
        );
        cut.sealed.encapsulated.truncate(length.min(31));
        assert_eq!(cut.open(&binding(), &keys).err(), Some(Error::BadEncapsulatedKey));
    }
    let longer = [&payload.bytes[..], b"x"].concat();
    assert_eq!(
        open(&envelope, &binding(), &keys, &longer),
        Err(Error::PayloadMismatch { field: "length" })
    );
}

#[test]
fn refuses_payloads_swapped_between_two_records() {
    let elsewhere = Binding {
        record_id: [0x77; 32],
        ..binding()
    };
    let (one, two) = (seal(&binding(), b"content one"), seal(&elsewhere, b"content two"));
    assert_eq!(one.payload.bytes.len(), two.payload.bytes.len());
    let found = open(&one.envelope, &binding(), &one.keys, &two.payload.bytes);
    assert_eq!(found, Err(Error::PayloadMismatch { field: "commitment" }));
    // With the link rewritten as well.
    let mut forged = one.envelope.clone();
    forged.payload = two.envelope.payload;
    forged.commitment = two.envelope.commitment;
    let found = open(&forged, &binding(), &one.keys, &two.payload.bytes);
    assert_eq!(found, Err(Error::Unopened { what: "envelope" }));
}

#[test]
fn refuses_keys_of_another_epoch_compartment_or_chart() {
    let Sealed { payload, envelope, .. } = seal(&binding(), b"content");
    for epoch in [EPOCH - 1, EPOCH + 1] {
        let found = open(&envelope, &binding(), &keys(epoch), &payload.bytes);
        assert_eq!(
            found,
            Err(Error::WrongEpoch {
                given: epoch,
                expected: EPOCH
            })
        );
        // Under a false name too.
        let disguised = CompartmentKeys {
            epoch: EPOCH,
            ..keys(epoch)
        };
        let found = open(&envelope, &binding(), &disguised, &payload.bytes);
        assert_eq!(found, Err(Error::Unopened { what: "envelope" }));
    }
    let root = RootSecret::generate(&mut TestRng::new("root"));
    let other = CompartmentKeys::derive(&root, &binding().chart, 4, EPOCH, Suite::X25519).unwrap();
    let found = open(&envelope, &binding(), &other, &payload.bytes);
    assert_eq!(found, Err(Error::WrongCompartment { given: 4, expected: 3 }));
    for chart_or_root in [
        CompartmentKeys::derive(&root, &[0; 32], 3, EPOCH, Suite::X25519).unwrap(),
        CompartmentKeys::derive(
            &RootSecret::generate(&mut TestRng::new("another")),
            &binding().chart,
            3,
            EPOCH,
            Suite::X25519,
        )
        .unwrap(),
    ] {
        let found = open(&envelope, &binding(), &chart_or_root, &payload.bytes);
        assert_eq!(found, Err(Error::Unopened { what: "envelope" }));
    }
}

/// `block` with the bytes `from` replaced by `to`, where they occur once.
fn replaced(block: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let at = block
        .windows(from.len())
        .position(|window| window == from)
        .expect("the bytes occur");
    [&block[..at], to, &block[at + from.len()..]].concat()
}

#[test]
fn refuses_every_encoding_but_the_canonical_one() {
    let block = seal(&binding(), b"content").envelope.encode();
    let variants = [
        (
            "a number in more bytes than it needs",
            replaced(&block, b"\x65epoch\x04", b"\x65epoch\x18\x04"),
        ),
        (
            "keys out of order",
            replaced(
                &replaced(&block, b"\x61v\x01", b""),
                b"\x65suite\x01",
                b"\x65suite\x01\x61v\x01",
            ),
        ),
        (
            "a key twice",
            replaced(&replaced(&block, b"\xad", b"\xae"), b"\x61v\x01", b"\x61v\x01\x61v\x01"),
        ),
        (
            "an unknown key",
            replaced(&replaced(&block, b"\xad", b"\xae"), b"\x61v\x01", b"\x61v\x01\x61w\x01"),
        ),
        (
            "a missing key",
            replaced(&replaced(&block, b"\xad", b"\xac"), b"\x65epoch\x04", b""),
        ),
        (
            "a map without a length",
            [&replaced(&block, b"\xad", b"\xbf")[..], b"\xff"].concat(),
        ),
        ("bytes after the end", [&block[..], b"\x00"].concat()),
        ("a cut block", block[..block.len() - 1].to_vec()),
        (
            "a float for a number",
            replaced(&block, b"\x65epoch\x04", b"\x65epoch\xfb\x40\x10\0\0\0\0\0\0"),
        ),
        (
            "a link without its tag",
            replaced(&block, b"\xd8\x2a\x58\x25\x00\x01", b"\x58\x25\x00\x01"),
        ),
        (
            "a chart of 31 bytes",
            replaced(&block, b"\x65chart\x58\x20\xc4", b"\x65chart\x58\x1f"),
        ),
        ("nothing", Vec::new()),
    ];
    for (what, variant) in variants {
        assert!(
            matches!(
                Envelope::decode(&variant),
                Err(Error::Malformed { what: "envelope", .. } | Error::NotCanonical { .. })
            ),
            "{what}: {:?}",
            Envelope::decode(&variant)
        );
    }
}

#[test]
fn names_what_a_newer_or_impossible_envelope_has() {
    let block = seal(&binding(), b"content").envelope.encode();
    let decode = |from: &[u8], to: &[u8]| Envelope::decode(&replaced(&block, from, to)).unwrap_err();
    assert_eq!(
        decode(b"\x61v\x01", b"\x61v\x02"),
        Error::UnknownVersion {
            what: "envelope",
            version: 2
        }
    );
    assert_eq!(
        decode(b"\x65suite\x01", b"\x65suite\x03"),
        Error::UnknownSuite { suite: 3 }
    );
    assert_eq!(
        decode(b"\x6bcompartment\x03", b"\x6bcompartment\x18\x40"),
        Error::CompartmentRange { compartment: 64 }
    );
    assert!(matches!(
        decode(b"\x65epoch\x04", b"\x65epoch\x00"),
        Error::Malformed { .. }
    ));
    // A link to another kind of block (dag-cbor).
    assert!(matches!(
        decode(b"\x00\x01\x55\x12", b"\x00\x01\x71\x12"),
        Error::Malformed { .. }
    ));
    assert!(matches!(
        Envelope::decode(&[0; ENVELOPE_BYTES_MAX + 1]),
        Err(Error::TooLarge { .. })
    ));
}

#[test]
fn no_cut_or_flipped_block_makes_the_decoder_panic() {
    let block = seal(&binding(), b"content").envelope.encode();
    let mut rng = TestRng::new("flips");
    for length in 0..block.len() {
        assert!(Envelope::decode(&block[..length]).is_err());
    }
    for _ in 0..2000 {
        let mut flipped = block.clone();
        for _ in 0..=rng.array::<1>()[0] % 3 {
            let at = u16::from_be_bytes(rng.array()) as usize % block.len();
            flipped[at] ^= 1 << (rng.array::<1>()[0] % 8);
        }
        if let Ok(envelope) = Envelope::decode(&flipped) {
            assert_eq!(envelope.encode(), flipped, "what decodes encodes to the same bytes");
        }
    }
}
