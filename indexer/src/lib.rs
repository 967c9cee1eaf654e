//! medlock-indexer
