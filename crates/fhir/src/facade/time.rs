//! FHIR's `dateTime` and `instant` (R4, `datatypes.html`): what they say is a range of time, as wide as they are imprecise.

/// UNIX seconds of 9999-12-31T23:59:59Z, the last that a FHIR time can say.
pub const SECONDS_MOST: u64 = 253_402_300_799;

const DAY_S: i128 = 86_400;
/// Nanoseconds: fractions of a second are told apart to nine digits, and refused beyond.
const FRACTION_DIGITS_MAX: usize = 9;
const SECOND_NS: i128 = 1_000_000_000;
/// The farthest time zones (XML Schema 1.1, part 2, section 3.3.7).
const ZONE_MINUTES_MAX: i128 = 14 * 60;

/// From inclusive, to exclusive; nanoseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    pub from: i128,
    pub to: i128,
}

/// A time as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    pub range: Range,
    pub precision: Precision,
    /// Written with a time zone. Without one it is taken as UTC.
    pub zoned: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Precision {
    Year,
    Month,
    Day,
    Minute,
    Second,
    Fraction,
}

impl Moment {
    /// UNIX seconds, of what is written to the second and with its time zone.
    #[must_use]
    pub fn seconds(self) -> Option<u64> {
        let is_exact = self.precision == Precision::Second && self.zoned;
        u64::try_from(self.range.from.div_euclid(SECOND_NS))
            .ok()
            .filter(|_| is_exact && self.range.from >= 0)
    }
}

/// `2026-05-03T10:00:00Z`. Past [`SECONDS_MOST`] it is that: no block has such a time.
#[must_use]
pub fn instant(seconds: u64) -> String {
    let seconds = i128::from(seconds.min(SECONDS_MOST));
    let (year, month, day) = date(seconds.div_euclid(DAY_S));
    let of_day = seconds.rem_euclid(DAY_S);
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Reads a date, a dateTime or an instant; also to the minute, which search allows (R4 section 3.1.1.4.7).
#[must_use]
pub fn parse(text: &str) -> Option<Moment> {
    let bytes = text.as_bytes();
    let year = digits(bytes, 0, 4)?;
    if year == 0 {
        return None;
    }
    let days = |range: (i128, i128), precision| {
        let range = Range {
            from: range.0 * DAY_S * SECOND_NS,
            to: range.1 * DAY_S * SECOND_NS,
        };
        let zoned = false;
        Some(Moment {
            range,
            precision,
            zoned,
        })
    };
    if bytes.len() == 4 {
        return days((day_number(year, 1, 1), day_number(year + 1, 1, 1)), Precision::Year);
    }
    let month = after(bytes, 4, b'-', 1, 12)?;
    let next = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    let month_end = day_number(next.0, next.1, 1);
    if bytes.len() == 7 {
        return days((day_number(year, month, 1), month_end), Precision::Month);
    }
    let day = day_number(year, month, after(bytes, 7, b'-', 1, 31)?);
    if day >= month_end {
        return None;
    }
    if bytes.len() == 10 {
        return days((day, day + 1), Precision::Day);
    }
    clock(bytes, day)
}

/// What follows the date: `Thh:mm[:ss[.fff]][zone]`.
fn clock(bytes: &[u8], day: i128) -> Option<Moment> {
    let (hour, minute) = (after(bytes, 10, b'T', 0, 23)?, after(bytes, 13, b':', 0, 59)?);
    let mut at = 16;
    let mut start = (day * DAY_S + hour * 3600 + minute * 60) * SECOND_NS;
    let mut width = 60 * SECOND_NS;
    let mut precision = Precision::Minute;
    if bytes.get(at) == Some(&b':') {
        // 60 is a leap second: UNIX time has no other second for it than the next.
        start += after(bytes, at, b':', 0, 60)? * SECOND_NS;
        at += 3;
        (width, precision) = (SECOND_NS, Precision::Second);
        if bytes.get(at) == Some(&b'.') {
            let fraction = bytes[at + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            if fraction == 0 || fraction > FRACTION_DIGITS_MAX {
                return None;
            }
            for place in 0..fraction {
                width /= 10;
                start += i128::from(bytes[at + 1 + place] - b'0') * width;
            }
            at += 1 + fraction;
            precision = Precision::Fraction;
        }
    }
    let zoned = at != bytes.len();
    if zoned {
        start -= zone(&bytes[at..])? * 60 * SECOND_NS;
    }
    let range = Range {
        from: start,
        to: start + width,
    };
    Some(Moment {
        range,
        precision,
        zoned,
    })
}

/// Minutes east of UTC.
fn zone(bytes: &[u8]) -> Option<i128> {
    let sign = match bytes {
        b"Z" => return Some(0),
        [b'+', ..] => 1,
        [b'-', ..] => -1,
        _ => return None,
    };
    let minutes = digits(bytes, 1, 2)? * 60 + after(bytes, 3, b':', 0, 59)?;
    (bytes.len() == 6 && minutes <= ZONE_MINUTES_MAX).then_some(sign * minutes)
}

/// Two digits after `mark`, within bounds.
fn after(bytes: &[u8], at: usize, mark: u8, least: i128, most: i128) -> Option<i128> {
    if *bytes.get(at)? != mark {
        return None;
    }
    digits(bytes, at + 1, 2).filter(|n| (least..=most).contains(n))
}

fn digits(bytes: &[u8], at: usize, count: usize) -> Option<i128> {
    let digits = bytes.get(at..at + count)?;
    digits.iter().try_fold(0, |n, byte| {
        byte.is_ascii_digit().then(|| n * 10 + i128::from(byte - b'0'))
    })
}

/// Days since 1970-01-01, in the Gregorian calendar; of a day that the calendar has (see [`date`]). Years are counted from March, so that a leap day is the last of its year.
#[must_use]
pub fn day_number(year: i128, month: i128, day: i128) -> i128 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and day of a day number.
#[must_use]
pub fn date(days: i128) -> (i128, i128, i128) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = era * 400 + year_of_era + i128::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(text: &str) -> (i128, i128) {
        let range = parse(text).unwrap_or_else(|| panic!("{text}")).range;
        (range.from, range.to)
    }

    #[test]
    fn seconds_become_text_and_come_back() {
        assert_eq!(instant(0), "1970-01-01T00:00:00Z");
        assert_eq!(instant(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(instant(1_777_802_400), "2026-05-03T10:00:00Z");
        assert_eq!(instant(SECONDS_MOST), "9999-12-31T23:59:59Z");
        assert_eq!(instant(SECONDS_MOST + 1), instant(SECONDS_MOST));
        // A prime step meets all days of the year, and all seconds of the day.
        for seconds in (0..=SECONDS_MOST)
            .step_by(2_345_677_717)
            .chain((0..90_000_000).step_by(86_399))
        {
            assert_eq!(parse(&instant(seconds)).unwrap().seconds(), Some(seconds));
        }
    }

    #[test]
    fn a_time_is_as_wide_as_it_is_imprecise() {
        let day = DAY_S * SECOND_NS;
        assert_eq!(range("1970"), (0, 365 * day));
        assert_eq!(range("1972-02"), (761 * day, 790 * day));
        assert_eq!(range("1970-12"), (334 * day, 365 * day));
        assert_eq!(range("1970-01-02"), (day, 2 * day));
        assert_eq!(range("1970-01-01T00:01"), (60 * SECOND_NS, 120 * SECOND_NS));
        assert_eq!(range("1970-01-01T00:00:01"), (SECOND_NS, 2 * SECOND_NS));
        assert_eq!(range("1970-01-01T00:00:01.25Z"), (1_250_000_000, 1_260_000_000));
        assert_eq!(range("1969-12-31T23:59:59Z"), (-SECOND_NS, 0));
        assert_eq!(range("1970-01-01T01:00:00+01:00"), (0, SECOND_NS));
        assert_eq!(range("1969-12-31T10:00:00-14:00"), (0, SECOND_NS));
        assert_eq!(range("1970-01-01T00:00:60Z"), (60 * SECOND_NS, 61 * SECOND_NS));
    }

    #[test]
    fn only_what_is_exact_has_seconds() {
        let seconds = |text: &str| parse(text).unwrap().seconds();
        assert_eq!(seconds("2026-05-03T10:00:00+02:00"), Some(1_777_795_200));
        for vague in [
            "2026",
            "2026-05-03",
            "2026-05-03T10:00Z",
            "2026-05-03T10:00:00",
            "2026-05-03T10:00:00.5Z",
            "1969-12-31T23:59:59Z",
        ] {
            assert_eq!(seconds(vague), None, "{vague}");
        }
    }

    #[test]
    fn refuses_what_is_no_time() {
        for bad in [
            "",
            "0000",
            "202",
            "20260",
            "2026-",
            "2026-13",
            "2026-00",
            "2026-1",
            "2026-02-29",
            "2026-02-00",
            "2026-04-31",
            "2026-05-03T",
            "2026-05-03T10",
            "2026-05-03T24:00",
            "2026-05-03T10:60",
            "2026-05-03T10:00:61Z",
            "2026-05-03T10:00:00.Z",
            "2026-05-03T10:00:00.1234567890Z",
            "2026-05-03T10:00:00z",
            "2026-05-03T10:00:00+1:00",
            "2026-05-03T10:00:00+14:01",
            "2026-05-03T10:00:00+01:00Z",
            "2026-05-03 10:00:00Z",
            "2026-05-03T10:00:00 01:00",
            "+026",
            "２０２６",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
