//! Connections: so many at once, which send their heads in time, take what is written, and count their bytes.
use std::{
    convert::Infallible,
    io,
    net::IpAddr,
    pin::{Pin, pin},
    sync::{Arc, atomic::Ordering::Relaxed},
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{Router, response::Response};
use hyper::{body::Incoming, server::conn::http1, service::Service};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    select,
    sync::watch,
    task::JoinSet,
    time::{Sleep, sleep},
};

use crate::{
    limits::{CONNECTIONS_MOST, Pass},
    metrics::Metrics,
    origin::Origin,
    state::Gateway,
};

/// A reader that takes nothing for as long has gone, or means harm: what its answer holds is given back.
const WRITE_IDLE: Duration = Duration::from_secs(30);
/// From a connection's begin, or the end of an answer, to the end of the next request's head. So it is also how long an idle connection is
/// kept; proxies in front are to keep theirs for less (docs/deploy.md).
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// A request's line and headers: many times those of a browser. It is looked at between two reads, so up to twice as much may pass.
const HEAD_BYTES_MOST: usize = 64 * 1024;
/// After an accept that failed for want of files or memory: trying again at once would not find more.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Who is connected: the client, or a proxy.
#[derive(Clone, Copy)]
pub struct Peer(pub IpAddr);

/// How many connections there may be at once: three in four of the files that this process may open, as blocks, databases and the node take
/// files too.
pub fn places() -> usize {
    // Linux says; where nobody does, a thousand is what systems allow at least.
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let files = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let soft = files.and_then(|files| files.split_whitespace().next());
    let files = soft.map_or(Some(1024), |soft| soft.parse::<usize>().ok());
    // What is no number is "unlimited".
    files.map_or(CONNECTIONS_MOST, |files| (files / 4 * 3).min(CONNECTIONS_MOST))
}

/// Serves `router` until `stop`; then until every request at work has its answer.
pub async fn serve(listener: TcpListener, router: Router, gateway: Gateway, stop: impl Future<Output = ()>) {
    let (closing, closed) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut stop = pin!(stop);
    loop {
        let accepted = select! {
            biased;
            () = &mut stop => break,
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok((stream, address)) => (stream, address.ip()),
            // The other side has gone already.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
            Err(error) => {
                tracing::error!(%error, "no connection can be accepted");
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        // Without a place it is closed at once.
        if let Some(place) = place(&gateway, peer) {
            let stream = Connection::new(stream, WRITE_IDLE, gateway.metrics.clone());
            connections.spawn(connection(
                stream,
                Served {
                    router: router.clone(),
                    peer: Peer(peer),
                },
                place,
                closed.clone(),
            ));
        }
    }
    drop(listener);
    closing.send_replace(true);
    while connections.join_next().await.is_some() {}
}

fn place(gateway: &Gateway, peer: IpAddr) -> Option<Pass<Origin>> {
    let is_proxy = gateway.proxies.iter().any(|network| network.contains(peer));
    let place = match is_proxy {
        true => gateway.connections.enter_uncounted(),
        false => gateway.connections.enter(peer.into()),
    };
    place.ok()
}

async fn connection(
    stream: Connection<TcpStream>,
    served: Served,
    _place: Pass<Origin>,
    mut closed: watch::Receiver<bool>,
) {
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_BYTES_MOST)
        .serve_connection(TokioIo::new(stream), served);
    let mut serving = pin!(serving);
    let ended = select! {
        ended = serving.as_mut() => ended,
        () = async { drop(closed.wait_for(|closed| *closed).await) } => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        // The client's doing: it has gone, was too slow, or speaks no HTTP.
        tracing::trace!(%error, "a connection ended");
    }
}

/// The router, told who is connected.
struct Served {
    router: Router,
    peer: Peer,
}

impl Service<hyper::Request<Incoming>> for Served {
    type Response = Response;
    type Error = Infallible;
    type Future = <TowerToHyperService<Router> as Service<hyper::Request<Incoming>>>::Future;

    fn call(&self, mut request: hyper::Request<Incoming>) -> Self::Future {
        request.extensions_mut().insert(self.peer);
        TowerToHyperService::new(self.router.clone()).call(request)
    }
}

/// A stream whose writes fail once the other side has taken nothing for `idle`.
pub struct Connection<S> {
    stream: S,
    idle: Duration,
    /// Runs while a write waits.
    waiting: Option<Pin<Box<Sleep>>>,
    metrics: Arc<Metrics>,
}

impl<S> Connection<S> {
    fn new(stream: S, idle: Duration, metrics: Arc<Metrics>) -> Self {
        Self {
            stream,
            idle,
            waiting: None,
            metrics,
        }
    }

    fn sent(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(bytes)) = written {
            self.metrics.bytes_out.fetch_add(bytes as u64, Relaxed);
        }
        written
    }

    fn within<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.waiting = None;
            return written;
        }
        let idle = self.idle;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(idle)));
        ready!(waiting.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Connection<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        let bytes = buf.filled().len() - before;
        self.metrics.bytes_in.fetch_add(bytes as u64, Relaxed);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Connection<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        let written = self.sent(written);
        self.within(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        let written = self.sent(written);
        self.within(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.within(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.within(cx, shut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    #[test]
    fn places_are_left_for_other_files() {
        assert!((1..=CONNECTIONS_MOST).contains(&places()));
    }

    #[tokio::test]
    async fn a_reader_that_takes_nothing_is_let_go_and_one_that_does_is_served() {
        let (mut reader, stream) = duplex(4);
        let mut connection = Connection::new(stream, Duration::from_secs(60), Arc::default());
        let reading = tokio::spawn(async move {
            let mut read = [0; 64];
            reader.read_exact(&mut read).await.map(|_| read)
        });
        connection.write_all(&[7; 64]).await.unwrap();
        assert_eq!(reading.await.unwrap().unwrap(), [7; 64]);

        let (_silent, stream) = duplex(4);
        let mut connection = Connection::new(stream, Duration::from_millis(20), Arc::default());
        let error = connection.write_all(&[7; 64]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
