//! The gateway: questions beside a bare handler that answers with the same bytes, payloads beside the store that it keeps them in, FHIR
//! searches beside HAPI FHIR.
//!
//! What is measured is the program `medlock gateway`, in a process of its own; the load comes from this one, on the same machine.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::json;
use tokio::runtime::Runtime;

use crate::{
    anvil::node::Peer,
    indexer::{Databases, Kind, all_if_none},
    machine,
};

mod bare;
mod blocks;
mod decide;
mod fhir;
mod load;
mod service;
pub mod world;

const DECISIONS: &str = "/v1/decisions";

#[derive(Args)]
pub struct Options {
    /// What to measure; everything if nothing is named
    #[arg(value_enum)]
    what: Vec<What>,
    /// Rounds of each figure
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Where the index is, of which questions are asked; both if none is named
    #[arg(long, value_enum)]
    database: Vec<Kind>,
    /// Of the payload, in MiB
    #[arg(long, default_value_t = 1024)]
    size: usize,
    /// Where the set-up scripts put the tools
    #[arg(long, default_value = ".tools")]
    tools: PathBuf,
    /// The built contracts
    #[arg(long, default_value = medlock_deploy::artifacts::DEFAULT_DIR)]
    artifacts: PathBuf,
    /// Only answer everything with this file (for the handler that ours is compared with)
    #[arg(long, hide = true)]
    bare: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    /// May this party see this?
    Decide,
    /// Uploads and downloads
    Blocks,
    /// Searches for Consents
    Fhir,
}

struct Bench {
    runtime: Runtime,
    databases: Databases,
    rounds: usize,
    kinds: Vec<Kind>,
    size: usize,
    tools: PathBuf,
    artifacts: PathBuf,
}

/// Measures and prints.
///
/// # Errors
/// A tool is missing, or an answer is wrong.
pub fn run(options: &Options) -> anyhow::Result<()> {
    if let Some(body) = &options.bare {
        return bare::serve(body);
    }
    let bench = Bench {
        runtime: Runtime::new()?,
        databases: Databases::start()?,
        rounds: options.rounds,
        kinds: all_if_none(&options.database),
        size: options.size,
        tools: options.tools.clone(),
        artifacts: options.artifacts.clone(),
    };
    println!("{}", json!({ "machine": machine::describe() }));
    for what in all_if_none(&options.what) {
        eprintln!("measuring {what:?}");
        match what {
            What::Decide => bench.decide()?,
            What::Blocks => bench.blocks()?,
            What::Fhir => bench.fhir()?,
        }
    }
    Ok(())
}

impl Bench {
    fn foundry(&self) -> anyhow::Result<Peer> {
        Peer::foundry(&self.tools)
    }
}
