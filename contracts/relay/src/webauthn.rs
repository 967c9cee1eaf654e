//! Signatures of passkeys: P-256 over what a browser and an authenticator state (WebAuthn Level 3, section 7.2).
//!
//! The relying party's id and the origin are not looked at. The challenge is the digest of one operation for one contract on one
//! chain, so a statement says the same wherever it was made; and that a page gets statements only from the passkeys of its own
//! domain is what browsers see to. Nor is the signature counter: passkeys that are synchronised have none.
//!
//! The hash functions and the curve are passed in, because a contract's are calls to precompiles.
use alloy_primitives::{Address, B256, U256, uint};
use medlock_abi::relay::WebAuthn;

/// Hash of the relying party's id (32), flags (1), signature counter (4).
const AUTHENTICATOR_DATA_LEAST: usize = 37;
/// Extensions may follow; the outputs of those that browsers have take less than 200 bytes. Bounds what is copied and hashed.
pub const AUTHENTICATOR_DATA_MOST: usize = 512;
/// Type, challenge and two origins (of at most 253 characters each, and scheme and port) take about 700. Bounds what is copied and hashed.
pub const CLIENT_DATA_JSON_MOST: usize = 1024;

/// Flags of the authenticator data (section 6.1).
mod flag {
    pub const USER_PRESENT: u8 = 1 << 0;
    pub const USER_VERIFIED: u8 = 1 << 2;
    pub const BACKUP_ELIGIBLE: u8 = 1 << 3;
    pub const BACKED_UP: u8 = 1 << 4;
}

/// Half of P-256's order: of the two signatures that fit, the one with the larger `s` is refused.
const S_MOST: U256 = uint!(0x7FFFFFFF800000007FFFFFFFFFFFFFFFDE737D56D38BCF4279DCE5617E3192A8_U256);

/// Whether the passkey whose account this is has signed, in this assertion, that its user was there, was verified, and
/// agreed to `digest`. `is_p256`: whether r and s are a signature over the hash with the key x, y.
pub fn is_signed_by(
    account: Address,
    digest: B256,
    assertion: &WebAuthn,
    keccak: impl Fn(&[u8]) -> B256,
    sha256: impl Fn(&[u8]) -> Option<B256>,
    is_p256: impl Fn(B256, &WebAuthn) -> bool,
) -> bool {
    let s = U256::from_be_bytes(assertion.s.0);
    if Address::from_word(keccak(&[assertion.x, assertion.y].concat())) != account
        || assertion.r.is_zero()
        || s.is_zero()
        || s > S_MOST
        || !is_user_verified(&assertion.authenticatorData)
        || !is_consent_to(digest, assertion.clientDataJson.as_bytes())
    {
        return false;
    }
    // A precompile that fails, for want of gas, is a no.
    sha256(assertion.clientDataJson.as_bytes())
        .and_then(|client_data_hash| sha256(&[&assertion.authenticatorData[..], &client_data_hash[..]].concat()))
        .is_some_and(|hash| is_p256(hash, assertion))
}

/// Whether the authenticator says that the user was there and was verified, and contradicts itself nowhere.
fn is_user_verified(data: &[u8]) -> bool {
    let Some(flags) = data.get(32) else { return false };
    let is_set = |flag| flags & flag != 0;
    (AUTHENTICATOR_DATA_LEAST..=AUTHENTICATOR_DATA_MOST).contains(&data.len())
        && is_set(flag::USER_PRESENT)
        && is_set(flag::USER_VERIFIED)
        && (is_set(flag::BACKUP_ELIGIBLE) || !is_set(flag::BACKED_UP))
}

/// Whether a browser wrote `json` for `navigator.credentials.get` with this challenge. Its serialisation is fixed (section
/// 5.8.1.1): type and challenge come first, without white space, and quotes within what follows are escaped; so
/// comparing the text is enough (section 5.8.1.2) and nothing is parsed.
fn is_consent_to(digest: B256, json: &[u8]) -> bool {
    const BEGIN: &[u8] = br#"{"type":"webauthn.get","challenge":""#;
    /// Made in a frame on another site's page, which can hide from the user what they agree to.
    const FRAMED: &[u8] = br#""crossOrigin":true"#;
    json.len() <= CLIENT_DATA_JSON_MOST
        && json
            .strip_prefix(BEGIN)
            .and_then(|rest| rest.strip_prefix(&base64url(digest)))
            .is_some_and(|rest| rest.starts_with(b"\"") && !rest.windows(FRAMED.len()).any(|text| text == FRAMED))
}

/// RFC 4648, section 5, without padding.
pub fn base64url(digest: B256) -> [u8; 43] {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    core::array::from_fn(|index| {
        // The six bits from this one on, which stand in at most two bytes; behind the last come zeros.
        let bit = index * 6;
        let two = [digest[bit / 8], digest.get(bit / 8 + 1).copied().unwrap_or(0)];
        let six = u16::from_be_bytes(two) >> (10 - bit % 8) & 63;
        ALPHABET[usize::from(six)]
    })
}

#[cfg(test)]
mod tests;
