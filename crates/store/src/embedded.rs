//! The embedded store: content-addressed blocks in a folder on disk.
//!
//! It keeps what it is given whole or not at all, survives a crash at any moment,
//! and is never open twice on one folder.
//!
//! # Layout, and why
//! ```text
//! lock                     held while open; names the process
//! tmp/                     packs being written; emptied at start
//! packs/<2 hex>/<16 hex>   one pack: a table of contents, then blocks end to end
//! ```
//! A batch becomes one **pack**, written to `tmp/`, synced once, renamed into
//! place, its folder synced. So a batch of 2,000 small blocks costs two syncs
//! (a file for each block would cost 2,000, and sync dominates), and the rename
//! makes the batch visible as a whole. The index lives in memory and is rebuilt
//! at start from the checksummed tables alone: there is no second file that could
//! disagree with the first, and nothing to replay. An append-only log would save
//! the small files, but removal would need a compactor and a torn tail a repair.
//!
//! Removal is real: the pack is written anew without the block and renamed over
//! the old one. Packs end at 16 MiB, which bounds that work. (What a disk's
//! firmware keeps of a deleted file is out of our hands: payloads are encrypted,
//! and shredding destroys the keys as well.)
//!
//! The price is memory, about 70 bytes a block: for more than some ten million
//! blocks run an IPFS node instead.
//!
//! A pack whose table is damaged hides what is in it, so the store does not open
//! until that was dealt with ([`Embedded::salvage`]): to say of those blocks that
//! they are not there would be a lie.
//!
//! Start reading at [`Embedded`], then `pack.rs` (the file format).

mod pack;
mod salvage;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use medlock_dag::{BLOCK_BYTES_MAX, Block, Cid};

pub use salvage::Salvaged;

use crate::error::is_full;
use crate::gc::{Fresh, GcRun};
use crate::{Digest, Error, Removal};

/// A pack is closed once it holds this much: what one removal rewrites at most
/// (a single block of up to 2 MiB may go over it).
const PACK_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Packs of one batch that are written at the same time: the disk has work to do while one waits for its sync. Files were
/// added at 251 to 400 MiB/s with one, and at 427 to 463 with two (`medlock-bench store`, three runs of each in turns).
const WRITERS: usize = 2;

/// A block store in a folder. Clones share it; the last one to go releases the lock.
///
/// A call that has begun runs to its end even if its future is dropped.
#[derive(Clone)]
pub struct Embedded {
    inner: Arc<Inner>,
}

impl Embedded {
    /// Opens the store in `dir`, creating it if need be. Blocks the thread: reads
    /// the tables of all packs (36 bytes a block).
    ///
    /// # Errors
    /// [`Error::Locked`], [`Error::DamagedPack`], [`Error::DiskFull`], [`Error::Io`].
    pub fn open(dir: impl AsRef<Path>) -> Result<Self, Error> {
        Ok(Self {
            inner: Arc::new(Inner::open(dir.as_ref())?),
        })
    }

    /// Keeps all of `blocks`, or none: durable once this returns.
    ///
    /// What is there already is left alone, unless its copy is damaged: then it is
    /// replaced. A batch over 16 MiB takes several packs: an error still undoes all
    /// of them, a power cut between their renames may leave some whole blocks.
    ///
    /// # Errors
    /// [`Error::Block`] for one over 2 MiB, [`Error::DiskFull`], [`Error::Io`].
    pub async fn put(&self, blocks: Vec<Block>) -> Result<(), Error> {
        self.repair(blocks).await.map(|_| ())
    }

    /// The block named `cid`, checked against it, if it is there.
    ///
    /// # Errors
    /// [`Error::Corrupt`] where the bytes on disk do not match, [`Error::Block`], [`Error::Io`].
    pub async fn get(&self, cid: &Cid) -> Result<Option<Block>, Error> {
        let cid = *cid;
        self.run(move |inner| inner.get(cid)).await
    }

    /// Whether a block named `cid` is kept. Does not look at its bytes.
    ///
    /// # Errors
    /// [`Error::Block`].
    pub async fn has(&self, cid: &Cid) -> Result<bool, Error> {
        let digest = medlock_dag::digest(cid)?;
        Ok(self.inner.index().contains_key(&digest))
    }

    /// Removes blocks for good. Durable once this returns.
    ///
    /// Needs up to 16 MiB of free space for packs that hold other blocks as well.
    ///
    /// # Errors
    /// [`Error::Block`], [`Error::DiskFull`], [`Error::Io`], [`Error::DamagedPack`].
    /// Packs before the failing one may have been rewritten already; repeat the call.
    pub async fn remove(&self, cids: Vec<Cid>) -> Result<Removal, Error> {
        let removed = self.run(move |inner| inner.remove(&cids)).await?;
        Ok(Removal {
            removed,
            unconfirmed: Vec::new(),
        })
    }

    /// Puts those of `blocks` that are missing or damaged: how many that were.
    ///
    /// # Errors
    /// Those of `put`.
    pub async fn repair(&self, blocks: Vec<Block>) -> Result<usize, Error> {
        self.run(move |inner| inner.put(&blocks)).await
    }

    /// Those of `cids` that it does not have whole. The others count as put just now, to a collection of garbage that goes on.
    ///
    /// Costs a read of each.
    ///
    /// # Errors
    /// [`Error::Block`].
    pub async fn keep(&self, cids: Vec<Cid>) -> Result<Vec<Cid>, Error> {
        self.run(move |inner| inner.keep(cids)).await
    }

    /// From now on every block that is put, new or there already, is kept by the
    /// [`sweep`](Self::sweep) to come.
    pub(crate) fn begin_gc(&self) -> Result<GcRun, Error> {
        self.inner.lock_packs().fresh.begin()
    }

    pub(crate) fn end_gc(&self, run: GcRun) {
        self.inner.lock_packs().fresh.end(run);
    }

    /// Removes all blocks but those in `live` and those put since [`begin_gc`](Self::begin_gc);
    /// says how many. Adds wait for one pack to be rewritten at most.
    pub(crate) async fn sweep(&self, run: GcRun, live: Arc<HashSet<Digest>>) -> Result<usize, Error> {
        self.run(move |inner| inner.sweep(run, &live)).await
    }

    #[must_use]
    pub(crate) fn name(&self) -> String {
        self.inner.dir.display().to_string()
    }

    async fn run<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Inner) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let inner = Arc::clone(&self.inner);
        match tokio::task::spawn_blocking(move || call(&inner)).await {
            Ok(result) => result,
            Err(join) if join.is_panic() => std::panic::resume_unwind(join.into_panic()),
            Err(_) => Err(Error::ShuttingDown),
        }
    }
}

struct Inner {
    dir: PathBuf,
    /// Blocks by digest: like Kubo, the codec is not part of what is stored.
    index: RwLock<HashMap<Digest, Place>>,
    /// Held by whoever changes packs.
    packs: Mutex<Packs>,
    /// Keeps the folder to ourselves for as long as we live.
    _lock: File,
}

struct Packs {
    /// The number of the next pack.
    next: u64,
    fresh: Fresh,
}

/// Where a block's bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    pack: u64,
    offset: u64,
    bytes: u32,
}

impl Inner {
    fn open(dir: &Path) -> Result<Self, Error> {
        for sub in ["tmp", "packs"] {
            create_dir(&dir.join(sub))?;
        }
        let lock = lock(dir)?;
        clear_temp(dir)?;
        let Found { packs, strays } = find_packs(dir)?;
        if let Some(pack) = strays.into_iter().next() {
            return Err(Error::DamagedPack { pack, reason: STRAY });
        }
        let mut index = HashMap::new();
        let mut doubles = BTreeMap::<u64, HashSet<Digest>>::new();
        for (number, path) in &packs {
            for (digest, place) in places(*number, &pack::read_table(path)?) {
                if let Some(Place { pack, .. }) = index.insert(digest, place) {
                    doubles.entry(pack).or_default().insert(digest);
                }
            }
        }
        let inner = Self {
            dir: dir.to_owned(),
            index: RwLock::new(index),
            packs: Mutex::new(Packs {
                next: packs.last_key_value().map_or(0, |(last, _)| last + 1),
                fresh: Fresh::default(),
            }),
            _lock: lock,
        };
        // A block is in one pack only, or removing it would leave a copy behind.
        // `put` sees to that; a pack copied in by hand may not.
        for (pack, digests) in doubles {
            inner.rewrite(pack, &digests)?;
        }
        Ok(inner)
    }

    fn get(&self, cid: Cid) -> Result<Option<Block>, Error> {
        let digest = medlock_dag::digest(&cid)?;
        let Some((place, file)) = self.open_block(&digest)? else {
            return Ok(None);
        };
        let path = self.pack_path(place.pack);
        let corrupt = |reason: String| Error::Corrupt {
            cid: cid.into(),
            place: path.display().to_string(),
            reason,
        };
        let bytes = match pack::read_block(file, place.offset, place.bytes) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => {
                return Err(corrupt("the file is cut short".into()));
            }
            Err(e) => return Err(io_error(&path, e)),
        };
        match Block::verify(cid, bytes) {
            Ok(block) => Ok(Some(block)),
            Err(e) => Err(corrupt(e.to_string())),
        }
    }

    /// How many of `blocks` it took writing for.
    fn put(&self, blocks: &[Block]) -> Result<usize, Error> {
        let mut packs = self.lock_packs();
        let mut fresh = BTreeMap::new();
        let mut damaged = HashSet::new();
        for block in blocks {
            let digest = medlock_dag::digest(&block.cid)?;
            let bytes = block.bytes.len();
            if bytes > BLOCK_BYTES_MAX {
                return Err(medlock_dag::Error::TooLarge {
                    bytes,
                    bytes_max: BLOCK_BYTES_MAX,
                }
                .into());
            }
            packs.fresh.note(digest);
            let known = self.index().contains_key(&digest);
            if known && matches!(self.get(block.cid), Ok(Some(_))) {
                continue;
            }
            if known {
                damaged.insert(digest);
            }
            fresh.insert(digest, &block.bytes[..]);
        }
        self.remove_digests(&damaged)?;
        self.write_packs(&mut packs.next, &fresh)?;
        Ok(fresh.len())
    }

    fn keep(&self, cids: Vec<Cid>) -> Result<Vec<Cid>, Error> {
        // One at a time: an add need not wait for all that are read.
        let mut missing = Vec::new();
        for cid in cids {
            let digest = medlock_dag::digest(&cid)?;
            // Before it is looked for: a sweep that comes between finds it noted.
            self.lock_packs().fresh.note(digest);
            if !matches!(self.get(cid), Ok(Some(_))) {
                missing.push(cid);
            }
        }
        Ok(missing)
    }

    fn remove(&self, cids: &[Cid]) -> Result<usize, Error> {
        let _packs = self.lock_packs();
        let digests = cids
            .iter()
            .map(medlock_dag::digest)
            .collect::<Result<HashSet<_>, _>>()?;
        self.remove_digests(&digests)
    }

    fn sweep(&self, run: GcRun, live: &HashSet<Digest>) -> Result<usize, Error> {
        let mut by_pack = BTreeMap::<u64, HashSet<Digest>>::new();
        for (digest, place) in self.index().iter().filter(|(digest, _)| !live.contains(*digest)) {
            by_pack.entry(place.pack).or_default().insert(*digest);
        }
        let mut swept = 0;
        for mut digests in by_pack.into_values() {
            // Looked at again under the lock that `put` holds from looking up to writing.
            let packs = self.lock_packs();
            let fresh = packs.fresh.of(run)?;
            digests.retain(|digest| !fresh.contains(digest));
            swept += self.remove_digests(&digests)?;
        }
        Ok(swept)
    }

    /// Writes `blocks` as new packs. Under the lock of `packs`.
    fn write_packs(&self, next_pack: &mut u64, blocks: &BTreeMap<Digest, &[u8]>) -> Result<(), Error> {
        let mut undo = Undo::default();
        let mut renames = Vec::new();
        let mut packs = Vec::new();
        for part in pack::parts(blocks, PACK_BYTES_MAX) {
            let number = *next_pack;
            *next_pack += 1;
            let temp = self.temp_path(number);
            undo.0.push(temp.clone());
            renames.push((temp.clone(), self.pack_path(number)));
            packs.push((number, temp, part));
        }
        let mut added = Vec::new();
        for together in packs.chunks(WRITERS) {
            for written in in_parallel(together, |(_, temp, part)| self.write_temp(temp, part)) {
                added.push(written?);
            }
        }
        let added = packs
            .iter()
            .zip(&added)
            .flat_map(|((number, ..), table)| places(*number, table));
        let mut shards = BTreeSet::new();
        for (temp, path) in renames {
            let shard = parent(&path);
            create_dir(shard)?;
            shards.insert(shard.to_owned());
            undo.0.push(path.clone());
            fs::rename(&temp, &path).map_err(|e| self.write_error(&path, e))?;
        }
        for shard in shards {
            sync_dir(&shard)?;
        }
        self.index_mut().extend(added);
        undo.0.clear();
        Ok(())
    }

    /// Removes blocks from the packs that hold them. Under the lock of `packs`.
    fn remove_digests(&self, digests: &HashSet<Digest>) -> Result<usize, Error> {
        let mut by_pack = BTreeMap::<u64, HashSet<Digest>>::new();
        for digest in digests {
            if let Some(place) = self.index().get(digest) {
                by_pack.entry(place.pack).or_default().insert(*digest);
            }
        }
        for (pack, digests) in &by_pack {
            self.rewrite(*pack, digests)?;
        }
        Ok(by_pack.values().map(HashSet::len).sum())
    }

    /// Puts a pack without the blocks `without` in the place of pack `number`.
    fn rewrite(&self, number: u64, without: &HashSet<Digest>) -> Result<(), Error> {
        let path = self.pack_path(number);
        let old = fs::read(&path).map_err(|e| io_error(&path, e))?;
        let damaged = |reason| Error::DamagedPack {
            pack: path.clone(),
            reason,
        };
        let kept = pack::blocks(&old)
            .map_err(damaged)?
            .into_iter()
            .filter(|(digest, _)| !without.contains(digest))
            .collect::<Vec<_>>();
        let temp = self.temp_path(number);
        let undo = Undo(vec![temp.clone()]);
        let table = match &kept[..] {
            [] => Vec::new(),
            kept => self.write_temp(&temp, kept)?,
        };
        {
            // Readers look up and open under the same lock: they see the old pack
            // with the old places, or the new with the new.
            let mut index = self.index_mut();
            if kept.is_empty() {
                fs::remove_file(&path).map_err(|e| io_error(&path, e))?;
            } else {
                fs::rename(&temp, &path).map_err(|e| self.write_error(&path, e))?;
            }
            // Of a block in two packs (see `open`) the index keeps the other place.
            for digest in without {
                if index.get(digest).is_some_and(|known| known.pack == number) {
                    index.remove(digest);
                }
            }
            for (digest, place) in places(number, &table) {
                if let Some(known) = index.get_mut(&digest).filter(|known| known.pack == number) {
                    *known = place;
                }
            }
        }
        drop(undo);
        sync_dir(parent(&path))
    }

    fn write_temp(&self, path: &Path, blocks: &[(Digest, &[u8])]) -> Result<Vec<(Digest, u32)>, Error> {
        pack::write(path, blocks).map_err(|e| self.write_error(path, e))
    }

    fn write_error(&self, path: &Path, error: io::Error) -> Error {
        write_error(&self.dir, path, error)
    }

    fn open_block(&self, digest: &Digest) -> Result<Option<(Place, File)>, Error> {
        let index = self.index();
        let Some(place) = index.get(digest) else {
            return Ok(None);
        };
        let path = self.pack_path(place.pack);
        let file = File::open(&path).map_err(|e| io_error(&path, e))?;
        Ok(Some((*place, file)))
    }

    fn pack_path(&self, number: u64) -> PathBuf {
        pack_path(&self.dir, number)
    }

    fn temp_path(&self, number: u64) -> PathBuf {
        temp_path(&self.dir, number)
    }

    // A panic under one of these locks leaves the index true to the packs: it is
    // changed last, in one step.
    fn lock_packs(&self) -> MutexGuard<'_, Packs> {
        self.packs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn index(&self) -> RwLockReadGuard<'_, HashMap<Digest, Place>> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn index_mut(&self) -> RwLockWriteGuard<'_, HashMap<Digest, Place>> {
        self.index.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Does `work` with each of `items` at once.
fn in_parallel<I: Sync, T: Send>(items: &[I], work: impl Fn(&I) -> T + Sync) -> Vec<T> {
    let [first, others @ ..] = items else {
        return Vec::new();
    };
    std::thread::scope(|scope| {
        let others = others.iter().map(|item| scope.spawn(|| work(item))).collect::<Vec<_>>();
        let mut done = vec![work(first)];
        for other in others {
            done.push(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        done
    })
}

/// Files that are removed again unless the work came to its end.
#[derive(Default)]
struct Undo(Vec<PathBuf>);

impl Drop for Undo {
    fn drop(&mut self) {
        for path in &self.0 {
            // What cannot be removed now is a whole pack of blocks that nothing
            // refers to, or is cleared away at the next start.
            let _ = fs::remove_file(path);
        }
    }
}

/// Where each block of a table of contents lies.
fn places(pack: u64, table: &[(Digest, u32)]) -> impl Iterator<Item = (Digest, Place)> {
    let mut offset = pack::table_bytes(table.len());
    table.iter().map(move |(digest, bytes)| {
        let place = Place {
            pack,
            offset,
            bytes: *bytes,
        };
        offset += u64::from(*bytes);
        (*digest, place)
    })
}

/// Why a file below `packs/` is none of ours.
const STRAY: &str = "not a pack's place";

/// What is below `packs/`.
struct Found {
    packs: BTreeMap<u64, PathBuf>,
    strays: Vec<PathBuf>,
}

fn find_packs(dir: &Path) -> Result<Found, Error> {
    let mut found = Found {
        packs: BTreeMap::new(),
        strays: Vec::new(),
    };
    for shard in list(&dir.join("packs"))? {
        for path in list(&shard)? {
            match pack_number(&path) {
                Some(number) if path == pack_path(dir, number) => {
                    found.packs.insert(number, path);
                }
                _ => found.strays.push(path),
            }
        }
    }
    Ok(found)
}

/// Removes what was being written when the last process ended.
fn clear_temp(dir: &Path) -> Result<(), Error> {
    for entry in list(&dir.join("tmp"))? {
        tracing::info!(path = %entry.display(), "removing a pack that was never finished");
        fs::remove_file(&entry).map_err(|e| io_error(&entry, e))?;
    }
    Ok(())
}

fn pack_path(dir: &Path, number: u64) -> PathBuf {
    let shard = format!("{:02x}", number % 256);
    dir.join("packs").join(shard).join(format!("{number:016x}"))
}

fn temp_path(dir: &Path, number: u64) -> PathBuf {
    dir.join("tmp").join(format!("{number:016x}"))
}

fn pack_number(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_str()?;
    let number = u64::from_str_radix(name, 16).ok()?;
    (name == format!("{number:016x}")).then_some(number)
}

/// Takes the folder's lock, which the system lets go of when the process dies.
fn lock(dir: &Path) -> Result<File, Error> {
    let path = dir.join("lock");
    let error = |e| io_error(&path, e);
    let mut file = File::options()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(&path)
        .map_err(error)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut pid = String::new();
            // Only to name the holder; it may be about to write its number.
            let _ = file.read_to_string(&mut pid);
            let holder = match pid.trim() {
                "" => "another process".to_owned(),
                pid => format!("process {pid}"),
            };
            return Err(Error::Locked {
                dir: dir.to_owned(),
                holder,
            });
        }
        Err(TryLockError::Error(e)) => return Err(error(e)),
    }
    file.set_len(0).map_err(error)?;
    // It only names us. Where the disk is too full for that, the store has to open all the same: to remove blocks from it.
    let _ = writeln!(file, "{}", std::process::id());
    Ok(file)
}

/// Creates `dir` where it is missing, so that it outlives a power cut.
fn create_dir(dir: &Path) -> Result<(), Error> {
    if !dir.is_dir() {
        fs::create_dir_all(dir).map_err(|e| io_error(dir, e))?;
        sync_dir(parent(dir))?;
    }
    Ok(())
}

/// Makes renames and removals in `dir` durable.
fn sync_dir(dir: &Path) -> Result<(), Error> {
    File::open(dir)
        .and_then(|file| file.sync_all())
        .map_err(|e| io_error(dir, e))
}

fn list(dir: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = fs::read_dir(dir).and_then(|entries| {
        entries
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<io::Result<Vec<_>>>()
    });
    entries.map_err(|e| io_error(dir, e))
}

fn parent(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}

/// An error of writing to `path`, on which the store in `dir` depends.
fn write_error(dir: &Path, path: &Path, error: io::Error) -> Error {
    if is_full(error.kind()) {
        return Error::DiskFull { dir: dir.to_owned() };
    }
    io_error(path, error)
}

fn io_error(path: &Path, source: io::Error) -> Error {
    Error::Io {
        path: path.to_owned(),
        source,
    }
}
