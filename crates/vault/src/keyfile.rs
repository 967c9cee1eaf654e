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

use crate::{AccountKey, EncryptionKey, Error, RootSecret, Suite, secret::SecretBytes, stack};

/// A key file at most.
pub const KEY_FILE_BYTES_MAX: usize = 8 * 1024;
/// 7 MiB to 1 GiB: the least memory among OWASP's settings, and what a laptop can spare.
pub const MEMORY_KIB: std::ops::RangeInclusive<u32> = 7 * 1024..=1024 * 1024;
/// A file with more would be a way to hang the program that opens it.
pub const ITERATIONS: std::ops::RangeInclusive<u32> = 1..=16;
/// As for iterations.
pub const LANES: std::ops::RangeInclusive<u32> = 1..=16;

const WHAT: &str = "key file";
/// Written. The first, with one X25519 encryption key and no other, is still read.
const FORMAT_VERSION: u64 = 2;
const FORMAT_VERSION_FIRST: u64 = 1;
/// Encryption keys that a key file holds: what was sealed to an earlier one still opens. One rotation a year is enough
/// for a lifetime.
pub const ENCRYPTION_KEYS_MAX: usize = 64;
/// Suite and key.
const ENCRYPTION_KEY_BYTES: usize = 2 + 32;

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
    /// The one to publish.
    pub encryption: EncryptionKey,
    /// Published earlier, newest first.
    pub retired: Vec<EncryptionKey>,
    /// Used by those who control charts.
    pub root: RootSecret,
}

impl Secrets {
    pub fn generate(rng: &mut impl CryptoRng, suite: Suite) -> Self {
        Self {
            account: AccountKey::generate(rng),
            encryption: EncryptionKey::generate(rng, suite),
            retired: Vec::new(),
            root: RootSecret::generate(rng),
        }
    }

    /// Draws another encryption key and retires the present one.
    ///
    /// # Errors
    /// [`Error::TooLarge`] beyond [`ENCRYPTION_KEYS_MAX`].
    pub fn rotate_encryption(&mut self, rng: &mut impl CryptoRng, suite: Suite) -> Result<(), Error> {
        Self::check_keys(2 + self.retired.len())?;
        let retired = std::mem::replace(&mut self.encryption, EncryptionKey::generate(rng, suite));
        self.retired.insert(0, retired);
        Ok(())
    }

    fn check_keys(keys: usize) -> Result<(), Error> {
        if keys > ENCRYPTION_KEYS_MAX {
            return Err(Error::TooLarge {
                what: "list of encryption keys",
                size: keys as u64,
                most: ENCRYPTION_KEYS_MAX as u64,
            });
        }
        Ok(())
    }

    /// Account key, root secret, then each encryption key with its suite, newest first.
    fn encode(&self) -> Result<SecretBytes, Error> {
        Self::check_keys(1 + self.retired.len())?;
        let mut out = Zeroizing::new(Vec::with_capacity(64 + (1 + self.retired.len()) * ENCRYPTION_KEY_BYTES));
        out.extend_from_slice(self.account.expose());
        out.extend_from_slice(self.root.expose());
        for key in std::iter::once(&self.encryption).chain(&self.retired) {
            out.extend_from_slice(&key.suite().id().to_be_bytes());
            out.extend_from_slice(key.expose());
        }
        Ok(out)
    }

    fn decode(version: u64, plaintext: &[u8]) -> Result<Self, Error> {
        let wrong = || Error::malformed(WHAT, "a secret part of a wrong length");
        if version == FORMAT_VERSION_FIRST {
            let plaintext: &[u8; 96] = plaintext.try_into().map_err(|_| wrong())?;
            return Ok(Self {
                account: AccountKey::from_slice(&plaintext[..32])?,
                encryption: EncryptionKey::from_slice(Suite::X25519, &plaintext[32..64])?,
                retired: Vec::new(),
                root: RootSecret::from_slice(&plaintext[64..])?,
            });
        }
        let (head, keys) = plaintext.split_at_checked(64).ok_or_else(wrong)?;
        let (keys, rest) = keys.as_chunks::<ENCRYPTION_KEY_BYTES>();
        let mut encryption = keys.iter().map(|key| {
            let suite = Suite::new(u16::from_be_bytes([key[0], key[1]]))?;
            EncryptionKey::from_slice(suite, &key[2..])
        });
        let secrets = Self {
            account: AccountKey::from_slice(&head[..32])?,
            root: RootSecret::from_slice(&head[32..])?,
            encryption: encryption.next().ok_or_else(wrong)??,
            retired: encryption.collect::<Result<_, _>>()?,
        };
        if !rest.is_empty() {
            return Err(wrong());
        }
        Self::check_keys(1 + secrets.retired.len())?;
        Ok(secrets)
    }
}

/// A sealed key file: safe to print and to store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFile {
    version: u64,
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
    /// [`Error::KdfParameter`]; [`Error::InvalidKey`] for an account key that is none; [`Error::TooLarge`] for more than
    /// [`ENCRYPTION_KEYS_MAX`].
    pub fn seal(
        rng: &mut impl CryptoRng,
        secrets: &Secrets,
        passphrase: &[u8],
        params: KdfParams,
    ) -> Result<Self, Error> {
        let mut file = Self {
            version: FORMAT_VERSION,
            address: secrets.account.address()?,
            params,
            salt: [0; 16],
            nonce: [0; 12],
            ciphertext: Vec::new(),
        };
        rng.fill_bytes(&mut file.salt);
        rng.fill_bytes(&mut file.nonce);
        let plaintext = secrets.encode()?;
        // AES-GCM fails only on messages of gigabytes (SP 800-38D section 5.2.1.1).
        let payload = Payload {
            msg: &plaintext[..],
            aad: &file.aad(),
        };
        let sealed = stack::wiping(|| Ok(file.cipher(passphrase)?.encrypt(&file.nonce.into(), payload)))?;
        file.ciphertext = sealed.expect("64 keys are within AES-GCM's limit");
        Ok(file)
    }

    /// # Errors
    /// [`Error::Passphrase`]; [`Error::KdfParameter`]; [`Error::UnknownSuite`].
    pub fn open(&self, passphrase: &[u8]) -> Result<Secrets, Error> {
        let payload = Payload {
            msg: &self.ciphertext,
            aad: &self.aad(),
        };
        let opened = stack::wiping(|| Ok(self.cipher(passphrase)?.decrypt(&self.nonce.into(), payload)))?;
        let plaintext = opened.map_err(|_| Error::Passphrase)?;
        let secrets = Secrets::decode(self.version, &Zeroizing::new(plaintext))?;
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

    /// Whether it is of an earlier format, or costs an attacker less than `params`: seal its secrets anew.
    pub fn is_outdated(&self, params: &KdfParams) -> bool {
        self.version < FORMAT_VERSION
            || self.params.memory_kib < params.memory_kib
            || self.params.iterations < params.iterations
    }

    /// Pretty-printed JSON, ending with a line feed.
    pub fn to_json(&self) -> String {
        let wire = Wire {
            v: self.version,
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
        if !(FORMAT_VERSION_FIRST..=FORMAT_VERSION).contains(&v) {
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
            version: v,
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
        let label = match self.version {
            FORMAT_VERSION_FIRST => b"medlock/v1/keyfile",
            _ => b"medlock/v2/keyfile",
        };
        [
            &label[..],
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
