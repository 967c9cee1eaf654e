//! Sealing to a public key: HPKE (RFC 9180), base mode, single shot.
//!
//! Suite 1 is DHKEM(X25519, HKDF-SHA256) 0x0020, HKDF-SHA256 0x0001, AES-256-GCM 0x0002.
//! What a seal is bound to goes into `info`, so that it enters the key schedule itself; `aad` stays empty.
use hpke::{
    Deserializable, HpkeError, Kem, OpModeR, OpModeS, Serializable, aead::AesGcm256, kdf::HkdfSha256,
    kem::X25519HkdfSha256,
};
use medlock_abi::terms::suite;
use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{Error, secret::SecretBytes, stack};

type X25519 = X25519HkdfSha256;

/// A public key that is safe to seal to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// # Errors
    /// [`Error::UnknownSuite`]; [`Error::BadPublicKey`] on a wrong length or a point of low order.
    pub fn new(suite: u16, key: &[u8]) -> Result<Self, Error> {
        check_suite(suite)?;
        let bytes: [u8; 32] = key.try_into().map_err(|_| Error::BadPublicKey)?;
        let key = Self(bytes);
        if key.is_low_order()? {
            return Err(Error::BadPublicKey);
        }
        Ok(key)
    }

    pub fn suite(&self) -> u16 {
        suite::X25519
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// RFC 7748 section 6.1: a low-order point gives zero with every private key, so one try with any of them tells.
    fn is_low_order(&self) -> Result<bool, Error> {
        let (key, _) = X25519::derive_keypair(&[0; 32]);
        let point = <X25519 as Kem>::EncappedKey::from_bytes(&self.0).map_err(|_| Error::BadPublicKey)?;
        Ok(hpke::setup_receiver::<AesGcm256, HkdfSha256, X25519>(&OpModeR::Base, &key, &point, &[]).is_err())
    }
}

/// One sealed message: the encapsulated key and the ciphertext with its tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    pub encapsulated: Vec<u8>,
    pub ciphertext: Vec<u8>,
}

/// # Errors
/// [`Error::UnknownSuite`] for any suite that is not built in.
pub fn check_suite(suite: u16) -> Result<(), Error> {
    match suite {
        suite::X25519 => Ok(()),
        _ => Err(Error::UnknownSuite { suite }),
    }
}

/// Seals `plaintext` to `recipient`, bound to `info`.
///
/// # Errors
/// [`Error::BadPublicKey`].
pub fn seal(rng: &mut impl CryptoRng, recipient: &PublicKey, info: &[u8], plaintext: &[u8]) -> Result<Sealed, Error> {
    let key = <X25519 as Kem>::PublicKey::from_bytes(&recipient.0).map_err(|_| Error::BadPublicKey)?;
    let (encapsulated, ciphertext) = stack::wiping(|| {
        hpke::single_shot_seal_with_rng::<AesGcm256, HkdfSha256, X25519>(
            &OpModeS::Base,
            &key,
            info,
            plaintext,
            &[],
            rng,
        )
    })
    .map_err(|_| Error::BadPublicKey)?;
    Ok(Sealed {
        encapsulated: encapsulated.to_bytes().to_vec(),
        ciphertext,
    })
}

/// Opens what [`seal`] made. `what` names it in the error.
///
/// # Errors
/// [`Error::BadEncapsulatedKey`]; [`Error::Unopened`] on a wrong key, another `info`, or altered bytes.
pub fn open(private: &[u8; 32], info: &[u8], sealed: &Sealed, what: &'static str) -> Result<SecretBytes, Error> {
    let encapsulated =
        <X25519 as Kem>::EncappedKey::from_bytes(&sealed.encapsulated).map_err(|_| Error::BadEncapsulatedKey)?;
    let opened = stack::wiping(|| {
        let key = <X25519 as Kem>::PrivateKey::from_bytes(private)?;
        hpke::single_shot_open::<AesGcm256, HkdfSha256, X25519>(
            &OpModeR::Base,
            &key,
            &encapsulated,
            info,
            &sealed.ciphertext,
            &[],
        )
    });
    match opened {
        Ok(plaintext) => Ok(Zeroizing::new(plaintext)),
        Err(HpkeError::DecapError | HpkeError::ValidationError) => Err(Error::BadEncapsulatedKey),
        Err(_) => Err(Error::Unopened { what }),
    }
}

pub(crate) fn public_key(private: &[u8; 32]) -> PublicKey {
    // `from_bytes` clamps and fails only on a length other than 32 (RFC 9180 section 7.1.2).
    stack::wiping(|| {
        let key = <X25519 as Kem>::PrivateKey::from_bytes(private).expect("32 bytes are an X25519 private key");
        PublicKey(X25519::sk_to_pk(&key).to_bytes().into())
    })
}

/// `DeriveKeyPair` (RFC 9180 section 7.1.3): writes the private key for `ikm` into `out`.
pub(crate) fn derive_private(ikm: &[u8; 32], out: &mut [u8; 32]) {
    stack::wiping(|| {
        let (key, _) = X25519::derive_keypair(ikm);
        key.write_exact(out);
    });
}

/// Equality in constant time, for commitments.
#[must_use]
pub(crate) fn same(left: &[u8; 32], right: &[u8; 32]) -> bool {
    left.ct_eq(right).into()
}
