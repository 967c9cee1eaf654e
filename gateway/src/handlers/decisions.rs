//! Signed answers without data.
use axum::{Json, extract::State};
use medlock_api::{DecisionReply, DecisionRequest, Problem};

use crate::{
    extract::{self, Caller},
    limits::Limit,
    problem::Result,
    state::Gateway,
    verdict::{QUESTIONS_BYTES_MOST, requests_more},
};

/// "May I use this, for this purpose, now or at that time?" A chart that does not exist and one without a grant to
/// the caller read the same.
#[utoipa::path(post, path = "/v1/decisions", tag = "decisions", security(("session" = [])), request_body = DecisionRequest,
    responses((status = 200, body = DecisionReply), (status = "4XX", body = Problem, content_type = "application/problem+json"), (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub async fn decide(
    State(gateway): State<Gateway>,
    caller: Caller,
    extract::Json(request): extract::Json<DecisionRequest, QUESTIONS_BYTES_MOST>,
) -> Result<Json<DecisionReply>> {
    // The session has been counted once.
    let more = requests_more(request.questions.len());
    let now = gateway.now();
    gateway.limits.take(caller.account, Limit::Requests, more, now)?;
    Ok(Json(gateway.verdicts(caller.account, &request).await?))
}
