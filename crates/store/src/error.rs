use std::io;
use std::path::PathBuf;

use medlock_dag::Cid;

/// Why the store could not do what it was asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another process, or another `Store` in this one, has the folder open.
    #[error("the block store {dir} is in use by {holder}; stop it first, or choose another folder")]
    Locked { dir: PathBuf, holder: String },
    /// The disk or quota is full. Nothing of the batch was kept.
    #[error("no space left for the block store in {dir}; free some space and try again")]
    DiskFull { dir: PathBuf },
    /// The kept bytes do not match the CID. They are not returned.
    #[error("block {cid} is damaged in {place}; repair it from a replica ({reason})")]
    Corrupt {
        cid: Box<Cid>,
        /// A pack file, or a node's URL.
        place: String,
        reason: String,
    },
    /// A pack's table of contents cannot be trusted, so its blocks cannot be found.
    #[error("{pack} is damaged ({reason}); salvage the store, then heal it from a replica")]
    DamagedPack { pack: PathBuf, reason: &'static str },
    /// The CID is of a kind that is never stored, or the block is too large.
    #[error(transparent)]
    Block(#[from] medlock_dag::Error),
    /// An import that is not a CAR v1 stream of blocks that match their CIDs, or an export of too many roots.
    #[error(transparent)]
    Car(Box<medlock_dag::car::Error>),
    /// What is imported could not be read, or what is exported could not be written.
    #[error("the CAR stream broke off: {0}")]
    Stream(io::Error),
    #[error("{path}: {source}")]
    Io { path: PathBuf, source: io::Error },
    /// The async runtime ended before the call began. Nothing was changed.
    #[error("the program is shutting down")]
    ShuttingDown,

    /// Not the URL of a node's RPC interface as this client speaks it.
    #[error("{url} is not the URL of an IPFS node: {reason}; expected something like http://127.0.0.1:5001")]
    BadUrl { url: String, reason: String },
    /// The connection could not be made, or broke. What was asked for may have been done.
    #[error("the IPFS node {node} cannot be reached for {call} ({reason}); is it running?")]
    Unreachable {
        node: String,
        call: &'static str,
        reason: String,
    },
    /// No whole answer in time. What was asked for may have been done.
    #[error("the IPFS node {node} did not answer {call} within {timeout_ms} ms")]
    Timeout {
        node: String,
        call: &'static str,
        timeout_ms: u128,
    },
    /// The node says that it failed.
    #[error("the IPFS node {node} failed to do {call} (status {status}): {message}")]
    Node {
        node: String,
        call: &'static str,
        status: u16,
        message: String,
    },
    /// The answer is not what the protocol has: cut short, too long, not JSON.
    #[error("the IPFS node {node} answered {call} with something that is no answer: {reason}")]
    BadAnswer {
        node: String,
        call: &'static str,
        reason: &'static str,
    },
    /// The node named what it stored by another CID than its bytes have.
    #[error("the IPFS node {node} stored {expected} as {answered}; do not trust it")]
    OtherCid {
        node: String,
        expected: Box<Cid>,
        answered: String,
    },

    /// The quorum is zero or larger than the number of stores.
    #[error("a quorum of {quorum} among {replicas} stores: it takes at least 1, and no more than there are")]
    BadQuorum { quorum: usize, replicas: usize },
    /// Too few stores kept the blocks. Those that did keep them until they are collected.
    #[error("kept by {confirmed} stores, needed {quorum}; {}", list(failed))]
    Quorum {
        confirmed: usize,
        quorum: usize,
        /// Those that failed, by name.
        failed: Vec<(String, Error)>,
    },

    /// A collection has begun and not ended.
    #[error("garbage is being collected already")]
    GcUnderWay,
    /// The collection was dropped while it swept.
    #[error("the garbage collection was broken off")]
    GcEnded,
}

impl From<medlock_dag::car::Error> for Error {
    fn from(error: medlock_dag::car::Error) -> Self {
        Self::Car(Box::new(error))
    }
}

impl Error {
    /// Whether free space is all that it takes: a full disk, or a quorum that would have been reached but for full disks.
    /// What was asked for may be tried again then.
    #[must_use]
    pub fn is_full(&self) -> bool {
        match self {
            Self::DiskFull { .. } => true,
            Self::Io { source, .. } => is_full(source.kind()),
            // Kubo passes on what its system says, in Go's words.
            Self::Node { message, .. } => ["no space left on device", "disk quota exceeded"]
                .iter()
                .any(|full| message.contains(full)),
            Self::Quorum {
                confirmed,
                quorum,
                failed,
            } => confirmed + failed.iter().filter(|(_, error)| error.is_full()).count() >= *quorum,
            _ => false,
        }
    }
}

pub(crate) fn is_full(kind: io::ErrorKind) -> bool {
    matches!(kind, io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

fn list(failed: &[(String, Error)]) -> String {
    let failed = failed.iter().map(|(name, error)| format!("{name}: {error}"));
    failed.collect::<Vec<_>>().join("; ")
}
