//! Files of any length as records, in memory that does not grow with them: sealed while they are uploaded, opened while
//! they come. An upload that was broken off goes on (`resume.rs`), where the client has a folder to note it in.

use std::{
    fs::File,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use alloy::primitives::B256;
use medlock_api::Purpose;
use medlock_dag::{Block, FileBuilder};
use medlock_vault::{Binding, Envelope, Metadata, StreamError, seal_stream};
use sha2::{Digest, Sha256};
use tokio::{
    sync::mpsc::{Receiver, Sender, channel},
    task::spawn_blocking,
};

use crate::{
    Client, Document, NewDocument, OpenChart, Stored,
    error::{Error, Result},
    gateway::ALL,
    identity::rng,
    record::{Sealed, tampered},
    resume::{Refused, Upload},
};

/// Up to here a file is taken into memory, and compressed where its media type says that it pays.
const WHOLE_BYTES_MAX: u64 = 8 << 20;
/// One upload; two are in memory at once, one on its way and one in the making.
const UPLOAD_BYTES: usize = 8 << 20;
/// Blocks (256 KiB) that have come and are not opened yet.
const AHEAD: usize = 16;

/// A file that is to be added.
#[derive(Debug, Clone)]
pub struct NewFile {
    pub path: PathBuf,
    pub compartment: u8,
    pub metadata: Metadata,
}

impl Client {
    /// The id of the record that this identity makes of a document's bytes in a compartment.
    pub(crate) fn document_record_id(&self, chart: B256, compartment: u8, content: &[u8]) -> B256 {
        let mut hashed = Hashed::new(compartment, io::empty());
        hashed.hasher.update(content);
        self.record_id_of(chart, hashed.hash())
    }

    /// [`Client::document_record_id`] of a file.
    pub(crate) async fn file_record_id(&self, chart: B256, compartment: u8, path: &Path) -> Result<B256> {
        let file = open(path)?;
        let name = path.to_owned();
        let hash = spawn_blocking(move || {
            let mut hashed = Hashed::new(compartment, file);
            io::copy(&mut hashed, &mut io::sink()).map_err(|error| unreadable(&name, error))?;
            Ok::<_, Error>(hashed.hash())
        });
        Ok(self.record_id_of(chart, joined(hash.await)?))
    }
}

impl OpenChart {
    /// Encrypts, uploads and adds a file as one record; `progress` is told how much is uploaded. The record's id, and
    /// `None` beside it where it was added before.
    ///
    /// # Errors
    /// [`Error::File`] also where the file changes while it is read.
    pub async fn add_file(&self, file: NewFile, progress: impl Fn(u64)) -> Result<(B256, Option<Stored>)> {
        let record = self
            .client
            .file_record_id(self.id(), file.compartment, &file.path)
            .await?;
        // Looked up before gigabytes are sent.
        if self.is_ours(record, file.compartment).await? {
            return Ok((record, None));
        }
        if let Some(content) = whole(&file.path)? {
            let document = NewDocument {
                record_id: record,
                compartment: file.compartment,
                metadata: file.metadata,
                content: content.into(),
            };
            let stored = self.add(vec![document], |_| ()).await?;
            return Ok((record, stored.into_iter().next()));
        }
        let binding = self.first_version(record, file.compartment);
        let (sealed, hash, upload) = self.upload_file(&binding, file.metadata, &file.path, progress).await?;
        if self.client.record_id_of(self.id(), hash) != record {
            return Err(changed(&file.path));
        }
        let stored = self.add_sealed(vec![(binding, sealed)]).await?;
        if let Some(upload) = upload {
            upload.finish();
        }
        Ok((record, stored.into_iter().next()))
    }

    /// [`OpenChart::amend`] by the content of a file.
    ///
    /// # Errors
    /// [`Error::File`] also where the file changes while it is read.
    pub async fn amend_file<C>(
        &self,
        before: &Document<C>,
        metadata: Metadata,
        path: &Path,
        progress: impl Fn(u64),
    ) -> Result<Stored> {
        if let Some(content) = whole(path)? {
            return self.amend(before, metadata, &content).await;
        }
        let binding = self.next_version(before);
        let (sealed, _, upload) = self.upload_file(&binding, metadata, path, progress).await?;
        let stored = self.amend_sealed(binding, sealed).await?;
        if let Some(upload) = upload {
            upload.finish();
        }
        Ok(stored)
    }

    /// [`OpenChart::read`] with the content going to `out`. **It counts only when this returns without an error.**
    /// `progress` is told how much of the payload has come, and how much there is.
    pub async fn read_to(
        &self,
        record: B256,
        version: Option<u32>,
        purpose: Purpose,
        out: impl Write + Send + 'static,
        progress: impl Fn(u64, u64),
    ) -> Result<Document<()>> {
        let (binding, pointer, envelope) = self.fetch_envelope(record, version, purpose).await?;
        let metadata = self.open_to(&binding, envelope, out, progress).await?;
        Ok(Document::new(&binding, pointer, metadata, ()))
    }

    /// [`OpenChart::read_to`] of an envelope whose receipt is on file.
    pub(crate) async fn open_to(
        &self,
        binding: &Binding,
        envelope: Envelope,
        out: impl Write + Send + 'static,
        progress: impl Fn(u64, u64),
    ) -> Result<Metadata> {
        let keys = self.keys_of(&envelope).await?;
        let payload_bytes = envelope.payload_bytes;
        let mut payload = self.payload(binding, &envelope, payload_bytes, ALL).await?;
        let (send, pieces) = channel(AHEAD);
        let place = binding.clone();
        let opening = spawn_blocking(move || envelope.open_record_stream(&place, &keys, Pieces::new(pieces), out));
        let mut come = 0;
        let downloaded = async {
            while let Some(piece) = payload.next().await? {
                come += piece.len() as u64;
                progress(come, payload_bytes);
                if send.send(piece).await.is_err() {
                    // Opening has failed, and says why.
                    break;
                }
            }
            Ok(())
        };
        let downloaded: Result<()> = downloaded.await;
        drop(send);
        let opened = joined(opening.await);
        // What broke the download explains more than that there was nothing left to open.
        downloaded?;
        opened.map_err(|error| match error {
            StreamError::Vault(error) => tampered("the record")(error),
            StreamError::Io(error) => Error::File(error.to_string()),
        })
    }

    /// Seals a file as it is read, and uploads its blocks as they are made. Gives the hash of what was read as well, and what is to be
    /// finished once the record is on chain.
    async fn upload_file(
        &self,
        binding: &Binding,
        metadata: Metadata,
        path: &Path,
        progress: impl Fn(u64),
    ) -> Result<(Sealed, B256, Option<Upload>)> {
        let Some(dir) = self.client.uploads() else {
            return match self.upload_once(binding, metadata, path, &progress, None).await {
                Ok((sealed, hash)) => Ok((sealed, hash, None)),
                Err(refused) => Err(refused.unexpected(path)),
            };
        };
        let mut upload = Upload::open(dir, binding)?;
        let first = self
            .upload_once(binding, metadata.clone(), path, &progress, Some(&mut upload))
            .await;
        let (sealed, hash) = match first {
            // What was uploaded before is another content, or other metadata.
            Err(Refused::Other) => {
                upload.begin_anew()?;
                let again = self.upload_once(binding, metadata, path, &progress, Some(&mut upload));
                again.await.map_err(|refused| refused.unexpected(path))?
            }
            outcome => outcome.map_err(|refused| refused.unexpected(path))?,
        };
        Ok((sealed, hash, Some(upload)))
    }

    async fn upload_once(
        &self,
        binding: &Binding,
        metadata: Metadata,
        path: &Path,
        progress: &impl Fn(u64),
        mut upload: Option<&mut Upload>,
    ) -> std::result::Result<(Sealed, B256), Refused> {
        let gateway = self.client.gateway().await?;
        let file = open(path)?;
        let content_bytes = length(path)?;
        let (send, mut made) = channel(1);
        let binding = binding.clone();
        let resumed = upload
            .as_ref()
            .map(|upload| upload.rng(self.client.identity.root(), &binding));
        let sealing = spawn_blocking(move || {
            let mut content = Hashed::new(binding.compartment, file);
            let mut cutter = Cutter::new(send);
            let seal = match resumed {
                Some(mut rng) => seal_stream(&mut rng, &binding, &metadata, content_bytes, &mut content, &mut cutter),
                None => seal_stream(
                    &mut rng(),
                    &binding,
                    &metadata,
                    content_bytes,
                    &mut content,
                    &mut cutter,
                ),
            }?;
            let root = cutter.finish()?;
            Ok((root, seal, content.hash()))
        });
        let mut uploaded = 0;
        while let Some(mut blocks) = made.recv().await {
            let bytes: usize = blocks.iter().map(|block: &Block| block.bytes.len()).sum();
            let before = match &mut upload {
                Some(upload) => upload.admit(&blocks)?,
                None => 0,
            };
            if before > 0 {
                let new = blocks.split_off(before);
                blocks = gateway.missing(blocks).await?;
                blocks.extend(new);
            }
            if !blocks.is_empty() {
                gateway.upload(blocks).await?;
            }
            uploaded += bytes as u64;
            progress(uploaded);
        }
        let (root, seal, hash) = joined(sealing.await).map_err(|error| match error {
            StreamError::Vault(medlock_vault::Error::ContentLength { .. }) => changed(path),
            StreamError::Vault(error) => error.into(),
            StreamError::Io(error) => unreadable(path, error),
        })?;
        let blocks = Vec::new();
        Ok((Sealed { root, seal, blocks }, hash))
    }
}

impl Refused {
    fn unexpected(self, path: &Path) -> Error {
        match self {
            Self::Other => changed(path),
            Self::Failed(error) => error,
        }
    }
}

/// Hashes what is read, after the number of the compartment: the source of a file's record id. By SHA-256, for which processors have
/// instructions: a file is read twice.
struct Hashed<R> {
    hasher: Sha256,
    source: R,
}

impl<R> Hashed<R> {
    fn new(compartment: u8, source: R) -> Self {
        let hasher = Sha256::new().chain_update([compartment]);
        Self { hasher, source }
    }

    fn hash(self) -> B256 {
        B256::from(<[u8; 32]>::from(self.hasher.finalize()))
    }
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let length = self.source.read(out)?;
        self.hasher.update(&out[..length]);
        Ok(length)
    }
}

/// Cuts what is written into the blocks of a UnixFS file, and hands them on in uploads.
struct Cutter {
    file: FileBuilder,
    blocks: Vec<Block>,
    bytes: usize,
    made: Sender<Vec<Block>>,
}

impl Cutter {
    fn new(made: Sender<Vec<Block>>) -> Self {
        Self {
            file: FileBuilder::new(),
            blocks: Vec::new(),
            bytes: 0,
            made,
        }
    }

    fn take(&mut self, blocks: Vec<Block>) -> io::Result<()> {
        for block in blocks {
            self.bytes += block.bytes.len();
            self.blocks.push(block);
        }
        if self.bytes >= UPLOAD_BYTES {
            self.hand_on()?;
        }
        Ok(())
    }

    fn hand_on(&mut self) -> io::Result<()> {
        self.bytes = 0;
        let blocks = std::mem::take(&mut self.blocks);
        // Nobody receives them after an upload has failed.
        self.made
            .blocking_send(blocks)
            .map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    /// The file's root, once all its blocks are handed on.
    fn finish(mut self) -> io::Result<medlock_dag::Cid> {
        let (blocks, root) = std::mem::take(&mut self.file).finish();
        self.take(blocks)?;
        if !self.blocks.is_empty() {
            self.hand_on()?;
        }
        Ok(root)
    }
}

impl Write for Cutter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let blocks = self.file.push(bytes);
        self.take(blocks)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What comes over a channel, as one stream of bytes.
struct Pieces {
    coming: Receiver<Vec<u8>>,
    piece: io::Cursor<Vec<u8>>,
}

impl Pieces {
    fn new(coming: Receiver<Vec<u8>>) -> Self {
        Self {
            coming,
            piece: io::Cursor::default(),
        }
    }
}

impl Read for Pieces {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            let length = self.piece.read(out)?;
            if length > 0 || out.is_empty() {
                return Ok(length);
            }
            match self.coming.blocking_recv() {
                Some(piece) => self.piece = io::Cursor::new(piece),
                None => return Ok(0),
            }
        }
    }
}

/// A file's content, where it is short enough for memory.
fn whole(path: &Path) -> Result<Option<Vec<u8>>> {
    if length(path)? > WHOLE_BYTES_MAX {
        return Ok(None);
    }
    let mut content = Vec::new();
    // One byte more tells that it has grown since.
    let mut file = open(path)?.take(WHOLE_BYTES_MAX + 1);
    file.read_to_end(&mut content)
        .map_err(|error| unreadable(path, error))?;
    Ok((content.len() as u64 <= WHOLE_BYTES_MAX).then_some(content))
}

pub(crate) fn open(path: &Path) -> Result<File> {
    File::open(path).map_err(|error| unreadable(path, error))
}

pub(crate) fn length(path: &Path) -> Result<u64> {
    let metadata = std::fs::metadata(path).map_err(|error| unreadable(path, error))?;
    if !metadata.is_file() {
        return Err(unreadable(path, "not a file"));
    }
    Ok(metadata.len())
}

pub(crate) fn unreadable(path: &Path, error: impl std::fmt::Display) -> Error {
    Error::File(format!("cannot read {}: {error}", path.display()))
}

fn changed(path: &Path) -> Error {
    Error::File(format!(
        "{} changed while it was read; nothing was added",
        path.display()
    ))
}

/// What a blocking task gives; its panic is ours.
fn joined<T>(outcome: std::result::Result<T, tokio::task::JoinError>) -> T {
    outcome.unwrap_or_else(|error| match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(_) => unreachable!("a blocking task that has begun is never cancelled"),
    })
}
