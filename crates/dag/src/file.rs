//! UnixFS files: bytes to blocks and back.
//!
//! The layout is Kubo's balanced one with raw leaves: chunks of 256 KiB, nodes of
//! up to 174 links, every leaf at the same depth. One chunk or less is a single
//! raw block; no bytes at all are the empty raw block.
//! <https://github.com/ipfs/specs/blob/main/UNIXFS.md#layout>

use std::mem;

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
    OutOfOrder { wanted: Cid, got: Cid },
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
            tree_bytes: links.iter().map(|link| link.tree_bytes).sum::<u64>()
                + block.bytes.len() as u64,
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
}

#[derive(Debug)]
struct Pending {
    cid: Cid,
    depth: usize,
    /// What the parent's link says; the root has none.
    link: Option<Link>,
}

impl FileReader {
    /// A reader of the file `root`, of at most `bytes_max` content bytes.
    ///
    /// # Errors
    /// [`FileError::Block`] for a CID of another kind, [`FileError::Malformed`]
    /// for one that is not of a file (dag-cbor).
    pub fn new(root: Cid, bytes_max: u64) -> Result<Self, FileError> {
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
        }];
        Ok(Self {
            stack,
            bytes_max,
            bytes_done: 0,
        })
    }

    /// The block to fetch next; none once the file is complete.
    #[must_use]
    pub fn wanted(&self) -> Option<Cid> {
        self.stack.last().map(|pending| pending.cid)
    }

    /// Takes the block that was wanted. Gives the content bytes that it holds:
    /// those of a leaf, none for an inner node.
    ///
    /// # Errors
    /// [`FileError::OutOfOrder`], [`FileError::AfterEnd`], [`FileError::Malformed`]
    /// and [`FileError::TooLarge`]; the reader stays as it was.
    pub fn accept(&mut self, block: Block) -> Result<Vec<u8>, FileError> {
        let Some(pending) = self.stack.last() else {
            return Err(FileError::AfterEnd { got: block.cid });
        };
        if block.cid != pending.cid {
            return Err(FileError::OutOfOrder {
                wanted: pending.cid,
                got: block.cid,
            });
        }
        if block.cid.codec() == RAW {
            self.accept_leaf(block)
        } else {
            self.accept_node(&block)?;
            Ok(Vec::new())
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

    fn accept_leaf(&mut self, block: Block) -> Result<Vec<u8>, FileError> {
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
        Ok(block.bytes)
    }

    fn accept_node(&mut self, block: &Block) -> Result<(), FileError> {
        let malformed = |reason| FileError::Malformed {
            cid: block.cid,
            reason,
        };
        let links = pb::decode(&block.bytes, LINKS_MAX).map_err(malformed)?;
        let (depth, link) = self
            .stack
            .last()
            .map_or((0, None), |top| (top.depth, top.link));
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
            .try_fold(block.bytes.len() as u64, |sum, link| {
                sum.checked_add(link.tree_bytes)
            })
            .ok_or_else(|| malformed("sizes that overflow"))?;
        if link.is_some_and(|link| {
            (link.content_bytes, link.tree_bytes) != (content_bytes, tree_bytes)
        }) {
            return Err(malformed("its sizes are not what the parent states"));
        }
        self.stack.pop();
        let children = links.iter().rev();
        self.stack.extend(children.map(|link| Pending {
            cid: link.cid,
            depth: depth + 1,
            link: Some(*link),
        }));
        Ok(())
    }
}
