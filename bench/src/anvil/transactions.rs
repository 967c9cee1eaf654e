//! Signed transactions as complete HTTP requests, made before the clock starts.

use alloy::consensus::{SignableTransaction, Signed, TxEip1559};
use alloy::eips::Encodable2718;
use alloy::network::TxSignerSync;
use alloy::primitives::{Bytes, TxKind, U256};
use anyhow::Context;
use medlock_anvil::{CHAIN_ID, DevAccount};
use serde_json::json;

use crate::http::{Exchange, request};

/// Offered wei per gas: far above what either chain asks, whose base fee may rise in a run of full blocks.
const FEE_WEI: u128 = 1_000_000_000_000;

/// What differs from one transaction to the next.
pub struct Transaction {
    pub nonce: u64,
    pub gas: u64,
    pub to: TxKind,
    pub value: U256,
    pub input: Bytes,
}

impl Transaction {
    /// Sends it, signed by `sender`.
    pub fn send(self, sender: &DevAccount) -> anyhow::Result<Exchange> {
        let signed = self.sign(sender)?;
        Ok(Exchange {
            request: request("eth_sendRawTransaction", &json!([Bytes::from(signed.encoded_2718())])),
            until: None,
        })
    }

    /// Sends it and asks for its receipt until it has succeeded, as clients do. Foundry's anvil answers before it
    /// mines, and leaves most of a rush of transactions lying until it is asked something.
    pub fn send_and_wait(self, sender: &DevAccount) -> anyhow::Result<Exchange> {
        let signed = self.sign(sender)?;
        let receipt = request("eth_getTransactionReceipt", &json!([signed.hash()]));
        Ok(Exchange {
            request: request("eth_sendRawTransaction", &json!([Bytes::from(signed.encoded_2718())])),
            until: Some((receipt, br#""status":"0x1""#)),
        })
    }

    /// Sends it and mines it by hand, in a block of its own.
    pub fn send_and_mine(self, sender: &DevAccount) -> anyhow::Result<Exchange> {
        Ok(Exchange {
            until: Some((request("evm_mine", &json!([])), b"result")),
            ..self.send(sender)?
        })
    }

    fn sign(self, sender: &DevAccount) -> anyhow::Result<Signed<TxEip1559>> {
        let mut transaction = TxEip1559 {
            chain_id: CHAIN_ID,
            nonce: self.nonce,
            gas_limit: self.gas,
            max_fee_per_gas: FEE_WEI,
            max_priority_fee_per_gas: 0,
            to: self.to,
            value: self.value,
            input: self.input,
            ..TxEip1559::default()
        };
        let signature = sender
            .signer
            .sign_transaction_sync(&mut transaction)
            .context("sign a transaction")?;
        Ok(transaction.into_signed(signature))
    }
}
