//! The elements that several resources are made of.

use serde_json::{Value, json};

use super::Site;
use super::facts::{Account, Bytes32, Party};
use super::{system, time};

pub(super) fn coding(system: &str, code: &str, display: Option<&str>) -> Value {
    tidy(json!({ "system": system, "code": code, "display": display }))
}

pub(super) fn concept(coding: Value) -> Value {
    json!({ "coding": [coding] })
}

pub(super) fn identifier(system: &str, value: &str) -> Value {
    json!({ "system": system, "value": value })
}

/// A literal reference to a resource of this server.
pub(super) fn reference(resource_type: &str, id: &str) -> Value {
    json!({ "reference": format!("{resource_type}/{id}") })
}

pub(super) fn patient(chart: &Bytes32) -> Value {
    reference("Patient", &hex::encode(chart))
}

/// A reference to an account. By its identifier: no server has a resource for it that could be fetched.
pub(super) fn party(site: &Site, party: Party) -> Value {
    logical(
        party.kind.resource_type(),
        system::URI,
        &did(site.chain_id, &party.account),
    )
}

/// A logical reference (R4, "References").
pub(super) fn logical(resource_type: &str, system: &str, value: &str) -> Value {
    json!({ "type": resource_type, "identifier": identifier(system, value) })
}

/// `did:pkh` (CAIP-10) of an account of this chain.
pub(super) fn did(chain_id: u64, account: &Account) -> String {
    format!("did:pkh:eip155:{chain_id}:0x{}", hex::encode(account))
}

/// The account, where it is one of this chain.
pub(super) fn account(chain_id: u64, did: &str) -> Option<Account> {
    let hex = did.strip_prefix(&format!("did:pkh:eip155:{chain_id}:0x"))?;
    let mut account = Account::default();
    hex::decode_to_slice(hex, &mut account).ok()?;
    Some(account)
}

/// 32 bytes of exactly 64 lower-case hex digits.
pub fn bytes32(hex: &str) -> Option<Bytes32> {
    let mut bytes = Bytes32::default();
    hex::decode_to_slice(hex, &mut bytes).ok()?;
    (hex::encode(bytes) == hex).then_some(bytes)
}

/// The business identifier of a record: `<chart>.<record>`.
pub(super) fn record_identifier(chart: &Bytes32, record_id: &Bytes32) -> String {
    format!("{}.{}", hex::encode(chart), hex::encode(record_id))
}

/// That of one version of it.
pub(super) fn version_identifier(chart: &Bytes32, record_id: &Bytes32, version: u32) -> String {
    format!("{}.{version}", record_identifier(chart, record_id))
}

pub(super) fn meta(last_updated: u64) -> Value {
    json!({ "lastUpdated": time::instant(last_updated) })
}

/// Without what is null or empty, which FHIR's JSON does not have (R4, "JSON").
pub(super) fn tidy(value: Value) -> Value {
    let is_there = |value: &Value| match value {
        Value::Null => false,
        Value::Array(items) => !items.is_empty(),
        Value::Object(properties) => !properties.is_empty(),
        _ => true,
    };
    match value {
        Value::Object(properties) => {
            let properties = properties.into_iter().map(|(name, value)| (name, tidy(value)));
            Value::Object(properties.filter(|(_, value)| is_there(value)).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(tidy).filter(is_there).collect()),
        scalar => scalar,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_one_of_its_chain() {
        let account_1 = [0xab; 20];
        let text = did(421_614, &account_1);
        assert_eq!(text, format!("did:pkh:eip155:421614:0x{}", "ab".repeat(20)));
        assert_eq!(account(421_614, &text), Some(account_1));
        // CAIP-10 allows the mixed case of EIP-55.
        assert_eq!(account(421_614, &text.replace("ab", "aB")), Some(account_1));
        for other in [
            &text.replace("421614", "1"),
            &text.replace("0x", ""),
            &text[..text.len() - 1],
            "",
            "did:web:x",
        ] {
            assert_eq!(account(421_614, other), None, "{other}");
        }
    }

    #[test]
    fn tidy_leaves_nothing_empty() {
        let value = json!({ "a": null, "b": [null, { "c": [] }], "d": { "e": { "f": null } }, "g": false, "h": "" });
        assert_eq!(tidy(value), json!({ "g": false, "h": "" }));
    }
}
