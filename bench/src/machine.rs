//! What the figures were measured on.

use std::{fs::read_to_string, process::Command};

use anyhow::{Context, ensure};
use serde_json::{Value, json};

/// Processor, cores, memory, system and what else keeps the machine busy.
pub fn describe() -> Value {
    let cpuinfo = read_to_string("/proc/cpuinfo").unwrap_or_default();
    let meminfo = read_to_string("/proc/meminfo").unwrap_or_default();
    let load = read_to_string("/proc/loadavg").unwrap_or_default();
    json!({
        "cpu": field(&cpuinfo, "model name"),
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "memory": field(&meminfo, "MemTotal"),
        "kernel": read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim(),
        "load_average": load.split(' ').next(),
    })
}

/// Bytes that the system gives for a process's `field`: what it holds (`VmRSS`), or held at most (`VmHWM`).
pub fn memory_bytes(process: u32, name: &str) -> anyhow::Result<u64> {
    let path = format!("/proc/{process}/status");
    let status = read_to_string(&path).with_context(|| format!("read {path}"))?;
    let kib = field(&status, name)
        .and_then(|value| value.strip_suffix(" kB"))
        .with_context(|| format!("no {name} in {path}"))?;
    Ok(kib.parse::<u64>().with_context(|| format!("{name} in {path}"))? * 1024)
}

/// What a process held at most, in MiB.
pub fn peak_mib(process: u32) -> anyhow::Result<f64> {
    Ok(memory_bytes(process, "VmHWM")? as f64 / (1024.0 * 1024.0))
}

/// Processor time that a process has taken, for itself and in the kernel, in seconds.
pub fn processor_s(process: u32) -> anyhow::Result<f64> {
    /// USER_HZ, the same on every Linux that programs see.
    const TICKS_A_SECOND: f64 = 100.0;
    let path = format!("/proc/{process}/stat");
    let stat = read_to_string(&path).with_context(|| format!("read {path}"))?;
    // The second field, in parentheses, may hold anything. See proc(5): utime is 14, stime 15.
    let (_, after) = stat
        .rsplit_once(')')
        .with_context(|| format!("{path} is of another form"))?;
    let ticks = after.split_whitespace().skip(11).take(2).map(str::parse::<f64>);
    let ticks = ticks
        .sum::<Result<f64, _>>()
        .with_context(|| format!("the times in {path}"))?;
    Ok(ticks / TICKS_A_SECOND)
}

/// What this program says that it held at most when it is run with `args`: in a process of its own, which does nothing else.
pub fn peak_mib_elsewhere(args: &[&str]) -> anyhow::Result<f64> {
    let output = Command::new(std::env::current_exe()?)
        .args(args)
        .output()
        .context("start the process that is measured")?;
    ensure!(
        output.status.success(),
        "the process that is measured: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse().context("what the measured process said")
}

fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines()
        .find_map(|line| line.split_once(':').filter(|(key, _)| key.trim() == name))
        .map(|(_, value)| value.trim())
}
