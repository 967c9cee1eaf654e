//! Bytes to a node and back, over HTTP or a WebSocket.
use super::{Fault, socket::Socket};
use anyhow::{Context, bail};
use reqwest::{Client, StatusCode, Url, header};
use std::{ops::RangeInclusive, sync::Arc, time::Duration};
use tokio::{sync::Notify, time::timeout};

/// The largest answer that is read. A block's logs are bounded by its gas, to about 16 MB of JSON on the largest chains;
/// an answer of several blocks that is larger is asked for in smaller ranges.
pub const BODY_BYTES_MOST: usize = 32 << 20;
/// Of an error page, enough to see what it is.
const SAID_CHARS_MOST: usize = 200;

pub enum Transport {
    Http {
        client: Client,
        url: Url,
        patience: Duration,
    },
    WebSocket(Socket),
}

impl Transport {
    /// `news` is told of each new block, where the transport can tell.
    pub fn new(url: &str, patience: Duration, news: Arc<Notify>) -> anyhow::Result<Self> {
        // Not the URL, which may hold a credential, nor the parser's words about it.
        let parsed: Url = url.parse().ok().context("an endpoint is not a URL")?;
        match parsed.scheme() {
            "http" | "https" => Ok(Self::Http {
                client: Client::builder().build()?,
                url: parsed,
                patience,
            }),
            "ws" | "wss" => Ok(Self::WebSocket(Socket::start(url.to_owned(), patience, news))),
            scheme => bail!("an endpoint's URL begins with {scheme}://, not http://, https://, ws:// or wss://"),
        }
    }

    /// The answer to a request, or a batch of them, of these ids.
    pub async fn send(&self, ids: RangeInclusive<u64>, text: String) -> Result<Vec<u8>, Fault> {
        match self {
            Self::Http { client, url, patience } => match timeout(*patience, post(client, url, text)).await {
                Ok(answer) => answer,
                Err(_) => Err(Fault::Slow),
            },
            Self::WebSocket(socket) => socket.send(ids, text).await,
        }
    }
}

async fn post(client: &Client, url: &Url, text: String) -> Result<Vec<u8>, Fault> {
    // An error of reqwest shows the URL, unless told not to.
    let failed = |error: reqwest::Error| {
        let error = anyhow::Error::from(error.without_url());
        Fault::Unreachable(format!("{error:#}"))
    };
    let request = client
        .post(url.clone())
        .header(header::CONTENT_TYPE, "application/json");
    let mut answer = request.body(text).send().await.map_err(failed)?;
    let status = answer.status();
    let pause = answer.headers().get(header::RETRY_AFTER).and_then(|value| {
        let seconds = value.to_str().ok()?.trim().parse().ok()?;
        Some(Duration::from_secs(seconds))
    });
    let expected = answer.content_length().and_then(|length| usize::try_from(length).ok());
    let mut body = Vec::with_capacity(expected.unwrap_or_default().min(BODY_BYTES_MOST));
    while let Some(piece) = answer.chunk().await.map_err(failed)? {
        if body.len() + piece.len() > BODY_BYTES_MOST {
            return Err(Fault::TooLarge);
        }
        body.extend_from_slice(&piece);
    }
    match status {
        StatusCode::TOO_MANY_REQUESTS => Err(Fault::RateLimited(pause)),
        StatusCode::PAYLOAD_TOO_LARGE => Err(Fault::TooLarge),
        // Many nodes spell out an error in the body of an answer that has an error's status.
        status if status.is_success() || body.starts_with(b"{\"") && is_error(&body) => Ok(body),
        StatusCode::SERVICE_UNAVAILABLE if pause.is_some() => Err(Fault::RateLimited(pause)),
        StatusCode::GATEWAY_TIMEOUT => Err(Fault::Slow),
        status => {
            let said: String = String::from_utf8_lossy(&body).chars().take(SAID_CHARS_MOST).collect();
            Err(match status {
                StatusCode::BAD_REQUEST | StatusCode::INTERNAL_SERVER_ERROR => {
                    Fault::Opaque(format!("{status} {said}"))
                }
                _ => Fault::Unreachable(format!("{status} {said}")),
            })
        }
    }
}

fn is_error(body: &[u8]) -> bool {
    super::wire::parse::<super::wire::Reply<serde::de::IgnoredAny>>(body).is_ok_and(|reply| reply.error.is_some())
}
