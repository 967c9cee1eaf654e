//! What a file is, by its first bytes: names and extensions are not looked at.

use std::str;

use medlock_fhir::dicom;

use crate::error::{Error, Result};

/// How much of a file [`detect`] is given.
pub(crate) const HEAD_BYTES: usize = dicom::HEAD_BYTES;

/// What becomes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// FHIR R4 in JSON: a Bundle, one resource, or one a line. A record for each resource.
    Fhir,
    /// HL7 v2: a record for each message.
    Hl7v2,
    /// DICOM: one record.
    Dicom,
    /// Anything else: one record.
    Document,
}

impl Kind {
    pub const ALL: [Self; 4] = [Self::Fhir, Self::Hl7v2, Self::Dicom, Self::Document];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fhir => "fhir",
            Self::Hl7v2 => "hl7v2",
            Self::Dicom => "dicom",
            Self::Document => "document",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Beginnings that tell a document's media type.
const MAGIC: [(&[u8], &str); 14] = [
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xFF\xD8\xFF", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"{\\rtf", "application/rtf"),
    (b"PK\x03\x04", "application/zip"),
    (b"ID3", "audio/mpeg"),
    (b"OggS", "application/ogg"),
    (b"fLaC", "audio/flac"),
    (b"<!DOCTYPE html", "text/html"),
    (b"<html", "text/html"),
];

/// Kind and media type by the first [`HEAD_BYTES`], or the whole of a shorter file.
///
/// # Errors
/// [`Error::Unsuitable`] for what would be kept and never be found again: resources packed or in another encoding.
pub(crate) fn detect(head: &[u8]) -> Result<(Kind, &'static str)> {
    let unsuitable = |detail: &str| Err(Error::Unsuitable(detail.to_owned()));
    if head.is_empty() {
        return unsuitable("the file is empty");
    }
    if head.get(128..132) == Some(b"DICM") {
        return Ok((Kind::Dicom, dicom::MEDIA_TYPE));
    }
    if let Some((_, media_type)) = MAGIC.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Ok((Kind::Document, media_type));
    }
    if head.starts_with(b"RIFF") && head.get(8..12) == Some(b"WEBP") {
        return Ok((Kind::Document, "image/webp"));
    }
    let hl7v2: [&[u8]; 4] = [b"MSH", b"\x0bMSH", b"FHS|", b"BHS|"];
    if hl7v2.iter().any(|start| head.starts_with(start)) {
        return Ok((Kind::Hl7v2, medlock_fhir::hl7v2::MEDIA_TYPE));
    }
    if head.starts_with(b"\x1F\x8B") {
        return unsuitable("the file is compressed by gzip; unpack it first, or keep it as it is with --kind document");
    }
    if head.starts_with(b"\xFF\xFE") || head.starts_with(b"\xFE\xFF") {
        return unsuitable("the file is UTF-16; save it as UTF-8, or keep it as it is with --kind document");
    }
    let text = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head).trim_ascii_start();
    match text.first() {
        None => unsuitable("there is nothing but white space in the file"),
        Some(b'{' | b'[') if begins_json(text) || is_text(head) => Ok((Kind::Fhir, medlock_fhir::MEDIA_TYPE)),
        Some(b'<') if contains(text, b"http://hl7.org/fhir") => Err(medlock_fhir::Error::Xml.into()),
        Some(b'<') => Ok((Kind::Document, "application/xml")),
        Some(_) if is_text(head) => Ok((Kind::Document, "text/plain")),
        Some(_) => Ok((Kind::Document, "application/octet-stream")),
    }
}

/// Whether an object or a list begins as JSON has it, whatever follows.
fn begins_json(text: &[u8]) -> bool {
    let next = text[1..].trim_ascii_start().first();
    match text[0] {
        b'{' => matches!(next, None | Some(b'"' | b'}')),
        _ => matches!(next, None | Some(b'{' | b'[' | b']' | b'"')),
    }
}

fn contains(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|window| window == word)
}

/// UTF-8 without control characters. The head may end within a character.
fn is_text(head: &[u8]) -> bool {
    let text = match str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => str::from_utf8(&head[..error.valid_up_to()]).unwrap_or_default(),
        Err(_) => return false,
    };
    !text
        .chars()
        .any(|letter| letter.is_control() && !matches!(letter, '\t' | '\n' | '\r' | '\u{c}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_by_content() {
        let dicom = [&[0; 128][..], b"DICM\x02\0"].concat();
        let webp = b"RIFF\x10\0\0\0WEBPVP8 ";
        let cut = &"Grüße".as_bytes()[..3];
        for (head, kind, media_type) in [
            (&b" \n{\"resourceType\""[..], Kind::Fhir, "application/fhir+json"),
            (b"[]", Kind::Fhir, "application/fhir+json"),
            (b"{ resourceType: ", Kind::Fhir, "application/fhir+json"),
            (b"{\n\"id\":\"\xfc\0", Kind::Fhir, "application/fhir+json"),
            (b"{\x00\xff", Kind::Document, "application/octet-stream"),
            (b"\xEF\xBB\xBF{", Kind::Fhir, "application/fhir+json"),
            (b"MSH|^~\\&|", Kind::Hl7v2, "application/hl7-v2"),
            (b"\x0bMSH|", Kind::Hl7v2, "application/hl7-v2"),
            (b"BHS|^~\\&|", Kind::Hl7v2, "application/hl7-v2"),
            (&dicom, Kind::Dicom, "application/dicom"),
            (b"%PDF-1.7", Kind::Document, "application/pdf"),
            (b"{\\rtf1 x}", Kind::Document, "application/rtf"),
            (b"\xFF\xD8\xFF\xE0", Kind::Document, "image/jpeg"),
            (webp, Kind::Document, "image/webp"),
            (b"<ClinicalDocument/>", Kind::Document, "application/xml"),
            (b"Seen today.\n", Kind::Document, "text/plain"),
            (cut, Kind::Document, "text/plain"),
            (b"\x00\x01", Kind::Document, "application/octet-stream"),
            (b"Gr\xfc\xdfe", Kind::Document, "application/octet-stream"),
        ] {
            assert_eq!(detect(head).unwrap(), (kind, media_type), "{}", head.escape_ascii());
        }
        for head in [
            &b""[..],
            b" \r\n",
            b"\x1f\x8b\x08",
            b"\xff\xfe{\0",
            b"<Patient xmlns=\"http://hl7.org/fhir\"/>",
        ] {
            assert!(detect(head).unwrap_err().is_bad_input(), "{}", head.escape_ascii());
        }
        for kind in Kind::ALL {
            assert_eq!(Kind::from_name(kind.name()), Some(kind));
        }
    }
}
