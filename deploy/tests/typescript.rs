//! The exported TypeScript compiles, and viem infers from it.
use std::{path::Path, process::Command};

#[test]
fn typescript_compiles_strictly_and_viem_finds_wrong_arguments() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let modules = root.join(".tools/node/node_modules");
    let compiler = modules.join(".bin/tsc");
    assert!(
        compiler.exists(),
        "{} is missing: run tools/setup-node.sh --tests",
        compiler.display()
    );
    // In a folder of its own, beside a link to the npm packages: tsc looks for them above the file.
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(modules.canonicalize().unwrap(), folder.path().join("node_modules")).unwrap();
    let check = folder.path().join("deploy/tests/typescript/check.ts");
    let exported = folder.path().join("contracts/abi/generated/medlock.ts");
    for (from, to) in [
        (root.join("deploy/tests/typescript/check.ts"), &check),
        (root.join("contracts/abi/generated/medlock.ts"), &exported),
    ] {
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(from, to).unwrap();
    }
    let output = Command::new(compiler)
        .args(["--noEmit", "--strict", "--skipLibCheck", "--target", "es2022"])
        .args(["--module", "esnext", "--moduleResolution", "bundler"])
        .arg(&check)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
