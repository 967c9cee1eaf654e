//! DocumentReference: one version of a record, by what is known of it without its keys.

use serde_json::{Value, json};

use super::Site;
use super::element::{
    coding, concept, did, identifier, logical, meta, party, patient, record_identifier, tidy, version_identifier,
};
use super::facts::{Previous, Status, Version};
use super::{system, time};

/// What the payload's route serves: a CAR stream of encrypted blocks.
const PAYLOAD_MEDIA_TYPE: &str = "application/vnd.ipld.car";

/// `None` for a shredded record: nothing is left that a DocumentReference could point to, and R4 has no status for that
/// (answer 410 and an OperationOutcome of code `deleted`).
///
/// Type, title, date of care, size and hash of the content are encrypted with it, and are not here. `attachment.hash` would be the
/// SHA-1 of what the URL serves, which nobody has; the envelope's digest is an identifier.
#[must_use]
pub fn document_reference(version: &Version, site: &Site) -> Option<Value> {
    let status = match version.status {
        Status::Current if version.latest => "current",
        Status::Current => "superseded",
        Status::EnteredInError => "entered-in-error",
        Status::Shredded => return None,
    };
    let (chart, record_id) = (&version.chart, &version.record_id);
    let url = format!(
        "{}/v1/charts/0x{}/records/0x{}/versions/{}/payload",
        site.gateway,
        hex::encode(chart),
        hex::encode(record_id),
        version.version
    );
    let replaces = version
        .previous
        .map(|previous| json!({ "code": "replaces", "target": target(&previous) }));
    let compartment = coding(system::COMPARTMENT, &version.compartment.to_string(), None);
    let organisation = version.organisation.map(|account| did(site.chain_id, &account));
    Some(tidy(json!({
        "resourceType": "DocumentReference",
        "id": version.place.to_string(),
        "meta": meta(version.changed_at),
        "masterIdentifier": identifier(system::VERSION, &version_identifier(chart, record_id, version.version)),
        "identifier": [
            identifier(system::RECORD, &record_identifier(chart, record_id)),
            identifier(system::POINTER, &hex::encode(version.pointer)),
        ],
        "status": status,
        "subject": patient(chart),
        "date": time::instant(version.created_at),
        "author": [party(site, version.author)],
        "custodian": organisation.map(|did| logical("Organization", system::URI, &did)),
        "relatesTo": replaces.map(|replaces| [replaces]),
        "securityLabel": [concept(compartment)],
        "content": [{ "attachment": { "contentType": PAYLOAD_MEDIA_TYPE, "url": url } }],
    })))
}

/// The version before: by its envelope, and where its event is known by its resource too.
pub(super) fn target(previous: &Previous) -> Value {
    let mut target = logical("DocumentReference", system::POINTER, &hex::encode(previous.pointer));
    if let Some(place) = previous.place {
        target["reference"] = format!("DocumentReference/{place}").into();
    }
    target
}
