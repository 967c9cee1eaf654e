//! Handlers: extract, one call, response. They are listed in `routes.rs`.
pub mod blocks;
pub mod charts;
pub mod claims;
pub mod decisions;
pub mod emergency;
pub mod erasure;
pub mod fhir;
pub mod memberships;
pub mod reads;
pub mod relay;
pub mod service;
pub mod sessions;
pub mod supply;
pub mod trials;

use alloy::primitives::B256;
use axum::{
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
};
use medlock_api::media_type;
use medlock_dag::Block;

/// One dag-cbor block as a body.
fn dag_cbor(block: Block) -> Response {
    ([(CONTENT_TYPE, media_type::DAG_CBOR)], block.bytes).into_response()
}

/// A number of `terms` by its name; one that this version does not know is written out.
fn name(list: &[(&str, u8)], number: u8) -> String {
    let known = list.iter().find(|(_, known)| *known == number);
    known.map_or_else(|| format!("unknown-{number}"), |(name, _)| (*name).to_owned())
}

/// A word of the chain, where zero is none.
fn given(word: B256) -> Option<B256> {
    Some(word).filter(|word| !word.is_zero())
}
