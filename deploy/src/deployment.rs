//! Where a deployment's contracts are, as a file; and the check that a chain is the one they are on.
use std::{fs, path::Path};

use alloy::{
    primitives::{Address, B256},
    providers::Provider,
};
use medlock_abi::{audit::IAudit, exceptions::IExceptions, records::IRecords, registry::IRegistry, relay::IRelay};
use serde::{Deserialize, Serialize};

use crate::{
    Error, Links, artifacts,
    chain::{genesis_hash, read, rpc},
};

const FILE_VERSION: u32 = 3;

/// The file has these fields and its `version`.
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
    /// No event of ours is older than this block.
    pub block: u64,
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

#[derive(Serialize)]
struct File<'a> {
    version: u32,
    #[serde(flatten)]
    deployment: &'a Deployment,
}

impl Deployment {
    /// # Errors
    /// [`Error::File`]: not there, not JSON, or of a version that this program does not know.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let refuse = |reason: String| Error::File {
            path: path.display().to_string(),
            reason,
        };
        let bytes = fs::read(path).map_err(|error| refuse(error.to_string()))?;
        // First the version alone: another one has other fields.
        let Version { version } = serde_json::from_slice(&bytes).map_err(|error| refuse(error.to_string()))?;
        if version != FILE_VERSION {
            return Err(refuse(format!(
                "is version {version}, this program knows version {FILE_VERSION}: the contracts are others, deploy anew"
            )));
        }
        serde_json::from_slice(&bytes).map_err(|error| refuse(error.to_string()))
    }

    /// Writes the file whole or not at all; creates its folder.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        let refuse = |reason: String| Error::File {
            path: path.display().to_string(),
            reason,
        };
        let file = File {
            version: FILE_VERSION,
            deployment: self,
        };
        let json = serde_json::to_vec_pretty(&file).map_err(|error| refuse(error.to_string()))?;
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|error| refuse(error.to_string()))?;
        }
        artifacts::write_whole(path, &json).map_err(|error| refuse(error.to_string()))
    }

    /// Refuses a chain that is not this deployment's, or on which the contracts do not answer.
    ///
    /// # Errors
    /// [`Error::OtherChain`], [`Error::OtherGenesis`], [`Error::MissingCode`], [`Error::NotActivated`],
    /// [`Error::OtherLinks`] where one of them names another neighbour, [`Error::Rpc`].
    pub async fn check(&self, provider: &impl Provider) -> Result<(), Error> {
        let found = provider.get_chain_id().await.map_err(rpc("chain id"))?;
        if found != self.chain_id {
            return Err(Error::OtherChain {
                expected: self.chain_id,
                found,
            });
        }
        let found = genesis_hash(provider).await?;
        if found != self.genesis_hash {
            return Err(Error::OtherGenesis {
                expected: self.genesis_hash,
                found,
            });
        }
        for (contract, address) in self.contracts() {
            let code = provider.get_code_at(address).await.map_err(rpc("read the code"))?;
            if !code.starts_with(&artifacts::CODE_PREFIX) {
                return Err(Error::MissingCode { contract, address });
            }
        }
        self.check_links(provider).await
    }

    /// Each contract names the neighbours that stand here.
    pub(crate) async fn check_links(&self, provider: &impl Provider) -> Result<(), Error> {
        let Self {
            registry,
            records,
            exceptions,
            relay,
            audit,
            ..
        } = *self;
        let links = [
            (
                "registry",
                registry,
                vec![relay],
                vec![read(provider, "registry", registry, IRegistry::relayCall {}).await?],
            ),
            (
                "records",
                records,
                vec![registry, exceptions, relay],
                read(provider, "records", records, IRecords::neighboursCall {})
                    .await
                    .map(|found| vec![found.registry, found.exceptions, found.relay])?,
            ),
            (
                "exceptions",
                exceptions,
                vec![records, registry, relay],
                read(provider, "exceptions", exceptions, IExceptions::neighboursCall {})
                    .await
                    .map(|found| vec![found.records, found.registry, found.relay])?,
            ),
            (
                "relay",
                relay,
                vec![registry, records, exceptions],
                read(provider, "relay", relay, IRelay::neighboursCall {})
                    .await
                    .map(|found| vec![found.registry, found.records, found.exceptions])?,
            ),
            (
                "audit",
                audit,
                vec![registry],
                vec![read(provider, "audit", audit, IAudit::registryCall {}).await?],
            ),
        ];
        for (contract, address, expected, found) in links {
            require_names(contract, address, expected, found)?;
        }
        Ok(())
    }

    /// What stands in the contracts' code; `owner` is whom the registry began with.
    pub fn links(&self, owner: Address) -> Links {
        Links {
            owner,
            registry: self.registry,
            records: self.records,
            exceptions: self.exceptions,
            relay: self.relay,
        }
    }

    /// Name and address, in the order of [`artifacts::NAMES`].
    pub fn contracts(&self) -> [(&'static str, Address); 5] {
        let [registry, records, exceptions, relay, audit] = artifacts::NAMES;
        [
            (registry, self.registry),
            (records, self.records),
            (exceptions, self.exceptions),
            (relay, self.relay),
            (audit, self.audit),
        ]
    }
}

/// Refuses a contract that names others than `expected`.
pub(crate) fn require_names(
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

#[cfg(test)]
mod tests {
    use super::*;

    fn deployment() -> Deployment {
        Deployment {
            chain_id: 412_346,
            genesis_hash: B256::repeat_byte(1),
            registry: Address::repeat_byte(2),
            records: Address::repeat_byte(3),
            exceptions: Address::repeat_byte(4),
            relay: Address::repeat_byte(5),
            audit: Address::repeat_byte(6),
            block: 7,
        }
    }

    #[test]
    fn loads_what_was_saved() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new/deployment.json");
        deployment().save(&path).unwrap();
        assert_eq!(Deployment::load(&path).unwrap(), deployment());
    }

    #[test]
    fn refuses_an_unknown_version_and_a_cut_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deployment.json");
        deployment().save(&path).unwrap();
        let text = fs::read_to_string(&path).unwrap();

        fs::write(&path, text.replace("\"version\": 3", "\"version\": 4")).unwrap();
        let error = Deployment::load(&path).unwrap_err().to_string();
        assert!(error.contains("is version 4"), "{error}");

        fs::write(&path, &text[..text.len() / 2]).unwrap();
        assert!(matches!(Deployment::load(&path), Err(Error::File { .. })));
    }

    /// Such a file names two contracts: its version is what is wrong with it, not the fields that it lacks.
    #[test]
    fn refuses_a_file_of_version_1_by_its_version() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deployment.json");
        let text = format!(
            r#"{{"version":1,"chain_id":412346,"genesis_hash":"{}","registry":"{}","records":"{}","block":1}}"#,
            B256::repeat_byte(1),
            Address::repeat_byte(2),
            Address::repeat_byte(3)
        );
        fs::write(&path, text).unwrap();
        let error = Deployment::load(&path).unwrap_err().to_string();
        assert!(
            error.contains("is version 1") && error.contains("deploy anew"),
            "{error}"
        );
    }
}
