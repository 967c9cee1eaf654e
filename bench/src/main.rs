//! Measures Medlock's parts against their peers, in one run, and prints each figure as one line of JSON.
//!
//! It must never judge by a single round, and never compare numbers of two runs: other work on the machine moves
//! both sides of a round, and hardly their ratio (bytes and gas are exact, and the same in every run). Start reading at
//! [`anvil`].

use clap::{Parser, Subcommand};

mod anvil;
mod figure;
mod gas;
mod gateway;
mod http;
mod indexer;
mod ledgers;
mod machine;
mod noise;
mod signatures;
mod store;
mod vault;

#[derive(Parser)]
#[command(name = "medlock-bench", version, about = "Measures Medlock against its peers")]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// The local chain beside Foundry's anvil
    Anvil(anvil::Options),
    /// What the contracts cost, beside a twin in Solidity
    Gas(gas::Options),
    /// The gateway beside a bare handler, its own store, and HAPI FHIR
    Gateway(gateway::Options),
    /// The indexer beside a bare loop, into SQLite and PostgreSQL
    Indexer(indexer::Options),
    /// Claims from the provider to the insurer, and serials by their proofs
    Ledgers(ledgers::Options),
    /// Ways for a contract to verify signatures, in bytes and gas
    Signatures(signatures::Options),
    /// The embedded store beside a Kubo node
    Store(store::Options),
    /// Sealing and opening payloads, beside the cipher that they are made of
    Vault(vault::Options),
}

/// As Cargo names the optimisation of this build (see build.rs).
const OPT_LEVEL: &str = env!("MEDLOCK_OPT_LEVEL");

fn main() -> anyhow::Result<()> {
    let command = Args::parse().command;
    let exact = matches!(command, Command::Gas(_) | Command::Signatures(_));
    anyhow::ensure!(
        exact || OPT_LEVEL != "0",
        "this build is not optimised, so its times would say nothing; `make bench-build`, then again"
    );
    match command {
        Command::Anvil(options) => anvil::run(&options),
        Command::Gas(options) => gas::run(&options),
        Command::Gateway(options) => gateway::run(&options),
        Command::Indexer(options) => indexer::run(&options),
        Command::Ledgers(options) => ledgers::run(&options),
        Command::Signatures(options) => signatures::run(&options),
        Command::Store(options) => store::run(&options),
        Command::Vault(options) => vault::run(&options),
    }
}
