//! Prints the Solidity interface, for `cargo stylus export-abi`.
fn main() {
    medlock_supply::print_from_args();
}
