//! Read receipts: the reader's signed statement of one read, and a gateway's hash chain of them.
//!
//! The link of entry n is `keccak256(abi.encode(ReceiptLink{..}))` with the hash of entry n-1 in it (zero for
//! the first, which has sequence 1). A gateway that drops, reorders or edits an entry breaks every later hash.
use alloy_primitives::{Address, B256, Bytes, keccak256};
use alloy_sol_types::{SolStruct, SolValue, sol};
use medlock_abi::{
    audit::IAudit,
    signed::{ReadReceipt, domain},
};
use serde::{Deserialize, Serialize};

use crate::Purpose;

/// `ReadReceipt` of `medlock_abi::signed`, as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex32))]
    pub chart: B256,
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex32))]
    pub record_id: B256,
    pub version: u32,
    /// The envelope's digest, as the reader learned it from the chain or from the later version's envelope.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex32))]
    pub pointer: B256,
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex20))]
    pub reader: Address,
    /// The organisation that the reader acts for, as its member; zero: for themselves.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex20))]
    pub organisation: Address,
    pub purpose: Purpose,
    /// The account of the gateway that is asked; it refuses another's.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex20))]
    pub gateway: Address,
    /// UNIX seconds by the reader's clock.
    pub read_at: u64,
    /// Random.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex32))]
    pub nonce: B256,
}

impl Receipt {
    /// The struct that is signed.
    pub fn statement(&self) -> ReadReceipt {
        ReadReceipt {
            chart: self.chart,
            recordId: self.record_id,
            version: self.version,
            pointer: self.pointer,
            reader: self.reader,
            organisation: self.organisation,
            purpose: self.purpose.bit(),
            gateway: self.gateway,
            readAt: self.read_at,
            nonce: self.nonce,
        }
    }

    /// The EIP-712 digest that the reader signs, for the deployment (`chain_id`, `records`).
    pub fn signing_hash(&self, chain_id: u64, records: Address) -> B256 {
        self.statement().eip712_signing_hash(&domain(chain_id, records))
    }
}

/// Body of `POST .../reads`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ReadRequest {
    pub receipt: Receipt,
    /// By the reader over [`Receipt::signing_hash`]: 65 bytes r || s || v, s in the lower half (EIP-2), v 27 or 28; or, of an account that is
    /// a contract, what its `isValidSignature` takes at the block of the decision (EIP-1271, EIP-6492). At most 4,096 bytes.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::HexBytes))]
    pub signature: Bytes,
}

/// One entry of a gateway's log of reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReadEntry {
    /// Position in the gateway's chain of receipts, from 1; the entries of one chart have gaps.
    pub sequence: u64,
    pub receipt: Receipt,
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::HexBytes))]
    pub signature: Bytes,
    /// The block at whose state the read was allowed.
    pub block: u64,
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex32))]
    pub block_hash: B256,
    /// Basis of access: `controller` or `grant`.
    pub reason: String,
    /// The code of `reason` (`medlock_abi::terms::reason`).
    pub reason_code: u8,
    /// UNIX seconds by the gateway's clock.
    pub received_at: u64,
    /// Hash of the entry before; zero for the first.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex32))]
    pub previous: B256,
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex32))]
    pub hash: B256,
    /// Where the gateway says it stands on chain; absent while it is not anchored. Not part of the hash.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub anchor: Option<ReadAnchor>,
}

/// An entry's place under an anchor of its gateway (`IAudit.Anchor`), and the path there: RFC 9162 with keccak256, the leaf's data is
/// [`ReadEntry::hash`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReadAnchor {
    /// From 0.
    pub index: u64,
    /// The anchor before; zero at index 0.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex32))]
    pub previous: B256,
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex32))]
    pub root: B256,
    /// The sequence of the first receipt under it.
    pub first: u64,
    pub count: u32,
    /// Of the entry, from 0.
    pub position: u32,
    /// Siblings from the leaf up.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<crate::schema::Hex32>))]
    pub path: Vec<B256>,
    /// Where it was anchored, by the gateway's index.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub block: Option<u64>,
}

sol! {
    /// What the hash of an entry covers, in ABI encoding.
    struct ReceiptLink {
        bytes32 previous;
        uint64 sequence;
        bytes32 signingHash;
        bytes32 signatureHash;
        uint64 blockNumber;
        bytes32 blockHash;
        uint8 reason;
        uint64 receivedAt;
    }
}

impl ReadEntry {
    /// The hash that this entry must have: compare with [`ReadEntry::hash`], and with the next entry's `previous`.
    pub fn link_hash(&self, chain_id: u64, records: Address) -> B256 {
        keccak256(
            ReceiptLink {
                previous: self.previous,
                sequence: self.sequence,
                signingHash: self.receipt.signing_hash(chain_id, records),
                signatureHash: keccak256(&self.signature),
                blockNumber: self.block,
                blockHash: self.block_hash,
                reason: self.reason_code,
                receivedAt: self.received_at,
            }
            .abi_encode(),
        )
    }

    /// The struct hash that must stand at the anchor's index on chain for this entry to be anchored. `None`: the path does not lead from
    /// the entry to the root, or there is none.
    pub fn anchored_by(&self) -> Option<B256> {
        let anchor = self.anchor.as_ref()?;
        let leaf = medlock_merkle::leaf(keccak, self.hash);
        let is_under = self.sequence.checked_sub(anchor.first) == Some(anchor.position.into())
            && medlock_merkle::verify(keccak, anchor.root, anchor.count, anchor.position, leaf, &anchor.path);
        let statement = IAudit::Anchor {
            gateway: self.receipt.gateway,
            index: anchor.index,
            previous: anchor.previous,
            root: anchor.root,
            count: anchor.count,
        };
        is_under.then(|| statement.eip712_hash_struct())
    }
}

fn keccak(bytes: &[u8]) -> B256 {
    keccak256(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> ReadEntry {
        let receipt = Receipt {
            chart: B256::repeat_byte(1),
            record_id: B256::repeat_byte(2),
            version: 3,
            pointer: B256::repeat_byte(4),
            reader: Address::repeat_byte(5),
            organisation: Address::repeat_byte(11),
            purpose: Purpose::from_code("TREAT").unwrap(),
            gateway: Address::repeat_byte(6),
            read_at: 1_700_000_000,
            nonce: B256::repeat_byte(7),
        };
        ReadEntry {
            sequence: 1,
            receipt,
            signature: vec![8; 65].into(),
            block: 9,
            block_hash: B256::repeat_byte(10),
            reason: "grant".into(),
            reason_code: 2,
            received_at: 1_700_000_001,
            previous: B256::ZERO,
            hash: B256::ZERO,
            anchor: None,
        }
    }

    #[test]
    fn an_entry_is_under_its_own_anchor_at_its_own_place_and_nowhere_else() {
        let hashes: Vec<B256> = (1..=5).map(B256::repeat_byte).collect();
        let leaves: Vec<B256> = hashes.iter().map(|hash| medlock_merkle::leaf(keccak, *hash)).collect();
        let mut entry = entry();
        (entry.sequence, entry.hash) = (13, hashes[3]);
        assert_eq!(entry.anchored_by(), None);
        let anchor = ReadAnchor {
            index: 7,
            previous: B256::repeat_byte(9),
            root: medlock_merkle::root(keccak, &leaves).unwrap(),
            first: 10,
            count: 5,
            position: 3,
            path: medlock_merkle::proof(keccak, &leaves, 3).unwrap(),
            block: None,
        };
        entry.anchor = Some(anchor.clone());
        let stands = entry.anchored_by().expect("it is under the root");
        let breaks: [fn(&mut ReadAnchor); 6] = [
            |a| a.root = B256::ZERO,
            |a| a.first = 11,
            |a| a.count = 3,
            |a| a.position = 2,
            |a| a.path[0] = B256::ZERO,
            |a| a.path.push(B256::ZERO),
        ];
        for edit in breaks {
            let mut anchor = anchor.clone();
            edit(&mut anchor);
            entry.anchor = Some(anchor);
            assert_eq!(entry.anchored_by(), None);
        }
        // These make it another statement, which the chain does not have.
        let changes: [fn(&mut ReadAnchor); 2] = [|a| a.index = 6, |a| a.previous = B256::ZERO];
        for edit in changes {
            let mut anchor = anchor.clone();
            edit(&mut anchor);
            entry.anchor = Some(anchor);
            assert!(entry.anchored_by().is_some_and(|other| other != stands));
        }
    }

    #[test]
    fn json_keeps_the_signed_statement() {
        let entry = entry();
        let json = serde_json::to_string(&entry).unwrap();
        assert!(
            json.contains(r#""purpose":"TREAT""#) && json.contains(r#""reader":"0x0505"#),
            "{json}"
        );
        let back: ReadEntry = serde_json::from_str(&json).unwrap();
        assert_eq!(back.link_hash(1, Address::ZERO), entry.link_hash(1, Address::ZERO));
        assert_eq!(back, entry);
    }

    #[test]
    fn the_hash_covers_every_part_and_the_deployment() {
        let base = entry().link_hash(1, Address::ZERO);
        let edits: [fn(&mut ReadEntry); 9] = [
            |e| e.sequence = 2,
            |e| e.receipt.organisation = Address::ZERO,
            |e| e.receipt.nonce = B256::ZERO,
            |e| e.signature = vec![9; 65].into(),
            |e| e.block = 10,
            |e| e.block_hash = B256::ZERO,
            |e| e.reason_code = 1,
            |e| e.received_at = 0,
            |e| e.previous = B256::repeat_byte(1),
        ];
        for edit in edits {
            let mut other = entry();
            edit(&mut other);
            assert_ne!(other.link_hash(1, Address::ZERO), base);
        }
        assert_ne!(entry().link_hash(2, Address::ZERO), base);
        assert_ne!(entry().link_hash(1, Address::repeat_byte(1)), base);
    }
}
