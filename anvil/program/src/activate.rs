//! What activation accepts and charges, as pure functions of the module.

use crate::{
    instrument::{ADDED_GLOBALS, Instrumented, instrument},
    validate::{Facts, Rejection, validate},
};

/// The Stylus version that programs are activated at.
pub const VERSION: u16 = 2;
/// Gas of every activation.
pub const FIXED_GAS: u64 = 1_659_168;
/// Gas a unit of work.
const GAS_PER_UNIT: u64 = 28;

/// What activation finds out about a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimates {
    /// Gas of this activation, without [`FIXED_GAS`].
    pub gas: u64,
    /// Gas that a call pays for a program that is not cached, without the fixed part.
    pub init_cost: u64,
    /// Gas that every call pays, without the fixed part.
    pub cached_init_cost: u64,
    /// Estimated bytes of machine code; the data fee is paid on it.
    pub asm_size: u64,
    /// Initial pages of memory.
    pub footprint: u16,
}

/// An accepted module, ready to run.
#[derive(Clone, Debug)]
pub struct Activation {
    /// Costs and sizes.
    pub estimates: Estimates,
    /// The module that is run.
    pub instrumented: Instrumented,
}

/// Validates, instruments and prices a module; `several_results`: whether its functions may have more than one.
///
/// # Errors
/// [`Rejection`] when the module is not accepted.
pub fn activate(wasm: &[u8], several_results: bool) -> Result<Activation, Rejection> {
    let facts = validate(wasm, several_results)?;
    let instrumented = instrument(wasm, &facts)?;
    let estimates = estimate(wasm.len() as u64, &facts, instrumented.operators);
    Ok(Activation {
        estimates,
        instrumented,
    })
}

fn estimate(wasm_bytes: u64, facts: &Facts, operators: u64) -> Estimates {
    let pages = u64::from(facts.pages);
    let defined = &facts.functions[facts.imported..];
    let functions = defined.len() as u64;
    let types: u64 = defined
        .iter()
        .map(|&ty| facts.ty(ty))
        .map(|arity| u64::from(arity.params) + u64::from(arity.results))
        .sum();
    let globals = u64::from(facts.globals + ADDED_GLOBALS);
    let segments = facts.data_entry_bytes + facts.element_entry_bytes;

    let work = wasm_bytes * 31_733 / 100_000
        + functions * 17_263 / 100_000
        + facts.data_bytes * 17_376 / 100_000
        + facts.element_entry_bytes * 17_376 / 100_000
        + pages * 2_217
        + operators * 535 / 1_000;
    Estimates {
        gas: work * GAS_PER_UNIT,
        init_cost: functions * 8_252 / 1_000 + types * 1_059 / 1_000 + wasm_bytes * 1_286 / 10_000,
        cached_init_cost: functions * 13_420 / 100_000
            + types * 89 / 100_000
            + wasm_bytes * 122 / 100_000
            + globals * 1_628 / 1_000
            + segments * 75_244 / 100_000
            + pages * 5,
        asm_size: 512_000 + functions * 996_829 / 1_000 + types * 11_416 / 1_000 + wasm_bytes * 62_628 / 10_000,
        footprint: facts.pages,
    }
}
