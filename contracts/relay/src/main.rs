//! Prints the Solidity interface, for `cargo stylus export-abi`.
fn main() {
    medlock_relay::print_from_args();
}
