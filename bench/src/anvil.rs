//! The local chain beside Foundry's anvil, each in a process of its own, on the same transactions.
//!
//! Both get the same signed bytes, and a figure counts only after the chain has shown that it did the work: nonces,
//! balances and logs are read back. Rounds alternate between the two chains and change who goes first.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, ValueEnum};
use serde_json::json;

use crate::machine;
use contracts::Contracts;
use node::{Node, Peer};

mod calls;
mod contracts;
mod logs;
mod memory;
pub mod node;
mod programs;
mod start;
pub mod transactions;
mod transfers;

/// The peer's name.
const FOUNDRY: &str = "foundry-anvil";

#[derive(Args)]
pub struct Options {
    /// What to measure; everything if nothing is named
    #[arg(value_enum)]
    what: Vec<What>,
    /// Rounds of each figure; memory is measured once
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Where the set-up scripts put the tools
    #[arg(long, default_value = ".tools")]
    tools: PathBuf,
    /// What `medlock-contracts build` wrote
    #[arg(long, default_value = medlock_deploy::artifacts::DEFAULT_DIR)]
    artifacts: PathBuf,
    /// Solidity that the chains run
    #[arg(long, default_value = "bench/contracts/Bench.sol")]
    solidity: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    /// From the start of the process to the first answer
    Start,
    /// Transfers of ether and of a token, each mined as it arrives
    Automine,
    /// The same, mined by hand, many in a block
    Batches,
    /// eth_getLogs over 100,000 logs
    Logs,
    /// eth_call of a Stylus program and of a token
    Calls,
    /// Stylus transactions without a network
    Programs,
    /// Memory for 100,000 blocks and 1,000,000 logs
    Memory,
}

/// The two programs.
pub struct Pair {
    medlock: Peer,
    foundry: Peer,
}

/// Measures and prints.
///
/// # Errors
/// A tool is missing, or a chain did not do what was asked of it.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let pair = Pair {
        medlock: Peer::medlock()?,
        foundry: Peer::foundry(&options.tools)?,
    };
    let setting = json!({
        "machine": machine::describe(),
        "medlock": pair.medlock.version()?,
        "foundry": pair.foundry.version()?,
    });
    println!("{setting}");
    let contracts = Contracts::compile(&options.tools, &options.solidity)?;
    let artifacts = || load(&options.artifacts);
    let all: Vec<What> = What::value_variants().to_vec();
    for what in if options.what.is_empty() { &all } else { &options.what } {
        eprintln!("measuring {what:?}");
        match what {
            What::Start => start::measure(&pair, options.rounds)?,
            What::Automine => transfers::automine(&pair, options.rounds, &contracts)?,
            What::Batches => transfers::batches(&pair, options.rounds, &contracts)?,
            What::Logs => logs::measure(&pair, options.rounds, &contracts)?,
            What::Calls => calls::measure(&pair, options.rounds, &contracts, &artifacts()?)?,
            What::Programs => programs::measure(options.rounds, &artifacts()?)?,
            What::Memory => memory::measure(&pair, &contracts)?,
        }
    }
    Ok(())
}

fn load(artifacts: &Path) -> anyhow::Result<medlock_deploy::Artifacts> {
    medlock_deploy::Artifacts::load(artifacts).context("load the built contracts")
}

impl Pair {
    /// Runs `work` against a fresh chain of each kind, in turns, `rounds` times; the first to go alternates.
    fn rounds(
        &self,
        rounds: usize,
        automine: bool,
        mut work: impl FnMut(&Node) -> anyhow::Result<f64>,
    ) -> anyhow::Result<(Vec<f64>, Vec<f64>)> {
        let (mut medlock, mut foundry) = (Vec::new(), Vec::new());
        for round in 0..rounds {
            let ours_first = round % 2 == 0;
            for ours in [ours_first, !ours_first] {
                let (peer, values) = if ours {
                    (&self.medlock, &mut medlock)
                } else {
                    (&self.foundry, &mut foundry)
                };
                let node = peer.start(automine)?;
                values.push(work(&node).with_context(|| format!("{}, round {round}", peer.name()))?);
            }
        }
        Ok((medlock, foundry))
    }
}
