//! dag-pb nodes that hold a UnixFS file: the only Protocol Buffers in Medlock.
//!
//! Written in the canonical form of the dag-pb specification (Links before Data,
//! `Hash`, `Name`, `Tsize` in this order, an empty name present), which is what
//! Kubo hashes. Read strictly: this form and no other, so a node has one spelling.
//! <https://ipld.io/specs/codecs/dag-pb/spec/>,
//! <https://github.com/ipfs/specs/blob/main/UNIXFS.md>

use cid::Cid;

use crate::{DAG_PB, RAW, cid_from_digest, digest, varint};

/// UnixFS `DataType.File`.
const TYPE_FILE: u64 = 2;
/// A CID as this crate uses it is 36 bytes: version, codec, hash code, length, digest.
pub(crate) const CID_BYTES: usize = 36;

/// One child of a file node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Link {
    pub cid: Cid,
    /// Content bytes below the link (`blocksizes` in UnixFS).
    pub content_bytes: u64,
    /// Block bytes below the link, all levels, the child itself included (`Tsize`).
    pub tree_bytes: u64,
}

/// The dag-pb bytes of a file node over `links`.
pub(crate) fn encode(links: &[Link]) -> Vec<u8> {
    let mut out = Vec::with_capacity(links.len() * 56 + 16);
    for link in links {
        let mut body = Vec::with_capacity(56);
        bytes_field(&mut body, 1, &link.cid.to_bytes());
        bytes_field(&mut body, 2, b"");
        varint_field(&mut body, 3, link.tree_bytes);
        bytes_field(&mut out, 2, &body);
    }
    let mut data = Vec::with_capacity(links.len() * 6 + 16);
    varint_field(&mut data, 1, TYPE_FILE);
    varint_field(&mut data, 3, links.iter().map(|link| link.content_bytes).sum());
    for link in links {
        varint_field(&mut data, 4, link.content_bytes);
    }
    bytes_field(&mut out, 1, &data);
    out
}

/// Reads a file node back: its links. At most `links_max` of them.
///
/// # Errors
/// A sentence fragment that says what is wrong.
pub(crate) fn decode(bytes: &[u8], links_max: usize) -> Result<Vec<Link>, &'static str> {
    let mut links = Vec::new();
    let mut node = Fields(bytes);
    let data = loop {
        match node.next()? {
            Some((2, Value::Bytes(body))) => {
                if links.len() == links_max {
                    return Err("more links than a file node may have");
                }
                links.push(decode_link(body)?);
            }
            Some((1, Value::Bytes(data))) => break data,
            Some(_) => return Err("a field that dag-pb does not have"),
            None => return Err("no UnixFS data"),
        }
    };
    if !node.0.is_empty() {
        return Err("bytes after the UnixFS data");
    }
    decode_file(data, &mut links)?;
    Ok(links)
}

fn decode_link(body: &[u8]) -> Result<Link, &'static str> {
    let mut fields = Fields(body);
    let Some((1, Value::Bytes(cid))) = fields.next()? else {
        return Err("a link without a CID");
    };
    let cid = decode_cid(cid).ok_or("a link to a CID of another kind")?;
    if !matches!(cid.codec(), RAW | DAG_PB) {
        return Err("a link to something that is not part of a file");
    }
    let Some((2, Value::Bytes(b""))) = fields.next()? else {
        return Err("a link with a name: a directory is not a payload");
    };
    let Some((3, Value::Varint(tree_bytes))) = fields.next()? else {
        return Err("a link without a size");
    };
    if !fields.0.is_empty() {
        return Err("a link with a field that dag-pb does not have");
    }
    Ok(Link {
        cid,
        content_bytes: 0,
        tree_bytes,
    })
}

/// Reads the UnixFS message and spreads its `blocksizes` over `links`.
fn decode_file(data: &[u8], links: &mut [Link]) -> Result<(), &'static str> {
    let mut fields = Fields(data);
    match fields.next()? {
        Some((1, Value::Varint(TYPE_FILE))) => {}
        Some((1, Value::Varint(_))) => {
            return Err("not a file: directories, symlinks and shards are no payloads");
        }
        _ => return Err("no UnixFS type"),
    }
    let file_bytes = match fields.next()? {
        Some((3, Value::Varint(bytes))) => bytes,
        Some((2, _)) => return Err("content inside an inner node"),
        _ => return Err("no file size"),
    };
    let mut sum = 0_u64;
    for link in links.iter_mut() {
        let Some((4, Value::Varint(bytes))) = fields.next()? else {
            return Err("fewer block sizes than links");
        };
        link.content_bytes = bytes;
        sum = sum.checked_add(bytes).ok_or("block sizes that overflow")?;
    }
    if !fields.0.is_empty() {
        return Err("more fields than a file has");
    }
    if sum != file_bytes {
        return Err("block sizes that do not add up to the file size");
    }
    Ok(())
}

/// Reads exactly one CID of the kind in use (CIDv1, sha2-256, known codec).
pub(crate) fn decode_cid(bytes: &[u8]) -> Option<Cid> {
    let [1, codec, 0x12, 0x20, rest @ ..] = bytes else {
        return None;
    };
    let cid = cid_from_digest(u64::from(*codec), rest.try_into().ok()?);
    digest(&cid).is_ok().then_some(cid)
}

fn varint_field(out: &mut Vec<u8>, number: u64, value: u64) {
    varint::write(out, number << 3);
    varint::write(out, value);
}

fn bytes_field(out: &mut Vec<u8>, number: u64, value: &[u8]) {
    varint::write(out, number << 3 | 2);
    varint::write(out, value.len() as u64);
    out.extend_from_slice(value);
}

enum Value<'a> {
    Varint(u64),
    Bytes(&'a [u8]),
}

/// The fields of one Protocol Buffers message, front to back.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn next(&mut self) -> Result<Option<(u64, Value<'a>)>, &'static str> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let key = self.varint()?;
        let value = match key & 7 {
            0 => Value::Varint(self.varint()?),
            2 => {
                let len = usize::try_from(self.varint()?).map_err(|_| "a field cut short")?;
                let (head, tail) = self.0.split_at_checked(len).ok_or("a field cut short")?;
                self.0 = tail;
                Value::Bytes(head)
            }
            _ => return Err("a field type that dag-pb does not use"),
        };
        Ok(Some((key >> 3, value)))
    }

    fn varint(&mut self) -> Result<u64, &'static str> {
        let (value, len) = varint::read(self.0).map_err(|_| "a malformed varint")?;
        self.0 = &self.0[len..];
        Ok(value)
    }
}
