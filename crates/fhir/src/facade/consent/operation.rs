//! A grant that is to be signed, or is signed, as a Consent: what a client sends to have it created.

use serde_json::{Value, json};

use super::super::element::{account, bytes32, did};
use super::super::facts::{Account, Bytes32, Party, Terms, decimal};
use super::super::outcome::{Code, Outcome};
use super::super::{Site, system};
use super::read::parse;
use super::reader::Reader;
use super::{Empty, permission, with_frame};
use crate::json::Json;

/// The longest signature: a passkey's is under 2 kB, and a smart account's is what that account makes of it.
pub const SIGNATURE_BYTES_MAX: usize = 4096;

/// The fields of the relay's signed `Grant` (`medlock_abi::relay`), and its signature.
///
/// `nonce` and `deadline` have 256 bits there. What does not fit in 64 is refused: a nonce counts from 0, and a deadline is UNIX
/// seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    pub signer: Account,
    pub chart: Bytes32,
    pub directory_version: u32,
    pub grantee: Party,
    /// Of the grant that it replaces.
    pub serial: u8,
    pub terms: Terms,
    pub keyring: Bytes32,
    pub nonce: u64,
    pub deadline: u64,
    /// `None`: it is yet to be signed; the Consent is `proposed`, not `active`.
    pub signature: Option<Vec<u8>>,
}

const PARTS: [(&str, &str); 7] = [
    ("signer", "valueUri"),
    ("directory-version", "valueString"),
    ("serial", "valueString"),
    ("keyring", "valueString"),
    ("nonce", "valueString"),
    ("deadline", "valueString"),
    ("signature", "valueString"),
];

/// The Consent to send: what [`read_operation`] reads back.
///
/// # Errors
/// [`Empty`].
pub fn operation_consent(operation: &Operation, site: &Site) -> Result<Value, Empty> {
    let signature = operation.signature.as_ref().map(hex::encode);
    let values = [
        Some(did(site.chain_id, &operation.signer)),
        Some(operation.directory_version.to_string()),
        Some(operation.serial.to_string()),
        Some(hex::encode(operation.keyring)),
        Some(operation.nonce.to_string()),
        Some(operation.deadline.to_string()),
        signature,
    ];
    let parts = PARTS.iter().zip(values);
    let parts: Vec<_> = parts
        .filter_map(|((name, kind), value)| Some(json!({ "url": name, *kind: value? })))
        .collect();
    let resource = json!({
        "extension": [{ "url": system::EXTENSION_OPERATION, "extension": parts }],
        "status": status(operation.signature.is_some()),
        "provision": permission(site, operation.grantee, &operation.terms)?,
    });
    Ok(with_frame(resource, site, &operation.chart))
}

/// Reads a Consent that is to be created, strictly: what the contract could not keep is refused, not left out. `id`, `meta` and
/// `dateTime`, which are the server's to set, may be there and are passed over (R4, `http.html`, "create").
///
/// # Errors
/// Each fault with the FHIRPath of its element. No value that was sent is repeated.
pub fn read_operation(consent: &[u8], site: &Site) -> Result<Operation, Outcome> {
    let json = parse(consent)?;
    let mut reader = Reader::default();
    let operation = reader.operation(&json, site);
    match operation {
        Some(operation) if reader.outcome.is_empty() => Ok(operation),
        _ => Err(reader.outcome),
    }
}

impl Reader {
    fn operation(&mut self, json: &Json, site: &Site) -> Option<Operation> {
        let (mut root, chart) = self.root(json, site)?;
        for name in ["id", "meta", "dateTime"] {
            root.take(name);
        }
        let parts = self.extension(&mut root, system::EXTENSION_OPERATION, &PARTS);
        let signer = self.part(&parts, "signer", |text| account(site.chain_id, text));
        let directory_version = self.part(&parts, "directory-version", decimal);
        let serial = self.part(&parts, "serial", decimal);
        let keyring = self.part(&parts, "keyring", bytes32);
        let nonce = self.part(&parts, "nonce", decimal);
        let deadline = self.part(&parts, "deadline", decimal);
        let signature = match parts.contains_key("signature") {
            true => Some(self.part(&parts, "signature", signature)?),
            false => None,
        };
        self.fixed(&mut root, "status", status(signature.is_some()));
        let provision = self.required(&mut root, "provision");
        self.close(root);
        let mut provision = self.object(&provision?)?;
        let permission = self.permission(&mut provision, site);
        self.close(provision);
        let (grantee, terms) = permission?;
        self.check(&terms);
        Some(Operation {
            signer: signer?,
            chart: chart?,
            directory_version: directory_version?,
            grantee,
            serial: serial?,
            terms,
            keyring: keyring?,
            nonce: nonce?,
            deadline: deadline?,
            signature,
        })
    }

    /// What the contract would refuse, or keep without a meaning.
    fn check(&mut self, terms: &Terms) {
        use medlock_abi::terms::{TIME_MOST, action, purpose};
        let known = purpose::ALL.iter().fold(0, |all, (_, bit)| all | bit);
        if terms.purposes & !known != 0 {
            self.issue(
                Code::CodeInvalid,
                "Consent.provision.purpose",
                "only HL7's codes have a meaning",
            );
        }
        let known = action::ALL.iter().fold(0, |all, (_, bit)| all | bit);
        if terms.actions & !known != 0 {
            self.issue(
                Code::CodeInvalid,
                "Consent.provision.action",
                "only read, write and share have a meaning",
            );
        }
        if terms.not_before.max(terms.expiry) > TIME_MOST {
            self.issue(Code::Value, "Consent.provision.period", "the chain has no such time");
        }
        if terms.expiry != 0 && terms.expiry <= terms.not_before {
            self.issue(Code::Value, "Consent.provision.period", "it ends before it starts");
        }
    }
}

fn status(is_signed: bool) -> &'static str {
    if is_signed { "active" } else { "proposed" }
}

fn signature(hex: &str) -> Option<Vec<u8>> {
    let bytes = hex::decode(hex).ok()?;
    let is_sound = (1..=SIGNATURE_BYTES_MAX).contains(&bytes.len()) && hex::encode(&bytes) == hex;
    is_sound.then_some(bytes)
}
