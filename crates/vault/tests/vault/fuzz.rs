//! Every decoder, given the good vectors and their like altered at random. None may panic or allocate much; what decodes must encode to
//! the same bytes; and nothing authentic opens once it was altered, which includes parts of two good ones put together.
use std::{collections::BTreeMap, io};

use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Payload},
};
use alloy_primitives::Address;
use hkdf::Hkdf;
use medlock_mutate::{Fuzz, Shape, Tally, unmeasured};
use medlock_vault::{
    AccountKey, AnchoredSet, Binding, CompartmentKeys, CompartmentPrivateKey, DataKey, Directory, DocumentScope,
    Domain, EmergencyKit, EncryptionKey, Envelope, KeyFile, Keyring, KeyringScope, Link, Membership, MembershipScope,
    Mnemonic, PublicKey, RangeOpener, Recipient, RootSecret, SealedDocument, SealedShare, SetScope, ShareSet, Suite,
    keyring::KEYRING_BYTES_MAX,
    open_metadata, open_payload, open_stream, payload,
    seal::{self, Sealed},
    seal_payload,
};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use serde_json::Value;
use sha2::Sha256;

use crate::{
    TestRng, binding,
    directory::{directory_of, sign},
    emergency,
    forge::{Forge, METADATA, first, padded},
    json, metadata, raw_cid,
    vectors::reading::{array, number, unhex},
};

/// Inputs are at most 64 KiB, whatever they say of their lengths. Serde sets aside up to 1 MiB for a list before it reads its first item,
/// and no format has more than two lists open at a time.
const ALLOCATED_BYTES_MAX: u64 = 5 * 512 * 1024;

macro_rules! vectors {
    ($name:literal) => {
        serde_json::from_str::<Value>(include_str!(concat!("../../vectors/", $name, ".json"))).unwrap()
    };
}

fn fuzz(name: &str, seeds: &[Vec<u8>], shape: Shape<'_>, weight: u64, check: impl Fn(&[u8]) -> bool) -> Tally {
    let fuzz = Fuzz {
        name,
        seeds,
        shape,
        allocated_bytes_max: ALLOCATED_BYTES_MAX,
        weight,
    };
    for seed in seeds {
        assert!(check(seed), "{name}: a seed is refused");
    }
    let tally = fuzz.run(check);
    println!("{name}: {} of {} altered inputs decoded", tally.taken, tally.cases);
    tally
}

/// [`fuzz`], where some of what was altered must have come through to what lies behind the decoder: else the fuzzing is shallow.
fn deep_fuzz(name: &str, seeds: &[Vec<u8>], shape: Shape<'_>, weight: u64, check: impl Fn(&[u8]) -> bool) {
    let tally = fuzz(name, seeds, shape, weight, check);
    assert!(
        tally.cases == 1 || tally.taken > 0,
        "{name}: nothing altered was decoded"
    );
}

#[test]
fn envelopes() {
    let case = &vectors!("envelope")["opened"][0];
    let binding = crate::vectors::reading::binding(&case["binding"]);
    let keys = CompartmentKeys {
        compartment: binding.compartment,
        epoch: number(&case["epoch"]),
        private: CompartmentPrivateKey::from_slice(Suite::X25519, &unhex(&case["privateKey"])).unwrap(),
        history: None,
    };
    // Another of the same place, sealed to the same key.
    let mut rng = TestRng::new("fuzz/envelope");
    let payload = seal_payload(&mut rng, &binding, &metadata(), b"another").unwrap();
    let cid = raw_cid(&payload.bytes);
    let other = Envelope::seal(&mut rng, &binding, keys.epoch, &keys.public_key(), cid, &payload.seal).unwrap();
    let seeds = [unhex(&case["bytes"]), other.encode()];
    deep_fuzz("envelope", &seeds, Shape::Cbor, 1, |bytes| {
        let Ok(envelope) = Envelope::decode(bytes) else {
            return false;
        };
        assert_eq!(envelope.encode(), bytes);
        assert_eq!(
            envelope.open(&binding, &keys).is_ok(),
            seeds.iter().any(|seed| seed == bytes)
        );
        true
    });
}

struct Grantee {
    domain: Domain,
    scope: KeyringScope,
    key: EncryptionKey,
}

fn grantee(case: &Value) -> Grantee {
    let scope = KeyringScope {
        chart: array(&case["chart"]),
        grantee: array(&case["grantee"]),
        directory_version: 2,
        key_version: 1,
    };
    Grantee {
        domain: crate::vectors::reading::domain(case),
        scope,
        key: EncryptionKey::from_slice(Suite::X25519, &unhex(&case["privateKey"])).unwrap(),
    }
}

#[test]
fn keyrings() {
    let case = &vectors!("keyring")["opened"][0];
    let Grantee { domain, scope, key } = grantee(case);
    let root = RootSecret::generate(&mut TestRng::new("fuzz/keyring"));
    let keys = [0, 3, 63].map(|number| CompartmentKeys::derive(&root, &scope.chart, number, 2, Suite::X25519).unwrap());
    let other = Keyring::seal(&mut TestRng::new("other"), &domain, &scope, &key.public_key(), &keys).unwrap();
    let seeds = [unhex(&case["bytes"]), other.encode()];
    deep_fuzz("keyring", &seeds, Shape::Cbor, 1, |bytes| {
        let Ok(keyring) = Keyring::decode(bytes) else {
            return false;
        };
        assert_eq!(keyring.encode(), bytes);
        let opened = keyring.open(&domain, &scope.chart, &scope.grantee, &key);
        assert_eq!(opened.is_ok(), seeds.iter().any(|seed| seed == bytes));
        true
    });
}

#[test]
fn memberships() {
    let case = &vectors!("membership")["opened"][0];
    let (domain, member) = (crate::vectors::reading::domain(case), array(&case["member"]));
    let organisation = array(&case["organisation"]);
    let scope = MembershipScope {
        organisation,
        member,
        organisation_key_version: 2,
        member_key_version: 1,
    };
    let key = EncryptionKey::from_slice(Suite::X25519, &unhex(&case["privateKey"])).unwrap();
    let other = EncryptionKey::generate(&mut TestRng::new("fuzz/membership"), Suite::X25519);
    let mut rng = TestRng::new("other");
    let other = Membership::seal(&mut rng, &domain, &scope, &key.public_key(), &[&other]).unwrap();
    let seeds = [unhex(&case["bytes"]), other.encode()];
    deep_fuzz("membership", &seeds, Shape::Cbor, 1, |bytes| {
        let Ok(membership) = Membership::decode(bytes) else {
            return false;
        };
        assert_eq!(membership.encode(), bytes);
        let opened = membership.open(&domain, &organisation, &member, &key);
        assert_eq!(opened.is_ok(), seeds.iter().any(|seed| seed == bytes));
        true
    });
}

#[test]
fn documents() {
    let case = &vectors!("document")["opened"][1];
    let domain = crate::vectors::reading::domain(case);
    let (account, subject) = (array(&case["account"]), array(&case["subject"]));
    let scope = DocumentScope {
        ledger: array(&case["ledger"]),
        subject,
        author: array(&case["author"]),
    };
    let key = EncryptionKey::from_slice(Suite::X25519, &unhex(&case["privateKey"])).unwrap();
    let recipient = Recipient {
        account,
        key_version: 2,
        key: key.public_key(),
    };
    let mut rng = TestRng::new("other document");
    let other = SealedDocument::seal(&mut rng, &domain, &scope, &metadata(), &json(3_000), &[recipient]).unwrap();
    let seeds = [unhex(&case["bytes"]), other.encode()];
    deep_fuzz("document", &seeds, Shape::Cbor, 1, |bytes| {
        let Ok(document) = SealedDocument::decode(bytes) else {
            return false;
        };
        assert_eq!(document.encode(), bytes);
        // What is sealed to the other party may be spoiled without harm to this one's.
        if document.open(&domain, &scope, &account, &key).is_ok() {
            let whole = |seed: &Vec<u8>| {
                let seed = SealedDocument::decode(seed).unwrap();
                seed.payload == document.payload && seed.key_of(&account) == document.key_of(&account)
            };
            assert!(seeds.iter().any(whole));
        }
        true
    });
}

/// What anybody can seal to a grantee: a keyring whose plaintext is anything.
#[test]
fn plaintext_of_keyrings() {
    let case = &vectors!("keyring")["opened"][0];
    let Grantee { domain, scope, key } = grantee(case);
    let info = [
        &b"medlock/v1/keyring\x00\x01"[..],
        &domain.to_bytes(),
        &scope.chart,
        &scope.grantee,
        &[0, 0, 0, 2, 0, 0, 0, 1],
    ]
    .concat();
    let entry = |compartment: u8, history: u8| {
        let key = [0x11 * history; 32];
        [&[compartment, 0, 0, 0, 2, 0, 1, history][..], &[0x22; 32], &key].concat()
    };
    let seeds = [
        vec![0],
        [&[1][..], &entry(0, 1)].concat(),
        [&[3][..], &entry(0, 1), &entry(7, 0), &entry(63, 1)].concat(),
    ];
    deep_fuzz("plaintext of a keyring", &seeds, Shape::Bytes, 8, |plaintext| {
        let sealed = seal::seal(&mut TestRng::new("seal"), &key.public_key(), &info, plaintext).unwrap();
        let keyring = Keyring {
            suite: Suite::X25519,
            scope,
            sealed,
        };
        let Ok(opened) = keyring.open(&domain, &scope.chart, &scope.grantee, &key) else {
            return false;
        };
        // One plaintext for one list of keys.
        let again = Keyring::seal(&mut TestRng::new("seal"), &domain, &scope, &key.public_key(), &opened).unwrap();
        let written = seal::open(Suite::X25519, key.expose(), &info, &again.sealed, "again").unwrap();
        assert!(*written == plaintext || keyring.encode().len() > KEYRING_BYTES_MAX);
        true
    });
}

#[test]
fn directories() {
    let case = &vectors!("directory")["opened"][0];
    let root = RootSecret::from_slice(&unhex(&case["root"])).unwrap();
    let account = AccountKey::from_slice(&unhex(&case["controllerKey"])).unwrap();
    let domain = crate::vectors::reading::domain(case);
    let controller = Address::from(array::<20>(&case["controller"]));
    let labels = BTreeMap::from([(1, "Imaging".to_owned())]);
    let suites = [
        (1, vec![Suite::X25519, Suite::X25519, Suite::XWing, Suite::XWing]),
        (2, vec![Suite::XWing]),
        (63, vec![Suite::X25519; 2]),
    ];
    let body = directory_of(&root, &binding().chart, 4, &suites, &labels);
    let seeds = [unhex(&case["bytes"]), sign(body, &domain, &account).encode()];
    deep_fuzz("directory", &seeds, Shape::Cbor, 2, |bytes| {
        let Ok(directory) = Directory::decode(bytes) else {
            return false;
        };
        assert_eq!(directory.encode(), bytes);
        let verified = directory.verify(&domain, controller);
        assert_eq!(verified.is_ok(), seeds.iter().any(|seed| seed == bytes));
        // Neither may panic, whoever signed.
        let _ = directory.body.open_labels(&root);
        for entry in &directory.body.compartments {
            let keys = CompartmentKeys::derive(
                &root,
                &directory.body.chart,
                entry.compartment,
                entry.epoch,
                entry.key.suite(),
            )
            .unwrap();
            let _ = directory.body.keys_at_epoch(&keys, entry.epoch.saturating_sub(1));
        }
        true
    });
}

/// Labels are sealed under the controller's own key; a faulty program of the controller's may have written anything.
#[test]
fn plaintext_of_labels() {
    let case = &vectors!("directory")["opened"][0];
    let root = RootSecret::from_slice(&unhex(&case["root"])).unwrap();
    let chart = binding().chart;
    let place = [&b"medlock/v1/directory/labels"[..], &chart, &[0, 0, 0, 2]].concat();
    let mut key = [0; 32];
    Hkdf::<Sha256>::new(None, root.expose())
        .expand(&place, &mut key)
        .unwrap();
    let cipher = Aes256Gcm::new(&key.into());
    let directory = unhex(&case["bytes"]);
    let at = |what: &[u8]| directory.windows(what.len()).position(|window| window == what).unwrap() + what.len();
    let (nonce_at, sealed_at) = (at(b"\x65nonce\x4c"), at(b"\x66sealed\x59\x01\x10"));
    let nonce: [u8; 12] = directory[nonce_at..nonce_at + 12].try_into().unwrap();
    let seeds = [
        b"\x82\x82\x00\x69Allergies\x82\x03\x6aLaboratory\x80".to_vec(),
        b"\x81\x82\x18\x3f\x61x\x80".to_vec(),
        b"\x80\x80".to_vec(),
    ];
    deep_fuzz("plaintext of labels", &seeds, Shape::Cbor, 4, |plaintext| {
        let mut plaintext = plaintext.to_vec();
        plaintext.resize(256, 0);
        let payload = Payload {
            msg: &plaintext,
            aad: &place,
        };
        let sealed = cipher.encrypt(&nonce.into(), payload).unwrap();
        let mut bytes = directory.clone();
        bytes[sealed_at..sealed_at + sealed.len()].copy_from_slice(&sealed);
        Directory::decode(&bytes).unwrap().body.open_labels(&root).is_ok()
    });
}

struct Sets {
    scopes: Vec<(SetScope, [u8; 32])>,
    bytes: Vec<Vec<u8>>,
}

fn sets(file: &Value) -> Sets {
    let opened = &file["opened"].as_array().unwrap()[..3];
    let scope = |case: &Value| SetScope {
        domain: crate::vectors::reading::domain(case),
        owner: array(&case["owner"]),
        version: number(&case["version"]),
    };
    Sets {
        scopes: opened
            .iter()
            .map(|case| (scope(case), array(&case["digest"])))
            .collect(),
        bytes: opened.iter().map(|case| unhex(&case["bytes"])).collect(),
    }
}

#[test]
fn share_sets() {
    let Sets { scopes, bytes: seeds } = sets(&vectors!("shares"));
    deep_fuzz("share set", &seeds, Shape::Cbor, 1, |bytes| {
        let Ok(set) = ShareSet::decode(bytes) else {
            return false;
        };
        assert_eq!(set.encode(), bytes);
        for ((scope, digest), seed) in scopes.iter().zip(&seeds) {
            assert_eq!(set.clone().verify(scope, digest).is_ok(), seed == bytes);
        }
        true
    });
}

#[test]
fn sealed_shares() {
    let file = vectors!("shares");
    let Sets { scopes, bytes } = sets(&file);
    let set: AnchoredSet = ShareSet::decode(&bytes[1])
        .unwrap()
        .verify(&scopes[1].0, &scopes[1].1)
        .unwrap();
    let shares = file["opened"][1]["shares"].as_array().unwrap();
    let seeds: Vec<Vec<u8>> = shares.iter().map(|share| unhex(&share["sealed"])).collect();
    deep_fuzz("sealed share", &seeds, Shape::Cbor, 2, |bytes| {
        let Ok(sealed) = SealedShare::decode(bytes) else {
            return false;
        };
        assert_eq!(sealed.encode(), bytes);
        for (share, seed) in shares.iter().zip(&seeds) {
            let recipient = array(&share["recipient"]);
            let key = EncryptionKey::from_slice(Suite::X25519, &unhex(&share["privateKey"])).unwrap();
            assert_eq!(sealed.open(&set, &recipient, &key).is_ok(), seed == bytes);
        }
        true
    });
}

#[test]
fn emergency_kits() {
    let (account, controller) = emergency::account("controller");
    let kits = [(5, Suite::X25519), (6, Suite::X25519), (5, Suite::XWing)];
    let kits =
        kits.map(|(version, suite)| emergency::sign(emergency::body(&emergency::CHART, version, suite), &account));
    let seeds: Vec<Vec<u8>> = kits.iter().map(EmergencyKit::encode).collect();
    deep_fuzz("emergency kit", &seeds, Shape::Cbor, 4, |bytes| {
        let Ok(kit) = EmergencyKit::decode(bytes) else {
            return false;
        };
        assert_eq!(kit.encode(), bytes);
        let scope = medlock_vault::KitScope {
            directory_version: kit.body.directory_version,
            ..emergency::SCOPE
        };
        assert_eq!(
            kit.verify(&scope, controller).is_ok(),
            seeds.iter().any(|seed| seed == bytes)
        );
        true
    });
}

#[test]
fn key_files() {
    let file = vectors!("keyfile");
    let seeds = [
        file["file"].to_string().into_bytes(),
        serde_json::to_vec_pretty(&file["file"]).unwrap(),
    ];
    let good = KeyFile::from_json(&file["file"].to_string()).unwrap();
    let words = [
        "2",
        "-1",
        "1e400",
        "18446744073709551616",
        "null",
        "true",
        "\"v\":1,",
        "{",
        "}",
        "[",
        "\\u0000",
        "\\ud800",
        "0x",
        "AB",
        " ",
        "argon2id",
        "7168",
        "7167",
        "1048577",
        "\u{feff}",
    ];
    let opened = std::cell::Cell::new(0);
    deep_fuzz("key file", &seeds, Shape::Text(&words), 1, |bytes| {
        let Ok(file) = std::str::from_utf8(bytes)
            .map_err(drop)
            .and_then(|text| KeyFile::from_json(text).map_err(drop))
        else {
            return false;
        };
        assert_eq!(KeyFile::from_json(&file.to_json()), Ok(file.clone()));
        // Each takes 7 MiB and some milliseconds of Argon2id: a few are enough.
        if file != good && file.params() == good.params() && opened.get() < 50 {
            opened.set(opened.get() + 1);
            unmeasured(|| assert!(file.open(b"correct horse").is_err()));
        }
        true
    });
    assert!(opened.get() > 0);
}

struct Payloads {
    binding: Binding,
    keys: Vec<DataKey>,
    bytes: Vec<Vec<u8>>,
}

/// Those of the vectors that are one chunk long.
fn payloads() -> Payloads {
    let file = vectors!("payload");
    let opened = &file["opened"].as_array().unwrap()[..3];
    let key = |case: &Value| DataKey::from_slice(&unhex(&case["dataKey"])).unwrap();
    Payloads {
        binding: crate::vectors::reading::binding(&opened[0]["binding"]),
        keys: opened.iter().map(key).collect(),
        bytes: opened.iter().map(|case| unhex(&case["bytes"])).collect(),
    }
}

#[test]
fn payload_bytes() {
    let Payloads {
        binding,
        keys,
        bytes: seeds,
    } = payloads();
    deep_fuzz("payload", &seeds, Shape::Bytes, 2, |bytes| {
        let Ok(commitment) = payload::commitment(bytes) else {
            for key in &keys {
                assert!(open_payload(key, &binding, bytes).is_err());
                assert!(open_metadata(key, &binding, bytes).is_err());
            }
            return false;
        };
        assert_eq!(commitment, bytes[48..80]);
        let length = bytes.len() as u64;
        for (key, seed) in keys.iter().zip(&seeds) {
            let start = RangeOpener::start_bytes(seed).unwrap();
            assert_eq!(open_payload(key, &binding, bytes).is_ok(), bytes == seed);
            let mut streamed = Vec::new();
            let stream = open_stream(key, &binding, length, bytes, &mut streamed);
            assert_eq!(stream.is_ok(), bytes == seed);
            assert!(open_stream(key, &binding, length + 1, bytes, io::sink()).is_err());
            // The beginning of a good one tells as much as there is in it.
            let begins = bytes.get(..start) == Some(&seed[..start]);
            assert_eq!(open_metadata(key, &binding, bytes).is_ok(), begins);
            let opener = RangeOpener::new(key, &binding, length, bytes);
            assert!(begins || opener.is_err());
        }
        true
    });
}

#[test]
fn ranges_of_payloads() {
    let Payloads { binding, keys, bytes } = payloads();
    let (key, payload) = (&keys[1], &bytes[1]);
    let opener = RangeOpener::new(key, &binding, payload.len() as u64, payload).unwrap();
    let place = opener.sealed_range(&(0..300)).unwrap();
    let seeds = [payload[place.start as usize..place.end as usize].to_vec()];
    fuzz("sealed range", &seeds, Shape::Bytes, 2, |bytes| {
        let opened = opener.open_range(&(10..290), bytes);
        assert_eq!(opened.is_ok(), bytes == seeds[0]);
        opened.is_ok()
    });
}

/// What an author may have sealed: any metadata chunk.
#[test]
fn plaintext_of_metadata() {
    let binding = binding();
    let forge = Forge::new(&[1; 32], &[2; 32], &binding, 256);
    let key = DataKey::from_slice(&[1; 32]).unwrap();
    let region = padded(b"content", 1024);
    let other = b"\xa2\x65title\x64Scan\x69mediaType\x6aimage/jpeg";
    let mut seeds: Vec<Vec<u8>> = [METADATA, other].iter().map(|cbor| cbor.to_vec()).collect();
    let named = [&b"\xa2\x64date\x62no\x69mediaType"[..], b"\x61a"].concat();
    seeds.push(named);
    let payload = |metadata: &[u8]| {
        let metadata = &metadata[..metadata.len().min(256 - 13)];
        forge.payload(&first(0, 7, metadata), &region)
    };
    deep_fuzz("metadata", &seeds, Shape::Cbor, 1, |bytes| {
        let payload = payload(bytes);
        let opened = open_metadata(&key, &binding, &payload);
        assert_eq!(
            opened,
            open_payload(&key, &binding, &payload).map(|(metadata, _)| metadata)
        );
        opened.is_ok()
    });
    // And what stands before it: encoding and lengths.
    let seeds = [first(0, 7, METADATA), first(1, 9_000, other)];
    deep_fuzz("metadata chunk", &seeds[..1], Shape::Bytes, 1, |bytes| {
        let mut chunk = bytes.to_vec();
        chunk.resize(256, 0);
        let payload = forge.payload(&chunk, &region);
        let opened = open_metadata(&key, &binding, &payload);
        let whole = open_payload(&key, &binding, &payload);
        assert!(opened.is_ok() || whole.is_err());
        opened.is_ok()
    });
}

/// What an author may have sealed: any bytes as the zstd frame.
#[test]
fn compressed_content() {
    const CONTENT_BYTES: u64 = 5_000;
    let binding = binding();
    let forge = Forge::new(&[1; 32], &[2; 32], &binding, 256);
    let key = DataKey::from_slice(&[1; 32]).unwrap();
    let frames: Vec<Vec<u8>> = [json(CONTENT_BYTES as usize), vec![b'a'; CONTENT_BYTES as usize]]
        .iter()
        .map(|content| compress_to_vec(&content[..], CompressionLevel::Fastest))
        .collect();
    let fuzz = Fuzz {
        name: "zstd frame",
        seeds: &frames,
        shape: Shape::Bytes,
        // The decoder's tables, and the window that RFC 8878 has it keep.
        allocated_bytes_max: payload::ZSTD_WINDOW_BYTES_MAX + ALLOCATED_BYTES_MAX,
        weight: 10,
    };
    let tally = fuzz.run(|frame| {
        let frame = &frame[..frame.len().min(4_000)];
        let region = padded(frame, payload::padme((frame.len() as u64 + 1).max(1024)) as usize);
        let payload = forge.payload(&first(1, CONTENT_BYTES, METADATA), &region);
        match open_payload(&key, &binding, &payload) {
            Ok((_, content)) => {
                assert_eq!(content.len() as u64, CONTENT_BYTES);
                true
            }
            Err(_) => false,
        }
    });
    println!(
        "{}: {} of {} altered inputs decoded",
        fuzz.name, tally.taken, tally.cases
    );
    assert!(tally.cases == 1 || tally.taken > 0);
}

#[test]
fn links() {
    let file = vectors!("compartment");
    let root = RootSecret::from_slice(&unhex(&file["root"])).unwrap();
    let chart = array(&file["chart"]);
    let keys = CompartmentKeys::derive(&root, &chart, 3, 2, Suite::X25519).unwrap();
    let older = CompartmentKeys::derive(&root, &chart, 3, 1, Suite::X25519).unwrap();
    let newer = CompartmentKeys::derive(&root, &chart, 3, 3, Suite::X25519).unwrap();
    let seeds = [unhex(&file["opened"][0]["bytes"])];
    assert_eq!(keys.seal_link(&chart, &older).unwrap().0, seeds[0][..]);
    let spliced = [seeds[0].clone(), newer.seal_link(&chart, &keys).unwrap().0.to_vec()];
    let fuzz = Fuzz {
        name: "link",
        seeds: &spliced,
        shape: Shape::Bytes,
        allocated_bytes_max: ALLOCATED_BYTES_MAX,
        weight: 1,
    };
    fuzz.run(|bytes| {
        let mut link = [0; 82];
        let length = bytes.len().min(82);
        link[..length].copy_from_slice(&bytes[..length]);
        let opened = keys.open_link(&chart, &Link(link));
        assert_eq!(opened.is_ok(), link[..] == seeds[0]);
        opened.is_ok()
    });
}

#[test]
fn words() {
    let file = vectors!("mnemonic");
    let texts = file["opened"].as_array().unwrap().iter();
    let seeds: Vec<Vec<u8>> = texts
        .map(|case| case["text"].as_str().unwrap().as_bytes().to_vec())
        .collect();
    let words = [
        "abandon", "ABANDON", "zoo", "art", " ", "\t", "\u{a0}", "\u{2003}", "é", "e\u{301}", "hamste", "\0",
    ];
    deep_fuzz("words", &seeds, Shape::Text(&words), 1, |bytes| {
        let text = String::from_utf8_lossy(bytes);
        let Ok(root) = Mnemonic::read(&text) else {
            return false;
        };
        let words: Vec<String> = text.split_whitespace().map(str::to_ascii_lowercase).collect();
        assert_eq!(Mnemonic::of(&root).expose(), words.join(" "));
        true
    });
}

#[test]
fn public_keys_and_seals() {
    for (suite, encapsulated_bytes) in [(Suite::X25519, 32), (Suite::XWing, 1120)] {
        let name = |what: &str| format!("{what}, {}", suite.name());
        let key = EncryptionKey::generate(&mut TestRng::new("fuzz/seal"), suite);
        let sealed = seal::seal(&mut TestRng::new("sealed"), &key.public_key(), b"info", b"message").unwrap();
        let seeds = [
            [&sealed.encapsulated[..], &sealed.ciphertext].concat(),
            key.public_key().as_bytes().to_vec(),
        ];
        deep_fuzz(
            &name("public key"),
            &seeds[1..],
            Shape::Bytes,
            4,
            |bytes| match PublicKey::new(suite, bytes) {
                Ok(key) => {
                    assert_eq!(key.as_bytes(), bytes);
                    true
                }
                Err(_) => false,
            },
        );
        fuzz(&name("seal"), &seeds[..1], Shape::Bytes, 4, |bytes| {
            let (encapsulated, ciphertext) = bytes.split_at(bytes.len().min(encapsulated_bytes));
            let altered = Sealed {
                encapsulated: encapsulated.to_vec(),
                ciphertext: ciphertext.to_vec(),
            };
            let opened = seal::open(suite, key.expose(), b"info", &altered, "seal");
            assert_eq!(opened.is_ok(), altered == sealed);
            opened.is_ok()
        });
    }
}
