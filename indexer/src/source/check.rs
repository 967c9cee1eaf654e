//! Whether answers fit together. Pure.
use super::{Header, Result, SourceError, torn_at};
use alloy::{primitives::Address, rpc::types::Log};

/// Checks that each block names the one before it as its parent, where both are here. `headers` is ascending.
pub fn linked(headers: &[Header]) -> Result<()> {
    let torn = |pair: &&[Header]| {
        let (parent, child) = (&pair[0].block, &pair[1].block);
        child.number == parent.number + 1 && child.parent != parent.hash
    };
    match headers.windows(2).find(torn) {
        Some(pair) => Err(torn_at(pair[1].block.number)),
        None => Ok(()),
    }
}

/// Sorts `logs` and checks that each is mined, once, by one of our contracts, in one of the blocks of `headers`
/// (ascending), whose bloom has it.
pub fn logs(logs: &mut [Log], headers: &[Header], addresses: [Address; 5]) -> Result<()> {
    logs.sort_by_key(|log| (log.block_number, log.log_index));
    for log in &*logs {
        let (Some(number), Some(hash), Some(index)) = (log.block_number, log.block_hash, log.log_index) else {
            return Err(SourceError::Torn("a log that is not mined".into()));
        };
        if log.removed || log.transaction_hash.is_none() || !addresses.contains(&log.inner.address) {
            return Err(SourceError::Torn(format!(
                "log {index} of block {number} was not asked for"
            )));
        }
        let header = match headers.binary_search_by_key(&number, |header| header.block.number) {
            Ok(found) if headers[found].block.hash == hash => &headers[found],
            _ => return Err(torn_at(number)),
        };
        if !header.bloom.contains_raw_log(log.inner.address, log.inner.topics()) {
            return Err(SourceError::Torn(format!(
                "the header of block {number} denies log {index}: its bloom lacks it"
            )));
        }
    }
    let place = |log: &Log| (log.block_number, log.log_index);
    match logs.windows(2).find(|pair| place(&pair[0]) == place(&pair[1])) {
        Some(pair) => Err(SourceError::Torn(format!(
            "two logs at the same place: {:?}",
            place(&pair[0])
        ))),
        None => Ok(()),
    }
}
