//! Tells the program how it was optimised: times of a build for tests would say nothing.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let level = std::env::var("OPT_LEVEL").unwrap_or_default();
    println!("cargo::rustc-env=MEDLOCK_OPT_LEVEL={level}");
}
