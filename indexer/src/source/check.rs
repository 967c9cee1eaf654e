//! Whether answers fit together. Pure.
use super::{Header, Result, SourceError, torn_at};
use crate::CONTRACTS;
use alloy::{
    primitives::{Address, B256, Bloom, keccak256, map::B256Map},
    rpc::types::Log,
};

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
pub fn logs(logs: &mut [Log], headers: &[Header], addresses: [Address; CONTRACTS]) -> Result<()> {
    logs.sort_by_key(|log| (log.block_number, log.log_index));
    // The same addresses and topics come again and again, and hashing them is most of the work.
    let of_address = addresses.map(|address| bits(address.as_slice()));
    let mut of_topic: B256Map<Bits> = B256Map::default();
    for log in &*logs {
        let (Some(number), Some(hash), Some(index)) = (log.block_number, log.block_hash, log.log_index) else {
            return Err(SourceError::Torn("a log that is not mined".into()));
        };
        let ours = addresses.iter().position(|address| *address == log.inner.address);
        let (Some(ours), false, true) = (ours, log.removed, log.transaction_hash.is_some()) else {
            return Err(SourceError::Torn(format!(
                "log {index} of block {number} was not asked for"
            )));
        };
        let header = match headers.binary_search_by_key(&number, |header| header.block.number) {
            Ok(found) if headers[found].block.hash == hash => &headers[found],
            _ => return Err(torn_at(number)),
        };
        let mut of_topics = |topic: &B256| *of_topic.entry(*topic).or_insert_with(|| bits(topic.as_slice()));
        let mut topics = log.inner.topics().iter();
        if !has(&header.bloom, of_address[ours]) || !topics.all(|topic| has(&header.bloom, of_topics(topic))) {
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

/// The three bits of a bloom that stand for something (Ethereum's Yellow Paper, 4.3.1).
type Bits = [u16; 3];

fn bits(of: &[u8]) -> Bits {
    let hash = keccak256(of);
    [0, 2, 4].map(|at| u16::from_be_bytes([hash[at], hash[at + 1]]) % 2048)
}

fn has(bloom: &Bloom, bits: Bits) -> bool {
    bits.iter().all(|bit| {
        let byte = bloom.0[255 - usize::from(bit / 8)];
        byte & (1 << (bit % 8)) != 0
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::BloomInput;

    #[test]
    fn the_bits_of_a_bloom_are_alloys() {
        for seed in 0..200u8 {
            let (one, other) = (B256::repeat_byte(seed), B256::repeat_byte(seed + 1));
            let bloom = Bloom::from(BloomInput::Raw(one.as_slice()));
            assert!(has(&bloom, bits(one.as_slice())));
            assert_eq!(
                has(&bloom, bits(other.as_slice())),
                bloom.contains_input(BloomInput::Raw(other.as_slice()))
            );
        }
    }
}
