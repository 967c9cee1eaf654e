//! How long a developer waits for the chain.

use super::{FOUNDRY, Pair};
use crate::figure::{Better, Figure, Target};

const TARGET_MS: f64 = 300.0;

pub fn measure(pair: &Pair, rounds: usize) -> anyhow::Result<()> {
    let (medlock, foundry) = pair.rounds(rounds, true, |node| Ok(node.started_in.as_secs_f64() * 1e3))?;
    Figure {
        name: "start to first answer".into(),
        unit: "ms",
        better: Better::Lower,
        target: Some(Target::Value(TARGET_MS)),
        medlock,
        peer: Some((FOUNDRY, foundry)),
    }
    .print()
}
