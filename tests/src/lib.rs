//! A World: chain, contracts, indexer, store and gateway, started for one test on free ports in a folder of its own.
//!
//! Start at [`World::start`]. Everything in it is real; [`World::restart`] is how a crash or an upgrade looks.

pub mod cluster;
pub mod proxy;
pub mod service;

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
    time::{Duration, Instant},
};

use alloy::{
    primitives::{Address, B256, U256},
    providers::Provider,
};
use medlock::{
    dev::{self, Dev},
    stores::Stores,
};
use medlock_client::{
    Chain, Client, GrantTerms, Identity,
    api::Purpose,
    now,
    terms::{action, purpose, role},
};
use medlock_gateway::{RelayLimits, Upkeep};
use proxy::Proxy;
use tempfile::TempDir;

/// Longest wait for anything that should come soon.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks at a condition.
const POLL: Duration = Duration::from_millis(10);

pub struct World {
    pub dev: Dev,
    dir: TempDir,
    settings: Settings,
}

/// What a World may be started with.
#[derive(Default)]
pub struct Settings {
    /// Between every client and the gateway; the gateway is known by its URL.
    pub proxy: Option<Proxy>,
    pub stores: Stores,
    pub upkeep: Option<Upkeep>,
    pub relay: RelayLimits,
    /// Custodians of emergency keys, in its process.
    pub custodians: u8,
}

impl World {
    pub async fn start() -> Self {
        Self::with(Settings::default()).await
    }

    /// With `proxy` between every client and the gateway, and the gateway known by the proxy's URL.
    pub async fn behind(proxy: &Proxy) -> Self {
        Self::with(Settings {
            proxy: Some(proxy.clone()),
            ..Settings::default()
        })
        .await
    }

    pub async fn with(settings: Settings) -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let dev = spawn(dir.path(), &settings).await;
        Self { dev, dir, settings }
    }

    /// Stops everything, lets `between` touch the folder, and starts again on it.
    pub async fn restart(self, between: impl FnOnce(&Path)) -> Self {
        let Self { dev, dir, settings } = self;
        dev.shutdown().await.expect("shut down");
        between(dir.path());
        let dev = spawn(dir.path(), &settings).await;
        Self { dev, dir, settings }
    }

    pub fn home(&self) -> &Path {
        self.dir.path()
    }

    /// Somebody new, with funds.
    pub async fn newcomer(&self) -> Client {
        self.as_client(Identity::generate().expect("an identity")).await
    }

    /// Somebody known, with funds.
    pub async fn as_client(&self, identity: Identity) -> Client {
        self.fund(identity.address()).await;
        self.dev.client(identity).await.expect("connect")
    }

    pub async fn fund(&self, account: Address) {
        let wei = U256::from(100) * U256::from(10).pow(U256::from(18));
        self.chain()
            .provider()
            .raw_request::<_, ()>("anvil_setBalance".into(), (account, wei))
            .await
            .expect("fund");
    }

    /// A chain client that signs for nobody in particular.
    pub fn chain(&self) -> Chain {
        let nobody = Identity::generate().expect("an identity");
        Chain::new(&self.dev.endpoints.rpc, self.dev.deployment.chain_id, nobody.signer()).expect("a URL")
    }

    /// A credentialed party with a published key.
    pub async fn party(&self, roles: u64) -> Client {
        let party = self.newcomer().await;
        self.credential(party.address(), roles).await;
        party.publish_key().await.expect("publish the key");
        party
    }

    /// Has the registry's owner credential an account.
    pub async fn credential(&self, account: Address, roles: u64) {
        let owner = self
            .dev
            .client(self.dev.owner().expect("owner.key"))
            .await
            .expect("connect");
        owner
            .set_issuer(owner.address(), true)
            .await
            .expect("name the owner an issuer");
        owner
            .issue_credential(account, roles, 0, B256::ZERO)
            .await
            .expect("credential");
    }

    pub async fn clinic(&self) -> Client {
        self.party(role::ORGANISATION | role::PROVIDER).await
    }

    pub async fn insurer(&self) -> Client {
        self.party(role::INSURER).await
    }

    /// A patient with a chart.
    pub async fn patient(&self) -> (Client, B256) {
        let patient = self.newcomer().await;
        let (chart, _) = patient
            .open_chart(&medlock_client::default_labels(), medlock_client::Suite::default())
            .await
            .expect("open a chart");
        (patient, chart)
    }

    /// A patient, a clinic with every right for treatment, and the small bundle imported.
    pub async fn treated(&self) -> (Client, Client, B256) {
        let (patient, chart) = self.patient().await;
        let clinic = self.clinic().await;
        patient
            .grant(chart, clinic.address(), treatment())
            .await
            .expect("grant");
        let open = clinic.chart(chart).await.expect("open the chart");
        open.import(&small_bundle(), |_, _| ()).await.expect("import");
        (patient, clinic, chart)
    }

    /// Until the index has the chain's head.
    pub async fn indexed(&self) {
        let head = self.chain().provider().get_block_number().await.expect("head");
        self.dev
            .indexer()
            .index()
            .wait_for_block(head, PATIENCE)
            .await
            .expect("the index follows");
    }

    /// The `medlock` program against this World.
    pub fn medlock(&self, key: Option<&Path>, args: &[&str]) -> Output {
        let mut command = Command::new(medlock_binary());
        command
            .args(args)
            .arg("--home")
            .arg(self.home())
            .env("MEDLOCK_PASSPHRASE", "correct horse")
            .env_remove("MEDLOCK_KEY");
        if let Some(key) = key {
            command.arg("--key").arg(key);
        }
        command.output().expect("run medlock")
    }
}

async fn spawn(home: &Path, settings: &Settings) -> Dev {
    let Settings {
        proxy,
        stores,
        upkeep,
        relay,
        custodians,
    } = settings;
    let dev = dev::spawn(dev::Config {
        stores: stores.clone(),
        upkeep: *upkeep,
        relay: *relay,
        custodians: *custodians,
        home: home.to_owned(),
        artifacts: artifacts(),
        rpc_port: 0,
        gateway_port: 0,
        public_url: proxy.as_ref().map(Proxy::url),
    })
    .await
    .expect("start the World");
    if let Some(proxy) = proxy {
        proxy.point_at(&dev.gateway_url());
    }
    dev
}

/// For treatment.
pub fn treat() -> Purpose {
    Purpose::from_code("TREAT").expect("a purpose")
}

/// At the patient's own request.
pub fn patient_request() -> Purpose {
    Purpose::from_code("PATRQT").expect("a purpose")
}

/// Everything, for treatment, for a day.
pub fn treatment() -> GrantTerms {
    GrantTerms {
        compartments: medlock_client::default_labels()
            .keys()
            .fold(0, |mask, number| mask | 1 << number),
        purposes: purpose::TREAT,
        actions: action::READ | action::WRITE,
        notBefore: 0,
        expiry: now() + 86_400,
    }
}

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

pub fn artifacts() -> PathBuf {
    root().join(medlock_deploy::artifacts::DEFAULT_DIR)
}

pub fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(root().join("tests/fixtures").join(name)).expect("a fixture")
}

/// A few dozen resources: quick to import.
pub fn small_bundle() -> Vec<u8> {
    fixture("bundles/infant.json")
}

/// The program as `cargo build` made it, beside the test's own.
pub fn medlock_binary() -> PathBuf {
    let mut path = std::env::current_exe().expect("the test's path");
    path.pop();
    if path.ends_with("deps") {
        path.pop();
    }
    path.push("medlock");
    assert!(
        path.exists(),
        "{} is missing: run `make test`, which builds it first",
        path.display()
    );
    path
}

/// Every file below a folder.
pub fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir)
        .expect("a folder")
        .map(|entry| entry.expect("an entry"))
    {
        match entry.file_type().expect("a type").is_dir() {
            true => found.extend(files(&entry.path())),
            false => found.push(entry.path()),
        }
    }
    found
}

/// Tries until `probe` gives something, within a deadline.
pub async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, mut probe: impl FnMut() -> F) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = probe().await {
            return found;
        }
        assert!(Instant::now() < deadline, "{what}: not within {PATIENCE:?}");
        tokio::time::sleep(POLL).await;
    }
}
