//! Prints the Solidity interface, for `cargo stylus export-abi`.
fn main() {
    medlock_exceptions::print_from_args();
}
