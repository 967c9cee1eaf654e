//! An RNG that a broken source of randomness does not break.
use std::convert::Infallible;

use rand_core::{CryptoRng, TryCryptoRng, TryRng};
use zeroize::Zeroizing;

use crate::secret::hkdf;

/// The caller's RNG, each byte of it xored with a stream that is keyed by a secret of the writer's.
///
/// As long as the RNG is good the sum is as uniform as it is. When it repeats itself (a machine that was cloned, a state that
/// was restored) or is known to others, the sum is still a pseudorandom function of the secret and of everything that
/// makes this object this one. Without that, a stuck RNG would give away a root secret to one custodian (from a
/// polynomial that is known) or to a custodian of two owners (the difference of their shares would be that of their
/// roots); two keyrings of one scope would be one key stream over two lists of keys, and two payloads of one place one
/// key stream over two contents.
pub(crate) struct Hedged<'a, R> {
    rng: &'a mut R,
    label: &'static str,
    key: Zeroizing<[u8; 32]>,
    block: u64,
}

impl<'a, R: CryptoRng> Hedged<'a, R> {
    /// `label` is no other use's; the parts of `context` are of fixed length, but for the last.
    pub(crate) fn new(rng: &'a mut R, label: &'static str, secret: &[u8; 32], context: &[&[u8]]) -> Self {
        let mut salt = Zeroizing::new([0; 32]);
        rng.fill_bytes(&mut *salt);
        let info = [&[label.as_bytes(), b"/key"], context].concat();
        let mut key = Zeroizing::new([0; 32]);
        hkdf(secret, Some(&*salt), &info, &mut *key);
        Self {
            rng,
            label,
            key,
            block: 0,
        }
    }
}

impl<R: CryptoRng> TryRng for Hedged<'_, R> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = Zeroizing::new([0; 4]);
        self.try_fill_bytes(&mut *bytes)?;
        Ok(u32::from_be_bytes(*bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = Zeroizing::new([0; 8]);
        self.try_fill_bytes(&mut *bytes)?;
        Ok(u64::from_be_bytes(*bytes))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        self.rng.fill_bytes(out);
        for chunk in out.chunks_mut(32) {
            let mut stream = Zeroizing::new([0; 32]);
            let info: [&[u8]; 3] = [self.label.as_bytes(), b"/block", &self.block.to_be_bytes()];
            hkdf(&self.key, None, &info, &mut *stream);
            self.block += 1;
            for (byte, mask) in chunk.iter_mut().zip(&*stream) {
                *byte ^= mask;
            }
        }
        Ok(())
    }
}

impl<R: CryptoRng> TryCryptoRng for Hedged<'_, R> {}
