//! Questions to the contracts, each pinned to one block by its hash, so that several answers speak of one state.
use std::time::Duration;

use alloy::{
    eips::BlockId,
    network::{Ethereum, TransactionBuilder as _},
    primitives::{Address, B256, Bytes, TxKind, U64, U256},
    providers::{Provider as _, RootProvider},
    rpc::types::{EIP1186AccountProofResponse, TransactionRequest},
    sol_types::SolCall,
    transports::{RpcError, TransportErrorKind},
};
use anyhow::{Context as _, anyhow, ensure};
use medlock_abi::{audit::IAudit, exceptions::IExceptions, records::IRecords, registry::IRegistry};
use medlock_api::{Kind, account};
use medlock_indexer::Deployment;
use tokio::time::timeout;

use crate::problem::{Failure, Result};

/// A node that has not answered by then counts as down: the reader's patience is short, and nothing is decided without it.
const CALL_TIMEOUT: Duration = Duration::from_secs(5);

/// A block that answers speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    pub number: u64,
    pub hash: B256,
    /// UNIX seconds.
    pub time: u64,
}

/// What came of a call that was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tried<T> {
    Done(T),
    /// The error as the contract encoded it; empty where it gave none.
    Reverted(Bytes),
}

/// What a transaction came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    pub block: u64,
    pub block_hash: B256,
    pub success: bool,
    pub gas_used: u64,
}

#[derive(Clone)]
pub struct Chain {
    provider: RootProvider<Ethereum>,
    deployment: Deployment,
}

impl Chain {
    pub fn new(rpc_url: &str, deployment: Deployment) -> anyhow::Result<Self> {
        // The URL may carry an access key: it is not repeated.
        let url = rpc_url.parse().context("the RPC URL cannot be read")?;
        Ok(Self {
            provider: RootProvider::new_http(url),
            deployment,
        })
    }

    /// Fails unless the node serves the deployment's chain with all contracts on it.
    pub async fn identify(&self) -> anyhow::Result<()> {
        let chain_id: U64 = self.request("eth_chainId", ()).await.map_err(|f| anyhow!("{f}"))?;
        ensure!(
            chain_id.to::<u64>() == self.deployment.chain_id,
            "the node serves chain id {chain_id}, the deployment is on chain id {}",
            self.deployment.chain_id
        );
        let genesis = self.block("0x0").await.map_err(|f| anyhow!("{f}"))?;
        ensure!(
            genesis.hash == self.deployment.genesis_hash,
            "the node's genesis block is {}, the deployment's is {}: another chain, or this one was reset",
            genesis.hash,
            self.deployment.genesis_hash
        );
        for address in self.deployment.contracts() {
            let code: Bytes = self
                .request("eth_getCode", (address, "latest"))
                .await
                .map_err(|f| anyhow!("{f}"))?;
            ensure!(
                !code.is_empty(),
                "there is no contract at {address}, where the deployment has one"
            );
        }
        Ok(())
    }

    pub async fn latest(&self) -> Result<Block> {
        self.block("latest").await
    }

    /// `decide`: the reason alone says whether it is allowed.
    pub async fn decide(&self, at: &Block, question: IRecords::Question) -> Result<u8> {
        let answer = self.records(at, IRecords::decideCall { question }).await?;
        Ok(answer.reason)
    }

    pub async fn chart_of(&self, at: &Block, chart: B256) -> Result<IRecords::chartOfReturn> {
        self.records(at, IRecords::chartOfCall { chart }).await
    }

    pub async fn record_of(&self, at: &Block, chart: B256, record_id: B256) -> Result<IRecords::recordOfReturn> {
        self.records(
            at,
            IRecords::recordOfCall {
                chart,
                recordId: record_id,
            },
        )
        .await
    }

    pub async fn grant_of(&self, at: &Block, chart: B256, grantee: Address) -> Result<IRecords::grantOfReturn> {
        self.records(at, IRecords::grantOfCall { chart, grantee }).await
    }

    pub async fn rule_of(
        &self,
        at: &Block,
        chart: B256,
        record_id: B256,
        grantee: Address,
    ) -> Result<IExceptions::ruleOfReturn> {
        let call = IExceptions::ruleOfCall {
            chart,
            recordId: record_id,
            grantee,
        };
        self.call(at, self.deployment.exceptions, call).await
    }

    pub async fn delegate_of(
        &self,
        at: &Block,
        chart: B256,
        delegate: Address,
    ) -> Result<IExceptions::delegateOfReturn> {
        let call = IExceptions::delegateOfCall { chart, delegate };
        self.call(at, self.deployment.exceptions, call).await
    }

    pub async fn emergency_of(
        &self,
        at: &Block,
        chart: B256,
        party: Address,
    ) -> Result<IExceptions::emergencyOfReturn> {
        let call = IExceptions::emergencyOfCall { chart, party };
        self.call(at, self.deployment.exceptions, call).await
    }

    /// Whether `member` may act for the organisation.
    pub async fn is_member(&self, at: &Block, organisation: Address, member: Address) -> Result<bool> {
        let call = IRegistry::isMemberCall { organisation, member };
        self.call(at, self.deployment.registry, call).await
    }

    pub async fn member_of(
        &self,
        at: &Block,
        organisation: Address,
        member: Address,
    ) -> Result<IRegistry::memberOfReturn> {
        let call = IRegistry::memberOfCall { organisation, member };
        self.call(at, self.deployment.registry, call).await
    }

    pub async fn credential_of(&self, at: &Block, party: Address) -> Result<IRegistry::credentialOfReturn> {
        self.call(at, self.deployment.registry, IRegistry::credentialOfCall { party })
            .await
    }

    pub async fn emergency_access_of(&self, at: &Block, chart: B256) -> Result<IExceptions::emergencyAccessOfReturn> {
        let call = IExceptions::emergencyAccessOfCall { chart };
        self.call(at, self.deployment.exceptions, call).await
    }

    /// How many anchors `gateway` has, how many receipts under them, and the last anchor.
    pub async fn head_of(&self, at: &Block, gateway: Address) -> Result<IAudit::headOfReturn> {
        self.call(at, self.deployment.audit, IAudit::headOfCall { gateway })
            .await
    }

    /// What `records` would be told about `question`, on a chart whose head is `chart`.
    pub async fn facts_of(
        &self,
        at: &Block,
        chart: &IRecords::chartOfReturn,
        question: &IRecords::Question,
    ) -> Result<IExceptions::factsOfReturn> {
        let call = IExceptions::factsOfCall {
            chart: question.chart,
            grantEpoch: chart.grantEpoch,
            controlEpoch: chart.controlEpoch,
            grantee: question.grantee,
            member: question.member,
            compartment: question.compartment,
            recordId: question.recordId,
            purpose: question.purpose,
            action: question.action,
        };
        self.call(at, self.deployment.exceptions, call).await
    }

    /// What `input` from `from` to `to` would do at the state of the block `at`.
    pub async fn try_call(&self, at: B256, from: Address, to: Address, input: Bytes) -> Result<Tried<Bytes>> {
        let request = TransactionRequest::default()
            .with_from(from)
            .with_to(to)
            .with_input(input);
        self.ask(at, request).await
    }

    async fn ask(&self, at: B256, request: TransactionRequest) -> Result<Tried<Bytes>> {
        let asked = self.provider.call(request).block(BlockId::from(at));
        match timeout(CALL_TIMEOUT, asked.into_future()).await {
            Ok(answer) => tried("eth_call", answer),
            Err(_) => Err(Failure::caused(Kind::ChainDown, anyhow!("eth_call timed out"))),
        }
    }

    /// Whether the code of `account` confirms, at the state of the block `at`, that the account has signed `digest` (EIP-1271, EIP-6492).
    /// A revert and an odd answer are a no.
    pub async fn confirms(&self, at: B256, account: Address, digest: B256, signature: &[u8]) -> Result<bool> {
        let Some(question) = account::question(account, digest, signature) else {
            return Ok(false);
        };
        let request = TransactionRequest::default()
            .with_from(account::ASKER)
            .with_kind(TxKind::Create)
            .with_input(question)
            .with_gas_limit(account::QUESTION_GAS);
        let answer = self.ask(at, request).await?;
        Ok(matches!(answer, Tried::Done(answer) if account::is_yes(&answer)))
    }

    /// How much gas it takes at the latest state.
    pub async fn estimate(&self, from: Address, to: Address, input: Bytes) -> Result<Tried<u64>> {
        let request = TransactionRequest::default()
            .with_from(from)
            .with_to(to)
            .with_input(input);
        match timeout(CALL_TIMEOUT, self.provider.estimate_gas(request).into_future()).await {
            Ok(answer) => tried("eth_estimateGas", answer),
            Err(_) => Err(Failure::caused(Kind::ChainDown, anyhow!("eth_estimateGas timed out"))),
        }
    }

    /// How many transactions of `account` are mined as of `at`, which is the next one's nonce.
    pub async fn transactions_of(&self, at: &Block, account: Address) -> Result<u64> {
        let count: U64 = self
            .request("eth_getTransactionCount", (account, BlockId::from(at.hash)))
            .await?;
        Ok(count.to())
    }

    /// The same as of the block of this number.
    pub async fn transactions_by(&self, number: u64, account: Address) -> Result<u64> {
        let count: U64 = self
            .request("eth_getTransactionCount", (account, U64::from(number)))
            .await?;
        Ok(count.to())
    }

    pub async fn balance(&self, account: Address) -> Result<U256> {
        self.request("eth_getBalance", (account, "latest")).await
    }

    /// `eth_getProof`, at the end of a block.
    pub async fn proof(
        &self,
        address: Address,
        slots: &[B256],
        block: B256,
    ) -> anyhow::Result<EIP1186AccountProofResponse> {
        let asked = self
            .request("eth_getProof", (address, slots.to_vec(), BlockId::from(block)))
            .await;
        asked.map_err(|failure| anyhow!("{failure}"))
    }

    /// A block's header, RLP.
    pub async fn header(&self, hash: B256) -> anyhow::Result<Bytes> {
        let asked = self.request("eth_getBlockByHash", (hash, false)).await;
        let block: Option<alloy::rpc::types::Block> = asked.map_err(|failure| anyhow!("{failure}"))?;
        let block = block.with_context(|| format!("the node has no block {hash}"))?;
        // A field that is not known here shows: the hash is another one then.
        Ok(alloy::rlp::encode(&block.header.inner).into())
    }

    /// The latest block's base fee, and the tip that the node thinks is usual: wei for each unit of gas.
    pub async fn fees(&self) -> Result<(u64, u64)> {
        #[derive(serde::Deserialize, Debug)]
        #[serde(rename_all = "camelCase")]
        struct Header {
            base_fee_per_gas: U64,
        }
        let header: Option<Header> = self.request("eth_getBlockByNumber", ("latest", false)).await?;
        let header = header.ok_or_else(|| Failure::caused(Kind::ChainDown, anyhow!("the node has no latest block")))?;
        let tip: U64 = self.request("eth_maxPriorityFeePerGas", ()).await?;
        Ok((header.base_fee_per_gas.to(), tip.to()))
    }

    /// `None`: it is not in a block of the chain.
    pub async fn receipt(&self, transaction: B256) -> Result<Option<Receipt>> {
        #[derive(serde::Deserialize, Debug)]
        #[serde(rename_all = "camelCase")]
        struct Found {
            block_number: U64,
            block_hash: B256,
            status: U64,
            gas_used: U64,
        }
        let found: Option<Found> = self.request("eth_getTransactionReceipt", (transaction,)).await?;
        Ok(found.map(|found| Receipt {
            block: found.block_number.to(),
            block_hash: found.block_hash,
            success: found.status == U64::from(1),
            gas_used: found.gas_used.to(),
        }))
    }

    /// Hands over a signed transaction. An error does not say that it is not on its way.
    pub async fn send(&self, raw: Bytes) -> Result<()> {
        let _hash: B256 = self.request("eth_sendRawTransaction", (raw,)).await?;
        Ok(())
    }

    async fn records<C: SolCall>(&self, at: &Block, call: C) -> Result<C::Return> {
        self.call(at, self.deployment.records, call).await
    }

    async fn call<C: SolCall>(&self, at: &Block, to: Address, call: C) -> Result<C::Return> {
        let request = TransactionRequest::default().with_to(to).with_input(call.abi_encode());
        let answer = match timeout(CALL_TIMEOUT, self.provider.call(request).block(BlockId::from(at.hash))).await {
            Ok(answer) => answer.map_err(|error| down(C::SIGNATURE, &error))?,
            Err(_) => {
                return Err(Failure::caused(Kind::ChainDown, anyhow!("{} timed out", C::SIGNATURE)));
            }
        };
        // No bytes: no contract. Other bytes: another contract.
        C::abi_decode_returns_validate(&answer).map_err(|error| {
            Failure::caused(
                Kind::ChainMismatch,
                anyhow!("the answer to {} cannot be read: {error}", C::SIGNATURE),
            )
        })
    }

    async fn block(&self, which: &'static str) -> Result<Block> {
        /// The part of a header that is read.
        #[derive(serde::Deserialize, Debug)]
        struct Header {
            number: U64,
            hash: B256,
            timestamp: U256,
        }
        let header: Option<Header> = self.request("eth_getBlockByNumber", (which, false)).await?;
        let header =
            header.ok_or_else(|| Failure::caused(Kind::ChainDown, anyhow!("the node has no {which} block")))?;
        Ok(Block {
            number: header.number.to(),
            hash: header.hash,
            time: header.timestamp.saturating_to(),
        })
    }

    async fn request<P, R>(&self, method: &'static str, params: P) -> Result<R>
    where
        P: serde::Serialize + Clone + std::fmt::Debug + Send + Sync + Unpin,
        R: serde::de::DeserializeOwned + std::fmt::Debug + Send + Sync + Unpin + 'static,
    {
        match timeout(CALL_TIMEOUT, self.provider.raw_request(method.into(), params)).await {
            Ok(answer) => answer.map_err(|error| down(method, &error)),
            Err(_) => Err(Failure::caused(Kind::ChainDown, anyhow!("{method} timed out"))),
        }
    }
}

/// Tells a revert from a node that does not answer.
fn tried<T>(what: &str, answer: std::result::Result<T, RpcError<TransportErrorKind>>) -> Result<Tried<T>> {
    let error = match answer {
        Ok(answer) => return Ok(Tried::Done(answer)),
        Err(error) => error,
    };
    let reverted = error.as_error_resp().and_then(|answer| match answer.as_revert_data() {
        Some(data) => Some(data),
        // A contract may give no data, and out of gas there is none.
        None => answer.message.contains("revert").then(Bytes::default),
    });
    reverted.map(Tried::Reverted).ok_or_else(|| down(what, &error))
}

/// Says what failed without the node's URL, which may carry an access key.
fn down(what: &str, error: &RpcError<TransportErrorKind>) -> Failure {
    let cause = match error {
        RpcError::ErrorResp(answer) => anyhow!("{what}: the node answered error {}: {}", answer.code, answer.message),
        RpcError::Transport(TransportErrorKind::HttpError(http)) => {
            anyhow!("{what}: the node answered HTTP {}", http.status)
        }
        RpcError::DeserError { err, .. } => {
            anyhow!("{what}: the node's answer cannot be read: {err}")
        }
        _ => anyhow!("{what}: the node was not reached"),
    };
    Failure::caused(Kind::ChainDown, cause)
}
