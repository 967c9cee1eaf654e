//! CBOR (RFC 8949) as a tree, altered item by item, well-formed or not quite.
use crate::{Rng, alter as alter_bytes};

/// Deeper than any good input; a seed that is deeper is cut off there.
const DEPTH_MAX: usize = 32;

/// An item: its head, then what a string holds, then the items of an array, map or tag, then what ends an indefinite length.
#[derive(Clone)]
struct Item {
    head: Vec<u8>,
    string: Vec<u8>,
    items: Vec<Item>,
    end: Vec<u8>,
}

pub fn alter(rng: &mut Rng, input: &mut Vec<u8>, seeds: &[Vec<u8>]) {
    let Some(mut root) = parse(&mut &input[..], DEPTH_MAX) else {
        return alter_bytes(rng, input, seeds);
    };
    let other = parse(&mut &rng.of(seeds)[..], DEPTH_MAX).unwrap_or_else(|| root.clone());
    let count = root.count();
    let mut at = rng.below(count);
    let item = root.at(&mut at).expect("there are so many");
    item.alter(rng, other);
    input.clear();
    root.write(input);
}

fn parse(rest: &mut &[u8], depth: usize) -> Option<Item> {
    let depth = depth.checked_sub(1)?;
    let first = *rest.first()?;
    let (major, small) = (first >> 5, first & 31);
    let width = match small {
        0..24 => 0,
        24..28 => 1 << (small - 24),
        _ => return None,
    };
    let head = take(rest, 1 + width)?;
    let argument = match width {
        0 => u64::from(small),
        _ => head[1..].iter().fold(0, |number, byte| number << 8 | u64::from(*byte)),
    };
    let mut item = Item::of(head);
    match major {
        2 | 3 => item.string = take(rest, usize::try_from(argument).ok()?)?,
        4..7 => {
            let count = [argument, argument.checked_mul(2)?, 1][usize::from(major) - 4];
            for _ in 0..count {
                item.items.push(parse(rest, depth)?);
            }
        }
        _ => {}
    }
    Some(item)
}

fn take(rest: &mut &[u8], length: usize) -> Option<Vec<u8>> {
    let (front, back) = rest.split_at_checked(length)?;
    *rest = back;
    Some(front.to_vec())
}

/// A head with its argument in `width` bytes, or in the fewest.
fn head(major: u8, argument: u64, width: Option<usize>) -> Vec<u8> {
    let fewest = match argument {
        0..24 => 0,
        24..0x100 => 1,
        0x100..0x1_0000 => 2,
        0x1_0000..0x1_0000_0000 => 4,
        _ => 8,
    };
    let width = width.unwrap_or(fewest).max(fewest);
    let small = match width {
        0 => argument as u8,
        _ => 24 + width.ilog2() as u8,
    };
    let mut out = vec![major << 5 | small];
    out.extend_from_slice(&argument.to_be_bytes()[8 - width..]);
    out
}

impl Item {
    fn of(head: Vec<u8>) -> Self {
        Self {
            head,
            string: Vec::new(),
            items: Vec::new(),
            end: Vec::new(),
        }
    }

    fn major(&self) -> u8 {
        self.head[0] >> 5
    }

    fn argument(&self) -> u64 {
        match self.head.len() {
            1 => u64::from(self.head[0] & 31),
            _ => self.head[1..]
                .iter()
                .fold(0, |number, byte| number << 8 | u64::from(*byte)),
        }
    }

    /// How many items there are, this one included.
    fn count(&self) -> usize {
        1 + self.items.iter().map(Self::count).sum::<usize>()
    }

    /// The item of that number, this one being 0.
    fn at(&mut self, number: &mut usize) -> Option<&mut Self> {
        if *number == 0 {
            return Some(self);
        }
        *number -= 1;
        self.items.iter_mut().find_map(|item| item.at(number))
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.head);
        out.extend_from_slice(&self.string);
        for item in &self.items {
            item.write(out);
        }
        out.extend_from_slice(&self.end);
    }

    fn alter(&mut self, rng: &mut Rng, mut other: Self) {
        let (major, argument) = (self.major(), self.argument());
        match rng.below(12) {
            // The same argument, longer than it need be.
            0 => self.head = head(major, argument, Some(*rng.of(&[1, 2, 4, 8]))),
            // Another argument: another number, or a length that is not so.
            1 => self.head = head(major, rng.edge(), None),
            2 => self.head = head(rng.below(8) as u8, argument, None),
            // Indefinite length.
            3 if (2..6).contains(&major) => {
                if major < 4 {
                    let mut whole = self.head.clone();
                    whole.append(&mut self.string);
                    self.string = whole;
                }
                self.head = vec![major << 5 | 31];
                self.end = vec![0xff];
            }
            // Another string of the length that it says.
            4 | 5 if major == 2 || major == 3 => {
                if !self.string.is_empty() && rng.below(2) == 0 {
                    let at = rng.below(self.string.len());
                    self.string[at] ^= 1 << rng.below(8);
                } else {
                    let length = *rng.of(&[0, 1, 20, 31, 32, 33, 64, 255, 5_000]);
                    self.string.resize(length, 0x61);
                    self.head = head(major, length as u64, None);
                }
            }
            // An entry more or less, or in another place.
            6..9 if (major == 4 || major == 5) && !self.items.is_empty() => {
                let width = usize::from(major) - 3;
                let entries = self.items.len() / width;
                let at = rng.below(entries) * width;
                let entry: Vec<Self> = self.items[at..at + width].to_vec();
                let to = rng.below(entries) * width;
                match rng.below(3) {
                    0 => drop(self.items.splice(to..to, entry)),
                    1 => drop(self.items.drain(at..at + width)),
                    _ => {
                        self.items.drain(at..at + width);
                        self.items.splice(to..to, entry);
                    }
                }
                self.head = head(major, (self.items.len() / width) as u64, None);
            }
            // An item of another input.
            9 => {
                let mut at = rng.below(other.count());
                *self = other.at(&mut at).expect("there are so many").clone();
            }
            10 => {
                let inner = std::mem::replace(self, Self::of(head(6, *rng.of(&[0, 24, 42, 55_799]), None)));
                self.items.push(inner);
            }
            // Null, booleans, undefined, floats, a break, and nesting without end.
            _ => {
                let odd: &[&[u8]] = &[
                    &[0xf6][..],
                    &[0xf5],
                    &[0xf7],
                    &[0xf9, 0x7e, 0],
                    &[0xfb, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0],
                    &[0xff],
                    &[0x81; 4_000],
                    &[0xd8, 42, 0x41, 0],
                ];
                *self = Self::of(rng.of(odd).to_vec());
            }
        }
    }
}
