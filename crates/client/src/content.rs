//! Where content comes from and where an export goes: files, and what stands for them in a browser.

use std::{
    fmt,
    fs::File,
    io::{self, Read, Seek, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::error::{Error, Result};

/// What can be read from its beginning as often as need be.
pub trait Readable: Send + Sync {
    /// Its name, for people: not a path.
    fn name(&self) -> Option<String>;

    /// What it is called where it cannot be used.
    fn label(&self) -> String {
        self.name().unwrap_or_else(|| "the content".into())
    }

    /// How long it is at present.
    fn length(&self) -> io::Result<u64>;

    fn open(&self) -> io::Result<Box<dyn Read + Send>>;
}

/// Content that is to be added. Cheap to clone.
#[derive(Clone)]
pub struct Content(Arc<dyn Readable>);

impl Content {
    pub fn new(readable: impl Readable + 'static) -> Self {
        Self(Arc::new(readable))
    }

    pub(crate) fn name(&self) -> Option<String> {
        self.0.name()
    }

    pub(crate) fn length(&self) -> Result<u64> {
        self.0.length().map_err(|error| self.unreadable(error))
    }

    pub(crate) fn open(&self) -> Result<Box<dyn Read + Send>> {
        self.0.open().map_err(|error| self.unreadable(error))
    }

    pub(crate) fn unreadable(&self, error: impl fmt::Display) -> Error {
        Error::File(format!("cannot read {self}: {error}"))
    }

    pub(crate) fn changed(&self) -> Error {
        Error::File(format!("{self} changed while it was read; nothing was added"))
    }
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.label())
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Content({self})")
    }
}

impl From<&Path> for Content {
    fn from(path: &Path) -> Self {
        Self::new(path.to_owned())
    }
}

impl Readable for PathBuf {
    fn name(&self) -> Option<String> {
        Some(self.file_name()?.to_string_lossy().into_owned())
    }

    fn label(&self) -> String {
        self.display().to_string()
    }

    fn length(&self) -> io::Result<u64> {
        let metadata = std::fs::metadata(self)?;
        match metadata.is_file() {
            true => Ok(metadata.len()),
            // Devices have no end.
            false => Err(io::Error::other("not a file")),
        }
    }

    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(File::open(self)?))
    }
}

/// Where an export is written. What was written last can be taken back.
pub trait Sheet: Write + Seek + Send + 'static {
    fn set_len(&mut self, bytes: u64) -> io::Result<()>;

    /// The same sheet, with one place for both at which is written next.
    fn another(&self) -> io::Result<Self>
    where
        Self: Sized;
}

impl Sheet for File {
    fn set_len(&mut self, bytes: u64) -> io::Result<()> {
        File::set_len(self, bytes)
    }

    fn another(&self) -> io::Result<Self> {
        self.try_clone()
    }
}
