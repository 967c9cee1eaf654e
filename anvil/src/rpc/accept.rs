//! Connections: how many, and how long one may keep us waiting.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

use super::server::BODY_TIMEOUT;
use super::wire::{WRITE_TIMEOUT, Wire};
use crate::stopped;

/// Connections at a time, WebSockets included. More wait in the listener's queue.
pub const CONNECTIONS_MAX: usize = 1_024;
/// How long a client may take to send a request's headers, and how long a connection may lie idle between requests.
pub const HEADER_TIMEOUT: Duration = Duration::from_secs(60);
/// How long to wait after an accept that failed: mostly too many open files, which time cures.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How long a client may take.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// To send a request's headers.
    pub headers: Duration,
    /// To send its body.
    pub body: Duration,
    /// To take the next bytes of an answer.
    pub write: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            headers: HEADER_TIMEOUT,
            body: BODY_TIMEOUT,
            write: WRITE_TIMEOUT,
        }
    }
}

/// Serves until `stop` turns true or closes, then lets running requests finish.
pub async fn serve(listener: TcpListener, router: Router, patience: Patience, mut stop: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &places) => accepted,
            // What has ended is taken out of the set.
            Some(_) = connections.join_next() => continue,
            () = stopped(&mut stop) => break,
        };
        match accepted {
            Ok((stream, place)) => {
                connections.spawn(connection(stream, place, router.clone(), patience, stop.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> std::io::Result<(TcpStream, Option<OwnedSemaphorePermit>)> {
    // The semaphore is never closed, so there is always a permit.
    let place = places.clone().acquire_owned().await.ok();
    let (stream, _) = listener.accept().await?;
    // Small answers leave at once.
    stream.set_nodelay(true)?;
    Ok((stream, place))
}

async fn connection(
    stream: TcpStream,
    place: Option<OwnedSemaphorePermit>,
    router: Router,
    patience: Patience,
    mut stop: watch::Receiver<bool>,
) {
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience.headers)
        .serve_connection(
            TokioIo::new(Wire::new(stream, patience.write, place)),
            TowerToHyperService::new(router),
        )
        .with_upgrades();
    tokio::pin!(serving);
    // How a connection ended concerns its client alone.
    tokio::select! {
        _ = &mut serving => return,
        () = stopped(&mut stop) => serving.as_mut().graceful_shutdown(),
    }
    let _ = serving.await;
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;
    use crate::Config;
    use crate::chain::Chain;
    use crate::rpc::{Node, server};

    const DEADLINE: Duration = Duration::from_secs(20);

    /// A server without patience, and how to stop it.
    async fn impatient() -> (std::net::SocketAddr, watch::Sender<bool>) {
        let patience = Patience {
            headers: Duration::from_millis(50),
            body: Duration::from_millis(50),
            write: Duration::from_millis(50),
        };
        let node = Node::new(Arc::new(Chain::open(&Config::default()).unwrap()));
        let stop = watch::Sender::new(false);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let router = server::router(Arc::new(node), patience.body, stop.subscribe());
        tokio::spawn(serve(listener, router, patience, stop.subscribe()));
        (addr, stop)
    }

    /// Everything that comes back after `sent`, until the other side hangs up.
    async fn told(addr: std::net::SocketAddr, sent: &str) -> String {
        let mut stream = TcpStream::connect(addr).await.unwrap();
        stream.write_all(sent.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        tokio::time::timeout(DEADLINE, stream.read_to_end(&mut answer))
            .await
            .expect("the connection ends")
            .unwrap();
        String::from_utf8(answer).unwrap()
    }

    #[tokio::test]
    async fn who_sends_slowly_or_nothing_is_let_go() {
        let (addr, _stop) = impatient().await;
        assert_eq!(told(addr, "").await, "");
        assert_eq!(told(addr, "POST / HTTP/1.1\r\nHo").await, "");
        let head = "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 60\r\n\r\n";
        let answer = told(addr, &format!("{head}{{\"jsonrpc\"")).await;
        assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    }

    #[tokio::test]
    async fn who_takes_no_answers_is_let_go() {
        let (addr, _stop) = impatient().await;
        let mut stream = TcpStream::connect(addr).await.unwrap();
        // Far more than sockets hold: the answers, unread, stop the server from reading on.
        let body = r#"{"jsonrpc":"2.0","id":1,"method":"eth_accounts"}"#;
        let request = format!(
            "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let requests = request.repeat(1_000);
        let wrote = tokio::time::timeout(DEADLINE, async {
            while stream.write_all(requests.as_bytes()).await.is_ok() {}
        });
        wrote.await.expect("the connection ends");
    }
}
