//! Operations that an account has signed, for the gateway to submit and to pay for.
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use medlock_api::{Problem, RelayRequest, RelayedOperation, RelayedOperations, header::IDEMPOTENCY_KEY, schema::Hex32};

use crate::{
    extract::{self, Caller, OperationPath, PageQuery, Path, Query, cursor, page_limit},
    problem::{Failure, Result},
    state::Gateway,
};

/// A name of the caller's for a submission: a UUID, or a digest in hex, and some room.
const NAME_CHARS_MOST: usize = 128;

/// Takes an operation on. The contracts would do it at the latest block, or it is refused here with their error. The same operation
/// again is the same submission: it is submitted and paid once, whoever hands it in.
#[utoipa::path(post, path = "/v1/relay/operations", tag = "relay", security(("session" = [])),
    params(("idempotency-key" = Option<String>, Header, description = "The caller's own name for this submission, for a day: another operation under it is refused"),),
    request_body = RelayRequest,
    responses((status = 202, description = "Taken on", body = RelayedOperation), (status = 200, description = "Taken on before", body = RelayedOperation), (status = "4XX", body = Problem, content_type = "application/problem+json"), (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub async fn submit(
    State(gateway): State<Gateway>,
    caller: Caller,
    headers: HeaderMap,
    extract::Json(request): extract::Json<RelayRequest>,
) -> Result<(StatusCode, Json<RelayedOperation>)> {
    let name = name(&headers)?;
    let (is_new, operation) = gateway.relay(caller.account, name, &request).await?;
    let status = if is_new { StatusCode::ACCEPTED } else { StatusCode::OK };
    Ok((status, Json(operation)))
}

/// Where an operation stands, to who submitted or signed it.
#[utoipa::path(get, path = "/v1/relay/operations/{id}", tag = "relay", security(("session" = [])),
    params(("id" = Hex32, Path,)),
    responses((status = 200, body = RelayedOperation), (status = "4XX", body = Problem, content_type = "application/problem+json"), (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub async fn one(
    State(gateway): State<Gateway>,
    caller: Caller,
    Path(OperationPath { id }): Path<OperationPath>,
) -> Result<Json<RelayedOperation>> {
    Ok(Json(gateway.relayed(caller.account, id).await?))
}

/// The operations that the caller has submitted or signed, oldest first.
#[utoipa::path(get, path = "/v1/relay/operations", tag = "relay", security(("session" = [])),
    params(("after" = Option<String>, Query,), ("limit" = Option<u32>, Query,)),
    responses((status = 200, body = RelayedOperations), (status = "4XX", body = Problem, content_type = "application/problem+json"), (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub async fn all(
    State(gateway): State<Gateway>,
    caller: Caller,
    Query(query): Query<PageQuery>,
) -> Result<Json<RelayedOperations>> {
    let (after, limit) = (cursor(query.after.as_deref())?.unwrap_or(0), page_limit(query.limit));
    let (operations, last) = gateway.all_relayed(caller.account, after, limit).await?;
    let is_full = operations.len() >= limit as usize;
    let next = last.filter(|_| is_full).map(|last| last.to_string());
    Ok(Json(RelayedOperations { operations, next }))
}

pub fn name(headers: &HeaderMap) -> Result<Option<&str>> {
    let Some(value) = headers.get(IDEMPOTENCY_KEY) else {
        return Ok(None);
    };
    match value.to_str() {
        Ok(name) if !name.is_empty() && name.len() <= NAME_CHARS_MOST => Ok(Some(name)),
        _ => Err(Failure::bad_request(
            IDEMPOTENCY_KEY,
            format!("1 to {NAME_CHARS_MOST} visible characters"),
        )),
    }
}
