//! What is kept of an imported file beside its resources: the frame, with which it comes back byte for byte.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicU64, Ordering},
};

use alloy::primitives::B256;
use futures::{StreamExt, TryStreamExt};
use medlock_abi::terms::record_status;
use medlock_api::{self as api, Purpose};
use medlock_fhir::{Frame, Label};
use medlock_vault::Zeroizing;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{
    OpenChart,
    error::{Error, Result},
};

/// The compartment of frames: what stands between a file's resources, and which records they became.
pub const FRAMES: u8 = 16;
/// Its name in the label map.
pub const FRAMES_LABEL: &str = "bundles";
/// Records read at the same time. Each waits for the chain and the gateway, not for a core.
pub(crate) const READS_AT_ONCE: usize = 8;
/// Frames that are looked into, the newest: each is a read in the chart's log.
const FRAMES_READ_MAX: usize = 64;
const FRAME_VERSION: u32 = 1;

/// The compartments of a new chart, as bundles are split: numbers and names.
pub fn default_labels() -> BTreeMap<u8, String> {
    Label::ALL
        .iter()
        .map(|label| (label.compartment(), label.as_str().to_owned()))
        .chain([(FRAMES, FRAMES_LABEL.to_owned())])
        .collect()
}

/// Content of a frame record.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FrameRecord {
    version: u32,
    /// [`Frame::to_bytes`], which is JSON.
    frame: Box<RawValue>,
    /// What the resources became, in the file's order.
    pub entries: Vec<FrameEntry>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FrameEntry {
    pub record: B256,
    pub version: u32,
    /// [`OpenChart::mark`] of the content: by it an importer knows its own again without reading them.
    pub mark: B256,
}

impl FrameRecord {
    pub fn new(frame: &Frame, entries: Vec<FrameEntry>) -> Result<Self> {
        Ok(Self {
            version: FRAME_VERSION,
            frame: serde_json::from_slice(&frame.to_bytes()).map_err(not_json)?,
            entries,
        })
    }

    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        serde_json::to_vec(self).map_err(not_json)
    }

    /// # Errors
    /// [`Error::Tampered`] for what is none: any writer may put things beside the frames.
    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let tampered = |detail: String| Error::Tampered {
            what: "the bundle's frame".into(),
            detail,
        };
        let record: Self = serde_json::from_slice(bytes).map_err(|error| tampered(error.to_string()))?;
        if record.version != FRAME_VERSION || record.frame()?.resources() != record.entries.len() {
            return Err(tampered("it is of another version, or is not of these records".into()));
        }
        Ok(record)
    }

    pub fn frame(&self) -> Result<Frame> {
        Ok(Frame::from_bytes(self.frame.get().as_bytes())?)
    }

    pub fn records(&self) -> BTreeSet<B256> {
        self.entries.iter().map(|entry| entry.record).collect()
    }
}

impl OpenChart {
    /// The Bundle that was imported last, as it came.
    ///
    /// # Errors
    /// Those of [`OpenChart::original`].
    pub async fn export(&self, purpose: Purpose, progress: impl Fn(u64, u64)) -> Result<Zeroizing<Vec<u8>>> {
        self.original(None, purpose, progress).await
    }

    /// Reads an imported file of resources, byte for byte as it came, whatever became of its records since: the one of
    /// the frame record `frame`, or the last without.
    ///
    /// # Errors
    /// Those of reading: one record that cannot be read is the end of it.
    pub async fn original(
        &self,
        frame: Option<B256>,
        purpose: Purpose,
        progress: impl Fn(u64, u64),
    ) -> Result<Zeroizing<Vec<u8>>> {
        let record = match frame {
            Some(record) => FrameRecord::from_bytes(&self.read(record, Some(1), purpose).await?.content)?,
            None => self.newest_frame(purpose).await?,
        };
        let total = record.entries.len() as u64 + 1;
        let done = AtomicU64::new(1);
        let (done, progress) = (&done, &progress);
        let resources: Vec<Zeroizing<Vec<u8>>> = futures::stream::iter(record.entries.clone())
            .map(|entry| async move {
                let document = self.read(entry.record, Some(entry.version), purpose).await?;
                progress(done.fetch_add(1, Ordering::Relaxed) + 1, total);
                Ok::<_, Error>(document.content)
            })
            .buffered(READS_AT_ONCE)
            .try_collect()
            .await?;
        Ok(Zeroizing::new(medlock_fhir::join(&record.frame()?, &resources)?))
    }

    /// What tells that two contents are the same, to this identity alone: whoever may read frames learns nothing of what
    /// they may not read.
    pub(crate) fn mark(&self, content: &[u8]) -> B256 {
        let source = Zeroizing::new([b"content ", content].concat());
        self.client().record_id(self.id(), &source)
    }

    /// The newest frames among `listed`, newest first, with their records' ids. What only looks like one is passed over.
    pub(crate) async fn frames(
        &self,
        listed: &[api::Version],
        purpose: Purpose,
    ) -> Result<Vec<(B256, FrameRecord, Zeroizing<Vec<u8>>)>> {
        let records: Vec<B256> = candidates(listed).map(|record| record.record_id).collect();
        let read: Vec<_> = futures::stream::iter(records.into_iter().take(FRAMES_READ_MAX))
            .map(|record| self.read(record, Some(1), purpose))
            .buffered(READS_AT_ONCE)
            .collect()
            .await;
        let mut frames = Vec::new();
        for document in read {
            match document {
                Ok(document) if document.metadata.media_type == Frame::MEDIA_TYPE => {
                    if let Ok(record) = FrameRecord::from_bytes(&document.content) {
                        frames.push((document.record_id, record, document.content));
                    }
                }
                Err(error) if error.is_transient() => return Err(error),
                // They are told of where they would be exported.
                Ok(_) | Err(_) => {}
            }
        }
        Ok(frames)
    }

    async fn newest_frame(&self, purpose: Purpose) -> Result<FrameRecord> {
        let listed = self.client().records(self.id(), Some(FRAMES)).await?;
        for record in candidates(&listed) {
            let document = self.read(record.record_id, Some(1), purpose).await?;
            if document.metadata.media_type == Frame::MEDIA_TYPE {
                return FrameRecord::from_bytes(&document.content);
            }
        }
        Err(Error::Usage("no bundle was imported into this chart".into()))
    }
}

/// What may be a frame, newest first.
fn candidates(listed: &[api::Version]) -> impl Iterator<Item = &api::Version> {
    let shredded = record_status::text(record_status::SHREDDED);
    let may_be = move |record: &&api::Version| record.compartment == FRAMES && record.status != shredded;
    listed.iter().rev().filter(may_be)
}

fn not_json(error: serde_json::Error) -> Error {
    Error::Usage(format!("the bundle's frame cannot be written: {error}"))
}
