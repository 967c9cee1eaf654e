//! A node that fails in a chosen way: HTTP by hand, so that it can break every rule.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What is answered to one request.
#[derive(Clone)]
pub enum Answer {
    /// A whole answer.
    Whole(u16, Vec<u8>),
    /// These bytes in one chunk, a clean end, and the news that it failed in a trailer.
    Trailer(Vec<u8>),
    /// These bytes in one chunk, then the connection closes.
    AbruptChunks(Vec<u8>),
    /// More bytes announced than come, then the connection closes.
    AbruptLength(Vec<u8>),
    /// These bytes in one chunk, then nothing, for ever.
    Stall(Vec<u8>),
    /// Nothing at all, for ever.
    Hang,
    /// A byte at a time, for ever: never silent for long, never done.
    Drip,
    /// Headers without end.
    DripHeaders,
    /// Bytes without end, as fast as they are taken, under this status.
    Endless(u16),
    /// Not HTTP.
    Noise,
    /// The connection closes without a word.
    Close,
}

impl fmt::Debug for Answer {
    /// Without long bodies.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let start = |body: &[u8]| String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        match self {
            Self::Whole(status, body) => write!(f, "Whole({status}, {:?})", start(body)),
            Self::Trailer(body) => write!(f, "Trailer({:?})", start(body)),
            Self::AbruptChunks(_) => f.write_str("AbruptChunks"),
            Self::AbruptLength(_) => f.write_str("AbruptLength"),
            Self::Stall(_) => f.write_str("Stall"),
            Self::Hang => f.write_str("Hang"),
            Self::Drip => f.write_str("Drip"),
            Self::DripHeaders => f.write_str("DripHeaders"),
            Self::Endless(status) => write!(f, "Endless({status})"),
            Self::Noise => f.write_str("Noise"),
            Self::Close => f.write_str("Close"),
        }
    }
}

/// Gives an answer to the path and query of each request, which it counts.
pub struct Stub {
    pub url: String,
    requests: Arc<AtomicUsize>,
    server: JoinHandle<()>,
}

impl Stub {
    pub async fn start(answer: impl Fn(&str, usize) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(AtomicUsize::new(0));
        let (answer, counter) = (Arc::new(answer), Arc::clone(&requests));
        let server = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (answer, counter) = (Arc::clone(&answer), Arc::clone(&counter));
                tokio::spawn(async move {
                    if let Some(target) = request(&mut stream).await {
                        let nth = counter.fetch_add(1, Ordering::SeqCst);
                        // The other side may have hung up: that is what it should do.
                        let _ = send(&mut stream, answer(&target, nth)).await;
                    }
                });
            }
        });
        Self { url, requests, server }
    }

    /// Always the same answer.
    pub async fn always(answer: Answer) -> Self {
        Self::start(move |_, _| answer.clone()).await
    }

    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Reads one request to its end: its path and query.
async fn request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    let mut piece = [0; 65_536];
    loop {
        let read = stream.read(&mut piece).await.ok()?;
        if read == 0 {
            return None;
        }
        bytes.extend(&piece[..read]);
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        if !head.contains("chunked") || bytes.ends_with(b"\r\n0\r\n\r\n") {
            return Some(head.split(' ').nth(1)?.to_owned());
        }
    }
}

async fn send(stream: &mut TcpStream, answer: Answer) -> std::io::Result<()> {
    const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Stream-Error\r\n\r\n";
    let chunk = |bytes: &[u8]| [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat();
    match answer {
        Answer::Whole(status, body) => {
            let head = format!(
                "HTTP/1.1 {status} x\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            stream.write_all(&[head.as_bytes(), &body].concat()).await?;
        }
        Answer::Trailer(body) => {
            let end = b"0\r\nX-Stream-Error: the disk failed\r\n\r\n";
            stream.write_all(&[CHUNKED, &chunk(&body), end].concat()).await?;
        }
        Answer::AbruptChunks(body) => stream.write_all(&[CHUNKED, &chunk(&body)].concat()).await?,
        Answer::AbruptLength(body) => {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len() + 1);
            stream.write_all(&[head.as_bytes(), &body].concat()).await?;
        }
        Answer::Stall(body) => {
            stream.write_all(&[CHUNKED, &chunk(&body)].concat()).await?;
            std::future::pending::<()>().await;
        }
        Answer::Hang => std::future::pending::<()>().await,
        Answer::Drip => {
            stream.write_all(CHUNKED).await?;
            drip(stream, &chunk(b"x")).await?;
        }
        Answer::DripHeaders => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nX: ").await?;
            drip(stream, b"x").await?;
        }
        Answer::Endless(status) => {
            let head = format!("HTTP/1.1 {status} x\r\nTransfer-Encoding: chunked\r\n\r\n");
            stream.write_all(head.as_bytes()).await?;
            let piece = chunk(&[b' '; 65_536]);
            loop {
                stream.write_all(&piece).await?;
            }
        }
        Answer::Noise => stream.write_all(b"220 mail.example ESMTP\r\n").await?,
        Answer::Close => {}
    }
    stream.shutdown().await
}

async fn drip(stream: &mut TcpStream, piece: &[u8]) -> std::io::Result<()> {
    let mut pace = tokio::time::interval(Duration::from_millis(10));
    loop {
        pace.tick().await;
        stream.write_all(piece).await?;
    }
}
