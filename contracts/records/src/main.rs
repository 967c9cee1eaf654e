//! Prints the Solidity interface, for `cargo stylus export-abi`.
fn main() {
    medlock_records::print_from_args();
}
