//! `medlock gateway config check`: says each setting and where it comes from, and tries what can be tried without a change anywhere.
use std::{
    io::ErrorKind,
    net::{SocketAddr, TcpListener},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use alloy::{
    eips::BlockNumberOrTag,
    providers::{Provider as _, ProviderBuilder},
    signers::local::PrivateKeySigner,
};
use anyhow::{Context, Result, anyhow, bail, ensure};
use medlock_deploy::Deployment;
use medlock_indexer::{Database, Index};
use serde_json::json;
use tokio::{net::TcpStream, time::timeout};
use zeroize::Zeroizing;

use crate::{
    args::{GatewayArgs, Global},
    config::Home,
    dev, index,
    output::Output,
    settings::redacted,
};

/// Whatever has not answered by then does not answer.
const ANSWER: Duration = Duration::from_secs(10);

/// What was tried, and what came of it.
type Outcome = (String, Result<String>);

pub async fn check(global: &Global, out: Output, args: &GatewayArgs) -> Result<ExitCode> {
    let outcomes = outcomes(global, args).await;
    let sound = outcomes.iter().all(|(_, outcome)| outcome.is_ok());
    let settings = args
        .settings
        .iter()
        .map(|setting| json!({ "name": setting.name, "value": setting.value, "source": setting.source }));
    let checks = outcomes.iter().map(|(what, outcome)| match outcome {
        Ok(found) => json!({ "check": what, "ok": true, "result": found }),
        Err(fault) => json!({ "check": what, "ok": false, "result": format!("{fault:#}") }),
    });
    let value = json!({ "settings": settings.collect::<Vec<_>>(), "checks": checks.collect::<Vec<_>>() });
    out.say(value, || {
        let mut text = String::new();
        for setting in &args.settings {
            let value = setting.value.as_deref().unwrap_or("-");
            text += &format!("{:<26}  {:<11}  {value}\n", setting.name, setting.source);
        }
        text += "\n";
        for (what, outcome) in &outcomes {
            text += &match outcome {
                Ok(found) => format!("ok     {what}: {found}\n"),
                Err(fault) => format!("FAULT  {what}: {fault:#}\n"),
            };
        }
        text.trim_end().to_owned()
    })?;
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn outcomes(global: &Global, args: &GatewayArgs) -> Vec<Outcome> {
    let home = Home::new(&args.dir);
    let deployment = global.deployment();
    let mut outcomes = Vec::new();
    match global.nodes() {
        Ok(nodes) => {
            let asked_over_http = nodes.iter().any(|node| is_http(node));
            for node in nodes.iter().filter(|node| is_http(node)) {
                let found = within(node_serves(node, deployment.as_ref().ok())).await;
                outcomes.push((format!("node {}", redacted(node)), found));
            }
            if !asked_over_http {
                outcomes.push(("nodes".into(), Err(anyhow!("none has an http:// or https:// URL"))));
            }
        }
        Err(fault) => outcomes.push(("nodes".into(), Err(fault))),
    }
    let database = match &args.db {
        Some(name) => index::database(name),
        None => Ok(Database::Sqlite(home.index())),
    };
    outcomes.push(("index".into(), within(index_answers(database, args, &deployment)).await));
    let state = match &args.state {
        Some(name) => name
            .parse()
            .map_err(|_| anyhow!("neither a file nor a postgres:// URL that can be read")),
        None => Ok(home.state().as_path().into()),
    };
    outcomes.push(("state".into(), within(async { answers(&state?).await }).await));
    let places = match args.store.stores.as_slice() {
        [] => vec![home.blocks().display().to_string()],
        places => places.to_vec(),
    };
    for place in &places {
        outcomes.push((format!("store {}", redacted(place)), within(store_answers(place)).await));
    }
    if let Some(quorum) = args.store.store_quorum {
        let fits = (1..=places.len()).contains(&quorum);
        let found = if fits {
            Ok(format!("{quorum} of {}", places.len()))
        } else {
            Err(anyhow!("{quorum} of {} stores", places.len()))
        };
        outcomes.push(("store quorum".into(), found));
    }
    outcomes.push(("gateway key".into(), key(&home.gateway_key())));
    if let Some(path) = &args.relay.relay_key {
        outcomes.push(("relay key".into(), key(path)));
    }
    if let Some(url) = &args.public_url {
        let found = match medlock_gateway::is_public_url(url) {
            true => Ok(url.clone()),
            false => Err(anyhow!("not http(s)://host[:port]")),
        };
        outcomes.push(("public URL".into(), found));
    }
    outcomes.push(("listen".into(), free(args.listen)));
    if let Some(metrics) = args.metrics {
        let found = if metrics == args.listen && metrics.port() != 0 {
            Err(anyhow!("{metrics} is the public address"))
        } else {
            free(metrics)
        };
        outcomes.push(("metrics".into(), found));
    }
    let path = global.deployment_path();
    let read = deployment.map(|deployment| format!("{}, chain {}", path.display(), deployment.chain_id));
    outcomes.insert(0, ("deployment file".into(), read));
    outcomes
}

fn is_http(url: &str) -> bool {
    url.starts_with("http://") || url.starts_with("https://")
}

async fn within<T>(trying: impl Future<Output = Result<T>>) -> Result<T> {
    match timeout(ANSWER, trying).await {
        Ok(found) => found,
        Err(_) => bail!("no answer within {} s", ANSWER.as_secs()),
    }
}

/// Chain, genesis and code of the contracts. What a library says of a failed request holds the URL, so it is left out.
async fn node_serves(node: &str, deployment: Option<&Deployment>) -> Result<String> {
    let url = node.parse().ok().context("not a URL")?;
    let provider = ProviderBuilder::new().connect_http(url);
    let chain_id = provider
        .get_chain_id()
        .await
        .ok()
        .context("it does not answer eth_chainId")?;
    let Some(deployment) = deployment else {
        return Ok(format!("chain {chain_id}, compared with nothing"));
    };
    let wanted = deployment.chain_id;
    ensure!(
        chain_id == wanted,
        "it serves chain {chain_id}, and the deployment is on {wanted}"
    );
    let genesis = provider.get_block_by_number(BlockNumberOrTag::Earliest).await.ok();
    let genesis = genesis.flatten().context("it does not tell the first block")?;
    ensure!(
        genesis.header.hash == deployment.genesis_hash,
        "another chain of the same number: its first block is {}",
        genesis.header.hash
    );
    for (name, address) in deployment.contracts() {
        let code = provider
            .get_code_at(address)
            .await
            .ok()
            .context("it does not tell a contract's code")?;
        ensure!(!code.is_empty(), "there is no contract {name} at {address}");
    }
    Ok(format!("chain {chain_id}, with the contracts"))
}

async fn index_answers(
    database: Result<Database>,
    args: &GatewayArgs,
    deployment: &Result<Deployment>,
) -> Result<String> {
    let database = database?;
    if !args.index_read_only {
        return answers(&database).await;
    }
    let index = Index::open(&database).await?;
    let mirrored = index.deployment().await;
    index.close().await;
    if let Ok(deployment) = deployment {
        ensure!(
            mirrored? == dev::indexed(deployment),
            "{database} mirrors another deployment"
        );
    }
    Ok(format!("{database}, read only"))
}

async fn answers(database: &Database) -> Result<String> {
    match database {
        Database::Sqlite(path) if !path.exists() => Ok(format!("{database} is not there yet: it will be made")),
        _ => {
            // The error of a driver may name the user, never the password.
            database.reach().await.with_context(|| format!("open {database}"))?;
            Ok(database.to_string())
        }
    }
}

async fn store_answers(place: &str) -> Result<String> {
    if let Some((_, rest)) = place.split_once("://") {
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host = authority.rsplit('@').next().unwrap_or_default();
        let host = if host.rsplit(']').next().unwrap_or_default().contains(':') {
            host.to_owned()
        } else {
            format!("{host}:{}", if place.starts_with("https") { 443 } else { 80 })
        };
        TcpStream::connect(&host)
            .await
            .with_context(|| format!("connect to {host}"))?;
        return Ok("takes connections".into());
    }
    match std::fs::read_dir(place) {
        Ok(_) => Ok("can be read".into()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok("is not there yet: it will be made".into()),
        Err(error) => Err(error.into()),
    }
}

/// A key in hex that nobody else can read.
fn key(path: &PathBuf) -> Result<String> {
    let shown = path.display();
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Ok(format!("{shown} is not there yet: it will be made"));
        }
        Err(error) => return Err(error).with_context(|| format!("read {shown}")),
    };
    let mode = metadata.permissions().mode() & 0o777;
    // 0400 is what a service manager hands out.
    ensure!(mode & 0o177 == 0, "{shown} has permissions {mode:04o}: 0600 at most");
    account(path).map(|account| format!("{shown}, account {account}, permissions {mode:04o}"))
}

fn account(path: &Path) -> Result<alloy::primitives::Address> {
    let text = Zeroizing::new(std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?);
    let key: PrivateKeySigner = (text.trim().parse().ok())
        .with_context(|| format!("{} does not hold a secp256k1 key in hex", path.display()))?;
    Ok(key.address())
}

fn free(address: SocketAddr) -> Result<String> {
    TcpListener::bind(address).with_context(|| format!("{address} cannot be listened on"))?;
    Ok(format!("{address} is free"))
}
