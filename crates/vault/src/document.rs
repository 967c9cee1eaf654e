//! The sealed document: what the parties of a ledger's case (a claim, a trial, a batch) send each other, in one block whose digest
//! stands on chain. Its content is sealed as a record's payload is, and the data key to each party's published key.
//!
//! It says whose it is and what it is about, and opens under no other: a digest that somebody copies into a case of their own
//! leads to nothing. Who wrote it is not proved here but on chain, where the author alone could name its digest.
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use serde_bytes::{ByteArray, ByteBuf};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{
    Binding, DataKey, Domain, EncryptionKey, Error, Metadata, Recipient, cbor,
    hedged::Hedged,
    open_payload,
    payload::commitment,
    seal::{self, Sealed, Suite},
    seal_payload,
};

/// A document block at most; one block of the store holds it.
pub const SEALED_DOCUMENT_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Content at most. With its padding (12 %) and keys it fits the block.
pub const DOCUMENT_CONTENT_BYTES_MAX: usize = 3 * 512 * 1024;
/// The parties of a case are two or three, and their auditors.
pub const DOCUMENT_RECIPIENTS_MAX: usize = 8;

const WHAT: &str = "sealed document";
const FORMAT_VERSION: u64 = 1;
const LABEL: &[u8] = b"medlock/v1/document";

/// What a document is about, and whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DocumentScope {
    /// Address of the ledger that its digest is told to.
    pub ledger: [u8; 20],
    /// The case in that ledger; the chart, where the document comes before the case has a name of its own (a new claim).
    pub subject: [u8; 32],
    /// The party that the ledger knows it from: an organisation, where a member acts for one.
    pub author: [u8; 20],
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedDocument {
    pub scope: DocumentScope,
    /// Ascending by account, each once.
    pub keys: Vec<DocumentKey>,
    /// As [`crate::payload`] describes it.
    pub payload: Vec<u8>,
}

/// The data key, for one party.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentKey {
    /// Of `sealed`.
    pub suite: Suite,
    pub account: [u8; 20],
    /// Which of the account's published keys it is sealed to.
    pub key_version: u32,
    pub sealed: Sealed,
}

impl SealedDocument {
    /// Seals `content` to every recipient; the author is one, or cannot read it again. What one of them can be made to open, by
    /// a quantum computer too, all of them have lost: a case's parties are as strong as the weakest.
    ///
    /// # Errors
    /// [`Error::TooLarge`] beyond [`DOCUMENT_CONTENT_BYTES_MAX`] or [`DOCUMENT_RECIPIENTS_MAX`]; [`Error::Malformed`] for no recipient, or one
    /// named twice; [`Error::BadPublicKey`].
    pub fn seal(
        rng: &mut impl CryptoRng,
        domain: &Domain,
        scope: &DocumentScope,
        metadata: &Metadata,
        content: &[u8],
        recipients: &[Recipient],
    ) -> Result<Self, Error> {
        at_most(content.len(), DOCUMENT_CONTENT_BYTES_MAX)?;
        let mut recipients: Vec<&Recipient> = recipients.iter().collect();
        recipients.sort_by_key(|recipient| recipient.account);
        check_parties(recipients.iter().map(|recipient| &recipient.account))?;
        let payload = seal_payload(rng, &binding(domain, scope), metadata, content)?;
        let data_key = &payload.seal.data_key;
        let mut keys = Vec::with_capacity(recipients.len());
        for &Recipient {
            account,
            key_version,
            ref key,
        } in recipients
        {
            let suite = key.suite();
            let info = info(domain, scope, suite, &account, key_version, &payload.seal.commitment);
            let mut rng = Hedged::new(rng, "medlock/v1/document/hedge", data_key.expose(), &[&info]);
            keys.push(DocumentKey {
                suite,
                account,
                key_version,
                sealed: seal::seal(&mut rng, key, &info, data_key.expose())?,
            });
        }
        Ok(Self {
            scope: *scope,
            keys,
            payload: payload.bytes,
        })
    }

    /// The content, for the recipient `account`, whose key of [`DocumentKey::key_version`] is `key`. `scope` is what the caller asked the
    /// chain for. The caller has checked the block against the digest that stands there.
    ///
    /// # Errors
    /// [`Error::DocumentScope`] for a document of another case or author; [`Error::NotRecipient`]; [`Error::WrongSuite`]; [`Error::Unopened`] on a
    /// wrong key, chain or contract, or altered bytes; as [`open_payload`].
    pub fn open(
        &self,
        domain: &Domain,
        scope: &DocumentScope,
        account: &[u8; 20],
        key: &EncryptionKey,
    ) -> Result<(Metadata, Zeroizing<Vec<u8>>), Error> {
        for (field, same) in [
            ("ledger", self.scope.ledger == scope.ledger),
            ("subject", self.scope.subject == scope.subject),
            ("author", self.scope.author == scope.author),
        ] {
            if !same {
                return Err(Error::DocumentScope { field });
            }
        }
        let sealed = self.key_of(account).ok_or(Error::NotRecipient)?;
        let info = info(
            domain,
            scope,
            sealed.suite,
            account,
            sealed.key_version,
            &commitment(&self.payload)?,
        );
        let data_key = DataKey::from_slice(&key.open(sealed.suite, &info, &sealed.sealed, WHAT)?)?;
        open_payload(&data_key, &binding(domain, scope), &self.payload)
    }

    /// What is sealed to `account`.
    #[must_use]
    pub fn key_of(&self, account: &[u8; 20]) -> Option<&DocumentKey> {
        self.keys.iter().find(|key| key.account == *account)
    }

    pub fn encode(&self) -> Vec<u8> {
        cbor::encode(&Wire {
            v: FORMAT_VERSION,
            ledger: ByteArray::new(self.scope.ledger),
            subject: ByteArray::new(self.scope.subject),
            author: ByteArray::new(self.scope.author),
            keys: self
                .keys
                .iter()
                .map(|key| WireKey {
                    suite: key.suite.id(),
                    account: ByteArray::new(key.account),
                    key_version: key.key_version,
                    encapsulated: ByteBuf::from(key.sealed.encapsulated.as_slice()),
                    sealed: ByteBuf::from(key.sealed.ciphertext.as_slice()),
                })
                .collect(),
            payload: ByteBuf::from(self.payload.as_slice()),
        })
    }

    /// # Errors
    /// [`Error::TooLarge`], [`Error::Malformed`], [`Error::NotCanonical`], [`Error::UnknownVersion`], [`Error::UnknownSuite`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        cbor::check_version(WHAT, bytes, SEALED_DOCUMENT_BYTES_MAX, FORMAT_VERSION)?;
        let wire: Wire = cbor::decode(WHAT, bytes, SEALED_DOCUMENT_BYTES_MAX)?;
        check_parties(wire.keys.iter().map(|key| &*key.account))?;
        let keys = wire.keys.into_iter().map(|key| {
            Ok(DocumentKey {
                suite: Suite::new(key.suite)?,
                account: key.account.into_array(),
                key_version: key.key_version,
                sealed: Sealed {
                    encapsulated: key.encapsulated.into_vec(),
                    ciphertext: key.sealed.into_vec(),
                },
            })
        });
        Ok(Self {
            scope: DocumentScope {
                ledger: wire.ledger.into_array(),
                subject: wire.subject.into_array(),
                author: wire.author.into_array(),
            },
            keys: keys.collect::<Result<_, Error>>()?,
            payload: wire.payload.into_vec(),
        })
    }
}

/// The place of the payload, which a record's can never be: it belongs to no compartment of a chart, and its id is the hash of
/// what a record's id never is.
fn binding(domain: &Domain, scope: &DocumentScope) -> Binding {
    let mut id = Sha256::new_with_prefix(LABEL);
    id.update(scope.ledger);
    id.update(scope.author);
    Binding {
        chain_id: domain.chain_id,
        records: domain.records,
        chart: scope.subject,
        record_id: id.finalize().into(),
        version: 1,
        previous: [0; 32],
        compartment: 0,
    }
}

/// `payload`: the commitment in its header, so that a key opens the payload that it was sealed with and no other.
fn info(
    domain: &Domain,
    scope: &DocumentScope,
    suite: Suite,
    account: &[u8; 20],
    key_version: u32,
    payload: &[u8; 32],
) -> Vec<u8> {
    [
        LABEL,
        &suite.id().to_be_bytes(),
        &domain.to_bytes(),
        &scope.ledger,
        &scope.subject,
        &scope.author,
        account,
        &key_version.to_be_bytes(),
        payload,
    ]
    .concat()
}

fn at_most(size: usize, most: usize) -> Result<(), Error> {
    if size <= most {
        return Ok(());
    }
    Err(Error::TooLarge {
        what: WHAT,
        size: size as u64,
        most: most as u64,
    })
}

fn check_parties<'a>(parties: impl Iterator<Item = &'a [u8; 20]> + Clone) -> Result<(), Error> {
    if !parties.clone().is_sorted_by(|before, after| before < after) {
        return Err(Error::malformed(
            WHAT,
            "recipients that are not each named once, in order",
        ));
    }
    match parties.count() {
        0 => Err(Error::malformed(WHAT, "no recipient")),
        count => at_most(count, DOCUMENT_RECIPIENTS_MAX),
    }
}

/// As in dag-cbor; the encoder sorts the keys.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Wire {
    v: u64,
    ledger: ByteArray<20>,
    subject: ByteArray<32>,
    author: ByteArray<20>,
    keys: Vec<WireKey>,
    payload: ByteBuf,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct WireKey {
    suite: u16,
    account: ByteArray<20>,
    key_version: u32,
    encapsulated: ByteBuf,
    sealed: ByteBuf,
}
