//! From a query string, or the body of `_search`, to a [`Query`].

use super::super::Site;
use super::super::outcome::{Code, Issue, Outcome, Severity};
use super::parameter::{Parameter, ParameterKind, Resource};
use super::view::Summary;
use super::{AnySystem, COUNT_DEFAULT, COUNT_MOST, DateTest, Filter, Operand, Query, Token};

/// The longest query: servers and proxies refuse longer ones in a URL.
pub const QUERY_BYTES_MAX: usize = 8192;
/// Parameters in one query, and values of one parameter: each is compared with each resource.
pub const PARAMETERS_MAX: usize = 32;
pub const VALUES_MAX: usize = 64;
/// The longest cursor. It is ours: a place on chain, or a gateway's account and a number.
const CURSOR_BYTES_MAX: usize = 128;

/// What to do with a parameter that is not known (R4, `search.html`, "Handling Errors"). One that is known and wrong is always refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Handling {
    /// Pass over it, and say so in the answer.
    #[default]
    Lenient,
    Strict,
}

/// Of a `Prefer` header (RFC 7240), if it is there. What else it prefers does not matter here.
#[must_use]
pub fn handling(prefer: &str) -> Handling {
    let mut preferences = prefer.split([',', ';']).map(|one| one.trim().replace([' ', '"'], ""));
    match preferences.find_map(|one| one.to_ascii_lowercase().strip_prefix("handling=").map(str::to_owned)) {
        Some(value) if value == "strict" => Handling::Strict,
        _ => Handling::Lenient,
    }
}

/// Parameters that shape the answer rather than choose resources, with what is claimed of them.
pub const CONTROLS: [(&str, &str); 7] = [
    (
        "_count",
        "Resources on a page, at most 500; 0 is _summary=count. Default 50.",
    ),
    ("after", "The page's cursor: only as it stands in a next link."),
    ("_summary", "true, text, data, count or false."),
    (
        "_elements",
        "Top-level elements; id, meta and those without which the resource is not valid are added.",
    ),
    (
        "_total",
        "accurate or estimate: the number of matches that the caller may see, which is exact; none.",
    ),
    ("_format", "json, application/json or application/fhir+json."),
    (
        "_pretty",
        "Taken, and without effect: JSON comes in FHIR's canonical form.",
    ),
];

/// Reads `query`, which is `application/x-www-form-urlencoded`. `now`: UNIX seconds, for the prefix `ap`.
///
/// # Errors
/// What cannot be taken, each with its parameter; no value is repeated.
pub fn parse(
    resource: &'static Resource,
    query: &str,
    handling: Handling,
    site: &Site,
    now: u64,
) -> Result<Query, Outcome> {
    if query.len() > QUERY_BYTES_MAX {
        return Err(Outcome::error(
            Code::TooLong,
            "the query is longer than 8192 bytes; search by fewer values",
        ));
    }
    let pairs: Vec<_> = query.split('&').filter(|pair| !pair.is_empty()).collect();
    if pairs.len() > PARAMETERS_MAX {
        return Err(Outcome::error(
            Code::TooLong,
            "the query has more than 32 parameters; search by fewer",
        ));
    }
    let mut parser = Parser {
        site,
        now,
        handling,
        outcome: Outcome::default(),
        seen: Vec::new(),
        query: Query {
            resource,
            filters: Vec::new(),
            count: COUNT_DEFAULT,
            after: None,
            summary: Summary::False,
            elements: Vec::new(),
            total: false,
            ignored: Vec::new(),
        },
    };
    for pair in pairs {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        match (decode(name), decode(value)) {
            (Some(name), Some(value)) => parser.parameter(&name, &value),
            _ => parser.refuse(Code::Value, None, "the query is not URL-encoded UTF-8"),
        }
    }
    parser.finish()
}

struct Parser<'a> {
    site: &'a Site,
    now: u64,
    handling: Handling,
    outcome: Outcome,
    /// Controls that were given.
    seen: Vec<&'static str>,
    query: Query,
}

impl Parser<'_> {
    fn parameter(&mut self, name: &str, value: &str) {
        if let Some((control, _)) = CONTROLS.iter().find(|(control, _)| *control == name) {
            return self.control(control, value);
        }
        let (base, modifier) = name
            .split_once(':')
            .map_or((name, None), |(base, modifier)| (base, Some(modifier)));
        let (base, is_chained) = base.split_once('.').map_or((base, false), |(base, _)| (base, true));
        let Some(parameter) = self.query.resource.parameters.iter().find(|known| known.name == base) else {
            return self.unknown(base);
        };
        if is_chained {
            return self.refuse(
                Code::NotSupported,
                Some(base),
                "references are not followed: search by the value itself",
            );
        }
        let Some(modifier) = allowed(parameter, modifier) else {
            let says = match parameter.kind {
                ParameterKind::Logical => "search by account: add :identifier, and give system|value",
                _ => "this modifier is not supported here",
            };
            return self.refuse(Code::NotSupported, Some(base), says);
        };
        let values = split(value, ',');
        if values.len() > VALUES_MAX {
            return self.refuse(Code::TooLong, Some(base), "more than 64 values; search by fewer");
        }
        let operands = values.iter().map(|value| self.operand(parameter, value));
        match operands.collect::<Option<Vec<_>>>() {
            Some(any_of) => self.query.filters.push(Filter {
                parameter,
                modifier,
                any_of,
                given: value.to_owned(),
            }),
            None => self.refuse(Code::Value, Some(base), expected(&parameter.kind)),
        }
    }

    fn operand(&self, parameter: &Parameter, value: &str) -> Option<Operand> {
        match parameter.kind {
            ParameterKind::Token { .. } | ParameterKind::Logical => token(value).map(Operand::Token),
            ParameterKind::Date => DateTest::parse(value, self.now).map(Operand::Date),
            ParameterKind::Literal { target } => {
                let value = unescape(value)?;
                let relative = value
                    .strip_prefix(&self.site.base)
                    .and_then(|rest| rest.strip_prefix('/'));
                let id = match relative.unwrap_or(&value).split_once('/') {
                    None if relative.is_none() => &value[..],
                    Some((name, id)) if name == target => id,
                    _ => return None,
                };
                is_id(id).then(|| Operand::Literal(target, id.to_owned()))
            }
        }
    }

    fn control(&mut self, name: &'static str, value: &str) {
        if self.seen.contains(&name) {
            return self.refuse(Code::Value, Some(name), "this can be given once");
        }
        self.seen.push(name);
        let query = &mut self.query;
        let is_taken = match name {
            "_count" => match value.parse() {
                Ok(count) if value.bytes().all(|b| b.is_ascii_digit()) => {
                    query.count = COUNT_MOST.min(count);
                    true
                }
                _ => false,
            },
            "after" => {
                let is_ours = |b: u8| b.is_ascii_alphanumeric() || b".-_".contains(&b);
                query.after = Some(value.to_owned());
                (1..=CURSOR_BYTES_MAX).contains(&value.len()) && value.bytes().all(is_ours)
            }
            "_summary" => Summary::of(value).map(|summary| query.summary = summary).is_some(),
            "_elements" => {
                query.elements = value.split(',').map(str::to_owned).collect();
                query
                    .elements
                    .iter()
                    .all(|name| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric()))
            }
            "_total" => {
                query.total = value != "none";
                matches!(value, "none" | "estimate" | "accurate")
            }
            "_format" => return self.format(value),
            _ => matches!(value, "true" | "false"),
        };
        if !is_taken {
            let says = CONTROLS
                .iter()
                .find(|(control, _)| *control == name)
                .map_or("", |(_, says)| says);
            self.refuse(Code::Value, Some(name), says);
        }
    }

    fn format(&mut self, value: &str) {
        let media_type = value.split(';').next().unwrap_or_default().trim();
        if !matches!(
            media_type,
            "json" | "application/json" | "application/fhir+json" | "text/json"
        ) {
            self.refuse(
                Code::NotSupported,
                Some("_format"),
                "only JSON is spoken here: application/fhir+json",
            );
        }
    }

    fn unknown(&mut self, name: &str) {
        // A name is the sender's text: it is repeated only where it could be a parameter's.
        let is_name = name.len() <= 64 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
        let name = (is_name && !name.is_empty()).then_some(name);
        let says = "there is no such parameter here; the CapabilityStatement lists those there are";
        match self.handling {
            Handling::Strict => self.refuse(Code::NotSupported, name, says),
            Handling::Lenient => {
                let issue = issue(
                    Severity::Warning,
                    Code::NotSupported,
                    name,
                    &format!("passed over: {says}"),
                );
                self.query.ignored.push(issue);
            }
        }
    }

    fn refuse(&mut self, code: Code, name: Option<&str>, says: &str) {
        self.outcome.push(issue(Severity::Error, code, name, says));
    }

    fn finish(mut self) -> Result<Query, Outcome> {
        if self.query.summary != Summary::False && !self.query.elements.is_empty() {
            self.refuse(Code::Value, Some("_elements"), "either _elements or _summary");
        }
        if !self.outcome.is_empty() {
            return Err(self.outcome);
        }
        if self.query.count == 0 {
            self.query.summary = Summary::Count;
        }
        if self.query.summary == Summary::Count {
            self.query.count = 0;
            self.query.total = true;
        }
        Ok(self.query)
    }
}

fn issue(severity: Severity, code: Code, name: Option<&str>, says: &str) -> Issue {
    Issue {
        severity,
        code,
        expression: name.map(|name| format!("http.{name}")),
        diagnostics: says.to_owned(),
    }
}

/// `Some(None)`: none given, and none is needed. `None`: it cannot be taken.
fn allowed(parameter: &Parameter, modifier: Option<&str>) -> Option<Option<&'static str>> {
    match (&parameter.kind, modifier) {
        (ParameterKind::Logical, Some("identifier")) => Some(Some("identifier")),
        (ParameterKind::Logical, _) => None,
        (_, None) => Some(None),
        (ParameterKind::Literal { target }, Some(name)) if name == *target => Some(Some(target)),
        _ => None,
    }
}

fn expected(kind: &ParameterKind) -> &'static str {
    match kind {
        ParameterKind::Token { .. } => "give code, system|code, |code or system|",
        ParameterKind::Date => {
            "give a date, with one of eq ne gt lt ge le sa eb ap before it; + in a time zone is written %2B"
        }
        ParameterKind::Literal { .. } => "give the id of a resource of this server, with or without its type",
        ParameterKind::Logical => "give system|value of the account's identifier",
    }
}

fn token(value: &str) -> Option<Token> {
    let parts = split(value, '|');
    let (system, code) = match &parts[..] {
        [code] => (AnySystem::Any, unescape(code)?),
        ["", code] => (AnySystem::None, unescape(code)?),
        [system, code] => (AnySystem::Is(unescape(system)?), unescape(code)?),
        _ => return None,
    };
    let code = Some(code).filter(|code| !code.is_empty());
    (code.is_some() || matches!(system, AnySystem::Is(_))).then_some(Token { system, code })
}

/// At each `mark` that no backslash stands before (R4 section 3.1.1.4.19).
fn split(value: &str, mark: char) -> Vec<&str> {
    let (mut parts, mut start, mut escaped) = (Vec::new(), 0, false);
    for (at, c) in value.char_indices() {
        if c == mark && !escaped {
            parts.push(&value[start..at]);
            start = at + c.len_utf8();
        }
        escaped = c == '\\' && !escaped;
    }
    parts.push(&value[start..]);
    parts
}

fn unescape(value: &str) -> Option<String> {
    let mut text = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        text.push(match c {
            '\\' => chars.next().filter(|c| "\\,|$".contains(*c))?,
            c => c,
        });
    }
    Some(text)
}

/// FHIR's `id`.
fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b))
}

/// `application/x-www-form-urlencoded` (WHATWG URL, section 5.1), but strict.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                hex::decode(digits).ok()?[0]
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests;
