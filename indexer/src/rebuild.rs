//! An index built anew, in the place of what is there.
use crate::{
    Config, Database, Handle, start,
    store::{
        Store, WRITTEN,
        sqlite::{beside, fold_in, is_index, lock},
    },
};
use anyhow::{Context, Result};
use std::{
    fs::{self, File},
    io::ErrorKind,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::time::sleep;

/// How often it is looked whether the old file is still open elsewhere.
const OPEN_POLL: Duration = Duration::from_millis(500);

/// A pipeline that indexes from genesis.
///
/// In PostgreSQL the old rows are gone from the start. Where SQLite keeps the index, the new one is made in a file beside
/// it, and the old one can be read until [`Rebuild::finish`] puts the new one in its place.
pub struct Rebuild {
    handle: Handle,
    replaces: Option<Replaces>,
}

struct Replaces {
    config: Config,
    old: PathBuf,
    new: PathBuf,
    /// Nobody may write to the old file while it is replaced.
    lock: File,
}

impl Rebuild {
    /// Refuses where another process writes, and what is not an index. Fails as [`crate::spawn`] does, too.
    pub async fn start(config: Config) -> Result<Self> {
        let Database::Sqlite(old) = &config.database else {
            let handle = start(config, Store::open_anew).await?;
            return Ok(Self { handle, replaces: None });
        };
        let (old, new) = (old.clone(), beside(old, "-new"));
        let prepared = async {
            if let Some(folder) = old.parent() {
                fs::create_dir_all(folder)?;
            }
            let lock = lock(&old)?.context(WRITTEN)?;
            is_index(&old).await?;
            // Of a rebuild that did not come to its end.
            remove(&new)?;
            anyhow::Ok(lock)
        };
        let lock = prepared
            .await
            .with_context(|| format!("index database {}", old.display()))?;
        let beside = Config {
            database: Database::Sqlite(new.clone()),
            ..config.clone()
        };
        Ok(Self {
            handle: start(beside, Store::open).await?,
            replaces: Some(Replaces { config, old, new, lock }),
        })
    }

    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Ends it where it is. PostgreSQL keeps what was indexed so far, and a file its old index.
    pub async fn abandon(self) -> Result<()> {
        self.handle.shutdown().await
    }

    /// Puts the new index in the old one's place, once no other process has that open, and goes on with it. The handle
    /// from before is closed. May be dropped at any point: then one of the two is there, whole.
    pub async fn finish(self) -> Result<Handle> {
        let Self { handle, replaces } = self;
        let Some(Replaces { config, old, new, lock }) = replaces else {
            return Ok(handle);
        };
        let mut told = false;
        // A reader whose file is replaced would go on reading the old one, and open the new one beside it.
        while old.exists()
            && !fold_in(&old)
                .await
                .with_context(|| format!("close {}", old.display()))?
        {
            if !std::mem::replace(&mut told, true) {
                tracing::warn!(
                    "{} is open in another process; it is replaced once that ends",
                    old.display()
                );
            }
            sleep(OPEN_POLL).await;
        }
        handle.shutdown().await?;
        let folded = fold_in(&new)
            .await
            .with_context(|| format!("close {}", new.display()))?;
        anyhow::ensure!(folded, "{} is open in another process", new.display());
        fs::rename(&new, &old).with_context(|| format!("move {} to {}", new.display(), old.display()))?;
        remove(&new)?;
        drop(lock);
        crate::spawn(config).await
    }
}

/// The file and what SQLite and the writer keep beside it.
fn remove(path: &Path) -> Result<()> {
    for suffix in ["", "-wal", "-shm", "-journal", "-writer"] {
        let file = beside(path, suffix);
        match fs::remove_file(&file) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("remove {}", file.display()));
            }
            _ => {}
        }
    }
    Ok(())
}
