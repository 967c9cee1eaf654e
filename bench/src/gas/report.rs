//! What is held against what: bounds, the twin, and what others have published.

use anyhow::Context;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::day::Operation;

/// How much more than the twin a transaction may cost: most of it is storage, which costs both the same.
const RATIO_MOST: f64 = 1.10;

/// An operation's bound (issue 4), or none where it is for information.
struct Bound {
    name: &'static str,
    gas: u64,
    /// What others have published for the like, in gas.
    published: &'static [(&'static str, u64)],
}

const BOUNDS: [Bound; 8] = [
    Bound {
        name: "add_record",
        gas: 86_000,
        published: &[("orms147", 194_000), ("PRISM", 296_000)],
    },
    Bound {
        name: "batch_50_each",
        gas: 49_500,
        published: &[],
    },
    Bound {
        name: "merkle_1000_each",
        gas: 100,
        published: &[],
    },
    Bound {
        name: "grant",
        gas: 56_000,
        published: &[
            ("PRISM", 67_000),
            ("MedRec", 185_000),
            ("IPEHR", 318_000),
            ("Romel et al.", 78_000),
        ],
    },
    Bound {
        name: "signed_grant",
        gas: 72_000,
        published: &[("orms147", 167_000)],
    },
    Bound {
        name: "revoke",
        gas: 40_000,
        published: &[("IPEHR", 94_000)],
    },
    Bound {
        name: "revoke_all",
        gas: 32_000,
        published: &[],
    },
    Bound {
        name: "decide",
        gas: 12_000,
        published: &[],
    },
];

/// All figures, in the order of the day.
pub struct Report {
    figures: Vec<Figure>,
}

struct Figure {
    name: &'static str,
    bound: Option<&'static Bound>,
    /// Gas of one record where several share it, rounded up.
    medlock: u64,
    twin: u64,
    ratio: f64,
    /// Only a transaction's ratio is bounded; a question's is for information.
    is_transaction: bool,
}

#[derive(Serialize)]
struct Line {
    figure: &'static str,
    unit: &'static str,
    better: &'static str,
    medlock: u64,
    solidity_twin: u64,
    /// To the twin; below 1 is better.
    ratio: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    met: Option<bool>,
}

impl Report {
    /// Both did the same operations in the same order.
    pub fn of(operations: &[Operation], twins: &[Operation]) -> Self {
        let figure = |(ours, twin): (&Operation, &Operation)| Figure {
            name: ours.name,
            bound: BOUNDS.iter().find(|bound| bound.name == ours.name),
            medlock: ours.gas.div_ceil(ours.records),
            twin: twin.gas.div_ceil(twin.records),
            ratio: (ours.gas as f64 / twin.gas as f64 * 1_000.0).round() / 1_000.0,
            is_transaction: ours.is_transaction,
        };
        Self {
            figures: operations.iter().zip(twins).map(figure).collect(),
        }
    }

    /// A line of JSON for each figure to stdout, then a table to stderr.
    ///
    /// # Errors
    /// A line cannot be serialised.
    pub fn print(&self) -> anyhow::Result<()> {
        for figure in &self.figures {
            let line = Line {
                figure: figure.name,
                unit: "gas",
                better: "lower",
                medlock: figure.medlock,
                solidity_twin: figure.twin,
                ratio: figure.ratio,
                target: figure.bound.map(|bound| json!({"value": bound.gas})),
                met: figure.bound.map(|bound| figure.medlock <= bound.gas),
            };
            println!("{}", serde_json::to_string(&line).context("a figure")?);
        }
        eprintln!(
            "\n{:<28} {:>8} {:>8} {:>8} {:>6}  published",
            "gas", "medlock", "at most", "Solidity", "ratio"
        );
        for figure in &self.figures {
            let bound = figure.bound.map_or(String::new(), |bound| thousands(bound.gas));
            let published = figure.bound.map_or(&[][..], |bound| bound.published);
            let published: Vec<_> = published
                .iter()
                .map(|(system, gas)| format!("{system} {}", thousands(*gas)))
                .collect();
            eprintln!(
                "{:<28} {:>8} {bound:>8} {:>8} {:>6.3}  {}",
                figure.name,
                thousands(figure.medlock),
                thousands(figure.twin),
                figure.ratio,
                published.join(", ")
            );
        }
        Ok(())
    }

    /// What is written: gas by operation, and the twin's under the same names.
    pub fn to_json(&self, setting: Value) -> Value {
        let of = |bounded: bool, gas: fn(&Figure) -> u64| -> Map<String, Value> {
            self.figures
                .iter()
                .filter(|figure| figure.bound.is_some() == bounded)
                .map(|figure| (figure.name.to_owned(), gas(figure).into()))
                .collect()
        };
        let twin = |figure: &Figure| figure.twin;
        let mut written = of(true, |figure| figure.medlock);
        written.insert("solidity_twin".into(), of(true, twin).into());
        let information = json!({
            "medlock": of(false, |figure| figure.medlock),
            "solidity_twin": of(false, twin),
        });
        written.insert("information".into(), information);
        written.insert("setting".into(), setting);
        written.into()
    }

    /// What is above its bound, in words.
    pub fn exceeded(&self) -> Vec<String> {
        let mut exceeded = Vec::new();
        for figure in &self.figures {
            if let Some(bound) = figure.bound.filter(|bound| figure.medlock > bound.gas) {
                exceeded.push(format!(
                    "{} takes {}, at most {}",
                    figure.name, figure.medlock, bound.gas
                ));
            }
            if figure.is_transaction && figure.ratio > RATIO_MOST {
                exceeded.push(format!(
                    "{} takes {} times what the twin takes",
                    figure.name, figure.ratio
                ));
            }
        }
        exceeded
    }
}

/// 12,345.
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use medlock_anvil::trace::Calls;

    use super::*;

    fn operation(name: &'static str, gas: u64, records: u64) -> Operation {
        Operation {
            name,
            gas,
            records,
            is_transaction: true,
            logs: Vec::new(),
            calls: Calls::default(),
        }
    }

    #[test]
    fn a_bound_and_a_ratio_are_exceeded_by_one_gas_too_many() {
        let exceeded = |ours, twin| {
            Report::of(&[operation("grant", ours, 1)], &[operation("grant", twin, 1)])
                .exceeded()
                .len()
        };
        assert_eq!(exceeded(56_000, 51_000), 0);
        assert_eq!(exceeded(56_001, 56_001), 1);
        assert_eq!(exceeded(55_000, 49_900), 1);
        assert_eq!(exceeded(57_000, 50_000), 2);
    }

    #[test]
    fn what_several_share_is_rounded_up() {
        let ours = operation("merkle_1000_each", 100_001, 1_000);
        let report = Report::of(&[ours], &[operation("merkle_1000_each", 100_000, 1_000)]);
        assert_eq!(report.exceeded(), ["merkle_1000_each takes 101, at most 100"]);
    }

    #[test]
    fn thousands_are_set_apart() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(thousands(number), text);
        }
    }
}
