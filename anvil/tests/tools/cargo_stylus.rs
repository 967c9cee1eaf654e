//! `cargo stylus` 0.10.10, through `tools/stylus.sh`, on this repository's contracts and on a newcomer's.

use std::collections::BTreeSet;
use std::fs;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use alloy::json_abi::{Function, JsonAbi, Param};
use alloy::primitives::{Address, B256, U256, hex, keccak256};
use medlock_deploy::artifacts::NAMES;
use tokio::process::Command;
use wasmparser::{Parser, Payload};

use crate::{ARB_WASM, COMPILES, QUICK, World, address, artifact, fails, root, run, succeeds, texts};

/// The custom section in which `cargo stylus` keeps the hash of the sources.
const PROJECT_HASH: &str = "project_hash";

#[tokio::test(flavor = "multi_thread")]
async fn cargo_stylus_checks_deploys_and_activates_a_contract_of_ours() {
    let world = World::start().await;
    let project = audit_alone().await;
    let project = ["-C", project.to_str().unwrap()];
    let stylus = |args: &[&'static str]| [&project, args].concat();
    // Accepted by ArbWasm as it would be deployed.
    let checked = world
        .stylus(&stylus(&["check", "--contract", "medlock-audit"]), &[])
        .await;
    assert_eq!(checked.matches("contract size: ").count(), 1, "{checked}");
    assert_eq!(checked.matches("wasm data fee: ").count(), 1, "{checked}");

    // The tool does not link: what our deployer puts in is still a placeholder.
    let placeholder = Address::new(medlock_abi::link::REGISTRY);
    // Deployed alone, then activated; a second time there is nothing to activate.
    let told = world
        .deploy(&project, &["--contract", "medlock-audit", "--no-activate"])
        .await;
    let audit = deployed(&told);
    let asked = ["call", &audit, "registry()(address)"];
    let mut early = world.npm_tool("cast");
    early.args(asked);
    fails(early, QUICK).await;
    let activate = ["activate", "--address", &audit];
    let told = world.stylus(&activate, &world.signed()).await;
    assert!(told.contains("successfully activated contract"), "{told}");
    assert_eq!(address(&world.cast(asked).await), placeholder);
    let again = fails(world.stylus_command(&activate, &world.signed()), COMPILES).await;
    assert!(again.contains(&error("ProgramUpToDate()")), "{again}");
    let told = world.deploy(&project, &["--contract", "medlock-audit"]).await;
    assert!(told.contains("wasm already activated!"), "{told}");
    let again = ["call", &deployed(&told), "registry()(address)"];
    assert_eq!(address(&world.cast(again).await), placeholder);

    // A month later, and not before, its life may be extended; but the tool sends no data fee with it.
    let code_hash = world.cast(["codehash", &audit]).await;
    let keep_alive = ["codehash-keepalive", "--codehash", &code_hash];
    let soon = fails(world.stylus_command(&keep_alive, &world.signed()), COMPILES).await;
    assert!(soon.contains(&error("ProgramKeepaliveTooSoon(uint64)")), "{soon}");
    let days = |days: u64| days * 24 * 60 * 60;
    world.cast(["rpc", "evm_increaseTime", &days(40).to_string()]).await;
    world.cast(["rpc", "evm_mine"]).await;
    let unpaid = fails(world.stylus_command(&keep_alive, &world.signed()), COMPILES).await;
    assert!(
        unpaid.contains(&error("ProgramInsufficientValue(uint256,uint256)")),
        "{unpaid}"
    );
    let paid = [ARB_WASM, "codehashKeepalive(bytes32)", &code_hash, "--value", "1ether"];
    world.cast_send(0, paid).await;
    let left = ["call", ARB_WASM, "programTimeLeft(address)(uint64)", &audit];
    let left = world.cast(left).await;
    let left: u64 = left.split_whitespace().next().unwrap().parse().unwrap();
    assert!((days(364)..=days(365)).contains(&left), "{left}");
}

/// What `cargo stylus` puts on chain for the module that our recipe built is that module, and the hash of the sources.
#[tokio::test(flavor = "multi_thread")]
async fn cargo_stylus_deploys_the_module_that_our_recipe_built() {
    let world = World::start().await;
    for name in NAMES {
        let path = root().join(format!("contracts/target/artifacts/{name}.wasm"));
        let ours = artifact(&format!("{name}.wasm"));
        let told = world.deploy(&[], &["--wasm-file", path.to_str().unwrap()]).await;
        assert!(told.contains("successfully activated contract"), "{told}");
        let on_chain = hex::decode(world.cast(["code", &deployed(&told)]).await).unwrap();
        let mut theirs = Vec::new();
        // Prefix and dictionary (none), then the module.
        let compressed = on_chain.strip_prefix(&[0xef, 0xf0, 0x00, 0x00]).unwrap();
        brotli::Decompressor::new(compressed, 4096)
            .read_to_end(&mut theirs)
            .unwrap();
        assert_eq!(custom_sections(&ours), [] as [&str; 0]);
        assert_eq!(custom_sections(&theirs), [PROJECT_HASH]);
        assert_eq!(other_sections(&theirs), other_sections(&ours), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cargo_stylus_deploys_a_contract_with_a_constructor() {
    let world = World::start().await;
    let counter = root().join("anvil/tests/tools/counter");
    let counter = ["-C", counter.to_str().unwrap()];
    let owner = world.address(1).to_string();
    // Last: it takes all that follows.
    let arguments = ["--constructor-value", "0.5", "--constructor-args", "41", &owner];
    let told = world.deploy(&counter, &arguments).await;
    let program = deployed(&told);
    let number = ["call", &program, "number()(uint256)"];
    assert_eq!(world.cast(number).await, "41");
    assert_eq!(
        address(&world.cast(["call", &program, "owner()(address)"]).await),
        world.address(1)
    );
    assert_eq!(
        world.cast(["balance", &program, "--ether"]).await,
        "0.500000000000000000"
    );
    let receipt = world.cast_send(2, [&program, "increment()"]).await;
    assert_eq!(world.cast(number).await, "42");
    let log = &receipt["logs"][0];
    assert_eq!(log["topics"][0], keccak256("Counted(address,uint256)").to_string());
    assert_eq!(log["data"], B256::from(U256::from(42)).to_string());

    // Once is all; and the arguments are checked before anything is sent.
    let mut twice = world.npm_tool("cast");
    let constructor = ["stylus_constructor(uint256,address)", "1", &owner];
    twice.args(["call", &program]).args(constructor);
    fails(twice, QUICK).await;
    let few = world.stylus_command(&world.deploying(&counter), &["--constructor-args", "41"]);
    let refused = fails(few, COMPILES).await;
    assert!(
        refused.contains("mismatch number of constructor arguments"),
        "{refused}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn cargo_stylus_caches_programs() {
    let world = World::start().await;
    let (registry, _) = world.registry_by_cast().await;
    let status = ["cache", "status", "--address", &registry];
    let before = world.stylus(&status, &[]).await;
    assert!(before.contains("Cache manager status: \"active\""), "{before}");
    assert!(before.contains("\"is not yet cached\""), "{before}");
    let suggested = world.stylus(&["cache", "suggest-bid", &registry], &[]).await;
    assert!(suggested.contains(": 0 wei"), "{suggested}");
    let bid = ["cache", "bid", &registry, "0"];
    let told = world.stylus(&bid, &world.signed()).await;
    assert!(told.contains("Successfully cached contract"), "{told}");
    let after = world.stylus(&status, &[]).await;
    assert!(after.contains("\"is cached\""), "{after}");
    let again = fails(world.stylus_command(&bid, &world.signed()), COMPILES).await;
    assert!(again.contains("already cached"), "{again}");
    let nobody = world.address(5).to_string();
    let bid = ["cache", "bid", &nobody, "0"];
    let refused = fails(world.stylus_command(&bid, &world.signed()), COMPILES).await;
    assert!(refused.contains("not yet activated"), "{refused}");
}

/// Against `contracts/abi/generated`, which our own exporter wrote (`drift` compares all): functions with types and mutability, and errors.
#[tokio::test(flavor = "multi_thread")]
async fn cargo_stylus_exports_the_abi_that_is_committed() {
    let world = World::start().await;
    let export = |more: &[&str]| {
        let mut command = Command::new(root().join("tools/stylus.sh"));
        command.arg("export-abi").args(more);
        succeeds(command, COMPILES)
    };
    let committed = |file: &str| std::fs::read_to_string(root().join("contracts/abi/generated").join(file)).unwrap();
    let exported = solidity_facts(&export(&["--contract", "medlock-registry"]).await);
    assert!(exported.len() > 15, "{exported:?}");
    assert_eq!(exported, solidity_facts(&committed("IRegistry.sol")));
    // As JSON, by way of solc. Of contracts with structs it cannot: the SDK names those and does not define them.
    let output = world.path("abi");
    export(&[
        "--contract",
        "medlock-registry",
        "--json",
        "--output",
        output.to_str().unwrap(),
    ])
    .await;
    let text = std::fs::read_to_string(output).unwrap();
    let exported = text
        .lines()
        .find(|line| line.starts_with('['))
        .unwrap_or_else(|| panic!("{text}"));
    let exported: JsonAbi = serde_json::from_str(exported).unwrap();
    let committed: JsonAbi = serde_json::from_str(&committed("IRegistry.json")).unwrap();
    assert_eq!(json_facts(&exported), json_facts(&committed));
}

/// Without the tool there is one line that says how to get it.
#[tokio::test(flavor = "multi_thread")]
async fn without_cargo_stylus_it_is_said_how_to_install_it() {
    let world = World::start().await;
    let mut command = world.stylus_command(&["check"], &[]);
    command.env("MEDLOCK_TOOLS", world.dir.path());
    let output = run(command, QUICK).await;
    assert_eq!(output.status.code(), Some(1));
    let [_, stderr] = texts(&output);
    assert!(stderr.contains("run tools/setup-cargo-stylus.sh"), "{stderr}");
}

impl World {
    /// `tools/stylus.sh ARGS --endpoint .. MORE`.
    fn stylus_command(&self, args: &[&str], more: &[&str]) -> Command {
        let mut command = Command::new(root().join("tools/stylus.sh"));
        command.args(args).args(["--endpoint", &self.chain.url()]).args(more);
        command
    }

    /// What it prints.
    async fn stylus(&self, args: &[&str], more: &[&str]) -> String {
        let command = self.stylus_command(args, more);
        let name = format!("{command:?}");
        let output = run(command, COMPILES).await;
        let [stdout, stderr] = texts(&output);
        assert!(output.status.success(), "{name}: {}\n{stdout}\n{stderr}", output.status);
        format!("{stdout}\n{stderr}")
    }

    /// Alice signs.
    fn signed(&self) -> [&str; 2] {
        ["--private-key-path", &self.key_file]
    }

    /// The arguments of a deployment. `project` is empty for the contracts of this repository.
    fn deploying<'a>(&'a self, project: &[&'a str]) -> Vec<&'a str> {
        [project, &["deploy", "--no-verify"], &self.signed()].concat()
    }

    async fn deploy(&self, project: &[&str], more: &[&str]) -> String {
        self.stylus(&self.deploying(project), more).await
    }
}

/// A project of `audit` and what it needs: the tool compiles all contracts of a workspace, whichever it is asked for, and that takes
/// many minutes.
async fn audit_alone() -> PathBuf {
    let (contracts, project) = (root().join("contracts"), root().join("contracts/target/audit-alone"));
    fs::create_dir_all(&project).unwrap();
    let members = ["abi", "audit", "calls", "dice", "merkle"];
    for name in members.into_iter().chain(["Stylus.toml"]) {
        match symlink(contracts.join(name), project.join(name)) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            made => made.unwrap(),
        }
    }
    let manifest = fs::read_to_string(contracts.join("Cargo.toml")).unwrap();
    let (before, rest) = manifest.split_once("members = [").unwrap();
    let (_, after) = rest.split_once(']').unwrap();
    fs::write(
        project.join("Cargo.toml"),
        format!("{before}members = {members:?}{after}"),
    )
    .unwrap();
    fs::copy(contracts.join("Cargo.lock"), project.join("Cargo.lock")).unwrap();
    // Leaves out of the lock what these do not need: the tool wants it exact.
    let mut metadata = Command::new("cargo");
    metadata
        .current_dir(&project)
        .args(["metadata", "--offline", "--format-version", "1"]);
    succeeds(metadata, QUICK).await;
    project
}

fn deployed(told: &str) -> String {
    let (_, rest) = told
        .split_once("deployed code at address: ")
        .unwrap_or_else(|| panic!("no address in\n{told}"));
    rest.split_whitespace().next().unwrap().to_owned()
}

/// How a revert with that error looks in a tool's message.
fn error(signature: &str) -> String {
    hex::encode_prefixed(&keccak256(signature)[..4])
}

fn custom_sections(wasm: &[u8]) -> Vec<&str> {
    let sections = Parser::new(0).parse_all(wasm);
    sections
        .filter_map(|payload| match payload.unwrap() {
            Payload::CustomSection(section) => Some(section.name()),
            _ => None,
        })
        .collect()
}

/// Id and bytes of the sections that are not custom.
fn other_sections(wasm: &[u8]) -> Vec<(u8, &[u8])> {
    let sections = Parser::new(0).parse_all(wasm);
    sections
        .filter_map(|payload| payload.unwrap().as_section())
        .filter(|(id, _)| *id != 0)
        .map(|(id, range)| (id, &wasm[range.start as usize..range.end as usize]))
        .collect()
}

/// What a JSON ABI says, without the names that Solidity leaves open.
fn json_facts(abi: &JsonAbi) -> BTreeSet<String> {
    let types = |parameters: &[Param]| -> Vec<String> {
        parameters
            .iter()
            .map(|parameter| parameter.selector_type().into_owned())
            .collect()
    };
    let function = |function: &Function| {
        let outputs = types(&function.outputs);
        format!("{} {:?} {outputs:?}", function.signature(), function.state_mutability)
    };
    let functions = abi.functions().map(function);
    let errors = abi.errors().map(|error| format!("error {}", error.signature()));
    functions.chain(errors).collect()
}

/// The functions and errors of a Solidity interface, without comments, layout, names of parameters and data locations.
fn solidity_facts(source: &str) -> BTreeSet<String> {
    let code: Vec<&str> = source
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('/') && !line.starts_with('*'))
        .collect();
    let types = |list: &str| -> String {
        let first_words = list
            .split(',')
            .map(|one| one.split_whitespace().next().unwrap_or_default());
        first_words.collect::<Vec<_>>().join(",")
    };
    let fact = |statement: &str| {
        let start = ["function ", "error "].iter().find_map(|word| statement.find(word))?;
        let (name, rest) = statement[start..].split_once('(').expect("parameters");
        let (parameters, rest) = rest.split_once(')').expect("parameters end");
        let (modifiers, returned) = rest.split_once("returns").unwrap_or((rest, ""));
        let modifiers: Vec<&str> = modifiers.split_whitespace().collect();
        let returned = returned.trim().trim_start_matches('(').trim_end_matches(')');
        let modifiers = modifiers.join(" ");
        Some(format!(
            "{name}({}) {modifiers} ({})",
            types(parameters),
            types(returned)
        ))
    };
    code.join(" ").split(';').filter_map(fact).collect()
}
