//! Sign-in with Ethereum (EIP-4361), pure: clock and randomness are handed in, and an account that is a contract is asked elsewhere.
//!
//! A challenge costs nothing to keep: its nonce is 16 random bytes and a MAC of them with everything else in the
//! message, so only a message of ours is accepted, and only an answered one takes a row (its nonce, until it
//! expires). The token is 32 random bytes; only its SHA-256 is stored.
use alloy::primitives::{Address, B256, Signature, keccak256};
use medlock_api::{
    account::SIGNATURE_BYTES_MOST,
    siwe::{Message, STATEMENT},
};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// How long a challenge may be answered: a person with a hardware wallet needs a minute or two.
pub const CHALLENGE_SECONDS: u64 = 300;
/// A working day: nobody is asked to sign twice in one, and a stolen token dies overnight.
pub const SESSION_SECONDS: u64 = 8 * 3600;
/// Where an account's code let the signer in: its owners may have been others for as long before the session ends (ADR 19).
pub const CODE_SESSION_SECONDS: u64 = 3600;
/// Sessions of one account; the oldest gives way. Enough for every device and job of a clinic.
pub const SESSIONS_MOST: u32 = 32;

/// Where this gateway is reached; every message names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// Host, with the port where it is not the scheme's own.
    pub domain: String,
    /// Base URL without a slash at its end.
    pub uri: String,
    pub chain_id: u64,
}

impl Site {
    /// `url`: `http://` or `https://`, host, optional port; no path.
    pub fn new(url: &str, chain_id: u64) -> Option<Self> {
        let uri = url.strip_suffix('/').unwrap_or(url);
        let domain = uri.strip_prefix("https://").or_else(|| uri.strip_prefix("http://"))?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
        (!domain.is_empty() && domain.bytes().all(plain)).then(|| Self {
            domain: domain.into(),
            uri: uri.into(),
            chain_id,
        })
    }
}

/// Whether a gateway can be called so: `http://` or `https://`, host, optional port; no path.
pub fn is_public_url(url: &str) -> bool {
    Site::new(url, 0).is_some()
}

/// Why a sign-in was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    Malformed,
    Domain,
    ChainId,
    Nonce,
    Expired,
    Signature,
}

impl Refusal {
    pub fn text(self) -> &'static str {
        match self {
            Refusal::Malformed => "malformed",
            Refusal::Domain => "domain",
            Refusal::ChainId => "chain-id",
            Refusal::Nonce => "nonce",
            Refusal::Expired => "expired",
            Refusal::Signature => "signature",
        }
    }
}

/// The message for `account` to sign.
pub fn challenge(site: &Site, key: &[u8; 32], account: Address, random: [u8; 16], now: u64) -> Message {
    let mut message = Message {
        domain: site.domain.clone(),
        address: account,
        statement: STATEMENT.into(),
        uri: site.uri.clone(),
        chain_id: site.chain_id,
        nonce: hex::encode(random),
        issued_at: now,
        expiration_time: now + CHALLENGE_SECONDS,
    };
    let tag = nonce_tag(key, &message);
    message.nonce.push_str(&tag);
    message
}

/// An answered challenge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    pub message: Message,
    /// The account's own key signed it. If not, the account's code has to confirm that it did (EIP-1271), or nobody has.
    pub by_key: bool,
}

/// Checks an answered challenge, except that its nonce was not used before, which is the database's to say, and that a contract signed
/// it, which is the chain's.
///
/// # Errors
/// The first [`Refusal`] that applies.
pub fn check(site: &Site, key: &[u8; 32], text: &str, signature: &[u8], now: u64) -> Result<Answered, Refusal> {
    let message = Message::parse(text).map_err(|_| Refusal::Malformed)?;
    if message.domain != site.domain || message.uri != site.uri {
        return Err(Refusal::Domain);
    }
    if message.chain_id != site.chain_id {
        return Err(Refusal::ChainId);
    }
    let (random, tag) = message.nonce.split_at_checked(32).ok_or(Refusal::Nonce)?;
    let untagged = Message {
        nonce: random.into(),
        ..message.clone()
    };
    if !bool::from(nonce_tag(key, &untagged).as_bytes().ct_eq(tag.as_bytes())) {
        return Err(Refusal::Nonce);
    }
    if now >= message.expiration_time {
        return Err(Refusal::Expired);
    }
    if signature.len() > SIGNATURE_BYTES_MOST {
        return Err(Refusal::Signature);
    }
    let by_key = recover(&message.signing_hash(), signature) == Some(message.address);
    Ok(Answered { message, by_key })
}

/// What is stored of a token.
pub fn token_hash(token: &str) -> B256 {
    B256::from(<[u8; 32]>::from(Sha256::digest(token.as_bytes())))
}

/// The account that made `signature` (r || s || v) over `hash`; `None` unless s is in the lower half (EIP-2) and
/// v is 27 or 28, so that nobody but the signer can write it another way.
pub fn recover(hash: &B256, signature: &[u8]) -> Option<Address> {
    let bytes: &[u8; 65] = signature.try_into().ok()?;
    if !matches!(bytes[64], 27 | 28) {
        return None;
    }
    let signature = Signature::from_raw_array(bytes).ok()?;
    if signature.normalize_s().is_some() {
        return None;
    }
    signature.recover_address_from_prehash(hash).ok()
}

/// Half of Keccak-256 over key and message, in hex. (Keccak is a sponge: prefixing the key makes a sound MAC.)
fn nonce_tag(key: &[u8; 32], untagged: &Message) -> String {
    let digest = keccak256([&key[..], untagged.to_text().as_bytes()].concat());
    hex::encode(&digest[..16])
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::{
        primitives::U256,
        signers::{SignerSync, local::PrivateKeySigner},
    };

    const KEY: [u8; 32] = [7; 32];
    const NOW: u64 = 1_795_233_911;

    fn site() -> Site {
        Site::new("http://127.0.0.1:8547", 412_346).unwrap()
    }

    fn signer() -> PrivateKeySigner {
        PrivateKeySigner::from_bytes(&B256::repeat_byte(3)).unwrap()
    }

    fn signed(message: &Message) -> Vec<u8> {
        signer()
            .sign_hash_sync(&message.signing_hash())
            .unwrap()
            .as_bytes()
            .to_vec()
    }

    #[test]
    fn lets_the_signer_of_our_challenge_in_until_it_expires() {
        let message = challenge(&site(), &KEY, signer().address(), [1; 16], NOW);
        let signature = signed(&message);
        let answered = Answered {
            message: message.clone(),
            by_key: true,
        };
        assert_eq!(check(&site(), &KEY, &message.to_text(), &signature, NOW), Ok(answered));
        let last = NOW + CHALLENGE_SECONDS - 1;
        assert!(check(&site(), &KEY, &message.to_text(), &signature, last).is_ok());
        assert_eq!(
            check(&site(), &KEY, &message.to_text(), &signature, last + 1),
            Err(Refusal::Expired)
        );
    }

    #[test]
    fn refuses_another_domain_chain_message_or_signer() {
        let ours = challenge(&site(), &KEY, signer().address(), [1; 16], NOW);
        let refusal = |message: &Message, key: &[u8; 32]| {
            check(&site(), key, &message.to_text(), &signed(message), NOW).unwrap_err()
        };
        assert_eq!(
            refusal(
                &Message {
                    domain: "evil.example".into(),
                    ..ours.clone()
                },
                &KEY
            ),
            Refusal::Domain
        );
        assert_eq!(
            refusal(
                &Message {
                    uri: "http://evil.example".into(),
                    ..ours.clone()
                },
                &KEY
            ),
            Refusal::Domain
        );
        assert_eq!(
            refusal(
                &Message {
                    chain_id: 1,
                    ..ours.clone()
                },
                &KEY
            ),
            Refusal::ChainId
        );
        // Stretched lifetime, another account, another statement, a made-up nonce, another gateway's key: not our message.
        assert_eq!(
            refusal(
                &Message {
                    expiration_time: NOW + 9999,
                    ..ours.clone()
                },
                &KEY
            ),
            Refusal::Nonce
        );
        assert_eq!(
            refusal(
                &Message {
                    address: Address::repeat_byte(1),
                    ..ours.clone()
                },
                &KEY
            ),
            Refusal::Nonce
        );
        assert_eq!(
            refusal(
                &Message {
                    statement: "Give me everything.".into(),
                    ..ours.clone()
                },
                &KEY
            ),
            Refusal::Nonce
        );
        assert_eq!(
            refusal(
                &Message {
                    nonce: "a".repeat(64),
                    ..ours.clone()
                },
                &KEY
            ),
            Refusal::Nonce
        );
        assert_eq!(
            refusal(
                &Message {
                    nonce: "a".repeat(8),
                    ..ours.clone()
                },
                &KEY
            ),
            Refusal::Nonce
        );
        assert_eq!(refusal(&ours, &[8; 32]), Refusal::Nonce);
        let other = PrivateKeySigner::from_bytes(&B256::repeat_byte(4)).unwrap();
        let forged = other.sign_hash_sync(&ours.signing_hash()).unwrap().as_bytes();
        let by_key = |signature: &[u8]| check(&site(), &KEY, &ours.to_text(), signature, NOW).map(|a| a.by_key);
        assert_eq!(by_key(&forged), Ok(false));
        assert_eq!(by_key(&[0; SIGNATURE_BYTES_MOST]), Ok(false));
        assert_eq!(by_key(&[0; SIGNATURE_BYTES_MOST + 1]), Err(Refusal::Signature));
        assert_eq!(check(&site(), &KEY, "hello", &forged, NOW), Err(Refusal::Malformed));
    }

    #[test]
    fn a_signature_has_one_form() {
        let hash = B256::repeat_byte(9);
        let signature = signer().sign_hash_sync(&hash).unwrap();
        let bytes = signature.as_bytes();
        assert_eq!(recover(&hash, &bytes), Some(signer().address()));
        let order = U256::from_be_bytes(alloy::primitives::hex!(
            "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"
        ));
        let high = Signature::new(signature.r(), order - signature.s(), !signature.v());
        assert_eq!(high.recover_address_from_prehash(&hash).unwrap(), signer().address());
        assert_eq!(recover(&hash, &high.as_bytes()), None);
        let mut parity = bytes;
        parity[64] -= 27;
        assert_eq!(recover(&hash, &parity), None);
        assert_eq!(recover(&hash, &bytes[..64]), None);
        assert_eq!(recover(&hash, &[0; 65]), None);
    }

    #[test]
    fn a_site_is_scheme_and_authority() {
        assert_eq!(Site::new("https://gw.example/", 1).unwrap().domain, "gw.example");
        for bad in [
            "",
            "gw.example",
            "ftp://x",
            "https://",
            "https://x/y",
            "https://x\n",
            "https://u@x",
        ] {
            assert_eq!(Site::new(bad, 1), None, "{bad}");
        }
    }
}
