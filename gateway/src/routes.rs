//! All routes, their limits, and the OpenAPI document that is made from them.
use std::time::Duration;

use alloy::primitives::FixedBytes;
use axum::{
    Router,
    extract::{DefaultBodyLimit, MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use medlock_api::Kind;
use tokio::time::timeout;
use tracing::Instrument as _;
use utoipa::{
    Modify, OpenApi,
    openapi::{
        OpenApi as Document,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    extract::JSON_BYTES_MOST,
    handlers::{blocks, charts, decisions, reads, service, sessions},
    problem::Failure,
    state::{Gateway, random},
};

/// Requests at work at once; more are turned away at the door rather than queued without end.
pub const AT_ONCE_MOST: usize = 1024;
/// From the last byte of the head to the first byte of the answer. Uploads have an idle time-out of their own.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// Names a request in the log, and to whoever asks about it.
const REQUEST_ID: HeaderName = HeaderName::from_static("medlock-request-id");

fn api() -> OpenApiRouter<Gateway> {
    let timed = OpenApiRouter::with_openapi(Root::openapi())
        .routes(routes!(service::health)) //          GET    /health
        .routes(routes!(service::ready)) //           GET    /ready
        .routes(routes!(service::deployment)) //      GET    /v1/deployment
        .routes(routes!(service::status)) //          GET    /v1/status
        .routes(routes!(service::party)) //           GET    /v1/parties/{account}
        .routes(routes!(sessions::challenge)) //      POST   /v1/sessions/challenge
        .routes(routes!(sessions::open, sessions::close)) // POST, DELETE /v1/sessions
        .routes(routes!(charts::chart)) //            GET    /v1/charts/{chart}
        .routes(routes!(charts::directory)) //        GET    /v1/charts/{chart}/directory
        .routes(routes!(charts::keyring)) //          GET    /v1/charts/{chart}/keyring
        .routes(routes!(charts::grants)) //           GET    /v1/charts/{chart}/grants
        .routes(routes!(charts::my_grants)) //        GET    /v1/grants
        .routes(routes!(charts::records)) //          GET    /v1/charts/{chart}/records
        .routes(routes!(charts::versions)) //         GET    /v1/charts/{chart}/records/{record}/versions
        .routes(routes!(reads::read)) //              POST   /v1/charts/{chart}/records/{record}/versions/{version}/reads
        .routes(routes!(reads::payload)) //           GET    /v1/charts/{chart}/records/{record}/versions/{version}/payload
        .routes(routes!(reads::reads)) //             GET    /v1/charts/{chart}/reads
        .routes(routes!(decisions::decide)) //        POST   /v1/decisions
        .layer(middleware::from_fn(in_time));
    timed.routes(routes!(blocks::upload)) //          POST   /v1/blocks
}

/// The routes, ready to serve.
pub fn router(gateway: Gateway) -> Router {
    let (router, document) = api().split_for_parts();
    let document = json(&document);
    router
        .route(
            "/openapi.json",
            get(async || ([(header::CONTENT_TYPE, "application/json")], document)),
        )
        .fallback(async || Failure::from(Kind::NoRoute))
        .method_not_allowed_fallback(async || Failure::from(Kind::NoRoute))
        .layer(DefaultBodyLimit::max(JSON_BYTES_MOST))
        .layer(middleware::from_fn_with_state(gateway.clone(), at_once))
        .layer(middleware::from_fn(traced))
        .with_state(gateway)
}

/// The OpenAPI 3.1 document, pretty-printed. `gateway/openapi.json` is its snapshot.
pub fn openapi_json() -> String {
    json(&api().into_openapi())
}

fn json(document: &Document) -> String {
    // Plain structs with string keys; a test writes the document, so a failure here cannot get past it.
    document.to_pretty_json().unwrap_or_default() + "\n"
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Medlock gateway",
        description = "Health records that belong to the patient: blocks in and out, decisions, read receipts. Every error is problem+json (RFC 9457) with a stable type.",
        license(name = "MIT", identifier = "MIT")
    ),
    modifiers(&Bearer),
    tags(
        (name = "service", description = "What this gateway serves, and how it is doing"),
        (name = "sessions", description = "Sign-in with Ethereum (EIP-4361)"),
        (name = "charts", description = "Charts, directories, keyrings, grants, listings"),
        (name = "reads", description = "Envelopes and payloads, against a signed receipt"),
        (name = "blocks", description = "Content-addressed blocks in"),
        (name = "decisions", description = "Signed answers without data")
    )
)]
struct Root;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut Document) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("The token of POST /v1/sessions"))
            .build();
        document
            .components
            .get_or_insert_default()
            .add_security_scheme("session", SecurityScheme::Http(scheme));
    }
}

/// Outermost: a span with an id, and the headers that every answer carries. The span names the route's template,
/// never the path: paths say who reads whom.
async fn traced(request: Request, next: Next) -> Response {
    // An id that is not unique is a nuisance in the log and no more.
    let id = FixedBytes::<8>::from(random().unwrap_or_default());
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("", MatchedPath::as_str)
        .to_owned();
    let span = tracing::info_span!("request", %id, method = %request.method(), route);
    let mut response = next.run(request).instrument(span).await;
    let headers = response.headers_mut();
    // Hex digits are a valid header value.
    if let Ok(id) = HeaderValue::from_str(&id.to_string()) {
        headers.insert(REQUEST_ID, id);
    }
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

async fn at_once(State(gateway): State<Gateway>, request: Request, next: Next) -> Response {
    match gateway.at_once.try_acquire() {
        Ok(_permit) => next.run(request).await,
        Err(_) => Failure::from(Kind::TooMany).into_response(),
    }
}

async fn in_time(request: Request, next: Next) -> Response {
    match timeout(REQUEST_TIMEOUT, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Failure::from(Kind::Timeout).into_response(),
    }
}
