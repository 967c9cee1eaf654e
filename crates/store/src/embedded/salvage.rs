//! What to do with a store that does not open because a pack is damaged: keep what is whole, and put the pack aside.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use medlock_dag::{Cid, raw_cid};

use super::{
    Found, clear_temp, create_dir, find_packs, io_error, lock, pack, parent, sync_dir, temp_path, write_error,
};
use crate::{Embedded, Error};

/// Names tried for a pack in the folder that it is put aside in.
const NAMES_MAX: usize = 1_000;

/// A damaged pack that was put aside.
#[must_use = "what was lost is in here"]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Salvaged {
    /// Where it was. The blocks that are whole are there again, in a new pack.
    pub pack: PathBuf,
    pub reason: &'static str,
    /// Where it is now.
    pub aside: PathBuf,
    /// Blocks that are whole.
    pub kept: usize,
    /// Blocks that are not, by their raw CIDs, as far as the damaged table can be believed.
    pub lost: Vec<Cid>,
}

impl Embedded {
    /// Makes the store in `dir` open again after [`Error::DamagedPack`]: each damaged pack is copied to the folder
    /// `aside`, and a pack of those of its blocks that still match their digests takes its place. Then
    /// [`heal`](crate::Store::heal) fetches what was lost from a replica. Blocks the thread.
    ///
    /// Nothing is removed from `aside` later on, whatever is removed from the store: delete it once nothing is missed.
    ///
    /// # Errors
    /// [`Error::Locked`], [`Error::DiskFull`], [`Error::Io`], also where `aside` is inside the store. It may be repeated.
    pub fn salvage(dir: impl AsRef<Path>, aside: impl AsRef<Path>) -> Result<Vec<Salvaged>, Error> {
        let (dir, aside) = (dir.as_ref(), aside.as_ref());
        let _lock = lock(dir)?;
        clear_temp(dir)?;
        let real = |path: &Path| std::path::absolute(path).map_err(|e| io_error(path, e));
        if real(aside)?.starts_with(real(dir)?) {
            let inside = io::Error::new(io::ErrorKind::InvalidInput, "it is inside the store");
            return Err(io_error(aside, inside));
        }
        create_dir(aside)?;
        let Found { packs, strays } = find_packs(dir)?;
        let mut salvaged = Vec::new();
        for (number, path) in packs {
            match pack::read_table(&path) {
                Ok(_) => {}
                Err(Error::DamagedPack { pack, reason }) => {
                    salvaged.push(salvage(dir, Some(number), pack, reason, aside)?);
                }
                Err(error) => return Err(error),
            }
        }
        for path in strays {
            salvaged.push(salvage(dir, None, path, super::STRAY, aside)?);
        }
        Ok(salvaged)
    }
}

/// Puts one pack aside; where it was in its place, with `number`, another one takes that.
fn salvage(
    dir: &Path,
    number: Option<u64>,
    path: PathBuf,
    reason: &'static str,
    aside: &Path,
) -> Result<Salvaged, Error> {
    let bytes = fs::read(&path).map_err(|e| io_error(&path, e))?;
    let aside = copy(dir, &bytes, &path, aside)?;
    let (kept, lost) = pack::salvage(&bytes);
    let kept = if number.is_some() { kept } else { Vec::new() };
    match number {
        Some(number) if !kept.is_empty() => {
            let temp = temp_path(dir, number);
            pack::write(&temp, &kept).map_err(|e| write_error(dir, &temp, e))?;
            fs::rename(&temp, &path).map_err(|e| write_error(dir, &path, e))?;
        }
        _ => fs::remove_file(&path).map_err(|e| io_error(&path, e))?,
    }
    sync_dir(parent(&path))?;
    tracing::warn!(pack = %path.display(), aside = %aside.display(), reason, kept = kept.len(), lost = lost.len(), "put a damaged pack aside");
    Ok(Salvaged {
        kept: kept.len(),
        lost: lost.into_iter().map(raw_cid).collect(),
        pack: path,
        reason,
        aside,
    })
}

/// Keeps `bytes` durably in the folder `aside`, under the name of `path` or one like it.
fn copy(dir: &Path, bytes: &[u8], path: &Path, aside: &Path) -> Result<PathBuf, Error> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut nth = 0;
    let (mut file, copy) = loop {
        let copy = aside.join(if nth == 0 {
            name.to_string()
        } else {
            format!("{name}.{nth}")
        });
        match File::create_new(&copy) {
            Ok(file) => break (file, copy),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists && nth < NAMES_MAX => nth += 1,
            Err(e) => return Err(io_error(&copy, e)),
        }
    };
    let written = io::Write::write_all(&mut file, bytes).and_then(|()| file.sync_all());
    written.map_err(|e| write_error(dir, &copy, e))?;
    sync_dir(aside)?;
    Ok(copy)
}
