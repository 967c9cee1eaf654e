//! The key file: an actor's own keys at rest, as JSON, under a passphrase. Argon2id (RFC 9106), then AES-256-GCM.
//! The address and the parameters stand in clear and are authenticated.
use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Payload},
};
use alloy_primitives::Address;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{AccountKey, EncryptionKey, Error, RootSecret, stack};

/// A key file at most.
pub const KEY_FILE_BYTES_MAX: usize = 8 * 1024;
/// 7 MiB to 1 GiB: the least memory among OWASP's settings, and what a laptop can spare.
pub const MEMORY_KIB: std::ops::RangeInclusive<u32> = 7 * 1024..=1024 * 1024;
/// A file with more would be a way to hang the program that opens it.
pub const ITERATIONS: std::ops::RangeInclusive<u32> = 1..=16;
/// As for iterations.
pub const LANES: std::ops::RangeInclusive<u32> = 1..=16;

const WHAT: &str = "key file";
const FORMAT_VERSION: u64 = 1;
const SECRET_BYTES: usize = 3 * 32;

/// Cost of Argon2id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct KdfParams {
    pub memory_kib: u32,
    pub iterations: u32,
    pub lanes: u32,
}

impl KdfParams {
    /// OWASP Password Storage Cheat Sheet, first choice for Argon2id: 19 MiB, 2 iterations, 1 lane.
    pub const OWASP: Self = Self {
        memory_kib: 19 * 1024,
        iterations: 2,
        lanes: 1,
    };
}

/// What a key file keeps.
#[derive(Clone)]
pub struct Secrets {
    pub account: AccountKey,
    pub encryption: EncryptionKey,
    /// Used by those who control charts.
    pub root: RootSecret,
}

impl Secrets {
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        Self {
            account: AccountKey::generate(rng),
            encryption: EncryptionKey::generate(rng),
            root: RootSecret::generate(rng),
        }
    }
}

/// A sealed key file: safe to print and to store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFile {
    address: Address,
    params: KdfParams,
    salt: [u8; 16],
    nonce: [u8; 12],
    ciphertext: Vec<u8>,
}

impl KeyFile {
    /// Seals `secrets` under `passphrase` (bytes as given: a caller that takes text normalises it first, NFC).
    ///
    /// # Errors
    /// [`Error::KdfParameter`]; [`Error::InvalidKey`] for an account key that is none.
    pub fn seal(
        rng: &mut impl CryptoRng,
        secrets: &Secrets,
        passphrase: &[u8],
        params: KdfParams,
    ) -> Result<Self, Error> {
        let mut file = Self {
            address: secrets.account.address()?,
            params,
            salt: [0; 16],
            nonce: [0; 12],
            ciphertext: Vec::new(),
        };
        rng.fill_bytes(&mut file.salt);
        rng.fill_bytes(&mut file.nonce);
        let mut plaintext = Zeroizing::new([0; SECRET_BYTES]);
        plaintext[..32].copy_from_slice(secrets.account.expose());
        plaintext[32..64].copy_from_slice(secrets.encryption.expose());
        plaintext[64..].copy_from_slice(secrets.root.expose());
        // AES-GCM fails only on messages of gigabytes (SP 800-38D section 5.2.1.1).
        let payload = Payload {
            msg: &plaintext[..],
            aad: &file.aad(),
        };
        let sealed = stack::wiping(|| Ok(file.cipher(passphrase)?.encrypt(&file.nonce.into(), payload)))?;
        file.ciphertext = sealed.expect("96 bytes are within AES-GCM's limit");
        Ok(file)
    }

    /// # Errors
    /// [`Error::Passphrase`]; [`Error::KdfParameter`].
    pub fn open(&self, passphrase: &[u8]) -> Result<Secrets, Error> {
        let payload = Payload {
            msg: &self.ciphertext,
            aad: &self.aad(),
        };
        let opened = stack::wiping(|| Ok(self.cipher(passphrase)?.decrypt(&self.nonce.into(), payload)))?;
        let plaintext = opened.map_err(|_| Error::Passphrase)?;
        let plaintext = Zeroizing::new(plaintext);
        if plaintext.len() != SECRET_BYTES {
            return Err(Error::malformed(WHAT, "a secret part of a wrong length"));
        }
        let secrets = Secrets {
            account: AccountKey::from_slice(&plaintext[..32])?,
            encryption: EncryptionKey::from_slice(&plaintext[32..64])?,
            root: RootSecret::from_slice(&plaintext[64..])?,
        };
        if secrets.account.address()? != self.address {
            return Err(Error::malformed(WHAT, "an address that is not the account's"));
        }
        Ok(secrets)
    }

    /// Which account's keys these are; trustworthy once [`KeyFile::open`] succeeds.
    pub fn address(&self) -> Address {
        self.address
    }

    pub fn params(&self) -> KdfParams {
        self.params
    }

    /// Pretty-printed JSON, ending with a line feed.
    pub fn to_json(&self) -> String {
        let wire = Wire {
            v: FORMAT_VERSION,
            address: self.address.to_checksum(None),
            kdf: WireKdf {
                name: KDF_NAME.into(),
                version: KDF_VERSION,
                params: self.params,
                salt: self.salt,
            },
            cipher: CIPHER_NAME.into(),
            nonce: self.nonce,
            ciphertext: hex::encode(&self.ciphertext),
        };
        // Writing plain data to memory cannot fail.
        let mut json = serde_json::to_string_pretty(&wire).expect("wire structs are plain data");
        json.push('\n');
        json
    }

    /// # Errors
    /// [`Error::TooLarge`], [`Error::Malformed`], [`Error::UnknownVersion`], [`Error::KdfParameter`].
    pub fn from_json(json: &str) -> Result<Self, Error> {
        if json.len() > KEY_FILE_BYTES_MAX {
            let (size, most) = (json.len() as u64, KEY_FILE_BYTES_MAX as u64);
            return Err(Error::TooLarge { what: WHAT, size, most });
        }
        #[derive(Deserialize)]
        struct VersionOnly {
            v: u64,
        }
        let malformed = |why: &dyn std::fmt::Display| Error::malformed(WHAT, why);
        let VersionOnly { v } = serde_json::from_str(json).map_err(|error| malformed(&error))?;
        if v != FORMAT_VERSION {
            return Err(Error::UnknownVersion { what: WHAT, version: v });
        }
        let wire: Wire = serde_json::from_str(json).map_err(|error| malformed(&error))?;
        if wire.kdf.name != KDF_NAME || wire.kdf.version != KDF_VERSION || wire.cipher != CIPHER_NAME {
            return Err(malformed(&"an unknown key derivation or cipher"));
        }
        check_params(&wire.kdf.params)?;
        let address = Address::parse_checksummed(&wire.address, None).map_err(|error| malformed(&error))?;
        let ciphertext = hex::decode(&wire.ciphertext).map_err(|error| malformed(&error))?;
        Ok(Self {
            address,
            params: wire.kdf.params,
            salt: wire.kdf.salt,
            nonce: wire.nonce,
            ciphertext,
        })
    }

    fn cipher(&self, passphrase: &[u8]) -> Result<Aes256Gcm, Error> {
        check_params(&self.params)?;
        let KdfParams {
            memory_kib,
            iterations,
            lanes,
        } = self.params;
        let invalid = |error| Error::malformed(WHAT, error);
        let params = Params::new(memory_kib, iterations, lanes, Some(32)).map_err(invalid)?;
        // The library does not wipe the memory that it fills, from which the key follows.
        let mut memory = Zeroizing::new(Vec::new());
        let block_count = params.block_count();
        memory
            .try_reserve_exact(block_count)
            .map_err(|error| Error::malformed(WHAT, error))?;
        memory.resize(block_count, Block::default());
        let mut key = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(passphrase, &self.salt, &mut *key, &mut memory[..])
            .map_err(invalid)?;
        Ok(Aes256Gcm::new((&*key).into()))
    }

    /// Everything in clear but the nonce, each field of a fixed length.
    fn aad(&self) -> Vec<u8> {
        [
            &b"medlock/v1/keyfile"[..],
            self.address.as_slice(),
            &self.params.memory_kib.to_be_bytes(),
            &self.params.iterations.to_be_bytes(),
            &self.params.lanes.to_be_bytes(),
            &self.salt,
        ]
        .concat()
    }
}

const KDF_NAME: &str = "argon2id";
/// RFC 9106 version 1.3.
const KDF_VERSION: u32 = 0x13;
const CIPHER_NAME: &str = "aes-256-gcm";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    v: u64,
    address: String,
    kdf: WireKdf,
    cipher: String,
    #[serde(with = "hex::serde")]
    nonce: [u8; 12],
    ciphertext: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireKdf {
    name: String,
    version: u32,
    params: KdfParams,
    #[serde(with = "hex::serde")]
    salt: [u8; 16],
}

fn check_params(params: &KdfParams) -> Result<(), Error> {
    for (parameter, given, bounds) in [
        ("memoryKib", params.memory_kib, MEMORY_KIB),
        ("iterations", params.iterations, ITERATIONS),
        ("lanes", params.lanes, LANES),
    ] {
        if !bounds.contains(&given) {
            return Err(Error::KdfParameter {
                parameter,
                given,
                least: *bounds.start(),
                most: *bounds.end(),
            });
        }
    }
    Ok(())
}
