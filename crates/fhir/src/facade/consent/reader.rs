//! Reading a resource strictly: each property is either taken or refused, and what is wrong is collected with its place.
//!
//! A Consent limits by what it says, so a property that is passed over would widen what is signed.

use std::collections::BTreeMap;

use super::super::outcome::{Code, Issue, Outcome, Severity};
use crate::json::Json;

/// A value, and the FHIRPath that leads to it.
pub(super) struct Node<'a> {
    pub json: &'a Json,
    pub path: String,
}

/// An object whose properties are taken one by one.
pub(super) struct Object<'a> {
    rest: BTreeMap<&'a str, &'a Json>,
    pub path: String,
}

#[derive(Default)]
pub(super) struct Reader {
    pub outcome: Outcome,
}

impl<'a> Object<'a> {
    pub fn has(&self, name: &str) -> bool {
        self.rest.contains_key(name)
    }

    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub fn take(&mut self, name: &str) -> Option<Node<'a>> {
        let json = self.rest.remove(name)?;
        let path = format!("{}.{}", self.path, element(name));
        Some(Node { json, path })
    }
}

impl Reader {
    pub fn issue(&mut self, code: Code, path: &str, diagnostics: &str) {
        self.outcome.push(Issue {
            severity: Severity::Error,
            code,
            expression: Some(path.to_owned()),
            diagnostics: diagnostics.to_owned(),
        });
    }

    pub fn object<'a>(&mut self, node: &Node<'a>) -> Option<Object<'a>> {
        let Json::Object(properties) = node.json else {
            self.issue(Code::Structure, &node.path, "this is an object in FHIR");
            return None;
        };
        Some(Object {
            rest: properties.iter().map(|(name, value)| (name.as_str(), value)).collect(),
            path: node.path.clone(),
        })
    }

    /// Refuses what nobody took.
    pub fn close(&mut self, object: Object<'_>) {
        for name in object.rest.keys() {
            // A name is the sender's text: it is repeated only where it could be an element's.
            let is_name =
                !name.is_empty() && name.len() <= 64 && name.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_');
            let path = match is_name {
                true => format!("{}.{}", object.path, element(name)),
                false => object.path.clone(),
            };
            self.issue(Code::NotSupported, &path, "a grant cannot say this: leave it out");
        }
    }

    pub fn required<'a>(&mut self, object: &mut Object<'a>, name: &str) -> Option<Node<'a>> {
        let node = object.take(name);
        if node.is_none() {
            self.issue(
                Code::Required,
                &format!("{}.{}", object.path, element(name)),
                "this is missing",
            );
        }
        node
    }

    pub fn text<'a>(&mut self, node: &Node<'a>) -> Option<&'a str> {
        match node.json {
            Json::Text(text) => Some(text),
            _ => {
                self.issue(Code::Structure, &node.path, "this is a string in FHIR's JSON");
                None
            }
        }
    }

    pub fn required_text<'a>(&mut self, object: &mut Object<'a>, name: &str) -> Option<&'a str> {
        let node = self.required(object, name)?;
        self.text(&node)
    }

    /// The elements of a list; empty where there is none.
    pub fn items<'a>(&mut self, node: Option<Node<'a>>) -> Vec<Node<'a>> {
        let Some(node) = node else { return Vec::new() };
        match node.json {
            Json::List(items) if !items.is_empty() => items
                .iter()
                .enumerate()
                .map(|(i, json)| Node {
                    json,
                    path: format!("{}[{i}]", node.path),
                })
                .collect(),
            _ => {
                self.issue(
                    Code::Structure,
                    &node.path,
                    "this is a list in FHIR's JSON, and not an empty one",
                );
                Vec::new()
            }
        }
    }

    /// The one element of a list that must have one.
    pub fn only<'a>(&mut self, object: &mut Object<'a>, name: &str) -> Option<Node<'a>> {
        let list = self.required(object, name)?;
        let path = list.path.clone();
        let mut items = self.items(Some(list));
        if items.len() > 1 {
            self.issue(Code::NotSupported, &path, "a grant has exactly one of these");
        }
        items.drain(..).next()
    }

    /// A required property with the one value that it can have.
    pub fn fixed(&mut self, object: &mut Object<'_>, name: &str, value: &str) {
        let Some(node) = self.required(object, name) else {
            return;
        };
        if self.text(&node).is_some_and(|text| text != value) {
            self.issue(Code::Value, &node.path, &format!("only {value} can be taken here"));
        }
    }

    /// System and code of a Coding.
    pub fn coding<'a>(&mut self, node: &Node<'a>) -> Option<(&'a str, &'a str)> {
        let mut object = self.object(node)?;
        let system = self.required_text(&mut object, "system");
        let code = self.required_text(&mut object, "code");
        // Words for people: they change nothing.
        object.take("display");
        self.close(object);
        Some((system?, code?))
    }

    /// System and code of a CodeableConcept with one Coding and no text.
    pub fn concept<'a>(&mut self, node: &Node<'a>) -> Option<(&'a str, &'a str)> {
        let mut object = self.object(node)?;
        let coding = self.only(&mut object, "coding");
        self.close(object);
        self.coding(&coding?)
    }

    /// A CodeableConcept with the one code that it can have.
    pub fn fixed_concept(&mut self, node: Option<Node<'_>>, system: &str, code: &str) {
        let Some(node) = node else { return };
        if self.concept(&node).is_some_and(|found| found != (system, code)) {
            self.issue(
                Code::CodeInvalid,
                &node.path,
                &format!("only {system}|{code} can be taken here"),
            );
        }
    }

    /// The parts of a complex extension, which is the only extension there is: each a text, by name. `parts`: name and property.
    pub fn extension<'a>(
        &mut self,
        object: &mut Object<'a>,
        url: &str,
        parts: &[(&'static str, &'static str)],
    ) -> BTreeMap<&'static str, (&'a str, String)> {
        let mut values = BTreeMap::new();
        let Some(extension) = self.only(object, "extension") else {
            return values;
        };
        let Some(mut extension) = self.object(&extension) else {
            return values;
        };
        self.fixed(&mut extension, "url", url);
        let list = self.required(&mut extension, "extension");
        for part in self.items(list) {
            let Some(mut part_object) = self.object(&part) else {
                continue;
            };
            let name = self.required_text(&mut part_object, "url");
            let known = parts.iter().find(|(known, _)| Some(*known) == name);
            let Some((name, property)) = known.filter(|(known, _)| !values.contains_key(known)) else {
                self.issue(Code::Extension, &part.path, "this part is unknown, or given twice");
                continue;
            };
            if let Some(value) = self.required(&mut part_object, property)
                && let Some(text) = self.text(&value)
            {
                values.insert(*name, (text, value.path));
            }
            self.close(part_object);
        }
        self.close(extension);
        values
    }
}

/// The element that a JSON property stands for: `_end` is about `end`, and `valueString` is a `value`.
fn element(property: &str) -> &str {
    let name = property.strip_prefix('_').unwrap_or(property);
    match name.strip_prefix("value") {
        Some(kind) if kind.starts_with(|c: char| c.is_ascii_uppercase()) => "value",
        _ => name,
    }
}
