//! A load generator that is no bottleneck: blocking sockets, keep-alive, requests made before the clock starts.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::ops::Range;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// No single answer may take longer: a chain that hangs ends the run instead of holding it up.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(120);
/// What is read at once. An answer's head must fit; chains send some two hundred bytes.
const BUFFER_BYTES: usize = 64 << 10;
/// A result stands within so many bytes of the answer's beginning.
const RESULT_WITHIN_BYTES: usize = 64;

/// A request, and a second one that is repeated until its answer holds something: a transaction and its receipt.
#[derive(Clone)]
pub struct Exchange {
    pub request: Vec<u8>,
    pub until: Option<(Vec<u8>, &'static [u8])>,
}

/// One keep-alive connection to a chain, or to another server.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// The last answer's.
    body: Vec<u8>,
}

/// How the end of a body is known (RFC 9112, 6.3).
enum Length {
    Bytes(usize),
    Chunks,
}

/// A complete HTTP request with a body.
pub fn post(path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    with_body("POST", path, headers, body)
}

/// The same, of any method.
pub fn with_body(method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut request = head(method, path, headers);
    request.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
    [request.as_bytes(), body].concat()
}

/// A complete HTTP request without one.
pub fn get(path: &str, headers: &[(&str, &str)]) -> Vec<u8> {
    (head("GET", path, headers) + "\r\n").into_bytes()
}

fn head(method: &str, path: &str, headers: &[(&str, &str)]) -> String {
    let headers: String = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    format!("{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{headers}")
}

/// A complete HTTP request that calls `method`.
pub fn request(method: &str, params: &Value) -> Vec<u8> {
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string();
    post("/", &[("content-type", "application/json")], body.as_bytes())
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
            buffer: vec![0; BUFFER_BYTES],
            body: Vec::new(),
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
        let body = self.answer(request)?;
        let start = &body[..body.len().min(RESULT_WITHIN_BYTES)];
        ensure!(
            find(start, b"\"result\":").is_some(),
            "no result but {}",
            String::from_utf8_lossy(&body[..body.len().min(500)])
        );
        Ok(body)
    }

    /// Sends a complete request and returns the answer's body.
    ///
    /// # Errors
    /// The connection failed, or the answer is no success.
    pub fn answer(&mut self, request: &[u8]) -> anyhow::Result<&[u8]> {
        let mut body = std::mem::take(&mut self.body);
        body.clear();
        let received = self.receive(request, |bytes| body.extend_from_slice(bytes));
        self.body = body;
        received.with_context(|| String::from_utf8_lossy(&self.body[..self.body.len().min(500)]).into_owned())?;
        Ok(&self.body)
    }

    /// Sends a complete request and gives the answer's body to `take`, piece by piece.
    ///
    /// # Errors
    /// The connection failed, or the answer is no success: then its body was taken all the same.
    pub fn receive(&mut self, request: &[u8], mut take: impl FnMut(&[u8])) -> anyhow::Result<()> {
        self.stream.write_all(request).context("send a request")?;
        let (filled, head) = self.read_head()?;
        let (status, length) = parse_head(&self.buffer[..head])?;
        let mut unread = head..filled;
        match length {
            Length::Bytes(bytes) => self.take(&mut unread, bytes, &mut take)?,
            Length::Chunks => loop {
                let line = self.read_line(&mut unread)?;
                let size = line.split(';').next().unwrap_or_default();
                let bytes = usize::from_str_radix(size, 16).context("the size of a chunk")?;
                self.take(&mut unread, bytes, &mut take)?;
                ensure!(
                    self.read_line(&mut unread)?.is_empty(),
                    "a chunk is longer than it says"
                );
                if bytes == 0 {
                    break;
                }
            },
        }
        ensure!(unread.is_empty(), "more than one answer to a request");
        ensure!((200..300).contains(&status), "status {status}");
        Ok(())
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
                filled < BUFFER_BYTES,
                "an answer's head is longer than {BUFFER_BYTES} bytes"
            );
        }
    }

    /// The next `bytes` of the body: what is `unread` in the buffer, and what follows it.
    fn take(&mut self, unread: &mut Range<usize>, bytes: usize, take: &mut impl FnMut(&[u8])) -> anyhow::Result<()> {
        let mut left = bytes;
        while left > 0 {
            self.refill(unread)?;
            let part = left.min(unread.len());
            take(&self.buffer[unread.start..unread.start + part]);
            unread.start += part;
            left -= part;
        }
        Ok(())
    }

    /// Up to the next line feed, without the line's end.
    fn read_line(&mut self, unread: &mut Range<usize>) -> anyhow::Result<String> {
        let mut line = Vec::new();
        loop {
            self.refill(unread)?;
            let byte = self.buffer[unread.start];
            unread.start += 1;
            match byte {
                b'\n' => return String::from_utf8(line).context("a line of a chunked body"),
                b'\r' => (),
                byte => line.push(byte),
            }
        }
    }

    fn refill(&mut self, unread: &mut Range<usize>) -> anyhow::Result<()> {
        if Range::is_empty(unread) {
            *unread = 0..self.read_some(0)?;
        }
        Ok(())
    }

    fn read_some(&mut self, filled: usize) -> anyhow::Result<usize> {
        match self.stream.read(&mut self.buffer[filled..]).context("read an answer")? {
            0 => bail!("the server closed the connection"),
            read => Ok(read),
        }
    }
}

fn parse_head(head: &[u8]) -> anyhow::Result<(u16, Length)> {
    let head = std::str::from_utf8(head).context("an answer's head")?;
    let first = head.lines().next().unwrap_or_default();
    let status = first.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3));
    let status = status.with_context(|| first.to_owned())?.parse().context("a status")?;
    let value = |wanted: &str| {
        head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case(wanted).then(|| value.trim())
        })
    };
    let length = match value("transfer-encoding") {
        Some(_) => Length::Chunks,
        None => {
            let length = value("content-length").context("an answer without its length")?;
            Length::Bytes(length.parse().context("content-length")?)
        }
    };
    Ok((status, length))
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}
