//! Blocks out of a store and into one as a CAR stream, in memory that does not grow with it.
//!
//! Any store with any: a backup, a move to another kind of store, or an exchange with `ipfs dag import` and `ipfs dag export`.

use medlock_dag::{Cid, car};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use crate::walk::Walk;
use crate::{Error, Store};

/// Blocks that are put at once: one sync, and what an import holds in memory.
const BATCH_BLOCKS: usize = 2_000;
const BATCH_BYTES: usize = 8 * 1024 * 1024;
/// Bytes read at once.
const PIECE_BYTES: usize = 256 * 1024;

/// What an export wrote.
#[must_use = "an export may lack blocks"]
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Exported {
    pub blocks: u64,
    /// Of the blocks, without what the format adds.
    pub bytes: u64,
    /// Blocks that the store does not have, such as shredded payloads: neither they nor what they lead to is in the stream.
    pub missing: Vec<Cid>,
}

/// What an import read and put.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Imported {
    /// What the stream names. Nothing says that they, and all that they lead to, are in it.
    pub roots: Vec<Cid>,
    pub blocks: u64,
    /// Of the blocks, without what the format adds.
    pub bytes: u64,
}

impl Store {
    /// Writes all blocks that `roots` lead to as a CAR v1 stream, depth first, each once: in the order and form of
    /// `ipfs dag export`. Each block is checked. Takes about 70 bytes of memory for each.
    ///
    /// # Errors
    /// [`Error::Car`] for more than some 3,000 roots; [`Error::Corrupt`] and others of `get`; [`Error::Stream`]. What was
    /// written until then is to be thrown away.
    pub async fn export(&self, roots: &[Cid], mut out: impl AsyncWrite + Unpin) -> Result<Exported, Error> {
        let mut walk = Walk::new(roots.iter().copied())?;
        out.write_all(&car::header(roots)?).await.map_err(Error::Stream)?;
        let mut exported = Exported::default();
        while let Some(cid) = walk.next() {
            let Some(block) = self.get(&cid).await? else {
                exported.missing.push(cid);
                continue;
            };
            walk.follow(&block);
            out.write_all(&car::frame(&block)).await.map_err(Error::Stream)?;
            exported.blocks += 1;
            exported.bytes += block.bytes.len() as u64;
        }
        out.flush().await.map_err(Error::Stream)?;
        Ok(exported)
    }

    /// Keeps all blocks of a CAR v1 stream of any length, each of them checked. On an error, what came more than a batch
    /// before it is kept: blocks that nothing points to yet; importing it again is safe.
    ///
    /// # Errors
    /// [`Error::Car`] for a stream that is malformed, altered or cut short; [`Error::Stream`]; those of `put`.
    pub async fn import(&self, mut car: impl AsyncRead + Unpin) -> Result<Imported, Error> {
        let mut reader = car::Reader::unbounded();
        let mut imported = Imported::default();
        let (mut batch, mut batch_bytes) = (Vec::new(), 0);
        let mut piece = vec![0; PIECE_BYTES];
        loop {
            let read_bytes = car.read(&mut piece).await.map_err(Error::Stream)?;
            if read_bytes == 0 {
                break;
            }
            for block in reader.push(&piece[..read_bytes])? {
                imported.blocks += 1;
                imported.bytes += block.bytes.len() as u64;
                batch_bytes += block.bytes.len();
                batch.push(block);
            }
            if batch.len() >= BATCH_BLOCKS || batch_bytes >= BATCH_BYTES {
                self.put(std::mem::take(&mut batch)).await?;
                batch_bytes = 0;
            }
        }
        imported.roots = reader.finish()?;
        self.put(batch).await?;
        Ok(imported)
    }
}
