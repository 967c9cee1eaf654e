//! Key files on disk.

use std::path::Path;

use medlock_vault::{KeyFile, Secrets, Suite};

use super::{Identity, normalised, rng, seal};
use crate::{
    error::{Error, Result},
    file,
};

impl Identity {
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
    let sealed = seal(secrets, passphrase).map_err(|error| key_file(path, error))?;
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
    let sealed = seal(&secrets, new).map_err(|error| key_file(path, error))?;
    file::replace(path, sealed.to_json().as_bytes()).map_err(|error| key_file(path, error))
}

fn key_file(path: &Path, detail: impl std::fmt::Display) -> Error {
    Error::KeyFile(format!("{}: {detail}", path.display()))
}
