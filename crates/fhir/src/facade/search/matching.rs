//! Whether a resource is one that a query asks for.

use serde_json::Value;

use super::super::time::{self, Range};
use super::{AnySystem, Filter, Operand, ParameterKind, Query, Token};

/// Before and after all times: a period that is open.
const OPEN: Range = Range {
    from: i128::MIN,
    to: i128::MAX,
};

/// Whether all filters hold. `resource` is as it is served, before [`trim`](super::trim).
#[must_use]
pub fn matches(query: &Query, resource: &Value) -> bool {
    resource["resourceType"] == query.resource.name && query.filters.iter().all(|filter| holds(filter, resource))
}

fn holds(filter: &Filter, resource: &Value) -> bool {
    let paths = filter.parameter.paths.iter();
    let values: Vec<_> = paths.flat_map(|path| at(resource, path)).collect();
    filter
        .any_of
        .iter()
        .any(|operand| values.iter().any(|value| passes(filter, operand, value)))
}

fn passes(filter: &Filter, operand: &Operand, value: &Value) -> bool {
    match (operand, &filter.parameter.kind) {
        (Operand::Token(token), ParameterKind::Token { system }) => tokens(value, *system).any(|of| token.is(of)),
        (Operand::Token(token), _) => token.is(identifier(&value["identifier"])),
        (Operand::Date(test), _) => range(value).is_some_and(|range| test.holds(range)),
        (Operand::Literal(target, id), _) => {
            let reference = value["reference"].as_str().and_then(|text| text.split_once('/'));
            reference == Some((target, id))
        }
    }
}

impl Token {
    fn is(&self, (system, code): (Option<&str>, Option<&str>)) -> bool {
        let system_is = match &self.system {
            AnySystem::Any => true,
            AnySystem::None => system.is_none(),
            AnySystem::Is(wanted) => system == Some(wanted),
        };
        system_is && code.is_some() && self.code.as_deref().is_none_or(|wanted| code == Some(wanted))
    }
}

/// All values at a path, lists taken apart.
fn at<'a>(value: &'a Value, path: &[&str]) -> Vec<&'a Value> {
    if let Value::Array(items) = value {
        return items.iter().flat_map(|item| at(item, path)).collect();
    }
    match path {
        [] => vec![value],
        [url, ..] if url.contains("://") => {
            let extensions = value["extension"].as_array().into_iter().flatten();
            let ours = extensions.filter(|extension| extension["url"] == *url);
            ours.map(|extension| &extension["valueReference"]).collect()
        }
        [name, rest @ ..] => value.get(name).map_or_else(Vec::new, |value| at(value, rest)),
    }
}

/// Systems and codes of a code, a Coding, a CodeableConcept or an Identifier.
fn tokens<'a>(value: &'a Value, system: Option<&'a str>) -> impl Iterator<Item = (Option<&'a str>, Option<&'a str>)> {
    let codings = match value.get("coding") {
        Some(Value::Array(codings)) => codings.iter().collect(),
        _ => vec![value],
    };
    codings.into_iter().map(move |value| match value {
        Value::String(code) => (system, Some(code.as_str())),
        value if value.get("value").is_some() => identifier(value),
        value => (value["system"].as_str(), value["code"].as_str()),
    })
}

fn identifier(value: &Value) -> (Option<&str>, Option<&str>) {
    (value["system"].as_str(), value["value"].as_str())
}

/// Of a dateTime, an instant or a Period. A side of a Period that is open, or past what a dateTime can say, has no bound.
fn range(value: &Value) -> Option<Range> {
    let of = |text: &str| time::parse(text).map(|moment| moment.range);
    match value {
        Value::String(text) => of(text),
        Value::Object(period) => {
            let start = period.get("start").map_or(Some(OPEN), |text| of(text.as_str()?))?;
            let end = period.get("end").map_or(Some(OPEN), |text| of(text.as_str()?))?;
            Some(Range {
                from: start.from,
                to: end.to,
            })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
