//! The JSON-LD of EPCIS 2.0 (section 10), of what [`super::Step`] can say.
use serde::{Deserialize, Serialize, de::IgnoredAny};
use serde_json::{Number, Value};

use super::{
    Document, EVENTS_MOST, EpcisError, Event, Fault, Gone, Quantity, Step,
    time::{EventTime, parse_offset},
    uri::{Epc, Gln, LotClass, Party, Sscc},
};

const CONTEXT: &str = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld";
/// GS1 publishes each revision of the 2.0 context under its own path, and the newest without one.
const CONTEXT_PATH: (&str, &str) = ("https://ref.gs1.org/standards/epcis/", "epcis-context.jsonld");
const DOCUMENT: &str = "EPCISDocument";
const OBJECT: &str = "ObjectEvent";
const AGGREGATION: &str = "AggregationEvent";
const POSSESSING: &str = "possessing_party";
const SCHEMA_VERSION: &str = "2.0";

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireDocument {
    #[serde(rename = "@context")]
    context: Option<Value>,
    r#type: Option<String>,
    schema_version: Option<String>,
    creation_date: Option<String>,
    epcis_body: Option<WireBody>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireBody {
    #[serde(default)]
    event_list: Vec<WireEvent>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireEvent {
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_time_zone_offset: Option<String>,
    #[serde(skip_serializing)]
    error_declaration: Option<IgnoredAny>,
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    biz_step: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disposition: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    read_point: Option<WirePlace>,
    #[serde(rename = "parentID", skip_serializing_if = "Option::is_none")]
    parent_id: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    epc_list: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    quantity_list: Vec<WireQuantity>,
    #[serde(rename = "childEPCs", default, skip_serializing_if = "Vec::is_empty")]
    child_epcs: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    child_quantity_list: Vec<WireQuantity>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    source_list: Vec<WireSource>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    destination_list: Vec<WireDestination>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ilmd: Option<WireMasterData>,
}

#[derive(Serialize, Deserialize)]
struct WirePlace {
    id: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireQuantity {
    epc_class: String,
    quantity: Number,
}

#[derive(Serialize, Deserialize)]
struct WireSource {
    r#type: String,
    source: String,
}

#[derive(Serialize, Deserialize)]
struct WireDestination {
    r#type: String,
    destination: String,
}

#[derive(Serialize, Deserialize)]
struct WireMasterData {
    #[serde(rename = "cbvmda:itemExpirationDate", skip_serializing_if = "Option::is_none")]
    expiry: Option<String>,
}

pub(super) fn write(document: &Document) -> Result<Vec<u8>, EpcisError> {
    require_count(document.events.len())?;
    let events = document.events.iter().enumerate();
    let events: Result<_, _> = events
        .map(|(number, event)| write_event(event).map_err(|fault| EpcisError::Event { event: number, fault }))
        .collect();
    let wire = WireDocument {
        context: Some(Value::from(vec![CONTEXT])),
        r#type: Some(DOCUMENT.to_owned()),
        schema_version: Some(SCHEMA_VERSION.to_owned()),
        creation_date: Some(document.created.to_string()),
        epcis_body: Some(WireBody { event_list: events? }),
    };
    Ok(serde_json::to_vec(&wire).expect("strings, numbers and lists of them are always written"))
}

pub(super) fn read(bytes: &[u8]) -> Result<Document, EpcisError> {
    // The parser's own message could repeat a serial.
    let wire: WireDocument = serde_json::from_slice(bytes).map_err(|error| EpcisError::Malformed {
        line: error.line(),
        column: error.column(),
    })?;
    if wire.r#type.as_deref() != Some(DOCUMENT) {
        return Err(EpcisError::DocumentType);
    }
    if !wire.context.as_ref().is_some_and(is_context) {
        return Err(EpcisError::Context);
    }
    if wire.schema_version.as_deref() != Some(SCHEMA_VERSION) {
        return Err(EpcisError::SchemaVersion);
    }
    let created = wire.creation_date.as_deref().and_then(EventTime::parse);
    let created = created.ok_or(EpcisError::CreationDate)?;
    let events = wire.epcis_body.map(|body| body.event_list).unwrap_or_default();
    require_count(events.len())?;
    let events: Result<_, _> = events
        .iter()
        .enumerate()
        .map(|(number, event)| read_event(event).map_err(|fault| EpcisError::Event { event: number, fault }))
        .collect();
    Ok(Document {
        created,
        events: events?,
    })
}

fn require_count(given: usize) -> Result<(), EpcisError> {
    if given == 0 || given > EVENTS_MOST {
        return Err(EpcisError::EventCount {
            given,
            most: EVENTS_MOST,
        });
    }
    Ok(())
}

/// The context itself, or a list that has it.
fn is_context(context: &Value) -> bool {
    let (begin, end) = CONTEXT_PATH;
    match context {
        Value::String(text) => text.starts_with(begin) && text.ends_with(end),
        Value::Array(list) => list.iter().any(|one| one.is_string() && is_context(one)),
        _ => false,
    }
}

/// (type, action, business step, disposition).
type Terms = (&'static str, &'static str, &'static str, &'static str);

const fn terms(step: &Step) -> Terms {
    match step {
        Step::Commissioning { .. } => (OBJECT, "ADD", "commissioning", "active"),
        Step::Packing { .. } => (AGGREGATION, "ADD", "packing", "in_progress"),
        Step::Shipping { .. } => (OBJECT, "OBSERVE", "shipping", "in_transit"),
        Step::Receiving { .. } => (OBJECT, "OBSERVE", "receiving", "in_progress"),
        Step::Returning { .. } => (OBJECT, "OBSERVE", "shipping", "returned"),
        Step::Dispensing => (OBJECT, "OBSERVE", "dispensing", "dispensed"),
        Step::Decommissioning(Gone::Destroyed) => (OBJECT, "DELETE", "destroying", "destroyed"),
        Step::Decommissioning(Gone::Damaged) => (OBJECT, "DELETE", "decommissioning", "damaged"),
        Step::Decommissioning(Gone::Stolen) => (OBJECT, "DELETE", "decommissioning", "stolen"),
        Step::Decommissioning(Gone::Unknown) => (OBJECT, "DELETE", "decommissioning", "unknown"),
        Step::Decommissioning(Gone::NotSellable) => (OBJECT, "DELETE", "decommissioning", "non_sellable_other"),
        Step::Decommissioning(Gone::Inactive) => (OBJECT, "DELETE", "decommissioning", "inactive"),
        Step::Recalled => (OBJECT, "OBSERVE", "holding", "recalled"),
    }
}

fn write_event(event: &Event) -> Result<WireEvent, Fault> {
    require_things(event)?;
    let (kind, action, biz_step, disposition) = terms(&event.step);
    let epcs: Vec<_> = event.epcs.iter().map(Epc::to_string).collect();
    let quantities: Vec<_> = event.quantities.iter().map(write_quantity).collect();
    let mut wire = WireEvent {
        r#type: Some(kind.to_owned()),
        event_time: Some(event.time.to_string()),
        event_time_zone_offset: Some(event.time.offset()),
        action: Some(action.to_owned()),
        biz_step: Some(biz_step.to_owned()),
        disposition: Some(disposition.to_owned()),
        read_point: event.read_point.map(|gln| WirePlace { id: gln.place() }),
        ..WireEvent::default()
    };
    if kind == AGGREGATION {
        (wire.child_epcs, wire.child_quantity_list) = (epcs, quantities);
    } else {
        (wire.epc_list, wire.quantity_list) = (epcs, quantities);
    }
    match event.step {
        Step::Commissioning { expiry: Some(day) } => {
            let expiry = Some(day.to_string());
            wire.ilmd = Some(WireMasterData { expiry });
        }
        Step::Packing { into } => wire.parent_id = Some(into.uri()),
        Step::Shipping { from, to } | Step::Receiving { from, to } | Step::Returning { from, to } => {
            wire.source_list.push(WireSource {
                r#type: POSSESSING.to_owned(),
                source: from.to_string(),
            });
            wire.destination_list.push(WireDestination {
                r#type: POSSESSING.to_owned(),
                destination: to.to_string(),
            });
        }
        Step::Commissioning { expiry: None } | Step::Dispensing | Step::Decommissioning(_) | Step::Recalled => {}
    }
    Ok(wire)
}

fn write_quantity(quantity: &Quantity) -> WireQuantity {
    WireQuantity {
        epc_class: quantity.of.to_string(),
        quantity: quantity.count.into(),
    }
}

fn read_event(wire: &WireEvent) -> Result<Event, Fault> {
    if wire.error_declaration.is_some() {
        return Err(Fault::Declared);
    }
    let kind = required(&wire.r#type, "type")?;
    if kind != OBJECT && kind != AGGREGATION {
        return Err(Fault::Type);
    }
    let time = EventTime::parse(required(&wire.event_time, "eventTime")?);
    let time = time.ok_or(Fault::Time { field: "eventTime" })?;
    let offset = required(&wire.event_time_zone_offset, "eventTimeZoneOffset")?;
    let offset = parse_offset(offset).ok_or(Fault::Offset)?;
    // The zone of the place is this one, whatever zone the time is written in.
    let time = EventTime::new(time.unix_ms(), offset).ok_or(Fault::Offset)?;
    let action = required(&wire.action, "action")?;
    let biz_step = bare(required(&wire.biz_step, "bizStep")?, "BizStep-", "bizstep:");
    let disposition = bare(required(&wire.disposition, "disposition")?, "Disp-", "disp:");

    let step = read_step(wire, (kind, action, biz_step, disposition))?;
    let is_packing = matches!(step, Step::Packing { .. });
    let (epcs, quantities, epc_field, quantity_field) = if is_packing {
        (
            &wire.child_epcs,
            &wire.child_quantity_list,
            "childEPCs",
            "childQuantityList",
        )
    } else {
        (&wire.epc_list, &wire.quantity_list, "epcList", "quantityList")
    };
    let epcs = epcs.iter().map(|uri| identifier(Epc::parse(uri), epc_field));
    let quantities = quantities
        .iter()
        .map(|quantity| read_quantity(quantity, quantity_field));
    let read_point = wire.read_point.as_ref();
    let event = Event {
        time,
        step,
        epcs: epcs.collect::<Result<_, _>>()?,
        quantities: quantities.collect::<Result<_, _>>()?,
        read_point: read_point
            .map(|place| identifier(Gln::parse_place(&place.id), "readPoint"))
            .transpose()?,
    };
    require_things(&event)?;
    Ok(event)
}

fn read_step(wire: &WireEvent, given: (&str, &str, &str, &str)) -> Result<Step, Fault> {
    // As the step that needs nothing else would be; the others are looked at by their terms.
    let plain = [
        Step::Dispensing,
        Step::Recalled,
        Step::Decommissioning(Gone::Destroyed),
        Step::Decommissioning(Gone::Damaged),
        Step::Decommissioning(Gone::Stolen),
        Step::Decommissioning(Gone::Unknown),
        Step::Decommissioning(Gone::NotSellable),
        Step::Decommissioning(Gone::Inactive),
    ];
    if let Some(step) = plain.into_iter().find(|step| terms(step) == given) {
        return Ok(step);
    }
    match given {
        (OBJECT, "ADD", "commissioning", "active") => {
            let expiry = wire.ilmd.as_ref().and_then(|ilmd| ilmd.expiry.as_deref());
            let expiry = expiry.map(|text| text.parse().map_err(|_| Fault::Expiry)).transpose()?;
            Ok(Step::Commissioning { expiry })
        }
        (AGGREGATION, "ADD", "packing", "in_progress") => {
            let parent = required(&wire.parent_id, "parentID")?;
            let into = identifier(Sscc::parse_uri(parent), "parentID")?;
            Ok(Step::Packing { into })
        }
        (OBJECT, "OBSERVE", "shipping", "in_transit") => {
            let (from, to) = parties(wire)?;
            Ok(Step::Shipping { from, to })
        }
        (OBJECT, "OBSERVE", "receiving", "in_progress") => {
            let (from, to) = parties(wire)?;
            Ok(Step::Receiving { from, to })
        }
        (OBJECT, "OBSERVE", "shipping", "returned") => {
            let (from, to) = parties(wire)?;
            Ok(Step::Returning { from, to })
        }
        _ => Err(Fault::Step),
    }
}

/// The one possessing party of either list; owners and places are passed over.
fn parties(wire: &WireEvent) -> Result<(Party, Party), Fault> {
    let sources = wire.source_list.iter().map(|one| (&one.r#type, &one.source));
    let destinations = wire.destination_list.iter().map(|one| (&one.r#type, &one.destination));
    Ok((
        possessing(sources, "sourceList")?,
        possessing(destinations, "destinationList")?,
    ))
}

fn possessing<'a>(list: impl Iterator<Item = (&'a String, &'a String)>, field: &'static str) -> Result<Party, Fault> {
    let mut found = list.filter(|(kind, _)| bare(kind, "SDT-", "sdt:") == POSSESSING);
    match (found.next(), found.next()) {
        (Some((_, uri)), None) => identifier(Party::parse(uri), field),
        _ => Err(Fault::Party { field }),
    }
}

fn read_quantity(wire: &WireQuantity, field: &'static str) -> Result<Quantity, Fault> {
    let number = &wire.quantity;
    // Some write 200 as 200.0.
    let whole =
        |float: f64| (float.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&float)).then_some(float as u64);
    let count = number.as_u64().or_else(|| number.as_f64().and_then(whole));
    let count = count.and_then(|count| u32::try_from(count).ok());
    Ok(Quantity {
        of: identifier(LotClass::parse(&wire.epc_class), field)?,
        count: count.filter(|count| *count != 0).ok_or(Fault::Quantity)?,
    })
}

fn require_things(event: &Event) -> Result<(), Fault> {
    if event.epcs.is_empty() && event.quantities.is_empty() {
        return Err(Fault::NoThings);
    }
    if event.quantities.iter().any(|quantity| quantity.count == 0) {
        return Err(Fault::Quantity);
    }
    Ok(())
}

/// A term of the Core Business Vocabulary: bare, or as a URI of the second or of the first version.
fn bare<'a>(term: &'a str, web: &str, urn: &str) -> &'a str {
    let web = term
        .strip_prefix("https://ref.gs1.org/cbv/")
        .and_then(|rest| rest.strip_prefix(web));
    let urn = term
        .strip_prefix("urn:epcglobal:cbv:")
        .and_then(|rest| rest.strip_prefix(urn));
    web.or(urn).unwrap_or(term)
}

fn required<'a>(field: &'a Option<String>, name: &'static str) -> Result<&'a str, Fault> {
    field.as_deref().ok_or(Fault::Missing { field: name })
}

fn identifier<T>(parsed: Option<T>, field: &'static str) -> Result<T, Fault> {
    parsed.ok_or(Fault::Identifier { field })
}
