//! Where a deployment's contracts are, as a file; and the check that a chain is the one they are on.
use std::{collections::BTreeMap, fs, io::ErrorKind, path::Path};

use alloy::{
    primitives::{Address, B256},
    providers::Provider,
};
use medlock_abi::{audit::IAudit, exceptions::IExceptions, records::IRecords, registry::IRegistry, relay::IRelay};
use serde::{Deserialize, Serialize};

use crate::{
    Error, Links, Site, artifacts,
    artifacts::NAMES,
    chain::{code, read, require_chain},
};

const FILE_VERSION: u32 = 4;
/// Has no [`Origin`]; the contracts are the same.
const FILE_VERSION_WITHOUT_ORIGIN: u32 = 3;

/// Which contracts on which chain: what a service needs of a [`DeploymentFile`].
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

/// Who deployed, and what: enough to compare a chain with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Created the contracts, and was the registry's first owner.
    pub deployer: Address,
    /// Of the transaction that created the first contract.
    pub nonce: u64,
    /// Whose the registry is, or is to be once they have accepted.
    pub owner: Address,
    /// keccak256 of each contract's code on the chain, by name.
    pub code: BTreeMap<String, B256>,
}

impl Origin {
    pub(crate) fn new(site: &Site, owner: Address, code: [B256; NAMES.len()]) -> Self {
        Self {
            deployer: site.deployer,
            nonce: site.nonce,
            owner,
            code: NAMES.map(str::to_owned).into_iter().zip(code).collect(),
        }
    }
}

/// The whole file, of `version` 4.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeploymentFile {
    #[serde(flatten)]
    pub deployment: Deployment,
    #[serde(flatten)]
    pub origin: Origin,
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

#[derive(Serialize)]
struct Versioned<'a> {
    version: u32,
    #[serde(flatten)]
    file: &'a DeploymentFile,
}

/// The bytes of a file and its version. First the version alone: another one has other fields.
fn read_file(path: &Path) -> Result<(u32, Vec<u8>), Error> {
    let bytes = fs::read(path).map_err(|error| refuse(path, error))?;
    let Version { version } = serde_json::from_slice(&bytes).map_err(|error| refuse(path, error))?;
    if version != FILE_VERSION && version != FILE_VERSION_WITHOUT_ORIGIN {
        return Err(refuse(
            path,
            format!(
                "is version {version}, this program knows version {FILE_VERSION}: the contracts are others, deploy anew"
            ),
        ));
    }
    Ok((version, bytes))
}

fn refuse(path: &Path, reason: impl std::fmt::Display) -> Error {
    Error::File {
        path: path.display().to_string(),
        reason: reason.to_string(),
    }
}

impl DeploymentFile {
    /// # Errors
    /// [`Error::File`]: not there, not JSON, or of a version that does not say who deployed.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let (version, bytes) = read_file(path)?;
        if version != FILE_VERSION {
            return Err(refuse(
                path,
                format!(
                    "is version {version}, which does not say who deployed what: services take it, this command cannot"
                ),
            ));
        }
        serde_json::from_slice(&bytes).map_err(|error| refuse(path, error))
    }

    pub(crate) fn load_if_there(path: &Path) -> Result<Option<Self>, Error> {
        match fs::symlink_metadata(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            _ => Self::load(path).map(Some),
        }
    }

    /// Writes the file whole or not at all; creates its folder.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        let (version, file) = (FILE_VERSION, self);
        let json = serde_json::to_vec_pretty(&Versioned { version, file }).map_err(|error| refuse(path, error))?;
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|error| refuse(path, error))?;
        }
        artifacts::write_whole(path, &json).map_err(|error| refuse(path, error))
    }

    pub fn site(&self) -> Site {
        Site {
            chain_id: self.deployment.chain_id,
            genesis_hash: self.deployment.genesis_hash,
            deployer: self.origin.deployer,
            nonce: self.origin.nonce,
        }
    }
}

impl Deployment {
    /// # Errors
    /// [`Error::File`]: not there, not JSON, or of a version that this program does not know.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let (_, bytes) = read_file(path)?;
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
            if !code.starts_with(&artifacts::CODE_PREFIX) {
                return Err(Error::MissingCode { contract, address });
            }
        }
        self.check_links(provider).await
    }

    /// Each contract names the neighbours that stand here.
    pub(crate) async fn check_links(&self, provider: &impl Provider) -> Result<(), Error> {
        for (contract, address) in self.contracts() {
            let found = self.named_by(provider, contract).await?;
            require_names(contract, address, self.neighbours(contract), found)?;
        }
        Ok(())
    }

    /// Whom a contract of [`NAMES`] should name, in the order of [`Deployment::named_by`].
    pub(crate) fn neighbours(&self, contract: &str) -> Vec<Address> {
        let Self {
            registry,
            records,
            exceptions,
            relay,
            ..
        } = *self;
        match contract {
            "registry" => vec![relay],
            "records" => vec![registry, exceptions, relay],
            "exceptions" => vec![records, registry, relay],
            "relay" => vec![registry, records, exceptions],
            _ => vec![registry],
        }
    }

    /// Whom it names.
    pub(crate) async fn named_by(
        &self,
        provider: &impl Provider,
        contract: &'static str,
    ) -> Result<Vec<Address>, Error> {
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
                vec![found.registry, found.records, found.exceptions]
            }
            _ => vec![read(provider, contract, self.audit, IAudit::registryCall {}).await?],
        })
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

    /// Name and address, in the order of [`NAMES`].
    pub fn contracts(&self) -> [(&'static str, Address); 5] {
        let [registry, records, exceptions, relay, audit] = NAMES;
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

    fn file() -> DeploymentFile {
        let deployment = deployment();
        let site = Site {
            chain_id: deployment.chain_id,
            genesis_hash: deployment.genesis_hash,
            deployer: Address::repeat_byte(8),
            nonce: 9,
        };
        let code = std::array::from_fn(|at| B256::with_last_byte(at as u8));
        DeploymentFile {
            origin: Origin::new(&site, Address::repeat_byte(10), code),
            deployment,
        }
    }

    #[test]
    fn loads_what_was_saved() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new/deployment.json");
        assert_eq!(DeploymentFile::load_if_there(&path).unwrap(), None);
        file().save(&path).unwrap();
        assert_eq!(Deployment::load(&path).unwrap(), deployment());
        assert_eq!(DeploymentFile::load(&path).unwrap(), file());
        let names: Vec<_> = fs::read_dir(path.parent().unwrap()).unwrap().collect();
        assert_eq!(names.len(), 1, "nothing is left beside it: {names:?}");
    }

    #[test]
    fn refuses_an_unknown_version_and_a_cut_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deployment.json");
        file().save(&path).unwrap();
        let text = fs::read_to_string(&path).unwrap();

        fs::write(&path, text.replace("\"version\": 4", "\"version\": 5")).unwrap();
        let error = Deployment::load(&path).unwrap_err().to_string();
        assert!(error.contains("is version 5"), "{error}");

        fs::write(&path, &text[..text.len() / 2]).unwrap();
        assert!(matches!(Deployment::load(&path), Err(Error::File { .. })));
        assert!(matches!(DeploymentFile::load_if_there(&path), Err(Error::File { .. })));
    }

    /// Services take a file of version 3 as before; whoever compares a chain with it is told what it lacks.
    #[test]
    fn a_file_of_version_3_serves_services_and_not_a_comparison() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deployment.json");
        let mut json = serde_json::to_value(deployment()).unwrap();
        json["version"] = 3.into();
        fs::write(&path, json.to_string()).unwrap();
        assert_eq!(Deployment::load(&path).unwrap(), deployment());
        let error = DeploymentFile::load(&path).unwrap_err().to_string();
        assert!(error.contains("does not say who deployed"), "{error}");
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
