//! Who waits for whom. Messages are executed on threads, and some keep a thread for seconds (a call that uses all its
//! gas) or wait for those that do (what changes the chain). They have lanes of their own, so the rest never queues
//! behind them.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Messages that only read being answered at a time. More wait.
pub const READS_AT_A_TIME_MAX: usize = 64;
/// Messages that may execute code being answered at a time. Enough for the cores of a workstation; more would only take
/// them from one another, and from everybody else.
pub const EXECUTIONS_AT_A_TIME_MAX: usize = 8;
/// Messages that may change the chain being answered at a time. One changes it at a time; the others have their
/// transactions decoded and their signatures checked meanwhile.
pub const WRITES_AT_A_TIME_MAX: usize = 16;

/// What only a message that may change the chain contains.
const WRITING: [&str; 5] = ["eth_send", "evm_", "anvil_", "hardhat_", "eth_sign"];
/// What only a message that may execute code contains: `pending` because that block has to be made first.
const EXECUTING: [&str; 6] = [
    "eth_call",
    "eth_estimateGas",
    "eth_createAccessList",
    "debug_",
    "pending",
    "eth_simulate",
];

#[derive(Debug)]
pub struct Lanes {
    reads: Arc<Semaphore>,
    executions: Arc<Semaphore>,
    writes: Arc<Semaphore>,
}

impl Default for Lanes {
    fn default() -> Self {
        Self {
            reads: Arc::new(Semaphore::new(READS_AT_A_TIME_MAX)),
            executions: Arc::new(Semaphore::new(EXECUTIONS_AT_A_TIME_MAX)),
            writes: Arc::new(Semaphore::new(WRITES_AT_A_TIME_MAX)),
        }
    }
}

impl Lanes {
    /// Waits for a place for `message`. A batch goes where its heaviest call belongs. The place belongs to whatever does
    /// the work: a client that hangs up ends its connection, not the work.
    pub async fn enter(&self, message: &str) -> Option<OwnedSemaphorePermit> {
        // The semaphores are never closed.
        self.of(message).clone().acquire_owned().await.ok()
    }

    fn of(&self, message: &str) -> &Arc<Semaphore> {
        if WRITING.iter().any(|name| message.contains(name)) {
            &self.writes
        // An escape sequence can spell anything.
        } else if message.contains('\\') || EXECUTING.iter().any(|name| message.contains(name)) {
            &self.executions
        } else {
            &self.reads
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_waits_with_its_like() {
        let lanes = Lanes::default();
        let lane = |message: &str| std::ptr::from_ref(lanes.of(message));
        let reads = std::ptr::from_ref(&lanes.reads);
        let executions = std::ptr::from_ref(&lanes.executions);
        let writes = std::ptr::from_ref(&lanes.writes);
        assert_eq!(lane(r#"{"method":"eth_blockNumber"}"#), reads);
        assert_eq!(lane(r#"{"method":"eth_getLogs"}"#), reads);
        assert_eq!(lane(r#"{"method":"eth_call"}"#), executions);
        assert_eq!(lane(r#"{"method":"eth\u005fcall"}"#), executions);
        assert_eq!(
            lane(r#"{"method":"eth_getBalance","params":["0x","pending"]}"#),
            executions
        );
        assert_eq!(
            lane(r#"[{"method":"eth_call"},{"method":"eth_sendRawTransaction"}]"#),
            writes
        );
        assert_eq!(lane(r#"{"method":"evm_mine"}"#), writes);
    }
}
