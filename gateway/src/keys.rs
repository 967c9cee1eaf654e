//! Directory and keyring blocks, each served only as what it is.
//!
//! A digest on chain is whatever the chart's controller wrote there. Anybody may open a chart, and name as its directory
//! the envelope of somebody else's record: so no block leaves by a digest alone.
use alloy::primitives::{Address, B256};
use anyhow::anyhow;
use medlock_api::Kind;
use medlock_dag::{Block, dag_cbor_cid};
use medlock_vault::{Directory, Keyring};

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

    async fn block(&self, digest: B256) -> Result<Block> {
        blocks::get(&self.store, &dag_cbor_cid(digest.0)).await
    }
}

fn misplaced(block: &Block, cause: impl Into<anyhow::Error>) -> Failure {
    Failure::block(Kind::BlockCorrupt, &block.cid, cause)
}
