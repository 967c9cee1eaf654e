//! The TypeScript client (`clients/typescript`): compiled by `tsc --strict`, and run under Node against a World.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use medlock_client::Client;
use medlock_tests::{World, root};
use tempfile::TempDir;

use crate::program::text;

/// Parts of `test/story.ts`.
const PARTS: usize = 10;
/// What is written in `test/fields.ts`, what somebody might write, and what the compiler says of it.
const MISSPELT: [(&str, &str, &str); 6] = [
    (
        "compartment: 6",
        "compartement: 6",
        "'compartement' does not exist in type",
    ),
    (
        "purpose: \"TREAT\"",
        "purpose: \"TREATMENT\"",
        "'\"TREATMENT\"' is not assignable to type",
    ),
    (
        "verdict.allowed",
        "verdict.allow",
        "Property 'allow' does not exist on type",
    ),
    (
        "block_number",
        "blockNumber",
        "Property 'blockNumber' does not exist on type",
    ),
    (
        "error.type ",
        "error.kind ",
        "Property 'kind' does not exist on type 'Problem'",
    ),
    (
        "\"forbidden-or-unknown\"",
        "\"forbidden\"",
        "'\"forbidden\"' is not assignable to type",
    ),
];

/// A copy of the package as it stands in the repository, beside the ABI that it takes in, with the tools where Node looks for them.
struct Package(TempDir);

impl Package {
    fn new() -> Self {
        let copy = Self(tempfile::tempdir().unwrap());
        for file in [
            "contracts/abi/generated/medlock.ts",
            "clients/typescript/package.json",
            "clients/typescript/tsconfig.json",
        ] {
            copy.take(Path::new(file));
        }
        for dir in ["clients/typescript/src", "clients/typescript/test"] {
            for entry in fs::read_dir(root().join(dir)).unwrap() {
                copy.take(&Path::new(dir).join(entry.unwrap().file_name()));
            }
        }
        let modules = root().join(".tools/node/node_modules").canonicalize();
        let modules = modules.expect("tools/setup-node.sh --tests installs the npm tools");
        symlink(modules, copy.0.path().join("node_modules")).unwrap();
        copy
    }

    fn take(&self, file: &Path) {
        let to = self.0.path().join(file);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(root().join(file), to).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join("clients/typescript").join(name)
    }

    fn tsc(&self) -> Output {
        let tsc = self.0.path().join("node_modules/.bin/tsc");
        let mut command = Command::new(tsc);
        command
            .arg("--project")
            .arg(self.path("test"))
            .arg("--pretty")
            .arg("false");
        command.output().expect("tsc; tools/setup-node.sh --tests installs it")
    }
}

fn key(client: &Client) -> String {
    client.identity().key().unwrap().to_bytes().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_typescript_client_does_what_a_developer_wants() {
    let package = Package::new();
    let compiled = package.tsc();
    assert!(compiled.status.success(), "{}", text(&compiled));

    let world = World::start().await;
    let (patient, clinic, chart) = world.treated().await;
    world.indexed().await;
    let imported = clinic.records(chart, None).await.unwrap().len();
    assert!(imported > 5, "there are no pages to turn");
    let deployment = &world.dev.deployment;
    let run = Command::new("node")
        .arg(package.path("dist/clients/typescript/test/story.js"))
        .env("GATEWAY", world.dev.gateway_url())
        .env("GATEWAY_ACCOUNT", clinic.gateway().await.unwrap().account().to_string())
        .env("CHAIN_ID", deployment.chain_id.to_string())
        .env("RECORDS", deployment.records.to_string())
        .env("CHART", chart.to_string())
        .env("IMPORTED", imported.to_string())
        .env("KEY_PATIENT", key(&patient))
        .env("KEY_CLINIC", key(&clinic))
        .output()
        .expect("node is installed by tools/setup-node.sh");
    assert!(run.status.success(), "{}", text(&run));
    let told = String::from_utf8_lossy(&run.stdout);
    assert_eq!(
        told.lines().filter(|line| line.starts_with("ok ")).count(),
        PARTS,
        "{told}"
    );
}

#[test]
fn a_misspelt_field_does_not_compile() {
    let package = Package::new();
    let source = fs::read_to_string(package.path("test/fields.ts")).unwrap();
    let names = MISSPELT.iter().enumerate().map(|(n, _)| format!("misspelt{n}.ts"));
    for ((right, wrong, _), name) in MISSPELT.iter().zip(names.clone()) {
        let misspelt = source.replacen(right, wrong, 1);
        assert_ne!(misspelt, source, "{right}");
        fs::write(package.path("test").join(name), misspelt).unwrap();
    }
    let compiled = package.tsc();
    assert!(!compiled.status.success());
    let says = String::from_utf8_lossy(&compiled.stdout);
    let errors: Vec<_> = says.lines().filter(|line| line.contains("error TS")).collect();
    // One for each, and none beside.
    assert_eq!(errors.len(), MISSPELT.len(), "{says}");
    for (((_, _, why), name), error) in MISSPELT.iter().zip(names).zip(errors) {
        assert!(
            error.contains(&format!("{name}(")) && error.contains(why),
            "{name} wants {why}: {error}"
        );
    }
}
