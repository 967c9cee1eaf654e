//! The participants of a batch as the contract takes them: bit n of word w is number 256 w + n of the site.

use alloy_primitives::U256;
use medlock_abi::terms::BATCH_MOST;

const WORD_BITS: u32 = 256;
/// Numbers beyond it have no place in a batch.
pub const NUMBER_MOST: u32 = BATCH_MOST as u32 * WORD_BITS - 1;

/// Why numbers or words are no participants of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParticipantsError {
    #[error("a site numbers its participants from 1: nobody is number 0")]
    Zero,
    #[error("participant {number} has no place in a batch: numbers end at {NUMBER_MOST}")]
    TooHigh { number: u32 },
    #[error("nobody is named: a batch has data of somebody")]
    Nobody,
    #[error("there are {given} words of participants; a batch has at most {BATCH_MOST}")]
    TooManyWords { given: usize },
}

/// Whether a participant can have this number.
///
/// # Errors
/// [`ParticipantsError::Zero`], [`ParticipantsError::TooHigh`].
pub fn require_number(number: u32) -> Result<(), ParticipantsError> {
    match number {
        0 => Err(ParticipantsError::Zero),
        1..=NUMBER_MOST => Ok(()),
        _ => Err(ParticipantsError::TooHigh { number }),
    }
}

/// The words that name these numbers, in whatever order and how often they come. The last word is not zero.
///
/// # Errors
/// [`ParticipantsError`].
pub fn words(numbers: impl IntoIterator<Item = u32>) -> Result<Vec<U256>, ParticipantsError> {
    let mut words = Vec::new();
    for number in numbers {
        require_number(number)?;
        let word = (number / WORD_BITS) as usize;
        if words.len() <= word {
            words.resize(word + 1, U256::ZERO);
        }
        words[word].set_bit((number % WORD_BITS) as usize, true);
    }
    if words.is_empty() {
        return Err(ParticipantsError::Nobody);
    }
    Ok(words)
}

/// The words that name whoever is named by some of these.
#[must_use]
pub fn united<'a>(all: impl IntoIterator<Item = &'a [U256]>) -> Vec<U256> {
    let mut united = Vec::new();
    for words in all {
        if united.len() < words.len() {
            united.resize(words.len(), U256::ZERO);
        }
        for (word, more) in united.iter_mut().zip(words) {
            *word |= *more;
        }
    }
    united
}

/// The numbers that words name, ascending. Words of zero behind the last say nothing, as for the contract.
///
/// # Errors
/// [`ParticipantsError`].
pub fn numbers(words: &[U256]) -> Result<Vec<u32>, ParticipantsError> {
    if words.len() > BATCH_MOST {
        return Err(ParticipantsError::TooManyWords { given: words.len() });
    }
    let bits = (0..).zip(words).flat_map(|(index, word)| {
        (0..WORD_BITS)
            .filter(move |bit| word.bit(*bit as usize))
            .map(move |bit| index * WORD_BITS + bit)
    });
    let numbers: Vec<u32> = bits.collect();
    match numbers.first() {
        None => Err(ParticipantsError::Nobody),
        Some(0) => Err(ParticipantsError::Zero),
        Some(_) => Ok(numbers),
    }
}
