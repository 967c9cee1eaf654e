//! Prints the Solidity interface, for `cargo stylus export-abi`.
fn main() {
    medlock_claims::print_from_args();
}
