//! Reads `vectors/*.json` as a second implementation would, and panics on the first case that does not hold. The same source runs
//! natively beside the writers of the vectors, and compiled to WASM in `tests/vault-wasm`: it does no I/O.
//! Each function returns how many cases it checked.
use std::collections::BTreeMap;

use alloy_primitives::Address;
use medlock_vault::{
    Binding, CompartmentKeys, CompartmentPrivateKey, DataKey, Directory, DocumentScope, Domain, EmergencyKit,
    EncryptionKey, Envelope, Error, KeyFile, Keyring, KitScope, Link, Membership, Mnemonic, PublicKey, Published,
    RootSecret, SealedDocument, SealedShare, SetScope, Share, ShareSet, Suite, open_payload,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::textbook;

pub fn hex(bytes: impl AsRef<[u8]>) -> Value {
    hex::encode(bytes).into()
}

pub fn unhex(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

pub fn array<const N: usize>(value: &Value) -> [u8; N] {
    unhex(value).try_into().unwrap()
}

pub fn number<T: TryFrom<u64>>(value: &Value) -> T {
    T::try_from(value.as_u64().unwrap()).ok().unwrap()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

pub fn binding(value: &Value) -> Binding {
    Binding {
        chain_id: number(&value["chainId"]),
        records: array(&value["records"]),
        chart: array(&value["chart"]),
        record_id: array(&value["recordId"]),
        version: number(&value["version"]),
        previous: array(&value["previous"]),
        compartment: number(&value["compartment"]),
    }
}

pub fn domain(value: &Value) -> Domain {
    Domain {
        chain_id: number(&value["chainId"]),
        records: array(&value["records"]),
    }
}

/// The suite of a private or public key that stands beside it.
fn suite(value: &Value) -> Suite {
    Suite::new(number(&value["suite"])).unwrap()
}

/// The vectors' name of an error: the variant, without its fields.
fn error_name(error: &Error) -> String {
    let debug = format!("{error:?}");
    debug.split(|c: char| !c.is_alphanumeric()).next().unwrap().to_owned()
}

/// What a negative case does to the bytes of the case it starts from.
pub fn edited(bytes: &[u8], edit: &Value) -> Vec<u8> {
    let mut out = bytes.to_vec();
    match edit["op"].as_str().unwrap() {
        "none" => {}
        "truncate" => out.truncate(number(&edit["bytes"])),
        "append" => out.extend(unhex(&edit["hex"])),
        "xor" => out[number::<usize>(&edit["at"])] ^= number::<u8>(&edit["with"]),
        "replace" => {
            let (from, to) = (unhex(&edit["from"]), unhex(&edit["to"]));
            let at = out.windows(from.len()).position(|window| window == from).unwrap();
            out.splice(at..at + from.len(), to);
        }
        "swap" => {
            let [one, two, length] = ["one", "two", "bytes"].map(|key| number::<usize>(&edit[key]));
            let (head, tail) = out.split_at_mut(two);
            head[one..one + length].swap_with_slice(&mut tail[..length]);
        }
        op => panic!("unknown edit {op}"),
    }
    out
}

/// Checks that each refused case fails with the error that it names.
fn refused<T>(file: &Value, open: impl Fn(&Value, &[u8]) -> Result<T, Error>) -> usize {
    let refused = list(&file["refused"]);
    assert!(!refused.is_empty());
    for case in refused {
        let from = &file["opened"][case["from"].as_u64().unwrap() as usize];
        let bytes = edited(&unhex(&from["bytes"]), &case["edit"]);
        // A refused case may replace any input of the case that it starts from.
        let mut inputs = from.clone();
        for (key, value) in case["with"].as_object().into_iter().flatten() {
            inputs[key] = value.clone();
        }
        let error = open(&inputs, &bytes)
            .err()
            .unwrap_or_else(|| panic!("{} opened", case["name"]));
        assert_eq!(error_name(&error), case["error"].as_str().unwrap(), "{}", case["name"]);
    }
    refused.len()
}

pub fn payload(file: &Value) -> usize {
    let open = |inputs: &Value, bytes: &[u8]| {
        let key = DataKey::from_slice(&unhex(&inputs["dataKey"])).unwrap();
        open_payload(&key, &binding(&inputs["binding"]), bytes)
    };
    let opened = list(&file["opened"]);
    for case in opened {
        let (metadata, content) = open(case, &unhex(&case["bytes"])).unwrap();
        assert_eq!(
            serde_json::to_value(metadata).unwrap(),
            case["metadata"],
            "{}",
            case["name"]
        );
        assert_eq!(hex(Sha256::digest(&content)), case["contentSha256"], "{}", case["name"]);
    }
    opened.len() + refused(file, open)
}

pub fn compartment(file: &Value) -> usize {
    let root = RootSecret::from_slice(&unhex(&file["root"])).unwrap();
    let chart = array(&file["chart"]);
    let derive = |place: &Value, suite| {
        let (compartment, epoch) = (number(&place["compartment"]), number(&place["epoch"]));
        CompartmentKeys::derive(&root, &chart, compartment, epoch, suite).unwrap()
    };
    let keys = list(&file["keys"]);
    for listed in keys {
        let derived = derive(listed, suite(listed));
        assert_eq!(hex(derived.private.expose()), listed["privateKey"]);
        assert_eq!(hex(derived.public_key().as_bytes()), listed["publicKey"]);
        assert_eq!(hex(derived.history.unwrap().expose()), listed["historyKey"]);
    }
    // What suite the newer keys are of does not matter to the link: it opens under their history key.
    let open = |inputs: &Value, bytes: &[u8]| {
        derive(inputs, Suite::X25519).open_link(&chart, &Link(bytes.try_into().unwrap()))
    };
    let opened = list(&file["opened"]);
    for case in opened {
        let older = open(case, &unhex(&case["bytes"])).unwrap();
        let place = |listed: &&Value| {
            listed["compartment"] == case["compartment"] && number::<u32>(&listed["epoch"]) == older.epoch
        };
        let listed = keys.iter().find(place).unwrap();
        assert_eq!(json!(older.suite().id()), listed["suite"]);
        assert_eq!(hex(older.private.expose()), listed["privateKey"]);
        assert_eq!(hex(older.history.unwrap().expose()), listed["historyKey"]);
    }
    keys.len() + opened.len() + refused(file, open)
}

pub fn envelope(file: &Value) -> usize {
    let open = |inputs: &Value, bytes: &[u8]| {
        let binding = binding(&inputs["binding"]);
        let keys = CompartmentKeys {
            compartment: binding.compartment,
            epoch: number(&inputs["epoch"]),
            private: CompartmentPrivateKey::from_slice(suite(inputs), &unhex(&inputs["privateKey"])).unwrap(),
            history: None,
        };
        let envelope = Envelope::decode(bytes)?;
        envelope.open_record(&binding, &keys, &unhex(&inputs["payloadHex"]))?;
        envelope.open(&binding, &keys)
    };
    let opened = list(&file["opened"]);
    for case in opened {
        let key = open(case, &unhex(&case["bytes"])).unwrap();
        assert_eq!(hex(key.expose()), case["dataKey"]);
    }
    opened.len() + refused(file, open)
}

pub fn directory(file: &Value) -> usize {
    let open = |inputs: &Value, bytes: &[u8]| {
        let directory = Directory::decode(bytes)?;
        directory.verify(&domain(inputs), Address::from(array::<20>(&inputs["controller"])))?;
        let root = RootSecret::from_slice(&unhex(&inputs["root"])).unwrap();
        let labels = directory.body.open_labels(&root)?;
        Ok((directory, labels))
    };
    let opened = list(&file["opened"]);
    for case in opened {
        let (directory, labels) = open(case, &unhex(&case["bytes"])).unwrap();
        assert_eq!(hex(directory.body.digest()), case["bodyDigest"]);
        assert_eq!(hex(directory.body.signing_hash(&domain(case))), case["signingHash"]);
        let listed: BTreeMap<u8, String> = list(&case["labels"])
            .iter()
            .map(|label| (number(&label[0]), label[1].as_str().unwrap().to_owned()))
            .collect();
        assert_eq!(labels, listed);
    }
    opened.len() + refused(file, open)
}

pub fn keyring(file: &Value) -> usize {
    let open = |inputs: &Value, bytes: &[u8]| {
        let key = EncryptionKey::from_slice(suite(inputs), &unhex(&inputs["privateKey"])).unwrap();
        let (chart, grantee) = (array(&inputs["chart"]), array(&inputs["grantee"]));
        Keyring::decode(bytes)?.open(&domain(inputs), &chart, &grantee, &key)
    };
    let opened = list(&file["opened"]);
    for case in opened {
        let keys = open(case, &unhex(&case["bytes"])).unwrap();
        let keys: Vec<Value> = keys
            .iter()
            .map(|keys| {
                json!({
                    "compartment": keys.compartment, "epoch": keys.epoch, "suite": keys.suite().id(),
                    "privateKey": hex(keys.private.expose()), "historyKey": keys.history.as_ref().map(|key| hex(key.expose())),
                })
            })
            .collect();
        assert_eq!(Value::from(keys), case["keys"]);
    }
    opened.len() + refused(file, open)
}

pub fn membership(file: &Value) -> usize {
    let open = |inputs: &Value, bytes: &[u8]| {
        let key = EncryptionKey::from_slice(suite(inputs), &unhex(&inputs["privateKey"])).unwrap();
        let (organisation, member) = (array(&inputs["organisation"]), array(&inputs["member"]));
        Membership::decode(bytes)?.open(&domain(inputs), &organisation, &member, &key)
    };
    let opened = list(&file["opened"]);
    for case in opened {
        let keys = open(case, &unhex(&case["bytes"])).unwrap();
        let keys = keys.iter();
        let keys: Vec<Value> = keys
            .map(|key| json!({"suite": key.suite().id(), "privateKey": hex(key.expose())}))
            .collect();
        assert_eq!(Value::from(keys), case["keys"]);
    }
    opened.len() + refused(file, open)
}

pub fn document(file: &Value) -> usize {
    let open = |inputs: &Value, bytes: &[u8]| {
        let key = EncryptionKey::from_slice(suite(inputs), &unhex(&inputs["privateKey"])).unwrap();
        let scope = DocumentScope {
            ledger: array(&inputs["ledger"]),
            subject: array(&inputs["subject"]),
            author: array(&inputs["author"]),
        };
        let account = array(&inputs["account"]);
        SealedDocument::decode(bytes)?.open(&domain(inputs), &scope, &account, &key)
    };
    let opened = list(&file["opened"]);
    for case in opened {
        let (metadata, content) = open(case, &unhex(&case["bytes"])).unwrap();
        assert_eq!(serde_json::to_value(metadata).unwrap(), case["metadata"]);
        assert_eq!(hex(Sha256::digest(&*content)), case["contentSha256"]);
    }
    opened.len() + refused(file, open)
}

/// Of the first version too, which has one X25519 encryption key, and names no suite.
pub fn key_file(file: &Value) -> usize {
    let read = KeyFile::from_json(&file["file"].to_string()).unwrap();
    let open = |passphrase: &Value| read.open(passphrase.as_str().unwrap().as_bytes());
    let opened = open(&file["passphrase"]).unwrap();
    assert_eq!(hex(opened.account.expose()), file["account"]);
    let key = |key: &EncryptionKey| json!({"suite": key.suite().id(), "privateKey": hex(key.expose())});
    match &file["encryption"] {
        first @ Value::String(_) => {
            assert_eq!(hex(opened.encryption.expose()), *first);
            assert!(opened.encryption.suite() == Suite::X25519 && opened.retired.is_empty());
        }
        listed => {
            assert_eq!(key(&opened.encryption), *listed);
            assert_eq!(Value::from_iter(opened.retired.iter().map(key)), file["retired"]);
        }
    }
    assert_eq!(hex(opened.root.expose()), file["root"]);
    let error = open(&file["refused"]["passphrase"]).err().unwrap();
    assert_eq!(error_name(&error), file["refused"]["error"].as_str().unwrap());
    2
}

/// As a reader does it: the set, then each share, sealed or (where only that is given) in the clear, then the root.
fn recombine(inputs: &Value, bytes: &[u8]) -> Result<RootSecret, Error> {
    let scope = SetScope {
        domain: domain(inputs),
        owner: array(&inputs["owner"]),
        version: number(&inputs["version"]),
    };
    let set = ShareSet::decode(bytes)?.verify(&scope, &array(&inputs["digest"]))?;
    let mut shares = Vec::new();
    for share in list(&inputs["shares"]) {
        shares.push(if share["sealed"].is_null() {
            Share::from_slice(number(&share["index"]), &unhex(&share["opening"]))?
        } else {
            let key = EncryptionKey::from_slice(Suite::X25519, &unhex(&share["privateKey"])).unwrap();
            let opened =
                SealedShare::decode(&unhex(&share["sealed"]))?.open(&set, &array(&share["recipient"]), &key)?;
            assert_eq!(hex(opened.expose()), share["opening"]);
            assert_eq!(u64::from(opened.index()), share["index"]);
            opened
        });
    }
    let published = &inputs["published"];
    let published = Published {
        chart: array(&published["chart"]),
        compartment: number(&published["compartment"]),
        epoch: number(&published["epoch"]),
        key: PublicKey::new(suite(published), &unhex(&published["key"]))?,
    };
    set.recombine(&shares, &published)
}

pub fn shares(file: &Value) -> usize {
    let opened = list(&file["opened"]);
    for case in opened {
        let root = recombine(case, &unhex(&case["bytes"])).unwrap();
        assert_eq!(hex(root.expose()), case["root"], "{}", case["name"]);
        // And by the textbook, from the listed shares alone.
        let points: Vec<(u8, [u8; 32])> = list(&case["shares"])
            .iter()
            .take(number(&case["threshold"]))
            .map(|share| {
                let opening: [u8; 64] = array(&share["opening"]);
                (number(&share["index"]), opening[32..].try_into().unwrap())
            })
            .collect();
        assert_eq!(hex(textbook::at(0, &points)), case["root"], "{}", case["name"]);
    }
    opened.len() + refused(file, recombine)
}

/// As the party does it to whom custodians have released their shares.
pub fn emergency(file: &Value) -> usize {
    let open = |inputs: &Value, bytes: &[u8]| {
        let scope = KitScope {
            domain: domain(inputs),
            chart: array(&inputs["chart"]),
            directory_version: number(&inputs["directoryVersion"]),
            serial: number(&inputs["serial"]),
        };
        let controller = Address::from(array::<20>(&inputs["controller"]));
        let kit = EmergencyKit::decode(bytes)?.verify(&scope, controller)?;
        let key = EncryptionKey::from_slice(suite(inputs), &unhex(&inputs["privateKey"])).unwrap();
        let mut shares = Vec::new();
        for released in list(&inputs["released"]) {
            shares.push(SealedShare::decode(&unhex(released))?.open(kit.set(), &array(&inputs["party"]), &key)?);
        }
        let directory = Directory::decode(&unhex(&inputs["directory"]))?;
        Ok((kit.open(&shares, &directory.body)?, kit))
    };
    let opened = list(&file["opened"]);
    for case in opened {
        let (keys, kit) = open(case, &unhex(&case["bytes"])).unwrap();
        let keys = keys.iter().map(|keys| {
            json!({
                "compartment": keys.compartment, "epoch": keys.epoch, "suite": keys.suite().id(),
                "privateKey": hex(keys.private.expose()), "historyKey": keys.history.as_ref().map(|key| hex(key.expose())),
            })
        });
        assert_eq!(Value::from_iter(keys), case["keys"]);
        assert_eq!(hex(kit.body().digest()), case["bodyDigest"]);
        assert_eq!(hex(kit.body().signing_hash(&domain(case))), case["signingHash"]);
        // The controller alone can tell from the kit what it opens.
        let root = RootSecret::from_slice(&unhex(&case["root"])).unwrap();
        let bits = list(&case["compartments"])
            .iter()
            .fold(0, |bits, at| bits | 1 << number::<u64>(at));
        assert_eq!(kit.body().compartments(&domain(case), &root), Ok(bits));
    }
    opened.len() + refused(file, open)
}

pub fn mnemonic(file: &Value) -> usize {
    let (opened, refused) = (list(&file["opened"]), list(&file["refused"]));
    assert!(!refused.is_empty());
    for case in opened {
        let root = Mnemonic::read(case["text"].as_str().unwrap()).unwrap();
        assert_eq!(hex(root.expose()), case["root"]);
        assert_eq!(Mnemonic::of(&root).expose(), case["text"]);
    }
    for case in refused {
        let error = Mnemonic::read(case["text"].as_str().unwrap()).err().unwrap();
        assert_eq!(error_name(&error), case["error"].as_str().unwrap(), "{}", case["name"]);
    }
    opened.len() + refused.len()
}
