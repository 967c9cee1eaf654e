//! Commands that run services until they are told to stop.

use std::process::ExitCode;

use anyhow::{Context, bail};
use medlock_client::{Chain, Endpoints, Identity};
use medlock_deploy::{Artifacts, Deployment};
use serde_json::json;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::{
    args::{DemoArgs, DeployArgs, DevArgs, GatewayArgs, Global, IndexArgs},
    config::Home,
    demo,
    dev::{self, OWNER_PASSPHRASE},
    output::Output,
};

/// A service's own poll interval against a chain that runs elsewhere.
const POLL_MS: u64 = 500;

pub async fn dev(global: &Global, out: Output, args: &DevArgs) -> anyhow::Result<ExitCode> {
    let mut stop = Stop::new()?;
    let starting = dev::spawn(dev::Config {
        home: global.home.clone(),
        artifacts: args.artifacts.artifacts.clone(),
        rpc_port: args.rpc_port,
        gateway_port: args.gateway_port,
        public_url: None,
        stores: args.store.stores(),
        upkeep: args.store.upkeep(),
    });
    let running = stop.unless(starting).await?;
    let Endpoints { rpc, gateway } = &running.endpoints;
    let value = json!({
        "rpc": rpc, "gateway": gateway, "home": global.home,
        "registry": running.deployment.registry, "records": running.deployment.records,
        "exceptions": running.deployment.exceptions, "relay": running.deployment.relay,
        "audit": running.deployment.audit,
        "owner_key": running.home.owner_key(),
    });
    out.say(value, || {
        format!(
            "Medlock runs. Stop it with Ctrl-C; its state stays in {}.\n\
             chain       {rpc}\n\
             gateway     {gateway}\n\
             {}\
             issuer      {} (passphrase: {OWNER_PASSPHRASE})",
            global.home.display(),
            contracts(&running.deployment),
            running.home.owner_key().display()
        )
    })?;
    tokio::select! {
        () = stop.wait() => {
            running.shutdown().await?;
            Ok(ExitCode::SUCCESS)
        }
        error = running.failed() => {
            running.shutdown().await?;
            Err(error)
        }
    }
}

pub async fn demo(out: Output, args: DemoArgs) -> anyhow::Result<ExitCode> {
    let config = demo::Config {
        bundle: args.bundle,
        dir: args.dir,
        artifacts: args.artifacts.artifacts,
    };
    demo::run(config, out).await?;
    Ok(ExitCode::SUCCESS)
}

pub async fn index(global: &Global, out: Output, args: IndexArgs) -> anyhow::Result<ExitCode> {
    let mut stop = Stop::new()?;
    let rpc_url = rpc(global)?;
    let starting = medlock_indexer::spawn(medlock_indexer::Config {
        endpoints: rpc_url.as_str().into(),
        deployment: dev::indexed(&global.deployment()?),
        database: args.db.clone(),
        poll_ms: POLL_MS,
    });
    let handle = stop.unless(starting).await?;
    out.say(json!({ "rpc": rpc_url, "db": args.db.to_string() }), || {
        format!("Indexing {rpc_url} into {}. Stop with Ctrl-C.", args.db)
    })?;
    tokio::select! {
        () = stop.wait() => {
            handle.shutdown().await?;
            Ok(ExitCode::SUCCESS)
        }
        error = dev::stopped(&handle) => Err(error),
    }
}

pub async fn gateway(global: &Global, out: Output, args: GatewayArgs) -> anyhow::Result<ExitCode> {
    let mut stop = Stop::new()?;
    let rpc_url = rpc(global)?;
    let deployment = global.deployment()?;
    let home = Home::new(&args.dir);
    std::fs::create_dir_all(home.dir()).with_context(|| format!("create {}", home.dir().display()))?;
    let starting = medlock_indexer::spawn(medlock_indexer::Config {
        endpoints: rpc_url.as_str().into(),
        deployment: dev::indexed(&deployment),
        database: medlock_indexer::Database::Sqlite(home.index()),
        poll_ms: POLL_MS,
    });
    let indexer = stop.unless(starting).await?;
    let starting = medlock_gateway::spawn(medlock_gateway::Config {
        listen: args.listen,
        public_url: args.public_url,
        rpc_url,
        deployment: dev::indexed(&deployment),
        index: indexer.index(),
        store: args.store.stores().open(&home.blocks())?,
        upkeep: args.store.upkeep(),
        db: home.receipts(),
        key: dev::gateway_key(&home.gateway_key())?,
    });
    let gateway = stop.unless(starting).await?;
    let value = json!({ "gateway": gateway.url(), "account": gateway.address() });
    out.say(value, || {
        format!("Gateway {} at {}. Stop with Ctrl-C.", gateway.address(), gateway.url())
    })?;
    let failed = tokio::select! {
        () = stop.wait() => None,
        error = dev::stopped(&indexer) => Some(error),
    };
    gateway.shutdown().await?;
    indexer.shutdown().await?;
    match failed {
        None => Ok(ExitCode::SUCCESS),
        Some(error) => Err(error),
    }
}

pub async fn deploy(global: &Global, out: Output, args: DeployArgs) -> anyhow::Result<ExitCode> {
    if args.out.exists() {
        bail!(
            "{} exists already; move it away, or name another file with --out",
            args.out.display()
        );
    }
    let owner: Identity = global.identity()?;
    let artifacts = Artifacts::load(&args.artifacts.artifacts)?;
    let chain = Chain::discover(&rpc(global)?, owner.signer().clone()).await?;
    let deployed = medlock_deploy::deploy(chain.provider(), owner.address(), owner.address(), &artifacts).await?;
    deployed.deployment.save(&args.out).with_context(|| {
        let contracts = deployed.deployment.contracts();
        let contracts = contracts.map(|(name, address)| format!("{name} {address}"));
        format!("deployed {}, but", contracts.join(", "))
    })?;
    out.say(&deployed.deployment, || {
        format!(
            "Deployed and activated:\n{}Wrote {}.",
            contracts(&deployed.deployment),
            args.out.display()
        )
    })?;
    Ok(ExitCode::SUCCESS)
}

/// A line for each contract: its name and its address.
fn contracts(deployment: &Deployment) -> String {
    deployment
        .contracts()
        .iter()
        .map(|(name, address)| format!("{name:<10}  {address}\n"))
        .collect()
}

/// `--rpc`, or the chain of the home folder; for services that need no gateway.
fn rpc(global: &Global) -> anyhow::Result<String> {
    match &global.rpc {
        Some(rpc) => Ok(rpc.clone()),
        None => Ok(global.endpoints()?.rpc),
    }
}

/// Ctrl-C, or the signal that a service manager sends. Made before a service starts, so that no signal is missed.
struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    fn new() -> anyhow::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt()).context("listen for Ctrl-C")?,
            terminate: signal(SignalKind::terminate()).context("listen for SIGTERM")?,
        })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => (),
            _ = self.terminate.recv() => (),
        }
    }

    /// Starts a service, unless it is to be stopped before it has started. Every start can be cut off anywhere.
    async fn unless<T>(&mut self, start: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
        tokio::select! {
            started = start => started,
            () = self.wait() => bail!("stopped before everything had started"),
        }
    }
}
