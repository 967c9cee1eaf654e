//! What is left of a shredded record. To the controller.
use axum::{Json, extract::State};
use medlock_api::{Erasure, Problem, schema::Hex32};

use crate::{
    extract::{Caller, Path, RecordPath},
    problem::Result,
    state::Gateway,
};

/// What is left of a shredded record where this gateway keeps blocks.
#[utoipa::path(get, path = "/v1/charts/{chart}/records/{record}/erasure", tag = "charts", security(("session" = [])),
    params(("chart" = Hex32, Path,), ("record" = Hex32, Path,)),
    responses((status = 200, body = Erasure), (status = "4XX", body = Problem, content_type = "application/problem+json"), (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub async fn erasure(
    State(gateway): State<Gateway>,
    caller: Caller,
    Path(RecordPath { chart, record }): Path<RecordPath>,
) -> Result<Json<Erasure>> {
    gateway.erasure(caller.account, chart, record).await.map(Json)
}

/// Removes what can go at once: the envelopes, with the sealed keys. May be repeated.
#[utoipa::path(post, path = "/v1/charts/{chart}/records/{record}/erasure", tag = "charts", security(("session" = [])),
    params(("chart" = Hex32, Path,), ("record" = Hex32, Path,)),
    responses((status = 200, body = Erasure), (status = "4XX", body = Problem, content_type = "application/problem+json"), (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub async fn erase(
    State(gateway): State<Gateway>,
    caller: Caller,
    Path(RecordPath { chart, record }): Path<RecordPath>,
) -> Result<Json<Erasure>> {
    gateway.erase(caller.account, chart, record).await.map(Json)
}
