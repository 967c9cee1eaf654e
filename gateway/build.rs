//! Puts the web application (`dapp/dist`, made by `make dapp`) into the program. Without it the gateway is built all the same, and says so
//! where a browser asks for the application.
use std::{
    env,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

fn main() {
    let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dapp/dist");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={}", dist.display());
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    // A copy, so that the application can be built anew while this is compiled.
    let kept = out.join("app");
    let _ = fs::remove_dir_all(&kept);
    let mut files = Vec::new();
    keep(&dist, &kept, "", &mut files).expect("the application can be copied");
    files.sort();
    let mut table = String::from("&[\n");
    let is_served = |name: &&String| !(name.starts_with('.') || name.ends_with(".gz") || name.ends_with(".br"));
    for name in files.iter().filter(is_served) {
        let path = kept.join(name);
        let packed = |suffix: &str| {
            let packed = kept.join(format!("{name}{suffix}"));
            match packed.is_file() {
                true => format!("Some(include_bytes!({:?}))", packed.display().to_string()),
                false => "None".to_owned(),
            }
        };
        writeln!(
            table,
            "File {{ path: {:?}, whole: include_bytes!({:?}), gzip: {}, brotli: {} }},",
            format!("/{name}"),
            path.display().to_string(),
            packed(".gz"),
            packed(".br")
        )
        .expect("a string takes everything");
    }
    table.push(']');
    fs::write(out.join("app.rs"), table).expect("the folder for what is generated can be written to");
}

/// Copies the files below `folder`, if it is there, and tells their paths from there.
fn keep(folder: &Path, to: &Path, prefix: &str, files: &mut Vec<String>) -> std::io::Result<()> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Ok(());
    };
    fs::create_dir_all(to.join(prefix))?;
    for entry in entries {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        match entry.path().is_dir() {
            true => keep(&entry.path(), to, &format!("{name}/"), files)?,
            false => {
                fs::copy(entry.path(), to.join(&name))?;
                files.push(name);
            }
        }
    }
    Ok(())
}
