//! The payload: one record version's content, sealed under a fresh data key.
//!
//! ```text
//! header (80 bytes, clear) | metadata chunk | content chunk 1 | ... | content chunk n
//! ```
//! Each chunk is AES-256-GCM under STREAM-BE32 (Hoang, Reyhanitabar, Rogaway, Vizár, "Online Authenticated-Encryption
//! and its Nonce-Reuse Misuse-Resistance", CRYPTO 2015): the nonce holds the chunk's number and whether it is the last,
//! so that no chunk can be moved, dropped or added. The associated data of every chunk is the header and the
//! [`Binding`]. AES-GCM alone does not commit to its key: the header carries a commitment, checked first.
use hkdf::Hkdf;
use rand_core::{CryptoRng, Rng};
use ruzstd::{
    decoding::{BlockDecodingStrategy, FrameDecoder},
    encoding::{CompressionLevel, compress_to_vec},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::io::{self, Read, Write};
use zeroize::Zeroizing;

pub use crate::cipher::TAG_BYTES;
use crate::{
    Binding, DataKey, Error, cbor,
    cipher::{Cipher, Unauthentic},
    compartment,
    hedged::Hedged,
    seal::same,
    stack,
    streaming::{StreamError, open_within, seal_region},
};

/// First bytes of every payload.
pub const MAGIC: [u8; 8] = *b"MEDLOCKP";
/// The format that this module writes and reads.
pub const FORMAT_VERSION: u8 = 1;
/// HKDF-SHA256, AES-256-GCM, STREAM-BE32. Payload suites are numbered apart from sealing suites.
pub const PAYLOAD_SUITE: u16 = 1;
/// Length of the clear header.
pub const HEADER_BYTES: usize = 80;
/// Plaintext in every content chunk but the last.
pub const CHUNK_BYTES: usize = 64 * 1024;
/// The metadata chunk is padded to a multiple of this, so that a title's length does not show.
pub const METADATA_STEP_BYTES: usize = 256;
/// Plaintext of the metadata chunk at most.
pub const METADATA_BYTES_MAX: usize = 64 * 1024;
/// Short content is padded to this, where Padmé alone would give its length away.
pub const CONTENT_PADDED_BYTES_MIN: u64 = 1024;
/// Content that this module takes and gives back in one piece: it is held in memory about three times.
pub const CONTENT_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Window of a zstd frame at most: what RFC 8878 section 3.1.1.1.2 asks every decoder to support.
pub const ZSTD_WINDOW_BYTES_MAX: u64 = 8 * 1024 * 1024;

const WHAT: &str = "payload";
const METADATA_PREFIX_BYTES: usize = 1 + 8 + 4;

/// What a record is, for those who can open it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Metadata {
    /// RFC 6838, e.g. `application/fhir+json`.
    pub media_type: String,
    /// FHIR resource type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<String>,
    /// When it happened, in the precision the source gives (FHIR dateTime).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Where it came from, e.g. the entry's `fullUrl` in the imported bundle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// A sealed payload and what its envelope needs.
pub struct SealedPayload {
    /// What is stored.
    pub bytes: Vec<u8>,
    pub seal: PayloadSeal,
}

/// What an envelope says of a payload, and the key that it carries.
pub struct PayloadSeal {
    pub data_key: DataKey,
    /// Also in the payload's header.
    pub commitment: [u8; 32],
    /// Length of the payload.
    pub payload_bytes: u64,
}

/// Seals `content` under a fresh data key.
///
/// # Errors
/// [`Error::TooLarge`] for content over [`CONTENT_BYTES_MAX`] or metadata over [`METADATA_BYTES_MAX`];
/// [`Error::Malformed`] or [`Error::CompartmentRange`] for an impossible binding.
pub fn seal_payload(
    rng: &mut impl CryptoRng,
    binding: &Binding,
    metadata: &Metadata,
    content: &[u8],
) -> Result<SealedPayload, Error> {
    check_binding(binding)?;
    check_content_length(CONTENT_BYTES_MAX, content.len() as u64)?;
    let frame = compress(&metadata.media_type, content);
    let (encoding, body) = match &frame {
        Some(frame) => (Encoding::Zstd, frame.as_slice()),
        None => (Encoding::Stored, content),
    };
    let first = encode_metadata(metadata, encoding, content.len() as u64)?;

    let region = padded_length(body.len() as u64) as usize;
    let chunks = region.div_ceil(CHUNK_BYTES);
    let mut bytes = Vec::with_capacity(HEADER_BYTES + first.len() + region + (1 + chunks) * TAG_BYTES);
    let known = Zeroizing::new(<[u8; 32]>::from(Sha256::digest(body)));
    let seal = stack::wiping(|| seal_region(rng, binding, &first, &known, body.len() as u64, body, &mut bytes))
        .map_err(StreamError::in_memory)?;
    Ok(SealedPayload { bytes, seal })
}

/// Opens a whole payload. Nothing is returned unless all of it is authentic.
///
/// # Errors
/// [`Error::NotThis`], [`Error::UnknownVersion`], [`Error::UnknownSuite`], [`Error::Malformed`], [`Error::Truncated`]
/// from the clear part; [`Error::Commitment`] on a wrong key; [`Error::Chunk`] on anything altered;
/// [`Error::Padding`], [`Error::ContentLength`], [`Error::Compression`], [`Error::TooLarge`] on content that its own
/// author made wrongly.
pub fn open_payload(
    data_key: &DataKey,
    binding: &Binding,
    bytes: &[u8],
) -> Result<(Metadata, Zeroizing<Vec<u8>>), Error> {
    let mut content = Zeroizing::new(Vec::new());
    let length = bytes.len() as u64;
    let metadata = stack::wiping(|| {
        open_within(
            CONTENT_BYTES_MAX,
            data_key,
            binding,
            length,
            bytes,
            Content(&mut content),
        )
    })
    .map_err(StreamError::in_memory)?;
    Ok((metadata, content))
}

/// Opens the metadata alone: the header and the first chunk are enough, whatever follows is not looked at.
///
/// # Errors
/// As [`open_payload`].
pub fn open_metadata(data_key: &DataKey, binding: &Binding, bytes: &[u8]) -> Result<Metadata, Error> {
    stack::wiping(|| Ok(First::open(CONTENT_BYTES_MAX, data_key, binding, bytes)?.metadata))
}

/// The commitment in the header of `bytes`.
///
/// # Errors
/// As [`open_payload`], from the clear part.
pub fn commitment(bytes: &[u8]) -> Result<[u8; 32], Error> {
    Ok(Header::parse(bytes)?.commitment)
}

/// Padmé (Nikitin, Barman, Lueks, Underwood, Hubaux, Ford, "Reducing Metadata Leakage from Encrypted Files and
/// Communication with PURBs", PoPETs 2019, algorithm 1): the smallest padded length that is not less than `length`.
/// Costs at most 12 %, and leaks O(log log length) bits.
pub fn padme(length: u64) -> u64 {
    if length < 2 {
        return length;
    }
    let exponent = length.ilog2();
    let significant = exponent.ilog2() + 1;
    let mask = (1u64 << (exponent - significant)) - 1;
    (length + mask) & !mask
}

/// Length of the padded region for `length` bytes of stored or compressed content: at least one byte of padding.
pub(crate) fn padded_length(length: u64) -> u64 {
    padme((length + 1).max(CONTENT_PADDED_BYTES_MIN))
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Stored = 0,
    Zstd = 1,
}

pub(crate) struct Header {
    metadata_bytes: u32,
    salt: [u8; 32],
    commitment: [u8; 32],
}

impl Header {
    fn to_bytes(&self) -> [u8; HEADER_BYTES] {
        let mut out = [0; HEADER_BYTES];
        out[..8].copy_from_slice(&MAGIC);
        out[8] = FORMAT_VERSION;
        // out[9]: flags, none defined.
        out[10..12].copy_from_slice(&PAYLOAD_SUITE.to_be_bytes());
        out[12..16].copy_from_slice(&self.metadata_bytes.to_be_bytes());
        out[16..48].copy_from_slice(&self.salt);
        out[48..].copy_from_slice(&self.commitment);
        out
    }

    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Error> {
        if !bytes.starts_with(&MAGIC) {
            return Err(Error::NotThis { what: WHAT });
        }
        let Some(header) = bytes.first_chunk::<HEADER_BYTES>() else {
            return Err(Error::Truncated);
        };
        if header[8] != FORMAT_VERSION {
            return Err(Error::UnknownVersion {
                what: WHAT,
                version: header[8].into(),
            });
        }
        if header[9] != 0 {
            return Err(Error::malformed(WHAT, "unknown flags"));
        }
        let suite = u16::from_be_bytes([header[10], header[11]]);
        if suite != PAYLOAD_SUITE {
            return Err(Error::UnknownSuite { suite });
        }
        let metadata_bytes = u32::from_be_bytes([header[12], header[13], header[14], header[15]]);
        if metadata_bytes == 0
            || metadata_bytes as usize > METADATA_BYTES_MAX
            || !(metadata_bytes as usize).is_multiple_of(METADATA_STEP_BYTES)
        {
            return Err(Error::malformed(WHAT, "impossible length of the metadata chunk"));
        }
        let (mut salt, mut commitment) = ([0; 32], [0; 32]);
        salt.copy_from_slice(&header[16..48]);
        commitment.copy_from_slice(&header[48..]);
        Ok(Self {
            metadata_bytes,
            salt,
            commitment,
        })
    }

    /// Length of the metadata chunk with its tag.
    pub(crate) fn sealed_metadata_bytes(&self) -> usize {
        self.metadata_bytes as usize + TAG_BYTES
    }
}

/// A payload that is about to be sealed: fresh keys, and the header that commits to them.
pub(crate) struct Started {
    pub stream: Stream,
    pub header: [u8; HEADER_BYTES],
    pub data_key: DataKey,
    pub commitment: [u8; 32],
}

impl Started {
    /// `first`: the plaintext of the metadata chunk. `known`: the digest of the content, where all of it is at hand.
    pub(crate) fn new(rng: &mut impl CryptoRng, binding: &Binding, first: &[u8], known: &[u8; 32]) -> Self {
        let metadata_bytes = first.len() as u32;
        let context: [&[u8]; 2] = [&binding.to_bytes(), &Sha256::digest(first)];
        let rng = &mut Hedged::new(rng, "medlock/v1/payload/hedge", known, &context);
        let data_key = DataKey::generate(rng);
        let mut salt = [0; 32];
        rng.fill_bytes(&mut salt);
        let keys = Keys::derive(&data_key, &salt);
        let header = Header {
            metadata_bytes,
            salt,
            commitment: keys.commitment,
        };
        Self {
            stream: Stream::new(&keys, &header, binding),
            header: header.to_bytes(),
            data_key,
            commitment: keys.commitment,
        }
    }
}

/// What a data key expands to (HKDF-SHA256, RFC 5869).
struct Keys {
    encryption: Zeroizing<[u8; 32]>,
    commitment: [u8; 32],
    nonce_prefix: [u8; 7],
}

impl Keys {
    fn derive(data_key: &DataKey, salt: &[u8; 32]) -> Self {
        let mut keys = Self {
            encryption: Zeroizing::new([0; 32]),
            commitment: [0; 32],
            nonce_prefix: [0; 7],
        };
        let hkdf = Hkdf::<Sha256>::new(Some(salt), data_key.expose());
        let suite = PAYLOAD_SUITE.to_be_bytes();
        for (label, out) in [
            (&b"medlock/v1/payload/key"[..], &mut keys.encryption[..]),
            (b"medlock/v1/payload/commitment", &mut keys.commitment),
            (b"medlock/v1/payload/nonce", &mut keys.nonce_prefix),
        ] {
            // RFC 5869 section 2.3: expanding fails only past 255 * 32 bytes.
            hkdf.expand_multi_info(&[label, &suite], out)
                .expect("at most 32 bytes are asked for");
        }
        keys
    }
}

/// STREAM with its associated data. Chunks are independent of each other; the position makes them different.
pub(crate) struct Stream {
    /// On the heap, as any key is: it may hold round keys, and moves.
    cipher: Box<Cipher>,
    nonce_prefix: [u8; 7],
    aad: Vec<u8>,
}

impl Stream {
    fn new(keys: &Keys, header: &Header, binding: &Binding) -> Self {
        Self {
            cipher: Box::new(Cipher::new(&keys.encryption)),
            nonce_prefix: keys.nonce_prefix,
            aad: [&header.to_bytes()[..], &binding.to_bytes()].concat(),
        }
    }

    /// Seals the chunk that stands in `slot` before its last [`TAG_BYTES`] bytes.
    pub(crate) fn seal(&self, index: u32, last: bool, slot: &mut [u8]) {
        self.cipher.seal(self.nonce(index, last), &self.aad, slot);
    }

    /// Opens the sealed chunk in `slot`: its plaintext is what stands before the last [`TAG_BYTES`] bytes.
    pub(crate) fn open(&self, index: u32, last: bool, slot: &mut [u8]) -> Result<(), Error> {
        let opened = self.cipher.open(self.nonce(index, last), &self.aad, slot);
        opened.map_err(|Unauthentic| Error::Chunk { index })
    }

    fn nonce(&self, index: u32, last: bool) -> [u8; 12] {
        let mut nonce = [0; 12];
        nonce[..7].copy_from_slice(&self.nonce_prefix);
        nonce[7..11].copy_from_slice(&index.to_be_bytes());
        nonce[11] = last.into();
        nonce
    }
}

/// The opened start of a payload.
pub(crate) struct First {
    pub stream: Stream,
    pub metadata: Metadata,
    pub encoding: Encoding,
    pub content_bytes: u64,
    /// Header and metadata chunk together.
    pub start_bytes: usize,
}

impl First {
    /// `bytes`: the payload's start, or all of it. Content is at most `most` long.
    pub(crate) fn open(most: u64, data_key: &DataKey, binding: &Binding, bytes: &[u8]) -> Result<Self, Error> {
        check_binding(binding)?;
        let header = Header::parse(bytes)?;
        let keys = Keys::derive(data_key, &header.salt);
        if !same(&keys.commitment, &header.commitment) {
            return Err(Error::Commitment);
        }
        let stream = Stream::new(&keys, &header, binding);
        let sealed = bytes[HEADER_BYTES..]
            .get(..header.sealed_metadata_bytes())
            .ok_or(Error::Truncated)?;
        let mut chunk = Zeroizing::new(sealed.to_vec());
        stream.open(0, false, &mut chunk)?;
        let (metadata, encoding, content_bytes) = decode_metadata(most, &chunk[..sealed.len() - TAG_BYTES])?;
        Ok(Self {
            stream,
            metadata,
            encoding,
            content_bytes,
            start_bytes: HEADER_BYTES + sealed.len(),
        })
    }
}

/// Content on its way into memory that is wiped: what it outgrows is wiped too.
struct Content<'a>(&'a mut Zeroizing<Vec<u8>>);

impl Write for Content<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Self(content) = self;
        let needed = content.len() + bytes.len();
        if needed > content.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity(needed.max(2 * content.capacity())));
            larger.extend_from_slice(content);
            **content = larger;
        }
        content.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(crate) fn encode_metadata(
    metadata: &Metadata,
    encoding: Encoding,
    content_bytes: u64,
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let encoded = Zeroizing::new(cbor::encode(metadata));
    let length = (METADATA_PREFIX_BYTES + encoded.len()).next_multiple_of(METADATA_STEP_BYTES);
    if length > METADATA_BYTES_MAX {
        let most = METADATA_BYTES_MAX as u64;
        return Err(Error::TooLarge {
            what: "metadata",
            size: length as u64,
            most,
        });
    }
    let mut out = Zeroizing::new(Vec::with_capacity(length));
    out.push(encoding as u8);
    out.extend_from_slice(&content_bytes.to_be_bytes());
    out.extend_from_slice(&(encoded.len() as u32).to_be_bytes());
    out.extend_from_slice(&encoded);
    out.resize(length, 0);
    Ok(out)
}

fn decode_metadata(most: u64, plaintext: &[u8]) -> Result<(Metadata, Encoding, u64), Error> {
    let malformed = |why: &str| Error::malformed("metadata", why);
    // The header's length is a multiple of 256 and not zero, so the prefix is there.
    let (prefix, rest) = plaintext.split_at(METADATA_PREFIX_BYTES);
    let encoding = match prefix[0] {
        0 => Encoding::Stored,
        1 => Encoding::Zstd,
        _ => return Err(malformed("unknown content encoding")),
    };
    let content_bytes = prefix[1..9].iter().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
    check_content_length(most, content_bytes)?;
    let length = prefix[9..]
        .iter()
        .fold(0usize, |sum, byte| sum << 8 | usize::from(*byte));
    let (encoded, padding) = rest.split_at_checked(length).ok_or_else(|| malformed("cut short"))?;
    if padding.len() >= METADATA_STEP_BYTES || padding.iter().any(|byte| *byte != 0) {
        return Err(Error::Padding);
    }
    Ok((
        cbor::decode("metadata", encoded, METADATA_BYTES_MAX)?,
        encoding,
        content_bytes,
    ))
}

/// One zstd frame of the content, where that is shorter than the content.
fn compress(media_type: &str, content: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    if !is_compressible(media_type) || content.is_empty() {
        return None;
    }
    let frame = Zeroizing::new(compress_to_vec(content, CompressionLevel::Fastest));
    if frame.len() >= content.len() {
        return None;
    }
    // The compressor is young. What it made is read back before anything relies on it:
    // a fault in it costs space, and never a record.
    let mut source = frame.as_slice();
    // No longer than the content, so it does not grow and leave copies behind.
    let mut decoded = Zeroizing::new(Vec::with_capacity(content.len()));
    let read_back = decompress(&mut source, content.len() as u64, &mut *decoded);
    (read_back.is_ok() && source.is_empty() && *decoded == content).then_some(frame)
}

/// False for what is compressed already; stored as it is, a byte range of it can be opened without the rest.
fn is_compressible(media_type: &str) -> bool {
    let essence = media_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let stored = ["image/", "audio/", "video/"]
        .iter()
        .any(|top| essence.starts_with(top))
        || matches!(
            essence.as_str(),
            "application/dicom" | "application/zip" | "application/gzip" | "application/zstd"
        );
    !stored || essence == "image/svg+xml"
}

/// The region's length before it is opened: exact for stored content, bounded for compressed content.
pub(crate) fn check_region_length(encoding: Encoding, content_bytes: u64, region_bytes: u64) -> Result<(), Error> {
    let most = padded_length(content_bytes);
    let fits = match encoding {
        Encoding::Stored => region_bytes == most,
        Encoding::Zstd => region_bytes <= most,
    };
    if fits {
        Ok(())
    } else {
        Err(Error::ContentLength {
            declared: content_bytes,
        })
    }
}

/// Decodes the zstd frame (RFC 8878) that `source` begins with to exactly `content_bytes` bytes, and reads no further.
/// Memory stays under the window and one block, whatever the frame says.
pub(crate) fn decompress(mut source: impl Read, content_bytes: u64, out: &mut impl Write) -> Result<(), StreamError> {
    let declared = || Error::ContentLength {
        declared: content_bytes,
    };
    let mut decoder = FrameDecoder::new();
    decoder.set_max_window_size(ZSTD_WINDOW_BYTES_MAX);
    decoder.init(&mut source).map_err(|_| Error::Compression)?;
    let mut block = Zeroizing::new(Vec::new());
    let mut left = content_bytes;
    // Each turn reads a block of at least 3 bytes of the source, so there are finitely many.
    while !decoder.is_finished() {
        decoder
            .decode_blocks(&mut source, BlockDecodingStrategy::UptoBlocks(1))
            .map_err(|_| Error::Compression)?;
        let ready = decoder.can_collect();
        left = left.checked_sub(ready as u64).ok_or_else(declared)?;
        block.resize(ready, 0);
        decoder.read_exact(&mut block).map_err(|_| Error::Compression)?;
        out.write_all(&block)?;
    }
    if left != 0 {
        return Err(declared().into());
    }
    Ok(())
}

pub(crate) fn check_content_length(most: u64, bytes: u64) -> Result<(), Error> {
    if bytes > most {
        return Err(Error::TooLarge {
            what: "content",
            size: bytes,
            most,
        });
    }
    Ok(())
}

pub(crate) fn check_binding(binding: &Binding) -> Result<(), Error> {
    compartment::check(binding.compartment, compartment::EPOCH_FIRST)?;
    if binding.version == 0 {
        return Err(Error::malformed("binding", "record versions count from 1"));
    }
    if (binding.version == 1) != (binding.previous == [0; 32]) {
        return Err(Error::malformed("binding", "version 1 alone has no previous pointer"));
    }
    Ok(())
}
