//! Blocks in.
use axum::{Json, body::Body, extract::State};
use medlock_api::{Problem, Uploaded, schema::Binary};

use crate::{blocks::PACE, extract::Caller, limits::Limit, problem::Result, state::Gateway};

/// Stores the blocks of a CAR v1 stream, each checked against its CID. They are on disk when this answers.
#[utoipa::path(post, path = "/v1/blocks", tag = "blocks", security(("session" = [])),
    request_body(content = Binary, content_type = "application/vnd.ipld.car"),
    responses((status = 200, body = Uploaded), (status = "4XX", body = Problem, content_type = "application/problem+json"), (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub async fn upload(State(gateway): State<Gateway>, caller: Caller, body: Body) -> Result<Json<Uploaded>> {
    let _pass = gateway.uploads.enter(caller.account)?;
    let charge = |bytes| {
        gateway
            .limits
            .take(caller.account, Limit::UploadBytes, bytes, gateway.now())
    };
    crate::blocks::upload(&gateway.store, body, PACE, charge)
        .await
        .map(Json)
}
