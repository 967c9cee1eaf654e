//! The method table.

use alloy::consensus::{SignableTransaction, TxEip1559, TxEip2930, TxEip7702, TxEnvelope, TxLegacy};
use alloy::eips::{BlockId, BlockNumberOrTag, RpcBlockHash};
use alloy::network::TxSignerSync;
use alloy::primitives::{Address, B256, Bytes, Signature, TxKind, U64, U256, keccak256};
use alloy::rpc::types::state::StateOverride;
use alloy::rpc::types::{
    AccessList, BlockOverrides, EIP1186AccountProofResponse, EIP1186StorageProof, FeeHistory, Filter,
    TransactionRequest,
};
use alloy::serde::JsonStorageKey;
use serde::Deserialize;

use super::filters::{Changes, Wanted, check, get_logs};
use super::{Answer, Node, Params, RpcError, answer, debug, types};
use crate::block::{BASE_FEE_WEI, BLOCK_GAS_LIMIT};
use crate::call;
use crate::chain::{Chain, Ledger, View};
use crate::executor::BlockContext;
use crate::pool::Pooled;
use crate::state::{Change, Slot};
use crate::trie::EMPTY_ROOT;

/// Blocks that one `eth_feeHistory` may name, as in go-ethereum.
const FEE_HISTORY_BLOCKS_MAX: u64 = 1_024;
/// Slots that one `eth_getProof` may name, as in go-ethereum.
const PROOF_KEYS_MAX: usize = 1_024;

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
        "net_version" => answer(&chain.chain_id.to_string()),
        "net_listening" => answer(&true),
        "net_peerCount" => answer(&U64::ZERO),
        "eth_chainId" => answer(&U64::from(chain.chain_id)),
        "eth_syncing" | "eth_mining" => answer(&false),
        "eth_protocolVersion" => answer("0x41"),
        "eth_accounts" => answer(
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

        "eth_blockNumber" => answer(&U64::from(chain.ledger().head().header.number)),
        "eth_getBlockByNumber" => {
            let block = block_by_tag(chain, params.get(0)?);
            let full = params.optional(1)?.unwrap_or(false);
            answer(&block.map(|block| types::block(&block, full)))
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
        "eth_getProof" => proof(chain, params.get(0)?, params.get(1)?, params.optional(2)?),
        "eth_call" => {
            let (request, view) = request_and_view(chain, params, BlockId::latest())?;
            answer(&call::call(chain, &view, request)?)
        }
        "eth_estimateGas" => {
            let (request, view) = request_and_view(chain, params, BlockId::pending())?;
            answer(&U64::from(call::estimate(chain, &view, request)?))
        }
        "eth_createAccessList" => debug::create_access_list(chain, params),
        "debug_traceTransaction" => debug::trace_transaction(chain, params),
        "debug_traceCall" => debug::trace_call(chain, params),
        "debug_traceBlockByNumber" => debug::trace_block_by_number(chain, params),
        "debug_traceBlockByHash" => debug::trace_block_by_hash(chain, params),
        "eth_sendRawTransaction" => answer(&chain.submit_raw(&params.get::<Bytes>(0)?)?),
        "eth_sendTransaction" => send_transaction(chain, params.get(0)?),

        "eth_getLogs" => answer(&get_logs(chain, &params.get(0)?)?),
        "eth_newFilter" => {
            let filter: Filter = params.get(0)?;
            check(&filter)?;
            answer(&node.filters.install(chain, Wanted::Logs(Box::new(filter)))?)
        }
        "eth_newBlockFilter" => answer(&node.filters.install(chain, Wanted::Blocks)?),
        "eth_newPendingTransactionFilter" => answer(&node.filters.install(chain, Wanted::Pending)?),
        "eth_uninstallFilter" => answer(&node.filters.uninstall(params.get(0)?)),
        "eth_getFilterChanges" => match node.filters.changes(chain, params.get(0)?)? {
            Changes::Hashes(hashes) => answer(&hashes),
            Changes::Logs(logs) => answer(&logs),
        },
        "eth_getFilterLogs" => answer(&get_logs(chain, &node.filters.log_filter(params.get(0)?)?)?),

        "evm_snapshot" | "anvil_snapshot" => answer(&U64::from(chain.snapshot())),
        "evm_revert" | "anvil_revert" => answer(&chain.revert(params.get::<U64>(0)?.to())?),
        "evm_mine" => mine(chain, params),
        "anvil_mine" | "hardhat_mine" => {
            let (count, interval) = (params.optional::<Number>(0)?, params.optional::<Number>(1)?);
            chain.mine(
                count.map_or(1, |count| count.0),
                interval.map_or(0, |interval| interval.0),
            )?;
            answer(&())
        }
        "evm_increaseTime" | "anvil_increaseTime" => {
            let seconds: Number = params.get(0)?;
            answer(&chain.increase_time(i64::try_from(seconds.0).unwrap_or(i64::MAX))?)
        }
        "evm_setNextBlockTimestamp" | "anvil_setNextBlockTimestamp" => {
            chain.set_next_timestamp(params.get::<Number>(0)?.0)?;
            answer(&())
        }
        "evm_setAutomine" | "anvil_setAutomine" => {
            chain.set_automine(params.get(0)?)?;
            answer(&())
        }
        "anvil_getAutomine" | "hardhat_getAutomine" => answer(&chain.automine()),
        "anvil_reorg" => {
            chain.reorg(params.get::<Number>(0)?.0)?;
            answer(&())
        }
        "anvil_setBalance" | "hardhat_setBalance" => {
            let (address, balance): (Address, U256) = (params.get(0)?, params.get(1)?);
            chain.override_state(|state| Change {
                balance,
                ..state.unchanged(address)
            })?;
            answer(&())
        }
        "anvil_setNonce" | "hardhat_setNonce" => {
            let (address, nonce): (Address, Number) = (params.get(0)?, params.get(1)?);
            chain.override_state(|state| Change {
                nonce: nonce.0,
                ..state.unchanged(address)
            })?;
            answer(&())
        }
        "anvil_setCode" | "hardhat_setCode" => {
            let (address, code): (Address, Bytes) = (params.get(0)?, params.get(1)?);
            chain.override_state(|state| Change {
                code: vec![code],
                ..state.unchanged(address)
            })?;
            answer(&())
        }
        "anvil_setStorageAt" | "hardhat_setStorageAt" => {
            let (address, key, value): (Address, JsonStorageKey, B256) =
                (params.get(0)?, params.get(1)?, params.get(2)?);
            let storage = vec![Slot {
                key: key.as_b256().into(),
                value: value.into(),
            }];
            chain.override_state(|state| Change {
                storage,
                ..state.unchanged(address)
            })?;
            answer(&true)
        }
        "anvil_impersonateAccount" | "hardhat_impersonateAccount" => {
            chain.impersonate(params.get(0)?, true);
            answer(&())
        }
        "anvil_stopImpersonatingAccount" | "hardhat_stopImpersonatingAccount" => {
            chain.impersonate(params.get(0)?, false);
            answer(&())
        }
        _ => Err(RpcError::method_not_found(method)),
    }
}

/// A count or time, as a JSON number or as a hexadecimal quantity: development methods get both.
struct Number(u64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // U256 reads both forms; U64 would refuse numbers.
        let number = U256::deserialize(deserializer)?;
        u64::try_from(number).map(Self).map_err(serde::de::Error::custom)
    }
}

impl Chain {
    /// The number of the block that a tag means. `safe` and `finalized` lag by configured depths; `pending` is the
    /// latest, because a block is mined as soon as there is a transaction.
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

fn transaction_by_hash(chain: &Chain, hash: B256) -> Answer {
    let found = chain
        .ledger()
        .transaction(&hash)
        .map(|(block, index)| (block.clone(), index));
    match found {
        Some((block, index)) => answer(&types::transaction(&block, index)),
        None => answer(&chain.pool().get(&hash).map(types::waiting)),
    }
}

fn raw_transaction(chain: &Chain, hash: B256) -> Answer {
    use alloy::eips::Encodable2718;
    let found = chain
        .ledger()
        .transaction(&hash)
        .map(|(block, index)| (block.clone(), index));
    answer(&found.map(|(block, index)| Bytes::from(block.transactions[index].transaction.encoded_2718())))
}

fn transaction_in(block: Found, index: U64) -> Answer {
    let index = usize::try_from(index.to::<u64>()).unwrap_or(usize::MAX);
    let found = block.filter(|block| index < block.transactions.len());
    answer(&found.map(|block| types::transaction(&block, index)))
}

fn transaction_count(chain: &Chain, address: Address, id: Option<BlockId>) -> Answer {
    let nonce = view(chain, id)?.state.nonce(address);
    if id == Some(BlockId::pending()) {
        return answer(&U64::from(chain.pool().pending_nonce(address, nonce)));
    }
    answer(&U64::from(nonce))
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
        code_hash: account.map_or(alloy::primitives::KECCAK256_EMPTY, |account| account.code_hash),
        nonce: state.nonce(address),
        storage_hash: account.map_or(EMPTY_ROOT, |account| account.storage.root()),
        account_proof: state.prove_account(address),
        storage_proof,
    })
}

fn fee_history(chain: &Chain, params: &Params<'_>) -> Answer {
    let count = params.get::<Number>(0)?.0.min(FEE_HISTORY_BLOCKS_MAX);
    let percentiles: Vec<f64> = params.optional(2)?.unwrap_or_default();
    if percentiles.len() > 100 || percentiles.windows(2).any(|pair| pair[0] > pair[1]) {
        return Err(RpcError::invalid_params("reward percentiles: at most 100, ascending"));
    }
    let newest = block_by_tag(chain, params.get(1)?).ok_or_else(|| RpcError::server("header not found"))?;
    let newest = newest.header.number;
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

fn mine(chain: &Chain, params: &Params<'_>) -> Answer {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Options {
        Timestamp(U256),
        Object {
            blocks: Option<u64>,
            timestamp: Option<u64>,
        },
    }
    let (blocks, timestamp) = match params.optional(0)? {
        None => (1, None),
        Some(Options::Timestamp(timestamp)) => (1, Some(timestamp.saturating_to())),
        Some(Options::Object { blocks, timestamp }) => (blocks.unwrap_or(1), timestamp),
    };
    if let Some(timestamp) = timestamp {
        chain.set_next_timestamp(timestamp)?;
    }
    chain.mine(blocks, 0)?;
    answer("0x0")
}

/// Signs for a development account, or sends unsigned for an impersonated one.
fn send_transaction(chain: &Chain, request: TransactionRequest) -> Answer {
    let sender = request
        .from
        .ok_or_else(|| RpcError::invalid_params("'from' is missing"))?;
    let account = chain.accounts().iter().find(|account| account.address == sender);
    let impersonated = chain.is_impersonated(sender);
    if account.is_none() && !impersonated {
        return Err(crate::error::TxError::UnknownAccount(sender).into());
    }
    let nonce = match request.nonce {
        Some(nonce) => nonce,
        None => {
            let nonce = chain.ledger().head_state().nonce(sender);
            chain.pool().pending_nonce(sender, nonce)
        }
    };
    let gas = match request.gas {
        Some(gas) => gas,
        None => call::estimate(chain, &chain.pending_view(), request.clone())?,
    };
    let unsigned = Unsigned::from_request(chain, request, nonce, gas)?;
    let transaction = match account {
        Some(account) if !impersonated => unsigned.sign(&account.signer)?,
        // No signature recovers to an account whose key we lack. The sender as "r" keeps hashes of equal
        // transactions by different senders apart.
        _ => unsigned.with(Signature::new(
            U256::from_be_slice(sender.as_slice()),
            U256::from(1),
            false,
        )),
    };
    answer(&chain.submit(Pooled {
        transaction,
        sender,
        impersonated,
    })?)
}

/// A complete transaction without signature, of the type that the request's fields call for.
enum Unsigned {
    Legacy(TxLegacy),
    Eip2930(TxEip2930),
    Eip1559(TxEip1559),
    Eip7702(TxEip7702),
}

impl Unsigned {
    fn from_request(chain: &Chain, request: TransactionRequest, nonce: u64, gas_limit: u64) -> Result<Self, RpcError> {
        let chain_id = chain.chain_id;
        let input = request
            .input
            .try_into_unique_input()
            .map_err(|error| RpcError::invalid_params(error.to_string()))?
            .unwrap_or_default();
        let to = request.to.unwrap_or(TxKind::Create);
        let value = request.value.unwrap_or_default();
        let listed = request.access_list.is_some();
        let access_list: AccessList = request.access_list.unwrap_or_default();
        if let (Some(authorization_list), TxKind::Call(to)) = (request.authorization_list, to) {
            return Ok(Self::Eip7702(TxEip7702 {
                chain_id,
                nonce,
                gas_limit,
                max_fee_per_gas: request.max_fee_per_gas.unwrap_or(u128::from(BASE_FEE_WEI) * 2),
                max_priority_fee_per_gas: request.max_priority_fee_per_gas.unwrap_or_default(),
                to,
                value,
                access_list,
                authorization_list,
                input,
            }));
        }
        Ok(match request.gas_price {
            Some(gas_price) if listed => Self::Eip2930(TxEip2930 {
                chain_id,
                nonce,
                gas_price,
                gas_limit,
                to,
                value,
                access_list,
                input,
            }),
            Some(gas_price) => Self::Legacy(TxLegacy {
                chain_id: Some(chain_id),
                nonce,
                gas_price,
                gas_limit,
                to,
                value,
                input,
            }),
            None => Self::Eip1559(TxEip1559 {
                chain_id,
                nonce,
                gas_limit,
                max_fee_per_gas: request.max_fee_per_gas.unwrap_or(u128::from(BASE_FEE_WEI) * 2),
                max_priority_fee_per_gas: request.max_priority_fee_per_gas.unwrap_or_default(),
                to,
                value,
                access_list,
                input,
            }),
        })
    }

    fn sign(mut self, signer: &alloy::signers::local::PrivateKeySigner) -> Result<TxEnvelope, RpcError> {
        let signature = match &mut self {
            Self::Legacy(tx) => signer.sign_transaction_sync(tx),
            Self::Eip2930(tx) => signer.sign_transaction_sync(tx),
            Self::Eip1559(tx) => signer.sign_transaction_sync(tx),
            Self::Eip7702(tx) => signer.sign_transaction_sync(tx),
        };
        Ok(self.with(signature.map_err(RpcError::internal)?))
    }

    fn with(self, signature: Signature) -> TxEnvelope {
        match self {
            Self::Legacy(tx) => tx.into_signed(signature).into(),
            Self::Eip2930(tx) => tx.into_signed(signature).into(),
            Self::Eip1559(tx) => tx.into_signed(signature).into(),
            Self::Eip7702(tx) => tx.into_signed(signature).into(),
        }
    }
}
