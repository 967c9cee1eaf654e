//! GS1 numbers of trade items: GTIN-8, -12, -13 and -14, one number with its check digit.
use std::fmt;

use medlock_abi::terms::gtin;
use serde::{Deserialize, Serialize};

use crate::day::digits;

/// The number of a trade item, with a check digit that is right. Shorter ones have zeros before them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Gtin(u64);

/// Why a text or number is no GTIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GtinError {
    #[error("a GTIN has 8, 12, 13 or 14 digits, this has {digits}; type it as it stands under the barcode")]
    Length { digits: usize },
    #[error("a GTIN is digits alone; leave out spaces and hyphens")]
    NotDigits,
    #[error("zero is nobody's GTIN; scan the package again")]
    Zero,
    #[error(
        "the GTIN's last digit is {found}, and the others give {expected}; one of them was misread, so scan it again"
    )]
    CheckDigit { expected: u8, found: u8 },
}

impl Gtin {
    /// As the contract takes it.
    ///
    /// # Errors
    /// [`GtinError::Length`], [`GtinError::Zero`], [`GtinError::CheckDigit`].
    pub fn from_number(number: u64) -> Result<Self, GtinError> {
        if number > gtin::MOST {
            return Err(GtinError::Length {
                digits: number.to_string().len(),
            });
        }
        if number < 10 {
            return Err(GtinError::Zero);
        }
        let (expected, found) = (check_digit(number / 10), (number % 10) as u8);
        if expected != found {
            return Err(GtinError::CheckDigit { expected, found });
        }
        Ok(Self(number))
    }

    /// As the contract takes it.
    pub const fn number(self) -> u64 {
        self.0
    }
}

impl std::str::FromStr for Gtin {
    type Err = GtinError;

    fn from_str(text: &str) -> Result<Self, GtinError> {
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(GtinError::NotDigits);
        }
        let length = GtinError::Length { digits: text.len() };
        if !matches!(text.len(), 8 | 12 | 13 | 14) {
            return Err(length);
        }
        Self::from_number(digits(text.as_bytes()).ok_or(length)?)
    }
}

/// All 14 digits.
impl fmt::Display for Gtin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:014}", self.0)
    }
}

impl TryFrom<String> for Gtin {
    type Error = GtinError;

    fn try_from(text: String) -> Result<Self, GtinError> {
        text.parse()
    }
}

impl From<Gtin> for String {
    fn from(gtin: Gtin) -> Self {
        gtin.to_string()
    }
}

/// The digit that belongs behind these (GS1 General Specifications, 7.9), whatever GS1 number it is.
pub(crate) fn check_digit(others: u64) -> u8 {
    let (mut sum, mut rest, mut weight) = (0, others, 3);
    while rest != 0 {
        sum += rest % 10 * weight;
        rest /= 10;
        weight = 4 - weight;
    }
    ((10 - sum % 10) % 10) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_is_read_and_shown_as_fourteen_digits() {
        for (text, shown) in [
            ("96385074", "00000096385074"),
            ("614141000036", "00614141000036"),
            ("4006381333931", "04006381333931"),
            ("10614141000415", "10614141000415"),
            ("00000096385074", "00000096385074"),
        ] {
            let gtin: Gtin = text.parse().unwrap();
            assert_eq!(gtin.to_string(), shown);
            assert_eq!(shown.parse(), Ok(gtin));
            assert!(gtin::is_sound(gtin.number()));
        }
    }

    #[test]
    fn a_wrong_check_digit_is_named_with_the_right_one() {
        let error = "4006381333932".parse::<Gtin>().unwrap_err();
        assert_eq!(error, GtinError::CheckDigit { expected: 1, found: 2 });
        assert!(error.to_string().contains("give 1"));
    }

    #[test]
    fn the_rule_is_the_contracts() {
        for number in (0..20_000)
            .chain(10_614_141_000_000..10_614_141_002_000)
            .chain(gtin::MOST - 200..gtin::MOST + 200)
        {
            assert_eq!(Gtin::from_number(number).is_ok(), gtin::is_sound(number), "{number}");
        }
    }

    #[test]
    fn what_is_no_gtin_is_refused_by_its_reason() {
        for (text, error) in [
            ("", GtinError::Length { digits: 0 }),
            ("123456789", GtinError::Length { digits: 9 }),
            ("106141410004155", GtinError::Length { digits: 15 }),
            ("4006381-33393", GtinError::NotDigits),
            ("+4006381333931", GtinError::NotDigits),
            ("\u{664}006381333931", GtinError::NotDigits),
            ("00000000", GtinError::Zero),
            ("00000005", GtinError::Zero),
        ] {
            assert_eq!(text.parse::<Gtin>(), Err(error), "{text}");
        }
        assert_eq!(Gtin::from_number(u64::MAX), Err(GtinError::Length { digits: 20 }));
    }
}
