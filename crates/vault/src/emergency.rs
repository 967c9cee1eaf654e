//! The emergency kit: what lets whoever breaks the glass of a chart read it, without the patient and without any one
//! keeper of keys.
//!
//! The controller derives an **emergency root** of a chart's own, seals the keys of the chosen compartments to a key that
//! comes from it, and splits it among custodians. The kit holds all of that, sealed, and the controller signs it. Where
//! the chain says that somebody has broken the glass, each custodian seals its share on to that party
//! ([`VerifiedKit::release`]); k shares open the kit ([`VerifiedKit::open`]).
//!
//! What a kit is bound to, so that a custodian's share of one chart cannot be had by way of another: the chart, the
//! version of its directory and the serial of its emergency access stand in what the controller signs, and the owner of
//! the set of shares ([`party`]) is derived from the chart, so that the shares open under no other.

use alloy_primitives::{Address, B256};
use alloy_sol_types::SolStruct;
use medlock_abi::signed;
use rand_core::{CryptoRng, Rng};
use serde::{Deserialize, Serialize};
use serde_bytes::{ByteArray, ByteBuf};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{
    AnchoredSet, CompartmentKeys, DirectoryBody, Domain, EncryptionKey, Error, Keyring, KeyringScope, PublicKey,
    Recipient, RootSecret, SealedShare, SetScope, Share, ShareSet, cbor,
    hedged::Hedged,
    seal::Suite,
    secret::hkdf,
    signed::{Signed, check_signature},
};

/// A kit at most: 32 shares sealed under X-Wing take 43 KiB, the rest under 12 KiB.
pub const EMERGENCY_KIT_BYTES_MAX: usize = 60 * 1024;

const WHAT: &str = "emergency kit";
const FORMAT_VERSION: u64 = 1;
/// The key of a kit is made for it and never replaced.
const KEY_VERSION: u32 = 1;

/// Which kit it is, as those who use it know from the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KitScope {
    pub domain: Domain,
    pub chart: [u8; 32],
    /// Of the directory that the keys are current in.
    pub directory_version: u32,
    /// Of the chart's emergency access: forbidding it, and allowing it again, leaves earlier kits behind.
    pub serial: u32,
}

/// What the controller signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KitBody {
    pub chart: [u8; 32],
    pub directory_version: u32,
    pub serial: u32,
    /// Random: no two kits have one root.
    pub id: [u8; 32],
    /// The public half of the key that the root gives.
    pub key: PublicKey,
    /// The compartments' keys, sealed to `key`.
    pub keyring: Keyring,
    /// How the root is split.
    pub set: ShareSet,
    /// Each custodian's, in the set's order.
    pub shares: Vec<SealedShare>,
}

/// A kit as it is kept and handed out. Nothing in it is secret but to those whom it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmergencyKit {
    pub body: KitBody,
    /// Of the controller, over [`KitBody::signing_hash`].
    pub signature: Vec<u8>,
}

/// A kit that is known to be the one of its scope, and its controller's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedKit {
    body: KitBody,
    set: AnchoredSet,
    domain: Domain,
}

/// What a kit is made of.
#[derive(Debug, Clone, Copy)]
pub struct KitTerms<'a> {
    /// Bit n: compartment n. Those that the directory does not list are left out.
    pub compartments: u64,
    /// Custodians whose shares open it.
    pub threshold: u8,
    pub custodians: &'a [Recipient],
}

impl KitBody {
    /// Makes the kit for the keys that `directory` lists. The controller signs [`KitBody::statement`].
    ///
    /// # Errors
    /// [`Error::Malformed`] without any compartment; [`Error::WeakerRecipient`] for a custodian whose key is of a weaker
    /// suite than a compartment's; [`Error::KeyMismatch`] with another root secret; as [`ShareSet::split`].
    pub fn make(
        rng: &mut impl CryptoRng,
        domain: &Domain,
        root: &RootSecret,
        directory: &DirectoryBody,
        serial: u32,
        terms: &KitTerms<'_>,
    ) -> Result<Self, Error> {
        let mut keys = Vec::new();
        for entry in &directory.compartments {
            let (compartment, epoch) = (entry.compartment, entry.epoch);
            if (terms.compartments >> compartment) & 1 == 0 {
                continue;
            }
            let derived = CompartmentKeys::derive(root, &directory.chart, compartment, epoch, entry.key.suite())?;
            if derived.public_key() != entry.key {
                return Err(Error::KeyMismatch { compartment, epoch });
            }
            keys.push(derived);
        }
        let strongest = keys.iter().max_by_key(|keys| keys.suite());
        let strongest = strongest.ok_or_else(|| Error::malformed(WHAT, "it holds no compartment"))?;
        let (suite, compartment) = (strongest.suite(), strongest.compartment);
        if terms.custodians.iter().any(|custodian| custodian.key.suite() < suite) {
            return Err(Error::WeakerRecipient { compartment });
        }
        let scope = KitScope {
            domain: *domain,
            chart: directory.chart,
            directory_version: directory.version,
            serial,
        };
        let mut rng = Hedged::new(rng, "medlock/v1/emergency/hedge", root.expose(), &[&scope.place()]);
        let mut id = [0; 32];
        rng.fill_bytes(&mut id);
        let emergency = emergency_root(root, &scope, &id);
        let key = emergency_key(&emergency, suite);
        let keyring = Keyring::seal(
            &mut rng,
            domain,
            &keyring_scope(&scope.chart, scope.directory_version),
            &key.public_key(),
            &keys,
        )?;
        let (set, shares) = ShareSet::split(&mut rng, &scope.set(), &emergency, terms.threshold, terms.custodians)?;
        Ok(Self {
            chart: directory.chart,
            directory_version: directory.version,
            serial,
            id,
            key: key.public_key(),
            keyring,
            set,
            shares,
        })
    }

    /// Which compartments it opens, as bits: for the controller, who alone can tell without the custodians.
    ///
    /// # Errors
    /// [`Error::RootMismatch`] with another root secret; as [`Keyring::open`].
    pub fn compartments(&self, domain: &Domain, root: &RootSecret) -> Result<u64, Error> {
        let emergency = emergency_root(root, &self.scope(domain), &self.id);
        let keys = self.open_keyring(domain, &emergency)?;
        Ok(keys.iter().fold(0, |bits, keys| bits | 1 << keys.compartment))
    }

    /// sha2-256 of the body's encoding: the `body` of the signed statement.
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(cbor::encode(&self.to_wire())).into()
    }

    /// The EIP-712 statement, for signers that show it.
    pub fn statement(&self) -> signed::EmergencyKit {
        signed::EmergencyKit {
            chart: self.chart.into(),
            directoryVersion: self.directory_version,
            serial: self.serial,
            body: self.digest().into(),
        }
    }

    /// The EIP-712 hash that the controller signs.
    pub fn signing_hash(&self, domain: &Domain) -> B256 {
        self.statement().eip712_signing_hash(&domain.eip712())
    }

    /// Adds the controller's signature over [`KitBody::signing_hash`].
    pub fn with_signature(self, signature: Vec<u8>) -> EmergencyKit {
        EmergencyKit { body: self, signature }
    }

    /// The accounts that hold a share, in the order of the shares.
    pub fn custodians(&self) -> impl Iterator<Item = [u8; 20]> {
        self.set.custodians.iter().map(|entry| entry.account)
    }

    fn scope(&self, domain: &Domain) -> KitScope {
        KitScope {
            domain: *domain,
            chart: self.chart,
            directory_version: self.directory_version,
            serial: self.serial,
        }
    }

    fn open_keyring(&self, domain: &Domain, emergency: &RootSecret) -> Result<Vec<CompartmentKeys>, Error> {
        let key = emergency_key(emergency, self.key.suite());
        if key.public_key() != self.key {
            return Err(Error::RootMismatch);
        }
        self.keyring.open(domain, &self.chart, &party(&self.chart), &key)
    }

    /// That the parts say the same of themselves. Whether they are the scope's, [`EmergencyKit::verify`] says.
    fn check(&self) -> Result<(), Error> {
        let malformed = |why: &str| Err(Error::malformed(WHAT, why));
        if self.directory_version == 0 || self.serial == 0 {
            return malformed("versions and serials count from 1");
        }
        if self.keyring.scope != keyring_scope(&self.chart, self.directory_version)
            || self.keyring.suite != self.key.suite()
        {
            return malformed("its keyring is of another kit");
        }
        let digest = self.set.digest();
        let is_in_order = self.shares.len() == self.set.custodians.len()
            && self
                .shares
                .iter()
                .zip(&self.set.custodians)
                .zip(1..)
                .all(|((share, entry), index)| {
                    share.set == digest
                        && share.index == index
                        && share.recipient == entry.account
                        && share.suite >= self.key.suite()
                });
        if !is_in_order {
            return malformed("its shares are not one for each custodian, in their order, and under a suite as strong");
        }
        Ok(())
    }

    fn to_wire(&self) -> WireBody {
        WireBody {
            v: FORMAT_VERSION,
            chart: ByteArray::new(self.chart),
            directory_version: self.directory_version,
            serial: self.serial,
            id: ByteArray::new(self.id),
            suite: self.key.suite().id(),
            key: ByteBuf::from(self.key.as_bytes()),
            keyring: ByteBuf::from(self.keyring.encode()),
            set: ByteBuf::from(self.set.encode()),
            shares: self.shares.iter().map(|share| ByteBuf::from(share.encode())).collect(),
        }
    }

    fn from_wire(wire: WireBody) -> Result<Self, Error> {
        let body = Self {
            chart: wire.chart.into_array(),
            directory_version: wire.directory_version,
            serial: wire.serial,
            id: wire.id.into_array(),
            key: PublicKey::new(Suite::new(wire.suite)?, &wire.key)?,
            keyring: Keyring::decode(&wire.keyring)?,
            set: ShareSet::decode(&wire.set)?,
            shares: wire
                .shares
                .iter()
                .map(|share| SealedShare::decode(share))
                .collect::<Result<_, _>>()?,
        };
        body.check()?;
        Ok(body)
    }
}

impl EmergencyKit {
    pub fn encode(&self) -> Vec<u8> {
        Signed::encode(self.body.to_wire(), &self.signature)
    }

    /// Decodes without verifying who signed: see [`EmergencyKit::verify`].
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::Malformed`], [`Error::NotCanonical`], [`Error::UnknownVersion`],
    /// [`Error::UnknownSuite`], [`Error::BadPublicKey`]; as the decoding of its parts.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let wire = Signed::decode(WHAT, bytes, EMERGENCY_KIT_BYTES_MAX, FORMAT_VERSION)?;
        Ok(Self {
            body: KitBody::from_wire(wire.body)?,
            signature: wire.signature.into_vec(),
        })
    }

    /// Accepts the kit as that of `scope`, which is what the chain says at present, signed by the account that controls the
    /// chart. Without this, a share must not be released, nor a kit be made after another's terms.
    ///
    /// # Errors
    /// [`Error::KitScope`] for another chart, directory version or serial; [`Error::SignatureForm`];
    /// [`Error::NotController`].
    pub fn verify(self, scope: &KitScope, controller: Address) -> Result<VerifiedKit, Error> {
        self.body.check()?;
        for (field, same) in [
            ("chart", self.body.chart == scope.chart),
            (
                "directory version",
                self.body.directory_version == scope.directory_version,
            ),
            ("serial", self.body.serial == scope.serial),
        ] {
            if !same {
                return Err(Error::KitScope { field });
            }
        }
        check_signature(&self.signature, &self.body.signing_hash(&scope.domain), controller)?;
        // The signature covers the set, so its digest stands where only the controller writes.
        let digest = self.body.set.digest();
        let set = self.body.set.clone().verify(&scope.set(), &digest)?;
        Ok(VerifiedKit {
            set,
            domain: scope.domain,
            body: self.body,
        })
    }
}

impl VerifiedKit {
    pub fn body(&self) -> &KitBody {
        &self.body
    }

    pub fn set(&self) -> &AnchoredSet {
        &self.set
    }

    /// The share that `custodian` holds, if it holds one.
    pub fn share_of(&self, custodian: &[u8; 20]) -> Option<&SealedShare> {
        self.body.shares.iter().find(|share| share.recipient == *custodian)
    }

    /// A custodian's part: its share, sealed on to `party`. Whether the glass is broken is for the chain to say.
    ///
    /// # Errors
    /// [`Error::WeakerPartyKey`] where the party's key is of a weaker suite than the kit's; as [`SealedShare::open`] and
    /// [`Share::seal_to`].
    pub fn release(
        &self,
        rng: &mut impl CryptoRng,
        custodian: &[u8; 20],
        key: &EncryptionKey,
        party: &Recipient,
    ) -> Result<SealedShare, Error> {
        let sealed = self
            .share_of(custodian)
            .ok_or(Error::ShareScope { field: "recipient" })?;
        if party.key.suite() < self.body.key.suite() {
            return Err(Error::WeakerPartyKey);
        }
        sealed.open(&self.set, custodian, key)?.seal_to(rng, &self.set, party)
    }

    /// The compartments' keys, from shares of k custodians: each checked, the root against the kit's key, and every
    /// compartment's private key against what `directory` publishes.
    ///
    /// # Errors
    /// [`Error::ForgedShare`], [`Error::ShareTwice`], [`Error::TooFewShares`], [`Error::NoSuchShare`];
    /// [`Error::RootMismatch`]; [`Error::KitScope`] for a directory of another chart or version; [`Error::KeyMismatch`],
    /// [`Error::UnknownCompartment`], [`Error::WrongEpoch`] for keys that are not the directory's; as [`Keyring::open`].
    pub fn open(&self, shares: &[Share], directory: &DirectoryBody) -> Result<Vec<CompartmentKeys>, Error> {
        for (field, same) in [
            ("chart", directory.chart == self.body.chart),
            ("directory version", directory.version == self.body.directory_version),
        ] {
            if !same {
                return Err(Error::KitScope { field });
            }
        }
        let emergency = self.set.rebuild(shares)?;
        let keys = self.body.open_keyring(&self.domain, &emergency)?;
        for keys in &keys {
            let (compartment, epoch) = (keys.compartment, keys.epoch);
            let entry = directory.entry(compartment)?;
            if epoch != entry.epoch {
                let (given, expected) = (epoch, entry.epoch);
                return Err(Error::WrongEpoch { given, expected });
            }
            if keys.public_key() != entry.key {
                return Err(Error::KeyMismatch { compartment, epoch });
            }
        }
        Ok(keys)
    }
}

impl KitScope {
    /// Each field of a fixed length.
    fn place(&self) -> Vec<u8> {
        [
            &self.domain.to_bytes()[..],
            &self.chart,
            &self.directory_version.to_be_bytes(),
            &self.serial.to_be_bytes(),
        ]
        .concat()
    }

    fn set(&self) -> SetScope {
        SetScope {
            domain: self.domain,
            owner: party(&self.chart),
            version: self.directory_version,
        }
    }
}

/// Who stands in the places of grantee and owner: no account, since nobody has a key whose hash this is, and one of the chart's
/// own. So no keyring of a grantee, and no set of shares of another chart or of a root secret, can be taken for a kit's.
pub fn party(chart: &[u8; 32]) -> [u8; 20] {
    let hash = Sha256::new()
        .chain_update(b"medlock/v1/emergency/party")
        .chain_update(chart)
        .finalize();
    let mut party = [0; 20];
    party.copy_from_slice(&hash[..20]);
    party
}

fn keyring_scope(chart: &[u8; 32], directory_version: u32) -> KeyringScope {
    KeyringScope {
        chart: *chart,
        grantee: party(chart),
        directory_version,
        key_version: KEY_VERSION,
    }
}

fn emergency_root(root: &RootSecret, scope: &KitScope, id: &[u8; 32]) -> RootSecret {
    RootSecret::filled(|key| {
        hkdf(
            root.expose(),
            None,
            &[b"medlock/v1/emergency/root", &scope.place(), id],
            key,
        );
    })
}

fn emergency_key(emergency: &RootSecret, suite: Suite) -> EncryptionKey {
    let mut ikm = Zeroizing::new([0; 32]);
    let info: [&[u8]; 2] = [b"medlock/v1/emergency/key", &suite.id().to_be_bytes()];
    hkdf(emergency.expose(), None, &info, &mut *ikm);
    EncryptionKey::derive(suite, &ikm)
}

/// As in dag-cbor; the encoder sorts the keys.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct WireBody {
    v: u64,
    chart: ByteArray<32>,
    directory_version: u32,
    serial: u32,
    id: ByteArray<32>,
    suite: u16,
    key: ByteBuf,
    keyring: ByteBuf,
    set: ByteBuf,
    shares: Vec<ByteBuf>,
}
