//! Directory and keyring blocks and documents of ledgers, each served only as what it is.
//!
//! A digest on chain is whatever the chart's controller wrote there. Anybody may open a chart, and name as its directory
//! the envelope of somebody else's record: so no block leaves by a digest alone.
use alloy::primitives::{Address, B256};
use anyhow::anyhow;
use medlock_api::Kind;
use medlock_dag::{Block, dag_cbor_cid};
use medlock_vault::{Directory, Keyring, SealedDocument};

use crate::{
    access::Standing,
    blocks,
    problem::{Failure, Result},
    state::Gateway,
};

impl Gateway {
    /// The directory block of `chart`, of the version that stands.
    ///
    /// # Errors
    /// `BlockMissing`; `BlockCorrupt`, also where the block is something else.
    pub async fn directory(&self, chart: B256, standing: &Standing) -> Result<Block> {
        let block = self.block(standing.directory).await?;
        let body = Directory::decode(&block.bytes)
            .map_err(|error| misplaced(&block, error))?
            .body;
        if (body.chart, body.version) == (chart.0, standing.directory_version) {
            Ok(block)
        } else {
            Err(misplaced(
                &block,
                anyhow!("the directory is of another chart or version"),
            ))
        }
    }

    /// The keyring block of `grantee` on `chart` that `digest` stands for.
    ///
    /// # Errors
    /// `BlockMissing`; `BlockCorrupt`, also where the block is something else.
    pub async fn keyring(&self, chart: B256, grantee: Address, digest: B256) -> Result<Block> {
        let block = self.block(digest).await?;
        let scope = Keyring::decode(&block.bytes)
            .map_err(|error| misplaced(&block, error))?
            .scope;
        if (scope.chart, scope.grantee) == (chart.0, grantee.into_array()) {
            Ok(block)
        } else {
            Err(misplaced(&block, anyhow!("the keyring is of another chart or grantee")))
        }
    }

    /// The document of a ledger's case that `digest` stands for, written by one of `authors`, for `reader`.
    ///
    /// # Errors
    /// `BlockMissing`; `BlockCorrupt`, also where the block is something else; `ForbiddenOrUnknown` where it is not sealed to the reader.
    pub async fn case_document(
        &self,
        digest: B256,
        ledger: Address,
        subject: B256,
        authors: &[Address],
        reader: Address,
    ) -> Result<Block> {
        let block = self.block(digest).await?;
        let document = SealedDocument::decode(&block.bytes).map_err(|error| misplaced(&block, error))?;
        let scope = document.scope;
        let is_its = (scope.ledger, scope.subject) == (ledger.into_array(), subject.0)
            && authors.contains(&Address::from(scope.author));
        match (is_its, document.key_of(&reader.into_array())) {
            (false, _) => Err(misplaced(&block, anyhow!("the document is of another case or author"))),
            (true, None) => Err(Kind::ForbiddenOrUnknown.into()),
            (true, Some(_)) => Ok(block),
        }
    }

    async fn block(&self, digest: B256) -> Result<Block> {
        blocks::get(&self.store, &dag_cbor_cid(digest.0)).await
    }
}

fn misplaced(block: &Block, cause: impl Into<anyhow::Error>) -> Failure {
    Failure::block(Kind::BlockCorrupt, &block.cid, cause)
}
