//! The sign-in message (EIP-4361), in the one profile that gateways issue: with a statement and an expiration
//! time, without scheme, not-before, request id and resources.
//!
//! [`Message::parse`] accepts exactly what [`Message::to_text`] writes, byte for byte, so that a message has one
//! reading. A client parses what it is handed and compares domain, account and chain before it signs.
use alloy_primitives::{Address, B256, eip191_hash_message};

/// One sign-in. Times are UNIX seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// RFC 3986 authority of the gateway: host, and port where it is not the scheme's own.
    pub domain: String,
    pub address: Address,
    /// One line for the person who signs.
    pub statement: String,
    /// The gateway's base URL.
    pub uri: String,
    pub chain_id: u64,
    /// 8 to 64 letters and digits.
    pub nonce: String,
    pub issued_at: u64,
    pub expiration_time: u64,
}

/// Longest message worth reading; a message of ours is about 400 bytes.
pub const MESSAGE_BYTES_MOST: usize = 2048;
/// What the signer reads.
pub const STATEMENT: &str = "Sign in to this Medlock gateway. This moves no money and grants nobody access.";
/// 9999-12-31T23:59:59Z: RFC 3339 years have four digits.
const TIME_MOST: u64 = 253_402_300_799;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("the message is longer than {MESSAGE_BYTES_MOST} bytes")]
    TooLong,
    #[error("the message has no {0} where EIP-4361 wants it")]
    Missing(&'static str),
    #[error("the {0} is malformed")]
    Malformed(&'static str),
    #[error("the message is not in the form that gateways issue")]
    NotCanonical,
}

impl Message {
    pub fn to_text(&self) -> String {
        format!(
            "{} wants you to sign in with your Ethereum account:\n{}\n\n{}\n\nURI: {}\nVersion: 1\nChain ID: {}\nNonce: {}\nIssued At: {}\nExpiration Time: {}",
            self.domain,
            self.address.to_checksum(None),
            self.statement,
            self.uri,
            self.chain_id,
            self.nonce,
            rfc3339(self.issued_at),
            rfc3339(self.expiration_time),
        )
    }

    /// # Errors
    /// Anything that [`Message::to_text`] would not write.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.len() > MESSAGE_BYTES_MOST {
            return Err(Error::TooLong);
        }
        let mut lines = text.split('\n');
        let mut field = |prefix: &str, name: &'static str| {
            lines
                .next()
                .and_then(|line| line.strip_prefix(prefix))
                .ok_or(Error::Missing(name))
        };
        let domain = field("", "domain")?
            .strip_suffix(" wants you to sign in with your Ethereum account:")
            .ok_or(Error::Missing("domain"))?;
        let address = field("", "address")?;
        field("", "blank line")?;
        let statement = field("", "statement")?;
        field("", "blank line")?;
        let uri = field("URI: ", "URI")?;
        field("Version: ", "version")?;
        let chain_id = field("Chain ID: ", "chain id")?;
        let nonce = field("Nonce: ", "nonce")?;
        let issued_at = field("Issued At: ", "issue time")?;
        let expiration_time = field("Expiration Time: ", "expiration time")?;
        if !(8..=64).contains(&nonce.len()) || !nonce.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(Error::Malformed("nonce"));
        }
        if domain.is_empty() || !domain.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/') {
            return Err(Error::Malformed("domain"));
        }
        let message = Self {
            domain: domain.into(),
            address: Address::parse_checksummed(address, None).map_err(|_| Error::Malformed("address"))?,
            statement: statement.into(),
            uri: uri.into(),
            chain_id: chain_id.parse().map_err(|_| Error::Malformed("chain id"))?,
            nonce: nonce.into(),
            issued_at: parse_rfc3339(issued_at).ok_or(Error::Malformed("issue time"))?,
            expiration_time: parse_rfc3339(expiration_time).ok_or(Error::Malformed("expiration time"))?,
        };
        // Whatever the steps above let through (further lines, another version, `+1`) ends here.
        if message.to_text() == text {
            Ok(message)
        } else {
            Err(Error::NotCanonical)
        }
    }

    /// The digest that the account signs (EIP-191, version 0x45).
    pub fn signing_hash(&self) -> B256 {
        eip191_hash_message(self.to_text())
    }
}

/// `2026-11-21T04:05:11Z` (RFC 3339, UTC, whole seconds). Times past the year 9999 are written as its end.
fn rfc3339(time: u64) -> String {
    let time = time.min(TIME_MOST);
    let (year, month, day) = civil_from_days(time / 86_400);
    let second = time % 86_400;
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z",
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

fn parse_rfc3339(text: &str) -> Option<u64> {
    let bytes = text.as_bytes();
    if bytes.len() != 20 || !text.is_ascii() {
        return None;
    }
    let number = |from: usize, to: usize| -> Option<u64> {
        let digits = &bytes[from..to];
        digits
            .iter()
            .all(u8::is_ascii_digit)
            .then(|| digits.iter().fold(0, |n, digit| n * 10 + u64::from(digit - b'0')))
    };
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if year < 1970 || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let time = days_from_civil(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    // Separators, month lengths and ranges at once: only the canonical text writes back to itself.
    (rfc3339(time) == text).then_some(time)
}

/// Proleptic Gregorian date of a day since 1970-01-01 (Howard Hinnant, "chrono-compatible low-level date algorithms").
fn civil_from_days(days: u64) -> (u64, u64, u64) {
    let z = days + 719_468;
    let day_of_era = z % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    (
        z / 146_097 * 400 + year_of_era + u64::from(month <= 2),
        month,
        day_of_year - (153 * shifted_month + 2) / 5 + 1,
    )
}

/// The inverse, for years from 1970.
fn days_from_civil(year: u64, month: u64, day: u64) -> u64 {
    let year = if month <= 2 { year - 1 } else { year };
    let shifted_month = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * shifted_month + 2) / 5 + day - 1;
    let year_of_era = year % 400;
    year / 400 * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::address;

    fn message() -> Message {
        Message {
            domain: "127.0.0.1:8547".into(),
            address: address!("5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"),
            statement: STATEMENT.into(),
            uri: "http://127.0.0.1:8547".into(),
            chain_id: 412_346,
            nonce: "a0b1c2d3e4f5".into(),
            issued_at: 1_795_233_911,
            expiration_time: 1_795_234_211,
        }
    }

    #[test]
    fn writes_the_text_of_eip_4361() {
        let want = "127.0.0.1:8547 wants you to sign in with your Ethereum account:\n\
            0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\n\
            \n\
            Sign in to this Medlock gateway. This moves no money and grants nobody access.\n\
            \n\
            URI: http://127.0.0.1:8547\n\
            Version: 1\n\
            Chain ID: 412346\n\
            Nonce: a0b1c2d3e4f5\n\
            Issued At: 2026-11-21T04:05:11Z\n\
            Expiration Time: 2026-11-21T04:10:11Z";
        assert_eq!(message().to_text(), want);
        assert_eq!(Message::parse(want), Ok(message()));
    }

    #[test]
    fn refuses_every_other_reading() {
        let text = message().to_text();
        let edits = [
            ("127.0.0.1:8547 wants", "https://127.0.0.1:8547 wants"),
            ("0x5aAeb6", "0x5aaeb6"),
            ("Version: 1", "Version: 2"),
            ("Chain ID: 412346", "Chain ID: +412346"),
            ("Chain ID: 412346", "Chain ID: 0412346"),
            ("Nonce: a0b1c2d3e4f5", "Nonce: a0b1c2"),
            ("Nonce: a0b1c2d3e4f5", "Nonce: a0b1-2d3e4f5"),
            ("04:05:11Z", "04:05:11+00:00"),
            ("2026-11-21T04:05", "2026-02-30T04:05"),
            ("2026-11-21T04:05", "2026-11-21T24:05"),
            ("04:10:11Z", "04:10:11Z\nResources:\n- x"),
            ("04:10:11Z", "04:10:11Z\n"),
            ("\n\nURI", "\n\nextra\nURI"),
            ("\nExpiration Time: 2026-11-21T04:10:11Z", ""),
            ("\n", "\r\n"),
        ];
        for (from, to) in edits {
            let edited = text.replace(from, to);
            assert_ne!(edited, text, "no such part: {from}");
            assert!(Message::parse(&edited).is_err(), "{edited}");
        }
        assert_eq!(Message::parse(&"x".repeat(3000)), Err(Error::TooLong));
        assert!(Message::parse("").is_err());
    }

    #[test]
    fn dates_go_there_and_back() {
        for (time, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (TIME_MOST, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(rfc3339(time), text);
            assert_eq!(parse_rfc3339(text), Some(time));
        }
        for day in (0..40_000).step_by(17) {
            assert_eq!(parse_rfc3339(&rfc3339(day * 86_400)), Some(day * 86_400));
        }
        assert_eq!(parse_rfc3339("2100-02-29T00:00:00Z"), None);
        assert_eq!(parse_rfc3339("2026-11-21 04:05:11Z"), None);
        assert_eq!(parse_rfc3339("202é-11-21T04:05:1Z"), None);
    }
}
