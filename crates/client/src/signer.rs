//! Who signs for an account: a key that is here, or a wallet, which asks its user.

use std::{collections::BTreeMap, sync::Arc};

use alloy::{
    dyn_abi::{DynSolType, DynSolValue},
    network::TransactionBuilder,
    primitives::{Address, B256, U256, hex},
    rpc::types::TransactionRequest,
    signers::{SignerSync, local::PrivateKeySigner},
    sol_types::Eip712Domain,
};
use medlock_api::Statement;
use serde_json::{Value, json};

use crate::{
    error::{Error, Result},
    platform::Asked,
};

/// A wallet's interface (EIP-1193): `request` of a method of Ethereum's JSON-RPC, and its answer.
///
/// # Errors
/// [`Error::WalletRejected`] where its user says no, [`Error::Wallet`] for anything else.
pub trait Wallet: Send + Sync {
    fn request(&self, method: &'static str, params: Value) -> Asked<Result<Value>>;
}

/// The account's signer. Cheap to clone.
#[derive(Clone)]
pub enum Signer {
    Key(PrivateKeySigner),
    Wallet { account: Address, wallet: Arc<dyn Wallet> },
}

impl Signer {
    pub fn address(&self) -> Address {
        match self {
            Self::Key(key) => key.address(),
            Self::Wallet { account, .. } => *account,
        }
    }

    /// Signs a statement (EIP-712). A wallet shows its user all of it.
    pub(crate) async fn sign(&self, statement: &Statement, domain: &Eip712Domain) -> Result<Vec<u8>> {
        match self {
            Self::Key(key) => {
                let signature = key.sign_hash_sync(&statement.signing_hash(domain));
                Ok(signature.map_err(unsigned)?.as_bytes().to_vec())
            }
            Self::Wallet { account, wallet } => {
                // Wallets refuse statements for another chain than the one that they are on.
                if let Some(chain_id) = domain.chain_id {
                    on_chain(&**wallet, chain_id).await?;
                }
                let typed = typed_data(statement, domain)?.to_string();
                signature(wallet.request("eth_signTypedData_v4", json!([account, typed])).await?)
            }
        }
    }

    /// Signs a text (EIP-191).
    pub(crate) async fn sign_text(&self, text: &str) -> Result<Vec<u8>> {
        match self {
            Self::Key(key) => {
                let signature = key.sign_message_sync(text.as_bytes());
                Ok(signature.map_err(unsigned)?.as_bytes().to_vec())
            }
            Self::Wallet { account, wallet } => {
                let text = hex::encode_prefixed(text);
                signature(wallet.request("personal_sign", json!([text, account])).await?)
            }
        }
    }

    /// Has a wallet send a transaction, on the chain `chain_id` and on no other.
    pub(crate) async fn send(
        account: Address,
        wallet: &dyn Wallet,
        chain_id: u64,
        request: &TransactionRequest,
    ) -> Result<B256> {
        on_chain(wallet, U256::from(chain_id)).await?;
        let mut request = json!(request.clone().from(account).with_chain_id(chain_id));
        if let Some(fields) = request.as_object_mut() {
            // Some wallets know it by its older name.
            if let Some(input) = fields.remove("input") {
                fields.insert("data".into(), input);
            }
        }
        let hash = wallet.request("eth_sendTransaction", json!([request])).await?;
        serde_json::from_value(hash).map_err(|_| Error::Wallet("it did not say which transaction it sent".into()))
    }
}

/// Has a wallet be on this chain.
async fn on_chain(wallet: &dyn Wallet, chain_id: U256) -> Result<()> {
    let is_there = async || {
        let said = wallet.request("eth_chainId", json!([])).await?;
        Ok::<_, Error>(said.as_str().and_then(|said| said.parse::<U256>().ok()) == Some(chain_id))
    };
    if is_there().await? {
        return Ok(());
    }
    let wanted = json!([{ "chainId": format!("{chain_id:#x}") }]);
    wallet.request("wallet_switchEthereumChain", wanted).await?;
    match is_there().await? {
        true => Ok(()),
        false => Err(Error::Wallet(format!("it is on another chain than {chain_id}"))),
    }
}

fn unsigned(error: alloy::signers::Error) -> Error {
    Error::Usage(format!("cannot sign: {error}"))
}

/// Whatever length it has: a contract's wallet gives what the contract takes (EIP-1271).
fn signature(answer: Value) -> Result<Vec<u8>> {
    let text = answer.as_str().and_then(|text| hex::decode(text).ok());
    text.ok_or_else(|| Error::Wallet("it did not give a signature".into()))
}

/// A statement as wallets take it (`eth_signTypedData_v4`).
fn typed_data(statement: &Statement, domain: &Eip712Domain) -> Result<Value> {
    let name = statement.name;
    let odd = || Error::Usage(format!("{name} cannot be shown to a wallet"));
    let types = types(&statement.types).ok_or_else(odd)?;
    let shape = shape(name, &types).ok_or_else(odd)?;
    let value = shape.abi_decode(&statement.encoded).map_err(|_| odd())?;
    let message = shown(name, &value, &types).ok_or_else(odd)?;
    let mut all: serde_json::Map<String, Value> = types
        .iter()
        .map(|(name, members)| (name.clone(), members.iter().map(member).collect()))
        .collect();
    let of_domain = [
        ("string", "name"),
        ("string", "version"),
        ("uint256", "chainId"),
        ("address", "verifyingContract"),
    ];
    let of_domain = of_domain.map(|(kind, name)| (kind.to_owned(), name.to_owned()));
    all.insert("EIP712Domain".into(), of_domain.iter().map(member).collect());
    Ok(json!({
        "types": all,
        "primaryType": name,
        "domain": {
            "name": domain.name, "version": domain.version,
            "chainId": domain.chain_id.map(|id| id.to_string()), "verifyingContract": domain.verifying_contract,
        },
        "message": message,
    }))
}

/// Type and name of each member, by the name of the struct.
type Types = BTreeMap<String, Vec<(String, String)>>;

fn member((kind, name): &(String, String)) -> Value {
    json!({ "name": name, "type": kind })
}

/// What `encodeType` says: `A(uint8 x,B[] y)B(address z)`.
fn types(text: &str) -> Option<Types> {
    text.split_terminator(')')
        .map(|one| {
            let (name, members) = one.split_once('(')?;
            let members = members.split(',').map(|member| {
                let (kind, name) = member.split_once(' ')?;
                Some((kind.to_owned(), name.to_owned()))
            });
            Some((name.to_owned(), members.collect::<Option<_>>()?))
        })
        .collect()
}

fn shape(kind: &str, types: &Types) -> Option<DynSolType> {
    if let Some(of) = kind.strip_suffix("[]") {
        return Some(DynSolType::Array(Box::new(shape(of, types)?)));
    }
    match types.get(kind) {
        Some(members) => {
            let members = members.iter().map(|(kind, _)| shape(kind, types));
            Some(DynSolType::Tuple(members.collect::<Option<_>>()?))
        }
        None => kind.parse().ok(),
    }
}

/// Numbers as decimal text: wallets take it, and JavaScript's own numbers end at 2^53.
fn shown(kind: &str, value: &DynSolValue, types: &Types) -> Option<Value> {
    Some(match value {
        DynSolValue::Array(items) => {
            let of = kind.strip_suffix("[]")?;
            items
                .iter()
                .map(|item| shown(of, item, types))
                .collect::<Option<Value>>()?
        }
        DynSolValue::Tuple(items) => {
            let members = types.get(kind)?.iter().zip(items);
            let members = members.map(|((kind, name), item)| Some((name.clone(), shown(kind, item, types)?)));
            Value::Object(members.collect::<Option<_>>()?)
        }
        DynSolValue::Address(address) => json!(address),
        DynSolValue::Bool(yes) => json!(yes),
        DynSolValue::Bytes(bytes) => json!(hex::encode_prefixed(bytes)),
        DynSolValue::FixedBytes(word, size) => json!(hex::encode_prefixed(&word[..*size])),
        DynSolValue::String(text) => json!(text),
        DynSolValue::Uint(number, _) => json!(number.to_string()),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use alloy::{
        dyn_abi::TypedData,
        primitives::{Bytes, U256},
        sol_types::{SolStruct, SolValue},
    };
    use medlock_abi::{
        relay::IRelay::{PublishKey, Resealed, Revoke},
        signed::{self, ReadReceipt},
    };

    use super::*;

    fn same<S: SolStruct + SolValue>(statement: &S) {
        let domain = signed::domain(412_346, Address::repeat_byte(7));
        let stated = Statement::of(statement);
        let typed = typed_data(&stated, &domain).unwrap();
        let read: TypedData = serde_json::from_value(typed.clone()).unwrap();
        let hash = read.eip712_signing_hash().unwrap();
        assert_eq!(hash, statement.eip712_signing_hash(&domain), "{typed}");
        assert_eq!(hash, stated.signing_hash(&domain));
    }

    #[test]
    fn what_a_wallet_signs_is_what_a_key_signs() {
        let word = B256::repeat_byte;
        same(&ReadReceipt {
            chart: word(1),
            recordId: word(2),
            version: 3,
            pointer: word(4),
            reader: Address::repeat_byte(5),
            organisation: Address::repeat_byte(9),
            purpose: 6,
            gateway: Address::repeat_byte(7),
            readAt: u64::MAX,
            nonce: word(8),
        });
        let mut revoke = Revoke {
            signer: Address::repeat_byte(1),
            chart: word(2),
            grantee: Address::repeat_byte(3),
            version: 4,
            directory: word(5),
            keyrings: Vec::new(),
            nonce: U256::MAX,
            deadline: U256::from(6),
        };
        same(&revoke);
        for byte in 0..3 {
            revoke.keyrings.push(Resealed {
                grantee: Address::repeat_byte(byte),
                keyring: word(byte),
            });
        }
        same(&revoke);
        same(&PublishKey {
            signer: Address::repeat_byte(1),
            version: 1,
            suite: 2,
            key: Bytes::from_static(b"a key"),
            nonce: U256::ZERO,
            deadline: U256::from(1),
        });
    }
}
