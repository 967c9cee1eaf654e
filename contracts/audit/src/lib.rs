//! `audit`: Merkle anchors of the read receipts that gateways keep, hash-linked for each gateway.
//!
//! An anchor is the EIP-712 struct hash of what the gateway says (its index, the anchor before it, root and count), so the
//! statement that it hands out signed before it anchors is the very thing that stands here. Whoever holds two different
//! ones for one index proves it, for good.
//!
//! **What a gateway must do** so that nothing is ever proved against it:
//! - It writes a statement down, for good, before it signs it, and never signs another for the same index.
//! - After a reorg it anchors the same statements again, in their order: their signatures were handed out, and a statement names
//!   nothing that a reorg changes. That the chain took an anchor back is no fault of the gateway, so what is not anchored
//!   contradicts nothing; a different anchor in its place is one.
//! - A gateway is its key: processes that sign with the same key are one gateway, with one chain of statements between them.
//! - It signs with a plain key (ECDSA). A contract may anchor, but nothing that is said in its name can be proved against it,
//!   since its answer (EIP-1271) can change and a proof must not; clients take no statement of such a gateway.
//!
//! Proofs are counted whether or not the accused is, or ever was, a gateway: the signature is its own, and the mark is there
//! when it becomes one.
//!
//! Implements [`IAudit`] of `medlock-abi`, which holds every event and error. It must never take a gateway's word for
//! another gateway, nor forget an anchor or a proof. Start reading at [`Audit`].
#![cfg_attr(not(any(test, feature = "export-abi")), no_std)]
#![forbid(unsafe_code)]
extern crate alloc;

pub mod slots;
#[cfg(test)]
mod tests;

use alloc::{string::String, vec, vec::Vec};

use alloy_primitives::{Address, B256, FixedBytes, U64, U256};
use medlock_abi::{
    audit::IAudit::{self, Anchor},
    link::{self, Placeholder, linked},
    registry::IRegistry::hasRolesCall,
    terms::role,
};
use medlock_calls::{ask, log, recover};
use stylus_sdk::{
    abi::Bytes,
    keccak_const::Keccak256,
    prelude::*,
    storage::{StorageB256, StorageBool, StorageMap},
};

use crate::slots::GatewayHead;

const NAME: &str = "Medlock";
const VERSION: &str = "1";
const NAME_HASH: B256 = hash_of(NAME);
const VERSION_HASH: B256 = hash_of(VERSION);
const DOMAIN_HASH: B256 = hash_of("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
const ANCHOR_HASH: B256 = hash_of("Anchor(address gateway,uint64 index,bytes32 previous,bytes32 root,uint32 count)");

/// Every error a method can answer with; the fields are documented in [`IAudit`].
#[derive(SolidityError, Debug, PartialEq, Eq)]
pub enum Error {
    NotGateway(IAudit::NotGateway),
    ZeroRoot(IAudit::ZeroRoot),
    EmptyAnchor(IAudit::EmptyAnchor),
    PreviousAnchor(IAudit::PreviousAnchor),
    NotComparable(IAudit::NotComparable),
    SameAnchor(IAudit::SameAnchor),
    BadSignature(IAudit::BadSignature),
    UnknownAnchor(IAudit::UnknownAnchor),
}

static REGISTRY: Placeholder = link::REGISTRY;

/// Fields are append-only once deployed.
#[storage]
#[entrypoint]
pub struct Audit {
    gateways: StorageMap<Address, Gateway>,
    /// By the hash of two anchors, the smaller first: that they were proved to contradict each other.
    proofs: StorageMap<B256, StorageBool>,
}

#[storage]
pub struct Gateway {
    /// See [`GatewayHead`].
    head: StorageB256,
    /// The last anchor.
    last: StorageB256,
    /// By index, from 0.
    anchors: StorageMap<U64, StorageB256>,
}

/// ERC-5267: (fields, name, version, chain, contract, salt, extensions).
type Domain = (FixedBytes<1>, String, String, U256, Address, B256, Vec<U256>);

#[public]
impl Audit {
    /// Which says who is a gateway.
    pub fn registry(&self) -> Address {
        linked(&REGISTRY)
    }

    /// The domain of the statements that gateways sign for this contract (ERC-5267).
    #[selector(name = "eip712Domain")]
    pub fn eip712_domain(&self) -> Domain {
        (
            // Name, version, chain and contract; no salt, no extensions.
            FixedBytes([0x0f]),
            NAME.into(),
            VERSION.into(),
            U256::from(self.vm().chain_id()),
            self.vm().contract_address(),
            B256::ZERO,
            Vec::new(),
        )
    }

    /// Anchors the caller's next receipts, and gives the anchor's index. By a current gateway. It names the anchor that it
    /// follows, so the same call cannot succeed twice. Where the chain takes the transaction back, the same statement is to
    /// be anchored again: its signature was handed out.
    ///
    /// # Errors
    /// `ZeroRoot`, `EmptyAnchor`, `NotGateway`, `PreviousAnchor`.
    /// # Events
    /// `Anchored`.
    pub fn anchor(&mut self, previous: B256, root: B256, count: u32) -> Result<u64, Error> {
        if root.is_zero() {
            return Err(IAudit::ZeroRoot {}.into());
        }
        if count == 0 {
            return Err(IAudit::EmptyAnchor {}.into());
        }
        let gateway = self.vm().msg_sender();
        let question = hasRolesCall {
            party: gateway,
            roles: role::GATEWAY,
        };
        if ask(self.vm(), linked(&REGISTRY), &question) != Some(true) {
            return Err(IAudit::NotGateway { caller: gateway }.into());
        }
        let mut head = self.head(gateway);
        let current = self.gateways.getter(gateway).last.get();
        if previous != current {
            return Err(IAudit::PreviousAnchor {
                given: previous,
                current,
            }
            .into());
        }

        let index = head.anchors;
        let anchor = self.struct_hash(&Anchor {
            gateway,
            index,
            previous,
            root,
            count,
        });
        // Each anchor has less than 2^32 receipts, so the sum fits while there are no more than 2^32 anchors; so many, each a
        // new slot, cannot be paid for (10^14 gas).
        head.anchors += 1;
        head.receipts += u64::from(count);
        let mut slots = self.gateways.setter(gateway);
        slots.head.set(head.to_word());
        slots.last.set(anchor);
        slots.anchors.setter(U64::from(index)).set(anchor);
        log(
            self.vm(),
            IAudit::Anchored {
                gateway,
                index,
                anchor,
                previous,
                root,
                count,
            },
        );
        Ok(index)
    }

    /// (number of anchors, of receipts under them, the last anchor).
    pub fn head_of(&self, gateway: Address) -> (u64, u64, B256) {
        let head = self.head(gateway);
        (head.anchors, head.receipts, self.gateways.getter(gateway).last.get())
    }

    /// The struct hash of the anchor at `index`; zero where there is none.
    pub fn anchor_of(&self, gateway: Address, index: u64) -> B256 {
        self.gateways.getter(gateway).anchors.get(U64::from(index))
    }

    /// Whether `leaf` is number `leaf_index` (from 0) of the receipts under this statement, and the statement stands anchored.
    /// `leaf` is the leaf's data; its hash is keccak256(0x00, leaf) (RFC 9162).
    pub fn verify(&self, statement: Anchor, leaf_index: u32, leaf: B256, proof: Vec<B256>) -> bool {
        // No anchor is zero, so what is not anchored is never equal.
        if self.anchor_of(statement.gateway, statement.index) != self.struct_hash(&statement) {
            return false;
        }
        let keccak = |bytes: &[u8]| self.vm().native_keccak256(bytes);
        let leaf = medlock_merkle::leaf(keccak, leaf);
        medlock_merkle::verify(keccak, statement.root, statement.count, leaf_index, leaf, &proof)
    }

    /// Counts against a gateway, for good, that it has signed two different statements for one index. By anyone, at any
    /// time, whatever the gateway's credential is by now; whoever copies a proof and is faster has proved the same. The
    /// signatures are its key's (ECDSA): a contract's answer (EIP-1271) can change, and a proof must not.
    ///
    /// # Errors
    /// `NotComparable`, `SameAnchor` (the two are one, or were proved before, in either order), `BadSignature`.
    /// # Events
    /// `EquivocationProved`.
    pub fn prove_equivocation(
        &mut self,
        first: Anchor,
        first_signature: Bytes,
        second: Anchor,
        second_signature: Bytes,
    ) -> Result<(), Error> {
        if first.gateway != second.gateway || first.index != second.index {
            return Err(IAudit::NotComparable {}.into());
        }
        let Anchor { gateway, index, .. } = first;
        let (first, second) = (self.struct_hash(&first), self.struct_hash(&second));
        let pair = self.require_unproved(first, second)?;
        self.require_signed(gateway, first, &first_signature)?;
        self.require_signed(gateway, second, &second_signature)?;
        self.mark(pair, gateway, index, first, second);
        Ok(())
    }

    /// Counts against a gateway, for good, that it has signed a statement which is not what it anchored at that index.
    /// By anyone, at any time. A statement about an index that is not anchored yet contradicts nothing. The anchor itself needs
    /// no signature: only the gateway can have put it there.
    ///
    /// # Errors
    /// `UnknownAnchor`, `SameAnchor` (it is what was anchored, or the pair was proved before), `BadSignature`.
    /// # Events
    /// `EquivocationProved`, the statement first, the anchor second.
    pub fn prove_deviation(&mut self, statement: Anchor, signature: Bytes) -> Result<(), Error> {
        let Anchor { gateway, index, .. } = statement;
        let anchored = self.anchor_of(gateway, index);
        if anchored.is_zero() {
            return Err(IAudit::UnknownAnchor { gateway, index }.into());
        }
        let stated = self.struct_hash(&statement);
        let pair = self.require_unproved(stated, anchored)?;
        self.require_signed(gateway, stated, &signature)?;
        self.mark(pair, gateway, index, stated, anchored);
        Ok(())
    }

    /// How many contradictions were proved, each a different pair of statements; 0: none.
    pub fn equivocations_of(&self, gateway: Address) -> u32 {
        self.head(gateway).equivocations
    }
}

impl Audit {
    fn head(&self, gateway: Address) -> GatewayHead {
        GatewayHead::from_word(self.gateways.getter(gateway).head.get())
    }

    /// EIP-712 `hashStruct`. Never zero: nobody finds a preimage of that.
    fn struct_hash(&self, statement: &Anchor) -> B256 {
        let words = [
            ANCHOR_HASH,
            statement.gateway.into_word(),
            U256::from(statement.index).into(),
            statement.previous,
            statement.root,
            U256::from(statement.count).into(),
        ];
        self.vm().native_keccak256(&words.concat())
    }

    /// What is signed to say `struct_hash` to this contract on this chain. The chain is asked each time: after a fork, what was
    /// signed for one says nothing on the other.
    fn digest(&self, struct_hash: B256) -> B256 {
        let domain = [
            DOMAIN_HASH,
            NAME_HASH,
            VERSION_HASH,
            U256::from(self.vm().chain_id()).into(),
            self.vm().contract_address().into_word(),
        ];
        let separator = self.vm().native_keccak256(&domain.concat());
        let signed = [&b"\x19\x01"[..], separator.as_slice(), struct_hash.as_slice()].concat();
        self.vm().native_keccak256(&signed)
    }

    /// `struct_hash` was signed by the gateway's own key, for this contract on this chain.
    fn require_signed(&self, gateway: Address, struct_hash: B256, signature: &[u8]) -> Result<(), Error> {
        if recover(self.vm(), self.digest(struct_hash), signature) != Some(gateway) {
            return Err(IAudit::BadSignature { gateway }.into());
        }
        Ok(())
    }

    /// The two differ, and nobody has proved this pair; gives where the proof is to stand. A struct hash binds gateway and
    /// index, so the pair does.
    fn require_unproved(&self, first: B256, second: B256) -> Result<B256, Error> {
        let both = [first.min(second), first.max(second)].concat();
        let pair = self.vm().native_keccak256(&both);
        if first == second || self.proofs.get(pair) {
            return Err(IAudit::SameAnchor {}.into());
        }
        Ok(pair)
    }

    fn mark(&mut self, pair: B256, gateway: Address, index: u64, first: B256, second: B256) {
        self.proofs.setter(pair).set(true);
        let mut head = self.head(gateway);
        // Stops at the most: the gateway may pile up proofs against itself, but never back to none.
        head.equivocations = head.equivocations.saturating_add(1);
        self.gateways.setter(gateway).head.set(head.to_word());
        log(
            self.vm(),
            IAudit::EquivocationProved {
                gateway,
                index,
                first,
                second,
                by: self.vm().msg_sender(),
            },
        );
    }
}

/// keccak256 of a text, at compile time.
const fn hash_of(text: &str) -> B256 {
    B256::new(Keccak256::new().update(text.as_bytes()).finalize())
}
