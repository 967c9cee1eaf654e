//! The chain that the contracts run on, in this process.

use alloy::network::TransactionBuilder;
use alloy::primitives::{Address, Bytes, U256, address};
use alloy::providers::{DynProvider, Provider, ProviderBuilder};
use alloy::rpc::types::{TransactionReceipt, TransactionRequest};
use alloy::sol;
use alloy::sol_types::{SolCall, SolValue};
use anyhow::{Context, ensure};
use medlock_anvil::arbos::{ARB_WASM, ARB_WASM_CACHE};
use medlock_anvil::{Config, Handle};
use medlock_deploy::Artifact;

/// Enough for each transaction here, and below what one may use on Arbitrum.
const GAS: u64 = 30_000_000;
/// More than any activation's data fee; the excess comes back.
const FEE_OFFER_WEI: u64 = 1_000_000_000_000_000_000;
/// An account without code: what a transaction to it costs, any transaction with these bytes costs.
const NOBODY: Address = address!("00000000000000000000000000000000deadbeef");

sol! {
    function activateProgram(address program) external payable returns (uint16 version, uint256 dataFee);
    function cacheProgram(address program) external;
}

pub struct Chain {
    /// Keeps the chain running.
    _handle: Handle,
    /// Signs as the chain's owner.
    provider: DynProvider,
}

impl Chain {
    pub async fn start() -> anyhow::Result<Self> {
        let handle = medlock_anvil::spawn(Config::default()).await?;
        let provider = ProviderBuilder::new()
            .wallet(handle.accounts()[0].signer.clone())
            .connect_http(handle.url().parse().context("the chain's URL")?)
            .erased();
        Ok(Self {
            _handle: handle,
            provider,
        })
    }

    pub async fn deploy(&self, artifact: &Artifact) -> anyhow::Result<Address> {
        let creation = TransactionRequest::default().with_deploy_code(artifact.init_code());
        let receipt = self.send(creation).await.context("deploy")?;
        receipt.contract_address.context("the receipt names no contract")
    }

    /// Gas of the activation, without the transaction's own.
    pub async fn activate(&self, program: Address) -> anyhow::Result<u64> {
        let activation = request(ARB_WASM, &activateProgramCall { program }.abi_encode());
        self.gas_beyond_transaction(activation.with_value(U256::from(FEE_OFFER_WEI)))
            .await
            .context("activate")
    }

    /// Has ArbWasmCache keep the program ready.
    pub async fn cache(&self, program: Address) -> anyhow::Result<()> {
        let call = request(ARB_WASM_CACHE, &cacheProgramCall { program }.abi_encode());
        self.send(call).await.context("cache").map(drop)
    }

    /// Whether the program answers `true`; a revert is an error.
    pub async fn accepts(&self, program: Address, call: &[u8]) -> anyhow::Result<bool> {
        let answer = self.provider.call(request(program, call)).await.context("call")?;
        bool::abi_decode_validate(&answer).context("the answer is no bool")
    }

    /// Gas of the call to the program, without the transaction's own.
    pub async fn gas_of(&self, program: Address, call: &[u8]) -> anyhow::Result<u64> {
        self.gas_beyond_transaction(request(program, call)).await
    }

    async fn gas_beyond_transaction(&self, request: TransactionRequest) -> anyhow::Result<u64> {
        let bare = self.send(request.clone().with_to(NOBODY)).await?.gas_used;
        let whole = self.send(request).await?.gas_used;
        whole.checked_sub(bare).context("a call costs less than none")
    }

    async fn send(&self, request: TransactionRequest) -> anyhow::Result<TransactionReceipt> {
        let pending = self.provider.send_transaction(request.with_gas_limit(GAS)).await?;
        // The chain mines before it answers.
        let receipt = self.provider.get_transaction_receipt(*pending.tx_hash()).await?;
        let receipt = receipt.context("the transaction is not mined")?;
        ensure!(receipt.status(), "transaction {} reverted", receipt.transaction_hash);
        Ok(receipt)
    }
}

fn request(to: Address, input: &[u8]) -> TransactionRequest {
    TransactionRequest::default()
        .with_to(to)
        .with_input(Bytes::copy_from_slice(input))
}
