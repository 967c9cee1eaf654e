//! FHIR Bundles: taken apart into one record a resource, put together again byte for byte.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
};

use alloy::primitives::{B256, keccak256};
use futures::{StreamExt, TryStreamExt};
use medlock_abi::terms::record_status;
use medlock_api::Purpose;
use medlock_fhir::{Frame, Label};
use medlock_vault::{Metadata, Zeroizing};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{
    NewDocument, OpenChart, Stored,
    error::{Error, Result},
};

/// The compartment of frames: what stands between a Bundle's resources, and which records they became.
pub const FRAMES: u8 = 16;
/// Its name in the label map.
pub const FRAMES_LABEL: &str = "bundles";
/// Records read at the same time. Each waits for the chain and the gateway, not for a core.
const READS_AT_ONCE: usize = 8;

/// What an import did.
#[derive(Debug, Clone, Serialize)]
pub struct Imported {
    /// Resources of the bundle, and its frame.
    pub records: usize,
    /// Those that were not there yet.
    pub stored: Vec<Stored>,
}

/// Content of a frame record.
#[derive(Serialize, Deserialize)]
struct FrameRecord {
    /// [`Frame::to_bytes`], which is JSON.
    frame: Box<RawValue>,
    /// The records of the resources, in the bundle's order.
    records: Vec<B256>,
}

/// The compartments of a new chart, as bundles are split: numbers and names.
pub fn default_labels() -> BTreeMap<u8, String> {
    Label::ALL
        .iter()
        .map(|label| (label.compartment(), label.as_str().to_owned()))
        .chain([(FRAMES, FRAMES_LABEL.to_owned())])
        .collect()
}

impl OpenChart {
    /// Splits a FHIR R4 Bundle and adds each resource as a record of the compartment that fits it. An interrupted
    /// import is completed by repeating it: the same resource becomes the same record.
    pub async fn import(&self, bytes: &[u8], progress: impl Fn(u64, u64)) -> Result<Imported> {
        let bundle = medlock_fhir::split(bytes)?;
        let mut seen: BTreeMap<B256, u32> = BTreeMap::new();
        let mut documents = Vec::with_capacity(bundle.entries.len() + 1);
        let mut records = Vec::with_capacity(bundle.entries.len());
        for entry in bundle.entries {
            // Identical resources in one bundle are still different records.
            let digest = keccak256(entry.source);
            let occurrence = seen.entry(digest).or_default();
            *occurrence += 1;
            let source = [&occurrence.to_be_bytes()[..], digest.as_slice()].concat();
            let record_id = self.client().record_id(self.id(), &source);
            records.push(record_id);
            documents.push(NewDocument {
                record_id,
                compartment: entry.label.compartment(),
                metadata: Metadata {
                    media_type: medlock_fhir::MEDIA_TYPE.into(),
                    resource_type: Some(entry.resource_type),
                    date: entry.date,
                    title: entry.title,
                    source: entry.full_url,
                },
                content: entry.source.into(),
            });
        }
        let frame = FrameRecord {
            frame: serde_json::from_slice(&bundle.frame.to_bytes()).map_err(not_json)?,
            records,
        };
        let frame = serde_json::to_vec(&frame).map_err(not_json)?;
        // Last, so that a frame on chain says that everything in it is there.
        documents.push(NewDocument {
            record_id: self.client().record_id(self.id(), &frame),
            compartment: FRAMES,
            metadata: Metadata {
                media_type: Frame::MEDIA_TYPE.into(),
                ..Metadata::default()
            },
            content: frame.into(),
        });
        let total = documents.len();
        let stored = self.add(documents, |done| progress(done, total as u64)).await?;
        Ok(Imported { records: total, stored })
    }

    /// Reads the bundle that was imported last, byte for byte as it came: every resource in its first version.
    pub async fn export(&self, purpose: Purpose, progress: impl Fn(u64, u64)) -> Result<Zeroizing<Vec<u8>>> {
        let frame = self.newest_frame(purpose).await?;
        let total = frame.records.len() as u64 + 1;
        let done = AtomicU64::new(1);
        let resources: Vec<Zeroizing<Vec<u8>>> = futures::stream::iter(&frame.records)
            .map(|record| async {
                let document = self.read(*record, Some(1), purpose).await?;
                progress(done.fetch_add(1, Ordering::Relaxed) + 1, total);
                Ok::<_, Error>(document.content)
            })
            .buffered(READS_AT_ONCE)
            .try_collect()
            .await?;
        let frame = Frame::from_bytes(frame.frame.get().as_bytes())?;
        Ok(Zeroizing::new(medlock_fhir::join(&frame, &resources)?))
    }
}

impl OpenChart {
    /// Any writer may put other things beside the frames; those are passed over.
    async fn newest_frame(&self, purpose: Purpose) -> Result<FrameRecord> {
        let listed = self.client().records(self.id(), Some(FRAMES)).await?;
        let shredded = record_status::text(record_status::SHREDDED);
        for record in listed.iter().rev().filter(|record| record.status != shredded) {
            let document = self.read(record.record_id, Some(1), purpose).await?;
            if document.metadata.media_type != Frame::MEDIA_TYPE {
                continue;
            }
            return serde_json::from_slice(&document.content).map_err(|error| Error::Tampered {
                what: "the bundle's frame".into(),
                detail: error.to_string(),
            });
        }
        Err(Error::Usage("no bundle was imported into this chart".into()))
    }
}

fn not_json(error: serde_json::Error) -> Error {
    Error::Usage(format!("the bundle's frame cannot be written: {error}"))
}
