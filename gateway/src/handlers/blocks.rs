//! Blocks in.
use axum::{Json, body::Body, extract::State};
use medlock_api::{Problem, Uploaded, schema::Binary};

use crate::{extract::Caller, limits::Limit, problem::Result, state::Gateway};

/// Stores the blocks of a CAR v1 stream, each checked against its CID. They are on disk when this answers.
#[utoipa::path(post, path = "/v1/blocks", tag = "blocks", security(("session" = [])),
    request_body(content = Binary, content_type = "application/vnd.ipld.car"),
    responses((status = 200, body = Uploaded), (status = 401, body = Problem, content_type = "application/problem+json"), (status = 413, body = Problem, content_type = "application/problem+json"), (status = 422, body = Problem, content_type = "application/problem+json"), (status = 429, body = Problem, content_type = "application/problem+json")))]
pub async fn upload(State(gateway): State<Gateway>, caller: Caller, body: Body) -> Result<Json<Uploaded>> {
    let within_quota = |bytes| {
        gateway
            .limits
            .take(caller.account, Limit::UploadBytes, bytes, gateway.now())
    };
    crate::blocks::upload(&gateway.store, body, within_quota)
        .await
        .map(Json)
}
