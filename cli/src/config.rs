//! The one place that turns flags, environment and the home folder into a configuration.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use medlock_client::{Client, Endpoints, Error, Identity};
use medlock_deploy::Deployment;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::args::Global;

/// The files that `medlock dev` keeps in its home folder.
#[derive(Debug, Clone)]
pub struct Home(PathBuf);

/// Where a running `medlock dev` listens.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Connection {
    pub rpc: String,
    pub gateway: String,
}

impl Home {
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self(dir.into())
    }
    pub fn dir(&self) -> &Path {
        &self.0
    }
    pub fn chain(&self) -> PathBuf {
        self.0.join("chain")
    }
    pub fn deployment(&self) -> PathBuf {
        self.0.join("deployment.json")
    }
    pub fn connection(&self) -> PathBuf {
        self.0.join("connection.json")
    }
    pub fn index(&self) -> PathBuf {
        self.0.join("index.db")
    }
    /// Of the gateway: sessions, receipts, operations relayed.
    pub fn state(&self) -> PathBuf {
        self.0.join("gateway.db")
    }
    pub fn blocks(&self) -> PathBuf {
        self.0.join("blocks")
    }
    pub fn gateway_key(&self) -> PathBuf {
        self.0.join("gateway.key")
    }
    /// Pays for what the gateway relays.
    pub fn relay_key(&self) -> PathBuf {
        self.0.join("relay.key")
    }
    /// Of a custodian of emergency keys on the development chain, from 1.
    pub fn custodian_key(&self, number: u8) -> PathBuf {
        self.0.join(format!("custodian-{number}.key"))
    }
    /// Owner of the registry on the development chain, and an issuer.
    pub fn owner_key(&self) -> PathBuf {
        self.0.join("owner.key")
    }
}

fn one_node(nodes: &[String]) -> anyhow::Result<&String> {
    let [node] = nodes else {
        bail!("this command asks one node: name one --rpc");
    };
    Ok(node)
}

/// Of several nodes the one that a gateway asks: the first over HTTP.
///
/// # Errors
/// When there is none.
pub fn over_http(nodes: &[String]) -> anyhow::Result<&String> {
    let http = |url: &&String| url.starts_with("http://") || url.starts_with("https://");
    let node = nodes.iter().find(http);
    node.context("the gateway asks its node over HTTP: name an http:// or https:// URL with --rpc")
}

impl Global {
    /// # Errors
    /// When neither flags nor the home folder say where chain and gateway are.
    pub fn endpoints(&self) -> anyhow::Result<Endpoints> {
        let rpc = match self.rpc.as_slice() {
            [] => None,
            rpc => Some(one_node(rpc)?),
        };
        if let (Some(rpc), Some(gateway)) = (rpc, &self.gateway) {
            return Ok(Endpoints {
                rpc: rpc.clone(),
                gateway: gateway.clone(),
            });
        }
        let path = Home::new(&self.home).connection();
        let bytes = std::fs::read(&path).with_context(|| {
            format!(
                "no {}: run `medlock dev` first, or name --rpc, --gateway and --deployment",
                path.display()
            )
        })?;
        let running: Connection =
            serde_json::from_slice(&bytes).with_context(|| format!("{} is damaged", path.display()))?;
        Ok(Endpoints {
            rpc: rpc.cloned().unwrap_or(running.rpc),
            gateway: self.gateway.clone().unwrap_or(running.gateway),
        })
    }

    /// The nodes that a service asks, which needs no gateway: `--rpc`, or the chain of the home folder.
    ///
    /// # Errors
    /// When neither flags nor the home folder name one.
    pub fn nodes(&self) -> anyhow::Result<Vec<String>> {
        if self.rpc.is_empty() {
            return Ok(vec![self.endpoints()?.rpc]);
        }
        Ok(self.rpc.clone())
    }

    /// The node that a command asks which needs no gateway.
    ///
    /// # Errors
    /// When there is not just one.
    pub fn node(&self) -> anyhow::Result<String> {
        one_node(&self.nodes()?).cloned()
    }

    pub fn deployment(&self) -> anyhow::Result<Deployment> {
        Ok(Deployment::load(self.deployment_path())?)
    }

    pub fn deployment_path(&self) -> PathBuf {
        match &self.deployment {
            Some(path) => path.clone(),
            None => Home::new(&self.home).deployment(),
        }
    }

    pub fn key_path(&self) -> anyhow::Result<&Path> {
        self.key.as_deref().ok_or_else(|| {
            let which = "which one? Name it with --key FILE or MEDLOCK_KEY; `medlock keys new FILE` makes one";
            Error::KeyFile(which.into()).into()
        })
    }

    /// Opens the key file that was named.
    pub fn identity(&self) -> anyhow::Result<Identity> {
        let path = self.key_path()?;
        // Before anybody types a passphrase for a file that is not there.
        medlock_client::identity::read(path)?;
        let passphrase = self.passphrase(&format!("Passphrase of {}: ", path.display()))?;
        Ok(Identity::open(path, &passphrase)?)
    }

    /// Acts for the --organisation, if one is named.
    pub async fn acting_client(&self) -> anyhow::Result<Client> {
        let client = self.client().await?;
        Ok(match self.organisation {
            Some(organisation) => client.acting_for(organisation).await?,
            None => client,
        })
    }

    /// Acts for nobody else.
    pub async fn client(&self) -> anyhow::Result<Client> {
        let (endpoints, deployment, identity) = (self.endpoints()?, self.deployment()?, self.identity()?);
        let client = Client::connect(&endpoints, deployment, identity).await?;
        let uploads = self.key_path()?.with_added_extension("uploads");
        let client = client.noting_uploads_in(&uploads);
        Ok(if self.relay { client.via_relay() } else { client })
    }

    /// From --passphrase-file, MEDLOCK_PASSPHRASE, or the terminal.
    pub fn passphrase(&self, prompt: &str) -> anyhow::Result<Zeroizing<String>> {
        if let Some(path) = &self.passphrase_file {
            let text =
                Zeroizing::new(std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?);
            return Ok(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned()));
        }
        secret_or_ask("MEDLOCK_PASSPHRASE", prompt)
    }

    /// For a new key file: asked twice, as a slip of the finger would lose the keys for good.
    pub fn chosen_passphrase(&self, prompt: &str) -> anyhow::Result<Zeroizing<String>> {
        let asked = self.passphrase_file.is_none() && std::env::var_os("MEDLOCK_PASSPHRASE").is_none();
        let passphrase = self.passphrase(prompt)?;
        if asked {
            confirm(&passphrase)?;
        }
        Ok(passphrase)
    }

    /// The words of a root secret, from whoever holds the paper.
    pub fn words() -> anyhow::Result<Zeroizing<String>> {
        secret_or_ask("MEDLOCK_WORDS", "The 24 words: ")
    }

    pub fn new_passphrase(&self) -> anyhow::Result<Zeroizing<String>> {
        let asked = std::env::var_os("MEDLOCK_NEW_PASSPHRASE").is_none();
        let passphrase = secret_or_ask("MEDLOCK_NEW_PASSPHRASE", "New passphrase: ")?;
        if asked {
            confirm(&passphrase)?;
        }
        Ok(passphrase)
    }
}

fn confirm(passphrase: &str) -> anyhow::Result<()> {
    let again = Zeroizing::new(rpassword::prompt_password("The same again: ")?);
    anyhow::ensure!(
        again.as_str() == passphrase,
        Error::KeyFile("the two passphrases differ; nothing was written".into())
    );
    Ok(())
}

fn secret_or_ask(variable: &str, prompt: &str) -> anyhow::Result<Zeroizing<String>> {
    if let Ok(secret) = std::env::var(variable) {
        return Ok(Zeroizing::new(secret));
    }
    rpassword::prompt_password(prompt).map(Zeroizing::new).with_context(|| {
        format!("no terminal to ask for it; set {variable}, or use --passphrase-file for a passphrase")
    })
}
