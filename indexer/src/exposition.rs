//! Prometheus' text format (prometheus.io/docs/instrumenting/exposition_formats).
use std::fmt::{Display, Write as _};

pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Families of figures whose names begin alike.
pub struct Text {
    prefix: &'static str,
    text: String,
}

impl Text {
    #[must_use]
    pub fn new(prefix: &'static str) -> Self {
        Self {
            prefix,
            text: String::new(),
        }
    }

    #[must_use]
    pub fn into_string(self) -> String {
        self.text
    }

    pub fn gauge(&mut self, name: &str, help: &str, value: impl Into<u64>) {
        self.family(name, "gauge", help);
        self.value(name, &[], value.into());
    }

    pub fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.family(name, "counter", help);
        self.value(name, &[], value);
    }

    /// Before the values of a name.
    pub fn family(&mut self, name: &str, kind: &str, help: &str) {
        let prefix = self.prefix;
        // Writing to a String cannot fail.
        _ = writeln!(self.text, "# HELP {prefix}{name} {help}\n# TYPE {prefix}{name} {kind}");
    }

    pub fn value(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let labels: Vec<String> = labels
            .iter()
            .map(|(label, value)| {
                let value = value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n");
                format!("{label}=\"{value}\"")
            })
            .collect();
        let labels = if labels.is_empty() {
            String::new()
        } else {
            format!("{{{}}}", labels.join(","))
        };
        _ = writeln!(self.text, "{}{name}{labels} {value}", self.prefix);
    }
}
