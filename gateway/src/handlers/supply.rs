//! The supply ledger: what is offered, held and recalled. All of it stands on chain for everybody; no patient does.
use axum::{Json, extract::State};
use medlock_abi::terms::{decommission, recall, shipment};
use medlock_api::{
    Kind, Problem,
    schema::{Hex20, Hex32},
    supply::{ChainOfCustody, CustodyStep, Recall, Recalls, Shipment, Shipments, ShippedUnit, Unit, Units},
};
use medlock_indexer::{self as indexer, ShipmentsOf};

use super::{charts::next, given, name};
use crate::{
    extract::{Caller, PackagePath, PageQuery, Path, Query, ShipmentsQuery, Side, page, page_limit},
    problem::{Failure, Result},
    state::Gateway,
};

/// Shipments from or to the caller, or the organisation that they act for, in the order in which they were offered. `open`: those alone that nobody has closed.
#[utoipa::path(get, path = "/v1/supply/shipments", tag = "supply", security(("session" = [])),
    params(("as" = inline(Side), Query,), ("open" = Option<bool>, Query,), ("after" = Option<String>, Query,), ("limit" = Option<u32>, Query,), ("medlock-organisation" = Option<Hex20>, Header,)),
    responses((status = 200, body = Shipments), (status = "4XX", body = Problem, content_type = "application/problem+json"), (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub async fn shipments(
    State(gateway): State<Gateway>,
    caller: Caller,
    Query(query): Query<ShipmentsQuery>,
) -> Result<Json<Shipments>> {
    let page = page(query.after.as_deref(), query.limit)?;
    let (block, acting) = (gateway.latest().await?, caller.acting());
    gateway.require_member(&block, acting).await?;
    let of = match query.side {
        Side::Sender => ShipmentsOf::Sender(acting.grantee()),
        Side::Receiver => ShipmentsOf::Receiver(acting.grantee()),
    };
    let mut index = gateway.index_at(&block).await?;
    let found = index.shipments(of, query.open.unwrap_or(false), page).await?;
    let next = next(&found, page.limit, |shipment| shipment.position.to_string());
    let mut shipments = Vec::with_capacity(found.len());
    for shipment in found {
        let units = index.shipment_units(shipment.shipment).await?;
        shipments.push(shipment_body(&shipment, &units));
    }
    Ok(Json(Shipments { shipments, next }))
}

/// What the caller, or the organisation that they act for, holds, by batch and unit.
#[utoipa::path(get, path = "/v1/supply/units", tag = "supply", security(("session" = [])),
    params(("after" = Option<String>, Query,), ("limit" = Option<u32>, Query,), ("medlock-organisation" = Option<Hex20>, Header,)),
    responses((status = 200, body = Units), (status = "4XX", body = Problem, content_type = "application/problem+json"), (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub async fn units(
    State(gateway): State<Gateway>,
    caller: Caller,
    Query(query): Query<PageQuery>,
) -> Result<Json<Units>> {
    let after = query.after.as_deref().map(place).transpose()?;
    let (block, acting) = (gateway.latest().await?, caller.acting());
    gateway.require_member(&block, acting).await?;
    let mut index = gateway.index_at(&block).await?;
    let (units, more) = index.units_of(acting.grantee(), after, page_limit(query.limit)).await?;
    let body = |unit: indexer::Unit| Unit {
        batch: unit.batch,
        unit: unit.unit,
        to: unit.to,
        shipment: (unit.shipment != 0).then(|| unit.shipment.to_string()),
        decommissioned: (unit.decommissioned != 0).then(|| name(&decommission::ALL, unit.decommissioned)),
    };
    Ok(Json(Units {
        units: units.into_iter().map(body).collect(),
        next: more.map(|(batch, unit)| format!("{batch}-{unit}")),
    }))
}

/// All recalls there are, in the order in which they were issued. Patients' clients read on from the last that they have seen: no gateway learns which
/// packages somebody has.
#[utoipa::path(get, path = "/v1/supply/recalls", tag = "supply", security(("session" = [])),
    params(("after" = Option<String>, Query,), ("limit" = Option<u32>, Query,)),
    responses((status = 200, body = Recalls), (status = "4XX", body = Problem, content_type = "application/problem+json"), (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub async fn recalls(
    State(gateway): State<Gateway>,
    _caller: Caller,
    Query(query): Query<PageQuery>,
) -> Result<Json<Recalls>> {
    let page = page(query.after.as_deref(), query.limit)?;
    let mut index = gateway.index_at(&gateway.latest().await?).await?;
    let found = index.recalls(page).await?;
    Ok(Json(Recalls {
        next: found.last().map(|last| last.position.to_string()),
        recalls: found.into_iter().map(recall_body).collect(),
    }))
}

/// How the unit with this package of a batch came to who holds it: the last step first, back to the maker.
#[utoipa::path(get, path = "/v1/supply/batches/{batch}/custody/{package}", tag = "supply", security(("session" = [])),
    params(("batch" = Hex32, Path,), ("package" = u32, Path,)),
    responses((status = 200, body = ChainOfCustody), (status = "4XX", body = Problem, content_type = "application/problem+json"), (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub async fn chain_of_custody(
    State(gateway): State<Gateway>,
    _caller: Caller,
    Path(PackagePath { batch, package }): Path<PackagePath>,
) -> Result<Json<ChainOfCustody>> {
    let mut index = gateway.index_at(&gateway.latest().await?).await?;
    let unit = index.unit_with(batch, package).await?;
    let unit = unit.ok_or_else(|| Failure::from(Kind::ForbiddenOrUnknown))?;
    let steps = index.custody(batch, unit.step).await?.into_iter();
    let body = |step: indexer::CustodyStep| CustodyStep {
        step: step.step,
        holder: step.holder,
        shipment: step.shipment,
        at: step.closing.map_or(step.offered_at, |closing| closing.at),
        document: given(step.document),
    };
    Ok(Json(ChainOfCustody {
        unit: unit.unit,
        steps: steps.map(body).collect(),
    }))
}

fn shipment_body(offered: &indexer::Shipment, units: &[indexer::UnitOffer]) -> Shipment {
    let units = units.iter().map(|unit| ShippedUnit {
        batch: unit.batch,
        unit: unit.unit,
    });
    Shipment {
        shipment: offered.shipment,
        sender: offered.sender,
        receiver: offered.receiver,
        kind: name(&shipment::KINDS, offered.kind),
        state: name(&shipment::STATES, offered.state()),
        offered_at: offered.offered_at,
        closed_at: offered.closing.as_ref().map(|closing| closing.at),
        document: given(offered.document),
        units: units.collect(),
    }
}

fn recall_body(issued: indexer::Recall) -> Recall {
    Recall {
        batch: issued.batch,
        maker: issued.maker,
        gtin: format!("{:014}", issued.gtin),
        number: issued.number,
        from: issued.from,
        to: issued.to,
        class: name(&recall::CLASSES, issued.class),
        reason: name(&recall::REASONS, issued.reason_code),
        issued_by: issued.issued_by,
        at: issued.at,
    }
}

/// A cursor of [`units`].
fn place(text: &str) -> Result<indexer::UnitPlace> {
    let parsed = text
        .split_once('-')
        .and_then(|(batch, unit)| Some((batch.parse().ok()?, unit.parse().ok()?)));
    parsed.ok_or_else(|| Failure::bad_request("after", "not a cursor that a page gave as next"))
}
