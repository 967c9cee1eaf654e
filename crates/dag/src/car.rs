//! CAR v1: a stream of blocks, `header | frame*`, each with a varint length in front.
//! <https://ipld.io/specs/transport/car/carv1/>
//!
//! The writer and the reader hold one frame at a time and do no I/O: the caller
//! moves the bytes. The reader hashes each block before giving it out. It reads
//! the strict form only: shortest varints, no padding, CIDs of the kind in use.
//! A stream without roots is allowed (the specification leaves it open).

use cid::Cid;

use crate::pb::{CID_BYTES, decode_cid};
use crate::{BLOCK_BYTES_MAX, Block, varint};

/// The media type of a stream over HTTP.
pub const MEDIA_TYPE: &str = "application/vnd.ipld.car";
/// The largest header: about 3,000 roots, more than one upload needs.
pub const HEADER_BYTES_MAX: usize = 128 * 1024;
/// The largest number of blocks in a stream: 16 GiB in full chunks.
pub const BLOCKS_MAX: u64 = 65_536;

/// Bytes of one root in the header: tag 42, byte string of 37, zero prefix, CID.
const ROOT_BYTES: usize = 5 + CID_BYTES;
/// A map of two, its first key `roots` (dag-cbor sorts keys by length first).
const HEADER_START: &[u8] = b"\xa2\x65roots";
/// The second key `version`, and 1.
const HEADER_END: &[u8] = b"\x67version\x01";
/// dag-cbor of a link: tag 42, a byte string of 37 that begins with zero.
const LINK_START: &[u8] = b"\xd8\x2a\x58\x25\x00";

/// Why a stream was refused. Nothing more can be read from it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Block(#[from] crate::Error),
    #[error("the CAR header is malformed: {reason}")]
    Header { reason: &'static str },
    #[error("CAR block number {index} is malformed: {reason}")]
    Frame { index: u64, reason: &'static str },
    #[error("CAR block number {index} states {bytes} bytes, over the limit of {bytes_max}")]
    BlockTooLarge { index: u64, bytes: u64, bytes_max: u64 },
    #[error("the CAR header states {bytes} bytes, over the limit of {bytes_max}")]
    HeaderTooLarge { bytes: u64, bytes_max: u64 },
    #[error("the CAR stream has more than {blocks_max} blocks; send it in several parts")]
    TooManyBlocks { blocks_max: u64 },
    #[error("the CAR stream is cut short after {blocks} blocks; send it again from the start")]
    Truncated { blocks: u64 },
    #[error("the CAR stream goes on after an error")]
    AfterError,
}

/// The bytes of the header. Goes first.
///
/// # Errors
/// [`Error::HeaderTooLarge`] for too many roots, [`Error::Block`] for a root that
/// is a CID of another kind.
pub fn header(roots: &[Cid]) -> Result<Vec<u8>, Error> {
    let mut body = HEADER_START.to_vec();
    array_head(&mut body, roots.len());
    for root in roots {
        crate::digest(root)?;
        body.extend_from_slice(LINK_START);
        body.extend_from_slice(&root.to_bytes());
    }
    body.extend_from_slice(HEADER_END);
    if body.len() > HEADER_BYTES_MAX {
        return Err(Error::HeaderTooLarge {
            bytes: body.len() as u64,
            bytes_max: HEADER_BYTES_MAX as u64,
        });
    }
    let mut out = Vec::with_capacity(body.len() + varint::BYTES_MAX);
    varint::write(&mut out, body.len() as u64);
    out.extend_from_slice(&body);
    Ok(out)
}

/// The bytes of one block in the stream.
#[must_use]
pub fn frame(block: &Block) -> Vec<u8> {
    let mut out = Vec::with_capacity(block.bytes.len() + CID_BYTES + varint::BYTES_MAX);
    varint::write(&mut out, (CID_BYTES + block.bytes.len()) as u64);
    out.extend_from_slice(&block.cid.to_bytes());
    out.extend_from_slice(&block.bytes);
    out
}

/// A whole stream in memory: for small batches and tests.
///
/// # Errors
/// Those of [`header`].
pub fn write<'a>(roots: &[Cid], blocks: impl IntoIterator<Item = &'a Block>) -> Result<Vec<u8>, Error> {
    let mut out = header(roots)?;
    for block in blocks {
        out.extend_from_slice(&frame(block));
    }
    Ok(out)
}

/// Reads a whole stream in memory: the roots and the blocks.
///
/// # Errors
/// Any of [`Error`].
pub fn read(bytes: &[u8]) -> Result<(Vec<Cid>, Vec<Block>), Error> {
    let mut reader = Reader::new();
    let blocks = reader.push(bytes)?;
    Ok((reader.finish()?, blocks))
}

/// Takes a stream in pieces of any size and gives out verified blocks.
///
/// Holds at most one frame (2 MiB) besides the piece at hand.
#[derive(Debug)]
pub struct Reader {
    buffer: Vec<u8>,
    roots: Option<Vec<Cid>>,
    blocks: u64,
    blocks_max: u64,
    failed: bool,
}

impl Default for Reader {
    fn default() -> Self {
        Self {
            buffer: Vec::new(),
            roots: None,
            blocks: 0,
            blocks_max: BLOCKS_MAX,
            failed: false,
        }
    }
}

impl Reader {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// For a stream of one's own, such as a backup: of any number of blocks.
    #[must_use]
    pub fn unbounded() -> Self {
        Self {
            blocks_max: u64::MAX,
            ..Self::default()
        }
    }

    /// The roots that the header names; none until the header is in.
    #[must_use]
    pub fn roots(&self) -> Option<&[Cid]> {
        self.roots.as_deref()
    }

    /// Takes the next bytes and gives the blocks that they complete, in order.
    ///
    /// # Errors
    /// Any but [`Error::Truncated`]. The blocks before the fault in the same piece
    /// are lost with it: the stream is refused as a whole.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<Block>, Error> {
        if self.failed {
            return Err(Error::AfterError);
        }
        self.buffer.extend_from_slice(bytes);
        let result = self.take_blocks();
        if result.is_err() {
            self.failed = true;
            self.buffer = Vec::new();
        }
        result
    }

    /// Ends the stream: its roots.
    ///
    /// # Errors
    /// [`Error::Truncated`] where it ends inside the header or a block;
    /// [`Error::AfterError`] where it was refused before.
    pub fn finish(self) -> Result<Vec<Cid>, Error> {
        if self.failed {
            return Err(Error::AfterError);
        }
        match self.roots {
            Some(roots) if self.buffer.is_empty() => Ok(roots),
            _ => Err(Error::Truncated { blocks: self.blocks }),
        }
    }

    fn take_blocks(&mut self) -> Result<Vec<Block>, Error> {
        let mut blocks = Vec::new();
        let mut at = 0;
        if self.roots.is_none() {
            let Some((body, len)) = self.section(0)? else {
                return Ok(blocks);
            };
            self.roots = Some(decode_header(body)?);
            at = len;
        }
        while let Some((body, len)) = self.section(at)? {
            blocks.push(self.decode_frame(body)?);
            self.blocks += 1;
            at += len;
        }
        self.buffer.drain(..at);
        Ok(blocks)
    }

    /// The section at `at` if all of it is in: its body, and its length with the varint.
    fn section(&self, at: usize) -> Result<Option<(&[u8], usize)>, Error> {
        let rest = &self.buffer[at..];
        if rest.is_empty() {
            return Ok(None);
        }
        if self.blocks == self.blocks_max {
            return Err(Error::TooManyBlocks {
                blocks_max: self.blocks_max,
            });
        }
        let (body_bytes, varint_bytes) = match varint::read(rest) {
            Ok(read) => read,
            Err(varint::Error::Incomplete) => return Ok(None),
            Err(varint::Error::Malformed) => return Err(self.malformed("a malformed length")),
        };
        // Refused from the stated length on, before anything is buffered for it.
        self.check_limit(body_bytes)?;
        // The limit is far below 2^32.
        let body_bytes = body_bytes as usize;
        let len = varint_bytes + body_bytes;
        Ok(rest.get(varint_bytes..len).map(|body| (body, len)))
    }

    fn check_limit(&self, body_bytes: u64) -> Result<(), Error> {
        let frame_bytes_max = (CID_BYTES + BLOCK_BYTES_MAX) as u64;
        if self.roots.is_none() && body_bytes > HEADER_BYTES_MAX as u64 {
            let bytes_max = HEADER_BYTES_MAX as u64;
            return Err(Error::HeaderTooLarge {
                bytes: body_bytes,
                bytes_max,
            });
        }
        if self.roots.is_some() && body_bytes > frame_bytes_max {
            let bytes = body_bytes - CID_BYTES as u64;
            let bytes_max = BLOCK_BYTES_MAX as u64;
            return Err(Error::BlockTooLarge {
                index: self.blocks,
                bytes,
                bytes_max,
            });
        }
        Ok(())
    }

    fn decode_frame(&self, body: &[u8]) -> Result<Block, Error> {
        let (cid, bytes) = body
            .split_at_checked(CID_BYTES)
            .ok_or_else(|| self.malformed("too short to hold a CID"))?;
        let cid = decode_cid(cid)
            .ok_or_else(|| self.malformed("its CID is not a CIDv1 with sha2-256 over raw, dag-pb or dag-cbor"))?;
        Ok(Block::verify(cid, bytes.to_vec())?)
    }

    fn malformed(&self, reason: &'static str) -> Error {
        match self.roots {
            None => Error::Header { reason },
            Some(_) => Error::Frame {
                index: self.blocks,
                reason,
            },
        }
    }
}

/// Reads `{"roots": [...], "version": 1}` in the one form that dag-cbor gives it.
fn decode_header(body: &[u8]) -> Result<Vec<Cid>, Error> {
    let malformed = |reason| Error::Header { reason };
    let list = body
        .strip_prefix(HEADER_START)
        .and_then(|rest| rest.strip_suffix(HEADER_END))
        .ok_or(malformed("it is not that of CAR version 1"))?;
    let count = list.len() / ROOT_BYTES;
    let mut head = Vec::new();
    array_head(&mut head, count);
    let links = list
        .strip_prefix(&head[..])
        .ok_or(malformed("the number of roots is wrong"))?;
    if links.len() != count * ROOT_BYTES {
        return Err(malformed("the number of roots is wrong"));
    }
    links
        .chunks_exact(ROOT_BYTES)
        .map(|link| link.strip_prefix(LINK_START).and_then(decode_cid))
        .collect::<Option<Vec<_>>>()
        .ok_or(malformed("a root is not a CID of the kind in use"))
}

/// The head of a CBOR array (RFC 8949 section 3, major type 4) in its shortest form.
fn array_head(out: &mut Vec<u8>, count: usize) {
    match count {
        0..24 => out.push(0x80 | count as u8),
        24..0x100 => out.extend([0x98, count as u8]),
        // Callers bound the header, and so the count, far below 2^16.
        _ => {
            out.push(0x99);
            out.extend((count as u16).to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{dag_cbor_block, raw_block};

    fn sample() -> (Vec<Cid>, Vec<Block>, Vec<u8>) {
        let blocks = vec![
            dag_cbor_block(b"\xa0".to_vec()),
            raw_block(vec![]),
            raw_block(vec![9; 300]),
        ];
        let roots = vec![blocks[0].cid, blocks[2].cid];
        let stream = write(&roots, &blocks).unwrap();
        (roots, blocks, stream)
    }

    /// Header and one frame, with the given frame bytes.
    fn with_frame(frame: &[u8]) -> Vec<u8> {
        [&header(&[]).unwrap(), frame].concat()
    }

    #[test]
    fn reads_what_it_wrote_however_it_is_sliced() {
        let (roots, blocks, stream) = sample();
        assert_eq!(read(&stream), Ok((roots.clone(), blocks.clone())));
        for step in [1, 2, 7, 59, 1000] {
            let mut reader = Reader::new();
            let got: Vec<_> = stream
                .chunks(step)
                .flat_map(|piece| reader.push(piece).unwrap())
                .collect();
            assert_eq!(got, blocks);
            assert_eq!(reader.roots(), Some(&roots[..]));
            assert_eq!(reader.finish(), Ok(roots.clone()));
        }
    }

    #[test]
    fn writes_the_form_of_the_specification() {
        // The header of the specification's example: {"roots": [one CIDv1], "version": 1}.
        let root = raw_block(b"abc".to_vec()).cid;
        let expected = [
            b"\x3a\xa2\x65roots\x81\xd8\x2a\x58\x25\x00".to_vec(),
            root.to_bytes(),
            b"\x67version\x01".to_vec(),
        ]
        .concat();
        assert_eq!(header(&[root]).unwrap(), expected);
        for count in [0, 1, 23, 24, 255, 256, 3_000] {
            let roots = vec![root; count];
            assert_eq!(read(&header(&roots).unwrap()), Ok((roots, vec![])), "{count} roots");
        }
        for count in [4_000, 100_000] {
            assert!(matches!(header(&vec![root; count]), Err(Error::HeaderTooLarge { .. })));
        }
    }

    #[test]
    fn a_stream_cut_anywhere_but_between_blocks_is_truncated() {
        let (roots, blocks, stream) = sample();
        let mut ends = vec![header(&roots).unwrap().len()];
        for block in &blocks {
            ends.push(ends.last().unwrap() + frame(block).len());
        }
        for end in 0..stream.len() {
            let result = read(&stream[..end]);
            match ends.iter().position(|whole| *whole == end) {
                Some(count) => assert_eq!(result.unwrap().1, blocks[..count]),
                None => assert!(matches!(result, Err(Error::Truncated { .. })), "{end}"),
            }
        }
    }

    #[test]
    fn a_flipped_bit_anywhere_is_noticed() {
        let (_, blocks, stream) = sample();
        let good = read(&stream).unwrap();
        for at in 0..stream.len() {
            let mut bad = stream.clone();
            bad[at] ^= 1;
            // What is not hashed may change: a root, or the codec in a block's CID,
            // and with it the name that the block goes by. Its bytes never do.
            if let Ok((roots, got)) = read(&bad) {
                assert!(got.iter().map(|b| &b.bytes).eq(blocks.iter().map(|b| &b.bytes)));
                assert_ne!((roots, got), good);
            }
        }
    }

    #[test]
    fn refuses_swapped_payloads_and_goes_no_further() {
        let (a, b) = (raw_block(b"a".to_vec()), raw_block(b"b".to_vec()));
        let mut swapped = varint_frame(&a.cid, b"b");
        swapped.extend(frame(&b));
        let mut reader = Reader::new();
        assert_eq!(
            reader.push(&with_frame(&swapped)),
            Err(Error::Block(crate::Error::Mismatch { cid: a.cid, bytes: 1 }))
        );
        assert_eq!(reader.push(b""), Err(Error::AfterError));
        assert_eq!(reader.finish(), Err(Error::AfterError));
    }

    #[test]
    fn refuses_other_headers() {
        let root = raw_block(b"abc".to_vec()).cid.to_bytes();
        let long = |body: &[u8]| [&[body.len() as u8], body].concat();
        let bad = [
            long(b"\xa2\x65roots\x80\x67version\x02"),
            long(b"\xa1\x67version\x01"),
            long(b"\xa2\x67version\x01\x65roots\x80"),
            long(b"\xa2\x65roots\x81\x67version\x01"),
            long(&[b"\xa2\x65roots\x80\xd8\x2a\x58\x25\x00", &root[..], b"\x67version\x01"].concat()),
            long(&[b"\xa2\x65roots\x81\xd8\x2a\x58\x25\x01", &root[..], b"\x67version\x01"].concat()),
            long(b""),
            b"\x00".to_vec(),
            b"\x91\x00\xa2".to_vec(), // a padded varint
        ];
        for header in bad {
            assert!(matches!(read(&header), Err(Error::Header { .. })), "{header:02x?}");
        }
        assert_eq!(read(b""), Err(Error::Truncated { blocks: 0 }));
        // Refused by its length alone.
        assert!(matches!(
            read(b"\xff\xff\xff\xff\x7f"),
            Err(Error::HeaderTooLarge { .. })
        ));
    }

    #[test]
    fn refuses_other_frames() {
        let block = raw_block(b"abc".to_vec());
        let v0 = [b"\x22\x12\x20".to_vec(), block.cid.hash().digest().to_vec()].concat();
        for bad in [&b"\x00"[..], b"\x05hello", b"\x80\x00", &v0] {
            let result = read(&with_frame(bad));
            assert!(
                matches!(result, Err(Error::Frame { index: 0, .. } | Error::Truncated { .. })),
                "{bad:02x?}: {result:?}"
            );
        }
        let mut too_large = Vec::new();
        varint::write(&mut too_large, (CID_BYTES + BLOCK_BYTES_MAX + 1) as u64);
        assert_eq!(
            read(&with_frame(&too_large)),
            Err(Error::BlockTooLarge {
                index: 0,
                bytes: BLOCK_BYTES_MAX as u64 + 1,
                bytes_max: BLOCK_BYTES_MAX as u64
            })
        );
        let largest = raw_block(vec![0; BLOCK_BYTES_MAX]);
        assert_eq!(read(&with_frame(&frame(&largest))).unwrap().1, [largest]);
    }

    #[test]
    fn refuses_more_blocks_than_a_stream_may_have() {
        let frame = frame(&raw_block(b"x".to_vec()));
        let mut reader = Reader::new();
        reader.push(&header(&[]).unwrap()).unwrap();
        let blocks = reader.push(&frame.repeat(BLOCKS_MAX as usize)).unwrap();
        assert_eq!(blocks.len() as u64, BLOCKS_MAX);
        assert_eq!(
            reader.push(&frame),
            Err(Error::TooManyBlocks { blocks_max: BLOCKS_MAX })
        );
    }

    fn varint_frame(cid: &Cid, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        varint::write(&mut out, (CID_BYTES + bytes.len()) as u64);
        out.extend(cid.to_bytes());
        out.extend(bytes);
        out
    }
}
