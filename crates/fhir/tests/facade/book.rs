//! docs/fhir.md says what is there.

use std::fmt::Write;

use medlock_fhir::facade::search::{CONTROLS, ParameterKind, RESOURCES};

const PAGE: &str = include_str!("../../../../docs/fhir.md");

#[test]
fn the_page_has_each_search_parameter() {
    let mut table = String::new();
    for resource in RESOURCES {
        for parameter in resource.parameters {
            let (kind, modifier) = match parameter.kind {
                ParameterKind::Token { .. } => ("token", ""),
                ParameterKind::Date => ("date", ""),
                ParameterKind::Literal { .. } => ("reference", ""),
                ParameterKind::Logical => ("reference", ":identifier"),
            };
            let paths = parameter.paths.iter().map(|path| path.join("."));
            let paths = paths.map(|path| {
                if path.contains("://") {
                    "extension".to_owned()
                } else {
                    path
                }
            });
            let paths = paths.collect::<Vec<_>>().join(", ");
            writeln!(
                table,
                "| {} | `{}{modifier}` | {kind} | {paths} |",
                resource.name, parameter.name
            )
            .unwrap();
        }
    }
    assert!(PAGE.contains(&table), "docs/fhir.md should have\n{table}");
    for (name, _) in CONTROLS {
        assert!(PAGE.contains(&format!("`{name}`")), "{name}");
    }
}

#[test]
fn the_page_explains_each_name_of_ours() {
    let source = include_str!("../../src/facade/system.rs");
    let names: Vec<_> = source
        .split('"')
        .filter(|text| text.starts_with("urn:medlock:fhir:"))
        .collect();
    assert!(names.len() > 12, "{names:?}");
    for name in names {
        assert!(PAGE.contains(&format!("`{name}`")), "{name}");
    }
}
