//! The recipe that turns the contracts' sources into small, reproducible Stylus modules.
//!
//! 1. cargo, with the standard library built anew so that a panic is one `unreachable` and carries no
//!    text; without source locations, which would put paths of the building machine into the module. Each
//!    contract as a `cdylib` alone: beside a `lib`, which its tests need, cargo leaves link-time
//!    optimisation out, and the code on chain is a tenth larger.
//! 2. `wasm-opt` of Binaryen, pinned: optimises for size, and writes every instruction anew (what
//!    rustc emits since 1.82 is refused by Stylus as it stands).
//! 3. the names of parameter lists become zeroes, and zeroes are left out of the data; the DataCount
//!    section and custom sections are dropped.
//! 4. [`Artifact::pack`] checks, compresses and measures.
//!
//! Why each flag: STYLUS.md, "Build recipe that matters". Equal sources, recipe and tools give equal
//! bytes in any folder; `tools/check-reproducible.sh` proves it.
use std::{
    collections::BTreeMap,
    fs,
    ops::Range,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};
use wasm_encoder::RawSection;
use wasmparser::{Parser, Payload};

use crate::artifacts::{Artifact, Artifacts, Manifest, NAMES};

const TARGET: &str = "wasm32-unknown-unknown";
const RUSTFLAGS: [&str; 6] = [
    "-Zunstable-options",
    "-Cpanic=immediate-abort",
    "-Zlocation-detail=none",
    "-Zfmt-debug=none",
    // The stack lies below the data; the default of 1 MiB would be 16 pages to pay for.
    "-Clink-arg=-zstack-size=32768",
    "-Ctarget-feature=+bulk-memory",
];
/// Of each contract's own crate. A function that was compiled for more than the oldest WebAssembly is then not inlined into
/// it (LLVM inlines only what the caller's target has): what alloy and the SDK do not mark as inlinable stays one function, and
/// `records` is 600 bytes smaller on chain.
const OWN_RUSTFLAG: &str = "-Ctarget-cpu=mvp";
/// Beginnings of the variables by which an outer cargo or a user's shell would change the output. Where
/// packages come from (`CARGO_HOME`, `CARGO_HTTP_*`, `CARGO_REGISTRIES_*`, ..) stays as it is.
const FOREIGN_SETTINGS: [&str; 10] = [
    "CARGO_BUILD_",
    "CARGO_ENCODED_",
    "CARGO_INCREMENTAL",
    "CARGO_MANIFEST_",
    "CARGO_PKG_",
    "CARGO_PROFILE_",
    "CARGO_TARGET_",
    "CARGO_UNSTABLE_",
    "RUSTC",
    "RUSTFLAGS",
];
const BINARYEN: &str = "132";
const WASM_OPT: [&str; 9] = [
    "-Oz",
    // The memory is the module's own, so it begins with zeroes.
    "--zero-filled-memory",
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--strip-debug",
    "--strip-producers",
    "--strip-target-features",
];
/// After the names are gone.
const WASM_PACK: [&str; 6] = [
    "--memory-packing",
    "--zero-filled-memory",
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-sign-ext",
    "--enable-mutable-globals",
];
/// What every contract is made of, beside its own folder.
const SHARED_SOURCES: [&str; 5] = ["Cargo.toml", "Cargo.lock", "abi", "calls", "merkle"];
/// A bound on the walk below the contracts' folder.
const SOURCES_MAX: usize = 10_000;

/// Where the parts are.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// The contracts workspace.
    pub contracts: PathBuf,
    /// What `tools/setup-wasm.sh` and `tools/setup-node.sh` filled.
    pub tools: PathBuf,
    /// Where the artifacts go.
    pub out: PathBuf,
}

/// What a build did.
#[derive(Debug)]
pub struct Outcome {
    pub manifest: Manifest,
    /// False: nothing had changed.
    pub built: bool,
}

impl Recipe {
    /// Builds what is not built yet.
    ///
    /// # Errors
    /// A missing tool (the text names the script that installs it), a source that does not compile, a
    /// module that Stylus would refuse, code past the limit.
    pub fn build(&self) -> Result<Outcome> {
        let toolchain = self.toolchain()?;
        let rustc = version(self.rust("rustc", &toolchain).arg("--version")).context("run tools/setup-wasm.sh")?;
        let wasm_opt = self.wasm_opt()?;
        let inputs = self.inputs(&rustc)?;
        if let Ok(Some(manifest)) = Manifest::load(&self.out)
            && manifest.inputs == inputs
            && Artifacts::load(&self.out).is_ok()
        {
            return Ok(Outcome { manifest, built: false });
        }

        self.compile(&toolchain)?;
        let artifacts = Artifacts::each(|name| self.finish(&wasm_opt, name))?;
        Ok(Outcome {
            manifest: artifacts.save(&self.out, &inputs, &rustc)?,
            built: true,
        })
    }

    /// The name that rustup knows the toolchain by, as `tools/setup-wasm.sh` noted it. `None`: the default.
    fn toolchain(&self) -> Result<Option<String>> {
        let note = self.tools.join("wasm-toolchain");
        let name = fs::read_to_string(&note).with_context(|| {
            format!(
                "no WASM toolchain is set up ({}): run tools/setup-wasm.sh",
                note.display()
            )
        })?;
        Ok(Some(name.trim().to_owned()).filter(|name| name != "default"))
    }

    /// A command of the Rust toolchain, without what an outer cargo or the user's shell would change in the output.
    fn rust(&self, program: &str, toolchain: &Option<String>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.contracts);
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if FOREIGN_SETTINGS.iter().any(|start| text.starts_with(start)) {
                command.env_remove(name);
            }
        }
        // Set by rustup for the outer cargo, which may be of another toolchain.
        command.env_remove("CARGO").env_remove("RUSTUP_TOOLCHAIN");
        if let Some(toolchain) = toolchain {
            command.env("RUSTUP_TOOLCHAIN", toolchain);
        }
        command
    }

    fn wasm_opt(&self) -> Result<PathBuf> {
        let path = self.tools.join("node/node_modules/.bin/wasm-opt");
        let found = version(Command::new(&path).arg("--version"))
            .with_context(|| format!("{}: run tools/setup-node.sh", path.display()))?;
        ensure!(
            found.split_whitespace().any(|word| word == BINARYEN),
            "{} is `{found}`, the recipe is pinned to version {BINARYEN}: run tools/setup-node.sh",
            path.display()
        );
        Ok(path)
    }

    fn compile(&self, toolchain: &Option<String>) -> Result<()> {
        for name in NAMES {
            let mut cargo = self.rust("cargo", toolchain);
            cargo
                .args(["rustc", "--release", "--locked", "--lib", "--crate-type", "cdylib"])
                .args(["--target", TARGET, "-Z", "build-std=std,panic_abort"])
                .args(["--target-dir", "target", "-p", &format!("medlock-{name}")])
                .args(["--", OWN_RUSTFLAG])
                // The flags above are unstable; the compiler is not: this is its own switch for them.
                .env("RUSTC_BOOTSTRAP", "1")
                .env("CARGO_ENCODED_RUSTFLAGS", RUSTFLAGS.join("\u{1f}"));
            let status = cargo.status().context("start cargo")?;
            ensure!(status.success(), "{name} did not compile ({status})");
        }
        Ok(())
    }

    fn finish(&self, wasm_opt: &Path, name: &str) -> Result<Artifact> {
        let compiled = self
            .contracts
            .join(format!("target/{TARGET}/release/medlock_{name}.wasm"));
        let optimised = compiled.with_extension("opt.wasm");
        self.run(wasm_opt, name, &WASM_OPT, &compiled, &optimised)?;
        let module = read(&optimised).and_then(|bytes| blank_type_names(&bytes))?;
        fs::write(&optimised, module).with_context(|| format!("write {}", optimised.display()))?;
        // Data that begin as zeroes need not be there.
        let packed = compiled.with_extension("packed.wasm");
        self.run(wasm_opt, name, &WASM_PACK, &optimised, &packed)?;
        let module = read(&packed).and_then(|bytes| strip(&bytes))?;
        Ok(Artifact::pack(name, module)?)
    }

    fn run(&self, wasm_opt: &Path, name: &str, flags: &[&str], from: &Path, to: &Path) -> Result<()> {
        let output = Command::new(wasm_opt)
            .args(flags)
            .arg(from)
            .arg("-o")
            .arg(to)
            .output()
            .context("start wasm-opt")?;
        ensure!(
            output.status.success(),
            "wasm-opt refused {name}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(())
    }

    /// sha256 over everything that decides the output.
    fn inputs(&self, rustc: &str) -> Result<String> {
        let mut sources = BTreeMap::new();
        for entry in SHARED_SOURCES.iter().chain(&NAMES) {
            collect(&self.contracts, Path::new(entry), &mut sources)?;
        }
        let mut hash = Sha256::new();
        let mut part = |name: &str, bytes: &[u8]| {
            hash.update((name.len() as u64).to_be_bytes());
            hash.update(name);
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        };
        part("rustc", rustc.as_bytes());
        part("recipe", include_bytes!("recipe.rs"));
        part("artifacts", include_bytes!("artifacts.rs"));
        for (path, bytes) in &sources {
            part(path, bytes);
        }
        Ok(hex::encode(hash.finalize()))
    }
}

/// Every source file at or below `entry`, by its path relative to `root`.
fn collect(root: &Path, entry: &Path, sources: &mut BTreeMap<String, Vec<u8>>) -> Result<()> {
    let path = root.join(entry);
    if path.is_dir() {
        let list = fs::read_dir(&path).with_context(|| format!("list {}", path.display()))?;
        for child in list {
            collect(root, &entry.join(child?.file_name()), sources)?;
        }
        return Ok(());
    }
    let name = entry.to_string_lossy().into_owned();
    if name.ends_with(".rs") || name.ends_with(".toml") || name.ends_with(".lock") {
        let bytes = fs::read(&path).with_context(|| format!("read {}", path.display()))?;
        sources.insert(name, bytes);
    }
    if sources.len() > SOURCES_MAX {
        bail!("more than {SOURCES_MAX} source files below {}", root.display());
    }
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("read {}", path.display()))
}

/// The module with zeroes in the place of the names of parameter lists, such as `(address,bytes32)`.
///
/// alloy puts them into the error of a value that is not of its type, and the SDK's router drops that error unread; but every
/// call pays for each byte of data (0.75 gas). Only whole texts between parentheses that are types, comma by comma, are touched,
/// and only where nothing but a name can stand: in data segments.
fn blank_type_names(wasm: &[u8]) -> Result<Vec<u8>> {
    let mut module = wasm_encoder::Module::new();
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload.context("parse the optimised module")?;
        if let Some((id, range)) = payload.as_section() {
            // Offsets into `wasm`, whose length is a usize.
            let mut data = wasm[range.start as usize..range.end as usize].to_vec();
            if matches!(payload, Payload::DataSection(_)) {
                for name in type_names(&data) {
                    data[name].fill(0);
                }
            }
            module.section(&RawSection { id, data: &data });
        }
    }
    Ok(module.finish())
}

/// Where `(type,type,..)` stands in `data`.
fn type_names(data: &[u8]) -> Vec<Range<usize>> {
    let mut names = Vec::new();
    let mut rest = 0;
    while let Some(open) = data[rest..].iter().position(|byte| *byte == b'(').map(|at| rest + at) {
        rest = open + 1;
        let inside = data[rest..]
            .iter()
            .take_while(|byte| byte.is_ascii_alphanumeric() || b",[]".contains(byte))
            .count();
        let close = rest + inside;
        let is_list = data.get(close) == Some(&b')')
            && data[rest..close].split(|byte| *byte == b',').all(|name| {
                let name = name.strip_suffix(b"[]").unwrap_or(name);
                name.first().is_some_and(u8::is_ascii_alphabetic) && name.iter().all(u8::is_ascii_alphanumeric)
            });
        if is_list {
            names.push(open..close + 1);
            rest = close + 1;
        }
    }
    names
}

/// The module without custom sections and without DataCount, which Stylus does not know.
fn strip(wasm: &[u8]) -> Result<Vec<u8>> {
    let mut module = wasm_encoder::Module::new();
    for payload in Parser::new(0).parse_all(wasm) {
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

/// The first line of what a program says about itself.
fn version(command: &mut Command) -> Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("cannot start {program}"))?;
    ensure!(
        output.status.success(),
        "{program} failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lists_of_types_are_blanked() {
        let data = b"(address,bytes32[])x()(a b)(Question)\0(1a)offset (usize)(uint8,)(bytes";
        let names: Vec<_> = type_names(data).into_iter().map(|name| &data[name]).collect();
        let expected: [&[u8]; 3] = [b"(address,bytes32[])", b"(Question)", b"(usize)"];
        assert_eq!(names, expected);
        let wasm = wat::parse_str(r#"(module (memory 1) (data (i32.const 8) "ab(address)cd"))"#).unwrap();
        let blanked = blank_type_names(&wasm).unwrap();
        assert_eq!(blanked.len(), wasm.len());
        assert!(blanked.windows(13).any(|bytes| bytes == b"ab\0\0\0\0\0\0\0\0\0cd"));
    }

    #[test]
    fn strip_drops_what_stylus_does_not_know_and_keeps_the_rest() {
        let wasm = wat::parse_str(
            r#"(module (@custom "producers" "x") (memory (export "memory") 1)
               (func (memory.init 0 (i32.const 0) (i32.const 0) (i32.const 0)))
               (data "abc"))"#,
        )
        .unwrap();
        let ids = |wasm: &[u8]| -> Vec<u8> {
            Parser::new(0)
                .parse_all(wasm)
                .filter_map(|payload| payload.unwrap().as_section().map(|(id, _)| id))
                .collect()
        };
        assert!(ids(&wasm).contains(&12));
        assert_eq!(ids(&strip(&wasm).unwrap()), [1, 3, 5, 7, 10, 11]);
    }

    #[test]
    fn inputs_change_with_a_source_and_with_the_compiler() {
        let dir = tempfile::tempdir().unwrap();
        for entry in SHARED_SOURCES.iter().chain(&NAMES) {
            let path = dir.path().join(entry);
            match entry.contains('.') {
                true => fs::write(path, entry).unwrap(),
                false => fs::create_dir(path).unwrap(),
            }
        }
        let recipe = Recipe {
            contracts: dir.path().into(),
            tools: dir.path().into(),
            out: dir.path().into(),
        };
        let before = recipe.inputs("rustc 1").unwrap();
        assert_eq!(recipe.inputs("rustc 1").unwrap(), before);
        assert_ne!(recipe.inputs("rustc 2").unwrap(), before);
        fs::write(dir.path().join("abi/lib.rs"), "c").unwrap();
        assert_ne!(recipe.inputs("rustc 1").unwrap(), before);
    }
}
