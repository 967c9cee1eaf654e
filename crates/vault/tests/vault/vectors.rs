//! `vectors/*.json`: fixed examples for every implementation. Each test writes the vectors anew from a deterministic
//! RNG and compares them with the files (`MEDLOCK_VECTORS=write` writes the files instead), then reads the files as a
//! second implementation would.
mod kits;
pub mod reading;
mod recovery;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use medlock_vault::{
    AccountKey, Binding, CompartmentKeys, DirectoryBody, DocumentScope, EncryptionKey, Envelope, Error, KeyFile,
    Keyring, KeyringScope, Membership, MembershipScope, Metadata, Recipient, RootSecret, SealedDocument, Secrets,
    Suite, seal_payload,
};
use reading::{edited, hex, unhex};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{DOMAIN, TestRng, binding, directory::sign, keyfile::QUICK, metadata, other_bindings, raw_cid, stored};

/// Compares with the committed file, or writes it; returns what a reader sees.
fn committed(name: &str, fresh: Value) -> Value {
    if std::env::var("MEDLOCK_VECTORS").is_ok_and(|value| value == "write") {
        let text = serde_json::to_string_pretty(&fresh).unwrap() + "\n";
        std::fs::write(path(name), text).unwrap();
    }
    let file = file(name);
    assert!(
        file == fresh,
        "{name}: the format has changed; that needs a new version, not new vectors"
    );
    file
}

/// The committed file.
fn file(name: &str) -> Value {
    let text = std::fs::read_to_string(path(name)).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors").join(name)
}

pub fn write_binding(binding: &Binding) -> Value {
    json!({
        "chainId": binding.chain_id, "records": hex(binding.records), "chart": hex(binding.chart),
        "recordId": hex(binding.record_id), "version": binding.version, "previous": hex(binding.previous),
        "compartment": binding.compartment,
    })
}

fn refused(name: &str, from: usize, edit: Value, with: Value, error: &str) -> Value {
    json!({"name": name, "from": from, "edit": edit, "with": with, "error": error})
}

#[test]
fn payload_vectors_hold() {
    let mut rng = TestRng::new("medlock/vectors/payload");
    let small = TestRng::new("small").bytes(300);
    let large = TestRng::new("large").bytes(133_000);
    let text = crate::json(5_000);
    let mut opened = Vec::new();
    for (name, metadata, content) in [
        (
            "empty",
            Metadata {
                media_type: "text/plain".into(),
                ..Metadata::default()
            },
            &[][..],
        ),
        ("stored in one chunk", stored(), &small),
        ("compressed", metadata(), &text),
        ("stored in three chunks", stored(), &large),
    ] {
        let sealed = seal_payload(&mut rng, &binding(), &metadata, content).unwrap();
        // What the other implementation's compressor makes may differ: it must open this, and reproduce stored ones.
        opened.push(json!({
            "name": name, "binding": write_binding(&binding()), "dataKey": hex(sealed.seal.data_key.expose()),
            "bytes": hex(&sealed.bytes), "metadata": metadata, "contentSha256": hex(Sha256::digest(content)),
        }));
    }
    let none = || json!({"op": "none"});
    let chunk = 65_536 + 16;
    let mut bad = vec![
        refused(
            "another data key",
            1,
            none(),
            json!({"dataKey": hex([7; 32])}),
            "Commitment",
        ),
        refused(
            "an altered commitment",
            1,
            json!({"op": "xor", "at": 48, "with": 1}),
            json!({}),
            "Commitment",
        ),
        refused(
            "an altered salt",
            1,
            json!({"op": "xor", "at": 16, "with": 128}),
            json!({}),
            "Commitment",
        ),
        refused(
            "another magic",
            1,
            json!({"op": "xor", "at": 0, "with": 32}),
            json!({}),
            "NotThis",
        ),
        refused(
            "a newer version",
            1,
            json!({"op": "xor", "at": 8, "with": 3}),
            json!({}),
            "UnknownVersion",
        ),
        refused(
            "a flag",
            1,
            json!({"op": "xor", "at": 9, "with": 1}),
            json!({}),
            "Malformed",
        ),
        refused(
            "another suite",
            1,
            json!({"op": "xor", "at": 11, "with": 2}),
            json!({}),
            "UnknownSuite",
        ),
        refused(
            "another metadata length",
            3,
            json!({"op": "xor", "at": 14, "with": 3}),
            json!({}),
            "Chunk",
        ),
        refused(
            "an altered metadata chunk",
            1,
            json!({"op": "xor", "at": 90, "with": 1}),
            json!({}),
            "Chunk",
        ),
        refused(
            "an altered content chunk",
            1,
            json!({"op": "xor", "at": 400, "with": 1}),
            json!({}),
            "Chunk",
        ),
        refused(
            "cut in the header",
            1,
            json!({"op": "truncate", "bytes": 79}),
            json!({}),
            "Truncated",
        ),
        refused(
            "cut after the metadata",
            3,
            json!({"op": "truncate", "bytes": 352}),
            json!({}),
            "Truncated",
        ),
        refused(
            "cut at a chunk boundary",
            3,
            json!({"op": "truncate", "bytes": 352 + 2 * chunk}),
            json!({}),
            "ContentLength",
        ),
        refused(
            "a byte more",
            1,
            json!({"op": "append", "hex": "00"}),
            json!({}),
            "ContentLength",
        ),
        refused(
            "a byte more, compressed",
            2,
            json!({"op": "append", "hex": "00"}),
            json!({}),
            "Chunk",
        ),
        refused(
            "chunks swapped",
            3,
            json!({"op": "swap", "one": 352, "two": 352 + chunk, "bytes": chunk}),
            json!({}),
            "Chunk",
        ),
    ];
    for (field, elsewhere) in other_bindings() {
        let with = json!({"binding": write_binding(&elsewhere)});
        bad.push(refused(&format!("another {field}"), 1, none(), with, "Chunk"));
    }
    let file = committed("payload.json", json!({"opened": opened, "refused": bad}));
    reading::payload(&file);
}

#[test]
fn compartment_vectors_hold() {
    let root = RootSecret::generate(&mut TestRng::new("medlock/vectors/root"));
    let chart = binding().chart;
    let derive = |compartment, epoch, suite| CompartmentKeys::derive(&root, &chart, compartment, epoch, suite).unwrap();
    let mut keys = Vec::new();
    for (compartment, epoch, suite) in [
        (0, 1, Suite::X25519),
        (3, 1, Suite::X25519),
        (3, 2, Suite::X25519),
        (63, u32::MAX, Suite::X25519),
        (3, 3, Suite::XWing),
    ] {
        let derived = derive(compartment, epoch, suite);
        keys.push(json!({
            "compartment": compartment, "epoch": epoch, "suite": suite.id(), "privateKey": hex(derived.private.expose()),
            "publicKey": hex(derived.public_key().as_bytes()), "historyKey": hex(derived.history.unwrap().expose()),
        }));
    }
    let link = derive(3, 2, Suite::X25519)
        .seal_link(&chart, &derive(3, 1, Suite::X25519))
        .unwrap();
    let from_hybrid = derive(3, 4, Suite::X25519)
        .seal_link(&chart, &derive(3, 3, Suite::XWing))
        .unwrap();
    let file = committed(
        "compartment.json",
        json!({
            "root": hex(root.expose()), "chart": hex(chart), "keys": keys,
            "opened": [
                {"compartment": 3, "epoch": 2, "suite": 1, "bytes": hex(link.0)},
                {"compartment": 3, "epoch": 4, "suite": 2, "bytes": hex(from_hybrid.0)},
            ],
            "refused": [
                refused("altered", 0, json!({"op": "xor", "at": 81, "with": 1}), json!({}), "Unopened"),
                refused("another epoch", 0, json!({"op": "none"}), json!({"epoch": 3}), "Unopened"),
                refused("another compartment", 0, json!({"op": "none"}), json!({"compartment": 4}), "Unopened"),
            ],
        }),
    );
    reading::compartment(&file);
}

#[test]
fn envelope_vectors_hold() {
    let mut rng = TestRng::new("medlock/vectors/envelope");
    let root = RootSecret::generate(&mut rng);
    let keys = CompartmentKeys::derive(&root, &binding().chart, binding().compartment, 4, Suite::X25519).unwrap();
    let payload = seal_payload(&mut rng, &binding(), &stored(), b"content").unwrap();
    let cid = raw_cid(&payload.bytes);
    let envelope = Envelope::seal(&mut rng, &binding(), 4, &keys.public_key(), cid, &payload.seal).unwrap();
    let block = envelope.encode();
    let place = binding();
    let post_quantum = CompartmentKeys::derive(&root, &place.chart, place.compartment, 4, Suite::XWing).unwrap();
    let hybrid = Envelope::seal(&mut rng, &place, 4, &post_quantum.public_key(), cid, &payload.seal).unwrap();
    let none = || json!({"op": "none"});
    let replace = |from: &[u8], to: &[u8]| json!({"op": "replace", "from": hex(from), "to": hex(to)});
    let mut bad = vec![
        refused(
            "another private key",
            0,
            none(),
            json!({"privateKey": hex([7; 32])}),
            "Unopened",
        ),
        refused("another epoch's key", 0, none(), json!({"epoch": 3}), "WrongEpoch"),
        refused(
            "another epoch written in",
            0,
            replace(b"\x65epoch\x04", b"\x65epoch\x05"),
            json!({"epoch": 5}),
            "Unopened",
        ),
        refused(
            "an altered ciphertext",
            0,
            replace(&envelope.sealed.ciphertext, &[7; 48]),
            json!({}),
            "Unopened",
        ),
        refused(
            "an altered encapsulated key",
            0,
            replace(&envelope.sealed.encapsulated, &[7; 32]),
            json!({}),
            "Unopened",
        ),
        refused(
            "a zero encapsulated key",
            0,
            replace(&envelope.sealed.encapsulated, &[0; 32]),
            json!({}),
            "BadEncapsulatedKey",
        ),
        refused(
            "another commitment",
            0,
            replace(&envelope.commitment, &[7; 32]),
            json!({}),
            "PayloadMismatch",
        ),
        refused(
            "another payload",
            0,
            replace(&cid.to_bytes()[4..], &[7; 32]),
            json!({}),
            "Unopened",
        ),
        refused(
            "a newer version",
            0,
            replace(b"\x61v\x01", b"\x61v\x02"),
            json!({}),
            "UnknownVersion",
        ),
        refused(
            "another suite",
            0,
            replace(b"\x65suite\x01", b"\x65suite\x02"),
            json!({}),
            "WrongSuite",
        ),
        refused(
            "an unknown suite",
            0,
            replace(b"\x65suite\x01", b"\x65suite\x03"),
            json!({}),
            "UnknownSuite",
        ),
        refused(
            "X-Wing called X25519",
            1,
            replace(b"\x65suite\x02", b"\x65suite\x01"),
            json!({}),
            "WrongSuite",
        ),
        refused(
            "X-Wing called X25519, with such a key",
            1,
            replace(b"\x65suite\x02", b"\x65suite\x01"),
            json!({"suite": 1}),
            "BadEncapsulatedKey",
        ),
        refused(
            "another X-Wing private key",
            1,
            none(),
            json!({"privateKey": hex([7; 32])}),
            "Unopened",
        ),
        refused(
            "an altered ML-KEM ciphertext",
            1,
            replace(&hybrid.sealed.encapsulated[..32], &[7; 32]),
            json!({}),
            "Unopened",
        ),
        refused(
            "an altered X25519 share",
            1,
            replace(&hybrid.sealed.encapsulated[1088..], &[7; 32]),
            json!({}),
            "Unopened",
        ),
        refused(
            "a cut encapsulated key",
            1,
            replace(
                &[&[0x59, 0x04, 0x60][..], &hybrid.sealed.encapsulated].concat(),
                &[&[0x59, 0x04, 0x5f][..], &hybrid.sealed.encapsulated[..1119]].concat(),
            ),
            json!({}),
            "BadEncapsulatedKey",
        ),
        refused(
            "keys out of order",
            0,
            replace(b"\x65epoch\x04\x65suite\x01", b"\x65suite\x01\x65epoch\x04"),
            json!({}),
            "Malformed",
        ),
        refused(
            "an integer in two bytes",
            0,
            replace(b"\x65epoch\x04", b"\x65epoch\x18\x04"),
            json!({}),
            "Malformed",
        ),
        refused(
            "a byte more",
            0,
            json!({"op": "append", "hex": "00"}),
            json!({}),
            "Malformed",
        ),
        refused(
            "cut",
            0,
            json!({"op": "truncate", "bytes": block.len() - 1}),
            json!({}),
            "Malformed",
        ),
    ];
    for (field, elsewhere) in other_bindings() {
        let error = if matches!(field, "chain" | "contract") {
            "Unopened"
        } else {
            "Binding"
        };
        let with = json!({"binding": write_binding(&elsewhere)});
        bad.push(refused(&format!("another {field}"), 0, none(), with, error));
    }
    let case = |keys: &CompartmentKeys, block: &[u8]| {
        json!({
            "binding": write_binding(&binding()), "epoch": 4, "suite": keys.suite().id(),
            "privateKey": hex(keys.private.expose()), "bytes": hex(block), "dataKey": hex(payload.seal.data_key.expose()),
            "payload": cid.to_string(), "payloadHex": hex(&payload.bytes),
        })
    };
    let opened = json!([case(&keys, &block), case(&post_quantum, &hybrid.encode())]);
    let file = committed("envelope.json", json!({"opened": opened, "refused": bad}));
    reading::envelope(&file);
}

#[test]
fn directory_vectors_hold() {
    let mut rng = TestRng::new("medlock/vectors/directory");
    let root = RootSecret::generate(&mut rng);
    let account = AccountKey::generate(&mut rng);
    let labels = BTreeMap::from([(0, "Allergies".to_owned()), (3, "Laboratory".to_owned())]);
    let chart = binding().chart;
    let first = BTreeMap::from([(0, Suite::X25519), (3, Suite::X25519)]);
    let first = DirectoryBody::first(
        &mut TestRng::new("medlock/vectors/first"),
        &root,
        &chart,
        &first,
        &labels,
    )
    .unwrap();
    let rotated = BTreeMap::from([(3, Suite::X25519)]);
    let body = first.next(&mut rng, &root, 2, &rotated).unwrap();
    let (digest, hash) = (body.digest(), body.signing_hash(&DOMAIN));
    let directory = sign(body, &DOMAIN, &account);
    let none = || json!({"op": "none"});
    let replace = |from: &[u8], to: &[u8]| json!({"op": "replace", "from": hex(from), "to": hex(to)});
    let key = &directory.body.compartments[0].key;
    let opened = json!([{
        "root": hex(root.expose()), "chainId": DOMAIN.chain_id, "records": hex(DOMAIN.records),
        "controllerKey": hex(account.expose()), "controller": hex(account.address().unwrap()),
        "bytes": hex(directory.encode()), "bodyDigest": hex(digest), "signingHash": hex(hash),
        "labels": [[0, "Allergies"], [3, "Laboratory"]],
    }]);
    let file = committed(
        "directory.json",
        json!({
            "opened": opened,
            "refused": [
                refused("another controller", 0, none(), json!({"controller": hex([7; 20])}), "NotController"),
                refused("another chain", 0, none(), json!({"chainId": 1}), "NotController"),
                refused("another contract", 0, none(), json!({"records": hex([7; 20])}), "NotController"),
                refused("another root", 0, none(), json!({"root": hex([7; 32])}), "Unopened"),
                refused("a key of low order", 0, replace(key.as_bytes(), &[0; 32]), json!({}), "BadPublicKey"),
                refused("a cut signature", 0, replace(&[&[0x58, 0x41][..], &directory.signature].concat(), &[&[0x58, 0x40][..], &directory.signature[..64]].concat()), json!({}), "SignatureForm"),
                refused("a byte more", 0, json!({"op": "append", "hex": "00"}), json!({}), "Malformed"),
            ],
        }),
    );
    reading::directory(&file);
}

#[test]
fn keyring_vectors_hold() {
    let mut rng = TestRng::new("medlock/vectors/keyring");
    let root = RootSecret::generate(&mut rng);
    let grantee = EncryptionKey::generate(&mut rng, Suite::X25519);
    let chart = binding().chart;
    let derive =
        |compartment, epoch| CompartmentKeys::derive(&root, &chart, compartment, epoch, Suite::X25519).unwrap();
    let keys = [derive(0, 1), derive(3, 2).without_history()];
    let scope = KeyringScope {
        chart,
        grantee: [0xc1; 20],
        directory_version: 2,
        key_version: 1,
    };
    let keyring = Keyring::seal(&mut rng, &DOMAIN, &scope, &grantee.public_key(), &keys).unwrap();
    let post_quantum = EncryptionKey::generate(&mut rng, Suite::XWing);
    let mixed = [
        derive(0, 1),
        CompartmentKeys::derive(&root, &chart, 3, 2, Suite::XWing).unwrap(),
    ];
    let hybrid = Keyring::seal(&mut rng, &DOMAIN, &scope, &post_quantum.public_key(), &mixed).unwrap();
    let none = || json!({"op": "none"});
    let replace = |from: &[u8], to: &[u8]| json!({"op": "replace", "from": hex(from), "to": hex(to)});
    let case = |grantee: &EncryptionKey, keyring: &Keyring, keys: &[CompartmentKeys]| {
        let keys = keys.iter().map(|keys| {
            json!({
                "compartment": keys.compartment, "epoch": keys.epoch, "suite": keys.suite().id(),
                "privateKey": hex(keys.private.expose()), "historyKey": keys.history.as_ref().map(|key| hex(key.expose())),
            })
        });
        json!({
            "chainId": DOMAIN.chain_id, "records": hex(DOMAIN.records), "chart": hex(chart), "grantee": hex([0xc1; 20]),
            "suite": grantee.suite().id(), "privateKey": hex(grantee.expose()), "bytes": hex(keyring.encode()),
            "keys": keys.collect::<Vec<_>>(),
        })
    };
    let file = committed(
        "keyring.json",
        json!({
            "opened": [case(&grantee, &keyring, &keys), case(&post_quantum, &hybrid, &mixed)],
            "refused": [
                refused("another private key", 0, none(), json!({"privateKey": hex([7; 32])}), "Unopened"),
                refused("another chain", 0, none(), json!({"chainId": 1}), "Unopened"),
                refused("another contract", 0, none(), json!({"records": hex([7; 20])}), "Unopened"),
                refused("another chart", 0, none(), json!({"chart": hex([7; 32])}), "KeyringScope"),
                refused("another grantee", 0, none(), json!({"grantee": hex([7; 20])}), "KeyringScope"),
                refused("another directory", 0, replace(b"\x70directoryVersion\x02", b"\x70directoryVersion\x03"), json!({}), "Unopened"),
                refused("a newer version", 0, replace(b"\x61v\x01", b"\x61v\x02"), json!({}), "UnknownVersion"),
                refused("another suite", 0, replace(b"\x65suite\x01", b"\x65suite\x02"), json!({}), "WrongSuite"),
                refused("X-Wing called X25519", 1, replace(b"\x65suite\x02", b"\x65suite\x01"), json!({}), "WrongSuite"),
                refused("another X-Wing private key", 1, none(), json!({"privateKey": hex([7; 32])}), "Unopened"),
                refused("a byte more", 0, json!({"op": "append", "hex": "00"}), json!({}), "Malformed"),
            ],
        }),
    );
    reading::keyring(&file);
}

#[test]
fn membership_vectors_hold() {
    let mut rng = TestRng::new("medlock/vectors/membership");
    let mut key = |suite| EncryptionKey::generate(&mut rng, suite);
    let (newest, retired, hybrid) = (key(Suite::X25519), key(Suite::X25519), key(Suite::XWing));
    let (member, post_quantum) = (key(Suite::X25519), key(Suite::XWing));
    let scope = MembershipScope {
        organisation: [0xc1; 20],
        member: [0xd0; 20],
        organisation_key_version: 2,
        member_key_version: 1,
    };
    let mut seal = |recipient: &EncryptionKey, keys: &[&EncryptionKey]| {
        Membership::seal(&mut rng, &DOMAIN, &scope, &recipient.public_key(), keys).unwrap()
    };
    let case = |recipient: &EncryptionKey, membership: &Membership, keys: &[&EncryptionKey]| {
        let keys = keys
            .iter()
            .map(|key| json!({"suite": key.suite().id(), "privateKey": hex(key.expose())}));
        json!({
            "chainId": DOMAIN.chain_id, "records": hex(DOMAIN.records), "organisation": hex([0xc1; 20]), "member": hex([0xd0; 20]),
            "suite": recipient.suite().id(), "privateKey": hex(recipient.expose()), "bytes": hex(membership.encode()),
            "keys": keys.collect::<Vec<_>>(),
        })
    };
    let (both, mixed) = ([&newest, &retired], [&hybrid, &newest, &retired]);
    let (plain, mixture) = (seal(&member, &both), seal(&post_quantum, &mixed));
    let none = || json!({"op": "none"});
    let replace = |from: &[u8], to: &[u8]| json!({"op": "replace", "from": hex(from), "to": hex(to)});
    let file = committed(
        "membership.json",
        json!({
            "opened": [case(&member, &plain, &both), case(&post_quantum, &mixture, &mixed)],
            "refused": [
                refused("another private key", 0, none(), json!({"privateKey": hex([7; 32])}), "Unopened"),
                refused("another chain", 0, none(), json!({"chainId": 1}), "Unopened"),
                refused("another contract", 0, none(), json!({"records": hex([7; 20])}), "Unopened"),
                refused("another organisation", 0, none(), json!({"organisation": hex([7; 20])}), "MembershipScope"),
                refused("another member", 0, none(), json!({"member": hex([7; 20])}), "MembershipScope"),
                refused("another key of the organisation's", 0, replace(b"\x76organisationKeyVersion\x02", b"\x76organisationKeyVersion\x03"), json!({}), "Unopened"),
                refused("another key of the member's", 0, replace(b"\x70memberKeyVersion\x01", b"\x70memberKeyVersion\x02"), json!({}), "Unopened"),
                refused("a newer version", 0, replace(b"\x61v\x01", b"\x61v\x02"), json!({}), "UnknownVersion"),
                refused("another suite", 0, replace(b"\x65suite\x01", b"\x65suite\x02"), json!({}), "WrongSuite"),
                refused("X-Wing called X25519", 1, replace(b"\x65suite\x02", b"\x65suite\x01"), json!({}), "WrongSuite"),
                refused("another X-Wing private key", 1, none(), json!({"privateKey": hex([7; 32])}), "Unopened"),
                refused("a byte more", 0, json!({"op": "append", "hex": "00"}), json!({}), "Malformed"),
            ],
        }),
    );
    reading::membership(&file);
}

#[test]
fn document_vectors_hold() {
    let mut rng = TestRng::new("medlock/vectors/document");
    let mut key = |suite| EncryptionKey::generate(&mut rng, suite);
    let (provider, insurer) = (key(Suite::X25519), key(Suite::XWing));
    let (ours, theirs) = ([0xc1; 20], [0x1e; 20]);
    let scope = DocumentScope {
        ledger: [0x1d; 20],
        subject: [0x5b; 32],
        author: ours,
    };
    let recipient = |account, key_version, key: &EncryptionKey| Recipient {
        account,
        key_version,
        key: key.public_key(),
    };
    let recipients = [recipient(ours, 2, &provider), recipient(theirs, 1, &insurer)];
    let text = crate::json(3_000);
    let document = SealedDocument::seal(&mut rng, &DOMAIN, &scope, &metadata(), &text, &recipients).unwrap();
    let case = |account: [u8; 20], key: &EncryptionKey| {
        json!({
            "chainId": DOMAIN.chain_id, "records": hex(DOMAIN.records), "ledger": hex(scope.ledger), "subject": hex(scope.subject),
            "author": hex(scope.author), "account": hex(account), "suite": key.suite().id(), "privateKey": hex(key.expose()),
            "bytes": hex(document.encode()), "metadata": metadata(), "contentSha256": hex(Sha256::digest(&text)),
        })
    };
    let none = || json!({"op": "none"});
    let replace = |from: &[u8], to: &[u8]| json!({"op": "replace", "from": hex(from), "to": hex(to)});
    let file = committed(
        "document.json",
        json!({
            "opened": [case(theirs, &insurer), case(ours, &provider)],
            "refused": [
                refused("another private key", 1, none(), json!({"privateKey": hex([7; 32])}), "Unopened"),
                refused("another X-Wing private key", 0, none(), json!({"privateKey": hex([7; 32])}), "Unopened"),
                refused("another chain", 1, none(), json!({"chainId": 1}), "Unopened"),
                refused("another deployment", 1, none(), json!({"records": hex([7; 20])}), "Unopened"),
                refused("another ledger", 1, none(), json!({"ledger": hex([7; 20])}), "DocumentScope"),
                refused("another case", 1, none(), json!({"subject": hex([7; 32])}), "DocumentScope"),
                refused("another author", 1, none(), json!({"author": hex([7; 20])}), "DocumentScope"),
                refused("somebody else", 1, none(), json!({"account": hex([7; 20])}), "NotRecipient"),
                refused("moved to another case", 1, replace(&[0x5b; 32], &[7; 32]), json!({"subject": hex([7; 32])}), "Unopened"),
                refused("said to be by another author", 1, replace(&[&b"\x66author\x54"[..], &ours].concat(), &[&b"\x66author\x54"[..], &[7; 20]].concat()), json!({"author": hex([7; 20])}), "Unopened"),
                refused("another key of the account's", 1, replace(b"\x6akeyVersion\x02", b"\x6akeyVersion\x03"), json!({}), "Unopened"),
                refused("a payload of another key", 1, replace(b"MEDLOCKP\x01\x00\x00\x01\x00", b"MEDLOCKP\x01\x00\x00\x01\x01"), json!({}), "Malformed"),
                refused("a newer version", 1, replace(b"\x61v\x01", b"\x61v\x02"), json!({}), "UnknownVersion"),
                refused("a suite nobody knows", 1, replace(b"\x65suite\x01", b"\x65suite\x07"), json!({}), "UnknownSuite"),
                refused("X25519 called X-Wing", 1, replace(b"\x65suite\x01", b"\x65suite\x02"), json!({}), "WrongSuite"),
                refused("recipients out of order", 1, replace(&[0x1e; 20], &[0xd0; 20]), json!({}), "Malformed"),
                refused("a byte more", 1, json!({"op": "append", "hex": "00"}), json!({}), "Malformed"),
            ],
        }),
    );
    reading::document(&file);
}

#[test]
fn key_file_vectors_hold() {
    let mut rng = TestRng::new("medlock/vectors/keyfile");
    let mut secrets = Secrets::generate(&mut rng, Suite::X25519);
    secrets.rotate_encryption(&mut rng, Suite::XWing).unwrap();
    let sealed = KeyFile::seal(&mut rng, &secrets, b"correct horse", QUICK).unwrap();
    let key = |key: &EncryptionKey| json!({"suite": key.suite().id(), "privateKey": hex(key.expose())});
    let file = committed(
        "keyfile.json",
        json!({
            "passphrase": "correct horse", "account": hex(secrets.account.expose()),
            "encryption": key(&secrets.encryption), "retired": secrets.retired.iter().map(key).collect::<Vec<_>>(),
            "root": hex(secrets.root.expose()), "file": serde_json::from_str::<Value>(&sealed.to_json()).unwrap(),
            "refused": {"passphrase": "correct horse ", "error": "Passphrase"},
        }),
    );
    reading::key_file(&file);
}

#[test]
fn key_files_of_the_first_version_still_open() {
    let file = file("keyfile-v1.json");
    reading::key_file(&file);
    let read = KeyFile::from_json(&file["file"].to_string()).unwrap();
    assert!(read.is_outdated(&QUICK));
    let mut renamed = file["file"].clone();
    renamed["v"] = 2.into();
    let renamed = KeyFile::from_json(&renamed.to_string()).unwrap();
    assert_eq!(renamed.open(b"correct horse").err(), Some(Error::Passphrase));
}
