//! The ledgers, as those who use them meet them: claims from the provider to the insurer, and serials of drugs by their proofs.
//!
//! Claims are measured on the real contracts, with a gateway that indexes in a process of its own; provider and insurer are in this one, on
//! the same machine. A serial is verified by the ticket and what the chain says of its batch, with nothing else running.

use std::path::PathBuf;

use anyhow::ensure;
use clap::{Args, ValueEnum};
use serde_json::json;

use crate::{indexer::all_if_none, machine};

mod claims;
mod serials;

#[derive(Args)]
pub struct Options {
    /// What to measure; everything if nothing is named
    #[arg(value_enum)]
    what: Vec<What>,
    /// Rounds of each figure
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Claims that a round submits in each way
    #[arg(long, default_value_t = 48)]
    claims: usize,
    /// Serials of the batch
    #[arg(long, default_value_t = 1_000_000)]
    serials: u32,
    /// Tickets that a round verifies
    #[arg(long, default_value_t = 10_000)]
    tickets: u32,
    /// The built contracts
    #[arg(long, default_value = medlock_deploy::artifacts::DEFAULT_DIR)]
    artifacts: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    /// Sealed, kept, on chain, indexed, opened by the insurer
    Claims,
    /// Was this package made?
    Serials,
}

/// Measures and prints.
///
/// # Errors
/// The contracts or the program are not built, or something was not done that was asked for.
pub fn run(options: &Options) -> anyhow::Result<()> {
    ensure!(
        options.claims > 0 && options.serials > 0 && options.tickets > 0,
        "there is nothing to measure of none"
    );
    println!("{}", json!({ "machine": machine::describe() }));
    for what in all_if_none(&options.what) {
        eprintln!("measuring {what:?}");
        match what {
            What::Claims => claims::measure(options)?,
            What::Serials => serials::measure(options)?,
        }
    }
    Ok(())
}
