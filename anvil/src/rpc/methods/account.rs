//! Signing and sending for the accounts whose keys are here, and sending for impersonated ones.

use std::sync::{Arc, PoisonError};

use alloy::consensus::{SignableTransaction, TxEip1559, TxEip2930, TxEip7702, TxEnvelope, TxLegacy};
use alloy::eips::Encodable2718;
use alloy::network::TxSignerSync;
use alloy::primitives::{Address, Bytes, Signature, TxKind, U256};
use alloy::rpc::types::{AccessList, Transaction, TransactionRequest};
use alloy::signers::SignerSync;
use alloy::signers::local::PrivateKeySigner;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Answer, Node, RpcError, answer, typed_data, types};
use crate::block::BASE_FEE_WEI;
use crate::call;
use crate::chain::{Chain, View};
use crate::error::TxError;
use crate::pool::Pooled;
use crate::rpc::Deadline;

/// `eth_sign` and `personal_sign` (EIP-191, version 0x45).
pub fn sign_message(chain: &Chain, address: Address, message: &[u8]) -> Answer {
    let signature = signer(chain, address)?.sign_message_sync(message);
    answer(&Bytes::from(signature.map_err(RpcError::internal)?.as_bytes()))
}

/// `eth_signTypedData` (EIP-712). The data come as an object, or as a string that holds one.
pub fn sign_typed_data(chain: &Chain, address: Address, data: Value) -> Answer {
    let signer = signer(chain, address)?;
    let hash = typed_data::read(data)?
        .eip712_signing_hash()
        .map_err(typed_data::wrong)?;
    let signature = signer.sign_hash_sync(&hash).map_err(RpcError::internal)?;
    answer(&Bytes::from(signature.as_bytes()))
}

/// `eth_signTransaction`: the signed transaction, not sent.
pub fn sign_transaction(chain: &Chain, request: TransactionRequest, deadline: Deadline) -> Answer {
    #[derive(Serialize)]
    struct Signed {
        raw: Bytes,
        tx: Transaction,
    }
    let sender = sender(&request)?;
    signer(chain, sender)?;
    let gas = gas(chain, || chain.pending_view(), &request, deadline)?;
    let nonce = next_nonce(chain, sender);
    let pooled = complete(chain, request, nonce, gas)?;
    answer(&Signed {
        raw: pooled.transaction.encoded_2718().into(),
        tx: types::waiting(&pooled),
    })
}

/// Signs for a development account, or sends unsigned for an impersonated one.
pub fn send_transaction(node: &Node, request: TransactionRequest, deadline: Deadline) -> Answer {
    let chain = &*node.chain;
    let sender = sender(&request)?;
    let gas = gas(chain, || chain.pending_view(), &request, deadline)?;
    // Whoever names no nonce gets the next one. Until that one is in the pool, the next one is still the same.
    let _choosing = request
        .nonce
        .is_none()
        .then(|| node.nonces.lock().unwrap_or_else(PoisonError::into_inner));
    let nonce = next_nonce(chain, sender);
    let pooled = complete(chain, request, nonce, gas)?;
    answer(&chain.submit(Arc::new(pooled))?)
}

/// The gas that a request names or, if it names none, as estimated on `view`.
///
/// # Errors
/// The sender's key is not here and it is not impersonated; the estimate fails.
pub fn gas(
    chain: &Chain,
    view: impl FnOnce() -> View,
    request: &TransactionRequest,
    deadline: Deadline,
) -> Result<u64, RpcError> {
    authority(chain, sender(request)?)?;
    match request.gas {
        Some(gas) => Ok(gas),
        None => call::estimate(chain, &view(), request.clone(), deadline),
    }
}

/// A request as a transaction, with `gas` as its limit, and `nonce` if it names none.
///
/// # Errors
/// The sender's key is not here and it is not impersonated; fields contradict each other.
pub fn complete(chain: &Chain, request: TransactionRequest, nonce: u64, gas: u64) -> Result<Pooled, RpcError> {
    let sender = sender(&request)?;
    let signer = authority(chain, sender)?;
    let nonce = request.nonce.unwrap_or(nonce);
    let unsigned = Unsigned::from_request(chain, request, nonce, gas)?;
    let transaction = match signer {
        Some(signer) => unsigned.sign(signer)?,
        // No signature recovers to an account whose key we lack. The sender as "r" keeps hashes of equal
        // transactions by different senders apart.
        None => unsigned.with(Signature::new(
            U256::from_be_slice(sender.as_slice()),
            U256::from(1),
            false,
        )),
    };
    Ok(Pooled {
        transaction,
        sender,
        impersonated: signer.is_none(),
    })
}

/// A transaction as it is sent: a request, or signed bytes.
#[derive(Deserialize)]
#[serde(untagged)]
pub enum Sent {
    Raw(Bytes),
    Request(Box<TransactionRequest>),
}

pub fn sender(request: &TransactionRequest) -> Result<Address, RpcError> {
    request
        .from
        .ok_or_else(|| RpcError::invalid_params("'from' is missing"))
}

fn signer(chain: &Chain, address: Address) -> Result<&PrivateKeySigner, RpcError> {
    let account = chain.accounts().iter().find(|account| account.address == address);
    match account {
        Some(account) => Ok(&account.signer),
        None => Err(TxError::UnknownAccount(address).into()),
    }
}

/// Who signs for `sender`; `None` if it is impersonated.
fn authority(chain: &Chain, sender: Address) -> Result<Option<&PrivateKeySigner>, RpcError> {
    match chain.is_impersonated(sender) {
        true => Ok(None),
        false => signer(chain, sender).map(Some),
    }
}

fn next_nonce(chain: &Chain, sender: Address) -> u64 {
    let nonce = chain.ledger().head_state().nonce(sender);
    chain.pool().pending_nonce(sender, nonce)
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

    fn sign(mut self, signer: &PrivateKeySigner) -> Result<TxEnvelope, RpcError> {
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
