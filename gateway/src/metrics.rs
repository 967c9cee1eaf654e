//! What an operator's Prometheus asks, on a listener of its own: it is never part of the public router.
//!
//! Labels come from fixed sets (route templates, methods, classes, names of limits and states). A path, an account, a chart or
//! a record must never become one: a figure of one patient is a log of that patient.
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant, UNIX_EPOCH},
};

use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    http::{Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
    routing::get,
};
use medlock_indexer::{METRICS_TYPE, Metrics as Text, Server};
use tokio::time::timeout;

use crate::state::Gateway;

/// A node or database that has not answered by then is called down; Prometheus gives up after ten seconds by default.
const ANSWER: Duration = Duration::from_secs(2);
/// Upper bounds in seconds: from an answer out of memory to past the time-out of a request.
const BUCKETS: [(f64, &str); 12] = [
    (0.001, "0.001"),
    (0.0025, "0.0025"),
    (0.005, "0.005"),
    (0.01, "0.01"),
    (0.025, "0.025"),
    (0.05, "0.05"),
    (0.1, "0.1"),
    (0.25, "0.25"),
    (1.0, "1"),
    (5.0, "5"),
    (10.0, "10"),
    (30.0, "30"),
];

/// Route template, method, class of status.
type Label = (String, &'static str, &'static str);

/// What is counted. The labels are bounded by the routes, so it does not grow.
#[derive(Default)]
pub struct Metrics {
    requests: Mutex<BTreeMap<Label, Durations>>,
    at_work: AtomicI64,
    /// Turned away as all places were taken.
    pub full: AtomicU64,
    pub sessions_opened: AtomicU64,
    pub receipts_filed: AtomicU64,
    pub bytes_in: AtomicU64,
    pub bytes_out: AtomicU64,
}

#[derive(Default)]
struct Durations {
    /// Those within each bound and above the one before.
    within: [u64; BUCKETS.len()],
    count: u64,
    seconds: f64,
}

impl Durations {
    fn add(&mut self, took: Duration) {
        let seconds = took.as_secs_f64();
        if let Some(bucket) = BUCKETS.iter().position(|(most, _)| seconds <= *most) {
            self.within[bucket] += 1;
        }
        self.count += 1;
        self.seconds += seconds;
    }
}

/// Counted as at work until it is dropped: also where the client has gone.
struct AtWork(Arc<Metrics>);

impl Drop for AtWork {
    fn drop(&mut self) {
        self.0.at_work.fetch_sub(1, Relaxed);
    }
}

/// Layer: counts and times every request until its answer begins.
pub async fn measured(State(metrics): State<Arc<Metrics>>, request: Request, next: Next) -> Response {
    let since = Instant::now();
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or_else(|| "none".to_owned(), |path| path.as_str().to_owned());
    let method = method(request.method());
    metrics.at_work.fetch_add(1, Relaxed);
    let at_work = AtWork(metrics.clone());
    let response = next.run(request).await;
    drop(at_work);
    let class = match response.status().as_u16() / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    };
    let mut requests = metrics.requests.lock().unwrap_or_else(PoisonError::into_inner);
    requests.entry((route, method, class)).or_default().add(since.elapsed());
    drop(requests);
    response
}

/// A client may name a method of its own: those are one.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// Serves `/metrics` until what it returns is dropped.
///
/// # Errors
/// Where the address is taken.
pub async fn serve(listen: SocketAddr, gateway: Gateway) -> anyhow::Result<Server> {
    let router = Router::new().route("/metrics", get(exposition)).with_state(gateway);
    Server::spawn(listen, router).await
}

async fn exposition(State(gateway): State<Gateway>) -> impl IntoResponse {
    let mut text = Text::new("medlock_gateway_");
    text.family("build_info", "gauge", "Always 1; the version is the label.");
    text.value("build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
    let started = gateway.started.duration_since(UNIX_EPOCH).unwrap_or_default();
    text.gauge(
        "start_time_seconds",
        "When it was started, UNIX seconds.",
        started.as_secs(),
    );
    traffic(&mut text, &gateway.metrics);
    text.gauge(
        "connections",
        "Connections open on the public port.",
        gateway.connections.taken() as u64,
    );
    refused(&mut text, &gateway);
    chain(&mut text, &gateway).await;
    relay(&mut text, &gateway).await;
    ([(header::CONTENT_TYPE, METRICS_TYPE)], text.into_string())
}

fn traffic(text: &mut Text, metrics: &Metrics) {
    let requests = metrics.requests.lock().unwrap_or_else(PoisonError::into_inner);
    text.family(
        "request_duration_seconds",
        "histogram",
        "From a request's head to the first byte of its answer.",
    );
    for ((route, method, status), durations) in &*requests {
        let labels = [("route", route.as_str()), ("method", *method), ("status", *status)];
        let mut count = 0;
        for ((_, most), within) in BUCKETS.iter().zip(durations.within) {
            count += within;
            let labels = [&labels[..], &[("le", *most)]].concat();
            text.value("request_duration_seconds_bucket", &labels, count);
        }
        let all = [&labels[..], &[("le", "+Inf")]].concat();
        text.value("request_duration_seconds_bucket", &all, durations.count);
        text.value("request_duration_seconds_sum", &labels, durations.seconds);
        text.value("request_duration_seconds_count", &labels, durations.count);
    }
    text.family("requests_total", "counter", "Requests answered.");
    for ((route, method, status), durations) in &*requests {
        let labels = [("route", route.as_str()), ("method", *method), ("status", *status)];
        text.value("requests_total", &labels, durations.count);
    }
    drop(requests);
    let at_work = u64::try_from(metrics.at_work.load(Relaxed)).unwrap_or(0);
    text.gauge("requests_at_work", "Requests whose answer has not begun.", at_work);
    let counters = [
        ("sessions_opened_total", "Sessions opened.", &metrics.sessions_opened),
        ("receipts_filed_total", "Read receipts filed.", &metrics.receipts_filed),
        (
            "received_bytes_total",
            "Bytes off the wire, heads included.",
            &metrics.bytes_in,
        ),
        (
            "sent_bytes_total",
            "Bytes onto the wire, heads included.",
            &metrics.bytes_out,
        ),
    ];
    for (name, help, value) in counters {
        text.counter(name, help, value.load(Relaxed));
    }
}

fn refused(text: &mut Text, gateway: &Gateway) {
    let [requests, upload_bytes] = gateway.limits.refused();
    let limits = [
        ("requests-per-minute", requests),
        ("upload-bytes-per-hour", upload_bytes),
        ("uploads-at-once", gateway.uploads.refused()),
        ("downloads-at-once", gateway.downloads.refused()),
        ("without-session", gateway.open.refused()),
        ("without-session-by-address", gateway.open_each.refused()),
        ("connections-at-once", gateway.connections.refused()),
        ("requests-at-once", gateway.metrics.full.load(Relaxed)),
    ];
    text.family(
        "refused_total",
        "counter",
        "Requests (and connections) refused, by the limit that they met.",
    );
    for (limit, count) in limits {
        text.value("refused_total", &[("limit", limit)], count);
    }
}

async fn chain(text: &mut Text, gateway: &Gateway) {
    let index = timeout(ANSWER, gateway.index.head()).await;
    let index = index.ok().and_then(Result::ok).map(|head| head.number);
    let chain = timeout(ANSWER, gateway.pulse()).await;
    let chain = chain.ok().and_then(Result::ok).map(|block| block.number);
    text.gauge(
        "chain_up",
        "Whether a node of the right chain answers.",
        chain.is_some(),
    );
    text.gauge("index_up", "Whether the index answers.", index.is_some());
    if let Some(index) = index {
        text.gauge("index_block", "The newest indexed block.", index);
    }
    if let Some(chain) = chain {
        text.gauge("chain_head_block", "The newest block of the chain.", chain);
    }
    if let (Some(index), Some(chain)) = (index, chain) {
        let lag = chain.saturating_sub(index);
        text.gauge("index_lag_blocks", "Blocks that are not indexed yet.", lag);
    }
}

async fn relay(text: &mut Text, gateway: &Gateway) {
    let Some(relay) = &gateway.relay else { return };
    let states = timeout(ANSWER, relay.states()).await;
    let Ok(Ok(states)) = states else { return };
    text.family("relay_operations", "gauge", "Operations on file, by state.");
    for (state, count) in states {
        text.value("relay_operations", &[("state", state.text())], count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_in_the_bucket_whose_bound_it_does_not_pass() {
        let mut durations = Durations::default();
        for millis in [1, 2, 3, 31_000] {
            durations.add(Duration::from_millis(millis));
        }
        assert_eq!(durations.within[..3], [1, 1, 1]);
        assert_eq!((durations.within.iter().sum::<u64>(), durations.count), (3, 4));
    }

    #[test]
    fn a_method_that_a_client_made_up_is_no_label() {
        let made_up = Method::from_bytes(b"PATIENT0001").unwrap();
        assert_eq!((method(&Method::POST), method(&made_up)), ("POST", "other"));
    }
}
