//! Builds the contracts and exports their ABI; see `medlock-contracts --help`.
use std::{path::PathBuf, time::Instant};

use alloy::primitives::Address;
use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use medlock_deploy::{
    Artifact, Artifacts, Links, abi,
    artifacts::{CODE_BYTES_MAX, Entry, created},
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
    /// Put the addresses into the built contracts, for another tool to deploy in this order: registry, records, exceptions,
    /// relay, audit, claims, supply, trials
    Link {
        /// Who will deploy them
        #[arg(long)]
        deployer: Address,
        /// How many transactions the deployer will have sent before the first of them
        #[arg(long)]
        nonce: u64,
        /// The registry's first owner
        #[arg(long)]
        owner: Address,
        /// Where NAME.wasm and NAME.code go; it must not exist
        #[arg(long)]
        out: PathBuf,
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
        Command::Link {
            deployer,
            nonce,
            owner,
            out,
        } => {
            let artifacts = Artifacts::load(contracts.join("target/artifacts"))?;
            let links = Links::foresee(deployer, nonce, owner);
            std::fs::create_dir(&out).with_context(|| format!("create {}", out.display()))?;
            for (artifact, address) in artifacts.iter().zip(created(deployer, nonce)) {
                let Artifact { name, wasm, code } = artifact.link(&links)?;
                for (extension, bytes) in [("wasm", wasm), ("code", code)] {
                    let path = out.join(&name).with_extension(extension);
                    std::fs::write(&path, bytes).with_context(|| format!("write {}", path.display()))?;
                }
                println!("{name:<10} {address}");
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
