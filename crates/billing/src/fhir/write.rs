//! Writes JSON in FHIR's canonical form: properties in alphabetical order, no white space, decimals with their own text.
use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

/// One object. What is absent is left out.
#[derive(Serialize, Default)]
#[serde(transparent)]
pub(super) struct Element(BTreeMap<&'static str, Box<RawValue>>);

impl Element {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn resource(name: &'static str) -> Self {
        Self::new().with("resourceType", name)
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Serialize) -> Self {
        self.0.insert(name, raw(&value));
        self
    }

    pub(super) fn with_some(self, name: &'static str, value: Option<impl Serialize>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// FHIR has no empty lists.
    pub(super) fn with_all<T: Serialize>(self, name: &'static str, values: impl IntoIterator<Item = T>) -> Self {
        let values: Vec<_> = values.into_iter().collect();
        if values.is_empty() {
            self
        } else {
            self.with(name, values)
        }
    }

    pub(super) fn to_json(&self) -> String {
        raw(self).get().to_owned()
    }
}

/// A number of this text.
pub(super) fn number(decimal: String) -> Box<RawValue> {
    RawValue::from_string(decimal).expect("a decimal's own text is a JSON number")
}

fn raw(value: &impl Serialize) -> Box<RawValue> {
    to_raw_value(value).expect("texts, numbers, lists, and objects with text for names, written to memory")
}
