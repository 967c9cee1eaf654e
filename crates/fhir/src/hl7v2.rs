//! HL7 v2 messages, as opaque documents: the header tells what they are, and nothing else is read.
//!
//! A message is kept byte for byte as one record. What is taken from it goes into the encrypted metadata beside it.

use std::str;

use crate::Label;
use crate::facade::time;

/// The media type of a message, as HL7 over HTTP names it.
pub const MEDIA_TYPE: &str = "application/hl7-v2";
/// The largest message: it is held in memory. Documents inside messages (OBX-5, base64) make them large.
pub const MESSAGE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Messages of one file: each becomes a record on chain.
pub const MESSAGES_MAX: usize = crate::ENTRIES_MAX;
/// The longest value that is taken (MSH-10 has 199 characters at most since v2.7; others are shorter).
const VALUE_BYTES_MAX: usize = 199;

/// What a message says of itself (MSH), and whether it names a patient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// MSH-9.1: `ORU`, `ADT`.
    pub code: String,
    /// MSH-9.2: `R01`. Acknowledgements have none.
    pub event: Option<String>,
    /// MSH-10.
    pub control_id: String,
    /// MSH-7 as a FHIR dateTime; without the time of day where no time zone is given, as FHIR wants both or neither.
    pub sent_at: Option<String>,
    /// MSH-12.1: `2.5.1`.
    pub version: String,
    /// MSH-18, first repetition: the character set. Absent: ASCII.
    pub charset: Option<String>,
    /// A PID segment has an identifier (PID-3). Which, is not read.
    pub names_patient: bool,
}

/// Why a file was not taken for a message. Repeats no content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("the file has more than {bytes_max} bytes, too many for one HL7 v2 message")]
    TooLarge { bytes_max: usize },
    #[error("the file does not begin with MSH; choose HL7 v2 messages without a batch header (FHS, BHS)")]
    NoHeader,
    #[error("the file has more than {messages_max} messages; split it")]
    TooMany { messages_max: usize },
    #[error("MLLP block {index} does not end with FS and CR, or something stands before the next")]
    Framing { index: usize },
    #[error("the delimiters in MSH-1 and MSH-2 are missing, or not five different signs")]
    Delimiters,
    #[error("segment {index} does not begin with a segment's name and the field separator")]
    Segment { index: usize },
    #[error("the file has more than one message; split it")]
    SeveralMessages,
    #[error("MSH-{field} is missing, too long, or has another form than HL7 gives it")]
    Field { field: usize },
}

impl Message {
    /// What kind of record it is. The content is not looked at: whether it is sensitive, whoever imports it has to say.
    #[must_use]
    pub fn category(&self) -> Label {
        match &self.code[..] {
            "ORU" | "OUL" | "OML" => Label::Labs,
            "ADT" | "SIU" => Label::Encounters,
            "VXU" | "VXX" => Label::Immunisations,
            "RDE" | "RDS" | "RGV" | "RAS" | "OMP" => Label::Medications,
            "DFT" | "BAR" => Label::Claims,
            "ORM" | "OMG" => Label::Procedures,
            "OMI" => Label::Imaging,
            "MDM" => Label::Documents,
            _ => Label::Other,
        }
    }

    /// For a list: `HL7 v2 ORU^R01`.
    #[must_use]
    pub fn title(&self) -> String {
        match &self.event {
            Some(event) => format!("HL7 v2 {}^{event}", self.code),
            None => format!("HL7 v2 {}", self.code),
        }
    }
}

/// The messages of a file: the whole of it, or, where it begins with the VT of MLLP, the content of each block.
///
/// # Errors
/// [`Error::Framing`], [`Error::TooMany`]. The messages themselves are not looked at.
pub fn messages(bytes: &[u8]) -> Result<Vec<&[u8]>, Error> {
    const START: u8 = 0x0B;
    const END: u8 = 0x1C;
    if bytes.first() != Some(&START) {
        return Ok(vec![bytes]);
    }
    let mut messages = Vec::new();
    let mut rest = bytes;
    // Tools that write blocks into files put line ends between them.
    while !rest.is_empty() {
        let index = messages.len();
        if index == MESSAGES_MAX {
            return Err(Error::TooMany {
                messages_max: MESSAGES_MAX,
            });
        }
        let block = rest.strip_prefix(&[START]).ok_or(Error::Framing { index })?;
        let end = block
            .iter()
            .position(|byte| *byte == END)
            .ok_or(Error::Framing { index })?;
        if block.get(end + 1) != Some(&b'\r') {
            return Err(Error::Framing { index });
        }
        messages.push(&block[..end]);
        rest = block[end + 2..].trim_ascii_start();
    }
    Ok(messages)
}

/// Reads the header of one message. Segments end with CR as HL7 has it, or with LF or CR LF, as files do.
///
/// # Errors
/// [`Error`].
pub fn read(bytes: &[u8]) -> Result<Message, Error> {
    if bytes.len() > MESSAGE_BYTES_MAX {
        return Err(Error::TooLarge {
            bytes_max: MESSAGE_BYTES_MAX,
        });
    }
    if !bytes.starts_with(b"MSH") {
        return Err(Error::NoHeader);
    }
    let delimiters = Delimiters::of(bytes)?;
    let mut segments = bytes.split(|byte| matches!(byte, b'\r' | b'\n')).enumerate();
    // MSH-1 is the separator itself, so that the first field of the split is MSH-1's name, and the second MSH-2.
    let header: Vec<_> = match segments.next() {
        Some((_, header)) => header.split(|byte| *byte == delimiters.field).collect(),
        None => return Err(Error::NoHeader),
    };
    let mut names_patient = false;
    for (index, segment) in segments.filter(|(_, segment)| !segment.is_empty()) {
        let mut fields = segment.split(|byte| *byte == delimiters.field);
        let name = fields
            .next()
            .filter(|name| is_segment_name(name))
            .ok_or(Error::Segment { index })?;
        match name {
            b"MSH" => return Err(Error::SeveralMessages),
            // `""` deletes a value.
            b"PID" => names_patient |= fields.nth(2).is_some_and(|ids| !matches!(ids, b"" | b"\"\"")),
            _ => {}
        }
    }
    let field = |number: usize| Field {
        number,
        text: header.get(number - 1).copied().unwrap_or_default(),
    };
    let kind = field(9);
    Ok(Message {
        code: kind.component(&delimiters, 0, is_upper)?.ok_or(kind.error())?,
        event: kind.component(&delimiters, 1, is_upper)?,
        control_id: field(10).whole(is_printable)?.ok_or(field(10).error())?,
        sent_at: match field(7).component(&delimiters, 0, is_time)? {
            Some(text) => Some(date_time(&text).ok_or(field(7).error())?),
            None => None,
        },
        version: field(12)
            .component(&delimiters, 0, is_version)?
            .ok_or(field(12).error())?,
        charset: field(18).repetition(&delimiters)?,
        names_patient,
    })
}

struct Delimiters {
    field: u8,
    component: u8,
    repetition: u8,
}

impl Delimiters {
    /// MSH-1, then four signs, or five since v2.7, up to the next field.
    fn of(bytes: &[u8]) -> Result<Self, Error> {
        let field = *bytes.get(3).ok_or(Error::Delimiters)?;
        let rest = &bytes[4..];
        let end = rest.iter().position(|byte| *byte == field).ok_or(Error::Delimiters)?;
        let signs = &rest[..end];
        let is_sign = |byte: &u8| byte.is_ascii_graphic() && !byte.is_ascii_alphanumeric();
        let is_distinct = (1..signs.len()).all(|i| !signs[..i].contains(&signs[i]));
        match signs {
            [component, repetition, _, _] | [component, repetition, _, _, _]
                if is_sign(&field) && signs.iter().all(is_sign) && is_distinct =>
            {
                Ok(Self {
                    field,
                    component: *component,
                    repetition: *repetition,
                })
            }
            _ => Err(Error::Delimiters),
        }
    }
}

struct Field<'a> {
    number: usize,
    text: &'a [u8],
}

impl Field<'_> {
    fn error(&self) -> Error {
        Error::Field { field: self.number }
    }

    fn component(&self, delimiters: &Delimiters, index: usize, form: fn(u8) -> bool) -> Result<Option<String>, Error> {
        let mut components = self.text.split(|byte| *byte == delimiters.component);
        self.value(components.nth(index).unwrap_or_default(), form)
    }

    fn whole(&self, form: fn(u8) -> bool) -> Result<Option<String>, Error> {
        self.value(self.text, form)
    }

    fn repetition(&self, delimiters: &Delimiters) -> Result<Option<String>, Error> {
        let mut repetitions = self.text.split(|byte| *byte == delimiters.repetition);
        self.value(repetitions.next().unwrap_or_default(), is_printable)
    }

    fn value(&self, text: &[u8], form: fn(u8) -> bool) -> Result<Option<String>, Error> {
        if text.len() > VALUE_BYTES_MAX || !text.iter().all(|byte| form(*byte)) {
            return Err(self.error());
        }
        let text = str::from_utf8(text).map_err(|_| self.error())?;
        Ok(Some(text.to_owned()).filter(|text| !text.is_empty()))
    }
}

/// A letter and two letters or digits.
fn is_segment_name(name: &[u8]) -> bool {
    name.len() == 3 && name[0].is_ascii_uppercase() && name[1..].iter().all(|byte| is_upper(*byte))
}

fn is_upper(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

fn is_printable(byte: u8) -> bool {
    byte.is_ascii_graphic() || byte == b' '
}

fn is_version(byte: u8) -> bool {
    byte.is_ascii_digit() || byte == b'.'
}

fn is_time(byte: u8) -> bool {
    byte.is_ascii_digit() || b".+-".contains(&byte)
}

/// `YYYY[MM[DD[HH[MM[SS[.S[S[S[S]]]]]]]]][+/-ZZZZ]` (v2.5, chapter 2A, DTM) as FHIR writes it.
fn date_time(text: &str) -> Option<String> {
    let (local, zone) = match text.find(['+', '-']) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let (digits, fraction) = local
        .split_once('.')
        .map_or((local, None), |(digits, f)| (digits, Some(f)));
    let part = |from: usize| digits.get(from..from + 2);
    if digits.len() % 2 != 0 || !(4..=14).contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let mut date = digits[..4].to_owned();
    for from in [4, 6] {
        date.extend(part(from).map(|two| format!("-{two}")));
    }
    let zone = match zone.as_bytes() {
        [] => None,
        [_, digits @ ..] if digits.len() == 4 && digits.iter().all(u8::is_ascii_digit) => {
            Some(format!("{}:{}", &zone[..3], &zone[3..]))
        }
        _ => return None,
    };
    let is_fraction = |f: &str| (1..=4).contains(&f.len()) && f.bytes().all(|b| b.is_ascii_digit());
    if fraction.is_some_and(|f| digits.len() != 14 || !is_fraction(f)) {
        return None;
    }
    // Checked whole, also where the time of day is left out.
    let seconds = part(12).unwrap_or("00");
    let fraction = fraction.map(|f| format!(".{f}")).unwrap_or_default();
    let time_of_day = part(8).map(|hour| format!("T{hour}:{}:{seconds}{fraction}", part(10).unwrap_or("00")));
    let zoned = format!(
        "{date}{}{}",
        time_of_day.as_deref().unwrap_or_default(),
        zone.as_deref().filter(|_| time_of_day.is_some()).unwrap_or_default()
    );
    time::parse(&zoned)?;
    Some(if zone.is_some() && digits.len() == 14 {
        zoned
    } else {
        date
    })
}

#[cfg(test)]
mod tests;
