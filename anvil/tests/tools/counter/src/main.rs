//! Prints the Solidity interface and the constructor, for `cargo stylus`.
#![cfg_attr(not(any(test, feature = "export-abi")), no_main)]

#[cfg(feature = "export-abi")]
fn main() {
    counter::print_from_args();
}
