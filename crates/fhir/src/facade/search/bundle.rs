//! The Bundle that answers a search.

use serde_json::{Value, json};

use super::super::Site;
use super::super::element::tidy;
use super::super::outcome::Outcome;
use super::Query;
use super::view::{Summary, trim};

/// A page of matches, in the order given, each as the query wants it.
///
/// `next`: where the next page begins; `None` on the last. `total`: the matches on all pages, of what the caller may see, counted
/// with nothing that is hidden from them; it is in the answer where it was asked for.
#[must_use]
pub fn searchset(query: &Query, site: &Site, page: Vec<Value>, next: Option<&str>, total: Option<u64>) -> Value {
    let mut links = vec![json!({ "relation": "self", "url": url(query, site, query.after.as_deref()) })];
    if let Some(next) = next {
        links.push(json!({ "relation": "next", "url": url(query, site, Some(next)) }));
    }
    let mut entries: Vec<_> = page
        .into_iter()
        .map(|resource| {
            let name = format!(
                "{}/{}",
                query.resource.name,
                resource["id"].as_str().unwrap_or_default()
            );
            json!({
                "fullUrl": format!("{}/{name}", site.base),
                "resource": trim(query, resource),
                "search": { "mode": "match" },
            })
        })
        .collect();
    if !query.ignored.is_empty() {
        let mut outcome = Outcome::default();
        query.ignored.iter().for_each(|issue| outcome.push(issue.clone()));
        entries.push(json!({
            "fullUrl": OUTCOME,
            "resource": outcome.to_resource(),
            "search": { "mode": "outcome" },
        }));
    }
    tidy(json!({
        "resourceType": "Bundle",
        "type": "searchset",
        "total": total.filter(|_| query.total),
        "link": links,
        "entry": entries,
    }))
}

/// What the outcome is called in its Bundle, where every entry has a name of its own: it is kept nowhere, and has no address.
const OUTCOME: &str = "urn:uuid:6e1d5c0e-3d5b-4f0a-9a52-0c6a6f1f7d10";

/// The search as it was understood, which is what `self` is for; from another page on, where `after` says so.
fn url(query: &Query, site: &Site, after: Option<&str>) -> String {
    let mut parameters = Vec::new();
    for filter in &query.filters {
        let modifier = filter
            .modifier
            .map(|modifier| format!(":{modifier}"))
            .unwrap_or_default();
        parameters.push((format!("{}{modifier}", filter.parameter.name), filter.given.clone()));
    }
    let summary = match query.summary {
        Summary::True => Some("true"),
        Summary::Text => Some("text"),
        Summary::Data => Some("data"),
        Summary::Count => Some("count"),
        Summary::False => None,
    };
    let controls = [
        ("_summary", summary.map(str::to_owned)),
        (
            "_elements",
            Some(query.elements.join(",")).filter(|names| !names.is_empty()),
        ),
        ("_total", query.total.then(|| "accurate".to_owned())),
        ("_count", (query.count != 0).then(|| query.count.to_string())),
        ("after", after.map(str::to_owned)),
    ];
    parameters.extend(
        controls
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?))),
    );
    let pairs: Vec<_> = parameters
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect();
    format!("{}/{}?{}", site.base, query.resource.name, pairs.join("&"))
}

/// Percent-encoded, but for what a query may hold as it is (RFC 3986 section 3.4) and forms do not give a meaning to.
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b if b.is_ascii_alphanumeric() || b"-._~:/,@!$*()".contains(&b) => encoded.push(char::from(b)),
            b => encoded.push_str(&format!("%{b:02X}")),
        }
    }
    encoded
}
