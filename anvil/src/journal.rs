//! The chain on disk: one append-only file of checksummed frames.
//!
//! A frame is written and synced before anybody sees its blocks, so kill -9 at any moment loses at most what was
//! being mined. A frame that was cut short is moved to `chain.log.cut` at the next start; damage anywhere else is an error, because
//! silently dropping acknowledged blocks would be worse than not starting.
//!
//! File: the magic line, then frames of `length (u32 LE) | first 4 bytes of keccak256(length) | first 8 bytes
//! of keccak256(length | payload) | payload`. The length has its own checksum: believed when damaged, it could reach past
//! the end of the file and make everything after it look cut short.
//! A payload is the RLP list of the encoded [`Entry`]s that became durable together.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use alloy::consensus::Header;
use alloy::primitives::{Address, Bytes, Keccak256};
use alloy_rlp::{Decodable, Encodable, RlpDecodable, RlpEncodable};

use crate::state::Change;

/// Frames larger than this are refused when written and taken for damage when read.
pub const FRAME_BYTES_MAX: usize = 256 << 20;

const MAGIC: &[u8] = b"medlock-anvil chain 2\n";
const LENGTH_BYTES: usize = 8;
const HEAD_BYTES: usize = 16;
const FILE_NAME: &str = "chain.log";
/// What was cut short, one after another; never read by this program.
const CUT_NAME: &str = "chain.log.cut";
const LOCK_NAME: &str = "LOCK";

/// One durable step of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// The first entry, once.
    Genesis(GenesisEntry),
    /// A mined block.
    Block(BlockEntry),
    /// A change of the head's state outside any transaction (`anvil_setBalance`).
    Override(OverrideEntry),
    /// A loaded state and the empty block that it came with.
    Load(LoadEntry),
    /// The chain went back to where it stood after entry number `to` (counted from 0).
    Rollback(RollbackEntry),
}

#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct GenesisEntry {
    pub chain_id: u64,
    pub header: Header,
    pub changes: Vec<Change>,
}

#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct BlockEntry {
    pub header: Header,
    pub transactions: Vec<TransactionEntry>,
    pub changes: Vec<Change>,
    /// The clock offset in seconds, two's complement.
    pub offset: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct TransactionEntry {
    /// Stored, because recovering it is slow and an impersonated sender's cannot be recovered.
    pub sender: Address,
    /// EIP-2718 bytes.
    pub transaction: Bytes,
    /// EIP-2718 bytes.
    pub receipt: Bytes,
}

#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct OverrideEntry {
    pub changes: Vec<Change>,
}

#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct RollbackEntry {
    pub to: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct LoadEntry {
    pub header: Header,
    /// The clock offset in seconds, two's complement.
    pub offset: u64,
    /// As it was loaded (see `dump`).
    pub dump: Bytes,
}

/// Why the state directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error("state directory {0} is in use by another process")]
    Locked(PathBuf),
    #[error("{0} is not a chain of this program, or of another version of it")]
    Foreign(PathBuf),
    #[error("{path} is damaged at byte {offset}: {what}; restore a copy, or move the file away to begin a new chain")]
    Damaged {
        path: PathBuf,
        offset: u64,
        what: &'static str,
    },
    #[error("a step of {bytes} bytes does not fit into one frame of at most {FRAME_BYTES_MAX}")]
    TooLarge { bytes: usize },
    #[error("an earlier write failed and could not be undone; restart to continue from the last good block")]
    Poisoned,
    #[error("state file {path}: {source}")]
    Io { path: PathBuf, source: io::Error },
}

/// The open file and the lock on its directory.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
    bytes: u64,
    poisoned: bool,
    /// Holds the lock as long as the journal lives.
    _lock: File,
}

impl Journal {
    /// Opens or creates the journal in `dir` and reads every entry back, oldest first.
    ///
    /// # Errors
    /// [`JournalError::Locked`] if another process holds the directory; [`JournalError::Foreign`] or
    /// [`JournalError::Damaged`] if the file cannot be trusted.
    pub fn open(dir: &Path) -> Result<(Self, Vec<Entry>), JournalError> {
        let at = |path: &Path| {
            let path = path.to_owned();
            move |source| JournalError::Io { path, source }
        };
        std::fs::create_dir_all(dir).map_err(at(dir))?;
        let lock_path = dir.join(LOCK_NAME);
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_path)
            .map_err(at(&lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(JournalError::Locked(dir.to_owned())),
            Err(TryLockError::Error(source)) => return Err(at(&lock_path)(source)),
        }

        let path = dir.join(FILE_NAME);
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(at(&path))?;
        let mut content = Vec::new();
        file.read_to_end(&mut content).map_err(at(&path))?;

        let (entries, good) = if MAGIC.starts_with(&content) && content.len() < MAGIC.len() {
            // New, or killed while the first line was written.
            file.set_len(0).and_then(|()| file.rewind()).map_err(at(&path))?;
            file.write_all(MAGIC).map_err(at(&path))?;
            file.sync_all().map_err(at(&path))?;
            // The file's name must survive as well as its content.
            File::open(dir).and_then(|dir| dir.sync_all()).map_err(at(dir))?;
            (Vec::new(), MAGIC.len())
        } else {
            read_frames(&path, &content)?
        };
        let good = good as u64;
        if good < content.len() as u64 {
            tracing::warn!(
                bytes = content.len() as u64 - good,
                "moving the frame that was cut short to {CUT_NAME}"
            );
            let cut_path = dir.join(CUT_NAME);
            keep_cut(dir, &cut_path, &content[good as usize..]).map_err(at(&cut_path))?;
            file.set_len(good).and_then(|()| file.sync_all()).map_err(at(&path))?;
        }
        file.seek(SeekFrom::Start(good)).map_err(at(&path))?;
        Ok((
            Self {
                file,
                path,
                bytes: good,
                poisoned: false,
                _lock: lock,
            },
            entries,
        ))
    }

    /// Makes `entries` durable together: after `Ok` they survive a crash, after `Err` none of them is there.
    pub fn append(&mut self, entries: &[Entry]) -> Result<(), JournalError> {
        if self.poisoned {
            return Err(JournalError::Poisoned);
        }
        let frame = frame(entries)?;
        let written = self.file.write_all(&frame).and_then(|()| self.file.sync_data());
        if let Err(source) = written {
            let undone = self
                .file
                .set_len(self.bytes)
                .and_then(|()| self.file.seek(SeekFrom::Start(self.bytes)))
                .and_then(|_| self.file.sync_all());
            self.poisoned = undone.is_err();
            return Err(JournalError::Io {
                path: self.path.clone(),
                source,
            });
        }
        self.bytes += frame.len() as u64;
        Ok(())
    }
}

/// Makes `tail` durable beside the journal, before the journal loses it.
fn keep_cut(dir: &Path, path: &Path, tail: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    file.write_all(tail)?;
    file.sync_all()?;
    File::open(dir)?.sync_all()
}

fn frame(entries: &[Entry]) -> Result<Vec<u8>, JournalError> {
    let encoded: Vec<Bytes> = entries.iter().map(Entry::encode).collect();
    let mut frame = vec![0; HEAD_BYTES];
    encoded.encode(&mut frame);
    let bytes = frame.len() - HEAD_BYTES;
    if bytes > FRAME_BYTES_MAX {
        return Err(JournalError::TooLarge { bytes });
    }
    let length = (bytes as u32).to_le_bytes();
    let checksum = checksum(length, &frame[HEAD_BYTES..]);
    frame[..4].copy_from_slice(&length);
    frame[4..LENGTH_BYTES].copy_from_slice(&self::checksum(length, &[])[..4]);
    frame[LENGTH_BYTES..HEAD_BYTES].copy_from_slice(&checksum);
    Ok(frame)
}

/// The entries, and how many bytes of the file are good.
fn read_frames(path: &Path, content: &[u8]) -> Result<(Vec<Entry>, usize), JournalError> {
    if !content.starts_with(MAGIC) {
        return Err(JournalError::Foreign(path.to_owned()));
    }
    let damaged = |offset: usize, what| JournalError::Damaged {
        path: path.to_owned(),
        offset: offset as u64,
        what,
    };
    let mut entries = Vec::new();
    let mut offset = MAGIC.len();
    while offset < content.len() {
        let rest = &content[offset..];
        // A file system may extend a file before the data arrives: zeros to the end are a cut frame, too.
        if rest.len() < HEAD_BYTES || rest.iter().all(|byte| *byte == 0) {
            return Ok((entries, offset));
        }
        let length = [rest[0], rest[1], rest[2], rest[3]];
        if checksum(length, &[])[..4] != rest[4..LENGTH_BYTES] {
            // A head that was cut has nothing after it; a payload is never all zeros.
            if rest[HEAD_BYTES..].iter().all(|byte| *byte == 0) {
                return Ok((entries, offset));
            }
            return Err(damaged(offset, "checksum of a frame's length"));
        }
        let end = HEAD_BYTES + u32::from_le_bytes(length) as usize;
        if end - HEAD_BYTES > FRAME_BYTES_MAX {
            return Err(damaged(offset, "impossible frame length"));
        }
        if end > rest.len() {
            return Ok((entries, offset));
        }
        if checksum(length, &rest[HEAD_BYTES..end]) != rest[LENGTH_BYTES..HEAD_BYTES] {
            if end == rest.len() {
                return Ok((entries, offset));
            }
            return Err(damaged(offset, "checksum of a frame that others follow"));
        }
        let encoded =
            Vec::<Bytes>::decode(&mut &rest[HEAD_BYTES..end]).map_err(|_| damaged(offset, "frame does not decode"))?;
        for entry in encoded {
            entries.push(Entry::decode(&entry).ok_or_else(|| damaged(offset, "entry does not decode"))?);
        }
        offset += end;
    }
    Ok((entries, offset))
}

fn checksum(length: [u8; 4], payload: &[u8]) -> [u8; 8] {
    let mut hasher = Keccak256::new();
    hasher.update(length);
    hasher.update(payload);
    let hash = hasher.finalize();
    let mut checksum = [0; 8];
    checksum.copy_from_slice(&hash[..8]);
    checksum
}

impl Entry {
    fn encode(&self) -> Bytes {
        let mut out = Vec::new();
        match self {
            Self::Genesis(entry) => {
                out.push(0);
                entry.encode(&mut out);
            }
            Self::Block(entry) => {
                out.push(1);
                entry.encode(&mut out);
            }
            Self::Override(entry) => {
                out.push(2);
                entry.encode(&mut out);
            }
            Self::Rollback(entry) => {
                out.push(3);
                entry.encode(&mut out);
            }
            Self::Load(entry) => {
                out.push(4);
                entry.encode(&mut out);
            }
        }
        out.into()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (tag, mut rest) = bytes.split_first()?;
        let rest = &mut rest;
        let entry = match tag {
            0 => Self::Genesis(Decodable::decode(rest).ok()?),
            1 => Self::Block(Decodable::decode(rest).ok()?),
            2 => Self::Override(Decodable::decode(rest).ok()?),
            3 => Self::Rollback(Decodable::decode(rest).ok()?),
            4 => Self::Load(Decodable::decode(rest).ok()?),
            _ => return None,
        };
        rest.is_empty().then_some(entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory(name: &str) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("medlock-journal-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        dir
    }

    fn rollback(to: u64) -> Entry {
        Entry::Rollback(RollbackEntry { to })
    }

    #[test]
    fn any_cut_of_the_last_frame_is_dropped_and_the_rest_kept() {
        let dir = directory("cut");
        let (mut journal, entries) = Journal::open(&dir).unwrap();
        assert!(entries.is_empty());
        journal.append(&[rollback(1), rollback(2)]).unwrap();
        let good = journal.bytes;
        journal.append(&[rollback(3)]).unwrap();
        let all = journal.bytes;
        drop(journal);

        let path = dir.join(FILE_NAME);
        let content = std::fs::read(&path).unwrap();
        for cut in good..all {
            let mut torn = content[..cut as usize].to_vec();
            // Sometimes the length is already on disk and the data is not.
            if cut % 2 == 0 {
                torn.resize(all as usize, 0);
            }
            let _ = std::fs::remove_file(dir.join(CUT_NAME));
            std::fs::write(&path, &torn).unwrap();
            let (journal, entries) = Journal::open(&dir).unwrap();
            assert_eq!(entries, [rollback(1), rollback(2)], "cut at {cut}");
            assert_eq!(journal.bytes, good);
            let kept = std::fs::read(dir.join(CUT_NAME)).unwrap_or_default();
            assert_eq!(kept, torn[good as usize..], "cut at {cut}");
        }
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn damage_before_the_last_frame_is_an_error_and_nothing_is_dropped() {
        let dir = directory("damage");
        let (mut journal, _) = Journal::open(&dir).unwrap();
        journal.append(&[rollback(1)]).unwrap();
        journal.append(&[rollback(2)]).unwrap();
        drop(journal);
        let path = dir.join(FILE_NAME);
        let mut content = std::fs::read(&path).unwrap();
        // Each bit of the head, and one of the payload.
        for bit in 0..=HEAD_BYTES * 8 {
            let at = MAGIC.len() + bit / 8;
            content[at] ^= 1 << (bit % 8);
            std::fs::write(&path, &content).unwrap();
            assert!(
                matches!(Journal::open(&dir), Err(JournalError::Damaged { .. })),
                "bit {bit}"
            );
            assert_eq!(std::fs::read(&path).unwrap(), content);
            content[at] ^= 1 << (bit % 8);
        }
        std::fs::write(&path, "something else").unwrap();
        assert!(matches!(Journal::open(&dir), Err(JournalError::Foreign(_))));
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn a_directory_in_use_is_refused() {
        let dir = directory("lock");
        let (held, _) = Journal::open(&dir).unwrap();
        assert!(matches!(Journal::open(&dir), Err(JournalError::Locked(_))));
        drop(held);
        Journal::open(&dir).unwrap();
        std::fs::remove_dir_all(dir).unwrap();
    }
}
