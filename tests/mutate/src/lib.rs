//! Fuzzing without a fuzzer: good inputs, altered at random from a seed, are given to a decoder. A case depends on nothing but the
//! seed, the decoder's name and its own number, so what fails can be run again alone.
//!
//! | variable | |
//! |---|---|
//! | `MEDLOCK_FUZZ_CASES` | cases for each decoder; default 20,000 |
//! | `MEDLOCK_FUZZ_SEED` | a number; default 0 |
//! | `MEDLOCK_FUZZ_CASE` | run only the case of this number |
//!
//! One alteration at a chosen place of a JSON text: [`with`]. Start reading at [`Fuzz::run`].
#![forbid(unsafe_code)]

mod cbor;

use std::ops::Range;

use serde_json::Value;

/// For what a check does that is not the decoder's: its memory does not count.
pub use allocation_counter::opt_out as unmeasured;

const CASES: u64 = 20_000;
/// Alterations of one input at most.
const EDITS_MAX: usize = 3;
/// An input that was grown by inserting and repeating.
const INPUT_BYTES_MAX: usize = 64 * 1024;

/// What the inputs are, so that alterations keep something of their form.
#[derive(Debug, Clone, Copy)]
pub enum Shape<'a> {
    Bytes,
    /// RFC 8949: also alters items, their order and their lengths' lengths.
    Cbor,
    /// Also puts in these words.
    Text(&'a [&'a str]),
}

/// One decoder to be fuzzed.
pub struct Fuzz<'a> {
    pub name: &'a str,
    /// Good inputs.
    pub seeds: &'a [Vec<u8>],
    pub shape: Shape<'a>,
    /// One case may have so much memory allocated at a time.
    pub allocated_bytes_max: u64,
    /// How many times longer than others a case takes: so many times fewer are run.
    pub weight: u64,
}

/// What became of the cases.
#[derive(Debug, Clone, Copy)]
pub struct Tally {
    pub cases: u64,
    /// Inputs that `check` said it took, and that are none of the seeds.
    pub taken: u64,
}

/// The JSON with `value` at the pointer; null removes what is there, `-` adds to a list.
///
/// # Panics
/// Where there is no such place.
#[must_use]
pub fn with(mut json: Value, pointer: &str, value: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer begins with a slash");
    let parent = json.pointer_mut(parent).unwrap_or_else(|| panic!("no {parent}"));
    match (parent, value) {
        (Value::Object(properties), Value::Null) => drop(properties.remove(name).expect("what is removed is there")),
        (Value::Object(properties), value) => drop(properties.insert(name.to_owned(), value)),
        (Value::Array(items), value) if name == "-" => items.push(value),
        (Value::Array(items), value) => items[name.parse::<usize>().expect("an index")] = value,
        _ => panic!("{pointer}"),
    }
    json
}

impl Fuzz<'_> {
    /// Gives altered inputs to `check`, which panics where something is wrong, and says whether the input was taken.
    ///
    /// # Panics
    /// When `check` does, or allocates too much; what is needed to see it again is printed first.
    pub fn run(&self, check: impl Fn(&[u8]) -> bool) -> Tally {
        let number = |name| {
            std::env::var(name)
                .ok()
                .map(|text| text.parse::<u64>().expect("a number"))
        };
        let seed = number("MEDLOCK_FUZZ_SEED").unwrap_or(0);
        let cases = match number("MEDLOCK_FUZZ_CASE") {
            Some(only) => only..only + 1,
            None => 0..number("MEDLOCK_FUZZ_CASES").unwrap_or(CASES).div_ceil(self.weight),
        };
        let mut tally = Tally {
            cases: cases.end - cases.start,
            taken: 0,
        };
        for case in cases {
            let mut rng = Rng::new(seed, self.name, case);
            let input = self.input(&mut rng);
            let shown = Shown {
                name: self.name,
                seed,
                case,
                input: &input,
            };
            let mut taken = false;
            let allocated = allocation_counter::measure(|| taken = check(&input));
            assert!(
                allocated.bytes_max <= self.allocated_bytes_max,
                "{} bytes were allocated for an input of {}",
                allocated.bytes_max,
                input.len()
            );
            drop(shown);
            tally.taken += u64::from(taken && !self.seeds.contains(&input));
        }
        tally
    }

    fn input(&self, rng: &mut Rng) -> Vec<u8> {
        let mut input = rng.of(self.seeds).clone();
        for _ in 0..=rng.below(EDITS_MAX) {
            match self.shape {
                Shape::Cbor if rng.below(4) > 0 => cbor::alter(rng, &mut input, self.seeds),
                Shape::Text(words) if rng.below(2) > 0 => put_word(rng, &mut input, words),
                _ => alter(rng, &mut input, self.seeds),
            }
            input.truncate(INPUT_BYTES_MAX);
        }
        input
    }
}

/// Says which case it was, should it panic.
struct Shown<'a> {
    name: &'a str,
    seed: u64,
    case: u64,
    input: &'a [u8],
}

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "{}: again with MEDLOCK_FUZZ_SEED={} MEDLOCK_FUZZ_CASE={}; the input: {}",
                self.name,
                self.seed,
                self.case,
                hex::encode(self.input)
            );
        }
    }
}

/// SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
pub struct Rng(u64);

impl Rng {
    /// FNV-1a over what makes the case this one.
    fn new(seed: u64, name: &str, case: u64) -> Self {
        let bytes = seed
            .to_le_bytes()
            .into_iter()
            .chain(name.bytes())
            .chain(case.to_le_bytes());
        Self(bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        }))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// 0 where `most` is 0.
    fn below(&mut self, most: usize) -> usize {
        if most == 0 {
            0
        } else {
            (self.next() % most as u64) as usize
        }
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next() as u8).collect()
    }

    /// A part of something of `length` bytes; short ones are likelier.
    fn range(&mut self, length: usize) -> Range<usize> {
        let start = self.below(length + 1);
        let most = if self.below(2) == 0 { 8 } else { length };
        start..start + self.below((length - start).min(most) + 1)
    }

    /// A number near to where programs err.
    fn edge(&mut self) -> u64 {
        let near = self.below(5) as u64;
        let power = 1_u64 << self.below(64);
        match self.below(4) {
            0 => near,
            1 => u64::MAX - near,
            _ => power.wrapping_add(near).wrapping_sub(2),
        }
    }
}

fn alter(rng: &mut Rng, input: &mut Vec<u8>, seeds: &[Vec<u8>]) {
    let part = rng.range(input.len());
    match rng.below(11) {
        0 | 1 if !input.is_empty() => {
            let at = rng.below(input.len());
            input[at] ^= 1 << rng.below(8);
        }
        2 if !input.is_empty() => {
            let at = rng.below(input.len());
            input[at] = *rng.of(&[0, 1, 0x18, 0x7f, 0x80, 0xff]);
        }
        3 => input.truncate(part.start),
        4 => drop(input.drain(part)),
        5 => {
            let more = rng.below(64);
            input.splice(part.start..part.start, rng.bytes(more));
        }
        // The same part again.
        6 => {
            let again = input[part.clone()].to_vec();
            input.splice(part.start..part.start, again);
        }
        // A part of another input, or another place of this one, in its stead.
        7 => {
            let other = rng.of(seeds);
            let piece = other[rng.range(other.len())].to_vec();
            input.splice(part, piece);
        }
        // The beginning of this, the end of another.
        8 => {
            let other = rng.of(seeds);
            input.truncate(part.start);
            input.extend_from_slice(&other[part.start.min(other.len())..]);
        }
        // A varint (LEB128) that is longer than it need be.
        9 if !input.is_empty() => {
            let at = rng.below(input.len());
            input[at] |= 0x80;
            input.insert(at + 1, 0);
        }
        // A length, perhaps.
        _ => {
            let width = *rng.of(&[1, 2, 4, 8]);
            let number = rng.edge().to_be_bytes();
            let mut number = number[8 - width..].to_vec();
            if rng.below(2) == 0 {
                number.reverse();
            }
            let end = (part.start + width).min(input.len());
            input.splice(part.start..end, number);
        }
    }
}

fn put_word(rng: &mut Rng, input: &mut Vec<u8>, words: &[&str]) {
    let word = rng.of(words).bytes();
    let part = rng.range(input.len());
    match rng.below(3) {
        0 => drop(input.splice(part, word)),
        1 => drop(input.splice(part.start..part.start, word)),
        // In the place of a word: what stands between two white spaces or quotation marks.
        _ => {
            let ends = |byte: &u8| matches!(byte, b' ' | b'"' | b'\n' | b',' | b':');
            let start = input[..part.start].iter().rposition(ends).map_or(0, |at| at + 1);
            let length = input[part.start..].iter().position(ends).unwrap_or(0);
            input.splice(start..part.start + length, word);
        }
    }
}
