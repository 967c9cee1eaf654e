//! ArbSys (0x64): the chain, the caller, and messages to the parent chain.
//!
//! A message is a leaf of a Merkle accumulator, as on Nitro, so its events and positions are true ones; only nobody
//! ever carries it to a parent chain. The accumulator keeps the root of the full subtree of each height, or zero:
//! slot 0 is the number of leaves, slot 2 + n the subtree of 2^n leaves.

use alloy::sol_types::{SolCall, SolInterface};
use revm::{
    Database,
    context::{Block, Cfg, ContextTr, JournalTr, journaled_state::account::JournaledAccountTr},
    primitives::{Address, B256, U256, address, keccak256},
};

use super::{Answer, Call, Failure, Purity, abi};

/// What an L1 contract's address is moved by to become its L2 alias.
const ALIAS_OFFSET: Address = address!("1111000000000000000000000000000000001111");
/// Classic Arbitrum's versions end at 55; ArbOS counts on from there.
const VERSION_OFFSET: u64 = 55;
/// How many blocks back their hashes are known.
const BLOCK_HASHES: u64 = 256;
/// Gas of a hash, and of each word in it.
const KECCAK_GAS: u64 = 30;
const KECCAK_WORD_GAS: u64 = 6;
const LEAVES_SLOT: U256 = U256::ZERO;
const SUBTREES_SLOT: u64 = 2;

pub(super) fn answer<DB: Database>(call: &mut Call<'_, DB>, data: &[u8]) -> Answer<DB> {
    use abi::ArbSys as A;
    use abi::ArbSys::ArbSysCalls as C;
    let method = C::abi_decode(data).map_err(|_| Failure::Refused)?;
    call.begin(match method {
        C::mapL1SenderContractAddressToL2Alias(_) => Purity::Pure,
        C::withdrawEth(_) | C::sendTxToL1(_) => Purity::Payable,
        _ => Purity::View,
    })?;
    let number = call.ctx.chain().number;
    let callers = &call.ctx.chain().callers;
    Ok(match method {
        C::arbBlockNumber(_) => A::arbBlockNumberCall::abi_encode_returns(&U256::from(number)),
        C::arbBlockHash(method) => {
            let asked = u64::try_from(method.arbBlockNum).ok();
            let known = asked.filter(|&asked| asked < number && asked + BLOCK_HASHES >= number);
            let Some(hash) = known.and_then(|asked| call.ctx.chain().hashes.get(asked)) else {
                return Err(Failure::error(A::InvalidBlockNumber {
                    requested: method.arbBlockNum,
                    current: U256::from(number),
                }));
            };
            A::arbBlockHashCall::abi_encode_returns(&hash)
        }
        C::arbChainID(_) => A::arbChainIDCall::abi_encode_returns(&U256::from(call.ctx.cfg().chain_id())),
        C::arbOSVersion(_) => {
            let version = VERSION_OFFSET + call.ctx.chain().rules.version.number();
            A::arbOSVersionCall::abi_encode_returns(&U256::from(version))
        }
        C::getStorageGasAvailable(_) => A::getStorageGasAvailableCall::abi_encode_returns(&U256::ZERO),
        // The call of the precompile is the last of them; Nitro counts at most two open contracts as top level.
        C::isTopLevelCall(_) => A::isTopLevelCallCall::abi_encode_returns(&(callers.len() <= 3)),
        C::mapL1SenderContractAddressToL2Alias(method) => {
            let alias = alias(method.sender);
            A::mapL1SenderContractAddressToL2AliasCall::abi_encode_returns(&alias)
        }
        // Only messages from the parent chain have aliased senders, and there are none.
        C::wasMyCallersAddressAliased(_) => A::wasMyCallersAddressAliasedCall::abi_encode_returns(&false),
        C::myCallersAddressWithoutAliasing(_) => {
            let caller = callers.iter().rev().nth(2).copied().unwrap_or_default();
            A::myCallersAddressWithoutAliasingCall::abi_encode_returns(&caller)
        }
        C::withdrawEth(method) => send(call, method.destination, &[])?,
        C::sendTxToL1(method) => send(call, method.destination, &method.data)?,
        C::sendMerkleTreeState(_) => {
            if !call.caller.is_zero() {
                return Err(Failure::Plain);
            }
            tree_state(call)?
        }
    })
}

/// An L1 contract's address as sender on L2.
fn alias(sender: Address) -> Address {
    let sum = U256::from_be_slice(sender.as_slice()) + U256::from_be_slice(ALIAS_OFFSET.as_slice());
    Address::from_word(B256::from(sum))
}

/// Adds a message to the accumulator, burns its value, and answers its position.
fn send<DB: Database>(call: &mut Call<'_, DB>, destination: Address, data: &[u8]) -> Answer<DB> {
    if !call.value.is_zero() {
        // Nitro asks whether somebody may mint the native token.
        call.burn_reads(1)?;
    }
    let number = U256::from(call.ctx.chain().number);
    let l1_number = call.ctx.block().number();
    let timestamp = call.ctx.block().timestamp();
    let words = [number, l1_number, timestamp, call.value];
    let mut message = [call.caller.as_slice(), destination.as_slice()].concat();
    message.extend(words.iter().flat_map(U256::to_be_bytes::<32>));
    message.extend(data);
    let hash = hash(call, &message)?;
    let position = append(call, hash)?;
    call.burn_reads(1)?;
    burn_value(call)?;
    for (level, root) in position.merged {
        let place = (U256::from(level) << 192) | U256::from(position.leaf);
        call.emit(&abi::ArbSys::SendMerkleUpdate {
            reserved: U256::ZERO,
            hash: root,
            position: place,
        })?;
    }
    call.emit(&abi::ArbSys::L2ToL1Tx {
        caller: call.caller,
        destination,
        hash: hash.into(),
        position: U256::from(position.leaf),
        arbBlockNum: number,
        ethBlockNum: l1_number,
        timestamp,
        callvalue: call.value,
        data: data.to_vec().into(),
    })?;
    Ok(abi::ArbSys::sendTxToL1Call::abi_encode_returns(&U256::from(
        position.leaf,
    )))
}

/// Where a message came to lie.
struct Position {
    leaf: u64,
    /// Height and root of each subtree that the leaf completed.
    merged: Vec<(u64, B256)>,
}

fn append<DB: Database>(call: &mut Call<'_, DB>, item: B256) -> Result<Position, Failure<DB::Error>> {
    let leaf: u64 = call.read(LEAVES_SLOT)?.saturating_to();
    call.write(LEAVES_SLOT, U256::from(leaf) + U256::ONE)?;
    let mut merged = Vec::new();
    // The item is hashed once more, so that a leaf is never taken for a branch; Nitro does not charge for it.
    let mut root = keccak256(item);
    let mut level = 0;
    // At most 64 levels: each one is a bit of the number of leaves.
    loop {
        if level == levels(leaf) {
            break;
        }
        let left = call.read(subtree_slot(level))?;
        if left.is_zero() {
            break;
        }
        root = hash(call, &[left.to_be_bytes::<32>(), root.0].concat())?;
        call.write(subtree_slot(level), U256::ZERO)?;
        level += 1;
        merged.push((level, root));
    }
    call.write(subtree_slot(level), root.into())?;
    Ok(Position { leaf, merged })
}

/// Size, root and subtrees of the accumulator, for nodes that build proofs. Free: only the zero address may ask.
fn tree_state<DB: Database>(call: &mut Call<'_, DB>) -> Answer<DB> {
    let gas = call.gas;
    let size: u64 = call.read(LEAVES_SLOT)?.saturating_to();
    let mut partials = Vec::new();
    for level in 0..levels(size) {
        partials.push(B256::from(call.read(subtree_slot(level))?));
    }
    call.gas = gas;
    Ok(abi::ArbSys::sendMerkleTreeStateCall::abi_encode_returns(
        &abi::ArbSys::sendMerkleTreeStateReturn {
            size: U256::from(size),
            root: tree_root(&partials),
            partials,
        },
    ))
}

/// The root over all subtrees; missing leaves count as zero hashes.
fn tree_root(partials: &[B256]) -> B256 {
    let mut so_far: Option<(B256, usize)> = None;
    for (level, &partial) in partials.iter().enumerate().filter(|(_, partial)| !partial.is_zero()) {
        let Some((mut hash, mut height)) = so_far else {
            so_far = Some((partial, level));
            continue;
        };
        while height < level {
            hash = keccak256([hash.as_slice(), &[0; 32]].concat());
            height += 1;
        }
        so_far = Some((keccak256([partial.as_slice(), hash.as_slice()].concat()), level + 1));
    }
    so_far.map_or(B256::ZERO, |(hash, _)| hash)
}

/// How many heights of subtrees that many leaves have.
fn levels(leaves: u64) -> u64 {
    u64::from(u64::BITS - leaves.leading_zeros())
}

fn subtree_slot(level: u64) -> U256 {
    U256::from(SUBTREES_SLOT + level)
}

fn hash<DB: Database>(call: &mut Call<'_, DB>, data: &[u8]) -> Result<B256, Failure<DB::Error>> {
    call.burn(KECCAK_GAS + KECCAK_WORD_GAS * (data.len() as u64).div_ceil(32))?;
    Ok(keccak256(data))
}

/// What is sent to the parent chain leaves this one.
fn burn_value<DB: Database>(call: &mut Call<'_, DB>) -> Result<(), Failure<DB::Error>> {
    let value = call.value;
    let mut account = call.ctx.journal_mut().load_account_mut(call.at)?.data;
    if !account.decr_balance(value) {
        return Err(Failure::Halt("the value did not arrive".into()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_wraps_around() {
        assert_eq!(alias(Address::ZERO), ALIAS_OFFSET);
        assert_eq!(
            alias(Address::repeat_byte(0xff)),
            address!("1111000000000000000000000000000000001110")
        );
    }

    #[test]
    fn the_root_of_a_tree_that_is_not_full_has_zeros_for_missing_leaves() {
        let leaf = |byte| keccak256([byte; 32]);
        let branch = |a: B256, b: B256| keccak256([a, b].concat());
        assert_eq!(tree_root(&[]), B256::ZERO);
        assert_eq!(tree_root(&[leaf(1)]), leaf(1));
        let two = branch(leaf(1), leaf(2));
        assert_eq!(tree_root(&[B256::ZERO, two]), two);
        let three = branch(two, branch(leaf(3), B256::ZERO));
        assert_eq!(tree_root(&[leaf(3), two]), three);
    }
}
