//! What one resource has and another has not, by FHIRPath. Both are JSON texts; nothing of their values is repeated.
use std::collections::{BTreeMap, BTreeSet};

use serde_json::value::RawValue;

use super::{Fault, Refused, read::refused};

/// That each element of `given`, which was read, stands in `written`, which was made of what was read.
///
/// # Errors
/// [`Fault::Unread`], of the first that does not.
pub(super) fn check_whole(name: &'static str, given: &[u8], written: &str) -> Result<(), Refused> {
    let given = serde_json::from_slice(given).map_err(|_| refused(name, Fault::NotJson))?;
    match unread(name, given, raw(written)) {
        Some(path) => Err(refused(&path, Fault::Unread)),
        None => Ok(()),
    }
}

/// Paths of what is otherwise in `other`: a value, or whatever one of the two alone has. Both were written here.
pub(super) fn differing(name: &str, one: &str, other: &str) -> Vec<String> {
    let mut paths = Vec::new();
    compare(name.to_owned(), raw(one), raw(other), &mut paths);
    paths
}

/// Paths of the elements that do not hold.
pub(super) fn failing(name: &str, elements: &[(&str, bool)]) -> Vec<String> {
    let failing = elements.iter().filter(|(_, holds)| !holds);
    failing.map(|(element, _)| format!("{name}.{element}")).collect()
}

/// As deep as `written` is, whatever `given` is.
fn unread(path: &str, given: &RawValue, written: &RawValue) -> Option<String> {
    match (Shape::of(given), Shape::of(written)) {
        (Shape::Object(given), Shape::Object(written)) => given.iter().find_map(|(name, given)| {
            let path = format!("{path}.{name}");
            match written.get(name) {
                Some(written) => unread(&path, given, written),
                None => Some(path),
            }
        }),
        (Shape::List(given), Shape::List(written)) => {
            let mut pairs = given.iter().zip(&written).enumerate();
            let within =
                pairs.find_map(|(index, (given, written))| unread(&format!("{path}[{index}]"), given, written));
            within.or_else(|| (given.len() > written.len()).then(|| path.to_owned()))
        }
        (Shape::Value(_), Shape::Value(_)) => None,
        _ => Some(path.to_owned()),
    }
}

fn compare(path: String, one: &RawValue, other: &RawValue, paths: &mut Vec<String>) {
    match (Shape::of(one), Shape::of(other)) {
        (Shape::Object(one), Shape::Object(other)) => {
            let names: BTreeSet<_> = one.keys().chain(other.keys()).collect();
            for name in names {
                let path = format!("{path}.{name}");
                match (one.get(name), other.get(name)) {
                    (Some(one), Some(other)) => compare(path, one, other, paths),
                    _ => paths.push(path),
                }
            }
        }
        (Shape::List(one), Shape::List(other)) if one.len() == other.len() => {
            for (index, (one, other)) in one.iter().zip(&other).enumerate() {
                compare(format!("{path}[{index}]"), one, other, paths);
            }
        }
        (Shape::Value(one), Shape::Value(other)) if one == other => {}
        _ => paths.push(path),
    }
}

enum Shape<'a> {
    Object(BTreeMap<String, &'a RawValue>),
    List(Vec<&'a RawValue>),
    /// Its text: numbers are compared as they are written.
    Value(&'a str),
}

impl<'a> Shape<'a> {
    fn of(raw: &'a RawValue) -> Self {
        let text = raw.get();
        match text.as_bytes().first() {
            Some(b'{') => serde_json::from_str(text).map_or(Self::Value(text), Self::Object),
            Some(b'[') => serde_json::from_str(text).map_or(Self::Value(text), Self::List),
            _ => Self::Value(text),
        }
    }
}

fn raw(written: &str) -> &RawValue {
    serde_json::from_str(written).expect("what is written here is JSON")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_that_is_otherwise_is_named_once() {
        let one = r#"{"a":1.50,"b":[{"c":"x"},{"c":"y"}],"d":true,"e":[1]}"#;
        assert_eq!(differing("R", one, one), Vec::<String>::new());
        let other = r#"{"a":1.5,"b":[{"c":"x"},{"c":"z","f":1}],"e":[1,2]}"#;
        assert_eq!(
            differing("R", one, other),
            ["R.a", "R.b[1].c", "R.b[1].f", "R.d", "R.e"]
        );
        assert_eq!(differing("R", r#"{"a":[]}"#, r#"{"a":{}}"#), ["R.a"]);
    }

    #[test]
    fn what_was_not_read_is_named_and_values_are_not_looked_at() {
        let written = r#"{"a":{"b":1},"c":[{"d":1}]}"#;
        let check = |given: &str| check_whole("R", given.as_bytes(), written).map_err(|refused| refused.path);
        assert_eq!(check(r#" { "a": {"b": 2}, "c": [{"d": 3}] }"#), Ok(()));
        assert_eq!(check(r#"{"a":{}}"#), Ok(()));
        for (given, path) in [
            (r#"{"x":1}"#, "R.x"),
            (r#"{"a":{"b":1,"x":1}}"#, "R.a.x"),
            (r#"{"c":[{"d":1},{"d":2}]}"#, "R.c"),
            (r#"{"c":[{"x":1}]}"#, "R.c[0].x"),
            (r#"{"a":[1]}"#, "R.a"),
        ] {
            assert_eq!(check(given), Err(path.to_owned()));
        }
    }

    /// Whatever nests more deeply than what was read is left where it begins.
    #[test]
    fn depth_costs_nothing() {
        let deep = format!(r#"{{"a":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
        let refused = check_whole("R", deep.as_bytes(), r#"{"a":[1]}"#).unwrap_err();
        assert_eq!((refused.path.as_str(), refused.fault), ("R.a[0]", Fault::Unread));
    }
}
