//! A state as a file or a message (`anvil_dumpState`, `anvil_loadState`).
//!
//! Format, version 1: the line `medlock-anvil state 1`, then the keccak256 of the rest (32 bytes), then the rest: the
//! brotli-compressed RLP list of chain id, block number, timestamp, state root and accounts. An account is the list of
//! keccak256(address), nonce, balance, code and slots; a slot is the list of keccak256(key) and value. Accounts and
//! slots stand in the order of their hashes. The hashes are what the state trie knows; nothing more is needed to run on.
//!
//! The state that is read is the one that was written: it has the state root that the dump names, or the dump is
//! refused.

use std::io::Read;

use alloy::primitives::{B256, Bytes, U256, keccak256};
use alloy_rlp::{Decodable, Encodable, RlpDecodable, RlpEncodable};

use crate::state::State;

/// Bytes of a dump before compression: about 700,000 slots. It bounds what a small dump can inflate to.
pub const STATE_BYTES_MAX: usize = 64 << 20;

const MAGIC: &[u8] = b"medlock-anvil state 1\n";
const HASH_BYTES: usize = 32;
/// Brotli's second fastest setting that is clearly smaller than the fastest; tools wait for the answer.
const QUALITY: u32 = 4;
const WINDOW_BITS: u32 = 22;
const BUFFER_BYTES: usize = 64 << 10;

/// A chain's state and where it stood.
#[derive(Clone, Debug)]
pub struct Dump {
    pub chain_id: u64,
    pub number: u64,
    pub timestamp: u64,
    pub state: State,
}

/// Why bytes are not taken for a state.
#[derive(Debug, thiserror::Error)]
pub enum DumpError {
    #[error("this is no state dump of medlock-anvil, or one of another version")]
    Foreign,
    #[error("the state dump is damaged: {0}")]
    Damaged(&'static str),
    #[error("a state dump holds at most {STATE_BYTES_MAX} bytes uncompressed")]
    TooLarge,
    #[error("the state dump is of chain {have}, not of chain {want}")]
    ChainId { have: u64, want: u64 },
}

#[derive(RlpEncodable, RlpDecodable)]
struct Body {
    chain_id: u64,
    number: u64,
    timestamp: u64,
    state_root: B256,
    accounts: Vec<DumpedAccount>,
}

/// An account under the hash of its address.
#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct DumpedAccount {
    pub key: B256,
    pub nonce: u64,
    pub balance: U256,
    pub code: Bytes,
    pub storage: Vec<DumpedSlot>,
}

/// A slot under the hash of its key.
#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct DumpedSlot {
    pub key: B256,
    pub value: U256,
}

impl Dump {
    /// # Errors
    /// [`DumpError::TooLarge`].
    pub fn encode(&self) -> Result<Vec<u8>, DumpError> {
        let body = Body {
            chain_id: self.chain_id,
            number: self.number,
            timestamp: self.timestamp,
            state_root: self.state.root(),
            accounts: self.state.to_accounts(),
        };
        if body.length() > STATE_BYTES_MAX {
            return Err(DumpError::TooLarge);
        }
        let mut plain = Vec::with_capacity(body.length());
        body.encode(&mut plain);
        let mut dump = [MAGIC, &[0; HASH_BYTES]].concat();
        let mut reader = brotli::CompressorReader::new(plain.as_slice(), BUFFER_BYTES, QUALITY, WINDOW_BITS);
        // Proof: it reads from and writes to memory.
        reader.read_to_end(&mut dump).expect("memory does not fail");
        let (head, rest) = dump.split_at_mut(MAGIC.len() + HASH_BYTES);
        head[MAGIC.len()..].copy_from_slice(keccak256(rest).as_slice());
        Ok(dump)
    }

    /// # Errors
    /// What [`DumpError`] lists, but for the chain id: the caller knows which one it wants.
    pub fn decode(dump: &[u8]) -> Result<Self, DumpError> {
        let rest = dump.strip_prefix(MAGIC).ok_or(DumpError::Foreign)?;
        let (hash, compressed) = rest
            .split_at_checked(HASH_BYTES)
            .ok_or(DumpError::Damaged("it is cut short"))?;
        if keccak256(compressed) != hash {
            return Err(DumpError::Damaged("its checksum does not fit"));
        }
        let mut plain = Vec::new();
        brotli::Decompressor::new(compressed, BUFFER_BYTES)
            .take(STATE_BYTES_MAX as u64 + 1)
            .read_to_end(&mut plain)
            .map_err(|_| DumpError::Damaged("it does not decompress"))?;
        if plain.len() > STATE_BYTES_MAX {
            return Err(DumpError::TooLarge);
        }
        let mut rest = plain.as_slice();
        let body = Body::decode(&mut rest).map_err(|_| DumpError::Damaged("it does not decode"))?;
        if !rest.is_empty() {
            return Err(DumpError::Damaged("bytes follow its end"));
        }
        let state = State::from_accounts(&body.accounts).ok_or(DumpError::Damaged("its accounts are out of order"))?;
        if state.root() != body.state_root {
            return Err(DumpError::Damaged("it has not the state root that it names"));
        }
        Ok(Self {
            chain_id: body.chain_id,
            number: body.number,
            timestamp: body.timestamp,
            state,
        })
    }
}
