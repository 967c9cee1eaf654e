use medlock_vault::{
    Domain, EncryptionKey, Error, Membership, MembershipScope, Suite, keyfile::ENCRYPTION_KEYS_MAX,
    membership::MEMBERSHIP_BYTES_MAX,
};

use crate::{DOMAIN, TestRng};

const CLINIC: [u8; 20] = [0xc1; 20];
const DOCTOR: [u8; 20] = [0xd0; 20];
const SCOPE: MembershipScope = MembershipScope {
    organisation: CLINIC,
    member: DOCTOR,
    organisation_key_version: 3,
    member_key_version: 2,
};

fn key(seed: &str, suite: Suite) -> EncryptionKey {
    EncryptionKey::generate(&mut TestRng::new(seed), suite)
}

fn doctor() -> EncryptionKey {
    key("doctor", Suite::X25519)
}

fn seal(recipient: &EncryptionKey, keys: &[EncryptionKey]) -> Result<Membership, Error> {
    let keys: Vec<_> = keys.iter().collect();
    let mut rng = TestRng::new("membership");
    Membership::seal(&mut rng, &DOMAIN, &SCOPE, &recipient.public_key(), &keys)
}

fn clinic() -> [EncryptionKey; 2] {
    ["newest", "retired"].map(|seed| key(seed, Suite::X25519))
}

#[test]
fn gives_the_member_the_organisations_keys_newest_first() {
    let membership = Membership::decode(&seal(&doctor(), &clinic()).unwrap().encode()).unwrap();
    assert_eq!(membership.scope, SCOPE);
    let opened = membership.open(&DOMAIN, &CLINIC, &DOCTOR, &doctor()).unwrap();
    assert_eq!(opened.len(), 2);
    assert!(opened.iter().zip(&clinic()).all(|(opened, sealed)| opened.same(sealed)));
}

#[test]
fn refuses_any_other_key_organisation_member_or_deployment() {
    let membership = seal(&doctor(), &clinic()).unwrap();
    let open = |membership: &Membership, domain: &Domain, key: &EncryptionKey| {
        let scope = membership.scope;
        membership
            .open(domain, &scope.organisation, &scope.member, key)
            .map(|keys| keys.len())
    };
    let unopened = Err(Error::Unopened { what: "membership" });
    assert_eq!(open(&membership, &DOMAIN, &doctor()), Ok(2));
    assert_eq!(open(&membership, &DOMAIN, &key("nurse", Suite::X25519)), unopened);
    for domain in [
        Domain { chain_id: 1, ..DOMAIN },
        Domain {
            records: [1; 20],
            ..DOMAIN
        },
    ] {
        assert_eq!(open(&membership, &domain, &doctor()), unopened);
    }
    let asked = |organisation, member| membership.open(&DOMAIN, organisation, member, &doctor()).err();
    let other = |field| Some(Error::MembershipScope { field });
    assert_eq!(asked(&[0; 20], &DOCTOR), other("organisation"));
    assert_eq!(asked(&CLINIC, &[0; 20]), other("member"));
    // Rewriting the block to fit does not help.
    let edits: [fn(&mut MembershipScope); 4] = [
        |scope| scope.organisation = [0; 20],
        |scope| scope.member = [0; 20],
        |scope| scope.organisation_key_version = 4,
        |scope| scope.member_key_version = 1,
    ];
    for edit in edits {
        let mut rewritten = membership.clone();
        edit(&mut rewritten.scope);
        assert_eq!(open(&rewritten, &DOMAIN, &doctor()), unopened);
    }
    for at in [0, membership.sealed.ciphertext.len() - 1] {
        let mut altered = membership.clone();
        altered.sealed.ciphertext[at] ^= 1;
        assert_eq!(open(&altered, &DOMAIN, &doctor()), unopened);
    }
}

#[test]
fn post_quantum_keys_go_to_no_weaker_member() {
    let keys = [key("newest", Suite::X25519), key("retired", Suite::XWing)];
    assert_eq!(seal(&doctor(), &keys).err(), Some(Error::WeakerMember));
    let strong = key("doctor", Suite::XWing);
    let membership = seal(&strong, &keys).unwrap();
    let open = |key: &EncryptionKey| membership.open(&DOMAIN, &CLINIC, &DOCTOR, key).map(|keys| keys.len());
    assert_eq!(open(&strong), Ok(2));
    assert!(matches!(open(&doctor()), Err(Error::WrongSuite { .. })));
}

#[test]
fn as_many_keys_as_a_key_file_holds_fit_the_limit_and_no_more_are_taken() {
    let key = key("any", Suite::XWing);
    let sealed = |count| seal(&key, &vec![key.clone(); count]);
    let block = sealed(ENCRYPTION_KEYS_MAX).unwrap().encode();
    assert!(block.len() <= MEMBERSHIP_BYTES_MAX, "{}", block.len());
    assert!(Membership::decode(&block).is_ok());
    assert!(matches!(sealed(ENCRYPTION_KEYS_MAX + 1), Err(Error::TooLarge { .. })));
    assert!(matches!(sealed(0), Err(Error::Malformed { .. })));
}

#[test]
fn refuses_malformed_memberships() {
    let block = seal(&doctor(), &clinic()).unwrap().encode();
    for length in 0..block.len() {
        assert!(Membership::decode(&block[..length]).is_err());
    }
    assert!(Membership::decode(&[&block[..], b"\0"].concat()).is_err());
    let replaced = |from: &[u8], to: &[u8]| {
        let at = block.windows(from.len()).position(|window| window == from).unwrap();
        Membership::decode(&[&block[..at], to, &block[at + from.len()..]].concat())
    };
    assert_eq!(
        replaced(b"\x61v\x01", b"\x61v\x02"),
        Err(Error::UnknownVersion {
            what: "membership",
            version: 2
        })
    );
    assert_eq!(
        replaced(b"\x65suite\x01", b"\x65suite\x07"),
        Err(Error::UnknownSuite { suite: 7 })
    );
    assert!(replaced(b"\x70memberKeyVersion\x02", b"\x70memberKeyVersion\x18\x02").is_err());

    // Plaintexts that only a malicious sealer could seal.
    let info = [
        &b"medlock/v1/membership\x00\x01"[..],
        &DOMAIN.to_bytes(),
        &CLINIC,
        &DOCTOR,
        &3u32.to_be_bytes(),
        &2u32.to_be_bytes(),
    ]
    .concat();
    let entry = |suite: u8| [&[0, suite][..], &[5; 32]].concat();
    let open = |plaintext: &[u8]| {
        let mut rng = TestRng::new("raw");
        let sealed = medlock_vault::seal::seal(&mut rng, &doctor().public_key(), &info, plaintext).unwrap();
        let membership = Membership {
            suite: Suite::X25519,
            scope: SCOPE,
            sealed,
        };
        membership
            .open(&DOMAIN, &CLINIC, &DOCTOR, &doctor())
            .map(|keys| keys.len())
    };
    assert_eq!(open(&[&[1][..], &entry(1)].concat()), Ok(1));
    for (what, plaintext) in [
        ("nothing", vec![]),
        ("no key", vec![0]),
        ("a count without entries", vec![1]),
        ("entries without a count", [&[0][..], &entry(1)].concat()),
        ("a cut entry", [&[1][..], &entry(1)[..33]].concat()),
        ("an unknown suite", [&[1][..], &entry(9)].concat()),
        ("more keys than a key file holds", {
            [&[65][..], &entry(1).repeat(65)].concat()
        }),
    ] {
        let error = open(&plaintext);
        assert!(
            matches!(error, Err(Error::Malformed { .. } | Error::UnknownSuite { .. })),
            "{what}"
        );
    }
}
