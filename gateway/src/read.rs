//! One read, in its order: decide, check the receipt, find the envelope, put the receipt on file, and only then serve.
use std::ops::Range;

use alloy::primitives::B256;
use axum::body::Body;
use medlock_api::{Kind, Problem, ReadRequest};
use medlock_dag::{Block, FileReader, dag_cbor_cid};
use medlock_vault::Envelope;

use crate::{
    access::{Acting, Readable},
    blocks,
    db::Checked,
    problem::{Failure, Result},
    receipt::{self, Expected},
    state::Gateway,
};

/// Chart, record, version.
pub type Place = (B256, B256, u32);

impl Gateway {
    /// The envelope of `place` for whoever acts, and what the read rests on. The receipt is on disk when this returns.
    ///
    /// # Errors
    /// `ReceiptInvalid`, `ForbiddenOrUnknown`, `ReceiptReplayed`, `IndexBehind`, `BlockMissing`, `BlockCorrupt`, chain
    /// trouble. After an error nothing is on file.
    pub async fn read(&self, acting: Acting, place: Place, request: &ReadRequest) -> Result<(Block, Readable)> {
        let (chart, record_id, version) = place;
        let reader = acting.account();
        let now = self.now();
        let expected = Expected {
            chain_id: self.deployment.chain_id,
            records: self.deployment.records,
            gateway: self.account(),
            reader,
            organisation: acting.organisation(),
            chart,
            record_id,
            version,
            now,
        };
        let by_key = receipt::check(request, &expected).map_err(receipt_invalid)?;
        let basis = self.readable(place, acting, request.receipt.purpose).await?;
        let hash = request.receipt.signing_hash(expected.chain_id, expected.records);
        // At the block that the receipt is filed with, so that whoever checks it later can ask the same.
        if !by_key
            && !self
                .chain
                .confirms(basis.block.hash, reader, hash, &request.signature)
                .await?
        {
            return Err(receipt_invalid("signature"));
        }
        if request.receipt.pointer != basis.pointer {
            return Err(receipt_invalid("pointer"));
        }
        let (block, _) = self.envelope(place, &basis).await?;
        let checked = Checked {
            request,
            block: basis.block.number,
            block_hash: basis.block.hash,
            reason: basis.reason,
            received_at: now,
        };
        match self.db.append_receipt(&checked).await? {
            Some(_) => Ok((block, basis)),
            None => Err(Kind::ReceiptReplayed.into()),
        }
    }

    /// The blocks that hold `range` of the payload of `place`, for whoever acts, who has a receipt on file for it and may still read it, for the purpose
    /// of the newest one.
    ///
    /// # Errors
    /// `ReceiptMissing`, `TooMany`, `Busy`, and those of [`Gateway::read`].
    pub async fn payload(&self, acting: Acting, place: Place, range: Range<u64>) -> Result<Body> {
        // About the caller's own receipts alone: whether the version exists does not show.
        let filed = self
            .db
            .latest_receipt(acting, place)
            .await?
            .ok_or(Kind::ReceiptMissing)?;
        let basis = self.readable(place, acting, filed.receipt.purpose).await?;
        // A reorganisation can put another version in the place of the one that was read.
        if filed.receipt.pointer != basis.pointer {
            return Err(Kind::ReceiptMissing.into());
        }
        let (_, envelope) = self.envelope(place, &basis).await?;
        let pass = self.downloads.enter(acting.account())?;
        let file = FileReader::of_range(envelope.payload, envelope.payload_bytes, range);
        let file = file.map_err(|error| Failure::block(Kind::BlockCorrupt, &envelope.payload, error))?;
        blocks::download(self.store.clone(), envelope.payload, file, pass).await
    }

    /// The envelope block that the pointer stands for, decoded, and checked to be of `place`: the pointer is whatever the
    /// record's author wrote, and may be that of another chart's record.
    async fn envelope(&self, place: Place, basis: &Readable) -> Result<(Block, Envelope)> {
        let cid = dag_cbor_cid(basis.pointer.0);
        let block = blocks::get(&self.store, &cid).await?;
        // Whoever wrote the pointer wrote the envelope: one that cannot be read is as good as corrupt.
        let envelope =
            Envelope::decode(&block.bytes).map_err(|error| Failure::block(Kind::BlockCorrupt, &cid, error))?;
        let within = (envelope.previous, envelope.compartment);
        if !is_of(&envelope, place) || within != (basis.previous.0, basis.compartment) {
            return Err(Failure::block(
                Kind::BlockCorrupt,
                &cid,
                anyhow::anyhow!("the envelope is of another record"),
            ));
        }
        Ok((block, envelope))
    }
}

/// Whether the envelope says that it is of this place.
pub fn is_of(envelope: &Envelope, (chart, record_id, version): Place) -> bool {
    (envelope.chart, envelope.record_id, envelope.version) == (chart.0, record_id.0, version)
}

fn receipt_invalid(reason: &str) -> Failure {
    Problem::new(Kind::ReceiptInvalid).reason(reason).into()
}
