//! The Python programs that tools/setup-python.sh installs, for tests.

use std::{
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
    thread,
};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// `python3` with the packages of `tool`, a folder of tools/.
///
/// # Panics
/// Where they are not installed.
pub fn python(tool: &str) -> Command {
    let tools = std::env::var_os("MEDLOCK_TOOLS").map_or_else(|| root().join(".tools"), PathBuf::from);
    let installed = tools.join(tool);
    assert!(
        installed.join("installed").is_file(),
        "{} is missing: run tools/setup-python.sh",
        installed.display()
    );
    let mut command = Command::new("python3");
    command.env("PYTHONPATH", installed);
    command
}

/// A program of tools/fhir-validator.
///
/// # Panics
/// As [`python`].
pub fn fhir_program(script: &str) -> Command {
    let mut command = python("fhir-validator");
    command.arg(root().join("tools/fhir-validator").join(script));
    command
}

/// Runs it with `input`, and gives what it prints.
///
/// # Panics
/// Where it fails.
pub fn output(mut command: Command, input: Vec<u8>) -> String {
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("python3 is not installed");
    let mut stdin = child.stdin.take().unwrap();
    // Beside the reading of what it prints, so that neither waits for the other.
    let writer = thread::spawn(move || stdin.write_all(&input).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success(), "{:?} failed", command.get_program());
    String::from_utf8(output.stdout).unwrap()
}

/// What fhir.resources, a validator of others, finds wrong with each resource, a JSON text in one line.
///
/// # Panics
/// Where it does not answer about each.
pub fn fhir_faults(resources: &[String]) -> Vec<Vec<String>> {
    let lines: String = resources.iter().map(|resource| format!("{resource}\n")).collect();
    let output = output(fhir_program("validate.py"), lines.into_bytes());
    let faults: Vec<_> = output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(faults.len(), resources.len());
    faults
}
