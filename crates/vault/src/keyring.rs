//! The keyring: the compartment keys that go with one grant, sealed to the key that the grantee publishes.
//! Its size depends on the number of compartments and on nothing else.
use medlock_abi::terms::COMPARTMENTS;
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use serde_bytes::{ByteArray, ByteBuf};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{
    CompartmentKeys, CompartmentPrivateKey, Domain, EncryptionKey, Error, HistoryKey, PublicKey, cbor, compartment,
    hedged::Hedged,
    seal::{self, Sealed, Suite},
    secret::SecretBytes,
};

/// A keyring block at most: 64 compartments take under 5 KiB.
pub const KEYRING_BYTES_MAX: usize = 16 * 1024;

const WHAT: &str = "keyring";
const FORMAT_VERSION: u64 = 1;
const ENTRY_BYTES: usize = 1 + 4 + 2 + 1 + 32 + 32;

/// Whose keyring it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyringScope {
    pub chart: [u8; 32],
    pub grantee: [u8; 20],
    /// Of the directory that the keys are current in.
    pub directory_version: u32,
    /// Which of the grantee's published keys it is sealed to.
    pub key_version: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyring {
    /// Of `sealed`.
    pub suite: Suite,
    pub scope: KeyringScope,
    pub sealed: Sealed,
}

impl Keyring {
    /// Seals `keys` (ascending by compartment, each once; none is fine) to the grantee's published key.
    ///
    /// # Errors
    /// [`Error::BadPublicKey`]; [`Error::WeakerRecipient`] for keys of a stronger suite than the recipient's;
    /// [`Error::Malformed`] for keys out of order.
    pub fn seal(
        rng: &mut impl CryptoRng,
        domain: &Domain,
        scope: &KeyringScope,
        recipient: &PublicKey,
        keys: &[CompartmentKeys],
    ) -> Result<Self, Error> {
        if let Some(keys) = keys.iter().find(|keys| keys.suite() > recipient.suite()) {
            let compartment = keys.compartment;
            return Err(Error::WeakerRecipient { compartment });
        }
        let plaintext = encode_keys(keys)?;
        let info = info(recipient.suite(), domain, scope);
        // One scope may have several keyrings: a grant that is replaced. They differ in the keys.
        let secret = Zeroizing::new(<[u8; 32]>::from(Sha256::digest(&*plaintext)));
        let mut rng = Hedged::new(rng, "medlock/v1/keyring/hedge", &secret, &[&info]);
        let sealed = seal::seal(&mut rng, recipient, &info, &plaintext)?;
        Ok(Self {
            suite: recipient.suite(),
            scope: *scope,
            sealed,
        })
    }

    /// The keys, for the grantee. `chart` and `grantee` say whose keyring the caller asked for;
    /// `self.scope.key_version` says which private key opens it.
    ///
    /// # Errors
    /// [`Error::KeyringScope`]; [`Error::WrongSuite`]; [`Error::Unopened`] on a wrong key, chain or contract, or altered bytes;
    /// [`Error::Malformed`].
    pub fn open(
        &self,
        domain: &Domain,
        chart: &[u8; 32],
        grantee: &[u8; 20],
        key: &EncryptionKey,
    ) -> Result<Vec<CompartmentKeys>, Error> {
        for (field, same) in [
            ("chart", self.scope.chart == *chart),
            ("grantee", self.scope.grantee == *grantee),
        ] {
            if !same {
                return Err(Error::KeyringScope { field });
            }
        }
        let info = info(self.suite, domain, &self.scope);
        decode_keys(&key.open(self.suite, &info, &self.sealed, WHAT)?)
    }

    pub fn encode(&self) -> Vec<u8> {
        cbor::encode(&Wire {
            v: FORMAT_VERSION,
            suite: self.suite.id(),
            chart: ByteArray::new(self.scope.chart),
            grantee: ByteArray::new(self.scope.grantee),
            directory_version: self.scope.directory_version,
            key_version: self.scope.key_version,
            encapsulated: ByteBuf::from(self.sealed.encapsulated.as_slice()),
            sealed: ByteBuf::from(self.sealed.ciphertext.as_slice()),
        })
    }

    /// # Errors
    /// [`Error::TooLarge`], [`Error::Malformed`], [`Error::NotCanonical`], [`Error::UnknownVersion`],
    /// [`Error::UnknownSuite`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        cbor::check_version(WHAT, bytes, KEYRING_BYTES_MAX, FORMAT_VERSION)?;
        let wire: Wire = cbor::decode(WHAT, bytes, KEYRING_BYTES_MAX)?;
        Ok(Self {
            suite: Suite::new(wire.suite)?,
            scope: KeyringScope {
                chart: wire.chart.into_array(),
                grantee: wire.grantee.into_array(),
                directory_version: wire.directory_version,
                key_version: wire.key_version,
            },
            sealed: Sealed {
                encapsulated: wire.encapsulated.into_vec(),
                ciphertext: wire.sealed.into_vec(),
            },
        })
    }
}

fn info(suite: Suite, domain: &Domain, scope: &KeyringScope) -> Vec<u8> {
    [
        &b"medlock/v1/keyring"[..],
        &suite.id().to_be_bytes(),
        &domain.to_bytes(),
        &scope.chart,
        &scope.grantee,
        &scope.directory_version.to_be_bytes(),
        &scope.key_version.to_be_bytes(),
    ]
    .concat()
}

/// A count, then entries of one fixed length, so that the block does not show which of them have history:
/// compartment, epoch, suite, flag, private key, history key (zero where there is none).
fn encode_keys(keys: &[CompartmentKeys]) -> Result<SecretBytes, Error> {
    if !keys.is_sorted_by(|left, right| left.compartment < right.compartment) {
        return Err(Error::malformed(
            WHAT,
            "compartments are not in ascending order, each once",
        ));
    }
    let mut out = Zeroizing::new(Vec::with_capacity(1 + keys.len() * ENTRY_BYTES));
    // Ascending and below 64, so at most 64.
    out.push(keys.len() as u8);
    for keys in keys {
        compartment::check(keys.compartment, keys.epoch)?;
        out.push(keys.compartment);
        out.extend_from_slice(&keys.epoch.to_be_bytes());
        out.extend_from_slice(&keys.suite().id().to_be_bytes());
        out.push(keys.history.is_some().into());
        out.extend_from_slice(keys.private.expose());
        out.extend_from_slice(keys.history.as_ref().map_or(&[0; 32], |key| key.expose()));
    }
    Ok(out)
}

fn decode_keys(plaintext: &[u8]) -> Result<Vec<CompartmentKeys>, Error> {
    let malformed = |why: &str| Error::malformed(WHAT, why);
    let (count, entries) = plaintext.split_first().ok_or_else(|| malformed("empty"))?;
    if *count > COMPARTMENTS || entries.len() != usize::from(*count) * ENTRY_BYTES {
        return Err(malformed("a count that does not match its length"));
    }
    let mut keys: Vec<CompartmentKeys> = Vec::with_capacity((*count).into());
    for entry in entries.chunks_exact(ENTRY_BYTES) {
        let (compartment, epoch) = (entry[0], u32::from_be_bytes([entry[1], entry[2], entry[3], entry[4]]));
        compartment::check(compartment, epoch)?;
        let suite = Suite::new(u16::from_be_bytes([entry[5], entry[6]]))?;
        if keys.last().is_some_and(|last| last.compartment >= compartment) {
            return Err(malformed("compartments are not in ascending order, each once"));
        }
        let history = match entry[7] {
            0 if entry[40..] == [0; 32] => None,
            1 => Some(HistoryKey::from_slice(&entry[40..])?),
            _ => return Err(malformed("a flag that is neither 0 nor 1")),
        };
        keys.push(CompartmentKeys {
            compartment,
            epoch,
            private: CompartmentPrivateKey::from_slice(suite, &entry[8..40])?,
            history,
        });
    }
    Ok(keys)
}

/// As in dag-cbor; the encoder sorts the keys.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Wire {
    v: u64,
    suite: u16,
    chart: ByteArray<32>,
    grantee: ByteArray<20>,
    directory_version: u32,
    key_version: u32,
    encapsulated: ByteBuf,
    sealed: ByteBuf,
}
