//! A WebSocket to a node that mends itself: requests and answers by id, and a word at each new block.
//!
//! The word is only that: what the block holds is asked for, as ever. So a connection that was lost leaves no gap.
use super::{Fault, transport::BODY_BYTES_MOST};
use futures::{SinkExt, StreamExt};
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};
use serde::Deserialize;
use std::{collections::BTreeMap, ops::RangeInclusive, sync::Arc, time::Duration};
use tokio::{
    net::TcpStream,
    sync::{Notify, mpsc, oneshot},
    time::{Instant, interval, sleep, timeout},
};
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config,
    tungstenite::{Message, protocol::WebSocketConfig},
};

/// Requests that wait to be sent: more than are ever made at once.
const WAITING_MOST: usize = 256;
/// The pause before connecting again doubles between these.
const RECONNECT_PAUSE: Duration = Duration::from_millis(50);
const RECONNECT_PAUSE_MOST: Duration = Duration::from_secs(5);
/// How often a silent connection is asked whether it lives; silent for three times as long, it does not.
const PING: Duration = Duration::from_secs(10);
/// The id of the subscription; requests have others.
const SUBSCRIBE_ID: u64 = 0;
const SUBSCRIBE: &str = r#"{"jsonrpc":"2.0","id":0,"method":"eth_subscribe","params":["newHeads"]}"#;

/// Dropping it closes the connection.
pub struct Socket {
    jobs: mpsc::Sender<Job>,
    patience: Duration,
}

struct Job {
    ids: RangeInclusive<u64>,
    text: String,
    answer: Answer,
}

type Answer = oneshot::Sender<Result<Vec<u8>, Fault>>;
type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;

impl Socket {
    pub fn start(url: String, patience: Duration, news: Arc<Notify>) -> Self {
        let (jobs, waiting) = mpsc::channel(WAITING_MOST);
        tokio::spawn(keep(url, patience, news, waiting));
        Self { jobs, patience }
    }

    /// `ids`: of the requests in `text`.
    pub async fn send(&self, ids: RangeInclusive<u64>, text: String) -> Result<Vec<u8>, Fault> {
        let (answer, answered) = oneshot::channel();
        let job = Job { ids, text, answer };
        let asked = async {
            self.jobs.send(job).await.map_err(|_| lost())?;
            answered.await.map_err(|_| lost())?
        };
        timeout(self.patience, asked).await.unwrap_or(Err(Fault::Slow))
    }
}

fn lost() -> Fault {
    Fault::Unreachable("the WebSocket is not connected".into())
}

/// Connects, serves, and connects again, until nobody asks any more.
async fn keep(url: String, patience: Duration, news: Arc<Notify>, mut jobs: mpsc::Receiver<Job>) {
    let mut pause = RECONNECT_PAUSE;
    while !jobs.is_closed() {
        // What is asked meanwhile waits for the connection.
        if let Ok(Some(stream)) = timeout(patience, connect(&url)).await {
            // Whatever came while there was none.
            news.notify_one();
            if serve(stream, &news, &mut jobs).await {
                pause = RECONNECT_PAUSE;
            }
        }
        let waited = sleep(pause);
        pause = (pause * 2).min(RECONNECT_PAUSE_MOST);
        tokio::pin!(waited);
        loop {
            tokio::select! {
                () = &mut waited => break,
                job = jobs.recv() => match job {
                    Some(job) => _ = job.answer.send(Err(lost())),
                    None => return,
                },
            }
        }
    }
}

async fn connect(url: &str) -> Option<Stream> {
    // The provider is named: with several compiled in, rustls would not choose, but panic.
    let tls = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .ok()?
        .with_root_certificates(RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        })
        .with_no_client_auth();
    let config = WebSocketConfig::default()
        .max_message_size(Some(BODY_BYTES_MOST))
        .max_frame_size(Some(BODY_BYTES_MOST));
    let connector = Connector::Rustls(Arc::new(tls));
    match connect_async_tls_with_config(url, Some(config), true, Some(connector)).await {
        Ok((stream, _)) => Some(stream),
        Err(error) => {
            // Its text may hold the URL, and the URL a credential.
            tracing::debug!(kind = ?std::mem::discriminant(&error), "no WebSocket connection");
            None
        }
    }
}

/// Whether the node said anything before the connection was lost.
async fn serve(mut stream: Stream, news: &Notify, jobs: &mut mpsc::Receiver<Job>) -> bool {
    if stream.send(Message::text(SUBSCRIBE)).await.is_err() {
        return false;
    }
    let mut heard = false;
    let mut heard_at = Instant::now();
    let mut pings = interval(PING);
    // By the first id of each request or batch.
    let mut asked: BTreeMap<u64, (RangeInclusive<u64>, Answer)> = BTreeMap::new();
    // Dropping `asked` tells everybody who waits.
    loop {
        tokio::select! {
            job = jobs.recv() => {
                let Some(Job { ids, text, answer }) = job else { return heard };
                // Who timed out does not wait any more.
                asked.retain(|_, (_, answer)| !answer.is_closed());
                asked.insert(*ids.start(), (ids, answer));
                if stream.send(Message::text(text)).await.is_err() {
                    return heard;
                }
            }
            message = stream.next() => {
                heard_at = Instant::now();
                let body = match message {
                    Some(Ok(Message::Text(text))) => text.as_bytes().to_vec(),
                    Some(Ok(Message::Binary(bytes))) => bytes.to_vec(),
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return heard,
                    Some(Ok(_)) => continue,
                };
                heard = true;
                match addressee(&body) {
                    To::Subscription => news.notify_one(),
                    To::Request(SUBSCRIBE_ID) => {}
                    To::Request(id) => {
                        let first = asked.range(..=id).next_back().filter(|(_, (ids, _))| ids.contains(&id));
                        if let Some((_, answer)) = first.map(|(first, _)| *first).and_then(|first| asked.remove(&first)) {
                            // Who does not wait any more does not want it.
                            _ = answer.send(Ok(body));
                        }
                    }
                    // An error about what could not be read has no id: there is only one that it can be about.
                    To::Nobody => if asked.len() == 1 && let Some((_, (_, answer))) = asked.pop_first() {
                        _ = answer.send(Ok(body));
                    },
                }
            }
            _ = pings.tick() => {
                if heard_at.elapsed() > 3 * PING || stream.send(Message::Ping(Default::default())).await.is_err() {
                    return heard;
                }
            }
        }
    }
}

enum To {
    Request(u64),
    Subscription,
    Nobody,
}

fn addressee(body: &[u8]) -> To {
    #[derive(Deserialize)]
    struct Peek {
        id: Option<u64>,
        #[serde(default)]
        method: Option<String>,
    }
    let id = if body.trim_ascii_start().starts_with(b"[") {
        let peeks: Vec<Peek> = serde_json::from_slice(body).unwrap_or_default();
        peeks.iter().find_map(|peek| peek.id)
    } else {
        match serde_json::from_slice::<Peek>(body) {
            Ok(peek) if peek.method.as_deref() == Some("eth_subscription") => return To::Subscription,
            Ok(peek) => peek.id,
            Err(_) => None,
        }
    };
    id.map_or(To::Nobody, To::Request)
}
