//! Programs of others that tests compare ours with: the Python ones that tools/setup-python.sh installs, and HAPI FHIR's validator of
//! tools/setup-hapi-validator.sh.

use std::{
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
    thread,
};

/// Where tools/setup-*.sh put things.
fn tools() -> PathBuf {
    std::env::var_os("MEDLOCK_TOOLS").map_or_else(|| root().join(".tools"), PathBuf::from)
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// `python3` with the packages of `tool`, a folder of tools/.
///
/// # Panics
/// Where they are not installed.
pub fn python(tool: &str) -> Command {
    let installed = installed(tool, "tools/setup-python.sh");
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
    let mut child = command.spawn().expect("python3 or java is not installed");
    let mut stdin = child.stdin.take().unwrap();
    // Beside the reading of what it prints, so that neither waits for the other.
    let writer = thread::spawn(move || stdin.write_all(&input).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success(), "{:?} failed", command.get_program());
    String::from_utf8(output.stdout).unwrap()
}

/// What is wrong with each resource, a JSON text in one line, by two validators of others: fhir.resources, and HAPI FHIR's with the
/// specification's own profiles.
///
/// # Panics
/// Where one of them does not answer about each.
pub fn fhir_faults(resources: &[String]) -> Vec<Vec<String>> {
    let (first, second) = (fhir_resources_faults(resources), faults(hapi(), resources));
    first
        .into_iter()
        .zip(second)
        .map(|(one, other)| [one, other].concat())
        .collect()
}

/// What fhir.resources alone finds wrong.
///
/// # Panics
/// As [`fhir_faults`].
pub fn fhir_resources_faults(resources: &[String]) -> Vec<Vec<String>> {
    faults(fhir_program("validate.py"), resources)
}

fn faults(program: Command, resources: &[String]) -> Vec<Vec<String>> {
    let lines: String = resources.iter().map(|resource| format!("{resource}\n")).collect();
    let output = output(program, lines.into_bytes());
    let faults: Vec<_> = output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(faults.len(), resources.len());
    faults
}

/// HAPI FHIR's validator. It runs for seconds: it is compiled quickly rather than well.
fn hapi() -> Command {
    let home = installed("hapi-validator", "tools/setup-hapi-validator.sh");
    let mut command = Command::new("java");
    command.args(["-XX:TieredStopAtLevel=1", "-Xshare:auto", "-cp"]);
    command.arg(format!("{0}/classes:{0}/jars/*", home.display()));
    command.arg("medlock.Validate");
    command
}

fn installed(tool: &str, script: &str) -> PathBuf {
    let installed = tools().join(tool);
    let is_there = installed.join("installed").is_file();
    assert!(is_there, "{} is missing: run {script}", installed.display());
    installed
}
