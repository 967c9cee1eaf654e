//! Broken glass: who did it, the kit of sealed keys, and the shares that custodians release.
use axum::{
    Json,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use medlock_api::{
    Custody, Emergencies, EmergencyShares, Problem, media_type,
    schema::{Binary, Hex20, Hex32},
};

use crate::{
    extract::{Body, Caller, ChartPath, PageQuery, PartyPath, Path, Query, cursor, page, page_limit},
    problem::Result,
    state::Gateway,
};

/// The chart's emergency kit (dag-cbor); 204: there is none, so that nobody who breaks the glass gets keys. To the controller, to the
/// custodians that it names, and to whoever has broken the glass. Check the controller's signature, and its scope against the chain.
#[utoipa::path(get, path = "/v1/charts/{chart}/emergency", tag = "emergency", security(("session" = [])), operation_id = "emergency_kit",
    params(("chart" = Hex32, Path,)),
    responses((status = 200, body = Binary, content_type = "application/vnd.ipld.dag-cbor"), (status = 204), (status = "4XX", body = Problem, content_type = "application/problem+json"), (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub async fn kit(
    State(gateway): State<Gateway>,
    caller: Caller,
    Path(ChartPath { chart }): Path<ChartPath>,
) -> Result<Response> {
    Ok(match gateway.kit(caller.account, chart).await? {
        Some(kit) => ([(CONTENT_TYPE, media_type::DAG_CBOR)], kit).into_response(),
        None => StatusCode::NO_CONTENT.into_response(),
    })
}

/// Puts a kit in the place of the chart's earlier one, of which nothing stays. To the controller, who has signed it for the directory and
/// the serial of emergency access that stand; where that is not allowed yet, for the serial that allowing it gives. At most 60 KiB.
#[utoipa::path(put, path = "/v1/charts/{chart}/emergency", tag = "emergency", security(("session" = [])), operation_id = "put_emergency_kit",
    params(("chart" = Hex32, Path,)), request_body(content = Binary, content_type = "application/vnd.ipld.dag-cbor"),
    responses((status = 204), (status = "4XX", body = Problem, content_type = "application/problem+json"), (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub async fn put_kit(
    State(gateway): State<Gateway>,
    caller: Caller,
    Path(ChartPath { chart }): Path<ChartPath>,
    Body(kit): Body,
) -> Result<StatusCode> {
    gateway.put_kit(caller.account, chart, &kit).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Removes the chart's kit, with what was released of it. To the controller. May be repeated.
#[utoipa::path(delete, path = "/v1/charts/{chart}/emergency", tag = "emergency", security(("session" = [])), operation_id = "delete_emergency_kit",
    params(("chart" = Hex32, Path,)),
    responses((status = 204), (status = "4XX", body = Problem, content_type = "application/problem+json"), (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub async fn delete_kit(
    State(gateway): State<Gateway>,
    caller: Caller,
    Path(ChartPath { chart }): Path<ChartPath>,
) -> Result<StatusCode> {
    gateway.remove_kit(caller.account, chart).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The shares that custodians have sealed to the caller, who has broken the glass.
#[utoipa::path(get, path = "/v1/charts/{chart}/emergency/shares", tag = "emergency", security(("session" = [])), operation_id = "emergency_shares",
    params(("chart" = Hex32, Path,)),
    responses((status = 200, body = EmergencyShares), (status = "4XX", body = Problem, content_type = "application/problem+json"), (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub async fn shares(
    State(gateway): State<Gateway>,
    caller: Caller,
    Path(ChartPath { chart }): Path<ChartPath>,
) -> Result<Json<EmergencyShares>> {
    gateway.shares(caller.account, chart).await.map(Json)
}

/// Hands in a custodian's share of the kit that stands, sealed to the party, which has broken the glass. At most 2,048 bytes; it may be
/// repeated.
#[utoipa::path(put, path = "/v1/charts/{chart}/emergency/shares/{party}", tag = "emergency", security(("session" = [])), operation_id = "release_emergency_share",
    params(("chart" = Hex32, Path,), ("party" = Hex20, Path,)), request_body(content = Binary, content_type = "application/vnd.ipld.dag-cbor"),
    responses((status = 204), (status = "4XX", body = Problem, content_type = "application/problem+json"), (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub async fn release(
    State(gateway): State<Gateway>,
    caller: Caller,
    Path(PartyPath { chart, party }): Path<PartyPath>,
    Body(share): Body,
) -> Result<StatusCode> {
    gateway.release(caller.account, chart, party, &share).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who has broken the chart's glass, newest first: to the controller all, to anybody else their own.
#[utoipa::path(get, path = "/v1/charts/{chart}/emergencies", tag = "emergency", security(("session" = [])),
    params(("chart" = Hex32, Path,), ("after" = Option<String>, Query,), ("limit" = Option<u32>, Query,)),
    responses((status = 200, body = Emergencies), (status = "4XX", body = Problem, content_type = "application/problem+json"), (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub async fn emergencies(
    State(gateway): State<Gateway>,
    caller: Caller,
    Path(ChartPath { chart }): Path<ChartPath>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Emergencies>> {
    let (before, limit) = (cursor(query.after.as_deref())?, page_limit(query.limit));
    gateway
        .emergencies(caller.account, chart, before, limit)
        .await
        .map(Json)
}

/// The open emergencies for which the caller, a custodian, has not released its share yet.
#[utoipa::path(get, path = "/v1/custody", tag = "emergency", security(("session" = [])),
    params(("after" = Option<String>, Query,), ("limit" = Option<u32>, Query,)),
    responses((status = 200, body = Custody), (status = "4XX", body = Problem, content_type = "application/problem+json"), (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub async fn custody(
    State(gateway): State<Gateway>,
    caller: Caller,
    Query(query): Query<PageQuery>,
) -> Result<Json<Custody>> {
    let page = page(query.after.as_deref(), query.limit)?;
    gateway.custody(caller.account, page).await.map(Json)
}
