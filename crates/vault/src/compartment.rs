//! Compartment keys. A compartment has a key pair (X25519 or X-Wing) and a history key in each epoch, all derived from the
//! controller's root secret. A rotation moves the compartment to the next epoch; a [`Link`] leads back:
//! whoever holds the history key of epoch e opens the keys of epoch e - 1, and so on down. Nothing leads forward.
use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Payload},
};
use medlock_abi::terms::COMPARTMENTS;
use zeroize::Zeroizing;

use crate::{
    Error, PublicKey,
    seal::Suite,
    secret::{CompartmentPrivateKey, HistoryKey, RootSecret, hkdf},
    stack,
};

/// The first epoch; 0 means none.
pub const EPOCH_FIRST: u32 = 1;

/// Length of a link: suite, private key, history key, tag.
pub const LINK_BYTES: usize = 2 + 32 + 32 + 16;

/// The private keys of one compartment in one epoch.
#[derive(Clone)]
pub struct CompartmentKeys {
    pub compartment: u8,
    pub epoch: u32,
    pub private: CompartmentPrivateKey,
    /// Absent where history was not granted.
    pub history: Option<HistoryKey>,
}

/// The keys of the epoch before, sealed under the history key of one epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link(pub [u8; LINK_BYTES]);

impl CompartmentKeys {
    /// The controller's way to the keys of any epoch. Each epoch has one suite, which its directory and its envelopes name.
    ///
    /// # Errors
    /// [`Error::CompartmentRange`]; [`Error::Malformed`] for epoch 0.
    pub fn derive(
        root: &RootSecret,
        chart: &[u8; 32],
        compartment: u8,
        epoch: u32,
        suite: Suite,
    ) -> Result<Self, Error> {
        check(compartment, epoch)?;
        let place = [&chart[..], &[compartment], &epoch.to_be_bytes()].concat();
        let mut ikm = Zeroizing::new([0; 32]);
        hkdf(
            root.expose(),
            None,
            &[b"medlock/v1/compartment/key", &suite.id().to_be_bytes(), &place],
            &mut *ikm,
        );
        let private = CompartmentPrivateKey::derive(suite, &ikm);
        let history = HistoryKey::filled(|key| {
            hkdf(root.expose(), None, &[b"medlock/v1/compartment/history", &place], key);
        });
        Ok(Self {
            compartment,
            epoch,
            private,
            history: Some(history),
        })
    }

    /// Under which suite the key pair is.
    pub fn suite(&self) -> Suite {
        self.private.suite()
    }

    pub fn public_key(&self) -> PublicKey {
        self.private.public_key()
    }

    /// The same keys for a grantee who may not read what was sealed before this epoch.
    #[must_use]
    pub fn without_history(mut self) -> Self {
        self.history = None;
        self
    }

    /// The link from `self` back to `older`, which must be the epoch before.
    ///
    /// # Errors
    /// [`Error::WrongCompartment`], [`Error::WrongEpoch`]; [`Error::NoHistory`] where either lacks its history key.
    pub fn seal_link(&self, chart: &[u8; 32], older: &Self) -> Result<Link, Error> {
        if older.compartment != self.compartment {
            return Err(Error::WrongCompartment {
                given: older.compartment,
                expected: self.compartment,
            });
        }
        if older.epoch.checked_add(1) != Some(self.epoch) {
            return Err(Error::WrongEpoch {
                given: older.epoch,
                expected: self.epoch.saturating_sub(1),
            });
        }
        let older_history = older.history.as_ref().ok_or_else(|| older.no_history())?;
        let mut plaintext = Zeroizing::new([0; LINK_BYTES - 16]);
        plaintext[..2].copy_from_slice(&older.suite().id().to_be_bytes());
        plaintext[2..34].copy_from_slice(older.private.expose());
        plaintext[34..].copy_from_slice(older_history.expose());
        // AES-GCM fails only on messages of gigabytes (SP 800-38D section 5.2.1.1).
        let sealed = stack::wiping(|| {
            let (cipher, aad) = self.link_cipher(chart)?;
            let payload = Payload {
                msg: &plaintext[..],
                aad: &aad,
            };
            Ok(cipher.encrypt(&LINK_NONCE.into(), payload))
        })?
        .expect("66 bytes are within AES-GCM's limit");
        Ok(Link(
            sealed.try_into().expect("66 bytes and a tag of 16 are LINK_BYTES"),
        ))
    }

    /// The keys of the epoch before.
    ///
    /// # Errors
    /// [`Error::NoHistory`]; [`Error::Unopened`] on a link of another place or an altered one.
    pub fn open_link(&self, chart: &[u8; 32], link: &Link) -> Result<Self, Error> {
        const WHAT: &str = "the link to the epoch before";
        let opened = stack::wiping(|| {
            let (cipher, aad) = self.link_cipher(chart)?;
            let payload = Payload {
                msg: &link.0,
                aad: &aad,
            };
            Ok(cipher.decrypt(&LINK_NONCE.into(), payload))
        })?;
        let plaintext = opened.map_err(|_| Error::Unopened { what: WHAT })?;
        let plaintext = Zeroizing::new(plaintext);
        let suite = Suite::new(u16::from_be_bytes([plaintext[0], plaintext[1]]))?;
        // The first epoch has nothing before it, and no link of it can be sealed.
        let epoch = self.epoch.checked_sub(1).filter(|epoch| *epoch >= EPOCH_FIRST);
        Ok(Self {
            compartment: self.compartment,
            epoch: epoch.ok_or_else(|| self.no_history())?,
            private: CompartmentPrivateKey::from_slice(suite, &plaintext[2..34])?,
            history: Some(HistoryKey::from_slice(&plaintext[34..])?),
        })
    }

    fn link_cipher(&self, chart: &[u8; 32]) -> Result<(Aes256Gcm, Vec<u8>), Error> {
        let history = self.history.as_ref().ok_or_else(|| self.no_history())?;
        let mut key = Zeroizing::new([0; 32]);
        hkdf(history.expose(), None, &[b"medlock/v1/compartment/link"], &mut *key);
        let aad = [
            &b"medlock/v1/compartment/link"[..],
            chart,
            &[self.compartment],
            &self.epoch.to_be_bytes(),
        ]
        .concat();
        Ok((Aes256Gcm::new((&*key).into()), aad))
    }

    fn no_history(&self) -> Error {
        Error::NoHistory {
            compartment: self.compartment,
            epoch: self.epoch.saturating_sub(1),
        }
    }
}

/// A fixed nonce is safe here because each link key encrypts one message only, ever: the key belongs to one
/// (root, chart, compartment, epoch), and the message (the keys of the epoch before) and the associated data are
/// functions of the same four. Sealing the link again for a later directory gives the same bytes. A controller who
/// changes their root secret starts a new epoch under the new root, hence a new history key.
const LINK_NONCE: [u8; 12] = [0; 12];

pub(crate) fn check(compartment: u8, epoch: u32) -> Result<(), Error> {
    if compartment >= COMPARTMENTS {
        return Err(Error::CompartmentRange { compartment });
    }
    if epoch < EPOCH_FIRST {
        return Err(Error::malformed("compartment", "epochs count from 1"));
    }
    Ok(())
}
