//! Who the client acts for: the open secrets of one key file.

use alloy::{primitives::Address, signers::local::PrivateKeySigner};
use medlock_vault::{
    EncryptionKey, Error as VaultError, KdfParams, KeyFile, Mnemonic, RootSecret, Secrets, Suite, Zeroizing,
    keyfile::ENCRYPTION_KEYS_MAX, rand_core::CryptoRng,
};
use unicode_normalization::UnicodeNormalization;

use std::sync::Arc;

use crate::{
    error::{Error, Result},
    signer::{Signer, Wallet},
};

#[cfg(not(target_arch = "wasm32"))]
mod disk;
#[cfg(not(target_arch = "wasm32"))]
pub use disk::{change_passphrase, create, read, rotate_encryption};

/// Randomness of the operating system.
pub fn rng() -> impl CryptoRng {
    medlock_vault::rand_core::UnwrapErr(getrandom::SysRng)
}

/// An account with the keys that go with it. Never printed, never serialized.
#[derive(Clone)]
pub struct Identity {
    signer: Signer,
    secrets: Secrets,
}

impl Identity {
    pub fn new(secrets: &Secrets) -> Result<Self> {
        let signer = PrivateKeySigner::from_slice(secrets.account.expose())
            .map_err(|_| Error::Usage("the key file's account key is not a valid key".into()))?;
        Ok(Self {
            signer: Signer::Key(signer),
            secrets: secrets.clone(),
        })
    }

    /// A fresh one that exists in memory alone.
    pub fn generate() -> Result<Self> {
        Self::new(&Secrets::generate(&mut rng(), Suite::default()))
    }

    /// Opens a key file's text.
    ///
    /// # Errors
    /// [`Error::Vault`] where it is no key file, or does not open.
    pub fn unseal(key_file: &str, passphrase: &str) -> Result<Self> {
        Self::new(&unsealed(key_file, passphrase)?)
    }

    pub fn address(&self) -> Address {
        self.signer.address()
    }

    pub fn signer(&self) -> &Signer {
        &self.signer
    }

    /// The same secrets, for the account of a wallet, which signs and sends in the place of the account key.
    pub fn with_wallet(mut self, account: Address, wallet: Arc<dyn Wallet>) -> Self {
        self.signer = Signer::Wallet { account, wallet };
        self
    }

    /// The same secrets, for an account of another key.
    pub(crate) fn with_key(&self, key: PrivateKeySigner) -> Self {
        Self {
            signer: Signer::Key(key),
            secrets: self.secrets.clone(),
        }
    }

    /// The account key.
    ///
    /// # Errors
    /// [`Error::Usage`] where a wallet signs.
    pub fn key(&self) -> Result<&PrivateKeySigner> {
        match &self.signer {
            Signer::Key(key) => Ok(key),
            Signer::Wallet { .. } => Err(Error::Usage("this takes a key: the account is a wallet's".into())),
        }
    }

    /// The root secret as 24 words, to be written down.
    pub fn words(&self) -> Mnemonic {
        Mnemonic::of(&self.secrets.root)
    }

    /// Of the encryption key.
    pub fn suite(&self) -> Suite {
        self.secrets.encryption.suite()
    }

    /// The encryption key to publish.
    pub(crate) fn encryption(&self) -> &EncryptionKey {
        &self.secrets.encryption
    }

    /// The key file has no place for another encryption key.
    pub fn holds_most_keys(&self) -> bool {
        self.encryption_keys().count() >= ENCRYPTION_KEYS_MAX
    }

    /// All that were ever published, newest first.
    pub(crate) fn encryption_keys(&self) -> impl Iterator<Item = &EncryptionKey> {
        std::iter::once(&self.secrets.encryption).chain(&self.secrets.retired)
    }

    pub(crate) fn root(&self) -> &RootSecret {
        &self.secrets.root
    }
}

/// Opens what was sealed to one of `keys`: it says by number which of them, and a key file does not number them. The one of the right
/// suite that opens it is the one; there are few.
///
/// # Errors
/// [`VaultError::Unopened`] where none does; otherwise what was wrong with what one of them opened.
pub(crate) fn opened_by_one<'a, T>(
    keys: impl IntoIterator<Item = &'a EncryptionKey>,
    suite: Suite,
    what: &'static str,
    mut open: impl FnMut(&EncryptionKey) -> std::result::Result<T, VaultError>,
) -> std::result::Result<T, VaultError> {
    let mut error = VaultError::Unopened { what };
    for key in keys.into_iter().filter(|key| key.suite() == suite) {
        match open(key) {
            Err(VaultError::Unopened { .. }) => {}
            Err(other) => error = other,
            opened => return opened,
        }
    }
    Err(error)
}

/// Seals `secrets` under `passphrase`, with today's format and cost.
///
/// # Errors
/// [`Error::Usage`] for an empty passphrase.
pub fn seal(secrets: &Secrets, passphrase: &str) -> Result<KeyFile> {
    if passphrase.is_empty() {
        return Err(Error::Usage("the passphrase is empty".into()));
    }
    Ok(KeyFile::seal(
        &mut rng(),
        secrets,
        &normalised(passphrase),
        KdfParams::OWASP,
    )?)
}

/// The secrets of a key file's text, to be sealed anew.
pub(crate) fn unsealed(key_file: &str, passphrase: &str) -> Result<Secrets> {
    Ok(KeyFile::from_json(key_file)?.open(&normalised(passphrase))?)
}

/// Seals the secrets of a key file's text under another passphrase.
///
/// # Errors
/// Those of [`Identity::unseal`] and [`seal`].
pub fn resealed(key_file: &str, old: &str, new: &str) -> Result<KeyFile> {
    seal(&unsealed(key_file, old)?, new)
}

/// Whether the key file is of an earlier format or costs an attacker less than a new one would.
/// [`change_passphrase`], to the same one if need be, makes it a new one.
pub fn is_outdated(file: &KeyFile) -> bool {
    file.is_outdated(&KdfParams::OWASP)
}

/// The same passphrase typed on another keyboard may be other code points: NFC, as docs/formats.md has it.
fn normalised(passphrase: &str) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(passphrase.nfc().collect::<String>().into_bytes())
}
