use alloc::{format, string::String, vec::Vec};

use alloy_primitives::{b256, hex, keccak256};
use p256::ecdsa::{
    Signature, SigningKey, VerifyingKey,
    signature::hazmat::{PrehashSigner, PrehashVerifier},
};
use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::*;

const DIGEST: B256 = B256::repeat_byte(0x5a);
const ORDER: U256 = uint!(0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551_U256);

/// As a browser writes it.
fn json(kind: &str, digest: B256, rest: &str) -> String {
    let challenge = core::str::from_utf8(&base64url(digest)).unwrap().into();
    let challenge: String = challenge;
    format!(r#"{{"type":"{kind}","challenge":"{challenge}","origin":"https://wallet.example"{rest}}}"#)
}

fn consent() -> String {
    json("webauthn.get", DIGEST, r#","crossOrigin":false"#)
}

/// Hash of the relying party's id, flags, counter.
fn authenticator_data(flags: u8) -> Vec<u8> {
    [&[0x11; 32][..], &[flags], &[0, 0, 0, 7]].concat()
}

fn sha256(bytes: &[u8]) -> B256 {
    B256::from_slice(&Sha256::digest(bytes))
}

fn passkey() -> SigningKey {
    SigningKey::from_slice(&[0x42; 32]).unwrap()
}

/// Really signed, whatever it says.
fn signed(data: &[u8], json: &str) -> WebAuthn {
    let key = passkey();
    let hash = sha256(&[data, &sha256(json.as_bytes())[..]].concat());
    let signature: Signature = key.sign_prehash(&hash[..]).unwrap();
    let signature = signature.normalize_s().unwrap_or(signature);
    let point = key.verifying_key().to_encoded_point(false);
    WebAuthn {
        authenticatorData: data.to_vec().into(),
        clientDataJson: json.into(),
        r: B256::from_slice(&signature.r().to_bytes()),
        s: B256::from_slice(&signature.s().to_bytes()),
        x: B256::from_slice(point.x().unwrap()),
        y: B256::from_slice(point.y().unwrap()),
    }
}

fn account_of(assertion: &WebAuthn) -> Address {
    Address::from_word(keccak256([assertion.x, assertion.y].concat()))
}

/// What the precompile answers.
fn is_p256(hash: B256, assertion: &WebAuthn) -> bool {
    let point = [&[4], &assertion.x[..], &assertion.y[..]].concat();
    let signature = [assertion.r, assertion.s].concat();
    let (Ok(key), Ok(signature)) = (VerifyingKey::from_sec1_bytes(&point), Signature::from_slice(&signature)) else {
        return false;
    };
    key.verify_prehash(&hash[..], &signature).is_ok()
}

#[must_use]
fn is_signed(account: Address, digest: B256, assertion: &WebAuthn) -> bool {
    is_signed_by(
        account,
        digest,
        assertion,
        |bytes| keccak256(bytes),
        |bytes| Some(sha256(bytes)),
        is_p256,
    )
}

/// Of the account whose key it names.
#[must_use]
fn is_good(assertion: &WebAuthn) -> bool {
    is_signed(account_of(assertion), DIGEST, assertion)
}

/// Signed by OpenSSL, with a key that nobody has any more. To make another: `node vector.mjs`, with this in it:
///
/// ```js
/// import c from "node:crypto";
/// const sha = b => c.createHash("sha256").update(b).digest();
/// const { privateKey, publicKey } = c.generateKeyPairSync("ec", { namedCurve: "P-256" });
/// const jwk = publicKey.export({ format: "jwk" });
/// const json = `{"type":"webauthn.get","challenge":"${Buffer.alloc(32, 0x5a).toString("base64url")}","origin":"https://wallet.example","crossOrigin":false}`;
/// const data = Buffer.concat([sha("wallet.example"), Buffer.from("1d00000007", "hex")]);
/// const signature = c.sign("sha256", Buffer.concat([data, sha(json)]), { key: privateKey, dsaEncoding: "ieee-p1363" });
/// const n = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
/// let s = BigInt("0x" + signature.subarray(32).toString("hex"));
/// if (s > n / 2n) s = n - s;
/// const hex = k => Buffer.from(jwk[k], "base64url").toString("hex");
/// console.log([data.toString("hex"), json, signature.subarray(0, 32).toString("hex"), s.toString(16).padStart(64, "0"), hex("x"), hex("y")].join("\n"));
/// ```
fn vector() -> WebAuthn {
    WebAuthn {
        authenticatorData: hex!("f34f7fb99d0c0e35e4dcd9e337700bbc66bbc64ead5e3f674968feac210344551d00000007").into(),
        clientDataJson: r#"{"type":"webauthn.get","challenge":"WlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlo","origin":"https://wallet.example","crossOrigin":false}"#.into(),
        r: b256!("793fc1a80aea614c543b451303c267dbca1a71f7f8311aea3a64de3ac9d27206"),
        s: b256!("453b2935ac9492474a8911c947820c082e15ff4cae28d538bd56e341b12f2677"),
        x: b256!("57a53ca3de82d9481c589508edbe9bcd0f3a37d9e1f00248c422699450ce2069"),
        y: b256!("7fa5cc9f1eaaba6ad07977accb4486f0647ccbecd026409bb43f03ed327a705c"),
    }
}

#[test]
fn what_another_implementation_signed_is_good() {
    assert!(is_good(&vector()));
    assert_eq!(consent().as_bytes()[..81], vector().clientDataJson.as_bytes()[..81]);
}

#[test]
fn every_changed_bit_of_what_was_signed_is_refused() {
    let good = vector();
    let account = account_of(&good);
    for at in 0..good.authenticatorData.len() {
        let mut data = good.authenticatorData.to_vec();
        data[at] ^= 0x80;
        let changed = WebAuthn {
            authenticatorData: data.into(),
            ..good.clone()
        };
        assert!(!is_signed(account, DIGEST, &changed), "authenticator data, byte {at}");
    }
    for at in 0..good.clientDataJson.len() {
        let mut json = good.clientDataJson.clone().into_bytes();
        json[at] ^= 1;
        let changed = WebAuthn {
            clientDataJson: String::from_utf8(json).unwrap(),
            ..good.clone()
        };
        assert!(!is_signed(account, DIGEST, &changed), "text, byte {at}");
    }
    for at in 0..32 {
        for field in 0..4 {
            let mut changed = good.clone();
            let word = [&mut changed.r, &mut changed.s, &mut changed.x, &mut changed.y]
                .into_iter()
                .nth(field)
                .unwrap();
            word.0[at] ^= 1;
            assert!(!is_signed(account, DIGEST, &changed), "byte {at} of number {field}");
        }
    }
}

#[test]
fn flags_must_say_present_and_verified() {
    for flags in 0..=u8::MAX {
        let is_set = |bit: u8| flags >> bit & 1 == 1;
        let expected = is_set(0) && is_set(2) && (is_set(3) || !is_set(4));
        let assertion = signed(&authenticator_data(flags), &consent());
        assert_eq!(is_good(&assertion), expected, "flags {flags:#010b}");
    }
}

#[test]
fn refuses_a_registration() {
    let text = json("webauthn.create", DIGEST, r#","crossOrigin":false"#);
    assert!(!is_good(&signed(&authenticator_data(5), &text)));
}

#[test]
fn refuses_the_challenge_of_another_operation() {
    let assertion = signed(&authenticator_data(5), &consent());
    let account = account_of(&assertion);
    assert!(is_signed(account, DIGEST, &assertion));
    for bit in 0..256 {
        let mut other = DIGEST;
        other.0[bit / 8] ^= 1 << (bit % 8);
        assert!(!is_signed(account, other, &assertion), "bit {bit}");
    }
}

#[test]
fn refuses_a_challenge_that_is_not_at_its_place() {
    let challenge = String::from_utf8(base64url(DIGEST).to_vec()).unwrap();
    let other = String::from_utf8(base64url(B256::ZERO).to_vec()).unwrap();
    for text in [
        // The challenge of another operation first, this one's behind.
        format!(r#"{{"type":"webauthn.get","challenge":"{other}","challenge":"{challenge}","origin":"x"}}"#),
        format!(r#"{{"type":"webauthn.get","origin":"https://wallet.example","challenge":"{challenge}"}}"#),
        format!(r#"{{"challenge":"{challenge}","origin":"https://wallet.example","type":"webauthn.get"}}"#),
        format!(r#"{{"type":"webauthn.get","origin":"{{"type":"webauthn.get","challenge":"{challenge}""}}"#),
        format!(r#" {{"type":"webauthn.get","challenge":"{challenge}","origin":"x"}}"#),
        format!(r#"{{"type": "webauthn.get","challenge":"{challenge}","origin":"x"}}"#),
        // Longer, padded, cut off.
        format!(r#"{{"type":"webauthn.get","challenge":"{challenge}A","origin":"x"}}"#),
        format!(r#"{{"type":"webauthn.get","challenge":"{challenge}=","origin":"x"}}"#),
        format!(r#"{{"type":"webauthn.get","challenge":"{challenge}"#),
        format!(r#"{{"type":"webauthn.get","challenge":"{}"#, &challenge[..42]),
        String::from(r#"{"type":"webauthn.get","challenge":""#),
        String::new(),
    ] {
        assert!(!is_good(&signed(&authenticator_data(5), &text)), "{text}");
    }
}

#[test]
fn refuses_what_was_made_in_a_frame_of_another_site() {
    for rest in [
        r#","crossOrigin":true"#,
        r#","crossOrigin":true,"topOrigin":"https://evil.example""#,
        r#","androidPackageName":"x","crossOrigin":true"#,
    ] {
        let text = json("webauthn.get", DIGEST, rest);
        assert!(!is_good(&signed(&authenticator_data(5), &text)), "{rest}");
    }
    for rest in [
        "",
        r#","crossOrigin":false"#,
        r#","other_keys_can_be_added_here":"do not compare against a template","crossOrigin":false"#,
        // Within a text, quotes are escaped.
        r#","crossOrigin":false,"note":"\"crossOrigin\":true""#,
    ] {
        let text = json("webauthn.get", DIGEST, rest);
        assert!(is_good(&signed(&authenticator_data(5), &text)), "{rest}");
    }
}

#[test]
fn refuses_another_key_and_another_account() {
    let good = signed(&authenticator_data(5), &consent());
    assert!(!is_signed(Address::repeat_byte(1), DIGEST, &good));
    assert!(!is_signed(Address::ZERO, DIGEST, &good));
    // The key of the account, the signature of somebody else.
    let key = vector();
    let mixed = WebAuthn {
        x: key.x,
        y: key.y,
        ..good.clone()
    };
    assert!(!is_signed(account_of(&key), DIGEST, &mixed));
    // The signature's own key, the account of somebody else.
    assert!(!is_signed(account_of(&key), DIGEST, &good));
    // x and y the other way round are no key, and another account.
    let swapped = WebAuthn {
        x: good.y,
        y: good.x,
        ..good.clone()
    };
    assert!(!is_signed(account_of(&good), DIGEST, &swapped));
    assert!(!is_good(&swapped));
}

#[test]
fn refuses_the_higher_s() {
    let good = vector();
    let high = WebAuthn {
        s: (ORDER - U256::from_be_bytes(good.s.0)).into(),
        ..good.clone()
    };
    let hash = sha256(&[&good.authenticatorData[..], &sha256(good.clientDataJson.as_bytes())[..]].concat());
    assert!(is_p256(hash, &high), "the curve takes both");
    assert!(!is_good(&high));
}

#[test]
fn refuses_r_or_s_of_zero_whatever_the_precompile_says() {
    let good = vector();
    let says = |assertion: &WebAuthn, answer: bool| {
        is_signed_by(
            account_of(assertion),
            DIGEST,
            assertion,
            |bytes| keccak256(bytes),
            |bytes| Some(sha256(bytes)),
            |_, _| answer,
        )
    };
    assert!(says(&good, true));
    for changed in [
        WebAuthn {
            r: B256::ZERO,
            ..good.clone()
        },
        WebAuthn {
            s: B256::ZERO,
            ..good.clone()
        },
        WebAuthn {
            s: (S_MOST + U256::ONE).into(),
            ..good.clone()
        },
    ] {
        assert!(!says(&changed, true));
    }
    assert!(says(
        &WebAuthn {
            s: S_MOST.into(),
            ..good.clone()
        },
        true
    ));
    // An absent precompile is a no.
    assert!(!says(&good, false));
}

#[test]
fn a_hash_that_is_not_given_is_a_no() {
    let good = vector();
    for failing in 0..2 {
        let calls = core::cell::Cell::new(0);
        let sha256 = |bytes: &[u8]| (calls.replace(calls.get() + 1) != failing).then(|| sha256(bytes));
        let keccak = |bytes: &[u8]| keccak256(bytes);
        assert!(!is_signed_by(
            account_of(&good),
            DIGEST,
            &good,
            keccak,
            sha256,
            |_, _| true
        ));
    }
}

#[test]
fn refuses_parts_that_are_too_short_or_too_long() {
    let of_length = |length: usize| {
        let mut data = authenticator_data(5);
        data.resize(length, 0);
        signed(&data, &consent())
    };
    for length in [0, 31, 32, 33, 36, AUTHENTICATOR_DATA_MOST + 1] {
        assert!(!is_good(&of_length(length)), "{length} bytes");
    }
    for length in [37, 38, AUTHENTICATOR_DATA_MOST] {
        assert!(is_good(&of_length(length)), "{length} bytes");
    }
    let of_text = |length: usize| {
        let mut text = consent();
        text.extend(core::iter::repeat_n(' ', length - text.len()));
        signed(&authenticator_data(5), &text)
    };
    assert!(is_good(&of_text(CLIENT_DATA_JSON_MOST)));
    assert!(!is_good(&of_text(CLIENT_DATA_JSON_MOST + 1)));
}

#[test]
fn base64url_is_that_of_the_rfc() {
    let text = |digest| String::from_utf8(base64url(digest).to_vec()).unwrap();
    assert_eq!(text(B256::ZERO), "A".repeat(43));
    assert_eq!(text(B256::repeat_byte(0xff)), format!("{}8", "_".repeat(42)));
    assert_eq!(
        text(b256!(
            "fbefbe000102030405060708090a0b0c0d0e0f101112131415161718191a1bff"
        )),
        "----AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaG_8"
    );
}

proptest! {
    #[test]
    fn base64url_can_be_read_back(bytes: [u8; 32]) {
        let (mut bits, mut read) = (0u64, Vec::new());
        let mut held = 0;
        for character in base64url(bytes.into()) {
            let six = match character {
                b'A'..=b'Z' => character - b'A',
                b'a'..=b'z' => character - b'a' + 26,
                b'0'..=b'9' => character - b'0' + 52,
                b'-' => 62,
                b'_' => 63,
                _ => panic!("{character}"),
            };
            bits = bits << 6 | u64::from(six);
            held += 6;
            if held >= 8 {
                held -= 8;
                read.push((bits >> held) as u8);
                bits &= (1 << held) - 1;
            }
        }
        prop_assert_eq!((read, held, bits), (bytes.to_vec(), 2, 0));
    }

    #[test]
    fn whatever_a_passkey_signs_for_this_digest_is_good_and_for_no_other(digest: [u8; 32], other: [u8; 32]) {
        let assertion = signed(&authenticator_data(0x1d), &json("webauthn.get", digest.into(), ""));
        prop_assert!(is_signed(account_of(&assertion), digest.into(), &assertion));
        prop_assert!(digest == other || !is_signed(account_of(&assertion), other.into(), &assertion));
    }
}
