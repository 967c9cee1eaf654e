//! Questions to the contracts, each pinned to one block by its hash, so that several answers speak of one state.
use std::time::Duration;

use alloy::{
    eips::BlockId,
    network::{Ethereum, TransactionBuilder as _},
    primitives::{Address, B256, U64, U256},
    providers::{Provider as _, RootProvider},
    rpc::types::TransactionRequest,
    sol_types::SolCall,
    transports::{RpcError, TransportErrorKind},
};
use anyhow::{Context as _, anyhow, ensure};
use medlock_abi::{exceptions::IExceptions, records::IRecords};
use medlock_api::Kind;
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
            let code: alloy::primitives::Bytes = self
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

    /// At most `terms::BATCH_MOST` questions; reasons in their order.
    pub async fn decide_many(&self, at: &Block, questions: Vec<IRecords::Question>) -> Result<Vec<u8>> {
        let asked = questions.len();
        let reasons = self.records(at, IRecords::decideManyCall { questions }).await?;
        if reasons.len() == asked {
            Ok(reasons)
        } else {
            Err(Failure::caused(
                Kind::ChainMismatch,
                anyhow!("decideMany answered {} of {asked} questions", reasons.len()),
            ))
        }
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
