//! Prints the Solidity interface, for `cargo stylus export-abi`.
fn main() {
    medlock_registry::print_from_args();
}
