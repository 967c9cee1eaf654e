use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Payload},
};
use medlock_vault::{
    Binding, DataKey, Error, Metadata, open_metadata, open_payload,
    payload::{CHUNK_BYTES, CONTENT_BYTES_MAX, HEADER_BYTES, TAG_BYTES, padme},
    seal_payload,
};

use crate::{
    TestRng, binding,
    forge::{Forge, METADATA, first, padded},
    json, metadata, other_bindings, stored,
};

pub const SEALED_CHUNK: usize = CHUNK_BYTES + TAG_BYTES;
/// Where the content chunks begin when the metadata chunk is of 256 bytes.
pub const CONTENT_AT: usize = HEADER_BYTES + 256 + TAG_BYTES;
/// Of content: where padding and chunks begin and end, and a little of a few chunks.
pub const LENGTHS: [usize; 11] = [
    0,
    1,
    1022,
    1023,
    1024,
    CHUNK_BYTES - 1,
    CHUNK_BYTES,
    CHUNK_BYTES + 1,
    2 * CHUNK_BYTES - 1,
    2 * CHUNK_BYTES,
    3_000_000,
];

fn seal(metadata: &Metadata, content: &[u8]) -> (DataKey, Vec<u8>) {
    let sealed = seal_payload(&mut TestRng::new("payload"), &binding(), metadata, content).unwrap();
    (sealed.seal.data_key, sealed.bytes)
}

fn open(key: &DataKey, bytes: &[u8]) -> Result<(Metadata, Vec<u8>), Error> {
    open_at(key, &binding(), bytes)
}

fn open_at(key: &DataKey, binding: &Binding, bytes: &[u8]) -> Result<(Metadata, Vec<u8>), Error> {
    open_payload(key, binding, bytes).map(|(metadata, content)| (metadata, content.to_vec()))
}

#[test]
fn gives_back_content_of_every_length_around_the_chunk_boundaries() {
    let random = TestRng::new("content").bytes(3_000_000);
    let text = json(3_000_000);
    for length in LENGTHS {
        // Stored as it is; compressed; tried to compress and stored.
        for (metadata, content) in [
            (stored(), &random[..length]),
            (metadata(), &text[..length]),
            (metadata(), &random[..length]),
        ] {
            let (key, bytes) = seal(&metadata, content);
            let (opened, found) = open(&key, &bytes).unwrap();
            assert_eq!(opened, metadata);
            assert!(found == content, "{length} bytes came back changed");
            assert_eq!(
                open_metadata(&key, &binding(), &bytes[..HEADER_BYTES + 256 + TAG_BYTES]).unwrap(),
                metadata
            );
        }
    }
}

#[test]
fn compresses_text_and_hides_its_exact_length() {
    let (_, small) = seal(&metadata(), &json(3_000_000));
    assert!(small.len() < 300_000, "{} bytes for repetitive JSON", small.len());
    // All content up to 1023 bytes looks alike, and longer content comes in steps.
    assert_eq!(seal(&stored(), b"").1.len(), seal(&stored(), &[7; 1023]).1.len());
    assert_eq!(
        seal(&stored(), &[7; 70_000]).1.len(),
        seal(&stored(), &[7; 70_500]).1.len()
    );
    assert_eq!(
        seal(&metadata(), b"").1.len(),
        seal(
            &Metadata {
                title: None,
                ..metadata()
            },
            b""
        )
        .1
        .len()
    );
}

#[test]
fn padme_is_the_published_function() {
    // Values computed from the definition: with E = floor(log2 L), the last E - floor(log2 E) - 1 bits are zero.
    for (length, padded) in [
        (0, 0),
        (1, 1),
        (2, 2),
        (8, 8),
        (9, 10),
        (100, 104),
        (1000, 1024),
        (1024, 1024),
        (1025, 1088),
        (65_537, 67_584),
        (1_000_000, 1_015_808),
    ] {
        assert_eq!(padme(length), padded, "padme({length})");
    }
    assert!((1..100_000).all(|length| padme(length) >= length && padme(length) - length <= length * 12 / 100));
}

#[test]
fn two_seals_of_the_same_content_share_nothing() {
    let mut rng = TestRng::new("twice");
    let one = seal_payload(&mut rng, &binding(), &metadata(), b"same").unwrap();
    let two = seal_payload(&mut rng, &binding(), &metadata(), b"same").unwrap();
    assert!(!one.seal.data_key.same(&two.seal.data_key));
    assert_ne!(one.seal.commitment, two.seal.commitment);
    assert_ne!(one.bytes[CONTENT_AT..], two.bytes[CONTENT_AT..]);
    assert_eq!(open(&one.seal.data_key, &two.bytes), Err(Error::Commitment));
}

#[test]
fn a_writer_made_from_the_document_alone_gives_the_same_bytes() {
    let content = TestRng::new("content").bytes(70_000);
    let (key, bytes) = seal(&stored(), &content);
    let salt = bytes[16..48].try_into().unwrap();
    let forge = Forge::new(key.expose(), &salt, &binding(), 256);
    assert!(forge.payload(&first(0, 70_000, METADATA), &padded(&content, 71_680)) == bytes);
}

#[test]
fn refuses_a_payload_that_is_cut_anywhere() {
    let random = TestRng::new("content").bytes(3 * CHUNK_BYTES);
    let (key, bytes) = seal(&stored(), &random);
    let boundaries = (0..4).map(|chunks| CONTENT_AT + chunks * SEALED_CHUNK);
    for boundary in boundaries.chain([0, 8, HEADER_BYTES, bytes.len()]) {
        for length in [
            boundary.saturating_sub(1),
            boundary,
            boundary + 1,
            boundary + TAG_BYTES,
            boundary + TAG_BYTES + 1,
        ] {
            if length < bytes.len() {
                assert!(
                    matches!(
                        open(&key, &bytes[..length]),
                        Err(Error::Truncated | Error::ContentLength { .. } | Error::NotThis { .. })
                    ),
                    "cut to {length} bytes"
                );
            }
        }
    }
    // Compressed content does not give its length away before it is decoded: the last-chunk flag alone must tell.
    let mixed: Vec<u8> = random.iter().flat_map(|byte| [*byte, 0x20]).collect();
    let (key, bytes) = seal(&metadata(), &mixed);
    assert!(
        bytes.len() > CONTENT_AT + 2 * SEALED_CHUNK,
        "the test needs several chunks"
    );
    let cut = &bytes[..CONTENT_AT + 2 * SEALED_CHUNK];
    assert_eq!(open(&key, cut), Err(Error::Chunk { index: 2 }));
}

#[test]
fn refuses_bytes_after_the_end() {
    let (key, mut bytes) = seal(&stored(), &[1; 100_000]);
    bytes.push(0);
    assert_eq!(open(&key, &bytes), Err(Error::ContentLength { declared: 100_000 }));
    let (key, mut bytes) = seal(&metadata(), &json(100_000));
    bytes.push(0);
    assert_eq!(open(&key, &bytes), Err(Error::Chunk { index: 1 }));
    // A whole further chunk, authentic in itself.
    let (key, mut bytes) = seal(&metadata(), &json(100_000));
    let again = bytes[CONTENT_AT..].to_vec();
    bytes.extend(again);
    assert!(matches!(open(&key, &bytes), Err(Error::Chunk { .. })));
}

#[test]
fn refuses_chunks_that_are_moved_repeated_or_of_another_payload() {
    let random = TestRng::new("content").bytes(3 * CHUNK_BYTES);
    let (key, bytes) = seal(&stored(), &random);
    let chunk = |index: usize| CONTENT_AT + index * SEALED_CHUNK..CONTENT_AT + (index + 1) * SEALED_CHUNK;

    let mut swapped = bytes.clone();
    swapped[chunk(0)].copy_from_slice(&bytes[chunk(1)]);
    swapped[chunk(1)].copy_from_slice(&bytes[chunk(0)]);
    assert_eq!(open(&key, &swapped), Err(Error::Chunk { index: 1 }));

    let mut repeated = bytes.clone();
    repeated[chunk(1)].copy_from_slice(&bytes[chunk(0)]);
    assert_eq!(open(&key, &repeated), Err(Error::Chunk { index: 2 }));

    // Another record's chunk in the same place.
    let mut rng = TestRng::new("another");
    let other = seal_payload(&mut rng, &binding(), &stored(), &random).unwrap();
    let mut spliced = bytes.clone();
    spliced[chunk(1)].copy_from_slice(&other.bytes[chunk(1)]);
    assert_eq!(open(&key, &spliced), Err(Error::Chunk { index: 2 }));

    // Even with the same data key and salt, in another record.
    for (field, elsewhere) in other_bindings() {
        let forge = Forge::new(key.expose(), &bytes[16..48].try_into().unwrap(), &elsewhere, 256);
        let mut spliced = bytes.clone();
        spliced[chunk(1)].copy_from_slice(&forge.chunk(2, false, &random[CHUNK_BYTES..2 * CHUNK_BYTES]));
        assert_eq!(open(&key, &spliced), Err(Error::Chunk { index: 2 }), "{field}");
    }
}

#[test]
fn refuses_a_payload_in_any_other_place_than_its_own() {
    let (key, bytes) = seal(&metadata(), b"content");
    for (field, elsewhere) in other_bindings() {
        assert_eq!(
            open_at(&key, &elsewhere, &bytes),
            Err(Error::Chunk { index: 0 }),
            "{field}"
        );
    }
    let first_with_previous = Binding {
        version: 1,
        ..binding()
    };
    assert!(matches!(
        open_at(&key, &first_with_previous, &bytes),
        Err(Error::Malformed { what: "binding", .. })
    ));
}

#[test]
fn refuses_every_flipped_bit() {
    let (key, bytes) = seal(&metadata(), b"content");
    for index in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[index] ^= 1 << (index % 8);
        let error = open(&key, &flipped).unwrap_err();
        let expected = match index {
            0..8 => matches!(error, Error::NotThis { .. }),
            8 => matches!(error, Error::UnknownVersion { .. }),
            9 => matches!(error, Error::Malformed { .. }),
            10..12 => matches!(error, Error::UnknownSuite { .. }),
            12..16 => matches!(
                error,
                Error::Malformed { .. } | Error::Chunk { index: 0 } | Error::Truncated
            ),
            16..HEADER_BYTES => error == Error::Commitment,
            HEADER_BYTES..CONTENT_AT => error == Error::Chunk { index: 0 },
            _ => error == Error::Chunk { index: 1 },
        };
        assert!(expected, "byte {index}: {error:?}");
    }
}

#[test]
fn refuses_a_wrong_key_and_a_commitment_to_another() {
    let (key, bytes) = seal(&metadata(), b"content");
    let wrong = DataKey::generate(&mut TestRng::new("wrong"));
    assert_eq!(open(&wrong, &bytes), Err(Error::Commitment));
    // The attacker writes a commitment that fits their key: then the header has changed, and no chunk opens.
    let salt = bytes[16..48].try_into().unwrap();
    let forge = Forge::new(wrong.expose(), &salt, &binding(), 256);
    let mut forged = bytes.clone();
    forged[48..80].copy_from_slice(&forge.header[48..80]);
    assert_eq!(open(&wrong, &forged), Err(Error::Chunk { index: 0 }));
    assert_eq!(open(&key, &forged), Err(Error::Commitment));
}

/// AES-GCM does not commit to its key: one ciphertext can be authentic under two. The commitment stops that.
#[test]
fn refuses_a_ciphertext_that_is_authentic_under_two_keys() {
    let mut rng = TestRng::new("two keys");
    let (one, two, salt) = (DataKey::generate(&mut rng), DataKey::generate(&mut rng), rng.array());
    let mut forges = [&one, &two].map(|key| Forge::new(key.expose(), &salt, &binding(), 256));
    // Both would have to read the same header; it commits to the first key. The nonce prefix depends on the key,
    // which AES-GCM does not mind.
    let header = forges[0].header;
    forges[1].bind(header, &binding());

    let ciphertext: [u8; 256] = rng.array();
    let chunk = collide(&forges, &ciphertext, 9);
    for forge in &forges {
        let nonce = forge.nonce(0, false);
        assert!(
            Aes256Gcm::new(&forge.key.into())
                .decrypt(
                    &nonce.into(),
                    Payload {
                        msg: &chunk,
                        aad: forge.aad()
                    }
                )
                .is_ok(),
            "the test's chunk is authentic under both keys"
        );
    }
    let payload = [&header[..], &chunk, &[0; 1040]].concat();
    assert_eq!(open(&two, &payload), Err(Error::Commitment));
    // Under the first key it is an authentic chunk (of nonsense).
    assert!(!matches!(
        open(&one, &payload),
        Err(Error::Commitment | Error::Chunk { index: 0 })
    ));
}

/// Changes block `at` of `ciphertext` so that its tag is the same under both keys (Grubbs, Lu, Ristenpart 2017).
fn collide(forges: &[Forge; 2], ciphertext: &[u8; 256], at: usize) -> Vec<u8> {
    let mut blocks: Vec<u128> = forges[0].aad().chunks(16).map(block).collect();
    let at = blocks.len() + at;
    blocks.extend(ciphertext.chunks(16).map(block));
    blocks.push(((forges[0].aad().len() as u128 * 8) << 64) | (256 * 8));
    blocks[at] = 0;

    let keys = forges.each_ref().map(|forge| {
        let cipher = Aes256Gcm::new(&forge.key.into());
        let tag = |aad: &[u8]| {
            let nonce = forge.nonce(0, false);
            block(&cipher.encrypt(&nonce.into(), Payload { msg: &[], aad }).unwrap())
        };
        // The tag of nothing is the mask; the tag of one zero block is (its length times H) xor the mask.
        let mask = tag(&[]);
        let h = multiply(tag(&[0; 16]) ^ mask, invert(128 << 64));
        let hash = blocks.iter().fold(0, |sum, block| multiply(sum ^ block, h));
        let power = (at..blocks.len()).fold(1 << 127, |power, _| multiply(power, h));
        (hash ^ mask, power)
    });
    let solution = multiply(keys[0].0 ^ keys[1].0, invert(keys[0].1 ^ keys[1].1));
    let tag = keys[0].0 ^ multiply(solution, keys[0].1);
    blocks[at] = solution;
    let aad_blocks = forges[0].aad().len().div_ceil(16);
    blocks[aad_blocks..blocks.len() - 1]
        .iter()
        .chain([&tag])
        .flat_map(|block| block.to_be_bytes())
        .collect()
}

fn block(bytes: &[u8]) -> u128 {
    let mut block = [0; 16];
    block[..bytes.len()].copy_from_slice(bytes);
    u128::from_be_bytes(block)
}

/// In GCM's field (SP 800-38D section 6.3): bits run from the left, the polynomial is 0xe1 << 120.
fn multiply(left: u128, right: u128) -> u128 {
    let (mut product, mut shifted) = (0, right);
    for bit in (0..128).rev() {
        product ^= if left >> bit & 1 == 1 { shifted } else { 0 };
        shifted = shifted >> 1 ^ if shifted & 1 == 1 { 0xe1 << 120 } else { 0 };
    }
    product
}

/// By Fermat: the power 2^128 - 2.
fn invert(value: u128) -> u128 {
    let (mut power, mut inverse) = (value, 1 << 127);
    for _ in 1..128 {
        power = multiply(power, power);
        inverse = multiply(inverse, power);
    }
    inverse
}

/// What only a malicious author could make: authentic, and wrong inside.
#[test]
fn refuses_authentic_payloads_that_are_wrong_inside() {
    let mut rng = TestRng::new("wrong inside");
    let (key, salt) = (DataKey::generate(&mut rng), rng.array());
    let forge = Forge::new(key.expose(), &salt, &binding(), 256);
    let check = |first: Vec<u8>, region: Vec<u8>| open(&key, &forge.payload(&first, &region)).unwrap_err();
    let content = [7u8; 100];
    let good = || padded(&content, 1024);
    assert_eq!(
        open(&key, &forge.payload(&first(0, 100, METADATA), &good())).unwrap().1,
        content
    );

    // Padding: no mark, a mark elsewhere, something after it, more or less of it.
    let mut unmarked = good();
    unmarked[100] = 0;
    assert_eq!(check(first(0, 100, METADATA), unmarked), Error::Padding);
    let mut late = good();
    late[1023] = 1;
    assert_eq!(check(first(0, 100, METADATA), late), Error::Padding);
    assert_eq!(check(first(0, 99, METADATA), good()), Error::Padding);
    assert_eq!(
        check(first(0, 100, METADATA), padded(&content, 2048)),
        Error::ContentLength { declared: 100 }
    );
    assert_eq!(
        check(first(0, 5000, METADATA), good()),
        Error::ContentLength { declared: 5000 }
    );
    assert_eq!(
        check(first(0, u64::MAX, METADATA), good()),
        Error::TooLarge {
            what: "content",
            size: u64::MAX,
            most: CONTENT_BYTES_MAX
        }
    );

    // Metadata: unknown encoding, a length past the end, dirt in the padding, a second encoding of the same map.
    assert!(matches!(
        check(first(2, 100, METADATA), good()),
        Error::Malformed { what: "metadata", .. }
    ));
    let mut long = first(0, 100, METADATA);
    long[9] = 0xff;
    assert!(matches!(check(long, good()), Error::Malformed { what: "metadata", .. }));
    let mut dirty = first(0, 100, METADATA);
    dirty[255] = 1;
    assert_eq!(check(dirty, good()), Error::Padding);
    let verbose = [&METADATA[..11], b"\x78\x11application/dicom"].concat();
    assert!(matches!(
        check(first(0, 100, &verbose), good()),
        Error::Malformed { what: "metadata", .. }
    ));
    let null = [b"\xa2\x65title\xf6", &METADATA[1..]].concat();
    assert_eq!(
        check(first(0, 100, &null), good()),
        Error::NotCanonical { what: "metadata" }
    );
}

#[test]
fn decompression_is_bounded_by_the_declared_length() {
    let mut rng = TestRng::new("bomb");
    let (key, salt) = (DataKey::generate(&mut rng), rng.array());
    let forge = Forge::new(key.expose(), &salt, &binding(), 256);
    let check = |declared: u64, frame: &[u8], length: usize| {
        open(
            &key,
            &forge.payload(&first(1, declared, METADATA), &padded(frame, length)),
        )
    };
    // RFC 8878: magic, no flags, the window descriptor, then blocks that repeat one byte 128 KiB long.
    let frame = |window: u8, blocks: usize| {
        let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, window];
        for index in 0..blocks {
            let header = ((128 * 1024) << 3) | (1 << 1) | usize::from(index + 1 == blocks);
            frame.extend(&header.to_le_bytes()[..3]);
            frame.push(b'0');
        }
        frame
    };
    const WINDOW_128_KIB: u8 = 7 << 3;
    const WINDOW_8_MIB: u8 = 13 << 3;
    const WINDOW_16_MIB: u8 = 14 << 3;
    let eight = 8 * 128 * 1024;
    assert_eq!(
        check(eight, &frame(WINDOW_128_KIB, 8), 1024).unwrap().1,
        vec![b'0'; eight as usize]
    );
    assert_eq!(
        check(eight, &frame(WINDOW_8_MIB, 8), 1024).unwrap().1.len(),
        eight as usize
    );
    for blocks in [7, 9, 250] {
        let error = check(eight, &frame(WINDOW_128_KIB, blocks), 1024).unwrap_err();
        assert_eq!(error, Error::ContentLength { declared: eight }, "{blocks} blocks");
    }
    assert_eq!(check(eight, &frame(WINDOW_16_MIB, 8), 1024), Err(Error::Compression));
    // A frame without an end, no frame at all, a frame and dirt, a frame that is no shorter than its content.
    let mut endless = frame(WINDOW_128_KIB, 8);
    let last = endless.len() - 4;
    endless[last] &= !1;
    assert_eq!(check(eight, &endless, 1024), Err(Error::Compression));
    assert_eq!(check(eight, b"not zstd", 1024), Err(Error::Compression));
    assert_eq!(
        check(eight, &[&frame(WINDOW_128_KIB, 8)[..], b"x"].concat(), 1024),
        Err(Error::Padding)
    );
    assert_eq!(
        check(3, b"\x28\xb5\x2f\xfd\x20\x03\x19\0\0abc", 1024),
        Err(Error::Padding)
    );
}

/// A malicious author may seal a damaged frame: it is refused, or decodes to the declared length, and never panics.
#[test]
fn no_damaged_frame_makes_the_decoder_panic() {
    let mut rng = TestRng::new("damaged frames");
    let (key, salt) = (DataKey::generate(&mut rng), rng.array());
    let forge = Forge::new(key.expose(), &salt, &binding(), 256);
    let words = rng.bytes(4000);
    let content: Vec<u8> = words.iter().flat_map(|word| json(usize::from(*word % 60))).collect();
    let frame = ruzstd::encoding::compress_to_vec(&content[..], ruzstd::encoding::CompressionLevel::Fastest);
    for _ in 0..3000 {
        let mut damaged = frame.clone();
        for _ in 0..=rng.array::<1>()[0] % 4 {
            // The first hundred bytes hold the headers and tables.
            let most = if rng.array::<1>()[0] < 128 {
                damaged.len().min(100)
            } else {
                damaged.len()
            };
            damaged[u16::from_be_bytes(rng.array()) as usize % most] = rng.array::<1>()[0];
        }
        let length = padme((damaged.len() as u64 + 1).max(1024)) as usize;
        let payload = forge.payload(&first(1, content.len() as u64, METADATA), &padded(&damaged, length));
        if let Ok((_, found)) = open(&key, &payload) {
            assert_eq!(found.len(), content.len());
        }
    }
}

#[test]
fn refuses_to_seal_what_could_not_be_opened() {
    let mut rng = TestRng::new("limits");
    let long = Metadata {
        title: Some("x".repeat(70_000)),
        ..metadata()
    };
    assert!(matches!(
        seal_payload(&mut rng, &binding(), &long, b""),
        Err(Error::TooLarge { what: "metadata", .. })
    ));
    for wrong in [
        Binding {
            compartment: 64,
            ..binding()
        },
        Binding {
            version: 0,
            ..binding()
        },
        Binding {
            previous: [0; 32],
            ..binding()
        },
    ] {
        assert!(seal_payload(&mut rng, &wrong, &metadata(), b"").is_err());
    }
}
