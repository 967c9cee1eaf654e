//! Files of any length as records, in memory that does not grow with them: sealed while they are uploaded, opened while
//! they come. An upload that was broken off goes on (`resume.rs`), where the client has a folder to note it in.

use std::io::{self, Read, Write};

use alloy::primitives::B256;
use medlock_api::Purpose;
use medlock_dag::{Block, Cid, FileBuilder};
use medlock_vault::{Binding, CompartmentKeys, Envelope, Metadata, StreamError, StreamSealer};
use sha2::{Digest, Sha256};
#[cfg(not(target_arch = "wasm32"))]
use tokio::sync::mpsc::{Receiver, channel};

use crate::{
    Client, Content, Document, NewDocument, OpenChart, Stored,
    error::{Error, Result},
    gateway::{ALL, Gateway, Payload},
    identity::rng,
    platform::blocking,
    record::{Sealed, tampered},
    resume::Upload,
};

/// Up to here a file is taken into memory, and compressed where its media type says that it pays.
const WHOLE_BYTES_MAX: u64 = 8 << 20;
/// One upload; two are in memory at once, one on its way and one in the making.
const UPLOAD_BYTES: usize = 8 << 20;
/// Blocks (256 KiB) that have come and are not opened yet.
#[cfg(not(target_arch = "wasm32"))]
const AHEAD: usize = 16;
/// What a browser opens: with one thread, a payload has come before it is opened.
#[cfg(target_arch = "wasm32")]
const OPENED_BYTES_MOST: u64 = 512 << 20;

/// A file that is to be added.
#[derive(Debug, Clone)]
pub struct NewFile {
    pub content: Content,
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

    /// [`Client::document_record_id`] of content that may be longer than memory.
    pub(crate) async fn content_record_id(&self, chart: B256, compartment: u8, content: &Content) -> Result<B256> {
        let source = content.clone();
        let hash = blocking(move || {
            let mut hashed = Hashed::new(compartment, source.open()?);
            io::copy(&mut hashed, &mut io::sink()).map_err(|error| source.unreadable(error))?;
            Ok::<_, Error>(hashed.hash())
        });
        Ok(self.record_id_of(chart, hash.await?))
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
            .content_record_id(self.id(), file.compartment, &file.content)
            .await?;
        // Looked up before gigabytes are sent.
        if self.is_ours(record, file.compartment).await? {
            return Ok((record, None));
        }
        if let Some(content) = whole(&file.content)? {
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
        let (sealed, hash, upload) = self
            .upload_content(&binding, file.metadata, &file.content, progress)
            .await?;
        if self.client.record_id_of(self.id(), hash) != record {
            return Err(file.content.changed());
        }
        let stored = self.add_sealed(vec![(binding, sealed)]).await?;
        if let Some(upload) = upload {
            upload.finish();
        }
        Ok((record, stored.into_iter().next()))
    }

    /// [`OpenChart::amend`] by content of any length.
    ///
    /// # Errors
    /// [`Error::File`] also where the file changes while it is read.
    pub async fn amend_file<C>(
        &self,
        before: &Document<C>,
        metadata: Metadata,
        content: &Content,
        progress: impl Fn(u64),
    ) -> Result<Stored> {
        if let Some(content) = whole(content)? {
            return self.amend(before, metadata, &content).await;
        }
        let binding = self.next_version(before);
        let (sealed, _, upload) = self.upload_content(&binding, metadata, content, progress).await?;
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
        let payload = self.payload(binding, &envelope, envelope.payload_bytes, ALL).await?;
        opened(payload, envelope, binding.clone(), keys, out, progress)
            .await?
            .map_err(|error| match error {
                StreamError::Vault(error) => tampered("the record")(error),
                StreamError::Io(error) => Error::File(error.to_string()),
            })
    }

    /// Seals content as it is read, and uploads its blocks as they are made. Gives the hash of what was read as well, and what is to be
    /// finished once the record is on chain.
    async fn upload_content(
        &self,
        binding: &Binding,
        metadata: Metadata,
        content: &Content,
        progress: impl Fn(u64),
    ) -> Result<(Sealed, B256, Option<Upload>)> {
        let unexpected = |refused| match refused {
            Refused::Other => content.changed(),
            Refused::Failed(error) => error,
        };
        let Some(dir) = self.client.uploads() else {
            let (sealed, hash) = self
                .upload_once(binding, &metadata, content, &progress, None)
                .await
                .map_err(unexpected)?;
            return Ok((sealed, hash, None));
        };
        let mut upload = Upload::open(dir, binding)?;
        let (sealed, hash) = match self
            .upload_once(binding, &metadata, content, &progress, Some(&mut upload))
            .await
        {
            // What was uploaded before is another content, or other metadata.
            Err(Refused::Other) => {
                upload.begin_anew()?;
                let again = self.upload_once(binding, &metadata, content, &progress, Some(&mut upload));
                again.await.map_err(unexpected)?
            }
            outcome => outcome.map_err(unexpected)?,
        };
        Ok((sealed, hash, Some(upload)))
    }

    async fn upload_once(
        &self,
        binding: &Binding,
        metadata: &Metadata,
        content: &Content,
        progress: &impl Fn(u64),
        mut upload: Option<&mut Upload>,
    ) -> std::result::Result<(Sealed, B256), Refused> {
        let gateway = self.client.gateway().await?;
        let bytes = content.length()?;
        let sealer = match &upload {
            Some(upload) => {
                let mut drawn = upload.rng(self.client.identity.root(), binding);
                StreamSealer::new(&mut drawn, binding, metadata, bytes)
            }
            None => StreamSealer::new(&mut rng(), binding, metadata, bytes),
        };
        let making = Making {
            content: Hashed::new(binding.compartment, content.open()?),
            sealer: sealer.map_err(Error::from)?,
            file: FileBuilder::new(),
            root: None,
        };
        let fault = |error| match error {
            StreamError::Vault(medlock_vault::Error::ContentLength { .. }) => content.changed(),
            StreamError::Vault(error) => error.into(),
            StreamError::Io(error) => content.unreadable(error),
        };
        let mut uploaded = 0;
        let (mut making, mut made) = making.next().await.map_err(fault)?;
        while !made.is_empty() {
            let blocks = std::mem::take(&mut made);
            uploaded += blocks.iter().map(|block| block.bytes.len() as u64).sum::<u64>();
            // The next ones are made while these are on their way.
            let sent = send(gateway, blocks, upload.as_deref_mut());
            let (next, sent) = futures::join!(making.next(), sent);
            sent?;
            (making, made) = next.map_err(fault)?;
            progress(uploaded);
        }
        let root = making.root.expect("it is known with the last blocks");
        let (seal, hash) = (making.sealer.finish(), making.content.hash());
        let blocks = Vec::new();
        Ok((Sealed { root, seal, blocks }, hash))
    }
}

/// Uploads blocks, but for those that an earlier upload of the same content has brought there.
async fn send(
    gateway: &Gateway,
    mut blocks: Vec<Block>,
    upload: Option<&mut Upload>,
) -> std::result::Result<(), Refused> {
    if let Some(upload) = upload {
        let before = upload.admit(&blocks)?;
        if before > 0 {
            let new = blocks.split_off(before);
            blocks = gateway.missing(blocks).await?;
            blocks.extend(new);
        }
    }
    match blocks.is_empty() {
        true => Ok(()),
        false => Ok(gateway.upload(blocks).await?),
    }
}

/// Why a block was not admitted.
#[derive(Debug)]
pub(crate) enum Refused {
    /// It is another one than was made in its place: the content has changed, or what is said of it.
    #[cfg_attr(target_arch = "wasm32", expect(dead_code, reason = "a browser notes no blocks"))]
    Other,
    Failed(Error),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Opens a payload while it comes: by a thread of its own, so that the download does not wait for it.
#[cfg(not(target_arch = "wasm32"))]
async fn opened(
    mut payload: Payload,
    envelope: Envelope,
    binding: Binding,
    keys: CompartmentKeys,
    out: impl Write + Send + 'static,
    progress: impl Fn(u64, u64),
) -> Result<std::result::Result<Metadata, StreamError>> {
    let payload_bytes = envelope.payload_bytes;
    let (send, pieces) = channel(AHEAD);
    let opening = tokio::spawn(blocking(move || {
        envelope.open_record_stream(&binding, &keys, Pieces::new(pieces), out)
    }));
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
    let opened = opening.await;
    // What broke the download explains more than that there was nothing left to open.
    downloaded?;
    Ok(opened.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic())))
}

/// Opens a payload once it has come.
///
/// # Errors
/// [`Error::Unsuitable`] for one that does not fit into a browser's memory.
#[cfg(target_arch = "wasm32")]
async fn opened(
    mut payload: Payload,
    envelope: Envelope,
    binding: Binding,
    keys: CompartmentKeys,
    out: impl Write,
    progress: impl Fn(u64, u64),
) -> Result<std::result::Result<Metadata, StreamError>> {
    let payload_bytes = envelope.payload_bytes;
    if payload_bytes > OPENED_BYTES_MOST {
        let too_long = "this record is longer than 512 MiB, which a browser cannot open: use the program `medlock`";
        return Err(Error::Unsuitable(too_long.into()));
    }
    // The length is the writer's word: what comes is kept, and no more is taken than there is.
    let mut sealed = Vec::new();
    while let Some(piece) = payload.next().await? {
        let room = sealed.try_reserve(piece.len());
        room.map_err(|_| Error::Unsuitable("this record does not fit into the browser's memory".into()))?;
        sealed.extend(piece);
        progress(sealed.len() as u64, payload_bytes);
    }
    Ok(envelope.open_record_stream(&binding, &keys, sealed.as_slice(), out))
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

/// A file in the making: content is read, sealed and cut into the blocks of a UnixFS file as they are asked for.
struct Making {
    content: Hashed<Box<dyn Read + Send>>,
    sealer: StreamSealer,
    file: FileBuilder,
    /// The file's, once all is read.
    root: Option<Cid>,
}

impl Making {
    /// The next blocks, for one upload; none at the end.
    async fn next(self) -> std::result::Result<(Self, Vec<Block>), StreamError> {
        blocking(move || self.make()).await
    }

    fn make(mut self) -> std::result::Result<(Self, Vec<Block>), StreamError> {
        let (mut made, mut bytes) = (Vec::new(), 0);
        while bytes < UPLOAD_BYTES && self.root.is_none() {
            let blocks = match self.sealer.next(&mut self.content)? {
                Some(sealed) => self.file.push(sealed),
                None => {
                    let (blocks, root) = std::mem::take(&mut self.file).finish();
                    self.root = Some(root);
                    blocks
                }
            };
            bytes += blocks.iter().map(|block| block.bytes.len()).sum::<usize>();
            made.extend(blocks);
        }
        Ok((self, made))
    }
}

/// What comes over a channel, as one stream of bytes.
#[cfg(not(target_arch = "wasm32"))]
struct Pieces {
    coming: Receiver<Vec<u8>>,
    piece: io::Cursor<Vec<u8>>,
}

#[cfg(not(target_arch = "wasm32"))]
impl Pieces {
    fn new(coming: Receiver<Vec<u8>>) -> Self {
        Self {
            coming,
            piece: io::Cursor::default(),
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
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

/// All of it, where it is short enough for memory.
fn whole(content: &Content) -> Result<Option<Vec<u8>>> {
    if content.length()? > WHOLE_BYTES_MAX {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    // One byte more tells that it has grown since.
    let mut source = content.open()?.take(WHOLE_BYTES_MAX + 1);
    source
        .read_to_end(&mut bytes)
        .map_err(|error| content.unreadable(error))?;
    Ok((bytes.len() as u64 <= WHOLE_BYTES_MAX).then_some(bytes))
}
