//! A chart as one CAR file: everything that its controller needs to bring it back where the chain and this file are left.
//!
//! The file holds the directory, and envelope and payload of every version of every record, as they are stored: sealed.
//! It holds no keyring, since those are the grantees' own; a rotation hands them out anew.

use std::io::{Read, Write};

use medlock_abi::terms::record_status;
use medlock_api::Purpose;
use medlock_dag::{Block, car, dag_cbor_block};

use crate::{
    Client, OpenChart,
    error::{Error, Result},
    gateway::ALL,
};

/// Blocks of one upload.
const UPLOAD_BYTES: usize = 8 << 20;
/// Read from a file at once.
const READ_BYTES: usize = 1 << 20;

/// What went into a backup.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct BackedUp {
    pub versions: u64,
    /// Records that were shredded: there is nothing of them to back up.
    pub shredded: u64,
    pub blocks: u64,
    pub bytes: u64,
}

/// What came out of one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Restored {
    pub blocks: u64,
    pub bytes: u64,
}

impl OpenChart {
    /// Writes the chart to `out` as a CAR stream, for its controller; every version is a read in the chart's log.
    /// `progress` is told how many versions are written. Blocks that several records share are written as often.
    ///
    /// # Errors
    /// Those of reading a record; [`Error::File`]. What was written before an error is no backup.
    pub async fn backup(&self, mut out: impl Write, progress: impl Fn(u64)) -> Result<BackedUp> {
        let purpose = Purpose::from_code("PATRQT").expect("the patient's own request is a purpose");
        let mut done = BackedUp::default();
        let state = self.client.chart_state(self.id()).await?;
        let directory = self.client.directory(self.id(), &state).await?;
        let directory = dag_cbor_block(directory.encode());
        let header = car::header(&[directory.cid]).map_err(|error| Error::File(error.to_string()))?;
        out.write_all(&header).map_err(unwritten)?;
        let mut write = |block: &Block, done: &mut BackedUp| -> Result<()> {
            out.write_all(&car::frame(block)).map_err(unwritten)?;
            done.blocks += 1;
            done.bytes += block.bytes.len() as u64;
            Ok(())
        };
        write(&directory, &mut done)?;
        for record in self.client.records(self.id(), None).await? {
            if record.status == record_status::text(record_status::SHREDDED) {
                done.shredded += 1;
                continue;
            }
            for version in 1..=record.version {
                let (binding, _, envelope) = self.fetch_envelope(record.record_id, Some(version), purpose).await?;
                let mut payload = self.payload(&binding, &envelope, envelope.payload_bytes, ALL).await?;
                // Its one encoding: the block that the chain points to.
                write(&dag_cbor_block(envelope.encode()), &mut done)?;
                while let Some(block) = payload.next_block().await? {
                    write(&block, &mut done)?;
                }
                done.versions += 1;
                progress(done.versions);
            }
        }
        out.flush().map_err(unwritten)?;
        Ok(done)
    }
}

impl Client {
    /// Uploads what [`OpenChart::backup`] wrote, or any CAR of blocks. Safe to repeat: what is there is left as it is.
    /// `progress` is told how many bytes are uploaded.
    ///
    /// # Errors
    /// [`Error::File`] for a stream that is damaged or cut short: what came before is uploaded.
    pub async fn restore(&self, mut from: impl Read, progress: impl Fn(u64)) -> Result<Restored> {
        let gateway = self.gateway().await?;
        let mut done = Restored::default();
        let mut reader = car::Reader::unbounded();
        let mut piece = vec![0; READ_BYTES];
        let (mut batch, mut batch_bytes) = (Vec::new(), 0);
        loop {
            let length = from.read(&mut piece).map_err(|error| unread(&error))?;
            for block in reader.push(&piece[..length]).map_err(|error| unread(&error))? {
                batch_bytes += block.bytes.len();
                batch.push(block);
            }
            if batch_bytes >= UPLOAD_BYTES || (length == 0 && !batch.is_empty()) {
                done.blocks += batch.len() as u64;
                done.bytes += batch_bytes as u64;
                gateway.upload(std::mem::take(&mut batch)).await?;
                batch_bytes = 0;
                progress(done.bytes);
            }
            if length == 0 {
                reader.finish().map_err(|error| unread(&error))?;
                return Ok(done);
            }
        }
    }
}

fn unwritten(error: std::io::Error) -> Error {
    Error::File(format!("cannot write the backup: {error}"))
}

fn unread(error: &dyn std::error::Error) -> Error {
    Error::File(format!("cannot read the backup: {error}"))
}
