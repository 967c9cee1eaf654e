//! Random input for everything that reads what others wrote. See `common/cases.rs` for how to run more of it.

#[path = "../common/cases.rs"]
mod cases;
mod programs;
mod rpc;
#[path = "../common/trie.rs"]
mod trie;
mod wasm;
