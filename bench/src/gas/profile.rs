//! Where the gas of an operation goes: what each program asked of its host, and what it computed by itself.

use std::{collections::BTreeMap, fmt::Write};

use medlock_anvil::trace::{Calls, Frame, Part};

const INK_PER_GAS: f64 = 10_000.0;

/// One line for each frame, and one below it for each kind of host call, in gas. What a call costs is without the
/// frame that it opens.
pub fn profile(calls: &Calls) -> String {
    let mut text = String::new();
    for frame in &calls.frames {
        // Writing to a string does not fail.
        let _ = write_frame(&mut text, calls, frame);
    }
    text
}

fn write_frame(text: &mut String, calls: &Calls, frame: &Frame) -> std::fmt::Result {
    let to = frame.to.unwrap_or_default();
    writeln!(text, "  {to} {}: {} gas", frame.kind.name(), frame.gas_used)?;
    let Some(run) = &frame.program else {
        return Ok(());
    };
    let nested: u64 = frame
        .parts
        .iter()
        .filter_map(|part| match part {
            Part::Frame(index) => calls.frames.get(*index),
            Part::Log { .. } => None,
        })
        .map(|frame| frame.gas_used)
        .sum();
    let mut hosts: BTreeMap<&str, (usize, f64)> = BTreeMap::new();
    for call in &run.calls {
        let entry = hosts.entry(call.name).or_default();
        let opened = call.frame.and_then(|index| calls.frames.get(index));
        entry.0 += 1;
        entry.1 += gas(call.start_ink - call.end_ink) - opened.map_or(0.0, |frame| frame.gas_used as f64);
    }
    let inside = gas(run.start_ink - run.end_ink) - nested as f64;
    let asked: f64 = hosts.values().map(|(_, cost)| cost).sum();
    writeln!(
        text,
        "    entry {:.0}, own code {:.0}, host {asked:.0}",
        frame.gas_used as f64 - nested as f64 - inside,
        inside - asked
    )?;
    for (name, (count, cost)) in hosts {
        writeln!(text, "      {name} x {count}: {cost:.1}")?;
    }
    Ok(())
}

fn gas(ink: u64) -> f64 {
    ink as f64 / INK_PER_GAS
}
