//! What the program prints: a person's lines or one JSON value, and an exit code that means something.

use std::{io::IsTerminal, process::ExitCode};

use medlock_client::Error;

/// Exit codes; the same list stands in the help.
pub mod exit {
    pub const FAILED: u8 = 1;
    pub const USAGE: u8 = 2;
    pub const REFUSED: u8 = 3;
    pub const UNREACHABLE: u8 = 4;
    pub const TAMPERED: u8 = 5;
    pub const KEY_FILE: u8 = 6;
    /// `medlock index status --lag-most`.
    pub const LAGS: u8 = 3;
    pub const ANSWER_NO: u8 = 7;
}

#[derive(Debug, Clone, Copy)]
pub struct Output {
    pub json: bool,
}

impl Output {
    /// Prints `value` as JSON, or `text` for a person.
    pub fn say(self, value: impl serde::Serialize, text: impl FnOnce() -> String) -> anyhow::Result<()> {
        if self.json {
            println!("{}", serde_json::to_string_pretty(&value)?);
        } else {
            println!("{}", text().trim_end());
        }
        Ok(())
    }

    /// A progress bar on a terminal; silent for JSON and pipes.
    pub fn bar(self, label: &'static str, length: u64) -> indicatif::ProgressBar {
        if self.json || !std::io::stderr().is_terminal() {
            return indicatif::ProgressBar::hidden();
        }
        let style = indicatif::ProgressStyle::with_template("  {msg:24} {bar:32} {pos}/{len} {per_sec} {eta}")
            .unwrap_or_else(|_| indicatif::ProgressStyle::default_bar());
        indicatif::ProgressBar::new(length)
            .with_style(style)
            .with_message(label)
    }

    pub fn fail(self, error: &anyhow::Error) -> ExitCode {
        let code = code(error);
        if self.json {
            let value = serde_json::json!({ "error": format!("{error:#}"), "exit_code": code });
            eprintln!("{value}");
        } else {
            eprintln!("medlock: {error:#}");
        }
        ExitCode::from(code)
    }
}

fn code(error: &anyhow::Error) -> u8 {
    match error.chain().find_map(|cause| cause.downcast_ref::<Error>()) {
        Some(error) if error.is_transient() => exit::UNREACHABLE,
        Some(Error::Tampered { .. }) => exit::TAMPERED,
        Some(Error::KeyFile(_)) => exit::KEY_FILE,
        Some(error) if error.is_refusal() => exit::REFUSED,
        Some(_) => exit::FAILED,
        None => match error.chain().find_map(|cause| cause.downcast_ref()) {
            Some(medlock_deploy::Error::Chain(medlock_deployment::Error::Rpc { .. })) => exit::UNREACHABLE,
            _ => exit::FAILED,
        },
    }
}

/// Columns padded to their widest cell.
pub fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = head.iter().map(|cell| cell.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: Vec<&str>| {
        let padded: Vec<String> = cells
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        padded.join("  ").trim_end().to_owned()
    };
    let mut out = line(head.to_vec());
    out.push('\n');
    let rules: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
    out.push_str(&line(rules.iter().map(String::as_str).collect()));
    for row in rows {
        out.push('\n');
        out.push_str(&line(row.iter().map(String::as_str).collect()));
    }
    out
}

/// UNIX seconds as RFC 3339, UTC.
pub fn time(seconds: u64) -> String {
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
    humantime::format_rfc3339_seconds(time).to_string()
}
