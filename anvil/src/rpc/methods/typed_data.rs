//! EIP-712 data as they arrive. Their types may nest, repeat and refer to each other, and what reads them recurses and
//! expands: what would exhaust stack, memory or time is refused before.

use std::collections::BTreeMap;

use alloy::dyn_abi::TypedData;
use serde::Deserialize;
use serde_json::Value;

use super::RpcError;

/// Structs of one message, the domain's included. A chain of them is as deep as there are structs.
const STRUCTS_MAX: usize = 64;
/// Dimensions of one array. Each is a level to recurse into.
const DIMENSIONS_MAX: usize = 8;
/// Bytes of a type's name, without its dimensions.
const NAME_BYTES_MAX: usize = 256;
/// Types after every struct has been put in the place of its name, again wherever it is named.
const EXPANDED_TYPES_MAX: u64 = 10_000;
/// Bytes of the types' text times values of the message: the text is hashed again for each struct in the message.
const HASHED_BYTES_MAX: usize = 256 << 20;

/// The part that is checked.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Types {
    types: BTreeMap<String, Vec<Member>>,
    primary_type: String,
}

#[derive(Deserialize)]
struct Member {
    #[serde(rename = "type")]
    kind: String,
    name: String,
}

/// Reads typed data, an object or a string that holds one.
///
/// # Errors
/// They are no typed data, or exceed a limit above; the error names it.
pub fn read(data: Value) -> Result<TypedData, RpcError> {
    let data = match data {
        Value::String(text) => serde_json::from_str(&text).map_err(wrong)?,
        data => data,
    };
    // alloy would unpack a string in a string without our looking.
    if !data.is_object() {
        return Err(wrong("no object"));
    }
    let types = Types::deserialize(&data).map_err(wrong)?;
    types.check(data.get("message").map_or(0, values))?;
    serde_json::from_value(data).map_err(wrong)
}

pub fn wrong(error: impl std::fmt::Display) -> RpcError {
    RpcError::invalid_params(format!("typed data: {}", crate::rpc::excerpt(&error.to_string())))
}

impl Types {
    fn check(&self, message_values: usize) -> Result<(), RpcError> {
        if self.types.len() > STRUCTS_MAX {
            return Err(wrong(format!("more than {STRUCTS_MAX} structs")));
        }
        let mut bytes = 0;
        for (name, members) in &self.types {
            check_name(name)?;
            bytes += name.len();
            for member in members {
                check_type(&member.kind)?;
                bytes += member.kind.len() + member.name.len();
            }
        }
        check_type(&self.primary_type)?;
        if bytes.saturating_mul(message_values) > HASHED_BYTES_MAX {
            return Err(wrong(format!(
                "{bytes} bytes of types for {message_values} values; at most {HASHED_BYTES_MAX} as a product"
            )));
        }
        let expanded = self.expanded(&self.primary_type, &mut BTreeMap::new())?;
        if expanded > EXPANDED_TYPES_MAX {
            return Err(wrong(format!(
                "the types expand to more than {EXPANDED_TYPES_MAX} in all"
            )));
        }
        Ok(())
    }

    /// How many types `kind` is with all that it refers to. `known` has what was counted, and `None` for what is being
    /// counted; it recurses as deep as there are structs.
    fn expanded<'t>(&'t self, kind: &'t str, known: &mut BTreeMap<&'t str, Option<u64>>) -> Result<u64, RpcError> {
        let (name, dimensions) = split(kind);
        let dimensions = dimensions.matches('[').count() as u64;
        let Some(members) = self.types.get(name) else {
            return Ok(1 + dimensions);
        };
        let count = match known.get(name) {
            Some(Some(count)) => *count,
            Some(None) => return Err(wrong(format!("{name} contains itself"))),
            None => {
                known.insert(name, None);
                let mut count = 1u64;
                for member in members {
                    count = count.saturating_add(self.expanded(&member.kind, known)?);
                }
                known.insert(name, Some(count));
                count
            }
        };
        Ok(count.saturating_add(dimensions))
    }
}

fn check_type(kind: &str) -> Result<(), RpcError> {
    let (name, dimensions) = split(kind);
    check_name(name)?;
    if dimensions.matches('[').count() > DIMENSIONS_MAX {
        return Err(wrong(format!(
            "an array of more than {DIMENSIONS_MAX} dimensions: {kind}"
        )));
    }
    Ok(())
}

/// EIP-712's identifiers, and nothing that a parser might skip or take for a tuple.
fn check_name(name: &str) -> Result<(), RpcError> {
    if name.len() > NAME_BYTES_MAX {
        return Err(wrong(format!("a type's name of more than {NAME_BYTES_MAX} bytes")));
    }
    if !name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"_$:".contains(&byte))
    {
        return Err(wrong(format!("{name:?} is no type")));
    }
    Ok(())
}

/// A type's name and its dimensions.
fn split(kind: &str) -> (&str, &str) {
    kind.split_at(kind.find('[').unwrap_or(kind.len()))
}

/// The values in `value`, itself included. serde_json does not nest deeper than 128.
fn values(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(values).sum(),
        Value::Object(fields) => fields.values().map(values).sum(),
        _ => 0,
    }
}
