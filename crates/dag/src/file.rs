//! UnixFS files: bytes to blocks and back.
//!
//! The layout is Kubo's balanced one with raw leaves: chunks of 256 KiB, nodes of
//! up to 174 links, every leaf at the same depth. One chunk or less is a single
//! raw block; no bytes at all are the empty raw block.
//! <https://github.com/ipfs/specs/blob/main/UNIXFS.md#layout>

use std::{mem, ops::Range};

use cid::Cid;

use crate::pb::{self, Link};
use crate::{Block, DAG_PB, RAW, digest, raw_block};

/// Bytes in every chunk but the last (`size-262144`).
pub const CHUNK_BYTES: usize = 256 * 1024;
/// Children of a node: Kubo's default for balanced layouts of raw leaves.
pub const LINKS_MAX: usize = 174;
/// Levels of nodes above a leaf. Four hold 174⁴ chunks, 240 TB.
pub const DEPTH_MAX: usize = 4;

/// Why blocks do not make up the file that was asked for.
///
/// An error leaves the reader where it was: the same block can be offered again
/// from another source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    #[error(transparent)]
    Block(#[from] crate::Error),
    #[error("block {got} came where {wanted} was expected; blocks of a file come depth first")]
    OutOfOrder { wanted: Box<Cid>, got: Box<Cid> },
    #[error("block {got} came after the end of the file")]
    AfterEnd { got: Cid },
    #[error("{cid} is not part of a payload: {reason}")]
    Malformed { cid: Cid, reason: &'static str },
    #[error("the file states {bytes} bytes, over the limit of {bytes_max}")]
    TooLarge { bytes: u64, bytes_max: u64 },
    #[error("the file is cut short: block {missing} and what follows it are missing")]
    Truncated { missing: Cid },
}

/// Cuts all of `bytes` at once: the root and the blocks, children before parents.
#[must_use]
pub fn file(bytes: &[u8]) -> (Cid, Vec<Block>) {
    let mut builder = FileBuilder::new();
    let mut blocks = builder.push(bytes);
    let (last, root) = builder.finish();
    blocks.extend(last);
    (root, blocks)
}

/// Cuts a stream of bytes into blocks.
///
/// Holds one chunk and at most 174 links a level, whatever the length. The blocks
/// do not depend on how the bytes are sliced over the calls of [`push`](Self::push).
#[derive(Default)]
pub struct FileBuilder {
    chunk: Vec<u8>,
    /// `levels[0]` are leaves that have no parent yet, `levels[1]` nodes over leaves, and so on.
    levels: Vec<Vec<Link>>,
}

impl FileBuilder {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes and gives the blocks that they complete, children before parents.
    #[must_use = "the blocks are given once"]
    pub fn push(&mut self, mut bytes: &[u8]) -> Vec<Block> {
        let mut blocks = Vec::new();
        while !bytes.is_empty() {
            let (head, tail) = bytes.split_at(bytes.len().min(CHUNK_BYTES - self.chunk.len()));
            self.chunk.extend_from_slice(head);
            bytes = tail;
            if self.chunk.len() == CHUNK_BYTES {
                self.add_leaf(&mut blocks);
            }
        }
        blocks
    }

    /// Ends the file: the blocks not given yet (none for exactly one chunk), and the root.
    #[must_use = "the blocks are given once"]
    pub fn finish(mut self) -> (Vec<Block>, Cid) {
        let mut blocks = Vec::new();
        if !self.chunk.is_empty() || self.levels.is_empty() {
            self.add_leaf(&mut blocks);
        }
        let mut level = 0;
        loop {
            if let ([link], true) = (&self.levels[level][..], level + 1 == self.levels.len()) {
                return (blocks, link.cid);
            }
            self.add_node(level, &mut blocks);
            level += 1;
        }
    }

    fn add_leaf(&mut self, blocks: &mut Vec<Block>) {
        let block = raw_block(mem::take(&mut self.chunk));
        let bytes = block.bytes.len() as u64;
        self.add_link(
            0,
            Link {
                cid: block.cid,
                content_bytes: bytes,
                tree_bytes: bytes,
            },
            blocks,
        );
        // The leaf goes before the nodes that `add_link` closed: order among blocks
        // carries no meaning here, only that a parent never precedes its children.
        blocks.push(block);
    }

    /// Adds `link` to `level`, after closing the level's node if that is full.
    ///
    /// A node is closed when the next child comes, not when it fills up, so that
    /// exactly 174 children do not get a second root above them.
    fn add_link(&mut self, level: usize, link: Link, blocks: &mut Vec<Block>) {
        if self.levels.len() == level {
            self.levels.push(Vec::with_capacity(LINKS_MAX));
        }
        if self.levels[level].len() == LINKS_MAX {
            self.add_node(level, blocks);
        }
        self.levels[level].push(link);
    }

    /// Closes the node over the links of `level` and links it one level up.
    fn add_node(&mut self, level: usize, blocks: &mut Vec<Block>) {
        let links = mem::take(&mut self.levels[level]);
        let block = Block::hashed(DAG_PB, pb::encode(&links));
        let link = Link {
            cid: block.cid,
            content_bytes: links.iter().map(|link| link.content_bytes).sum(),
            tree_bytes: links.iter().map(|link| link.tree_bytes).sum::<u64>() + block.bytes.len() as u64,
        };
        blocks.push(block);
        self.add_link(level + 1, link, blocks);
    }
}

/// Puts a file together again from its blocks, depth first, checking each of them.
///
/// Ask [`wanted`](Self::wanted) which block comes next, fetch it,
/// [`accept`](Self::accept) it, and write out the bytes that come back, until
/// nothing is wanted. Holds at most 174 links a level; no content.
#[derive(Debug)]
pub struct FileReader {
    /// What is still to come; the next block is on top.
    stack: Vec<Pending>,
    bytes_max: u64,
    bytes_done: u64,
    /// Of the content; what lies outside is passed over.
    range: Range<u64>,
}

#[derive(Debug)]
struct Pending {
    cid: Cid,
    depth: usize,
    /// What the parent's link says; the root has none.
    link: Option<Link>,
    /// Where its content begins in the file.
    start: u64,
}

impl FileReader {
    /// A reader of the file `root`, of at most `bytes_max` content bytes.
    ///
    /// # Errors
    /// [`FileError::Block`] for a CID of another kind, [`FileError::Malformed`]
    /// for one that is not of a file (dag-cbor).
    pub fn new(root: Cid, bytes_max: u64) -> Result<Self, FileError> {
        Self::of_range(root, bytes_max, 0..u64::MAX)
    }

    /// [`FileReader::new`] of the blocks that hold a byte of `range`, and of those above them: as few as prove where in the file
    /// these stand. The root is always among them.
    ///
    /// # Errors
    /// As there.
    pub fn of_range(root: Cid, bytes_max: u64, range: Range<u64>) -> Result<Self, FileError> {
        digest(&root)?;
        if !matches!(root.codec(), RAW | DAG_PB) {
            return Err(FileError::Malformed {
                cid: root,
                reason: "it is not a UnixFS file",
            });
        }
        let stack = vec![Pending {
            cid: root,
            depth: 0,
            link: None,
            start: 0,
        }];
        Ok(Self {
            stack,
            bytes_max,
            bytes_done: 0,
            range,
        })
    }

    /// The block to fetch next; none once the file is complete.
    #[must_use]
    pub fn wanted(&self) -> Option<Cid> {
        self.stack.last().map(|pending| pending.cid)
    }

    /// Where the content of the block that is wanted begins in the file.
    #[must_use]
    pub fn position(&self) -> Option<u64> {
        self.stack.last().map(|pending| pending.start)
    }

    /// Takes the block that was wanted. Gives the content bytes that it holds:
    /// those of a leaf, none for an inner node.
    ///
    /// # Errors
    /// [`FileError::OutOfOrder`], [`FileError::AfterEnd`], [`FileError::Malformed`]
    /// and [`FileError::TooLarge`]; the reader stays as it was.
    pub fn accept(&mut self, block: Block) -> Result<Vec<u8>, FileError> {
        self.check(&block)?;
        Ok(if block.cid.codec() == RAW {
            block.bytes
        } else {
            Vec::new()
        })
    }

    /// [`accept`](Self::accept), for who keeps the block.
    ///
    /// # Errors
    /// As there.
    pub fn check(&mut self, block: &Block) -> Result<(), FileError> {
        let Some(pending) = self.stack.last() else {
            return Err(FileError::AfterEnd { got: block.cid });
        };
        if block.cid != pending.cid {
            return Err(FileError::OutOfOrder {
                wanted: pending.cid.into(),
                got: block.cid.into(),
            });
        }
        if block.cid.codec() == RAW {
            self.check_leaf(block)
        } else {
            self.check_node(block)
        }
    }

    /// Ends the reading: how many content bytes there were.
    ///
    /// # Errors
    /// [`FileError::Truncated`] while a block is still wanted.
    pub fn finish(self) -> Result<u64, FileError> {
        match self.wanted() {
            Some(missing) => Err(FileError::Truncated { missing }),
            None => Ok(self.bytes_done),
        }
    }

    fn check_leaf(&mut self, block: &Block) -> Result<(), FileError> {
        let bytes = block.bytes.len() as u64;
        match self.stack.last().and_then(|pending| pending.link) {
            None if bytes > self.bytes_max => {
                return Err(FileError::TooLarge {
                    bytes,
                    bytes_max: self.bytes_max,
                });
            }
            Some(link) if (bytes, bytes) != (link.content_bytes, link.tree_bytes) => {
                return Err(FileError::Malformed {
                    cid: block.cid,
                    reason: "its length is not what the parent states",
                });
            }
            _ => {}
        }
        self.stack.pop();
        self.bytes_done += bytes;
        Ok(())
    }

    fn check_node(&mut self, block: &Block) -> Result<(), FileError> {
        let malformed = |reason| FileError::Malformed { cid: block.cid, reason };
        let links = pb::decode(&block.bytes, LINKS_MAX).map_err(malformed)?;
        let (depth, link, start) = (self.stack.last()).map_or((0, None, 0), |top| (top.depth, top.link, top.start));
        if depth == DEPTH_MAX {
            return Err(malformed("nodes nested too deeply"));
        }
        // An empty subtree would let a small file have any number of blocks.
        if links.is_empty() || links.iter().any(|link| link.content_bytes == 0) {
            return Err(malformed("a part without content"));
        }
        // `decode` has checked that the sizes add up without overflow.
        let content_bytes = links.iter().map(|link| link.content_bytes).sum::<u64>();
        if content_bytes > self.bytes_max {
            return Err(FileError::TooLarge {
                bytes: content_bytes,
                bytes_max: self.bytes_max,
            });
        }
        let tree_bytes = links
            .iter()
            .try_fold(block.bytes.len() as u64, |sum, link| sum.checked_add(link.tree_bytes))
            .ok_or_else(|| malformed("sizes that overflow"))?;
        if link.is_some_and(|link| (link.content_bytes, link.tree_bytes) != (content_bytes, tree_bytes)) {
            return Err(malformed("its sizes are not what the parent states"));
        }
        self.stack.pop();
        let mut end = start;
        let children = links.iter().map(|link| {
            let start = end;
            end += link.content_bytes;
            Pending {
                cid: link.cid,
                depth: depth + 1,
                link: Some(*link),
                start,
            }
        });
        let range = &self.range;
        let is_wanted = |child: &Pending| {
            let bytes = child.link.map_or(0, |link| link.content_bytes);
            child.start < range.end && range.start < child.start + bytes
        };
        let children: Vec<_> = children.filter(is_wanted).collect();
        self.stack.extend(children.into_iter().rev());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::{Error, dag_cbor_block};

    /// The first `len` bytes of the pattern in `vectors/README.md`.
    fn pattern(len: usize) -> Vec<u8> {
        (0..len)
            .map(|i| ((i * 131 + (i >> 8) * 17 + (i >> 16) * 29) % 251) as u8)
            .collect()
    }

    /// Reads `root` out of `blocks` to the end.
    fn read(root: Cid, blocks: &[Block]) -> Result<Vec<u8>, FileError> {
        let blocks: HashMap<_, _> = blocks.iter().map(|block| (block.cid, block)).collect();
        let mut reader = FileReader::new(root, u64::MAX)?;
        let mut content = Vec::new();
        while let Some(block) = reader.wanted().and_then(|cid| blocks.get(&cid)) {
            content.extend(reader.accept((*block).clone())?);
        }
        assert_eq!(reader.finish()?, content.len() as u64);
        Ok(content)
    }

    fn node(links: &[Link]) -> Block {
        Block::hashed(DAG_PB, pb::encode(links))
    }

    fn leaf_link(block: &Block) -> Link {
        let bytes = block.bytes.len() as u64;
        Link {
            cid: block.cid,
            content_bytes: bytes,
            tree_bytes: bytes,
        }
    }

    #[test]
    fn gives_the_same_cids_as_kubo_and_reads_them_back() {
        let vectors: Vec<(usize, Cid)> = include_str!("../vectors/unixfs.txt")
            .lines()
            .map(|line| {
                let (len, cid) = line.split_once(' ').unwrap();
                (len.parse().unwrap(), cid.parse().unwrap())
            })
            .collect();
        assert_eq!(vectors.len(), 9);
        let longest = pattern(vectors.iter().map(|(len, _)| *len).max().unwrap());
        for (len, expected) in vectors {
            let (root, blocks) = file(&longest[..len]);
            assert_eq!(root, expected, "{len} bytes");
            assert!(read(root, &blocks).unwrap() == longest[..len], "{len} bytes");
        }
    }

    #[test]
    fn blocks_do_not_depend_on_how_the_bytes_arrive() {
        let bytes = pattern(3 * CHUNK_BYTES + 7);
        let (root, whole) = file(&bytes);
        for step in [1_000, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1] {
            let mut builder = FileBuilder::new();
            let mut blocks: Vec<_> = bytes.chunks(step).flat_map(|c| builder.push(c)).collect();
            let (last, stepped_root) = builder.finish();
            blocks.extend(last);
            assert_eq!((stepped_root, &blocks), (root, &whole), "in steps of {step}");
        }
    }

    #[test]
    fn parents_never_come_before_their_children() {
        let (root, blocks) = file(&vec![7; CHUNK_BYTES * (LINKS_MAX + 1)]);
        let mut seen = std::collections::HashSet::new();
        for block in &blocks {
            if block.cid.codec() == DAG_PB {
                let links = pb::decode(&block.bytes, LINKS_MAX).unwrap();
                assert!(links.iter().all(|link| seen.contains(&link.cid)));
            }
            seen.insert(block.cid);
        }
        assert_eq!(blocks.last().unwrap().cid, root);
    }

    #[test]
    fn refuses_a_file_that_is_cut_short_reordered_or_too_long() {
        let bytes = pattern(2 * CHUNK_BYTES + 5);
        let (root, blocks) = file(&bytes);
        let [first, second, third, top] = &blocks[..] else {
            panic!("{}", blocks.len())
        };

        let mut reader = FileReader::new(root, bytes.len() as u64).unwrap();
        assert_eq!(
            reader.accept(first.clone()),
            Err(FileError::OutOfOrder {
                wanted: root.into(),
                got: first.cid.into()
            })
        );
        assert_eq!(reader.accept(top.clone()), Ok(vec![]));
        assert_eq!(
            reader.accept(second.clone()),
            Err(FileError::OutOfOrder {
                wanted: first.cid.into(),
                got: second.cid.into()
            })
        );
        // An error changes nothing: the right block is still welcome.
        assert_eq!(reader.accept(first.clone()).unwrap(), first.bytes);
        assert_eq!(reader.accept(second.clone()).unwrap(), second.bytes);
        assert_eq!(reader.wanted(), Some(third.cid));
        assert_eq!(reader.finish(), Err(FileError::Truncated { missing: third.cid }));

        assert_eq!(
            FileReader::new(root, bytes.len() as u64 - 1)
                .unwrap()
                .accept(top.clone()),
            Err(FileError::TooLarge {
                bytes: bytes.len() as u64,
                bytes_max: bytes.len() as u64 - 1
            })
        );
        let small = raw_block(b"ab".to_vec());
        let mut reader = FileReader::new(small.cid, 1).unwrap();
        assert_eq!(
            reader.accept(small.clone()),
            Err(FileError::TooLarge { bytes: 2, bytes_max: 1 })
        );
        let mut reader = FileReader::new(small.cid, 2).unwrap();
        reader.accept(small.clone()).unwrap();
        assert_eq!(
            reader.accept(small.clone()),
            Err(FileError::AfterEnd { got: small.cid })
        );
    }

    #[test]
    fn a_range_takes_the_blocks_that_hold_it_and_those_above_and_no_others() {
        let chunk = CHUNK_BYTES as u64;
        // Two levels of nodes: 174 leaves under the first, 2 under the second.
        let bytes = pattern(CHUNK_BYTES * (LINKS_MAX + 1) + 5);
        let end = bytes.len() as u64;
        let (root, blocks) = file(&bytes);
        let by_cid: HashMap<_, _> = blocks.iter().map(|block| (block.cid, block)).collect();
        let cases = [
            (0..1, 3),
            (chunk - 1..chunk + 1, 4),
            (chunk..2 * chunk, 3),
            (173 * chunk + 9..174 * chunk + 1, 5),
            (end - 1..u64::MAX, 3),
            (0..u64::MAX, blocks.len()),
            // Past the end, or empty: the root alone tells.
            (end..u64::MAX, 1),
            (7..7, 3),
        ];
        for (range, wanted) in cases {
            let mut reader = FileReader::of_range(root, end, range.clone()).unwrap();
            let (mut taken, mut covered) = (0, Vec::new());
            while let (Some(cid), Some(at)) = (reader.wanted(), reader.position()) {
                let content = reader.accept(by_cid[&cid].clone()).unwrap();
                taken += 1;
                if !content.is_empty() {
                    assert!(bytes[at as usize..].starts_with(&content), "{range:?} at {at}");
                    covered.push(at..at + content.len() as u64);
                }
            }
            assert_eq!(taken, wanted, "{range:?}");
            for byte in [range.start, range.end.min(end).saturating_sub(1)] {
                let is_in = range.contains(&byte) && byte < end;
                assert!(
                    !is_in || covered.iter().any(|part| part.contains(&byte)),
                    "{range:?}: {byte}"
                );
            }
            let sum = covered.iter().map(|part| part.end - part.start).sum::<u64>();
            assert_eq!(reader.finish(), Ok(sum));
        }
        let single = raw_block(b"abc".to_vec());
        let mut reader = FileReader::of_range(single.cid, 3, 2..3).unwrap();
        assert_eq!(reader.accept(single).unwrap(), b"abc");
    }

    #[test]
    fn refuses_sizes_that_lie() {
        let leaf = raw_block(vec![1; 10]);
        let honest = leaf_link(&leaf);
        assert_eq!(
            read(node(&[honest]).cid, &[node(&[honest]), leaf.clone()]).unwrap(),
            [1; 10]
        );
        let inner = node(&[honest]);
        let inner_tree = 10 + inner.bytes.len() as u64;
        let lies = [
            Link {
                content_bytes: 9,
                ..honest
            },
            Link {
                tree_bytes: 11,
                ..honest
            },
            Link {
                cid: inner.cid,
                content_bytes: 11,
                tree_bytes: inner_tree,
            },
            Link {
                cid: inner.cid,
                content_bytes: 10,
                tree_bytes: inner_tree + 1,
            },
            Link {
                cid: inner.cid,
                content_bytes: 10,
                tree_bytes: u64::MAX,
            },
        ];
        for lie in lies {
            let top = node(&[honest, lie]);
            let blocks = [top.clone(), inner.clone(), leaf.clone()];
            assert!(
                matches!(read(top.cid, &blocks), Err(FileError::Malformed { .. })),
                "{lie:?}"
            );
        }
    }

    #[test]
    fn refuses_what_would_not_end() {
        let leaf = raw_block(vec![1; 10]);
        // A chain of nodes with one child each.
        let mut chain = vec![leaf.clone()];
        let mut link = leaf_link(&leaf);
        for _ in 0..=DEPTH_MAX {
            let block = node(&[link]);
            link = Link {
                cid: block.cid,
                content_bytes: 10,
                tree_bytes: link.tree_bytes + block.bytes.len() as u64,
            };
            chain.push(block);
        }
        assert!(matches!(read(link.cid, &chain), Err(FileError::Malformed { .. })));
        assert!(read(chain[DEPTH_MAX].cid, &chain).is_ok(), "as deep as allowed");

        let empty = leaf_link(&raw_block(vec![]));
        for links in [
            vec![],
            vec![leaf_link(&leaf), empty],
            vec![leaf_link(&leaf); LINKS_MAX + 1],
        ] {
            let top = node(&links);
            assert!(matches!(read(top.cid, &[top]), Err(FileError::Malformed { .. })));
        }
    }

    #[test]
    fn refuses_what_is_not_a_file() {
        let refused = |bytes: &[u8]| {
            let block = Block::hashed(DAG_PB, bytes.to_vec());
            let mut reader = FileReader::new(block.cid, u64::MAX).unwrap();
            assert!(
                matches!(reader.accept(block), Err(FileError::Malformed { .. })),
                "{bytes:02x?}"
            );
        };
        refused(b"");
        refused(b"\x0a\x02\x08\x01"); // an empty directory
        refused(b"\x0a\x04\x08\x05\x18\x00"); // a HAMT shard
        refused(b"\x0a\x07\x08\x02\x12\x01a\x18\x01"); // a file with its content inline
        refused(b"\x0a\x04\x08\x02\x18\x00"); // no children
        let leaf = raw_block(vec![1; 10]);
        let good = node(&[leaf_link(&leaf)]).bytes;
        for end in 0..good.len() {
            refused(&good[..end]);
        }
        refused(&[&good[..], b"\x00"].concat());
        // A name makes it a directory entry.
        let named = good.clone();
        let at = named.windows(2).position(|w| w == b"\x12\x00").unwrap();
        let mut named = [&named[..at], b"\x12\x01a", &named[at + 2..]].concat();
        named[1] += 1;
        refused(&named);

        let cbor = dag_cbor_block(b"\xa0".to_vec());
        assert!(matches!(
            FileReader::new(cbor.cid, u64::MAX),
            Err(FileError::Malformed { .. })
        ));
        let v0: Cid = "QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH".parse().unwrap();
        assert!(matches!(
            FileReader::new(v0, u64::MAX),
            Err(FileError::Block(Error::UnsupportedCid { .. }))
        ));
    }
}
