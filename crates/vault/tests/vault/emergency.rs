//! Each test is an attack on an emergency kit, or what those who need it rely on.
use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::Address;
use k256::ecdsa::SigningKey;
use medlock_vault::{
    AccountKey, CompartmentKeys, Directory, DirectoryBody, EmergencyKit, EncryptionKey, Error, KitBody, KitScope,
    KitTerms, Recipient, RootSecret, SealedShare, Share, Suite, VerifiedKit,
    emergency::{EMERGENCY_KIT_BYTES_MAX, party},
};

use crate::{DOMAIN, Stuck, TestRng, directory::directory_of};

pub const CHART: [u8; 32] = [0xc4; 32];
const SERIAL: u32 = 3;
const VERSION: u32 = 5;
pub const SCOPE: KitScope = KitScope {
    domain: DOMAIN,
    chart: CHART,
    directory_version: VERSION,
    serial: SERIAL,
};
/// Labs and notes; the directory has psychiatry as well.
pub const CHOSEN: u64 = 1 << 3 | 1 << 5;

/// Somebody with an account and a published key.
#[derive(Clone)]
pub struct Somebody {
    pub account: [u8; 20],
    pub key: EncryptionKey,
}

impl Somebody {
    pub fn new(number: u8, suite: Suite) -> Self {
        Self {
            account: [number; 20],
            key: EncryptionKey::generate(&mut TestRng::new(&format!("somebody {number}")), suite),
        }
    }

    pub fn recipient(&self) -> Recipient {
        Recipient {
            account: self.account,
            key_version: 2,
            key: self.key.public_key(),
        }
    }
}

pub fn root() -> RootSecret {
    RootSecret::generate(&mut TestRng::new("root"))
}

pub fn account(name: &str) -> (AccountKey, Address) {
    let account = AccountKey::generate(&mut TestRng::new(name));
    let address = account.address().unwrap();
    (account, address)
}

pub fn directory(chart: &[u8; 32], version: u32, suite: Suite) -> DirectoryBody {
    let suites = [(3, vec![suite; 2]), (5, vec![suite]), (9, vec![suite])];
    directory_of(&root(), chart, version, &suites, &BTreeMap::new())
}

pub fn custodians(suite: Suite) -> Vec<Somebody> {
    (1..=3).map(|number| Somebody::new(number, suite)).collect()
}

pub fn body(chart: &[u8; 32], version: u32, suite: Suite) -> KitBody {
    let recipients: Vec<_> = custodians(suite).iter().map(Somebody::recipient).collect();
    let terms = KitTerms {
        compartments: CHOSEN,
        threshold: 2,
        custodians: &recipients,
    };
    let directory = directory(chart, version, suite);
    KitBody::make(&mut TestRng::new("kit"), &DOMAIN, &root(), &directory, SERIAL, &terms).unwrap()
}

pub fn sign(body: KitBody, account: &AccountKey) -> EmergencyKit {
    let key = SigningKey::from_slice(account.expose()).unwrap();
    let hash = body.signing_hash(&DOMAIN);
    let (signature, parity) = key.sign_prehash_recoverable(hash.as_slice()).unwrap();
    body.with_signature([&signature.to_bytes()[..], &[27 + parity.to_byte()]].concat())
}

fn verified(suite: Suite) -> VerifiedKit {
    verified_of(VERSION, suite)
}

pub fn verified_of(version: u32, suite: Suite) -> VerifiedKit {
    let (account, controller) = account("controller");
    let kit = sign(body(&CHART, version, suite), &account);
    let decoded = EmergencyKit::decode(&kit.encode()).unwrap();
    assert_eq!(decoded, kit);
    let scope = KitScope {
        directory_version: version,
        ..SCOPE
    };
    decoded.verify(&scope, controller).unwrap()
}

/// What these custodians release, as the party opens it.
fn released(kit: &VerifiedKit, custodians: &[Somebody], to: &Somebody) -> Vec<Share> {
    let release = |custodian: &Somebody| {
        let mut rng = TestRng::new("release");
        let sealed = kit
            .release(&mut rng, &custodian.account, &custodian.key, &to.recipient())
            .unwrap();
        let sealed = SealedShare::decode(&sealed.encode()).unwrap();
        sealed.open(kit.set(), &to.account, &to.key).unwrap()
    };
    custodians.iter().map(release).collect()
}

#[test]
fn two_of_three_custodians_open_the_chosen_compartments_and_no_other() {
    for suite in [Suite::X25519, Suite::XWing] {
        let (kit, directory) = (verified(suite), directory(&CHART, VERSION, suite));
        let (all, nurse) = (custodians(suite), Somebody::new(9, suite));
        for pair in [[0, 1], [1, 2], [2, 0]] {
            let shares = released(&kit, &pair.map(|at| all[at].clone()), &nurse);
            let keys = kit.open(&shares, &directory).unwrap();
            let opened: Vec<_> = keys.iter().map(|keys| (keys.compartment, keys.epoch)).collect();
            assert_eq!(opened, [(3, 2), (5, 1)]);
            for keys in &keys {
                let derived = CompartmentKeys::derive(&root(), &CHART, keys.compartment, keys.epoch, suite).unwrap();
                assert!(keys.private.same(&derived.private));
                // Back to earlier epochs as well.
                assert!(keys.history.as_ref().unwrap().same(&derived.history.unwrap()));
            }
        }
        assert_eq!(kit.body().compartments(&DOMAIN, &root()), Ok(CHOSEN));
        let other = RootSecret::generate(&mut TestRng::new("other"));
        assert_eq!(kit.body().compartments(&DOMAIN, &other), Err(Error::RootMismatch));
    }
}

#[test]
fn one_share_is_too_few_and_one_twice_is_one() {
    let (kit, directory) = (verified(Suite::X25519), directory(&CHART, VERSION, Suite::X25519));
    let (all, nurse) = (custodians(Suite::X25519), Somebody::new(9, Suite::X25519));
    let one = released(&kit, &all[..1], &nurse);
    assert_eq!(
        kit.open(&one, &directory).err(),
        Some(Error::TooFewShares { given: 1, needed: 2 })
    );
    let twice = [one.clone(), one].concat();
    assert_eq!(kit.open(&twice, &directory).err(), Some(Error::ShareTwice { index: 1 }));
}

#[test]
fn a_forged_share_is_named() {
    let (kit, directory) = (verified(Suite::X25519), directory(&CHART, VERSION, Suite::X25519));
    let (all, nurse) = (custodians(Suite::X25519), Somebody::new(9, Suite::X25519));
    let mut shares = released(&kit, &all, &nurse);
    let mut bytes = shares[1].expose().to_vec();
    bytes[40] ^= 1;
    shares[1] = Share::from_slice(2, &bytes).unwrap();
    assert_eq!(kit.set().check(&shares[1]), Err(Error::ForgedShare { index: 2 }));
    assert_eq!(
        kit.open(&shares, &directory).err(),
        Some(Error::ForgedShare { index: 2 })
    );
    shares.remove(1);
    assert!(kit.open(&shares, &directory).is_ok());
    // A custodian that seals a share of its own making is found out where it is opened.
    let lie = Share::from_slice(2, &bytes).unwrap();
    let sealed = lie
        .seal_to(&mut TestRng::new("lie"), kit.set(), &nurse.recipient())
        .unwrap();
    assert_eq!(
        sealed.open(kit.set(), &nurse.account, &nurse.key).err(),
        Some(Error::ForgedShare { index: 2 })
    );
}

#[test]
fn a_kit_of_another_chart_version_serial_domain_or_controller_is_refused() {
    let (controller_key, controller) = account("controller");
    let kit = sign(body(&CHART, VERSION, Suite::X25519), &controller_key);
    let refused = |scope: KitScope| kit.clone().verify(&scope, controller).unwrap_err();
    let field = |field| Error::KitScope { field };
    let (mut chart, mut version, mut serial, mut domain) = (SCOPE, SCOPE, SCOPE, SCOPE);
    chart.chart = [0xc5; 32];
    version.directory_version += 1;
    serial.serial += 1;
    domain.domain.chain_id += 1;
    assert_eq!(refused(chart), field("chart"));
    assert_eq!(refused(version), field("directory version"));
    assert_eq!(refused(serial), field("serial"));
    assert!(matches!(refused(domain), Error::NotController { .. }));
    let (other_key, other) = account("other");
    assert!(matches!(
        kit.clone().verify(&SCOPE, other),
        Err(Error::NotController { .. })
    ));
    let others = sign(kit.body.clone(), &other_key);
    assert!(matches!(
        others.verify(&SCOPE, controller),
        Err(Error::NotController { .. })
    ));
    let unsigned = kit.body.clone().with_signature(Vec::new());
    assert_eq!(unsigned.verify(&SCOPE, controller), Err(Error::SignatureForm));
}

/// Somebody opens a chart of their own, and puts the sealed shares of a victim's kit into a kit for it, which they sign, so
/// that custodians release the victim's shares to whoever breaks the glass there.
#[test]
fn the_shares_of_one_chart_cannot_be_had_by_way_of_another() {
    const OWN: [u8; 32] = [0xee; 32];
    let (attacker_key, attacker) = account("attacker");
    let victims = body(&CHART, VERSION, Suite::X25519);
    let scope = KitScope { chart: OWN, ..SCOPE };
    // The parts of the victim's kit say whose they are.
    let mut copied = body(&OWN, VERSION, Suite::X25519);
    (copied.set, copied.shares) = (victims.set.clone(), victims.shares.clone());
    let kit = sign(copied, &attacker_key);
    assert!(matches!(
        kit.clone().verify(&scope, attacker),
        Err(Error::ShareScope { field: "owner" })
    ));
    // And where the set claims to be the attacker's, the shares are not of that set,
    let mut renamed = kit.body.clone();
    renamed.set.owner = party(&OWN);
    let kit = sign(renamed.clone(), &attacker_key);
    assert!(matches!(kit.verify(&scope, attacker), Err(Error::Malformed { .. })));
    // nor do they open under it.
    let digest = renamed.set.digest();
    renamed.shares.iter_mut().for_each(|share| share.set = digest);
    let kit = sign(renamed, &attacker_key).verify(&scope, attacker).unwrap();
    let (custodian, accomplice) = (&custodians(Suite::X25519)[0], Somebody::new(66, Suite::X25519));
    let released = kit.release(
        &mut TestRng::new("release"),
        &custodian.account,
        &custodian.key,
        &accomplice.recipient(),
    );
    assert!(matches!(released, Err(Error::Unopened { .. })), "{released:?}");
}

#[test]
fn who_is_no_custodian_has_no_share_to_release() {
    let kit = verified(Suite::X25519);
    let other = Somebody::new(7, Suite::X25519);
    let released = kit.release(&mut TestRng::new(""), &other.account, &other.key, &other.recipient());
    assert_eq!(released, Err(Error::ShareScope { field: "recipient" }));
}

#[test]
fn post_quantum_keys_are_handed_on_to_no_weaker_key() {
    let mixed: Vec<_> = [(1, Suite::XWing), (2, Suite::X25519)]
        .map(|(number, suite)| Somebody::new(number, suite).recipient())
        .into();
    let terms = KitTerms {
        compartments: CHOSEN,
        threshold: 2,
        custodians: &mixed,
    };
    let directory = directory(&CHART, VERSION, Suite::XWing);
    let made = KitBody::make(&mut TestRng::new("kit"), &DOMAIN, &root(), &directory, SERIAL, &terms);
    assert!(matches!(made, Err(Error::WeakerRecipient { .. })), "{made:?}");
    let (kit, custodian) = (verified(Suite::XWing), &custodians(Suite::XWing)[0]);
    let weak = Somebody::new(9, Suite::X25519).recipient();
    let released = kit.release(&mut TestRng::new(""), &custodian.account, &custodian.key, &weak);
    assert_eq!(released, Err(Error::WeakerPartyKey));
}

#[test]
fn keys_that_the_directory_does_not_publish_are_refused() {
    let (kit, nurse) = (verified(Suite::X25519), Somebody::new(9, Suite::X25519));
    let shares = released(&kit, &custodians(Suite::X25519)[..2], &nurse);
    let open = |edit: fn(&mut DirectoryBody)| {
        let mut directory = directory(&CHART, VERSION, Suite::X25519);
        edit(&mut directory);
        kit.open(&shares, &directory).err()
    };
    assert_eq!(open(|_| ()), None);
    let field = |field| Some(Error::KitScope { field });
    assert_eq!(open(|directory| directory.version += 1), field("directory version"));
    assert_eq!(open(|directory| directory.chart = [1; 32]), field("chart"));
    assert_eq!(
        open(|directory| directory.compartments[1].key = directory.compartments[2].key.clone()),
        Some(Error::KeyMismatch {
            compartment: 5,
            epoch: 1
        })
    );
    assert_eq!(
        open(|directory| directory.compartments[0].epoch = 1),
        Some(Error::WrongEpoch { given: 2, expected: 1 })
    );
    assert_eq!(
        open(|directory| drop(directory.compartments.remove(0))),
        Some(Error::UnknownCompartment { compartment: 3 })
    );
}

#[test]
fn a_kit_that_is_cut_altered_or_too_large_does_not_decode_to_one_that_verifies() {
    let (account, controller) = account("controller");
    let kit = sign(body(&CHART, VERSION, Suite::X25519), &account);
    let bytes = kit.encode();
    for length in (0..bytes.len()).step_by(17) {
        assert!(EmergencyKit::decode(&bytes[..length]).is_err());
    }
    for at in (0..bytes.len()).step_by(5) {
        let mut altered = bytes.clone();
        altered[at] ^= 1;
        let taken = EmergencyKit::decode(&altered).and_then(|kit| kit.verify(&SCOPE, controller));
        assert!(taken.is_err(), "byte {at}");
    }
    let long = vec![0; EMERGENCY_KIT_BYTES_MAX + 1];
    assert!(matches!(EmergencyKit::decode(&long), Err(Error::TooLarge { .. })));
    // The longest that can be made fits.
    let many: Vec<_> = (1..=32).map(|n| Somebody::new(n, Suite::XWing).recipient()).collect();
    let suites: Vec<_> = (0..64).map(|n| (n, vec![Suite::XWing])).collect();
    let directory = directory_of(&root(), &CHART, VERSION, &suites, &BTreeMap::new());
    let terms = KitTerms {
        compartments: u64::MAX,
        threshold: 32,
        custodians: &many,
    };
    let body = KitBody::make(&mut TestRng::new("kit"), &DOMAIN, &root(), &directory, SERIAL, &terms).unwrap();
    let longest = body.with_signature(vec![0; 4096]).encode();
    assert!(longest.len() <= EMERGENCY_KIT_BYTES_MAX, "{}", longest.len());
    EmergencyKit::decode(&longest).unwrap();
}

#[test]
fn a_kit_needs_a_compartment_and_custodians_enough() {
    let made = |compartments, threshold, custodians: &[Recipient]| {
        let terms = KitTerms {
            compartments,
            threshold,
            custodians,
        };
        let directory = directory(&CHART, VERSION, Suite::X25519);
        KitBody::make(&mut TestRng::new("kit"), &DOMAIN, &root(), &directory, SERIAL, &terms).err()
    };
    let all: Vec<_> = custodians(Suite::X25519).iter().map(Somebody::recipient).collect();
    assert!(matches!(made(1 << 40, 2, &all), Some(Error::Malformed { .. })));
    assert_eq!(
        made(CHOSEN, 1, &all),
        Some(Error::ShareCounts {
            threshold: 1,
            shares: 3
        })
    );
    let twice = [all[0].clone(), all[0].clone()];
    assert_eq!(made(CHOSEN, 2, &twice), Some(Error::CustodianTwice { index: 2 }));
    // Every compartment that there is.
    assert_eq!(made(u64::MAX, 2, &all), None);
}

#[test]
fn two_kits_share_nothing_even_where_randomness_repeats_itself() {
    let recipients: Vec<_> = custodians(Suite::X25519).iter().map(Somebody::recipient).collect();
    let terms = KitTerms {
        compartments: CHOSEN,
        threshold: 2,
        custodians: &recipients,
    };
    let mut seen = BTreeSet::new();
    for (chart, version, serial) in [(CHART, 5, 3), ([0; 32], 5, 3), (CHART, 6, 3), (CHART, 5, 4)] {
        let directory = directory(&chart, version, Suite::X25519);
        let body = KitBody::make(&mut Stuck(7), &DOMAIN, &root(), &directory, serial, &terms).unwrap();
        assert!(seen.insert(body.id.to_vec()) && seen.insert(body.key.as_bytes().to_vec()));
        for share in &body.shares {
            assert!(seen.insert(share.sealed.ciphertext.clone()));
        }
    }
}

/// A directory and a kit are signed apart: neither signature is good for the other.
#[test]
fn a_signature_of_a_directory_is_not_one_of_a_kit() {
    let (account, controller) = account("controller");
    let directory: Directory = crate::directory::sign(directory(&CHART, VERSION, Suite::X25519), &DOMAIN, &account);
    let kit = body(&CHART, VERSION, Suite::X25519).with_signature(directory.signature);
    assert!(matches!(
        kit.verify(&SCOPE, controller),
        Err(Error::NotController { .. })
    ));
}
