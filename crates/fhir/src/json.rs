//! A JSON tree to look things up in. Never written out: bytes stay as they came.
//!
//! A property given twice is refused (FHIR R4 section 2.6.2 forbids it): of two
//! readers one would take the first and one the second, and what this crate
//! classified might not be what another displays.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

#[derive(Debug)]
pub(crate) enum Json {
    /// Numbers, booleans and null: nothing is ever looked up in them.
    Scalar,
    Text(String),
    List(Vec<Json>),
    Object(BTreeMap<String, Json>),
}

/// What is wrong with a resource's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ParseError {
    DuplicateProperty,
    /// Position within the text given.
    Syntax {
        line: usize,
        column: usize,
    },
}

pub(crate) fn parse(text: &str) -> Result<Json, ParseError> {
    serde_json::from_str(text).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => ParseError::DuplicateProperty,
        _ => ParseError::Syntax {
            line: error.line(),
            column: error.column(),
        },
    })
}

impl Json {
    /// The property `name` of an object.
    pub fn get(&self, name: &str) -> Option<&Json> {
        match self {
            Self::Object(properties) => properties.get(name),
            _ => None,
        }
    }

    /// The string under the property `name`.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The elements of a list; anything else is a list of itself.
    pub fn items(&self) -> &[Json] {
        match self {
            Self::List(items) => items,
            other => std::slice::from_ref(other),
        }
    }

    /// Visits this object and every object below it.
    pub fn objects<'a>(&'a self, visit: &mut impl FnMut(&'a BTreeMap<String, Json>)) {
        match self {
            Self::Object(properties) => {
                visit(properties);
                properties.values().for_each(|value| value.objects(visit));
            }
            Self::List(items) => items.iter().for_each(|item| item.objects(visit)),
            Self::Scalar | Self::Text(_) => {}
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Json, E> {
        Ok(Json::Scalar)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Json, E> {
        Ok(Json::Scalar)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Json, E> {
        Ok(Json::Scalar)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Json, E> {
        Ok(Json::Scalar)
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Scalar)
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Json, E> {
        Ok(Json::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Json, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Json::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Json, A::Error> {
        let mut properties = BTreeMap::new();
        while let Some((name, value)) = access.next_entry::<String, Json>()? {
            if properties.insert(name, value).is_some() {
                return Err(A::Error::custom("a property given twice"));
            }
        }
        Ok(Json::Object(properties))
    }
}
