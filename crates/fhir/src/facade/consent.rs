//! Consent: a grant in FHIR's words.
//!
//! The root provision permits what the grant allows; each rule is a provision within it, an exception to the root. That follows
//! IHE's Privacy Consent on FHIR, which wants `provision.type` at the root, rather than R4's remark that there is none. An
//! absent element means "any" to a reader, so terms with an empty set are refused ([`Empty`]), and a rule that adds nothing
//! says that it holds for no compartment.
//!
//! A `Period` ends with the last second that is still in it, a grant with the first that is not: `end` is `expiry - 1`.
mod operation;
mod read;
mod reader;
mod standing;

pub use operation::{Operation, SIGNATURE_BYTES_MAX, operation_consent, read_operation};
pub use read::read_grant;
pub use standing::standing_consent;

use serde_json::{Map, Value, json};

use super::element::{coding, concept, did, identifier, logical, meta, party, patient, record_identifier, tidy};
use super::facts::{Bytes32, Effect, Grant, Granter, Party, Rule, Terms};
use super::{Site, codes, system, time};

/// The largest Consent that is read: one with all compartments has 10 kB, and each rule takes some 2 kB more.
pub const CONSENT_BYTES_MAX: usize = 1024 * 1024;

/// LOINC "Consent", as IHE's profiles have it.
const CATEGORY: &str = "59284-0";
const SCOPE: &str = "patient-privacy";
/// Information recipient: the role that IHE's profiles fix.
const RECIPIENT: &str = "IRCP";

/// Terms without a compartment, a purpose or an action, which the contracts refuse. FHIR would read what is absent as "any".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a grant or rule without compartments, purposes or actions allows nothing, which a Consent cannot say")]
pub struct Empty;

/// The grant as it stands at `now`: what [`read_grant`] reads back.
///
/// # Errors
/// [`Empty`].
pub fn consent(grant: &Grant, site: &Site, now: u64) -> Result<Value, Empty> {
    let mut provision = permission(site, grant.grantee, &grant.terms)?;
    let rules = grant.rules.iter().map(|rule| exception(site, grant, rule));
    provision["provision"] = rules.collect::<Result<Vec<_>, _>>()?.into();
    let is_over = grant.terms.expiry != 0 && now >= grant.terms.expiry;
    let changed_at = match grant.ended_at {
        Some(ended_at) => ended_at,
        None if is_over => grant.terms.expiry,
        None => grant.granted_at,
    };
    let parts = [
        ("since", "valueString", grant.since.to_string()),
        ("serial", "valueString", grant.serial.to_string()),
        ("epoch", "valueString", grant.epoch.to_string()),
        ("keyring", "valueString", hex::encode(grant.keyring)),
    ];
    let mut parts: Vec<_> = parts
        .map(|(url, kind, value)| json!({ "url": url, kind: value }))
        .into();
    if let Some(ended_at) = grant.ended_at {
        parts.push(json!({ "url": "ended", "valueDateTime": time::instant(ended_at) }));
    }
    let performer = grant.granter.map(|granter| match granter {
        Granter::Controller => patient(&grant.chart),
        Granter::Delegate(account) => logical("RelatedPerson", system::URI, &did(site.chain_id, &account)),
    });
    let pair = format!("{}.{}", hex::encode(grant.chart), hex::encode(grant.grantee.account));
    let resource = json!({
        "id": grant.place.to_string(),
        "meta": meta(changed_at),
        "extension": [{ "url": system::EXTENSION_GRANT, "extension": parts }],
        "identifier": [identifier(system::GRANT, &pair)],
        "status": if is_over || grant.ended_at.is_some() { "inactive" } else { "active" },
        "dateTime": time::instant(grant.granted_at),
        "performer": performer.map(|performer| [performer]),
        "provision": provision,
    });
    Ok(with_frame(resource, site, &grant.chart))
}

/// With what all our Consents say alike. The policy is the contract that decides: it denies whatever is not permitted.
fn with_frame(mut resource: Value, site: &Site, chart: &Bytes32) -> Value {
    let frame = json!({
        "resourceType": "Consent",
        "scope": concept(coding(system::CONSENT_SCOPE, SCOPE, Some("Privacy Consent"))),
        "category": [concept(coding(system::LOINC, CATEGORY, None))],
        "patient": patient(chart),
        "policy": [{ "uri": did(site.chain_id, &site.records) }],
    });
    if let (Value::Object(resource), Value::Object(frame)) = (&mut resource, frame) {
        resource.extend(frame);
    }
    tidy(resource)
}

/// The root provision of a grant.
fn permission(site: &Site, grantee: Party, terms: &Terms) -> Result<Value, Empty> {
    if terms.compartments == 0 || terms.purposes == 0 || terms.actions == 0 {
        return Err(Empty);
    }
    Ok(json!({
        "type": "permit",
        "period": period(terms.not_before, terms.expiry),
        "actor": [actor(site, grantee)],
        "action": codes::actions(terms.actions),
        "securityLabel": codes::compartments(terms.compartments),
        "purpose": codes::purposes(terms.purposes),
    }))
}

/// The provision of a rule, an exception to the grant's.
fn exception(site: &Site, grant: &Grant, rule: &Rule) -> Result<Value, Empty> {
    let labels = match rule.effect {
        Effect::Allow => Some(added_labels(grant, rule)),
        Effect::Deny => None,
    };
    let mut provision = denial_or_permission(&grant.chart, rule)?;
    provision["securityLabel"] = labels.into();
    provision["actor"] = rule.names_grantee.then(|| [actor(site, grant.grantee)]).into();
    Ok(provision)
}

fn denial_or_permission(chart: &Bytes32, rule: &Rule) -> Result<Value, Empty> {
    if rule.purposes == 0 || rule.actions == 0 {
        return Err(Empty);
    }
    let record = logical(
        "DocumentReference",
        system::RECORD,
        &record_identifier(chart, &rule.record_id),
    );
    Ok(json!({
        "extension": [{ "url": system::EXTENSION_RULE, "valueString": rule.directory_version.to_string() }],
        "type": match rule.effect { Effect::Allow => "permit", Effect::Deny => "deny" },
        "period": period(0, rule.expiry),
        "action": codes::actions(rule.actions),
        "purpose": codes::purposes(rule.purposes),
        "data": [{ "meaning": "instance", "reference": record }],
    }))
}

/// Where an allow rule adds anything: the compartments that the grant has not, if the rule is not older than the pair's grants.
/// In a compartment that is granted it adds no purpose and no action (`terms::reason::combine`).
fn added_labels(grant: &Grant, rule: &Rule) -> Vec<Value> {
    let is_current = rule.directory_version >= grant.since && rule.directory_version != 0;
    match !grant.terms.compartments {
        others if others != 0 && is_current => codes::compartments(others),
        _ => vec![coding(system::COMPARTMENT, codes::NO_COMPARTMENT, None)],
    }
}

fn actor(site: &Site, grantee: Party) -> Value {
    let role = coding(system::PARTICIPATION, RECIPIENT, Some("information recipient"));
    json!({ "role": concept(role), "reference": party(site, grantee) })
}

/// `not_before` 0 and `expiry` 0: open on that side.
fn period(not_before: u64, expiry: u64) -> Value {
    let mut period = Map::new();
    let ends = [
        ("start", Some(not_before).filter(|s| *s != 0)),
        ("end", expiry.checked_sub(1)),
    ];
    for (name, seconds) in ends {
        match seconds {
            None => {}
            Some(seconds) if seconds <= time::SECONDS_MOST => {
                period.insert(name.to_owned(), time::instant(seconds).into());
            }
            Some(seconds) => {
                let extension = json!({ "url": system::EXTENSION_SECONDS, "valueString": seconds.to_string() });
                period.insert(format!("_{name}"), json!({ "extension": [extension] }));
            }
        }
    }
    period.into()
}
