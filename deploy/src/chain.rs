//! Link, create, activate: each step is verified by reading back.
use alloy::{
    network::TransactionBuilder,
    primitives::{Address, B256, Bytes, TxHash, U256, address},
    providers::Provider,
    rpc::types::{TransactionReceipt, TransactionRequest},
    sol,
    sol_types::{SolCall, SolError},
    transports::{RpcError, TransportError},
};
use medlock_abi::registry::IRegistry;
use serde::Serialize;

use crate::{
    Artifact, Artifacts, Deployment, Error, Links,
    artifacts::{NAMES, created},
    deployment::require_names,
};

/// Arbitrum's precompile for Stylus programs.
const ARB_WASM: Address = address!("0000000000000000000000000000000000000071");
/// What is offered when the data fee is asked for; only the fee is taken, and this much is never sent.
const FEE_OFFER_WEI: u128 = 1_000_000_000_000_000_000;
/// The fee is priced by demand and may rise until the transaction is mined; the excess comes back.
const FEE_MARGIN_PERCENT: u64 = 20;

sol! {
    interface ArbWasm {
        error ProgramNotActivated();
        error ProgramNeedsUpgrade(uint16 version, uint16 stylusVersion);
        error ProgramExpired(uint64 ageInSeconds);
        error ProgramUpToDate();
        function activateProgram(address program) external payable returns (uint16 version, uint256 dataFee);
        function programVersion(address program) external view returns (uint16 version);
    }
}

/// One transaction of a deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// What it did: `deploy registry`, `activate records`, ...
    pub name: String,
    pub transaction: TxHash,
    pub gas: u64,
    pub block: u64,
    /// The address that it created or called.
    pub contract: Address,
    /// Wei sent with it; of an activation the excess over the data fee came back.
    pub value: U256,
}

/// A finished deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployed {
    pub deployment: Deployment,
    pub steps: Vec<Step>,
}

/// Puts the contracts on the chain, with each other's addresses in their code, and `owner` as the registry's first.
///
/// The links form a ring; it closes because an account's next contracts have addresses that are known before: `deployer` is the
/// account that `provider` signs for and that pays, and must send nothing else meanwhile. Activation belongs to the code,
/// and the code is this deployment's own.
///
/// # Errors
/// See [`Error`]. What was deployed before an error stays on the chain, without effect.
pub async fn deploy(
    provider: &impl Provider,
    deployer: Address,
    owner: Address,
    artifacts: &Artifacts,
) -> Result<Deployed, Error> {
    let chain_id = provider.get_chain_id().await.map_err(rpc("chain id"))?;
    let genesis_hash = genesis_hash(provider).await?;
    let nonce = provider
        .get_transaction_count(deployer)
        .await
        .map_err(rpc("count the deployer's transactions"))?;
    let at = created(deployer, nonce);
    let links = Links::foresee(deployer, nonce, owner);
    let mut steps = Vec::new();

    // Linked before the first is sent: what cannot be linked costs nothing.
    let linked = artifacts
        .iter()
        .map(|artifact| artifact.link(&links))
        .collect::<Result<Vec<_>, _>>()?;
    for ((contract, artifact), expected) in NAMES.into_iter().zip(&linked).zip(at) {
        let found = create(provider, deployer, contract, artifact, &mut steps).await?;
        if found != expected {
            return Err(Error::OtherAddress {
                contract,
                expected,
                found,
            });
        }
    }
    let [registry, records, exceptions, relay, audit] = at;
    let deployment = Deployment {
        chain_id,
        genesis_hash,
        registry,
        records,
        exceptions,
        relay,
        audit,
        block: steps[0].block,
    };
    for (name, address) in deployment.contracts() {
        activate(provider, name, address, &mut steps).await?;
    }
    check_names(provider, &deployment, owner).await?;
    Ok(Deployed { deployment, steps })
}

/// The registry names its owner, and each contract its neighbours.
async fn check_names(provider: &impl Provider, deployment: &Deployment, owner: Address) -> Result<(), Error> {
    let registry = deployment.registry;
    let found = read(provider, "registry", registry, IRegistry::ownerCall {}).await?;
    require_names("registry", registry, vec![owner], vec![found])?;
    deployment.check_links(provider).await
}

async fn create(
    provider: &impl Provider,
    deployer: Address,
    contract: &'static str,
    artifact: &Artifact,
    steps: &mut Vec<Step>,
) -> Result<Address, Error> {
    let name = format!("deploy {contract}");
    let request = TransactionRequest::default()
        .with_from(deployer)
        .with_deploy_code(artifact.init_code());
    let receipt = send(provider, &name, request).await?;
    let address = receipt.contract_address.ok_or_else(|| Error::NotMined {
        step: name.clone(),
        reason: "the receipt names no contract".into(),
    })?;
    let code = provider.get_code_at(address).await.map_err(rpc("read the code back"))?;
    if code.is_empty() {
        return Err(Error::MissingCode { contract, address });
    }
    if *code != artifact.code {
        return Err(Error::OtherCode { contract, address });
    }
    steps.push(step(name, &receipt, address, U256::ZERO));
    Ok(address)
}

async fn activate(
    provider: &impl Provider,
    contract: &'static str,
    address: Address,
    steps: &mut Vec<Step>,
) -> Result<(), Error> {
    let name = format!("activate {contract}");
    let call = ArbWasm::activateProgramCall { program: address };
    let request = TransactionRequest::default()
        .with_to(ARB_WASM)
        .with_input(call.abi_encode());
    let quote = request.clone().with_value(U256::from(FEE_OFFER_WEI));
    let fee = match provider.call(quote).await {
        Ok(data) => {
            ArbWasm::activateProgramCall::abi_decode_returns(&data)
                .map_err(|_| Error::Answer {
                    contract: "ArbWasm",
                    address: ARB_WASM,
                    data,
                })?
                .dataFee
        }
        Err(error) if reverted_with::<ArbWasm::ProgramUpToDate>(&error) => return Ok(()),
        Err(RpcError::ErrorResp(payload)) => {
            return Err(Error::ActivationRefused {
                contract,
                address,
                reason: payload.to_string(),
            });
        }
        Err(source) => {
            return Err(Error::Rpc {
                context: "ask for the activation fee",
                source,
            });
        }
    };
    let value = fee + fee * U256::from(FEE_MARGIN_PERCENT) / U256::from(100);
    let receipt = send(provider, &name, request.with_value(value)).await?;
    require_active(provider, contract, address).await?;
    steps.push(step(name, &receipt, address, value));
    Ok(())
}

async fn send(provider: &impl Provider, step: &str, request: TransactionRequest) -> Result<TransactionReceipt, Error> {
    let not_mined = |reason: String| Error::NotMined {
        step: step.into(),
        reason,
    };
    let receipt = provider
        .send_transaction(request)
        .await
        .map_err(|error| not_mined(error.to_string()))?
        .get_receipt()
        .await
        .map_err(|error| not_mined(error.to_string()))?;
    if !receipt.status() {
        return Err(Error::Reverted {
            step: step.into(),
            transaction: receipt.transaction_hash,
        });
    }
    Ok(receipt)
}

fn step(name: String, receipt: &TransactionReceipt, contract: Address, value: U256) -> Step {
    Step {
        name,
        transaction: receipt.transaction_hash,
        gas: receipt.gas_used,
        // A mined transaction has a block; the library's type also serves pending ones.
        block: receipt.block_number.unwrap_or_default(),
        contract,
        value,
    }
}

/// Calls a view method. A call that fails is told apart from a program that is not activated.
pub(crate) async fn read<C: SolCall>(
    provider: &impl Provider,
    contract: &'static str,
    address: Address,
    call: C,
) -> Result<C::Return, Error> {
    let request = TransactionRequest::default()
        .with_to(address)
        .with_input(call.abi_encode());
    let data = match provider.call(request).await {
        Ok(data) => data,
        Err(source) => {
            require_active(provider, contract, address).await?;
            return Err(Error::Rpc {
                context: "call a view method",
                source,
            });
        }
    };
    C::abi_decode_returns(&data).map_err(|_| Error::Answer {
        contract,
        address,
        data,
    })
}

async fn require_active(provider: &impl Provider, contract: &'static str, address: Address) -> Result<(), Error> {
    let request = TransactionRequest::default()
        .with_to(ARB_WASM)
        .with_input(ArbWasm::programVersionCall { program: address }.abi_encode());
    match provider.call(request).await {
        Ok(_) => Ok(()),
        Err(RpcError::ErrorResp(_)) => Err(Error::NotActivated { contract, address }),
        Err(source) => Err(Error::Rpc {
            context: "ask for the program's version",
            source,
        }),
    }
}

pub(crate) async fn genesis_hash(provider: &impl Provider) -> Result<B256, Error> {
    let block = provider
        .get_block_by_number(0.into())
        .await
        .map_err(rpc("genesis block"))?;
    block.map(|block| block.header.hash).ok_or_else(|| Error::Rpc {
        context: "genesis block",
        source: RpcError::NullResp,
    })
}

pub(crate) fn rpc(context: &'static str) -> impl FnOnce(TransportError) -> Error {
    move |source| Error::Rpc { context, source }
}

fn reverted_with<E: SolError>(error: &TransportError) -> bool {
    let data: Option<Bytes> = match error {
        RpcError::ErrorResp(payload) => payload.as_revert_data(),
        _ => None,
    };
    data.is_some_and(|data| data.starts_with(&E::SELECTOR))
}
