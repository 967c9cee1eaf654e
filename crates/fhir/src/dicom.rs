//! DICOM files (PS3.10), as opaque documents: what they are, and nothing of whom.
//!
//! A file is kept byte for byte as one record. Its first bytes tell what kind of image it is and which study it belongs to; that
//! goes into the encrypted metadata beside it. Patient's name, id and birth date are skipped unread. An own reader, as the crates
//! that read DICOM bring pixels, networking or a dictionary of all elements.

use std::str;

use crate::Label;
use crate::facade::time;

pub const MEDIA_TYPE: &str = "application/dicom";
/// How much of a file is enough, unless a private element of its own size stands before the study's identifiers.
pub const HEAD_BYTES: usize = 1024 * 1024;
/// Sequences in sequences. Real ones stay under 10.
const DEPTH_MAX: usize = 16;

/// What a file says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// (0002,0010).
    pub transfer_syntax: String,
    /// (0008,0016): which kind of object.
    pub sop_class: String,
    /// (0008,0018): which object.
    pub sop_instance: String,
    /// (0008,0020) as a FHIR date.
    pub study_date: Option<String>,
    /// (0008,0060): `CT`, `MR`.
    pub modality: Option<String>,
    /// (0020,000D).
    pub study: String,
    /// (0020,000E).
    pub series: String,
}

/// Why a file was not taken. Repeats no content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("the file is no DICOM file: DICM does not stand at byte 128")]
    NotDicom,
    #[error("the file ends before what identifies its study")]
    Truncated,
    #[error(
        "the file is written deflated or with the most significant byte first; convert it to Explicit VR Little Endian"
    )]
    TransferSyntax,
    #[error("element ({group:04x},{element:04x}) is missing, out of order, or has another form than DICOM gives it")]
    Element { group: u16, element: u16 },
    #[error("sequences nest more than {depth_max} deep")]
    TooDeep { depth_max: usize },
}

impl File {
    /// What kind of record it is. The content is not looked at: whether it is sensitive, whoever imports it has to say.
    #[must_use]
    pub fn category(&self) -> Label {
        match self.modality.as_deref() {
            // Structured reports, encapsulated documents.
            Some("SR" | "DOC") => Label::Documents,
            _ => Label::Imaging,
        }
    }

    /// For a list: `DICOM CT`.
    #[must_use]
    pub fn title(&self) -> String {
        format!("DICOM {}", self.modality.as_deref().unwrap_or("object"))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Tag(u16, u16);

const META_GROUP: u16 = 0x0002;
const TRANSFER_SYNTAX: Tag = Tag(META_GROUP, 0x0010);
const SOP_CLASS: Tag = Tag(0x0008, 0x0016);
const SOP_INSTANCE: Tag = Tag(0x0008, 0x0018);
const STUDY_DATE: Tag = Tag(0x0008, 0x0020);
const MODALITY: Tag = Tag(0x0008, 0x0060);
const STUDY: Tag = Tag(0x0020, 0x000D);
/// The last that is wanted: elements stand in the order of their tags.
const SERIES: Tag = Tag(0x0020, 0x000E);
const ITEM: Tag = Tag(0xFFFE, 0xE000);
const ITEM_END: Tag = Tag(0xFFFE, 0xE00D);
const SEQUENCE_END: Tag = Tag(0xFFFE, 0xE0DD);

const IMPLICIT_LITTLE: &str = "1.2.840.10008.1.2";
const DEFLATED: &str = "1.2.840.10008.1.2.1.99";
const EXPLICIT_BIG: &str = "1.2.840.10008.1.2.2";
/// The length of what ends with a delimiter.
const UNDEFINED: u32 = u32::MAX;

/// Reads the head of a file: the whole of it, or its first [`HEAD_BYTES`].
///
/// # Errors
/// [`Error`]. `Truncated` for a head means that more of the file is needed.
pub fn read(bytes: &[u8]) -> Result<File, Error> {
    if bytes.get(128..132) != Some(b"DICM") {
        return Err(Error::NotDicom);
    }
    let mut reader = Reader {
        bytes: &bytes[132..],
        at: 0,
    };
    // The meta group is always explicit and little endian (PS3.10 section 7.1).
    let meta = reader.values(true, &[TRANSFER_SYNTAX], |tag| tag.0 != META_GROUP)?;
    let transfer_syntax = uid(&meta, TRANSFER_SYNTAX)?;
    if matches!(&transfer_syntax[..], DEFLATED | EXPLICIT_BIG) {
        return Err(Error::TransferSyntax);
    }
    let wanted = [SOP_CLASS, SOP_INSTANCE, STUDY_DATE, MODALITY, STUDY, SERIES];
    let is_explicit = transfer_syntax != IMPLICIT_LITTLE;
    let values = reader.values(is_explicit, &wanted, |tag| tag > SERIES)?;
    Ok(File {
        sop_class: uid(&values, SOP_CLASS)?,
        sop_instance: uid(&values, SOP_INSTANCE)?,
        study_date: study_date(&values)?,
        modality: text(&values, MODALITY, 16, |b| {
            b.is_ascii_uppercase() || b.is_ascii_digit() || b"_ ".contains(&b)
        })?,
        study: uid(&values, STUDY)?,
        series: uid(&values, SERIES)?,
        transfer_syntax,
    })
}

type Values<'a> = Vec<(Tag, &'a [u8])>;

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// The values of `wanted`, up to the first element that `is_past`, or the end.
    fn values(&mut self, is_explicit: bool, wanted: &[Tag], is_past: fn(Tag) -> bool) -> Result<Values<'a>, Error> {
        let mut values = Vec::new();
        let mut last = None;
        while self.at < self.bytes.len() {
            let start = self.at;
            // Before its header is read: what follows the meta group may be in the other encoding.
            let is_over = is_past(self.tag()?);
            self.at = start;
            if is_over {
                break;
            }
            let header = self.header(is_explicit)?;
            if last.is_some_and(|last| header.tag <= last) {
                return Err(header.tag.error());
            }
            last = Some(header.tag);
            if header.length == UNDEFINED {
                self.skip_sequence(is_explicit && header.vr != *b"UN", DEPTH_MAX)?;
                continue;
            }
            let value = self.take(header.length)?;
            if wanted.contains(&header.tag) {
                values.push((header.tag, value));
            }
        }
        Ok(values)
    }

    fn header(&mut self, is_explicit: bool) -> Result<Header, Error> {
        let tag = self.tag()?;
        if !is_explicit || tag.0 == ITEM.0 {
            let length = self.u32()?;
            return Ok(Header {
                tag,
                vr: [0; 2],
                length,
            });
        }
        let vr = [self.u8()?, self.u8()?];
        let length = match &vr {
            // PS3.5 table 7.1-1: two bytes of nothing, and a length of four.
            b"OB" | b"OD" | b"OF" | b"OL" | b"OV" | b"OW" | b"SQ" | b"SV" | b"UC" | b"UN" | b"UR" | b"UT" | b"UV" => {
                self.u16()?;
                self.u32()?
            }
            _ if vr.iter().all(u8::is_ascii_uppercase) => self.u16()?.into(),
            _ => return Err(tag.error()),
        };
        Ok(Header { tag, vr, length })
    }

    /// Over the items of a sequence without a length. Each turn consumes eight bytes or more, so it ends with the file.
    fn skip_sequence(&mut self, is_explicit: bool, depth: usize) -> Result<(), Error> {
        if depth == 0 {
            return Err(Error::TooDeep { depth_max: DEPTH_MAX });
        }
        loop {
            let header = self.header(is_explicit)?;
            match header.tag {
                SEQUENCE_END => return Ok(()),
                ITEM if header.length == UNDEFINED => self.skip_item(is_explicit, depth)?,
                ITEM => drop(self.take(header.length)?),
                other => return Err(other.error()),
            }
        }
    }

    fn skip_item(&mut self, is_explicit: bool, depth: usize) -> Result<(), Error> {
        loop {
            let header = self.header(is_explicit)?;
            if header.tag == ITEM_END {
                return Ok(());
            }
            if header.length == UNDEFINED {
                self.skip_sequence(is_explicit && header.vr != *b"UN", depth - 1)?;
            } else {
                self.take(header.length)?;
            }
        }
    }

    fn take(&mut self, length: u32) -> Result<&'a [u8], Error> {
        let length = usize::try_from(length).map_err(|_| Error::Truncated)?;
        let end = self.at.checked_add(length).ok_or(Error::Truncated)?;
        let bytes = self.bytes.get(self.at..end).ok_or(Error::Truncated)?;
        self.at = end;
        Ok(bytes)
    }

    fn tag(&mut self) -> Result<Tag, Error> {
        Ok(Tag(self.u16()?, self.u16()?))
    }

    fn u8(&mut self) -> Result<u8, Error> {
        Ok(self.take(1)?[0])
    }

    fn u16(&mut self) -> Result<u16, Error> {
        Ok(u16::from_le_bytes([self.u8()?, self.u8()?]))
    }

    fn u32(&mut self) -> Result<u32, Error> {
        Ok(u32::from_le_bytes([self.u8()?, self.u8()?, self.u8()?, self.u8()?]))
    }
}

struct Header {
    tag: Tag,
    vr: [u8; 2],
    length: u32,
}

impl Tag {
    fn error(self) -> Error {
        Error::Element {
            group: self.0,
            element: self.1,
        }
    }
}

/// Without the padding to an even length; `None` where it is empty or not there.
fn text(values: &Values<'_>, tag: Tag, bytes_max: usize, form: fn(u8) -> bool) -> Result<Option<String>, Error> {
    let Some((_, bytes)) = values.iter().find(|(found, _)| *found == tag) else {
        return Ok(None);
    };
    let text = str::from_utf8(bytes)
        .map_err(|_| tag.error())?
        .trim_end_matches(['\0', ' '])
        .trim_start_matches(' ');
    if text.len() > bytes_max || !text.bytes().all(form) {
        return Err(tag.error());
    }
    Ok(Some(text.to_owned()).filter(|text| !text.is_empty()))
}

fn uid(values: &Values<'_>, tag: Tag) -> Result<String, Error> {
    let uid = text(values, tag, 64, |b| b.is_ascii_digit() || b == b'.')?;
    uid.ok_or(tag.error())
}

/// `YYYYMMDD` as FHIR writes it.
fn study_date(values: &Values<'_>) -> Result<Option<String>, Error> {
    let Some(digits) = text(values, STUDY_DATE, 8, |b| b.is_ascii_digit())? else {
        return Ok(None);
    };
    if digits.len() != 8 {
        return Err(STUDY_DATE.error());
    }
    let date = format!("{}-{}-{}", &digits[..4], &digits[4..6], &digits[6..]);
    time::parse(&date).ok_or(STUDY_DATE.error())?;
    Ok(Some(date))
}

#[cfg(test)]
mod tests;
