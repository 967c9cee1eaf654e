//! HTTP and WebSocket on one port.
//!
//! Executing is synchronous and may take long, so every message is handled on a blocking thread; how many at once is
//! bounded. Web pages may talk to this chain only from the same machine or as a wallet extension: anything else in a
//! browser is refused, because the development accounts sign for whoever asks.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use alloy::primitives::B128;
use alloy::rpc::types::Filter;
use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, any};
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::sync::{Semaphore, watch};

use super::filters::{EVENTS_PER_POLL_MAX, Wanted, check, event_logs};
use super::{BODY_BYTES_MAX, Node, Params, RpcError, answer, dispatch, handle, types};
use crate::chain::{Event, random};

/// Messages being executed at a time, over all connections. More wait.
pub const REQUESTS_AT_A_TIME_MAX: usize = 64;
/// WebSocket connections at a time.
pub const WEBSOCKETS_MAX: usize = 256;
/// Subscriptions of one connection.
pub const SUBSCRIPTIONS_MAX: usize = 64;
/// A client that does not take a message for so long is disconnected.
pub const SEND_TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Clone)]
struct Shared {
    node: Arc<Node>,
    requests: Arc<Semaphore>,
    websockets: Arc<Semaphore>,
    /// Turns true (or closes) when the server stops.
    stop: watch::Receiver<bool>,
}

/// The routes: everything is at `/`; `/ws` is there for those who expect it.
pub fn router(node: Arc<Node>, stop: watch::Receiver<bool>) -> Router {
    let shared = Shared {
        node,
        requests: Arc::new(Semaphore::new(REQUESTS_AT_A_TIME_MAX)),
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

async fn post(State(shared): State<Shared>, headers: HeaderMap, body: Result<Bytes, BytesRejection>) -> Response {
    let origin = match origin(&headers) {
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
    let (status, text) = match body {
        Ok(body) => match String::from_utf8(body.into()) {
            Ok(message) => (StatusCode::OK, execute(&shared, message).await),
            Err(error) => (StatusCode::OK, Some(error_text(RpcError::parse(error.utf8_error())))),
        },
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            let error = RpcError::invalid_request(format!("request body exceeds {BODY_BYTES_MAX} bytes"));
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
            Connection {
                shared,
                socket,
                subscriptions: Vec::new(),
                next_event: 0,
            }
            .run()
            .await;
            drop(permit);
        })
}

/// Waits until the server stops, or its handle is gone.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    drop(stop.wait_for(|stop| *stop).await);
}

/// One message on a blocking thread.
async fn execute(shared: &Shared, message: String) -> Option<String> {
    // The semaphore is never closed.
    let Ok(_permit) = shared.requests.acquire().await else {
        return None;
    };
    let node = shared.node.clone();
    match tokio::task::spawn_blocking(move || {
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

fn error_text(error: RpcError) -> String {
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

/// One WebSocket: requests one after another, subscriptions between them.
struct Connection {
    shared: Shared,
    socket: WebSocket,
    subscriptions: Vec<(B128, Wanted)>,
    next_event: u64,
}

/// The client is gone, or has to go.
struct Gone;

impl Connection {
    async fn run(mut self) {
        let mut news = self.shared.node.chain.news();
        let mut stop = self.shared.stop.clone();
        self.next_event = self.shared.node.chain.ledger().next_event();
        loop {
            let outcome = tokio::select! {
                message = self.socket.recv() => match message {
                    Some(Ok(Message::Text(text))) => self.request(text.to_string()).await,
                    Some(Ok(Message::Binary(bytes))) => match String::from_utf8(bytes.into()) {
                        Ok(text) => self.request(text).await,
                        Err(error) => self.send(error_text(RpcError::parse(error.utf8_error()))).await,
                    },
                    // Pongs are sent by the protocol layer.
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(()),
                    Some(Ok(Message::Close(_)) | Err(_)) | None => Err(Gone),
                },
                changed = news.changed() => match changed {
                    Ok(()) => self.announce().await,
                    Err(_) => Err(Gone),
                },
                () = stopped(&mut stop) => {
                    // Best effort: whoever does not listen will notice the closed socket.
                    let _ = self.socket.send(Message::Close(None)).await;
                    return;
                }
            };
            if outcome.is_err() {
                return;
            }
        }
    }

    async fn request(&mut self, message: String) -> Result<(), Gone> {
        // A new subscription is not told of what happened before it.
        self.announce().await?;
        let node = self.shared.node.clone();
        let mut subscriptions = std::mem::take(&mut self.subscriptions);
        let (answer, subscriptions) = {
            let Ok(_permit) = self.shared.requests.acquire().await else {
                return Err(Gone);
            };
            let handled = tokio::task::spawn_blocking(move || {
                let answer = handle(&node, &message, &mut |node, method, params| match method {
                    "eth_subscribe" => subscribe(&params, &mut subscriptions),
                    "eth_unsubscribe" => unsubscribe(&params, &mut subscriptions),
                    _ => dispatch(node, method, params),
                });
                (answer, subscriptions)
            });
            handled.await.map_err(|error| {
                tracing::error!(%error, "a request panicked; closing its connection");
                Gone
            })?
        };
        self.subscriptions = subscriptions;
        match answer {
            Some(answer) => self.send(answer).await,
            None => Ok(()),
        }
    }

    /// Tells the subscriptions of what happened since the last time.
    async fn announce(&mut self) -> Result<(), Gone> {
        loop {
            let events = self
                .shared
                .node
                .chain
                .ledger()
                .events(self.next_event, EVENTS_PER_POLL_MAX);
            let Some(events) = events else {
                tracing::warn!("a WebSocket client fell too far behind; closing its connection");
                return Err(Gone);
            };
            if events.is_empty() {
                return Ok(());
            }
            self.next_event += events.len() as u64;
            let mut messages = Vec::new();
            for event in &events {
                for (id, wanted) in &self.subscriptions {
                    match (wanted, event) {
                        (Wanted::Blocks, Event::Added(block)) => messages.push(notice(*id, &types::header(block))),
                        (Wanted::Blocks, Event::Removed(_)) | (Wanted::Pending, _) => {}
                        (Wanted::Logs(filter), event) => {
                            messages.extend(event_logs(event, filter).iter().map(|log| notice(*id, log)));
                        }
                    }
                }
            }
            for message in messages {
                self.send(message).await?;
            }
        }
    }

    async fn send(&mut self, message: String) -> Result<(), Gone> {
        match tokio::time::timeout(SEND_TIMEOUT, self.socket.send(Message::Text(message.into()))).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(Gone),
        }
    }
}

fn subscribe(params: &Params<'_>, subscriptions: &mut Vec<(B128, Wanted)>) -> Result<Box<RawValue>, RpcError> {
    let wanted = match params.get::<String>(0)?.as_str() {
        "newHeads" => Wanted::Blocks,
        "logs" => {
            let filter: Filter = params.optional(1)?.unwrap_or_default();
            check(&filter)?;
            Wanted::Logs(Box::new(filter))
        }
        "newPendingTransactions" => Wanted::Pending,
        other => {
            return Err(RpcError::invalid_params(format!(
                "no \"{}\" subscription",
                super::excerpt(other)
            )));
        }
    };
    if subscriptions.len() >= SUBSCRIPTIONS_MAX {
        return Err(RpcError::limit(format!(
            "at most {SUBSCRIPTIONS_MAX} subscriptions on one connection"
        )));
    }
    let id = B128::from_slice(&random()[..16]);
    subscriptions.push((id, wanted));
    answer(&id)
}

fn unsubscribe(params: &Params<'_>, subscriptions: &mut Vec<(B128, Wanted)>) -> Result<Box<RawValue>, RpcError> {
    let id: B128 = params.get(0)?;
    let before = subscriptions.len();
    subscriptions.retain(|(other, _)| *other != id);
    answer(&(subscriptions.len() < before))
}

fn notice<T: Serialize>(subscription: B128, result: &T) -> String {
    #[derive(Serialize)]
    struct Notice<'a, T> {
        jsonrpc: &'static str,
        method: &'static str,
        params: Inner<'a, T>,
    }
    #[derive(Serialize)]
    struct Inner<'a, T> {
        subscription: B128,
        result: &'a T,
    }
    let params = Inner { subscription, result };
    // Serializing our own types into memory does not fail.
    serde_json::to_string(&Notice {
        jsonrpc: "2.0",
        method: "eth_subscription",
        params,
    })
    .unwrap_or_default()
}
