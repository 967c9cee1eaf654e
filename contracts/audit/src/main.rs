//! Prints the Solidity interface, for `cargo stylus export-abi`.
fn main() {
    medlock_audit::print_from_args();
}
