//! A local chain for development: EVM and Stylus programs side by side, Ethereum JSON-RPC over HTTP and WebSocket,
//! one process.
//!
//! It must never be used for anything of value: its accounts' keys are public, there is one node and no consensus.
//! It must never claim what it does not compute: roots, blooms, receipts and hashes are true ones, and what differs
//! from Nitro stands in `README.md`.
//!
//! Where to start reading: [`spawn`] below, then `chain` (what a transaction goes through), `state` and `trie` (where
//! it ends up), `rpc` (how it arrives). [`executor`] runs one transaction; `stylus` is the WASM half of that.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use alloy::primitives::B256;
use anyhow::Context;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::chain::Chain;
use crate::rpc::Node;
use crate::rpc::accept::Patience;

pub use crate::accounts::{DevAccount, dev_accounts};
pub use crate::bare::Bare;
pub use crate::chain::TX_GAS_MAX;

mod accounts;
pub mod arbos;
pub mod bare;
mod block;
mod call;
mod chain;
mod dump;
mod error;
pub mod exec;
pub mod executor;
mod journal;
mod miner;
mod pool;
mod rpc;
mod sender;
pub mod state;
pub mod stylus;
pub mod trace;
mod trie;

/// The chain id of Nitro's development chains.
pub const CHAIN_ID: u64 = 412_346;
/// States of so many latest blocks are kept for calls, proofs and reorgs.
pub const STATE_HISTORY_BLOCKS: u64 = 16_384;
/// `safe` is this many blocks behind `latest`, `finalized` twice that, as on Foundry's anvil.
pub const SAFE_DEPTH_BLOCKS: u64 = 32;
/// How long a shutdown waits for requests that are being answered.
const SHUTDOWN_WAIT: Duration = Duration::from_secs(5);

/// What a chain is started with.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where JSON-RPC listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where the chain is kept. `None`: in memory, gone with the process.
    pub state_dir: Option<PathBuf>,
    /// EIP-155 chain id. A state directory remembers it and refuses another.
    pub chain_id: u64,
    /// Mine each transaction as it arrives. Otherwise they wait for the next block.
    pub automine: bool,
    /// Mine a block at this interval, 10 ms to a year, with what waits by then.
    pub block_time: Option<Duration>,
    /// Begin with the state in this file instead of the development accounts' alone (see `dump`).
    pub load_state: Option<PathBuf>,
    /// Blocks that `safe` lags behind `latest`.
    pub safe_depth: u64,
    /// Blocks that `finalized` lags behind `latest`.
    pub finalized_depth: u64,
    /// Blocks whose states are kept, at least 1.
    pub state_history: u64,
    /// Version of ArbOS. A state directory remembers it and refuses another.
    pub arbos: arbos::Version,
    /// Nitro's brotli dictionary, for programs that are compressed with it.
    pub stylus_dictionary: Option<PathBuf>,
    /// Whether calldata has a floor price (EIP-7623). On Arbitrum's chains that is off until the owner turns it on.
    pub calldata_floor: bool,
    /// Goes into the genesis block. `None` draws one, so that every new chain has a genesis hash of its own.
    pub genesis_seed: Option<B256>,
    /// The genesis block's time, UNIX seconds: no block is before it. `None`: now.
    pub genesis_time: Option<u64>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            state_dir: None,
            chain_id: CHAIN_ID,
            automine: true,
            block_time: None,
            load_state: None,
            safe_depth: SAFE_DEPTH_BLOCKS,
            finalized_depth: 2 * SAFE_DEPTH_BLOCKS,
            state_history: STATE_HISTORY_BLOCKS,
            arbos: arbos::Version::default(),
            stylus_dictionary: None,
            calldata_floor: false,
            genesis_seed: None,
            genesis_time: None,
        }
    }
}

/// A running chain. Dropping it stops the chain without waiting; [`Handle::shutdown`] waits.
#[derive(Debug)]
pub struct Handle {
    addr: SocketAddr,
    chain: Arc<Chain>,
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
}

/// Starts a chain and answers as soon as JSON-RPC does.
///
/// # Errors
/// The address is in use; the state directory is in use, damaged, or holds another chain.
pub async fn spawn(config: Config) -> anyhow::Result<Handle> {
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("listen on {}", config.listen))?;
    let addr = listener.local_addr().context("read the listening address")?;
    let chain = tokio::task::spawn_blocking(move || open(&config))
        .await
        .context("open the chain")??;
    let chain = Arc::new(chain);
    let node = Arc::new(Node::new(chain.clone()));
    let stop = watch::Sender::new(false);
    // It ends with the chain or with the handle, whichever comes first.
    tokio::spawn(miner::run(chain.clone(), stop.subscribe()));
    let patience = Patience::default();
    let router = rpc::server::router(node, patience.body, stop.subscribe());
    let server = tokio::spawn(rpc::accept::serve(listener, router, patience, stop.subscribe()));
    Ok(Handle {
        addr,
        chain,
        stop,
        server,
    })
}

/// Waits until the chain is told to stop. A closed channel means that its handle is gone: stop as well.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    drop(stop.wait_for(|stop| *stop).await);
}

fn open(config: &Config) -> anyhow::Result<Chain> {
    let chain = Chain::open(config)?;
    if let Some(file) = &config.load_state {
        let dump = std::fs::read(file).with_context(|| format!("read {}", file.display()))?;
        chain.load(&dump).with_context(|| format!("load {}", file.display()))?;
    }
    Ok(chain)
}

impl Handle {
    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// `ws://127.0.0.1:PORT`.
    pub fn ws_url(&self) -> String {
        format!("ws://{}", self.addr)
    }

    /// The address that JSON-RPC listens on.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The funded development accounts, alice first.
    pub fn accounts(&self) -> &[DevAccount] {
        self.chain.accounts()
    }

    /// The present state, as `anvil_dumpState` gives it.
    ///
    /// # Errors
    /// The state is larger than a dump may be.
    pub fn dump_state(&self) -> anyhow::Result<Vec<u8>> {
        self.chain.dump().encode().context("dump the state")
    }

    /// Stops listening, lets running requests finish (for a bounded time), and releases the state directory.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        if tokio::time::timeout(SHUTDOWN_WAIT, &mut self.server).await.is_err() {
            tracing::warn!("requests were still running when the chain stopped");
        }
        let chain = self.chain.clone();
        // Waits for a block that is being mined.
        if let Err(error) = tokio::task::spawn_blocking(move || chain.close()).await {
            tracing::error!(%error, "closing the chain");
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        self.server.abort();
    }
}
