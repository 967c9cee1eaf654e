//! What an account keeps for itself where others may look, such as the names of its patients in a browser: sealed to its own key alone, in the
//! form of a ledger's document (`medlock_vault::document`).

use alloy::primitives::{Address, keccak256};
use medlock_vault::{DocumentScope, Metadata, Recipient, SealedDocument, Zeroizing};

use crate::{Client, error::Result, identity::opened_by_one, record::tampered};

const WHAT: &str = "what was kept";
/// Of each thing that is kept, before its name.
const SUBJECT: &str = "medlock/v1/own/";
/// It is sealed to the key that the identity has, whether that was published or not.
const NO_KEY_VERSION: u32 = 0;

impl Client {
    /// Seals `content` to ourselves, whoever we act for, under a name for it: under another it does not open. Whoever keeps it can put an older one in
    /// its place.
    ///
    /// # Errors
    /// [`crate::Error::Vault`] for more than [`medlock_vault::document::DOCUMENT_CONTENT_BYTES_MAX`].
    pub fn seal_own(&self, name: &str, content: &[u8]) -> Result<Vec<u8>> {
        let recipient = Recipient {
            account: self.address().into_array(),
            key_version: NO_KEY_VERSION,
            key: self.identity.encryption().public_key(),
        };
        let (domain, scope, metadata) = (self.domain(), self.own_scope(name), Metadata::default());
        let sealed = SealedDocument::seal(
            &mut crate::identity::rng(),
            &domain,
            &scope,
            &metadata,
            content,
            &[recipient],
        );
        Ok(sealed?.encode())
    }

    /// What [`Client::seal_own`] has sealed, by any key of ours.
    ///
    /// # Errors
    /// [`crate::Error::Tampered`] for what is not that, or was sealed under another name, for another account or deployment.
    pub fn open_own(&self, name: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let sealed = SealedDocument::decode(sealed).map_err(tampered(WHAT))?;
        let account = self.address().into_array();
        let key = sealed.key_of(&account);
        let suite = key.ok_or_else(|| tampered(WHAT)("it is somebody else's"))?.suite;
        let opened = opened_by_one(self.identity.encryption_keys(), suite, WHAT, |key| {
            sealed.open(&self.domain(), &self.own_scope(name), &account, key)
        });
        Ok(opened.map_err(tampered(WHAT))?.1)
    }

    fn own_scope(&self, name: &str) -> DocumentScope {
        DocumentScope {
            // No contract has anything to do with it.
            ledger: Address::ZERO.into_array(),
            subject: keccak256(format!("{SUBJECT}{name}")).0,
            author: self.address().into_array(),
        }
    }
}
