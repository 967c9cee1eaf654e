//! Signed transactions of every type, right and wrong.

use alloy::consensus::{SignableTransaction, TxEip1559, TxEip2930, TxEip7702, TxEnvelope, TxLegacy};
use alloy::eips::Encodable2718;
use alloy::eips::eip7702::{Authorization, SignedAuthorization};
use alloy::network::TxSignerSync;
use alloy::primitives::{Address, B256, Bytes, TxKind, U256};
use alloy::rpc::types::{AccessList, AccessListItem};
use alloy::signers::SignerSync;
use alloy::signers::local::PrivateKeySigner;
use arbitrary::{Result, Unstructured};
use serde_json::{Value, json};

use super::node::{BASE_FEE_WEI, Pair, hex_number};
use super::program;
use crate::chance;

const CHAIN_ID: u64 = 412_346;
/// The types that both chains know.
pub const KINDS: [Kind; 4] = [Kind::Legacy, Kind::AccessList, Kind::Fees, Kind::Delegation];

/// EIP-2718 types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Legacy,
    /// EIP-2930.
    AccessList,
    /// EIP-1559.
    Fees,
    /// EIP-7702.
    Delegation,
}

/// A transaction, and the call that does the same.
pub struct Planned {
    pub raw: Vec<u8>,
    pub request: Value,
}

/// All that a transaction of any type says.
#[derive(Clone)]
struct Fields {
    chain_id: u64,
    nonce: u64,
    gas_limit: u64,
    fee: u128,
    tip: u128,
    to: TxKind,
    value: U256,
    input: Bytes,
    access_list: AccessList,
    authorizations: Vec<SignedAuthorization>,
}

impl Default for Fields {
    fn default() -> Self {
        Self {
            chain_id: CHAIN_ID,
            nonce: 0,
            gas_limit: 1_000_000,
            fee: BASE_FEE_WEI.into(),
            tip: 0,
            to: TxKind::Create,
            value: U256::ZERO,
            input: Bytes::new(),
            access_list: AccessList::default(),
            authorizations: Vec::new(),
        }
    }
}

/// A transaction that creates a contract.
pub fn deploy(signer: &PrivateKeySigner, nonce: u64, init: &[u8]) -> Vec<u8> {
    let fields = Fields {
        nonce,
        gas_limit: 3_000_000,
        input: init.to_vec().into(),
        ..Fields::default()
    };
    sign(signer, Kind::Legacy, fields)
}

/// A call without anything special.
pub fn plain(signer: &PrivateKeySigner, nonce: u64, kind: Kind, to: Address) -> Vec<u8> {
    let authorizations = match kind {
        Kind::Delegation => vec![authorize(signer, CHAIN_ID, to, nonce + 1)],
        _ => Vec::new(),
    };
    let fields = Fields {
        nonce,
        to: TxKind::Call(to),
        authorizations,
        ..Fields::default()
    };
    sign(signer, kind, fields)
}

/// Anything that somebody might send to `targets`.
pub fn arbitrary(u: &mut Unstructured<'_>, pair: &Pair, targets: &[Address]) -> Result<Planned> {
    let signer = pair.sender(u.int_in_range(1..=3)?);
    let kind = *u.choose(&KINDS)?;
    let creates = kind != Kind::Delegation && chance(u, 6)?;
    let to = match u.int_in_range(0..=7)? {
        _ if creates => TxKind::Create,
        0 => TxKind::Call(Address::with_last_byte(u.int_in_range(1..=0x12)?)),
        // The latest are the contracts.
        1..=5 => TxKind::Call(targets[targets.len() - 1 - u.int_in_range(0..=2)?]),
        _ => TxKind::Call(*u.choose(targets)?),
    };
    let input = match to {
        TxKind::Create => {
            let code = program::runtime(u, targets)?;
            if u.arbitrary()? { program::init(&code) } else { code }
        }
        TxKind::Call(to) if to <= Address::with_last_byte(0x12) => program::precompile_input(to[19], u)?,
        TxKind::Call(_) => {
            let length = u.int_in_range(0..=u.len().min(100))?;
            u.bytes(length)?.to_vec()
        }
    };
    let mut fields = Fields {
        nonce: pair.nonce(signer.address()),
        gas_limit: *u.choose(if kind == Kind::Delegation {
            &[200_000, 600_000, 2_000_000]
        } else {
            &[60_000, 150_000, 600_000, 2_000_000]
        })?,
        to,
        value: U256::from(*u.choose(&[0, 0, 0, 5])?),
        input: input.into(),
        ..Fields::default()
    };
    if kind != Kind::Legacy && chance(u, 2)? {
        let items = (0..u.int_in_range(1..=3)?)
            .map(|_| {
                Ok(AccessListItem {
                    address: *u.choose(targets)?,
                    storage_keys: (0..u.int_in_range(0..=3)?).map(B256::with_last_byte).collect(),
                })
            })
            .collect::<Result<_>>()?;
        fields.access_list = AccessList(items);
    }
    if kind == Kind::Delegation {
        for _ in 0..u.int_in_range(1..=3)? {
            let authority = pair.sender(u.int_in_range(1..=5)?);
            let mut nonce = pair.nonce(authority.address());
            nonce += u64::from(authority.address() == signer.address());
            nonce = nonce.wrapping_add(*u.choose(&[0, 0, 0, 1, u64::MAX])?);
            let chain_id = *u.choose(&[CHAIN_ID, CHAIN_ID, 0, 1])?;
            let delegate = if chance(u, 4)? {
                Address::ZERO
            } else {
                *u.choose(targets)?
            };
            fields
                .authorizations
                .push(authorize(&authority, chain_id, delegate, nonce));
        }
    }
    let request = request(&signer, &fields);
    if chance(u, 6)? {
        spoil(u, kind, &mut fields)?;
    }
    Ok(Planned {
        raw: sign(&signer, kind, fields),
        request,
    })
}

/// Something that makes both chains refuse it.
fn spoil(u: &mut Unstructured<'_>, kind: Kind, fields: &mut Fields) -> Result<()> {
    match u.int_in_range(0..=7)? {
        0 if fields.nonce > 0 => fields.nonce -= 1,
        1 if kind != Kind::Delegation => fields.gas_limit = *u.choose(&[0, 20_999, 21_000])?,
        2 => fields.value = U256::from(10).pow(U256::from(24)),
        3 => fields.value = U256::MAX,
        4 => fields.fee -= 1,
        5 if matches!(kind, Kind::Fees | Kind::Delegation) => fields.tip = fields.fee + 1,
        6 if kind != Kind::Legacy => fields.chain_id = 1,
        7 if fields.to == TxKind::Create => fields.input = vec![0; 49_153].into(),
        _ => fields.fee = 0,
    }
    Ok(())
}

fn request(signer: &PrivateKeySigner, fields: &Fields) -> Value {
    let mut request = json!({
        "from": signer.address(),
        "gas": hex_number(fields.gas_limit),
        "gasPrice": hex_number(fields.fee),
        "value": hex_number(fields.value),
        "input": fields.input,
        "accessList": fields.access_list,
    });
    if let TxKind::Call(to) = fields.to {
        request["to"] = json!(to);
    }
    request
}

fn authorize(signer: &PrivateKeySigner, chain_id: u64, address: Address, nonce: u64) -> SignedAuthorization {
    let authorization = Authorization {
        chain_id: U256::from(chain_id),
        address,
        nonce,
    };
    let signature = signer.sign_hash_sync(&authorization.signature_hash()).unwrap();
    authorization.into_signed(signature)
}

fn sign(signer: &PrivateKeySigner, kind: Kind, fields: Fields) -> Vec<u8> {
    let Fields {
        chain_id,
        nonce,
        gas_limit,
        fee,
        tip,
        to,
        value,
        input,
        access_list,
        authorizations,
    } = fields;
    let envelope: TxEnvelope = match kind {
        Kind::Legacy => {
            let mut tx = TxLegacy {
                chain_id: Some(chain_id),
                nonce,
                gas_price: fee,
                gas_limit,
                to,
                value,
                input,
            };
            let signature = signer.sign_transaction_sync(&mut tx).unwrap();
            tx.into_signed(signature).into()
        }
        Kind::AccessList => {
            let mut tx = TxEip2930 {
                chain_id,
                nonce,
                gas_price: fee,
                gas_limit,
                to,
                value,
                access_list,
                input,
            };
            let signature = signer.sign_transaction_sync(&mut tx).unwrap();
            tx.into_signed(signature).into()
        }
        Kind::Fees => {
            let mut tx = TxEip1559 {
                chain_id,
                nonce,
                gas_limit,
                max_fee_per_gas: fee,
                max_priority_fee_per_gas: tip,
                to,
                value,
                access_list,
                input,
            };
            let signature = signer.sign_transaction_sync(&mut tx).unwrap();
            tx.into_signed(signature).into()
        }
        Kind::Delegation => {
            let mut tx = TxEip7702 {
                chain_id,
                nonce,
                gas_limit,
                max_fee_per_gas: fee,
                max_priority_fee_per_gas: tip,
                to: to.to().copied().unwrap_or_default(),
                value,
                access_list,
                authorization_list: authorizations,
                input,
            };
            let signature = signer.sign_transaction_sync(&mut tx).unwrap();
            tx.into_signed(signature).into()
        }
    };
    envelope.encoded_2718()
}
