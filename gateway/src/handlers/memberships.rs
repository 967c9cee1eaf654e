//! Organisations and their members, and the organisations' keys sealed to them. About the session's own account.
use axum::{Json, extract::State, http::StatusCode, response::Response};
use medlock_api::{
    Memberships, Problem,
    schema::{Binary, Hex20},
};
use medlock_indexer::Page;

use crate::{
    extract::{AccountPath, Body, Caller, PageQuery, Path, Query, cursor, page_limit},
    handlers::{charts::next, dag_cbor},
    membership::PAGE_MOST,
    problem::Result,
    state::Gateway,
};

/// Who is a member of the caller, and of whom the caller is one, and whether the organisation's keys are kept here for the member.
#[utoipa::path(get, path = "/v1/memberships", tag = "memberships", security(("session" = [])),
    params(("after" = Option<String>, Query,), ("limit" = Option<u32>, Query,)),
    responses((status = 200, body = Memberships), (status = "4XX", body = Problem, content_type = "application/problem+json"), (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub async fn memberships(
    State(gateway): State<Gateway>,
    caller: Caller,
    Query(query): Query<PageQuery>,
) -> Result<Json<Memberships>> {
    let page = Page {
        after: cursor(query.after.as_deref())?,
        limit: page_limit(query.limit).min(PAGE_MOST),
    };
    let found = gateway.memberships(caller.account, page).await?;
    let next = next(&found, page.limit, |(member, _)| member.position.to_string());
    Ok(Json(Memberships {
        memberships: found.into_iter().map(|(_, membership)| membership).collect(),
        next,
    }))
}

/// The caller's keys as an organisation, sealed to the member `account` (a membership block), in the place of those before.
#[utoipa::path(put, path = "/v1/memberships/{account}/keys", operation_id = "keep_membership", tag = "memberships", security(("session" = [])),
    params(("account" = Hex20, Path, description = "The member"),),
    request_body(content = Binary, content_type = "application/vnd.ipld.dag-cbor"),
    responses((status = 204), (status = "4XX", body = Problem, content_type = "application/problem+json"), (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub async fn keep(
    State(gateway): State<Gateway>,
    caller: Caller,
    Path(AccountPath { account }): Path<AccountPath>,
    Body(block): Body,
) -> Result<StatusCode> {
    gateway.keep_membership(caller.account, account, &block).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Removes what is kept of the caller's keys for `account`, member or not.
#[utoipa::path(delete, path = "/v1/memberships/{account}/keys", operation_id = "remove_membership", tag = "memberships", security(("session" = [])),
    params(("account" = Hex20, Path, description = "Who was a member"),),
    responses((status = 204), (status = "4XX", body = Problem, content_type = "application/problem+json"), (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub async fn remove(
    State(gateway): State<Gateway>,
    caller: Caller,
    Path(AccountPath { account }): Path<AccountPath>,
) -> Result<StatusCode> {
    gateway.db.drop_membership(caller.account, account).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The keys of the organisation `account`, sealed to the caller, who is a member now.
#[utoipa::path(get, path = "/v1/memberships/{account}/keys", operation_id = "membership", tag = "memberships", security(("session" = [])),
    params(("account" = Hex20, Path, description = "The organisation"),),
    responses((status = 200, body = Binary, content_type = "application/vnd.ipld.dag-cbor"), (status = "4XX", body = Problem, content_type = "application/problem+json"), (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub async fn keys(
    State(gateway): State<Gateway>,
    caller: Caller,
    Path(AccountPath { account }): Path<AccountPath>,
) -> Result<Response> {
    gateway.membership(account, caller.account).await.map(dag_cbor)
}
