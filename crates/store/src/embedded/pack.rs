//! One pack file:
//!
//! ```text
//! magic      16 bytes   "medlock-pack-v1\n"
//! count       4 bytes   big-endian
//! entries    36 bytes   each: sha2-256 digest, length (4 bytes big-endian)
//! checksum   32 bytes   sha2-256 of everything above
//! blocks                end to end, in the order of the entries
//! ```
//! The table is checked at start; a block is checked by its own digest on
//! reading, so one damaged block costs no other.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::io_error;
use crate::{Digest, Error};

const MAGIC: &[u8; 16] = b"medlock-pack-v1\n";
const HEAD_BYTES: usize = MAGIC.len() + 4;
const ENTRY_BYTES: usize = 32 + 4;
const CHECKSUM_BYTES: usize = 32;

/// The bytes in front of the first block.
pub(crate) fn table_bytes(count: usize) -> u64 {
    (HEAD_BYTES + count * ENTRY_BYTES + CHECKSUM_BYTES) as u64
}

/// Deals `blocks` out to packs of about `bytes_max`.
pub(crate) fn parts<'a>(blocks: &BTreeMap<Digest, &'a [u8]>, bytes_max: usize) -> Vec<Vec<(Digest, &'a [u8])>> {
    let mut parts = Vec::new();
    let mut part = Vec::new();
    let mut bytes = 0;
    for (digest, block) in blocks {
        part.push((*digest, *block));
        bytes += block.len() + ENTRY_BYTES;
        if bytes >= bytes_max {
            parts.push(std::mem::take(&mut part));
            bytes = 0;
        }
    }
    if !part.is_empty() {
        parts.push(part);
    }
    parts
}

/// Writes a pack to `path` and syncs it: its table of contents.
pub(crate) fn write(path: &Path, blocks: &[(Digest, &[u8])]) -> io::Result<Vec<(Digest, u32)>> {
    let invalid = || io::Error::new(io::ErrorKind::InvalidInput, "a pack over 4 GiB");
    let mut table = Vec::with_capacity(blocks.len());
    let mut head = Vec::with_capacity(HEAD_BYTES + blocks.len() * ENTRY_BYTES);
    head.extend_from_slice(MAGIC);
    head.extend(u32::try_from(blocks.len()).map_err(|_| invalid())?.to_be_bytes());
    for (digest, block) in blocks {
        let bytes = u32::try_from(block.len()).map_err(|_| invalid())?;
        head.extend(digest);
        head.extend(bytes.to_be_bytes());
        table.push((*digest, bytes));
    }
    let mut file = BufWriter::with_capacity(256 * 1024, File::create(path)?);
    file.write_all(&head)?;
    file.write_all(&Sha256::digest(&head))?;
    for (_, block) in blocks {
        file.write_all(block)?;
    }
    file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    Ok(table)
}

/// Reads the table of contents of the pack at `path`, and checks that the file is
/// as long as the table says.
pub(crate) fn read_table(path: &Path) -> Result<Vec<(Digest, u32)>, Error> {
    let open = || -> io::Result<_> {
        let file = File::open(path)?;
        let bytes = file.metadata()?.len();
        Ok((file, bytes))
    };
    let (file, file_bytes) = open().map_err(|e| io_error(path, e))?;
    let mut reader = io::BufReader::new(file);
    // Not more than the file holds, whatever its count says.
    let table = decode_table(file_bytes, |bytes| {
        let mut buffer = vec![0; bytes];
        reader.read_exact(&mut buffer).map(|()| buffer)
    });
    match table.map_err(|e| io_error(path, e))? {
        Ok(table) => Ok(table),
        Err(reason) => Err(Error::DamagedPack {
            pack: path.to_owned(),
            reason,
        }),
    }
}

/// The blocks of a whole pack in memory. Their bytes are not checked.
pub(crate) fn blocks(pack: &[u8]) -> Result<Vec<(Digest, &[u8])>, &'static str> {
    let mut rest = pack;
    let table = decode_table(pack.len() as u64, |bytes| {
        let (head, tail) = rest.split_at_checked(bytes).ok_or(io::ErrorKind::UnexpectedEof)?;
        rest = tail;
        Ok(head.to_vec())
    });
    let table = table.map_err(|_| "it is cut short")??;
    let mut blocks = Vec::with_capacity(table.len());
    for (digest, bytes) in table {
        let (block, tail) = rest.split_at_checked(bytes as usize).ok_or("it is cut short")?;
        rest = tail;
        blocks.push((digest, block));
    }
    Ok(blocks)
}

/// The blocks that match their digests, and the digests of the others.
type Sorted<'a> = (Vec<(Digest, &'a [u8])>, Vec<Digest>);

/// What of a damaged pack is whole, and which blocks its table names besides.
pub(crate) fn salvage(pack: &[u8]) -> Sorted<'_> {
    let table = pack.get(HEAD_BYTES..).unwrap_or_default();
    let entries = table.chunks_exact(ENTRY_BYTES).filter_map(|entry| {
        let (digest, bytes) = entry.split_first_chunk::<32>()?;
        Some((*digest, u32::from_be_bytes(bytes.try_into().ok()?)))
    });
    let entries = entries.collect::<Vec<_>>();
    let stated = pack
        .get(MAGIC.len()..HEAD_BYTES)
        .and_then(|count| count.try_into().ok());
    let stated = stated.map_or(0, u32::from_be_bytes) as usize;
    // The count may be what is damaged. Then another one fits the length of the file.
    let mut end = 0;
    let fitting = entries.iter().position(|(_, bytes)| {
        end += u64::from(*bytes) + ENTRY_BYTES as u64;
        table_bytes(0) + end == pack.len() as u64
    });
    let counts = [stated.min(entries.len()), fitting.map_or(0, |last| last + 1)];
    let [stated, fitting] = counts.map(|count| sort(pack, &entries[..count]));
    if fitting.0.len() > stated.0.len() {
        fitting
    } else {
        stated
    }
}

/// Each block is looked for from the front by the lengths before it, and from the back by those behind it: so one wrong
/// length costs one block, and a file cut short those behind the cut.
fn sort<'a>(pack: &'a [u8], entries: &[(Digest, u32)]) -> Sorted<'a> {
    let blocks_bytes = entries.iter().map(|(_, bytes)| u64::from(*bytes)).sum::<u64>();
    let (mut kept, mut lost, mut before) = (Vec::new(), Vec::new(), 0);
    for (digest, bytes) in entries {
        let from_front = table_bytes(entries.len()) + before;
        let from_back = (pack.len() as u64).checked_sub(blocks_bytes - before);
        let block = [Some(from_front), from_back].into_iter().flatten().find_map(|start| {
            let start = usize::try_from(start).ok()?;
            let block = pack.get(start..start.checked_add(*bytes as usize)?)?;
            (Sha256::digest(block)[..] == *digest).then_some(block)
        });
        match block {
            Some(block) => kept.push((*digest, block)),
            None => lost.push(*digest),
        }
        before += u64::from(*bytes);
    }
    (kept, lost)
}

/// The bytes of one block, unchecked.
pub(crate) fn read_block(mut file: File, offset: u64, bytes: u32) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(offset))?;
    let mut block = Vec::with_capacity(bytes as usize);
    if file.take(bytes.into()).read_to_end(&mut block)? < bytes as usize {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(block)
}

/// Reads and checks a table, `take` giving the next so many bytes of the file.
/// The outer result is of reading, the inner of what was read.
fn decode_table(
    file_bytes: u64,
    mut take: impl FnMut(usize) -> io::Result<Vec<u8>>,
) -> io::Result<Result<Vec<(Digest, u32)>, &'static str>> {
    if file_bytes < table_bytes(0) {
        return Ok(Err("it is cut short"));
    }
    let mut head = take(HEAD_BYTES)?;
    let Some(count) = head.strip_prefix(MAGIC).and_then(|count| count.try_into().ok()) else {
        return Ok(Err("it is not a pack of version 1"));
    };
    let count = u32::from_be_bytes(count) as usize;
    if file_bytes < table_bytes(count) {
        return Ok(Err("its table is cut short or damaged"));
    }
    head.extend(take(count * ENTRY_BYTES)?);
    if take(CHECKSUM_BYTES)? != Sha256::digest(&head)[..] {
        return Ok(Err("its table does not match its checksum"));
    }
    let mut table = Vec::with_capacity(count);
    let mut end = table_bytes(count);
    for entry in head[HEAD_BYTES..].chunks_exact(ENTRY_BYTES) {
        let (digest, bytes) = entry.split_at(32);
        let (Ok(digest), Ok(bytes)) = (digest.try_into(), bytes.try_into()) else {
            unreachable!("an entry is 32 and 4 bytes");
        };
        let bytes = u32::from_be_bytes(bytes);
        end += u64::from(bytes);
        table.push((digest, bytes));
    }
    Ok(if end == file_bytes {
        Ok(table)
    } else {
        Err("its length is not what its table states")
    })
}
