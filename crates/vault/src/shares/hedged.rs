//! An RNG that a broken source of randomness does not break.
use std::convert::Infallible;

use rand_core::{CryptoRng, TryCryptoRng, TryRng};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{Recipient, SetScope};
use crate::{RootSecret, secret::hkdf};

/// The caller's RNG, each byte of it xored with a stream that only the holder of the root secret can compute.
///
/// As long as the RNG is good the sum is as uniform as it is, and the shares hide the secret without any assumption.
/// When it repeats itself or is known to others, the sum is still a pseudorandom function of the secret and of
/// everything that makes this set this one. Without that, a stuck RNG would give away the root to one custodian (from
/// a polynomial that is known), to a custodian of two owners whose machines were cloned (the difference of their shares
/// would be that of their roots), and to anyone (from the ephemeral keys of HPKE).
pub(super) struct Hedged<'a, R> {
    rng: &'a mut R,
    key: Zeroizing<[u8; 32]>,
    block: u64,
}

impl<'a, R: CryptoRng> Hedged<'a, R> {
    pub(super) fn new(
        rng: &'a mut R,
        scope: &SetScope,
        root: &RootSecret,
        threshold: u8,
        custodians: &[Recipient],
    ) -> Self {
        let mut parties = Sha256::new();
        for custodian in custodians {
            parties.update(custodian.account);
            parties.update(custodian.key_version.to_be_bytes());
            parties.update(custodian.key.suite().id().to_be_bytes());
            // Of one length for each suite.
            parties.update(custodian.key.as_bytes());
        }
        let mut salt = Zeroizing::new([0; 32]);
        rng.fill_bytes(&mut *salt);
        let info: [&[u8]; 6] = [
            b"medlock/v1/share/hedge/key",
            &scope.domain.to_bytes(),
            &scope.owner,
            &scope.version.to_be_bytes(),
            &[threshold],
            &parties.finalize(),
        ];
        let mut key = Zeroizing::new([0; 32]);
        hkdf(root.expose(), Some(&*salt), &info, &mut *key);
        Self { rng, key, block: 0 }
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
            let info: [&[u8]; 2] = [b"medlock/v1/share/hedge/block", &self.block.to_be_bytes()];
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
