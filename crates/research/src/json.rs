//! JSON in one form: strict to read, canonical to write.

use serde::de::{Deserialize, DeserializeOwned, Deserializer};
use serde::ser::Serialize;

/// Why JSON was not taken. Repeats nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error("it has {bytes} bytes, more than the {bytes_max} that are read")]
    TooLarge { bytes: usize, bytes_max: usize },
    #[error("it is not JSON (line {line}, column {column}), or ends too early")]
    NotJson { line: usize, column: usize },
    #[error(
        "it is JSON of another form (line {line}, column {column}): a property is missing, unknown, there twice or of another type"
    )]
    OtherForm { line: usize, column: usize },
    #[error("it says that it is of another format or version than this program reads")]
    OtherFormat,
}

pub(crate) fn read<T: DeserializeOwned>(bytes: &[u8], bytes_max: usize) -> Result<T, Unreadable> {
    if bytes.len() > bytes_max {
        return Err(Unreadable::TooLarge {
            bytes: bytes.len(),
            bytes_max,
        });
    }
    serde_json::from_slice(bytes).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        match error.classify() {
            serde_json::error::Category::Data => Unreadable::OtherForm { line, column },
            _ => Unreadable::NotJson { line, column },
        }
    })
}

/// Refuses an unknown format before anything is made of the rest.
pub(crate) fn require_format(given: &str, expected: &str) -> Result<(), Unreadable> {
    if given != expected {
        return Err(Unreadable::OtherFormat);
    }
    Ok(())
}

/// RFC 8785, for what has ASCII names and no numbers past 2^53: names sorted, no white space.
pub(crate) fn canonical(value: &impl Serialize) -> String {
    let mut value = serde_json::to_value(value).expect("our formats have text for names and no failing serializer");
    value.sort_all_objects();
    value.to_string()
}

/// For a property that may be absent, but not null: with `default`.
pub(crate) fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Text that people read, on a terminal too: something, not too long, without control characters.
pub(crate) fn is_plain(text: &str, bytes_max: usize) -> bool {
    !text.trim().is_empty() && text.len() <= bytes_max && !text.chars().any(char::is_control)
}
