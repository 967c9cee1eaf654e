//! Envelopes and payloads, against a signed receipt; and the log of reads, to the patient.
use std::sync::atomic::Ordering::Relaxed;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderValue, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use medlock_abi::terms::reason;
use medlock_api::{
    Problem, ReadRequest, Reads, header, media_type,
    schema::{Binary, Hex20, Hex32},
};

use crate::{
    access::{Acting, Readable},
    anchor,
    extract::{self, Caller, ChartPath, PageQuery, Path, PayloadQuery, Query, VersionPath, cursor, page_limit},
    handlers::{charts::next, dag_cbor},
    problem::Result,
    state::Gateway,
};

/// The envelope of a version, once its reader's receipt is on file.
#[utoipa::path(post, path = "/v1/charts/{chart}/records/{record}/versions/{version}/reads", tag = "reads", security(("session" = [])),
    params(("chart" = Hex32, Path,), ("record" = Hex32, Path,), ("version" = u32, Path,), ("medlock-organisation" = Option<Hex20>, Header,)),
    request_body = ReadRequest,
    responses(
        (status = 200, body = Binary, content_type = "application/vnd.ipld.dag-cbor", headers(
            ("medlock-block" = u64, description = "The block at whose state the read was allowed"),
            ("medlock-block-hash" = Hex32),
            ("medlock-reason" = String, description = "Basis of access"))),
        (status = "4XX", body = Problem, content_type = "application/problem+json"), (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub async fn read(
    State(gateway): State<Gateway>,
    caller: Caller,
    Path(path): Path<VersionPath>,
    extract::Json(request): extract::Json<ReadRequest>,
) -> Result<Response> {
    let (envelope, basis) = gateway
        .read(caller.acting(), (path.chart, path.record, path.version), &request)
        .await?;
    gateway.metrics.receipts_filed.fetch_add(1, Relaxed);
    Ok((basis_headers(&basis), dag_cbor(envelope)).into_response())
}

/// The payload of a version as a CAR v1 stream, to a reader whose receipt is on file and who may still read it. With `entity-bytes=FROM:TO`
/// (both counted; `*`: the end), only the blocks that hold these bytes and those that prove where they stand.
#[utoipa::path(get, path = "/v1/charts/{chart}/records/{record}/versions/{version}/payload", tag = "reads", security(("session" = [])),
    params(("chart" = Hex32, Path,), ("record" = Hex32, Path,), ("version" = u32, Path,), ("entity-bytes" = Option<String>, Query,), ("medlock-organisation" = Option<Hex20>, Header,)),
    responses((status = 200, body = Binary, content_type = "application/vnd.ipld.car"), (status = "4XX", body = Problem, content_type = "application/problem+json"), (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub async fn payload(
    State(gateway): State<Gateway>,
    caller: Caller,
    Path(path): Path<VersionPath>,
    Query(query): Query<PayloadQuery>,
) -> Result<Response> {
    let place = (path.chart, path.record, path.version);
    let body = gateway.payload(caller.acting(), place, query.range()?).await?;
    Ok(([(CONTENT_TYPE, media_type::CAR)], body).into_response())
}

/// Who read what, when and why, through this gateway. To the controller.
#[utoipa::path(get, path = "/v1/charts/{chart}/reads", tag = "reads", security(("session" = [])),
    params(("chart" = Hex32, Path,), ("after" = Option<String>, Query,), ("limit" = Option<u32>, Query,)),
    responses((status = 200, body = Reads), (status = "4XX", body = Problem, content_type = "application/problem+json"), (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub async fn reads(
    State(gateway): State<Gateway>,
    caller: Caller,
    Path(ChartPath { chart }): Path<ChartPath>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Reads>> {
    let (after, limit) = (cursor(query.after.as_deref())?.unwrap_or(0), page_limit(query.limit));
    let own = Acting::for_itself(caller.account);
    gateway.standing(chart, own).await?.controller_only()?;
    let mut reads = gateway.db.receipts(chart, after, limit).await?;
    anchor::add(&gateway, &mut reads).await?;
    let next = next(&reads, limit, |entry| entry.sequence.to_string());
    Ok(Json(Reads { reads, next }))
}

fn basis_headers(basis: &Readable) -> HeaderMap {
    let values = [
        (header::BLOCK, basis.block.number.to_string()),
        (header::BLOCK_HASH, basis.block.hash.to_string()),
        (header::REASON, reason::text(basis.reason).to_owned()),
    ];
    // Digits, hex and slugs are valid header values.
    values
        .into_iter()
        .filter_map(|(name, value)| Some((name.parse().ok()?, HeaderValue::from_str(&value).ok()?)))
        .collect()
}
