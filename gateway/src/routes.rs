//! All routes, their limits, and the OpenAPI document that is made from them.
use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use alloy::primitives::FixedBytes;
use anyhow::anyhow;
use axum::{
    Router,
    extract::{DefaultBodyLimit, MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use medlock_api::Kind;
use tokio::{sync::Semaphore, time::timeout};
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
    app::{self, App},
    docs, etag,
    extract::JSON_BYTES_MOST,
    fhir,
    handlers::{
        self, blocks, charts, claims, decisions, emergency, erasure, memberships, reads, relay, service, sessions,
        supply, trials,
    },
    metrics::{self, Metrics},
    problem::Failure,
    state::{Gateway, random},
    verdict::QUESTIONS_BYTES_MOST,
};

/// Requests at work at once; more are turned away at the door rather than queued without end. Well above what can come
/// without a session and send its body slowly: the bucket of `limits.rs`, for the time-out of a JSON body.
const AT_ONCE_MOST: usize = 1024;
/// Served even where all others are turned away: whoever watches a gateway must not take a full one for a dead one.
const ALWAYS: [&str; 2] = ["/health", "/ready"];
/// From the last byte of the head to the first byte of the answer. Uploads have time-outs of their own.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// Names a request in the log, and to whoever asks about it.
const REQUEST_ID: HeaderName = HeaderName::from_static("medlock-request-id");

fn api() -> OpenApiRouter<Gateway> {
    let questions = OpenApiRouter::new()
        .routes(routes!(decisions::decide))
        .layer(DefaultBodyLimit::max(QUESTIONS_BYTES_MOST));
    let timed = OpenApiRouter::with_openapi(Root::openapi())
        .routes(routes!(service::health)) //          GET    /health
        .routes(routes!(service::ready)) //           GET    /ready
        .routes(routes!(service::deployment)) //      GET    /v1/deployment
        .routes(routes!(service::status)) //          GET    /v1/status
        .routes(routes!(service::party)) //           GET    /v1/parties/{account}
        .routes(routes!(sessions::challenge)) //      POST   /v1/sessions/challenge
        .routes(routes!(sessions::open, sessions::close)) // POST, DELETE /v1/sessions
        .routes(routes!(sessions::close_all)) //      DELETE /v1/sessions/all
        .routes(routes!(charts::charts)) //           GET    /v1/charts
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
        .routes(routes!(erasure::erasure, erasure::erase)) // GET, POST /v1/charts/{chart}/records/{record}/erasure
        .routes(routes!(memberships::memberships)) // GET    /v1/memberships
        .routes(routes!(memberships::keys, memberships::keep, memberships::remove)) // GET, PUT, DELETE /v1/memberships/{account}/keys
        .routes(routes!(emergency::kit, emergency::put_kit, emergency::delete_kit)) // GET, PUT, DELETE /v1/charts/{chart}/emergency
        .routes(routes!(emergency::shares)) //        GET    /v1/charts/{chart}/emergency/shares
        .routes(routes!(emergency::release)) //       PUT    /v1/charts/{chart}/emergency/shares/{party}
        .routes(routes!(emergency::emergencies)) //   GET    /v1/charts/{chart}/emergencies
        .routes(routes!(emergency::custody)) //       GET    /v1/custody
        .routes(routes!(claims::claims)) //           GET    /v1/claims
        .routes(routes!(claims::facts)) //            GET    /v1/claims/facts
        .routes(routes!(claims::claim)) //            GET    /v1/claims/{claim}
        .routes(routes!(claims::document)) //         GET    /v1/claims/{claim}/documents/{document}
        .routes(routes!(claims::insurer)) //          GET    /v1/insurers/{account}
        .routes(routes!(supply::shipments)) //        GET    /v1/supply/shipments
        .routes(routes!(supply::units)) //            GET    /v1/supply/units
        .routes(routes!(supply::recalls)) //          GET    /v1/supply/recalls
        .routes(routes!(supply::chain_of_custody)) // GET    /v1/supply/batches/{batch}/custody/{package}
        .routes(routes!(trials::trials)) //           GET    /v1/trials
        .routes(routes!(trials::trial)) //            GET    /v1/trials/{trial}
        .routes(routes!(trials::sites)) //            GET    /v1/trials/{trial}/sites
        .routes(routes!(trials::batches)) //          GET    /v1/trials/{trial}/batches
        .routes(routes!(blocks::missing)) //          POST   /v1/blocks/missing
        .merge(questions) //                          POST   /v1/decisions
        .routes(routes!(relay::submit, relay::all)) // POST, GET /v1/relay/operations
        .routes(routes!(relay::one)) //               GET    /v1/relay/operations/{id}
        .routes(routes!(handlers::fhir::metadata)) // GET    /fhir/metadata
        .routes(routes!(handlers::fhir::search, handlers::fhir::create)) // GET, POST /fhir/{type}
        .routes(routes!(handlers::fhir::search_by_form)) // POST /fhir/{type}/_search
        .routes(routes!(handlers::fhir::read)) //     GET    /fhir/{type}/{id}
        .layer(middleware::from_fn_with_state(REQUEST_TIMEOUT, in_time));
    timed.routes(routes!(blocks::upload)) //          POST   /v1/blocks
}

/// The routes, ready to serve.
pub fn router(gateway: Gateway, app: Option<App>) -> Router {
    let (router, document) = api().split_for_parts();
    let document = json(&etag::documented(document));
    let metrics = gateway.metrics.clone();
    let router = router
        .route(
            "/openapi.json",
            get(async || ([(header::CONTENT_TYPE, "application/json")], document)),
        )
        .merge(docs::router())
        .merge(app::router(app))
        .fallback(async || Failure::from(Kind::NoRoute))
        .method_not_allowed_fallback(async || Failure::from(Kind::NoRoute))
        .layer(DefaultBodyLimit::max(JSON_BYTES_MOST))
        .layer(middleware::from_fn(etag::tagged))
        .with_state(gateway);
    guarded(router, Semaphore::new(AT_ONCE_MOST), metrics)
}

/// With a door that lets in as many at once as `places` has.
fn guarded(router: Router, places: Semaphore, metrics: Arc<Metrics>) -> Router {
    let door = (Arc::new(places), metrics.clone());
    router
        .layer(middleware::from_fn_with_state(door, at_once))
        .layer(middleware::from_fn(fhir::answered))
        .layer(middleware::from_fn_with_state(metrics, metrics::measured))
        .layer(middleware::from_fn(traced))
}

/// The OpenAPI 3.1 document, pretty-printed. `gateway/openapi.json` is its snapshot.
pub fn openapi_json() -> String {
    json(&etag::documented(api().into_openapi()))
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
        (name = "memberships", description = "Organisations, their members, and the organisations' keys sealed to them"),
        (name = "emergency", description = "Broken glass: kits of sealed keys, and what custodians release of them"),
        (name = "claims", description = "Claims of providers at insurers: their steps, and the documents of their parties"),
        (name = "supply", description = "Drugs: what is offered, held and recalled, and how it came there"),
        (name = "trials", description = "Clinical trials: plans, sites, data and results, for whoever checks a published one"),
        (name = "blocks", description = "Content-addressed blocks in"),
        (name = "decisions", description = "Signed answers without data"),
        (name = "relay", description = "Operations that an account has signed, submitted and paid for by the gateway"),
        (name = "fhir", description = "Consent, DocumentReference, AuditEvent, Provenance and Patient as FHIR R4 resources; every error is an OperationOutcome")
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
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // Pages have their own.
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'",
        ),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

async fn at_once(
    State((places, metrics)): State<(Arc<Semaphore>, Arc<Metrics>)>,
    request: Request,
    next: Next,
) -> Response {
    if ALWAYS.contains(&request.uri().path()) {
        return next.run(request).await;
    }
    match places.try_acquire() {
        Ok(_place) => next.run(request).await,
        Err(_) => {
            metrics.full.fetch_add(1, Relaxed);
            Failure::from(Kind::Busy).into_response()
        }
    }
}

async fn in_time(State(most): State<Duration>, request: Request, next: Next) -> Response {
    match timeout(most, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Failure::caused(Kind::Busy, anyhow!("not done after {most:?}")).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::StatusCode;

    async fn serve(router: Router) -> String {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(axum::serve(listener, router).into_future());
        format!("http://{address}")
    }

    async fn status(url: &str, path: &str) -> (StatusCode, bool) {
        let answer = reqwest::get(format!("{url}{path}")).await.unwrap();
        (answer.status(), answer.headers().contains_key(header::RETRY_AFTER))
    }

    #[tokio::test]
    async fn a_full_gateway_says_so_and_still_answers_about_its_health() {
        let metrics = Arc::<Metrics>::default();
        let mut router = Router::new();
        for path in ["/health", "/ready", "/v1/grants"] {
            router = router.route(path, get(async || "ok"));
        }
        let url = serve(guarded(router, Semaphore::new(0), metrics.clone())).await;
        assert_eq!(status(&url, "/health").await, (StatusCode::OK, false));
        assert_eq!(status(&url, "/ready").await, (StatusCode::OK, false));
        assert_eq!(
            status(&url, "/v1/grants").await,
            (StatusCode::SERVICE_UNAVAILABLE, true)
        );
        assert_eq!(metrics.full.load(Relaxed), 1);
    }

    #[tokio::test]
    async fn a_gateway_that_does_not_get_done_blames_itself() {
        let router = Router::new()
            .route("/v1/grants", get(std::future::pending::<()>))
            .layer(middleware::from_fn_with_state(Duration::from_millis(10), in_time));
        let url = serve(guarded(router, Semaphore::new(1), Arc::default())).await;
        assert_eq!(
            status(&url, "/v1/grants").await,
            (StatusCode::SERVICE_UNAVAILABLE, true)
        );
    }
}
