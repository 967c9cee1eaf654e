//! A second implementation of the formats (`webcrypto/formats.mjs`: WebCrypto and `docs/formats.md`, no packages) reads what this one wrote,
//! and refuses what this one refuses for the same reasons; this one reads what that one wrote. Under Node.
use std::{
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
};

use medlock_vault::{CompartmentKeys, EncryptionKey, Envelope, Error, Keyring, KeyringScope, RootSecret, Suite};
use serde_json::{Value, json};

use crate::{
    DOMAIN, TestRng, binding, metadata,
    vectors::{reading::unhex, write_binding},
};

fn node(task: &str, input: &Value) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vault/webcrypto/run.mjs");
    let mut child = Command::new("node")
        .arg(script)
        .arg(task)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("node 20 or later is installed (Debian: apt-get install nodejs)");
    // The script reads all of it before it writes anything.
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.to_string().as_bytes())
        .unwrap();
    child.wait_with_output().unwrap()
}

/// Those of suite 1: WebCrypto has no X-Wing. They stand before the others.
fn vectors() -> Value {
    let parse = |text| {
        let mut file = serde_json::from_str::<Value>(text).unwrap();
        let is_first = |case: &Value| case.get("suite").is_none_or(|suite| suite == 1);
        let mut opened = 0;
        for list in ["keys", "opened"] {
            if let Some(cases) = file[list].as_array_mut() {
                cases.retain(is_first);
                opened = cases.len();
            }
        }
        let refused = file["refused"].as_array_mut().unwrap();
        refused
            .retain(|case| (case["from"].as_u64().unwrap() as usize) < opened && case["with"].get("suite").is_none());
        file
    };
    json!({
        "payload": parse(include_str!("../../vectors/payload.json")),
        "envelope": parse(include_str!("../../vectors/envelope.json")),
        "compartment": parse(include_str!("../../vectors/compartment.json")),
        "keyring": parse(include_str!("../../vectors/keyring.json")),
        "shares": parse(include_str!("../../vectors/shares.json")),
    })
}

#[test]
fn another_implementation_opens_and_refuses_what_the_vectors_say() {
    let output = node("open", &vectors());
    print!("{}", String::from_utf8_lossy(&output.stdout));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// That the other implementation looks: a vector that says something else than is so fails there.
#[test]
fn another_implementation_finds_an_altered_vector() {
    for (place, value) in [
        ("/payload/opened/1/contentSha256", json!("00")),
        ("/payload/refused/3/error", json!("Chunk")),
        ("/envelope/opened/0/dataKey", json!("00")),
        ("/envelope/refused/4/edit", json!({"op": "none"})),
        ("/compartment/keys/2/privateKey", json!("00")),
        ("/keyring/opened/0/keys/1/epoch", json!(9)),
        ("/keyring/refused/1/with", json!({})),
        ("/shares/opened/2/root", json!("00")),
        ("/shares/refused/5/with", json!({})),
    ] {
        let mut altered = vectors();
        *altered.pointer_mut(place).unwrap() = value;
        let output = node("open", &altered);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            !output.status.success() && said.contains("AssertionError"),
            "{place}: {said}"
        );
    }
}

#[test]
fn opens_what_another_implementation_sealed() {
    let mut rng = TestRng::new("webcrypto");
    let root = RootSecret::generate(&mut rng);
    let keys = CompartmentKeys::derive(&root, &binding().chart, binding().compartment, 5, Suite::X25519).unwrap();
    let grantee = EncryptionKey::generate(&mut rng, Suite::X25519);
    let scope = KeyringScope {
        chart: binding().chart,
        grantee: [0xc1; 20],
        directory_version: 7,
        key_version: 2,
    };
    // Three chunks, and none.
    for content in [rng.bytes(140_000), Vec::new()] {
        let input = json!({
            "binding": write_binding(&binding()), "epoch": 5, "publicKey": hex::encode(keys.public_key().as_bytes()),
            "metadata": metadata(), "content": hex::encode(&content),
            "scope": {
                "chart": hex::encode(scope.chart), "grantee": hex::encode(scope.grantee),
                "directoryVersion": scope.directory_version, "keyVersion": scope.key_version,
            },
            "granteeKey": hex::encode(grantee.public_key().as_bytes()),
            "keys": [{
                "compartment": keys.compartment, "epoch": keys.epoch, "privateKey": hex::encode(keys.private.expose()),
                "historyKey": hex::encode(keys.history.as_ref().unwrap().expose()),
            }],
        });
        let output = node("seal", &input);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let sealed: Value = serde_json::from_slice(&output.stdout).unwrap();
        let [payload, envelope, keyring] = ["payload", "envelope", "keyring"].map(|key| unhex(&sealed[key]));

        let keyring = Keyring::decode(&keyring).unwrap();
        let handed = keyring.open(&DOMAIN, &scope.chart, &scope.grantee, &grantee).unwrap();
        assert_eq!((keyring.scope, handed.len()), (scope, 1));
        let envelope = Envelope::decode(&envelope).unwrap();
        let (read, opened) = envelope.open_record(&binding(), &handed[0], &payload).unwrap();
        assert_eq!((read, &*opened), (metadata(), &content));

        let mut altered = payload.clone();
        *altered.last_mut().unwrap() ^= 1;
        let refused = envelope.open_record(&binding(), &handed[0], &altered);
        assert!(matches!(refused, Err(Error::Chunk { .. })));
    }
}
