//! Lots (GS1 AI 10) and serials (AI 21): up to 20 characters of GS1's character set 82.
use std::fmt;

use serde::{Deserialize, Serialize};

/// Of a lot or a serial (GS1 General Specifications, 3.4.1 and 3.5.2).
pub const CHARACTERS_MOST: usize = 20;

/// Why a text is no lot or serial. Does not repeat it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LabelError {
    #[error("it is empty; type what stands on the package")]
    Empty,
    #[error(
        "it has {characters} characters, more than the {most} that GS1 allows; look whether two fields ran together"
    )]
    TooLong { characters: usize, most: usize },
    #[error("character {position} (from 0) is none of GS1's character set 82 (letters, digits, !\"%&'()*+,-./:;<=>?_)")]
    Character { position: usize },
}

macro_rules! label {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        // In place and without a heap: a maker's list has a million of them. Behind the text are zeros, so the derived order is the text's.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name {
            bytes: [u8; CHARACTERS_MOST],
            length: u8,
        }

        impl $name {
            pub fn as_bytes(&self) -> &[u8] {
                &self.bytes[..usize::from(self.length)]
            }

            pub fn as_str(&self) -> &str {
                std::str::from_utf8(self.as_bytes()).expect("character set 82 is part of ASCII")
            }
        }

        impl std::str::FromStr for $name {
            type Err = LabelError;

            fn from_str(text: &str) -> Result<Self, LabelError> {
                let (bytes, length) = checked(text)?;
                Ok(Self { bytes, length })
            }
        }

        impl TryFrom<String> for $name {
            type Error = LabelError;

            fn try_from(text: String) -> Result<Self, LabelError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(label: $name) -> Self {
                label.as_str().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.as_str())
            }
        }
    };
}

label! {
    /// A batch's number, as its maker prints it.
    Lot
}
label! {
    /// What tells one package of a GTIN from the next. Whoever knows it may have seen the package, or the chart of who got it.
    Serial
}

/// GS1 General Specifications, figure 7.11-1.
pub(crate) const fn is_in_set_82(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'!'..=b'"' | b'%'..=b'/' | b':'..=b'?' | b'_')
}

fn checked(text: &str) -> Result<([u8; CHARACTERS_MOST], u8), LabelError> {
    if text.is_empty() {
        return Err(LabelError::Empty);
    }
    if let Some(position) = text.chars().position(|c| !c.is_ascii() || !is_in_set_82(c as u8)) {
        return Err(LabelError::Character { position });
    }
    let mut bytes = [0; CHARACTERS_MOST];
    let Some(place) = bytes.get_mut(..text.len()) else {
        return Err(LabelError::TooLong {
            characters: text.len(),
            most: CHARACTERS_MOST,
        });
    };
    place.copy_from_slice(text.as_bytes());
    Ok((bytes, text.len() as u8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_character_set_has_82_characters_and_no_control() {
        let set: Vec<u8> = (0..=255).filter(|byte| is_in_set_82(*byte)).collect();
        assert_eq!(set.len(), 82);
        for byte in *b" #$@[\\]^`{|}~\x1d\0\x7f" {
            assert!(!set.contains(&byte), "{byte}");
        }
    }

    #[test]
    fn labels_are_their_text_and_ordered_by_it() {
        let texts = ["!", "A", "A1", "AB", "a", "ABCDEFGHIJ0123456789"];
        for text in texts {
            let serial: Serial = text.parse().unwrap();
            assert_eq!((serial.as_str(), serial.to_string().as_str()), (text, text));
        }
        for (one, other) in texts.iter().flat_map(|one| texts.map(|other| (*one, other))) {
            let parsed = |text: &str| text.parse::<Lot>().unwrap();
            assert_eq!(parsed(one).cmp(&parsed(other)), one.cmp(other));
        }
    }

    #[test]
    fn what_gs1_does_not_allow_is_refused_without_being_repeated() {
        for (text, error) in [
            ("", LabelError::Empty),
            ("SECRET SECRET", LabelError::Character { position: 6 }),
            ("\u{c4}B", LabelError::Character { position: 0 }),
            ("AB\x1d", LabelError::Character { position: 2 }),
            (
                "123456789012345678901",
                LabelError::TooLong {
                    characters: 21,
                    most: 20,
                },
            ),
        ] {
            assert_eq!(text.parse::<Serial>(), Err(error));
            assert!(!error.to_string().contains("SECRET"));
        }
    }
}
