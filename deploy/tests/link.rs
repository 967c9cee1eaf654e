//! `medlock-contracts link`, for those who deploy with another tool.
use std::{path::Path, process::Command};

use alloy::primitives::Address;
use medlock_deploy::{
    Artifacts, Links,
    artifacts::{NAMES, created},
};

#[test]
fn writes_what_our_deployer_would_deploy_and_says_where() {
    let contracts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../contracts");
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("linked");
    let (deployer, owner) = (Address::repeat_byte(1), Address::repeat_byte(2));
    let link = || {
        Command::new(env!("CARGO_BIN_EXE_medlock-contracts"))
            .arg("--contracts")
            .arg(&contracts)
            .args(["link", "--nonce", "7", "--deployer", &deployer.to_string()])
            .args(["--owner", &owner.to_string(), "--out"])
            .arg(&out)
            .output()
            .unwrap()
    };
    let done = link();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let told = String::from_utf8(done.stdout).unwrap();
    let links = Links::foresee(deployer, 7, owner);
    let artifacts = Artifacts::load(contracts.join("target/artifacts")).unwrap();
    for ((artifact, address), line) in artifacts.iter().zip(created(deployer, 7)).zip(told.lines()) {
        let linked = artifact.link(&links).unwrap();
        assert_ne!(linked.code, artifact.code, "{}", artifact.name);
        let written = |extension: &str| std::fs::read(out.join(&artifact.name).with_extension(extension)).unwrap();
        assert!(written("code") == linked.code && written("wasm") == linked.wasm);
        let (name, at) = line.split_once(' ').unwrap();
        assert_eq!((name, at.trim()), (artifact.name.as_str(), &*address.to_string()));
    }
    assert_eq!(told.lines().count(), NAMES.len());

    // What is there is kept.
    let again = link();
    assert!(!again.status.success());
    let says = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(says.contains("create ") && says.contains("exists"), "{says}");
}
