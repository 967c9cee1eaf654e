//! A chain with the real contracts, and a gateway on it in a process of its own.

use alloy::{
    primitives::{B256, U256},
    providers::Provider as _,
};
use medlock_client::{Client, Endpoints, Identity};
use medlock_deploy::Deployment;
use tempfile::TempDir;

use super::{
    Bench,
    service::{Service, sign_in},
};

pub struct World {
    pub gateway: Service,
    pub deployment: Deployment,
    pub dir: TempDir,
    endpoints: Endpoints,
    _dev: Service,
}

impl World {
    pub fn start(bench: &Bench) -> anyhow::Result<Self> {
        let dir = tempfile::tempdir()?;
        let path = |name: &str| dir.path().join(name).display().to_string();
        let (home, own, artifacts) = (path("home"), path("gateway"), bench.artifacts.display().to_string());
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
