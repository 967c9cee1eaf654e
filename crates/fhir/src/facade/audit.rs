//! AuditEvent: one read, as the receipt and the gateway's log have it.
//!
//! The pattern is IHE BALP's: "Patient Read" where the controller reads, "Privacy Disclosure" at the source where anybody else
//! does. Their profiles are not claimed: they want the network address of both sides, and who reads from where is never
//! recorded.

use medlock_abi::terms::reason;
use serde_json::{Value, json};

use super::element::{coding, concept, identifier, logical, meta, party, patient, reference, tidy, version_identifier};
use super::facts::{Account, Kind, Party, Place, Read};
use super::{Site, codes, system, time};

#[must_use]
pub fn audit_event(read: &Read, site: &Site) -> Value {
    let gateway = Party {
        account: read.gateway,
        kind: Kind::Device,
    };
    let is_disclosure = read.reason != reason::CONTROLLER;
    let kind = match is_disclosure {
        true => coding(system::DICOM, "110106", Some("Export")),
        false => coding(system::AUDIT_EVENT_TYPE, "rest", Some("RESTful Operation")),
    };
    let mut subtypes = vec![coding(system::RESTFUL_INTERACTION, "read", Some("read"))];
    if is_disclosure {
        subtypes.push(coding(
            system::LIFECYCLE,
            "disclose",
            Some("Disclose Record Lifecycle Event"),
        ));
    }
    let purposes = purposes(read);
    let recipient = json!({ "coding": [
        coding(system::DICOM, "110152", Some("Destination Role ID")),
        coding(system::PARTICIPATION, "IRCP", Some("information recipient")),
    ] });
    let mut agents = vec![json!({
        "type": recipient,
        "who": party(site, read.reader),
        "requestor": true,
        "purposeOfUse": purposes,
    })];
    agents.extend(read.organisation.map(|account| organisation(site, account)));
    agents.push(json!({
        "type": concept(coding(system::DICOM, "110153", Some("Source Role ID"))),
        "who": party(site, gateway),
        "requestor": false,
        "network": { "address": site.gateway, "type": "5" },
    }));
    let mut entities = vec![subject(read), document(read), receipt(read)];
    entities.extend(read.grant_place.map(consent));
    json!({
        "resourceType": "AuditEvent",
        "id": id(read),
        "meta": meta(read.received_at),
        "type": kind,
        "subtype": subtypes,
        "action": "R",
        "period": { "start": time::instant(read.read_at), "end": time::instant(read.read_at) },
        "recorded": time::instant(read.received_at),
        "outcome": "0",
        "purposeOfEvent": purposes,
        "agent": agents,
        "source": {
            "observer": party(site, gateway),
            "type": [coding(system::AUDIT_SOURCE_TYPE, "4", Some("Application Server"))],
        },
        "entity": entities,
    })
}

/// For whom the reader acted. R4's agents have no `onBehalfOf`: an agent of its own, as IHE BALP has a user's organisation.
fn organisation(site: &Site, account: Account) -> Value {
    let organisation = Party {
        account,
        kind: Kind::Organisation,
    };
    json!({
        "type": concept(coding(system::ROLE_CLASS, "PROV", Some("healthcare provider"))),
        "who": party(site, organisation),
        "requestor": false,
    })
}

/// Unique among gateways: the account, and the place in its log. 61 characters at most, of FHIR's 64.
fn id(read: &Read) -> String {
    format!("{}.{}", hex::encode(read.gateway), read.sequence)
}

/// What the reader stated. Who broke the glass stands out: BTG beside ETREAT.
fn purposes(read: &Read) -> Vec<Value> {
    let mut purposes: Vec<_> = codes::purposes(read.purpose).into_iter().map(concept).collect();
    if read.reason == reason::EMERGENCY {
        purposes.insert(0, concept(codes::purpose(codes::BREAK_THE_GLASS)));
    }
    purposes
}

fn subject(read: &Read) -> Value {
    json!({
        "what": patient(&read.chart),
        "type": coding(system::AUDIT_ENTITY_TYPE, "1", Some("Person")),
        "role": coding(system::OBJECT_ROLE, "1", Some("Patient")),
    })
}

fn document(read: &Read) -> Value {
    let version = version_identifier(&read.chart, &read.record_id, read.version);
    let mut what = logical("DocumentReference", system::VERSION, &version);
    if let Some(place) = read.version_place {
        what["reference"] = format!("DocumentReference/{place}").into();
    }
    let label = |compartment: u8| [coding(system::COMPARTMENT, &compartment.to_string(), None)];
    tidy(json!({
        "what": what,
        "type": coding(system::AUDIT_ENTITY_TYPE, "2", Some("System Object")),
        "role": coding(system::OBJECT_ROLE, "4", Some("Domain Resource")),
        "securityLabel": read.compartment.map(label),
        "detail": [detail("pointer", &hex::encode(read.pointer))],
    }))
}

/// On what grounds: the log's entry, which holds the signed receipt, with the reason and the block of the decision.
fn receipt(read: &Read) -> Value {
    json!({
        "what": { "identifier": identifier(system::RECEIPT, &hex::encode(read.hash)) },
        "type": coding(system::AUDIT_ENTITY_TYPE, "4", Some("Other")),
        "detail": [
            detail("reason", reason::text(read.reason)),
            detail("block", &read.block.to_string()),
            detail("block-hash", &hex::encode(read.block_hash)),
        ],
    })
}

/// The grant's Consent.
fn consent(place: Place) -> Value {
    json!({
        "what": reference("Consent", &place.to_string()),
        "type": coding(system::RESOURCE_TYPES, "Consent", Some("Consent")),
    })
}

fn detail(kind: &str, value: &str) -> Value {
    json!({ "type": kind, "valueString": value })
}
