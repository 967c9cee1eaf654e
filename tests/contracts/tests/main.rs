//! The contracts as the WASM that would be deployed, in this process: attacks by name, and a second opinion on the ABI.

mod attacks;
mod ethers;
mod history;
mod invariants;
mod ledgers;
mod model;
mod replay;

use std::sync::OnceLock;

use medlock_contract_tests::{Contracts, InitCodes, link, root};
use medlock_deploy::{Artifacts, artifacts::DEFAULT_DIR};

/// UNIX seconds when the tests begin.
const NOW: u64 = 1_800_000_000;

/// The contracts, with nothing in them.
fn world() -> Contracts {
    Contracts::create(init_codes(), NOW, true).unwrap()
}

/// Linked and packed once for all tests of a process.
fn init_codes() -> &'static InitCodes {
    static INIT_CODES: OnceLock<InitCodes> = OnceLock::new();
    INIT_CODES.get_or_init(|| {
        let artifacts = Artifacts::load(root().join(DEFAULT_DIR))
            .unwrap_or_else(|error| panic!("the built contracts are needed, run `make contracts`: {error}"));
        link(&artifacts).unwrap()
    })
}
