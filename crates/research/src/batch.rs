//! A batch of a site's data, as the file that is kept and published: a line of JSON about the batch, then one for each row.
//!
//! The batch's root on chain stands over the rows (RFC 9162 with keccak256). A leaf is a salted digest, so that a proof of one row, which
//! shows leaves of others, lets nobody guess what those say. Each row's leaf stands beside it: where the leaves still lead to the root,
//! they tell which row was changed.

use std::collections::BTreeMap;
use std::fmt;

use alloy_primitives::{Address, B256, U256, keccak256};
use medlock_merkle::Tree;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::json::{self, Unreadable};
use crate::participants::{self, ParticipantsError};

/// The largest file: it is held in memory, in a browser too. A site with more data anchors more often.
pub const FILE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The largest payload of one row. Images and genomes are records of their own; a row names them by digest.
pub const PAYLOAD_BYTES_MAX: usize = 1024 * 1024;

const FORMAT: &str = "medlock/v1/trial/batch";
const LEAF_LABEL: &str = "medlock/v1/trial/row";
/// The longest line: a payload in hex, and the rest under 1,000 bytes.
const LINE_BYTES_MAX: usize = 2 * PAYLOAD_BYTES_MAX + 1000;

/// One measurement, visit or form of one participant. `Debug` leaves salt and payload out.
#[derive(Clone, PartialEq, Eq)]
pub struct Row {
    /// The participant's at the site, from 1.
    pub participant: u32,
    /// Random, for this row alone.
    pub salt: B256,
    pub payload: Vec<u8>,
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row")
            .field("participant", &self.participant)
            .field("payload_bytes", &self.payload.len())
            .finish()
    }
}

impl Row {
    /// The leaf's data, as `verifyBatch` takes it: SHA-256 of label, salt, number and payload, all but the last of fixed length.
    #[must_use]
    pub fn leaf(&self) -> B256 {
        let digest = Sha256::new()
            .chain_update(LEAF_LABEL)
            .chain_update(self.salt)
            .chain_update(self.participant.to_be_bytes())
            .chain_update(&self.payload);
        B256::from(<[u8; 32]>::from(digest.finalize()))
    }
}

/// Which batch it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub trial: B256,
    pub site: Address,
    /// The site's own, from 1.
    pub sequence: u32,
    /// The period: from inclusive, to exclusive; UNIX seconds.
    pub from: u64,
    pub to: u64,
}

/// What stands on chain about a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    pub place: Place,
    /// Rows.
    pub count: u32,
    pub root: B256,
}

/// Why rows make no batch, or a file is none. Repeats nothing of what rows say. Rows count from 0, lines from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    #[error("the file has {bytes} bytes, more than {FILE_BYTES_MAX}; anchor shorter periods")]
    TooLarge { bytes: usize },
    #[error("the file is empty")]
    NoBytes,
    #[error("line {line} cannot be read: {reason}")]
    Line { line: usize, reason: Unreadable },
    #[error("a batch has a sequence number from 1")]
    ZeroSequence,
    #[error("the period must end after it begins")]
    MalformedPeriod,
    #[error("a batch has at least one row: leave out a period without data")]
    NoRows,
    #[error("row {row}: {reason}")]
    Participant { row: u32, reason: ParticipantsError },
    #[error("row {row} has more than {PAYLOAD_BYTES_MAX} bytes; keep it as a record, and its digest here")]
    PayloadTooLarge { row: u32 },
    #[error("the payload of row {row} is not hex")]
    PayloadNotHex { row: u32 },
    #[error("row {row} has no salt, so that its leaf can be guessed: draw 32 random bytes for each row")]
    NoSalt { row: u32 },
    #[error("row {row} has the salt of row {first}: the row is there twice, or salts were not drawn for each")]
    Duplicate { row: u32, first: u32 },
    #[error(
        "the file ends after {rows} whole rows of {count}: it was cut off, or rows were taken out at its end; fetch it again"
    )]
    Truncated { rows: u32, count: u32 },
    #[error("the file has more rows than the {count} that it announces")]
    Surplus { count: u32 },
    #[error("where row {expected} belongs stands row {row}: rows were moved, put in or taken out")]
    Reordered { expected: u32, row: u32 },
    #[error("{}", changed(.rows))]
    RowsChanged { rows: Vec<u32> },
    #[error("the rows have another root: rows and their leaves were changed together, or it is another batch's root")]
    OtherRoot,
}

/// The numbers of rows, the first of them by name.
fn changed(rows: &[u32]) -> String {
    format!(
        "rows are not what their leaves were made of: {}",
        crate::finding::listed(rows)
    )
}

/// Rows that lead to the root which their header names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    header: Header,
    rows: Vec<Row>,
}

impl Batch {
    /// A batch to be anchored.
    ///
    /// # Errors
    /// [`BatchError`], of rows that make none.
    pub fn new(place: Place, rows: Vec<Row>) -> Result<Self, BatchError> {
        require_place(&place)?;
        require_rows(&rows)?;
        // Each row has a salt of its own in memory: there are fewer than 2^32.
        let count = rows.len() as u32;
        let root = tree(rows.iter().map(Row::leaf)).root().ok_or(BatchError::NoRows)?;
        let batch = Self {
            header: Header { place, count, root },
            rows,
        };
        let bytes = batch.to_lines().len();
        if bytes > FILE_BYTES_MAX {
            return Err(BatchError::TooLarge { bytes });
        }
        Ok(batch)
    }

    /// Reads what [`Self::to_lines`] writes; the rows lead to the root in the file.
    ///
    /// # Errors
    /// [`BatchError`].
    pub fn read(bytes: &[u8]) -> Result<Self, BatchError> {
        let file = BatchFile::read(bytes)?;
        let root = file.header.root;
        file.prove(root)
    }

    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// `participants` of `anchorBatch`.
    #[must_use]
    pub fn participants(&self) -> Vec<U256> {
        participants::words(self.rows.iter().map(|row| row.participant))
            .expect("rows with such numbers alone are taken")
    }

    /// The proof of row `index` (from 0). `None`: there is no such row.
    #[must_use]
    pub fn proof(&self, index: u32) -> Option<RowProof> {
        let path = tree(self.rows.iter().map(Row::leaf)).proof(index as usize)?;
        Some(RowProof {
            index,
            count: self.header.count,
            path,
        })
    }

    /// The file: JSON lines, each ended by a line feed.
    #[must_use]
    pub fn to_lines(&self) -> String {
        let mut lines = line(&WireHeader::of(&self.header));
        for (index, row) in (0..).zip(&self.rows) {
            lines.push_str(&line(&WireRow::of(index, row)));
        }
        lines
    }
}

/// A file of the right form, whose rows need not be those that were anchored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchFile {
    header: Header,
    rows: Vec<Row>,
    /// As they stand in the file.
    leaves: Vec<B256>,
}

impl BatchFile {
    /// # Errors
    /// [`BatchError`], but for `RowsChanged` and `OtherRoot`.
    pub fn read(bytes: &[u8]) -> Result<Self, BatchError> {
        if bytes.len() > FILE_BYTES_MAX {
            return Err(BatchError::TooLarge { bytes: bytes.len() });
        }
        let (whole, rest) = match bytes.iter().rposition(|byte| *byte == b'\n') {
            Some(end) => bytes.split_at(end + 1),
            None => (&[][..], bytes),
        };
        let mut lines = whole.split_inclusive(|byte| *byte == b'\n').zip(1..);
        let Some((first, number)) = lines.next() else {
            return Err(match rest.is_empty() {
                true => BatchError::NoBytes,
                false => BatchError::Truncated { rows: 0, count: 0 },
            });
        };
        let header = read_line::<WireHeader>(first, number)?.header(number)?;
        require_place(&header.place)?;
        let (mut rows, mut leaves) = (Vec::new(), Vec::new());
        for ((bytes, number), expected) in lines.zip(0..) {
            if expected == header.count {
                return Err(BatchError::Surplus { count: header.count });
            }
            let wire: WireRow = read_line(bytes, number)?;
            if wire.row != expected {
                return Err(BatchError::Reordered {
                    expected,
                    row: wire.row,
                });
            }
            leaves.push(wire.leaf);
            rows.push(wire.row()?);
        }
        // At most `count`, which is a u32.
        let given = rows.len() as u32;
        if given < header.count || !rest.is_empty() {
            return Err(BatchError::Truncated {
                rows: given,
                count: header.count,
            });
        }
        require_rows(&rows)?;
        Ok(Self { header, rows, leaves })
    }

    /// As the file has it; not checked against the rows.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The batch, if its rows lead to this root.
    ///
    /// # Errors
    /// `RowsChanged`, which names the rows that are not those of the root; `OtherRoot` where that cannot be told.
    pub fn prove(self, root: B256) -> Result<Batch, BatchError> {
        let made: Vec<B256> = self.rows.iter().map(Row::leaf).collect();
        if tree(made.iter().copied()).root() == Some(root) {
            return Ok(Batch {
                header: Header { root, ..self.header },
                rows: self.rows,
            });
        }
        if tree(self.leaves.iter().copied()).root() != Some(root) {
            return Err(BatchError::OtherRoot);
        }
        let pairs = (0..).zip(made.iter().zip(&self.leaves));
        let rows = pairs.filter(|(_, (made, kept))| made != kept).map(|(row, _)| row);
        Err(BatchError::RowsChanged { rows: rows.collect() })
    }
}

/// That one row is in a batch: the last arguments of `verifyBatch`, beside the row's leaf.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowProof {
    pub index: u32,
    pub count: u32,
    pub path: Vec<B256>,
}

impl RowProof {
    /// Whether `row` is that row of the batch with this root.
    #[must_use]
    pub fn holds(&self, root: B256, row: &Row) -> bool {
        let leaf = medlock_merkle::leaf(keccak, row.leaf());
        medlock_merkle::verify(keccak, root, self.count, self.index, leaf, &self.path)
    }
}

fn tree(leaves: impl Iterator<Item = B256>) -> Tree {
    let hashes: Vec<B256> = leaves.map(|leaf| medlock_merkle::leaf(keccak, leaf)).collect();
    Tree::new(keccak, &hashes)
}

fn keccak(bytes: &[u8]) -> B256 {
    keccak256(bytes)
}

fn require_place(place: &Place) -> Result<(), BatchError> {
    if place.sequence == 0 {
        return Err(BatchError::ZeroSequence);
    }
    if place.from >= place.to {
        return Err(BatchError::MalformedPeriod);
    }
    Ok(())
}

fn require_rows(rows: &[Row]) -> Result<(), BatchError> {
    if rows.is_empty() {
        return Err(BatchError::NoRows);
    }
    let mut salts = BTreeMap::new();
    for (index, row) in (0..).zip(rows) {
        participants::require_number(row.participant)
            .map_err(|reason| BatchError::Participant { row: index, reason })?;
        if row.payload.len() > PAYLOAD_BYTES_MAX {
            return Err(BatchError::PayloadTooLarge { row: index });
        }
        if row.salt.is_zero() {
            return Err(BatchError::NoSalt { row: index });
        }
        if let Some(first) = salts.insert(row.salt, index) {
            return Err(BatchError::Duplicate { row: index, first });
        }
    }
    Ok(())
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireHeader {
    format: String,
    trial: B256,
    site: Address,
    sequence: u32,
    from: u64,
    to: u64,
    count: u32,
    root: B256,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireRow {
    row: u32,
    participant: u32,
    salt: B256,
    payload: String,
    leaf: B256,
}

impl WireHeader {
    fn of(header: &Header) -> Self {
        Self {
            format: FORMAT.to_owned(),
            trial: header.place.trial,
            site: header.place.site,
            sequence: header.place.sequence,
            from: header.place.from,
            to: header.place.to,
            count: header.count,
            root: header.root,
        }
    }

    fn header(self, line: usize) -> Result<Header, BatchError> {
        json::require_format(&self.format, FORMAT).map_err(|reason| BatchError::Line { line, reason })?;
        let place = Place {
            trial: self.trial,
            site: self.site,
            sequence: self.sequence,
            from: self.from,
            to: self.to,
        };
        Ok(Header {
            place,
            count: self.count,
            root: self.root,
        })
    }
}

impl WireRow {
    fn of(index: u32, row: &Row) -> Self {
        Self {
            row: index,
            participant: row.participant,
            salt: row.salt,
            payload: hex::encode(&row.payload),
            leaf: row.leaf(),
        }
    }

    fn row(self) -> Result<Row, BatchError> {
        let payload = hex::decode(&self.payload).map_err(|_| BatchError::PayloadNotHex { row: self.row })?;
        Ok(Row {
            participant: self.participant,
            salt: self.salt,
            payload,
        })
    }
}

fn line(value: &impl Serialize) -> String {
    let mut line = json::canonical(value);
    line.push('\n');
    line
}

fn read_line<T: serde::de::DeserializeOwned>(bytes: &[u8], line: usize) -> Result<T, BatchError> {
    json::read(bytes, LINE_BYTES_MAX).map_err(|reason| BatchError::Line { line, reason })
}
