//! Blocks in.
use axum::{Json, body::Body, extract::State};
use medlock_api::{BlocksAsked, BlocksMissing, Problem, Uploaded, schema::Binary};

use crate::{
    blocks::PACE,
    extract::{self, Caller},
    limits::Limit,
    problem::Result,
    state::Gateway,
};

/// Stores the blocks of a CAR v1 stream, each checked against its CID. They are on disk when this answers.
#[utoipa::path(post, path = "/v1/blocks", tag = "blocks", security(("session" = [])),
    request_body(content = Binary, content_type = "application/vnd.ipld.car"),
    responses((status = 200, body = Uploaded), (status = "4XX", body = Problem, content_type = "application/problem+json"), (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub async fn upload(State(gateway): State<Gateway>, caller: Caller, body: Body) -> Result<Json<Uploaded>> {
    let _pass = gateway.uploads.enter(caller.account)?;
    crate::blocks::upload(&gateway.store, body, PACE, |bytes| charge(&gateway, &caller, bytes))
        .await
        .map(Json)
}

/// Which of these blocks are not kept: what is to be uploaded again after an upload was broken off. It counts as an upload of all of
/// them.
#[utoipa::path(post, path = "/v1/blocks/missing", tag = "blocks", security(("session" = [])), request_body = BlocksAsked,
    responses((status = 200, body = BlocksMissing), (status = "4XX", body = Problem, content_type = "application/problem+json"), (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub async fn missing(
    State(gateway): State<Gateway>,
    caller: Caller,
    extract::Json(asked): extract::Json<BlocksAsked>,
) -> Result<Json<BlocksMissing>> {
    let _pass = gateway.uploads.enter(caller.account)?;
    let charge = |bytes| charge(&gateway, &caller, bytes);
    let missing = crate::blocks::missing(&gateway.store, &asked.digests, charge).await?;
    Ok(Json(BlocksMissing { missing }))
}

fn charge(gateway: &Gateway, caller: &Caller, bytes: u64) -> Result<()> {
    let limits = &gateway.limits;
    limits.take(caller.account, Limit::UploadBytes, bytes, gateway.now())
}
