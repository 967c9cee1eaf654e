//! The twin: the same contracts in Solidity, by hand and without a word too many.

use alloy::primitives::Address;
use anyhow::ensure;
use medlock_anvil::Bare;
use medlock_contract_tests::{Contracts, OWNER};
use medlock_deploy::artifacts::created;

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

/// The twin on a chain of its own, linked as the contracts are. It has no `audit` and no ledgers.
///
/// # Errors
/// A contract cannot be created.
pub fn deploy(compiled: &Compiled, timestamp: u64) -> anyhow::Result<Contracts> {
    let mut bare = Bare::new(timestamp);
    let [registry, records, exceptions, relay, ..] = created(OWNER, 0);
    let of_constructors: [(&str, Address, &[Address]); 4] = [
        ("TwinRegistry", registry, &[OWNER, relay]),
        ("TwinRecords", records, &[registry, exceptions, relay]),
        ("TwinExceptions", exceptions, &[records, registry, relay]),
        ("TwinRelay", relay, &[registry, records, exceptions]),
    ];
    for (name, foreseen, arguments) in of_constructors {
        let words = arguments.iter().flat_map(|address| address.into_word().0);
        let code: Vec<u8> = compiled.code(name)?.iter().copied().chain(words).collect();
        let created = bare.create(OWNER, code)?;
        ensure!(created == foreseen, "{name} stands at {created}, not at {foreseen}");
    }
    Ok(Contracts {
        bare,
        registry,
        records,
        exceptions,
        relay,
        audit: Address::ZERO,
        claims: Address::ZERO,
        supply: Address::ZERO,
        trials: Address::ZERO,
    })
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
