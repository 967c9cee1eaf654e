//! Reads JSON as FHIR has it, step by step, and knows the path of each step. Numbers keep their text.
use std::{collections::BTreeSet, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{Fault, Refused};
use crate::time::DateTime;

/// What every object may have.
const COMMON: [&str; 2] = ["id", "extension"];
/// What every resource may have beside.
const OF_RESOURCES: [&str; 6] = ["resourceType", "meta", "language", "text", "contained", "identifier"];
/// They change what other elements mean; whoever does not know them may not go on (R4, `extensibility.html`).
const MODIFIERS: [&str; 2] = ["modifierExtension", "implicitRules"];

/// One JSON value, and where it stands.
pub(super) struct Node<'a> {
    path: String,
    raw: &'a RawValue,
}

/// The object of a resource of this type.
///
/// # Errors
/// [`Fault::TooLarge`], [`Fault::NotJson`], [`Fault::OtherResource`], and as [`Node::object`].
pub(super) fn resource<'a>(
    bytes: &'a [u8],
    bytes_max: usize,
    name: &'static str,
    known: &[&str],
) -> Result<Object<'a>, Refused> {
    let object = outermost(bytes, bytes_max, name)?;
    // First, as the names of another resource's properties would be the wrong ones to complain about.
    let is_it = match object.optional("resourceType") {
        Some(node) => node.text()? == name,
        None => false,
    };
    if !is_it {
        return Err(object.refused(Fault::OtherResource { expected: name }));
    }
    let known: Vec<_> = known.iter().chain(&OF_RESOURCES).copied().collect();
    object.check_names(&known)?;
    Ok(object)
}

/// The type that a resource says it is of.
///
/// # Errors
/// [`Fault::TooLarge`], [`Fault::NotJson`], [`Fault::Missing`], and as [`Node::object`].
pub(super) fn resource_type(bytes: &[u8], bytes_max: usize) -> Result<String, Refused> {
    outermost(bytes, bytes_max, "Resource")?
        .required("resourceType")?
        .text()
}

fn outermost<'a>(bytes: &'a [u8], bytes_max: usize, name: &str) -> Result<Object<'a>, Refused> {
    if bytes.len() > bytes_max {
        return Err(refused(name, Fault::TooLarge { bytes_max }));
    }
    let raw = serde_json::from_slice(bytes).map_err(|_| refused(name, Fault::NotJson))?;
    Object::new(Node {
        path: name.to_owned(),
        raw,
    })
}

pub(super) fn refused(path: &str, fault: Fault) -> Refused {
    Refused {
        path: path.to_owned(),
        fault,
    }
}

impl<'a> Node<'a> {
    pub(super) fn refused(&self, fault: impl Into<Fault>) -> Refused {
        refused(&self.path, fault.into())
    }

    fn of_type(&self, expected: &'static str) -> Refused {
        self.refused(Fault::Type { expected })
    }

    /// With properties of these names alone, and those that every object may have.
    ///
    /// # Errors
    /// [`Fault::Type`], [`Fault::Empty`], [`Fault::Twice`], [`Fault::Modifier`], [`Fault::NotR4`].
    pub(super) fn object(self, known: &[&str]) -> Result<Object<'a>, Refused> {
        let object = Object::new(self)?;
        object.check_names(known)?;
        Ok(object)
    }

    /// # Errors
    /// [`Fault::Type`], [`Fault::Empty`], [`Fault::TooMany`].
    fn list(self, most: usize) -> Result<Vec<Self>, Refused> {
        let items: Vec<&RawValue> = serde_json::from_str(self.raw.get()).map_err(|_| self.of_type("a list"))?;
        if items.is_empty() {
            return Err(self.refused(Fault::Empty));
        }
        if items.len() > most {
            return Err(self.refused(Fault::TooMany { most }));
        }
        let nodes = items.into_iter().enumerate().map(|(index, raw)| Self {
            path: format!("{}[{index}]", self.path),
            raw,
        });
        Ok(nodes.collect())
    }

    /// # Errors
    /// [`Fault::Type`]; [`Fault::Empty`], also of white space alone.
    pub(super) fn text(&self) -> Result<String, Refused> {
        let text: String = serde_json::from_str(self.raw.get()).map_err(|_| self.of_type("a text"))?;
        if text.trim().is_empty() {
            return Err(self.refused(Fault::Empty));
        }
        Ok(text)
    }

    /// The text of a number, as it was written.
    ///
    /// # Errors
    /// [`Fault::Type`].
    pub(super) fn number(&self) -> Result<&'a str, Refused> {
        let text = self.raw.get();
        if text.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
            Ok(text)
        } else {
            Err(self.of_type("a number"))
        }
    }

    /// # Errors
    /// [`Fault::Type`].
    pub(super) fn boolean(&self) -> Result<bool, Refused> {
        serde_json::from_str(self.raw.get()).map_err(|_| self.of_type("true or false"))
    }

    /// FHIR's positiveInt.
    ///
    /// # Errors
    /// [`Fault::Type`].
    pub(super) fn positive(&self) -> Result<u32, Refused> {
        let number = self.number()?.parse().ok();
        let is_one = |number: &u32| (1..=i32::MAX as u32).contains(number);
        number
            .filter(is_one)
            .ok_or_else(|| self.of_type("a whole number from 1"))
    }

    /// # Errors
    /// [`Fault::Type`], [`Fault::Time`].
    pub(super) fn time(&self) -> Result<DateTime, Refused> {
        DateTime::parse(&self.text()?).ok_or_else(|| self.refused(Fault::Time))
    }
}

/// The properties of an object.
pub(super) struct Object<'a> {
    path: String,
    properties: Vec<(String, &'a RawValue)>,
}

impl<'a> Object<'a> {
    fn new(node: Node<'a>) -> Result<Self, Refused> {
        let properties = serde_json::from_str(node.raw.get()).map_err(|_| node.of_type("an object"))?;
        let Properties(properties) = properties;
        if properties.is_empty() {
            return Err(node.refused(Fault::Empty));
        }
        let mut names = BTreeSet::new();
        if !properties.iter().all(|(name, _)| names.insert(name)) {
            return Err(node.refused(Fault::Twice));
        }
        Ok(Self {
            path: node.path,
            properties,
        })
    }

    /// Of a primitive element `x` there may be more in `_x` (R4, `json.html`).
    fn check_names(&self, known: &[&str]) -> Result<(), Refused> {
        for (name, _) in &self.properties {
            let name = name.strip_prefix('_').unwrap_or(name);
            if MODIFIERS.contains(&name) {
                return Err(self.refused(Fault::Modifier));
            }
            if !known.contains(&name) && !COMMON.contains(&name) {
                return Err(self.refused(Fault::NotR4));
            }
        }
        Ok(())
    }

    pub(super) fn refused(&self, fault: impl Into<Fault>) -> Refused {
        refused(&self.path, fault.into())
    }

    /// Of one of its elements.
    pub(super) fn refused_at(&self, name: &str, fault: impl Into<Fault>) -> Refused {
        refused(&format!("{}.{name}", self.path), fault.into())
    }

    pub(super) fn optional(&self, name: &str) -> Option<Node<'a>> {
        let (_, raw) = self.properties.iter().find(|(own, _)| own == name)?;
        Some(Node {
            path: format!("{}.{name}", self.path),
            raw,
        })
    }

    /// # Errors
    /// [`Fault::Missing`].
    pub(super) fn required(&self, name: &str) -> Result<Node<'a>, Refused> {
        self.optional(name).ok_or_else(|| self.refused_at(name, Fault::Missing))
    }

    /// Nothing where the element is absent.
    ///
    /// # Errors
    /// [`Fault::Type`], [`Fault::Empty`], [`Fault::TooMany`].
    pub(super) fn list(&self, name: &str, most: usize) -> Result<Vec<Node<'a>>, Refused> {
        self.optional(name).map_or(Ok(Vec::new()), |node| node.list(most))
    }
}

/// In their order; a name may stand twice.
struct Properties<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Properties<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Properties<'de>;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut properties = Vec::new();
                while let Some(property) = map.next_entry()? {
                    properties.push(property);
                }
                Ok(Properties(properties))
            }
        }

        deserializer.deserialize_map(Reader)
    }
}
