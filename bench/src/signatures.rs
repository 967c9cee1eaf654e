//! What it costs a contract to verify a signature: by a precompile, or by a library in WASM.
//!
//! Builds the contracts of `bench/contracts/signatures` by the recipe of `deploy/src/recipe.rs`, once for size and once
//! for speed, and runs each on a chain in this process. A figure counts only if the contract accepts the signature and
//! refuses it with the last bit changed of the digest, of each part of the signature and of the key. The signatures,
//! and who made them, stand in [`vectors`]. Start reading at [`run`].

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use clap::Args;
use medlock_deploy::Artifact;
use medlock_deploy::artifacts::CODE_BYTES_MAX;
use serde::Serialize;
use serde_json::json;
use wasm_encoder::RawSection;
use wasmparser::{Parser, Payload};

use crate::machine;
use chain::Chain;
use vectors::Case;

mod chain;
mod vectors;

const TARGET: &str = "wasm32-unknown-unknown";
/// Cargo profiles of the contracts' workspace, and how their rows are called.
const PROFILES: [(&str, &str); 2] = [("release", "size"), ("speed", "speed")];
/// As the recipe has them. A stack of 32 KiB is enough for both curves.
const RUSTFLAGS: [&str; 6] = [
    "-Zunstable-options",
    "-Cpanic=immediate-abort",
    "-Zlocation-detail=none",
    "-Zfmt-debug=none",
    "-Clink-arg=-zstack-size=32768",
    "-Ctarget-feature=+bulk-memory",
];
/// As the recipe has them, for both profiles: `-O3` here changes a verification's gas by less than 2 %.
const WASM_OPT: [&str; 8] = [
    "-Oz",
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--strip-debug",
    "--strip-producers",
    "--strip-target-features",
];

#[derive(Args)]
pub struct Options {
    /// Where the set-up scripts put the tools
    #[arg(long, default_value = ".tools")]
    tools: PathBuf,
    /// The contracts' workspace
    #[arg(long, default_value = "bench/contracts/signatures")]
    contracts: PathBuf,
    /// Where cargo builds them
    #[arg(long, default_value = "target/signatures")]
    out: PathBuf,
}

#[derive(Serialize)]
struct Line {
    figure: &'static str,
    optimised_for: &'static str,
    wasm_bytes: usize,
    /// On chain, of `code_bytes_max`.
    code_bytes: usize,
    code_bytes_max: usize,
    activation_gas: u64,
    /// One verification as a caller pays for it: the start of the program and all that it does, without what any
    /// transaction or call costs by itself.
    verify_gas: u64,
    /// The same of a program that ArbWasmCache keeps ready.
    verify_gas_cached: u64,
}

/// Builds, measures and prints.
///
/// # Errors
/// A tool is missing, a contract does not compile or is refused, or it errs about a signature.
pub fn run(options: &Options) -> anyhow::Result<()> {
    println!("{}", json!({"machine": machine::describe()}));
    let cases = vectors::cases()?;
    let runtime = tokio::runtime::Runtime::new().context("start a runtime")?;
    for (profile, optimised_for) in PROFILES {
        compile(options, profile)?;
        for case in &cases {
            let artifact = finish(options, profile, case.name)?;
            let line = runtime
                .block_on(measure(case, &artifact, optimised_for))
                .with_context(|| format!("{}, for {optimised_for}", case.name))?;
            println!("{}", serde_json::to_string(&line)?);
        }
    }
    Ok(())
}

async fn measure(case: &Case, artifact: &Artifact, optimised_for: &'static str) -> anyhow::Result<Line> {
    let chain = Chain::start().await?;
    let program = chain.deploy(artifact).await?;
    let activation_gas = chain.activate(program).await?;
    ensure!(chain.accepts(program, &case.call).await?, "refuses a good signature");
    for (what, forged) in case.forged() {
        ensure!(!chain.accepts(program, &forged).await?, "accepts with {what} changed");
    }
    let verify_gas = chain.gas_of(program, &case.call).await?;
    chain.cache(program).await?;
    let verify_gas_cached = chain.gas_of(program, &case.call).await?;
    Ok(Line {
        figure: case.name,
        optimised_for,
        wasm_bytes: artifact.wasm.len(),
        code_bytes: artifact.code.len(),
        code_bytes_max: CODE_BYTES_MAX,
        activation_gas,
        verify_gas,
        verify_gas_cached,
    })
}

fn compile(options: &Options, profile: &str) -> anyhow::Result<()> {
    let note = options.tools.join("wasm-toolchain");
    let toolchain =
        fs::read_to_string(&note).with_context(|| format!("{}: run tools/setup-wasm.sh", note.display()))?;
    let mut cargo = Command::new("cargo");
    // An outer cargo sets the toolchain too, which may be another one.
    match toolchain.trim() {
        "default" => cargo.env_remove("RUSTUP_TOOLCHAIN"),
        name => cargo.env("RUSTUP_TOOLCHAIN", name),
    };
    let status = cargo
        .current_dir(&options.contracts)
        .args(["build", "--workspace", "--locked", "--lib", "--profile", profile])
        .args(["--target", TARGET, "-Z", "build-std=std,panic_abort"])
        .arg("--target-dir")
        .arg(std::path::absolute(&options.out)?)
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_ENCODED_RUSTFLAGS", RUSTFLAGS.join("\u{1f}"))
        .status()
        .context("start cargo")?;
    ensure!(status.success(), "the contracts did not compile ({status})");
    Ok(())
}

fn finish(options: &Options, profile: &str, name: &str) -> anyhow::Result<Artifact> {
    let file = format!("{TARGET}/{profile}/signatures_{}.wasm", name.replace('-', "_"));
    let compiled = options.out.join(file);
    let optimised = compiled.with_extension("opt.wasm");
    let wasm_opt = options.tools.join("node/node_modules/.bin/wasm-opt");
    let status = Command::new(&wasm_opt)
        .args(WASM_OPT)
        .arg(&compiled)
        .arg("-o")
        .arg(&optimised)
        .status()
        .with_context(|| format!("{}: run tools/setup-node.sh", wasm_opt.display()))?;
    ensure!(status.success(), "wasm-opt refused {name} ({status})");
    Ok(Artifact::pack(name, strip(&optimised)?)?)
}

/// The module without custom sections and without DataCount, which Stylus does not know.
fn strip(path: &Path) -> anyhow::Result<Vec<u8>> {
    let wasm = fs::read(path).with_context(|| format!("read {}", path.display()))?;
    let mut module = wasm_encoder::Module::new();
    for payload in Parser::new(0).parse_all(&wasm) {
        let payload = payload.context("parse the optimised module")?;
        if matches!(payload, Payload::CustomSection(_) | Payload::DataCountSection { .. }) {
            continue;
        }
        if let Some((id, range)) = payload.as_section() {
            module.section(&RawSection {
                id,
                // Offsets into `wasm`, whose length is a usize.
                data: &wasm[range.start as usize..range.end as usize],
            });
        }
    }
    Ok(module.finish())
}
