//! GS1 element strings: what a scanner says of the DataMatrix on a package, and what is printed beside it.
//!
//! | form | example |
//! |---|---|
//! | scanned | `]d2` `01` GTIN `17` date `10` lot `<GS>` `21` serial: element after element; FNC1 arrives as ASCII 29 |
//! | bracketed | `(01)`GTIN`(17)`date`(10)`lot`(21)`serial; an opening bracket within the data is written `\(` |
//!
//! Four elements make a [`Package`]. Others are passed over where it is known how they end, and refused otherwise: behind an element that
//! is cut wrongly, another lot or serial would be read. Sections and figures are those of the GS1 General Specifications.
use std::borrow::Cow;

use crate::{
    day::{Day, digits},
    gtin::{Gtin, GtinError},
    label::{CHARACTERS_MOST, LabelError, Lot, Serial, is_in_set_82},
};

/// A DataMatrix has up to 2,335 characters; bracketed text has some more.
pub const SCAN_BYTES_MAX: usize = 4096;
/// FNC1, as scanners send it.
pub const SEPARATOR: char = '\x1d';
/// The symbology identifier of a GS1 DataMatrix.
const DATA_MATRIX: &str = "]d2";
/// Symbols that carry GS1 element strings (figure 5.1.3-1): DataMatrix, GS1-128, QR Code, DotCode, DataBar and composites.
const GS1_SYMBOLOGIES: [&str; 5] = [DATA_MATRIX, "]C1", "]Q3", "]J1", "]e0"];

/// What identifies one package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Package {
    pub gtin: Gtin,
    pub lot: Lot,
    /// It may be used on this day, and not after it.
    pub expiry: Day,
    pub serial: Serial,
}

/// Why a scan names no package. Positions count bytes from 0; nothing of the content is repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BarcodeError {
    #[error("the scan has {bytes} bytes, more than the {bytes_max} that a symbol can hold; scan one package at a time")]
    TooLong { bytes: usize, bytes_max: usize },
    #[error("the scan is empty; scan the square code on the package")]
    NoBytes,
    #[error("the code is of another kind than GS1 DataMatrix; scan the square code on the package")]
    Symbology,
    #[error("byte {position} begins no element that this reader knows; scan the maker's own code, and no shop's label")]
    UnknownElement { position: usize },
    #[error(
        "element ({ai}) at byte {position} has {found} characters and must have {expected}; see that the scanner sends FNC1 as ASCII 29"
    )]
    Length {
        ai: &'static str,
        position: usize,
        expected: usize,
        found: usize,
    },
    #[error(
        "element ({ai}) at byte {position} has {found} characters and may have {most}; see that the scanner sends FNC1 as ASCII 29"
    )]
    TooManyCharacters {
        ai: &'static str,
        position: usize,
        most: usize,
        found: usize,
    },
    #[error("element ({ai}) at byte {position} is empty; the code is damaged or badly made, so keep the package aside")]
    EmptyElement { ai: &'static str, position: usize },
    #[error("byte {position} is no character of a GS1 element; scan the code again")]
    Character { position: usize },
    #[error("element ({ai}) stands there twice; the code is badly made, so keep the package aside")]
    Twice { ai: &'static str },
    #[error(
        "element ({ai}) is missing; scan the square code, which has GTIN (01), lot (10), expiry (17) and serial (21)"
    )]
    Missing { ai: &'static str },
    #[error("the GTIN (01) is none: {0}")]
    Gtin(#[from] GtinError),
    #[error("the expiry (17) is no day; the code is badly made, so keep the package aside")]
    Date,
    #[error("({ai}) is none: {error}")]
    Label { ai: &'static str, error: LabelError },
}

impl Package {
    /// Reads either form. `year`: the present one, which says the century of a two-digit year (7.12).
    ///
    /// # Errors
    /// See [`BarcodeError`].
    pub fn parse(text: &str, year: u16) -> Result<Self, BarcodeError> {
        if text.len() > SCAN_BYTES_MAX {
            return Err(BarcodeError::TooLong {
                bytes: text.len(),
                bytes_max: SCAN_BYTES_MAX,
            });
        }
        // Scanners that act as keyboards end with the enter key.
        let text = text.trim_end_matches(['\r', '\n']);
        if text.is_empty() {
            return Err(BarcodeError::NoBytes);
        }
        if let Some(position) = text.bytes().position(|byte| !byte.is_ascii()) {
            return Err(BarcodeError::Character { position });
        }
        let elements = if text.starts_with('(') {
            bracketed(text)?
        } else {
            scanned(text)?
        };
        Ok(Self {
            gtin: elements.required(GTIN)?.parse()?,
            lot: label(&elements, LOT)?,
            expiry: date(elements.required(EXPIRY)?, year).ok_or(BarcodeError::Date)?,
            serial: label(&elements, SERIAL)?,
        })
    }

    /// As a scanner says it. The elements of fixed length come first, so that one separator is enough.
    pub fn scanned(&self) -> String {
        let Self { gtin, lot, serial, .. } = self;
        format!("{DATA_MATRIX}01{gtin}17{}10{lot}{SEPARATOR}21{serial}", self.date())
    }

    /// As it is printed for people, with what is needed to read it back.
    pub fn bracketed(&self) -> String {
        let escaped = |text: &str| text.replace('(', "\\(");
        let (lot, serial) = (escaped(self.lot.as_str()), escaped(self.serial.as_str()));
        format!("(01){}(17){}(10){lot}(21){serial}", self.gtin, self.date())
    }

    fn date(&self) -> String {
        let day = self.expiry;
        format!("{:02}{:02}{:02}", day.year() % 100, day.month(), day.day())
    }
}

const GTIN: &str = "01";
const LOT: &str = "10";
const EXPIRY: &str = "17";
const SERIAL: &str = "21";

/// How the data behind an AI end.
#[derive(Debug, Clone, Copy)]
enum Ends {
    /// After so many characters.
    After(usize),
    /// At a separator or with the text, after so many at most.
    AtSeparator(usize),
}

/// (how the AI begins, how many digits it has, how its data end). No AI begins another.
///
/// First the predefined lengths (figure 7.8.5-2), which need no separator; then what else stands on medicines: variants and the maker's
/// own numbers, counts, national reimbursement numbers (71n), company-internal ones (9n).
const ELEMENTS: [(&str, usize, Ends); 39] = [
    ("00", 2, Ends::After(18)),
    (GTIN, 2, Ends::After(14)),
    ("02", 2, Ends::After(14)),
    ("03", 2, Ends::After(14)),
    ("04", 2, Ends::After(16)),
    ("11", 2, Ends::After(6)),
    ("12", 2, Ends::After(6)),
    ("13", 2, Ends::After(6)),
    ("14", 2, Ends::After(6)),
    ("15", 2, Ends::After(6)),
    ("16", 2, Ends::After(6)),
    (EXPIRY, 2, Ends::After(6)),
    ("18", 2, Ends::After(6)),
    ("19", 2, Ends::After(6)),
    ("20", 2, Ends::After(2)),
    ("31", 4, Ends::After(6)),
    ("32", 4, Ends::After(6)),
    ("33", 4, Ends::After(6)),
    ("34", 4, Ends::After(6)),
    ("35", 4, Ends::After(6)),
    ("36", 4, Ends::After(6)),
    ("41", 3, Ends::After(13)),
    (LOT, 2, Ends::AtSeparator(CHARACTERS_MOST)),
    (SERIAL, 2, Ends::AtSeparator(CHARACTERS_MOST)),
    ("22", 2, Ends::AtSeparator(20)),
    ("240", 3, Ends::AtSeparator(30)),
    ("241", 3, Ends::AtSeparator(30)),
    ("242", 3, Ends::AtSeparator(6)),
    ("243", 3, Ends::AtSeparator(20)),
    ("250", 3, Ends::AtSeparator(30)),
    ("251", 3, Ends::AtSeparator(30)),
    ("30", 2, Ends::AtSeparator(8)),
    ("37", 2, Ends::AtSeparator(8)),
    ("400", 3, Ends::AtSeparator(30)),
    ("422", 3, Ends::AtSeparator(3)),
    ("71", 3, Ends::AtSeparator(20)),
    ("7003", 4, Ends::AtSeparator(10)),
    ("7004", 4, Ends::AtSeparator(4)),
    ("9", 2, Ends::AtSeparator(90)),
];

/// The four that make a package.
#[derive(Default)]
struct Elements<'a>([Option<Cow<'a, str>>; 4]);

impl<'a> Elements<'a> {
    const KEPT: [&'static str; 4] = [GTIN, LOT, EXPIRY, SERIAL];

    fn add(&mut self, ai: &'static str, data: Cow<'a, str>) -> Result<(), BarcodeError> {
        let Some(place) = Self::KEPT.iter().position(|kept| *kept == ai) else {
            return Ok(());
        };
        if self.0[place].replace(data).is_some() {
            return Err(BarcodeError::Twice { ai });
        }
        Ok(())
    }

    fn required(&self, ai: &'static str) -> Result<&str, BarcodeError> {
        let place = Self::KEPT.iter().position(|kept| *kept == ai);
        place
            .and_then(|place| self.0[place].as_deref())
            .ok_or(BarcodeError::Missing { ai })
    }
}

fn scanned(text: &str) -> Result<Elements<'_>, BarcodeError> {
    let mut at = 0;
    if text.starts_with(']') {
        let known = GS1_SYMBOLOGIES.iter().find(|known| text.starts_with(**known));
        at = known.ok_or(BarcodeError::Symbology)?.len();
    }
    // Some scanners also send the FNC1 that says that it is GS1.
    at += usize::from(text[at..].starts_with(SEPARATOR));
    let mut elements = Elements::default();
    // Every round takes at least an AI.
    while at < text.len() {
        let rest = &text[at..];
        let (ai, ai_digits, ends) = known(rest).ok_or(BarcodeError::UnknownElement { position: at })?;
        let up_to_separator = rest[ai_digits..].split(SEPARATOR).next().unwrap_or_default();
        let data = match ends {
            // A separator is allowed behind a fixed length, too.
            Ends::After(length) => up_to_separator.get(..length).unwrap_or(up_to_separator),
            Ends::AtSeparator(_) => up_to_separator,
        };
        check(ai, ends, data, at, at + ai_digits)?;
        at += ai_digits + data.len();
        at += usize::from(text[at..].starts_with(SEPARATOR));
        elements.add(ai, data.into())?;
    }
    Ok(elements)
}

fn bracketed(text: &str) -> Result<Elements<'_>, BarcodeError> {
    let mut elements = Elements::default();
    let mut at = 0;
    // Every round takes at least a bracket.
    while at < text.len() {
        let unknown = BarcodeError::UnknownElement { position: at };
        let Some((code, _)) = text[at..].strip_prefix('(').and_then(|rest| rest.split_once(')')) else {
            return Err(unknown);
        };
        let Some((ai, ai_digits, ends)) = known(code).filter(|(_, ai_digits, _)| code.len() == *ai_digits) else {
            return Err(unknown);
        };
        let start = at + ai_digits + 2;
        let bytes = &text.as_bytes()[start..];
        let opens = |place: &usize| bytes[*place] == b'(' && (*place == 0 || bytes[place - 1] != b'\\');
        let end = start + (0..bytes.len()).find(opens).unwrap_or(bytes.len());
        let data = match &text[start..end] {
            plain if !plain.contains('\\') => Cow::Borrowed(plain),
            escaped => Cow::Owned(escaped.replace("\\(", "(")),
        };
        check(ai, ends, &data, at, start)?;
        elements.add(ai, data)?;
        at = end;
    }
    Ok(elements)
}

/// The element that the text begins with.
fn known(text: &str) -> Option<(&'static str, usize, Ends)> {
    let found = ELEMENTS.into_iter().find(|(begin, ..)| text.starts_with(begin));
    found.filter(|(_, ai_digits, _)| {
        text.get(..*ai_digits)
            .is_some_and(|ai| ai.bytes().all(|byte| byte.is_ascii_digit()))
    })
}

/// `position`: of the element; `start`: of its data.
fn check(ai: &'static str, ends: Ends, data: &str, position: usize, start: usize) -> Result<(), BarcodeError> {
    let found = data.len();
    match ends {
        Ends::After(expected) if found != expected => {
            return Err(BarcodeError::Length {
                ai,
                position,
                expected,
                found,
            });
        }
        Ends::AtSeparator(_) if found == 0 => return Err(BarcodeError::EmptyElement { ai, position }),
        Ends::AtSeparator(most) if found > most => {
            return Err(BarcodeError::TooManyCharacters {
                ai,
                position,
                most,
                found,
            });
        }
        _ => {}
    }
    match data.bytes().position(|byte| !is_in_set_82(byte)) {
        Some(at) => Err(BarcodeError::Character { position: start + at }),
        None => Ok(()),
    }
}

fn label<T: std::str::FromStr<Err = LabelError>>(elements: &Elements, ai: &'static str) -> Result<T, BarcodeError> {
    let parsed = elements.required(ai)?.parse::<T>();
    parsed.map_err(|error| BarcodeError::Label { ai, error })
}

/// YYMMDD; day 00 is the last of its month (3.4.7).
fn date(text: &str, present: u16) -> Option<Day> {
    let number = |part| digits(text.as_bytes().get::<std::ops::Range<usize>>(part)?);
    let (year, month, day) = (number(0..2)?, number(2..4)? as u8, number(4..6)? as u8);
    let year = full_year(year as u16, present)?;
    if day == 0 {
        Day::last_of(year, month)
    } else {
        Day::new(year, month, day)
    }
}

/// The year, of those that end so, that is from 49 years before the present one to 50 after it (7.12).
fn full_year(two_digits: u16, present: u16) -> Option<u16> {
    let (of_century, century) = (present % 100, present - present % 100);
    let century = match i32::from(two_digits) - i32::from(of_century) {
        51.. => century.checked_sub(100),
        ..=-50 => century.checked_add(100),
        _ => Some(century),
    };
    century?.checked_add(two_digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    const YEAR: u16 = 2026;

    fn package() -> Package {
        Package {
            gtin: "04006381333931".parse().unwrap(),
            lot: "LOT(1)/A".parse().unwrap(),
            expiry: "2027-11-30".parse().unwrap(),
            serial: "1000000000AB".parse().unwrap(),
        }
    }

    #[test]
    fn both_forms_go_there_and_back() {
        let package = package();
        assert_eq!(
            package.scanned(),
            "]d201040063813339311727113010LOT(1)/A\x1d211000000000AB"
        );
        assert_eq!(
            package.bracketed(),
            "(01)04006381333931(17)271130(10)LOT\\(1)/A(21)1000000000AB"
        );
        assert_eq!(Package::parse(&package.scanned(), YEAR), Ok(package));
        assert_eq!(Package::parse(&package.bracketed(), YEAR), Ok(package));
    }

    #[test]
    fn order_identifiers_separators_and_other_elements_do_not_matter() {
        let package = Package {
            lot: "AB1".parse().unwrap(),
            serial: "17".parse().unwrap(),
            ..package()
        };
        for text in [
            "01040063813339312117\x1d17271130\x1d10AB1",
            "]d2\x1d010400638133393110AB1\x1d2117\x1d17271130\x1d",
            "]C110AB1\x1d010400638133393117271130712123456\x1d2117\r\n",
            "112401010104006381333931172711302117\x1d310000123410AB1\x1d91x=1;y\x1d7003271130",
            "(21)17(10)AB1(17)271130(01)04006381333931(712)654321(3103)000500",
        ] {
            let read = Package::parse(text, YEAR);
            assert_eq!(read, Ok(package), "{text:?}");
        }
    }

    #[test]
    fn the_day_00_is_the_last_of_its_month() {
        for (date, day) in [
            ("270200", "2027-02-28"),
            ("280200", "2028-02-29"),
            ("271200", "2027-12-31"),
        ] {
            let text = format!("010400638133393117{date}10A\x1d21B");
            assert_eq!(Package::parse(&text, YEAR).unwrap().expiry.to_string(), day);
        }
    }

    #[test]
    fn a_year_is_the_one_nearest_to_the_present() {
        for (two_digits, present, year) in [
            (26, 2026, 2026),
            (76, 2026, 2076),
            (77, 2026, 1977),
            (0, 2026, 2000),
            (99, 2026, 1999),
            (48, 2098, 2148),
            (49, 2098, 2049),
            (0, 1999, 2000),
            (50, 2000, 2050),
            (51, 2000, 1951),
        ] {
            assert_eq!(full_year(two_digits, present), Some(year), "{two_digits} in {present}");
        }
    }

    #[test]
    fn what_names_no_package_is_refused_by_its_reason() {
        let good = "010400638133393117271130";
        let cases = [
            (String::new(), BarcodeError::NoBytes),
            ("\r\n".into(), BarcodeError::NoBytes),
            ("]d1123".into(), BarcodeError::Symbology),
            (format!("{good}10A"), BarcodeError::Missing { ai: "21" }),
            (format!("{good}21A"), BarcodeError::Missing { ai: "10" }),
            ("10A\x1d21B".into(), BarcodeError::Missing { ai: "01" }),
            (format!("{good}10A\x1d21B\x1d10A"), BarcodeError::Twice { ai: "10" }),
            (format!("{good}{good}"), BarcodeError::Twice { ai: "01" }),
            (
                format!("{good}10A\x1d21B\x1d8008260101"),
                BarcodeError::UnknownElement { position: 32 },
            ),
            (
                format!("{good}10\x1d21B"),
                BarcodeError::EmptyElement { ai: "10", position: 24 },
            ),
            (
                format!("{good}10A\x1d\x1d21B"),
                BarcodeError::UnknownElement { position: 28 },
            ),
            (format!("{good}10A B\x1d21B"), BarcodeError::Character { position: 27 }),
            (
                format!("{good}10\u{c4}\x1d21B"),
                BarcodeError::Character { position: 26 },
            ),
            (
                format!("{good}21123456789012345678901"),
                BarcodeError::TooManyCharacters {
                    ai: "21",
                    position: 24,
                    most: 20,
                    found: 21,
                },
            ),
            (
                "01040063813339".into(),
                BarcodeError::Length {
                    ai: "01",
                    position: 0,
                    expected: 14,
                    found: 12,
                },
            ),
            (
                "(01)4006381333931".into(),
                BarcodeError::Length {
                    ai: "01",
                    position: 0,
                    expected: 14,
                    found: 13,
                },
            ),
            (
                "010400638133393217271130".to_owned() + "10A\x1d21B",
                BarcodeError::Gtin(GtinError::CheckDigit { expected: 1, found: 2 }),
            ),
            (
                "010400638133393A1727113010A\x1d21B".into(),
                BarcodeError::Gtin(GtinError::NotDigits),
            ),
            ("01040063813339311727133110A\x1d21B".into(), BarcodeError::Date),
            ("01040063813339311727023010A\x1d21B".into(), BarcodeError::Date),
            ("010400638133393117+7023010A\x1d21B".into(), BarcodeError::Date),
            (
                "(01)04006381333931(1".into(),
                BarcodeError::UnknownElement { position: 18 },
            ),
            (
                "(01)04006381333931(017)271130".into(),
                BarcodeError::UnknownElement { position: 18 },
            ),
            (
                "(01)04006381333931(10)A\\B".into(),
                BarcodeError::Character { position: 23 },
            ),
            (
                "1".repeat(5000),
                BarcodeError::TooLong {
                    bytes: 5000,
                    bytes_max: SCAN_BYTES_MAX,
                },
            ),
        ];
        for (text, error) in cases {
            assert_eq!(Package::parse(&text, YEAR), Err(error), "{text:?}");
        }
    }

    #[test]
    fn no_identifier_begins_another() {
        for (place, (begin, ai_digits, _)) in ELEMENTS.iter().enumerate() {
            assert!(begin.len() <= *ai_digits);
            for (other, ..) in &ELEMENTS[place + 1..] {
                assert!(
                    !begin.starts_with(other) && !other.starts_with(begin),
                    "{begin} and {other}"
                );
            }
        }
    }
}
