//! Less than the whole resource: `_summary` and `_elements` (R4, `search.html`, "Summary" and "Elements").

use serde_json::{Value, json};

use super::super::element::coding;
use super::super::system;
use super::Query;

/// FHIR's words for how much is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Summary {
    True,
    Text,
    /// All but the text, which our resources have none of.
    Data,
    Count,
    False,
}

impl Summary {
    pub(super) fn of(word: &str) -> Option<Self> {
        match word {
            "true" => Some(Self::True),
            "text" => Some(Self::Text),
            "data" => Some(Self::Data),
            "count" => Some(Self::Count),
            "false" => Some(Self::False),
            _ => None,
        }
    }
}

/// The resource as the query wants it; where something was left out, tagged SUBSETTED.
#[must_use]
pub fn trim(query: &Query, mut resource: Value) -> Value {
    let chosen: Vec<&str> = match query.summary {
        Summary::True => query.resource.summary.to_vec(),
        Summary::Text => vec!["text"],
        _ if !query.elements.is_empty() => query.elements.iter().map(String::as_str).collect(),
        _ => return resource,
    };
    let Value::Object(properties) = &mut resource else {
        return resource;
    };
    let before = properties.len();
    properties.retain(|name, _| {
        let is_kept = |kept: &[&str]| kept.contains(&name.as_str());
        is_kept(&["resourceType", "id", "meta"]) || is_kept(query.resource.mandatory) || is_kept(&chosen)
    });
    if properties.len() < before {
        let subsetted = coding(system::OBSERVATION_VALUE, "SUBSETTED", Some("subsetted"));
        let meta = properties.entry("meta").or_insert_with(|| json!({}));
        meta["tag"] = json!([subsetted]);
    }
    resource
}
