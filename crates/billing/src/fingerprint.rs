//! The fingerprint of a service: HMAC-SHA-256 (RFC 2104) with a key of the chart, over what makes the service this one.
//!
//! The message is `medlock/v1/service`, encounter, code system, code, day (`2026-05-03`) and the provider's account (20 bytes), each
//! after its length in four bytes, most significant first. So no two services have one message, and another version of it has another label.
//! Nothing is trimmed, folded or otherwise mended: what has more than one spelling is refused ([`Service::new`]) or has to be agreed
//! on beside this code, which computes with the bytes as they are (UTF-8).
use alloy_primitives::{Address, B256};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use rand_core::CryptoRng;
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::time::Day;

const LABEL: &[u8] = b"medlock/v1/service";
const KEY_LABEL: &[u8] = b"medlock/v1/service/key";
/// Of encounter, system and code each: FHIR's URIs and codes are far shorter, and a bound keeps the lengths in four bytes.
pub const TEXT_BYTES_MAX: usize = 1024;

/// A chart's, shared with whoever may claim or adjudicate on it. On the heap, wiped on drop.
#[derive(Clone)]
pub struct FingerprintKey(Box<[u8; 32]>);

/// A key of another length than 32 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint key has {expected} bytes; this has {given}", expected = FingerprintKey::BYTES)]
pub struct KeyLength {
    pub given: usize,
}

impl FingerprintKey {
    pub const BYTES: usize = 32;

    /// A fresh random key.
    #[must_use]
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        Self::filled(|key| rng.fill_bytes(key))
    }

    /// The chart's key out of its controller's root secret: HKDF-SHA256 (RFC 5869), so that nothing more has to be kept. It says nothing
    /// of the root, nor of another chart's key.
    #[must_use]
    pub fn derive(root: &[u8; 32], chart: B256) -> Self {
        let info: [&[u8]; 2] = [KEY_LABEL, chart.as_slice()];
        Self::filled(|key| {
            // RFC 5869 section 2.3: expanding fails only past 255 * 32 bytes.
            let expanded = Hkdf::<Sha256>::new(None, root).expand_multi_info(&info, key);
            expanded.expect("32 bytes are asked for");
        })
    }

    /// 32 bytes that the caller got from a safe place; the caller wipes its own copy.
    ///
    /// # Errors
    /// [`KeyLength`].
    pub fn from_slice(bytes: &[u8]) -> Result<Self, KeyLength> {
        if bytes.len() != Self::BYTES {
            return Err(KeyLength { given: bytes.len() });
        }
        Ok(Self::filled(|key| key.copy_from_slice(bytes)))
    }

    /// The key itself, to be sealed. Never log it, never keep a copy.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// Writes the key where it will stay.
    fn filled(fill: impl FnOnce(&mut [u8; 32])) -> Self {
        let mut key = Box::new([0; 32]);
        fill(&mut key);
        Self(key)
    }
}

impl Drop for FingerprintKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}
impl ZeroizeOnDrop for FingerprintKey {}

/// Why something is no service. None repeats it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ServiceError {
    #[error("the service's {field} is empty")]
    Empty { field: &'static str },
    #[error("the service's {field} has more than {TEXT_BYTES_MAX} bytes")]
    TooLong { field: &'static str },
    #[error(
        "the service's {field} begins or ends with white space, or has a control character: write it as its system does"
    )]
    Spelling { field: &'static str },
    #[error("the service's day is no date to the day, such as 2026-05-03")]
    NotADay,
    #[error(
        "the claim's first item names no {field}: a service is told by its encounter, its code with the code's system, and its day"
    )]
    Unnamed { field: &'static str },
}

/// What makes a service this one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Service {
    encounter: String,
    system: String,
    code: String,
    day: Day,
    provider: Address,
}

impl Service {
    /// `encounter`: as [`fhir::Reference::key`](crate::fhir::Reference::key) has it. `system`, `code`: of the code that is billed. `day`:
    /// on which it was rendered, or begun. `provider`: the account that claims.
    ///
    /// # Errors
    /// [`ServiceError`], for what is empty, too long, surrounded by white space, or no day.
    pub fn new(encounter: &str, system: &str, code: &str, day: &str, provider: Address) -> Result<Self, ServiceError> {
        for (field, text) in [("encounter", encounter), ("code system", system), ("code", code)] {
            if text.is_empty() {
                return Err(ServiceError::Empty { field });
            }
            if text.len() > TEXT_BYTES_MAX {
                return Err(ServiceError::TooLong { field });
            }
            if text.trim() != text || text.contains(char::is_control) {
                return Err(ServiceError::Spelling { field });
            }
        }
        Ok(Self {
            encounter: encounter.to_owned(),
            system: system.to_owned(),
            code: code.to_owned(),
            day: Day::parse(day).ok_or(ServiceError::NotADay)?,
            provider,
        })
    }

    #[must_use]
    pub fn encounter(&self) -> &str {
        &self.encounter
    }

    #[must_use]
    pub fn system(&self) -> &str {
        &self.system
    }

    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    #[must_use]
    pub fn day(&self) -> &Day {
        &self.day
    }

    #[must_use]
    pub fn provider(&self) -> Address {
        self.provider
    }
}

/// `NewClaim.fingerprint`.
#[must_use]
pub fn fingerprint(key: &FingerprintKey, service: &Service) -> B256 {
    let parts: [&[u8]; 6] = [
        LABEL,
        service.encounter.as_bytes(),
        service.system.as_bytes(),
        service.code.as_bytes(),
        service.day.as_str().as_bytes(),
        service.provider.as_slice(),
    ];
    let mut mac = Hmac::<Sha256>::new_from_slice(key.expose()).expect("HMAC takes keys of any length");
    for part in parts {
        // At most TEXT_BYTES_MAX.
        mac.update(&(part.len() as u32).to_be_bytes());
        mac.update(part);
    }
    B256::from_slice(&mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    static_assertions::assert_not_impl_any!(FingerprintKey: std::fmt::Debug, std::fmt::Display, serde::Serialize, Copy, PartialEq);

    const PROVIDER: Address = Address::repeat_byte(0x11);

    fn service() -> Service {
        Service::new("Encounter/7", "http://loinc.org", "718-7", "2026-05-03", PROVIDER).unwrap()
    }

    fn key(byte: u8) -> FingerprintKey {
        FingerprintKey::from_slice(&[byte; 32]).unwrap()
    }

    #[test]
    fn the_same_service_has_the_same_fingerprint_and_no_other_has() {
        let of = |encounter, system, code, day, provider| {
            fingerprint(&key(1), &Service::new(encounter, system, code, day, provider).unwrap())
        };
        let first = fingerprint(&key(1), &service());
        assert_eq!(
            first,
            of("Encounter/7", "http://loinc.org", "718-7", "2026-05-03", PROVIDER)
        );
        let others = [
            fingerprint(&key(2), &service()),
            of("Encounter/8", "http://loinc.org", "718-7", "2026-05-03", PROVIDER),
            of("Encounter/7", "http://loinc.com", "718-7", "2026-05-03", PROVIDER),
            of("Encounter/7", "http://loinc.org", "718-8", "2026-05-03", PROVIDER),
            of("Encounter/7", "http://loinc.org", "718-7", "2026-05-04", PROVIDER),
            of(
                "Encounter/7",
                "http://loinc.org",
                "718-7",
                "2026-05-03",
                Address::repeat_byte(0x12),
            ),
            // What stands at the end of one field and at the beginning of the next is not the same.
            of("Encounter/7h", "ttp://loinc.org", "718-7", "2026-05-03", PROVIDER),
            of("Encounter/7", "http://loinc.or", "g718-7", "2026-05-03", PROVIDER),
        ];
        for (index, other) in others.iter().enumerate() {
            assert_ne!(*other, first, "{index}");
            assert!(!others[..index].contains(other), "{index}");
        }
    }

    #[test]
    fn what_has_two_spellings_is_refused() {
        let of = |encounter, system, code, day| Service::new(encounter, system, code, day, PROVIDER).unwrap_err();
        let long = "x".repeat(TEXT_BYTES_MAX + 1);
        assert_eq!(
            of("", "s", "c", "2026-05-03"),
            ServiceError::Empty { field: "encounter" }
        );
        assert_eq!(
            of("e", "s ", "c", "2026-05-03"),
            ServiceError::Spelling { field: "code system" }
        );
        assert_eq!(
            of("e", "s", "\u{a0}c", "2026-05-03"),
            ServiceError::Spelling { field: "code" }
        );
        assert_eq!(
            of("e", "s", "c\0d", "2026-05-03"),
            ServiceError::Spelling { field: "code" }
        );
        assert_eq!(
            of("e", "s", &long, "2026-05-03"),
            ServiceError::TooLong { field: "code" }
        );
        for day in ["2026-05", "2026-5-3", "2026-05-03T10:00:00Z", "2026-02-29", ""] {
            assert_eq!(of("e", "s", "c", day), ServiceError::NotADay, "{day}");
        }
    }

    #[test]
    fn each_chart_of_a_root_has_a_key_of_its_own() {
        let of = |root: u8, chart| *FingerprintKey::derive(&[root; 32], B256::repeat_byte(chart)).expose();
        assert_eq!(of(1, 1), of(1, 1));
        assert_ne!(of(1, 1), of(1, 2));
        assert_ne!(of(1, 1), of(2, 1));
        assert_eq!(
            FingerprintKey::from_slice(&[0; 31]).err(),
            Some(KeyLength { given: 31 })
        );
    }
}
