//! A deployment's file: where the contracts are, who deployed them, and what.
use std::{collections::BTreeMap, fs, io::ErrorKind, path::Path};

use alloy::primitives::{Address, B256};
use medlock_deployment::{Deployment, FILE_VERSION, NAMES, read_file, refuse};
use serde::{Deserialize, Serialize};

use crate::{Error, Site, artifacts};

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

/// The whole file, of `version` 5.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeploymentFile {
    #[serde(flatten)]
    pub deployment: Deployment,
    #[serde(flatten)]
    pub origin: Origin,
}

#[derive(Serialize)]
struct Versioned<'a> {
    version: u32,
    #[serde(flatten)]
    file: &'a DeploymentFile,
}

impl DeploymentFile {
    /// # Errors
    /// [`Error::Chain`]: not there, not JSON, or of another version.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let bytes = read_file(path)?;
        Ok(serde_json::from_slice(&bytes).map_err(|error| refuse(path, error))?)
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
    /// [`Error::Chain`].
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        let (version, file) = (FILE_VERSION, self);
        let json = serde_json::to_vec_pretty(&Versioned { version, file }).map_err(|error| refuse(path, error))?;
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|error| refuse(path, error))?;
        }
        Ok(artifacts::write_whole(path, &json).map_err(|error| refuse(path, error))?)
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
            claims: Address::repeat_byte(11),
            supply: Address::repeat_byte(12),
            trials: Address::repeat_byte(13),
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

        fs::write(&path, text.replace("\"version\": 5", "\"version\": 6")).unwrap();
        let error = Deployment::load(&path).unwrap_err().to_string();
        assert!(error.contains("is version 6"), "{error}");

        fs::write(&path, &text[..text.len() / 2]).unwrap();
        assert!(matches!(
            Deployment::load(&path),
            Err(medlock_deployment::Error::File { .. })
        ));
        assert!(matches!(
            DeploymentFile::load_if_there(&path),
            Err(Error::Chain(medlock_deployment::Error::File { .. }))
        ));
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
