//! Where a deployment's contracts are, as a file; and the check that a chain is the one they are on.
//!
//! Programs that only use contracts need no more than this; `medlock-deploy` puts contracts on a chain.
pub mod chain;

use std::{fs, path::Path};

use alloy::{
    primitives::{Address, B256, Bytes},
    providers::Provider,
};
use medlock_abi::{
    audit::IAudit, claims::IClaims, exceptions::IExceptions, records::IRecords, registry::IRegistry, relay::IRelay,
    supply::ISupply, trials::ITrials,
};
use serde::{Deserialize, Serialize};

use crate::chain::{code, read, require_chain};

/// Our contracts, in the order in which they are created.
pub const NAMES: [&str; 8] = [
    "registry",
    "records",
    "exceptions",
    "relay",
    "audit",
    "claims",
    "supply",
    "trials",
];

/// With which the code of a Stylus program begins: `EF F0 00`, then the dictionary, 0: none.
pub const CODE_PREFIX: [u8; 4] = [0xef, 0xf0, 0x00, 0x00];

/// Of a deployment's file.
pub const FILE_VERSION: u32 = 5;

/// Why a chain is not the one of a deployment, or does not say.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the chain did not answer ({context}): {source}; is it up, and is the URL right?")]
    Rpc {
        context: &'static str,
        source: alloy::transports::TransportError,
    },
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
    #[error(
        "`{contract}` at {address} is not an activated Stylus program (never, or it has expired): activate it through ArbWasm"
    )]
    NotActivated { contract: &'static str, address: Address },
    #[error("this chain has no ArbWasm: it is no Arbitrum chain, and runs no Stylus programs")]
    NoPrograms,
    #[error("`{contract}` at {address} names {found:?}, not {expected:?}: it belongs to another deployment")]
    OtherLinks {
        contract: &'static str,
        address: Address,
        expected: Vec<Address>,
        found: Vec<Address>,
    },
    #[error("`{contract}` at {address} gave an answer that is not in its ABI: {data}")]
    Answer {
        contract: &'static str,
        address: Address,
        data: Bytes,
    },
    #[error("deployment file {path}: {reason}")]
    File { path: String, reason: String },
}

/// Which contracts on which chain: what a service needs of a deployment's file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    pub chain_id: u64,
    /// Tells two chains of the same id apart, such as a local chain before and after a reset.
    pub genesis_hash: B256,
    pub registry: Address,
    pub records: Address,
    pub exceptions: Address,
    pub relay: Address,
    pub audit: Address,
    pub claims: Address,
    pub supply: Address,
    pub trials: Address,
    /// No event of ours is older than this block.
    pub block: u64,
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

/// The bytes of a file of our version. First the version alone: another one has other fields.
pub fn read_file(path: &Path) -> Result<Vec<u8>, Error> {
    let bytes = fs::read(path).map_err(|error| refuse(path, error))?;
    let Version { version } = serde_json::from_slice(&bytes).map_err(|error| refuse(path, error))?;
    if version != FILE_VERSION {
        return Err(refuse(
            path,
            format!(
                "is version {version}, this program knows version {FILE_VERSION}: the contracts are others, deploy anew"
            ),
        ));
    }
    Ok(bytes)
}

pub fn refuse(path: &Path, reason: impl std::fmt::Display) -> Error {
    Error::File {
        path: path.display().to_string(),
        reason: reason.to_string(),
    }
}

impl Deployment {
    /// # Errors
    /// [`Error::File`]: not there, not JSON, or of a version that this program does not know.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let bytes = read_file(path)?;
        serde_json::from_slice(&bytes).map_err(|error| refuse(path, error))
    }

    /// Refuses a chain that is not this deployment's, or on which the contracts do not answer.
    ///
    /// # Errors
    /// [`Error::OtherChain`], [`Error::OtherGenesis`], [`Error::MissingCode`], [`Error::NotActivated`],
    /// [`Error::OtherLinks`] where one of them names another neighbour, [`Error::Rpc`].
    pub async fn check(&self, provider: &impl Provider) -> Result<(), Error> {
        require_chain(provider, self.chain_id, self.genesis_hash).await?;
        for (contract, address) in self.contracts() {
            let code = code(provider, address).await?;
            if !code.starts_with(&CODE_PREFIX) {
                return Err(Error::MissingCode { contract, address });
            }
        }
        self.check_links(provider).await
    }

    /// Each contract names the neighbours that stand here.
    pub async fn check_links(&self, provider: &impl Provider) -> Result<(), Error> {
        for (contract, address) in self.contracts() {
            let found = self.named_by(provider, contract).await?;
            require_names(contract, address, self.neighbours(contract), found)?;
        }
        Ok(())
    }

    /// Whom a contract of [`NAMES`] should name, in the order of [`Deployment::named_by`].
    pub fn neighbours(&self, contract: &str) -> Vec<Address> {
        let Self {
            registry,
            records,
            exceptions,
            relay,
            claims,
            supply,
            trials,
            ..
        } = *self;
        match contract {
            "registry" => vec![relay],
            "records" => vec![registry, exceptions, relay],
            "exceptions" => vec![records, registry, relay],
            "relay" => vec![registry, records, exceptions, claims, supply, trials],
            "claims" => vec![records, registry, relay],
            "supply" | "trials" => vec![registry, relay],
            _ => vec![registry],
        }
    }

    /// Whom it names.
    pub async fn named_by(&self, provider: &impl Provider, contract: &'static str) -> Result<Vec<Address>, Error> {
        Ok(match contract {
            "registry" => vec![read(provider, contract, self.registry, IRegistry::relayCall {}).await?],
            "records" => {
                let found = read(provider, contract, self.records, IRecords::neighboursCall {}).await?;
                vec![found.registry, found.exceptions, found.relay]
            }
            "exceptions" => {
                let found = read(provider, contract, self.exceptions, IExceptions::neighboursCall {}).await?;
                vec![found.records, found.registry, found.relay]
            }
            "relay" => {
                let found = read(provider, contract, self.relay, IRelay::neighboursCall {}).await?;
                let (claims, supply, trials) = (found.claims, found.supply, found.trials);
                vec![found.registry, found.records, found.exceptions, claims, supply, trials]
            }
            "claims" => {
                let found = read(provider, contract, self.claims, IClaims::neighboursCall {}).await?;
                vec![found.records, found.registry, found.relay]
            }
            "supply" => {
                let found = read(provider, contract, self.supply, ISupply::neighboursCall {}).await?;
                vec![found.registry, found.relay]
            }
            "trials" => {
                let found = read(provider, contract, self.trials, ITrials::neighboursCall {}).await?;
                vec![found.registry, found.relay]
            }
            _ => vec![read(provider, contract, self.audit, IAudit::registryCall {}).await?],
        })
    }

    /// Name and address, in the order of [`NAMES`].
    pub fn contracts(&self) -> [(&'static str, Address); NAMES.len()] {
        let addresses = [
            self.registry,
            self.records,
            self.exceptions,
            self.relay,
            self.audit,
            self.claims,
            self.supply,
            self.trials,
        ];
        std::array::from_fn(|at| (NAMES[at], addresses[at]))
    }
}

/// Refuses a contract that names others than `expected`.
pub fn require_names(
    contract: &'static str,
    address: Address,
    expected: Vec<Address>,
    found: Vec<Address>,
) -> Result<(), Error> {
    if found == expected {
        return Ok(());
    }
    Err(Error::OtherLinks {
        contract,
        address,
        expected,
        found,
    })
}
