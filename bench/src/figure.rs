//! A figure: what we and a peer did in several rounds, and how they compare, as one line of JSON.

use std::time::Duration;

use serde::Serialize;
use serde_json::json;

/// What was measured, of ours and of the peer, round by round.
#[derive(Debug)]
pub struct Figure {
    pub name: String,
    pub unit: &'static str,
    pub better: Better,
    pub target: Option<Target>,
    /// One value a round.
    pub medlock: Vec<f64>,
    /// Its name, and one value a round; none where there is no peer, or it cannot do it.
    pub peer: Option<(&'static str, Vec<f64>)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Better {
    Higher,
    Lower,
}

/// What the median has to reach.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// So many times as good as the peer.
    Ratio(f64),
    /// This value, in the figure's unit.
    Value(f64),
}

/// The lowest, the middle and the highest of several rounds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    pub min: f64,
    pub median: f64,
    pub max: f64,
}

#[derive(Serialize)]
struct Line<'a> {
    figure: &'a str,
    unit: &'a str,
    better: Better,
    rounds: usize,
    medlock: Spread,
    #[serde(skip_serializing_if = "Option::is_none")]
    peer_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    peer: Option<Spread>,
    /// How many times as good as the peer in the same round; above 1 is better.
    #[serde(skip_serializing_if = "Option::is_none")]
    ratio: Option<Spread>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<Target>,
    #[serde(skip_serializing_if = "Option::is_none")]
    met: Option<bool>,
}

impl Figure {
    /// Prints the figure, if there was at least one round.
    pub fn print(&self) -> anyhow::Result<()> {
        let Some(medlock) = Spread::of(&self.medlock) else {
            return Ok(());
        };
        let (peer_name, peer) = self.peer.as_ref().map(|(name, rounds)| (*name, rounds)).unzip();
        let ratios: Vec<f64> = self
            .medlock
            .iter()
            .zip(peer.into_iter().flatten())
            .map(|(ours, theirs)| match self.better {
                Better::Higher => ours / theirs,
                Better::Lower => theirs / ours,
            })
            .collect();
        let ratio = Spread::of(&ratios);
        let met = self.target.map(|target| match (target, self.better) {
            (Target::Ratio(least), _) => ratio.is_some_and(|ratio| ratio.median >= least),
            (Target::Value(least), Better::Higher) => medlock.median >= least,
            (Target::Value(most), Better::Lower) => medlock.median <= most,
        });
        let line = Line {
            figure: &self.name,
            unit: self.unit,
            better: self.better,
            rounds: self.medlock.len(),
            medlock,
            peer_name,
            peer: peer.and_then(|rounds| Spread::of(rounds)),
            ratio,
            target: self.target,
            met,
        };
        println!("{}", serde_json::to_string(&line)?);
        Ok(())
    }
}

/// Prints what the machine, or a part that is not ours, can do: no figure of ours, but what ours are seen against.
pub fn print_limit(name: &str, unit: &str, rounds: &[f64]) -> anyhow::Result<()> {
    let line = json!({"limit": name, "unit": unit, "rounds": rounds.len(), "value": Spread::of(rounds)});
    println!("{}", serde_json::to_string(&line)?);
    Ok(())
}

/// The value that a part `at` of all values is at or below; NaN where there is none.
pub fn quantile(values: &[f64], at: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let place = (at * sorted.len() as f64).ceil() as usize;
    sorted.get(place.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

impl Spread {
    fn of(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let median = (sorted[(sorted.len() - 1) / 2] + sorted[sorted.len() / 2]) / 2.0;
        Some(Self {
            min: rounded(min),
            median: rounded(median),
            max: rounded(max),
        })
    }
}

/// To four significant digits: more would be noise.
fn rounded(value: f64) -> f64 {
    if value == 0.0 {
        return value;
    }
    let digits = 3 - value.abs().log10().floor() as i32;
    let scale = 10f64.powi(digits);
    (value * scale).round() / scale
}

/// How many of `count` go by in a second of `elapsed`.
pub fn per_second(count: usize, elapsed: Duration) -> f64 {
    count as f64 / elapsed.as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_of_sorted_values_and_an_even_number_has_its_middle_between_two() {
        let spread = |min, median, max| Some(Spread { min, median, max });
        assert_eq!(Spread::of(&[3.0, 1.0, 2.0]), spread(1.0, 2.0, 3.0));
        assert_eq!(Spread::of(&[4.0, 1.0, 2.0, 3.0]), spread(1.0, 2.5, 4.0));
        assert_eq!(Spread::of(&[123_456.0]), spread(123_500.0, 123_500.0, 123_500.0));
        assert_eq!(Spread::of(&[]), None);
    }

    #[test]
    fn a_quantile_is_one_of_the_values() {
        let values: Vec<f64> = (1..=200).rev().map(f64::from).collect();
        assert_eq!(quantile(&values, 0.5), 100.0);
        assert_eq!(quantile(&values, 0.99), 198.0);
        assert_eq!(quantile(&values, 1.0), 200.0);
        assert_eq!(quantile(&[7.0], 0.99), 7.0);
    }
}
