//! Consents of participants.

use alloy_primitives::{Address, B256};
use medlock_research::consent::{CONSENT_BYTES_MAX, Consent, ConsentError, Expected, NAME_BYTES_MAX};

use crate::support::{SITE, trial};

const SALT: [u8; 32] = [0x5a; 32];

pub fn consent() -> Consent {
    Consent {
        trial: trial(),
        version: 2,
        form: B256::repeat_byte(0xf0),
        site: SITE,
        participant: Address::repeat_byte(0x77),
        at: 1_777_802_400,
        name: Some("Zoë \"Zo\" \\ Müller".to_owned().into()),
    }
}

fn expected(consent: &Consent) -> Expected {
    Expected {
        trial: consent.trial,
        version: consent.version,
        form: consent.form,
        site: consent.site,
        participant: consent.participant,
        document: consent.digest(&SALT).unwrap(),
    }
}

#[test]
fn a_consent_is_read_as_it_was_given() {
    let longest = Some("\"".repeat(NAME_BYTES_MAX).into());
    for name in [consent().name, None, longest] {
        let consent = Consent { name, ..consent() };
        let json = consent.to_json().unwrap();
        assert!(json.len() <= CONSENT_BYTES_MAX);
        assert_eq!(Consent::read(&json), Ok(consent.clone()));
        assert_eq!(Consent::check(&json, &SALT, &expected(&consent)), Ok(consent));
    }
}

#[test]
fn the_document_is_canonical_json() {
    let json = consent().to_json().unwrap();
    let mut value: serde_json::Value = serde_json::from_slice(&json).unwrap();
    value.sort_all_objects();
    assert_eq!(value.to_string().as_bytes(), json.as_slice());
    let spaced = serde_json::to_vec_pretty(&value).unwrap();
    assert_eq!(Consent::read(&spaced), Err(ConsentError::NotCanonical));
}

#[test]
fn the_digest_is_of_label_salt_and_document() {
    // By Python's hashlib and json, and a Keccak of its own for the trial's id.
    assert_eq!(
        consent().digest(&SALT).unwrap().to_string(),
        "0xb17942706b2cc231c49a7300fc184c3bd414e0fbde60937c2e77fe32d2204caa"
    );
}

#[test]
fn whatever_is_another_consents_is_named() {
    let given = consent();
    let json = given.to_json().unwrap();
    let of = expected(&given);
    let check = |expected: Expected| Consent::check(&json, &SALT, &expected);
    let other = B256::repeat_byte(1);
    let stranger = Address::repeat_byte(1);
    assert_eq!(check(Expected { trial: other, ..of }), Err(ConsentError::OtherTrial));
    assert_eq!(
        check(Expected { version: 1, ..of }),
        Err(ConsentError::OtherVersion { given: 2, expected: 1 })
    );
    assert_eq!(check(Expected { form: other, ..of }), Err(ConsentError::OtherForm));
    assert_eq!(check(Expected { site: stranger, ..of }), Err(ConsentError::OtherSite));
    assert_eq!(
        check(Expected {
            participant: stranger,
            ..of
        }),
        Err(ConsentError::OtherParticipant)
    );
    assert_eq!(
        check(Expected { document: other, ..of }),
        Err(ConsentError::OtherDigest)
    );
    assert_eq!(Consent::check(&json, &[0; 32], &of), Err(ConsentError::OtherDigest));
    let earlier = Consent {
        at: given.at - 1,
        ..given
    };
    let json = earlier.to_json().unwrap();
    assert_eq!(Consent::check(&json, &SALT, &of), Err(ConsentError::OtherDigest));
}

#[test]
fn refuses_what_no_consent_says() {
    let make = |change: fn(&mut Consent)| {
        let mut consent = consent();
        change(&mut consent);
        consent.to_json().unwrap_err()
    };
    assert_eq!(make(|consent| consent.version = 0), ConsentError::Version);
    assert_eq!(make(|consent| consent.at = 1 << 40), ConsentError::Time);
    assert_eq!(
        make(|consent| consent.name = Some(" ".to_owned().into())),
        ConsentError::Name
    );
    assert_eq!(
        make(|consent| consent.name = Some("a\nb".to_owned().into())),
        ConsentError::Name
    );
    assert_eq!(
        make(|consent| consent.name = Some("a".repeat(201).into())),
        ConsentError::Name
    );
    let json = String::from_utf8(consent().to_json().unwrap().to_vec()).unwrap();
    for bad in [
        json.replace("trial/consent", "trial/consent2"),
        json.replace("\"at\"", "\"when\""),
        json.replace("\"version\":2", "\"version\":2,\"version\":2"),
        json.replace("\"version\":2", "\"version\":256"),
        json.replace(r#""name":"Zo"#, r#""name":null,"x":"Zo"#),
        format!("{json} {{}}"),
        json[..json.len() - 1].to_owned(),
    ] {
        assert!(
            matches!(Consent::read(bad.as_bytes()), Err(ConsentError::Unreadable(_))),
            "{bad}"
        );
    }
}

#[test]
fn a_name_is_never_shown() {
    let consent = consent();
    assert!(!format!("{consent:?}").contains("ller"));
    let bytes = consent.to_json().unwrap();
    let cut = Consent::read(&bytes[..bytes.len() - 9]).unwrap_err();
    assert!(!format!("{cut} {cut:?}").contains("ller"));
}
