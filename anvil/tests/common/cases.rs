//! Runs a property on many random inputs, always the same ones unless asked for others.
//!
//! `MEDLOCK_FUZZ_CASES`: how many cases each property runs (default: few enough for every build).
//! `MEDLOCK_FUZZ_SEED`: where the cases begin. `MEDLOCK_FUZZ_BYTES`: the size of the input of every case.
//! A case is its seed and its size; one that fails is made smaller and printed as the variables that run it again.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use arbitrary::Unstructured;

/// Where the cases begin unless `MEDLOCK_FUZZ_SEED` says otherwise.
const SEED: u64 = 0x6d65_646c_6f63_6b00;
/// The smallest input that a case starts with.
const BYTES_MIN: usize = 64;

/// Runs `property` on `usual` cases of up to `bytes_max` random bytes. A property that runs out of bytes is content.
///
/// # Panics
/// The property panicked; what panics again is the smallest input found that makes it panic.
pub fn cases(
    name: &str,
    usual: u64,
    bytes_max: usize,
    property: impl Fn(&mut Unstructured<'_>) -> arbitrary::Result<()>,
) {
    let count = variable("MEDLOCK_FUZZ_CASES").unwrap_or(usual);
    let first = variable("MEDLOCK_FUZZ_SEED").unwrap_or(SEED);
    let size = variable("MEDLOCK_FUZZ_BYTES");
    for case in 0..count {
        let seed = first.wrapping_add(case);
        // Small inputs first and again and again: what they find is easier to read.
        let growing = BYTES_MIN + (bytes_max - BYTES_MIN) * (case % 16) as usize / 15;
        let bytes = size.map_or(growing, |size| size as usize);
        let Err(failure) = run(seed, bytes, &property) else {
            continue;
        };
        let (bytes, failure) = shrink(seed, bytes, failure, &property);
        eprintln!("{name} failed; again with MEDLOCK_FUZZ_CASES=1 MEDLOCK_FUZZ_SEED={seed} MEDLOCK_FUZZ_BYTES={bytes}");
        resume_unwind(failure);
    }
}

type Failure = Box<dyn std::any::Any + Send>;

fn run(
    seed: u64,
    bytes: usize,
    property: impl Fn(&mut Unstructured<'_>) -> arbitrary::Result<()>,
) -> Result<(), Failure> {
    let input = random_bytes(seed, bytes);
    catch_unwind(AssertUnwindSafe(|| {
        // Too few bytes for what the property wanted: nothing to see.
        let _ = property(&mut Unstructured::new(&input));
    }))
}

/// Halves the input while it fails, then takes ever smaller pieces off its end.
fn shrink(
    seed: u64,
    mut bytes: usize,
    mut failure: Failure,
    property: impl Fn(&mut Unstructured<'_>) -> arbitrary::Result<()>,
) -> (usize, Failure) {
    let mut piece = bytes / 2;
    while piece > 0 {
        match run(seed, bytes - piece, &property) {
            Err(smaller) => {
                bytes -= piece;
                failure = smaller;
                piece = piece.min(bytes / 2);
            }
            Ok(()) => piece /= 2,
        }
    }
    (bytes, failure)
}

/// SplitMix64 (Steele, Lea, Flood 2014): a prefix of a longer input is the shorter input.
fn random_bytes(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed;
    let mut bytes = Vec::with_capacity(len + 8);
    while bytes.len() < len {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = state;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bytes.extend((word ^ (word >> 31)).to_le_bytes());
    }
    bytes.truncate(len);
    bytes
}

fn variable(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}
