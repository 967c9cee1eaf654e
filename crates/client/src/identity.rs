//! Who the client acts for: the open secrets of one key file.

use std::path::Path;

use alloy::{primitives::Address, signers::local::PrivateKeySigner};
use medlock_vault::{
    EncryptionKey, KdfParams, KeyFile, Mnemonic, RootSecret, Secrets, Suite, Zeroizing, rand_core::CryptoRng,
};
use unicode_normalization::UnicodeNormalization;

use crate::{
    error::{Error, Result},
    file,
};

/// Randomness of the operating system.
pub fn rng() -> impl CryptoRng {
    medlock_vault::rand_core::UnwrapErr(getrandom::SysRng)
}

/// An account with the keys that go with it. Never printed, never serialized.
#[derive(Clone)]
pub struct Identity {
    signer: PrivateKeySigner,
    secrets: Secrets,
}

impl Identity {
    pub fn new(secrets: &Secrets) -> Result<Self> {
        let signer = PrivateKeySigner::from_slice(secrets.account.expose())
            .map_err(|_| Error::Usage("the key file's account key is not a valid key".into()))?;
        Ok(Self {
            signer,
            secrets: secrets.clone(),
        })
    }

    /// A fresh one that exists in memory alone.
    pub fn generate() -> Result<Self> {
        Self::new(&Secrets::generate(&mut rng(), Suite::default()))
    }

    /// Opens a key file.
    ///
    /// # Errors
    /// [`Error::KeyFile`] where it cannot be read or does not open.
    pub fn open(path: &Path, passphrase: &str) -> Result<Self> {
        let secrets = read(path)?
            .open(&normalised(passphrase))
            .map_err(|error| key_file(path, error))?;
        Self::new(&secrets)
    }

    pub fn address(&self) -> Address {
        self.signer.address()
    }

    pub fn signer(&self) -> &PrivateKeySigner {
        &self.signer
    }

    /// The root secret as 24 words, to be written down.
    pub fn words(&self) -> Mnemonic {
        Mnemonic::of(&self.secrets.root)
    }

    /// The encryption key to publish.
    pub(crate) fn encryption(&self) -> &EncryptionKey {
        &self.secrets.encryption
    }

    /// All that were ever published, newest first.
    pub(crate) fn encryption_keys(&self) -> impl Iterator<Item = &EncryptionKey> {
        std::iter::once(&self.secrets.encryption).chain(&self.secrets.retired)
    }

    pub(crate) fn root(&self) -> &RootSecret {
        &self.secrets.root
    }
}

/// Reads a key file without opening it.
pub fn read(path: &Path) -> Result<KeyFile> {
    let json = std::fs::read_to_string(path).map_err(|error| key_file(path, error))?;
    KeyFile::from_json(&json).map_err(|error| key_file(path, error))
}

/// Seals `secrets` under `passphrase` and writes them to a new file, for this user's eyes alone.
///
/// # Errors
/// [`Error::KeyFile`] where the file exists already: a key file is never overwritten.
pub fn create(path: &Path, secrets: &Secrets, passphrase: &str) -> Result<KeyFile> {
    let sealed = seal(path, secrets, passphrase)?;
    file::create(path, sealed.to_json().as_bytes()).map_err(|error| key_file(path, error))?;
    Ok(sealed)
}

/// Seals the secrets of the key file at `path` under another passphrase, with today's format and cost, and replaces it
/// in one step.
pub fn change_passphrase(path: &Path, old: &str, new: &str) -> Result<()> {
    replace(path, old, new, |_| Ok(()))
}

/// Draws another encryption key of `suite` into the key file at `path`, and keeps the present one, since keyrings are
/// sealed to it. Publish the new one next.
///
/// # Errors
/// [`Error::KeyFile`], also where the file is full.
pub fn rotate_encryption(path: &Path, passphrase: &str, suite: Suite) -> Result<()> {
    replace(path, passphrase, passphrase, |secrets| {
        secrets.rotate_encryption(&mut rng(), suite)
    })
}

/// Whether the key file is of an earlier format or costs an attacker less than a new one would.
/// [`change_passphrase`], to the same one if need be, makes it a new one.
pub fn is_outdated(file: &KeyFile) -> bool {
    file.is_outdated(&KdfParams::OWASP)
}

fn replace(
    path: &Path,
    old: &str,
    new: &str,
    change: impl FnOnce(&mut Secrets) -> std::result::Result<(), medlock_vault::Error>,
) -> Result<()> {
    let mut secrets = read(path)?
        .open(&normalised(old))
        .map_err(|error| key_file(path, error))?;
    change(&mut secrets).map_err(|error| key_file(path, error))?;
    let sealed = seal(path, &secrets, new)?;
    file::replace(path, sealed.to_json().as_bytes()).map_err(|error| key_file(path, error))
}

fn seal(path: &Path, secrets: &Secrets, passphrase: &str) -> Result<KeyFile> {
    if passphrase.is_empty() {
        return Err(key_file(path, "the passphrase is empty"));
    }
    KeyFile::seal(&mut rng(), secrets, &normalised(passphrase), KdfParams::OWASP).map_err(|error| key_file(path, error))
}

/// The same passphrase typed on another keyboard may be other code points: NFC, as docs/formats.md has it.
fn normalised(passphrase: &str) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(passphrase.nfc().collect::<String>().into_bytes())
}

fn key_file(path: &Path, detail: impl std::fmt::Display) -> Error {
    Error::KeyFile(format!("{}: {detail}", path.display()))
}
