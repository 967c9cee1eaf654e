//! The membership: an organisation's encryption keys, sealed to the key that one of its members publishes.
//! Whoever holds it opens every keyring that was sealed to the organisation; its size depends on the number of keys and on nothing else.
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use serde_bytes::{ByteArray, ByteBuf};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{
    Domain, EncryptionKey, Error, PublicKey, cbor,
    hedged::Hedged,
    keyfile::ENCRYPTION_KEYS_MAX,
    seal::{self, Sealed, Suite},
    secret::SecretBytes,
};

/// A membership block at most: all the keys that a key file holds take under 4 KiB under X-Wing.
pub const MEMBERSHIP_BYTES_MAX: usize = 4 * 1024;

const WHAT: &str = "membership";
const FORMAT_VERSION: u64 = 1;
const ENTRY_BYTES: usize = 2 + 32;

/// Whose membership it is, and which published keys it stands between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MembershipScope {
    pub organisation: [u8; 20],
    pub member: [u8; 20],
    /// Of the organisation's published keys, the one that is the newest in here.
    pub organisation_key_version: u32,
    /// Which of the member's published keys it is sealed to.
    pub member_key_version: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// Of `sealed`.
    pub suite: Suite,
    pub scope: MembershipScope,
    pub sealed: Sealed,
}

impl Membership {
    /// Seals the organisation's `keys`, newest first, to the member's published key.
    ///
    /// # Errors
    /// [`Error::BadPublicKey`]; [`Error::WeakerMember`] for keys of a stronger suite than the recipient's; [`Error::TooLarge`] beyond
    /// [`ENCRYPTION_KEYS_MAX`]; [`Error::Malformed`] for none.
    pub fn seal(
        rng: &mut impl CryptoRng,
        domain: &Domain,
        scope: &MembershipScope,
        recipient: &PublicKey,
        keys: &[&EncryptionKey],
    ) -> Result<Self, Error> {
        if keys.iter().any(|key| key.suite() > recipient.suite()) {
            return Err(Error::WeakerMember);
        }
        let plaintext = encode_keys(keys)?;
        let info = info(recipient.suite(), domain, scope);
        // One scope may be sealed for twice, and not with the same keys: two devices of the organisation's.
        let secret = Zeroizing::new(<[u8; 32]>::from(Sha256::digest(&*plaintext)));
        let mut rng = Hedged::new(rng, "medlock/v1/membership/hedge", &secret, &[&info]);
        let sealed = seal::seal(&mut rng, recipient, &info, &plaintext)?;
        Ok(Self {
            suite: recipient.suite(),
            scope: *scope,
            sealed,
        })
    }

    /// The organisation's keys, newest first, for the member; `organisation` and `member` say whose membership the caller asked for.
    /// Anybody can seal anything to a member: whether the newest key is the organisation's, its digest on chain says.
    ///
    /// # Errors
    /// [`Error::MembershipScope`]; [`Error::WrongSuite`]; [`Error::Unopened`] on a wrong key, chain or contract, or altered bytes;
    /// [`Error::Malformed`].
    pub fn open(
        &self,
        domain: &Domain,
        organisation: &[u8; 20],
        member: &[u8; 20],
        key: &EncryptionKey,
    ) -> Result<Vec<EncryptionKey>, Error> {
        self.expect(organisation, member)?;
        let info = info(self.suite, domain, &self.scope);
        decode_keys(&key.open(self.suite, &info, &self.sealed, WHAT)?)
    }

    /// That it says it is this organisation's and this member's.
    ///
    /// # Errors
    /// [`Error::MembershipScope`].
    pub fn expect(&self, organisation: &[u8; 20], member: &[u8; 20]) -> Result<(), Error> {
        for (field, same) in [
            ("organisation", self.scope.organisation == *organisation),
            ("member", self.scope.member == *member),
        ] {
            if !same {
                return Err(Error::MembershipScope { field });
            }
        }
        Ok(())
    }

    pub fn encode(&self) -> Vec<u8> {
        cbor::encode(&Wire {
            v: FORMAT_VERSION,
            suite: self.suite.id(),
            organisation: ByteArray::new(self.scope.organisation),
            member: ByteArray::new(self.scope.member),
            organisation_key_version: self.scope.organisation_key_version,
            member_key_version: self.scope.member_key_version,
            encapsulated: ByteBuf::from(self.sealed.encapsulated.as_slice()),
            sealed: ByteBuf::from(self.sealed.ciphertext.as_slice()),
        })
    }

    /// # Errors
    /// [`Error::TooLarge`], [`Error::Malformed`], [`Error::NotCanonical`], [`Error::UnknownVersion`],
    /// [`Error::UnknownSuite`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        cbor::check_version(WHAT, bytes, MEMBERSHIP_BYTES_MAX, FORMAT_VERSION)?;
        let wire: Wire = cbor::decode(WHAT, bytes, MEMBERSHIP_BYTES_MAX)?;
        Ok(Self {
            suite: Suite::new(wire.suite)?,
            scope: MembershipScope {
                organisation: wire.organisation.into_array(),
                member: wire.member.into_array(),
                organisation_key_version: wire.organisation_key_version,
                member_key_version: wire.member_key_version,
            },
            sealed: Sealed {
                encapsulated: wire.encapsulated.into_vec(),
                ciphertext: wire.sealed.into_vec(),
            },
        })
    }
}

fn info(suite: Suite, domain: &Domain, scope: &MembershipScope) -> Vec<u8> {
    [
        &b"medlock/v1/membership"[..],
        &suite.id().to_be_bytes(),
        &domain.to_bytes(),
        &scope.organisation,
        &scope.member,
        &scope.organisation_key_version.to_be_bytes(),
        &scope.member_key_version.to_be_bytes(),
    ]
    .concat()
}

/// A count, then entries of one fixed length: suite, private key.
fn encode_keys(keys: &[&EncryptionKey]) -> Result<SecretBytes, Error> {
    if keys.is_empty() {
        return Err(Error::malformed(WHAT, "no key"));
    }
    if keys.len() > ENCRYPTION_KEYS_MAX {
        return Err(Error::TooLarge {
            what: "list of encryption keys",
            size: keys.len() as u64,
            most: ENCRYPTION_KEYS_MAX as u64,
        });
    }
    let mut out = Zeroizing::new(Vec::with_capacity(1 + keys.len() * ENTRY_BYTES));
    // At most `ENCRYPTION_KEYS_MAX`, which is less than 256.
    out.push(keys.len() as u8);
    for key in keys {
        out.extend_from_slice(&key.suite().id().to_be_bytes());
        out.extend_from_slice(key.expose());
    }
    Ok(out)
}

fn decode_keys(plaintext: &[u8]) -> Result<Vec<EncryptionKey>, Error> {
    let malformed = |why: &str| Error::malformed(WHAT, why);
    let (count, entries) = plaintext.split_first().ok_or_else(|| malformed("empty"))?;
    let count = usize::from(*count);
    if !(1..=ENCRYPTION_KEYS_MAX).contains(&count) || entries.len() != count * ENTRY_BYTES {
        return Err(malformed("a count that does not match its length"));
    }
    let keys = entries.chunks_exact(ENTRY_BYTES).map(|entry| {
        let suite = Suite::new(u16::from_be_bytes([entry[0], entry[1]]))?;
        EncryptionKey::from_slice(suite, &entry[2..])
    });
    keys.collect()
}

/// As in dag-cbor; the encoder sorts the keys.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Wire {
    v: u64,
    suite: u16,
    organisation: ByteArray<20>,
    member: ByteArray<20>,
    organisation_key_version: u32,
    member_key_version: u32,
    encapsulated: ByteBuf,
    sealed: ByteBuf,
}
