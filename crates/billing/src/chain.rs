//! What the `claims` contract computes, computed outside of it: a claim's id, and the commitments to amounts.
use alloy_primitives::{Address, B256, U256, keccak256};
use medlock_abi::claims::IClaims::{ClaimSubmitted, NewClaim};
use rand_core::CryptoRng;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::Amount;

/// Hides an amount in its commitment: amounts alone are few enough to be tried. Fresh for each commitment; only the parties learn it.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Salt([u8; 32]);

impl Salt {
    #[must_use]
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut salt = Self([0; 32]);
        rng.fill_bytes(&mut salt.0);
        salt
    }

    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The salt itself, for the document that reveals it and for `payInToken`. Never log it.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

/// `NewClaim.billed`: bound to the document that reveals it (its envelope's digest), so that none can be copied to another claim.
#[must_use]
pub fn commit_billed(document: B256, amount: Amount, salt: &Salt) -> B256 {
    commit(document, amount, salt)
}

/// `adjudicate`'s `amount`: bound to the claim.
#[must_use]
pub fn commit_approved(claim: B256, amount: Amount, salt: &Salt) -> B256 {
    commit(claim, amount, salt)
}

fn commit(to: B256, amount: Amount, salt: &Salt) -> B256 {
    hash(&[to, U256::from(amount.minor).into(), B256::new(salt.0)])
}

/// The id that this claim of this provider has: `claimIdOf`.
#[must_use]
pub fn claim_id(provider: Address, claim: &NewClaim) -> B256 {
    let links = claim.links.iter().flat_map(|link| [link.recordId, link.pointer]);
    hash(&[
        provider.into_word(),
        claim.chart,
        claim.insurer.into_word(),
        claim.document,
        claim.fingerprint,
        U256::from(claim.currency).into(),
        claim.billed,
        hash(&links.collect::<Vec<_>>()),
    ])
}

/// What was submitted, out of its event.
#[must_use]
pub fn new_claim(submitted: &ClaimSubmitted) -> NewClaim {
    NewClaim {
        chart: submitted.chart,
        insurer: submitted.insurer,
        document: submitted.document,
        fingerprint: submitted.fingerprint,
        currency: submitted.currency,
        billed: submitted.billed,
        links: submitted.links.clone(),
    }
}

fn hash(words: &[B256]) -> B256 {
    keccak256(words.concat())
}

#[cfg(test)]
mod tests {
    use alloy_sol_types::SolValue;
    use medlock_abi::claims::IClaims::Link;

    use super::*;
    use crate::Currency;

    static_assertions::assert_not_impl_any!(Salt: std::fmt::Debug, std::fmt::Display, serde::Serialize, Copy);

    fn new(links: usize) -> NewClaim {
        let link = |n: usize| Link {
            recordId: B256::repeat_byte(0xe0 + n as u8),
            pointer: B256::repeat_byte(0x80 + n as u8),
        };
        NewClaim {
            chart: B256::repeat_byte(0xc1),
            insurer: Address::repeat_byte(0x21),
            document: B256::repeat_byte(0xd1),
            fingerprint: B256::repeat_byte(0xf1),
            currency: 978,
            billed: B256::repeat_byte(0xb1),
            links: (0..links).map(link).collect(),
        }
    }

    /// As the contract's own tests compute it: by the ABI's encoding, which is one word for each field, too.
    #[test]
    fn the_id_is_the_hash_of_the_abi_encoding() {
        let provider = Address::repeat_byte(0x11);
        for count in [0, 1, 2, 8] {
            let claim = new(count);
            let links: Vec<_> = claim.links.iter().map(|link| (link.recordId, link.pointer)).collect();
            let links: Vec<u8> = links.iter().flat_map(|link| link.abi_encode()).collect();
            let fields = (
                provider,
                claim.chart,
                claim.insurer,
                claim.document,
                claim.fingerprint,
                U256::from(claim.currency),
                claim.billed,
                keccak256(links),
            );
            assert_eq!(claim_id(provider, &claim), keccak256(fields.abi_encode()));
        }
    }

    #[test]
    fn a_commitment_binds_what_it_is_to_the_amount_and_the_salt() {
        let euro = Currency::from_numeric(978).unwrap();
        let of = |to: u8, minor, salt: u8| {
            let salt = Salt::from_bytes([salt; 32]);
            commit_approved(B256::repeat_byte(to), Amount::new(euro, minor), &salt)
        };
        let expected = (B256::repeat_byte(1), U256::from(12_345), B256::repeat_byte(2)).abi_encode();
        assert_eq!(of(1, 12_345, 2), keccak256(expected));
        for other in [of(3, 12_345, 2), of(1, 12_346, 2), of(1, 12_345, 3)] {
            assert_ne!(of(1, 12_345, 2), other);
        }
    }
}
