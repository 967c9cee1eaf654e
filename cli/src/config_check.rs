//! `medlock gateway config check`: the settings as they stand, and what becomes of what they name. It changes nothing, so that it may be
//! run beside a gateway that serves.

use std::{
    net::{IpAddr, SocketAddr},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::ExitCode,
    time::Duration,
};

use alloy::{primitives::Address, providers::ProviderBuilder};
use anyhow::{Context, anyhow};
use medlock_deploy::Deployment;
use medlock_gateway::FoundState;
use medlock_indexer::{Index, IndexError, Probed, label};
use medlock_store::{Kubo, KuboOptions};
use serde::Serialize;
use serde_json::json;

use crate::{
    args::{GatewayArgs, Global},
    config::{Home, over_http},
    dev,
    output::{Output, exit, table},
    services::Places,
    settings::{Setting, Source},
    stores::is_node,
};

/// How long a node, a database or a store may take to answer.
const WITHIN: Duration = Duration::from_secs(5);

/// What came of trying something that the settings name.
#[derive(Debug, Serialize)]
struct Finding {
    what: String,
    outcome: Outcome,
    says: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Outcome {
    Good,
    /// It works, and is seldom meant.
    Doubtful,
    /// It may be there later: nothing has to be changed for it.
    Unreached,
    Wrong,
}

impl Outcome {
    fn text(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Doubtful => "doubtful",
            Self::Unreached => "not reached",
            Self::Wrong => "WRONG",
        }
    }
}

#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, what: impl Into<String>, outcome: Outcome, says: impl Into<String>) {
        self.0.push(Finding {
            what: what.into(),
            outcome,
            says: says.into(),
        });
    }

    /// What `tried` says, or why it is `otherwise`.
    fn tried(&mut self, what: impl Into<String>, tried: anyhow::Result<String>, otherwise: Outcome) {
        match tried {
            Ok(says) => self.add(what, Outcome::Good, says),
            Err(error) => self.add(what, otherwise, format!("{error:#}")),
        }
    }

    fn any(&self, outcome: Outcome) -> bool {
        self.0.iter().any(|finding| finding.outcome == outcome)
    }
}

pub async fn check(global: &Global, out: Output, args: &GatewayArgs) -> anyhow::Result<ExitCode> {
    let mut findings = Findings::default();
    if let Some(path) = &args.config {
        file_is_ours(&mut findings, path, args);
    }
    addresses(&mut findings, args);
    let deployment = global.deployment();
    let says = |deployment: &Deployment| format!("chain {}, records {}", deployment.chain_id, deployment.records);
    let found = deployment.as_ref().map(says).map_err(|error| anyhow!("{error:#}"));
    findings.tried("deployment file", found, Outcome::Wrong);
    let deployment = deployment.ok();
    nodes(&mut findings, global, args, deployment.as_ref()).await;
    match args.places() {
        Ok(places) => {
            if let Some(deployment) = &deployment {
                databases(&mut findings, args, &places, deployment).await;
            }
            stores(&mut findings, args, &places.home).await;
            keys(&mut findings, args, &places.home);
        }
        Err(error) => findings.add("databases", Outcome::Wrong, format!("{error:#}")),
    }

    let (settings, code) = (&args.settings, code(&findings));
    out.say(json!({ "settings": settings, "findings": findings.0 }), || {
        let rows: Vec<_> = settings
            .iter()
            .map(|setting| {
                let value = setting.value.clone().unwrap_or_else(|| "-".into());
                vec![setting.name.clone(), value, setting.from.text().to_owned()]
            })
            .collect();
        let found = findings.0.iter();
        let found: Vec<_> = found
            .map(|finding| {
                vec![
                    finding.what.clone(),
                    finding.outcome.text().to_owned(),
                    finding.says.clone(),
                ]
            })
            .collect();
        let (settings, found) = (
            table(&["setting", "value", "from"], &rows),
            table(&["what", "", "says"], &found),
        );
        format!("{settings}\n\n{found}")
    })?;
    Ok(code)
}

fn code(findings: &Findings) -> ExitCode {
    if findings.any(Outcome::Wrong) {
        ExitCode::from(exit::USAGE)
    } else if findings.any(Outcome::Unreached) {
        ExitCode::from(exit::UNREACHABLE)
    } else {
        ExitCode::SUCCESS
    }
}

fn file_is_ours(findings: &mut Findings, path: &Path, args: &GatewayArgs) {
    let holds_secrets = |setting: &Setting| setting.from == Source::File && setting.is_cut();
    let says = match others_may_read(path) {
        Ok(true) if args.settings.iter().any(holds_secrets) => {
            Err(anyhow!("it may hold a password, and others may read it: chmod 600"))
        }
        read => read.map(|_| "read".to_owned()),
    };
    findings.tried("settings file", says, Outcome::Wrong);
}

fn others_may_read(path: &Path) -> anyhow::Result<bool> {
    let metadata = std::fs::metadata(path).with_context(|| format!("read {}", path.display()))?;
    Ok(metadata.permissions().mode() & 0o077 != 0)
}

fn addresses(findings: &mut Findings, args: &GatewayArgs) {
    let is_local = |ip: IpAddr| ip.is_loopback();
    match &args.public_url {
        None if args.listen.ip().is_unspecified() => findings.add(
            "public URL",
            Outcome::Wrong,
            format!("sign-in messages would name {}: say --public-url", args.listen),
        ),
        None if !is_local(args.listen.ip()) => findings.add(
            "public URL",
            Outcome::Doubtful,
            format!("http://{}: without TLS, on a network", args.listen),
        ),
        None => findings.add("public URL", Outcome::Good, format!("http://{}", args.listen)),
        Some(url) if !medlock_gateway::is_public_url(url) => findings.add(
            "public URL",
            Outcome::Wrong,
            "it is to be http(s)://host[:port], without a path",
        ),
        Some(url) => {
            let is_plain = url.strip_prefix("http://").is_some_and(|authority| !is_here(authority));
            match is_plain {
                true => findings.add(
                    "public URL",
                    Outcome::Doubtful,
                    "without TLS, whoever is in between reads along",
                ),
                false => findings.add("public URL", Outcome::Good, url),
            }
        }
    }
    match &args.app_rpc {
        None => findings.add(
            "web application",
            Outcome::Good,
            "not served: --app-rpc would say how browsers reach the chain",
        ),
        Some(url) if !medlock_gateway::is_app_rpc(url) => findings.add(
            "web application",
            Outcome::Wrong,
            "--app-rpc is to be http(s)://host[:port][/path], as browsers reach the chain",
        ),
        Some(url) if url.starts_with("http://") && !is_here(&url["http://".len()..]) => findings.add(
            "web application",
            Outcome::Doubtful,
            "without TLS, whoever is in between tells browsers what the chain says",
        ),
        Some(_) => findings.add("web application", Outcome::Good, "served at /"),
    }
    if let Some(metrics) = args.metrics.filter(|metrics| !is_local(metrics.ip())) {
        let says = format!("{metrics}: whoever reaches it reads them; it belongs in a network of your own");
        findings.add("metrics", Outcome::Doubtful, says);
    }
}

/// Whether a URL's host, with or without a port, is this machine itself.
fn is_here(authority: &str) -> bool {
    let authority = authority.trim_end_matches('/');
    let address = authority.parse().or_else(|_| format!("{authority}:0").parse());
    let host = authority.split(':').next();
    host == Some("localhost") || address.is_ok_and(|address: SocketAddr| address.ip().is_loopback())
}

async fn nodes(findings: &mut Findings, global: &Global, args: &GatewayArgs, deployment: Option<&Deployment>) {
    let nodes = match global.nodes() {
        Ok(nodes) => nodes,
        Err(error) => return findings.add("nodes", Outcome::Wrong, format!("{error:#}")),
    };
    if !(1..=nodes.len()).contains(&args.follow.rpc_quorum) {
        let says = format!("{} of {} nodes can never agree", args.follow.rpc_quorum, nodes.len());
        findings.add("--rpc-quorum", Outcome::Wrong, says);
    }
    let asked = over_http(&nodes);
    if let Err(error) = &asked {
        findings.add("nodes", Outcome::Wrong, error.to_string());
    }
    let Some(deployment) = deployment else {
        return;
    };
    let mut reached = true;
    for node in &nodes {
        let (outcome, says) = match medlock_indexer::probe(node, dev::indexed(deployment), WITHIN).await {
            Probed::At(block) => (Outcome::Good, format!("at block {}", block.number)),
            Probed::Elsewhere(why) => (Outcome::Wrong, why),
            Probed::Unreached(why) => (Outcome::Unreached, why),
        };
        reached &= outcome == Outcome::Good;
        findings.add(format!("node {}", label(node)), outcome, says);
    }
    if !reached {
        return;
    }
    if let Some(url) = asked.ok().and_then(|url| url.parse().ok()) {
        let provider = ProviderBuilder::new().connect_http(url);
        let checked = deployment.check(&provider).await;
        let says = checked.map(|()| "those that the deployment file names".to_owned());
        findings.tried("contracts", says.map_err(Into::into), Outcome::Wrong);
    }
}

async fn databases(findings: &mut Findings, args: &GatewayArgs, places: &Places, deployment: &Deployment) {
    let deployment = dev::indexed(deployment);
    let what = format!("index in {}", places.database);
    match Index::open(&places.database).await {
        Ok(index) => {
            let found = async {
                let (mirrored, head) = (index.deployment().await?, index.head().await?);
                anyhow::ensure!(mirrored == deployment, "it mirrors another deployment");
                Ok(format!("at block {}", head.number))
            };
            let found = found.await;
            index.close().await;
            findings.tried(what, found, Outcome::Wrong);
        }
        Err(IndexError::Absent(_)) if args.index_read_only => {
            findings.add(what, Outcome::Unreached, "there is none yet: `medlock index` makes it");
        }
        Err(IndexError::Absent(_)) => findings.add(what, Outcome::Good, "will be made"),
        Err(error @ IndexError::OtherBuild(_)) => findings.add(what, Outcome::Wrong, error.to_string()),
        Err(error) => findings.add(what, Outcome::Unreached, error.to_string()),
    }
    let what = format!("state in {}", places.state);
    let (outcome, says) = match medlock_gateway::look_at_state(&places.state, deployment).await {
        Ok(FoundState::Ours) => (Outcome::Good, "this deployment's".to_owned()),
        Ok(FoundState::Nothing) => (Outcome::Good, "will be made".to_owned()),
        Ok(FoundState::Others(why)) => (Outcome::Wrong, why),
        Err(error) => (Outcome::Unreached, error.to_string()),
    };
    findings.add(what, outcome, says);
}

async fn stores(findings: &mut Findings, args: &GatewayArgs, home: &Home) {
    let stores = args.store.stores();
    let places = match stores.places.as_slice() {
        [] => vec![home.blocks().display().to_string()],
        places => places.to_vec(),
    };
    let quorum = stores.quorum_of(places.len());
    if !(1..=places.len()).contains(&quorum) {
        let says = format!("{quorum} of {} stores", places.len());
        findings.add("--store-quorum", Outcome::Wrong, says);
    }
    for place in places {
        let what = format!("store {place}");
        if !is_node(&place) {
            let found = match Path::new(&place) {
                folder if folder.is_dir() => Ok("there".to_owned()),
                other if other.exists() => Err(anyhow!("not a folder")),
                _ => Ok("will be made".to_owned()),
            };
            findings.tried(what, found, Outcome::Wrong);
            continue;
        }
        match Kubo::new(&place, KuboOptions::default()) {
            Err(error) => findings.add("store", Outcome::Wrong, error.to_string()),
            Ok(node) => {
                // Of no bytes at all: whether it has that does not matter.
                let (cid, _) = medlock_dag::file(b"");
                let asked = tokio::time::timeout(WITHIN, node.has(&cid)).await;
                let asked = asked.context("it does not answer").and_then(|has| Ok(has?));
                findings.tried(what, asked.map(|_| "answers".to_owned()), Outcome::Unreached);
            }
        }
    }
}

fn keys(findings: &mut Findings, args: &GatewayArgs, home: &Home) {
    let own = key(findings, "gateway's key", &home.gateway_key());
    if let Some(path) = &args.relay.relay_key {
        let payer = key(findings, "relay's key", path);
        if own.is_some() && own == payer {
            let says = "the same account as the gateway's: each has its own nonces";
            findings.add("relay's key", Outcome::Wrong, says);
        }
    }
}

fn key(findings: &mut Findings, what: &str, path: &Path) -> Option<Address> {
    match dev::service_key(path) {
        Ok(None) => {
            findings.add(what, Outcome::Good, format!("will be made: {}", path.display()));
            None
        }
        Ok(Some(key)) if others_may_read(path).unwrap_or(true) => {
            findings.add(
                what,
                Outcome::Wrong,
                format!("others may read {}: chmod 600", path.display()),
            );
            Some(key.address())
        }
        Ok(Some(key)) => {
            findings.add(what, Outcome::Good, key.address().to_string());
            Some(key.address())
        }
        Err(error) => {
            findings.add(what, Outcome::Wrong, format!("{error:#}"));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_here;

    #[test]
    fn here_is_loopback_and_nothing_that_looks_like_it() {
        for here in [
            "localhost",
            "localhost:8480",
            "127.0.0.1:8480/",
            "127.9.9.9",
            "[::1]",
            "[::1]:8480",
        ] {
            assert!(is_here(here), "{here}");
        }
        for elsewhere in [
            "127.evil.example",
            "10.0.0.1:8480",
            "[2001:db8::1]",
            "localhost.example",
            "records.example",
        ] {
            assert!(!is_here(elsewhere), "{elsewhere}");
        }
    }
}
