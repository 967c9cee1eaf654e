//! Everything in one process: chain, contracts, indexer, store and gateway, with state in one folder.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use alloy::{
    primitives::{Address, U256, utils::parse_ether},
    providers::Provider,
    signers::local::PrivateKeySigner,
};
use anyhow::{Context, bail};
use medlock_client::{
    Chain, Client, Endpoints, Identity, Signer, file,
    identity::{self, rng},
};
use medlock_deploy::{Artifacts, Deployed, Deployment, Terms};
use medlock_gateway::{Anchoring, Relay, RelayLimits, Upkeep};
use medlock_vault::{AccountKey, EncryptionKey, RootSecret, Secrets, Suite};
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

use crate::{
    config::{Connection, Home},
    emergency,
    stores::Stores,
};

/// Passphrase of the key files of the development chain's owner, whose account key is public knowledge anyway, and of its custodians.
pub const OWNER_PASSPHRASE: &str = "medlock-dev";
/// What the paying account of the relay has at least, in ether: on this chain money is free.
const RELAY_ETHER: &str = "10";
/// How often receipts that are not anchored are looked for.
const ANCHOR_POLL_MS: u64 = 400;
/// How often custodians look for open emergencies: somebody waits for them.
const CUSTODY_POLL_MS: u64 = 500;
/// How often the index looks whether it was told of every block.
const INDEX_POLL_MS: u64 = 1_000;
/// How often the relay looks what became of its transactions. Local: a look costs a fraction of a millisecond.
const RELAY_POLL_MS: u64 = 50;

#[derive(Debug, Clone)]
pub struct Config {
    pub home: PathBuf,
    pub artifacts: PathBuf,
    /// 0: any free port.
    pub rpc_port: u16,
    pub gateway_port: u16,
    /// The URL that clients use, where something stands in front of the gateway: sign-in messages name it.
    pub public_url: Option<String>,
    pub stores: Stores,
    pub upkeep: Option<Upkeep>,
    pub relay: RelayLimits,
    /// Custodians of emergency keys, in this process: for development, where nobody else runs them.
    pub custodians: u8,
}

/// The running services. Dropping it stops them without ceremony; [`Dev::shutdown`] is the way to do it.
pub struct Dev {
    pub endpoints: Endpoints,
    pub deployment: Deployment,
    /// What deploying did; absent where an earlier run had deployed already.
    pub deployed: Option<Deployed>,
    pub home: Home,
    /// Accounts of the custodians in this process.
    pub custodians: Vec<Address>,
    keeping: Vec<AbortOnDrop>,
    chain: medlock_anvil::Handle,
    indexer: medlock_indexer::Handle,
    gateway: medlock_gateway::Handle,
}

/// Starts everything; on a fresh folder deploys the contracts first.
pub async fn spawn(config: Config) -> anyhow::Result<Dev> {
    let home = Home::new(&config.home);
    std::fs::create_dir_all(home.dir()).with_context(|| format!("create {}", home.dir().display()))?;
    let chain = medlock_anvil::spawn(medlock_anvil::Config {
        listen: local(config.rpc_port),
        state_dir: Some(home.chain()),
        ..Default::default()
    })
    .await
    .context("start the chain")?;
    let owner = chain.accounts()[0].signer.clone();
    let (deployment, deployed) = deployment(&home, &chain.url(), &owner, &config.artifacts).await?;
    owner_key_file(&home, &owner)?;

    let indexer = medlock_indexer::spawn(medlock_indexer::Config {
        endpoints: chain.ws_url().into(),
        deployment: indexed(&deployment),
        database: medlock_indexer::Database::Sqlite(home.index()),
        poll_ms: INDEX_POLL_MS,
    })
    .await
    .context("start the indexer")?;
    let relay = Relay {
        key: gateway_key(&home.relay_key())?,
        limits: RelayLimits {
            poll: Duration::from_millis(RELAY_POLL_MS),
            ..config.relay
        },
    };
    fund(&chain.url(), &owner, relay.key.address()).await?;
    let keepers = (1..=config.custodians)
        .map(|number| custodian(&home, number))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let custodians: Vec<_> = keepers.iter().map(Identity::address).collect();
    let gateway = medlock_gateway::spawn(medlock_gateway::Config {
        listen: local(config.gateway_port),
        public_url: config.public_url.clone(),
        trusted_proxies: Vec::new(),
        rpc_url: chain.url(),
        app_rpc_url: Some(chain.url()),
        custodians: custodians.clone(),
        deployment: indexed(&deployment),
        index: indexer.index(),
        store: config.stores.open(&home.blocks())?,
        upkeep: config.upkeep,
        db: home.state().as_path().into(),
        key: gateway_key(&home.gateway_key())?,
        relay: Some(relay),
        // Nothing happens before its account has funds and a credential as a gateway.
        anchoring: Some(Anchoring {
            every: Duration::from_secs(1),
            poll: Duration::from_millis(ANCHOR_POLL_MS),
            ..Anchoring::default()
        }),
    })
    .await
    .context("start the gateway")?;

    let endpoints = Endpoints {
        rpc: chain.url(),
        gateway: config.public_url.unwrap_or_else(|| gateway.url()),
    };
    let connection = Connection {
        rpc: endpoints.rpc.clone(),
        gateway: endpoints.gateway.clone(),
    };
    file::replace(&home.connection(), &serde_json::to_vec_pretty(&connection)?)
        .with_context(|| format!("write {}", home.connection().display()))?;
    let mut keeping = Vec::with_capacity(keepers.len());
    for keeper in keepers {
        fund(&chain.url(), &owner, keeper.address()).await?;
        let client = Client::connect(&endpoints, deployment.clone(), keeper).await?;
        if !client.is_published().await? {
            client.publish_key().await.context("publish a custodian's key")?;
        }
        let every = Duration::from_millis(CUSTODY_POLL_MS);
        keeping.push(AbortOnDrop(tokio::spawn(async move {
            // Without an end.
            emergency::serve_custody::<()>(client, every).await;
        })));
    }
    Ok(Dev {
        endpoints,
        deployment,
        deployed,
        home,
        custodians,
        keeping,
        chain,
        indexer,
        gateway,
    })
}

/// A task that goes on for as long as this is kept.
struct AbortOnDrop(JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Dev {
    pub async fn client(&self, identity: Identity) -> anyhow::Result<Client> {
        Ok(Client::connect(&self.endpoints, self.deployment.clone(), identity).await?)
    }

    /// The registry's owner: the chain's first account, an issuer by virtue of the deployment.
    pub fn owner(&self) -> anyhow::Result<Identity> {
        Ok(Identity::open(&self.home.owner_key(), OWNER_PASSPHRASE)?)
    }

    /// Where the gateway itself listens, whatever stands in front of it.
    pub fn gateway_url(&self) -> String {
        self.gateway.url()
    }

    pub fn indexer(&self) -> &medlock_indexer::Handle {
        &self.indexer
    }

    /// Resolves when a part has stopped by itself, with the reason.
    pub async fn failed(&self) -> anyhow::Error {
        stopped(&self.indexer).await
    }

    pub async fn shutdown(self) -> anyhow::Result<()> {
        drop(self.keeping);
        self.gateway.shutdown().await?;
        self.indexer.shutdown().await?;
        self.chain.shutdown().await;
        Ok(())
    }
}

/// The deployment as the indexer wants it.
pub fn indexed(deployment: &Deployment) -> medlock_indexer::Deployment {
    medlock_indexer::Deployment {
        registry: deployment.registry,
        records: deployment.records,
        exceptions: deployment.exceptions,
        relay: deployment.relay,
        audit: deployment.audit,
        claims: deployment.claims,
        supply: deployment.supply,
        trials: deployment.trials,
        start_block: deployment.block,
        chain_id: deployment.chain_id,
        genesis_hash: deployment.genesis_hash,
    }
}

/// Resolves when the indexer has stopped by itself.
pub async fn stopped(indexer: &medlock_indexer::Handle) -> anyhow::Error {
    anyhow::anyhow!("the indexer stopped: {}", indexer.failed().await)
}

fn local(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

/// The deployment of an earlier run, checked against the chain; or a new one.
async fn deployment(
    home: &Home,
    rpc: &str,
    owner: &PrivateKeySigner,
    artifacts: &Path,
) -> anyhow::Result<(Deployment, Option<Deployed>)> {
    let chain = Chain::new(rpc, medlock_anvil::CHAIN_ID, &Signer::Key(owner.clone()))?;
    let path = home.deployment();
    if path.exists() {
        let deployment = Deployment::load(&path)?;
        deployment.check(chain.provider()).await.with_context(|| {
            format!(
                "{} does not belong to the chain in {}; remove {} to start afresh",
                path.display(),
                home.chain().display(),
                home.dir().display()
            )
        })?;
        return Ok((deployment, None));
    }
    let artifacts = Artifacts::load(artifacts)?;
    let terms = Terms::default();
    let deployed = medlock_deploy::apply(chain.provider(), owner, &artifacts, &terms, &path, &mut |_| ())
        .await
        .context("deploy the contracts")?;
    Ok((deployed.deployment.clone(), Some(deployed)))
}

/// Money for who pays for others' operations.
async fn fund(rpc: &str, owner: &PrivateKeySigner, account: Address) -> anyhow::Result<()> {
    let chain = Chain::new(rpc, medlock_anvil::CHAIN_ID, &Signer::Key(owner.clone()))?;
    let least: U256 = parse_ether(RELAY_ETHER).context("an amount of ether")?;
    let balance = chain.provider().get_balance(account).await;
    if balance.context("fund the relay")? < least {
        let set = chain
            .provider()
            .raw_request::<_, ()>("anvil_setBalance".into(), (account, least));
        set.await.context("fund the relay")?;
    }
    Ok(())
}

/// Who a custodian in this process is; made where it is missing.
fn custodian(home: &Home, number: u8) -> anyhow::Result<Identity> {
    let path = home.custodian_key(number);
    if !path.exists() {
        identity::create(
            &path,
            &Secrets::generate(&mut rng(), Suite::default()),
            OWNER_PASSPHRASE,
        )?;
    }
    Ok(Identity::open(&path, OWNER_PASSPHRASE)?)
}

/// The owner's account comes with the chain; the other secrets of its key file are drawn here.
fn owner_key_file(home: &Home, owner: &PrivateKeySigner) -> anyhow::Result<()> {
    let path = home.owner_key();
    if path.exists() {
        return Ok(());
    }
    let secrets = Secrets {
        account: AccountKey::from_slice(owner.to_bytes().as_slice())?,
        encryption: EncryptionKey::generate(&mut rng(), Suite::default()),
        retired: Vec::new(),
        root: RootSecret::generate(&mut rng()),
    };
    identity::create(&path, &secrets, OWNER_PASSPHRASE)?;
    Ok(())
}

/// A key of the gateway's own, for signing or for paying, made where it is missing: it must start unattended, so the file's mode
/// protects it.
pub fn gateway_key(path: &Path) -> anyhow::Result<PrivateKeySigner> {
    if let Some(key) = service_key(path)? {
        return Ok(key);
    }
    let key = AccountKey::generate(&mut rng());
    let hex = Zeroizing::new(hex::encode(key.expose()));
    file::create(path, hex.as_bytes()).with_context(|| format!("create {}", path.display()))?;
    Ok(PrivateKeySigner::from_slice(key.expose())?)
}

/// The key in a file, if there is one.
pub fn service_key(path: &Path) -> anyhow::Result<Option<PrivateKeySigner>> {
    match std::fs::read_to_string(path) {
        Ok(text) => {
            let text = Zeroizing::new(text);
            let key = text.trim().parse();
            let key = key.with_context(|| format!("{} does not hold a secp256k1 key in hex", path.display()))?;
            Ok(Some(key))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => bail!("read {}: {error}", path.display()),
    }
}
