//! Content to measure with.

use std::{
    convert::Infallible,
    io::{self, Read},
};

use medlock_vault::rand_core::{TryCryptoRng, TryRng};

/// Bytes that do not compress, always the same (xorshift64*). Not random to anybody who looks: for measurements alone.
pub struct Noise(u64);

impl Noise {
    pub fn new() -> Self {
        Self::numbered(0)
    }

    /// Other bytes for each number.
    pub fn numbered(number: u32) -> Self {
        Self(0x2545_f491_4f6c_dd1d ^ u64::from(number) << 32)
    }
}

impl TryRng for Noise {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok((self.try_next_u64()? >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        Ok(self.0.wrapping_mul(0x2545_f491_4f6c_dd1d))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        for bytes in out.chunks_mut(8) {
            let word = self.try_next_u64()?.to_le_bytes();
            bytes.copy_from_slice(&word[..bytes.len()]);
        }
        Ok(())
    }
}
impl TryCryptoRng for Noise {}

impl Read for Noise {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let Ok(()) = self.try_fill_bytes(out);
        Ok(out.len())
    }
}
