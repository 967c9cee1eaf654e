//! Times with the zone of where they were.
use std::fmt;

use medlock_fhir::facade::time::{self, Precision};

use crate::day::{Day, digits};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;
const MILLISECOND_NS: i128 = 1_000_000;
/// No place on earth is further from UTC.
const OFFSET_MINUTES_MOST: i16 = 14 * 60;

/// A moment, to the millisecond, and how far the place was from UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventTime {
    unix_ms: u64,
    offset_minutes: i16,
}

impl EventTime {
    /// `None`: outside of the years 1971 to 9998, or further than 14 hours from UTC.
    pub fn new(unix_ms: u64, offset_minutes: i16) -> Option<Self> {
        let year = Day::of_time(unix_ms / 1000).year();
        let is_possible = (1971..=9998).contains(&year) && offset_minutes.unsigned_abs() <= OFFSET_MINUTES_MOST as u16;
        is_possible.then_some(Self {
            unix_ms,
            offset_minutes,
        })
    }

    pub const fn unix_ms(self) -> u64 {
        self.unix_ms
    }

    pub const fn offset_minutes(self) -> i16 {
        self.offset_minutes
    }

    /// `+hh:mm`.
    pub fn offset(self) -> String {
        let minutes = self.offset_minutes.unsigned_abs();
        let sign = if self.offset_minutes < 0 { '-' } else { '+' };
        format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }

    /// Reads a time with its zone (RFC 3339; a fraction finer than milliseconds is cut).
    pub(super) fn parse(text: &str) -> Option<Self> {
        let moment = time::parse(text)?;
        // A leap second is FHIR's, and no clock of a warehouse shows one.
        if !moment.zoned || moment.precision < Precision::Second || text.get(17..19) == Some("60") {
            return None;
        }
        let offset = match text.strip_suffix('Z') {
            Some(_) => 0,
            None => parse_offset(text.get(text.len().checked_sub(6)?..)?)?,
        };
        let unix_ms = u64::try_from(moment.range.from.div_euclid(MILLISECOND_NS)).ok()?;
        Self::new(unix_ms, offset)
    }
}

/// The time on the clocks of the place, with its zone.
impl fmt::Display for EventTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `new` takes no time that is within 14 hours of the epoch.
        let local = self
            .unix_ms
            .saturating_add_signed(i64::from(self.offset_minutes) * 60_000);
        let (day, of_day) = (Day::of_time(local / 1000), local % DAY_MS);
        let seconds = of_day / 1000;
        write!(
            f,
            "{day}T{:02}:{:02}:{:02}",
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60
        )?;
        if of_day % 1000 != 0 {
            write!(f, ".{:03}", of_day % 1000)?;
        }
        f.write_str(&self.offset())
    }
}

/// `+hh:mm` or `-hh:mm`, in minutes.
pub(super) fn parse_offset(text: &str) -> Option<i16> {
    let bytes = text.as_bytes();
    if bytes.len() != 6 || bytes[3] != b':' {
        return None;
    }
    let (hours, minutes) = (digits(&bytes[1..3])? as i16, digits(&bytes[4..])? as i16);
    let offset = hours * 60 + minutes;
    if minutes > 59 || offset > OFFSET_MINUTES_MOST {
        return None;
    }
    match bytes[0] {
        b'+' => Some(offset),
        b'-' => Some(-offset),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_go_there_and_back() {
        for (text, unix_ms, offset, shown) in [
            (
                "2005-04-03T20:33:31.116-06:00",
                1_112_582_011_116,
                -360,
                "2005-04-03T20:33:31.116-06:00",
            ),
            (
                "2026-05-03T00:30:00+02:00",
                1_777_761_000_000,
                120,
                "2026-05-03T00:30:00+02:00",
            ),
            (
                "2026-05-02T22:30:00.000Z",
                1_777_761_000_000,
                0,
                "2026-05-02T22:30:00+00:00",
            ),
            (
                "2026-05-02T22:30:00.0059Z",
                1_777_761_000_005,
                0,
                "2026-05-02T22:30:00.005+00:00",
            ),
        ] {
            let time = EventTime::parse(text).unwrap();
            assert_eq!(
                (time.unix_ms(), time.offset_minutes(), time.to_string().as_str()),
                (unix_ms, offset, shown)
            );
            assert_eq!(EventTime::parse(shown), Some(time));
        }
    }

    #[test]
    fn what_is_no_time_with_a_zone_is_refused() {
        for text in [
            "",
            "2026-05-03",
            "2026-05-03T10:00:00",
            "2026-05-03 10:00:00Z",
            "2026-05-03T24:00:00Z",
            "2026-05-03T10:60:00Z",
            "2026-05-03T10:00:60Z",
            "2026-05-03T10:00:00.Z",
            "2026-05-03T10:00:00,5Z",
            "2026-05-03T10:00:00+14:01",
            "2026-05-03T10:00:00+2:00",
            "2026-05-03T10:00:00Z0",
            "1970-01-01T00:00:00+01:00",
            "9999-12-31T23:59:59Z",
            "2026-05-03T10:00:00.1234567890Z",
            "2026-05-03T1\u{e9}:00:00Z",
            "2026-05-0\u{e9}T10:00:00Z",
        ] {
            assert_eq!(EventTime::parse(text), None, "{text}");
        }
        for text in ["", "Z", "02:00", "+02:60", "+14:01", "*02:00", "+0200", "+02:0\u{e9}"] {
            assert_eq!(parse_offset(text), None, "{text}");
        }
        assert_eq!(EventTime::new(1_777_761_000_000, 841), None);
        assert_eq!(EventTime::new(u64::MAX, 0), None);
    }
}
