//! Stands between indexer and node: forwards JSON-RPC, and does mischief on the way.
use axum::{Router, extract::State, http::StatusCode, response::IntoResponse, routing::post};
use serde_json::Value;
use std::sync::{Arc, Mutex};

/// What becomes of a request.
pub enum Fate {
    Forward,
    /// After something else has happened.
    ForwardAfter(futures::future::BoxFuture<'static, ()>),
    /// An answer of the proxy's own: an HTTP status and a body.
    Answer(u16, Value),
    /// An answer of the node's, changed.
    Change(Box<dyn FnOnce(&mut Value) + Send>),
}

/// Decides by method and parameters.
pub type Rule = Box<dyn FnMut(&str, &Value) -> Fate + Send>;

#[derive(Clone)]
pub struct Proxy {
    pub url: String,
    state: Arc<Mutex<(String, Rule)>>,
}

impl Proxy {
    pub async fn start(upstream: &str) -> Self {
        let rule: Rule = Box::new(|_, _| Fate::Forward);
        let state = Arc::new(Mutex::new((upstream.to_owned(), rule)));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let proxy = Self { url, state };
        let app = Router::new().route("/", post(handle)).with_state(proxy.clone());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        proxy
    }

    pub fn rule(&self, rule: impl FnMut(&str, &Value) -> Fate + Send + 'static) {
        self.state.lock().unwrap().1 = Box::new(rule);
    }

    pub fn point_at(&self, upstream: &str) {
        self.state.lock().unwrap().0 = upstream.to_owned();
    }
}

async fn handle(State(proxy): State<Proxy>, body: String) -> impl IntoResponse {
    let request: Value = serde_json::from_str(&body).unwrap();
    let (upstream, fate) = {
        let mut state = proxy.state.lock().unwrap();
        let fate = (state.1)(request["method"].as_str().unwrap(), &request["params"]);
        (state.0.clone(), fate)
    };
    match fate {
        Fate::Forward => (StatusCode::OK, forward(&upstream, request).await.to_string()),
        Fate::ForwardAfter(deed) => {
            // Apart, so that it is done even where the asker hangs up.
            tokio::spawn(deed).await.unwrap();
            (StatusCode::OK, forward(&upstream, request).await.to_string())
        }
        Fate::Answer(status, mut body) => {
            body["id"] = request["id"].clone();
            body["jsonrpc"] = "2.0".into();
            (StatusCode::from_u16(status).unwrap(), body.to_string())
        }
        Fate::Change(change) => {
            let mut body = forward(&upstream, request).await;
            change(&mut body["result"]);
            (StatusCode::OK, body.to_string())
        }
    }
}

async fn forward(upstream: &str, request: Value) -> Value {
    let client = alloy::transports::http::reqwest::Client::new();
    let answer = client
        .post(upstream)
        .header("content-type", "application/json")
        .body(request.to_string());
    let text = answer.send().await.unwrap().text().await.unwrap();
    serde_json::from_str(&text).unwrap()
}
