use medlock_vault::{
    EncryptionKey, Error, KdfParams, KeyFile, Secrets, Suite,
    keyfile::{ENCRYPTION_KEYS_MAX, KEY_FILE_BYTES_MAX},
};

use crate::TestRng;

/// The least that is accepted: tests need many of them.
pub const QUICK: KdfParams = KdfParams {
    memory_kib: 7 * 1024,
    iterations: 1,
    lanes: 1,
};

fn sealed(params: KdfParams) -> (Secrets, KeyFile) {
    let mut rng = TestRng::new("key file");
    let secrets = Secrets::generate(&mut rng, Suite::X25519);
    let file = KeyFile::seal(&mut rng, &secrets, "käse & brot".as_bytes(), params).unwrap();
    (secrets, file)
}

#[test]
fn gives_back_the_keys_and_shows_whose_they_are() {
    let (secrets, file) = sealed(KdfParams::OWASP);
    let file = KeyFile::from_json(&file.to_json()).unwrap();
    assert_eq!(
        file.params(),
        KdfParams {
            memory_kib: 19_456,
            iterations: 2,
            lanes: 1
        }
    );
    assert_eq!(file.address(), secrets.account.address().unwrap());
    let opened = file.open("käse & brot".as_bytes()).unwrap();
    assert!(opened.account.same(&secrets.account));
    assert!(opened.encryption.same(&secrets.encryption));
    assert!(opened.root.same(&secrets.root));
}

#[test]
fn keeps_every_encryption_key_that_was_published() {
    let mut rng = TestRng::new("rotated");
    let mut secrets = Secrets::generate(&mut rng, Suite::X25519);
    let mut keys = vec![secrets.encryption.clone()];
    for rotation in 1..ENCRYPTION_KEYS_MAX {
        let suite = if rotation % 2 == 1 { Suite::XWing } else { Suite::X25519 };
        secrets.rotate_encryption(&mut rng, suite).unwrap();
        assert_eq!(secrets.encryption.suite(), suite);
        keys.insert(0, secrets.encryption.clone());
    }
    let json = KeyFile::seal(&mut rng, &secrets, b"", QUICK).unwrap().to_json();
    let opened = KeyFile::from_json(&json).unwrap().open(b"").unwrap();
    let opened: Vec<&EncryptionKey> = std::iter::once(&opened.encryption).chain(&opened.retired).collect();
    assert_eq!(opened.len(), keys.len());
    assert!(opened.iter().zip(&keys).all(|(opened, key)| opened.same(key)));
    let full = Err(Error::TooLarge {
        what: "list of encryption keys",
        size: 65,
        most: 64,
    });
    assert_eq!(secrets.rotate_encryption(&mut rng, Suite::X25519), full);
    assert_eq!(
        secrets.retired.len() + 1,
        ENCRYPTION_KEYS_MAX,
        "a rotation that fails changes nothing"
    );
}

#[test]
fn says_when_it_should_be_sealed_anew() {
    let (_, file) = sealed(QUICK);
    assert!(file.is_outdated(&KdfParams::OWASP) && !file.is_outdated(&QUICK));
    let more = KdfParams { iterations: 2, ..QUICK };
    assert!(file.is_outdated(&more));
}

#[test]
fn a_wrong_passphrase_has_an_error_of_its_own() {
    let (_, file) = sealed(QUICK);
    for wrong in ["", "käse & brot ", "kase & brot"] {
        assert_eq!(file.open(wrong.as_bytes()).err(), Some(Error::Passphrase));
    }
    assert!(
        Error::Passphrase
            .to_string()
            .contains("passphrase is wrong, or the file was altered")
    );
}

#[test]
fn refuses_every_altered_field() {
    let (_, file) = sealed(QUICK);
    let json: serde_json::Value = serde_json::from_str(&file.to_json()).unwrap();
    let open = |pointer: &str, value: serde_json::Value| {
        let mut json = json.clone();
        *json.pointer_mut(pointer).expect("the field exists") = value;
        KeyFile::from_json(&json.to_string())?
            .open("käse & brot".as_bytes())
            .map(|_| ())
    };
    let flipped = |pointer: &str, at: usize| {
        let text = json.pointer(pointer).unwrap().as_str().unwrap();
        let other = if &text[at..=at] == "0" { "1" } else { "0" };
        format!("{}{other}{}", &text[..at], &text[at + 1..]).into()
    };
    assert_eq!(open("/kdf/params/iterations", 1.into()), Ok(()));
    let other = Secrets::generate(&mut TestRng::new("other"), Suite::X25519)
        .account
        .address()
        .unwrap();
    for (pointer, value) in [
        ("/kdf/params/iterations", 2.into()),
        ("/kdf/params/memoryKib", 8192.into()),
        ("/kdf/params/lanes", 2.into()),
        ("/kdf/salt", flipped("/kdf/salt", 31)),
        ("/nonce", flipped("/nonce", 0)),
        ("/ciphertext", flipped("/ciphertext", 0)),
        ("/ciphertext", flipped("/ciphertext", 191)),
        ("/ciphertext", flipped("/ciphertext", 227)),
        ("/v", 1.into()),
        ("/ciphertext", "".into()),
        ("/address", other.to_checksum(None).into()),
    ] {
        assert_eq!(open(pointer, value), Err(Error::Passphrase), "{pointer}");
    }
    assert_eq!(
        open("/v", 3.into()),
        Err(Error::UnknownVersion {
            what: "key file",
            version: 3
        })
    );
    for (pointer, value) in [
        ("/kdf/name", "scrypt".into()),
        ("/kdf/version", 16.into()),
        ("/cipher", "none".into()),
        ("/address", "0x1234".into()),
        ("/address", json["address"].as_str().unwrap().to_lowercase().into()),
        ("/nonce", "00".into()),
        ("/ciphertext", "zz".into()),
    ] {
        assert!(
            matches!(open(pointer, value), Err(Error::Malformed { what: "key file", .. })),
            "{pointer}"
        );
    }
}

#[test]
fn bounds_what_a_key_file_may_cost_to_open() {
    let (secrets, file) = sealed(QUICK);
    for (params, parameter) in [
        (
            KdfParams {
                memory_kib: 7 * 1024 - 1,
                ..QUICK
            },
            "memoryKib",
        ),
        (
            KdfParams {
                memory_kib: u32::MAX,
                ..QUICK
            },
            "memoryKib",
        ),
        (KdfParams { iterations: 0, ..QUICK }, "iterations"),
        (
            KdfParams {
                iterations: 17,
                ..QUICK
            },
            "iterations",
        ),
        (KdfParams { lanes: 0, ..QUICK }, "lanes"),
        (KdfParams { lanes: 17, ..QUICK }, "lanes"),
    ] {
        let found = KeyFile::seal(&mut TestRng::new("x"), &secrets, b"", params).err();
        assert!(matches!(found, Some(Error::KdfParameter { parameter: named, .. }) if named == parameter));
        let mut json: serde_json::Value = serde_json::from_str(&file.to_json()).unwrap();
        json["kdf"]["params"] = serde_json::to_value(params).unwrap();
        assert!(matches!(
            KeyFile::from_json(&json.to_string()),
            Err(Error::KdfParameter { .. })
        ));
    }
    let long = " ".repeat(KEY_FILE_BYTES_MAX + 1);
    assert!(matches!(KeyFile::from_json(&long), Err(Error::TooLarge { .. })));
    for text in ["", "{}", "[]", "{\"v\":1}"] {
        assert!(
            matches!(KeyFile::from_json(text), Err(Error::Malformed { .. })),
            "{text}"
        );
    }
}
