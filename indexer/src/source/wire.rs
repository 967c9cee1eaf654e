//! What comes over JSON-RPC, read once and straight into what is used; and the hashes that prove it.
use super::{Fault, Header};
use crate::model::Block;
use alloy::{
    consensus::{self, Eip658Value, RlpEncodableReceipt, proofs::ordered_trie_root_encoded},
    primitives::{Address, B64, B256, Bloom, Bytes, LogData, U256},
    rpc::types::Log,
};
use serde::{Deserialize, Deserializer, de::DeserializeOwned, de::Error as _};
use serde_json::Value;

/// One request: a method and its parameters in JSON.
#[derive(Clone, Debug)]
pub struct Call {
    pub method: &'static str,
    pub params: String,
}

impl Call {
    pub fn new(method: &'static str, params: &Value) -> Self {
        Self {
            method,
            params: params.to_string(),
        }
    }

    /// The header of a block: "latest", "finalized", or a number in hex.
    pub fn header(which: &str) -> Self {
        Self::new("eth_getBlockByNumber", &serde_json::json!([which, false]))
    }

    pub fn write(&self, id: u64, out: &mut String) {
        let Self { method, params } = self;
        *out += &format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{params}}}"#);
    }
}

/// One answer. `result` may be null, which means "no such thing", and must not be mistaken for a missing one.
#[derive(Deserialize)]
#[serde(bound = "T: Deserialize<'de>")]
pub struct Reply<T> {
    pub id: Option<u64>,
    #[serde(default = "none", deserialize_with = "present")]
    pub result: Option<Option<T>>,
    pub error: Option<ErrorBody>,
}

#[derive(Deserialize, Debug)]
pub struct ErrorBody {
    #[serde(default)]
    pub code: i64,
    #[serde(default)]
    pub message: String,
    #[serde(default)]
    pub data: Value,
}

fn none<T>() -> Option<T> {
    None
}

fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(from).map(Some)
}

pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(body).map_err(|error| Fault::Garbled(format!("the answer cannot be read: {error}")))
}

/// A header, with every field that its hash is over. Those that a chain lacks are absent, and so are they in the hash.
#[derive(Deserialize, Debug)]
#[serde(rename_all = "camelCase")]
pub struct HeaderAnswer {
    hash: B256,
    parent_hash: B256,
    #[serde(deserialize_with = "quantity")]
    number: u64,
    #[serde(deserialize_with = "quantity")]
    timestamp: u64,
    logs_bloom: Bloom,
    #[serde(default)]
    sha3_uncles: B256,
    #[serde(default)]
    miner: Address,
    #[serde(default)]
    state_root: B256,
    #[serde(default)]
    transactions_root: B256,
    #[serde(default)]
    receipts_root: B256,
    #[serde(default)]
    difficulty: U256,
    #[serde(default, deserialize_with = "quantity")]
    gas_limit: u64,
    #[serde(default, deserialize_with = "quantity")]
    gas_used: u64,
    #[serde(default)]
    extra_data: Bytes,
    #[serde(default)]
    mix_hash: B256,
    #[serde(default)]
    nonce: B64,
    #[serde(default, deserialize_with = "maybe_quantity")]
    base_fee_per_gas: Option<u64>,
    withdrawals_root: Option<B256>,
    #[serde(default, deserialize_with = "maybe_quantity")]
    blob_gas_used: Option<u64>,
    #[serde(default, deserialize_with = "maybe_quantity")]
    excess_blob_gas: Option<u64>,
    parent_beacon_block_root: Option<B256>,
    requests_hash: Option<B256>,
    block_access_list_hash: Option<B256>,
    #[serde(default, deserialize_with = "maybe_quantity")]
    slot_number: Option<u64>,
}

impl HeaderAnswer {
    pub fn read(self) -> Header {
        let block = Block {
            number: self.number,
            hash: self.hash,
            parent: self.parent_hash,
            time: self.timestamp,
        };
        let header = consensus::Header {
            parent_hash: self.parent_hash,
            ommers_hash: self.sha3_uncles,
            beneficiary: self.miner,
            state_root: self.state_root,
            transactions_root: self.transactions_root,
            receipts_root: self.receipts_root,
            logs_bloom: self.logs_bloom,
            difficulty: self.difficulty,
            number: self.number,
            gas_limit: self.gas_limit,
            gas_used: self.gas_used,
            timestamp: self.timestamp,
            extra_data: self.extra_data,
            mix_hash: self.mix_hash,
            nonce: self.nonce,
            base_fee_per_gas: self.base_fee_per_gas,
            withdrawals_root: self.withdrawals_root,
            blob_gas_used: self.blob_gas_used,
            excess_blob_gas: self.excess_blob_gas,
            parent_beacon_block_root: self.parent_beacon_block_root,
            requests_hash: self.requests_hash,
            block_access_list_hash: self.block_access_list_hash,
            slot_number: self.slot_number,
        };
        Header {
            block,
            bloom: self.logs_bloom,
            receipts_root: self.receipts_root,
            proved: header.hash_slow() == self.hash,
        }
    }
}

/// A log, of which what is not used is not read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogAnswer {
    address: Address,
    topics: Vec<B256>,
    data: Bytes,
    block_hash: Option<B256>,
    #[serde(default, deserialize_with = "maybe_quantity")]
    block_number: Option<u64>,
    transaction_hash: Option<B256>,
    #[serde(default, deserialize_with = "maybe_quantity")]
    log_index: Option<u64>,
    #[serde(default)]
    removed: bool,
}

impl From<LogAnswer> for Log {
    fn from(log: LogAnswer) -> Self {
        Self {
            inner: alloy::primitives::Log {
                address: log.address,
                data: LogData::new_unchecked(log.topics, log.data),
            },
            block_hash: log.block_hash,
            block_number: log.block_number,
            block_timestamp: None,
            transaction_hash: log.transaction_hash,
            transaction_index: None,
            log_index: log.log_index,
            removed: log.removed,
        }
    }
}

/// A receipt: what the receipts' root is over, and where its logs stand.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReceiptAnswer {
    #[serde(default, rename = "type", deserialize_with = "quantity")]
    kind: u64,
    #[serde(default, deserialize_with = "maybe_quantity")]
    status: Option<u64>,
    /// Before Byzantium, instead of a status.
    root: Option<B256>,
    #[serde(deserialize_with = "quantity")]
    cumulative_gas_used: u64,
    pub logs: Vec<LogAnswer>,
}

/// A block's receipts: all their logs, the bloom and the root that they give.
pub struct Receipts {
    pub logs: Vec<Log>,
    pub bloom: Bloom,
    pub root: B256,
}

impl Receipts {
    /// The encoding of a receipt is EIP-2718's for every type, Arbitrum's own (0x64 to 0x78) among them; a chain that
    /// adds fields gives another root.
    pub fn read(receipts: Vec<ReceiptAnswer>) -> Self {
        let mut all = Self {
            logs: Vec::new(),
            bloom: Bloom::ZERO,
            root: B256::ZERO,
        };
        let mut encoded = Vec::with_capacity(receipts.len());
        for answer in receipts {
            let logs: Vec<Log> = answer.logs.into_iter().map(Log::from).collect();
            let mut bloom = Bloom::ZERO;
            for log in &logs {
                bloom.accrue_log(&log.inner);
            }
            let receipt = consensus::Receipt {
                status: match (answer.status, answer.root) {
                    (None, Some(root)) => Eip658Value::PostState(root),
                    (status, _) => Eip658Value::Eip658(status == Some(1)),
                },
                cumulative_gas_used: answer.cumulative_gas_used,
                logs: logs.iter().map(|log| log.inner.clone()).collect(),
            };
            let mut bytes = Vec::new();
            // A type is one byte; one that is not gives a wrong root, as it should.
            if let kind @ 1.. = answer.kind as u8 {
                bytes.push(kind);
            }
            receipt.rlp_encode_with_bloom(&bloom, &mut bytes);
            encoded.push(bytes);
            all.bloom |= bloom;
            all.logs.extend(logs);
        }
        all.root = ordered_trie_root_encoded(&encoded);
        all
    }
}

fn quantity<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    let text = <&str>::deserialize(from)?;
    let digits = text.strip_prefix("0x").ok_or_else(|| D::Error::custom("not in hex"))?;
    u64::from_str_radix(digits, 16).map_err(D::Error::custom)
}

fn maybe_quantity<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    let Some(text) = <Option<&str>>::deserialize(from)? else {
        return Ok(None);
    };
    let digits = text.strip_prefix("0x").ok_or_else(|| D::Error::custom("not in hex"))?;
    u64::from_str_radix(digits, 16).map(Some).map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::b256;
    use serde_json::json;

    #[test]
    fn a_null_result_is_not_a_missing_one() {
        let read = |text: &str| parse::<Reply<u64>>(text.as_bytes()).unwrap();
        assert_eq!(read(r#"{"id":1,"result":null}"#).result, Some(None));
        assert_eq!(read(r#"{"id":1,"result":7}"#).result, Some(Some(7)));
        assert_eq!(read(r#"{"id":1}"#).result, None);
        assert!(parse::<Reply<u64>>(br#"{"id":1,"resu"#).is_err());
    }

    /// Block 1 of Ethereum's main network.
    #[test]
    fn the_hash_of_a_header_is_recomputed() {
        let mut answer = json!({
            "number": "0x1",
            "hash": "0x88e96d4537bea4d9c05d12549907b32561d3bf31f45aae734cdc119f13406cb6",
            "parentHash": "0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3",
            "nonce": "0x539bd4979fef1ec4",
            "mixHash": "0x969b900de27b6ac6a67742365dd65f55a0526c41fd18e1b16f1a1215c2e66f59",
            "sha3Uncles": "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347",
            "logsBloom": Bloom::ZERO,
            "transactionsRoot": "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",
            "stateRoot": "0xd67e4d450343046425ae4271474353857ab860dbc0a1dde64b41b5cd3a532bf3",
            "receiptsRoot": "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",
            "miner": "0x05a56e2d52c817161883f50c441c3228cfe54d9f",
            "difficulty": "0x3ff800000",
            "extraData": "0x476574682f76312e302e302f6c696e75782f676f312e342e32",
            "gasLimit": "0x1388",
            "gasUsed": "0x0",
            "timestamp": "0x55ba4224"
        });
        let read = |answer: &Value| parse::<HeaderAnswer>(answer.to_string().as_bytes()).unwrap().read();
        assert!(read(&answer).proved);
        answer["timestamp"] = json!("0x55ba4225");
        assert!(!read(&answer).proved);
    }

    #[test]
    fn no_receipts_have_the_empty_root() {
        assert_eq!(
            Receipts::read(vec![]).root,
            b256!("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421")
        );
    }
}
