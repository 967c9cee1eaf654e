//! Sealing to a public key: HPKE (RFC 9180), base mode, single shot, in one of two [`Suite`]s.
//!
//! What a seal is bound to goes into `info`, so that it enters the key schedule itself; `aad` stays empty.
use hpke::{
    Deserializable, HpkeError, Kem, OpModeR, OpModeS, Serializable,
    aead::AesGcm256,
    kdf::HkdfSha256,
    kem::{X25519HkdfSha256, XWing},
};
use medlock_abi::terms::suite;
use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{Error, secret::SecretBytes, stack};

/// How a key is sealed; the weaker first. Both have HKDF-SHA256 (0x0001) and AES-256-GCM (0x0002), and 32-byte private keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Suite {
    /// DHKEM(X25519, HKDF-SHA256), 0x0020 (RFC 9180).
    #[default]
    X25519,
    /// X-Wing, 0x647a (draft-connolly-cfrg-xwing-kem, draft-ietf-hpke-pq): holds as long as either X25519 or ML-KEM-768
    /// (FIPS 203) does, so what is recorded today stays shut to a quantum computer.
    XWing,
}

impl Suite {
    /// By the id that stands in every sealed object and in the registry.
    ///
    /// # Errors
    /// [`Error::UnknownSuite`].
    pub fn new(id: u16) -> Result<Self, Error> {
        match id {
            suite::X25519 => Ok(Self::X25519),
            suite::XWING => Ok(Self::XWing),
            suite => Err(Error::UnknownSuite { suite }),
        }
    }

    pub fn id(self) -> u16 {
        match self {
            Self::X25519 => suite::X25519,
            Self::XWing => suite::XWING,
        }
    }

    /// As people write it: `x25519`, `x-wing`.
    #[must_use]
    pub fn name(self) -> &'static str {
        let named = suite::ALL.iter().find(|(_, id)| *id == self.id());
        named.expect("every suite has a name").0
    }

    /// The suite of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let (_, id) = suite::ALL.iter().find(|(known, _)| *known == name)?;
        Self::new(*id).ok()
    }

    /// That what is sealed under `expected` is met by a key of this suite.
    pub(crate) fn expect(self, expected: Self) -> Result<(), Error> {
        if self == expected {
            return Ok(());
        }
        Err(Error::WrongSuite {
            given: self.id(),
            expected: expected.id(),
        })
    }
}

/// A public key that is safe to seal to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PublicKey(Bytes);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Bytes {
    X25519([u8; suite::X25519_KEY_BYTES]),
    XWing(Box<[u8; suite::XWING_KEY_BYTES]>),
}

impl PublicKey {
    /// # Errors
    /// [`Error::BadPublicKey`] on a wrong length, a point of low order (X25519), or coefficients that are not reduced
    /// (X-Wing: FIPS 203 section 7.2).
    pub fn new(suite: Suite, key: &[u8]) -> Result<Self, Error> {
        let bad = |_| Error::BadPublicKey;
        match suite {
            Suite::X25519 => {
                let bytes = key.try_into().map_err(bad)?;
                if is_low_order(&bytes)? {
                    return Err(Error::BadPublicKey);
                }
                Ok(Self(Bytes::X25519(bytes)))
            }
            Suite::XWing => {
                parse_public::<XWing>(key)?;
                Ok(Self(Bytes::XWing(Box::new(key.try_into().map_err(bad)?))))
            }
        }
    }

    pub fn suite(&self) -> Suite {
        match self.0 {
            Bytes::X25519(_) => Suite::X25519,
            Bytes::XWing(_) => Suite::XWing,
        }
    }

    /// 32 bytes (X25519) or 1,216 (X-Wing).
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Bytes::X25519(bytes) => bytes,
            Bytes::XWing(bytes) => &bytes[..],
        }
    }
}

/// One sealed message: the encapsulated key and the ciphertext with its tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// 32 bytes (X25519) or 1,120 (X-Wing).
    pub encapsulated: Vec<u8>,
    pub ciphertext: Vec<u8>,
}

/// Seals `plaintext` to `recipient`, bound to `info`.
///
/// # Errors
/// [`Error::BadPublicKey`].
pub fn seal(rng: &mut impl CryptoRng, recipient: &PublicKey, info: &[u8], plaintext: &[u8]) -> Result<Sealed, Error> {
    match recipient.suite() {
        Suite::X25519 => seal_with::<X25519HkdfSha256>(rng, recipient, info, plaintext),
        Suite::XWing => seal_with::<XWing>(rng, recipient, info, plaintext),
    }
}

/// Opens what [`seal`] made. `what` names it in the error.
///
/// # Errors
/// [`Error::BadEncapsulatedKey`]; [`Error::Unopened`] on a wrong key, another `info`, or altered bytes.
pub fn open(
    suite: Suite,
    private: &[u8; 32],
    info: &[u8],
    sealed: &Sealed,
    what: &'static str,
) -> Result<SecretBytes, Error> {
    match suite {
        Suite::X25519 => open_with::<X25519HkdfSha256>(private, info, sealed, what),
        Suite::XWing => open_with::<XWing>(private, info, sealed, what),
    }
}

pub(crate) fn public_key(suite: Suite, private: &[u8; 32]) -> PublicKey {
    match suite {
        Suite::X25519 => PublicKey(Bytes::X25519(public_bytes::<X25519HkdfSha256, _>(private))),
        Suite::XWing => PublicKey(Bytes::XWing(Box::new(public_bytes::<XWing, _>(private)))),
    }
}

/// Writes the private key for `ikm`, 32 secret bytes of full entropy, into `out`.
pub(crate) fn derive_private(suite: Suite, ikm: &[u8; 32], out: &mut [u8; 32]) {
    match suite {
        // `DeriveKeyPair` (RFC 9180 section 7.1.3).
        Suite::X25519 => stack::wiping(|| {
            let (key, _) = X25519HkdfSha256::derive_keypair(ikm);
            key.write_exact(out);
        }),
        // A private key is such bytes itself; what HPKE derives it by is still a draft.
        Suite::XWing => out.copy_from_slice(ikm),
    }
}

/// Equality in constant time, for commitments.
#[must_use]
pub(crate) fn same(left: &[u8; 32], right: &[u8; 32]) -> bool {
    left.ct_eq(right).into()
}

fn seal_with<K: Kem>(
    rng: &mut impl CryptoRng,
    recipient: &PublicKey,
    info: &[u8],
    plaintext: &[u8],
) -> Result<Sealed, Error> {
    let key = parse_public::<K>(recipient.as_bytes())?;
    let (encapsulated, ciphertext) = stack::wiping(|| {
        hpke::single_shot_seal_with_rng::<AesGcm256, HkdfSha256, K>(&OpModeS::Base, &key, info, plaintext, &[], rng)
    })
    .map_err(|_| Error::BadPublicKey)?;
    Ok(Sealed {
        encapsulated: encapsulated.to_bytes().to_vec(),
        ciphertext,
    })
}

fn open_with<K: Kem>(
    private: &[u8; 32],
    info: &[u8],
    sealed: &Sealed,
    what: &'static str,
) -> Result<SecretBytes, Error> {
    let encapsulated = K::EncappedKey::from_bytes(&sealed.encapsulated).map_err(|_| Error::BadEncapsulatedKey)?;
    let opened = stack::wiping(|| {
        let key = K::PrivateKey::from_bytes(private)?;
        hpke::single_shot_open::<AesGcm256, HkdfSha256, K>(
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

fn parse_public<K: Kem>(bytes: &[u8]) -> Result<K::PublicKey, Error> {
    K::PublicKey::from_bytes(bytes).map_err(|_| Error::BadPublicKey)
}

/// `N` is the length of the suite's public keys.
fn public_bytes<K: Kem, const N: usize>(private: &[u8; 32]) -> [u8; N] {
    let mut bytes = [0; N];
    stack::wiping(|| {
        // `from_bytes` fails only on a length other than 32 (RFC 9180 section 7.1.2; X-Wing section 5.2).
        let key = K::PrivateKey::from_bytes(private).expect("32 bytes are a private key in both suites");
        K::sk_to_pk(&key).write_exact(&mut bytes);
    });
    bytes
}

/// RFC 7748 section 6.1: a low-order point gives zero with every private key, so one try with any of them tells.
fn is_low_order(point: &[u8; 32]) -> Result<bool, Error> {
    type X25519 = X25519HkdfSha256;
    let (key, _) = X25519::derive_keypair(&[0; 32]);
    let point = <X25519 as Kem>::EncappedKey::from_bytes(point).map_err(|_| Error::BadPublicKey)?;
    Ok(hpke::setup_receiver::<AesGcm256, HkdfSha256, X25519>(&OpModeR::Base, &key, &point, &[]).is_err())
}
