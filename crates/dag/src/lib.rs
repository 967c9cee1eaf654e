//! Content-addressed blocks: CIDs, UnixFS files and CAR streams.
//!
//! Everything Medlock keeps off the chain is a block named by its CID. This
//! crate makes the names, cuts payloads into the same blocks as Kubo
//! (`cid-version=1`, `raw-leaves`, `size-262144`, `sha2-256`, balanced, 174 links
//! a node), puts them together again, and packs blocks into CAR v1 streams.
//!
//! It must never do I/O (it also runs in the browser), and never hand out bytes
//! that it has not hashed: a [`Block`] is the proof that its bytes match its CID.
//! CIDs of other kinds (v0, identity, other hashes) are refused, not guessed at.
//!
//! Start reading at [`Block`], then `file.rs` (write, read), then `car.rs`.
#![forbid(unsafe_code)]

pub mod car;
mod file;
mod links;
mod pb;
mod varint;

pub use cid::Cid;
pub use file::{CHUNK_BYTES, DEPTH_MAX, FileBuilder, FileError, FileReader, LINKS_MAX, file};
pub use links::links;

use cid::multihash::Multihash;
use sha2::{Digest as _, Sha256};

/// The multicodec of a UnixFS leaf and of bytes without structure.
pub const RAW: u64 = 0x55;
/// The multicodec of an inner node of a UnixFS file.
pub const DAG_PB: u64 = 0x70;
/// The multicodec of envelopes, directories and keyrings.
pub const DAG_CBOR: u64 = 0x71;
/// The media type of one [`DAG_CBOR`] block over HTTP.
pub const DAG_CBOR_MEDIA_TYPE: &str = "application/vnd.ipld.dag-cbor";

/// The largest block that is accepted anywhere: what Bitswap carries in one message.
pub const BLOCK_BYTES_MAX: usize = 2 * 1024 * 1024;

/// The multihash code of sha2-256.
const SHA2_256: u64 = 0x12;

/// Why a CID or a block was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Only CIDv1 with sha2-256 over raw, dag-pb or dag-cbor is in use.
    #[error(
        "CID {cid} is of a kind that Medlock does not use: {reason}; expected a CIDv1 with sha2-256 over raw, dag-pb or dag-cbor"
    )]
    UnsupportedCid { cid: Cid, reason: &'static str },
    /// The bytes are not the ones that the CID names: damaged or tampered with.
    #[error(
        "block {cid} was tampered with or damaged: its {bytes} bytes hash to something else; fetch it again from another source"
    )]
    Mismatch { cid: Cid, bytes: usize },
    #[error("block of {bytes} bytes is over the limit of {bytes_max}")]
    TooLarge { bytes: usize, bytes_max: usize },
}

/// Bytes together with the CID that they hash to.
///
/// The fields can be read but a block is only ever built by hashing, so whoever
/// holds one need not hash it again.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Block {
    pub cid: Cid,
    pub bytes: Vec<u8>,
}

impl Block {
    /// Checks received `bytes` against the `cid` they were asked for by.
    ///
    /// # Errors
    /// [`Error::UnsupportedCid`], [`Error::TooLarge`], [`Error::Mismatch`].
    pub fn verify(cid: Cid, bytes: Vec<u8>) -> Result<Self, Error> {
        let expected = digest(&cid)?;
        if bytes.len() > BLOCK_BYTES_MAX {
            return Err(Error::TooLarge {
                bytes: bytes.len(),
                bytes_max: BLOCK_BYTES_MAX,
            });
        }
        if sha2_256(&bytes) != expected {
            return Err(Error::Mismatch {
                cid,
                bytes: bytes.len(),
            });
        }
        Ok(Self { cid, bytes })
    }

    fn hashed(codec: u64, bytes: Vec<u8>) -> Self {
        Self {
            cid: cid_from_digest(codec, sha2_256(&bytes)),
            bytes,
        }
    }
}

/// Names dag-cbor `bytes`. That they are well-formed dag-cbor is up to the caller.
#[must_use]
pub fn dag_cbor_block(bytes: Vec<u8>) -> Block {
    Block::hashed(DAG_CBOR, bytes)
}

/// Names `bytes` as a raw block, the form of a UnixFS leaf.
#[must_use]
pub fn raw_block(bytes: Vec<u8>) -> Block {
    Block::hashed(RAW, bytes)
}

/// The CID of the dag-cbor block that an on-chain pointer (its sha2-256 digest) stands for.
#[must_use]
pub fn dag_cbor_cid(digest: [u8; 32]) -> Cid {
    cid_from_digest(DAG_CBOR, digest)
}

/// The CID of the same bytes as a raw block: one name for all codecs of one digest.
#[must_use]
pub fn raw_cid(digest: [u8; 32]) -> Cid {
    cid_from_digest(RAW, digest)
}

/// The sha2-256 digest inside `cid`: what goes on chain as a pointer.
///
/// # Errors
/// [`Error::UnsupportedCid`] for CIDv0, other hashes, digests that are not 32
/// bytes long, and codecs other than raw, dag-pb and dag-cbor.
pub fn digest(cid: &Cid) -> Result<[u8; 32], Error> {
    let unsupported = |reason| Error::UnsupportedCid { cid: *cid, reason };
    if cid.version() != cid::Version::V1 {
        return Err(unsupported("version 0"));
    }
    if !matches!(cid.codec(), RAW | DAG_PB | DAG_CBOR) {
        return Err(unsupported("another codec"));
    }
    if cid.hash().code() != SHA2_256 {
        return Err(unsupported("another hash"));
    }
    cid.hash()
        .digest()
        .try_into()
        .map_err(|_| unsupported("a digest that is not 32 bytes long"))
}

/// The CID of `codec` for a sha2-256 digest.
pub(crate) fn cid_from_digest(codec: u64, digest: [u8; 32]) -> Cid {
    let hash = Multihash::wrap(SHA2_256, &digest).expect("32 bytes fit a 64-byte multihash");
    Cid::new_v1(codec, hash)
}

/// SHA-256 (FIPS 180-4).
pub(crate) fn sha2_256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointer_and_cid_are_two_forms_of_one_digest() {
        let block = dag_cbor_block(b"\xa0".to_vec());
        // `echo -n a0 | xxd -r -p | sha256sum`, and the CID that every IPLD library gives for {}.
        assert_eq!(
            block.cid.to_string(),
            "bafyreigbtj4x7ip5legnfznufuopl4sg4knzc2cof6duas4b3q2fy6swua"
        );
        let pointer = digest(&block.cid).unwrap();
        assert_eq!(dag_cbor_cid(pointer), block.cid);
    }

    #[test]
    fn accepts_the_bytes_that_a_cid_names_and_no_others() {
        let block = raw_block(b"allergies".to_vec());
        assert_eq!(Block::verify(block.cid, block.bytes.clone()), Ok(block.clone()));
        for bad in [&b"allergieS"[..], b"allergie", b"allergies\0", b""] {
            assert_eq!(
                Block::verify(block.cid, bad.to_vec()),
                Err(Error::Mismatch {
                    cid: block.cid,
                    bytes: bad.len()
                })
            );
        }
    }

    #[test]
    fn refuses_cids_of_other_kinds() {
        let bytes = b"abc".to_vec();
        let hash = |code, digest: &[u8]| Multihash::<64>::wrap(code, digest).unwrap();
        let digest = sha2_256(&bytes);
        let kinds = [
            Cid::new_v0(hash(SHA2_256, &digest)).unwrap(),
            Cid::new_v1(RAW, hash(0x00, &bytes)), // identity: the "digest" is the content itself
            Cid::new_v1(RAW, hash(0x1b, &digest)), // keccak-256
            Cid::new_v1(RAW, hash(SHA2_256, &digest[..20])), // truncated, cheap to collide with
            Cid::new_v1(0x0129, hash(SHA2_256, &digest)), // dag-json
        ];
        for cid in kinds {
            assert!(matches!(
                Block::verify(cid, bytes.clone()),
                Err(Error::UnsupportedCid { .. })
            ));
        }
    }

    #[test]
    fn refuses_a_block_over_the_limit() {
        let block = raw_block(vec![0; BLOCK_BYTES_MAX + 1]);
        assert_eq!(
            Block::verify(block.cid, block.bytes),
            Err(Error::TooLarge {
                bytes: BLOCK_BYTES_MAX + 1,
                bytes_max: BLOCK_BYTES_MAX
            })
        );
    }
}
