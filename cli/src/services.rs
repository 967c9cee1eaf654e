//! Commands that run services until they are told to stop.

use std::{process::ExitCode, time::Duration};

use anyhow::{Context, bail, ensure};
use medlock_client::Endpoints;
use medlock_deploy::Deployment;
use medlock_gateway::RelayLimits;
use medlock_indexer::{Database, Index};
use serde_json::json;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::{
    args::{ConfigCommand, CustodianArgs, DemoArgs, DevArgs, GatewayArgs, GatewayCommand, Global},
    config::{Home, over_http},
    config_check, demo,
    dev::{self, OWNER_PASSPHRASE},
    emergency, index,
    output::Output,
};

/// Of a development machine: so that a patient can choose two of three. One machine that runs them all protects nothing; it shows how it works.
const CUSTODIANS: u8 = 3;

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
        relay: RelayLimits::default(),
        custodians: CUSTODIANS,
    });
    let running = stop.unless(starting).await?;
    let Endpoints { rpc, gateway } = &running.endpoints;
    let value = json!({
        "rpc": rpc, "gateway": gateway, "home": global.home,
        "registry": running.deployment.registry, "records": running.deployment.records,
        "exceptions": running.deployment.exceptions, "relay": running.deployment.relay,
        "audit": running.deployment.audit, "claims": running.deployment.claims,
        "supply": running.deployment.supply, "trials": running.deployment.trials,
        "owner_key": running.home.owner_key(), "custodians": running.custodians,
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
        ledger: args.ledger,
        bundle: args.bundle,
        dir: args.dir,
        artifacts: args.artifacts.artifacts,
    };
    demo::run(config, out).await?;
    Ok(ExitCode::SUCCESS)
}

/// Where a gateway keeps things.
pub struct Places {
    pub home: Home,
    /// The index.
    pub database: Database,
    /// Sessions, receipts, operations relayed.
    pub state: Database,
}

impl GatewayArgs {
    /// # Errors
    /// Where a database's name cannot be read. Whatever is wrong with it, a password is not repeated.
    pub fn places(&self) -> anyhow::Result<Places> {
        let home = Home::new(&self.dir);
        let database = match &self.db {
            Some(database) => index::database(database)?,
            None => Database::Sqlite(home.index()),
        };
        let state = match &self.state {
            Some(database) => {
                (database.parse().ok()).context("--state is neither a file nor a postgres:// URL that can be read")?
            }
            None => home.state().as_path().into(),
        };
        Ok(Places { home, database, state })
    }
}

pub async fn gateway(global: &Global, out: Output, args: GatewayArgs) -> anyhow::Result<ExitCode> {
    if let Some(GatewayCommand::Config(ConfigCommand::Check)) = args.command {
        return config_check::check(global, out, &args).await;
    }
    let mut stop = Stop::new()?;
    let nodes = global.nodes()?;
    let rpc_url = over_http(&nodes)?.clone();
    let deployment = dev::indexed(&global.deployment()?);
    let Places { home, database, state } = args.places()?;
    std::fs::create_dir_all(home.dir()).with_context(|| format!("create {}", home.dir().display()))?;
    let limits = args.relay.limits();
    let key = args.relay.relay_key.as_deref().map(dev::gateway_key).transpose()?;
    let payer = key.as_ref().map(|key| key.address());
    let relay = key.map(|key| medlock_gateway::Relay { key, limits });
    let (index, indexer) = if args.index_read_only {
        let index = Index::open(&database).await?;
        let mirrored = index.deployment().await?;
        ensure!(
            mirrored == deployment,
            "the index in {database} mirrors another deployment ({mirrored:?}, not {deployment:?})"
        );
        (index, None)
    } else {
        let starting = medlock_indexer::spawn(args.follow.config(nodes, deployment, database));
        let indexer = stop.unless(starting).await?;
        (indexer.index(), Some(indexer))
    };
    let starting = medlock_gateway::spawn(medlock_gateway::Config {
        listen: args.listen,
        public_url: args.public_url,
        trusted_proxies: args.trusted_proxies,
        rpc_url,
        app_rpc_url: args.app_rpc,
        custodians: args.custodians,
        deployment,
        index: index.clone(),
        store: args.store.stores().open(&home.blocks())?,
        upkeep: args.store.upkeep(),
        db: state,
        key: dev::gateway_key(&home.gateway_key())?,
        relay,
        anchoring: (args.anchor_minutes > 0).then(|| medlock_gateway::Anchoring {
            every: Duration::from_secs(args.anchor_minutes.saturating_mul(60)),
            fee_per_gas_most: limits.fee_per_gas_most,
            ..Default::default()
        }),
    });
    let gateway = stop.unless(starting).await?;
    // Served until the gateway has ended.
    let server = match args.metrics {
        Some(listen) => Some(gateway.serve_metrics(listen).await?),
        None => None,
    };
    let metrics = server
        .as_ref()
        .map(|server| format!("http://{}/metrics", server.addr()));
    let value = json!({ "gateway": gateway.url(), "account": gateway.address(), "payer": payer, "metrics": metrics });
    out.say(value, || {
        let metrics = metrics.map_or_else(String::new, |url| format!(" Metrics: {url}."));
        let relays = payer.map(|payer| format!(" It relays, and pays from {payer}."));
        format!(
            "Gateway {} at {}.{}{metrics} Stop with Ctrl-C.",
            gateway.address(),
            gateway.url(),
            relays.unwrap_or_default()
        )
    })?;
    let stopped = async {
        match &indexer {
            Some(indexer) => dev::stopped(indexer).await,
            None => std::future::pending().await,
        }
    };
    let failed = tokio::select! {
        () = stop.wait() => None,
        error = stopped => Some(error),
    };
    gateway.shutdown().await?;
    match indexer {
        Some(indexer) => indexer.shutdown().await?,
        None => index.close().await,
    }
    match failed {
        None => Ok(ExitCode::SUCCESS),
        Some(error) => Err(error),
    }
}

pub async fn custodian(global: &Global, out: Output, args: CustodianArgs) -> anyhow::Result<ExitCode> {
    let mut stop = Stop::new()?;
    let client = global.client().await?;
    client.is_custodian_ready().await?;
    let every = Duration::from_secs(args.every_seconds);
    out.say(
        json!({ "account": client.address(), "every_seconds": args.every_seconds }),
        || {
            format!(
                "Custodian {} looks every {} s. Stop with Ctrl-C.",
                client.address(),
                args.every_seconds
            )
        },
    )?;
    tokio::select! {
        () = stop.wait() => Ok(ExitCode::SUCCESS),
        never = emergency::serve_custody(client, every) => never,
    }
}

/// A line for each contract: its name and its address.
fn contracts(deployment: &Deployment) -> String {
    deployment
        .contracts()
        .iter()
        .map(|(name, address)| format!("{name:<10}  {address}\n"))
        .collect()
}

/// Ctrl-C, or the signal that a service manager sends. Made before a service starts, so that no signal is missed.
pub struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    pub fn new() -> anyhow::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt()).context("listen for Ctrl-C")?,
            terminate: signal(SignalKind::terminate()).context("listen for SIGTERM")?,
        })
    }

    pub async fn wait(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => (),
            _ = self.terminate.recv() => (),
        }
    }

    /// Starts a service, unless it is to be stopped before it has started. Every start can be cut off anywhere.
    pub async fn unless<T>(&mut self, start: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
        tokio::select! {
            started = start => started,
            () = self.wait() => bail!("stopped before everything had started"),
        }
    }
}
