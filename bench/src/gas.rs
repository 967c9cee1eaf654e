//! What the contracts cost: the gas of whole transactions on our chain, beside a twin in Solidity and published systems.
//!
//! Gas is exact, so one run is enough, and a bound that is exceeded is a failure. The twin runs on the same chain, is given the
//! same calldata, and must leave the same events and the same words behind, or nothing is compared. Start reading at
//! [`day`]; what is held against what stands in [`report`].

use std::{fs, path::PathBuf, process::Command};

use anyhow::{Context, ensure};
use clap::Args;
use medlock_contract_tests::Contracts;
use medlock_deploy::{Artifacts, artifacts::Manifest};
use serde_json::json;

use day::Day;
use report::Report;
use solidity::Compiled;

mod day;
mod profile;
mod report;
mod solidity;
mod twin;

#[derive(Args)]
pub struct Options {
    /// Also say, operation by operation, where the gas goes
    #[arg(long)]
    profile: bool,
    /// Where the set-up scripts put the tools
    #[arg(long, default_value = ".tools")]
    tools: PathBuf,
    /// What `medlock-contracts build` wrote
    #[arg(long, default_value = medlock_deploy::artifacts::DEFAULT_DIR)]
    artifacts: PathBuf,
    /// Solidity sources: the twin, and a contract that asks
    #[arg(long, default_value = "bench/contracts")]
    solidity: PathBuf,
    /// What `medlock-contracts abi` wrote, which they import
    #[arg(long, default_value = "contracts/abi/generated")]
    interfaces: PathBuf,
    /// Where the result is written
    #[arg(long, default_value = "bench/results/gas.json")]
    out: PathBuf,
}

/// Measures, prints and writes.
///
/// # Errors
/// A tool or a built contract is missing, the twin does something else, or a bound is exceeded (after all is printed
/// and written).
pub fn run(options: &Options) -> anyhow::Result<()> {
    let artifacts = Artifacts::load(&options.artifacts).context("load the built contracts")?;
    let manifest = Manifest::load(&options.artifacts)?.context("the built contracts' manifest")?;
    let compiled = Compiled::of(&options.tools, &options.solidity, &twin::SOURCES, &options.interfaces)?;
    let consumer = compiled.code("Consumer")?;

    let mut contracts = Contracts::new(&artifacts, day::NOW, true)?;
    let operations = Day::begin(&mut contracts, consumer)?.run()?;
    let mut twin = twin::deploy(&compiled, day::NOW)?;
    let twins = Day::begin(&mut twin, consumer)?.run()?;
    twin::compare((&contracts, &operations), (&twin, &twins))?;

    if options.profile {
        for (ours, twins) in operations.iter().zip(&twins) {
            eprint!("{}: {} gas\n{}", ours.name, ours.gas, profile::profile(&ours.calls));
            eprint!("  twin: {} gas\n{}", twins.gas, profile::profile(&twins.calls));
        }
    }
    let report = Report::of(&operations, &twins);
    report.print()?;
    let setting = json!({
        "rustc": manifest.rustc,
        "binaryen": binaryen(options)?,
        "solc": format!("{}, {} optimizer runs, via IR", compiled.version, solidity::OPTIMIZER_RUNS),
        "chain": "medlock anvil, Nitro's metering, programs cached",
    });
    let folder = options.out.parent().context("a file's folder")?;
    fs::create_dir_all(folder).with_context(|| format!("create {}", folder.display()))?;
    let text = serde_json::to_string_pretty(&report.to_json(setting))?;
    fs::write(&options.out, text + "\n").with_context(|| format!("write {}", options.out.display()))?;
    let exceeded = report.exceeded();
    ensure!(exceeded.is_empty(), "exceeded: {}", exceeded.join("; "));
    Ok(())
}

fn binaryen(options: &Options) -> anyhow::Result<String> {
    let path = options.tools.join("node/node_modules/.bin/wasm-opt");
    let output = Command::new(&path)
        .arg("--version")
        .output()
        .with_context(|| format!("{}: run tools/setup-node.sh", path.display()))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
