//! An IPFS node (Kubo) behind its RPC interface, with nothing taken on trust.
//!
//! Requests are built by `ipfs-api-backend-hyper`; sending and reading is done
//! here, because that crate has no time-outs, reads answers of any length, and
//! hashes nothing. No call may outlast [`KuboOptions::timeout`], no answer may be
//! longer than its kind needs, and no block leaves here unhashed.
//!
//! A node that fails midway ends the body as if it were whole and says so in a
//! trailer, which hyper 0.14 drops. So no answer counts as whole because it ended:
//! a block is hashed, and each other answer has to name all that was asked for.
//!
//! Every block is pinned by itself, in its raw form, under the name
//! `medlock`. A recursive pin on a node would have Kubo walk its links: on
//! every removal, and in its garbage collection, which then fails for the whole
//! repository once one node is malformed or lacks a child. The name tells our
//! pins from those of others on the same node. What is pinned already is not
//! pinned again: Kubo would take the pin away first, and a caller that dies then
//! leaves a block without one that it had confirmed before.
//!
//! The interface has no encryption and rules over the whole node: loopback only,
//! or behind something that authenticates.
//! <https://docs.ipfs.tech/reference/kubo/rpc/>

use std::collections::{BTreeMap, HashSet};
use std::io::Cursor;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _, future, stream};
use hyper::body::HttpBody as _;
use hyper::client::HttpConnector;
use ipfs_api_backend_hyper::{Form, IpfsClient, TryFromUri as _};
use ipfs_api_prelude::{ApiRequest, Backend as _};
use medlock_dag::{BLOCK_BYTES_MAX, Block, Cid, DAG_CBOR, DAG_PB, raw_cid};
use serde::{Deserialize, Serialize};

use crate::gc::{Fresh, GcRun};
use crate::{Digest, Error, Removal, Unconfirmed};

/// The name of our pins.
const PIN_NAME: &str = "medlock";

/// Connecting on loopback or a local network takes milliseconds.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// A block is read or written in milliseconds; a disk that is busy with something else takes seconds.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Kubo's collection looks at every block that it has.
const GC_TIMEOUT: Duration = Duration::from_secs(30 * 60);
/// Attempts at a call that may be repeated, all within one time-out.
const ATTEMPTS_MAX: usize = 2;
/// How often a batch is put again because a collection took a block before it was pinned.
const PUTS_MAX: usize = 3;
/// Blocks and bytes in one request. 256 CIDs make a URL of 16 KiB; hyper ends at 64.
const BATCH_BLOCKS_MAX: usize = 256;
const BATCH_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Requests under way at once, of one call.
const PARALLEL: usize = 8;
/// The answer to a batch is about 100 bytes a block.
const ANSWER_BYTES_MAX: usize = 256 * 1024;
/// One line of a streamed answer: a CID, a name, an error.
const LINE_BYTES_MAX: usize = 16 * 1024;
/// Pins listed for one collection: 32 bytes of memory each.
const PINS_MAX: usize = 50_000_000;

const CUT_SHORT: &str = "it is cut short";
const TOO_LONG: &str = "it is longer than it can be";
const NOT_JSON: &str = "it is not the JSON expected";

/// Where blocks are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reach {
    /// In what the node itself has. A missing block is an answer.
    #[default]
    Local,
    /// With the peers that it is connected to as well. Kubo keeps looking for a
    /// missing block, so that is [`Error::Timeout`].
    Peers,
}

/// How a node is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KuboOptions {
    /// From beginning to end of one call, retries included.
    pub timeout: Duration,
    /// The same for what looks at all blocks.
    pub gc_timeout: Duration,
    /// For `get`; all else is about what the node itself has.
    pub reach: Reach,
}

impl Default for KuboOptions {
    fn default() -> Self {
        Self {
            timeout: TIMEOUT,
            gc_timeout: GC_TIMEOUT,
            reach: Reach::Local,
        }
    }
}

/// A block store in an IPFS node. Clones share it.
#[derive(Clone)]
pub struct Kubo {
    inner: Arc<Inner>,
}

struct Inner {
    url: String,
    /// Builds requests, sends none.
    api: IpfsClient,
    http: hyper::Client<HttpConnector>,
    options: KuboOptions,
    /// Held for reading by adds, for writing while pins are taken away.
    adds: tokio::sync::RwLock<()>,
    /// Held from asking what is pinned to pinning the rest.
    pins: tokio::sync::Mutex<()>,
    fresh: Mutex<Fresh>,
}

impl Kubo {
    /// A node by the URL of its RPC interface. Does not talk to it yet.
    ///
    /// # Errors
    /// [`Error::BadUrl`].
    pub fn new(url: &str, options: KuboOptions) -> Result<Self, Error> {
        let bad = |reason: String| Error::BadUrl {
            url: url.to_owned(),
            reason,
        };
        let uri = url.parse::<hyper::Uri>().map_err(|e| bad(e.to_string()))?;
        let plain = uri.authority().filter(|authority| !authority.as_str().contains('@'));
        let (Some("http"), Some(authority)) = (uri.scheme_str(), plain) else {
            return Err(bad("it has to be http://HOST:PORT (encryption ends elsewhere)".into()));
        };
        if uri.path() != "/" || uri.query().is_some() {
            return Err(bad("it has a path".into()));
        }
        let url = format!("http://{authority}");
        let api = IpfsClient::from_str(&url).map_err(|e| bad(e.to_string()))?;
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        connector.set_nodelay(true);
        let http = hyper::Client::builder()
            .pool_max_idle_per_host(PARALLEL)
            .build(connector);
        Ok(Self {
            inner: Arc::new(Inner {
                url,
                api,
                http,
                options,
                adds: tokio::sync::RwLock::default(),
                pins: tokio::sync::Mutex::default(),
                fresh: Mutex::default(),
            }),
        })
    }

    #[must_use]
    pub(crate) fn name(&self) -> String {
        self.inner.url.clone()
    }

    /// Keeps and pins `blocks`. On an error some may be kept; putting them again is safe.
    ///
    /// A block that the node has already is left as it is, even if damaged: see [`repair`](Self::repair).
    ///
    /// # Errors
    /// [`Error::Block`], [`Error::OtherCid`], and those of a call: [`Error::Unreachable`],
    /// [`Error::Timeout`], [`Error::Node`], [`Error::BadAnswer`].
    pub async fn put(&self, blocks: Vec<Block>) -> Result<(), Error> {
        for block in &blocks {
            medlock_dag::digest(&block.cid)?;
            let bytes = block.bytes.len();
            if bytes > BLOCK_BYTES_MAX {
                let bytes_max = BLOCK_BYTES_MAX;
                return Err(medlock_dag::Error::TooLarge { bytes, bytes_max }.into());
            }
        }
        let _adds = self.inner.adds.read().await;
        {
            let mut fresh = self.inner.fresh();
            for block in &blocks {
                fresh.note(medlock_dag::digest(&block.cid)?);
            }
        }
        for batch in batches(blocks) {
            self.put_batch(batch).await?;
        }
        Ok(())
    }

    /// Those of `cids` that it does not have, whole and pinned by us. The others count as put just now, to a collection of garbage that
    /// goes on.
    ///
    /// # Errors
    /// [`Error::Block`]; those of a call.
    pub async fn keep(&self, cids: Vec<Cid>) -> Result<Vec<Cid>, Error> {
        let _adds = self.inner.adds.read().await;
        {
            let mut fresh = self.inner.fresh();
            for cid in &cids {
                fresh.note(medlock_dag::digest(cid)?);
            }
        }
        stream::iter(cids)
            .map(|cid| async move { Ok::<_, Error>((!self.is_kept(&cid).await?).then_some(cid)) })
            .buffered(PARALLEL)
            .try_filter_map(future::ok)
            .try_collect()
            .await
    }

    /// The block named `cid`, checked against it, if it is there.
    ///
    /// # Errors
    /// [`Error::Corrupt`] where the node sends other bytes; [`Error::Block`]; those of a call.
    pub async fn get(&self, cid: &Cid) -> Result<Option<Block>, Error> {
        medlock_dag::digest(cid)?;
        let request = || {
            let mut query = vec![("arg", cid.to_string())];
            if self.inner.options.reach == Reach::Local {
                query.push(offline());
            }
            BlockGet(query)
        };
        let bytes = match self.inner.retried("block/get", request, || None, BLOCK_BYTES_MAX).await {
            Ok(bytes) => bytes,
            Err(error) if is_missing(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        match Block::verify(*cid, bytes) {
            Ok(block) => Ok(Some(block)),
            Err(error) => Err(Error::Corrupt {
                cid: (*cid).into(),
                place: self.name(),
                reason: error.to_string(),
            }),
        }
    }

    /// Whether the node itself has a block named `cid`. Does not look at its bytes.
    ///
    /// # Errors
    /// [`Error::Block`]; those of a call.
    pub async fn has(&self, cid: &Cid) -> Result<bool, Error> {
        let digest = medlock_dag::digest(cid)?;
        let call = "block/stat";
        let request = || BlockStat(vec![("arg", raw_cid(digest).to_string()), offline()]);
        match self.inner.retried(call, request, || None, ANSWER_BYTES_MAX).await {
            Ok(answer) => match serde_json::from_slice::<Stat>(&answer) {
                Ok(stat) if stat.digest() == Some(digest) => Ok(true),
                _ => Err(self.inner.bad_answer(call, NOT_JSON)),
            },
            Err(error) if is_missing(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Unpins and removes blocks, and looks whether they are gone. Those pinned by
    /// others under another name are not removed, and reported.
    ///
    /// # Errors
    /// [`Error::Block`]. What a node does not do is in the [`Removal`].
    pub async fn remove(&self, cids: Vec<Cid>) -> Result<Removal, Error> {
        for cid in &cids {
            medlock_dag::digest(cid)?;
        }
        let down = AtomicBool::new(false);
        let outcomes = stream::iter(cids.into_iter().collect::<HashSet<_>>())
            .map(|cid| {
                let down = &down;
                async move {
                    // One silent node must not cost a time-out for each of many blocks.
                    if down.load(Ordering::Relaxed) {
                        return (cid, Err("the node failed to answer before".to_owned()));
                    }
                    let outcome = self.remove_one(&cid).await.map_err(|error| {
                        if matches!(error, Error::Unreachable { .. } | Error::Timeout { .. }) {
                            down.store(true, Ordering::Relaxed);
                        }
                        error.to_string()
                    });
                    (cid, outcome)
                }
            })
            .buffer_unordered(PARALLEL)
            .collect::<Vec<_>>()
            .await;
        let mut removal = Removal::default();
        for (cid, outcome) in outcomes {
            match outcome {
                Ok(was_there) => removal.removed += usize::from(was_there),
                Err(reason) => removal.unconfirmed.push(Unconfirmed {
                    cid,
                    store: self.name(),
                    reason,
                }),
            }
        }
        Ok(removal)
    }

    /// Puts those of `blocks` that are missing, damaged or not pinned: how many that were.
    ///
    /// # Errors
    /// Those of `get` and `put`; [`Error::Corrupt`] where the node keeps a damaged copy.
    pub async fn repair(&self, blocks: Vec<Block>) -> Result<usize, Error> {
        let blocks = stream::iter(blocks)
            .map(|block| async move { Ok::<_, Error>((!self.is_kept(&block.cid).await?).then_some(block)) })
            .buffer_unordered(PARALLEL)
            .try_filter_map(future::ok)
            .try_collect::<Vec<_>>()
            .await?;
        let cids = blocks.iter().map(|block| block.cid).collect::<Vec<_>>();
        self.put(blocks).await?;
        let repaired = cids.len();
        let gets = stream::iter(cids).map(|cid| async move {
            match self.get(&cid).await? {
                Some(_) => Ok(()),
                None => Err(self.inner.bad_answer("block/put", "it does not have what it stored")),
            }
        });
        gets.buffer_unordered(PARALLEL).try_collect::<()>().await?;
        Ok(repaired)
    }

    pub(crate) fn begin_gc(&self) -> Result<GcRun, Error> {
        self.inner.fresh().begin()
    }

    pub(crate) fn end_gc(&self, run: GcRun) {
        self.inner.fresh().end(run);
    }

    /// Unpins what is ours, not in `live` and not put since the beginning, and has
    /// the node collect what nobody pins: how many of ours that was.
    pub(crate) async fn sweep(&self, run: GcRun, live: Arc<HashSet<Digest>>) -> Result<usize, Error> {
        let mut doomed = self.pins().await?;
        doomed.retain(|digest| !live.contains(digest));
        let mut swept = 0;
        for chunk in doomed.chunks(BATCH_BLOCKS_MAX) {
            let _no_adds = self.inner.adds.write().await;
            let chunk = {
                let fresh = self.inner.fresh();
                let fresh = fresh.of(run)?;
                chunk
                    .iter()
                    .filter(|digest| !fresh.contains(*digest))
                    .copied()
                    .collect::<Vec<_>>()
            };
            swept += chunk.len();
            stream::iter(chunk)
                .map(|digest| async move { self.unpin(&raw_cid(digest)).await })
                .buffer_unordered(PARALLEL)
                .try_collect::<()>()
                .await?;
        }
        // A block that is being added is unpinned for a moment: its pin fails then, and it is put again.
        let gc = RepoGc(vec![("stream-errors", "true".into())]);
        self.inner
            .lines("repo/gc", gc, |line| {
                let line = serde_json::from_slice::<GcLine>(line);
                match line.map_err(|_| self.inner.bad_answer("repo/gc", NOT_JSON))?.error {
                    error if error.is_empty() => Ok(()),
                    error => Err(self.inner.failed("repo/gc", 200, &error)),
                }
            })
            .await?;
        Ok(swept)
    }

    async fn put_batch(&self, (codec, blocks): (u64, Vec<Block>)) -> Result<(), Error> {
        for attempt in 1.. {
            self.block_put(codec, &blocks).await?;
            match self.pin(&blocks).await {
                // A collection of the node's, or of another process, came between.
                Err(error) if is_missing(&error) && attempt < PUTS_MAX => {}
                result => return result,
            }
        }
        unreachable!("the loop ends at PUTS_MAX")
    }

    async fn block_put(&self, codec: u64, blocks: &[Block]) -> Result<(), Error> {
        let call = "block/put";
        let request = || {
            BlockPut(vec![
                ("cid-codec", codec_name(codec).into()),
                ("mhtype", "sha2-256".into()),
                ("mhlen", "32".into()),
                ("pin", "false".into()),
            ])
        };
        let form = || {
            let mut form = Form::default();
            for block in blocks {
                form.add_reader_file("data", Cursor::new(block.bytes.clone()), "block");
            }
            Some(form)
        };
        let answer = self.inner.retried(call, request, form, ANSWER_BYTES_MAX).await?;
        let mut stats = serde_json::Deserializer::from_slice(&answer).into_iter::<Stat>();
        for block in blocks {
            let Some(Ok(stat)) = stats.next() else {
                return Err(self.inner.bad_answer(call, NOT_JSON));
            };
            if stat.key.parse().ok() != Some(block.cid) {
                return Err(Error::OtherCid {
                    node: self.name(),
                    expected: block.cid.into(),
                    answered: shown(&stat.key),
                });
            }
        }
        match stats.next() {
            None => Ok(()),
            Some(_) => Err(self.inner.bad_answer(call, "it names more blocks than were put")),
        }
    }

    /// Pins those of `blocks` that are not pinned by us.
    async fn pin(&self, blocks: &[Block]) -> Result<(), Error> {
        let _pins = self.inner.pins.lock().await;
        let cids = blocks
            .iter()
            .map(|block| medlock_dag::digest(&block.cid).map(raw_cid))
            .collect::<Result<Vec<_>, _>>()?;
        // One by one: of several, the answer ends at the first that is not pinned.
        let unpinned = stream::iter(cids)
            .map(|cid| async move { Ok::<_, Error>((!self.is_pinned(&cid).await?).then_some(cid)) })
            .buffered(PARALLEL)
            .try_filter_map(future::ok)
            .try_collect::<Vec<_>>()
            .await?;
        if unpinned.is_empty() {
            return Ok(());
        }
        self.pin_add(&unpinned).await
    }

    /// Whether a block is pinned under our name.
    async fn is_pinned(&self, cid: &Cid) -> Result<bool, Error> {
        let call = "pin/ls";
        let request = || {
            PinLs(vec![
                ("arg", cid.to_string()),
                ("type", "recursive".into()),
                ("names", "true".into()),
                ("stream", "true".into()),
                offline(),
            ])
        };
        match self.inner.retried(call, request, || None, LINE_BYTES_MAX).await {
            Ok(answer) => match serde_json::from_slice::<Pin>(&answer) {
                Ok(pin) if pin.cid.parse().ok() == Some(*cid) => Ok(pin.name == PIN_NAME),
                Ok(_) => Err(self.inner.bad_answer(call, "it is about another block")),
                Err(_) => Err(self.inner.bad_answer(call, NOT_JSON)),
            },
            Err(error) if is_unpinned(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn pin_add(&self, cids: &[Cid]) -> Result<(), Error> {
        let call = "pin/add";
        let request = || {
            let mut query = vec![
                ("recursive", "true".into()),
                ("name", PIN_NAME.into()),
                ("fast-provide-root", "false".into()),
                offline(),
            ];
            query.extend(cids.iter().map(|cid| ("arg", cid.to_string())));
            PinAdd(query)
        };
        let answer = self.inner.retried(call, request, || None, ANSWER_BYTES_MAX).await?;
        self.check_pins(call, &answer, cids)
    }

    /// Whether a block is there, whole and pinned. A copy that is not whole is gone after this.
    async fn is_kept(&self, cid: &Cid) -> Result<bool, Error> {
        match self.get(cid).await {
            Ok(Some(_)) => self.is_pinned(&raw_cid(medlock_dag::digest(cid)?)).await,
            Ok(None) => Ok(false),
            // Kubo does not write what it believes to have.
            Err(error @ Error::Corrupt { .. }) => match self.remove_one(cid).await? {
                true => Ok(false),
                false => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    /// Removes one block: whether it was there. It is gone if this succeeds.
    async fn remove_one(&self, cid: &Cid) -> Result<bool, Error> {
        let raw = raw_cid(medlock_dag::digest(cid)?);
        self.unpin(&raw).await?;
        let call = "block/rm";
        // Not repeated: the answer tells whether it was there.
        let request = BlockRm(vec![("arg", raw.to_string()), offline()]);
        let answer = self.inner.collect(call, request, None, ANSWER_BYTES_MAX).await?;
        let line =
            serde_json::from_slice::<RemovedBlock>(&answer).map_err(|_| self.inner.bad_answer(call, NOT_JSON))?;
        let removed = match line.error {
            error if error.is_empty() => true,
            error if error.contains(MISSING) => false,
            error => return Err(self.inner.failed(call, 200, &error)),
        };
        if line.hash.parse().ok() != Some(raw) {
            return Err(self.inner.bad_answer(call, "it is about another block"));
        }
        if self.has(cid).await? {
            return Err(self.inner.bad_answer(call, "the block is still there"));
        }
        Ok(removed)
    }

    async fn unpin(&self, cid: &Cid) -> Result<(), Error> {
        let request = || PinRm(vec![("arg", cid.to_string()), ("recursive", "true".into()), offline()]);
        match self.inner.retried("pin/rm", request, || None, ANSWER_BYTES_MAX).await {
            Ok(answer) => self.check_pins("pin/rm", &answer, &[*cid]),
            Err(error) if is_unpinned(&error) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Checks that an answer names the pins `expected`, in order.
    fn check_pins(&self, call: &'static str, answer: &[u8], expected: &[Cid]) -> Result<(), Error> {
        let answer = serde_json::from_slice::<Pins>(answer).map_err(|_| self.inner.bad_answer(call, NOT_JSON))?;
        let pins = answer.pins.iter().map(|pin| pin.parse::<Cid>().ok());
        if pins.eq(expected.iter().copied().map(Some)) {
            Ok(())
        } else {
            Err(self.inner.bad_answer(call, "it names other pins than were asked for"))
        }
    }

    /// What we pinned.
    async fn pins(&self) -> Result<Vec<Digest>, Error> {
        let request = PinLs(vec![
            ("type", "recursive".into()),
            ("stream", "true".into()),
            ("name", PIN_NAME.into()),
        ]);
        let mut pins = Vec::new();
        // A list cut between two lines is not noticed, and harmless: what is not listed is not swept.
        self.inner
            .lines("pin/ls", request, |line| {
                let pin = serde_json::from_slice::<Pin>(line).map_err(|_| self.inner.bad_answer("pin/ls", NOT_JSON))?;
                let digest = pin
                    .cid
                    .parse::<Cid>()
                    .ok()
                    .and_then(|cid| medlock_dag::digest(&cid).ok());
                // The node's filter is by a part of the name.
                if let (PIN_NAME, Some(digest)) = (&*pin.name, digest) {
                    if pins.len() == PINS_MAX {
                        return Err(self.inner.bad_answer("pin/ls", TOO_LONG));
                    }
                    pins.push(digest);
                }
                Ok(())
            })
            .await?;
        Ok(pins)
    }
}

impl Inner {
    /// One call that may be repeated: what it does twice it does once. A broken
    /// connection is tried again; a wrong answer, a failure and a time-out are not.
    async fn retried<R: ApiRequest>(
        &self,
        call: &'static str,
        request: impl Fn() -> R,
        form: impl Fn() -> Option<Form<'static>>,
        bytes_max: usize,
    ) -> Result<Vec<u8>, Error> {
        let attempts = async {
            for attempt in 1.. {
                match self.collect(call, request(), form(), bytes_max).await {
                    Err(Error::Unreachable { reason, .. }) if attempt < ATTEMPTS_MAX => {
                        tracing::debug!(call, reason, "calling the IPFS node again");
                    }
                    result => return result,
                }
            }
            unreachable!("the loop ends at ATTEMPTS_MAX")
        };
        let timeout = self.options.timeout;
        match tokio::time::timeout(timeout, attempts).await {
            Ok(result) => result,
            Err(_) => Err(self.timed_out(call, timeout)),
        }
    }

    /// One call: its answer of at most `bytes_max` bytes.
    async fn collect<R: ApiRequest>(
        &self,
        call: &'static str,
        request: R,
        form: Option<Form<'static>>,
        bytes_max: usize,
    ) -> Result<Vec<u8>, Error> {
        let mut answer = Vec::new();
        let take = |bytes: &[u8]| {
            if answer.len() + bytes.len() > bytes_max {
                return Err(self.bad_answer(call, TOO_LONG));
            }
            answer.extend(bytes);
            Ok(())
        };
        self.call(call, request, form, self.options.timeout, take).await?;
        Ok(answer)
    }

    /// One call about all blocks, its answer given to `take` line by line.
    async fn lines<R: ApiRequest>(
        &self,
        call: &'static str,
        request: R,
        mut take: impl FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut line = Vec::new();
        let split = |bytes: &[u8]| {
            for byte in bytes {
                match byte {
                    b'\n' => take(&std::mem::take(&mut line))?,
                    _ if line.len() == LINE_BYTES_MAX => return Err(self.bad_answer(call, TOO_LONG)),
                    byte => line.push(*byte),
                }
            }
            Ok(())
        };
        self.call(call, request, None, self.options.gc_timeout, split).await?;
        if line.is_empty() {
            Ok(())
        } else {
            Err(self.bad_answer(call, CUT_SHORT))
        }
    }

    /// One call, its answer given to `take` piece by piece as it comes.
    async fn call<R: ApiRequest>(
        &self,
        call: &'static str,
        request: R,
        form: Option<Form<'static>>,
        timeout: Duration,
        mut take: impl FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let unreachable = |error: hyper::Error| Error::Unreachable {
            node: self.url.clone(),
            call,
            reason: error.to_string(),
        };
        let request = self
            .api
            .build_base_request(request, form)
            .map_err(|error| Error::BadUrl {
                url: self.url.clone(),
                reason: error.to_string(),
            })?;
        let exchange = async {
            let answer = self.http.request(request).await.map_err(unreachable)?;
            let status = answer.status().as_u16();
            let mut body = answer.into_body();
            if status != 200 {
                let mut text = Vec::new();
                while let Some(Ok(piece)) = body.data().await {
                    if text.len() + piece.len() > LINE_BYTES_MAX {
                        break;
                    }
                    text.extend(piece);
                }
                return Err(match serde_json::from_slice::<Failure>(&text) {
                    Ok(failure) => self.failed(call, status, &failure.message),
                    Err(_) => self.failed(call, status, &String::from_utf8_lossy(&text)),
                });
            }
            while let Some(piece) = body.data().await {
                take(&piece.map_err(unreachable)?)?;
            }
            Ok(())
        };
        match tokio::time::timeout(timeout, exchange).await {
            Ok(result) => result,
            Err(_) => Err(self.timed_out(call, timeout)),
        }
    }

    fn timed_out(&self, call: &'static str, timeout: Duration) -> Error {
        Error::Timeout {
            node: self.url.clone(),
            call,
            timeout_ms: timeout.as_millis(),
        }
    }

    fn bad_answer(&self, call: &'static str, reason: &'static str) -> Error {
        Error::BadAnswer {
            node: self.url.clone(),
            call,
            reason,
        }
    }

    fn failed(&self, call: &'static str, status: u16, message: &str) -> Error {
        Error::Node {
            node: self.url.clone(),
            call,
            status,
            message: shown(message),
        }
    }

    // Nothing that can panic is done under this lock.
    fn fresh(&self) -> MutexGuard<'_, Fresh> {
        self.fresh.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What Kubo says of a block that it does not have (go-ipld-format `ErrNotFound`).
const MISSING: &str = "ipld: could not find";

fn is_missing(error: &Error) -> bool {
    matches!(error, Error::Node { status: 500, message, .. } if message.contains(MISSING))
}

fn is_unpinned(error: &Error) -> bool {
    matches!(error, Error::Node { status: 500, message, .. } if message.contains("not pinned"))
}

/// The option that keeps a node from asking its peers.
fn offline() -> (&'static str, String) {
    ("offline", "true".into())
}

/// What a node sent, as much as fits a log line.
fn shown(text: &str) -> String {
    text.chars().filter(|char| !char.is_control()).take(300).collect()
}

fn codec_name(codec: u64) -> &'static str {
    match codec {
        DAG_PB => "dag-pb",
        DAG_CBOR => "dag-cbor",
        // `digest` lets no fourth through.
        _ => "raw",
    }
}

/// Blocks by codec, in parts that fit a request.
fn batches(blocks: Vec<Block>) -> Vec<(u64, Vec<Block>)> {
    let mut by_codec = BTreeMap::<u64, Vec<Block>>::new();
    for block in blocks {
        by_codec.entry(block.cid.codec()).or_default().push(block);
    }
    let mut batches = Vec::new();
    for (codec, blocks) in by_codec {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        for block in blocks {
            let full = batch.len() == BATCH_BLOCKS_MAX || bytes + block.bytes.len() > BATCH_BYTES_MAX;
            if full && !batch.is_empty() {
                batches.push((codec, std::mem::take(&mut batch)));
                bytes = 0;
            }
            bytes += block.bytes.len();
            batch.push(block);
        }
        batches.push((codec, batch));
    }
    batches
}

/// The calls, in forms that `ipfs-api-prelude` lacks: with repeated arguments,
/// `cid-codec`, `offline`, pins with names, `repo/gc`.
macro_rules! calls {
    ($($call:ident $path:literal),*) => {$(
        #[derive(Serialize)]
        #[serde(transparent)]
        struct $call(Vec<(&'static str, String)>);

        impl ApiRequest for $call {
            const PATH: &'static str = $path;
        }
    )*};
}
calls!(BlockGet "/block/get", BlockPut "/block/put", BlockRm "/block/rm", BlockStat "/block/stat");
calls!(PinAdd "/pin/add", PinLs "/pin/ls", PinRm "/pin/rm", RepoGc "/repo/gc");

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Stat {
    key: String,
}

impl Stat {
    fn digest(&self) -> Option<Digest> {
        medlock_dag::digest(&self.key.parse().ok()?).ok()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Pins {
    pins: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Pin {
    cid: String,
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RemovedBlock {
    hash: String,
    #[serde(default)]
    error: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GcLine {
    #[serde(default)]
    error: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Failure {
    message: String,
}
