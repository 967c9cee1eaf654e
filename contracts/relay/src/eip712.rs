//! What is signed: EIP-712 digests of the operations, under the domain of this contract on this chain.
//!
//! By hand, with the host's keccak256, which is passed in: `alloy` would bring its own and the texts of the types into the module.
//! The tests compare every type with what `alloy` makes of the ABI. Start reading at [`Signed::digest`].
use alloc::{vec, vec::Vec};

use alloy_primitives::{Address, B256, U256};
use medlock_abi::relay::IRelay::{
    AddRecords, AmendRecord, BreakGlass, CancelAll, CloseEmergency, EnterInError, Grant, LedgerCall, OpenChart,
    PublishKey, RemoveMember, Revoke, RevokeAll, SetDelegate, SetDirectory, SetEmergencyAccess, SetMember, ShredRecord,
};
use stylus_sdk::keccak_const::Keccak256;

pub const NAME: &str = "Medlock";
pub const VERSION: &str = "1";

const DOMAIN_HASH: B256 = hash_of("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
const NAME_HASH: B256 = hash_of(NAME);
const VERSION_HASH: B256 = hash_of(VERSION);
const RESEALED_HASH: B256 = hash_of("Resealed(address grantee,bytes32 keyring)");
pub const REVOKE_HASH: B256 = hash_of(
    "Revoke(address signer,bytes32 chart,address grantee,uint32 version,bytes32 directory,Resealed[] keyrings,\
     uint256 nonce,uint256 deadline)Resealed(address grantee,bytes32 keyring)",
);
const NEW_RECORD_HASH: B256 = hash_of("NewRecord(bytes32 recordId,uint8 compartment,uint8 codec,bytes32 pointer)");
pub const ADD_RECORDS_HASH: B256 = hash_of(
    "AddRecords(address signer,bytes32 chart,address organisation,uint32 directoryVersion,NewRecord[] records,\
     uint256 nonce,uint256 deadline)NewRecord(bytes32 recordId,uint8 compartment,uint8 codec,bytes32 pointer)",
);
pub const PUBLISH_KEY_HASH: B256 =
    hash_of("PublishKey(address signer,uint32 version,uint16 suite,bytes key,uint256 nonce,uint256 deadline)");
pub const LEDGER_CALL_HASH: B256 =
    hash_of("LedgerCall(address signer,address ledger,bytes call,uint256 nonce,uint256 deadline)");

/// The host's keccak256, or another.
pub type Keccak<'a> = &'a dyn Fn(&[u8]) -> B256;

/// An operation as it is hashed.
#[derive(Debug)]
pub struct Signed {
    /// Type hash, then `encodeData`.
    pub encoded: Vec<B256>,
    pub signer: Address,
    pub nonce: U256,
    pub deadline: U256,
}

impl Signed {
    /// What the account signs for `contract` on this chain.
    pub fn digest(&self, keccak: Keccak, chain_id: u64, contract: Address) -> B256 {
        let domain = [
            DOMAIN_HASH,
            NAME_HASH,
            VERSION_HASH,
            U256::from(chain_id).into(),
            contract.into_word(),
        ];
        let mut input = b"\x19\x01".to_vec();
        input.extend(keccak(&domain.concat()));
        input.extend(keccak(&self.encoded.concat()));
        keccak(&input)
    }
}

/// A signed type with `N` members of one word each.
pub trait Operation<const N: usize>: 'static {
    const TYPE: Type<N>;
}

pub struct Type<const N: usize> {
    pub hash: B256,
    /// How many leading bits of each member's word are zero.
    pub unused: [u8; N],
}

impl Operation<5> for OpenChart {
    const TYPE: Type<5> =
        Type::of("OpenChart(address signer,bytes32 chart,bytes32 directory,uint256 nonce,uint256 deadline)");
}

impl Operation<6> for SetDirectory {
    const TYPE: Type<6> = Type::of(
        "SetDirectory(address signer,bytes32 chart,uint32 version,bytes32 directory,uint256 nonce,uint256 deadline)",
    );
}

impl Operation<13> for Grant {
    const TYPE: Type<13> = Type::of(
        "Grant(address signer,bytes32 chart,uint32 directoryVersion,address grantee,uint8 serial,uint64 compartments,\
         uint32 purposes,uint8 actions,uint64 notBefore,uint64 expiry,bytes32 keyring,uint256 nonce,uint256 deadline)",
    );
}

impl Operation<5> for RevokeAll {
    const TYPE: Type<5> =
        Type::of("RevokeAll(address signer,bytes32 chart,uint32 epoch,uint256 nonce,uint256 deadline)");
}

impl Operation<10> for AmendRecord {
    const TYPE: Type<10> = Type::of(
        "AmendRecord(address signer,bytes32 chart,address organisation,uint32 directoryVersion,bytes32 recordId,\
         bytes32 previous,uint8 codec,bytes32 pointer,uint256 nonce,uint256 deadline)",
    );
}

impl Operation<7> for EnterInError {
    const TYPE: Type<7> = Type::of(
        "EnterInError(address signer,bytes32 chart,address organisation,bytes32 recordId,bytes32 previous,uint256 nonce,\
         uint256 deadline)",
    );
}

impl Operation<5> for ShredRecord {
    const TYPE: Type<5> =
        Type::of("ShredRecord(address signer,bytes32 chart,bytes32 recordId,uint256 nonce,uint256 deadline)");
}

impl Operation<9> for SetDelegate {
    const TYPE: Type<9> = Type::of(
        "SetDelegate(address signer,bytes32 chart,uint32 directoryVersion,address delegate,uint32 serial,uint8 powers,uint64 expiry,\
         uint256 nonce,uint256 deadline)",
    );
}

impl Operation<6> for SetEmergencyAccess {
    const TYPE: Type<6> = Type::of(
        "SetEmergencyAccess(address signer,bytes32 chart,uint32 serial,bool allowed,uint256 nonce,uint256 deadline)",
    );
}

impl Operation<7> for BreakGlass {
    const TYPE: Type<7> = Type::of(
        "BreakGlass(address signer,bytes32 chart,address organisation,uint64 compartments,uint16 reasonCode,uint256 nonce,\
         uint256 deadline)",
    );
}

impl Operation<5> for CloseEmergency {
    const TYPE: Type<5> =
        Type::of("CloseEmergency(address signer,bytes32 chart,address party,uint256 nonce,uint256 deadline)");
}

impl Operation<6> for SetMember {
    const TYPE: Type<6> =
        Type::of("SetMember(address signer,address member,uint32 serial,uint64 expiry,uint256 nonce,uint256 deadline)");
}

impl Operation<5> for RemoveMember {
    const TYPE: Type<5> =
        Type::of("RemoveMember(address signer,address member,uint32 serial,uint256 nonce,uint256 deadline)");
}

impl Operation<3> for CancelAll {
    const TYPE: Type<3> = Type::of("CancelAll(address signer,uint256 nonce,uint256 deadline)");
}

/// Its keyrings are an array of structs, so each is hashed, and then all the hashes.
pub fn revoke(keccak: Keccak, operation: &Revoke) -> Signed {
    let keyrings: Vec<B256> = operation
        .keyrings
        .iter()
        .map(|keyring| keccak(&[RESEALED_HASH, keyring.grantee.into_word(), keyring.keyring].concat()))
        .collect();
    Signed {
        encoded: vec![
            REVOKE_HASH,
            operation.signer.into_word(),
            operation.chart,
            operation.grantee.into_word(),
            U256::from(operation.version).into(),
            operation.directory,
            keccak(&keyrings.concat()),
            operation.nonce.into(),
            operation.deadline.into(),
        ],
        signer: operation.signer,
        nonce: operation.nonce,
        deadline: operation.deadline,
    }
}

/// Its records are hashed as the keyrings of a revocation are.
pub fn add_records(keccak: Keccak, operation: &AddRecords) -> Signed {
    let records: Vec<B256> = operation
        .records
        .iter()
        .map(|record| {
            let members = [
                NEW_RECORD_HASH,
                record.recordId,
                B256::with_last_byte(record.compartment),
                B256::with_last_byte(record.codec),
                record.pointer,
            ];
            keccak(&members.concat())
        })
        .collect();
    Signed {
        encoded: vec![
            ADD_RECORDS_HASH,
            operation.signer.into_word(),
            operation.chart,
            operation.organisation.into_word(),
            U256::from(operation.directoryVersion).into(),
            keccak(&records.concat()),
            operation.nonce.into(),
            operation.deadline.into(),
        ],
        signer: operation.signer,
        nonce: operation.nonce,
        deadline: operation.deadline,
    }
}

/// Its key is of any length, so it is hashed.
pub fn publish_key(keccak: Keccak, operation: &PublishKey) -> Signed {
    Signed {
        encoded: vec![
            PUBLISH_KEY_HASH,
            operation.signer.into_word(),
            U256::from(operation.version).into(),
            U256::from(operation.suite).into(),
            keccak(&operation.key),
            operation.nonce.into(),
            operation.deadline.into(),
        ],
        signer: operation.signer,
        nonce: operation.nonce,
        deadline: operation.deadline,
    }
}

/// Its call is hashed as a key is.
pub fn ledger_call(keccak: Keccak, operation: &LedgerCall) -> Signed {
    Signed {
        encoded: vec![
            LEDGER_CALL_HASH,
            operation.signer.into_word(),
            operation.ledger.into_word(),
            keccak(&operation.call),
            operation.nonce.into(),
            operation.deadline.into(),
        ],
        signer: operation.signer,
        nonce: operation.nonce,
        deadline: operation.deadline,
    }
}

impl<const N: usize> Type<N> {
    /// Of `encodeType`: `Name(type member,..)`, where each type is `address`, `bool`, `bytes32` or `uintM`.
    const fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        let (mut unused, mut member, mut at) = ([0; N], 0, 0);
        while at < bytes.len() {
            // A type begins behind each of these.
            if matches!(bytes[at], b'(' | b',') {
                unused[member] = match (bytes[at + 1], bytes[at + 2]) {
                    // Of 256 bits, 160 and 1.
                    (b'a', _) => 96,
                    (b'b', b'o') => 255,
                    (b'b', b'y') => 0,
                    (b'u', _) => (256 - leading_number(bytes, at + 1 + "uint".len())) as u8,
                    _ => panic!("a member that is not of one word"),
                };
                member += 1;
            }
            at += 1;
        }
        assert!(member == N);
        Self {
            hash: hash_of(text),
            unused,
        }
    }
}

const fn leading_number(bytes: &[u8], mut at: usize) -> usize {
    let mut number = 0;
    while bytes[at].is_ascii_digit() {
        number = number * 10 + (bytes[at] - b'0') as usize;
        at += 1;
    }
    number
}

const fn hash_of(text: &str) -> B256 {
    B256::new(Keccak256::new().update(text.as_bytes()).finalize())
}
