//! The twin: the same contracts in Solidity, by hand and without a word too many.

use alloy::primitives::Address;
use anyhow::ensure;
use medlock_abi::{exceptions::IExceptions, records::IRecords, registry::IRegistry, relay::IRelay};
use medlock_anvil::Bare;
use medlock_contract_tests::{Contracts, OWNER};

use super::{
    day::{self, Operation},
    solidity::Compiled,
};

/// What is compiled, of `bench/contracts`.
pub const SOURCES: [&str; 5] = [
    "Consumer.sol",
    "TwinRegistry.sol",
    "TwinRecords.sol",
    "TwinExceptions.sol",
    "TwinRelay.sol",
];

/// The twin on a chain of its own, linked as the contracts are. It has no `audit`.
///
/// # Errors
/// A contract cannot be created.
pub fn deploy(compiled: &Compiled, timestamp: u64) -> anyhow::Result<Contracts> {
    let mut bare = Bare::new(timestamp);
    let mut create = |name| bare.create(OWNER, compiled.code(name)?.to_vec());
    let registry = create("TwinRegistry")?;
    let records = create("TwinRecords")?;
    let exceptions = create("TwinExceptions")?;
    let relay = create("TwinRelay")?;
    let mut twin = Contracts {
        bare,
        registry,
        records,
        exceptions,
        relay,
        audit: Address::ZERO,
    };
    let owner = OWNER;
    twin.must(OWNER, registry, IRegistry::initializeCall { owner, relay });
    let call = IRecords::initializeCall {
        registry,
        exceptions,
        relay,
    };
    twin.must(OWNER, records, call);
    let call = IExceptions::initializeCall {
        records,
        registry,
        relay,
    };
    twin.must(OWNER, exceptions, call);
    let call = IRelay::initializeCall {
        registry,
        records,
        exceptions,
    };
    twin.must(OWNER, relay, call);
    Ok(twin)
}

/// That both did the same: the same operations, with the same events, to the same words of storage.
///
/// # Errors
/// They did not, so their costs say nothing about each other.
pub fn compare(ours: (&Contracts, &[Operation]), twins: (&Contracts, &[Operation])) -> anyhow::Result<()> {
    let ((contracts, operations), (twin, others)) = (ours, twins);
    ensure!(operations.len() == others.len(), "the twin does other operations");
    for (one, other) in operations.iter().zip(others) {
        let data = |operation: &Operation| operation.logs.iter().map(|log| log.data.clone()).collect::<Vec<_>>();
        ensure!(
            one.name == other.name && data(one) == data(other),
            "{} of the twin leaves other events",
            one.name
        );
    }
    let of_records = (contracts.records, twin.records, day::words());
    let of_registry = (contracts.registry, twin.registry, day::registry_words());
    for (ours, twins, words) in [of_records, of_registry] {
        for (what, slot) in words {
            let (word, other) = (contracts.storage(ours, slot), twin.storage(twins, slot));
            ensure!(word == other, "{what}: the word is {word}, the twin's {other}");
        }
    }
    Ok(())
}
