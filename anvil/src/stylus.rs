//! Stylus: WASM programs run as contracts.
//!
//! Where to start reading: [`code`] (what stands on chain), `medlock-program` (what is accepted, how it is rewritten,
//! what it costs), [`hooks`] and [`serve`] (the host functions), [`evm`] (how program frames and EVM frames nest in each
//! other).
//!
//! Facts and figures follow Nitro's public behaviour (ArbOS 51 rules); no code is shared.
//! Nothing here may recurse natively per call frame: a program that calls another contract is
//! suspended, not nested.
//!
//! What differs from Nitro stands in `README.md`.

pub mod code;
pub mod evm;
pub mod hooks;
pub mod programs;
pub mod runtime;
pub mod serve;

pub use medlock_program::{activate, imports, instrument, meter, validate};
