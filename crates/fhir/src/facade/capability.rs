//! CapabilityStatement: what can be done here, out of the tables that do it.

use serde_json::{Value, json};

use super::element::tidy;
use super::search::{CONTROLS, Parameter, ParameterKind, RESOURCES, Resource};
use super::{FHIR_VERSION, Site, time};

/// `version`: the gateway's. `date`: UNIX seconds, of when that version was built or started.
#[must_use]
pub fn capability_statement(site: &Site, version: &str, date: u64) -> Value {
    let controls = CONTROLS.iter().map(|(name, says)| {
        let kind = if *name == "_count" { "number" } else { "string" };
        json!({ "name": name, "type": kind, "documentation": says })
    });
    let bearer = "Sign in at the gateway (POST /v1/sessions, Sign-in with Ethereum) and send the token as Authorization: Bearer. \
         Whoever is signed in sees what the chain's decisions allow their account.";
    json!({
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": time::instant(date),
        "kind": "instance",
        "software": { "name": "Medlock gateway", "version": version },
        "implementation": {
            "description": "Consent, access log and authorship of encrypted health records, as an Arbitrum chain has them.",
            "url": site.base,
        },
        "fhirVersion": FHIR_VERSION,
        "format": ["application/fhir+json", "json"],
        "rest": [{
            "mode": "server",
            "security": { "description": bearer },
            "resource": RESOURCES.iter().map(resource).collect::<Vec<_>>(),
            "searchParam": controls.collect::<Vec<_>>(),
        }],
    })
}

fn resource(resource: &Resource) -> Value {
    let mut interactions = vec!["read"];
    if !resource.parameters.is_empty() {
        interactions.push("search-type");
    }
    if resource.create {
        interactions.push("create");
    }
    let interactions: Vec<_> = interactions.into_iter().map(|code| json!({ "code": code })).collect();
    tidy(json!({
        "type": resource.name,
        "profile": format!("http://hl7.org/fhir/StructureDefinition/{}", resource.name),
        "documentation": resource.documentation,
        "interaction": interactions,
        "versioning": "no-version",
        "readHistory": false,
        "updateCreate": false,
        "conditionalCreate": false,
        "conditionalUpdate": false,
        "referencePolicy": ["literal", "logical"],
        "searchParam": resource.parameters.iter().map(parameter).collect::<Vec<_>>(),
    }))
}

fn parameter(parameter: &Parameter) -> Value {
    let kind = match parameter.kind {
        ParameterKind::Token { .. } => "token",
        ParameterKind::Date => "date",
        ParameterKind::Literal { .. } | ParameterKind::Logical => "reference",
    };
    tidy(json!({
        "name": parameter.name,
        "definition": parameter.definition,
        "type": kind,
        "documentation": parameter.documentation,
    }))
}
