//! The table of activated programs, kept in the storage of the ArbWasm account.
//!
//! It is part of the chain's state: it is journaled, reverted and persisted like any storage.

use revm::{
    Database,
    context::JournalTr,
    primitives::{B256, U256, keccak256},
};

use super::{activate::VERSION, meter::Pages};
use crate::arbos::{ARB_WASM, keep_alive};

/// When Arbitrum began, in UNIX seconds: ages are kept in whole hours from here.
const ARBITRUM_START: u64 = 1_421_388_000;
const HOUR_SECONDS: u64 = 3_600;
/// A program must be activated again after this many seconds (365 days).
pub const EXPIRY_SECONDS: u64 = 365 * 86_400;
/// A program may be kept alive from this age on (31 days).
pub const KEEPALIVE_SECONDS: u64 = 31 * 86_400;
/// Gas of a call to a program that is not cached, on top of its own init cost.
pub const MIN_INIT_GAS: u64 = 69 * 128;
/// Gas of every call, on top of the cached init cost.
pub const MIN_CACHED_GAS: u64 = 11 * 32;
/// Programs that ArbOS 60 takes for cached because they ran a short while ago.
pub const RECENT_PROGRAMS: usize = 32;

/// Wei a byte of estimated machine code when nobody activates anything.
const BASE_BYTE_PRICE: u64 = 82_928_201;
/// Bytes that raise the price by a factor of e.
const PRICE_INERTIA: u64 = 21_360_419;
/// Bytes a second that are forgotten: one terabyte a year.
const PRICE_DECAY_PER_SECOND: u64 = (1 << 40) / (365 * 24) / 3_600;

type Error<J> = <<J as JournalTr>::Database as Database>::Error;

/// What the table knows of one code hash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// Stylus version at activation.
    pub version: u16,
    /// Init cost, without [`MIN_INIT_GAS`].
    pub init_cost: u16,
    /// Cached init cost, without [`MIN_CACHED_GAS`].
    pub cached_init_cost: u16,
    /// Initial pages.
    pub footprint: u16,
    /// When it was activated or last kept alive: [`hours`].
    pub activated_hours: u32,
    /// Estimated KiB of machine code, rounded up.
    pub asm_kib: u32,
    /// Whether ArbWasmCache holds it.
    pub cached: bool,
}

/// Why a program may not be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Inactive {
    /// Never activated.
    #[error("the program is not activated")]
    NotActivated,
    /// Activated at another version.
    #[error("the program was activated at version {0}; activate it again")]
    NeedsUpgrade(u16),
    /// Too old.
    #[error("the program expired {0} seconds after its activation; activate it again")]
    Expired(u64),
}

impl Entry {
    /// Seconds since the beginning of the hour of activation.
    pub fn age(&self, now: u64) -> u64 {
        now.saturating_sub(ARBITRUM_START + u64::from(self.activated_hours) * HOUR_SECONDS)
    }

    /// Estimated bytes of machine code, as Nitro remembers it: in whole KiB.
    pub fn asm_size(&self) -> u32 {
        self.asm_kib.saturating_mul(1024)
    }

    /// Checks that the program may be called.
    ///
    /// # Errors
    /// [`Inactive`] says why not.
    pub fn check(self, now: u64) -> Result<Self, Inactive> {
        match self.version {
            0 => Err(Inactive::NotActivated),
            VERSION if self.age(now) > EXPIRY_SECONDS => Err(Inactive::Expired(self.age(now))),
            VERSION => Ok(self),
            other => Err(Inactive::NeedsUpgrade(other)),
        }
    }

    /// Gas of initialising the program when it is not cached.
    pub fn init_gas(&self) -> u64 {
        MIN_INIT_GAS + u64::from(self.init_cost)
    }

    /// Gas of initialising the program that every call pays.
    pub fn cached_gas(&self) -> u64 {
        MIN_CACHED_GAS + u64::from(self.cached_init_cost)
    }

    /// Gas of entering the program, its initial pages included.
    pub fn call_gas(&self, cached: bool, pages: Pages) -> u64 {
        let init = if cached { 0 } else { self.init_gas() };
        // Pages beyond the last that has a price cost all the gas there can be.
        (self.cached_gas() + init).saturating_add(pages.gas(self.footprint))
    }

    fn pack(&self) -> U256 {
        let mut word = [0u8; 32];
        word[0..2].copy_from_slice(&self.version.to_be_bytes());
        word[2..4].copy_from_slice(&self.init_cost.to_be_bytes());
        word[4..6].copy_from_slice(&self.cached_init_cost.to_be_bytes());
        word[6..8].copy_from_slice(&self.footprint.to_be_bytes());
        word[8..12].copy_from_slice(&self.activated_hours.to_be_bytes());
        word[12..16].copy_from_slice(&self.asm_kib.to_be_bytes());
        word[16] = u8::from(self.cached);
        U256::from_be_bytes(word)
    }

    fn unpack(word: U256) -> Self {
        let word = word.to_be_bytes::<32>();
        let short = |at: usize| u16::from_be_bytes([word[at], word[at + 1]]);
        let long = |at: usize| u32::from_be_bytes([word[at], word[at + 1], word[at + 2], word[at + 3]]);
        Self {
            version: short(0),
            init_cost: short(2),
            cached_init_cost: short(4),
            footprint: short(6),
            activated_hours: long(8),
            asm_kib: long(12),
            cached: word[16] != 0,
        }
    }
}

/// The entry of a code hash; all zero where it was never activated.
///
/// # Errors
/// The database failed.
pub fn load<J: JournalTr>(journal: &mut J, code_hash: B256) -> Result<Entry, Error<J>> {
    Ok(Entry::unpack(read(journal, slot(code_hash))?))
}

/// Writes an entry.
///
/// # Errors
/// The database failed.
pub fn store<J: JournalTr>(journal: &mut J, code_hash: B256, entry: &Entry) -> Result<(), Error<J>> {
    write(journal, slot(code_hash), entry.pack())
}

/// Prices the activation of `bytes` of machine code at `now` and remembers the demand.
///
/// # Errors
/// The database failed.
pub fn data_fee<J: JournalTr>(journal: &mut J, bytes: u32, now: u64) -> Result<U256, Error<J>> {
    let slot = U256::from_be_bytes(keccak256("medlock.anvil.data-pricer").0);
    let word = read(journal, slot)?.to_be_bytes::<32>();
    let demand: u64 = U256::from_be_slice(&word[16..24]).to();
    let updated: u64 = U256::from_be_slice(&word[24..32]).to();
    let forgotten = now.saturating_sub(updated).saturating_mul(PRICE_DECAY_PER_SECOND);
    let demand = demand.saturating_sub(forgotten).saturating_add(bytes.into());
    let mut word = [0u8; 32];
    word[16..24].copy_from_slice(&demand.to_be_bytes());
    word[24..32].copy_from_slice(&now.to_be_bytes());
    write(journal, slot, U256::from_be_bytes(word))?;
    let price = u128::from(BASE_BYTE_PRICE) * u128::from(exp_bips(demand)) / 10_000;
    Ok(U256::from(price) * U256::from(bytes))
}

/// e^(demand / inertia) in ten-thousandths: twelve terms of the Taylor series.
fn exp_bips(demand: u64) -> u64 {
    // Demand far beyond anything real is capped so that the series cannot overflow.
    let x = demand.saturating_mul(10_000) / PRICE_INERTIA;
    let x = x.min(200_000);
    let mut sum = 10_000 + x / 12;
    for term in (1..12).rev() {
        sum = 10_000 + sum * x / (term * 10_000);
    }
    sum
}

/// Whole hours from the beginning of Arbitrum to `now` (UNIX seconds).
pub fn hours(now: u64) -> u32 {
    u32::try_from(now.saturating_sub(ARBITRUM_START) / HOUR_SECONDS).unwrap_or(u32::MAX)
}

fn slot(code_hash: B256) -> U256 {
    let mut preimage = b"medlock.anvil.program.hours".to_vec();
    preimage.extend(code_hash);
    U256::from_be_bytes(keccak256(preimage).0)
}

fn read<J: JournalTr>(journal: &mut J, slot: U256) -> Result<U256, Error<J>> {
    journal.load_account(ARB_WASM)?;
    Ok(journal.sload(ARB_WASM, slot)?.data)
}

fn write<J: JournalTr>(journal: &mut J, slot: U256, value: U256) -> Result<(), Error<J>> {
    keep_alive(journal, ARB_WASM)?;
    journal.sstore(ARB_WASM, slot, value)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_survives_its_slot_and_ages() {
        let entry = Entry {
            version: VERSION,
            init_cost: 1,
            cached_init_cost: 2,
            footprint: 3,
            activated_hours: hours(1_750_000_000),
            asm_kib: 503,
            cached: true,
        };
        assert_eq!(Entry::unpack(entry.pack()), entry);
        // 1,750,000,000 lies 400 seconds after an hour began.
        let began = 1_750_000_000 - 400;
        assert_eq!(entry.age(1_750_000_000), 400);
        assert_eq!(entry.check(began + EXPIRY_SECONDS), Ok(entry));
        let late = EXPIRY_SECONDS + 1;
        assert_eq!(entry.check(began + late), Err(Inactive::Expired(late)));
        assert_eq!(entry.asm_size(), 515_072);
        assert_eq!(Entry::unpack(U256::ZERO).check(0), Err(Inactive::NotActivated));
        assert_eq!(entry.call_gas(true, Pages::default()), 352 + 2 + 1_000);
        let full = Pages { open: 127, ever: 2 };
        assert_eq!(entry.call_gas(false, full), u64::MAX);
    }

    #[test]
    fn the_byte_price_grows_with_demand() {
        assert_eq!(exp_bips(0), 10_000);
        assert_eq!(exp_bips(PRICE_INERTIA), 27_182);
        assert!(exp_bips(u64::MAX) > exp_bips(PRICE_INERTIA * 10));
    }
}
