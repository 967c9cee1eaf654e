//! What the tests need around the indexer.
pub mod chain;
pub mod dump;
pub mod proxy;
