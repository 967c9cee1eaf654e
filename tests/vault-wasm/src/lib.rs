//! The vault's vectors where a browser runs the vault: the very source that reads them natively
//! (`crates/vault/tests/vault/vectors/reading.rs`), compiled to WASM. `run.mjs` drives it under Node and in Chromium.
//!
//! A case that does not hold panics, which traps. The memory of a module that trapped can still be read: what there is to say
//! stands there. Start reading at [`run`].
#![allow(
    unsafe_code,
    reason = "an export under a fixed name counts as unsafe, since another crate could export it too; there is no other unsafe code"
)]
use std::sync::Mutex;

use serde_json::Value;

#[path = "../../../crates/vault/tests/vault/vectors/reading.rs"]
mod reading;
#[path = "../../../crates/vault/tests/vault/textbook.rs"]
mod textbook;

macro_rules! vectors {
    ($($name:literal: $reader:ident),*) => {
        [$(($name, include_str!(concat!("../../../crates/vault/vectors/", $name, ".json")), reading::$reader)),*]
    };
}

type Reader = fn(&Value) -> usize;

const FORMATS: [(&str, &str, Reader); 12] = vectors!(
    "payload": payload, "envelope": envelope, "compartment": compartment, "directory": directory, "keyring": keyring,
    "membership": membership, "document": document, "keyfile": key_file, "keyfile-v1": key_file, "shares": shares, "emergency": emergency,
    "mnemonic": mnemonic
);

/// Places in the vectors where one character less must come out.
const SPOILED: [(&str, &str); 13] = [
    ("payload", "/opened/0/contentSha256"),
    ("payload", "/refused/0/error"),
    ("envelope", "/opened/0/dataKey"),
    ("compartment", "/keys/0/historyKey"),
    ("directory", "/opened/0/bodyDigest"),
    ("keyring", "/opened/0/keys/0/privateKey"),
    ("membership", "/opened/0/keys/0/privateKey"),
    ("document", "/opened/0/contentSha256"),
    ("keyfile", "/root"),
    ("shares", "/opened/0/root"),
    ("shares", "/refused/0/error"),
    ("emergency", "/opened/0/signingHash"),
    ("mnemonic", "/opened/0/root"),
];

/// How many cases of each format held, and at last why one did not.
static MESSAGE: Mutex<String> = Mutex::new(String::new());

/// Checks all vectors; returns how many cases held, and traps where one does not. Below [`spoiled`], `spoil` is the number of a place
/// that is altered first, so that the caller sees that a fault is found.
#[unsafe(no_mangle)]
pub extern "C" fn run(spoil: usize) -> usize {
    std::panic::set_hook(Box::new(|panic| say(&format!("{panic}\n"))));
    let mut held = 0;
    for (name, text, read) in FORMATS {
        let mut file: Value = serde_json::from_str(text).expect("the vectors are JSON");
        if let Some((_, place)) = SPOILED.get(spoil).filter(|(format, _)| *format == name) {
            let Some(Value::String(text)) = file.pointer_mut(place) else {
                panic!("{name} has no text at {place}");
            };
            text.pop();
        }
        let cases = read(&file);
        say(&format!("  {name}: {cases} cases\n"));
        held += cases;
    }
    held
}

#[unsafe(no_mangle)]
pub extern "C" fn spoiled() -> usize {
    SPOILED.len()
}

/// Where the message stands in memory, as UTF-8.
#[unsafe(no_mangle)]
pub extern "C" fn message_at() -> usize {
    message(|text| text.as_ptr() as usize)
}

#[unsafe(no_mangle)]
pub extern "C" fn message_bytes() -> usize {
    message(|text| text.len())
}

fn say(text: &str) {
    message(|message| message.push_str(text));
}

fn message<T>(of: impl FnOnce(&mut String) -> T) -> T {
    of(&mut MESSAGE.lock().expect("nothing panics while it is locked"))
}
