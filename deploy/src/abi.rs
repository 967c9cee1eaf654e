//! The ABI for people and tools that do not use Rust: JSON and Solidity, generated from `medlock-abi`.
//!
//! JSON comes from the compiled interfaces. The Solidity text is the interface as it is written in
//! `contracts/abi/src`, comments and all, without the Rust attributes.
use std::{fs, path::Path};

use alloy::json_abi::JsonAbi;
use anyhow::{Context, Result, bail};
use medlock_abi::{records::IRecords, registry::IRegistry};

/// Below the contracts' folder.
const DIR: &str = "abi/generated";

/// The generated files: name and content.
///
/// # Errors
/// The sources are not where they are expected, or have another shape.
pub fn generate(contracts: &Path) -> Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for (name, source, abi) in [
        ("IRegistry", "registry.rs", IRegistry::abi::contract()),
        ("IRecords", "records.rs", IRecords::abi::contract()),
    ] {
        let path = contracts.join("abi/src").join(source);
        let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        files.push((format!("{name}.json"), json(&abi)?));
        files.push((
            format!("{name}.sol"),
            solidity(&text, name).with_context(|| format!("in {}", path.display()))?,
        ));
    }
    Ok(files)
}

/// Writes the generated files.
pub fn write(contracts: &Path) -> Result<()> {
    let dir = contracts.join(DIR);
    fs::create_dir_all(&dir).with_context(|| format!("create {}", dir.display()))?;
    for (name, content) in generate(contracts)? {
        let path = dir.join(name);
        crate::artifacts::write_whole(&path, content.as_bytes())
            .with_context(|| format!("write {}", path.display()))?;
    }
    Ok(())
}

/// Refuses committed files that are not what would be generated now.
pub fn check(contracts: &Path) -> Result<()> {
    let drifted: Vec<_> = generate(contracts)?
        .into_iter()
        .filter(|(name, content)| fs::read_to_string(contracts.join(DIR).join(name)).ok().as_ref() != Some(content))
        .map(|(name, _)| name)
        .collect();
    if !drifted.is_empty() {
        bail!(
            "{DIR}: {} are not what contracts/abi says; run `cargo run -p medlock-deploy --bin medlock-contracts -- abi` and commit",
            drifted.join(", ")
        );
    }
    Ok(())
}

fn json(abi: &JsonAbi) -> Result<String> {
    Ok(serde_json::to_string_pretty(abi)? + "\n")
}

/// The text of `interface <name> { .. }`, unindented, without Rust's attributes.
fn solidity(source: &str, name: &str) -> Result<String> {
    let lines: Vec<&str> = source.lines().collect();
    let opening = format!("interface {name} {{");
    let first = lines
        .iter()
        .position(|line| line.trim() == opening)
        .with_context(|| format!("no line `{opening}`"))?;
    let indent = lines[first].len() - lines[first].trim_start().len();
    let closing = format!("{}}}", " ".repeat(indent));
    let last = lines[first..]
        .iter()
        .position(|line| *line == closing)
        .context("the interface is not closed at its own indentation")?;
    let mut text = String::from(
        "// SPDX-License-Identifier: MIT\n// Generated from contracts/abi; do not edit.\npragma solidity ^0.8.20;\n\n",
    );
    for line in &lines[first..=first + last] {
        if line.trim_start().starts_with("#[") {
            continue;
        }
        text.push_str(line.get(indent..).unwrap_or_default());
        text.push('\n');
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTRACTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../contracts");

    #[test]
    fn committed_files_are_what_is_generated() {
        check(Path::new(CONTRACTS)).unwrap();
    }

    /// The two exports come by different ways, so each checks the other.
    #[test]
    fn solidity_and_json_declare_the_same_names() {
        let files = generate(Path::new(CONTRACTS)).unwrap();
        for pair in files.chunks(2) {
            let abi: JsonAbi = serde_json::from_str(&pair[0].1).unwrap();
            let declared = |keyword: &str| {
                let mut names: Vec<_> = pair[1]
                    .1
                    .lines()
                    .filter_map(|line| line.trim().strip_prefix(keyword))
                    .filter_map(|rest| rest.trim().split_once('(').map(|(name, _)| name.to_owned()))
                    .collect();
                names.sort();
                names
            };
            assert_eq!(declared("function "), names(abi.functions.keys()));
            assert_eq!(declared("event "), names(abi.events.keys()));
            assert_eq!(declared("error "), names(abi.errors.keys()));
        }
    }

    fn names<'a>(names: impl Iterator<Item = &'a String>) -> Vec<String> {
        names.cloned().collect()
    }
}
