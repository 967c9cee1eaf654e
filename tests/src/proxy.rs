//! Stands between clients and a service, and lies for it: forwards HTTP, and makes up or changes the answers that a
//! test picks. It serves for the gateway and, with [`Fate::json`], for JSON-RPC.

use std::sync::{Arc, Mutex, MutexGuard};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use serde_json::Value;

/// Headers that belong to one connection and not to the message.
const HOP_BY_HOP: [HeaderName; 4] = [
    header::HOST,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::CONNECTION,
];

/// A request on its way.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: Method,
    /// With its query.
    pub path: String,
    pub body: Bytes,
}

impl Asked {
    /// Whether it is `method` on a path that ends with `tail`, whatever its query.
    pub fn is(&self, method: Method, tail: &str) -> bool {
        let path = self.path.split('?').next().unwrap_or_default();
        self.method == method && path.ends_with(tail)
    }

    /// The body as JSON; null where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// What becomes of a request.
pub enum Fate {
    Forward,
    /// A success with this body and type, of the proxy's own; the service is not asked.
    Answer(&'static str, Vec<u8>),
    /// The service's answer, changed where it is a success.
    Change(Change),
}

/// What is done to an answer's body.
pub type Change = Box<dyn FnOnce(&mut Vec<u8>) + Send>;

impl Fate {
    pub fn change(change: impl FnOnce(&mut Vec<u8>) + Send + 'static) -> Self {
        Self::Change(Box::new(change))
    }

    /// Changes an answer that is JSON.
    pub fn json(change: impl FnOnce(&mut Value) + Send + 'static) -> Self {
        Self::change(move |body| {
            let mut value = serde_json::from_slice(body).expect("the service answers JSON");
            change(&mut value);
            *body = value.to_string().into_bytes();
        })
    }

    /// Sends `body` in the place of what the service says. The service is asked all the same.
    pub fn replace(body: Vec<u8>) -> Self {
        Self::change(move |answer| *answer = body)
    }
}

type Rule = Box<dyn FnMut(&Asked) -> Fate + Send>;

#[derive(Clone)]
pub struct Proxy {
    url: String,
    http: reqwest::Client,
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    upstream: Option<String>,
    rule: Rule,
    seen: Vec<Asked>,
}

impl Proxy {
    /// Listens on a free port, honest and not yet pointed anywhere.
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("the own address");
        let proxy = Self {
            url: format!("http://{address}"),
            http: reqwest::Client::new(),
            inner: Arc::new(Mutex::new(Inner {
                upstream: None,
                rule: Box::new(|_| Fate::Forward),
                seen: Vec::new(),
            })),
        };
        let app = Router::new()
            .fallback(pass)
            .layer(DefaultBodyLimit::disable())
            .with_state(proxy.clone());
        // Ends with the test's runtime.
        tokio::spawn(async move { axum::serve(listener, app).await.expect("serve") });
        proxy
    }

    /// In front of the service at `upstream`.
    pub async fn before(upstream: &str) -> Self {
        let proxy = Self::start().await;
        proxy.point_at(upstream);
        proxy
    }

    pub fn point_at(&self, upstream: &str) {
        self.inner().upstream = Some(upstream.to_owned());
    }

    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// Decides from now on; what was seen before is forgotten.
    pub fn rule(&self, rule: impl FnMut(&Asked) -> Fate + Send + 'static) {
        let mut inner = self.inner();
        inner.rule = Box::new(rule);
        inner.seen.clear();
    }

    /// Forwards everything as it is.
    pub fn honest(&self) {
        self.rule(|_| Fate::Forward);
    }

    /// The requests since the last rule was set.
    pub fn seen(&self) -> Vec<Asked> {
        self.inner().seen.clone()
    }

    /// Passes everything on, and keeps the body of the last answer to each request that `picks` names.
    pub fn overhear(&self, picks: impl Fn(&Asked) -> bool + Send + 'static) -> Overheard {
        let heard = Overheard::default();
        let ear = heard.clone();
        self.rule(move |asked| {
            let ear = ear.clone();
            match picks(asked) {
                true => Fate::change(move |body| ear.0.lock().expect("no panic").clone_from(body)),
                false => Fate::Forward,
            }
        });
        heard
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("no rule has panicked")
    }
}

/// What [`Proxy::overhear`] has kept.
#[derive(Clone, Default)]
pub struct Overheard(Arc<Mutex<Vec<u8>>>);

impl Overheard {
    pub fn bytes(&self) -> Vec<u8> {
        let bytes = self.0.lock().expect("no panic").clone();
        assert!(!bytes.is_empty(), "nothing was overheard");
        bytes
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes()).expect("JSON was overheard")
    }
}

async fn pass(State(proxy): State<Proxy>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let asked = Asked { method, path, body };
    let (upstream, fate) = {
        let mut inner = proxy.inner();
        inner.seen.push(asked.clone());
        let fate = (inner.rule)(&asked);
        (inner.upstream.clone().expect("pointed at a service"), fate)
    };
    match fate {
        Fate::Answer(media_type, body) => {
            let headers = [(header::CONTENT_TYPE, HeaderValue::from_static(media_type))];
            (headers, body).into_response()
        }
        Fate::Forward => proxy.forward(&upstream, asked, headers).await.into_response(),
        Fate::Change(change) => {
            let (status, headers, mut body) = proxy.forward(&upstream, asked, headers).await;
            if status.is_success() {
                change(&mut body);
            }
            (status, headers, body).into_response()
        }
    }
}

impl Proxy {
    async fn forward(&self, upstream: &str, asked: Asked, mut headers: HeaderMap) -> (StatusCode, HeaderMap, Vec<u8>) {
        strip(&mut headers);
        let answer = self
            .http
            .request(
                asked.method,
                format!("{}{}", upstream.trim_end_matches('/'), asked.path),
            )
            .headers(headers)
            .body(asked.body)
            .send()
            .await
            .expect("the service answers");
        let (status, mut headers) = (answer.status(), answer.headers().clone());
        strip(&mut headers);
        let body = answer.bytes().await.expect("a whole answer");
        (status, headers, body.into())
    }
}

fn strip(headers: &mut HeaderMap) {
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
}
