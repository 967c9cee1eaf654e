//! NodeInterface (0xc8): no contract, but what a node answers to an `eth_call` there.

use alloy::primitives::{Address, Bytes, TxKind, U256};
use alloy::rpc::types::TransactionRequest;
use alloy::sol_types::{SolCall, SolInterface};

use super::abi::NodeInterface as N;
use super::abi::NodeInterface::NodeInterfaceCalls as C;
use crate::block::{BASE_FEE_WEI, l1_number};
use crate::call::estimate;
use crate::chain::{Chain, View};
use crate::rpc::{Deadline, RpcError};

/// Where clients call it.
pub const NODE_INTERFACE: Address = super::precompile(0xc8);
/// What a transaction pays for its data on L1, in gas; and the price there, in wei. There is no L1.
const L1_GAS: u64 = 0;
const L1_PRICE: U256 = U256::ZERO;

/// Answers a call of NodeInterface; everything but the calldata of `request` goes for the transaction it asks about.
///
/// # Errors
/// Code 3 without data for a method that is not answered here, -32000 where the answer is an error.
pub fn answer(chain: &Chain, view: &View, request: TransactionRequest, deadline: Deadline) -> Result<Bytes, RpcError> {
    let data = request.input.input().cloned().unwrap_or_default();
    let method = C::abi_decode(&data).map_err(|_| RpcError::reverted(None, Bytes::new()))?;
    let base_fee = U256::from(BASE_FEE_WEI);
    let answer = match method {
        C::gasEstimateComponents(method) => {
            let about = TransactionRequest {
                to: Some(if method.contractCreation {
                    TxKind::Create
                } else {
                    TxKind::Call(method.to)
                }),
                input: method.data.into(),
                ..request
            };
            N::gasEstimateComponentsCall::abi_encode_returns(&N::gasEstimateComponentsReturn {
                gasEstimate: estimate(chain, view, about, deadline)?,
                gasEstimateForL1: L1_GAS,
                baseFee: base_fee,
                l1BaseFeeEstimate: L1_PRICE,
            })
        }
        C::gasEstimateL1Component(_) => {
            N::gasEstimateL1ComponentCall::abi_encode_returns(&N::gasEstimateL1ComponentReturn {
                gasEstimateForL1: L1_GAS,
                baseFee: base_fee,
                l1BaseFeeEstimate: L1_PRICE,
            })
        }
        C::nitroGenesisBlock(_) => N::nitroGenesisBlockCall::abi_encode_returns(&U256::ZERO),
        C::blockL1Num(method) => {
            let number = l1_of(chain, method.l2BlockNum)
                .ok_or_else(|| RpcError::server(format!("block {} is not there", method.l2BlockNum)))?;
            N::blockL1NumCall::abi_encode_returns(&number)
        }
        C::l2BlockRangeForL1(method) => {
            let wanted = method.blockNum;
            let first = first_from(chain, wanted);
            let after = first_from(chain, wanted.saturating_add(1));
            if first == after {
                return Err(RpcError::server(format!("no block has the L1 block number {wanted}")));
            }
            N::l2BlockRangeForL1Call::abi_encode_returns(&N::l2BlockRangeForL1Return {
                firstBlock: first,
                lastBlock: after - 1,
            })
        }
    };
    Ok(answer.into())
}

fn l1_of(chain: &Chain, number: u64) -> Option<u64> {
    let ledger = chain.ledger();
    ledger.block(number).map(|block| l1_number(block.header.timestamp))
}

/// The first block whose L1 number is `l1` or higher, or the one after the head.
fn first_from(chain: &Chain, l1: u64) -> u64 {
    let mut low = 0;
    let mut high = chain.ledger().head().header.number + 1;
    while low < high {
        let middle = low + (high - low) / 2;
        // A block that a reorg has just removed counts as one that is too high.
        if l1_of(chain, middle).is_some_and(|number| number < l1) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}
