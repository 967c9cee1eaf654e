//! Purposes, actions, roles and compartments as JSON: names and lists, not bit masks.
//!
//! A mask of 64 bits does not survive a JavaScript number, and a reader of JSON should not need a table.
use medlock_abi::terms::{action, purpose, role};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

fn names<'a>(table: &'a [(&'a str, u64)], bits: u64) -> Vec<&'a str> {
    table
        .iter()
        .filter(|(_, bit)| bits & bit != 0)
        .map(|(name, _)| *name)
        .collect()
}

fn bit(table: &[(&str, u64)], name: &str) -> Option<u64> {
    table.iter().find(|(known, _)| *known == name).map(|(_, bit)| *bit)
}

fn bits<'de, D: Deserializer<'de>>(deserializer: D, table: &[(&str, u64)], what: &str) -> Result<u64, D::Error> {
    Vec::<String>::deserialize(deserializer)?
        .iter()
        .try_fold(0, |bits, name| {
            Ok(bits | bit(table, name).ok_or_else(|| D::Error::custom(format!("no such {what}: {name}")))?)
        })
}

fn purposes() -> [(&'static str, u64); 7] {
    purpose::ALL.map(|(name, bit)| (name, bit.into()))
}

fn actions() -> [(&'static str, u64); 3] {
    action::ALL.map(|(name, bit)| (name, bit.into()))
}

/// Exactly one purpose, as its HL7 PurposeOfUse code: `"TREAT"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String, pattern = "^(TREAT|ETREAT|HPAYMT|HOPERAT|HRESCH|PATRQT|PUBHLTH)$", example = "TREAT"))]
pub struct Purpose(u32);

impl Purpose {
    /// `None` unless `bit` is the bit of one known purpose.
    pub fn from_bit(bit: u32) -> Option<Self> {
        purpose::ALL.iter().any(|(_, known)| *known == bit).then_some(Self(bit))
    }
    pub fn from_code(code: &str) -> Option<Self> {
        purpose::ALL
            .iter()
            .find(|(known, _)| *known == code)
            .map(|(_, bit)| Self(*bit))
    }
    pub fn bit(self) -> u32 {
        self.0
    }
    pub fn code(self) -> &'static str {
        // The bit is one of the table's: there is no other way to construct a Purpose.
        purpose::ALL
            .iter()
            .find(|(_, bit)| *bit == self.0)
            .map_or("", |(code, _)| code)
    }
}

impl Serialize for Purpose {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Purpose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = String::deserialize(deserializer)?;
        Self::from_code(&code).ok_or_else(|| D::Error::custom(format!("no such purpose: {code}")))
    }
}

/// Exactly one action: `"read"`, `"write"` or `"share"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String, pattern = "^(read|write|share)$", example = "read"))]
pub struct Action(u8);

impl Action {
    pub const READ: Self = Self(action::READ);
    pub const WRITE: Self = Self(action::WRITE);
    pub const SHARE: Self = Self(action::SHARE);

    pub fn from_name(name: &str) -> Option<Self> {
        action::ALL
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, bit)| Self(*bit))
    }
    pub fn bit(self) -> u8 {
        self.0
    }
    pub fn name(self) -> &'static str {
        // The bit is one of the table's: there is no other way to construct an Action.
        action::ALL
            .iter()
            .find(|(_, bit)| *bit == self.0)
            .map_or("", |(name, _)| name)
    }
}

impl Serialize for Action {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Action {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::from_name(&name).ok_or_else(|| D::Error::custom(format!("no such action: {name}")))
    }
}

/// A set of purposes, as a list of codes in bit order. The field is the bit mask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = Vec<String>, example = json!(["TREAT", "HPAYMT"])))]
pub struct Purposes(pub u32);

impl Serialize for Purposes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        names(&purposes(), self.0.into()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Purposes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The table's bits are those of a u32.
        bits(deserializer, &purposes(), "purpose").map(|bits| Self(bits as u32))
    }
}

/// A set of actions, as a list of names in bit order. The field is the bit mask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = Vec<String>, example = json!(["read", "write"])))]
pub struct Actions(pub u8);

impl Serialize for Actions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        names(&actions(), self.0.into()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Actions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The table's bits are those of a u8.
        bits(deserializer, &actions(), "action").map(|bits| Self(bits as u8))
    }
}

/// The roles of a credential, as a list of names in bit order. The field is the bit mask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = Vec<String>, example = json!(["organisation", "provider"])))]
pub struct Roles(pub u64);

impl Serialize for Roles {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        names(&role::ALL, self.0).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Roles {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        bits(deserializer, &role::ALL, "role").map(Self)
    }
}

/// A set of compartments, as an ascending list of numbers 0..63. The field is the bit mask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = Vec<u8>, example = json!([0, 3])))]
pub struct Compartments(pub u64);

impl Compartments {
    pub fn contains(self, compartment: u8) -> bool {
        1u64.checked_shl(compartment.into())
            .is_some_and(|bit| self.0 & bit != 0)
    }
    pub fn iter(self) -> impl Iterator<Item = u8> {
        (0..medlock_abi::terms::COMPARTMENTS).filter(move |number| self.contains(*number))
    }
}

impl Serialize for Compartments {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Compartments {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let numbers = Vec::<u8>::deserialize(deserializer)?;
        numbers
            .iter()
            .try_fold(0, |mask, number| {
                let bit = 1u64
                    .checked_shl((*number).into())
                    .ok_or_else(|| D::Error::custom(format!("compartment {number} is not in 0..63")))?;
                Ok(mask | bit)
            })
            .map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_travel_as_names_and_come_back_whole() {
        let json =
            serde_json::to_string(&(Purposes(0b101), Actions(0b11), Roles(9), Compartments(1 << 63 | 1))).unwrap();
        assert_eq!(
            json,
            r#"[["TREAT","HPAYMT"],["read","write"],["organisation","provider"],[0,63]]"#
        );
        let back: (Purposes, Actions, Roles, Compartments) = serde_json::from_str(&json).unwrap();
        assert_eq!(
            back,
            (Purposes(0b101), Actions(0b11), Roles(9), Compartments(1 << 63 | 1))
        );
    }

    #[test]
    fn refuses_unknown_names_and_numbers() {
        assert!(serde_json::from_str::<Purpose>("\"treat\"").is_err());
        assert!(serde_json::from_str::<Purposes>("[\"TREAT\",\"\"]").is_err());
        assert!(serde_json::from_str::<Action>("\"own\"").is_err());
        assert!(serde_json::from_str::<Compartments>("[64]").is_err());
        assert_eq!(Purpose::from_bit(3), None);
    }
}
