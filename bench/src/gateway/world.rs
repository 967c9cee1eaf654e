//! A chain with the real contracts, and a gateway on it in a process of its own.

use std::path::Path;

use alloy::{
    primitives::{B256, U256},
    providers::Provider as _,
};
use medlock_abi::registry::IRegistry::{issueCredentialCall, setIssuerCall};
use medlock_anvil::dev_accounts;
use medlock_client::{Chain, Client, Endpoints, Identity, Signer};
use medlock_deploy::Deployment;
use tempfile::TempDir;

use super::service::{Service, sign_in};

pub struct World {
    pub gateway: Service,
    pub deployment: Deployment,
    pub dir: TempDir,
    endpoints: Endpoints,
    _dev: Service,
}

impl World {
    /// `artifacts`: the built contracts.
    pub fn start(artifacts: &Path) -> anyhow::Result<Self> {
        let dir = tempfile::tempdir()?;
        let path = |name: &str| dir.path().join(name).display().to_string();
        let (home, own, artifacts) = (path("home"), path("gateway"), artifacts.display().to_string());
        let dev = Service::start(&[
            "dev",
            "--rpc-port",
            "0",
            "--gateway-port",
            "0",
            "--home",
            &home,
            "--artifacts",
            &artifacts,
        ])?;
        let gateway = Service::start(&[
            "gateway",
            "--listen",
            "127.0.0.1:0",
            "--home",
            &home,
            "--dir",
            &own,
            "--poll-ms",
            "50",
            "--anchor-minutes",
            "0",
            "--upkeep-hours",
            "0",
        ])?;
        let endpoints = Endpoints {
            rpc: dev.text("rpc")?.to_owned(),
            gateway: gateway.text("gateway")?.to_owned(),
        };
        let deployment = Deployment::load(dir.path().join("home/deployment.json"))?;
        Ok(Self {
            gateway,
            deployment,
            dir,
            endpoints,
            _dev: dev,
        })
    }

    /// Somebody new, with funds.
    pub async fn newcomer(&self) -> anyhow::Result<Client> {
        let client = Client::connect(&self.endpoints, self.deployment.clone(), Identity::generate()?).await?;
        let wei = U256::from(10).pow(U256::from(20));
        let funds = (client.address(), wei);
        client
            .chain()
            .provider()
            .raw_request::<_, ()>("anvil_setBalance".into(), funds)
            .await?;
        Ok(client)
    }

    /// Somebody new with a credential for `roles`, and a published key.
    pub async fn party(&self, roles: u64) -> anyhow::Result<Client> {
        let party = self.newcomer().await?;
        // Who deployed owns the registry.
        let owner = dev_accounts()[0].signer.clone();
        let (issuer, registry) = (owner.address(), self.deployment.registry);
        let chain = Chain::new(&self.endpoints.rpc, self.deployment.chain_id, &Signer::Key(owner))?;
        chain.send(registry, setIssuerCall { issuer, active: true }).await?;
        let credential = issueCredentialCall {
            party: party.address(),
            roles,
            expiry: 0,
            document: B256::ZERO,
        };
        chain.send(registry, credential).await?;
        party.publish_key().await?;
        Ok(party)
    }

    /// Their session, as the header's value.
    pub fn session(&self, client: &Client) -> anyhow::Result<String> {
        sign_in(self.gateway.gateway()?, client.identity().key().unwrap())
    }
}

/// A chart of a client's own.
pub async fn open_chart(client: &Client) -> anyhow::Result<B256> {
    let labels = medlock_client::default_labels();
    Ok(client.open_chart(&labels, medlock_client::Suite::default()).await?.0)
}
