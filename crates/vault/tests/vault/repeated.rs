//! A source of randomness that repeats itself: a machine that was cloned, a state that was restored, a generator that is stuck. One key
//! stream over two plaintexts would give away what they differ in.
use medlock_vault::{
    Binding, CompartmentKeys, EncryptionKey, Envelope, Keyring, KeyringScope, Membership, MembershipScope, Metadata,
    RootSecret, SealedPayload, Suite, seal_payload,
};

use crate::{DOMAIN, Stuck, TestRng, binding, other_bindings, raw_cid, stored};

fn content(seed: &str) -> Vec<u8> {
    TestRng::new(seed).bytes(3_000)
}

fn sealed(binding: &Binding, metadata: &Metadata, content: &[u8]) -> SealedPayload {
    seal_payload(&mut Stuck(7), binding, metadata, content).unwrap()
}

/// Whether two sealed texts are under one key stream: then they differ in what their plaintexts differ in.
fn related(one: &[u8], two: &[u8], plain: (&[u8], &[u8])) -> bool {
    let xor =
        |left: &[u8], right: &[u8]| -> Vec<u8> { left.iter().zip(right).map(|(left, right)| left ^ right).collect() };
    let (sealed, plain) = (xor(one, two), xor(plain.0, plain.1));
    sealed.windows(plain.len()).any(|window| window == plain)
}

#[test]
fn no_two_payloads_share_a_key() {
    let (one, two) = (content("one"), content("two"));
    let base = sealed(&binding(), &stored(), &one);
    // The same again is the same again: nothing new is given out.
    assert_eq!(sealed(&binding(), &stored(), &one).bytes, base.bytes);
    let titled = Metadata {
        title: Some("another".into()),
        ..stored()
    };
    let mut others = vec![
        ("content", sealed(&binding(), &stored(), &two), &two),
        ("metadata", sealed(&binding(), &titled, &one), &one),
    ];
    for (field, elsewhere) in other_bindings() {
        others.push((field, sealed(&elsewhere, &stored(), &two), &two));
    }
    for (what, other, plain) in others {
        assert!(!other.seal.data_key.same(&base.seal.data_key), "{what}");
        assert_ne!(other.seal.data_key.expose(), &[7; 32], "{what}");
        assert!(
            !related(&other.bytes, &base.bytes, (&plain[..64], &one[..64])),
            "{what}"
        );
    }
    // What the check looks for is there where one key is used twice.
    let mask = content("key stream");
    let under = |plain: &[u8]| -> Vec<u8> { plain.iter().zip(&mask).map(|(byte, mask)| byte ^ mask).collect() };
    assert!(related(&under(&one), &under(&two), (&one[..64], &two[..64])));
}

#[test]
fn no_two_envelopes_keyrings_or_memberships_share_a_key_stream() {
    let root = RootSecret::generate(&mut TestRng::new("root"));
    for suite in [Suite::X25519, Suite::XWing] {
        let keys = CompartmentKeys::derive(&root, &binding().chart, 3, 1, suite).unwrap();
        let seal = |payload: &SealedPayload| {
            let cid = raw_cid(&payload.bytes);
            let sealed = Envelope::seal(&mut Stuck(7), &binding(), 1, &keys.public_key(), cid, &payload.seal);
            sealed.unwrap().sealed
        };
        let (one, two) = (
            sealed(&binding(), &stored(), &content("one")),
            sealed(&binding(), &stored(), &content("two")),
        );
        let (first, second) = (seal(&one), seal(&two));
        assert_ne!(first.encapsulated, second.encapsulated);
        let plain = (&one.seal.data_key.expose()[..], &two.seal.data_key.expose()[..]);
        assert!(!related(&first.ciphertext, &second.ciphertext, plain));

        // A grant that is replaced has the scope of the one before, and other keys.
        let scope = KeyringScope {
            chart: binding().chart,
            grantee: [0xc1; 20],
            directory_version: 2,
            key_version: 1,
        };
        let grantee = EncryptionKey::generate(&mut TestRng::new("grantee"), suite).public_key();
        let keyring = |compartment| {
            let keys = [CompartmentKeys::derive(&root, &binding().chart, compartment, 1, suite).unwrap()];
            let sealed = Keyring::seal(&mut Stuck(7), &DOMAIN, &scope, &grantee, &keys)
                .unwrap()
                .sealed;
            (sealed, *keys[0].private.expose())
        };
        let ((first, one), (second, two)) = (keyring(3), keyring(4));
        assert_ne!(first.encapsulated, second.encapsulated);
        assert!(!related(&first.ciphertext, &second.ciphertext, (&one, &two)));

        let scope = MembershipScope {
            organisation: [0xc1; 20],
            member: [0xd0; 20],
            organisation_key_version: 2,
            member_key_version: 1,
        };
        let membership = |seed| {
            let key = EncryptionKey::generate(&mut TestRng::new(seed), suite);
            let sealed = Membership::seal(&mut Stuck(7), &DOMAIN, &scope, &grantee, &[&key])
                .unwrap()
                .sealed;
            (sealed, *key.expose())
        };
        let ((first, one), (second, two)) = (membership("one"), membership("two"));
        assert_ne!(first.encapsulated, second.encapsulated);
        assert!(!related(&first.ciphertext, &second.ciphertext, (&one, &two)));
    }
}
