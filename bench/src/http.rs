//! A load generator that is no bottleneck: blocking sockets, keep-alive, requests made before the clock starts.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Barrier;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// No single answer may take longer: a chain that hangs ends the run instead of holding it up.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(120);
/// An answer's head must fit; chains send some two hundred bytes.
const HEAD_BYTES_MAX: usize = 16 << 10;
/// A result stands within so many bytes of the answer's beginning.
const RESULT_WITHIN_BYTES: usize = 64;

/// A request, and a second one that is repeated until its answer holds something: a transaction and its receipt.
#[derive(Clone)]
pub struct Exchange {
    pub request: Vec<u8>,
    pub until: Option<(Vec<u8>, &'static [u8])>,
}

/// One keep-alive connection to a chain.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// A complete HTTP request that calls `method`.
pub fn request(method: &str, params: &Value) -> Vec<u8> {
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string();
    format!(
        "POST / HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Sends every list over a connection of its own, all at the same time, each request after the answer to the one
/// before it. Returns the time from the first request to the last answer.
///
/// # Errors
/// A request was answered with anything but a result.
pub fn drive<L: AsRef<[Exchange]> + Sync>(address: SocketAddr, lists: &[L]) -> anyhow::Result<Duration> {
    let begin = Barrier::new(lists.len() + 1);
    std::thread::scope(|scope| {
        let workers: Vec<_> = lists
            .iter()
            .map(|list| {
                let connection = Connection::open(address);
                let begin = &begin;
                scope.spawn(move || {
                    begin.wait();
                    let mut connection = connection?;
                    list.as_ref().iter().try_for_each(|exchange| connection.run(exchange))
                })
            })
            .collect();
        begin.wait();
        let start = Instant::now();
        for worker in workers {
            worker
                .join()
                .map_err(|_| anyhow::anyhow!("a load generator panicked"))??;
        }
        Ok(start.elapsed())
    })
}

impl Connection {
    pub fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).with_context(|| format!("connect to {address}"))?;
        stream.set_nodelay(true).context("set TCP_NODELAY")?;
        stream
            .set_read_timeout(Some(ANSWER_TIMEOUT))
            .context("set a time-out")?;
        Ok(Self {
            stream,
            buffer: vec![0; HEAD_BYTES_MAX],
        })
    }

    /// Sends the request, and the second one until its answer holds what is wanted.
    ///
    /// # Errors
    /// As [`Connection::exchange`], or the wanted answer does not come.
    pub fn run(&mut self, Exchange { request, until }: &Exchange) -> anyhow::Result<()> {
        self.exchange(request)?;
        let Some((again, wanted)) = until else { return Ok(()) };
        let start = Instant::now();
        while find(self.exchange(again)?, wanted).is_none() {
            ensure!(
                start.elapsed() < ANSWER_TIMEOUT,
                "no answer with {}",
                String::from_utf8_lossy(wanted)
            );
        }
        Ok(())
    }

    /// Sends a complete request and returns the answer's body, which is a JSON-RPC result.
    ///
    /// # Errors
    /// The connection failed, or the answer is no result.
    pub fn exchange(&mut self, request: &[u8]) -> anyhow::Result<&[u8]> {
        self.stream.write_all(request).context("send a request")?;
        let (mut filled, head) = self.read_head()?;
        let total = head + content_length(&self.buffer[..head])?;
        if self.buffer.len() < total {
            self.buffer.resize(total, 0);
        }
        while filled < total {
            filled += self.read_some(filled)?;
        }
        let body = &self.buffer[head..total];
        let start = &body[..body.len().min(RESULT_WITHIN_BYTES)];
        ensure!(
            find(start, b"\"result\":").is_some(),
            "no result but {}",
            String::from_utf8_lossy(&body[..body.len().min(500)])
        );
        Ok(body)
    }

    /// Calls `method` and decodes its result.
    ///
    /// # Errors
    /// As [`Connection::exchange`], or the result is of another type.
    pub fn call<T: DeserializeOwned>(&mut self, method: &str, params: Value) -> anyhow::Result<T> {
        let body = self
            .exchange(&request(method, &params))
            .with_context(|| format!("call {method}"))?;
        let mut answer: Value = serde_json::from_slice(body).with_context(|| format!("answer to {method}"))?;
        serde_json::from_value(answer["result"].take()).with_context(|| format!("result of {method}"))
    }

    fn read_head(&mut self) -> anyhow::Result<(usize, usize)> {
        let mut filled = 0;
        loop {
            filled += self.read_some(filled)?;
            if let Some(end) = find(&self.buffer[..filled], b"\r\n\r\n") {
                return Ok((filled, end + 4));
            }
            ensure!(
                filled < HEAD_BYTES_MAX,
                "an answer's head is longer than {HEAD_BYTES_MAX} bytes"
            );
        }
    }

    fn read_some(&mut self, filled: usize) -> anyhow::Result<usize> {
        match self.stream.read(&mut self.buffer[filled..]).context("read an answer")? {
            0 => bail!("the chain closed the connection"),
            read => Ok(read),
        }
    }
}

fn content_length(head: &[u8]) -> anyhow::Result<usize> {
    let head = std::str::from_utf8(head).context("an answer's head")?;
    ensure!(
        head.starts_with("HTTP/1.1 200"),
        "{}",
        head.lines().next().unwrap_or_default()
    );
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim())
    });
    length
        .context("an answer without content-length")?
        .parse()
        .context("content-length")
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}
