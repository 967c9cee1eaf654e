//! Whether two answers have the same fields, each written in the same way.

use std::collections::BTreeSet;

use serde_json::Value;

/// Fields that one of the two has and the other has not, with the reason.
const DIFFERENT_FIELDS: [(&str, &str); 16] = [
    ("l1BlockNumber", "ours: Nitro's receipts and blocks carry it"),
    ("gasUsedForL1", "ours: Nitro's receipts carry it"),
    ("timeboosted", "ours: Nitro's receipts carry it"),
    ("sendRoot", "ours: Nitro's blocks carry it"),
    ("sendCount", "ours: Nitro's blocks carry it"),
    (
        "blockTimestamp",
        "Foundry's: neither go-ethereum nor Nitro has it in receipts",
    ),
    ("blobGasUsed", "Foundry's: Arbitrum has no blobs"),
    ("excessBlobGas", "Foundry's: Arbitrum has no blobs"),
    ("blobGasPrice", "Foundry's: Arbitrum has no blobs"),
    ("baseFeePerBlobGas", "Foundry's: Arbitrum has no blobs"),
    ("blobGasUsedRatio", "Foundry's: Arbitrum has no blobs"),
    ("parentBeaconBlockRoot", "Foundry's: Arbitrum has no beacon chain"),
    ("withdrawals", "Foundry's: Arbitrum has no beacon chain"),
    ("withdrawalsRoot", "Foundry's: Arbitrum has no beacon chain"),
    ("requestsHash", "Foundry's: Arbitrum has no beacon chain"),
    ("totalDifficulty", "Foundry's: go-ethereum gave it up"),
];

/// What is there on one side alone, or is written in two ways.
pub fn differences(place: &str, ours: &Value, theirs: &Value) -> Vec<String> {
    match (ours, theirs) {
        (Value::Object(our_fields), Value::Object(their_fields)) => {
            let keys: BTreeSet<&String> = our_fields.keys().chain(their_fields.keys()).collect();
            keys.into_iter()
                .filter(|key| !DIFFERENT_FIELDS.iter().any(|(field, _)| field == key))
                .flat_map(|key| {
                    let place = format!("{place}.{key}");
                    match (our_fields.get(key), their_fields.get(key)) {
                        (Some(ours), Some(theirs)) => differences(&place, ours, theirs),
                        (Some(ours), None) => vec![format!("{place} is ours alone: {ours}")],
                        (None, theirs) => vec![format!("{place} is Foundry's alone: {theirs:?}")],
                    }
                })
                .collect()
        }
        (Value::Array(our_items), Value::Array(their_items)) => match (our_items.first(), their_items.first()) {
            (Some(ours), Some(theirs)) => differences(&format!("{place}[0]"), ours, theirs),
            _ => Vec::new(),
        },
        _ if form(ours) == form(theirs) => Vec::new(),
        _ => vec![format!("{place}: ours {ours}, Foundry's {theirs}")],
    }
}

/// How a value is written: numbers without leading zeros, hashes and addresses by their length.
fn form(value: &Value) -> String {
    let Some(text) = value.as_str() else {
        return match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::Array(_) => "array",
            _ => "object",
        }
        .to_owned();
    };
    match text.strip_prefix("0x") {
        Some(digits) if digits.len() >= 40 => "bytes".to_owned(),
        Some("") => "bytes".to_owned(),
        Some("0") => "quantity".to_owned(),
        Some(digits) if !digits.starts_with('0') => "quantity".to_owned(),
        Some(_) => "padded".to_owned(),
        None => "text".to_owned(),
    }
}
