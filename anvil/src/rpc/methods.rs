//! The method table, and what reads the chain. Signing and sending are in [`account`], the pool in [`txpool`], what
//! only a development chain has in [`dev`].

use std::collections::BTreeMap;

use alloy::eips::{BlockId, BlockNumberOrTag, Encodable2718, RpcBlockHash};
use alloy::primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U64, U256, keccak256};
use alloy::rpc::types::state::StateOverride;
use alloy::rpc::types::{
    BlockOverrides, EIP1186AccountProofResponse, EIP1186StorageProof, FeeHistory, Filter, TransactionRequest,
};
use alloy::serde::JsonStorageKey;
use serde::Serialize;

use super::filters::{Changes, Wanted, check, get_logs};
use super::{Answer, Node, Params, RpcError, answer, debug, types};
use crate::block::{BASE_FEE_WEI, BLOCK_GAS_LIMIT};
use crate::call;
use crate::chain::{Chain, Ledger, View};
use crate::executor::BlockContext;
use crate::trie::EMPTY_ROOT;

mod account;
mod dev;
mod txpool;
mod typed_data;

/// Blocks that one `eth_feeHistory` may name, as in go-ethereum.
const FEE_HISTORY_BLOCKS_MAX: u64 = 1_024;
/// Slots that one `eth_getProof` may name, as in go-ethereum.
const PROOF_KEYS_MAX: usize = 1_024;

/// What `rpc_modules` answers.
const MODULES: [&str; 7] = ["anvil", "debug", "eth", "evm", "net", "txpool", "web3"];

/// What `web3_clientVersion` answers. Tools look for "anvil" to allow `anvil_` methods.
pub fn client_version() -> String {
    format!("medlock-anvil/v{}", env!("CARGO_PKG_VERSION"))
}

/// Runs one call of any connection.
pub fn dispatch(node: &Node, method: &str, params: &Params<'_>) -> Answer {
    let chain = &*node.chain;
    match method {
        "web3_clientVersion" => answer(&client_version()),
        "web3_sha3" => answer(&keccak256(params.get::<Bytes>(0)?)),
        "rpc_modules" => answer(&BTreeMap::from(MODULES.map(|module| (module, "1.0")))),
        "net_version" | "eth_networkId" => answer(&chain.chain_id.to_string()),
        "net_listening" => answer(&true),
        "net_peerCount" => answer(&U64::ZERO),
        "eth_chainId" => answer(&U64::from(chain.chain_id)),
        "eth_syncing" | "eth_mining" => answer(&false),
        "eth_protocolVersion" => answer("0x41"),
        "eth_accounts" | "eth_requestAccounts" => answer(
            &chain
                .accounts()
                .iter()
                .map(|account| account.address)
                .collect::<Vec<_>>(),
        ),
        "eth_coinbase" => answer(&crate::block::COINBASE),
        "eth_gasPrice" => answer(&U64::from(BASE_FEE_WEI)),
        // Arbitrum ignores tips.
        "eth_maxPriorityFeePerGas" => answer(&U64::ZERO),
        "eth_feeHistory" => fee_history(chain, params),
        "eth_blobBaseFee" => Err(RpcError::server("this chain has no blobs, as all Arbitrum chains")),

        "eth_blockNumber" => answer(&U64::from(chain.ledger().head().header.number)),
        "eth_getBlockByNumber" => {
            let tag: BlockNumberOrTag = params.get(0)?;
            let full = params.optional(1)?.unwrap_or(false);
            if tag.is_pending() {
                return answer(&types::pending_block(&chain.pending_view().block, full));
            }
            answer(&block_by_tag(chain, tag).map(|block| types::block(&block, full)))
        }
        "eth_getBlockByHash" => {
            let block = block_by_hash(chain, params.get(0)?);
            let full = params.optional(1)?.unwrap_or(false);
            answer(&block.map(|block| types::block(&block, full)))
        }
        "eth_getHeaderByNumber" => answer(&block_by_tag(chain, params.get(0)?).map(|block| types::header(&block))),
        "eth_getHeaderByHash" => answer(&block_by_hash(chain, params.get(0)?).map(|block| types::header(&block))),
        "eth_getBlockTransactionCountByNumber" => {
            let block = block_by_tag(chain, params.get(0)?);
            answer(&block.map(|block| U64::from(block.transactions.len())))
        }
        "eth_getBlockTransactionCountByHash" => {
            let block = block_by_hash(chain, params.get(0)?);
            answer(&block.map(|block| U64::from(block.transactions.len())))
        }
        "eth_getUncleCountByBlockNumber" => answer(&block_by_tag(chain, params.get(0)?).map(|_| U64::ZERO)),
        "eth_getUncleCountByBlockHash" => answer(&block_by_hash(chain, params.get(0)?).map(|_| U64::ZERO)),
        "eth_getUncleByBlockNumberAndIndex" | "eth_getUncleByBlockHashAndIndex" => answer(&()),
        "eth_getBlockReceipts" => {
            let block = block_by_id(chain, params.get(0)?)?;
            answer(&block.map(|block| {
                (0..block.transactions.len())
                    .map(|index| types::receipt(&block, index))
                    .collect::<Vec<_>>()
            }))
        }
        "eth_getTransactionByHash" => transaction_by_hash(chain, params.get(0)?),
        "eth_getTransactionByBlockNumberAndIndex" => {
            transaction_in(block_by_tag(chain, params.get(0)?), params.get(1)?)
        }
        "eth_getTransactionByBlockHashAndIndex" => transaction_in(block_by_hash(chain, params.get(0)?), params.get(1)?),
        "eth_getRawTransactionByHash" => raw_transaction(chain, params.get(0)?),
        "eth_getRawTransactionByBlockNumberAndIndex" => {
            raw_transaction_in(block_by_tag(chain, params.get(0)?), params.get(1)?)
        }
        "eth_getRawTransactionByBlockHashAndIndex" => {
            raw_transaction_in(block_by_hash(chain, params.get(0)?), params.get(1)?)
        }
        "eth_getTransactionReceipt" => {
            let hash: B256 = params.get(0)?;
            let found = chain
                .ledger()
                .transaction(&hash)
                .map(|(block, index)| (block.clone(), index));
            answer(&found.map(|(block, index)| types::receipt(&block, index)))
        }

        "eth_getTransactionCount" => transaction_count(chain, params.get(0)?, params.optional(1)?),
        "eth_getBalance" => {
            let address: Address = params.get(0)?;
            answer(&view(chain, params.optional(1)?)?.state.balance(address))
        }
        "eth_getCode" => {
            let address: Address = params.get(0)?;
            let view = view(chain, params.optional(1)?)?;
            answer(
                &view
                    .state
                    .account(address)
                    .map(|account| account.code.original_bytes())
                    .unwrap_or_default(),
            )
        }
        "eth_getStorageAt" => {
            let (address, key): (Address, JsonStorageKey) = (params.get(0)?, params.get(1)?);
            let view = view(chain, params.optional(2)?)?;
            answer(&B256::from(view.state.storage(address, key.as_b256().into())))
        }
        "eth_getAccount" => account(chain, params.get(0)?, params.optional(1)?),
        "eth_getAccountInfo" => account_info(chain, params.get(0)?, params.optional(1)?),
        "eth_getProof" => proof(chain, params.get(0)?, params.get(1)?, params.optional(2)?),
        "eth_call" => {
            let (request, view) = request_and_view(chain, params, BlockId::latest())?;
            answer(&call::call(chain, &view, request, params.deadline)?)
        }
        "eth_estimateGas" => {
            let (request, view) = request_and_view(chain, params, BlockId::pending())?;
            answer(&U64::from(call::estimate(chain, &view, request, params.deadline)?))
        }
        "eth_createAccessList" => debug::create_access_list(chain, params),
        "debug_traceTransaction" => debug::trace_transaction(chain, params),
        "debug_traceCall" => debug::trace_call(chain, params),
        "debug_traceBlockByNumber" => debug::trace_block_by_number(chain, params),
        "debug_traceBlockByHash" => debug::trace_block_by_hash(chain, params),
        "eth_sendRawTransaction" => answer(&chain.submit_raw(&params.get::<Bytes>(0)?)?),
        "eth_sendRawTransactionSync" => send_and_tell(chain, &params.get::<Bytes>(0)?),
        "eth_sendTransaction" => account::send_transaction(node, params.get(0)?, params.deadline),

        "eth_getLogs" => answer(&get_logs(chain, &params.get(0)?)?),
        "eth_newFilter" => {
            let filter: Filter = params.get(0)?;
            check(&filter)?;
            answer(&node.filters.install(chain, Wanted::Logs(Box::new(filter)))?)
        }
        "eth_newBlockFilter" => answer(&node.filters.install(chain, Wanted::Blocks)?),
        "eth_newPendingTransactionFilter" => {
            let full = params.optional(0)?.unwrap_or(false);
            answer(&node.filters.install(chain, Wanted::Pending { full })?)
        }
        "eth_uninstallFilter" => answer(&node.filters.uninstall(params.get(0)?)),
        "eth_getFilterChanges" => match node.filters.changes(chain, params.get(0)?)? {
            Changes::Hashes(hashes) => answer(&hashes),
            Changes::Logs(logs) => answer(&logs),
            Changes::Transactions(transactions) => answer(&transactions),
        },
        "eth_getFilterLogs" => answer(&get_logs(chain, &node.filters.log_filter(params.get(0)?)?)?),

        "eth_sign" => account::sign_message(chain, params.get(0)?, &params.get::<Bytes>(1)?),
        "personal_sign" => account::sign_message(chain, params.get(1)?, &params.get::<Bytes>(0)?),
        "eth_signTypedData" | "eth_signTypedData_v3" | "eth_signTypedData_v4" => {
            account::sign_typed_data(chain, params.get(0)?, params.get(1)?)
        }
        "eth_signTransaction" => account::sign_transaction(chain, params.get(0)?, params.deadline),

        "txpool_status" | "txpool_content" | "txpool_contentFrom" | "txpool_inspect" => {
            txpool::dispatch(chain, method, params)
        }
        _ => dev::dispatch(node, method, params),
    }
}

impl Chain {
    /// The number of the mined block that a tag means. `safe` and `finalized` lag by configured depths; `pending` is
    /// the latest, where mined blocks alone count.
    pub fn resolve_tag(&self, ledger: &Ledger, tag: BlockNumberOrTag) -> u64 {
        let head = ledger.head().header.number;
        match tag {
            BlockNumberOrTag::Latest | BlockNumberOrTag::Pending => head,
            BlockNumberOrTag::Safe => head.saturating_sub(self.safe_depth),
            BlockNumberOrTag::Finalized => head.saturating_sub(self.finalized_depth),
            BlockNumberOrTag::Earliest => 0,
            BlockNumberOrTag::Number(number) => number,
        }
    }
}

pub(super) type Found = Option<std::sync::Arc<crate::block::Block>>;

pub(super) fn block_by_tag(chain: &Chain, tag: BlockNumberOrTag) -> Found {
    if tag.is_pending() {
        return Some(chain.pending_view().block);
    }
    let ledger = chain.ledger();
    ledger.block(chain.resolve_tag(&ledger, tag)).cloned()
}

pub(super) fn block_by_hash(chain: &Chain, hash: B256) -> Found {
    let ledger = chain.ledger();
    ledger.block(ledger.number_of(&hash)?).cloned()
}

fn block_by_id(chain: &Chain, id: BlockId) -> Result<Found, RpcError> {
    Ok(match id {
        BlockId::Number(tag) => block_by_tag(chain, tag),
        BlockId::Hash(RpcBlockHash { block_hash, .. }) => block_by_hash(chain, block_hash),
    })
}

/// The state that a request reads: the latest unless it names another.
pub(super) fn view(chain: &Chain, id: Option<BlockId>) -> Result<View, RpcError> {
    let id = id.unwrap_or(BlockId::latest());
    if id == BlockId::pending() {
        return Ok(chain.pending_view());
    }
    let block = block_by_id(chain, id)?.ok_or_else(|| RpcError::server("header not found"))?;
    let number = block.header.number;
    match chain.view(number) {
        Some(view) if view.block.hash == block.hash => Ok(view),
        Some(_) => Err(RpcError::server("header not found")),
        // go-ethereum's word for a state that is pruned.
        None => Err(RpcError::server(format!(
            "missing trie node: the state of block {number} is not kept any more"
        ))),
    }
}

fn request_and_view(
    chain: &Chain,
    params: &Params<'_>,
    default: BlockId,
) -> Result<(TransactionRequest, View), RpcError> {
    let request: TransactionRequest = params.get(0)?;
    let mut view = view(chain, Some(params.optional(1)?.unwrap_or(default)))?;
    if let Some(overrides) = params.optional::<StateOverride>(2)? {
        view.state = call::overridden(&view.state, overrides)?;
    }
    if let Some(overrides) = params.optional::<BlockOverrides>(3)? {
        override_block(&mut view.context, overrides)?;
    }
    Ok((request, view))
}

/// Makes `context` another block's.
pub(super) fn override_block(context: &mut BlockContext, overrides: BlockOverrides) -> Result<(), RpcError> {
    if let Some(number) = overrides.number {
        context.l1_number = u64::try_from(number).map_err(|error| RpcError::invalid_params(error.to_string()))?;
    }
    context.timestamp = overrides.time.unwrap_or(context.timestamp);
    context.coinbase = overrides.coinbase.unwrap_or(context.coinbase);
    context.prevrandao = overrides.random.unwrap_or(context.prevrandao);
    if let Some(base_fee) = overrides.base_fee {
        context.basefee = u64::try_from(base_fee).map_err(|error| RpcError::invalid_params(error.to_string()))?;
    }
    Ok(())
}

/// `eth_sendRawTransactionSync` (EIP-7966): the receipt. There is nothing to wait for: automine has mined the transaction
/// by now, and otherwise nobody knows when a block comes. Then code 4, with the hash, says to ask later.
fn send_and_tell(chain: &Chain, raw: &[u8]) -> Answer {
    let hash = chain.submit_raw(raw)?;
    let found = chain
        .ledger()
        .transaction(&hash)
        .map(|(block, index)| (block.clone(), index));
    match found {
        Some((block, index)) => answer(&types::receipt(&block, index)),
        None => Err(RpcError {
            code: 4,
            message: "the transaction was accepted and waits to be mined".to_owned(),
            data: Some(Bytes::from(hash)),
        }),
    }
}

fn transaction_by_hash(chain: &Chain, hash: B256) -> Answer {
    let found = chain
        .ledger()
        .transaction(&hash)
        .map(|(block, index)| (block.clone(), index));
    match found {
        Some((block, index)) => answer(&types::transaction(&block, index)),
        None => answer(&chain.pool().get(&hash).map(|pooled| types::waiting(pooled))),
    }
}

fn raw_transaction(chain: &Chain, hash: B256) -> Answer {
    let mined = chain
        .ledger()
        .transaction(&hash)
        .map(|(block, index)| block.transactions[index].transaction.encoded_2718());
    let raw = mined.or_else(|| Some(chain.pool().get(&hash)?.transaction.encoded_2718()));
    answer(&raw.map(Bytes::from))
}

fn raw_transaction_in(block: Found, index: U64) -> Answer {
    let index = usize::try_from(index.to::<u64>()).unwrap_or(usize::MAX);
    let found = block.as_ref().and_then(|block| block.transactions.get(index));
    answer(&found.map(|mined| Bytes::from(mined.transaction.encoded_2718())))
}

fn transaction_in(block: Found, index: U64) -> Answer {
    let index = usize::try_from(index.to::<u64>()).unwrap_or(usize::MAX);
    let found = block.filter(|block| index < block.transactions.len());
    answer(&found.map(|block| types::transaction(&block, index)))
}

fn transaction_count(chain: &Chain, address: Address, id: Option<BlockId>) -> Answer {
    if id == Some(BlockId::pending()) {
        let nonce = chain.ledger().head_state().nonce(address);
        return answer(&U64::from(chain.pool().pending_nonce(address, nonce)));
    }
    answer(&U64::from(view(chain, id)?.state.nonce(address)))
}

/// go-ethereum's `eth_getAccount`.
fn account(chain: &Chain, address: Address, id: Option<BlockId>) -> Answer {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct RpcAccount {
        balance: U256,
        nonce: U64,
        code_hash: B256,
        storage_root: B256,
    }
    let state = view(chain, id)?.state;
    let account = state.account(address);
    answer(&RpcAccount {
        balance: state.balance(address),
        nonce: U64::from(state.nonce(address)),
        code_hash: account.map_or(KECCAK256_EMPTY, |account| account.code_hash),
        storage_root: account.map_or(EMPTY_ROOT, |account| account.storage.root()),
    })
}

/// reth's `eth_getAccountInfo`, which forking tools ask for first.
fn account_info(chain: &Chain, address: Address, id: Option<BlockId>) -> Answer {
    #[derive(Serialize)]
    struct RpcAccountInfo {
        balance: U256,
        nonce: U64,
        code: Bytes,
    }
    let state = view(chain, id)?.state;
    let code = state.account(address).map(|account| account.code.original_bytes());
    answer(&RpcAccountInfo {
        balance: state.balance(address),
        nonce: U64::from(state.nonce(address)),
        code: code.unwrap_or_default(),
    })
}

fn proof(chain: &Chain, address: Address, keys: Vec<JsonStorageKey>, id: Option<BlockId>) -> Answer {
    if keys.len() > PROOF_KEYS_MAX {
        return Err(RpcError::invalid_params(format!(
            "too many keys: {}, at most {PROOF_KEYS_MAX}",
            keys.len()
        )));
    }
    let state = view(chain, id)?.state;
    let account = state.account(address);
    let storage_proof = keys
        .into_iter()
        .map(|key| {
            let slot: U256 = key.as_b256().into();
            let value = account.map(|account| account.slot(slot)).unwrap_or_default();
            let proof = account
                .map(|account| account.storage.prove(&keccak256(key.as_b256())))
                .unwrap_or_default();
            EIP1186StorageProof { key, value, proof }
        })
        .collect();
    answer(&EIP1186AccountProofResponse {
        address,
        balance: state.balance(address),
        code_hash: account.map_or(KECCAK256_EMPTY, |account| account.code_hash),
        nonce: state.nonce(address),
        storage_hash: account.map_or(EMPTY_ROOT, |account| account.storage.root()),
        account_proof: state.prove_account(address),
        storage_proof,
    })
}

fn fee_history(chain: &Chain, params: &Params<'_>) -> Answer {
    let count = params.get::<dev::Number>(0)?.0.min(FEE_HISTORY_BLOCKS_MAX);
    let percentiles: Vec<f64> = params.optional(2)?.unwrap_or_default();
    let in_range = percentiles.iter().all(|percentile| (0.0..=100.0).contains(percentile));
    if percentiles.len() > 100 || !in_range || !percentiles.is_sorted() {
        return Err(RpcError::invalid_params(
            "invalid reward percentile: at most 100 of them, from 0 to 100, ascending",
        ));
    }
    let newest = {
        let ledger = chain.ledger();
        let number = chain.resolve_tag(&ledger, params.get(1)?);
        let head = ledger.head().header.number;
        if number > head {
            return Err(RpcError::server(format!(
                "request beyond head block: requested {number}, head {head}"
            )));
        }
        number
    };
    let count = count.min(newest + 1);
    let oldest = newest + 1 - count;
    let ledger = chain.ledger();
    let gas_used_ratio = (oldest..oldest + count)
        .filter_map(|number| ledger.block(number))
        .map(|block| block.header.gas_used as f64 / BLOCK_GAS_LIMIT as f64)
        .collect();
    answer(&FeeHistory {
        base_fee_per_gas: vec![u128::from(BASE_FEE_WEI); count as usize + 1],
        gas_used_ratio,
        oldest_block: oldest,
        // Nobody's tip is paid to anybody.
        reward: (!percentiles.is_empty()).then(|| vec![vec![0; percentiles.len()]; count as usize]),
        ..FeeHistory::default()
    })
}
