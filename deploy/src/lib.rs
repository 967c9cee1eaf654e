//! Builds Medlock's contracts to Stylus code, and puts them on a chain.
//!
//! - [`recipe`]: contract sources -> small, reproducible WASM (`medlock-contracts build`).
//! - [`artifacts`]: WASM -> code on chain, the files in `contracts/target/artifacts`, their hashes.
//! - [`abi`]: the ABI as JSON, Solidity and TypeScript, generated from `medlock-abi` (`medlock-contracts abi`).
//! - [`deploy()`]: link, create, activate, read back.
//! - [`Deployment`]: where the contracts are; it refuses a chain that is not theirs.
//!
//! It must never send a transaction that it does not verify by reading back, and never take an
//! artifact whose hash is not the one in the manifest. Start reading at [`deploy()`].
pub mod abi;
pub mod artifacts;
mod chain;
mod deployment;
pub mod recipe;

pub use artifacts::{Artifact, Artifacts, Links};
pub use chain::{Deployed, Step, deploy};
pub use deployment::Deployment;

use alloy::primitives::{Address, B256, Bytes, TxHash};

/// What can go wrong between a deployer and a chain.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the chain did not answer ({context}): {source}; is it up, and is the URL right?")]
    Rpc {
        context: &'static str,
        source: alloy::transports::TransportError,
    },
    #[error("{step}: the transaction was not sent or not mined: {reason}")]
    NotMined { step: String, reason: String },
    #[error("{step}: transaction {transaction} reverted")]
    Reverted { step: String, transaction: TxHash },
    #[error(
        "the deployment is on chain {expected}, this is chain {found}: point the RPC URL at the right chain, or deploy here"
    )]
    OtherChain { expected: u64, found: u64 },
    #[error(
        "the chain has the right id but another genesis block (deployment: {expected}, here: {found}): its state was reset; deploy again"
    )]
    OtherGenesis { expected: B256, found: B256 },
    #[error("no code at {address}, where `{contract}` should be: the chain was reset, or the deployment is another's")]
    MissingCode { contract: &'static str, address: Address },
    #[error("the code at {address} is not that of `{contract}` as built")]
    OtherCode { contract: &'static str, address: Address },
    #[error(
        "`{contract}` at {address} is not an activated Stylus program (never, or it has expired): activate it through ArbWasm"
    )]
    NotActivated { contract: &'static str, address: Address },
    #[error("the chain refuses to activate `{contract}` at {address}: {reason}")]
    ActivationRefused {
        contract: &'static str,
        address: Address,
        reason: String,
    },
    #[error("`{contract}` at {address} names {found:?}, not {expected:?}: it belongs to another deployment")]
    OtherLinks {
        contract: &'static str,
        address: Address,
        expected: Vec<Address>,
        found: Vec<Address>,
    },
    #[error(
        "`{contract}` was created at {found}, not at {expected}, which the others name: the deployer's account sent something else meanwhile; deploy again"
    )]
    OtherAddress {
        contract: &'static str,
        expected: Address,
        found: Address,
    },
    #[error(transparent)]
    Artifact(#[from] artifacts::Error),
    #[error("`{contract}` at {address} gave an answer that is not in its ABI: {data}")]
    Answer {
        contract: &'static str,
        address: Address,
        data: Bytes,
    },
    #[error("deployment file {path}: {reason}")]
    File { path: String, reason: String },
}
