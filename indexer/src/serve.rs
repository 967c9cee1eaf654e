//! What an operator's tools ask over HTTP: metrics, whether the process runs, whether the index can be relied on.
//!
//! For a network of one's own: there is neither TLS nor sign-in. It must never tell a credential; hosts it does tell.
use crate::{
    Index, Progress, Status,
    exposition::{CONTENT_TYPE, Text},
};
use anyhow::{Context, Result};
use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use std::{
    net::SocketAddr,
    sync::atomic::Ordering::Relaxed,
    time::{Duration, UNIX_EPOCH},
};
use tokio::{net::TcpListener, sync::watch, time::timeout};
use tokio_util::task::AbortOnDropHandle;

/// A database that has not answered by then does not answer.
const ANSWER: Duration = Duration::from_secs(2);
/// Nodes restart and rate limits pass; trouble that lasts longer is somebody's to look at.
const TROUBLE_MOST: Duration = Duration::from_secs(30);

/// Serves `/metrics`, `/healthz` and `/readyz`. The index may be exchanged for another while it does.
///
/// # Errors
/// Where the address is taken.
pub async fn serve(listen: SocketAddr, index: watch::Receiver<Index>, ready_lag_most: u64) -> Result<Server> {
    let router = Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .with_state(Watched { index, ready_lag_most });
    Server::spawn(listen, router).await
}

/// Serves until it is dropped.
pub struct Server {
    addr: SocketAddr,
    _task: AbortOnDropHandle<()>,
}

impl Server {
    /// Serves `router` to operators, beside whatever else a service serves.
    ///
    /// # Errors
    /// Where the address is taken.
    pub async fn spawn(listen: SocketAddr, router: Router) -> Result<Self> {
        let listener = TcpListener::bind(listen).await;
        let listener = listener.with_context(|| format!("metrics: listen on {listen}"))?;
        let addr = listener.local_addr().context("metrics: own address")?;
        let task = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!("metrics are no longer served: {error}");
            }
        });
        Ok(Self {
            addr,
            _task: AbortOnDropHandle::new(task),
        })
    }

    pub fn addr(&self) -> SocketAddr {
        self.addr
    }
}

#[derive(Clone)]
struct Watched {
    index: watch::Receiver<Index>,
    ready_lag_most: u64,
}

/// How the index is doing. `Err`: the database does not say.
struct Seen {
    progress: Option<Progress>,
    status: Result<Status, String>,
}

impl Watched {
    async fn look(&self) -> Seen {
        let index = self.index.borrow().clone();
        let status = match timeout(ANSWER, index.status()).await {
            Ok(status) => status.map_err(|error| error.to_string()),
            Err(_) => Err(format!("the database has not answered within {ANSWER:?}")),
        };
        Seen {
            progress: index.progress(),
            status,
        }
    }
}

async fn ready(State(watched): State<Watched>) -> (StatusCode, String) {
    let seen = watched.look().await;
    let standby = seen.progress.as_ref().is_some_and(|p| p.standby);
    match unready(&seen, watched.ready_lag_most) {
        None if standby => (StatusCode::OK, "ready: standby, another process writes\n".into()),
        None => (StatusCode::OK, "ready\n".into()),
        Some(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {why}\n")),
    }
}

/// Why the index is not to be relied on.
fn unready(seen: &Seen, lag_most: u64) -> Option<String> {
    if let Some(progress) = &seen.progress {
        if let Some(why) = &progress.stopped {
            return Some(format!("the indexer has stopped: {why}"));
        }
        let lasting = progress
            .trouble_since
            .is_some_and(|since| since.elapsed() > TROUBLE_MOST);
        if let Some(trouble) = progress.trouble.as_ref().filter(|_| lasting) {
            return Some(format!("in trouble for more than {TROUBLE_MOST:?}: {trouble}"));
        }
        if !progress.standby && progress.chain_head == 0 {
            return Some("no node has told its newest block yet".into());
        }
    }
    match &seen.status {
        Err(why) => Some(why.clone()),
        Ok(status) if status.lag_blocks > lag_most => Some(format!(
            "{} blocks behind the chain, more than {lag_most}",
            status.lag_blocks
        )),
        Ok(_) => None,
    }
}

async fn metrics(State(watched): State<Watched>) -> impl IntoResponse {
    let text = exposition(&watched.look().await);
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], text)
}

fn exposition(seen: &Seen) -> String {
    let mut text = Text::new("medlock_index_");
    text.family("build_info", "gauge", "Always 1; the version is the label.");
    text.value("build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
    text.gauge("database_up", "Whether the database answers.", seen.status.is_ok());
    if let Ok(status) = &seen.status {
        text.gauge("block", "The newest indexed block.", status.head.number);
        text.gauge("block_time_seconds", "Its time, UNIX seconds.", status.head.time);
        text.gauge(
            "chain_head_block",
            "The newest block that a node has told of.",
            status.chain_head,
        );
        text.gauge("lag_blocks", "Blocks that are not indexed yet.", status.lag_blocks);
    }
    let Some(progress) = &seen.progress else {
        return text.into_string();
    };
    let started = progress.started.duration_since(UNIX_EPOCH).unwrap_or_default();
    text.gauge(
        "start_time_seconds",
        "When indexing began, UNIX seconds.",
        started.as_secs(),
    );
    if let Some(block) = progress.safe {
        text.gauge("safe_block", "The newest block that the node calls safe.", block.number);
    }
    if let Some(block) = progress.finalized {
        text.gauge(
            "finalized_block",
            "The newest block that the node calls finalized.",
            block.number,
        );
    }
    let (counters, traffic) = (&progress.counters, &progress.traffic);
    text.counter("events_total", "Events indexed.", counters.events);
    text.counter("blocks_total", "Blocks indexed.", counters.blocks);
    text.counter("reorgs_total", "Reorgs followed.", counters.reorgs);
    text.gauge(
        "reorg_deepest_blocks",
        "Blocks that the deepest of them took back.",
        counters.reorg_deepest,
    );
    text.counter(
        "reorgs_past_finality_total",
        "Reorgs past what was final; the indexer stops at the first.",
        counters.reorgs_past_finality,
    );
    text.counter("requests_total", "Requests to nodes.", traffic.requests.load(Relaxed));
    text.counter("retries_total", "Requests made again.", traffic.retries.load(Relaxed));
    text.counter(
        "refused_total",
        "Ranges that a node found too much.",
        traffic.refused.load(Relaxed),
    );
    text.counter(
        "rate_limited_total",
        "Answers: too many requests.",
        traffic.rate_limited.load(Relaxed),
    );
    text.family("endpoint_up", "gauge", "Whether this endpoint would be asked now.");
    for endpoint in &progress.endpoints {
        text.value("endpoint_up", &[("host", &endpoint.label)], u8::from(endpoint.healthy));
    }
    text.family(
        "endpoint_leads",
        "gauge",
        "Whether this endpoint is the one that is asked.",
    );
    for endpoint in &progress.endpoints {
        text.value("endpoint_leads", &[("host", &endpoint.label)], u8::from(endpoint.leads));
    }
    text.gauge(
        "trouble",
        "Whether the last step failed and is tried again.",
        progress.trouble.is_some(),
    );
    text.gauge("standby", "Whether another process writes.", progress.standby);
    text.gauge(
        "stopped",
        "Whether indexing has ended for good.",
        progress.stopped.is_some(),
    );
    text.into_string()
}

#[cfg(test)]
mod tests;
