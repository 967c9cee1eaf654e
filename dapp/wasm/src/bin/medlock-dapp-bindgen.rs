//! Makes a module for browsers, with its types, of the library in this folder: `medlock-dapp-bindgen MODULE.wasm FOLDER`.

#[cfg(not(target_arch = "wasm32"))]
fn main() -> anyhow::Result<()> {
    use anyhow::Context;
    let mut args = std::env::args_os().skip(1);
    let mut argument = || args.next().context("medlock-dapp-bindgen MODULE.wasm FOLDER");
    let (module, folder) = (argument()?, argument()?);
    wasm_bindgen_cli_support::Bindgen::new()
        .input_path(module)
        .out_name("client")
        .web(true)?
        .typescript(true)
        .generate(folder)
}

#[cfg(target_arch = "wasm32")]
fn main() {}
