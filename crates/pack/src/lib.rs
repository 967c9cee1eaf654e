//! A Stylus module in brotli, as it goes on chain. A crate of its own, since brotli's library is compiled where it is used: here it is
//! optimised, also where all else of ours is not.
//!
//! Start and end at [`compress`].
#![forbid(unsafe_code)]

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

/// A module in brotli, as small as it gets. Some of what was compressed last is remembered: who makes chain after chain (the tests
/// do) links the same modules to the same addresses, and that is a second of work each time.
#[must_use]
pub fn compress(wasm: &[u8]) -> Vec<u8> {
    const REMEMBERED_MOST: usize = 16;
    static REMEMBERED: Mutex<VecDeque<(Vec<u8>, Vec<u8>)>> = Mutex::new(VecDeque::new());
    let remembered = || REMEMBERED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, code)) = remembered().iter().find(|(module, _)| module == wasm) {
        return code.clone();
    }
    let parameters = brotli::enc::BrotliEncoderParams {
        quality: 11,
        lgwin: 22,
        ..Default::default()
    };
    let mut code = Vec::new();
    brotli::BrotliCompress(&mut &wasm[..], &mut code, &parameters)
        .expect("reading from and writing to memory cannot fail");
    let mut remembered = remembered();
    if remembered.len() == REMEMBERED_MOST {
        remembered.pop_front();
    }
    remembered.push_back((wasm.to_vec(), code.clone()));
    code
}
