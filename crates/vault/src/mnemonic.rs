//! The root secret as words on paper: BIP-39, English list, 24 words (256 bits and a checksum of 8).
//!
//! The words are the root secret itself. They are no wallet: BIP-39's seed (PBKDF2, passphrase) is not used, and the
//! account key is not in them, so whoever finds the paper reads and cannot act.
use bip39::Language;
use zeroize::Zeroizing;

use crate::{Error, RootSecret, stack};

/// Words of a root secret: 256 bits and 8 of checksum, 11 to a word.
pub const WORDS: usize = 24;
/// Text that is read for words: 24 words of at most 8 letters take 215 bytes, and people add space.
pub const TEXT_BYTES_MAX: usize = 1024;

/// The words of a root secret, in order, lower case, one space between them. Wiped on drop; not printed by accident.
#[derive(Clone)]
pub struct Mnemonic(Zeroizing<String>);

impl Mnemonic {
    /// The words that stand for `root`.
    pub fn of(root: &RootSecret) -> Self {
        stack::wiping(|| Self::spell(root))
    }

    fn spell(root: &RootSecret) -> Self {
        // BIP-39 takes 128 to 256 bits in steps of 32.
        let code = bip39::Mnemonic::from_entropy_in(Language::English, root.expose()).expect("256 bits are allowed");
        // The capacity is exact: a string that grows leaves copies of itself behind.
        let length = code.words().map(|word| word.len() + 1).sum();
        let mut text = Zeroizing::new(String::with_capacity(length));
        for word in code.words() {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(word);
        }
        Self(text)
    }

    /// The text itself, to be shown once. Never log it, never keep a copy.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Reads words as a person typed them: any white space between them, any case.
    ///
    /// # Errors
    /// [`Error::TooLarge`]; [`Error::WordCount`]; [`Error::UnknownWord`], by its position from 1;
    /// [`Error::WordChecksum`]. No error tells a word.
    pub fn read(text: &str) -> Result<RootSecret, Error> {
        if text.len() > TEXT_BYTES_MAX {
            let (size, most) = (text.len() as u64, TEXT_BYTES_MAX as u64);
            return Err(Error::TooLarge {
                what: "mnemonic",
                size,
                most,
            });
        }
        let given = text.split_whitespace().count();
        if given != WORDS {
            return Err(Error::WordCount { given });
        }
        stack::wiping(|| Self::parse(text))
    }

    fn parse(text: &str) -> Result<RootSecret, Error> {
        let lower = Zeroizing::new(text.to_ascii_lowercase());
        let code = bip39::Mnemonic::parse_in_normalized(Language::English, &lower).map_err(|error| match error {
            bip39::Error::UnknownWord(at) => Error::UnknownWord { position: at + 1 },
            // The count is right and the language is given: this is all that is left.
            _ => Error::WordChecksum,
        })?;
        let (bytes, length) = code.to_entropy_array();
        let bytes = Zeroizing::new(bytes);
        RootSecret::from_slice(&bytes[..length])
    }
}
