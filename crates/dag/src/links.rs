//! Which blocks a block links to: what a walk over stored blocks needs, and no more.

use crate::{Block, Cid, DAG_CBOR, DAG_PB, LINKS_MAX, digest, pb};

/// Nesting of a dag-cbor block that is followed. Envelopes and directories have a handful of levels.
const NESTING_MAX: usize = 64;
/// The CBOR tag of a CID (<https://ipld.io/specs/codecs/dag-cbor/spec/#links>).
const TAG_CID: u64 = 42;

/// The CIDs that `block` links to, those of kinds that are never stored left out. A raw block has none.
///
/// # Errors
/// A sentence fragment that says why it is neither a UnixFS file node nor dag-cbor. Nobody can read such a block.
pub fn links(block: &Block) -> Result<Vec<Cid>, &'static str> {
    match block.cid.codec() {
        DAG_PB => Ok(pb::decode(&block.bytes, LINKS_MAX)?
            .into_iter()
            .map(|link| link.cid)
            .collect()),
        DAG_CBOR => cbor_links(&block.bytes),
        _ => Ok(Vec::new()),
    }
}

/// Walks the items of RFC 8949 in their definite-length forms, which are the only ones in dag-cbor.
fn cbor_links(bytes: &[u8]) -> Result<Vec<Cid>, &'static str> {
    let mut rest = bytes;
    let mut links = Vec::new();
    // For each open array, map or tag: how many items are still to come.
    let mut open = vec![1_u64];
    let mut tagged = false;
    while let Some(left) = open.last_mut() {
        if *left == 0 {
            open.pop();
            continue;
        }
        *left -= 1;
        let (major, value) = head(&mut rest)?;
        let is_cid = std::mem::take(&mut tagged);
        if is_cid && major != 2 {
            return Err("a link that is not a byte string");
        }
        let items = match major {
            2 | 3 => {
                let text = take(&mut rest, value)?;
                if is_cid {
                    let cid = text.strip_prefix(&[0]).and_then(|cid| Cid::try_from(cid).ok());
                    let cid = cid.ok_or("a link that is not a CID")?;
                    links.extend(digest(&cid).is_ok().then_some(cid));
                }
                continue;
            }
            4 => value,
            5 => value.checked_mul(2).ok_or("a map larger than its block")?,
            6 if value == TAG_CID => {
                tagged = true;
                1
            }
            6 => return Err("a tag that dag-cbor does not have"),
            _ => continue,
        };
        if items > rest.len() as u64 {
            return Err("an item larger than its block");
        }
        if open.len() == NESTING_MAX {
            return Err("nested too deeply");
        }
        open.push(items);
    }
    if rest.is_empty() {
        Ok(links)
    } else {
        Err("bytes after the end")
    }
}

/// One item's major type and argument.
fn head(rest: &mut &[u8]) -> Result<(u8, u64), &'static str> {
    let first = take(rest, 1)?[0];
    let value = match first & 31 {
        small @ 0..24 => u64::from(small),
        size @ 24..28 => take(rest, 1 << (size - 24))?
            .iter()
            .fold(0, |value, byte| value << 8 | u64::from(*byte)),
        _ => return Err("an item of indefinite length"),
    };
    Ok((first >> 5, value))
}

fn take<'a>(rest: &mut &'a [u8], bytes: u64) -> Result<&'a [u8], &'static str> {
    let bytes = usize::try_from(bytes).map_err(|_| "cut short")?;
    let (front, back) = rest.split_at_checked(bytes).ok_or("cut short")?;
    *rest = back;
    Ok(front)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{dag_cbor_block, file, raw_block};

    /// `{"a": [link, 1.5, -1], "b": link}` and such.
    fn cbor(parts: &[&[u8]]) -> Block {
        dag_cbor_block(parts.concat())
    }

    fn link(cid: &Cid) -> Vec<u8> {
        let cid = cid.to_bytes();
        [&[0xd8, 42, 0x58, cid.len() as u8 + 1, 0], &cid[..]].concat()
    }

    #[test]
    fn finds_the_links_of_files_and_of_dag_cbor() {
        let (root, blocks) = file(&vec![7; 600_000]);
        let node = blocks.iter().find(|block| block.cid == root).unwrap();
        assert_eq!(links(node).unwrap().len(), 3);
        let leaf = raw_block(b"leaf".to_vec());
        assert_eq!(links(&leaf), Ok(vec![]));
        let (a, b) = (link(&root), link(&leaf.cid));
        let half = [0xfb, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0];
        let block = cbor(&[b"\xa2\x61a\x83", &a, &half, b"\x20\x61b", &b]);
        assert_eq!(links(&block), Ok(vec![root, leaf.cid]));
        // A CIDv0 is never stored.
        let v0: Cid = "QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH".parse().unwrap();
        assert_eq!(links(&cbor(&[&link(&v0)])), Ok(vec![]));
    }

    #[test]
    fn refuses_what_is_no_dag_cbor_without_allocating_for_it() {
        let leaf = link(&raw_block(vec![]).cid);
        for bad in [
            &b""[..],
            b"\x82\x01",
            b"\x01\x01",
            b"\x9f\xff",
            b"\xc1\x01",
            b"\xd8\x2a\x01",
            b"\xd8\x2a\x41\x00",
            b"\xd8\x2a\x42\x01\x02",
            b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff",
            b"\xbb\xff\xff\xff\xff\xff\xff\xff\xff",
            b"\x5b\xff\xff\xff\xff\xff\xff\xff\xff",
            &[0x81; 10_000],
            &leaf[..leaf.len() - 1],
        ] {
            assert!(links(&cbor(&[bad])).is_err(), "{bad:x?}");
        }
    }
}
