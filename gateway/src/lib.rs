//! The gateway: Medlock over HTTP. Sessions, blocks in and out, decisions, read receipts, operations relayed.
//!
//! It must never hold a key that opens a record, decide access by itself (the contract does, at the latest block),
//! serve an envelope before its receipt is on disk, serve bytes that do not match their CID, or log who reads whom.
//!
//! Start reading at `routes.rs` (every route and limit), then `read.rs` (one read, step by step) and `access.rs`
//! (who may, and for whom). `keys.rs` hands out directories and keyrings, `membership.rs` organisations' keys to their members, `emergency.rs`
//! what opens a chart whose glass is broken. `session.rs` and `receipt.rs` are pure; `db.rs` keeps sessions and receipts; `anchor.rs` brings receipts on chain in batches; `relay.rs` submits what others have signed;
//! `fhir.rs` says the same things in FHIR R4; wire types are `medlock_api`.
mod access;
mod anchor;
mod app;
mod blocks;
mod chain;
mod db;
mod docs;
mod emergency;
mod erasure;
mod etag;
mod extract;
mod fhir;
mod handlers;
mod keys;
mod limits;
mod membership;
mod metrics;
mod origin;
mod problem;
mod prove;
mod read;
mod receipt;
mod relay;
mod routes;
mod session;
mod state;
mod upkeep;
mod verdict;
mod wire;

use std::{
    net::SocketAddr,
    time::{Duration, Instant, SystemTime},
};

use alloy::{primitives::Address, signers::local::PrivateKeySigner};
use anyhow::{Context as _, Result, anyhow, ensure};
use medlock_indexer::{Deployment, Index};
use medlock_store::{Healed, Store, Swept};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle, time::timeout};

pub use anchor::Anchoring;
pub use app::is_app_rpc;
pub use blocks::{ASKED_MOST, UPLOAD_BYTES_MOST};
pub use db::{Found as FoundState, look as look_at_state};
pub use extract::{JSON_BYTES_MOST, PAGE_MOST};
pub use limits::{
    ADDRESSES_MOST, BLOCK_BYTES_LEAST, CONNECTIONS_EACH_MOST, CONNECTIONS_MOST, DOWNLOADS_AT_ONCE_MOST,
    DOWNLOADS_EACH_MOST, OPEN_EACH_BURST, REQUESTS_PER_MINUTE, UPLOAD_BYTES_PER_HOUR, UPLOADS_AT_ONCE_MOST,
    UPLOADS_EACH_MOST,
};
pub use medlock_sql::Database;
pub use origin::{Network, NotANetwork};
pub use prove::PROVED_MOST;
pub use receipt::FRESH_SECONDS;
pub use relay::{OPERATION_BYTES_MOST, OPERATION_GAS_MOST, Relay, RelayLimits};
pub use routes::openapi_json;
pub use session::{CHALLENGE_SECONDS, CODE_SESSION_SECONDS, SESSION_SECONDS, SESSIONS_MOST, is_public_url};
pub use upkeep::Upkeep;
pub use verdict::{NOW_SECONDS, QUESTIONS_MOST};

/// How long requests at work may take to end after [`Handle::shutdown`].
const DRAIN: Duration = Duration::from_secs(10);

pub struct Config {
    /// Port 0: any free one.
    pub listen: SocketAddr,
    /// `http://` or `https://`, host and port as clients reach it; sign-in messages name it. `None`: the address
    /// listened on.
    pub public_url: Option<String>,
    /// Proxies in front, who say in X-Forwarded-For for whom they ask: limits by address then count against that one. Nobody
    /// else's word is taken.
    pub trusted_proxies: Vec<Network>,
    /// JSON-RPC over HTTP.
    pub rpc_url: String,
    /// The same as browsers reach it; then `/` is the web application. It is told to everybody. None: there is no application.
    pub app_rpc_url: Option<String>,
    /// Accounts that keep shares of emergency keys; the web application offers them to patients.
    pub custodians: Vec<Address>,
    pub deployment: Deployment,
    pub index: Index,
    pub store: Store,
    /// None: nothing is removed from the store, and nothing repaired but what is met.
    pub upkeep: Option<Upkeep>,
    /// Sessions and receipts; made where it is missing. Several gateways may share it, also such of one account.
    pub db: Database,
    /// Signs verdicts; receipts are addressed to its account.
    pub key: PrivateKeySigner,
    /// None: signed operations are not relayed.
    pub relay: Option<Relay>,
    /// None: receipts are not anchored on chain.
    pub anchoring: Option<Anchoring>,
}

/// Starts serving.
///
/// Fails where the address is taken, the node is not reached or serves another chain than the deployment's, and where
/// the database belongs to another deployment.
pub async fn spawn(config: Config) -> Result<Handle> {
    let Config {
        listen,
        public_url,
        trusted_proxies,
        rpc_url,
        app_rpc_url,
        custodians,
        deployment,
        index,
        store,
        upkeep,
        db,
        key,
        relay,
        anchoring,
    } = config;
    let app = app_rpc_url.map(|rpc| app::App::new(rpc, custodians)).transpose()?;
    let shares_account = relay.as_ref().is_some_and(|relay| relay.key.address() == key.address());
    ensure!(
        anchoring.is_none() || !shares_account,
        "the account that pays for relayed operations cannot be the gateway's own, which anchors receipts: each has its own nonces"
    );
    let chain = chain::Chain::new(&rpc_url, deployment)?;
    chain.identify().await.context("gateway: chain")?;
    let db = db::Db::open(&db, deployment, key.address(), state::random()?).await?;
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("gateway: listen on {listen}"))?;
    let addr = listener.local_addr().context("gateway: own address")?;
    let url = public_url.unwrap_or_else(|| format!("http://{addr}"));
    let site = session::Site::new(&url, deployment.chain_id)
        .with_context(|| format!("the public URL {url} is not http(s)://host[:port]"))?;
    let account = key.address();
    let relay = relay.map(|relay| relay::Relaying::new(relay, db.pool().clone()));
    let gateway = state::Gateway::new(state::Parts {
        deployment,
        chain,
        index,
        store,
        db,
        signer: key,
        relay,
        site,
        limits: limits::Limits::default(),
        uploads: limits::Gate::new(UPLOADS_AT_ONCE_MOST, UPLOADS_EACH_MOST),
        downloads: limits::Gate::new(DOWNLOADS_AT_ONCE_MOST, DOWNLOADS_EACH_MOST),
        open: limits::Bucket::new(limits::OPEN_PER_SECOND, limits::OPEN_BURST, Instant::now()),
        open_each: limits::Buckets::new(limits::OPEN_EACH_PER_SECOND, limits::OPEN_EACH_BURST, ADDRESSES_MOST),
        connections: limits::Gate::new(wire::places(), CONNECTIONS_EACH_MOST),
        proxies: trusted_proxies,
        metrics: Default::default(),
        marks: state::Marks::default(),
        seen: Default::default(),
        pulse: Default::default(),
        started: SystemTime::now(),
    });
    let (stop, mut stopped) = watch::channel(false);
    let stopping = async move {
        // An error: the handle was dropped, which stops the server too.
        let _ = stopped.wait_for(|stop| *stop).await;
    };
    let (keeper, payer, serving, anchoring_for) = (gateway.clone(), gateway.clone(), gateway.clone(), gateway.clone());
    let anchors = async move {
        match anchoring {
            Some(anchoring) => anchor::run(anchoring_for, anchoring).await,
            None => std::future::pending().await,
        }
    };
    let upkeep = async move {
        match upkeep {
            Some(upkeep) => upkeep::run(keeper, upkeep).await,
            None => std::future::pending().await,
        }
    };
    let server = wire::serve(listener, routes::router(gateway.clone(), app), gateway, stopping);
    let task = tokio::spawn(async move {
        tokio::select! {
            () = server => (),
            // It is cut off with the server, wherever it is: each of its steps is whole by itself.
            never = upkeep => never,
            never = relay::run(payer) => never,
            never = anchors => never,
        }
    });
    Ok(Handle {
        addr,
        account,
        stop,
        task,
        gateway: serving,
    })
}

/// A running gateway. Dropping it stops it too, without waiting.
pub struct Handle {
    addr: SocketAddr,
    account: Address,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
    gateway: state::Gateway,
}

impl Handle {
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Base URL, without a slash at its end.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The account that signs verdicts and that receipts are addressed to.
    pub fn address(&self) -> Address {
        self.account
    }

    /// One round of upkeep now: collects garbage that is older than `grace`, and heals.
    ///
    /// # Errors
    /// Where what is live is not known for sure: then nothing was removed.
    pub async fn look_after(&self, grace: Duration) -> Result<(Swept, Healed)> {
        upkeep::round(&self.gateway, grace).await
    }

    /// Serves `/metrics` (Prometheus) there, until what it returns is dropped. For a network of one's own: there is neither TLS nor
    /// sign-in.
    ///
    /// # Errors
    /// Where the address is taken.
    pub async fn serve_metrics(&self, listen: SocketAddr) -> Result<medlock_indexer::Server> {
        metrics::serve(listen, self.gateway.clone()).await
    }

    /// Takes no new requests, lets those at work end for ten seconds, and closes the database.
    pub async fn shutdown(mut self) -> Result<()> {
        self.stop.send_replace(true);
        let outcome = timeout(DRAIN, &mut self.task).await;
        self.task.abort();
        self.gateway.db.close().await;
        match outcome {
            Ok(ended) => ended.map_err(|error| anyhow!("the gateway's task ended badly: {error}")),
            Err(_) => {
                tracing::warn!("requests were still at work after the drain time; they end with the process");
                Ok(())
            }
        }
    }
}
