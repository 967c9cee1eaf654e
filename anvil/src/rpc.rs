//! JSON-RPC 2.0: framing, batches, limits and errors. The methods are in [`methods`].

use std::fmt::Display;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use alloy::primitives::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use crate::chain::Chain;
use crate::error::{ChainError, TxError};
use filters::Filters;

pub mod accept;
mod debug;
pub mod filters;
mod lane;
mod methods;
pub mod server;
mod socket;
pub mod types;
mod wire;

/// Bytes of one HTTP body or WebSocket message, as in go-ethereum.
pub const BODY_BYTES_MAX: usize = 5 << 20;
/// Calls in one batch, as in go-ethereum.
pub const BATCH_CALLS_MAX: usize = 1_000;
/// Bytes of the answers of one batch; calls beyond it get an error, as in go-ethereum.
pub const BATCH_RESPONSE_BYTES_MAX: usize = 25_000_000;

/// How long one message, a batch above all, may execute. It is looked at between executions, each of which ends at its
/// gas; what has not begun by then is not begun.
pub const MESSAGE_TIME_MAX: Duration = Duration::from_secs(10);

/// When a message has to be through.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Instant);

impl Deadline {
    /// For a message that is begun now.
    fn begin() -> Self {
        Self(Instant::now() + MESSAGE_TIME_MAX)
    }

    /// # Errors
    /// -32002, as in go-ethereum: the time is over.
    pub fn check(self) -> Result<(), RpcError> {
        match Instant::now() < self.0 {
            true => Ok(()),
            false => Err(RpcError {
                code: -32002,
                message: "request timed out".to_owned(),
                data: None,
            }),
        }
    }
}

/// Everything that a request needs.
#[derive(Debug)]
pub struct Node {
    pub chain: Arc<Chain>,
    pub filters: Filters,
    /// Held from choosing a nonce for an account of ours until the transaction is in the pool.
    pub nonces: Mutex<()>,
}

impl Node {
    pub fn new(chain: Arc<Chain>) -> Self {
        Self {
            chain,
            filters: Filters::default(),
            nonces: Mutex::default(),
        }
    }
}

/// A result that is serialized once, straight from its type.
pub type Answer = Result<Box<RawValue>, RpcError>;

/// A JSON-RPC error object.
#[derive(Clone, Debug, Serialize)]
pub struct RpcError {
    pub code: i64,
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Bytes>,
}

impl RpcError {
    pub fn parse(error: impl Display) -> Self {
        Self {
            code: -32700,
            message: format!("parse error: {error}"),
            data: None,
        }
    }

    pub fn invalid_request(message: impl Into<String>) -> Self {
        Self {
            code: -32600,
            message: message.into(),
            data: None,
        }
    }

    pub fn method_not_found(method: &str) -> Self {
        let message = format!("the method {} does not exist/is not available", excerpt(method));
        Self {
            code: -32601,
            message,
            data: None,
        }
    }

    pub fn invalid_params(message: impl Into<String>) -> Self {
        Self {
            code: -32602,
            message: message.into(),
            data: None,
        }
    }

    /// The request is well-formed and cannot be fulfilled.
    pub fn server(error: impl Display) -> Self {
        Self {
            code: -32000,
            message: error.to_string(),
            data: None,
        }
    }

    /// The answer would be larger than a named limit.
    pub fn limit(message: impl Into<String>) -> Self {
        Self {
            code: -32005,
            message: message.into(),
            data: None,
        }
    }

    pub fn internal(error: impl Display) -> Self {
        tracing::error!(%error, "internal error");
        Self {
            code: -32603,
            message: "internal error".to_owned(),
            data: None,
        }
    }

    /// A revert, with its data, as go-ethereum reports it.
    pub fn reverted(reason: Option<String>, data: Bytes) -> Self {
        let message = match reason {
            Some(reason) if !data.is_empty() => format!("execution reverted: {reason}"),
            _ => "execution reverted".to_owned(),
        };
        Self {
            code: 3,
            message,
            data: Some(data),
        }
    }
}

impl From<ChainError> for RpcError {
    fn from(error: ChainError) -> Self {
        match error {
            ChainError::Limit { .. }
            | ChainError::Depth { .. }
            | ChainError::Offset { .. }
            | ChainError::Interval { .. }
            | ChainError::Dump(_)
            | ChainError::TimestampBeforeHead { .. } => Self::invalid_params(error.to_string()),
            ChainError::Closed => Self::server(error),
            ChainError::Journal(_) => {
                tracing::error!(%error, "the chain could not be written");
                Self {
                    code: -32603,
                    message: error.to_string(),
                    data: None,
                }
            }
        }
    }
}

impl From<TxError> for RpcError {
    fn from(error: TxError) -> Self {
        match error {
            TxError::Internal(_) => Self::internal(error),
            TxError::Chain(error) => error.into(),
            TxError::Decode(_) => Self::invalid_params(error.to_string()),
            other => Self::server(other),
        }
    }
}

/// Serializes a result.
pub fn answer<T: Serialize + ?Sized>(value: &T) -> Answer {
    to_raw_value(value).map_err(RpcError::internal)
}

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow, default)]
    jsonrpc: Option<&'a RawValue>,
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(default)]
    method: Option<String>,
    #[serde(borrow, default)]
    params: Option<&'a RawValue>,
}

#[derive(Serialize)]
struct Response<'a> {
    jsonrpc: &'static str,
    id: &'a RawValue,
    #[serde(flatten)]
    outcome: Outcome,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Outcome {
    Result(Box<RawValue>),
    Error(RpcError),
}

/// The positional parameters of one call, and when its message has to be through.
pub struct Params<'a> {
    values: Vec<&'a RawValue>,
    pub deadline: Deadline,
}

impl Params<'_> {
    /// The parameter at `index`, which has to be there.
    pub fn get<T: DeserializeOwned>(&self, index: usize) -> Result<T, RpcError> {
        match self.values.get(index) {
            Some(raw) => parse(index, raw.get()),
            None => Err(RpcError::invalid_params(format!(
                "missing value for required argument {index}"
            ))),
        }
    }

    /// The parameter at `index`, or `None` if it is absent or null.
    pub fn optional<T: DeserializeOwned>(&self, index: usize) -> Result<Option<T>, RpcError> {
        match self.values.get(index) {
            None => Ok(None),
            Some(raw) if raw.get() == "null" => Ok(None),
            Some(raw) => parse(index, raw.get()).map(Some),
        }
    }
}

fn parse<T: DeserializeOwned>(index: usize, raw: &str) -> Result<T, RpcError> {
    serde_json::from_str(raw)
        .map_err(|error| RpcError::invalid_params(format!("invalid argument {index}: {}", excerpt(&error.to_string()))))
}

/// What handles one call: the method table, with what only a WebSocket can do in front of it.
pub type Handler<'h> = &'h mut dyn FnMut(&Node, &str, Params<'_>) -> Answer;

/// Answers one message, single or batch. `None` if there is nothing to answer (notifications).
pub fn handle(node: &Node, message: &str, handler: Handler<'_>) -> Option<String> {
    let null = RawValue::NULL;
    let deadline = Deadline::begin();
    match message.trim_start().as_bytes().first() {
        Some(b'[') => {}
        _ => return call(node, message, deadline, handler),
    }
    let calls: Vec<&RawValue> = match serde_json::from_str(message) {
        Ok(calls) => calls,
        Err(error) => return Some(respond(null, Err(RpcError::parse(error)))),
    };
    if calls.is_empty() {
        return Some(respond(null, Err(RpcError::invalid_request("empty batch"))));
    }
    if calls.len() > BATCH_CALLS_MAX {
        let error = RpcError::invalid_request(format!("batch of {} calls; at most {BATCH_CALLS_MAX}", calls.len()));
        return Some(respond(null, Err(error)));
    }
    let mut answers = String::from("[");
    for raw in calls {
        let answer = if answers.len() > BATCH_RESPONSE_BYTES_MAX {
            let id = serde_json::from_str::<Request<'_>>(raw.get())
                .ok()
                .and_then(|request| request.id);
            Some(respond(
                id.unwrap_or(null),
                Err(RpcError::limit("batch response too large")),
            ))
        } else {
            call(node, raw.get(), deadline, &mut *handler)
        };
        if let Some(answer) = answer {
            if answers.len() > 1 {
                answers.push(',');
            }
            answers.push_str(&answer);
        }
    }
    answers.push(']');
    (answers.len() > 2).then_some(answers)
}

/// The method table, for connections that cannot subscribe.
pub fn dispatch(node: &Node, method: &str, params: Params<'_>) -> Answer {
    methods::dispatch(node, method, &params)
}

fn call(node: &Node, message: &str, deadline: Deadline, handler: Handler<'_>) -> Option<String> {
    let null = RawValue::NULL;
    let request: Request<'_> = match serde_json::from_str(message) {
        Ok(request) => request,
        // Valid JSON of another shape is an invalid request; the rest does not parse at all.
        Err(error) if error.is_data() => {
            return Some(respond(
                null,
                Err(RpcError::invalid_request(excerpt(&error.to_string()))),
            ));
        }
        Err(error) => return Some(respond(null, Err(RpcError::parse(error)))),
    };
    let id = request.id.unwrap_or(null);
    let id_is_valid = matches!(id.get().as_bytes().first(), Some(b'"' | b'n' | b'-' | b'0'..=b'9'));
    let outcome = match request.method {
        _ if !id_is_valid => {
            return Some(respond(
                null,
                Err(RpcError::invalid_request("id is no string or number")),
            ));
        }
        _ if request.jsonrpc.is_none_or(|version| version.get() != "\"2.0\"") => {
            Err(RpcError::invalid_request("jsonrpc is not \"2.0\""))
        }
        None => Err(RpcError::invalid_request("method is missing")),
        Some(method) => deadline
            .check()
            .and_then(|()| positional(request.params))
            .and_then(|values| handler(node, &method, Params { values, deadline })),
    };
    // A notification is never answered.
    request.id.map(|id| respond(id, outcome))
}

/// Parameters by position. An object is taken for the only one: alloy sends `anvil_reorg` like that.
fn positional(params: Option<&RawValue>) -> Result<Vec<&RawValue>, RpcError> {
    let Some(raw) = params else { return Ok(Vec::new()) };
    match raw.get().as_bytes().first() {
        Some(b'[') => serde_json::from_str(raw.get()).map_err(|error| RpcError::invalid_params(error.to_string())),
        Some(b'{') => Ok(vec![raw]),
        _ if raw.get() == "null" => Ok(Vec::new()),
        _ => Err(RpcError::invalid_params("params is no array")),
    }
}

fn respond(id: &RawValue, outcome: Answer) -> String {
    let outcome = match outcome {
        Ok(result) => Outcome::Result(result),
        Err(error) => Outcome::Error(error),
    };
    serde_json::to_string(&Response {
        jsonrpc: "2.0",
        id,
        outcome,
    })
    .unwrap_or_else(|_| r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32603,"message":"internal error"}}"#.to_owned())
}

/// Enough of a text to recognise it by, so that an error never repeats megabytes of input.
fn excerpt(text: &str) -> String {
    const CHARS_MAX: usize = 200;
    match text.char_indices().nth(CHARS_MAX) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}...", &text[..end]),
    }
}
