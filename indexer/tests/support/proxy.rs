//! Stands between indexer and node: forwards JSON-RPC, and does mischief on the way.
use axum::{
    Router,
    body::Body,
    extract::State,
    http::{Response, StatusCode},
    routing::post,
};
use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex},
    time::Instant,
};

/// What becomes of a request. In a batch, a status other than 200, or a broken connection, becomes of the whole batch.
pub enum Fate {
    Forward,
    /// After something else has happened.
    ForwardAfter(futures::future::BoxFuture<'static, ()>),
    /// An answer of the proxy's own: an HTTP status and a body.
    Answer(u16, Value),
    /// The same with a Retry-After.
    Busy {
        seconds: u64,
    },
    /// An answer of the node's, changed.
    Change(Box<dyn FnOnce(&mut Value) + Send>),
    /// Left out of the batch; alone, an empty body.
    Omit,
    /// The first half of an answer, as if it were all.
    Truncate,
    /// The connection breaks.
    Reset,
    /// No answer ever.
    Hang,
}

/// Decides by method and parameters.
pub type Rule = Box<dyn FnMut(&str, &Value) -> Fate + Send>;

/// What was asked, and when; for `Fate`s that refuse, whether it was.
pub struct Asked {
    pub at: Instant,
    pub method: String,
    pub params: Value,
    pub refused: bool,
}

#[derive(Clone)]
pub struct Proxy {
    pub url: String,
    state: Arc<Mutex<Inner>>,
    client: alloy::transports::http::reqwest::Client,
}

struct Inner {
    upstream: String,
    rule: Rule,
    asked: Vec<Asked>,
    batches: Batches,
}

/// What becomes of batches before anything else.
#[derive(Clone, Copy)]
pub enum Batches {
    Fine,
    Refused,
    /// Answered in another order.
    Reversed,
}

impl Proxy {
    pub async fn start(upstream: &str) -> Self {
        let state = Arc::new(Mutex::new(Inner {
            upstream: upstream.to_owned(),
            rule: Box::new(|_, _| Fate::Forward),
            asked: Vec::new(),
            batches: Batches::Fine,
        }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let client = alloy::transports::http::reqwest::Client::new();
        let proxy = Self { url, state, client };
        let app = Router::new().route("/{*any}", post(handle)).route("/", post(handle));
        let app = app.with_state(proxy.clone());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        proxy
    }

    pub fn rule(&self, rule: impl FnMut(&str, &Value) -> Fate + Send + 'static) {
        self.state.lock().unwrap().rule = Box::new(rule);
    }

    pub fn batches(&self, batches: Batches) {
        self.state.lock().unwrap().batches = batches;
    }

    pub fn point_at(&self, upstream: &str) {
        self.state.lock().unwrap().upstream = upstream.to_owned();
    }

    /// All that was asked since the last time.
    pub fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.state.lock().unwrap().asked)
    }

    /// What is to become of one request, which is noted.
    fn fate(&self, request: &Value) -> (String, Fate) {
        let mut state = self.state.lock().unwrap();
        let method = request["method"].as_str().unwrap();
        let fate = (state.rule)(method, &request["params"]);
        let refused = match &fate {
            Fate::Answer(status, body) => *status != 200 || !body["error"].is_null(),
            Fate::Busy { .. } | Fate::Reset | Fate::Hang | Fate::Truncate => true,
            _ => false,
        };
        let asked = Asked {
            at: Instant::now(),
            method: method.into(),
            params: request["params"].clone(),
            refused,
        };
        state.asked.push(asked);
        (state.upstream.clone(), fate)
    }

    /// The answer to one request; `None`: it is left out.
    async fn answer(&self, request: &Value) -> Result<Option<Value>, Response<Body>> {
        let (upstream, fate) = self.fate(request);
        Ok(Some(match fate {
            Fate::Forward => self.forward(&upstream, request).await,
            Fate::ForwardAfter(deed) => {
                // Apart, so that it is done even where the asker hangs up.
                tokio::spawn(deed).await.unwrap();
                self.forward(&upstream, request).await
            }
            Fate::Answer(200, mut body) => {
                body["id"] = request["id"].clone();
                body["jsonrpc"] = "2.0".into();
                body
            }
            Fate::Answer(status, body) => return Err(with_status(status, body.to_string())),
            Fate::Busy { seconds } => {
                let mut response = with_status(429, String::new());
                response.headers_mut().insert("retry-after", seconds.into());
                return Err(response);
            }
            Fate::Change(change) => {
                let mut body = self.forward(&upstream, request).await;
                change(&mut body["result"]);
                body
            }
            Fate::Omit => return Ok(None),
            Fate::Truncate => {
                let text = self.forward(&upstream, request).await.to_string();
                return Err(with_status(200, text[..text.len() / 2].into()));
            }
            Fate::Reset => {
                let broken = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
                let pieces = [Ok("{\"jsonrpc\""), Err(broken)];
                return Err(Response::new(Body::from_stream(futures::stream::iter(pieces))));
            }
            Fate::Hang => std::future::pending().await,
        }))
    }

    async fn forward(&self, upstream: &str, request: &Value) -> Value {
        let answer = self
            .client
            .post(upstream)
            .header("content-type", "application/json")
            .body(request.to_string());
        let text = answer.send().await.unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap()
    }
}

async fn handle(State(proxy): State<Proxy>, body: String) -> Response<Body> {
    match serde_json::from_str(&body).unwrap() {
        Value::Array(requests) => {
            let batches = proxy.state.lock().unwrap().batches;
            if matches!(batches, Batches::Refused) {
                let error = json!({ "code": -32600, "message": "batches are not served here" });
                let refusal = json!({ "jsonrpc": "2.0", "id": null, "error": error });
                return with_status(200, refusal.to_string());
            }
            let mut answers = Vec::new();
            for request in &requests {
                match proxy.answer(request).await {
                    Ok(answer) => answers.extend(answer),
                    Err(response) => return response,
                }
            }
            if matches!(batches, Batches::Reversed) {
                answers.reverse();
            }
            with_status(200, Value::Array(answers).to_string())
        }
        request => match proxy.answer(&request).await {
            Ok(answer) => with_status(200, answer.map(|answer| answer.to_string()).unwrap_or_default()),
            Err(response) => response,
        },
    }
}

fn with_status(status: u16, text: String) -> Response<Body> {
    let mut response = Response::new(text.into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response
}
