//! Who the client acts for: the open secrets of one key file.

use std::path::Path;

use alloy::{primitives::Address, signers::local::PrivateKeySigner};
use medlock_vault::{EncryptionKey, KdfParams, KeyFile, RootSecret, Secrets, Zeroizing, rand_core::CryptoRng};
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
    encryption: EncryptionKey,
    root: RootSecret,
}

impl Identity {
    pub fn new(secrets: &Secrets) -> Result<Self> {
        let signer = PrivateKeySigner::from_slice(secrets.account.expose())
            .map_err(|_| Error::Usage("the key file's account key is not a valid key".into()))?;
        Ok(Self {
            signer,
            encryption: secrets.encryption.clone(),
            root: secrets.root.clone(),
        })
    }

    /// A fresh one that exists in memory alone.
    pub fn generate() -> Result<Self> {
        Self::new(&Secrets::generate(&mut rng()))
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

    pub(crate) fn encryption(&self) -> &EncryptionKey {
        &self.encryption
    }

    pub(crate) fn root(&self) -> &RootSecret {
        &self.root
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

/// Seals the secrets of the key file at `path` under another passphrase, and replaces it in one step.
pub fn change_passphrase(path: &Path, old: &str, new: &str) -> Result<()> {
    let secrets = read(path)?
        .open(&normalised(old))
        .map_err(|error| key_file(path, error))?;
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
