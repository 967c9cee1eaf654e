//! Vectors that others published: of RFC 9180, of X-Wing (`published/*.json` name their source), and of Project Wycheproof. Where it can
//! be, they go through the vault; a primitive that it uses within is called as it does.
mod wycheproof;

use std::convert::Infallible;

use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Payload},
};
use hpke::{
    Deserializable, Kem, OpModeR, Serializable, aead::AesGcm256, kdf::HkdfSha256, kem::X25519HkdfSha256, kem::XWing,
};
use medlock_vault::{
    EncryptionKey, PublicKey, Suite,
    rand_core::{TryCryptoRng, TryRng},
    seal,
};
use serde_json::Value;

use crate::vectors::reading::{array, number, unhex};

fn rfc_9180() -> Value {
    serde_json::from_str(include_str!("published/rfc9180.json")).unwrap()
}

fn x_wing() -> Value {
    serde_json::from_str(include_str!("published/xwing.json")).unwrap()
}

/// Gives these bytes and no others.
struct Given(Vec<u8>);

impl TryRng for Given {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        unreachable!("keys are drawn as bytes")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        unreachable!("keys are drawn as bytes")
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        let rest = self.0.split_off(out.len());
        out.copy_from_slice(&self.0);
        self.0 = rest;
        Ok(())
    }
}
impl TryCryptoRng for Given {}

fn gcm(key: &[u8; 32], nonce: &[u8; 12], aad: &[u8], plaintext: &[u8]) -> Vec<u8> {
    let payload = Payload { msg: plaintext, aad };
    Aes256Gcm::new(&(*key).into())
        .encrypt(&(*nonce).into(), payload)
        .unwrap()
}

#[test]
fn seals_as_rfc_9180_does() {
    let vector = rfc_9180();
    let (info, private) = (unhex(&vector["info"]), array(&vector["privateKey"]));
    let key = EncryptionKey::from_slice(Suite::X25519, &private).unwrap();
    assert_eq!(key.public_key().as_bytes(), unhex(&vector["publicKey"]));
    let recipient = PublicKey::new(Suite::X25519, &unhex(&vector["publicKey"])).unwrap();

    // The vectors' associated data is not empty and ours is: so what must be equal is the key, the nonce and what goes before.
    let sealed = seal::seal(&mut Given(unhex(&vector["ikmE"])), &recipient, &info, b"message").unwrap();
    assert_eq!(sealed.encapsulated, unhex(&vector["encapsulated"]));
    let (aead_key, nonce) = (array(&vector["key"]), array(&vector["baseNonce"]));
    assert_eq!(sealed.ciphertext, gcm(&aead_key, &nonce, b"", b"message"));
    assert_eq!(
        *seal::open(Suite::X25519, &private, &info, &sealed, "vector").unwrap(),
        b"message"
    );
}

#[test]
fn the_library_opens_the_messages_of_rfc_9180() {
    let vector = rfc_9180();
    let (derived, public) = X25519HkdfSha256::derive_keypair(&unhex(&vector["ikmR"]));
    assert_eq!(public.to_bytes().to_vec(), unhex(&vector["publicKey"]));
    let encapsulated = <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(&unhex(&vector["encapsulated"])).unwrap();
    let shared = X25519HkdfSha256::decap(&derived, None, &encapsulated).unwrap();
    assert_eq!(shared.0.to_vec(), unhex(&vector["sharedSecret"]));
    let mut context = hpke::setup_receiver::<AesGcm256, HkdfSha256, X25519HkdfSha256>(
        &OpModeR::Base,
        &derived,
        &encapsulated,
        &unhex(&vector["info"]),
    )
    .unwrap();
    let mut sequence = 0;
    for message in vector["encryptions"].as_array().unwrap() {
        let (aad, ciphertext) = (unhex(&message["aad"]), unhex(&message["ciphertext"]));
        // The context counts messages that open; those in between are not in the file.
        let (key, base): ([u8; 32], [u8; 12]) = (array(&vector["key"]), array(&vector["baseNonce"]));
        let number: u64 = number(&message["sequence"]);
        let mut nonce = base;
        nonce
            .iter_mut()
            .skip(4)
            .zip(number.to_be_bytes())
            .for_each(|(byte, mask)| *byte ^= mask);
        assert_eq!(gcm(&key, &nonce, &aad, &unhex(&message["plaintext"])), ciphertext);
        if number == sequence {
            assert_eq!(context.open(&ciphertext, &aad).unwrap(), unhex(&message["plaintext"]));
            sequence += 1;
        }
        // Not twice, and not at another place.
        assert!(context.open(&ciphertext, &aad).is_err());
    }
    assert!(sequence >= 3);
}

#[test]
fn the_library_is_x_wing_as_its_draft_has_it() {
    let vectors = x_wing();
    let check = |vector: &Value, private: &<XWing as Kem>::PrivateKey| {
        assert_eq!(
            XWing::sk_to_pk(private).to_bytes().to_vec(),
            unhex(&vector["publicKey"])
        );
        let public = <XWing as Kem>::PublicKey::from_bytes(&unhex(&vector["publicKey"])).unwrap();
        let mut rng = Given(unhex(&vector["encapsulationSeed"]));
        let (shared, encapsulated) = XWing::encap_with_rng(&public, None, &mut rng).unwrap();
        assert_eq!(encapsulated.to_bytes().to_vec(), unhex(&vector["encapsulated"]));
        assert_eq!(shared.0.to_vec(), unhex(&vector["sharedSecret"]));
        let encapsulated = <XWing as Kem>::EncappedKey::from_bytes(&unhex(&vector["encapsulated"])).unwrap();
        let shared = XWing::decap(private, None, &encapsulated).unwrap();
        assert_eq!(shared.0.to_vec(), unhex(&vector["sharedSecret"]));

        // And so is the vault's suite of it.
        let private = array(&Value::from(hex::encode(private.to_bytes())));
        let key = EncryptionKey::from_slice(Suite::XWing, &private).unwrap();
        assert_eq!(key.public_key().as_bytes(), unhex(&vector["publicKey"]));
        let mut rng = Given(unhex(&vector["encapsulationSeed"]));
        let sealed = seal::seal(&mut rng, &key.public_key(), b"info", b"message").unwrap();
        assert_eq!(sealed.encapsulated, unhex(&vector["encapsulated"]));
        assert_eq!(
            *seal::open(Suite::XWing, &private, b"info", &sealed, "vector").unwrap(),
            b"message"
        );
    };
    for vector in vectors["kem"].as_array().unwrap() {
        check(vector, &Deserializable::from_bytes(&unhex(&vector["seed"])).unwrap());
    }
    let vector = &vectors["hpke"];
    let (derived, _) = XWing::derive_keypair(&unhex(&vector["ikmR"]));
    assert_eq!(derived.to_bytes().to_vec(), unhex(&vector["privateKey"]));
    check(vector, &derived);
}
