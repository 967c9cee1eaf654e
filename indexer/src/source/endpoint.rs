//! One node: asks it, again where that helps, and remembers what it bears.
use super::{
    Fault, Result, SourceError,
    dialect::{self, Meaning},
    limits::Limits,
    transport::Transport,
    wire::{Call, ErrorBody, Reply, parse},
};
use futures::{StreamExt, TryStreamExt, stream};
use serde::de::DeserializeOwned;
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{
    sync::Notify,
    time::{Instant, sleep, sleep_until},
};

/// How often one request is made before the step gives up: about 1.5 s of trying.
const ATTEMPTS_MOST: u32 = 5;
/// Where another endpoint can serve instead, it is sooner asked.
const ATTEMPTS_OF_SEVERAL_MOST: u32 = 2;
const RETRY_PAUSE: Duration = Duration::from_millis(100);
/// A node that asks for a longer pause gets it, but the step is given up: the pipeline would rather report trouble.
const RETRY_PAUSE_MOST: Duration = Duration::from_secs(5);
/// No node's Retry-After is obeyed for longer.
const RETRY_AFTER_MOST: Duration = Duration::from_secs(60);
/// An endpoint that failed is set aside for so long, and twice as long each further time, while others serve.
const ASIDE: Duration = Duration::from_secs(1);
const ASIDE_MOST: Duration = Duration::from_secs(60);
/// Requests at once.
pub const PARALLEL: usize = 8;
/// Requests in one batch: providers allow 50 to 1,000.
const BATCH_MOST: usize = 50;
/// How often a batch is made before its requests are made one by one.
const BATCH_ATTEMPTS_MOST: u32 = 2;
/// Answers that are larger are parsed on a thread of their own.
const PARSE_HERE_BYTES_MOST: usize = 64 << 10;

/// What all requests of this process came to. For metrics.
#[derive(Debug, Default)]
pub struct Traffic {
    pub requests: AtomicU64,
    /// Requests that were made again.
    pub retries: AtomicU64,
    /// Ranges that were too much, in the provider's view.
    pub refused: AtomicU64,
    /// Answers "too many requests".
    pub rate_limited: AtomicU64,
}

/// Whether an endpoint serves the deployment's chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    Unknown,
    Ours,
    /// It serves another, and is never used.
    Foreign(Arc<str>),
}

pub struct Endpoint {
    /// Without credentials.
    pub label: String,
    transport: Transport,
    attempts_most: u32,
    /// How long a step waits for it to be ready.
    pause_most: Duration,
    traffic: Arc<Traffic>,
    next_id: AtomicU64,
    /// Whether it was not seen to refuse batches.
    batches: AtomicBool,
    /// Whether it was not seen to lack `eth_getBlockReceipts`.
    pub receipts: AtomicBool,
    limits: Mutex<Limits>,
    state: Mutex<State>,
}

pub struct State {
    pub standing: Standing,
    /// It asked not to be asked before.
    busy_until: Option<Instant>,
    aside_until: Option<Instant>,
    failures: u32,
    pub trouble: Option<Arc<str>>,
}

impl Endpoint {
    pub fn new(
        label: String,
        url: &str,
        patience: Duration,
        several: bool,
        news: Arc<Notify>,
        traffic: Arc<Traffic>,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            label,
            transport: Transport::new(url, patience, news)?,
            attempts_most: if several {
                ATTEMPTS_OF_SEVERAL_MOST
            } else {
                ATTEMPTS_MOST
            },
            pause_most: if several { RETRY_PAUSE } else { RETRY_PAUSE_MOST },
            traffic,
            next_id: AtomicU64::new(1),
            batches: AtomicBool::new(true),
            receipts: AtomicBool::new(true),
            limits: Mutex::default(),
            state: Mutex::new(State {
                standing: Standing::Unknown,
                busy_until: None,
                aside_until: None,
                failures: 0,
                trouble: None,
            }),
        })
    }

    pub fn limits(&self) -> MutexGuard<'_, Limits> {
        self.limits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer to `call`; `None` where it is null. `range`: the blocks whose logs it asks for. Where a smaller range
    /// may be answered instead, it is not asked again.
    pub async fn ask<T: DeserializeOwned + Send + 'static>(
        &self,
        call: &Call,
        range: Option<(u64, u64)>,
    ) -> std::result::Result<Option<T>, Fault> {
        let mut attempt = 1;
        loop {
            let fault = match self.ask_once(call, range).await {
                Ok(answer) => return Ok(answer),
                Err(fault) => fault,
            };
            let divisible = range.is_some_and(|(from, to)| from < to) && fault.is_about_size();
            if divisible {
                self.traffic.refused.fetch_add(1, Relaxed);
                return Err(fault);
            }
            if !fault.may_pass() || attempt == self.attempts_most {
                return Err(fault);
            }
            tracing::debug!(endpoint = self.label, method = call.method, attempt, %fault, "request failed, retrying");
            self.pause(attempt).await;
            attempt += 1;
        }
    }

    /// The same, where `null` is no answer and errors are the step's.
    pub async fn ask_for<T: DeserializeOwned + Send + 'static>(&self, call: &Call) -> Result<Option<T>> {
        self.ask(call, None).await.map_err(|fault| fault.of(call.method))
    }

    /// The answers to `calls`, in their order: in batches, or one by one where the node refuses batches or left some out.
    pub async fn ask_many<T: DeserializeOwned + Send + 'static>(&self, calls: &[Call]) -> Result<Vec<Option<T>>> {
        // Collected, since a stream over borrowed chunks is not `Send` for every lifetime.
        let batches: Vec<Vec<Call>> = calls.chunks(BATCH_MOST).map(<[Call]>::to_vec).collect();
        let mut answers = Vec::with_capacity(calls.len());
        for batch in batches {
            let mut some = self.ask_batch(&batch).await;
            let missing: Vec<(usize, Call)> = (some.iter().zip(&batch).enumerate())
                .filter(|(_, (answer, _))| answer.is_none())
                .map(|(at, (_, call))| (at, call.clone()))
                .collect();
            let singly: Vec<(usize, Option<T>)> = stream::iter(missing)
                .map(|(at, call)| async move { Ok::<_, SourceError>((at, self.ask_for(&call).await?)) })
                .buffered(PARALLEL)
                .try_collect()
                .await?;
            for (at, answer) in singly {
                some[at] = Some(answer);
            }
            answers.extend(some.into_iter().flatten());
        }
        Ok(answers)
    }

    /// The answers that a batch brought; `None` where one is missing, or is an error, or the batch came to nothing: each of
    /// its requests may fare better, and tells what is wrong. (A rate limit may let no batch of this size through.)
    async fn ask_batch<T: DeserializeOwned + Send + 'static>(&self, calls: &[Call]) -> Vec<Option<Option<T>>> {
        let mut attempt = 1;
        while calls.len() > 1 && self.batches.load(Relaxed) && attempt <= BATCH_ATTEMPTS_MOST {
            let fault = match self.batch_once(calls).await {
                Ok(answers) => return answers,
                Err(fault) => fault,
            };
            // One error may be a moment's; the same kind again, or one that says it, is the node's way.
            let again = attempt == BATCH_ATTEMPTS_MOST && matches!(fault, Fault::Opaque(_) | Fault::Refused { .. });
            if again || fault.refuses_batches() {
                tracing::info!(endpoint = self.label, %fault, "no batches: asking one by one");
                self.batches.store(false, Relaxed);
            } else {
                tracing::debug!(endpoint = self.label, attempt, %fault, "batch failed");
                self.pause(attempt).await;
            }
            attempt += 1;
        }
        calls.iter().map(|_| None).collect()
    }

    async fn batch_once<T: DeserializeOwned + Send + 'static>(
        &self,
        calls: &[Call],
    ) -> std::result::Result<Vec<Option<Option<T>>>, Fault> {
        let count = calls.len() as u64;
        let first = self.next_id.fetch_add(count, Relaxed);
        let mut text = String::from("[");
        for (id, call) in (first..).zip(calls) {
            if id > first {
                text.push(',');
            }
            call.write(id, &mut text);
        }
        text.push(']');
        let body = self.send(first..=first + count - 1, text).await?;
        if !body.trim_ascii_start().starts_with(b"[") {
            let reply: Reply<T> = parse(&body)?;
            return Err(match reply.error {
                Some(error) => self.refusal(error, None),
                None => Fault::Garbled("one answer to a batch".into()),
            });
        }
        let mut by_id: HashMap<u64, Option<T>> = parse_apart::<Vec<Reply<T>>>(body)
            .await?
            .into_iter()
            .filter_map(|reply| Some((reply.id?, reply.result?)))
            .collect();
        Ok((first..).zip(calls).map(|(id, _)| by_id.remove(&id)).collect())
    }

    /// The same, without another try.
    pub async fn ask_once<T: DeserializeOwned + Send + 'static>(
        &self,
        call: &Call,
        range: Option<(u64, u64)>,
    ) -> std::result::Result<Option<T>, Fault> {
        let id = self.next_id.fetch_add(1, Relaxed);
        let mut text = String::new();
        call.write(id, &mut text);
        let body = self.send(id..=id, text).await?;
        let reply: Reply<T> = parse_apart(body).await?;
        match reply {
            Reply { error: Some(error), .. } => Err(self.refusal(error, range)),
            Reply {
                result: Some(result),
                id: Some(told),
                ..
            } if told == id => Ok(result),
            _ => Err(Fault::Garbled("it is not the answer to what was asked".into())),
        }
    }

    async fn send(&self, ids: std::ops::RangeInclusive<u64>, text: String) -> std::result::Result<Vec<u8>, Fault> {
        let busy_until = self.state().busy_until;
        if let Some(until) = busy_until {
            let left = until.saturating_duration_since(Instant::now());
            if left > self.pause_most {
                return Err(Fault::RateLimited(Some(left)));
            }
            sleep_until(until).await;
        }
        self.traffic.requests.fetch_add(1, Relaxed);
        let sent = self.transport.send(ids, text).await;
        if let Err(Fault::RateLimited(pause)) = &sent {
            self.rate_limited(*pause);
        }
        sent
    }

    /// All requests wait, not this one alone.
    fn rate_limited(&self, pause: Option<Duration>) {
        self.traffic.rate_limited.fetch_add(1, Relaxed);
        if let Some(pause) = pause {
            self.state().busy_until = Some(Instant::now() + pause.min(RETRY_AFTER_MOST));
        }
    }

    fn refusal(&self, error: ErrorBody, range: Option<(u64, u64)>) -> Fault {
        let ErrorBody { code, message, data } = error;
        let meaning = dialect::read(code, &message, &data, range);
        if let Meaning::RateLimit(pause) = meaning {
            self.rate_limited(pause);
            return Fault::RateLimited(pause);
        }
        Fault::Refused { meaning, code, message }
    }

    async fn pause(&self, attempt: u32) {
        self.traffic.retries.fetch_add(1, Relaxed);
        sleep((RETRY_PAUSE * 2u32.pow(attempt - 1)).min(RETRY_PAUSE_MOST)).await;
    }

    pub fn is_foreign(&self) -> bool {
        matches!(self.state().standing, Standing::Foreign(_))
    }

    /// Until when it is set aside, if it is.
    pub fn aside_until(&self) -> Option<Instant> {
        self.state().aside_until.filter(|until| *until > Instant::now())
    }

    /// Whether it serves our chain, as far as is known, and is not set aside.
    pub fn is_healthy(&self) -> bool {
        !self.is_foreign() && self.aside_until().is_none()
    }

    pub fn set_aside(&self, why: Arc<str>) {
        let mut state = self.state();
        let pause = (ASIDE * 2u32.saturating_pow(state.failures.min(16))).min(ASIDE_MOST);
        state.failures += 1;
        state.aside_until = Some(Instant::now() + pause);
        state.trouble = Some(why);
    }

    pub fn served(&self) {
        let mut state = self.state();
        state.failures = 0;
        state.aside_until = None;
        state.trouble = None;
    }
}

/// Large answers hold up no other task.
async fn parse_apart<T: DeserializeOwned + Send + 'static>(body: Vec<u8>) -> std::result::Result<T, Fault> {
    if body.len() <= PARSE_HERE_BYTES_MOST {
        return parse(&body);
    }
    match tokio::task::spawn_blocking(move || parse(&body)).await {
        Ok(parsed) => parsed,
        Err(error) => Err(Fault::Garbled(format!("parsing the answer failed: {error}"))),
    }
}
