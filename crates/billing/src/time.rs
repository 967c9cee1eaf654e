//! Days and times as FHIR R4 writes them (`datatypes.html`, "date" and "dateTime"), and as spans of UNIX seconds.
use medlock_fhir::facade::time::{self, Precision};

const SECOND_NS: i128 = 1_000_000_000;

/// UNIX seconds, `to` exclusive. Signed: births are older than the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    pub from: i64,
    pub to: i64,
}

impl Span {
    #[must_use]
    pub fn seconds(self) -> u64 {
        self.to.saturating_sub(self.from).try_into().unwrap_or(0)
    }

    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        self.from < other.to && other.from < self.to
    }

    /// What a FHIR date or dateTime covers: a year, a month, a day, a second. Without a time zone it is taken as UTC.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        let range = time::parse(text)?.range;
        let from = i64::try_from(range.from.div_euclid(SECOND_NS)).ok()?;
        // A fraction of a second covers the second that it is in.
        let to = i64::try_from((range.to + SECOND_NS - 1).div_euclid(SECOND_NS)).ok()?;
        Some(Self { from, to })
    }
}

/// A calendar day, `2026-05-03`, in whatever time zone the service was rendered.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(String);

impl Day {
    /// A date to the day, and nothing else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let moment = time::parse(text)?;
        (moment.precision == Precision::Day).then(|| Self(text.to_owned()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    #[must_use]
    pub fn span(&self) -> Span {
        Span::of(&self.0).expect("`parse` has read it, and years have four digits")
    }
}

/// A FHIR dateTime: a year, a month, a day, or a time to the second or finer, with its time zone. As it was written.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DateTime(String);

impl DateTime {
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let moment = time::parse(text)?;
        let is_one = match moment.precision {
            Precision::Year | Precision::Month | Precision::Day => true,
            Precision::Minute => false,
            Precision::Second | Precision::Fraction => moment.zoned,
        };
        is_one.then(|| Self(text.to_owned()))
    }

    /// UNIX seconds, as a block has them.
    #[must_use]
    pub fn at(seconds: u64) -> Self {
        Self(time::instant(seconds))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    #[must_use]
    pub fn span(&self) -> Span {
        Span::of(&self.0).expect("`parse` has read it, and years have four digits")
    }

    /// The calendar day that is written, where it is written to the day at least: a visit at 23:30 in Tokyo is of Tokyo's day.
    #[must_use]
    pub fn day(&self) -> Option<Day> {
        Day::parse(self.0.get(..10)?)
    }

    /// Whether there is a time, beyond the day.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.0.len() > 10
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_nothing_coarser_and_nothing_finer() {
        let day = Day::parse("1969-12-31").unwrap();
        assert_eq!(day.span(), Span { from: -86_400, to: 0 });
        for other in [
            "1969",
            "1969-12",
            "1969-12-32",
            "1969-12-31T00:00:00Z",
            " 1969-12-31",
            "",
        ] {
            assert_eq!(Day::parse(other), None, "{other}");
        }
    }

    #[test]
    fn a_date_time_has_its_zone_where_it_has_a_time() {
        for good in [
            "2026",
            "2026-05",
            "2026-05-03",
            "2026-05-03T10:00:00Z",
            "2026-05-03T10:00:00.25+02:00",
        ] {
            assert_eq!(DateTime::parse(good).unwrap().as_str(), good);
        }
        for bad in ["2026-05-03T10:00Z", "2026-05-03T10:00:00", "2026-02-30", "soon"] {
            assert_eq!(DateTime::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_day_of_a_time_is_the_one_that_is_written() {
        let late = DateTime::parse("2026-05-03T23:30:00+09:00").unwrap();
        assert_eq!(late.day().unwrap().as_str(), "2026-05-03");
        assert_eq!(late.span(), Span::of("2026-05-03T14:30:00Z").unwrap());
        assert_eq!(DateTime::parse("2026-05").unwrap().day(), None);
    }

    #[test]
    fn spans_that_touch_do_not_overlap() {
        let (first, second) = (Span { from: 0, to: 10 }, Span { from: 10, to: 20 });
        assert!(!first.overlaps(second) && !second.overlaps(first));
        assert!(first.overlaps(Span { from: 9, to: 10 }));
        assert_eq!(Span { from: 10, to: 0 }.seconds(), 0);
    }
}
