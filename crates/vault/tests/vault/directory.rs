use std::collections::BTreeMap;

use alloy_primitives::Address;
use k256::ecdsa::SigningKey;
use medlock_vault::{
    AccountKey, Binding, CompartmentKeys, Directory, DirectoryBody, Domain, Envelope, Error, Link, RootSecret, Suite,
    compartment::LINK_BYTES, directory::DIRECTORY_BYTES_MAX, seal_payload, signed::SIGNATURE_BYTES_MAX,
};

use crate::{DOMAIN, TestRng, binding, metadata, raw_cid};

const CHART: [u8; 32] = [0xc4; 32];

fn root() -> RootSecret {
    RootSecret::generate(&mut TestRng::new("root"))
}

fn labels() -> BTreeMap<u8, String> {
    BTreeMap::from([
        (0, "Allergies".into()),
        (3, "Laboratory".into()),
        (63, "Psychiatry".into()),
    ])
}

fn body(version: u32, epochs: &[(u8, u32)]) -> DirectoryBody {
    let suites: Vec<_> = epochs
        .iter()
        .map(|(compartment, epoch)| (*compartment, vec![Suite::X25519; *epoch as usize]))
        .collect();
    directory_of(&root(), &CHART, version, &suites, &labels())
}

/// The directory at `version` (which leaves room for as many rotations as it takes) of a chart whose compartments have
/// been through epochs of these suites.
pub fn directory_of(
    root: &RootSecret,
    chart: &[u8; 32],
    version: u32,
    suites: &[(u8, Vec<Suite>)],
    labels: &BTreeMap<u8, String>,
) -> DirectoryBody {
    let mut rng = TestRng::new("directory");
    let first = suites.iter().map(|(compartment, suites)| (*compartment, suites[0]));
    let mut body = DirectoryBody::first(&mut rng, root, chart, &first.collect(), labels).unwrap();
    let rotations = suites.iter().map(|(_, suites)| suites.len() - 1).max().unwrap_or(0);
    for rotation in 1..=rotations {
        let left = (rotations - rotation) as u32;
        let rotated = suites
            .iter()
            .filter_map(|(compartment, suites)| suites.get(rotation).map(|suite| (*compartment, *suite)));
        body = body.next(&mut rng, root, version - left, &rotated.collect()).unwrap();
    }
    if body.version < version {
        body = body.next(&mut rng, root, version, &BTreeMap::new()).unwrap();
    }
    body
}

pub fn sign(body: DirectoryBody, domain: &Domain, account: &AccountKey) -> Directory {
    let key = SigningKey::from_slice(account.expose()).unwrap();
    let (signature, parity) = key
        .sign_prehash_recoverable(body.signing_hash(domain).as_slice())
        .unwrap();
    let signature = [&signature.to_bytes()[..], &[27 + parity.to_byte()]].concat();
    body.with_signature(signature)
}

fn account() -> (AccountKey, Address) {
    let account = AccountKey::generate(&mut TestRng::new("controller"));
    let address = account.address().unwrap();
    (account, address)
}

#[test]
fn lists_the_keys_that_the_controller_derives() {
    let (account, controller) = account();
    let directory = sign(body(5, &[(0, 1), (3, 4), (63, 2)]), &DOMAIN, &account);
    let decoded = Directory::decode(&directory.encode()).unwrap();
    assert_eq!(decoded, directory);
    decoded.verify(&DOMAIN, controller).unwrap();
    for (compartment, epoch) in [(0, 1), (3, 4), (63, 2)] {
        let entry = decoded.body.entry(compartment).unwrap();
        let keys = CompartmentKeys::derive(&root(), &CHART, compartment, epoch, Suite::X25519).unwrap();
        assert_eq!(
            (entry.epoch, &entry.key, entry.links.len()),
            (epoch, &keys.public_key(), epoch as usize - 1)
        );
    }
    assert_eq!(decoded.body.entry(9), Err(Error::UnknownCompartment { compartment: 9 }));
    assert_eq!(decoded.body.open_labels(&root()).unwrap(), labels());
    let other = RootSecret::generate(&mut TestRng::new("other"));
    assert!(matches!(decoded.body.open_labels(&other), Err(Error::Unopened { .. })));
}

#[test]
fn every_chart_compartment_and_epoch_has_keys_of_its_own() {
    let mut seen = std::collections::HashSet::new();
    for chart in [CHART, [0; 32]] {
        for compartment in [0, 1, 63] {
            for epoch in [1, 2, 256] {
                let keys = CompartmentKeys::derive(&root(), &chart, compartment, epoch, Suite::X25519).unwrap();
                assert!(seen.insert(*keys.private.expose()) && seen.insert(*keys.history.unwrap().expose()));
            }
        }
    }
    assert!(matches!(
        CompartmentKeys::derive(&root(), &CHART, 64, 1, Suite::X25519),
        Err(Error::CompartmentRange { compartment: 64 })
    ));
    assert!(matches!(
        CompartmentKeys::derive(&root(), &CHART, 0, 0, Suite::X25519),
        Err(Error::Malformed { .. })
    ));
}

#[test]
fn refuses_a_directory_that_the_controller_did_not_sign_as_it_stands() {
    let (account, controller) = account();
    let directory = sign(body(5, &[(0, 1), (3, 2)]), &DOMAIN, &account);
    type Change = fn(&mut Directory);
    let changes: [Change; 7] = [
        |directory| directory.body.version += 1,
        |directory| directory.body.chart[0] ^= 1,
        |directory| directory.body.compartments[1].epoch += 1,
        |directory| directory.body.compartments[0].key = directory.body.compartments[1].key.clone(),
        |directory| directory.body.compartments[1].links[0].0[9] ^= 1,
        |directory| drop(directory.body.compartments.remove(0)),
        |directory| directory.body.labels = body(6, &[]).labels,
    ];
    for (index, change) in changes.into_iter().enumerate() {
        let mut changed = directory.clone();
        change(&mut changed);
        // Recovery from the altered hash gives another signer, or none.
        assert!(
            matches!(
                changed.verify(&DOMAIN, controller),
                Err(Error::NotController { .. } | Error::SignatureForm)
            ),
            "change {index}"
        );
    }
    for domain in [
        Domain { chain_id: 1, ..DOMAIN },
        Domain {
            records: [1; 20],
            ..DOMAIN
        },
    ] {
        assert!(matches!(
            directory.verify(&domain, controller),
            Err(Error::NotController { .. })
        ));
    }
    assert!(matches!(
        directory.verify(&DOMAIN, Address::ZERO),
        Err(Error::NotController { .. })
    ));
}

#[test]
fn refuses_to_make_a_directory_that_could_not_be_read() {
    let first = |compartment, label: &str| {
        let compartments = BTreeMap::from([(compartment, Suite::X25519)]);
        let labels = BTreeMap::from([(0, label.to_owned())]);
        DirectoryBody::first(&mut TestRng::new("directory"), &root(), &CHART, &compartments, &labels).map(|_| ())
    };
    assert!(matches!(
        first(0, &"x".repeat(257)),
        Err(Error::TooLarge { what: "label", .. })
    ));
    assert_eq!(first(64, ""), Err(Error::CompartmentRange { compartment: 64 }));
}

#[test]
fn the_next_directory_keeps_what_is_not_rotated() {
    let before = body(5, &[(0, 1), (3, 4)]);
    let rotated = BTreeMap::from([(3, Suite::X25519)]);
    let next = |root: &RootSecret, version, rotated: &BTreeMap<u8, Suite>| {
        before.next(&mut TestRng::new("next"), root, version, rotated)
    };
    let after = next(&root(), 7, &rotated).unwrap();
    assert_eq!((after.version, after.chart), (7, CHART));
    assert_eq!(after.entry(0), before.entry(0));
    let (old, new) = (before.entry(3).unwrap(), after.entry(3).unwrap());
    assert_eq!(new.epoch, 5);
    assert_eq!(new.links[1..], old.links);
    assert_eq!(after.open_labels(&root()).unwrap(), labels());
    assert!(matches!(next(&root(), 5, &rotated), Err(Error::Malformed { .. })));
    assert_eq!(
        next(&root(), 6, &BTreeMap::from([(9, Suite::X25519)])),
        Err(Error::UnknownCompartment { compartment: 9 })
    );
    let other = RootSecret::generate(&mut TestRng::new("other"));
    assert!(matches!(next(&other, 6, &rotated), Err(Error::Unopened { .. })));
}

#[test]
fn a_full_directory_forgets_its_oldest_links_and_still_rotates() {
    let suites = (0..64).map(|compartment| (compartment, Suite::X25519));
    let mut full = DirectoryBody::first(
        &mut TestRng::new("first"),
        &root(),
        &CHART,
        &suites.collect(),
        &labels(),
    )
    .unwrap();
    // As after as many rotations; only the newest link is opened here.
    for entry in &mut full.compartments {
        entry.epoch = 194;
        entry.key = CompartmentKeys::derive(&root(), &CHART, entry.compartment, 194, Suite::X25519)
            .unwrap()
            .public_key();
        entry.links = vec![Link([entry.compartment; LINK_BYTES]); 193];
    }
    let size = |body: &DirectoryBody| body.clone().with_signature(vec![0; SIGNATURE_BYTES_MAX]).encode().len();
    assert!(size(&full) < DIRECTORY_BYTES_MAX);
    let all = (0..64).map(|compartment| (compartment, Suite::X25519)).collect();
    let next = full.next(&mut TestRng::new("next"), &root(), 2, &all).unwrap();
    assert!((DIRECTORY_BYTES_MAX * 9 / 10..=DIRECTORY_BYTES_MAX).contains(&size(&next)));
    let links = next.compartments.iter().map(|entry| entry.links.len());
    assert!(links.clone().all(|links| (178..=194).contains(&links)) && links.sum::<usize>() < 64 * 194);
    let keys = CompartmentKeys::derive(&root(), &CHART, 7, 195, Suite::X25519).unwrap();
    assert_eq!(next.keys_at_epoch(&keys, 194).unwrap().epoch, 194);
}

#[test]
fn accepts_one_form_of_signature() {
    let (account, controller) = account();
    let directory = sign(body(1, &[(0, 1)]), &DOMAIN, &account);
    let refused = |signature: Vec<u8>| {
        assert_eq!(
            directory
                .body
                .clone()
                .with_signature(signature)
                .verify(&DOMAIN, controller),
            Err(Error::SignatureForm)
        );
    };
    refused(directory.signature[..64].to_vec());
    refused([&directory.signature[..], b"x"].concat());
    refused([&directory.signature[..64], &[directory.signature[64] - 27]].concat());
    refused(vec![0; 65]);
    // The other s, with the other parity, recovers the same signer: EIP-2 forbids it.
    let s = k256::NonZeroScalar::try_from(&directory.signature[32..64]).unwrap();
    let high = (-s).to_bytes();
    refused([&directory.signature[..32], &high, &[27 + 28 - directory.signature[64]]].concat());
}

#[test]
fn refuses_malformed_directories() {
    let (account, _) = account();
    let good = body(3, &[(0, 1), (3, 3)]);
    type Change = fn(&mut DirectoryBody);
    let changes: [(Change, &str); 6] = [
        (|body| body.compartments.swap(0, 1), "out of order"),
        (|body| body.compartments[1].compartment = 0, "twice"),
        (|body| body.compartments[1].compartment = 64, "out of range"),
        (|body| body.compartments[0].epoch = 0, "epoch 0"),
        (|body| body.version = 0, "version 0"),
        (
            |body| body.compartments[0].links = body.compartments[1].links.clone(),
            "more links than epochs",
        ),
    ];
    for (change, what) in changes {
        let mut changed = good.clone();
        change(&mut changed);
        let block = sign(changed, &DOMAIN, &account).encode();
        assert!(
            matches!(
                Directory::decode(&block),
                Err(Error::Malformed { .. } | Error::CompartmentRange { .. })
            ),
            "{what}"
        );
    }
    let block = sign(good, &DOMAIN, &account).encode();
    for length in 0..block.len() {
        assert!(Directory::decode(&block[..length]).is_err());
    }
    assert!(Directory::decode(&[&block[..], b"\0"].concat()).is_err());
    let newer = block
        .iter()
        .rposition(|byte| *byte == b'v')
        .filter(|at| block[at - 1] == 0x61);
    let newer = newer
        .or_else(|| {
            block
                .windows(3)
                .position(|window| window == b"\x61v\x01")
                .map(|at| at + 1)
        })
        .unwrap();
    let mut changed = block.clone();
    changed[newer + 1] = 2;
    assert_eq!(
        Directory::decode(&changed),
        Err(Error::UnknownVersion {
            what: "directory",
            version: 2
        })
    );
    let key = block.windows(5).position(|window| window == b"\x63key\x58").unwrap() + 6;
    let mut changed = block.clone();
    changed[key..key + 32].fill(0);
    assert_eq!(Directory::decode(&changed), Err(Error::BadPublicKey));
}

/// What a reader who was granted `keys` can do with a record sealed in `epoch`, with all bytes in hand.
fn read(directory: &DirectoryBody, keys: &CompartmentKeys, epoch: u32) -> Result<Vec<u8>, Error> {
    let binding = Binding {
        chart: CHART,
        ..binding()
    };
    let mut rng = TestRng::new("record");
    let at_epoch = CompartmentKeys::derive(&root(), &CHART, binding.compartment, epoch, Suite::X25519).unwrap();
    let payload = seal_payload(&mut rng, &binding, &metadata(), b"content").unwrap();
    let cid = raw_cid(&payload.bytes);
    let envelope = Envelope::seal(&mut rng, &binding, epoch, &at_epoch.public_key(), cid, &payload.seal).unwrap();
    let keys = directory.keys_at_epoch(keys, envelope.epoch)?;
    envelope
        .open_record(&binding, &keys, &payload.bytes)
        .map(|(_, content)| content.to_vec())
}

#[test]
fn history_opens_every_earlier_epoch_and_nothing_without_it() {
    let directory = body(5, &[(3, 5)]);
    let keys = CompartmentKeys::derive(&root(), &CHART, 3, 5, Suite::X25519).unwrap();
    for epoch in 1..=5 {
        assert_eq!(read(&directory, &keys, epoch).unwrap(), b"content", "epoch {epoch}");
    }
    let from_now_on = keys.clone().without_history();
    assert_eq!(read(&directory, &from_now_on, 5).unwrap(), b"content");
    for epoch in 1..5 {
        assert_eq!(
            read(&directory, &from_now_on, epoch),
            Err(Error::NoHistory {
                compartment: 3,
                epoch: 4
            })
        );
    }
    // A grantee who joined at epoch 3 still walks back from there, over the newer directory.
    let joined = CompartmentKeys::derive(&root(), &CHART, 3, 3, Suite::X25519).unwrap();
    assert_eq!(read(&directory, &joined, 1).unwrap(), b"content");
}

#[test]
fn a_revoked_reader_cannot_open_what_is_sealed_after_the_rotation() {
    let rotated = body(2, &[(3, 2)]);
    let revoked = CompartmentKeys::derive(&root(), &CHART, 3, 1, Suite::X25519).unwrap();
    assert_eq!(
        read(&rotated, &revoked, 1).unwrap(),
        b"content",
        "what could be read may have been kept"
    );
    assert_eq!(
        read(&rotated, &revoked, 2),
        Err(Error::WrongEpoch { given: 1, expected: 2 })
    );
    // Neither the key nor the history key of epoch 1 opens anything of epoch 2.
    let disguised = CompartmentKeys {
        epoch: 2,
        ..revoked.clone()
    };
    assert_eq!(
        read(&rotated, &disguised, 2),
        Err(Error::KeyMismatch {
            compartment: 3,
            epoch: 2
        })
    );
    let link = &rotated.entry(3).unwrap().links[0];
    assert!(matches!(disguised.open_link(&CHART, link), Err(Error::Unopened { .. })));
    assert!(matches!(revoked.open_link(&CHART, link), Err(Error::Unopened { .. })));
}

#[test]
fn a_link_opens_only_in_its_own_place() {
    let derive =
        |compartment, epoch| CompartmentKeys::derive(&root(), &CHART, compartment, epoch, Suite::X25519).unwrap();
    let link = derive(3, 3).seal_link(&CHART, &derive(3, 2)).unwrap();
    assert_eq!(
        link,
        derive(3, 3).seal_link(&CHART, &derive(3, 2)).unwrap(),
        "the same bytes every time"
    );
    let opened = derive(3, 3).open_link(&CHART, &link).unwrap();
    assert!(opened.epoch == 2 && opened.private.same(&derive(3, 2).private));
    for (keys, chart) in [
        (derive(3, 2), CHART),
        (derive(3, 4), CHART),
        (derive(4, 3), CHART),
        (derive(3, 3), [0; 32]),
    ] {
        assert!(matches!(keys.open_link(&chart, &link), Err(Error::Unopened { .. })));
    }
    let mut altered = link.clone();
    altered.0[81] ^= 1;
    assert!(matches!(
        derive(3, 3).open_link(&CHART, &altered),
        Err(Error::Unopened { .. })
    ));
    assert!(matches!(
        derive(3, 3).seal_link(&CHART, &derive(3, 1)),
        Err(Error::WrongEpoch { given: 1, expected: 2 })
    ));
    assert!(matches!(
        derive(3, 3).seal_link(&CHART, &derive(4, 2)),
        Err(Error::WrongCompartment { .. })
    ));
    // The controller forgot the oldest link: what lies behind it is gone for grantees.
    let mut forgetful = body(4, &[(3, 3)]);
    forgetful.compartments[0].links.pop();
    assert_eq!(read(&forgetful, &derive(3, 3), 2).unwrap(), b"content");
    assert_eq!(
        read(&forgetful, &derive(3, 3), 1),
        Err(Error::NoLink {
            compartment: 3,
            epoch: 1
        })
    );
}
