//! EPCIS documents, tickets and what their errors say.
use medlock_drugs::{
    Ticket,
    epcis::{
        Difference, Document, EVENTS_MOST, Epc, EpcisError, Event, EventTime, Fault, Gone, Goods, LotClass, Party,
        Quantity, Step, document_digest,
    },
    ticket::{LotTickets, TicketError, verify_ticket},
};
use serde_json::{Value, json};

use alloy_primitives::B256;

use crate::{MAKER, PHARMACY, WHOLESALER, batch, day, manifest, package};

fn time(offset_minutes: i16) -> EventTime {
    EventTime::new(1_777_761_000_000, offset_minutes).unwrap()
}

fn epc(serial: &str) -> Epc {
    Epc {
        gtin: batch().gtin,
        lot: batch().lot,
        serial: serial.parse().unwrap(),
    }
}

fn event(step: Step) -> Event {
    Event {
        time: time(120),
        step,
        epcs: vec![epc("S0"), epc("S(1)")],
        quantities: vec![Quantity {
            of: LotClass {
                gtin: batch().gtin,
                lot: batch().lot,
            },
            count: 1000,
        }],
        read_point: Some("9520123456788".parse().unwrap()),
    }
}

fn account(address: alloy_primitives::Address) -> Party {
    Party::Account {
        chain_id: 412_346,
        address,
    }
}

/// One event of each kind.
pub fn document() -> Document {
    let (from, to) = (account(WHOLESALER), Party::Gln("9520123456788".parse().unwrap()));
    let into = "106141412345678908".parse().unwrap();
    let steps = [
        Step::Commissioning {
            expiry: Some(day("2027-11-30")),
        },
        Step::Commissioning { expiry: None },
        Step::Packing { into },
        Step::Shipping { from, to },
        Step::Receiving { from, to },
        Step::Returning { from: to, to: from },
        Step::Dispensing,
        Step::Decommissioning(Gone::Destroyed),
        Step::Decommissioning(Gone::Damaged),
        Step::Decommissioning(Gone::Stolen),
        Step::Decommissioning(Gone::Unknown),
        Step::Decommissioning(Gone::NotSellable),
        Step::Decommissioning(Gone::Inactive),
        Step::Recalled,
    ];
    Document {
        created: time(0),
        events: steps.map(event).into(),
    }
}

fn as_json(document: &Document) -> Value {
    serde_json::from_slice(&document.to_json().unwrap()).unwrap()
}

fn read(json: &Value) -> Result<Document, EpcisError> {
    Document::from_json(json.to_string().as_bytes())
}

#[test]
fn every_step_is_written_and_read() {
    let document = document();
    assert_eq!(Document::from_json(&document.to_json().unwrap()), Ok(document.clone()));
    assert_eq!(document.to_json(), document.clone().to_json());
}

#[test]
fn a_shipping_event_is_what_the_standard_shows() {
    let (from, to) = (account(MAKER), account(PHARMACY));
    let document = Document {
        created: time(0),
        events: vec![Event {
            epcs: vec![epc("S0")],
            ..event(Step::Shipping { from, to })
        }],
    };
    let expected = json!({
        "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-05-02T22:30:00+00:00",
        "epcisBody": {"eventList": [{
            "type": "ObjectEvent",
            "eventTime": "2026-05-03T00:30:00+02:00",
            "eventTimeZoneOffset": "+02:00",
            "action": "OBSERVE",
            "bizStep": "shipping",
            "disposition": "in_transit",
            "readPoint": {"id": "https://id.gs1.org/414/9520123456788"},
            "epcList": ["https://id.gs1.org/01/04006381333931/10/LOT%281%29%2FA/21/S0"],
            "quantityList": [{"epcClass": "https://id.gs1.org/01/04006381333931/10/LOT%281%29%2FA", "quantity": 1000}],
            "sourceList": [{
                "type": "possessing_party",
                "source": "did:pkh:eip155:412346:0xA1A1a1a1A1A1A1A1A1a1a1a1a1a1A1A1a1A1a1a1",
            }],
            "destinationList": [{
                "type": "possessing_party",
                "destination": "did:pkh:eip155:412346:0xc3c3C3C3C3C3C3C3C3C3C3C3C3c3C3C3C3C3C3C3",
            }],
        }]},
    });
    let written = as_json(&document);
    let lower = |json: &Value| json.to_string().to_lowercase();
    assert_eq!(lower(&written), lower(&expected));
}

#[test]
fn an_aggregation_names_its_parent_and_children() {
    let written = as_json(&document());
    let packing = &written["epcisBody"]["eventList"][2];
    assert_eq!(packing["type"], "AggregationEvent");
    assert_eq!(packing["parentID"], "https://id.gs1.org/00/106141412345678908");
    assert_eq!(packing["childEPCs"].as_array().unwrap().len(), 2);
    assert_eq!(
        (&packing["epcList"], &packing["quantityList"]),
        (&Value::Null, &Value::Null)
    );
    let commissioning = &written["epcisBody"]["eventList"][0];
    assert_eq!(commissioning["ilmd"]["cbvmda:itemExpirationDate"], "2027-11-30");
}

#[test]
fn what_others_write_otherwise_means_the_same() {
    let mut json = as_json(&document());
    json["@context"] = json!("https://ref.gs1.org/standards/epcis/epcis-context.jsonld");
    json["id"] = json!("https://example.org/1");
    let shipping = &mut json["epcisBody"]["eventList"][3];
    shipping["bizStep"] = json!("https://ref.gs1.org/cbv/BizStep-shipping");
    shipping["disposition"] = json!("urn:epcglobal:cbv:disp:in_transit");
    // The same moment; the zone of the place is the offset's.
    shipping["eventTime"] = json!("2026-05-02T22:30:00.000Z");
    shipping["quantityList"][0]["quantity"] = json!(1000.0);
    shipping["bizTransactionList"] = json!([{"type": "po", "bizTransaction": "urn:uuid:1"}]);
    let sources = shipping["sourceList"].as_array_mut().unwrap();
    sources.push(json!({"type": "owning_party", "source": "https://example.org/owner"}));
    assert_eq!(read(&json), Ok(document()));
}

#[test]
fn what_is_missing_or_wrong_in_an_event_is_named() {
    const SHIPPING: usize = 3;
    let missing = |field| Fault::Missing { field };
    let cases = [
        ("/type", None, missing("type")),
        ("/type", Some(json!("TransactionEvent")), Fault::Type),
        ("/eventTime", None, missing("eventTime")),
        (
            "/eventTime",
            Some(json!("2026-05-03T00:30:00")),
            Fault::Time { field: "eventTime" },
        ),
        ("/eventTimeZoneOffset", None, missing("eventTimeZoneOffset")),
        ("/eventTimeZoneOffset", Some(json!("Z")), Fault::Offset),
        ("/action", None, missing("action")),
        ("/action", Some(json!("ADD")), Fault::Step),
        ("/bizStep", None, missing("bizStep")),
        ("/bizStep", Some(json!("arriving")), Fault::Step),
        ("/disposition", None, missing("disposition")),
        (
            "/epcList/0",
            Some(json!("urn:epc:id:sgtin:0614141.107346.2018")),
            Fault::Identifier { field: "epcList" },
        ),
        (
            "/quantityList/0/epcClass",
            Some(json!("x")),
            Fault::Identifier { field: "quantityList" },
        ),
        ("/quantityList/0/quantity", Some(json!(0)), Fault::Quantity),
        ("/quantityList/0/quantity", Some(json!(-1)), Fault::Quantity),
        ("/quantityList/0/quantity", Some(json!(1.5)), Fault::Quantity),
        (
            "/quantityList/0/quantity",
            Some(json!(4_294_967_296_u64)),
            Fault::Quantity,
        ),
        (
            "/readPoint/id",
            Some(json!("https://id.gs1.org/414/9520123456789")),
            Fault::Identifier { field: "readPoint" },
        ),
        ("/sourceList", None, Fault::Party { field: "sourceList" }),
        (
            "/destinationList/0/type",
            Some(json!("location")),
            Fault::Party {
                field: "destinationList",
            },
        ),
        (
            "/sourceList/0/source",
            Some(json!("me")),
            Fault::Identifier { field: "sourceList" },
        ),
        (
            "/errorDeclaration",
            Some(json!({"reason": "incorrect_data"})),
            Fault::Declared,
        ),
    ];
    for (path, value, fault) in cases {
        let mut json = as_json(&document());
        let event = json["epcisBody"]["eventList"][SHIPPING].as_object_mut().unwrap();
        let name = &path[1..];
        match value {
            None => drop(event.remove(name).unwrap()),
            Some(value) if !name.contains('/') => drop(event.insert(name.to_owned(), value)),
            Some(value) => *json["epcisBody"]["eventList"][SHIPPING].pointer_mut(path).unwrap() = value,
        }
        assert_eq!(read(&json), Err(EpcisError::Event { event: SHIPPING, fault }), "{path}");
    }
    for (number, path, value, fault) in [
        (
            0,
            "ilmd",
            json!({"cbvmda:itemExpirationDate": "2027-11-00"}),
            Fault::Expiry,
        ),
        (2, "parentID", Value::Null, missing("parentID")),
        (
            2,
            "parentID",
            json!("https://id.gs1.org/00/106141412345678909"),
            Fault::Identifier { field: "parentID" },
        ),
        // Children belong to an aggregation.
        (2, "type", json!("ObjectEvent"), Fault::Step),
    ] {
        let mut json = as_json(&document());
        json["epcisBody"]["eventList"][number][path] = value;
        assert_eq!(read(&json), Err(EpcisError::Event { event: number, fault }), "{path}");
    }
}

#[test]
fn what_is_no_document_is_refused_by_its_reason() {
    for (field, value, error) in [
        ("type", json!("EPCISQueryDocument"), EpcisError::DocumentType),
        ("type", Value::Null, EpcisError::DocumentType),
        (
            "@context",
            json!("https://example.org/epcis-context.jsonld"),
            EpcisError::Context,
        ),
        (
            "@context",
            json!([["https://ref.gs1.org/standards/epcis/epcis-context.jsonld"]]),
            EpcisError::Context,
        ),
        ("schemaVersion", json!("1.2"), EpcisError::SchemaVersion),
        ("creationDate", json!("2026-05-03"), EpcisError::CreationDate),
        (
            "epcisBody",
            Value::Null,
            EpcisError::EventCount {
                given: 0,
                most: EVENTS_MOST,
            },
        ),
    ] {
        let mut json = as_json(&document());
        json[field] = value;
        assert_eq!(read(&json), Err(error), "{field}");
    }
    // A name that stands there twice could be read either way.
    let twice = String::from_utf8(document().to_json().unwrap()).unwrap();
    let twice = twice.replacen("\"action\"", "\"action\":\"ADD\",\"action\"", 1);
    assert!(matches!(
        Document::from_json(twice.as_bytes()),
        Err(EpcisError::Malformed { .. })
    ));
    let deep = "[".repeat(100_000);
    assert!(matches!(
        Document::from_json(deep.as_bytes()),
        Err(EpcisError::Malformed { .. })
    ));
}

#[test]
fn an_event_of_nothing_is_not_written() {
    let empty = Event {
        epcs: Vec::new(),
        quantities: Vec::new(),
        ..event(Step::Recalled)
    };
    let document = |events| Document {
        created: time(0),
        events,
    };
    let error = EpcisError::Event {
        event: 1,
        fault: Fault::NoThings,
    };
    assert_eq!(document(vec![event(Step::Recalled), empty]).to_json(), Err(error));
    let error = EpcisError::EventCount {
        given: 0,
        most: EVENTS_MOST,
    };
    assert_eq!(document(Vec::new()).to_json(), Err(error));
}

#[test]
fn a_digest_depends_on_salt_and_bytes() {
    let digest = document_digest(&[1; 32], b"a");
    assert_ne!(digest, document_digest(&[2; 32], b"a"));
    assert_ne!(digest, document_digest(&[1; 32], b"b"));
}

#[test]
fn what_a_document_tells_otherwise_than_its_event_is_named() {
    let lot = |lot: &str| LotClass {
        gtin: batch().gtin,
        lot: lot.parse().unwrap(),
    };
    let of = |step, quantities: &[(LotClass, u32)]| Event {
        quantities: quantities
            .iter()
            .map(|(of, count)| Quantity { of: *of, count: *count })
            .collect(),
        epcs: Vec::new(),
        ..event(step)
    };
    let ours = lot(batch().lot.as_str());
    let shipping = Step::Shipping {
        from: account(MAKER),
        to: account(WHOLESALER),
    };
    let differ = |events: Vec<Event>, packages: &[u64]| {
        let goods = packages.iter().map(|packages| Goods {
            maker: MAKER,
            batch: batch().id(),
            packages: *packages,
        });
        let document = Document {
            created: time(0),
            events,
        };
        document.differences(&goods.collect::<Vec<_>>())
    };
    assert_eq!(differ(vec![of(shipping, &[(ours, 3), (ours, 4)])], &[5, 2]), []);
    // The same packages, packed and shipped, with one of them by its serial.
    let mut packed = of(Step::Dispensing, &[(ours, 6)]);
    packed.epcs = vec![epc("S1")];
    assert_eq!(differ(vec![packed, of(shipping, &[(ours, 7)])], &[7]), []);
    let count = |told, packages| Difference::Count {
        batch: batch().id(),
        told,
        packages,
    };
    assert_eq!(differ(vec![of(shipping, &[(ours, 6)])], &[7]), [count(6, 7)]);
    let other = lot("OTHER");
    let unknown = Difference::OtherLot {
        gtin: other.gtin,
        lot: other.lot,
    };
    assert_eq!(differ(vec![of(shipping, &[(other, 7)])], &[7]), [unknown, count(0, 7)]);
    assert!(unknown.to_string().contains("lot OTHER"));
}

#[test]
fn a_ticket_is_of_the_package_that_was_scanned() {
    let ticket = manifest(3).ticket(1).unwrap();
    let scanned = package("S1".parse().unwrap());
    assert_eq!(ticket.check_scan(&scanned), Ok(()));
    let other = |field| Err(TicketError::OtherPackage { field });
    let mut changed = scanned;
    changed.serial = "S2".parse().unwrap();
    assert_eq!(ticket.check_scan(&changed), other("serial"));
    let mut changed = scanned;
    changed.lot = "LOT2".parse().unwrap();
    assert_eq!(ticket.check_scan(&changed), other("lot"));
    let mut changed = scanned;
    changed.gtin = "96385074".parse().unwrap();
    assert_eq!(ticket.check_scan(&changed), other("GTIN"));
    // What is printed is compared with the chain.
    let mut changed = scanned;
    changed.expiry = day("2028-11-30");
    assert_eq!(ticket.check_scan(&changed), Ok(()));
}

#[test]
fn a_ticket_is_found_among_others_by_a_scan_and_alone_without() {
    let (one, several) = (manifest(1), manifest(3));
    let scanned = |serial: &str| package(serial.parse().unwrap());
    assert_eq!(Ticket::find("", None), Err(TicketError::NotThere));
    assert_eq!(Ticket::find("\n \n", Some(&scanned("S0"))), Err(TicketError::NotThere));
    assert_eq!(Ticket::find(&one.tickets(), None), Ok(one.ticket(0).unwrap()));
    let list = several.tickets();
    assert_eq!(Ticket::find(&list, None), Err(TicketError::Several));
    assert_eq!(
        Ticket::find(&list, Some(&scanned("S1"))),
        Ok(several.ticket(1).unwrap())
    );
    assert_eq!(Ticket::find(&list, Some(&scanned("S9"))), Err(TicketError::NotThere));
    let mut other = scanned("S1");
    other.gtin = "96385074".parse().unwrap();
    assert_eq!(
        Ticket::find(&list, Some(&other)),
        Err(TicketError::NotThere),
        "same serial"
    );
    let mut other = scanned("S1");
    other.lot = "LOT2".parse().unwrap();
    assert_eq!(
        Ticket::find(&list, Some(&other)),
        Err(TicketError::NotThere),
        "same serial"
    );
    let damaged = list + "{";
    assert!(matches!(
        Ticket::find(&damaged, Some(&scanned("S1"))),
        Err(TicketError::Malformed { .. })
    ));
}

#[test]
fn all_tickets_of_a_batch_are_told_from_some_of_them() {
    let manifest = manifest(5);
    let scanned = package("S9".parse().unwrap());
    let are_all = |list: &str, root, count| {
        let lots = LotTickets::of(list, &scanned).unwrap();
        lots.iter().any(|tickets| tickets.are_all(root, count))
    };
    let (root, list) = (manifest.root(), manifest.tickets());
    assert!(are_all(&list, root, 5));
    let backwards: Vec<_> = list.lines().rev().collect();
    assert!(are_all(&backwards.join("\n"), root, 5), "in any order");
    assert!(are_all(&(list.clone() + &list), root, 5), "each twice");
    assert!(!are_all("", root, 5));
    assert!(!are_all(&backwards[1..].join("\n"), root, 5), "one is missing");
    assert!(!are_all(&list, root, 4) && !are_all(&list, root, 6));
    assert!(!are_all(&list, B256::repeat_byte(1), 5));
    // One that was changed to another serial.
    let mut forged = manifest.ticket(2).unwrap();
    forged.serial = "S8".parse().unwrap();
    let lines = list.lines().enumerate().filter(|(number, _)| *number != 2);
    let mut lines: Vec<_> = lines.map(|(_, line)| line.to_owned()).collect();
    lines.push(forged.to_json());
    assert!(!are_all(&lines.join("\n"), root, 5));
    // Of another lot there are none.
    let mut other = scanned;
    other.lot = "LOT2".parse().unwrap();
    assert_eq!(LotTickets::of(&list, &other).unwrap(), []);
}

#[test]
fn a_ticket_of_no_batch_is_not_verified() {
    let manifest = manifest(3);
    let ticket = manifest.ticket(0).unwrap();
    let verify = |ticket: &Ticket, root, count| verify_ticket(ticket, root, count, batch().expiry);
    assert_eq!(verify(&ticket, manifest.root(), 3), Ok(()));
    assert_eq!(verify(&ticket, B256::ZERO, 0), Err(TicketError::UnknownBatch));
    assert_eq!(verify(&ticket, manifest.root(), 2), Err(TicketError::NotInBatch));
    assert_eq!(verify(&ticket, B256::repeat_byte(1), 3), Err(TicketError::NotInBatch));
}
