//! HTTP and WebSocket on one port.
//!
//! Executing is synchronous and may take long, so every message is handled on a blocking thread; how many at once is
//! bounded. Web pages may talk to this chain only from the same machine or as a wallet extension: anything else in a
//! browser is refused, because the development accounts sign for whoever asks.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{DefaultBodyLimit, FromRequest, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, any};
use serde::Serialize;
use tokio::sync::{Semaphore, watch};

use super::lane::Lanes;
use super::socket::Connection;
use super::{BODY_BYTES_MAX, Node, RpcError, dispatch, handle};

/// WebSocket connections at a time.
pub const WEBSOCKETS_MAX: usize = 256;
/// How long a client may take to send a request's body: a full one comes through at 175 kB/s.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Clone)]
pub struct Shared {
    pub node: Arc<Node>,
    pub lanes: Arc<Lanes>,
    websockets: Arc<Semaphore>,
    body_patience: Duration,
    /// Turns true (or closes) when the server stops.
    pub stop: watch::Receiver<bool>,
}

/// The routes: everything is at `/`; `/ws` is there for those who expect it.
pub fn router(node: Arc<Node>, body_patience: Duration, stop: watch::Receiver<bool>) -> Router {
    let shared = Shared {
        node,
        lanes: Arc::default(),
        body_patience,
        websockets: Arc::new(Semaphore::new(WEBSOCKETS_MAX)),
        stop,
    };
    let both: MethodRouter<Shared> = any(upgrade)
        .post(post)
        .options(preflight)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX));
    Router::new()
        .route("/", both.clone())
        .route("/ws", both)
        .with_state(shared)
}

async fn post(State(shared): State<Shared>, request: Request) -> Response {
    let headers = request.headers();
    let origin = match origin(headers) {
        Ok(origin) => origin,
        Err(refused) => return refused.into_response(),
    };
    // Browsers send any other type without asking first.
    let json = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if !json.is_some_and(|kind| kind.trim_start().starts_with("application/json")) {
        return (
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "content-type must be application/json\n",
        )
            .into_response();
    }
    let Ok(body) = tokio::time::timeout(shared.body_patience, Bytes::from_request(request, &())).await else {
        return (StatusCode::REQUEST_TIMEOUT, "the body took too long\n").into_response();
    };
    let (status, text) = match body {
        Ok(body) => match String::from_utf8(body.into()) {
            Ok(message) => (StatusCode::OK, execute(&shared, message).await),
            Err(error) => (StatusCode::OK, Some(error_text(RpcError::parse(error.utf8_error())))),
        },
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            let error = RpcError::invalid_request(format!(
                "request body exceeds {BODY_BYTES_MAX} bytes; a larger dump comes in by --load-state FILE"
            ));
            (StatusCode::PAYLOAD_TOO_LARGE, Some(error_text(error)))
        }
        Err(rejection) => return rejection.into_response(),
    };
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    with_origin((status, kind, text.unwrap_or_default()).into_response(), origin)
}

async fn preflight(headers: HeaderMap) -> Response {
    match origin(&headers) {
        Err(refused) => refused.into_response(),
        Ok(origin) => {
            let allow = [
                (header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST")),
                (
                    header::ACCESS_CONTROL_ALLOW_HEADERS,
                    HeaderValue::from_static("content-type"),
                ),
            ];
            with_origin((StatusCode::NO_CONTENT, allow).into_response(), origin)
        }
    }
}

async fn upgrade(
    State(shared): State<Shared>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    if let Err(refused) = origin(&headers) {
        return refused.into_response();
    }
    let Ok(upgrade) = upgrade else {
        return (
            StatusCode::METHOD_NOT_ALLOWED,
            "JSON-RPC: POST here, or open a WebSocket\n",
        )
            .into_response();
    };
    let Ok(permit) = shared.websockets.clone().try_acquire_owned() else {
        return (StatusCode::SERVICE_UNAVAILABLE, "too many WebSocket connections\n").into_response();
    };
    upgrade
        .max_message_size(BODY_BYTES_MAX)
        .max_frame_size(BODY_BYTES_MAX)
        .on_upgrade(move |socket| async move {
            Connection::new(shared, socket).run().await;
            drop(permit);
        })
}

/// One message on a blocking thread.
async fn execute(shared: &Shared, message: String) -> Option<String> {
    let place = shared.lanes.enter(&message).await;
    let node = shared.node.clone();
    match tokio::task::spawn_blocking(move || {
        let _place = place;
        handle(&node, &message, &mut |node, method, params| {
            dispatch(node, method, params)
        })
    })
    .await
    {
        Ok(answer) => answer,
        Err(error) => Some(error_text(RpcError::internal(error))),
    }
}

pub fn error_text(error: RpcError) -> String {
    #[derive(Serialize)]
    struct Failed {
        jsonrpc: &'static str,
        id: (),
        error: RpcError,
    }
    serde_json::to_string(&Failed {
        jsonrpc: "2.0",
        id: (),
        error,
    })
    .unwrap_or_default()
}

/// Who may not come in, and why.
struct Foreign(&'static str);

impl IntoResponse for Foreign {
    fn into_response(self) -> Response {
        (StatusCode::FORBIDDEN, format!("{} not allowed\n", self.0)).into_response()
    }
}

/// The request's origin if a browser sent one and it may come in; a refusal otherwise. The host is checked against
/// DNS rebinding: a foreign page's name that was made to point here.
fn origin(headers: &HeaderMap) -> Result<Option<HeaderValue>, Foreign> {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return Ok(None);
    };
    let text = origin.to_str().unwrap_or_default();
    let extension = text.starts_with("chrome-extension://") || text.starts_with("moz-extension://");
    let host = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    if !extension && !host.is_some_and(is_local) {
        return Err(Foreign("origin"));
    }
    let addressed = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or_default();
    if !is_local(addressed) {
        return Err(Foreign("host"));
    }
    Ok(Some(origin.clone()))
}

/// Whether `host[:port]` is this machine by a name that nobody else can own.
fn is_local(authority: &str) -> bool {
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host == "localhost" || host.ends_with(".localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn with_origin(mut response: Response, origin: Option<HeaderValue>) -> Response {
    if let Some(origin) = origin {
        response
            .headers_mut()
            .insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        response
            .headers_mut()
            .insert(header::VARY, HeaderValue::from_static("origin"));
    }
    response
}
