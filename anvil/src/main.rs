//! `medlock-anvil`: the local chain as a program.

use std::fs::File;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use alloy::primitives::Bytes;
use anyhow::Context;
use clap::{Parser, Subcommand};
use medlock_anvil::arbos::Version;
use medlock_anvil::{CHAIN_ID, Config, Handle, SAFE_DEPTH_BLOCKS, STATE_HISTORY_BLOCKS, spawn};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// A local chain that runs Stylus programs and EVM contracts side by side. For development only:
/// its keys are public.
#[derive(Parser)]
#[command(name = "medlock-anvil", version, args_conflicts_with_subcommands = true)]
struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    chain: ChainArgs,
}

#[derive(Subcommand)]
enum Command {
    /// Activate a program and call it, outside any chain; prints JSON.
    Exec {
        /// A .wasm or .wat file.
        program: PathBuf,
        /// Calldata of one call each, 0x-prefixed.
        calldata: Vec<Bytes>,
        /// Add every host call with the ink before and after it.
        #[arg(long)]
        trace: bool,
    },
}

#[derive(clap::Args)]
struct ChainArgs {
    /// Address to listen on. Anything but loopback exposes accounts whose keys everybody knows.
    #[arg(long, env = "ANVIL_HOST", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,
    /// Port to listen on; 0 takes a free one.
    #[arg(long, short, env = "ANVIL_PORT", default_value_t = 8545)]
    port: u16,
    /// Keep the chain in this folder. Without it the chain is gone when the program ends.
    #[arg(long, env = "ANVIL_STATE_DIR")]
    state_dir: Option<PathBuf>,
    /// EIP-155 chain id.
    #[arg(long, default_value_t = CHAIN_ID)]
    chain_id: u64,
    /// Do not mine transactions as they arrive; wait for evm_mine.
    #[arg(long, conflicts_with = "block_time")]
    no_mining: bool,
    /// Mine a block every so many seconds (fractions allowed) instead of one for each transaction.
    #[arg(long, short, value_name = "SECONDS", value_parser = seconds)]
    block_time: Option<Duration>,
    /// With --block-time: mine transactions as they arrive as well.
    #[arg(long, requires = "block_time")]
    mixed_mining: bool,
    /// Begin with the state in this file (--dump-state, anvil_dumpState).
    #[arg(long, value_name = "FILE", conflicts_with = "state_dir")]
    load_state: Option<PathBuf>,
    /// Write the state to this file at the end.
    #[arg(long, value_name = "FILE")]
    dump_state: Option<PathBuf>,
    /// Blocks whose states are kept for calls and reorgs.
    #[arg(long, default_value_t = STATE_HISTORY_BLOCKS)]
    state_history: u64,
    /// Version of ArbOS.
    #[arg(long, value_enum, default_value_t)]
    arbos: Version,
    /// Nitro's brotli dictionary (arbcompress' stylus-program-11.lz), for programs that are compressed with it.
    #[arg(long, value_name = "FILE")]
    stylus_dictionary: Option<PathBuf>,
    /// Give calldata its floor price (EIP-7623), as on a chain whose owner turned that on.
    #[arg(long)]
    calldata_floor: bool,
    /// Print neither accounts nor address.
    #[arg(long, short)]
    quiet: bool,
}

/// How long the end waits for requests that are still executing. The journal holds at any moment, so they may be cut off.
const EXIT_WAIT: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info")))
        .init();
    let args = Args::parse();
    let outcome = match args.command {
        Some(Command::Exec {
            program,
            calldata,
            trace,
        }) => exec(program, calldata, trace),
        None => serve(args.chain),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("medlock-anvil: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the chain until it is told to end. Dropping a runtime would wait for everything that still executes.
fn serve(args: ChainArgs) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Runtime::new().context("start the threads")?;
    let outcome = runtime.block_on(run(args));
    runtime.shutdown_timeout(EXIT_WAIT);
    outcome
}

async fn run(args: ChainArgs) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("listen for SIGTERM")?;
    let handle = spawn(Config {
        listen: SocketAddr::new(args.host, args.port),
        state_dir: args.state_dir,
        chain_id: args.chain_id,
        automine: !args.no_mining && (args.block_time.is_none() || args.mixed_mining),
        block_time: args.block_time,
        load_state: args.load_state,
        safe_depth: SAFE_DEPTH_BLOCKS,
        finalized_depth: 2 * SAFE_DEPTH_BLOCKS,
        state_history: args.state_history,
        arbos: args.arbos,
        stylus_dictionary: args.stylus_dictionary,
        calldata_floor: args.calldata_floor,
        genesis_seed: None,
        genesis_time: None,
    })
    .await?;
    if !args.quiet {
        print_banner(&handle, args.chain_id);
    }
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted.context("listen for Ctrl-C")?,
        _ = terminate.recv() => {}
    }
    let dumped = match &args.dump_state {
        Some(file) => handle.dump_state().and_then(|dump| write_whole(file, &dump)),
        None => Ok(()),
    };
    handle.shutdown().await;
    dumped
}

/// All of the file or, if the machine stops meanwhile, the file that was there before.
fn write_whole(file: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let mut part = file.as_os_str().to_owned();
    part.push(".part");
    let write = || -> std::io::Result<()> {
        let mut part_file = File::create(&part)?;
        part_file.write_all(bytes)?;
        part_file.sync_all()?;
        std::fs::rename(&part, file)
    };
    write().with_context(|| format!("write {}", file.display()))
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|error| format!("{error}"))?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

fn exec(program: PathBuf, calldata: Vec<Bytes>, trace: bool) -> anyhow::Result<()> {
    let report = medlock_anvil::exec::exec(&program, &calldata, trace)?;
    println!("{}", serde_json::to_string(&report).context("print the report")?);
    Ok(())
}

fn print_banner(handle: &Handle, chain_id: u64) {
    println!("medlock-anvil {}\n", env!("CARGO_PKG_VERSION"));
    println!("Accounts, each with 10,000 ETH. Their keys are public: nothing of value belongs here.\n");
    for account in handle.accounts() {
        println!("{:>6}  {}  {}", account.name, account.address, account.key);
    }
    println!("\nChain id {chain_id}");
    println!("Listening on {} and {}", handle.url(), handle.ws_url());
}
