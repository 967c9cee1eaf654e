//! X25519 and X-Wing side by side: what is sealed under one never opens as the other, and nothing falls back to the weaker.
use std::collections::BTreeMap;

use medlock_vault::{
    CompartmentKeys, Directory, DirectoryBody, EncryptionKey, Envelope, Error, Keyring, KeyringScope, PublicKey,
    RootSecret, Suite,
    seal::{self, Sealed},
    seal_payload,
    shares::{Recipient, SetScope, ShareSet},
};

use crate::{DOMAIN, TestRng, binding, directory::directory_of, metadata, raw_cid};

const CHART: [u8; 32] = [0xc4; 32];

fn root() -> RootSecret {
    RootSecret::generate(&mut TestRng::new("root"))
}

fn keys(epoch: u32, suite: Suite) -> CompartmentKeys {
    CompartmentKeys::derive(&root(), &CHART, binding().compartment, epoch, suite).unwrap()
}

fn grantee(suite: Suite) -> EncryptionKey {
    EncryptionKey::generate(&mut TestRng::new("grantee"), suite)
}

fn scope() -> KeyringScope {
    KeyringScope {
        chart: CHART,
        grantee: [0xc1; 20],
        directory_version: 2,
        key_version: 1,
    }
}

#[test]
fn both_seal_and_open_and_neither_opens_the_other() {
    let mut rng = TestRng::new("suites");
    for (suite, key_bytes, encapsulated_bytes) in [(Suite::X25519, 32, 32), (Suite::XWing, 1216, 1120)] {
        let key = grantee(suite);
        let public = key.public_key();
        assert_eq!((public.suite(), public.as_bytes().len()), (suite, key_bytes));
        assert_eq!(PublicKey::new(suite, public.as_bytes()).as_ref(), Ok(&public));
        let sealed = seal::seal(&mut rng, &public, b"info", b"secret").unwrap();
        assert_eq!(sealed.encapsulated.len(), encapsulated_bytes);
        let open = |suite, info: &[u8], sealed: &Sealed| {
            seal::open(suite, key.expose(), info, sealed, "it").map(|plaintext| plaintext.to_vec())
        };
        assert_eq!(open(suite, b"info", &sealed).unwrap(), b"secret");
        assert_eq!(open(suite, b"other", &sealed), Err(Error::Unopened { what: "it" }));
        let other = [Suite::XWing, Suite::X25519][usize::from(suite == Suite::XWing)];
        assert_eq!(open(other, b"info", &sealed), Err(Error::BadEncapsulatedKey));
        // Each part of the encapsulated key counts: both halves of the hybrid, at both ends.
        for at in [
            0,
            encapsulated_bytes / 2,
            encapsulated_bytes - 32,
            encapsulated_bytes - 2,
        ] {
            let mut altered = sealed.clone();
            altered.encapsulated[at] ^= 1;
            assert!(open(suite, b"info", &altered).is_err(), "{suite:?} {at}");
        }
    }
}

#[test]
fn an_x_wing_public_key_is_checked_when_it_is_read() {
    let key = grantee(Suite::XWing).public_key();
    for length in [0, 32, 1184, 1215] {
        assert_eq!(
            PublicKey::new(Suite::XWing, &key.as_bytes()[..length]),
            Err(Error::BadPublicKey)
        );
    }
    // FIPS 203 section 7.2: each 12-bit coefficient of the ML-KEM key is below q = 3329.
    let mut unreduced = key.as_bytes().to_vec();
    unreduced[..3].copy_from_slice(&[0xff; 3]);
    assert_eq!(PublicKey::new(Suite::XWing, &unreduced), Err(Error::BadPublicKey));
    assert_eq!(PublicKey::new(Suite::X25519, key.as_bytes()), Err(Error::BadPublicKey));
}

#[test]
fn the_same_place_has_different_keys_under_each_suite() {
    let (classic, hybrid) = (keys(1, Suite::X25519), keys(1, Suite::XWing));
    assert_ne!(classic.private.expose(), hybrid.private.expose());
    // Were the same bytes used as both, a break of X25519 would open X-Wing's half as well.
    assert_ne!(hybrid.public_key().as_bytes()[1184..], *classic.public_key().as_bytes());
}

#[test]
fn a_record_under_x_wing_opens_with_x_wing_keys_alone() {
    let mut rng = TestRng::new("record");
    let payload = seal_payload(&mut rng, &binding(), &metadata(), b"content").unwrap();
    let cid = raw_cid(&payload.bytes);
    let recipient = keys(2, Suite::XWing).public_key();
    let envelope = Envelope::seal(&mut rng, &binding(), 2, &recipient, cid, &payload.seal).unwrap();
    let block = envelope.encode();
    assert!(block.len() < 2048);
    let envelope = Envelope::decode(&block).unwrap();
    let (_, content) = envelope
        .open_record(&binding(), &keys(2, Suite::XWing), &payload.bytes)
        .unwrap();
    assert_eq!(&content[..], b"content");
    let wrong = Error::WrongSuite { given: 1, expected: 2 };
    let opened = envelope.open(&binding(), &keys(2, Suite::X25519));
    assert_eq!(opened.err(), Some(wrong));
    // Called X25519 by whoever stores it.
    let mut renamed = envelope.clone();
    renamed.suite = Suite::X25519;
    let opened = renamed.open(&binding(), &keys(2, Suite::X25519));
    assert_eq!(opened.err(), Some(Error::BadEncapsulatedKey));
}

#[test]
fn a_chart_moves_to_x_wing_and_what_was_sealed_before_still_opens() {
    let body = directory_of(
        &root(),
        &CHART,
        4,
        &[(3, vec![Suite::X25519, Suite::X25519, Suite::XWing, Suite::XWing])],
        &BTreeMap::new(),
    );
    let decoded = Directory::decode(&body.clone().with_signature(Vec::new()).encode()).unwrap();
    assert_eq!(decoded.body, body);
    let now = keys(4, Suite::XWing);
    for (epoch, suite) in [
        (4, Suite::XWing),
        (3, Suite::XWing),
        (2, Suite::X25519),
        (1, Suite::X25519),
    ] {
        let then = body.keys_at_epoch(&now, epoch).unwrap();
        assert!(then.private.same(&keys(epoch, suite).private), "epoch {epoch}");
    }
    // Keys of the right epoch under another suite are not the directory's.
    let mismatch = body.keys_at_epoch(&keys(4, Suite::X25519), 4).err();
    assert_eq!(
        mismatch,
        Some(Error::KeyMismatch {
            compartment: 3,
            epoch: 4
        })
    );
}

#[test]
fn post_quantum_keys_are_never_sealed_to_a_weaker_one() {
    let mut rng = TestRng::new("keyring");
    let keys = [keys(2, Suite::XWing)];
    let seal = |rng: &mut TestRng, suite| Keyring::seal(rng, &DOMAIN, &scope(), &grantee(suite).public_key(), &keys);
    let refused = seal(&mut rng, Suite::X25519);
    assert_eq!(refused.err(), Some(Error::WeakerRecipient { compartment: 3 }));
    let keyring = seal(&mut rng, Suite::XWing).unwrap();
    let keyring = Keyring::decode(&keyring.encode()).unwrap();
    let opened = keyring
        .open(&DOMAIN, &CHART, &[0xc1; 20], &grantee(Suite::XWing))
        .unwrap();
    assert!(opened[0].private.same(&keys[0].private));
    let wrong = keyring.open(&DOMAIN, &CHART, &[0xc1; 20], &grantee(Suite::X25519));
    assert_eq!(wrong.err(), Some(Error::WrongSuite { given: 1, expected: 2 }));
}

#[test]
fn a_keyring_of_all_compartments_under_x_wing_fits_its_limit() {
    let keys: Vec<CompartmentKeys> = (0..64)
        .map(|compartment| CompartmentKeys::derive(&root(), &CHART, compartment, 1, Suite::XWing).unwrap())
        .collect();
    let recipient = grantee(Suite::XWing).public_key();
    let keyring = Keyring::seal(&mut TestRng::new("all"), &DOMAIN, &scope(), &recipient, &keys).unwrap();
    assert_eq!(Keyring::decode(&keyring.encode()), Ok(keyring));
    let suites = (0..64).map(|compartment| (compartment, Suite::XWing)).collect();
    let directory = DirectoryBody::first(&mut TestRng::new("first"), &root(), &CHART, &suites, &BTreeMap::new());
    let directory = directory.unwrap().with_signature(Vec::new());
    assert_eq!(Directory::decode(&directory.encode()), Ok(directory));
}

#[test]
fn custodians_may_have_keys_of_either_suite() {
    let scope = SetScope {
        domain: DOMAIN,
        owner: [0xa0; 20],
        version: 1,
    };
    let secrets = [Suite::X25519, Suite::XWing].map(grantee);
    let custodians: Vec<Recipient> = secrets
        .iter()
        .zip(1..)
        .map(|(key, number)| Recipient {
            account: [number; 20],
            key_version: 1,
            key: key.public_key(),
        })
        .collect();
    let (set, sealed) = ShareSet::split(&mut TestRng::new("split"), &scope, &root(), 2, &custodians).unwrap();
    let digest = set.digest();
    let set = set.verify(&scope, &digest).unwrap();
    for (sealed, (key, number)) in sealed.iter().zip(secrets.iter().zip(1..)) {
        let decoded = medlock_vault::SealedShare::decode(&sealed.encode()).unwrap();
        assert_eq!(decoded.open(&set, &[number; 20], key).unwrap().index(), number);
    }
}
