//! Days of the Gregorian calendar, as they are printed on boxes. Times are UNIX seconds, UTC.
use std::fmt;

use medlock_abi::terms::TIME_MOST;
use medlock_fhir::facade::time::{date, day_number};
use serde::{Deserialize, Serialize};

const DAY_S: u64 = 24 * 60 * 60;
const EPOCH_YEAR: u16 = 1970;

/// A day from 1970-01-01 on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Day {
    year: u16,
    month: u8,
    day: u8,
}

/// The text is no day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no day of the calendar from 1970 on; write it as YYYY-MM-DD")]
pub struct NoDay;

impl Day {
    /// `None`: the calendar has no such day, or it is before 1970.
    pub fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        let day = Self { year, month, day };
        // Only of a day that there is the number leads back to it.
        (year >= EPOCH_YEAR && Self::of_number(day.number()) == day).then_some(day)
    }

    /// The last day of the month.
    pub fn last_of(year: u16, month: u8) -> Option<Self> {
        Self::new(year, month, 1)?;
        let (year, month) = (i128::from(year), i128::from(month));
        let (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
        Some(Self::of_number(day_number(year, month, 1) - 1))
    }

    /// The day on which this time is. Later times than the contracts can hold count as the last of those.
    pub fn of_time(time_s: u64) -> Self {
        Self::of_number((time_s.min(TIME_MOST) / DAY_S).into())
    }

    /// Days since 1970-01-01.
    fn number(self) -> i128 {
        day_number(self.year.into(), self.month.into(), self.day.into())
    }

    /// TIME_MOST is in the year 36812, and years before the epoch are not asked for.
    fn of_number(number: i128) -> Self {
        let (year, month, day) = date(number);
        Self {
            year: year as u16,
            month: month as u8,
            day: day as u8,
        }
    }

    /// Its first second.
    pub fn starts_at(self) -> u64 {
        // No day before the epoch is made.
        self.number() as u64 * DAY_S
    }

    /// The second after it. What expires on this day has expired from then on.
    pub fn ends_at(self) -> u64 {
        self.starts_at() + DAY_S
    }

    pub const fn year(self) -> u16 {
        self.year
    }

    pub const fn month(self) -> u8 {
        self.month
    }

    pub const fn day(self) -> u8 {
        self.day
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

/// As ISO 8601 has it: `YYYY-MM-DD`.
impl std::str::FromStr for Day {
    type Err = NoDay;

    fn from_str(text: &str) -> Result<Self, NoDay> {
        let bytes = text.as_bytes();
        if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
            return Err(NoDay);
        }
        let number = |part: std::ops::Range<usize>| digits(&bytes[part]).ok_or(NoDay);
        let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
        Self::new(year as u16, month as u8, day as u8).ok_or(NoDay)
    }
}

impl TryFrom<String> for Day {
    type Error = NoDay;

    fn try_from(text: String) -> Result<Self, NoDay> {
        text.parse()
    }
}

impl From<Day> for String {
    fn from(day: Day) -> Self {
        day.to_string()
    }
}

/// The number that these digits write. `None`: none, too many, or other characters.
pub(crate) fn digits(bytes: &[u8]) -> Option<u64> {
    if bytes.is_empty() {
        return None;
    }
    bytes.iter().try_fold(0_u64, |number, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_times_go_there_and_back() {
        let mut time = 0;
        // Every day of two 400-year cycles.
        for _ in 0..2 * 146_097 {
            let day = Day::of_time(time);
            assert_eq!(Day::new(day.year, day.month, day.day), Some(day));
            assert_eq!(day.starts_at(), time);
            assert_eq!(Day::of_time(time + DAY_S - 1), day);
            time = day.ends_at();
        }
        assert_eq!(Day::of_time(u64::MAX), Day::of_time(TIME_MOST));
        assert_eq!(Day::of_time(TIME_MOST).year(), 36_812);
    }

    #[test]
    fn known_days_have_their_times() {
        for (text, time) in [
            ("1970-01-01", 0),
            ("2000-02-29", 951_782_400),
            ("2001-09-09", 999_993_600),
            ("2026-12-31", 1_798_675_200),
            ("2100-03-01", 4_107_542_400),
        ] {
            assert_eq!(text.parse::<Day>().unwrap().starts_at(), time, "{text}");
            assert_eq!(Day::of_time(time).to_string(), text);
        }
    }

    #[test]
    fn what_the_calendar_does_not_have_is_refused() {
        for text in [
            "",
            "2026-02-29",
            "2100-02-29",
            "2026-04-31",
            "2026-00-01",
            "2026-13-01",
            "2026-01-00",
            "1969-12-31",
            "26-01-01",
            "2026/01/01",
            "2026-1-01",
            "+026-01-01",
            "2026-01-01 ",
            "2026-01-\u{661}",
        ] {
            assert_eq!(text.parse::<Day>(), Err(NoDay), "{text}");
        }
        assert_eq!(Day::last_of(2024, 2), Day::new(2024, 2, 29));
        assert_eq!(Day::last_of(2024, 13), None);
    }
}
