//! Stylus: WASM programs run as contracts.
//!
//! Where to start reading: [`code`] (what stands on chain), [`validate`] (what is accepted),
//! [`instrument`] (how ink and stack depth are counted), [`activate`] (what it all costs),
//! [`hooks`] and [`serve`] (the host functions), [`evm`] (how program frames and EVM frames
//! nest in each other).
//!
//! Facts and figures follow Nitro's public behaviour (ArbOS 51 rules); no code is shared.
//! Nothing here may recurse natively per call frame: a program that calls another contract is
//! suspended, not nested.
//!
//! What differs from Nitro stands in `README.md`.

pub mod activate;
pub mod code;
pub mod evm;
pub mod hooks;
pub mod instrument;
pub mod meter;
pub mod opcode;
pub mod programs;
pub mod runtime;
pub mod serve;
pub mod validate;
