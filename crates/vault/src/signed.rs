//! Blocks that a chart's controller signs: a body with its format's version, and beside it the signature.
use alloy_primitives::{Address, B256, Signature};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_bytes::ByteBuf;

use crate::{Error, cbor};

/// An ECDSA signature: r, s, v.
pub const SIGNATURE_BYTES: usize = 65;
/// A signature at most; a smart account (EIP-1271) may need more than 65 bytes.
pub const SIGNATURE_BYTES_MAX: usize = 4096;

/// As in dag-cbor; the encoder sorts the keys.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Signed<B> {
    pub body: B,
    pub signature: ByteBuf,
}

impl<B: Serialize> Signed<B> {
    pub fn encode(body: B, signature: &[u8]) -> Vec<u8> {
        let signature = ByteBuf::from(signature);
        cbor::encode(&Self { body, signature })
    }
}

impl<B: Serialize + DeserializeOwned> Signed<B> {
    /// Decodes without verifying who signed. A block of a later format than `known` is named as such and not called malformed.
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::Malformed`], [`Error::NotCanonical`], [`Error::UnknownVersion`].
    pub fn decode(what: &'static str, bytes: &[u8], bytes_most: usize, known: u64) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Outer {
            body: Version,
        }
        #[derive(Deserialize)]
        struct Version {
            v: u64,
        }
        if bytes.len() <= bytes_most
            && let Ok(Outer { body: Version { v } }) = serde_ipld_dagcbor::from_slice(bytes)
            && v != known
        {
            return Err(Error::UnknownVersion { what, version: v });
        }
        let block: Self = cbor::decode(what, bytes, bytes_most)?;
        let (size, most) = (block.signature.len() as u64, SIGNATURE_BYTES_MAX as u64);
        if size > most {
            return Err(Error::TooLarge {
                what: "signature",
                size,
                most,
            });
        }
        Ok(block)
    }
}

/// That the account `controller` signed `hash`, with a key.
///
/// # Errors
/// [`Error::SignatureForm`]; [`Error::NotController`].
pub(crate) fn check_signature(signature: &[u8], hash: &B256, controller: Address) -> Result<(), Error> {
    let bytes: &[u8; SIGNATURE_BYTES] = signature.try_into().map_err(|_| Error::SignatureForm)?;
    if !matches!(bytes[64], 27 | 28) {
        return Err(Error::SignatureForm);
    }
    let signature = Signature::from_raw_array(bytes).map_err(|_| Error::SignatureForm)?;
    if signature.normalize_s().is_some() {
        return Err(Error::SignatureForm);
    }
    let signer = signature
        .recover_address_from_prehash(hash)
        .map_err(|_| Error::SignatureForm)?;
    if signer != controller {
        return Err(Error::NotController { signer, controller });
    }
    Ok(())
}
