//! Key newtypes. Each lives on the heap (so that moving it leaves no copy behind), is wiped on drop,
//! and implements neither `Debug` nor `Display` nor `Serialize`. Equality is by [`same`](DataKey::same), in constant time.
use alloy_primitives::Address;
use hkdf::Hkdf;
use k256::ecdsa::SigningKey;
use rand_core::CryptoRng;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::{
    Error,
    seal::{self, PublicKey, Sealed, Suite},
    stack,
};

macro_rules! secret {
    ($(#[$doc:meta])* $visible:vis $name:ident) => {
        $(#[$doc])*
        #[derive(Clone)]
        $visible struct $name(Box<[u8; 32]>);

        impl $name {
            pub const BYTES: usize = 32;

            /// 32 bytes that the caller got from a safe place; the caller wipes its own copy.
            ///
            /// # Errors
            /// [`Error::InvalidKey`] when `bytes` are not 32 bytes.
            pub fn from_slice(bytes: &[u8]) -> Result<Self, Error> {
                if bytes.len() != Self::BYTES {
                    return Err(Error::InvalidKey { what: stringify!($name) });
                }
                Ok(Self::filled(|key| key.copy_from_slice(bytes)))
            }

            /// The key itself. Never log it, never keep a copy.
            pub fn expose(&self) -> &[u8; 32] {
                &self.0
            }

            /// Equality in constant time.
            #[must_use]
            pub fn same(&self, other: &Self) -> bool {
                self.0.ct_eq(&*other.0).into()
            }

            /// Writes the key where it will stay.
            #[allow(dead_code, reason = "not every kind of key is derived in place")]
            pub(crate) fn filled(fill: impl FnOnce(&mut [u8; 32])) -> Self {
                let mut key = Box::new([0; 32]);
                fill(&mut key);
                Self(key)
            }
        }

        impl Drop for $name {
            fn drop(&mut self) {
                self.0.zeroize();
            }
        }
        impl ZeroizeOnDrop for $name {}
    };
}

macro_rules! random {
    ($name:ident) => {
        impl $name {
            /// A fresh random key.
            pub fn generate(rng: &mut impl CryptoRng) -> Self {
                Self::filled(|key| rng.fill_bytes(key))
            }
        }
    };
}

secret! {
    /// Encrypts one payload, and never another.
    pub DataKey
}
random!(DataKey);

secret! {
    /// A controller's root: every compartment key of every one of their charts derives from it.
    pub RootSecret
}
random!(RootSecret);

secret! {
    /// Opens the link from one epoch of a compartment to the one before.
    pub HistoryKey
}

secret! {
    /// A party's account: a secp256k1 private key, always a valid one.
    pub AccountKey
}

secret! {
    /// Private half of a key pair; its suite stands beside it.
    PrivateBytes
}
random!(PrivateBytes);

macro_rules! private_key {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name {
            suite: Suite,
            key: PrivateBytes,
        }

        impl $name {
            /// 32 bytes that the caller got from a safe place; the caller wipes its own copy.
            ///
            /// # Errors
            /// [`Error::InvalidKey`] when `bytes` are not 32 bytes.
            pub fn from_slice(suite: Suite, bytes: &[u8]) -> Result<Self, Error> {
                let key = PrivateBytes::from_slice(bytes).map_err(|_| Error::InvalidKey { what: stringify!($name) })?;
                Ok(Self { suite, key })
            }

            pub fn suite(&self) -> Suite {
                self.suite
            }

            pub fn public_key(&self) -> PublicKey {
                seal::public_key(self.suite, self.key.expose())
            }

            /// The key itself. Never log it, never keep a copy.
            pub fn expose(&self) -> &[u8; 32] {
                self.key.expose()
            }

            /// Equality, of the key in constant time.
            #[must_use]
            pub fn same(&self, other: &Self) -> bool {
                self.suite == other.suite && self.key.same(&other.key)
            }

            /// Opens what was sealed under `suite` to the public half.
            pub(crate) fn open(
                &self,
                suite: Suite,
                info: &[u8],
                sealed: &Sealed,
                what: &'static str,
            ) -> Result<SecretBytes, Error> {
                self.suite.expect(suite)?;
                seal::open(suite, self.key.expose(), info, sealed, what)
            }
        }
    };
}

private_key! {
    /// Private half of a compartment's key pair in one epoch.
    CompartmentPrivateKey
}

private_key! {
    /// Private half of the key that a party publishes in the registry; keyrings are sealed to it.
    EncryptionKey
}

impl CompartmentPrivateKey {
    /// The one that belongs to `ikm`.
    pub(crate) fn derive(suite: Suite, ikm: &[u8; 32]) -> Self {
        Self {
            suite,
            key: PrivateBytes::filled(|key| seal::derive_private(suite, ikm, key)),
        }
    }
}

impl EncryptionKey {
    /// The one that belongs to `ikm`.
    pub(crate) fn derive(suite: Suite, ikm: &[u8; 32]) -> Self {
        Self {
            suite,
            key: PrivateBytes::filled(|key| seal::derive_private(suite, ikm, key)),
        }
    }

    /// A fresh random key.
    pub fn generate(rng: &mut impl CryptoRng, suite: Suite) -> Self {
        Self {
            suite,
            key: PrivateBytes::generate(rng),
        }
    }
}

impl AccountKey {
    /// A fresh random account.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        // A draw is out of range with probability 2^-128: the loop ends at its first turn.
        loop {
            let key = Self::filled(|key| rng.fill_bytes(key));
            if stack::wiping(|| SigningKey::from_slice(&key.0[..]).is_ok()) {
                return key;
            }
        }
    }

    /// The account's address.
    ///
    /// # Errors
    /// [`Error::InvalidKey`] when the bytes are zero or not below the order of secp256k1.
    pub fn address(&self) -> Result<Address, Error> {
        stack::wiping(|| {
            let key = SigningKey::from_slice(&self.0[..]).map_err(|_| Error::InvalidKey { what: "AccountKey" })?;
            Ok(Address::from_private_key(&key))
        })
    }
}

/// HKDF-SHA256 (RFC 5869). `info` is the concatenation of the parts; every caller's parts are a label that is
/// no other label's prefix, then fields of fixed length, so no two uses share an `info`.
pub(crate) fn hkdf(ikm: &[u8; 32], salt: Option<&[u8]>, info: &[&[u8]], out: &mut [u8]) {
    // RFC 5869 section 2.3: expanding fails only past 255 * 32 bytes, and no caller asks for more than 32.
    stack::wiping(|| Hkdf::<Sha256>::new(salt, ikm).expand_multi_info(info, out))
        .expect("at most 32 bytes are asked for");
}

/// A secret of another shape: wiped on drop as well.
pub(crate) type SecretBytes = Zeroizing<Vec<u8>>;
