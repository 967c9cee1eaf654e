//! Who the client acts for: the open secrets of one key file.

use std::path::Path;

use alloy::{primitives::Address, signers::local::PrivateKeySigner};
use medlock_vault::{EncryptionKey, KdfParams, KeyFile, RootSecret, Secrets, rand_core::CryptoRng};

use crate::error::{Error, Result};

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
            .open(passphrase.as_bytes())
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
    let file = seal(path, secrets, passphrase)?;
    write_new(path, file.to_json().as_bytes())?;
    Ok(file)
}

/// Seals the secrets of the key file at `path` under another passphrase, and replaces it in one step.
pub fn change_passphrase(path: &Path, old: &str, new: &str) -> Result<()> {
    let secrets = read(path)?
        .open(old.as_bytes())
        .map_err(|error| key_file(path, error))?;
    let file = seal(path, &secrets, new)?;
    let beside = path.with_extension("new");
    write_new(&beside, file.to_json().as_bytes())?;
    std::fs::rename(&beside, path).map_err(|error| key_file(path, error))
}

fn seal(path: &Path, secrets: &Secrets, passphrase: &str) -> Result<KeyFile> {
    if passphrase.is_empty() {
        return Err(key_file(path, "the passphrase is empty"));
    }
    KeyFile::seal(&mut rng(), secrets, passphrase.as_bytes(), KdfParams::OWASP).map_err(|error| key_file(path, error))
}

fn write_new(path: &Path, bytes: &[u8]) -> Result<()> {
    use std::{io::Write, os::unix::fs::OpenOptionsExt};
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(|error| key_file(path, error))?;
    }
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| key_file(path, error))?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    written.map_err(|error| {
        // Half a key file must not be taken for one; the error that matters is the first.
        let _ = std::fs::remove_file(path);
        key_file(path, error)
    })
}

fn key_file(path: &Path, detail: impl std::fmt::Display) -> Error {
    Error::KeyFile(format!("{}: {detail}", path.display()))
}
