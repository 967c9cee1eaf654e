//! The `medlock` program as a library: the command line, `medlock dev` in one process, and the demo.
//!
//! Start at [`run`]. [`dev::spawn`] is what the end-to-end tests start too. Nothing here decides or decrypts:
//! that is `medlock-client`'s work.

pub mod args;
mod claim;
pub mod commands;
pub mod config;
mod config_check;
pub mod demo;
mod deploy;
pub mod dev;
mod emergency;
mod exchange;
mod index;
pub mod output;
mod services;
pub mod settings;
pub mod stores;
mod supply;
mod trial;
mod verify;

use std::process::ExitCode;

use args::{Cli, Command, DevCommand};
use clap::CommandFactory;
use output::Output;

/// Runs one command line to its end.
pub async fn run(cli: Cli) -> ExitCode {
    let out = Output { json: cli.global.json };
    match dispatch(cli, out).await {
        Ok(code) => code,
        Err(error) => out.fail(&error),
    }
}

async fn dispatch(cli: Cli, out: Output) -> anyhow::Result<ExitCode> {
    let global = &cli.global;
    match cli.command {
        Command::Dev(dev) => match dev.command {
            Some(DevCommand::Fund { account, ether }) => commands::fund(global, out, account, ether).await,
            None => services::dev(global, out, &dev).await,
        },
        Command::Demo(demo) => services::demo(out, demo).await,
        Command::Keys(command) => commands::keys(global, out, command).await,
        Command::Party(command) => commands::party(global, out, command).await,
        Command::Member(command) => commands::member(global, out, command).await,
        Command::Chart(command) => commands::chart(global, out, command).await,
        Command::Record(command) => commands::record(global, out, command).await,
        Command::Grant(command) => commands::grant(global, out, command).await,
        Command::Claim(command) => claim::claim(global, out, command).await,
        Command::Insurer(command) => claim::insurer(global, out, command).await,
        Command::Supply(command) => supply::supply(global, out, command).await,
        Command::Trial(command) => trial::trial(global, out, command).await,
        Command::Emergency(command) => emergency::emergency(global, out, command).await,
        Command::Custodian(args) => services::custodian(global, out, args).await,
        Command::Check(args) => commands::check(global, out, args).await,
        Command::Verify(args) => verify::verify(global, out, args).await,
        Command::Relay(command) => commands::relay(global, out, command).await,
        Command::Log { chart } => commands::log(global, out, chart).await,
        Command::Index(args) => index::index(global, out, &args).await,
        Command::Gateway(args) => services::gateway(global, out, *args).await,
        Command::Deploy(command) => deploy::run(global, out, command).await,
        Command::Store(command) => commands::store(out, &command),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "medlock", &mut std::io::stdout());
            Ok(ExitCode::SUCCESS)
        }
    }
}
