//! Payloads of any length, in memory that does not grow with them: sealed and opened from end to end, or a byte range alone.
//!
//! The bytes are those of [`payload`](crate::payload), and so are the checks: [`open_payload`](crate::open_payload) is
//! [`open_stream`] into memory. Where bytes come from and go to is the caller's; this module only asks for the next.
use std::{
    io::{self, Read, Write},
    ops::Range,
};

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::{
    Binding, DataKey, Error, Metadata,
    payload::{
        CHUNK_BYTES, Encoding, First, HEADER_BYTES, Header, PayloadSeal, Started, Stream, TAG_BYTES, check_binding,
        check_content_length, check_region_length, decompress, encode_metadata, padded_length,
    },
    stack,
};

/// Content in one payload at most: 2^32 blocks of AES, far within what one key of AES-GCM may encrypt (SP 800-38D).
pub const STREAMED_BYTES_MAX: u64 = 64 * 1024 * 1024 * 1024;

const SEALED_CHUNK_BYTES: usize = CHUNK_BYTES + TAG_BYTES;
/// Chunks that are sealed or opened together: 4 MiB, in which starting threads does not count.
const BATCH_CHUNKS: usize = 64;
/// Chunks that are worth a thread.
const CHUNKS_PER_THREAD_MIN: usize = 8;
/// Threads at once; the disk or the network is slower than four of them.
const THREADS_MAX: usize = 4;

/// Why a stream ended early.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    #[error(transparent)]
    Vault(#[from] Error),
    /// Of the caller's reader or writer.
    #[error("the stream broke off: {0}")]
    Io(#[from] io::Error),
}

impl StreamError {
    /// Of a stream from a slice into memory, neither of which fails.
    pub(crate) fn in_memory(self) -> Error {
        match self {
            Self::Vault(error) => error,
            Self::Io(_) => Error::Truncated,
        }
    }
}

/// Seals `content_bytes` bytes of `content` under a fresh data key: [`StreamSealer`] from end to end.
///
/// # Errors
/// Those of [`StreamSealer`]; what `out` fails with.
pub fn seal_stream(
    rng: &mut impl CryptoRng,
    binding: &Binding,
    metadata: &Metadata,
    content_bytes: u64,
    mut content: impl Read,
    mut out: impl Write,
) -> Result<PayloadSeal, StreamError> {
    let mut sealer = StreamSealer::new(rng, binding, metadata, content_bytes)?;
    while let Some(sealed) = sealer.next(&mut content)? {
        out.write_all(sealed)?;
    }
    out.flush()?;
    Ok(sealer.finish())
}

/// Seals the metadata chunk `first`, under keys that are drawn for the binding, for it, and for what is `known` of the content (its
/// digest, or zeros), then `body` (content, stored or compressed) with its padding. The binding is a possible one.
///
/// # Errors
/// [`Error::ContentLength`] where the body is not `body_bytes` long; what the reader fails with.
pub(crate) fn seal_region(
    rng: &mut impl CryptoRng,
    binding: &Binding,
    first: &[u8],
    known: &[u8; 32],
    body_bytes: u64,
    mut body: impl Read,
    out: &mut Vec<u8>,
) -> Result<PayloadSeal, StreamError> {
    let mut sealer = StreamSealer::begin(rng, binding, first, known, body_bytes);
    while let Some(sealed) = sealer.next(&mut body)? {
        out.extend_from_slice(sealed);
    }
    Ok(sealer.finish())
}

/// A payload in the making: content is read and sealed as its bytes are asked for, some chunks at a time. It is stored, not compressed:
/// whether compression pays is known at the end alone, and stored content can be opened in ranges.
///
/// What was handed out before an error opens as nothing.
pub struct StreamSealer {
    stream: Stream,
    /// Header and metadata chunk.
    start: Vec<u8>,
    started: bool,
    seal: PayloadSeal,
    body_bytes: u64,
    /// Of the body, not read yet.
    left: u64,
    padded: bool,
    batch: Batch,
    sealed_bytes: u64,
    /// Of content, and the next of them.
    chunks: u64,
    chunk: u64,
    /// Something went wrong, after which no chunk is what it should be.
    failed: bool,
}

impl StreamSealer {
    /// # Errors
    /// [`Error::TooLarge`] for more than [`STREAMED_BYTES_MAX`] or too much metadata, [`Error::Malformed`] or
    /// [`Error::CompartmentRange`] for an impossible binding.
    pub fn new(
        rng: &mut impl CryptoRng,
        binding: &Binding,
        metadata: &Metadata,
        content_bytes: u64,
    ) -> Result<Self, Error> {
        check_binding(binding)?;
        check_content_length(STREAMED_BYTES_MAX, content_bytes)?;
        let first = encode_metadata(metadata, Encoding::Stored, content_bytes)?;
        // The content is not known yet.
        Ok(stack::wiping(|| {
            Self::begin(rng, binding, &first, &[0; 32], content_bytes)
        }))
    }

    fn begin(rng: &mut impl CryptoRng, binding: &Binding, first: &[u8], known: &[u8; 32], body_bytes: u64) -> Self {
        let Started {
            stream,
            header,
            data_key,
            commitment,
        } = Started::new(rng, binding, first, known);
        let mut slot = Zeroizing::new([first, &[0; TAG_BYTES]].concat());
        stream.seal(0, false, &mut slot);
        let start = [&header[..], &slot].concat();
        let region_bytes = padded_length(body_bytes);
        let chunks = region_bytes.div_ceil(CHUNK_BYTES as u64);
        let sealed_bytes = region_bytes + chunks * TAG_BYTES as u64;
        Self {
            stream,
            seal: PayloadSeal {
                data_key,
                commitment,
                payload_bytes: start.len() as u64 + sealed_bytes,
            },
            start,
            started: false,
            body_bytes,
            left: body_bytes,
            padded: false,
            batch: Batch::new(sealed_bytes),
            sealed_bytes,
            chunks,
            chunk: 0,
            failed: false,
        }
    }

    /// The payload's next bytes, at most some MiB; none at its end. `content` goes on where it was.
    ///
    /// # Errors
    /// [`Error::ContentLength`] where the content is shorter or longer than was stated; what the reader fails with.
    pub fn next(&mut self, content: &mut impl Read) -> Result<Option<&[u8]>, StreamError> {
        if !self.started {
            self.started = true;
            return Ok(Some(&self.start));
        }
        if self.chunk >= self.chunks {
            return Ok(None);
        }
        if std::mem::replace(&mut self.failed, true) {
            return Err(self.declared().into());
        }
        stack::wiping(|| self.seal_batch(content))?;
        self.failed = false;
        let first = self.chunk;
        self.chunk = self.chunks.min(first + BATCH_CHUNKS as u64);
        Ok(Some(self.batch.of(first, self.sealed_bytes)))
    }

    fn seal_batch(&mut self, content: &mut impl Read) -> Result<(), StreamError> {
        let declared = self.declared();
        let (first_chunk, chunks) = (self.chunk, self.chunks);
        let slots = self.batch.of(first_chunk, self.sealed_bytes);
        // Each chunk is sealed where its plaintext was read to.
        for slot in slots.chunks_mut(SEALED_CHUNK_BYTES) {
            let length = slot.len() - TAG_BYTES;
            let filled = self.left.min(length as u64) as usize;
            content
                .read_exact(&mut slot[..filled])
                .map_err(|error| match error.kind() {
                    io::ErrorKind::UnexpectedEof => StreamError::Vault(declared.clone()),
                    _ => error.into(),
                })?;
            slot[filled..].fill(0);
            if filled < length && !self.padded {
                slot[filled] = 0x80;
                self.padded = true;
            }
            self.left -= filled as u64;
        }
        // Nobody can open the payload before its last chunk: none is made of content that goes on.
        let is_end = first_chunk + BATCH_CHUNKS as u64 >= chunks;
        if is_end && has_more(content)? {
            return Err(declared.into());
        }
        let stream = &self.stream;
        each_chunk(slots, |at, slot| {
            let chunk = first_chunk + at as u64;
            // The metadata is chunk 0.
            stream.seal(chunk as u32 + 1, chunk + 1 == chunks, slot);
            Ok(())
        })?;
        Ok(())
    }

    /// What goes into the envelope, once there is no more to hand out.
    ///
    /// # Panics
    /// Before.
    pub fn finish(self) -> PayloadSeal {
        assert!(self.chunk >= self.chunks && !self.failed, "a payload without its end");
        self.seal
    }

    fn declared(&self) -> Error {
        Error::ContentLength {
            declared: self.body_bytes,
        }
    }
}

/// Opens a payload of `payload_bytes` bytes (as the envelope states) and writes its content to `out` as it goes: each chunk
/// once it is authentic, and in order. **What was written counts only when this returns without an error**: a payload
/// may be cut short, or altered, at its end.
///
/// # Errors
/// As [`open_payload`](crate::open_payload); what reader and writer fail with. A reader that ends early is [`Error::Truncated`].
pub fn open_stream(
    data_key: &DataKey,
    binding: &Binding,
    payload_bytes: u64,
    payload: impl Read,
    out: impl Write,
) -> Result<Metadata, StreamError> {
    stack::wiping(|| open_within(STREAMED_BYTES_MAX, data_key, binding, payload_bytes, payload, out))
}

/// [`open_stream`] of content that is at most `most` long.
pub(crate) fn open_within(
    most: u64,
    data_key: &DataKey,
    binding: &Binding,
    payload_bytes: u64,
    mut payload: impl Read,
    mut out: impl Write,
) -> Result<Metadata, StreamError> {
    let mut header = [0; HEADER_BYTES];
    // What is not a payload is told before what is cut short.
    let read = read_up_to(&mut payload, &mut header)?;
    let metadata_bytes = Header::parse(&header[..read])?.sealed_metadata_bytes();
    let mut start = vec![0; HEADER_BYTES + metadata_bytes];
    start[..HEADER_BYTES].copy_from_slice(&header);
    let read = read_up_to(&mut payload, &mut start[HEADER_BYTES..])?;
    start.truncate(HEADER_BYTES + read);
    let first = First::open(most, data_key, binding, &start)?;
    let layout = Layout::of(&first, payload_bytes)?;

    let mut region = Region {
        first: &first,
        layout,
        payload,
        next: 0,
        batch: Batch::new(layout.sealed_bytes()),
        chunk: 0..0,
        read: 0,
        fault: None,
    };
    let copied = match first.encoding {
        Encoding::Stored => region.copy(first.content_bytes, &mut out),
        Encoding::Zstd => region.decompress(first.content_bytes, &mut out),
    };
    let ended = copied.and_then(|()| region.padding());
    if let Some(fault) = region.fault.take() {
        return Err(fault);
    }
    ended?;
    out.flush()?;
    Ok(first.metadata)
}

/// A payload of which ranges are opened, each from the chunks that it lies in.
pub struct RangeOpener {
    first: First,
    layout: Layout,
}

impl RangeOpener {
    /// How many bytes from the payload's start [`Self::new`] wants, by the first [`HEADER_BYTES`].
    ///
    /// # Errors
    /// As [`open_payload`](crate::open_payload), from the clear part.
    pub fn start_bytes(header: &[u8]) -> Result<usize, Error> {
        Ok(HEADER_BYTES + Header::parse(header)?.sealed_metadata_bytes())
    }

    /// `start`: the payload's first [`Self::start_bytes`] bytes, or more; `payload_bytes`: its length, as the envelope states.
    ///
    /// # Errors
    /// As [`open_payload`](crate::open_payload).
    pub fn new(data_key: &DataKey, binding: &Binding, payload_bytes: u64, start: &[u8]) -> Result<Self, Error> {
        let first = stack::wiping(|| First::open(STREAMED_BYTES_MAX, data_key, binding, start))?;
        let layout = Layout::of(&first, payload_bytes)?;
        Ok(Self { first, layout })
    }

    pub fn metadata(&self) -> &Metadata {
        &self.first.metadata
    }

    /// Length of the content.
    pub fn content_bytes(&self) -> u64 {
        self.first.content_bytes
    }

    /// Where the chunks that hold these bytes of the content lie in the payload.
    ///
    /// # Errors
    /// [`Error::Range`]: empty, or not within the content; or the content is compressed, and has no ranges.
    pub fn sealed_range(&self, range: &Range<u64>) -> Result<Range<u64>, Error> {
        let chunks = self.chunks(range)?;
        let at = |chunk: u64| self.layout.content_at + chunk * SEALED_CHUNK_BYTES as u64;
        Ok(at(chunks.start)..at(chunks.end).min(self.layout.payload_bytes))
    }

    /// Opens `range` of the content; `sealed` is what stands at [`Self::sealed_range`].
    ///
    /// # Errors
    /// As [`Self::sealed_range`]; [`Error::Truncated`] where `sealed` has another length; [`Error::Chunk`].
    pub fn open_range(&self, range: &Range<u64>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let place = self.sealed_range(range)?;
        if sealed.len() as u64 != place.end - place.start {
            return Err(Error::Truncated);
        }
        let chunks = self.chunks(range)?;
        let mut slots = Zeroizing::new(sealed.to_vec());
        each_chunk(&mut slots, |at, slot| {
            self.layout.open_chunk(&self.first, chunks.start + at as u64, slot)
        })?;
        let mut opened = Zeroizing::new(Vec::with_capacity(sealed.len()));
        for slot in slots.chunks(SEALED_CHUNK_BYTES) {
            opened.extend_from_slice(&slot[..slot.len() - TAG_BYTES]);
        }
        // Within what was opened, which fits in memory: the range lies within these chunks.
        let skip = (range.start - chunks.start * CHUNK_BYTES as u64) as usize;
        opened.truncate(skip + (range.end - range.start) as usize);
        opened.drain(..skip);
        Ok(opened)
    }

    /// The content chunks, from 0, that these bytes lie in.
    fn chunks(&self, range: &Range<u64>) -> Result<Range<u64>, Error> {
        let content = self.first.content_bytes;
        if self.first.encoding != Encoding::Stored || range.is_empty() || range.end > content {
            return Err(Error::Range {
                start: range.start,
                end: range.end,
                content,
            });
        }
        let size = CHUNK_BYTES as u64;
        Ok(range.start / size..range.end.div_ceil(size))
    }
}

/// Where the content chunks of a payload lie.
#[derive(Clone, Copy)]
struct Layout {
    payload_bytes: u64,
    content_at: u64,
    chunks: u64,
    /// Plaintext of all content chunks.
    region_bytes: u64,
}

impl Layout {
    fn of(first: &First, payload_bytes: u64) -> Result<Self, Error> {
        let content_at = first.start_bytes as u64;
        let sealed = payload_bytes.checked_sub(content_at).ok_or(Error::Truncated)?;
        let (tag, chunk) = (TAG_BYTES as u64, SEALED_CHUNK_BYTES as u64);
        let chunks = sealed.div_ceil(chunk);
        if sealed <= tag || sealed - (chunks - 1) * chunk <= tag {
            return Err(Error::Truncated);
        }
        let region_bytes = sealed - chunks * tag;
        // Also bounds the number of chunks, which is a u32 in each nonce.
        check_region_length(first.encoding, first.content_bytes, region_bytes)?;
        Ok(Self {
            payload_bytes,
            content_at,
            chunks,
            region_bytes,
        })
    }

    /// Length of all content chunks with their tags.
    fn sealed_bytes(&self) -> u64 {
        self.payload_bytes - self.content_at
    }

    /// Opens content chunk `number`, from 0.
    fn open_chunk(&self, first: &First, number: u64, slot: &mut [u8]) -> Result<(), Error> {
        // The metadata is chunk 0.
        first.stream.open(number as u32 + 1, number + 1 == self.chunks, slot)
    }
}

/// Room for sealed chunks that are worked on together, wiped on drop and never grown.
struct Batch(Zeroizing<Vec<u8>>);

impl Batch {
    /// Of content chunks that are `sealed_bytes` long together.
    fn new(sealed_bytes: u64) -> Self {
        let bytes = sealed_bytes.min((BATCH_CHUNKS * SEALED_CHUNK_BYTES) as u64);
        Self(Zeroizing::new(vec![0; bytes as usize]))
    }

    /// Room for the batch that begins with chunk `first`.
    fn of(&mut self, first: u64, sealed_bytes: u64) -> &mut [u8] {
        let left = sealed_bytes - first * SEALED_CHUNK_BYTES as u64;
        let bytes = left.min(self.0.len() as u64) as usize;
        &mut self.0[..bytes]
    }
}

/// Does `work` on each sealed chunk of `slots`, which it gets with its number in `slots`, on as many threads as pay.
///
/// # Errors
/// That of the first chunk that fails, whichever thread was the fastest.
fn each_chunk(slots: &mut [u8], work: impl Fn(usize, &mut [u8]) -> Result<(), Error> + Sync) -> Result<(), Error> {
    let chunks = slots.len().div_ceil(SEALED_CHUNK_BYTES);
    let threads = match (chunks / CHUNKS_PER_THREAD_MIN).min(THREADS_MAX) {
        0 | 1 => 1,
        // In WASM there is one.
        most => std::thread::available_parallelism().map_or(1, |cores| most.min(cores.get())),
    };
    let share_chunks = chunks.div_ceil(threads);
    let work_on = |share: usize, slots: &mut [u8]| {
        let mut slots = slots.chunks_mut(SEALED_CHUNK_BYTES).enumerate();
        // The stack of a thread that has ended is kept for the next.
        stack::wiping(|| slots.try_for_each(|(at, slot)| work(share * share_chunks + at, slot)))
    };
    let mut shares = slots.chunks_mut(share_chunks * SEALED_CHUNK_BYTES).enumerate();
    let Some((_, own)) = shares.next() else {
        return Ok(());
    };
    std::thread::scope(|scope| {
        let work_on = &work_on;
        let others: Vec<_> = shares
            .map(|(share, slots)| scope.spawn(move || work_on(share, slots)))
            .collect();
        let mut outcome = work_on(0, own);
        for other in others {
            let other = other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            outcome = outcome.and(other);
        }
        outcome
    })
}

/// The plaintext of the content chunks, one after the other.
struct Region<'a, R> {
    first: &'a First,
    layout: Layout,
    payload: R,
    /// The next content chunk to hand on, from 0.
    next: u64,
    batch: Batch,
    /// Where in `batch` the rest of the chunk before that stands, and how much of the region was handed on.
    chunk: Range<usize>,
    read: u64,
    /// Why there is no more to read: the decompressor is told, and tells, only that it failed.
    fault: Option<StreamError>,
}

impl<R: Read> Region<'_, R> {
    /// Stored content.
    fn copy(&mut self, content_bytes: u64, out: &mut impl Write) -> Result<(), StreamError> {
        let mut left = content_bytes;
        while left > 0 {
            let ready = self.fill()?;
            if ready.is_empty() {
                return Err(Error::ContentLength {
                    declared: content_bytes,
                }
                .into());
            }
            let taken = left.min(ready.len() as u64) as usize;
            out.write_all(&ready[..taken])?;
            self.take(taken);
            left -= taken as u64;
        }
        Ok(())
    }

    /// One zstd frame.
    fn decompress(&mut self, content_bytes: u64, out: &mut impl Write) -> Result<(), StreamError> {
        decompress(&mut *self, content_bytes, out)?;
        // One content, one length: a frame that is no shorter than its content would have been stored.
        if self.read >= content_bytes || padded_length(self.read) != self.layout.region_bytes {
            return Err(Error::Padding.into());
        }
        Ok(())
    }

    /// The rest of the region: 0x80, then zeros.
    fn padding(&mut self) -> Result<(), StreamError> {
        let mut expected = 0x80;
        loop {
            let ready = self.fill()?;
            if ready.is_empty() {
                break;
            }
            for byte in ready {
                if *byte != expected {
                    return Err(Error::Padding.into());
                }
                expected = 0;
            }
            let length = ready.len();
            self.take(length);
        }
        // There is at least the first byte of it.
        if expected == 0 {
            Ok(())
        } else {
            Err(Error::Padding.into())
        }
    }

    /// What is ready of the region; empty at its end.
    fn fill(&mut self) -> Result<&[u8], StreamError> {
        if self.chunk.is_empty() && self.next < self.layout.chunks {
            let sealed_bytes = self.layout.sealed_bytes();
            let at = self.next as usize % BATCH_CHUNKS;
            let first = self.next - at as u64;
            let slots = self.batch.of(first, sealed_bytes);
            if at == 0 {
                if read_up_to(&mut self.payload, slots)? < slots.len() {
                    return Err(Error::Truncated.into());
                }
                each_chunk(slots, |at, slot| {
                    self.layout.open_chunk(self.first, first + at as u64, slot)
                })?;
            }
            let start = at * SEALED_CHUNK_BYTES;
            let end = slots.len().min(start + SEALED_CHUNK_BYTES);
            self.chunk = start..end - TAG_BYTES;
            self.next += 1;
        }
        Ok(&self.batch.0[self.chunk.clone()])
    }

    fn take(&mut self, bytes: usize) {
        self.chunk.start += bytes;
        self.read += bytes as u64;
    }
}

impl<R: Read> Read for Region<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self.fill() {
            Ok(ready) => {
                let length = ready.len().min(out.len());
                out[..length].copy_from_slice(&ready[..length]);
                self.take(length);
                Ok(length)
            }
            Err(fault) => {
                self.fault = Some(fault);
                Err(io::ErrorKind::InvalidData.into())
            }
        }
    }
}

/// Fills `out`, or as much of it as there is.
pub(crate) fn read_up_to(source: &mut impl Read, out: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < out.len() {
        match source.read(&mut out[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

fn has_more(source: &mut impl Read) -> io::Result<bool> {
    Ok(read_up_to(source, &mut [0])? == 1)
}
