//! More than one machine, on one: two gateways and two indexers, each a process of its own, on one PostgreSQL database and two IPFS
//! nodes, behind the proxy of `deploy/compose` with its own configuration.
//!
//! The World around it has the chain and the deployment; its own gateway and index are not used.

use std::{
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
};

use medlock_client::{Identity, file};
use medlock_kubo_daemon::{Daemon, Repo};
use medlock_postgres_server::Server;
use tempfile::TempDir;

use crate::{World, eventually, root, service::Service};

pub struct Cluster {
    /// What clients call.
    url: String,
    pub gateways: [Option<Service>; 2],
    pub indexers: [Option<Service>; 2],
    /// Pays for what is relayed.
    pub payer: Identity,
    _proxy: Proxy,
    _nodes: [Daemon; 2],
    _dir: TempDir,
}

struct Proxy(Child);

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Cluster {
    /// Starts everything, and has the World's clients call it.
    pub async fn start(world: &mut World) -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let database = Server::shared().create();
        let nodes = [(); 2].map(|()| Repo::init().start(&["--offline"]));
        let indexers = [(); 2].map(|()| Service::index(world, &database, &["--poll-ms", "20"]));
        for indexer in &indexers {
            indexer.ready().await;
        }
        let url = format!("http://127.0.0.1:{}", free_port());
        // As in `deploy/compose`: one account signs, one pays, and both gateways have the keys.
        let payer = Identity::generate().expect("an identity");
        world.fund(payer.address()).await;
        let signs = Identity::generate().expect("an identity");
        let gateways = [0, 1].map(|number: usize| {
            let folder = dir.path().join(format!("gateway-{number}"));
            write_key(&folder.join("gateway.key"), &signs);
            write_key(&folder.join("relay.key"), &payer);
            let (near, far) = (&nodes[number].url, &nodes[1 - number].url);
            let relay_key = folder.join("relay.key");
            let mut command = crate::service::medlock(world, &database, &["gateway", "--index-read-only"]);
            command
                .args([
                    "--listen",
                    "127.0.0.1:0",
                    "--public-url",
                    &url,
                    "--trusted-proxies",
                    "127.0.0.1",
                ])
                .args(["--store", near, "--store", far, "--upkeep-hours", "0"])
                .arg("--dir")
                .arg(&folder)
                .arg("--relay-key")
                .arg(relay_key)
                .env("MEDLOCK_STATE", &database);
            Service::of(command)
        });
        let backends = gateways.each_ref().map(|gateway| {
            let url = gateway.said["gateway"].as_str().expect("its URL");
            url.trim_start_matches("http://").to_owned()
        });
        let proxy = proxy(dir.path(), &url, &backends);
        let cluster = Self {
            url,
            gateways: gateways.map(Some),
            indexers: indexers.map(Some),
            payer,
            _proxy: proxy,
            _nodes: nodes,
            _dir: dir,
        };
        let ready = format!("{}/ready", cluster.url);
        eventually("the proxy passes on", || async {
            let answer = reqwest::get(&ready).await.ok()?;
            answer.status().is_success().then_some(())
        })
        .await;
        world.dev.endpoints.gateway = cluster.url.clone();
        cluster
    }

    /// Kills one gateway, and the indexer that writes.
    pub async fn kill_one_of_each(&mut self) {
        self.gateways[0] = None;
        let mut writer = None;
        for (number, indexer) in self.indexers.iter().enumerate() {
            let Some(indexer) = indexer else { continue };
            if !indexer.get("/readyz").await.1.contains("standby") {
                writer = Some(number);
            }
        }
        self.indexers[writer.expect("one of them writes")] = None;
    }
}

fn write_key(path: &Path, identity: &Identity) {
    let key = alloy::hex::encode(identity.key().unwrap().to_bytes());
    file::create(path, key.as_bytes()).expect("write the key");
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}

/// Caddy, with the operators' own file: but every request goes to the other gateway than the one before, and there is no TLS.
fn proxy(dir: &Path, url: &str, backends: &[String; 2]) -> Proxy {
    let path = root().join("deploy/compose/Caddyfile");
    let mut text = std::fs::read_to_string(path).expect("the Caddyfile");
    for (name, instead) in [
        ("gateway-a:8480", backends[0].as_str()),
        ("gateway-b:8480", &backends[1]),
        ("least_conn", "round_robin"),
        ("{$MEDLOCK_HOST}", url),
    ] {
        assert!(text.contains(name), "{name}: {text}");
        text = text.replace(name, instead);
    }
    let path = dir.join("Caddyfile");
    std::fs::write(&path, format!("{{\n\tadmin off\n}}\n{text}")).expect("write it");
    let child = Command::new("caddy")
        .args(["run", "--adapter", "caddyfile", "--config"])
        .arg(&path)
        .env("HOME", dir)
        .env("XDG_DATA_HOME", dir)
        .env("XDG_CONFIG_HOME", dir)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    Proxy(child.expect("caddy, which tools/setup-caddy.sh installs"))
}
