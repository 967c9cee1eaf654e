//! dag-cbor with one accepted encoding per value: what decodes must encode to the same bytes again.
use serde::{Serialize, de::DeserializeOwned};

use crate::Error;

pub(crate) fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    // Writing to memory cannot fail, and the wire structs hold only what dag-cbor can say:
    // integers, bytes, text, links, lists, and maps with text keys.
    serde_ipld_dagcbor::to_vec(value).expect("wire structs are plain data, written to memory")
}

/// # Errors
/// [`Error::TooLarge`], [`Error::Malformed`], [`Error::NotCanonical`].
pub(crate) fn decode<T: Serialize + DeserializeOwned>(
    what: &'static str,
    bytes: &[u8],
    bytes_most: usize,
) -> Result<T, Error> {
    if bytes.len() > bytes_most {
        return Err(Error::TooLarge {
            what,
            size: bytes.len() as u64,
            most: bytes_most as u64,
        });
    }
    let value: T = serde_ipld_dagcbor::from_slice(bytes).map_err(|error| Error::malformed(what, error))?;
    if encode(&value) != bytes {
        return Err(Error::NotCanonical { what });
    }
    Ok(value)
}

/// Looks at the `v` field alone, so that a block of a later format is named as such and not called malformed.
///
/// # Errors
/// [`Error::UnknownVersion`]. A block without a readable `v` passes: [`decode`] says what is wrong with it.
pub(crate) fn check_version(what: &'static str, bytes: &[u8], bytes_most: usize, known: u64) -> Result<(), Error> {
    #[derive(serde::Deserialize)]
    struct Version {
        v: u64,
    }
    if bytes.len() <= bytes_most
        && let Ok(Version { v }) = serde_ipld_dagcbor::from_slice(bytes)
        && v != known
    {
        return Err(Error::UnknownVersion { what, version: v });
    }
    Ok(())
}
