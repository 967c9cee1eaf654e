//! Uploads that go on where they were broken off, by another process if need be.
//!
//! A payload is sealed under keys that are drawn, so that sealing it again gives other blocks. Here they are drawn from our root secret
//! and a salt, which stands in a small file with the digests of the blocks that were made: nothing in it is secret.
//!
//! Two contents under one key would give both away. So the digest of a block is in the file, and on disk, before the block leaves;
//! and where another block comes out in the place of one that stands there, nothing is sent, and the upload begins anew under
//! another salt.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Seek, SeekFrom, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use alloy::primitives::{B256, hex, keccak256};
use chacha20::ChaCha20Rng;
use medlock_dag::{Block, digest};
use medlock_vault::{
    Binding, RootSecret, Zeroizing,
    rand_core::{CryptoRng, SeedableRng},
};

use crate::{
    error::{Error, Result},
    large::Refused,
    record::random,
};

/// The first line, before the salt.
const FORMAT: &str = "medlock-upload-1 ";
/// A line of hex, with its end.
const LINE_BYTES: usize = 65;
/// Of a payload of 64 GiB.
const FILE_BYTES_MOST: u64 = 32 << 20;

/// An upload that may go on later.
pub(crate) struct Upload {
    file: File,
    path: PathBuf,
    salt: B256,
    /// Of the blocks that were made before, by this process or an earlier one.
    noted: Vec<B256>,
    /// How many of them this run has come by.
    at: usize,
}

impl Upload {
    /// Takes up what stands in `dir` of the upload of a version, or begins it.
    ///
    /// # Errors
    /// [`Error::File`]; also where another process is at it.
    pub(crate) fn open(dir: &Path, binding: &Binding) -> Result<Self> {
        let record = hex::encode(binding.record_id);
        let path = dir.join(format!("{record}-{}.upload", binding.version));
        let failed = |error: std::io::Error| unusable(&path, error);
        std::fs::create_dir_all(dir).map_err(failed)?;
        let options = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .clone();
        let mut file = options.open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::File("another process uploads this at present".into()));
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let mut text = Vec::new();
        (&mut file)
            .take(FILE_BYTES_MOST)
            .read_to_end(&mut text)
            .map_err(failed)?;
        let (salt, noted) = parse(&text).unwrap_or_else(|| (B256::ZERO, Vec::new()));
        let mut upload = Self {
            file,
            path,
            salt,
            noted,
            at: 0,
        };
        match upload.salt.is_zero() {
            true => upload.begin_anew()?,
            // Behind the last whole line: a cut one's block was not sent.
            false => upload.cut().map_err(|error| unusable(&upload.path, error))?,
        }
        Ok(upload)
    }

    /// Under another salt, and so under other keys.
    pub(crate) fn begin_anew(&mut self) -> Result<()> {
        (self.salt, self.noted, self.at) = (random(), Vec::new(), 0);
        let head = format!("{FORMAT}{}\n", hex::encode(self.salt));
        let write = |file: &mut File| {
            file.set_len(0)?;
            file.seek(SeekFrom::Start(0))?;
            file.write_all(head.as_bytes())?;
            file.sync_all()
        };
        write(&mut self.file).map_err(|error| unusable(&self.path, error))
    }

    fn cut(&mut self) -> std::io::Result<()> {
        let whole = (FORMAT.len() + LINE_BYTES * (1 + self.noted.len())) as u64;
        self.file.set_len(whole)?;
        self.file.seek(SeekFrom::Start(whole)).map(|_| ())
    }

    /// What the payload's keys are drawn from.
    pub(crate) fn rng(&self, root: &RootSecret, binding: &Binding) -> impl CryptoRng + use<> {
        // keccak256 is a sponge: keying by prefix is sound.
        let mut input = Zeroizing::new(Vec::with_capacity(192));
        input.extend_from_slice(b"medlock/v1/upload");
        input.extend_from_slice(root.expose());
        input.extend_from_slice(self.salt.as_slice());
        input.extend_from_slice(&binding.chart);
        input.extend_from_slice(&binding.record_id);
        input.extend_from_slice(&binding.version.to_be_bytes());
        let seed = Zeroizing::new(keccak256(&*input).0);
        ChaCha20Rng::from_seed(*seed)
    }

    /// Lets the next blocks leave, once they are noted: how many of the first ones were made before, and may have left already.
    pub(crate) fn admit(&mut self, blocks: &[Block]) -> std::result::Result<usize, Refused> {
        let digests = blocks.iter().map(|block| digest(&block.cid).map(B256::from));
        let digests = digests.collect::<std::result::Result<Vec<_>, _>>();
        let digests = digests.map_err(|error| Error::Usage(error.to_string()))?;
        let before = self.noted[self.at..].len().min(digests.len());
        if self.noted[self.at..][..before] != digests[..before] {
            return Err(Refused::Other);
        }
        let new = &digests[before..];
        if !new.is_empty() {
            let lines: String = new.iter().map(|digest| hex::encode(digest) + "\n").collect();
            let noted = self.file.write_all(lines.as_bytes());
            let noted = noted.and_then(|()| self.file.sync_data());
            noted.map_err(|error| unusable(&self.path, error))?;
            self.noted.extend_from_slice(new);
        }
        self.at += digests.len();
        Ok(before)
    }

    /// It has arrived, and is referred to.
    pub(crate) fn finish(self) {
        // One that stays is in nobody's way.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// The salt, and the digests of whole lines. `None`: it is not such a file, or has not got that far.
fn parse(text: &[u8]) -> Option<(B256, Vec<B256>)> {
    let rest = text.strip_prefix(FORMAT.as_bytes())?;
    let mut lines = rest.chunks_exact(LINE_BYTES).map_while(|line| {
        let line = line.strip_suffix(b"\n")?;
        let mut word = B256::ZERO;
        hex::decode_to_slice(line, word.as_mut_slice()).ok()?;
        Some(word)
    });
    let salt = lines.next().filter(|salt| !salt.is_zero())?;
    Some((salt, lines.collect()))
}

fn unusable(path: &Path, error: std::io::Error) -> Error {
    Error::File(format!("cannot use {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use medlock_dag::raw_block;
    use medlock_vault::rand_core::Rng;

    use super::*;
    use crate::identity::rng;

    fn binding() -> Binding {
        Binding {
            chain_id: 1,
            records: [1; 20],
            chart: [2; 32],
            record_id: [3; 32],
            version: 1,
            previous: [0; 32],
            compartment: 0,
        }
    }

    fn blocks(from: u8, to: u8) -> Vec<Block> {
        (from..to).map(|byte| raw_block(vec![byte; 9])).collect()
    }

    #[test]
    fn an_upload_is_taken_up_with_its_keys_and_what_was_made_of_it() {
        let dir = tempfile::tempdir().unwrap();
        let root = RootSecret::generate(&mut rng());
        let mut first = Upload::open(dir.path(), &binding()).unwrap();
        let drawn = first.rng(&root, &binding()).next_u64();
        assert_eq!(first.admit(&blocks(0, 3)).unwrap(), 0);
        let busy = Upload::open(dir.path(), &binding()).err().unwrap().to_string();
        assert!(busy.contains("another process"), "{busy}");
        let path = first.path.clone();
        drop(first);
        // Killed while it noted another.
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"0123").unwrap();
        drop(file);

        let mut second = Upload::open(dir.path(), &binding()).unwrap();
        assert_eq!(second.rng(&root, &binding()).next_u64(), drawn);
        assert_eq!(second.admit(&blocks(0, 2)).unwrap(), 2);
        assert_eq!(second.admit(&blocks(2, 5)).unwrap(), 1);
        drop(second);
        let mut third = Upload::open(dir.path(), &binding()).unwrap();
        assert_eq!(third.admit(&blocks(0, 6)).unwrap(), 5);
        third.finish();
        assert!(!path.exists());
        let other = Upload::open(dir.path(), &binding()).unwrap();
        assert_ne!(other.rng(&root, &binding()).next_u64(), drawn);
    }

    #[test]
    fn another_block_in_the_place_of_one_that_was_made_never_leaves() {
        let dir = tempfile::tempdir().unwrap();
        let root = RootSecret::generate(&mut rng());
        let mut upload = Upload::open(dir.path(), &binding()).unwrap();
        let drawn = upload.rng(&root, &binding()).next_u64();
        upload.admit(&blocks(0, 3)).unwrap();
        drop(upload);
        let mut upload = Upload::open(dir.path(), &binding()).unwrap();
        let noted = std::fs::read(&upload.path).unwrap();
        let changed = [blocks(0, 2), blocks(7, 8)].concat();
        assert!(matches!(upload.admit(&changed), Err(Refused::Other)));
        assert_eq!(std::fs::read(&upload.path).unwrap(), noted);
        upload.begin_anew().unwrap();
        assert_ne!(upload.rng(&root, &binding()).next_u64(), drawn);
        assert_eq!(upload.admit(&changed).unwrap(), 0);
    }

    #[test]
    fn what_is_no_such_file_is_begun_anew() {
        let dir = tempfile::tempdir().unwrap();
        let path = Upload::open(dir.path(), &binding()).unwrap().path.clone();
        for text in ["", "something else", FORMAT, "medlock-upload-1 00"] {
            std::fs::write(&path, text).unwrap();
            let mut upload = Upload::open(dir.path(), &binding()).unwrap();
            assert!(upload.noted.is_empty() && !upload.salt.is_zero());
            upload.admit(&blocks(0, 1)).unwrap();
            drop(upload);
            assert_eq!(Upload::open(dir.path(), &binding()).unwrap().noted.len(), 1);
        }
    }
}
