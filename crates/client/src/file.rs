//! Files that hold secrets or plaintext: for this user's eyes alone, whole or not at all.

use std::{
    fs::{File, OpenOptions},
    io::{Error, ErrorKind, Result, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use medlock_vault::rand_core::Rng;

use crate::identity::rng;

/// Writes a new file.
///
/// # Errors
/// [`ErrorKind::AlreadyExists`]: nothing is overwritten.
pub fn create(path: &Path, bytes: &[u8]) -> Result<()> {
    let beside = Beside::write(path, bytes)?;
    // A link fails where the name is taken; a rename would replace it.
    std::fs::hard_link(&beside.0, path)?;
    sync_folder(path)
}

/// Writes a file, in the place of the one that may be there.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let beside = Beside::write(path, bytes)?;
    std::fs::rename(&beside.0, path)?;
    sync_folder(path)
}

/// A file in the making, under a name of its own: what `path` names is replaced in [`Draft::finish`] and not before.
pub struct Draft {
    path: PathBuf,
    beside: Beside,
    file: File,
}

impl Draft {
    pub fn new(path: &Path) -> Result<Self> {
        let (beside, file) = Beside::create(path)?;
        Ok(Self {
            path: path.to_owned(),
            beside,
            file,
        })
    }

    /// For writing, from another thread as well.
    pub fn writer(&self) -> Result<File> {
        self.file.try_clone()
    }

    /// Puts the file in its place, whole and durable.
    pub fn finish(self) -> Result<()> {
        self.file.sync_all()?;
        std::fs::rename(&self.beside.0, &self.path)?;
        sync_folder(&self.path)
    }

    /// [`Draft::finish`] where there is none yet.
    ///
    /// # Errors
    /// [`ErrorKind::AlreadyExists`].
    pub fn finish_new(self) -> Result<()> {
        self.file.sync_all()?;
        // As in [`create`].
        std::fs::hard_link(&self.beside.0, &self.path)?;
        sync_folder(&self.path)
    }
}

/// A file under a name of its own, gone when dropped unless it was renamed.
struct Beside(PathBuf);

impl Beside {
    fn write(path: &Path, bytes: &[u8]) -> Result<Self> {
        let (beside, mut file) = Self::create(path)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        Ok(beside)
    }

    fn create(path: &Path) -> Result<(Self, File)> {
        let name = path
            .file_name()
            .ok_or_else(|| Error::new(ErrorKind::InvalidInput, "not a file's name"))?;
        std::fs::create_dir_all(folder(path))?;
        let beside = folder(path).join(format!(".{}.{:016x}", name.to_string_lossy(), rng().next_u64()));
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&beside)?;
        Ok((Self(beside), file))
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        // After a rename there is nothing left; otherwise nothing better can be done about it here.
        let _ = std::fs::remove_file(&self.0);
    }
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Without this the name itself may be lost in a power cut.
fn sync_folder(path: &Path) -> Result<()> {
    File::open(folder(path))?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_new_file_is_private_and_never_replaces_another() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deep/er/secret");
        create(&path, b"one").unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(create(&path, b"two").unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read(&path).unwrap(), b"one");
        replace(&path, b"three").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"three");
        let left: Vec<_> = std::fs::read_dir(path.parent().unwrap()).unwrap().collect();
        assert_eq!(left.len(), 1, "no temporary file is left: {left:?}");
    }

    #[test]
    fn a_draft_replaces_nothing_until_it_is_finished() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("content");
        create(&path, b"before").unwrap();
        let draft = Draft::new(&path).unwrap();
        draft.writer().unwrap().write_all(b"half").unwrap();
        drop(draft);
        assert_eq!(std::fs::read(&path).unwrap(), b"before");
        let draft = Draft::new(&path).unwrap();
        draft.writer().unwrap().write_all(b"after").unwrap();
        let other = Draft::new(&path).unwrap();
        assert_eq!(other.finish_new().unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read(&path).unwrap(), b"before");
        draft.finish().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"after");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
