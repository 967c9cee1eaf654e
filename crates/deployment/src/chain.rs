//! What a deployment asks of a chain: views of our contracts, Arbitrum's precompile for programs, blocks.
use alloy::{
    network::TransactionBuilder,
    primitives::{Address, B256, Bytes, address},
    providers::Provider,
    rpc::types::TransactionRequest,
    sol,
    sol_types::{SolCall, SolError},
    transports::{RpcError, TransportError},
};

use crate::Error;

/// Arbitrum's precompile for Stylus programs.
pub const ARB_WASM: Address = address!("0000000000000000000000000000000000000071");

sol! {
    interface ArbWasm {
        error ProgramNotActivated();
        error ProgramNeedsUpgrade(uint16 version, uint16 stylusVersion);
        error ProgramExpired(uint64 ageInSeconds);
        error ProgramUpToDate();
        function activateProgram(address program) external payable returns (uint16 version, uint256 dataFee);
        function programVersion(address program) external view returns (uint16 version);
        function programTimeLeft(address program) external view returns (uint64 secs);
    }
}

/// Calls a view method. A call that fails is told apart from a program that is not activated.
pub async fn read<C: SolCall>(
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
            if !is_active(provider, address).await? {
                return Err(Error::NotActivated { contract, address });
            }
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

/// Whether the chain would run the program: activated, for the chain's version of Stylus, not expired.
///
/// # Errors
/// [`Error::Rpc`]; [`Error::NoPrograms`].
pub async fn is_active(provider: &impl Provider, program: Address) -> Result<bool, Error> {
    match arb_wasm(provider, ArbWasm::programVersionCall { program }).await {
        Ok(_) => Ok(true),
        Err(Error::Rpc { source, .. }) if is_inactive(&source) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Seconds until an active program expires.
pub async fn seconds_left(provider: &impl Provider, program: Address) -> Result<u64, Error> {
    arb_wasm(provider, ArbWasm::programTimeLeftCall { program }).await
}

async fn arb_wasm<C: SolCall>(provider: &impl Provider, call: C) -> Result<C::Return, Error> {
    let request = TransactionRequest::default()
        .with_to(ARB_WASM)
        .with_input(call.abi_encode());
    let data = provider.call(request).await.map_err(rpc("ask ArbWasm"))?;
    if data.is_empty() {
        return Err(Error::NoPrograms);
    }
    C::abi_decode_returns(&data).map_err(|_| Error::Answer {
        contract: "ArbWasm",
        address: ARB_WASM,
        data,
    })
}

fn is_inactive(error: &TransportError) -> bool {
    reverted_with::<ArbWasm::ProgramNotActivated>(error)
        || reverted_with::<ArbWasm::ProgramNeedsUpgrade>(error)
        || reverted_with::<ArbWasm::ProgramExpired>(error)
}

pub async fn genesis_hash(provider: &impl Provider) -> Result<B256, Error> {
    let block = provider
        .get_block_by_number(0.into())
        .await
        .map_err(rpc("genesis block"))?;
    block.map(|block| block.header.hash).ok_or_else(|| Error::Rpc {
        context: "genesis block",
        source: RpcError::NullResp,
    })
}

/// Refuses another chain than `chain_id`, and one of that id with another genesis block.
pub async fn require_chain(provider: &impl Provider, chain_id: u64, genesis: B256) -> Result<(), Error> {
    require_chain_id(provider, chain_id).await?;
    let found = genesis_hash(provider).await?;
    if found != genesis {
        return Err(Error::OtherGenesis {
            expected: genesis,
            found,
        });
    }
    Ok(())
}

pub async fn require_chain_id(provider: &impl Provider, expected: u64) -> Result<(), Error> {
    let found = provider.get_chain_id().await.map_err(rpc("chain id"))?;
    if found != expected {
        return Err(Error::OtherChain { expected, found });
    }
    Ok(())
}

pub async fn code(provider: &impl Provider, address: Address) -> Result<Bytes, Error> {
    provider.get_code_at(address).await.map_err(rpc("read the code"))
}

pub fn rpc(context: &'static str) -> impl FnOnce(TransportError) -> Error {
    move |source| Error::Rpc { context, source }
}

pub fn reverted_with<E: SolError>(error: &TransportError) -> bool {
    let data: Option<Bytes> = match error {
        RpcError::ErrorResp(payload) => payload.as_revert_data(),
        _ => None,
    };
    data.is_some_and(|data| data.starts_with(&E::SELECTOR))
}
