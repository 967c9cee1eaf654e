//! What names a trial, and the documents that a version of it fixes.

use alloy_primitives::{Address, B256, keccak256};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The longest registration number. The registries of the WHO's network stay under 30.
pub const REGISTRATION_BYTES_MAX: usize = 64;

/// Why text is no registration number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RegistrationError {
    #[error("a registration number has 1 to {REGISTRATION_BYTES_MAX} characters, as in NCT01234567")]
    Length,
    #[error(
        "a registration number has letters, digits, - / . alone, as in NCT01234567 or 2011-001234-56; write dashes as a plain hyphen and leave spaces out"
    )]
    Character,
}

/// The one spelling of a public registration number: without white space around it, letters in upper case. No registry tells two numbers
/// apart by their case. Inner spaces and other dashes are refused rather than guessed away.
///
/// # Errors
/// [`RegistrationError`].
pub fn normalised_registration(text: &str) -> Result<String, RegistrationError> {
    let text = text.trim();
    if text.is_empty() || text.len() > REGISTRATION_BYTES_MAX {
        return Err(RegistrationError::Length);
    }
    if !text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-/.".contains(&byte))
    {
        return Err(RegistrationError::Character);
    }
    Ok(text.to_ascii_uppercase())
}

/// `registration` of `registerTrial`: keccak256 of the number in its one spelling.
///
/// # Errors
/// [`RegistrationError`].
pub fn registration_digest(text: &str) -> Result<B256, RegistrationError> {
    Ok(keccak256(normalised_registration(text)?))
}

/// The id that the contract gives: keccak256 of (sponsor, registration), a word each. It is the same on every chain.
#[must_use]
pub fn trial_id(sponsor: Address, registration: B256) -> B256 {
    keccak256([sponsor.into_word(), registration].concat())
}

/// What stands on chain for a file: SHA-256 of its bytes, so that anybody can check it with `sha256sum`.
#[must_use]
pub fn file_digest(bytes: &[u8]) -> B256 {
    B256::from(<[u8; 32]>::from(Sha256::digest(bytes)))
}

/// Digests of what one version of a trial fixes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Documents {
    pub protocol: B256,
    /// Of the file of [`Plan`](crate::results::Plan).
    pub plan: B256,
    /// Of the consent form.
    pub form: B256,
}

impl Documents {
    #[must_use]
    pub fn of(protocol: &[u8], plan: &[u8], form: &[u8]) -> Self {
        Self {
            protocol: file_digest(protocol),
            plan: file_digest(plan),
            form: file_digest(form),
        }
    }
}
