//! From a Consent to the grant that it stands for.

use super::super::element::{account, bytes32, did};
use super::super::facts::{Bytes32, Effect, Grant, Granter, Party, Place, Rule, Terms, decimal};
use super::super::outcome::{Code, Outcome};
use super::super::{Site, codes, system, time};
use super::reader::{Node, Object, Reader};
use super::{CATEGORY, CONSENT_BYTES_MAX, RECIPIENT, SCOPE, added_labels};
use crate::bundle::is_too_deep;
use crate::json::{self, Json};

/// Reads what [`consent`](super::consent) writes: the same grant.
///
/// # Errors
/// What is no such Consent, each fault with the FHIRPath of its element.
pub fn read_grant(consent: &[u8], site: &Site) -> Result<Grant, Outcome> {
    let json = parse(consent)?;
    let mut reader = Reader::default();
    let grant = reader.grant(&json, site);
    match grant {
        Some(grant) if reader.outcome.is_empty() => Ok(grant),
        _ => Err(reader.outcome),
    }
}

/// The JSON, if it is any, and not larger or deeper than a Consent is.
pub(super) fn parse(consent: &[u8]) -> Result<Json, Outcome> {
    if consent.len() > CONSENT_BYTES_MAX {
        return Err(Outcome::error(Code::TooLong, "the Consent is too large"));
    }
    let text = std::str::from_utf8(consent)
        .ok()
        .filter(|text| !is_too_deep(text.as_bytes()));
    let json = text.and_then(|text| json::parse(text).ok());
    json.ok_or_else(|| {
        let says =
            "the body is not JSON, nests too deep, or has a property twice; send one Consent as application/fhir+json";
        Outcome::error(Code::Structure, says)
    })
}

const GRANT_PARTS: [(&str, &str); 5] = [
    ("since", "valueString"),
    ("serial", "valueString"),
    ("epoch", "valueString"),
    ("keyring", "valueString"),
    ("ended", "valueDateTime"),
];

impl Reader {
    fn grant(&mut self, json: &Json, site: &Site) -> Option<Grant> {
        let (mut root, chart) = self.root(json, site)?;
        let place = self.parsed(&mut root, "id", "this is a place on chain: block.log", |text| {
            text.parse::<Place>().ok()
        });
        // What is derived from the rest: how the grant stands at the time of writing, and its names.
        for name in ["meta", "identifier"] {
            self.required(&mut root, name);
        }
        let status = self.required_text(&mut root, "status");
        if status.is_some_and(|status| !matches!(status, "active" | "inactive")) {
            self.issue(Code::Value, "Consent.status", "a grant is active or inactive");
        }
        let exact = "this is a time to the second, with its time zone";
        let granted_at = self.parsed(&mut root, "dateTime", exact, seconds);
        let granter = self.granter(&mut root, &chart, site);
        let parts = self.extension(&mut root, system::EXTENSION_GRANT, &GRANT_PARTS);
        let since = self.part(&parts, "since", decimal);
        let serial = self.part(&parts, "serial", decimal);
        let epoch = self.part(&parts, "epoch", decimal);
        let keyring = self.part(&parts, "keyring", bytes32);
        let ended_at = match parts.contains_key("ended") {
            true => Some(self.part(&parts, "ended", seconds)?),
            false => None,
        };
        let provision = self.required(&mut root, "provision");
        self.close(root);
        let mut provision = self.object(&provision?)?;
        let (grantee, terms) = self.permission(&mut provision, site)?;
        let mut grant = Grant {
            chart: chart?,
            grantee,
            terms,
            since: since?,
            serial: serial?,
            epoch: epoch?,
            keyring: keyring?,
            place: place?,
            granted_at: granted_at?,
            granter,
            ended_at,
            rules: Vec::new(),
        };
        let rules = provision.take("provision");
        self.close(provision);
        let rules = self.items(rules);
        let rules: Vec<_> = rules.iter().map(|rule| self.rule(rule, &grant, site)).collect();
        grant.rules = rules.into_iter().collect::<Option<_>>()?;
        Some(grant)
    }

    /// What all Consents say alike; the rest of the resource, and the chart.
    pub(super) fn root<'a>(&mut self, json: &'a Json, site: &Site) -> Option<(Object<'a>, Option<Bytes32>)> {
        let path = "Consent".to_owned();
        let mut root = self.object(&Node { json, path })?;
        self.fixed(&mut root, "resourceType", "Consent");
        let scope = self.required(&mut root, "scope");
        self.fixed_concept(scope, system::CONSENT_SCOPE, SCOPE);
        let category = self.only(&mut root, "category");
        self.fixed_concept(category, system::LOINC, CATEGORY);
        let patient = self.required(&mut root, "patient");
        let chart = patient.and_then(|node| self.patient(&node, site));
        if let Some(policy) = self.only(&mut root, "policy")
            && let Some(mut policy) = self.object(&policy)
        {
            self.fixed(&mut policy, "uri", &did(site.chain_id, &site.records));
            self.close(policy);
        }
        Some((root, chart))
    }

    /// The root provision of a grant, but for the rules.
    pub(super) fn permission(&mut self, provision: &mut Object<'_>, site: &Site) -> Option<(Party, Terms)> {
        self.fixed(provision, "type", "permit");
        let (not_before, expiry) = self.period(provision);
        let actor = self.only(provision, "actor");
        let grantee = actor.and_then(|node| self.actor(&node, site));
        let labels = self.required(provision, "securityLabel");
        let compartments = self.bits(labels, Self::coding, codes::compartment_bit);
        let (purposes, actions) = self.purposes_and_actions(provision);
        let terms = Terms {
            compartments: compartments?,
            purposes: purposes?,
            actions: actions?,
            not_before: not_before?,
            expiry: expiry?,
        };
        Some((grantee?, terms))
    }

    fn purposes_and_actions(&mut self, provision: &mut Object<'_>) -> (Option<u32>, Option<u8>) {
        let purposes = self.required(provision, "purpose");
        let purposes = self.bits(purposes, Self::coding, codes::purpose_bit);
        let actions = self.required(provision, "action");
        let actions = self.bits(actions, Self::concept, codes::action_bit);
        (purposes, actions)
    }

    fn rule(&mut self, node: &Node<'_>, grant: &Grant, site: &Site) -> Option<Rule> {
        let mut provision = self.object(node)?;
        let effect = self.parsed(&mut provision, "type", "a rule permits or denies", |text| match text {
            "permit" => Some(Effect::Allow),
            "deny" => Some(Effect::Deny),
            _ => None,
        });
        let (not_before, expiry) = self.period(&mut provision);
        if not_before.is_some_and(|s| s != 0) {
            let path = format!("{}.period.start", provision.path);
            self.issue(Code::NotSupported, &path, "a rule has no beginning");
        }
        let names_grantee = match provision.take("actor") {
            None => false,
            Some(list) => {
                let path = list.path.clone();
                let actors = self.items(Some(list));
                let parties: Vec<_> = actors.iter().map(|actor| self.actor(actor, site)).collect();
                if parties != [Some(grant.grantee)] {
                    self.issue(Code::Value, &path, "the rules of a grant name its grantee, or nobody");
                }
                true
            }
        };
        let (purposes, actions) = self.purposes_and_actions(&mut provision);
        let data = self.only(&mut provision, "data");
        let record_id = data.and_then(|node| self.record(&node, &grant.chart));
        let directory_version = self.rule_version(&mut provision);
        let labels = provision.take("securityLabel");
        let path = provision.path.clone();
        self.close(provision);
        let rule = Rule {
            record_id: record_id?,
            names_grantee,
            effect: effect?,
            purposes: purposes?,
            actions: actions?,
            expiry: expiry?,
            directory_version: directory_version?,
        };
        let expected = match rule.effect {
            Effect::Allow => added_labels(grant, &rule),
            Effect::Deny => Vec::new(),
        };
        let labels = self.items(labels);
        let labels: Vec<_> = labels.iter().filter_map(|label| self.coding(label)).collect();
        let is_expected = |((system, code), label): (&(&str, &str), &serde_json::Value)| {
            label["system"] == *system && label["code"] == *code
        };
        if labels.len() != expected.len() || !labels.iter().zip(&expected).all(is_expected) {
            let says =
                "a rule that permits holds for the compartments that the grant has not; one that denies, for all";
            self.issue(Code::Value, &format!("{path}.securityLabel"), says);
        }
        Some(rule)
    }

    fn rule_version(&mut self, provision: &mut Object<'_>) -> Option<u32> {
        let extension = self.only(provision, "extension")?;
        let mut extension = self.object(&extension)?;
        self.fixed(&mut extension, "url", system::EXTENSION_RULE);
        let version = self.parsed(&mut extension, "valueString", "this is a directory version", decimal);
        self.close(extension);
        version
    }

    /// The chart of a reference to its Patient.
    fn patient(&mut self, node: &Node<'_>, site: &Site) -> Option<Bytes32> {
        let mut object = self.object(node)?;
        let chart = self.parsed(
            &mut object,
            "reference",
            "this is Patient/ and the chart, of this server",
            |text| {
                let relative = text.strip_prefix(&site.base).and_then(|rest| rest.strip_prefix('/'));
                bytes32(relative.unwrap_or(text).strip_prefix("Patient/")?)
            },
        );
        self.close(object);
        chart
    }

    /// Who granted, if that is said.
    fn granter(&mut self, root: &mut Object<'_>, chart: &Option<Bytes32>, site: &Site) -> Option<Granter> {
        if !root.has("performer") {
            return None;
        }
        let performer = self.only(root, "performer")?;
        if matches!(performer.json, Json::Object(properties) if properties.contains_key("reference")) {
            let found = self.patient(&performer, site)?;
            if chart.is_some_and(|chart| chart != found) {
                self.issue(Code::Value, &performer.path, "this is another chart's patient");
            }
            return Some(Granter::Controller);
        }
        let (resource_type, account) = self.logical(&performer, system::URI, |text| account(site.chain_id, text))?;
        if resource_type != "RelatedPerson" {
            self.issue(
                Code::Value,
                &performer.path,
                "who grants in the controller's place is a RelatedPerson",
            );
        }
        Some(Granter::Delegate(account))
    }

    /// The grantee of an actor.
    fn actor(&mut self, node: &Node<'_>, site: &Site) -> Option<Party> {
        let mut object = self.object(node)?;
        let role = self.required(&mut object, "role");
        self.fixed_concept(role, system::PARTICIPATION, RECIPIENT);
        let reference = self.required(&mut object, "reference");
        self.close(object);
        let reference = reference?;
        let (resource_type, account) = self.logical(&reference, system::URI, |text| account(site.chain_id, text))?;
        let kind = super::super::facts::Kind::of_resource_type(resource_type);
        if kind.is_none() {
            let says = "a grantee is an Organization, a Practitioner or a Device";
            self.issue(Code::Value, &format!("{}.type", reference.path), says);
        }
        Some(Party { account, kind: kind? })
    }

    /// The record of a provision's data.
    fn record(&mut self, node: &Node<'_>, chart: &Bytes32) -> Option<Bytes32> {
        let mut object = self.object(node)?;
        self.fixed(&mut object, "meaning", "instance");
        let reference = self.required(&mut object, "reference");
        self.close(object);
        let reference = reference?;
        let (resource_type, record_id) = self.logical(&reference, system::RECORD, |text| {
            let (of, record_id) = text.split_once('.')?;
            bytes32(of).filter(|of| of == chart)?;
            bytes32(record_id)
        })?;
        if resource_type != "DocumentReference" {
            self.issue(
                Code::Value,
                &format!("{}.type", reference.path),
                "a record is a DocumentReference",
            );
        }
        Some(record_id)
    }

    /// Type and value of a logical reference.
    fn logical<'a, T>(
        &mut self,
        node: &Node<'a>,
        system: &str,
        value: impl FnOnce(&str) -> Option<T>,
    ) -> Option<(&'a str, T)> {
        let mut object = self.object(node)?;
        let resource_type = self.required_text(&mut object, "type");
        let identifier = self.required(&mut object, "identifier");
        self.close(object);
        let mut identifier = self.object(&identifier?)?;
        self.fixed(&mut identifier, "system", system);
        let value = self.parsed(
            &mut identifier,
            "value",
            "this names nothing of this chart or chain",
            value,
        );
        self.close(identifier);
        Some((resource_type?, value?))
    }

    /// `not_before` and `expiry`, 0 where that side is open.
    fn period(&mut self, provision: &mut Object<'_>) -> (Option<u64>, Option<u64>) {
        let Some(period) = provision.take("period") else {
            return (Some(0), Some(0));
        };
        let Some(mut period) = self.object(&period) else {
            return (None, None);
        };
        if period.is_empty() {
            self.issue(Code::Structure, &period.path, "a period has a start or an end");
        }
        let start = self.period_end(&mut period, "start");
        let end = self.period_end(&mut period, "end");
        self.close(period);
        // The last second that is in it, and the first that is not.
        let expiry = end.map(|end| end.map_or(0, |end| end.saturating_add(1)));
        (start.map(|start| start.unwrap_or(0)), expiry)
    }

    /// `None`: not a time. `Some(None)`: open.
    fn period_end(&mut self, period: &mut Object<'_>, name: &str) -> Option<Option<u64>> {
        if let Some(late) = period.take(&format!("_{name}")) {
            let mut late = self.object(&late)?;
            let extension = self.only(&mut late, "extension")?;
            let mut extension = self.object(&extension)?;
            self.fixed(&mut extension, "url", system::EXTENSION_SECONDS);
            let says = "this is for seconds that a dateTime cannot say";
            let seconds = self.parsed(&mut extension, "valueString", says, |text| {
                decimal(text).filter(|seconds| (time::SECONDS_MOST + 1..u64::MAX).contains(seconds))
            });
            self.close(extension);
            self.close(late);
            if period.has(name) {
                self.issue(
                    Code::Extension,
                    &period.path,
                    "either a dateTime or the extension in its place",
                );
            }
            return Some(Some(seconds?));
        }
        let Some(node) = period.take(name) else {
            return Some(None);
        };
        let text = self.text(&node)?;
        let seconds = seconds(text);
        if seconds.is_none() {
            let says = "give the time to the second, with its time zone: a grant begins and ends in one";
            self.issue(Code::Value, &node.path, says);
        }
        Some(Some(seconds?))
    }

    /// The bits of a list of codes, none of them twice.
    fn bits<'a, T: Copy + Default + PartialEq + std::ops::BitOr<Output = T> + std::ops::BitAnd<Output = T>>(
        &mut self,
        list: Option<Node<'a>>,
        code: impl Fn(&mut Self, &Node<'a>) -> Option<(&'a str, &'a str)>,
        bit: impl Fn(&str, &str) -> Option<T>,
    ) -> Option<T> {
        let mut bits = T::default();
        let items = self.items(list);
        let mut is_whole = !items.is_empty();
        for item in items {
            let Some((system, code)) = code(self, &item) else {
                is_whole = false;
                continue;
            };
            match bit(system, code) {
                Some(bit) if bits & bit == T::default() => bits = bits | bit,
                Some(_) => self.issue(Code::Value, &item.path, "this is here twice"),
                None => {
                    is_whole = false;
                    self.issue(
                        Code::CodeInvalid,
                        &item.path,
                        "a grant cannot say this code; see docs/fhir.md for those it can",
                    );
                }
            }
        }
        is_whole.then_some(bits)
    }

    /// A required text that `parse` understands.
    pub(super) fn parsed<T>(
        &mut self,
        object: &mut Object<'_>,
        name: &str,
        says: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let node = self.required(object, name)?;
        let parsed = parse(self.text(&node)?);
        if parsed.is_none() {
            self.issue(Code::Value, &node.path, says);
        }
        parsed
    }

    /// A required part of a complex extension.
    pub(super) fn part<T>(
        &mut self,
        parts: &std::collections::BTreeMap<&'static str, (&str, String)>,
        name: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let Some((text, path)) = parts.get(name) else {
            self.issue(
                Code::Required,
                "Consent.extension",
                &format!("its part {name} is missing"),
            );
            return None;
        };
        let parsed = parse(text);
        if parsed.is_none() {
            self.issue(Code::Value, path, "this part has another form");
        }
        parsed
    }
}

fn seconds(text: &str) -> Option<u64> {
    time::parse(text)?.seconds()
}
