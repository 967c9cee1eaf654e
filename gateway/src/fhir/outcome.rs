//! Failures in FHIR's words: an OperationOutcome for every problem below [`BASE`], whichever part of the gateway it comes from.
use axum::{
    body::{Body, to_bytes},
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use medlock_api::{Kind, Problem, media_type};
use medlock_fhir::facade::{Code, Outcome, to_json};
use serde_json::Value;

/// The path of the FHIR endpoint.
pub const BASE: &str = "/fhir";
pub const FHIR_JSON: &str = "application/fhir+json";
/// Problems are small.
const PROBLEM_BYTES_MOST: usize = 64 * 1024;

/// A resource as a body.
pub fn resource(status: StatusCode, resource: Value) -> Response {
    (status, [(header::CONTENT_TYPE, FHIR_JSON)], to_json(resource)).into_response()
}

/// An outcome as a body.
pub fn outcome(status: StatusCode, outcome: &Outcome) -> Response {
    resource(status, outcome.to_resource())
}

/// Layer: says every problem below [`BASE`] as an OperationOutcome. Status and headers stay.
pub async fn answered(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_fhir = path == BASE || path.strip_prefix(BASE).is_some_and(|rest| rest.starts_with('/'));
    let response = next.run(request).await;
    let is_problem =
        response.headers().get(header::CONTENT_TYPE) == Some(&HeaderValue::from_static(media_type::PROBLEM));
    if !is_fhir || !is_problem {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    // Both made here: they are read whole, and they are problems.
    let bytes = to_bytes(body, PROBLEM_BYTES_MOST).await.unwrap_or_default();
    let problem = serde_json::from_slice(&bytes).unwrap_or_else(|_| Problem::new(Kind::Internal));
    let text = to_json(of_problem(&problem).to_resource());
    parts.headers.remove(header::CONTENT_LENGTH);
    parts
        .headers
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(FHIR_JSON));
    Response::from_parts(parts, Body::from(text))
}

fn of_problem(problem: &Problem) -> Outcome {
    let code = problem.kind().map_or(Code::Exception, code);
    let mut says = problem.title.clone();
    for more in [&problem.reason, &problem.field, &problem.detail].into_iter().flatten() {
        says = format!("{says}: {more}");
    }
    Outcome::error(code, &says)
}

fn code(kind: Kind) -> Code {
    match kind {
        Kind::BadRequest | Kind::OperationInvalid | Kind::CarInvalid | Kind::ReceiptInvalid => Code::Value,
        Kind::NoRoute | Kind::NotAcceptable | Kind::RelayOff => Code::NotSupported,
        Kind::NoSession | Kind::SessionExpired | Kind::SignInRefused => Code::Login,
        Kind::ForbiddenOrUnknown | Kind::ReceiptMissing => Code::Forbidden,
        Kind::OperationRefused | Kind::IdempotencyKeyReused | Kind::ReceiptReplayed | Kind::NotShredded => {
            Code::Conflict
        }
        Kind::PayloadTooLarge => Code::TooLong,
        Kind::TooMany | Kind::RelayQuota => Code::Throttled,
        Kind::Timeout | Kind::Busy | Kind::ChainDown | Kind::IndexBehind | Kind::RelayUnfunded => Code::Transient,
        Kind::ChainMismatch
        | Kind::ProofUnavailable
        | Kind::BlockMissing
        | Kind::BlockCorrupt
        | Kind::StorageFull
        | Kind::Internal => Code::Exception,
    }
}
