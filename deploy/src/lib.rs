//! Builds Medlock's contracts to Stylus code, and puts them on a chain.
//!
//! - [`recipe`]: contract sources -> small, reproducible WASM (`medlock-contracts build`).
//! - [`artifacts`]: WASM -> code on chain, the files in `contracts/target/artifacts`, their hashes.
//! - [`abi`]: the ABI as JSON, Solidity and TypeScript, generated from `medlock-abi` (`medlock-contracts abi`).
//! - [`apply()`]: link, create, activate, name issuers, offer the ownership; each step read back, each run going on where the last
//!   one stopped. [`deploy()`] is the same without a file. `steps` has what a step is, `journal` what is kept between runs.
//! - [`plan()`]: what `apply` would do, and its price. [`verify()`]: whether a chain is as the file and the build say.
//! - [`Deployment`]: where the contracts are; it refuses a chain that is not theirs.
//!
//! It must never send a transaction that it has not written down or does not verify by reading back, never take an
//! artifact whose hash is not the one in the manifest, and never write or print a key. Start reading at [`apply()`].
pub mod abi;
mod apply;
pub mod artifacts;
mod deployment;
mod journal;
mod plan;
pub mod recipe;
mod steps;
mod verify;

pub use apply::{Deployed, Event, Step, Terms, apply, check_owner, deploy};
pub use artifacts::{Artifact, Artifacts, Links};
pub use deployment::{DeploymentFile, Origin};
pub use journal::{Site, journal_path};
pub use medlock_deployment::Deployment;
pub use plan::{Plan, Planned, plan};
pub use verify::{Difference, Expected, Verified, verify};

use std::path::PathBuf;

use alloy::primitives::{Address, TxHash, U256, utils::format_ether};

/// What can go wrong between a deployer and a chain.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Chain(#[from] medlock_deployment::Error),
    #[error("{step}: the chain did not take the transaction: {reason}")]
    NotSent { step: String, reason: String },
    #[error(
        "{step}: sent {attempts} times, each with a higher fee, and not mined; repeat the command, it goes on from here"
    )]
    NotMined { step: String, attempts: usize },
    #[error("{step}: transaction {transaction} reverted")]
    Reverted { step: String, transaction: TxHash },
    #[error(
        "{step}: {account} has sent something else as its transaction {nonce}, so no contract can come to the address that the others name: move the journal away and begin anew, with an account that sends nothing else meanwhile"
    )]
    NonceTaken { step: String, account: Address, nonce: u64 },
    #[error(
        "{account} has {count} transactions that are not mined yet: wait for them, as the contracts' addresses depend on their number"
    )]
    Waiting { account: Address, count: u64 },
    #[error(
        "{what} may need up to {} ETH and {account} holds {} ETH: {} ETH are missing",
        format_ether(*.needed), format_ether(*.balance), format_ether(.needed.saturating_sub(*.balance))
    )]
    Funds {
        what: String,
        account: Address,
        /// Wei, as the one below.
        balance: U256,
        needed: U256,
    },
    #[error("the chain asks {asked} wei for a unit of gas, and {most} are allowed")]
    Fee { asked: u128, most: u128 },
    #[error(
        "the chain is at block {head} and does not reach {block}, where the deployment counts as confirmed; repeat the command, it goes on from here"
    )]
    Unconfirmed { head: u64, block: u64 },
    #[error("the chain replaces its blocks again and again; repeat the command when it has settled")]
    Unsettled,
    #[error(
        "`{contract}` is on the chain, and none of the transactions in the journal has created it: when it was created is not known"
    )]
    Unwitnessed { contract: &'static str },
    #[error("the registry belongs to {owner}, not to the deployer {deployer}: only its owner can do this")]
    NotOwner { owner: Address, deployer: Address },
    #[error("ownership cannot be handed over to {owner}: it is the deployer, or nobody")]
    NoHandOver { owner: Address },
    #[error(
        "{owner} is no contract on this chain, so no multisig: is it the right address? If it is an account with a key, say --owner-is-eoa"
    )]
    OwnerWithoutCode { owner: Address },
    #[error("{owner} is a contract on this chain: leave --owner-is-eoa out")]
    OwnerWithCode { owner: Address },
    #[error("{expected} has deployed, and this is the key of {found}")]
    OtherDeployer { expected: Address, found: Address },
    #[error(
        "the deployment in {} was begun with another build of `{contract}`: go on with that one, or move the file away and begin anew",
        path.display()
    )]
    OtherBuild { path: PathBuf, contract: &'static str },
    #[error("another process deploys with {} just now", path.display())]
    Locked { path: PathBuf },
    #[error(
        "journal {}: {reason}; moving it away begins a new deployment, and what the old one has put on the chain stays there without effect",
        path.display()
    )]
    Journal { path: PathBuf, reason: String },
    #[error("the code at {address} is not that of `{contract}` as built")]
    OtherCode { contract: &'static str, address: Address },
    #[error("the chain refuses to activate `{contract}` at {address}: {reason}")]
    ActivationRefused {
        contract: &'static str,
        address: Address,
        reason: String,
    },
    #[error(transparent)]
    Artifact(#[from] artifacts::Error),
}
