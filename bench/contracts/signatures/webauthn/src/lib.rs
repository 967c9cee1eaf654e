//! A passkey's assertion (WebAuthn level 3): hashed by the precompile of SHA-256, verified by that of P-256.
//!
//! What a relying party has to look at besides (the relying party's id, the counter) is left out: it costs little.
#![cfg_attr(not(feature = "export-abi"), no_std)]
#![forbid(unsafe_code)]
extern crate alloc;

use alloc::{vec, vec::Vec};

use alloy_primitives::{Address, B256, address};
use stylus_sdk::{abi::Bytes, call::static_call, prelude::*};

const SHA256: Address = address!("0000000000000000000000000000000000000002");
const P256VERIFY: Address = address!("0000000000000000000000000000000000000100");
/// RFC 4648, section 5.
const BASE64URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/// How client data begins (WebAuthn, section 5.8.1.1): the challenge follows, then a quote.
const CLIENT_DATA_START: &[u8] = br#"{"type":"webauthn.get","challenge":""#;
/// The byte of the authenticator data that holds the flags (section 6.1).
const FLAGS_AT: usize = 32;
/// The user was present and verified.
const FLAGS_NEEDED: u8 = 0b101;

#[storage]
#[entrypoint]
pub struct Verifier;

#[public]
impl Verifier {
    /// Whether (r, s) is an assertion of `challenge` by the key (x, y).
    #[allow(clippy::too_many_arguments)]
    pub fn verify(
        &self,
        challenge: B256,
        r: B256,
        s: B256,
        x: B256,
        y: B256,
        authenticator_data: Bytes,
        client_data: Bytes,
    ) -> bool {
        let present = authenticator_data
            .get(FLAGS_AT)
            .is_some_and(|flags| flags & FLAGS_NEEDED == FLAGS_NEEDED);
        if !present || !client_data.starts_with(&client_data_start(challenge)) {
            return false;
        }
        self.ask_p256(&authenticator_data, &client_data, [r, s, x, y]) == Some(true)
    }
}

impl Verifier {
    /// `None` where a precompile fails: to go on without a hash would let a caller choose, by how little gas it gives,
    /// what was signed.
    fn ask_p256(&self, authenticator_data: &[u8], client_data: &[u8], words: [B256; 4]) -> Option<bool> {
        let client_hash = self.ask(SHA256, client_data)?;
        let digest = self.ask(SHA256, &[authenticator_data, &client_hash].concat())?;
        let input = [digest, words.concat()].concat();
        Some(self.ask(P256VERIFY, &input)? == B256::with_last_byte(1).as_slice())
    }

    fn ask(&self, precompile: Address, input: &[u8]) -> Option<Vec<u8>> {
        static_call(self.vm(), Call::new(), precompile, input).ok()
    }
}

/// All up to and including the quote after the challenge in base64url, without padding.
fn client_data_start(challenge: B256) -> Vec<u8> {
    let mut text = CLIENT_DATA_START.to_vec();
    for group in challenge.chunks(3) {
        let bits = (0..3).fold(0, |bits, at| bits << 8 | usize::from(*group.get(at).unwrap_or(&0)));
        text.extend((0..=group.len()).map(|at| BASE64URL[bits >> (18 - 6 * at) & 63]));
    }
    text.push(b'"');
    text
}
