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
//! Known differences from Nitro: the Stylus brotli dictionary and ArbOS 60 fragments are not
//! supported; programs count as recently used per transaction, not per block; the data fee goes to
//! the block's beneficiary; everybody may manage the cache; the module hash in `ProgramActivated`
//! is the hash of our instrumented WASM; ages are kept in seconds, not in whole hours; calls to
//! precompiles pay no ArbOS overhead beyond what is written in [`arbwasm`].

pub mod activate;
pub mod arbwasm;
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
