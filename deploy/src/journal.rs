//! What a deployment has begun, so that it goes on after a stop at any point: a file beside the deployment file, without secrets.
//!
//! A line is written and synced before its transaction is sent. So a last line that is cut short stands for a transaction that
//! nobody has seen, and is dropped; anything else that does not read is damage, and is refused. Which transactions were mined is
//! not written here: the chain knows.
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{ErrorKind, Read, Seek, SeekFrom, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use alloy::primitives::{Address, B256, TxHash};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    Error,
    artifacts::{NAMES, created, sha256, sync_folder},
};

const VERSION: u32 = 1;
/// Hexadecimal digits of a line's sha256 that stand before it.
const SUM_DIGITS: usize = 16;
/// Some thousand transactions; a deployment has about a dozen.
const BYTES_MAX: u64 = 1024 * 1024;

/// All that decides the addresses of a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    pub chain_id: u64,
    pub genesis_hash: B256,
    /// Creates the contracts, pays, and is the registry's first owner.
    pub deployer: Address,
    /// Of the deployer's transaction that creates the first contract; the others follow it.
    pub nonce: u64,
}

impl Site {
    /// The contracts' addresses, in the order of [`NAMES`].
    pub fn addresses(&self) -> [Address; NAMES.len()] {
        created(self.deployer, self.nonce)
    }
}

/// A transaction that was about to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Attempt {
    pub step: String,
    pub nonce: u64,
    pub transaction: TxHash,
    /// Wei for a unit of gas, at most.
    pub fee: u128,
    /// Of these the part above the base fee.
    pub tip: u128,
}

#[derive(Serialize, Deserialize)]
struct Head {
    version: u32,
    #[serde(flatten)]
    site: Site,
    /// keccak256 of each contract's linked code, in the order of [`NAMES`].
    code: [B256; NAMES.len()],
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

/// A deployment that was begun.
#[derive(Debug)]
pub(crate) struct Journal {
    pub site: Site,
    pub attempts: Vec<Attempt>,
    code: [B256; NAMES.len()],
    file: Option<(PathBuf, File)>,
}

/// The file beside the deployment file `out`.
pub fn journal_path(out: &Path) -> PathBuf {
    let mut path = out.as_os_str().to_owned();
    path.push(".journal");
    path.into()
}

impl Journal {
    /// In memory: for a deployment that nobody goes on with.
    pub fn unwritten(site: Site, code: [B256; NAMES.len()]) -> Self {
        Self {
            site,
            attempts: Vec::new(),
            code,
            file: None,
        }
    }

    /// What stands in the file; `None` where there is none, or nothing was begun in it. Changes nothing.
    ///
    /// # Errors
    /// [`Error::Journal`].
    pub fn look(path: &Path) -> Result<Option<Self>, Error> {
        match File::open(path) {
            Ok(mut file) => Ok(parse(path, &text(path, &mut file)?)?.0),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(refuse(path, error)),
        }
    }

    /// Opens or begins the file, for this process alone. `begin` says where a new deployment is to stand.
    ///
    /// # Errors
    /// [`Error::Journal`], [`Error::Locked`], those of `begin`; [`Error::OtherBuild`] where the code was another.
    pub async fn open(
        path: &Path,
        begin: impl AsyncFnOnce() -> Result<Site, Error>,
        code: impl FnOnce(&Site) -> Result<[B256; NAMES.len()], Error>,
    ) -> Result<Self, Error> {
        let io = |error: std::io::Error| refuse(path, error);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(io)?;
        }
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut file = options.open(path).map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::Locked { path: path.into() }),
            Err(TryLockError::Error(error)) => return Err(io(error)),
        }
        // Who held the lock before may have finished and removed the file that was opened here.
        let (held, named) = (file.metadata().map_err(io)?, fs::metadata(path));
        if named.map_or(true, |named| (named.dev(), named.ino()) != (held.dev(), held.ino())) {
            return Err(Error::Locked { path: path.into() });
        }

        let text = text(path, &mut file)?;
        let (begun, whole) = parse(path, &text)?;
        file.set_len(whole).map_err(io)?;
        file.seek(SeekFrom::Start(whole)).map_err(io)?;
        let site = match &begun {
            Some(journal) => Ok(journal.site),
            None => begin().await,
        };
        let (site, code) = match site.and_then(|site| Ok((site, code(&site)?))) {
            Ok(found) => found,
            Err(error) => {
                if whole == 0 {
                    fs::remove_file(path).map_err(io)?;
                }
                return Err(error);
            }
        };
        let mut journal = match begun {
            Some(journal) => journal,
            None => Self::unwritten(site, code),
        };
        if let Some(at) = (0..NAMES.len()).find(|at| journal.code[*at] != code[*at]) {
            return Err(Error::OtherBuild {
                path: path.into(),
                contract: NAMES[at],
            });
        }
        journal.file = Some((path.into(), file));
        if whole == 0 {
            let version = VERSION;
            journal.write(&Head { version, site, code })?;
            sync_folder(path).map_err(io)?;
        }
        Ok(journal)
    }

    /// Durable when it returns.
    pub fn append(&mut self, attempt: Attempt) -> Result<(), Error> {
        self.write(&attempt)?;
        self.attempts.push(attempt);
        Ok(())
    }

    /// The deployment file says all from here on.
    pub fn remove(self) -> Result<(), Error> {
        let Some((path, _lock)) = &self.file else { return Ok(()) };
        fs::remove_file(path).map_err(|error| refuse(path, error))
    }

    fn write(&mut self, value: &impl Serialize) -> Result<(), Error> {
        let Some((path, file)) = &mut self.file else {
            return Ok(());
        };
        let json = serde_json::to_string(value).map_err(|error| refuse(path, error))?;
        let line = format!("{} {json}\n", sum(&json));
        let written = file.write_all(line.as_bytes()).and_then(|()| file.sync_all());
        written.map_err(|error| refuse(path, error))
    }
}

fn text(path: &Path, file: &mut File) -> Result<Vec<u8>, Error> {
    let mut text = Vec::new();
    let read = file.take(BYTES_MAX + 1).read_to_end(&mut text);
    read.map_err(|error| refuse(path, error))?;
    if text.len() as u64 > BYTES_MAX {
        return Err(refuse(path, format!("more than {BYTES_MAX} bytes: not a journal")));
    }
    Ok(text)
}

/// What was begun, and how many bytes of `text` are whole lines.
fn parse(path: &Path, text: &[u8]) -> Result<(Option<Journal>, u64), Error> {
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let mut lines = text[..whole].split_inclusive(|byte| *byte == b'\n').zip(1..);
    let Some((first, _)) = lines.next() else {
        return Ok((None, 0));
    };
    let Version { version } = line(path, 1, first)?;
    if version != VERSION {
        return Err(refuse(
            path,
            format!("is version {version}, this program knows version {VERSION}"),
        ));
    }
    let Head { site, code, .. } = line(path, 1, first)?;
    let mut journal = Journal::unwritten(site, code);
    for (bytes, number) in lines {
        journal.attempts.push(line(path, number, bytes)?);
    }
    Ok((Some(journal), whole as u64))
}

fn line<T: DeserializeOwned>(path: &Path, number: usize, bytes: &[u8]) -> Result<T, Error> {
    let read = || {
        let text = std::str::from_utf8(bytes).ok()?.strip_suffix('\n')?;
        let (found, json) = text.split_at_checked(SUM_DIGITS)?;
        let json = json.strip_prefix(' ')?;
        (found == sum(json)).then(|| serde_json::from_str(json).ok())?
    };
    read().ok_or_else(|| refuse(path, format!("line {number} is damaged")))
}

fn sum(json: &str) -> String {
    let mut digits = sha256(json.as_bytes());
    digits.truncate(SUM_DIGITS);
    digits
}

fn refuse(path: &Path, reason: impl std::fmt::Display) -> Error {
    Error::Journal {
        path: path.into(),
        reason: reason.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site() -> Site {
        Site {
            chain_id: 7,
            genesis_hash: B256::repeat_byte(1),
            deployer: Address::repeat_byte(2),
            nonce: 3,
        }
    }

    fn attempt(nonce: u64) -> Attempt {
        Attempt {
            step: "deploy registry".into(),
            nonce,
            transaction: TxHash::repeat_byte(4),
            fee: u128::MAX,
            tip: 1,
        }
    }

    fn code(byte: u8) -> [B256; NAMES.len()] {
        [B256::repeat_byte(byte); NAMES.len()]
    }

    async fn open(path: &Path) -> Result<Journal, Error> {
        Journal::open(path, async || Ok(site()), |_| Ok(code(5))).await
    }

    /// A journal of two attempts: its file, and that file's bytes.
    async fn written() -> (tempfile::TempDir, PathBuf, Vec<u8>) {
        let dir = tempfile::tempdir().unwrap();
        let path = journal_path(&dir.path().join("deployment.json"));
        let mut journal = open(&path).await.unwrap();
        journal.append(attempt(3)).unwrap();
        journal.append(attempt(4)).unwrap();
        drop(journal);
        let bytes = fs::read(&path).unwrap();
        (dir, path, bytes)
    }

    #[tokio::test]
    async fn goes_on_with_what_was_written_and_begins_nothing_twice() {
        let (_dir, path, _) = written().await;
        let never = async || panic!("it was begun");
        let journal = Journal::open(&path, never, |_| Ok(code(5))).await.unwrap();
        assert_eq!(journal.attempts, [attempt(3), attempt(4)]);
        assert_eq!(journal.site, site());
        journal.remove().unwrap();
        assert!(!path.exists());
        assert!(Journal::look(&path).unwrap().is_none());
    }

    /// However short the last line was cut: what stood before it is there, and the next line is whole again.
    #[tokio::test]
    async fn drops_a_last_line_that_is_cut_short() {
        let (_dir, path, bytes) = written().await;
        let ends: Vec<usize> = (1..=bytes.len()).filter(|at| bytes[at - 1] == b'\n').collect();
        for cut in 0..bytes.len() {
            fs::write(&path, &bytes[..cut]).unwrap();
            let whole = ends.iter().filter(|end| **end <= cut).count();
            let mut journal = open(&path).await.unwrap();
            assert_eq!(journal.attempts.len(), whole.saturating_sub(1), "cut at {cut}");
            journal.append(attempt(9)).unwrap();
            drop(journal);
            let found = Journal::look(&path).unwrap().unwrap();
            assert_eq!(found.attempts.last(), Some(&attempt(9)), "cut at {cut}");
        }
    }

    #[tokio::test]
    async fn refuses_every_changed_byte_of_a_whole_line() {
        let (_dir, path, bytes) = written().await;
        for at in 0..bytes.len() - 1 {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            fs::write(&path, &damaged).unwrap();
            let refused = open(&path).await;
            assert!(matches!(refused, Err(Error::Journal { .. })), "byte {at}: {refused:?}");
            assert_eq!(fs::read(&path).unwrap(), damaged, "it is left as it was found");
        }
    }

    #[tokio::test]
    async fn refuses_another_build_another_version_and_a_second_process() {
        let (_dir, path, bytes) = written().await;
        let other = Journal::open(&path, async || Ok(site()), |_| Ok(code(6))).await;
        assert!(
            matches!(
                other,
                Err(Error::OtherBuild {
                    contract: "registry",
                    ..
                })
            ),
            "{other:?}"
        );
        let held = open(&path).await.unwrap();
        assert!(matches!(open(&path).await, Err(Error::Locked { .. })));
        drop(held);
        let text = String::from_utf8(bytes).unwrap();
        let head = text.lines().next().unwrap()[SUM_DIGITS + 1..].replace("\"version\":1", "\"version\":2");
        fs::write(&path, format!("{} {head}\n", sum(&head))).unwrap();
        let refused = open(&path).await.unwrap_err().to_string();
        assert!(refused.contains("is version 2"), "{refused}");
    }
}
