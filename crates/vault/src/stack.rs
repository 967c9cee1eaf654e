//! The stack after secrets were worked on. The libraries wipe their values on drop, but not what the compiler spilled or moved on
//! the way: round keys, a derived key before it was returned, a block of plaintext.
use std::hint::black_box;

/// Twice as deep as the libraries go today; `tests/memory.rs` fails where it is not enough.
const DEEP_BYTES: usize = 32 * 1024;

/// Does `work`, then writes over the stack that it ran on. What it returns is copied out of there: secrets must be on the heap.
pub(crate) fn wiping<T>(work: impl FnOnce() -> T) -> T {
    // Neither may become part of the caller's frame, which stays as it is.
    #[inline(never)]
    fn run<T>(work: impl FnOnce() -> T) -> T {
        work()
    }
    #[inline(never)]
    fn overwrite() {
        black_box(&mut [0_u8; DEEP_BYTES]);
    }
    let out = run(work);
    overwrite();
    out
}
