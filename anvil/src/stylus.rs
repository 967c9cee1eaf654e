//! Stylus: WASM programs run as contracts.
