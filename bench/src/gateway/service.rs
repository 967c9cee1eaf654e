//! The programs that are measured, and sessions at them.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use alloy::{
    primitives::Address,
    signers::{SignerSync as _, local::PrivateKeySigner},
};
use anyhow::{Context, ensure};
use medlock_deployment::FILE_VERSION;
use serde_json::{Deserializer, Value, json};

use crate::{
    http::{Connection, post},
    machine,
};

/// A `medlock` that serves. Dropping it ends it.
pub struct Service {
    child: Child,
    /// What it said first: where it listens.
    pub told: Value,
}

impl Service {
    /// # Errors
    /// It is not built, or ended at once: what it says of that stands on our own standard error.
    pub fn start(args: &[&str]) -> anyhow::Result<Self> {
        let mut child = Command::new(program()?)
            .args(args)
            .arg("--json")
            .stdout(Stdio::piped())
            .spawn()
            .context("start medlock")?;
        let stdout = child.stdout.as_mut().context("its output")?;
        let told = Deserializer::from_reader(stdout).into_iter().next();
        let told = told.with_context(|| format!("medlock {args:?} ended"))?;
        Ok(Self { told: told?, child })
    }

    pub fn text(&self, field: &str) -> anyhow::Result<&str> {
        self.told[field]
            .as_str()
            .with_context(|| format!("no {field} in {}", self.told))
    }

    /// Where its gateway listens.
    pub fn gateway(&self) -> anyhow::Result<SocketAddr> {
        let url = self.text("gateway")?;
        url.trim_start_matches("http://")
            .parse()
            .with_context(|| url.to_owned())
    }

    /// Processor time that it has taken, in seconds.
    pub fn processor_s(&self) -> anyhow::Result<f64> {
        machine::processor_s(self.child.id())
    }

    pub fn peak_mib(&self) -> anyhow::Result<f64> {
        machine::peak_mib(self.child.id())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn program() -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe()?.with_file_name("medlock");
    ensure!(
        program.is_file(),
        "{} is missing: cargo build -p medlock",
        program.display()
    );
    Ok(program)
}

/// The file of a deployment at these addresses, in `dir`.
pub fn deployment_file(dir: &Path, deployment: &medlock_indexer::Deployment) -> anyhow::Result<PathBuf> {
    let path = dir.join("deployment.json");
    let medlock_indexer::Deployment {
        registry,
        records,
        exceptions,
        relay,
        audit,
        claims,
        supply,
        trials,
        start_block,
        chain_id,
        genesis_hash,
    } = deployment;
    let file = json!({
        "version": FILE_VERSION, "chain_id": chain_id, "genesis_hash": genesis_hash, "registry": registry, "records": records,
        "exceptions": exceptions, "relay": relay, "audit": audit, "claims": claims, "supply": supply, "trials": trials,
        "block": start_block,
    });
    std::fs::write(&path, file.to_string())?;
    Ok(path)
}

/// A gateway takes 25 requests a second without a session from one address, and a sign-in is two.
const SIGN_IN_PAUSE: Duration = Duration::from_millis(100);

/// Signs in: the header's value.
pub fn sign_in(gateway: SocketAddr, signer: &PrivateKeySigner) -> anyhow::Result<String> {
    thread::sleep(SIGN_IN_PAUSE);
    let mut connection = Connection::open(gateway)?;
    let mut ask = |path: &str, body: Value| -> anyhow::Result<Value> {
        let request = post(
            path,
            &[("content-type", "application/json")],
            body.to_string().as_bytes(),
        );
        Ok(serde_json::from_slice(connection.answer(&request)?)?)
    };
    let account: Address = signer.address();
    let challenge = ask("/v1/sessions/challenge", json!({ "account": account }))?;
    let message = challenge["message"].as_str().context("a challenge")?;
    let signature = signer.sign_message_sync(message.as_bytes())?;
    let session = ask(
        "/v1/sessions",
        json!({ "message": message, "signature": signature.to_string() }),
    )?;
    Ok(format!("Bearer {}", session["token"].as_str().context("a token")?))
}
