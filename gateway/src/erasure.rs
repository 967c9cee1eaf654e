//! What is left of a shredded record, and the removal of what can go at once.
//!
//! Shredding, on chain, makes everybody refuse the record. Here its envelopes go, and with them the sealed keys of its payloads. An envelope
//! says which version it is of, so nobody can have another's removed by pointing to it. A payload is only linked to, and another
//! record may link to the same: it goes with upkeep, which knows all that is live.
use alloy::primitives::{Address, B256};
use medlock_abi::terms::record_status;
use medlock_api::{ErasedVersion, Erasure, Kind, Remains};
use medlock_dag::{Cid, dag_cbor_cid, raw_cid};
use medlock_indexer::Record;
use medlock_store::Error as StoreError;
use medlock_vault::Envelope;

use crate::{
    access::{Acting, unreadable},
    problem::{Failure, Result},
    read::is_of,
    state::Gateway,
};

/// An envelope of the record, or none of it.
enum Found {
    /// The version's own, which links to the block of this digest.
    Own(B256),
    Foreign,
    Gone,
    Unknown,
}

impl Gateway {
    /// Removes the envelopes of a shredded record of the caller's chart, and says what is left.
    ///
    /// # Errors
    /// `ForbiddenOrUnknown`, `NotShredded`, `IndexBehind`; `Internal` where a store fails; chain trouble.
    pub async fn erase(&self, caller: Address, chart: B256, record_id: B256) -> Result<Erasure> {
        let versions = self.shredded(caller, chart, record_id).await?;
        let noted = self.db.erasures(chart, record_id).await?;
        let mut asked = Vec::new();
        for version in &versions {
            let place = (chart, record_id, version.version);
            let unconfirmed = noted.get(&version.version).is_some_and(|erased| !erased.is_confirmed);
            match self.find(version).await {
                Found::Own(payload) => self.db.note_erasure(place, payload, self.now()).await?,
                _ if unconfirmed => {}
                _ => continue,
            }
            asked.push((place, dag_cbor_cid(version.pointer.0)));
        }
        let removal = self.store.remove(asked.iter().map(|(_, cid)| *cid).collect()).await;
        let removal = removal.map_err(|error| Failure::caused(Kind::Internal, error))?;
        for copy in &removal.unconfirmed {
            tracing::error!(
                store = copy.store,
                reason = copy.reason,
                "an envelope may not be removed"
            );
        }
        for (place, cid) in asked {
            let is_confirmed = removal.unconfirmed.iter().all(|copy| copy.cid != cid);
            self.db.confirm_erasure(place, is_confirmed).await?;
        }
        self.remains(chart, record_id, &versions).await
    }

    /// What is left of a shredded record of the caller's chart.
    ///
    /// # Errors
    /// As [`Gateway::erase`].
    pub async fn erasure(&self, caller: Address, chart: B256, record_id: B256) -> Result<Erasure> {
        let versions = self.shredded(caller, chart, record_id).await?;
        self.remains(chart, record_id, &versions).await
    }

    /// The versions of a record that the chain says is shredded.
    async fn shredded(&self, caller: Address, chart: B256, record_id: B256) -> Result<Vec<Record>> {
        let standing = self.standing(chart, Acting::for_itself(caller)).await?;
        standing.controller_only()?;
        let record = self.chain.record_of(&standing.block, chart, record_id).await?;
        if record.version == 0 {
            return Err(unreadable(medlock_abi::terms::reason::UNKNOWN_RECORD, false));
        }
        if record.status != record_status::SHREDDED {
            return Err(Kind::NotShredded.into());
        }
        let mut index = self.index_at(&standing.block).await?;
        let mut versions: Vec<Record> = Vec::new();
        while versions.len() < record.version as usize {
            let after = versions.last().map_or(0, |version| version.version);
            let more = index.versions(chart, record_id, after).await?;
            if more.is_empty() {
                return Err(Kind::IndexBehind.into());
            }
            versions.extend(more);
        }
        Ok(versions)
    }

    async fn remains(&self, chart: B256, record_id: B256, versions: &[Record]) -> Result<Erasure> {
        let noted = self.db.erasures(chart, record_id).await?;
        let mut erased = Vec::new();
        for version in versions {
            let noted = noted.get(&version.version);
            // A store that was away when it was told to remove something is not asked about it again, and may have it still.
            let is_confirmed = noted.is_none_or(|erased| erased.is_confirmed);
            let known = noted.map(|erased| erased.payload);
            let (envelope, payload) = match self.find(version).await {
                Found::Own(payload) => (Remains::Present, Some(payload)),
                Found::Foreign => (Remains::Foreign, None),
                Found::Gone if is_confirmed => (Remains::Gone, known),
                Found::Gone | Found::Unknown => (Remains::Unknown, known),
            };
            let payload = match payload {
                Some(payload) => self.left(&raw_cid(payload.0)).await,
                None if envelope == Remains::Foreign => Remains::Foreign,
                None => Remains::Unknown,
            };
            erased.push(ErasedVersion {
                version: version.version,
                pointer: version.pointer,
                envelope,
                payload,
                erased_at: noted.map(|erased| erased.erased_at),
            });
        }
        let is_gone = |remains| matches!(remains, Remains::Gone | Remains::Foreign);
        Ok(Erasure {
            chart,
            record_id,
            complete: erased
                .iter()
                .all(|version| is_gone(version.envelope) && is_gone(version.payload)),
            versions: erased,
        })
    }

    /// The envelope that a version points to.
    async fn find(&self, version: &Record) -> Found {
        let cid = dag_cbor_cid(version.pointer.0);
        let place = (version.chart, version.record_id, version.version);
        match self.store.get(&cid).await {
            Ok(Some(block)) => match Envelope::decode(&block.bytes) {
                Ok(envelope) if is_of(&envelope, place) => match medlock_dag::digest(&envelope.payload) {
                    Ok(payload) => Found::Own(payload.into()),
                    Err(_) => Found::Foreign,
                },
                _ => Found::Foreign,
            },
            Ok(None) => Found::Gone,
            // Its bytes are not to be had; what they are called by is.
            Err(StoreError::Corrupt { .. }) => Found::Unknown,
            Err(error) => {
                tracing::error!(%error, "a store does not say what is left");
                Found::Unknown
            }
        }
    }

    /// What the stores say about a block.
    async fn left(&self, cid: &Cid) -> Remains {
        match self.store.has(cid).await {
            Ok(true) => Remains::Present,
            Ok(false) => Remains::Gone,
            Err(error) => {
                tracing::error!(%error, "a store does not say what is left");
                Remains::Unknown
            }
        }
    }
}
