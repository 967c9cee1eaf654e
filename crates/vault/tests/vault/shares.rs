//! Each test is an attack, or a promise to those who recover.
use std::collections::BTreeSet;

use medlock_vault::{
    AnchoredSet, CompartmentKeys, Domain, EncryptionKey, Error, PublicKey, Published, Recipient, RootSecret,
    SealedShare, SetScope, Share, ShareSet, Suite,
    rand_core::CryptoRng,
    seal,
    shares::{Entry, SEALED_SHARE_BYTES_MAX, SHARE_SET_BYTES_MAX, SHARES_MAX},
};
use sha2::{Digest, Sha256};

use crate::{DOMAIN, Stuck, TestRng, textbook};

const OWNER: [u8; 20] = [0x0e; 20];
const SCOPE: SetScope = SetScope {
    domain: DOMAIN,
    owner: OWNER,
    version: 3,
};

/// A custodian and the private key of the one published key.
#[derive(Clone)]
struct Custodian {
    account: [u8; 20],
    key: EncryptionKey,
}

impl Custodian {
    fn new(number: u8) -> Self {
        Self {
            account: [number; 20],
            key: EncryptionKey::generate(&mut TestRng::new(&format!("custodian {number}")), Suite::X25519),
        }
    }

    fn recipient(&self) -> Recipient {
        Recipient {
            account: self.account,
            key_version: 2,
            key: self.key.public_key(),
        }
    }
}

/// A set and those who hold its shares.
struct Case {
    scope: SetScope,
    set: ShareSet,
    sealed: Vec<SealedShare>,
    custodians: Vec<Custodian>,
}

impl Case {
    fn anchored(&self) -> AnchoredSet {
        self.set.clone().verify(&self.scope, &self.set.digest()).unwrap()
    }

    fn open(&self, index: u8) -> Share {
        let at = usize::from(index) - 1;
        let custodian = &self.custodians[at];
        self.sealed[at]
            .open(&self.anchored(), &custodian.account, &custodian.key)
            .unwrap()
    }

    fn opened(&self, indices: &[u8]) -> Vec<Share> {
        indices.iter().map(|index| self.open(*index)).collect()
    }

    fn recombine(&self, indices: &[u8]) -> Result<RootSecret, Error> {
        self.anchored().recombine(&self.opened(indices), &published(&root()))
    }
}

fn root() -> RootSecret {
    RootSecret::generate(&mut TestRng::new("root"))
}

fn published(root: &RootSecret) -> Published {
    let keys = CompartmentKeys::derive(root, &[0xc4; 32], 3, 2, Suite::X25519).unwrap();
    Published {
        chart: [0xc4; 32],
        compartment: 3,
        epoch: 2,
        key: keys.public_key(),
    }
}

fn split_with(
    rng: &mut impl CryptoRng,
    scope: &SetScope,
    root: &RootSecret,
    threshold: u8,
    shares: u8,
) -> Result<Case, Error> {
    let custodians: Vec<_> = (1..=shares).map(Custodian::new).collect();
    let recipients: Vec<_> = custodians.iter().map(Custodian::recipient).collect();
    let (set, sealed) = ShareSet::split(rng, scope, root, threshold, &recipients)?;
    Ok(Case {
        scope: *scope,
        set,
        sealed,
        custodians,
    })
}

fn split(threshold: u8, shares: u8) -> Case {
    split_with(&mut TestRng::new("split"), &SCOPE, &root(), threshold, shares).unwrap()
}

/// The share's place on the polynomial.
fn point(share: &Share) -> (u8, [u8; 32]) {
    (share.index(), share.expose()[32..].try_into().unwrap())
}

fn points(shares: &[Share]) -> Vec<(u8, [u8; 32])> {
    shares.iter().map(point).collect()
}

/// The commitment as `docs/formats.md` has it.
fn commitment(domain: &Domain, set: &ShareSet, index: u8, opening: &[u8]) -> [u8; 32] {
    let hash = [
        &b"medlock/v1/share/commitment"[..],
        &domain.to_bytes(),
        &set.owner,
        &set.set_id,
        &set.version.to_be_bytes(),
        &[set.threshold, set.custodians.len() as u8, index],
        &set.custodians[usize::from(index) - 1].account,
        opening,
    ]
    .concat();
    Sha256::digest(hash).into()
}

/// `set`, with commitments to these openings: what a malicious owner of a set could publish.
fn recommitted(mut set: ShareSet, openings: &[(u8, Vec<u8>)]) -> ShareSet {
    for (index, opening) in openings {
        let commitment = commitment(&DOMAIN, &set, *index, opening);
        set.custodians[usize::from(*index) - 1].commitment = commitment;
    }
    set
}

fn opening(value: &[u8; 32]) -> Vec<u8> {
    [[0x5a; 32], *value].concat()
}

#[test]
fn any_k_of_n_rebuild_the_root_in_any_order() {
    for shares in [2, 3, 5, 8, SHARES_MAX] {
        for threshold in 2..=shares {
            let case = split(threshold, shares);
            let first: Vec<u8> = (1..=threshold).collect();
            let last: Vec<u8> = (shares - threshold + 1..=shares).rev().collect();
            for chosen in [first, last] {
                assert!(
                    case.recombine(&chosen).unwrap().same(&root()),
                    "{threshold} of {shares}"
                );
            }
        }
    }
    let case = split(3, 5);
    for chosen in [[1, 3, 5], [5, 3, 1], [2, 4, 1], [4, 5, 2]] {
        assert!(case.recombine(&chosen).unwrap().same(&root()));
    }
    // More than enough are fine too.
    assert!(case.recombine(&[5, 4, 3, 2, 1]).unwrap().same(&root()));
}

#[test]
fn shares_lie_where_textbook_arithmetic_has_them() {
    for (threshold, shares) in [(2, 2), (2, 5), (3, 5), (5, 8), (7, 7), (16, SHARES_MAX)] {
        let case = split(threshold, shares);
        let all = points(&case.opened(&(1..=shares).collect::<Vec<_>>()));
        let (some, rest) = all.split_at(threshold.into());
        assert_eq!(textbook::at(0, some), *root().expose());
        for (index, value) in rest {
            assert_eq!(
                textbook::at(*index, some),
                *value,
                "{threshold} of {shares}, share {index}"
            );
        }
    }
}

#[test]
fn fewer_than_k_shares_leave_every_secret_possible() {
    // For k - 1 shares and any root at all there is a last share that fits, and the library takes it: so what k - 1
    // custodians hold says nothing about the root.
    let case = split(3, 3);
    let known = points(&case.opened(&[1, 2]));
    let mut rng = TestRng::new("any root");
    let mut roots = vec![[0; 32], [0xff; 32]];
    roots.extend((0..20).map(|_| rng.array::<32>()));
    // Each value of each byte, too.
    roots.extend((0..=255).map(|value| [value; 32]));
    for other in roots {
        let missing = textbook::at(3, &[known[0], known[1], (0, other)]);
        let openings: Vec<_> = [known[0], known[1], (3, missing)]
            .iter()
            .map(|(index, value)| (*index, opening(value)))
            .collect();
        let set = recommitted(case.set.clone(), &openings);
        let digest = set.digest();
        let set = set.verify(&SCOPE, &digest).unwrap();
        let shares: Vec<_> = openings
            .iter()
            .map(|(index, opening)| Share::from_slice(*index, opening).unwrap())
            .collect();
        let other = RootSecret::from_slice(&other).unwrap();
        assert!(set.recombine(&shares, &published(&other)).unwrap().same(&other));
        assert_eq!(
            set.recombine(&shares, &published(&root())).err(),
            Some(Error::RootMismatch)
        );
    }
}

#[test]
fn a_share_alone_is_uniform_whatever_the_root() {
    // The bytes of share 1 of one root, over many sets: all 256 values come, each about as often. That the root's own
    // byte is among them shows that coefficients of zero are not left out (the fault of other libraries).
    for root in [[0; 32], [0xa5; 32]] {
        let root = RootSecret::from_slice(&root).unwrap();
        let mut rng = TestRng::new("uniform");
        let mut counts = [0_u32; 256];
        let sets = 400;
        for _ in 0..sets {
            let case = split_with(&mut rng, &SCOPE, &root, 2, 2).unwrap();
            for byte in point(&case.open(1)).1 {
                counts[usize::from(byte)] += 1;
            }
        }
        let expected = f64::from(sets * 32) / 256.0;
        let chi2: f64 = counts
            .iter()
            .map(|n| (f64::from(*n) - expected).powi(2) / expected)
            .sum();
        // 255 degrees of freedom: mean 255, standard deviation 22.6. The RNG is fixed, so this is no flake.
        assert!((160.0..350.0).contains(&chi2), "{chi2}");
        assert!(counts.iter().all(|n| *n > 20), "{counts:?}");
    }
}

#[test]
fn refuses_k_minus_1_shares() {
    let case = split(3, 5);
    for given in 0..3 {
        let indices: Vec<u8> = (1..=given as u8).collect();
        assert_eq!(
            case.recombine(&indices).err(),
            Some(Error::TooFewShares { given, needed: 3 })
        );
    }
}

#[test]
fn names_a_forged_share() {
    let case = split(3, 5);
    for forged in 1..=5_u8 {
        for at in [0, 31, 32, 63] {
            let mut shares = case.opened(&[1, 2, 3, 4, 5]);
            let mut opening = shares[usize::from(forged) - 1].expose().to_vec();
            opening[at] ^= 1;
            let share = Share::from_slice(forged, &opening).unwrap();
            assert_eq!(case.anchored().check(&share), Err(Error::ForgedShare { index: forged }));
            shares[usize::from(forged) - 1] = share;
            assert_eq!(
                case.anchored().recombine(&shares, &published(&root())).err(),
                Some(Error::ForgedShare { index: forged })
            );
            // Those that pass still rebuild the root.
            shares.retain(|share| case.anchored().check(share).is_ok());
            assert!(
                case.anchored()
                    .recombine(&shares, &published(&root()))
                    .unwrap()
                    .same(&root())
            );
        }
    }
    for length in [0, 32, 63, 65] {
        assert!(matches!(
            Share::from_slice(1, &vec![0; length]),
            Err(Error::InvalidKey { what: "Share" })
        ));
    }
}

#[test]
fn refuses_a_share_under_another_index() {
    let case = split(3, 5);
    let one = case.open(1);
    for index in 2..=5 {
        let moved = Share::from_slice(index, one.expose()).unwrap();
        assert_eq!(case.anchored().check(&moved), Err(Error::ForgedShare { index }));
    }
    for index in [0, 6, 32, 33, 255] {
        let moved = Share::from_slice(index, one.expose()).unwrap();
        assert_eq!(
            case.anchored().check(&moved),
            Err(Error::NoSuchShare { index, shares: 5 })
        );
    }
    // Sealed: the block says another index.
    let custodian = &case.custodians[0];
    for (index, error) in [
        (2, Error::Unopened { what: "share" }),
        (6, Error::NoSuchShare { index: 6, shares: 5 }),
        (0, Error::NoSuchShare { index: 0, shares: 5 }),
    ] {
        let moved = SealedShare {
            index,
            ..case.sealed[0].clone()
        };
        let opened = moved.open(&case.anchored(), &custodian.account, &custodian.key);
        assert_eq!(opened.err(), Some(error));
    }
}

#[test]
fn refuses_the_same_share_twice() {
    let case = split(3, 5);
    for twice in [&[1, 2, 1][..], &[2, 2, 3], &[1, 2, 3, 3]] {
        assert!(matches!(case.recombine(twice).err(), Some(Error::ShareTwice { .. })));
    }
}

#[test]
fn refuses_a_share_of_another_set_owner_version_or_deployment() {
    let case = split(2, 3);
    let custodian = &case.custodians[0];
    let mut rng = TestRng::new("another split");
    let other_owner = SetScope {
        owner: [0x0f; 20],
        ..SCOPE
    };
    let older = SetScope { version: 2, ..SCOPE };
    let chain = SetScope {
        domain: Domain { chain_id: 1, ..DOMAIN },
        ..SCOPE
    };
    let contract = SetScope {
        domain: Domain {
            records: [1; 20],
            ..DOMAIN
        },
        ..SCOPE
    };
    // The same custodians and even the same root.
    for scope in [SCOPE, other_owner, older, chain, contract] {
        let other = split_with(&mut rng, &scope, &root(), 2, 3).unwrap();
        let opened = other.sealed[0].open(&case.anchored(), &custodian.account, &custodian.key);
        assert_eq!(opened.err(), Some(Error::ShareScope { field: "set" }));
        // Rewriting the block to fit does not help.
        let rewritten = SealedShare {
            set: case.set.digest(),
            ..other.sealed[0].clone()
        };
        let opened = rewritten.open(&case.anchored(), &custodian.account, &custodian.key);
        assert_eq!(opened.err(), Some(Error::Unopened { what: "share" }));
        // Nor does opening it elsewhere first.
        let mixed = [other.open(1), case.open(2)];
        assert_eq!(
            case.anchored().recombine(&mixed, &published(&root())).err(),
            Some(Error::ForgedShare { index: 1 })
        );
    }
    // The same set, looked at from another deployment, where its digest might stand as well.
    for scope in [chain, contract] {
        let elsewhere = case.set.clone().verify(&scope, &case.set.digest()).unwrap();
        let opened = case.sealed[0].open(&elsewhere, &custodian.account, &custodian.key);
        assert_eq!(opened.err(), Some(Error::Unopened { what: "share" }));
        assert_eq!(elsewhere.check(&case.open(1)), Err(Error::ForgedShare { index: 1 }));
    }
}

#[test]
fn refuses_a_share_of_another_custodian_or_key() {
    let case = split(2, 3);
    let [one, two] = [&case.custodians[0], &case.custodians[1]];
    let set = case.anchored();
    assert_eq!(
        case.sealed[0].open(&set, &two.account, &two.key).err(),
        Some(Error::ShareScope { field: "recipient" })
    );
    let unopened = Some(Error::Unopened { what: "share" });
    assert_eq!(case.sealed[0].open(&set, &one.account, &two.key).err(), unopened);
    for rewritten in [
        SealedShare {
            recipient: two.account,
            ..case.sealed[0].clone()
        },
        SealedShare {
            key_version: 1,
            ..case.sealed[0].clone()
        },
        // Custodian 1's share under custodian 2's name and index, and the other way about.
        SealedShare {
            recipient: two.account,
            index: 2,
            ..case.sealed[0].clone()
        },
        SealedShare {
            sealed: case.sealed[1].sealed.clone(),
            ..case.sealed[0].clone()
        },
    ] {
        for custodian in [one, two] {
            let opened = rewritten.open(&set, &rewritten.recipient, &custodian.key);
            assert_eq!(opened.err(), unopened);
        }
    }
    for at in [0, 79] {
        let mut altered = case.sealed[0].clone();
        altered.sealed.ciphertext[at] ^= 1;
        assert_eq!(altered.open(&set, &one.account, &one.key).err(), unopened);
    }
}

#[test]
fn refuses_a_set_whose_threshold_was_lowered_or_raised() {
    let case = split(3, 5);
    for threshold in [2, 4, 5] {
        let altered = ShareSet {
            threshold,
            ..case.set.clone()
        };
        refuses_altered(&case, altered, &[1, 2, 3, 4, 5]);
    }
    for threshold in [0, 1, 6] {
        let altered = ShareSet {
            threshold,
            ..case.set.clone()
        };
        let counts = Error::ShareCounts { threshold, shares: 5 };
        assert_eq!(ShareSet::decode(&altered.encode()).err(), Some(counts.clone()));
        let digest = altered.digest();
        assert_eq!(altered.verify(&SCOPE, &digest).err(), Some(counts));
    }
}

#[test]
fn refuses_a_set_with_a_custodian_more_less_or_moved() {
    let case = split(3, 5);
    let mut more = case.set.clone();
    more.custodians.push(Entry {
        account: [0x66; 20],
        commitment: [0x66; 32],
    });
    refuses_altered(&case, more, &[1, 2, 3, 4, 5]);
    let mut less = case.set.clone();
    less.custodians.pop();
    refuses_altered(&case, less, &[1, 2, 3, 4]);
    let mut swapped = case.set.clone();
    swapped.custodians.swap(0, 1);
    refuses_altered(&case, swapped, &[1, 2]);
    let mut renamed = case.set.clone();
    renamed.custodians[0].account = [0x66; 20];
    refuses_altered(&case, renamed, &[1]);
    let mut set_id = case.set.clone();
    set_id.set_id[0] ^= 1;
    refuses_altered(&case, set_id, &[1, 2, 3, 4, 5]);
}

/// A set that was altered on its way: its digest is not the owner's. Where even that was forged, the shares at `indices`
/// neither open nor pass.
fn refuses_altered(case: &Case, altered: ShareSet, indices: &[u8]) {
    let altered = ShareSet::decode(&altered.encode()).unwrap();
    assert_eq!(
        altered.clone().verify(&case.scope, &case.set.digest()).err(),
        Some(Error::ShareScope { field: "digest" })
    );
    let digest = altered.digest();
    let altered = altered.verify(&case.scope, &digest).unwrap();
    for index in indices {
        let share = case.open(*index);
        assert_eq!(altered.check(&share), Err(Error::ForgedShare { index: *index }));
        assert_eq!(
            altered.recombine(&[share], &published(&root())).err(),
            Some(Error::ForgedShare { index: *index })
        );
        let at = usize::from(*index) - 1;
        let rewritten = SealedShare {
            set: digest,
            ..case.sealed[at].clone()
        };
        let custodian = &case.custodians[at];
        assert_eq!(
            rewritten.open(&altered, &custodian.account, &custodian.key).err(),
            Some(Error::Unopened { what: "share" })
        );
    }
}

#[test]
fn refuses_a_set_of_another_owner_or_version() {
    let case = split(2, 3);
    for (field, scope) in [
        (
            "owner",
            SetScope {
                owner: [1; 20],
                ..SCOPE
            },
        ),
        ("version", SetScope { version: 4, ..SCOPE }),
    ] {
        let refused = case.set.clone().verify(&scope, &case.set.digest());
        assert_eq!(refused.err(), Some(Error::ShareScope { field }));
    }
}

#[test]
fn refuses_genuine_shares_of_a_root_that_is_not_the_published_one() {
    let case = split(2, 3);
    let shares = case.opened(&[1, 2]);
    let another = RootSecret::generate(&mut TestRng::new("another root"));
    let mut wrong = vec![published(&another)];
    wrong.push(Published {
        epoch: 1,
        ..published(&root())
    });
    wrong.push(Published {
        compartment: 4,
        ..published(&root())
    });
    wrong.push(Published {
        chart: [1; 32],
        ..published(&root())
    });
    for published in wrong {
        assert_eq!(
            case.anchored().recombine(&shares, &published).err(),
            Some(Error::RootMismatch)
        );
    }
}

#[test]
fn a_custodian_finds_out_at_once_when_the_owner_sealed_nonsense() {
    let case = split(2, 3);
    let custodian = &case.custodians[0];
    let set = case.anchored();
    let place = [
        &DOMAIN.to_bytes()[..],
        &OWNER,
        &case.set.set_id,
        &3_u32.to_be_bytes(),
        &[2, 3, 1],
        &custodian.account,
    ]
    .concat();
    let info = [
        &b"medlock/v1/share/sealed\x00\x01"[..],
        &place,
        &case.set.digest(),
        &custodian.account,
        &2_u32.to_be_bytes(),
    ]
    .concat();
    let open = |plaintext: &[u8]| {
        let sealed = seal::seal(&mut TestRng::new("raw"), &custodian.key.public_key(), &info, plaintext).unwrap();
        let share = SealedShare {
            sealed,
            ..case.sealed[0].clone()
        };
        share.open(&set, &custodian.account, &custodian.key)
    };
    let genuine = case.open(1);
    // So the `info` above is the real one.
    assert_eq!(open(genuine.expose()).unwrap().expose(), genuine.expose());
    assert_eq!(open(&[7; 64]).err(), Some(Error::ForgedShare { index: 1 }));
    for length in [0, 63, 65] {
        assert!(matches!(open(&vec![7; length]).err(), Some(Error::Malformed { .. })));
    }
}

#[test]
fn a_custodian_passes_the_share_on_to_whoever_recovers() {
    let case = split(2, 3);
    let set = case.anchored();
    let new = Custodian::new(0x99);
    let mut rng = TestRng::new("release");
    let shares: Vec<Share> = [3, 1]
        .iter()
        .map(|index| {
            let released = case.open(*index).seal_to(&mut rng, &set, &new.recipient()).unwrap();
            let released = SealedShare::decode(&released.encode()).unwrap();
            assert_eq!(
                released
                    .open(&set, &new.account, &case.custodians[usize::from(*index) - 1].key)
                    .err(),
                Some(Error::Unopened { what: "share" })
            );
            released.open(&set, &new.account, &new.key).unwrap()
        })
        .collect();
    assert!(set.recombine(&shares, &published(&root())).unwrap().same(&root()));
}

#[test]
fn an_rng_that_gives_all_zero_coefficients_gives_nothing_away() {
    for byte in [0, 1, 7, 0xff] {
        for (threshold, shares) in [(2, 3), (3, 5)] {
            let case = split_with(&mut Stuck(byte), &SCOPE, &root(), threshold, shares).unwrap();
            let all = points(&case.opened(&(1..=shares).collect::<Vec<_>>()));
            let secret = *root().expose();
            // With zero coefficients each share would be the root. With known ones it would be the root and a constant.
            let constant = |x: u8| {
                let mut power = 1;
                (1..threshold).fold(0, |sum, _| {
                    power = textbook::multiply(power, x);
                    sum ^ textbook::multiply(power, byte)
                })
            };
            for (index, value) in &all {
                assert_ne!(*value, secret);
                assert_ne!(value.map(|value| value ^ constant(*index)), secret);
            }
            // The degree is full: k - 1 shares do not interpolate to the root.
            for start in 0..=usize::from(shares - threshold + 1) {
                let few = &all[start..start + usize::from(threshold) - 1];
                assert_ne!(textbook::at(0, few), secret);
            }
            assert!(
                case.recombine(&(1..=threshold).collect::<Vec<_>>())
                    .unwrap()
                    .same(&root())
            );
            // Who knows what the RNG gives does not know the ephemeral keys, so cannot open what was sealed.
            let naive = seal::seal(&mut Stuck(byte), &case.custodians[0].key.public_key(), &[], &[]).unwrap();
            let ephemeral: BTreeSet<_> = case.sealed.iter().map(|share| &share.sealed.encapsulated).collect();
            assert_eq!(ephemeral.len(), usize::from(shares));
            assert!(!ephemeral.contains(&naive.encapsulated));
            // Salts are not the RNG's either: commitments hide what they commit to.
            let salts: BTreeSet<_> = (1..=shares)
                .map(|index| case.open(index).expose()[..32].to_vec())
                .collect();
            assert_eq!(salts.len(), usize::from(shares));
            assert!(!salts.contains(&vec![byte; 32]));
        }
    }
}

#[test]
fn an_rng_that_repeats_itself_relates_no_two_sets() {
    // A cloned machine splits two roots, or one root twice in different ways, with the same random bytes. Were the
    // coefficients the same, the difference of two shares would be that of the roots.
    let rng = || TestRng::new("cloned");
    let one = root();
    let two = RootSecret::generate(&mut TestRng::new("another root"));
    let base = split_with(&mut rng(), &SCOPE, &one, 2, 3).unwrap();
    let newer = SetScope { version: 4, ..SCOPE };
    for (other, root, scope, threshold, shares) in [
        ("root", &two, SCOPE, 2, 3),
        ("version", &one, newer, 2, 3),
        ("threshold", &one, SCOPE, 3, 3),
        ("custodians", &one, SCOPE, 2, 4),
    ] {
        let case = split_with(&mut rng(), &scope, root, threshold, shares).unwrap();
        assert_ne!(case.set.set_id, base.set.set_id, "{other}");
        for index in 1..=3 {
            let (left, right) = (point(&base.open(index)).1, point(&case.open(index)).1);
            let mut difference = [0; 32];
            let mut roots = [0; 32];
            for at in 0..32 {
                difference[at] = left[at] ^ right[at];
                roots[at] = one.expose()[at] ^ root.expose()[at];
            }
            assert_ne!(difference, roots, "{other}");
            assert_ne!(left, right, "{other}");
        }
    }
    // The very same split again is the very same set: nothing new is given out.
    let again = split_with(&mut rng(), &SCOPE, &one, 2, 3).unwrap();
    assert_eq!(again.set, base.set);
    assert_eq!(again.sealed, base.sealed);
}

#[test]
fn refuses_custodian_keys_of_low_order_and_unknown_suites() {
    let mut one = [0; 32];
    one[0] = 1;
    for point in [[0; 32], one] {
        assert_eq!(PublicKey::new(Suite::X25519, &point), Err(Error::BadPublicKey));
        // As the ephemeral key of a sealed share.
        let case = split(2, 2);
        let mut share = case.sealed[0].clone();
        share.sealed.encapsulated = point.to_vec();
        let custodian = &case.custodians[0];
        assert_eq!(
            share.open(&case.anchored(), &custodian.account, &custodian.key).err(),
            Some(Error::BadEncapsulatedKey)
        );
        share.sealed.encapsulated.pop();
        assert_eq!(
            share.open(&case.anchored(), &custodian.account, &custodian.key).err(),
            Some(Error::BadEncapsulatedKey)
        );
    }
    let case = split(2, 2);
    let altered = SealedShare {
        suite: Suite::XWing,
        ..case.sealed[0].clone()
    };
    assert_eq!(SealedShare::decode(&altered.encode()).as_ref(), Ok(&altered));
    let custodian = &case.custodians[0];
    assert_eq!(
        altered.open(&case.anchored(), &custodian.account, &custodian.key).err(),
        Some(Error::WrongSuite { given: 1, expected: 2 })
    );
}

#[test]
fn refuses_counts_and_custodians_that_make_no_sense() {
    for (threshold, shares) in [(0, 3), (1, 3), (4, 3), (2, 1), (1, 1), (2, 0), (2, 33), (33, 33)] {
        let refused = split_with(&mut TestRng::new("split"), &SCOPE, &root(), threshold, shares);
        assert_eq!(
            refused.err(),
            Some(Error::ShareCounts {
                threshold,
                shares: shares.into()
            })
        );
    }
    let unversioned = SetScope { version: 0, ..SCOPE };
    let refused = split_with(&mut TestRng::new("split"), &unversioned, &root(), 2, 3);
    assert!(matches!(refused.err(), Some(Error::Malformed { .. })));
    // One party that counts for two: the same account, or the same key under two accounts.
    let custodians = [1, 2, 3].map(|number| Custodian::new(number).recipient());
    let mut same_account = custodians.clone();
    same_account[2].account = custodians[0].account;
    let mut same_key = custodians.clone();
    same_key[2].key = custodians[0].key.clone();
    for twice in [same_account, same_key] {
        assert_eq!(
            ShareSet::split(&mut TestRng::new("split"), &SCOPE, &root(), 2, &twice).err(),
            Some(Error::CustodianTwice { index: 3 })
        );
    }
    let mut set = split(2, 3).set;
    set.custodians[2].account = set.custodians[0].account;
    assert_eq!(ShareSet::decode(&set.encode()), Err(Error::CustodianTwice { index: 3 }));
}

#[test]
fn has_one_encoding_and_refuses_all_others() {
    let case = split(3, 5);
    let (set, share) = (case.set.encode(), case.sealed[0].encode());
    assert_eq!(ShareSet::decode(&set).unwrap(), case.set);
    assert_eq!(SealedShare::decode(&share).unwrap(), case.sealed[0]);
    for length in 0..set.len() {
        assert!(ShareSet::decode(&set[..length]).is_err());
    }
    for length in 0..share.len() {
        assert!(SealedShare::decode(&share[..length]).is_err());
    }
    assert!(ShareSet::decode(&[&set[..], b"\0"].concat()).is_err());
    assert!(SealedShare::decode(&[&share[..], b"\0"].concat()).is_err());
    assert!(matches!(
        ShareSet::decode(&vec![0; SHARE_SET_BYTES_MAX + 1]),
        Err(Error::TooLarge { .. })
    ));
    assert!(matches!(
        SealedShare::decode(&vec![0; SEALED_SHARE_BYTES_MAX + 1]),
        Err(Error::TooLarge { .. })
    ));
    // The largest of both fit.
    let largest = split(SHARES_MAX, SHARES_MAX);
    assert!(ShareSet::decode(&largest.set.encode()).is_ok());
    let replaced = |block: &[u8], from: &[u8], to: &[u8]| {
        let at = block.windows(from.len()).position(|window| window == from).unwrap();
        [&block[..at], to, &block[at + from.len()..]].concat()
    };
    let newer = |block: &[u8]| replaced(block, b"\x61v\x01", b"\x61v\x02");
    let version = |what| Error::UnknownVersion { what, version: 2 };
    assert_eq!(ShareSet::decode(&newer(&set)), Err(version("share set")));
    assert_eq!(SealedShare::decode(&newer(&share)), Err(version("share")));
    for (from, to) in [
        // An integer in two bytes; an integer as text; a key that is unknown; a map that says it has a key less.
        (&b"\x69threshold\x03"[..], &b"\x69threshold\x18\x03"[..]),
        (b"\x69threshold\x03", b"\x69threshold\x613"),
        (b"\x69threshold\x03", b"\x69thresholt\x03"),
        (b"\xa6", b"\xa5"),
        // A threshold beyond a byte, a version of 0, an indefinite list.
        (b"\x69threshold\x03", b"\x69threshold\x19\x01\x03"),
        (b"\x67version\x03", b"\x67version\x00"),
        (b"\x6acustodians\x85", b"\x6acustodians\x9f"),
        // An account a byte short.
        (b"\x65owner\x54\x0e", b"\x65owner\x53"),
    ] {
        assert!(ShareSet::decode(&replaced(&set, from, to)).is_err(), "{from:?}");
    }
    for (from, to) in [
        (&b"\x65index\x01"[..], &b"\x65index\x00"[..]),
        (b"\x65index\x01", b"\x65index\x18\x21"),
        (b"\x65index\x01", b"\x65index\x18\x01"),
        (b"\x65index\x01\x65suite\x01", b"\x65suite\x01\x65index\x01"),
    ] {
        assert!(SealedShare::decode(&replaced(&share, from, to)).is_err(), "{from:?}");
    }
}
