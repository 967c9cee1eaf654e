//! Handlers: extract, one call, response. They are listed in `routes.rs`.
pub mod blocks;
pub mod charts;
pub mod decisions;
pub mod reads;
pub mod service;
pub mod sessions;

use alloy::primitives::B256;
use axum::{
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
};
use medlock_api::media_type;
use medlock_dag::{Block, dag_cbor_cid};

use crate::{problem::Result, state::Gateway};

/// One dag-cbor block as a body.
fn dag_cbor(block: Block) -> Response {
    ([(CONTENT_TYPE, media_type::DAG_CBOR)], block.bytes).into_response()
}

/// The dag-cbor block that a digest on chain stands for.
async fn block_of(gateway: &Gateway, digest: B256) -> Result<Block> {
    crate::blocks::get(&gateway.store, &dag_cbor_cid(digest.0)).await
}
