//! The ABI for people and tools that do not use Rust: JSON, Solidity and TypeScript, generated from `medlock-abi`. (In Rust
//! that crate is the typed binding.)
//!
//! JSON comes from the compiled interfaces. The Solidity text is the interface as it is written in
//! `contracts/abi/src`, comments and all, without the Rust attributes. TypeScript is JSON again, `as const` for viem, with the
//! numbers of `terms` and the EIP-712 types.
use std::{fmt::Write, fs, path::Path};

use alloy::{json_abi::JsonAbi, sol_types::SolStruct};
use anyhow::{Context, Result, bail};
use medlock_abi::{
    audit::IAudit,
    claims::IClaims,
    exceptions::IExceptions,
    records::IRecords,
    registry::IRegistry,
    relay::IRelay,
    signed,
    supply::ISupply,
    terms::{self, claim_state, credential_status, effect, reason, record_status},
    trials::ITrials,
};
use serde_json::{Map, Value, json};

/// Below the contracts' folder.
const DIR: &str = "abi/generated";
const TYPESCRIPT: &str = "medlock.ts";

/// Interface, its source below `contracts/abi/src`, and what it declares.
fn interfaces() -> [(&'static str, &'static str, JsonAbi); 8] {
    [
        ("IRegistry", "registry.rs", IRegistry::abi::contract()),
        ("IRecords", "records.rs", IRecords::abi::contract()),
        ("IExceptions", "exceptions.rs", IExceptions::abi::contract()),
        ("IRelay", "relay.rs", IRelay::abi::contract()),
        ("IAudit", "audit.rs", IAudit::abi::contract()),
        ("IClaims", "claims.rs", IClaims::abi::contract()),
        ("ISupply", "supply.rs", ISupply::abi::contract()),
        ("ITrials", "trials.rs", ITrials::abi::contract()),
    ]
}

/// The generated files: name and content.
///
/// # Errors
/// The sources are not where they are expected, or have another shape.
pub fn generate(contracts: &Path) -> Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for (name, source, abi) in interfaces() {
        let path = contracts.join("abi/src").join(source);
        let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        files.push((format!("{name}.json"), json(&abi)?));
        files.push((
            format!("{name}.sol"),
            solidity(&text, name).with_context(|| format!("in {}", path.display()))?,
        ));
    }
    files.push((TYPESCRIPT.into(), typescript()?));
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

/// The text of `interface <name> { .. }` and of the structs that stand beside it, unindented, without Rust's attributes.
fn solidity(source: &str, name: &str) -> Result<String> {
    let lines: Vec<&str> = source.lines().collect();
    let opening = format!("interface {name} {{");
    let first = lines
        .iter()
        .position(|line| line.trim() == opening)
        .with_context(|| format!("no line `{opening}`"))?;
    let last = first + block(&lines[first..])?;
    let mut text = String::from(
        "// SPDX-License-Identifier: MIT\n// Generated from contracts/abi; do not edit.\npragma solidity ^0.8.20;\n\n",
    );
    unindented(&lines[first..=last], &mut text);
    // Below the interface: whatever else is declared for Solidity, with its comments.
    let mut rest = &lines[last + 1..];
    while let Some(start) = rest.iter().position(|line| line.starts_with("    struct ")) {
        let end = start + block(&rest[start..])?;
        let comments = rest[..start]
            .iter()
            .rev()
            .take_while(|line| line.trim_start().starts_with("///") || line.trim_start().starts_with("#["))
            .count();
        text.push('\n');
        unindented(&rest[start - comments..=end], &mut text);
        rest = &rest[end + 1..];
    }
    Ok(text)
}

/// How many lines below the first one, which opens it, a block is closed: at the first one's own indentation.
fn block(lines: &[&str]) -> Result<usize> {
    let closing = format!("{}}}", " ".repeat(indent(lines[0])));
    lines
        .iter()
        .position(|line| *line == closing)
        .context("a block is not closed at its own indentation")
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

fn unindented(lines: &[&str], text: &mut String) {
    let written = lines.iter().filter(|line| !line.trim().is_empty());
    let indent = written.map(|line| indent(line)).min().unwrap_or_default();
    for line in lines {
        if line.trim_start().starts_with("#[") {
            continue;
        }
        text.push_str(line.get(indent..).unwrap_or_default());
        text.push('\n');
    }
}

fn typescript() -> Result<String> {
    let mut text = String::from("// Generated from contracts/abi; do not edit.\n");
    for (name, _, abi) in interfaces() {
        let name = name.trim_start_matches('I').to_lowercase();
        constant(&mut text, &format!("{name}Abi"), &serde_json::to_value(&abi)?)?;
    }
    constant(&mut text, "terms", &numbers())?;
    constant(&mut text, "signedTypes", &signed_types()?)?;
    text.push_str(
        "\n/** The EIP-712 domain: of operations the relay's, of anchors the audit contract's, of all else that of records. */\n\
         export function domain(chainId: number, verifyingContract: `0x${string}`) {\n  \
         return { name: \"Medlock\", version: \"1\", chainId, verifyingContract } as const;\n}\n",
    );
    Ok(text)
}

fn constant(text: &mut String, name: &str, value: &Value) -> Result<()> {
    write!(
        text,
        "\nexport const {name} = {} as const;\n",
        serde_json::to_string_pretty(value)?
    )?;
    Ok(())
}

/// The numbers behind the names.
fn numbers() -> Value {
    fn table<N: Into<u64> + Copy>(pairs: &[(&str, N)]) -> Value {
        let pairs = pairs
            .iter()
            .map(|(name, number)| ((*name).to_owned(), json!((*number).into())));
        Value::Object(pairs.collect::<Map<_, _>>())
    }
    // Every number that has a text of its own.
    fn texts(text: fn(u8) -> &'static str) -> Value {
        let known = (0..=u8::MAX).filter(|number| !text(*number).starts_with("unknown-") || is_a_reason(*number, text));
        table(&known.map(|number| (text(number), number)).collect::<Vec<_>>())
    }
    // "unknown-chart" is a reason, "unknown-reason" is none.
    fn is_a_reason(number: u8, text: fn(u8) -> &'static str) -> bool {
        matches!(text(number), "unknown-chart" | "unknown-record")
    }
    json!({
        "role": table(&terms::role::ALL),
        "purpose": table(&terms::purpose::ALL),
        "action": table(&terms::action::ALL),
        "power": table(&terms::power::ALL),
        "suite": table(&terms::suite::ALL),
        "emergency": table(&terms::emergency::ALL),
        "claimReason": table(&terms::claim_reason::ALL),
        "shipmentKind": table(&terms::shipment::KINDS),
        "shipmentState": table(&terms::shipment::STATES),
        "decommission": table(&terms::decommission::ALL),
        "recallClass": table(&terms::recall::CLASSES),
        "recallReason": table(&terms::recall::REASONS),
        "package": table(&terms::package::ALL),
        "trialState": table(&terms::trial::STATES),
        "amendment": table(&terms::amendment::ALL),
        "participant": table(&terms::participant::ALL),
        "trialBatch": table(&terms::batch::ALL),
        "effect": texts(effect::text),
        "credentialStatus": texts(credential_status::text),
        "recordStatus": texts(record_status::text),
        "claimState": texts(claim_state::text),
        "reason": texts(reason::text),
    })
}

/// EIP-712 types by their name, each with those that it is made of.
fn signed_types() -> Result<Value> {
    let mut all = Map::new();
    all.extend(types::<IRelay::OpenChart>()?);
    all.extend(types::<IRelay::SetDirectory>()?);
    all.extend(types::<IRelay::Grant>()?);
    all.extend(types::<IRelay::Revoke>()?);
    all.extend(types::<IRelay::RevokeAll>()?);
    all.extend(types::<IRelay::AddRecords>()?);
    all.extend(types::<IRelay::AmendRecord>()?);
    all.extend(types::<IRelay::EnterInError>()?);
    all.extend(types::<IRelay::ShredRecord>()?);
    all.extend(types::<IRelay::SetEmergencyAccess>()?);
    all.extend(types::<IRelay::BreakGlass>()?);
    all.extend(types::<IRelay::CloseEmergency>()?);
    all.extend(types::<IRelay::SetMember>()?);
    all.extend(types::<IRelay::RemoveMember>()?);
    all.extend(types::<IRelay::SetDelegate>()?);
    all.extend(types::<IRelay::PublishKey>()?);
    all.extend(types::<IRelay::LedgerCall>()?);
    all.extend(types::<IRelay::CancelAll>()?);
    all.extend(types::<IAudit::Anchor>()?);
    all.extend(types::<signed::ReadReceipt>()?);
    all.extend(types::<signed::Verdict>()?);
    all.extend(types::<signed::Verdicts>()?);
    all.extend(types::<signed::CompartmentDirectory>()?);
    all.extend(types::<signed::EmergencyKit>()?);
    Ok(all.into())
}

fn types<T: SolStruct>() -> Result<Map<String, Value>> {
    let mut texts = vec![T::eip712_root_type()];
    texts.extend(T::eip712_components());
    texts
        .iter()
        .map(|text| {
            let (name, fields) = text
                .trim_end_matches(')')
                .split_once('(')
                .with_context(|| format!("not a type: {text}"))?;
            let fields = fields.split(',').map(|field| {
                let (kind, name) = field.split_once(' ').with_context(|| format!("not a field: {field}"))?;
                Ok(json!({ "name": name, "type": kind }))
            });
            Ok((name.to_owned(), Value::Array(fields.collect::<Result<_>>()?)))
        })
        .collect()
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
        for pair in files.chunks_exact(2) {
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

    #[test]
    fn structs_beside_an_interface_are_exported_with_their_comments() {
        let files = generate(Path::new(CONTRACTS)).unwrap();
        let (_, relay) = files.iter().find(|(name, _)| name == "IRelay.sol").unwrap();
        let (_, beside) = relay.split_once("\n}\n").unwrap();
        assert!(
            beside.starts_with("\n/// ") && beside.contains("\nstruct WebAuthn {\n    ///") && !beside.contains("#["),
            "{beside}"
        );
    }

    #[test]
    fn every_reason_has_a_number_in_typescript() {
        let numbers = numbers();
        assert_eq!(numbers["reason"]["unknown-chart"], reason::UNKNOWN_CHART);
        assert_eq!(numbers["reason"].as_object().unwrap().len(), 19);
        assert_eq!(numbers["effect"].as_object().unwrap().len(), 3);
    }

    fn names<'a>(names: impl Iterator<Item = &'a String>) -> Vec<String> {
        names.cloned().collect()
    }
}
