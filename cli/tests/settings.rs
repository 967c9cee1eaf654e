//! Settings by flag, environment and file, of the program as people run it; and what `medlock gateway config check` says of them.
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;

fn medlock(dir: &Path, args: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_medlock"));
    command.env_clear().current_dir(dir).args(args);
    command.envs(environment.iter().copied());
    command.output().unwrap()
}

fn checked(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
}

/// Value and source of a setting.
fn setting<'a>(checked: &'a Value, name: &str) -> (&'a str, &'a str) {
    let settings = checked["settings"].as_array().unwrap();
    let found = settings.iter().find(|setting| setting["name"] == name);
    let found = found.unwrap_or_else(|| panic!("{name}: {settings:?}"));
    (found["value"].as_str().unwrap_or("-"), found["from"].as_str().unwrap())
}

#[test]
fn a_flag_goes_before_a_variable_that_before_the_file_that_before_the_default() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("medlock.toml");
    fs::write(
        &file,
        "rpc = [\"http://127.0.0.1:9/KEY\"]\n[gateway]\nlisten = \"127.0.0.1:1\"\npoll-ms = 100\nindex-read-only = true\nanchor-minutes = 7\n",
    )
    .unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let args = [
        "gateway",
        "--json",
        "--poll-ms",
        "300",
        "config",
        "check",
        "--config",
        "medlock.toml",
    ];
    let environment = [
        ("MEDLOCK_LISTEN", "127.0.0.1:2"),
        ("MEDLOCK_POLL_MS", "200"),
        ("MEDLOCK_INDEX_READ_ONLY", "false"),
    ];
    let output = medlock(dir.path(), &args, &environment);
    let found = checked(&output);
    assert_eq!(setting(&found, "poll-ms"), ("300", "command-line"));
    assert_eq!(setting(&found, "listen"), ("127.0.0.1:2", "environment"));
    assert_eq!(setting(&found, "index-read-only"), ("false", "environment"));
    assert_eq!(setting(&found, "anchor-minutes"), ("7", "file"));
    assert_eq!(setting(&found, "upkeep-hours"), ("24", "default"));
    assert_eq!(setting(&found, "rpc"), ("http://127.0.0.1:9/…", "file"));
    assert_eq!(setting(&found, "public-url"), ("-", "default"));
    assert!(!String::from_utf8_lossy(&output.stdout).contains("KEY"));
    // No deployment file: that is wrong, whatever is merely not reached.
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    // Nothing was made.
    let left: Vec<_> = fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["medlock.toml"]);

    // The file's name may come from the environment, and what it says is read as a flag would be.
    fs::write(&file, "poll-ms = 0\n").unwrap();
    let output = medlock(dir.path(), &["gateway"], &[("MEDLOCK_CONFIG", "medlock.toml")]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("medlock.toml") && said.contains("poll-ms"), "{said}");
    let output = medlock(dir.path(), &["index", "--config", "none.toml"], &[]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && said.contains("none.toml"), "{said}");
}

#[test]
fn a_file_with_secrets_that_others_may_read_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("medlock.toml");
    fs::write(&file, "state = \"postgres://medlock:hunter2@127.0.0.1:9/medlock\"\n").unwrap();
    let finding = |mode: u32| {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        let args = ["gateway", "--json", "--config", "medlock.toml", "config", "check"];
        let output = medlock(dir.path(), &args, &[]);
        assert!(!String::from_utf8_lossy(&output.stdout).contains("hunter2"));
        let found = checked(&output);
        let findings = found["findings"].as_array().unwrap();
        let of_file = findings.iter().find(|finding| finding["what"] == "settings file");
        of_file.unwrap()["outcome"].as_str().unwrap().to_owned()
    };
    assert_eq!(finding(0o644), "wrong");
    assert_eq!(finding(0o600), "good");
}
