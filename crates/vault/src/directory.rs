//! The compartment directory: for each compartment of a chart its epoch, public key and links to earlier epochs,
//! and the names of the compartments, which only the controller can open. The controller signs its body (EIP-712
//! `CompartmentDirectory`); the digest of the block and the version stand on chain, so nobody can serve a stale or
//! forged one.
use std::collections::BTreeMap;

use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Payload},
};
use alloy_primitives::{Address, B256};
use alloy_sol_types::SolStruct;
use medlock_abi::signed::CompartmentDirectory;
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use serde_bytes::{ByteArray, ByteBuf};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{
    CompartmentKeys, Domain, Error, Link, PublicKey, cbor, compartment,
    compartment::LINK_BYTES,
    seal::Suite,
    secret::{RootSecret, hkdf},
    signed::{SIGNATURE_BYTES_MAX, Signed, check_signature},
    stack,
};

/// A directory block at most: 64 compartments with 190 rotations each, or one with 12,000.
pub const DIRECTORY_BYTES_MAX: usize = 1024 * 1024;
/// One label at most, UTF-8.
pub const LABEL_BYTES_MAX: usize = 256;

const WHAT: &str = "directory";
const FORMAT_VERSION: u64 = 1;
/// Sealed labels are padded to a multiple of this, so that their length tells little.
const LABELS_STEP_BYTES: usize = 256;
/// Links left out at once where a directory is full, so that not every rotation from then on has to.
const FORGOTTEN_AT_ONCE: usize = 16;

/// One compartment as writers and readers need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub compartment: u8,
    pub epoch: u32,
    /// Envelopes are sealed to it.
    pub key: PublicKey,
    /// Newest first: `links[0]` leads from `epoch` to `epoch - 1`. The controller may forget the oldest.
    pub links: Vec<Link>,
}

/// What the controller signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryBody {
    pub chart: [u8; 32],
    /// Counts from 1, as on chain.
    pub version: u32,
    /// By ascending number, each at most once.
    pub compartments: Vec<Entry>,
    pub labels: SealedLabels,
}

/// The names of compartments, sealed under a key that only the controller derives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedLabels {
    nonce: [u8; 12],
    ciphertext: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directory {
    pub body: DirectoryBody,
    /// Of the controller, over [`DirectoryBody::signing_hash`].
    pub signature: Vec<u8>,
}

impl DirectoryBody {
    /// The first directory of `chart`: each compartment in its first epoch, under the suite given.
    ///
    /// # Errors
    /// [`Error::CompartmentRange`]; [`Error::TooLarge`] for a label.
    pub fn first(
        rng: &mut impl CryptoRng,
        root: &RootSecret,
        chart: &[u8; 32],
        compartments: &BTreeMap<u8, Suite>,
        labels: &BTreeMap<u8, String>,
    ) -> Result<Self, Error> {
        let version = 1;
        let entries = compartments.iter().map(|(compartment, suite)| {
            let keys = CompartmentKeys::derive(root, chart, *compartment, compartment::EPOCH_FIRST, *suite)?;
            Ok(Entry {
                compartment: *compartment,
                epoch: keys.epoch,
                key: keys.public_key(),
                links: Vec::new(),
            })
        });
        Ok(Self {
            chart: *chart,
            version,
            compartments: entries.collect::<Result<_, Error>>()?,
            labels: SealedLabels::seal(rng, root, chart, version, labels)?,
        })
    }

    /// The directory after this one: the compartments in `rotated` one epoch on, under the suite given, the others as
    /// they are. `version` is what the chain expects, and later than this one's.
    ///
    /// Where the links would not fit any more, the oldest are left out: to rotate comes first, since a revocation waits
    /// for it. The controller still derives the keys that they lead to; grantees can no longer reach them.
    ///
    /// # Errors
    /// [`Error::KeyMismatch`], [`Error::Unopened`] with another root secret; [`Error::UnknownCompartment`];
    /// [`Error::Malformed`] for a version that is not later, and after the last epoch.
    pub fn next(
        &self,
        rng: &mut impl CryptoRng,
        root: &RootSecret,
        version: u32,
        rotated: &BTreeMap<u8, Suite>,
    ) -> Result<Self, Error> {
        if version <= self.version {
            return Err(Error::malformed(WHAT, "its version is not later than the one before"));
        }
        let labels = SealedLabels::seal(rng, root, &self.chart, version, &self.open_labels(root)?)?;
        let mut next = Self {
            version,
            labels,
            ..self.clone()
        };
        for (compartment, suite) in rotated {
            next.rotate(root, *compartment, *suite)?;
        }
        while next.bytes_signed() > DIRECTORY_BYTES_MAX {
            let longest = next.compartments.iter_mut().max_by_key(|entry| entry.links.len());
            // Without links, 64 compartments take under 100 KiB.
            let longest = longest.expect("a directory that is too large has compartments");
            longest
                .links
                .truncate(longest.links.len().saturating_sub(FORGOTTEN_AT_ONCE));
        }
        Ok(next)
    }

    fn rotate(&mut self, root: &RootSecret, compartment: u8, suite: Suite) -> Result<(), Error> {
        let chart = self.chart;
        let entry = self
            .compartments
            .iter_mut()
            .find(|entry| entry.compartment == compartment);
        let entry = entry.ok_or(Error::UnknownCompartment { compartment })?;
        let older = CompartmentKeys::derive(root, &chart, compartment, entry.epoch, entry.key.suite())?;
        if older.public_key() != entry.key {
            let epoch = entry.epoch;
            return Err(Error::KeyMismatch { compartment, epoch });
        }
        let epoch = entry.epoch.checked_add(1);
        let epoch = epoch.ok_or_else(|| Error::malformed(WHAT, "there is no epoch after the last"))?;
        let newer = CompartmentKeys::derive(root, &chart, compartment, epoch, suite)?;
        entry.links.insert(0, newer.seal_link(&chart, &older)?);
        entry.epoch = epoch;
        entry.key = newer.public_key();
        Ok(())
    }

    /// The length of the block, with room for the longest signature.
    fn bytes_signed(&self) -> usize {
        cbor::encode(&self.to_wire()).len() + SIGNATURE_BYTES_MAX + 32
    }

    /// The entry of a compartment.
    ///
    /// # Errors
    /// [`Error::UnknownCompartment`].
    pub fn entry(&self, compartment: u8) -> Result<&Entry, Error> {
        self.compartments
            .iter()
            .find(|entry| entry.compartment == compartment)
            .ok_or(Error::UnknownCompartment { compartment })
    }

    /// The keys of `epoch`, reached from `keys` (of the same compartment, at that epoch or later) over the links.
    ///
    /// # Errors
    /// [`Error::WrongEpoch`] when `keys` are older than asked for, or newer than the directory;
    /// [`Error::KeyMismatch`] when they are not the directory's; [`Error::NoHistory`]; [`Error::NoLink`];
    /// [`Error::Unopened`].
    pub fn keys_at_epoch(&self, keys: &CompartmentKeys, epoch: u32) -> Result<CompartmentKeys, Error> {
        let entry = self.entry(keys.compartment)?;
        if epoch > keys.epoch || epoch < compartment::EPOCH_FIRST {
            return Err(Error::WrongEpoch {
                given: keys.epoch,
                expected: epoch,
            });
        }
        if keys.epoch > entry.epoch {
            return Err(Error::WrongEpoch {
                given: keys.epoch,
                expected: entry.epoch,
            });
        }
        if keys.epoch == entry.epoch && keys.public_key() != entry.key {
            return Err(Error::KeyMismatch {
                compartment: keys.compartment,
                epoch: keys.epoch,
            });
        }
        let mut keys = keys.clone();
        while keys.epoch > epoch {
            let (compartment, older) = (keys.compartment, keys.epoch - 1);
            if keys.history.is_none() {
                return Err(Error::NoHistory {
                    compartment,
                    epoch: older,
                });
            }
            let link = entry.links.get((entry.epoch - keys.epoch) as usize);
            keys = keys.open_link(
                &self.chart,
                link.ok_or(Error::NoLink {
                    compartment,
                    epoch: older,
                })?,
            )?;
        }
        Ok(keys)
    }

    /// The names of the compartments, for the controller.
    ///
    /// # Errors
    /// [`Error::Unopened`] with another root secret.
    pub fn open_labels(&self, root: &RootSecret) -> Result<BTreeMap<u8, String>, Error> {
        self.labels.open(root, &self.chart, self.version)
    }

    /// sha2-256 of the body's encoding: the `body` of the signed statement.
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(cbor::encode(&self.to_wire())).into()
    }

    /// The EIP-712 hash that the controller signs.
    pub fn signing_hash(&self, domain: &Domain) -> B256 {
        self.statement().eip712_signing_hash(&domain.eip712())
    }

    /// The EIP-712 statement, for signers that show it.
    pub fn statement(&self) -> CompartmentDirectory {
        CompartmentDirectory {
            chart: self.chart.into(),
            version: self.version,
            body: self.digest().into(),
        }
    }

    /// Adds the controller's signature over [`DirectoryBody::signing_hash`].
    pub fn with_signature(self, signature: Vec<u8>) -> Directory {
        Directory { body: self, signature }
    }

    fn check(&self) -> Result<(), Error> {
        let malformed = |why: &str| Err(Error::malformed(WHAT, why));
        if self.version == 0 {
            return malformed("versions count from 1");
        }
        if !self
            .compartments
            .is_sorted_by(|left, right| left.compartment < right.compartment)
        {
            return malformed("compartments are not in ascending order, each once");
        }
        for entry in &self.compartments {
            compartment::check(entry.compartment, entry.epoch)?;
            if entry.links.len() >= entry.epoch as usize {
                return malformed("more links than earlier epochs");
            }
        }
        Ok(())
    }

    fn to_wire(&self) -> WireBody {
        WireBody {
            v: FORMAT_VERSION,
            chart: ByteArray::new(self.chart),
            version: self.version,
            compartments: self
                .compartments
                .iter()
                .map(|entry| WireEntry {
                    compartment: entry.compartment,
                    epoch: entry.epoch,
                    suite: entry.key.suite().id(),
                    key: ByteBuf::from(entry.key.as_bytes()),
                    links: entry.links.iter().map(|link| ByteBuf::from(&link.0[..])).collect(),
                })
                .collect(),
            labels: WireLabels {
                nonce: ByteArray::new(self.labels.nonce),
                sealed: ByteBuf::from(self.labels.ciphertext.as_slice()),
            },
        }
    }

    fn from_wire(wire: WireBody) -> Result<Self, Error> {
        let mut compartments = Vec::with_capacity(wire.compartments.len());
        for entry in wire.compartments {
            let key = PublicKey::new(Suite::new(entry.suite)?, &entry.key)?;
            let links = entry.links.iter().map(|link| {
                <[u8; LINK_BYTES]>::try_from(link.as_slice())
                    .map(Link)
                    .map_err(|_| Error::malformed(WHAT, "a link of a wrong length"))
            });
            compartments.push(Entry {
                compartment: entry.compartment,
                epoch: entry.epoch,
                key,
                links: links.collect::<Result<_, _>>()?,
            });
        }
        let labels = SealedLabels {
            nonce: wire.labels.nonce.into_array(),
            ciphertext: wire.labels.sealed.into_vec(),
        };
        let body = Self {
            chart: wire.chart.into_array(),
            version: wire.version,
            compartments,
            labels,
        };
        body.check()?;
        Ok(body)
    }
}

impl Directory {
    pub fn encode(&self) -> Vec<u8> {
        Signed::encode(self.body.to_wire(), &self.signature)
    }

    /// Decodes without verifying who signed: see [`Directory::verify`].
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::Malformed`], [`Error::NotCanonical`], [`Error::UnknownVersion`],
    /// [`Error::UnknownSuite`], [`Error::BadPublicKey`], [`Error::CompartmentRange`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let wire = Signed::decode(WHAT, bytes, DIRECTORY_BYTES_MAX, FORMAT_VERSION)?;
        Ok(Self {
            body: DirectoryBody::from_wire(wire.body)?,
            signature: wire.signature.into_vec(),
        })
    }

    /// Verifies that the account `controller` signed this directory for the deployment `domain`.
    /// Only ECDSA signatures (r, s, v; low s as EIP-2 has it; v 27 or 28); a smart account's needs the chain (EIP-1271).
    ///
    /// # Errors
    /// [`Error::SignatureForm`]; [`Error::NotController`].
    pub fn verify(&self, domain: &Domain, controller: Address) -> Result<(), Error> {
        check_signature(&self.signature, &self.body.signing_hash(domain), controller)
    }
}

impl SealedLabels {
    const WHAT: &'static str = "the directory's labels";

    fn seal(
        rng: &mut impl CryptoRng,
        root: &RootSecret,
        chart: &[u8; 32],
        version: u32,
        labels: &BTreeMap<u8, String>,
    ) -> Result<Self, Error> {
        if let Some(long) = labels.values().find(|label| label.len() > LABEL_BYTES_MAX) {
            return Err(Error::TooLarge {
                what: "label",
                size: long.len() as u64,
                most: LABEL_BYTES_MAX as u64,
            });
        }
        let list: Vec<(u8, &str)> = labels.iter().map(|(number, label)| (*number, label.as_str())).collect();
        let mut plaintext = Zeroizing::new(cbor::encode(&list));
        plaintext.push(0x80);
        let padded = plaintext.len().next_multiple_of(LABELS_STEP_BYTES);
        plaintext.resize(padded, 0);
        let mut nonce = [0; 12];
        rng.fill_bytes(&mut nonce);
        // AES-GCM fails only on messages of gigabytes (SP 800-38D section 5.2.1.1).
        let ciphertext = stack::wiping(|| {
            let (cipher, aad) = Self::cipher(root, chart, version);
            let payload = Payload {
                msg: &plaintext,
                aad: &aad,
            };
            cipher.encrypt(&nonce.into(), payload)
        })
        .expect("64 labels are within AES-GCM's limit");
        Ok(Self { nonce, ciphertext })
    }

    fn open(&self, root: &RootSecret, chart: &[u8; 32], version: u32) -> Result<BTreeMap<u8, String>, Error> {
        let opened = stack::wiping(|| {
            let (cipher, aad) = Self::cipher(root, chart, version);
            let payload = Payload {
                msg: &self.ciphertext,
                aad: &aad,
            };
            cipher.decrypt(&self.nonce.into(), payload)
        });
        let plaintext = opened.map_err(|_| Error::Unopened { what: Self::WHAT })?;
        let plaintext = Zeroizing::new(plaintext);
        let end = plaintext
            .iter()
            .rposition(|byte| *byte != 0)
            .filter(|end| plaintext[*end] == 0x80);
        let encoded = &plaintext[..end.ok_or(Error::Padding)?];
        let list: Vec<(u8, String)> = cbor::decode(Self::WHAT, encoded, DIRECTORY_BYTES_MAX)?;
        Ok(list.into_iter().collect())
    }

    /// The key is per chart and version; the nonce is random, because a version that the chain refused is made again.
    fn cipher(root: &RootSecret, chart: &[u8; 32], version: u32) -> (Aes256Gcm, Vec<u8>) {
        let mut key = Zeroizing::new([0; 32]);
        let place = [&chart[..], &version.to_be_bytes()].concat();
        hkdf(
            root.expose(),
            None,
            &[b"medlock/v1/directory/labels", &place],
            &mut *key,
        );
        (
            Aes256Gcm::new((&*key).into()),
            [&b"medlock/v1/directory/labels"[..], &place].concat(),
        )
    }
}

/// As in dag-cbor; the encoder sorts the keys.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireBody {
    v: u64,
    chart: ByteArray<32>,
    version: u32,
    compartments: Vec<WireEntry>,
    labels: WireLabels,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireEntry {
    compartment: u8,
    epoch: u32,
    suite: u16,
    key: ByteBuf,
    links: Vec<ByteBuf>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireLabels {
    nonce: ByteArray<12>,
    sealed: ByteBuf,
}
