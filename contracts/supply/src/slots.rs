//! How `supply` packs its storage words: as Solidity would pack the struct, first field lowest.
//!
//! The layout is fixed once deployed. Unused bytes are zero.
use alloy_primitives::{Address, B256};
use medlock_abi::words::number;

/// `struct { address maker; uint40 expiry; uint32 count; uint8 recalls; }`
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct BatchHead {
    /// Zero: no batch.
    pub maker: Address,
    pub expiry: u64,
    /// Packages, each a leaf of the batch's tree.
    pub count: u32,
    /// How many recalls there were.
    pub recalls: u8,
}

impl BatchHead {
    pub fn from_word(word: B256) -> Self {
        Self {
            maker: Address::from_slice(&word[12..32]),
            expiry: number(&word[7..12]),
            count: number(&word[3..7]) as u32,
            recalls: word[2],
        }
    }

    pub fn to_word(self) -> B256 {
        let mut word = B256::ZERO;
        word[12..32].copy_from_slice(self.maker.as_slice());
        word[7..12].copy_from_slice(&self.expiry.to_be_bytes()[3..]);
        word[3..7].copy_from_slice(&self.count.to_be_bytes());
        word[2] = self.recalls;
        word
    }
}

/// `struct { uint64 gtin; uint40 registeredAt; }`
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Product {
    pub gtin: u64,
    pub registered_at: u64,
}

impl Product {
    pub fn from_word(word: B256) -> Self {
        Self {
            gtin: number(&word[24..32]),
            registered_at: number(&word[19..24]),
        }
    }

    pub fn to_word(self) -> B256 {
        let mut word = B256::ZERO;
        word[24..32].copy_from_slice(&self.gtin.to_be_bytes());
        word[19..24].copy_from_slice(&self.registered_at.to_be_bytes()[3..]);
        word
    }
}

/// `struct { uint32 to; uint48 step; uint48 last; uint8 decommissioned; }`
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Unit {
    /// Where it ends, exclusive; it begins where it is stored. 0: no unit.
    pub to: u32,
    /// Where it stood when it was offered last.
    pub step: u64,
    /// What it was offered for last; the same where it never was.
    pub last: u64,
    /// `terms::decommission`; 0: it is not.
    pub decommissioned: u8,
}

impl Unit {
    pub fn from_word(word: B256) -> Self {
        Self {
            to: number(&word[28..32]) as u32,
            step: number(&word[22..28]),
            last: number(&word[16..22]),
            decommissioned: word[15],
        }
    }

    pub fn to_word(self) -> B256 {
        let mut word = B256::ZERO;
        word[28..32].copy_from_slice(&self.to.to_be_bytes());
        word[22..28].copy_from_slice(&self.step.to_be_bytes()[2..]);
        word[16..22].copy_from_slice(&self.last.to_be_bytes()[2..]);
        word[15] = self.decommissioned;
        word
    }
}

/// `struct { address holder; uint48 previous; uint48 shipment; }`
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Zero: no step.
    pub holder: Address,
    /// The step before in the chain of custody; 0: the first holder.
    pub previous: u64,
    /// By which the units come here; 0: they were registered here.
    pub shipment: u64,
}

impl Step {
    pub fn from_word(word: B256) -> Self {
        Self {
            holder: Address::from_slice(&word[12..32]),
            previous: number(&word[6..12]),
            shipment: number(&word[0..6]),
        }
    }

    pub fn to_word(self) -> B256 {
        let mut word = B256::ZERO;
        word[12..32].copy_from_slice(self.holder.as_slice());
        word[6..12].copy_from_slice(&self.previous.to_be_bytes()[2..]);
        word[0..6].copy_from_slice(&self.shipment.to_be_bytes()[2..]);
        word
    }
}

/// `struct { address from; uint40 offeredAt; uint8 kind; uint8 state; }`
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Shipment {
    pub from: Address,
    pub offered_at: u64,
    /// `terms::shipment`.
    pub kind: u8,
    /// `terms::shipment`; 0: no shipment.
    pub state: u8,
}

impl Shipment {
    pub fn from_word(word: B256) -> Self {
        Self {
            from: Address::from_slice(&word[12..32]),
            offered_at: number(&word[7..12]),
            kind: word[6],
            state: word[5],
        }
    }

    pub fn to_word(self) -> B256 {
        let mut word = B256::ZERO;
        word[12..32].copy_from_slice(self.from.as_slice());
        word[7..12].copy_from_slice(&self.offered_at.to_be_bytes()[3..]);
        word[6] = self.kind;
        word[5] = self.state;
        word
    }
}

/// `struct { uint32 from; uint32 to; uint8 class; uint8 reasonCode; uint40 at; }`
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Recall {
    pub from: u32,
    /// Exclusive.
    pub to: u32,
    /// `terms::recall`; 0: no recall.
    pub class: u8,
    /// `terms::recall`.
    pub reason_code: u8,
    pub at: u64,
}

impl Recall {
    pub fn from_word(word: B256) -> Self {
        Self {
            from: number(&word[28..32]) as u32,
            to: number(&word[24..28]) as u32,
            class: word[23],
            reason_code: word[22],
            at: number(&word[17..22]),
        }
    }

    pub fn to_word(self) -> B256 {
        let mut word = B256::ZERO;
        word[28..32].copy_from_slice(&self.from.to_be_bytes());
        word[24..28].copy_from_slice(&self.to.to_be_bytes());
        word[23] = self.class;
        word[22] = self.reason_code;
        word[17..22].copy_from_slice(&self.at.to_be_bytes()[3..]);
        word
    }
}

/// `struct { address by; uint40 at; uint32 index; }`
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Dispensing {
    /// Zero: nobody has.
    pub by: Address,
    pub at: u64,
    /// The serial's number in its batch.
    pub index: u32,
}

impl Dispensing {
    pub fn from_word(word: B256) -> Self {
        Self {
            by: Address::from_slice(&word[12..32]),
            at: number(&word[7..12]),
            index: number(&word[3..7]) as u32,
        }
    }

    pub fn to_word(self) -> B256 {
        let mut word = B256::ZERO;
        word[12..32].copy_from_slice(self.by.as_slice());
        word[7..12].copy_from_slice(&self.at.to_be_bytes()[3..]);
        word[3..7].copy_from_slice(&self.index.to_be_bytes());
        word
    }
}
