//! `vectors/serials.json` was made by `vectors/make.mjs`, which shares no code with the crate.
use alloy_primitives::B256;
use medlock_drugs::{
    Batch, GtinSalt, Manifest, Ticket,
    epcis::document_digest,
    serials::{batch_id, leaf, lot_digest},
    ticket::{TicketError, verify_ticket},
};
use serde::de::DeserializeOwned;
use serde_json::Value;

fn vectors(name: &str) -> Vec<Value> {
    let file: Value = serde_json::from_str(include_str!("../../vectors/serials.json")).unwrap();
    file[name].as_array().unwrap().clone()
}

fn field<T: DeserializeOwned>(of: &Value, name: &str) -> T {
    serde_json::from_value(of[name].clone()).unwrap()
}

fn salt(of: &Value) -> GtinSalt {
    let bytes: B256 = field(of, "salt");
    GtinSalt::from_slice(bytes.as_slice()).unwrap()
}

#[test]
fn serials_have_the_openings_and_leaves_of_another_implementation() {
    let vectors = vectors("serials");
    assert_eq!(vectors.len(), 30);
    for vector in vectors {
        let (gtin, serial, opening) = (
            field(&vector, "gtin"),
            field(&vector, "serial"),
            field(&vector, "opening"),
        );
        assert_eq!(salt(&vector).opening(gtin, &serial), opening, "{vector}");
        assert_eq!(
            salt(&vector).leaf(gtin, &serial),
            field::<B256>(&vector, "leaf"),
            "{vector}"
        );
        assert_eq!(leaf(gtin, &serial, opening), salt(&vector).leaf(gtin, &serial));
    }
}

#[test]
fn batches_have_the_ids_of_another_implementation() {
    for vector in vectors("batches") {
        let lot = field(&vector, "lot");
        assert_eq!(lot_digest(&lot), field::<B256>(&vector, "lotDigest"), "{vector}");
        let id = batch_id(field(&vector, "maker"), field(&vector, "gtin"), &lot);
        assert_eq!(id, field::<B256>(&vector, "batch"), "{vector}");
    }
}

#[test]
fn manifests_have_the_roots_and_tickets_of_another_implementation() {
    for vector in vectors("manifests") {
        let batch = Batch {
            maker: field(&vector, "maker"),
            gtin: field(&vector, "gtin"),
            lot: field(&vector, "lot"),
            expiry: field(&vector, "expiry"),
        };
        let manifest = Manifest::new(batch, salt(&vector), field(&vector, "serials")).unwrap();
        assert_eq!(manifest.root(), field::<B256>(&vector, "root"));
        for (ticket, index) in vector["tickets"].as_array().unwrap().iter().zip(0..) {
            let read = Ticket::from_json(ticket.to_string().as_bytes()).unwrap();
            assert_eq!(Some(&read), manifest.ticket(index).as_ref());
            assert_eq!(&serde_json::from_str::<Value>(&read.to_json()).unwrap(), ticket);
            assert_eq!(
                verify_ticket(&read, manifest.root(), manifest.count(), batch.expiry),
                Ok(())
            );
        }
    }
}

#[test]
fn forged_tickets_are_refused_for_their_reason() {
    let manifests = vectors("manifests");
    let of = manifests.last().unwrap();
    let (root, count) = (field(of, "root"), of["serials"].as_array().unwrap().len() as u32);
    for vector in vectors("forged") {
        let read = Ticket::from_json(vector["ticket"].to_string().as_bytes());
        let outcome = read.and_then(|ticket| verify_ticket(&ticket, root, count, field(of, "expiry")));
        let name = match outcome.unwrap_err() {
            TicketError::TooLarge { .. } => "TooLarge",
            TicketError::Malformed { .. } => "Malformed",
            TicketError::UnknownVersion { .. } => "UnknownVersion",
            TicketError::OtherExpiry => "OtherExpiry",
            TicketError::NotInBatch => "NotInBatch",
            error => panic!("{error}"),
        };
        assert_eq!(name, vector["error"], "{vector}");
    }
}

#[test]
fn documents_have_the_digests_of_another_implementation() {
    for vector in vectors("documents") {
        let salt: B256 = field(&vector, "salt");
        let text: String = field(&vector, "text");
        assert_eq!(
            document_digest(&salt, text.as_bytes()),
            field::<B256>(&vector, "digest")
        );
    }
}
