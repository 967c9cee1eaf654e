//! The twin: the same contracts in Solidity, by hand and without a word too many.

use std::collections::BTreeMap;

use alloy::primitives::{Address, B256, U256};
use anyhow::{bail, ensure};
use medlock_anvil::Bare;
use medlock_contract_tests::{Contracts, OWNER};
use medlock_deploy::artifacts::created;

use super::{day::Operation, solidity::Compiled};

/// What is compiled, of `bench/contracts`.
pub const SOURCES: [&str; 8] = [
    "Consumer.sol",
    "TwinRegistry.sol",
    "TwinRecords.sol",
    "TwinExceptions.sol",
    "TwinRelay.sol",
    "TwinClaims.sol",
    "TwinSupply.sol",
    "TwinTrials.sol",
];

/// The twin on a chain of its own, linked as the contracts are. It has no `audit`.
///
/// # Errors
/// A contract cannot be created.
pub fn deploy(compiled: &Compiled, timestamp: u64) -> anyhow::Result<Contracts> {
    let mut bare = Bare::new(timestamp);
    let [registry, records, exceptions, relay, claims, supply, trials, _] = created(OWNER, 0);
    let of_constructors: [(&str, Address, &[Address]); 7] = [
        ("TwinRegistry", registry, &[OWNER, relay]),
        ("TwinRecords", records, &[registry, exceptions, relay]),
        ("TwinExceptions", exceptions, &[records, registry, relay]),
        ("TwinRelay", relay, &[registry, records, exceptions]),
        ("TwinClaims", claims, &[records, registry, relay]),
        ("TwinSupply", supply, &[registry, relay]),
        ("TwinTrials", trials, &[registry, relay]),
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
        claims,
        supply,
        trials,
    })
}

/// That both did the same: the same operations, with the same events, and every word of storage is the same.
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
    let addresses = |chain: &Contracts| {
        [
            ("registry", chain.registry),
            ("records", chain.records),
            ("exceptions", chain.exceptions),
            ("relay", chain.relay),
            ("claims", chain.claims),
            ("supply", chain.supply),
            ("trials", chain.trials),
        ]
    };
    for ((name, ours), (_, twins)) in addresses(contracts).into_iter().zip(addresses(twin)) {
        let (words, others) = (words(contracts, ours), words(twin, twins));
        // Signatures use nothing up, so the relay keeps nothing.
        ensure!(name == "relay" || !words.is_empty(), "{name} keeps nothing");
        let differing = words
            .iter()
            .chain(&others)
            .find(|(slot, _)| words.get(*slot) != others.get(*slot));
        if let Some((slot, _)) = differing {
            let (word, other) = (words.get(slot), others.get(slot));
            bail!("{name}, the slot that hashes to {slot}: the word is {word:x?}, the twin's {other:x?}");
        }
    }
    Ok(())
}

/// Everything that a contract keeps, by the hash of its slot.
fn words(chain: &Contracts, contract: Address) -> BTreeMap<B256, U256> {
    chain.bare.storage_entries(contract).collect()
}
