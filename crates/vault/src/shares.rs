//! Recovery by custodians: the root secret in n shares, any k of which rebuild it and k - 1 of which tell nothing.
//! Shamir's scheme (Shamir, CACM 22(11), 1979), byte by byte over GF(256) with the polynomial of AES (FIPS 197).
//!
//! Of an owner's secrets only the **root secret** is shared. It is what nothing can replace: every chart's content hangs on
//! it. The account key can be replaced, on chain, after a delay in which the owner can object; custodians who could rebuild
//! it would act as the owner at once. The encryption key is replaced by publishing another. The root of an emergency kit,
//! which opens some compartments of one chart, is shared the same way ([`crate::emergency`]).
//!
//! The way of a share: [`ShareSet::split`] seals it to its custodian, who opens it ([`SealedShare::open`]) and, when the
//! chain says that a recovery is due, seals it on to whoever recovers ([`Share::seal_to`]), who opens it the same way and
//! calls [`AnchoredSet::recombine`]. HPKE does not say who sealed: what makes a set the owner's is that its digest stands
//! where only the owner writes, so [`ShareSet::verify`] asks for that digest.

use rand_core::{CryptoRng, Rng};
use serde::{Deserialize, Serialize};
use serde_bytes::{ByteArray, ByteBuf};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use vsss_rs::Gf256;
use zeroize::Zeroizing;

use crate::{
    CompartmentKeys, Domain, EncryptionKey, Error, PublicKey, RootSecret, cbor,
    hedged::Hedged,
    seal::{self, Sealed, Suite},
    secret::SecretBytes,
    stack,
};

/// With one share enough, each custodian would hold the secret itself.
pub const THRESHOLD_MIN: u8 = 2;
/// More custodians than a person can name; it bounds every list here.
pub const SHARES_MAX: u8 = 32;
/// A set at most: 32 shares take under 3 KiB.
pub const SHARE_SET_BYTES_MAX: usize = 4 * 1024;
/// A sealed share at most: it takes about 230 bytes with X25519, 1,320 with X-Wing.
pub const SEALED_SHARE_BYTES_MAX: usize = 2048;
/// What is sealed: the salt of the commitment, then the share.
pub const OPENING_BYTES: usize = 2 * 32;

const SET: &str = "share set";
const SHARE: &str = "share";
const FORMAT_VERSION: u64 = 1;

/// Which set it is, as those who use it know from elsewhere than the set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetScope {
    pub domain: Domain,
    /// Account of the owner of the root secret.
    pub owner: [u8; 20],
    /// Counts the owner's sets, from 1.
    pub version: u32,
}

/// Whom a share is sealed to: a custodian, or whoever recovers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    pub account: [u8; 20],
    /// Which of the account's published keys `key` is.
    pub key_version: u32,
    pub key: PublicKey,
}

/// The public part: who holds a share, how many are needed, and what each must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShareSet {
    pub owner: [u8; 20],
    /// Random: no two sets share it.
    pub set_id: [u8; 32],
    pub version: u32,
    /// Shares that rebuild the secret.
    pub threshold: u8,
    /// Share i is the custodian's at `i - 1`.
    pub custodians: Vec<Entry>,
}

/// One share, as the public sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub account: [u8; 20],
    /// sha2-256 over the share's place, salt and bytes.
    pub commitment: [u8; 32],
}

/// A set that is known to be the owner's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnchoredSet {
    set: ShareSet,
    domain: Domain,
    digest: [u8; 32],
}

/// One share, sealed to one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedShare {
    /// Of `sealed`.
    pub suite: Suite,
    /// [`ShareSet::digest`] of its set.
    pub set: [u8; 32],
    /// From 1.
    pub index: u8,
    /// The account whose key it is sealed to.
    pub recipient: [u8; 20],
    /// Which of the recipient's published keys it is sealed to.
    pub key_version: u32,
    pub sealed: Sealed,
}

/// One share in the clear, checked against its commitment. Wiped on drop.
#[derive(Clone)]
pub struct Share {
    index: u8,
    opening: SecretBytes,
}

/// A compartment's public key as the owner's directory lists it: the rebuilt secret must derive it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    pub chart: [u8; 32],
    pub compartment: u8,
    pub epoch: u32,
    pub key: PublicKey,
}

impl ShareSet {
    /// Splits `root` so that `threshold` of the `custodians` can rebuild it; the sealed shares are in their order.
    ///
    /// An RNG that repeats itself (a cloned machine, a stuck device) does no harm here: everything that is drawn is mixed
    /// with the root secret, which alone has to be unknown.
    ///
    /// # Errors
    /// [`Error::ShareCounts`]; [`Error::CustodianTwice`], which would let one party count for two;
    /// [`Error::Malformed`] for version 0; [`Error::BadPublicKey`].
    pub fn split(
        rng: &mut impl CryptoRng,
        scope: &SetScope,
        root: &RootSecret,
        threshold: u8,
        custodians: &[Recipient],
    ) -> Result<(Self, Vec<SealedShare>), Error> {
        let accounts = || custodians.iter().map(|custodian| &custodian.account);
        check(scope.version, threshold, accounts())?;
        check_distinct(custodians.iter().map(|custodian| &custodian.key))?;
        let mut parties = Sha256::new();
        for custodian in custodians {
            parties.update(custodian.account);
            parties.update(custodian.key_version.to_be_bytes());
            parties.update(custodian.key.suite().id().to_be_bytes());
            // Of one length for each suite.
            parties.update(custodian.key.as_bytes());
        }
        let context: [&[u8]; 5] = [
            &scope.domain.to_bytes(),
            &scope.owner,
            &scope.version.to_be_bytes(),
            &[threshold],
            &parties.finalize(),
        ];
        let mut rng = Hedged::new(rng, "medlock/v1/share/hedge", root.expose(), &context);
        let mut set = Self {
            owner: scope.owner,
            set_id: [0; 32],
            version: scope.version,
            threshold,
            custodians: Vec::with_capacity(custodians.len()),
        };
        rng.fill_bytes(&mut set.set_id);
        let mut shares = Vec::with_capacity(custodians.len());
        for account in accounts() {
            set.custodians.push(Entry {
                account: *account,
                commitment: [0; 32],
            });
        }
        for (index, bytes) in evaluate(&mut rng, root, threshold, custodians.len()) {
            let mut opening = Zeroizing::new(vec![0; OPENING_BYTES]);
            let (salt, share) = opening.split_at_mut(32);
            rng.fill_bytes(salt);
            share.copy_from_slice(&bytes[..]);
            let commitment = set.commitment(&scope.domain, index, &opening)?;
            set.custodians[usize::from(index) - 1].commitment = commitment;
            shares.push(Share { index, opening });
        }
        let anchored = AnchoredSet {
            digest: set.digest(),
            domain: scope.domain,
            set,
        };
        let sealed = shares.iter().zip(custodians);
        let sealed = sealed.map(|(share, custodian)| share.seal_to(&mut rng, &anchored, custodian));
        let sealed = sealed.collect::<Result<_, _>>()?;
        Ok((anchored.set, sealed))
    }

    /// Accepts the set as the owner's: `digest` stands where only the owner writes (on chain, or in a statement that the
    /// owner signed), and `scope` is the caller's own knowledge.
    ///
    /// # Errors
    /// [`Error::ShareScope`] when digest, owner or version differ; as [`ShareSet::decode`] for a set that cannot be.
    pub fn verify(self, scope: &SetScope, digest: &[u8; 32]) -> Result<AnchoredSet, Error> {
        self.check()?;
        for (field, same) in [
            ("digest", self.digest() == *digest),
            ("owner", self.owner == scope.owner),
            ("version", self.version == scope.version),
        ] {
            if !same {
                return Err(Error::ShareScope { field });
            }
        }
        Ok(AnchoredSet {
            set: self,
            domain: scope.domain,
            digest: *digest,
        })
    }

    /// sha2-256 of the encoding.
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.encode()).into()
    }

    pub fn encode(&self) -> Vec<u8> {
        cbor::encode(&WireSet {
            v: FORMAT_VERSION,
            owner: ByteArray::new(self.owner),
            set_id: ByteArray::new(self.set_id),
            version: self.version,
            threshold: self.threshold,
            custodians: self
                .custodians
                .iter()
                .map(|entry| WireEntry {
                    account: ByteArray::new(entry.account),
                    commitment: ByteArray::new(entry.commitment),
                })
                .collect(),
        })
    }

    /// Decodes without knowing whose it is: see [`ShareSet::verify`].
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::Malformed`], [`Error::NotCanonical`], [`Error::UnknownVersion`],
    /// [`Error::ShareCounts`], [`Error::CustodianTwice`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        cbor::check_version(SET, bytes, SHARE_SET_BYTES_MAX, FORMAT_VERSION)?;
        let wire: WireSet = cbor::decode(SET, bytes, SHARE_SET_BYTES_MAX)?;
        let custodians: Vec<Entry> = wire
            .custodians
            .into_iter()
            .map(|entry| Entry {
                account: entry.account.into_array(),
                commitment: entry.commitment.into_array(),
            })
            .collect();
        let set = Self {
            owner: wire.owner.into_array(),
            set_id: wire.set_id.into_array(),
            version: wire.version,
            threshold: wire.threshold,
            custodians,
        };
        set.check()?;
        Ok(set)
    }

    fn check(&self) -> Result<(), Error> {
        check(
            self.version,
            self.threshold,
            self.custodians.iter().map(|entry| &entry.account),
        )
    }

    fn entry(&self, index: u8) -> Result<&Entry, Error> {
        let entry = usize::from(index).checked_sub(1).and_then(|at| self.custodians.get(at));
        entry.ok_or(Error::NoSuchShare {
            index,
            shares: self.shares(),
        })
    }

    fn shares(&self) -> u8 {
        u8::try_from(self.custodians.len()).expect("a set is checked before it is used, and has at most 32")
    }

    /// Where a share belongs, each field of a fixed length: part of its commitment and of what it is sealed with.
    fn place(&self, domain: &Domain, index: u8) -> Result<Vec<u8>, Error> {
        let custodian = self.entry(index)?.account;
        Ok([
            &domain.to_bytes()[..],
            &self.owner,
            &self.set_id,
            &self.version.to_be_bytes(),
            &[self.threshold, self.shares(), index],
            &custodian,
        ]
        .concat())
    }

    fn commitment(&self, domain: &Domain, index: u8, opening: &[u8]) -> Result<[u8; 32], Error> {
        let hash = Sha256::new()
            .chain_update(b"medlock/v1/share/commitment")
            .chain_update(self.place(domain, index)?)
            .chain_update(opening);
        Ok(hash.finalize().into())
    }
}

impl AnchoredSet {
    pub fn set(&self) -> &ShareSet {
        &self.set
    }

    pub fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// Whether `share` is the one that the set commits to. Of shares that came from several hands, keep those that pass.
    ///
    /// # Errors
    /// [`Error::NoSuchShare`]; [`Error::ForgedShare`], which names it.
    pub fn check(&self, share: &Share) -> Result<(), Error> {
        let commitment = self.set.commitment(&self.domain, share.index, &share.opening)?;
        if !seal::same(&commitment, &self.set.entry(share.index)?.commitment) {
            return Err(Error::ForgedShare { index: share.index });
        }
        Ok(())
    }

    /// Rebuilds the root secret from `shares`, in any order: each is checked first, then the result against what the
    /// owner published. Shares over the threshold are checked and not used.
    ///
    /// # Errors
    /// As [`AnchoredSet::check`]; [`Error::ShareTwice`]; [`Error::TooFewShares`]; [`Error::RootMismatch`] when the set is
    /// of another secret, or was badly made; [`Error::CompartmentRange`], [`Error::Malformed`] for a place that cannot be.
    pub fn recombine(&self, shares: &[Share], published: &Published) -> Result<RootSecret, Error> {
        let root = self.rebuild(shares)?;
        published.check(&root)?;
        Ok(root)
    }

    /// The same without the check of the result, which is the caller's then.
    ///
    /// # Errors
    /// As [`AnchoredSet::check`]; [`Error::ShareTwice`]; [`Error::TooFewShares`].
    pub(crate) fn rebuild(&self, shares: &[Share]) -> Result<RootSecret, Error> {
        for (at, share) in shares.iter().enumerate() {
            self.check(share)?;
            // At most 32 pass `check` before one comes twice.
            if shares[..at].iter().any(|earlier| earlier.index == share.index) {
                return Err(Error::ShareTwice { index: share.index });
            }
        }
        let needed = self.set.threshold;
        let enough = shares.get(..needed.into()).ok_or(Error::TooFewShares {
            given: shares.len(),
            needed,
        })?;
        interpolate(enough)
    }

    fn info(&self, suite: Suite, index: u8, recipient: &[u8; 20], key_version: u32) -> Result<Vec<u8>, Error> {
        Ok([
            &b"medlock/v1/share/sealed"[..],
            &suite.id().to_be_bytes(),
            &self.set.place(&self.domain, index)?,
            &self.digest,
            recipient,
            &key_version.to_be_bytes(),
        ]
        .concat())
    }
}

impl SealedShare {
    /// The share, for `recipient`, checked against its commitment. `self.key_version` says which private key opens it.
    ///
    /// # Errors
    /// [`Error::ShareScope`] for another set or recipient; [`Error::WrongSuite`]; [`Error::NoSuchShare`]; [`Error::Unopened`] on a wrong key,
    /// chain or contract, or altered bytes; [`Error::BadEncapsulatedKey`]; [`Error::Malformed`]; [`Error::ForgedShare`].
    pub fn open(&self, set: &AnchoredSet, recipient: &[u8; 20], key: &EncryptionKey) -> Result<Share, Error> {
        for (field, same) in [
            ("set", self.set == set.digest),
            ("recipient", self.recipient == *recipient),
        ] {
            if !same {
                return Err(Error::ShareScope { field });
            }
        }
        let info = set.info(self.suite, self.index, recipient, self.key_version)?;
        let opening = key.open(self.suite, &info, &self.sealed, SHARE)?;
        if opening.len() != OPENING_BYTES {
            return Err(Error::malformed(SHARE, "a share of a wrong length"));
        }
        let share = Share {
            index: self.index,
            opening,
        };
        set.check(&share)?;
        Ok(share)
    }

    pub fn encode(&self) -> Vec<u8> {
        cbor::encode(&WireShare {
            v: FORMAT_VERSION,
            suite: self.suite.id(),
            set: ByteArray::new(self.set),
            index: self.index,
            recipient: ByteArray::new(self.recipient),
            key_version: self.key_version,
            encapsulated: ByteBuf::from(self.sealed.encapsulated.as_slice()),
            sealed: ByteBuf::from(self.sealed.ciphertext.as_slice()),
        })
    }

    /// # Errors
    /// [`Error::TooLarge`], [`Error::Malformed`], [`Error::NotCanonical`], [`Error::UnknownVersion`],
    /// [`Error::UnknownSuite`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        cbor::check_version(SHARE, bytes, SEALED_SHARE_BYTES_MAX, FORMAT_VERSION)?;
        let wire: WireShare = cbor::decode(SHARE, bytes, SEALED_SHARE_BYTES_MAX)?;
        let suite = Suite::new(wire.suite)?;
        if !(1..=SHARES_MAX).contains(&wire.index) {
            return Err(Error::malformed(SHARE, "an index outside 1..32"));
        }
        Ok(Self {
            suite,
            set: wire.set.into_array(),
            index: wire.index,
            recipient: wire.recipient.into_array(),
            key_version: wire.key_version,
            sealed: Sealed {
                encapsulated: wire.encapsulated.into_vec(),
                ciphertext: wire.sealed.into_vec(),
            },
        })
    }
}

impl Share {
    /// A share that the caller got in the clear: `opening` is salt and share. Nothing is checked yet:
    /// see [`AnchoredSet::check`].
    ///
    /// # Errors
    /// [`Error::InvalidKey`] when `opening` is not of [`OPENING_BYTES`].
    pub fn from_slice(index: u8, opening: &[u8]) -> Result<Self, Error> {
        if opening.len() != OPENING_BYTES {
            return Err(Error::InvalidKey { what: "Share" });
        }
        let opening = Zeroizing::new(opening.to_vec());
        Ok(Self { index, opening })
    }

    /// From 1.
    pub fn index(&self) -> u8 {
        self.index
    }

    /// Salt (32 bytes) and share (32 bytes). Never log them, never keep a copy.
    pub fn expose(&self) -> &[u8] {
        &self.opening
    }

    /// Seals the share on to another party: a custodian's part in a recovery. Whether one is due is for the chain to say.
    ///
    /// # Errors
    /// [`Error::NoSuchShare`]; [`Error::BadPublicKey`].
    pub fn seal_to(
        &self,
        rng: &mut impl CryptoRng,
        set: &AnchoredSet,
        recipient: &Recipient,
    ) -> Result<SealedShare, Error> {
        let (suite, account) = (recipient.key.suite(), recipient.account);
        let info = set.info(suite, self.index, &account, recipient.key_version)?;
        Ok(SealedShare {
            suite,
            set: set.digest,
            index: self.index,
            recipient: account,
            key_version: recipient.key_version,
            sealed: seal::seal(rng, &recipient.key, &info, &self.opening)?,
        })
    }
}

impl Published {
    fn check(&self, root: &RootSecret) -> Result<(), Error> {
        let keys = CompartmentKeys::derive(root, &self.chart, self.compartment, self.epoch, self.key.suite())?;
        if keys.public_key().as_bytes().ct_eq(self.key.as_bytes()).into() {
            Ok(())
        } else {
            Err(Error::RootMismatch)
        }
    }
}

fn check<'a>(version: u32, threshold: u8, accounts: impl ExactSizeIterator<Item = &'a [u8; 20]>) -> Result<(), Error> {
    if version == 0 {
        return Err(Error::malformed(SET, "versions count from 1"));
    }
    let shares = accounts.len();
    if threshold < THRESHOLD_MIN || usize::from(threshold) > shares || shares > SHARES_MAX.into() {
        return Err(Error::ShareCounts { threshold, shares });
    }
    check_distinct(accounts)
}

fn check_distinct<T: PartialEq>(items: impl Iterator<Item = T>) -> Result<(), Error> {
    let items: Vec<T> = items.collect();
    for (at, item) in items.iter().enumerate() {
        if items[..at].contains(item) {
            return Err(Error::CustodianTwice { index: at + 1 });
        }
    }
    Ok(())
}

/// The shares 1..n of `root`: 32 polynomials of degree below `threshold`, whose coefficients are uniform. Zero is as
/// likely as any other: leaving it out would tell that a byte of the secret is not what k - 1 shares suggest.
fn evaluate(rng: &mut impl CryptoRng, root: &RootSecret, threshold: u8, shares: usize) -> Vec<(u8, SecretBytes)> {
    // The library leaves the polynomial of the last byte in memory unwiped: a byte more, which is no secret, is the last.
    let mut bytes = Zeroizing::new([0; 33]);
    bytes[..32].copy_from_slice(root.expose());
    let shares = stack::wiping(|| Gf256::split_bytes(threshold.into(), shares, &bytes[..], rng));
    // It fails on an empty secret and on counts outside of 2 <= threshold <= shares <= 255.
    let shares = shares.expect("the counts are checked");
    let shares = shares.into_iter().map(Zeroizing::new);
    // Each is its index, then a byte for each of the secret's.
    shares
        .map(|share| (share[0], Zeroizing::new(share[1..33].to_vec())))
        .collect()
}

/// The secret that all of `shares`, whose indices differ, lie on.
fn interpolate(shares: &[Share]) -> Result<RootSecret, Error> {
    let mut points = Zeroizing::new(Vec::with_capacity(shares.len()));
    for share in shares {
        let mut point = Vec::with_capacity(1 + 32);
        point.push(share.index);
        point.extend_from_slice(&share.opening[32..]);
        points.push(point);
    }
    // It fails on fewer than 2 shares, on lengths that differ, and on an index that is 0 or comes twice.
    let secret = stack::wiping(|| Gf256::combine_bytes(&points[..])).expect("the shares are checked");
    RootSecret::from_slice(&Zeroizing::new(secret))
}

/// As in dag-cbor; the encoder sorts the keys.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct WireSet {
    v: u64,
    owner: ByteArray<20>,
    set_id: ByteArray<32>,
    version: u32,
    threshold: u8,
    custodians: Vec<WireEntry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireEntry {
    account: ByteArray<20>,
    commitment: ByteArray<32>,
}

/// As in dag-cbor; the encoder sorts the keys.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct WireShare {
    v: u64,
    suite: u16,
    set: ByteArray<32>,
    index: u8,
    recipient: ByteArray<20>,
    key_version: u32,
    encapsulated: ByteBuf,
    sealed: ByteBuf,
}
