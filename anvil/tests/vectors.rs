//! What Nitro's own runtime gave for these programs, we must give too.
//!
//! `vectors/programs.json` and `vectors/activation.json` hold its figures; the `.wat` files beside
//! them are the programs. Everything must match to the last unit, except that the variable part
//! of activation gas may be off by half a percent.

use std::{fmt::Write, fs, path::PathBuf};

use medlock_anvil::{
    exec::{CALL_GAS, Call, exec, run},
    stylus::meter::{INK_PRICE, Pages},
};
use serde_json::{Value, json};

/// Gas of a call that runs until nothing is left: burning the whole 10^9 takes most of a minute
/// and tells no more, as all of it must be gone either way.
const SHORT_GAS: u64 = 1_000_000;

fn call(expected: &Value) -> Call {
    let endless = expected["status"] == "out-of-ink";
    Call {
        calldata: expected["calldata"].as_str().unwrap().parse().unwrap(),
        gas: if endless { SHORT_GAS } else { CALL_GAS },
    }
}

fn vectors() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors")
}

fn read(name: &str) -> Value {
    let text = fs::read_to_string(vectors().join(name)).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Replaces activation gas by the expected figure where it is close enough.
fn allow_half_a_percent(actual: &mut Value, expected: &Value) {
    let field = "activation_gas_variable";
    if let (Some(is), Some(want)) = (actual[field].as_u64(), expected[field].as_u64())
        && is.abs_diff(want) * 200 <= want
    {
        actual[field] = json!(want);
    }
}

/// Notes each field of an object in which the two differ.
fn compare(differences: &mut String, place: &str, actual: &Value, expected: &Value) {
    for (field, want) in expected.as_object().unwrap() {
        if actual[field] != *want {
            writeln!(differences, "{place} {field}: is {}, must be {want}", actual[field]).unwrap();
        }
    }
}

#[test]
fn programs_behave_and_cost_what_they_do_on_nitro() {
    let mut differences = String::new();
    for program in read("programs.json")["programs"].as_array().unwrap() {
        let name = program["program"].as_str().unwrap();
        let expected = program["calls"].as_array().unwrap();
        let calls: Vec<Call> = expected.iter().map(call).collect();
        let wasm = wat::parse_file(vectors().join(name)).unwrap();
        let report = run(&wasm, &calls, false).unwrap();
        let mut report = serde_json::to_value(report).unwrap();
        let activation = &program["activation"];
        allow_half_a_percent(&mut report["activation"], activation);
        compare(&mut differences, name, &report["activation"], activation);
        assert_eq!(report["calls"].as_array().unwrap().len(), expected.len(), "{name}");
        for (index, want) in expected.iter().enumerate() {
            let place = format!("{name} call {index}");
            let actual = &mut report["calls"][index];
            if actual["ink"] == json!(SHORT_GAS * INK_PRICE) {
                actual["ink"] = json!(CALL_GAS * INK_PRICE);
            }
            compare(&mut differences, &place, &report["calls"][index], want);
        }
    }
    assert!(differences.is_empty(), "\n{differences}");
}

#[test]
fn activation_accepts_refuses_and_prices_as_nitro_does() {
    let mut differences = String::new();
    for (name, expected) in read("activation.json").as_object().unwrap() {
        let report = exec(&vectors().join("probes").join(name), &[], false).unwrap();
        let mut actual = serde_json::to_value(report.activation).unwrap();
        allow_half_a_percent(&mut actual, expected);
        compare(&mut differences, name, &actual, expected);
    }
    assert!(differences.is_empty(), "\n{differences}");
}

#[test]
fn memory_pages_cost_what_nitros_table_says() {
    let table: Vec<u64> = serde_json::from_value(read("memory_exponents.json")).unwrap();
    for (pages, exponent) in table.iter().enumerate().skip(3) {
        let linear = (pages as u64 - 2) * 1_000;
        let gas = Pages::default().gas(pages as u16);
        assert_eq!(gas, linear + exponent - table[0], "{pages} pages");
    }
    assert_eq!(Pages::default().gas(2), 0);
    assert!(
        Pages::default().gas(129) > u64::MAX / 2,
        "nobody can pay for more than 128"
    );
}
