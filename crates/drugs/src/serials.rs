//! A maker's list of serials, numbered from 0 in the order of packing, and the tree over them whose root is registered.
//!
//! ```text
//! opening = keccak256("medlock/v1/serial/opening" ‖ salt ‖ u64(GTIN) ‖ serial)
//! leaf    = keccak256("medlock/v1/serial/leaf" ‖ opening ‖ u64(GTIN) ‖ serial)
//! batch   = keccak256(word(maker) ‖ word(GTIN) ‖ keccak256(lot))
//! ```
//!
//! The leaf is what the contract calls a serial. The salt is the maker's secret, one for a GTIN: a serial that was printed in two lots then
//! has one leaf, and is found. Whoever guesses serials cannot look them up. The opening is a secret of one package: with it, whoever has the
//! package sees that the leaf is of the serial printed there, and learns nothing about any other. All parts but the last have a fixed length,
//! and keccak256 is a sponge, so keying by prefix is sound. `u64` is big-endian. `vectors/` holds examples.
use alloy_primitives::{Address, B256, U256, keccak256};
use medlock_merkle::Tree;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::{
    day::Day,
    gtin::Gtin,
    keccak,
    label::{LabelError, Lot, Serial},
    ticket::Ticket,
};

/// Some 400 MB of tree; lots of medicines are far smaller. A larger one is registered as two.
pub const SERIALS_MOST: usize = 4_000_000;

const OPENING_TAG: &[u8] = b"medlock/v1/serial/opening";
const LEAF_TAG: &[u8] = b"medlock/v1/serial/leaf";

/// The maker's secret for all serials of one GTIN: 32 random bytes, kept as long as any package is about. On the heap, so that moving it
/// leaves no copy behind; wiped on drop.
pub struct GtinSalt(Box<[u8; 32]>);

/// A salt has 32 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a salt has 32 bytes, this has {bytes}; draw it from a secure random source and keep it")]
pub struct SaltLength {
    pub bytes: usize,
}

impl GtinSalt {
    /// Random bytes from the caller, who wipes its own copy.
    ///
    /// # Errors
    /// [`SaltLength`].
    pub fn from_slice(bytes: &[u8]) -> Result<Self, SaltLength> {
        if bytes.len() != 32 {
            return Err(SaltLength { bytes: bytes.len() });
        }
        let mut salt = Box::new([0; 32]);
        salt.copy_from_slice(bytes);
        Ok(Self(salt))
    }

    /// The salt itself. Never log it, never keep a copy.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// The secret of one package.
    pub fn opening(&self, gtin: Gtin, serial: &Serial) -> B256 {
        tagged(OPENING_TAG, &self.0, gtin, serial)
    }

    /// What stands for the serial on chain.
    pub fn leaf(&self, gtin: Gtin, serial: &Serial) -> B256 {
        leaf(gtin, serial, self.opening(gtin, serial))
    }
}

impl Drop for GtinSalt {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}
impl ZeroizeOnDrop for GtinSalt {}

/// What stands for the serial on chain, by who has its opening and not the salt.
pub fn leaf(gtin: Gtin, serial: &Serial, opening: B256) -> B256 {
    tagged(LEAF_TAG, &opening, gtin, serial)
}

/// What stands for the lot on chain.
pub fn lot_digest(lot: &Lot) -> B256 {
    keccak256(lot.as_bytes())
}

/// The contract's id of a batch: whoever scans a package can compute it.
pub fn batch_id(maker: Address, gtin: Gtin, lot: &Lot) -> B256 {
    let words = [
        maker.into_word(),
        B256::from(U256::from(gtin.number())),
        lot_digest(lot),
    ];
    keccak256(words.each_ref().map(|word| word.as_slice()).concat())
}

fn tagged(tag: &[u8], key: &[u8; 32], gtin: Gtin, serial: &Serial) -> B256 {
    // Room for both tags, so that nothing is left behind by growing.
    let mut input = Zeroizing::new(Vec::with_capacity(96));
    input.extend_from_slice(tag);
    input.extend_from_slice(key);
    input.extend_from_slice(&gtin.number().to_be_bytes());
    input.extend_from_slice(serial.as_bytes());
    keccak256(&*input)
}

/// What a maker registers, but for the serials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batch {
    pub maker: Address,
    pub gtin: Gtin,
    pub lot: Lot,
    /// UNIX seconds: when its packages have expired, which is after the day that is printed on them ([`Day::ends_at`]).
    pub expiry: u64,
}

impl Batch {
    pub fn id(&self) -> B256 {
        batch_id(self.maker, self.gtin, &self.lot)
    }

    /// The last day on which its packages may be used: the one that is printed on them.
    pub fn last_day(&self) -> Day {
        last_day(self.expiry)
    }
}

/// The last day before this time.
pub fn last_day(expiry: u64) -> Day {
    Day::of_time(expiry.saturating_sub(1))
}

/// A batch's serials, with all levels of the tree: a proof costs no hashing.
pub struct Manifest {
    batch: Batch,
    salt: GtinSalt,
    serials: Vec<Serial>,
    /// The serials' numbers, in the order of the serials.
    order: Vec<u32>,
    tree: Tree,
    root: B256,
}

/// Why a list of serials makes no batch. Numbers count from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    #[error("the list of serials is empty; a batch has at least one package")]
    Empty,
    #[error("the list has {given} serials, more than the {most} that one batch may have; register it as several lots")]
    TooMany { given: usize, most: usize },
    #[error("serials number {first} and {second} are the same; give each package its own, or take one of them out")]
    Twice { first: u32, second: u32 },
}

impl Manifest {
    /// `serials`: as they are packed, so that a box, a case and a pallet are each one run of numbers.
    ///
    /// # Errors
    /// See [`ManifestError`].
    pub fn new(batch: Batch, salt: GtinSalt, serials: Vec<Serial>) -> Result<Self, ManifestError> {
        let given = serials.len();
        if given > SERIALS_MOST {
            return Err(ManifestError::TooMany {
                given,
                most: SERIALS_MOST,
            });
        }
        let mut order: Vec<u32> = (0..given as u32).collect();
        order.sort_unstable_by_key(|number| (serials[*number as usize], *number));
        let same = |pair: &&[u32]| serials[pair[0] as usize] == serials[pair[1] as usize];
        if let Some(pair) = order.windows(2).find(same) {
            return Err(ManifestError::Twice {
                first: pair[0],
                second: pair[1],
            });
        }
        let hashes: Vec<B256> = serials
            .iter()
            .map(|serial| medlock_merkle::leaf(keccak, salt.leaf(batch.gtin, serial)))
            .collect();
        let tree = Tree::new(keccak, &hashes);
        let root = tree.root().ok_or(ManifestError::Empty)?;
        Ok(Self {
            batch,
            salt,
            serials,
            order,
            tree,
            root,
        })
    }

    pub fn batch(&self) -> &Batch {
        &self.batch
    }

    pub fn serials(&self) -> &[Serial] {
        &self.serials
    }

    /// As the contract takes it.
    pub fn count(&self) -> u32 {
        // At most SERIALS_MOST.
        self.serials.len() as u32
    }

    pub fn root(&self) -> B256 {
        self.root
    }

    /// The siblings from serial number `index` up to the root. `None`: there is no such number.
    pub fn proof(&self, index: u32) -> Option<Vec<B256>> {
        self.tree.proof(index as usize)
    }

    /// The serial's number. `None`: it is none of this batch.
    pub fn find(&self, serial: &Serial) -> Option<u32> {
        let place = self
            .order
            .binary_search_by_key(serial, |number| self.serials[*number as usize]);
        place.ok().map(|place| self.order[place])
    }

    /// What a pharmacy needs to verify and dispense package number `index`. `None`: there is no such number.
    pub fn ticket(&self, index: u32) -> Option<Ticket> {
        let serial = *self.serials.get(index as usize)?;
        Some(Ticket {
            batch: self.batch,
            serial,
            index,
            opening: self.salt.opening(self.batch.gtin, &serial),
            proof: self.proof(index)?,
        })
    }

    /// A ticket a line, in the order of the packages.
    pub fn tickets(&self) -> String {
        let tickets = (0..self.count()).filter_map(|index| self.ticket(index));
        tickets.fold(String::new(), |lines, ticket| lines + &ticket.to_json() + "\n")
    }
}

/// A line of a maker's list is no serial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {line} (from 1) is no serial: {error}")]
pub struct ListError {
    pub line: usize,
    pub error: LabelError,
}

/// Reads a list of one serial a line. The last line may end or not.
///
/// # Errors
/// [`ListError`] for the first line that is no serial, an empty one too.
pub fn read_list(text: &str) -> Result<Vec<Serial>, ListError> {
    let lines = text.lines().zip(1..);
    lines
        .map(|(text, line)| text.parse().map_err(|error| ListError { line, error }))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch() -> Batch {
        Batch {
            maker: Address::repeat_byte(1),
            gtin: "4006381333931".parse().unwrap(),
            lot: "LOT1".parse().unwrap(),
            expiry: 1_800_000_000,
        }
    }

    fn salt() -> GtinSalt {
        GtinSalt::from_slice(&[7; 32]).unwrap()
    }

    fn manifest(serials: &[&str]) -> Result<Manifest, ManifestError> {
        let serials = serials.iter().map(|text| text.parse().unwrap()).collect();
        Manifest::new(batch(), salt(), serials)
    }

    #[test]
    fn a_serial_is_found_and_proved_at_its_number() {
        let manifest = manifest(&["C", "A", "B", "E", "D"]).unwrap();
        for (serial, index) in manifest.serials().iter().zip(0..) {
            assert_eq!(manifest.find(serial), Some(index));
            let hash = medlock_merkle::leaf(keccak, salt().leaf(batch().gtin, serial));
            let proof = manifest.proof(index).unwrap();
            assert!(medlock_merkle::verify(
                keccak,
                manifest.root(),
                manifest.count(),
                index,
                hash,
                &proof
            ));
        }
        assert_eq!(manifest.find(&"F".parse().unwrap()), None);
        assert_eq!((manifest.proof(5), manifest.ticket(5)), (None, None));
    }

    #[test]
    fn a_list_that_is_no_batch_is_refused() {
        assert_eq!(manifest(&[]).err(), Some(ManifestError::Empty));
        let twice = ManifestError::Twice { first: 1, second: 3 };
        assert_eq!(manifest(&["C", "A", "B", "A"]).err(), Some(twice));
        let many = vec!["A".parse().unwrap(); SERIALS_MOST + 1];
        let error = ManifestError::TooMany {
            given: SERIALS_MOST + 1,
            most: SERIALS_MOST,
        };
        assert_eq!(Manifest::new(batch(), salt(), many).err(), Some(error));
    }

    #[test]
    fn a_leaf_depends_on_salt_gtin_and_serial_and_not_on_the_lot() {
        let serial: Serial = "1".parse().unwrap();
        let gtin = batch().gtin;
        let leaf = salt().leaf(gtin, &serial);
        assert_ne!(leaf, GtinSalt::from_slice(&[8; 32]).unwrap().leaf(gtin, &serial));
        assert_ne!(leaf, salt().leaf("96385074".parse().unwrap(), &serial));
        assert_ne!(leaf, salt().leaf(gtin, &"2".parse().unwrap()));
        assert_ne!(leaf, salt().opening(gtin, &serial));
        assert_eq!(leaf, super::leaf(gtin, &serial, salt().opening(gtin, &serial)));
    }

    #[test]
    fn a_salt_of_another_length_is_refused() {
        for bytes in [0, 31, 33] {
            assert_eq!(GtinSalt::from_slice(&vec![1; bytes]).err(), Some(SaltLength { bytes }));
        }
    }

    #[test]
    fn the_last_day_is_the_one_before_the_expiry() {
        let day: Day = "2027-11-30".parse().unwrap();
        let batch = Batch {
            expiry: day.ends_at(),
            ..batch()
        };
        assert_eq!(batch.last_day(), day);
        assert_eq!(last_day(0).starts_at(), 0);
    }

    #[test]
    fn a_list_is_read_line_by_line() {
        assert_eq!(read_list("A\r\nB\n").unwrap().len(), 2);
        assert_eq!(read_list("A\nB").unwrap().len(), 2);
        assert_eq!(read_list("").unwrap(), []);
        assert_eq!(
            read_list("A\n\nB"),
            Err(ListError {
                line: 2,
                error: LabelError::Empty
            })
        );
        let error = LabelError::Character { position: 1 };
        assert_eq!(read_list("A\nB C"), Err(ListError { line: 2, error }));
    }
}
