//! Comparing dates by their prefixes (R4 section 3.1.1.4.5): ranges with ranges.

use super::super::time::{self, Range};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Prefix {
    Eq,
    Ne,
    Gt,
    Lt,
    Ge,
    Le,
    Sa,
    Eb,
    Ap,
}

/// A prefix and a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateTest {
    pub prefix: Prefix,
    /// As wide as the date is imprecise; of `ap`, wider.
    pub range: Range,
}

impl Prefix {
    pub const ALL: [(&str, Self); 9] = [
        ("eq", Self::Eq),
        ("ne", Self::Ne),
        ("gt", Self::Gt),
        ("lt", Self::Lt),
        ("ge", Self::Ge),
        ("le", Self::Le),
        ("sa", Self::Sa),
        ("eb", Self::Eb),
        ("ap", Self::Ap),
    ];
}

impl DateTest {
    /// `[prefix]date`. `now` in UNIX seconds: `ap` is a tenth of the time between then and the date, to either side.
    pub(super) fn parse(text: &str, now: u64) -> Option<Self> {
        let prefixed = Prefix::ALL
            .iter()
            .find_map(|(name, prefix)| Some((*prefix, text.strip_prefix(name)?)));
        let (prefix, date) = prefixed.unwrap_or((Prefix::Eq, text));
        let mut range = time::parse(date)?.range;
        if prefix == Prefix::Ap {
            let now = i128::from(now) * 1_000_000_000;
            let far = |at: i128| (now - at).abs();
            let slack = if (range.from..range.to).contains(&now) {
                0
            } else {
                far(range.from).min(far(range.to)) / 10
            };
            range = Range {
                from: range.from - slack,
                to: range.to + slack,
            };
        }
        Some(Self { prefix, range })
    }

    /// Whether a resource's time passes.
    pub(super) fn holds(self, of: Range) -> bool {
        let asked = self.range;
        let within = asked.from <= of.from && of.to <= asked.to;
        let above = of.to > asked.to;
        let below = of.from < asked.from;
        match self.prefix {
            Prefix::Eq => within,
            Prefix::Ne => !within,
            Prefix::Gt => above,
            Prefix::Lt => below,
            Prefix::Ge => above || within,
            Prefix::Le => below || within,
            Prefix::Sa => of.from >= asked.to,
            Prefix::Eb => of.to <= asked.from,
            Prefix::Ap => of.from < asked.to && asked.from < of.to,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_777_802_400; // 2026-05-03T10:00:00Z

    fn holds(test: &str, of: &str) -> bool {
        let test = DateTest::parse(test, NOW).unwrap_or_else(|| panic!("{test}"));
        test.holds(time::parse(of).unwrap().range)
    }

    /// The prefixes under which `of` passes for `asked`.
    fn passes(asked: &str, of: &str) -> Vec<&'static str> {
        let names = Prefix::ALL.iter().map(|(name, _)| *name);
        names.filter(|name| holds(&format!("{name}{asked}"), of)).collect()
    }

    #[test]
    fn precision_counts() {
        // The table's rows: the resource's time before, at the edges of, within, around and after what was asked for.
        assert_eq!(
            passes("2020-05", "2020-04-30T23:59:59Z"),
            ["ne", "lt", "le", "eb", "ap"]
        );
        assert_eq!(passes("2020-05", "2020-05-01T00:00:00Z"), ["eq", "ge", "le", "ap"]);
        assert_eq!(passes("2020-05", "2020-05-31"), ["eq", "ge", "le", "ap"]);
        assert_eq!(passes("2020-05", "2020"), ["ne", "gt", "lt", "ge", "le", "ap"]);
        assert_eq!(passes("2020-05", "2022"), ["ne", "gt", "ge", "sa"]);
        assert_eq!(
            passes("2020-05-03T10:00", "2020-05-03T10:00:59Z"),
            ["eq", "ge", "le", "ap"]
        );
        assert!(
            holds("2020-05", "2020-05-03") && !holds("2020-05", "2020"),
            "no prefix is eq"
        );
    }

    #[test]
    fn approximately_is_a_tenth_of_the_way_to_now() {
        // 100 days before now: ten days to either side.
        assert!(holds("ap2026-01-23", "2026-01-14"));
        assert!(!holds("ap2026-01-23", "2026-01-12"));
        assert!(holds("ap2026-05-03", "2026-05-03") && !holds("ap2026-05-03", "2026-05-04"));
    }

    #[test]
    fn refuses_other_prefixes_and_dates() {
        for bad in ["", "eq", "xx2020", "EQ2020", "eqeq2020", "2020-5", "gt 2020"] {
            assert_eq!(DateTest::parse(bad, NOW), None, "{bad}");
        }
    }
}
