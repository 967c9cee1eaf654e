//! Provenance: who wrote a version, for whom, and which event on chain says so.

use serde_json::{Value, json};

use super::document::target;
use super::element::{
    coding, concept, did, identifier, logical, meta, party, patient, reference, tidy, version_identifier,
};
use super::facts::Version;
use super::{Site, system, time};

/// Of any version, shredded ones too: what was written by whom stays on chain.
#[must_use]
pub fn provenance(version: &Version, site: &Site) -> Value {
    let mut of = reference("DocumentReference", &version.place.to_string());
    of["identifier"] = identifier(
        system::VERSION,
        &version_identifier(&version.chart, &version.record_id, version.version),
    );
    let organisation = version.organisation.map(|account| did(site.chain_id, &account));
    let operation = match version.previous {
        None => coding(system::DATA_OPERATION, "CREATE", Some("create")),
        Some(_) => coding(system::DATA_OPERATION, "UPDATE", Some("revise")),
    };
    let event = format!("{}.{}", hex::encode(version.tx), version.place.log);
    let mut entities = vec![json!({ "role": "source", "what": { "identifier": identifier(system::EVENT, &event) } })];
    entities.extend(
        version
            .previous
            .map(|previous| json!({ "role": "revision", "what": target(&previous) })),
    );
    let author = coding(system::PROVENANCE_PARTICIPANT, "author", Some("Author"));
    let written_at = time::instant(version.created_at);
    tidy(json!({
        "resourceType": "Provenance",
        "id": version.place.to_string(),
        "meta": meta(version.created_at),
        "extension": [{ "url": system::EXTENSION_PATIENT, "valueReference": patient(&version.chart) }],
        "target": [of],
        "occurredDateTime": written_at,
        "recorded": written_at,
        "activity": concept(operation),
        "agent": [{
            "type": concept(author),
            "who": party(site, version.author),
            "onBehalfOf": organisation.map(|did| logical("Organization", system::URI, &did)),
        }],
        "entity": entities,
    }))
}
