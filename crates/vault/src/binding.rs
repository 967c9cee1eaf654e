//! What a sealed object is bound to. A block that was made for one place cannot be used in another.
use alloy_primitives::Address;
use alloy_sol_types::Eip712Domain;

/// The deployment that an object belongs to: one `records` contract on one chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Domain {
    pub chain_id: u64,
    /// Address of the `records` contract.
    pub records: [u8; 20],
}

impl Domain {
    /// `chain_id` (8 bytes, big-endian), then the contract's address.
    pub fn to_bytes(&self) -> [u8; 28] {
        let mut out = [0; 28];
        out[..8].copy_from_slice(&self.chain_id.to_be_bytes());
        out[8..].copy_from_slice(&self.records);
        out
    }

    /// The same, as the domain of EIP-712 statements.
    pub fn eip712(&self) -> Eip712Domain {
        medlock_abi::signed::domain(self.chain_id, Address::from(self.records))
    }
}

/// The place of one record version: the associated data of its payload and of its envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    pub chain_id: u64,
    /// Address of the `records` contract.
    pub records: [u8; 20],
    pub chart: [u8; 32],
    pub record_id: [u8; 32],
    /// Counts from 1.
    pub version: u32,
    /// On-chain pointer of the version before; zero for version 1.
    pub previous: [u8; 32],
    /// 0..63.
    pub compartment: u8,
}

impl Binding {
    /// Length of [`Binding::to_bytes`].
    pub const BYTES: usize = 8 + 20 + 32 + 32 + 4 + 32 + 1;

    /// The fields in the order of the struct, integers big-endian, nothing between them.
    /// Every field has a fixed length, so two bindings never share an encoding.
    pub fn to_bytes(&self) -> [u8; Self::BYTES] {
        let mut out = [0; Self::BYTES];
        let mut rest = &mut out[..];
        for field in [
            &self.chain_id.to_be_bytes()[..],
            &self.records,
            &self.chart,
            &self.record_id,
            &self.version.to_be_bytes(),
            &self.previous,
            &[self.compartment],
        ] {
            let (head, tail) = rest.split_at_mut(field.len());
            head.copy_from_slice(field);
            rest = tail;
        }
        out
    }

    pub fn domain(&self) -> Domain {
        Domain {
            chain_id: self.chain_id,
            records: self.records,
        }
    }
}
