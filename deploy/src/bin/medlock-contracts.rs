//! Builds the contracts and exports their ABI; see `medlock-contracts --help`.
use std::{path::PathBuf, time::Instant};

use anyhow::Result;
use clap::{Parser, Subcommand};
use medlock_deploy::{
    abi,
    artifacts::{CODE_BYTES_MAX, Entry},
    recipe::Recipe,
};

#[derive(Parser)]
#[command(version, about = "Builds Medlock's contracts and exports their ABI")]
struct Cli {
    /// The contracts workspace
    #[arg(long, global = true, default_value = "contracts")]
    contracts: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Compile, optimise, compress and measure; does nothing where nothing has changed
    Build {
        /// Where the set-up scripts put the tools
        #[arg(long, default_value = ".tools")]
        tools: PathBuf,
        /// Where the artifacts go [default: target/artifacts in the contracts workspace]
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Write the ABI as JSON, Solidity and TypeScript
    Abi {
        /// Only compare, and fail where the committed files differ
        #[arg(long)]
        check: bool,
    },
}

fn main() -> Result<()> {
    let Cli { contracts, command } = Cli::parse();
    match command {
        Command::Build { tools, out } => {
            let out = out.unwrap_or_else(|| contracts.join("target/artifacts"));
            // The compiler runs inside the workspace, so that relative paths would change their meaning.
            let recipe = Recipe {
                contracts: std::path::absolute(contracts)?,
                tools: std::path::absolute(tools)?,
                out,
            };
            let start = Instant::now();
            let outcome = recipe.build()?;
            for entry in &outcome.manifest.contracts {
                println!("{}", line(entry));
            }
            if outcome.built {
                println!("built in {:.1} s", start.elapsed().as_secs_f32());
            } else {
                println!("unchanged");
            }
            Ok(())
        }
        Command::Abi { check: true } => abi::check(&contracts),
        Command::Abi { check: false } => abi::write(&contracts),
    }
}

fn line(entry: &Entry) -> String {
    format!(
        "{:<10} {:>6} B WASM  {:>6} B on chain ({} % of {CODE_BYTES_MAX})  sha256 {}",
        entry.name,
        entry.wasm_bytes,
        entry.code_bytes,
        entry.code_bytes * 100 / CODE_BYTES_MAX,
        entry.code_sha256,
    )
}
