use medlock_vault::{CompartmentKeys, Domain, EncryptionKey, Error, Keyring, KeyringScope, RootSecret, Suite};

use crate::{DOMAIN, TestRng};

const CHART: [u8; 32] = [0xc4; 32];
const CLINIC: [u8; 20] = [0xc1; 20];
const SCOPE: KeyringScope = KeyringScope {
    chart: CHART,
    grantee: CLINIC,
    directory_version: 7,
    key_version: 2,
};

fn keys(compartments: &[u8]) -> Vec<CompartmentKeys> {
    let root = RootSecret::generate(&mut TestRng::new("root"));
    compartments
        .iter()
        .map(|number| CompartmentKeys::derive(&root, &CHART, *number, 2, Suite::X25519).unwrap())
        .collect()
}

fn clinic() -> EncryptionKey {
    EncryptionKey::generate(&mut TestRng::new("clinic"), Suite::X25519)
}

fn seal(keys: &[CompartmentKeys]) -> Keyring {
    Keyring::seal(
        &mut TestRng::new("keyring"),
        &DOMAIN,
        &SCOPE,
        &clinic().public_key(),
        keys,
    )
    .unwrap()
}

#[test]
fn gives_the_grantee_exactly_the_granted_keys() {
    let mut granted = keys(&[0, 3, 63]);
    granted[1] = granted[1].clone().without_history();
    let keyring = Keyring::decode(&seal(&granted).encode()).unwrap();
    let opened = keyring.open(&DOMAIN, &CHART, &CLINIC, &clinic()).unwrap();
    assert_eq!(opened.len(), granted.len());
    for (opened, granted) in opened.iter().zip(&granted) {
        assert_eq!((opened.compartment, opened.epoch), (granted.compartment, granted.epoch));
        assert!(opened.private.same(&granted.private));
        assert_eq!(opened.history.is_some(), granted.history.is_some());
        if let (Some(opened), Some(granted)) = (&opened.history, &granted.history) {
            assert!(opened.same(granted));
        }
    }
    assert!(seal(&[]).open(&DOMAIN, &CHART, &CLINIC, &clinic()).unwrap().is_empty());
}

#[test]
fn is_small_and_shows_no_more_than_the_number_of_compartments() {
    let all: Vec<u8> = (0..64).collect();
    assert!(seal(&keys(&all)).encode().len() < 5 * 1024);
    let without: Vec<_> = keys(&[1, 2])
        .into_iter()
        .map(CompartmentKeys::without_history)
        .collect();
    assert_eq!(seal(&without).encode().len(), seal(&keys(&[1, 2])).encode().len());
}

#[test]
fn refuses_any_other_key_grantee_chart_or_deployment() {
    let keyring = seal(&keys(&[3]));
    let other = EncryptionKey::generate(&mut TestRng::new("insurer"), Suite::X25519);
    let unopened = Some(Error::Unopened { what: "keyring" });
    assert_eq!(keyring.open(&DOMAIN, &CHART, &CLINIC, &other).err(), unopened);
    for domain in [
        Domain { chain_id: 1, ..DOMAIN },
        Domain {
            records: [1; 20],
            ..DOMAIN
        },
    ] {
        assert_eq!(keyring.open(&domain, &CHART, &CLINIC, &clinic()).err(), unopened);
    }
    assert_eq!(
        keyring.open(&DOMAIN, &[0; 32], &CLINIC, &clinic()).err(),
        Some(Error::KeyringScope { field: "chart" })
    );
    assert_eq!(
        keyring.open(&DOMAIN, &CHART, &[0; 20], &clinic()).err(),
        Some(Error::KeyringScope { field: "grantee" })
    );
    // Rewriting the block to fit does not help.
    for scope in [
        KeyringScope {
            chart: [0; 32],
            ..SCOPE
        },
        KeyringScope {
            grantee: [0; 20],
            ..SCOPE
        },
        KeyringScope {
            directory_version: 8,
            ..SCOPE
        },
        KeyringScope {
            key_version: 1,
            ..SCOPE
        },
    ] {
        let rewritten = Keyring {
            scope,
            ..keyring.clone()
        };
        assert_eq!(
            rewritten.open(&DOMAIN, &scope.chart, &scope.grantee, &clinic()).err(),
            unopened
        );
    }
    for at in [0, keyring.sealed.ciphertext.len() - 1] {
        let mut altered = keyring.clone();
        altered.sealed.ciphertext[at] ^= 1;
        assert_eq!(altered.open(&DOMAIN, &CHART, &CLINIC, &clinic()).err(), unopened);
    }
}

#[test]
fn refuses_malformed_keyrings() {
    let mut backwards = keys(&[3, 1]);
    let sealed = |keys: &[CompartmentKeys]| {
        Keyring::seal(
            &mut TestRng::new("keyring"),
            &DOMAIN,
            &SCOPE,
            &clinic().public_key(),
            keys,
        )
    };
    assert!(matches!(sealed(&backwards), Err(Error::Malformed { .. })));
    backwards[1].compartment = 3;
    assert!(matches!(sealed(&backwards), Err(Error::Malformed { .. })));
    let block = seal(&keys(&[3])).encode();
    for length in 0..block.len() {
        assert!(Keyring::decode(&block[..length]).is_err());
    }
    assert!(Keyring::decode(&[&block[..], b"\0"].concat()).is_err());
    let replaced = |from: &[u8], to: &[u8]| {
        let at = block.windows(from.len()).position(|window| window == from).unwrap();
        Keyring::decode(&[&block[..at], to, &block[at + from.len()..]].concat())
    };
    assert_eq!(
        replaced(b"\x61v\x01", b"\x61v\x02"),
        Err(Error::UnknownVersion {
            what: "keyring",
            version: 2
        })
    );
    assert_eq!(
        replaced(b"\x65suite\x01", b"\x65suite\x07"),
        Err(Error::UnknownSuite { suite: 7 })
    );
    assert!(replaced(b"\x6akeyVersion\x02", b"\x6akeyVersion\x18\x02").is_err());

    // Plaintexts that only a malicious controller could seal.
    let info = [
        &b"medlock/v1/keyring\x00\x01"[..],
        &DOMAIN.to_bytes(),
        &CHART,
        &CLINIC,
        &7u32.to_be_bytes(),
        &2u32.to_be_bytes(),
    ]
    .concat();
    let entry = |compartment: u8, flag: u8, history: u8| {
        [&[compartment, 0, 0, 0, 2, 0, 1, flag][..], &[5; 32], &[history; 32]].concat()
    };
    let open = |plaintext: &[u8]| {
        let sealed =
            medlock_vault::seal::seal(&mut TestRng::new("raw"), &clinic().public_key(), &info, plaintext).unwrap();
        let keyring = Keyring {
            suite: Suite::X25519,
            scope: SCOPE,
            sealed,
        };
        keyring.open(&DOMAIN, &CHART, &CLINIC, &clinic()).map(|keys| keys.len())
    };
    assert_eq!(open(&[&[1][..], &entry(3, 1, 6)].concat()), Ok(1));
    for (what, plaintext) in [
        ("nothing", vec![]),
        ("a count without entries", vec![1]),
        ("entries without a count", [&[0][..], &entry(3, 1, 6)].concat()),
        ("a cut entry", [&[1][..], &entry(3, 1, 6)[..71]].concat()),
        (
            "the same compartment twice",
            [&[2][..], &entry(3, 1, 6), &entry(3, 1, 6)].concat(),
        ),
        ("a flag of 2", [&[1][..], &entry(3, 2, 6)].concat()),
        ("a history key that is not there", [&[1][..], &entry(3, 0, 6)].concat()),
        ("compartment 64", [&[1][..], &entry(64, 1, 6)].concat()),
    ] {
        assert!(
            matches!(
                open(&plaintext),
                Err(Error::Malformed { .. } | Error::CompartmentRange { .. })
            ),
            "{what}"
        );
    }
}
