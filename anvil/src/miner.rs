//! Mining at an interval.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::chain::Chain;
use crate::error::ChainError;
use crate::stopped;

/// Mines whenever the chain's interval says so, until `stop` turns true or closes.
pub async fn run(chain: Arc<Chain>, mut stop: watch::Receiver<bool>) {
    let mut mining = chain.mining();
    loop {
        let interval = mining.borrow_and_update().interval;
        tokio::select! {
            changed = mining.changed() => if changed.is_err() { return },
            () = mine_every(&chain, interval) => return,
            () = stopped(&mut stop) => return,
        }
    }
}

/// Returns when the chain is closed.
async fn mine_every(chain: &Arc<Chain>, interval: Option<Duration>) {
    let Some(interval) = interval else {
        return std::future::pending().await;
    };
    let mut ticks = interval_at(Instant::now() + interval, interval);
    // A block that took long is no reason to hurry afterwards.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let chain = chain.clone();
        match tokio::task::spawn_blocking(move || chain.mine_on_time(interval)).await {
            Ok(Ok(())) => {}
            Ok(Err(ChainError::Closed)) => return,
            Ok(Err(error)) => tracing::error!(%error, "no block at this interval"),
            Err(error) => tracing::error!(%error, "mining at an interval panicked"),
        }
    }
}
