//! How `claims` packs its storage words: as Solidity would pack the struct, first field lowest.
//!
//! The layout is fixed once deployed. Unused bytes are zero.
use alloy_primitives::{Address, B256};
use medlock_abi::words::number;

/// `struct { address provider; uint8 state; uint8 serial; uint40 deadline; uint16 currency; uint8 rounds; uint8 appeals; }`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClaimHead {
    pub provider: Address,
    /// `terms::claim_state`; 0: no claim.
    pub state: u8,
    /// Counts the steps, from 1: submitted.
    pub serial: u8,
    /// Of what is due next: the insurer's decision, the provider's information, the appeal. 0: nothing is.
    pub deadline: u64,
    pub currency: u16,
    /// How often information was requested.
    pub rounds: u8,
    pub appeals: u8,
}

impl ClaimHead {
    pub fn from_word(word: B256) -> Self {
        Self {
            provider: Address::from_slice(&word[12..32]),
            state: word[11],
            serial: word[10],
            deadline: number(&word[5..10]),
            currency: number(&word[3..5]) as u16,
            rounds: word[2],
            appeals: word[1],
        }
    }

    pub fn to_word(self) -> B256 {
        let mut word = B256::ZERO;
        word[12..32].copy_from_slice(self.provider.as_slice());
        word[11] = self.state;
        word[10] = self.serial;
        word[5..10].copy_from_slice(&self.deadline.to_be_bytes()[3..]);
        word[3..5].copy_from_slice(&self.currency.to_be_bytes());
        word[2] = self.rounds;
        word[1] = self.appeals;
        word
    }
}

/// `struct { address insurer; uint40 submittedAt; uint32 currencyVersion; uint16 reasonCode; }`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClaimInsurer {
    pub insurer: Address,
    pub submitted_at: u64,
    /// The insurer's for the claim's currency, when it was submitted.
    pub currency_version: u32,
    /// Of the last decision, or of the reversal; 0: none.
    pub reason_code: u16,
}

impl ClaimInsurer {
    pub fn from_word(word: B256) -> Self {
        Self {
            insurer: Address::from_slice(&word[12..32]),
            submitted_at: number(&word[7..12]),
            currency_version: number(&word[3..7]) as u32,
            reason_code: number(&word[1..3]) as u16,
        }
    }

    pub fn to_word(self) -> B256 {
        let mut word = B256::ZERO;
        word[12..32].copy_from_slice(self.insurer.as_slice());
        word[7..12].copy_from_slice(&self.submitted_at.to_be_bytes()[3..]);
        word[3..7].copy_from_slice(&self.currency_version.to_be_bytes());
        word[1..3].copy_from_slice(&self.reason_code.to_be_bytes());
        word
    }
}

/// `struct { uint32 number; bool yes; }`: of an insurer, serial and whether it shares; of a currency, version and whether it is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// From 1; 0: never set.
    pub number: u32,
    pub yes: bool,
}

impl Setting {
    pub fn from_word(word: B256) -> Self {
        Self {
            number: number(&word[28..32]) as u32,
            yes: word[27] != 0,
        }
    }

    pub fn to_word(self) -> B256 {
        let mut word = B256::ZERO;
        word[28..32].copy_from_slice(&self.number.to_be_bytes());
        word[27] = self.yes.into();
        word
    }
}

/// `struct { address token; uint8 scale; }`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// Zero: none.
    pub token: Address,
    /// One minor unit of the currency is 10^`scale` of the token's.
    pub scale: u8,
}

impl Token {
    pub fn from_word(word: B256) -> Self {
        Self {
            token: Address::from_slice(&word[12..32]),
            scale: word[11],
        }
    }

    pub fn to_word(self) -> B256 {
        let mut word = B256::ZERO;
        word[12..32].copy_from_slice(self.token.as_slice());
        word[11] = self.scale;
        word
    }
}
