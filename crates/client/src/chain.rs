//! The chain as the client sees it: typed calls and sends, with reverts decoded to the contract's own errors.

use std::{sync::Arc, time::Duration};

use alloy::{
    consensus::Transaction as _,
    eips::{BlockId, BlockNumberOrTag, eip2718::Encodable2718},
    network::{EthereumWallet, NetworkTransactionBuilder, TransactionBuilder, TransactionResponse},
    primitives::{Address, B256, Bytes, Log, TxKind},
    providers::{DynProvider, Provider, ProviderBuilder},
    rpc::types::{self, Filter, TransactionReceipt, TransactionRequest},
    sol_types::{SolCall, SolEvent as _, SolEventInterface},
    transports::{RpcError, TransportErrorKind},
};
use medlock_abi::audit::IAudit;
use medlock_api::account;
use tokio::sync::Mutex;

use crate::{
    error::{Error, Result},
    fault::Fault,
    platform::{sleep, timeout},
    signer::Signer,
    step::{Step, Watch},
};

/// How long a sent transaction may stay without a receipt.
const RECEIPT_WAIT: Duration = Duration::from_secs(60);
/// First pause between two looks for a receipt; doubles up to [`RECEIPT_POLL_MOST`].
const RECEIPT_POLL_FIRST: Duration = Duration::from_millis(10);
const RECEIPT_POLL_MOST: Duration = Duration::from_secs(1);

/// How often one reading of logs asks the node, whose limit on blocks or logs is not known: a year of Arbitrum in ranges of 200,000 blocks.
const LOG_ASKS_MOST: u32 = 640;
/// Logs of one reading: some 50 MB of JSON.
const LOGS_MOST: usize = 50_000;

/// What is added to an estimate, a fifth of it: the wallet's user takes a while.
const WALLET_GAS_MORE: u64 = 5;

/// A mined transaction of ours.
#[derive(Debug, Clone, Copy, serde::Serialize)]
pub struct Mined {
    pub transaction: B256,
    pub block: u64,
    pub gas: u64,
}

/// A provider that signs with one account.
#[derive(Clone)]
pub struct Chain {
    provider: DynProvider,
    url: String,
    chain_id: u64,
    signer: Signer,
    /// Held from the choice of a nonce until the transaction is handed over, so that two never choose the same.
    sending: Arc<Mutex<()>>,
}

impl Chain {
    /// Does not touch the network. `chain_id` is what every transaction is signed for, whatever the endpoint says:
    /// the same account may have funds on another chain.
    pub fn new(rpc_url: &str, chain_id: u64, signer: &Signer) -> Result<Self> {
        let url = rpc_url
            .parse()
            .map_err(|_| Error::Usage(format!("not a URL: {rpc_url}")))?;
        // The nonce is asked for each time: the cached kind leaves a gap behind every transaction whose gas
        // estimate reverts, and what comes after the gap is never mined.
        let builder = ProviderBuilder::new().disable_recommended_fillers();
        let provider = match signer {
            Signer::Key(key) => builder
                .with_gas_estimation()
                .with_simple_nonce_management()
                .with_chain_id(chain_id)
                .wallet(EthereumWallet::from(key.clone()))
                .connect_http(url)
                .erased(),
            Signer::Wallet { .. } => builder.connect_http(url).erased(),
        };
        Ok(Self {
            provider,
            chain_id,
            signer: signer.clone(),
            url: rpc_url.to_owned(),
            sending: Arc::default(),
        })
    }

    /// Asks the endpoint once which chain it is, and signs for that one from then on.
    pub async fn discover(rpc_url: &str, signer: &Signer) -> Result<Self> {
        let asking = Self::new(rpc_url, 0, signer)?;
        let chain_id = asking.provider.get_chain_id().await;
        Self::new(
            rpc_url,
            chain_id.map_err(|error| asking.error("eth_chainId", error))?,
            signer,
        )
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub fn provider(&self) -> &DynProvider {
        &self.provider
    }

    /// Calls a view at the latest block.
    pub async fn call<C: SolCall>(&self, to: Address, call: C) -> Result<C::Return> {
        self.call_at(to, call, BlockId::latest()).await
    }

    pub async fn call_at<C: SolCall>(&self, to: Address, call: C, block: BlockId) -> Result<C::Return> {
        let request = TransactionRequest::default().with_to(to).with_input(call.abi_encode());
        let output = self
            .provider
            .call(request)
            .block(block)
            .await
            .map_err(|error| self.error(C::SIGNATURE, error))?;
        C::abi_decode_returns(&output).map_err(|_| Error::Chain {
            url: self.url.clone(),
            doing: C::SIGNATURE.to_owned(),
            detail: "the answer is not what the ABI says: is this the right contract?".into(),
        })
    }

    /// Whether `audit` logged this anchor in the block `number`. The anchor names its gateway and its index.
    pub(crate) async fn has_anchor(&self, audit: Address, number: u64, anchor: B256) -> Result<bool> {
        let filter = Filter::new()
            .select(number..=number)
            .address(audit)
            .event_signature(IAudit::Anchored::SIGNATURE_HASH)
            .topic3(anchor);
        let logs = self.provider.get_logs(&filter).await;
        Ok(!logs.map_err(|error| self.error("eth_getLogs", error))?.is_empty())
    }

    /// Whether the code of `account` confirms, at the state of the block `at`, that the account has signed `digest` (EIP-1271, EIP-6492).
    /// `None`: the node does not say, as it has the block or its state no more.
    pub(crate) async fn confirms(
        &self,
        at: B256,
        account: Address,
        digest: B256,
        signature: &[u8],
    ) -> Result<Option<bool>> {
        let Some(question) = account::question(account, digest, signature) else {
            return Ok(Some(false));
        };
        let mut request = TransactionRequest::default()
            .with_from(account::ASKER)
            .with_input(question)
            .with_gas_limit(account::QUESTION_GAS);
        request.to = Some(TxKind::Create);
        match self.provider.call(request).block(BlockId::from(at)).await {
            Ok(answer) => Ok(Some(account::is_yes(&answer))),
            // The question itself never reverts.
            Err(error) if error.is_error_resp() => Ok(None),
            Err(error) => Err(self.error("eth_call", error)),
        }
    }

    /// The newest block that no reorganisation removes; 0: the chain does not say.
    pub async fn final_block(&self) -> Result<u64> {
        match self.provider.get_block_by_number(BlockNumberOrTag::Finalized).await {
            Ok(block) => Ok(block.map_or(0, |block| block.header.number)),
            // Chains that have none of that kind.
            Err(error) if error.is_error_resp() => Ok(0),
            Err(error) => Err(self.error("eth_getBlockByNumber", error)),
        }
    }

    /// Hash and time (UNIX seconds) of the newest block.
    pub async fn latest(&self) -> Result<(B256, u64)> {
        let block = self.provider.get_block_by_number(BlockNumberOrTag::Latest).await;
        let block = block.map_err(|error| self.error("eth_getBlockByNumber", error))?;
        let header = block.map(|block| (block.header.hash, block.header.timestamp));
        header.ok_or_else(|| Error::Chain {
            url: self.url.clone(),
            doing: "eth_getBlockByNumber".into(),
            detail: "it has no latest block".into(),
        })
    }

    /// Of the latest block.
    pub(crate) async fn block_number(&self) -> Result<u64> {
        let number = self.provider.get_block_number().await;
        number.map_err(|error| self.error("eth_blockNumber", error))
    }

    /// The block that a transaction of ours is in at present; `None`: in none, perhaps not any more.
    pub async fn block_of(&self, transaction: B256) -> Result<Option<u64>> {
        let receipt = self.provider.get_transaction_receipt(transaction).await;
        let receipt = receipt.map_err(|error| self.error("eth_getTransactionReceipt", error))?;
        Ok(receipt.and_then(|receipt| receipt.block_number))
    }

    /// The events that `filter` selects from the block `since` on, in the order of the chain, each with its block.
    pub(crate) async fn events<E: SolEventInterface>(&self, filter: &Filter, since: u64) -> Result<Vec<(u64, E)>> {
        let logs = self.mined_logs(filter, since).await?;
        let events = logs.iter().map(|log| {
            let event = E::decode_log(&log.inner).ok();
            let placed = log.block_number.zip(event.map(|event| event.data));
            placed.ok_or_else(|| {
                self.unfit(
                    "eth_getLogs",
                    "a log is not what the ABI says: is this the right contract?",
                )
            })
        });
        events.collect()
    }

    /// A node that does not answer for so many blocks is asked for half of them, down to one.
    async fn mined_logs(&self, filter: &Filter, since: u64) -> Result<Vec<types::Log>> {
        let last = self.block_number().await?;
        let (mut from, mut to) = (since, last);
        let mut found = Vec::new();
        for _ in 0..LOG_ASKS_MOST {
            match self.provider.get_logs(&filter.clone().select(from..=to)).await {
                Ok(logs) => found.extend(logs),
                Err(error) if error.is_error_resp() && from < to => {
                    to = from + (to - from) / 2;
                    continue;
                }
                Err(error) => return Err(self.error("eth_getLogs", error)),
            }
            if found.len() > LOGS_MOST {
                return Err(self.unfit("eth_getLogs", "it has more logs of this than are read at once"));
            }
            if to == last {
                return Ok(found);
            }
            (from, to) = (to + 1, last.min(to + (to - from) + 1));
        }
        Err(self.unfit(
            "eth_getLogs",
            "it gives too few blocks at a time; use a node that gives more",
        ))
    }

    /// The time of a block that there is (UNIX seconds).
    pub(crate) async fn time_of(&self, number: u64) -> Result<u64> {
        let block = self.provider.get_block_by_number(number.into()).await;
        let block = block.map_err(|error| self.error("eth_getBlockByNumber", error))?;
        let time = block.map(|block| block.header.timestamp);
        time.ok_or_else(|| self.unfit("eth_getBlockByNumber", "it does not have a block that it told of"))
    }

    /// What a contract said in a transaction.
    pub(crate) async fn logs_of(&self, transaction: B256, contract: Address) -> Result<Vec<Log>> {
        let receipt = self.provider.get_transaction_receipt(transaction).await;
        let receipt = receipt.map_err(|error| self.error("eth_getTransactionReceipt", error))?;
        let receipt = receipt.ok_or(Error::NotMined { transaction })?;
        let logs = receipt.inner.logs().iter().map(|log| log.inner.clone());
        Ok(logs.filter(|log| log.address == contract).collect())
    }

    /// The hash of a block, if the chain has it.
    pub async fn block_hash(&self, number: u64) -> Result<Option<B256>> {
        let block = self.provider.get_block_by_number(number.into()).await;
        Ok(block
            .map_err(|error| self.error("eth_getBlockByNumber", error))?
            .map(|block| block.header.hash))
    }

    /// Sends a transaction and waits until it is mined. A revert is found before sending, by the gas estimate.
    pub async fn send<C: SolCall>(&self, to: Address, call: C) -> Result<Mined> {
        self.send_watched(to, call, &Watch::default()).await
    }

    pub(crate) async fn send_watched<C: SolCall>(&self, to: Address, call: C, watch: &Watch) -> Result<Mined> {
        watch.tell(Step::Signing { doing: C::SIGNATURE });
        let (to, input) = (TxKind::Call(to), call.abi_encode().into());
        let mined = self.send_raw(C::SIGNATURE, to, input, watch).await?;
        watch.tell(Step::Mined { mined });
        Ok(mined)
    }

    async fn send_raw(&self, doing: &str, kind: TxKind, input: Bytes, watch: &Watch) -> Result<Mined> {
        let mut request = TransactionRequest::default().with_input(input);
        request.to = Some(kind);
        let sent = {
            let _one_at_a_time = self.sending.lock().await;
            self.submit(doing, &request).await
        };
        let hash = sent?;
        watch.tell(Step::Sent { transaction: hash });
        let receipt = self.receipt(hash).await?;
        // A wallet's user may have replaced it, and a wallet may say what it likes.
        if let Signer::Wallet { account, .. } = &self.signer {
            let found = self.provider.get_transaction_by_hash(hash).await;
            let found = found.map_err(|error| self.error("eth_getTransactionByHash", error))?;
            let input = request.input.input().cloned().unwrap_or_default();
            let is_ours =
                found.is_some_and(|found| found.from() == *account && found.kind() == kind && *found.input() == input);
            if !is_ours {
                return Err(Error::Wallet(format!(
                    "transaction {hash} is not what it was asked to send"
                )));
            }
        }
        if !receipt.status() {
            return Err(self.explain(doing, hash, request, &receipt).await);
        }
        Ok(Mined {
            transaction: hash,
            block: receipt.block_number.unwrap_or_default(),
            gas: receipt.gas_used,
        })
    }

    async fn submit(&self, doing: &str, request: &TransactionRequest) -> Result<B256> {
        let fault = |error| self.error(doing, error);
        let account = self.signer.address();
        let request = request.clone().with_from(account);
        // By our own node, so that a wallet's user is not asked about what would fail.
        let gas = self.provider.estimate_gas(request.clone()).await.map_err(fault)?;
        let key = match &self.signer {
            Signer::Wallet { wallet, .. } => {
                let request = request.with_gas_limit(gas + gas / WALLET_GAS_MORE);
                return Signer::send(account, &**wallet, self.chain_id, &request).await;
            }
            Signer::Key(key) => key,
        };
        // Asked for each time: a nonce that is counted here leaves a gap where a transaction was not sent after all.
        let nonce = self.provider.get_transaction_count(account).pending().await;
        let fees = self.provider.estimate_eip1559_fees().await.map_err(fault)?;
        let request = request
            .with_chain_id(self.chain_id)
            .with_nonce(nonce.map_err(fault)?)
            .with_gas_limit(gas)
            .with_max_fee_per_gas(fees.max_fee_per_gas)
            .with_max_priority_fee_per_gas(fees.max_priority_fee_per_gas);
        let signed = request.build(&EthereumWallet::from(key.clone())).await;
        let signed = signed.map_err(|error| Error::Usage(format!("cannot sign the transaction: {error}")))?;
        // The provider's own way to send begins to poll for blocks, and goes on for ever.
        let (raw, hash) = (Bytes::from(signed.encoded_2718()), *signed.tx_hash());
        let sent: std::result::Result<B256, _> = self.provider.client().request("eth_sendRawTransaction", (raw,)).await;
        match sent {
            Ok(_) => Ok(hash),
            // Refused by the node: it has not taken it.
            Err(error) if error.is_error_resp() => Err(fault(error)),
            // It may have: whether it did, the receipt tells, and that there is none is no reason to send another.
            Err(_) => Ok(hash),
        }
    }

    /// A transaction that somebody else says has submitted `call` to `to`: it did, and did not revert.
    pub(crate) async fn relayed(&self, doing: &str, transaction: B256, to: Address, call: &Bytes) -> Result<Mined> {
        let receipt = self.receipt(transaction).await?;
        let found = self.provider.get_transaction_by_hash(transaction).await;
        let found = found.map_err(|error| self.error("eth_getTransactionByHash", error))?;
        let is_ours = found.is_some_and(|found| found.to() == Some(to) && found.input() == call);
        if !is_ours || !receipt.status() {
            return Err(Error::GatewayAnswer {
                doing: doing.to_owned(),
                detail: format!("transaction {transaction} has not done it"),
            });
        }
        Ok(Mined {
            transaction,
            block: receipt.block_number.unwrap_or_default(),
            gas: receipt.gas_used,
        })
    }

    /// Waits for a receipt. The transaction is on its way: an endpoint that fails now must not be taken for a
    /// transaction that was not sent, or the step would be done twice.
    async fn receipt(&self, transaction: B256) -> Result<TransactionReceipt> {
        timeout(RECEIPT_WAIT, async {
            let mut pause = RECEIPT_POLL_FIRST;
            loop {
                if let Ok(Some(receipt)) = self.provider.get_transaction_receipt(transaction).await {
                    return receipt;
                }
                sleep(pause).await;
                pause = (pause * 2).min(RECEIPT_POLL_MOST);
            }
        })
        .await
        .map_err(|_| Error::NotMined { transaction })
    }

    /// Why a mined transaction reverted: the same call, again, on the state it met.
    async fn explain(
        &self,
        doing: &str,
        transaction: B256,
        request: TransactionRequest,
        receipt: &TransactionReceipt,
    ) -> Error {
        let request = request.with_from(receipt.from);
        let block = receipt.block_number.unwrap_or_default();
        match self.provider.call(request).block(block.into()).await {
            Err(error) => self.error(doing, error),
            Ok(_) => Error::Reverted {
                doing: doing.to_owned(),
                fault: format!("transaction {transaction} was mined and reverted"),
            },
        }
    }

    /// The node answered, with what is no use.
    pub(crate) fn unfit(&self, doing: &str, why: &str) -> Error {
        Error::Chain {
            url: self.url.clone(),
            doing: doing.to_owned(),
            detail: why.to_owned(),
        }
    }

    pub(crate) fn error(&self, doing: &str, error: RpcError<TransportErrorKind>) -> Error {
        if let Some(payload) = error.as_error_resp() {
            if let Some(data) = payload.as_revert_data() {
                return contract_error(doing, &data);
            }
            return Error::Chain {
                url: self.url.clone(),
                doing: doing.to_owned(),
                detail: payload.message.to_string(),
            };
        }
        Error::ChainUnreachable {
            url: self.url.clone(),
            detail: error.to_string(),
        }
    }
}

/// What revert data says.
pub(crate) fn contract_error(doing: &str, revert: &Bytes) -> Error {
    match Fault::decode(revert) {
        Some(fault) => Error::Contract {
            doing: doing.to_owned(),
            fault,
        },
        None => Error::Reverted {
            doing: doing.to_owned(),
            fault: format!("revert data {revert}"),
        },
    }
}
