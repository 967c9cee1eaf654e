//! Built contracts: WASM, the code that goes on chain, and the manifest that vouches for both.
//!
//! Limits and format: STYLUS.md, "Code on chain"; Nitro refuses what is past them at activation,
//! we refuse it at the build.
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use alloy::primitives::Address;
use medlock_abi::link::{self, Placeholder};
pub use medlock_deployment::{CODE_PREFIX, NAMES};
use memchr::memmem;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Where `medlock-contracts build` writes, below the repository's root.
pub const DEFAULT_DIR: &str = "contracts/target/artifacts";
/// EIP-170, which Arbitrum keeps for Stylus code without fragments.
pub const CODE_BYTES_MAX: usize = 24_576;
/// Decompressed; ArbWasm's `MaxWasmSize` as Arbitrum One sets it.
pub const WASM_BYTES_MAX: usize = 128 * 1024;

const MANIFEST: &str = "manifest.json";
const MANIFEST_VERSION: u32 = 1;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{path}: {source}")]
    Io { path: PathBuf, source: std::io::Error },
    #[error("no built contracts in {0}: run `cargo run -p medlock-deploy --bin medlock-contracts -- build`")]
    NotBuilt(PathBuf),
    #[error("{path} is not a manifest of built contracts: {reason}; build again")]
    Manifest { path: PathBuf, reason: String },
    #[error("{path} is not the file that the manifest names (sha256 differs); build again")]
    Hash { path: PathBuf },
    #[error("{contract}: {bytes} bytes of code, {CODE_BYTES_MAX} are allowed on chain")]
    CodeTooLarge { contract: String, bytes: usize },
    #[error("{contract}: {bytes} bytes of WASM, {WASM_BYTES_MAX} are allowed")]
    WasmTooLarge { contract: String, bytes: usize },
    #[error("{contract}: not a module that Stylus accepts: {reason}")]
    Wasm { contract: String, reason: String },
    #[error(
        "{contract}: the placeholder of the {link} stands in its module {found} times, and there is place for one address"
    )]
    Placeholder {
        contract: String,
        link: &'static str,
        found: usize,
    },
    #[error("the address of the {0} is zero, and a contract's code takes it for good")]
    ZeroLink(&'static str),
}

/// One contract, ready for a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    pub name: String,
    /// The module as it is run, at most [`WASM_BYTES_MAX`].
    pub wasm: Vec<u8>,
    /// [`CODE_PREFIX`], then the module in brotli; at most [`CODE_BYTES_MAX`].
    pub code: Vec<u8>,
}

impl Artifact {
    /// Compresses a module, and refuses what a chain would refuse.
    pub fn pack(name: &str, wasm: Vec<u8>) -> Result<Self, Error> {
        accept(name, &wasm)?;
        if wasm.len() > WASM_BYTES_MAX {
            return Err(Error::WasmTooLarge {
                contract: name.into(),
                bytes: wasm.len(),
            });
        }
        let code = [CODE_PREFIX.as_slice(), &medlock_pack::compress(&wasm)].concat();
        if code.len() > CODE_BYTES_MAX {
            return Err(Error::CodeTooLarge {
                contract: name.into(),
                bytes: code.len(),
            });
        }
        Ok(Self {
            name: name.into(),
            wasm,
            code,
        })
    }

    /// The same module with the addresses in the places of its placeholders (`medlock_abi::link`), ready for a chain.
    ///
    /// # Errors
    /// [`Error::ZeroLink`], [`Error::Placeholder`], [`Error::CodeTooLarge`].
    pub fn link(&self, links: &Links) -> Result<Self, Error> {
        let mut wasm = self.wasm.clone();
        for (link, placeholder, address) in links.each() {
            if address.is_zero() {
                return Err(Error::ZeroLink(link));
            }
            // Looked for in what was built: an address may look like anything.
            let places: Vec<usize> = memmem::find_iter(&self.wasm, &placeholder).collect();
            match places[..] {
                [] => {}
                [place] => wasm[place..place + placeholder.len()].copy_from_slice(address.as_slice()),
                _ => {
                    return Err(Error::Placeholder {
                        contract: self.name.clone(),
                        link,
                        found: places.len(),
                    });
                }
            }
        }
        Self::pack(&self.name, wasm)
    }

    /// The creation code: copies the code that follows it into memory and returns it.
    ///
    /// `PUSH32 len, DUP1, PUSH1 43, PUSH1 0, CODECOPY, PUSH1 0, RETURN, STOP`, then the code.
    pub fn init_code(&self) -> Vec<u8> {
        let mut init = vec![0x7f];
        init.extend([0; 24]);
        init.extend((self.code.len() as u64).to_be_bytes());
        init.extend([0x80, 0x60, 0x2b, 0x60, 0x00, 0x39, 0x60, 0x00, 0xf3, 0x00]);
        init.extend(&self.code);
        init
    }

    fn entry(&self) -> Entry {
        Entry {
            name: self.name.clone(),
            wasm_bytes: self.wasm.len(),
            code_bytes: self.code.len(),
            wasm_sha256: sha256(&self.wasm),
            code_sha256: sha256(&self.code),
        }
    }
}

/// Every contract of [`NAMES`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifacts {
    pub registry: Artifact,
    pub records: Artifact,
    pub exceptions: Artifact,
    pub relay: Artifact,
    pub audit: Artifact,
    pub claims: Artifact,
    pub supply: Artifact,
    pub trials: Artifact,
}

impl Artifacts {
    /// Reads what `medlock-contracts build` wrote into `dir` (see [`DEFAULT_DIR`]), and checks every hash.
    ///
    /// # Errors
    /// [`Error::NotBuilt`] where there is none; [`Error::Hash`] where a file is not the manifest's.
    pub fn load(dir: impl AsRef<Path>) -> Result<Self, Error> {
        let dir = dir.as_ref();
        let manifest = Manifest::load(dir)?.ok_or_else(|| Error::NotBuilt(dir.into()))?;
        Self::each(|name| manifest.read(dir, name))
    }

    /// Makes every artifact by its name.
    pub(crate) fn each<E>(mut make: impl FnMut(&'static str) -> Result<Artifact, E>) -> Result<Self, E> {
        let [registry, records, exceptions, relay, audit, claims, supply, trials] = NAMES;
        Ok(Self {
            registry: make(registry)?,
            records: make(records)?,
            exceptions: make(exceptions)?,
            relay: make(relay)?,
            audit: make(audit)?,
            claims: make(claims)?,
            supply: make(supply)?,
            trials: make(trials)?,
        })
    }

    /// In the order of [`NAMES`].
    pub fn iter(&self) -> impl Iterator<Item = &Artifact> {
        let Self {
            registry,
            records,
            exceptions,
            relay,
            audit,
            claims,
            supply,
            trials,
        } = self;
        [registry, records, exceptions, relay, audit, claims, supply, trials].into_iter()
    }

    /// Writes the files, then the manifest that makes them count. A build that is cut short leaves none.
    pub(crate) fn save(&self, dir: &Path, inputs: &str, rustc: &str) -> Result<Manifest, Error> {
        let io = |path: &Path| {
            let path = path.to_owned();
            move |source| Error::Io { path, source }
        };
        fs::create_dir_all(dir).map_err(io(dir))?;
        let manifest_path = dir.join(MANIFEST);
        match fs::remove_file(&manifest_path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(io(&manifest_path)(error));
            }
            _ => {}
        }
        for artifact in self.iter() {
            for (extension, bytes) in [("wasm", &artifact.wasm), ("code", &artifact.code)] {
                let path = dir.join(&artifact.name).with_extension(extension);
                fs::write(&path, bytes).map_err(io(&path))?;
            }
        }
        let manifest = Manifest {
            version: MANIFEST_VERSION,
            inputs: inputs.into(),
            rustc: rustc.into(),
            contracts: self.iter().map(Artifact::entry).collect(),
        };
        let json = serde_json::to_vec_pretty(&manifest).expect("strings and numbers serialise");
        write_whole(&manifest_path, &json).map_err(io(&manifest_path))?;
        Ok(manifest)
    }
}

/// `manifest.json`: what was built, from what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    version: u32,
    /// sha256 over the sources, the recipe and the tools' versions: equal inputs need no build.
    pub inputs: String,
    /// The compiler's own version line.
    pub rustc: String,
    pub contracts: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub name: String,
    pub wasm_bytes: usize,
    pub code_bytes: usize,
    pub wasm_sha256: String,
    pub code_sha256: String,
}

impl Manifest {
    /// `None` where `dir` holds none.
    pub fn load(dir: &Path) -> Result<Option<Self>, Error> {
        let path = dir.join(MANIFEST);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(Error::Io { path, source }),
        };
        let refuse = |reason: String| Error::Manifest {
            path: path.clone(),
            reason,
        };
        let manifest: Self = serde_json::from_slice(&bytes).map_err(|error| refuse(error.to_string()))?;
        if manifest.version != MANIFEST_VERSION {
            return Err(refuse(format!("version {}", manifest.version)));
        }
        Ok(Some(manifest))
    }

    fn read(&self, dir: &Path, name: &str) -> Result<Artifact, Error> {
        let entry = self
            .contracts
            .iter()
            .find(|entry| entry.name == name)
            .ok_or_else(|| Error::Manifest {
                path: dir.join(MANIFEST),
                reason: format!("`{name}` is not in it"),
            })?;
        let file = |extension: &str, hash: &str| {
            let path = dir.join(name).with_extension(extension);
            match fs::read(&path) {
                Ok(bytes) if sha256(&bytes) == hash => Ok(bytes),
                Ok(_) => Err(Error::Hash { path }),
                Err(source) => Err(Error::Io { path, source }),
            }
        };
        Ok(Artifact {
            name: name.into(),
            wasm: file("wasm", &entry.wasm_sha256)?,
            code: file("code", &entry.code_sha256)?,
        })
    }
}

/// The addresses that become constants of the contracts' code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Links {
    /// The registry's first owner.
    pub owner: Address,
    pub registry: Address,
    pub records: Address,
    pub exceptions: Address,
    pub relay: Address,
    pub claims: Address,
    pub supply: Address,
    pub trials: Address,
}

impl Links {
    /// Of a deployment whose registry began with `owner`.
    pub fn of(deployment: &medlock_deployment::Deployment, owner: Address) -> Self {
        Self {
            owner,
            registry: deployment.registry,
            records: deployment.records,
            exceptions: deployment.exceptions,
            relay: deployment.relay,
            claims: deployment.claims,
            supply: deployment.supply,
            trials: deployment.trials,
        }
    }

    /// Those of a deployment by `deployer`, whose next transactions, from `nonce` on, create the contracts in the order of [`NAMES`].
    pub fn foresee(deployer: Address, nonce: u64, owner: Address) -> Self {
        let [registry, records, exceptions, relay, _, claims, supply, trials] = created(deployer, nonce);
        Self {
            owner,
            registry,
            records,
            exceptions,
            relay,
            claims,
            supply,
            trials,
        }
    }

    fn each(&self) -> [(&'static str, Placeholder, Address); 8] {
        [
            ("owner", link::OWNER, self.owner),
            ("registry", link::REGISTRY, self.registry),
            ("records", link::RECORDS, self.records),
            ("exceptions", link::EXCEPTIONS, self.exceptions),
            ("relay", link::RELAY, self.relay),
            ("claims", link::CLAIMS, self.claims),
            ("supply", link::SUPPLY, self.supply),
            ("trials", link::TRIALS, self.trials),
        ]
    }
}

/// The addresses at which `deployer` creates the contracts, in the order of [`NAMES`], from `nonce` on.
pub fn created(deployer: Address, nonce: u64) -> [Address; NAMES.len()] {
    std::array::from_fn(|index| deployer.create(nonce + index as u64))
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Either the old content or the new one stands in `path`, whatever happens meanwhile.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!(".{}", std::process::id()));
    let temporary = PathBuf::from(temporary);
    let written = fs::File::create(&temporary)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&temporary, path))
        .and_then(|()| sync_folder(path));
    if written.is_err() {
        // The error that matters is the first; the left-over is named after this process.
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// Makes the name of a new file durable.
pub(crate) fn sync_folder(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    fs::File::open(folder.unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all())
}

/// Refuses, with the operator and its place, what Nitro refuses at activation: anything beyond
/// WebAssembly 1.0 with mutable globals, sign extension and bulk memory, and float arithmetic.
fn accept(name: &str, wasm: &[u8]) -> Result<(), Error> {
    use wasmparser::{Validator, WasmFeatures};
    let features = WasmFeatures::MUTABLE_GLOBAL
        | WasmFeatures::SIGN_EXTENSION
        | WasmFeatures::BULK_MEMORY
        | WasmFeatures::GC_TYPES;
    Validator::new_with_features(features)
        .validate_all(wasm)
        .map(|_| ())
        .map_err(|error| Error::Wasm {
            contract: name.into(),
            reason: error.to_string(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(body: &str) -> Vec<u8> {
        wat::parse_str(body).unwrap()
    }

    fn artifacts() -> Artifacts {
        let wasm = module(r#"(module (memory (export "memory") 1))"#);
        Artifacts::each(|name| Artifact::pack(name, wasm.clone())).unwrap()
    }

    #[test]
    fn code_is_the_prefix_and_a_stream_that_gives_the_module_back() {
        let Artifact { wasm, code, .. } = artifacts().registry;
        let mut unpacked = Vec::new();
        brotli::BrotliDecompress(&mut &code[4..], &mut unpacked).unwrap();
        assert_eq!(code[..4], [0xef, 0xf0, 0, 0]);
        assert_eq!(unpacked, wasm);
    }

    #[test]
    fn init_code_carries_the_length_and_the_code_behind_43_bytes() {
        let artifact = artifacts().registry;
        let init = artifact.init_code();
        assert_eq!(init[31..33], (artifact.code.len() as u16).to_be_bytes());
        assert_eq!(init[43..], artifact.code);
    }

    fn links() -> Links {
        Links::foresee(Address::repeat_byte(1), 7, Address::repeat_byte(2))
    }

    /// A module whose data are these.
    fn holding(data: &[u8]) -> Artifact {
        let data: String = data.iter().map(|byte| format!("\\{byte:02x}")).collect();
        let wasm = module(&format!(
            r#"(module (memory (export "memory") 1) (data (i32.const 0) "{data}"))"#
        ));
        Artifact::pack("a", wasm).unwrap()
    }

    #[test]
    fn linking_puts_each_address_in_its_placeholders_place() {
        let data = |links: [[u8; 20]; 5]| [&b"before"[..], &links.concat(), b"behind"].concat();
        let built = holding(&data([
            link::RELAY,
            link::OWNER,
            link::EXCEPTIONS,
            link::REGISTRY,
            link::RECORDS,
        ]));
        let Links {
            owner,
            registry,
            records,
            exceptions,
            relay,
            ..
        } = links();
        let linked = data([relay, owner, exceptions, registry, records].map(|address| address.into_array()));
        assert_eq!(built.link(&links()).unwrap(), holding(&linked));
        // One that needs none stays as it is.
        let none = holding(b"no placeholder");
        assert_eq!(none.link(&links()).unwrap(), none);
    }

    #[test]
    fn linking_refuses_the_zero_address_and_a_placeholder_that_stands_twice() {
        let zero = Links {
            relay: Address::ZERO,
            ..links()
        };
        assert!(matches!(holding(&[]).link(&zero), Err(Error::ZeroLink("relay"))));
        let twice = holding(&[link::RELAY, link::RELAY].concat());
        assert!(matches!(
            twice.link(&links()),
            Err(Error::Placeholder {
                link: "relay",
                found: 2,
                ..
            })
        ));
    }

    /// An address that is a placeholder's text is an address like others.
    #[test]
    fn linking_looks_at_what_was_built_alone() {
        let links = Links {
            owner: link::REGISTRY.into(),
            ..links()
        };
        let linked = holding(&[link::OWNER, link::REGISTRY].concat()).link(&links).unwrap();
        assert_eq!(linked, holding(&[link::REGISTRY, links.registry.into_array()].concat()));
    }

    #[test]
    fn refuses_modules_that_stylus_refuses() {
        let table = module("(module (table 1 externref))");
        assert!(matches!(Artifact::pack("a", table), Err(Error::Wasm { .. })));
        let vector = module("(module (func (drop (v128.const i64x2 0 0))))");
        assert!(matches!(Artifact::pack("a", vector), Err(Error::Wasm { .. })));
    }

    #[test]
    fn refuses_code_past_the_limit() {
        // Noise does not compress: a xorshift sequence as a data segment.
        let mut state = 0x2545_f491u32;
        let noise: String = (0..30_000)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 17;
                state ^= state << 5;
                format!("\\{:02x}", state as u8)
            })
            .collect();
        let wasm = module(&format!(
            r#"(module (memory (export "memory") 1) (data (i32.const 0) "{noise}"))"#
        ));
        assert!(matches!(
            Artifact::pack("a", wasm),
            Err(Error::CodeTooLarge { bytes, .. }) if bytes > CODE_BYTES_MAX
        ));
    }

    #[test]
    fn loads_what_was_saved_and_refuses_what_was_changed_since() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(Artifacts::load(dir.path()), Err(Error::NotBuilt(_))));
        let artifacts = artifacts();
        artifacts.save(dir.path(), "inputs", "rustc").unwrap();
        assert_eq!(Artifacts::load(dir.path()).unwrap(), artifacts);

        fs::write(dir.path().join("records.code"), b"other").unwrap();
        assert!(matches!(
            Artifacts::load(dir.path()),
            Err(Error::Hash { path }) if path.ends_with("records.code")
        ));
    }
}
